"""What is printed, and how far a long computation is: one callback serves bars, apps and tests.

Every long function takes ``progress``: ``True`` shows a bar, a callable is called with the
completed fraction (0 to 1), and an exception that it raises aborts the work.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from tqdm import tqdm

from mfa.errors import printable

Progress = Callable[[float], None]
"""Called with the completed fraction; an exception that it raises aborts the work."""


def silent(fraction: float) -> None:
    """The callback that shows nothing."""


def beside() -> TextIO:
    """The stream for what is no answer: standard error, and standard output in a notebook.

    Notebooks show standard error on pink, as a failure.
    """
    in_notebook = type(sys.stderr).__module__ == "ipykernel.iostream"
    return sys.stdout if in_notebook else sys.stderr


def answer(*lines: str) -> None:
    """Print the lines of an answer on standard output, each ``printable`` whatever it quotes."""
    for line in lines:
        print(printable(line), flush=True)


def remark(*lines: str) -> None:
    """Print sentences beside the answer, so that a piped answer stays clean."""
    for line in lines:
        print(printable(line), file=beside(), flush=True)


@contextmanager
def reporting(
    progress: bool | Progress, label: str, detail: Callable[[], str] | None = None
) -> Iterator[Progress]:
    """The callback to call while something named ``label`` is computed.

    Args:
        progress: a callback, which is handed on; ``True`` for a bar from the second second to the
            end, which leaves one line in a notebook; ``False`` for silence.
        label: what the bar says.
        detail: words behind the bar. They are asked for only when the bar is drawn again, twice
            per second at most, so they may be costly.
    """
    if not isinstance(progress, bool):
        yield progress
        return
    stream = beside()
    form = "{desc}: {percentage:3.0f}% |{bar}| {elapsed}<{remaining}{postfix}"
    with tqdm(
        total=1.0,
        desc=printable(label),
        bar_format=form,
        disable=not progress,
        leave=stream is sys.stdout,
        delay=1,
        file=stream,
        mininterval=0.5,
    ) as bar:

        def move(fraction: float) -> None:
            if bar.update(fraction - bar.n) and detail is not None:
                bar.set_postfix_str(printable(detail()), refresh=False)

        yield move


def part_of(progress: Progress, start: float, end: float) -> Progress:
    """The callback of a part of the work that lies between two fractions of the whole."""
    return lambda fraction: progress(start + (end - start) * fraction)
