"""What a dataset looks like on disk, and finding the folder that looks so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mfa.datasets.readers.listing import (
    Listing,
    Parse,
    children,
    is_file,
    is_folder,
    quoted,
)
from mfa.errors import InputError


@dataclass(frozen=True)
class Layout:
    """One dataset's published layout, its reader, and the facts that generic code asks for.

    Attributes:
        name: the name users type.
        title: the name papers use.
        folders: usual names of its folder below the data root; compared without case.
        needs: alternatives, each the relative paths that must all be there, files where they have
            a suffix and folders where not; one alternative for a dataset published in one version.
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
        """Whether ``folder`` holds some of the parts, though not all."""
        return any(_has(folder, part) for parts in self.needs for part in parts)

    def is_called(self, folder: Path) -> bool:
        """Whether ``folder`` has a usual name of the dataset."""
        return folder.absolute().name.lower() in map(str.lower, self.folders)


def find_folder(layout: Layout, root: Path) -> Path:
    """The dataset's folder: below ``root`` by one of its usual names, or ``root`` itself.

    Raises:
        InputError: it is not there, or lacks a part; says what was expected and what was found.
    """
    if not is_folder(root):
        raise InputError(
            f"no {layout.title}: the data root {root.absolute()} is no folder that can be opened",
            f"{layout.advice}; or name another root by --data-root or the variable MFA_DATA",
        )
    children(root)  # raises where it may not be listed
    named = folders_called(root, layout.folders)
    # deep-person-reid's documentation nests: market1501/Market-1501-v15.09.15.
    nested = [inner for folder in named for inner in folders_called(folder, layout.folders)]
    for folder in (*named, *nested, root):
        if layout.fits(folder):
            return folder
    if named or layout.begun_in(root):
        raise incomplete(layout, named[0] if named else root)
    raise InputError(
        f"no {layout.title} under {root}: looked for {', '.join(layout.folders)} (found "
        f"{contents(root)})",
        f"{layout.advice}; where the dataset lies elsewhere, name its own folder by --data-root",
    )


def incomplete(layout: Layout, folder: Path) -> InputError:
    """The error that says what ``folder`` lacks of the layout, and what is there instead."""
    lacks = ", ".join(_instead_of(folder, part) for part in layout.missing(folder))
    try:
        found = contents(folder)
    except InputError as error:
        return error
    return InputError(
        f"{folder} is not a whole {layout.title}: it lacks {lacks} (found {found})",
        f"if it was half copied, copy it again; {layout.advice}; the tree that is expected: mfa "
        f"data doctor {layout.name} --data-root {quoted(folder)}",
    )


def folders_called(root: Path, names: tuple[str, ...]) -> list[Path]:
    """Folders directly below ``root`` with one of the names, whatever the case, best name first."""
    wanted = {name.lower(): rank for rank, name in reversed(list(enumerate(names)))}
    found = [f for f in subfolders(root) if f.name.lower() in wanted]
    return sorted(found, key=lambda path: (wanted[path.name.lower()], path.name))


def subfolders(folder: Path) -> list[Path]:
    """The folders directly in ``folder``; none where it may not be listed."""
    try:
        return [path for path in children(folder) if is_folder(path)]
    except InputError:
        return []


def contents(folder: Path, most: int = 6) -> str:
    """The names in ``folder``, shortened, for a sentence.

    Raises:
        InputError: it cannot be listed.
    """
    names = [f"{path.name}/" if is_folder(path) else path.name for path in children(folder)]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "nothing") + more


def _has(folder: Path, part: str) -> bool:
    return (is_file if Path(part).suffix else is_folder)(folder / part)


def _instead_of(folder: Path, part: str) -> str:
    """A part that is not there, with what stands in its place."""
    path = folder / part
    kinds = {is_folder: "a folder", is_file: "a file", Path.is_symlink: "a broken link"}
    there = next((words for is_one, words in kinds.items() if is_one(path)), "")
    return f"{part} (there is {there} of that name)" if there else part
