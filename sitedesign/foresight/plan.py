"""The plant of a planner who sees everything: sized by a proven optimum, replayed, put into figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sitedesign.case.annual_use import full_load_hours, used_of_caps
from sitedesign.case.build import StudyCase, build_case, build_case_on, weather_of
from sitedesign.case.case import Case
from sitedesign.case.dispatch import energy_by_level
from sitedesign.case.relaxation import MetricRelaxation, left_out, relaxation
from sitedesign.case.throttling_tiers import most_useful_rack_ratio
from sitedesign.case.years import cyclic_start_step, select_years, shift_start
from sitedesign.errors import Fault, InfeasibleDesign, InputError, NotProvenOptimal, ReplayMismatch
from sitedesign.foresight.compute_cost import CheapestCompute, cheapest_compute
from sitedesign.foresight.rack_count import best_rack_count, most_racks_to_consider
from sitedesign.operation.operate import operate_greedy
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.optimize.extensive_form import solve_extensive
from sitedesign.optimize.result import OptimizationResult, gap_scale_usd
from sitedesign.reliability.limit_check import broken_limits, used_spares
from sitedesign.reliability.replay import Replay, check_dispatch
from sitedesign.results.accounting import evaluate_dispatch, project_costs, uptime_of
from sitedesign.results.design import Alternative, Design, design_from
from sitedesign.study.effort import Method
from sitedesign.study.study import Study
from sitedesign.util.deadline import Deadline
from sitedesign.util.progress import Progress
from sitedesign.weather.weather import Weather

REPLAY_TOLERANCE = 1e-6
HIGHEST_TARGET = 1 - 1e-7  # a plant that never fails with foresight promises no more than this
LEAST_USD_PER_UNIT = 1.0  # a year, of a limit that binds: less is rounding of the optimiser
EXTENSIVE_MOST_STEPS = 35_040  # a year of quarter hours; beyond, the hour-by-hour model takes hours


@dataclass(frozen=True, eq=False)
class ForesightResult:
    """Foresight design of one power path, or why there is none; and the cuts that its proof has taken."""

    name: str
    study_case: StudyCase
    design: Design | None
    error: InfeasibleDesign | None
    cuts: CutPool | None = None

    @property
    def rank(self) -> float:
        """What is to be least."""
        if self.design is None:
            return math.inf
        priced = self.design.compute_cost
        return self.design.cost if priced is None else priced.usd_per_rack_h


def prepared(study: Study, method: Method, progress: Progress) -> StudyCase:
    """Make the arrays of a study that a method takes."""
    progress("preparing weather, solar yield and load")
    return build_case(study) if method == "cuts" else one_year_case(study)


def keeps_racks(study: Study) -> bool:
    """Whether a design is of the racks that the study's case has, none of them chosen before."""
    return study.objective != "compute_cost" and (study.spares != "share" or study.sharing_racks is not None)


def foresight_design(
    study_case: StudyCase,
    method: Method,
    gap: float,
    time_limit_s: float | None,
    progress: Progress,
) -> ForesightResult:
    """Design one power path with perfect foresight."""
    study = study_case.study
    progress(f"solving {study_case.case.years} weather years by {method}")
    relaxed = relaxation(study_case.case, study.metric)
    case = shift_start(relaxed.case, cyclic_start_step(study_case.case))
    name = f"{study.pv.name} with {study.battery.name}"
    cuts: CutPool | None = None
    try:
        if study.objective == "compute_cost":
            study_case, design = _design_cheapest_compute(study_case, case, gap, time_limit_s, progress)
        elif study.spares == "share" and study.sharing_racks is None:
            study_case, design = _design_sharing_racks(study_case, case, gap, time_limit_s, progress)
        else:
            cuts = CutPool(case) if method == "cuts" else None
            sizing = _size(case, cuts, gap, time_limit_s, progress)
            progress("replaying the design")
            design = _design(study_case, case, sizing, relaxed)
    except InfeasibleDesign as error:
        return ForesightResult(name, study_case, None, error)
    if design.stopped_by != "gap":
        message = (
            f"stopped by the {design.stopped_by.replace('_', ' ')} at a gap of {design.gap:.2%}: "
            f"{design.objective_usd_per_yr / 1e6:,.3f} M USD/yr found, "
            f"{design.bound_usd_per_yr / 1e6:,.3f} M USD/yr proven. "
            "The incumbent is in error.incumbent; allow more time or a wider gap."
        )
        raise NotProvenOptimal(message, design, design.bound_usd_per_yr)
    return ForesightResult(name, study_case, design, None, cuts)


