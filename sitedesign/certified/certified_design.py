"""What an operator can do with a study: causal evaluation, certificates, and the design that is certified."""

from __future__ import annotations

from dataclasses import replace

from sitedesign.case.build import StudyCase
from sitedesign.case.case import Case, Plant, rolled, sunny_afternoon
from sitedesign.case.relaxation import relaxation
from sitedesign.certified.environment import OperatingEnvironment, environment_of, metric_key, weather_block
from sitedesign.certified.evaluator import Judge
from sitedesign.certified.remedies import unreached
from sitedesign.certified.sizing_loop import Closed, Loop, closed_for
from sitedesign.errors import ReplayMismatch
from sitedesign.operation.operate import operate_greedy
from sitedesign.operation.state import Controller
from sitedesign.optimize.benders import solve_cuts
from sitedesign.reliability.certificate import GIVEN, TUNED, Certificate
from sitedesign.reliability.limit_check import broken_limits
from sitedesign.reliability.metrics import uptime_metrics
from sitedesign.results.accounting import evaluate_dispatch
from sitedesign.results.design import Design
from sitedesign.results.evaluation import ClassResult, Evaluation, Provenance
from sitedesign.study.effort import Effort
from sitedesign.util.progress import Progress

BALANCE_TOLERANCE_MW = 1e-6
# What separates a certified design from its bound, the nearest to the design first
SURPRISES_WEATHER = "surprises in weather"
SURPRISES_EQUIPMENT = "surprises in equipment and fuel"
FAILURES_FORESEEN = "failures foreseen"


def operate_causally(
    study_case: StudyCase,
    plant: Plant,
    controller: Controller,
    environment: OperatingEnvironment,
    rule: str = GIVEN,
) -> Evaluation:
    """Operate without foresight under one draw of outages.

    Parameters
    ----------
    study_case : StudyCase
    plant : Plant
    controller : Controller
    environment : OperatingEnvironment
    rule : str
        Where the controller comes from, in words.

    Returns
    -------
    Evaluation
    """
    judge = Judge([weather_block(study_case)], environment, study_case.study.metric, study_case.study.seed)
    done = judge.operate(plant, controller, record=True)
    assert done.dispatch is not None  # recorded
    if done.balance_residual_mw > BALANCE_TOLERANCE_MW:
        off = f"off by {done.balance_residual_mw:g} MW"
        raise ReplayMismatch([f"energy balance of the causal operation: {off}"])
    years = study_case.case.years
    result = evaluate_dispatch(
        study_case,
        plant,
        done.dispatch,
        "causal",
        part_load=done.fuel_mmbtu.sum(axis=1) / years,
        part_load_usd_per_yr=float(done.extra_fuel_usd.sum()) / years,
        solar_mw=done.solar_mw,
    )
    return result.model_copy(update={"controller": controller, "rule": rule})


