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
from torch import Tensor, nn

from mfa.config import ModelConfig
from mfa.errors import InputError
from mfa.models.backbones import LAYERS
from mfa.models.omni_scale import ChannelGate, OmniScaleBlock, OmniScaleTrunk

_TYPES = {"f16": np.float16, "f32": np.float32}

_INPUT = 2
"""Constants before the trunk: mean and standard deviation, which our networks apply themselves."""


def read_osnet(xml: Path) -> dict[str, Tensor]:
    """Read the trunk's tensors from an OpenVINO model, by their names in ``OmniScaleTrunk``.

    Args:
        xml: the graph; its constants lie beside it in a ``.bin`` file of the same name.

    Returns:
        One float32 tensor per parameter of the trunk without CPAA.

    Raises:
        InputError: a file is missing or damaged, or the model is of another architecture.
    """
    trunk = OmniScaleTrunk(ModelConfig(trunk="osnet_lct", cpaa=()))
    shapes = {name: tuple(value.shape) for name, value in trunk.state_dict().items()}
    constants = _constants(xml)[_INPUT:]
    state: dict[str, Tensor] = {}
    for position, name in enumerate(_order(trunk)):
        found = constants[position] if position < len(constants) else None
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
    for name, module in [("stem", trunk.stem), *((name, getattr(trunk, name)) for name in LAYERS)]:
        for number, part in enumerate(module):
            where = f"{name}.{number}"
            if isinstance(part, OmniScaleBlock):
                yield from (f"{where}.{own}" for own in _block_order(part))
            else:
                yield from (f"{where}.{own}" for own in part.state_dict())


def _block_order(block: OmniScaleBlock) -> Iterator[str]:
    yield from ("reduce.weight", "reduce.bias")
    for number, stream in enumerate(block.streams):
        assert isinstance(stream, nn.Sequential)
        for depth in range(len(stream)):
            light = f"streams.{number}.{depth}"
            yield from (f"{light}.point.weight", f"{light}.depth.weight", f"{light}.depth.bias")
        if not isinstance(block.gate, ChannelGate):
            yield from ("gate.norm.weight", "gate.norm.bias")
        elif number == 0:
            yield from ("gate.fc1.weight", "gate.fc1.bias", "gate.fc2.weight", "gate.fc2.bias")
        else:
            yield from ("gate.fc1.bias", "gate.fc2.bias")
    yield from ("expand.weight", "expand.bias")
    if isinstance(block.shortcut, nn.Conv2d):
        yield from ("shortcut.weight", "shortcut.bias")


def _constants(xml: Path) -> list[np.ndarray]:
    """The graph's floating-point constants, in its order.

    Raises:
        InputError: a file is missing, is no model, or is cut short.
    """
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
    except (ElementTree.ParseError, ValueError) as error:
        raise InputError(f"{xml} is no OpenVINO model: {error}") from error
    if not arrays:
        raise InputError(f"{xml} holds no weights", "give the .xml file of an OpenVINO model")
    return arrays
