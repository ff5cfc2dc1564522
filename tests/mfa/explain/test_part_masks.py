"""Masks of drawn people are the truth; those of photographs are read from the store."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mfa.datasets import load_dataset
from mfa.errors import InputError
from mfa.explain.part_masks import part_masks
from mfa.records import ListPosition, ReidDataset
from mfa.segmentation.store import masks_folder
from mfa.synthetic import SyntheticConfig, load_mask, write

POSITIONS = [ListPosition(0), ListPosition(2)]


def test_drawn_masks_are_read_and_trusted(tmp_path: Path) -> None:
    write(tmp_path, SyntheticConfig(train_ids=1, test_ids=2, seed=0))
    data = load_dataset("synthetic", tmp_path)
    found = part_masks(data, POSITIONS, 32, 16)
    assert (found.parts[1] == load_mask(data.query[2].path, 32, 16)).all()
    assert found.trusted.all()


def store(data: ReidDataset, presence: list[float]) -> None:
    folder = masks_folder(data)
    folder.mkdir(parents=True)
    count = len(data.query)
    parts = np.zeros((count, 128, 64), np.uint8)
    parts[2] = 3
    np.savez(folder / "query-000000.npz", parts=parts, presence=presence, visible=np.ones(count))


def test_found_masks_keep_their_place_in_the_list(tiny_data: ReidDataset, tmp_path: Path) -> None:
    data = replace(tiny_data, root=tmp_path / "tiny")
    with pytest.raises(InputError, match=f"mfa data masks {data.name}"):
        part_masks(data, POSITIONS, 32, 16)
    store(data, [0.1, 1, 1, 1])
    found = part_masks(data, POSITIONS, 32, 16)
    assert found.parts.shape == (2, 32, 16)
    assert found.trusted.tolist() == [False, True]
    assert (found.parts[1] == 3).all()


def test_no_trusted_mask_is_said(tiny_data: ReidDataset, tmp_path: Path) -> None:
    data = replace(tiny_data, root=tmp_path / "tiny")
    store(data, [0.1] * len(data.query))
    with pytest.raises(InputError, match="none of the 2 masks"):
        part_masks(data, POSITIONS, 32, 16)
