"""``mfa-viz maps RUN``: what each branch looks at, as PNG, PDF and SVG; of other models a pair."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from mfa.cli.models import ExternalSettings, embedder, is_run
from mfa.cli.options import Blocks, DataRoot, Device, Pictures, command, say
from mfa.errors import InputError
from viz.cli import pair_maps
from viz.cli.options import BlurFaces, Reference, Width, write

if TYPE_CHECKING:
    import pandas as pd

    from mfa.records import ReidDataset, Sample
    from mfa.runs.run import Run


def maps(
    run: str,
    pictures: tuple[Path, ...] = (),
    /,
    *,
    computing: Device,
    out: Path | None = None,
    split: Literal["train", "query", "gallery"] = "query",
    positions: Annotated[tuple[int, ...], Pictures] = (0, 1, 2, 3),
    data: str | None = None,
    data_root: DataRoot = None,
    target: Literal["similarity", "identity"] = "similarity",
    method: str = "HiResCAM",
    reference: Reference = 32,
    fused: Literal["sum", "mean"] = "sum",
    sanity_check: bool = False,
    passport: Path | None = None,
    pair: bool = False,
    blocks: Blocks = 1,
    external: tyro.conf.OmitArgPrefixes[ExternalSettings],
    width: Width = "double",
    blur_faces: BlurFaces = False,
) -> None:
    """Draw the map of every branch and the fused map for some pictures.

    Pictures are files of your own, or come from a list of the run's dataset. In place of the run
    any external model may stand, as in mfa compare, with two pictures: mfa-viz maps MODEL QUERY
    GALLERY draws what brings the two together, by masks.

    Args:
        run: Folder of the run, or its name under runs/; or an external model.
        pictures: Picture files; none: pictures of a dataset, see --split.
        out: Path of the files without their ending; by default RUN/figures/maps.
        split: List of the dataset to take pictures from, where no file is named.
        positions: Which pictures of that list, from 0.
        data: Dataset; by default the one the run was trained on.
        target: What is explained: the picture's own descriptor, or the predicted training identity.
        method: A weighting of pytorch-grad-cam by name; HiResCAM adds up to the score under GeM.
        fused: The fused map: signed sum of the branches, or mean of their normalised maps (the
            paper).
        sanity_check: Under each row the same map from random weights.
        passport: Below all the passport of these maps, from the table that mfa explain passport
            wrote.
        pair: Explain two pictures by masks for a run as well.
    """
    import numpy as np

    from mfa.datasets.loading.decode import decode
    from mfa.explain.engine import branch_maps
    from mfa.explain.pictures import reference_pictures, seen_by_cameras
    from mfa.inference.evaluate import resolve
    from mfa.runs.run import untrained
    from viz import theme
    from viz.grids.maps import draw_maps
    from viz.images.load import blurred
    from viz.paper import captions

    if pair or not is_run(run):
        by_masks = embedder(run, external, computing)
        stem = out or Path("runs/pairs") / "-".join([by_masks.name, *(p.stem for p in pictures)])
        pair_maps.draw(by_masks, pictures, stem, blocks=blocks, width=width, blur_faces=blur_faces)
        return
    if sanity_check and target == "identity":
        raise InputError("random weights know no identity; use --sanity-check with similarity")
    opened = computing.open(run)
    dataset = None if pictures else resolve(opened, data, data_root)
    samples = () if dataset is None else _from_list(dataset, split, positions)
    paths = pictures if dataset is None else tuple(sample.path for sample in samples)
    size = opened.config.data.height, opened.config.data.width
    images = np.stack([decode(path, *size) for path in paths])
    if dataset is not None:
        images = seen_by_cameras(opened, images, samples, dataset)
    models = [opened]
    if sanity_check:
        models.append(untrained(opened.config, opened.device, computing.precision))
    mean = reference_pictures(opened, data, reference, data_root=data_root)
    found, *random = [
        branch_maps(model, images, target=target, method=method, fused=fused, reference=mean)
        for model in models
    ]
    checks = {"random weights": random[0]} if random else None
    drawn = blurred(images) if blur_faces else images
    measured = None if passport is None else _passport(passport, opened, method)
    figure = draw_maps(
        found,
        drawn,
        sanity_checks=checks,
        passport=measured,
        width=width,
        tallest=theme.PAGE,
    )
    words = captions.weights(opened, dataset)
    stem = out or (opened.path or Path()) / "figures" / "maps"
    caption = f"What each branch looks at: {found.caption}. {found.reading}. {words.caption}"
    if measured is not None:
        known = measured.iloc[0]
        caption += (
            f" Below the passport of these maps, from {known['pictures']} query pictures of "
            f"{known['dataset']}, {known['reference']} reference pictures: likeness (rank "
            "correlation) as weights are drawn anew from the top, and what hiding the top (filled) "
            "or bottom (hollow) costs; bars are 95 % intervals over persons."
        )
    names = ", ".join(path.name for path in paths)
    write(figure, stem, caption, f"Rows: {names}. {words.details}")
    for row, path in enumerate(paths, start=1):
        say(f"row {row}: {path.name}")


def _passport(file: Path, run: Run, method: str) -> pd.DataFrame:
    """The rows of a table of ``mfa explain passport`` about a run."""
    import pandas as pd

    from mfa.explain.tables import LIKENESS
    from mfa.explain.weightings import method_name

    make = f"make it with mfa explain passport {run.name} --methods {method}"
    try:
        table = pd.read_csv(file)
        rows = table[table["checkpoint"] == run.hash]
        known = ((rows["rule"] == method_name(method)) & (rows["check"] == LIKENESS)).any()
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{file} is no table of passports: {error}", make) from error
    if not known:
        raise InputError(f"{file} has no passport of {method} with weights {run.hash}", make)
    return rows


def _from_list(data: ReidDataset, split: str, positions: tuple[int, ...]) -> tuple[Sample, ...]:
    samples = getattr(data, split)
    for position in positions:
        if position >= len(samples):
            raise InputError(
                f"no picture {position} in {data.name}'s {split} list, which has {len(samples)}, "
                "counted from 0"
            )
    return tuple(samples[position] for position in positions)


main = command("mfa-viz maps", maps)
