"""How many pictures, people and cameras a list holds, beside the published numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mfa.datasets.readers.counts import Count, published
from mfa.datasets.readers.layout import Layout
from mfa.datasets.readers.listing import Listing
from mfa.records import DISTRACTOR, JUNK, NO_CAMERA, Sample


@dataclass(frozen=True)
class Summary:
    """The size of one list.

    Attributes:
        split: train, query or gallery.
        images: all pictures, junk and distractors included, as published counts have it.
        identities: people; junk and distractors are none.
        cameras: cameras that took them; 0 where none is known.
        junk, distractors: pictures marked so.
        published: the published numbers; ``None`` where there are none.
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
        if self.published is None:
            return None
        found = (self.identities, self.images)
        wanted = (self.published.identities, self.published.images)
        cameras = self.published.cameras
        return all(w is None or f == w for f, w in zip(found, wanted, strict=True)) and (
            cameras is None or 1 <= self.cameras <= cameras
        )

    def line(self) -> str:
        """One line for people."""
        extra = ""
        if self.junk or self.distractors:
            extra = f", {self.junk:,} of them junk and {self.distractors:,} distractors"
        cameras = ", no camera is known"
        if self.cameras:
            cameras = f" from {counted(self.cameras, 'camera')}"
        pictures = f"{self.images:>7,} picture{'' if self.images == 1 else 's'}"
        people = counted(self.identities, "person")
        return f"{self.split:8}{pictures} of {people}{cameras}{extra}{self._verdict()}"

    def _verdict(self) -> str:
        count = self.published
        if count is None:
            return ""
        doubt = "" if count.checked else ", a number nobody has verified"
        if self.as_published:
            return f" (as published{doubt})"
        told = {"pictures": count.images, "people": count.identities, "cameras": count.cameras}
        numbers = ", ".join(f"{value:,} {what}" for what, value in told.items() if value)
        return f" (published: {numbers}{doubt})"


def counted(number: int, what: str) -> str:
    """A number with its noun: 1 person, 2 people, 1 query, 1,200 queries."""
    special = {"person": "people", "query": "queries"}
    return f"{number:,} {what if number == 1 else special.get(what, f'{what}s')}"


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
