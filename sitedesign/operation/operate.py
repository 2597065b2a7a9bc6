"""Operation of a fixed plant, step by step, by somebody who cannot see the future.

No Pyomo and nothing from ``optimize/`` or ``equations/``: the judge shares no code with the judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sitedesign.case.case import Case
from sitedesign.case.dispatch import Dispatch, lost_by_class
from sitedesign.case.plant import Plant, available_mw
from sitedesign.operation import policies, simulation
from sitedesign.operation.beyond_horizon import usual_need, usual_value
from sitedesign.operation.forecast import Climatology, Forecast, climatology, daily_factors, lowered
from sitedesign.operation.outages.sampling import OutageSample
from sitedesign.operation.rack_restart import Restart, add_restart_loss
from sitedesign.operation.state import Controller, Machine, UnitBehaviour, machine, price_slopes
from sitedesign.util.compile_ahead import settled

FloatArray = NDArray[np.float64]
_KINDS = ("greedy", "latest_safe_start", "rolling")


def available_backup_mw(case: Case, plant: Plant) -> FloatArray:
    """Sum what the units of each technology can give in each step.

    Parameters
    ----------
    case : Case
        ``capability`` may hold one row for all units or one row a unit.
    plant : Plant

    Returns
    -------
    ndarray, shape (K, T)
        [MW at the bus]
    """
    available = np.zeros((len(case.backup), case.steps))
    for row, (backup, units) in enumerate(zip(case.backup, plant.units, strict=True)):
        rows = backup.capability.shape[0]
        own = min(units, rows)
        available[row] = backup.capability[:own].sum(axis=0)
        available[row] += (units - own) * backup.capability[rows - 1]
        available[row] *= backup.unit_mw
    return available


def operate_greedy(case: Case, plant: Plant) -> Dispatch:
    """Run a plant without any look-ahead: solar, then battery, then units, then shedding.

    Solar serves the load and its surplus charges the battery; a deficit is met by the battery, then by the
    units in order of marginal cost, then by shedding tier after tier. Units follow the load freely (no start
    time, no minimum load), as in the optimiser's equations, so that the two can be compared exactly. The
    battery is full at the start; what is in it at the end is not topped up for free but reported
    (:class:`~sitedesign.reliability.replay.Replay`).

    Parameters
    ----------
    case : Case
    plant : Plant

    Returns
    -------
    Dispatch
        Closes the energy balance to rounding.
    """
    order = np.argsort([backup.marginal_cost_usd_per_mwh for backup in case.backup], kind="stable").astype(
        np.int64
    )
    out = _greedy(
        case.step_h,
        available_mw(case, plant),
        np.ascontiguousarray(case.load_mw, dtype=np.float64),
        plant.battery_mwh * case.usable,
        plant.battery_mw,
        case.eta_charge,
        case.eta_discharge,
        available_backup_mw(case, plant),
        order,
        np.array([tier.width for tier in case.tiers]),
        np.array([tier.weight for tier in case.tiers]),
    )
    return Dispatch(*out)


@njit(cache=True)
def _greedy(
    step_h: float,
    solar: FloatArray,
    load: FloatArray,
    room_mwh: FloatArray,
    power_mw: float,
    eta_c: float,
    eta_d: float,
    available: FloatArray,
    order: NDArray[np.int64],
    width: FloatArray,
    weight: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    steps = load.size
    curtailed, charge, discharge = np.zeros(steps), np.zeros(steps), np.zeros(steps)
    shed, stored, lost = np.zeros(steps), np.zeros(steps), np.zeros(steps)
    backup = np.zeros((order.size, steps))
    energy = room_mwh[0]
    for t in range(steps):
        net = load[t] - solar[t]
        room = room_mwh[t] - energy
        if room < 0.0:  # capacity faded under a full battery: the excess has to leave first
            discharge[t] = min(-room * eta_d / step_h, power_mw, load[t])
            net -= discharge[t]
        if net <= 0.0:
            if room > 0.0:
                charge[t] = min(-net, power_mw, room / (eta_c * step_h))
            curtailed[t] = -net - charge[t]
        else:
            more = min(net, power_mw - discharge[t], energy * eta_d / step_h - discharge[t])
            if more > 0.0:
                discharge[t] += more
                net -= more
            for k in order:
                backup[k, t] = min(net, available[k, t])
                net -= backup[k, t]
            for j in range(width.size):
                part = net if j == width.size - 1 else min(net, width[j] * load[t])
                shed[t] += part
                lost[t] += weight[j] * part
                net -= part
        if load[t] > 0.0:
            lost[t] /= load[t]
        energy += step_h * (eta_c * charge[t] - discharge[t] / eta_d)
        if energy < 0.0:  # rounding
            energy = 0.0
        stored[t] = energy
    return curtailed, charge, discharge, shed, stored, backup, lost


@dataclass(frozen=True, eq=False)
class SimulatedOperation:
    """What a causal operator did.

    Attributes
    ----------
    shed_mw, lost_compute : ndarray, shape (T,)
        Compute lost includes that of racks which start again. [MW, fraction of the step's load]
    lost_by_class : ndarray, shape (C, T)
        The same per class of the load. [fraction of the step's whole load]
    dispatch : Dispatch or None
        Every series, where it was asked for.
    solar_mw : ndarray or None
        Solar power available, outages of blocks included; with `dispatch`. [MW]
    backup_mwh, fuel_mmbtu : ndarray, shape (K, years)
        Energy and fuel really burnt (part load included). [MWh, MMBtu]
    extra_fuel_usd : ndarray, shape (years,)
        Cost of the fuel above the full-load heat rate. [USD]
    run_h, starts, failed_starts : ndarray, shape (units,)
        Per unit, over all years; units counted over the technologies. [h, 1, 1]
    cycled_mwh : ndarray, shape (years,)
        Battery discharge. [MWh]
    end_mwh : float
        Stored energy after the last step. [MWh]
    balance_residual_mw : float
        Largest energy-balance error of any step. [MW]
    """

    shed_mw: FloatArray
    lost_compute: FloatArray
    lost_by_class: FloatArray
    dispatch: Dispatch | None
    solar_mw: FloatArray | None
    backup_mwh: FloatArray
    fuel_mmbtu: FloatArray
    extra_fuel_usd: FloatArray
    run_h: FloatArray
    starts: NDArray[np.int64]
    failed_starts: NDArray[np.int64]
    cycled_mwh: FloatArray
    end_mwh: float
    balance_residual_mw: float


def operate(
    case: Case,
    plant: Plant,
    controller: Controller | None = None,
    *,
    behaviour: Sequence[UnitBehaviour] | None = None,
    forecast: Forecast | None = None,
    usual: Climatology | None = None,
    past: Case | None = None,
    outages: OutageSample | None = None,
    fuels: Sequence[str] = (),
    restart: Restart | None = None,
    guess: FloatArray | None = None,
    seed: int = 0,
    start_mwh: float | None = None,
    record: bool = True,
) -> SimulatedOperation:
    """Run a plant step by step under a rule that sees the past, the present and a forecast.

    Parameters
    ----------
    case : Case
        Capability in one row per technology: outages come from `outages`.
    plant : Plant
    controller : Controller, optional
    behaviour : sequence of UnitBehaviour, optional
        Per technology; ideal units when left out.
    forecast : Forecast, optional
    usual : Climatology, optional
        The average year as the operator knows it; made from `past` when left out.
    past : Case, optional
        Years from which the operator knows the climate and (``rolling``) the value of stored energy beyond
        the window; `case` when left out.
    outages : OutageSample, optional
        Nothing fails when left out.
    fuels : sequence of str
        Names of the fuels whose interruptions `outages` numbers.
    restart : Restart, optional
        Racks that were off are at work again at once when left out.
    guess : ndarray, shape (days, leads), optional
        Forecast factors as they are, not lowered; made by :func:`daily_factors` when left out. [fraction]
    seed : int
        Of the forecast errors.
    start_mwh : float, optional
        Stored energy at the start; full when left out. [MWh]
    record : bool
        Keep every series, not only shed load.

    Returns
    -------
    SimulatedOperation

    Raises
    ------
    ValueError
        If the case's capability has one row a unit.
    """
    settled()
    rule = controller or Controller()
    sight = forecast or Forecast()
    ways = tuple(behaviour) if behaviour is not None else (UnitBehaviour(),) * len(case.backup)
    if any(b.capability.shape[0] > 1 for b in case.backup):
        message = "capability: one row a unit; give the weather's capability in one row and the outages apart"
        raise ValueError(message)
    known = past or case
    average = usual or climatology(known)
    build = machine(case, plant, rule, ways, fuels)
    start = plant.battery_mwh * float(case.usable[0]) if start_mwh is None else start_mwh
    build.plant["stored"] = start
    _add_outages(build, outages)
    table = _rule(case, rule, sight, average)
    slopes = price_slopes(build, rule)
    table["zero_slot"] = slopes.zero_slot
    levels, values = np.zeros((1, 1)), np.zeros((365, slopes.values.size))
    if rule.kind == "latest_safe_start":
        levels = usual_need(build, average)
    elif rule.kind == "rolling":
        values = usual_value(known, build, slopes)
    units, width = len(case.backup), case.steps if record else 0
    shed, lost = np.zeros(case.steps), np.zeros(case.steps)
    series, backup = np.zeros((5, width)), np.zeros((units, width))
    energy, burnt, cycled = np.zeros((units, case.years)), np.zeros((units, case.years)), np.zeros(case.years)
    capability, solar = _capability(case, build), case.sole_resource.yield_mw_per_mw
    residual = simulation.simulate(  # type: ignore[call-arg]  # numba hides the signature
        *(np.ascontiguousarray(x, dtype=np.float64) for x in (solar, case.load_mw, case.usable)),
        capability,
        *_events(outages),
        build.rank,
        np.zeros(max(len(fuels), 1), np.int64),
        average.solar_yield,
        average.load_mw,
        build.sorted_capability(list(average.capability)),
        _factors(case, rule, sight, average, guess, seed),
        levels,
        values,
        slopes.values,
        slopes.down_slot,
        slopes.up_slot,
        slopes.price,
        *_room_to_plan(case, build, table, average, capability, values.shape[1]),
        build.tech,
        build.unit,
        build.tier,
        build.plant,
        table,
        shed,
        lost,
        series,
        backup,
        energy,
        burnt,
        cycled,
    )
    rate = np.array([b.fuel_mmbtu_per_mwh for b in case.backup]).reshape(-1, 1)
    fuel_price = np.array([w.fuel_usd_per_mmbtu for w in ways]).reshape(-1, 1)
    energy, burnt = energy[build.rank], burnt[build.rank]
    by_class = lost_by_class(case, shed) if len(case.classes) > 1 else lost[np.newaxis]
    if restart is not None:
        add_restart_loss(case, shed, restart, by_class)
        lost = by_class.sum(axis=0) if len(by_class) > 1 else by_class[0]
    dispatch = None
    if record:
        dispatch = Dispatch(series[0], series[1], series[2], shed, series[3], backup[build.rank], lost)
        dispatch = replace(dispatch, lost_by_class=by_class if len(case.classes) > 1 else None)
    return SimulatedOperation(
        shed_mw=shed,
        lost_compute=lost,
        lost_by_class=by_class,
        dispatch=dispatch,
        solar_mw=series[4] if record else None,
        backup_mwh=energy,
        fuel_mmbtu=rate * burnt,
        extra_fuel_usd=(fuel_price * rate * (burnt - energy)).sum(axis=0),
        run_h=build.unit["run_h"].copy(),
        starts=build.unit["starts"].copy(),
        failed_starts=build.unit["failed"].copy(),
        cycled_mwh=cycled,
        end_mwh=float(build.plant["stored"][0] + build.plant["frozen"][0]),
        balance_residual_mw=residual,
    )


# A search runs hundreds of plants on the same years: their capability is put in order once.
_ordered: WeakKeyDictionary[Case, dict[bytes, FloatArray]] = WeakKeyDictionary()


def _capability(case: Case, build: Machine) -> FloatArray:
    """Capability of a case's technologies in the order of a machine, shape (K, T)."""
    known, order = _ordered.setdefault(case, {}), build.rank.tobytes()
    if order not in known:
        known[order] = build.sorted_capability([b.capability[0] for b in case.backup])
    return known[order]


def _room_to_plan(
    case: Case, build: Machine, table: NDArray[Any], usual: Climatology, capability: FloatArray, slopes: int
) -> tuple[FloatArray, ...]:
    """Make what the forecast window reads, and the arrays in which a kernel, which allocates none, plans."""
    day_steps = int(table["day_steps"][0])
    rows = build.sorted_capability(list(usual.capability))
    known = np.vstack([usual.load_mw, usual.solar_yield, *rows])
    if table["perfect"][0]:
        known = np.vstack([case.load_mw, case.sole_resource.yield_mw_per_mw, *capability])
    # Added up one after the other
    usual_day = np.cumsum(usual.solar_yield.reshape(-1, day_steps), axis=1)[:, -1].copy()
    levels = build.tech.size + build.tier.size
    sizes: tuple[Any, ...] = ((levels, day_steps + 2), levels, day_steps, slopes, levels)
    return known, usual_day, *(np.zeros(size) for size in sizes)


def _events(outages: OutageSample | None) -> tuple[NDArray[Any], ...]:
    if outages is None:
        return np.zeros(0, np.int64), np.zeros(0, np.int8), np.zeros(0, np.int16), np.zeros(0, np.int8)
    return outages.step, outages.kind, outages.index, outages.change


def _add_outages(build: Machine, outages: OutageSample | None) -> None:
    """Copy block counts and the keys of start failures into the plant's record."""
    if outages is None:
        return
    build.plant["battery_blocks"] = outages.battery_blocks
    build.plant["solar_blocks"] = outages.solar_blocks
    build.plant["solar_scale"] = outages.solar_scale
    build.unit["key"] = outages.start_keys[: build.unit.size]
    build.tech["start_key"] = build.sorted_rows(outages.start_keys[build.unit.size :])


def _factors(
    case: Case, rule: Controller, sight: Forecast, usual: Climatology, guess: FloatArray | None, seed: int
) -> FloatArray:
    if rule.kind == "greedy" or sight.kind == "perfect":
        return np.ones((1, 1))
    if guess is None:
        return daily_factors(
            sight, usual, case.sole_resource.yield_mw_per_mw, seed=seed, z_score=rule.forecast_z_score
        )
    return lowered(guess, sight, usual, rule.forecast_z_score)


def _rule(case: Case, rule: Controller, sight: Forecast, usual: Climatology) -> NDArray[Any]:
    table = np.zeros(1, policies.RULE)
    load = float(np.mean(usual.load_mw))
    table["kind"] = _KINDS.index(rule.kind)
    table["start_soc"], table["soc_band"] = rule.start_soc, rule.soc_band
    table["reserve_mwh"] = rule.reserve_h * load
    table["throttle_reserve_mwh"] = rule.throttle_reserve_h * load
    table["issue_steps"] = max(1, round(sight.issue_h / case.step_h))
    table["perfect"] = sight.kind == "perfect"
    table["blend"] = sight.kind in ("skill", "persistence")
    table["days"], table["day_steps"] = sight.days, round(24 / case.step_h)
    return table
