"""What a given plant does on a study's weather."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, Unpack

from sitedesign.api.question import one_study, study_faults
from sitedesign.case.build import StudyCase, build_case
from sitedesign.case.case import Case
from sitedesign.case.dispatch import Dispatch
from sitedesign.case.plant import Plant
from sitedesign.case.years import cyclic_start_step, shift_start
from sitedesign.certified.environment import default_controller, environment_of
from sitedesign.certified.operate import operate_causally
from sitedesign.errors import Fault, InputError, unknown_name
from sitedesign.operation.forecast import Forecast
from sitedesign.operation.operate import operate_greedy
from sitedesign.operation.state import Controller
from sitedesign.optimize.foresight_dispatch import foresight
from sitedesign.reliability.certificate import GIVEN, USUAL
from sitedesign.reliability.limit_check import broken_limits
from sitedesign.reliability.replay import check_dispatch
from sitedesign.results.accounting import evaluate_dispatch
from sitedesign.results.evaluation import Evaluation
from sitedesign.study.ageing import AGE, at_age
from sitedesign.study.demand import RACKS
from sitedesign.study.limits import MW, MWH, UNITS
from sitedesign.study.question import QuestionOfPlant, with_fields
from sitedesign.study.study import Study
from sitedesign.study.surplus import Surplus
from sitedesign.util.gate import ByName, Kind, OneOf, is_number, takes

Operation = Literal["greedy", "foresight", "causal"]
_WHOLE = 1e-6  # so that 7 units' worth of power is 7 units
OPERATIONS = ("greedy", "foresight", "causal")


def _other_faults(given: Mapping[str, Any]) -> list[Fault]:
    """Faults of an evaluation, for a caller some of whose numbers are wrong."""
    study, backup = given.get("study"), given.get("backup")
    if not isinstance(study, Study):
        return study_faults(given)
    racks, wind = given.get("racks"), given.get("wind_mw")
    flows = {name: given.get(name) for name in ("grid_mw", "sale_mw")}
    surplus = given.get("surplus_size")
    return plant_faults(
        study,
        backup if isinstance(backup, Mapping) else {},
        racks if isinstance(racks, int) else None,
        wind if isinstance(wind, Mapping) else {},
        flows,
        surplus if isinstance(surplus, Mapping) else {},
    )


@with_fields(QuestionOfPlant)
@takes(
    "evaluate()",
    also=_other_faults,
    solar_mw=MW,
    battery_mwh=MWH,
    battery_mw=MW,
    backup=ByName(UNITS, "must be units by technology", "For example backup={'diesel': 3}."),
    racks=RACKS,
    wind_mw=ByName(MW, "must be MW by turbine", "For example wind_mw={'onshore_6mw_170': 60}."),
    grid_mw=MW,
    sale_mw=MW,
    surplus_size=ByName(MW, "must be sizes by name", "For example surplus_size={'miner': 20}."),
    operation=OneOf(OPERATIONS),
    age_years=AGE,
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
    wind_mw: Mapping[str, float] | None = None,
    grid_mw: float | None = None,
    sale_mw: float | None = None,
    surplus_size: Mapping[str, float] | None = None,
    operation: Operation = "greedy",
    age_years: float | None = None,
    controller: Controller | None = None,
    forecast: Forecast | None = None,
    **question: Unpack[QuestionOfPlant],
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
    wind_mw : mapping of str to float, optional
        Wind farms by turbine; none when left out. [MW]
    grid_mw, sale_mw : float, optional
        Import contracted with the study's grid, and most that may be fed in; the least that the study asks
        for when left out. [MW]
    surplus_size : mapping of str to float, optional
        Sizes of those who may take surplus, by name; the least that the study asks for when left out. [MW, or
        racks where it is racks]
    operation : {"greedy", "foresight", "causal"}
        ``greedy``: solar, then battery, then units, then shedding; no look-ahead, nothing fails.
        ``foresight``: the least cost that anybody who knew the future could reach. ``causal``: an operator
        with a fallible forecast and real units, under one sampled draw of everything that fails.
    age_years : float, optional
        Age of the plant; that of the study (``plant_age_yr``) when left out. [yr]
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

    Examples
    --------
    >>> import sitedesign as sd
    >>> site = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
    >>> result = sd.evaluate(
    ...     site=site, racks=7, uptime=0.9, weather_years=1,
    ...     solar_mw=8, battery_mwh=24, battery_mw=3, backup={"diesel": 1},
    ... )
    >>> result.uptime.value > 0.9
    True
    """
    fields: dict[str, Any] = dict(question)
    if study is None and racks is not None and "it_mw" not in fields:
        fields.setdefault("racks", racks)
    study = one_study(study, fields)
    study = study if age_years is None else at_age(study, age_years)
    flows = {"grid_mw": grid_mw, "sale_mw": sale_mw}
    plant = _plant(
        study,
        solar_mw,
        battery_mwh,
        battery_mw,
        backup or {},
        racks,
        wind_mw or {},
        flows,
        surplus_size or {},
    )
    if study.spares == "share":
        study = study.with_racks(plant.racks)
    given = {"controller": controller, "forecast": forecast}
    unused = [name for name, value in given.items() if value is not None and operation != "causal"]
    if unused:
        allowed = "needs operation='causal': nobody else has a rule or a forecast to choose"
        raise InputError([Fault(name, f"one with {operation!r}", allowed) for name in unused], "evaluate()")
    return operate_plant(build_case(study), plant, operation, controller, forecast)


