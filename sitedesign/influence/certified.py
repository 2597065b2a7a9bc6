"""What one number does to a certified plant: judged again on the same years, or searched anew.

Every run has the weather years of the plant's certificate and the same random numbers, so that two runs
differ by the number and not by luck; the error of a difference is that of the paired years.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.case import Case
from sitedesign.case.limits import ANNUAL_LIMITS
from sitedesign.case.plant import Plant
from sitedesign.certified.environment import environment_of, metric_key
from sitedesign.certified.evaluator import Evaluator
from sitedesign.certified.objective import Decision, excess_mwh
from sitedesign.certified.scenario_years import unseen_years, weather_block
from sitedesign.certified.sizing_loop import LEAST_FIRST_MULTIPLIER, certified_use, size_then_search
from sitedesign.errors import InfeasibleDesign
from sitedesign.influence.bound import BoundSolver, Question, same
from sitedesign.influence.ranges import RangedNumber, with_value
from sitedesign.operation.state import Controller
from sitedesign.reliability.certificate import Certificate
from sitedesign.reliability.certificate_plan import CertificatePlan
from sitedesign.reliability.limit_check import broken_limits
from sitedesign.reliability.monte_carlo import monte_carlo
from sitedesign.reliability.replay import fixed_cost_usd_per_yr
from sitedesign.reliability.weather_blocks import WeatherBlock
from sitedesign.results.design import Design
from sitedesign.results.saved import plant_of
from sitedesign.results.sensitivity import End, Influence
from sitedesign.study.effort import EFFORTS
from sitedesign.util.progress import Progress, silent

FloatArray = NDArray[np.float64]
Ends = tuple[End, End]
DRAWS = 2  # of outages of each weather year; a certificate has more
_HOURS_PER_YEAR = 8760.0


@dataclass(frozen=True, eq=False)
class _Run:
    """A plant on the years of the certificate: what it lost and cost in each weather year."""

    uptime: float
    met: bool  # the target, at the confidence of the certificate
    lost: FloatArray  # (weather years,) [fraction]
    usd: FloatArray  # (weather years,) [USD/yr]
    excess_mwh_per_yr: float  # of backup and imports, above the caps

    @property
    def cost(self) -> float:
        """Mean over the years. [USD/yr]"""
        return float(self.usd.mean())


@dataclass(frozen=True, eq=False)
class Judged:
    """Ends with what they do to the plant, and what more is needed to search anew.

    Attributes
    ----------
    ends : list of (End, End)
    basis : str
        What was simulated, in words.
    judge : Judge
    """

    ends: list[Ends]
    basis: str
    judge: Judge


class Judge:
    """Operates plants on the years and failures of a design's certificate.

    Parameters
    ----------
    solver : BoundSolver
        Of the design's study.
    design : Design
        With a certificate.
    """

    def __init__(self, solver: BoundSolver, design: Design) -> None:
        assert design.certificate is not None
        certificate, study = design.certificate, solver.base.study
        self.solver = solver
        self.plant = plant_of(design, solver.base.study_case.case)
        self.controller = certificate.controller
        self.plan = CertificatePlan(
            years=certificate.weather_years,
            draws=min(DRAWS, certificate.draws),
            seed=certificate.seed,
            metric=metric_key(study.metric),
            confidence=certificate.confidence,
            attribute=False,
            events=1,
        )
        self.environment = environment_of(solver.base.study_case)
        self.blocks = self._blocks(solver.base)
        self.now = self.run(solver.base, self.plant, self.controller)
        # The marginal cost of uptime, for an operator who cannot see the future: a search begins with no less
        self.usd_per_mwh = max(LEAST_FIRST_MULTIPLIER, design.uptime_price_usd_per_mwh or 0.0)

    def run(self, asked: Question, plant: Plant, controller: Controller) -> _Run:
        """Operate a plant on the certificate's years of a question."""
        here, base = asked.study_case.case, self.solver.base.study_case.case
        environment = environment_of(asked.study_case)
        blocks = self.blocks if same(_operated(here), _operated(base)) else self._blocks(asked)
        done = monte_carlo(blocks, plant, controller, environment, self.plan)
        return _run_of(done, here, fixed_cost_usd_per_yr(here, plant))

    def judged(self, number: RangedNumber, end: End) -> End:
        """Judge the plant as it stands with one number at one end of its range."""
        if end.value == number.value:
            zero = {"uptime": 0.0, "uptime_error": 0.0, "cost_usd_per_yr": 0.0, "cost_error_usd_per_yr": 0.0}
            return end.model_copy(update=zero | {"worth_usd_per_yr": 0.0})
        if end.reason:
            return end
        asked = self.solver.changed(with_value(self.solver.base.study, number, end.value))
        here, base = asked.study_case.case, self.solver.base.study_case.case
        if [item.unit_mw for item in here.backup] != [item.unit_mw for item in base.backup]:
            return end  # the plant as it stands has other units
        if broken_limits(here, self.plant):
            return end  # it cannot be built, for example because it comes too late
        if _asked_of_plants(here) != _asked_of_plants(base):
            return end  # it was searched for other caps or spare units, and would not be an answer
        known = same(_operated(here), _operated(base)) and same(
            environment_of(asked.study_case), self.environment
        )
        there = self.now
        if not known:
            there = self.run(asked, self.plant, self.controller)
        fixed = fixed_cost_usd_per_yr(here, self.plant) - fixed_cost_usd_per_yr(base, self.plant)
        usd = there.usd - self.now.usd + (fixed if known else 0.0)
        uptime, uptime_error = there.uptime - self.now.uptime, _error(there.lost - self.now.lost)
        cost = float(usd.mean())
        gained = uptime - (_target(here) - _target(base))  # a higher target has to be bought as well
        # Beyond what the target allows to be lost, its price today says nothing
        marginal = abs(gained) <= 1.0 - base.uptime_target or not end.bound_usd_per_yr
        worth = cost - gained * base.load_mwh_per_yr * self.usd_per_mwh if marginal else None
        return end.model_copy(
            update={
                "uptime": uptime,
                "uptime_error": uptime_error,
                "cost_usd_per_yr": cost,
                "cost_error_usd_per_yr": _error(usd),
                "worth_usd_per_yr": worth,
            }
        )

    def _blocks(self, asked: Question) -> list[WeatherBlock]:
        build, _ = unseen_years(asked.study_case, self.plan.seed)
        blocks = [build(0)]
        assert self.plan.years is not None
        while sum(block.case.years for block in blocks) < self.plan.years:
            blocks.append(build(len(blocks)))
        return blocks


