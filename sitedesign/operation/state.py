"""How a plant's machines behave and which rule runs them, laid out for the compiled simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.case import BackupCase, Case
from sitedesign.case.plant import Plant
from sitedesign.operation import records
from sitedesign.util.gate import Gate, Measure, OneOf, arguments, check_fields

if TYPE_CHECKING:  # a process that only compiles loads no library
    from sitedesign.library import Backup, Facility, Fuel
    from sitedesign.study.unit_rules import UnitRules

FloatArray = NDArray[np.float64]
ControllerKind = Literal["greedy", "latest_safe_start", "marginal_value"]


@dataclass(frozen=True)
class UnitBehaviour:
    """How the units of one technology run; the default follows any load at once and never fails to start.

    Attributes
    ----------
    start_h : float
        From the call to full load, ride-through taken off. [h]
    min_load : float
        Lowest load of a running unit, of its rated power. [fraction]
    intercept : float
        Fuel at no load over full-load fuel (Willans line). [fraction]
    start_failure, start_beta : float
        Probability that a start fails, and that the cause of a failed start takes other units with it that
        stand still. [fraction]
    mttr_h : float
        Mean time to repair; half of it after a retry that failed. [h]
    fuel : str
        Fuel, to match ``OutageModel.fuels``.
    storage_h : float
        Full-load hours of all units from storage on site while the supply is interrupted; at part load fuel
        lasts as the Willans line says. [h]
    refill_h_per_h : float
        Full-load hours of fuel brought into the store per hour once the supply is back, beyond what is burnt.
        [h/h]
    fuel_usd_per_mmbtu : float
        Price with carbon, for the fuel burnt above the full-load heat rate. [USD/MMBtu]
    retry_h, retry_success : float
        From a failed start to its one retry, and the share of retries that start. [h, fraction]
    start_lethal, start_coupling : float
        Share of the common causes of failed starts that take every unit that stands still, and the chance of
        each of them to be taken by the others. [fraction]
    start_common_h : float
        Mean time to repair such a cause after a retry that failed. [h]
    second_fuel_derate : float
        Power change on the second fuel, which is burnt from the storage on site while the supply of `fuel` is
        interrupted; 0 for units that store `fuel` itself. [fraction]
    switch_h : float
        Without power while changing over to the second fuel. [h]
    second_fuel_usd_per_mmbtu : float
        Price of the second fuel with carbon, for what is burnt above the full-load heat rate. [USD/MMBtu]
    min_down_h : float
        From a stop to the next start at least. [h]
    ramp_per_min : float
        Most change of output while a unit runs, of its rated power; 0 for any. Starts and stops apart.
        [fraction/min]
    start_fuel_h, start_usd : float
        Fuel of one start, in hours at full load, and its wear. [h, USD]
    service_every_h, service_h : float
        Hours that a unit runs from service to service, 0 for none, and how long one takes. [h]
    delivered_mmbtu_per_h : float or None
        What lorries bring into the store at most, for all units together: then a first fuel is burnt from the
        store at all times, and a second one is brought while it is burnt as well. None: `refill_h_per_h`
        while the supply is there. [MMBtu/h]
    boil_off_per_day : float
        Share of a full store that is lost in a day. [1/d]
    """

    start_h: float = 0.0
    min_load: float = 0.0
    intercept: float = 0.0
    start_failure: float = 0.0
    start_beta: float = 0.0
    mttr_h: float = 24.0
    fuel: str = ""
    storage_h: float = 0.0
    fuel_usd_per_mmbtu: float = 0.0
    retry_h: float = 0.25
    retry_success: float = 0.5
    refill_h_per_h: float = 0.25
    start_lethal: float = 1.0
    start_coupling: float = 1.0
    start_common_h: float = 12.0
    second_fuel_derate: float = 0.0
    switch_h: float = 0.0
    second_fuel_usd_per_mmbtu: float = 0.0
    min_down_h: float = 0.0
    ramp_per_min: float = 0.0
    start_fuel_h: float = 0.0
    start_usd: float = 0.0
    service_every_h: float = 0.0
    service_h: float = 0.0
    delivered_mmbtu_per_h: float | None = None
    boil_off_per_day: float = 0.0

    @staticmethod
    def from_library(
        backup: Backup,
        fuel: Fuel,
        facility: Facility,
        co2_usd_per_t: float = 0.0,
        second: Fuel | None = None,
        *,
        rules: UnitRules | None = None,
        ride_through: bool = True,
        delivered_mmbtu_per_h: float | None = None,
    ) -> UnitBehaviour:
        """Take every figure from library entries; units without a start time are always hot.

        `second` is the fuel, with its tank, that is burnt while the supply of `fuel` is interrupted; `rules`
        are what a study asks of the units beyond; without a `ride_through` all of the start time is waited.
        """
        stored = fuel if second is None else second
        carried = facility.ride_through_min if ride_through else 0.0
        start_h = max(0.0, (backup.start_minutes or 0.0) - carried) / 60.0
        own_load = None if rules is None else rules.min_load
        return UnitBehaviour(
            start_h=start_h,
            min_load=backup.min_load_fraction if own_load is None else own_load,
            intercept=backup.fuel_intercept_fraction,
            start_failure=backup.start_failure_probability,
            start_beta=backup.common_cause_beta_start,
            start_lethal=backup.common_cause_lethal_fraction,
            start_coupling=backup.common_cause_coupling_fraction,
            start_common_h=backup.common_cause_mttr_h,
            retry_h=backup.start_retry_minutes / 60.0,
            retry_success=backup.start_retry_success,
            mttr_h=backup.mttr_h,
            fuel=backup.fuel,
            storage_h=stored.storage_h,
            refill_h_per_h=stored.refill_h_per_h,
            fuel_usd_per_mmbtu=_with_carbon(fuel, co2_usd_per_t),
            second_fuel_derate=0.0 if second is None else backup.second_fuel_derate_fraction or 0.0,
            switch_h=0.0 if second is None else (backup.second_fuel_switch_minutes or 0.0) / 60.0,
            second_fuel_usd_per_mmbtu=0.0 if second is None else _with_carbon(second, co2_usd_per_t),
            delivered_mmbtu_per_h=delivered_mmbtu_per_h,
            boil_off_per_day=stored.boil_off_per_day,
            **({} if rules is None else _ruled(backup, rules)),
        )


def _ruled(backup: Backup, rules: UnitRules) -> dict[str, float]:
    """Find starts, down time, ramp and services: a study's, the library's where it says nothing."""

    def own(given: float | None, usual: float) -> float:
        return usual if given is None else given

    return {
        "min_down_h": own(rules.min_down_h, backup.min_down_h),
        "ramp_per_min": own(rules.ramp_per_min, backup.ramp_fraction_per_min),
        "start_fuel_h": own(rules.start_fuel_h, backup.start_fuel_full_load_h),
        "start_usd": own(rules.start_usd_per_mw, backup.start_wear_usd_per_mw) * backup.unit_mw,
        "service_every_h": rules.service_every_run_h or 0.0,
        "service_h": rules.service_h or 0.0,
    }


def _with_carbon(fuel: Fuel, co2_usd_per_t: float) -> float:
    """Price of a fuel and its carbon. [USD/MMBtu]"""
    return fuel.price_usd_per_mmbtu + fuel.co2_kg_per_mmbtu / 1000 * co2_usd_per_t


_HOURS = Measure("h", 0, 8760)
_SHARE = Measure("fraction", 0, 1)
_RULE: dict[str, Gate] = {
    "kind": OneOf(("greedy", "latest_safe_start", "marginal_value")),
    "start_soc": _SHARE,
    "soc_band": _SHARE,
    "reserve_h": _HOURS,
    "forecast_z_score": Measure("standard deviations", 0, 100),
    "capacity_credit": _SHARE,
    "throttle_reserve_h": _HOURS,
    "min_run_h": _HOURS,
}


@arguments("Controller()")
@dataclass(frozen=True)
class Controller:
    """Rule by which an operator decides; everything here can be tuned per design.

    Attributes
    ----------
    kind : str
        ``greedy`` (units at full power below a state of charge), ``latest_safe_start`` (units and throttling
        as late as the forecast allows, with a reserve), ``marginal_value`` (buys, sells, charges and
        discharges by what stored energy was worth in past years; what `latest_safe_start` asks for is kept
        at any price).
    start_soc, soc_band : float
        `greedy`: state of charge below which units start, and by how much more they stop. [fraction]
    reserve_h : float
        `latest_safe_start`: energy kept above the forecast need, in hours of mean load. [h]
    forecast_z_score : float
        Standard deviations of its own error by which the solar forecast is lowered. It buys uptime with far
        less fuel than `reserve_h` does: it asks for energy only where the next days are in doubt.
    capacity_credit : float
        Share of the power of the units now free that plans count on; less than 1 keeps
        energy for the hours in which one of them trips. [fraction]
    throttle_reserve_h : float
        `latest_safe_start`: the same reserve for throttling early. [h]
    min_run_h : float
        A unit stays on so long from the last step in which it was needed, and longer where what is stored
        would not last so long without it. A start of a gas turbine costs as much as two hours at its lowest
        load (Lew et al. 2013, NREL/TP-5500-55588, table 7: 67 USD/MW in 2011). [h]

    Raises
    ------
    InputError
        With every field that is out of range.

    Examples
    --------
    >>> cautious = sd.Controller(reserve_h=2.0, forecast_z_score=3.0)
    >>> sd.evaluate(study, **plant, operation="causal", controller=cautious).uptime.value > 0.9
    True
    """

    kind: ControllerKind = "latest_safe_start"
    start_soc: float = 0.5
    soc_band: float = 0.05
    reserve_h: float = 0.5
    forecast_z_score: float = 2.0
    capacity_credit: float = 0.7
    throttle_reserve_h: float = 0.0
    min_run_h: float = 2.0

    def __post_init__(self) -> None:
        check_fields("Controller()", self, **_RULE)


@dataclass(frozen=True, eq=False)
class Machine:
    """Record arrays of one plant (see :mod:`sitedesign.operation.records`), supplies by their usual price.

    Attributes
    ----------
    tech, unit, tier, plant, resource, sink : ndarray of records
        Supplies that are built. Units are numbered over the supplies of the case, in the case's order.
    rank : ndarray of int, shape (K + I,)
        Row of each of the case's supplies in `tech`, or beyond its end where none of it is built.
    """

    tech: NDArray[Any]
    unit: NDArray[Any]
    tier: NDArray[Any]
    plant: NDArray[Any]
    resource: NDArray[Any]
    sink: NDArray[Any]
    rank: NDArray[np.int64]

    @property
    def built(self) -> int:
        """Number of units of backup; imports come after them."""
        return int(self.tech["units"][self.tech["divisible"] == 0].sum())

    def free_mw(self, yields: FloatArray) -> FloatArray:
        """Power that the resources give at such yields, shape (R, T) or (R, steps per year). [MW]"""
        sizes = self.resource["size_mw"]
        total: FloatArray = sizes[0] * yields[0]
        for size, row in zip(sizes[1:], yields[1:], strict=True):
            total += size * row
        return total

    def of_built(self, rows: Sequence[FloatArray] | FloatArray) -> list[FloatArray]:
        """Of series of all supplies in the case's order, those of the supplies in `tech`."""
        return [rows[row] for row in self.tech["row"].tolist()]


