"""What an answer costs and how it is operated, by plain arithmetic: no Pyomo, no solver."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sitedesign.case.case import BackupCase, Case, FloatArray, ImportCase
from sitedesign.case.dispatch import Dispatch, by_flow
from sitedesign.case.plant import Plant, available_mw, imports_used, slowest_lead
from sitedesign.case.rack_shortfall import expected_shortfall


def annual_cost_usd(
    case: Case, plant: Plant, level_mwh_per_yr: tuple[float, ...], lost_mwh_per_yr: float
) -> float:
    """Cost of a plant by plain arithmetic: the objective without Pyomo. [USD/yr].

    Parameters
    ----------
    case : Case
    plant : Plant
    level_mwh_per_yr : tuple of float
        Energy that each of ``Case.flows`` gives or takes, level by level. [MWh/yr]
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
        + sum(item.annual_cost_usd_per_unit * n for item, n in zip(case.flows, plant.counts, strict=True))
        + sum(item.site_cost_usd_per_yr for item in supplies_used(case, plant))
        + _energy_cost_usd(case, level_mwh_per_yr)
        + case.rack_cost_usd_per_yr * (plant.racks - case.racks_contracted)
        + case.delay_cost_usd_per_month_yr * slowest_lead(case, plant)[0]
        + case.fixed_usd_per_yr
        + lost_value_usd(case, plant, lost_mwh_per_yr)
    )


def supplies_used(case: Case, plant: Plant) -> list[BackupCase | ImportCase]:
    """Supplies of which a plant has any."""
    there = (*(n > 0 for n in plant.units), *imports_used(case, plant))
    return [item for item, used in zip(case.supplies, there, strict=True) if used]


def _energy_cost_usd(case: Case, level_mwh_per_yr: Sequence[float]) -> float:
    """Cost of the energy that supplies give, less the value of what sinks take. [USD/yr]"""
    by_item = by_flow(case, level_mwh_per_yr)
    cost = [
        sum(level.usd_per_mwh * mwh for level, mwh in zip(item.levels, energy, strict=True))
        for item, energy in zip(case.flows, by_item, strict=True)
    ]
    supplies = len(case.supplies)
    return sum(cost[:supplies]) - sum(cost[supplies:])


def turnover_usd(case: Case, level_mwh_per_yr: Sequence[float]) -> float:
    """Money that is paid for energy and earned with it, of which a cost near nothing is the rest. [USD/yr]"""
    prices = [level.usd_per_mwh for item in case.flows for level in item.levels]
    return sum(price * abs(mwh) for price, mwh in zip(prices, level_mwh_per_yr, strict=True))


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


def tidy_dispatch(
    case: Case, plant: Plant, supply_mw: FloatArray, shed_mw: FloatArray, taken_mw: FloatArray | None = None
) -> Dispatch:
    """Rebuild a dispatch from what supplies give, sinks take and is shed: the battery takes all it can.

    A linear program may charge and discharge at once, or empty a full battery into the void, at no cost. With
    supplies and shed load given, charging early never leaves less in the store, so this dispatch is feasible
    whenever the given one is. What neither load nor battery takes (shedding and a supply may cost nothing) is
    not shed and not generated in the first place; only the rest is curtailed, as arrays and batteries can be.
    Differences within the solver's tolerance end up in what sinks take, then in the shed load.

    Parameters
    ----------
    case : Case
    plant : Plant
    supply_mw : ndarray, shape (K, T)
        Of each of ``Case.supplies``. [MW]
    shed_mw : ndarray, shape (C, T)
        Per class of the load. [MW]
    taken_mw : ndarray, shape (S, T), optional
        Of each of ``Case.sinks``. [MW]

    Returns
    -------
    Dispatch
    """
    surplus = available_mw(case, plant) + supply_mw.sum(axis=0) + shed_mw.sum(axis=0) - case.load_mw
    taken = np.zeros((0, case.steps)) if taken_mw is None else taken_mw
    surplus = surplus - taken.sum(axis=0) if len(taken) else surplus
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
    dearest = np.argsort([-item.levels[0].usd_per_mwh for item in case.supplies], kind="stable")
    given = supply_mw.copy()
    given[dearest], curtailed = _with_less(supply_mw[dearest], too_much)
    taken, missing = _with_less(taken, np.maximum(-rest, 0.0))
    shed = _with_more_shed(case, shed_mw, missing)
    backup, imports = np.split(given, [len(case.backup)])
    lost = _lost_compute(case, shed)
    return Dispatch(
        curtailed_mw=curtailed,
        charge_mw=np.maximum(flow, 0.0),
        discharge_mw=np.maximum(-flow, 0.0),
        shed_mw=shed.sum(axis=0),
        stored_mwh=stored,
        backup_mw=backup,
        lost_compute=lost.sum(axis=0),
        lost_by_class=lost if len(case.classes) > 1 else None,
        import_mw=imports if case.imports else None,
        taken_mw=taken if case.sinks else None,
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
