"""The state of the attention explorer, and the pictures it compares."""

from __future__ import annotations

from dataclasses import dataclass, field

from mfa.datasets.image_list import ListedImage
from mfa.explain.weightings import FORWARD_METHODS, SECOND_ORDER
from viz.apps.core.images import Image
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
        lines: most lines drawn per branch between matching places of the two pictures.
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
    lines: int = 0
    point: tuple[float, float] | None = None
    own: OwnPicture | None = field(default=None, metadata={"local": True})

    @property
    def centred(self) -> bool:
        """Whether the average picture is subtracted, which some methods do not allow."""
        return self.average and self.method not in (*FORWARD_METHODS, SECOND_ORDER)


@dataclass(frozen=True)
class Compared:
    """The pictures an explanation is about.

    Attributes:
        image: the picture.
        other: the one it is compared with.
        wrong: the nearest picture of somebody else; ``None`` where nobody says who is who.
    """

    image: Image
    other: ListedImage
    wrong: ListedImage | None
