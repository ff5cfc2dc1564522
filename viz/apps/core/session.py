"""What an app is about: a run, a dataset, their scores, and costly results that are kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from torch import Tensor

from mfa.datasets.image_list import ImageList, ListedImage
from mfa.errors import InputError
from mfa.explain.capture import BRANCH, mean_maps
from mfa.explain.correspondence import Correspondence, correspond
from mfa.explain.engine import branch_maps
from mfa.explain.inputs import ImagesWithCameras, as_images_with_cameras
from mfa.explain.ledger import PairLedger, decompose, has_ledger, ledgers_between, means
from mfa.explain.matches import Matches, match_places
from mfa.explain.origins import Origins
from mfa.explain.pictures import reference_pictures
from mfa.explain.record import BranchMaps
from mfa.files import found_above
from mfa.inference.evaluate import extract_features, resolve
from mfa.inference.pictures import branch_shares, embed_picture
from mfa.progress import Progress, silent
from mfa.records import Features, FeatureSet, ListPosition, ReidDataset, Split
from mfa.retrieval.distances import Distances, Metric
from mfa.retrieval.metrics import score
from mfa.retrieval.rerank import ReciprocalDistances
from mfa.retrieval.results import RetrievalResult
from mfa.runs.checkpoint import CHECKPOINT
from mfa.runs.run import Run, open_run
from viz.apps.core.cache import Cache
from viz.apps.core.images import Image
from viz.apps.core.labels import distinct_names
from viz.apps.core.selection import Selection

KEPT = 16
"""Scores and maps of how many settings are kept."""


@dataclass(frozen=True)
class Setting:
    """How a gallery is scored: what the switches of an app say.

    Attributes:
        flip: descriptors are means with those of the mirrored pictures.
        rerank: distances are re-ranked by k-reciprocal neighbours.
        camera_filter: pictures of the query's person by the query's camera are ignored.
        camera: only gallery pictures by this camera; ``None`` for all.
    """

    flip: bool = False
    rerank: bool = False
    camera_filter: bool = True
    camera: int | None = None

    @property
    def plain(self) -> Setting:
        """The same questions, answered without flip and re-ranking."""
        return replace(self, flip=False, rerank=False)


class Session:
    """A run on a dataset; several threads and apps may share it.

    Attributes:
        run: the trained network.
        data: the dataset whose query and gallery are shown.
        name: the run's, with folders above it where another run beside it has the same.
        size: (height, width) of the network's input.
        selection: tags and views of the dataset, the same for all apps of the session.
    """

    def __init__(self, run: Run, data: ReidDataset) -> None:
        self.run, self.data = run, data
        self.name = run.name
        self.size = run.config.data.height, run.config.data.width
        self.selection = Selection(data, run.path)
        self._cache = Cache(KEPT)
        self._lists = Cache(KEPT)

    def cached(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What ``make()`` returns, kept for the next time that ``key`` is asked for."""
        return self._cache.get(key, make)

    def features(self, *, flip: bool = False, progress: Progress = silent) -> Features:
        """Descriptors of query and gallery; from the run's folder where they are there."""
        return self.cached(
            ("features", flip),
            lambda: extract_features(self.run, self.data, flip=flip, progress=progress),
        )

    def result(self, setting: Setting = Setting(), progress: Progress = silent) -> RetrievalResult:
        """The scored retrieval of a setting."""
        return self.cached(("result", setting), lambda: self._score(setting, progress))

    def images(self, side: Split, features: FeatureSet | None = None) -> ImageList:
        """The pictures of a list, with their rows in ``features``: by default all features."""
        given = getattr(self.features(), side) if features is None else features
        kept = self._lists.get(
            (side, id(given)), lambda: (ImageList.of(self.data, side, given), given)
        )
        return kept[0]  # as long as the features are kept as well, their id names nothing else

    def query(self, position: int) -> ListedImage:
        """The picture at a position of the query list; an ``InputError`` where there is none."""
        return self.images("query").at(ListPosition(position))

    def gallery_of(self, camera: int | None, flip: bool = False) -> FeatureSet:
        """Descriptors of the gallery pictures by a camera; ``None`` for all."""
        gallery = self.features(flip=flip).gallery
        if camera is None:
            return gallery
        return self.cached(
            ("gallery", camera, flip),
            lambda: gallery.take(np.flatnonzero(gallery.camids == camera)),
        )

    def embed(self, image: Image, *, flip: bool = False) -> np.ndarray:
        """The concatenated embeddings (D,) of a picture, as features hold them."""
        pixels, cameras = image.pixels(*self.size), self.cameras(image)
        return embed_picture(self.run, pixels, flip=flip, cameras=cameras)

    def cameras(self, image: Image) -> Tensor | None:
        """(1,) the camera of a picture, where it has one and the network reads it (SIE)."""
        sample = getattr(image, "sample", None)
        return None if sample is None else self.run.cameras_of([sample], self.data)

    def fitted(self, image: Image) -> ImagesWithCameras:
        """A picture at the network's size with its camera, as ``mfa.explain`` takes it."""
        cameras = self.cameras(image)
        return ImagesWithCameras(image.pixels(*self.size)[None], cameras)

    def maps(self, image: Image, *, centred: bool = True, **options: Any) -> BranchMaps:
        """``mfa.branch_maps`` of one picture; the mean of the reference pictures is made once.

        Args:
            image: the picture.
            centred: subtract the maps of the average picture.
            **options: see ``mfa.branch_maps``; pictures in ``toward`` are ``fitted``.
        """
        mean = self._mean_maps(options.get("layer", BRANCH)) if centred else None
        return branch_maps(self.run, self.fitted(image), reference=mean, **options)

    def correspondence(
        self, query: Image, gallery: Image, point: tuple[int, int], *, centred: bool = True
    ) -> Correspondence:
        """``mfa.correspond``; the mean of the reference pictures is made once."""
        mean = self._means()[1] if centred else None
        return correspond(self.run, self.fitted(query), self.fitted(gallery), point, reference=mean)

    def matches(self, query: Image, gallery: Image, *, centred: bool = True) -> Matches:
        """``mfa.match_places``; the mean of the reference pictures is made once."""
        mean = self._means()[1] if centred else None
        return match_places(self.run, self.fitted(query), self.fitted(gallery), reference=mean)

    @cached_property
    def adds_up(self) -> bool:
        """Whether scores are sums over pixels, so that there are ledgers and correspondence."""
        return has_ledger(self.run.model)

    def shares(self, query: Image, other: Image) -> dict[str, float]:
        """What each branch adds to the cosine of two pictures, whatever the network."""
        sides = query.pixels(*self.size), other.pixels(*self.size)
        return branch_shares(self.run, *sides, cameras=(self.cameras(query), self.cameras(other)))

    def origins(self, query: Image, other: Image) -> Origins:
        """The cosine of two pictures by what it is about, against the mean of the gallery."""
        average = self.features().gallery.features.mean(axis=0, dtype=float)
        return Origins.of(self.embed(query), self.embed(other), average)

    def ledger(self, query: Image, gallery: Image) -> PairLedger:
        """``mfa.pair_ledger`` against the average picture, which is taken apart once."""
        mean = self._means()[1]
        fitted = [self.fitted(image) for image in (query, gallery)]  # before the network begins
        one, two = (decompose(self.run.model, as_images_with_cameras(each)) for each in fitted)
        return next(iter(ledgers_between(one, two, mean)))

    def _means(self) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        return self.cached("means", lambda: means(self.run.model, self._reference()))

    def _mean_maps(self, layer: str) -> dict[str, Tensor]:
        if layer == BRANCH and self.adds_up:
            return self._means()[0]
        network = self.run.model
        return self.cached(
            ("mean", layer),
            lambda: mean_maps(network, self._reference(), layer=layer, names=tuple(network.heads)),
        )

    def _reference(self) -> Any:
        return self.cached("reference", lambda: reference_pictures(self.run, self.data))

    def _score(self, setting: Setting, progress: Progress) -> RetrievalResult:
        features = self.features(flip=setting.flip, progress=progress)
        features = replace(features, gallery=self.gallery_of(setting.camera, setting.flip))
        distance: Metric | Distances = "cosine"
        if setting.rerank:
            distance = ReciprocalDistances(features, progress=progress)
        return score(
            features, camera_filter=setting.camera_filter, distance=distance, progress=progress
        )


