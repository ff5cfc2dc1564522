"""ONNX files through onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mfa.errors import InputError, extra, reason
from mfa.inference.external.embedder import FACTS, Opened


def load(path: Path, threads: int | None = None) -> Opened:
    """Open a file.

    Of several outputs the first matrix counts, else the first.
    """
    with extra("external"):
        import onnxruntime
    options = onnxruntime.SessionOptions()
    if threads:
        options.intra_op_num_threads = threads
    try:
        session: Any = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime raises kinds of its own for every damage
        raise InputError(
            f"{path} is no ONNX model that onnxruntime reads: {reason(error)}"
        ) from error
    pictures = [value for value in session.get_inputs() if len(value.shape) == 4]
    if len(pictures) != 1 or len(session.get_inputs()) != 1:
        names = [f"{value.name} {value.shape}" for value in session.get_inputs()]
        raise InputError(f"{path.name} has the inputs {names}; an embedder takes pictures alone")
    given = pictures[0]
    outputs = session.get_outputs()
    output = next((value for value in outputs if len(value.shape) == 2), outputs[0]).name

    def run(values: np.ndarray) -> np.ndarray:
        found: np.ndarray = session.run([output], {given.name: values})[0]
        return found

    sides = [x if isinstance(x, int) else None for x in (given.shape[i] for i in (0, 2, 3))]
    facts = session.get_modelmeta().custom_metadata_map.get(FACTS, "{}")
    return Opened.of(run, sides, facts, given.type == "tensor(uint8)")
