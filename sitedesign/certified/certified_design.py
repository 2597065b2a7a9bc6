"""The certified design: searched from the foresight design on, with what separates it from its bound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sitedesign.case.build import StudyCase
from sitedesign.case.case import Case, FloatArray
from sitedesign.case.plant import Plant
from sitedesign.case.relaxation import relaxation
from sitedesign.case.years import cyclic_start_step, shift_start
from sitedesign.certified.environment import environment_of, metric_key
from sitedesign.certified.objective import Candidate
from sitedesign.certified.operate import operate_causally
from sitedesign.certified.remedies import explain_uncertified
from sitedesign.certified.scenario_years import weather_block
from sitedesign.certified.sizing_loop import (
    CONFIDENCE,
    SIZING,
    FailureSizing,
    SearchResult,
    search_from,
    size_with_failures,
)
from sitedesign.certified.starting_points import sampled_outage_case
from sitedesign.errors import ReplayMismatch
from sitedesign.foresight.failure_bound import (
    FailureBound,
    bound_with_failures,
    saved_by_optima,
    tuned_prices,
)
from sitedesign.operation.environment import OperatingEnvironment
from sitedesign.operation.operate import operate_greedy
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.optimize.result import OptimizationResult
from sitedesign.reliability.certificate import TUNED, Certificate
from sitedesign.reliability.limit_check import broken_limits
from sitedesign.reliability.metrics import uptime_metrics
from sitedesign.results.design import Design, design_from
from sitedesign.results.evaluation import ClassResult, Evaluation, Provenance
from sitedesign.study.effort import Effort
from sitedesign.util.progress import Progress
from sitedesign.util.threads import meanwhile

FIRST_DRAW = 1_000  # of failures for the bound: far from those that a search runs plants on


def certified_design(
    study_case: StudyCase,
    planned: Design,
    progress: Progress,
    effort: Effort | None = None,
    cuts: CutPool | None = None,
    sizes: Callable[[], FailureSizing] | None = None,
) -> Design:
    """Search from a foresight design on, and certify what is found.

    Parameters
    ----------
    study_case : StudyCase
    planned : Design
        Of a planner who foresees the weather and has nothing fail; its bound is the design's.
    progress : callable
    effort : Effort, optional
    cuts : CutPool, optional
        Of the planner's question, from which that with units that may be cut begins.
    sizes : callable, optional
        Gives what :func:`~sitedesign.certified.sizing_loop.size_with_failures` finds, begun already.

    Returns
    -------
    Design
        Certified on years that the search never saw.

    Raises
    ------
    InfeasibleDesign
        When no plant found keeps the target; says what limits it and which remedies help.
    """
    environment, effort = environment_of(study_case), effort or Effort()
    progress(SIZING)
    sized = sizes() if sizes else size_with_failures(study_case, environment, effort)
    # Where cost and uptime both move, the rack-hour's cost has the gap
    bounds = planned.compute_cost is None

    def proves() -> _Proven:
        return _proven(study_case, environment, sized, effort, cuts) if bounds else _Proven()

    with meanwhile(proves) as proven:
        result = search_from(sized, study_case, environment, effort, progress)
        if not result.met:
            raise explain_uncertified(study_case, result, progress, tries=effort.explains)
        evaluation = _operated(study_case, environment, result.best)
        if bounds:
            progress("bounding with failures that are foreseen")
        known = proven()
    bounded, parts = None, dict[str, float]()
    if bounds:
        plan, cost = planned.bound_usd_per_yr, evaluation.cost_usd_per_yr
        bounded = _failure_bound(study_case, environment, sized, known, result.best.plant, effort)
        bounded = bounded and bounded.at_least(plan)
        parts = _gap_parts(result, sized.first, bounded, cost, plan, study_case.case.limits.n_plus)
        if known.divisible_usd_per_yr is not None:
            parts["integrality"] = plan - known.divisible_usd_per_yr
    design = _certified(study_case, planned, evaluation, result, parts)
    return design.model_copy(update={"bound_with_failures": bounded.bound}) if bounded else design


def _operated(study_case: StudyCase, environment: OperatingEnvironment, best: Candidate) -> Evaluation:
    """Operate the certified plant on the study's own years, within all limits."""
    evaluation = operate_causally(study_case, best.plant, best.controller, environment, TUNED)
    energy = [evaluation.energy_mwh_per_yr[item.name] for item in study_case.case.supplies]
    used = [use.mean for use in evaluation.capped]
    outside = broken_limits(study_case.case, best.plant, energy, evaluation.co2_t_per_yr, used)
    if outside:
        raise ReplayMismatch(outside)
    return evaluation


