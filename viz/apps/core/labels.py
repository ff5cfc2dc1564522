"""Short names of folders, people and cameras, and the page of a list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from mfa.records import DISTRACTOR, JUNK, NO_CAMERA, Sample

ALL = "all"
"""Choice of no camera in particular; a drop-down list shows nothing for ``None``."""


def distinct_names(paths: Sequence[Path], least: int = 1) -> list[str]:
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
    """What an identity is called: ``id 7``, ``junk`` or ``distractor``."""
    return {JUNK: "junk", DISTRACTOR: "distractor"}.get(pid, f"id {pid}")


def cameras(samples: Iterable[Sample]) -> list[tuple[str, int | str]]:
    """Choices of a camera for a drop-down list, ``ALL`` of them first."""
    known = sorted({sample.camid for sample in samples} - {NO_CAMERA})
    return [("all cameras", ALL), *((f"camera {camid}", camid) for camid in known)]


def camera_of(choice: int | str) -> int | None:
    """The camera that a choice of ``cameras`` stands for, ``None`` for all."""
    return None if choice == ALL else int(choice)


def choice_of(camera: int | None) -> int | str:
    """The choice of ``cameras`` that stands for a camera."""
    return ALL if camera is None else camera


def page_of(places: Sequence[int], place: int, size: int) -> Sequence[int]:
    """The page of ``size`` places that holds ``place``; the first one where none does."""
    at = list(places).index(place) if place in places else 0
    start = at // size * size
    return places[start : start + size]
