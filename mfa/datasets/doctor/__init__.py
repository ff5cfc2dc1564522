"""The data doctor: what a dataset's folder holds, what is wrong with it, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mfa.datasets.doctor import checks, contents
from mfa.datasets.doctor.archive import SUFFIXES, archives_in, report_on
from mfa.datasets.doctor.findings import Finding, Report, worst_first
from mfa.datasets.doctor.tree import draw
from mfa.datasets.fingerprint import fingerprint
from mfa.datasets.layout import Layout, children_called, folders_below, nearby
from mfa.datasets.listing import Listing, list_files
from mfa.datasets.load import (
    LAYOUTS,
    against_published,
    data_root,
    instead,
    place_of,
    recognise,
    refuse_empty,
)
from mfa.datasets.summary import summarise_all
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
    if target in LAYOUTS:
        return _examine_name(LAYOUTS[target], data_root(root), decode)
    folder = Path(target).expanduser()
    if folder.is_file() and folder.suffix.lower() in SUFFIXES:
        return report_on(folder)
    if folder.is_file():
        raise InputError(
            f"{folder} is a file that is no archive by its name; give the doctor a folder, an "
            "archive, or a dataset's name"
        )
    if not folder.is_dir():
        raise InputError(
            f"{target!r} is neither a folder nor a dataset; there are {', '.join(LAYOUTS)}"
        )
    return _examine_folder(folder, decode)


def _examine_name(layout: Layout, root: Path, decode: bool) -> Report:
    try:
        folder = place_of(layout, root)
    except InputError as error:
        named = children_called(root, layout.folders)
        other = instead(layout, root)
        if other is not None:
            finding = Finding(
                "error",
                "another-dataset",
                str(error),
                f"rename {other[0].name} to {other[1].folders[0]} and read it as {other[1].name}",
            )
            return _unreadable(layout, other[0], finding, found=draw(other[0]))
        packed = tuple(archives_in(root, *named))
        elsewhere = nearby(layout, root) if root.is_dir() else None
        place = elsewhere or root
        fix = (
            f"move it to {root / layout.folders[0]}, or give --data-root {elsewhere}"
            if elsewhere
            else layout.advice
        )
        finding = Finding("error", "misplaced" if elsewhere else "missing", str(error), fix)
        if elsewhere:
            return _examine(layout, place, decode, found=draw(root, levels=3), more=(finding,))
        found = draw(root, levels=3) if root.is_dir() else f"{root} is not there"
        return _unreadable(layout, root, *packed, finding, found=found)
    return _examine(layout, folder, decode)


def _examine_folder(folder: Path, decode: bool) -> Report:
    fitting = [layout for layout in LAYOUTS.values() if layout.fits(folder)]
    if fitting:
        return _examine(_best(fitting, folder), folder, decode)
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
            f"name that folder, or read it as {best.name} with --data-root {inner}",
        )
        return _examine(best, inner, decode, found=draw(folder, levels=3), more=(finding,))
    named = recognise(_some_names(folder))
    near = named or min(LAYOUTS.values(), key=lambda layout: _distance(layout, folder))
    if named or _distance(near, folder) < 1:
        lacks = ", ".join(near.missing(folder))
        return _unreadable(
            near,
            folder,
            Finding(
                "error",
                "incomplete",
                f"{folder} comes closest to {near.title}, but lacks {lacks}",
                near.advice,
            ),
            found=draw(folder),
        )
    packed = tuple(archives_in(folder))
    finding = Finding(
        "error",
        "unknown",
        f"{folder} is laid out like none of {', '.join(LAYOUTS)}",
        f"for pictures of your own: mfa data folder {folder} --pattern ... --preview",
    )
    return _unreadable(LAYOUTS["folder"], folder, *packed, finding, found=draw(folder))


def _datasets_in(folder: Path) -> dict[Path, Layout]:
    """Every folder at most two levels below that has a layout, with the one it has best."""
    places = (nearby(layout, folder) for layout in LAYOUTS.values())
    return {
        place: _best([layout for layout in LAYOUTS.values() if layout.fits(place)], place)
        for place in places
        if place is not None
    }


def _some_names(folder: Path) -> list[str]:
    """Names of a few pictures of ``folder`` and of each folder in it."""
    places = (folder, *folders_below(folder, levels=1))
    return [path.name for place in places for path in list_files(place).pictures[:50]]


def _distance(layout: Layout, folder: Path) -> float:
    """Share of what the nearest version of a layout needs that is missing."""
    missing = layout.missing(folder)
    wanted = next(parts for parts in layout.needs if set(missing) <= set(parts))
    return len(missing) / len(wanted)


def _best(layouts: list[Layout], folder: Path) -> Layout:
    """Of several that fit a folder, the one that reads most of its pictures."""

    def taken(layout: Layout) -> int:
        try:
            return sum(map(len, layout.read(folder).splits().values()))
        except InputError:
            return 0

    return max(layouts, key=taken) if len(layouts) > 1 else layouts[0]


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
        finding = Finding("error", "unreadable", str(error), layout.advice)
        return _unreadable(layout, folder, *more, finding, found=found)
    summaries = summarise_all(layout, listing)
    findings = [*more, *_refusals(layout, folder, listing)]
    findings += checks.left_out(listing)
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
        fingerprint=fingerprint(listing.splits(), folder),
    )


def _refusals(layout: Layout, folder: Path, listing: Listing) -> Iterator[Finding]:
    """What ``load_dataset`` would refuse with, so that doctor and reader cannot disagree."""
    for code, check in (("empty-list", refuse_empty), ("half-copied", against_published)):
        try:
            check(layout, folder, listing)
        except InputError as error:
            yield Finding("error", code, str(error), layout.advice)


def _unreadable(layout: Layout, folder: Path, *findings: Finding, found: str) -> Report:
    return Report(
        name=layout.name,
        title=layout.title,
        folder=folder,
        setting="",
        summaries=(),
        findings=worst_first([*findings, *(checks.litter(folder) if folder.is_dir() else ())]),
        expected=layout.tree,
        found=found,
        fingerprint="",
    )