def _certified(
    study_case: StudyCase,
    planned: Design,
    evaluation: Evaluation,
    result: SearchResult,
    gap_parts: dict[str, float],
) -> Design:
    """Put what was found, and what the planner with foresight proved, into one design."""
    plant, study = result.best.plant, study_case.study
    greedy = operate_greedy(study_case.case, plant)
    blind = uptime_metrics(study_case.case, greedy, racks=plant.racks, seed=study.seed)
    of_the_bound = (
        "study", "method", "iterations", "uptime_price_usd_per_mwh", "solve_seconds", "bound_name",
        "bound_usd_per_yr", "limit_prices",
    )  # fmt: skip
    return design_from(
        evaluation,
        **{name: getattr(planned, name) for name in of_the_bound},
        classes=_certified_classes(evaluation, result.certificate),
        provenance=_searched(evaluation, result),
        objective_usd_per_yr=evaluation.cost_usd_per_yr,
        stopped_by="certificate",
        greedy_uptime=getattr(blind, metric_key(study.metric)),
        certificate=replace(result.certificate, planned=planned_figures(planned)),
        gap_parts=gap_parts,
    )


@dataclass(frozen=True, eq=False)
class _Proven:
    """What bounds say of the question, whatever plant is found.

    Attributes
    ----------
    budget_prices : ndarray, shape (budgets,), or None
        That make the bound of a planner who foresees failures high; None where no such bound is asked for.
    saved_usd_per_yr : list of float
        By the optima of few draws of failures (:func:`~sitedesign.foresight.failure_bound.saved_by_optima`).
    divisible_usd_per_yr : float or None
        Bound of units that may be cut.
    """

    budget_prices: FloatArray | None = None
    saved_usd_per_yr: list[float] = field(default_factory=list)
    divisible_usd_per_yr: float | None = None


def _proven(
    study_case: StudyCase,
    environment: OperatingEnvironment,
    sized: FailureSizing,
    effort: Effort,
    cuts: CutPool | None,
) -> _Proven:
    """Find all bounds that do not need the certified plant."""
    first, prices, saved = sized.first, None, list[float]()
    # What stands by is asked of an operator: a bound without it may be below the first
    if first is not None and effort.bound_draws and not study_case.case.limits.n_plus:
        prices = tuned_prices(sized.case, first, sized.pool)
        draws = (_failing(study_case, environment, draw) for draw in range(effort.bound_optima))
        saved = saved_by_optima(draws, prices, first.plant, list(sized.pool.last_points))
    return _Proven(prices, saved, _divisible_bound(study_case, cuts) if effort.explains else None)


def _failing(
    study_case: StudyCase, environment: OperatingEnvironment, draw: int, known: Sequence[int] | None = None
) -> Case:
    """Give the question under a draw of failures that neither search nor prices have seen."""
    own, study = weather_block(study_case), study_case.study
    case = sampled_outage_case(own, environment, study.seed, FIRST_DRAW + draw, known)
    return shift_start(relaxation(case, study.metric).case, cyclic_start_step(study_case.case))


def _failure_bound(
    study_case: StudyCase,
    environment: OperatingEnvironment,
    sized: FailureSizing,
    proven: _Proven,
    plant: Plant,
    effort: Effort,
) -> FailureBound | None:
    """Bound that knows failures; None without one."""
    first, prices = sized.first, proven.budget_prices
    if first is None or prices is None:
        return None
    both = tuple(map(max, plant.units, first.plant.units))
    draws = (_failing(study_case, environment, draw, both) for draw in range(effort.bound_draws))
    seed = study_case.study.seed
    return bound_with_failures(draws, prices, plant, first.plant, proven.saved_usd_per_yr, seed)


