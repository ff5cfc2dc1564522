"""``mfa-viz data NAME...``: what a dataset looks like, as PNG, PDF and SVG."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from mfa.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mfa.records import ReidDataset


@dataclass(frozen=True)
class Options:
    """Draw people by camera, samples of each set, and which cameras share people."""

    names: tyro.conf.Positional[tuple[str, ...]]
    """Datasets by name."""
    out: Path = Path("figures")
    """Folder to write to."""
    data_root: Path | None = None
    """Folder the datasets lie in; by default MFA_DATA, else data."""
    count: int = 6
    """People shown of each."""
    seed: int = 0
    """Of the choice of people."""
    width: str = "double"
    """single, double, or one of a venue: cvpr-single, cvpr-double, ieee-single, ieee-double.
    Columns of a page that the samples take."""
    blur_faces: bool = False
    """Coarsen the top of every picture, where the head of a whole person is. No face is looked for:
    in a badly cut picture it may lie lower. Look before you publish."""


def main(argv: list[str]) -> None:
    """Parse, read, draw, name the files."""
    options = tyro.cli(Options, prog="mfa-viz data", args=argv)
    if not options.names:
        raise InputError("name a dataset: mfa-viz data NAME")
    from mfa.datasets import data_root, load_dataset
    from viz import theme
    from viz.charts.cameras import plot_camera_counts
    from viz.export import save
    from viz.grids.dataset_sheets import draw_identities, draw_samples
    from viz.paper import captions

    sets = {name: load_dataset(name, data_root(options.data_root)) for name in options.names}
    count, seed, hide = options.count, options.seed, options.blur_faces
    hidden = captions.HIDDEN if hide else ""
    known = {name: f"{name} (fingerprint {data.fingerprint[:12]})" for name, data in sets.items()}
    figures: dict[str, tuple[Figure, str]] = {
        "samples": (
            draw_samples(sets, count=count, seed=seed, width=options.width, blur_faces=hide),
            f"Pictures of {', '.join(known.values())}; people drawn with seed {seed}.{hidden}",
        )
    }
    for name, dataset in sets.items():
        figures[f"{name}-people"] = (
            draw_identities(dataset, count=count, seed=seed, blur_faces=hide),
            f"People of {known[name]}{_by_camera(dataset)}, drawn with seed {seed}.{hidden}",
        )
        try:
            figures[f"{name}-cameras"] = (
                theme.figure_of(plot_camera_counts(dataset)),
                f"People of {known[name]} that two cameras share.",
            )
        except InputError as error:
            print(f"{name}: {error}", file=sys.stderr)
    for stem, (figure, caption) in figures.items():
        for path in save(figure, options.out / stem, caption=caption):
            print(path)


def _by_camera(dataset: ReidDataset) -> str:
    from mfa.records import NO_CAMERA

    samples = (*dataset.train, *dataset.query, *dataset.gallery)
    known = any(sample.camid != NO_CAMERA for sample in samples)
    return " by camera" if known else ", a row each, as no camera is known"
