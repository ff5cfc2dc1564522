"""Which settings a network reads; a setting that it would ignore is refused."""

from __future__ import annotations

import dataclasses

from mfa.config import LossConfig, ModelConfig
from mfa.errors import InputError

COMMON = frozenset({"network", "trunk", "width"})
"""Fields of ``ModelConfig`` that every network reads."""

SILENT = ModelConfig(cpaa=(), branches=0, pooling="gap")
"""Values that say nothing: where a field that a network does not read must stand."""


def refuse_unread(config: ModelConfig, reads: frozenset[str], trunks: tuple[str, ...]) -> None:
    """Refuse a setting that the network ``config.network`` would ignore.

    Args:
        config: of the network.
        reads: the fields that it reads beside ``COMMON``.
        trunks: what ``config.trunk`` may be.

    Raises:
        InputError: names the field, and the value it must have.
    """
    if config.trunk not in trunks:
        raise InputError(
            f"{config.network} has no trunk {config.trunk!r}",
            f"set model.trunk to {' or '.join(trunks)}",
        )
    for field in dataclasses.fields(ModelConfig):
        value, silent = getattr(config, field.name), getattr(SILENT, field.name)
        if field.name not in COMMON | reads and value != silent:
            raise InputError(
                f"{config.network} does not read model.{field.name}, which is {value!r}",
                f"set it to {silent!r}, or start from the preset {config.network}-cpu or -demo",
            )


def refuse_unread_losses(config: LossConfig, network: str, guided: bool) -> None:
    """Refuse GLA for a network whose branches have no guides.

    Raises:
        InputError: says what to set.
    """
    if config.gla != "off" and not guided:
        raise InputError(
            f"loss.gla is {config.gla!r}, but {network} as configured has no local branches to "
            "guide",
            "set loss.gla to off, or model.branches to 1 or more where the network is mfa",
        )
