"""Findings about archives: one given to the doctor, or one that lies where a dataset should."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mfa.datasets.doctor.findings import Finding, Report, refusal
from mfa.datasets.prepare.archives import datasets_in
from mfa.datasets.readers.listing import children
from mfa.datasets.readers.load import LAYOUTS
from mfa.datasets.readers.places import is_file, quoted
from mfa.errors import InputError

SUFFIXES = frozenset({".zip", ".rar", ".7z", ".tar", ".gz", ".tgz"})

_MOST = 5
"""Archives looked at in one folder."""


def examine_archive(file: Path) -> Finding:
    """Whether an archive can be unpacked, and which dataset it holds; nothing is written."""
    try:
        found = datasets_in(file)
    except InputError as error:
        return refusal("bad-archive", error, "get the archive again from the dataset's owners")
    if not found:
        return Finding(
            "error",
            "unknown-archive",
            f"{file} is a zip archive and holds none of {', '.join(LAYOUTS)}",
            "unpack it by hand and examine the folder; pictures of your own: mfa data folder",
        )
    layout = found[0]
    return Finding(
        "error",
        "packed",
        f"{file} is an archive of {layout.title} that is not unpacked",
        f"mfa data prepare {layout.name} --archive {quoted(file)}",
    )


def report_on(file: Path) -> Report:
    """The report on an archive alone."""
    return Report(
        name="",
        title="an archive",
        folder=file,
        setting="",
        summaries=(),
        findings=(examine_archive(file),),
        expected="a folder: archives are read only by mfa data prepare",
        found=file.name,
        fingerprint="",
    )


def archives_in(*folders: Path) -> Iterator[Finding]:
    """A finding for each archive that lies directly in the ``folders``."""
    for folder in folders:
        try:
            files = [path for path in children(folder) if path.suffix.lower() in SUFFIXES]
        except InputError:
            continue
        yield from (examine_archive(file) for file in files[:_MOST] if is_file(file))
