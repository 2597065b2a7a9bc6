"""A region's tariff from the numbers of the library."""

from __future__ import annotations

import numpy as np

from sitedesign.errors import Fault, InputError
from sitedesign.finance.billing_calendar import PLAIN_YEAR, Calendar, When, year_calendar
from sitedesign.finance.charges import CoincidentCharge, DemandCharge, EnergyCharge
from sitedesign.finance.tariff import Tariff
from sitedesign.library import RegionalTariff

MONTHS_PER_YEAR = 12


def regional_tariff(entry: RegionalTariff) -> Tariff:
    """Tariff of the plain shape that a library entry describes.

    Parameters
    ----------
    entry : RegionalTariff

    Returns
    -------
    Tariff
        Its energy price has the mean of the entry over a year, by hours.

    Raises
    ------
    InputError
        If the factors leave the hours between a price below zero.
    """
    months = list(range(entry.on_peak_first_month, entry.on_peak_last_month + 1))
    hours = [(entry.on_peak_from_h, entry.on_peak_to_h)]
    shaped = [
        ("on-peak", entry.on_peak_factor, When(months=months, days="weekdays", hours=hours)),
        ("night", entry.night_factor, When(hours=[(entry.night_from_h, entry.night_to_h)])),
        ("hours of sun", entry.solar_factor, When(hours=[(entry.solar_from_h, entry.solar_to_h)])),
    ]
    days = year_calendar(PLAIN_YEAR, 5, entry.holidays)
    rest = _rest_factor(shaped, days, entry)
    mean = entry.energy_usd_per_mwh
    energy = [EnergyCharge(name=name, usd_per_mwh=mean * factor, when=when) for name, factor, when in shaped]
    energy.append(EnergyCharge(name="other hours", usd_per_mwh=mean * rest))
    ratchet = {"ratchet": entry.ratchet_fraction} if entry.ratchet_fraction else {}
    ratchet |= {"lookback_months": entry.lookback_months} if ratchet else {}
    peak_hours = When(days="weekdays", hours=hours)
    others = [(entry.on_peak_to_h, entry.on_peak_from_h)] if hours[0] != (0, 24) else []
    demand = [
        DemandCharge(
            name=name,
            usd_per_kw_month=price,
            when=when,
            minimum_take=entry.minimum_take_fraction,
            **ratchet,
        )
        for name, price, when in (
            ("month's peak", entry.demand_usd_per_kw_month, When()),
            ("on-peak", entry.on_peak_demand_usd_per_kw_month, peak_hours),
            ("off-peak", entry.off_peak_demand_usd_per_kw_month, When(hours=others) if others else When()),
        )
        if price > 0
    ]
    return Tariff(
        name=entry.title,
        energy=energy,
        demand=demand,
        coincident=_coincident(entry, months),
        export=entry.export_usd_per_mwh,
        holidays=entry.holidays,
    )


def _rest_factor(shaped: list[tuple[str, float, When]], days: Calendar, entry: RegionalTariff) -> float:
    """Price of the hours that no part of the shape covers, over the mean of the year."""
    left = np.ones(days.steps, dtype=bool)
    paid = 0.0
    for _, factor, when in shaped:
        here = days.look_up(when.mask()) & left
        paid += factor * here.sum()
        left &= ~here
    rest = (days.steps - paid) / max(int(left.sum()), 1)
    if rest < 0 or not left.any():
        found = f"factors whose mean is {paid / days.steps:.3g} before the other hours are counted"
        allowed = "must leave the other hours a price of at least 0, for a mean of 1"
        raise InputError([Fault(f"tariff.{entry.name}.on_peak_factor", found, allowed)], entry.title)
    return float(rest)


def _coincident(entry: RegionalTariff, months: list[int]) -> list[CoincidentCharge]:
    if entry.coincident == "none":
        return []
    return [
        CoincidentCharge(
            usd_per_kw_yr=entry.coincident_usd_per_kw_month * MONTHS_PER_YEAR,
            when=When(months=months),
            peaks=entry.coincident_peaks,
            each_month=entry.coincident == "each_month",
        )
    ]
