"""Further views of a dataset's training pictures, for distillation (ours).

A student that learns a teacher's features of the same few pictures memorises them. A teacher gives
features of any picture, so the student can learn from more: the same people recoloured and framed
otherwise, and half of the time with the lower part of another person. Each view is a file, so that
teacher and student see the same pixels.
"""

from __future__ import annotations

import io
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from mfa.datasets.disk import refuse_if_full
from mfa.datasets.loading.decode import first_error, read_image
from mfa.datasets.readers.custom import Row, write_table
from mfa.errors import InputError
from mfa.files import draft_folder
from mfa.progress import remark
from mfa.records import ReidDataset, Sample

JOIN_CHANCE, CUT = 0.5, (0.3, 0.7)
"""Chance that the lower part of a view is another person's, and where it is cut, in shares of its
height."""

SCALE, STRETCH, SHIFT = (0.8, 1.1), (0.9, 1.1), 0.08
"""Window that is cut out, relative to the picture: size, height to width, offset."""

GAIN, BRIGHTNESS, CONTRAST = (0.85, 1.18), (0.65, 1.4), (0.75, 1.25)
"""Factors on each colour, on all of them, and about the mean grey."""

QUALITY = 95
"""Quality of the JPEG files."""


def write_views(data: ReidDataset, folder: Path, *, copies: int, seed: int = 0) -> Path:
    """Write ``data``'s training pictures and ``copies`` views of each; returns ``folder``.

    The result is read as the dataset ``folder`` (a table and pictures) and can only be trained on.
    A joined view is labelled as its upper person: the labels serve a training that learns from a
    teacher, not one that learns from labels. Equal arguments give equal files. The disk space
    needed is printed first; the folder is written whole or not at all.

    Args:
        data: files of its training list that cannot be read are left out.
        folder: must not exist.
        copies: views of each picture.
        seed: of everything drawn.
    """
    if copies < 1:
        raise InputError(f"copies must be 1 or more, got {copies}")
    if seed < 0:
        raise InputError(f"the seed of the views is 0 or more, got {seed}")
    if not data.train:
        raise InputError(f"{data.name} has no training pictures, so there is nothing to show")
    names = _view_names(data.train, copies)
    if folder.exists():
        raise InputError(f"{folder} exists already", "remove it, or choose another --out")
    try:
        with draft_folder(folder) as draft:
            _refuse_if_full(data.train, folder, copies, seed)
            write_table(draft, _write_images(data.train, draft, names, seed))
            draft.rename(folder)
    except OSError as error:
        raise InputError(
            f"views cannot be written to {folder} ({error.strerror or error})",
            "free the disk, or choose an --out that you may write to",
        ) from error
    return folder


def view(upper: Image.Image, lower: Image.Image | None, rng: np.random.Generator) -> Image.Image:
    """One view of the size of ``upper``, RGB; below a random cut it shows ``lower``, if given."""
    joined = upper if lower is None else _join(upper, lower, rng)
    return _recolour(_frame(joined, rng), rng)


def _view_names(samples: Sequence[Sample], copies: int) -> list[list[str]]:
    """Names of the views of each picture, as ``0002_c1s1_000451_03_view1.jpg``."""
    stems = Counter(sample.path.stem for sample in samples)
    # a.jpg and a.png keep their endings: a.jpg_view1.jpg, a.png_view1.jpg
    bases = [s.path.stem if stems[s.path.stem] == 1 else s.path.name for s in samples]
    names = [[f"{base}_view{copy}.jpg" for copy in range(1, copies + 1)] for base in bases]
    counts = Counter(sample.path.name for sample in samples)
    counts.update(name for own in names for name in own)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise InputError(
            f"{len(twice)} names of training pictures or of their views come more than once, first "
            f"{twice[0]}, and a teacher's features are found by the name",
            "give every picture its own name, and make no views of views",
        )
    return names


def _refuse_if_full(samples: Sequence[Sample], folder: Path, copies: int, seed: int) -> None:
    """Say what the folder will take, measured on some of the pictures, and what is free."""
    sizes = []
    for sample in samples[:: max(1, len(samples) // 16)]:
        try:
            image = read_image(sample.path)
        except InputError:
            continue  # left out, and named, when its turn comes
        stream = io.BytesIO()
        view(image, None, np.random.default_rng(seed)).save(stream, "JPEG", quality=QUALITY)
        sizes.append(sample.path.stat().st_size + copies * len(stream.getvalue()))
    need = len(samples) * (float(np.mean(sizes)) if sizes else 0.0)
    free = shutil.disk_usage(folder.parent).free
    remark(
        f"{len(samples):,} pictures and {copies * len(samples):,} views of them take about "
        f"{need / 2**20:,.1f} MiB in {folder} ({free / 2**30:,.1f} GiB free)"
    )
    fix = "free the disk, choose another --out, or fewer --copies"
    refuse_if_full("the views need about", need, folder.parent, fix)


def _write_images(
    samples: Sequence[Sample], folder: Path, names: Sequence[Sequence[str]], seed: int
) -> Iterator[Row]:
    """Copy what can be read, then draw its views; a row of the table for each file."""
    kept = []
    for sample, own in zip(tqdm(samples, "pictures", unit="picture"), names, strict=True):
        if why := first_error(sample.path):
            remark(f"left out: {why}")
            continue
        shutil.copyfile(sample.path, folder / sample.path.name)
        kept.append((sample, own))
        yield Row(sample.path.name, str(sample.pid), str(sample.camid), "train")
    if not kept:
        raise InputError(f"none of the {len(samples)} training pictures can be read")
    for number, (sample, own) in enumerate(tqdm(kept, "views", unit="picture")):
        image = read_image(sample.path)
        for copy, name in enumerate(own, 1):
            rng = np.random.default_rng([seed, number, copy])
            joins = rng.random() < JOIN_CHANCE
            lower = read_image(kept[rng.integers(len(kept))][0].path) if joins else None
            view(image, lower, rng).save(folder / name, quality=QUALITY)
            yield Row(name, str(sample.pid), str(sample.camid), "train")


def _join(upper: Image.Image, lower: Image.Image, rng: np.random.Generator) -> Image.Image:
    width, height = upper.size
    cut = round(rng.uniform(*CUT) * height)
    joined = lower.resize(upper.size, Image.Resampling.BILINEAR)
    joined.paste(upper.crop((0, 0, width, cut)), (0, 0))
    return joined


def _frame(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Cut a window out and bring it to the old size; what lies outside is the mean colour."""
    width, height = image.size
    size, stretch = rng.uniform(*SCALE), np.sqrt(rng.uniform(*STRETCH))
    w, h = width * size / stretch, height * size * stretch
    left = (width - w) / 2 + rng.uniform(-SHIFT, SHIFT) * width
    top = (height - h) / 2 + rng.uniform(-SHIFT, SHIFT) * height
    mean = np.asarray(image).reshape(-1, 3).mean(axis=0).round().astype(int)
    return image.transform(
        image.size,
        Image.Transform.AFFINE,
        (w / width, 0, left, 0, h / height, top),
        Image.Resampling.BILINEAR,
        fillcolor=tuple(mean.tolist()),
    )


def _recolour(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    values = np.asarray(image) * rng.uniform(*GAIN, size=3) * rng.uniform(*BRIGHTNESS)
    grey = values.mean()
    values = grey + rng.uniform(*CONTRAST) * (values - grey)
    return Image.fromarray(values.clip(0, 255).round().astype(np.uint8))
