"""Maps of a network with SIE: of the descriptor that is scored, with the cameras pictures have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mfa import ImagesWithCameras, presets
from mfa.errors import InputError
from mfa.explain import branch_maps, sanity_check_maps
from mfa.explain.capture import mean_maps
from mfa.models import ReidNetwork, build_model
from mfa.progress import Progress
from viz.grids.maps import as_pictures

CAMERAS = torch.tensor([5, 2])
IMAGES = torch.rand(2, 3, 96, 48, generator=torch.Generator().manual_seed(0))
BOTH = ImagesWithCameras(IMAGES, CAMERAS)


@pytest.fixture(scope="module")
def network() -> ReidNetwork:
    torch.manual_seed(0)
    config = replace(presets.get("transreid-demo").model, width=8)
    return build_model(config, 3, cameras=(2, 5)).eval()


@torch.no_grad()
def scores(network: ReidNetwork, cameras: Tensor | None, reference: Tensor) -> np.ndarray:
    """What a map of similarity explains: embeddings, not normalised, along the reference."""
    return (network(IMAGES, cameras).embedding * reference).sum(dim=1).numpy()


@pytest.mark.parametrize("layer", ["branch", "trunk", "block1"])
def test_the_score_explained_is_that_of_picture_and_camera(
    network: ReidNetwork, layer: str
) -> None:
    turned = ImagesWithCameras(IMAGES.flip(0), CAMERAS.flip(0))
    with torch.no_grad():
        reference = network(turned.images, turned.cameras).descriptor
    maps = branch_maps(network, BOTH, toward=reference, layer=layer)
    wanted = scores(network, CAMERAS, reference)
    np.testing.assert_allclose(maps.scores["fused"], wanted, atol=1e-5)
    again = branch_maps(network, BOTH, toward=turned, layer=layer)
    np.testing.assert_allclose(again["fused"], maps["fused"], atol=1e-6)
    # One at a time is the same as together, and pixels alone are explained by the mean.
    first = branch_maps(network, BOTH[:1], toward=reference[:1], layer=layer)
    np.testing.assert_allclose(first["fused"][0], maps["fused"][0], atol=1e-5)
    plain = branch_maps(network, IMAGES, toward=reference, layer=layer)
    np.testing.assert_allclose(plain.scores["fused"], scores(network, None, reference), atol=1e-5)
    assert np.abs(plain["fused"] - maps["fused"]).max() > 1e-6


def test_rules_that_mask_pictures_keep_their_cameras(network: ReidNetwork) -> None:
    shares: list[float] = []

    def masked(images: Any, report: Progress = shares.append) -> np.ndarray:
        maps = branch_maps(
            network, images, method="ScoreCAM", layer="trunk", branches=["global"], progress=report
        )
        return maps["global"]

    both = masked(BOTH)
    assert shares == sorted(shares)
    for i in range(2):
        np.testing.assert_allclose(both[i], masked(BOTH[i : i + 1])[0], atol=1e-5)
    assert np.abs(masked(IMAGES) - both).max() > 1e-6


def test_mean_maps_and_controls_take_them_too(network: ReidNetwork) -> None:
    many = ImagesWithCameras(IMAGES.repeat(20, 1, 1, 1), CAMERAS.repeat(20))  # more than a batch
    found = mean_maps(network, many, layer="trunk", names=["global"])["global"]
    with torch.no_grad():
        wanted = network.trunk_map(IMAGES, CAMERAS).mean(dim=0)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    assert branch_maps(network, BOTH, reference=BOTH).centred
    assert set(sanity_check_maps(network, BOTH)) == {"random weights", "shuffled target"}
    assert np.array_equal(as_pictures(BOTH), as_pictures(IMAGES))


def test_as_many_cameras_as_pictures(network: ReidNetwork) -> None:
    with pytest.raises(InputError, match="2 pictures but 1 cameras"):
        branch_maps(network, ImagesWithCameras(IMAGES, CAMERAS[:1]))


def test_a_network_without_cameras_looks_at_the_pictures_alone() -> None:
    plain = build_model(presets.get("bagtricks-demo").model, 3).eval()
    assert np.array_equal(branch_maps(plain, BOTH)["fused"], branch_maps(plain, IMAGES)["fused"])
    with torch.no_grad():
        assert torch.equal(plain(IMAGES, CAMERAS).embedding, plain(IMAGES).embedding)
