"""Decoded pictures of a list, once, in a memory-mapped array that several processes share.

An entry is a folder ``KEY`` with ``pictures.npy`` (N, 3, H, W uint8, readable pictures only) and
``broken.json``. The key hashes the contents' fingerprint, the list and the size, so altered files
make another entry. An entry is built beside its place and renamed into it, so that it is whole or
absent; a lock lets a second process wait rather than build the same.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mfa.datasets.loading.decode import decode
from mfa.datasets.readers.fingerprint import fingerprint as fingerprint_of
from mfa.errors import InputError
from mfa.records import Sample

_THREADS = 2
_SPARE = 200 * 2**20
"""Bytes that stay free on the disk, for checkpoints and results."""


@dataclass(frozen=True)
class Cached:
    """A cache entry.

    Attributes:
        pictures: (N, 3, H, W) uint8, memory-mapped, read-only.
        broken: (position in the list, why) of the samples that are not among ``pictures``.
    """

    pictures: np.ndarray
    broken: tuple[tuple[int, str], ...]


def cached_pictures(
    samples: Sequence[Sample], height: int, width: int, cache: Path, fingerprint: str = ""
) -> Cached:
    """Open the entry for ``samples`` at this size, building it first where it is not there.

    Says on stderr how much disk it will take before it takes it.

    Raises:
        InputError: the disk has no room, the folder cannot be written, or no picture can be read.
    """
    if not samples:
        return Cached(np.empty((0, 3, height, width), np.uint8), ())
    entry = cache / _key(samples, height, width, cache, fingerprint)
    found = _open(entry, len(samples))
    if found is not None:
        return found
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _only_one(cache / f"{entry.name}.lock"):
            found = _open(entry, len(samples))
            if found is None:
                _build(entry, samples, height, width)
                found = _open(entry, len(samples))
    except OSError as error:
        raise InputError(
            f"the picture cache {cache} cannot be written ({error.strerror or error}); free the "
            "disk, name another folder, or switch the cache off"
        ) from error
    if found is None:
        raise InputError(f"the picture cache {entry} was damaged at once; check the disk")
    return found


def cache_bytes(pictures: int, height: int, width: int) -> int:
    """Size of an entry on the disk."""
    return pictures * 3 * height * width


def _key(samples: Sequence[Sample], height: int, width: int, cache: Path, fingerprint: str) -> str:
    contents = fingerprint or fingerprint_of({"": samples}, samples[0].path.parent)
    # The list is part of the key: train and query of one dataset share a fingerprint, and may share
    # the names below their folders. Paths count from beside the cache, which lies with the data, so
    # a data root that is moved keeps its cache.
    beside = cache.absolute().parent
    paths = (sample.path.absolute() for sample in samples)
    names = "\n".join(
        (path.relative_to(beside) if path.is_relative_to(beside) else path).as_posix()
        for path in paths
    )
    text = f"{contents}\n{height}x{width}\n{names}".encode("utf-8", "surrogateescape")
    return f"{height}x{width}-{hashlib.blake2b(text, digest_size=12).hexdigest()}"


def _open(entry: Path, samples: int) -> Cached | None:
    """The entry, or ``None`` where it is absent or damaged."""
    try:
        pictures = np.load(entry / "pictures.npy", mmap_mode="r")
        broken = tuple(
            (int(i), str(why)) for i, why in json.loads((entry / "broken.json").read_text("utf-8"))
        )
    except (OSError, ValueError):
        return None
    return Cached(pictures, broken) if len(pictures) + len(broken) == samples else None


def _build(entry: Path, samples: Sequence[Sample], height: int, width: int) -> None:
    size = cache_bytes(len(samples), height, width)
    free = shutil.disk_usage(entry.parent).free
    print(
        f"caching {len(samples):,} pictures at {height}x{width}: {size / 2**20:,.0f} MiB in "
        f"{entry.parent} ({free / 2**30:,.1f} GiB free)",
        file=sys.stderr,
    )
    if size + _SPARE > free:
        raise InputError(
            f"the picture cache needs {size / 2**20:,.0f} MiB and {entry.parent} has "
            f"{free / 2**20:,.0f} MiB free; free the disk, or switch the cache off"
        )
    # A crashed builder leaves its folder behind; the lock is held, so all of them are dead.
    for dead in entry.parent.glob(f".{entry.name}-*"):
        shutil.rmtree(dead, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{entry.name}-", dir=entry.parent))
    try:
        broken = _fill(draft / "pictures.npy", samples, height, width)
        (draft / "broken.json").write_text(json.dumps(broken), encoding="utf-8")
        shutil.rmtree(entry, ignore_errors=True)
        draft.rename(entry)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _fill(file: Path, samples: Sequence[Sample], height: int, width: int) -> list[tuple[int, str]]:
    """Write the readable pictures, one after another, and return the others with the reason."""
    shape = (len(samples), 3, height, width)
    array = np.lib.format.open_memmap(file, mode="w+", dtype=np.uint8, shape=shape)

    def one(path: Path) -> np.ndarray | str:
        try:
            return decode(path, height, width)
        except InputError as error:
            return str(error)

    broken, kept = [], 0
    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(samples), 1024):
            chunk = [sample.path for sample in samples[start : start + 1024]]
            for i, result in enumerate(pool.map(one, chunk), start):
                if isinstance(result, str):
                    broken.append((i, result))
                else:
                    array[kept] = result
                    kept += 1
    array.flush()
    del array
    if not kept:
        raise InputError(f"none of the {len(samples)} pictures can be read, first: {broken[0][1]}")
    if broken:
        _shorten(file, (kept, 3, height, width))
    return broken


def _shorten(file: Path, shape: tuple[int, ...]) -> None:
    """Drop the unused end of an array file; its header is rewritten in place."""
    with file.open("r+b") as stream:
        version = np.lib.format.read_magic(stream)
        np.lib.format.read_array_header_1_0(stream)
        start = stream.tell()
        stream.seek(0)
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, header)
        if stream.tell() != start or version != (1, 0):
            raise InputError(f"the cache file {file} has an unexpected header; remove it")
        stream.truncate(start + int(np.prod(shape)))


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    """Hold ``lock`` against other processes; the system frees it when a process dies.

    Where the system has no such locks (Windows) two processes may build the same entry twice,
    which costs time and harms nothing.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    with lock.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
    # The empty lock file stays: removing it would let a third process lock a new one meanwhile.
