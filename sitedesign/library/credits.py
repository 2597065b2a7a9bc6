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


@takes(
    "production_credit_usd_per_mwh()",
    kind=TEXT,
    construction_start=_DAY,
    in_service=_DAY,
    finance=Kind((Finance,), "must be a sitedesign.library.Finance"),
)
def production_credit_usd_per_mwh(
    kind: str, construction_start: date, in_service: date, finance: Finance | None = None
) -> float:
    """Production tax credit that may be taken instead of the investment credit (26 USC 45Y).

    Parameters
    ----------
    kind, construction_start, in_service, finance
        As for :func:`itc_fraction`.

    Returns
    -------
    float
        In the first year; nothing for what is neither solar nor wind. [USD/MWh]

    Raises
    ------
    InputError
        For an unknown kind.
    """
    rules = finance or cast(Finance, entry("finance", "default"))
    if kind not in CREDIT_KINDS:
        raise InputError([unknown_name("kind", kind, CREDIT_KINDS)], "production_credit_usd_per_mwh()")
    if kind not in ("pv", "wind") or not _in_time(construction_start, in_service, rules):
        return 0.0
    return rules.production_credit_usd_per_mwh


@takes(
    "least_share_of_no_foreign_entity()",
    kind=TEXT,
    construction_start=_DAY,
    finance=Kind((Finance,), "must be a sitedesign.library.Finance"),
)
def least_share_of_no_foreign_entity(
    kind: str, construction_start: date, finance: Finance | None = None
) -> float:
    """Least share of the cost that may come from no prohibited foreign entity, for any credit at all.

    Parameters
    ----------
    kind, construction_start, finance
        As for :func:`itc_fraction`.

    Returns
    -------
    float
        0 where construction began before the rule. [fraction]

    Raises
    ------
    InputError
        For an unknown kind.
    """
    rules = finance or cast(Finance, entry("finance", "default"))
    if kind not in CREDIT_KINDS:
        raise InputError([unknown_name("kind", kind, CREDIT_KINDS)], "least_share_of_no_foreign_entity()")
    if kind == "none" or construction_start < rules.foreign_entity_from:
        return 0.0
    if kind == "battery":
        table = rules.foreign_entity_storage_by_construction_year
    else:
        table = rules.foreign_entity_facility_by_construction_year
    return next((share for year, share in table if construction_start.year <= year), table[-1][1])


def _solar_itc(construction_start: date, in_service: date, rules: Finance) -> float:
    return rules.solar_itc_fraction if _in_time(construction_start, in_service, rules) else 0.0


def _in_time(construction_start: date, in_service: date, rules: Finance) -> bool:
    """Begun in time and finished within the continuity years, or in service in time."""
    last_year = construction_start.year + rules.solar_itc_continuity_yr
    begun_in_time = construction_start <= rules.solar_itc_construction_by and in_service.year <= last_year
    return begun_in_time or in_service <= rules.solar_itc_in_service_by


def _itc_by_year(table: tuple[tuple[float, float], ...], year: int) -> float:
    """Credit of the first listed year that is not before `year`; none after the last."""
    return next((share for last_year, share in table if year <= last_year), 0.0)