def has_second_fuel(backup: BackupCase) -> bool:
    """Whether the second level of price is that of another fuel, burnt while the first is interrupted.

    Where a series says which level holds, the levels are prices of one fuel.
    """
    always_first = backup.active_level is None or not np.any(backup.active_level)
    return len(backup.levels) > 1 and always_first


def lay_out(
    case: Case,
    plant: Plant,
    controller: Controller,
    behaviours: Sequence[UnitBehaviour],
    fuels: Sequence[str],
    usual_usd_per_mwh: FloatArray,
) -> Machine:
    """Lay out a plant for the simulation.

    Parameters
    ----------
    case : Case
    plant : Plant
    controller : Controller
        Gives the least running time.
    behaviours : sequence of UnitBehaviour
        In the order of ``case.backup``.
    fuels : sequence of str
        Fuels whose supply can be interrupted, as numbered by the outages.
    usual_usd_per_mwh : ndarray, shape (K + I,)
        Mean price of each supply. [USD/MWh]
    """
    built = np.array([*plant.units, *plant.imports]) > 0.0
    # What is not built comes last, and is left out
    order = np.lexsort((usual_usd_per_mwh, ~built))
    rank = np.argsort(order).astype(np.int64)
    tech, first = np.zeros(len(case.supplies), records.TECH), 0
    down_steps: list[float] = []
    for backup, behaviour, count, row in zip(
        case.backup, behaviours, plant.units, rank[: len(case.backup)], strict=True
    ):
        tech[row]["first_unit"] = first
        _lay_out_units(tech[row], backup, behaviour, count, case.step_h, controller, list(fuels))
        down_steps += [behaviour.min_down_h / case.step_h] * count
        first += count
    announced = 0
    for item, size, row in zip(case.imports, plant.imports, rank[len(case.backup) :], strict=True):
        one = tech[row]
        one["unit_mw"] = one["rated_firm_mw"] = one["firm_mw"] = size * item.unit_mw
        one["units"], one["first_unit"], one["divisible"], one["intact"] = size > 0.0, first, 1, 1
        one["second_fuel_share"], one["fuel"], one["announced"] = 1.0, -1, -1
        if item.announced is not None:
            one["announced"], announced = announced, announced + 1
            one["notice_steps"] = int(item.notice_h / case.step_h + 1e-9)
        first += int(size > 0.0)
    sink = np.zeros(len(case.sinks), records.SINK)
    sink["size_mw"] = [size * item.unit_mw for item, size in zip(case.sinks, plant.sinks, strict=True)]
    _lay_out_prices(case, tech, sink, rank)
    tech["row"] = order
    tech = tech[: built.sum()]
    tier = np.zeros(len(case.tiers), records.TIER)
    tier["share"], tier["loss_per_mwh"] = [t.width for t in case.tiers], [t.weight for t in case.tiers]
    resource = np.zeros(len(case.resources), records.RESOURCE)
    resource["size_mw"], resource["blocks"], resource["scale"] = plant.resources_mw, 1.0, 1.0
    unit = np.zeros(first, records.UNIT)
    unit["min_down_steps"][: len(down_steps)] = down_steps
    record = _plant(case, plant, controller)
    record["serviced"] = bool((tech["service_every_h"] > 0.0).any())
    return Machine(tech, unit, tier, record, resource, sink, rank)


