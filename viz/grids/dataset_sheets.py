"""Pictures of a dataset itself: people by camera, samples of several sets, a query's gallery."""

from __future__ import annotations

import math
import string
from collections.abc import Mapping, Sequence

import numpy as np

from mfa.datasets.selection import ROLES, gallery_roles
from mfa.errors import InputError
from mfa.records import DISTRACTOR, JUNK, NO_CAMERA, ReidDataset, Sample
from viz import theme
from viz.images.sheet import put, sheet, write

FONT = 6.5
NARROWEST = 0.26
"""Inches of a picture."""

LINE = 0.13
"""Height of a line of words, inches."""


@theme.themed
def draw_identities(
    dataset: ReidDataset,
    pids: Sequence[int] | None = None,
    *,
    count: int = 6,
    seed: int = 0,
    width: theme.Width | float = "single",
    blur_faces: bool = False,
) -> theme.Picture:
    """One row per person, one column per camera: the same people as the cameras see them.

    An empty place is a camera that did not see the person. Where no camera is known, the columns
    are the person's pictures in order. Cameras beyond what the width holds are counted per person.

    Args:
        dataset: whose lists are looked through, all of them.
        pids: people to show; ``None`` draws ``count`` by ``seed``.
        count: rows, where ``pids`` is not given.
        seed: of that draw.
        width: ``single``, ``double`` or inches.
        blur_faces: coarsen the top of every picture, where the head is.

    Raises:
        InputError: the dataset holds no such person, or nobody.
    """
    people = _people(dataset)
    chosen = _draw(sorted(people), count, seed) if pids is None else list(pids)
    for pid in chosen:
        if pid not in people:
            raise InputError(f"{dataset.name} at {dataset.root} holds no picture of person {pid}")
    rows = {pid: _by_column(people[pid]) for pid in chosen}
    known = any(s.camid != NO_CAMERA for row in rows.values() for s in row.values())
    found = sorted({column for row in rows.values() for column in row})
    across, label = theme.inches(width), 0.35
    room = max(2, int((across - label) / NARROWEST))
    columns = found if len(found) <= room else found[: room - 1]  # the last place counts the rest
    step = (across - label) / (len(columns) + (len(columns) < len(found)))
    figure, canvas = sheet(across, LINE * 1.4 + len(rows) * 2 * step)
    for place, column in enumerate(columns):
        name = f"cam {column}" if known else f"{column + 1}"
        write(canvas, (label + (place + 0.5) * step, 0.02), name, FONT, align="center")
    for number, (pid, row) in enumerate(rows.items()):
        top = LINE * 1.4 + number * 2 * step
        write(canvas, (0.03, top + step * 0.9), f"{pid}", FONT)
        if left_out := len(row.keys() - set(columns)):
            corner = (label + (len(columns) + 0.5) * step, top + step * 0.9)
            write(canvas, corner, f"+{left_out} more", 5, align="center")
        for place, column in enumerate(columns):
            if column in row:
                box = (label + place * step + 0.01, top + 0.01, step - 0.02, 2 * step - 0.02)
                put(canvas, row[column].path, box, f"{pid}/{column}", blur_faces=blur_faces)
    return figure


@theme.themed
def draw_samples(
    datasets: Mapping[str, ReidDataset],
    *,
    count: int = 6,
    seed: int = 0,
    width: theme.Width | float = "double",
    blur_faces: bool = False,
) -> theme.Picture:
    """A block of pictures of each dataset, lettered (a), (b), ... as in the paper's Fig. 3.

    Args:
        datasets: by the name to be written below the block.
        count: pictures of each, of different people where there are enough.
        seed: of the draw.
        width: ``single``, ``double`` or inches.
        blur_faces: coarsen the top of every picture, where the head is.

    Raises:
        InputError: no dataset, or one without pictures of people.
    """
    if not datasets:
        raise InputError("no dataset to show; give at least one")
    across = theme.inches(width)
    beside = min(len(datasets), 2 if across < 5 else 3)
    block = across / beside
    step = (block - 0.12) / count
    tall = 2 * step + 2.2 * LINE
    figure, canvas = sheet(across, tall * math.ceil(len(datasets) / beside))
    for number, (name, dataset) in enumerate(datasets.items()):
        left, top = number % beside * block + 0.06, number // beside * tall + 0.02
        people = _people(dataset)
        drawn = _draw(sorted(people), count, seed)
        generator = np.random.default_rng([seed, number])
        for place, pid in enumerate(drawn):
            sample = people[pid][int(generator.integers(len(people[pid])))]
            box = (left + place * step + 0.01, top, step - 0.02, 2 * step)
            put(canvas, sample.path, box, f"{name}/{place}", blur_faces=blur_faces)
        middle = left + len(drawn) * step / 2
        letter = string.ascii_lowercase[number % 26]
        write(canvas, (middle, top + 2 * step + 0.03), f"({letter}) {name}", FONT, align="center")
    return figure