def _design_sharing_racks(
    study_case: StudyCase, standby: Case, gap: float, time_limit_s: float | None, progress: Progress
) -> tuple[StudyCase, Design]:
    """Choose the number of racks that share the work; each number is a question of its own."""
    study, rack_usd = study_case.study, standby.rack_cost_usd_per_yr
    deadline = Deadline.after(time_limit_s)
    best: tuple[StudyCase, Case, OptimizationResult] | None = None

    def size(case: Case) -> OptimizationResult:
        return solve_cuts(case, gap=gap, time_limit_s=deadline.remaining_s, explains=False)

    def price(racks: int) -> tuple[float, float] | None:
        nonlocal best
        one = build_case_on(study.with_racks(racks), study_case.weather, study_case.unit_costs)
        case = shift_start(one.case, cyclic_start_step(one.case))
        try:
            sizing = size(case)
        except InfeasibleDesign:
            return None
        progress(f"{racks} racks share the work: {sizing.objective_usd_per_yr / 1e6:,.3f} M USD/yr")
        if best is None or sizing.objective_usd_per_yr < best[2].objective_usd_per_yr:
            best = one, case, sizing
        return sizing.objective_usd_per_yr, sizing.bound_usd_per_yr

    try:
        cost = size(standby).objective_usd_per_yr
    except InfeasibleDesign:
        cost = math.inf
    curve = getattr(study.rack, f"curve_{study.throughput_curve}")
    useful = most_useful_rack_ratio(curve, study.rack.floor_fraction)
    high = most_racks_to_consider(standby.racks_contracted, study.rack.availability, useful, cost, rack_usd)
    if study.limits.racks is not None:
        high = min(high, int(study.limits.racks[1]))
    low = max(standby.racks_contracted, standby.racks_min)
    count = best_rack_count(price, low, max(low, high), rack_usd, gap)
    if count is None or best is None:
        solve_cuts(standby, gap=gap)  # says what binds
        reason = "no number of racks that share the work meets the request"
        raise InfeasibleDesign(reason)
    progress("replaying the design")
    chosen, case, sizing = best
    design = _design(chosen, case, sizing, relaxation(chosen.case, study.metric))
    return chosen, design.model_copy(update={"bound_usd_per_yr": count.bound_usd_per_yr})


def _design_cheapest_compute(
    study_case: StudyCase, case: Case, gap: float, time_limit_s: float | None, progress: Progress
) -> tuple[StudyCase, Design]:
    """Let the optimiser choose the uptime; the case that comes back has his price of lost compute."""
    study = study_case.study
    sunk = sum(item.usd_per_yr for item in project_costs(study_case))
    answer = cheapest_compute(
        case,
        sunk,
        lost_compute_usd_per_rack_h=study.lost_compute_usd_per_rack_h,
        gap=gap,
        time_limit_s=time_limit_s,
        progress=progress,
    )
    progress("replaying the design")
    design = _design(study_case, answer.case, answer.sizing, relaxation(study_case.case, study.metric))
    # An operator without foresight chooses his own uptime, at the same price of lost compute
    priced = replace(study_case.case, lost_value_usd_per_mwh=answer.case.lost_value_usd_per_mwh)
    return replace(study_case, case=priced), _priced(design, answer)


