"""Puts wind of files beside weather: the same site, the same years, the same steps, one clock.

Wind and sun of different years lose the calms that come with the dark; a clock that is hours out loses them
too. Both are refused. The years are told by the stamps; the clock by temperatures where both sides have them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pvlib.atmosphere import alt2pres

from sitedesign.errors import Fault, InputError
from sitedesign.util.text_table import SEPARATORS, decode, fields, lines_of
from sitedesign.weather.climate.wind import REFERENCE_HEIGHT_M, wind_climate_fault
from sitedesign.weather.files.formats import epw_tmy, srw, wind_table
from sitedesign.weather.files.formats.parquet import text_of
from sitedesign.weather.files.formats.source import SourceText
from sitedesign.weather.files.formats.unsupported import wrong_kind
from sitedesign.weather.files.formats.wind_names import wind_columns
from sitedesign.weather.files.formats.wind_record import OF, OWN, WIND_KEY, WindRecord
from sitedesign.weather.files.gap_filling import fill_slow_variables
from sitedesign.weather.files.paths import expand, merged
from sitedesign.weather.site import FARTHEST_KM, Site, distance_km
from sitedesign.weather.solar_geometry import DAYS_PER_YEAR
from sitedesign.weather.wind_aloft import GAS_CONSTANT_J_KG_K, LAPSE_K_M, LOWEST_ALOFT_M, WindAloft

if TYPE_CHECKING:
    from sitedesign.weather.years import WeatherYears

FloatArray = NDArray[np.float64]

LARGEST_MISSING_SHARE = 0.02
LONGEST_GAP_H = 72.0
LARGEST_CLOCK_ERROR_H = 2
# Temperature aloft runs behind that near the ground: 1 h at 10 m, 2 to 3 h at 40 to 200 m (WIND Toolkit
# against NSRDB at three places).
_LAG_H = ((3.0, 0), (20.0, 1), (float("inf"), 2))
LARGEST_LEVEL_RATIO = 1.7
"""Over or under the climate's mean speed: a unit taken for another is out by 1.9 or more."""
_HIGHEST_MEAN_M_S, _HIGHEST_M_S = 13.0, 75.0
_LOWEST_MEAN_M_S = 2.3  # at 40 m or more; the calmest valleys of the United States have 3
_NEGATIVE_SHARE = 0.001
_LONGEST_SAME_H, _LONGEST_CALM_H = 48.0, 96.0
_STUCK_REMEDY = "Did the instrument stand still? Leave those rows empty, or take another source."
_FARTHEST_WARMTH_C = 10.0  # of the mean temperature aloft from that of the weather
_PRESSURE_BAND = 0.06  # off the standard atmosphere; weather moves it by 5 %, 500 m of height too
_PRESSURE_SCALE_M = 8400.0
_USUAL_DENSITY_HEIGHT_M = 100.0
_ENOUGH_LIKENESS = 0.3
_HEAD_BYTES = 16_384


def add_wind(
    weather: WeatherYears,
    paths: Sequence[Path],
    shear_exponent: float | None = None,
    utc_offset_h: float | None = None,
) -> WeatherYears:
    """Add wind aloft of files to weather of the same years.

    Parameters
    ----------
    weather : WeatherYears
        Of calendar years.
    paths : sequence of path
        Files of wind, or folders of them.
    shear_exponent : float, optional
        How speed grows with height above the highest speed, and below the lowest.
    utc_offset_h : float, optional
        Of the stamps, where the files say none or a wrong one. [h]

    Returns
    -------
    WeatherYears
        A copy with ``wind_aloft``, and what was assumed among the notes.

    Raises
    ------
    InputError
        With every fault of every file.
    """
    fault = _weather_fault(weather)
    if fault is not None:
        raise InputError([fault], OF)
    records, notes, faults = _records(paths, weather.site, utc_offset_h)
    for record in records:
        faults += _record_faults(record, weather)
        highest = max(record.speed_m_s)
        if shear_exponent is None and record.shear_exponent is None and highest < LOWEST_ALOFT_M:
            faults.append(_near_the_ground(record.file, highest))
    faults += _overlap_faults(records)
    if faults:
        raise InputError(merged(faults), OF)
    wind, said, doubts = _joined(records, weather, shear_exponent)
    source = replace(
        weather.source,
        notes=(*weather.source.notes, *notes, *said),
        flags=(*weather.source.flags, *doubts),
        doubts=(*weather.source.doubts, *doubts),
    )
    return replace(weather, wind_aloft=wind, source=source)


