"""Which uncertain numbers move the cost, and how far: a tornado."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from sitedesign.report.figures.style import LIGHT, figure
from sitedesign.results.sensitivity import End, Influence, Sensitivity

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

#: Bars side by side: what moves less than the last of these is in the table.
MOST_BARS = 15
_LEAST_SHARE = 1e-4  # of the cost, below which a bar is a line
_M = 1e6
_SIDES = (("low", "lower end of the range", LIGHT["battery"]), ("high", "upper end", LIGHT["backup_1"]))


def tornado_data(sensitivity: Sensitivity) -> pd.DataFrame:
    """Give what both ends of each range change, largest first.

    Parameters
    ----------
    sensitivity : Sensitivity

    Returns
    -------
    DataFrame
        Columns ``number``; ``label``; ``confidence``; ``unit``; ``low``, ``high``, values of the ends;
        ``at_low_usd_per_yr``, ``at_high_usd_per_yr``, changes of the annual cost (NaN where there is none);
        ``basis``, what they are changes of: ``searched``, ``bound`` or ``judged``. Numbers that change
        nothing are left out.
    """
    least = _LEAST_SHARE * abs(sensitivity.cost_usd_per_yr)
    rows = [
        {
            "number": item.key,
            "label": item.label,
            "confidence": item.confidence,
            "unit": item.unit,
            "low": item.low.value,
            "high": item.high.value,
            "at_low_usd_per_yr": _change(item.low),
            "at_high_usd_per_yr": _change(item.high),
            "basis": _basis(item),
        }
        for item in sensitivity.numbers
        if item.swing_usd_per_yr >= least
    ]
    columns = ["number", "label", "confidence", "unit", "low", "high", "at_low_usd_per_yr"]
    return pd.DataFrame(rows, columns=[*columns, "at_high_usd_per_yr", "basis"])


def tornado(sensitivity: Sensitivity) -> Figure:
    """Draw what both ends of the ranges that matter most change of the annual cost."""
    from plotly.graph_objects import Bar

    table = tornado_data(sensitivity).head(MOST_BARS).iloc[::-1]
    fig = figure(
        "Change of the annual cost at both ends of each range [M USD/yr]", height_px=150 + 34 * len(table)
    )
    names = [f"{row.label} ({row.confidence})" for row in table.itertuples()]
    for side, words, colour in _SIDES:
        usd = table[f"at_{side}_usd_per_yr"].astype("float64")
        fig.add_trace(
            Bar(
                x=[None if math.isnan(value) else round(value / _M, 4) for value in usd],
                y=names,
                name=words,
                orientation="h",
                marker={"color": colour, "line": {"width": 0}},
                customdata=list(zip(table[side], table["unit"], table["basis"], strict=True)),
                hovertemplate="%{y} at %{customdata[0]:.4g} %{customdata[1]}: %{x:+,.2f} M USD/yr "
                "(%{customdata[2]})<extra></extra>",
            )
        )
    fig.update_layout(barmode="overlay", bargap=0.3, hovermode="closest", meta={"note": _note(sensitivity)})
    fig.update_xaxes(title_text="change of the annual cost", zeroline=True, zerolinecolor=LIGHT["ink"])
    fig.update_yaxes(ticks="", showgrid=False)
    return fig


def _change(end: End) -> float:
    usd = end.change_usd_per_yr
    return math.nan if usd is None else usd


def _basis(item: Influence) -> str:
    if any(end.certified_usd_per_yr is not None for end in item.ends):
        return "searched"
    return "judged" if any(end.worth_usd_per_yr for end in item.ends) else "bound"


def _note(sensitivity: Sensitivity) -> str:
    none = [item.label for item in sensitivity.numbers if any(end.impossible for end in item.ends)]
    impossible = f" At one end of {', '.join(none)} no plant is possible." if none else ""
    if not sensitivity.certified_on:
        return f"Changes of the proven bound: foresight, nothing fails.{impossible}"
    return (
        "The largest are of plants that were searched and certified anew; the others of what the certified "
        "plant then keeps and costs, lost compute at the marginal cost of uptime, or of the proven bound "
        f"where another plan gains more.{impossible}"
    )
