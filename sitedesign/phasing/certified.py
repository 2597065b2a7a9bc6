"""Certification of every stage: what its plant keeps for an operator who cannot see what comes.

One stage after the other is searched for a plant that keeps the target of its racks while things fail: it
has at least what was built before, and at most what can be there by then. What a stage adds the next one
inherits. A stage in which as many racks run as before, and to which the plan adds nothing, keeps plant and
certificate of the one before. The certificates of all stages hold together: each may be wrong with its part
of the chance that one alone would have (Bonferroni).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import TypeVar

from sitedesign.case.build import StudyCase
from sitedesign.case.case import BackupCase, Case, ImportCase, SinkCase
from sitedesign.case.dispatch import by_flow
from sitedesign.case.plant import Plant
from sitedesign.case.plant_limits import opened, units_most
from sitedesign.case.rack_shortfall import with_racks
from sitedesign.certified.environment import environment_of
from sitedesign.certified.evaluator import Evaluator
from sitedesign.certified.scenario_years import weather_block
from sitedesign.certified.sizing_loop import CONFIDENCE, search_and_certify
from sitedesign.errors import InfeasibleDesign
from sitedesign.operation.operate import SimulatedOperation
from sitedesign.phasing.problem import (
    Path,
    bounded,
    plant_of_sizes,
    rent_usd_per_stage,
    rented_most,
    sizes_of_plant,
)
from sitedesign.phasing.question import BATTERY_MW, BATTERY_MWH, RentalCase, RoadmapCase
from sitedesign.phasing.search import StagePlan
from sitedesign.reliability.certificate import Certificate
from sitedesign.study.effort import Effort
from sitedesign.util.progress import Progress

_Flow = TypeVar("_Flow", ImportCase, SinkCase)
_WHOLE = 1e-9
_CRUMBS, _CRUMB = 1.002, 0.05  # of what stood, and MW or MWh: less more is nothing


@dataclass(frozen=True, eq=False)
class CertifiedStage:
    """A stage whose plant was searched and certified.

    Attributes
    ----------
    plan : StagePlan
        With the plant that was found, and who owns its units; its operation is none with foresight.
    certificate : Certificate or None
        With the rule by which it is operated; None where no racks run.
    energy_mwh_per_yr, cost_usd_per_yr : mapping of str to float
        What each source gives, and what running each supply costs (``energy NAME``) and each sink pays
        (``sale NAME``, below zero), on the study's own years under one draw of failures. [MWh/yr, USD/yr]
    uptime : float
        On the same years. [fraction]
    """

    plan: StagePlan
    certificate: Certificate | None = None
    energy_mwh_per_yr: Mapping[str, float] = field(default_factory=dict)
    cost_usd_per_yr: Mapping[str, float] = field(default_factory=dict)
    uptime: float = 1.0


def certify_stages(
    study_case: StudyCase,
    path: Path,
    stages: Sequence[StagePlan],
    effort: Effort,
    progress: Progress,
    confidence: float = CONFIDENCE,
) -> tuple[CertifiedStage, ...]:
    """Search a plant for every stage that keeps its target, and certify it.

    Parameters
    ----------
    study_case : StudyCase
        With all racks, on the study's own steps.
    path : Path
    stages : sequence of StagePlan
        Of a planner who sees everything: where each search starts.
    effort : Effort
    progress : callable
    confidence : float
        One-sided, of all stages together. [fraction]

    Returns
    -------
    tuple of CertifiedStage

    Raises
    ------
    InfeasibleDesign
        Names the first stage for which nothing was found, and what it can have by then.
    """
    asked = [
        bool(stage.block.racks_running) and not (number and _stays(stages[number - 1], stage))
        for number, stage in enumerate(stages)
    ]
    if _asks_least(path.question.case):  # of the last stage, which has to be searched for it
        asked[-1] = bool(stages[-1].block.racks_running)
    each = 1 - (1 - confidence) / max(sum(asked), 1)
    shared = replace(study_case, drawn={})
    # A surer certificate is met by a plant that has a wider margin by as many standard errors
    wider = NormalDist().inv_cdf(each) - NormalDist().inv_cdf(confidence)
    effort = replace(effort, margin_standard_errors=effort.margin_standard_errors + wider)
    found: list[CertifiedStage] = []
    for number, stage in enumerate(stages):
        before = found[-1].plan if found else None
        if not stage.block.racks_running:
            found.append(CertifiedStage(_idle(path, stage, before)))
            continue
        if not asked[number]:
            found.append(_kept(found[-1], stage))
            continue

        def say(text: str, stage: StagePlan = stage) -> None:
            progress(f"month {stage.time.begins:g}, {stage.block.racks_running:,} racks: {text}")

        held = _Held.of(path, number, stage, before, found)
        found.append(_certified(shared, path, held, effort, say, each))
    return tuple(found)


def _stays(before: StagePlan, now: StagePlan) -> bool:
    """Whether as many racks run as before on what was there before; crumbs of an array are nothing."""
    same = (now.block.racks_running, now.rented) == (before.block.racks_running, before.rented)
    return same and all(size <= before.owned[name] * _CRUMBS + _CRUMB for name, size in now.owned.items())


def _asks_least(case: Case) -> bool:
    """Whether a least size of anything is asked for."""
    sizes = [*(r.bounds_mw for r in case.resources), case.limits.battery_mwh, case.limits.battery_mw]
    return any(low > 0.0 for low, _ in sizes) or any(item.units_min > 0 for item in case.flows)


def _kept(before: CertifiedStage, stage: StagePlan) -> CertifiedStage:
    """Stage that has what the one before has, with its certificate."""
    none = (0,) * len(stage.rented)
    was = before.plan
    plan = replace(was, time=stage.time, started=none, ended=none)
    return replace(before, plan=plan)


@dataclass(frozen=True)
class _Held:
    """What a stage has from before, and what it may have of each technology.

    Attributes
    ----------
    stage : StagePlan
    number : int
    owned : mapping of str to float
        Built before. [MW, MWh or units]
    locked : tuple of int
        Units of each rental whose minimum term still runs.
    before : tuple of int
        Units of each rental that are there when the stage begins.
    """

    stage: StagePlan
    number: int
    owned: Mapping[str, float]
    locked: tuple[int, ...]
    before: tuple[int, ...]

    @classmethod
    def of(
        cls,
        path: Path,
        number: int,
        stage: StagePlan,
        before: StagePlan | None,
        found: Sequence[CertifiedStage],
    ) -> _Held:
        """Read it off the stages before."""
        rentals = path.question.rentals
        none = (0,) * len(rentals)
        there = none if before is None else before.rented
        return cls(
            stage,
            number,
            {} if before is None else before.owned,
            tuple(
                # The first to come are the first to leave: of those there, the last to come are held longest
                min(there[r], sum(f.plan.started[r] for f in found if _holds(f.plan, stage, item)))
                for r, item in enumerate(rentals)
            ),
            there,
        )


def _holds(came: StagePlan, now: StagePlan, item: RentalCase) -> bool:
    """Whether what came then is still within its minimum term."""
    return came.time.begins + item.min_term_months > now.time.begins


def _idle(path: Path, stage: StagePlan, before: StagePlan | None) -> StagePlan:
    """Stage in which nothing runs: it has what stands, and nothing is rented for it."""
    none = (0,) * len(path.question.rentals)
    there, owned = (none, {}) if before is None else (before.rented, before.owned)
    case, plant = path.question.case, stage.block.plant
    sizes = {name: owned.get(name, 0.0) for name in sizes_of_plant(case, plant)}
    return replace(
        stage,
        owned=sizes,
        rented=none,
        started=none,
        ended=there,
        used=frozenset() if before is None else before.used,
        block=replace(stage.block, plant=plant_of_sizes(case, sizes), operation=None),
    )


def _certified(
    study_case: StudyCase, path: Path, held: _Held, effort: Effort, progress: Progress, confidence: float
) -> CertifiedStage:
    stage = held.stage
    there = replace(study_case, case=_stage_case(study_case.case, path, held))
    case, environment = there.case, environment_of(there)
    # Most of a stage is what other stages built: there is little to save
    once = replace(effort, worth_searching=math.inf)
    result = search_and_certify(
        there, environment, [stage.block.plant], 0.0, once, progress, confidence, values_forecast=False
    )
    if not result.met:
        raise InfeasibleDesign(_reason(case, stage, result.certificate))
    plant, controller = result.best.plant, result.best.controller
    own = Evaluator([weather_block(there)], environment, there.study.metric, there.study.seed)
    energy, paid = _energy(case, plant, own.operate(plant, controller, record=True))
    uptime = own.evaluate(plant, controller).uptime
    return CertifiedStage(_shared(path, held, plant), result.certificate, energy, paid, uptime)


def _energy(case: Case, plant: Plant, done: SimulatedOperation) -> tuple[dict[str, float], dict[str, float]]:
    """Say what each source gives, what running a supply costs and what a sink pays. [MWh/yr, USD/yr]"""
    assert done.dispatch is not None  # recorded, as is what the resources could give
    assert done.solar_mw is not None
    could = [
        float(mw * r.yield_mw_per_mw.sum()) for r, mw in zip(case.resources, plant.resources_mw, strict=True)
    ]
    used = float((done.solar_mw - done.dispatch.curtailed_mw).sum()) * case.step_h / case.years
    whole = sum(could)
    energy = {
        r.name: used * mwh / whole if whole else 0.0 for r, mwh in zip(case.resources, could, strict=True)
    }
    levels = by_flow(case, done.energy_by_level_mwh.mean(axis=1).tolist())
    worth = [
        sum(e * level.usd_per_mwh for e, level in zip(mwh, item.levels, strict=True))
        for item, mwh in zip(case.flows, levels, strict=True)
    ]
    part_load = [*done.extra_fuel_usd.mean(axis=1).tolist(), *(0.0 for _ in case.imports)]
    paid = {
        f"energy {item.name}": usd + extra
        for item, usd, extra in zip(case.supplies, worth, part_load, strict=False)
    }
    paid |= {
        f"sale {item.name}": -usd for item, usd in zip(case.sinks, worth[len(case.supplies) :], strict=True)
    }
    energy |= {item.name: sum(mwh) for item, mwh in zip(case.supplies, levels, strict=False)}
    return energy, paid


def _stage_case(case: Case, path: Path, held: _Held) -> Case:
    """Case of a stage: its racks, at least what stands, at most what can be there, priced at the margin."""
    question, stage = path.question, held.stage
    last = held.number == len(path.times) - 1
    month = stage.time.begins
    made = bounded(question, opened(with_racks(case, stage.block.racks_running)), month, last=last)
    owned = held.owned
    resources = tuple(
        replace(r, bounds_mw=_raised(r.bounds_mw, owned.get(r.name, 0.0))) for r in made.resources
    )
    limits = replace(
        made.limits,
        battery_mwh=_raised(made.limits.battery_mwh, owned.get(BATTERY_MWH, 0.0)),
        battery_mw=_raised(made.limits.battery_mw, owned.get(BATTERY_MW, 0.0)),
    )
    backup = tuple(_backup(path, held, item) for item in made.backup)
    imports = tuple(_flow(item, owned.get(item.name, 0.0)) for item in made.imports)
    sinks = tuple(_flow(item, owned.get(item.name, 0.0)) for item in made.sinks)
    every = {s.name for s in made.sizes} | {f"units.{item.name}" for item in backup}
    every |= {f"imports.{i.name}" for i in imports} | {f"sinks.{s.name}" for s in sinks}
    return replace(
        made, resources=resources, limits=limits, backup=backup, imports=imports, sinks=sinks,
        given=made.given | every,
    )  # fmt: skip


def _raised(bounds: tuple[float, float], least: float) -> tuple[float, float]:
    """Bounds that hold what stands."""
    low = max(bounds[0], least)
    return low, max(bounds[1], low)


def _flow(item: _Flow, least: float) -> _Flow:
    low, high = _raised((item.units_min, item.units_max), least)
    return replace(item, units_min=low, units_max=high)


def _backup(path: Path, held: _Held, item: BackupCase) -> BackupCase:
    """Units that stand or are held by their term, units that can be there, and what one more costs a year."""
    question = path.question
    least = round(held.owned.get(item.name, 0.0)) + _of(question, held.locked, item.name)
    most = max(
        least, _most_owned(path, held, item) + rented_most(question, item.name, held.stage.time.begins)
    )
    return replace(
        item, units_min=least, units_max=most, annual_cost_usd_per_unit=_usd_per_unit(path, held, item)
    )


def _most_owned(path: Path, held: _Held, item: BackupCase) -> int:
    """Most units that can be owned by then, those that stand by for failures among them."""
    question, month = path.question, held.stage.time.begins
    if item.name in question.rented_only:
        return 0
    by_rate = question.delivery(item.name).by(month) / item.unit_mw
    full = next(b for b in question.case.backup if b.name == item.name)
    return int(
        min(units_most(question.case, full), math.floor(by_rate + _WHOLE) if by_rate < math.inf else math.inf)
    )


def _usd_per_unit(path: Path, held: _Held, item: BackupCase) -> float:
    """Price one more unit in a year of the stage: rented where that can be and is cheaper. [USD/yr]

    All units of the stage have this price, so that the search weighs what it can still decide on.
    """
    question, i = path.question, held.number
    rents = [
        _rent_usd_per_yr(path, i, r)
        for r, rental in enumerate(question.rentals)
        if rental.technology == item.name and held.stage.rented[r] < _units_rentable(path, held, r)
    ]
    owned = item.annual_cost_usd_per_unit
    can_own = _most_owned(path, held, item) > held.stage.owned.get(item.name, 0.0)
    return min(rents + ([owned] if can_own or not rents else []))


def _rent_usd_per_yr(path: Path, stage: int, rental: int) -> float:
    """Rent of a unit that comes with the stage, and what bringing it costs, over the years that it lasts."""
    rent, once = rent_usd_per_stage(path, path.question.rentals[rental], stage)
    return (rent + once) / path.weights[stage]


def _units_rentable(path: Path, held: _Held, rental: int) -> int:
    item = path.question.rentals[rental]
    return item.units if item.from_month <= held.stage.time.begins else 0


def _of(question: RoadmapCase, units: Sequence[int], technology: str) -> int:
    """Units of a technology among those of all rentals."""
    pairs = zip(question.rentals, units, strict=True)
    return sum(n for item, n in pairs if item.technology == technology)


def _shared(path: Path, held: _Held, plant: Plant) -> StagePlan:
    """Say who owns the units of a plant: as planned, what is more or less rented first if that is cheaper."""
    question, stage = path.question, held.stage
    owned = sizes_of_plant(question.case, plant)
    rented = list(stage.rented)
    for item, units in zip(question.case.backup, plant.units, strict=True):
        mine = [r for r, rental in enumerate(question.rentals) if rental.technology == item.name]
        have = max(stage.owned.get(item.name, 0.0), held.owned.get(item.name, 0.0))
        for r in mine:
            rented[r] = max(rented[r], held.locked[r])
        more = units - round(have) - sum(rented[r] for r in mine)
        mine.sort(key=lambda r: _rent_usd_per_yr(path, held.number, r))
        for r in mine if more > 0 else ():
            cheaper = _rent_usd_per_yr(path, held.number, r) <= item.annual_cost_usd_per_unit
            room = _units_rentable(path, held, r) - rented[r]
            short = max(0, round(have) + more - _most_owned(path, held, item))  # cannot be owned by then
            added = min(room, more if cheaper else short)
            rented[r], more = rented[r] + added, more - added
        for r in reversed(mine) if more < 0 else ():
            gone = min(rented[r] - held.locked[r], -more)
            rented[r], more = rented[r] - gone, more + gone
        owned[item.name] = float(round(have) + more)
    return replace(
        stage,
        owned=owned,
        rented=tuple(rented),
        started=tuple(max(0, now - was) for now, was in zip(rented, held.before, strict=True)),
        ended=tuple(max(0, was - now) for now, was in zip(rented, held.before, strict=True)),
        used=frozenset(i.name for i, n in zip(question.case.flows, plant.counts, strict=True) if n > 0),
        block=replace(stage.block, plant=plant, operation=None),
    )


def _reason(case: Case, stage: StagePlan, certificate: Certificate) -> str:
    """Say which stage cannot be certified, and what it can have."""
    kept = certificate.uptime
    parts = [f"{item.name} {item.units_max:g} units" for item in case.backup if item.units_max]
    parts += [f"{r.name} {r.bounds_mw[1]:,.0f} MW" for r in case.resources if 0 < r.bounds_mw[1] < 1e5]
    held, unheld = certificate.reserve, ""
    if held is not None and not held.met:
        unheld = f", and lack their reserve in {held.shortage}"
    return (
        f"from month {stage.time.begins:g} on {case.racks_contracted:,} racks keep {kept.value:.4%} "
        f"(at least {kept.lower_bound(certificate.confidence):.4%}) of {certificate.target:.4%} when things "
        f"fail{unheld}; by then there can be at most {', '.join(parts) or 'nothing'}"
    )
