"""How a function becomes a command, and the options that several commands share."""

from __future__ import annotations

import functools
import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, get_type_hints

import tyro

from mfa.errors import InputError
from mfa.processes import speaks
from mfa.progress import answer, remark

if TYPE_CHECKING:
    from mfa.records import ReidDataset
    from mfa.runs.run import Run


class Within(NamedTuple):
    """Bounds of a number, both allowed; stands in the annotation of an option."""

    low: int
    high: int


Pixels = Within(1, 4096)
Pictures = Within(0, 1_000_000)

Blocks = Annotated[
    int,
    Within(1, 1000),
    tyro.conf.arg(help="Blocks of 64 masks of each picture; more make the map smoother."),
]
Seed = Annotated[int, Within(0, 2**32 - 1)]
Top = Annotated[int, Within(1, 100_000), tyro.conf.arg(help="How many of them.")]
Threads = Annotated[
    int | None,
    Within(1, 1024),
    tyro.conf.arg(help="Threads PyTorch computes with; by default all cores."),
]
RunName = Annotated[str, tyro.conf.arg(help="Folder of the run, or its name under runs/.")]
DataRoot = Annotated[
    Path | None, tyro.conf.arg(help="Folder the datasets lie in; by default MFA_DATA, else data.")
]
NoCamera = Annotated[
    bool, tyro.conf.arg(help="Count pictures of a query's person by the query's own camera.")
]
Flip = Annotated[
    bool, tyro.conf.arg(help="Take the mean vector of each picture and its mirror image.")
]
Ranking = Annotated[
    Path | None,
    tyro.conf.arg(
        help="Write the nearest gallery pictures of every query to this file (.csv) instead of "
        "scoring; for a gallery without labels."
    ),
]
Words = Annotated[tuple[str, ...], tyro.conf.Suppress]
"""Of a parameter called ``argv``: no option; ``command`` fills in the words it was given."""
Json = Annotated[bool, tyro.conf.arg(help="Print one JSON object instead of words.")]


@dataclass(frozen=True)
class Computing:
    """Where networks compute, and how."""

    device: str | None = None
    """Where the network computes, such as cpu or cuda:1; by default the GPU if there is one."""
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    """Number format of the forward pass; the 16-bit ones are faster where the hardware has them."""

    def open(self, path: str, *, compile: bool = False) -> Run:
        """The run of a folder, or of a name under ``runs/``."""
        from mfa.runs.run import open_run

        return open_run(path, self.device, self.precision, compile=compile)


Device = tyro.conf.OmitArgPrefixes[Computing]


def command(
    program: str, actions: Callable[..., None] | Mapping[str, Callable[..., None]], about: str = ""
) -> Callable[[list[str]], None]:
    """``main(argv)`` of a command whose options and help are a function's signature and docstring.

    Args:
        program: what the user types.
        actions: the function, or several by the word that chooses one.
        about: what several have in common, for the help.
    """

    def main(argv: list[str]) -> None:
        config = (tyro.conf.FlagCreatePairsOff,)
        if callable(actions):
            tyro.cli(_bounded(actions, argv), prog=program, args=argv, config=config)
            return
        bounded = {name: _bounded(action, argv) for name, action in actions.items()}
        tyro.extras.subcommand_cli_from_dict(
            bounded, prog=program, args=argv, config=config, description=about
        )

    return main


def _bounded(action: Callable[..., None], argv: list[str]) -> Callable[..., None]:
    """``action`` behind ``check_bounds``; each help text is one paragraph, for tyro to wrap."""

    @functools.wraps(action)
    def checked(*args: Any, **kwargs: Any) -> None:
        check_bounds(action, inspect.signature(action).bind(*args, **kwargs).arguments)
        if "argv" in kwargs:
            kwargs["argv"] = tuple(argv)
        action(*args, **kwargs)

    action.__doc__ = re.sub(r"\n {12,}", " ", action.__doc__ or "")
    return checked


def check_bounds(owner: Any, values: Mapping[str, Any]) -> None:
    """Numbers lie ``Within`` the bounds in the annotations of a function or a dataclass."""
    for name, hint in get_type_hints(owner, include_extras=True).items():
        value = values.get(name)
        if is_dataclass(value):
            check_bounds(type(value), vars(value))
        for bounds in getattr(hint, "__metadata__", ()):
            if isinstance(bounds, Within):
                for number in value if isinstance(value, tuple) else (value,):
                    if number is not None and not bounds.low <= number <= bounds.high:
                        option = f"--{name.replace('_', '-')}"
                        raise InputError(
                            f"{option} is {bounds.low:,} to {bounds.high:,}, got {number:,}"
                        )


def say(*lines: str) -> None:
    """Print sentences beside the answer, on stderr; of several processes one speaks."""
    if speaks():
        remark(*lines)


def print_json(value: Any, indent: int | None = None) -> None:
    """Print one JSON object in ASCII, which every terminal and pipe takes."""
    answer(*json.dumps(value, indent=indent).split("\n"))


def read_data(name: str, root: Path | None) -> ReidDataset:
    """The dataset called ``name``; what its reader noticed is printed."""
    from mfa.datasets import data_root, load_dataset

    data = load_dataset(name, data_root(root))
    for note in data.notes:
        say(note)
    return data


def set_threads(threads: int | None) -> None:
    """Let PyTorch compute with so many threads; ``None`` leaves it its choice."""
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
