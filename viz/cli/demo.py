"""``mfa-viz demo``: the quickstart notebook from start to end, and its results as files."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from mfa.errors import InputError, extra
from mfa.files import shipped


@dataclass(frozen=True)
class Demo:
    """Make drawn pedestrians, score, draw, train on: notebooks/00_quickstart.ipynb, run for you.

    Leaves in the folder: the notebook as a page (quickstart.html), its pictures as PNG and PDF,
    result.json, and the run itself.
    """

    out: Path = Path("runs/demo")
    """Folder for everything it makes; an earlier demo there is replaced."""
    start: Literal["mfa-tiny", "none"] = "mfa-tiny"
    """Weights to begin with: the trained network that comes along, or random ones."""
    epochs: int | None = None
    """Epochs to train; the notebook's own number by default."""
    people: int | None = None
    """Identities to train on, and as many to test on; the notebook's own number by default."""
    data: Path | None = None
    """Folder in which the synthetic set lies or is made; the notebook's own by default."""
    json_: Annotated[bool, tyro.conf.arg(name="json")] = False
    """Print the result as one JSON object on stdout."""


def main(argv: list[str]) -> None:
    """Run the command with the arguments after its name."""
    options = tyro.cli(Demo, prog="mfa-viz demo", args=argv)
    page = options.out / "quickstart.html"
    result = run_demo(options, page)
    if options.json_:
        print(json.dumps(result))
    else:
        print(summary(result, options.out, page))


def run_demo(options: Demo, page: Path) -> dict[str, Any]:
    """Run the quickstart; its result, with the time taken as ``seconds``, is also a file.

    Raises:
        InputError: the notebook is not there, or one of its cells failed.
    """
    with extra("apps"):
        from viz.notebook import NotebookError, run_notebook

    clear(options.out / "run")
    given = {
        "out": str(options.out.resolve()),
        "data_root": options.data and str(options.data.resolve()),
        "start": options.start,
        "epochs": options.epochs,
        "people": options.people,
    }
    parameters = {name: value for name, value in given.items() if value is not None}
    notebook = shipped("notebooks/00_quickstart.ipynb")
    try:
        ran = run_notebook(notebook, parameters, page, progress=True)
    except NotebookError as error:
        raise InputError(f"the quickstart did not finish: {error}\nAll of it: {page}") from error
    result = {**ran.result, "seconds": round(ran.seconds, 1)}
    (options.out / "result.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return result


def clear(run: Path) -> None:
    """Remove an earlier demo's run, so that what is reported was trained now."""
    if (run / "config.json").is_file():
        shutil.rmtree(run)


def summary(result: dict[str, Any], out: Path, page: Path) -> str:
    """What the user reads at the end."""
    before, after = result["before"], result["trained"]
    begin = "random weights" if result["start"] == "none" else result["start"]
    return "\n".join(
        [
            f"Rank-1 {after['rank1']:.1f}, mAP {after['mAP']:.1f} after training on drawn people "
            f"({begin} before: {before['rank1']:.1f}, {before['mAP']:.1f}); "
            f"{result['seconds']:.0f} s in all.",
            f"Look at {page} (a page), {out} (pictures as PNG and PDF, result.json).",
            "Next: make lab opens the notebooks; start with 00_quickstart.ipynb.",
        ]
    )
