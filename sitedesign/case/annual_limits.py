"""Limits on the annual totals of a case, each told once: its row over the totals, its equation, its unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sitedesign.case.case import Case, CaseLimits, PriceLevel


@dataclass(frozen=True)
class AnnualLimit:
    """One limit: ``sum over all levels of all supplies of per_mwh * energy <= most``.

    Attributes
    ----------
    name : str
        Field of :class:`~sitedesign.case.case.CaseLimits`.
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
    at_least: bool = False

    def given(self, limits: CaseLimits) -> float | None:
        """Limit as it was given; None where there is none. [unit]"""
        value: float | None = getattr(limits, self.name)
        return value


ANNUAL_LIMITS = (
    AnnualLimit(
        "min_renewable_share",
        "renewable_share",
        "backup_mwh_per_yr",
        "",
        per_mwh=lambda _: 1.0,
        most=lambda case, share: (1 - share) * case.load_mwh_per_yr,
        reached=lambda case, mwh: 1 - mwh / case.load_mwh_per_yr,
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
    ),
)


def annual_limits(case: Case) -> Iterator[tuple[AnnualLimit, float]]:
    """Yield the limits of a case with what was given; there are none where nothing has a price."""
    for item in ANNUAL_LIMITS if case.supplies else ():
        value = item.given(case.limits)
        if value is not None:
            yield item, value
