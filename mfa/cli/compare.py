"""``mfa compare RUN RUN ... --data NAME``: runs and models side by side on one dataset."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from mfa.cli.models import ExternalSettings, Scoring, free, scored
from mfa.cli.options import (
    DataRoot,
    Device,
    Flip,
    Json,
    NoCamera,
    command,
    print_json,
    read_data,
)
from mfa.errors import InputError
from mfa.progress import answer

if TYPE_CHECKING:
    import pandas as pd

    from mfa.comparison.compare import Overview
    from mfa.records import ReidDataset
    from mfa.retrieval.results import RetrievalResult

SHARES = [
    *(f"{side}{end}" for side in ("first", "second") for end in ("", "_low", "_high")),
    *("difference", "low", "high"),
]
"""Columns of ``measure_slices`` that are fractions."""


def compare(
    models: tuple[str, ...] = (),
    /,
    *,
    computing: Device,
    external: tyro.conf.OmitArgPrefixes[ExternalSettings],
    data: str | None = None,
    data_root: DataRoot = None,
    flip: Flip = False,
    no_camera: NoCamera = False,
    slices: bool = False,
    output: Path | None = None,
    json: Json = False,
) -> None:
    """Score runs and models on the same queries: one table, paired tests, flipped queries.

    Two results are tested only where their protocol cards agree; else the difference is named.

    Args:
        models: Runs (folders, names under runs/, released weights such as mfa-tiny), feature files
            (.npz, .mat, .pt), and external models: .onnx, .xml, .pt2, torchvision:NAME, timm:NAME,
            module:function, each with settings of its own behind it where it needs them
            (theirs.onnx,size=384x128,inputs=half, and name=WORD for the table). The first is the
            reference.
        data: Dataset to score on; feature files bring their own.
        slices: Also hold each model against the first on parts of the queries: each camera; with
            --data also the darkest, brightest and smallest pictures.
        output: Also write the table as CSV, and beside it the pairs (NAME-pairs.csv), the queries
            whose Rank-1 turned (NAME-flipped.csv) and the parts (NAME-slices.csv).
    """
    if not models:
        raise InputError("name runs or models: mfa compare RUN RUN --data NAME")
    dataset = None if data is None else read_data(data, data_root)
    results: dict[str, RetrievalResult] = {}
    scoring = Scoring(flip, not no_camera, computing)
    for word in models:
        name, result = scored(word, dataset, external, scoring)
        results[free(name, results)] = result
    from mfa.comparison.compare import overview

    found = overview(results)
    parts = _slices(found, results, dataset) if slices else None
    if output:
        _keep(found, results, output, parts)
    cards = {name: result.card for name, result in results.items()}
    if json:
        print_json(_facts(found, cards, parts))
    else:
        answer(*_lines(found, cards), *([] if parts is None else _slice_lines(parts)))


def _slices(
    found: Overview, results: dict[str, RetrievalResult], data: ReidDataset | None
) -> pd.DataFrame:
    """``measure_slices`` of each model that may be tested against the first, in percent."""
    import pandas as pd

    from mfa.comparison.slices import measure_slices, query_slices

    (reference, first), *others = results.items()
    parts = query_slices(first, data)
    tables = [
        measure_slices(first, result, parts).assign(reference=reference, model=name)
        for name, result in others
        if (reference, name) not in found.refused
    ]
    if not tables:
        raise InputError("--slices compares models on parts of the queries, and none can be tested")
    table = pd.concat(tables, ignore_index=True)
    table[SHARES] *= 100
    return table[["reference", "model", *table.columns.drop(["reference", "model"])]]


def _slice_lines(table: pd.DataFrame) -> list[str]:
    shown = table[["model", "slice", "figure", "queries", "identities", "first", "second"]].copy()
    for name in ("first", "second", "difference"):
        shown[name] = table[name].map("{:.2f}".format)
    ends = zip(table["low"], table["high"], strict=True)
    shown["95 %"] = [f"{low:+.2f} to {high:+.2f}" for low, high in ends]
    shown["p"], shown["by Holm"] = (table[p].map("{:.4f}".format) for p in ("p_value", "p_holm"))
    return [
        "",
        f"parts of the queries; first: {table['reference'].iloc[0]}, second: the row's model",
        *shown.to_string(index=False).split("\n"),
    ]


def _facts(found: Overview, cards: dict[str, Any], parts: pd.DataFrame | None) -> dict[str, Any]:
    by_part = (
        {} if parts is None else {"slices": json_module.loads(parts.to_json(orient="records"))}
    )
    return {
        **by_part,
        "models": found.table.to_dict("records"),
        "pairs": found.pairs.to_dict("records"),
        "not_comparable": [
            {"first": first, "second": second, "why": why}
            for (first, second), why in found.refused.items()
        ],
        "not_stated": list(found.unknown),
        "cards": cards,
    }


def _keep(
    found: Overview, results: dict[str, RetrievalResult], path: Path, parts: pd.DataFrame | None
) -> None:
    """The table with what it takes to repeat each row; beside it pairs, flipped queries, parts."""
    from mfa.files import csv_text, write_atomically
    from mfa.runs.provenance import stamp

    table = found.table.copy()
    stated = ("dataset", "fingerprint", "feature", "input_size", "inputs", "flip", "checkpoint")
    for field in (*stated, "filter"):
        table[field] = [result.card.get(field, "") for result in results.values()]
    write_atomically(path, csv_text(table.assign(**stamp())))
    write_atomically(path.with_name(f"{path.stem}-pairs.csv"), csv_text(found.pairs))
    write_atomically(path.with_name(f"{path.stem}-flipped.csv"), csv_text(found.flipped))
    if parts is not None:
        write_atomically(path.with_name(f"{path.stem}-slices.csv"), csv_text(parts.round(4)))


def _lines(found: Overview, cards: dict[str, Any]) -> list[str]:
    shown = found.table.copy()
    for figure in ("mAP", "rank1"):
        ends = shown.pop(f"{figure}_low"), shown.pop(f"{figure}_high")
        words = [f"{low:.1f}-{high:.1f}" for low, high in zip(*ends, strict=True)]
        shown.insert(list(shown).index(figure) + 1, f"{figure} 95 %", words)
    lines = shown.to_string(index=False).split("\n")
    for row in found.pairs.to_dict("records"):
        line = (
            f"{row['second']} - {row['first']}: {row['figure']} {row['difference']:+.2f} "
            f"({row['low']:+.2f} to {row['high']:+.2f}), p {row['p_value']:.4f}"
        )
        if len(found.table) > 2:
            line += f", {row['p_holm']:.4f} by Holm"
        if row["figure"] == "rank1":
            line += f"; Rank-1 gained on {row['gained']}, lost on {row['lost']} queries"
        lines.append(line)
    for (first, second), why in found.refused.items():
        lines.append(f"{second} is not tested against {first}: {why}")
    if found.unknown:
        lines.append(f"not stated by all cards, so not checked: {', '.join(found.unknown)}")
    card = next(iter(cards.values()))
    return [*lines, f"{card['dataset']}: {card['filter']}; {card['ap_rule']}"]


main = command("mfa compare", compare)
