"""The command for who builds it: schedule of equipment, register of assumptions, single-line sketch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sitedesign.cli.console import (
    AsJson,
    check_outputs,
    check_table,
    exit_codes,
    progress_line,
    records,
    say,
    say_json,
    write_table,
)
from sitedesign.cli.designing import Hourly, SavedDesign, WeatherAgain, load_design, study_of, with_hours

_OUTPUT = "Output"


def equipment(
    design: SavedDesign,
    units: Annotated[str, typer.Option(help="si or us: heat rate, fuel, land, temperature.")] = "si",
    csv: Annotated[
        Path | None,
        typer.Option("--csv", help="Write the schedule.", rich_help_panel=_OUTPUT, show_default=False),
    ] = None,
    assumptions: Annotated[
        Path | None,
        typer.Option(
            help="Write every number used, with range, confidence and source, as CSV.",
            rich_help_panel=_OUTPUT,
            show_default=False,
        ),
    ] = None,
    svg: Annotated[
        Path | None,
        typer.Option(help="Write a single-line sketch.", rich_help_panel=_OUTPUT, show_default=False),
    ] = None,
    hourly: Hourly = None,
    weather: WeatherAgain = None,
    as_json: AsJson = False,
) -> None:
    """List what a saved design builds, one line a unit: rating, bus, lead time, source."""
    with exit_codes(as_json):
        check_outputs({"--csv": csv, "--assumptions": assumptions, "--svg": svg})
        check_table("--hourly", hourly)
        with progress_line("loading the design") as progress:
            from sitedesign.cli.study_options import OF
            from sitedesign.errors import InputError
            from sitedesign.util.atomic_file import write_atomic
            from sitedesign.util.display_units import SYSTEMS
            from sitedesign.util.gate import OneOf
            from sitedesign.util.html_table import table_csv

            faults = OneOf(SYSTEMS).faults("--units", units)
            if faults:
                raise InputError(faults, OF)
            loaded = load_design(design)
            schedule = loaded.equipment(units)  # type: ignore[arg-type]  # checked above
            if csv is not None:
                write_atomic(csv, table_csv(schedule))
            if assumptions is not None:
                write_atomic(assumptions, table_csv(loaded.assumptions(units)))  # type: ignore[arg-type]
            if svg is not None:
                write_atomic(svg, loaded.single_line().encode())
            if hourly is not None:
                progress("operating the plant again, to have its hours")
                write_table(hourly, with_hours(loaded, study_of(loaded, weather or [])).hourly())
    if as_json:
        say_json({"equipment": records(schedule)})
        return
    for row in schedule.astype(object).fillna("").to_dict("records"):
        lead = f", {row['lead_months']:g} months" if row["lead_months"] != "" else ""
        there = f"; {row['on_site']}" if row["on_site"] else ""
        say(f"{row['tag']}: {row['equipment']}, {row['rating']}, {row['bus']}{there}{lead}")
