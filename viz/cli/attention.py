"""``mfa-viz attention RUN...``: where the branches look, in numbers, and the claims judged."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from mfa.cli.options import Computing
from mfa.errors import InputError
from mfa.files import csv_text, write_atomically
from viz.cli.options import DataRoot

if TYPE_CHECKING:
    import pandas as pd

    from mfa.runs.run import Run

POINTS = {
    "centroid": "Vertical centre of each map.",
    "pointing": "Pictures whose map is highest on the person.",
    "cosine": "Cosine of the maps of two branches.",
    "iou": "Overlap of the highest fifths of the maps of two branches.",
}
"""Measures that get a chart of their own, in words for its caption."""

MODES = {
    "deletion": "Change of AP with the top of a map hidden.",
    "insertion": "Change of AP with the top of a map alone shown.",
    "least_first": "Change of AP with the bottom of a map hidden.",
}

OF_CARD = ("run", "model", "seed", "checkpoint", "fingerprint")
"""Fields of the card that every row carries."""


@dataclass(frozen=True)
class Options:
    """Measure attention against part masks and by hiding what the maps show.

    Writes attention.csv (means with 95 % intervals), claims.csv (the paper's sentences with
    verdicts), faithfulness.csv and cards.json with one block per run, and charts of the first run.
    """

    runs: tyro.conf.Positional[tuple[str, ...]]
    """Folders of runs, or their names under runs/."""
    computing: tyro.conf.OmitArgPrefixes[Computing]
    data: str | None = None
    """A dataset with part masks (synthetic, or after mfa data masks); by default the one the first
    run was trained on."""
    data_root: DataRoot = None
    out: Path | None = None
    """Folder of what is written; by default FIRST RUN/attention."""
    pictures: int | None = None
    """Query pictures measured; by default all."""
    queries: int = 100
    """Query pictures hidden from in parts; 0 leaves faithfulness out."""
    modes: tuple[Literal["deletion", "insertion", "least_first"], ...] = ("deletion", "insertion")
    """What is hidden: the top of a map, all but the top, the bottom."""
    fill: Literal["mean", "road"] = "mean"
    """What hidden pixels become: the picture's mean colour, or an interpolation (ROAD)."""
    controls: bool = False
    """Hide by the order of the person's silhouette and of the picture's edges as well."""
    method: str = "HiResCAM"
    """A weighting of pytorch-grad-cam by name."""
    reference: int = 64
    """Gallery pictures whose mean map is subtracted; 0 for none."""
    seed: int = 0
    """Of all drawing."""
    json_: Annotated[bool, tyro.conf.arg(name="json")] = False
    """Print cards and claims as one JSON object on stdout."""


def main(argv: list[str]) -> None:
    """Parse, measure, write, tell."""
    options = tyro.cli(Options, prog="mfa-viz attention", args=argv)
    if not options.runs:
        raise InputError("name a run: mfa-viz attention RUN")
    runs = [options.computing.open(path) for path in options.runs]
    out = options.out or (runs[0].path or Path()) / "attention"
    out.mkdir(parents=True, exist_ok=True)
    tables: dict[str, list[pd.DataFrame]] = {}
    cards = []
    for run in runs:
        found = _measure(run, options, out if run is runs[0] else None)
        card = found.pop("card")
        cards.append(card)
        for name, table in found.items():
            for place, field in enumerate(OF_CARD):
                word = card[field]
                table.insert(place, field, word[:12] if field == "fingerprint" else word)
            tables.setdefault(name, []).append(table)
    _write(out, tables)
    (out / "cards.json").write_text(json.dumps(cards, indent=2) + "\n", encoding="utf-8")
    if options.json_:
        claims = [table.to_dict("records") for table in tables["claims"]]
        print(json.dumps({"cards": cards, "claims": claims}))
        return
    for table in tables["claims"]:
        print(f"{table['run'].iloc[0]}:")
        print(table.drop(columns=list(OF_CARD)).round(3).to_string(index=False))
    print(f"written to {out}")


def _measure(run: Run, options: Options, charts: Path | None) -> dict[str, Any]:
    """The tables of one run by name, and its ``card``; with ``charts`` also pictures of them."""
    from mfa.explain.measure import measure_attention
    from mfa.explain.paper_claims import judge_claims
    from viz import theme
    from viz.charts.attention import plot_attention, plot_attention_regions
    from viz.export import save
    from viz.paper import captions

    found = measure_attention(
        run,
        options.data,
        data_root=options.data_root,
        pictures=options.pictures,
        method=options.method,
        reference=options.reference,
        seed=options.seed,
    )
    summary = found.summary(seed=options.seed)
    if charts is not None:
        words, details = captions.attention(found.card)
        figure = theme.figure_of(plot_attention_regions(summary))
        caption = f"Shares of each map by region. {words}"
        save(figure, charts / "regions", caption=caption, details=details)
        for measure in POINTS:
            if (summary["measure"] == measure).any():
                figure = theme.figure_of(plot_attention(summary, measure))
                caption = f"{POINTS[measure]} {words}"
                save(figure, charts / measure, caption=caption, details=details)
    tables = {"attention": summary, "claims": judge_claims(summary, tuple(run.model.heads))}
    if options.queries:
        tables["faithfulness"] = _faithfulness(run, options, charts, found.card)
    return {**tables, "card": found.card}


def _faithfulness(
    run: Run, options: Options, charts: Path | None, card: dict[str, Any]
) -> pd.DataFrame:
    import pandas as pd

    from mfa.explain.attention_metrics import summarise
    from mfa.explain.measure import measure_faithfulness, persons_of
    from viz import theme
    from viz.charts.attention import plot_faithfulness
    from viz.export import save
    from viz.paper import captions

    table = measure_faithfulness(
        run,
        options.data,
        data_root=options.data_root,
        queries=options.queries,
        method=options.method,
        reference=options.reference,
        modes=options.modes,
        fill=options.fill,
        controls=options.controls,
        seed=options.seed,
        progress=True,
    )
    if charts is not None:
        words, details = captions.attention({**card, "pictures": table["picture"].nunique()})
        for mode in options.modes:
            figure = theme.figure_of(plot_faithfulness(table, mode=mode))
            save(figure, charts / mode, caption=f"{MODES[mode]} {words}", details=details)
    means = []
    for change in ("AP_change", "rank_change"):
        by = ("mode", "map", "share")
        part = summarise(table, by, value=change, persons=persons_of(table), seed=options.seed)
        part.insert(3, "change", change.partition("_")[0])
        means.append(part)
    return pd.concat(means, ignore_index=True)


def _write(out: Path, tables: dict[str, list[pd.DataFrame]]) -> None:
    import pandas as pd

    for name, parts in tables.items():
        table = pd.concat(parts, ignore_index=True).round(4)
        write_atomically(out / f"{name}.csv", csv_text(table))
