"""ONNX files through onnxruntime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mfa.errors import InputError, extra
from mfa.inference.external.embedder import FACTS, Opened, read_facts


def load(path: Path, threads: int | None = None) -> Opened:
    """Open a file.

    A file whose batch is fixed is fed that many pictures at a time, the last ones repeated. Of
    several outputs the first matrix counts, else the first.

    Raises:
        InputError: onnxruntime is not installed, or the file is no model of one picture input.
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
        raise InputError(f"{path} is no ONNX model that onnxruntime reads: {error}") from error
    pictures = [value for value in session.get_inputs() if len(value.shape) == 4]
    if len(pictures) != 1 or len(session.get_inputs()) != 1:
        names = [f"{value.name} {value.shape}" for value in session.get_inputs()]
        raise InputError(f"{path.name} has the inputs {names}; an embedder takes pictures alone")
    given = pictures[0]
    batch, _, height, width = (x if isinstance(x, int) else None for x in given.shape)
    outputs = session.get_outputs()
    output = next((value for value in outputs if len(value.shape) == 2), outputs[0]).name

    whole = given.type == "tensor(uint8)"

    def run(values: np.ndarray) -> np.ndarray:
        fed = values.astype(np.uint8) if whole else values
        found: np.ndarray = session.run([output], {given.name: fed})[0]
        return found

    size = (height, width) if height and width else None
    facts = session.get_modelmeta().custom_metadata_map.get(FACTS, "{}")
    compute = run if batch is None else fixed_batch(run, batch)
    return Opened(size, compute, read_facts(facts), whole)


def fixed_batch(
    run: Callable[[np.ndarray], np.ndarray], batch: int
) -> Callable[[np.ndarray], np.ndarray]:
    """``run`` for any number of pictures, where it takes exactly ``batch`` of them."""

    def compute(values: np.ndarray) -> np.ndarray:
        rows = []
        for start in range(0, len(values), batch):
            part = values[start : start + batch]
            padded = np.resize(part, (batch, *part.shape[1:]))
            rows.append(run(padded)[: len(part)])
        return np.concatenate(rows)

    return compute
