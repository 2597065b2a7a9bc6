"""The time series of a result, in the shape that figures want."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign.errors import InputError, unknown_name
from sitedesign.results.evaluation import Evaluation

FloatArray = NDArray[np.float64]
DAYS = 365
HOURS_PER_YEAR = 8760.0
#: Less than this is rounding of the optimiser, not a thing to draw. [MW, MWh, MWh/yr]
LEAST = 0.01


@dataclass(frozen=True, eq=False)
class DispatchSeries:
    """Dispatch of a result with its calendar.

    Attributes
    ----------
    frame : DataFrame
        Columns ``load_mw, <resource>_used_mw ..., discharge_mw, <technology>_mw ..., shed_mw, curtailed_mw,
        charge_mw, <resource>_mw ..., stored_mwh, lost_mw``; `lost_mw` is shed load weighted by its loss of
        compute. In every row resources used + discharge + backup + shed = load + charge, where units at their
        lowest load do not give more than load and battery take; curtailed is power of the resources alone,
        of each in proportion to what it gives. [MW, MWh]
    step_h : float
        [h]
    years : tuple of str
        Name of each weather year.
    resources : tuple of str
        Solar array first, and whatever else the weather gives.
    backup : tuple of str
        Technologies of which at least one unit stands.
    imports, sinks : tuple of str
        Such as the grid and what is sold to it; their power is in columns like those of the technologies, and
        adds to either side of that sum.
    """

    frame: pd.DataFrame
    step_h: float
    years: tuple[str, ...]
    resources: tuple[str, ...]
    backup: tuple[str, ...]
    imports: tuple[str, ...] = ()
    sinks: tuple[str, ...] = ()

    @property
    def steps_per_year(self) -> int:
        """Steps in a weather year."""
        return len(self.frame) // len(self.years)

    @property
    def steps_per_day(self) -> int:
        """Steps in a day."""
        return round(24 / self.step_h)

    @property
    def usable_mwh(self) -> float:
        """Energy of the full battery, which is how every dispatch begins. [MWh]"""
        return float(self.frame["stored_mwh"].max())

    def by_year(self, column: str) -> FloatArray:
        """One column, shape (years, steps per year)."""
        values: FloatArray = self.frame[column].to_numpy().reshape(len(self.years), -1)
        return values

    def annual_mwh(self, column: str) -> FloatArray:
        """Energy of each weather year, shape (years,). [MWh]"""
        totals: FloatArray = self.by_year(column).sum(axis=1) * self.step_h
        return totals


_last: tuple[weakref.ref[Evaluation], pd.DataFrame, DispatchSeries] | None = None
"""Whose, of which dispatch, which may be written to since, and what was read."""


def series(result: Evaluation) -> DispatchSeries:
    """Read the dispatch of a result; that of the last result is kept, as all figures of a report ask for it.

    Raises
    ------
    AttributeError
        For a result loaded from a file, which holds no time series.
    """
    global _last
    known, dispatch = _last, result.dispatch
    if known is not None and known[0]() is result and known[1].equals(dispatch):
        return known[2]
    found = _read(result, dispatch)
    _last = (weakref.ref(result, _forget), dispatch.copy(deep=False), found)
    return found


def _forget(of: weakref.ref[Evaluation]) -> None:
    global _last
    if _last is not None and _last[0] is of:
        _last = None


def _read(result: Evaluation, dispatch: pd.DataFrame) -> DispatchSeries:
    index = pd.DatetimeIndex(dispatch.index)
    step_h = float((index[1] - index[0]) / pd.Timedelta(hours=1))
    backup = tuple(name for name, units in result.backup.items() if units > 0)
    imports, sinks = (
        tuple(name for name, mw in sizes.items() if mw > LEAST)
        for sizes in (result.imports_mw, result.sinks_mw)
    )
    resources = tuple(result.resources_mw)
    given = {name: dispatch[f"{name}_mw"] for name in resources}
    together = pd.concat(given.values(), axis=1).sum(axis=1)
    curtailed = pd.concat([dispatch["curtailed_mw"], together], axis=1).min(axis=1)
    used = 1.0 - curtailed / together.where(together > 0.0, 1.0)
    frame = pd.DataFrame(
        {
            "load_mw": dispatch["load_mw"],
            **{f"{name}_used_mw": mw * used for name, mw in given.items()},
            "discharge_mw": dispatch["discharge_mw"],
            **{f"{name}_mw": dispatch[f"{name}_mw"] for name in (*backup, *imports, *sinks)},
            "shed_mw": dispatch["shed_mw"],
            "curtailed_mw": curtailed,
            "charge_mw": dispatch["charge_mw"],
            **{f"{name}_mw": mw for name, mw in given.items()},
            "stored_mwh": dispatch["stored_mwh"],
            "lost_mw": dispatch["lost_compute"] * dispatch["load_mw"],
        }
    )
    frame.index = index.tz_localize(None)
    return DispatchSeries(frame, step_h, year_names(result), resources, backup, imports, sinks)


def year_names(result: Evaluation) -> tuple[str, ...]:
    """Calendar years by number; generated ones as ``year 3``."""
    return tuple(str(year) if year >= 1600 else f"year {year}" for year in result.provenance.weather_years)


def year_row(result: Evaluation, year: int | None) -> int:
    """Position of a weather year (calendar year, or number of a generated year); the worst when None.

    Raises
    ------
    InputError
        If the result has no such year.
    """
    if year is None:
        return result.metrics.worst_year_row
    years = result.provenance.weather_years
    if year not in years:
        raise InputError([unknown_name("year", str(year), map(str, years))], "the figure")
    return years.index(year)


def worst_week_start(data: DispatchSeries) -> int:
    """First step of the worst week: most compute lost, else most backup, else the emptiest battery."""
    weeks_start = np.arange(0, len(data.frame) - 7 * data.steps_per_day + 1, data.steps_per_day)
    backup = sum((data.frame[f"{name}_mw"] for name in data.backup), pd.Series(0.0, data.frame.index))
    for loss in (data.frame["lost_mw"], backup, -data.frame["stored_mwh"]):
        running = np.concatenate([[0.0], np.cumsum(loss.to_numpy())])
        sums = running[weeks_start + 7 * data.steps_per_day] - running[weeks_start]
        worst = np.flatnonzero(sums >= sums.max() - 1e-9 * abs(sums).max())
        if sums.max() - sums.min() > 1e-9:
            return int(weeks_start[worst[len(worst) // 2]])  # in the middle: the days before it explain it
    return 0
