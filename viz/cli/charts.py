"""``mfa-viz charts RUN...``: a run's scores in charts, as PNG, PDF and SVG."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from mfa.cli.options import Computing
from mfa.errors import InputError
from viz.cli.options import DataRoot, NoCamera

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mfa.comparison.verification import Verification
    from mfa.retrieval.results import RetrievalResult
    from viz.paper.captions import Words
    from viz.tables import Table

WORDS = {
    "cmc": "Queries with a match among the first r ranks.",
    "ap": "Queries by average precision; the line stands at the mean.",
    "distances": "Distances of pairs of one person and of two, each as a density.",
    "roc": "Pairs of one person accepted against pairs of two accepted, over all thresholds.",
    "cameras": "Score by camera of query and gallery; an empty cell has no query to be scored.",
    "gallery": "Score by size of the gallery: all matches, and distractors drawn at random.",
    "branches": "Each branch's part of the descriptor alone, and the whole.",
    "descriptors": "Descriptors of some people on a plane, queries ringed.",
}
"""What each chart shows, for its caption."""

COMPARING = ("cmc", "ap", "roc")
"""Charts of all runs; the others show the first."""


@dataclass(frozen=True)
class Options:
    """Draw what a score is made of, for one run or several.

    CMC, AP over queries, distances of pairs, ROC and thresholds; for the first run also mAP by
    pair of cameras, by size of the gallery, by branch, and a map of its descriptors.
    """

    runs: tyro.conf.Positional[tuple[str, ...]]
    """Folders of runs, or their names under runs/."""
    computing: tyro.conf.OmitArgPrefixes[Computing]
    out: Path | None = None
    """Folder to write to; by default FIRST RUN/figures."""
    only: tuple[str, ...] = ()
    """Charts to draw; by default all that can be drawn."""
    data: str | None = None
    """Dataset to score on; by default the one the first run was trained on."""
    data_root: DataRoot = None
    no_camera: NoCamera = False
    projection: Literal["pca", "tsne", "umap"] = "tsne"
    """How descriptors are laid on a plane."""


def main(argv: list[str]) -> None:
    """Parse, score, draw, name the files; a chart that cannot be drawn is said and left out."""
    options = tyro.cli(Options, prog="mfa-viz charts", args=argv)
    if not options.runs:
        raise InputError("name a run: mfa-viz charts RUN")
    from mfa.comparison.verification import verify
    from mfa.inference.evaluate import evaluate, resolve
    from viz import theme
    from viz.export import save
    from viz.paper import captions
    from viz.paper.inputs import by_name

    runs = by_name(options.computing.open(path) for path in options.runs)
    name, run = next(iter(runs.items()))
    data = resolve(run, options.data, options.data_root)
    camera = not options.no_camera
    results = {
        name: evaluate(one, data, camera_filter=camera, progress=True) for name, one in runs.items()
    }
    first = {name: results[name]}
    charts = _charts(results, options.projection, camera)
    unknown = sorted(set(options.only) - set(charts))
    if unknown:
        raise InputError(f"no chart {unknown[0]!r}; there are {', '.join(charts)}")
    folder = options.out or (run.path or Path()) / "figures"
    for chart in options.only or charts:
        try:
            figure = theme.figure_of(charts[chart]())
        except InputError as error:
            print(f"{chart} left out: {error}", file=sys.stderr)
            continue
        words = captions.results(results if chart in COMPARING else first)
        caption = f"{WORDS[chart]} {words.caption}"
        for path in save(figure, folder / chart, caption=caption, details=words.details):
            print(path)
    if not options.only:
        features = results[name].features
        assert features is not None  # evaluate keeps them
        table = _thresholds(verify(features, camera_filter=camera), captions.results(first))
        for path in table.save(folder / "thresholds"):
            print(path)


def _thresholds(verification: Verification, words: Words) -> Table:
    from viz.tables import Cell, Table

    rows = [
        (
            Cell(f"{row['accepted']:g}"),
            Cell.number(row["threshold"], "measured", 3),
            Cell.number(100 * row["tpr"], "measured"),
            Cell.number(100 * row["fnr"], "measured"),
        )
        for _, row in verification.thresholds().iterrows()
    ]
    return Table(
        ("wrong pairs accepted", "threshold", "same person accepted (%)", "missed (%)"),
        tuple(rows),
        f"Thresholds on the distance, over {verification.same:,} pairs of one person and "
        f"{verification.other:,} of different people; equal error rate "
        f"{100 * verification.eer:.2f} %. {words.caption}",
        details=words.details,
    )


def _charts(
    results: dict[str, RetrievalResult], projection: Literal["pca", "tsne", "umap"], camera: bool
) -> dict[str, Callable[[], Axes]]:
    import viz
    from mfa.comparison.breakdown import by_camera_pair, by_gallery_size
    from mfa.comparison.projection import measure_embedding
    from mfa.comparison.verification import verify
    from mfa.retrieval.branch_weights import score_branches

    features = {name: result.features for name, result in results.items() if result.features}
    first, own = next(iter(results.values())), next(iter(features.values()))

    def branches() -> Axes:
        if len(own.branches) < 2:
            raise InputError("the descriptor has one branch, which is the whole")
        alone = {
            name: score_branches(own, {name: 1.0}, camera_filter=camera) for name, _ in own.branches
        }
        return viz.plot_branch_scores(alone, whole=first)

    return {
        "cmc": lambda: viz.plot_cmc(results),
        "ap": lambda: viz.plot_ap_distribution(results),
        "distances": lambda: viz.plot_distances(verify(own, camera_filter=camera)),
        "roc": lambda: viz.plot_roc(
            {name: verify(side, camera_filter=camera) for name, side in features.items()}
        ),
        "cameras": lambda: viz.plot_camera_pairs(by_camera_pair(own, camera_filter=camera)),
        "gallery": lambda: viz.plot_gallery_size(by_gallery_size(own, camera_filter=camera)),
        "branches": branches,
        "descriptors": lambda: viz.plot_embedding(measure_embedding(own, method=projection)),
    }
