"""The cash of a project by year, and what the price of what it sells is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sitedesign.finance.returns import present_value
from sitedesign.report.figures.style import LIGHT, figure, pretty

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from sitedesign.results.cash_flow import CashFlow

_M = 1e6
_LEAST_SHARE = 5e-3  # of the price, below which a step is added to the others of its kind
#: Parts of a year's cash in the order in which they are stacked, with colour and hatching.
PARTS = {
    "revenue": (LIGHT["solar"], ""),
    "credits and tax returned": (LIGHT["wind"], ""),
    "debt drawn": (LIGHT["racks"], ""),
    "expenses": (LIGHT["backup_1"], ""),
    "put aside for replacements": (LIGHT["backup_3"], "/"),
    "debt service": (LIGHT["battery"], ""),
    "taxes": (LIGHT["backup_2"], ""),
    "reserves": (LIGHT["curtailed"], ""),
    "capital paid by owners": (LIGHT["connection"], ""),
}


def cash_by_year_data(flow: CashFlow) -> pd.DataFrame:
    """Give what comes in and goes out each year, and what is left to the owners.

    Parameters
    ----------
    flow : CashFlow

    Returns
    -------
    DataFrame
        Indexed by year; a column for each of `PARTS`, which add up to ``after_tax``, and ``total``, that of
        all years so far. [USD]
    """
    lines, at = flow.lines, 1 - flow.first_year
    paid = np.where(np.arange(lines["after_tax"].size) < at, lines["pretax"] + -lines["debt_service"], 0.0)
    tax = lines["federal_tax"] + lines["state_tax"]
    parts = {
        "revenue": lines["revenue"],
        "credits and tax returned": lines["investment_credit"]
        + lines["production_credit"]
        + np.maximum(tax, 0.0),
        "debt drawn": lines["later_debt"],
        "expenses": lines["expenses"],
        "put aside for replacements": lines["replacement_reserve"],
        "debt service": lines["debt_service"],
        "taxes": np.minimum(tax, 0.0),
        "reserves": np.where(paid != 0.0, 0.0, lines["reserve_interest"] + lines["reserve_release"]),
        "capital paid by owners": lines["later_capital"] + paid,
    }
    years = pd.Index(range(flow.first_year, flow.project.years + 1), name="year")
    frame = pd.DataFrame(parts, index=years)
    return frame.assign(after_tax=lines["after_tax"], total=np.cumsum(lines["after_tax"]))


def cash_by_year(flow: CashFlow) -> Figure:
    """Draw the cash of each year, and how much owners have back."""
    from plotly.graph_objects import Bar, Scatter

    table = cash_by_year_data(flow)
    fig = figure("Cash by year, after taxes [M USD]", height_px=460)
    for name, (colour, pattern) in PARTS.items():
        if not table[name].any():
            continue
        marker = {"color": colour, "line": {"width": 0}, "pattern": {"shape": pattern}}
        fig.add_trace(Bar(x=table.index.tolist(), y=_millions(table[name]), name=name, marker=marker,
                          hovertemplate="%{y:,.1f}"))  # fmt: skip
    for name, title, dash in (
        ("after_tax", "left to owners", "solid"),
        ("total", "of all years so far", "dot"),
    ):
        line = {"color": LIGHT["ink"], "width": 2, "dash": dash}
        fig.add_trace(Scatter(x=table.index.tolist(), y=_millions(table[name]), name=title, line=line,
                              mode="lines", hovertemplate="%{y:,.1f}"))  # fmt: skip
    back = "never" if flow.payback_yr is None else f"after {flow.payback_yr:.1f} years of operation"
    note = f"What goes out is below zero. Owners have their money back {back}, undiscounted."
    # The legend below: nine parts would cover the years
    fig.update_layout(barmode="relative", bargap=0.2, meta={"note": note}, margin={"b": 120})
    fig.update_layout(legend={"y": -0.18, "yanchor": "top"})
    fig.update_xaxes(title_text="year of operation", dtick=1 if len(table) <= 16 else 2)
    fig.update_yaxes(title_text="M USD a year", zeroline=True, zerolinecolor=LIGHT["muted"])
    return fig


def price_waterfall_data(flow: CashFlow) -> pd.DataFrame:
    """Give what the levelised price of what is sold pays for, step by step.

    Each step is the worth of a line over that of what is sold, both at the owners' nominal discount rate; to
    owners goes their capital, with its return, and what they gain beyond it.

    Parameters
    ----------
    flow : CashFlow

    Returns
    -------
    DataFrame
        Columns ``step, usd_per_unit, from_usd_per_unit``: each step stands on those before it, the last is
        the levelised price. [USD per unit]
    """
    rate, at = flow.project.discount_nominal, 1 - flow.first_year
    units = present_value(flow.lines["amount"][at:], rate, 1)

    def worth(name: str) -> float:
        """Worth of a line of the years of operation, for each unit."""
        return present_value(flow.lines[name][at:], rate, 1) / units

    first, *others = (stream.name for stream in flow.project.revenues)
    steps = {item.name: -worth(item.name) for item in flow.project.expenses}
    steps |= {name: -worth(name) for name in ("insurance", "property_tax") if name in flow.lines}
    steps = _together(steps, _LEAST_SHARE * worth(first))
    steps |= {
        "replacements": -worth("replacement_reserve"),
        "debt service": -worth("debt_service"),
        "taxes": -worth("federal_tax") - worth("state_tax"),
        "tax credits": -worth("investment_credit") - worth("production_credit"),
        "later stages, less their debt": -worth("later_capital") - worth("later_debt"),
        "reserves returned and their interest": -worth("reserve_release") - worth("reserve_interest"),
        "sold beside it": -sum(worth(name) for name in (*others, "salvage") if name in flow.lines),
        "capital of owners with its return": -present_value(flow.after_tax[:at], rate, flow.first_year)
        / units,
        "gain of owners" if flow.npv_usd >= 0 else "loss of owners": flow.npv_usd / units,
    }
    kept = {name: usd for name, usd in steps.items() if abs(usd) >= _LEAST_SHARE * worth(first)}
    dropped = sum(steps.values()) - sum(kept.values())
    if kept:
        last = next(reversed(kept))
        kept[last] += dropped
    starts = np.cumsum([0.0, *kept.values()])[:-1]
    rows = [(name, usd, start) for (name, usd), start in zip(kept.items(), starts.tolist(), strict=True)]
    rows.append(("levelised price", worth(first), 0.0))
    return pd.DataFrame(rows, columns=["step", "usd_per_unit", "from_usd_per_unit"])


def _together(steps: dict[str, float], least: float) -> dict[str, float]:
    """Add small steps up."""
    large = {name: usd for name, usd in steps.items() if abs(usd) >= 5 * least}
    rest = sum(steps.values()) - sum(large.values())
    return large | ({"other expenses": rest} if rest else {})


def price_waterfall(flow: CashFlow) -> Figure:
    """Draw what the levelised price pays for, from the first expense to the owners."""
    from plotly.graph_objects import Bar

    table = price_waterfall_data(flow).iloc[::-1]  # plotly draws upwards
    last = table.index[0]
    fig = figure(
        f"What the price pays for [USD/{flow.unit}, levelised, nominal]", height_px=110 + 30 * len(table)
    )
    colours = [
        LIGHT["battery"] if row == last else LIGHT["wind"] if usd < 0 else LIGHT["backup_1"]
        for row, usd in table["usd_per_unit"].items()
    ]
    digits = 2 if table["usd_per_unit"].max() < 20 else 1
    fig.add_trace(
        Bar(
            x=table["usd_per_unit"].round(6).tolist(),
            base=table["from_usd_per_unit"].round(6).tolist(),
            y=[pretty(step) for step in table["step"]],
            orientation="h",
            marker={"color": colours, "line": {"width": 0}},
            text=[
                f"{usd:,.{digits}f}" if row == last else f"{usd:+,.{digits}f}"
                for row, usd in table["usd_per_unit"].items()
            ],
            textposition="outside",
            cliponaxis=False,
            showlegend=False,
            hovertemplate="%{y}: %{text}<extra></extra>",
        )
    )
    ends = table["from_usd_per_unit"] + table["usd_per_unit"]
    right = max(float(ends.max()), float(table["from_usd_per_unit"].max())) * 1.15
    left = min(float(ends.min()), 0.0) * 1.3
    note = (
        f"Worth of each line over that of what is sold, at {flow.project.discount_nominal * 100:.1f} %. The "
        f"levelised price is that of all years; that of year 1 is {flow.price:,.2f} USD/{flow.unit}."
    )
    fig.update_layout(hovermode="closest", bargap=0.35, meta={"note": note})
    fig.update_xaxes(title_text=f"USD/{flow.unit}", range=[left, right])
    fig.update_yaxes(ticks="", showgrid=False)
    return fig


def _millions(values: pd.Series) -> list[float]:
    rounded: list[float] = (values / _M).round(4).tolist()
    return rounded
