"""Joint steps, on evaluators whose best plant is known."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from scipy.optimize import minimize

import sitedesign as sd
from sitedesign.case.build import build_case
from sitedesign.case.case import Case
from sitedesign.case.plant import Plant
from sitedesign.case.plant_limits import mean_load_mw
from sitedesign.certified.objective import Candidate, SearchObjective
from sitedesign.certified.slp import solve_slp
from sitedesign.operation.state import Controller

SITE = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
#: Of a MW of array, a MWh and a MW of battery, a unit, a rack, hours of margin. [USD/yr]
PRICES = np.array([40e3, 15e3, 8e3, 60e3, 40e3, 30e3])


@pytest.fixture(scope="module")
def case() -> Case:
    return build_case(
        sd.Study(site=SITE, racks=70, uptime=0.99, backup="recip_fast", weather_years=1, seed=2)
    ).case


@dataclass
class Formula:
    """An evaluator that loses less with everything that is built, each with diminishing returns."""

    case: Case
    estimates: dict[tuple[Plant, Controller], Candidate] = field(default_factory=dict)

    @property
    def evaluations(self) -> int:
        return len(self.estimates)

    def terms(self, plant: Plant, rule: Controller) -> np.ndarray:
        load = mean_load_mw(self.case)
        sizes = np.array([plant.solar_mw, plant.battery_mwh, plant.battery_mw]) / load
        spare = plant.racks - self.case.racks_contracted
        return np.array([*sizes, plant.units[0], spare, rule.reserve_h])

    def lost(self, terms: np.ndarray) -> float:
        weight = np.array([0.9, 0.5, 0.3, 0.3, 0.2, 0.2])
        return float(0.3 * np.exp(-(weight * np.log1p(np.maximum(terms, 0.0))).sum()))

    def estimate(self, plant: Plant, controller: Controller) -> Candidate:
        load, key = mean_load_mw(self.case), (plant, controller)
        terms = self.terms(plant, controller)
        scale = np.array([load, load, load, 1, 1, 1])
        self.estimates[key] = Candidate(
            plant, controller, (1 - self.lost(terms),), float(PRICES @ (terms * scale))
        )
        return self.estimates[key]

    def estimate_all(self, asked: list[tuple[Plant, Controller]]) -> list[Candidate]:
        return [self.estimate(*one) for one in asked]


def cheapest(evaluator: Formula, goal: float) -> float:
    """Cost of the best plant with fractions of everything: a bound."""
    scale = np.array([mean_load_mw(evaluator.case)] * 3 + [1.0] * 3)
    found = minimize(
        lambda x: PRICES @ (x * scale) / 1e6,
        np.full(6, 4.0),
        bounds=[(0.0, 40.0)] * 6,
        constraints={"type": "ineq", "fun": lambda x: np.log(1 - goal) - np.log(evaluator.lost(x))},
        options={"maxiter": 500},
    )
    assert found.success
    return 1e6 * float(found.fun)


@pytest.mark.parametrize("goal", [0.9, 0.97])
@pytest.mark.parametrize("start", [Plant((5.0,), 10.0, 2.0, (1,), 72), Plant((60.0,), 10.0, 40.0, (6,), 80)])
def test_joint_steps_come_near_the_best_plant(case: Case, goal: float, start: Plant) -> None:
    evaluator = Formula(case)
    objective = SearchObjective((goal,), (case.load_mwh_per_yr,), 0.0, (1_000.0,))
    end, after = solve_slp(evaluator, evaluator.estimate(start, Controller(reserve_h=2.0)), objective, 600)
    assert end.uptime >= goal - 5e-3 * (1 - goal)
    assert cheapest(evaluator, goal) <= end.cost_usd_per_yr * (1 + 1e-6)
    assert end.cost_usd_per_yr < 1.06 * cheapest(evaluator, goal)
    # The price of lost compute where it ended: what a little more uptime costs there
    step = 1e-3 * (1 - goal)
    marginal = (cheapest(evaluator, goal + step) - cheapest(evaluator, goal - step)) / (
        2 * step * case.load_mwh_per_yr
    )
    assert after.multipliers_usd_per_mwh[0] == pytest.approx(marginal, rel=0.5)


def test_a_budget_ends_the_steps(case: Case) -> None:
    evaluator = Formula(case)
    objective = SearchObjective((0.97,), (case.load_mwh_per_yr,), 0.0, (1_000.0,))
    solve_slp(evaluator, evaluator.estimate(Plant((5.0,), 10.0, 2.0, (1,), 72), Controller()), objective, 30)
    assert evaluator.evaluations <= 30 + 40  # the last round of probes is finished


def test_a_goal_that_costs_nothing_is_not_paid_for(case: Case) -> None:
    evaluator = Formula(case)
    objective = SearchObjective((0.0,), (case.load_mwh_per_yr,), 0.0, (0.0,))
    end, after = solve_slp(
        evaluator, evaluator.estimate(Plant((20.0,), 30.0, 5.0, (3,), 75), Controller()), objective, 400
    )
    assert end.plant.solar_mw + end.plant.battery_mwh < 1.0
    assert end.plant.units == (0,)
    assert after.multipliers_usd_per_mwh == (0.0,)


def test_backup_above_a_cap_is_given_up(case: Case) -> None:
    class Capped(Formula):
        def estimate(self, plant: Plant, controller: Controller) -> Candidate:
            found = super().estimate(plant, controller)
            excess = max(0.0, 4_000.0 * plant.units[0] - 300.0 * plant.solar_mw)
            self.estimates[(plant, controller)] = replace(found, excess_mwh_per_yr=excess)
            return self.estimates[(plant, controller)]

    evaluator = Capped(case)
    objective = SearchObjective((0.9,), (case.load_mwh_per_yr,), 0.0, (1_000.0,))
    end, _ = solve_slp(
        evaluator, evaluator.estimate(Plant((5.0,), 10.0, 2.0, (4,), 72), Controller()), objective, 600
    )
    assert end.excess_mwh_per_yr < 1.0
    assert end.uptime >= 0.9 - 1e-3
