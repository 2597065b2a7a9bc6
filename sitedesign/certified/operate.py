"""What an operator without foresight makes of a plant under one draw of outages."""

from __future__ import annotations

import pandas as pd

from sitedesign.case.annual_use import OperatorUse
from sitedesign.case.build import StudyCase
from sitedesign.case.case import Case, FloatArray
from sitedesign.case.plant import Plant
from sitedesign.certified.evaluator import Evaluator
from sitedesign.certified.scenario_years import weather_block
from sitedesign.errors import ReplayMismatch
from sitedesign.operation.capped_use import per_unit
from sitedesign.operation.environment import OperatingEnvironment
from sitedesign.operation.outages.sampling import OutageSample, resource_availability
from sitedesign.operation.state import Controller
from sitedesign.reliability.certificate import GIVEN
from sitedesign.reliability.reserve_use import reserve_words
from sitedesign.results.accounting import Actuals, evaluate_dispatch
from sitedesign.results.evaluation import Evaluation
from sitedesign.results.permits import UnitDuty

BALANCE_TOLERANCE_MW = 1e-6


def _given_mw(case: Case, plant: Plant, outages: OutageSample) -> list[FloatArray]:
    """Power that each resource could give, outages included, shape (T,) each. [MW]"""
    resources = enumerate(zip(case.resources, plant.resources_mw, strict=True))
    return [
        mw * item.yield_mw_per_mw * resource_availability(outages, row, case.steps)
        for row, (item, mw) in resources
    ]


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
    evaluator = Evaluator(
        [weather_block(study_case)], environment, study_case.study.metric, study_case.study.seed
    )
    done = evaluator.operate(plant, controller, record=True)
    assert done.dispatch is not None  # recorded, as is what the array could give
    assert done.solar_mw is not None
    if done.balance_residual_mw > BALANCE_TOLERANCE_MW:
        off = f"off by {done.balance_residual_mw:g} MW"
        raise ReplayMismatch([f"energy balance of the causal operation: {off}"])
    case = study_case.case
    cycled = float(done.cycled_mwh.mean())
    cycles = cycled / plant.battery_mwh if plant.battery_mwh > 0.0 else 0.0
    actuals = Actuals(
        done.fuel_mmbtu.sum(axis=1) / case.years,
        done.extra_fuel_usd.sum(axis=1) / case.years,
        [done.solar_mw] if len(case.resources) == 1 else _given_mw(case, plant, evaluator.outages_of(plant)),
        done.energy_by_level_mwh.sum(axis=1) / case.years,
        done.fuel_by_level_mmbtu.sum(axis=1) / case.years,
        UnitDuty(
            per_unit(case, plant, done.run_h),
            OperatorUse(per_unit(case, plant, done.starts), done.night_h.mean(axis=1).tolist(), cycles),
        ),
    )
    result = evaluate_dispatch(study_case, plant, done.dispatch, "causal", actuals)
    if done.unit_mw is not None:
        names = [f"{item.name}_{i}_mw" for item, n in zip(case.backup, plant.units, strict=True)
                 for i in range(1, n + 1)]  # fmt: skip
        result._units = pd.DataFrame(done.unit_mw.T, columns=names, index=result.dispatch.index)
    told = result.provenance
    if case.reserve is not None:
        short_h = done.reserve_short_h.mean()
        note = f"Reserve ({reserve_words(case.reserve)}): missing in {short_h:.3g} h a year."
        told = told.model_copy(update={"notes": (*told.notes, note)})
    return result.model_copy(update={"controller": controller, "rule": rule, "provenance": told})
