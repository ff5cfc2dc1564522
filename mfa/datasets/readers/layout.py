"""What a dataset looks like on disk, and finding the folder that looks so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from mfa.datasets.readers.listing import Listing, Parse, children
from mfa.datasets.readers.places import is_broken_link, is_file, is_folder, quoted
from mfa.errors import InputError


@dataclass(frozen=True)
class Layout:
    """One dataset's published layout and its reader.

    Attributes:
        name: the name users type.
        title: the name papers use.
        folders: usual names of its folder below the data root; compared without case.
        needs: alternatives, each the relative paths that must all be there, files where they have
            a suffix and folders where not; one alternative for a dataset published in one version.
        tree: the expected tree, drawn, one line an entry.
        example: a right file name.
        advice: where it comes from and how to put it in place.
        parse: file name to (pid, camid); ``None`` for a name of something else.
        read: lists the pictures of a folder that has the layout.
        splits: the lists that may not be empty; none where a dataset may be to train on alone, or
            to score alone.
        counts: name under which its counts are published; empty where there are none.
        telling: whether a file's name alone tells the dataset; ``1.jpg`` does not.
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
    telling: bool = True

    def fits(self, folder: Path) -> bool:
        """Whether ``folder`` holds everything one version of the layout needs."""
        return any(all(_has(folder, part) for part in parts) for parts in self.needs)

    def lists_files(self) -> bool:
        """Whether some version of the layout has a file that lists its pictures."""
        return any(Path(part).suffix for parts in self.needs for part in parts)

    def missing(self, folder: Path) -> tuple[str, ...]:
        """What ``folder`` lacks of the version it comes closest to."""
        return min(self._lacks(folder), key=lambda lack: lack[0])[1]

    def distance(self, folder: Path) -> float:
        """Share of what the closest version needs that ``folder`` lacks; 1 where all is missing."""
        return min(share for share, _ in self._lacks(folder))

    def _lacks(self, folder: Path) -> list[tuple[float, tuple[str, ...]]]:
        lacks = (tuple(p for p in parts if not _has(folder, p)) for parts in self.needs)
        sizes = map(len, self.needs)
        return [(len(lack) / size, lack) for lack, size in zip(lacks, sizes, strict=True)]


def find_folder(layout: Layout, root: Path) -> Path:
    """The dataset's folder: below ``root`` by one of its usual names, or ``root`` itself.

    Raises:
        InputError: it is not there, or lacks a part; says what was expected, what was found and
            what to do.
    """
    if not is_folder(root):
        raise InputError(
            f"no {layout.title}: the data root {root.absolute()} is not a folder that can be "
            f"opened; {layout.advice}; or name another root by --data-root or the variable MFA_DATA"
        )
    children(root)  # raises where it may not be listed
    named = children_called(root, layout.folders)
    # deep-person-reid's documentation nests: market1501/Market-1501-v15.09.15.
    nested = [inner for folder in named for inner in children_called(folder, layout.folders)]
    for folder in (*named, *nested, root):
        if layout.fits(folder):
            return folder
    if named:
        raise InputError(incomplete(layout, named[0]))
    whole = whole_of(layout, root)
    if whole is not None:
        raise InputError(
            f"{root} is a part of {layout.title}, not the dataset; give --data-root {quoted(whole)}"
        )
    if layout.distance(root) < 1:
        raise InputError(incomplete(layout, root))
    raise InputError(_absent(layout, root))


def nearby(layout: Layout, root: Path) -> Path | None:
    """A folder at most three levels below ``root`` that has the layout, if there is one.

    A synthetic set's folder of masks has it too and is none.
    """
    places = (f for f in folders_below(root, levels=3) if f.name != "masks")
    return next((f for f in places if layout.fits(f)), None)


def whole_of(layout: Layout, part: Path) -> Path | None:
    """The dataset's folder where ``part`` is one of the folders in it, such as its queries."""
    place = part.absolute()
    inside = {path.split("/")[0] for paths in layout.needs for path in paths}
    return place.parent if place.name in inside and layout.fits(place.parent) else None


def folders_below(root: Path, levels: int) -> Iterator[Path]:
    """``root``'s folders, nearest first, never through links, at most 100 a level."""
    level = [root]
    for _ in range(levels):
        level = [child for folder in level for child in _folders(folder)][:100]
        yield from level


