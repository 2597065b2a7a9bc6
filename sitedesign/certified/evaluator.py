"""The judge of the closed loop: causal cost and uptime of any plant, with common random numbers.

Uptime is decided in few years of many. A plant is judged on all of them once; plants near it are then judged
by what changes in the years that hurt most, and in some others, drawn by chance and weighted. At the plant in
focus this is exact, near it a good guess: a search judges what it finds on all years, and focuses anew on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.case import Case, FloatArray, Plant, rows_of
from sitedesign.certified.environment import Metric, OperatingEnvironment
from sitedesign.operation.forecast import Forecast, daily_factors
from sitedesign.operation.operate import SimulatedOperation, operate
from sitedesign.operation.outages.sampling import OutageSample
from sitedesign.operation.outages.year_cache import OutageYearCache
from sitedesign.operation.state import Controller
from sitedesign.reliability.metrics import lost_by_year
from sitedesign.reliability.replay import fixed_cost_usd_per_yr, rack_shortfall
from sitedesign.reliability.weather_blocks import WeatherBlock
from sitedesign.util.threads import at_once

IntArray = NDArray[np.int64]
Asked = tuple[Plant, Controller]
EXCESS_PRICE = 5_000.0  # on backup energy above a cap: beyond any that runs. [USD/MWh]
HARD_SHARE, ORDINARY_SHARE = 0.1, 0.04  # of all years, to stand for them while a search moves
LEAST_HARD, LEAST_ORDINARY = 20, 10  # years
_STREAM = 0x0D1E  # keeps the draw of ordinary years apart from the outages
_MOST_PATHS = 64  # strings of outages kept for plants with the same units


@dataclass(frozen=True)
class Trial:
    """One plant under one controller, judged.

    Attributes
    ----------
    plant : Plant
    controller : Controller
    kept : tuple of float
        Uptime per class of the load by the metric of the search, failures of racks included where the metric
        counts them. [fraction]
    cost_usd_per_yr : float
        Plant, spare racks, fuel really burnt. [USD/yr]
    excess_mwh_per_yr : float
        Backup energy above the caps of renewable share and CO2, over all years or over the study's own,
        whichever is more: a report shows the latter. [MWh/yr]
    spread : tuple of float
        Standard error of `kept` over weather years; empty when only some of the years were run. [fraction]
    """

    plant: Plant
    controller: Controller
    kept: tuple[float, ...]
    cost_usd_per_yr: float
    excess_mwh_per_yr: float = 0.0
    spread: tuple[float, ...] = ()

    @property
    def uptime(self) -> float:
        """Uptime of the first class: of all load where there are no classes. [fraction]"""
        return self.kept[0]


@dataclass(frozen=True)
class Aim:
    """What a search is after.

    Attributes
    ----------
    goals : tuple of float
        Uptime to reach per class. [fraction]
    load_mwh_per_yr : tuple of float
        Load per class. [MWh/yr]
    lost_usd_per_mwh : float
        What lost compute is worth to the owner. [USD/MWh]
    prices_usd_per_mwh : tuple of float
        Prices on lost compute per class by which a search is led to the goals. [USD/MWh]
    """

    goals: tuple[float, ...]
    load_mwh_per_yr: tuple[float, ...]
    lost_usd_per_mwh: float
    prices_usd_per_mwh: tuple[float, ...]

    def worth(self, trial: Trial) -> float:
        """Annual cost, lost compute at its worth. [USD/yr]"""
        lost = sum((1 - kept) * load for kept, load in zip(trial.kept, self.load_mwh_per_yr, strict=True))
        return trial.cost_usd_per_yr + self.lost_usd_per_mwh * lost

    def priced(self, trial: Trial) -> float:
        """`worth` and every lost MWh at the prices of the search. [USD/yr]"""
        parts = zip(trial.kept, self.load_mwh_per_yr, self.prices_usd_per_mwh, strict=True)
        lost = sum((1 - kept) * load * price for kept, load, price in parts)
        return self.worth(trial) + lost + self._excess(trial)

    def merit(self, trial: Trial) -> float:
        """`worth` and, at thrice the prices of the search, what is missing from the goals. [USD/yr]"""
        parts = zip(self.goals, trial.kept, self.load_mwh_per_yr, self.prices_usd_per_mwh, strict=True)
        missing = sum(max(0.0, goal - kept) * load * 3 * price for goal, kept, load, price in parts)
        return self.worth(trial) + missing + self._excess(trial)

    def met(self, trial: Trial) -> bool:
        """Whether goals and caps are kept."""
        reached = all(kept >= goal for kept, goal in zip(trial.kept, self.goals, strict=True))
        return reached and trial.excess_mwh_per_yr <= 0.0

    def _excess(self, trial: Trial) -> float:
        return EXCESS_PRICE * trial.excess_mwh_per_yr


@dataclass(frozen=True, eq=False)
class _Verdict:
    """What happened, year by year of those that were run."""

    lost: FloatArray  # (classes, years), share of the class's compute
    operating_usd: FloatArray  # (years,)
    backup_mwh: FloatArray  # (technologies, years)
    co2_t: FloatArray  # (years,), fuel at part load included


@dataclass(frozen=True, eq=False)
class _Focus:
    """The years that a search looks at, and what the plant in focus did in them and in all."""

    rows: IntArray
    case: Case
    weight: FloatArray  # years of the whole that a row stands for
    here: _Verdict
    exact: _Verdict
    own_years: int  # the first of all, those of the study itself

    def mean(self, name: str, seen: _Verdict) -> FloatArray:
        """Estimate a mean over all years: that of the plant in focus, and the weighted difference to it."""
        exact, here, there = (getattr(v, name) for v in (self.exact, self.here, seen))
        result: FloatArray = exact.mean(axis=-1) + (there - here) @ self.weight / exact.shape[-1]
        return result

    def backup(self, seen: _Verdict) -> tuple[float, float]:
        """Estimate backup energy and CO2, of the study's own years where those need more. [MWh/yr, t/yr]"""
        energy, co2 = float(self.mean("backup_mwh", seen).sum()), float(self.mean("co2_t", seen))
        (own_mwh, own_t), (all_mwh, all_t) = (_means(self.exact, n) for n in (self.own_years, None))
        return (
            energy * (max(1.0, own_mwh / all_mwh) if all_mwh > 0 else 1.0),
            co2 * (max(1.0, own_t / all_t) if all_t > 0 else 1.0),
        )

    def lost(self, seen: _Verdict) -> FloatArray:
        """Estimate what each class loses, as a mean of two ways.

        The weighted difference knows no bias, but now and then one year of chance weighs heavily in it; the
        ratio of the sums over the same years is steady, but too sure of what the hard years say.
        """
        before = self.here.lost.sum(axis=1)
        ratio = seen.lost.sum(axis=1) / np.where(before > 0, before, 1.0)
        by_difference = np.maximum(self.mean("lost", seen), 0.0)
        by_ratio = np.where(before > 0, self.exact.lost.mean(axis=1) * ratio, by_difference)
        result: FloatArray = (by_difference + by_ratio) / 2
        return result


