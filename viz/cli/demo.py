"""``mfa-viz demo``: the quickstart notebook from start to end, and its results as files."""

from __future__ import annotations

import json as json_module
import shutil
from pathlib import Path
from typing import Annotated, Any, Literal

from mfa.cli.options import Json, Within, command, print_json
from mfa.errors import InputError, extra
from mfa.files import shipped
from mfa.progress import answer


def demo(
    out: Path = Path("runs/demo"),
    start: Literal["mfa-tiny", "none"] = "mfa-tiny",
    epochs: Annotated[int | None, Within(1, 10_000)] = None,
    people: Annotated[int | None, Within(1, 4999)] = None,
    data: Path | None = None,
    json: Json = False,
) -> None:
    """Make drawn pedestrians, score, draw, train on: notebooks/00_quickstart.ipynb, run for you.

    Leaves in the folder: the notebook as a page (quickstart.html), its pictures as PNG and PDF,
    result.json, and the run itself.

    Args:
        out: Folder for everything it makes; an earlier demo there is replaced.
        start: Weights to begin with: the trained network that comes along, or random ones.
        epochs: Epochs to train; the notebook's own number by default.
        people: Identities to train on, and as many to test on; the notebook's own number by
            default.
        data: Folder in which the synthetic set lies or is made; the notebook's own by default.

    Raises:
        InputError: the notebook is not there, or one of its cells failed.
    """
    with extra("apps"):
        from viz.notebook import NotebookError, run_notebook

    clear(out / "run")
    given = {
        "out": str(out.resolve()),
        "data_root": data and str(data.resolve()),
        "start": start,
        "epochs": epochs,
        "people": people,
    }
    parameters = {name: value for name, value in given.items() if value is not None}
    page = out / "quickstart.html"
    try:
        notebook = shipped("notebooks/00_quickstart.ipynb")
        ran = run_notebook(notebook, parameters, page, progress=True)
    except NotebookError as error:
        raise InputError(
            f"the quickstart did not finish: {error}", f"read all of it in {page}"
        ) from error
    result = {**ran.result, "seconds": round(ran.seconds, 1)}
    text = json_module.dumps(result, indent=2)
    (out / "result.json").write_text(f"{text}\n", encoding="utf-8")
    if json:
        print_json(result)
    else:
        answer(*summary(result, out, page))


def clear(run: Path) -> None:
    """Remove an earlier demo's run, so that what is reported was trained now."""
    if (run / "config.json").is_file():
        shutil.rmtree(run)


def summary(result: dict[str, Any], out: Path, page: Path) -> list[str]:
    """What the user reads at the end."""
    before, after = result["before"], result["trained"]
    begin = "random weights" if result["start"] == "none" else result["start"]
    return [
        f"Rank-1 {after['rank1']:.1f}, mAP {after['mAP']:.1f} after training on drawn people "
        f"({begin} before: {before['rank1']:.1f}, {before['mAP']:.1f}); "
        f"{result['seconds']:.0f} s in all.",
        f"Look at {page} (a page), {out} (pictures as PNG and PDF, result.json).",
        "Next: make lab opens the notebooks; start with 00_quickstart.ipynb.",
    ]


main = command("mfa-viz demo", demo)
