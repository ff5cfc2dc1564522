"""OpenVINO IR files (``.xml`` with a ``.bin``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mfa.errors import InputError, extra, reason
from mfa.inference.external.embedder import FACTS, Opened


def load(path: Path, threads: int | None = None) -> Opened:
    """Open a file, to be computed in float32 on the CPU where it does not say 8 bits.

    Published files fix a batch of one; it is opened to any where the network allows.
    """
    with extra("external"):
        import openvino
    if not path.with_suffix(".bin").is_file():
        raise InputError(f"{path.name} has no {path.stem}.bin beside it, which holds its weights")
    core: Any = openvino.Core()
    # Newer processors would compute in bfloat16 by themselves: other figures on other machines.
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    if threads:
        settings["INFERENCE_NUM_THREADS"] = str(threads)
    try:
        model = core.read_model(str(path))
        shapes = [given.partial_shape for given in model.inputs]
        if [len(shape) for shape in shapes] != [4]:
            raise InputError(f"{path.name} has other inputs than pictures (1, 3, height, width)")
        sides = [shapes[0][i].get_length() if shapes[0][i].is_static else None for i in (0, 2, 3)]
        try:
            model.reshape([-1, 3, *(side or -1 for side in sides[1:])])
            sides[0] = None
        except RuntimeError:  # a reshape inside fixes the batch
            model = core.read_model(str(path))
        compiled = core.compile_model(model, "CPU", settings)
    except InputError:
        raise
    except Exception as error:  # damage ends in RuntimeError, UnicodeDecodeError ...
        raise InputError(f"{path} is no OpenVINO model: {reason(error)}") from error
    facts = model.get_rt_info([FACTS]).astype(str) if model.has_rt_info([FACTS]) else "{}"

    def run(values: np.ndarray) -> np.ndarray:
        found: np.ndarray = compiled(values)[0]
        return found

    return Opened.of(run, sides, facts, model.inputs[0].element_type == openvino.Type.u8)
