"""What an operator knows of the days ahead: climate, and a forecast whose error grows with lead time.

The forecast of a day is a factor on the climatological yield of that day. Its revisions are a martingale:
seen backwards from the truth they form a Brownian bridge, so that each forecast is the best linear guess that
its skill allows and contains nothing else of the truth.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.case import BackupCase, Case, ImportCase
from sitedesign.errors import Fault, InputError, shown
from sitedesign.operation.compiled import njit
from sitedesign.util.gate import FLAG, Gate, Many, Measure, OneOf, arguments, check_fields, takes

FloatArray = NDArray[np.float64]
DAYS = 365
_LEAST_FACTOR = 0.02  # of a lowered forecast
_STREAM = 7  # keeps forecast errors apart from everything else that is drawn
SMOOTH_DAYS = 15
RARE = 0.01  # share of the days on which an hour is called up to which nobody keeps anything back for it


@dataclass(frozen=True, eq=False)
class Climatology:
    """Average year of a site and its spread; made from past years, fixed before an operator starts.

    Attributes
    ----------
    solar_yield, load_mw : ndarray, shape (steps per year,)
        Mean by day of year and clock, smoothed over +-15 days. [MW/MWdc, MW]
    capability : ndarray, shape (K, steps per year)
        The same of the units' capability. [fraction]
    daily_sd : ndarray, shape (365,)
        Standard deviation of a day's solar energy over its mean. [fraction]
    daily_temp_c : ndarray, sorted
        Daily mean temperatures of all years, or empty where none were given. [degrees C]
    many_years_c : ndarray, shape (years, 365)
        The same of many more years, where they can be generated: `daily_temp_c` is then of these, so that
        extreme cold is as frequent as it is said to be. [degrees C]
    other_yields : ndarray, shape (R - 1, steps per year)
        Mean yields of the resources beside the sun, such as wind. [MW/MW]
    other_daily_sd : ndarray, shape (R - 1, 365)
        As `daily_sd`. [fraction]
    import_share : ndarray, shape (I, steps per year)
        Share of each import that may be relied on: what calls leave at the worst of this hour, where they
        come on more than one day in a hundred. [fraction]
    supply_usd_per_mwh : ndarray, shape (K + I,)
        Mean price of what each supply gives. [USD/MWh]
    past : Case or None
        The years that all this was made of.
    """

    solar_yield: FloatArray
    load_mw: FloatArray
    capability: FloatArray
    daily_sd: FloatArray
    daily_temp_c: FloatArray
    other_yields: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    other_daily_sd: FloatArray = field(default_factory=lambda: np.zeros((0, DAYS)))
    import_share: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    supply_usd_per_mwh: FloatArray = field(default_factory=lambda: np.zeros(0))
    past: Case | None = None
    many_years_c: FloatArray = field(default_factory=lambda: np.zeros((0, DAYS)))
    _colder: dict[float, FloatArray] = field(init=False, default_factory=dict, repr=False)

    @property
    def yields(self) -> FloatArray:
        """Mean yields of all resources, the sun first, shape (R, steps per year). [MW/MW]"""
        return np.array([self.solar_yield, *self.other_yields])

    @property
    def supply_share(self) -> list[FloatArray]:
        """Capability of every unit, then what may be relied on of every import. [fraction]"""
        return [*self.capability, *self.import_share]

    @cached_property
    def sunny_day(self) -> int:
        """Day of year in the middle of the sunny season."""
        daily = self.solar_yield.reshape(DAYS, -1).sum(axis=1)
        angle = 2 * np.pi * np.arange(DAYS) / DAYS
        phase = float(np.angle(np.sum(daily * np.exp(1j * angle))))
        return round(phase / (2 * np.pi) * DAYS) % DAYS

    def cold_limit_c(self, quantile: float) -> float:
        """Daily mean temperature below which the coldest days lie. [degrees C]"""
        days, place = self.daily_temp_c, quantile * (self.daily_temp_c.size - 1)
        if not days.size:
            return float("-inf")
        below = int(place)  # sorted already, and many: np.quantile would look for its place among them all
        return float(days[below] + (place - below) * (days[min(below + 1, days.size - 1)] - days[below]))

    def with_many_years(self, daily_temp_c: FloatArray) -> Climatology:
        """Know how frequent extreme cold is from many years, shape (years, 365). [degrees C]"""
        if not daily_temp_c.size:
            return self
        return replace(self, daily_temp_c=np.sort(daily_temp_c, axis=None), many_years_c=daily_temp_c)

    def chance_below(self, temp_c: float) -> FloatArray:
        """Chance of each day of a year that its mean is below `temp_c`, shape (365,). [fraction]

        By many years; NaN where only the past ones are known.
        """
        if temp_c not in self._colder:  # asked for by every year of a search
            many = self.many_years_c
            self._colder[temp_c] = (many < temp_c).mean(axis=0) if many.size else np.full(DAYS, np.nan)
        return self._colder[temp_c]

    def share_below(self, temp_c: float) -> float:
        """Share of days whose mean temperature is below `temp_c`. [fraction]"""
        days = self.daily_temp_c
        return float(np.searchsorted(days, temp_c)) / days.size if days.size else 0.0


def climatology(case: Case, temp_air_c: FloatArray | None = None) -> Climatology:
    """Average the weather years of a case.

    Parameters
    ----------
    case : Case
    temp_air_c : ndarray, shape (T,), optional
        Needed for cold-triggered outages only. [degrees C]
    """
    per_day = round(24 / case.step_h)
    (solar, spread), *others = (_usual(case, item.yield_mw_per_mw) for item in case.resources)
    shape = (case.years, DAYS, per_day)
    capability = [_smooth(b.capability.max(axis=0).reshape(shape).mean(axis=0)).ravel() for b in case.backup]
    cold = np.zeros(0) if temp_air_c is None else np.sort(np.reshape(temp_air_c, (-1, per_day)).mean(axis=1))
    return Climatology(
        solar_yield=solar,
        load_mw=_smooth(case.load_mw.reshape(shape).mean(axis=0)).ravel(),
        capability=np.array(capability).reshape(len(case.backup), DAYS * per_day),
        daily_sd=spread,
        daily_temp_c=cold,
        other_yields=np.array([usual for usual, _ in others]),
        other_daily_sd=np.array([sd for _, sd in others]),
        import_share=np.array([_relied_on(item, shape) for item in case.imports]),
        supply_usd_per_mwh=np.array([_mean_price(item) for item in case.supplies]),
        past=case,
    )


def _usual(case: Case, output: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean yield of a resource by step of the year, and the spread of its days."""
    usual = _smooth(output.reshape(case.years, DAYS, -1).mean(axis=0)).ravel()
    ratio = _daily_ratio(output, usual)
    spread = _smooth(((ratio.reshape(case.years, DAYS) - 1.0) ** 2).mean(axis=0)[:, None])
    return usual, np.sqrt(spread[:, 0])


