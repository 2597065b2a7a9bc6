"""Commands to begin with: init writes a study file, serve opens the planner in a browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from sitedesign.cli.console import AsJson, check_outputs, exit_codes, say, say_json
from sitedesign.cli.study_options import OF, by_option


def init(
    file: Annotated[Path, typer.Argument(help="Study file to write; none is replaced.")] = Path("study.toml"),
    lat: Annotated[float, typer.Option(help="Latitude, north positive. (degrees)")] = 31.76,
    lon: Annotated[float, typer.Option(help="Longitude, east positive, west negative. (degrees)")] = -106.49,
    name: Annotated[
        str | None, typer.Option(help="Name of the site. (default: El Paso, TX, or the coordinates)")
    ] = None,
    racks: Annotated[int, typer.Option(help="Racks contracted.")] = 700,
    uptime: Annotated[float, typer.Option(help="Share of rack-hours to serve. (fraction)")] = 0.999,
    as_json: AsJson = False,
) -> None:
    """Write a study file with a comment on every setting, to be edited and solved."""
    with exit_codes(as_json):
        from sitedesign.errors import InputError
        from sitedesign.study.study import Study
        from sitedesign.study.toml_file import write_template

        check_outputs({"FILE": file})
        if name is None:
            name = "El Paso, TX" if (lat, lon) == (31.76, -106.49) else f"{lat:.2f}, {lon:.2f}"
        try:
            Study(site={"latitude": lat, "longitude": lon, "name": name}, racks=racks, uptime=uptime)
            write_template(file, latitude=lat, longitude=lon, name=name, racks=racks, uptime=uptime)
        except InputError as error:
            named = [replace(item, where="FILE") if item.where == "path" else item for item in error.faults]
            raise InputError(by_option(named), OF) from None
        if as_json:
            say_json({"written": str(file)})
        else:
            say(f"Written: {file}. Edit it, then: sitedesign solve {file}")


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; the default is this machine only.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8080,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
    as_json: AsJson = False,
) -> None:
    """Open the planner, a local web page, until Ctrl-C."""
    with exit_codes(as_json, "Stopped."):
        run = _planner()
        if as_json:
            shown = f"[{host}]" if ":" in host else host
            say_json({"url": f"http://{shown}:{port}"})
        run(host=host, port=port, open_browser=browser)


def _planner() -> Callable[..., None]:
    """Load the page when it is asked for; it tells what it lacks."""
    from sitedesign.serve import run

    return run
