"""The one error a user is meant to read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


class InputError(ValueError):
    """Something the user gave is wrong: ``what`` and where, and ``fix``, what to do about it.

    The command lines print the message alone and end with status 2, so it must make sense without
    a traceback: name the file, row or field, the reason, and the next step. Code reads the two
    parts and never takes the sentence apart. Both are made ``printable``, whatever they quote.

    Attributes:
        what: what is wrong, and where.
        fix: what to do; empty where ``what`` says it.
    """

    def __init__(self, what: str, fix: str = "") -> None:
        self.what, self.fix = printable(what), printable(fix)
        super().__init__(self.what, self.fix)  # both, so that the error survives pickling

    def __str__(self) -> str:
        return f"{self.what}; {self.fix}" if self.fix else self.what


def printable(text: str) -> str:
    r"""Text that someone else wrote, on one line and without power over a terminal.

    Line breaks, control characters, signs that turn the direction of writing, and bytes that are no
    UTF-8 are spelled out, such as ``\n``. Names come from files, so they may hold any of these.
    """
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def reason(error: Exception) -> str:
    """Why a library failed, for a message: the last line of its words, at most 200 letters.

    What a library advises to load unsafely is left out; the kind of the error remains.
    """
    lines = str(error).strip().splitlines() or [""]
    unsafe = any(word in str(error) for word in ("weights_only", "allow_pickle"))
    words = "" if unsafe else lines[-1].strip()[:200]
    return words or type(error).__name__


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Around imports that the extra ``name`` of ``pyproject.toml`` brings."""
    try:
        yield
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        if package in {"", "mfa", "viz"}:  # a fault of ours, not an extra that is missing
            raise
        raise InputError(
            f"the package {package} is not installed", f"pip install 'mfa-workbench[{name}]'"
        ) from error
