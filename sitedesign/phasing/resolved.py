"""What a month of earlier grid and one more unit for rent are worth in whole numbers, within proven limits.

The plan is solved anew, as it is and with one of them changed, until its cost and its bound are so close that
their differences are: what is worth ``C - C'`` lies between ``B - C'`` and ``C - B'``, the costs ``C`` found
and their bounds ``B``. All stand on the same stages and the same cuts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sitedesign.errors import InfeasibleDesign, NotProvenOptimal
from sitedesign.optimize.block_master import BlockMaster
from sitedesign.optimize.blocks import BlockSearch
from sitedesign.phasing.problem import Path, RoadmapProblem
from sitedesign.phasing.question import RoadmapCase
from sitedesign.phasing.search import RoadmapPlan, scale_of
from sitedesign.phasing.timeline import StageTime
from sitedesign.util.progress import Progress, silent

_CLOSE = 0.015  # of what it is worth: how closely it is to be known
_LEAST_GAP, _MOST_GAP = 1e-6, 1e-4  # of each plan
_SECONDS = 300.0  # for each of them


@dataclass(frozen=True)
class Within:
    """A value and how far it may be off.

    Attributes
    ----------
    usd, within_usd : float
        Middle of what is proven, and half its width. [USD]
    """

    usd: float
    within_usd: float


def resolved(
    plan: RoadmapPlan,
    times: tuple[StageTime, ...],
    changed: Mapping[str, RoadmapCase],
    about_usd: Mapping[str, float],
    progress: Progress = silent,
) -> dict[str, Within]:
    """Solve a plan anew with each of some changes, none of which can make it dearer.

    Parameters
    ----------
    plan : RoadmapPlan
        Of one path.
    times : tuple of StageTime
        On which all of them stand.
    changed : mapping of str to RoadmapCase
    about_usd : mapping of str to float
        About what each change is worth, which says how closely it is solved. [USD]
    progress : callable

    Returns
    -------
    dict of str to Within
        Without those for which no plan was found in time.
    """
    if not changed:
        return {}
    gaps = {name: _gap(about_usd[name], plan.scale_usd) for name in changed}
    progress("solving the plan anew in whole numbers, as it is")
    now = _limits(plan, plan.paths[0].question, times, min(gaps.values()))
    found = {}
    for name, question in changed.items():
        progress(f"solving the plan anew in whole numbers: {name}")
        then = None if now is None else _limits(plan, question, times, gaps[name])
        if now is not None and then is not None:
            low, high = max(now[0] - then[1], 0.0), max(now[1] - then[0], 0.0)
            found[name] = Within(0.5 * (low + high), 0.5 * (high - low))
    return found


def _gap(about_usd: float, scale_usd: float) -> float:
    """Gap of two plans at which their difference is known closely enough."""
    if about_usd <= 0.0:
        return _MOST_GAP
    return min(max(_CLOSE * about_usd / scale_usd, _LEAST_GAP), _MOST_GAP)


def _limits(
    plan: RoadmapPlan, question: RoadmapCase, times: tuple[StageTime, ...], gap: float
) -> tuple[float, float] | None:
    """Bound and cost of the best plan; None where none is found in time. [USD]"""
    problem = RoadmapProblem([Path(question, times)], plan.pool)
    master = BlockMaster(problem.blocks, problem.couple)
    try:
        found = BlockSearch(master, gap, _SECONDS, scale_of(problem), closely=True).solve()
    except (InfeasibleDesign, NotProvenOptimal):
        return None
    return found.bound_usd, found.cost_usd
