"""One file that holds a run: weights, centers, optimiser, configuration, epoch.

A safetensors file, so that reading one never runs code; its metadata carries the JSON. Written to
a temporary name and renamed, so that an interruption leaves the last complete one.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from mfa.config import Config, from_json, to_json
from mfa.errors import InputError
from mfa.files import atomic

FORMAT = "1"


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint file holds.

    Attributes:
        config: the run's configuration.
        epoch: epochs finished.
        identities: classes of the classifiers.
        tensors: by name, under ``model.``, ``criterion.`` and ``optimizer.``.
        facts: anything else JSON can hold (dataset, fingerprint, versions).
    """

    config: Config
    epoch: int
    identities: int
    tensors: dict[str, Tensor]
    facts: dict[str, Any]

    @property
    def cameras(self) -> tuple[int, ...]:
        """Cameras whose embeddings were learned, sorted; empty for a network without SIE."""
        return tuple(self.facts.get("cameras", ()))

    def part(self, prefix: str) -> dict[str, Tensor]:
        """The tensors under ``prefix.``, named without it."""
        start = prefix + "."
        return {k.removeprefix(start): v for k, v in self.tensors.items() if k.startswith(start)}


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write ``checkpoint`` atomically."""
    metadata = {
        "format": FORMAT,
        "config": to_json(checkpoint.config),
        "epoch": str(checkpoint.epoch),
        "identities": str(checkpoint.identities),
        "facts": json.dumps(checkpoint.facts),
    }
    tensors = {k: v.detach().cpu().contiguous().clone() for k, v in checkpoint.tensors.items()}
    with atomic(path) as draft:
        try:
            save_file(tensors, draft, metadata)
        except SafetensorError as error:  # a full disk comes as such
            raise OSError(str(error)) from error


def load_checkpoint(path: Path, *, prefix: str = "") -> Checkpoint:
    """Read a checkpoint, or only its tensors under ``prefix``.

    Raises:
        InputError: no such file, truncated, or not written by this package.
    """
    if not path.is_file():
        raise InputError(f"no checkpoint {path}; train first with `mfa train PRESET --run NAME`")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {k: file.get_tensor(k) for k in file.keys() if k.startswith(prefix)}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{path} is no complete checkpoint ({error}); it was cut off or is another file: "
            f"take a copy, or train again"
        ) from error
    if metadata.get("format") != FORMAT:
        raise InputError(
            f"{path} was not written by this package: no format {FORMAT} in its header"
        )
    return Checkpoint(
        config=from_json(metadata["config"]),
        epoch=int(metadata["epoch"]),
        identities=int(metadata["identities"]),
        tensors=tensors,
        facts=json.loads(metadata["facts"]),
    )


def weights_hash(state: dict[str, Tensor]) -> str:
    """First 12 hex digits of the SHA-256 over names and values, in name order."""
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(name.encode())
        digest.update(
            state[name].detach().cpu().contiguous().view(torch.uint8).numpy().tobytes()
            if state[name].ndim
            else str(state[name].item()).encode()
        )
    return digest.hexdigest()[:12]


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's state as named tensors, ``INDEX.KEY``."""
    return {
        f"{index}.{key}": torch.as_tensor(value)
        for index, values in optimizer.state_dict()["state"].items()
        for key, value in values.items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put back what ``optimizer_tensors`` took."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
