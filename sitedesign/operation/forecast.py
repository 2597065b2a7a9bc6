"""What an operator knows of the days ahead: climate, and a forecast whose error grows with lead time.

The forecast of a day is a factor on the climatological yield of that day. Its revisions are a martingale:
seen backwards from the truth they form a Brownian bridge, so that each forecast is the best linear guess that
its skill allows and contains nothing else of the truth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.case import Case
from sitedesign.errors import Fault, InputError, shown
from sitedesign.operation.compiled import njit
from sitedesign.util.gate import Gate, Many, Measure, OneOf, arguments, check_fields

FloatArray = NDArray[np.float64]
DAYS = 365
SMOOTH_DAYS = 15


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
    """

    solar_yield: FloatArray
    load_mw: FloatArray
    capability: FloatArray
    daily_sd: FloatArray
    daily_temp_c: FloatArray

    @cached_property
    def sunny_day(self) -> int:
        """Day of year in the middle of the sunny season."""
        daily = self.solar_yield.reshape(DAYS, -1).sum(axis=1)
        angle = 2 * np.pi * np.arange(DAYS) / DAYS
        phase = float(np.angle(np.sum(daily * np.exp(1j * angle))))
        return round(phase / (2 * np.pi) * DAYS) % DAYS

    def cold_limit_c(self, quantile: float) -> float:
        """Daily mean temperature below which the coldest days lie. [degrees C]"""
        return float(np.quantile(self.daily_temp_c, quantile)) if self.daily_temp_c.size else float("-inf")

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
    sun = case.sole_resource.yield_mw_per_mw
    solar = _smooth(sun.reshape(case.years, DAYS, per_day).mean(axis=0))
    ratio = _daily_ratio(sun, solar.ravel())
    spread = np.sqrt(_smooth(((ratio.reshape(case.years, DAYS) - 1.0) ** 2).mean(axis=0)[:, None])[:, 0])
    shape = (case.years, DAYS, per_day)
    capability = [_smooth(b.capability.max(axis=0).reshape(shape).mean(axis=0)).ravel() for b in case.backup]
    cold = np.zeros(0) if temp_air_c is None else np.sort(np.reshape(temp_air_c, (-1, per_day)).mean(axis=1))
    return Climatology(
        solar_yield=solar.ravel(),
        load_mw=_smooth(case.load_mw.reshape(shape).mean(axis=0)).ravel(),
        capability=np.array(capability).reshape(len(case.backup), DAYS * per_day),
        daily_sd=spread,
        daily_temp_c=cold,
    )


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
    noise_lag1 : float
        Correlation of the errors of neighbouring target days. [fraction]

    Raises
    ------
    InputError
        With every field that is out of range.
    """

    kind: Literal["perfect", "skill", "climatology", "persistence"] = "skill"
    horizon_h: float = 96.0
    issue_h: float = 6.0
    nrmse_by_lead_day: tuple[float, ...] = (0.10, 0.125, 0.175, 0.225, 0.255, 0.28)
    reference_sd: float = 0.35
    noise_lag1: float = 0.3

    def __post_init__(self) -> None:
        check_fields("Forecast()", self, **_SKILL)
        errors = tuple(self.nrmse_by_lead_day)
        object.__setattr__(self, "nrmse_by_lead_day", errors)
        if any(b < a for a, b in pairwise(errors)):
            fault = Fault("nrmse_by_lead_day", shown(errors), "must not fall with lead time")
            raise InputError([fault], "Forecast()")

    @property
    def days(self) -> int:
        """Days after the present one that the window reaches."""
        return max(1, math.ceil(self.horizon_h / 24))

    def error_share(self) -> FloatArray:
        """Error standard deviation over that of the days themselves, per lead day. [fraction]"""
        given = np.array(self.nrmse_by_lead_day) / self.reference_sd
        beyond = np.arange(1, max(0, self.days + 1 - given.size) + 1)
        far = 1.0 - (1.0 - given[-1]) * 0.75**beyond
        result: FloatArray = np.minimum(np.concatenate([given, far])[: self.days + 1], 1.0)
        return result


def daily_factors(
    forecast: Forecast, usual: Climatology, solar_yield: FloatArray, *, seed: int = 0, z_score: float = 0.0
) -> FloatArray:
    """Forecast factors on the climatological yield, issued at each midnight.

    Parameters
    ----------
    forecast : Forecast
    usual : Climatology
    solar_yield : ndarray, shape (T,)
        The truth; the factor for a day enters only through the bridge that its lead time allows.
    seed : int
    z_score : float
        Standard deviations of the forecast error by which every factor is lowered.

    Returns
    -------
    ndarray, shape (days, leads)
        Row: day of issue; column: days ahead. [fraction]
    """
    truth = _daily_ratio(solar_yield, usual.solar_yield)
    days, leads = truth.size, forecast.days + 1
    if forecast.kind in ("climatology", "perfect"):
        guess = np.ones((days, leads))
    elif forecast.kind == "persistence":
        seen = np.concatenate([[1.0], truth[:-1]])
        guess = np.repeat(seen[:, None], leads, axis=1)
    else:
        sd, skill = np.resize(usual.daily_sd, days), 1.0 - forecast.error_share() ** 2
        guess = _issue(1.0 + _bridge(truth - 1.0, sd, skill, forecast.noise_lag1, seed))
    return lowered(guess, forecast, usual, z_score)


def lowered(guess: FloatArray, forecast: Forecast, usual: Climatology, z_score: float) -> FloatArray:
    """Lower forecast factors by so many standard deviations of their error.

    Parameters
    ----------
    guess : ndarray, shape (days, leads)
        Of whole years, lowered by less or not at all. [fraction]
    forecast : Forecast
    usual : Climatology
    z_score : float
        Standard deviations; on top of what `guess` was lowered by.

    Returns
    -------
    ndarray, shape (days, leads)
        [fraction]
    """
    days, leads = guess.shape
    share = forecast.error_share()
    if forecast.kind in ("climatology", "perfect"):
        share = np.ones(leads)
    elif forecast.kind == "persistence":
        share = np.full(leads, 2.0**0.5)
    target = np.minimum(np.arange(days)[:, None] + np.arange(leads)[None, :], days - 1)
    sd = np.resize(usual.daily_sd, days)
    factors: FloatArray = np.clip(guess - z_score * share[None, :] * sd[target], 0.02, None)
    return factors


def _bridge(anomaly: FloatArray, sd: FloatArray, skill: FloatArray, lag1: float, seed: int) -> FloatArray:
    """Forecast anomaly of each target day at each lead, shape (days, leads).

    A Brownian motion that ends at the truth at time 1 (variance sd^2), read at time `skill`, which falls with
    lead; going back from one lead to the next needs only the reading before.
    """
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 7])))
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
