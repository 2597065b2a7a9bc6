"""From the plan of a roadmap to what is reported: stages, orders, costs; each stage replayed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sitedesign.case.case import NOTHING, Case
from sitedesign.case.dispatch import Dispatch, appetite_mwh, by_flow
from sitedesign.case.plant import Plant, available_mw
from sitedesign.case.plant_limits import SMALLEST_SIZE
from sitedesign.case.rack_shortfall import with_racks
from sitedesign.errors import ReplayMismatch
from sitedesign.optimize.blocks import BlockPlan
from sitedesign.optimize.foresight_dispatch import mixed_dispatch
from sitedesign.phasing.certified import CertifiedStage
from sitedesign.phasing.problem import Path, costs_from, rent_usd_per_stage
from sitedesign.phasing.question import BATTERY_MW, BATTERY_MWH
from sitedesign.phasing.search import RoadmapPlan, StagePlan
from sitedesign.reliability.replay import Replay, check_dispatch
from sitedesign.results.roadmap import MONTHS_PER_YEAR, Order, Stage, discount_factor

_TOLERANCE = 1e-6
BATTERY = "battery"


def stages_of(plan: RoadmapPlan, p: int = 0) -> tuple[Stage, ...]:
    """Stages of one path, each dispatch replayed by code that shares nothing with the optimiser.

    Raises
    ------
    ReplayMismatch
        When a stage does not do what the optimiser claims.
    """
    path, stages = plan.paths[p], plan.stages[p]
    delivered = deliveries_of(path.question.case, stages)
    return tuple(_stage(plan, path, stages[: i + 1], delivered[: i + 1]) for i in range(len(stages)))


def net_present_cost_usd(path: Path, stages: Sequence[Stage]) -> float:
    """All that is paid until the horizon, discounted to the start. [USD]"""
    rate = path.question.discount_per_yr
    return sum(
        weight * stage.total_usd_per_yr
        + discount_factor(stage.begins_month, rate) * sum(stage.once_usd.values())
        for weight, stage in zip(path.weights, stages, strict=True)
    )


def value_usd(path: Path, stages: Sequence[Stage]) -> float:
    """Value of the racks that run, discounted to the start. [USD]"""
    return sum(weight * stage.value_usd_per_yr for weight, stage in zip(path.weights, stages, strict=True))


def orders_of(
    path: Path, stages: Sequence[StagePlan], credits: Mapping[tuple[str, float], float]
) -> tuple[Order, ...]:
    """Orders of one path, by date of order.

    Parameters
    ----------
    path : Path
    stages : sequence of StagePlan
    credits : mapping of (str, float) to float
        Tax credit of a technology delivered by a month; 0 where nothing is said. [fraction]
    """
    question, case = path.question, path.question.case
    units = {item.name: item for item in case.flows if item.whole}
    imports = {item.name for item in case.imports}
    orders = []
    for stage, added in zip(stages, deliveries_of(case, stages), strict=True):
        month = stage.time.begins
        for name, amount in added.items():
            unit = "units" if name in units else "MWh" if name == BATTERY_MWH else "MW"
            kind = "grid" if name in imports else "owned"
            lead = question.delivery(name).lead_months
            orders.append(
                Order(
                    _technology(name),
                    "grid" if kind == "grid" else "owned",
                    amount,
                    unit,
                    max(0.0, month - lead),
                    month,
                    credit=credits.get((name, month), 0.0),
                )
            )
    orders += _rented(path, stages)
    return tuple(sorted(orders, key=lambda o: (o.order_month, o.delivery_month, o.technology, o.unit)))


def _rented(path: Path, stages: Sequence[StagePlan]) -> list[Order]:
    orders = []
    for item in contracts_of(path, stages):
        rental = path.question.rentals[item.rental]
        ordered = max(0.0, item.begins - rental.from_month)
        units = float(item.units)
        orders.append(Order(rental.technology, "rented", units, "units", ordered, item.begins, item.ends))
    return orders


@dataclass(frozen=True)
class Contract:
    """Units of one rental that come and leave together.

    Attributes
    ----------
    rental, units : int
        Number of the rental, and how many of its units.
    begins, ends : float
        [months]
    """

    rental: int
    units: int
    begins: float
    ends: float


def contracts_of(path: Path, stages: Sequence[StagePlan]) -> list[Contract]:
    """List the rented units of a path in the order in which they leave: the first to come leave first."""
    found = []
    for r in range(len(path.question.rentals)):
        waiting: list[list[float]] = []  # month, units still there
        for stage in stages:
            month, leaving = stage.time.begins, stage.ended[r]
            while leaving > 0 and waiting:
                count = min(leaving, int(waiting[0][1]))
                found.append(Contract(r, count, waiting[0][0], month))
                waiting[0][1] -= count
                leaving -= count
                if waiting[0][1] == 0:
                    waiting.pop(0)
            if stage.started[r]:
                waiting.append([month, stage.started[r]])
        end = path.question.horizon_months
        found += [Contract(r, int(count), month, end) for month, count in waiting]
    return found


def _technology(name: str) -> str:
    return BATTERY if name in (BATTERY_MWH, BATTERY_MW) else name


def deliveries_of(case: Case, stages: Sequence[StagePlan]) -> list[dict[str, float]]:
    """List what is added to what is owned in each stage; crumbs are nothing."""
    whole = {item.name for item in case.flows if item.whole}
    known: dict[str, float] = {}
    found = []
    for stage in stages:
        added = {}
        for name, size in stage.owned.items():
            more = size - known.get(name, 0.0)
            alone = min(stage.owned[BATTERY_MWH], stage.owned[BATTERY_MW]) < SMALLEST_SIZE
            if alone and name in (BATTERY_MWH, BATTERY_MW):
                continue  # either is of no use without the other
            if more > (0.5 if name in whole else SMALLEST_SIZE):
                added[name] = more
                known[name] = size
        found.append(added)
    return found


def _stage(
    plan: RoadmapPlan, path: Path, until: Sequence[StagePlan], delivered: Sequence[Mapping[str, float]]
) -> Stage:
    now = until[-1]
    replay, energy = _replayed(plan, now, _running(path, now))
    return _reported(path, until, delivered, energy, 1.0 if replay is None else replay.rack_uptime)


def certified_stages_of(path: Path, certified: Sequence[CertifiedStage]) -> tuple[Stage, ...]:
    """Stages as they are certified: what running them costs is what the operator without foresight pays."""
    plans = [stage.plan for stage in certified]
    delivered = deliveries_of(path.question.case, plans)
    stages = []
    for i, item in enumerate(certified):
        stage = _reported(path, plans[: i + 1], delivered[: i + 1], item.energy_mwh_per_yr, item.uptime)
        cost = {**stage.cost_usd_per_yr, **item.cost_usd_per_yr}
        stages.append(replace(stage, cost_usd_per_yr=cost, certificate=item.certificate))
    return tuple(stages)


def _running(path: Path, now: StagePlan) -> Case:
    """Case with the racks that run in a stage."""
    case, racks = path.question.case, now.block.racks_running
    return with_racks(case, racks) if racks else case


def _reported(
    path: Path,
    until: Sequence[StagePlan],
    delivered: Sequence[Mapping[str, float]],
    energy: Mapping[str, float],
    uptime: float,
) -> Stage:
    now, question = until[-1], path.question
    case, plant = question.case, now.block.plant
    running, stage_case = now.block.racks_running, _running(path, now)
    per_yr = MONTHS_PER_YEAR * (question.value_usd_per_rack_month or 0.0)
    mw = {item.name: item.unit_mw for item in case.flows}
    rented: dict[str, float] = {}
    for item, count in zip(question.rentals, now.rented, strict=True):
        if count:
            rented[item.technology] = rented.get(item.technology, 0.0) + count * mw[item.technology]
    owned = {r.name: now.owned[r.name] for r in case.resources}
    owned |= {BATTERY: plant.battery_mw} | {b.name: now.owned[b.name] * b.unit_mw for b in case.backup}
    return Stage(
        begins_month=now.time.begins,
        months=now.time.months,
        racks_asked=now.time.racks,
        racks_running=running,
        racks_installed=plant.racks if running else 0,
        owned_mw={name: size for name, size in owned.items() if size > NOTHING},
        rented_mw=rented,
        connected_mw=sum(n * i.unit_mw for i, n in zip(case.imports, plant.imports, strict=True)),
        battery_mwh=plant.battery_mwh,
        plant=plant,
        cost_usd_per_yr=_cost(path, until, delivered, stage_case),
        once_usd=_once(path, until),
        value_usd_per_yr=per_yr * running,
        uptime_target=sum(c.share * c.uptime_target for c in case.classes),
        uptime=uptime,
        energy_mwh_per_yr=energy,
    )


def _replayed(plan: RoadmapPlan, now: StagePlan, case: Case) -> tuple[Replay | None, dict[str, float]]:
    """Replay a stage, and say what each source gives. [MWh/yr]"""
    block = now.block
    if block.operation is None:
        return None, {}
    oracle = plan.pool.search.oracle
    point = oracle.point(plant_times(block.plant, 1.0 / block.times))
    dispatch = _scaled(mixed_dispatch(oracle, point, block.operation), block.times)
    replay = check_dispatch(case, block.plant, dispatch, must_end_full=True)
    faults = [
        f"month {now.time.begins:g}: the target of class {item.name} is {item.uptime_target:.8f}, "
        f"the replay gives {uptime:.8f}"
        for item, uptime in zip(case.classes, replay.class_uptime, strict=True)
        if uptime < item.uptime_target - _TOLERANCE
    ]
    if faults:
        raise ReplayMismatch(faults)
    given = (*replay.backup_mwh_per_yr, *replay.import_mwh_per_yr)
    energy = {item.name: mwh for item, mwh in zip(case.supplies, given, strict=True)}
    return replay, _resources_mwh(case, block.plant, dispatch) | energy


def _resources_mwh(case: Case, plant: Plant, dispatch: Dispatch) -> dict[str, float]:
    """Sum what each resource gives; what is curtailed falls on all in proportion. [MWh/yr]"""
    could = available_mw(case, plant)
    used = np.divide(could - dispatch.curtailed_mw, could, out=np.zeros_like(could), where=could > 0.0)
    used = np.clip(used, 0.0, 1.0)
    hours = case.step_h / case.years
    return {
        r.name: float(mw * (r.yield_mw_per_mw @ used)) * hours
        for r, mw in zip(case.resources, plant.resources_mw, strict=True)
    }


def plant_times(plant: Plant, factor: float) -> Plant:
    """Plant of another size; its units may be fractions."""
    return replace(
        plant,
        resources_mw=tuple(mw * factor for mw in plant.resources_mw),
        battery_mwh=plant.battery_mwh * factor,
        battery_mw=plant.battery_mw * factor,
        units=tuple(n * factor for n in plant.units),  # type: ignore[misc]
        imports=tuple(n * factor for n in plant.imports),
        sinks=tuple(n * factor for n in plant.sinks),
    )


def _scaled(dispatch: Dispatch, factor: float) -> Dispatch:
    """Dispatch of a plant and a load of another size; shares of the load stay."""
    shares = ("lost_compute", "lost_by_class")
    values = {name: getattr(dispatch, name) for name in dispatch.__dataclass_fields__ if name not in shares}
    return replace(dispatch, **{name: v * factor for name, v in values.items() if v is not None})


def _cost(
    path: Path, until: Sequence[StagePlan], delivered: Sequence[Mapping[str, float]], case: Case
) -> dict[str, float]:
    """Sum what is paid while a stage lasts, by what it is for. [USD/yr]"""
    question, now = path.question, until[-1]
    cost = standing_cost_usd_per_yr(path, until, delivered)
    for rental, count in zip(question.rentals, now.rented, strict=True):
        _add(cost, f"rent {rental.technology}", MONTHS_PER_YEAR * rental.usd_per_unit_month * count)
    for name, usd in running_cost_usd_per_yr(case, now.block).items():
        _add(cost, name, usd)
    return cost


def _add(cost: dict[str, float], name: str, usd: float) -> None:
    if usd:
        cost[name] = cost.get(name, 0.0) + usd


def standing_cost_usd_per_yr(
    path: Path, until: Sequence[StagePlan], delivered: Sequence[Mapping[str, float]]
) -> dict[str, float]:
    """Sum what is paid in the last of some stages whether it runs or not, but rent, by what it is for.

    Parameters
    ----------
    path : Path
    until : sequence of StagePlan
    delivered : sequence of mapping of str to float
        What each of them adds to what is owned.
    """
    case, now = path.question.case, until[-1]
    cost: dict[str, float] = {}
    for stage, added in zip(until, delivered, strict=True):
        per_unit = costs_from(path.question, stage.time.begins)
        for name, size in added.items():
            _add(cost, _technology(name), size * per_unit[name])
    for item in case.supplies:
        if item.name in now.used:
            _add(cost, item.name, item.site_cost_usd_per_yr)
    block = now.block
    spare = block.plant.racks - block.racks_running if block.racks_running else 0
    _add(cost, "racks", case.rack_cost_usd_per_yr * max(spare, 0))
    return cost


def running_cost_usd_per_yr(case: Case, block: BlockPlan) -> dict[str, float]:
    """Sum what running a plant costs, by what it is for: energy, surplus sold, compute that is lost.

    Parameters
    ----------
    case : Case
        With the racks that run.
    block : BlockPlan
    """
    cost: dict[str, float] = {}
    if block.operation is None:
        return cost
    energy, lost = np.split(block.totals, [case.priced])
    levels = by_flow(case, energy.tolist())
    supplies = len(case.supplies)
    for item, mwh in zip(case.supplies, levels[:supplies], strict=True):
        usd = sum(e * level.usd_per_mwh for level, e in zip(item.levels, mwh, strict=True))
        _add(cost, f"energy {item.name}", usd)
    for sink, n, missed in zip(case.sinks, block.plant.sinks, levels[supplies:], strict=True):
        taken = [n * most - less for most, less in zip(appetite_mwh(case, sink), missed, strict=True)]
        paid = sum(e * level.usd_per_mwh for level, e in zip(sink.levels, taken, strict=True))
        _add(cost, f"sale {sink.name}", -paid)
    lost_mwh = float(lost.sum()) + block.rack_lost_mwh_per_yr
    _add(cost, "lost compute", case.lost_value_usd_per_mwh * lost_mwh)
    return cost


def _once(path: Path, until: Sequence[StagePlan]) -> dict[str, float]:
    """Sum what is paid once: units brought, and rent of a minimum term beyond the horizon. [USD]"""
    once: dict[str, float] = {}
    i = len(until) - 1
    factor = discount_factor(until[-1].time.begins, path.question.discount_per_yr)
    for item, count in zip(path.question.rentals, until[-1].started, strict=True):
        if count:
            usd = count * rent_usd_per_stage(path, item, i)[1] / factor
            name = f"mobilisation {item.technology}"
            once[name] = once.get(name, 0.0) + usd
    return once
