"""GeM: one number p leads from the mean of a map to its maximum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from mfa.models.pooling import GeM
from viz.apps.core import html
from viz.apps.core.controls import slider
from viz.apps.lessons.drawing import beside, heat, note
from viz.apps.lessons.lesson import Lesson


@dataclass(frozen=True)
class State:
    """Attributes: ``p`` of GeM, ``peak`` height of the map's bump, ``width`` of the bump."""

    p: float = 3.0
    peak: float = 1.0
    width: float = 0.15


def bump(peak: float, width: float) -> np.ndarray:
    """(12, 6) map: a bump of a height and width (share of the height) over a low ground."""
    rows, columns = np.mgrid[0:12, 0:6]
    distance = ((rows - 4) / 12) ** 2 + ((columns - 2.5) / 12) ** 2
    ground = 0.15 + 0.05 * np.sin(rows + 2 * columns)
    result: np.ndarray = ground + peak * np.exp(-distance / (2 * width**2))
    return result


def pooled(values: np.ndarray, p: float) -> float:
    """GeM of a map, by the network's own module."""
    with torch.no_grad():
        return GeM(p)(torch.from_numpy(values).float()[None, None]).item()


def parts(values: np.ndarray, p: float) -> np.ndarray:
    """Each pixel's share x^p / sum x^p of the pooled value; they sum to 1."""
    powers = (values / values.max()) ** p
    result: np.ndarray = powers / powers.sum()
    return result


def draw(state: State) -> str:
    """The map, the pixels' shares, and the pooled value between mean and maximum."""
    values = bump(state.peak, state.width)
    shares, top = parts(values, state.p), values.max()
    needed = int(np.searchsorted(np.cumsum(np.sort(shares.ravel())[::-1]), 0.9)) + 1
    lines = {
        "mean": [values.mean() / top] * 30,
        "GeM": [pooled(values, p) / top for p in range(1, 31)],
    }
    maps = [
        f"<div>the map</div>{heat(values / top, words='the map')}",
        f"<div>share of each pixel</div>{heat(shares / shares.max(), words='shares')}",
        html.curves(lines, "p, 1 to 30", "pooled value over the maximum"),
    ]
    numbers = {
        "mean (p = 1)": f"{values.mean():.3f}",
        f"GeM (p = {state.p:g})": f"{pooled(values, state.p):.3f}",
        "maximum": f"{top:.3f}",
        "pixels that bring 90 %": f"{needed} of {values.size}",
    }
    words = (
        "A low p listens to the whole map, a high one to its loudest pixels. The network learns "
        "one p per branch; it starts at 3."
    )
    return beside(maps) + html.figures(numbers) + note(words)


def gem(p: float = 3.0, peak: float = 1.0, width: float = 0.15) -> Lesson[State]:
    """Play with GeM's p.

    Args:
        p: 1 is the mean; large is the maximum.
        peak: height of the map's bump.
        width: of the bump, as a share of the map's height.
    """
    controls = {
        "p": slider("p", 1, 30, 0.25),
        "peak": slider("Height of the bump", 0, 2),
        "width": slider("Width of the bump", 0.05, 0.5),
    }
    heading = "between the mean and the maximum"
    return Lesson("gem", heading, State(p, peak, width), controls, draw)
