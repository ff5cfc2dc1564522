"""Who gets in: names of this machine, addresses that exist, and as many visits as memory holds."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

MEMORY = 1.0
"""GiB that a visit may come to once an app is open; measured: 0.83 to 0.97."""

SHARE = 0.75
"""Of the machine's memory that visits may take together."""

KNOWN = re.compile(
    r"/?|/login"
    r"|/api/kernels/[\w-]+(/channels)?"
    r"|/voila/api/shutdown/[\w-]+"
    r"|/voila/(static|labextensions|api/themes)/[\w@./+-]+"
    r"|/voila/templates/[\w-]+/static/[\w@./+-]+"
    r"|/static/[\w@./+-]+"
    r"|/favicon\.ico"
)
"""Paths below the prefix that are served; everything else is a page that says what there is."""


def is_known(path: str, base: str) -> bool:
    """Whether a path is one of ``KNOWN`` below the prefix ``base``."""
    prefix = base.rstrip("/")
    if not path.startswith(f"{prefix}/") and path != prefix:
        return False
    rest = unquote(path.removeprefix(prefix))
    return ".." not in rest and KNOWN.fullmatch(rest) is not None


def is_own_name(host: str, listening: str) -> bool:
    """Whether a Host header names this machine; without a token no other name is answered.

    A foreign page can point a name of its own at 127.0.0.1 and would then share our origin.
    """
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    return name in ("localhost", "127.0.0.1", "::1", listening.lower())


def may_start(headers: dict[str, str], host: str) -> bool:
    """Whether a request may start a kernel: a page of ours or the visitor's own hand asked for it.

    Browsers say where a request comes from. A foreign page that embeds or links to us gets a page
    with a link instead.
    """
    if headers.get("Sec-Fetch-Dest", "document") != "document":
        return False
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    source = headers.get("Origin") or headers.get("Referer") or ""
    return not source or urlsplit(source).netloc == host


def is_framed(message: str | bytes) -> bool:
    """Whether a message to a kernel has room for the parts that it claims to have.

    It begins with their number and, for each, where it begins, in 8 bytes each.
    """
    if isinstance(message, str) or len(message) < 8:
        return False
    return 6 <= int.from_bytes(message[:8], "little") < len(message) // 8


def most_visits() -> int:
    """Visits that this machine's memory, or the container's, holds at once."""
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 4  # a system that does not say
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            total = min(total, int(Path(file).read_text(encoding="ascii")))
        except (OSError, ValueError):
            continue
    return max(1, int(SHARE * total / (MEMORY * 2**30)))
