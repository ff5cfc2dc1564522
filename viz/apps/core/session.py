"""What an app is about: runs, a dataset, their scores, and what is costly and asked for again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mfa.datasets.loading.decode import decode, read_image
from mfa.errors import InputError
from mfa.explain.capture import BRANCH, mean_maps
from mfa.explain.correspondence import Correspondence, correspond
from mfa.explain.engine import branch_maps
from mfa.explain.ledger import Decomposed, PairLedger, decompose, has_ledger, ledgers_between, means
from mfa.explain.pictures import reference_pictures
from mfa.explain.record import BranchMaps
from mfa.inference.evaluate import extract_features, resolve
from mfa.progress import Progress, silent
from mfa.records import Features, ReidDataset
from mfa.retrieval.distances import Distances, Metric
from mfa.retrieval.metrics import score
from mfa.retrieval.rerank import ReciprocalDistances
from mfa.retrieval.results import RetrievalResult
from mfa.runs.run import Run, open_run
from viz.apps.core.labels import told_apart
from viz.grids.rank_cards import sample_at

KEPT = 12
"""Scores and maps of how many settings are kept."""


@dataclass(frozen=True)
class Setting:
    """How a gallery is scored: what the switches of an app say.

    Attributes:
        flip: descriptors are means with those of the mirrored pictures.
        rerank: distances are re-ranked by k-reciprocal neighbours.
        camera_filter: pictures of the query's person by the query's camera are left out.
        camera: only gallery pictures by this camera; ``None`` for all.
    """

    flip: bool = False
    rerank: bool = False
    camera_filter: bool = True
    camera: int | None = None


class Subject:
    """A run on a dataset.

    Attributes:
        run: the trained network.
        data: the dataset whose query and gallery are shown.
        root: the folder datasets lie in, as it was given.
        name: the run's, with folders above it where another run beside it has the same.
    """

    def __init__(self, run: Run, data: ReidDataset, root: Path | None = None) -> None:
        self.run, self.data, self.root = run, data, root
        self.name = run.name
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the network's input."""
        return self.run.config.data.height, self.run.config.data.width

    def features(self, *, flip: bool = False, progress: Progress = silent) -> Features:
        """Descriptors of query and gallery; from the run's folder where they are there.

        Args:
            flip: see ``Setting``.
            progress: see ``result``.
        """
        return self.once(
            ("features", flip),
            lambda: extract_features(self.run, self.data, flip=flip, progress=progress),
        )

    def result(self, setting: Setting = Setting(), progress: Progress = silent) -> RetrievalResult:
        """The scored retrieval of a setting.

        Args:
            setting: what the switches say.
            progress: called with the share done of each part of the work; what it raises ends it.

        Raises:
            InputError: nothing can be scored, e.g. a camera that no query's match was seen by.
        """
        return self.once(("result", setting), lambda: self._score(setting, progress))

    def gallery_positions(self, camera: int | None) -> np.ndarray:
        """Positions in the gallery of the pictures by a camera."""
        gallery = self.features().gallery
        if camera is None:
            return np.arange(len(gallery))
        return np.flatnonzero(gallery.camids == camera)

    def query_path(self, position: int) -> Path:
        """The file of a row of the query features."""
        name = str(self.features().query.names[position])
        return sample_at(self.data.query, position, name, self.data, "query").path

    def gallery_path(self, position: int) -> Path:
        """The file of a row of the gallery features."""
        name = str(self.features().gallery.names[position])
        return sample_at(self.data.gallery, position, name, self.data, "gallery").path

    def pixels(self, path: Path) -> np.ndarray:
        """A picture file as the network gets it, (H, W, 3) uint8."""
        return decode(path, *self.size).transpose(1, 2, 0)

    def embed(self, pixels: np.ndarray, *, flip: bool = False) -> np.ndarray:
        """The concatenated embeddings (D,) of a picture (H, W, 3), as features hold them."""
        batch = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None].float()
        both = torch.cat([batch, batch.flip(3)]) if flip else batch
        with torch.inference_mode(), self.run.autocast():
            found = self.run.model(both.to(self.run.device) / 255).embedding
        return np.asarray(found.float().mean(dim=0).cpu().numpy())

    @property
    def average(self) -> Tensor:
        """Gallery pictures whose mean maps and ledgers are told against."""
        found: Tensor = self.once("average", lambda: reference_pictures(self.run, self.data))
        return found

    def maps(self, pixels: np.ndarray, *, average: bool = True, **options: Any) -> BranchMaps:
        """``mfa.branch_maps`` of one picture, the average picture's maps made once."""
        layer = options.get("layer", BRANCH)
        mean = self._mean_maps(layer) if average else None
        return branch_maps(self.run, pixels, reference=mean, **options)

    def lens(
        self,
        query: np.ndarray,
        gallery: np.ndarray,
        point: tuple[int, int],
        *,
        average: bool = True,
    ) -> Correspondence:
        """``mfa.correspond``, the average picture taken apart once."""
        parts = self._means()[1] if average else None
        return correspond(self.run, query, gallery, point, reference=parts)

    @property
    def adds_up(self) -> bool:
        """Whether scores are sums over pixels, so that there are ledgers and the lens."""
        return has_ledger(self.run.model)

    def shares(self, query: np.ndarray, other: np.ndarray) -> dict[str, float]:
        """What each branch adds to the cosine of two pictures (H, W, 3), whatever the network."""
        one, two = (self.embed(side).astype(float) for side in (query, other))
        parts = one * two / (np.linalg.norm(one) * np.linalg.norm(two))
        widths = self.run.model.widths
        blocks = np.split(parts, np.cumsum(list(widths.values()))[:-1])
        return {name: float(block.sum()) for name, block in zip(widths, blocks, strict=True)}

    def ledger(self, query: np.ndarray, gallery: np.ndarray) -> PairLedger:
        """``mfa.pair_ledger`` against the average picture, which is taken apart once."""
        _, parts = self._means()
        return next(iter(ledgers_between(self._parts(query), self._parts(gallery), parts)))

    def _parts(self, pixels: np.ndarray) -> Decomposed:
        batch = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]
        return decompose(self.run.model, batch.float() / 255)

    def _means(self) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        return self.once("means", lambda: means(self.run.model, self.average))

    def _mean_maps(self, layer: str) -> dict[str, Tensor]:
        if layer == BRANCH and self.adds_up:
            return self._means()[0]
        network = self.run.model
        return self.once(
            ("mean", layer),
            lambda: mean_maps(network, self.average, layer=layer, names=tuple(network.heads)),
        )

    def _score(self, setting: Setting, progress: Progress) -> RetrievalResult:
        features = self.features(flip=setting.flip, progress=progress)
        if setting.camera is not None:
            places = self.gallery_positions(setting.camera)
            features = replace(features, gallery=features.gallery.take(places))
        distance: Metric | Distances = "cosine"
        if setting.rerank:
            distance = ReciprocalDistances(features, progress=progress)
        return score(
            features, camera_filter=setting.camera_filter, distance=distance, progress=progress
        )

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What ``make`` makes, kept for the next time ``key`` is asked for."""
        if key not in self._kept:
            self._kept[key] = make()
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return self._kept[key]


def open_subject(
    run: Run | Path | str, data: ReidDataset | str | None = None, data_root: Path | None = None
) -> Subject:
    """A run, or the folder of one, with a dataset, or the name of one.

    Raises:
        InputError: there is no such run or dataset, or its query or gallery is empty.
    """
    found = run if isinstance(run, Run) else open_run(run)
    dataset = resolve(found, data, data_root)
    if not dataset.query or not dataset.gallery:
        raise InputError(f"{dataset.name} at {dataset.root} has no query or gallery pictures")
    return Subject(found, dataset, data_root)


def open_subjects(
    run: Any, data: ReidDataset | str | None = None, data_root: Path | None = None
) -> list[Subject]:
    """One run or a sequence of them, all on the dataset of the first.

    Raises:
        InputError: see ``open_subject``; or no run at all.
    """
    runs = list(run) if isinstance(run, list | tuple) else [run]
    if not runs:
        raise InputError("name at least one run")
    first = open_subject(runs[0], data, data_root)
    found = [first, *(open_subject(other, first.data, data_root) for other in runs[1:])]
    paths = [each.run.path or Path(each.run.name) for each in found]
    for subject, name in zip(found, told_apart(paths), strict=True):
        subject.name = name
    return found


def opening(subject: Subject, name: str = "run") -> str:
    """Code that opens the run and the dataset again."""
    where = str(subject.run.path) if subject.run.path is not None else "runs/NAME"
    root = subject.root or subject.data.root.parent
    return (
        f"from pathlib import Path\n\nimport mfa\nimport viz\n\n{name} = mfa.open_run({where!r})\n"
        f"data = mfa.load_dataset({subject.data.name!r}, Path({str(root)!r}))\n"
    )


@lru_cache(maxsize=512)
def original(path: Path, size: tuple[int, int]) -> np.ndarray:
    """A picture file at (height, width) for display, (H, W, 3) uint8; not to be written to."""
    return np.asarray(read_image(path).resize((size[1], size[0]), resample=2))
