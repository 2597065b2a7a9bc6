"""What a planner needs of a tariff: the price of the next MWh in each step, charges by MW and year."""

from __future__ import annotations

import numpy as np

from sitedesign.finance.bill import charge_of_step, coincident_windows
from sitedesign.finance.billing_calendar import Calendar, FloatArray
from sitedesign.finance.charges import KW_PER_MW, usd_per_kw
from sitedesign.finance.tariff import Tariff


def demand_usd_per_mw_yr(tariff: Tariff) -> float:
    """Demand charges of a year on one MW that is drawn in every month's peak. [USD/MW-yr]

    No import within the contracted power is charged more for demand.
    """
    return KW_PER_MW * sum(usd_per_kw(charge, month) for charge in tariff.demand for month in charge.months)


def coincident_usd_per_mwh(tariff: Tariff, days: Calendar, system_load: FloatArray | None) -> FloatArray:
    """Price coincident peaks in each step as expected, before it is known which of them count.

    Each of a charge's candidates is one of the peaks with equal chance: what is drawn there costs its share
    of the charge, and one MW drawn in all of them costs all of it.

    Returns
    -------
    ndarray, shape (steps,)
        [USD/MWh]
    """
    adder = np.zeros(days.steps)
    for charge in tariff.coincident:
        known = charge.windows is not None
        windows = coincident_windows(charge, days, system_load, candidates=1 if known else charge.candidates)
        steps = sum(len(window) for window in windows)
        for window in windows:
            adder[window] += KW_PER_MW * charge.usd_per_kw_yr / steps / days.step_h
    return adder


def energy_usd_per_mwh(
    tariff: Tariff, days: Calendar, mw: float, hourly_usd_per_mwh: FloatArray | None = None
) -> FloatArray:
    """Price of one more MWh in each step.

    Parameters
    ----------
    tariff : Tariff
    days : Calendar
    mw : float
        Power at which tiers are looked up: the tier that it reaches when drawn all month. [MW]
    hourly_usd_per_mwh : ndarray, shape (steps,), optional
        Of a tariff with hourly prices.

    Returns
    -------
    ndarray, shape (steps,)
        [USD/MWh]
    """
    mine = charge_of_step(tariff.energy, days)
    price = np.zeros(days.steps) if hourly_usd_per_mwh is None else hourly_usd_per_mwh.copy()
    for number, charge in enumerate(tariff.energy):
        here = mine == number
        starts, prices = np.array(charge.prices).T
        most_mwh = np.bincount(days.month, here * mw * days.step_h)
        reached = np.searchsorted(starts, most_mwh, side="left") - 1
        price[here] += prices[np.maximum(reached, 0)][days.month[here]]
    return price


def least_usd_per_mwh(
    tariff: Tariff, days: Calendar, hourly_usd_per_mwh: FloatArray | None = None
) -> FloatArray:
    """Lowest price that energy may have in each step, whatever tier it falls into. [USD/MWh]"""
    mine = charge_of_step(tariff.energy, days)
    lowest = np.array([*(min(price for _, price in item.prices) for item in tariff.energy), 0.0])
    price: FloatArray = lowest[mine]
    return price if hourly_usd_per_mwh is None else price + hourly_usd_per_mwh


def export_price(tariff: Tariff, days: Calendar) -> FloatArray:
    """Price of power fed in, in each step; 0 where nothing is paid. [USD/MWh]"""
    mine = charge_of_step(tariff.export, days)
    paid = np.array([*(item.usd_per_mwh or 0.0 for item in tariff.export), 0.0])
    price: FloatArray = paid[mine]
    return price
