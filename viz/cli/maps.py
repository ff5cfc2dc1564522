"""``mfa-viz maps RUN``: what each branch looks at, as PNG, PDF and SVG."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from mfa.cli.options import Computing
from mfa.errors import InputError
from viz.cli.options import BlurFaces, DataRoot, Width

if TYPE_CHECKING:
    from mfa.records import ReidDataset, Sample


@dataclass(frozen=True)
class Options:
    """Draw the map of every branch and the fused map for some pictures.

    Pictures are files of your own, or come from a list of the run's dataset.
    """

    run: tyro.conf.Positional[str]
    """Folder of the run, or its name under runs/."""
    computing: tyro.conf.OmitArgPrefixes[Computing]
    pictures: tyro.conf.Positional[tuple[Path, ...]] = ()
    """Picture files; none: pictures of a dataset, see --split."""
    out: Path | None = None
    """Path of the files without their ending; by default RUN/figures/maps."""
    split: Literal["train", "query", "gallery"] = "query"
    """List of the dataset to take pictures from, where no file is named."""
    positions: tuple[int, ...] = (0, 1, 2, 3)
    """Which pictures of that list, from 0."""
    data: str | None = None
    """Dataset; by default the one the run was trained on."""
    data_root: DataRoot = None
    target: Literal["similarity", "identity"] = "similarity"
    """What is explained: the picture's own descriptor, or the predicted training identity."""
    method: str = "HiResCAM"
    """A weighting of pytorch-grad-cam by name; HiResCAM adds up to the score under GeM."""
    reference: int = 32
    """Gallery pictures whose mean map is subtracted, so that what all pictures have does not hide
    what this one has; 0 subtracts nothing and needs no dataset."""
    fused: Literal["sum", "mean"] = "sum"
    """The fused map: signed sum of the branches, or mean of their normalised maps (the paper)."""
    sanity_check: bool = False
    """Under each row the same map from random weights."""
    width: Width = "double"
    blur_faces: BlurFaces = False


def main(argv: list[str]) -> None:
    """Parse, compute, draw, name the files."""
    options = tyro.cli(Options, prog="mfa-viz maps", args=argv)
    import numpy as np

    from mfa.datasets.loading.decode import decode
    from mfa.explain import branch_maps
    from mfa.explain.pictures import reference_pictures, seen_by_cameras
    from mfa.inference.evaluate import resolve
    from mfa.runs.run import untrained
    from viz import theme
    from viz.export import save
    from viz.grids.maps import draw_maps
    from viz.images.load import blurred
    from viz.paper import captions

    if options.sanity_check and options.target == "identity":
        raise InputError("random weights know no identity; use --sanity-check with similarity")
    run = options.computing.open(options.run)
    data = None if options.pictures else resolve(run, options.data, options.data_root)
    samples = () if data is None else _from_dataset(data, options)
    paths = options.pictures if data is None else tuple(sample.path for sample in samples)
    size = run.config.data.height, run.config.data.width
    images = np.stack([decode(path, *size) for path in paths])
    if data is not None:
        images = seen_by_cameras(run, images, samples, data)
    reference = reference_pictures(
        run, options.data, options.reference, data_root=options.data_root
    )
    maps, *random = [
        branch_maps(
            model,
            images,
            target=options.target,
            method=options.method,
            fused=options.fused,
            reference=reference,
        )
        for model in (
            [run, untrained(run.config, run.device, options.computing.precision)]
            if options.sanity_check
            else [run]
        )
    ]
    checks = {"random weights": random[0]} if random else None
    drawn = blurred(images) if options.blur_faces else images
    figure = draw_maps(maps, drawn, sanity_checks=checks, width=options.width, tallest=theme.PAGE)
    stem = options.out or (run.path or Path()) / "figures" / "maps"
    words = captions.weights(run, data)
    caption = f"What each branch looks at: {maps.caption}. {maps.reading}. {words.caption}"
    details = f"Rows: {', '.join(path.name for path in paths)}. {words.details}"
    for path in save(figure, stem, caption=caption, details=details):
        print(path)
    for row, path in enumerate(paths):
        print(f"row {row + 1}: {path.name}", file=sys.stderr)


def _from_dataset(data: ReidDataset, options: Options) -> tuple[Sample, ...]:
    samples = getattr(data, options.split)
    for position in options.positions:
        if not 0 <= position < len(samples):
            raise InputError(
                f"no picture {position} in {data.name}'s {options.split} list, which has "
                f"{len(samples)}, counted from 0"
            )
    return tuple(samples[position] for position in options.positions)
