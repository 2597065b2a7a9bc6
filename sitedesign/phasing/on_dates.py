"""A plan on other dates than it reckons with: its orders are kept, the rest is decided again.

What was ordered comes when it comes and is paid for from the month for which it was ordered, as its contract
says, late or early; its tax credit is that of the day on which it is placed in service. With what is there,
as many racks run as pay, or as many as can where they are a promise. A unit for rent comes when it was to
come, or when it can; after its minimum term it leaves when it no longer pays, sooner or later than planned.
None is rented that was not in the plan. With the dates of the plan this is the plan.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise, product

from sitedesign.case.plant import Plant
from sitedesign.case.rack_shortfall import with_racks
from sitedesign.optimize.annual_budgets import budgets_of
from sitedesign.optimize.block_master import rack_lost_mwh
from sitedesign.optimize.blocks import BlockPlan
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.phasing.answer import (
    Contract,
    contracts_of,
    deliveries_of,
    plant_times,
    running_cost_usd_per_yr,
    standing_cost_usd_per_yr,
)
from sitedesign.phasing.problem import costs_from, plant_of_sizes, sizes_of_plant
from sitedesign.phasing.question import BATTERY_MW, BATTERY_MWH, RoadmapCase
from sitedesign.phasing.search import RoadmapPlan, StagePlan
from sitedesign.results.roadmap import MONTHS_PER_YEAR, discount_factor, discounted_years

BATTERY = "battery"
_SLACK = 1e-7  # of the load: by how much sums of deliveries may fall short of the plan's sizes
_PROMISED_USD = 1e7  # of a rack-month that is promised: more than power can cost
_NOTHING = 1e-9


@dataclass(frozen=True)
class Span:
    """A time in which the same racks run.

    Attributes
    ----------
    begins, ends : float
        [months]
    racks, planned : int
        That run, and that the plan would have running.
    """

    begins: float
    ends: float
    racks: int
    planned: int


@dataclass(frozen=True)
class OnDates:
    """What becomes of a plan on some dates.

    Attributes
    ----------
    net_present_value_usd : float
        Value of the racks that run less all costs; costs alone where racks have no price. [USD]
    spans : tuple of Span
        In time, to the horizon.
    """

    net_present_value_usd: float
    spans: tuple[Span, ...]

    @property
    def first_power_month(self) -> float | None:
        """Month in which the first racks run; None when none ever do. [months]"""
        return next((span.begins for span in self.spans if span.racks), None)

    @property
    def rack_months_late(self) -> float:
        """Racks that the plan would have running and that do not, times the months."""
        return sum((s.ends - s.begins) * max(s.planned - s.racks, 0) for s in self.spans)

    def racks(self, month: float) -> int:
        """Racks that run in a month."""
        return next((span.racks for span in self.spans if span.begins <= month < span.ends), 0)


class PlanOnDates:
    """One plan on any dates; remembers what has been operated.

    Parameters
    ----------
    plan : RoadmapPlan
        Of one path.
    """

    def __init__(self, plan: RoadmapPlan) -> None:
        self.path, self.stages = plan.paths[0], plan.stages[0]
        self.question = self.path.question
        self._running = _Running(self.question, plan.pool)
        self._delivered = deliveries_of(self.question.case, self.stages)
        self._standing_usd = sum(
            weight
            * sum(
                standing_cost_usd_per_yr(self.path, self.stages[: i + 1], self._delivered[: i + 1]).values()
            )
            for i, weight in enumerate(self.path.weights)
        )
        self._contracts = contracts_of(self.path, self.stages)
        self._known: dict[tuple[tuple[str, float], ...], OnDates] = {}

    @property
    def technologies(self) -> tuple[str, ...]:
        """Names of what the plan waits for: what it owns, the grid, and what it can only rent."""
        names = [_said(name) for added in self._delivered for name in added]
        rented = [self.question.rentals[item.rental].technology for item in self._contracts]
        names += [name for name in rented if name in self.question.rented_only]
        return tuple(dict.fromkeys(names))

    def on(self, late: Mapping[str, float]) -> OnDates:
        """Find what becomes of the plan.

        Parameters
        ----------
        late : mapping of str to float
            By how much each technology comes later than planned, below zero sooner; the others come as
            planned. [months]

        Returns
        -------
        OnDates
        """
        used = {name: months for name, months in late.items() if months and name in self.technologies}
        key = tuple(sorted(used.items()))
        if key not in self._known:
            self._known[key] = self._found(used)
        return self._known[key]

    def _found(self, late: Mapping[str, float]) -> OnDates:
        contracts = [self._started(item, late) for item in self._contracts]
        spans = self._spans(late, contracts)
        left = _Leaving(self, spans, contracts)
        earned, racks = left.best()
        value = earned - self._standing_usd - self._credits_lost_usd(late)
        running = tuple(
            Span(span.begins, span.ends, count, span.planned)
            for span, count in zip(spans, racks, strict=True)
        )
        return OnDates(value, running)

    def _started(self, item: Contract, late: Mapping[str, float]) -> Contract:
        name = self.question.rentals[item.rental].technology
        months = late.get(name, 0.0) if name in self.question.rented_only else 0.0
        return replace(item, begins=item.begins + max(months, 0.0))

    def _arrival(self, name: str, month: float, late: Mapping[str, float]) -> float:
        return max(0.0, month + late.get(_said(name), 0.0))

    def _credits_lost_usd(self, late: Mapping[str, float]) -> float:
        """Sum what everything costs more for its tax credit, coming on another day than planned. [USD]"""
        end, total = self.question.horizon_months, 0.0
        if self.question.costs_at is None:
            return total
        for stage, years, added in zip(self.stages, self.path.weights_from, self._delivered, strict=True):
            planned = costs_from(self.question, stage.time.begins)
            for name, size in added.items():
                came = min(self._arrival(name, stage.time.begins, late), end)
                if came != stage.time.begins:
                    total += years * size * (costs_from(self.question, came)[name] - planned[name])
        return total

    def _spans(self, late: Mapping[str, float], contracts: Sequence[Contract]) -> list[_There]:
        """Divide the time until the horizon where anything changes."""
        question, end = self.question, self.question.horizon_months
        came = self._arrivals(late)
        months = {month for month, _, _ in came} | {stage.time.begins for stage in self.stages}
        if question.value_usd_per_rack_month is not None:
            months |= {float(month) for month, _ in question.steps}
        for item in contracts:
            months |= {item.begins, item.begins + question.rentals[item.rental].min_term_months}
        inside = sorted(month for month in months if 0.0 <= month < end)
        spans = []
        for begins, ends in pairwise([*inside, end]):
            there: dict[str, float] = dict.fromkeys(sizes_of_plant(question.case, _no_plant(question)), 0.0)
            for month, name, size in came:
                if month <= begins:
                    there[name] += size
            stage = next((s for s in reversed(self.stages) if s.time.begins <= begins), None)
            spans.append(self._there(begins, ends, there, stage))
        return spans

    def _arrivals(self, late: Mapping[str, float]) -> list[tuple[float, str, float]]:
        """List what comes when: month, name and size; nothing of it is too small to be counted."""
        found, before = [], dict.fromkeys(self.stages[0].owned, 0.0)
        for stage in self.stages:
            for name, size in stage.owned.items():
                if size > before[name]:
                    found.append((self._arrival(name, stage.time.begins, late), name, size - before[name]))
                    before[name] = size
        return found

    def _there(self, begins: float, ends: float, sizes: dict[str, float], stage: StagePlan | None) -> _There:
        question = self.question
        for sink in question.case.sinks:
            if sink.needs is not None and sizes.get(sink.needs, 0.0) <= _NOTHING:
                sizes[sink.name] = 0.0
        priced = question.value_usd_per_rack_month is not None
        asked = stage.time.racks if stage is not None else question.racks(begins) if priced else 0
        planned = 0 if stage is None else stage.block.racks_running
        of = self.stages[0].block if stage is None else stage.block
        spare = max(of.plant.racks - of.racks_running, 0) if of.racks_running else 0
        weight = discounted_years(begins, ends, question.discount_per_yr)
        return _There(begins, ends, sizes, asked, planned, spare, weight)

    def run(self, there: _There, rented: Mapping[str, int]) -> tuple[int, float]:
        """Racks that run on what is there with some rented units, and what running costs. [-, USD/yr]"""
        sizes = dict(there.sizes)
        for name, units in rented.items():
            sizes[name] += units
        return self._running.best(sizes, there.asked, there.spare)


@dataclass(frozen=True)
class _There:
    """What is there and asked for in a time in which nothing changes."""

    begins: float
    ends: float
    sizes: dict[str, float]
    asked: int
    planned: int
    spare: int
    weight: float


class _Leaving:
    """When each rented unit leaves: the best of all months, those that came first leaving first."""

    def __init__(self, plan: PlanOnDates, spans: Sequence[_There], contracts: Sequence[Contract]) -> None:
        self.plan, self.spans = plan, spans
        self.question = plan.question
        rentals = range(len(self.question.rentals))
        self.contracts = [[item for item in contracts if item.rental == r] for r in rentals]
        value = self.question.value_usd_per_rack_month
        self.usd_per_rack = MONTHS_PER_YEAR * (value or 0.0)
        self.weighed_usd = MONTHS_PER_YEAR * (_PROMISED_USD if value is None else value)
        self._best = cache(self._best_from)

    def best(self) -> tuple[float, list[int]]:
        """Value less what running and rent cost [USD], and the racks that run in each span."""
        gone: tuple[int, ...] = (0,) * len(self.contracts)
        total, racks = -self._once_usd(), []
        for j in range(len(self.spans)):
            gone = self._best(j, gone)[1]
            count, usd = self._paid(j, gone)
            total += self.spans[j].weight * (self.usd_per_rack * count - usd)
            racks.append(count)
        return total, racks

    def _best_from(self, j: int, gone: tuple[int, ...]) -> tuple[float, tuple[int, ...]]:
        """Most that can be left from a span on, and which units are gone in it."""
        if j == len(self.spans):
            return 0.0, gone
        found = []
        for now in product(*(self._may_go(j, r, before) for r, before in enumerate(gone))):
            count, usd = self._paid(j, now)
            left = self.spans[j].weight * (self.weighed_usd * count - usd)
            found.append((left + self._best(j + 1, now)[0], now))
        return max(found)

    def _may_go(self, j: int, r: int, gone: int) -> range:
        """How many contracts of a rental may have ended by a span."""
        term, begins = self.question.rentals[r].min_term_months, self.spans[j].begins
        most = gone
        while most < len(self.contracts[r]) and self._over(self.contracts[r][most], term, begins):
            most += 1
        return range(gone, most + 1)

    @staticmethod
    def _over(item: Contract, term: float, month: float) -> bool:
        """Whether a contract may end: its term is over, and something of it has been there."""
        return item.begins < month and item.begins + term <= month

    def _paid(self, j: int, gone: tuple[int, ...]) -> tuple[int, float]:
        """Racks that run in a span, and what running and rent cost. [-, USD/yr]"""
        span, rented, rent = self.spans[j], dict[str, int](), 0.0
        for item, held, first in zip(self.question.rentals, self.contracts, gone, strict=True):
            units = sum(contract.units for contract in held[first:] if contract.begins <= span.begins)
            rented[item.technology] = rented.get(item.technology, 0) + units
            rent += MONTHS_PER_YEAR * item.usd_per_unit_month * units
        count, usd = self.plan.run(span, rented)
        return count, usd + rent

    def _once_usd(self) -> float:
        """Sum what bringing the units costs, and the rent of minimum terms beyond the horizon. [USD]"""
        rate, end, total = self.question.discount_per_yr, self.question.horizon_months, 0.0
        for item, held in zip(self.question.rentals, self.contracts, strict=True):
            for contract in held:
                if contract.begins >= end:
                    continue
                once = item.mobilisation_usd_per_unit * discount_factor(contract.begins, rate)
                beyond = contract.begins + item.min_term_months
                if beyond > end:
                    rent = MONTHS_PER_YEAR * item.usd_per_unit_month
                    once += rent * discounted_years(end, beyond, rate)
                total += once * contract.units
        return total


class _Running:
    """How many racks run on a plant, and what that costs; each plant is operated once."""

    def __init__(self, question: RoadmapCase, pool: CutPool) -> None:
        self.question, self.pool = question, pool
        self._known: dict[tuple[object, ...], tuple[int, float]] = {}

    def best(self, sizes: Mapping[str, float], asked: int, spare: int) -> tuple[int, float]:
        """Racks that run, and what running costs. [-, USD/yr]

        As many as keep the target, and of those as many as pay: value less cost is concave in the racks, as
        the least cost is convex in plant and load together.
        """
        key = (*(round(size, 6) for size in sizes.values()), asked, spare)
        if key not in self._known:
            self._known[key] = self._best(plant_of_sizes(self.question.case, sizes), asked, spare)
        return self._known[key]

    def _best(self, plant: Plant, asked: int, spare: int) -> tuple[int, float]:
        value = self.question.value_usd_per_rack_month
        per_yr = MONTHS_PER_YEAR * (_PROMISED_USD if value is None else value)
        some = any(plant.resources_mw) or any(plant.counts)
        costs: dict[int, float] = {0: 0.0}

        def left(racks: int) -> float:
            if racks not in costs:
                costs[racks] = self._cost(plant, racks, spare)
            return per_yr * racks - costs[racks]

        def pays(racks: int) -> bool:
            """Whether so many keep their target, and the last of them pays."""
            return left(racks) > -math.inf and (value is None or left(racks) >= left(racks - 1))

        low, high = 0, asked + 1 if some else 1
        if high > 1 and pays(asked):
            return asked, costs[asked]
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if pays(middle) else (low, middle)
        return low, costs[low]

    def _cost(self, plant: Plant, racks: int, spare: int) -> float:
        """Price running so many racks, infinite where their target cannot be kept. [USD/yr]"""
        whole, case = self.question.case, with_racks(self.question.case, racks)
        times = racks / whole.racks_contracted
        lost = rack_lost_mwh(whole, racks + spare, racks)
        budgets = budgets_of(case, lost, plant.units)
        room = [_SLACK * size for size in budgets.size[: budgets.classes]]
        room += [0.0] * (budgets.limit.size - len(room))
        normal = replace(budgets, limit=(budgets.limit + room) / times, size=budgets.size / times)
        search = self.pool.search
        point = search.oracle.point(plant_times(plant, 1.0 / times))
        operation = search.operate(point, normal)
        if not operation.feasible:
            return math.inf
        block = BlockPlan(plant, times, racks, operation, times, lost)
        return sum(running_cost_usd_per_yr(case, block).values())


def _no_plant(question: RoadmapCase) -> Plant:
    case = question.case
    return Plant(
        (0.0,) * len(case.resources), 0.0, 0.0, (0,) * len(case.backup), 0,
        (0.0,) * len(case.imports), (0.0,) * len(case.sinks),
    )  # fmt: skip


def _said(name: str) -> str:
    """Name of a technology as users give it: both sides of a battery are one."""
    return BATTERY if name in (BATTERY_MWH, BATTERY_MW) else name
