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
    ablation_rows,
    cell,
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
    rows: list[tuple[Cell, ...]] = []
    sources: list[str] = []
    breaks: list[int] = []
    sizes = published("datasets")
    for (dataset, setting), group in sizes.groupby(["dataset", "setting"], sort=False):
        breaks.append(len(rows))
        data = _on_disk(inputs, str(dataset), str(setting))
        for _, row in group.iterrows():
            split = str(row["split"])
            name = f"{title(str(dataset))} {setting}".strip()
            listed = [cell(row, column, 0) for column in ("identities", "images", "cameras")]
            rows.append((Cell(name), Cell(split), *listed, *_counted(data, split)))
            sources.append(str(row["source"]))
    for dataset, data in inputs.present.items():
        if not dataset.startswith("synthetic") or dataset.endswith("_occluded"):
            continue
        breaks.append(len(rows))
        for split in ("train", "query", "gallery"):
            if getattr(data, split):
                blank = (EMPTY, EMPTY, EMPTY)
                rows.append((Cell(title(dataset)), Cell(split), *blank, *_counted(data, split)))
                sources.append(f"counted here, fingerprint {data.fingerprint[:12]}")
    return Table(
        ("dataset", "list", "ids", "images", "cameras", "ids here", "images here", "cameras here"),
        tuple(rows),
        "Datasets: published sizes, and what is on disk here. Junk and distractors count as "
        "images, not as identities; published cameras are those of the whole dataset, of which "
        "one list may show fewer.",
        tuple(breaks[1:]),
        tuple(sources),
    )


def table4(inputs: PaperInputs) -> Table:
    """The methods on four datasets."""
    listed = published()
    listed = listed[listed["dataset"].isin(FULL) & (listed["kind"] != "ablation")]
    rows, sources, breaks = _published_rows(listed, FULL, ("mAP", "rank1"))
    measured = {
        name: data
        for name, data in inputs.present.items()
        if any(name == full or name.startswith(f"{full}_") for full in FULL)
    }
    extra = () if inputs.dataset.name in measured else (inputs.dataset.name,)
    measured.setdefault(inputs.dataset.name, inputs.dataset)
    rows = [(*row, *[EMPTY] * (2 * len(extra))) for row in rows]
    breaks.append(len(rows))
    for name, run in inputs.named.items():
        cells: list[Cell] = [Cell(name), Cell("")]
        for dataset in (*FULL, *extra):
            data = next((d for n, d in measured.items() if n.startswith(dataset)), None)
            if data is None:
                cells += [EMPTY, EMPTY]
                continue
            scored = inputs.result(run, data)
            cells += [Cell.number(100 * value, "measured") for value in (scored.mAP, scored.rank1)]
        rows.append(tuple(cells))
        sources.append(f"measured here: {name}, {describe(run)}, weights {run.hash[:12]}")
    kept, origins = _kept_rows(inputs, (*FULL, *extra))
    rows += kept
    sources += origins
    words = [inputs.protocol(data) for data in measured.values()]
    rules = [protocol(inputs.result(inputs.runs[0], data)) for data in measured.values()]
    columns = headings((*FULL, *extra), ("mAP", "R1"))
    return Table(
        ("method", "setting", *columns),
        tuple(rows),
        "Methods on four datasets, mAP and Rank-1 in per cent. Published figures were measured by "
        "their authors, each with its own input size, training and protocol; CUHK03 comes labeled "
        f"and detected. Measured here: {' '.join(rules)}",
        tuple(breaks),
        tuple(sources),
        groups((*FULL, *extra), ("mAP", "R1"), before=2),
        dict.fromkeys(columns, "max"),
        " ".join(one.details for one in words),
    )


def _kept_rows(
    inputs: PaperInputs, datasets: Sequence[str]
) -> tuple[list[tuple[Cell, ...]], list[str]]:
    """Rows of ``mfa ablate default`` that were kept with the repository, for Table 4."""
    ours = ablation_rows("default", inputs.results)
    rows: list[tuple[Cell, ...]] = []
    sources: list[str] = []
    for name, mine in ours[ours["dataset"].isin(datasets)].groupby("row", sort=False):
        cells = [Cell(str(name)), Cell("")]
        for dataset in datasets:
            part = mine[mine["dataset"] == dataset]
            cells += [spread(part["mAP"]), spread(part["rank1"])]
        rows.append(tuple(cells))
        facts = [
            f"{column} {', '.join(str(value) for value in mine[column].unique())}"
            for column in ("seed", "epochs", "fingerprint", "commit")
            if column in mine
        ]
        sources.append(f"measured here, {inputs.results.name}/default: {'; '.join(facts)}")
    return rows, sources


