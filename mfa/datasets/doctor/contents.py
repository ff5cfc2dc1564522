"""Findings from the files themselves: what does not decode, and what is there twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from mfa.datasets.doctor.findings import Finding
from mfa.datasets.loading.decode import first_error
from mfa.datasets.readers.fingerprint import content_hashes
from mfa.datasets.readers.listing import Listing
from mfa.datasets.readers.summary import counted
from mfa.records import Sample

_EXAMPLES = 3
_THREADS = 2


def broken(listing: Listing) -> Iterator[Finding]:
    """Pictures that cannot be decoded, by list; each is decoded once."""
    for split, samples in listing.splits().items():
        paths = [sample.path for sample in samples]
        bad = [(path, why) for path, why in zip(paths, _errors(paths, split), strict=True) if why]
        if bad:
            yield Finding(
                "error",
                "broken-picture",
                f"{len(bad):,} of {len(paths):,} {split} pictures cannot be read; training and "
                f"scoring leave them out. First: {bad[0][1]}",
                "copy them again from the archive (mfa data prepare does that), or remove them",
                len(bad),
                tuple(path.name for path, _ in bad[:_EXAMPLES]),
            )


def _errors(paths: list[Path], split: str) -> list[str]:
    with ThreadPoolExecutor(_THREADS) as pool:
        checks = pool.map(first_error, paths)
        progress = tqdm(checks, f"decoding {split}", len(paths), unit=" files", disable=None)
        return list(progress)


def duplicates(listing: Listing) -> Iterator[Finding]:
    """Files of equal content: between lists, and within a list under different people."""
    places: defaultdict[str, list[tuple[str, Sample]]] = defaultdict(list)
    for split, samples in listing.splits().items():
        hashes = content_hashes([sample.path for sample in samples])
        for sample, content in zip(samples, hashes, strict=True):
            places[content].append((split, sample))
    groups = [group for content, group in places.items() if content and len(group) > 1]
    leaks = [g for g in groups if "train" in {s for s, _ in g} != {"train"}]
    twins = [g for g in groups if {s for s, _ in g} == {"query", "gallery"}]
    people = [g for g in groups if len({sample.pid for _, sample in g}) > 1]
    if leaks:
        yield _finding(
            "duplicate-train-test",
            leaks,
            "in the training list and in a test list",
            "take them out of one of the two",
        )
    if twins:
        yield _finding(
            "duplicate-query-gallery",
            twins,
            "in the query list and in the gallery, where each is its own perfect match unless the "
            "camera rule leaves it out",
            "take them out of the gallery, or keep the camera rule",
        )
    if people:
        yield _finding(
            "duplicate-people",
            people,
            "under two identities",
            "find out which identity is right and remove the other file",
        )


def _finding(code: str, groups: list[list[tuple[str, Sample]]], what: str, fix: str) -> Finding:
    examples = (
        " = ".join(f"{s.path.parent.name}/{s.path.name}" for _, s in group[:2])
        for group in groups[:_EXAMPLES]
    )
    return Finding(
        "warning",
        code,
        f"equal content {what}: {counted(len(groups), 'picture')}",
        fix,
        len(groups),
        tuple(examples),
    )
