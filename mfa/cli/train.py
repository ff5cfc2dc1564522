"""``mfa train PRESET --data NAME --run NAME``: any field of the configuration can be overridden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import tyro

from mfa import presets
from mfa.cli import training
from mfa.config import Config


@dataclass(frozen=True, kw_only=True)
class Options(training.Options):
    """Train a preset on a dataset; the run folder holds checkpoint, configuration and history."""

    preset: tyro.conf.Positional[str]
    """Where the configuration starts: paper, guided, anchored, baseline, cpu or demo; a compared
    method such as agw, or one at the budget of a preset such as agw-demo."""
    config: Annotated[Config, tyro.conf.arg(name="")]
    variant: presets.Variant | None = None
    """Run the preset as another variant of the network."""


def main(argv: list[str]) -> None:
    """Parse, train, print one line an epoch."""
    options = parse(argv)
    data, further = training.prepare(options, options.config)
    from mfa.runs.run import open_run
    from mfa.training.fit import fit

    folder = options.folder(f"{options.preset}-{options.variant or 'default'}-{options.data}")
    records = fit(
        options.config,
        data,
        folder,
        resume=options.resume,
        init=open_run(options.init) if options.init else None,
        device=options.device,
    )
    training.report(records, folder, options, further)


def parse(argv: list[str]) -> Options:
    """The options; those of the configuration override the preset and variant on the same line.

    The line is parsed once to learn the two, and again with their configuration as the default.

    Raises:
        InputError: no such preset.
    """
    guess = next((word for word in argv if word in presets.PRESETS), "cpu")
    options = _parse_over(argv, guess, None)
    if (options.preset, options.variant) != (guess, None):
        options = _parse_over(argv, options.preset, options.variant)
    return options


def _parse_over(argv: list[str], preset: str, variant: presets.Variant | None) -> Options:
    config = presets.get(preset)
    if variant is not None:
        config = presets.variant(config, variant)
    default = Options(preset=preset, config=config, variant=variant)
    return tyro.cli(Options, prog="mfa train", args=argv, default=default)
