"""``mfa complexity``: parameters and operations of a preset."""

from __future__ import annotations

import dataclasses
import shlex
from typing import TYPE_CHECKING, Annotated, Literal

from mfa import presets
from mfa.cli.options import Json, Within, command, print_json
from mfa.progress import answer

if TYPE_CHECKING:
    from mfa.models.training_time import TrainingTime

Card = Literal["t4", "v100", "a100", "l4", "h100", "rtx4090"]
"""Names of ``mfa.models.training_time.GPUS``, which the help tells without PyTorch."""


def complexity(
    preset: str,
    /,
    variant: presets.Variant | None = None,
    identities: Annotated[int, Within(1, 1_000_000)] = 751,
    gpu: Card | None = None,
    json: Json = False,
) -> None:
    """Count the parameters and operations of a preset at its own input size.

    Args:
        preset: One of paper, guided, anchored, baseline, cpu, demo.
        variant: Change the preset's branches, gate and GLA to those of a named variant.
        identities: Classes of each branch's classifier, in parameters_train; 751 are
            Market-1501's.
        gpu: Also say how long a training on Market-1501 takes this card, by operations and the
            maker's peak rates, and which command measures it.
    """
    config = presets.get(preset)
    if variant:
        config = presets.variant(config, variant)
    from mfa.models.complexity import complexity as measure

    found = measure(config, identities)
    time = None
    if gpu:
        from mfa.models.training_time import GPUS, training_time

        time = training_time(config, GPUS[gpu], identities=identities)
    if json:
        training = {"training": dataclasses.asdict(time)} if time else {}
        print_json({**dataclasses.asdict(found), **training})
        return
    size = f"{config.data.height}x{config.data.width}"
    meanings = {
        "parameters": "without classifiers and centers",
        "parameters_train": f"with classifiers of {identities}",
        "macs": f"multiply-adds for one picture of {size}",
        "descriptor_dim": "numbers describe one picture",
    }
    for name, meaning in meanings.items():
        answer(f"{name:17} {getattr(found, name):>14,}  {meaning}")
    if time:
        words = [preset, *(["--variant", variant] if variant else [])]
        answer(*_training(time, config.optim.epochs, words))


def _training(time: TrainingTime, epochs: int, preset: list[str]) -> list[str]:
    """The time of a training in words, and how to measure it."""
    half, single = (n / 1e9 for n in (time.operations_half, time.operations_single))
    line = ["mfa", "train", *preset, "--data", "market1501", "--optim.epochs", "2"]
    line += ["--run", "timing"]
    return [
        "",
        f"training on Market-1501, {epochs} epochs, on one {time.gpu}:",
        f"{half:.1f} billion 16-bit and {single:.1f} billion float32 operations per picture,",
        f"{time.hours_at_peak:.2g} hours at the peak rates, which no training reaches",
        f"({time.source}); {5 * time.hours_at_peak:.2g} hours at a fifth of them.",
        "To measure it on the card:",
        f"  {shlex.join(line)}",
        f"and take the seconds of the second epoch in runs/timing/history.csv times {epochs}.",
    ]


main = command("mfa complexity", complexity)
