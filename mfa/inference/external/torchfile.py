"""Programs of ``torch.export``."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mfa.errors import InputError
from mfa.inference.external.onnxfile import fixed_batch

STATED = "mfa.json"
"""Name of the file in a program in which ``mfa export`` states its ``inputs`` and ``size``."""


@dataclass(frozen=True)
class Program:
    """A program of ``torch.export``.

    Attributes:
        size: (height, width) of its pictures, where it fixes them.
        inputs: name of the convention that its file states, or empty.
        compute: pictures to vectors.
    """

    size: tuple[int, int] | None
    inputs: str
    compute: Callable[[np.ndarray], np.ndarray]


def load(path: Path) -> Program:
    """Read a program.

    A program holds operators and tensors, no Python code. ``torch.export`` fixes the batch unless
    another size is given; such a program is fed that many pictures at a time, and the last ones are
    repeated.

    Raises:
        InputError: the file is no such program.
    """
    stated = {STATED: ""}
    try:
        program = torch.export.load(str(path), extra_files=stated)
        module = program.module()
        facts = json.loads(stated[STATED] or "{}")
        inputs = str(facts.get("inputs", ""))
    except Exception as error:  # zip, JSON and schema errors of several kinds
        raise InputError(
            f"{path} is no torch.export program",
            "write one with torch.export.save; weights alone go through `mfa import-weights`",
        ) from error
    batch, size = _fixed(program)
    compute = as_compute(module)
    return Program(size, inputs, compute if batch is None else fixed_batch(compute, batch))


def as_compute(network: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Arrays in, arrays out; of several outputs the first matrix."""

    @torch.inference_mode()
    def compute(values: np.ndarray) -> np.ndarray:
        found = network(torch.from_numpy(values))
        if isinstance(found, dict):
            found = tuple(found.values())
        if isinstance(found, tuple | list):
            found = next((x for x in found if isinstance(x, torch.Tensor) and x.ndim == 2), None)
        if not isinstance(found, torch.Tensor):
            raise InputError("the model gives no matrix of vectors among its outputs")
        array: np.ndarray = found.float().cpu().numpy()
        return array

    return compute


def _fixed(program: Any) -> tuple[int | None, tuple[int, int] | None]:
    """The batch and the (height, width) that a program takes alone; None for what is free."""
    wanted = set(program.graph_signature.user_inputs)
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name in wanted and node.meta["val"].ndim == 4:
            batch, _, height, width = (
                side if isinstance(side, int) else None for side in node.meta["val"].shape
            )
            return batch, (height, width) if height and width else None
    return None, None
