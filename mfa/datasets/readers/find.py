"""Every dataset by its name, where it lies, and what a folder is: the one place that guesses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mfa.datasets.readers import cuhk03, custom, folders, msmt17
from mfa.datasets.readers.layout import Layout
from mfa.datasets.readers.listing import (
    Listing,
    Reason,
    children,
    is_file,
    is_folder,
    quoted,
    subfolders,
)
from mfa.errors import InputError

LAYOUTS: Mapping[str, Layout] = {
    layout.name: layout
    for layout in (
        folders.MARKET1501,
        folders.DUKEMTMC,
        cuhk03.PLAIN,
        cuhk03.LABELED,
        cuhk03.DETECTED,
        msmt17.LAYOUT,
        folders.SYNTHETIC,
        folders.PARTIAL_REID,
        folders.PARTIAL_REID_OCCLUDED,
        folders.SYNTHETIC_PARTIAL,
        folders.SYNTHETIC_PARTIAL_OCCLUDED,
        folders.OCCLUDED_REID,
        folders.PARTIAL_ILIDS,
        custom.LAYOUT,
    )
}
"""Every dataset by the name users type; ``named`` knows the splits of classic CUHK03 as well."""


def named(name: str) -> Layout | None:
    """The layout called ``name``, if there is one.

    The splits of classic CUHK03 are only ever asked for by name: they are further ways to read the
    pictures of CUHK03, not further datasets on the disk.
    """
    return LAYOUTS.get(name) or cuhk03.classic_layout(name)


def get_layout(name: str) -> Layout:
    """The layout called ``name``."""
    layout = named(name)
    if layout is None:
        raise InputError(
            f"no dataset {name!r}",
            f"name one of {', '.join(LAYOUTS)}, or a split of classic CUHK03, cuhk03_classic_1 to "
            f"cuhk03_classic_{cuhk03.CLASSIC_SPLITS}",
        )
    return layout


def find_folder(layout: Layout, root: Path) -> Path:
    """The dataset's folder: below ``root`` by one of its usual names, or ``root`` itself."""
    if not is_folder(root):
        raise InputError(
            f"no {layout.title}: the data root {root.absolute()} is no folder that can be opened",
            f"{layout.advice}; or name another root by --data-root or the variable MFA_DATA",
        )
    found = contents(root)  # raises where it may not be listed
    called = folders_called(layout, root)
    # deep-person-reid's documentation nests: market1501/Market-1501-v15.09.15.
    nested = [inner for folder in called for inner in folders_called(layout, folder)]
    for folder in (*called, *nested, root):
        if layout.fits(folder):
            return folder
    if called or layout.begun_in(root):
        error = incomplete(layout, called[0] if called else root)
    else:
        error = InputError(
            f"no {layout.title} under {root}: looked for {', '.join(layout.folders)} (found "
            f"{found})",
            f"{layout.advice}; where the dataset lies elsewhere, name its own folder by "
            "--data-root",
        )
    raise InputError(error.what, instead(*called, root) or error.fix)


def incomplete(layout: Layout, folder: Path) -> InputError:
    """The error that says what ``folder`` lacks of the layout, and what is there instead."""
    lacks = ", ".join(_lack(folder, part) for part in layout.missing(folder))
    try:
        found = contents(folder)
    except InputError as error:
        return error
    return InputError(
        f"{folder} is not a whole {layout.title}: it lacks {lacks} (found {found})",
        f"if it was half copied, copy it again; {layout.advice}; the tree that is expected: mfa "
        f"data doctor {layout.name} --data-root {quoted(folder)}",
    )


def dataset_in(place: Path) -> Layout | None:
    """The dataset whose layout ``place`` has and whose names its pictures bear, if there is one.

    Where several could be meant, the one that reads most; of equals the one whose layout asks for
    most, as the synthetic set's does beside Market-1501's; then the one the folder is named after.
    """

    def rank(layout: Layout) -> tuple[int, int, bool]:
        size = reads_in(layout, place)
        return size, min(map(len, layout.needs)) if size else 0, layout.is_called(place)

    best = max(LAYOUTS.values(), key=rank)
    return best if rank(best)[0] else None


def datasets_in(folder: Path) -> dict[Path, Layout]:
    """The dataset that ``folder`` is, or those that lie directly in it."""
    places = {folder: dataset_in(folder)}
    if places[folder] is None:
        places |= {inner: dataset_in(inner) for inner in subfolders(folder)}
    return {place: layout for place, layout in places.items() if layout is not None}


def meant_by(folder: Path) -> Layout | None:
    """The dataset that a folder, which is none, was meant to be: by its name, or by its table."""
    called = next((layout for layout in LAYOUTS.values() if layout.is_called(folder)), None)
    return called or (custom.LAYOUT if custom.LAYOUT.fits(folder) else None)


def instead(*places: Path) -> str:
    """What to do where one of the places holds another dataset; empty where none does."""
    for place in places:
        other = dataset_in(place)
        if other is not None:
            return f"{place} is laid out like {other.title}: read it as {other.name}"
    return ""


def reads_in(layout: Layout, place: Path) -> int:
    """Pictures that ``layout`` reads in ``place``; 0 where it refuses or most names are strange."""
    if not layout.fits(place):
        return 0
    try:
        listing = layout.read(place)
    except InputError:
        return 0
    size = sum(map(len, listing.splits().values()))
    strange = sum(item.reason in (Reason.NAME, Reason.FOLDER) for item in listing.left_out)
    return 0 if empty_lists(layout, listing) or strange > size else size


def empty_lists(layout: Layout, listing: Listing) -> tuple[str, ...]:
    """The lists that hold no picture and may not be empty.

    A dataset that asks for no list must hold one to train on or both sides of a search.
    """
    lists = listing.splits()
    search = ("query", "gallery") if lists["query"] or lists["gallery"] else ()
    wanted = layout.splits or search or ("train",)
    return tuple(split for split in wanted if not lists[split])


def folders_called(layout: Layout, root: Path) -> list[Path]:
    """Folders directly below ``root`` with a usual name of the dataset, best name first."""
    ranks = {folder: layout.rank_of(folder.name) for folder in subfolders(root)}
    return [f for _, f in sorted((rank, f) for f, rank in ranks.items() if rank is not None)]


def contents(folder: Path, most: int = 6) -> str:
    """The names in ``folder``, shortened, for a sentence."""
    names = [f"{path.name}/" if is_folder(path) else path.name for path in children(folder)]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "nothing") + more


def _lack(folder: Path, part: str) -> str:
    """A part that is not there, with what stands in its place."""
    path = folder / part
    kinds = {is_folder: "a folder", is_file: "a file", Path.is_symlink: "a broken link"}
    there = next((words for is_one, words in kinds.items() if is_one(path)), "")
    return f"{part} (there is {there} of that name)" if there else part
