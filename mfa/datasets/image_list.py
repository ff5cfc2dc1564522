"""One record per picture, resolved once: its file, its list position, its row in the features.

Two numbers name a picture. A ``ListPosition`` counts the dataset's list, a ``FeatureRow`` counts
the features that could be computed; behind the first unreadable picture they differ. Code that
holds either number asks an ``ImageList`` for the ``ListedImage`` and passes that record on.

- Retrieval: the tables of a result count in rows. Whoever needs a file calls
  ``images.at_row(FeatureRow(row))`` and never indexes ``data.query`` or ``data.gallery`` by row.
- Grids: a card keeps its ``ListedImage``; path, identity, camera and name are read from it.
- Apps: a session makes one ``ImageList`` per side and set of features and keeps it. States hold
  positions. A click finds the record of its card, which already knows both numbers, and takes the
  pixels from it: ``image.pixels(height, width)`` at the network's size or at the size shown.
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
        """The file."""
        return self.sample.path

    @property
    def pid(self) -> int:
        """Identity, see ``Sample``."""
        return self.sample.pid

    @property
    def camid(self) -> int:
        """Camera, see ``Sample``."""
        return self.sample.camid

    @property
    def name(self) -> str:
        """File name."""
        return self.sample.path.name

    def pixels(self, height: int, width: int) -> np.ndarray:
        """The picture at a size, (height, width, 3) uint8, read-only, kept for the next call.

        At the network's size these are the network's pixels.

        Raises:
            InputError: the file cannot be read.
        """
        return _pixels(self.path, height, width, file_version(self.path))


class ImageList:
    """The pictures of one list, found by position or by feature row.

    Args:
        samples: the whole list.
        split: its name.
        features: descriptors of its pictures, or of some of them; ``None`` where there are none.
        where: name and folder of the dataset, for messages.

    Raises:
        InputError: a row of the features is no picture of the list.
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
        """The picture at a position of the list.

        Raises:
            InputError: no such position.
        """
        if not 0 <= position < len(self):
            raise InputError(
                f"the {self.split} list of {self._where} has no picture {position}",
                f"name one of 0 to {len(self) - 1}",
            )
        row = self._rows.get(position)
        sample = self._samples[position]
        return ListedImage(sample, self.split, position, None if row is None else FeatureRow(row))

    def at_row(self, row: FeatureRow) -> ListedImage:
        """The picture whose descriptor is in a row of the features.

        Raises:
            InputError: no such row.
        """
        if not 0 <= row < len(self._positions):
            raise InputError(
                f"the features of the {self.split} list have no row {row}",
                f"name one of 0 to {len(self._positions) - 1}",
            )
        return self.at(ListPosition(self._positions[row]))

    def with_rows(self) -> Iterator[ListedImage]:
        """The pictures that have a descriptor, in the order of the features."""
        return (self.at_row(FeatureRow(row)) for row in range(len(self._positions)))


def _match(samples: Sequence[Sample], features: FeatureSet, split: Split, where: str) -> list[int]:
    """The position of each row: the recorded one, else the next free one of that name."""
    names = [str(name) for name in features.names]
    if features.positions is not None:
        found: list[int | None] = [int(position) for position in features.positions]
    else:
        found = list(_by_name(samples, names, features.pids.tolist()))
    for row, (name, position) in enumerate(zip(names, found, strict=True)):
        if position is None or not _is_named(samples, position, name):
            raise InputError(
                f"row {row} of the {split} features is {name!r}, which the {split} list of {where} "
                "does not hold there",
                "give the dataset that the features were made on",
            )
    return [position for position in found if position is not None]


def _by_name(
    samples: Sequence[Sample], names: Sequence[str], pids: Sequence[int]
) -> Iterator[int | None]:
    """Positions by name and identity; pictures that share both are taken in the list's order."""
    free: dict[tuple[str, int], list[int]] = {}
    for position in reversed(range(len(samples))):
        sample = samples[position]
        free.setdefault((sample.path.name, sample.pid), []).append(position)
    for name, pid in zip(names, pids, strict=True):
        same = free.get((name.rsplit("/", 1)[-1], pid), [])
        fits = next((p for p in reversed(same) if _is_named(samples, p, name)), None)
        if fits is not None:
            same.remove(fits)
        yield fits


def _is_named(samples: Sequence[Sample], position: int, name: str) -> bool:
    return 0 <= position < len(samples) and samples[position].path.as_posix().endswith(name)


@lru_cache(maxsize=512)
def _pixels(path: Path, height: int, width: int, version: tuple[int, int]) -> np.ndarray:
    """``decode`` with the channels last; ``version`` makes a changed file another key."""
    pixels = decode(path, height, width).transpose(1, 2, 0)
    pixels.flags.writeable = False
    return pixels
