"""From a dataset's name to its samples: find the folder, read it, refuse what is not whole."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from mfa.datasets.readers import custom
from mfa.datasets.readers.counts import Summary, summarise_all
from mfa.datasets.readers.find import empty_lists, find_folder, get_layout, instead
from mfa.datasets.readers.fingerprint import fingerprint, hashed
from mfa.datasets.readers.layout import Layout
from mfa.datasets.readers.listing import Listing, expanded, quoted
from mfa.errors import InputError
from mfa.files import found_above
from mfa.records import ReidDataset


def data_root(explicit: Path | None = None) -> Path:
    """Where datasets lie: ``explicit``, else the variable MFA_DATA, else ``data``.

    A relative folder is found from ``notebooks/`` as well, see ``mfa.files.found_above``.
    """
    return found_above(expanded(explicit or os.environ.get("MFA_DATA") or "data"))


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
    place = find_folder(layout, data_root(root))
    listing = layout.read(place)
    summaries = summarise_all(layout, listing)
    refuse_if_not_whole(layout, place, listing, summaries)
    differing = (s.sentence() for s in summaries if s.as_published is False)
    return ReidDataset(
        name=name,
        root=place,
        **listing.splits(),
        fingerprint=fingerprint(hashed(listing.splits()), place),
        notes=(*listing.sentences(), *differing),
    )


def refuse_if_not_whole(
    layout: Layout, place: Path, listing: Listing, summaries: Iterable[Summary]
) -> None:
    """Raise where a list that must hold pictures holds none, or far fewer than published."""
    for split in empty_lists(layout, listing):
        most = max(listing.reasons(), key=len, default=[])
        why = f": left out {len(most):,}: {most[0].why} (first: {most[0].path})" if most else ""
        fix = instead(place) or (
            f"{layout.advice}; pictures with names of your own are read as the dataset folder: mfa "
            "data folder --help"
        )
        if layout is custom.LAYOUT:
            fix = (
                f"mend the rows of {custom.TABLE}, or remove it and make it again: mfa data folder "
                f"{quoted(place)} --pattern ... --preview"
            )
        raise InputError(f"{place} holds no {split} pictures of {layout.title}{why}", fix)
    for summary in summaries:
        if summary.half_copied and summary.published is not None:
            raise InputError(
                f"{place} is not a whole {layout.title}: its {summary.split} list has "
                f"{summary.images:,} of the published {summary.published.images:,} pictures",
                f"if it was half copied, copy it again; {layout.advice}; to use a part on purpose, "
                "read it as the dataset folder",
            )
