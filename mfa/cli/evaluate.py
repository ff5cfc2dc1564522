"""``mfa evaluate RUN``: score a run on a dataset, the one it was trained on or another.

``mfa evaluate FILE``, of a file of features, is ``mfa.cli.evaluate_file``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import tyro

from mfa.cli.options import (
    DataRoot,
    Device,
    Flip,
    Json,
    Ranking,
    RunName,
    Top,
    command,
    print_json,
    say,
)
from mfa.cli.rules import Rules, in_percent, scored, table, write_ranking
from mfa.errors import InputError
from mfa.progress import answer

if TYPE_CHECKING:
    from mfa.records import ReidDataset
    from mfa.retrieval.protocols import DrawnResult
    from mfa.retrieval.results import RetrievalResult
    from mfa.runs.run import Run


def evaluate(
    run: RunName,
    /,
    rules: tyro.conf.OmitArgPrefixes[Rules],
    computing: Device,
    data: str | None = None,
    data_root: DataRoot = None,
    query: Literal["partial", "occluded"] | None = None,
    gallery: Literal["whole"] | None = None,
    multi_query: bool = False,
    flip: Flip = False,
    ranking: Ranking = None,
    top: Top = 10,
    separation: bool = False,
    compile: bool = False,
    json: Json = False,
) -> None:
    """Score a run; writes RUN/results/DATASET.json and a CSV with one row per query beside it.

    Another dataset than the one trained on makes it a cross-dataset score; the card names both.
    A file of features has options of its own: mfa evaluate FILE.npz --help. With several GPUs:
    torchrun --nproc-per-node N -m -- mfa.cli evaluate RUN ...

    Args:
        data: Dataset to score on; by default the one the run was trained on.
        query: Queries of partial_reid and synthetic_partial: cut-out parts, or people behind
            something.
        gallery: Their gallery; there is only one.
        multi_query: Take the mean of the pictures of a query's person by the query's camera: those
            in gt_bbox where the dataset has that folder, else those of the query list.
        separation: Also measure how far the branches are apart on the query pictures.
        compile: Translate the network with torch.compile first, which takes a minute or two and
            needs a C++ compiler. For thousands of pictures.
    """
    from mfa.inference.evaluate import (
        extract_features,
        measure_separation,
        pool_queries,
        resolve,
    )
    from mfa.processes import joined

    opened = computing.open(run, compile=compile)
    name = data if query is None and gallery is None else _partial_set(data, query)
    dataset = resolve(opened, name, data_root)
    for note in dataset.notes:
        say(note)
    result: RetrievalResult | DrawnResult | None = None
    with joined(opened.device) as ranks:
        features = extract_features(opened, dataset, flip=flip, progress=ranks.writes, ranks=ranks)
        if rules.shared and not (ranking or multi_query):
            result = scored(features, rules, ranks)
    if not ranks.writes:  # what is not shared, the first process does alone
        return
    if ranking:
        write_ranking(features.query, features.gallery, ranking, top, rules.distance)
        return
    if multi_query:
        features = pool_queries(opened, dataset, features, flip=flip)
    result = result or scored(features, rules)
    rounded = "" if computing.precision == "float32" else f"-{computing.precision}"
    how = "-flip" * flip + "-multi-query" * multi_query + rounded + rules.suffix
    _keep(opened, dataset, result, how)
    summary = {"run": opened.name, **in_percent(result, rules)}
    if separation:
        summary["separation"] = measure_separation(opened, dataset)
    if json:
        print_json(summary)
    else:
        answer(*_lines(summary))


def _partial_set(data: str | None, query: str | None) -> str | None:
    """The name of a partial set with the choice of queries; ``NAME_occluded`` is the other one."""
    base = (data or "").removesuffix("_occluded")
    if base not in ("partial_reid", "synthetic_partial"):
        raise InputError(
            "--query and --gallery choose lists of a partial set; add --data partial_reid or "
            "--data synthetic_partial, or leave them out"
        )
    return {None: data, "partial": base, "occluded": f"{base}_occluded"}[query]


def kept_score(run: Run, data: ReidDataset) -> list[str]:
    """Score by the standard protocol and keep the result; the lines to print."""
    from mfa.inference.evaluate import extract_features

    rules = Rules()
    result = scored(extract_features(run, data, progress=True), rules)
    _keep(run, data, result)
    return _lines({"run": run.name, **in_percent(result, rules)})


def _keep(
    run: Run, data: ReidDataset, result: RetrievalResult | DrawnResult, how: str = ""
) -> None:
    """Write the result beside the run, under a name that tells what departs from the standard."""
    if run.path is not None:
        result.save(run.path / "results" / f"{_title(run, data)}{how}.json")


def _title(run: Run, data: ReidDataset) -> str:
    """The dataset's name; of another folder than the one trained on, that folder's too.

    All pictures of a user's own are called ``folder``, and each keeps its result.
    """
    own = data.fingerprint == run.checkpoint.facts.get("fingerprint")
    return data.name if own or data.name != "folder" else f"{data.name}-{data.root.name}"


def _lines(summary: dict[str, Any]) -> list[str]:
    card = summary["card"]
    words = ("mAP", "mAP_trapezoid", "mINP", "rank1", "rank5", "rank10")
    figures = "  ".join(f"{word} {summary[word]:.2f}" for word in words if word in summary)
    lines = [f"{summary['run']} on {card['dataset']}: {figures}", *table(summary)]
    lines.append(f"trained on {card['trained_on']}, scored on {card['dataset']}")
    lines += [f"note: {note}" for note in card.get("notes", ())]
    lines += [f"{name}: {value:.3f}" for name, value in summary.get("separation", {}).items()]
    left_out = card.get("left_out") or []
    if left_out:
        lines.append(
            f"{len(left_out)} pictures could not be read and were left out; first: {left_out[0]}"
        )
    return lines


def main(argv: list[str]) -> None:
    """Score a run, or the file of features that is among the words."""
    from mfa.cli import evaluate_file
    from mfa.retrieval.feature_file import SUFFIXES

    of_file = any(word.endswith(SUFFIXES) for word in argv)
    (evaluate_file.main if of_file else command("mfa evaluate", evaluate))(argv)
