"""Simulation-based evaluation: causal cost and uptime of any plant, with common random numbers.

Uptime is decided in few years of many. A plant is evaluated on all of them once; plants near it are then
estimated by what changes in some of them, on steps of two hours. These are drawn by chance, each the likelier
the more it loses, and weighted by how likely that was, so that nothing is estimated too high or too low on
the mean. At that reference plant the estimate is exact, near it a good one: a search evaluates what it finds
on all years and its own steps, and takes that for its next reference.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, fields, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.case import Case, FloatArray
from sitedesign.case.plant import Plant
from sitedesign.case.years import concat_years, select_years, stretch_of_years
from sitedesign.certified.coarser_steps import (
    ESTIMATED_STEP_H,
    block_on_steps_of,
    environment_on_steps_of,
    on_steps_of,
)
from sitedesign.certified.environment import Metric
from sitedesign.certified.objective import Candidate, CappedUse, Decision, excess_mwh, unheld_mwh
from sitedesign.certified.unequal_sample import unequal_sample
from sitedesign.operation.capped_use import used_by_year
from sitedesign.operation.environment import OperatingEnvironment
from sitedesign.operation.forecast import Forecast, resource_factors
from sitedesign.operation.operate import SimulatedOperation, operate
from sitedesign.operation.outages.sampling import OutageSample, farm_blocks
from sitedesign.operation.outages.year_cache import OutageYearCache
from sitedesign.operation.state import Controller
from sitedesign.reliability.control_variates import control_variates
from sitedesign.reliability.metrics import lost_by_year
from sitedesign.reliability.replay import fixed_cost_usd_per_yr, rack_shortfall
from sitedesign.reliability.weather_blocks import WeatherBlock
from sitedesign.util.threads import at_once

IntArray = NDArray[np.int64]
SCENARIO_SHARE, FEWEST_SCENARIOS = 0.065, 20  # of all years, to stand for them while a search moves
EVEN_SHARE = 1.0  # of what a year loses on the mean, added to what each loses: so are chances
LEAST_EVENTS = 10  # to be expected of a supply's interruptions, for years to be weighed by them
ROWS_AT_ONCE = 100  # most years that are run in sequence, on however many cores
FEWER, FEWEST_ROWS = 4, 100  # part of all years and draws that is enough for a difference
_STREAM = 0x0D1E  # keeps the draw of these years apart from the outages
_MOST_SAMPLES = 256  # of outages, remembered for plants with the same units
RESERVE_SHARE = 0.9  # of the hours without reserve: on years that a search never saw there are more of them


class _Stretch(NamedTuple):
    """Years that are run in sequence, by their rows among all."""

    rows: IntArray
    case: Case


@dataclass(frozen=True, eq=False)
class _Outcomes:
    """What happened, year by year of those that were run."""

    lost: FloatArray  # (classes, years), share of the class's compute
    operating_usd: FloatArray  # (years,)
    supplied_mwh: FloatArray  # (technologies and imports, years)
    used: FloatArray  # (caps, years), fuel at part load included
    reserve: FloatArray  # (2, years), hours without reserve and what is missing in them [h, MWh]


@dataclass(frozen=True, eq=False)
class _Scenarios:
    """The years that stand for all, and what the reference plant did in them and in all."""

    years: _Stretch
    weight: FloatArray  # years of the whole that a row stands for
    calibrated: FloatArray  # weight of each row in a mean over all
    calibrated_all: FloatArray  # the same of all rows
    reference: _Outcomes
    reference_in_all: _Outcomes
    own_years: int  # the first of all, those of the study itself

    def mean(self, name: str, outcomes: _Outcomes) -> FloatArray:
        """Estimate a mean over all years: that of the reference, and the weighted mean of the difference."""
        whole, here, there = (getattr(v, name) for v in (self.reference_in_all, self.reference, outcomes))
        weights = self.weight * self.calibrated
        result: FloatArray = _mean(whole, self.calibrated_all) + _mean(there - here, weights)
        return result

    def supplied(self, outcomes: _Outcomes) -> CappedUse:
        """Estimate energy of backup and imports, and what else is capped.

        Of the study's own years where those need more.
        """
        supplied = self.mean("supplied_mwh", outcomes)
        own = _means(self.reference_in_all, np.arange(self.calibrated_all.size) < self.own_years)
        whole = _means(self.reference_in_all, self.calibrated_all)
        more = max(1.0, own.total_mwh / whole.total_mwh) if whole.total_mwh > 0 else 1.0
        used = [
            value * (max(1.0, mine / of_all) if of_all > 0 else 1.0)
            for value, mine, of_all in zip(
                self.mean("used", outcomes).tolist(), own.used, whole.used, strict=True
            )
        ]
        return CappedUse(float(supplied.sum()) * more, (supplied * more).tolist(), used)

    def lost(self, outcomes: _Outcomes) -> FloatArray:
        """Estimate what each class loses, as a mean of two ways.

        The weighted sum of the differences (Horvitz and Thompson, 1952) may come out below nothing, the ratio
        of the weighted sums never does, but knows nothing of a class that loses nothing in these years.
        """
        weights = self.weight * self.calibrated
        before, after = self.reference.lost @ weights, outcomes.lost @ weights
        in_all = np.maximum(_mean(self.reference_in_all.lost, self.calibrated_all), 0.0)
        by_difference = np.maximum(in_all + (after - before) / self.calibrated_all.size, 0.0)
        known = before > 0
        by_ratio = np.where(known, in_all * after / np.where(known, before, 1.0), by_difference)
        result: FloatArray = (by_difference + by_ratio) / 2
        return result


@dataclass(eq=False)
class Evaluator:
    """Causal cost and uptime of any plant on fixed weather years and fixed random numbers.

    Attributes
    ----------
    blocks : sequence of WeatherBlock
        The study's own years first.
    environment : OperatingEnvironment
    metric : str
    seed : int
        Of outages and forecast errors.
    draws : int
        Draws of outages of each weather year; with them a weather year counts so many times.
    estimates : dict
        Of every decision since the last choice of scenarios.
    evaluations : int
        Plants run in all, on few years or all.
    cap_share : float
        Share of the caps of renewable share, CO2 and permits that a plant may use up. [fraction]
    reserve_share : float
        Share of the hours in which the reserve may be missing that a plant may use up. [fraction]
    """

    blocks: Sequence[WeatherBlock]
    environment: OperatingEnvironment
    metric: Metric
    seed: int
    draws: int = 1
    estimates: dict[Decision, Candidate] = field(default_factory=dict)
    evaluations: int = 0
    cap_share: float = 1.0
    reserve_share: float = RESERVE_SHARE

    def __post_init__(self) -> None:
        self.case = concat_years([block.case for block in self.blocks])
        temp = np.concatenate([block.temp_air_c for block in self.blocks]).reshape(self.case.years, -1)
        self.outages = OutageYearCache(
            self.environment.outages, temp, self.case.step_h, self.environment.climatology, self.seed
        )
        # Without forecast_z_score: what depends on the controller is taken off when a plant is run
        self._forecast_factors = self._draw_forecast_factors()
        self._scenarios: _Scenarios | None = None
        self._ahead: dict[Decision, Candidate] = {}  # run, but not asked for
        self._rows = np.arange(self.case.years * self.draws)
        self._criticality = np.zeros(self._rows.size)
        self._evaluated: dict[Decision, tuple[Candidate, _Outcomes]] = {}
        self._draw = np.random.default_rng([_STREAM, self.seed])
        self._samples: dict[tuple[object, ...], OutageSample] = {}
        self._spared: dict[Decision, float] = {}
        self._own_years = self.blocks[0].case.years
        estimated = block_on_steps_of(self.blocks[0], ESTIMATED_STEP_H)
        self._own_case = estimated.case
        self._climatology_of_estimates = environment_on_steps_of(self.environment, estimated).climatology
        # Every year once per draw of outages: what is kept is not put together again for every run
        self._case_of_draws = concat_years([self._of_draw(draw) for draw in range(self.draws)])
        self._all_years = self._in_stretches()
        self._know_luck()

    def _know_luck(self) -> None:
        """Find by which weights years have the usual interruptions of fuel and site, whatever is built."""
        beyond = self.outages.beyond_h(self._rows.tolist(), LEAST_EVENTS)
        self._known = control_variates(beyond, np.unique(self._rows % self.case.years).size)
        self._weights = self._known.weights()

    def estimate(self, plant: Plant, controller: Controller) -> Candidate:
        """Estimate cost and uptime by the scenarios, or remember them."""
        return self.estimate_all([(plant, controller)])[0]

    def estimate_all(self, decisions: Sequence[Decision]) -> list[Candidate]:
        """Estimate several at once (:meth:`estimate`); the study's own years stand for all at first."""
        fresh = [key for key in dict.fromkeys(decisions) if key not in self.estimates]
        self.look_ahead(fresh)
        self.estimates.update((key, self._ahead.pop(key)) for key in fresh)
        self.evaluations += len(fresh)
        return [self.estimates[key] for key in decisions]

    def knows(self, decision: Decision) -> bool:
        """Whether a plant was run on the scenarios."""
        return decision in self.estimates or decision in self._ahead

    def look_ahead(self, decisions: Sequence[Decision]) -> None:
        """Run plants that may be asked for next, several at once; they count only when they are asked for."""
        fresh = [key for key in dict.fromkeys(decisions) if not self.knows(key)]
        if not fresh:
            return
        scenarios = self._scenarios
        if scenarios is None:
            runs = self._run_all([_Stretch(np.arange(self._own_years), self._own_case)], fresh)
            found = [self._plain(*key, outcomes) for key, outcomes in zip(fresh, runs, strict=True)]
        else:
            runs = self._run_all([scenarios.years], fresh)
            found = [self._near(scenarios, *key, outcomes) for key, outcomes in zip(fresh, runs, strict=True)]
        self._ahead.update(zip(fresh, found, strict=True))

    def evaluate(self, plant: Plant, controller: Controller) -> Candidate:
        """Evaluate on all years, with standard errors, and learn which hurt plants like it."""
        return self.evaluate_all([(plant, controller)])[0]

    def evaluate_all(self, decisions: Sequence[Decision]) -> list[Candidate]:
        """Evaluate several at once (:meth:`evaluate`)."""
        fresh = [key for key in dict.fromkeys(decisions) if key not in self._evaluated]
        runs = self._run_all(self._all_years, fresh)
        for key, outcomes in zip(fresh, runs, strict=True):
            # Years that hurt one plant may hurt the next
            of_these = np.maximum(self._criticality[self._rows], _shares(outcomes.lost))
            self._criticality[self._rows] = of_these
            self._evaluated[key] = self._exact(*key, outcomes), outcomes
        self.evaluations += len(fresh)
        return [self._evaluated[key][0] for key in decisions]

    @property
    def evaluated(self) -> list[Candidate]:
        """All plants that were run on all years, in that order."""
        return [candidate for candidate, _ in self._evaluated.values()]

    def select_scenarios(self, plant: Plant, controller: Controller) -> Candidate:
        """Evaluate on all years, and estimate near it from now on by some of them."""
        candidate = self.evaluate(plant, controller)
        loses = self._criticality[self._rows]
        even = EVEN_SHARE * loses.mean() if loses.any() else 1.0
        count = max(FEWEST_SCENARIOS, round(SCENARIO_SHARE * loses.size))
        chosen, weight = unequal_sample(loses + even, count, float(self._draw.random()))
        case = on_steps_of(select_years(self._case_of_draws, chosen), ESTIMATED_STEP_H)
        years = _Stretch(self._rows[chosen], case)
        self._samples.clear()
        here = self._run_all([years], [(plant, controller)])[0]
        whole = self._evaluated[(plant, controller)][1]
        weights = self._weights[chosen], self._weights
        self._scenarios = _Scenarios(years, weight, *weights, here, whole, self._own_years)
        self._forget()
        self.estimates[(plant, controller)] = candidate
        return candidate

    def tighten_caps(self, share: float) -> None:
        """Allow only a share of the caps of the year's totals from now on; what is known is off."""
        self.cap_share *= share
        self._know_nothing()

    def tighten_reserve(self, share: float) -> None:
        """Allow the reserve to be missing in a share of the hours from now on; what is known is off."""
        self.reserve_share *= share
        self._know_nothing()

    def _know_nothing(self) -> None:
        self._forget()
        self._evaluated.clear()
        self._scenarios = None

    def with_forecast(self, forecast: Forecast) -> Evaluator:
        """Evaluate the same years and failures for an operator with another forecast."""
        other = self._anew()
        other.environment = replace(self.environment, forecast=forecast)
        other._forecast_factors = other._draw_forecast_factors()
        other._criticality = self._criticality.copy()  # what hurts one operator may well hurt the other
        return other

    def on_fewer_years(self) -> Evaluator:
        """Evaluate on a part of the same years and failures, the study's own among them in their share.

        For differences that vary little from year to year, and from step to step: on longer ones where means
        can be taken. Which years hurt, both learn from either.
        """
        every = max(1, min(FEWER, self._rows.size // FEWEST_ROWS))
        other, years = self._anew(), np.arange(0, self.case.years, every)
        chosen = (np.arange(self.draws)[:, None] * self.case.years + years).ravel()
        other._rows = self._rows[chosen]
        other._case_of_draws = on_steps_of(select_years(self._case_of_draws, chosen), ESTIMATED_STEP_H)
        other._all_years = other._in_stretches()
        other._own_years = int((years < self._own_years).sum())
        other._know_luck()
        return other

    def operate(self, plant: Plant, controller: Controller, *, record: bool) -> SimulatedOperation:
        """Run all years."""
        rows, outages = np.arange(self.case.years), self.outages_of(plant)
        return self._operate(self.case, rows, plant, controller, outages, record=record)

    def outages_of(self, plant: Plant) -> OutageSample:
        """Draw what fails of a plant when all years are run."""
        return self._outages(_Stretch(np.arange(self.case.years), self.case), plant)

    def lost_without_spares(self, plant: Plant, controller: Controller) -> float:
        """Lost compute above the target with the spare units out all the time and nothing else failing.

        On the study's own years; 0 where the study asks for no spare units, or the plant has none. [MWh/yr]
        """
        spare, key = self.case.limits.n_plus, (plant, controller)
        units = tuple(max(count - spare, 0) for count in plant.units)
        if units == plant.units:
            return 0.0
        if key not in self._spared:
            own, less = self.blocks[0].case, replace(plant, units=units)
            done = self._operate(own, np.arange(own.years), less, controller, None, record=False)
            lost = lost_by_year(own, done.shed_mw, done.lost_by_class, self.metric).mean(axis=1)
            short = self._rack_shortfall(plant)
            self._spared[key] = sum(
                max(0.0, float(share) + short - (1.0 - part.uptime_target)) * part.share * own.load_mwh_per_yr
                for share, part in zip(lost, own.classes, strict=True)
            )
        return self._spared[key]

    # ------------------------------------------------------------------ inside

    def _rack_shortfall(self, plant: Plant) -> float:
        """Share of the contracted racks that is broken, where the metric counts them. [fraction]"""
        if self.metric not in ("rack", "compute"):
            return 0.0
        return rack_shortfall(plant.racks, self.case.racks_contracted, self.case.rack_availability)

    def _of_draw(self, draw: int) -> Case:
        """Put all years in sequence under the calls and interruptions of a draw."""
        if not draw or not self.case.imports:
            return self.case
        return concat_years([block.of_draw(draw) for block in self.blocks])

    def _anew(self) -> Evaluator:
        """Give an evaluator of the same years that has run nothing yet."""
        other = copy(self)
        other.estimates, other._ahead, other._evaluated, other._samples = {}, {}, {}, {}
        other._spared, other._scenarios, other.evaluations = {}, None, 0
        other._draw = np.random.default_rng([_STREAM, self.seed])
        return other

    def _forget(self) -> None:
        self.estimates.clear()
        self._ahead.clear()

    def _draw_forecast_factors(self) -> FloatArray:
        env = self.environment
        return resource_factors(env.forecast, env.climatology, self.case, seed=self.seed)

    def _near(
        self, scenarios: _Scenarios, plant: Plant, controller: Controller, outcomes: _Outcomes
    ) -> Candidate:
        excess = self._excess(scenarios.supplied(outcomes))
        hours, missing_mwh = scenarios.mean("reserve", outcomes)
        excess += unheld_mwh(self.case, hours, missing_mwh, self.reserve_share)
        usd = float(scenarios.mean("operating_usd", outcomes))
        return self._candidate(plant, controller, scenarios.lost(outcomes), usd, excess)

    def _plain(self, plant: Plant, controller: Controller, outcomes: _Outcomes) -> Candidate:
        """Take the mean of the study's own years: too few to know by which weights."""
        even = np.ones(outcomes.operating_usd.size)
        return self._in_mean(plant, controller, outcomes, even, [even])

    def _exact(self, plant: Plant, controller: Controller, outcomes: _Outcomes) -> Candidate:
        """Take the mean over all years, with standard errors."""
        own = np.arange(self._rows.size) < self._own_years
        candidate = self._in_mean(plant, controller, outcomes, self._weights, [self._weights, own])
        scatter = self._known.without_luck(outcomes.lost)
        by_year = scatter.reshape(len(scatter), self.draws, -1).mean(axis=1)
        years = by_year.shape[1]
        # One year shows no spread: no margin can be derived from it
        errors = by_year.std(axis=1, ddof=min(1, years - 1)) / years**0.5
        return replace(candidate, standard_errors=tuple(errors.tolist()))

    def _in_mean(
        self,
        plant: Plant,
        controller: Controller,
        outcomes: _Outcomes,
        weights: FloatArray,
        capped: Sequence[FloatArray | NDArray[np.bool_]],
    ) -> Candidate:
        """Weigh years; caps are to be kept by each of some weights."""
        excess = max(self._excess(_means(outcomes, of_cap)) for of_cap in capped)
        hours, missing_mwh = np.maximum(_mean(outcomes.reserve, weights), 0.0)
        excess += unheld_mwh(self.case, hours, missing_mwh, self.reserve_share)
        usd = float(_mean(outcomes.operating_usd, weights))
        lost = np.maximum(_mean(outcomes.lost, weights), 0.0)
        return self._candidate(plant, controller, lost, usd, excess)

    def _excess(self, use: CappedUse) -> float:
        return excess_mwh(self.case, use, self.cap_share)

    def _candidate(
        self, plant: Plant, controller: Controller, lost: FloatArray, operating_usd: float, excess: float
    ) -> Candidate:
        cost = fixed_cost_usd_per_yr(self.case, plant) + operating_usd
        uptimes = tuple((1.0 - lost - self._rack_shortfall(plant)).tolist())
        excess += self.lost_without_spares(plant, controller)
        return Candidate(plant, controller, uptimes, cost, excess)

    def _in_stretches(self) -> list[_Stretch]:
        """Cut all years in stretches, which are run on all cores even of one plant."""
        parts = np.array_split(np.arange(self._rows.size), math.ceil(self._rows.size / ROWS_AT_ONCE))
        return [
            _Stretch(self._rows[part], stretch_of_years(self._case_of_draws, part[0], part[-1] + 1))
            for part in parts
        ]

    def _run_all(self, stretches: Sequence[_Stretch], decisions: Sequence[Decision]) -> list[_Outcomes]:
        # Drawn one after the other, while those before are run, and kept for others with the same units
        runs = (
            (some, plant, rule, self._outages(some, plant)) for plant, rule in decisions for some in stretches
        )
        done = at_once(lambda run: self._run(*run), runs)
        each = len(stretches)
        return [_in_sequence(done[first : first + each]) for first in range(0, len(done), each)]

    def _run(self, years: _Stretch, plant: Plant, controller: Controller, outages: OutageSample) -> _Outcomes:
        case = years.case
        done = self._operate(case, years.rows, plant, controller, outages, record=False)
        return _Outcomes(
            lost_by_year(case, done.shed_mw, done.lost_by_class, self.metric),
            done.operating_usd,
            np.concatenate([done.backup_mwh, done.import_mwh]),
            used_by_year(case, plant, done),
            np.array([done.reserve_short_h, done.reserve_short_mwh]),
        )

    def _operate(
        self,
        case: Case,
        rows: IntArray,
        plant: Plant,
        controller: Controller,
        outages: OutageSample | None,
        *,
        record: bool,
    ) -> SimulatedOperation:
        days, met = ((rows % self.case.years)[:, None] * 365 + np.arange(365)).ravel(), self.environment
        if case.step_h > self.case.step_h:
            met = replace(met, climatology=self._climatology_of_estimates)
        return operate(
            case,
            plant,
            controller,
            met,
            outages=outages,
            forecast_factors=self._forecast_factors[:, days],
            record=record,
            record_units=record,
        )

    def _outages(self, years: _Stretch, plant: Plant) -> OutageSample:
        rows, longer = years.rows, round(years.case.step_h / self.case.step_h)
        blocks = farm_blocks(self.environment.outages, plant.resources_mw)
        key = (rows.tobytes(), longer, plant.units, *blocks)
        if key not in self._samples:
            if len(self._samples) >= _MOST_SAMPLES:
                self._samples.clear()
            drawn = self.outages.sample(rows.tolist(), plant.units, plant.resources_mw)
            self._samples[key] = drawn.on_longer_steps(longer) if longer > 1 else drawn
        return self._samples[key]


def _in_sequence(parts: Sequence[_Outcomes]) -> _Outcomes:
    """Put what happened in stretches of years in sequence."""
    if len(parts) == 1:
        return parts[0]
    columns = ([getattr(part, item.name) for part in parts] for item in fields(_Outcomes))
    return _Outcomes(*(np.concatenate(column, axis=-1) for column in columns))


def _shares(lost: FloatArray) -> FloatArray:
    """Share of each year in what a class loses, the largest of all classes, shape (years,)."""
    total = lost.sum(axis=1, keepdims=True)
    result: FloatArray = (lost / np.where(total > 0, total, 1.0)).max(axis=0)
    return result


def _mean(values: FloatArray, weights: FloatArray | NDArray[np.bool_]) -> FloatArray:
    """Weighted mean over the last axis."""
    result: FloatArray = values @ weights / weights.sum()
    return result


def _means(outcomes: _Outcomes, weights: FloatArray | NDArray[np.bool_]) -> CappedUse:
    """Energy of backup and imports and what else is capped, in a weighted mean."""
    supplied = _mean(outcomes.supplied_mwh, weights)
    used = [float(_mean(row, weights)) for row in outcomes.used]
    return CappedUse(float(supplied.sum()), supplied.tolist(), used)