def _gap_parts(
    result: SearchResult,
    first: OptimizationResult | None,
    bounded: FailureBound | None,
    cost: float,
    bound: float,
    spare: int = 0,
) -> dict[str, float]:
    """Split what separates a certified cost from its bound; the parts add up to it. [USD/yr]

    From the planner who foresees all to the operator: first failures happen, but are foreseen; then the plant
    holds reserve, and the search may have missed a better one; then whatever fails and the weather surprise
    him who runs it.
    """
    weather = result.perfect_forecast_usd_per_yr
    # Even he finds no plant that keeps the target, or what stands by for failures is asked for already
    if first is None or spare:
        return {"perfect_information": weather, "outages": cost - bound - weather}
    if bounded is None:  # one draw says what failures cost, and not how sure that is
        foreseen = first.objective_usd_per_yr - first.lost_value_usd_per_yr
        return {
            "perfect_information": weather,
            "remainder": cost - foreseen - weather,
            "outages_foreseen": foreseen - bound,
        }
    foreseen, same = bounded.bound.value, bounded.same_plant.value
    return {
        "perfect_information": weather,
        "outage_surprises": cost - same - weather,
        "reserve_and_search": same - foreseen,
        "outages_foreseen": foreseen - bound,
    }


def planned_figures(design: Evaluation) -> dict[str, float]:
    """Put what an optimiser said in the terms of a certificate."""
    imported = sum(design.energy_mwh_per_yr[name] for name in design.imports_mw) / design.load_mwh_per_yr
    return {
        "uptime": design.uptime.value,
        "backup_share": 1 - design.renewable_share - imported,
        "fuel_mmbtu_per_yr": sum(design.fuel_mmbtu_per_yr.values()),
    }


def _searched(evaluation: Evaluation, result: SearchResult) -> Provenance:
    """Say how the plant was found: more than one certificate is more than one chance."""
    asked = "one certificate on years that the search never saw"
    if result.certificates > 1:
        asked = (
            f"{result.certificates} certificates, each of another plant on years that no search saw; "
            f"all together are wrong no more often than one at {CONFIDENCE:.0%}"
        )
    note = f"Found by evaluating {result.evaluations} plants; {asked}."
    known = evaluation.provenance
    return known.model_copy(update={"notes": (*known.notes, note)})


def _certified_classes(evaluation: Evaluation, certificate: Certificate) -> list[ClassResult]:
    """Put what was certified in the place of what the study's own years showed."""
    certified = {part.name: part.uptime for part in certificate.classes}
    found = []
    for item in evaluation.classes:
        if item.name in certified:
            ratio = certified[item.name].value / item.uptime.value if item.uptime.value > 0 else 0.0
            value = None if item.value_usd_per_yr is None else item.value_usd_per_yr * ratio
            item = item.model_copy(
                update={
                    "uptime": certified[item.name],
                    "delivered_rack_h_per_yr": item.delivered_rack_h_per_yr * ratio,
                    "value_usd_per_yr": value,
                }
            )
        found.append(item)
    return found


def _divisible_bound(study_case: StudyCase, cuts: CutPool | None) -> float:
    """Bound of the same question with units cut into hundredths. [USD/yr]"""
    case = relaxation(_divisible(study_case.case), study_case.study.metric).case
    case = shift_start(case, cyclic_start_step(study_case.case))
    known = cuts and cuts.carried_to(case)
    sizing = solve_cuts(case, gap=1e-4, cut_pool=known, keeps_dispatch=False, relaxes=known is None)
    return sizing.bound_usd_per_yr - sizing.lost_value_usd_per_yr


def _divisible(case: Case) -> Case:
    """Cut the units into hundredths, to see what whole units cost."""
    parts = 100
    backup = tuple(
        replace(
            item,
            unit_mw=item.unit_mw / parts,
            annual_cost_usd_per_unit=item.annual_cost_usd_per_unit / parts,
            units_min=item.units_min * parts,
            units_max=item.units_max * parts,
        )
        for item in case.backup
    )
    return replace(case, backup=backup, limits=replace(case.limits, n_plus=case.limits.n_plus * parts))