def _relied_on(item: ImportCase, shape: tuple[int, int, int]) -> FloatArray:
    """Share of an import that calls leave at the worst, by step of the year; 1 where they hardly come."""
    left = (item.capability[0] if item.announced is None else item.announced).reshape(shape)
    share = _smooth((left < 1.0).mean(axis=0))
    worst = left.min(axis=0)
    days = np.arange(-SMOOTH_DAYS, SMOOTH_DAYS + 1)[:, None] + np.arange(DAYS)
    worst = worst[days % DAYS].min(axis=0)
    result: FloatArray = np.where(share > RARE, worst, 1.0).ravel()
    return result


def _mean_price(item: BackupCase | ImportCase) -> float:
    """Mean over all steps of the price that holds. [USD/MWh]"""
    prices = np.array([level.usd_per_mwh for level in item.levels])
    return float(prices[0] if item.active_level is None else prices[item.active_level].mean())


def _smooth(by_day: FloatArray) -> FloatArray:
    """Circular moving average over days, shape (365, ...)."""
    padded = np.concatenate([by_day[-SMOOTH_DAYS:], by_day, by_day[:SMOOTH_DAYS]])
    total = np.cumsum(np.concatenate([np.zeros_like(padded[:1]), padded]), axis=0)
    width = 2 * SMOOTH_DAYS + 1
    result: FloatArray = (total[width:] - total[:-width]) / width
    return result


def _daily_ratio(solar_yield: FloatArray, usual: FloatArray) -> FloatArray:
    """Each day's energy over the climatological one, shape (days,)."""
    daily = usual.reshape(DAYS, -1).sum(axis=1)
    years = solar_yield.size // usual.size
    actual = solar_yield.reshape(years, DAYS, -1).sum(axis=2)
    result: FloatArray = (actual / np.where(daily > 0, daily, 1.0)).ravel()
    return result


_SKILL: dict[str, Gate] = {
    "kind": OneOf(("perfect", "skill", "climatology", "persistence")),
    "horizon_h": Measure("h", 0, 8760, above=True),
    "issue_h": Measure("h", 0, 24, above=True),
    "nrmse_by_lead_day": Many(Measure("fraction", 0, 10), "must be a list of fractions", least=1, most=365),
    "reference_sd": Measure("fraction", 0, 10, above=True),
    "wind_nrmse_by_lead_day": Many(
        Measure("fraction", 0, 10), "must be a list of fractions", least=1, most=365
    ),
    "wind_reference_sd": Measure("fraction", 0, 10, above=True),
    "noise_lag1": Measure("fraction", -1, 1, above=True, below=True),
}


