"""Replay: recompute everything that a dispatch claims, from the case and the plant alone.

Shares no code with the optimisers; a mismatch is an internal error, never a result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from sitedesign.case.case import BackupCase, Case, ImportCase, SinkCase
from sitedesign.case.dispatch import Dispatch, lost_by_class
from sitedesign.case.plant import Plant, imports_used, slowest_lead
from sitedesign.errors import ReplayMismatch

FloatArray = NDArray[np.float64]
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Replay:
    """What a dispatch really does, recomputed.

    Attributes
    ----------
    balance_residual_mw : float
        Largest absolute energy-balance error of any step. [MW]
    storage_residual_mwh : float
        Largest error of the storage recursion, or excursion below empty or above full. [MWh]
    limit_residual_mw : float
        Largest excess over a battery, resource, unit or tier limit. [MW]
    end_shortfall_mwh : float
        What the battery lacks to full at the end. [MWh]
    rack_uptime : float
        1 - weighted shed energy / load - expected shortfall of working racks (the uptime row; of all classes
        together). [fraction]
    class_uptime : tuple of float
        The same for each class of the load, of its own load; 0 where a class is given up. [fraction]
    power_uptime : float
        The same without the rack shortfall. [fraction]
    rack_shortfall : float
        E[(K - Bin(R, a))+] / K. [fraction]
    lost_mwh_per_yr, shed_mwh_per_yr, curtailed_mwh_per_yr : float
        Weighted shed load, shed load, power not used. [MWh/yr]
    backup_mwh_per_yr, import_mwh_per_yr, taken_mwh_per_yr : tuple of float
        Per technology, import and sink. [MWh/yr]
    renewable_share : float
        1 - energy of all supplies / load. [fraction]
    fuel_mmbtu_per_yr, co2_t_per_yr : float
        At the full-load heat rate. [MMBtu/yr, t/yr]
    operating_cost_usd_per_yr : float
        Sum of marginal cost x energy of the supplies, less value x energy of the sinks. [USD/yr]
    objective_usd_per_yr : float
        The optimiser's objective: annualised plant, operation, spare racks, delay, lost compute. [USD/yr]
    battery_cycles_per_yr : float
        Discharged energy over nameplate energy. [1/yr]
    """

    balance_residual_mw: float
    storage_residual_mwh: float
    limit_residual_mw: float
    end_shortfall_mwh: float
    rack_uptime: float
    class_uptime: tuple[float, ...]
    power_uptime: float
    rack_shortfall: float
    lost_mwh_per_yr: float
    shed_mwh_per_yr: float
    curtailed_mwh_per_yr: float
    backup_mwh_per_yr: tuple[float, ...]
    renewable_share: float
    fuel_mmbtu_per_yr: float
    co2_t_per_yr: float
    operating_cost_usd_per_yr: float
    objective_usd_per_yr: float
    battery_cycles_per_yr: float
    import_mwh_per_yr: tuple[float, ...] = ()
    taken_mwh_per_yr: tuple[float, ...] = ()


def rack_shortfall(racks: int, contracted: int, availability: float) -> float:
    """Return the expected share of the contracted racks that do not work, E[(K - Bin(R, a))+] / K.

    Parameters
    ----------
    racks, contracted : int
        Installed R and contracted K.
    availability : float
        Share of time an installed rack works. [fraction]

    Returns
    -------
    float
        [fraction of K]. documentation, method/uptime; by E[(K-X)+] = K P(X<=K-1) - R a P(Bin(R-1,a)<=K-2).
    """
    if contracted <= 0:
        return 0.0
    below = _at_most(contracted - 1, racks, availability)
    below_less_one = _at_most(contracted - 2, racks - 1, availability) if racks >= 1 else 1.0
    value = below - racks * availability * below_less_one / contracted
    return float(max(value, 0.0))


def _at_most(working: int, racks: int, availability: float) -> float:
    """Chance that at most so many racks work, P(Bin(R, a) <= k); DLMF 8.17.24."""
    if not 0 <= working < racks:
        return float(working >= racks)
    return float(betainc(racks - working, working + 1, 1.0 - availability))


def check_dispatch(case: Case, plant: Plant, dispatch: Dispatch, *, must_end_full: bool = False) -> Replay:
    """Recompute a dispatch independently of whoever made it.

    Parameters
    ----------
    case, plant : Case, Plant
    dispatch : Dispatch
    must_end_full : bool
        Also demand that the battery ends as full as it began (optimisers must; operators need not).

    Returns
    -------
    Replay

    Raises
    ------
    ReplayMismatch
        When a balance, recursion, bound or tier is violated by more than 1e-6 of the plant's own size; names
        every violation with its step.
    """
    faults: list[str] = []
    scale_mw = max(float(case.load_mw.max(initial=0.0)), *plant.resources_mw, plant.battery_mw, 1e-9)
    scale_mwh = max(plant.battery_mwh, scale_mw * case.step_h)
    balance = _note(faults, "energy balance", np.abs(_balance(case, plant, dispatch)), scale_mw, "MW")
    storage = max(
        _note(faults, name, residual, scale_mwh, "MWh") for name, residual in _storage(case, plant, dispatch)
    )
    limit = max(
        _note(faults, name, residual, scale_mw, "MW") for name, residual in _limits(case, plant, dispatch)
    )
    # Cancellation in a difference of full states is as large as the recursion's own rounding
    full = plant.battery_mwh * float(case.usable[-1])
    end = full - float(dispatch.stored_mwh[-1])
    if must_end_full:
        _note(faults, "battery not full at the end", np.array([end]), scale_mwh, "MWh")
    _note(faults, "lost compute against the tiers", _tier_residual(case, dispatch), 1.0, "of the load")
    if faults:
        raise ReplayMismatch(faults)
    return _account(case, plant, dispatch, (balance, storage, limit, end))


def _note(faults: list[str], name: str, residual: FloatArray, scale: float, unit: str) -> float:
    """Largest residual of one check; a fault when it exceeds the tolerance or is not a number."""
    if residual.size == 0:
        return 0.0
    step = int(np.argmax(np.where(np.isnan(residual), np.inf, residual)).item()) % residual.shape[-1]
    worst = float(residual.max())
    if not worst <= TOLERANCE * scale:
        faults.append(f"{name}: off by {worst:.3g} {unit} at step {step}")
    return max(worst, 0.0)


def _balance(case: Case, plant: Plant, dispatch: Dispatch) -> FloatArray:
    supply = _resources_mw(case, plant) - dispatch.curtailed_mw + dispatch.discharge_mw
    residual: FloatArray = (
        supply + dispatch.backup_mw.sum(axis=0) + dispatch.shed_mw - dispatch.charge_mw - case.load_mw
    )
    for imported in () if dispatch.import_mw is None else dispatch.import_mw:
        residual = residual + imported
    for taken in () if dispatch.taken_mw is None else dispatch.taken_mw:
        residual = residual - taken
    return residual


def _resources_mw(case: Case, plant: Plant) -> FloatArray:
    """Add up what the resources could give in each step. [MW]"""
    parts = [mw * r.yield_mw_per_mw for r, mw in zip(case.resources, plant.resources_mw, strict=True)]
    return np.asarray(np.sum(parts, axis=0), dtype=np.float64)


def _storage(case: Case, plant: Plant, dispatch: Dispatch) -> list[tuple[str, FloatArray]]:
    full = plant.battery_mwh * case.usable
    before = np.concatenate([full[:1], dispatch.stored_mwh[:-1]])
    flow = case.eta_charge * dispatch.charge_mw - dispatch.discharge_mw / case.eta_discharge
    above = dispatch.stored_mwh - full
    # Fade can leave more in a full battery than the capacity holds; it must then leave as fast as it can.
    use = case.load_mw if dispatch.taken_mw is None else case.load_mw + dispatch.taken_mw.sum(axis=0)
    leaving = np.minimum(plant.battery_mw, use) - dispatch.discharge_mw <= TOLERANCE * plant.battery_mw
    above = np.where((before > full) & leaving, 0.0, above)
    return [
        ("storage recursion", np.abs(dispatch.stored_mwh - before - case.step_h * flow)),
        ("stored energy below empty", -dispatch.stored_mwh),
        ("stored energy above full", above),
    ]


def _limits(case: Case, plant: Plant, dispatch: Dispatch) -> list[tuple[str, FloatArray]]:
    # A full battery whose usable share falls must spill, and a unit may give more at its lowest load than the
    # load and the battery take, so what they give may be curtailed as well.
    given = _resources_mw(case, plant) + dispatch.discharge_mw + dispatch.backup_mw.sum(axis=0)
    given = given if dispatch.import_mw is None else given + dispatch.import_mw.sum(axis=0)
    limits = [
        ("charging above the battery's power", dispatch.charge_mw - plant.battery_mw),
        ("discharging above the battery's power", dispatch.discharge_mw - plant.battery_mw),
        ("curtailing more than resources, battery and units give", dispatch.curtailed_mw - given),
        ("shedding more than the load", dispatch.shed_mw - case.load_mw),
        ("negative charging", -dispatch.charge_mw),
        ("negative discharging", -dispatch.discharge_mw),
        ("negative curtailment", -dispatch.curtailed_mw),
        ("negative shedding", -dispatch.shed_mw),
    ]
    for row, (backup, units) in enumerate(zip(case.backup, plant.units, strict=True)):
        rows = backup.capability.shape[0]
        index = np.minimum(np.arange(units), rows - 1)
        count = np.bincount(index, minlength=rows)[:, None]
        capable = backup.unit_mw * (count * backup.capability).sum(axis=0)
        limits.append((f"{backup.name} above its units", dispatch.backup_mw[row] - capable))
        limits.append((f"{backup.name} below zero", -dispatch.backup_mw[row]))
    limits += _flow_limits(case.imports, plant.imports, dispatch.import_mw)
    return limits + _flow_limits(case.sinks, plant.sinks, dispatch.taken_mw)


def _flow_limits(
    items: Sequence[ImportCase | SinkCase], sizes: Sequence[float], power_mw: FloatArray | None
) -> list[tuple[str, FloatArray]]:
    """Hold the power of imports, or of sinks, against their sizes."""
    found: list[tuple[str, FloatArray]] = []
    for item, size, given in zip(items, sizes, [] if power_mw is None else power_mw, strict=True):
        found.append((f"{item.name} above its size", given - size * item.unit_mw * item.capability[0]))
        found.append((f"{item.name} below zero", -given))
    return found


def _tier_residual(case: Case, dispatch: Dispatch) -> FloatArray:
    """How far the claimed compute loss lies below the least that the shed load allows, or above the most.

    Within a class tiers have rising weights, so the least loss sheds the cheapest first and the most the
    dearest first.
    """
    if len(case.classes) > 1:
        return _class_residual(case, dispatch)
    load = np.where(case.load_mw > 0, case.load_mw, 1.0)
    share = np.where(case.load_mw > 0, dispatch.shed_mw / load, 0.0)
    width = np.array([tier.width for tier in case.tiers])
    weight = np.array([tier.weight for tier in case.tiers])
    lowest, highest = _stack(share, width, weight), _stack(share, width[::-1], weight[::-1])
    residual: FloatArray = np.maximum(lowest - dispatch.lost_compute, dispatch.lost_compute - highest)
    return residual


def _class_residual(case: Case, dispatch: Dispatch) -> FloatArray:
    """Hold the shed load against what each of several classes claims to lose, and the claims against the sum.

    A class may have lost what it claims by shedding anything between a least load (its dearest tiers) and a
    most (its cheapest); any load between the sums of both explains all claims at once.
    """
    lost = _lost(case, dispatch)
    share = np.divide(dispatch.shed_mw, case.load_mw, out=np.zeros(case.steps), where=case.load_mw > 0)
    lowest, highest = np.zeros(case.steps), np.zeros(case.steps)
    residual: FloatArray = np.maximum(np.abs(lost.sum(axis=0) - dispatch.lost_compute), -lost.min(axis=0))
    for c, mine in enumerate(lost):
        tiers = [tier for tier in case.tiers if tier.load_class == c]
        width = np.array([tier.width for tier in tiers])
        weight = np.array([tier.weight for tier in tiers])
        residual = np.maximum(residual, mine - float(width @ weight))
        free = weight <= 0.0
        highest += width[free].sum() + _stack(mine, (width * weight)[~free], 1.0 / weight[~free])
        lowest += _stack(mine, (width * weight)[~free][::-1], 1.0 / weight[~free][::-1])
    return np.maximum(residual, np.maximum(lowest - share, share - highest))


def _lost(case: Case, dispatch: Dispatch) -> FloatArray:
    """Find what each class loses of the whole load, shape (C, T)."""
    if dispatch.lost_by_class is not None:
        return dispatch.lost_by_class
    if len(case.classes) == 1:
        return dispatch.lost_compute[np.newaxis]
    return lost_by_class(case, dispatch.shed_mw)


def _stack(share: FloatArray, width: FloatArray, weight: FloatArray) -> FloatArray:
    """Loss when `share` is taken from the tiers in the order given."""
    edges = np.concatenate([[0.0], np.cumsum(width)])
    losses = np.concatenate([[0.0], np.cumsum(width * weight)])
    result: FloatArray = np.interp(share, edges, losses)
    return result


def _account(
    case: Case, plant: Plant, dispatch: Dispatch, residuals: tuple[float, float, float, float]
) -> Replay:
    per_year = case.step_h / case.years
    load = case.load_mwh_per_yr
    energy = tuple(float(row.sum()) * per_year for row in dispatch.backup_mw)
    imported = _energy(dispatch.import_mw, per_year)
    taken = _energy(dispatch.taken_mw, per_year)
    emitted = [_at_levels(item, mw, "co2_t_per_mwh") * per_year for item, mw in _supplied(case, dispatch)]
    burnt = [_at_levels(item, mw, "fuel_mmbtu_per_mwh") * per_year for item, mw in _supplied(case, dispatch)]
    lost = float((dispatch.lost_compute * case.load_mw).sum()) * per_year
    by_class = (_lost(case, dispatch) * case.load_mw).sum(axis=1) * per_year
    short = rack_shortfall(plant.racks, case.racks_contracted, case.rack_availability)
    operating = sum(_at_levels(item, mw, "usd_per_mwh") * per_year for item, mw in _supplied(case, dispatch))
    if dispatch.taken_mw is not None:
        operating -= sum(
            _at_levels(item, mw, "usd_per_mwh") * per_year
            for item, mw in zip(case.sinks, dispatch.taken_mw, strict=True)
        )
    discharged = float(dispatch.discharge_mw.sum()) * per_year
    balance, storage, limit, end = residuals
    return Replay(
        balance_residual_mw=balance,
        storage_residual_mwh=storage,
        limit_residual_mw=limit,
        end_shortfall_mwh=end,
        rack_uptime=1.0 - lost / load - short,
        class_uptime=tuple(
            max(1.0 - float(mine) / (c.share * load) - short, 0.0)
            for mine, c in zip(by_class, case.classes, strict=True)
        ),
        power_uptime=1.0 - lost / load,
        rack_shortfall=short,
        lost_mwh_per_yr=lost,
        shed_mwh_per_yr=float(dispatch.shed_mw.sum()) * per_year,
        curtailed_mwh_per_yr=float(dispatch.curtailed_mw.sum()) * per_year,
        backup_mwh_per_yr=energy,
        renewable_share=1.0 - sum((*energy, *imported)) / load,
        fuel_mmbtu_per_yr=sum(burnt),
        co2_t_per_yr=sum(emitted),
        operating_cost_usd_per_yr=operating,
        objective_usd_per_yr=operating
        + fixed_cost_usd_per_yr(case, plant)
        + case.lost_value_usd_per_mwh * (lost + short * load),
        battery_cycles_per_yr=discharged / plant.battery_mwh if plant.battery_mwh > 0 else 0.0,
        import_mwh_per_yr=imported,
        taken_mwh_per_yr=taken,
    )


def _energy(rows_mw: FloatArray | None, per_year: float) -> tuple[float, ...]:
    return () if rows_mw is None else tuple(float(row.sum()) * per_year for row in rows_mw)


def _supplied(case: Case, dispatch: Dispatch) -> list[tuple[BackupCase | ImportCase, FloatArray]]:
    """Pair every supply with what it gave. [MW]"""
    imports = [] if dispatch.import_mw is None else list(dispatch.import_mw)
    return [
        *zip(case.backup, dispatch.backup_mw, strict=True),
        *zip(case.imports, imports, strict=True),
    ]


def _at_levels(item: BackupCase | ImportCase | SinkCase, power_mw: FloatArray, figure: str) -> float:
    """Add up the power of all steps, each times a figure of the level that holds in it."""
    figures = np.array([getattr(level, figure) for level in item.levels])
    if item.active_level is None:
        return float(figures[0]) * float(power_mw.sum())
    return float((figures[item.active_level] * power_mw).sum())  # the same with any number of threads


def fixed_cost_usd_per_yr(case: Case, plant: Plant) -> float:
    """Everything in the optimiser's objective that does not depend on the dispatch.

    Returns
    -------
    float
        Annualised resources, battery, units, imports, sinks, what each supply costs once, racks above the
        contracted number, a ride-through paid here, delay. [USD/yr]
    """
    cost = (
        sum(mw * r.annual_cost_usd_per_mw for r, mw in zip(case.resources, plant.resources_mw, strict=True))
        + plant.battery_mwh * case.battery_cost_usd_per_mwh_yr
        + plant.battery_mw * case.battery_cost_usd_per_mw_yr
        + (plant.racks - case.racks_contracted) * case.rack_cost_usd_per_yr
    )
    cost += sum(units * b.annual_cost_usd_per_unit for b, units in zip(case.backup, plant.units, strict=True))
    cost += sum(b.site_cost_usd_per_yr for b, n in zip(case.backup, plant.units, strict=True) if n > 0)
    for connection, size in zip(case.imports, plant.imports, strict=True):
        cost += size * connection.annual_cost_usd_per_unit
    used = zip(case.imports, imports_used(case, plant), strict=True)
    cost += sum(connection.site_cost_usd_per_yr for connection, there in used if there)
    cost += sum(n * sink.annual_cost_usd_per_unit for sink, n in zip(case.sinks, plant.sinks, strict=True))
    cost += case.fixed_usd_per_yr
    return cost + case.delay_cost_usd_per_month_yr * slowest_lead(case, plant)[0]
