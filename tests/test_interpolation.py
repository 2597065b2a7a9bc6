"""What a plant between two others can get wrong: its place, half a rack, a search left out too soon."""

from __future__ import annotations

import math
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest

from sitedesign.case.plant import Plant
from sitedesign.certified import adaptive_sampling, looks
from sitedesign.certified.interpolation import INSIDE, cheapest_between
from sitedesign.certified.objective import Candidate, SearchObjective
from sitedesign.operation.state import Controller
from sitedesign.study.effort import Effort
from tests import cases

CASE = cases.case(np.ones(24), 10.0)
SAFE, CHEAP = Plant((80.0,), 360.0, 60.0, (4,), 10), Plant((60.0,), 300.0, 40.0, (4,), 10)
OBJECTIVE = SearchObjective((0.99,), (8.76e4,), 0.0, (5e3,))


def candidate(plant: Plant, lost: float, usd: float, **controller: float) -> Candidate:
    return Candidate(plant, Controller(**controller), (1.0 - lost,), usd)  # type: ignore[arg-type]


INSIDE_ONE = candidate(SAFE, 0.005, 10e6, reserve_h=1.0)
OUTSIDE_ONE = candidate(CHEAP, 0.02, 8e6, reserve_h=0.0)


def test_it_stands_where_the_line_of_logarithms_keeps_the_target() -> None:
    found = cheapest_between(CASE, [INSIDE_ONE, OUTSIDE_ONE], OBJECTIVE)
    assert found is not None
    (plant, controller), usd = found
    way = (math.log(2.0) - INSIDE) / math.log(4.0)  # 0.5 to 2 times what may be lost
    assert plant.solar_mw == pytest.approx(80.0 - 20.0 * way)
    assert (plant.battery_mwh, plant.battery_mw) == pytest.approx((360.0 - 60.0 * way, 60.0 - 20.0 * way))
    assert (plant.units, plant.racks) == ((4,), 10)
    assert controller.reserve_h == pytest.approx(1.0 - way)
    assert usd == pytest.approx(10e6 - 2e6 * way)


def test_the_strictest_class_says_how_far() -> None:
    two = SearchObjective((0.99, 0.9), (4e4, 4e4), 0.0, (5e3, 5e3))
    inside = replace(INSIDE_ONE, uptime_by_class=(0.995, 0.95))
    outside = replace(OUTSIDE_ONE, uptime_by_class=(0.98, 0.2))
    found = cheapest_between(CASE, [inside, outside], two)
    assert found is not None
    way = (math.log(2.0) - INSIDE) / math.log(16.0)
    assert found[1] == pytest.approx(10e6 - 2e6 * way)


@pytest.mark.parametrize(
    "other",
    [
        replace(OUTSIDE_ONE, plant=replace(CHEAP, racks=11)),
        replace(OUTSIDE_ONE, plant=replace(CHEAP, units=(5,))),
        replace(OUTSIDE_ONE, controller=Controller("greedy")),
        replace(OUTSIDE_ONE, cost_usd_per_yr=10e6),
        replace(OUTSIDE_ONE, excess_mwh_per_yr=1.0),
        replace(OUTSIDE_ONE, uptime_by_class=(0.99,)),
    ],
    ids=["racks", "units", "rule", "dear", "beyond a cap", "keeps it too"],
)
def test_between_some_plants_there_is_none(other: Candidate) -> None:
    assert cheapest_between(CASE, [INSIDE_ONE, other], OBJECTIVE) is None


def test_of_many_pairs_the_cheapest_is_taken() -> None:
    far = replace(OUTSIDE_ONE, cost_usd_per_yr=9e6)
    found = cheapest_between(CASE, [INSIDE_ONE, far, OUTSIDE_ONE], OBJECTIVE)
    assert found == cheapest_between(CASE, [INSIDE_ONE, OUTSIDE_ONE], OBJECTIVE)


@pytest.mark.parametrize(("usd", "enough"), [(8e6, True), (9.98e6, False)])
def test_a_search_is_left_out_where_a_plant_between_others_saves_as_much_as_it_is_begun_for(
    usd: float, enough: bool
) -> None:
    outside, evaluator = replace(OUTSIDE_ONE, cost_usd_per_yr=usd), Mock(case=CASE)

    def evaluate(plant: Plant, controller: Controller) -> Candidate:
        way = (80.0 - plant.solar_mw) / 20.0  # both lines are straight
        return Candidate(plant, controller, (1.0 - 0.005 * 4.0**way,), 10e6 + way * (usd - 10e6))

    evaluator.evaluate.side_effect = evaluate
    margin = looks.Margin((0.0,), (-0.0005,), INSIDE_ONE)
    rejected = {INSIDE_ONE.decision, outside.decision}
    known = [INSIDE_ONE, outside]
    run = adaptive_sampling._Improvement(
        evaluator, OBJECTIVE, (0.99,), margin, Effort(), rejected, lambda _: None, known
    )
    assert run.finds_enough_between() is enough
    assert evaluator.evaluate.call_count == 1  # on a straight line the first is where it should be
    assert 1.0 - run.evaluated[-1].uptime == pytest.approx(0.01 * math.exp(-INSIDE))
    run.margin = looks.margin_of((0.0,))
    assert not run.finds_enough_between()  # nothing has passed: a search it is
    assert evaluator.evaluate.call_count == 1
