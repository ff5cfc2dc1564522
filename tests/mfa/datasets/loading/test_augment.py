from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from mfa.config import DataConfig
from mfa.datasets.loading.augment import (
    augment,
    random_colours,
    random_cover,
    random_crop,
    random_cut,
    random_erase,
    random_flip,
    to_unit,
)

HEIGHT, WIDTH = 24, 12

Change = Callable[[Tensor, int, torch.Generator], Tensor]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int) -> Tensor:
    """Noise without black, so that any change shows."""
    return torch.rand(count, 3, HEIGHT, WIDTH, generator=seeded(99)) * 0.9 + 0.1


def test_to_unit_maps_0_to_0_and_255_to_1() -> None:
    made = to_unit(torch.tensor([0, 51, 255], dtype=torch.uint8))
    assert made.dtype == torch.float32
    assert made.tolist() == pytest.approx([0, 0.2, 1])


def test_flip_always_never_and_by_chance() -> None:
    images = pictures(2)
    assert torch.equal(random_flip(images, 0, seeded()), images)
    mirrored = torch.stack([images[..., WIDTH - 1 - x] for x in range(WIDTH)], dim=-1)
    assert torch.equal(random_flip(images, 1, seeded()), mirrored)
    many = pictures(400)
    made = random_flip(many, 0.3, seeded())
    same = (made == many).flatten(1).all(dim=1)
    turned = (made == many.flip(3)).flatten(1).all(dim=1)
    assert (same ^ turned).all()
    assert 80 < turned.sum().item() < 160  # 120 expected, standard deviation 9


def window(picture: np.ndarray, top: int, left: int, pad: int) -> np.ndarray:
    """What a window at (top, left) of the padded picture shows, pixel by pixel."""
    made = np.zeros_like(picture)
    for y in range(HEIGHT):
        for x in range(WIDTH):
            row, column = top + y - pad, left + x - pad
            if 0 <= row < HEIGHT and 0 <= column < WIDTH:
                made[:, y, x] = picture[:, row, column]
    return made


def test_crop_is_one_of_the_windows_of_the_padded_picture() -> None:
    pad, images = 1, pictures(60)
    made = random_crop(images, pad, seeded())
    assert made.shape == images.shape
    seen = set()
    for before, after in zip(images.numpy(), made.numpy(), strict=True):
        places = [
            (top, left)
            for top in range(2 * pad + 1)
            for left in range(2 * pad + 1)
            if np.array_equal(window(before, top, left, pad), after)
        ]
        assert len(places) == 1
        seen.add(places[0])
    assert len(seen) == 9  # every place, in 60 pictures


def erased_box(before: Tensor, after: Tensor) -> tuple[int, int, int, int]:
    """(top, left, height, width) of what changed, which must be one full rectangle."""
    changed = (before != after).any(dim=0)
    rows, columns = changed.any(dim=1).nonzero().flatten(), changed.any(dim=0).nonzero().flatten()
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    left, right = int(columns[0]), int(columns[-1]) + 1
    assert changed.sum().item() == (bottom - top) * (right - left)
    return top, left, bottom - top, right - left


def test_erasing_fills_one_rectangle_with_the_pictures_mean() -> None:
    images = pictures(120)
    made = random_erase(images, 1, seeded())
    heights, tops = set(), set()
    for before, after in zip(images, made, strict=True):
        top, left, height, width = erased_box(before, after)
        mean = [before[c].double().mean().item() for c in range(3)]
        for c in range(3):
            filled = after[c, top : top + height, left : left + width]
            assert filled.min() == filled.max()
            assert filled[0, 0].item() == pytest.approx(mean[c], abs=1e-5)
        # Sides are rounded to whole pixels, hence half a pixel of room on each.
        area, whole = height * width, HEIGHT * WIDTH
        assert (height + 0.5) * (width + 0.5) >= 0.02 * whole
        assert (height - 0.5) * (width - 0.5) <= 0.4 * whole
        assert (height + 0.5) / (width - 0.5) >= 0.3
        assert (height - 0.5) / (width + 0.5) <= 1 / 0.3
        assert 0 < area < whole
        heights.add(height)
        tops.add(top)
        assert top + height <= HEIGHT
        assert left + width <= WIDTH
    assert len(heights) > 8
    assert min(tops) == 0


def test_erasing_reaches_every_pixel_about_evenly() -> None:
    images = pictures(800)
    share = (random_erase(images, 1, seeded()) != images).any(dim=1).double().mean(dim=0)
    assert share.min() > 0  # the corners too
    assert 0.1 < share.mean() < 0.25  # areas are even between 0.02 and 0.4, tall ones do not fit
    assert share.flip(0).sub(share).abs().max() < 0.1  # above as below
    assert share.flip(1).sub(share).abs().max() < 0.1  # left as right


