"""Copies of the notebooks that open in Google Colab: ``tools/colab.py OWNER/REPOSITORY FOLDER``.

Colab opens notebooks that lie on a branch of a repository on GitHub. The pages workflow puts these
copies on the branch ``colab``, and every lesson of the site has a badge that opens its copy.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
INSTALL = """\
# Installs the workbench in Colab (two minutes), and lets its widgets show.
%pip install --quiet "mfa-workbench[apps,umap] @ git+https://github.com/{repository}"
from google.colab import output

output.enable_custom_widget_manager()"""


def badge(repository: str, name: str) -> str:
    """Markdown: a badge that opens the copy of the notebook ``name`` in Colab."""
    colab = "https://colab.research.google.com"
    opened = f"{colab}/github/{repository}/blob/colab/{name}.ipynb"
    return f"[![Open in Colab]({colab}/assets/colab-badge.svg)]({opened})"


def copy(source: Path, repository: str) -> nbformat.NotebookNode:
    """A notebook that installs ``repository`` first, and names it below its title."""
    notebook = nbformat.read(source, as_version=4)
    below_title(notebook, badge(repository, source.stem))
    notebook.cells.insert(1, nbformat.v4.new_code_cell(INSTALL.format(repository=repository)))
    return notebook


def below_title(notebook: nbformat.NotebookNode, line: str) -> None:
    """Put a line below a notebook's title."""
    title, _, rest = notebook.cells[0].source.partition("\n")
    notebook.cells[0].source = f"{title}\n\n{line}\n{rest}"


def main(repository: str, folder: str) -> None:
    """Write the copies."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for source in sorted(NOTEBOOKS.glob("*.ipynb")):
        nbformat.write(copy(source, repository), Path(folder) / source.name)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
