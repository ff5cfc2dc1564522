"""The folder that a training writes, held against other trainings."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Self

import pandas as pd
from filelock import FileLock, Timeout

from mfa.config import Config, to_dict
from mfa.errors import InputError
from mfa.files import write_atomically
from mfa.progress import remark
from mfa.records import EpochRecord
from mfa.runs.checkpoint import CHECKPOINT, Checkpoint, load_checkpoint, save_checkpoint
from mfa.runs.history import HISTORY, history_row, read_history
from mfa.runs.stored_config import to_json

CONFIG = "config.json"


class RunFolder:
    """What training writes: checkpoint, configuration, history.

    From ``begin`` to the end of its ``with`` block, no other process trains in the folder. A second
    training of the same process takes the folder over, because a notebook may keep an interrupted
    one alive; the first then ends with an error.
    """

    _held: ClassVar[dict[Path, RunFolder]] = {}
    _guard: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: FileLock | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._release()

    def begin(self, config: Config, *, resume: bool) -> Checkpoint | None:
        """Make or enter the folder; return the checkpoint to go on from, if there is one.

        What killed trainings left behind is removed, with lines of history that have no checkpoint.
        """
        self._acquire()
        for name in (CHECKPOINT, HISTORY, CONFIG):
            for left in self.path.glob(f".{Path(name).stem}.*"):
                left.unlink(missing_ok=True)
        if not (self.path / CHECKPOINT).is_file():
            write_atomically(self.path / CONFIG, to_json(config, indent=2) + "\n")
            (self.path / HISTORY).unlink(missing_ok=True)
            return None
        if not resume:
            raise InputError(
                f"{self.path} already holds a run",
                "go on with --resume (resume=True), choose another name, or delete the folder",
            )
        checkpoint = load_checkpoint(self.path / CHECKPOINT)
        # The name is what tables call it, not a setting of the training.
        same_name = replace(checkpoint.config, name=config.name)
        difference = _difference(to_dict(same_name), to_dict(config))
        if difference:
            raise InputError(
                f"{self.path} was trained with another configuration ({difference})",
                "resume with the same one, or choose another name",
            )
        history = self.history()
        history = history[history["epoch"] <= checkpoint.epoch]
        if len(history) < checkpoint.epoch:
            remark(
                f"{self.path / HISTORY} has lost {checkpoint.epoch - len(history)} epochs; the "
                "training goes on from the checkpoint without their lines"
            )
        self._write_history(history)
        return checkpoint

    def save(self, checkpoint: Checkpoint, record: EpochRecord) -> None:
        """Add an epoch: its line of history, then the checkpoint that makes it count.

        Raises:
            InputError: the folder cannot be written; the last checkpoint stays.
        """
        if self._lock is None:
            raise InputError(
                f"another training of this process took {self.path} over",
                "go on with that one, or choose another folder",
            )
        row = pd.DataFrame([history_row(record)])
        past = self.history()
        self._write_history(pd.concat([past, row], ignore_index=True) if len(past) else row)
        save_checkpoint(checkpoint, self.path / CHECKPOINT)

    def history(self) -> pd.DataFrame:
        """One row per epoch that was saved; see ``mfa.runs.history``."""
        if (self.path / HISTORY).is_file():
            return read_history(self.path)
        return pd.DataFrame({"epoch": []})

    def _write_history(self, table: pd.DataFrame) -> None:
        write_atomically(self.path / HISTORY, table.to_csv(index=False))

    def _acquire(self) -> None:
        place = self.path.resolve()
        lock = FileLock(self.path / ".lock", timeout=0, thread_local=False)
        with self._guard:
            if (other := self._held.get(place)) is not None:
                other._release()
            try:
                self.path.mkdir(parents=True, exist_ok=True)
                lock.acquire()
            except Timeout as error:
                raise InputError(
                    f"another process trains in {self.path}",
                    "wait until it ends, or choose another name (--run)",
                ) from error
            except OSError as error:
                raise InputError(
                    f"the run cannot be written to {self.path} ({error.strerror})",
                    "name a folder that you may write to (--run), or free the disk",
                ) from error
            self._lock, self._held[place] = lock, self

    def _release(self) -> None:
        if self._lock is None:
            return
        self._held.pop(self.path.resolve(), None)
        Path(self._lock.lock_file).unlink(missing_ok=True)  # waiting processes notice and lock anew
        self._lock.release()
        self._lock = None


def _difference(old: dict[str, object], new: dict[str, object], prefix: str = "") -> str:
    """The first field that differs, in words; empty when none does."""
    for key, value in new.items():
        other = old.get(key)
        if isinstance(value, dict) and isinstance(other, dict):
            inner = _difference(other, value, f"{prefix}{key}.")
            if inner:
                return inner
        elif value != other:
            return f"{prefix}{key} was {other!r}, now {value!r}"
    return ""
