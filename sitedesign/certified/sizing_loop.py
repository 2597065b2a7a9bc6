"""Sizing loop: size for the operator who will really run the plant, starting from proven optima.

An evaluator runs a plant causally through weather years under sampled outages, always with the same random
numbers, so that two plants differ by what they are and not by luck (:mod:`sitedesign.certified.evaluator`).
Capacities, units, racks and the controller are moved one after the other
(:mod:`sitedesign.certified.pattern_search`) and all at once (:mod:`sitedesign.certified.slp`); the objective
is annual cost plus a price on whatever compute is missing from the target. A certificate on unseen years has
the last word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np

from sitedesign.case.annual_use import caps_of
from sitedesign.case.build import StudyCase
from sitedesign.case.case import Case
from sitedesign.case.plant import Plant
from sitedesign.case.relaxation import relaxation
from sitedesign.case.years import cyclic_start_step, shift_start
from sitedesign.certified.adaptive_sampling import ONE_STEP, improve
from sitedesign.certified.coarser_steps import EVALUATED_STEP_H, block_on_steps_of, environment_on_steps_of
from sitedesign.certified.environment import metric_key
from sitedesign.certified.evaluator import Evaluator
from sitedesign.certified.looks import (
    CLOSER_LOOK,
    Margin,
    chance_of,
    is_much_at_stake,
    is_worth_a_look,
    margin_between,
    margin_of_failed,
    margin_to_spare,
    nearly_met,
    rounded_down,
)
from sitedesign.certified.objective import (
    Candidate,
    CappedUse,
    Decision,
    SearchObjective,
    excess_mwh,
)
from sitedesign.certified.out_of_sample import UnseenYears
from sitedesign.certified.pattern_search import pattern_search
from sitedesign.certified.perfect_forecast import perfect_forecast_value
from sitedesign.certified.scenario_years import search_years, weather_block
from sitedesign.certified.slp import solve_slp
from sitedesign.certified.starting_points import (
    half_downtime,
    initial_plants,
    largest_plant,
    on_island,
    sampled_outage_case,
    storage_rich_plants,
)
from sitedesign.errors import InfeasibleDesign
from sitedesign.operation.capped_use import used_by_year
from sitedesign.operation.environment import OperatingEnvironment
from sitedesign.operation.state import Controller, ControllerKind
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.optimize.result import OptimizationResult
from sitedesign.reliability.certificate import TUNED, Certificate
from sitedesign.reliability.certificate_plan import CertificatePlan
from sitedesign.reliability.replay import fixed_cost_usd_per_yr
from sitedesign.study.effort import Effort
from sitedesign.util.progress import Progress
from sitedesign.util.threads import meanwhile

FIRST_Z_SCORES = (1.0, 2.0, 4.0)
# Where searches with much sun and storage often end
WARY = Controller(forecast_z_score=4.0, capacity_credit=0.4, reserve_h=1.0)
# Of the best plant's fixed cost: a plant whose estimated merit is worse by more is given up
FAR = 0.15
MOST_RICH = 2  # plants rich in storage that are evaluated on all years
LEAST_FIRST_MULTIPLIER = 4_000.0  # of lost compute, when a search begins. [USD/MWh]
CONFIDENCE = 0.95  # one-sided, of a certificate
WORST_EVENTS = 5  # that a certificate names
SIZING = "sizing with foresight of weather and failures"  # said when it begins
CAP_SHARE = 0.99  # asked of the next search where energy was above a cap, on top of the excess


@dataclass(frozen=True)
class SearchResult:
    """Outcome of search and certificates.

    Attributes
    ----------
    best : Candidate
        On all the search's years.
    certificate : Certificate
        On years and seeds that the search never saw.
    met : bool
        The target is kept, at the certificate's confidence for all that were asked together.
    certificates, evaluations : int
        Certificates that were needed, plants run.
    cap_excess : float
        Share of the energy of backup and imports that is above the caps of renewable share and CO2, on unseen
        years or the study's own; 0 when both keep them. [fraction]
    lost_without_spares_mwh_per_yr : float
        What it loses above the target while the spare units are out that the study asks for; with more than
        0 it is not met. [MWh/yr]
    perfect_forecast_usd_per_yr : float
        What an operator who foresaw the weather, but no failure, would save at the same uptime on the same
        years; 0 where the target was not met. [USD/yr]
    """

    best: Candidate
    certificate: Certificate
    met: bool
    certificates: int
    evaluations: int
    cap_excess: float = 0.0
    lost_without_spares_mwh_per_yr: float = 0.0
    perfect_forecast_usd_per_yr: float = 0.0


@dataclass(frozen=True, eq=False)
class FailureSizing:
    """What planners who see even the failures of one draw would build: where a search begins.

    Attributes
    ----------
    plants : list of Plant
        Their optima, that of the question itself first; empty when even they find none.
    first : OptimizationResult or None
        Of the question itself.
    case : Case
        The question under that draw.
    pool : CutPool
        Cuts of it.
    evaluator : Evaluator
        Of the years to search on, drawn meanwhile.
    """

    plants: list[Plant]
    first: OptimizationResult | None
    case: Case
    pool: CutPool
    evaluator: Evaluator


def size_then_search(
    study_case: StudyCase, environment: OperatingEnvironment, effort: Effort, progress: Progress
) -> SearchResult:
    """Size with foresight of weather and failures, and from there search for an operator who has none."""
    progress(SIZING)
    sized = size_with_failures(study_case, environment, effort)
    return search_from(sized, study_case, environment, effort, progress)


def size_with_failures(
    study_case: StudyCase, environment: OperatingEnvironment, effort: Effort
) -> FailureSizing:
    """Find optimal plants of planners who foresee one draw of failures, and draw the years to search on.

    Parameters
    ----------
    study_case : StudyCase
    environment : OperatingEnvironment
    effort : Effort

    Returns
    -------
    FailureSizing
    """
    study = study_case.study
    with meanwhile(lambda: evaluator_of(study_case, environment, effort)) as evaluator:
        own = block_on_steps_of(weather_block(study_case), EVALUATED_STEP_H)
        met = environment_on_steps_of(environment, own)
        failing = relaxation(sampled_outage_case(own, met, study.seed), study.metric).case
        failing = shift_start(failing, cyclic_start_step(own.case))
        pool, found = CutPool(failing), list[OptimizationResult]()
        questions = [(failing, 1e-3), (half_downtime(failing), 2e-3)]
        if any(item.units_max > item.units_min for item in failing.imports):
            questions.append((on_island(failing), 2e-3))
        for asked, gap in questions:
            try:
                found.append(solve_cuts(asked, gap=gap, cut_pool=pool, explains=False, keeps_dispatch=False))
            except InfeasibleDesign:
                continue  # what fails may leave too little even for him; the search starts from the limits
        plants = [sizing.plant for sizing in found]
        return FailureSizing(plants, found[0] if found else None, failing, pool, evaluator())


def search_from(
    sized: FailureSizing,
    study_case: StudyCase,
    environment: OperatingEnvironment,
    effort: Effort,
    progress: Progress,
) -> SearchResult:
    """Search from the optima of planners who foresee failures, or from the limits where they find none."""
    return search_and_certify(
        study_case,
        environment,
        sized.plants or [largest_plant(study_case.case)],
        (sized.first.uptime_price_usd_per_mwh or 0.0) if sized.first else 0.0,
        effort,
        progress,
        evaluator=sized.evaluator,
    )


def search_and_certify(
    study_case: StudyCase,
    environment: OperatingEnvironment,
    planned: Sequence[Plant],
    multiplier_usd_per_mwh: float,
    effort: Effort,
    progress: Progress,
    confidence: float = CONFIDENCE,
    *,
    values_forecast: bool = True,
    evaluator: Evaluator | None = None,
) -> SearchResult:
    """Search, certify, ask for more where the certificate falls short, and search again.

    Parameters
    ----------
    study_case : StudyCase
    environment : OperatingEnvironment
    planned : sequence of Plant
        Of planners who see everything: where the search starts.
    multiplier_usd_per_mwh : float
        Price of uptime at such an optimum. [USD/MWh]
    effort : Effort
    progress : callable
    confidence : float
        One-sided, of all certificates that may be asked for together. [fraction]
    values_forecast : bool
        Also say what a perfect forecast would save.
    evaluator : Evaluator, optional
        Of the years to search on, which are drawn when left out.

    Returns
    -------
    SearchResult
        Met, unless no search reached it.
    """
    study, required = study_case.study, tuple(part.uptime_target for part in study_case.case.classes)
    if evaluator is None:
        progress(f"drawing {effort.years} weather years to search on")
        evaluator = evaluator_of(study_case, environment, effort)
    study_case = replace(study_case, drawn=None)  # years of a certificate are many, and seen once
    own = Evaluator([weather_block(study_case)], environment, study.metric, study.seed)
    objective = first_objective(study_case.case, multiplier_usd_per_mwh)
    best, objective = first_search(evaluator, planned, objective, effort, progress)
    margin: Margin | None = None
    rejected: set[Decision] = set()
    result: SearchResult | None = None
    look: UnseenYears | None = None
    again = replace(effort, iterations=max(1, effort.iterations - 1))
    looked, kept, passed = effort.certificate_years, None, None
    chance = 0.0  # of being wrong, handed on by looks that were passed
    for number in range(1, effort.certificates + 1):
        if looked == effort.certificate_years:  # else the last plant deserves a closer look
            asked = replace(objective, targets=required)
            now = again if result else effort
            best, objective = improve(evaluator, best, asked, margin, now, rejected, progress)
            if best.decision in rejected:
                break  # nothing else was found, and more seeds are no better plant
            if margin and margin.passed and not is_worth_a_look(best, margin, objective, required):
                break
            look = UnseenYears(
                study_case, best.plant, best.controller, _plan_of_look(own, effort, number), rule=TUNED
            )
        assert look is not None
        progress(f"certifying on {looked} unseen years")
        look.simulate(looked)
        chance += chance_of(confidence, number, effort.certificates)
        first = chance_of(confidence, 1, effort.certificates)  # which all hand on that were passed since
        stated = confidence if chance >= first else rounded_down(1.0 - chance)
        result = _certified(look, own, best, number, stated, 1.0 - chance)
        following = 1.0 - chance_of(confidence, number + 1, effort.certificates)
        # A plant is not certified until it passes: years enough to choose from would let any pass
        rejected.add(best.decision)
        if result.met:
            kept, passed, looked = result, look, effort.certificate_years
            margin = margin_to_spare(
                best, result.certificate, objective, required, following - chance, effort.worth_searching
            )
            if margin is None:
                break
            continue
        chance = 0.0
        keeps_caps = result.cap_excess == 0.0 and result.lost_without_spares_mwh_per_yr == 0.0
        close = keeps_caps and nearly_met(result.certificate, required, following)
        if kept and not is_much_at_stake(best, kept.best, objective):
            break
        if close and looked == effort.certificate_years:
            looked = CLOSER_LOOK * effort.certificate_years
            continue
        looked = effort.certificate_years
        if kept:
            margin = margin_between(kept.best, best, required)
            continue
        if result.cap_excess > 0.0:
            evaluator.tighten_caps(CAP_SHARE * (1.0 - result.cap_excess))
        reserve = result.certificate.reserve
        # What the search's own years lack already has become dearer: to ask for more as well were too much
        if reserve is not None and not reserve.met and best.excess_mwh_per_yr <= 0.0:
            evaluator.tighten_reserve(reserve.allowed_h_per_yr / reserve.short_h_per_yr.value)
        margin = margin_of_failed(best, result.certificate, objective.targets, required, following)
    assert result is not None  # the first look always asks for a certificate
    assert look is not None
    result = replace(kept or result, certificates=result.certificates, evaluations=evaluator.evaluations)
    if not result.met or not values_forecast:
        return replace(result, certificate=(passed or look).explained())
    progress("operating it with a perfect forecast of the weather")
    with meanwhile(partial(perfect_forecast_value, evaluator, result.best)) as saved:
        # Of no other certificate: that takes as long as to simulate
        certificate = (passed or look).explained()
        return replace(result, certificate=certificate, perfect_forecast_usd_per_yr=saved())


def evaluator_of(study_case: StudyCase, environment: OperatingEnvironment, effort: Effort) -> Evaluator:
    """Draw years, and run plants on them."""
    study = study_case.study
    years = search_years(study_case, effort.years, study.seed)
    met = environment_on_steps_of(environment, years[0])  # the study's own come first
    return Evaluator(years, met, study.metric, study.seed, effort.draws)


def first_objective(case: Case, multiplier_usd_per_mwh: float) -> SearchObjective:
    """Ask for the targets of a case, at a price of lost compute to begin with."""
    targets = tuple(part.uptime_target for part in case.classes)
    first = max(LEAST_FIRST_MULTIPLIER, multiplier_usd_per_mwh)
    return SearchObjective(
        targets,
        tuple(part.share * case.load_mwh_per_yr for part in case.classes),
        case.lost_value_usd_per_mwh,
        # Where no uptime is asked for, its worth alone decides
        tuple(first if target > 0 else 0.0 for target in targets),
    )


def _controller_kinds(case: Case) -> tuple[ControllerKind, ...]:
    """Rules to choose from: where power is bought or sold, its price may decide what is stored and when."""
    return ("latest_safe_start", "marginal_value") if case.imports or case.sinks else ("latest_safe_start",)


def first_search(
    evaluator: Evaluator,
    planned: Sequence[Plant],
    objective: SearchObjective,
    effort: Effort,
    progress: Progress,
) -> tuple[Candidate, SearchObjective]:
    """Search on the study's own years, which are few, and choose a plant for all of them."""
    required = objective.targets
    kinds = _controller_kinds(evaluator.case)
    controllers = [Controller(kind, forecast_z_score=z) for kind in kinds for z in FIRST_Z_SCORES]
    first = evaluator.estimate_all(list(product(initial_plants(evaluator.case, planned), controllers)))
    start = min(first, key=objective.merit)
    best, objective = pattern_search(evaluator, start, objective, effort.evaluations, progress)
    # Many years may ask for something else altogether
    rules = [replace(best.controller, kind=kind) for kind in kinds]
    wary = replace(WARY, kind=best.controller.kind)
    merit = replace(objective, targets=required).merit
    start = min(evaluator.evaluate_all([(best.plant, rule) for rule in rules]), key=merit)
    rich = product(storage_rich_plants(evaluator.case, planned), (best.controller, wary))
    # Some years say well enough which of them is far from being any good
    enough = merit(start) + FAR * fixed_cost_usd_per_yr(evaluator.case, start.plant)
    evaluator.select_scenarios(*start.decision)
    near = sorted(evaluator.estimate_all(list(rich)), key=merit)[:MOST_RICH]
    others = evaluator.evaluate_all([item.decision for item in near if merit(item) < enough])
    best = min([start, *others], key=merit)
    if best is not start:
        # Tuned on few years, it misses what a step mends for far less than the price on it
        mended, _ = solve_slp(evaluator, start, replace(objective, targets=required), ONE_STEP)
        best = min(best, evaluator.evaluate(*mended.decision), key=merit)
    return best, objective


