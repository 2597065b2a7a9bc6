"""Solves a roadmap: one pool of cuts from the plant in the end, then all stages in one master."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sitedesign.case.case import Case
from sitedesign.case.plant import Plant
from sitedesign.case.plant_limits import opened
from sitedesign.errors import InfeasibleDesign, NotProvenOptimal
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.block_master import BlockMaster, BlocksProposal
from sitedesign.optimize.blocks import BlockPlan, BlockSearch, BlocksResult, Scale
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.phasing.problem import Path, RoadmapProblem, sizes_of_plant
from sitedesign.phasing.question import BATTERY_MW, BATTERY_MWH, RoadmapCase
from sitedesign.phasing.timeline import StageTime, stage_times
from sitedesign.results.roadmap import MONTHS_PER_YEAR
from sitedesign.util.deadline import Deadline
from sitedesign.util.progress import Progress, silent

_FIRST_GAP = 1e-2  # of the plant in the end, which is only solved for its cuts and about how large it is


@dataclass(frozen=True, eq=False)
class StagePlan:
    """What is decided for one stage.

    Attributes
    ----------
    time : StageTime
    block : BlockPlan
    owned : mapping of str to float
        Size of what is owned, by name. [MW, MWh or units]
    rented, started, ended : tuple of int
        Units of each rental: there, come and gone when it begins.
    used : frozenset of str
        Technologies whose site is prepared.
    """

    time: StageTime
    block: BlockPlan
    owned: dict[str, float]
    rented: tuple[int, ...]
    started: tuple[int, ...]
    ended: tuple[int, ...]
    used: frozenset[str]


@dataclass(frozen=True, eq=False)
class RoadmapPlan:
    """The plan of every path, and what is proven.

    Attributes
    ----------
    paths : tuple of Path
    stages : tuple of tuple of StagePlan
        Of each path.
    pool : CutPool
    cost_usd, bound_usd, scale_usd : float
        Net present cost less value, expected over the paths; its bound; what the gap is measured by. [USD]
    stopped_by : str
    seconds : float
        [s]
    solves : int
        Of the master.
    known : tuple of RoadmapPlan
        With several paths, the plan of each alone, as if its dates were known.
    """

    paths: tuple[Path, ...]
    stages: tuple[tuple[StagePlan, ...], ...]
    pool: CutPool
    cost_usd: float
    bound_usd: float
    scale_usd: float
    stopped_by: str
    seconds: float
    solves: int
    known: tuple[RoadmapPlan, ...] = ()

    @property
    def gap(self) -> float:
        """[fraction]"""
        return (self.cost_usd - self.bound_usd) / self.scale_usd


def final_plant(question: RoadmapCase, pool: CutPool) -> Plant | None:
    """Size the plant in the end alone, for its cuts and about how large it is; None where there is none."""
    case = opened(replace(question.case, delay_cost_usd_per_month_yr=0.0))
    case = replace(case, limits=replace(case.limits, months_to_power=None))
    try:
        return solve_cuts(case, gap=_FIRST_GAP, cut_pool=pool, explains=False, keeps_dispatch=False).plant
    except (InfeasibleDesign, NotProvenOptimal):
        return None


def sizes_wanted(case: Case, plant: Plant | None) -> dict[str, float]:
    """Sizes of a plant by the names of deliveries. [MW, or MWh of battery]"""
    if plant is None:
        return {}
    flows = zip(case.flows, plant.counts, strict=True)
    return {
        **{r.name: mw for r, mw in zip(case.resources, plant.resources_mw, strict=True)},
        BATTERY_MWH: plant.battery_mwh,
        BATTERY_MW: plant.battery_mw,
        **{item.name: n * item.unit_mw for item, n in flows},
    }


def solve_roadmap(
    question: RoadmapCase,
    *,
    gap: float = 1e-3,
    time_limit_s: float | None = None,
    pool: CutPool | None = None,
    progress: Progress = silent,
) -> RoadmapPlan:
    """Find the plan of least net present cost, or of most net present value.

    Parameters
    ----------
    question : RoadmapCase
    gap : float
        Relative gap, of the larger of cost and value. [fraction]
    time_limit_s : float, optional
        [s]
    pool : CutPool, optional
        Cuts of the same case.
    progress : callable

    Returns
    -------
    RoadmapPlan

    Raises
    ------
    InfeasibleDesign
        When no plan meets the request.
    NotProvenOptimal
        When the time limit comes before the first plan.
    """
    deadline = Deadline.after(time_limit_s)
    pool = pool or CutPool(question.case)
    progress("sizing the plant in the end")
    wanted = sizes_wanted(question.case, final_plant(question, pool))
    path = Path(question, stage_times(question, wanted))
    if not path.times:
        reason = "no racks are asked for, or no power can come, before the horizon"
        raise InfeasibleDesign(reason)
    progress(f"{len(path.times)} stages from month {path.times[0].begins:g} on")
    return solve_paths([path], pool, gap=gap, time_limit_s=deadline.remaining_s, progress=progress)


def solve_paths(
    paths: Sequence[Path],
    pool: CutPool,
    *,
    part_month: float = 0.0,
    gap: float = 1e-3,
    time_limit_s: float | None = None,
    progress: Progress = silent,
) -> RoadmapPlan:
    """Find the best plan for one path, or for several that share what is ordered before they part.

    Parameters
    ----------
    paths : sequence of Path
    pool : CutPool
    part_month : float
        Month in which it shows which path it is. [months]
    gap, time_limit_s, progress
        As for :func:`solve_roadmap`.
    """
    problem = RoadmapProblem(paths, pool, part_month)
    master = BlockMaster(problem.blocks, problem.couple)

    found = BlockSearch(master, gap, time_limit_s, scale_of(problem), progress).solve()
    return RoadmapPlan(
        problem.paths,
        tuple(_stages(problem, p, master, found) for p in range(len(problem.paths))),
        pool,
        found.cost_usd,
        found.bound_usd,
        found.scale_usd,
        found.stopped_by,
        found.seconds,
        found.solves,
    )


def scale_of(problem: RoadmapProblem) -> Scale:
    """Measure a gap by the larger of cost and value."""

    def scale(master: BlockMaster, proposal: BlocksProposal, cost_usd: float) -> float:
        value = value_usd(problem, master, proposal)
        return max(abs(cost_usd), value, abs(cost_usd + value), 1e-9)

    return scale


def value_usd(problem: RoadmapProblem, master: BlockMaster, proposal: BlocksProposal) -> float:
    """Discounted value of the racks that run, expected over the paths. [USD]"""
    total = 0.0
    for path, variables in zip(problem.paths, problem.variables, strict=True):
        per_yr = MONTHS_PER_YEAR * (path.question.value_usd_per_rack_month or 0.0)
        for i, weight in enumerate(path.weights) if per_yr else ():
            racks = master.value(proposal, master.model.block[variables.first + i].racks_running)
            total += path.probability * per_yr * weight * racks
    return total


def _stages(
    problem: RoadmapProblem, p: int, master: BlockMaster, found: BlocksResult
) -> tuple[StagePlan, ...]:
    path, variables = problem.paths[p], problem.variables[p]
    rentals = range(len(path.question.rentals))
    stages = []
    for i, time in enumerate(path.times):
        block = found.plans[variables.first + i]

        def read(values: dict[tuple[int, int], object], stage: int = i) -> tuple[int, ...]:
            return tuple(round(master.value(found.proposal, values[stage, r])) for r in rentals)

        owned = sizes_of_plant(path.question.case, block.plant)
        for (stage, name), variable in variables.owned.items():
            if stage == i:
                owned[name] = float(round(master.value(found.proposal, variable)))
        b = master.model.block[variables.first + i]
        used = frozenset(k for k, on in b.technology_used.items() if _on(master, found.proposal, on))
        parts = (read(variables.rented), read(variables.started), read(variables.ended))
        stages.append(StagePlan(time, block, owned, *parts, used))
    return tuple(stages)


def _on(master: BlockMaster, proposal: BlocksProposal, used: object) -> bool:
    return master.value(proposal, used) > 0.5