def test_erasing_never_and_by_chance() -> None:
    images = pictures(400)
    assert torch.equal(random_erase(images, 0, seeded()), images)
    changed = (random_erase(images, 0.5, seeded()) != images).flatten(1).any(dim=1)
    assert 160 < changed.sum().item() < 240  # 200 expected, standard deviation 10


@pytest.mark.parametrize(
    "config",
    [
        DataConfig(flip=0.5, pad=2, erasing=0.5),
        DataConfig(flip=1, pad=0, erasing=1),
        DataConfig(flip=0, pad=0, erasing=0),
    ],
)
def test_the_whole_recipe_is_seeded_and_leaves_its_input_alone(config: DataConfig) -> None:
    images = pictures(8)
    kept = images.clone()
    made = augment(images, config, seeded(5))
    assert torch.equal(images, kept)
    assert torch.equal(made, augment(images, config, seeded(5)))
    assert made.shape == images.shape
    assert made.min() >= 0
    assert made.max() <= 1
    made.zero_()  # a tensor of its own, also where nothing was changed
    assert torch.equal(images, kept)


def test_global_random_state_is_neither_used_nor_moved() -> None:
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = augment(pictures(4), DataConfig(), seeded(5))
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    assert torch.equal(augment(pictures(4), DataConfig(), seeded(5)), first)


def test_colours_keep_to_their_factors() -> None:
    grey = torch.full((200, 3, 2, 2), 0.5)  # even and grey: only brightness shows
    changed = random_colours(grey, 0.2, seeded())
    values = changed[:, 0, 0, 0]
    assert torch.equal(changed, values.view(-1, 1, 1, 1).expand_as(changed))
    assert 0.4 <= values.min() < 0.42
    assert 0.58 < values.max() <= 0.6


def test_colours_by_hand() -> None:
    picture = torch.tensor([[[[0.2, 0.4]], [[0.4, 0.4]], [[0.6, 0.4]]]])
    words = torch.rand((3, 1, 1, 1, 1), generator=seeded(7))
    b, c, s = (1 + 0.5 * (2 * words - 1)).flatten().tolist()
    (changed,) = random_colours(picture, 0.5, seeded(7))
    for channel, value in enumerate((0.2, 0.4, 0.6)):
        # The grey of both pixels is 0.4, and so is the mean.
        saturated = b * 0.4 + s * (b * value - b * 0.4)
        expected = min(max(b * 0.4 + c * (saturated - b * 0.4), 0), 1)
        assert changed[channel, 0, 0].item() == pytest.approx(expected, abs=1e-6)
        assert changed[channel, 0, 1].item() == pytest.approx(b * 0.4, abs=1e-6)


def ramps(count: int) -> Tensor:
    """Pictures whose channels are their height, their width and 1, as shares."""
    y = torch.linspace(0, 1, HEIGHT).view(1, HEIGHT, 1).expand(1, HEIGHT, WIDTH)
    x = torch.linspace(0, 1, WIDTH).view(1, 1, WIDTH).expand(1, HEIGHT, WIDTH)
    return torch.cat([y, x, torch.ones_like(x)]).expand(count, 3, HEIGHT, WIDTH).clone()


def test_a_cut_enlarges_one_side_of_the_picture() -> None:
    images = ramps(400)
    made = random_cut(images, 1.0, seeded())
    assert made.shape == images.shape
    assert torch.allclose(made[:, 2], torch.ones(400, HEIGHT, WIDTH))
    tall = made[:, 0].amax(dim=(1, 2)) - made[:, 0].amin(dim=(1, 2))
    wide = made[:, 1].amax(dim=(1, 2)) - made[:, 1].amin(dim=(1, 2))
    upright = tall < 0.95
    assert 0.7 < upright.float().mean() < 0.9  # cut above or below: 0.8 of the pictures
    assert ((wide < 0.95) ^ upright).all()  # never both
    assert 0.35 < tall[upright].min() < 0.45
    assert (made[upright, 0].amin(dim=(1, 2)) < 0.05).float().mean() > 0.6  # the upper part


@pytest.mark.parametrize("change", [random_cut, random_cover, random_colours, random_crop])
def test_a_strength_of_zero_changes_nothing_and_draws_nothing(change: Change) -> None:
    images, generator = pictures(8), seeded()
    before = generator.get_state()
    assert change(images, 0, generator) is images
    assert torch.equal(generator.get_state(), before)


def test_a_covering_comes_from_another_picture_at_the_same_place() -> None:
    images = pictures(64)
    made = random_cover(images, 1.0, seeded())
    changed = (made != images).any(dim=1)
    share = changed.float().mean(dim=(1, 2))
    assert (share > 0.05).all()
    assert (share < 0.6).all()
    for i in range(8):
        hidden = made[i, :, changed[i]]
        same = [torch.equal(hidden, images[j, :, changed[i]]) for j in range(64)]
        assert any(same)
        assert not same[i]
