"""Command line: a thin shell over the public API.

Exit codes: 0 solved, 2 bad input, 3 infeasible, 4 stopped with a gap, 1 anything else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from sitedesign.batch.command import batch, rank_command

SOLVED, FAILED, BAD_INPUT, INFEASIBLE, GAP = 0, 1, 2, 3, 4

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Design the power plant and the rack count of an AI data center that cannot wait for the grid.",
    epilog="Exit codes: 0 solved, 2 bad input, 3 infeasible, 4 stopped with a gap.",
)
weather_app = typer.Typer(no_args_is_help=True, help="Weather files.")
library_app = typer.Typer(no_args_is_help=True, help="The technology library: equipment, prices, sources.")
app.add_typer(weather_app, name="weather")
app.add_typer(library_app, name="library")

out = Console()
err = Console(stderr=True)

Latitude = Annotated[float, typer.Option("--lat", help="Latitude, north positive. [degrees]")]
Longitude = Annotated[float, typer.Option("--lon", help="Longitude, east positive, west negative. [degrees]")]
Name = Annotated[str | None, typer.Option("--name", help="Name shown in the result.")]
Racks = Annotated[int | None, typer.Option(help="Racks contracted. Give this or --it-mw.")]
ItMw = Annotated[float | None, typer.Option(help="IT power contracted; turned into racks. [MW]")]
RackName = Annotated[str, typer.Option("--rack", help="Rack model; see 'sitedesign library list rack'.")]
Uptime = Annotated[float, typer.Option(help="Share of rack-hours to serve, for example 0.999. [fraction]")]
Metric = Annotated[str, typer.Option(help="What uptime counts: rack (hours) or compute (throughput).")]
PvName = Annotated[str, typer.Option("--pv", help="Array: tracker_ac, fixed_ac or fixed_dc.")]
BackupNames = Annotated[
    list[str] | None, typer.Option("--backup", help="Backup technology; repeat for more, 'none' for none.")
]
WeatherFiles = Annotated[
    list[Path] | None,
    typer.Option("--weather", help="Weather file or folder; repeat for more. Generated when left out."),
]
Years = Annotated[int, typer.Option(help="Weather years to generate.")]
Seed = Annotated[int, typer.Option(help="Seed of the generated weather.")]
GasPrice = Annotated[float | None, typer.Option(help="Delivered gas price. [USD/MMBtu]")]
MinShare = Annotated[
    float | None, typer.Option("--min-renewable-share", help="Least share without backup. [fraction]")
]
Limit = Annotated[
    list[str] | None,
    typer.Option(
        "--limit", help="A limit as NAME=MOST or NAME=LEAST:MOST, for example solar_mw=900; repeat for more."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, nothing else.")]


def main() -> None:
    """Entry point of the ``sitedesign`` command."""
    app()


@contextmanager
def _exit_codes(as_json: bool) -> Iterator[None]:
    """Turn the library's errors into one message and one exit code."""
    from sitedesign.errors import InfeasibleDesign, InputError, SiteDesignError

    try:
        yield
    except InputError as error:
        _fail(error, BAD_INPUT, as_json)
    except InfeasibleDesign as error:
        _fail(error, INFEASIBLE, as_json)
    except SiteDesignError as error:
        _fail(error, FAILED, as_json)


def _fail(error: Exception, code: int, as_json: bool) -> NoReturn:
    if as_json:
        typer.echo(
            json.dumps({"error": type(error).__name__, "message": str(error), "exit_code": code}, indent=1)
        )
    else:
        err.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)


@contextmanager
def _progress(as_json: bool) -> Iterator[Callable[[str], None]]:
    """Show what is going on, on standard error and only to people."""
    if as_json or not err.is_terminal:
        yield lambda _: None
        return
    with err.status("starting") as status:
        yield status.update


