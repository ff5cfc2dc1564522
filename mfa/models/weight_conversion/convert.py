"""A foreign file to a network of ours, with a list of what did not fit."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from mfa.config import ModelConfig
from mfa.errors import InputError
from mfa.models import ReidNetwork, build_model
from mfa.models.weight_conversion.sources import CAMERAS, SKIPPED, SOURCES

WRAPPERS = ("state_dict", "model", "net", "model_state_dict")
"""Names under which training programs keep the weights, beside optimiser and epoch."""

_SCALAR = np.float64(0).__reduce__()[0]
NUMBERS: list[Any] = [
    *((_SCALAR, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
    np.dtype,
    *(type(np.dtype(kind)) for kind in ("f4", "f8", "i8")),
]
"""What a NumPy number in a file is made of; torchreid writes one, Rank-1, beside the weights."""


@dataclass(frozen=True)
class Imported:
    """A network with weights from elsewhere.

    Attributes:
        config: of the network.
        network: filled, in eval mode.
        identities: classes of its classifiers; 0 where the file has none that fit.
        loaded: names of our tensors that were filled.
        left_out: name in the file to why it was not used.
        missing: our tensors the file had nothing for; they stay random.
        notes: what to know of weights from there.
        cameras: numbers of the cameras whose embeddings it holds (SIE); empty without.
    """

    config: ModelConfig
    network: ReidNetwork
    identities: int
    loaded: tuple[str, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    cameras: tuple[int, ...] = ()


def read_foreign(path: Path) -> dict[str, Tensor]:
    """The named tensors of a file, without running code that may be in it.

    Raises:
        InputError: no such file, not a file of weights, or one that holds Python objects beside
            them.
    """
    if not path.is_file():
        raise InputError(f"no weights file {path}")
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        with torch.serialization.safe_globals(NUMBERS):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        foreign = re.search(r"GLOBAL (\S+)", str(error))
        if foreign is None:
            raise InputError(_unreadable(path, error)) from error
        raise InputError(
            f"{path} holds a Python object ({foreign[1]}) and is not loaded, because unpickling it "
            "may run code; in the project it comes from, load it and save its state_dict() alone"
        ) from error
    except Exception as error:  # torch raises many kinds for a damaged file
        raise InputError(_unreadable(path, error)) from error
    return _tensors(content, path)


def convert(
    state: Mapping[str, Tensor],
    source: str,
    identities: int | None = None,
    cameras: Sequence[int] = (),
) -> Imported:
    """The network ``state`` belongs to, filled with it.

    Args:
        state: of ``read_foreign``.
        source: a key of ``SOURCES``.
        identities: classes wanted; by default as many as the file's classifier has. Of another
            number the classifier stays out, since its rows are people of the set it was trained
            on.
        cameras: sorted numbers of the cameras it was trained on, whose embeddings a file with SIE
            holds in that order; where they are not given, no dataset may tell the network any.

    Raises:
        InputError: no such source, the file is not of it, classes below 0, or another number of
            cameras than the file has embeddings for.
    """
    if identities is not None and identities < 0:
        raise InputError(f"a classifier has 0 classes (none) or more, not {identities}")
    if source not in SOURCES:
        raise InputError(f"no source {source!r}; there are {', '.join(SOURCES)}")
    if state and all(name.startswith("module.") for name in state):  # saved from DataParallel
        state = {name.removeprefix("module."): value for name, value in state.items()}
    try:
        config = SOURCES[source].network(state)
    except InputError as error:
        raise InputError(f"this is no {source} file that can be read: {error}") from error
    cameras = _cameras(state, tuple(cameras))
    found, left_out = _renamed(SOURCES[source].adapt(state), source)
    own_classes = _classes(found)
    classes = own_classes if identities is None else identities
    network = build_model(config, classes, cameras=cameras, pretrained=False).eval()
    own = network.state_dict()
    fitting: dict[str, Tensor] = {}
    for name, (origin, value) in found.items():
        if name not in own:
            left_out[origin] = "no such tensor in the network" + _why_absent(name, classes)
        elif own[name].shape != value.shape and own[name].numel() != value.numel():
            left_out[origin] = _of_another_shape(name, value, own[name])
        else:
            fitting[name] = value.reshape(own[name].shape)
    if 2 * len(fitting) < len(own):
        raise InputError(
            f"only {len(fitting)} of the {len(own)} tensors of {config.network} are in this file; "
            f"is it of {source}?"
        )
    network.load_state_dict(fitting, strict=False)
    missing = [k for k in own if k not in fitting and not k.endswith("num_batches_tracked")]
    return Imported(
        config,
        network,
        classes,
        tuple(fitting),
        left_out,
        tuple(missing),
        SOURCES[source].notes,
        cameras,
    )


def _unreadable(path: Path, error: Exception) -> str:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
    return f"{path} is no readable weights file ({reason}); is it whole, and of PyTorch?"


def _tensors(content: object, path: Path) -> dict[str, Tensor]:
    for name in WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(name), dict):
            content = content[name]
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no table of named tensors but {type(content).__name__}")
    tensors = {str(k): v for k, v in content.items() if isinstance(v, Tensor)}
    if not tensors:
        raise InputError(f"{path} holds no tensors under names; save a state_dict()")
    return tensors


def _renamed(
    state: Mapping[str, Tensor], source: str
) -> tuple[dict[str, tuple[str, Tensor]], dict[str, str]]:
    """By our name: theirs and the tensor; and what has no place, with the reason."""
    found: dict[str, tuple[str, Tensor]] = {}
    left_out: dict[str, str] = {}
    for name, value in state.items():
        if name.endswith("num_batches_tracked"):
            left_out[name] = SKIPPED.strip("()")
        elif source == "transreid" and name == "base.pos_embed":
            found["trunk.patches.cls_position"] = (name, value[0, 0])
            found["trunk.patches.position"] = (name, value[0, 1:].T)
        else:
            ours = SOURCES[source].rename(name)
            if ours.startswith("("):
                left_out[name] = ours.strip("()")
            else:
                found[ours] = (name, value)
    return found, left_out


def _cameras(state: Mapping[str, Tensor], given: tuple[int, ...]) -> tuple[int, ...]:
    """Numbers of the cameras a file has embeddings for; counted from 0 where none are given."""
    count = len(state[CAMERAS]) if CAMERAS in state else 0
    if given and count and len(given) != count:
        raise InputError(
            f"the file has embeddings of {count} cameras, but it is said to be trained on "
            f"{len(given)} ({', '.join(map(str, given))}); name the dataset it was trained on"
        )
    return given if given and count else tuple(range(count))


def _classes(found: Mapping[str, tuple[str, Tensor]]) -> int:
    heads = [value for name, (_, value) in found.items() if name.endswith("classifier.weight")]
    return len(heads[0]) if heads else 0


def _why_absent(name: str, classes: int) -> str:
    return ", which was asked for without classifiers" if not classes and "classif" in name else ""


def _of_another_shape(name: str, value: Tensor, own: Tensor) -> str:
    shapes = f"{tuple(value.shape)} there, {tuple(own.shape)} here"
    if "classifier" in name and len(value) != len(own):
        return (
            f"a classifier of {len(value)} people, not {len(own)} ({shapes}): its rows are the "
            "people it was trained on, so it is left out and learned anew; descriptors need none"
        )
    return f"another shape: {shapes}"