def _weather_fault(weather: WeatherYears) -> Fault | None:
    """Say why no wind of files can stand beside a weather; None where it can."""
    if weather.source.kind in ("generated", "bootstrap"):
        made = "generated" if weather.source.kind == "generated" else "drawn by bootstrap"
        remedy = (
            "Read the sun of the same years from files; or generate the wind too: "
            "sd.Weather.generate(site, wind=True). Draw years from weather that has its wind already."
        )
        allowed = "wind of calendar years needs the sun of the same days"
        return Fault("weather", f"weather whose years are {made}", allowed, remedy)
    if weather.wind_aloft is not None:
        remedy = "Read the sun anew and add this wind to it."
        return Fault("weather", "weather that has its wind already", "one wind only", remedy)
    if weather.source.is_tmy:
        remedy = "A typical year is of no year: read the sun of the years that the wind is of."
        return Fault("weather", "a typical year", "must be of calendar years", remedy)
    return None


def _records(
    paths: Sequence[Path], site: Site, utc_offset_h: float | None
) -> tuple[list[WindRecord], tuple[str, ...], list[Fault]]:
    """Parse all files; what lies in a folder and is no wind is left out, and said."""
    files, explicit, faults = expand(paths)
    records: list[WindRecord] = []
    skipped: list[str] = []
    for file in files:
        if file not in explicit and not _looks_like_wind(file):
            skipped.append(file.name)
            continue
        try:
            records.append(_parsed(file, site, utc_offset_h))
        except InputError as error:
            faults += error.faults
    if not records and not faults:
        found = f"no file of wind, only {', '.join(skipped[:5])}" if skipped else "no files"
        remedy = "Folders are not searched deeper: give the one that holds the files."
        faults.append(Fault("paths", found, "needs at least one file of wind", remedy))
    notes = (f"not wind, left out: {', '.join(skipped)}",) if skipped else ()
    return records, notes, faults


def _looks_like_wind(file: Path) -> bool:
    """Whether a file names wind aloft near its beginning."""
    try:
        with file.open("rb") as stream:
            raw = stream.read(_HEAD_BYTES)
        if raw.startswith(b"PAR1"):
            return _names_wind(pq.read_schema(file).names)
    except (OSError, pa.ArrowException):
        return False
    head = decode(raw)
    lines = lines_of(head)[:100]
    rows = (fields(line.lstrip("# "), mark) for line in lines for mark in SEPARATORS if mark in line)
    return srw.recognise(head) or any(map(_names_wind, rows))


def _names_wind(names: Sequence[str]) -> bool:
    return any(column.quantity in ("speed", "u") for column in wind_columns(names))


def _near_the_ground(file: str, height_m: float) -> Fault:
    allowed = f"needs a height of {LOWEST_ALOFT_M:.0f} m or more"
    remedy = (
        "Wind near the ground blows at other hours than at a hub: give wind aloft; or, if you know how speed "
        "grows with height, shear_exponent."
    )
    return Fault(file, f"wind at {height_m:g} m and no higher", allowed, remedy)


def carries_wind(file: Path) -> bool:
    """Whether a file was written by ``Weather.write`` with wind aloft in it."""
    try:
        with file.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
        if head.startswith(b"PAR1"):
            return WIND_KEY.encode() in (pq.read_schema(file).metadata or {})
    except (OSError, pa.ArrowException):
        return False
    return any(line.startswith(f"# {WIND_KEY}:") for line in lines_of(decode(head)))