def _study(  # one parameter per option
    lat: float,
    lon: float,
    name: str | None,
    racks: int | None,
    it_mw: float | None,
    rack: str,
    uptime: float,
    metric: str,
    pv: str,
    backup: list[str] | None,
    weather: list[Path] | None,
    years: int,
    seed: int,
    gas_price: float | None,
    min_renewable_share: float | None,
    limit: list[str] | None,
) -> Any:  # noqa: ANN401
    """Build a study from the options; every fault of every option in one error."""
    import sitedesign as sd

    question: dict[str, Any] = {
        "site": {"latitude": lat, "longitude": lon} | ({"name": name} if name else {}),
        "racks": racks,
        "it_mw": it_mw,
        "rack": rack,
        "uptime": uptime,
        "metric": metric,
        "pv": pv,
        "weather_years": years,
        "seed": seed,
        "min_renewable_share": min_renewable_share,
        "limits": _limits(limit or []),
    }
    if backup:
        question["backup"] = [] if backup == ["none"] else backup
    if gas_price is not None:
        question["fuel_price_usd_per_mmbtu"] = {"natural_gas": gas_price}
    if weather:
        question["weather"] = sd.Weather.read(*weather, site=sd.Site(**question["site"]))
    return sd.Study(**question)


def _limits(items: list[str]) -> dict[str, Any]:
    """Read ``solar_mw=900`` and ``recip_medium=2:6`` into the limits of a study."""
    from sitedesign import library
    from sitedesign.errors import Fault, InputError

    limits: dict[str, Any] = {}
    units: dict[str, Any] = {}
    faults = []
    technologies = library.names("backup")
    for item in items:
        name, _, text = item.partition("=")
        try:
            numbers = [float(part) for part in text.split(":")]
        except ValueError:
            numbers = []
        if not numbers or len(numbers) > 2:
            faults.append(
                Fault("--limit", repr(item), "must be NAME=MOST or NAME=LEAST:MOST", "Try solar_mw=900.")
            )
            continue
        value = numbers[0] if len(numbers) == 1 else (numbers[0], numbers[1])
        (units if name in technologies else limits)[name] = value
    if faults:
        raise InputError(faults, "the command line")
    return limits | ({"units": units} if units else {})


