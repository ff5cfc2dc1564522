"""The published size of each dataset, from the table beside the code, with its source."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).resolve().parents[3] / "data/published/datasets.csv"


@dataclass(frozen=True)
class Count:
    """One row of the table.

    Attributes:
        identities, images, cameras: published numbers; ``None`` where not stated. Junk and
            distractors count as images, not as identities.
        source: where the numbers come from.
        checked: whether somebody read the source or counted; else the row is from memory and no
            dataset is refused because of it.
    """

    identities: int | None
    images: int | None
    cameras: int | None
    source: str
    checked: bool


def published(name: str, setting: str = "") -> dict[str, Count]:
    """Counts of a dataset by split; empty where none are known or the table is not there.

    Args:
        name: as in the table's column ``dataset``.
        setting: as in its column ``setting``; rows without a setting serve every setting.
    """
    if not name or not TABLE.is_file():
        return {}
    with TABLE.open(encoding="utf-8", newline="") as stream:
        return {
            row["split"]: Count(
                _number(row["identities"]),
                _number(row["images"]),
                _number(row["cameras"]),
                row["source"],
                checked=row["confidence"] == "read",
            )
            for row in csv.DictReader(stream)
            if row["dataset"] == name and row["setting"] in ("", setting)
        }


def _number(text: str) -> int | None:
    return int(text) if text else None
