"""The state of the rank explorer."""

from __future__ import annotations

from dataclasses import dataclass, field

from viz.apps.core.own_picture import OwnPicture
from viz.apps.core.session import Setting


@dataclass(frozen=True)
class RanksState:
    """What the app shows.

    Attributes:
        query: position in the query list; ``None``: the first one offered.
        order, find, at: which queries are offered, see ``mfa.select_queries``.
        k: ranks shown.
        flip, rerank, camera_filter, camera: see ``viz.apps.core.session.Setting``.
        ignored: also show what was not counted, where it falls.
        covered: do not say which answers are right.
        card: (model, position in the gallery list) of the card that is explained.
        own: a picture of the visitor's, searched with instead of the query.
    """

    query: int | None = None
    order: str = "list"
    find: str = ""
    at: int = 1
    k: int = 10
    flip: bool = False
    rerank: bool = False
    camera_filter: bool = True
    camera: int | None = None
    ignored: bool = False
    covered: bool = False
    card: tuple[int, int] | None = None
    own: OwnPicture | None = field(default=None, metadata={"local": True})

    @property
    def setting(self) -> Setting:
        """The switches that change the scores."""
        return Setting(self.flip, self.rerank, self.camera_filter, self.camera)
