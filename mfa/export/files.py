"""Writing the formats."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from mfa.errors import InputError, extra, reason
from mfa.export.graph import ExportedNetwork, describe
from mfa.export.int8 import quantize_onnx, quantize_openvino
from mfa.files import atomic
from mfa.inference.external import load_external
from mfa.inference.external.embedder import FACTS
from mfa.runs.run import Run

Format = Literal["safetensors", "onnx", "openvino", "torch-export"]

FORMATS: Mapping[Format, str] = {
    "safetensors": ".safetensors",
    "onnx": ".onnx",
    "openvino": ".xml",
    "torch-export": ".pt2",
}
"""Each format and the ending of its files; beside an ``.xml`` lies a ``.bin`` with the weights."""


def export(
    run: Run, file: Path, *, maps: bool = False, calibration: np.ndarray | None = None
) -> None:
    """Write ``run``'s network as the ending of ``file`` says: ``.onnx``, ``.xml`` or ``.pt2``.

    Args:
        run: whose network; best opened on the CPU.
        file: a finished export of the same network and the same settings is left as it is.
        maps: also put out what each map pixel brings to each embedding value.
        calibration: pictures (N, 3, H, W) uint8 that 8-bit integer arithmetic is fitted to; by
            default the file computes in float32.

    Raises:
        InputError: another file has the name, a package is missing, the format has no 8-bit
            arithmetic, or the network's maps do not fit into a file.
    """
    if calibration is not None and file.suffix == ".pt2":
        raise InputError(
            "torch-export is written in float32 only", "leave --int8 out, or take onnx or openvino"
        )
    if file.suffix not in (".onnx", ".xml", ".pt2"):
        endings = ", ".join(FORMATS.values())
        raise InputError(f"{file} has an ending that names no format", f"give {endings}")
    facts = describe(run, maps=maps, int8=calibration is not None)
    if file.exists():
        _refuse_another(file, facts)
        return
    network = ExportedNetwork(run.model, maps=maps).eval()
    program = trace(network, run)
    if file.suffix == ".pt2":
        buffer = io.BytesIO()  # saved to a path, the archive would have the draft's name inside
        torch.export.save(program, buffer, extra_files={FACTS: facts})
        with atomic(file) as draft:
            draft.write_bytes(buffer.getvalue())
    elif file.suffix == ".onnx":
        model = to_onnx(program, network.outputs)
        if calibration is not None:
            model = quantize_onnx(model, calibration)
        entry = model.metadata_props.add()
        entry.key, entry.value = FACTS, facts
        with atomic(file) as draft:
            draft.write_bytes(model.SerializeToString())
    else:
        model = _to_openvino(
            program, network.outputs, (run.config.data.height, run.config.data.width)
        )
        if calibration is not None:
            model = quantize_openvino(model, calibration)
        model.set_rt_info(facts, [FACTS])
        _save_openvino(model, file)


def _refuse_another(file: Path, facts: str) -> None:
    try:
        same = load_external(file).facts == json.loads(facts)
    except InputError:
        same = False
    if not same:
        raise InputError(
            f"{file} exists already and is not overwritten", "move it, or name another file"
        )


def trace(network: ExportedNetwork, run: Run) -> torch.export.ExportedProgram:
    """The network as a program of operators, for any number of pictures of the run's size."""
    size = run.config.data.height, run.config.data.width
    pictures = torch.zeros(2, 3, *size, dtype=torch.uint8, device=run.device)
    try:
        with torch.no_grad():
            program = torch.export.export(
                network, (pictures,), dynamic_shapes=({0: torch.export.Dim("batch")},)
            )
            # Blocks that switch autocast off cannot be saved; this takes them out.
            return program.run_decompositions({})
    except Exception as error:  # its tracer and its solver have many kinds
        raise InputError(
            f"torch.export does not take the network {run.config.model.network} ({reason(error)})",
            "export a .safetensors file",
        ) from error


def to_onnx(program: torch.export.ExportedProgram, outputs: tuple[str, ...]) -> Any:
    """The program as an ``onnx.ModelProto``."""
    with extra("export"):
        made = torch.onnx.export(
            program, input_names=["pictures"], output_names=list(outputs), verbose=False
        )
    assert made is not None
    model: Any = made.model_proto
    graph = model.graph
    for part in (*graph.node, *graph.value_info, *graph.input, *graph.output, graph):
        part.ClearField("metadata_props")  # the source lines of this computer's files
    graph.ClearField("value_info")
    return model


def _to_openvino(
    program: torch.export.ExportedProgram, outputs: tuple[str, ...], size: tuple[int, int]
) -> Any:
    with extra("export"):
        import openvino
    model: Any = openvino.convert_model(program)
    model.reshape([-1, 3, *size])  # the conversion leaves all sides open
    model.inputs[0].get_tensor().set_names({"pictures"})
    for output, name in zip(model.outputs, outputs, strict=True):
        output.get_tensor().set_names({name})
    return model


def _save_openvino(model: Any, file: Path) -> None:
    """The weights first: an .xml that can be seen has its .bin."""
    import openvino

    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / file.name
        openvino.save_model(model, made, compress_to_fp16=False)
        for suffix in (".bin", ".xml"):
            with atomic(file.with_suffix(suffix)) as draft:
                shutil.copyfile(made.with_suffix(suffix), draft)
