"""Feature files: features with identities, cameras and names.

A file holds named groups. Group ``whole`` is the arrays ``whole`` (N, D), ``whole_pid`` (N,) and,
where known, ``whole_camid`` (N,), ``whole_name`` (N,) and ``whole_position`` (N,), the place of
each picture in its dataset's list. A file with the groups ``query`` and ``gallery`` needs no
choosing. A scalar text array ``origin`` (JSON) states what made the features; ``branch_name`` and
``branch_width`` name the descriptor's parts.

``.npz`` files are written. ``.mat`` and ``.pt`` files of other projects are read too, also under
the names that their scripts use, see ``mfa.retrieval.array_files``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from mfa.errors import InputError
from mfa.files import atomic, parse_json
from mfa.records import DISTRACTOR, NO_CAMERA, Features, FeatureSet
from mfa.retrieval.array_files import Arrays
from mfa.retrieval.npz import as_text

MAX_ORIGIN = 2**20
"""Letters of the array ``origin``, at most."""

SUFFIXES = (".npz", ".mat", ".pt", ".pth")
"""Endings of feature files."""

NO_NAMES: Mapping[str, str] = MappingProxyType({})


def read(
    path: Path | str,
    *,
    query: str = "query",
    gallery: str = "gallery",
    names: Mapping[str, str] = NO_NAMES,
) -> Features:
    """Read two groups of a ``.npz``, ``.mat`` or ``.pt`` file.

    Args:
        path: the feature file.
        query: name of the group of queries.
        gallery: name of the group that is ranked.
        names: our name of an array (``query``, ``query_pid``, ...) to the file's, where it is none
            that is known.
    """
    arrays = Arrays(Path(path), names)
    where = str(path)
    return Features(
        query=_group(arrays, query, where),
        gallery=_group(arrays, gallery, where),
        branches=_branches(arrays, where),
        origin=_origin(arrays, where),
    )


def read_group(
    path: Path | str, name: str, *, labels: bool = True, names: Mapping[str, str] = NO_NAMES
) -> FeatureSet:
    """Read one group of a feature file; ``names`` and what is raised as for ``read``.

    Without ``labels`` the group need not say who its pictures show; where it does not, they are all
    distractors.
    """
    return _group(Arrays(Path(path), names), name, str(path), labels=labels)


def write(path: Path | str, features: Features) -> None:
    """Write both sides as the groups ``query`` and ``gallery``; the file is whole or absent."""
    path = Path(path)
    arrays: dict[str, Any] = {"origin": json.dumps(features.origin)}
    for name, side in (("query", features.query), ("gallery", features.gallery)):
        arrays |= {
            name: side.features,
            f"{name}_pid": side.pids,
            f"{name}_camid": side.camids,
            f"{name}_name": np.asarray(side.names).astype(str),
        }
        if side.positions is not None:
            arrays[f"{name}_position"] = side.positions
    if features.branches:
        arrays["branch_name"] = np.array([name for name, _ in features.branches])
        arrays["branch_width"] = np.array([width for _, width in features.branches])
    with atomic(path) as draft, draft.open("wb") as file:
        np.savez(file, **arrays)


def _group(arrays: Arrays, name: str, where: str, *, labels: bool = True) -> FeatureSet:
    if name not in arrays or (labels and f"{name}_pid" not in arrays):
        groups = [key for key in arrays if f"{key}_pid" in arrays]
        absent = name if name not in arrays else f"{name}_pid"
        listed = ", ".join(groups) or f"none; its arrays: {', '.join(arrays)}"
        raise InputError(
            f"{where} has no array {absent!r}; groups in it (an array with its _pid): {listed}",
            "choose two with --query and --gallery, or say what the arrays are called: --arrays "
            f"{absent}=NAME; a gallery without labels can be ranked, not scored: --ranking "
            "FILE.csv",
        )
    features = arrays[name]
    if features.ndim != 2 or features.dtype.kind not in "fiu" or features.shape[1] == 0:
        raise InputError(
            f"{where}: {name} must be numbers of shape (N, D), D at least 1, got {features.dtype} "
            f"{features.shape}"
        )
    count = len(features)
    columns = {
        "pid": np.full(count, DISTRACTOR),
        "camid": np.full(count, NO_CAMERA),
        "name": np.array([f"{name}[{i}]" for i in range(count)], dtype=str),
    }
    for field in columns:
        columns[field] = column = arrays.get(f"{name}_{field}", columns[field])
        if column.shape != (count,):
            raise InputError(
                f"{where}: {name}_{field} has shape {column.shape}, but there are {count} features"
            )
        read = as_text if field == "name" else _integers
        columns[field] = read(column, f"{where}: {name}_{field}")
    places = arrays.get(f"{name}_position")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinity, refused below
        features = features.astype(np.float32)
    try:
        positions = None if places is None else _integers(places, f"{where}: {name}_position")
        return FeatureSet(features, columns["pid"], columns["camid"], columns["name"], positions)
    except InputError as error:
        raise InputError(str(error).replace("features hold", f"features of {name} hold")) from error


def _integers(values: np.ndarray, where: str) -> np.ndarray:
    if values.dtype.kind not in "iuf":
        raise InputError(f"{where} must be whole numbers, got {values.dtype} such as {values[:1]}")
    whole = values <= np.iinfo(np.int64).max
    if values.dtype.kind == "f":
        whole = (values == np.floor(values)) & (
            np.abs(values) < 2.0**53
        )  # beyond, floats have gaps
    if not whole.all():
        row = int(np.argmin(whole))
        raise InputError(
            f"{where} must be whole numbers that 64 bits hold, got {values[row]} in row {row}; "
            "number people and cameras, -1 where a camera is unknown"
        )
    return values.astype(np.int64)


def _branches(arrays: Arrays, where: str) -> tuple[tuple[str, int], ...]:
    if "branch_name" not in arrays:
        return ()
    if "branch_width" not in arrays:
        raise InputError(f"{where} has branch_name but no branch_width; write both or neither")
    names = np.atleast_1d(arrays["branch_name"])
    widths = np.atleast_1d(_integers(arrays["branch_width"], f"{where}: branch_width"))
    if names.shape != widths.shape or names.ndim != 1 or np.any(widths < 1):
        raise InputError(
            f"{where} has {names.size} branch names and the branch widths {widths.tolist()}; give "
            "each branch its number of columns, 1 or more"
        )
    texts = as_text(names, f"{where}: branch_name")
    return tuple(zip(texts.tolist(), widths.tolist(), strict=True))


def _origin(arrays: Arrays, where: str) -> dict[str, object]:
    if "origin" not in arrays:
        return {"features": Path(where).name}
    text = str(as_text(arrays["origin"], f"{where}: origin"))
    if len(text) > MAX_ORIGIN:
        raise InputError(
            f"{where}: array 'origin' has {len(text):,} letters",
            f"write at most {MAX_ORIGIN:,}",
        )
    try:
        origin = parse_json(text)
    except ValueError as error:
        raise InputError(f"{where}: array 'origin' is not JSON ({error})") from error
    if not isinstance(origin, dict):
        raise InputError(f"{where}: array 'origin' is JSON, but no object of names and values")
    return {"features": Path(where).name, **origin}
