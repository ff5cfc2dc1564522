"""What a dataset looks like on disk: names, folders, and how it is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mfa.datasets.readers.listing import Listing, Parse, is_file, is_folder
from mfa.records import NO_CAMERA


@dataclass(frozen=True)
class Layout:
    """One dataset's published layout, its reader, and the facts that generic code asks for.

    Attributes:
        name: the name users type.
        title: the name papers use.
        folders: usual names of its folder below the data root, best first; case, ``-`` and ``_``
            make no difference.
        needs: alternatives, each the relative paths that must all be there, files where they have
            a suffix and folders where not; one alternative per published version.
        tree: the expected tree, drawn, one line per entry.
        example: a right file name.
        advice: where it comes from and how to put it in place.
        parse: file name to (pid, camid); ``None`` for a name of something else.
        read: lists the pictures of a folder that has the layout.
        splits: the lists that may not be empty; none where a dataset may be to train on alone, or
            to score alone.
        counts: name under which its counts are published; empty where there are none.
        shared_pids: what it means that training and test lists share identity numbers: an
            ``error``; a ``warning`` where the division is the user's own; ``nothing`` where the
            numbers begin anew in the test lists.
    """

    name: str
    title: str
    folders: tuple[str, ...]
    needs: tuple[tuple[str, ...], ...]
    tree: str
    example: str
    advice: str
    parse: Parse
    read: Callable[[Path], Listing]
    splits: tuple[str, ...] = ("train", "query", "gallery")
    counts: str = ""
    shared_pids: Literal["error", "warning", "nothing"] = "error"

    def fits(self, folder: Path) -> bool:
        """Whether ``folder`` holds everything one version of the layout needs."""
        return not self.missing(folder)

    def missing(self, folder: Path) -> tuple[str, ...]:
        """What ``folder`` lacks of the version it comes closest to."""
        lacks = [tuple(p for p in parts if not _has(folder, p)) for parts in self.needs]
        return min(lacks, key=len)

    def begun_in(self, folder: Path) -> bool:
        """Whether ``folder`` holds some of the parts."""
        return any(_has(folder, part) for parts in self.needs for part in parts)

    def is_called(self, folder: Path) -> bool:
        """Whether ``folder`` has a usual name of the dataset."""
        return self.rank_of(folder.absolute().name) is not None

    def rank_of(self, name: str) -> int | None:
        """The place of a folder's name among the usual ones; ``None`` for another name."""
        usual = [_plain(folder) for folder in self.folders]
        return usual.index(_plain(name)) if _plain(name) in usual else None


def parser(pattern: str, *, lowest: int = 1, add: int = 0) -> Parse:
    """Labels from names that fit ``pattern`` whole, so that no other dataset's name is misread.

    Args:
        pattern: a regular expression with the group ``pid`` and, where names tell it, ``camid``.
        lowest: the lowest identity that fits; a person 0 would become a distractor.
        add: added to the published identity, where it is published from 0.
    """
    compiled = re.compile(pattern, re.IGNORECASE)

    def parse(name: str) -> tuple[int, int] | None:
        match = compiled.fullmatch(name)
        if match is None or (pid := int(match["pid"]) + add) < lowest:
            return None
        return pid, int(match.groupdict().get("camid", NO_CAMERA))

    return parse


def draw_tree(top: str, entries: Mapping[str, str]) -> str:
    """The expected tree: each entry of the folder ``top`` with what is in it."""
    width = max(map(len, entries)) + 3
    lines = [f"├── {name:{width}}{inside}".rstrip() for name, inside in entries.items()]
    return "\n".join([f"{top}/", *lines[:-1], lines[-1].replace("├", "└", 1)])


def _plain(name: str) -> str:
    return re.sub("[-_]", "", name.lower())


def _has(folder: Path, part: str) -> bool:
    return (is_file if Path(part).suffix else is_folder)(folder / part)