@arguments("Forecast()")
@dataclass(frozen=True)
class Forecast:
    """How well the days ahead are known.

    Attributes
    ----------
    kind : str
        ``perfect`` (the true series inside the horizon), ``skill`` (default), ``climatology`` (the average
        year), ``persistence`` (every day like the last one seen).
    horizon_h : float
        At least so far ahead, up to the midnight after. [h]
    issue_h : float
        Time between forecasts; in between, the operator knows what the sun really did today. [h]
    nrmse_by_lead_day : tuple of float
        Error of a day's solar energy over its mean, for the day itself (issued at midnight), the next day
        and so on, at a site whose days have the standard deviation `reference_sd`; other sites scale with
        their own. Day-ahead 10-15 % and three days 20-25 % are the usual range of weather models (engineering
        judgement, confidence M); beyond the table the error grows towards climatology. [fraction]
    reference_sd : float
        [fraction]
    wind_nrmse_by_lead_day, wind_reference_sd : tuple of float and float
        The same of a day's wind energy, for every resource beside the sun. Forecasts of one farm's hours miss
        by about 15 % of its power a day ahead (Giebel and Kariniotakis 2017, Renewable Energy Forecasting,
        ch. 3); at 40 % mean output, and with errors of neighbouring hours that partly cancel over a day, that
        is about a quarter of the day's energy (engineering judgement, confidence M). [fraction]
    noise_lag1 : float
        Correlation of the errors of neighbouring target days. [fraction]

    Raises
    ------
    InputError
        With every field that is out of range.

    Examples
    --------
    >>> sd.Forecast(kind="persistence").horizon_h
    96.0
    """

    kind: Literal["perfect", "skill", "climatology", "persistence"] = "skill"
    horizon_h: float = 96.0
    issue_h: float = 6.0
    nrmse_by_lead_day: tuple[float, ...] = (0.10, 0.125, 0.175, 0.225, 0.255, 0.28)
    reference_sd: float = 0.35
    noise_lag1: float = 0.3
    wind_nrmse_by_lead_day: tuple[float, ...] = (0.20, 0.25, 0.32, 0.39, 0.44, 0.48)
    wind_reference_sd: float = 0.55

    def __post_init__(self) -> None:
        check_fields("Forecast()", self, **_SKILL)
        faults = []
        for name in ("nrmse_by_lead_day", "wind_nrmse_by_lead_day"):
            errors = tuple(getattr(self, name))
            object.__setattr__(self, name, errors)
            if any(b < a for a, b in pairwise(errors)):
                faults.append(Fault(name, shown(errors), "must not fall with lead time"))
        if faults:
            raise InputError(faults, "Forecast()")

    @property
    def days(self) -> int:
        """Days after the present one that the window reaches."""
        return max(1, math.ceil(self.horizon_h / 24))

    @takes("error_share()", wind=FLAG)
    def error_share(self, *, wind: bool = False) -> FloatArray:
        """Error standard deviation over that of the days themselves, per lead day. [fraction]"""
        errors, sd = self.nrmse_by_lead_day, self.reference_sd
        if wind:
            errors, sd = self.wind_nrmse_by_lead_day, self.wind_reference_sd
        given = np.array(errors) / sd
        beyond = np.arange(1, max(0, self.days + 1 - given.size) + 1)
        far = 1.0 - (1.0 - given[-1]) * 0.75**beyond
        result: FloatArray = np.minimum(np.concatenate([given, far])[: self.days + 1], 1.0)
        return result


def resource_factors(forecast: Forecast, usual: Climatology, case: Case, *, seed: int = 0) -> FloatArray:
    """Forecast factors on the climatological yield of every resource, issued at each midnight.

    Parameters
    ----------
    forecast : Forecast
    usual : Climatology
    case : Case
        The truth; the factor for a day enters only through the bridge that its lead time allows.
    seed : int
        Each resource draws from a stream of its own.

    Returns
    -------
    ndarray, shape (R, days, leads)
        Row: day of issue; column: days ahead. [fraction]
    """
    guesses = []
    for number, (row, item) in enumerate(zip(_rows(forecast, usual), case.resources, strict=True)):
        key = [seed, _STREAM] if number == 0 else [seed, _STREAM, zlib.crc32(item.name.encode())]
        guesses.append(_guess(forecast, row, item.yield_mw_per_mw, key))
    return np.array(guesses)


