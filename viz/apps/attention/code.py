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
    """Code that draws the maps of every model, with their sanity checks where they are shown."""
    names = [str(subject.run.path) for subject in subjects]
    target = {"other": "similarity"}.get(state.target, state.target)
    toward = ""
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
        toward = ", toward=decode(Path(other), *size)"
    if state.target == "contrast":
        lines += [
            "    ranking = mfa.evaluate(run, data).ranking("
            f"{state.position if state.side == 'query' else 0}, 100)",
            "    wrong = data.gallery[int(ranking[~ranking['match']]['gallery'].iloc[0])].path",
        ]
        toward = ", toward=(decode(Path(other), *size), decode(wrong, *size))"
    average = state.average and state.method not in (*FORWARD_METHODS, SECOND_ORDER)
    pictures = "mfa.reference_pictures(run, data)" if average else "None"
    options = (
        f"target={target!r}{toward}, method={state.method!r}, layer={state.layer!r}, "
        f"fused={state.fused!r}, reference=reference"
    )
    lines += [f"    reference = {pictures}", f"    maps = mfa.branch_maps(run, image, {options})"]
    checks = ""
    if state.control:
        lines.append("    random = mfa.untrained(run.config)")
        lines.append(f"    random_maps = mfa.branch_maps(random, image, {options})")
        checks = ", sanity_checks={'random weights': random_maps}"
    lines.append(f"    figures.append(viz.draw_maps(maps, image{checks}))")
    lines.append("figure = figures[0]")
    if state.lens is not None and subjects[0].adds_up:
        lines += [
            "run = runs[0]",
            "size = run.config.data.height, run.config.data.width",
            "sides = decode(Path(picture), *size), decode(Path(other), *size)",
            f"point = int({state.lens[1]:.4f} * size[0]), int({state.lens[0]:.4f} * size[1])",
            f"reference = {'mfa.reference_pictures(run, data)' if state.average else None}",
            "found = mfa.correspond(run, *sides, point, reference=reference)",
            "figure = viz.draw_correspondence(found, *sides)",
        ]
    return "\n".join(lines) + "\n"
