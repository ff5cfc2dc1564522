"""``mfa compare RUN RUN ... --data NAME``: runs and models side by side on one dataset."""

from __future__ import annotations

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
    from mfa.comparison.compare import Overview
    from mfa.retrieval.results import RetrievalResult


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
        output: Also write the table as CSV, and beside it the pairs (NAME-pairs.csv) and the
            queries whose Rank-1 turned (NAME-flipped.csv).
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
    if output:
        _keep(found, results, output)
    cards = {name: result.card for name, result in results.items()}
    if json:
        print_json(_facts(found, cards))
    else:
        answer(*_lines(found, cards))


def _facts(found: Overview, cards: dict[str, Any]) -> dict[str, Any]:
    return {
        "models": found.table.to_dict("records"),
        "pairs": found.pairs.to_dict("records"),
        "not_comparable": [
            {"first": first, "second": second, "why": why}
            for (first, second), why in found.refused.items()
        ],
        "not_stated": list(found.unknown),
        "cards": cards,
    }


def _keep(found: Overview, results: dict[str, RetrievalResult], path: Path) -> None:
    """The table with what it takes to repeat each row, and beside it pairs and flipped queries."""
    from mfa.files import csv_text, write_atomically
    from mfa.runs.provenance import stamp

    table = found.table.copy()
    stated = ("dataset", "fingerprint", "feature", "input_size", "inputs", "flip", "checkpoint")
    for field in (*stated, "filter"):
        table[field] = [result.card.get(field, "") for result in results.values()]
    write_atomically(path, csv_text(table.assign(**stamp())))
    write_atomically(path.with_name(f"{path.stem}-pairs.csv"), csv_text(found.pairs))
    write_atomically(path.with_name(f"{path.stem}-flipped.csv"), csv_text(found.flipped))


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
