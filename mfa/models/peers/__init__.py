"""The compared methods, one file each: ``ModelConfig.network`` is the name of a file here.

A file defines ``PEER``, a ``mfa.models.peers.parts.peer.Peer``; nothing else needs to know of it.
What several methods share lies in ``parts``.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from mfa.errors import InputError

if TYPE_CHECKING:
    from mfa.models.peers.parts.peer import Peer


def names() -> tuple[str, ...]:
    """The methods there are, by the names of their files; none of them is imported."""
    return tuple(sorted(part.name for part in pkgutil.iter_modules(__path__) if not part.ispkg))


def find(name: str) -> Peer:
    """The method called ``name``.

    Raises:
        InputError: there is no such file.
    """
    if name not in names():
        raise InputError(f"no network {name!r}; there are mfa, {', '.join(names())}")
    peer: Peer = importlib.import_module(f"{__name__}.{name}").PEER
    return peer