def _priced(design: Design, answer: CheapestCompute) -> Design:
    """Give the plant's own cost and bound, the value of lost compute left out."""
    return design.model_copy(
        update={
            "uptime_target": min(answer.uptime, HIGHEST_TARGET),
            "objective_usd_per_yr": answer.plant_cost_usd_per_yr,
            "bound_usd_per_yr": answer.plant_bound_usd_per_yr,
            "compute_cost": answer.cost,
            # The row's own dual is what it asks on top of the price of lost compute
            "uptime_price_usd_per_mwh": answer.case.lost_value_usd_per_mwh
            + (design.uptime_price_usd_per_mwh or 0.0),
        }
    )


def best_power_path(found: list[ForesightResult]) -> tuple[StudyCase, Design, CutPool | None]:
    """Choose among power paths, with the cuts of the chosen; the bound is that of all of them together."""
    best = min(found, key=lambda item: item.rank)
    if best.design is None:
        assert best.error is not None
        raise best.error
    if len(found) == 1:
        return best.study_case, best.design, best.cuts
    update: dict[str, Any] = {"alternatives": [_alternative(item) for item in found if item is not best]}
    if best.design.compute_cost is None:
        update["bound_usd_per_yr"] = min(item.design.bound_usd_per_yr for item in found if item.design)
    return best.study_case, best.design.model_copy(update=update), best.cuts


def _alternative(path: ForesightResult) -> Alternative:
    design = path.design
    if design is None:
        assert path.error is not None
        return Alternative(
            name=path.name,
            cost_usd_per_yr=None,
            bound_usd_per_yr=None,
            usd_per_rack_h=None,
            reason=path.error.reason,
        )
    return Alternative(
        name=path.name,
        cost_usd_per_yr=design.cost,
        bound_usd_per_yr=design.bound,
        usd_per_rack_h=design.usd_per_rack_h,
    )


def one_year_case(study: Study) -> StudyCase:
    """Prepare what the hour-by-hour model can afford: one weather year, that of the darkest five days."""
    weather = weather_of(study)
    years, steps = weather.ghi_w_m2.shape
    if steps > EXTENSIVE_MOST_STEPS:
        found = f"'extensive' with {steps:,} steps a year"
        allowed = f"affords at most {EXTENSIVE_MOST_STEPS:,} steps"
        remedy = "Use method='cuts', which takes any number, or weather with longer steps."
        raise InputError([Fault("method", found, allowed, remedy)], "solve()")
    if years == 1:
        return build_case(study)
    if study.solar_profile is None and study.load_profile is None and study.grid is None:
        row = _darkest_year(weather)
        study_case = build_case(study, [row])
    else:  # the year of a profile goes with it, and that of a series of prices
        whole = build_case(study)
        row = _darkest_year(weather) if study.solar_profile is None else _darkest_yield(whole.case)
        rows = np.array([row])
        study_case = replace(
            whole,
            weather=weather.subset([row]),
            case=select_years(whole.case, rows),
            grid=None if whole.grid is None else whole.grid.of_years(rows),
        )
    note = (
        f"The hour-by-hour model affords one of the {years} weather years: year {weather.years[row]}, that "
        "of the darkest five days. Its uptime says nothing about the others; method='cuts' takes all."
    )
    return replace(study_case, notes=(note, *study_case.notes))


def _darkest_year(weather: Weather) -> int:
    """Row of the year of the darkest five days."""
    return weather.years.index(weather.low_resource_periods(days=(5,))["year"].iloc[0])


def _darkest_yield(case: Case) -> int:
    """Row of the year in which an own profile gives least in five days."""
    by_day = case.resources[0].yield_mw_per_mw.reshape(case.years, 365, -1).sum(axis=2)
    spells = np.lib.stride_tricks.sliding_window_view(by_day, 5, axis=1).sum(axis=2)
    return int(spells.min(axis=1).argmin())


