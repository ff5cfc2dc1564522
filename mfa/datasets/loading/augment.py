"""The recipe's augmentation, on whole batches where the model is: flip, crop, colours, erasing.

One generator seeded by (seed, epoch, step) draws everything, on the CPU, so a batch is the same
however many loader processes there are, on every device, and after a resume.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from mfa.config import DataConfig

ERASE_AREA = (0.02, 0.4)
ERASE_ASPECT = (0.3, 1 / 0.3)
ERASE_TRIES = 10

CUT_SHARE, CUT_NARROWEST = (0.4, 0.9), 0.55
"""Kept share of a cut picture's height, and the smallest of its width, where it is cut at the
side."""

CUT_SIDES = (0.6, 0.2, 0.1, 0.1)
"""Chances that a cut keeps the upper, the lower, the left or the right part."""

COVER_DEPTH = (0.15, 0.5)
"""Share of the height or of the width that is covered."""

COVER_EDGES = (0.5, 0.1, 0.2, 0.2)
"""Chances that a picture is covered from below, from above, from the left or from the right."""


def to_unit(images: Tensor) -> Tensor:
    """Map uint8 0..255 to float32 0..1."""
    return images.to(torch.float32, copy=True).div_(255)


def augment(images: Tensor, config: DataConfig, generator: torch.Generator) -> Tensor:
    """Training pictures (B, 3, H, W) in [0, 1], changed at random; a new tensor."""
    images = random_flip(images, config.flip, generator)
    images = random_cut(images, config.cut, generator)
    images = random_crop(images, config.pad, generator)
    images = random_colours(images, config.jitter, generator)
    images = random_cover(images, config.covering, generator)
    return random_erase(images, config.erasing, generator)


def random_flip(images: Tensor, chance: float, generator: torch.Generator) -> Tensor:
    """Mirror each picture left to right with the given chance."""
    flip = torch.rand(len(images), generator=generator) < chance
    return torch.where(flip.to(images.device).view(-1, 1, 1, 1), images.flip(3), images)


def random_crop(images: Tensor, pad: int, generator: torch.Generator) -> Tensor:
    """Pad each side with black and cut a window of the old size at random."""
    if pad == 0:
        return images
    height, width = images.shape[2:]
    padded = F.pad(images, (pad, pad, pad, pad))
    top, left = torch.randint(0, 2 * pad + 1, (2, len(images)), generator=generator).tolist()
    corners = zip(padded, top, left, strict=True)
    return torch.stack([p[:, t : t + height, x : x + width] for p, t, x in corners])


def random_cut(images: Tensor, chance: float, generator: torch.Generator) -> Tensor:
    """Cut each picture by chance to one of its sides and enlarge that part to the full size.

    Most cuts keep the upper part, as cameras above people and obstacles before them do; the others
    keep the lower, the left or the right part. The kept share is uniform in ``CUT_SHARE``.
    """
    if chance == 0:
        return images
    count = len(images)
    cuts = torch.rand(count, generator=generator) < chance
    kept = _between(CUT_SHARE, torch.rand(count, generator=generator))
    sides = torch.multinomial(torch.tensor(CUT_SIDES), count, replacement=True, generator=generator)
    kept = torch.where(sides < 2, kept, kept.clamp(min=CUT_NARROWEST))
    kept = torch.where(cuts, kept, 1.0)
    # An affine map per picture from the new coordinates, -1 to 1, to the old: scale and centre.
    towards = torch.where(sides % 2 == 0, kept - 1, 1 - kept)
    tall, maps = sides < 2, torch.zeros(count, 2, 3)
    maps[:, 0, 0], maps[:, 0, 2] = torch.where(tall, 1.0, kept), torch.where(tall, 0.0, towards)
    maps[:, 1, 1], maps[:, 1, 2] = torch.where(tall, kept, 1.0), torch.where(tall, towards, 0.0)
    grid = F.affine_grid(maps.to(images.device), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def random_cover(images: Tensor, chance: float, generator: torch.Generator) -> Tensor:
    """Cover a part of each picture by chance with the same part of another picture of the batch.

    The part reaches one edge of the picture, as an obstacle does: from below most often, else from
    a side or from above. Its depth is uniform in ``COVER_DEPTH``.
    """
    if chance == 0:
        return images
    count, height, width = len(images), *images.shape[2:]
    covered = torch.rand(count, generator=generator) < chance
    others = torch.roll(torch.arange(count), int(torch.randint(1, count, (), generator=generator)))
    depths = _between(COVER_DEPTH, torch.rand(count, generator=generator))
    chances = torch.tensor(COVER_EDGES)
    edges = torch.multinomial(chances, count, replacement=True, generator=generator)
    rows = torch.arange(height).view(1, 1, height, 1) / height
    columns = torch.arange(width).view(1, 1, 1, width) / width
    depth = torch.where(covered, depths, 0.0).view(-1, 1, 1, 1)
    edge = edges.view(-1, 1, 1, 1)
    parts = (rows >= 1 - depth, rows < depth, columns < depth, columns >= 1 - depth)
    hidden = torch.zeros(count, 1, height, width, dtype=torch.bool)
    for number, part in enumerate(parts):
        hidden |= (edge == number) & part
    return torch.where(hidden.to(images.device), images[others.to(images.device)], images)


def random_colours(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Change brightness, contrast and saturation of each picture by factors of 1 +- ``strength``.

    Contrast turns about the picture's mean grey, saturation about each pixel's own.
    """
    if strength == 0:
        return images
    draws = 1 + strength * (2 * torch.rand((3, len(images), 1, 1, 1), generator=generator) - 1)
    brightness, contrast, saturation = draws.to(images.device)
    images = images * brightness
    grey = images.mean(dim=1, keepdim=True)
    images = grey + saturation * (images - grey)
    middle = images.mean(dim=(1, 2, 3), keepdim=True)
    return (middle + contrast * (images - middle)).clamp(0, 1)


def random_erase(images: Tensor, chance: float, generator: torch.Generator) -> Tensor:
    """Fill a random rectangle of each picture with the picture's mean colour, by chance.

    Area 2 to 40 % of the picture, aspect 0.3 to 3.3 (Zhong et al. 2020).
    """
    images = images.clone()
    height, width = images.shape[2:]
    for image in images:
        if _uniform(0, 1, generator) >= chance:
            continue
        for _ in range(ERASE_TRIES):
            area = _uniform(*ERASE_AREA, generator) * height * width
            low, high = map(math.log, ERASE_ASPECT)
            aspect = math.exp(_uniform(low, high, generator))
            h, w = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < h < height and 0 < w < width:
                top = int(_uniform(0, height - h + 1, generator))
                left = int(_uniform(0, width - w + 1, generator))
                fill = image.mean(dim=(1, 2)).view(3, 1, 1)
                image[:, top : top + h, left : left + w] = fill
                break
    return images


def _uniform(low: float, high: float, generator: torch.Generator) -> float:
    return low + (high - low) * torch.rand((), generator=generator).item()


def _between(bounds: tuple[float, float], draws: Tensor) -> Tensor:
    low, high = bounds
    return low + (high - low) * draws