def operate_plant(
    study_case: StudyCase,
    plant: Plant,
    operation: Operation,
    controller: Controller | None = None,
    forecast: Forecast | None = None,
) -> Evaluation:
    """Operate a plant of a case; arguments as for :func:`evaluate`."""
    if operation == "causal":
        study = study_case.study
        rule, origin = (default_controller(study), USUAL) if controller is None else (controller, GIVEN)
        result = operate_causally(study_case, plant, rule, environment_of(study_case, forecast), origin)
    elif operation == "greedy":
        dispatch = operate_greedy(study_case.case, plant)
        check_dispatch(study_case.case, plant, dispatch)
        result = evaluate_dispatch(study_case, plant, dispatch, operation)
    else:
        dispatch = _foresight(shift_start(study_case.case, cyclic_start_step(study_case.case)), plant)
        result = evaluate_dispatch(study_case, plant, dispatch, operation)
    return _held_against_limits(study_case.case, plant, result)


def _held_against_limits(case: Case, plant: Plant, result: Evaluation) -> Evaluation:
    """Say where a plant that was given, not found, is outside the limits of its study."""
    energy = [result.energy_mwh_per_yr[item.name] for item in case.supplies]
    outside = broken_limits(case, plant, energy, result.co2_t_per_yr, [use.mean for use in result.capped])
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


def _plant(
    study: Study,
    solar_mw: float,
    battery_mwh: float,
    battery_mw: float,
    backup: Mapping[str, int],
    racks: int | None,
    wind_mw: Mapping[str, float],
    flows: Mapping[str, float | None],
    surplus_size: Mapping[str, float],
) -> Plant:
    faults = plant_faults(study, backup, racks, wind_mw, flows, surplus_size)
    if faults:
        raise InputError(faults, "evaluate()")
    units = tuple(int(backup.get(item.name, 0)) for item in study.backup)
    installed = study.contracted_racks if racks is None else racks
    resources = (solar_mw, *(float(wind_mw.get(item.name, 0.0)) for item in study.wind))
    imports, sinks = _flows(study, flows)
    sinks += tuple(_units(item, surplus_size.get(item.label)) for item in study.surplus)
    return Plant(resources, battery_mwh, battery_mw, units, int(installed), imports, sinks)


def _units(item: Surplus, size: float | None) -> float:
    """Units of one who may take surplus: as given, else the least that the study asks for."""
    if item.racks is not None:
        return float(item.racks[0]) if size is None else float(round(size))
    unit_mw, least = item.unit or 1.0, 0.0 if item.mw is None else item.mw[0]
    units = (least if size is None else size) / unit_mw
    if item.unit is None:
        return units
    return float(math.ceil(units - _WHOLE) if size is None else round(units))


def _flows(study: Study, flows: Mapping[str, float | None]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Sizes of imports and sinks: as given, else the least that the study asks for. [MW]"""
    grid = study.grid
    if grid is None:
        return (), ()
    least = {"grid_mw": (grid.import_mw or (0.0,))[0], "sale_mw": (grid.export_mw or (0.0,))[0]}
    sizes = {name: least[name] if given is None else given for name, given in flows.items()}
    return (sizes["grid_mw"],), (sizes["sale_mw"],) if grid.sells else ()


def _surplus_faults(study: Study, sizes: Mapping[str, Any]) -> list[Fault]:
    """Faults of sizes of those who may take surplus: unknown ones, and parts of what comes whole."""
    known = {item.label: item for item in study.surplus}
    faults = [unknown_name(f"surplus_size.{name}", name, list(known)) for name in sizes if name not in known]
    for name, size in sizes.items():
        item = known.get(name)
        whole = None if item is None else item.unit if item.racks is None else 1.0
        if whole is None or not is_number(size) or abs(size / whole - round(size / whole)) <= _WHOLE:
            continue
        what = "of racks" if item is not None and item.racks is not None else f"of units of {whole:g} MW"
        faults.append(Fault(f"surplus_size.{name}", f"{size:g}", f"must be a whole number {what}"))
    return faults


def plant_faults(
    study: Study,
    backup: Mapping[str, int],
    racks: int | None,
    wind_mw: Mapping[str, float],
    flows: Mapping[str, Any],
    surplus_size: Mapping[str, Any],
) -> list[Fault]:
    """Faults of a plant against its study."""
    grid = study.grid
    there = {"grid_mw": grid is not None, "sale_mw": grid is not None and grid.sells}
    faults = [
        Fault(name, "given", "needs a study whose grid " + ("sells" if name == "sale_mw" else "is there"))
        for name, size in flows.items()
        if size is not None and not there[name]
    ]
    for kind, given, known in (("backup", backup, study.backup), ("wind_mw", wind_mw, study.wind)):
        names = [item.name for item in known]
        faults += [unknown_name(f"{kind}.{name}", name, names) for name in given if name not in names]
    faults += _surplus_faults(study, surplus_size)
    if racks is not None and racks < study.contracted_racks:
        allowed = f"must cover the {study.contracted_racks} contracted racks"
        faults.append(Fault("racks", f"{racks}", allowed))
    return faults
