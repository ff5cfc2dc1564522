"""``mfa-viz data NAME...``: what a dataset looks like, as PNG, PDF and SVG."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from mfa.cli.options import DataRoot, Seed, Within, command, read_data, say
from mfa.errors import InputError
from viz.cli.options import BlurFaces, Width, write

if TYPE_CHECKING:
    from mfa.records import ReidDataset


def data(
    names: tuple[str, ...] = (),
    /,
    *,
    out: Path = Path("figures"),
    data_root: DataRoot = None,
    count: Annotated[int, Within(1, 100)] = 6,
    seed: Seed = 0,
    width: Width = "double",
    blur_faces: BlurFaces = False,
) -> None:
    """Draw people by camera, samples of each set, and which cameras share people.

    Args:
        names: Datasets by name.
        out: Folder to write to.
        count: People shown of each.
        seed: Of the choice of people.
    """
    if not names:
        raise InputError("name a dataset: mfa-viz data NAME")
    from viz import theme
    from viz.charts.cameras import plot_camera_counts
    from viz.grids.dataset_sheets import draw_identities, draw_samples
    from viz.paper import captions

    sets = {name: read_data(name, data_root) for name in names}
    hidden = captions.HIDDEN if blur_faces else ""
    prints = "; ".join(f"{name} {data.fingerprint[:12]}" for name, data in sets.items())
    details = f"Fingerprints: {prints}. People drawn with seed {seed}."
    samples = draw_samples(sets, count=count, seed=seed, width=width, blur_faces=blur_faces)
    write(samples, out / "samples", f"Pictures of {', '.join(sets)}.{hidden}", details)
    for name, dataset in sets.items():
        people = draw_identities(dataset, count=count, seed=seed, blur_faces=blur_faces)
        caption = f"People of {name}{_by_camera(dataset)}.{hidden}"
        write(people, out / f"{name}-people", caption, details)
        try:
            cameras = theme.figure_of(plot_camera_counts(dataset))
        except InputError as error:
            say(f"{name}: {error}")
            continue
        caption = f"People of {name} that two cameras share."
        write(cameras, out / f"{name}-cameras", caption, details)


def _by_camera(dataset: ReidDataset) -> str:
    from mfa.records import NO_CAMERA

    samples = (*dataset.train, *dataset.query, *dataset.gallery)
    known = any(sample.camid != NO_CAMERA for sample in samples)
    return " by camera" if known else ", one row per person, as no camera is known"


main = command("mfa-viz data", data)
