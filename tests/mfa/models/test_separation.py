from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from mfa.models.separation import SeparationMeter, centroid, energy, separation
from mfa.records import Branch, Output


def branch(
    feature_map: Tensor, pooled: Tensor | None = None, guide: Tensor | None = None
) -> Branch:
    pooled = feature_map.mean(dim=(2, 3)) if pooled is None else pooled
    return Branch(feature_map, pooled, pooled, None, guide)


def output(*branches: Branch) -> Output:
    names = {f"branch{i + 1}": one for i, one in enumerate(branches)}
    return Output(branches[0].map, names, torch.cat([one.pooled for one in branches], dim=1))


def random_output(seed: int, batch: int = 3, count: int = 3) -> Output:
    g = torch.Generator().manual_seed(seed)
    return output(
        *(
            branch(
                torch.randn(batch, 4, 5, 2, generator=g),
                torch.randn(batch, 4, generator=g),
                torch.randn(batch, 4, generator=g),
            )
            for _ in range(count)
        )
    )


def slow(outputs: list[Output]) -> dict[str, float]:
    """Every figure with loops over pictures, pixels and channels."""
    names = list(outputs[0].branches)
    maps: dict[str, list[np.ndarray]] = {name: [] for name in names}
    pooled: dict[str, list[np.ndarray]] = {name: [] for name in names}
    guides: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for out in outputs:
        for name, one in out.branches.items():
            assert one.guide is not None
            for i in range(len(one.map)):
                _, h, w = one.map[i].shape
                found = np.zeros((h, w))
                for y in range(h):
                    for x in range(w):
                        found[y, x] = sum(float(v) ** 2 for v in one.map[i, :, y, x])
                maps[name].append(found)
                pooled[name].append(one.pooled[i].double().numpy())
                guides[name].append(one.guide[i].double().numpy())
    centres = {
        name: [
            sum((y + 0.5) / len(m) * m[y].sum() for y in range(len(m))) / m.sum()
            for m in maps[name]
        ]
        for name in names
    }
    pictures = range(len(maps[names[0]]))
    cosines = [
        (maps[a][i] * maps[b][i]).sum()
        / math.sqrt((maps[a][i] ** 2).sum() * (maps[b][i] ** 2).sum())
        for i in pictures
        for k, a in enumerate(names)
        for b in names[k + 1 :]
    ]
    ordered = [all(centres[a][i] < centres[b][i] for a, b in pairwise(names)) for i in pictures]
    figures = {f"centroid/{name}": float(np.mean(centres[name])) for name in names}
    for name in names:
        middle = np.mean(guides[name], axis=0)
        residual = sum(
            ((own - other) ** 2).sum()
            for own, other in zip(pooled[name], guides[name], strict=True)
        )
        variance = sum(((other - middle) ** 2).sum() for other in guides[name])
        figures[f"r2/{name}"] = 1 - residual / variance
    norms = [float(np.linalg.norm(vector)) for name in names for vector in pooled[name]]
    return figures | {
        "map_cosine": float(np.mean(cosines)),
        "in_order": float(np.mean(ordered)),
        "feature_norm": float(np.mean(norms)),
    }


def test_batches_of_different_size_add_up_to_the_slow_loop() -> None:
    outputs = [random_output(0, batch=3), random_output(1, batch=1), random_output(2, batch=5)]
    meter = SeparationMeter()
    for one in outputs:
        meter.update(one)
    assert meter.result() == pytest.approx(slow(outputs), rel=1e-6)


def test_centroid_counts_pixel_centres_from_the_top() -> None:
    energies = torch.zeros(4, 4, 2)
    energies[0, 0] = 1  # the upper row of four
    energies[1, 3] = 5  # the lower row
    energies[2] = 2  # even
    energies[3, 1, 0], energies[3, 3, 1] = 3, 1
    expected = torch.tensor([0.125, 0.875, 0.5, (3 * 0.375 + 0.875) / 4], dtype=torch.float64)
    torch.testing.assert_close(centroid(energies), expected)


def test_energy_is_the_sum_of_squares_also_where_float16_would_overflow() -> None:
    feature_map = torch.tensor([300.0, -400.0]).half().view(1, 2, 1, 1)
    assert energy(feature_map).item() == pytest.approx(250_000)


