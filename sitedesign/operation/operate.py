"""Operation of a fixed plant, step by step, by somebody who cannot see the future.

No Pyomo and nothing from ``optimize/`` or ``equations/``: the judge shares no code with the judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.annual_use import limits_nights
from sitedesign.case.case import BackupCase, Case, ImportCase, SinkCase
from sitedesign.case.dispatch import Dispatch, lost_by_class
from sitedesign.case.plant import Plant, available_mw
from sitedesign.operation import records, simulation
from sitedesign.operation.beyond_horizon import terminal_mwh
from sitedesign.operation.environment import OperatingEnvironment
from sitedesign.operation.forecast import climatology, lowered, resource_factors
from sitedesign.operation.outages.sampling import OutageSample
from sitedesign.operation.policies import DAYS_ONE_BY_ONE
from sitedesign.operation.rack_restart import add_restart_loss
from sitedesign.operation.records import Fleet, Horizon, Hub, Inputs, Outlook, Output, Plan, State, Trail
from sitedesign.operation.state import Controller, Machine, UnitBehaviour, has_second_fuel, lay_out
from sitedesign.operation.stored_value import no_worth, worth
from sitedesign.operation.trail import NO_TRAIL
from sitedesign.util.compile_ahead import settled
from sitedesign.util.compiled import njit

FloatArray = NDArray[np.float64]
_KINDS = ("greedy", "latest_safe_start", "marginal_value")


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
        # A whole number would be a kernel of its own, compiled again
        _Battery(case.step_h, float(plant.battery_mw), case.eta_charge, case.eta_discharge),
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
        Power available from all resources, outages of blocks included; with `dispatch`. [MW]
    backup_mwh, fuel_mmbtu : ndarray, shape (K, years)
        Energy and fuel really burnt (part load included). [MWh, MMBtu]
    fuel_by_level_mmbtu : ndarray, shape (levels of all backup, years)
        The same fuel, level by level: that of a second fuel apart. [MMBtu]
    extra_fuel_usd : ndarray, shape (K, years)
        Cost of the fuel above the full-load heat rate, that of starts included, and wear of starts. [USD]
    energy_by_level_mwh : ndarray, shape (priced, years)
        Given by supplies and taken by sinks, level by level in the order of ``Case.flows``. [MWh]
    import_mwh, taken_mwh : ndarray, shape (I, years) and (S, years)
        Of each import, and of each sink. [MWh]
    operating_usd : ndarray, shape (years,)
        Energy by level times its price, fuel of part load and of starts at the price of its level, wear of
        starts, less the value of what sinks took. [USD]
    co2_t : ndarray, shape (years,)
        Of all supplies, part load included. [t]
    run_h, starts, failed_starts : ndarray, shape (units,)
        Per unit, over all years; units counted over the technologies. [h, 1, 1]
    starts_by_year : ndarray, shape (K, years)
        Of each technology, failed ones included. [1]
    on_h, night_h : ndarray, shape (K + 1, years)
        Hours in which any unit of each technology gives power, and last any unit at all; those of them at
        night (22 to 7 h). No rows where they are neither limited nor recorded. [h]
    reserve_short_h, reserve_short_mw, reserve_short_mwh : ndarray, shape (years,)
        Hours in which the reserve that is asked for is not there, the most that is missing, and how much over
        all of them. [h, MW, MWh]
    unit_mw : ndarray, shape (units, T), or None
        What each unit gives; with `dispatch`, where it was asked for. [MW]
    reserve_missing_mw : ndarray, shape (T,), or None
        With `dispatch`. [MW]
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
    fuel_by_level_mmbtu: FloatArray
    extra_fuel_usd: FloatArray
    energy_by_level_mwh: FloatArray
    import_mwh: FloatArray
    taken_mwh: FloatArray
    operating_usd: FloatArray
    co2_t: FloatArray
    run_h: FloatArray
    starts: NDArray[np.int64]
    failed_starts: NDArray[np.int64]
    starts_by_year: FloatArray
    on_h: FloatArray
    night_h: FloatArray
    reserve_short_h: FloatArray
    reserve_short_mw: FloatArray
    reserve_short_mwh: FloatArray
    unit_mw: FloatArray | None
    reserve_missing_mw: FloatArray | None
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
    record_units: bool = False,
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
    forecast_factors : ndarray, shape (R, days, leads), optional
        As they are, not lowered; made by :func:`resource_factors` with seed 0 when left out. [fraction]
    start_mwh : float, optional
        Stored energy at the start; full when left out. [MWh]
    record : bool
        Keep every series, not only shed load.
    record_units : bool
        Keep what each unit gives as well.

    Returns
    -------
    SimulatedOperation

    Raises
    ------
    ValueError
        If the case's capability has one row a unit.
    """
    run = prepared(
        case,
        plant,
        controller or Controller(),
        environment,
        outages,
        forecast_factors,
        start_mwh,
    )
    units = run.machine.unit.size if record and record_units else 0
    output = room_for_results(case, units, record=record)
    residual = run.simulate(output)
    return brought_into_order(case, run, output, residual)


