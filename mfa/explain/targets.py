"""What is explained: a score of the descriptor that splits into one part per branch.

Each target is linear in the embeddings, so a branch's part depends on that branch alone and the
parts add up to the score. The embeddings are not normalised: through the L2 norm the gradient is
orthogonal to the feature, and the map of GAP or GeM would then sum to zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from mfa.errors import InputError
from mfa.records import Branch


class Target(Protocol):
    """A score to be explained; anything with these two may be given to ``branch_maps``."""

    @property
    def description(self) -> str:
        """One line for captions: what a positive value argues for."""
        ...

    def parts(self, branches: Mapping[str, Branch]) -> dict[str, Tensor]:
        """Each branch's part (B,) of the score, which is their sum; differentiable."""
        ...


@dataclass(frozen=True)
class Similarity:
    """Dot product of the embedding with a fixed unit vector, the descriptor compared with.

    Attributes:
        toward: (D,) or (1, D) for all pictures; (B, D) one for each; (1, R, D) or (B, R, D)
            several, whose similarities are averaged. ``None``: each picture's own descriptor,
            held fixed, so that the map shows what makes up the length of its embedding.
    """

    toward: Tensor | None = None

    @property
    def description(self) -> str:
        """See ``Target``."""
        if self.toward is None:
            return "similarity to itself"
        several = self.toward.ndim == 3 and self.toward.shape[1] > 1
        return f"mean similarity to {self.toward.shape[1]}" if several else "similarity"

    def parts(self, branches: Mapping[str, Branch]) -> dict[str, Tensor]:
        """See ``Target``."""
        whole = _whole(branches)
        toward = whole.detach() if self.toward is None else self.toward
        return _project(branches, unit_rows(toward, whole))


@dataclass(frozen=True)
class Contrast:
    """Similarity to one descriptor minus similarity to another: what tells the two apart.

    Attributes:
        toward: descriptors the map argues for, shaped as in ``Similarity``.
        away: descriptors it argues against.
    """

    toward: Tensor
    away: Tensor

    description = "nearer to the first picture than to the second"

    def parts(self, branches: Mapping[str, Branch]) -> dict[str, Tensor]:
        """See ``Target``."""
        whole = _whole(branches)
        return _project(branches, unit_rows(self.toward, whole) - unit_rows(self.away, whole))


@dataclass(frozen=True)
class Identity:
    """Classifier output of one training identity, summed over the branches.

    Attributes:
        labels: class of each picture (or one for all), counted as in training; ``None``: the
            class the branches' mean logits prefer, an arg-max over classes, not coordinates.
    """

    labels: Sequence[int] | Tensor | int | None = None

    @property
    def description(self) -> str:
        """See ``Target``."""
        return "predicted identity" if self.labels is None else "identity"

    def parts(self, branches: Mapping[str, Branch]) -> dict[str, Tensor]:
        """See ``Target``."""
        logits = {name: branch.logits for name, branch in branches.items()}
        known = {name: value for name, value in logits.items() if value is not None}
        if len(known) < len(logits):
            raise InputError(
                "the network was built without classes, so it has no identity logits; explain "
                "target='similarity', or load a run that kept its classifiers"
            )
        total = torch.stack(list(known.values())).sum(dim=0)
        labels = self._labels(total)
        return {name: value.gather(1, labels)[:, 0] for name, value in known.items()}

    def _labels(self, total: Tensor) -> Tensor:
        if self.labels is None:
            return total.argmax(dim=1, keepdim=True)
        labels = torch.as_tensor(self.labels, device=total.device).reshape(-1)
        _check_count(len(labels), len(total), "labels")
        outside = labels[(labels < 0) | (labels >= total.shape[1])]
        if len(outside):
            raise InputError(
                f"label {int(outside[0])} is outside the network's classes 0 to "
                f"{total.shape[1] - 1}; labels count the sorted training identities"
            )
        return labels.long().expand(len(total))[:, None]


def unit_rows(descriptors: Tensor, whole: Tensor) -> Tensor:
    """Descriptors as fixed directions (1 or B, D) in the space of ``whole`` (B, D).

    Raises:
        InputError: another width than the descriptor's, or a number of rows that is neither one
            nor that of the pictures.
    """
    rows = descriptors[None] if descriptors.ndim == 1 else descriptors
    if rows.shape[-1] != whole.shape[1]:
        raise InputError(
            f"toward has {rows.shape[-1]} columns, the descriptor {whole.shape[1]}; "
            "embed it with the same network"
        )
    _check_count(len(rows), len(whole), "descriptors")
    unit = F.normalize(rows.detach().to(whole), dim=-1)
    return unit.mean(dim=1) if unit.ndim == 3 else unit


def _whole(branches: Mapping[str, Branch]) -> Tensor:
    return torch.cat([branch.embedding for branch in branches.values()], dim=1)


def _project(branches: Mapping[str, Branch], direction: Tensor) -> dict[str, Tensor]:
    widths = [branch.embedding.shape[1] for branch in branches.values()]
    blocks = torch.split(direction, widths, dim=1)
    return {
        name: (branch.embedding * block).sum(dim=1)
        for (name, branch), block in zip(branches.items(), blocks, strict=True)
    }


def _check_count(given: int, pictures: int, what: str) -> None:
    if given not in (1, pictures):
        raise InputError(
            f"{given} {what} for {pictures} pictures; give one for all, or one for each"
        )
