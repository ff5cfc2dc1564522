"""``mfa-viz attention RUN...``: where the branches look, in numbers, and the claims judged."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from mfa.cli.options import DataRoot, Device, Json, Pictures, Seed, Within, command, print_json
from mfa.errors import InputError
from mfa.files import csv_text, write_atomically
from mfa.progress import answer
from viz.cli.options import Reference

if TYPE_CHECKING:
    import pandas as pd

    from mfa.explain.measure import Attention
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

OF_CARD = ("run", "model", "seed", "checkpoint", "fingerprint", "method")
"""Fields of the card that every row carries."""


def attention(
    runs: tuple[str, ...] = (),
    /,
    *,
    computing: Device,
    data: str | None = None,
    data_root: DataRoot = None,
    out: Path | None = None,
    pictures: Annotated[int | None, Within(1, 1_000_000)] = None,
    queries: Annotated[int, Pictures] = 100,
    modes: tuple[Literal["deletion", "insertion", "least_first"], ...] = ("deletion", "insertion"),
    fill: Literal["mean", "road"] = "mean",
    controls: bool = False,
    methods: tuple[str, ...] = ("HiResCAM",),
    reference: Reference = 64,
    cover: float = 0.0,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Measure attention against part masks and by hiding what the maps show.

    Writes attention.csv (means with 95 % intervals), claims.csv (the paper's sentences with
    verdicts), faithfulness.csv and cards.json with one block per run and method, and charts of the
    first.

    Args:
        runs: Folders of runs, or their names under runs/.
        data: A dataset with part masks (synthetic, or after mfa data masks); by default the one the
            first run was trained on.
        out: Folder of what is written; by default FIRST RUN/attention.
        pictures: Query pictures measured; by default all.
        queries: Query pictures hidden from in parts; 0 leaves faithfulness out.
        modes: What is hidden: the top of a map, all but the top, the bottom.
        fill: What hidden pixels become: the picture's mean colour, or an interpolation (ROAD).
        controls: Hide by the order of the person's silhouette and of the picture's edges as well.
        methods: Weightings of pytorch-grad-cam by name.
        cover: Share of the height that the mean colour covers, above in one picture and below in
            the next, such as 0.3; does a branch fall back then? Faithfulness sees whole pictures.
        seed: Of all drawing.
    """
    if not runs:
        raise InputError("name a run: mfa-viz attention RUN")
    import pandas as pd

    from mfa.explain.measure import attention_by_rule

    opened = [computing.open(path) for path in runs]
    folder = out or (opened[0].path or Path()) / "attention"
    folder.mkdir(parents=True, exist_ok=True)
    how: dict[str, Any] = {"data_root": data_root, "reference": reference, "seed": seed}
    hiding: dict[str, Any] = {
        "queries": queries,
        "modes": modes,
        "fill": fill,
        "controls": controls,
    }
    tables: dict[str, list[pd.DataFrame]] = {}
    cards: list[dict[str, Any]] = []
    measured = [
        (run, attention)
        for run in opened
        for attention in attention_by_rule(
            run, data, pictures=pictures, methods=methods, cover=cover, **how
        ).values()
    ]
    for run, attention in measured:
        charts, card = None if cards else folder, attention.card
        found = _summarise(run, attention, seed, charts)
        if queries:
            hiding["method"] = card["method"]
            found["faithfulness"] = _faithfulness(run, data, how, hiding, card, charts)
        cards.append(card)
        for name, table in found.items():
            for place, field in enumerate(OF_CARD):
                word = card[field]
                table.insert(place, field, word[:12] if field == "fingerprint" else word)
            tables.setdefault(name, []).append(table)
    for name, parts in tables.items():
        whole = pd.concat(parts, ignore_index=True).round(4)
        write_atomically(folder / f"{name}.csv", csv_text(whole))
    (folder / "cards.json").write_text(f"{json_module.dumps(cards, indent=2)}\n", encoding="utf-8")
    if json:
        claims = [table.to_dict("records") for table in tables["claims"]]
        print_json({"cards": cards, "claims": claims})
        return
    judged = pd.concat(tables["claims"]).sort_index(kind="stable")
    judged = judged[["claim", "run", "method", *judged.columns[len(OF_CARD) + 1 :]]]
    answer(*judged.round(3).to_string(index=False).split("\n"), f"written to {folder}")


def _summarise(
    run: Run, found: Attention, seed: int, charts: Path | None
) -> dict[str, pd.DataFrame]:
    """The tables of one run and rule by name; with ``charts`` also pictures of them."""
    from mfa.explain.paper_claims import judge_claims
    from viz import theme
    from viz.charts.attention import plot_attention, plot_attention_regions
    from viz.export import save
    from viz.paper import captions

    summary = found.summary(seed=seed)
    if charts is not None:
        words, details = captions.attention(found.card)
        drawn = {"regions": (plot_attention_regions(summary), "Shares of each map by region.")}
        for measure in POINTS:
            if (summary["measure"] == measure).any():
                drawn[measure] = plot_attention(summary, measure), POINTS[measure]
        for name, (ax, what) in drawn.items():
            figure = theme.figure_of(ax)
            save(figure, charts / name, caption=f"{what} {words}", details=details)
    claims = judge_claims(summary, tuple(run.model.heads))
    return {"attention": summary, "claims": claims}


def _faithfulness(
    run: Run,
    data: str | None,
    how: dict[str, Any],
    hiding: dict[str, Any],
    card: dict[str, Any],
    charts: Path | None,
) -> pd.DataFrame:
    import pandas as pd

    from mfa.explain.measure import measure_faithfulness
    from mfa.explain.tables import persons_of, summarise
    from viz import theme
    from viz.charts.attention import plot_faithfulness
    from viz.export import save
    from viz.paper import captions

    table = measure_faithfulness(run, data, progress=True, **how, **hiding)
    if charts is not None:
        words, details = captions.attention({**card, "pictures": table["picture"].nunique()})
        for mode in hiding["modes"]:
            figure = theme.figure_of(plot_faithfulness(table, mode=mode))
            save(figure, charts / mode, caption=f"{MODES[mode]} {words}", details=details)
    means = []
    for change in ("AP_change", "rank_change"):
        by = ("mode", "map", "share")
        part = summarise(table, by, value=change, persons=persons_of(table), seed=how["seed"])
        part.insert(3, "change", change.partition("_")[0])
        means.append(part)
    return pd.concat(means, ignore_index=True)


main = command("mfa-viz attention", attention)
