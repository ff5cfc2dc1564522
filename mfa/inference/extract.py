"""Descriptors with what is needed to score them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from mfa.datasets.loading.images import LoadedImages
from mfa.errors import InputError
from mfa.inference.parts import make_parts, read_parts
from mfa.processes import ALONE, ProcessGroup
from mfa.progress import Progress, part_of, remark, reporting
from mfa.records import Features, FeatureSet, ReidDataset, Sample
from mfa.retrieval import feature_file


def feature_set(features: np.ndarray, pictures: LoadedImages) -> FeatureSet:
    """Descriptors with the labels, names and list positions of their pictures."""
    samples = pictures.samples
    return FeatureSet(
        features=features,
        pids=np.array([sample.pid for sample in samples], dtype=np.int64),
        camids=np.array([sample.camid for sample in samples], dtype=np.int64),
        names=np.array([sample.path.name for sample in samples]),
        positions=pictures.positions,
    )


def query_and_gallery(
    data: ReidDataset,
    read: Callable[[tuple[Sample, ...]], LoadedImages],
    embed: Callable[[LoadedImages, range, Progress], np.ndarray],
    *,
    branches: tuple[tuple[str, int], ...],
    origin: Callable[[list[str]], dict[str, object]],
    file: Path | None,
    progress: bool | Progress,
    ranks: ProcessGroup = ALONE,
) -> Features:
    """Features of both lists of ``data``, read from ``file`` where it is there, else written to it.

    With a file, the work is done in parts that lie beside it until it is written: processes share
    them, and a job that was stopped goes on from them. A second job that wants the same file waits
    for the first one.

    Args:
        data: with query and gallery.
        read: loads the pictures of a list.
        embed: a range of loaded pictures to vectors (len(range), D).
        branches: (name, width) of the descriptor's parts.
        origin: what made the features, given the pictures that were left out.
        file: where they are kept; ``None`` keeps none.
        progress: see ``mfa.progress``.
        ranks: the processes that share the work; all must call. Without a file each does it all.
    """
    if file is not None and ranks.from_first(file.is_file):
        return feature_file.read(file)
    loaded: dict[str, LoadedImages] = {}
    rows: dict[str, np.ndarray] = {}
    middle = len(data.query) / max(len(data.query) + len(data.gallery), 1)

    def made() -> Features:
        sides = {side: feature_set(rows[side], pictures) for side, pictures in loaded.items()}
        left_out = [
            f"{sample.path.name}: {why}"
            for side in loaded.values()
            for sample, why in side.left_out
        ]
        return Features(**sides, branches=branches, origin=origin(left_out))

    def write(file: Path) -> None:
        for side, pictures in loaded.items():
            rows[side] = read_parts(len(pictures), _parts(file) / side)
        feature_file.write(file, made())
        shutil.rmtree(_parts(file), ignore_errors=True)

    with (
        reporting(progress, f"features of {data.name}") as report,
        _only_job(file, ranks, report) if file else nullcontext(),
    ):
        if file is not None and ranks.from_first(file.is_file):  # made while this job waited
            return feature_file.read(file)
        for side, samples, span in (
            ("query", data.query, (0, middle)),
            ("gallery", data.gallery, (middle, 1)),
        ):
            pictures, within = read(samples), part_of(report, *span)
            loaded[side] = pictures
            if file is None:
                rows[side] = embed(pictures, range(len(pictures)), within)
            else:
                make = partial(embed, pictures)
                make_parts(make, len(pictures), _parts(file) / side, ranks, within)
        if file is None:
            return made()
        ranks.from_first(partial(write, file))
    return feature_file.read(file)  # names the file in its origin, the first time as the second


def _parts(file: Path) -> Path:
    """Where the parts of a feature file lie until it is written."""
    return file.with_suffix(".parts")


@contextmanager
def _only_job(file: Path, ranks: ProcessGroup, progress: Progress) -> Iterator[None]:
    """Hold the parts of ``file`` against other jobs, after waiting for one that holds them."""
    lock, said = FileLock(file.with_suffix(".lock"), timeout=1, thread_local=False), False

    def held() -> bool:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            return False
        except OSError as error:
            raise InputError(
                f"{file} cannot be written ({error.strerror or error})",
                "free the disk, or take a copy of the run in a folder that you may write to",
            ) from error
        return True

    try:
        while not ranks.from_first(held):
            if ranks.writes and not said:
                remark(f"another job makes {file}; this one waits for it")
            said = True
            progress(0)
        yield
    finally:
        if lock.is_locked:
            file.with_suffix(".lock").unlink(missing_ok=True)  # who waits notices and locks anew
            lock.release()
