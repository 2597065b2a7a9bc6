"""Figures of one block of weather years under one draw of outages, of which a certificate is made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.case import Case
from sitedesign.case.plant import Plant
from sitedesign.components.battery_wear import BatteryDuty, duty_of
from sitedesign.operation.capped_use import burnt_mwh, used_by_year
from sitedesign.operation.operate import SimulatedOperation
from sitedesign.reliability.certificate_plan import CertificatePlan
from sitedesign.reliability.events import Event, find_events
from sitedesign.reliability.metrics import YearTable, lost_by_year, totals_of_years

FloatArray = NDArray[np.float64]
DUTY_YEARS = 5  # whose cycles of the battery are counted


@dataclass(frozen=True, eq=False)
class RunFigures:
    """What an operator made of some years, without series.

    Attributes
    ----------
    years : int
    end_mwh : float
        Stored energy after the last step. [MWh]
    table : YearTable
    lost_by_class : ndarray, shape (C, years)
        [fraction of the class's compute]
    backup_mwh : ndarray, shape (K, years)
    fuel_mmbtu, burnt_mwh : ndarray, shape (K,)
    per_unit : ndarray, shape (3, units)
        Hours of running, starts, failed starts, over all years. [h, 1, 1]
    operating_usd, reserve_short_h : ndarray, shape (years,)
    reserve_short_mw, co2_t, cycled_mwh : float
    used : ndarray, shape (caps, years)
        Of what the caps of the year's totals count.
    on : ndarray, shape (2, K + 1, years)
        Hours in which units are on, and those at night; empty where nobody counts them. [h]
    duty : BatteryDuty or None
        Where it was asked for, and there is a battery.
    events : list of Event
        The worst.
    """

    years: int
    end_mwh: float
    table: YearTable
    lost_by_class: FloatArray
    backup_mwh: FloatArray
    fuel_mmbtu: FloatArray
    burnt_mwh: FloatArray
    per_unit: FloatArray
    operating_usd: FloatArray
    reserve_short_h: FloatArray
    reserve_short_mw: float
    co2_t: float
    cycled_mwh: float
    used: FloatArray
    on: FloatArray
    duty: BatteryDuty | None
    events: list[Event]


def run_figures(
    case: Case,
    plant: Plant,
    done: SimulatedOperation,
    plan: CertificatePlan,
    first_year: int,
    *,
    with_duty: bool = False,
) -> RunFigures:
    """Take from an operation what a certificate tells of it.

    Parameters
    ----------
    case : Case
    plant : Plant
    done : SimulatedOperation
    plan : CertificatePlan
    first_year : int
        Number of the first year among all.
    with_duty : bool
        Count cycles of the battery, for which every step must have been recorded.
    """
    series = case.load_mw, done.shed_mw, done.lost_compute
    found = find_events(*series, case.step_h, case.years, plan.events)
    return RunFigures(
        years=case.years,
        end_mwh=done.end_mwh,
        table=totals_of_years(*series, case.step_h, case.years, first_year, plan.floor_share),
        lost_by_class=lost_by_year(case, done.shed_mw, done.lost_by_class, "rack"),
        backup_mwh=done.backup_mwh,
        fuel_mmbtu=done.fuel_mmbtu.sum(axis=1),
        burnt_mwh=burnt_mwh(case, done).sum(axis=1),
        per_unit=np.array([done.run_h, done.starts, done.failed_starts]),
        operating_usd=done.operating_usd,
        reserve_short_h=done.reserve_short_h,
        reserve_short_mw=float(done.reserve_short_mw.max(initial=0.0)),
        co2_t=float(done.co2_t.sum()),
        cycled_mwh=float(done.cycled_mwh.sum()),
        used=used_by_year(case, plant, done),
        on=np.array([done.on_h, done.night_h]),
        duty=_duty(case, plant, done) if with_duty else None,
        events=[event.in_year(event.year_row + first_year) for event in found],
    )


def _duty(case: Case, plant: Plant, done: SimulatedOperation) -> BatteryDuty | None:
    """Count the cycles of the battery in the first years."""
    assert done.dispatch is not None  # recorded
    years = min(case.years, DUTY_YEARS)
    some = slice(0, case.steps * years // case.years)
    usable_mwh = plant.battery_mwh * case.usable[some]
    return duty_of(done.dispatch.stored_mwh[some], usable_mwh, plant.battery_mwh, years)
