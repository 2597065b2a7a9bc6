"""Commands that ask one question many times: frontier, tradeoff and sensitivity."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sitedesign.cli.console import (
    AsJson,
    SaveJson,
    check_outputs,
    exit_codes,
    progress_line,
    records,
    save_json,
    say,
    say_answer,
    say_json,
    say_next,
    screen,
    width,
)
from sitedesign.cli.study_options import OF, StudyOptions, takes_study
from sitedesign.cli.tables import table_text

if TYPE_CHECKING:
    import pandas as pd

Csv = Annotated[
    Path | None, typer.Option("--csv", help="Write all columns to this file.", rich_help_panel="Output")
]
Gap = Annotated[
    float, typer.Option(help="Relative optimality gap of each answer. (fraction)", rich_help_panel="Run")
]
Certify = Annotated[
    bool,
    typer.Option(
        "--certify", help="Also certify a plant at each value; half a minute each.", rich_help_panel="Run"
    ),
]
Effort = Annotated[
    str,
    typer.Option(
        help="How long to search for each certified plant: screening, standard.", rich_help_panel="Run"
    ),
]
AfterTax = Annotated[
    bool,
    typer.Option(
        "--after-tax",
        help="Also find the price of power at which equity earns its return after taxes, and say whether it "
        "ranks plants as their annualised cost does.",
        rich_help_panel="Sweep",
    ),
]
_DEFAULTS = {
    "uptime": (0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999),
    "min_renewable_share": (0.0, 0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99),
}
_MOST_VALUES = 10_000
# Column, heading, factor, digits after the point
_SHOWN = (
    ("solar_mw", "solar\nMWdc", 1.0, 0),
    ("battery_mwh", "battery\nMWh", 1.0, 0),
    ("battery_mw", "battery\nMW", 1.0, 0),
    ("racks_installed", "racks", 1.0, 0),
    ("renewable_share", "no\nbackup\n%", 100.0, 1),
    ("cost_usd_per_yr", "cost\nM USD\na year", 1e-6, 2),
    ("uptime_price_usd_per_mwh", "uptime\nUSD\nper MWh", 1.0, 0),
    ("lcoe_usd_per_mwh", "annualised\nUSD\nper MWh", 1.0, 2),
    ("price_usd_per_mwh", "after tax\nUSD\nper MWh", 1.0, 2),
)


@takes_study
def frontier(
    options: StudyOptions,
    over: Annotated[
        str,
        typer.Option(
            help="What to vary: uptime, min_renewable_share, land_acres, co2_t_per_yr, months_to_power, "
            "'battery price' (USD/kWh), 'battery power price' (USD/kW), 'solar price' (USD/Wdc), 'gas price' "
            "or 'diesel price' (USD/MMBtu).",
            rich_help_panel="Sweep",
        ),
    ],
    values: Annotated[
        str | None,
        typer.Option(
            help="Values with commas between them, or FIRST:LAST:COUNT. Nine and eight usual ones for uptime "
            "and min_renewable_share when left out.",
            rich_help_panel="Sweep",
            show_default=False,
        ),
    ] = None,
    certify: Certify = False,
    effort: Effort = "screening",
    gap: Gap = 1e-4,
    csv: Csv = None,
    save: SaveJson = None,
    after_tax: AfterTax = False,
    as_json: AsJson = False,
) -> None:
    """Solve a study for several values of one target, limit or price; --certify adds certified plants."""
    with exit_codes(as_json, _interrupted(csv)):
        check_outputs({"--csv": csv, "--save": save})
        with progress_line("loading the solver") as progress:
            import sitedesign as sd

            name, numbers = _asked(over, values)
            # What is swept needs no value of its own
            start = {"uptime": numbers[0]} if name == "uptime" else {}
            study = options.study(**start)
            terms = sd.Terms() if after_tax else None
            table = sd.frontier(
                study, name, numbers, gap=gap, certify=certify, effort=effort,  # type: ignore[arg-type]  # checked by frontier
                progress=progress, keep=_keep(csv), finance=terms,
            )  # fmt: skip
        _show_sweep(table, csv, save, as_json)


@takes_study
def tradeoff(
    options: StudyOptions,
    points: Annotated[
        int,
        typer.Option(
            min=2, help="Sizes of the array, from half to twice the optimum.", rich_help_panel="Sweep"
        ),
    ] = 15,
    certify: Certify = False,
    effort: Effort = "screening",
    gap: Gap = 1e-4,
    csv: Csv = None,
    save: SaveJson = None,
    after_tax: AfterTax = False,
    as_json: AsJson = False,
) -> None:
    """Find the best plant for each size of the array at the same uptime: panels against batteries."""
    with exit_codes(as_json, _interrupted(csv)):
        check_outputs({"--csv": csv, "--save": save})
        with progress_line("loading the solver") as progress:
            import sitedesign as sd

            study = options.study()
            terms = sd.Terms() if after_tax else None
            table = sd.tradeoff(
                study, points=points, gap=gap, certify=certify, effort=effort,  # type: ignore[arg-type]  # checked by tradeoff
                progress=progress, keep=_keep(csv), finance=terms,
            )  # fmt: skip
        _show_sweep(table, csv, save, as_json)


@takes_study
def sensitivity(
    options: StudyOptions,
    design: Annotated[
        Path | None,
        typer.Option(
            help="Design that 'solve --save' wrote, in place of a question: its certified plant is judged at "
            "both ends as well, which takes minutes.",
            rich_help_panel="Sensitivity",
        ),
    ] = None,
    ranges: Annotated[
        list[str] | None,
        typer.Option(
            "--range",
            help="Range of your own as NAME=LOW:HIGH, for example lfp.capex_usd_per_kwh=90:200 or "
            "months_to_power=12:18; repeat for more.",
            rich_help_panel="Sensitivity",
            show_default=False,
        ),
    ] = None,
    certified: Annotated[
        bool | None,
        typer.Option(
            help="Judge the certified plant of a design. (default: yes)", rich_help_panel="Sensitivity"
        ),
    ] = None,
    searched: Annotated[
        int,
        typer.Option(
            min=0, help="Numbers for which plants are searched anew.", rich_help_panel="Sensitivity"
        ),
    ] = 5,
    switching: Annotated[
        bool,
        typer.Option(
            help="Find prices and dates at which the plan changes kind.", rich_help_panel="Sensitivity"
        ),
    ] = True,
    gap: Gap = 1e-4,
    save: Annotated[
        Path | None, typer.Option(help="Write it to this JSON file.", rich_help_panel="Output")
    ] = None,
    csv: Csv = None,
    as_json: AsJson = False,
) -> None:
    """Find which uncertain numbers decide: each at both ends of its range, one at a time."""
    with exit_codes(as_json):
        check_outputs({"--csv": csv, "--save": save})
        with progress_line("loading the solver") as progress:
            import sitedesign as sd
            from sitedesign.cli.designing import load_design

            file = options.given.get("file")
            saved = file if design is None and file is not None and file.suffix.lower() == ".json" else design
            question: sd.Study | sd.Design = options.study() if saved is None else load_design(saved)
            found = sd.sensitivity(
                question, ranges=_ranges(ranges or []), certified=certified, searched=searched,
                switching=switching, gap=gap, progress=progress,
            )  # fmt: skip
            if save is not None:
                found.save(save)
        if csv is not None:
            from sitedesign.util.atomic_file import write_atomic
            from sitedesign.util.html_table import table_csv

            write_atomic(csv, table_csv(found.table()))
        if as_json:
            say_json(found.to_dict())
            return
        say_answer(found)
        if save is None:
            say_next("--save numbers.json, then sitedesign report design.json --sensitivity numbers.json")
        else:
            say_next(f"sitedesign report design.json --sensitivity {save}")


@takes_study
def alternatives(
    options: StudyOptions,
    within: Annotated[
        float,
        typer.Option(
            help="How much more than the least they may cost. (fraction)", rich_help_panel="Alternatives"
        ),
    ] = 0.02,
    kinds: Annotated[
        list[str] | None,
        typer.Option(
            "--kind",
            help="most_solar, least_solar, least_battery, fewest_units, soonest or least_co2; repeat for "
            "more. All when left out.",
            rich_help_panel="Alternatives",
            show_default=False,
        ),
    ] = None,
    certify: Annotated[
        bool,
        typer.Option(
            "--certify",
            help="Also certify a plant that goes as far; minutes.",
            rich_help_panel="Alternatives",
        ),
    ] = False,
    gap: Gap = 1e-4,
    save: Annotated[
        Path | None,
        typer.Option(help="Write the design with them to this JSON file.", rich_help_panel="Output"),
    ] = None,
    csv: Csv = None,
    as_json: AsJson = False,
) -> None:
    """Find plants that cost little more than the least and differ; of a study, or of design.json."""
    with exit_codes(as_json):
        check_outputs({"--csv": csv, "--save": save})
        with progress_line("loading the solver") as progress:
            import sitedesign as sd
            from sitedesign.api.alternatives import KINDS
            from sitedesign.cli.designing import load_design

            file = options.given.get("file")
            saved = file if file is not None and file.suffix.lower() == ".json" else None
            question: sd.Study | sd.Design = options.study() if saved is None else load_design(saved)
            if save is not None and not isinstance(question, sd.Design):
                fault = sd.Fault(
                    "--save", f"{save}", "needs a design", "Give design.json in place of a study."
                )
                raise sd.InputError([fault], OF)
            found = sd.alternatives(
                question, within, kinds=kinds or KINDS, certify=certify, gap=gap, progress=progress
            )
            if save is not None and isinstance(question, sd.Design):
                question.with_alternatives(found).save(save)
        if csv is not None:
            from sitedesign.util.atomic_file import write_atomic
            from sitedesign.util.html_table import table_csv

            write_atomic(csv, table_csv(found.table()))
        if as_json:
            say_json(found.to_dict())
            return
        say(found.answer.text(width()))
        say_next("solve again with a --limit that one of them keeps; --certify certifies them")


def _ranges(items: list[str]) -> dict[str, tuple[float, float]]:
    """Read ``months_to_power=12:18`` into ranges by name."""
    from sitedesign.errors import Fault, InputError

    found, faults = {}, []
    for item in items:
        name, _, pair = item.partition("=")
        try:
            low, high = map(float, pair.split(":"))
        except ValueError:
            remedy = "For example lfp.capex_usd_per_kwh=90:200."
            faults.append(Fault("--range", repr(item), "must be NAME=LOW:HIGH", remedy))
            continue
        found[name.strip()] = low, high
    if faults:
        raise InputError(faults, OF)
    return found


def default_values(over: str) -> list[float]:
    """Values to sweep when none are given; empty where there are no usual ones."""
    return list(_DEFAULTS.get(over, ()))


def _asked(over: str, values: str | None) -> tuple[str, list[float]]:
    """Name of what is swept, and its values."""
    from sitedesign.api.bound_sweep import OVER
    from sitedesign.errors import Fault, InputError, unknown_name

    plain = {re.sub(r"[^a-z0-9]", "", name): name for name in OVER}
    name = plain.get(re.sub(r"[^a-z0-9]", "", over.lower()), "")
    faults = [] if name else [unknown_name("--over", over, OVER)]
    numbers = default_values(name)
    if values is not None:
        try:
            numbers = _numbers(values)
        except ValueError:
            allowed = "must be numbers with commas between them, or FIRST:LAST:COUNT"
            faults.append(Fault("--values", repr(values), allowed, "Try 0.99,0.999 or 100:200:5."))
    elif name and not numbers:
        remedy = "Try --values 100:200:5."
        faults.append(Fault("--values", "nothing", f"is needed for {name!r}", remedy))
    if faults:
        raise InputError(faults, OF)
    return name, numbers


def _numbers(text: str) -> list[float]:
    if ":" not in text:
        return [float(part) for part in text.split(",")]
    first, last, count = text.split(":")
    steps = int(count) - 1
    if not 1 <= steps < _MOST_VALUES:
        raise ValueError(text)
    return [float(first) + (float(last) - float(first)) * step / steps for step in range(steps + 1)]


def _interrupted(csv: Path | None) -> str:
    """Say after Ctrl-C where the answers so far are."""
    return "Interrupted." if csv is None else f"Interrupted. What was found until then is in {csv}."


def _keep(csv: Path | None) -> Callable[[pd.DataFrame], None] | None:
    """Write the table so far after each answer, where a file is named."""
    if csv is None:
        return None
    from sitedesign.util.atomic_file import write_atomic
    from sitedesign.util.html_table import table_csv

    return lambda table: write_atomic(csv, table_csv(table))


def _show_sweep(table: pd.DataFrame, csv: Path | None, save: Path | None, as_json: bool) -> None:
    from sitedesign.util.atomic_file import write_atomic
    from sitedesign.util.html_table import table_csv

    if csv is not None:
        write_atomic(csv, table_csv(table))
    save_json(save, records(table))
    if as_json:
        say_json(records(table))
        return
    # A technology that nobody builds is worth no column
    units = [name for name in table.columns if str(name).startswith("units_") and table[name].any()]
    first = str(table.columns[0])
    columns = [item for item in _SHOWN if item[0] in table.columns]
    heads = [first.replace("_", "\n"), *(heading for _, heading, _, _ in columns)]
    heads += [column.removeprefix("units_").replace("_", "\n") for column in units]
    reasons, rows = [], []
    for row in table.to_dict("records"):
        cells = [f"{row[first]:.7g}"]
        if row.get("reason"):
            reasons.append(f"{row[first]:.7g}: {row['reason']}")
            rows.append([*cells, *("-" for _ in [*columns, *units])])
            continue
        cells += [_cell(row[name], factor, digits) for name, _, factor, digits in columns]
        rows.append([*cells, *(_cell(row[name], 1.0, 0) for name in units)])
    say(table_text(heads, rows, width=screen()))
    if note := table.attrs.get("note"):
        say(note)
    for reason in reasons:
        say(f"No design for {reason}")
    say("Bounds: perfect foresight, nothing fails.")
    if "certified_reason" in table:
        _show_certified(table, first)
    else:
        say_next("--certify certifies a plant at each value; --csv FILE keeps every column")


def _show_certified(table: pd.DataFrame, first: str) -> None:
    """Write the certified plants below the bounds."""
    units = [name for name in table.columns if str(name).startswith("certified_units_") and table[name].any()]
    columns = [
        (f"certified_{name}", heading, factor, digits)
        for name, heading, factor, digits in (*_SHOWN, ("uptime_lower", "uptime\nat least\n%", 100.0, 3))
        if f"certified_{name}" in table
    ]
    heads = [first.replace("_", "\n"), *(heading for _, heading, _, _ in columns)]
    heads += [str(name).removeprefix("certified_units_").replace("_", "\n") for name in units]
    rows = [
        [
            f"{row[first]:.7g}",
            *(_cell(row[name], factor, digits) for name, _, factor, digits in columns),
            *(_cell(row[name], 1.0, 0) for name in units),
        ]
        for row in table.to_dict("records")
    ]
    say("\nCertified: without foresight, while equipment fails, at least so much at 95 %.")
    say(table_text(heads, rows, width=screen()))
    for row in table.to_dict("records"):
        if isinstance(row["certified_reason"], str) and row["certified_reason"]:
            say(f"No certified plant for {row[first]:.7g}: {row['certified_reason']}")


def _cell(value: Any, factor: float, digits: int) -> str:  # noqa: ANN401
    return "-" if value is None or value != value else f"{value * factor:,.{digits}f}"