def _size(
    case: Case, cuts: CutPool | None, gap: float, time_limit_s: float | None, progress: Progress
) -> OptimizationResult:
    """Size by cuts where there is a pool for them, else hour by hour."""
    if cuts is not None:
        return solve_cuts(case, gap=gap, time_limit_s=time_limit_s, cut_pool=cuts, progress=progress)
    deadline, known = Deadline.after(time_limit_s), None
    # Its first linear program may take a minute, its first design another: the fast method's plant is tried
    # first, and is what is known when time runs out. What is proven of it is proven hour by hour alone.
    with suppress(InfeasibleDesign, NotProvenOptimal):
        known = solve_cuts(case, time_limit_s=time_limit_s, explains=False)
    start = None if known is None else known.plant
    try:
        return solve_extensive(
            case, gap=gap, time_limit_s=deadline.remaining_s, progress=progress, start=start
        )
    except NotProvenOptimal as stop:
        if known is None:
            raise
        bound = min(stop.bound_usd_per_yr, known.objective_usd_per_yr)
        return replace(
            known, method="extensive", stopped_by="time_limit", bound_usd_per_yr=bound, iterations=0
        )


def _design(
    study_case: StudyCase, case: Case, sizing: OptimizationResult, relaxed: MetricRelaxation
) -> Design:
    plant, dispatch = sizing.plant, sizing.dispatch
    assert dispatch is not None  # both optimisers give one
    replay = check_dispatch(case, plant, dispatch, must_end_full=True)
    _check_against_replay(replay, sizing, case)
    bought = (*replay.backup_mwh_per_yr, *replay.import_mwh_per_yr)
    given = energy_by_level(case, dispatch)[: sum(len(item.levels) for item in case.supplies)]
    used = used_of_caps(case, given, given, full_load_hours(case, plant.units, given))
    outside = broken_limits(case, plant, bought, replay.co2_t_per_yr, used)
    outside += used_spares(case, plant, dispatch.backup_mw)
    if outside:
        raise ReplayMismatch(outside)
    dispatch = relaxed.restored(dispatch.rolled_back(case.first_step))
    evaluation = evaluate_dispatch(study_case, plant, dispatch, "foresight")
    greedy = uptime_of(study_case, plant, operate_greedy(study_case.case, plant))
    return design_from(
        evaluation,
        study=study_case.study.to_dict(),
        objective_usd_per_yr=sizing.objective_usd_per_yr,
        bound_usd_per_yr=sizing.bound_usd_per_yr,
        method=sizing.method,
        stopped_by=sizing.stopped_by,
        solve_seconds=sizing.seconds,
        iterations=sizing.iterations,
        uptime_price_usd_per_mwh=sizing.uptime_price_usd_per_mwh,
        limit_prices=_binding(case, sizing.limit_prices),
        greedy_uptime=greedy,
        bound_name=relaxed.name + left_out(study_case.study),
    )


def _binding(case: Case, prices: Mapping[str, float]) -> dict[str, float]:
    """Prices of the limits that bind, and of every connection, whose price may be nothing."""
    asked = {f"{item.name}_mw" for item in case.imports}
    return {name: usd for name, usd in prices.items() if name in asked or abs(usd) >= LEAST_USD_PER_UNIT}


def _check_against_replay(replay: Replay, sizing: OptimizationResult, case: Case) -> None:
    """Hold the optimiser's claims against the replay's account."""
    faults = []
    claimed, found = sizing.objective_usd_per_yr, replay.objective_usd_per_yr
    if abs(claimed - found) > REPLAY_TOLERANCE * gap_scale_usd(found, sizing.turnover_usd_per_yr):
        faults.append(f"cost: the optimiser says {claimed:,.0f} USD/yr, the replay {found:,.0f}")
    for item, uptime in zip(case.classes, replay.class_uptime, strict=True):
        if uptime < item.uptime_target - REPLAY_TOLERANCE:
            of = f" of class {item.name}" if case.load_classes else ""
            faults.append(
                f"uptime{of}: the target is {item.uptime_target:.8f}, the replay gives {uptime:.8f}"
            )
    if faults:
        raise ReplayMismatch(faults)
