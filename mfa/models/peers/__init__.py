"""The compared methods, one file each: ``ModelConfig.network`` is the name of a file here.

A name that ends in ``_like`` says that a part of the method's paper is missing.

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


def faithful() -> tuple[str, ...]:
    """The methods that are built as their papers have them, for tables that compare methods."""
    return tuple(name for name in names() if not name.endswith("_like"))


def find(name: str) -> Peer:
    """The method called ``name``."""
    if name not in names():
        like = f"{name}_like"
        renamed = f"what is here is called {like}: {find(like).unlike}" if like in names() else ""
        raise InputError(f"no network {name!r}; there are mfa, {', '.join(names())}", renamed)
    peer: Peer = importlib.import_module(f"{__name__}.{name}").PEER
    return peer
