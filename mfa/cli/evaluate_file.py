"""``mfa evaluate FILE``: the figures of a file of features (``.npz``, ``.mat``, ``.pt``)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from mfa.cli.options import say
from mfa.cli.rules import Rules, in_percent, scored, table, write_ranking
from mfa.errors import InputError

if TYPE_CHECKING:
    from mfa.records import Features


@dataclass(frozen=True)
class Args:
    """Score a file of features of any model: CMC, mAP by both rules, mINP, the protocol card."""

    file: tyro.conf.Positional[Path]
    """The .npz, .mat or .pt file: a group NAME is the arrays NAME, NAME_pid and, where known,
    NAME_camid and NAME_name. The names that the test scripts of layumi and torchreid write are
    known too."""
    rules: tyro.conf.OmitArgPrefixes[Rules]
    query: str = "query"
    """Group of the queries."""
    gallery: str = "gallery"
    """Group that is ranked."""
    multi_query: str | None = None
    """Group whose pictures of the same person and camera are pooled into each query; the name of
    the query group itself pools the queries."""
    arrays: tuple[str, ...] = ()
    """What the file calls arrays that it names otherwise, such as query=feats query_pid=labels."""
    branch: tuple[str, ...] = ()
    """Branches to use, as NAME or NAME=WEIGHT; by default the whole descriptor."""
    intervals: int = 1000
    """Bootstrap draws of identities for the 95 % intervals; 0 for none."""
    ranking: Path | None = None
    """Write the nearest gallery pictures of every query to this file (.csv) instead of scoring; for
    a gallery without labels."""
    top: int = 10
    """How many of them."""
    output: Path | None = None
    """Also write the result: this file (.json) and the queries beside it (.csv)."""
    json: bool = False
    """Print one JSON object, figures in percent."""


def main(argv: list[str]) -> None:
    """Score as ``argv`` says."""
    args = tyro.cli(Args, args=argv, prog="mfa evaluate", config=(tyro.conf.FlagCreatePairsOff,))
    from mfa.retrieval.statistics import check_draws

    if args.intervals:
        check_draws(args.intervals)
    if args.ranking:
        _rank(args, args.ranking)
        return
    result = scored(_features(args), args.rules)
    if args.output:
        result.save(args.output)
    summary = in_percent(result, args.rules, args.intervals)
    print(json.dumps(summary) if args.json else table(summary))


def _rank(args: Args, file: Path) -> None:
    from mfa.retrieval.feature_file import read_group

    query, gallery = (
        read_group(args.file, name, labels=False, names=_names(args))
        for name in (args.query, args.gallery)
    )
    write_ranking(query, gallery, file, args.top, args.rules.distance)


def _features(args: Args) -> Features:
    from mfa.retrieval import feature_file
    from mfa.retrieval.branch_weights import weighted
    from mfa.retrieval.doubts import knows_cameras
    from mfa.retrieval.protocols import multi_query

    names = _names(args)
    features = feature_file.read(args.file, query=args.query, gallery=args.gallery, names=names)
    filtered = not args.rules.no_camera and all(
        knows_cameras(side) for side in (features.query, features.gallery)
    )
    if args.query == args.gallery and not filtered:
        raise InputError(
            f"query and gallery are both {args.query!r} and no camera filter applies, so every "
            "picture would find itself; choose two groups, or give cameras"
        )
    if not args.rules.no_camera and not filtered:
        say("no camera is known in this file, so no camera filter is applied")
    if args.branch:
        features = weighted(features, dict(_weight(text) for text in args.branch))
    if args.multi_query:
        own = args.multi_query == args.query
        others = None if own else feature_file.read_group(args.file, args.multi_query, names=names)
        features = multi_query(features, others)
    return features


def _names(args: Args) -> dict[str, str]:
    pairs = [word.partition("=") for word in args.arrays]
    if not all(ours and theirs for ours, _, theirs in pairs):
        raise InputError("--arrays takes OURS=THEIRS, such as query_pid=labels")
    return {ours: theirs for ours, _, theirs in pairs}


def _weight(text: str) -> tuple[str, float]:
    name, _, weight = text.partition("=")
    try:
        return name, float(weight or 1)
    except ValueError as error:
        raise InputError(f"--branch {text}: {weight!r} is not a number") from error
