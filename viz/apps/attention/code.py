"""The state of ``Attention`` as a script."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mfa.explain.weightings import FORWARD_METHODS, SECOND_ORDER
from viz.apps.core.session import Subject, opening

if TYPE_CHECKING:
    from viz.apps.attention.app import AttentionState


def code_of(subjects: Sequence[Subject], state: AttentionState, path: Path, other: Path) -> str:
    """Code that draws the maps of every model, with their controls where they are shown."""
    names = [str(subject.run.path) for subject in subjects]
    target = {"other": "similarity"}.get(state.target, state.target)
    reference = ""
    lines = [
        opening(subjects[0]),
        "from mfa.datasets.loading.decode import decode\n",
        f"runs = [mfa.open_run(name) for name in {names!r}]",
        f"picture, other = {str(path)!r}, {str(other)!r}",
        "figures = []",
        "for run in runs:",
        "    size = run.config.data.height, run.config.data.width",
        "    image = decode(Path(picture), *size)",
    ]
    if state.target == "other":
        reference = ", reference=decode(Path(other), *size)"
    if state.target == "contrast":
        lines += [
            "    ranking = mfa.evaluate(run, data).ranking("
            f"{state.position if state.side == 'query' else 0}, 100)",
            "    wrong = data.gallery[int(ranking[~ranking['match']]['gallery'].iloc[0])].path",
        ]
        reference = ", reference=(decode(Path(other), *size), decode(wrong, *size))"
    average = state.average and state.method not in (*FORWARD_METHODS, SECOND_ORDER)
    baseline = "mfa.baseline_pictures(run, data)" if average else "None"
    options = (
        f"target={target!r}{reference}, method={state.method!r}, layer={state.layer!r}, "
        f"fused={state.fused!r}, baseline=average"
    )
    lines += [f"    average = {baseline}", f"    maps = mfa.branch_maps(run, image, {options})"]
    controls = ""
    if state.control:
        lines.append("    random = mfa.untrained(run.config)")
        lines.append(f"    control = mfa.branch_maps(random, image, {options})")
        controls = ", controls={'random weights': control}"
    lines.append(f"    figures.append(viz.draw_maps(maps, image{controls}))")
    lines.append("figure = figures[0]")
    if state.lens is not None and subjects[0].adds_up:
        lines += [
            "run = runs[0]",
            "size = run.config.data.height, run.config.data.width",
            "sides = decode(Path(picture), *size), decode(Path(other), *size)",
            f"point = int({state.lens[1]:.4f} * size[0]), int({state.lens[0]:.4f} * size[1])",
            "from viz.grids.correspondence import correspond",
            "average = mfa.baseline_pictures(run, data)" if state.average else "average = None",
            "found = correspond(run, *sides, point, baseline=average)",
            "figure = viz.draw_correspondence(found, *sides)",
        ]
    return "\n".join(lines) + "\n"
