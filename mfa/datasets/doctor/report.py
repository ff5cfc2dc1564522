"""What the doctor says: findings with their fix, the report that holds them, the tree it found."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, get_args

from mfa.datasets.readers.counts import Summary
from mfa.datasets.readers.listing import children, counted, is_folder, is_image
from mfa.errors import InputError, printable

_MOST = 6
"""Entries drawn of one folder."""

Severity = Literal["error", "warning", "note"]
SEVERITIES = get_args(Severity)


@dataclass(frozen=True)
class Finding:
    """One thing about a dataset that its user should know.

    Attributes:
        severity: ``error`` (the reader refuses, or results would be wrong), ``warning`` (the work
            goes on without what is named), ``note`` (nothing to do).
        code: a short name for scripts, the same in every version.
        what: what was found and where, a sentence.
        fix: what to do about it; empty for notes.
        count: pictures, queries or files concerned.
        examples: a few of them.
    """

    severity: Severity
    code: str
    what: str
    fix: str = ""
    count: int = 0
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """The whole examination.

    Attributes:
        name, title: the dataset it was read as, and the name papers use.
        folder: what was examined.
        setting: version, e.g. V1 or labeled.
        summaries: size of each list beside the published numbers.
        findings: worst first.
        expected, found: the tree the reader wants and the tree on the disk, drawn.
        fingerprint: of the data; empty where nothing could be read, or only names were.
    """

    name: str
    title: str
    folder: Path
    setting: str
    summaries: tuple[Summary, ...]
    findings: tuple[Finding, ...]
    expected: str
    found: str
    fingerprint: str

    @property
    def clean(self) -> bool:
        """Whether nothing of severity error was found."""
        return not any(finding.severity == "error" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-able data."""
        data = {key: value for key, value in asdict(self).items() if key != "summaries"}
        splits = {s.split: asdict(s) | {"as_published": s.as_published} for s in self.summaries}
        data |= {"folder": str(self.folder), "clean": self.clean, "splits": splits}
        return {name: _printable(value) for name, value in data.items()}

    def text(self) -> str:
        """The report for people."""
        version = f" {self.setting}" if self.setting not in self.title else ""
        lines = [f"{self.title}{version} in {self.folder}", ""]
        lines += [f"  {summary.line()}" for summary in self.summaries]
        if self.summaries and self.findings:
            lines.append("")
        for finding in self.findings:
            lines.append(f"{finding.severity}: {finding.what}")
            if finding.examples:
                lines.append(f"    e.g. {', '.join(finding.examples)}")
            if finding.fix:
                lines.append(f"    to do: {finding.fix}")
        if not self.clean:
            lines += ["", *_beside(f"expected\n{self.expected}", f"found\n{self.found}")]
        tally = Counter(finding.severity for finding in self.findings)
        counts = ", ".join(counted(tally[severity], severity) for severity in SEVERITIES)
        lines += ["", f"{'in order' if self.clean else 'not in order'}: {counts}"]
        return "\n".join(map(printable, lines))


def _printable(value: Any) -> Any:
    """JSON-able data with ``printable`` applied to every line of every text in it."""
    if isinstance(value, str):
        return "\n".join(map(printable, value.split("\n")))
    if isinstance(value, dict):
        return {name: _printable(inner) for name, inner in value.items()}
    return [_printable(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def _beside(left: str, right: str) -> list[str]:
    """Two drawings side by side, or one below the other where the left one is wide."""
    lefts, rights = left.splitlines(), right.splitlines()
    width = max(map(len, lefts)) + 3
    if width > 60:
        return [*lefts, "", *rights]
    return [f"{a:{width}}{b}".rstrip() for a, b in zip_longest(lefts, rights, fillvalue="")]


def draw(folder: Path, levels: int = 2) -> str:
    """``folder`` with its sub-folders; pictures as a count and an example; links not followed."""
    return "\n".join([f"{folder.name or folder}/", *_drawn(folder, "", levels)])


def _drawn(folder: Path, indent: str, levels: int) -> list[str]:
    try:
        paths = children(folder)
    except InputError:
        return [f"{indent}└── (cannot be listed)"]
    kinds: dict[str, list[Path]] = {"folder": [], "image": [], "other": []}
    for path in paths:
        kind = "folder" if is_folder(path) else "image" if is_image(path.name) else "other"
        kinds[kind].append(path)
    folders, images, others = kinds.values()
    entries: list[tuple[str, Path | None]] = [(f"{path.name}/", path) for path in folders[:_MOST]]
    if len(folders) > _MOST:
        entries.append((f"({len(folders) - _MOST} more folders)", None))
    if images:
        entries.append((f"({len(images):,} pictures, e.g. {images[0].name})", None))
    entries += [(path.name, None) for path in others[:_MOST]]
    if len(others) > _MOST:
        entries.append((f"({len(others) - _MOST} more files)", None))
    lines = []
    for left, (text, inner) in zip(reversed(range(len(entries))), entries, strict=True):
        lines.append(f"{indent}{'├──' if left else '└──'} {text}")
        if inner is not None and levels > 1 and not inner.is_symlink():
            lines += _drawn(inner, indent + ("│   " if left else "    "), levels - 1)
    return lines or [f"{indent}└── (empty)"]
