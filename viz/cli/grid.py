"""``mfa-viz grid RUN...``: the first ranks of some queries, as PNG, PDF and SVG."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args

import tyro

from mfa.cli.models import ExternalSettings, Scoring, described, free, is_run, scored, settings
from mfa.cli.options import DataRoot, Device, Flip, NoCamera, Seed, Within, command, read_data, say
from mfa.errors import InputError
from mfa.records import JUNK
from viz.cli.options import BlurFaces, Width, write
from viz.grids import rank_cards

if TYPE_CHECKING:
    from mfa.records import Features, ReidDataset
    from mfa.retrieval.results import RetrievalResult

T = TypeVar("T")


def grid(
    runs: tuple[str, ...] = (),
    /,
    *,
    external: tyro.conf.OmitArgPrefixes[ExternalSettings],
    computing: Device,
    out: Path | None = None,
    queries: tuple[str, ...] = ("worst",),
    count: Annotated[int, Within(1, 100)] = 4,
    k: Annotated[int, Within(1, 50)] = 10,
    data: str | None = None,
    data_root: DataRoot = None,
    no_camera: NoCamera = False,
    flip: Flip = False,
    include_junk: bool = False,
    width: Width = "double",
    seed: Seed = 0,
    blur_faces: BlurFaces = False,
) -> None:
    """Draw a rank grid of one run or model, or of several one under another.

    Green frame and tick: a match. Dashed red frame and cross: somebody else. Grey: not counted.
    A gallery without labels is ranked, and nothing is scored.

    Args:
        runs: Runs (folders, or their names under runs/), feature files (.npz), and external models
            as `mfa compare` takes them, such as theirs.onnx,size=384x128,inputs=half; the first one
            chooses the queries.
        out: Path of the files without their ending; by default FIRST RUN/figures/grid-QUERIES, and
            figures/grid-QUERIES where the first is no run.
        queries: worst (lowest AP), first_error (first answer wrong), mixed (right and wrong
            answers), random, or positions in the list.
        count: How many queries, where they are not given one by one.
        k: Ranks shown.
        data: Dataset to score on; by default the one the first run was trained on.
        include_junk: Show the pictures the metric left out where they fall, greyed.
        seed: Of the random choice.
    """
    if not runs:
        raise InputError("name a run: mfa-viz grid RUN")
    from viz.grids.rank_grid import draw_rank_grid, draw_ranking
    from viz.paper import captions

    dataset = _data(runs[0], data, data_root)
    scoring = Scoring(flip, not no_camera, computing)
    chosen = _queries(queries)
    name = "-".join(queries)
    look: dict[str, Any] = {"count": count, "seed": seed, "width": width, "blur_faces": blur_faces}
    if all(sample.pid == JUNK for sample in dataset.gallery):
        features: dict[str, Features] = {}
        for word in runs:
            model, own = described(word, dataset, external, scoring)
            features[free(model, features)] = own
        positions = None if isinstance(chosen, str) else chosen
        figure = draw_ranking(_one_or_all(features), dataset, positions, k, **look)
        caption = (
            f"The {k} nearest gallery pictures by cosine of {', '.join(features)} on "
            f"{dataset.name}, whose gallery has no labels; nothing is scored."
        )
        name = "random" if positions is None else name
        write(figure, out or _folder(runs[0]) / f"figures/grid-{name}", caption)
        say(f"the gallery of {dataset.name} has no labels, so nothing was scored")
        return
    results: dict[str, RetrievalResult] = {}
    for word in runs:
        model, result = scored(word, dataset, external, scoring)
        results[free(model, results)] = result
    look["include_junk"] = include_junk
    figure = draw_rank_grid(_one_or_all(results), dataset, chosen, k, **look)
    write(figure, out or _folder(runs[0]) / f"figures/grid-{name}", *captions.results(results))
    for model, result in results.items():
        say(f"{model}: mAP {100 * result.mAP:.2f} on {dataset.name}")


def _one_or_all(found: dict[str, T]) -> T | dict[str, T]:
    """A single model is drawn without its name."""
    return found if len(found) > 1 else next(iter(found.values()))


def _data(first: str, name: str | None, root: Path | None) -> ReidDataset:
    """The dataset named, or the one the first run was trained on."""
    from mfa.inference.evaluate import resolve
    from mfa.runs.run import open_run

    if name is not None:
        return read_data(name, root)
    word, _ = settings(first)
    if not is_run(word):
        raise InputError(
            f"{word} is no run; for a model from elsewhere say which dataset to score on: --data "
            "NAME"
        )
    return resolve(open_run(word), None, root)


def _folder(word: str) -> Path:
    """Where pictures go by default: into the first run's folder."""
    from mfa.runs.run import open_run

    return (open_run(word).path or Path()) if is_run(word) else Path()


def _queries(words: tuple[str, ...]) -> rank_cards.Choice:
    for word in get_args(rank_cards.Word):
        if words == (word,):
            return word
    try:
        return [int(word) for word in words]
    except ValueError:
        raise InputError(
            f"--queries is worst, first_error, mixed, random or numbers, got {' '.join(words)!r}"
        ) from None


main = command("mfa-viz grid", grid)