@theme.themed
def draw_roles(
    dataset: ReidDataset,
    query: int = 0,
    *,
    count: int = 8,
    width: theme.Width | float = "double",
    blur_faces: bool = False,
) -> theme.Picture:
    """One query, and for each role some gallery pictures that have it; grey is left out.

    Args:
        dataset: with a query list and a gallery.
        query: position in the query list.
        count: pictures of each role, spread over the gallery.
        width: ``single``, ``double`` or inches.
        blur_faces: coarsen the top of every picture, where the head is.

    Raises:
        InputError: no such query.
    """
    found = gallery_roles(dataset, query)
    across, left = theme.inches(width), 0.1
    step = (across - left) / (count + 1.4)
    row = 2 * step + 3 * LINE
    shown = {role: samples for role, samples in found.items() if samples}
    figure, canvas = sheet(across, row * len(shown))
    middle = LINE * 1.4
    first = dataset.query[query]
    box = (left, middle, step - 0.02, 2 * step - 0.02)
    put(canvas, first.path, box, "query/0", blur_faces=blur_faces)
    write(canvas, (left, 0.01), "query", FONT)
    write(canvas, (left, middle + 2 * step), _words(first), FONT)
    for number, (role, samples) in enumerate(shown.items()):
        top = number * row
        faded = role in ("own camera", "junk")
        start = left + 1.4 * step
        words = f"{len(samples):,} in the gallery: {ROLES[role]}"
        write(canvas, (start, top + 0.01), words, FONT)
        for place, sample in enumerate(_spread(samples, count)):
            edge = start + place * step
            box = (edge, top + LINE * 1.4, step - 0.02, 2 * step - 0.02)
            name = f"{role}/{place}"
            put(canvas, sample.path, box, name, faded=faded, blur_faces=blur_faces)
            below = top + LINE * 1.4 + 2 * step
            write(canvas, (edge, below), _words(sample), FONT, color="#555555")
    return figure


def _people(dataset: ReidDataset) -> dict[int, list[Sample]]:
    people: dict[int, list[Sample]] = {}
    for sample in (*dataset.train, *dataset.query, *dataset.gallery):
        if sample.pid not in (JUNK, DISTRACTOR):
            people.setdefault(sample.pid, []).append(sample)
    if not people:
        raise InputError(f"{dataset.name} at {dataset.root} holds no picture of a person")
    return people


def _by_column(samples: list[Sample]) -> dict[int, Sample]:
    """The first picture by each camera; by position where no camera is known."""
    if all(sample.camid == NO_CAMERA for sample in samples):
        return dict(enumerate(samples))
    return {sample.camid: sample for sample in reversed(samples)}


def _draw(pids: list[int], count: int, seed: int) -> list[int]:
    return sorted(np.random.default_rng(seed).permutation(pids)[:count].tolist())


def _spread(samples: tuple[Sample, ...], count: int) -> list[Sample]:
    """At most ``count`` samples at even distances, the first one always."""
    chosen = min(count, len(samples))
    return [samples[place * len(samples) // chosen] for place in range(chosen)]


def _words(sample: Sample) -> str:
    camera = "" if sample.camid == NO_CAMERA else f"cam {sample.camid}"
    return f"{sample.pid}, {camera}" if sample.pid > 0 and camera else camera or f"{sample.pid}"
