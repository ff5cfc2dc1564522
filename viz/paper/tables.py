"""Counterparts of the paper's Tables 1 and 4 to 6: published figures and our own, told apart."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from mfa.datasets.readers.counts import summarise
from mfa.models.complexity import complexity
from mfa.records import ReidDataset
from mfa.retrieval.protocols import single_shot
from mfa.runs.run import Run
from viz.paper.captions import describe, protocol
from viz.paper.inputs import PaperInputs
from viz.paper.published import (
    Rows,
    ablation_rows,
    cell,
    facts,
    groups,
    headings,
    published,
    spread,
    title,
)
from viz.tables import EMPTY, Cell, Table

FULL = ("market1501", "dukemtmc", "cuhk03", "msmt17")
PARTIAL = ("partial_reid", "partial_ilids")
KINDS = ("global", "stripe", "mask", "pose", "attention", "beyond", "ours")
"""Order of the methods; ``beyond`` are those that use more than one labelled set."""

DRAWS = 100
"""Galleries of one picture per person, drawn for a single-shot figure."""


def table1(inputs: PaperInputs) -> Table:
    """Sizes of the datasets: published, and counted on disk."""
    rows = Rows()
    sizes = published("datasets")
    for (dataset, setting), group in sizes.groupby(["dataset", "setting"], sort=False):
        rows.line()
        names = (f"{dataset}_{setting}", str(dataset)) if setting else (str(dataset),)
        data = next((inputs.present[name] for name in names if name in inputs.present), None)
        name = Cell(f"{title(str(dataset))} {setting}".strip())
        for _, row in group.iterrows():
            split = str(row["split"])
            listed = [cell(row, column, 0) for column in ("identities", "images", "cameras")]
            rows.add(str(row["source"]), name, Cell(split), *listed, *_counted(data, split))
    for dataset, data in inputs.present.items():
        if not dataset.startswith("synthetic") or dataset.endswith("_occluded"):
            continue
        rows.line()
        source = f"counted here, fingerprint {data.fingerprint[:12]}"
        for split in ("train", "query", "gallery"):
            if getattr(data, split):
                name = Cell(title(dataset))
                rows.add(source, name, Cell(split), *[EMPTY] * 3, *_counted(data, split))
    return rows.table(
        ("dataset", "list", "ids", "images", "cameras", "ids here", "images here", "cameras here"),
        "Datasets: published sizes, and what is on disk here. Junk and distractors count as "
        "images, not as identities; published cameras are those of the whole dataset, of which "
        "one list may show fewer.",
    )


def table4(inputs: PaperInputs) -> Table:
    """The methods on four datasets."""
    measured = {
        name: data
        for name, data in inputs.present.items()
        if any(name == full or name.startswith(f"{full}_") for full in FULL)
    }
    own = inputs.dataset
    datasets = FULL if own.name in measured else (*FULL, own.name)
    measured.setdefault(own.name, own)
    listed = published()
    listed = listed[listed["dataset"].isin(FULL) & (listed["kind"] != "ablation")]
    rows = _published_rows(listed, datasets, ("mAP", "rank1"))
    for name, run in inputs.named.items():
        cells: list[Cell] = []
        for dataset in datasets:
            data = next((d for n, d in measured.items() if n.startswith(dataset)), None)
            scored = None if data is None else inputs.result(run, data)
            figures = (None, None) if scored is None else (100 * scored.mAP, 100 * scored.rank1)
            cells += [Cell.number(figure, "measured") for figure in figures]
        rows.add(f"measured here: {_made_by(name, run)}", Cell(name), Cell(""), *cells)
    kept = ablation_rows("default", inputs.results)  # rows of mfa ablate default
    for row, mine in kept[kept["dataset"].isin(datasets)].groupby("row", sort=False):
        parts = [mine[mine["dataset"] == dataset] for dataset in datasets]
        cells = [spread(part[figure]) for part in parts for figure in ("mAP", "rank1")]
        words = facts(mine, ("seed", "epochs", "fingerprint", "commit"))
        source = f"measured here, {inputs.results.name}/default: {words}"
        rows.add(source, Cell(str(row)), Cell(""), *cells)
    rules = [protocol(inputs.result(inputs.runs[0], data)) for data in measured.values()]
    columns = headings(datasets)
    return rows.table(
        ("method", "setting", *columns),
        "Methods on four datasets, mAP and Rank-1 in per cent. Published figures were measured by "
        "their authors, each with its own input size, training and protocol; CUHK03 comes labeled "
        f"and detected. Measured here: {' '.join(rules)}",
        groups=groups(datasets, before=2),
        best=dict.fromkeys(columns, "max"),
        details=" ".join(inputs.protocol(data).details for data in measured.values()),
    )


def table5(inputs: PaperInputs) -> Table:
    """Size and speed."""
    rows = Rows()
    for _, row in published("complexity").iterrows():
        speed = (cell(row, "parameters_m"), EMPTY, cell(row, "fps"), Cell(str(row["device"])))
        source = str(row["source"]) or "no figure known to us"
        rows.add(source, Cell(str(row["method"])), Cell("256x128"), *speed)
    rows.line()
    for name, run in inputs.named.items():
        size = complexity(run.config)
        shape = f"{run.config.data.height}x{run.config.data.width}"
        millions = Cell.number(size.parameters / 1e6, "measured")
        macs = Cell.number(size.macs / 1e9, "measured", 2)
        source = f"counted here: {name}, {describe(run)}"
        rows.add(source, Cell(name), Cell(shape), millions, macs, EMPTY, Cell(""))
    return rows.table(
        ("method", "input", "parameters (M)", "multiply-adds (G)", "images/s", "device"),
        "Size and speed. Parameters without classifiers; multiply-adds per picture. Speed "
        "depends on the machine: python -m benchmarks models measures it on yours.",
    )


def table6(inputs: PaperInputs) -> Table:
    """Rank-1 on the partial sets, single gallery shot."""
    sets = {name: data for name, data in inputs.present.items() if "partial" in name}
    datasets = list(dict.fromkeys([*PARTIAL, *sets]))
    listed = published()
    rows = _published_rows(listed[listed["dataset"].isin(PARTIAL)], datasets, ("rank1",))
    for name, run in inputs.named.items() if sets else ():
        cells = [_drawn(inputs, run, sets[n]) if n in sets else EMPTY for n in datasets]
        source = f"measured here: {_made_by(name, run)}, seed of the draws 0"
        rows.add(source, Cell(name), Cell(f"{DRAWS} draws"), *cells)
    prints = "; ".join(f"{title(n)} {data.fingerprint[:12]}" for n, data in sets.items())
    columns = [title(name) for name in datasets]
    return rows.table(
        ("method", "setting", *columns),
        "Rank-1 in per cent on partial sets, single gallery shot: one picture of each person in "
        "the gallery. Measured here: mean ± standard deviation over draws, cosine distance, no "
        "re-ranking.",
        best=dict.fromkeys(columns, "max"),
        details=f"Fingerprints of the sets here: {prints}." if prints else "",
    )


def _made_by(name: str, run: Run) -> str:
    return f"{name}, {describe(run)}, weights {run.hash[:12]}"


def _published_rows(listed: pd.DataFrame, datasets: Sequence[str], figures: Sequence[str]) -> Rows:
    """One row per method and setting, by kind; a second figure of a set makes another row."""
    listed = listed.assign(place=listed["kind"].map(KINDS.index))
    listed = listed.assign(turn=listed.groupby(["place", "method", "dataset"]).cumcount())
    rows = Rows()
    for _, kind in listed.groupby("place", sort=True):
        rows.line()
        for method, group in kind.groupby("method", sort=False):
            for _, line in group.groupby("turn"):
                of_set = {row["dataset"]: row for _, row in line.iterrows()}
                cells = [
                    cell(of_set[dataset], figure) if dataset in of_set else EMPTY
                    for dataset in datasets
                    for figure in figures
                ]
                sources = "; ".join(line["source"].unique())
                rows.add(sources, Cell(str(method)), Cell(_setting(line)), *cells)
    rows.line()
    return rows


def _setting(line: pd.DataFrame) -> str:
    stated = [
        f"CUHK03 {setting}" if dataset == "cuhk03" else setting
        for dataset, setting in zip(line["dataset"], line["setting"], strict=True)
        if setting
    ]
    return ", ".join(dict.fromkeys(stated))


def _counted(data: ReidDataset | None, split: str) -> tuple[Cell, Cell, Cell]:
    """Identities, images and cameras of a list on disk."""
    if data is None or not getattr(data, split):
        return EMPTY, EMPTY, EMPTY
    size = summarise(split, getattr(data, split))
    counts = (size.identities, size.images, size.cameras or None)
    identities, images, cameras = (Cell.number(count, "measured", 0) for count in counts)
    return identities, images, cameras


def _drawn(inputs: PaperInputs, run: Run, data: ReidDataset) -> Cell:
    features = inputs.result(run, data).features
    assert features is not None  # evaluate keeps them
    summary = single_shot(features, draws=DRAWS, seed=0).summary(percent=True)
    return Cell(f"{summary['rank1']:.1f} ± {summary['rank1_spread']:.1f}", "measured")
