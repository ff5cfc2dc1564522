"""Arrays of an ``.npz`` file of unknown origin, with their sizes checked before memory is taken."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from mfa.errors import InputError, reason

MAX_RATIO = 200
"""A large array that unpacks to more than this many times its packed size is refused: features are
noise to a packer, so only a bomb is packed so well."""

SMALL = 64 * 2**20
"""Bytes below which the ratio does not matter; labels pack well."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class ArraysOfFile(Mapping[str, np.ndarray]):
    """The arrays of a file by name, each read when it is asked for."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise InputError(f"no feature file {path}", "give the path of a .npz, .mat or .pt file")
        self.path = path
        self.members: Mapping[str, Any] = {}

    def __contains__(self, name: object) -> bool:
        return name in self.members  # without reading it

    def __iter__(self) -> Iterator[str]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)


class Npz(ArraysOfFile):
    """The arrays of an ``.npz`` file.

    Raises:
        InputError: the file is missing, or is no ``.npz`` archive. Asking for an array raises it
            where the array cannot be read, is none of numbers or text, or is not as large as it
            declares; what is not asked for is not read.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with path.open("rb") as file:
            if file.read(6) == b"\x93NUMPY":
                raise InputError(
                    f"{path} is one array (.npy)", "a feature file is an .npz archive of several"
                )
        try:
            with zipfile.ZipFile(path) as archive:
                self.members = {
                    member.filename.removesuffix(".npy"): member for member in archive.infolist()
                }
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
            raise InputError(
                f"{path} is not a plain .npz archive ({error})", "copy or make it again"
            ) from error

    def __getitem__(self, name: str) -> np.ndarray:
        member = self.members[name]
        where = f"array {name!r} of {self.path}"
        if member.flag_bits & 0x1:
            raise InputError(f"{where} is encrypted", "save it without a password")
        if member.compress_type not in _METHODS:
            raise InputError(
                f"{where} is packed by method {member.compress_type}, which NumPy does not use",
                "save it by numpy.savez or numpy.savez_compressed",
            )
        packed = min(member.compress_size, self.path.stat().st_size)
        if member.file_size > max(SMALL, MAX_RATIO * packed):
            raise InputError(
                f"{where} unpacks to {member.file_size:,} bytes from {packed:,}",
                "no features are packed so well; make the file again",
            )
        try:
            with zipfile.ZipFile(self.path) as archive:
                with archive.open(member) as stream:
                    self._check_size(stream, member.file_size, where)
                with archive.open(member) as stream:
                    found: np.ndarray = np.lib.format.read_array(stream, allow_pickle=False)
            if found.dtype.kind == "U":
                str(found.astype(object))  # letters that there are not raise here, not later
            return found
        except InputError:
            raise
        except Exception as error:  # zipfile and numpy meet damage with a dozen kinds
            raise InputError(
                f"{where} cannot be read ({reason(error)})", "copy or make the file again"
            ) from error

    @staticmethod
    def _check_size(stream: IO[bytes], size: int, where: str) -> None:
        """Compare what the array's head declares with the bytes that follow it."""
        layout, plain = np.lib.format, "save arrays of numbers and text, not Python objects"
        version = layout.read_magic(stream)
        readers = {(1, 0): layout.read_array_header_1_0, (2, 0): layout.read_array_header_2_0}
        if version not in readers:
            raise InputError(f"{where} is of NumPy's format {version}", plain)
        shape, _, dtype = readers[version](stream)
        if dtype.kind not in "biufUS":
            raise InputError(f"{where} holds {dtype}", plain)
        declared, found = math.prod(shape) * dtype.itemsize, size - stream.tell()
        if declared != found:
            raise InputError(
                f"{where} declares {declared:,} bytes of shape {shape}, but {found:,} follow",
                "make the file again",
            )


def as_text(values: np.ndarray, where: str) -> np.ndarray:
    """Text of an array of text, of bytes in UTF-8, or of numbers."""
    if values.dtype.kind != "S":
        return values.astype(str)
    try:
        return np.char.decode(values, "utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{where} holds bytes that are not UTF-8", "save it as text") from error
