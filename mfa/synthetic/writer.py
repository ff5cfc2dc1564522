"""Writing the set to disk: complete or not at all."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from mfa.datasets.readers.folders import DRAWN
from mfa.errors import InputError
from mfa.files import draft_folder, parse_json
from mfa.progress import reporting
from mfa.synthetic.config import SyntheticConfig
from mfa.synthetic.masks import FOLDER, mask_path
from mfa.synthetic.plan import Entry, market_plan, partial_plan
from mfa.synthetic.scene import Fact, shoot

DRAWING = 1
"""Raised whenever equal settings come to give other pictures."""


def write(root: Path, config: SyntheticConfig) -> Path:
    """Write the set to ``root``/synthetic in Market-1501's layout; returns that folder.

    Beside the three picture folders: ``masks/<folder>/<same name>.png`` (indices into ``PARTS``)
    and ``synthetic.json`` (settings, and what each picture shows). A set of the same settings that
    is complete is left as it is; one of other settings is replaced.

    Raises:
        InputError: the folder exists and is not a synthetic set, or cannot be written.
    """
    return _write(root / "synthetic", config, market_plan(config))


def write_partial(root: Path, config: SyntheticConfig) -> Path:
    """Write occluded, partial and whole pictures to ``root``/synthetic_partial.

    Layout and names are Partial-REID's; masks and record as in ``write``. The people are test
    identities of the set ``write`` makes.

    Raises:
        InputError: the folder exists and is not a synthetic set, or cannot be written.
    """
    return _write(root / "synthetic_partial", config, partial_plan(config))


def _write(target: Path, config: SyntheticConfig, plan: Sequence[Entry]) -> Path:
    if _complete(target, config, plan):
        return target
    try:
        with draft_folder(target) as built:
            _build(built, config, plan, target.name)
            if target.exists():
                old = built.with_name(f"{built.name}-old")
                target.rename(old)
                built.rename(target)
                shutil.rmtree(old)
            else:
                built.rename(target)
    except OSError as error:
        raise InputError(
            f"the synthetic set cannot be written to {target} ({error.strerror or error})",
            "free the disk, or choose another data root",
        ) from error
    return target


def _complete(target: Path, config: SyntheticConfig, plan: Sequence[Entry]) -> bool:
    """Whether ``target`` already holds these pictures."""
    if not target.exists():
        return False
    try:
        record = parse_json((target / DRAWN).read_text(encoding="utf-8"))
        made = record["drawing"], record["config"]
    except (OSError, ValueError, KeyError, TypeError):
        if target.is_dir() and not any(target.iterdir()):
            return False
        raise InputError(
            f"{target} exists and holds no readable {DRAWN}, so it is not replaced", "move it away"
        ) from None
    if made != (DRAWING, dataclasses.asdict(config)):
        return False
    images = (target / entry.name for entry in plan)
    return all(path.is_file() and mask_path(path).is_file() for path in images)


def _build(folder: Path, config: SyntheticConfig, plan: Sequence[Entry], name: str) -> None:
    for split in {entry.folder for entry in plan}:
        (folder / split).mkdir()
        (folder / FOLDER / split).mkdir(parents=True)
    images: dict[str, dict[str, Fact]] = {}
    with reporting(True, f"drawing {len(plan):,} pictures of {name}") as report:
        for number, entry in enumerate(plan, 1):
            images[entry.name] = draw_entry(folder, entry, config)
            report(number / len(plan))
    record = {
        "drawing": DRAWING,
        "config": dataclasses.asdict(config),
        "pictures": dict(sorted(images.items())),
    }
    (folder / DRAWN).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def draw_entry(folder: Path, entry: Entry, config: SyntheticConfig) -> dict[str, Fact]:
    """Draw one picture and its mask into ``folder``; returns what it shows."""
    shot = shoot(entry.person, entry.camera, entry.repeat, config, entry.nuisance)
    path = folder / entry.name
    path.write_bytes(shot.jpeg())
    shot.mask.save(mask_path(path), compress_level=3)
    return shot.facts
