"""Designs side by side, by annualised cost and by the price that pays for them after taxes."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from sitedesign.errors import Fault, InputError
from sitedesign.finance.terms import Terms
from sitedesign.results.after_tax import price_for_return, ranking_note
from sitedesign.results.design import Design
from sitedesign.results.saved import rebuilt_study
from sitedesign.util.gate import Kind, takes


@takes(
    "compare()",
    designs=Kind((Mapping,), "must be designs by a name of your own", 'For example {"a": design}.'),
    terms=Kind((Terms,), "must be a sitedesign.Terms", "For example terms=sd.Terms(debt_dscr=1.3)."),
)
def compare(designs: Mapping[str, Design], *, terms: Terms | None = None) -> pd.DataFrame:
    """Rank designs by annualised cost and by the price of power at which equity earns its return.

    Parameters
    ----------
    designs : mapping of str to Design
        By a name of your own.
    terms : Terms, optional
        Those of each study's library entry when left out.

    Returns
    -------
    DataFrame
        A row a design: ``cost_usd_per_yr``, ``capital_usd``, ``lcoe_usd_per_mwh`` (annualised),
        ``price_usd_per_mwh`` (in year 1, after taxes), ``rank_annualised``, ``rank_after_tax``. Its
        ``attrs["note"]`` says whether both rank alike.

    Raises
    ------
    InputError
        If something else than a design is among them.

    Examples
    --------
    >>> table = sd.compare({"as is": design, "with a battery": with_battery})
    >>> table["rank_annualised"].tolist()
    [1, 2]
    """
    faults = [
        Fault(f"designs[{name!r}]", type(item).__name__, "must be a Design, as sd.solve() gives it")
        for name, item in designs.items()
        if not isinstance(item, Design)
    ]
    if not designs:
        faults = [Fault("designs", "none", "at least one is needed")]
    if faults:
        raise InputError(faults, "compare()")
    rows = {
        str(name): {
            "cost_usd_per_yr": item.cost_usd_per_yr,
            "capital_usd": item.capital_usd,
            "lcoe_usd_per_mwh": item.lcoe_usd_per_mwh,
            "price_usd_per_mwh": price_for_return(item, rebuilt_study(item), terms),
        }
        for name, item in designs.items()
    }
    table = pd.DataFrame.from_dict(rows, orient="index")
    table["rank_annualised"] = table["lcoe_usd_per_mwh"].rank(method="min").astype(int)
    table["rank_after_tax"] = table["price_usd_per_mwh"].rank(method="min", na_option="bottom").astype(int)
    names = [str(name) for name in table.index]
    table.attrs["note"] = ranking_note(
        names, table["lcoe_usd_per_mwh"].tolist(), table["price_usd_per_mwh"].tolist()
    )
    return table