@app.command(epilog="Example: sitedesign solve --lat 31.76 --lon -106.49 --racks 700 --uptime 0.999")
def solve(
    lat: Latitude,
    lon: Longitude,
    uptime: Uptime,
    racks: Racks = None,
    it_mw: ItMw = None,
    rack: RackName = "gb200_nvl72",
    metric: Metric = "rack",
    pv: PvName = "tracker_ac",
    backup: BackupNames = None,
    weather: WeatherFiles = None,
    years: Years = 20,
    seed: Seed = 0,
    gas_price: GasPrice = None,
    min_renewable_share: MinShare = None,
    limit: Limit = None,
    name: Name = None,
    certify: Annotated[
        bool | None,
        typer.Option(
            help="Go on from the bound to a plant certified without foresight, under failures (the default)."
        ),
    ] = None,
    method: Annotated[
        str, typer.Option(help="cuts (all weather years) or extensive (one year, the reference).")
    ] = "cuts",
    gap: Annotated[float | None, typer.Option(help="Relative optimality gap. [fraction]")] = None,
    time_limit: Annotated[
        float | None, typer.Option(help="Stop after this time with incumbent and bound. [s]")
    ] = None,
    save: Annotated[Path | None, typer.Option(help="Write the design to this JSON file.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the HTML report to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Find the least-cost solar MW, battery MWh and MW, backup units and racks."""
    import sitedesign as sd

    with _exit_codes(as_json):
        study = _study(
            lat, lon, name, racks, it_mw, rack, uptime, metric, pv, backup, weather, years, seed, gas_price,
            min_renewable_share, limit,
        )  # fmt: skip
        code = SOLVED
        try:
            with _progress(as_json) as progress:
                design = sd.solve(
                    study, method=method, certify=certify, gap=gap, time_limit_s=time_limit,  # type: ignore[arg-type]  # checked by solve
                    progress=progress,
                )  # fmt: skip
        except sd.NotProvenOptimal as error:
            if error.incumbent is None:
                _fail(error, GAP, as_json)
            design, code = error.incumbent, GAP
            err.print(str(error), style="yellow", markup=False, highlight=False, soft_wrap=True)
        if save is not None:
            design.save(save)
        if report is not None:
            design.report(report)
        _show(design, as_json)
    raise typer.Exit(code)


@app.command(
    epilog="Example: sitedesign evaluate --lat 31.76 --lon -106.49 --racks 700 --uptime 0.999 --solar-mw 400 "
    "--battery-mwh 1200 --battery-mw 160 --units recip_medium=6"
)
def evaluate(
    lat: Latitude,
    lon: Longitude,
    uptime: Uptime,
    solar_mw: Annotated[float, typer.Option(help="Array. [MWdc]")],
    battery_mwh: Annotated[float, typer.Option(help="Battery energy. [MWh]")],
    battery_mw: Annotated[float, typer.Option(help="Battery power. [MW]")],
    units: Annotated[
        list[str] | None, typer.Option("--units", help="Backup units as NAME=COUNT; repeat for more.")
    ] = None,
    racks_installed: Annotated[
        int | None, typer.Option(help="Racks installed; those contracted when left out.")
    ] = None,
    operation: Annotated[
        str, typer.Option(help="greedy, causal (forecast, failures) or foresight (a bound).")
    ] = "greedy",
    racks: Racks = None,
    it_mw: ItMw = None,
    rack: RackName = "gb200_nvl72",
    metric: Metric = "rack",
    pv: PvName = "tracker_ac",
    weather: WeatherFiles = None,
    years: Years = 20,
    seed: Seed = 0,
    gas_price: GasPrice = None,
    name: Name = None,
    as_json: AsJson = False,
) -> None:
    """Operate a fixed plant and report uptime, energy and cost."""
    import sitedesign as sd

    with _exit_codes(as_json):
        counts = {key: int(value) for key, value in _limits(units or []).get("units", {}).items()}
        unknown = [key for key in _limits(units or []) if key != "units"]
        if unknown:
            raise sd.InputError(
                [sd.errors.unknown_name("--units", key, sd.library.names("backup")) for key in unknown],
                "the command line",
            )
        study = _study(
            lat, lon, name, racks, it_mw, rack, uptime, metric, pv, list(counts) or ["none"], weather, years,
            seed, gas_price, None, None,
        )  # fmt: skip
        result = sd.evaluate(
            study, solar_mw=solar_mw, battery_mwh=battery_mwh, battery_mw=battery_mw, backup=counts,
            racks=racks_installed, operation=operation,  # type: ignore[arg-type]  # checked by evaluate
        )  # fmt: skip
        _show(result, as_json)


@app.command(epilog="Example: sitedesign certify design.json --years 200 --draws 5 --seed 7")
def certify(
    design: Annotated[Path, typer.Argument(help="Design that 'solve --save' wrote.")],
    years: Annotated[int, typer.Option(help="Weather years that the design never saw.")] = 200,
    draws: Annotated[int, typer.Option(help="Draws of outages of each weather year.")] = 5,
    seed: Annotated[int, typer.Option(help="Seed of weather and outages.")] = 7,
    as_json: AsJson = False,
) -> None:
    """State what uptime a design keeps without foresight, under failures, and how sure that is."""
    import dataclasses

    import sitedesign as sd

    with _exit_codes(as_json), _progress(as_json) as progress:
        if not design.is_file():
            remedy = "Write one with 'sitedesign solve ... --save design.json'."
            raise sd.InputError(
                [sd.Fault("design", str(design), "must be a saved design", remedy)], "certify"
            )
        certificate = sd.certify(
            sd.Design.load(design), years=years, draws=draws, seed=seed, progress=progress
        )
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(certificate), indent=1))
    else:
        out.print(str(certificate), markup=False, highlight=False, soft_wrap=True)


def _show(result: Any, as_json: bool) -> None:  # noqa: ANN401
    if as_json:
        typer.echo(json.dumps(result.to_dict(), indent=1))
    else:
        out.print(str(result), markup=False, highlight=False, soft_wrap=True)


@weather_app.command("check", epilog="Example: sitedesign weather check my_years/")
def weather_check(
    files: Annotated[list[Path], typer.Argument(help="Weather files or folders.")],
    lat: Annotated[float | None, typer.Option(help="Latitude, for files that do not name it.")] = None,
    lon: Annotated[float | None, typer.Option(help="Longitude, for files that do not name it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Read weather files and report years, time convention, gaps, dark days and worst spells."""
    import sitedesign as sd
    from sitedesign.prepare import weather_notes

    with _exit_codes(as_json):
        site = None if lat is None and lon is None else sd.Site(latitude=lat, longitude=lon)
        weather = sd.Weather.read(*files, site=site)
        spells = weather.worst_spells()
        notes = weather_notes(weather)
        if as_json:
            quality = weather.quality.to_dict() if weather.quality is not None else None
            facts = {
                "source": weather.source.description,
                "is_tmy": weather.source.is_tmy,
                "years": weather.years,
            }
            facts |= {"notes": notes, "quality": quality, "worst_spells": spells.to_dict("records")}
            typer.echo(json.dumps(facts, indent=1, default=str))
            return
        head = f"{weather.source.description} at {weather.site.name}, steps of {weather.step_minutes} min"
        lines = [head, str(weather.quality), "Darkest spells:", spells.to_string(index=False)]
        out.print("\n".join(lines + [f"Note: {note}" for note in notes]), markup=False, highlight=False)


@library_app.command("list", epilog="Example: sitedesign library list backup")
def library_list(
    kind: Annotated[str | None, typer.Argument(help="Only this kind, for example backup.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the entries of the technology library."""
    from sitedesign import library
    from sitedesign.errors import InputError, unknown_name

    with _exit_codes(as_json):
        if kind is not None and kind not in library.KINDS:
            raise InputError([unknown_name("kind", kind, library.KINDS)], "library list")
        table = library.list_entries()
        table = table[table["kind"] == kind] if kind else table
        if as_json:
            typer.echo(table.to_json(orient="records", indent=1))
            return
        shown = Table(*(str(column) for column in table.columns), box=None, pad_edge=False)
        for row in table.itertuples(index=False):
            shown.add_row(*(str(cell) for cell in row))
        out.print(shown)


@library_app.command("show", epilog="Example: sitedesign library show backup recip_medium")
def library_show(kind: str, name: str, as_json: AsJson = False) -> None:
    """Show every number of one entry with its source."""
    from sitedesign import library
    from sitedesign.errors import InputError, unknown_name

    with _exit_codes(as_json):
        if kind not in library.KINDS:
            raise InputError([unknown_name("kind", kind, library.KINDS)], "library show")
        if as_json:
            typer.echo(library.entry(kind, name).model_dump_json(indent=1))
            return
        out.print(str(library.show(kind, name)), markup=False, highlight=False, soft_wrap=True)


app.command("batch", epilog="Example: sitedesign batch sites.csv --out results --racks 700 --uptime 0.999")(
    batch
)
app.command("rank", epilog="Example: sitedesign rank results --by land_acres --where 'months_to_power < 24'")(
    rank_command
)


@app.command("map", epilog="Example: sitedesign map results --out map.html")
def map_sites(
    results: Annotated[Path, typer.Argument(help="Folder of a batch, finished or not, or a Parquet file.")],
    out_file: Annotated[Path, typer.Option("--out", help="HTML file to write.")] = Path("map.html"),
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "Candidate sites",
) -> None:
    """Draw the sites of a batch on a map with a ranked table; the file needs no network."""
    from sitedesign.report.map import write_map

    with _exit_codes(False):
        out.print(f"Written: {write_map(results, out_file, title=title)}", markup=False, highlight=False)
