"""The data doctor: what a dataset's folder holds, what is wrong with it, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mfa.datasets.doctor import checks, contents
from mfa.datasets.doctor.archive import SUFFIXES, archives_in, report_on
from mfa.datasets.doctor.findings import Finding, Report, refusal, worst_first
from mfa.datasets.doctor.tree import draw
from mfa.datasets.readers.fingerprint import fingerprint
from mfa.datasets.readers.layout import (
    Layout,
    children_called,
    folders_below,
    lacking,
    nearby,
    to_complete,
    whole_of,
)
from mfa.datasets.readers.listing import Listing, children, list_files
from mfa.datasets.readers.load import (
    LAYOUTS,
    against_published,
    data_root,
    dataset_in,
    instead,
    named,
    place_of,
    recognise,
    refuse_empty,
)
from mfa.datasets.readers.places import expanded, is_broken_link, is_file, is_folder, quoted
from mfa.datasets.readers.summary import summarise_all
from mfa.errors import InputError

__all__ = ["Finding", "Report", "examine"]


def examine(target: str, root: Path | None = None, *, decode: bool = True) -> Report:
    """Examine a dataset by name, or a folder or archive whatever it is.

    Args:
        target: a dataset's name, or the path of a folder or an archive.
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
    if is_file(folder) and folder.suffix.lower() in SUFFIXES:
        return report_on(folder)
    if is_file(folder):
        raise InputError(
            f"{folder} is a file that is no archive by its name; give the doctor a folder, an "
            "archive, or a dataset's name"
        )
    odd = "a broken link" if is_broken_link(folder) else "not there, or not yours to look at"
    raise InputError(
        f"{target!r} is neither a folder nor a dataset: it is {odd}; datasets are "
        f"{', '.join(LAYOUTS)}"
    )


def _examine_name(layout: Layout, root: Path, decode: bool) -> Report:
    try:
        folder = place_of(layout, root)
    except InputError as error:
        return _examine_absent(layout, root, decode, error)
    return _examine(layout, folder, decode)


def _examine_absent(layout: Layout, root: Path, decode: bool, error: InputError) -> Report:
    """Where a dataset asked for by name is not, and what lies there."""
    other = instead(layout, root)
    if other is not None:
        finding = refusal("another-dataset", error, layout.advice)
        return _unreadable(layout, other[0], finding, found=draw(other[0]))
    places = (root, *children_called(root, layout.folders))
    deeper = (nearby(layout, place) for place in places)
    elsewhere = whole_of(layout, root) or next(filter(None, deeper), None)
    if elsewhere is not None:
        fix = f"move it to {root / layout.folders[0]}, or give --data-root {quoted(elsewhere)}"
        finding = refusal("misplaced", error, fix)
        return _examine(layout, elsewhere, decode, found=draw(root, levels=3), more=(finding,))
    packed = archives_in(*places)
    found = draw(root, levels=3) if is_folder(root) else f"{root} is not there"
    missing = refusal("missing", error, layout.advice)
    return _unreadable(layout, root, *packed, missing, found=found)


def _examine_folder(folder: Path, decode: bool) -> Report:
    best = dataset_in(folder)
    if best is not None:
        return _examine(best, folder, decode)
    for layout in LAYOUTS.values():
        whole = whole_of(layout, folder)
        if whole is not None:
            real = dataset_in(whole) or layout
            what = f"{folder} is a part of {real.title} in {whole}, which was examined"
            return _examine(real, whole, decode, more=(Finding("note", "part", what),))
    near = _closest(folder)
    if near is not None and near.fits(folder):
        return _examine(near, folder, decode)
    inside = _datasets_in(folder)
    if inside:
        inner, best = next(iter(inside.items()))
        others = "".join(
            f"; {other.title} lies in {place}" for place, other in inside.items() if place != inner
        )
        finding = Finding(
            "note" if inner.name.lower() in map(str.lower, best.folders) else "error",
            "misplaced",
            f"{folder} itself is no dataset, but {inner} is laid out like {best.title}{others}",
            f"name that folder, or read it as {best.name} with --data-root {quoted(inner)}",
        )
        return _examine(best, inner, decode, found=draw(folder, levels=3), more=(finding,))
    return _unreadable_folder(folder, near)