def judged_ends(
    solver: BoundSolver,
    design: Design,
    numbers: Sequence[RangedNumber],
    ends: Sequence[Ends],
    progress: Progress,
) -> Judged:
    """Judge the certified plant as it stands at both ends of every range."""
    progress("operating the certified plant as things are")
    judge = Judge(solver, design)
    found: list[Ends] = []
    for place, (number, (low, high)) in enumerate(zip(numbers, ends, strict=True), 1):
        progress(f"operating the certified plant, {place} of {len(numbers)}: {number.label}")
        found.append((judge.judged(number, low), judge.judged(number, high)))
    plan = judge.plan
    return Judged(found, f"{plan.years} weather years x {plan.draws} outage draws, seed {plan.seed}", judge)


def searched_ends(
    solver: BoundSolver, judged: Judged, numbers: Sequence[RangedNumber], most: int, progress: Progress
) -> list[Ends]:
    """Search plants anew at both ends of the numbers that move the cost most.

    A short search may end at a plant that is too dear. So whatever is found competes with the plant of the
    design and with the other plants found, as things are and at each end: the cheapest that keeps the target
    there counts.
    """
    ends, judge = list(judged.ends), judged.judge
    swings = [_swing(number, pair) for number, pair in zip(numbers, ends, strict=True)]
    order = [i for i in sorted(range(len(ends)), key=lambda i: -swings[i]) if 0 < swings[i] < math.inf][:most]
    if not order:
        return ends
    progress("searching a plant as things are")
    known = [(judge.plant, judge.controller), *_searched(solver.base)]
    found: dict[tuple[int, int], list[Decision]] = {}
    for place, i in enumerate(order, 1):
        for side, end in enumerate(ends[i]):
            if not _still(numbers[i], end):
                what = f"{numbers[i].label} at {end.value:g} {numbers[i].unit}"
                progress(f"searching a plant, {place} of {len(order)}: {what}")
                changed = solver.changed(with_value(solver.base.study, numbers[i], end.value))
                found[i, side] = _searched(changed)
    progress("comparing what was found")
    every = [decision for decisions in found.values() for decision in decisions]
    best, base = _cheapest(judge, solver.base, sure=known, others=every)
    for i in order:
        pair = []
        for side, end in enumerate(ends[i]):
            own, other = found.get((i, side), []), found.get((i, 1 - side), [])
            pair.append(_searched_end(judge, base, numbers[i], end, own, [*known, *best, *other]))
        ends[i] = pair[0], pair[1]
    return ends


def _still(number: RangedNumber, end: End) -> bool:
    """Whether an end changes nothing, or has no figure at all."""
    moved = (end.uptime, end.cost_usd_per_yr)
    within = abs(end.bound_usd_per_yr or 0.0) <= (end.bound_error_usd_per_yr or 0.0)
    return end.value == number.value or bool(end.reason) or (moved == (0.0, 0.0) and within)


