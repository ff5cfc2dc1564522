"""Same person or not, at a threshold: four charts, and pairs on both sides of the line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from mfa.comparison.calibration import calibrate, verify_halves
from mfa.comparison.pair_sample import sample_pairs
from mfa.comparison.verification import verify
from mfa.datasets.image_list import ImageList
from mfa.records import FeatureRow, Features, ReidDataset
from viz import theme
from viz.charts.pairs import plot_calibration, plot_distances, plot_probability, plot_roc
from viz.images.sheet import put, write

GROUPS: Mapping[tuple[bool, bool], str] = {
    (True, True): "one person, accepted",
    (False, True): "two people, accepted",
    (True, False): "one person, refused",
    (False, False): "two people, refused",
}
"""(Same person, accepted) in words; the second and the third are errors."""

CHARTS = 4.4
"""Inches that the charts take at the top."""

LINE, GAP = 0.16, 0.12
"""Inches of a line of words, and between pairs."""


@theme.themed
def draw_threshold(
    features: Features,
    dataset: ReidDataset,
    threshold: float,
    *,
    camera_filter: bool = True,
    prior: float | None = None,
    k: int = 4,
    width: theme.Width | float = "double",
) -> theme.Picture:
    """What a threshold of the distance does: distances, ROC, probabilities, and pairs next to it.

    Args:
        features: both sides, as ``mfa.evaluate`` leaves them in its result.
        dataset: the pictures that the features were made of.
        threshold: pairs up to this distance are accepted as one person.
        camera_filter: leave out pairs of one person by one camera.
        prior: see ``mfa.calibrate``.
        k: pairs shown per group.
        width: of the figure, a column's name or inches.

    Raises:
        InputError: features of other pictures than the dataset's, or see ``mfa.verify_halves``.
    """
    verification = verify(features, camera_filter=camera_filter)
    calibration = calibrate(*verify_halves(features, camera_filter=camera_filter), prior=prior)
    examples = sample_pairs(features, camera_filter=camera_filter).near(threshold, k)
    images = ImageList.of(dataset, "query", features.query)
    found = ImageList.of(dataset, "gallery", features.gallery)
    wide = theme.inches(width)
    card = (wide / 2 - GAP) / (2 * k) - GAP / 2
    row = 2 * card + 2.6 * LINE
    figure = theme.figure(width, CHARTS + 2 * row)
    halves: Any = figure.subfigures(2, 1, height_ratios=(CHARTS, 2 * row))
    upper, lower = halves
    axes = upper.subplots(2, 2)
    plot_distances(verification, threshold=threshold, ax=axes[0, 0])
    plot_roc(verification, threshold=threshold, ax=axes[0, 1])
    plot_probability(calibration, threshold=threshold, ax=axes[1, 0])
    axes[1, 0].set_xlim(axes[0, 0].get_xlim())
    plot_calibration(calibration, ax=axes[1, 1])
    canvas = lower.add_axes((0, 0, 1, 1))
    canvas.set(xlim=(0, wide), ylim=(2 * row, 0))
    canvas.set_axis_off()
    for (same, accepted), words in GROUPS.items():
        left, top = (0.0 if same else wide / 2) + GAP, 0.0 if accepted else row
        mark, colour = ("✓", theme.MATCH) if same == accepted else ("✗", theme.WRONG)
        write(canvas, (left, top), f"{mark} {words}", 7.5, color=colour)
        for number, pair in enumerate(examples[same, accepted].to_dict("records")):
            place = left + number * (2 * card + GAP), top + 1.2 * LINE
            paths = (
                images.at_row(FeatureRow(pair["query"])).path,
                found.at_row(FeatureRow(pair["gallery"])).path,
            )
            for side, path in enumerate(paths):
                box = (place[0] + side * card, place[1], card, 2 * card)
                put(canvas, path, box, f"{words}/{number}/{side}")
            _frame(canvas, place, card, colour, dashed=same != accepted)
            below = place[0] + card, place[1] + 2 * card + 0.03
            write(canvas, below, f"{pair['distance']:.3f}", 6.5, align="center")
    return figure


def _frame(
    canvas: Axes, place: tuple[float, float], card: float, colour: str, *, dashed: bool
) -> None:
    style = "--" if dashed else "-"
    canvas.add_patch(Rectangle(place, 2 * card, 2 * card, fill=False, ec=colour, ls=style, lw=1.2))
