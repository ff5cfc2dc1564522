"""How many pictures, identities and cameras a list holds, beside the published numbers.

The published numbers stand in a table beside the code, each with its source.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass

from mfa.datasets.readers.layout import Layout
from mfa.datasets.readers.listing import Listing, counted
from mfa.files import shipped
from mfa.records import DISTRACTOR, JUNK, NO_CAMERA, Sample

TABLE = shipped("data/published/datasets.csv")

_ENOUGH = {"train": 0.95, "query": 0.95, "gallery": 0.6}
"""Share of the published pictures below which a list counts as half copied. Galleries are at
times passed on without junk, which changes no score, or without distractors, which does. Together
the two make up to 40 % of a gallery."""


@dataclass(frozen=True)
class Count:
    """Published numbers of one list, ``None`` where not stated.

    Attributes:
        identities, images, cameras: junk and distractors count as images, not as identities.
        source: where the numbers come from.
        checked: whether somebody read the source or counted; else the row is from memory and no
            dataset is refused because of it.
    """

    identities: int | None
    images: int | None
    cameras: int | None
    source: str
    checked: bool


@dataclass(frozen=True)
class Summary:
    """The size of one list.

    Attributes:
        split: train, query or gallery.
        images: all pictures, junk and distractors included, as published counts have it.
        identities: people; junk and distractors are none.
        cameras: cameras that took them; 0 where none is known.
        junk, distractors: pictures marked so.
        published: the published numbers, if there are any.
    """

    split: str
    images: int
    identities: int
    cameras: int
    junk: int
    distractors: int
    published: Count | None = None

    @property
    def as_published(self) -> bool | None:
        """Whether every published number is met; ``None`` where there is none to compare.

        Published cameras are the dataset's: one list may show fewer, as each of Partial-iLIDS's
        two shows one.
        """
        count = self.published
        if count is None:
            return None
        return (
            count.identities in (None, self.identities)
            and count.images in (None, self.images)
            and (count.cameras is None or 1 <= self.cameras <= count.cameras)
        )

    @property
    def half_copied(self) -> bool:
        """Whether so many of the published pictures are missing that the list is not whole."""
        count = self.published
        if count is None or count.images is None or not count.checked:
            return False
        return self.images < _ENOUGH[self.split] * count.images

    def line(self) -> str:
        """One line for people."""
        extra = ""
        if self.junk or self.distractors:
            extra = f", {self.junk:,} of them junk and {self.distractors:,} distractors"
        cameras = ", no camera is known"
        if self.cameras:
            cameras = f" from {counted(self.cameras, 'camera')}"
        images = f"{self.images:>7,} picture{'' if self.images == 1 else 's'}"
        people = counted(self.identities, "person")
        return f"{self.split:8}{images} of {people}{cameras}{extra}{self._verdict()}"

    def sentence(self) -> str:
        """The line without the spaces that align it."""
        return " ".join(self.line().split())

    def _verdict(self) -> str:
        count = self.published
        if count is None:
            return ""
        doubt = "" if count.checked else ", a number nobody has verified"
        if self.as_published:
            return f" (as published{doubt})"
        published = {"pictures": count.images, "people": count.identities, "cameras": count.cameras}
        numbers = ", ".join(f"{value:,} {what}" for what, value in published.items() if value)
        return f" (published: {numbers}{doubt})"


def summarise(split: str, samples: Sequence[Sample], count: Count | None = None) -> Summary:
    """Count one list."""
    pids = [sample.pid for sample in samples]
    return Summary(
        split=split,
        images=len(samples),
        identities=len(set(pids) - {JUNK, DISTRACTOR}),
        cameras=len({sample.camid for sample in samples} - {NO_CAMERA}),
        junk=pids.count(JUNK),
        distractors=pids.count(DISTRACTOR),
        published=count,
    )


def summarise_all(layout: Layout, listing: Listing) -> tuple[Summary, ...]:
    """Count the lists a dataset has."""
    counts = published(layout.counts, listing.setting)
    return tuple(
        summarise(split, samples, counts.get(split))
        for split, samples in listing.splits().items()
        if samples or split in layout.splits
    )


def published(name: str, setting: str = "") -> dict[str, Count]:
    """Counts of a dataset by split; rows without a setting serve every setting."""
    if not name or not TABLE.is_file():
        return {}
    with TABLE.open(encoding="utf-8", newline="") as stream:
        return {
            row["split"]: Count(
                _number(row["identities"]),
                _number(row["images"]),
                _number(row["cameras"]),
                row["source"],
                checked=row["confidence"] == "read",
            )
            for row in csv.DictReader(stream)
            if row["dataset"] == name and row["setting"] in ("", setting)
        }


def _number(text: str) -> int | None:
    return int(text) if text else None
