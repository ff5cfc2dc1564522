"""A trained network as one small file: no classifiers, weights in half precision."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from mfa.errors import InputError
from mfa.runs.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from mfa.runs.run import Run


def release(
    run: Run, file: Path, *, name: str | None = None, gate_height: float | None = None
) -> None:
    """Write ``run``'s network to ``file``, to be opened by ``open_run`` or given as ``weights``.

    Classifiers belong to the identities of the training set and are left out; so are centers and
    optimiser. Matrices and convolutions are rounded to float16; biases, normalisation and single
    numbers, a hundredth of the size, keep float32, because a running variance may leave float16's
    range. Of ``model.weights`` only the file's name is kept, not its folder.

    Args:
        run: what to release.
        file: a ``.safetensors`` file. One that holds this very release already is left as it is.
        name: what tables call the configuration; by default its own name.
        gate_height: height k of the bumps of competing gates, 1 in training; higher parts the
            branches more, and binds them more to their stripes, without further training (ours).
    """
    old = run.checkpoint
    if gate_height is not None and old.config.model.gate != "competing":
        raise InputError(
            f"the gates of {run.name} are {old.config.model.gate}, so they take no height",
            "leave it out; it is for competing gates",
        )
    tensors = {
        f"model.{key}": _halved(value)
        for key, value in old.part("model").items()
        if ".classifier." not in key
    }
    if gate_height is not None:
        heights = [key for key in tensors if key.endswith(".gate.k")]
        tensors |= {key: torch.tensor(float(gate_height)) for key in heights}
    # Where the training found its first weights is nobody's business; what they were is.
    start = replace(old.config.model, weights=Path(old.config.model.weights).name)
    config = replace(old.config, name=name or old.config.name, model=start)
    made = Checkpoint(config, old.epoch, 0, tensors, old.facts)
    if not file.exists():
        save_checkpoint(made, file)
    elif not _holds(file, made):
        what = f"{file} exists already and is not overwritten"
        raise InputError(what, "move it, or name another file")


def _holds(file: Path, wanted: Checkpoint) -> bool:
    try:
        return load_checkpoint(file).equals(wanted)
    except InputError:
        return False


def _halved(value: Tensor) -> Tensor:
    return value.half() if value.ndim > 1 and value.is_floating_point() else value
