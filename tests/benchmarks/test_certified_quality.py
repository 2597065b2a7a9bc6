"""How good certified designs are: ``pytest tests/benchmarks/test_certified_quality.py --benchmark-only``.

The sizing loop against brute force with the same evaluator, and its certificates against fresh seeds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import sitedesign as sd
from sitedesign.case.build import StudyCase, build_case
from sitedesign.case.plant import Plant
from sitedesign.case.plant_limits import SPARE_UNITS, clip_to_limits, mean_load_mw
from sitedesign.certified.environment import environment_of, metric_key
from sitedesign.certified.evaluator import Evaluator
from sitedesign.certified.objective import Candidate
from sitedesign.certified.out_of_sample import assess_on_unseen_years
from sitedesign.certified.scenario_years import search_years
from sitedesign.certified.sizing_loop import SearchResult, size_then_search
from sitedesign.operation.state import Controller
from sitedesign.reliability.certificate_plan import CertificatePlan
from sitedesign.study.effort import Effort

pytestmark = pytest.mark.slow

SITE = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
POPULATION, EVALUATIONS, REFOCUSES = 32, 2_000, 4
MISSING_USD_PER_MWH = 2e5  # so dear that what misses the goal never looks cheap
FRESH_SEEDS = (101, 202)


@pytest.fixture(scope="module")
def study_case() -> StudyCase:
    return build_case(
        sd.Study(site=SITE, racks=70, uptime=0.99, backup="recip_fast", min_renewable_share=0.4)
    )


@dataclass
class BruteForce:
    """Differential evolution over everything that the loop decides, by the loop's own evaluator."""

    evaluator: Evaluator
    goal: float
    seed: int = 1

    def __post_init__(self) -> None:
        case = self.evaluator.case
        self.rng = np.random.default_rng(self.seed)
        self.load = mean_load_mw(case)
        units = [item.units_max + SPARE_UNITS for item in case.backup]
        self.low = np.array([0.5, 0.0, 0.0, *[-2.0] * len(units), case.racks_contracted, 0.0, 0.1, 0.0])
        self.high = np.array([8.0, 26.0, 2.5, *units, case.racks_contracted + 15, 6.0, 1.0, 14.0])

    def decoded(self, row: np.ndarray) -> tuple[Plant, Controller]:
        solar, energy, power = (row[:3] * self.load).tolist()
        units = tuple(round(max(0.0, value)) for value in row[3:-4].tolist())
        racks, z_score, credit, reserve_h = row[-4:].tolist()
        plant = clip_to_limits(Plant((solar,), energy, power, units, round(racks)), self.evaluator.case)
        return plant, Controller(forecast_z_score=z_score, capacity_credit=credit, reserve_h=reserve_h)

    def encoded(self, candidate: Candidate) -> np.ndarray:
        plant, rule = candidate.plant, candidate.controller
        sizes = np.array([plant.solar_mw, plant.battery_mwh, plant.battery_mw]) / self.load
        return np.array(
            [*sizes, *plant.units, plant.racks, rule.forecast_z_score, rule.capacity_credit, rule.reserve_h]
        )

    def worth(self, candidate: Candidate) -> float:
        missing = max(0.0, self.goal - candidate.uptime_by_class[0]) * self.evaluator.case.load_mwh_per_yr
        return candidate.cost_usd_per_yr + MISSING_USD_PER_MWH * (missing + candidate.excess_mwh_per_yr)

    def evolve(self, rows: list[np.ndarray], evaluations: int) -> list[np.ndarray]:
        rng, count = self.rng, len(rows)
        worth = [self.worth(self.evaluator.estimate(*self.decoded(row))) for row in rows]
        for number in range(evaluations):
            i = number % count
            leader = rows[int(np.argsort(worth)[rng.integers(max(2, count // 6))])]
            one, other = (rows[k] for k in rng.choice(count, 2, replace=False))
            factor = rng.uniform(0.3, 0.9)
            mutant = rows[i] + factor * (leader - rows[i]) + factor * (one - other)
            crossed = rng.random(mutant.size) < rng.choice([0.2, 0.5, 0.9])
            crossed[rng.integers(mutant.size)] = True
            child = np.clip(np.where(crossed, mutant, rows[i]), self.low, self.high)
            value = self.worth(self.evaluator.estimate(*self.decoded(child)))
            if value <= worth[i]:
                rows[i], worth[i] = child, value
        return [rows[k] for k in np.argsort(worth)]

    def cheapest(self, start: Candidate) -> Candidate:
        """Cheapest plant that keeps the goal on all years; the loop's own plant is one of the population."""
        self.evaluator.select_scenarios(start.plant, start.controller)
        span = self.high - self.low
        rows = [self.encoded(start)]
        rows += [self.low + self.rng.random(span.size) * span for _ in range(POPULATION // 2)]
        near = POPULATION - len(rows)
        rows += [self.encoded(start) * (1 + 0.1 * self.rng.normal(size=span.size)) for _ in range(near)]
        rows = [np.clip(row, self.low, self.high) for row in rows]
        verified = [start]
        for _ in range(REFOCUSES):
            rows = self.evolve(rows, EVALUATIONS // REFOCUSES)
            verified += [self.evaluator.select_scenarios(*self.decoded(row)) for row in rows[:3]]
        met = [
            candidate
            for candidate in verified
            if candidate.uptime_by_class[0] >= self.goal and candidate.excess_mwh_per_yr <= 0
        ]
        return min(met, key=lambda candidate: candidate.cost_usd_per_yr)


def looped(study_case: StudyCase) -> SearchResult:
    """Close the loop as :func:`sitedesign.solve` does."""
    return size_then_search(study_case, environment_of(study_case), Effort(), lambda _: None)


@pytest.fixture(scope="module")
def loop(study_case: StudyCase) -> SearchResult:
    return looped(study_case)


@pytest.mark.benchmark
def test_brute_force_finds_nothing_a_hundredth_cheaper(benchmark, study_case, loop):
    study, effort = study_case.study, Effort()
    evaluator = Evaluator(
        search_years(study_case, effort.years, study.seed), environment_of(study_case), study.metric,
        study.seed, effort.draws,
    )  # fmt: skip
    brute = BruteForce(evaluator, goal=loop.best.uptime_by_class[0])
    cheapest = benchmark.pedantic(lambda: brute.cheapest(loop.best), rounds=1)
    excess = loop.best.cost_usd_per_yr / cheapest.cost_usd_per_yr - 1
    benchmark.extra_info.update(
        loop_usd_per_yr=loop.best.cost_usd_per_yr, brute_usd_per_yr=cheapest.cost_usd_per_yr, excess=excess,
        loop_trials=loop.evaluations, evaluations=evaluator.evaluations,
    )  # fmt: skip
    assert excess < 0.01, f"{loop.best} against {cheapest}"


@pytest.mark.benchmark
def test_certificates_hold_under_fresh_seeds(benchmark):
    study_case = build_case(sd.Study(site=SITE, racks=700, uptime=0.999))
    best = looped(study_case).best

    def certify(seed):
        metric = metric_key(study_case.study.metric)
        plan = CertificatePlan(years=200, draws=5, seed=seed, metric=metric, attribute=False)
        return assess_on_unseen_years(study_case, best.plant, best.controller, plan)

    fresh = benchmark.pedantic(lambda: [certify(seed) for seed in FRESH_SEEDS], rounds=1)
    benchmark.extra_info["uptime"] = [str(item.uptime) for item in fresh]
    assert all(item.simulated_years == 1000 for item in fresh)
    assert all(item.met for item in fresh), [str(item.uptime) for item in fresh]