class Run(NamedTuple):
    """Everything that a kernel reads and writes of a run, laid out, but its results."""

    environment: OperatingEnvironment
    machine: Machine
    inputs: Inputs
    outlook: Outlook
    state: State
    plan: Plan
    hub: Hub | None

    def simulate(self, output: Output, trail: Trail = NO_TRAIL) -> float:
        """Run all steps; return the largest energy-balance error of any. [MW]"""
        residual: float = simulation.simulate(
            self.inputs, self.outlook, self.state, self.plan, output, self.hub, trail
        )
        return residual


def prepared(
    case: Case,
    plant: Plant,
    rule: Controller,
    environment: OperatingEnvironment | None,
    outages: OutageSample | None = None,
    forecast_factors: FloatArray | None = None,
    start_mwh: float | None = None,
) -> Run:
    """Lay out a run; parameters as for :func:`operate`."""
    settled()
    if any(b.capability.shape[0] > 1 for b in case.backup):
        message = "capability: one row a unit; give the weather's capability in one row and the outages apart"
        raise ValueError(message)
    around = environment or OperatingEnvironment(climatology(case))
    behaviours = around.unit_behaviours or (UnitBehaviour(),) * len(case.backup)
    machine = lay_out(case, plant, rule, behaviours, around.fuels, _usual_prices(case, around))
    start = plant.battery_mwh * float(case.usable[0]) if start_mwh is None else start_mwh
    machine.plant["stored_mwh"] = start
    machine.plant["ride_failure"] = around.ride_through_failure
    _add_outages(machine, outages)
    inputs, table = _inputs(case, outages), _rule(case, rule, around)
    factors = forecast_factors
    if factors is None and rule.kind != "greedy":
        factors = resource_factors(around.forecast, around.climatology, case)
    outlook = _outlook(case, rule, around, machine, inputs, factors)
    fuel_causes = np.zeros(max(len(around.fuels), 1), np.int64)
    fleet = Fleet(machine.tech, machine.tier, machine.plant, table, machine.resource)
    state = State(fleet, machine.unit, fuel_causes, machine.rank)
    hub = _hub(case, plant, rule, around, machine, factors)
    return Run(around, machine, inputs, outlook, state, _plan(machine, table), hub)


