"""Counterparts of the paper's Figs. 3 to 7, from runs and datasets at hand."""

from __future__ import annotations

from string import ascii_lowercase

import numpy as np

from mfa.datasets.loading.decode import decode
from mfa.errors import InputError
from mfa.explain.engine import branch_maps
from mfa.explain.pictures import reference_pictures, seen_by_cameras, situations
from mfa.explain.record import BranchMaps
from mfa.explain.tables import FUSED
from mfa.records import ReidDataset, Sample
from mfa.runs.run import Run, untrained
from viz import theme
from viz.grids.dataset_sheets import draw_samples
from viz.grids.maps import draw_maps, mark_empty, show
from viz.grids.rank_grid import draw_rank_grid
from viz.images import load, overlay
from viz.paper import captions
from viz.paper.inputs import CaptionedFigure, PaperInputs
from viz.paper.published import title

SHOWN = 4
"""Pictures of Figs. 4, 5 and 7, as in the paper."""

TALLEST = 6.5
"""Inches of a figure that shares its page with its caption."""


def fig3(inputs: PaperInputs) -> CaptionedFigure:
    """Samples of every dataset on disk."""
    chosen = dict(inputs.present)
    if inputs.dataset.fingerprint not in {data.fingerprint for data in chosen.values()}:
        chosen[inputs.dataset.name] = inputs.dataset
    by_title: dict[str, ReidDataset] = {}
    for name, data in chosen.items():
        by_title.setdefault(title(name), data)
    # One dataset alone across a page would be four pictures of a few dozen pixels, far too large.
    width = inputs.width if len(by_title) > 1 else "single"
    figure = draw_samples(by_title, count=SHOWN, width=width, blur_faces=inputs.blur_faces)
    names = "; ".join(
        f"({mark}) {name}" for mark, name in zip(ascii_lowercase, by_title, strict=False)
    )
    prints = "; ".join(f"{name} {data.fingerprint[:12]}" for name, data in by_title.items())
    return CaptionedFigure(
        figure,
        f"Examples of the datasets at hand: {names}.",
        f"People drawn with seed 0. Fingerprints: {prints}.",
    )


def fig4(inputs: PaperInputs) -> CaptionedFigure:
    """Branch maps and their fusion for four situations."""
    return _maps(inputs, inputs.runs[0], inputs.dataset, _situations(inputs))


def fig4_random(inputs: PaperInputs) -> CaptionedFigure:
    """The control of Fig. 4: the same maps from random weights."""
    blank = untrained(inputs.runs[0].config)
    return _maps(inputs, blank, inputs.dataset, _situations(inputs))


def fig5(inputs: PaperInputs) -> CaptionedFigure:
    """Branch maps of occluded or cropped people the network was not trained on."""
    data = inputs.partial()
    return _maps(inputs, inputs.runs[0], data, _apart(data))


def fig5_random(inputs: PaperInputs) -> CaptionedFigure:
    """The control of Fig. 5: the same maps from random weights."""
    data = inputs.partial()
    return _maps(inputs, untrained(inputs.runs[0].config), data, _apart(data))


def fig6(inputs: PaperInputs) -> CaptionedFigure:
    """The first ranks of the same queries by every run."""
    data = inputs.dataset
    results = {name: inputs.result(run, data) for name, run in inputs.named.items()}
    figure = draw_rank_grid(
        results if len(results) > 1 else next(iter(results.values())),
        data,
        list(inputs.queries) or "first_error",
        inputs.k,
        count=2 if len(results) < 3 else 1,  # what one page holds
        width=inputs.width,
        blur_faces=inputs.blur_faces,
    )
    words = inputs.protocol(data)
    how = "given by position" if inputs.queries else f"first answer of {inputs.runs[0].name} wrong"
    return CaptionedFigure(
        figure,
        f"The first {inputs.k} ranks for the same queries ({how}). Green frame and tick: the same "
        "person; dashed red frame and cross: somebody else; below: rank, camera, distance. "
        f"{words.caption}",
        words.details,
    )


