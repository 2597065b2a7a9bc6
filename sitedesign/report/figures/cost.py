"""What the plant costs, by item."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sitedesign.report.figures.style import LIGHT, colours_of, figure, pretty, resource_style
from sitedesign.results.design import GAP_PARTS, Design
from sitedesign.results.evaluation import Evaluation

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

#: Cheaper items are rounding of the optimiser. [USD, USD/yr]
LEAST_USD = 1000.0
#: The part of the gap that lies inside the bound.
INSIDE = "integrality"


def cost_breakdown_data(result: Evaluation) -> pd.DataFrame:
    """Give the items that add up to the cost of the power plant and the spare racks, dearest first.

    Returns
    -------
    DataFrame
        Columns ``item, asset, kind, capital_usd, usd_per_yr, share``; items below `LEAST_USD` are left out.
        [USD, USD/yr]
    """
    table = result.cost_table()
    table = table[table["decided_by_optimiser"]].drop(columns="decided_by_optimiser")
    table = table[table[["usd_per_yr", "capital_usd"]].abs().max(axis=1) >= LEAST_USD]
    table["share"] = table["usd_per_yr"] / result.cost_usd_per_yr
    return table.sort_values("usd_per_yr", ascending=False, kind="stable").reset_index(drop=True)


def cost_breakdown(result: Evaluation) -> Figure:
    """Draw annual cost beside capital, item by item."""
    from plotly.graph_objects import Bar

    table = cost_breakdown_data(result).iloc[::-1]  # plotly draws upwards
    labels = [pretty(item) for item in table["item"]]
    colours = [_colour(asset, result) for asset in table["asset"]]
    fig = _panels(result, len(table))
    panels = (("usd_per_yr", "M USD/yr", 1), ("capital_usd", "M USD", 2))
    for column, unit, place in panels:
        millions = (table[column] / 1e6).tolist()
        text = [f"{value:,.1f}" for value in millions]
        if column == "usd_per_yr":
            text = [
                f"{value} ({share * 100:.0f} %)" for value, share in zip(text, table["share"], strict=True)
            ]
        fig.add_trace(
            Bar(
                x=[round(value, 4) for value in millions],
                y=labels,
                orientation="h",
                marker={"color": colours, "line": {"width": 0}},
                text=text,
                textposition="outside",
                cliponaxis=False,
                showlegend=False,
                hovertemplate=f"%{{y}}: %{{x:,.2f}} {unit}<extra></extra>",
            ),
            row=1,
            col=place,
        )
        right = max(millions, default=0.0) * (1.6 if place == 1 else 1.3) or 1
        left = min(millions, default=0.0)  # below zero is earned; its label needs room as well
        fig.update_xaxes(range=[left - 0.3 * right if left < 0 else 0, right], row=1, col=place)
    return fig


def gap_by_part_data(design: Design) -> pd.DataFrame:
    """Give what separates the cost of a certified design from the proven bound.

    Parameters
    ----------
    design : Design

    Returns
    -------
    DataFrame
        Columns ``part, usd_per_yr, from_usd_per_yr``: the bound, each part of the gap standing on those
        before it, and the design. A part that lies inside the bound is left out. [USD/yr]
    """
    parts = {GAP_PARTS.get(name, name): usd for name, usd in design.gap_parts.items() if name != INSIDE}
    rest = design.objective_usd_per_yr - design.bound_usd_per_yr - sum(parts.values())
    ordered = dict(reversed(parts.items()))  # nearest to the bound first
    if abs(rest) >= LEAST_USD:
        ordered["everything else"] = rest
    starts = design.bound_usd_per_yr + np.cumsum([0.0, *ordered.values()])[:-1]
    rows = [("proven bound", design.bound_usd_per_yr, 0.0)]
    rows += [(name, usd, start) for (name, usd), start in zip(ordered.items(), starts.tolist(), strict=True)]
    rows.append(("this design", design.objective_usd_per_yr, 0.0))
    return pd.DataFrame(rows, columns=["part", "usd_per_yr", "from_usd_per_yr"])


def gap_by_part(design: Design) -> Figure:
    """Draw the way from the bound to the cost of a certified design, part by part."""
    from plotly.graph_objects import Bar

    table = gap_by_part_data(design).iloc[::-1]
    ends = [table.index[0], table.index[-1]]
    fig = figure("From the bound to the certified cost [M USD/yr]", height_px=110 + 40 * len(table))
    fig.add_trace(
        Bar(
            x=(table["usd_per_yr"] / 1e6).round(4).tolist(),
            base=(table["from_usd_per_yr"] / 1e6).round(4).tolist(),
            y=table["part"].tolist(),
            orientation="h",
            marker={
                "color": [LIGHT["battery"] if row in ends else LIGHT["backup_1"] for row in table.index],
                "line": {"width": 0},
            },
            text=[
                f"{usd / 1e6:,.2f}" if row in ends else f"{usd / 1e6:+,.2f}"
                for row, usd in table["usd_per_yr"].items()
            ],
            textposition="outside",
            cliponaxis=False,
            showlegend=False,
            hovertemplate="%{y}: %{text} M USD/yr<extra></extra>",
        )
    )
    inside = design.gap_parts.get(INSIDE)
    note = "" if inside is None else f"Inside the bound: whole units {inside / 1e6:,.2f} M USD/yr. "
    fig.update_layout(hovermode="closest", bargap=0.35, meta={"note": note + GAP_NOTE})
    fig.update_xaxes(
        title_text="annual cost [M USD/yr]", range=[0, float(table["usd_per_yr"].max()) / 1e6 * 1.25]
    )
    fig.update_yaxes(ticks="", showgrid=False)
    return fig


GAP_NOTE = (
    "The bound is proven for a planner who knows all weather in advance and whose equipment never fails. "
    "Whole generator units are counted in it."
)


def _panels(result: Evaluation, bars: int) -> Figure:
    fig = figure(
        f"Cost of the power plant: {result.cost_usd_per_yr / 1e6:,.1f} M USD a year",
        height_px=120 + 34 * bars,
        cols=2,
        shared_yaxes=True,
        horizontal_spacing=0.04,
        subplot_titles=("annual cost [M USD/yr]", "capital, once [M USD]"),
    )
    fig.update_annotations(font={"size": 12, "color": LIGHT["muted"]})
    fig.update_xaxes(showticklabels=False, ticks="", showline=False, zeroline=False)
    fig.update_yaxes(ticks="", showgrid=False)
    # A phone has room for one panel
    fig.update_layout(hovermode="closest", bargap=0.35, meta={"wide_only": "x2"})
    return fig


def _colour(asset: str, result: Evaluation) -> str:
    own = {name: resource_style(number)[0] for number, name in enumerate(result.resources_mw)}
    own |= {"battery": LIGHT["battery"]}
    own |= {name: colour for name, (colour, _) in colours_of(list(result.backup)).items()}
    own |= dict.fromkeys(result.imports_mw, LIGHT["connection"])
    own |= dict.fromkeys(result.sinks_mw, LIGHT["mark"])
    return own.get(asset, LIGHT["racks"])
