"""Which pictures there are, and what their files are called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from mfa.synthetic.config import SyntheticConfig
from mfa.synthetic.scene import Nuisance

TRAIN, QUERY, GALLERY = "bounding_box_train", "query", "bounding_box_test"
OCCLUDED, PARTIAL, WHOLE = "occluded_body_images", "partial_body_images", "whole_body_images"

PASSERS_BY = 2_000_000
JUNK_BOXES = 3_000_000
"""First person number of distractors and of junk, far from the identities of the lists."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One picture to draw: its folder and file name without ending, and what it shows."""

    folder: str
    stem: str
    person: int
    camera: int
    repeat: int
    nuisance: Nuisance | None = None

    @property
    def name(self) -> str:
        """Folder and file name, the key of ``synthetic.json``."""
        return f"{self.folder}/{self.stem}.jpg"


def market_plan(config: SyntheticConfig) -> list[Entry]:
    """Every picture of the Market-1501 layout.

    Queries are one picture of each test identity and camera; the other pictures of that camera
    and all of the other cameras are in the gallery, so every query has matches from others.
    """
    entries = []
    for pid in range(1, config.train_ids + config.test_ids + 1):
        train = pid <= config.train_ids
        images = config.train_images if train else config.test_images
        for camera, repeat in _sightings(pid, images, config):
            folder = TRAIN if train else QUERY if repeat == 0 else GALLERY
            stem = _stem(f"{pid:04d}", pid, camera, repeat)
            entries.append(Entry(folder, stem, pid, camera, repeat))
    others: tuple[tuple[str, int, int, Nuisance | None], ...] = (
        ("0000", PASSERS_BY, config.distractors, None),
        ("-1", JUNK_BOXES, config.junk, "junk"),
    )
    for who, first, count, fault in others:
        for k in range(count):
            camera = 1 + k % config.cameras
            stem = _stem(who, k, camera, k)
            entries.append(Entry(GALLERY, stem, first + k, camera, 0, fault))
    return entries


def partial_plan(config: SyntheticConfig) -> list[Entry]:
    """Every picture of the Partial-REID layout, of test identities of the other set."""
    faults: dict[str, Nuisance] = {OCCLUDED: "occluded", PARTIAL: "truncated", WHOLE: "none"}
    entries = []
    for index in range(1, config.partial_ids + 1):
        person = config.train_ids + index
        for first, (folder, fault) in enumerate(faults.items()):
            for k in range(config.partial_images):
                camera = 1 + (index + first * 2 + k) % config.cameras
                repeat = 100 + first * config.partial_images + k
                stem = f"{index:03d}_{k + 1:03d}"
                entries.append(Entry(folder, stem, person, camera, repeat, fault))
    return entries


def _sightings(pid: int, images: int, config: SyntheticConfig) -> Iterator[tuple[int, int]]:
    """(camera, repeat) of a person's pictures: each camera that saw them did so at least twice."""
    seen = min(config.cameras, images // 2)
    cameras = Random(f"{config.seed}/cameras/{pid}").sample(range(1, config.cameras + 1), seen)
    for k in range(images):
        yield cameras[k % seen], k // seen


def _stem(who: str, index: int, camera: int, repeat: int) -> str:
    """Market-1501's name: identity, camera and sequence, frame, number of the box."""
    frame = 151 + 25 * ((index * 37 + repeat * 211) % 4000)
    return f"{who}_c{camera}s1_{frame:06d}_{repeat % 100:02d}"
