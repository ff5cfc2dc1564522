"""``mfa-viz data NAME...``: what a dataset looks like, as PNG, PDF and SVG."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from mfa.errors import InputError
from viz.cli.options import BlurFaces, DataRoot, Width

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
    data_root: DataRoot = None
    count: int = 6
    """People shown of each."""
    seed: int = 0
    """Of the choice of people."""
    width: Width = "double"
    blur_faces: BlurFaces = False


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
    prints = "; ".join(f"{name} {data.fingerprint[:12]}" for name, data in sets.items())
    details = f"Fingerprints: {prints}. People drawn with seed {seed}."
    figures: dict[str, tuple[Figure, str]] = {
        "samples": (
            draw_samples(sets, count=count, seed=seed, width=options.width, blur_faces=hide),
            f"Pictures of {', '.join(sets)}.{hidden}",
        )
    }
    for name, dataset in sets.items():
        figures[f"{name}-people"] = (
            draw_identities(dataset, count=count, seed=seed, blur_faces=hide),
            f"People of {name}{_by_camera(dataset)}.{hidden}",
        )
        try:
            figures[f"{name}-cameras"] = (
                theme.figure_of(plot_camera_counts(dataset)),
                f"People of {name} that two cameras share.",
            )
        except InputError as error:
            print(f"{name}: {error}", file=sys.stderr)
    for stem, (figure, caption) in figures.items():
        for path in save(figure, options.out / stem, caption=caption, details=details):
            print(path)


def _by_camera(dataset: ReidDataset) -> str:
    from mfa.records import NO_CAMERA

    samples = (*dataset.train, *dataset.query, *dataset.gallery)
    known = any(sample.camid != NO_CAMERA for sample in samples)
    return " by camera" if known else ", one row per person, as no camera is known"
