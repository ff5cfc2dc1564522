"""``mfa complexity``: parameters and operations of a preset."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import tyro

from mfa import presets


@dataclasses.dataclass(frozen=True)
class Options:
    """Count the parameters and operations of a preset at its own input size."""

    preset: Annotated[str, tyro.conf.Positional]
    """One of paper, guided, anchored, baseline, cpu, demo."""
    variant: presets.Variant | None = None
    """Change the preset's branches, gate and GLA to those of a named variant."""
    identities: int = 751
    """Classes of each branch's classifier, in parameters_train; 751 are Market-1501's."""
    json: bool = False
    """Print one JSON object instead of words."""


def main(argv: list[str]) -> None:
    """Answer ``mfa complexity PRESET``.

    Raises:
        InputError: no such preset, or a number of identities below 1.
    """
    options = tyro.cli(
        Options, args=argv, prog="mfa complexity", config=(tyro.conf.FlagCreatePairsOff,)
    )
    config = presets.get(options.preset)
    if options.variant:
        config = presets.variant(config, options.variant)
    from mfa.models.complexity import complexity

    found = complexity(config, options.identities)
    if options.json:
        print(json.dumps(dataclasses.asdict(found)))
        return
    size = f"{config.data.height}x{config.data.width}"
    print(f"parameters        {found.parameters:>14,}  without classifiers and centers")
    print(
        f"parameters_train  {found.parameters_train:>14,}  with classifiers of {options.identities}"
    )
    print(f"macs              {found.macs:>14,}  multiply-adds for one picture of {size}")
    print(f"descriptor_dim    {found.descriptor_dim:>14,}  numbers describe one picture")
