"""Models of torchvision and timm by name, their classifiers taken off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from mfa.errors import InputError, extra
from mfa.inference.external.embedder import CONVENTIONS, External, Inputs
from mfa.inference.external.torchfile import as_compute
from mfa.models.tensor_files import read_tensors
from mfa.runs.checkpoint import weights_hash

HEADS = ("fc", "classifier", "head", "heads")
"""What torchvision's networks call their last part."""


def load(text: str, size: tuple[int, int] | None, inputs: Inputs | None) -> External:
    """The network ``torchvision:NAME`` or ``timm:NAME``, with its own weights or ``@FILE``'s."""
    library, _, rest = text.partition(":")
    name, _, file = rest.partition("@")
    make = _torchvision if library == "torchvision" else _timm
    network, own_size, own_inputs = make(name, Path(file) if file else None)
    return External(
        name=name,
        kind=library,
        size=size or own_size,
        inputs=inputs or own_inputs,
        hash=weights_hash(network.state_dict()),
        compute=as_compute(network.eval()),
    )


def _torchvision(name: str, file: Path | None) -> tuple[nn.Module, tuple[int, int], Inputs]:
    from torchvision import models

    if name not in models.list_models(models):
        raise InputError(f"torchvision has no model {name!r}")
    network = models.get_model(name, weights=None)
    fill(network, _fetched(name) if file is None else read_tensors(file).tensors, name)
    _take_off(network)
    return network, (224, 224), CONVENTIONS["imagenet"]


def _timm(name: str, file: Path | None) -> tuple[nn.Module, tuple[int, int], Inputs]:
    with extra("external"):
        import timm
    if not timm.is_model(name):
        raise InputError(f"timm has no model {name!r}")
    try:
        network: Any = timm.create_model(name, pretrained=file is None)
    except Exception as error:  # network errors of several libraries
        raise InputError(
            f"timm could not fetch the weights of {name} ({error}); go online once, or name a "
            f"file: timm:{name}@FILE"
        ) from error
    if file is not None:
        fill(network, read_tensors(file).tensors, name)
    network.reset_classifier(0)
    states = network.pretrained_cfg
    _, height, width = states.get("input_size", (3, 224, 224))
    inputs = Inputs(mean=tuple(states["mean"]), std=tuple(states["std"]))
    return network, (height, width), inputs


def fill(network: nn.Module, state: dict[str, torch.Tensor], name: str) -> None:
    """Load weights that fit exactly."""
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(f"the weights are not {name}'s: {str(error)[:300]}") from error


def _take_off(network: nn.Module) -> None:
    """Replace the classifier's last linear layer, so that the vector before it comes out."""
    for head in HEADS:
        part = getattr(network, head, None)
        children = part.named_modules(prefix=head) if isinstance(part, nn.Module) else ()
        linear = [name for name, module in children if isinstance(module, nn.Linear)]
        if linear:
            network.set_submodule(linear[-1], nn.Identity())
            return
    raise InputError(f"{type(network).__name__} has no last linear layer to take off")


def _fetched(name: str) -> dict[str, torch.Tensor]:
    from torchvision.models import get_model_weights

    try:
        state: dict[str, torch.Tensor] = get_model_weights(name).DEFAULT.get_state_dict(
            check_hash=True
        )
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"torchvision could not fetch the weights of {name} ({error}); go online once, or name "
            f"a file: torchvision:{name}@FILE"
        ) from error
    return state
