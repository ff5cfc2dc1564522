"""The synthetic set: pedestrians drawn by a seeded generator, with part masks.

No licence, no download, no real person; hard enough that methods differ. Written in Market-1501's
own layout, so the Market-1501 reader reads it.
"""

from __future__ import annotations

from mfa.synthetic.config import SyntheticConfig
from mfa.synthetic.masks import PARTS, load_mask
from mfa.synthetic.repaint import THINGS, Repainting, repaint
from mfa.synthetic.scene import NUISANCES, Rendering, render
from mfa.synthetic.writer import write, write_partial

__all__ = [
    "NUISANCES",
    "PARTS",
    "THINGS",
    "Rendering",
    "Repainting",
    "SyntheticConfig",
    "load_mask",
    "render",
    "repaint",
    "write",
    "write_partial",
]
