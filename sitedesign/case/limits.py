"""Limits of a case; those on annual totals each told once: row over the totals, equation, unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sitedesign.case.case import BackupCase, Case, PriceLevel
    from sitedesign.study.study import Study


@dataclass(frozen=True)
class CaseLimits:
    """Bounds and budgets of one case.

    Attributes
    ----------
    battery_mwh, battery_mw : tuple of float
        Lower and upper bound; the upper one is finite, and derived where the user allows more. [MWh, MW]
    land_acres : float or None
        Most land for all resources together. [acres]
    min_renewable_share : float or None
        Least share of the served energy that does not come from backup. [fraction]
    max_co2_t_per_yr : float or None
        [t/yr]
    max_nox_t_per_yr, max_co_t_per_yr, max_pm_t_per_yr : float or None
        Pollutants at the stacks of the site. [t/yr]
    min_duration_h, max_duration_h : float or None
        Bounds of battery energy over battery power. [h]
    months_to_power : float or None
        Longest lead time allowed. [months]
    battery_cycles_per_yr : float or None
        What an operator may discharge at the bus, over nameplate. [1/yr]
    warranty_cycles_per_yr : float or None
        What he may take from the cells, over nameplate. [1/yr]
    site_night_h : float or None
        Hours at night in which any unit may run. [h/yr]
    n_plus : int
        Units of each technology built that the plan must do without. [units]
    most_units : float or None
        Most units of backup, all technologies together. [units]
    widest : tuple of float, optional
        What the user allows of battery energy and power at most, infinite where nothing was said; the upper
        bounds themselves when left out. Up to here, and no further, a bound may be widened. [MWh, MW]
    """

    battery_mwh: tuple[float, float]
    battery_mw: tuple[float, float]
    land_acres: float | None = None
    min_renewable_share: float | None = None
    max_co2_t_per_yr: float | None = None
    max_nox_t_per_yr: float | None = None
    max_co_t_per_yr: float | None = None
    max_pm_t_per_yr: float | None = None
    min_duration_h: float | None = None
    max_duration_h: float | None = None
    months_to_power: float | None = None
    battery_cycles_per_yr: float | None = None
    warranty_cycles_per_yr: float | None = None
    site_night_h: float | None = None
    n_plus: int = 0
    most_units: float | None = None
    widest: tuple[float, float] | None = None


@dataclass(frozen=True)
class AnnualLimit:
    """One limit: ``sum over all levels of all supplies of per_mwh * energy <= most``.

    Attributes
    ----------
    name : str
        Field of :class:`CaseLimits`.
    equation : str
        Name of its equation.
    total, unit : str
        What is limited, as an explanation asks for the least of it, and the unit of the limit.
    per_mwh : callable
        What a MWh of a supply at one of its levels adds to the total. [of the total, per MWh]
    most : callable
        Most of the total, from the case and the limit as it was given. [of the total]
    reached : callable
        The limit that a total just meets, from the case and the total. [unit]
    asked : callable
        The limit as a study asks for it. [unit]
    at_least : bool
        Whether the limit as it was given is a lower one.
    """

    name: str
    equation: str
    total: str
    unit: str
    per_mwh: Callable[[PriceLevel], float]
    most: Callable[[Case, float], float]
    reached: Callable[[Case, float], float]
    asked: Callable[[Study], float | None]
    at_least: bool = False

    def given(self, limits: CaseLimits) -> float | None:
        """Limit as it was given; None where there is none. [unit]"""
        value: float | None = getattr(limits, self.name)
        return value


#: Pollutants that air permits limit, by name of their figures, with what they are called.
POLLUTANTS = {"nox": "NOx", "co": "CO", "pm": "PM"}


def _pollutant_limit(name: str) -> AnnualLimit:
    """Limit on the tonnes of one pollutant."""
    figure, asked = attrgetter(f"{name}_t_per_mwh"), attrgetter(f"{name}_t_per_yr")
    return AnnualLimit(
        f"max_{name}_t_per_yr",
        f"{name}_limit",
        f"{name}_t_per_yr",
        "t/yr",
        per_mwh=figure,
        most=lambda _, cap: cap,
        reached=lambda _, tonnes: tonnes,
        asked=lambda study: asked(study.limits),
    )


ANNUAL_LIMITS = (
    AnnualLimit(
        "min_renewable_share",
        "renewable_share",
        "backup_mwh_per_yr",
        "",
        per_mwh=lambda _: 1.0,
        most=lambda case, share: (1 - share) * case.load_mwh_per_yr,
        reached=lambda case, mwh: 1 - mwh / case.load_mwh_per_yr,
        asked=lambda study: study.min_renewable_share,
        at_least=True,
    ),
    AnnualLimit(
        "max_co2_t_per_yr",
        "co2_limit",
        "co2_t_per_yr",
        "t/yr",
        per_mwh=lambda level: level.co2_t_per_mwh,
        most=lambda _, cap: cap,
        reached=lambda _, tonnes: tonnes,
        asked=lambda study: study.limits.co2_t_per_yr,
    ),
    *(_pollutant_limit(name) for name in POLLUTANTS),
)


def annual_limits(case: Case) -> Iterator[tuple[AnnualLimit, float]]:
    """Yield the limits of a case with what was given; there are none where nothing has a price."""
    for item in ANNUAL_LIMITS if case.supplies else ():
        value = item.given(case.limits)
        if value is not None:
            yield item, value


def hours_limits(case: Case) -> Iterator[tuple[int, BackupCase, float]]:
    """Yield number, technology and most run hours of a unit a year, where they are limited. [h/yr]

    ``energy of all levels of a technology <= hours * rated power * units``: hours at full load are never more
    than hours on, so what keeps its permit keeps this; the operator's real hours are counted apart.
    """
    for k, item in enumerate(case.backup):
        if item.run_h_limit is not None:
            yield k, item, item.run_h_limit
