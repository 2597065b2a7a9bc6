"""The command about time: which power when."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sitedesign.cli.console import (
    GAP,
    SOLVED,
    AsJson,
    check_outputs,
    exit_codes,
    progress_line,
    say_answer,
    say_json,
    say_next,
    show_written,
    shown_in,
    warn,
)
from sitedesign.cli.study_options import OF, StudyOptions, takes_study

if TYPE_CHECKING:
    from sitedesign.api.roadmap_answer import Roadmap
    from sitedesign.errors import Fault

_ASKED, _OUTPUT, _RUN = "Roadmap", "Output", "Run"
#: What the function is asked -> the option it comes from.
_OPTIONS = {
    "ramp": "--ramp", "value_usd_per_rack_month": "--value", "start": "--start", "rentals": "--rent",
    "horizon_months": "--horizon-months", "deliveries": "--deliver", "stages": "--stages", "dates": "--dates",
    "draws": "--draws",
}  # fmt: skip


@takes_study
def roadmap(
    options: StudyOptions,
    ramp: Annotated[
        list[str] | None,
        typer.Option(
            help="Racks asked for from a month on as MONTH=RACKS, for example 12=700; repeat for more.",
            rich_help_panel=_ASKED,
            show_default=False,
        ),
    ] = None,
    value: Annotated[
        str | None,
        typer.Option(
            help="What a rack that runs is worth a month, or whose it is: landlord, developer, gpu_owner, "
            "gpu_holder. Without it the ramp is a promise. (USD/rack-month)",
            rich_help_panel=_ASKED,
            show_default=False,
        ),
    ] = None,
    rent: Annotated[
        list[str] | None,
        typer.Option(
            help="Power for rent as NAME or NAME=UNITS ('library list rental'); repeat for more.",
            rich_help_panel=_ASKED,
            show_default=False,
        ),
    ] = None,
    deliver: Annotated[
        list[str] | None,
        typer.Option(
            help="Delivery as NAME=LEAD or NAME=LEAD:RATE, months and MW a month (MWh of a battery), for "
            "example solar=10:40, grid=36; repeat. The library's when left out.",
            rich_help_panel=_ASKED,
            show_default=False,
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(help="First day, as 2027-01-01.", rich_help_panel=_ASKED, show_default=False),
    ] = None,
    horizon_months: Annotated[
        int | None,
        typer.Option(
            help="Until which is paid; the years of the analysis when left out. (months)",
            rich_help_panel=_ASKED,
            show_default=False,
        ),
    ] = None,
    stages: Annotated[
        int | None,
        typer.Option(help="Stages at most. (default: 12)", rich_help_panel=_ASKED, show_default=False),
    ] = None,
    by_hand: Annotated[
        bool | None,
        typer.Option(
            "--by-hand",
            help="Also plan what people plan by hand: wait for the grid; all gas; solar and battery only.",
            rich_help_panel=_ASKED,
        ),
    ] = None,
    worth: Annotated[
        bool | None,
        typer.Option(
            "--worth",
            help="Also say what a month of earlier grid, one more unit for rent and a month less of each "
            "lead time are worth.",
            rich_help_panel=_ASKED,
        ),
    ] = None,
    worth_whole: Annotated[
        bool | None,
        typer.Option(
            "--worth-whole",
            help="The same, with whole plans solved anew for the grid and the units for rent until what they "
            "are worth is known within proven limits, some 1.5 % where many racks run; a minute or two each.",
            rich_help_panel=_ASKED,
        ),
    ] = None,
    dates: Annotated[
        list[str] | None,
        typer.Option(
            help="Dates that are not known, on which the orders are evaluated: 'library', or "
            "NAME=P10:P50:P90 or NAME=P10:P90 in months, for example grid=24:36:60; repeat for more.",
            rich_help_panel=_ASKED,
            show_default=False,
        ),
    ] = None,
    draws: Annotated[
        int | None,
        typer.Option(help="Draws of these dates. (default: 200)", rich_help_panel=_ASKED, show_default=False),
    ] = None,
    certify: Annotated[
        bool | None,
        typer.Option("--certify", help="Certify every stage; some ten seconds each.", rich_help_panel=_RUN),
    ] = None,
    gap: Annotated[
        float | None,
        typer.Option(help="Relative optimality gap. (fraction)", rich_help_panel=_RUN, show_default=False),
    ] = None,
    time_limit: Annotated[
        float | None,
        typer.Option(
            help="Stop after this time with plan and bound. (s)", rich_help_panel=_RUN, show_default=False
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(help="Write the roadmap to this JSON file.", rich_help_panel=_OUTPUT),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", help="Write power and racks by month.", rich_help_panel=_OUTPUT),
    ] = None,
    cash_csv: Annotated[
        Path | None, typer.Option("--cash-csv", help="Write money by month.", rich_help_panel=_OUTPUT)
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write the HTML report to this file.", rich_help_panel=_OUTPUT)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Plan which power comes when: orders, deliveries, rent and grid, and the racks that run by month.

    A study file may hold the same in a table called roadmap; options replace what it says.
    """
    with exit_codes(as_json):
        check_outputs({"--save": save, "--csv": csv, "--cash-csv": cash_csv, "--report": report})
        code = SOLVED
        with progress_line("loading the solver") as progress:
            import sitedesign as sd
            from sitedesign.study.roadmap_file import read_roadmap_table

            given = _given(ramp or [], value, rent or [], deliver or [], dates or [])
            given |= {"start": start, "horizon_months": horizon_months, "stages": stages, "gap": gap}
            given |= {
                "draws": draws,
                "by_hand": by_hand,
                "worth": "whole" if worth_whole else worth,
                "certify": certify,
                "time_limit_s": time_limit,
            }
            file = options.given.get("file")
            asked = {} if file is None else read_roadmap_table(file)
            asked |= {name: item for name, item in given.items() if item not in (None, {}, [])}
            study = options.study()
            try:
                found = sd.roadmap(study, **asked, progress=progress)
            except sd.NotProvenOptimal as error:
                if error.incumbent is None:
                    raise
                found, code = error.incumbent, GAP
                stopped = str(error)
            except sd.InputError as error:
                raise sd.InputError(_by_option(error.faults), OF) from None
            _write(found, save, csv, cash_csv)
        if code == GAP:
            warn(stopped)
        if as_json:
            say_json(found.to_dict())
        else:
            say_answer(found)
        if report is not None:
            with progress_line("writing the report"):
                found.report(report, units=shown_in())
            if not as_json:
                show_written(report, as_json=False)
        if not as_json:
            file = save or "roadmap.json"
            say_next(("" if save else f"--save {file}, then ") + f"sitedesign finance {file}")
    raise typer.Exit(code)


