"""Contact sheets of the synthetic set: drawn people by camera, and their part masks."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import to_rgba_array
from matplotlib.patches import Rectangle

from mfa.synthetic import PARTS, SyntheticConfig, render
from viz import theme
from viz.images.sheet import sheet, write

PART_COLOURS = (
    "#2C2C30",
    "#F0C43C",
    "#CE3C3C",
    "#F09260",
    "#3460C8",
    "#68C4EC",
    "#A04CBE",
    "#808084",
    "#409654",
)
"""One colour for each of ``PARTS``, in their order."""

FONT, LINE, LABEL, GAP = 6.5, 0.16, 0.45, 0.03
"""Points of the words; inches of a line, of the rows' labels, and between pictures."""


@theme.themed
def draw_people(
    config: SyntheticConfig | None = None,
    *,
    people: int = 6,
    columns: int = 8,
    first: int = 1,
    masks: bool = False,
    width: theme.Width | float = "double",
) -> theme.Picture:
    """Drawn people: one row per person, one column per camera.

    Args:
        config: of the synthetic set; by default the usual one at 256 x 128.
        people: rows.
        columns: pictures of each. Beyond the number of cameras each comes a second time with
            another picture.
        first: number of the first person.
        masks: draw the part masks, with a legend, in place of the pictures.
        width: of the figure.
    """
    config = config or SyntheticConfig(height=256, width=128)
    across = theme.inches(width)
    step = (across - LABEL) / columns
    tall = (step - GAP) * config.height / config.width
    foot = 2 * LINE if masks else 0.0
    figure, canvas = sheet(across, LINE + people * (tall + GAP) + foot)
    colours = (255 * to_rgba_array(PART_COLOURS)[:, :3]).round().astype(np.uint8)
    for column in range(columns):
        middle = LABEL + (column + 0.5) * step
        write(canvas, (middle, 0.03), f"cam {1 + column % config.cameras}", FONT, align="center")
    for row in range(people):
        top = LINE + row * (tall + GAP)
        write(canvas, (0.02, top + tall / 2 - 0.05), f"person {first + row}", FONT - 1)
        for column in range(columns):
            camera, shot = 1 + column % config.cameras, column // config.cameras
            drawn = render(first + row, camera, shot, config)
            left = LABEL + column * step
            canvas.imshow(
                colours[drawn.mask] if masks else drawn.image,
                extent=(left, left + step - GAP, top + tall, top),
                interpolation="none" if masks else "bilinear",
                aspect="auto",
            )
    legend = zip(PARTS, PART_COLOURS, strict=True) if masks else ()
    for number, (part, colour) in enumerate(legend):
        left = LABEL + number * (across - LABEL) / len(PARTS)
        top = LINE + people * (tall + GAP) + 0.08
        canvas.add_patch(Rectangle((left, top), 0.1, 0.1, facecolor=colour))
        write(canvas, (left + 0.13, top - 0.01), part, FONT)
    return figure
