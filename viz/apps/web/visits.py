"""Voila with a gate: what is no page of ours, and who comes from elsewhere, starts no kernel."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import Any

import tornado.web
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.httputil import HTTPHeaders, HTTPServerRequest, url_concat
from traitlets import Bool, Int
from voila.app import Voila
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from viz.apps.web import gate

FULL = (
    "So many visitors are here that this machine has no memory for one more. Try again when "
    "somebody has left."
)
ELSEWHERE = "This link came from another page."
NOTHING = "There is no such page here."
METHOD = "Pages are asked for by GET."
STRANGER = "This server answers to this machine's own names only."
FRAMING = "v1.kernel.websocket.jupyter.org"
NO_PAGE = f"Messages to a kernel are framed by {FRAMING}, as our page does it."

BODY = 2**20
"""Bytes of a request's body; our page sends a few hundred. Pictures come by the socket."""


HEADERS = {"Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff"}
"""No other server learns the address, which may hold a token; nothing is run as what it is not."""


class WithHeaders(tornado.web.OutputTransform):
    """Gives every answer ``HEADERS``, whichever handler makes it."""

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """See the base class."""
        for name, value in HEADERS.items():
            headers[name] = value
        return status_code, headers, chunk


def sentence(words: str, link: str = "") -> str:
    """A page that holds one sentence, and a link to the workbench."""
    more = f"<p><a href='{escape(link)}'>Open the workbench</a></p>" if link else ""
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>MFA workbench</title>"
        "<body style='font:1.1rem sans-serif;max-width:40em;margin:3em auto;padding:0 1em'>"
        f"<p>{escape(words)}</p>{more}</body></html>"
    )


class Refusal(tornado.web.RequestHandler):
    """Answers every request with one sentence."""

    def initialize(self, status: int, words: str, link: str = "") -> None:
        """See ``sentence``; ``status`` of the answer."""
        self._refused = (status, words, link)

    def prepare(self) -> None:
        """Before any method is looked at."""
        status, words, link = self._refused
        self.set_status(status)
        self.finish(sentence(words, link))

    def write_error(self, status_code: int, **_: Any) -> None:
        """For a method that HTTP does not have, which is refused before ``prepare``."""
        self.finish(sentence(*self._refused[1:]))


class Kernels(AsyncMappingKernelManager):
    """Starts no more kernels than fit into memory."""

    most = 1
    starting = 0

    @property
    def full(self) -> bool:
        """Whether there is no room for one more."""
        return len(self.list_kernel_ids()) + self.starting >= self.most

    async def start_kernel(  # type: ignore[override]  # the base class is wrapped, too
        self, *arguments: Any, **options: Any
    ) -> Any:
        """See the base class.

        Raises:
            HTTPError: there is no room.
        """
        if self.full:
            raise tornado.web.HTTPError(503, reason="No memory for one more visitor")
        self.starting += 1
        try:
            return await super().start_kernel(*arguments, **options)
        finally:
            self.starting -= 1


class Visit(TornadoVoilaHandler):  # type: ignore[misc]
    """The page, for those who come to it by themselves or from it."""

    @tornado.web.authenticated
    async def get(self, path: str | None = None) -> None:
        """Start a kernel and show the page.

        The token leaves the address first. What may not start a kernel gets a sentence.
        """
        here = self.request.path
        if self.get_argument("token", ""):  # the visitor has a cookie now
            kept = [(k, v[-1].decode()) for k, v in self.request.query_arguments.items()]
            self.redirect(url_concat(here, [(k, v) for k, v in kept if k != "token"]))
            return
        if not gate.may_start(dict(self.request.headers.get_all()), self.request.host):
            await self.finish(sentence(ELSEWHERE, here))
            return
        if self.kernel_manager.full:
            self.set_status(503)
            await self.finish(sentence(FULL, here))
            return
        await super().get(path)


class Channels(VoilaKernelWebsocketHandler):  # type: ignore[misc]
    """The socket between a page and its kernel.

    jupyter_server and Voila believe how many parts a message claims to have. One that claims 2^60
    would take all memory, so it is counted here first.
    """

    def on_message(self, ws_message: str | bytes) -> None:
        """Pass a message on to the kernel; one that is none closes the socket."""
        if not gate.is_framed(ws_message):
            self.close(1007, "not a message")
            return
        super().on_message(ws_message)


OURS = {TornadoVoilaHandler: Visit, VoilaKernelWebsocketHandler: Channels}
"""Handlers of Voila, and those that take their places."""


class Workbench(Voila):  # type: ignore[misc]
    """Voila for one notebook, behind the gate."""

    visits = Int(4, help="Most visits at once.").tag(config=True)
    dark = Bool(False, help="The dark theme.").tag(config=True)

    def init_settings(self) -> dict[str, Any]:
        """See the base class; kernels are counted."""
        self.voila_configuration.multi_kernel_manager_class = Kernels
        settings: dict[str, Any] = super().init_settings()
        self.kernel_manager.most = self.visits
        return settings

    def init_handlers(self) -> list[Any]:
        """See the base class; ours take their places, and the gate stands before all handlers."""
        application, inner = self.app, self.app.find_handler

        def guarded(request: HTTPServerRequest, **options: Any) -> Any:
            refused = self._refused(request)
            if refused is None:
                return inner(request, **options)
            return application.get_handler_delegate(request, Refusal, refused)

        application.find_handler = guarded
        application.add_transform(WithHeaders)
        return [
            (path, OURS.get(handler, handler), *given)
            for path, handler, *given in super().init_handlers()
        ]

    def listen(self) -> None:
        """See the base class; bodies are bounded, since they are read before anybody looks."""
        self.app.listen = partial(self.app.listen, max_body_size=BODY)
        super().listen()

    def _refused(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Status and sentence for a request that gets nothing else."""
        if not self.token and not gate.is_own_name(request.host, self.ip):
            return {"status": 403, "words": STRANGER}
        if request.method not in tornado.web.RequestHandler.SUPPORTED_METHODS:
            return {"status": 405, "words": METHOD}
        if not gate.is_known(request.path, self.base_url):
            return {"status": 404, "words": NOTHING, "link": self.base_url}
        asked = request.headers.get("Sec-WebSocket-Protocol", "")
        if request.path.endswith("/channels") and FRAMING not in asked.replace(",", " ").split():
            return {"status": 400, "words": NO_PAGE}
        return None
