"""Maps of a network with SIE: of the descriptor that is scored, with the cameras pictures have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mfa import ImagesWithCameras, presets
from mfa.errors import InputError
from mfa.explain import branch_maps, sanity_check_maps
from mfa.explain.capture import mean_maps
from mfa.models import ReidNetwork, build_model
from viz.grids.maps import as_pictures

CAMERAS = torch.tensor([5, 2])


@pytest.fixture(scope="module")
def network() -> ReidNetwork:
    torch.manual_seed(0)
    config = replace(presets.get("transreid-demo").model, width=8)
    return build_model(config, 3, cameras=(2, 5)).eval()


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(2, 3, 96, 48, generator=torch.Generator().manual_seed(0))


def scores(
    network: ReidNetwork,
    images: torch.Tensor,
    cameras: torch.Tensor | None,
    reference: torch.Tensor,
) -> np.ndarray:
    """What a map of similarity explains: embeddings, not normalised, along the reference."""
    with torch.no_grad():
        return (network(images, cameras).embedding * reference).sum(dim=1).numpy()


@pytest.mark.parametrize("layer", ["branch", "trunk", "block1"])
def test_the_score_explained_is_that_of_picture_and_camera(
    network: ReidNetwork, images: torch.Tensor, layer: str
) -> None:
    with torch.no_grad():
        reference = network(images.flip(0), CAMERAS.flip(0)).descriptor
    wanted = scores(network, images, CAMERAS, reference)
    progress = branch_maps(
        network, ImagesWithCameras(images, CAMERAS), toward=reference, layer=layer
    )
    np.testing.assert_allclose(progress.scores["fused"], wanted, atol=1e-5)
    again = branch_maps(
        network,
        ImagesWithCameras(images, CAMERAS),
        toward=ImagesWithCameras(images.flip(0), CAMERAS.flip(0)),
        layer=layer,
    )
    np.testing.assert_allclose(again["fused"], progress["fused"], atol=1e-6)
    # One at a time is the same as together, and pixels alone are explained by the mean.
    first = branch_maps(
        network, ImagesWithCameras(images[:1], CAMERAS[:1]), toward=reference[:1], layer=layer
    )
    np.testing.assert_allclose(first["fused"][0], progress["fused"][0], atol=1e-5)
    plain = branch_maps(network, images, toward=reference, layer=layer)
    mean = scores(network, images, None, reference)
    np.testing.assert_allclose(plain.scores["fused"], mean, atol=1e-5)
    assert np.abs(plain["fused"] - progress["fused"]).max() > 1e-6


def test_rules_that_mask_pictures_keep_their_cameras(
    network: ReidNetwork, images: torch.Tensor
) -> None:
    options = {"method": "ScoreCAM", "layer": "trunk", "branches": ("global",)}
    shares: list[float] = []
    both = branch_maps(
        network, ImagesWithCameras(images, CAMERAS), progress=shares.append, **options
    )  # type: ignore[arg-type]
    for i in range(2):
        one = branch_maps(
            network, ImagesWithCameras(images[i : i + 1], CAMERAS[i : i + 1]), **options
        )  # type: ignore[arg-type]
        np.testing.assert_allclose(both["global"][i], one["global"][0], atol=1e-5)
    assert shares == sorted(shares)
    plain = branch_maps(network, images, **options)  # type: ignore[arg-type]
    assert np.abs(plain["global"] - both["global"]).max() > 1e-6


def test_mean_maps_and_controls_take_them_too(network: ReidNetwork, images: torch.Tensor) -> None:
    many = ImagesWithCameras(
        images.repeat(20, 1, 1, 1), CAMERAS.repeat(20)
    )  # more than one batch of 32
    found = mean_maps(network, many, layer="trunk", names=["global"])["global"]
    with torch.no_grad():
        wanted = network.trunk_map(images, CAMERAS).mean(dim=0)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    centred = branch_maps(
        network, ImagesWithCameras(images, CAMERAS), reference=ImagesWithCameras(images, CAMERAS)
    )
    assert centred.centred
    checks = sanity_check_maps(network, ImagesWithCameras(images, CAMERAS))
    assert set(checks) == {"random weights", "shuffled target"}
    assert np.array_equal(as_pictures(ImagesWithCameras(images, CAMERAS)), as_pictures(images))


def test_as_many_cameras_as_pictures(network: ReidNetwork, images: torch.Tensor) -> None:
    with pytest.raises(InputError, match="2 pictures but 1 cameras"):
        branch_maps(network, ImagesWithCameras(images, CAMERAS[:1]))


def test_the_pixels_of_a_network_without_are_explained_alike(images: torch.Tensor) -> None:
    plain = build_model(presets.get("bagtricks-demo").model, 3).eval()
    progress, alone = (
        branch_maps(plain, ImagesWithCameras(images, CAMERAS)),
        branch_maps(plain, images),
    )
    assert np.array_equal(progress["fused"], alone["fused"])
    with torch.no_grad():
        assert torch.equal(plain(images, CAMERAS).embedding, plain(images).embedding)