def _write(found: Roadmap, save: Path | None, csv: Path | None, cash_csv: Path | None) -> None:
    from sitedesign.util.atomic_file import write_atomic
    from sitedesign.util.html_table import table_csv

    if save is not None:
        found.save(save)
    if csv is not None:
        write_atomic(csv, table_csv(found.month_table().reset_index()))
    if cash_csv is not None:
        write_atomic(cash_csv, table_csv(found.cash_table().reset_index()))


def _given(
    ramp: list[str], value: str | None, rent: list[str], deliver: list[str], dates: list[str]
) -> dict[str, Any]:
    """Read what options say as text.

    Raises
    ------
    InputError
        With every malformed option.
    """
    from sitedesign.errors import InputError

    faults: list[Fault] = []
    given = {
        "ramp": steps_of(ramp, faults),
        "value_usd_per_rack_month": _number(value),
        "rentals": _rentals(rent, faults),
        "deliveries": _deliveries(deliver, faults),
        "dates": _dates(dates, faults),
    }
    if faults:
        raise InputError(faults, OF)
    return given


def _number(text: str | None) -> float | str | None:
    """Read a number; the name of an owner stays what it is."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


def steps_of(items: list[str], faults: list[Fault]) -> dict[int, int]:
    """Read ``12=700``; collects faults."""
    from sitedesign.errors import Fault

    steps = {}
    for item in items:
        month, _, racks = item.partition("=")
        try:
            steps[int(month)] = int(racks)
        except ValueError:
            faults.append(Fault("--ramp", repr(item), "must be MONTH=RACKS, whole numbers", "Try 12=700."))
    return dict(sorted(steps.items()))


def _rentals(items: list[str], faults: list[Fault]) -> list[Any]:
    """Read ``mobile_gt`` or ``mobile_gt=12``; collects faults."""
    from sitedesign import library
    from sitedesign.errors import Fault, unknown_name
    from sitedesign.study.roadmap_defaults import usual_rental

    found: list[Any] = []
    for item in items:
        name, equals, count = item.partition("=")
        if name not in library.names("rental"):
            faults.append(unknown_name("--rent", name, library.names("rental")))
        elif equals and not count.isdigit():
            faults.append(Fault("--rent", repr(item), "must be NAME=UNITS", "Try mobile_gt=12."))
        else:
            found.append(usual_rental(name, int(count) if equals else None))
    return found


def _deliveries(items: list[str], faults: list[Fault]) -> list[dict[str, Any]]:
    """Read ``solar=10:40`` or ``grid=36``; collects faults."""
    from sitedesign.errors import Fault

    found = []
    for item in items:
        name, _, text = item.partition("=")
        lead, colon, rate = text.partition(":")
        unit = "mwh_per_month" if name == "battery" else "mw_per_month"
        try:
            one = {"technology": name, "lead_months": int(lead)} | ({unit: float(rate)} if colon else {})
        except ValueError:
            allowed = "must be NAME=LEAD or NAME=LEAD:RATE, the lead in whole months"
            faults.append(Fault("--deliver", repr(item), allowed, "Try solar=10:40."))
            continue
        found.append(one)
    return found


def _dates(items: list[str], faults: list[Fault]) -> str | dict[str, list[float]]:
    """Read ``grid=24:36:60`` or ``grid=24:60``, or one name; collects faults."""
    from sitedesign.errors import Fault

    if len(items) == 1 and "=" not in items[0]:
        return items[0]
    found = {}
    for item in items:
        name, _, text = item.partition("=")
        try:
            found[name] = [float(month) for month in text.split(":")]
        except ValueError:
            allowed = "must be 'library', NAME=P10:P50:P90 or NAME=P10:P90, in months"
            faults.append(Fault("--dates", repr(item), allowed, "Try grid=24:36:60."))
    return found


def _by_option(faults: tuple[Fault, ...]) -> list[Fault]:
    """Name faults by the options that they come from."""
    found = []
    for fault in faults:
        head = fault.where.split(".")[0].split("[")[0]
        found.append(replace(fault, where=_OPTIONS.get(head, fault.where)))
    return found