def certified_design(
    study_case: StudyCase, promised: Design, say: Progress, effort: Effort | None = None
) -> Design:
    """Close the loop from a foresight design.

    Parameters
    ----------
    study_case : StudyCase
    promised : Design
        Of a planner who foresees the weather and has nothing fail; its bound is the design's.
    say : callable
        Takes one line of progress.
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
    environment, bound = environment_of(study_case), promised.bound_usd_per_yr
    effort = effort or Effort()
    closed = closed_for(study_case, environment, effort, say)
    loop, best = closed.loop, closed.loop.best
    if not loop.met:
        raise unreached(study_case, loop, say, tries=effort.explains)
    evaluation = operate_causally(study_case, best.plant, best.controller, environment, TUNED)
    energy = [evaluation.energy_mwh_per_yr[item.name] for item in study_case.case.backup]
    outside = broken_limits(study_case.case, best.plant, energy, evaluation.co2_t_per_yr)
    if outside:
        raise ReplayMismatch(outside)
    greedy = operate_greedy(study_case.case, best.plant)
    blind = uptime_metrics(study_case.case, greedy, racks=best.plant.racks, seed=study_case.study.seed)
    cost = evaluation.cost_usd_per_yr
    whole: dict[str, float] = {}
    if effort.explains and promised.compute_cost is None:
        whole = {"whole units (inside the bound)": bound - _divisible_bound(study_case)}
    # Where cost and uptime both move, the rack-hour's cost has the gap
    parts = _gap_parts(closed, cost, bound) if promised.compute_cost is None else {}
    changed = {
        "classes": _certified_classes(evaluation, loop.certificate),
        "provenance": _searched(evaluation, loop),
    }
    design = Design(
        **(evaluation.model_dump() | changed),
        **{
            name: getattr(promised, name)
            for name in (
                "study", "method", "iterations", "uptime_price_usd_per_mwh", "solve_seconds", "bound_name",
            )
        },
        objective_usd_per_yr=cost,
        bound_usd_per_yr=bound,
        stopped_by="certificate",
        greedy_uptime=getattr(blind, metric_key(study_case.study.metric)),
        certificate=replace(loop.certificate, planned=planned_figures(promised)),
        gap_parts=parts | whole,
    )  # fmt: skip
    design._dispatch = evaluation._dispatch
    return design


def _gap_parts(closed: Closed, cost: float, bound: float) -> dict[str, float]:
    """Split what separates a certified cost from its bound; the parts add up to it. [USD/yr]

    From the planner who foresees all to the operator: first failures happen, but are foreseen; then weather
    surprises him, and then whatever fails.
    """
    weather, foreseen = closed.loop.weather_usd_per_yr, closed.with_failures_usd_per_yr
    if foreseen is None:  # even he finds no plant that keeps the target
        return {
            SURPRISES_WEATHER: weather,
            "failures, foreseen or not": cost - bound - weather,
        }
    return {
        SURPRISES_WEATHER: weather,
        SURPRISES_EQUIPMENT: cost - foreseen - weather,
        FAILURES_FORESEEN: foreseen - bound,
    }


def planned_figures(design: Evaluation) -> dict[str, float]:
    """Put what an optimiser said in the terms of a certificate."""
    return {
        "uptime": design.uptime.value,
        "backup_share": 1 - design.renewable_share,
        "fuel_mmbtu_per_yr": sum(design.fuel_mmbtu_per_yr.values()),
    }


def _searched(evaluation: Evaluation, loop: Loop) -> Provenance:
    """Say how the plant was found: more than one certificate is more than one chance."""
    asked = "one certificate on years that the search never saw"
    if loop.rounds > 1:
        asked = (
            f"{loop.rounds} certificates, each of another plant on years that no search saw; "
            f"all together are wrong no more often than one at {loop.certificate.confidence:.0%}"
        )
    note = f"Found by judging {loop.trials} plants; {asked}."
    known = evaluation.provenance
    return known.model_copy(update={"notes": (*known.notes, note)})


def _certified_classes(evaluation: Evaluation, certificate: Certificate) -> list[ClassResult]:
    """Put what was certified in the place of what the study's own years showed."""
    kept = {part.name: part.uptime for part in certificate.classes}
    found = []
    for item in evaluation.classes:
        if item.name in kept:
            ratio = kept[item.name].value / item.uptime.value if item.uptime.value > 0 else 0.0
            value = None if item.value_usd_per_yr is None else item.value_usd_per_yr * ratio
            item = item.model_copy(
                update={
                    "uptime": kept[item.name],
                    "delivered_rack_h_per_yr": item.delivered_rack_h_per_yr * ratio,
                    "value_usd_per_yr": value,
                }
            )
        found.append(item)
    return found


def _divisible_bound(study_case: StudyCase) -> float:
    """Bound of the same question with units cut into hundredths. [USD/yr]"""
    case = relaxation(_divisible(study_case.case), study_case.study.metric).case
    sizing = solve_cuts(rolled(case, sunny_afternoon(study_case.case)), gap=1e-4, keeps_dispatch=False)
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
    return replace(case, backup=backup)
