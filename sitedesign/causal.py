"""What an operator can do with a study: causal evaluation, certificates, and the design that is certified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sitedesign.accounting import evaluate_dispatch
from sitedesign.case import Case, Plant, rolled, sunny_afternoon
from sitedesign.certification import Setting, block_of, setting_of
from sitedesign.certification import certify as certify_plant
from sitedesign.closed_loop import Effort, Loop, case_with_outages, close_loop
from sitedesign.design import Design
from sitedesign.errors import Fault, InfeasibleDesign, InputError, ReplayMismatch
from sitedesign.evaluation import Evaluation
from sitedesign.judge import Judge
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.optimize.master import solve_cuts
from sitedesign.prepare import Prepared, prepare
from sitedesign.reliability.certificate import Certificate
from sitedesign.reliability.machine import Controller
from sitedesign.reliability.metrics import uptime_metrics
from sitedesign.reliability.operation import operate_greedy
from sitedesign.study import Study

Progress = Callable[[str], None]
BALANCE_TOLERANCE_MW = 1e-6


def certify(
    design: Design | Evaluation,
    study: Study | None = None,
    *,
    years: int = 200,
    draws: int = 5,
    seed: int = 7,
    confidence: float = 0.95,
    controller: Controller | None = None,
    attribute: bool = True,
    progress: Progress | None = None,
) -> Certificate:
    """State what uptime a plant really keeps, and how sure that is.

    Parameters
    ----------
    design : Design or Evaluation
        From :func:`solve` or :func:`evaluate`.
    study : Study, optional
        Needed for an evaluation and for a design whose weather came from files; else read from the design.
    years, draws : int
        Weather years that the design never saw, and draws of outages of each.
    seed : int
        Of weather and outages; take another than the search's.
    confidence : float
        One-sided, for ``met``. [fraction]
    controller : Controller, optional
        Rule of operation; that of the design when it was certified, else the default.
    attribute : bool
        Re-run with each cause of failure off, to say what the lost compute is due to.
    progress : callable, optional

    Returns
    -------
    Certificate

    Raises
    ------
    InputError
        If the study is needed and missing, or a number is out of range.
    """
    study = study or _study_of(design)
    faults = [
        Fault(name, f"{value}", "must be at least 1")
        for name, value in (("years", years), ("draws", draws))
        if value < 1
    ]
    if not 0.5 < confidence < 1:
        faults.append(Fault("confidence", f"{confidence:g}", "must be a fraction in (0.5, 1)"))
    if faults:
        raise InputError(faults, "certify()")
    prepared = prepare(study)
    units = tuple(design.backup.get(item.name, 0) for item in prepared.case.backup)
    plant = Plant(design.solar_mw, design.battery_mwh, design.battery_mw, units, design.racks)
    kept = design.certificate if isinstance(design, Design) else None
    say = progress or (lambda _: None)
    return certify_plant(
        prepared,
        plant,
        controller or (kept.controller if kept is not None else Controller()),
        years=years,
        draws=draws,
        seed=seed,
        metric="rack",
        confidence=confidence,
        attribute=attribute,
        promised={
            "uptime": design.metrics.rack.value,
            "backup_share": 1 - design.renewable_share,
            "fuel_mmbtu_per_yr": sum(design.fuel_mmbtu_per_yr.values()),
        },
        progress=lambda done, total: say(f"certifying: {done} of {total} years"),
    )


def _study_of(design: Design | Evaluation) -> Study:
    if isinstance(design, Design):
        if design.study["weather"] is None and not any(
            design.study[f"{kind}_profile"] for kind in ("solar", "load")
        ):
            return Study(**{key: value for key, value in design.study.items() if value is not None})
        found = "a design whose weather or profile came from files"
    else:
        found = "an evaluation, which does not hold its study"
    raise InputError(
        [Fault("study", found, "is needed here", "Give study=... as it was solved.")], "certify()"
    )


def operate_causally(
    prepared: Prepared, plant: Plant, controller: Controller, setting: Setting
) -> Evaluation:
    """Operate without foresight under one draw of outages.

    Parameters
    ----------
    prepared : Prepared
    plant : Plant
    controller : Controller
    setting : Setting

    Returns
    -------
    Evaluation
    """
    judge = Judge([block_of(prepared)], setting, "rack", prepared.study.seed)
    done = judge.operate(plant, controller, record=True)
    assert done.dispatch is not None  # recorded
    if done.balance_residual_mw > BALANCE_TOLERANCE_MW:
        off = f"off by {done.balance_residual_mw:g} MW"
        raise ReplayMismatch([f"energy balance of the causal operation: {off}"])
    years = prepared.case.years
    return evaluate_dispatch(
        prepared,
        plant,
        done.dispatch,
        "causal",
        part_load=done.fuel_mmbtu.sum(axis=1) / years,
        part_load_usd_per_yr=float(done.extra_fuel_usd.sum()) / years,
    )


def certified_design(prepared: Prepared, promised: Design, bound_usd_per_yr: float, say: Progress) -> Design:
    """Close the loop from a foresight design.

    Parameters
    ----------
    prepared : Prepared
    promised : Design
        Of a planner who foresees the weather and has nothing fail.
    bound_usd_per_yr : float
        His proven bound. [USD/yr]
    say : callable
        Takes one line of progress.

    Returns
    -------
    Design
        Certified on years that the search never saw.

    Raises
    ------
    InfeasibleDesign
        When no plant found keeps the target; says what limits it.
    """
    study, setting = prepared.study, setting_of(prepared)
    say("sizing with foresight of weather and failures")
    start = sunny_afternoon(prepared.case)
    failing = rolled(case_with_outages(prepared, setting, study.seed), start)
    pool = CutPool(failing)
    with_failures = solve_cuts(failing, gap=1e-3, cut_pool=pool)
    tight = replace(failing, uptime_target=1 - (1 - study.uptime) / 2)
    planned = [with_failures.plant, solve_cuts(tight, gap=2e-3, cut_pool=pool).plant]
    loop = close_loop(
        prepared,
        setting,
        planned,
        price_usd_per_mwh=with_failures.uptime_price_usd_per_mwh or 0.0,
        metric="rack",
        effort=Effort(),
        seed=study.seed,
        say=say,
    )
    if not loop.certificate.met:
        raise _unreached(prepared, loop, say)
    evaluation = operate_causally(prepared, loop.best.plant, loop.best.controller, setting)
    bound = bound_usd_per_yr
    blind = operate_greedy(prepared.case, loop.best.plant)
    greedy = uptime_metrics(prepared.case, blind, racks=loop.best.plant.racks, seed=study.seed)
    whole = solve_cuts(rolled(_divisible(prepared.case), start), gap=1e-4).bound_usd_per_yr
    design = Design(
        **evaluation.model_dump(),
        **{
            name: getattr(promised, name)
            for name in ("study", "method", "iterations", "uptime_price_usd_per_mwh", "solve_seconds")
        },
        objective_usd_per_yr=loop.best.cost_usd_per_yr,
        bound_usd_per_yr=bound,
        stopped_by="certificate",
        greedy_uptime=greedy.rack,
        certificate=loop.certificate,
        gap_parts={
            "not knowing the weather": loop.best.cost_usd_per_yr - with_failures.objective_usd_per_yr,
            "failures": with_failures.objective_usd_per_yr - bound,
            "whole units (inside the bound)": bound - whole,
        },
    )
    design._dispatch = evaluation._dispatch
    return design


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


def _unreached(prepared: Prepared, loop: Loop, say: Progress) -> InfeasibleDesign:
    """Say how far the search came and what limits it."""
    say("asking what limits the uptime")
    best = loop.best
    certificate = certify_plant(
        prepared,
        best.plant,
        best.controller,
        years=60,
        draws=1,
        seed=prepared.study.seed + 99,
        attribute=True,
    )
    causes = sorted(certificate.causes.items(), key=lambda item: -item[1])[:3]
    limits = ", ".join(f"{name.replace('_', ' ')} {share:.0%}" for name, share in causes)
    kept = loop.certificate.uptime
    reason = (
        f"the best plant found keeps {kept} of the target {prepared.study.uptime:g} on unseen years "
        f"({loop.trials} plants judged, {best.cost_usd_per_yr / 1e6:,.1f} M USD/yr). "
        f"Share of the lost compute that goes away without one cause: {limits}. "
        "Backup of another fuel, a longer battery, or metric='compute' with throttling may help."
    )
    return InfeasibleDesign(reason)
