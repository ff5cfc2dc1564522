"""What the doctor checks: names and labels, then the files themselves."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from mfa.datasets.doctor.report import Finding, Severity
from mfa.datasets.loading.decode import first_error
from mfa.datasets.loading.threads import in_threads
from mfa.datasets.readers.counts import Summary
from mfa.datasets.readers.layout import Layout
from mfa.datasets.readers.listing import Listing, Reason, counted, is_litter
from mfa.records import DISTRACTOR, JUNK, NO_CAMERA, Sample

_EXAMPLES = 3

_MEANING: dict[Reason, tuple[Severity, str]] = {
    Reason.NAME: ("warning", "remove them, or give them names of this dataset"),
    Reason.NOT_AN_IMAGE: ("note", ""),
    Reason.FOLDER: ("warning", "move its pictures up, or remove it"),
    Reason.ABSENT: ("error", "copy the missing files, or get the matching list"),
    Reason.OTHER_PID: ("error", "get list files and pictures of the same version"),
    Reason.UNLISTED: ("warning", "nothing, unless list files of another version are in place"),
}
"""How grave each reason is, and what to do about it."""


def left_out(listing: Listing) -> Iterator[Finding]:
    """One finding for each reason the reader left something out."""
    for group in listing.reasons():
        severity, fix = _MEANING[group[0].reason]
        places = {item.path.parent for item in group}
        where = f"in {places.pop()}" if len(places) == 1 else f"in {len(places):,} folders"
        what = f"left out {len(group):,} {where}: {group[0].why}"
        names = tuple(item.path.name for item in group[:_EXAMPLES])
        yield Finding(severity, group[0].reason.code, what, fix, len(group), names)


def litter(folder: Path) -> Iterator[Finding]:
    """What file managers left behind."""
    names: Counter[str] = Counter()
    for _, folders, files in os.walk(folder):
        names.update(filter(is_litter, folders + files))
        folders[:] = [name for name in folders if not is_litter(name)]
    if names:
        what = f"ignored what file managers leave behind: {names.total():,} files or folders"
        examples = tuple(name for name, _ in names.most_common(_EXAMPLES))
        yield Finding("note", "litter", what, count=names.total(), examples=examples)


def counts(summaries: Sequence[Summary], title: str) -> Iterator[Finding]:
    """Lists whose size differs from the published one."""
    for summary in summaries:
        if summary.as_published is not False or summary.published is None:
            continue
        difference = summary.images - (summary.published.images or 0)
        fix = (
            f"{'complete' if difference < 0 else 'check'} the {summary.split} list; results are "
            f"not comparable with those of others on {title} until it is whole"
        )
        if difference < 0 and summary.split == "gallery":
            fix += ", unless nothing but junk (-1) is missing, which never counts"
        yield Finding(
            "warning" if summary.published.checked else "note",
            "counts-differ",
            f"{summary.sentence()}; source of the published numbers: {summary.published.source}",
            fix,
            abs(difference),
        )


def shared_identities(listing: Listing, layout: Layout) -> Iterator[Finding]:
    """People who are in the training list and in the test lists."""
    train = {sample.pid for sample in listing.train} - {JUNK, DISTRACTOR}
    test = {sample.pid for sample in (*listing.query, *listing.gallery)}
    both = sorted(train & test)
    if layout.shared_pids == "nothing" or not both:
        return
    fix = "get the lists again as they were published"
    if layout.name == "folder":
        fix = (
            "divide people anew: mfa data folder DIR --table dataset.csv --split train=divide "
            "query=divide gallery=divide"
        )
    yield Finding(
        layout.shared_pids,
        "shared-identities",
        f"in the training list and in the test lists: {counted(len(both), 'person')}, so the "
        "score would be of people the network has learned by heart",
        fix,
        len(both),
        tuple(map(str, both[:_EXAMPLES])),
    )


def cameras(listing: Listing) -> Iterator[Finding]:
    """No camera known, or only one."""
    camids = {sample.camid for sample in (*listing.query, *listing.gallery)}
    if camids == {NO_CAMERA}:
        what = "no camera is known, so no picture is left out for being by the query's own camera"
        yield Finding("note", "no-camera", what)
    elif len(camids) == 1:
        yield Finding(
            "error",
            "one-camera",
            f"every test picture is by camera {camids.pop()}; the standard protocol leaves out "
            "pictures of the query's person by the query's camera, which leaves no match at all",
            "give the pictures their true cameras, or score without that rule (--no-camera)",
            len(listing.query),
        )


def dropped_queries(listing: Listing) -> Iterator[Finding]:
    """Queries without any match that counts, by the rule the score uses, with the reason."""
    if all(sample.pid == JUNK for sample in listing.gallery):
        yield Finding(
            "note",
            "no-labels",
            "no gallery picture has a label, so the gallery can be ranked and not scored: mfa "
            "evaluate RUN --ranking FILE, mfa-viz grid RUN",
        )
        return
    seen: defaultdict[int, set[int]] = defaultdict(set)
    for sample in listing.gallery:
        seen[sample.pid].add(sample.camid)
    absent, same_camera = [], []
    for query in listing.query:
        camids = seen.get(query.pid)
        if not camids or query.pid in (JUNK, DISTRACTOR):
            absent.append(query)
        elif camids == {query.camid} and query.camid != NO_CAMERA:
            same_camera.append(query)
    for code, queries, why, fix in (
        (
            "query-without-match",
            absent,
            "no gallery picture shows their person",
            "add pictures of these people to the gallery, or take the queries out",
        ),
        (
            "query-same-camera",
            same_camera,
            "all gallery pictures of their person are by the query's own camera, which the "
            "standard protocol leaves out",
            "add pictures by other cameras, or score without that rule (--no-camera)",
        ),
    ):
        if queries:
            total = len(listing.query)
            what = f"{len(queries):,} of {total:,} queries will be dropped: {why}"
            names = tuple(query.path.name for query in queries[:_EXAMPLES])
            severity: Severity = "error" if len(queries) == total else "warning"
            yield Finding(severity, code, what, fix, len(queries), names)


def broken(listing: Listing) -> Iterator[Finding]:
    """Pictures that cannot be decoded, by list; each is decoded once."""
    for split, samples in listing.splits().items():
        paths = [sample.path for sample in samples]
        checks = in_threads(first_error, paths)
        errors = list(tqdm(checks, f"decoding {split}", len(paths), unit=" files", disable=None))
        bad = [(path, why) for path, why in zip(paths, errors, strict=True) if why]
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


def duplicates(files: Sequence[tuple[str, Sample, str]]) -> Iterator[Finding]:
    """Files of equal content: between lists, and within a list under different people."""
    places: defaultdict[str, list[tuple[str, Sample]]] = defaultdict(list)
    for split, sample, content in files:
        places[content].append((split, sample))
    groups = [group for content, group in places.items() if content and len(group) > 1]
    for code, found, where, fix in (
        (
            "duplicate-train-test",
            [g for g in groups if "train" in {s for s, _ in g} != {"train"}],
            "in the training list and in a test list",
            "take them out of one of the two",
        ),
        (
            "duplicate-query-gallery",
            [g for g in groups if {s for s, _ in g} == {"query", "gallery"}],
            "in the query list and in the gallery, where each is its own perfect match unless the "
            "camera rule leaves it out",
            "take them out of the gallery, or keep the camera rule",
        ),
        (
            "duplicate-people",
            [g for g in groups if len({sample.pid for _, sample in g}) > 1],
            "under two identities",
            "find out which identity is right and remove the other file",
        ),
    ):
        if found:
            what = f"equal content {where}: {counted(len(found), 'picture')}"
            examples = tuple(
                " = ".join(f"{s.path.parent.name}/{s.path.name}" for _, s in group[:2])
                for group in found[:_EXAMPLES]
            )
            yield Finding("warning", code, what, fix, len(found), examples)
