"""Tables as an author wants them: which rows and columns, under which names, with citations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby

from mfa.errors import InputError
from viz.tables import Cell, Table


@dataclass(frozen=True)
class Arrangement:
    """What an author asks of every table. What a table does not have is passed over.

    Attributes:
        rows: names in the first column, kept in this order; empty keeps all.
        columns: headings, kept in this order behind the first column; empty keeps all. Without
            ``source`` among them the numbers of the sources are left out too.
        names: other names for rows, headings and the headings above them.
        cite: citation keys by row name, for LaTeX.
        filled: leave out rows without a number.
    """

    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    cite: Mapping[str, str] = field(default_factory=dict)
    filled: bool = False

    def unknown_to(self, tables: Iterable[Table]) -> list[str]:
        """The names asked for that no table has."""
        known = {"source"}
        for table in tables:
            known |= {*table.columns, *(row[0].text for row in table.rows)}
            known |= {heading for heading, _ in table.groups}
            known |= {name for _, name in _split(table)}
        return [
            name
            for name in (*self.rows, *self.columns, *self.names, *self.cite)
            if name not in known
        ]


def arranged(table: Table, asked: Arrangement) -> Table:
    """The table with the rows, columns and names that were asked for."""
    split = _split(table)
    rows = _rows(table, asked)
    columns = [table.columns.index(name) for name in asked.columns if name in table.columns]
    columns = [0, *(place for place in columns if place)] if columns else list(range(len(split)))
    above, headings = [], {}
    for place in columns:
        group, name = split[place]
        whole = asked.names.get(table.columns[place])
        above.append("" if whole else asked.names.get(group, group))
        headings[place] = whole or f"{above[-1]} {asked.names.get(name, name)}".strip()
    sections = [sum(line <= row for line in table.breaks) for row in rows]
    breaks = [n for n in range(1, len(rows)) if sections[n] != sections[n - 1]]
    cited = not asked.columns or "source" in asked.columns
    return replace(
        table,
        columns=tuple(headings.values()),
        rows=tuple(
            (_first(table.rows[row][0], asked), *(table.rows[row][place] for place in columns[1:]))
            for row in rows
        ),
        breaks=tuple(breaks),
        sources=tuple(table.sources[row] for row in rows) if table.sources and cited else (),
        groups=tuple((name, len(list(run))) for name, run in groupby(above)) if any(above) else (),
        best={
            headings[place]: table.best[table.columns[place]]
            for place in columns
            if table.columns[place] in table.best
        },
    )


def _split(table: Table) -> list[tuple[str, str]]:
    """Of each column the heading above it and its own name."""
    above = [heading for heading, span in table.groups for _ in range(span)]
    above += [""] * (len(table.columns) - len(above))
    return [
        (group, name.removeprefix(group).strip())
        for group, name in zip(above, table.columns, strict=True)
    ]


def _rows(table: Table, asked: Arrangement) -> list[int]:
    names = [row[0].text for row in table.rows]
    rows = [n for wanted in asked.rows for n, name in enumerate(names) if name == wanted]
    rows = rows or list(range(len(names)))
    if asked.filled:
        rows = [n for n in rows if any(cell.is_number for cell in table.rows[n])]
    if not rows:
        raise InputError("no row of the table has a number", "leave out --skip-empty")
    return rows


def _first(cell: Cell, asked: Arrangement) -> Cell:
    return replace(
        cell, text=asked.names.get(cell.text, cell.text), cite=asked.cite.get(cell.text, "")
    )
