"""The state of the occlusion brush."""

from __future__ import annotations

from dataclasses import dataclass, field

from mfa.explain.occlusion_edits import SCENES, WAYS, Edits, Stroke
from viz.apps.core.own_picture import OwnPicture


@dataclass(frozen=True)
class OcclusionState:
    """What is done to which picture.

    Attributes:
        query: position in the query list.
        scene, way, strokes, right, down, occluder, top: see ``mfa.explain.occlusion_edits.Edits``.
        radius: of the brush, in shares of the width.
        k: ranks shown.
        own: a picture of the visitor's, edited instead of the query.
    """

    query: int = 0
    scene: str = SCENES[0]
    way: str = WAYS[0]
    radius: float = 0.14
    strokes: tuple[Stroke, ...] = ()
    right: float = 0.0
    down: float = 0.0
    occluder: str = "none"
    top: float = 0.55
    k: int = 10
    own: OwnPicture | None = field(default=None, metadata={"local": True})

    @property
    def edits(self) -> Edits:
        """What is done to the picture."""
        return Edits(
            self.scene, self.way, self.strokes, self.right, self.down, self.occluder, self.top
        )