def _plan_of_look(own: Evaluator, effort: Effort, number: int) -> CertificatePlan:
    """Plan a look at years and seeds of its own."""
    return CertificatePlan(
        draws=effort.certificate_draws,
        seed=own.seed + number,
        metric=metric_key(own.metric),
        attribute=effort.cause_years > 0,
        attribute_years=effort.cause_years,
        events=WORST_EVENTS,
    )


def _certified(
    look: UnseenYears, own: Evaluator, best: Candidate, number: int, stated: float, asked: float
) -> SearchResult:
    """Ask for one certificate, of so many, at a confidence; what it states may be at another."""
    certificate = look.certificate(stated)
    excess = _cap_excess(own, best, certificate)
    spares = own.lost_without_spares(best.plant, best.controller)
    met = certificate.meets(asked) and excess == 0.0 and spares == 0.0
    return SearchResult(best, certificate, met, number, 0, excess, spares)


def _cap_excess(own: Evaluator, best: Candidate, certificate: Certificate) -> float:
    """Share of what is supplied above the caps, on unseen years or in those that a design reports."""
    if not caps_of(own.case):
        return 0.0
    done = own.operate(best.plant, best.controller, record=False)
    supplied = np.concatenate([done.backup_mwh, done.import_mwh]).mean(axis=1)
    used = [float(row.mean()) for row in used_by_year(own.case, best.plant, done)]
    in_design = CappedUse(float(supplied.sum()), supplied.tolist(), used)
    return max(_excess_share(own.case, in_design), _excess_share(own.case, certified_use(certificate)))


def certified_use(certificate: Certificate) -> CappedUse:
    """Read what a certified plant uses of the caps, in the mean over the years of its certificate."""
    total = float(np.array(certificate.backup_mwh_per_yr).sum()) + certificate.imported_mwh_per_yr
    imported = () if certificate.exchange is None else certificate.exchange.import_mwh_per_yr.values()
    supplied = (*certificate.backup_mwh_per_yr, *(mwh.value for mwh in imported))
    return CappedUse(total, supplied, [use.mean for use in certificate.capped])


def _excess_share(case: Case, use: CappedUse) -> float:
    """Largest share above a cap: of all energy, or of what one technology gives."""
    caps = caps_of(case)
    over = [
        1 - cap.most / value
        for cap, value in zip(caps, use.used, strict=True)
        if not cap.of_site and value > cap.most
    ]
    excess = excess_mwh(case, use)
    site = excess / use.total_mwh if use.total_mwh > 0 else 0.0
    return max([site, *over])
