"""``mfa-viz charts RUN...``: a run's scores in charts, as PNG, PDF and SVG."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mfa.cli.options import DataRoot, Device, NoCamera, command, say
from mfa.errors import InputError
from mfa.progress import answer
from viz.cli.options import write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mfa.comparison.verification import Verification
    from mfa.retrieval.results import RetrievalResult
    from viz.paper.captions import Words
    from viz.tables import Table

Projection = Literal["pca", "tsne", "umap"]

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


def charts(
    runs: tuple[str, ...] = (),
    /,
    *,
    computing: Device,
    out: Path | None = None,
    only: tuple[str, ...] = (),
    data: str | None = None,
    data_root: DataRoot = None,
    no_camera: NoCamera = False,
    projection: Projection = "tsne",
) -> None:
    """Draw what a score is made of, for one run or several.

    CMC, AP over queries, distances of pairs, ROC and thresholds; for the first run also mAP by
    pair of cameras, by size of the gallery, by branch, and a map of its descriptors. A chart that
    cannot be drawn is said and left out.

    Args:
        runs: Folders of runs, or their names under runs/.
        out: Folder to write to; by default FIRST RUN/figures.
        only: Charts to draw; by default all that can be drawn.
        data: Dataset to score on; by default the one the first run was trained on.
        projection: How descriptors are laid on a plane.
    """
    if not runs:
        raise InputError("name a run: mfa-viz charts RUN")
    from mfa.comparison.verification import verify
    from mfa.inference.evaluate import evaluate, resolve
    from viz import theme
    from viz.paper import captions
    from viz.paper.inputs import by_name

    opened = by_name(computing.open(path) for path in runs)
    first, run = next(iter(opened.items()))
    dataset = resolve(run, data, data_root)
    camera = not no_camera
    results = {
        name: evaluate(one, dataset, camera_filter=camera, progress=True)
        for name, one in opened.items()
    }
    drawers = _charts(results, projection, camera)
    unknown = sorted(set(only) - set(drawers))
    if unknown:
        raise InputError(f"no chart {unknown[0]!r}; there are {', '.join(drawers)}")
    folder = out or (run.path or Path()) / "figures"
    of_first = captions.results({first: results[first]})
    for chart in only or drawers:
        try:
            figure = theme.figure_of(drawers[chart]())
        except InputError as error:
            say(f"{chart} left out: {error}")
            continue
        words = captions.results(results) if chart in COMPARING else of_first
        write(figure, folder / chart, f"{WORDS[chart]} {words.caption}", words.details)
    if not only:
        features = results[first].features
        assert features is not None  # evaluate keeps them
        table = _thresholds(verify(features, camera_filter=camera), of_first)
        answer(*map(str, table.save(folder / "thresholds")))


def _thresholds(verification: Verification, words: Words) -> Table:
    from viz.tables import Cell, Table

    rows = [
        (
            Cell(f"{row['accepted']:g}"),
            Cell.number(row["threshold"], "measured", 3),
            *(Cell.number(100 * row[share], "measured") for share in ("tpr", "fnr")),
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
    results: dict[str, RetrievalResult], projection: Projection, camera: bool
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


main = command("mfa-viz charts", charts)
