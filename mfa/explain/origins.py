"""Origins: is a cosine about these two pictures, or about any two?

Descriptors q = c + d and g = c + e, where c is the average picture's. Then q . g is c . c, which
any two pictures have, (d + e) . c, and d . e, which is about these two alone. All are divided by
|q| |g|, so they sum to the cosine exactly. In a positive feature space c . c is most of every
cosine, and two strangers are near 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Origins:
    """A cosine in three parts, which sum to it.

    Attributes:
        average: what two average pictures would bring.
        mixed: what is particular to either picture, with the average one.
        pair: what is particular to one picture, with what is particular to the other.
    """

    average: float
    mixed: float
    pair: float

    @classmethod
    def of(cls, query: np.ndarray, gallery: np.ndarray, average: np.ndarray) -> Origins:
        """From descriptors (D,) as networks leave them, not normalised."""
        q, g, c = (np.asarray(side, dtype=float) for side in (query, gallery, average))
        length = float(np.linalg.norm(q) * np.linalg.norm(g))
        own, other = q - c, g - c
        return cls(*(float(part) / length for part in (c @ c, (own + other) @ c, own @ other)))

    @property
    def score(self) -> float:
        """The cosine."""
        return self.average + self.mixed + self.pair

    def __str__(self) -> str:
        """One sentence."""
        return (
            f"{self.pair:+.3f} of the cosine {self.score:.3f} is about these two alone; "
            f"{self.average + self.mixed:+.3f} comes with the average picture."
        )