def _closest(folder: Path) -> Layout | None:
    """The dataset a folder is meant to be.

    Its list file tells, else its pictures' names, its own name, or its parts. Parts alone tell
    nothing where pictures have names of no dataset: those are a user's own.
    """
    listed = [f for f in LAYOUTS.values() if f.lists_files() and f.fits(folder)]
    if listed:
        return listed[0]
    names = _some_names(folder)
    name = folder.absolute().name.lower()
    called = [f for f in LAYOUTS.values() if name in map(str.lower, f.folders)]
    alike = [f for f in LAYOUTS.values() if not names and f.distance(folder) < 1]
    return recognise(names) or min(called or alike, key=lambda f: f.distance(folder), default=None)


def _unreadable_folder(folder: Path, near: Layout | None) -> Report:
    """A folder that is no dataset: what is missing of the one it is meant to be, if of any."""
    try:
        children(folder)
    except InputError as error:
        finding = refusal("unreadable", error, "make it readable (chmod u+rx)")
        return _unreadable(LAYOUTS["folder"], folder, finding, found=draw(folder))
    packed = tuple(archives_in(folder))
    if near is None:
        finding = Finding(
            "error",
            "unknown",
            f"{folder} is laid out like none of {', '.join(LAYOUTS)}",
            f"for pictures of your own: mfa data folder {quoted(folder)} --pattern ... --preview",
        )
        return _unreadable(LAYOUTS["folder"], folder, *packed, finding, found=draw(folder))
    what = f"{folder} comes closest to {near.title}, but lacks {lacking(near, folder)}"
    finding = Finding("error", "incomplete", what, to_complete(near, folder))
    return _unreadable(near, folder, *packed, finding, found=draw(folder))


def _datasets_in(folder: Path) -> dict[Path, Layout]:
    """Every folder at most three levels below that has a layout, with the one it has best."""
    found: dict[Path, Layout] = {}
    for layout in LAYOUTS.values():
        place = nearby(layout, folder)
        if place is not None and place not in found:
            found[place] = dataset_in(place) or layout
    return found


def _some_names(folder: Path) -> list[str]:
    """Names of a few pictures of ``folder`` and of each folder in it that may be listed."""
    names: list[str] = []
    for place in (folder, *folders_below(folder, levels=1)):
        with suppress(InputError):
            names += [path.name for path in list_files(place).pictures[:50]]
    return names


def _examine(
    layout: Layout,
    folder: Path,
    decode: bool,
    *,
    found: str = "",
    more: tuple[Finding, ...] = (),
) -> Report:
    """Read a folder that has the layout's parts and check everything."""
    found = found or draw(folder)
    try:
        listing = layout.read(folder)
    except InputError as error:
        finding = refusal("unreadable", error, layout.advice)
        return _unreadable(layout, folder, *more, finding, found=found)
    summaries = summarise_all(layout, listing)
    refusals = tuple(_refusals(layout, folder, listing))
    findings = [*more, *refusals, *checks.left_out(listing)]
    if not refusals:
        findings += checks.against_published(summaries, layout.title)
    findings += checks.shared_identities(listing, layout.name)
    if listing.query and listing.gallery:
        findings += checks.cameras(listing)
        findings += checks.dropped_queries(listing)
    if decode:
        findings += contents.broken(listing)
        findings += contents.duplicates(listing)
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
        found=found,
        fingerprint=fingerprint(listing.splits(), folder) if decode else "",
    )


def _refusals(layout: Layout, folder: Path, listing: Listing) -> Iterator[Finding]:
    """What ``load_dataset`` would refuse with, so that doctor and reader cannot disagree."""
    for code, check in (("empty-list", refuse_empty), ("half-copied", against_published)):
        try:
            check(layout, folder, listing)
        except InputError as error:
            yield refusal(code, error, layout.advice)
            return  # the reader says no more either


def _unreadable(layout: Layout, folder: Path, *findings: Finding, found: str) -> Report:
    return Report(
        name=layout.name,
        title=layout.title,
        folder=folder,
        setting="",
        summaries=(),
        findings=worst_first([*findings, *checks.litter(folder)]),
        expected=layout.tree,
        found=found,
        fingerprint="",
    )
