"""TorchScript archives and ``torch.export`` programs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mfa.errors import InputError


def load(path: Path) -> tuple[str, tuple[int, int] | None, Callable[[np.ndarray], np.ndarray]]:
    """Kind, (height, width) where the program fixes it, and pictures to vectors.

    Both kinds hold operators and tensors, no Python code.

    Raises:
        InputError: the file is neither, or it holds weights alone.
    """
    if path.suffix == ".pt2":
        program = _exported(path)
        return "torch.export", _fixed_size(program), as_compute(program.module())
    return "torchscript", None, as_compute(_scripted(path))


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


def _exported(path: Path) -> Any:
    try:
        return torch.export.load(str(path))
    except Exception as error:  # zip, JSON and schema errors of several kinds
        raise InputError(f"{path} is no torch.export program: {error}") from error


def _fixed_size(program: Any) -> tuple[int, int] | None:
    wanted = set(program.graph_signature.user_inputs)
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name in wanted:
            shape = node.meta["val"].shape
            if len(shape) == 4 and all(isinstance(side, int) for side in shape[2:]):
                return int(shape[2]), int(shape[3])
    return None


def _scripted(path: Path) -> Any:
    try:
        return torch.jit.load(str(path), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        raise InputError(
            f"{path} is no TorchScript archive ({str(error).splitlines()[0]}); where it holds "
            "weights alone, use `mfa import-weights`"
        ) from error
