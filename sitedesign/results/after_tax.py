"""Plants ranked by the price that pays for them after taxes, beside what annualised cost says."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sitedesign.finance.cash_flow import cash_flow_for_return
from sitedesign.finance.terms import Terms
from sitedesign.results.project_terms import equity_rate, owner_of, project_of, terms_of
from sitedesign.results.sized_plant import Financed
from sitedesign.study.study import Study

_SAME = 1e-6  # relative difference below which two figures are one


def price_for_return(plant: Financed, study: Study, terms: Terms | None = None) -> float:
    """Find the price of power at which a developer's equity earns what it asks for.

    Parameters
    ----------
    plant : Financed
        A design, an evaluation or a sized plant.
    study : Study
        Its own.
    terms : Terms, optional
        Those of the library when left out.

    Returns
    -------
    float
        In year 1; NaN where nothing is sold or built, or no price brings the return. [USD/MWh]
    """
    developer = owner_of("developer")
    whole = terms_of(terms or Terms(), developer, study)
    project = project_of(plant, study, developer, whole, 1.0)
    if plant.served_mwh_per_yr <= 0.0 or project.cost_usd <= 0.0:
        return math.nan
    try:
        found = cash_flow_for_return(project, equity_rate(developer, study.finance))
    except ValueError:
        return math.nan
    price = found.project.revenues[0].usd_per_unit
    return price[0] if isinstance(price, tuple) else price


def ranking_note(names: Sequence[str], annualised: Sequence[float], after_tax: Sequence[float]) -> str:
    """Say whether the price after taxes ranks plants other than annualised cost does.

    Parameters
    ----------
    names : sequence of str
        What each plant is called.
    annualised, after_tax : sequence of float
        Annualised cost, and price for the return, of each; NaN where there is none. [USD/MWh]

    Returns
    -------
    str
        The pair that parts most, where there is one.
    """
    rows = [
        row for row in zip(names, annualised, after_tax, strict=True) if not any(map(math.isnan, row[1:]))
    ]
    flips = [
        (max(b[1] / a[1], a[2] / b[2]), a, b)
        for a in rows
        for b in rows
        if a[1] < b[1] * (1 - _SAME) and a[2] > b[2] * (1 + _SAME)
    ]
    if len(rows) < 2:
        return ""
    if not flips:
        return f"Annualised cost and the price after taxes rank these {len(rows)} plants alike."
    _, cheap, dear = max(flips)
    pairs = "one pair" if len(flips) == 1 else f"{len(flips)} pairs"
    return (
        f"After taxes {pairs} of plants stand the other way round than annualised cost says: {dear[0]} needs "
        f"{dear[2]:,.2f} USD/MWh and {cheap[0]} {cheap[2]:,.2f}, though their annualised cost is "
        f"{dear[1]:,.2f} against {cheap[1]:,.2f}."
    )
