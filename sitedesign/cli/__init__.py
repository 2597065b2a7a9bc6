"""Command line: a thin shell over the public API.

Exit codes: 0 solved or done, 2 bad input, 3 infeasible, 4 stopped with a gap, 130 interrupted, 1 anything
else. A module of commands imports what it runs inside the command: ``sitedesign --help`` loads no solver.
"""

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from sitedesign import __version__
from sitedesign.cli import (
    designing,
    engineering,
    financing,
    fleets,
    library_entries,
    lives,
    roadmapping,
    sites,
    starting,
    sweeping,
    weather_files,
)
from sitedesign.cli.console import (
    BAD_INPUT,
    EXIT_CODES,
    FAILED,
    GAP,
    INFEASIBLE,
    INTERRUPTED,
    SOLVED,
    failure,
    show_in,
)
from sitedesign.cli.numbers import read_numbers_of
from sitedesign.util.display_units import SYSTEMS

__all__ = ["BAD_INPUT", "FAILED", "GAP", "INFEASIBLE", "INTERRUPTED", "SOLVED", "app", "main"]


class _Group(TyperGroup):
    """The command line, which answers in JSON also when the words of a command are wrong."""

    def main(self, args: Sequence[str] | None = None, *more: Any, **options: Any) -> Any:  # noqa: ANN401
        """Run a command; parameters are those of the framework."""
        words = list(sys.argv[1:] if args is None else args)
        if "--json" not in words or not options.get("standalone_mode", True):
            return super().main(args, *more, **options)
        try:
            code = super().main(args, *more, **options | {"standalone_mode": False})
        except Exception as error:
            usage = hasattr(error, "format_message")  # an option that does not exist, a word too many
            if not usage:
                traceback.print_exc(file=sys.stderr)
            code = BAD_INPUT if usage else FAILED
            typer.echo(failure(error, code))
        sys.exit(code or 0)


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_show_locals=False,  # a local may hold a key
    help="Design the power plant and the rack count of an AI data center that cannot wait for the grid.",
    epilog=EXIT_CODES,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _of_all(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and end.", callback=_print_version, is_eager=True),
    ] = False,
    units: Annotated[
        str | None,
        typer.Option(
            help="Units of what is written for people: si, or us; before the command, as in 'sitedesign "
            "--units us solve ...'. Reports take them too; JSON and CSV keep theirs.",
            show_default=False,
        ),
    ] = None,
) -> None:
    if units is not None and units not in SYSTEMS:
        found = f"got {units!r}; must be one of {', '.join(SYSTEMS)}"
        raise typer.BadParameter(found, param_hint="--units")
    show_in(units)


_ONE, _MANY, _MORE = "One site", "Many sites", "Data and tools"
_EL_PASO = "--lat 31.76 --lon -106.49 --racks 700 --uptime 0.999"
_GRID = "--grid-model flexible --grid-mw 150 --grid-tariff ercot"
_HUBS = {
    "solve": f"sitedesign solve {_EL_PASO} --wind onshore_6mw_170 {_GRID}",
    "evaluate": f"sitedesign evaluate {_EL_PASO} --solar-mw 150 --battery-mwh 1000 --battery-mw 120 "
    f"--wind-mw onshore_6mw_170=60 --racks-installed 705 {_GRID}",
    "batch": f"sitedesign batch sites.csv --racks 700 --uptime 0.999 --wind onshore_6mw_170 {_GRID}; the "
    "table may have columns such as wind, grid.mw and grid.tariff",
}
for _name, _command, _panel, _example in (
    ("init", starting.init, _ONE, "sitedesign init study.toml && sitedesign solve study.toml"),
    ("solve", designing.solve, _ONE, f"sitedesign solve {_EL_PASO} --report report.html"),
    (
        "evaluate",
        designing.evaluate,
        _ONE,
        f"sitedesign evaluate {_EL_PASO} --solar-mw 230 --battery-mwh 575 --battery-mw 75 "
        "--units mobile_gt=8 --racks-installed 705",
    ),
    ("show", designing.show_design, _ONE, "sitedesign show design.json --details"),
    ("certify", designing.certify, _ONE, "sitedesign certify design.json --years 200 --draws 5 --seed 7"),
    ("report", designing.report, _ONE, "sitedesign report design.json --sweeps"),
    (
        "equipment",
        engineering.equipment,
        _ONE,
        "sitedesign equipment design.json --units us --csv equipment.csv --assumptions assumptions.csv",
    ),
    (
        "plant-life",
        lives.plant_life,
        _ONE,
        "sitedesign plant-life design.json --ages 1,10,20 --load-growth 0.01 --report report.html",
    ),
    ("battery-life", lives.battery_life, _ONE, "sitedesign battery-life design.json --upkeep none"),
    (
        "finance",
        financing.finance,
        _ONE,
        "sitedesign finance design.json --target-irr 0.12 --debt-dscr 1.3 --excel cash_flow.xlsx",
    ),
    (
        "roadmap",
        roadmapping.roadmap,
        _ONE,
        f"sitedesign roadmap {_EL_PASO} --ramp 6=100 --ramp 12=700 --value landlord --rent mobile_gt=12 "
        "--by-hand --report roadmap.html",
    ),
    (
        "frontier",
        sweeping.frontier,
        _ONE,
        "sitedesign frontier study.toml --over 'battery price' --values 80,120,160,200 --csv prices.csv",
    ),
    ("tradeoff", sweeping.tradeoff, _ONE, f"sitedesign tradeoff {_EL_PASO} --points 9 --csv tradeoff.csv"),
    (
        "sensitivity",
        sweeping.sensitivity,
        _ONE,
        f"sitedesign sensitivity {_EL_PASO} --csv numbers.csv",
    ),
    (
        "alternatives",
        sweeping.alternatives,
        _ONE,
        f"sitedesign alternatives {_EL_PASO} --within 0.02 --csv alternatives.csv",
    ),
    (
        "batch",
        sites.batch,
        _MANY,
        "sitedesign batch sites.csv --out results --racks 700 --uptime 0.999",
    ),
    (
        "rank",
        sites.rank_command,
        _MANY,
        "sitedesign rank results --by land_acres --where 'months_to_power <= 24'",
    ),
    ("map", sites.map_command, _MANY, "sitedesign map results --out map.html"),
    (
        "portfolio",
        fleets.portfolio_command,
        _MANY,
        "sitedesign portfolio results --racks 5000 --most-sites 10 --map portfolio.html",
    ),
    ("serve", starting.serve, _MORE, "sitedesign serve --port 8090"),
):
    _beside = f"\n\nWith wind and a connection: {_HUBS[_name]}" if _name in _HUBS else ""
    app.command(_name, epilog=f"Example: {_example}{_beside}", rich_help_panel=_panel)(_command)
app.add_typer(weather_files.app, name="weather", rich_help_panel=_MORE)
app.add_typer(library_entries.app, name="library", rich_help_panel=_MORE)
for _application in (app, weather_files.app, library_entries.app):
    read_numbers_of(_application)


def main() -> None:
    """Entry point of the ``sitedesign`` command."""
    # What is imported lives as long as the process: to look for garbage in it again and again takes a second
    gc.set_threshold(100_000)
    # Threads of matrix products wait in a loop for the next: they take the cores that plants are judged on
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        app()
    except KeyboardInterrupt:  # before any command began
        sys.exit(INTERRUPTED)
