"""Which settings a network reads; a setting that it would ignore is refused."""

from __future__ import annotations

import dataclasses

from mfa.config import ModelConfig
from mfa.errors import InputError

SILENT = ModelConfig(cpaa=(), branches=0, pooling="gap")
"""Values that say nothing: where a field that a network does not read must stand."""


def refuse_unread(
    config: ModelConfig, reads: frozenset[str], trunks: tuple[str, ...], strides: tuple[int, ...]
) -> None:
    """Refuse a setting that the network ``config.network`` does not have or would ignore.

    ``reads`` are the fields that it reads beside its name, ``trunk`` and ``stride``.
    """
    network, trunk = config.network, config.trunk
    if trunk not in trunks:
        raise InputError(
            f"{network} has no trunk {trunk!r}", f"set model.trunk to {' or '.join(trunks)}"
        )
    if config.stride not in strides:
        raise InputError(
            f"{network} with the trunk {trunk} has no stride {config.stride}",
            f"set model.stride to {' or '.join(map(str, strides))}",
        )
    preset = "" if network == "mfa" else f", or start from the preset {network}-cpu or -demo"
    for field in dataclasses.fields(ModelConfig):
        value, silent = getattr(config, field.name), getattr(SILENT, field.name)
        if field.name not in reads | {"network", "trunk", "stride"} and value != silent:
            raise InputError(
                f"{network} does not read model.{field.name}, which is {value!r}, with the trunk "
                f"{trunk}",
                f"set it to {silent!r}{preset}",
            )