def _inputs(case: Case, outages: OutageSample | None) -> Inputs:
    """Lay out what weather, markets and failures bring."""
    step, kind, index, change = _events(outages)
    series = _series(case)
    return Inputs(
        yields=series.yields,
        load_mw=np.ascontiguousarray(case.load_mw, dtype=np.float64),
        usable=np.ascontiguousarray(case.usable, dtype=np.float64),
        capability=series.capability,
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
    yields, share = climate.yields, machine.of_built(climate.supply_share)
    window = np.vstack([climate.load_mw, *yields, *share])
    if forecast.kind == "perfect":
        window = np.vstack([inputs.load_mw, *inputs.yields, *machine.of_built(inputs.capability)])
    # Added up one after the other
    by_day = yields.reshape(len(yields), -1, round(24 / case.step_h))
    day_yields = np.cumsum(by_day, axis=2)[:, :, -1].copy()
    lowered_factors, terminal = np.ones((len(yields), 1, 1)), np.zeros((1, 1))
    if rule.kind != "greedy":
        terminal = terminal_mwh(machine, climate)
    if factors is not None and rule.kind != "greedy" and forecast.kind != "perfect":
        lowered_factors = lowered(factors, forecast, climate, rule.forecast_z_score)
    announced = [item.announced for item in case.imports if item.announced is not None]
    horizon = Horizon(window, lowered_factors, np.array(announced).reshape(len(announced), case.steps))
    return Outlook(yields, day_yields, inputs.yields, horizon, terminal)


def _hub(
    case: Case,
    plant: Plant,
    rule: Controller,
    environment: OperatingEnvironment,
    machine: Machine,
    factors: FloatArray | None,
) -> Hub | None:
    """Lay out prices, sinks and what stored energy is worth; None where there is nothing of it."""
    by_value = rule.kind == "marginal_value" and factors is not None
    more = len(case.resources) > 1 or case.imports or case.sinks or machine.plant["priced"][0]
    if not (by_value or more):
        return None
    series = _series(case)
    return Hub(
        sink=machine.sink,
        sink_capability=series.sink_capability,
        level=series.level,
        sink_level=series.sink_level,
        usd_per_mwh=np.array([level.usd_per_mwh for item in case.flows for level in item.levels]),
        worth=worth(plant, environment.climatology, environment.forecast, factors)
        if by_value and factors is not None
        else no_worth(),
    )


def _plan(machine: Machine, table: NDArray[Any]) -> Plan:
    """Arrays in which a kernel, which allocates none, plans."""
    levels, day_steps = machine.tech.size + machine.tier.size, int(table["day_steps"][0])
    return Plan(
        required_mwh=np.zeros((levels, day_steps + 2)),
        midnight_mwh=np.zeros(levels),
        change_mwh=np.zeros(day_steps),
        following_mwh=np.zeros(DAYS_ONE_BY_ONE * day_steps),
        free_mw=np.zeros(day_steps),
        able_mw=np.zeros((machine.tech.size, day_steps)),
        units_per_mw=np.zeros((machine.tech.size, day_steps)),
    )


def room_for_results(case: Case, units: int = 0, *, record: bool) -> Output:
    """Arrays for the results of a run."""
    width, supplied = case.steps if record else 0, sum(len(item.levels) for item in case.supplies)
    return Output(
        shed_mw=np.zeros(case.steps),
        lost_compute=np.zeros(case.steps),
        series=np.zeros((6, width)),
        supply_mw=np.zeros((len(case.supplies), width)),
        unit_mw=np.zeros((units, width if units else 0)),
        taken_mw=np.zeros((len(case.sinks), width)),
        energy_mwh=np.zeros((case.priced, case.years)),
        fuel_mwh=np.zeros((supplied, case.years)),
        starts=np.zeros((supplied, case.years)),
        cycled_mwh=np.zeros(case.years),
        on_h=np.zeros((len(case.backup) + 1 if record or limits_nights(case) else 0, 2, case.years)),
        reserve=np.zeros((3, case.years)),
    )


def brought_into_order(case: Case, run: Run, output: Output, residual: float) -> SimulatedOperation:
    """Bring what a kernel wrote down into the case's order and units; `output` is written to."""
    environment, machine = run.environment, run.machine
    shed, series = output.shed_mw, output.series
    lost, by_class = lost_with_restarts(case, environment, shed, output.lost_compute)
    dispatch, recorded = None, series.shape[1] > 0
    if recorded:
        supply, units = output.supply_mw[machine.rank], len(case.backup)
        dispatch = Dispatch(
            series[0],
            series[1],
            series[2],
            shed,
            series[3],
            supply[:units],
            lost,
            lost_by_class=by_class if len(case.classes) > 1 else None,
            import_mw=supply[units:] if case.imports else None,
            taken_mw=output.taken_mw if case.sinks else None,
        )
    account, built = _account(case, environment, output), slice(machine.built)
    return SimulatedOperation(
        shed_mw=shed,
        lost_compute=lost,
        lost_by_class=by_class,
        dispatch=dispatch,
        solar_mw=series[4] if recorded else None,
        **account._asdict(),
        run_h=machine.unit["run_h"][built].copy(),
        starts=machine.unit["starts"][built].copy(),
        failed_starts=machine.unit["failed_starts"][built].copy(),
        on_h=output.on_h.sum(axis=1),
        night_h=output.on_h[:, 1],
        reserve_short_h=output.reserve[0],
        reserve_short_mw=output.reserve[1],
        reserve_short_mwh=output.reserve[2],
        unit_mw=output.unit_mw[built] if output.unit_mw.size else None,
        reserve_missing_mw=series[5] if recorded else None,
        cycled_mwh=output.cycled_mwh,
        end_mwh=float(machine.plant["stored_mwh"][0] + machine.plant["stranded_mwh"][0]),
        balance_residual_mw=residual,
    )


def lost_with_restarts(
    case: Case, environment: OperatingEnvironment, shed_mw: FloatArray, lost: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Find the compute lost in each step, and that of each class, restarts added; `lost` is written to."""
    by_class = lost_by_class(case, shed_mw) if len(case.classes) > 1 else lost[np.newaxis]
    if environment.restart is not None:
        add_restart_loss(case, shed_mw, environment.restart, by_class)
        lost = by_class.sum(axis=0) if len(by_class) > 1 else by_class[0]
    return lost, by_class


class _Account(NamedTuple):
    """Energy, fuel, money and emissions by year, as in :class:`SimulatedOperation`."""

    backup_mwh: FloatArray
    fuel_mmbtu: FloatArray
    fuel_by_level_mmbtu: FloatArray
    extra_fuel_usd: FloatArray
    energy_by_level_mwh: FloatArray
    import_mwh: FloatArray
    taken_mwh: FloatArray
    operating_usd: FloatArray
    co2_t: FloatArray
    starts_by_year: FloatArray


def _account(case: Case, environment: OperatingEnvironment, output: Output) -> _Account:
    """Add up what was given and taken, and what it cost."""
    behaviours = environment.unit_behaviours or (UnitBehaviour(),) * len(case.backup)
    energy, fuel = output.energy_mwh, output.fuel_mwh
    burnt_usd = [
        _fuel_usd_per_mwh(item, number, behaviour)
        for item, behaviour in zip(case.backup, behaviours, strict=True)
        for number in range(len(item.levels))
    ]
    backup = len(burnt_usd)
    extra = fuel[:backup] - energy[:backup]
    extra_usd = np.array(burnt_usd).reshape(-1, 1) * extra
    supplied = [level for item in case.supplies for level in item.levels]
    mmbtu = np.array([level.fuel_mmbtu_per_mwh for level in supplied]).reshape(-1, 1)
    tonnes = np.array([level.co2_t_per_mwh for level in supplied])
    # By fuel where there is any, else by energy
    amount = np.where(mmbtu > 0.0, mmbtu * fuel, fuel)
    per_amount = np.divide(tonnes, mmbtu[:, 0], out=tonnes.copy(), where=mmbtu[:, 0] > 0.0)
    price = [level.usd_per_mwh for level in supplied]
    price += [-level.usd_per_mwh for item in case.sinks for level in item.levels]
    usd = np.array(price[:backup]) @ energy[:backup] + extra_usd.sum(axis=0)
    for row_usd, row in zip(price[backup:], energy[backup:], strict=True):
        usd += row_usd * row  # one after the other: what has no size changes no bit
    starts = _by_flow(case, output.starts)[: len(case.backup)]
    wear_usd = np.array([behaviour.start_usd for behaviour in behaviours]).reshape(-1, 1) * starts
    if wear_usd.any():
        usd += wear_usd.sum(axis=0)
    by_flow = _by_flow(case, energy)
    kinds = np.cumsum([len(case.backup), len(case.imports)])
    return _Account(
        backup_mwh=by_flow[: kinds[0]],
        fuel_mmbtu=_by_flow(case, mmbtu * fuel)[: kinds[0]],
        fuel_by_level_mmbtu=(mmbtu * fuel)[:backup],
        extra_fuel_usd=_by_flow(case, extra_usd)[: kinds[0]] + wear_usd,
        energy_by_level_mwh=energy,
        import_mwh=by_flow[kinds[0] : kinds[1]],
        taken_mwh=by_flow[kinds[1] :],
        operating_usd=usd,
        co2_t=per_amount @ amount,
        starts_by_year=starts,
    )


def _fuel_usd_per_mwh(item: BackupCase, number: int, behaviour: UnitBehaviour) -> float:
    """Cost of the fuel of one full-load MWh at a level of price, without the unit's other costs."""
    if number > 0 and has_second_fuel(item):
        return behaviour.second_fuel_usd_per_mmbtu * item.levels[number].fuel_mmbtu_per_mwh
    usd = behaviour.fuel_usd_per_mmbtu * item.fuel_mmbtu_per_mwh
    if number > 0 and usd > 0.0:  # what else a MWh costs does not change with the price of its fuel
        usd += item.levels[number].usd_per_mwh - item.marginal_cost_usd_per_mwh
    return usd


def _by_flow(case: Case, by_level: FloatArray) -> FloatArray:
    """Sum rows by level of price, of all flows or of the first of them, to rows by flow."""
    ends = np.cumsum([len(item.levels) for item in case.flows], dtype=np.int64).tolist()
    rows = [
        by_level[end - len(item.levels) : end].sum(axis=0)
        for item, end in zip(case.flows, ends, strict=True)
        if end <= len(by_level)
    ]
    return np.array(rows).reshape(len(rows), by_level.shape[1])


def _usual_prices(case: Case, environment: OperatingEnvironment) -> FloatArray:
    """Mean price of every supply in past years; the first of its prices where nobody averaged them."""
    usual = environment.climatology.supply_usd_per_mwh
    if usual.size == len(case.supplies):
        return usual
    return np.array([item.levels[0].usd_per_mwh for item in case.supplies])


class _Series(NamedTuple):
    """Series of a case as in `Inputs` and `Hub`."""

    yields: FloatArray
    capability: FloatArray
    sink_capability: FloatArray
    level: NDArray[np.int32]
    sink_level: NDArray[np.int32]


# A search runs hundreds of plants on the same years: their series are put together once.
_put_together: WeakKeyDictionary[Case, _Series] = WeakKeyDictionary()


def _series(case: Case) -> _Series:
    """Put the series of a case together."""
    if case not in _put_together:
        _put_together[case] = _Series(
            np.array([item.yield_mw_per_mw for item in case.resources], dtype=np.float64),
            np.array([item.capability[0] for item in case.supplies]).reshape(len(case.supplies), case.steps),
            np.array([item.capability[0] for item in case.sinks]).reshape(len(case.sinks), case.steps),
            _levels(case, case.supplies),
            _levels(case, case.sinks),
        )
    return _put_together[case]


def _levels(case: Case, items: Sequence[BackupCase | ImportCase | SinkCase]) -> NDArray[np.int32]:
    """Level of price that holds in each step, a row each; no columns where none ever changes."""
    if all(item.active_level is None for item in items):
        return np.zeros((len(items), 0), np.int32)
    return _merit_order(items, case.steps)[1].astype(np.int32)


def _events(outages: OutageSample | None) -> tuple[NDArray[Any], ...]:
    if outages is None:
        return np.zeros(0, np.int64), np.zeros(0, np.int8), np.zeros(0, np.int16), np.zeros(0, np.int8)
    return outages.step, outages.kind, outages.index, outages.change


def _add_outages(machine: Machine, outages: OutageSample | None) -> None:
    """Copy block counts, the keys of start failures and which of them happen into the plant's record."""
    if outages is None:
        return
    machine.plant["battery_blocks"] = outages.battery_blocks
    machine.plant["single_starts"] = outages.single_starts
    machine.plant["common_starts"] = outages.common_starts
    resource, farms = machine.resource, len(outages.wind_blocks)
    resource["blocks"][:farms], resource["scale"][:farms] = outages.wind_blocks, outages.wind_scale
    resource["blocks"][0], resource["scale"][0] = outages.solar_blocks, outages.solar_scale
    keys, units = outages.start_keys, machine.built
    machine.unit["start_key"][:units] = keys[:units]
    row = machine.rank[: keys.size - units]
    built = row < machine.tech.size
    machine.tech["start_key"][row[built]] = keys[units:][built]


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
