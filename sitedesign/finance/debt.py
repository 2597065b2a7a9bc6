"""How much debt a project carries, when it is drawn, and what is paid on it every year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitedesign.finance.construction import MONTHS_PER_YEAR
from sitedesign.finance.project import Debt
from sitedesign.finance.returns import present_value

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Loan:
    """A debt as it is drawn and repaid.

    Attributes
    ----------
    drawn : ndarray, shape (years + 1,)
        At the end of each year from year 0 on. [USD]
    service, interest : ndarray, shape (years,)
        [USD]
    """

    drawn: FloatArray
    service: FloatArray
    interest: FloatArray

    @property
    def first_usd(self) -> float:
        """Drawn for what is placed in service first. [USD]"""
        return float(self.drawn[0])


def loan(debt: Debt | None, cash: FloatArray, capital: FloatArray, kept_usd: float) -> Loan:
    """Size a debt.

    Parameters
    ----------
    debt : Debt or None
    cash : ndarray, shape (years,)
        Available for its service. [USD]
    capital : ndarray, shape (years + 1,)
        Paid for assets at the end of each year from year 0 on. [USD]
    kept_usd : float
        Kept aside at the end of year 0 for expenses. [USD]

    Returns
    -------
    Loan

    Raises
    ------
    ValueError
        When fee and reserve of the debt alone are more than the debt.
    """
    years = cash.size
    if debt is None or not (debt.share or debt.dscr):
        return Loan(np.zeros(years + 1), np.zeros(years), np.zeros(years))
    uses = capital.copy()
    uses[0] += kept_usd + debt.closing_usd
    drawn, service = _sculpted(debt, cash, uses) if debt.dscr is not None else _by_share(debt, uses)
    return Loan(drawn, service, _interest(drawn, service, debt.rate))


def _sculpted(debt: Debt, cash: FloatArray, uses: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Pay what the cover leaves; draw as much as that repays, in the same share of all uses."""
    service = np.zeros(cash.size)
    service[: debt.tenor_yr] = np.maximum(cash[: debt.tenor_yr], 0.0) / (debt.dscr or 1.0)
    uses = np.where(np.arange(uses.size) < debt.tenor_yr, uses, 0.0)  # later ones nothing is left to repay
    size = present_value(service, debt.rate, 1)
    kept = _shared(debt, debt.most_share, uses, float(service[0]) / size if size else 0.0)
    most = present_value(kept, debt.rate)
    if size > most:
        return kept, service * (most / size)
    return kept * (size / most) if most else kept, service


def _by_share(debt: Debt, uses: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Draw a share of all uses and repay each drawing by itself."""
    assert debt.share is not None
    years = uses.size - 1
    drawn = _shared(debt, debt.share, uses, float(_service(debt, debt.tenor_yr)[0]))
    service = np.zeros(years)
    for year in np.flatnonzero(drawn):
        paid = _service(debt, min(debt.tenor_yr, years - int(year)))
        service[year : year + paid.size] += drawn[year] * paid
    return drawn, service


def _service(debt: Debt, tenor_yr: int) -> FloatArray:
    """Find what a dollar of debt asks every year."""
    if debt.repayment == "bullet":
        service = np.full(tenor_yr, debt.rate)
        service[-1] += 1.0
        return service
    return np.full(tenor_yr, 1.0 / np.sum((1.0 + debt.rate) ** -np.arange(1.0, tenor_yr + 1)))


def _shared(debt: Debt, share: float, uses: FloatArray, first_payment: float) -> FloatArray:
    """Debt that is a share of all that is financed, its own fee and first reserve among it. [USD]"""
    fee, reserve = debt.fee, debt.reserve_months / MONTHS_PER_YEAR * first_payment
    own = fee + reserve
    if share * own >= 1.0:
        message = (
            f"fee and reserve of the debt alone are {own:.2f} times the debt: no share of it pays for more"
        )
        raise ValueError(message)
    drawn = share * uses / (1.0 - share * fee)
    drawn[0] = share * uses[0] / (1.0 - share * own)
    return drawn


def _interest(drawn: FloatArray, service: FloatArray, rate: float) -> FloatArray:
    interest, balance, total = np.zeros(service.size), 0.0, float(drawn.sum())
    for year, paid in enumerate(service):
        balance += drawn[year]
        interest[year] = rate * balance if paid > 0 or balance > 1e-6 * total else 0.0
        balance += interest[year] - paid
    return interest