@theme.themed
def fig7(inputs: PaperInputs) -> CaptionedFigure:
    """The fused map of every run for the same pictures."""
    data = inputs.dataset
    chosen = _situations(inputs)
    samples = [data.query[position] for position in chosen]
    shown, explained = [], []
    for run in inputs.runs:
        images = _images(run, samples)
        explained.append(_explain(inputs, run, data, samples, images))
        shown.append(_for_drawing(images, inputs.blur_faces))
    columns = len(inputs.runs) + 1
    tall, wide = shown[0].shape[1:3]
    cell = min(0.95, (TALLEST - 0.3) / len(samples) * wide / tall)
    across = min(theme.inches(inputs.width), max(cell * columns, 1))
    figure = theme.figure(across, len(samples) * (across / columns) * tall / wide + 0.3)
    axes = figure.subplots(len(samples), columns, squeeze=False)
    figure.set_layout_engine("constrained", h_pad=0.02, w_pad=0.02, hspace=0, wspace=0)
    for row in range(len(samples)):
        show(axes[row, 0], shown[0][row])
        for axis, drawn, maps in zip(axes[row, 1:], shown, explained, strict=True):
            show(axis, overlay.overlay(drawn[row], maps[FUSED][row]))
            if maps.empty[FUSED][row]:
                mark_empty(axis, theme.fitted(across / columns), maps)
    for ax, name in zip(axes[0], ["picture", *inputs.named], strict=True):
        ax.set_title(name, loc="center")
    words = [captions.weights(run, data) for run in inputs.runs]
    return CaptionedFigure(
        figure,
        f"What each model looks at: mean of the branches' {inputs.method} maps, each scaled to "
        "[0, 1], of a picture's similarity to itself, against the mean picture. Every map goes up "
        "to its own largest value: colours tell places within a map, not strength between models; "
        "empty: no branch has anything that argues for it. "
        + " ".join(one.caption for one in words),
        f"Pictures: {_named(data, chosen)}. " + " ".join(one.details for one in words),
    )


def _explain(
    inputs: PaperInputs, run: Run, data: ReidDataset, samples: list[Sample], images: np.ndarray
) -> BranchMaps:
    """Maps of what makes up each picture's own descriptor, against an average gallery picture."""
    return branch_maps(
        run,
        seen_by_cameras(run, images, samples, data),
        target="similarity",
        method=inputs.method,
        fused="mean",
        reference=reference_pictures(run, data, inputs.reference),
    )


def _maps(
    inputs: PaperInputs, run: Run, data: ReidDataset, chosen: dict[int, str]
) -> CaptionedFigure:
    samples = [data.query[position] for position in chosen]
    images = _images(run, samples)
    maps = _explain(inputs, run, data, samples, images)
    drawn = _for_drawing(images, inputs.blur_faces)
    figure = draw_maps(maps, drawn, width=inputs.width, tallest=TALLEST)
    words = captions.weights(run, data)
    control = "" if run.checkpoint.epoch else " Control: what these maps show, no training taught."
    fused = " Fused: mean of the branches' normalised maps, as in the paper."
    return CaptionedFigure(
        figure,
        f"What each branch looks at: {maps.caption}.{control} {maps.reading}. "
        "Dashed: the branch's stripe."
        f"{fused if len(maps.branches) > 1 else ''} {words.caption}",
        f"Rows: {_named(data, chosen)}. {words.details}",
    )


def _apart(data: ReidDataset) -> dict[int, str]:
    """Four queries far apart in the list, so that they show different people."""
    step = max(1, len(data.query) // SHOWN)
    return dict.fromkeys(range(0, min(len(data.query), step * SHOWN), step), "")


def _situations(inputs: PaperInputs) -> dict[int, str]:
    """Positions in the query list and what they stand for, as in the paper's Fig. 4.

    Part masks choose where there are any; else four queries apart in the list.
    """
    data = inputs.dataset
    for position in inputs.queries:
        if not 0 <= position < len(data.query):
            raise InputError(
                f"no query {position} in {data.name}: there are {len(data.query)}, from 0"
            )
    if inputs.queries:
        return dict.fromkeys(inputs.queries, "")
    try:
        return situations(data, SHOWN)
    except InputError:
        return _apart(data)


def _named(data: ReidDataset, chosen: dict[int, str]) -> str:
    return ", ".join(
        f"{data.query[position].path.name}{f' ({what})' if what else ''}"
        for position, what in chosen.items()
    )


def _images(run: Run, samples: list[Sample]) -> np.ndarray:
    """The samples as the network sees them, (N, 3, H, W) uint8."""
    size = run.config.data.height, run.config.data.width
    return np.stack([decode(sample.path, *size) for sample in samples])


def _for_drawing(images: np.ndarray, blur_faces: bool) -> np.ndarray:
    """(N, H, W, 3) in [0, 1]; faces are hidden in what is drawn, not in what is explained."""
    shown = load.blurred(images) if blur_faces else images
    drawn: np.ndarray = shown.transpose(0, 2, 3, 1).astype(np.float32) / 255
    return drawn
