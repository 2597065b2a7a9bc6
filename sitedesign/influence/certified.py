"""What one number does to a certified plant: judged again on the same years, or searched anew.

What does not change how a plant is operated is not simulated: what its sizes cost, and technologies that it
has none of. Every run has the weather years of the plant's certificate and the same random numbers, so that
two runs differ by the number and not by luck; the error of a difference is that of the paired years.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import compress
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.build import StudyCase
from sitedesign.case.case import BackupCase, Case, ImportCase, SinkCase
from sitedesign.case.limits import ANNUAL_LIMITS
from sitedesign.case.plant import Plant
from sitedesign.certified.environment import environment_of, metric_key
from sitedesign.certified.evaluator import Evaluator
from sitedesign.certified.objective import Candidate, Decision, excess_mwh
from sitedesign.certified.scenario_years import (
    search_seed,
    unseen_years,
    weather_block,
    weather_to_share,
)
from sitedesign.certified.short_search import ShortSearch
from sitedesign.certified.sizing_loop import LEAST_FIRST_MULTIPLIER, certified_use
from sitedesign.errors import InfeasibleDesign
from sitedesign.influence.bound import BoundSolver, Branch, Question, same
from sitedesign.influence.ranges import RangedNumber, with_value
from sitedesign.operation.environment import OperatingEnvironment
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
from sitedesign.util.progress import Progress
from sitedesign.util.threads import in_order
from sitedesign.weather.weather import Weather

FloatArray = NDArray[np.float64]
Ends = tuple[End, End]
Built = tuple[bool, ...]  # which technologies
DRAWS = 2  # of outages of each weather year; a certificate has more
YEARS = 200  # of weather; a certificate that looked closer has more
#: Of plants that are searched anew: on as many years as a design is, as what differs may be little.
SHORT = replace(EFFORTS["screening"], years=200, evaluations=100, margin_standard_errors=2.0)
TRIES = 3  # plants found by a search that may fall short on the common years
SLACK = 0.05  # of the downtime that is allowed, asked for on top where one did
_HOURS_PER_YEAR = 8760.0


@dataclass(frozen=True, eq=False)
class _Run:
    """A plant on the years of the certificate: what it lost and cost in each weather year."""

    uptime: float
    met: bool  # the target, at the confidence of the certificate
    lost: FloatArray  # (weather years,) [fraction]
    usd: FloatArray  # (weather years,) [USD/yr]
    excess_mwh_per_yr: float  # of backup and imports, above the caps
    uptimes: tuple[float, ...]  # of each class
    targets: tuple[float, ...]
    held: bool  # the reserve, where one is asked for

    @property
    def cost(self) -> float:
        """Mean over the years. [USD/yr]"""
        return float(self.usd.mean())


class CommonYears:
    """A question on the years and failures of a certificate; what a plant did there is remembered.

    Attributes
    ----------
    asked : Question
    environment : OperatingEnvironment
    """

    def __init__(self, judge: Judge, asked: Question) -> None:
        self.asked = asked
        self.environment = environment_of(asked.study_case)
        self._judge = judge
        self._runs: dict[Decision, _Run] = {}
        self._lock = Lock()  # one thread runs a plant, those that ask for the same wait

    def run(self, plant: Plant, controller: Controller) -> _Run:
        """Operate a plant, or remember what it did."""
        return self.run_all([(plant, controller)])[0]

    def run_all(self, decisions: Sequence[Decision]) -> list[_Run]:
        """Operate several plants: the years, which take much memory, are there only so long."""
        with self._lock:
            fresh = [key for key in dict.fromkeys(decisions) if key not in self._runs]
            self._runs.update(zip(fresh, self._operate_all(fresh), strict=True))
            return [self._runs[key] for key in decisions]

    def does_as_now(self, plant: Plant, controller: Controller) -> bool:
        """Whether a plant does here what it does as things are, at other costs perhaps.

        What it has none of does nothing.
        """
        base = self._judge.base
        if self.asked is base.asked:
            return True
        built = _built(self.asked.study_case.case, plant, controller)
        return self._has_years_of(base, built) and self._is_met_as(base, built)

    def asks_the_same(self, other: CommonYears) -> bool:
        """Whether both are one question, put in two ways."""
        if self is other:
            return True
        every = (True,) * len(self.asked.case.backup)
        return (
            same(self.asked.case, other.asked.case)
            and self._has_years_of(other, every)
            and self._is_met_as(other, every)
        )

    def _has_years_of(self, other: CommonYears, built: Built) -> bool:
        """Whether series, units, prices of energy and targets are the same; other calls come in any year."""
        mine, theirs = self.asked.study_case, other.asked.study_case
        return (
            mine.study.grid is theirs.study.grid
            and _asked_of_plants(mine.case) == _asked_of_plants(theirs.case)
            and same(_operated(mine.case, built), _operated(theirs.case, built))
        )

    def _is_met_as(self, other: CommonYears, built: Built) -> bool:
        """Whether failures, behaviour of units and what an operator knows are the same."""
        return same(_met(self.environment, built), _met(other.environment, built))

    def blocks(self) -> list[WeatherBlock]:
        """Weather years of the certificate for this question."""
        plan = self._judge.plan
        assert plan.years is not None
        build, _ = unseen_years(self._judge.with_weather(self.asked), plan.seed)
        blocks = [build(0)]
        while sum(block.case.years for block in blocks) < plan.years:
            blocks.append(build(len(blocks)))
        return blocks

    def _operate_all(self, decisions: Sequence[Decision]) -> list[_Run]:
        own: list[WeatherBlock] = []
        return [self._operate(*decision, own) for decision in decisions]

    def _operate(self, plant: Plant, controller: Controller, own: list[WeatherBlock]) -> _Run:
        judge, here = self._judge, self.asked.study_case.case
        base, usd = judge.base.asked.study_case.case, fixed_cost_usd_per_yr(here, plant)
        if self is not judge.base and self.does_as_now(plant, controller):
            known = judge.base.run(plant, controller)
            return replace(known, usd=known.usd + (usd - fixed_cost_usd_per_yr(base, plant)))
        blocks = own
        if self is judge.base or self._has_years_of(judge.base, _built(here, plant, controller)):
            blocks = judge.blocks
        elif not own:
            own += self.blocks()
        return _run_of(monte_carlo(blocks, plant, controller, self.environment, judge.plan), here, usd)


class Judge:
    """Operates plants on the years and failures of a design's certificate.

    Parameters
    ----------
    solver : BoundSolver
        Of the design's study.
    design : Design
        With a certificate.

    Attributes
    ----------
    base : CommonYears
        The question as it is.
    now : _Run
        What the certified plant does there.
    blocks : list of WeatherBlock
        Its years.
    basis : str
        What is simulated, in words.
    """

    def __init__(self, solver: BoundSolver, design: Design) -> None:
        assert design.certificate is not None
        certificate, study = design.certificate, solver.base.study
        self.solver = solver
        self.plant = plant_of(design, solver.base.study_case.case)
        self.controller = certificate.controller
        self.plan = CertificatePlan(
            years=min(YEARS, certificate.weather_years),
            draws=min(DRAWS, certificate.draws),
            seed=certificate.seed,
            metric=metric_key(study.metric),
            confidence=certificate.confidence,
            attribute=False,
            events=0,
        )
        plan = self.plan
        self.basis = f"{plan.years} weather years x {plan.draws} outage draws, seed {plan.seed}"
        self._weather = self._weather_of_all()
        self.base = CommonYears(self, solver.base)
        self.blocks = self.base.blocks()
        self.now = self.base.run(self.plant, self.controller)
        # The marginal cost of uptime, for an operator who cannot see the future: a search begins with no less
        self.usd_per_mwh = max(LEAST_FIRST_MULTIPLIER, design.uptime_price_usd_per_mwh or 0.0)

    def judged(self, asked: Question, end: End) -> End:
        """Judge the plant as it stands with one number at one end of its range."""
        if end.reason:
            return end
        here, base = asked.study_case.case, self.base.asked.study_case.case
        pairs = zip(self.plant.units, here.backup, base.backup, strict=True)
        if any(count and new.unit_mw != now.unit_mw for count, new, now in pairs):
            return end  # the plant as it stands has other units
        if broken_limits(here, self.plant):
            return end  # it cannot be built, for example because it comes too late
        if _asked_of_plants(here) != _asked_of_plants(base):
            return end  # it was searched for other caps or spare units, and would not be an answer
        years = self.base if asked is self.solver.base else CommonYears(self, asked)
        there = years.run(self.plant, self.controller)
        as_now = years.does_as_now(self.plant, self.controller)
        usd, lost = there.usd - self.now.usd, there.lost - self.now.lost
        if as_now:  # exactly, whatever rounding says
            fixed = fixed_cost_usd_per_yr(here, self.plant) - fixed_cost_usd_per_yr(base, self.plant)
            usd = np.full_like(usd, fixed)
        uptime, cost = there.uptime - self.now.uptime, float(usd.mean())
        gained = uptime - (_target(here) - _target(base))  # a higher target has to be bought as well
        # Beyond what the target allows to be lost, its price today says nothing
        marginal = abs(gained) <= 1.0 - base.uptime_target or not end.bound_usd_per_yr
        worth = cost - gained * base.load_mwh_per_yr * self.usd_per_mwh if marginal else None
        return end.model_copy(
            update={
                "uptime": uptime,
                "uptime_error": 0.0 if as_now else _error(lost),
                "cost_usd_per_yr": cost,
                "cost_error_usd_per_yr": 0.0 if as_now else _error(usd),
                "worth_usd_per_yr": worth,
            }
        )

    def with_weather(self, asked: Question) -> StudyCase:
        """Give a changed study the weather years that have been drawn: they are those of every other."""
        return replace(asked.study_case, known_weather=self._weather)

    def _weather_of_all(self) -> dict[int, Weather]:
        """Draw the weather on which plants are judged, and that on which they are searched."""
        study_case, plan = self.solver.base.study_case, self.plan
        assert plan.years is not None
        more, seed = SHORT.years - study_case.case.years, search_seed(study_case.study.seed)
        judged = weather_to_share(study_case, plan.years, plan.seed)
        return judged | weather_to_share(study_case, max(more, 0), seed)


def searched_ends(
    judge: Judge, numbers: Sequence[RangedNumber], ends: Sequence[Ends], most: int, progress: Progress
) -> list[Ends]:
    """Search plants anew at both ends of the numbers that move the cost most.

    A short search may end at a plant that is too dear. So whatever is found competes with the plant of the
    design and with the other plants found, as things are and at each end: the cheapest that keeps the target
    there counts.
    """
    ends, stopped = list(ends), judge.solver.stopped
    swings = [_swing(number, pair) for number, pair in zip(numbers, ends, strict=True)]
    order = [i for i in sorted(range(len(ends)), key=lambda i: -swings[i]) if 0 < swings[i] < math.inf][:most]
    if not order:
        return ends
    moving = [(i, side) for i in order for side in (0, 1) if not _still(numbers[i], ends[i][side])]
    asked = [_asked(judge, numbers[i], ends[i][side].value) for i, side in moving]
    at = dict(zip(moving, _distinct(asked), strict=True))
    told = [f"{numbers[i].label} at {ends[i][side].value:g} {numbers[i].unit}" for i, side in at]
    found = _found(judge, dict(zip(at.values(), told, strict=True)), progress)
    progress("comparing what was found")
    known = [(judge.plant, judge.controller), *found[judge.base]]
    every = [decision for decisions in found.values() for decision in decisions]
    best, base = _cheapest(judge.base, judge.now, sure=known, others=every)

    def compared(place: tuple[int, int]) -> End:
        i, side = place
        pair = at.get(place), at.get((i, 1 - side))
        own, other = ([] if years is None else found[years] for years in pair)
        return _searched_end(pair[0], (judge.now, base), ends[i][side], own, [*known, *best, *other])

    both = [(i, side) for i in order for side in (0, 1)]
    with closing(in_order(compared, both, stopped)) as new:
        for i in order:
            ends[i] = next(new), next(new)
    return ends


def _asked(judge: Judge, number: RangedNumber, value: float) -> CommonYears:
    return CommonYears(judge, judge.solver.changed(with_value(judge.solver.base.study, number, value)))


def _found(
    judge: Judge, ends: dict[CommonYears, str], progress: Progress
) -> dict[CommonYears, list[Decision]]:
    """Search plants as things are and at ends, which have names, several at a time."""
    found: dict[CommonYears, list[Decision]] = {}
    asked, margin = [judge.base, *ends], _search(judge, judge.base).spare_uptime()
    with closing(in_order(partial(_searched, judge, margin=margin), asked, judge.solver.stopped)) as searched:
        progress("searching a plant as things are")
        for number, years in enumerate(asked):
            if number:
                progress(f"searching a plant, {number} of {len(ends)}: {ends[years]}")
            found[years] = next(searched)
    return found


def _distinct(every: list[CommonYears]) -> list[CommonYears]:
    """Put the first in the place of each that asks the same: two lead times of a unit that comes too late."""
    return [
        next(one for one in every[: number + 1] if one.asks_the_same(it)) for number, it in enumerate(every)
    ]


def _still(number: RangedNumber, end: End) -> bool:
    """Whether an end changes nothing, or has no figure at all."""
    moved = (end.uptime, end.cost_usd_per_yr)
    within = abs(end.bound_usd_per_yr or 0.0) <= (end.bound_error_usd_per_yr or 0.0)
    return end.value == number.value or bool(end.reason) or (moved == (0.0, 0.0) and within)


def _searched_end(
    years: CommonYears | None,
    as_things_are: tuple[_Run, _Run | None],
    end: End,
    own: list[Decision],
    others: list[Decision],
) -> End:
    """Compare the best plant at an end with the best as things are; the certified plant is there as well."""
    now, base = as_things_are
    if end.reason:
        return end
    if years is None:  # it changes nothing
        return end.model_copy(update={"certified_usd_per_yr": 0.0, "certified_error_usd_per_yr": 0.0})
    _, there = _cheapest(years, now, sure=own, others=others)
    if there is None or base is None:
        return end.model_copy(update={"reason": "no plant that a short search found keeps the target"})
    usd = there.usd - base.usd
    return end.model_copy(
        update={"certified_usd_per_yr": float(usd.mean()), "certified_error_usd_per_yr": _error(usd)}
    )


def _cheapest(
    years: CommonYears, now: _Run, *, sure: list[Decision], others: list[Decision]
) -> tuple[list[Decision], _Run | None]:
    """Choose the cheapest plant that keeps the target: certified there already, or on the common years."""
    best: tuple[list[Decision], _Run | None] = [], None
    case, every = years.asked.study_case.case, dict.fromkeys([*sure, *others])
    possible = [decision for decision in every if not broken_limits(case, decision[0])]
    for decision, run in zip(possible, years.run_all(possible), strict=True):
        if best[1] is not None and run.cost >= best[1].cost:
            continue
        if decision in sure or _keeps(years, decision, run, now):
            best = [decision], run
    return best


def _keeps(years: CommonYears, decision: Decision, run: _Run, now: _Run) -> bool:
    """Whether a plant found for another question keeps what this one asks: target, caps and spare units.

    What the certified plant itself exceeds its caps by on these draws is luck, and allowed to all, as is what
    it loses on them: who loses no more is as sure to keep the same target.
    """
    as_sure = run.targets == now.targets and all(
        a >= b for a, b in zip(run.uptimes, now.uptimes, strict=True)
    )
    kept = run.met or (as_sure and run.held >= now.held)
    if not kept or run.excess_mwh_per_yr > now.excess_mwh_per_yr:
        return False
    made = years.asked.study_case
    own = Evaluator([weather_block(made)], years.environment, made.study.metric, made.study.seed)
    return own.lost_without_spares(*decision) == 0.0


def _searched(judge: Judge, years: CommonYears, margin: tuple[float, ...]) -> list[Decision]:
    """Search from the certified plant and the optimum for one that keeps the target; nothing without one.

    On the search's years it is asked for as much uptime as the certified plant has on them as things are:
    what those years flatter, they flatter in both.
    """
    try:
        search = _search(judge, years)
    except InfeasibleDesign:
        return []
    asked: tuple[float, ...] | None = margin
    if _targets(years.asked.study_case.case) != judge.now.targets:
        asked = None  # what the certified plant has to spare says nothing of another target
    for _ in range(TRIES):
        found = search.found(asked)
        if found is None:
            break
        run = years.run(*found.decision)
        if _keeps(years, found.decision, run, judge.now):
            return [found.decision]
        if run.excess_mwh_per_yr > judge.now.excess_mwh_per_yr:
            search.tighten_caps()
        asked = _more(asked, found, run, judge.now)
    return []


def _search(judge: Judge, years: CommonYears) -> ShortSearch:
    planned = Branch(judge.solver).solve(years.asked.case).plant
    return ShortSearch(
        judge.with_weather(years.asked),
        years.environment,
        [planned, judge.plant],
        (judge.plant, judge.controller),
        judge.usd_per_mwh,
        SHORT,
    )


def _more(margin: tuple[float, ...] | None, found: Candidate, run: _Run, now: _Run) -> tuple[float, ...]:
    """Ask for what was missing on the common years, and a little more."""
    had = [up - asked for up, asked in zip(found.uptime_by_class, run.targets, strict=True)]
    missing = (
        max(0.0, wanted - up) if run.targets == now.targets else 0.0
        for wanted, up in zip(now.uptimes, run.uptimes, strict=True)
    )
    least = had if margin is None else margin
    return tuple(
        max(one, other) + more + SLACK * (1.0 - asked)
        for one, other, more, asked in zip(had, least, missing, run.targets, strict=True)
    )


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


def _targets(case: Case) -> tuple[float, ...]:
    return tuple(part.uptime_target for part in case.classes)


def _target(case: Case) -> float:
    """Uptime asked for, over all of the load."""
    return sum(part.share * part.uptime_target for part in case.classes)


def _built(case: Case, plant: Plant, controller: Controller) -> Built:
    """Say of which technologies a plant has units.

    Where energy has a worth of its own, or a reserve is asked for, those that it has none of may count too.
    """
    every = controller.kind == "marginal_value" or case.reserve is not None
    return tuple(every or count > 0 for count in plant.units)


def _operated(case: Case, built: Built) -> tuple[Any, ...]:
    """Everything of a case that its operation and its verdict depend on: not what things cost, nor limits."""
    backup = tuple(compress(case.backup, built))
    flows: tuple[BackupCase | ImportCase | SinkCase, ...] = (*backup, *case.imports, *case.sinks)
    return (
        case.uptime_target,
        (case.step_h, case.years, case.eta_charge, case.eta_discharge, case.racks_contracted),
        (case.rack_availability, case.load_mw, case.usable, case.tiers, case.load_classes),
        tuple(item.yield_mw_per_mw for item in case.resources),
        tuple((item.unit_mw, item.capability, item.levels, item.active_level) for item in flows),
    )


def _met(environment: OperatingEnvironment, built: Built) -> OperatingEnvironment:
    """Leave out technologies that are not built, and the past years: they are the case, with all it costs."""
    climate, outages = environment.climatology, environment.outages
    units = tuple(compress(outages.units, built))
    burnt = {unit.fuel for unit in units}
    supplies = (*built, *(True for _ in climate.import_share))
    return replace(
        environment,
        unit_behaviours=tuple(compress(environment.unit_behaviours, built)),
        outages=replace(outages, units=units, fuels=tuple(f for f in outages.fuels if f.name in burnt)),
        climatology=replace(
            climate,
            capability=climate.capability[list(built)],
            supply_usd_per_mwh=climate.supply_usd_per_mwh[list(supplies)],
            past=None,
        ),
    )


def _run_of(done: Certificate, case: Case, fixed_usd_per_yr: float) -> _Run:
    lost_h = np.array(done.power_lost_h_by_year).reshape(done.weather_years, -1).mean(axis=1)
    usd = np.array(done.operating_usd_by_year).reshape(done.weather_years, -1).mean(axis=1)
    return _Run(
        uptime=done.uptime.value,
        met=done.met,
        lost=lost_h / _HOURS_PER_YEAR,
        usd=usd + fixed_usd_per_yr,
        excess_mwh_per_yr=excess_mwh(case, certified_use(done)),
        uptimes=tuple(part.uptime.value for part in done.classes) or (done.uptime.value,),
        targets=_targets(case),
        held=done.reserve is None or done.reserve.met,
    )


def _error(difference: FloatArray) -> float | None:
    """Give the standard error of a mean over weather years; one year shows none."""
    if difference.size < 2:
        return None
    return float(difference.std(ddof=1)) / math.sqrt(difference.size)
