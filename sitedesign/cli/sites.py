"""Commands about many sites: batch, rank, map. Recipes for clusters: :mod:`sitedesign.batch`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sitedesign.cli.console import (
    FAILED,
    AsJson,
    SaveJson,
    check_outputs,
    exit_codes,
    progress_line,
    records,
    save_json,
    say,
    say_json,
    say_next,
    screen,
    show_written,
    warn,
)
from sitedesign.cli.study_options import OF, QuestionOptions, by_option, takes_study
from sitedesign.cli.tables import table_text
from sitedesign.util.words import count

if TYPE_CHECKING:
    import pandas as pd

_REASONS = 5  # of failed sites on the screen
_SITES, _RUN = "Sites and results", "Run"
# Column, heading and factor of the ranking in a terminal
_SHOWN = (
    ("name", "site", 1.0),
    ("cost_usd_per_yr", "cost\nM USD/yr", 1e-6),
    ("certified_uptime", "certified\nuptime %", 100.0),
    ("uptime_achieved", "uptime\n%", 100.0),
    ("solar_mw", "solar\nMWdc", 1.0),
    ("battery_mwh", "battery\nMWh", 1.0),
    ("grid_mw", "grid\nMW", 1.0),
    ("racks_installed", "racks", 1.0),
    ("renewable_share", "no backup,\nno grid %", 100.0),
    ("land_acres", "land\nacres", 1.0),
    ("months_to_power", "power in\nmonths", 1.0),
)
_UPTIMES = ("certified_uptime", "uptime_achieved")  # of which the first that is there is shown
#: What somebody with a spreadsheet would give where a folder is meant.
_TABLES = (".csv", ".xlsx", ".xls", ".parquet", ".json", ".txt")

Csv = Annotated[
    Path | None, typer.Option("--csv", help="Also write every site as CSV.", rich_help_panel="Output")
]
Excel = Annotated[
    Path | None, typer.Option("--excel", help="Also write a workbook (.xlsx).", rich_help_panel="Output")
]
Results = Annotated[Path, typer.Argument(help="Folder of a batch, finished or not, or a Parquet file.")]


@takes_study
def batch(
    options: QuestionOptions,
    sites: Annotated[
        Path | None,
        typer.Argument(
            help="CSV, xlsx, Parquet or GeoJSON points; columns of your own are carried through. Or use "
            "--grid.",
            show_default=False,
        ),
    ] = None,
    out_folder: Annotated[
        Path,
        typer.Option("--out", help="Folder for the results; resumed if it has some.", rich_help_panel=_SITES),
    ] = Path("results"),
    grid: Annotated[
        str | None,
        typer.Option(
            help="Sites on a grid: SOUTH,NORTH,WEST,EAST,SPACING, land only. (degrees)",
            rich_help_panel=_SITES,
        ),
    ] = None,
    study: Annotated[
        Path | None,
        typer.Option(
            help="Study file with the question; its own place does not count.", rich_help_panel=_SITES
        ),
    ] = None,
    stage: Annotated[
        str, typer.Option(help="bound (perfect foresight, fastest) or certified.", rich_help_panel=_RUN)
    ] = "bound",
    effort: Annotated[
        str,
        typer.Option(
            help="How long to search for a certified design: screening, or standard as 'solve' does.",
            rich_help_panel=_RUN,
        ),
    ] = "screening",
    certify_best: Annotated[
        int, typer.Option(help="Then certify so many of the best sites.", rich_help_panel=_RUN)
    ] = 0,
    by: Annotated[
        str, typer.Option(help="Column that --certify-best and the ranking go by.", rich_help_panel=_RUN)
    ] = "cost_usd_per_yr",
    workers: Annotated[
        int | None, typer.Option(help="Worker processes. (default: one per core)", rich_help_panel=_RUN)
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Address of a dask scheduler instead of this machine.", rich_help_panel=_RUN),
    ] = None,
    new: Annotated[
        bool, typer.Option("--new", help="Set earlier results aside and start over.", rich_help_panel=_RUN)
    ] = False,
    retry_failed: Annotated[
        bool,
        typer.Option("--retry-failed", help="Try bad input and errors again.", rich_help_panel=_RUN),
    ] = False,
    method: Annotated[str, typer.Option(help="cuts or extensive.", rich_help_panel=_RUN)] = "cuts",
    gap: Annotated[
        float | None, typer.Option(help="Relative optimality gap. (fraction)", rich_help_panel=_RUN)
    ] = None,
    time_limit: Annotated[
        float | None,
        typer.Option(help="Per site; results then depend on the machine. (s)", rich_help_panel=_RUN),
    ] = None,
    csv: Csv = None,
    excel: Excel = None,
    top: Annotated[int, typer.Option(min=0, help="Best sites to print.", rich_help_panel="Output")] = 10,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.", rich_help_panel="Output")] = False,
    as_json: AsJson = False,
) -> None:
    """Solve many candidate sites; killed at any moment, run it again and it goes on.

    Recipes for SLURM, Kubernetes and other clusters: python -m pydoc sitedesign.batch
    """
    interrupted = f"Interrupted. Finished sites are in {out_folder}; run the same command again to go on."
    with exit_codes(as_json, interrupted):
        from sitedesign.batch.ranking import rank
        from sitedesign.batch.screening import solve_many
        from sitedesign.batch.worth import worth
        from sitedesign.errors import InputError

        _check_folder(out_folder)
        check_outputs({"--csv": csv, "--excel": excel})
        try:
            frame = solve_many(
                _source(sites, grid),
                out=out_folder, stage=stage, effort=effort, method=method,  # type: ignore[arg-type]  # checked by solve_many
                certify_best=certify_best, by=by, workers=workers, scheduler=scheduler, new=new,
                retry_failed=retry_failed, gap=gap,
                time_limit_s=time_limit, quiet=quiet, roadmap=_roadmap(study), **_question(options, study),
            )  # fmt: skip
        except InputError as error:
            raise InputError(by_option(error.faults), error.of) from None
        counts = {str(status): int(count) for status, count in frame["status"].value_counts().items()}
        best = rank(frame, by=by).head(top)
        file = out_folder / "results.parquet"
        _write(frame, csv, excel)
        if as_json:
            say_json({"sites": len(frame), "status": counts, "results": str(file), "best": records(best)})
            return
        words = ", ".join(f"{number} {status}" for status, number in counts.items())
        say(f"{count(len(frame), 'site')}: {words} ({worth(frame)}). Results in {file}.")
        _print_ranked(best, by)
        _tell_failures(frame, out_folder)
        for path in (csv, excel):
            if path is not None:
                show_written(path, as_json=False)
        if not len(best):
            raise typer.Exit(FAILED)
        say_next(f"sitedesign rank {out_folder}; sitedesign map {out_folder}; --certify-best 3")


def _tell_failures(frame: pd.DataFrame, folder: Path) -> None:
    """Say why sites failed, the first few on standard error and all of them in ``failed.csv``."""
    from sitedesign.batch.ranking import USABLE
    from sitedesign.batch.workbook import failures
    from sitedesign.util.atomic_file import write_atomic
    from sitedesign.util.html_table import table_csv

    failed = failures(frame[~frame["status"].isin(USABLE)])
    file = folder / "failed.csv"
    if failed.empty:
        file.unlink(missing_ok=True)  # of an earlier run
        return
    write_atomic(file, table_csv(failed))
    for row in failed.head(_REASONS).to_dict("records"):
        name = row.get("name")  # no text where none was given
        place = name if isinstance(name, str) and name else f"{row.get('latitude')}, {row.get('longitude')}"
        warn(f"{place}: {row['status']}: {row.get('error') or ''}".rstrip(": "))
    warn(f"Why {count(len(failed), 'site')} failed: {file}")


def _check_folder(folder: Path) -> None:
    from sitedesign.errors import Fault, InputError

    if folder.suffix.lower() in _TABLES and not folder.is_dir():
        option = "--excel" if folder.suffix.lower().startswith(".xls") else "--csv"
        remedy = f"For a table of every site: {option} {folder}."
        raise InputError([Fault("--out", f"{folder}", "must be a folder", remedy)], OF)


def _write(frame: pd.DataFrame, csv: Path | None, excel: Path | None) -> None:
    """Write every row as a table that a spreadsheet opens."""
    from sitedesign.batch.workbook import write_workbook
    from sitedesign.util.atomic_file import write_atomic
    from sitedesign.util.html_table import table_csv

    if csv is not None:
        write_atomic(csv, table_csv(frame))
    if excel is not None:
        write_workbook(frame, excel)


def rank_command(
    results: Results,
    by: Annotated[str, typer.Option(help="Column to rank by.")] = "cost_usd_per_yr",
    where: Annotated[
        str | None, typer.Option(help="Only sites such as 'land_acres <= 3000 and months_to_power <= 24'.")
    ] = None,
    top: Annotated[int, typer.Option(min=0, help="Sites to show.")] = 20,
    csv: Csv = None,
    excel: Excel = None,
    save: SaveJson = None,
    as_json: AsJson = False,
) -> None:
    """Rank the sites of a batch."""
    with exit_codes(as_json):
        from sitedesign.batch.ranking import rank, results_frame
        from sitedesign.batch.worth import worth

        check_outputs({"--csv": csv, "--excel": excel, "--save": save})
        frame = results_frame(results, "rank()")
        ranked = rank(frame, by=by, where=where)
        _write(ranked, csv, excel)
        save_json(save, records(ranked.head(top)))
        if as_json:
            say_json(records(ranked.head(top)))
            return
        if where is not None and ranked.empty:
            _tell_nothing_left(rank(frame, by=by), where)
            return
        _print_ranked(ranked.head(top), by)
        if words := worth(ranked):
            say(f"{words[:1].upper()}{words[1:]}.")
        for path in (csv, excel, save):
            if path is not None:
                show_written(path, as_json=False)
        if results.is_dir():
            say_next(f"sitedesign map {results}; sitedesign portfolio {results} --racks RACKS")


def _tell_nothing_left(sites: pd.DataFrame, where: str) -> None:
    """Say between what the columns of a filter lie that no site passes."""
    import re

    import pandas as pd

    say(f"None of {count(len(sites), 'site')} with a design passes {where!r}.")
    for name in dict.fromkeys(re.findall(r"[A-Za-z_]\w*", where)):
        if name in sites.columns and pd.api.types.is_numeric_dtype(sites[name]) and sites[name].notna().any():
            say(f"  {name}: {_cell(sites[name].min(), 1.0)} to {_cell(sites[name].max(), 1.0)}")


def map_command(
    results: Results,
    out_file: Annotated[Path, typer.Option("--out", help="HTML file to write.")] = Path("map.html"),
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "Candidate sites",
    as_json: AsJson = False,
) -> None:
    """Draw the sites of a batch on a map with a ranked table; the file needs no network."""
    with exit_codes(as_json):
        check_outputs({"--out": out_file})
        with progress_line("drawing the map"):
            from sitedesign.batch.map import write_map

            written = write_map(results, out_file, title=title)
        show_written(written, as_json)


def _roadmap(study: Path | None) -> dict[str, Any] | None:
    """Read the table [roadmap] of the study file, which every site is asked; nothing where there is none."""
    from sitedesign.study.roadmap_file import read_roadmap_table

    return None if study is None else read_roadmap_table(study) or None


def _question(options: QuestionOptions, study: Path | None) -> dict[str, Any]:
    """Fields of the question, from the study file and the options."""
    from sitedesign.errors import Fault, InputError
    from sitedesign.study.toml_file import in_file, located, merged, read_toml, resolved

    given = options.fields_given()
    if study is None:
        return given
    content = read_toml(study)
    fields, faults = resolved(merged(located(content, study.parent), given))
    faults = in_file(faults, study, content, given)
    fields.pop("site", None)
    if "weather" in fields:
        remedy = "Give the table of sites a column 'weather', or leave it out here."
        faults.append(
            Fault(f"{study} weather", "weather of one place", "cannot stand for many sites", remedy)
        )
    if faults:
        raise InputError(faults, str(study))
    return fields


def _source(sites: Path | None, grid: str | None) -> Any:  # noqa: ANN401
    from sitedesign.batch.site_grid import parse_grid
    from sitedesign.errors import Fault, InputError

    if sites is not None and grid is None:
        return sites
    if sites is None and grid is not None:
        return parse_grid(grid)
    found = "neither" if sites is None else "both"
    fault = Fault("SITES and --grid", found, "one of the two is needed", "Try --grid 25,49,-125,-67,1.")
    raise InputError([fault], OF)


def _print_ranked(ranked: pd.DataFrame, by: str) -> None:
    if ranked.empty:
        say("No site with a design.")
        return
    from sitedesign import library

    farms = [(f"{name}_mw", f"{name}\nMW".replace("_", " "), 1.0) for name in library.names("wind")]
    place = next(number for number, item in enumerate(_SHOWN) if item[0] == "battery_mwh")
    hidden = [name for name in _UPTIMES if name in ranked.columns and ranked[name].notna().any()][1:]
    known = [item for item in (*_SHOWN[:place], *farms, *_SHOWN[place:]) if item[0] not in hidden]
    shown = [item for item in known if item[0] in ranked.columns]
    if by not in [name for name, *_ in shown]:
        shown.append((by, by, 1.0))
    rows = [
        [str(number), *(_cell(row[name], factor, name in _UPTIMES) for name, _, factor in shown)]
        for number, row in enumerate(ranked.to_dict("records"), start=1)
    ]
    say(table_text(["#", *(heading for _, heading, _ in shown)], rows, {1}, screen(), title=1))


def _cell(value: Any, factor: float, fine: bool = False) -> str:  # noqa: ANN401
    if value is None or value != value:
        return "-"
    if not isinstance(value, int | float):
        return str(value)
    value *= factor
    if fine:
        return f"{value:.3f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
