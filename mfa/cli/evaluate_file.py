"""``mfa evaluate FILE``: the figures of a file of features (``.npz``, ``.mat``, ``.pt``)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from mfa.cli.options import Json, Ranking, Top, Within, command, print_json, say
from mfa.cli.rules import Rules, in_percent, scored, table, write_ranking
from mfa.errors import InputError
from mfa.processes import joined, speaks
from mfa.progress import answer


def evaluate_file(
    file: Path,
    /,
    rules: tyro.conf.OmitArgPrefixes[Rules],
    query: str = "query",
    gallery: str = "gallery",
    multi_query: str | None = None,
    arrays: tuple[str, ...] = (),
    branch: tuple[str, ...] = (),
    intervals: Annotated[int, Within(0, 100_000)] = 1000,
    ranking: Ranking = None,
    top: Top = 10,
    output: Path | None = None,
    json: Json = False,
) -> None:
    """Score a file of features of any model: CMC, mAP by both rules, mINP, the protocol card.

    Args:
        file: The .npz, .mat or .pt file: a group NAME is the arrays NAME, NAME_pid and, where
            known, NAME_camid and NAME_name. The names that the test scripts of layumi and torchreid
            write are known too.
        query: Group of the queries.
        gallery: Group that is ranked.
        multi_query: Group whose pictures of the same person and camera are pooled into each query;
            the name of the query group itself pools the queries.
        arrays: What the file calls arrays that it names otherwise, such as query=feats
            query_pid=labels.
        branch: Branches to use, as NAME or NAME=WEIGHT; by default the whole descriptor.
        intervals: Bootstrap draws of identities for the 95 % intervals; 0 for none.
        output: Also write the result: this file (.json) and the queries beside it (.csv).
    """
    from mfa.retrieval import feature_file
    from mfa.retrieval.branch_weights import weighted
    from mfa.retrieval.doubts import knows_cameras
    from mfa.retrieval.protocols import multi_query as pooled

    names = _names(arrays)
    if ranking and not speaks():
        return
    if ranking:
        asked, ranked = (
            feature_file.read_group(file, name, labels=False, names=names)
            for name in (query, gallery)
        )
        write_ranking(asked, ranked, ranking, top, rules.distance)
        return
    features = feature_file.read(file, query=query, gallery=gallery, names=names)
    known = all(knows_cameras(side) for side in (features.query, features.gallery))
    if query == gallery and (rules.no_camera or not known):
        raise InputError(
            f"query and gallery are both {query!r} and no camera filter applies, so every "
            "picture would find itself; choose two groups, or give cameras"
        )
    if not rules.no_camera and not known:
        say("no camera is known in this file, so no camera filter is applied")
    if branch:
        features = weighted(features, dict(_weight(text) for text in branch))
    if multi_query:
        others = None
        if multi_query != query:
            others = feature_file.read_group(file, multi_query, names=names)
        features = pooled(features, others)
    with joined("cpu") as ranks:
        shared = scored(features, rules, ranks) if rules.shared else None
    if not ranks.writes:
        return
    result = shared or scored(features, rules)
    if output:
        result.save(output)
    summary = in_percent(result, rules, intervals)
    if json:
        print_json(summary)
    else:
        answer(*table(summary))


def _names(arrays: tuple[str, ...]) -> dict[str, str]:
    pairs = [word.partition("=") for word in arrays]
    if not all(ours and theirs for ours, _, theirs in pairs):
        raise InputError("--arrays takes OURS=THEIRS, such as query_pid=labels")
    return {ours: theirs for ours, _, theirs in pairs}


def _weight(text: str) -> tuple[str, float]:
    name, _, weight = text.partition("=")
    try:
        return name, float(weight or 1)
    except ValueError as error:
        raise InputError(f"--branch {text}: {weight!r} is not a number") from error


main = command("mfa evaluate", evaluate_file)
