"""The stages of a roadmap as blocks of one master, and the rows that tie them.

What is owned never becomes less, what is rented may leave after its minimum term. A unit owned costs its
annual cost from delivery to the horizon: a single stage over the whole life is the question of one plant.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pyomo.environ as pyo

from sitedesign.case.case import Case
from sitedesign.case.plant import Plant
from sitedesign.case.plant_limits import opened
from sitedesign.case.rack_shortfall import with_racks
from sitedesign.equations.variables import USD_PER_KUSD
from sitedesign.optimize.block_master import Block
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.phasing.question import BATTERY_MW, BATTERY_MWH, RentalCase, RoadmapCase
from sitedesign.phasing.timeline import StageTime
from sitedesign.results.roadmap import MONTHS_PER_YEAR, discount_factor, discounted_years

_WHOLE = 1e-9


@dataclass(frozen=True, eq=False)
class Path:
    """One set of dates with its stages: what happens if these dates come true.

    Attributes
    ----------
    question : RoadmapCase
    times : tuple of StageTime
    name : str
    probability : float
        [fraction]
    """

    question: RoadmapCase
    times: tuple[StageTime, ...]
    name: str = ""
    probability: float = 1.0

    @property
    def weights(self) -> list[float]:
        """Discounted years of each stage. [yr]"""
        rate = self.question.discount_per_yr
        return [discounted_years(t.begins, t.ends, rate) for t in self.times]

    @property
    def weights_from(self) -> list[float]:
        """Discounted years from the begin of each stage to the horizon. [yr]"""
        return [float(years) for years in np.cumsum(self.weights[::-1])[::-1]]


@dataclass
class PathVariables:
    """Variables of one path beside those of its blocks.

    Attributes
    ----------
    first : int
        Its first block.
    owned : dict
        (stage, backup technology) -> units owned.
    rented, started, ended : dict
        (stage, rental) -> units rented, of which so many came or left when the stage began.
    """

    first: int
    owned: dict[tuple[int, str], Any] = field(default_factory=dict)
    rented: dict[tuple[int, int], Any] = field(default_factory=dict)
    started: dict[tuple[int, int], Any] = field(default_factory=dict)
    ended: dict[tuple[int, int], Any] = field(default_factory=dict)


class RoadmapProblem:
    """Blocks and coupling of a roadmap with one or several paths.

    Parameters
    ----------
    paths : sequence of Path
    pool : CutPool
        Of the case with all racks.
    part_month : float
        Month in which the paths part: what is ordered before is the same in all. [months]

    Attributes
    ----------
    blocks : tuple of Block
    paths : tuple of Path
    variables : list of PathVariables
        Filled by :meth:`couple`.
    """

    def __init__(self, paths: Sequence[Path], pool: CutPool, part_month: float = 0.0) -> None:
        self.paths, self.part_month = tuple(paths), part_month
        self.variables: list[PathVariables] = []
        self.blocks = tuple(block for path in self.paths for block in _blocks(path, pool))

    def couple(self, m: pyo.ConcreteModel) -> Any:  # noqa: ANN401
        """Add what ties the blocks; returns further cost, expected over the paths. [thousand USD]"""
        self.variables = []
        m.tie = pyo.ConstraintList()
        cost, first = 0.0, 0
        for p, path in enumerate(self.paths):
            m.add_component(f"path{p}", pyo.Block())
            of_path = _PathRows(m, m.component(f"path{p}"), path, first)
            cost += path.probability * of_path.add()
            self.variables.append(of_path.variables)
            first += len(path.times)
        self._share_orders(m)
        return cost / USD_PER_KUSD

    def _share_orders(self, m: pyo.ConcreteModel) -> None:
        """Let what is ordered before the paths part be the same in all of them."""
        base = self.paths[0]
        for other, variables in zip(self.paths[1:], self.variables[1:], strict=True):
            both = ((base, self.variables[0]), (other, variables))
            for name in _sizes(base.question.case):
                leads = [path.question.delivery(name).lead_months for path, _ in both]
                self._tie(m, both, leads, partial(_owned, m, name))
            for r in range(len(base.question.rentals)):
                leads = [path.question.rentals[r].from_month for path, _ in both]
                self._tie(m, both, leads, partial(_rented, r))

    def _tie(
        self,
        m: pyo.ConcreteModel,
        both: Sequence[tuple[Path, PathVariables]],
        leads: Sequence[float],
        size: Callable[[PathVariables, int], Any],
    ) -> None:
        """Let a size be the same in two paths at the lead times of both after the same month of order."""
        ordered = {
            time.begins - lead for (path, _), lead in zip(both, leads, strict=True) for time in path.times
        }
        for order in sorted(month for month in ordered if 0.0 <= month < self.part_month):
            there = [
                (of, max((i for i, t in enumerate(of[0].times) if t.begins <= order + lead), default=None))
                for of, lead in zip(both, leads, strict=True)
            ]
            sizes = [0.0 if stage is None else size(of[1], stage) for of, stage in there]
            if not all(isinstance(item, float) for item in sizes):
                m.tie.add(sizes[0] == sizes[1])


def _owned(m: pyo.ConcreteModel, name: str, variables: PathVariables, i: int) -> Any:  # noqa: ANN401
    """Size of what is owned in a stage of a path."""
    known = variables.owned.get((i, name))
    return size_variable(m.block[variables.first + i], name) if known is None else known


def _rented(r: int, variables: PathVariables, i: int) -> Any:  # noqa: ANN401
    """Units of a rental in a stage of a path."""
    return variables.rented[i, r]


def _blocks(path: Path, pool: CutPool) -> Iterator[Block]:
    question = path.question
    times = list(zip(path.times, path.weights, strict=True))
    for i, (time, weight) in enumerate(times):
        last = i == len(times) - 1
        case = bounded(question, opened(question.case), time.begins, last=last)
        share, scale = None, 1.0
        if question.value_usd_per_rack_month is not None:
            share = (0.0, min(1.0, time.racks / case.racks_contracted))
        else:
            scale = time.racks / case.racks_contracted
            case = with_racks(case, time.racks)
        name = f"{path.name} month {time.begins:g}".strip()
        yield Block(name, case, pool, weight * path.probability, scale, share)


def bounded(question: RoadmapCase, case: Case, month: float, *, last: bool) -> Case:
    """Bound every size by what can be there by a month; the least that is asked for is of the last stage."""

    def upper(name: str, most: float) -> float:
        return min(most, question.delivery(name).by(month))

    def least(value: float, most: float) -> float:
        return value if last else min(0.0, most)

    resources = tuple(
        replace(r, bounds_mw=(least(r.bounds_mw[0], 0.0), upper(r.name, r.bounds_mw[1])), widest_mw=None)
        for r in case.resources
    )
    backup = []
    for item in case.backup:
        units = owned_most(question, item.name, month) + rented_most(question, item.name, month)
        backup.append(replace(item, units_min=item.units_min if last else 0, units_max=units))
    imports = tuple(
        replace(
            i,
            units_min=i.units_min if last else 0.0,
            units_max=_units(upper(i.name, i.units_max * i.unit_mw), i.unit_mw, whole=i.whole),
            widest_units=None,
        )
        for i in case.imports
    )
    there = {i.name: i.units_max > 0.0 for i in imports}
    sinks = tuple(
        replace(
            s,
            units_min=s.units_min if last else 0.0,
            units_max=s.units_max if s.needs is None or there.get(s.needs, True) else 0.0,
        )
        for s in case.sinks
    )
    energy, power = case.limits.battery_mwh, case.limits.battery_mw
    limits = replace(
        case.limits,
        battery_mwh=(least(energy[0], 0.0), upper(BATTERY_MWH, energy[1])),
        battery_mw=(least(power[0], 0.0), upper(BATTERY_MW, power[1])),
        months_to_power=None,
        widest=None,
    )
    return replace(
        case, resources=resources, backup=tuple(backup), imports=imports, sinks=sinks, limits=limits
    )


def _units(most: float, unit: float, *, whole: bool) -> float:
    """How many units make at most so much."""
    if math.isinf(most):
        return most
    return math.floor(most / unit + _WHOLE) if whole else most / unit


def owned_most(question: RoadmapCase, technology: str, month: float) -> int:
    """Most units of a backup technology that can be owned by a month."""
    if technology in question.rented_only:
        return 0
    item = next(b for b in question.case.backup if b.name == technology)
    by_rate = _units(question.delivery(technology).by(month), item.unit_mw, whole=True)
    return int(min(item.units_max, by_rate))


def rented_most(question: RoadmapCase, technology: str, month: float) -> int:
    """Most units of a backup technology that can be rented in a month."""
    return sum(
        item.units for item in question.rentals if item.technology == technology and item.from_month <= month
    )


def size_variable(b: Any, name: str) -> Any:  # noqa: ANN401
    """Variable of a block that holds the size of a technology, rented units among it."""
    if name in (BATTERY_MWH, BATTERY_MW):
        return b.component(name)
    if name in b.resource_mw:
        return b.resource_mw[name]
    return b.units[name] if name in b.units else b.sink_units[name]


def _sizes(case: Case) -> list[str]:
    """Names of all that can be owned."""
    flows = [item.name for item in case.flows]
    return [*(r.name for r in case.resources), BATTERY_MWH, BATTERY_MW, *flows]


def sizes_of_plant(case: Case, plant: Plant) -> dict[str, float]:
    """Sizes of a plant by the names of what can be owned. [MW, MWh or units]"""
    return {
        **{r.name: mw for r, mw in zip(case.resources, plant.resources_mw, strict=True)},
        BATTERY_MWH: plant.battery_mwh,
        BATTERY_MW: plant.battery_mw,
        **{item.name: n for item, n in zip(case.flows, plant.counts, strict=True)},
    }


def plant_of_sizes(case: Case, sizes: Mapping[str, float], racks: int = 0) -> Plant:
    """Plant of such sizes (:func:`sizes_of_plant`)."""
    return Plant(
        tuple(sizes[r.name] for r in case.resources),
        sizes[BATTERY_MWH],
        sizes[BATTERY_MW],
        tuple(round(sizes[b.name]) for b in case.backup),
        racks,
        tuple(sizes[i.name] for i in case.imports),
        tuple(sizes[s.name] for s in case.sinks),
    )


def unit_costs(case: Case) -> dict[str, float]:
    """Annual cost of a unit of all that can be owned. [USD/yr per MW, MWh or unit]"""
    return {
        **{r.name: r.annual_cost_usd_per_mw for r in case.resources},
        BATTERY_MWH: case.battery_cost_usd_per_mwh_yr,
        BATTERY_MW: case.battery_cost_usd_per_mw_yr,
        **{item.name: item.annual_cost_usd_per_unit for item in case.flows},
    }


def costs_from(question: RoadmapCase, month: float) -> dict[str, float]:
    """Annual cost of a unit that is delivered by a month. [USD/yr per MW, MWh or unit]"""
    dated: Mapping[str, float] = {} if question.costs_at is None else question.costs_at(month)
    return unit_costs(question.case) | dict(dated)


def rent_usd_per_stage(path: Path, item: RentalCase, stage: int) -> tuple[float, float]:
    """Discounted cost of a unit rented in a stage, and of one that comes when it begins. [USD]

    The latter holds the mobilisation, and the rent of the minimum term that lies beyond the horizon.
    """
    rate, time = path.question.discount_per_yr, path.times[stage]
    per_yr = MONTHS_PER_YEAR * item.usd_per_unit_month
    begins, end = time.begins, path.question.horizon_months
    once = item.mobilisation_usd_per_unit * discount_factor(begins, rate)
    beyond = begins + item.min_term_months
    if beyond > end:
        once += per_yr * discounted_years(end, beyond, rate)
    return per_yr * path.weights[stage], once


class _PathRows:
    """Adds the rows of one path; costs are in USD."""

    def __init__(self, m: pyo.ConcreteModel, own: Any, path: Path, first: int) -> None:  # noqa: ANN401
        self.m, self.own, self.path = m, own, path
        self.variables = PathVariables(first)
        self.blocks = [m.block[first + i] for i in range(len(path.times))]

    def add(self) -> Any:  # noqa: ANN401
        question = self.path.question
        self._rent()
        self._own()
        cost = self._dated_cost() + self._rent_cost()
        if question.value_usd_per_rack_month is not None:
            per_yr = MONTHS_PER_YEAR * question.value_usd_per_rack_month
            for b, weight in zip(self.blocks, self.path.weights, strict=True):
                cost -= per_yr * weight * b.racks_running
        else:
            for before, after in pairwise(self.blocks):
                self.m.tie.add(after.racks >= before.racks)
        return cost

    def _rent(self) -> None:
        """Count what is rented: units that came less those that left, none before its minimum term."""
        times, v = self.path.times, self.variables
        stages = range(len(times))
        rentals = self.path.question.rentals
        index = [(i, r) for i in stages for r in range(len(rentals))]

        def most(_: Any, i: int, r: int) -> tuple[int, int]:  # noqa: ANN401
            return 0, rentals[r].units if times[i].begins >= rentals[r].from_month else 0

        own = self.own
        own.rented = pyo.Var(index, domain=pyo.NonNegativeIntegers, bounds=most)
        # Whole as soon as what is rented is: what comes and leaves is the difference of two whole numbers
        own.rental_started = pyo.Var(index, domain=pyo.NonNegativeReals, bounds=most)
        own.rental_ended = pyo.Var(index, domain=pyo.NonNegativeReals)
        v.rented, v.started, v.ended = (
            {key: variable[key] for key in index}
            for variable in (own.rented, own.rental_started, own.rental_ended)
        )
        for i, r in index:
            came, left = own.rental_started[i, r], own.rental_ended[i, r]
            before = own.rented[i - 1, r] if i else 0
            self.m.tie.add(own.rented[i, r] == before + came - left)
            done = [j for j in stages if times[j].begins + rentals[r].min_term_months <= times[i].begins]
            # The first to come are the first to leave
            self.m.tie.add(
                sum(own.rental_ended[j, r] for j in range(i + 1))
                <= sum(own.rental_started[j, r] for j in done if j < i)
            )

    def _own(self) -> None:
        """Let nothing that is owned become less; what of a technology is not rented is owned."""
        question, v, tie = self.path.question, self.variables, self.m.tie
        rented = {item.technology for item in question.rentals}
        backup = [item.name for item in question.case.backup if item.name in rented]
        index = [(i, name) for i in range(len(self.blocks)) for name in backup]
        self.own.owned = pyo.Var(
            index,  # whole as well: the difference of two whole numbers
            domain=pyo.NonNegativeReals,
            bounds=lambda _, i, k: (0, owned_most(question, k, self.path.times[i].begins)),
        )
        for i, name in index:
            v.owned[i, name] = self.own.owned[i, name]
            here = sum(v.rented[i, r] for r, item in enumerate(question.rentals) if item.technology == name)
            tie.add(self.blocks[i].units[name] == v.owned[i, name] + here)
        for i in range(1, len(self.blocks)):
            for name in _sizes(question.case):
                tie.add(self.owned(i, name) >= self.owned(i - 1, name))
            for k, used in self.blocks[i].technology_used.items():
                if not used.fixed:
                    tie.add(used >= self.blocks[i - 1].technology_used[k])

    def owned(self, i: int, name: str) -> Any:  # noqa: ANN401
        """Size of what is owned in a stage."""
        known = self.variables.owned.get((i, name))
        return size_variable(self.blocks[i], name) if known is None else known

    def _dated_cost(self) -> Any:  # noqa: ANN401
        """Add what the date of each delivery changes in the cost by the case, for its credit."""
        question, cost = self.path.question, 0.0
        if question.costs_at is None:
            return cost
        usual = unit_costs(question.case)
        for i, (time, weight) in enumerate(zip(self.path.times, self.path.weights_from, strict=True)):
            dated = costs_from(question, time.begins)
            for name, usd in dated.items():
                if usd != usual[name]:
                    before = self.owned(i - 1, name) if i else 0.0
                    cost += weight * (usd - usual[name]) * (self.owned(i, name) - before)
        return cost

    def _rent_cost(self) -> Any:  # noqa: ANN401
        """Rent in place of the annual cost of units that are owned, and what bringing them costs."""
        path, v, cost = self.path, self.variables, 0.0
        usual = unit_costs(path.question.case)
        for r, item in enumerate(path.question.rentals):
            for i, weight in enumerate(path.weights):
                rent, once = rent_usd_per_stage(path, item, i)
                cost += (rent - weight * usual[item.technology]) * v.rented[i, r] + once * v.started[i, r]
        return cost
