"""How good the masks of ``mfa data masks`` are, on drawn people: ``python benchmarks/masks.py``.

Prints the table of data/weights/masks/README.md: intersection over union with the true part masks.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from mfa.datasets import load_dataset
from mfa.segmentation import read_masks, write_masks
from mfa.segmentation.store import HEIGHT, WIDTH
from mfa.synthetic import PARTS, SyntheticConfig, load_mask, write

REGIONS = ("head", "torso", "arms", "thighs", "shins")


def main() -> None:
    """Draw 120 identities, mask their query pictures, compare."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write(root, SyntheticConfig(train_ids=1, test_ids=120, seed=0))
        data = load_dataset("synthetic", root)
        write_masks(data, ("query",))
        masks = read_masks(data)
        truth = np.stack([load_mask(sample.path, HEIGHT, WIDTH) for sample in data.query])
    rows = {
        "all": np.ones(len(truth), bool),
        "trusted": masks.trusted,
        "not trusted": ~masks.trusted,
    }
    table = pd.DataFrame({name: compared(truth[k], masks.parts[k]) for name, k in rows.items()})
    print(table.T.to_markdown(floatfmt=".2f"))


def compared(truth: np.ndarray, found: np.ndarray) -> dict[str, float]:
    """Mean IoU of the person and of each region over pictures that show it, and their number."""
    person = (truth > 0) & (truth <= PARTS.index("bag"))
    figures = {"pictures": float(len(truth)), "person": overlap(person, found > 0)}
    for region in REGIONS:
        number = PARTS.index(region)
        shown = (truth == number).any(axis=(1, 2))
        figures[region] = overlap(truth[shown] == number, found[shown] == number)
    return figures


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Mean intersection over union of pairs of masks (N, H, W)."""
    union = (one | other).sum(axis=(1, 2))
    return float(((one & other).sum(axis=(1, 2)) / np.maximum(union, 1)).mean())


if __name__ == "__main__":
    main()
