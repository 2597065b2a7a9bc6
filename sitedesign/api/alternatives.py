"""Nearly as good: plants that cost little more than the least and differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sitedesign.api.bound_sweep import study_faults
from sitedesign.api.solve import solve
from sitedesign.case.build import build_case
from sitedesign.case.case import Case
from sitedesign.case.plant import slowest_lead
from sitedesign.case.relaxation import relaxation
from sitedesign.case.years import cyclic_start_step, shift_start
from sitedesign.errors import Fault, InfeasibleDesign, InputError
from sitedesign.foresight.near_optimal import NAMES, co2_t_per_yr, near_optimal
from sitedesign.optimize.result import OptimizationResult
from sitedesign.results.design import Design
from sitedesign.results.near_optimal import Alternatives, NearPlant
from sitedesign.results.saved import missing_series, rebuilt_study
from sitedesign.study.effort import EFFORT, GAP, EffortName
from sitedesign.study.study import Study
from sitedesign.util.gate import CALL, FLAG, Many, Measure, OneOf, takes
from sitedesign.util.progress import Progress, silent

WITHIN = Measure("fraction", 0, 1, above=True, percent_from=1)
KINDS = NAMES
_KINDS = Many(OneOf(NAMES), f"must be a list of {', '.join(NAMES)}", 1, len(NAMES))


@takes("alternatives()", within=WITHIN, kinds=_KINDS, certify=FLAG, effort=EFFORT, gap=GAP, progress=CALL)
def alternatives(
    study: Study | Design,
    within: float = 0.02,
    *,
    kinds: Sequence[str] = NAMES,
    certify: bool = False,
    effort: EffortName = "screening",
    gap: float = 1e-4,
    progress: Progress | None = None,
) -> Alternatives:
    """Find plants that cost little more than the least and differ: the optimum is broad.

    Parameters
    ----------
    study : Study or Design
        The question, or a design that answers it.
    within : float
        How much more than the least they may cost. [fraction]
    kinds : sequence of str
        Directions: ``most_solar``, ``least_solar``, ``least_battery``, ``fewest_units``, ``soonest``,
        ``least_co2``.
    certify : bool
        Also search and certify a plant that is held to go as far, one for each direction: about half a minute
        each. It may cost more than was allowed of the bound, and says what.
    effort : {"standard", "screening"}
        Of that search.
    gap : float
        Relative optimality gap of each solve. [fraction]
    progress : callable, optional
        Called with one line of text for each solve.

    Returns
    -------
    Alternatives
        With perfect foresight and no failures, each with what is proven beyond it.

    Raises
    ------
    InputError
    InfeasibleDesign
        When no plant meets the study.

    Examples
    --------
    >>> import sitedesign as sd
    >>> site = sd.Site(latitude=31.76, longitude=-106.49)
    >>> found = sd.alternatives(sd.Study(site=site, racks=70, uptime=0.99, weather_years=1), within=0.02)
    >>> found["least_battery"].battery_mwh <= found.least.battery_mwh
    True
    """
    study, say = _study_of(study), progress or silent
    faults = study_faults(study, "alternatives")
    if faults:
        raise InputError(faults, "alternatives()")
    study_case = build_case(study)
    relaxed = relaxation(study_case.case, study.metric)
    case = shift_start(relaxed.case, cyclic_start_step(study_case.case))
    best, found = near_optimal(case, within, tuple(kinds), gap=gap, progress=say)
    plants = [_plant(case, item.name, item.unit, item.value, item.beyond, item.sizing) for item in found]
    if certify:
        plants = [_certified(study, item, effort, say) for item in plants]
    least = _plant(case, "least_cost", "USD/yr", best.objective_usd_per_yr, best.bound_usd_per_yr, best)
    return Alternatives(site_name=study.site.name, within=within, least=least, plants=tuple(plants))


def _study_of(question: Study | Design) -> Study:
    if isinstance(question, Study):
        return question
    if not isinstance(question, Design):
        fault = Fault("study", repr(type(question).__name__), "must be a sitedesign.Study or a Design")
        raise InputError([fault], "alternatives()")
    if isinstance(question._study, Study):
        return question._study
    missing = missing_series(question)
    if missing:
        found = (
            f"a saved design whose {', '.join(name.replace('_', ' ') for name in missing)} came from files"
        )
        raise InputError([Fault("study", found, "holds no series", "Give its study.")], "alternatives()")
    return rebuilt_study(question)


def _plant(
    case: Case, name: str, unit: str, value: float, beyond: float | None, sizing: OptimizationResult
) -> NearPlant:
    plant = sizing.plant
    return NearPlant(
        name=name,
        unit=unit,
        value=value,
        beyond=beyond,
        cost_usd_per_yr=sizing.objective_usd_per_yr,
        resources_mw={r.name: mw for r, mw in zip(case.resources, plant.resources_mw, strict=True)},
        backup={item.name: int(n) for item, n in zip(case.backup, plant.units, strict=True)},
        battery_mwh=plant.battery_mwh,
        battery_mw=plant.battery_mw,
        racks=plant.racks,
        months_to_power=slowest_lead(case, plant)[0],
        co2_t_per_yr=co2_t_per_yr(case, sizing),
    )


def _held(study: Study, item: NearPlant) -> dict[str, Any] | None:
    """Limits that hold a plant to go as far; None where a study has no such limit."""
    given = study.limits.model_dump(exclude_unset=True)
    solar = item.resources_mw.get("solar", 0.0)
    limits: dict[str, dict[str, Any]] = {
        "most_solar": {"solar_mw": (solar, max(2 * solar, 1.0))},
        "least_solar": {"solar_mw": solar},
        "least_battery": {"battery_mwh": item.battery_mwh},
        "soonest": {"months_to_power": item.months_to_power},
        "least_co2": {"co2_t_per_yr": item.co2_t_per_yr},
    }
    return given | limits[item.name] if item.name in limits else None


def _certified(study: Study, item: NearPlant, effort: EffortName, progress: Progress) -> NearPlant:
    """Search and certify a plant that is held to go as far as a foreseen one."""
    limits = _held(study, item)
    if limits is None:
        reason = "units stand by for failures: a bound's count says nothing of them"
        return item.model_copy(update={"reason": reason})
    try:
        design = solve(study.replace(limits=limits), effort=effort, progress=progress)
    except InfeasibleDesign as error:
        return item.model_copy(update={"reason": error.reason})
    kept = design.certificate
    lower = None if kept is None else kept.uptime.lower_bound(kept.confidence)
    return item.model_copy(update={"certified_usd_per_yr": design.cost, "certified_uptime": lower})
