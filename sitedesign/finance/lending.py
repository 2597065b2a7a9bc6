"""Terms filled from the library: the owner's debt at the curve of the day, taxes, inflation."""

from __future__ import annotations

from typing import Any

import numpy as np

from sitedesign import library
from sitedesign.finance.terms import Terms
from sitedesign.library import DebtTerms, Finance

OWN = "finance"  # debt terms that are those of the study's finance entry


def base_rate(debt: DebtTerms, finance: Finance, tenor_yr: float) -> float:
    """Rate that lenders without risk get for a tenor.

    Parameters
    ----------
    debt : DebtTerms
    finance : Finance
        Holder of the curve.
    tenor_yr : float
        [yr]

    Returns
    -------
    float
        [fraction/yr]
    """
    if debt.base == "overnight":
        return finance.overnight_rate
    tenors, rates = zip(*finance.treasury_rate_by_year, strict=True)
    return float(np.interp(tenor_yr, tenors, rates))


def whole_terms(terms: Terms, finance: Finance, debt: str = OWN) -> Terms:
    """Fill what was left out from the library.

    Parameters
    ----------
    terms : Terms
    finance : Finance
    debt : str
        Debt terms of the owner, by name in the library, or ``finance``.

    Returns
    -------
    Terms
        With nothing left out but what means something when it is: the cover of the debt, contract, market,
        augmentation, foreign entities, months of construction.
    """
    years = terms.years or finance.analysis_yr
    federal = min(finance.federal_tax_fraction, finance.tax_fraction)  # the combined rate may be set lower
    state = 1.0 - (1.0 - finance.tax_fraction) / (1.0 - federal)
    known = {
        "years": years,
        **_debt_of(terms, finance, terms.debt or debt, years),
        "federal_tax": federal,
        "state_tax": state,
        "bonus": finance.bonus_depreciation_fraction,
        "credit_price": finance.credit_transfer_price if terms.credits == "sold" else 1.0,
        "inflation": finance.inflation_per_yr,
    }
    said = {name: getattr(terms, name) for name in terms.model_fields_set}
    whole = known | {name: value for name, value in said.items() if value is not None}
    whole.setdefault("fuel_escalation", whole["inflation"])
    return Terms(**whole)


def _debt_of(terms: Terms, finance: Finance, name: str, years: int) -> dict[str, Any]:
    """Terms of a debt as if nothing was said of them."""
    if name == OWN:
        share = finance.debt_fraction if terms.debt_dscr is None else finance.debt_most_fraction
        return {
            "debt": name,
            "debt_share": share,
            "debt_rate": finance.debt_rate,
            "debt_tenor_yr": min(finance.debt_tenor_yr, years),
            "debt_repayment": "level",
            "debt_fee": finance.debt_fee_fraction,
            "reserve_months": finance.reserve_months,
        }
    entry = library.debt(name)
    cover = entry.dscr if terms.debt_share is None and terms.debt_dscr is None else terms.debt_dscr
    tenor = terms.debt_tenor_yr or min(entry.tenor_yr, years)
    found = {
        "debt": name,
        "debt_share": entry.debt_fraction if cover is None else entry.most_fraction,
        "debt_rate": base_rate(entry, finance, tenor) + entry.spread_per_yr,
        "debt_tenor_yr": tenor,
        "debt_repayment": "level" if cover is not None else entry.repayment,
        "debt_fee": entry.fee_fraction,
        "reserve_months": entry.reserve_months,
    }
    return found if cover is None else found | {"debt_dscr": cover}
