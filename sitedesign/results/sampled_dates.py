"""What becomes of a roadmap's orders on dates drawn at random, and which date decides."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class DateEffect:
    """One date that is not known, and what it does alone while all else comes as planned.

    Attributes
    ----------
    technology : str
    p10_months, p50_months, p90_months : float
        Of the distribution that it is drawn from. [months]
    planned_months : float
        With which the plan reckons. [months]
    loss_usd, loss_standard_error_usd : float
        By how much the value less cost is smaller on average than on the dates of the plan. [USD]
    rack_months_late : float
        On average.
    """

    technology: str
    p10_months: float
    p50_months: float
    p90_months: float
    planned_months: float
    loss_usd: float
    loss_standard_error_usd: float
    rack_months_late: float


@dataclass(frozen=True)
class StageDate:
    """How likely a stage is to come in time.

    Attributes
    ----------
    begins_month : float
        As planned. [months]
    racks : int
        That the plan has running from then on.
    probability, standard_error : float
        That so many run in that month. [fraction]
    """

    begins_month: float
    racks: int
    probability: float
    standard_error: float


@dataclass(frozen=True)
class SampledDates:
    """The plan's orders on dates drawn at random: rented units and racks follow the dates, orders do not.

    What is late is paid for from the month for which it was ordered, and racks that have no power are idle.

    Attributes
    ----------
    samples, seed : int
    months : mapping of str to tuple of float
        Dates drawn, by technology. [months]
    net_present_value_usd : tuple of float
        Of each draw: value of the racks that run less all costs; costs alone, below zero, where racks have no
        price, and idle racks then save what running them costs. [USD]
    first_power_month : tuple of float
        The horizon where none ever comes. [months]
    rack_months_late : tuple of float
        Racks that the plan would have running and that do not, times the months.
    planned_net_present_value_usd : float
        The same on the dates of the plan. [USD]
    effects : tuple of DateEffect
        Of each date that is not known, what decides most first.
    stages : tuple of StageDate
    racks : tuple of (int, int, int)
        By month from the start: as many run at least in 90, 50 and 10 % of the draws.
    """

    samples: int
    seed: int
    months: Mapping[str, tuple[float, ...]]
    net_present_value_usd: tuple[float, ...]
    first_power_month: tuple[float, ...]
    rack_months_late: tuple[float, ...]
    planned_net_present_value_usd: float = 0.0
    effects: tuple[DateEffect, ...] = ()
    stages: tuple[StageDate, ...] = ()
    racks: tuple[tuple[int, int, int], ...] = field(default=(), repr=False)

    @property
    def expected_usd(self) -> float:
        """Mean of the net present value over the draws. [USD]"""
        return float(np.mean(self.net_present_value_usd))

    @property
    def standard_error_usd(self) -> float:
        """Of :attr:`expected_usd`. [USD]"""
        return standard_error(self.net_present_value_usd)

    @property
    def deciding(self) -> str | None:
        """Technology whose date alone costs most; None where no date costs anything."""
        first = next(iter(self.effects), None)
        return first.technology if first and (first.loss_usd > 0.0 or first.rack_months_late > 0.0) else None

    def first_power_quantiles(self) -> tuple[float, ...]:
        """Months by which power is there in 10, 50 and 90 % of the draws. [months]"""
        return quantiles(self.first_power_month)

    def racks_table(self) -> pd.DataFrame:
        """Racks that run by month.

        Returns
        -------
        DataFrame
            Index ``month``; columns ``p10, p50, p90``: the tenth, half and nine tenths of the draws have at
            most so many.
        """
        table = pd.DataFrame(list(self.racks), columns=["p10", "p50", "p90"])
        return table.rename_axis("month")


def quantiles(values: Sequence[float]) -> tuple[float, ...]:
    """Of the draws themselves at 10, 50 and 90 %."""
    found = np.quantile(np.asarray(values), QUANTILES, method="inverted_cdf")
    return tuple(float(value) for value in found)


def standard_error(values: Sequence[float]) -> float:
    """Of the mean of independent draws; 0 for one alone."""
    if len(values) < 2:
        return 0.0
    return float(np.std(values, ddof=1) / math.sqrt(len(values)))
