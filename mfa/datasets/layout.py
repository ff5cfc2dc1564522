"""What a dataset looks like on disk, and finding the folder that looks so."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mfa.datasets.listing import Listing, Parse, is_litter
from mfa.errors import InputError


@dataclass(frozen=True)
class Layout:
    """One dataset's published layout and its reader.

    Attributes:
        name: the name users type.
        title: the name papers use.
        folders: usual names of its folder below the data root; compared without case.
        needs: alternatives, each the relative paths that must all be there; one alternative for a
            dataset published in one version.
        tree: the expected tree, drawn, one line an entry.
        example: a right file name.
        advice: where it comes from and how to put it in place.
        parse: file name to (pid, camid); ``None`` for a name of something else.
        read: lists the pictures of a folder that has the layout.
        splits: the lists that may not be empty.
        counts: name under which its counts are published; empty where there are none.
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

    def fits(self, folder: Path) -> bool:
        """Whether ``folder`` holds everything one version of the layout needs."""
        return any(all((folder / part).exists() for part in parts) for parts in self.needs)

    def missing(self, folder: Path) -> tuple[str, ...]:
        """What ``folder`` lacks of the version it comes closest to."""
        return min(
            (tuple(p for p in parts if not (folder / p).exists()) for parts in self.needs),
            key=len,
        )


def find_folder(layout: Layout, root: Path) -> Path:
    """The dataset's folder: below ``root`` by one of its usual names, or ``root`` itself.

    Raises:
        InputError: it is not there, or lacks a part; says what was expected, what was found and
            what to do.
    """
    if not root.is_dir():
        raise InputError(
            f"no {layout.title}: the data root {root.absolute()} is not a folder; {layout.advice}; "
            "or name another root by --data-root or the variable MFA_DATA"
        )
    named = children_called(root, layout.folders)
    # deep-person-reid's documentation nests: market1501/Market-1501-v15.09.15.
    nested = [inner for folder in named for inner in children_called(folder, layout.folders)]
    for folder in (*named, *nested, root):
        if layout.fits(folder):
            return folder
    if named:
        raise InputError(_incomplete(layout, named[0]))
    if len(layout.missing(root)) < min(map(len, layout.needs)):
        raise InputError(_incomplete(layout, root))
    raise InputError(_absent(layout, root))


def nearby(layout: Layout, root: Path) -> Path | None:
    """A folder at most two levels below ``root`` that has the layout, if there is one.

    A synthetic set's folder of masks has it too and is none.
    """
    places = (f for f in folders_below(root, levels=2) if f.name != "masks")
    return next((f for f in places if layout.fits(f)), None)


def folders_below(root: Path, levels: int) -> Iterator[Path]:
    """``root``'s folders, nearest first, never through links, at most 100 a level."""
    level = [root]
    for _ in range(levels):
        level = [child for folder in level for child in _folders(folder)][:100]
        yield from level


def contents(folder: Path, most: int = 6) -> str:
    """The names in ``folder``, shortened, for a sentence."""
    try:
        names = sorted(
            f"{path.name}/" if is_folder(path) else path.name
            for path in folder.iterdir()
            if not is_litter(path.name)
        )
    except OSError as error:
        return f"cannot be listed: {error.strerror}"
    if not names:
        return "nothing"
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def is_folder(path: Path) -> bool:
    """``path.is_dir()``, and false for a link that leads back to itself."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(
            path
            for path in folder.iterdir()
            if is_folder(path) and not path.is_symlink() and not is_litter(path.name)
        )
    except OSError:
        return []


def children_called(root: Path, names: tuple[str, ...]) -> list[Path]:
    """Folders directly below ``root`` with one of the names, whatever the case, best name first."""
    if not root.is_dir():
        return []
    wanted = {name.lower(): rank for rank, name in reversed(list(enumerate(names)))}
    children = [path for path in root.iterdir() if path.name.lower() in wanted and is_folder(path)]
    return sorted(children, key=lambda path: (wanted[path.name.lower()], path.name))


def _incomplete(layout: Layout, folder: Path) -> str:
    lacks = ", ".join(layout.missing(folder))
    inner = nearby(layout, folder)
    if inner is not None:
        todo = f"the dataset lies deeper, in {inner}: move what is in there up to {folder}"
    elif contents(folder) == "nothing":
        todo = f"it is empty: {layout.advice}"
    elif renamed := _renamed(layout, folder):
        todo = renamed
    else:
        todo = f"if it was half copied, copy it again; {layout.advice}"
    return (
        f"{folder} is not a whole {layout.title}: it lacks {lacks} (found {contents(folder)}); "
        f"{todo}"
    )


def _renamed(layout: Layout, folder: Path) -> str:
    """What to do where one part is missing and one stranger holds pictures named like it."""
    lacks = layout.missing(folder)
    known = {part.split("/")[0].lower() for parts in layout.needs for part in parts}
    strangers = [
        inner
        for inner in _folders(folder)
        if inner.name.lower() not in known and _pictures_of(layout, inner)
    ]
    if len(lacks) != 1 or len(strangers) != 1:
        return ""
    return (
        f"{strangers[0].name} holds pictures named like {layout.title}'s: if they are that list, "
        f"rename it to {lacks[0]}"
    )


def _pictures_of(layout: Layout, folder: Path) -> bool:
    """Whether most of the first entries of ``folder`` have names of the dataset."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in itertools.islice(entries, 50)]
    return sum(layout.parse(name) is not None for name in names) > len(names) / 2


def _absent(layout: Layout, root: Path) -> str:
    elsewhere = nearby(layout, root)
    if elsewhere is not None:
        return (
            f"no {layout.title} under {root} by a usual name ({', '.join(layout.folders)}), but "
            f"{elsewhere} looks like one: rename it to {root / layout.folders[0]}, or give "
            f"--data-root {elsewhere}"
        )
    return (
        f"no {layout.title} under {root}: looked for {', '.join(layout.folders)} (found "
        f"{contents(root)}); {layout.advice}"
    )
