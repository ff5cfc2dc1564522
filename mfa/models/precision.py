"""What must be computed in float32, also under autocast."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor


def float32(x: Tensor) -> AbstractContextManager[Any]:
    """A context without autocast on the device of ``x``.

    A program of ``torch.export`` computes in float32 throughout, and cannot be saved with such a
    context in it, so there it has no effect.
    """
    if torch.compiler.is_exporting():
        return nullcontext()
    return torch.autocast(x.device.type, enabled=False)
