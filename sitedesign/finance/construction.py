"""Construction month by month: what is drawn for which asset, interest, fee, and who pays it until then."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitedesign.finance.project import Asset, Construction, Project

FloatArray = NDArray[np.float64]
MONTHS_PER_YEAR = 12


@dataclass(frozen=True, eq=False)
class Schedule:
    """Payments of a construction, period by period of about a month.

    Attributes
    ----------
    months : ndarray, shape (periods,)
        End of each period after the order. [months]
    draws : mapping of str to ndarray, shape (periods,)
        Paid for each asset. [USD]
    interest : ndarray, shape (periods,)
        On half of what the loan gives in the period and on all that it gave before. [USD]
    fee_usd : float
        Paid with the order. [USD]
    loan : ndarray, shape (periods,)
        Given by the loan for the assets: their cost times `loan_share`. [USD]
    """

    months: FloatArray
    draws: Mapping[str, FloatArray]
    interest: FloatArray
    fee_usd: float
    loan: FloatArray

    @property
    def spent(self) -> FloatArray:
        """Paid for all assets. [USD]"""
        total: FloatArray = np.sum(list(self.draws.values()), axis=0)
        return total

    @property
    def finance_usd(self) -> float:
        """Interest and fee. [USD]"""
        return float(self.interest.sum()) + self.fee_usd

    @property
    def equity(self) -> FloatArray:
        """Paid by owners for the assets while the plant is built. [USD]"""
        return self.spent - self.loan


def schedule(assets: tuple[Asset, ...], terms: Construction) -> Schedule:
    """Lay the payments of a construction out.

    Parameters
    ----------
    assets : tuple of Asset
    terms : Construction

    Returns
    -------
    Schedule
        Of as many equal periods as months begin; of one where nothing takes any time.
    """
    periods = max(math.ceil(terms.months - 1e-9), 1)
    length = terms.months / periods
    draws: dict[str, FloatArray] = {}
    for asset in assets:
        paid = asset.cost_usd * _shares(asset, terms, periods, length)
        draws[asset.name] = draws.get(asset.name, 0.0) + paid
    loan = terms.loan_share * np.sum(list(draws.values()), axis=0) if draws else np.zeros(periods)
    rate = terms.rate * length / MONTHS_PER_YEAR
    interest, balance = np.zeros(periods), 0.0
    for period, given in enumerate(loan):
        interest[period] = rate * (balance + given / 2)
        balance += given + (interest[period] if terms.compound else 0.0)
    return Schedule(
        months=length * np.arange(1.0, periods + 1),
        draws=draws,
        interest=interest,
        fee_usd=terms.fee * float(loan.sum()),
        loan=loan,
    )


def _shares(asset: Asset, terms: Construction, periods: int, length: float) -> FloatArray:
    """Share of an asset that each period pays."""
    if terms.draws == "delivery" and asset.delivered_month is not None:
        shares = np.zeros(periods)
        last = periods - 1
        soon = asset.delivered_month < terms.months
        delivered = min(math.floor(asset.delivered_month / length), last) if soon else last
        shares[0] += terms.deposit
        shares[delivered] += 1.0 - terms.deposit
        return shares
    ends = np.linspace(0.0, 1.0, periods + 1)
    done = ends**2 * (3.0 - 2.0 * ends) if terms.draws == "s_curve" else ends
    return np.diff(done)


def construction_usd(project: Project) -> float:
    """Interest and fees until all of a plant is finished. [USD]"""
    return schedule(project.assets, project.construction).finance_usd