def test_separated_branches() -> None:
    maps = torch.zeros(4, 2, 3, 8, 2)
    for i in range(4):
        maps[i, :, :, 2 * i : 2 * i + 2] = 1
    figures = separation(output(*(branch(one) for one in maps)))
    assert figures["map_cosine"] == 0
    assert figures["in_order"] == 1
    assert [figures[f"centroid/branch{i}"] for i in (1, 2, 3, 4)] == [0.125, 0.375, 0.625, 0.875]


def test_identical_branches_are_not_in_order() -> None:
    one = branch(torch.rand(3, 4, 6, 2))
    figures = separation(output(one, one))
    assert figures["map_cosine"] == pytest.approx(1)
    assert figures["in_order"] == 0


def test_even_maps_have_cosine_one_because_the_mean_stays() -> None:
    figures = separation(output(branch(torch.ones(1, 2, 3, 3)), branch(5 * torch.ones(1, 2, 3, 3))))
    assert figures["map_cosine"] == pytest.approx(1)


def test_r2_tells_guidance_from_shrinking() -> None:
    guide = torch.randn(50, 6, generator=torch.Generator().manual_seed(0)) + 3
    feature_map = torch.ones(50, 6, 2, 2)
    mean = guide.mean(dim=0).expand_as(guide)

    def r2(pooled: Tensor) -> float:
        return separation(output(branch(feature_map, pooled, guide)))["r2/branch1"]

    assert r2(guide) == 1
    assert r2(mean) == pytest.approx(0, abs=1e-6)
    assert r2(torch.zeros_like(guide)) < -1
    half = mean + 0.5 * (guide - mean)
    assert r2(half) == pytest.approx(0.75, abs=1e-5)


def test_r2_of_long_vectors_with_little_variance_keeps_its_digits() -> None:
    g = torch.Generator().manual_seed(0)
    guide = torch.randn(200, 4, generator=g, dtype=torch.float64) + 10_000
    pooled = guide + 0.5 * torch.randn(200, 4, generator=g, dtype=torch.float64)
    figures = separation(output(branch(torch.ones(200, 4, 2, 2), pooled, guide)))
    variance = (guide - guide.mean(dim=0)).square().sum()
    expected = 1 - ((pooled - guide).square().sum() / variance).item()
    assert figures["r2/branch1"] == pytest.approx(expected, abs=1e-5)


def test_undefined_figures_are_left_out() -> None:
    guide = torch.ones(2, 3)
    one = separation(output(branch(torch.ones(2, 3, 2, 2), guide=guide)))
    assert set(one) == {"feature_norm", "centroid/branch1"}  # equal guides, one branch
    assert SeparationMeter().result() == {}


def test_a_picture_with_an_empty_map_is_passed_over_and_not_in_order() -> None:
    upper, lower = torch.zeros(2, 1, 2, 1), torch.zeros(2, 1, 2, 1)
    upper[:, :, 0], lower[:, :, 1] = 1, 1
    upper[1] = 0
    figures = separation(output(branch(upper), branch(lower)))
    assert figures["centroid/branch1"] == 0.25
    assert figures["map_cosine"] == 0
    assert figures["in_order"] == 0.5


def test_maps_of_different_size_have_centroids_and_no_cosine() -> None:
    figures = separation(output(branch(torch.ones(1, 2, 4, 2)), branch(torch.ones(1, 3, 8, 2))))
    assert "map_cosine" not in figures
    assert figures["centroid/branch2"] == 0.5


def test_a_norm_that_is_not_finite_is_reported() -> None:
    bad = branch(torch.ones(2, 3, 2, 2), torch.tensor([[1.0, 0, 0], [math.nan, 0, 0]]))
    assert math.isnan(separation(output(bad))["feature_norm"])


def test_measuring_leaves_no_graph() -> None:
    leaf = torch.rand(2, 3, 4, 2, requires_grad=True)
    meter = SeparationMeter()
    meter.update(output(branch(leaf * 2), branch(leaf * 3)))
    assert not any(value.requires_grad for value in meter._sums.values())
