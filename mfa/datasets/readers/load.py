"""From a dataset's name to its samples: find the folder, read it, refuse what is not whole."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from mfa.datasets.readers import (
    cuhk03,
    custom,
    dukemtmc,
    market1501,
    msmt17,
    occluded_reid,
    partial_ilids,
    partial_reid,
)
from mfa.datasets.readers.counts import Summary, summarise_all
from mfa.datasets.readers.fingerprint import fingerprint
from mfa.datasets.readers.layout import Layout, find_folder, folders_called
from mfa.datasets.readers.listing import Listing, Reason, expanded, quoted
from mfa.errors import InputError
from mfa.files import found_above
from mfa.records import ReidDataset

LAYOUTS: Mapping[str, Layout] = {
    layout.name: layout
    for layout in (
        market1501.LAYOUT,
        dukemtmc.LAYOUT,
        cuhk03.PLAIN,
        cuhk03.LABELED,
        cuhk03.DETECTED,
        msmt17.LAYOUT,
        market1501.SYNTHETIC,
        partial_reid.LAYOUT,
        partial_reid.OCCLUDED,
        partial_reid.SYNTHETIC,
        partial_reid.SYNTHETIC_OCCLUDED,
        occluded_reid.LAYOUT,
        partial_ilids.LAYOUT,
        custom.LAYOUT,
    )
}
"""Every dataset by the name users type; ``named`` knows the splits of classic CUHK03 as well."""


def data_root(explicit: Path | None = None) -> Path:
    """Where datasets lie: ``explicit``, else the variable MFA_DATA, else ``data``.

    A relative folder is found from ``notebooks/`` as well, see ``mfa.files.found_above``.
    """
    return found_above(expanded(explicit or os.environ.get("MFA_DATA") or "data"))


def named(name: str) -> Layout | None:
    """The layout called ``name``, if there is one.

    The splits of classic CUHK03 are only ever asked for by name: they are further ways to read the
    pictures of CUHK03, not further datasets on the disk.
    """
    return LAYOUTS.get(name) or cuhk03.classic_layout(name)


def get_layout(name: str) -> Layout:
    """The layout called ``name``.

    Raises:
        InputError: no such dataset.
    """
    layout = named(name)
    if layout is None:
        raise InputError(
            f"no dataset {name!r}",
            f"name one of {', '.join(LAYOUTS)}, or a split of classic CUHK03, cuhk03_classic_1 to "
            f"cuhk03_classic_{cuhk03.CLASSIC_SPLITS}",
        )
    return layout


def load_dataset(name: str, root: Path | None = None) -> ReidDataset:
    """List a dataset's pictures with their labels.

    Only names are read here, and bytes for the fingerprint; pictures that do not decode are found
    by ``mfa.datasets.loading`` and by ``mfa data doctor``.

    Args:
        name: as ``get_layout`` takes it.
        root: the folder datasets lie in, or the dataset's own; see ``data_root``.

    Raises:
        InputError: no such name; the folder is missing, incomplete, half copied or holds another
            dataset. The message says which, and what to do.
    """
    layout = get_layout(name)
    place = place_of(layout, data_root(root))
    listing = layout.read(place)
    summaries = summarise_all(layout, listing)
    refuse_if_not_whole(layout, place, listing, summaries)
    differing = (s.sentence() for s in summaries if s.as_published is False)
    return ReidDataset(
        name=name,
        root=place,
        train=listing.train,
        query=listing.query,
        gallery=listing.gallery,
        fingerprint=fingerprint(listing.splits(), place),
        notes=(*listing.sentences(), *differing),
    )


def place_of(layout: Layout, root: Path) -> Path:
    """The dataset's folder, as ``find_folder``; a refusal names the dataset found instead.

    Raises:
        InputError: it is not there.
    """
    try:
        return find_folder(layout, root)
    except InputError as error:
        for place in (*folders_called(root, layout.folders), root):
            other = dataset_in(place)
            if other is not None:
                raise InputError(error.what, _read_as(place, other)) from error
        raise


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


def refuse_if_not_whole(
    layout: Layout, place: Path, listing: Listing, summaries: Iterable[Summary]
) -> None:
    """Raise where a list that must hold pictures holds none, or far fewer than published.

    Raises:
        InputError: names the folder, what was expected and what is there instead.
    """
    empty = empty_lists(layout, listing)
    if empty:
        what = f"{place} holds no {empty[0]} pictures of {layout.title}{_instead(listing)}"
        other = dataset_in(place)
        if layout is custom.LAYOUT:
            fix = (
                f"mend the rows of {custom.TABLE}, or remove it and make it again: mfa data folder "
                f"{quoted(place)} --pattern ... --preview"
            )
        elif other is not None:
            fix = _read_as(place, other)
        else:
            fix = (
                f"{layout.advice}; pictures with names of your own are read as the dataset folder: "
                "mfa data folder --help"
            )
        raise InputError(what, fix)
    for summary in summaries:
        if summary.half_copied and summary.published is not None:
            raise InputError(
                f"{place} is not a whole {layout.title}: its {summary.split} list has "
                f"{summary.images:,} of the published {summary.published.images:,} pictures",
                f"if it was half copied, copy it again; {layout.advice}; to use a part on purpose, "
                "read it as the dataset folder",
            )


def _instead(listing: Listing) -> str:
    """What stands in the way of an empty list: why most were left out, with the first of them."""
    groups = [group for _, group in listing.reasons()]
    if not groups:
        return ""
    most = max(groups, key=len)
    return f": left out {len(most):,}: {most[0].why} (first: {most[0].path})"


def _read_as(place: Path, other: Layout) -> str:
    return f"{place} is laid out like {other.title}: read it as {other.name}"
