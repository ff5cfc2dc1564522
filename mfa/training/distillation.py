"""Distillation: the features of the training pictures that another model, the teacher, gives."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mfa.datasets.loading.images import load_images
from mfa.errors import InputError
from mfa.files import atomic
from mfa.progress import Progress, reporting
from mfa.records import ReidDataset, Sample
from mfa.retrieval.npz import Npz, as_text

BATCH = 32


class Embedder(Protocol):
    """What ``compute_teacher`` needs of a model: see ``mfa.inference.external``."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of its pictures."""

    def embed(self, pictures: np.ndarray) -> np.ndarray:
        """(B, 3, H, W) uint8 RGB to (B, D) float32."""


@dataclass(frozen=True)
class Teacher:
    """Features to learn from, by the file name of their picture.

    Attributes:
        file: where they were read.
        features: (N, D) float32, finite, no row zero.
        row_of: file name of a picture to its row.
    """

    file: Path
    features: np.ndarray
    row_of: Mapping[str, int]

    @property
    def fingerprint(self) -> str:
        """Hash of names and features, so that a resumed run can ask for the same teacher."""
        digest = hashlib.sha256(self.features.tobytes())
        digest.update("\n".join(self.row_of).encode())
        return digest.hexdigest()[:12]

    def targets(self, samples: Sequence[Sample]) -> Tensor:
        """L2-normalised rows for ``samples``, in their order, (len(samples), D)."""
        missing = [sample.path.name for sample in samples if sample.path.name not in self.row_of]
        if missing:
            raise InputError(
                f"{self.file} has no feature for {len(missing)} of {len(samples)} training "
                f"pictures, first {missing[0]} (its own first is {next(iter(self.row_of))}); it "
                "was computed from another split or another dataset"
            )
        rows = self.features[[self.row_of[sample.path.name] for sample in samples]]
        return F.normalize(torch.from_numpy(rows), dim=1)


def read_teacher(file: Path) -> Teacher:
    """A teacher from an ``.npz`` with ``feature`` (N, D) and ``name`` (N,), in any order."""
    if not file.is_file():
        raise InputError(f"no teacher file {file}")
    arrays = Npz(file)
    if absent := [key for key in ("feature", "name") if key not in arrays]:
        raise InputError(
            f"{file} has no array {absent[0]!r}, only {', '.join(arrays)}",
            "a teacher file holds feature (pictures, columns) and name (pictures,)",
        )
    features, names = arrays["feature"], as_text(arrays["name"], f"array 'name' of {file}")
    if features.dtype.kind not in "fiu":
        raise InputError(f"{file}: feature must be numbers, got {features.dtype}")
    if features.ndim != 2 or names.shape != features.shape[:1] or not len(names):
        raise InputError(
            f"{file}: feature must be (pictures, columns) and name (pictures,), got "
            f"{features.shape} and {names.shape}"
        )
    row_of = {str(name): row for row, name in enumerate(names)}
    if len(row_of) != len(names):
        raise InputError(f"{file}: {len(names) - len(row_of)} names come more than once")
    rows = features.astype(np.float32)
    norms = np.linalg.norm(rows, axis=1)
    bad = np.flatnonzero(~np.isfinite(norms) | (norms == 0))
    if len(bad):
        raise InputError(
            f"{file}: the features of {len(bad)} pictures are NaN, infinite or all zero, first "
            f"{names[bad[0]]}; compute them again"
        )
    return Teacher(file, rows, row_of)


def compute_teacher(
    model: Embedder,
    data: ReidDataset,
    file: Path,
    *,
    cache: Path | None = None,
    progress: bool | Progress = True,
) -> None:
    """Write the features of ``data``'s training pictures to ``file``, as ``read_teacher`` wants.

    Args:
        model: the teacher.
        data: whose training list is embedded.
        file: an ``.npz``, written whole or not at all.
        cache: folder for decoded pictures; ``None`` decodes without keeping.
        progress: see ``mfa.progress``.
    """
    height, width = model.size
    pictures = load_images(data.train, height=height, width=width, cache=cache)
    rows = []
    with reporting(progress, "features of the teacher") as report:
        for start in range(0, len(pictures), BATCH):
            end = min(start + BATCH, len(pictures))
            rows.append(model.embed(pictures.batch(range(start, end)).numpy()))
            report(end / len(pictures))
    with atomic(file) as draft, draft.open("wb") as stream:
        np.savez_compressed(
            stream,
            feature=np.concatenate(rows).astype(np.float16),
            name=np.array([sample.path.name for sample in pictures.samples]),
        )
