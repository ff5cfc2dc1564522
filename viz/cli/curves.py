"""``mfa-viz curves RUN``: how a training went, as PNG, PDF and SVG."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from viz.cli.options import Width


@dataclass(frozen=True)
class Options:
    """Draw a run's losses, learning rate, feature norm and how far its branches parted."""

    run: tyro.conf.Positional[str]
    """Folder of the run, or its name under runs/; it may still be training."""
    out: Path | None = None
    """Path of the files without their ending; by default RUN/figures/curves."""
    width: Width = "double"


def main(argv: list[str]) -> None:
    """Parse, draw, name the files; what the training warned of goes to stderr."""
    options = tyro.cli(Options, prog="mfa-viz curves", args=argv)
    from mfa.runs.run import open_run
    from viz.charts.training import draw_training
    from viz.export import save
    from viz.paper import captions

    run = open_run(options.run)
    history = run.history
    words = captions.weights(run)
    stem = options.out or (run.path or Path()) / "figures" / "curves"
    figure = draw_training(history, options.width)
    caption = f"Training by epoch. {words.caption}"
    for path in save(figure, stem, caption=caption, details=words.details):
        print(path)
    for _, row in history[history["warnings"] != ""].iterrows():
        print(f"epoch {row['epoch']}: {row['warnings']}", file=sys.stderr)
