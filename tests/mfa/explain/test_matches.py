"""Matches: against every pair of places, asked for one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import mfa
from mfa.config import ModelConfig
from mfa.explain.correspondence import correspond
from mfa.models import ReidNetwork, build_model

IMAGES = torch.rand(4, 3, 32, 16, generator=torch.Generator().manual_seed(1))
PLACES = [(8 * i, 8 * j) for i in range(4) for j in range(2)]
"""Points of the picture in which each map pixel is nearest once."""


@pytest.fixture(scope="module")
def network() -> ReidNetwork:
    torch.manual_seed(0)
    config = ModelConfig(trunk="resnet10", width=8, stride=8, gate="guided", branches=2)
    built = build_model(config).eval()
    for head in built.heads.values():
        head.neck.running_mean.normal_(0.5, 0.2)
        head.neck.bias.data.normal_()
    return built


@pytest.mark.parametrize("reference", [None, IMAGES[2:]])
def test_a_match_has_no_better_partner(network: ReidNetwork, reference: torch.Tensor) -> None:
    found = mfa.match_places(network, IMAGES[0], IMAGES[1], reference=reference)
    pairs = [correspond(network, *IMAGES[:2], point, reference=reference) for point in PLACES]
    for name, lines in found.strongest(99).items():
        parts = np.stack([one.maps[name].ravel() for one in pairs])
        assert found.pairs[name] == pytest.approx(parts.sum())
        expected = [
            parts[i, j]
            for i in range(8)
            for j in range(8)
            if 0 < parts[i, j] == parts[i].max() == parts[:, j].max()
        ]
        assert lines["part"].tolist() == pytest.approx(sorted(expected, reverse=True))
        grid = pairs[0].grids[name]
        for line in lines.to_dict("records"):
            i, j = (
                grid.rows.nearest(line[f"{side}_y"]) * 2 + grid.columns.nearest(line[f"{side}_x"])
                for side in ("query", "gallery")
            )
            assert parts[i, j] == pytest.approx(line["part"])


def test_a_moved_patch_is_joined_to_where_it_went(network: ReidNetwork) -> None:
    gallery = torch.full((3, 32, 32), 0.5)
    query, patch = gallery.clone(), torch.zeros(3, 8, 8)
    patch[0] = 1
    query[:, 4:12, 4:12], gallery[:, 20:28, 20:28] = patch, patch
    found = mfa.match_places(network, query, gallery, reference=torch.full((1, 3, 32, 32), 0.5))
    best = found.lines.loc[found.lines["part"].idxmax()]
    assert best["query_y"] < 0.5 < best["gallery_y"]
    assert best["query_x"] < 0.5 < best["gallery_x"]


def test_pictures_that_are_the_average_have_no_match(network: ReidNetwork) -> None:
    found = mfa.match_places(network, IMAGES[0], IMAGES[1], reference=IMAGES[:1])
    assert len(found.lines) == 0
    assert [len(lines) for lines in found.strongest(3).values()] == [0, 0]
