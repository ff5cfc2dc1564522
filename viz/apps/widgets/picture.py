"""One picture on which a point can be chosen or strokes painted."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from viz.apps.widgets.assets import text


class Picture(anywidget.AnyWidget):
    """A picture that tells where it was touched; places are shares of its width and height.

    With the keyboard: arrow keys move a cross, Enter or the space bar touches there.

    Attributes:
        image: JPEG or PNG.
        label: what it shows.
        mode: ``view``, ``point`` or ``brush``.
        point: (x, y) of the point chosen last; empty before.
        points: counts choices of a point, so that the same one again is seen.
        radius: of the brush, in shares of the width.
        stroke: (x, y) pairs of the stroke painted last.
        strokes: counts strokes.
        height: in pixels of the page; 0 for the picture's own.
    """

    _esm = text("picture.js")
    _css = text("picture.css")
    image = traitlets.Bytes(b"").tag(sync=True)
    label = traitlets.Unicode("").tag(sync=True)
    mode = traitlets.Enum(["view", "point", "brush"], "view").tag(sync=True)
    point: Any = traitlets.List(traitlets.Float()).tag(sync=True)
    points = traitlets.Int(0).tag(sync=True)
    radius = traitlets.Float(0.12).tag(sync=True)
    stroke: Any = traitlets.List(traitlets.List(traitlets.Float())).tag(sync=True)
    strokes = traitlets.Int(0).tag(sync=True)
    height = traitlets.Int(256).tag(sync=True)
