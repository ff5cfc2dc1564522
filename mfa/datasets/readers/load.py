"""From a dataset's name to its samples: find the folder, read it, refuse what is not whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from mfa.datasets.readers import (
    cuhk03,
    cuhk03_classic,
    custom,
    dukemtmc,
    market1501,
    msmt17,
    occluded_reid,
    partial_ilids,
    partial_reid,
)
from mfa.datasets.readers.counts import Count, published
from mfa.datasets.readers.fingerprint import fingerprint
from mfa.datasets.readers.layout import Layout, children_called, find_folder
from mfa.datasets.readers.listing import Listing
from mfa.datasets.readers.places import expanded
from mfa.errors import InputError
from mfa.records import DISTRACTOR, JUNK, ReidDataset

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

_ENOUGH = {"train": 0.95, "query": 0.95, "gallery": 0.6}
"""Share of the published pictures below which a list counts as half copied. Galleries are passed
on without junk, which changes no score, or without distractors, which does, at times; together they
are up to 40 % of one."""


def data_root(explicit: Path | None = None) -> Path:
    """Where datasets lie: ``explicit``, else the variable MFA_DATA, else ``data``."""
    return expanded(explicit or os.environ.get("MFA_DATA") or "data")


def named(name: str) -> Layout | None:
    """The layout called ``name``, if there is one.

    The splits of classic CUHK03 are only ever asked for by name: they are further ways to read the
    pictures of CUHK03, not further datasets on the disk.
    """
    return LAYOUTS.get(name) or cuhk03_classic.layout(name)


def get_layout(name: str) -> Layout:
    """The layout called ``name``.

    Raises:
        InputError: no such dataset.
    """
    layout = named(name)
    if layout is None:
        raise InputError(
            f"no dataset {name!r}; there are {', '.join(LAYOUTS)}, and the splits of classic "
            f"CUHK03, cuhk03_classic_1 to cuhk03_classic_{cuhk03_classic.SPLITS}"
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
    refuse_empty(layout, place, listing)
    notes = listing.sentences() + against_published(layout, place, listing)
    return ReidDataset(
        name=name,
        root=place,
        train=listing.train,
        query=listing.query,
        gallery=listing.gallery,
        fingerprint=fingerprint(listing.splits(), place),
        notes=notes,
    )


def place_of(layout: Layout, root: Path) -> Path:
    """The dataset's folder, as ``find_folder``; a refusal names the dataset found instead.

    Raises:
        InputError: it is not there.
    """
    try:
        return find_folder(layout, root)
    except InputError as error:
        found = instead(layout, root)
        if found is None:
            raise
        what = str(error).partition("; ")[0]
        folder, other = found
        raise InputError(
            f"{what}; {folder} is laid out like {other.title}: read it as {other.name}"
        ) from error


def instead(layout: Layout, root: Path) -> tuple[Path, Layout] | None:
    """A folder by a usual name of ``layout`` that holds another dataset, and that dataset."""
    for place in children_called(root, layout.folders):
        other = dataset_in(place)
        if other is not None:
            return place, other
    return None


def dataset_in(place: Path) -> Layout | None:
    """The dataset whose layout ``place`` has and whose names its pictures bear, if there is one.

    Where several could be meant, the one that reads most, then the one the folder is named after.
    """
    name = place.absolute().name.lower()
    sizes = {layout.name: _size_as(layout, place) for layout in LAYOUTS.values()}
    ranked = [(size, name in map(str.lower, LAYOUTS[key].folders)) for key, size in sizes.items()]
    best = max(ranked)
    return list(LAYOUTS.values())[ranked.index(best)] if best[0] else None


def _size_as(layout: Layout, place: Path) -> int:
    """Pictures that ``layout`` reads in ``place``; 0 where it refuses."""
    if not layout.fits(place):
        return 0
    try:
        listing = layout.read(place)
    except InputError:
        return 0
    return 0 if empty_lists(layout, listing) else sum(map(len, listing.splits().values()))


def empty_lists(layout: Layout, listing: Listing) -> tuple[str, ...]:
    """The lists that hold no picture and may not be empty.

    A dataset that asks for no list must hold one to train on or both sides of a search.
    """
    lists = listing.splits()
    search = ("query", "gallery") if lists["query"] or lists["gallery"] else ()
    wanted = layout.splits or search or ("train",)
    return tuple(split for split in wanted if not lists[split])


def refuse_empty(layout: Layout, place: Path, listing: Listing) -> None:
    """Raise where a list that must hold pictures holds none.

    Raises:
        InputError: names the folder, what was expected, an example of what is there instead, and
            the dataset it looks like.
    """
    empty = empty_lists(layout, listing)
    if empty:
        why = _strangers(layout, place, listing) or _absentees(listing)
        why = why or f"; {_to_fill(layout, place, listing)}"
        raise InputError(f"{place} holds no {empty[0]} pictures of {layout.title}{why}")


def _strangers(layout: Layout, place: Path, listing: Listing) -> str:
    """The rest of the sentence where pictures are there by other names."""
    paths = [path for path, why in listing.left_out if why.startswith("the name")]
    if not paths:
        return ""
    other = dataset_in(place) or recognise([path.name for path in paths[:50]], besides=layout)
    if other is None:
        hint = "to read names of your own use the dataset folder (mfa data folder --help)"
    elif other.fits(place):
        hint = f"they look like {other.title}: read it as {other.name}"
    else:
        hint = f"they look like {other.title}, which wants them in {', '.join(other.needs[0])}"
    return (
        f": names in {paths[0].parent.name} should be like {layout.example}, the first is "
        f"{paths[0].name}; {hint}"
    )


def _absentees(listing: Listing) -> str:
    """The rest of the sentence where a list file names pictures that are not there."""
    paths = [path for path, why in listing.left_out if why.endswith("it is not there")]
    if not paths:
        return ""
    return (
        f": {len(paths):,} of those listed are not there, the first is {paths[0]}; bring together "
        "list and pictures of the same version, in the same folders"
    )


def _to_fill(layout: Layout, place: Path, listing: Listing) -> str:
    """What to do where nothing is there."""
    other = dataset_in(place)
    if other is not None:
        return f"it is laid out like {other.title}: read it as {other.name}"
    inner = [path for path, why in listing.left_out if why.startswith("a folder")]
    if inner:
        return (
            f"{inner[0]} is a folder: pictures in a folder per person are read as the dataset "
            "folder (mfa data folder --help)"
        )
    if layout.splits:
        return f"if it was half copied, copy it again; {layout.advice}"
    return f"list pictures to train on, or queries and a gallery, or both; {layout.advice}"


def recognise(names: list[str], besides: Layout | None = None) -> Layout | None:
    """The dataset to which most of the file ``names`` belong, if any holds over half of them."""
    best, most = None, len(names) / 2
    for layout in (f for f in LAYOUTS.values() if f.telling):
        fitting = sum(layout.parse(name) is not None for name in names)
        if fitting > most and (besides is None or layout.parse is not besides.parse):
            best, most = layout, fitting
    return best


def against_published(layout: Layout, place: Path, listing: Listing) -> tuple[str, ...]:
    """Compare with the published counts.

    Returns:
        A sentence for each list that differs.

    Raises:
        InputError: a list has so few of the published pictures that the folder was half copied.
    """
    notes = []
    for split, count in published(layout.counts, listing.setting).items():
        images, identities = size(listing, split)
        if count.images is None or images == count.images:
            continue
        if count.checked and images < _ENOUGH[split] * count.images:
            raise InputError(
                f"{place} is not a whole {layout.title}: its {split} list has {images:,} of the "
                f"published {count.images:,} pictures; if it was half copied, copy it again; "
                f"{layout.advice}; to use a part on purpose, read it as the dataset folder"
            )
        notes.append(_differs(split, images, identities, count))
    return tuple(notes)


def size(listing: Listing, split: str) -> tuple[int, int]:
    """Pictures and identities of one list; junk and distractors are no identities."""
    samples = listing.splits()[split]
    return len(samples), len({s.pid for s in samples} - {JUNK, DISTRACTOR})


def _differs(split: str, images: int, identities: int, count: Count) -> str:
    doubt = "" if count.checked else " (a number from memory, unverified)"
    return (
        f"{split}: {images:,} pictures of {identities:,} identities, published "
        f"{count.images:,} of {count.identities:,}{doubt}"
    )
