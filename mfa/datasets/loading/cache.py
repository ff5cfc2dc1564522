"""Decoded pictures of a list, once, in a memory-mapped array that several processes share.

An entry is a folder ``KEY`` with ``pictures.npy`` (N, 3, H, W uint8, readable pictures first) and
``broken.json``. The key hashes the size and, of every picture, path, modification time and length,
so a changed file makes another entry. An entry is built beside its place and renamed into it, so
that it is whole or absent; a lock lets a second process wait rather than build the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from mfa.datasets.disk import refuse_if_full
from mfa.datasets.loading.decode import decode, file_version, first_error
from mfa.datasets.loading.threads import in_threads
from mfa.errors import InputError
from mfa.files import draft_folder, parse_json
from mfa.progress import Progress, reporting
from mfa.records import Sample

VARIABLE = "MFA_CACHE"
"""Environment variable with the folder of the cache, or ``off``; ``--cache`` sets it."""

_TO_DO = "free the disk, name another folder (--cache DIR), or switch the cache off (--cache off)"


def cache_folder(data: Path) -> Path | None:
    """The folder for decoded pictures of the dataset that lies in ``data``.

    The variable MFA_CACHE says it (``off`` gives ``None``). By default it is ``cache`` beside the
    dataset, or the user's own cache folder where that may not be written, as on a shared disk.
    """
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return None if chosen == "off" else Path(chosen).expanduser()
    beside = data.parent / "cache"
    if os.access(beside if beside.is_dir() else data.parent, os.W_OK):
        return beside
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mfa"


class CachedImages:
    """A cache entry.

    Pickled, as for a worker that is started afresh, it carries the place of the file and not the
    pixels; the worker opens the same memory map again.

    Attributes:
        pixels: (N, 3, H, W) uint8, memory-mapped, read-only.
        broken: position in the list to the reason, for the pictures that cannot be read.
    """

    def __init__(self, file: Path, broken: dict[int, str]) -> None:
        listed = np.load(file, mmap_mode="r")
        self.pixels = listed[: len(listed) - len(broken)]
        self.broken = broken
        self._file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return CachedImages, (self._file, self.broken)


def cached_images(samples: Sequence[Sample], height: int, width: int, cache: Path) -> CachedImages:
    """Open the entry for ``samples`` at this size, building it first where it is not there.

    A bar says how many pictures, how much disk, and where.

    Raises:
        InputError: the disk has no room, the folder cannot be written, or no picture can be read.
    """
    entry = cache / _key(samples, height, width, cache)
    found = _open(entry, samples)
    if found is not None:
        return found
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f"{entry.name}.lock"):
            found = _open(entry, samples)
            if found is None:
                _build(entry, samples, height, width)
                found = _open(entry, samples)
    except OSError as error:
        raise InputError(
            f"the picture cache {cache} cannot be written ({error.strerror or error})", _TO_DO
        ) from error
    if found is None:
        raise InputError(f"the picture cache {entry} was damaged at once", "check the disk")
    return found


def _key(samples: Sequence[Sample], height: int, width: int, cache: Path) -> str:
    # Paths count from beside the cache, so that a data root that is moved with it keeps it.
    beside = cache.absolute().parent
    text = [f"{height}x{width}"]
    for sample in samples:
        path = sample.path.absolute()
        place = path.relative_to(beside) if path.is_relative_to(beside) else path
        text.append(f"{place.as_posix()} {file_version(path)}")
    content = "\n".join(text).encode("utf-8", "surrogateescape")
    return f"{height}x{width}-{hashlib.blake2b(content, digest_size=12).hexdigest()}"


def _open(entry: Path, samples: Sequence[Sample]) -> CachedImages | None:
    """The entry; ``None`` where it is absent or damaged, or a broken picture can be read now."""
    try:
        listed = parse_json((entry / "broken.json").read_text("utf-8"))
        found = CachedImages(entry / "pictures.npy", {int(i): str(why) for i, why in listed})
        whole = len(found.pixels) + len(found.broken) == len(samples)
        stale = any(not first_error(samples[i].path) for i in found.broken)
    except Exception:  # numpy meets a damaged header with many kinds
        return None
    return found if whole and not stale else None


def _build(entry: Path, samples: Sequence[Sample], height: int, width: int) -> None:
    size = len(samples) * 3 * height * width
    refuse_if_full("the picture cache needs", size, entry.parent, _TO_DO)
    what = f"caching {len(samples):,} pictures, {size / 2**20:,.0f} MiB in {entry.parent}"
    with draft_folder(entry) as draft, reporting(True, what) as report:
        broken = _fill(draft / "pictures.npy", samples, height, width, report)
        (draft / "broken.json").write_text(json.dumps(broken), encoding="utf-8")
        shutil.rmtree(entry, ignore_errors=True)
        draft.rename(entry)


def _fill(
    file: Path, samples: Sequence[Sample], height: int, width: int, progress: Progress
) -> list[tuple[int, str]]:
    """Write the readable pictures, one after another, and return the others with the reason."""
    shape = (len(samples), 3, height, width)
    array = np.lib.format.open_memmap(file, mode="w+", dtype=np.uint8, shape=shape)

    def one(sample: Sample) -> np.ndarray | str:
        try:
            return decode(sample.path, height, width)
        except InputError as error:
            return str(error)

    broken, kept = [], 0
    for i, result in enumerate(in_threads(one, samples)):
        if isinstance(result, str):
            broken.append((i, result))
        else:
            array[kept] = result
            kept += 1
        progress((i + 1) / len(samples))
    array.flush()
    if not kept:
        raise InputError(f"none of the {len(samples)} pictures can be read, first: {broken[0][1]}")
    return broken