def lowered(guess: FloatArray, forecast: Forecast, usual: Climatology, z_score: float) -> FloatArray:
    """Lower forecast factors by so many standard deviations of their error.

    Parameters
    ----------
    guess : ndarray, shape (R, days, leads)
        Of whole years, lowered by less or not at all. [fraction]
    forecast : Forecast
    usual : Climatology
    z_score : float
        Standard deviations; on top of what `guess` was lowered by.

    Returns
    -------
    ndarray, shape (R, days, leads)
        [fraction]
    """
    rows = zip(guess, _rows(forecast, usual), strict=True)
    return np.array([_lowered(one, forecast, row, z_score) for one, row in rows])


class _Row(NamedTuple):
    """What is usual of one resource: mean yield, spread of its days, share of it that forecasts leave."""

    usual: FloatArray
    daily_sd: FloatArray
    error_share: FloatArray


def _rows(forecast: Forecast, usual: Climatology) -> list[_Row]:
    sun, wind = forecast.error_share(), forecast.error_share(wind=True)
    others = zip(usual.other_yields, usual.other_daily_sd, strict=True)
    return [_Row(usual.solar_yield, usual.daily_sd, sun), *(_Row(output, sd, wind) for output, sd in others)]


def _guess(forecast: Forecast, row: _Row, output: FloatArray, key: list[int]) -> FloatArray:
    """Forecast factors of one resource, not lowered, shape (days, leads)."""
    truth = _daily_ratio(output, row.usual)
    days, leads = truth.size, forecast.days + 1
    if forecast.kind in ("climatology", "perfect"):
        return np.ones((days, leads))
    if forecast.kind == "persistence":
        seen = np.concatenate([[1.0], truth[:-1]])
        return np.repeat(seen[:, None], leads, axis=1)
    sd, skill = np.resize(row.daily_sd, days), 1.0 - row.error_share**2
    return _issue(1.0 + _bridge(truth - 1.0, sd, skill, forecast.noise_lag1, key))


def _lowered(guess: FloatArray, forecast: Forecast, row: _Row, z_score: float) -> FloatArray:
    """Lower the factors of one resource."""
    leads = guess.shape[1]
    share = row.error_share
    if forecast.kind in ("climatology", "perfect"):
        share = np.ones(leads)
    elif forecast.kind == "persistence":
        share = np.full(leads, 2.0**0.5)
    factors = guess.copy()
    _lower(factors, z_score * share, row.daily_sd)
    return factors


@njit(cache=True)
def _lower(factors: FloatArray, times: FloatArray, daily_sd: FloatArray) -> None:
    """Take so many times the spread of the target day off each factor."""
    days, of_last = factors.shape[0], (factors.shape[0] - 1) % daily_sd.size
    for day in range(days):
        of_day = day % daily_sd.size
        for lead in range(factors.shape[1]):
            target = of_day + lead if day + lead < days else of_last
            while target >= daily_sd.size:
                target -= daily_sd.size
            lower = factors[day, lead] - times[lead] * daily_sd[target]
            factors[day, lead] = max(lower, _LEAST_FACTOR)


def _bridge(
    anomaly: FloatArray, sd: FloatArray, skill: FloatArray, lag1: float, key: list[int]
) -> FloatArray:
    """Forecast anomaly of each target day at each lead, shape (days, leads).

    A Brownian motion that ends at the truth at time 1 (variance sd^2), read at time `skill`, which falls with
    lead; going back from one lead to the next needs only the reading before.
    """
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))
    fresh = rng.standard_normal((anomaly.size, skill.size))
    fresh[1:] *= (1 - lag1**2) ** 0.5
    _carry_on(fresh, lag1)
    readings = np.empty((anomaly.size, skill.size))
    known, time = anomaly, 1.0
    for lead, share in enumerate(skill):
        ratio = share / time if time > 0 else 0.0
        known = ratio * known + sd * np.sqrt(max(share * (1 - ratio), 0.0)) * fresh[:, lead]
        time = float(share)
        readings[:, lead] = known
    return readings


@njit(cache=True)
def _carry_on(rows: FloatArray, share: float) -> None:
    """Add to each row a share of the one before. SciPy's filter does so too, but loads all its statistics."""
    for day in range(1, rows.shape[0]):
        for lead in range(rows.shape[1]):
            rows[day, lead] += share * rows[day - 1, lead]


def _issue(by_target: FloatArray) -> FloatArray:
    """From (target day, lead) to (day of issue, lead); days after the record count as average."""
    days, leads = by_target.shape
    issued = np.ones((days, leads))
    for lead in range(leads):
        issued[: days - lead, lead] = by_target[lead:, lead]
    return issued
