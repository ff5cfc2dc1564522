"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mfa.cli.options import Computing

if TYPE_CHECKING:
    from mfa.runs.run import Run


__all__ = ["Computing", "named"]


def named(runs: Iterable[Run]) -> dict[str, Run]:
    """Runs by name; runs of two folders may be called alike and stay apart."""
    from mfa.cli.models import free

    found: dict[str, Run] = {}
    for run in runs:
        found[free(run.name, found)] = run
    return found
