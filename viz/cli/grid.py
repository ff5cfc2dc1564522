"""``mfa-viz grid RUN...``: the first ranks of some queries, as PNG, PDF and SVG."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import tyro

from mfa.cli.models import (
    ExternalSettings,
    Scoring,
    described,
    free,
    is_run,
    scored,
    settings,
)
from mfa.cli.options import Computing
from mfa.errors import InputError
from mfa.records import JUNK
from viz.cli.options import BlurFaces, DataRoot, NoCamera, Width
from viz.grids import rank_cards

if TYPE_CHECKING:
    from mfa.records import Features, ReidDataset
    from mfa.retrieval.results import RetrievalResult


@dataclass(frozen=True)
class Options:
    """Draw a rank grid of one run or model, or of several one under another.

    Green frame and tick: a match. Dashed red frame and cross: somebody else. Grey: not counted.
    """

    runs: tyro.conf.Positional[tuple[str, ...]]
    """Runs (folders, or their names under runs/), feature files (.npz), and external models
    as `mfa compare` takes them, such as theirs.onnx,size=384x128,inputs=half; the first one chooses
    the queries."""
    external: tyro.conf.OmitArgPrefixes[ExternalSettings]
    computing: tyro.conf.OmitArgPrefixes[Computing]
    out: Path | None = None
    """Path of the files without their ending; by default FIRST RUN/figures/grid-QUERIES, and
    figures/grid-QUERIES where the first is no run."""
    queries: tuple[str, ...] = ("worst",)
    """worst (lowest AP), first_error (first answer wrong), mixed (right and wrong answers), random,
    or positions in the list."""
    count: int = 4
    """How many queries, where they are not given one by one."""
    k: int = 10
    """Ranks shown."""
    data: str | None = None
    """Dataset to score on; by default the one the first run was trained on."""
    data_root: DataRoot = None
    no_camera: NoCamera = False
    flip: bool = False
    """Average the embeddings of each picture and its mirror image."""
    include_junk: bool = False
    """Show the pictures the metric left out where they fall, greyed."""
    width: Width = "double"
    seed: int = 0
    """Of the random choice."""
    blur_faces: BlurFaces = False


def main(argv: list[str]) -> None:
    """Parse, score, draw, name the files."""
    options = tyro.cli(Options, prog="mfa-viz grid", args=argv)
    if not options.runs:
        raise InputError("name a run: mfa-viz grid RUN")
    from viz.export import save
    from viz.grids.rank_grid import draw_rank_grid
    from viz.paper import captions

    data = _data(options)
    scoring = Scoring(options.flip, not options.no_camera, options.computing)
    if all(sample.pid == JUNK for sample in data.gallery):
        _unlabelled(options, data, scoring)
        return
    results: dict[str, RetrievalResult] = {}
    for word in options.runs:
        name, result = scored(word, data, options.external, scoring)
        results[free(name, results)] = result
    figure = draw_rank_grid(
        results if len(results) > 1 else next(iter(results.values())),
        data,
        _queries(options.queries),
        options.k,
        include_junk=options.include_junk,
        count=options.count,
        seed=options.seed,
        width=options.width,
        blur_faces=options.blur_faces,
    )
    stem = options.out or _folder(options.runs[0]) / f"figures/grid-{'-'.join(options.queries)}"
    words = captions.results(results)
    for path in save(figure, stem, caption=words.caption, details=words.details):
        print(path)
    for name, result in results.items():
        print(f"{name}: mAP {100 * result.mAP:.2f} on {data.name}", file=sys.stderr)


def _unlabelled(options: Options, data: ReidDataset, scoring: Scoring) -> None:
    """Draw the nearest pictures of a gallery without labels, where nothing can be scored."""
    from viz.export import save
    from viz.grids.rank_grid import draw_ranking

    features: dict[str, Features] = {}
    for word in options.runs:
        name, own = described(word, data, options.external, scoring)
        features[free(name, features)] = own
    words = _queries(options.queries)
    figure = draw_ranking(
        features if len(features) > 1 else next(iter(features.values())),
        data,
        None if isinstance(words, str) else words,
        options.k,
        count=options.count,
        seed=options.seed,
        width=options.width,
        blur_faces=options.blur_faces,
    )
    caption = (
        f"The {options.k} nearest gallery pictures by cosine of {', '.join(features)} on "
        f"{data.name}, whose gallery has no labels; nothing is scored."
    )
    chosen = "random" if isinstance(words, str) else "-".join(options.queries)
    stem = options.out or _folder(options.runs[0]) / f"figures/grid-{chosen}"
    for path in save(figure, stem, caption=caption):
        print(path)
    print(f"the gallery of {data.name} has no labels, so nothing was scored", file=sys.stderr)


def _data(options: Options) -> ReidDataset:
    """The dataset named, or the one the first run was trained on."""
    from mfa.datasets import data_root, load_dataset
    from mfa.inference.evaluate import resolve
    from mfa.runs.run import open_run

    if options.data is not None:
        return load_dataset(options.data, data_root(options.data_root))
    first, _ = settings(options.runs[0])
    if not is_run(first):
        raise InputError(
            f"{first} is no run; for a model from elsewhere say which dataset to score on: --data "
            "NAME"
        )
    return resolve(open_run(first), None, options.data_root)


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
