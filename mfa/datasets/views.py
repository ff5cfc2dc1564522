"""Further views of a dataset's training pictures, for a teacher to look at (ours).

A student that learns a teacher's features of the same few pictures over and over comes to know them
by heart. A teacher answers for any picture, so it can be asked about more: the same people
recoloured, framed otherwise, and half of the time with the lower part of somebody else. Each view
is a file, so that whoever computes features, computes them of just what the student sees.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from mfa.datasets.decode import first_error
from mfa.datasets.folder import Row, write_table
from mfa.datasets.images import read_image
from mfa.errors import InputError
from mfa.records import ReidDataset, Sample

JOIN_CHANCE = 0.5
"""Of a view whose lower part is another person's."""

CUT = (0.3, 0.7)
"""Where such a view is cut, in shares of its height."""

SCALE, STRETCH, SHIFT = (0.8, 1.1), (0.9, 1.1), 0.08
"""Of the window cut out, against the picture: its size, its height to its width, its offset."""

GAIN, BRIGHTNESS, CONTRAST = (0.85, 1.18), (0.65, 1.4), (0.75, 1.25)
"""Factors on each colour, on all of them, and about the mean grey."""

QUALITY = 95
"""Of the JPEG files."""


def write_views(data: ReidDataset, folder: Path, *, copies: int, seed: int = 0) -> Path:
    """Write ``data``'s training pictures and ``copies`` views of each; returns ``folder``.

    The result is read as the dataset ``folder`` (a table and pictures) and can only be trained on.
    A joined view is labelled as its upper person: the labels serve a training that learns from a
    teacher, not one that learns from labels. Equal arguments give equal files. The folder is
    written whole or not at all.

    Args:
        data: its training list is used; files of it that cannot be read are left out.
        folder: must not exist.
        copies: views of each picture.
        seed: of everything drawn.

    Raises:
        InputError: there is nothing to show, two pictures share a name, the folder exists, or it
            cannot be written.
    """
    if copies < 1:
        raise InputError(f"copies must be 1 or more, got {copies}")
    if not data.train:
        raise InputError(f"{data.name} has no training pictures, so there is nothing to show")
    twice = [name for name, count in Counter(s.path.name for s in data.train).items() if count > 1]
    if twice:
        raise InputError(
            f"{len(twice)} names of training pictures come more than once, first {twice[0]}; a "
            "teacher's features go by the name, so give every picture its own"
        )
    if folder.exists():
        raise InputError(f"{folder} exists already; remove it, or choose another --out")
    folder.parent.mkdir(parents=True, exist_ok=True)
    built = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        built.chmod(0o755)  # mkdtemp keeps everybody else out.
        write_table(built, _write_pictures(data.train, built, copies, seed))
        built.rename(folder)
    except OSError as error:
        raise InputError(f"cannot write views to {folder}: {error}; make room there") from error
    finally:
        shutil.rmtree(built, ignore_errors=True)
    return folder


def view(upper: Image.Image, lower: Image.Image | None, rng: np.random.Generator) -> Image.Image:
    """One view of the size of ``upper``, RGB.

    Args:
        upper: the picture.
        lower: one whose part below a random cut is put under it; ``None`` for none.
        rng: draws the cut, the window and the colours.
    """
    joined = upper if lower is None else _join(upper, lower, rng)
    return _recolour(_frame(joined, rng), rng)


def _write_pictures(
    samples: Sequence[Sample], folder: Path, copies: int, seed: int
) -> Iterator[Row]:
    kept = []
    for sample in tqdm(samples, desc="pictures", unit="picture", file=sys.stderr):
        if why := first_error(sample.path):
            print(f"left out: {why}", file=sys.stderr)
            continue
        shutil.copyfile(sample.path, folder / sample.path.name)
        kept.append(sample)
        yield _row(sample.path.name, sample)
    if not kept:
        raise InputError(f"none of the {len(samples)} training pictures can be read")
    for number, sample in enumerate(tqdm(kept, desc="views", unit="picture", file=sys.stderr)):
        picture = read_image(sample.path)
        for copy in range(1, copies + 1):
            rng = np.random.default_rng([seed, number, copy])
            joins = rng.random() < JOIN_CHANCE
            lower = read_image(kept[rng.integers(len(kept))].path) if joins else None
            made = view(picture, lower, rng)
            name = f"{sample.path.stem}_view{copy}.jpg"
            made.save(folder / name, quality=QUALITY)
            yield _row(name, sample)


def _row(name: str, sample: Sample) -> Row:
    return Row(name, str(sample.pid), str(sample.camid), "train")


def _join(upper: Image.Image, lower: Image.Image, rng: np.random.Generator) -> Image.Image:
    width, height = upper.size
    cut = round(rng.uniform(*CUT) * height)
    joined = lower.resize(upper.size, Image.Resampling.BILINEAR)
    joined.paste(upper.crop((0, 0, width, cut)), (0, 0))
    return joined


def _frame(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Cut a window out and bring it to the old size; what lies outside is the mean colour."""
    width, height = picture.size
    size, stretch = rng.uniform(*SCALE), np.sqrt(rng.uniform(*STRETCH))
    w, h = width * size / stretch, height * size * stretch
    left = (width - w) / 2 + rng.uniform(-SHIFT, SHIFT) * width
    top = (height - h) / 2 + rng.uniform(-SHIFT, SHIFT) * height
    mean = np.asarray(picture).reshape(-1, 3).mean(axis=0).round().astype(int)
    return picture.transform(
        picture.size,
        Image.Transform.AFFINE,
        (w / width, 0, left, 0, h / height, top),
        Image.Resampling.BILINEAR,
        fillcolor=tuple(mean.tolist()),
    )


def _recolour(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    values = np.asarray(picture) * rng.uniform(*GAIN, size=3) * rng.uniform(*BRIGHTNESS)
    grey = values.mean()
    values = grey + rng.uniform(*CONTRAST) * (values - grey)
    return Image.fromarray(values.clip(0, 255).round().astype(np.uint8))
