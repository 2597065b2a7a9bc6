"""The exact choice among few sites: all their plants in one program, tied by the racks, or by one uptime.

Each site is a block whose load is a share of all racks (:mod:`sitedesign.optimize.blocks`): whole units,
whole racks, and the operation of every site in one bound, where the curves of :mod:`sitedesign.fleet.curves`
know one design a site. Costs are in proportion to size, and what a site costs whatever its size comes on top.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyomo.environ as pyo

from sitedesign.case.build import StudyCase, build_case
from sitedesign.case.plant_limits import opened
from sitedesign.case.relaxation import relaxation
from sitedesign.case.years import cyclic_start_step, shift_start
from sitedesign.errors import Fault, InputError
from sitedesign.optimize.block_master import Block
from sitedesign.optimize.blocks import solve_blocks
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.results.accounting import project_costs
from sitedesign.study.study import Study
from sitedesign.util.progress import Progress, silent

_OF = "portfolio()"


@dataclass(frozen=True)
class Ties:
    """What ties the sites.

    Attributes
    ----------
    racks : int
        On all of them.
    most_sites : int or None
    least_racks, most_racks : float
        Of a site that is built.
    fixed_usd_per_yr : float
        Of each site that is built. [USD/yr]
    moves : bool
        Whether work moves between the sites, so that they keep one uptime together.
    """

    racks: int
    most_sites: int | None
    least_racks: float
    most_racks: float
    fixed_usd_per_yr: float
    moves: bool


@dataclass(frozen=True, eq=False)
class Together:
    """The best choice and what is proven.

    Attributes
    ----------
    racks : tuple of int
        Of each site.
    cost_usd_per_yr, bound_usd_per_yr : float
        Plants, halls, land, staff and what sites cost whatever their size. [USD/yr]
    """

    racks: tuple[int, ...]
    cost_usd_per_yr: float
    bound_usd_per_yr: float


def choose_together(
    studies: Sequence[Study], ties: Ties, gap: float = 1e-4, progress: Progress = silent
) -> Together:
    """Choose sites, racks and plants in one program.

    Parameters
    ----------
    studies : sequence of Study
        One a site, each asked for all racks.
    ties : Ties
    gap : float
        Relative. [fraction]
    progress : callable

    Raises
    ------
    InputError
        If work moves and the weather years of the sites are not the same years, or a study has what a block
        cannot have: classes, spare units that stand by.
    InfeasibleDesign
        If the sites cannot hold the racks.
    """
    faults = [fault for study in studies for fault in _block_faults(study)]
    if ties.moves:
        faults += common_weather_faults(studies)
    if faults:
        raise InputError(faults, _OF)
    built = [build_case(study) for study in studies]
    blocks, share = [], min(1.0, ties.most_racks / ties.racks)
    for item in built:
        # As for one site alone: with a battery that is full on a summer afternoon, not on a winter's night
        alone = relaxation(item.case, item.study.metric).case
        case = opened(shift_start(alone, cyclic_start_step(item.case)))
        if ties.moves:  # each for itself asks for nothing
            case = replace(case, uptime_target=0.0)
        blocks.append(Block(item.study.site.name, case, CutPool(case), share=(0.0, share)))
    places = [_place_usd_per_rack(item) for item in built]
    found = solve_blocks(blocks, coupling(places, ties, built), gap=gap, progress=progress)
    racks = tuple(plan.racks_running for plan in found.plans)
    return Together(racks, found.cost_usd, found.bound_usd)


def coupling(
    places_usd_per_rack: Sequence[float], ties: Ties, built: Sequence[StudyCase] = ()
) -> Callable[[pyo.ConcreteModel], Any]:
    """Rows and costs over the blocks of all sites.

    Parameters
    ----------
    places_usd_per_rack : sequence of float
        Hall, land and staff for each rack of each site. [USD/yr]
    ties : Ties
    built : sequence of StudyCase, optional
        Needed where work moves.
    """

    def couple(m: pyo.ConcreteModel) -> Any:  # noqa: ANN401
        m.site = pyo.RangeSet(0, len(places_usd_per_rack) - 1)
        m.racks_there = pyo.Var(m.site, domain=pyo.NonNegativeIntegers, bounds=(0, ties.racks))
        m.open = pyo.Var(m.site, domain=pyo.Binary)
        m.of_share = pyo.Constraint(
            m.site, rule=lambda m, i: m.racks_there[i] == ties.racks * m.block[i].share
        )
        m.all_racks = pyo.Constraint(expr=sum(m.racks_there[i] for i in m.site) == ties.racks)
        most = min(ties.most_racks, ties.racks)
        m.most = pyo.Constraint(m.site, rule=lambda m, i: m.racks_there[i] <= most * m.open[i])
        m.least = pyo.Constraint(m.site, rule=lambda m, i: m.racks_there[i] >= ties.least_racks * m.open[i])
        if ties.most_sites is not None:
            m.count = pyo.Constraint(expr=sum(m.open[i] for i in m.site) <= ties.most_sites)
        if ties.moves:
            m.fleet_uptime = pyo.Constraint(expr=_missing(m, built) <= 0.0)
        places_usd = sum(places_usd_per_rack[i] * m.racks_there[i] for i in m.site)
        return (places_usd + ties.fixed_usd_per_yr * sum(m.open[i] for i in m.site)) / 1e3

    return couple


def _missing(m: pyo.ConcreteModel, built: Sequence[StudyCase]) -> Any:  # noqa: ANN401
    """Work lost at all sites above what the target allows, in units of each site's own work."""
    over = 0.0
    for i, item in enumerate(built):
        case, b = item.case, m.block[i]
        lost = sum(b.lost_mwh_per_yr[c.name] for c in case.classes) + b.rack_lost_mwh_per_yr
        # A rack-hour counts alike wherever it is lost, whatever its cooling takes there
        over = over + lost / case.load_mwh_per_yr - (1.0 - item.study.target) * b.share
    return over