def _lay_out_units(
    one: Any,  # noqa: ANN401 - a row of records
    backup: BackupCase,
    behaviour: UnitBehaviour,
    count: int,
    h: float,
    controller: Controller,
    fuels: list[str],
) -> None:
    """Lay out the units of one technology."""
    one["unit_mw"], one["units"] = backup.unit_mw, count
    one["rated_firm_mw"] = one["firm_mw"] = backup.unit_mw * controller.capacity_credit
    one["intercept"] = behaviour.intercept
    one["start_steps"], one["start_failure"] = behaviour.start_h / h, behaviour.start_failure
    one["start_beta"] = behaviour.start_beta
    one["retry_steps"], one["retry_success"] = behaviour.retry_h / h, behaviour.retry_success
    one["start_repair_steps"] = 0.5 * behaviour.mttr_h / h
    one["start_lethal"], one["start_coupling"] = behaviour.start_lethal, behaviour.start_coupling
    one["start_common_steps"] = behaviour.start_common_h / h
    one["min_load_mw"] = behaviour.min_load * backup.unit_mw
    one["fuel"] = fuels.index(behaviour.fuel) if behaviour.fuel in fuels else -1
    one["fuel_inventory_max"] = one["fuel_inventory"] = behaviour.storage_h / h
    one["refill_rate"] = behaviour.refill_h_per_h
    one["min_load_fuel"] = (behaviour.intercept + (1.0 - behaviour.intercept) * behaviour.min_load) / max(
        count, 1
    )
    one["min_run_steps"] = round(controller.min_run_h / h)
    one["ramp_mw"] = behaviour.ramp_per_min * 60.0 * h * backup.unit_mw
    one["start_fuel_mwh"] = behaviour.start_fuel_h * backup.unit_mw
    one["service_every_h"], one["service_steps"] = behaviour.service_every_h, behaviour.service_h / h
    one["announced"], one["second_fuel_share"] = -1, 1.0
    _lay_out_deliveries(one, backup, behaviour, count, h)
    if has_second_fuel(backup):
        one["second_fuel"], one["switch_steps"] = 1, behaviour.switch_h / h
        one["second_fuel_share"] = 1.0 + behaviour.second_fuel_derate


