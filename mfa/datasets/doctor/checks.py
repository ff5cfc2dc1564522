"""Findings from names and labels alone: no file's content is read here."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from mfa.datasets.doctor.findings import Finding, Severity
from mfa.datasets.readers.listing import Listing, is_litter
from mfa.datasets.readers.summary import Summary, counted
from mfa.records import DISTRACTOR, JUNK, NO_CAMERA, Sample

_EXAMPLES = 3

_JUNK_AWAY = ", unless nothing but junk (-1) is missing, which never counts"


def left_out(listing: Listing) -> Iterator[Finding]:
    """One finding for each reason the reader left something out."""
    groups: defaultdict[tuple[Path, str], list[Path]] = defaultdict(list)
    for path, why in listing.left_out:
        groups[path.parent, why].append(path)
    for (folder, why), paths in groups.items():
        code, severity, fix = _meaning(why)
        yield Finding(
            severity,
            code,
            f"left out {len(paths):,} in {folder}: {why}",
            fix,
            len(paths),
            tuple(path.name for path in paths[:_EXAMPLES]),
        )


def _meaning(why: str) -> tuple[str, Severity, str]:
    if why.startswith("the name"):
        return "strange-name", "warning", "remove them, or give them names of this dataset"
    if why.startswith("not a picture"):
        return "not-a-picture", "note", ""
    if why.startswith("a folder"):
        return "unexpected-folder", "warning", "move its pictures up, or remove it"
    if "is not there" in why:
        return "listed-but-missing", "error", "copy the missing files, or get the matching list"
    if "another identity" in why:
        return "list-disagrees", "error", "get list files and pictures of the same version"
    return "not-listed", "warning", "nothing, unless list files of another version are in place"


def litter(folder: Path) -> Iterator[Finding]:
    """What file managers left behind."""
    names: Counter[str] = Counter()
    for _, folders, files in os.walk(folder):
        names.update(filter(is_litter, folders + files))
        folders[:] = [name for name in folders if not is_litter(name)]
    if names:
        yield Finding(
            "note",
            "litter",
            f"ignored what file managers leave behind: {names.total():,} files or folders",
            count=names.total(),
            examples=tuple(name for name, _ in names.most_common(_EXAMPLES)),
        )


def against_published(summaries: tuple[Summary, ...], title: str) -> Iterator[Finding]:
    """Lists whose size differs from the published one."""
    for summary in summaries:
        if summary.as_published is not False or summary.published is None:
            continue
        fewer = summary.images < (summary.published.images or 0)
        source = summary.published.source
        yield Finding(
            "warning" if summary.published.checked else "note",
            "counts-differ",
            f"{' '.join(summary.line().split())}; source of the published numbers: {source}",
            f"{'complete' if fewer else 'check'} the {summary.split} list; results are not "
            f"comparable with those of others on {title} until it is whole"
            f"{_JUNK_AWAY if fewer and summary.split == 'gallery' else ''}",
            abs(summary.images - (summary.published.images or 0)),
        )


def shared_identities(listing: Listing, name: str) -> Iterator[Finding]:
    """People who are in the training list and in the test lists."""
    if name == "msmt17":
        return  # its numbers start anew in the test lists
    train = {sample.pid for sample in listing.train} - {JUNK, DISTRACTOR}
    test = {sample.pid for sample in (*listing.query, *listing.gallery)}
    both = sorted(train & test)
    if both:
        yield Finding(
            "warning" if name == "folder" else "error",
            "shared-identities",
            f"in the training list and in the test lists: {counted(len(both), 'person')}, so the "
            "score would be of people the network has learned by heart",
            "split by identity (mfa data folder makes such a split)",
            len(both),
            tuple(map(str, both[:_EXAMPLES])),
        )


def cameras(listing: Listing) -> Iterator[Finding]:
    """No camera known, or only one."""
    camids = {sample.camid for sample in (*listing.query, *listing.gallery)}
    if camids == {NO_CAMERA}:
        yield Finding(
            "note",
            "no-camera",
            "no camera is known, so no picture is left out for being by the query's own camera",
        )
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
    total = len(listing.query)
    if absent:
        yield _dropped(
            "query-without-match",
            absent,
            total,
            "no gallery picture shows their person",
            "add pictures of these people to the gallery, or take the queries out",
        )
    if same_camera:
        yield _dropped(
            "query-same-camera",
            same_camera,
            total,
            "all gallery pictures of their person are by the query's own camera, which the "
            "standard protocol leaves out",
            "add pictures by other cameras, or score without that rule (--no-camera)",
        )


def _dropped(code: str, queries: list[Sample], total: int, why: str, fix: str) -> Finding:
    return Finding(
        "error" if len(queries) == total else "warning",
        code,
        f"{len(queries):,} of {total:,} queries will be dropped: {why}",
        fix,
        len(queries),
        tuple(query.path.name for query in queries[:_EXAMPLES]),
    )
