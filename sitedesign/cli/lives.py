"""Commands about what age and use do to a saved design: plant-life, battery-life."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sitedesign.cli.console import (
    AsJson,
    check_outputs,
    exit_codes,
    progress_line,
    records,
    say_answer,
    say_json,
)
from sitedesign.cli.designing import SavedDesign, WeatherAgain, load_design, study_of, with_hours
from sitedesign.cli.study_options import OF

if TYPE_CHECKING:
    import pandas as pd

    from sitedesign.api.design import Design
    from sitedesign.study.study import Study
    from sitedesign.util.progress import Progress

Csv = Annotated[
    Path | None,
    typer.Option("--csv", help="Write the table.", rich_help_panel="Output", show_default=False),
]
Report = Annotated[
    Path | None,
    typer.Option(help="Write the HTML report with it.", rich_help_panel="Output", show_default=False),
]
Upkeep = Annotated[
    str,
    typer.Option(
        help="Of the battery: augment (before it holds less than is counted on), replace (at its end of "
        "life), none."
    ),
]


def plant_life(
    design: SavedDesign,
    ages: Annotated[str, typer.Option(help="Ages with commas between them. (yr)")] = "1,5,10,15,20",
    load_growth: Annotated[
        float | None,
        typer.Option(
            help="Growth of the load a year, as 0.02; that of the study when left out. (fraction/yr)"
        ),
    ] = None,
    upkeep: Upkeep = "augment",
    years: Annotated[int, typer.Option(help="Weather years that the design never saw.")] = 100,
    draws: Annotated[int, typer.Option(help="Draws of outages of each weather year.")] = 2,
    csv: Csv = None,
    report: Report = None,
    weather: WeatherAgain = None,
    as_json: AsJson = False,
) -> None:
    """Certify a design at several ages: worn array and battery, grown load, what then does not hold."""
    with exit_codes(as_json):
        check_outputs({"--csv": csv, "--report": report})
        with progress_line("loading the operation") as progress:
            import sitedesign as sd

            numbers = _ages(ages)
            loaded = load_design(design)
            study = study_of(loaded, weather or [])
            if report is not None or upkeep != "augment":
                loaded = _with_use(loaded, study, progress, hours=report is not None)
            life = sd.plant_life(
                loaded, study, ages=numbers, load_growth_per_yr=load_growth,
                upkeep=upkeep, years=years, draws=draws, progress=progress,  # type: ignore[arg-type]  # checked there
            )  # fmt: skip
            _write(csv, life.table())
            if report is not None:
                progress("writing the report")
                loaded.report(report, plant_life=life)
        _show(life, {"worst_age_years": life.worst.age_years, "holds_until": life.holds_until}, as_json)


def battery_life(
    design: SavedDesign,
    years: Annotated[int, typer.Option(help="Years to follow it. (yr)")] = 20,
    upkeep: Upkeep = "augment",
    csv: Csv = None,
    report: Report = None,
    weather: WeatherAgain = None,
    as_json: AsJson = False,
) -> None:
    """Follow a design's battery: capacity by year of use, what is bought again, and its warranty."""
    with exit_codes(as_json):
        check_outputs({"--csv": csv, "--report": report})
        with progress_line("loading the design") as progress:
            import sitedesign as sd

            loaded = load_design(design)
            study = study_of(loaded, weather or [])
            loaded = _with_use(loaded, study, progress, hours=report is not None)
            life = sd.battery_life(loaded, study, years=years, upkeep=upkeep)  # type: ignore[arg-type]
            _write(csv, life.table())
            if report is not None:
                loaded.report(report, battery_life=life)
        of_all = {"holds": life.holds, "warranty_kept": life.warranty_kept}
        _show(life, of_all | {"cost_usd_per_yr": life.cost_usd_per_yr}, as_json)


def _with_use(design: Design, study: Study, progress: Progress, *, hours: bool) -> Design:
    """Give a design whose battery's use is known: as it was certified, else from its hours."""
    known = design.certificate is not None and design.certificate.battery_duty is not None
    if known and not hours:
        return design
    progress("operating the plant again, to have its hours")
    return with_hours(design, study)


def _ages(text: str) -> list[float]:
    """Read ``1,10,20``."""
    from sitedesign.errors import Fault, InputError

    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        fault = Fault("--ages", repr(text), "must be ages with commas between them", "Try 1,10,20.")
        raise InputError([fault], OF) from None


def _write(path: Path | None, table: pd.DataFrame) -> None:
    from sitedesign.util.atomic_file import write_atomic
    from sitedesign.util.html_table import table_csv

    if path is not None:
        write_atomic(path, table_csv(table))


def _show(life: Any, more: dict[str, Any], as_json: bool) -> None:  # noqa: ANN401
    if as_json:
        say_json(more | {"years": records(life.table())})
    else:
        say_answer(life)