def _lay_out_deliveries(
    one: Any,  # noqa: ANN401 - a row of records
    backup: BackupCase,
    behaviour: UnitBehaviour,
    count: int,
    h: float,
) -> None:
    """Lay out what comes into the tank of a technology, and what boils off, in steps of all units."""
    one["boil_off"] = behaviour.boil_off_per_day / 24.0 * behaviour.storage_h
    if behaviour.delivered_mmbtu_per_h is not None and count:
        second = has_second_fuel(backup)
        full = backup.levels[int(second)].fuel_mmbtu_per_mwh * backup.unit_mw * count
        one["delivery"] = one["refill_rate"] = behaviour.delivered_mmbtu_per_h / full
        one["tracked"] = one["on_tank"] = int(not second)
        one["tank_gain"] = (0.0 if second else one["delivery"]) - one["boil_off"]
    one["refill_rate"] -= one["boil_off"]


def _lay_out_prices(case: Case, tech: NDArray[Any], sink: NDArray[Any], rank: NDArray[np.int64]) -> None:
    """Say where the levels of price of each supply and sink begin, and which is cheapest."""
    first = np.cumsum([0, *(len(item.levels) for item in case.flows)])
    tech["first_level"][rank] = first[: len(rank)]
    tech["usd_per_mwh"][rank] = [item.levels[0].usd_per_mwh for item in case.supplies]
    tech["place"] = np.arange(tech.size)
    # Which level holds is found in the first step
    tech["level"] = -1 if any(len(item.levels) > 1 for item in case.supplies) else 0
    sink["first_level"] = first[len(rank) : -1]
    sink["usd_per_mwh"] = [item.levels[0].usd_per_mwh for item in case.sinks]
    sink["place"] = np.argsort(-sink["usd_per_mwh"], kind="stable")


def _plant(case: Case, plant: Plant, controller: Controller) -> NDArray[Any]:
    """Lay out the battery, and what there is one of."""
    h, record = case.step_h, np.zeros(1, records.PLANT)
    record["step_h"] = h
    record["battery_mwh"], record["battery_mw"] = plant.battery_mwh, plant.battery_mw
    record["mwh_per_mw_charge"], record["mwh_per_mw_discharge"] = h * case.eta_charge, h / case.eta_discharge
    record["min_run_steps"] = round(controller.min_run_h / h)
    record["priced"] = any(len(item.levels) > 1 for item in case.flows)
    record["imports"] = sum(size > 0.0 for size in plant.imports)
    record["battery_blocks"], record["busy"] = 1.0, 1
    if case.reserve is not None:
        rule = case.reserve
        record["reserve"], record["n_minus"], record["load_step_mw"] = 1, rule.n_minus, rule.load_step_mw
        record["spinning_share"], record["resource_share"] = rule.spinning_share, rule.resource_share
        record["held_mwh_per_mw"] = max(rule.hold_h, 1e-9) / case.eta_discharge
    return record
