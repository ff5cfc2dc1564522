"""Do the maps of a pair show what its cosine rests on? Hide their highest pixels, compare again.

Deletion and insertion as in ``mfa.explain.faithfulness``, for one pair and any model: the top of
one picture's map is hidden, or alone shown, while the other picture stays whole. The control goes
through the same: maps of the same masks with the scores dealt out anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd
import torch

from mfa.errors import InputError
from mfa.explain.faithfulness import SHARES, Mode, hide
from mfa.explain.geometry import MapGrid
from mfa.explain.pair_maps import PairMaps, as_external
from mfa.inference.external import External
from mfa.retrieval.distances import normalised
from mfa.runs.run import Run

MASKS, SHUFFLED = "masks", "shuffled masks"
"""Row names of a pair's map and of its control."""


def pair_faithfulness(
    model: External | Run,
    maps: PairMaps,
    *,
    shares: Sequence[float] = SHARES,
    modes: Sequence[Mode] = ("deletion", "insertion"),
) -> pd.DataFrame:
    """The cosine of a pair with a part of one picture hidden, by the order of its map.

    Args:
        model: that ``maps`` explain.
        maps: of ``pair_maps``.
        shares: of the pixels, in (0, 1).
        modes: ``deletion`` hides the top share of a map, ``insertion`` all but that,
            ``least_first`` the bottom share.

    Returns:
        One row per side, map, mode and share: ``side``, ``map`` (``masks`` or ``shuffled masks``,
        the mean of the controls), ``mode``, ``share``, ``cosine``, and its ``change``
        against the whole pair.

    Raises:
        InputError: a share is not between 0 and 1, or the model has another input size.
    """
    embedder = as_external(model)
    outside = [share for share in shares if not 0 < share < 1]
    if outside or not shares:
        raise InputError(f"shares of a picture lie between 0 and 1, got {outside or shares}")
    sides = maps.sides
    whole = normalised(embedder.embed(np.stack([side.picture for side in sides.values()])))
    rows = []
    for (name, side), other in zip(sides.items(), whole[::-1], strict=True):
        heats = np.concatenate([side.map[None], side.shuffled])
        images = torch.from_numpy(side.picture).expand(len(heats), -1, -1, -1) / 255
        grid = MapGrid.even(*embedder.size)
        for mode, share in product(modes, shares):
            hidden = hide(images, heats, share, grid, mode=mode)
            pixels = (255 * hidden).round().byte().numpy()
            cosines = normalised(embedder.embed(pixels)) @ other
            for what, cosine in ((MASKS, cosines[0]), (SHUFFLED, cosines[1:].mean())):
                rows.append((name, what, mode, share, float(cosine), float(cosine) - maps.score))
    return pd.DataFrame(rows, columns=["side", "map", "mode", "share", "cosine", "change"])


def verdict(table: pd.DataFrame) -> str:
    """What a table of ``pair_faithfulness`` says, as a sentence: do the maps beat their control?"""
    change = table.groupby(["mode", "map"])["change"].mean()
    words = []
    for mode, what in (("deletion", "hiding their top"), ("insertion", "showing their top alone")):
        own, control = change[mode, MASKS], change[mode, SHUFFLED]
        words.append(f"{what} changes the cosine by {own:+.3f}, shuffled masks by {control:+.3f}")
    holds = (
        change["deletion", MASKS] < change["deletion", SHUFFLED]
        and change["insertion", MASKS] > change["insertion", SHUFFLED]
    )
    start = "The maps beat their control" if holds else "Do not trust these maps"
    return f"{start}: {'; '.join(words)}."
