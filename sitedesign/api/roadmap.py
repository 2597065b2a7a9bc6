"""Which power when: the plan over months, from orders to racks that run."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any, Literal, Unpack

from sitedesign.api.question import one_study, study_faults
from sitedesign.api.roadmap_answer import Roadmap
from sitedesign.errors import Fault, InfeasibleDesign, InputError, NotProvenOptimal, shown
from sitedesign.library import names
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.phasing.answer import (
    certified_stages_of,
    net_present_cost_usd,
    orders_of,
    stages_of,
    value_usd,
)
from sitedesign.phasing.certified import certify_stages
from sitedesign.phasing.explain import explained
from sitedesign.phasing.from_study import (
    Asked,
    StudyQuestion,
    credit_of,
    dates_asked,
    faults_of,
    question_of,
)
from sitedesign.phasing.hand_made import hand_made_plans
from sitedesign.phasing.sampled import sampled_dates, spreads_of
from sitedesign.phasing.scenarios import solve_scenarios
from sitedesign.phasing.search import RoadmapPlan, StagePlan, solve_roadmap
from sitedesign.phasing.words import limited_by
from sitedesign.phasing.worth import months_worth
from sitedesign.results.roadmap import MONTHS_PER_YEAR, DatedPlan, MonthsWorth, Order, Stage
from sitedesign.study.effort import EFFORT, EFFORTS, GAP, TIME_LIMIT_S, Effort, EffortName
from sitedesign.study.question import Question, with_fields
from sitedesign.study.roadmap_defaults import dates_of, rentals_of, value_of, with_usual
from sitedesign.study.roadmap_inputs import DateRange, Delivery, Ramp, Rental, Scenario, ramp_of
from sitedesign.study.study import Study
from sitedesign.util.gate import CALL, FLAG, Day, Gate, Measure, OneOf, is_number, takes
from sitedesign.util.progress import Progress, silent

_HORIZON = Measure("months", 1, 600, whole=True)
_STAGES = Measure("stages", 1, 24, whole=True)
_DAY = Day(2020, 2060)
_DRAWS = Measure("draws", 2, 10_000, whole=True)
_GRID, _WHOLE = "grid", "whole"
DEFAULT_STAGES, DEFAULT_GAP, DEFAULT_DRAWS = 12, 1e-3, 200


class _Worth(Gate):
    """Yes or no, of the grid alone, or in whole plans."""

    def wrong(self, value: Any) -> tuple[str, str, str] | None:  # noqa: ANN401
        """Say what is wrong as (found, allowed, remedy), or None."""
        if isinstance(value, bool) or value in (_GRID, _WHOLE):
            return None
        return shown(value), f"must be True, False, {_GRID!r} or {_WHOLE!r}", ""


class _Value(Gate):
    """Value of a rack that runs: a number, or an owner whom the library knows."""

    number = Measure("USD/rack-month", 0, 1e8, above=True)

    def clean(self, value: Any) -> Any:  # noqa: ANN401
        """Make a plain number."""
        return self.number.clean(value)

    def wrong(self, value: Any) -> tuple[str, str, str] | None:  # noqa: ANN401
        """Say what is wrong as (found, allowed, remedy), or None."""
        if isinstance(value, str) and not is_number(value):
            return OneOf(tuple(names("owner"))).wrong(value)
        return self.number.wrong(value)


def _roadmap_faults(given: Mapping[str, Any]) -> list[Fault]:
    """Faults of a question given as keywords, for a caller whose options are wrong too."""
    return study_faults(given) + _parts(given)[1]


@with_fields(Question)
@takes(
    "roadmap()",
    also=_roadmap_faults,
    value_usd_per_rack_month=_Value(),
    start=_DAY,
    horizon_months=_HORIZON,
    stages=_STAGES,
    worth=_Worth(),
    draws=_DRAWS,
    gap=GAP,
    time_limit_s=TIME_LIMIT_S,
    by_hand=FLAG,
    certify=FLAG,
    effort=EFFORT,
    progress=CALL,
)
def roadmap(
    study: Study | None = None,
    *,
    ramp: Ramp | Mapping[int, int] | Sequence[tuple[int, int]] | int | None = None,
    value_usd_per_rack_month: float | str | None = None,
    start: date | str | None = None,
    horizon_months: int | None = None,
    rentals: Sequence[Rental | Mapping[str, Any] | str] | Mapping[str, int] | str | None = None,
    deliveries: Sequence[Delivery | Mapping[str, Any]] | None = None,
    scenarios: Sequence[Scenario | Mapping[str, Any]] | None = None,
    dates: Sequence[DateRange | Mapping[str, Any]] | Mapping[str, Sequence[float]] | str | None = None,
    draws: int = DEFAULT_DRAWS,
    stages: int = DEFAULT_STAGES,
    worth: bool | Literal["grid", "whole"] = False,
    gap: float = DEFAULT_GAP,
    time_limit_s: float | None = None,
    by_hand: bool = False,
    certify: bool = False,
    effort: EffortName = "screening",
    progress: Progress | None = None,
    **question: Unpack[Question],
) -> Roadmap:
    """Plan which power comes when: what to order, rent and connect, and how many racks run in which month.

    Everything is paid from its delivery until the horizon, at the annual cost that :func:`solve` uses, and
    discounted to the start at the real cost of capital of a power plant. The uptime target is kept in every
    stage for the racks that run in it, with foresight and without failures.

    Parameters
    ----------
    study : Study, optional
        Or give its fields as keywords. Its racks are all that there will ever be.
    ramp : Ramp, mapping of int to int, or int, optional
        Racks that are asked for by month. Without a value of racks a promise: all of them run. With one, as
        many of them run as pay. All from month 0 on when left out.
    value_usd_per_rack_month : float or str, optional
        What a rack that runs is worth, rent or carrying cost, never both; or its owner by name in the
        library. [USD/rack-month]
    start : date, optional
        First day of month 0, on which the first orders are placed and construction begins; that of
        ``construction_start`` when left out.
    horizon_months : int, optional
        The years of the analysis when left out. [months]
    rentals : sequence of Rental, or names or units by name, optional
        Units that can be rented.
    deliveries : sequence of Delivery, optional
        Lead times and rates; those of the library for what is left out.
    scenarios : sequence of Scenario, optional
        Sets of dates of which one comes true: what is ordered before the first of these dates is the same in
        all, and costs and values are expected ones.
    dates : sequence of DateRange, mapping of str to months, or "library", optional
        Dates that are not known: P10, P50 and P90 of the month of the first of a technology, or P10 and P90
        around the month that is planned, by name (``{"grid": (24, 36, 60)}``); or as the library has it for
        all. What the plan orders is kept and evaluated on dates drawn from them: :attr:`Roadmap.sampled`.
        Not with scenarios. [months]
    draws : int
        Of these dates, with the seed of the study.
    stages : int
        About how many stages the time is divided into at most; a ramp that is a promise may have more steps.
    worth : bool, "grid" or "whole"
        Also say what a month of earlier grid, one more unit for rent and a month less of lead time of each
        technology are worth: the question asked again close to the plan, which takes about as long as the
        plan itself. With "grid" only a month of earlier grid. With more than 200 racks it takes units and
        racks for divisible; with "whole" whole plans are solved anew for the grid and the units for rent
        until what they are worth is known to 1.5 %, or as closely as whole racks let it be, within limits
        that are stated: a minute or two for each and for the plan itself, 300 s at most. Not with
        scenarios.
    gap : float
        Relative gap, of the larger of cost and value. [fraction]
    time_limit_s : float, optional
        Of the optimiser, without what `worth` asks. [s]
    by_hand : bool
        Also plan what people plan by hand: wait for the grid; all gas; solar and battery only.
    certify : bool
        Search for each stage in turn a plant that keeps the target of its racks without foresight and while
        things fail, on what was built before and what can be there by then; and certify all of them
        together, at 95 %. What a month is worth stays that of the plan with foresight.
    effort : str
        Of that search, as for :func:`solve`: about ten seconds of one core a stage, or three times that.
    progress : callable, optional
        Called with one line of text now and then.

    Returns
    -------
    Roadmap
        Every stage replayed by code that shares nothing with the optimiser before it is returned.

    Raises
    ------
    InputError
        All faults at once, before any solver starts.
    InfeasibleDesign
        Says which month asks for more than can be there, or which stage cannot be certified.
    NotProvenOptimal
        When the time limit comes first; carries the plan known, if any.

    Examples
    --------
    >>> plan = sd.roadmap(study, ramp={20: 8, 32: 16}, horizon_months=120, stages=3, gap=1e-2)
    >>> plan.first_power_month
    20.0
    """
    began = time.perf_counter()
    given: dict[str, Any] = {"ramp": ramp, "rentals": rentals, "deliveries": deliveries}
    given |= {"scenarios": scenarios, "dates": dates}
    study = one_study(study, question)
    parts, faults = _parts(given)
    if faults:
        raise InputError(faults, "roadmap()")
    asked = Asked(
        parts["ramp"],
        value_of(value_usd_per_rack_month, study),
        _DAY.clean(start) if start is not None else study.construction_start,
        horizon_months or study.finance.analysis_yr * MONTHS_PER_YEAR,
        parts["rentals"],
        with_usual(parts["deliveries"], study),
        parts["scenarios"],
        parts["dates"],
        stages,
    )
    faults = faults_of(study, asked)
    options = {"certify": certify, "worth": worth, "by_hand": by_hand, "dates": asked.dates}
    faults += [
        Fault(name, "given with scenarios", "is asked of one set of dates", "Leave one of them out.")
        for name, asks in options.items()
        if asks and asked.scenarios
    ]
    if faults:
        raise InputError(faults, "roadmap()")
    say = progress or silent
    made, plan, found = _planned(study, asked, gap, time_limit_s, say)
    if by_hand:

        def alone(restricted: Study, beside: Asked) -> Roadmap:
            return _planned(restricted, replace(beside, dates=()), gap, time_limit_s, silent)[2]

        found = replace(found, by_hand=hand_made_plans(study, asked, alone, say))
    if worth:
        say("asking what a month and a unit more for rent are worth")
        found = replace(found, worth=_worth_of(plan, worth, say))
    if asked.dates:
        spreads = spreads_of(made.question, dates_asked(study, made.question, asked))
        found = replace(found, sampled=sampled_dates(plan, spreads, draws, study.seed, say))
    if certify:
        found = _certified(study, asked, made, plan, found, EFFORTS[effort], say)
    return replace(found, seconds=time.perf_counter() - began)


def _worth_of(plan: RoadmapPlan, asked: bool | str, say: Progress) -> MonthsWorth:
    return months_worth(plan, grid_alone=asked == _GRID, whole=asked == _WHOLE, progress=say)


def _planned(
    study: Study, asked: Asked, gap: float, time_limit_s: float | None, say: Progress
) -> tuple[StudyQuestion, RoadmapPlan, Roadmap]:
    """Plan with foresight, every stage replayed."""
    began = time.perf_counter()
    say("preparing weather, solar yield and load")
    made = question_of(study, asked)
    spreads_of(made.question, dates_asked(study, made.question, asked))  # told before anything is solved
    pool = CutPool(made.question.case)
    try:
        plan = _solved(made, asked, pool, gap, time_limit_s, say)
    except InfeasibleDesign:
        if asked.value_usd_per_rack_month is not None:
            raise
        raise explained(made.question, pool, say) from None
    say("replaying every stage")
    found = replace(_roadmap(study, asked, made, plan), seconds=time.perf_counter() - began)
    if plan.stopped_by != "gap":
        message = (
            f"stopped by the {plan.stopped_by.replace('_', ' ')} at a gap of {found.gap:.2%}: "
            f"{plan.cost_usd / 1e6:,.2f} M USD found, {plan.bound_usd / 1e6:,.2f} M USD proven. The plan is "
            "in error.incumbent; allow more time, fewer stages or a wider gap."
        )
        raise NotProvenOptimal(message, found, plan.bound_usd)
    return made, plan, found


def _parts(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """Make ramp, rentals and deliveries of what was given, with all their faults."""
    makers: dict[str, Callable[[Any], Any]] = {
        "ramp": ramp_of,
        "rentals": rentals_of,
        "deliveries": partial(_several_of, Delivery, "deliveries"),
        "scenarios": partial(_several_of, Scenario, "scenarios"),
        "dates": dates_of,
    }
    parts: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, make in makers.items():
        try:
            parts[name] = make(given.get(name))
        except InputError as error:
            faults += error.faults
    rented = parts.get("rentals", ())
    wrong = [item for item in rented if not isinstance(item, Rental)]
    allowed = "must be a sitedesign.Rental, a mapping of its fields, or a name of the library"
    faults += [Fault("rentals", repr(item)[:60], allowed) for item in wrong]
    return parts, faults


def _several_of(cls: type[Delivery | Scenario], name: str, given: Any) -> tuple[Any, ...]:  # noqa: ANN401
    """Make objects of a class of mappings.

    Raises
    ------
    InputError
    """
    if given is None:
        return ()
    items = [given] if isinstance(given, cls | Mapping) else given
    if not isinstance(items, list | tuple):
        allowed = f"must be a sequence of sitedesign.{cls.__name__}"
        raise InputError([Fault(name, repr(given)[:60], allowed)], "roadmap()")
    found: list[Any] = []
    faults: list[Fault] = []
    for number, item in enumerate(items):
        try:
            found.append(cls.from_dict(item) if isinstance(item, Mapping) else item)
        except InputError as error:
            faults += error.faults
        if not isinstance(item, cls | Mapping):
            allowed = f"must be a sitedesign.{cls.__name__} or a mapping of its fields"
            faults.append(Fault(f"{name}[{number}]", repr(item)[:60], allowed))
    if faults:
        raise InputError(faults, "roadmap()")
    return tuple(found)


def _solved(
    made: StudyQuestion,
    asked: Asked,
    pool: CutPool,
    gap: float,
    time_limit_s: float | None,
    progress: Progress,
) -> RoadmapPlan:
    if not asked.scenarios:
        return solve_roadmap(made.question, gap=gap, time_limit_s=time_limit_s, pool=pool, progress=progress)
    return solve_scenarios(
        made.question, asked.scenarios, gap=gap, time_limit_s=time_limit_s, pool=pool, progress=progress
    )


def _roadmap(study: Study, asked: Asked, made: StudyQuestion, plan: RoadmapPlan) -> Roadmap:
    dated = _dated(study, asked, plan) if asked.scenarios else ()
    stages, orders = _answers(study, asked, plan, 0)
    path = plan.paths[0]
    cost, value = net_present_cost_usd(path, stages), value_usd(path, stages)
    if dated:
        cost = sum(item.probability * item.net_present_cost_usd for item in dated)
        value = sum(item.probability * item.value_usd for item in dated)
    return Roadmap(
        study=study.to_dict(),
        start=asked.start,
        horizon_months=asked.horizon_months,
        discount_per_yr=made.question.discount_per_yr,
        value_usd_per_rack_month=asked.value_usd_per_rack_month,
        stages=stages,
        orders=orders,
        net_present_cost_usd=cost,
        value_usd=value,
        bound_usd=plan.bound_usd,
        ramp=tuple((int(month), racks) for month, racks in made.question.steps),
        stopped_by=plan.stopped_by,
        scenarios=dated,
        notes=(*_of_growth(study), *made.study_case.notes),
    )


def _of_growth(study: Study) -> list[str]:
    """Say that every stage is planned for the grown load: months are not followed."""
    if not study.load_growth_per_yr:
        return []
    grown = f"{study.load_growth:.3g} times that of the first year (load_growth_per_yr)"
    return [f"Every stage is planned for the load of year {study.plant_age_yr:g}, {grown}."]


def _certified(
    study: Study,
    asked: Asked,
    made: StudyQuestion,
    plan: RoadmapPlan,
    planned: Roadmap,
    effort: Effort,
    progress: Progress,
) -> Roadmap:
    """Put the plants that were certified in the place of those planned with foresight."""
    path = plan.paths[0]
    certified = certify_stages(made.study_case, path, plan.stages[0], effort, progress)
    pairs = zip(certified_stages_of(path, certified), planned.stages, strict=True)
    stages = tuple(replace(stage, limited_by=before.limited_by) for stage, before in pairs)
    plans = [stage.plan for stage in certified]
    return replace(
        planned,
        stages=stages,
        orders=orders_of(path, plans, _credits(study, asked, plans)),
        net_present_cost_usd=net_present_cost_usd(path, stages),
        value_usd=value_usd(path, stages),
        stopped_by="certificate",
    )


def _dated(study: Study, asked: Asked, plan: RoadmapPlan) -> tuple[DatedPlan, ...]:
    """Plan of each set of dates, with what it would cost and earn if they were known on the first day."""
    found = []
    for p, scenario in enumerate(asked.scenarios):
        path = plan.paths[p]
        stages, orders = _answers(study, asked, plan, p)
        known = plan.known[p]
        of_known = stages_of(known)
        found.append(
            DatedPlan(
                path.name,
                scenario.probability,
                {name: float(month) for name, month in scenario.months.items()},
                stages,
                orders,
                net_present_cost_usd(path, stages),
                value_usd(path, stages),
                net_present_cost_usd(known.paths[0], of_known),
                value_usd(known.paths[0], of_known),
            )
        )
    return tuple(found)


def _answers(
    study: Study, asked: Asked, plan: RoadmapPlan, p: int
) -> tuple[tuple[Stage, ...], tuple[Order, ...]]:
    """Stages of one path with what holds each back, and its orders with the credits of their dates."""
    path, planned = plan.paths[p], plan.stages[p]
    stages = tuple(
        replace(stage, limited_by=limited_by(path.question, of))
        for stage, of in zip(stages_of(plan, p), planned, strict=True)
    )
    return stages, orders_of(path, planned, _credits(study, asked, planned))


def _credits(study: Study, asked: Asked, planned: Sequence[StagePlan]) -> dict[tuple[str, float], float]:
    """Tax credit of everything that is owned by the month of its delivery. [fraction of capital]"""
    return {
        (name, of.time.begins): credit_of(study, name, asked.start, of.time.begins)
        for of in planned
        for name in of.owned
    }
