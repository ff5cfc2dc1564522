"""Matches: every place of the query with the place of the gallery picture that answers to it.

The pixels' part of a cosine is a sum over pairs of pixels (see ``mfa.explain.correspondence``). A
pair is a match if it raises the cosine and if each of the two has no better partner in the other
picture. PAIR-X (Shrack et al. 2025, arXiv 2503.22881) draws such lines for animals: its pairs come
from the likeness of intermediate features, and their strength from another method. Here the rule
and the number are one thing, a part of the score (ours).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mfa.explain.correspondence import moved, sides_of
from mfa.explain.geometry import MapGrid

ENDS = ["query_x", "query_y", "gallery_x", "gallery_y", "part"]
"""Columns of ``Matches.lines`` that draw a line: its two ends and its strength."""


@dataclass(frozen=True, eq=False)
class Matches:
    """The matching places of two pictures, branch by branch.

    Attributes:
        score: cosine of the two descriptors.
        lines: one row per match, branch by branch, the strongest first: ``branch``; ``query_x``,
            ``query_y``, ``gallery_x``, ``gallery_y``, centres of map pixels in shares of the
            picture's sides; ``part`` of the cosine.
        pairs: by branch, the sum over all pairs of pixels, matches or not. What is missing to the
            score is the neck's offset, or what the average picture brings.
        stripes: (top, bottom) of each branch's stripe in shares of the picture's height.
    """

    score: float
    lines: pd.DataFrame
    pairs: dict[str, float]
    stripes: dict[str, tuple[float, float]]

    def strongest(self, k: int) -> dict[str, pd.DataFrame]:
        """Up to ``k`` rows of ``lines`` per branch; no row where nothing matches."""
        return {name: self.lines[self.lines["branch"] == name].head(k) for name in self.pairs}


def match_places(
    model: Any, query_image: Any, gallery_image: Any, *, reference: Any = None
) -> Matches:
    """Find the places of two pictures that make up their cosine together.

    Args:
        model: a run or a network, as for the ledger.
        query_image: one picture.
        gallery_image: one picture.
        reference: as for ``correspond``. Without it, pictures match at their borders.

    Raises:
        InputError: the network has no exact ledger.
    """
    one, two, mean = sides_of(model, query_image, gallery_image, reference)
    tables, pairs = [], {}
    for name, neck in one.necks.items():
        query, gallery = (
            moved(neck, (side.parts[name][0] - mean[name]).flatten(1).T) for side in (one, two)
        )
        parts = (query @ gallery.T / (one.lengths * two.lengths)).cpu().numpy()
        pairs[name] = float(parts.sum())
        found = _mutual(parts)
        ends = {
            f"{side}_{axis}": place
            for side, grid, rows in (
                ("query", one.grids[name], found[0]),
                ("gallery", two.grids[name], found[1]),
            )
            for axis, place in zip("yx", _centres(grid, rows), strict=True)
        }
        table = pd.DataFrame({"branch": name, **ends, "part": parts[found]})
        tables.append(table.sort_values("part", ascending=False, kind="stable"))
    score = sum(float(one.units[name][0] @ two.units[name][0]) for name in pairs)
    return Matches(score, pd.concat(tables, ignore_index=True), pairs, two.stripes)


def _mutual(parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the entries above zero that are the largest of both."""
    rows, best = np.arange(len(parts)), parts.argmax(axis=1)
    kept = (parts.argmax(axis=0)[best] == rows) & (parts[rows, best] > 0)
    return rows[kept], best[kept]


def _centres(grid: MapGrid, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of map pixels, counted row by row, in shares of the picture's sides."""
    rows, columns = np.divmod(pixels, grid.columns.count)
    return np.clip(grid.rows.centres(), 0, 1)[rows], np.clip(grid.columns.centres(), 0, 1)[columns]
