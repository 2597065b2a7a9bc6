"""Who may talk to the planner: pages of its own, by a name of its own, and whoever was given its address."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs, urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

_HEADERS: tuple[Header, ...] = (
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
# The framework compiles its templates in the browser, which takes eval; everything comes from here
_PAGE_POLICY = (
    b"default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; object-src 'none'; "
    b"base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
# A report is a page of its own that must not act in the name of the planner
_FILE_POLICY = b"sandbox allow-scripts allow-downloads allow-popups; base-uri 'none'; form-action 'none'"
_FILES = "/files/"
_STATIC = ("/_nicegui/", "/world.json")


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only be reached from this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def names_of(host: str) -> frozenset[str]:
    """Names by which a server that listens at `host` may be called, in small letters."""
    own = {socket.gethostname(), socket.getfqdn(), "" if _is_address(host.strip("[]")) else host}
    return frozenset(name.lower() for name in own if name)


@dataclass(frozen=True)
class Access:
    """Who may pass.

    Attributes
    ----------
    local : bool
        Whether the server is bound to the loopback, so that only its names are right.
    names : frozenset of str
        Other names of the server. An address is no name: a page of another site can give itself a name that
        leads here, but it cannot make the browser believe that it is an address.
    token : str
        What everybody must know who is not on this machine; empty where nothing must be known.
    cookie : str
        Name of the cookie that remembers the token.
    """

    local: bool
    names: frozenset[str] = frozenset()
    token: str = field(default="", repr=False)
    cookie: str = "sitedesign_token"

    def names_right(self, scope: Scope) -> bool:
        """Whether a request names this server, and was made by a page of it.

        A page of another site can make a browser send requests here, and can give itself a name that leads
        here: the first shows in ``Origin``, the second in ``Host``.
        """
        headers = dict(scope.get("headers") or ())
        host = headers.get(b"host", b"").decode("latin-1")
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
            origin = headers.get(b"origin")
            asked_by = host if origin is None else urlsplit(origin.decode("latin-1")).netloc
        except ValueError:
            return False
        known = is_loopback(name) or (not self.local and (name in self.names or _is_address(name)))
        return asked_by == host and known

    def knows_token(self, scope: Scope) -> bool:
        """Whether a request brings the token in its cookie."""
        if not self.token:
            return True
        cookies: SimpleCookie = SimpleCookie()
        try:
            for name, value in scope.get("headers") or ():
                if name == b"cookie":
                    cookies.load(value.decode("latin-1"))
        except CookieError:
            return False
        given = cookies[self.cookie].value if self.cookie in cookies else ""
        return secrets.compare_digest(given.encode(), self.token.encode())

    def brings_token(self, scope: Scope) -> bool:
        """Whether a request brings the token in its address, as the terminal shows it."""
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        return bool(self.token) and secrets.compare_digest(given.encode(), self.token.encode())


class Guard:
    """ASGI middleware that turns away whom :class:`Access` does not let pass.

    Parameters
    ----------
    app : ASGI application
    access : Access
    """

    def __init__(self, app: App, *, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with headers that keep its answer to this site, or refuse it."""
        kind = scope["type"]
        if kind not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        named = self._access.names_right(scope)
        if named and self._access.knows_token(scope):
            await self._app(scope, receive, _guarded(send, str(scope.get("path", ""))))
        elif kind == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        elif named and self._access.brings_token(scope):
            cookie = f"{self._access.cookie}={self._access.token}; Path=/; HttpOnly; SameSite=Strict"
            await _answer(send, 303, b"", [(b"location", b"/"), (b"set-cookie", cookie.encode())])
        elif named:
            await _answer(send, 403, b"Open the address that the terminal shows, with its token.\n")
        else:
            await _answer(send, 403, b"Not asked by a page of this planner.\n")


async def _answer(send: Send, status: int, body: bytes, more: Iterable[Header] = ()) -> None:
    headers = [(b"content-type", b"text/plain"), *more]
    guarded = _guarded(send, "")
    await guarded({"type": "http.response.start", "status": status, "headers": headers})
    await guarded({"type": "http.response.body", "body": body})


def _guarded(send: Send, path: str) -> Send:
    """Add to every answer what it says to the browser about itself."""
    policy = _FILE_POLICY if path.startswith(_FILES) else _PAGE_POLICY
    more = [*_HEADERS, (b"content-security-policy", policy)]
    kept = path.startswith(_STATIC)

    async def guarded(message: Mapping[str, Any]) -> None:
        shown = dict(message)
        if shown["type"] == "http.response.start":
            headers = list(shown.get("headers", ()))
            if not kept:  # results are for the session that asked, not for a shared cache
                headers = [item for item in headers if item[0].lower() != b"cache-control"]
                headers.append((b"cache-control", b"no-store"))
            shown["headers"] = [*headers, *more]
        await send(shown)

    return guarded
