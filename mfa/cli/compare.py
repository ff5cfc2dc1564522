"""``mfa compare RUN RUN ... --data NAME``: runs and models side by side on one dataset."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from mfa.cli.models import ExternalSettings, Scoring, free, scored
from mfa.cli.options import Computing, read_data
from mfa.errors import InputError

if TYPE_CHECKING:
    from mfa.comparison.compare import Overview
    from mfa.records import ReidDataset
    from mfa.retrieval.results import RetrievalResult


STATED = (
    "dataset",
    "fingerprint",
    "feature",
    "input_size",
    "inputs",
    "flip",
    "checkpoint",
    "filter",
)
"""What a kept row says of itself beside its figures, from the protocol card."""


@dataclass(frozen=True)
class Options:
    """Score runs and models on the same queries: one table, paired tests, flipped queries.

    Two results are tested only where their protocol cards agree; else the difference is named.
    """

    models: tyro.conf.Positional[tuple[str, ...]]
    """Runs (folders, names under runs/, released weights such as mfa-tiny), feature files (.npz,
    .mat, .pt), and external models: .onnx, .xml, .pt2, torchvision:NAME, timm:NAME,
    module:function, each with settings of its own behind it where it needs them
    (theirs.onnx,size=384x128,inputs=half, and name=WORD for the table). The first is the
    reference."""
    computing: tyro.conf.OmitArgPrefixes[Computing]
    external: tyro.conf.OmitArgPrefixes[ExternalSettings]
    data: str | None = None
    """Dataset to score on; feature files bring their own."""
    data_root: Path | None = None
    """Folder the datasets lie in; by default MFA_DATA, else data."""
    flip: bool = False
    """Take the mean vector of each picture and its mirror image."""
    no_camera: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Apply no camera filter."""
    output: Path | None = None
    """Also write the table as CSV, and beside it the pairs (NAME-pairs.csv) and the queries whose
    Rank-1 turned (NAME-flipped.csv)."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print one JSON object, figures in percent."""


def main(argv: list[str]) -> None:
    """Score each, compare, print.

    Raises:
        InputError: nothing to compare, a model that is none, or no dataset for it.
    """
    options = tyro.cli(Options, prog="mfa compare", args=argv)
    if not options.models:
        raise InputError("name runs or models: mfa compare RUN RUN --data NAME")
    data = _data(options)
    results: dict[str, RetrievalResult] = {}
    scoring = Scoring(options.flip, not options.no_camera, options.computing)
    for word in options.models:
        name, result = scored(word, data, options.external, scoring)
        results[free(name, results)] = result
    from mfa.comparison.compare import overview

    found = overview(results)
    if options.output:
        _keep(found, results, options.output)
    cards = {name: result.card for name, result in results.items()}
    if options.json:
        print(json.dumps(_facts(found, cards)))
        return
    print("\n".join(_lines(found, cards)))


def _data(options: Options) -> ReidDataset | None:
    if options.data is None:
        from mfa.retrieval.feature_file import SUFFIXES

        if all(word.endswith(SUFFIXES) for word in options.models):
            return None
        raise InputError("say which dataset to score on: --data NAME")
    return read_data(options.data, options.data_root)


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
    for field in STATED:
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
    lines = [shown.to_string(index=False)]
    for row in found.pairs.to_dict("records"):
        lines.append(
            f"{row['second']} - {row['first']}: {row['figure']} {row['difference']:+.2f} "
            f"({row['low']:+.2f} to {row['high']:+.2f}), p {row['p_value']:.4f}"
            + (f", {row['p_holm']:.4f} by Holm" if len(found.table) > 2 else "")
            + (
                f"; Rank-1 gained on {row['gained']}, lost on {row['lost']} queries"
                if row["figure"] == "rank1"
                else ""
            )
        )
    for (first, second), why in found.refused.items():
        lines.append(f"{second} is not tested against {first}: {why}")
    if found.unknown:
        lines.append(f"not stated by all cards, so not checked: {', '.join(found.unknown)}")
    card = next(iter(cards.values()))
    return [*lines, f"{card['dataset']}: {card['filter']}; {card['ap_rule']}"]
