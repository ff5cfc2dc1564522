"""Read the named tensors of a file without running code that may be in it."""

from __future__ import annotations

import pickle
import re
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from mfa.errors import InputError, reason

WRAPPERS = ("state_dict", "model", "net", "model_state_dict")
"""Names under which training programs keep the weights, beside optimiser and epoch."""

AVERAGED = ("ema", "model_ema", "ema_model", "ema_state_dict", "state_dict_ema")
"""Names under which they keep the exponential moving average of the weights (EMA)."""

_CORES = ("core", "_core")
NUMBERS: list[Any] = [
    *((np.float64(0).__reduce__()[0], f"numpy.{core}.multiarray.scalar") for core in _CORES),
    np.dtype,
    *(type(np.dtype(kind)) for kind in ("f2", "f4", "f8", "i4", "i8", "U1")),
    np.ndarray,
    *((np.empty(0).__reduce__()[0], f"numpy.{core}.multiarray._reconstruct") for core in _CORES),
]
"""What a NumPy number or array in a file is made of; torchreid writes one, Rank-1, beside the
weights, and feature files hold labels as arrays."""


_NOTES = ("version", "byteorder", ".format_version", ".storage_alignment", "serialization_id")
_LONGEST_NOTE = 1024


class TensorFile(NamedTuple):
    """What a file of weights holds: tensors by name, and sentences about what else is in it."""

    tensors: dict[str, Tensor]
    notes: tuple[str, ...]


def read_tensors(path: Path) -> TensorFile:
    """The named tensors of ``path``: a safetensors file or one of ``torch.save``.

    Raises:
        InputError: no such file, a web page or a git-LFS pointer in its place, not a file of
            weights, or one that holds Python objects beside them.
    """
    if not path.is_file():
        raise InputError(f"no weights file {path}")
    return _unwrapped(load_safely(path), path)


def load_safely(path: Path) -> Any:
    """The content of a safetensors file or one of ``torch.save``, read without running code."""
    _refuse_stand_ins(path)
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        _refuse_bomb(path)
        with torch.serialization.safe_globals(NUMBERS):
            return torch.load(path, map_location="cpu", weights_only=True)
    except InputError:
        raise
    except Exception as error:  # torch raises many kinds for a damaged file
        found = re.search(r"GLOBAL (\S+)", str(error))
        if isinstance(error, pickle.UnpicklingError) and found:
            raise InputError(
                f"{path} holds a Python object ({found[1]}) and is not loaded, because unpickling "
                "it may run code",
                "in the project it comes from, load it and save its state_dict() alone",
            ) from error
        raise InputError(
            f"{path} is no readable weights file ({reason(error)})", "is it whole, and of PyTorch?"
        ) from error


def _refuse_bomb(path: Path) -> None:
    """torch.save packs nothing, so a file that unpacks to more than its size is not its own.

    Its notes on the format hold a few letters; torch copies a long one several times.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
        for member in members:
            if member.filename.rpartition("/")[2] in _NOTES and member.file_size > _LONGEST_NOTE:
                raise InputError(
                    f"{member.filename} in {path} has {member.file_size:,} bytes, which torch.save "
                    "does not write",
                    "take the file of the project itself",
                )
        size = sum(member.file_size for member in members)
        if size > path.stat().st_size:
            raise InputError(
                f"{path} would unpack to {size:,} bytes, which torch.save does not write",
                "take the file of the project itself",
            )


def _refuse_stand_ins(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(512).lstrip().lower()
    if start.startswith(b"version https://git-lfs"):
        raise InputError(
            f"{path} is a git-LFS pointer, not the weights",
            "run `git lfs pull` in its repository, or download the file itself",
        )
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        raise InputError(
            f"{path} is a web page (HTML), not the weights",
            "open the link in a browser and download the file that the page offers",
        )


def _unwrapped(content: Any, path: Path) -> TensorFile:
    notes: list[str] = []
    for _ in WRAPPERS:  # one may lie within another
        if not isinstance(content, dict):
            break
        inner = [key for key in WRAPPERS if isinstance(content.get(key), dict)]
        averaged = [key for key in AVERAGED if isinstance(content.get(key), dict)]
        if averaged and inner:
            notes.append(f"its averaged weights ({averaged[0]}) are not used")
        elif averaged:
            notes.append(f"only averaged weights ({averaged[0]}) are in the file")
        for key in (*inner, *averaged)[:1]:
            content = content[key]
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no table of named tensors but {type(content).__name__}")
    tensors = {str(k): v for k, v in content.items() if isinstance(v, Tensor)}
    if not tensors:
        raise InputError(f"{path} holds no tensors under names", "save a state_dict()")
    return TensorFile(tensors, tuple(notes))
