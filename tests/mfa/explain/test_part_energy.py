"""Shares of energy on parts, against a slow loop and by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mfa.errors import InputError
from mfa.explain.part_energy import PERSON, part_shares, person_energy
from mfa.records import ReidDataset
from mfa.runs.run import open_run
from mfa.synthetic import PARTS


def test_part_shares_against_a_loop() -> None:
    torch.manual_seed(0)
    maps = torch.rand(2, 3, 2)
    masks = torch.randint(0, len(PARTS), (2, 12, 6))
    shares = part_shares(maps, masks)
    for b in range(2):
        expected = [0.0] * len(PARTS)
        for y in range(12):
            for x in range(6):
                expected[int(masks[b, y, x])] += float(maps[b, y // 4, x // 3]) / 12
        total = float(maps[b].sum())
        assert shares[b].tolist() == pytest.approx([e / total for e in expected], abs=1e-6)


def test_all_energy_on_one_part() -> None:
    masks = torch.zeros(1, 4, 4, dtype=torch.uint8)
    masks[:, 2:] = PARTS.index("shins")
    maps = torch.tensor([[[0.0, 0.0], [1.0, 3.0]]])
    shares = part_shares(maps, masks)[0]
    assert shares[PARTS.index("shins")] == 1
    assert shares.sum() == 1
    assert part_shares(torch.zeros(1, 2, 2), masks).isnan().all()


def test_the_person_is_all_but_background_occluder_and_others() -> None:
    assert set(PARTS) - set(PERSON) == {"background", "occluder", "other"}


def test_pictures_without_masks_are_named(tiny_data: ReidDataset, tiny_run: Path) -> None:
    with pytest.raises(InputError, match="mfa data masks"):
        person_energy(open_run(tiny_run), tiny_data)