def contents(folder: Path, most: int = 6) -> str:
    """The names in ``folder``, shortened, for a sentence.

    Raises:
        InputError: it cannot be listed.
    """
    names = [f"{path.name}/" if is_folder(path) else path.name for path in children(folder)]
    if not names:
        return "nothing"
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def children_called(root: Path, names: tuple[str, ...]) -> list[Path]:
    """Folders directly below ``root`` with one of the names, whatever the case, best name first."""
    wanted = {name.lower(): rank for rank, name in reversed(list(enumerate(names)))}
    found = [path for path in _reachable(root) if path.name.lower() in wanted]
    found = [path for path in found if is_folder(path)]
    return sorted(found, key=lambda path: (wanted[path.name.lower()], path.name))


def incomplete(layout: Layout, folder: Path) -> str:
    """What ``folder`` lacks of the layout, what is there instead, and what to do."""
    try:
        found = contents(folder)
    except InputError as error:
        return str(error)
    return (
        f"{folder} is not a whole {layout.title}: it lacks {lacking(layout, folder)} (found "
        f"{found}); {to_complete(layout, folder)}"
    )


def lacking(layout: Layout, folder: Path) -> str:
    """The parts that ``folder`` lacks, with what stands in their place."""
    return ", ".join(_instead_of(folder, part) for part in layout.missing(folder))


def to_complete(layout: Layout, folder: Path) -> str:
    """What to do with a folder that lacks parts of the layout."""
    inner = nearby(layout, folder)
    if inner is not None:
        return f"the dataset lies deeper, in {inner}: move what is in there up to {folder}"
    if not _reachable(folder):
        return f"it is empty: {layout.advice}"
    return _rename(layout, folder) or f"if it was half copied, copy it again; {layout.advice}"


def _has(folder: Path, part: str) -> bool:
    return (is_file if Path(part).suffix else is_folder)(folder / part)


def _instead_of(folder: Path, part: str) -> str:
    """A part that is not there, with what stands in its place."""
    kinds = {is_folder: "a folder", is_file: "a file", is_broken_link: "a broken link"}
    there = next((words for is_one, words in kinds.items() if is_one(folder / part)), "")
    return f"{part} (there is {there} of that name)" if there else part


def _reachable(folder: Path) -> list[Path]:
    """The children; none where they may not be listed."""
    try:
        return children(folder)
    except InputError:
        return []


def _folders(folder: Path) -> list[Path]:
    return [path for path in _reachable(folder) if is_folder(path) and not path.is_symlink()]


def _rename(layout: Layout, folder: Path) -> str:
    """What to rename or move.

    Parts may lie one level too high, differ by case alone, or one stranger may hold the pictures.
    """
    lacks, inner = layout.missing(folder), _folders(folder)
    deep = [PurePath(part) for part in lacks if "/" in part and _has(folder, PurePath(part).name)]
    if len(deep) == len(lacks):
        names = ", ".join(part.name for part in deep)
        return f"move {names} into {deep[0].parent}, if that is the version they are"
    alike = [(f.name, part) for part in lacks for f in inner if f.name.lower() == part.lower()]
    if len(alike) == len(lacks) and all(name != part for name, part in alike):
        return ", ".join(f"rename {name} to {part}" for name, part in alike)
    known = {part.split("/")[0].lower() for parts in layout.needs for part in parts}
    known |= {word.strip("/") for word in layout.tree.lower().split() if word.endswith("/")}
    strangers = [f for f in inner if f.name.lower() not in known and _pictures_of(layout, f)]
    if len(lacks) != 1 or len(strangers) != 1:
        return ""
    return (
        f"{strangers[0].name} holds pictures named like {layout.title}'s: if they are that list, "
        f"rename it to {lacks[0]}"
    )


def _pictures_of(layout: Layout, folder: Path) -> bool:
    """Whether most of the first entries of ``folder`` have names of the dataset."""
    names = [path.name for path in _reachable(folder)[:50]]
    return sum(layout.parse(name) is not None for name in names) > len(names) / 2


def _absent(layout: Layout, root: Path) -> str:
    elsewhere = nearby(layout, root)
    if elsewhere is not None:
        return (
            f"no {layout.title} under {root} by a usual name ({', '.join(layout.folders)}), but "
            f"{elsewhere} looks like one: rename it to {root / layout.folders[0]}, or give "
            f"--data-root {quoted(elsewhere)}"
        )
    usual = {name.lower() for name in layout.folders}
    taken = [_instead_of(root, path.name) for path in children(root) if path.name.lower() in usual]
    return (
        f"no {layout.title} under {root}: looked for {', '.join(layout.folders)} (found "
        f"{', '.join(taken) or contents(root)}); {layout.advice}"
    )
