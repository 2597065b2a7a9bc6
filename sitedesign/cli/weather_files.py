"""Commands about weather: generate, check, fetch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sitedesign.cli.console import AsJson, check_outputs, exit_codes, progress_line, say, say_json
from sitedesign.cli.study_options import OF

if TYPE_CHECKING:
    from sitedesign.weather.weather import Weather

_FIRST, _LAST = 1900, 2200  # of calendar years that anybody measured or may
app = typer.Typer(no_args_is_help=True, help="Weather years: generate, read and check, fetch.")

Latitude = Annotated[float, typer.Option("--lat", help="Latitude, north positive. (degrees)")]
Longitude = Annotated[float, typer.Option("--lon", help="Longitude, east positive, west negative. (degrees)")]
OutFile = typer.Option("--out", help="File to write: .csv (six digits) or .parquet (all digits).")


@app.command(epilog="Example: sitedesign weather generate --lat 31.76 --lon -106.49 --out years.csv")
def generate(
    lat: Latitude,
    lon: Longitude,
    out_file: Annotated[Path, OutFile],
    years: Annotated[int, typer.Option(help="Years to generate.")] = 20,
    seed: Annotated[int, typer.Option(help="Same seed, same years.")] = 0,
    step_minutes: Annotated[int, typer.Option(help="5, 10, 15, 30 or 60. (min)")] = 60,
    wind: Annotated[
        bool, typer.Option("--wind", help="Add wind at 115 m (contiguous United States).")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Generate weather years anywhere on land from climate statistics; no key, no network."""
    with exit_codes(as_json):
        check_outputs({"--out": out_file})
        with progress_line("generating weather"):
            import sitedesign as sd

            site = sd.Site(latitude=lat, longitude=lon)
            weather = sd.Weather.generate(site, years=years, seed=seed, step_minutes=step_minutes, wind=wind)
            weather.write(out_file)
        _show_years(weather, out_file, as_json)


@app.command(epilog="Example: sitedesign weather check my_years/")
def check(
    files: Annotated[list[Path], typer.Argument(help="Weather files or folders.")],
    lat: Annotated[float | None, typer.Option(help="Latitude, for files that do not name it.")] = None,
    lon: Annotated[float | None, typer.Option(help="Longitude, for files that do not name it.")] = None,
    wind: Annotated[
        list[Path] | None, typer.Option("--wind", help="Also a file of wind aloft of the same years.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read weather files and report years, time convention, gaps, dark days and worst spells."""
    with exit_codes(as_json):
        with progress_line("reading weather"):
            import sitedesign as sd
            from sitedesign.case.build import weather_notes

            site = None if lat is None and lon is None else sd.Site(latitude=lat, longitude=lon)
            weather = sd.Weather.read(*files, site=site)
            weather = weather.with_wind(*wind) if wind else weather
            spells = weather.low_resource_periods()
            notes = weather_notes(weather)
        if as_json:
            quality = weather.quality.to_dict() if weather.quality is not None else None
            say_json(
                _facts(weather)
                | {"notes": notes, "quality": quality, "low_resource_periods": spells.to_dict("records")}
            )
            return
        lines = [_head(weather), str(weather.quality), "Darkest periods:", spells.to_string(index=False)]
        say("\n".join(lines + [f"Note: {note}" for note in notes]))


@app.command(
    epilog="Example: sitedesign weather fetch --lat 31.76 --lon -106.49 --source pvgis --years 2005-2023. "
    "Keys: NSRDB_API_KEY and NSRDB_EMAIL, or ECMWF_API_KEY (era5), in the environment; pvgis and nasa_power "
    "need none."
)
def fetch(
    lat: Latitude,
    lon: Longitude,
    source: Annotated[str, typer.Option(help="nsrdb, pvgis, nasa_power or era5.")] = "nsrdb",
    years: Annotated[
        str, typer.Option(help="Calendar years: 2005-2023, or 2010,2012, or both.")
    ] = "2005-2023",
    out_file: Annotated[
        Path | None,
        typer.Option("--out", help="Also write all years to this .csv or .parquet file.", show_default=False),
    ] = None,
    email: Annotated[
        str | None, typer.Option(help="Address that the NSRDB key was given to; else from the environment.")
    ] = None,
    ask_key: Annotated[
        bool, typer.Option("--ask-key", help="Ask for the key without showing it; else from the environment.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Use what was fetched before only.")] = False,
    cache: Annotated[
        Path | None, typer.Option(help="Folder of fetched years. (default: the user's cache)")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch measured or satellite years, one cached file a year; run it again to go on."""
    interrupted = "Interrupted. Complete years are kept; run the same command again to go on."
    with exit_codes(as_json, interrupted):
        check_outputs({"--out": out_file})
        wanted = _years(years)
        key = typer.prompt("API key", hide_input=True, err=True) if ask_key else None
        with progress_line(f"fetching {len(wanted)} years from {source}"):
            import sitedesign as sd

            weather = sd.Weather.fetch(
                sd.Site(latitude=lat, longitude=lon),
                source=source,  # type: ignore[arg-type]  # checked by fetch
                years=wanted, api_key=key, email=email, offline=offline, cache_dir=cache,
            )  # fmt: skip
            if out_file is not None:
                weather.write(out_file)
        _show_years(weather, out_file, as_json)


def _years(text: str) -> list[int]:
    """Read ``2005-2023`` and ``2010,2012`` into calendar years."""
    from sitedesign.errors import Fault, InputError, shown

    years: list[int] = []
    try:
        for part in text.split(","):
            first, _, last = part.strip().partition("-")
            span = range(int(first), int(last or first) + 1)
            years += span if span.start >= _FIRST and span.stop <= _LAST + 1 else [0]
    except ValueError:
        years = []
    if 0 in years:
        raise InputError([Fault("--years", shown(text), f"must lie from {_FIRST} to {_LAST}")], OF)
    if not years:
        allowed = "must be calendar years such as 2005-2023 or 2010,2012"
        raise InputError([Fault("--years", repr(text), allowed)], OF)
    return years


def _head(weather: Weather) -> str:
    source = weather.source.description
    return f"{source} at {weather.site.name}, steps of {weather.step_minutes} min"


def _facts(weather: Weather) -> dict[str, Any]:
    return {
        "source": weather.source.description,
        "is_tmy": weather.source.is_tmy,
        "latitude": weather.site.latitude,
        "longitude": weather.site.longitude,
        "step_minutes": weather.step_minutes,
        "years": list(weather.years),
    }


def _show_years(weather: Weather, path: Path | None, as_json: bool) -> None:
    if as_json:
        facts = _facts(weather) | {"mean_ghi_kwh_m2_day": round(float(weather.ghi_daily_kwh_m2.mean()), 3)}
        say_json(facts | {"written": None if path is None else str(path)})
        return
    lines = [
        _head(weather),
        f"{len(weather.years)} years, on average {weather.ghi_daily_kwh_m2.mean():.2f} kWh/m2 a day",
        *(f"Note: {note}" for note in weather.source.notes),
        *([] if path is None else [f"Written: {path}"]),
    ]
    say("\n".join(lines))
