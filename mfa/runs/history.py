"""``history.csv``: what each epoch of a training came to."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pandas as pd

from mfa.errors import InputError
from mfa.records import EpochRecord

HISTORY = "history.csv"


def history_row(record: EpochRecord) -> dict[str, object]:
    """An epoch record as one flat row."""
    return {
        "epoch": record.epoch,
        "lr": record.lr,
        "seconds": round(record.seconds, 3),
        "images_per_second": round(record.images_per_second, 1),
        "feature_norm": record.feature_norm,
        **record.losses,
        **record.separation,
        "warnings": " ".join(record.warnings),
    }


def read_history(path: Path) -> pd.DataFrame:
    """The history of a run folder, one row per epoch; columns as in ``history_row``.

    A file without rows gives an empty table with the column ``epoch``.
    """
    file = path / HISTORY
    try:
        lines = csv.DictReader(file.read_text(encoding="utf-8").splitlines())
        rows = [_figures(row, f"{file}, line {lines.line_num}") for row in lines]
    except FileNotFoundError as error:
        raise InputError(f"{path} holds no {HISTORY}", "name the folder of a training") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise _damaged(f"{file} is no CSV text in UTF-8 ({error})") from error
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror})") from error
    return pd.DataFrame(rows or {"epoch": []}).astype({"epoch": int})


def _figures(row: dict[str, str], where: str) -> dict[str, object]:
    """The figures of one line. Each epoch rewrites the file; float() keeps the last bit."""
    try:
        figures: dict[str, object] = {
            name: text if name == "warnings" else float("nan" if text == "" else text)
            for name, text in row.items()
        }
        epoch = float(row["epoch"])
    except (TypeError, ValueError, KeyError) as error:
        raise _damaged(f"{where} is no line of figures") from error
    if not (math.isfinite(epoch) and epoch == int(epoch) > 0):
        raise _damaged(f"{where}: {row['epoch']} is no epoch")
    return figures


def _damaged(what: str) -> InputError:
    return InputError(what, "take a copy of the file, or delete it; the checkpoint is not touched")
