"""``mfa-viz maps MODEL QUERY GALLERY``: a pair explained by masks, for any model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mfa.cli.options import say
from mfa.errors import InputError
from viz.cli.options import write

if TYPE_CHECKING:
    from mfa.inference.external import External


def draw(
    model: External,
    pictures: tuple[Path, ...],
    out: Path,
    *,
    blocks: int,
    width: str,
    blur_faces: bool,
) -> None:
    """Draw the maps of two picture files and their faithfulness."""
    import numpy as np

    from mfa.explain.pair_faithfulness import pair_faithfulness, verdict
    from mfa.explain.pair_maps import pair_maps
    from viz.grids.pair_maps import draw_pair_maps
    from viz.images.load import blurred

    if len(pictures) != 2:
        raise InputError(
            f"{model.name} is explained by masks on a pair, and {len(pictures)} pictures are named",
            "name two: mfa-viz maps MODEL QUERY GALLERY",
        )
    query, gallery = pictures
    maps = pair_maps(model, query, gallery, blocks=blocks, progress=True)
    table = pair_faithfulness(model, maps)
    drawn = np.stack([side.picture for side in maps.sides.values()])
    figure = draw_pair_maps(
        maps, table, pictures=blurred(drawn) if blur_faces else drawn, width=width
    )
    height, across = model.size
    caption = (
        f"What brings two pictures together, cosine {maps.score:.3f}: the change of the cosine "
        f"where a place is shown instead of hidden, by {maps.masks} masks of each picture, and "
        f"the same with the scores shuffled. Model {model.name}. {verdict(table)}"
    )
    details = (
        f"Query: {query.name}; gallery: {gallery.name}. Model {model.name} ({model.kind}), file "
        f"{model.hash or 'not stated'}, input {height}x{across}, {model.inputs.words}."
    )
    write(figure, out, caption, details)
    say(verdict(table))
