"""What identifies a dataset: a hash of its names, labels and contents, and of nothing else."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mfa.datasets.readers.listing import is_file
from mfa.records import Sample

Hashed = list[tuple[str, Sample, str]]
"""List, sample and the hash of the file's bytes; an empty one for a file that cannot be read."""


def hashed(splits: Mapping[str, Iterable[Sample]]) -> Hashed:
    """Hash the files of all lists.

    Threads overlap the waiting for a slow disk. Each takes many files at a time: handing over
    single small files costs more than hashing them.
    """
    rows = [(split, sample) for split, samples in splits.items() for sample in samples]
    chunks = [rows[start : start + 512] for start in range(0, len(rows), 512)]

    def hash_all(chunk: Sequence[tuple[str, Sample]]) -> Hashed:
        return [(split, sample, _hash_file(sample.path)) for split, sample in chunk]

    with ThreadPoolExecutor(max_workers=4) as pool:
        return [row for done in pool.map(hash_all, chunks) for row in done]


def fingerprint(files: Hashed, root: Path) -> str:
    """Hash of (split, relative name, pid, camid, content) of every sample, 32 hexadecimal digits.

    Equal for equal data whatever the order of the lists, the place of the folder or the time
    stamps of the files; names are compared in Unicode's composed form, because copying through
    macOS decomposes them. A file that cannot be read counts as such, so mending it changes the
    hash too.
    """
    lines = sorted(
        f"{split}\t{_name(sample.path, root)}\t{sample.pid}\t{sample.camid}\t"
        f"{content or 'unreadable'}"
        for split, sample, content in files
    )
    return _hash("\n".join(lines).encode("utf-8", "surrogateescape"))


def _hash_file(path: Path) -> str:
    try:
        return _hash(path.read_bytes()) if is_file(path) else ""  # reading a pipe never ends
    except OSError:
        return ""


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _name(path: Path, root: Path) -> str:
    name = path.relative_to(root) if path.is_relative_to(root) else path
    return unicodedata.normalize("NFC", name.as_posix())
