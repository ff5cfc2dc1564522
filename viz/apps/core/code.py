"""The first lines of every script that an app shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mfa.records import ReidDataset
from viz.apps.core.session import Session


def dataset_code(data: ReidDataset) -> str:
    """Code that reads the dataset again."""
    root = _short(data.root.parent)
    return f'data = mfa.load_dataset("{data.name}", {root!r})\n'


def opening(sessions: Sequence[Session]) -> str:
    """Code that opens the dataset and the runs again: ``run`` for one, ``runs`` for several."""
    paths = [repr(_short(s.run.path)) if s.run.path else '"runs/NAME"' for s in sessions]
    lines = f"run = mfa.open_run({paths[0]})\n"
    if len(paths) > 1:
        lines = f"runs = [mfa.open_run(path) for path in [{', '.join(paths)}]]\n"
    return f"import mfa\nimport viz\n\n{dataset_code(sessions[0].data)}{lines}"


def read_code(sessions: Sequence[Session], name: str, entry: str) -> str:
    """Code that reads ``data.query[3]`` or another ``entry``, with its camera for SIE."""
    lines = f"{name} = mfa.input_pixels(run, {entry}.path)\n"
    if any(s.run.cameras_of(s.data.query[:1], s.data) is not None for s in sessions):
        cameras = f"run.cameras_of([{entry}], data)"
        lines += f"{name} = mfa.ImagesWithCameras({name}[None], {cameras})\n"
    return lines


def indented(code: str) -> str:
    """``code`` four spaces to the right."""
    return "".join(f"    {line}\n" for line in code.splitlines())


def _short(path: Path) -> str:
    """As a person would write it: relative where it lies below the working directory."""
    full = path.resolve()
    return str(full.relative_to(Path.cwd())) if full.is_relative_to(Path.cwd()) else str(full)
