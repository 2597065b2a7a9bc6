"""The user's own profile: a solar yield or a load that stands in for what sitedesign would compute.

A profile may come from PVsyst, SAM, a meter or a spreadsheet, as a pandas Series or DataFrame, an array or a
file. Its unit and its clock are read; it is compared with what the site and the racks could give, all faults
are reported at once, and it is put on the study's time step without changing its energy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import gcd
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign.components.own_profile.clock import Clock, ProfileRecord, whole_years
from sitedesign.components.own_profile.file import read_file, real_numbers, record_of_frame
from sitedesign.components.own_profile.given import Given, given
from sitedesign.components.own_profile.level import USUAL_PEAK, Scale, how_to_say, level_faults, scale_of
from sitedesign.components.own_profile.sun import clock_notes, load_fault
from sitedesign.errors import Fault, InputError
from sitedesign.weather.site import Site
from sitedesign.weather.solar_geometry import SOLAR_CONSTANT_W_M2, solar_geometry

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Kind = Literal["solar", "load"]
ProfileData = Any  # Profile, Series, DataFrame, ArrayLike, path, or a mapping of one of them and its unit

# A module gives at most about 1.25 times its rating (cold, cloud enhancement); more is a wrong unit.
SOLAR_MAX_MW_PER_MWDC = 1.3
# Twice the largest campus announced by 2026; more is kW or W taken for MW.
LOAD_MAX_MW = 20_000.0
# Inverters and transformers draw 0.1 to 0.3 % of the rating at night; more is another quantity.
NIGHT_CONSUMPTION = 0.005
# Sun within three degrees of the horizon: an array then gives less than about 2 % of its rating.
LOW_SUN = 0.05
_UNITS: dict[str, str] = {"solar": "MW per MWdc", "load": "MW"}


@dataclass(frozen=True, eq=False)
class Profile:
    """A checked profile of whole 365-day years, in local standard time.

    Attributes
    ----------
    kind : str
        ``solar`` [MW per MWdc at the bus] or ``load`` [MW at the bus].
    step_minutes : int
        Its own step: 5, 15, 30 or 60. [min]
    values : ndarray, shape (years, steps)
        Mean of each interval; column 0 starts on 1 January at 00:00.
    years : tuple of int
        Calendar years; 1, 2, ... when the profile carries no dates.
    description : str
        Where it came from, one line.
    notes : tuple of str
        Everything that was assumed or dropped.
    """

    kind: Kind
    step_minutes: int
    values: FloatArray
    years: tuple[int, ...]
    description: str
    notes: tuple[str, ...] = ()

    def on_step(self, step_minutes: int, years: int | None = None) -> FloatArray:
        """Put the profile on a study's step: averaged to a longer step, held over a shorter one.

        Parameters
        ----------
        step_minutes : int
            Step of the study. [min]
        years : int, optional
            Weather years of the study; a profile of one year is repeated to fill them.

        Returns
        -------
        ndarray, shape (years, steps)
            Same energy each year, in the profile's unit.

        Raises
        ------
        InputError
            If the profile has neither one year nor `years`.
        """
        values = resample(self.values, self.step_minutes, step_minutes)
        found = len(values)
        if years is None or found == years:
            return values
        if found == 1:
            return np.repeat(values, years, axis=0)
        fault = Fault(
            f"{self.kind}_profile", f"{found} years", f"must have 1 year or the study's {years}",
            "Give a study of as many years, or one representative year.",
        )  # fmt: skip
        raise InputError([fault], f"{self.kind}_profile")


@dataclass(frozen=True)
class Beside:
    """What a profile is compared with.

    Attributes
    ----------
    site : Site
        Gives the sun, the standard time and the rules of daylight saving.
    mean : float
        Mean of what sitedesign would compute in its place. [MW, or MW per MWdc]
    years : int
        Weather years of the study.
    """

    site: Site
    mean: float
    years: int


def read_profile(
    data: ProfileData,
    kind: Kind,
    *,
    unit: str | None = None,
    column: str | None = None,
    clock: str | float | None = None,
    rated_mw: float | None = None,
    step_minutes: int | None = None,
    utc_offset_h: float | None = None,
    maximum: float | None = None,
    beside: Beside | None = None,
) -> Profile:
    """Read and check a user's own profile.

    Parameters
    ----------
    data : Series, DataFrame, array, path, mapping or Profile
        With a time index: stamps at the start, middle or end of each interval; without a time zone they are
        local standard time all year. Without an index: one row a year, shape (years, steps), or a flat series
        from 1 January 00:00 local standard time. Files are text tables or Parquet, as meters, spreadsheets,
        PVsyst, SAM, PVWatts, PVGIS and renewables.ninja write them. A mapping has ``file`` or ``data`` and
        any of the next five.
    kind : str
        ``solar`` [MW per MWdc at the bus] or ``load`` [MW at the bus].
    unit : str, optional
        Of the values: ``kW``, ``MWh per interval``, ``kWh/kWp``, ``%``. When left out, that of the column's
        name, of a row of units or of a comment (``load_kw``, ``Energy (MWh)``, ``# unit: kW``); without any,
        that of `kind`, if the level fits.
    column : str, optional
        Name of the column of values, where a file has several.
    clock : str or float, optional
        Clock of the stamps: ``standard`` (the site's, all year), ``wall`` (with daylight saving), ``UTC``,
        ``UTC-6`` or the hours ahead of UTC. When left out, what the file says.
    rated_mw : float, optional
        Size of the array whose production it is [MWdc]; for a load in per cent or per unit, the load that
        it is a share of [MW].
    step_minutes : int, optional
        Step of a flat series without time index, when its length has two readings. [min]
    utc_offset_h : float, optional
        The site's standard time; a profile whose index carries a time zone is moved to it. [h]
    maximum : float, optional
        Largest plausible value; 1.3 MW per MWdc for solar, 20,000 MW for a load.
    beside : Beside, optional
        The site, for the sun and daylight saving, and the level that is expected.

    Returns
    -------
    Profile
        Everything that was converted, moved, dropped or assumed is in the notes.

    Raises
    ------
    InputError
        Listing every fault: negative or implausible values, gaps, wrong length, irregular step, a unit that
        cannot be told, a clock that the sun contradicts.
    """
    of = f"{kind}_profile"
    if isinstance(data, Profile):
        faults = _year_faults(len(data.years), kind, beside)
        if data.kind != kind:
            faults = [Fault(of, f"a {data.kind} profile", f"must be a {kind} profile")]
        if faults:
            raise InputError(faults, of)
        return data
    said = given(
        data, of, unit=unit, column=column, clock=clock, rated_mw=rated_mw, step_minutes=step_minutes
    )
    record = _as_said(_load(said, kind, of), said)
    site = None if beside is None else beside.site
    if site is not None and utc_offset_h is None:
        utc_offset_h = site.utc_offset_h
    zone = None if site is None else site.timezone
    found = whole_years(record, said.step_minutes or record.step_minutes, utc_offset_h, zone)
    scale, faults = scale_of(record, kind, found.step_minutes, said.rated_mw)
    scaled = _without_night_consumption(replace(record, values=record.values * scale.factor), kind)
    values, filled = _on_site_clock(found, scale, kind, site)
    level: tuple[str, ...] = ()
    if not faults:
        mean = None if beside is None else beside.mean
        stated = said.unit is not None or said.rated_mw is not None
        faults, level = level_faults(scaled, scale, kind, found.step_minutes, mean, stated=stated)
        limit = maximum or (SOLAR_MAX_MW_PER_MWDC if kind == "solar" else LOAD_MAX_MW)
        gaps = bool(found.faults) or not np.isfinite(values).all()
        faults += _value_faults(scaled, kind, np.inf if faults else limit, gaps=gaps)
    faults = [*faults, *found.faults]
    if not found.faults:
        faults += _year_faults(len(found.rows), kind, beside)
    if kind == "load" and site is not None and not faults:
        of_the_sun = load_fault(values, found.step_minutes, site, record)
        faults += [of_the_sun] if of_the_sun else []
    if faults:
        raise InputError(faults, of)
    notes = (*scale.notes, *level, *scaled.notes, *found.notes, *filled)
    if kind == "solar" and site is not None:
        notes += clock_notes(values, found.step_minutes, site, record, stated=said.clock is not None)
    return Profile(kind, found.step_minutes, values, found.years, record.description, notes)


def profile_years(
    data: ProfileData,
    step_minutes: int,
    *,
    kind: Kind,
    utc_offset_h: float | None = None,
    beside: Beside | None = None,
) -> FloatArray:
    """Read a user's own profile straight onto a study's step.

    Parameters
    ----------
    data : Series, DataFrame, array, path, mapping or Profile
        As for :func:`read_profile`.
    step_minutes : int
        Step of the study; the profile's own step is found out. [min]
    kind : str
        ``solar`` [MW per MWdc at the bus] or ``load`` [MW at the bus].
    utc_offset_h : float, optional
        The site's standard time, for a time index with a zone. [h]
    beside : Beside, optional
        As for :func:`read_profile`.

    Returns
    -------
    ndarray, shape (years, steps)

    Raises
    ------
    InputError
        Listing every fault.
    """
    return read_profile(data, kind, utc_offset_h=utc_offset_h, beside=beside).on_step(step_minutes)


def count_years(data: ProfileData, kind: Kind, site: Site) -> int:
    """Count the years of a profile, whatever its values are.

    Raises
    ------
    InputError
        If it cannot be cut into years.
    """
    of = f"{kind}_profile"
    if isinstance(data, Profile):
        return len(data.years)
    said = given(data, of)
    record = _as_said(_load(said, kind, of), said)
    clock = whole_years(record, said.step_minutes or record.step_minutes, site.utc_offset_h, site.timezone)
    if clock.faults:
        raise InputError(clock.faults, of)
    return len(clock.years)


def resample(values: FloatArray, from_minutes: int, to_minutes: int) -> FloatArray:
    """Average to a longer step or hold over a shorter one; the energy of each row is kept.

    Parameters
    ----------
    values : ndarray, shape (years, steps)
    from_minutes, to_minutes : int
        Steps; 30 to 10 minutes holds, 15 to 60 averages, 15 to 10 does both. [min]

    Returns
    -------
    ndarray, shape (years, steps * from_minutes / to_minutes)
    """
    if from_minutes == to_minutes:
        return values
    common = gcd(from_minutes, to_minutes)
    held = np.repeat(values, from_minutes // common, axis=1)
    averaged: FloatArray = held.reshape(len(held), -1, to_minutes // common).mean(axis=2)
    return averaged


def _roll(values: FloatArray, step_minutes: int, shift_minutes: int) -> FloatArray:
    """Move the clock by a time-zone difference; the hours that leave at one end come in at the other."""
    common = gcd(step_minutes, abs(shift_minutes))
    fine = resample(values, step_minutes, common)
    rolled = np.roll(fine.ravel(), shift_minutes // common).reshape(fine.shape)
    return resample(rolled, common, step_minutes)


def _as_said(record: ProfileRecord, said: Given) -> ProfileRecord:
    """ProfileRecord with what its user says in place of what it says itself."""
    if said.unit is not None:
        record = replace(record, unit=said.unit, said_by="as you say", refused=None)
    if said.clock is not None:
        record = replace(record, zone_h=said.clock.zone_h, wall_clock=said.clock.wall)
    return record


def _year_faults(found: int, kind: Kind, beside: Beside | None) -> list[Fault]:
    if beside is None or found in (1, beside.years):
        return []
    allowed = f"must have 1 year or the {beside.years} of the weather"
    return [Fault(f"study.{kind}_profile", f"{found} years", allowed)]


def _on_site_clock(
    found: Clock, scale: Scale, kind: Kind, site: Site | None
) -> tuple[FloatArray, tuple[str, ...]]:
    """Years in MW or MW per MWdc on the site's standard time, blanks of the night filled."""
    if found.faults:
        return np.empty((0, 0)), ()
    values = np.stack(found.rows) * scale.factor
    if kind == "solar":
        values = np.maximum(values, 0.0)  # what is below zero is consumption at night, or a fault
    if found.shift_minutes:
        values = _roll(values, found.step_minutes, found.shift_minutes)
    if kind == "load" or site is None:
        return values, ()
    sun_w_m2 = solar_geometry(site, found.step_minutes).ghi_extra_w_m2
    dark = np.isnan(values) & (sun_w_m2 < LOW_SUN * SOLAR_CONSTANT_W_M2)
    values[dark] = 0.0
    return values, (f"{int(dark.sum())} blanks while the sun is down or low read as 0",) if dark.any() else ()


def _without_night_consumption(record: ProfileRecord, kind: Kind) -> ProfileRecord:
    """Record in which what inverters and transformers draw at night is zero, if it is no more than that."""
    values = record.values
    below = values < 0
    if kind != "solar" or not below.any() or values[below].min() < -NIGHT_CONSUMPTION * np.nanmax(values):
        return record
    energy = -values[below].sum() / np.nansum(np.maximum(values, 0))
    note = f"{int(below.sum())} values just below zero (lowest {values[below].min():.2g}), the plant's own "
    note += f"consumption at night, set to 0: {energy:.2%} of the energy"
    return replace(record, values=np.where(below, 0.0, values), notes=(*record.notes, note))


def _value_faults(record: ProfileRecord, kind: Kind, limit: float, *, gaps: bool) -> list[Fault]:
    values, unit = record.values, _UNITS[kind]
    finite = np.isfinite(values)
    known = values[finite]
    faults: list[Fault] = []
    if gaps and not finite.all():
        remedy = "Fill the gaps first, for example with the same hours of the days before and after."
        faults.append(_fault_at(record, ~finite, "without a number", "every step needs one", remedy))
    if (known < 0).any():
        remedy = "If this is the inverters' consumption at night, clip it: profile.clip(lower=0)."
        if kind == "load":
            remedy = "A load that is negative is an export: give what the racks and their cooling draw."
        worst = f"below zero (lowest {known.min():g} {unit})"
        faults.append(_fault_at(record, finite & (values < 0), worst, f"must be at least 0 {unit}", remedy))
    if (known > limit).any():
        worst = f"above the plausible maximum (highest {known.max():g})"
        remedy = f"Give MW at the bus; are these kW? Then say {how_to_say(record, kind, unit='kW')}."
        if kind == "solar":
            size = f"{known.max() / USUAL_PEAK:.2g}"
            remedy = "Divide by the installed MWdc; are these kW, or of a plant of about "
            remedy += f"{size} MWdc? Then say {how_to_say(record, kind, rated_mw=size)}."
        faults.append(
            _fault_at(record, finite & (values > limit), worst, f"must be at most {limit:g} {unit}", remedy)
        )
    if known.size and not known.any():
        faults.append(Fault(record.where, "zero in every step", "must be above zero somewhere"))
    return faults


def _fault_at(record: ProfileRecord, bad: BoolArray, what: str, allowed: str, remedy: str) -> Fault:
    first = record.place(int(np.flatnonzero(bad)[0]))
    return Fault(record.where, f"{int(bad.sum())} values {what}, first at {first}", allowed, remedy)


def _load(said: Given, kind: Kind, where: str) -> ProfileRecord:
    """Bring whatever the user gave to values and, if there are any, stamps."""
    data = said.data
    if isinstance(data, str | Path):
        return read_file(Path(data), kind, said.column)
    if isinstance(data, pd.Series):
        return record_of_frame(data.to_frame(data.name), kind, where, "user's Series")
    if isinstance(data, pd.DataFrame):
        return record_of_frame(data, kind, where, "user's Series", said.column)
    try:
        values = real_numbers(data)
    except (TypeError, ValueError):
        found = f"{type(data).__name__} with values that are not numbers"
        raise InputError([Fault(where, found, "must be numbers")], where) from None
    if values.ndim not in (1, 2) or values.size == 0:
        shape = " x ".join(map(str, values.shape)) or "a single number"
        fault = Fault(where, shape, "must be a series, or an array of shape (years, steps)")
        raise InputError([fault], where)
    rows = values.shape[0] if values.ndim == 2 else None
    return ProfileRecord(values.ravel(), None, where, "user's array", rows=rows)
