"""Closed loop: size for the operator who will really run the plant, starting from proven optima.

A judge runs a plant causally through weather years under sampled outages, always with the same random
numbers, so that two plants differ by what they are and not by luck (:mod:`sitedesign.certified.evaluator`).
Capacities, units, racks and the controller are moved one after the other
(:mod:`sitedesign.certified.pattern_search`) and all at once (:mod:`sitedesign.certified.slp`); the yardstick
is annual cost plus a price on whatever compute is missing from the target. A certificate on unseen years has
the last word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from sitedesign.case import capacity_bounds
from sitedesign.case.build import StudyCase
from sitedesign.case.case import (
    BackupCase,
    Case,
    FloatArray,
    Plant,
    Sizing,
    rolled,
    sizes_of,
    sunny_afternoon,
    with_sizes,
)
from sitedesign.case.relaxation import relaxation
from sitedesign.certified.adaptive_sampling import reach
from sitedesign.certified.environment import (
    Metric,
    OperatingEnvironment,
    certify,
    metric_key,
    unseen_years,
    weather_block,
)
from sitedesign.certified.evaluator import Aim, Judge, Trial, co2_t_per_mmbtu, excess_mwh
from sitedesign.certified.moves import SPARE_UNITS, generous, inside, mean_load_mw, starts, units_most
from sitedesign.certified.pattern_search import Say, search
from sitedesign.errors import InfeasibleDesign
from sitedesign.operation.forecast import Forecast
from sitedesign.operation.outages.sampling import OutageConditions, sample_outages, unit_availability
from sitedesign.operation.state import Controller
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.reliability.certificate import TUNED, Certificate
from sitedesign.reliability.weather_blocks import WeatherBlock
from sitedesign.study.effort import Effort

FIRST_Z_SCORES = (1.0, 2.0, 4.0)
WARY = Controller(
    forecast_z_score=4.0, capacity_credit=0.4, reserve_h=1.0
)  # where searches with much sun and storage often end
LEAST_FIRST_PRICE = 4_000.0  # of lost compute, when a search begins. [USD/MWh]
WORST_EVENTS = 5  # that a certificate names
SMALL_UNIT_SHARE = 0.04  # of the mean load; smaller units are taken together
FIRST_CHANCE = 0.8  # of the chance of being wrong that the first certificate may use up
MORE_IN_HAND = 1.25  # by which that grows when a certificate is not met
# With a perfect forecast: share of array and battery that is tried, and hours of margin on top
SMALLER, MORE_RESERVE_H = 0.85, (0.0, 3.0)
LEAST_LOST = 1e-9  # what stands for nothing lost, where a logarithm is taken. [fraction]
LESS_OF_CAPS = 0.99  # asked of the next search where energy was above a cap, on top of the excess
_STREAM = 0x5EA7C4  # keeps the years of searches apart from those of certificates


@dataclass(frozen=True)
class Loop:
    """Outcome of the closed loop.

    Attributes
    ----------
    best : Trial
        On all the search's years.
    certificate : Certificate
        On years and seeds that the search never saw.
    met : bool
        The target is kept, at the certificate's confidence for all that were asked together.
    rounds, trials : int
        Certificates that were needed, plants judged.
    over_caps : float
        Share of the backup energy that is above the caps of renewable share and CO2, on unseen years or the
        study's own; 0 when both keep them. [fraction]
    weather_usd_per_yr : float
        What an operator who foresaw the weather, but no failure, would save at the same uptime on the same
        years; 0 where the target was not met. [USD/yr]
    """

    best: Trial
    certificate: Certificate
    met: bool
    rounds: int
    trials: int
    over_caps: float = 0.0
    weather_usd_per_yr: float = 0.0


def case_with_outages(study_case: StudyCase, environment: OperatingEnvironment, seed: int) -> Case:
    """Put one sampled draw of outages of the units into the capability rows of a case.

    A planner who foresees weather *and* failures sizes on it; his cost is a bound for any operator who meets
    the same years. Small units are taken together by their mean: among fifty, chance averages out.

    Parameters
    ----------
    study_case : StudyCase
    environment : OperatingEnvironment
    seed : int
        The judge's, so that both see the same failures.
    """
    case, block = study_case.case, weather_block(study_case)
    most = [max(item.units_min, min(units_most(case, item), _useful(case, item))) for item in case.backup]
    sampled = [max(count, 1) for count in most]  # a row there must be, also where no unit is allowed
    conditions = OutageConditions(case.step_h, case.years, 0, block.temp_air_c, environment.climatology)
    paths = sample_outages(environment.outages, sampled, conditions, 0, seed)
    backup = []
    for k, item in enumerate(case.backup):
        stored = environment.unit_behaviours[k].storage_h > 0.0
        up = unit_availability(paths, environment.outages, sampled, k, case.steps, stored_fuel=stored)
        if item.unit_mw < SMALL_UNIT_SHARE * mean_load_mw(case):
            up = up.mean(axis=0, keepdims=True)
        rows = np.ascontiguousarray(item.capability * up)
        backup.append(replace(item, capability=rows, units_max=most[k]))
    return replace(case, backup=tuple(backup))


def _useful(case: Case, item: BackupCase) -> int:
    """Units beyond which another one has nothing to do, spares included."""
    peak = float(case.load_mw.max(initial=0.0))
    return capacity_bounds.units_max(peak, item.unit_mw, item.capability) + SPARE_UNITS


@dataclass(frozen=True)
class Closed:
    """A closed loop, and what a planner who sees even the failures would pay.

    Attributes
    ----------
    loop : Loop
    with_failures_usd_per_yr : float or None
        None when even he finds no plant. [USD/yr]
    """

    loop: Loop
    with_failures_usd_per_yr: float | None


def closed_for(study_case: StudyCase, environment: OperatingEnvironment, effort: Effort, say: Say) -> Closed:
    """Size with foresight of weather and failures, and from there search for an operator who has none.

    Parameters
    ----------
    study_case : StudyCase
    environment : OperatingEnvironment
    effort : Effort
    say : callable
        Takes one line of progress.

    Returns
    -------
    Closed
    """
    study = study_case.study
    say("sizing with foresight of weather and failures")
    failing = relaxation(case_with_outages(study_case, environment, study.seed), study.metric).case
    failing = rolled(failing, sunny_afternoon(study_case.case))
    pool, found = CutPool(failing), list[Sizing]()
    for case, gap in ((failing, 1e-3), (_tighter(failing), 2e-3)):
        try:
            found.append(solve_cuts(case, gap=gap, cut_pool=pool, explains=False, keeps_dispatch=False))
        except InfeasibleDesign:
            break  # what fails may leave too little even for him; the search then starts from the limits
    first = found[0] if found else None
    loop = close_loop(
        study_case,
        environment,
        [sizing.plant for sizing in found] or [_all_that_is_allowed(study_case.case)],
        price_usd_per_mwh=(first.uptime_price_usd_per_mwh or 0.0) if first else 0.0,
        metric=study.metric,
        effort=effort,
        seed=study.seed,
        say=say,
    )
    without_value = None if first is None else first.objective_usd_per_yr - first.lost_value_usd_per_yr
    return Closed(loop, without_value)


def _tighter(case: Case) -> Case:
    """Allow half of the downtime: another place to start from."""
    classes = tuple(replace(part, uptime_target=_halfway(part.uptime_target)) for part in case.load_classes)
    return replace(case, uptime_target=_halfway(case.uptime_target), load_classes=classes)


def _halfway(target: float) -> float:
    return 1 - (1 - target) / 2


def _all_that_is_allowed(case: Case) -> Plant:
    """Half a day of battery, resources that fill it twice, every unit: more than most sites need."""
    load = mean_load_mw(case)
    units = tuple(item.units_max for item in case.backup)
    resources = tuple(6 * load / len(case.resources) for _ in case.resources)
    return inside(Plant(resources, 12 * load, 2 * load, units, case.racks_max), case)


def search_years(study_case: StudyCase, years: int, seed: int) -> list[WeatherBlock]:
    """Weather years for a search: the study's own, then others of the same climate.

    A record too short to draw from is all there is: then its years come again, each time under other failures
    and forecast errors.
    """
    blocks, total = [weather_block(study_case)], study_case.case.years
    build, _ = unseen_years(study_case, seed ^ _STREAM)
    number = 0
    while total < years:
        blocks.append(build(number))
        number, total = number + 1, total + blocks[-1].case.years
    return blocks


def close_loop(
    study_case: StudyCase,
    environment: OperatingEnvironment,
    planned: Sequence[Plant],
    *,
    price_usd_per_mwh: float,
    metric: Metric,
    effort: Effort,
    seed: int,
    say: Say,
) -> Loop:
    """Search, certify, ask for more where the certificate falls short, and search again.

    Parameters
    ----------
    study_case : StudyCase
    environment : OperatingEnvironment
    planned : sequence of Plant
        Of planners who see everything: where the search starts.
    price_usd_per_mwh : float
        Price of uptime at such an optimum. [USD/MWh]
    metric : str
        ``rack``, ``compute``, ``site`` or ``floor``.
    effort : Effort
    seed : int
    say : callable
        Takes one line of progress.

    Returns
    -------
    Loop
        Met, unless no search reached it.
    """
    case = study_case.case
    targets = tuple(part.uptime_target for part in case.classes)
    aim = Aim(
        targets,
        tuple(part.share * case.load_mwh_per_yr for part in case.classes),
        case.lost_value_usd_per_mwh,
        # Where no uptime is asked for, its worth alone decides
        tuple(max(LEAST_FIRST_PRICE, price_usd_per_mwh) if target > 0 else 0.0 for target in targets),
    )
    say(f"drawing {effort.years} weather years to search on")
    judge = Judge(search_years(study_case, effort.years, seed), environment, metric, seed, effort.draws)
    first_rules = [Controller(forecast_z_score=z_score) for z_score in FIRST_Z_SCORES]
    first = judge.trials_of(list(product(starts(judge.case, planned), first_rules)))
    # On the study's own years first: they are few
    best, aim = search(judge, min(first, key=aim.merit), aim, effort.trials, say)
    # Many years may ask for something else altogether
    rich = product(generous(judge.case, planned), (best.controller, WARY))
    asked_of_all = [(best.plant, best.controller), *rich]
    best = min(judge.exact_of(asked_of_all), key=replace(aim, goals=targets).merit)
    in_hand: tuple[float, ...] | None = None
    failed: set[tuple[Plant, Controller]] = set()
    outcome: Loop | None = None
    turns = effort.turns
    for number in range(1, effort.rounds + 1):
        asked = replace(aim, goals=targets)
        best, aim = reach(judge, best, asked, in_hand, replace(effort, turns=turns), failed, say)
        if (best.plant, best.controller) in failed:
            break  # nothing else was found, and more seeds are no better plant
        say(f"certifying on {effort.certificate_years} unseen years")
        certificate = certify(
            study_case,
            best.plant,
            best.controller,
            rule=TUNED,
            years=effort.certificate_years,
            draws=effort.certificate_draws,
            seed=seed + number,
            metric=metric_key(metric),
            attribute=effort.cause_years > 0,
            attribute_years=effort.cause_years,
            events=WORST_EVENTS,
        )
        over = _over_caps(judge, best, certificate)
        sure = certificate.meets(_confidence(certificate.confidence, number, effort.rounds))
        outcome = Loop(best, certificate, sure and over == 0.0, number, judge.judged, over)
        if outcome.met:
            break
        if over > 0.0:
            judge.hold_back(LESS_OF_CAPS * (1.0 - over))
        # A plant is certified once: years enough to choose from would let any pass. What the search's years
        # flatter, the next search has to have in hand.
        failed.add((best.plant, best.controller))
        least = _lower(certificate, _confidence(certificate.confidence, number + 1, effort.rounds))
        parts = zip(best.kept, least, aim.goals, targets, strict=True)
        in_hand = tuple(max(kept - low, MORE_IN_HAND * (goal - target)) for kept, low, goal, target in parts)
        turns = max(1, effort.turns - 1)
    assert outcome is not None  # the first round always asks for a certificate
    outcome = replace(outcome, trials=judge.judged)
    if not outcome.met:
        return outcome
    say("operating it with a perfect forecast of the weather")
    return replace(outcome, weather_usd_per_yr=surprises_of_weather(judge, outcome.best))


def surprises_of_weather(judge: Judge, best: Trial) -> float:
    """Find what a perfect forecast of the weather would save a plant at the same uptime. [USD/yr]

    Failures still come as they come. The plant as it is and with less array and battery is judged on all
    years with that forecast, with the margin it has and with more, and its cost is read off at the uptime
    that is kept without it. The search is not repeated: its luck would be mistaken for the value of a
    forecast. He who foresees may also do what the other does, so that he never pays more.

    Parameters
    ----------
    judge : Judge
        Of the operator who does not foresee.
    best : Trial
        What he found, judged on all years.
    """
    seer, plant, rule = judge.seeing(Forecast(kind="perfect")), best.plant, best.controller
    sizes = {name: SMALLER * size for name, size in sizes_of(judge.case, plant).items()}
    smaller = inside(with_sizes(judge.case, plant, sizes), judge.case)
    rules = [replace(rule, reserve_h=rule.reserve_h + more) for more in MORE_RESERVE_H]
    tried = seer.exact_of(list(product((plant, smaller), rules)))
    points = [
        (_log_more_lost(trial, best), trial.cost_usd_per_yr) for trial in tried if not trial.excess_mwh_per_yr
    ]
    return max(0.0, best.cost_usd_per_yr - _cost_at_no_more_lost(points))


def _log_more_lost(trial: Trial, best: Trial) -> float:
    """Logarithm of what is lost over what may be, of the class that loses most of what it may."""
    pairs = zip(trial.kept, best.kept, strict=True)
    return max(float(np.log(max(1 - kept, LEAST_LOST) / max(1 - asked, LEAST_LOST))) for kept, asked in pairs)


def _cost_at_no_more_lost(points: Sequence[tuple[float, float]]) -> float:
    """Read the least cost off the lines between points of (logarithm of loss, cost), where it is 0."""
    costs = [cost for more, cost in points if more <= 0]
    for (more, cheap), (less, dear) in product(points, points):
        if less < 0 < more:
            costs.append(dear + (cheap - dear) * less / (less - more))
    return min(costs, default=np.inf)


def _over_caps(judge: Judge, best: Trial, certificate: Certificate) -> float:
    """Share of the backup energy above the caps, on unseen years or in those that a design reports."""
    limits = judge.case.limits
    if limits.min_renewable_share is None and limits.max_co2_t_per_yr is None:
        return 0.0
    alone = Judge(judge.blocks[:1], judge.environment, judge.metric, judge.seed)
    done = alone.operate(best.plant, best.controller, record=False)
    energy, fuel = map(np.array, (certificate.backup_mwh_per_yr, certificate.fuel_mmbtu_per_yr))
    return max(
        _share_over(alone.case, done.backup_mwh.mean(axis=1), done.fuel_mmbtu.mean(axis=1)),
        _share_over(alone.case, energy, fuel),
    )


def _share_over(case: Case, backup_mwh_per_yr: FloatArray, fuel_mmbtu_per_yr: FloatArray) -> float:
    total, co2 = float(backup_mwh_per_yr.sum()), float(co2_t_per_mmbtu(case) @ fuel_mmbtu_per_yr)
    return excess_mwh(case, total, co2) / total if total > 0 else 0.0


def _confidence(together: float, number: int, rounds: int) -> float:
    """Confidence asked of one certificate, so that any of them is wrong no more often than one alone may be.

    The chances of being wrong add up to the one allowed (Bonferroni): most of it is the first certificate's.
    """
    chance = 1 - together
    if rounds == 1:
        return together
    return 1 - chance * (FIRST_CHANCE if number == 1 else (1 - FIRST_CHANCE) / (rounds - 1))


def _lower(certificate: Certificate, confidence: float) -> list[float]:
    """Lower bound of the uptime of each class."""
    kept = [part.uptime for part in certificate.classes] or [certificate.uptime]
    return [uptime.lower_bound(confidence) for uptime in kept]
