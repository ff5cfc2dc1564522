"""How fast pedestrians are drawn on one core."""

from __future__ import annotations

import statistics
import time

from mfa.synthetic import SyntheticConfig, render

PICTURES = 60
REPEATS = 5


def run() -> dict[str, object]:
    """Pictures a second at 128x64 and 256x128, JPEG and mask included; medians of five repeats.

    Processor time of this process, so that a busy machine does not look like slow drawing.
    ``images_per_second`` is the smaller size, the set's default.
    """
    small, large = SyntheticConfig(), SyntheticConfig(height=256, width=128)
    return {
        "images_per_second": _rate(small),
        "images_per_second_256x128": _rate(large),
        "repeats": REPEATS,
        "pictures": PICTURES,
    }


def _rate(config: SyntheticConfig) -> float:
    rates = []
    for repeat in range(REPEATS + 1):
        start = time.process_time()
        for pid in range(1, PICTURES + 1):
            render(pid, 1 + pid % config.cameras, repeat, config)
        rates.append(PICTURES / (time.process_time() - start))
    # The first pass draws the surroundings, which the whole set shares.
    return round(statistics.median(rates[1:]), 1)
