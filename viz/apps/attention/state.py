"""The state of the attention explorer."""

from __future__ import annotations

from dataclasses import dataclass, field

from viz.apps.core.own_picture import OwnPicture

TARGETS = {
    "what makes up this picture's own score": "similarity",
    "likeness to the other picture": "other",
    "other picture against the nearest wrong one": "contrast",
    "predicted training identity": "identity",
}
"""What is explained, in words, and its name in a state."""


@dataclass(frozen=True)
class AttentionState:
    """What the app shows.

    Attributes:
        side: ``query`` or ``gallery``: the list that the picture is taken from.
        position: in that list.
        other: position in the gallery list of the other picture; ``None``: the best match.
        target: ``similarity``, ``other``, ``contrast`` or ``identity``.
        method, layer, fused: as of ``mfa.branch_maps``.
        average: subtract the maps of the average picture.
        untrained: show the maps of an untrained network beside.
        opacity: of the maps, 0 to 1.
        point: (x, y) in shares of the picture, a place to be found in the other picture.
        own: a picture of the visitor's, explained instead of one of a list.
    """

    side: str = "query"
    position: int = 0
    other: int | None = None
    target: str = "similarity"
    method: str = "HiResCAM"
    layer: str = "branch"
    fused: str = "sum"
    average: bool = True
    untrained: bool = False
    opacity: float = 1.0
    point: tuple[float, float] | None = None
    own: OwnPicture | None = field(default=None, metadata={"local": True})
