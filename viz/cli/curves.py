"""``mfa-viz curves RUN``: how a training went, as PNG, PDF and SVG."""

from __future__ import annotations

from pathlib import Path

from mfa.cli.options import RunName, command, say
from viz.cli.options import Width, write


def curves(run: RunName, /, out: Path | None = None, width: Width = "double") -> None:
    """Draw a run's losses, learning rate, feature norm and how far its branches parted.

    The run may still be training. What its training warned of goes to stderr.

    Args:
        out: Path of the files without their ending; by default RUN/figures/curves.
    """
    from mfa.runs.run import open_run
    from viz.charts.training import draw_training
    from viz.paper import captions

    opened = open_run(run)
    history = opened.history
    words = captions.weights(opened)
    stem = out or (opened.path or Path()) / "figures" / "curves"
    caption = f"Training by epoch. {words.caption}"
    write(draw_training(history, width), stem, caption, words.details)
    for _, row in history[history["warnings"] != ""].iterrows():
        say(f"epoch {row['epoch']}: {row['warnings']}")


main = command("mfa-viz curves", curves)
