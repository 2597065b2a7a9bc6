"""Whole units: a search goes on from one more or less, all else free, and tries no number of units twice."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import numpy as np
import pytest

from sitedesign.case.case import Case
from sitedesign.case.plant import Plant
from sitedesign.certified import adaptive_sampling
from sitedesign.certified.objective import Candidate, SearchObjective
from sitedesign.operation.state import Controller
from tests import cases

OBJECTIVE = SearchObjective((0.99,), (8.76e5,), 0.0, (5e3,))
#: What the best plant with so many large engines and turbines costs, the small sets chosen freely. [USD/yr]
COST = {
    (4, 1): 90.0,
    (5, 0): 80.0,
    (5, 1): 95.0,
    (3, 1): 97.0,
    (4, 2): 99.0,
    (3, 2): 98.0,
    (4, 0): 96.0,
    (6, 0): 85.0,
}


def a_case() -> Case:
    def technology(name: str, unit_mw: float, most: int) -> Any:
        return cases.backup(8760, name, unit_mw=unit_mw, annual_cost_usd_per_unit=1e5, units_max=most)

    backup = (technology("engine", 40.0, 9), technology("turbine", 30.0, 3), technology("set", 1.0, 200))
    case = cases.case(np.zeros(8760), 100.0, backup=backup, uptime_target=0.99, racks_max=20)
    return replace(case, given=frozenset({"units.engine"}))  # of which the user allows nine, and no spares


@dataclass
class Table:
    """An evaluator whose plants cost what a table says."""

    case: Case
    asked: list[tuple[int, ...]] = field(default_factory=list)

    def select_scenarios(self, plant: Plant, controller: Controller) -> Candidate:
        self.asked.append(plant.units)
        return self.evaluate(plant, controller)

    def estimate(self, plant: Plant, controller: Controller) -> Candidate:
        self.asked.append(plant.units)
        return Candidate(plant, controller, (0.995,), 80.0)  # the years known now flatter all

    def evaluate(self, plant: Plant, controller: Controller) -> Candidate:
        return Candidate(plant, controller, (0.995,), COST.get(plant.units[:2], 200.0))


def searched(monkeypatch: pytest.MonkeyPatch, start: tuple[int, ...]) -> tuple[Table, list[Candidate]]:
    def settle(_: Any, here: Candidate, objective: Any, budget: int, *, large_units: bool) -> Any:
        assert (budget, large_units) == (adaptive_sampling.ONE_STEP, False)  # else it might take it back
        return replace(here, plant=replace(here.plant, units=(*here.plant.units[:2], 7))), objective

    monkeypatch.setattr(adaptive_sampling, "solve_slp", settle)
    table = Table(a_case())
    begin = table.evaluate(Plant((0.0,), 0.0, 0.0, start, 10), Controller())
    found = adaptive_sampling._with_other_units(table, begin, OBJECTIVE)  # type: ignore[arg-type]
    return table, found


def test_it_finds_its_way_where_one_unit_takes_the_place_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    table, found = searched(monkeypatch, (4, 1, 30))
    assert min(found, key=OBJECTIVE.merit).plant.units == (5, 0, 7)
    counts = [units for units, _ in groupby(units[:2] for units in table.asked)]
    assert len(counts) == len(set(counts))
    assert {(5, 1), (3, 1), (4, 0), (4, 2), (5, 0), (6, 0)} <= set(counts)
    assert (4, 1) not in counts
    # Of sets so small that several are moved at a time, none is asked for on its own
    assert {units[2] for units in table.asked} <= {30, 7}


def test_what_is_not_built_is_not_tried_and_limits_bind(monkeypatch: pytest.MonkeyPatch) -> None:
    table, _ = searched(monkeypatch, (9, 0, 30))
    assert {units[:2] for units in table.asked} == {(8, 0)}
    assert searched(monkeypatch, (0, 0, 30))[1] == []


def test_a_step_that_only_seemed_to_help_is_followed_by_another_and_two_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A hundred without array, dearer with 1 MW, which looks cheaper from few years, cheaper with 2 MW."""
    cost = {0.0: 100.0, 1.0: 101.0, 2.0: 90.0, 3.0: 95.0, 4.0: 80.0}

    class Years(Table):
        def evaluate(self, plant: Plant, controller: Controller) -> Candidate:
            return Candidate(plant, controller, (0.995,), cost[plant.resources_mw[0]])

    proposed = iter([1.0, 2.0, 3.0, 1.0, 4.0])

    def step(_: Any, here: Candidate, objective: Any, *_args: Any, **_named: Any) -> Any:
        return replace(here, plant=replace(here.plant, resources_mw=(next(proposed),))), objective

    monkeypatch.setattr(adaptive_sampling, "solve_slp", step)
    years, found = Years(a_case()), list[Candidate]()
    begin = years.evaluate(Plant((0.0,), 0.0, 0.0, (4, 1, 30), 10), Controller())
    best = adaptive_sampling._with_these_units(years, begin.plant, begin, OBJECTIVE, found)  # type: ignore[arg-type]
    assert [candidate.plant.resources_mw[0] for candidate in found] == [1.0, 2.0, 3.0, 1.0]
    assert best.plant.resources_mw == (2.0,)
    assert len(years.asked) == 4


def test_a_plant_that_one_joint_step_leaves_far_behind_is_not_evaluated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dear = adaptive_sampling.PROMISING + 0.01

    def step(_: Any, here: Candidate, objective: Any, *_args: Any, **_named: Any) -> Any:
        return replace(here, cost_usd_per_yr=(1 + dear) * 90.0), objective

    monkeypatch.setattr(adaptive_sampling, "solve_slp", step)
    table, found = Table(a_case()), list[Candidate]()
    begin = table.evaluate(Plant((0.0,), 0.0, 0.0, (4, 1, 30), 10), Controller())
    other = replace(begin.plant, units=(5, 1, 30))
    assert adaptive_sampling._with_these_units(table, other, begin, OBJECTIVE, found) == begin  # type: ignore[arg-type]
    assert found == []
