"""Investment tax credit by date (United States, law as of late 2025; not tax advice)."""

from __future__ import annotations

from datetime import date
from typing import cast

from sitedesign.errors import InputError, unknown_name
from sitedesign.library.files import entry
from sitedesign.library.project import Finance
from sitedesign.util.gate import TEXT, Day, Kind, takes

CREDIT_KINDS = ("battery", "fuel_cell", "none", "nuclear", "pv", "wind")


_DAY = Day(1, 9999)


@takes(
    "itc_fraction()",
    kind=TEXT,
    construction_start=_DAY,
    in_service=_DAY,
    finance=Kind((Finance,), "must be a sitedesign.library.Finance"),
)
def itc_fraction(
    kind: str, construction_start: date, in_service: date, finance: Finance | None = None
) -> float:
    """Share of capital returned as investment tax credit (Pub. L. 119-21 amending 26 USC 48E).

    Parameters
    ----------
    kind : str
        ``pv``, ``wind``, ``battery``, or what `Backup.tax_credit` says: ``fuel_cell``, ``nuclear``, ``none``.
    construction_start : datetime.date
        Day on which construction begins.
    in_service : datetime.date
        Day on which the plant is placed in service.
    finance : Finance, optional
        Holder of the dates and rates; the library's default when left out.

    Returns
    -------
    float
        [fraction of capital]

    Raises
    ------
    InputError
        For an unknown kind.
    """
    rules = finance or cast(Finance, entry("finance", "default"))
    if kind in ("pv", "wind"):  # one rule for both
        return _solar_itc(construction_start, in_service, rules)
    if kind == "battery":
        return _itc_by_year(rules.storage_itc_by_construction_year, construction_start.year)
    if kind == "nuclear":
        return _itc_by_year(rules.nuclear_itc_by_construction_year, construction_start.year)
    if kind == "fuel_cell":
        return rules.fuel_cell_itc_fraction if construction_start >= rules.fuel_cell_itc_from else 0.0
    if kind == "none":
        return 0.0
    raise InputError([unknown_name("kind", kind, CREDIT_KINDS)], "itc_fraction()")


def _solar_itc(construction_start: date, in_service: date, rules: Finance) -> float:
    """Full when begun in time and finished within the continuity years, or in service in time; else 0."""
    last_year = construction_start.year + rules.solar_itc_continuity_yr
    begun_in_time = construction_start <= rules.solar_itc_construction_by and in_service.year <= last_year
    in_time = begun_in_time or in_service <= rules.solar_itc_in_service_by
    return rules.solar_itc_fraction if in_time else 0.0


def _itc_by_year(table: tuple[tuple[float, float], ...], year: int) -> float:
    """Credit of the first listed year that is not before `year`; none after the last."""
    return next((share for last_year, share in table if year <= last_year), 0.0)
