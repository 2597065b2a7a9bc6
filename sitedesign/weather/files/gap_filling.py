"""Repairs gaps by stated rules, or refuses above a limit.

Rules for irradiance, in terms of the clearness index (irradiance over extraterrestrial irradiance), counting
daylight steps only:

* values outside physical limits count as missing;
* up to 3 hours: straight line between the neighbouring hours of the same day;
* up to 3 days: the same hours of the nearest days;
* up to 10 days: the same dates of the nearest other year; of the nearest days where there is no other year;
* longer than 10 days, or more than 5 % of a year's daylight hours missing: the year is left out of a long
  record (5 or more years and three quarters of it remain), and said; otherwise refused.

Blanks that a file leaves day after day while the sun is below 12 degrees are no gaps: they take the
clearness of the step next to them, and are counted and said apart.

Temperature and wind: a straight line up to 6 hours, then the same hours of the nearest days (at most 15 days
away), then the mean of the same hours of the month.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitedesign.errors import Fault, InputError
from sitedesign.weather.solar_geometry import SolarGeometry

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

SHORT_GAP_H = 3.0
NEIGHBOUR_GAP_DAYS = 3.0
LONGEST_GAP_DAYS = 10.0
LARGEST_MISSING_SHARE = 0.05
RECORD_YEARS = 5
KEPT_SHARE = 0.75
CALM_GAP_H = 6.0
NEAREST_DAYS = 15
LOW_SUN_DEG = 12.0
LOW_SUN_DAYS = 20
_NIGHT_LIMIT_W_M2 = 100.0
_LABELS = np.arange(np.datetime64("2001-01-01"), np.datetime64("2002-01-01"))


@dataclass(frozen=True)
class Gap:
    """A run of missing daylight steps.

    Attributes
    ----------
    row, first, last : int
        Year row; first and last missing step of the year.
    hours : float
        From the beginning of the first to the end of the last. [h]
    """

    row: int
    first: int
    last: int
    hours: float


@dataclass(frozen=True, eq=False)
class RepairCount:
    """What was missing and how it was filled, one entry a year. [h of daylight]"""

    missing_h: FloatArray
    interpolated_h: FloatArray
    from_neighbours_h: FloatArray
    from_other_years_h: FloatArray
    longest_gap_days: FloatArray
    missing_share: FloatArray


def physical_limits(
    geometry: SolarGeometry, slack_minutes: float = 0.0
) -> dict[str, tuple[FloatArray | float, FloatArray | float]]:
    """Lowest and highest credible value of every column.

    Irradiance after the BSRN "physically possible" limits (Long and Dutton 2002), which leave room for cloud
    enhancement; negative irradiance down to -20 W/m2 is the cold sky seen by a pyranometer at night.

    Parameters
    ----------
    geometry : SolarGeometry
    slack_minutes : float
        How far the file's clock may be out; the highest sun within that time counts. [min]

    Returns
    -------
    dict of (low, high)
        [W/m2], [degrees C], [m/s]
    """
    steps = int(np.ceil(slack_minutes / geometry.step_minutes))
    height = geometry.ghi_extra_w_m2 / geometry.dni_extra_w_m2
    height = np.max([np.roll(height, shift) for shift in range(-steps, steps + 1)], axis=0)
    sun = geometry.dni_extra_w_m2
    return {
        "ghi": (-20.0, 1.5 * sun * height**1.2 + _NIGHT_LIMIT_W_M2),
        "dni": (-20.0, sun),
        "dhi": (-20.0, 0.95 * sun * height**1.2 + 50),
        "temp_air": (-60.0, 60.0),
        "wind_speed": (0.0, 60.0),
    }


def drop_impossible(
    columns: dict[str, FloatArray], geometry: SolarGeometry, slack_minutes: float = 0.0
) -> tuple[dict[str, FloatArray], FloatArray]:
    """Set values outside the physical limits to missing, and irradiance to zero at night.

    Sentinels (-9999, -999, -99, 9999, 99999) lie outside the limits, so this removes them too.

    Parameters
    ----------
    columns : dict of ndarray, shape (years, steps)
    geometry : SolarGeometry
    slack_minutes : float
        See :func:`physical_limits`. [min]

    Returns
    -------
    dict of ndarray
    out_of_range : ndarray, shape (years,)
        Values removed.
    """
    limits = physical_limits(geometry, slack_minutes)
    night = limits["ghi"][1] <= _NIGHT_LIMIT_W_M2
    clean: dict[str, FloatArray] = {}
    removed = np.zeros(len(next(iter(columns.values()))))
    for name, values in columns.items():
        low, high = limits[name]
        with np.errstate(invalid="ignore"):
            bad = (values < low) | (values > high)
        kept = np.where(bad, np.nan, values)
        if name in ("ghi", "dni", "dhi"):
            kept[:, night] = 0.0
            kept = np.where(kept < 0, 0.0, kept)
        clean[name] = kept
        removed += bad.sum(axis=1)
    return clean, removed


def find_gaps(ghi: FloatArray, geometry: SolarGeometry) -> list[Gap]:
    """List the runs of missing daylight steps; a night between two missing days belongs to the run.

    Parameters
    ----------
    ghi : ndarray, shape (years, steps)
    geometry : SolarGeometry

    Returns
    -------
    list of Gap
    """
    daylight = np.flatnonzero(geometry.is_day)
    step_h = geometry.step_minutes / 60
    gaps: list[Gap] = []
    for row, series in enumerate(ghi):
        missing = np.concatenate([[False], np.isnan(series[daylight]), [False]])
        edges = np.flatnonzero(np.diff(missing.astype(np.int8)))
        for begin, end in zip(edges[::2], edges[1::2], strict=True):
            first, last = int(daylight[begin]), int(daylight[end - 1])
            gaps.append(Gap(row, first, last, (last - first + 1) * step_h))
    return gaps


def years_to_leave_out(
    ghi: FloatArray, gaps: Sequence[Gap], years: Sequence[int], geometry: SolarGeometry, of: str
) -> dict[int, str]:
    """Find the years with too much missing; without them there must be a long record left.

    Parameters
    ----------
    ghi : ndarray, shape (years, steps)
    gaps : sequence of Gap
    years : sequence of int
    geometry : SolarGeometry
    of : str
        What is being read, for the message.

    Returns
    -------
    dict of int to str
        Row of each year to leave out, with the reason; only when at least `RECORD_YEARS` years and three
        quarters of the record remain.

    Raises
    ------
    InputError
        When less would remain, naming the first gap of every refused year.
    """
    refused = {
        row: found for row in range(len(years)) if (found := _too_much_missing(row, ghi[row], gaps, geometry))
    }
    left = [year for row, year in enumerate(years) if row not in refused]
    if not refused or (len(left) >= RECORD_YEARS and len(left) >= KEPT_SHARE * len(years)):
        return refused
    allowed = (
        f"at most {LARGEST_MISSING_SHARE:.0%} of daylight hours of a year and {LONGEST_GAP_DAYS:.0f} "
        "days in a row may be missing"
    )
    out = year_ranges([years[row] for row in refused])
    remedy = (
        f"Leave out {out}: {year_ranges(left)} can be used. Or fill the gap from another source."
        if left
        else "Fill the gap from another source, or use another year or station."
    )
    ends = _last_light(ghi[max(refused)], geometry)
    if ends is not None:
        remedy += f" The record ends on {ends}: if the file was cut short, download it again."
    faults = [Fault(f"year {years[row]}", found, allowed) for row, found in refused.items()]
    faults[0] = Fault(faults[0].where, faults[0].found, faults[0].allowed, remedy)
    raise InputError(faults, of)


def _last_light(ghi: FloatArray, geometry: SolarGeometry) -> str | None:
    """When the irradiance of a year ends, if that is long before the year does."""
    known = np.flatnonzero(~np.isnan(ghi) & geometry.is_day)
    if known.size == 0 or known[-1] > (365 - LONGEST_GAP_DAYS) * geometry.steps_per_day:
        return None
    return _when(int(known[-1]), geometry)


def _too_much_missing(row: int, ghi: FloatArray, gaps: Sequence[Gap], geometry: SolarGeometry) -> str:
    """Say what is missing from a year when it is too much, else nothing."""
    share = float(np.isnan(ghi[geometry.is_day]).mean())
    mine = [gap for gap in gaps if gap.row == row]
    long = [gap for gap in mine if gap.hours > LONGEST_GAP_DAYS * 24]
    if not long and share <= LARGEST_MISSING_SHARE:
        return ""
    gap = long[0] if long else max(mine, key=lambda item: item.hours)
    what = "first gap above the limit" if long else "longest gap"
    span = f"from {_when(gap.first, geometry)} to {_when(gap.last, geometry)}"
    return f"{share:.1%} of daylight hours missing, {what} {span}"


def fill_irradiance(
    ghi: FloatArray, gaps: Sequence[Gap], geometry: SolarGeometry
) -> tuple[FloatArray, RepairCount]:
    """Fill the gaps of global irradiance by the rules of this module.

    Parameters
    ----------
    ghi : ndarray, shape (years, steps)
        NaN where missing. [W/m2]
    gaps : sequence of Gap
    geometry : SolarGeometry

    Returns
    -------
    ndarray, shape (years, steps)
    RepairCount
    """
    extra = geometry.ghi_extra_w_m2
    with np.errstate(invalid="ignore", divide="ignore"):
        clearness = np.clip(np.where(extra > 0, ghi / extra, 0.0), 0, 1.3)
    filled = clearness.copy()
    step_h = geometry.step_minutes / 60
    count = {name: np.zeros(len(ghi)) for name in ("line", "days", "years")}
    longest = np.zeros(len(ghi))
    for gap in gaps:
        steps = np.arange(gap.first, gap.last + 1)
        steps = steps[np.isnan(clearness[gap.row, steps])]
        how = (
            "line"
            if gap.hours <= SHORT_GAP_H
            else "days"
            if gap.hours <= NEIGHBOUR_GAP_DAYS * 24
            else "years"
        )
        values = None
        if how == "line":
            values = _line(clearness[gap.row], steps, geometry)
        elif how == "years":
            values = _other_year(clearness, gap.row, steps)
        if values is None:
            how = "days"
            values = same_hours_of_near_days(
                clearness[gap.row], steps, geometry.steps_per_day, geometry.is_day
            )
        if np.isnan(values).any():  # near days lack the same hours
            values = np.where(np.isnan(values), _along(clearness[gap.row], steps, geometry), values)
        filled[gap.row, steps] = values
        count[how][gap.row] += len(steps) * step_h
        longest[gap.row] = max(longest[gap.row], gap.hours / 24)
    missing = np.isnan(ghi[:, geometry.is_day])
    repaired = np.where(np.isnan(ghi), filled * extra, ghi)
    return repaired, RepairCount(
        missing.sum(axis=1) * step_h,
        count["line"],
        count["days"],
        count["years"],
        longest,
        missing.mean(axis=1),
    )


def fill_slow_variables(values: FloatArray, steps_per_day: int) -> FloatArray:
    """Fill temperature or wind: line, near days, then the month's mean of the same hour.

    Parameters
    ----------
    values : ndarray, shape (years, steps)
        At least one value for every hour of every month. [any]
    steps_per_day : int

    Returns
    -------
    ndarray, shape (years, steps)
    """
    filled = values.copy()
    longest = CALM_GAP_H / 24 * steps_per_day
    month = (_LABELS.astype("datetime64[M]").astype(int) % 12)[:, None].repeat(steps_per_day, axis=1).ravel()
    always = np.ones(values.shape[1], dtype=bool)
    for row, series in enumerate(values):
        missing = np.isnan(series)
        if not missing.any():
            continue
        known = np.flatnonzero(~missing)
        padded = np.concatenate([[False], missing, [False]])
        edges = np.flatnonzero(np.diff(padded.astype(np.int8)))
        for begin, end in zip(edges[::2], edges[1::2], strict=True):
            steps = np.arange(begin, end)
            if end - begin <= longest and known.size:
                filled[row, steps] = np.interp(steps, known, series[known])
            else:
                filled[row, steps] = same_hours_of_near_days(series, steps, steps_per_day, always)
        for step in np.flatnonzero(np.isnan(filled[row])):
            alike = values[
                :, (month == month[step]) & (np.arange(len(series)) % steps_per_day == step % steps_per_day)
            ]
            filled[row, step] = np.nanmean(alike) if np.isfinite(alike).any() else np.nanmean(values)
    return filled


def same_hours_of_near_days(
    series: FloatArray,
    steps: NDArray[np.int64],
    steps_per_day: int,
    wanted: BoolArray,
    reach_days: int = NEAREST_DAYS,
) -> FloatArray:
    """Take each missing day's hours from the nearest day that has them all.

    Parameters
    ----------
    series : ndarray, shape (steps,)
        One year, NaN where missing.
    steps : ndarray of int
        Missing steps.
    steps_per_day : int
    wanted : ndarray of bool, shape (steps,)
        Steps that matter (daylight).
    reach_days : int
        How far to look. [days]

    Returns
    -------
    ndarray, shape of `steps`
        NaN where no day within reach has the hours.
    """
    values = np.full(len(steps), np.nan)
    days = steps // steps_per_day
    offsets = [sign * away for away in range(1, reach_days + 1) for sign in (-1, 1)]
    for day in np.unique(days):
        mine = days == day
        slots = steps[mine] % steps_per_day
        for offset in offsets:
            source = (day + offset) % 365 * steps_per_day + slots
            lit = wanted[source]
            if lit.any() and not np.isnan(series[source][lit]).any():
                values[mine] = np.where(lit, series[source], np.nanmean(series[source][lit]))
                break
    return values


def fill_low_sun(ghi: FloatArray, geometry: SolarGeometry) -> tuple[FloatArray, FloatArray]:
    """Fill blanks that a file leaves day after day while the sun is low: instruments and filters do that.

    Such a step takes the clearness of the step next to it towards noon. A file that does it on a few days
    only has ordinary gaps.

    Parameters
    ----------
    ghi : ndarray, shape (years, steps)
        NaN where missing. [W/m2]
    geometry : SolarGeometry

    Returns
    -------
    ndarray, shape (years, steps)
    hours : ndarray, shape (years,)
        Hours filled, by year. [h]
    """
    per_day = geometry.steps_per_day
    extra = geometry.ghi_extra_w_m2.reshape(365, per_day)
    high = np.sin(np.radians(LOW_SUN_DEG)) * geometry.dni_extra_w_m2.reshape(365, per_day)
    low = (extra > 0) & (extra < high)
    noon = extra.argmax(axis=1)[:, None]
    before = np.arange(per_day)[None, :] < noon
    filled = ghi.copy()
    hours = np.zeros(len(ghi))
    for row, series in enumerate(ghi):
        day = series.reshape(365, per_day)
        with np.errstate(invalid="ignore", divide="ignore"):
            clearness = np.where(extra > 0, day / extra, np.nan)
        blank = low & np.isnan(day)
        for _ in range(per_day // 4):
            inward = np.where(before, np.roll(clearness, -1, axis=1), np.roll(clearness, 1, axis=1))
            take = blank & np.isnan(clearness) & ~np.isnan(inward)
            if not take.any():
                break
            clearness[take] = inward[take]
        taken = blank & ~np.isnan(clearness)
        if taken.any(axis=1).sum() < LOW_SUN_DAYS:
            continue
        filled[row] = np.where(taken, np.clip(clearness, 0, 1.3) * extra, day).ravel()
        hours[row] = taken.sum() * geometry.step_minutes / 60
    return filled, hours


def _along(clearness: FloatArray, steps: NDArray[np.int64], geometry: SolarGeometry) -> FloatArray:
    """Draw a line of clearness along the known daylight of the year, whatever day it is of."""
    known = np.flatnonzero(geometry.is_day & ~np.isnan(clearness))
    if known.size == 0:
        return np.full(len(steps), np.nan)
    line: FloatArray = np.interp(steps, known, clearness[known])
    return line


def _line(clearness: FloatArray, steps: NDArray[np.int64], geometry: SolarGeometry) -> FloatArray | None:
    per_day = geometry.steps_per_day
    day = int(steps[0]) // per_day
    span = np.arange(day * per_day, (day + 1) * per_day)
    # A sun close to the horizon makes the index meaningless: such steps are no neighbours to lean on.
    lit = geometry.ghi_extra_w_m2[span] > 0.05 * geometry.ghi_extra_w_m2[span].max()
    known = span[lit & ~np.isnan(clearness[span])]
    if known.size == 0 or int(steps[-1]) // per_day != day:
        return None
    line: FloatArray = np.interp(steps, known, clearness[known])
    return line


def _other_year(clearness: FloatArray, row: int, steps: NDArray[np.int64]) -> FloatArray | None:
    for other in sorted(range(len(clearness)), key=lambda candidate: (abs(candidate - row), candidate)):
        if other != row and not np.isnan(clearness[other, steps]).any():
            values: FloatArray = clearness[other, steps]
            return values
    return None


def _when(step: int, geometry: SolarGeometry) -> str:
    day, slot = divmod(step, geometry.steps_per_day)
    minutes = slot * geometry.step_minutes
    return f"{str(_LABELS[day])[5:]} {minutes // 60:02d}:{minutes % 60:02d}"


def year_ranges(years: Sequence[int]) -> str:
    """Years as ranges: 1998-2003, 2005."""
    parts: list[str] = []
    for year in years:
        if parts and int(parts[-1].split("-")[-1]) == year - 1:
            parts[-1] = f"{parts[-1].split('-')[0]}-{year}"
        else:
            parts.append(str(year))
    return ", ".join(parts)
