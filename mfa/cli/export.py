"""``mfa export RUN [FILE]``: a trained network as one file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from mfa.errors import InputError

if TYPE_CHECKING:
    from mfa.records import ReidDataset
    from mfa.runs.run import Run


@dataclass(frozen=True)
class Options:
    """Write a run's network without classifiers.

    safetensors keeps the weights in half precision, to open or to train on. onnx, openvino and
    torch-export are programs: 8-bit pictures in, the embedding and each branch's part out.
    """

    run: tyro.conf.Positional[str]
    """Folder of the run, or its name under runs/."""
    file: tyro.conf.Positional[Path | None] = None
    """The file to write; by default the run's name with the ending of the format."""
    format: Literal["safetensors", "onnx", "openvino", "torch-export"] | None = None
    """By default what the file's ending says: .safetensors, .onnx, .xml or .pt2."""
    maps: bool = False
    """Also put out what each map pixel brings to each embedding value (not safetensors)."""
    int8: bool = False
    """Compute in 8-bit integers, fitted to 128 training pictures (onnx and openvino)."""
    parity: bool = False
    """Score the file beside the run, time both, and keep the table as FILE.parity.csv."""
    data: str | None = None
    """Dataset for --int8 and --parity; by default the one the run was trained on."""
    data_root: Path | None = None
    """Folder the datasets lie in; by default MFA_DATA, else data."""
    name: str | None = None
    """What tables call it (safetensors); by default the name of the run's configuration."""
    gate_height: float | None = None
    """Height of the bumps of competing gates, 1 in training (safetensors): higher parts the
    branches more and binds them more to their stripes, see docs/branches.md."""


def main(argv: list[str]) -> None:
    """Parse, write, say what was written.

    Raises:
        InputError: no such run, another file has the name, its ending names no format, an option
            does not suit the format, or a package is missing.
    """
    options = tyro.cli(
        Options, prog="mfa export", args=argv, config=(tyro.conf.FlagCreatePairsOff,)
    )
    file = _file(options)
    from mfa.runs.run import open_run

    run = open_run(options.run, "cpu")
    if file.suffix == ".safetensors":
        _release(run, file, options)
        return
    if options.name or options.gate_height is not None:
        raise InputError(
            "--name and --gate-height go into the weights",
            "export a .safetensors with them first, then that file",
        )
    from mfa.export import export
    from mfa.export.int8 import calibration_pictures

    data = _dataset(run, options) if options.int8 or options.parity else None
    pictures = calibration_pictures(run, data) if options.int8 and data else None
    export(run, file, maps=options.maps, calibration=pictures)
    print(f"{file}: weights {run.hash}, 8-bit pictures in, {_outputs(run)} out")
    if options.parity and data:
        _parity(run, file, data)


def _file(options: Options) -> Path:
    from mfa.export import FORMATS

    named = options.format and FORMATS[options.format]
    file = options.file or Path(Path(options.run).stem + (named or FORMATS["safetensors"]))
    if file.suffix not in FORMATS.values() or (named and file.suffix != named):
        wanted = named or ", ".join(FORMATS.values())
        raise InputError(f"{file} has not the ending of its format", f"end it in {wanted}")
    return file


def _release(run: Run, file: Path, options: Options) -> None:
    if options.maps or options.int8 or options.parity:
        raise InputError(
            f"{file} holds weights, no program, so --maps, --int8 and --parity do not suit it",
            "take --format onnx or openvino",
        )
    from mfa.runs.export import release
    from mfa.runs.run import open_run

    release(run, file, name=options.name, gate_height=options.gate_height)
    written = open_run(file, "cpu")
    parameters = sum(p.numel() for p in written.model.parameters())
    size = file.stat().st_size / 2**20
    print(f"{file}: {parameters:,} parameters, {size:.2f} MiB, weights {written.hash}")


def _dataset(run: Run, options: Options) -> ReidDataset:
    from mfa.inference.evaluate import resolve

    return resolve(run, options.data, options.data_root)


def _outputs(run: Run) -> str:
    outputs = {"embedding": sum(run.model.widths.values()), **run.model.widths}
    return ", ".join(f"{name} ({width})" for name, width in outputs.items())


def _parity(run: Run, file: Path, data: ReidDataset) -> None:
    from mfa.export import measure_parity
    from mfa.files import write_atomically

    table = measure_parity(run, file, data, progress=True)
    write_atomically(file.with_name(f"{file.name}.parity.csv"), table.to_csv(index=False))
    print(f"on {data.name}:")
    print(table.to_string(index=False, float_format=lambda value: f"{value:.3f}"))
