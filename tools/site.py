"""Make ``site/``: the documents and the executed notebooks as pages that work from the disk.

Needs the environment that ``make`` sets up. A notebook is run again only when it, its parameters
or the version of the packages changed since its page was made.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from html import escape, unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import nbformat
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from mfa import __version__
from viz.notebook import NotebookError, run_notebook

ROOT = Path(__file__).resolve().parents[1]
WIDGET = "application/vnd.jupyter.widget-view+json"
STYLE = """
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.6 system-ui, sans-serif;
  color: #1c1c1c; background: #fff; }
nav { border-bottom: 1px solid #ccc; padding-bottom: .5rem; }
nav a { margin-right: .8rem; }
img { max-width: 100%; height: auto; }
pre { overflow-x: auto; background: #f3f3f3; padding: .7rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
td, th { border: 1px solid #ccc; padding: .2rem .6rem; }
@media (prefers-color-scheme: dark) {
  body { color: #e6e6e6; background: #1b1b1b; } pre { background: #2a2a2a; } a { color: #7fb7e6; }
}
"""


def documents() -> dict[str, Path]:
    """Page name to source, the README first."""
    pages = {"index.html": ROOT / "README.md"}
    pages |= {f"docs/{p.stem}.html": p for p in sorted((ROOT / "docs").glob("*.md"))}
    return pages


def notebooks() -> dict[str, Path]:
    """Page name to notebook, in the order of the course."""
    return {f"notebooks/{p.stem}.html": p for p in sorted((ROOT / "notebooks").glob("*.ipynb"))}


def title_of(source: Path) -> str:
    """The first heading of a document or notebook."""
    if source.suffix == ".ipynb":
        text = nbformat.read(source, as_version=4).cells[0].source
    else:
        text = source.read_text(encoding="utf-8")
    return next(line for line in text.splitlines() if line.startswith("# ")).removeprefix("# ")


def navigation(page: str) -> str:
    """Links to every page, relative to ``page``."""
    up = "../" * page.count("/")
    links = [
        f"<a href='{up}{name}'>{escape(title_of(source))}</a>"
        for name, source in documents().items()
    ]
    lessons = [
        f"<a href='{up}{name}'>{source.stem.replace('_', ' ')}</a>"
        for name, source in notebooks().items()
    ]
    return f"<nav>{' '.join(links)}<br>Lessons: {' '.join(lessons)}</nav>"


def document(page: str, source: Path, out: Path) -> None:
    """One Markdown document as a page."""
    text = source.read_text(encoding="utf-8")
    body = MarkdownWithMath(renderer=IPythonRenderer(escape=False)).render(text)
    body = linked(body, source, page, out)
    html = (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f"<meta name='viewport' content='width=device-width'><title>{escape(title_of(source))}"
        f"</title><style>{STYLE}</style></head><body>{navigation(page)}{body}</body></html>"
    )
    target = out / page
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(html, encoding="utf-8")


def linked(body: str, source: Path, page: str, out: Path) -> str:
    """Local links lead to pages and copied pictures; a link to anything else becomes plain text."""
    pages = {path.resolve(): name for name, path in {**documents(), **notebooks()}.items()}
    up = "../" * page.count("/")

    def lead(found: re.Match[str]) -> str:
        attribute, link = found[1], unescape(found[2])
        if urlparse(link).scheme or link.startswith("#"):
            return found[0]
        path, _, anchor = link.partition("#")
        file = (source.parent / path).resolve()
        tail = f"#{anchor}" if anchor else ""
        if file in pages:
            return f'{attribute}="{up}{pages[file]}{tail}"'
        if attribute == "src" and file.is_file() and file.is_relative_to(ROOT):
            copied = Path("files") / file.relative_to(ROOT)
            (out / copied).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, out / copied)
            return f'src="{up}{copied.as_posix()}"'
        return f'title="{escape(path)}, in the repository"'

    return re.sub(r'(href|src)="([^"]*)"', lead, body)


def lesson(page: str, source: Path, out: Path, parameters: Mapping[str, Any]) -> str:
    """Run one notebook where needed and write its page; what was done, in words.

    Raises:
        NotebookError: a cell failed; the page shows it all the same.
    """
    given = {k: v for k, v in parameters.items() if k in names_of(source)}
    made_of = json.dumps([source.read_text(encoding="utf-8"), given, __version__], sort_keys=True)
    stamp = hashlib.sha256(made_of.encode()).hexdigest()
    target = out / page
    if target.is_file() and stamp in target.read_text(encoding="utf-8")[-200:]:
        return "kept"
    ran = run_notebook(source, given)
    target.parent.mkdir(parents=True, exist_ok=True)
    html = exported(ran.notebook, title_of(source))
    html = re.sub(r"(<body[^>]*>)", lambda found: found[1] + navigation(page), html, count=1)
    target.write_text(f"{html}\n<!-- made of {stamp} -->\n", encoding="utf-8")
    return f"run in {ran.seconds:.0f} s"


def names_of(source: Path) -> set[str]:
    """Parameters a notebook has."""
    cells = nbformat.read(source, as_version=4).cells
    tagged = next(c for c in cells if "parameters" in c.metadata.get("tags", ()))
    return set(re.findall(r"^(\w+)\s*=", tagged.source, re.MULTILINE))


def exported(notebook: Any, title: str) -> str:
    """An executed notebook as a page without anything from elsewhere; apps stand still."""
    for cell in notebook.cells:
        if "outputs" in cell:  # progress bars write a line a step; errors would have stopped us
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if WIDGET in data and "text/html" in data:
                del data[WIDGET]
    notebook.metadata.pop("widgets", None)
    exporter = HTMLExporter(
        embed_images=True, require_js_url="", mathjax_url="", jquery_url="", mermaid_js_url=""
    )
    body, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": title}})
    return re.sub(r"<script[^>]*>.*?</script>", "", body, flags=re.DOTALL)


def broken(out: Path) -> Iterator[str]:
    """Local links of the site that lead nowhere."""
    for path in sorted(out.rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        for link in re.findall(r"""(?:href|src)=["']([^"'#]+)""", text):
            if not urlparse(link).scheme and not (path.parent / link).exists():
                yield f"{path.relative_to(out)}: {link}"


def main() -> int:
    """Make the site; 1 where a notebook failed or a link leads nowhere."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "site")
    parser.add_argument("--people", type=int, help="identities, for a quick try")
    parser.add_argument("--epochs", type=int, help="epochs, for a quick try")
    parser.add_argument("--only", nargs="*", help="names of notebooks; none for documents alone")
    options = parser.parse_args()
    out: Path = options.out.resolve()
    # The lessons share a folder; the first one makes data and run, the others open them.
    parameters: dict[str, Any] = {"out": "../build/lessons"}  # from the notebooks' folder
    parameters |= {
        name: value
        for name in ("people", "epochs")
        if (value := getattr(options, name)) is not None
    }
    failed = []
    chosen = {
        page: source
        for page, source in notebooks().items()
        if options.only is None or source.stem in options.only
    }
    for page, source in chosen.items():
        own = parameters | {"data_root": parameters["out"] + "/data"}
        try:
            print(f"{source.stem}: {lesson(page, source, out, own)}", file=sys.stderr, flush=True)
        except NotebookError as error:
            failed.append(str(error))
    for page, source in documents().items():
        document(page, source, out)
    if options.only is None:
        failed += list(broken(out))
    for words in failed:
        print(words, file=sys.stderr)
    print(out / "index.html")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
