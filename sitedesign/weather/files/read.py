"""Reads weather files of any known format, recognised by content and joined across years."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sitedesign.errors import Fault, InputError
from sitedesign.util.text_table import decode, lines_of
from sitedesign.weather.files.assemble import assemble
from sitedesign.weather.files.formats import epw_tmy, generic, nsrdb, parquet, pvgis, surfrad, uscrn
from sitedesign.weather.files.formats.source import SourceText
from sitedesign.weather.files.formats.unsupported import unrecognised, wrong_kind
from sitedesign.weather.files.paths import expand, merged
from sitedesign.weather.files.record import WeatherRecord
from sitedesign.weather.files.wind import add_wind, carries_wind
from sitedesign.weather.site import FARTHEST_KM, Site, distance_km
from sitedesign.weather.years import WeatherYears

OF = "Weather.read()"
_HEAD_BYTES = 16_384


@dataclass(frozen=True)
class FileFormat:
    """A format of files: its name for people, how to tell it, how to parse it."""

    name: str
    recognise: Callable[[str], bool]
    parse: Callable[[SourceText, Site | None], WeatherRecord]


FORMATS = (
    FileFormat("NSRDB CSV", nsrdb.recognise, nsrdb.parse),
    FileFormat("EPW", epw_tmy.recognise_epw, epw_tmy.parse_epw),
    FileFormat("TMY3", epw_tmy.recognise_tmy3, epw_tmy.parse_tmy3),
    FileFormat("TMY2", epw_tmy.recognise_tmy2, epw_tmy.parse_tmy2),
    FileFormat("PVGIS CSV", pvgis.recognise_csv, pvgis.parse),
    FileFormat("PVGIS JSON", pvgis.recognise_json, pvgis.parse),
    FileFormat("SURFRAD", surfrad.recognise, surfrad.parse),
    FileFormat("USCRN daily01", uscrn.recognise, uscrn.parse),
    FileFormat("Parquet with named columns", parquet.recognise, parquet.parse),
    FileFormat("CSV with named columns", generic.recognise, generic.parse),
)


def read(paths: Sequence[Path], site: Site | None = None) -> WeatherYears:
    """Read weather files and join them; the rules are those of :mod:`sitedesign.weather.files.gap_filling`.

    Parameters
    ----------
    paths : sequence of path
        Files, or folders of them (not searched deeper); other files in a folder are left out, and said.
    site : Site, optional
        Needed when no file names its place; otherwise it must lie within 25 km of it.

    Returns
    -------
    WeatherYears
        In local standard time, with ``quality`` filled.

    Raises
    ------
    InputError
        With every fault of every file: missing, of the wrong kind, unreadable, with duplicate or unsorted
        stamps, far from the site or from each other, on different steps, or with gaps above the limits.
    """
    files, explicit, faults = expand(paths)
    records: list[WeatherRecord] = []
    skipped: list[str] = []
    for file in files:
        outcome = _read_one(file, site)
        if isinstance(outcome, WeatherRecord):
            records.append(outcome)
        elif file in explicit or outcome[1]:
            faults += outcome[0]
        else:
            skipped.append(file.name)
    if not faults and not records:
        found = f"no weather file, only {', '.join(skipped[:5])}" if skipped else "no files"
        remedy = "Folders are not searched deeper: give the one that holds the files."
        faults.append(Fault("paths", found, "needs at least one weather file", remedy))
    faults += _place_faults(records, site)
    if faults:
        raise InputError(merged(faults), OF)
    place = site or _site_of(records)
    notes = (f"not weather, left out: {', '.join(skipped)}",) if skipped else ()
    weather = assemble(records, place, kind="file", of=OF, notes=notes)
    with_wind = [file for file in files if carries_wind(file)]
    return add_wind(weather, with_wind) if with_wind else weather


def _read_one(file: Path, site: Site | None) -> WeatherRecord | tuple[list[Fault], bool]:
    """Parse one file, or its faults and whether it was recognised as weather at all."""
    try:
        with file.open("rb") as stream:
            first = stream.read(_HEAD_BYTES)
    except OSError as error:
        return [Fault(str(file), f"a file that cannot be read ({error.strerror})", "must be readable")], False
    fault = wrong_kind(file.name, first)
    if fault is not None:
        return [fault], False
    head = "\n".join(lines_of(decode(first)))
    file_format = next((known for known in FORMATS if known.recognise(head)), None)
    if file_format is None:
        return [unrecognised(file.name, head)], False
    # Only what is weather is read whole: a folder may hold anything.
    text = "" if file_format.name.startswith("Parquet") else "\n".join(lines_of(decode(file.read_bytes())))
    try:
        return file_format.parse(SourceText(file.name, text, file), site)
    except InputError as error:
        return list(error.faults), True
    except Exception:
        # Whatever a parser stumbles over, the user needs to know which file and what it was taken for.
        return [_unreadable(file.name, text, file_format.name)], True


def _unreadable(file: str, text: str, file_format: str) -> Fault:
    """Say where a file of a known format stops being one, and whether it was cut short."""
    lines = [line for line in lines_of(text) if line.strip()]
    found = f"a file that begins like {file_format} but cannot be read as such"
    cut = file_format.endswith("JSON") and not text.rstrip().endswith("}")
    if cut or (len(lines) > 3 and len(lines[-1]) < 0.5 * len(lines[-2]) and not text.endswith("\n")):
        found += f"; it ends in the middle of a row, {lines[-1][-60:]!r}"
        return Fault(file, found, "must be complete", "Download it again.")
    remedy = "Compare header rows and columns with a file as its source writes it, or name columns in a CSV."
    return Fault(file, found, "must be as its source writes it", remedy)


def _place_faults(records: Sequence[WeatherRecord], site: Site | None) -> list[Fault]:
    faults: list[Fault] = []
    placed = [record for record in records if record.latitude is not None and record.longitude is not None]
    if site is None and records and not placed:
        remedy = (
            "Give site=Site(latitude=..., longitude=...), "
            "or header lines '# latitude: ...' and '# longitude: ...'."
        )
        return [Fault(records[0].file, "no place in the file", "the place must be known", remedy)]
    for record in placed:
        here = (float(record.latitude or 0), float(record.longitude or 0))
        if site is not None:
            there, whose = (site.latitude, site.longitude), "the site"
        else:
            there, whose = (float(placed[0].latitude or 0), float(placed[0].longitude or 0)), placed[0].file
        distance = distance_km(*here, *there)
        if distance > FARTHEST_KM:
            found = (
                f"weather of {here[0]:g}, {here[1]:g}, which is {distance:.0f} km from {whose} "
                f"({there[0]:g}, {there[1]:g})"
            )
            remedy = "Take weather of the site, or leave `site` out to study the place of the file."
            faults.append(Fault(record.file, found, f"must be within {FARTHEST_KM:.0f} km", remedy))
    return faults


def _site_of(records: Sequence[WeatherRecord]) -> Site:
    first = next(record for record in records if record.latitude is not None)
    given = {"latitude": first.latitude, "longitude": first.longitude, "elevation_m": first.elevation_m}
    return Site(**{key: value for key, value in given.items() if value is not None})
