"""Operation of a fixed plant, step by step, by somebody who cannot see the future.

No Pyomo and nothing from ``optimize/`` or ``equations/``: the judge shares no code with the judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sitedesign.case.case import BackupCase, Case, ImportCase, SinkCase
from sitedesign.case.dispatch import Dispatch, lost_by_class
from sitedesign.case.plant import Plant, available_mw
from sitedesign.operation import records, simulation
from sitedesign.operation.beyond_horizon import terminal_mwh
from sitedesign.operation.environment import OperatingEnvironment
from sitedesign.operation.forecast import climatology, daily_factors, lowered
from sitedesign.operation.outages.sampling import OutageSample
from sitedesign.operation.rack_restart import add_restart_loss
from sitedesign.operation.records import Fleet, Horizon, Inputs, Outlook, Output, Plan, State
from sitedesign.operation.state import Controller, Machine, UnitBehaviour, lay_out
from sitedesign.util.compile_ahead import settled

FloatArray = NDArray[np.float64]
_KINDS = ("greedy", "latest_safe_start")


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
    """Run a plant without any look-ahead: weather, then battery, then supplies, then shedding.

    Resources serve the load and their surplus charges the battery; what is left then goes to the sinks, the
    best paying of the step first. A deficit is met by the battery, then by units and imports in order of the
    prices of the step, then by shedding tier after tier. Units follow the load freely (no start
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
    imports = [
        size * item.unit_mw * item.capability[0]
        for item, size in zip(case.imports, plant.imports, strict=True)
    ]
    available = np.array([*available_backup_mw(case, plant), *imports]).reshape(-1, case.steps)
    supply_order, active = _merit_order(case.supplies, case.steps)
    curtailed, charge, discharge, shed, stored, supply, lost = _greedy(
        available_mw(case, plant),
        np.ascontiguousarray(case.load_mw, dtype=np.float64),
        plant.battery_mwh * case.usable,
        _Battery(case.step_h, plant.battery_mw, case.eta_charge, case.eta_discharge),
        _Supplies(available, supply_order, active),
        np.array([tier.width for tier in case.tiers]),
        np.array([tier.weight for tier in case.tiers]),
    )
    backup = len(case.backup)
    done = Dispatch(curtailed, charge, discharge, shed, stored, supply[:backup], lost)
    done = replace(done, import_mw=supply[backup:]) if case.imports else done
    return _sold(case, plant, done) if case.sinks else done


def _merit_order(
    items: Sequence[BackupCase | ImportCase | SinkCase], steps: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and level of each price, cheapest first, shape (levels, 2); the level that holds, shape (K, T)."""
    levels = [
        (level.usd_per_mwh, k, i) for k, item in enumerate(items) for i, level in enumerate(item.levels)
    ]
    order = np.array([(k, i) for _, k, i in sorted(levels)], dtype=np.int64).reshape(-1, 2)
    active = np.zeros((len(items), steps), dtype=np.int64)
    for row, item in zip(active, items, strict=True):
        if item.active_level is not None:
            row[:] = item.active_level
    return order, active


def _sold(case: Case, plant: Plant, done: Dispatch) -> Dispatch:
    """Give the sinks what nothing else takes."""
    order, active = _merit_order(case.sinks, case.steps)
    taken, surplus = np.zeros((len(case.sinks), case.steps)), done.curtailed_mw.copy()
    for k, i in order[::-1]:
        sink = case.sinks[k]
        wanted = plant.sinks[k] * sink.unit_mw * sink.capability[0] * (active[k] == i)
        given = np.minimum(wanted, surplus)
        taken[k] += given
        surplus -= given
    return replace(done, curtailed_mw=surplus, taken_mw=taken)


class _Battery(NamedTuple):
    """Step [h], power [MW], efficiencies."""

    step_h: float
    power_mw: float
    eta_charge: float
    eta_discharge: float


class _Supplies(NamedTuple):
    """What units and imports can give [MW], rows and levels cheapest first, the level that holds."""

    available: FloatArray
    order: NDArray[np.int64]
    active: NDArray[np.int64]


@njit(cache=True)
def _greedy(
    solar: FloatArray,
    load: FloatArray,
    room_mwh: FloatArray,
    battery: _Battery,
    supplies: _Supplies,
    width: FloatArray,
    weight: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    steps, step_h, power_mw = load.size, battery.step_h, battery.power_mw
    eta_c, eta_d = battery.eta_charge, battery.eta_discharge
    available, order, active = supplies.available, supplies.order, supplies.active
    curtailed, charge, discharge = np.zeros(steps), np.zeros(steps), np.zeros(steps)
    shed, stored, lost = np.zeros(steps), np.zeros(steps), np.zeros(steps)
    supply = np.zeros(available.shape)
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
            for place in range(order.shape[0]):
                k = order[place, 0]
                if active[k, t] == order[place, 1]:
                    supply[k, t] = min(net, available[k, t])
                    net -= supply[k, t]
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
    return curtailed, charge, discharge, shed, stored, supply, lost


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
    environment: OperatingEnvironment | None = None,
    *,
    outages: OutageSample | None = None,
    forecast_factors: FloatArray | None = None,
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
    environment : OperatingEnvironment, optional
        Ideal units under the case's own climate when left out.
    outages : OutageSample, optional
        Nothing fails when left out.
    forecast_factors : ndarray, shape (days, leads), optional
        As they are, not lowered; made by :func:`daily_factors` with seed 0 when left out. [fraction]
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
        If the case's capability has one row a unit, or the case has imports, sinks or prices that change, of
        which this operator knows nothing.
    """
    if case.imports or case.sinks or any(item.other_levels for item in case.backup):
        message = "imports, sinks and prices that change are not operated causally: use foresight or greedy"
        raise ValueError(message)
    settled()
    if any(b.capability.shape[0] > 1 for b in case.backup):
        message = "capability: one row a unit; give the weather's capability in one row and the outages apart"
        raise ValueError(message)
    rule, around = controller or Controller(), environment or OperatingEnvironment(climatology(case))
    behaviours = around.unit_behaviours or (UnitBehaviour(),) * len(case.backup)
    machine = lay_out(case, plant, rule, behaviours, around.fuels)
    start = plant.battery_mwh * float(case.usable[0]) if start_mwh is None else start_mwh
    machine.plant["stored_mwh"] = start
    _add_outages(machine, outages)
    inputs, table = _inputs(case, machine, outages), _rule(case, rule, around)
    outlook = _outlook(case, rule, around, machine, inputs, forecast_factors)
    fuel_causes = np.zeros(max(len(around.fuels), 1), np.int64)
    fleet = Fleet(machine.tech, machine.tier, machine.plant, table)
    state = State(fleet, machine.unit, fuel_causes, machine.rank)
    output = _output(case, record=record)
    residual = simulation.simulate(inputs, outlook, state, _plan(machine, table), output)
    return _operation(case, around, machine, output, residual)


def _inputs(case: Case, machine: Machine, outages: OutageSample | None) -> Inputs:
    """Lay out what weather and failures bring."""
    step, kind, index, change = _events(outages)
    return Inputs(
        solar_yield=np.ascontiguousarray(case.sole_resource.yield_mw_per_mw, dtype=np.float64),
        load_mw=np.ascontiguousarray(case.load_mw, dtype=np.float64),
        usable=np.ascontiguousarray(case.usable, dtype=np.float64),
        capability=_capability(case, machine),
        event_step=step,
        event_kind=kind,
        event_index=index,
        event_change=change,
    )


def _outlook(
    case: Case,
    rule: Controller,
    environment: OperatingEnvironment,
    machine: Machine,
    inputs: Inputs,
    factors: FloatArray | None,
) -> Outlook:
    """Lay out what the operator expects."""
    climate, forecast = environment.climatology, environment.forecast
    window = np.vstack(
        [climate.load_mw, climate.solar_yield, *machine.sorted_capability(list(climate.capability))]
    )
    if forecast.kind == "perfect":
        window = np.vstack([inputs.load_mw, inputs.solar_yield, *inputs.capability])
    # Added up one after the other
    by_day = climate.solar_yield.reshape(-1, round(24 / case.step_h))
    day_yield = np.cumsum(by_day, axis=1)[:, -1].copy()
    if rule.kind == "greedy" or forecast.kind == "perfect":
        lowered_factors = np.ones((1, 1))
    elif factors is None:
        lowered_factors = daily_factors(forecast, climate, inputs.solar_yield, z_score=rule.forecast_z_score)
    else:
        lowered_factors = lowered(factors, forecast, climate, rule.forecast_z_score)
    terminal = terminal_mwh(machine, climate) if rule.kind == "latest_safe_start" else np.zeros((1, 1))
    return Outlook(climate.solar_yield, day_yield, Horizon(window, lowered_factors), terminal)


def _plan(machine: Machine, table: NDArray[Any]) -> Plan:
    """Arrays in which a kernel, which allocates none, plans."""
    levels, day_steps = machine.tech.size + machine.tier.size, int(table["day_steps"][0])
    return Plan(np.zeros((levels, day_steps + 2)), np.zeros(levels), np.zeros(day_steps))


def _output(case: Case, *, record: bool) -> Output:
    """Arrays for the results of a run."""
    techs, width = len(case.backup), case.steps if record else 0
    return Output(
        shed_mw=np.zeros(case.steps),
        lost_compute=np.zeros(case.steps),
        series=np.zeros((5, width)),
        backup_mw=np.zeros((techs, width)),
        energy_mwh=np.zeros((techs, case.years)),
        fuel_mwh=np.zeros((techs, case.years)),
        cycled_mwh=np.zeros(case.years),
    )


def _operation(
    case: Case, environment: OperatingEnvironment, machine: Machine, output: Output, residual: float
) -> SimulatedOperation:
    """Bring what a kernel wrote down into the case's order and units."""
    behaviours = environment.unit_behaviours or (UnitBehaviour(),) * len(case.backup)
    rate = np.array([b.fuel_mmbtu_per_mwh for b in case.backup]).reshape(-1, 1)
    fuel_price = np.array([b.fuel_usd_per_mmbtu for b in behaviours]).reshape(-1, 1)
    shed, lost, series = output.shed_mw, output.lost_compute, output.series
    energy, fuel = output.energy_mwh[machine.rank], output.fuel_mwh[machine.rank]
    by_class = lost_by_class(case, shed) if len(case.classes) > 1 else lost[np.newaxis]
    if environment.restart is not None:
        add_restart_loss(case, shed, environment.restart, by_class)
        lost = by_class.sum(axis=0) if len(by_class) > 1 else by_class[0]
    dispatch, recorded = None, series.shape[1] > 0
    if recorded:
        backup = output.backup_mw[machine.rank]
        dispatch = Dispatch(series[0], series[1], series[2], shed, series[3], backup, lost)
        dispatch = replace(dispatch, lost_by_class=by_class if len(case.classes) > 1 else None)
    return SimulatedOperation(
        shed_mw=shed,
        lost_compute=lost,
        lost_by_class=by_class,
        dispatch=dispatch,
        solar_mw=series[4] if recorded else None,
        backup_mwh=energy,
        fuel_mmbtu=rate * fuel,
        extra_fuel_usd=(fuel_price * rate * (fuel - energy)).sum(axis=0),
        run_h=machine.unit["run_h"].copy(),
        starts=machine.unit["starts"].copy(),
        failed_starts=machine.unit["failed_starts"].copy(),
        cycled_mwh=output.cycled_mwh,
        end_mwh=float(machine.plant["stored_mwh"][0] + machine.plant["stranded_mwh"][0]),
        balance_residual_mw=residual,
    )


# A search runs hundreds of plants on the same years: their capability is put in order once.
_ordered: WeakKeyDictionary[Case, dict[bytes, FloatArray]] = WeakKeyDictionary()


def _capability(case: Case, machine: Machine) -> FloatArray:
    """Capability of a case's technologies in the order of a machine, shape (K, T)."""
    known, order = _ordered.setdefault(case, {}), machine.rank.tobytes()
    if order not in known:
        known[order] = machine.sorted_capability([b.capability[0] for b in case.backup])
    return known[order]


def _events(outages: OutageSample | None) -> tuple[NDArray[Any], ...]:
    if outages is None:
        return np.zeros(0, np.int64), np.zeros(0, np.int8), np.zeros(0, np.int16), np.zeros(0, np.int8)
    return outages.step, outages.kind, outages.index, outages.change


def _add_outages(machine: Machine, outages: OutageSample | None) -> None:
    """Copy block counts, the keys of start failures and which of them happen into the plant's record."""
    if outages is None:
        return
    machine.plant["battery_blocks"] = outages.battery_blocks
    machine.plant["solar_blocks"] = outages.solar_blocks
    machine.plant["solar_scale"] = outages.solar_scale
    machine.plant["single_starts"] = outages.single_starts
    machine.plant["common_starts"] = outages.common_starts
    machine.unit["start_key"] = outages.start_keys[: machine.unit.size]
    machine.tech["start_key"] = machine.sorted_rows(outages.start_keys[machine.unit.size :])


def _rule(case: Case, rule: Controller, environment: OperatingEnvironment) -> NDArray[Any]:
    table, forecast = np.zeros(1, records.RULE), environment.forecast
    load = float(np.mean(environment.climatology.load_mw))
    table["kind"] = _KINDS.index(rule.kind)
    table["start_soc"], table["soc_band"] = rule.start_soc, rule.soc_band
    table["reserve_mwh"] = rule.reserve_h * load
    table["throttle_reserve_mwh"] = rule.throttle_reserve_h * load
    table["issue_steps"] = max(1, round(forecast.issue_h / case.step_h))
    table["perfect"] = forecast.kind == "perfect"
    table["blends_observed"] = forecast.kind in ("skill", "persistence")
    table["lead_days"], table["day_steps"] = forecast.days, round(24 / case.step_h)
    return table
