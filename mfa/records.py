"""The values that travel between the parts of the package: named, frozen, checked where made.

Nothing here computes. Everything else in ``mfa`` may import this module, and this module imports
nothing of ``mfa`` but the error class.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NewType

import numpy as np

from mfa.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

JUNK = -1
"""pid of gallery pictures that are never counted (Market-1501's ``-1``)."""

DISTRACTOR = 0
"""pid of gallery pictures of nobody in the query list (Market-1501's ``0000``)."""

NO_CAMERA = -1
"""camid where the camera is unknown."""


Split = Literal["train", "query", "gallery"]
"""One of the three lists of a dataset."""

ListPosition = NewType("ListPosition", int)
"""Where a picture stands in a list of its dataset, from 0: ``data.query[position]``.

It names the same picture whatever was computed, so states, addresses and saved files hold it.
"""

FeatureRow = NewType("FeatureRow", int)
"""Where a picture stands in a ``FeatureSet``, from 0: ``features.query.pids[row]``.

The tables of a retrieval result count in rows: ``per_query["query"]``, ``ranking["gallery"]``. An
unreadable picture has a position but no row, so the two numbers differ behind it. Only
``mfa.datasets.image_list.ImageList`` turns one into the other.
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture of a dataset.

    Attributes:
        path: where the picture lies.
        pid: identity of the person as the dataset names it; ``JUNK`` or ``DISTRACTOR`` for others.
        camid: camera as the dataset names it; ``NO_CAMERA`` where unknown.
    """

    path: Path
    pid: int
    camid: int = NO_CAMERA


@dataclass(frozen=True)
class ReidDataset:
    """Three lists of samples, in a stable order, and what identifies them.

    Attributes:
        name: the reader's name, e.g. ``market1501``.
        root: the folder that was read.
        train, query, gallery: the samples; ``gallery`` holds junk and distractors too.
        fingerprint: hash of the names and contents of every listed picture; equal for equal data
            whatever the order, place or time stamps of the files.
        notes: one sentence for each thing the reader left out or found odd.
    """

    name: str
    root: Path
    train: tuple[Sample, ...]
    query: tuple[Sample, ...]
    gallery: tuple[Sample, ...]
    fingerprint: str
    notes: tuple[str, ...] = ()

    @property
    def train_pids(self) -> tuple[int, ...]:
        """Identities of the training list, sorted; their positions are the class labels."""
        return tuple(sorted({sample.pid for sample in self.train}))


@dataclass(frozen=True)
class Branch:
    """What one branch of a network made of a batch; the same fields in train and eval.

    Attributes:
        map: feature map the branch pools, (B, C, h, w).
        pooled: pooled vector before BNNeck, (B, C).
        embedding: after BNNeck, (B, C); the descriptor is these, concatenated and L2-normalised.
        logits: classifier output, (B, identities); ``None`` for a network built without classes.
        guide: pooled vector of the branch's stripe of the trunk map, (B, C); ``None`` where the
            branch has no stripe.
    """

    map: Tensor
    pooled: Tensor
    embedding: Tensor
    logits: Tensor | None = None
    guide: Tensor | None = None


@dataclass(frozen=True)
class Output:
    """One forward pass.

    Attributes:
        trunk: the map all branches start from, (B, C, H, W).
        branches: by name, in descriptor order; a network without branches has one, ``global``.
        descriptor: concatenated embeddings, L2-normalised, (B, sum of C).
    """

    trunk: Tensor
    branches: dict[str, Branch]
    descriptor: Tensor

    @property
    def embedding(self) -> Tensor:
        """All branches' embeddings side by side, (B, D): the descriptor before its norm."""
        import torch

        return torch.cat([branch.embedding for branch in self.branches.values()], dim=1)


@dataclass(frozen=True)
class FeatureSet:
    """Descriptors of one list of pictures, with what is needed to score them.

    Attributes:
        features: (N, D) float32, not necessarily normalised.
        pids: (N,) int64.
        camids: (N,) int64; ``NO_CAMERA`` where unknown.
        names: (N,) file names, for reports.
        positions: (N,) int64, the ``ListPosition`` of each row in its dataset's list; ``None``
            where it is not known, as in feature files of other projects.
    """

    features: np.ndarray
    pids: np.ndarray
    camids: np.ndarray
    names: np.ndarray
    positions: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.features.ndim != 2:
            raise InputError(f"features must be a matrix (N, D), got shape {self.features.shape}")
        for label in ("pids", "camids", "names", "positions"):
            column = getattr(self, label)
            if column is not None and len(column) != len(self.features):
                raise InputError(f"{len(self.features)} features but {len(column)} {label}")
        bad = _not_finite(self.features)
        if len(bad):
            raise InputError(
                f"{len(bad)} of {len(self.features)} features hold NaN or infinity, first in row "
                f"{bad[0]} ({self.names[bad[0]]})",
                "compute them again, or drop those rows",
            )

    def __len__(self) -> int:
        return len(self.features)

    def take(self, rows: np.ndarray) -> FeatureSet:
        """Some rows, in the order given."""
        return FeatureSet(
            features=self.features[rows],
            pids=self.pids[rows],
            camids=self.camids[rows],
            names=np.asarray(self.names)[rows],
            positions=None if self.positions is None else self.positions[rows],
        )


def _not_finite(features: np.ndarray) -> np.ndarray:
    """Rows with NaN or infinity; looked for in pieces, since features may lie on disk."""
    pieces = (features[first : first + 65_536] for first in range(0, len(features), 65_536))
    finite = [np.isfinite(piece).all(axis=1) for piece in pieces]
    return np.flatnonzero(~np.concatenate(finite)) if finite else np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Features:
    """Query and gallery descriptors of one model on one dataset.

    Attributes:
        query, gallery: the two sides, same D.
        branches: (name, width) of the consecutive column blocks that make up D, in order; empty
            where the descriptor has no parts.
        origin: what made them (model hash, dataset fingerprint, input size, flip ...); goes into
            the protocol card.
    """

    query: FeatureSet
    gallery: FeatureSet
    branches: tuple[tuple[str, int], ...] = ()
    origin: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        widths = self.query.features.shape[1], self.gallery.features.shape[1]
        if widths[0] != widths[1]:
            raise InputError(f"query features have {widths[0]} columns, gallery {widths[1]}")
        if self.branches and sum(width for _, width in self.branches) != widths[0]:
            raise InputError(f"branch widths {self.branches} do not add up to {widths[0]} columns")

    def by_camera(self, camid: int) -> Features:
        """The same queries against the gallery pictures of one camera alone."""
        rows = np.flatnonzero(self.gallery.camids == camid)
        return replace(self, gallery=self.gallery.take(rows))

    def columns(self) -> Iterator[tuple[str, slice]]:
        """Each branch with the columns of the descriptor that are its own."""
        start = 0
        for name, width in self.branches:
            yield name, slice(start, start + width)
            start += width


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch of training came to.

    Attributes:
        epoch: counted from 1.
        losses: mean over the epoch's steps by name: ``total``, ``id``, ``triplet``, ``center``,
            ``gla``, and ``branch1/id`` ... for each branch.
        lr: learning rate of the last step.
        images_per_second: training throughput, data included.
        seconds: wall time of the epoch.
        feature_norm: mean L2 norm of the pooled vectors over branches and pictures.
        separation: ``centroid/branchN`` (vertical centre of energy of the branch map, 0 top to
            1 bottom), ``map_cosine`` (mean cosine between the maps of different branches) and
            ``r2/branchN`` (share of the variance of the stripe vector that the branch explains).
        warnings: sentences, e.g. that features are collapsing.
    """

    epoch: int
    losses: dict[str, float]
    lr: float
    images_per_second: float
    seconds: float
    feature_norm: float
    separation: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
