"""Orders today for dates that are not known: one plan for several sets of dates, what knowing is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sitedesign.errors import InfeasibleDesign
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.phasing.problem import Path
from sitedesign.phasing.question import BATTERY_MW, BATTERY_MWH, DeliveryCase, RoadmapCase
from sitedesign.phasing.search import RoadmapPlan, final_plant, sizes_wanted, solve_paths
from sitedesign.phasing.timeline import stage_times
from sitedesign.study.roadmap_inputs import Scenario
from sitedesign.util.deadline import Deadline
from sitedesign.util.progress import Progress, silent

_BATTERY = "battery"


def with_dates(question: RoadmapCase, months: dict[str, int]) -> RoadmapCase:
    """Question in which some things can first be there in other months; rented units are among them."""
    deliveries = dict(question.deliveries)
    for name, month in months.items():
        for own in (BATTERY_MWH, BATTERY_MW) if name == _BATTERY else (name,):
            item = question.delivery(own)
            deliveries[own] = DeliveryCase(float(month), item.per_month, item.most)
    rentals = tuple(
        replace(item, from_month=float(months[item.technology])) if item.technology in months else item
        for item in question.rentals
    )
    return replace(question, deliveries=deliveries, rentals=rentals)


def part_month(question: RoadmapCase, scenarios: Sequence[Scenario]) -> float:
    """Month in which it shows which dates come true: the first of those that differ."""
    names = dict.fromkeys(name for item in scenarios for name in item.months)
    own = {name: question.delivery(BATTERY_MWH if name == _BATTERY else name).lead_months for name in names}
    firsts = []
    for name in names:
        months = {float(item.months.get(name, own[name])) for item in scenarios}
        if len(months) > 1:
            firsts.append(min(months))
    return min(firsts, default=question.horizon_months)


def solve_scenarios(
    question: RoadmapCase,
    scenarios: Sequence[Scenario],
    *,
    gap: float = 1e-3,
    time_limit_s: float | None = None,
    pool: CutPool | None = None,
    progress: Progress = silent,
) -> RoadmapPlan:
    """Find the plan of least expected cost whose orders are the same until it shows which dates come true.

    Parameters
    ----------
    question : RoadmapCase
    scenarios : sequence of Scenario
        Whose probabilities add up to 1.
    gap, time_limit_s, pool, progress
        As for :func:`sitedesign.phasing.search.solve_roadmap`.

    Returns
    -------
    RoadmapPlan
        With the plan of each set of dates as if it were known.

    Raises
    ------
    InfeasibleDesign, NotProvenOptimal
        As there; no set of dates may leave the request without a plan.
    """
    deadline = Deadline.after(time_limit_s)
    pool = pool or CutPool(question.case)
    progress("sizing the plant in the end")
    wanted = sizes_wanted(question.case, final_plant(question, pool))
    each = max(2, question.most_stages)
    paths = []
    for number, item in enumerate(scenarios):
        dated = replace(with_dates(question, dict(item.months)), most_stages=each)
        times = stage_times(dated, wanted)
        if not times:
            reason = "with some of the dates no racks run before the horizon"
            raise InfeasibleDesign(reason)
        name = item.name or f"dates {number + 1}"
        paths.append(Path(dated, times, name, item.probability))
    known = []
    for path in paths:
        progress(f"{path.name}: as if these dates were known")
        alone = replace(path, probability=1.0)
        known.append(solve_paths([alone], pool, gap=gap, time_limit_s=deadline.remaining_s))
    progress(f"{len(paths)} sets of dates together")
    part = part_month(question, scenarios)
    plan = solve_paths(
        paths, pool, part_month=part, gap=gap, time_limit_s=deadline.remaining_s, progress=progress
    )
    return replace(plan, known=tuple(known))
