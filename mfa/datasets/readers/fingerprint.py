"""What identifies a dataset: a hash of its names, labels and contents, and of nothing else."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mfa.datasets.readers.listing import is_file
from mfa.records import Sample


def fingerprint(splits: Mapping[str, Iterable[Sample]], root: Path) -> str:
    """Hash of (split, relative name, pid, camid, content) of every sample.

    Equal for equal data whatever the order of the lists, the place of the folder or the time
    stamps of the files; names are compared in Unicode's composed form, because copying through
    macOS decomposes them. A file that cannot be read counts as such, so mending it changes the
    hash too.

    Returns:
        32 hexadecimal digits.
    """
    rows = [(split, sample) for split, samples in splits.items() for sample in samples]
    contents = content_hashes([sample.path for _, sample in rows])
    lines = sorted(
        f"{split}\t{_name(sample.path, root)}\t{sample.pid}\t{sample.camid}\t"
        f"{content or 'unreadable'}"
        for (split, sample), content in zip(rows, contents, strict=True)
    )
    return _hash("\n".join(lines).encode("utf-8", "surrogateescape"))


def content_hashes(paths: Sequence[Path]) -> list[str]:
    """Hash of each file's bytes, in order; empty for a file that cannot be read.

    Threads overlap the waiting for a slow disk. Each takes many files at a time: handing over
    single small files costs more than hashing them.
    """
    chunks = [paths[start : start + 512] for start in range(0, len(paths), 512)]
    with ThreadPoolExecutor(max_workers=4) as pool:
        return [found for chunk in pool.map(_hash_all, chunks) for found in chunk]


def _hash_all(paths: Sequence[Path]) -> list[str]:
    return [_hash_file(path) for path in paths]


def _hash_file(path: Path) -> str:
    if not is_file(path):  # reading a pipe would wait for ever
        return ""
    try:
        return _hash(path.read_bytes())
    except OSError:
        return ""


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _name(path: Path, root: Path) -> str:
    name = path.relative_to(root) if path.is_relative_to(root) else path
    return unicodedata.normalize("NFC", name.as_posix())