def table5(inputs: PaperInputs) -> Table:
    """Size and speed."""
    rows: list[tuple[Cell, ...]] = []
    sources: list[str] = []
    for _, row in published("complexity").iterrows():
        speed = (cell(row, "parameters_m"), EMPTY, cell(row, "fps"), Cell(str(row["device"])))
        rows.append((Cell(str(row["method"])), Cell("256x128"), *speed))
        sources.append(str(row["source"]) or "no figure known to us")
    published_rows = len(rows)
    for name, run in inputs.named.items():
        size = complexity(run.config)
        shape = f"{run.config.data.height}x{run.config.data.width}"
        millions = Cell.number(size.parameters / 1e6, "measured")
        macs = Cell.number(size.macs / 1e9, "measured", 2)
        rows.append((Cell(name), Cell(shape), millions, macs, EMPTY, Cell("")))
        sources.append(f"counted here: {name}, {describe(run)}")
    return Table(
        ("method", "input", "parameters (M)", "multiply-adds (G)", "images/s", "device"),
        tuple(rows),
        "Size and speed. Parameters without classifiers; multiply-adds per picture. Speed "
        "depends on the machine: python -m benchmarks models measures it on yours.",
        (published_rows,),
        tuple(sources),
    )


def table6(inputs: PaperInputs) -> Table:
    """Rank-1 on the partial sets, single gallery shot."""
    listed = published()
    listed = listed[listed["dataset"].isin(PARTIAL)]
    rows, sources, breaks = _published_rows(listed, PARTIAL, ("rank1",))
    sets = {name: data for name, data in inputs.present.items() if "partial" in name}
    extra = [name for name in sets if name not in PARTIAL]
    rows = [(*row, *[EMPTY] * len(extra)) for row in rows]
    breaks.append(len(rows))
    if sets:
        for name, run in inputs.named.items():
            cells = [Cell(name), Cell(f"{DRAWS} draws")]
            for dataset in (*PARTIAL, *extra):
                cells.append(_drawn(inputs, run, sets[dataset]) if dataset in sets else EMPTY)
            rows.append(tuple(cells))
            sources.append(
                f"measured here: {name}, {describe(run)}, weights {run.hash[:12]}, "
                "seed of the draws 0"
            )
    prints = "; ".join(f"{title(n)} {data.fingerprint[:12]}" for n, data in sets.items())
    return Table(
        ("method", "setting", *(title(name) for name in (*PARTIAL, *extra))),
        tuple(rows),
        "Rank-1 in per cent on partial sets, single gallery shot: one picture of each person in "
        "the gallery. Measured here: mean ± standard deviation over draws, cosine distance, no "
        "re-ranking.",
        tuple(breaks),
        tuple(sources),
        best={title(name): "max" for name in (*PARTIAL, *extra)},
        details=f"Fingerprints of the sets here: {prints}." if prints else "",
    )


def _published_rows(
    listed: pd.DataFrame, datasets: Sequence[str], figures: Sequence[str]
) -> tuple[list[tuple[Cell, ...]], list[str], list[int]]:
    """One row per method and setting, by kind; a second figure of a set makes another row."""
    listed = listed.assign(place=listed["kind"].map(KINDS.index))
    rows: list[tuple[Cell, ...]] = []
    sources: list[str] = []
    breaks: list[int] = []
    for _, kind in listed.groupby("place", sort=True):
        if rows:
            breaks.append(len(rows))
        for method, group in kind.groupby("method", sort=False):
            left = group.copy()
            while len(left):
                line = left.drop_duplicates("dataset")
                cells = [Cell(str(method)), Cell(_setting(line))]
                for dataset in datasets:
                    match = line[line["dataset"] == dataset]
                    cells += [cell(match.iloc[0], f) if len(match) else EMPTY for f in figures]
                rows.append(tuple(cells))
                sources.append("; ".join(dict.fromkeys(line["source"])))
                left = left.drop(line.index)
    return rows, sources, breaks


def _setting(line: pd.DataFrame) -> str:
    stated = [
        setting if dataset not in ("cuhk03",) else f"CUHK03 {setting}"
        for dataset, setting in zip(line["dataset"], line["setting"], strict=True)
        if setting
    ]
    return ", ".join(dict.fromkeys(stated))


def _on_disk(inputs: PaperInputs, dataset: str, setting: str) -> ReidDataset | None:
    names = (f"{dataset}_{setting}", dataset) if setting else (dataset,)
    return next((inputs.present[name] for name in names if name in inputs.present), None)


def _counted(data: ReidDataset | None, split: str) -> tuple[Cell, Cell, Cell]:
    """Identities, images and cameras of a list on disk."""
    if data is None or not getattr(data, split):
        return EMPTY, EMPTY, EMPTY
    size = summarise(split, getattr(data, split))
    cameras = Cell.number(size.cameras, "measured", 0) if size.cameras else EMPTY
    return (
        Cell.number(size.identities, "measured", 0),
        Cell.number(size.images, "measured", 0),
        cameras,
    )


def _drawn(inputs: PaperInputs, run: Run, data: ReidDataset) -> Cell:
    features = inputs.result(run, data).features
    assert features is not None  # evaluate keeps them
    summary = single_shot(features, draws=DRAWS, seed=0).summary(percent=True)
    return Cell(f"{summary['rank1']:.1f} ± {summary['rank1_spread']:.1f}", "measured")
