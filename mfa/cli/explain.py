"""``mfa explain``: maps of a pair for any model, and tests of what maps are worth."""

from __future__ import annotations

import json as json_module
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from mfa.cli.models import ExternalSettings, embedder
from mfa.cli.options import (
    Blocks,
    DataRoot,
    Device,
    Json,
    Pictures,
    RunName,
    Seed,
    Within,
    command,
    print_json,
)
from mfa.errors import InputError
from mfa.progress import answer


def repaint(
    run: RunName,
    /,
    computing: Device,
    persons: Annotated[int, Within(1, 100)] = 100,
    methods: tuple[str, ...] = (),
    reference: Annotated[int, Pictures] = 64,
    seed: Seed = 0,
    out: Path | None = None,
    json: Json = False,
) -> None:
    """Rank map rules: does the map of a difference lie on the one thing that was changed?

    Args:
        persons: Drawn people, up to 100; each is shown with jacket, trousers, shoes, bag and hat
            changed.
        methods: Weightings of pytorch-grad-cam by name; by default all but the slow ones.
        reference: Drawn pictures whose mean map is subtracted; 0 for none.
        seed: Of the drawing and the intervals.
        out: The table; by default RUN/explain/repaint.csv.
    """
    from mfa.explain import weightings
    from mfa.explain.repaint import measure_repaint
    from mfa.files import csv_text, write_atomically

    opened = computing.open(run)
    table = measure_repaint(
        opened,
        persons=persons,
        methods=methods or weightings.ARRAY_METHODS,
        reference=reference,
        seed=seed,
        progress=True,
    )
    shown = table[table["thing"] == "all"].drop(columns="thing")
    table.insert(0, "run", opened.name)
    table.insert(1, "checkpoint", opened.hash)
    path = out or (opened.path or Path()) / "explain/repaint.csv"
    write_atomically(path, csv_text(table.round(4)))
    if json:
        print_json(json_module.loads(table.to_json(orient="records")))
        return
    answer(*shown.round(3).to_string(index=False).split("\n"), f"written to {path}")


def pair(
    model: str,
    query: Path,
    gallery: Path,
    /,
    *,
    computing: Device,
    external: tyro.conf.OmitArgPrefixes[ExternalSettings],
    blocks: Blocks = 1,
    seed: Seed = 0,
    out: Path | None = None,
    json: Json = False,
) -> None:
    """Which places bring two pictures together, for any model? It is only asked to embed.

    Parts of one picture are hidden; the map says what showing each is worth to the cosine. Its
    top is then hidden, and alone shown, beside that of maps from shuffled masks.

    Args:
        model: A run, or an external model as in mfa compare: .onnx, .xml, .pt2, torchvision:NAME,
            timm:NAME, module:function, with size= and inputs= behind it where it needs them.
        query: A picture.
        gallery: The other picture.
        seed: Of which places are hidden together.
        out: Also write the maps to this file (.npz).
    """
    import numpy as np

    from mfa.explain.pair_faithfulness import pair_faithfulness, verdict
    from mfa.explain.pair_maps import pair_maps
    from mfa.files import atomic

    opened = embedder(model, external, computing)
    maps = pair_maps(opened, query, gallery, blocks=blocks, seed=seed, progress=True)
    table = pair_faithfulness(opened, maps)
    if out:
        arrays: dict[str, Any] = {name: side.map for name, side in maps.sides.items()}
        arrays |= {f"{name}_shuffled": side.shuffled for name, side in maps.sides.items()}
        with atomic(out.with_suffix(".npz")) as draft, draft.open("wb") as stream:
            np.savez_compressed(stream, **arrays)
    if json:
        facts = {"model": maps.model, "cosine": maps.score, "masks": maps.masks}
        print_json({**facts, "faithfulness": table.to_dict("records")})
        return
    means = table.groupby(["mode", "share", "map"], sort=False)["change"].mean().unstack()
    answer(
        f"{maps.model}: cosine {maps.score:.3f}, {maps.masks} masks of each picture",
        "change of the cosine, mean of both sides:",
        *means.round(3).to_string().split("\n"),
        verdict(table),
    )


def passport(
    runs: tuple[str, ...] = (),
    /,
    *,
    computing: Device,
    data: str | None = None,
    data_root: DataRoot = None,
    methods: tuple[str, ...] = (),
    queries: Annotated[int, Within(2, 1_000_000)] = 100,
    reference: Annotated[int, Pictures] = 64,
    fills: tuple[Literal["mean", "road"], ...] = ("mean", "road"),
    shares: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4),
    seed: Seed = 0,
    out: Path | None = None,
    json: Json = False,
) -> None:
    """Passports of maps, one per run and rule: what the maps pass, and what they do not.

    Do the maps change when the weights are drawn anew from the top down? Does hiding their top cost
    more AP than hiding their bottom, and more so than by the order of the person's silhouette or of
    the picture's edges? mfa-viz maps --passport draws the answers under a picture.

    Args:
        runs: Folders of runs, or their names under runs/.
        data: A dataset with part masks (synthetic, or after mfa data masks); by default the one
            each run was trained on.
        methods: Weightings of pytorch-grad-cam by name; by default HiResCAM, GradCAM, LayerCAM and
            EigenGradCAM.
        queries: Query pictures with trusted masks.
        reference: Gallery pictures whose mean map is subtracted; 0 for none.
        fills: What hidden pixels become: the picture's mean colour, or an interpolation (ROAD).
        shares: Of the pixels that are hidden.
        seed: Of all drawing.
        out: The table; by default FIRST RUN/explain/passport.csv.
    """
    if not runs:
        raise InputError("name a run: mfa explain passport RUN")
    import pandas as pd

    from mfa.explain.passport import QUESTIONS, RULES, measure_passport
    from mfa.explain.tables import LIKENESS
    from mfa.files import csv_text, write_atomically
    from mfa.inference.evaluate import resolve

    opened = [computing.open(path) for path in runs]
    tables = []
    for run in opened:
        dataset = resolve(run, data, data_root)
        table = measure_passport(
            run,
            dataset,
            methods=methods or RULES,
            queries=queries,
            reference=reference,
            fills=fills,
            shares=shares,
            seed=seed,
            progress=True,
        )
        card = {"run": run.name, "checkpoint": run.hash, "dataset": dataset.name}
        tables.append(table.assign(**card, reference=reference))
    whole = pd.concat(tables, ignore_index=True).round(4)
    path = out or (opened[0].path or Path()) / "explain/passport.csv"
    write_atomically(path, csv_text(whole))
    if json:
        print_json(json_module.loads(whole.to_json(orient="records")))
        return
    columns = ["run", "rule", "check", "against", "fill", "mean", "low", "high", "verdict"]
    asked = whole.loc[whole["check"].isin(QUESTIONS), columns].fillna("").round(3)
    alike = whole[whole["check"] == LIKENESS]
    alike = alike.pivot_table("mean", ["run", "rule"], "against", sort=False).round(2)
    answer(
        *asked.to_string(index=False).split("\n"),
        "likeness to other maps, then to those with weights drawn anew from the top:",
        *alike.to_string().split("\n"),
        f"written to {path}",
    )


ACTIONS: Mapping[str, Callable[..., None]] = {
    "pair": pair,
    "passport": passport,
    "repaint": repaint,
}
main = command("mfa explain", ACTIONS, "Maps for any model, and what the maps of a run are worth.")
