"""Programs of ``torch.export``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mfa.errors import InputError
from mfa.inference.external.embedder import FACTS, Opened, read_facts
from mfa.inference.external.onnxfile import fixed_batch


def load(path: Path) -> Opened:
    """Open a program.

    A program holds operators and tensors, no Python code. ``torch.export`` fixes the batch unless
    another size is given; such a program is fed that many pictures at a time, and the last ones are
    repeated.

    Raises:
        InputError: the file is no such program.
    """
    said = {FACTS: ""}  # the file that the program carries beside it is read into this
    try:
        program = torch.export.load(str(path), extra_files=said)
        module = program.module()
    except Exception as error:  # zip, JSON and schema errors of several kinds
        raise InputError(
            f"{path} is no torch.export program",
            "write one with torch.export.save; weights alone go through `mfa import-weights`",
        ) from error
    pictures = _pictures(program)
    batch, height, width = (
        None if pictures is None or not isinstance(pictures.shape[i], int) else pictures.shape[i]
        for i in (0, 2, 3)
    )
    whole = pictures is not None and pictures.dtype == torch.uint8
    compute = as_compute(module, torch.uint8 if whole else torch.float32)
    return Opened(
        (height, width) if height and width else None,
        compute if batch is None else fixed_batch(compute, batch),
        read_facts(said[FACTS]),
        whole,
    )


def as_compute(
    network: Any, kind: torch.dtype = torch.float32
) -> Callable[[np.ndarray], np.ndarray]:
    """Arrays in, arrays out; of several outputs the first matrix."""

    @torch.inference_mode()
    def compute(values: np.ndarray) -> np.ndarray:
        found = network(torch.from_numpy(values).to(kind))
        if isinstance(found, dict):
            found = tuple(found.values())
        if isinstance(found, tuple | list):
            found = next((x for x in found if isinstance(x, torch.Tensor) and x.ndim == 2), None)
        if not isinstance(found, torch.Tensor):
            raise InputError("the model gives no matrix of vectors among its outputs")
        array: np.ndarray = found.float().cpu().numpy()
        return array

    return compute


def _pictures(program: Any) -> torch.Tensor | None:
    """A stand-in for the pictures that a program takes; None where it takes none."""
    wanted = set(program.graph_signature.user_inputs)
    values = (
        node.meta["val"]
        for node in program.graph.nodes
        if node.op == "placeholder" and node.name in wanted
    )
    return next((value for value in values if value.ndim == 4), None)
