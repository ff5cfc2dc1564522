"""A pre-trained vision transformer's weights, for ``parts.transformer``.

torchvision and timm have the tensors of ours under other names, queries, keys and values in the
same order. What differs is renamed, the positions of a square picture are resized to ours, and the
last block, of which a network here may keep several copies, starts all of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional as F

from mfa.config import ModelConfig
from mfa.errors import InputError
from mfa.models.trunk import Trunk
from mfa.models.weights import fetch_imagenet, fit_state, read_weights
from mfa.progress import remark

PATCHES = ("conv_proj.weight", "patch_embed.proj.weight")
"""Only a file of torchvision's or timm's names holds one of these."""

NAMES = (
    (r"^(conv_proj|patch_embed\.proj)\.", "trunk.patches.proj."),
    (r"^(class_token|cls_token)$", "trunk.patches.cls_token"),
    (r"^(encoder\.pos_embedding|pos_embed)$", "pos_embed"),
    (r"^encoder\.ln\.", "norm."),
    (r"^encoder\.layers\.encoder_layer_", "blocks."),
    (r"\.ln_", ".norm"),
    (r"\.self_attention\.in_proj_", ".attn.qkv."),
    (r"\.self_attention\.out_proj\.", ".attn.proj."),
    # linear_1 and linear_2 are the older names, of which torchvision's files still are.
    (r"\.mlp\.(0|linear_1)\.", ".mlp.fc1."),
    (r"\.mlp\.(3|linear_2)\.", ".mlp.fc2."),
)
"""torchvision's and timm's names to ours; blocks keep timm's numbers, from 0."""


def load_vit(config: ModelConfig, trunk: Trunk, lasts: Mapping[str, nn.Module]) -> None:
    """Fill a transformer from ``config.weights`` and say what fitted.

    ``none``, ``imagenet`` (torchvision's ViT-B/16), or a file of torchvision's, of timm's or of a
    network of ours. The last block and normalisation fill ``block`` and ``norm`` of all ``lasts``.
    """
    if config.weights == "none":
        return
    state = _imagenet(config) if config.weights == "imagenet" else read_weights(config.weights)
    if any(name in state for name in PATCHES):
        state = _placed(state, trunk, tuple(lasts), config.weights)
    else:
        state = {name.removeprefix("model."): value for name, value in state.items()}
    whole = nn.ModuleDict({"trunk": trunk, "stems": nn.ModuleDict(lasts)})
    report = fit_state(whole, state, where=config.weights, core="trunk.")
    remark(f"trunk from {config.weights}: {report}")


def resized(positions: Tensor, height: int, width: int) -> Tensor:
    """Positions of a square of patches, (N, C) row by row, as a grid (1, C, height, width)."""
    count, dim = positions.shape
    side = math.isqrt(count)
    if side**2 != count:
        raise InputError(
            f"the weights have {count} positions, which are no square of patches; a TransReID file "
            "comes in with `mfa import-weights --from transreid`"
        )
    square = positions.T.reshape(1, dim, side, side)
    return F.interpolate(square, size=(height, width), mode="bilinear")


def _imagenet(config: ModelConfig) -> Mapping[str, Tensor]:
    if (config.trunk, config.width) != ("vit_b16", 64):
        raise InputError(
            f"torchvision has ImageNet weights for a ViT-B/16, trunk vit_b16 at width 64, not for "
            f"trunk {config.trunk} at width {config.width}",
            "set model.weights to none or a path",
        )
    return fetch_imagenet("vit_b_16")


def _placed(
    state: Mapping[str, Tensor], trunk: Trunk, lasts: tuple[str, ...], where: str
) -> dict[str, Tensor]:
    """Where tensors of torchvision's or timm's names belong; the classifier has no place."""
    found = {}
    for name, value in state.items():
        for theirs, ours in NAMES:
            name = re.sub(theirs, ours, name)
        found[name] = value
    depth = len({name.split(".")[1] for name in found if name.startswith("blocks.")})
    wanted = len(trunk.stages)
    if depth != wanted:
        raise InputError(
            f"{where}: a transformer of {depth} blocks, where the network has {wanted}",
            "choose the depth by model.trunk; vit_b16 has 12 blocks",
        )
    grid = trunk.get_parameter("patches.position").shape[2:]
    placed: dict[str, Tensor] = {}
    for name, value in found.items():
        first, _, rest = name.partition(".")
        number, _, inner = rest.partition(".")
        if name == "trunk.patches.cls_token":
            placed[name] = value.reshape(1, -1, 1, 1)
        elif name == "pos_embed":
            placed["trunk.patches.cls_position"] = value[0, 0].reshape(1, -1, 1, 1)
            placed["trunk.patches.position"] = resized(value[0, 1:], *grid)
        elif first == "blocks" and int(number) + 1 < depth:
            placed[f"trunk.block{int(number) + 1}.{inner}"] = value
        elif first == "blocks":
            placed |= {f"stems.{last}.block.{inner}": value for last in lasts}
        elif first == "norm":
            placed |= {f"stems.{last}.{name}": value for last in lasts}
        elif first == "trunk":
            placed[name] = value
    return placed