def _searched_end(
    judge: Judge,
    base: _Run | None,
    number: RangedNumber,
    end: End,
    own: list[Decision],
    others: list[Decision],
) -> End:
    if end.reason:
        return end
    if _still(number, end):
        return end.model_copy(update={"certified_usd_per_yr": 0.0, "certified_error_usd_per_yr": 0.0})
    changed = judge.solver.changed(with_value(judge.solver.base.study, number, end.value))
    _, there = _cheapest(judge, changed, sure=own, others=others)
    if there is None or base is None:
        return end.model_copy(update={"reason": "no plant that a short search found keeps the target"})
    usd = there.usd - base.usd
    return end.model_copy(
        update={"certified_usd_per_yr": float(usd.mean()), "certified_error_usd_per_yr": _error(usd)}
    )


def _cheapest(
    judge: Judge, asked: Question, *, sure: list[Decision], others: list[Decision]
) -> tuple[list[Decision], _Run | None]:
    """Choose the cheapest plant that keeps the target: certified there already, or on the common years."""
    best: tuple[list[Decision], _Run | None] = [], None
    for decision in dict.fromkeys([*sure, *others]):
        if broken_limits(asked.study_case.case, decision[0]):
            continue
        run = judge.run(asked, *decision)
        if best[1] is not None and run.cost >= best[1].cost:
            continue
        if decision in sure or _keeps(asked, decision, run, judge.now.excess_mwh_per_yr):
            best = [decision], run
    return best


def _keeps(asked: Question, decision: Decision, run: _Run, luck_mwh_per_yr: float) -> bool:
    """Whether a plant found for another question keeps what this one asks: target, caps and spare units.

    What the certified plant itself exceeds its caps by on these draws is luck, and allowed to all.
    """
    if not run.met or run.excess_mwh_per_yr > luck_mwh_per_yr:
        return False
    made = asked.study_case
    own = Evaluator([weather_block(made)], environment_of(made), made.study.metric, made.study.seed)
    return own.lost_without_spares(*decision) == 0.0


def _searched(asked: Question) -> list[Decision]:
    """Search and certify quickly; nothing where no plant passes."""
    environment = environment_of(asked.study_case)
    try:
        found = size_then_search(asked.study_case, environment, EFFORTS["screening"], silent).search
    except InfeasibleDesign:
        return []
    return [found.best.decision] if found.met else []


def _swing(number: RangedNumber, pair: Ends) -> float:
    named = ("key", "label", "unit", "value", "confidence", "source")
    fields: dict[str, Any] = {name: getattr(number, name) for name in named}
    return Influence(**fields, low=pair[0], high=pair[1]).swing_usd_per_yr


def _asked_of_plants(case: Case) -> tuple[Any, ...]:
    """Limits that a plant keeps by how it is operated, not by its sizes."""
    of_units = tuple((item.run_h_limit, item.starts_limit, item.night_h_limit) for item in case.backup)
    cycles = case.limits.battery_cycles_per_yr, case.limits.warranty_cycles_per_yr
    held = case.reserve, case.limits.n_plus, case.limits.site_night_h, cycles
    return (*held, *(item.given(case.limits) for item in ANNUAL_LIMITS), of_units)


def _target(case: Case) -> float:
    """Uptime asked for, over all of the load."""
    return sum(part.share * part.uptime_target for part in case.classes)


def _operated(case: Case) -> tuple[Any, ...]:
    """Everything of a case that its operation and its verdict depend on: not what things cost, nor limits."""
    return (
        case.uptime_target,
        (case.step_h, case.years, case.eta_charge, case.eta_discharge, case.racks_contracted),
        (case.rack_availability, case.load_mw, case.usable, case.tiers, case.load_classes),
        tuple(item.yield_mw_per_mw for item in case.resources),
        tuple((item.unit_mw, item.capability, item.levels, item.active_level) for item in case.flows),
    )


def _run_of(done: Certificate, case: Case, fixed_usd_per_yr: float) -> _Run:
    lost_h = np.array(done.power_lost_h_by_year).reshape(done.weather_years, -1).mean(axis=1)
    usd = np.array(done.operating_usd_by_year).reshape(done.weather_years, -1).mean(axis=1)
    excess = excess_mwh(case, certified_use(done))
    return _Run(done.uptime.value, done.met, lost_h / _HOURS_PER_YEAR, usd + fixed_usd_per_yr, excess)


def _error(difference: FloatArray) -> float | None:
    """Give the standard error of a mean over weather years; one year shows none."""
    if difference.size < 2:
        return None
    return float(difference.std(ddof=1)) / math.sqrt(difference.size)
