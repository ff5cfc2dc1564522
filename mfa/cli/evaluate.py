"""``mfa evaluate RUN``: score a run on a dataset, the one it was trained on or another.

``mfa evaluate FILE``, of a file of features, is ``mfa.cli.evaluate_file``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tyro

from mfa.cli.options import Computing, say
from mfa.cli.rules import Rules, in_percent, scored, table, write_ranking
from mfa.errors import InputError

if TYPE_CHECKING:
    from mfa.records import ReidDataset
    from mfa.runs.run import Run

PARTIAL = ("partial_reid", "synthetic_partial")
"""Datasets with a choice of queries; NAME_occluded reads the other one."""


@dataclass(frozen=True)
class Options:
    """Score a run; writes RUN/results/DATASET.json and a CSV with one row per query beside it.

    Another dataset than the one trained on makes it a cross-dataset score; the card names both.
    A file of features has options of its own: mfa evaluate FILE.npz --help.
    """

    run: tyro.conf.Positional[str]
    """Folder of the run, or its name under runs/."""
    rules: tyro.conf.OmitArgPrefixes[Rules]
    computing: tyro.conf.OmitArgPrefixes[Computing]
    data: str | None = None
    """Dataset to score on; by default the one the run was trained on."""
    data_root: Path | None = None
    """Folder the datasets lie in; by default MFA_DATA, else data."""
    query: Literal["partial", "occluded"] | None = None
    """Queries of partial_reid and synthetic_partial: cut-out parts, or people behind something."""
    gallery: Literal["whole"] | None = None
    """Their gallery; there is only one."""
    multi_query: bool = False
    """Take the mean of the pictures of a query's person by the query's camera: those in gt_bbox
    where the dataset has that folder, else those of the query list."""
    flip: bool = False
    """Take the mean embedding of each picture and its mirror image."""
    ranking: Path | None = None
    """Write the nearest gallery pictures of every query to this file (.csv) instead of scoring; for
    a gallery without labels."""
    top: int = 10
    """How many of them."""
    separation: bool = False
    """Also measure how far the branches are apart on the query pictures."""
    json: bool = False
    """Print one JSON object."""


def main(argv: list[str]) -> None:
    """Parse, score, print."""
    from mfa.retrieval.feature_file import SUFFIXES

    if any(word.endswith(SUFFIXES) for word in argv):
        from mfa.cli import evaluate_file

        evaluate_file.main(argv)
        return
    options = tyro.cli(
        Options, prog="mfa evaluate", args=argv, config=(tyro.conf.FlagCreatePairsOff,)
    )
    from mfa.inference.evaluate import extract_features, measure_separation, resolve

    run = options.computing.open(options.run)
    data = resolve(run, _name(options), options.data_root)
    for note in data.notes:
        say(note)
    if options.ranking:
        features = extract_features(run, data, flip=options.flip, progress=True)
        write_ranking(
            features.query, features.gallery, options.ranking, options.top, options.rules.distance
        )
        return
    summary = {"run": run.name, **_score(run, data, options)}
    if options.separation:
        summary["separation"] = measure_separation(run, data)
    print(json.dumps(summary) if options.json else "\n".join(_lines(summary)))


def _name(options: Options) -> str | None:
    """The dataset asked for, with its choice of queries."""
    if options.query is None and options.gallery is None:
        return options.data
    base = (options.data or "").removesuffix("_occluded")
    if base not in PARTIAL:
        raise InputError(
            f"--query and --gallery choose lists of a partial set; add --data {PARTIAL[0]} or "
            f"--data {PARTIAL[1]}, or leave them out"
        )
    if options.query is None:
        return options.data
    return base if options.query == "partial" else f"{base}_occluded"


def kept_score(run: Run, data: ReidDataset) -> str:
    """Score by the standard protocol and keep the result, as without options; the figures in words.

    Raises:
        InputError: nothing in ``data`` can be scored, or the result cannot be written.
    """
    summary = _score(run, data, Options(str(run.path), Rules(), Computing()))
    return "\n".join(_lines({"run": run.name, **summary}))


def _score(run: Run, data: ReidDataset, options: Options) -> dict[str, Any]:
    from mfa.inference.evaluate import extract_features, pool_queries

    features = extract_features(run, data, flip=options.flip, progress=True)
    if options.multi_query:
        features = pool_queries(run, data, features, flip=options.flip)
    result = scored(features, options.rules)
    if run.path is not None:
        result.save(run.path / "results" / f"{_title(run, data)}{_suffix(options)}.json")
    return in_percent(result, options.rules)


def _title(run: Run, data: ReidDataset) -> str:
    """The dataset's name; of another folder than the one trained on, that folder's too.

    All pictures of a user's own are called ``folder``, and each keeps its result.
    """
    own = data.fingerprint == run.checkpoint.facts.get("fingerprint")
    return data.name if own or data.name != "folder" else f"{data.name}-{data.root.name}"


def _suffix(options: Options) -> str:
    flip, pooled = "-flip" * options.flip, "-multi-query" * options.multi_query
    rounded = "" if options.computing.precision == "float32" else f"-{options.computing.precision}"
    return f"{flip}{pooled}{rounded}{options.rules.suffix}"


def _lines(summary: dict[str, Any]) -> list[str]:
    card = summary["card"]
    words = [
        w for w in ("mAP", "mAP_trapezoid", "mINP", "rank1", "rank5", "rank10") if w in summary
    ]
    figures = "  ".join(f"{word} {summary[word]:.2f}" for word in words)
    lines = [f"{summary['run']} on {card['dataset']}: {figures}", table(summary)]
    lines.append(f"trained on {card['trained_on']}, scored on {card['dataset']}")
    lines += [f"note: {note}" for note in card.get("notes", ())]
    lines += [f"{name}: {value:.3f}" for name, value in summary.get("separation", {}).items()]
    left_out = card.get("left_out") or []
    if left_out:
        lines.append(
            f"{len(left_out)} pictures could not be read and were left out; first: {left_out[0]}"
        )
    return lines
