"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from mfa.runs.run import Run


@dataclass(frozen=True)
class Computing:
    """Where networks compute, and how."""

    device: str | None = None
    """Where the network computes, such as cpu or cuda:1; by default the GPU if there is one."""
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    """Number format of the forward pass; the 16-bit ones are faster where the hardware has them."""

    def open(self, path: str) -> Run:
        """The run of a folder, or of a name under ``runs/``."""
        from mfa.runs.run import open_run

        return open_run(path, self.device, self.precision)


def named(runs: Iterable[Run]) -> dict[str, Run]:
    """Runs by name; runs of two folders may be called alike and stay apart."""
    from mfa.cli.models import free

    found: dict[str, Run] = {}
    for run in runs:
        found[free(run.name, found)] = run
    return found
