"""The data doctor: what a dataset's folder holds, what is wrong with it, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from mfa.datasets.doctor import checks
from mfa.datasets.doctor.report import SEVERITIES, Finding, Report, draw
from mfa.datasets.prepare.archive import is_archive
from mfa.datasets.readers.counts import Summary, summarise_all
from mfa.datasets.readers.find import (
    LAYOUTS,
    datasets_in,
    empty_lists,
    find_folder,
    folders_called,
    incomplete,
    meant_by,
    named,
)
from mfa.datasets.readers.fingerprint import fingerprint, hashed
from mfa.datasets.readers.layout import Layout
from mfa.datasets.readers.listing import children, expanded, is_file, is_folder, quoted
from mfa.datasets.readers.load import data_root, refuse_if_not_whole
from mfa.errors import InputError

__all__ = ["Finding", "Report", "examine"]

_NOBODY = LAYOUTS["folder"]
"""Whose expected tree is shown where a folder is laid out like no dataset."""


def examine(target: str, root: Path | None = None, *, decode: bool = True) -> Report:
    """Examine a dataset by name, or a folder whatever it is.

    Args:
        target: a dataset's name, or the path of a folder.
        root: where datasets lie, for a name; see ``data_root``.
        decode: read every picture, to find broken and doubled ones; else only names.

    Raises:
        InputError: ``target`` is neither a dataset's name nor a folder.
    """
    layout = named(target)
    if layout is not None:
        return _examine_name(layout, data_root(root), decode)
    folder = expanded(target)
    if is_folder(folder):
        return _examine_folder(folder, decode)
    if is_file(folder):
        raise InputError(
            f"{folder} is a file; the doctor examines a folder, or a dataset by its name",
            f"unpack an archive first: mfa data prepare NAME --archive {quoted(folder)}",
        )
    raise InputError(
        f"{target!r} is neither a dataset's name nor a folder that can be opened",
        f"name a folder, or one of {', '.join(LAYOUTS)}",
    )


def _examine_name(layout: Layout, root: Path, decode: bool) -> Report:
    try:
        return _examine(layout, find_folder(layout, root), decode)
    except InputError as error:
        finding = _refusal("missing", error, layout.advice)
    folder = next(iter(folders_called(layout, root)), root)
    packed = [found for place in {root, folder} for found in _archives(layout, place)]
    return _report(layout, folder, [*packed, finding])


def _examine_folder(folder: Path, decode: bool) -> Report:
    found = datasets_in(folder)
    if found:
        place, layout = next(iter(found.items()))
        if place == folder:
            return _examine(layout, folder, decode)
        listed = ", ".join(f"{other.title} in {where}" for where, other in found.items())
        what = f"{folder} itself is no dataset; in it lies {listed}; the first was examined"
        usual = layout.is_called(place)
        fix = "" if usual else f"name its folder: --data-root {quoted(place)}"
        finding = Finding("note" if usual else "error", "misplaced", what, fix)
        return _examine(layout, place, decode, finding)
    try:
        children(folder)
    except InputError as error:
        return _report(_NOBODY, folder, [_refusal("unreadable", error, "make it readable")])
    meant = meant_by(folder)
    if meant is None:
        what = f"{folder} is laid out like none of {', '.join(LAYOUTS)}"
        command = f"mfa data folder {quoted(folder)} --pattern ... --preview"
        fix = f"read pictures with names of their own: {command}"
        return _report(_NOBODY, folder, [Finding("error", "unknown", what, fix)])
    if meant.fits(folder):
        return _examine(meant, folder, decode)
    finding = _refusal("incomplete", incomplete(meant, folder), meant.advice)
    return _report(meant, folder, [*_archives(meant, folder), finding])


def _examine(layout: Layout, folder: Path, decode: bool, *more: Finding) -> Report:
    """Read a folder that has the layout's parts and check everything."""
    try:
        listing = layout.read(folder)
    except InputError as error:
        return _report(layout, folder, [*more, _refusal("unreadable", error, layout.advice)])
    summaries = summarise_all(layout, listing)
    findings = list(more)
    try:
        refuse_if_not_whole(layout, folder, listing, summaries)
        findings += checks.counts(summaries, layout.title)
    except InputError as error:  # so that the doctor and the reader cannot disagree
        code = "empty-list" if empty_lists(layout, listing) else "half-copied"
        findings.append(_refusal(code, error, layout.advice))
    findings += checks.left_out(listing)
    findings += checks.shared_identities(listing, layout)
    if listing.query and listing.gallery:
        findings += checks.cameras(listing)
        findings += checks.dropped_queries(listing)
    mark = ""
    if decode:
        files = hashed(listing.splits())
        findings += checks.broken(listing)
        findings += checks.duplicates(files)
        mark = fingerprint(files, folder)
    findings += [Finding("note", "reading", note) for note in listing.notes]
    return _report(layout, folder, findings, listing.setting, summaries, mark)


def _report(
    layout: Layout,
    folder: Path,
    findings: Iterable[Finding],
    setting: str = "",
    summaries: tuple[Summary, ...] = (),
    fingerprint: str = "",
) -> Report:
    findings = [*findings, *checks.litter(folder)]
    levels = 2 if summaries else 3
    return Report(
        name=layout.name,
        title=layout.title,
        folder=folder,
        setting=setting,
        summaries=summaries,
        findings=tuple(sorted(findings, key=lambda found: SEVERITIES.index(found.severity))),
        expected=layout.tree,
        found=draw(folder, levels) if is_folder(folder) else f"{folder} is not there",
        fingerprint=fingerprint,
    )


def _refusal(code: str, error: InputError, advice: str) -> Finding:
    """An error as a finding; ``advice`` is the fix where the error names none."""
    return Finding("error", code, error.what, error.fix or advice)


def _archives(layout: Layout, folder: Path) -> Iterator[Finding]:
    """A finding for each archive that lies where the dataset should."""
    try:
        files = [path for path in children(folder) if is_archive(path)]
    except InputError:
        return
    for file in files:
        fix = f"mfa data prepare {layout.name} --archive {quoted(file)}"
        yield Finding("error", "packed", f"{file} is an archive that is not unpacked", fix)
