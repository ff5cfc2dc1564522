"""The apps as a web page: one notebook served by Voila, one kernel for all apps of a visit."""

from __future__ import annotations

import ipaddress
import os
import secrets
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mfa.errors import InputError
from viz.apps.web import gate

TEMPLATE = """
{%- extends 'voila/templates/lab/index.html.j2' -%}
{%- block notebook_css -%}
{%- for line in super().splitlines() if not ('<link' in line and 'https://' in line) %}
{{ line }}
{%- endfor -%}
{%- endblock notebook_css -%}
"""
"""Voila's page without the icons it asks a foreign server for: it brings the same along, and a
class room without internet would wait for them."""


@dataclass(frozen=True)
class Address:
    """Where the page is served.

    Attributes:
        host: address to listen on.
        port: 0 chooses a free one.
        token: what visitors must know; empty for none.
        base: prefix of every path, as behind JupyterHub or nginx; begins and ends with a slash.
    """

    host: str
    port: int
    token: str
    base: str = "/"

    @property
    def local(self) -> bool:
        """Whether only this machine can reach it."""
        return is_local(self.host)

    @property
    def url(self) -> str:
        """What to open; where it listens on every address, by this machine's name."""
        token = f"?token={self.token}" if self.token else ""
        host = socket.gethostname() if self.host in ("", "0.0.0.0", "::") else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}{self.base}{token}"


def is_local(host: str) -> bool:
    """Whether an address is the machine's own; a name that is no address is taken as foreign."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def address(host: str, port: int, token: str | None, base: str = "/") -> Address:
    """The address of given options; away from this machine a token is made where none is given."""
    if token is None:
        token = "" if is_local(host) else secrets.token_urlsafe(24)
    if not is_local(host) and len(token) < 16:
        raise InputError(
            f"{host} can be reached by others, so a token of 16 characters or more is needed",
            "leave --token out and one is made",
        )
    return Address(host, port, token, f"/{base.strip('/')}/".replace("//", "/"))


def notebook(**arguments: Any) -> str:
    """The notebook that is served, as JSON; its one cell opens a ``Page`` of these arguments."""
    import nbformat

    code = f"from viz.apps.web.page import Page\npage = Page(**{arguments!r})\npage.view"
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    made.metadata["title"] = "MFA workbench"
    return str(nbformat.writes(made))


def serve(
    content: str,
    where: Address,
    *,
    browser: bool,
    dark: bool,
    idle: float,
    visits: int | None = None,
) -> None:
    """Serve a notebook until interrupted.

    Args:
        content: of ``notebook``.
        where: address.
        browser: open it in the browser.
        dark: the dark theme.
        idle: minutes after which a visit that does nothing is ended.
        visits: most visits at once; by default what memory holds.
    """
    from traitlets.config import Config

    from viz.apps.web.visits import Workbench

    with tempfile.TemporaryDirectory(prefix="mfa-viz-") as folder:
        path = Path(folder) / "workbench.ipynb"
        path.write_text(content, encoding="utf-8")
        look = Path(folder) / "voila" / "templates" / "mfa"
        look.mkdir(parents=True)
        (look / "conf.json").write_text('{"base_template": "lab"}', encoding="utf-8")
        (look / "index.html.j2").write_text(TEMPLATE, encoding="utf-8")
        others = os.environ.get("JUPYTER_PATH", "")
        os.environ["JUPYTER_PATH"] = os.pathsep.join([folder, *filter(None, [others])])
        Workbench.launch_instance(
            [
                str(path),
                f"--port={where.port}",
                f"--Voila.ip={where.host}",
                f"--Voila.token={where.token}",
                f"--Voila.base_url={where.base}",
                f"--Voila.open_browser={browser}",
                f"--theme={'dark' if dark else 'light'}",
                "--VoilaConfiguration.template=mfa",
                "--VoilaConfiguration.allow_template_override=NO",
                "--VoilaConfiguration.allow_theme_override=NO",
                "--VoilaConfiguration.show_tracebacks=False",
                # JupyterLab's own extension of jupytext, where it is installed, fails in Voila.
                "--VoilaConfiguration.extension_denylist=jupyterlab-jupytext",
                f"--MappingKernelManager.cull_idle_timeout={round(60 * idle)}",
                f"--MappingKernelManager.cull_interval={max(5, round(min(60, 10 * idle)))}",
                "--MappingKernelManager.cull_connected=True",
                "--Application.log_level=WARN",
            ],
            config=Config(
                VoilaConfiguration={"page_config_hook": with_cookie},
                Workbench={"visits": visits or gate.most_visits(), "dark": dark},
            ),
        )


def with_cookie(config: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Give the visitor the cookie by which the page may end its kernel as it is left.

    Voila's page sends it back; as no page of Voila's sets it, every kernel would stay until it is
    culled, with a gigabyte of memory.
    """
    from jupyter_server import CallContext

    handler = CallContext.get(CallContext.JUPYTER_HANDLER)
    assert handler.xsrf_token  # asking for it sets it
    return config
