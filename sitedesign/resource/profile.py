"""The user's own profile: a solar yield or a load that stands in for what sitedesign would compute.

A profile may come from PVsyst, SAM, a meter or a spreadsheet, as a pandas Series or DataFrame, an array or a
CSV file. It is checked as a whole, all faults are reported at once, and it is put on the study's time step
without changing its energy.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import timezone
from math import gcd
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sitedesign.errors import Fault, InputError
from sitedesign.resource.profile_clock import Record, whole_years

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Kind = Literal["solar", "load"]

# A module gives at most about 1.25 times its rating (cold, cloud enhancement); more is a wrong unit.
SOLAR_MAX_MW_PER_MWDC = 1.3
# Twice the largest campus announced by 2026; more is kW or W taken for MW.
LOAD_MAX_MW = 20_000.0
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


def read_profile(
    data: Profile | pd.Series | pd.DataFrame | ArrayLike | str | Path,
    kind: Kind,
    *,
    step_minutes: int | None = None,
    utc_offset_h: float | None = None,
    maximum: float | None = None,
) -> Profile:
    """Read and check a user's own profile.

    Parameters
    ----------
    data : Series, DataFrame, array, CSV path or Profile
        With a time index: stamps at the start, middle or end of each interval; without a time zone they are
        local standard time all year. Without an index: one row a year, shape (years, steps), or a flat series
        from 1 January 00:00 local standard time. A CSV file has one column of values, with an optional column
        of times before it and an optional header; lines that begin with ``#`` are skipped.
    kind : str
        ``solar`` [MW per MWdc at the bus] or ``load`` [MW at the bus].
    step_minutes : int, optional
        Step of a flat series without time index, when its length has two readings. [min]
    utc_offset_h : float, optional
        The site's standard time; a profile whose index carries a time zone is moved to it. [h]
    maximum : float, optional
        Largest plausible value; 1.3 MW per MWdc for solar, 20,000 MW for a load.

    Returns
    -------
    Profile
        29 February is dropped, and said in the notes.

    Raises
    ------
    InputError
        Listing every fault: negative or implausibly large values, holes, wrong length, irregular step.
    """
    of = f"{kind}_profile"
    if isinstance(data, Profile):
        if data.kind != kind:
            raise InputError([Fault(of, f"a {data.kind} profile", f"must be a {kind} profile")], of)
        return data
    record, faults = _load(data, of)
    limit = maximum if maximum is not None else (SOLAR_MAX_MW_PER_MWDC if kind == "solar" else LOAD_MAX_MW)
    if record is not None:
        faults += _value_faults(record, kind, limit)
        clock = whole_years(record, step_minutes, utc_offset_h)
        faults += clock.faults
    if record is None or faults:
        raise InputError(faults, of)
    values = np.stack(clock.rows)
    if clock.shift_minutes:
        values = _roll(values, clock.step_minutes, clock.shift_minutes)
    return Profile(kind, clock.step_minutes, values, clock.years, record.description, clock.notes)


def profile_years(
    data: Profile | pd.Series | pd.DataFrame | ArrayLike | str | Path,
    step_minutes: int,
    *,
    kind: Kind,
    utc_offset_h: float | None = None,
) -> FloatArray:
    """Read a user's own profile straight onto a study's step.

    Parameters
    ----------
    data : Series, DataFrame, array, CSV path or Profile
        As for :func:`read_profile`.
    step_minutes : int
        Step of the study; the profile's own step is found out. [min]
    kind : str
        ``solar`` [MW per MWdc at the bus] or ``load`` [MW at the bus].
    utc_offset_h : float, optional
        The site's standard time, for a time index with a zone. [h]

    Returns
    -------
    ndarray, shape (years, steps)

    Raises
    ------
    InputError
        Listing every fault.
    """
    return read_profile(data, kind, utc_offset_h=utc_offset_h).on_step(step_minutes)


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


def _value_faults(record: Record, kind: Kind, limit: float) -> list[Fault]:
    values, unit = record.values, _UNITS[kind]
    finite = np.isfinite(values)
    known = values[finite]
    faults: list[Fault] = []
    if not finite.all():
        remedy = "Fill the holes first, for example with the same hours of the days before and after."
        faults.append(_fault_at(record, ~finite, "without a number", "every step needs one", remedy))
    if (known < 0).any():
        remedy = "If this is the inverters' consumption at night, clip it: profile.clip(lower=0)."
        worst = f"below zero (lowest {known.min():g} {unit})"
        faults.append(_fault_at(record, finite & (values < 0), worst, f"must be at least 0 {unit}", remedy))
    if (known > limit).any():
        worst = f"above the plausible maximum (highest {known.max():g})"
        per = "Divide by the installed MWdc" if kind == "solar" else "Give MW at the bus"
        remedy = f"{per}; are these kW?"
        faults.append(
            _fault_at(record, finite & (values > limit), worst, f"must be at most {limit:g} {unit}", remedy)
        )
    if known.size and not known.any():
        faults.append(Fault(record.where, "zero in every step", "must be above zero somewhere"))
    return faults


def _fault_at(record: Record, bad: BoolArray, what: str, allowed: str, remedy: str) -> Fault:
    first = record.place(int(np.flatnonzero(bad)[0]))
    return Fault(record.where, f"{int(bad.sum())} values {what}, first at {first}", allowed, remedy)


def _load(data: object, where: str) -> tuple[Record | None, list[Fault]]:
    """Bring whatever the user gave to values and, if there are any, stamps."""
    if isinstance(data, str | Path):
        return _load_csv(Path(data))
    if isinstance(data, pd.DataFrame):
        if data.shape[1] != 1:
            names = ", ".join(map(str, data.columns))
            remedy = "Choose it: frame['name']; times belong in the index."
            return None, [Fault(where, f"a table with columns {names}", "must have one column", remedy)]
        data = data.iloc[:, 0]
    index: pd.DatetimeIndex | None = None
    kind = "array"
    if isinstance(data, pd.Series):
        kind = "Series"
        index = data.index if isinstance(data.index, pd.DatetimeIndex) else None
        if index is None and isinstance(data.index, pd.PeriodIndex):
            index = data.index.to_timestamp(how="start")
        if index is None and not pd.api.types.is_integer_dtype(data.index):
            remedy = "Turn text into times with pd.to_datetime, or drop the index."
            return None, [Fault(where, f"an index of {data.index.dtype}", "must be times or plain", remedy)]
        data = data.to_numpy(na_value=np.nan)
    try:
        values = np.array(data, dtype=np.float64)
    except (TypeError, ValueError) as error:
        return None, [Fault(where, f"values that are not numbers ({error})", "must be numbers")]
    if values.ndim not in (1, 2) or values.size == 0:
        shape = " x ".join(map(str, values.shape)) or "a single number"
        return None, [Fault(where, shape, "must be a series, or an array of shape (years, steps)")]
    rows = values.shape[0] if values.ndim == 2 else None
    return Record(values.ravel(), index, where, f"user's {kind}", rows=rows), []


def _load_csv(path: Path) -> tuple[Record | None, list[Fault]]:
    name = path.name
    try:
        table = pd.read_csv(
            path, header=None, dtype=str, comment="#", skipinitialspace=True, keep_default_na=False
        )
    except FileNotFoundError:
        return None, [Fault(name, "no such file", "must be a CSV file")]
    except (OSError, ValueError, UnicodeDecodeError) as error:  # pandas' parser errors are ValueErrors
        return None, [
            Fault(name, f"a file that cannot be read ({error})".replace("\n", " "), "must be a CSV file")
        ]
    if table.shape[1] > 2:
        remedy = "Keep the column of values and, if there is one, the column of times before it."
        return None, [Fault(name, f"{table.shape[1]} columns", "must have one or two columns", remedy)]
    last = table.iloc[:, -1]
    if not _is_number(str(last.iloc[0])):
        table = table.iloc[1:]
        last = table.iloc[:, -1]
    if table.empty:
        return None, [Fault(name, "no rows", "must hold at least one year")]
    faults: list[Fault] = []
    values = pd.to_numeric(last, errors="coerce")
    index: pd.DatetimeIndex | None = None
    if table.shape[1] == 2:
        index, faults = _stamps(table.iloc[:, 0], name)
    if faults:
        return None, faults
    return Record(values.to_numpy(dtype=np.float64), index, name, f"file {name}"), []


def _stamps(column: pd.Series, where: str) -> tuple[pd.DatetimeIndex | None, list[Fault]]:
    with contextlib.suppress(ValueError, TypeError):
        return pd.DatetimeIndex(pd.to_datetime(column, format="ISO8601")), []
    with contextlib.suppress(ValueError, TypeError):  # offsets that change: daylight saving
        universal = pd.DatetimeIndex(pd.to_datetime(column, format="ISO8601", utc=True))
        winter_and_summer = (pd.Timestamp(column.iloc[at]).utcoffset() for at in (0, len(column) // 2))
        standard = min(offset for offset in winter_and_summer if offset is not None)
        return universal.tz_convert(timezone(standard)), []
    with contextlib.suppress(ValueError, TypeError):
        return pd.DatetimeIndex(pd.to_datetime(column, format="mixed")), []
    parsed = pd.to_datetime(column, format="ISO8601", utc=True, errors="coerce")
    bad = np.flatnonzero(parsed.isna().to_numpy())
    example = column.iloc[int(bad[0])] if bad.size else column.iloc[0]
    allowed = "must be times such as 2019-01-01 00:00"
    return None, [Fault(where, f"{bad.size} unreadable times, first {example!r}", allowed)]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text.strip() == ""
    return True
