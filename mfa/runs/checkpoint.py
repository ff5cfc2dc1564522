"""One file that holds a run: weights, everything else training needs, configuration, epoch.

A safetensors file, so that reading one never runs code; its metadata carries JSON and checksums.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from mfa.config import Config
from mfa.errors import InputError, reason
from mfa.files import atomic, parse_json
from mfa.runs.stored_config import from_json, to_json

T = TypeVar("T")

CHECKPOINT = "checkpoint.safetensors"
FORMAT = "2"
"""Version of the file. 1 had no checksums and no state of the collapse watch; it is still read."""

_FIELDS = ("format", "config", "epoch", "identities", "facts")
_COPY = "take a copy that is whole, or train again"


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint file holds.

    Attributes:
        config: the run's configuration.
        epoch: epochs finished.
        identities: classes of the classifiers.
        tensors: by name, under ``model.``, ``criterion.``, ``optimizer.`` and ``distillation.``.
        facts: anything else that JSON can hold (dataset, fingerprint, versions).
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

    def part(self, name: str) -> dict[str, Tensor]:
        """The tensors under ``name.``, named without it."""
        start = name + "."
        return {k.removeprefix(start): v for k, v in self.tensors.items() if k.startswith(start)}

    def equals(self, other: Checkpoint) -> bool:
        """Whether both hold the same, to the last bit."""
        return (
            replace(self, tensors={}) == replace(other, tensors={})
            and self.tensors.keys() == other.tensors.keys()
            and all(torch.equal(value, other.tensors[name]) for name, value in self.tensors.items())
        )


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write ``checkpoint`` whole or not at all."""
    metadata = {
        "format": FORMAT,
        "config": to_json(checkpoint.config),
        "epoch": str(checkpoint.epoch),
        "identities": str(checkpoint.identities),
        "facts": json.dumps(checkpoint.facts),
    }
    form = torch.contiguous_format
    tensors = {k: v.detach().cpu().clone(memory_format=form) for k, v in checkpoint.tensors.items()}
    metadata["sha256"] = json.dumps(_checksums(metadata, tensors))
    with atomic(path) as draft:
        try:
            save_file(tensors, draft, metadata)
        except SafetensorError as error:  # a full disk comes as such
            raise OSError(str(error)) from error


def load_checkpoint(path: Path, *, only: str = "") -> Checkpoint:
    """Read a checkpoint, or of its tensors only the part ``only``, such as ``"model"``."""
    if not path.is_file():
        raise InputError(f"no checkpoint {path}", "train first with `mfa train PRESET --run NAME`")
    if not os.access(path, os.R_OK):  # safetensors would say that there is no such file
        raise InputError(f"{path} may not be read by this user", "chmod u+r, or take a copy")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            names = [k for k in file.keys() if not only or k.startswith(f"{only}.")]  # noqa: SIM118
            tensors = {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError, RuntimeError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"{path} is no complete checkpoint: it was cut off, or is another file "
            f"({reason(error)})",
            _COPY,
        ) from error
    _check_format(metadata, path)
    _check_sums(metadata, tensors, path)
    return Checkpoint(
        config=_parsed(from_json, metadata["config"], "configuration", path),
        epoch=_parsed(_count, metadata["epoch"], "epoch", path),
        identities=_parsed(_count, metadata["identities"], "number of identities", path),
        tensors=tensors,
        facts=_parsed(_facts, metadata["facts"], "facts", path),
    )


def weights_hash(state: Mapping[str, Tensor]) -> str:
    """First 12 hex digits of the SHA-256 over names and values, in name order."""
    return _digest(state)[:12]


def _digest(state: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(name.encode())
        value = state[name].detach().cpu()
        if value.ndim == 0:
            digest.update(str(value.item()).encode())
            continue
        flat = value.reshape(-1).clone(memory_format=torch.contiguous_format)
        digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _checksums(metadata: Mapping[str, str], tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """SHA-256 of the metadata (``""``) and of each part of the tensors, by name."""
    parts: dict[str, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        parts.setdefault(name.partition(".")[0], {})[name] = value
    text = json.dumps([metadata[field] for field in _FIELDS])
    sums = {name: _digest(part) for name, part in parts.items()}
    return {"": hashlib.sha256(text.encode()).hexdigest(), **sums}


def _check_format(metadata: Mapping[str, str], path: Path) -> None:
    version = metadata.get("format", "")
    lacking = [name for name in _FIELDS if name not in metadata]
    if version not in ("1", FORMAT) or lacking:
        why = f"its header lacks {lacking[0]}" if lacking else f"it has format {version[:20]!r}"
        raise InputError(
            f"{path} was not written by this version of the package: {why}",
            "update the package, convert weights of other projects with `mfa import-weights`, or "
            "train again",
        )


def _check_sums(metadata: Mapping[str, str], tensors: dict[str, Tensor], path: Path) -> None:
    """Compare what was read with the checksums of format 2; format 1 has none."""
    if metadata["format"] == "1":
        return
    known = _parsed(parse_json, metadata.get("sha256", ""), "checksums", path)
    for name, found in _checksums(metadata, tensors).items():
        if not isinstance(known, dict) or known.get(name) != found:
            raise InputError(
                f"the {name or 'header'} in {path} changed since it was written: its checksum is "
                "another",
                _COPY,
            )


def _parsed(parse: Callable[[str], T], text: str, what: str, path: Path) -> T:
    """A field of the metadata."""
    try:
        return parse(text)
    except ValueError as error:  # an InputError is a ValueError
        raise InputError(f"the {what} in {path} cannot be read ({reason(error)})", _COPY) from error


def _count(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,8}", text):
        raise ValueError("no number that can be right")
    return int(text)


def _facts(text: str) -> dict[str, Any]:
    facts = parse_json(text)
    if not isinstance(facts, dict):
        raise ValueError("no table of facts")
    cameras = facts.get("cameras", [])
    if not isinstance(cameras, list) or not all(isinstance(camera, int) for camera in cameras):
        raise ValueError("its cameras are no list of numbers")
    return facts
