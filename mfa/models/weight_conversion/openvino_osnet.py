"""Weights of the public model ``person-reidentification-retail-0277`` for the trunk ``osnet_lct``.

An OpenVINO model is a graph in an ``.xml`` file and its constants in a ``.bin`` file beside it. The
graph lists its constants in the order in which the network uses them, so they are matched by order
and by shape. Nothing is executed, and OpenVINO itself is not needed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import torch
from torch import Tensor

from mfa.config import ModelConfig
from mfa.errors import InputError
from mfa.models.omni_scale import OmniScaleBlock, OmniScaleTrunk
from mfa.models.trunk import LAYERS

_TYPES = {"f16": np.float16, "f32": np.float32}

_INPUT = 2
"""Constants before the trunk: mean and standard deviation, which our networks apply themselves."""


def read_osnet(xml: Path) -> dict[str, Tensor]:
    """One float32 tensor per parameter of the trunk without CPAA, from an OpenVINO model."""
    trunk = OmniScaleTrunk(ModelConfig(trunk="osnet_lct", cpaa=()))
    shapes = {name: tuple(value.shape) for name, value in trunk.state_dict().items()}
    constants = iter(_constants(xml)[_INPUT:])
    state: dict[str, Tensor] = {}
    for name in _order(trunk):
        found = next(constants, None)
        if found is None or found.size != math.prod(shapes[name]):
            seen = "it ends" if found is None else f"it has a constant of shape {found.shape}"
            raise InputError(
                f"{xml} is of another architecture: where the trunk osnet_lct has {name} of shape "
                f"{shapes[name]}, {seen}",
                "give the .xml file of the Open Model Zoo's person-reidentification-retail-0277",
            )
        state[name] = torch.from_numpy(found.astype(np.float32).reshape(shapes[name]))
    return state


def _order(trunk: OmniScaleTrunk) -> Iterator[str]:
    """Names of the trunk's tensors in the order of the graph's constants.

    The graph repeats the biases of a gate for each stream, and so do these names.
    """
    for stage in ("stem", *LAYERS):
        for number, part in enumerate(getattr(trunk, stage)):
            names = _block_order(part) if isinstance(part, OmniScaleBlock) else part.state_dict()
            yield from (f"{stage}.{number}.{name}" for name in names)


def _block_order(block: OmniScaleBlock) -> Iterator[str]:
    own = list(block.state_dict())
    yield from (name for name in own if name.startswith("reduce."))
    for number in range(len(block.streams)):
        yield from (name for name in own if name.startswith(f"streams.{number}."))
        ending = "" if number == 0 or hasattr(block.gate, "norm") else "bias"
        yield from (name for name in own if name.startswith("gate.") and name.endswith(ending))
    yield from (name for name in own if name.startswith(("expand.", "shortcut.")))


def _constants(xml: Path) -> list[np.ndarray]:
    """The graph's floating-point constants, in its order."""
    binary = xml.with_suffix(".bin")
    for file in (xml, binary):
        if not file.is_file():
            raise InputError(
                f"no file {file}", "an OpenVINO model is an .xml file with a .bin file beside it"
            )
    content = binary.read_bytes()
    arrays = []
    try:
        for layer in ElementTree.parse(xml).getroot().iterfind("layers/layer[@type='Const']"):
            facts = layer.find("data")
            kind = None if facts is None else _TYPES.get(facts.get("element_type", ""))
            if facts is None or kind is None:
                continue
            shape = [int(side) for side in facts.get("shape", "").split(",") if side.strip()]
            start, size = int(facts.get("offset", "")), int(facts.get("size", ""))
            if start + size > len(content):
                raise InputError(f"{binary} is cut short", "copy it again")
            arrays.append(np.frombuffer(content[start : start + size], kind).reshape(shape))
    except InputError:
        raise
    except (ElementTree.ParseError, ValueError) as error:
        raise InputError(f"{xml} is no OpenVINO model: {error}") from error
    if not arrays:
        raise InputError(f"{xml} holds no weights", "give the .xml file of an OpenVINO model")
    return arrays
