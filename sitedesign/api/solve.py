"""The main job: solve a study, evaluate a plant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sitedesign.case.build import prepare
from sitedesign.case.case import Case, Dispatch, Plant, rolled, sunny_afternoon
from sitedesign.certified.certified_design import certified_design, operate_causally
from sitedesign.certified.effort import DEFAULT_GAP, EFFORT, EFFORTS, GAP, METHOD, TIME_LIMIT_S, EffortName
from sitedesign.certified.environment import setting_of, usual_rule
from sitedesign.errors import Fault, InputError, unknown_name
from sitedesign.foresight.plan import Method, Progress, cheapest, foresight_design
from sitedesign.operation.forecast import Forecast
from sitedesign.operation.operate import operate_greedy
from sitedesign.operation.state import Controller
from sitedesign.optimize.foresight_dispatch import foresight
from sitedesign.reliability.certificate import GIVEN, USUAL
from sitedesign.reliability.limit_check import broken_limits
from sitedesign.reliability.replay import check_dispatch
from sitedesign.results.accounting import evaluate_dispatch
from sitedesign.results.design import Design
from sitedesign.results.evaluation import Evaluation
from sitedesign.study.demand import RACKS
from sitedesign.study.limits import MW, MWH, UNITS
from sitedesign.study.study import Study
from sitedesign.util.compile_ahead import compile_ahead
from sitedesign.util.gate import CALL, FLAG, ByName, Kind, OneOf, takes

#: What `solve` does when it is told nothing.
_PLAIN = {"method": "cuts", "certify": None, "effort": "standard", "gap": None, "time_limit_s": None}
OPERATIONS = ("greedy", "foresight", "causal")


def _study_faults(given: Mapping[str, Any]) -> list[Fault]:
    """Faults of a study given as keywords, for a caller whose options are wrong too."""
    if given.get("study") is not None:
        return []
    question = dict(given.get("question", {}))
    if given.get("racks") is not None and "it_mw" not in question:
        question.setdefault("racks", 1)  # of its own gate
    try:
        Study(**question)
    except InputError as error:
        return list(error.faults)
    return []


def _other_faults(given: Mapping[str, Any]) -> list[Fault]:
    """Faults of an evaluation, for a caller some of whose numbers are wrong."""
    study, backup = given.get("study"), given.get("backup")
    if not isinstance(study, Study):
        return _study_faults(given)
    racks = given.get("racks")
    return plant_faults(
        study, backup if isinstance(backup, Mapping) else {}, racks if isinstance(racks, int) else None
    )


@takes(
    "solve()",
    also=_study_faults,
    method=METHOD,
    certify=FLAG,
    effort=EFFORT,
    gap=GAP,
    time_limit_s=TIME_LIMIT_S,
    progress=CALL,
)
def solve(
    study: Study | None = None,
    *,
    method: Method = "cuts",
    certify: bool | None = None,
    effort: EffortName = "standard",
    gap: float | None = None,
    time_limit_s: float | None = None,
    progress: Progress | None = None,
    **question: Any,  # noqa: ANN401
) -> Design:
    """Design the least-cost plant that meets a study.

    Parameters
    ----------
    study : Study, optional
        Or give the fields of a study as keywords: ``solve(site=..., racks=..., uptime=...)``.
    method : {"cuts", "extensive"}
        ``cuts`` solves all weather years exactly in about a second. ``extensive`` builds every hour as
        rows of one model: the reference, affordable for one weather year, which it chooses and names.
    certify : bool, optional
        Go on from the optimum with foresight, which is a bound, to a plant whose uptime an operator without
        foresight keeps while things fail, certified on years that the search never saw: about half a minute.
        The default with ``cuts``; with False the foresight design is returned, labelled as a bound.
    effort : {"standard", "screening"}
        How long to search for a plant to certify. ``screening`` takes about a third of the time, may end at a
        plant a few per cent dearer, and tells neither causes nor remedies; its certificate is worth as much.
    gap : float, optional
        Relative optimality gap; 1e-4 for ``cuts``, 1e-3 for ``extensive``. [fraction]
    time_limit_s : float, optional
        [s]
    progress : callable, optional
        Called with one line of text now and then.

    Returns
    -------
    Design
        Replayed by code that shares nothing with the optimiser before it is returned.

    Raises
    ------
    InputError
        All faults at once, before any solver starts.
    InfeasibleDesign
        Names what binds.
    NotProvenOptimal
        When a limit stops the solver; carries the incumbent design and the bound.
    """
    study = _one_study(study, question)
    check_method(method, certify, study)
    say, limit = progress or (lambda _: None), time_limit_s
    variants = study.variants
    if limit is not None:
        limit /= len(variants)
    certifies = certify is not False and method == "cuts"
    if certifies:
        compile_ahead()
    found = [foresight_design(item, method, gap or DEFAULT_GAP[method], limit, say) for item in variants]
    prepared, design = cheapest(found)
    if certifies:
        say(f"proven bound: {design.bound / 1e6:,.3f} M USD/yr; now for an operator without foresight")
        design = _completed(design, certified_design(prepared, design, say, EFFORTS[effort]))
    options = {
        "method": method,
        "certify": certify,
        "effort": effort,
        "gap": gap,
        "time_limit_s": time_limit_s,
    }
    given = {name: value for name, value in options.items() if value != _PLAIN[name]}
    design = design.model_copy(update={"solve_options": given})
    design._study = prepared.study
    return design


def _completed(promised: Design, certified: Design) -> Design:
    """Keep with a certified design what only the foresight design knows."""
    rivals = [
        f"{item.name} was not certified and might cost less: its bound of {item.bound_usd_per_yr / 1e6:,.3f} "
        "M USD/yr lies below the certified cost."
        for item in promised.alternatives
        if item.bound_usd_per_yr is not None and item.bound_usd_per_yr < certified.cost
    ]
    notes = (*certified.provenance.notes, *rivals)
    return certified.model_copy(
        update={
            "compute_cost": promised.compute_cost,
            "alternatives": promised.alternatives,
            "provenance": certified.provenance.model_copy(update={"notes": notes}),
        }
    )


@takes(
    "evaluate()",
    also=_other_faults,
    solar_mw=MW,
    battery_mwh=MWH,
    battery_mw=MW,
    backup=ByName(UNITS, "must be units by technology", "For example backup={'diesel': 3}."),
    racks=RACKS,
    operation=OneOf(OPERATIONS),
    controller=Kind((Controller,), "must be a sitedesign.Controller"),
    forecast=Kind((Forecast,), "must be a sitedesign.Forecast"),
)
def evaluate(
    study: Study | None = None,
    *,
    solar_mw: float,
    battery_mwh: float,
    battery_mw: float,
    backup: Mapping[str, int] | None = None,
    racks: int | None = None,
    operation: Literal["greedy", "foresight", "causal"] = "greedy",
    controller: Controller | None = None,
    forecast: Forecast | None = None,
    **question: Any,  # noqa: ANN401
) -> Evaluation:
    """Operate a fixed plant on the study's weather.

    Parameters
    ----------
    study : Study, optional
        Or its fields as keywords.
    solar_mw, battery_mwh, battery_mw : float
        [MWdc, MWh nameplate, MW]
    backup : mapping of str to int, optional
        Units per technology; none when left out.
    racks : int, optional
        Racks installed; those contracted when left out.
    operation : {"greedy", "foresight", "causal"}
        ``greedy``: solar, then battery, then units, then shedding; no look-ahead, nothing fails.
        ``foresight``: the least cost that anybody who knew the future could reach. ``causal``: an operator
        with a fallible forecast and real units, under one sampled draw of everything that fails.
    controller, forecast : Controller, Forecast, optional
        For ``causal``: the rule of operation, and how well the days ahead are known. The usual rule is not
        tuned to the plant, which may cost uptime or fuel; a certified design carries the one that is
        (``design.controller``), also where limits fix its plant.

    Returns
    -------
    Evaluation

    Raises
    ------
    InputError
    """
    if study is None and racks is not None and "it_mw" not in question:
        question.setdefault("racks", racks)
    study = _one_study(study, question)
    plant = _plant(study, solar_mw, battery_mwh, battery_mw, backup or {}, racks)
    if study.spares == "share":
        study = study.with_racks(plant.racks)
    given = {"controller": controller, "forecast": forecast}
    unused = [name for name, value in given.items() if value is not None and operation != "causal"]
    if unused:
        allowed = "needs operation='causal': nobody else has a rule or a forecast to choose"
        raise InputError([Fault(name, f"one with {operation!r}", allowed) for name in unused], "evaluate()")
    prepared = prepare(study)
    if operation == "causal":
        rule, origin = (usual_rule(study), USUAL) if controller is None else (controller, GIVEN)
        result = operate_causally(prepared, plant, rule, setting_of(prepared, forecast), origin)
    elif operation == "greedy":
        dispatch = operate_greedy(prepared.case, plant)
        check_dispatch(prepared.case, plant, dispatch)
        result = evaluate_dispatch(prepared, plant, dispatch, operation)
    else:
        dispatch = _foresight(rolled(prepared.case, sunny_afternoon(prepared.case)), plant)
        result = evaluate_dispatch(prepared, plant, dispatch, operation)
    return _held_against_limits(prepared.case, plant, result)


def _held_against_limits(case: Case, plant: Plant, result: Evaluation) -> Evaluation:
    """Say where a plant that was given, not found, is outside the limits of its study."""
    energy = [result.energy_mwh_per_yr[item.name] for item in case.backup]
    outside = broken_limits(case, plant, energy, result.co2_t_per_yr)
    if not outside:
        return result
    note = f"This plant is outside the limits of its study: {'; '.join(outside)}."
    known = result.provenance
    return result.model_copy(update={"provenance": known.model_copy(update={"notes": (*known.notes, note)})})


def _foresight(case: Case, plant: Plant) -> Dispatch:
    """Operate with perfect foresight, check, and put back in calendar order."""
    dispatch = foresight(case, plant)
    check_dispatch(case, plant, dispatch, must_end_full=True)
    return dispatch.rolled_back(case.first_step)


def _one_study(study: Study | None, question: Mapping[str, Any]) -> Study:
    if study is None:
        return Study(**question)
    if not isinstance(study, Study):
        allowed = "must be a sitedesign.Study, or give site=..., racks=..., uptime=... as keywords"
        raise InputError([Fault("study", repr(type(study).__name__), allowed)], "solve()")
    if question:
        found = ", ".join(sorted(question))
        remedy = "Use study.replace(...) to change a study."
        raise InputError([Fault("keywords", found, "cannot be combined with a study", remedy)], "solve()")
    return study


def check_method(method: str, certify: bool | None, study: Study | None = None) -> None:
    """Refuse a method that cannot do what is asked.

    Raises
    ------
    InputError
    """
    if method != "extensive":
        return
    faults = []
    if study is not None and study.objective == "compute_cost":
        allowed = "needs method='cuts', which solves for one price of compute after the other"
        faults.append(Fault("method", "'extensive' with objective='compute_cost'", allowed))
    if study is not None and study.spares == "share" and study.sharing_racks is None:
        allowed = "needs method='cuts', which solves for one number of racks after the other"
        faults.append(Fault("method", "'extensive' with spares='share'", allowed))
    if certify:
        allowed = "needs method='cuts': the hour-by-hour model affords one weather year"
        faults.append(Fault("certify", "True with 'extensive'", allowed, "Leave one of them out."))
    if faults:
        raise InputError(faults, "solve()")


def _plant(
    study: Study,
    solar_mw: float,
    battery_mwh: float,
    battery_mw: float,
    backup: Mapping[str, int],
    racks: int | None,
) -> Plant:
    faults = plant_faults(study, backup, racks)
    if faults:
        raise InputError(faults, "evaluate()")
    units = tuple(int(backup.get(item.name, 0)) for item in study.backup)
    installed = study.contracted_racks if racks is None else racks
    return Plant(solar_mw, battery_mwh, battery_mw, units, int(installed))


def plant_faults(study: Study, backup: Mapping[str, int], racks: int | None) -> list[Fault]:
    """Faults of a plant against its study."""
    names = [item.name for item in study.backup]
    faults = [unknown_name(f"backup.{name}", name, names) for name in backup if name not in names]
    if racks is not None and racks < study.contracted_racks:
        allowed = f"must cover the {study.contracted_racks} contracted racks"
        faults.append(Fault("racks", f"{racks}", allowed))
    return faults
