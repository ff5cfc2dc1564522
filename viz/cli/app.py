"""``mfa-viz app [NAME] --run RUN``: the apps as a web page."""

from __future__ import annotations

import sys
from dataclasses import dataclass

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
    runs = [options.computing.open(name) for name in options.run]
    root = data_root(options.data_root).resolve()
    load_dataset(options.data or str(runs[0].checkpoint.facts.get("dataset")), root)
    where = address(options.host, options.port, options.token, options.base_url)
    folders = [
        str(run.path.resolve()) if run.path is not None and run.path.exists() else name
        for run, name in zip(runs, options.run, strict=True)
    ]
    print(f"serving {where.url}  (stop with Ctrl-C)", file=sys.stderr, flush=True)
    content = notebook(
        folders,
        options.data,
        str(root),
        options.name,
        where.local,
        options.computing.device,
        options.computing.precision,
    )
    serve(
        content,
        where,
        browser=options.browser,
        dark=options.dark,
        idle=options.idle,
        visits=options.visits,
    )
