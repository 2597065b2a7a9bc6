"""How far sizes, units, months and CO2 may go while the cost stays near the least."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sitedesign.report.figures.style import LIGHT, figure
from sitedesign.results.near_optimal import Alternatives, NearPlant
from sitedesign.util.words import target

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure

_ROW_PX = 62


def nearly_as_good_data(found: Alternatives) -> pd.DataFrame:
    """Lowest and highest of each quantity among the plants, and that of the optimum.

    Parameters
    ----------
    found : Alternatives

    Returns
    -------
    DataFrame
        Columns ``quantity``, ``unit``, ``low``, ``least_cost``, ``high``; none whose highest is nothing.
    """
    import pandas as pd

    plants, rows = (found.least, *found.plants), []
    for name, unit, of in _QUANTITIES:
        values = [of(item) for item in plants]
        rows.append((name, unit, min(values), values[0], max(values)))
    table = pd.DataFrame(rows, columns=["quantity", "unit", "low", "least_cost", "high"])
    return table[table["high"] > 0].reset_index(drop=True)


def nearly_as_good(found: Alternatives) -> Figure:
    """Draw for each quantity the span that plants within the cost take up, and where the optimum lies.

    Parameters
    ----------
    found : Alternatives

    Returns
    -------
    Figure
        One bar a quantity, as a share of the largest; values at its ends.
    """
    table = nearly_as_good_data(found)
    names = list(table["quantity"])
    drawn = figure(
        f"What may vary for up to {target(found.within)} more than the least cost",
        height_px=130 + _ROW_PX * len(table),
    )
    low, at = table["low"] / table["high"], table["least_cost"] / table["high"]
    drawn.add_bar(
        x=list(1 - low), base=list(low), y=names, orientation="h", width=0.3,
        marker={"color": LIGHT["battery"]}, name="plants within the cost", hoverinfo="skip",
    )  # fmt: skip
    drawn.add_scatter(
        x=list(at), y=names, mode="markers+text", name="least cost", text=_texts(table, "least_cost"),
        marker={"color": LIGHT["ink"], "size": 12, "symbol": "diamond"}, textposition="top center",
        hoverinfo="skip", cliponaxis=False,
    )  # fmt: skip
    for column, at_x, side in (("low", low, "middle left"), ("high", low * 0 + 1, "middle right")):
        drawn.add_scatter(
            x=list(at_x), y=names, mode="text", text=_texts(table, column), textposition=side, name=column,
            textfont={"color": LIGHT["muted"]}, showlegend=False, hoverinfo="skip", cliponaxis=False,
        )  # fmt: skip
    drawn.update_xaxes(range=[-0.14, 1.2], tickformat=".0%", title_text="share of the largest")
    drawn.update_yaxes(autorange="reversed")
    note = (
        "Each end is reached by a plant of its own, not all together. With perfect foresight and nothing "
        "failing: bounds, exact by the cuts of the optimiser."
    )
    drawn.update_layout(hovermode=False, meta={"note": note})
    return drawn


def _texts(table: pd.DataFrame, column: str) -> list[str]:
    return [f"{value:,.0f} {unit}".rstrip() for value, unit in zip(table[column], table["unit"], strict=True)]


def _solar(item: NearPlant) -> float:
    return item.resources_mw.get("solar", 0.0)


_QUANTITIES = (
    ("sun", "MWdc", _solar),
    ("battery", "MWh", lambda item: item.battery_mwh),
    ("units", "", lambda item: float(item.units)),
    ("first power", "months", lambda item: item.months_to_power),
    ("CO2", "t/yr", lambda item: item.co2_t_per_yr),
)
