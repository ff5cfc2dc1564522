"""``mfa export RUN FILE``: a trained network as one small file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from mfa.errors import InputError


@dataclass(frozen=True)
class Options:
    """Write a run's network without classifiers, for this package or for others.

    A .safetensors file holds the weights in half precision. A .pt2 file is a program of
    torch.export that runs elsewhere and states its input range.
    """

    run: tyro.conf.Positional[str]
    """Folder of the run, or its name under runs/."""
    file: tyro.conf.Positional[Path]
    """The .safetensors or .pt2 file to write."""
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
    if options.file.suffix not in (".safetensors", ".pt2"):
        raise InputError(f"{options.file} must end in .safetensors or .pt2, which are written")
    from mfa.runs.export import export_program, release
    from mfa.runs.run import open_run

    run = open_run(options.run, "cpu")
    size = f"{run.config.data.height}x{run.config.data.width}"
    if options.file.suffix == ".pt2":
        if options.name or options.gate_height is not None:
            raise InputError("--name and --gate-height are for .safetensors files")
        export_program(run, options.file)
        print(f"{options.file}: takes RGB pictures of {size} from 0 to 1, weights {run.hash}")
        return
    release(run, options.file, name=options.name, gate_height=options.gate_height)
    written = open_run(options.file, "cpu")
    parameters = sum(p.numel() for p in written.model.parameters())
    mib = options.file.stat().st_size / 2**20
    print(f"{options.file}: {parameters:,} parameters, {mib:.2f} MiB, weights {written.hash}")
