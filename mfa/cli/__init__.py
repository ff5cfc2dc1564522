"""The ``mfa`` command: a table of subcommands, each loaded when it is called.

Printing the table needs neither PyTorch nor tyro, so ``mfa --help`` answers at once.
"""

from __future__ import annotations

import codecs
import importlib
import io
import os
import sys
from collections.abc import Mapping, Sequence

from mfa.errors import InputError
from mfa.progress import answer, remark

COMMANDS: Mapping[str, tuple[str, str]] = {
    "data": ("mfa.cli.data", "make, prepare and examine datasets"),
    "train": ("mfa.cli.train", "train a preset on a dataset"),
    "export": ("mfa.cli.export", "a trained network as one file: weights, ONNX, OpenVINO"),
    "project": ("mfa.cli.project", "shorter branches, fitted to a teacher without training"),
    "evaluate": ("mfa.cli.evaluate", "score a run on a dataset, or a file of features"),
    "ablate": ("mfa.cli.ablate", "train and score every row of a table, with several seeds"),
    "compare": ("mfa.cli.compare", "runs and models side by side, tested on the same queries"),
    "verify": ("mfa.cli.verify", "recompute the rows of data/results, name digits that moved"),
    "explain": ("mfa.cli.explain", "maps of a pair for any model; what maps are worth"),
    "import-weights": ("mfa.cli.convert_weights", "weights of another project as a run"),
    "complexity": ("mfa.cli.complexity", "parameters and operations of a preset"),
}
"""name: (module with ``main(argv)``, one line)."""

SHARED = ("train", "evaluate")
"""Commands whose work several processes share."""

MOVED: Mapping[str, str] = {
    "mfa distill": "mfa train PRESET --teacher FILE|MODEL",
    "mfa score": "mfa evaluate FILE.npz",
    "mfa bench": "python -m benchmarks NAME, or make bench, in a checkout",
    "mfa-viz bench": "python -m benchmarks NAME, or make bench, in a checkout",
}
"""Retired commands, and what does their work now."""

_CACHE = """
Every command takes --cache DIR|off, the folder for decoded pictures (by default MFA_CACHE, else
cache beside the dataset, or your own cache folder where that may not be written)."""

_PLAIN = {"├": "|", "└": "`", "│": "|", "─": "-"}
"""What draws a tree where the terminal's encoding lacks the lines."""


def run(program: str, commands: Mapping[str, tuple[str, str]], argv: Sequence[str]) -> int:
    """Run one subcommand; print an ``InputError`` as one line and return 2.

    ``argv`` is what follows the program's name. Shared with ``mfa-viz``.
    """
    _print_anything()
    if not argv or argv[0] in ("-h", "--help", "help"):
        width = max(map(len, commands))
        answer(
            f"usage: {program} COMMAND [options]",
            "",
            *(f"  {name:{width}}  {line}" for name, (_, line) in commands.items()),
            "",
            f"{program} COMMAND --help tells the options of a command.",
            *_CACHE.split("\n"),
        )
        return 0
    name = argv[0]
    if f"{program} {name}" in MOVED:
        remark(f"error: {program} {name} is now: {MOVED[f'{program} {name}']}")
        return 2
    if int(os.environ.get("WORLD_SIZE", 1)) > 1 and name not in SHARED:
        remark(f"error: {program} {name} works in one process; torchrun is for {', '.join(SHARED)}")
        return 2
    if name not in commands:
        remark(f"error: no command {name!r}; there are {', '.join(commands)}")
        return 2
    try:
        try:
            importlib.import_module(commands[name][0]).main(_set_cache(argv[1:]))
        finally:
            sys.stdout.flush()
    except InputError as error:
        remark(f"error: {error}")
        return 2
    except KeyboardInterrupt:
        remark("stopped; what was finished is kept")
        return 130
    except BrokenPipeError:  # whoever read the output, such as head, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the last flush
        return 141  # as the shell counts it
    except OSError as error:  # a full disk, a folder that may not be read or written
        place = f"{error.filename}: " if error.filename else ""
        remark(
            f"error: {place}{error.strerror or error}; free the disk, or name a place that you may "
            "read and write"
        )
        return 2
    return 0


def _set_cache(argv: Sequence[str]) -> list[str]:
    """Put the value of ``--cache`` where ``mfa.datasets.loading.cache`` looks; the other words."""
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        option, equals, value = word.partition("=")
        if word == "--":
            return [*rest, word, *words]
        if option != "--cache":
            rest.append(word)
            continue
        value = value if equals else next(words, "")
        if not value or value.startswith("--"):
            raise InputError("--cache lacks its value", "write --cache DIR, or --cache off")
        os.environ["MFA_CACHE"] = value
    return rest


def _print_anything() -> None:
    """Spell out what the encoding of stdout lacks, as Python does on stderr, instead of failing."""
    codecs.register_error("mfa", _spelt_out)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a notebook's stream takes everything
        sys.stdout.reconfigure(errors="mfa")


def _spelt_out(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    spelt = (_PLAIN.get(c) or c.encode("ascii", "backslashreplace").decode() for c in lacking)
    return "".join(spelt), error.end


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run("mfa", COMMANDS, sys.argv[1:]))
