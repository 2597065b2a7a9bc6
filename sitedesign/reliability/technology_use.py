"""What a permit asks of a plant that was operated: run hours, starts, tonnes and noise by technology."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign.case.annual_use import caps_of, emitted_t
from sitedesign.case.case import Case
from sitedesign.case.limits import POLLUTANTS
from sitedesign.case.plant import Plant

FloatArray = NDArray[np.float64]
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class CapUse:
    """How much of one cap on a total of the year is used.

    Attributes
    ----------
    label : str
    most, mean : float
        What is allowed, and used in the mean over the simulated years. [unit]
    worst_year : float or None
        The largest of any simulated year; None where only the mean is known. [unit]
    unit : str
    """

    label: str
    most: float
    mean: float
    worst_year: float | None
    unit: str

    @property
    def kept(self) -> bool:
        """Whether the mean is within what is allowed."""
        return self.mean <= self.most + _TOLERANCE * (1 + abs(self.most))

    def __str__(self) -> str:
        """One line."""
        worst = "" if self.worst_year is None else f", {self.worst_year:,.4g} in the worst year"
        verdict = "" if self.kept else ": NOT kept"
        return f"{self.label} {self.mean:,.4g} of {self.most:,.4g} {self.unit}{worst}{verdict}"


@dataclass(frozen=True)
class TechnologyUse:
    """How one technology was used in a mean year.

    Attributes
    ----------
    name : str
    units : int
    run_h, full_load_h : float
        Hours on of a unit, and hours at full load that give the same energy, in the mean over the units.
        [h/yr]
    busiest_run_h : float
        Hours on of the unit that runs most. [h/yr]
    starts, most_starts : float
        Of a unit in the mean, and of the one that starts most. [1/yr]
    on_h, night_on_h : float
        Hours in which any unit gives power, and those of them at night (22 to 7 h): noise. [h/yr]
    nox_t, co_t, pm_t : float
        Pollutants of all units. [t/yr]
    """

    name: str
    units: int
    run_h: float
    full_load_h: float
    busiest_run_h: float
    starts: float
    most_starts: float
    on_h: float
    night_on_h: float
    nox_t: float
    co_t: float
    pm_t: float


def use_table(uses: Sequence[TechnologyUse]) -> pd.DataFrame:
    """One row a technology, units in the names of the columns."""
    named = {"run_h": "run_h_per_unit_yr", "full_load_h": "full_load_h_per_unit_yr",
             "busiest_run_h": "busiest_unit_h_per_yr", "starts": "starts_per_unit_yr",
             "most_starts": "most_starts_of_a_unit_per_yr", "on_h": "any_unit_on_h_per_yr",
             "night_on_h": "any_unit_on_at_night_h_per_yr", "nox_t": "nox_t_per_yr", "co_t": "co_t_per_yr",
             "pm_t": "pm_t_per_yr"}  # fmt: skip
    columns = [item.name for item in fields(TechnologyUse)]
    return pd.DataFrame([vars(use) for use in uses], columns=columns).rename(columns=named)


def technology_uses(
    case: Case,
    plant: Plant,
    by_unit: tuple[Sequence[Sequence[float]], Sequence[Sequence[float]]],
    burnt_mwh: Sequence[float],
    given_mwh: Sequence[float],
    on: FloatArray,
) -> tuple[TechnologyUse, ...]:
    """Put the figures of each technology together.

    Parameters
    ----------
    case : Case
    plant : Plant
    by_unit : (sequence, sequence)
        Hours on and starts of each unit of each technology. [h/yr, 1/yr]
    burnt_mwh : sequence of float
        As in :func:`~sitedesign.case.annual_use.emitted_t`. [MWh/yr]
    given_mwh : sequence of float
        Energy of each technology. [MWh/yr]
    on : ndarray, shape (K, 2)
        Hours in which any of its units gives power, and those of them at night. [h/yr]
    """
    tonnes = {name: emitted_t(case, burnt_mwh, name) for name in POLLUTANTS}
    run_h, starts = by_unit
    return tuple(
        TechnologyUse(
            item.name,
            units,
            run_h=float(np.mean(run_h[k])) if units else 0.0,
            full_load_h=given_mwh[k] / (item.unit_mw * max(units, 1)),
            busiest_run_h=max(run_h[k], default=0.0),
            starts=float(np.mean(starts[k])) if units else 0.0,
            most_starts=max(starts[k], default=0.0),
            on_h=float(on[k, 0]),
            night_on_h=float(on[k, 1]),
            **{f"{name}_t": tonnes[name][k] for name in POLLUTANTS},
        )
        for k, (item, units) in enumerate(zip(case.backup, plant.units, strict=True))
    )


def cap_uses(case: Case, sums: Sequence[float], most: Sequence[float], years: int) -> tuple[CapUse, ...]:
    """Use of every cap from its sum over all years and its largest year.

    Hours and starts of units are counted over all years together: no year of theirs is known.
    """
    return tuple(
        CapUse(cap.label, cap.most, total / years, worst if cap.by_year else None, cap.unit)
        for cap, total, worst in zip(caps_of(case), sums, most, strict=True)
    )