@dataclass(eq=False)
class Judge:
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
    trials : dict
        Every verdict since the last change of focus.
    judged : int
        Plants judged in all.
    of_caps : float
        Share of the caps of renewable share and CO2 that a plant may use up. [fraction]
    """

    blocks: Sequence[WeatherBlock]
    environment: OperatingEnvironment
    metric: Metric
    seed: int
    draws: int = 1
    trials: dict[tuple[Plant, Controller], Trial] = field(default_factory=dict)
    judged: int = 0
    of_caps: float = 1.0

    def __post_init__(self) -> None:
        self.case = joined([block.case for block in self.blocks])
        temp = np.concatenate([block.temp_air_c for block in self.blocks]).reshape(self.case.years, -1)
        self.outages = OutageYearCache(
            self.environment.outages, temp, self.case.step_h, self.environment.climatology, self.seed
        )
        # Without forecast_z_score: what depends on the controller is taken off when a plant is run
        self._guess = daily_factors(
            self.environment.forecast,
            self.environment.climatology,
            self.case.sole_resource.yield_mw_per_mw,
            seed=self.seed,
        )
        self._focus: _Focus | None = None
        self._ahead: dict[Asked, Trial] = {}  # run, but not asked for
        self._hurt = np.zeros(self.case.years * self.draws)
        self._exact: dict[tuple[Plant, Controller], tuple[Trial, _Verdict]] = {}
        self._draw = np.random.default_rng([_STREAM, self.seed])
        self._paths: dict[tuple[object, ...], OutageSample] = {}
        # Every year once per draw of outages: what is kept is not put together again for every run
        self._drawn = joined([self.case] * self.draws)

    def trial(self, plant: Plant, controller: Controller) -> Trial:
        """Judge a plant on the years in focus, or remember the verdict."""
        return self.trials_of([(plant, controller)])[0]

    def trials_of(self, asked: Sequence[Asked]) -> list[Trial]:
        """Judge plants on the years in focus, several at once, or remember the verdicts."""
        fresh = [key for key in dict.fromkeys(asked) if key not in self.trials]
        self.look_ahead(fresh)
        self.trials.update((key, self._ahead.pop(key)) for key in fresh)
        self.judged += len(fresh)
        return [self.trials[key] for key in asked]

    def knows(self, asked: Asked) -> bool:
        """Whether a plant was run on the years in focus."""
        return asked in self.trials or asked in self._ahead

    def look_ahead(self, asked: Sequence[Asked]) -> None:
        """Run plants that may be asked for next, several at once; judged they are only when asked for."""
        fresh = [key for key in dict.fromkeys(asked) if not self.knows(key)]
        if not fresh:
            return
        focus, own = self._focus, self.blocks[0].case.years
        if focus is None:
            seen = self._run_all(np.arange(own), fresh, self.blocks[0].case)
            found = [self._trial(*key, verdict, 1) for key, verdict in zip(fresh, seen, strict=True)]
        else:
            seen = self._run_all(focus.rows, fresh, focus.case)
            found = [self._near(focus, *key, verdict) for key, verdict in zip(fresh, seen, strict=True)]
        self._ahead.update(zip(fresh, found, strict=True))

    def exact(self, plant: Plant, controller: Controller) -> Trial:
        """Judge a plant on all years, and learn which of them hurt plants like it.

        Returns
        -------
        Trial
            With its `spread`.
        """
        return self.exact_of([(plant, controller)])[0]

    def exact_of(self, asked: Sequence[Asked]) -> list[Trial]:
        """Judge plants on all years, several at once (:meth:`exact`)."""
        fresh = [key for key in dict.fromkeys(asked) if key not in self._exact]
        seen = self._run_all(np.arange(self.case.years * self.draws), fresh, self._drawn)
        for key, verdict in zip(fresh, seen, strict=True):
            # Years that hurt one plant may hurt the next
            self._hurt = np.maximum(self._hurt, _shares(verdict.lost))
            self._exact[key] = self._trial(*key, verdict, self.draws), verdict
        self.judged += len(fresh)
        return [self._exact[key][0] for key in asked]

    def focus(self, plant: Plant, controller: Controller) -> Trial:
        """Judge a plant on all years, and near it from now on by the years that hurt most.

        Returns
        -------
        Trial
            With its `spread`.
        """
        trial = self.exact(plant, controller)
        every = np.arange(self.case.years * self.draws)
        hard_years = max(LEAST_HARD, round(HARD_SHARE * every.size))
        ordinary_years = max(LEAST_ORDINARY, round(ORDINARY_SHARE * every.size))
        hard = np.argsort(-self._hurt, kind="stable")[:hard_years]
        others = np.setdiff1d(every, hard)
        some = self._draw.permutation(others)[:ordinary_years]
        rows = np.sort(np.concatenate([hard, some]))
        weight = np.where(np.isin(rows, hard), 1.0, others.size / max(some.size, 1))
        case = rows_of(self.case, rows % self.case.years)
        self._paths.clear()
        here = self._run_all(rows, [(plant, controller)], case)[0]
        whole = self._exact[(plant, controller)][1]
        self._focus = _Focus(rows, case, weight, here, whole, self.blocks[0].case.years)
        self._forget()
        self.trials[(plant, controller)] = trial
        return trial

    def hold_back(self, share: float) -> None:
        """Allow only a share of the caps of renewable share and CO2 from now on; all verdicts are off."""
        self.of_caps *= share
        self._forget()
        self._exact.clear()
        self._focus = None

    def seeing(self, forecast: Forecast) -> Judge:
        """Judge the same years and failures for an operator with another forecast."""
        other = copy(self)
        other.environment = replace(self.environment, forecast=forecast)
        other._guess = daily_factors(
            forecast, self.environment.climatology, self.case.sole_resource.yield_mw_per_mw, seed=self.seed
        )
        other.trials, other._ahead, other._exact, other._paths, other._focus = {}, {}, {}, {}, None
        other._hurt = self._hurt.copy()  # what hurts one operator may well hurt the other
        other._draw = np.random.default_rng([_STREAM, self.seed])
        other.judged = 0
        return other

    def operate(self, plant: Plant, controller: Controller, *, record: bool) -> SimulatedOperation:
        """Run all years."""
        rows = np.arange(self.case.years)
        outages = self._outages(rows, plant.units)
        return self._operate(self.case, rows, plant, controller, outages, record=record)

    # ------------------------------------------------------------------ inside

    def _forget(self) -> None:
        self.trials.clear()
        self._ahead.clear()

    def _near(self, focus: _Focus, plant: Plant, controller: Controller, seen: _Verdict) -> Trial:
        return self._sum(
            plant,
            controller,
            focus.lost(seen),
            float(focus.mean("operating_usd", seen)),
            self._excess(*focus.backup(seen)),
        )

    def _trial(self, plant: Plant, controller: Controller, verdict: _Verdict, draws: int) -> Trial:
        excess = max(self._excess(*_means(verdict, n)) for n in (None, self.blocks[0].case.years))
        usd = float(verdict.operating_usd.mean())
        trial = self._sum(plant, controller, verdict.lost.mean(axis=1), usd, excess)
        by_year = verdict.lost.reshape(len(verdict.lost), draws, -1).mean(axis=1)
        years = by_year.shape[1]
        # One year shows no spread: nothing can be had in hand for it
        spread = by_year.std(axis=1, ddof=min(1, years - 1)) / years**0.5
        return replace(trial, spread=tuple(spread.tolist()))

    def _excess(self, backup_mwh_per_yr: float, co2_t_per_yr: float) -> float:
        return excess_mwh(self.case, backup_mwh_per_yr, co2_t_per_yr, self.of_caps)

    def _sum(
        self,
        plant: Plant,
        controller: Controller,
        lost: FloatArray,
        operating_usd: float,
        excess: float,
    ) -> Trial:
        short = 0.0
        if self.metric in ("rack", "compute"):
            short = rack_shortfall(plant.racks, self.case.racks_contracted, self.case.rack_availability)
        cost = fixed_cost_usd_per_yr(self.case, plant) + operating_usd
        return Trial(plant, controller, tuple((1.0 - lost - short).tolist()), cost, excess)

    def _run_all(self, rows: IntArray, asked: Sequence[Asked], case: Case) -> list[_Verdict]:
        # One after the other: they are drawn, and kept for others with the same units
        outages = [self._outages(rows, plant.units) for plant, _ in asked]
        runs = zip(asked, outages, strict=True)
        return at_once(lambda run: self._run(case, rows, *run[0], run[1]), runs)

    def _run(
        self, case: Case, rows: IntArray, plant: Plant, controller: Controller, outages: OutageSample
    ) -> _Verdict:
        done = self._operate(case, rows, plant, controller, outages, record=False)
        price = np.array([item.marginal_cost_usd_per_mwh for item in case.backup])
        return _Verdict(
            lost_by_year(case, done.shed_mw, done.lost_by_class, self.metric),
            price @ done.backup_mwh + done.extra_fuel_usd,
            done.backup_mwh,
            co2_t_per_mmbtu(case) @ done.fuel_mmbtu,
        )

    def _operate(
        self,
        case: Case,
        rows: IntArray,
        plant: Plant,
        controller: Controller,
        outages: OutageSample,
        *,
        record: bool,
    ) -> SimulatedOperation:
        environment = self.environment
        days = ((rows % self.case.years)[:, None] * 365 + np.arange(365)).ravel()
        return operate(
            case,
            plant,
            controller,
            behaviour=environment.unit_behaviours,
            forecast=environment.forecast,
            usual=environment.climatology,
            outages=outages,
            fuels=environment.fuels,
            restart=environment.restart,
            guess=self._guess[days],
            record=record,
        )

    def _outages(self, rows: IntArray, units: tuple[int, ...]) -> OutageSample:
        key = (rows.size, units)
        if key not in self._paths:
            if len(self._paths) >= _MOST_PATHS:
                self._paths.clear()
            self._paths[key] = self.outages.sample(rows.tolist(), units)
        return self._paths[key]


def _shares(lost: FloatArray) -> FloatArray:
    """Share of each year in what a class loses, the largest of all classes, shape (years,)."""
    total = lost.sum(axis=1, keepdims=True)
    result: FloatArray = (lost / np.where(total > 0, total, 1.0)).max(axis=0)
    return result


def joined(cases: Sequence[Case]) -> Case:
    """Put the years of several cases of one study in sequence."""
    first = cases[0]
    if len(cases) == 1:
        return first
    series = {name: np.concatenate([getattr(case, name) for case in cases]) for name in ("load_mw", "usable")}
    resources = tuple(
        replace(item, yield_mw_per_mw=np.concatenate([c.resources[r].yield_mw_per_mw for c in cases]))
        for r, item in enumerate(first.resources)
    )
    backup = tuple(
        replace(item, capability=np.concatenate([case.backup[k].capability for case in cases], axis=1))
        for k, item in enumerate(first.backup)
    )
    years = sum(case.years for case in cases)
    return replace(first, years=years, resources=resources, backup=backup, **series)  # type: ignore[arg-type]


def _means(verdict: _Verdict, years: int | None) -> tuple[float, float]:
    """Backup energy and CO2 of the first years, or of all. [MWh/yr, t/yr]"""
    energy = float(verdict.backup_mwh[:, :years].mean(axis=1).sum())
    return energy, float(verdict.co2_t[:years].mean())


def co2_t_per_mmbtu(case: Case) -> FloatArray:
    """Emissions of the fuel of each technology, shape (K,). [t/MMBtu]"""
    return np.array([item.co2_t_per_mwh / item.fuel_mmbtu_per_mwh for item in case.backup])


def excess_mwh(case: Case, backup_mwh_per_yr: float, co2_t_per_yr: float, share: float = 1.0) -> float:
    """Backup energy above a share of what the caps on renewable share and CO2 allow. [MWh/yr]"""
    total, excess = backup_mwh_per_yr, 0.0
    if case.limits.min_renewable_share is not None:
        excess = total - share * (1 - case.limits.min_renewable_share) * case.load_mwh_per_yr
    cap = case.limits.max_co2_t_per_yr
    if cap is not None and co2_t_per_yr > share * cap:
        excess = max(excess, total * (1 - share * cap / co2_t_per_yr))
    return max(excess, 0.0)
