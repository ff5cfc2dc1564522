"""``mfa export RUN [FILE]``: a trained network as one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mfa.cli.options import DataRoot, RunName, command
from mfa.errors import InputError
from mfa.progress import answer

if TYPE_CHECKING:
    from mfa.records import ReidDataset
    from mfa.runs.run import Run

Format = Literal["safetensors", "onnx", "openvino", "torch-export"]


def export(
    run: RunName,
    file: Path | None = None,
    /,
    *,
    format: Format | None = None,
    maps: bool = False,
    int8: bool = False,
    parity: bool = False,
    data: str | None = None,
    data_root: DataRoot = None,
    name: str | None = None,
    gate_height: float | None = None,
) -> None:
    """Write a run's network without classifiers.

    safetensors keeps the weights in half precision, to open or to train on. onnx, openvino and
    torch-export are programs: 8-bit pictures in, the embedding and each branch's part out.

    Args:
        file: The file to write; by default the run's name with the ending of the format.
        format: By default what the file's ending says: .safetensors, .onnx, .xml or .pt2.
        maps: Also put out what each map pixel brings to each embedding value (not safetensors).
        int8: Compute in 8-bit integers, fitted to 128 training pictures (onnx and openvino).
        parity: Score the file beside the run, time both, and keep the table as FILE.parity.csv.
        data: Dataset for --int8 and --parity; by default the one the run was trained on.
        name: What tables call it (safetensors); by default the name of the run's configuration.
        gate_height: Height of the bumps of competing gates, 1 in training (safetensors): higher
            parts the branches more and binds them more to their stripes, see docs/branches.md.

    Raises:
        InputError: no such run, another file has the name, its ending names no format, an option
            does not suit the format, or a package is missing.
    """
    file = _named(file, run, format)
    weights = file.suffix == ".safetensors"
    if weights and (maps or int8 or parity):
        raise InputError(
            f"{file} holds weights, no program, so --maps, --int8 and --parity do not suit it",
            "take --format onnx or openvino",
        )
    if not weights and (name or gate_height is not None):
        raise InputError(
            "--name and --gate-height go into the weights",
            "export a .safetensors with them first, then that file",
        )
    from mfa.runs.run import open_run

    opened = open_run(run, "cpu")
    if weights:
        from mfa.runs.export import release

        release(opened, file, name=name, gate_height=gate_height)
        written = open_run(file, "cpu")
        parameters = sum(p.numel() for p in written.model.parameters())
        size = file.stat().st_size / 2**20
        answer(f"{file}: {parameters:,} parameters, {size:.2f} MiB, weights {written.hash}")
        return
    from mfa.export import export as write
    from mfa.export.int8 import calibration_pictures
    from mfa.inference.evaluate import resolve

    dataset = resolve(opened, data, data_root) if int8 or parity else None
    pictures = calibration_pictures(opened, dataset) if int8 and dataset else None
    write(opened, file, maps=maps, calibration=pictures)
    widths = {"embedding": sum(opened.model.widths.values()), **opened.model.widths}
    outputs = ", ".join(f"{name} ({width})" for name, width in widths.items())
    answer(f"{file}: weights {opened.hash}, 8-bit pictures in, {outputs} out")
    if parity and dataset:
        _parity(opened, file, dataset)


def _named(file: Path | None, run: str, format: Format | None) -> Path:
    """The file to write, whose ending is that of the format."""
    from mfa.export import FORMATS

    wanted = format and FORMATS[format]
    file = file or Path(Path(run).stem + (wanted or FORMATS["safetensors"]))
    if file.suffix not in FORMATS.values() or (wanted and file.suffix != wanted):
        endings = wanted or ", ".join(FORMATS.values())
        raise InputError(f"{file} has not the ending of its format", f"end it in {endings}")
    return file


def _parity(run: Run, file: Path, data: ReidDataset) -> None:
    from mfa.export import measure_parity
    from mfa.files import write_atomically

    table = measure_parity(run, file, data, progress=True)
    write_atomically(file.with_name(f"{file.name}.parity.csv"), table.to_csv(index=False))
    shown = table.to_string(index=False, float_format="{:.3f}".format)
    answer(f"on {data.name}:", *shown.split("\n"))


main = command("mfa export", export)
