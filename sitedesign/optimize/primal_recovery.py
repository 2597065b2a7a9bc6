"""What an answer costs and how it is operated, by plain arithmetic: no Pyomo, no solver."""

from __future__ import annotations

import numpy as np

from sitedesign.case.case import Case, Dispatch, FloatArray, Plant, available_mw, slowest_lead
from sitedesign.case.rack_shortfall import expected_shortfall


def annual_cost_usd(
    case: Case, plant: Plant, backup_mwh_per_yr: tuple[float, ...], lost_mwh_per_yr: float
) -> float:
    """Cost of a plant by plain arithmetic: the objective without Pyomo. [USD/yr].

    Parameters
    ----------
    case : Case
    plant : Plant
    backup_mwh_per_yr : tuple of float
        Energy per technology. [MWh/yr]
    lost_mwh_per_yr : float
        Weighted shed load of all classes. [MWh/yr]

    Returns
    -------
    float
        [USD/yr]
    """
    return (
        sum(r.annual_cost_usd_per_mw * mw for r, mw in zip(case.resources, plant.resources_mw, strict=True))
        + case.battery_cost_usd_per_mwh_yr * plant.battery_mwh
        + case.battery_cost_usd_per_mw_yr * plant.battery_mw
        + sum(b.annual_cost_usd_per_unit * n for b, n in zip(case.backup, plant.units, strict=True))
        + sum(b.site_cost_usd_per_yr for b, n in zip(case.backup, plant.units, strict=True) if n > 0)
        + sum(b.marginal_cost_usd_per_mwh * f for b, f in zip(case.backup, backup_mwh_per_yr, strict=True))
        + case.rack_cost_usd_per_yr * (plant.racks - case.racks_contracted)
        + case.delay_cost_usd_per_month_yr * slowest_lead(case, plant)[0]
        + lost_value_usd(case, plant, lost_mwh_per_yr)
    )


def lost_value_usd(case: Case, plant: Plant, lost_mwh_per_yr: float) -> float:
    """Value lost compute as the objective does, shed load and failures of racks together. [USD/yr].

    Parameters
    ----------
    case : Case
    plant : Plant
    lost_mwh_per_yr : float
        Weighted shed load of all classes. [MWh/yr]

    Returns
    -------
    float
        [USD/yr]
    """
    if case.lost_value_usd_per_mwh == 0.0:
        return 0.0
    short = float(expected_shortfall(case.racks_contracted, plant.racks, case.rack_availability))
    return case.lost_value_usd_per_mwh * (lost_mwh_per_yr + short * case.load_mwh_per_yr)


def lost_by_class_mwh(case: Case, dispatch: Dispatch) -> tuple[float, ...]:
    """Weighted shed load of each class in a dispatch of an optimiser, shape (C,). [MWh/yr]."""
    lost = dispatch.lost_compute[np.newaxis] if dispatch.lost_by_class is None else dispatch.lost_by_class
    return tuple(((lost * case.load_mw).sum(axis=1) * (case.step_h / case.years)).tolist())


def tidy_dispatch(case: Case, plant: Plant, backup_mw: FloatArray, shed_mw: FloatArray) -> Dispatch:
    """Rebuild a dispatch from what the backup gives and what is shed: the battery takes every surplus it can.

    A linear program may charge and discharge at once, or empty a full battery into the void, at no cost. With
    backup and shed load given, charging early never leaves less in the store, so this dispatch is feasible
    whenever the given one is. What neither load nor battery takes (shedding and a supply may cost nothing) is
    not shed and not generated in the first place; only the rest is curtailed, as arrays and batteries can be.
    Differences within the solver's tolerance end up in the shed load.

    Parameters
    ----------
    case : Case
    plant : Plant
    backup_mw : ndarray, shape (K, T)
        [MW]
    shed_mw : ndarray, shape (C, T)
        Per class of the load. [MW]

    Returns
    -------
    Dispatch
    """
    surplus = available_mw(case, plant) + backup_mw.sum(axis=0) + shed_mw.sum(axis=0) - case.load_mw
    ceiling = plant.battery_mwh * case.usable
    h, eta_in, eta_out, power = case.step_h, case.eta_charge, case.eta_discharge, plant.battery_mw
    flow, stored = np.zeros(case.steps), np.zeros(case.steps)  # flow: into the battery, at the bus
    level = float(ceiling[0]) if case.steps else 0.0
    for t, (extra, top) in enumerate(zip(surplus.tolist(), ceiling.tolist(), strict=True)):
        if extra > 0.0 and level <= top:
            step = min(extra, power, (top - level) / (h * eta_in))
            level = min(level + step * h * eta_in, top)
        else:
            wanted = max(-extra, (level - top) * eta_out / h)  # fade may leave less room than a step ago
            step = -min(wanted, power, level * eta_out / h)
            level = max(level + step * h / eta_out, 0.0)
        flow[t], stored[t] = step, level
    rest = surplus - flow
    shed_mw, too_much = _with_less(shed_mw, np.maximum(rest, 0.0))
    dearest = np.argsort([-b.marginal_cost_usd_per_mwh for b in case.backup], kind="stable")
    given = backup_mw.copy()
    given[dearest], curtailed = _with_less(backup_mw[dearest], too_much)
    shed = _with_more_shed(case, shed_mw, np.maximum(-rest, 0.0))
    lost = _lost_compute(case, shed)
    return Dispatch(
        curtailed_mw=curtailed,
        charge_mw=np.maximum(flow, 0.0),
        discharge_mw=np.maximum(-flow, 0.0),
        shed_mw=shed.sum(axis=0),
        stored_mwh=stored,
        backup_mw=given,
        lost_compute=lost.sum(axis=0),
        lost_by_class=lost if len(case.classes) > 1 else None,
    )


def _with_less(rows_mw: FloatArray, too_much_mw: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Take what is too much from one row after the other, shape (R, T); returns what is left of both."""
    less = rows_mw.copy()
    for row, given in zip(less, rows_mw, strict=True):
        np.maximum(given - too_much_mw, 0.0, out=row)
        too_much_mw = too_much_mw - (given - row)
    return less, too_much_mw


def _with_more_shed(case: Case, shed_mw: FloatArray, more_mw: FloatArray) -> FloatArray:
    """Shed a little more, in the first class with room for it, shape (C, T). [MW]."""
    more = []
    for load_class, shed in zip(case.classes, shed_mw, strict=True):
        more.append(np.clip(shed + more_mw, 0.0, load_class.share * case.load_mw))
        more_mw = np.maximum(more_mw - (more[-1] - shed), 0.0)
    return np.array(more)


def _lost_compute(case: Case, shed_mw: FloatArray) -> FloatArray:
    """Add up the compute each class loses, cheapest tiers first, shape (C, T). [fraction of load]."""
    share = np.divide(shed_mw, case.load_mw, out=np.zeros(shed_mw.shape), where=case.load_mw > 0)
    lost = np.zeros(shed_mw.shape)
    for tier in case.tiers:  # within a class the weight rises
        taken = np.clip(share[tier.load_class], 0.0, tier.width)
        lost[tier.load_class] += tier.weight * taken
        share[tier.load_class] -= taken
    return lost
