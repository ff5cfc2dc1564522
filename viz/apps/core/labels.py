"""Short names of folders and of people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mfa.records import DISTRACTOR, JUNK


def told_apart(paths: Sequence[Path], least: int = 1) -> list[str]:
    """Folders by their last parts, as many as it takes to tell them apart, and ``least`` or more.

    A folder that is there twice gets numbers.
    """
    most = max(len(path.parts) for path in paths)
    for length in range(min(least, most), most + 1):
        names = ["/".join(path.parts[-length:]) for path in paths]
        if len({*names}) == len(names):
            return names
    return [f"{number}: {path.name}" for number, path in enumerate(paths, start=1)]


def person(pid: int) -> str:
    """What an identity is called: ``id 7``, and what is nobody in particular by its kind."""
    return {JUNK: "junk", DISTRACTOR: "distractor"}.get(pid, f"id {pid}")