_OPEN: WeakValueDictionary[Hashable, Session] = WeakValueDictionary()
_OPENING = threading.Lock()


def open_session(
    run: Run | Path | str,
    data: ReidDataset | str | None = None,
    data_root: Path | str | None = None,
    *,
    device: str | None = None,
    precision: str | None = None,
) -> Session:
    """A run, or the folder of one, with a dataset, or the name of one.

    The session of a folder that another app has open is shared with it, so that a network is in
    memory once.
    """
    root = None if data_root is None else Path(data_root)
    if isinstance(run, Run):
        return _session(run, data, root)
    named = data.fingerprint if isinstance(data, ReidDataset) else data
    key = (_version(run), named, root, device, precision)
    with _OPENING:
        found = _OPEN.get(key) or _session(open_run(run, device, precision), data, root)
        _OPEN[key] = found
        return found


def open_sessions(
    run: Any,
    data: ReidDataset | str | None = None,
    data_root: Path | str | None = None,
    **options: Any,
) -> list[Session]:
    """One run or a sequence of them, all on the dataset of the first."""
    runs = list(run) if isinstance(run, list | tuple) else [run]
    if not runs:
        raise InputError("name at least one run")
    found = [open_session(runs[0], data, data_root, **options)]
    found += [open_session(other, found[0].data, data_root, **options) for other in runs[1:]]
    if len(found) > 1:
        paths = [each.run.path or Path(each.run.name) for each in found]
        for number, name in enumerate(distinct_names(paths)):
            found[number] = copy(found[number])  # which shares everything that is kept
            found[number].name = name
    return found


def _session(run: Run, data: ReidDataset | str | None, root: Path | None) -> Session:
    dataset = resolve(run, data, root)
    if not dataset.query or not dataset.gallery:
        raise InputError(f"{dataset.name} at {dataset.root} has no query or gallery pictures")
    return Session(run, dataset)


def _version(run: Path | str) -> Hashable:
    """What changes when the weights of a run folder do; the name alone of released weights."""
    for place in (Path(run) / CHECKPOINT, Path("runs") / run / CHECKPOINT, Path(run)):
        file = found_above(place)
        if file.is_file():
            status = file.stat()
            return file.resolve(), status.st_mtime_ns, status.st_size
    return str(run)
