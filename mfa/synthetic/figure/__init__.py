"""Drawing one person: pose, projection, solids, garments, in the order of depth."""

from __future__ import annotations

from mfa.synthetic.figure.person import draw_person
from mfa.synthetic.figure.solids import View

__all__ = ["View", "draw_person"]
