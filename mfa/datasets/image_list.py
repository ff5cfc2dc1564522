"""One record per picture, resolved once: its file, its list position, its row in the features.

Two numbers name a picture. A ``ListPosition`` counts the dataset's list, a ``FeatureRow`` counts
the features that could be computed; behind the first unreadable picture they differ. Code that
holds either number asks an ``ImageList`` for the ``ListedImage`` and passes that record on:
retrieval has rows, an app's state has positions, a card keeps its record.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from mfa.datasets.loading.decode import decode, file_version
from mfa.errors import InputError
from mfa.records import FeatureRow, FeatureSet, ListPosition, ReidDataset, Sample, Split


@dataclass(frozen=True, slots=True)
class ListedImage:
    """One picture of a list.

    Attributes:
        sample: its file, identity and camera.
        split: the list it stands in.
        position: its place in that list.
        row: its row in the features; ``None`` where it has none, because it cannot be read or
            because no features were given.
    """

    sample: Sample
    split: Split
    position: ListPosition
    row: FeatureRow | None

    @property
    def path(self) -> Path:
        """See ``Sample``."""
        return self.sample.path

    @property
    def pid(self) -> int:
        """See ``Sample``."""
        return self.sample.pid

    @property
    def camid(self) -> int:
        """See ``Sample``."""
        return self.sample.camid

    @property
    def name(self) -> str:
        """File name."""
        return self.sample.path.name

    def pixels(self, height: int, width: int) -> np.ndarray:
        """The picture at a size, (height, width, 3) uint8, read-only, kept for the next call.

        At the network's size these are the network's pixels.
        """
        return _pixels(self.path, height, width, file_version(self.path))


class ImageList:
    """The pictures of one list, found by position or by feature row.

    Args:
        samples: the whole list.
        split: its name.
        features: descriptors of its pictures, or of some of them, if there are any.
        where: name and folder of the dataset, for messages.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        split: Split,
        features: FeatureSet | None = None,
        where: str = "the dataset",
    ) -> None:
        self.split = split
        self._samples = samples
        self._where = where
        self._positions = [] if features is None else _match(samples, features, split, where)
        self._rows = {position: row for row, position in enumerate(self._positions)}

    @classmethod
    def of(cls, data: ReidDataset, split: Split, features: FeatureSet | None = None) -> ImageList:
        """The pictures of a list of ``data``; raises as the class does."""
        return cls(getattr(data, split), split, features, f"{data.name} at {data.root}")

    def __len__(self) -> int:
        return len(self._samples)

    def __iter__(self) -> Iterator[ListedImage]:
        """All pictures, in the order of the list."""
        return (self.at(ListPosition(position)) for position in range(len(self)))

    def at(self, position: ListPosition) -> ListedImage:
        """The picture at a position of the list."""
        what = f"the {self.split} list of {self._where} has no picture"
        _refuse_outside(position, len(self), what)
        row = self._rows.get(position)
        sample = self._samples[position]
        return ListedImage(sample, self.split, position, None if row is None else FeatureRow(row))

    def at_row(self, row: FeatureRow) -> ListedImage:
        """The picture whose descriptor is in a row of the features."""
        what = f"the features of the {self.split} list have no row"
        _refuse_outside(row, len(self._positions), what)
        return self.at(ListPosition(self._positions[row]))

    def with_rows(self) -> Iterator[ListedImage]:
        """The pictures that have a descriptor, in the order of the features."""
        return (self.at_row(FeatureRow(row)) for row in range(len(self._positions)))


def _refuse_outside(number: int, count: int, what: str) -> None:
    if not 0 <= number < count:
        raise InputError(f"{what} {number}", f"name one of 0 to {count - 1}")


def _match(samples: Sequence[Sample], features: FeatureSet, split: Split, where: str) -> list[int]:
    """The position of each row: the recorded one, else the next free one of that name."""
    names = [str(name) for name in features.names]
    if features.positions is not None:
        found = features.positions.tolist()
    else:
        found = _by_name(samples, names, features.pids.tolist())
    for row, (name, position) in enumerate(zip(names, found, strict=True)):
        if not _is_named(samples, position, name):
            raise InputError(
                f"row {row} of the {split} features is {name!r}, which the {split} list of {where} "
                "does not hold there",
                "give the dataset that the features were made on",
            )
    return found


def _by_name(samples: Sequence[Sample], names: Sequence[str], pids: Sequence[int]) -> list[int]:
    """Positions by name and identity, in the list's order; -1 where no picture is left."""
    free: dict[tuple[str, int], list[int]] = {}
    for position, sample in enumerate(samples):
        free.setdefault((sample.path.name, sample.pid), []).append(position)
    found = []
    for name, pid in zip(names, pids, strict=True):
        same = free.get((name.rsplit("/", 1)[-1], pid), [])
        found.append(next((p for p in same if _is_named(samples, p, name)), -1))
        if found[-1] >= 0:
            same.remove(found[-1])
    return found


def _is_named(samples: Sequence[Sample], position: int, name: str) -> bool:
    return 0 <= position < len(samples) and samples[position].path.as_posix().endswith(name)


@lru_cache(maxsize=512)
def _pixels(path: Path, height: int, width: int, version: tuple[int, int]) -> np.ndarray:
    """``decode`` with the channels last; ``version`` makes a changed file another key."""
    pixels = decode(path, height, width).transpose(1, 2, 0)
    pixels.flags.writeable = False
    return pixels
