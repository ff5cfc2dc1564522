"""``mfa export RUN FILE``: a trained network as one small file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from mfa.errors import InputError


@dataclass(frozen=True)
class Options:
    """Write a run's network without classifiers, in half precision."""

    run: tyro.conf.Positional[str]
    """Folder of the run, or its name under runs/."""
    file: tyro.conf.Positional[Path]
    """The .safetensors file to write."""
    name: str | None = None
    """What tables call it; by default the name of the run's configuration."""
    gate_height: float | None = None
    """Height of the bumps of competing gates, 1 in training: higher parts the branches more and
    binds them more to their stripes, see docs/branches.md."""


def main(argv: list[str]) -> None:
    """Parse, write, say what was written.

    Raises:
        InputError: no such run, another file has the name, or the name has another ending.
    """
    options = tyro.cli(Options, prog="mfa export", args=argv)
    if options.file.suffix != ".safetensors":
        raise InputError(f"{options.file} must end in .safetensors, the format that is written")
    from mfa.runs.export import release
    from mfa.runs.run import open_run

    run = open_run(options.run, "cpu")
    release(run, options.file, name=options.name, gate_height=options.gate_height)
    written = open_run(options.file, "cpu")
    parameters = sum(p.numel() for p in written.model.parameters())
    size = options.file.stat().st_size / 2**20
    print(f"{options.file}: {parameters:,} parameters, {size:.2f} MiB, weights {written.hash}")
