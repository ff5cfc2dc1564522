"""The packages as rooms and their imports as arrows: ``python tools/import_graph.py``.

Reads every import of ``mfa`` and ``viz``, inside functions and for type checking too. Prints the
rooms (packages and loose modules of ``mfa``, and ``viz`` as one), the arrows between them, circles,
and imports that go up the order. Leaves with status 1 where there is a circle or an upward import.
"""

from __future__ import annotations

import ast
import graphlib
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# A package imports itself and what stands in a line above its own. Packages of one line do not
# know each other.
ORDER = """
mfa.errors
mfa.progress
mfa.processes mfa.files mfa.records mfa.config
mfa.datasets mfa.losses
mfa.models mfa.synthetic
mfa.presets mfa.segmentation
mfa.retrieval mfa.runs
mfa.comparison mfa.inference mfa.training
mfa.explain
mfa.ablation mfa.export
mfa.cli
viz.theme
viz.images viz.tables viz.export viz.notebook
viz.charts
viz.grids
viz.paper
viz.apps
viz.cli
"""
LINE = {room: line for line, rooms in enumerate(ORDER.split("\n")) for room in rooms.split()}


def sources() -> list[Path]:
    """Every Python file of the two packages."""
    return sorted([*ROOT.glob("mfa/**/*.py"), *ROOT.glob("viz/**/*.py")])


def module_of(path: Path) -> str:
    """``mfa/models/cpaa.py`` to ``mfa.models.cpaa``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """The package or loose module at the level of ``mfa.*`` and ``viz.*``."""
    return ".".join(module.split(".")[:2])


def imports_of(path: Path) -> Iterator[str]:
    """Full names of everything that a file imports.

    Raises:
        ValueError: a relative import; this project writes full names.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{path}:{node.lineno}: relative import; write the full name")
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def graph() -> dict[str, set[str]]:
    """Every module of the two packages and the modules of theirs that it imports."""
    known = {module_of(path): path for path in sources()}
    arrows = {}
    for module, path in known.items():
        # "from mfa.models import cpaa" names a module, "... import build_model" does not
        names = {n if n in known else n.rpartition(".")[0] for n in imports_of(path)}
        arrows[module] = (names & known.keys()) - {module}
    return arrows


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """A circle of imports, empty where there is none."""
    try:
        graphlib.TopologicalSorter(arrows).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def upward(arrows: dict[str, set[str]]) -> list[str]:
    """Imports against the order, as ``module -> module``."""
    found = []
    for module, targets in arrows.items():
        for target in sorted(targets):
            own, other = room_of(module), room_of(target)
            if own != other and {own, other} <= {*LINE} and LINE[other] >= LINE[own]:
                found.append(f"{module} -> {target}")
    return found


def main() -> None:
    """Print the counts."""
    arrows = graph()
    top = {m: room_of(m) if m.startswith("mfa.") else m.split(".")[0] for m in arrows}
    pairs = {(top[module], top[target]) for module in arrows for target in arrows[module]}
    rooms = {(one, other) for one, other in pairs if one != other}
    found, against = circle(arrows), upward(arrows)
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in sources())
    print(f"files    {len(arrows)}, {lines} lines")
    names = sorted(set(top.values()) - {"mfa"})
    print(f"rooms    {len(names)}: {' '.join(names)}")
    print(f"arrows   {len(rooms)} between rooms")
    print(f"circles  {' -> '.join(found) or 'none'}")
    print(f"upward   {'; '.join(against) or 'none'}")
    sys.exit(bool(found or against))


if __name__ == "__main__":
    main()
