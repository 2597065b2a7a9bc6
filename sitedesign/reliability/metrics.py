"""What uptime means (documentation, method/uptime), each figure with its standard error.

Per-year totals are collected first (:class:`YearTable`), so that a certificate over a thousand years needs
no memory of its hours; every metric is a ratio of sums of those totals, and the bootstrap draws whole weather
years, because hours inside a year (and outage draws of one weather year) are not independent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.case import FLOOR_SHARE, Case
from sitedesign.case.dispatch import Dispatch
from sitedesign.reliability.control_variates import control_variates, corrected
from sitedesign.reliability.estimate import Estimate
from sitedesign.reliability.events import SHORT_SHARE
from sitedesign.reliability.replay import rack_shortfall
from sitedesign.util.compiled import njit

FloatArray = NDArray[np.float64]

#: Length of the full outage that is assumed not to have been seen, when none was: one long night. [h]
UNSEEN_EVENT_H = 12.0
BOOTSTRAP_DRAWS = 1000


@dataclass(frozen=True, eq=False)
class YearTable:
    """Totals of each simulated year; all arrays but the last have shape (years,).

    Attributes
    ----------
    cluster : ndarray of int
        Weather year behind each simulated year; years of one cluster share their weather and are resampled
        together.
    hours : ndarray
        Length of the year. [h]
    load_mwh, shed_mwh, lost_mwh : ndarray
        Load, shed load, shed load weighted by its loss of compute. [MWh]
    clock_lost_h, short_h, floor_h : ndarray
        Sum of shed share of load over time, time with any shedding, time below the floor. [h]
    events : ndarray
        Number of spells of shedding that begin in the year.
    longest_h : ndarray
        Longest spell that begins in the year. [h]
    beyond_h : ndarray, shape (years, 2 supplies)
        Hours in which supplies of the plant are interrupted beyond those to be expected; by them, means are
        corrected for luck (:mod:`sitedesign.reliability.control_variates`). None of them in a plan. [h]
    """

    cluster: NDArray[np.int64]
    hours: FloatArray
    load_mwh: FloatArray
    shed_mwh: FloatArray
    lost_mwh: FloatArray
    clock_lost_h: FloatArray
    short_h: FloatArray
    floor_h: FloatArray
    events: FloatArray
    longest_h: FloatArray
    beyond_h: FloatArray = field(default_factory=lambda: np.zeros((1, 0)))

    def __post_init__(self) -> None:
        if not self.beyond_h.size:
            object.__setattr__(self, "beyond_h", np.zeros((self.cluster.size, 0)))

    @staticmethod
    def concat(tables: list[YearTable]) -> YearTable:
        """Put the years of several tables in sequence."""
        return YearTable(*(np.concatenate([getattr(t, f.name) for t in tables]) for f in fields(YearTable)))


@dataclass(frozen=True)
class UptimeMetrics:
    """Every uptime figure of the documentation, method/uptime.

    Attributes
    ----------
    rack : Estimate
        Weighted rack-hours served over contracted, load-weighted, less the expected shortfall of working
        racks: the figure of the uptime row. [fraction]
    rack_by_clock : Estimate
        1 - mean shed share of the load over time: rack-hours by the clock, each hour counting the same,
        less the same shortfall. [fraction]
    compute : Estimate
        Throughput delivered over contracted, power side alone (tier weights applied). [fraction]
    energy : Estimate
        1 - shed energy over load, 1 - NEUE. [fraction]
    site : Estimate
        Share of time with every contracted rack at full power. [fraction]
    floor : Estimate
        Share of time with at least `floor_share` of the power. [fraction]
    lolh_h_per_yr, eue_mwh_per_yr, neue_ppm : Estimate
        Loss-of-load hours, expected unserved energy, the same over the load. [h/yr, MWh/yr, ppm]
    events_per_yr, longest_h : Estimate
        Spells of shedding a year, longest one seen. [1/yr, h]
    worst_year : Estimate
        `rack` of the worst year. [fraction]
    worst_year_row : int
        Its row.
    floor_share : float
        [fraction]
    """

    rack: Estimate
    rack_by_clock: Estimate
    compute: Estimate
    energy: Estimate
    site: Estimate
    floor: Estimate
    lolh_h_per_yr: Estimate
    eue_mwh_per_yr: Estimate
    neue_ppm: Estimate
    events_per_yr: Estimate
    longest_h: Estimate
    worst_year: Estimate
    worst_year_row: int
    floor_share: float = FLOOR_SHARE


def uptime_metrics(
    case: Case,
    dispatch: Dispatch,
    *,
    racks: int | None = None,
    seed: int = 0,
    floor_share: float = FLOOR_SHARE,
) -> UptimeMetrics:
    """All uptime metrics of one dispatch.

    Parameters
    ----------
    case : Case
    dispatch : Dispatch
    racks : int, optional
        Racks installed; the contracted number when left out.
    seed : int
        Of the bootstrap.
    floor_share : float
        Share of the power that counts as up in `floor`. [fraction]

    Returns
    -------
    UptimeMetrics
    """
    short = rack_shortfall(
        case.racks_contracted if racks is None else racks, case.racks_contracted, case.rack_availability
    )
    return metrics_of_years(year_table(case, dispatch, floor_share=floor_share), short, seed, floor_share)


def without_hours(metrics: UptimeMetrics) -> UptimeMetrics:
    """Metrics of a plan that decides how much is shed but not in which hours.

    A linear program sheds wherever that costs least, often a sliver of every hour: the number of hours and
    events, the longest of them and the shares of time are then accidents of the solver, and become NaN.
    """
    nothing = replace(metrics.site, value=math.nan, standard_error=math.nan)
    return replace(
        metrics,
        site=nothing,
        floor=nothing,
        lolh_h_per_yr=nothing,
        events_per_yr=nothing,
        longest_h=nothing,
    )


def year_table(
    case: Case, dispatch: Dispatch, *, first_year: int = 0, floor_share: float = FLOOR_SHARE
) -> YearTable:
    """Collect the totals of each weather year of a dispatch."""
    return totals_of_years(
        case.load_mw,
        dispatch.shed_mw,
        dispatch.lost_compute,
        case.step_h,
        case.years,
        first_year,
        floor_share,
    )


def totals_of_years(
    load_mw: FloatArray,
    shed_mw: FloatArray,
    lost_compute: FloatArray,
    step_h: float,
    years: int,
    first_year: int = 0,
    floor_share: float = FLOOR_SHARE,
) -> YearTable:
    """Collect per-year totals from series of shape (T,); see :class:`YearTable`."""
    table = _totals(load_mw, shed_mw, lost_compute, step_h, years, 1.0 - floor_share)
    hours = np.full(years, load_mw.size // years * step_h)
    return YearTable(np.arange(first_year, first_year + years), hours, *table)


def lost_by_year(
    case: Case, shed_mw: FloatArray, lost_by_class: FloatArray, metric: str, floor_share: float = FLOOR_SHARE
) -> FloatArray:
    """Share of each class's compute that is lost in each weather year, by one of the metrics.

    Parameters
    ----------
    case : Case
    shed_mw : ndarray, shape (T,)
        [MW]
    lost_by_class : ndarray, shape (C, T)
        [fraction of the whole load]
    metric : str
        ``rack`` or ``compute``: weighted by load; ``site`` or ``floor``: share of the time in which the
        whole load is not at full power, or below the floor, the same for every class.
    floor_share : float
        [fraction]

    Returns
    -------
    ndarray, shape (C, years)
        [fraction]
    """
    years = case.years
    if metric in ("site", "floor"):
        deepest = SHORT_SHARE if metric == "site" else 1.0 - floor_share + 1e-9
        short = (shed_mw > deepest * case.load_mw).reshape(years, -1).mean(axis=1)
        return np.repeat(short[np.newaxis], len(case.classes), axis=0)
    load = case.load_mw.reshape(years, -1).sum(axis=1)
    # Year by year: what fits into the cache of a core is done sooner than all years in one go
    by_year = case.load_mw.reshape(years, -1), lost_by_class.reshape(len(case.classes), years, -1)
    lost = np.stack([(by_year[1][:, y] * by_year[0][y]).sum(axis=1) for y in range(years)], axis=1)
    share = np.array([part.share for part in case.classes])[:, np.newaxis]
    result: FloatArray = lost / (share * load)
    return result


@njit(cache=True, nogil=True)
def _totals(
    load: FloatArray, shed: FloatArray, lost: FloatArray, step_h: float, years: int, deepest: float
) -> FloatArray:
    out = np.zeros((8, years))
    per_year = load.size // years
    year_of_spell, spell = 0, 0
    for y in range(years):
        for t in range(y * per_year, (y + 1) * per_year):
            out[0, y] += load[t] * step_h
            if shed[t] <= SHORT_SHARE * load[t]:
                spell = 0
                continue
            share = shed[t] / load[t]
            out[1, y] += shed[t] * step_h
            out[2, y] += lost[t] * load[t] * step_h
            out[3, y] += share * step_h
            out[4, y] += step_h
            if share > deepest + 1e-9:
                out[5, y] += step_h
            if spell == 0:
                year_of_spell = y
                out[6, y] += 1.0
            spell += 1
            out[7, year_of_spell] = max(out[7, year_of_spell], spell * step_h)
    return out


def metrics_of_years(
    table: YearTable, shortfall: float, seed: int = 0, floor_share: float = FLOOR_SHARE
) -> UptimeMetrics:
    """Turn per-year totals into metrics with bootstrap errors over weather years.

    Parameters
    ----------
    table : YearTable
    shortfall : float
        Expected shortfall of working racks, subtracted from the rack metrics. [fraction]
    seed : int
    floor_share : float
        As used when the table was made. [fraction]

    Returns
    -------
    UptimeMetrics
    """
    boot = _Bootstrap(table, seed)
    hours, load = table.hours, table.load_mwh
    per_year = hours / float(hours.mean())
    mean_load_mw = float(load.sum() / hours.sum())
    unseen_mwh = np.full_like(hours, UNSEEN_EVENT_H * mean_load_mw)
    unseen_h = np.full_like(hours, UNSEEN_EVENT_H)
    rack = boot.ratio(table.lost_mwh, load, unseen_mwh)
    clock = boot.ratio(table.clock_lost_h, hours, unseen_h)
    yearly = np.maximum(1.0 - table.lost_mwh / load - shortfall, 0.0)
    worst = int(np.argmin(yearly))
    return UptimeMetrics(
        rack=_uptime(rack, shortfall),
        rack_by_clock=_uptime(clock, shortfall),
        compute=_uptime(rack, 0.0),
        energy=_uptime(boot.ratio(table.shed_mwh, load, unseen_mwh), 0.0),
        site=_uptime(boot.ratio(table.short_h, hours, unseen_h), 0.0),
        floor=_uptime(boot.ratio(table.floor_h, hours, unseen_h), 0.0),
        lolh_h_per_yr=boot.ratio(table.short_h, per_year, unseen_h),
        eue_mwh_per_yr=boot.ratio(table.shed_mwh, per_year, unseen_mwh),
        neue_ppm=boot.ratio(table.shed_mwh * 1e6, load, unseen_mwh * 1e6),
        events_per_yr=boot.ratio(table.events, per_year, np.ones_like(hours)),
        longest_h=boot.extreme(table.longest_h, largest=True),
        worst_year=boot.extreme(yearly, largest=False),
        worst_year_row=worst,
        floor_share=floor_share,
    )


def uptime_of_losses(table: YearTable, lost_share: FloatArray, shortfall: float, seed: int = 0) -> Estimate:
    """Uptime of one class of the load, with its bootstrap error.

    Parameters
    ----------
    table : YearTable
    lost_share : ndarray, shape (years,)
        Share of the class's compute lost in each simulated year. [fraction]
    shortfall : float
        Expected shortfall of working racks. [fraction]
    seed : int

    Returns
    -------
    Estimate
    """
    unseen = UNSEEN_EVENT_H * table.load_mwh / table.hours
    boot = _Bootstrap(table, seed)
    return _uptime(boot.ratio(lost_share * table.load_mwh, table.load_mwh, unseen), shortfall)


class _Bootstrap:
    """Resamples of the weather years, drawn once and shared by all metrics."""

    def __init__(self, table: YearTable, seed: int) -> None:
        names, inverse = np.unique(table.cluster, return_inverse=True)
        self.clusters, self.inverse, self.seed = len(names), inverse, seed
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
        draws = generator.integers(0, self.clusters, size=(BOOTSTRAP_DRAWS, self.clusters))
        offset = np.arange(BOOTSTRAP_DRAWS)[:, None] * self.clusters
        counts = np.bincount((draws + offset).ravel(), minlength=BOOTSTRAP_DRAWS * self.clusters)
        self.draws, self.known = draws, control_variates(table.beyond_h, self.clusters)
        self.counts = counts.reshape(BOOTSTRAP_DRAWS, self.clusters).astype(np.float64)

    def ratio(self, part: FloatArray, whole: FloatArray, unseen: FloatArray) -> Estimate:
        """Loss as a ratio of sums: value 0 is the loss-free one."""
        part = corrected(part, self.known)
        parts = np.bincount(self.inverse, weights=part, minlength=self.clusters)
        wholes = np.bincount(self.inverse, weights=whole, minlength=self.clusters)
        total = float(wholes.sum())
        value = float(parts.sum()) / total
        if self.clusters == 1:
            return Estimate(value, float("nan"), 1, self.seed, loss_free_value=0.0)
        if value == 0.0:
            # The rule of three: the bound is three times what one unseen event would have contributed
            largest_contribution = float(unseen.mean()) / total
            return Estimate(
                0.0,
                largest_contribution,
                self.clusters,
                self.seed,
                loss_free_value=0.0,
                largest_contribution=largest_contribution,
            )
        resampled = (self.counts @ parts) / (self.counts @ wholes)
        # The resampled variance of a mean of n falls short of the sample variance by (n - 1)/n
        error = float(resampled.std(ddof=0)) * (self.clusters / (self.clusters - 1)) ** 0.5
        return Estimate(
            value,
            error,
            self.clusters,
            self.seed,
            loss_free_value=0.0,
            largest_contribution=float(parts.max()) / total,
        )

    def extreme(self, values: FloatArray, *, largest: bool) -> Estimate:
        """Largest or smallest of the years; its error by the same resampling (rough, as for any extreme)."""
        sign = 1.0 if largest else -1.0
        best = np.full(self.clusters, -np.inf)
        np.maximum.at(best, self.inverse, sign * values)
        value = sign * float(best.max())
        if self.clusters == 1:
            return Estimate(value, float("nan"), 1, self.seed)
        return Estimate(value, float(best[self.draws].max(axis=1).std()), self.clusters, self.seed)


def _uptime(loss: Estimate, shortfall: float) -> Estimate:
    """1 - loss - shortfall, the loss-free value being what the racks alone allow.

    The row of the optimiser takes racks that have no power for broken too, which is on the safe side; where
    next to nothing is served the difference falls below zero, and no target lies there.
    """
    top = 1.0 - shortfall
    return Estimate(
        max(top - loss.value, 0.0),
        loss.standard_error,
        loss.samples,
        loss.seed,
        loss_free_value=top,
        largest_contribution=loss.largest_contribution,
    )
