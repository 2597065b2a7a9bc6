"""Who may talk to the planner: pages of its own, by a name that is its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_HEADERS = (
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only be reached from this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def allowed(scope: Scope, *, local: bool) -> bool:
    """Whether a request may pass.

    A page of another site can make a browser send requests here, and can give itself a name that leads here:
    the first shows in ``Origin``, the second in ``Host``.

    Parameters
    ----------
    scope : mapping
        ASGI scope of a request or a websocket.
    local : bool
        Whether the server is bound to the loopback, so that only its names are right.
    """
    headers = dict(scope.get("headers") or ())
    host = headers.get(b"host", b"").decode("latin-1")
    try:
        name = urlsplit(f"//{host}").hostname or ""
        origin = headers.get(b"origin")
        asked_by = host if origin is None else urlsplit(origin.decode("latin-1")).netloc
    except ValueError:
        return False
    return asked_by == host and (is_loopback(name) or not local)


class Guard:
    """ASGI middleware that turns away what :func:`allowed` does not allow.

    Parameters
    ----------
    app : ASGI application
    local : bool
        As for :func:`allowed`.
    """

    def __init__(self, app: App, *, local: bool) -> None:
        self._app = app
        self._local = local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with headers that keep its answer to this site, or refuse it."""
        kind = scope["type"]
        if kind not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif allowed(scope, local=self._local):
            await self._app(scope, receive, _guarded(send))
        elif kind == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            text = [(b"content-type", b"text/plain")]
            await send({"type": "http.response.start", "status": 403, "headers": text})
            await send({"type": "http.response.body", "body": b"Not asked by a page of this planner.\n"})


def _guarded(send: Send) -> Send:
    async def guarded(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *_HEADERS]
        await send(message)

    return guarded
