"""The data doctor: what a dataset's folder holds, what is wrong with it, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mfa.datasets.doctor import checks
from mfa.datasets.doctor.report import Finding, Report, draw, refusal, worst_first
from mfa.datasets.prepare.archive import is_archive
from mfa.datasets.readers.counts import summarise_all
from mfa.datasets.readers.fingerprint import fingerprint
from mfa.datasets.readers.layout import Layout, folders_called, incomplete, subfolders
from mfa.datasets.readers.listing import children, expanded, is_file, is_folder, quoted
from mfa.datasets.readers.load import (
    LAYOUTS,
    data_root,
    dataset_in,
    empty_lists,
    named,
    place_of,
    refuse_if_not_whole,
)
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
        return _examine(layout, place_of(layout, root), decode)
    except InputError as error:
        finding = refusal("missing", error, layout.advice)
    folder = next(iter(folders_called(root, layout.folders)), root)
    packed = (found for place in {root, folder} for found in _archives(layout, place))
    return _unreadable(layout, folder, *packed, finding)


def _examine_folder(folder: Path, decode: bool) -> Report:
    best = dataset_in(folder)
    if best is not None:
        return _examine(best, folder, decode)
    inside = {place: found for place in subfolders(folder) if (found := dataset_in(place))}
    if inside:
        place, layout = next(iter(inside.items()))
        listed = ", ".join(f"{found.title} in {where}" for where, found in inside.items())
        what = f"{folder} itself is no dataset; in it lies {listed}; the first was examined"
        usual = layout.is_called(place)
        fix = f"name its folder: --data-root {quoted(place)}"
        finding = Finding("note" if usual else "error", "misplaced", what, "" if usual else fix)
        return _examine(layout, place, decode, finding)
    return _examine_unknown(folder, decode)


def _examine_unknown(folder: Path, decode: bool) -> Report:
    """A folder that is no dataset: what it lacks of the one it is called or begun as, if of any."""
    try:
        children(folder)
    except InputError as error:
        return _unreadable(_NOBODY, folder, refusal("unreadable", error, "make it readable"))
    table = _NOBODY if _NOBODY.fits(folder) else None
    meant = next((f for f in LAYOUTS.values() if f.is_called(folder)), table)
    if meant is not None:
        if meant.fits(folder):
            return _examine(meant, folder, decode)
        finding = refusal("incomplete", incomplete(meant, folder), meant.advice)
        return _unreadable(meant, folder, *_archives(meant, folder), finding)
    finding = Finding(
        "error",
        "unknown",
        f"{folder} is laid out like none of {', '.join(LAYOUTS)}",
        f"read pictures with names of their own: mfa data folder {quoted(folder)} --pattern ... "
        "--preview",
    )
    return _unreadable(_NOBODY, folder, finding)


def _examine(layout: Layout, folder: Path, decode: bool, *more: Finding) -> Report:
    """Read a folder that has the layout's parts and check everything."""
    try:
        listing = layout.read(folder)
    except InputError as error:
        return _unreadable(layout, folder, *more, refusal("unreadable", error, layout.advice))
    summaries = summarise_all(layout, listing)
    findings = list(more)
    try:
        refuse_if_not_whole(layout, folder, listing, summaries)
        findings += checks.counts(summaries, layout.title)
    except InputError as error:  # so that the doctor and the reader cannot disagree
        code = "empty-list" if empty_lists(layout, listing) else "half-copied"
        findings.append(refusal(code, error, layout.advice))
    findings += checks.left_out(listing)
    findings += checks.shared_identities(listing, layout)
    if listing.query and listing.gallery:
        findings += checks.cameras(listing)
        findings += checks.dropped_queries(listing)
    if decode:
        findings += checks.broken(listing)
        findings += checks.duplicates(listing)
    findings += checks.litter(folder)
    findings += [Finding("note", "reading", note) for note in listing.notes]
    return Report(
        name=layout.name,
        title=layout.title,
        folder=folder,
        setting=listing.setting,
        summaries=summaries,
        findings=worst_first(findings),
        expected=layout.tree,
        found=draw(folder),
        fingerprint=fingerprint(listing.splits(), folder) if decode else "",
    )


def _archives(layout: Layout, folder: Path) -> Iterator[Finding]:
    """A finding for each archive that lies where the dataset should."""
    try:
        files = [path for path in children(folder) if is_archive(path)]
    except InputError:
        return
    for file in files:
        fix = f"mfa data prepare {layout.name} --archive {quoted(file)}"
        yield Finding("error", "packed", f"{file} is an archive that is not unpacked", fix)


def _unreadable(layout: Layout, folder: Path, *findings: Finding) -> Report:
    return Report(
        name=layout.name,
        title=layout.title,
        folder=folder,
        setting="",
        summaries=(),
        findings=worst_first([*findings, *checks.litter(folder)]),
        expected=layout.tree,
        found=draw(folder, levels=3) if is_folder(folder) else f"{folder} is not there",
        fingerprint="",
    )
