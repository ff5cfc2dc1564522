"""``mfa-viz app [NAME] --run RUN``: the apps as a web page."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context

import tyro

from mfa.cli.options import Computing
from mfa.errors import InputError, extra
from viz.cli.options import DataRoot


@dataclass(frozen=True)
class Options:
    """Serve the interactive apps to a browser; without a name, a page that links to all of them.

    It listens on this machine alone unless told otherwise. Every visit has one kernel of its own.
    """

    computing: tyro.conf.OmitArgPrefixes[Computing]
    name: tyro.conf.Positional[str] = ""
    """App to open first: ranks, attention, ...; the page of links lists them."""
    run: tuple[str, ...] = ()
    """Folders of runs, or their names under runs/; apps of one model take the first."""
    data: str | None = None
    """Dataset; by default the one the first run was trained on."""
    data_root: DataRoot = None
    host: str = "127.0.0.1"
    """Address to listen on; any other than this machine's own asks visitors for a token."""
    port: int = 8866
    """Port to listen on."""
    token: str | None = None
    """What visitors must know; made where it is needed and not given."""
    base_url: str = "/"
    """Prefix of the address, as behind JupyterHub or nginx."""
    visits: int | None = None
    """Most visits at once; by default as many as memory holds, a gigabyte each."""
    idle: float = 30
    """Minutes after which a visit that does nothing is ended."""
    dark: bool = False
    """Dark theme."""
    browser: bool = False
    """Open the page in this machine's browser."""


def main(argv: list[str]) -> None:
    """Parse, check the runs, serve until interrupted."""
    options = tyro.cli(Options, prog="mfa-viz app", args=argv)
    if not options.run:
        raise InputError("name a run: mfa-viz app --run runs/NAME (make demo leaves one)")
    from mfa.datasets import data_root, load_dataset

    with extra("apps"):
        from viz.apps.web.landing import LESSONS, QUESTIONS
        from viz.apps.web.server import address, notebook, serve

    names = (*QUESTIONS, *LESSONS)
    if options.name and options.name not in names:
        raise InputError(f"no app {options.name!r}; there are {', '.join(names)}")
    where = address(options.host, options.port, options.token, options.base_url)
    root = data_root(options.data_root).resolve()
    # In a process that ends: the server computes nothing, so it keeps no PyTorch and no weights.
    process = ProcessPoolExecutor(1, get_context("spawn"))
    folders, dataset = process.submit(_check, options.run, options.computing).result()
    process.shutdown(wait=False)
    load_dataset(options.data or dataset, root)
    print(f"serving {where.url}  (stop with Ctrl-C)", file=sys.stderr, flush=True)
    content = notebook(
        runs=folders,
        data=options.data,
        data_root=str(root),
        start=options.name,
        local=where.local,
        **asdict(options.computing),
    )
    serve(
        content,
        where,
        browser=options.browser,
        dark=options.dark,
        idle=options.idle,
        visits=options.visits,
    )


def _check(names: tuple[str, ...], computing: Computing) -> tuple[list[str], str]:
    """Folders of runs that can be opened, and the dataset of the first."""
    runs = [computing.open(name) for name in names]
    folders = [
        str(run.path.resolve()) if run.path is not None and run.path.exists() else name
        for run, name in zip(runs, names, strict=True)
    ]
    return folders, str(runs[0].checkpoint.facts.get("dataset"))