def _parsed(file: Path, site: Site, utc_offset_h: float | None) -> WindRecord:
    """Parse one file, or raise its faults."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        found = f"a file that cannot be read ({error.strerror})"
        raise InputError([Fault(str(file), found, "must be readable")], OF) from None
    fault = wrong_kind(file.name, raw[:_HEAD_BYTES])
    if fault is not None:
        raise InputError([replace(fault, allowed="must be a table of wind at named heights")], OF)
    if raw.startswith(b"PAR1"):
        source = SourceText(file.name, text_of(file), file)
    else:
        source = SourceText(file.name, "\n".join(lines_of(decode(raw))), file)
    if epw_tmy.recognise_epw(source.text[:5000]) or epw_tmy.recognise_tmy3(source.text[:5000]):
        remedy = "Wind near the ground blows at other hours than at a hub: give a file of wind aloft."
        raise InputError([Fault(file.name, "EPW or TMY3, with wind at 10 m", "needs wind aloft", remedy)], OF)
    try:
        if srw.recognise(source.text):
            return srw.parse(source, site, utc_offset_h)
        return wind_table.parse(source, site, utc_offset_h)
    except InputError:
        raise
    except Exception as error:  # whatever a parser stumbles over, the user needs to know in which file
        found = f"a table that cannot be read as wind ({type(error).__name__})"
        remedy = "Compare its header rows with a file as its source writes it, or name the columns of a CSV."
        raise InputError([Fault(file.name, found, "must be as its source writes it", remedy)], OF) from None


def _record_faults(record: WindRecord, weather: WeatherYears) -> list[Fault]:
    """Find what one file says that cannot be."""
    elsewhere = _distance_faults(record, weather)
    if elsewhere:
        return elsewhere
    return [
        *_level_faults(record),
        *_pressure_faults(record, weather),
        *_step_faults(record, weather),
    ]


def _distance_faults(record: WindRecord, weather: WeatherYears) -> list[Fault]:
    if record.latitude is None or record.longitude is None:
        return []
    site = weather.site
    distance = distance_km(record.latitude, record.longitude, site.latitude, site.longitude)
    if distance <= FARTHEST_KM:
        return []
    found = (
        f"wind of {record.latitude:g}, {record.longitude:g}, {distance:.0f} km from the site "
        f"({site.latitude:g}, {site.longitude:g})"
    )
    return [Fault(record.file, found, f"must be within {FARTHEST_KM:.0f} km", "Take wind of the site.")]


def _level_faults(record: WindRecord) -> list[Fault]:
    """Speeds that no air has in the unit named, or that fall with height."""
    faults = []
    means: dict[float, float] = {}
    for height, values in record.speed_m_s.items():
        known = values[np.isfinite(values)]
        if known.size == 0:
            continue
        means[height] = mean = float(np.maximum(known, 0).mean())
        strongest = float(np.quantile(known, 0.999))
        if (known < 0).mean() > _NEGATIVE_SHARE:
            found = f"{int((known < 0).sum())} speeds below zero at {height:g} m"
            faults.append(
                Fault(record.file, found, "must be speeds", "Is the column a component of the wind?")
            )
        elif mean > _HIGHEST_MEAN_M_S or strongest > _HIGHEST_M_S:
            found = f"wind of {mean:.3g} m/s on average and {strongest:.3g} at most at {height:g} m"
            remedy = "Is the unit km/h, mph or knots? Name the right one in the column."
            faults.append(
                Fault(record.file, found, f"must be below {_HIGHEST_MEAN_M_S:.0f} m/s on average", remedy)
            )
        elif (stuck := _stuck(values, record.step_minutes, height)) is not None:
            faults.append(
                Fault(record.file, stuck, "must be measured or modelled hour by hour", _STUCK_REMEDY)
            )
        elif mean < _LOWEST_MEAN_M_S and height >= LOWEST_ALOFT_M:
            found = f"wind of {mean:.3g} m/s on average at {height:g} m"
            remedy = "Is the unit right, and the column a speed? Nowhere is it so calm."
            faults.append(Fault(record.file, found, f"must be above {_LOWEST_MEAN_M_S:g} m/s", remedy))
    heights = sorted(means)
    for low, high in pairwise(heights):
        if means[high] < 0.85 * means[low] and high - low > 1:
            found = f"{means[low]:.3g} m/s on average at {low:g} m and {means[high]:.3g} at {high:g} m"
            remedy = "Are units or heights of the two columns exchanged?"
            faults.append(Fault(record.file, found, "wind grows with height", remedy))
    return faults


def _stuck(values: FloatArray, step_minutes: int, height: float) -> str | None:
    """Describe the longest run of one value, where it is too long to be wind."""
    same = np.concatenate([[False], np.diff(values) == 0])
    run = _longest_run(same) * step_minutes / 60
    if run < _LONGEST_SAME_H:
        return None
    edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    start = int(edges[::2][np.argmax(edges[1::2] - edges[::2])])
    calm = float(values[start]) < 1.0
    if calm and (run < _LONGEST_CALM_H or height < LOWEST_ALOFT_M):
        return None
    return f"{values[start]:.3g} m/s at {height:g} m for {run:.0f} hours in a row"


def _pressure_faults(record: WindRecord, weather: WeatherYears) -> list[Fault]:
    faults = []
    for height, values in record.pressure_pa.items():
        standard = float(alt2pres(weather.site.elevation_m + height))
        mean = float(np.nanmean(values))
        if abs(mean / standard - 1) > _PRESSURE_BAND:
            found = f"pressure of {mean / 100:.0f} hPa at {height:g} m, where the site should have "
            found += f"{standard / 100:.0f} ({weather.site.elevation_m:.0f} m above the sea)"
            remedy = "Is it reduced to sea level, or in another unit? Give the station's, or leave it out."
            faults.append(Fault(record.file, found, f"must be within {_PRESSURE_BAND:.0%}", remedy))
    return faults


def _step_faults(record: WindRecord, weather: WeatherYears) -> list[Fault]:
    a, b = sorted((record.step_minutes, weather.step_minutes))
    if b % a == 0 and record.step_minutes <= 60:
        return []
    found = f"steps of {record.step_minutes} minutes beside weather of {weather.step_minutes}"
    return [Fault(record.file, found, "one must be a multiple of the other", "Resample the wind.")]


def _overlap_faults(records: Sequence[WindRecord]) -> list[Fault]:
    """Files that tell of the same hours."""
    faults = []
    for number, record in enumerate(records):
        for other in records[:number]:
            shared = record.start_utc.intersection(other.start_utc)
            if len(shared) * record.step_minutes > 26 * 60:
                found = f"{len(shared) * record.step_minutes / 60:.0f} hours that {other.file} has too"
                faults.append(Fault(record.file, found, "files must not overlap", "Give each period once."))
            if set(record.speed_m_s) != set(other.speed_m_s):
                listed = ", ".join(f"{height:g}" for height in record.speed_m_s)
                found = f"heights of {listed} m, others than {other.file}"
                faults.append(Fault(record.file, found, "all files must have one set", "Give one source."))
    return faults


def _joined(
    records: Sequence[WindRecord], weather: WeatherYears, shear_exponent: float | None
) -> tuple[WindAloft, tuple[str, ...], tuple[str, ...]]:
    """Wind on the grid of the weather, notes and doubts."""
    grid = _Grid(weather)
    first = records[0]
    notes = [f"Wind aloft from {first.kind}, {len(records)} file(s): {first.convention}."]
    notes += [note for record in records for note in record.notes]
    notes += grid.resampling_notes(first)
    layers = {
        height: grid.laid_out([(r, r.speed_m_s[height]) for r in records]) for height in first.speed_m_s
    }
    faults = grid.coverage_faults(layers)
    if faults:
        raise InputError(faults, OF)
    speeds = []
    for values in layers.values():
        filled, share = grid.filled(values)
        speeds.append(np.maximum(filled, 0.0))
        if share:
            notes.append(f"{share:.2%} of wind speeds repaired")
    temperature, temperature_height = _temperature(records, grid)
    fault = _warmth_fault(records[0], temperature, temperature_height, weather) or _clock_fault(
        records, grid, weather
    )
    if fault is not None:
        raise InputError([fault], OF)
    density: FloatArray | None
    if first.kind == OWN and first.density_kg_m3 is None:
        density, density_height = None, 0.0  # as it was written: the standard atmosphere
    else:
        density, density_height, how = _density(records, grid, weather, temperature, temperature_height)
        notes.append(how)
    humidity = _series(records, grid, "humidity_fraction")
    given = shear_exponent if shear_exponent is not None else first.shear_exponent
    wind = WindAloft(
        heights_m=tuple(float(height) for height in layers),
        speed_m_s=np.stack(speeds),
        source=f"{first.kind}, {len(records)} file(s)",
        shear_exponent=given,
        density_kg_m3=density,
        density_height_m=density_height,
        humidity_fraction=humidity,
    )
    return wind, tuple(dict.fromkeys(notes)), _doubts(wind, weather)


class _Grid:
    """The grid of weather, and how series of files come onto it."""

    def __init__(self, weather: WeatherYears) -> None:
        self.step = weather.step_minutes
        self.steps = DAYS_PER_YEAR * weather.steps_per_day
        self.steps_per_day = weather.steps_per_day
        self.years = weather.years
        self.offset_minutes = round(weather.utc_offset_h * 60)

    def resampling_notes(self, record: WindRecord) -> list[str]:
        """Say what was done to steps of another length."""
        if record.step_minutes == self.step:
            return []
        if record.step_minutes < self.step:
            return [f"Wind of {record.step_minutes}-minute steps averaged to {self.step} minutes."]
        return [f"Wind of {record.step_minutes}-minute steps held over steps of {self.step} minutes."]

    def laid_out(self, parts: Sequence[tuple[WindRecord, FloatArray]]) -> FloatArray:
        """Values of all files on the grid, NaN where none is given, shape (years, steps).

        Hours of a file in UTC that fall into the local year beside are taken for those missing at the other
        end, as with the sun.
        """
        first, last = min(self.years) - 1, max(self.years) + 1
        total = np.zeros((last - first + 1, self.steps))
        count = np.zeros((last - first + 1, self.steps))
        for record, values in parts:
            repeat = max(1, record.step_minutes // self.step)
            starts = record.start_utc.to_numpy().astype("datetime64[m]")
            for part in range(repeat):
                shift = np.timedelta64(self.offset_minutes + part * self.step, "m")
                row, cell, keep = self._cells((starts + shift).astype("datetime64[m]"), first, last)
                keep &= np.isfinite(values)
                np.add.at(total, (row[keep], cell[keep]), values[keep])
                np.add.at(count, (row[keep], cell[keep]), 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(count > 0, total / count, np.nan)
        return np.stack([self._year(mean, year - first) for year in self.years])

    def _cells(
        self, local: NDArray[np.datetime64], first: int, last: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """Row and step of every local stamp, and whether it is on the grid; 29 February is not."""
        year = local.astype("datetime64[Y]")
        minute = (local - year.astype("datetime64[m]")).astype(np.int64)
        number = year.astype(np.int64) + 1970
        leap = (number % 4 == 0) & ((number % 100 != 0) | (number % 400 == 0))
        keep = ~(leap & (minute >= 59 * 1440) & (minute < 60 * 1440))
        minute = np.where(leap & (minute >= 60 * 1440), minute - 1440, minute)
        keep &= (number >= first) & (number <= last)
        row = np.clip(number - first, 0, last - first)
        return row, np.clip(minute // self.step, 0, self.steps - 1), keep

    def _year(self, values: FloatArray, row: int) -> FloatArray:
        """One year, hours missing at its edges taken from the same hours of the year beside."""
        series: FloatArray = values[row].copy()
        edge = 26 * 60 // self.step
        for part, beside in ((slice(0, edge), row + 1), (slice(-edge, None), row - 1)):
            gap = np.isnan(series[part])
            if gap.any() and 0 <= beside < len(values):
                spilled = np.isfinite(values[beside]).sum() <= edge
                if spilled:
                    series[part] = np.where(gap, values[beside][part], series[part])
        return series

    def coverage_faults(self, layers: dict[float, FloatArray]) -> list[Fault]:
        """Years without wind, and gaps too long to be filled."""
        worst = np.logical_or.reduce([np.isnan(values) for values in layers.values()])
        absent = [year for year, gap in zip(self.years, worst, strict=True) if gap.mean() > 0.5]
        faults = []
        if absent:
            have = [year for year in self.years if year not in absent]
            found = f"no wind of {', '.join(map(str, absent))}"
            found += f", only of {', '.join(map(str, have))}" if have else ", of no year of the weather"
            remedy = (
                "Give files of wind for the years of the sun, or take those years of the sun only: "
                "weather.subset(rows). Wind and sun of different years must not be mixed."
            )
            faults.append(Fault("wind", found, "every year of the weather needs its own wind", remedy))
        for year, gap in zip(self.years, worst, strict=True):
            if year in absent or not gap.any():
                continue
            longest = _longest_run(gap) * self.step / 60
            if gap.mean() > LARGEST_MISSING_SHARE or longest > LONGEST_GAP_H:
                found = f"{gap.mean():.1%} of the wind of {year} missing, {longest:.0f} hours in a row"
                allowed = f"at most {LARGEST_MISSING_SHARE:.0%} and {LONGEST_GAP_H:.0f} hours may be missing"
                faults.append(Fault("wind", found, allowed, "Fill the gap, or leave the year out."))
        return faults

    def filled(self, values: FloatArray) -> tuple[FloatArray, float]:
        """Values without gaps, and the share of them that was made."""
        share = float(np.isnan(values).mean())
        return (fill_slow_variables(values, self.steps_per_day), share) if share else (values, 0.0)


def _longest_run(gap: NDArray[np.bool_]) -> int:
    padded = np.concatenate([[False], gap, [False]])
    edges = np.flatnonzero(np.diff(padded.astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _series(records: Sequence[WindRecord], grid: _Grid, name: str) -> FloatArray | None:
    """One series that every file has, without gaps; None where one lacks it or too much is missing."""
    parts = [(record, getattr(record, name)) for record in records]
    if any(values is None for _, values in parts):
        return None
    laid = grid.laid_out(parts)
    return None if np.isnan(laid).mean(axis=1).max() > 0.25 else grid.filled(laid)[0]


def _by_height(
    records: Sequence[WindRecord], grid: _Grid, pick: Callable[[WindRecord], dict[float, FloatArray]],
    near_m: float,
) -> tuple[FloatArray | None, float]:  # fmt: skip
    """Series at the height nearest to one, and that height; None where a file lacks it."""
    shared = set.intersection(*(set(pick(record)) for record in records))
    for height in sorted(shared, key=lambda height: abs(height - near_m)):
        laid = grid.laid_out([(record, pick(record)[height]) for record in records])
        if np.isnan(laid).mean(axis=1).max() <= 0.25:
            return grid.filled(laid)[0], height
    return None, 0.0


def _temperature(records: Sequence[WindRecord], grid: _Grid) -> tuple[FloatArray | None, float]:
    return _by_height(records, grid, lambda record: record.temperature_c, _USUAL_DENSITY_HEIGHT_M)


def _density(
    records: Sequence[WindRecord],
    grid: _Grid,
    weather: WeatherYears,
    temperature_c: FloatArray | None,
    temperature_height_m: float,
) -> tuple[FloatArray, float, str]:
    """Density of the air near the hub, the height that it is of, and how it was found. [kg/m3, m]"""
    given = _series(records, grid, "density_kg_m3")
    if given is not None:
        return given, records[0].density_height_m or 0.0, "Air density from the file."
    height = _USUAL_DENSITY_HEIGHT_M
    if temperature_c is None:
        temperature_c, temperature_height_m, warm = weather.temp_air_c, 2.0, "the weather's temperature"
    else:
        warm = f"temperature at {temperature_height_m:g} m"
    at_height = temperature_c - LAPSE_K_M * (height - temperature_height_m)
    pressure, pressure_height = _by_height(records, grid, lambda record: record.pressure_pa, height)
    if pressure is None:
        standard = float(alt2pres(weather.site.elevation_m + height))
        pressure, pressure_height, pressed = np.full_like(at_height, standard), height, "standard pressure"
    else:
        pressed = f"pressure at {pressure_height:g} m"
    pressure = pressure * np.exp((pressure_height - height) / _PRESSURE_SCALE_M)
    density = pressure / (GAS_CONSTANT_J_KG_K * (at_height + 273.15))
    return np.clip(density, 0.5, 1.7), height, f"Air density from {warm} and {pressed}."


def _warmth_fault(
    record: WindRecord, temperature_c: FloatArray | None, height_m: float, weather: WeatherYears
) -> Fault | None:
    """Say that temperatures are not those of the weather: of another unit or place."""
    if temperature_c is None:
        return None
    mean, usual = float(temperature_c.mean()), float(weather.temp_air_c.mean())
    if abs(mean - usual) <= _FARTHEST_WARMTH_C:
        return None
    found = f"temperatures of {mean:.0f} degrees C on average at {height_m:g} m, "
    found += f"where the weather has {usual:.0f}"
    allowed = f"must be within {_FARTHEST_WARMTH_C:.0f} degrees"
    return Fault(record.file, found, allowed, "Is the unit right (C, F, K), and the place?")


def _clock_fault(records: Sequence[WindRecord], grid: _Grid, weather: WeatherYears) -> Fault | None:
    """Say by how many hours the temperatures of wind and weather are apart; None where they agree."""
    lowest, height = _by_height(records, grid, lambda record: record.temperature_c, 2.0)
    if lowest is None:
        return None
    per_hour = 60 // grid.step
    ours = _standardised(lowest.ravel()[::per_hour])
    theirs = _standardised(weather.temp_air_c.ravel()[::per_hour])
    lags = range(-12, 13)
    likeness = [float((np.roll(ours, -lag) * theirs).mean()) for lag in lags]
    best = int(np.argmax(likeness))
    lag = lags[best]
    usual = next(hours for top, hours in _LAG_H if height <= top)
    if abs(lag - usual) <= LARGEST_CLOCK_ERROR_H or likeness[best] < _ENOUGH_LIKENESS:
        return None
    side = "after" if lag > 0 else "before"
    found = f"temperatures at {height:g} m that come {abs(lag)} h {side} those of the weather "
    found += f"({records[0].convention})"
    remedy = (
        "Check the time zones of both, UTC or local standard time. "
        "If the stamps of the wind are in UTC, give utc_offset_h=0."
    )
    allowed = f"must come within {LARGEST_CLOCK_ERROR_H} h of {usual} h after them"
    return Fault(records[0].file, found, allowed, remedy)


def _standardised(values: FloatArray) -> FloatArray:
    """Temperature without its season: less the mean of 15 days around, of unit variance."""
    width = 15 * 24
    padded = np.concatenate([values[-width // 2 :], values, values[: width // 2]])
    sums = np.concatenate([[0.0], np.cumsum(padded)])
    smooth = (sums[width:] - sums[:-width])[: len(values)] / width
    away = values - smooth
    result: FloatArray = away / max(float(away.std()), 1e-9)
    return result


def _doubts(wind: WindAloft, weather: WeatherYears) -> tuple[str, ...]:
    """Say what a careful reader should look at: a level far from that of the climate."""
    site = weather.site
    if wind_climate_fault(site) is not None or wind.hub_faults(REFERENCE_HEIGHT_M):
        return ()
    from sitedesign.weather.climate.stations import site_climate
    from sitedesign.weather.climate.wind import wind_climate
    from sitedesign.weather.generate_wind import mean_speed_m_s

    usual = mean_speed_m_s(wind_climate(site), site_climate(site), site)
    found = float(wind.speed_at(REFERENCE_HEIGHT_M).mean())
    if 1 / LARGEST_LEVEL_RATIO <= found / usual <= LARGEST_LEVEL_RATIO:
        return ()
    return (
        f"wind of {found:.1f} m/s on average at {REFERENCE_HEIGHT_M:g} m, where NREL's map has {usual:.1f}: "
        "check the unit of the file",
    )
