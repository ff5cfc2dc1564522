"""Make ``site/``: documents, executed notebooks and API pages, searchable, readable from the disk.

The pages are staged in ``build/pages`` with the paths that they have in the repository, so that
links between them hold, and mkdocs builds them (``mkdocs.yml``). A notebook is run again only when
it, its parameters or the version of the packages changed since its page was staged. Where
``GITHUB_REPOSITORY`` is set, as in a workflow, each lesson has a badge that opens it in Colab.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import colab
import nbformat
from mkdocs.commands.build import build
from mkdocs.config import load_config

from mfa import __version__
from viz.notebook import NotebookError, run_notebook

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "build" / "pages"
WIDGET = "application/vnd.jupyter.widget-view+json"
LINKED = (
    "LICENSE",
    "CITATION.cff",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "data/published",
    "data/results",
    "data/weights",
    "data/README.md",
)
"""What the documents link to beside each other."""


def stage_documents() -> list[dict[str, str]]:
    """Copy the README, ``docs/`` and what they link to; the navigation's entries."""
    shutil.copytree(ROOT / "docs", PAGES / "docs", dirs_exist_ok=True)
    for name in LINKED:
        source, target = ROOT / name, PAGES / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copy(source, target)
    home = (ROOT / "README.md").read_text(encoding="utf-8")
    (PAGES / "index.md").write_text(home, encoding="utf-8")
    return [{title(p): f"docs/{p.name}"} for p in sorted((ROOT / "docs").glob("*.md"))]


def title(source: Path) -> str:
    """The first heading of a document or notebook."""
    if source.suffix == ".ipynb":
        text = nbformat.read(source, as_version=4).cells[0].source
    else:
        text = source.read_text(encoding="utf-8")
    return next(line for line in text.splitlines() if line.startswith("# ")).removeprefix("# ")


def stage_notebook(source: Path, parameters: dict[str, Any]) -> str:
    """Run one notebook where needed and stage it; what was done, in words.

    Raises:
        NotebookError: a cell or a widget failed.
    """
    given = {name: value for name, value in parameters.items() if name in names_of(source)}
    repository = os.environ.get("GITHUB_REPOSITORY")
    facts = [source.read_text(encoding="utf-8"), given, __version__, repository]
    made_of = json.dumps(facts, sort_keys=True)
    stamp = hashlib.sha256(made_of.encode()).hexdigest()
    target = PAGES / "notebooks" / source.name
    if target.is_file() and nbformat.read(target, as_version=4).metadata.get("made_of") == stamp:
        return "kept"
    ran = run_notebook(source, given)
    for cell in ran.notebook.cells:
        if "outputs" in cell:
            cell.outputs = [still(output) for output in cell.outputs if shown(output)]
    if repository:
        colab.below_title(ran.notebook, colab.badge(repository, source.stem))
    ran.notebook.metadata.pop("widgets", None)
    ran.notebook.metadata["made_of"] = stamp
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(ran.notebook, target)
    return f"run in {ran.seconds:.0f} s"


def shown(output: Any) -> bool:
    """Whether a page keeps an output: progress on standard error is for those who wait."""
    return output.get("name") != "stderr"


def still(output: Any) -> Any:
    """An output without its live widget where it holds a picture of it."""
    data = output.get("data", {})
    if WIDGET in data and "text/html" in data:
        del data[WIDGET]
    return output


def names_of(source: Path) -> set[str]:
    """Parameters that a notebook has."""
    cells = nbformat.read(source, as_version=4).cells
    tagged = next(cell for cell in cells if "parameters" in cell.metadata.get("tags", ()))
    return set(re.findall(r"^(\w+)\s*=", tagged.source, re.MULTILINE))


def stage_api() -> list[dict[str, str]]:
    """One page per package, made of its docstrings; the navigation's entries."""
    entries = []
    (PAGES / "api").mkdir(parents=True, exist_ok=True)
    for top in ("mfa", "viz"):
        rooms = [path.parent.name for path in sorted((ROOT / top).glob("*/__init__.py"))]
        rooms += [path.stem for path in sorted((ROOT / top).glob("[!_]*.py"))]
        for room in sorted(rooms):
            name = f"{top}.{room}"
            page = PAGES / "api" / f"{name}.md"
            page.write_text(f"# {name}\n\n::: {name}\n", encoding="utf-8")
            entries.append({name: f"api/{page.name}"})
    return entries


def main() -> int:
    """Make the site; 1 where a notebook failed or a link leads nowhere."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "site")
    parser.add_argument("--people", type=int, help="identities, for a quick try")
    parser.add_argument("--epochs", type=int, help="epochs, for a quick try")
    parser.add_argument("--only", nargs="*", help="names of notebooks; none for documents alone")
    options = parser.parse_args()
    # The lessons share a folder: the first one makes data and run, the others open them.
    parameters = {"out": "../build/lessons", "data_root": "../build/lessons/data"}
    parameters |= {n: v for n in ("people", "epochs") if (v := getattr(options, n)) is not None}
    guide = stage_documents()
    failed, lessons = [], []
    for source in sorted((ROOT / "notebooks").glob("*.ipynb")):
        if options.only is not None and source.stem not in options.only:
            continue
        try:
            print(
                f"{source.stem}: {stage_notebook(source, parameters)}", file=sys.stderr, flush=True
            )
            lessons.append({title(source): f"notebooks/{source.name}"})
        except NotebookError as error:
            failed.append(str(error))
    navigation = [{"Home": "index.md"}, {"Guide": guide}, {"API": stage_api()}]
    if lessons:
        navigation.insert(2, {"Lessons": lessons})
    # Strict: a link that leads nowhere ends the build.
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    config = load_config(
        str(ROOT / "mkdocs.yml"), site_dir=str(options.out), nav=navigation, strict=True
    )
    config.plugins.on_startup(command="build", dirty=False)
    build(config)
    page = ROOT / "build" / "mfa.html"  # of `make page`
    if page.is_file():
        shutil.copy(page, options.out)
    print(*failed, sep="\n", file=sys.stderr)
    print(options.out / "index.html")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
