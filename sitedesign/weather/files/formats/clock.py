"""Puts a table in time: what its file declares of zone and convention, and the sun's word for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from sitedesign.errors import Fault, InputError
from sitedesign.weather.files.clock_check import TOLERANCE_MINUTES, sun_error_minutes
from sitedesign.weather.files.record import Convention, WeatherRecord, is_typical, record_from
from sitedesign.weather.files.wall_clock import unwind
from sitedesign.weather.files.year_grid import lay_out, light_of
from sitedesign.weather.site import Site
from sitedesign.weather.solar_geometry import solar_geometry

OF = "Weather.read()"
WORDS: dict[Convention, str] = {
    "start": "means stamped at their start",
    "middle": "means stamped at their middle",
    "end": "means stamped at their end",
    "instant": "instants at the stamp",
}
_MEASURED_WORDS = {
    0.0: "instants at the stamp",
    0.5: "means stamped at their start",
    -0.5: "means stamped at their end",
    0.25: "means of the stamp and half a step later",
    -0.25: "means of the stamp and half a step earlier",
}
_LINES = "header lines such as '# utc_offset: -6' and '# convention: end' (start, middle, end or instant)"


def zone_words(zone_h: float) -> str:
    """Zone of a clock for people: ``UTC-6 all year``, ``UTC+5:30 all year`` or ``UTC``."""
    return "UTC" if zone_h == 0 else f"{utc_words(zone_h)} all year"


def utc_words(zone_h: float) -> str:
    """Offset from UTC for people: ``UTC-6``, ``UTC+5:30``, ``UTC``."""
    minutes = round(abs(zone_h) * 60)
    rest = f":{minutes % 60:02d}" if minutes % 60 else ""
    return f"UTC{'-' if zone_h < 0 else '+'}{minutes // 60}{rest}" if minutes else "UTC"


def place_in_time(
    data: pd.DataFrame,
    file: str,
    kind: str,
    *,
    zone_h: float | None,
    convention: Convention | None,
    site: Site | None,
    usual: Convention | None = None,
    notes: tuple[str, ...] = (),
    sun_shift_minutes: float | None = None,
    **about: Any,  # noqa: ANN401
) -> WeatherRecord:
    """Build a record from a table with naive stamps; measure on clear days what is not declared.

    Parameters
    ----------
    data : DataFrame
        Columns of :class:`WeatherRecord`; index: naive stamps in the file's own time.
    file, kind : str
        For people.
    zone_h : float or None
        File time minus UTC, if declared. [h]
    convention : {'start', 'middle', 'end', 'instant'} or None
        Where in its interval a stamp stands, if declared.
    site : Site or None
        Where to measure.
    usual : convention, optional
        What the format usually means, used with a declared zone where the sun cannot tell.
    notes : tuple of str
    sun_shift_minutes : float, optional
        See :func:`sitedesign.weather.files.record.place_stamps`. [min]
    **about
        Further attributes of the record.

    Returns
    -------
    WeatherRecord

    Raises
    ------
    InputError
        If what is missing cannot be measured, or the stamps are faulty.
    """
    unwound = unwind(data, file, site) if site is not None and not _is_typical(data, about) else None
    if unwound is not None:
        data, zone_h, notes = unwound.data, unwound.zone_h, (*notes, unwound.note)
    if zone_h is not None and convention is not None:
        words = f"{WORDS[convention]}, {zone_words(zone_h)}, as declared"
        return record_from(
            data, file, kind, convention, zone_h, words=words, notes=notes,
            sun_shift_minutes=sun_shift_minutes, **about,
        )  # fmt: skip
    missing = " and ".join(
        word for word, value in (("time zone", zone_h), ("interval convention", convention)) if value is None
    )
    if site is None:
        found = f"no {missing}, and no place to measure it at"
        raise InputError([Fault(file, found, "time must be known", f"Give `site`, or {_LINES}.")], OF)
    zones = [zone_h] if zone_h is not None else list(dict.fromkeys([site.utc_offset_h, 0.0]))
    # Stamps taken as instants that begin their intervals; the error is then minus the sun's place in them.
    first = record_from(data, file, kind, "start", zones[0], words="", sun_shift_minutes=0.0, **about)
    known = _errors_minutes(first, zones, site)
    solar_h = float(round(site.longitude / 15))
    if (
        zone_h is None
        and known
        and min(map(abs, known.values())) > first.step_minutes / 2 + TOLERANCE_MINUTES
    ):
        zones.append(solar_h)  # NASA POWER's local time
        known = _errors_minutes(first, zones, site)
    if not known:
        if zone_h is not None and usual is not None:
            words = f"{WORDS[usual]} (usual in this format), {zone_words(zone_h)}"
            said = f"{missing} not declared and too few clear days to measure it: taken as usual"
            return record_from(data, file, kind, usual, zone_h, words=words, notes=(*notes, said), **about)
        found = f"no {missing}, and too few clear days to measure it"
        raise InputError([Fault(file, found, "time must be known", f"Add {_LINES}.")], OF)
    step = first.step_minutes
    best = min(known, key=lambda candidate: abs(known[candidate]))
    error = known[best]
    if abs(error) > step / 2 + TOLERANCE_MINUTES:
        raise InputError([_no_zone_fits(file, zones, best, error)], OF)
    said = f"{missing} not declared, measured on clear days: sun at stamp {-error:+.0f} min"
    if convention is not None:
        words = f"{WORDS[convention]}, {zone_words(best)} (time zone measured)"
        return record_from(data, file, kind, convention, best, words=words, notes=(*notes, said), **about)
    # Quarter steps (means of :00 and :30) can be told apart only where they are long.
    options = [0.0, step / 2, -step / 2, *((step / 4, -step / 4) if step == 60 else ())]
    shift = min(options, key=lambda option: abs(option + error))
    words = f"{_MEASURED_WORDS[shift / step]}, {zone_words(best)} (measured)"
    notes = (*notes, f"{said}, taken as {shift:+g} min")
    if shift == 0:  # the step that holds the stamp, wherever in it the stamp stands
        return record_from(data, file, kind, "instant", best, words=words, notes=notes, **about)
    if shift > 0:
        return record_from(
            data, file, kind, "start", best, words=words, notes=notes, sun_shift_minutes=shift, **about
        )
    record = record_from(data, file, kind, "end", best, words=words, notes=notes, **about)
    return replace(record, sun_offset_minutes=step + shift)


def _errors_minutes(first: WeatherRecord, zones: Sequence[float], site: Site) -> dict[float, float]:
    """How much later than its stamps say the sun stood in each zone, where it can be measured. [min]"""
    errors: dict[float, float] = {}
    for zone in zones:
        moved = first.frame.set_axis(
            pd.DatetimeIndex(first.frame.index) - pd.Timedelta(hours=zone - zones[0])
        )
        error = error_minutes(replace(first, frame=moved), site)
        if np.isfinite(error):
            errors[zone] = error
    return errors


def _is_typical(data: pd.DataFrame, about: dict[str, Any]) -> bool:
    declared = about.get("typical")
    return bool(is_typical(pd.DatetimeIndex(data.index)) if declared is None else declared)


def _no_zone_fits(file: str, zones: Sequence[float], best: float, error: float) -> Fault:
    tried = " nor ".join(utc_words(candidate) for candidate in zones)
    fitting = (best + error / 60 + 12) % 24 - 12
    found = f"stamps whose sun stands {error:+.0f} min from where it should be, in neither {tried}"
    remedy = (
        f"The sun's hours fit about {utc_words(round(fitting * 2) / 2)}: check the sign of the zone "
        f"and of the longitude, then correct the file or add {_LINES}."
    )
    return Fault(file, found, "time must be known", remedy)


def error_minutes(record: WeatherRecord, site: Site) -> float:
    """How much later than its stamps say the sun stood in a record, NaN with too few clear days. [min]"""
    grid = lay_out([record], site.utc_offset_h)
    geometry = solar_geometry(site, grid.step_minutes, grid.utc_offset_h, grid.sun_offset_minutes)
    # Direct plus diffuse is as symmetric about noon as global irradiance, and needs no sun to be made.
    light = light_of(grid.columns)
    ghi = np.where((light < -20) | (light > 2500), np.nan, light)
    errors = sun_error_minutes(
        ghi, geometry.ghi_extra_w_m2, site.longitude, grid.utc_offset_h, grid.sun_offset_minutes
    )
    return float(np.median(errors[np.isfinite(errors)])) if np.isfinite(errors).any() else float("nan")
