"""Stripes and GLA: watch branches being pulled to their stripes, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from mfa.losses.gla import gla
from viz.apps.core import html
from viz.apps.core.controls import slider
from viz.apps.lessons.drawing import beside, heat, note
from viz.apps.lessons.lesson import Lesson

ROWS, CHANNELS, BRANCHES, STEPS = 8, 16, 4, 40


@dataclass(frozen=True)
class State:
    """Attributes: training ``step`` shown, ``weight`` of GLA."""

    step: int = 0
    weight: float = 10.0


@lru_cache(maxsize=32)
def pull(weight: float) -> tuple[np.ndarray, np.ndarray]:
    """Train four branches that each learn where to look on one map of 8 rows.

    A branch pools the rows with weights softmax(logits). Its own loss draws it to the row that
    tells most (row 2); GLA draws its pooled vector to that of its stripe of two rows.

    Returns:
        Attention (41, 4, 8) before training and after each step, and the GLA term (41,).
    """
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(ROWS, CHANNELS, generator=generator)
    telling = rows[2] / rows[2].norm()
    guides = rows.reshape(BRANCHES, ROWS // BRANCHES, CHANNELS).mean(dim=1)
    logits = (0.01 * torch.randn(BRANCHES, ROWS, generator=generator)).requires_grad_()
    optimizer = torch.optim.Adam([logits], lr=0.4)
    seen, terms = [], []
    for _ in range(STEPS + 1):
        attention = logits.softmax(dim=1)
        pooled = attention @ rows
        term = sum(gla(pooled[b : b + 1], guides[b : b + 1]) for b in range(BRANCHES))
        assert isinstance(term, torch.Tensor)
        identity = -(pooled @ telling).mean()
        seen.append(attention.detach().numpy().copy())
        terms.append(term.item())
        optimizer.zero_grad()
        (identity + weight * term).backward()
        optimizer.step()
    return np.stack(seen), np.array(terms)


def centres(attention: np.ndarray) -> np.ndarray:
    """Height (0 top, 1 bottom) each branch looks at, (..., branches)."""
    heights: np.ndarray = attention @ ((np.arange(ROWS) + 0.5) / ROWS)
    return heights


def draw(state: State) -> str:
    """Where each branch looks now, and its height over the training."""
    attention, terms = pull(state.weight)
    heights = 1 - centres(attention)
    maps, lines = [], {}
    for branch, now in enumerate(attention[state.step]):
        name = f"branch {branch + 1}"
        wide = (now / now.max())[:, None].repeat(3, axis=1)
        maps.append(f"<div>{name}</div>{heat(wide, words=name)}")
        lines[name] = heights[:, branch].tolist()
    x = 300 * state.step / STEPS
    mark = f"<line x1='{x}' x2='{x}' y1='0' y2='120' stroke='currentColor' opacity='.6'/>"
    up = "height the branch looks at, 1 is the top"
    chart = html.curves(lines, "step", up, first=0, marks=mark, branches=True)
    numbers = {
        "GLA": f"{terms[state.step]:.3f}",
        "heights (1 is the top)": " ".join(f"{height:.2f}" for height in heights[state.step]),
    }
    words = (
        "All branches start looking everywhere alike. With weight 0 they all end at the row that "
        "tells most; with GLA each goes to the two rows of its stripe. The toy's branches can look "
        "anywhere; a plain convolution cannot choose a place, see docs/branches.md."
    )
    return beside([*maps, chart]) + html.figures(numbers) + note(words)


def stripes(step: int = 0, weight: float = 10.0) -> Lesson[State]:
    """Watch branches being pulled to their stripes by GLA.

    Args:
        step: of the training, 0 to 40.
        weight: of GLA; 0 is without.
    """
    controls = {
        "step": slider("Training step", 0, STEPS, 1),
        "weight": slider("GLA weight", 0, 20, 0.5),
    }
    heading = "how a branch finds its stripe"
    return Lesson("stripes", heading, State(step, weight), controls, draw)
