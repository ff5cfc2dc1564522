"""Where a map's energy lies, against part masks: on the person, its parts, occluder, background."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mfa.explain.geometry import MapGrid, map_grids
from mfa.explain.part_masks import part_masks
from mfa.inference.evaluate import test_pictures
from mfa.models.separation import energy
from mfa.records import ReidDataset
from mfa.runs.run import Run
from mfa.synthetic import PARTS

PERSON = ("head", "torso", "arms", "thighs", "shins", "bag")
"""The parts of the person meant; not the occluder, other people or the background."""


def part_shares(maps: Tensor, masks: Tensor, grid: MapGrid | None = None) -> Tensor:
    """Share of each map's energy on each part.

    Args:
        maps: (B, h, w), not negative.
        masks: (B, H, W) part indices as in ``PARTS``. Each pixel of the map is shared out to the
            parts by the area that they cover where the pixel is drawn.
        grid: where the pixels of the maps lie; by default evenly over the picture.

    Returns:
        (B, len(PARTS)); rows add up to 1, or are NaN for a map without energy.
    """
    areas = F.one_hot(masks.long(), len(PARTS)).permute(0, 3, 1, 2).to(maps.dtype)
    covered = (grid or MapGrid.even(maps.shape[1], maps.shape[2])).pool(areas)
    weighted = (covered * maps[:, None]).sum(dim=(2, 3))
    return weighted / maps.sum(dim=(1, 2))[:, None]


def person_energy(run: Run, data: ReidDataset) -> dict[str, float]:
    """Mean share of branch-map energy on the person over the query pictures, by branch.

    ``person/branchN``, and ``person/area``: the share of the picture the person covers, which a
    map without preference would reach.

    Raises:
        InputError: the dataset has no part masks.
    """
    pictures = test_pictures(run, data, data.query)
    known = part_masks(data, pictures.positions.tolist(), pictures.height, pictures.width)
    masks = torch.from_numpy(known.parts)
    person = [PARTS.index(part) for part in PERSON]
    rows: dict[str, list[Tensor]] = {}
    start = 0
    grids = map_grids(run.model, (pictures.height, pictures.width))
    for output in run.outputs(pictures, data):
        batch = masks[start : start + len(output.descriptor)]
        start += len(batch)
        shares = {
            name: part_shares(energy(branch.map).cpu(), batch, grids[name])
            for name, branch in output.branches.items()
        }
        shares["area"] = part_shares(torch.ones(batch.shape), batch)
        for name, values in shares.items():
            rows.setdefault(f"person/{name}", []).append(values[:, person].sum(dim=1))
    trusted = torch.from_numpy(known.trusted)
    return {name: torch.cat(parts)[trusted].nanmean().item() for name, parts in rows.items()}
