"""Named arrays of a feature file in one of three common formats: ``.npz``, ``.mat``, ``.pt``.

Sizes are checked before memory is taken, and no code in a file is run.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

import numpy as np

from mfa.errors import InputError, reason
from mfa.retrieval.npz import MAX_RATIO, SMALL, ArraysOfFile, Npz

FIELDS = ("_pid", "_camid", "_name", "_position")
"""What stands behind a group's name in the names of its further arrays."""

_PLAIN = (
    *("double", "single", "logical", "char"),
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
)
"""MATLAB's kinds of arrays that hold numbers or text."""

_COMPRESSED = 15
"""Type of a packed element of a ``.mat`` file."""


class Arrays(ArraysOfFile):
    """The arrays of a feature file by our names.

    An array is looked for under the name that ``names`` gives it, under our own, and under those
    that the test scripts of layumi (``query_f``, ``query_label``, ``query_cam``) and torchreid
    (``qf``, ``q_pids``, ``q_camids``) write.

    Args:
        path: a ``.npz`` file, a ``.mat`` file of version 5, or a ``.pt`` file of ``torch.save``.
        names: our name of an array to the file's.

    Raises:
        InputError: the file is missing or damaged, or ``names`` has an array that is not in it.
            Asking for an array raises it where that array cannot be read.
    """

    def __init__(self, path: Path, names: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(path)
        readers = {".mat": _Mat, ".pt": _saved_tensors, ".pth": _saved_tensors}
        self.members = readers.get(path.suffix.lower(), Npz)(path)
        self._names = names
        for name, theirs in names.items():
            if theirs not in self.members:
                raise InputError(
                    f"{path} has no array {theirs!r} for {name}; it has {', '.join(self.members)}"
                )

    def __getitem__(self, name: str) -> np.ndarray:
        found = self._found(name)
        if found is None:
            raise KeyError(name)
        values = np.asarray(self.members[found])
        if isinstance(self.members, _Mat) and name.endswith(FIELDS):
            return values.reshape(-1)  # MATLAB has no lists, only matrices of one row
        return values

    def __contains__(self, name: object) -> bool:
        return self._found(str(name)) is not None

    def _found(self, name: str) -> str | None:
        return next((other for other in self._spellings(name) if other in self.members), None)

    def _spellings(self, name: str) -> Iterator[str]:
        if name in self._names:
            yield self._names[name]
        yield name
        field = next((field for field in FIELDS if name.endswith(field)), "")
        group = name.removesuffix(field)
        layumi = {"": "_f", "_pid": "_label", "_camid": "_cam"}
        torchreid = {"": "f", "_pid": "_pids", "_camid": "_camids"}
        if field in layumi:
            yield group + layumi[field]
            if group in ("query", "gallery"):
                yield group[0] + torchreid[field]


class _Mat(ArraysOfFile):
    """The arrays of a ``.mat`` file."""

    def __init__(self, path: Path) -> None:
        from scipy.io import whosmat
        from scipy.io.matlab import matfile_version

        super().__init__(path)
        try:
            version, _ = matfile_version(str(path))
            if version != 1:
                raise InputError(
                    f"{path} is a .mat file of another version than 5",
                    "save it with the option -v7",
                )
            with path.open("rb") as file:
                _refuse_bomb(file, path)
            self.members = {name: kind for name, _, kind in whosmat(str(path))}
        except InputError:
            raise
        except Exception as error:  # scipy meets damage with many kinds
            raise _damaged(path, error) from error

    def __getitem__(self, name: str) -> np.ndarray:
        from scipy.io import loadmat

        kind = self.members[name]
        if kind not in _PLAIN:
            raise InputError(
                f"array {name!r} of {self.path} holds {kind}", "save arrays of numbers and text"
            )
        try:
            found = np.asarray(loadmat(str(self.path), variable_names=[name])[name])
        except Exception as error:  # as above
            raise _damaged(self.path, error) from error
        return np.char.rstrip(found) if found.dtype.kind == "U" else found


def _refuse_bomb(file: BinaryIO, path: Path) -> None:
    """Unpack the elements of a ``.mat`` file piece by piece, keep nothing, and count."""
    size = path.stat().st_size
    most, total = max(SMALL, MAX_RATIO * size), 0
    order = "<" if file.read(128)[126:] == b"IM" else ">"
    while len(tag := file.read(8)) == 8:
        kind, length = struct.unpack(f"{order}II", tag)
        end = file.tell() + length
        if end > size:
            raise InputError(f"{path} is cut short", "copy or make it again")
        unpacking = zlib.decompressobj()
        while kind == _COMPRESSED and file.tell() < end and not unpacking.eof:
            packed = file.read(min(2**14, end - file.tell()))
            while packed:
                total += len(unpacking.decompress(packed, 2**20))
                packed = unpacking.unconsumed_tail
                if total > most:
                    raise InputError(
                        f"{path} unpacks to more than {most:,} bytes from {size:,}",
                        "no features are packed so well; make the file again",
                    )
        file.seek(end)


def _saved_tensors(path: Path) -> Mapping[str, np.ndarray]:
    """The arrays of a dictionary that ``torch.save`` wrote."""
    import torch

    from mfa.models.tensor_files import load_safely

    content = load_safely(path)
    if not isinstance(content, dict):
        raise InputError(
            f"{path} holds {type(content).__name__}", "save a dictionary of arrays by torch.save"
        )
    arrays = {}
    for name, value in content.items():
        try:
            if isinstance(value, torch.Tensor):
                value = value.detach().float() if value.is_floating_point() else value.detach()
            found = np.asarray(value)
        except Exception as error:  # quantised, sparse, ragged ...
            raise _damaged(path, error) from error
        if found.dtype.kind in "biufUS":
            arrays[str(name)] = found
    return arrays


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"{path} cannot be read ({reason(error)})", "copy or make it again")
