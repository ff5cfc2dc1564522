"""``mfa-viz app [NAME] --run RUN``: the apps as a web page."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from typing import Annotated

from mfa.cli.options import Computing, DataRoot, Device, Within, command, say
from mfa.errors import InputError, extra


def app(
    name: str = "",
    /,
    *,
    computing: Device,
    run: tuple[str, ...] = (),
    data: str | None = None,
    data_root: DataRoot = None,
    host: str = "127.0.0.1",
    port: Annotated[int, Within(1, 65_535)] = 8866,
    token: str | None = None,
    base_url: str = "/",
    visits: Annotated[int | None, Within(1, 10_000)] = None,
    idle: float = 30,
    dark: bool = False,
    browser: bool = False,
) -> None:
    """Serve the interactive apps to a browser; without a name, a page that links to all of them.

    It listens on this machine alone unless told otherwise. Every visit has one kernel of its own.

    Args:
        name: App to open first: ranks, attention, ...; the page of links lists them.
        run: Folders of runs, or their names under runs/; apps of one model take the first.
        data: Dataset; by default the one the first run was trained on.
        host: Address to listen on; any other than this machine's own asks visitors for a token.
        port: Port to listen on.
        token: What visitors must know; made where it is needed and not given.
        base_url: Prefix of the address, as behind JupyterHub or nginx.
        visits: Most visits at once; by default as many as memory holds, a gigabyte each.
        idle: Minutes after which a visit that does nothing is ended.
        dark: Dark theme.
        browser: Open the page in this machine's browser.
    """
    if not run:
        raise InputError("name a run: mfa-viz app --run runs/NAME (make demo leaves one)")
    from mfa.datasets import data_root as find_root
    from mfa.datasets import load_dataset

    with extra("apps"):
        from viz.apps.web.landing import LESSONS, QUESTIONS
        from viz.apps.web.server import address, notebook, serve

    names = (*QUESTIONS, *LESSONS)
    if name and name not in names:
        raise InputError(f"no app {name!r}; there are {', '.join(names)}")
    where = address(host, port, token, base_url)
    root = find_root(data_root).resolve()
    # In a process that ends: the server computes nothing, so it keeps no PyTorch and no weights.
    process = ProcessPoolExecutor(1, get_context("spawn"))
    folders, dataset = process.submit(_check, run, computing).result()
    process.shutdown(wait=False)
    load_dataset(data or dataset, root)
    say(f"serving {where.url}  (stop with Ctrl-C)")
    content = notebook(
        runs=folders,
        data=data,
        data_root=str(root),
        start=name,
        local=where.local,
        **asdict(computing),
    )
    serve(content, where, browser=browser, dark=dark, idle=idle, visits=visits)


def _check(names: tuple[str, ...], computing: Computing) -> tuple[list[str], str]:
    """Folders of runs that can be opened, and the dataset of the first."""
    runs = [computing.open(name) for name in names]
    folders = [
        str(run.path.resolve()) if run.path is not None and run.path.exists() else name
        for run, name in zip(runs, names, strict=True)
    ]
    return folders, str(runs[0].checkpoint.facts.get("dataset"))


main = command("mfa-viz app", app)
