"""The certified design: searched from the foresight design on, with what separates it from its bound."""

from __future__ import annotations

from dataclasses import replace

from sitedesign.case.build import StudyCase
from sitedesign.case.case import Case
from sitedesign.case.relaxation import relaxation
from sitedesign.case.years import cyclic_start_step, shift_start
from sitedesign.certified.environment import environment_of, metric_key
from sitedesign.certified.operate import operate_causally
from sitedesign.certified.remedies import explain_uncertified
from sitedesign.certified.scenario_years import weather_block
from sitedesign.certified.sizing_loop import SearchResult, SizingResult, size_then_search
from sitedesign.certified.starting_points import sampled_outage_case
from sitedesign.errors import ReplayMismatch
from sitedesign.foresight.failure_bound import FailureBound, bound_with_failures
from sitedesign.operation.operate import operate_greedy
from sitedesign.optimize.benders import solve_cuts
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
    study_case: StudyCase, planned: Design, progress: Progress, effort: Effort | None = None
) -> Design:
    """Search from a foresight design on, and certify what is found.

    Parameters
    ----------
    study_case : StudyCase
    planned : Design
        Of a planner who foresees the weather and has nothing fail; its bound is the design's.
    progress : callable
    effort : Effort, optional

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
    sized = size_then_search(study_case, environment, effort, progress)
    result, best = sized.search, sized.search.best
    if not result.met:
        raise explain_uncertified(study_case, result, progress, tries=effort.explains)
    evaluation = operate_causally(study_case, best.plant, best.controller, environment, TUNED)
    energy = [evaluation.energy_mwh_per_yr[item.name] for item in study_case.case.supplies]
    used = [use.mean for use in evaluation.capped]
    outside = broken_limits(study_case.case, best.plant, energy, evaluation.co2_t_per_yr, used)
    if outside:
        raise ReplayMismatch(outside)
    parts: dict[str, float] = {}
    bounded: FailureBound | None = None
    if planned.compute_cost is None:  # where cost and uptime both move, the rack-hour's cost has the gap
        progress("bounding with failures that are foreseen")
        with meanwhile(lambda: _divisible_bound(study_case) if effort.explains else None) as divisible:
            bounded = _failure_bound(study_case, sized, effort)
            bounded = bounded and bounded.at_least(planned.bound_usd_per_yr)
            spare = study_case.case.limits.n_plus
            parts = _gap_parts(sized, bounded, evaluation.cost_usd_per_yr, planned.bound_usd_per_yr, spare)
            whole = divisible()
        if whole is not None:
            parts["integrality"] = planned.bound_usd_per_yr - whole
    design = _certified(study_case, planned, evaluation, result, parts)
    return design.model_copy(update={"bound_with_failures": bounded.bound}) if bounded else design


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


def _failure_bound(study_case: StudyCase, sized: SizingResult, effort: Effort) -> FailureBound | None:
    """Bound that knows failures, by draws that neither search nor prices have seen; None without one."""
    first, plant, seed = sized.with_failures, sized.search.best.plant, study_case.study.seed
    if first is None or not sized.budget_prices.size or study_case.case.limits.n_plus:
        return None  # what stands by is asked of an operator: a bound without it may be below the first
    own, environment, metric = weather_block(study_case), environment_of(study_case), study_case.study.metric
    start, both = cyclic_start_step(study_case.case), tuple(map(max, plant.units, first.plant.units))

    def failing(draw: int) -> Case:
        # Beyond the draws of which an optimum is found, two plants are run and no other
        known, number = draw >= effort.bound_optima, FIRST_DRAW + draw
        units = both if known else plant.units
        case = sampled_outage_case(own, environment, seed, number, units, none_beyond=known)
        return shift_start(relaxation(case, metric).case, start)

    cases = map(failing, range(effort.bound_draws))
    return bound_with_failures(cases, sized.budget_prices, plant, first.plant, effort.bound_optima, seed)


def _gap_parts(
    sized: SizingResult, bounded: FailureBound | None, cost: float, bound: float, spare: int = 0
) -> dict[str, float]:
    """Split what separates a certified cost from its bound; the parts add up to it. [USD/yr]

    From the planner who foresees all to the operator: first failures happen, but are foreseen; then the plant
    holds reserve, and the search may have missed a better one; then whatever fails and the weather surprise
    him who runs it.
    """
    weather, first = sized.search.perfect_forecast_usd_per_yr, sized.with_failures
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
            f"all together are wrong no more often than one at {result.certificate.confidence:.0%}"
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


def _divisible_bound(study_case: StudyCase) -> float:
    """Bound of the same question with units cut into hundredths. [USD/yr]"""
    case = relaxation(_divisible(study_case.case), study_case.study.metric).case
    sizing = solve_cuts(shift_start(case, cyclic_start_step(study_case.case)), gap=1e-4, keeps_dispatch=False)
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