def _place_usd_per_rack(item: StudyCase) -> float:
    """Cost of hall, land and staff for each rack. [USD/yr]"""
    costs = [part.usd_per_yr for part in project_costs(item) if part.asset != "racks"]
    return sum(costs) / item.case.racks_contracted


def _block_faults(study: Study) -> list[Fault]:
    """Name what a study has that a block cannot."""
    faults = []
    if study.classes:
        faults.append(Fault("classes", "several", "a choice of all sites together knows one kind of load"))
    if study.limits.n_plus:
        found = f"{study.limits.n_plus}"
        faults.append(
            Fault("limits.n_plus", found, "a choice of all sites together has no units that stand by")
        )
    if study.power_paths:
        faults.append(Fault("pv", "several power paths", "a choice of all sites together takes one"))
    return faults


def common_weather_faults(studies: Sequence[Study]) -> list[Fault]:
    """Say why the weather of some sites is not that of the same years.

    Years that were generated know nothing of each other from place to place: the sun of one site would make
    up for the clouds of another as if all weather were independent, and the fleet would look too safe.
    """
    faults = []
    allowed = "needs measured weather of the same years at all sites"
    remedy = "Give each site weather= of one record or reanalysis, or let each keep its own uptime."
    for study in studies:
        source = None if study.weather is None else study.weather.source
        if source is None or source.kind == "generated" or source.is_tmy:
            found = "generated years" if source is None or source.kind == "generated" else "a typical year"
            faults.append(Fault(f"{study.site.name} weather", found, allowed, remedy))
    if faults:
        return faults[:1]
    years = {
        tuple(np.asarray(study.weather.years).tolist()) for study in studies if study.weather is not None
    }
    if len(years) > 1:
        found = "; ".join(f"{min(item)} to {max(item)}" for item in sorted(years))
        faults.append(Fault("weather", f"the years {found}", allowed, remedy))
    return faults
