"""``mfa data``: put datasets in place, make the synthetic ones, examine any of them."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import tyro

from mfa.cli.options import DataRoot, Json, Seed, Within, command, print_json, say
from mfa.datasets.readers.find import get_layout
from mfa.datasets.readers.listing import quoted
from mfa.datasets.readers.load import data_root as find_root
from mfa.errors import InputError
from mfa.progress import answer
from mfa.synthetic.config import SyntheticConfig


def prepare(name: str, /, archive: Path, data_root: DataRoot = None, json: Json = False) -> None:
    """Unpack a dataset's archive into its place and compare with the published counts.

    What is already there stays; entries that would leave the folder, and bombs, are refused. Ends
    with status 1 where entries of the archive are damaged.

    Args:
        name: The dataset, e.g. market1501.
        archive: The zip or tar file its owners gave you.
    """
    from mfa.datasets.prepare.archive import unpack
    from mfa.datasets.readers.counts import summarise_all
    from mfa.datasets.readers.load import refuse_if_not_whole

    layout = get_layout(name)
    done = unpack(archive, layout, find_root(data_root))
    say(
        f"{layout.title} in {done.folder}: {done.written:,} files written, {done.kept:,} already "
        f"there, {done.ignored:,} ignored (system litter, or beside the dataset)"
    )
    for entry, why in done.damaged[:5]:
        say(f"damaged in the archive and left out: {entry} ({why})")
    listing = layout.read(done.folder)
    summaries = summarise_all(layout, listing)
    refuse_if_not_whole(layout, done.folder, listing, summaries)
    if json:
        lists = {s.split: {**asdict(s), "as_published": s.as_published} for s in summaries}
        print_json(
            {
                "name": name,
                "folder": str(done.folder),
                "written": done.written,
                "kept": done.kept,
                "ignored": done.ignored,
                "damaged": [list(item) for item in done.damaged],
                "splits": lists,
                "notes": list(listing.sentences()),
            },
            indent=2,
        )
    else:
        answer(*(s.line() for s in summaries), *listing.sentences())
    if done.damaged:
        say(f"{len(done.damaged):,} entries are damaged: get the archive again, and repeat this")
        sys.exit(1)


def make(
    name: str,
    /,
    config: tyro.conf.OmitArgPrefixes[SyntheticConfig],
    data_root: DataRoot = None,
) -> None:
    """Draw a synthetic set: no licence to sign, nobody's privacy to keep.

    Args:
        name: synthetic (Market-1501's layout) or synthetic_partial (Partial-REID's).
        config: How many pictures of whom, how large and how hard.
    """
    from mfa import synthetic

    writers = {"synthetic": synthetic.write, "synthetic_partial": synthetic.write_partial}
    if name not in writers:
        raise InputError(f"{name!r} cannot be made", f"name {' or '.join(writers)}")
    folder = writers[name](find_root(data_root), config)
    answer(f"made {name} in {folder}")


def doctor(
    target: str, /, data_root: DataRoot = None, names_only: bool = False, json: Json = False
) -> None:
    """Say what a dataset's folder holds, what is wrong with it, and what to do.

    Ends with status 1 where something must be mended.

    Args:
        target: A dataset's name, or any folder.
        names_only: Do not read the pictures; broken and doubled ones stay unknown.
    """
    from mfa.datasets.doctor import examine

    report = examine(target, data_root, decode=not names_only)
    if json:
        print_json(report.to_dict(), indent=2)
    else:
        answer(*report.text().split("\n"))
    if not report.clean:
        sys.exit(1)


def folder(
    directory: Path,
    /,
    pattern: str = "",
    table: Path | None = None,
    columns: tuple[str, ...] = (),
    split: tuple[str, ...] = (),
    cameras: tuple[str, ...] = (),
    distractors: tuple[str, ...] = (),
    junk: tuple[str, ...] = (),
    test_ids: Path | None = None,
    preview: bool = False,
    test: float = 0.5,
    seed: Seed = 0,
) -> None:
    """Write dataset.csv for pictures of your own, from their names; then use --data folder.

    Folders with the usual names of lists (query, image_train, bbox_test, ...) stay whole. Without
    such folders people are divided. docs/data.md has the command for twenty public sets.

    Args:
        directory: Where the pictures are, at any depth.
        pattern: market, folders, cameras-in-folders, prefix, unlabelled (people nobody knows, in
            folders called query and gallery), or a regular expression for the path
            with the groups pid and, if there are any, camid, split, and group (equal pid of
            different group are different people).
        table: A CSV file to read the labels from, instead of a pattern.
        columns: What the table calls path, pid, camid and split, e.g. pid=identity.
        split: What folders mean, e.g. image_test=gallery seq/a,seq/b=train .=divide; one of train,
            query, gallery, test (divided into queries and gallery), divide, none.
        cameras: Cameras that belong together, e.g. 1,2=A 3,4=B.
        distractors: Labels of pictures of nobody in the query list, e.g. 0000.
        junk: Labels of pictures that are never counted.
        test_ids: A text file with the labels of the people to test on; all others are trained on.
        preview: Show what the names were read as, and write nothing.
        test: Share of the people to test on, where people are divided.
        seed: Of that division.
    """
    from mfa.datasets.prepare.custom_table import (
        Mapped,
        assignments,
        parse_table,
        parse_tree,
        preview_lines,
        read_ids,
    )
    from mfa.datasets.prepare.division import with_splits
    from mfa.datasets.readers.custom import TABLE, write_table

    if bool(pattern) == (table is not None):
        raise InputError(
            "labels are read from names or from a table", "give either --pattern or --table"
        )
    mapped = Mapped(
        assignments(split, "--split"),
        assignments(cameras, "--cameras"),
        distractors,
        junk,
        frozenset() if test_ids is None else read_ids(_found(test_ids, directory)),
    )
    if table is None:
        parsed = parse_tree(directory, pattern, mapped)
    else:
        parsed = parse_table(directory, table, assignments(columns, "--columns"), mapped)
    rows = parsed.rows
    try:
        rows = with_splits(rows, test=test, seed=seed)
    finally:  # the preview explains best why a division fails
        answer(*preview_lines(rows, parsed.unfit, parsed.notes))
    if preview:
        return
    own = directory / TABLE
    if table is not None and own.is_file() and own.samefile(_found(table, directory)):
        kept = directory / "dataset-undivided.csv"
        if kept.exists():
            raise InputError(f"{kept} exists already", "rename it, so that no table is lost")
        own.rename(kept)
        say(f"the table as it was is kept as {kept}")
    file, place = write_table(directory, rows), quoted(directory)
    answer(f"wrote {file}; use --data folder --data-root {place}")


def _found(file: Path, directory: Path) -> Path:
    return file if file.is_file() else directory / file


def views(
    name: str,
    /,
    copies: Annotated[int, Within(1, 100)] = 3,
    seed: Seed = 0,
    out: Path | None = None,
    data_root: DataRoot = None,
) -> None:
    """Write a folder with further views of a dataset's training pictures, to distil from.

    Then: mfa train cpu --teacher MODEL --data folder --data-root OUT.

    Args:
        name: The dataset.
        copies: Views of each picture, recoloured, framed otherwise, every other one with the lower
            part of another person; 5 kB each at 128x64.
        seed: Of everything drawn.
        out: The new folder (default: NAME-views beside the dataset).
    """
    from mfa.datasets import load_dataset
    from mfa.datasets.prepare.further_views import write_views

    data = load_dataset(name, find_root(data_root))
    folder = out or data.root.parent / f"{name}-views"
    write_views(data, folder, copies=copies, seed=seed)
    answer(f"wrote {folder}; use --data folder --data-root {quoted(folder)}")


def masks(
    name: str,
    /,
    splits: tuple[Literal["train", "query", "gallery"], ...] = ("query",),
    model: Path | None = None,
    data_root: DataRoot = None,
    json: Json = False,
) -> None:
    """Find the person and the body regions in every picture, for measuring attention.

    A second call computes what is missing. Masks lie in the cache. An untrusted mask is kept, but
    nothing is measured with it.

    Args:
        name: The dataset, e.g. market1501.
        splits: Lists to mask.
        model: The mask model (default: the one that comes along).
    """
    from mfa.datasets import load_dataset
    from mfa.progress import reporting
    from mfa.segmentation import MODEL, read_masks, write_masks

    data = load_dataset(name, find_root(data_root))
    with reporting(True, f"masks of {name}") as report:
        write_masks(data, splits, model=model or MODEL, progress=report)
    found = {split: read_masks(data, split).trusted for split in splits}
    counts = {s: {"pictures": len(v), "trusted": int(v.sum())} for s, v in found.items()}
    if json:
        print_json({"name": name, "splits": counts}, indent=2)
        return
    for split, count in counts.items():
        answer(f"{split}: {count['trusted']:,} of {count['pictures']:,} masks are trusted")


main = command(
    "mfa data",
    {
        "prepare": prepare,
        "make": make,
        "doctor": doctor,
        "folder": folder,
        "masks": masks,
        "views": views,
    },
    "Put datasets in place, make the synthetic ones, examine any of them.",
)
