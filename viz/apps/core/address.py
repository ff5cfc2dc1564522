"""The state of an app in the address of the page, and back."""

from __future__ import annotations

import dataclasses
import json
import math
import typing
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any
from urllib.parse import urlencode

from mfa.errors import InputError
from mfa.files import parse_json

LONGEST = 2000
"""Letters of a value; what is longer (many strokes of a brush) stays out of the address."""


def to_query(app: str, state: Any) -> str:
    """``app=ranks&query=3``: the app and the fields that differ from their defaults."""
    given = {name: text for name, text in to_text(state).items() if len(text) <= LONGEST}
    return urlencode(({"app": app} if app else {}) | given)


def left_out(state: Any) -> list[str]:
    """Fields that an address does not hold: they are too long, or a picture of the visitor's."""
    if state is None:
        return []
    long = [name for name, text in to_text(state).items() if len(text) > LONGEST]
    fields = [each for each in dataclasses.fields(state) if each.metadata.get("local")]
    return [*long, *(each.name for each in fields if getattr(state, each.name) != _default(each))]


def to_text(state: Any) -> dict[str, str]:
    """The fields of a state that differ from their defaults, as ``from_query`` reads them.

    A picture of the visitor's is left out, and so is what the page gives, such as a run's folder.
    """
    found = {}
    for field in dataclasses.fields(state) if state is not None else ():
        value = getattr(state, field.name)
        if not _kept_out(field) and value != _default(field):
            words = isinstance(value, str)
            found[field.name] = value if words else json.dumps(value, default=dataclasses.astuple)
    return found


def _kept_out(field: dataclasses.Field[Any]) -> bool:
    """Whether a field is the visitor's own (``local``) or given by the page (``given``)."""
    return bool(field.metadata.get("local") or field.metadata.get("given"))


def from_query(kind: type, given: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a state class that an address names.

    Args:
        kind: the class of the state.
        given: parameters of the address; others than the fields are passed over.
    """
    types, found = typing.get_type_hints(kind), {}
    for field in dataclasses.fields(kind):
        if field.name not in given or _kept_out(field):
            continue
        text = given[field.name]
        try:
            wanted = types[field.name]
            found[field.name] = text if wanted is str else _as(wanted, parse_json(text))
        except (ValueError, TypeError, OverflowError) as error:
            raise InputError(
                f"the address says {field.name}={text[:40]!r}, which is no {field.name}",
                "take that part off the address",
            ) from error
    return found


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _as(kind: Any, value: Any) -> Any:
    """``value`` as JSON gives it, as a value of ``kind``; raises ``TypeError`` where it is none."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, UnionType):
        if value is None and NoneType in arguments:
            return None
        return _as(next(one for one in arguments if one is not NoneType), value)
    if origin is tuple:
        if not isinstance(value, list):
            raise TypeError(kind)
        kinds = arguments[:1] * len(value) if arguments[-1] is ... else arguments
        return tuple(_as(one, item) for one, item in zip(kinds, value, strict=True))
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind).values()
        return kind(*(_as(one, item) for one, item in zip(hints, value, strict=True)))
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise ValueError(value)
        return float(value)
    if type(value) is not kind:
        raise TypeError(kind)
    return value
