"""What the racks deliver: class by class, best effort from surplus, and what their cooling drinks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sitedesign.case.build import StudyCase, it_mw_at_work
from sitedesign.case.case import FloatArray
from sitedesign.case.dispatch import Dispatch, lost_by_class
from sitedesign.case.plant import Plant
from sitedesign.components.load import load_mw
from sitedesign.finance import annual_cost
from sitedesign.reliability.metrics import lost_by_year, uptime_of_losses, year_table
from sitedesign.reliability.replay import rack_shortfall
from sitedesign.results.evaluation import ClassResult

LITRES_PER_M3 = 1000.0
KWH_PER_MWH = 1000.0


@dataclass(frozen=True, eq=False)
class Surplus:
    """What best-effort racks make of power that would be curtailed.

    Attributes
    ----------
    classes : list of ClassResult
    used_mw : ndarray, shape (T,)
        Power that they take from what is curtailed, cooling included. [MW]
    it_mwh_per_yr : float
        What of it reaches the racks. [MWh/yr]
    """

    classes: list[ClassResult]
    used_mw: FloatArray
    it_mwh_per_yr: float


def contracted_classes(study_case: StudyCase, plant: Plant, dispatch: Dispatch) -> list[ClassResult]:
    """Results of every contracted class of a study; none when it has no classes.

    Parameters
    ----------
    study_case : StudyCase
    plant : Plant
    dispatch : Dispatch
        In calendar order.

    Returns
    -------
    list of ClassResult
        In the order of the study.
    """
    study, case = study_case.study, study_case.case
    if not study.classes:
        return []
    lost = dispatch.lost_by_class
    if lost is None and len(study.contracts) == 1:
        lost = dispatch.lost_compute[np.newaxis]
    if lost is None:
        lost = lost_by_class(case, dispatch.shed_mw)
    by_year = lost_by_year(case, dispatch.shed_mw, lost, "rack")
    table = year_table(case, dispatch)
    short = rack_shortfall(plant.racks, case.racks_contracted, case.rack_availability)
    results = []
    for contract, share in zip(study.contracts, by_year, strict=True):
        uptime = uptime_of_losses(table, share, short, study.seed)
        delivered = contract.racks * annual_cost.HOURS_PER_YEAR * max(uptime.value, 0.0)
        value = contract.value_usd_per_rack_h
        results.append(
            ClassResult(
                name=contract.name,
                racks=contract.racks,
                it_mw=contract.it_mw,
                metric=contract.metric,
                target=contract.uptime,
                uptime=uptime,
                delivered_rack_h_per_yr=delivered,
                value_usd_per_yr=None if value is None else value * delivered,
            )
        )
    return results


def surplus(study_case: StudyCase, dispatch: Dispatch) -> Surplus:
    """Let best-effort racks run on what would be curtailed, those of most value first.

    They start and stop with the surplus, in any number, and nothing else changes: no restart time, no work
    lost by it. Racks fail as all others do, and have no spares.

    Parameters
    ----------
    study_case : StudyCase
    dispatch : Dispatch
        In calendar order.

    Returns
    -------
    Surplus
    """
    study, case = study_case.study, study_case.case
    unused_mw, used = dispatch.curtailed_mw.copy(), np.zeros(case.steps)
    table = year_table(case, dispatch)
    classes, it_mwh = [], 0.0
    for contract in study.best_effort:
        sustained = contract.rack_mw / (study.rack.power_kw * (1 + study.rack.network_power_fraction) / 1000)
        asks = load_mw(
            study_case.weather, study.rack, contract.racks, study.facility, study.path, sustained
        ).ravel()
        taken = np.minimum(unused_mw, asks)
        unused_mw, used = unused_mw - taken, used + taken
        runs = (taken / asks).reshape(case.years, -1).mean(axis=1)  # share of its racks, by year
        uptime = uptime_of_losses(table, 1 - case.rack_availability * runs, 0.0, study.seed)
        delivered = contract.racks * annual_cost.HOURS_PER_YEAR * case.rack_availability * float(runs.mean())
        it_mwh += contract.it_mw * annual_cost.HOURS_PER_YEAR * float(runs.mean())
        value = contract.value_usd_per_rack_h
        classes.append(
            ClassResult(
                name=contract.name,
                racks=contract.racks,
                it_mw=contract.it_mw,
                metric="rack",
                target=None,
                uptime=uptime,
                delivered_rack_h_per_yr=delivered,
                value_usd_per_yr=None if value is None else value * delivered,
            )
        )
    return Surplus(classes, used, it_mwh)


def water_m3_per_yr(study_case: StudyCase, dispatch: Dispatch, best_effort_it_mwh_per_yr: float) -> float:
    """Water that cooling takes, by the energy that reaches the racks.

    Parameters
    ----------
    study_case : StudyCase
    dispatch : Dispatch
    best_effort_it_mwh_per_yr : float
        [MWh/yr]

    Returns
    -------
    float
        [m3/yr]
    """
    study, case = study_case.study, study_case.case
    shed = np.divide(dispatch.shed_mw, case.load_mw, where=case.load_mw > 0, out=np.zeros(case.steps))
    it_mw = it_mw_at_work(study, study_case.weather)
    served = it_mw * annual_cost.HOURS_PER_YEAR * (1 - float(shed.mean()))
    it_mwh = served + best_effort_it_mwh_per_yr
    return study.facility.water_l_per_kwh * it_mwh * KWH_PER_MWH / LITRES_PER_M3
