"""Contact sheets: identities down, cameras across; the same with part masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from mfa.synthetic.config import SyntheticConfig
from mfa.synthetic.scene import Rendering, render

PART_COLOURS = np.array(
    [
        (44, 44, 48),
        (240, 196, 60),
        (206, 60, 60),
        (240, 146, 96),
        (52, 96, 200),
        (104, 196, 236),
        (160, 76, 190),
        (128, 128, 132),
        (64, 150, 84),
    ],
    np.uint8,
)
"""One colour for each of ``PARTS``, in their order."""


def contact_sheet(
    config: SyntheticConfig, pids: int = 6, columns: int = 8, first: int = 1
) -> np.ndarray:
    """Pictures side by side, (pids * height, columns * width, 3) uint8.

    Rows are identities from ``first`` on; columns are the cameras in turn, each a second time with
    another picture when there are more columns than cameras.
    """
    return _grid([[cell.image for cell in row] for row in _rows(config, pids, columns, first)])


def mask_sheet(
    config: SyntheticConfig, pids: int = 6, columns: int = 8, first: int = 1
) -> np.ndarray:
    """The part masks of ``contact_sheet``'s pictures in ``PART_COLOURS``."""
    rows = _rows(config, pids, columns, first)
    return _grid([[PART_COLOURS[cell.mask] for cell in row] for row in rows])


def save_sheets(folder: Path, first: int = 64) -> tuple[Path, Path]:
    """Write the README's two pictures, ``synthetic-sheet.jpg`` and ``synthetic-masks.png``.

    Six identities from ``first`` on, eight columns, 256x128 each; under 400 kB together.
    """
    config = SyntheticConfig(height=256, width=128)
    folder.mkdir(parents=True, exist_ok=True)
    images, masks = folder / "synthetic-sheet.jpg", folder / "synthetic-masks.png"
    Image.fromarray(contact_sheet(config, first=first)).save(images, quality=86)
    flat = Image.fromarray(mask_sheet(config, first=first))
    flat.quantize(len(PART_COLOURS), dither=Image.Dither.NONE).save(masks, optimize=True)
    return images, masks


def _rows(config: SyntheticConfig, pids: int, columns: int, first: int) -> list[list[Rendering]]:
    return [
        [
            render(pid, 1 + column % config.cameras, column // config.cameras, config)
            for column in range(columns)
        ]
        for pid in range(first, first + pids)
    ]


def _grid(rows: list[list[np.ndarray]]) -> np.ndarray:
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])
