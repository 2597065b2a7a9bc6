"""The site drawn to scale: how much land, and for what."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from sitedesign import library
from sitedesign.finance.annual_cost import HOURS_PER_YEAR
from sitedesign.report.figures.style import LIGHT, figure
from sitedesign.results.design import Design
from sitedesign.results.evaluation import Evaluation

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

M2_PER_ACRE = 4046.8564224
#: A 20-foot container (ISO 668: 6.058 m x 2.438 m) with 10 ft to its neighbours, the clearance that NFPA 855
#: asks between outdoor battery units and anything exposed; fire lanes left out. [m2]
CONTAINER_M2 = (6.058 + 3.048) * (2.438 + 3.048)
_ASPECT = 2.0  # width over depth of the array


def site_plan_data(result: Evaluation) -> pd.DataFrame:
    """Give the parts of the site as rectangles of the right area; where they stand is only a picture.

    Returns
    -------
    DataFrame
        Columns ``part, what, acres, x_m, y_m, width_m, depth_m``: array (from the library's power density),
        battery containers with clearances, data halls with yard and roads (from the library's allowance).
    """
    halls_acres = _hall_acres_per_mw(result) * result.it_mwh_per_yr / HOURS_PER_YEAR
    battery_acres = result.battery_containers * CONTAINER_M2 / M2_PER_ACRE
    backup = ", ".join(f"{units} × {name}" for name, units in result.backup.items() if units)
    parts = [
        (*_resources(result), result.land_acres, _ASPECT),
        (
            "halls, yard and roads",
            f"{result.racks:,} racks" + (f"; {backup}" if backup else ""),
            halls_acres,
            1.0,
        ),
        ("battery", f"{result.battery_containers:,} containers", battery_acres, 1.0),
    ]
    rows = []
    x_m = 0.0
    gap = 0.03 * math.sqrt(sum(part[2] for part in parts) * M2_PER_ACRE)
    for part, what, acres, aspect in parts:
        if acres <= 0:
            continue
        width = math.sqrt(acres * M2_PER_ACRE * aspect)
        rows.append((part, what, acres, x_m, 0.0, width, acres * M2_PER_ACRE / width))
        x_m += width + gap
    return pd.DataFrame(rows, columns=["part", "what", "acres", "x_m", "y_m", "width_m", "depth_m"])


def _resources(result: Evaluation) -> tuple[str, str]:
    """Say what stands on the land of sun and wind."""
    units = {"solar": "MWdc"}
    built = [f"{mw:,.0f} {units.get(name, f'MW {name}')}" for name, mw in result.resources_mw.items()]
    return "array" if len(built) == 1 else "array and wind", ", ".join(built)


def site_plan(result: Evaluation) -> Figure:
    """Draw the site to scale."""
    from plotly.graph_objects import Scatter

    table = site_plan_data(result)
    fig = figure(f"Site to scale: {table['acres'].sum():,.0f} acres", height_px=420)
    colours = {"battery": LIGHT["battery"], "halls, yard and roads": LIGHT["racks"]}
    for row in table.to_dict("records"):
        left, low = row["x_m"], row["y_m"]
        right, high = left + row["width_m"], low + row["depth_m"]
        fig.add_trace(
            Scatter(
                x=[round(x, 1) for x in (left, right, right, left, left)],
                y=[round(y, 1) for y in (low, low, high, high, low)],
                fill="toself",
                mode="lines",
                line={"color": LIGHT["ink"], "width": 0.5},
                fillcolor=colours.get(row["part"], LIGHT["solar"]),
                name=f"{row['part']}: {_acres(row['acres'])}",
                text=f"{row['part']}: {_acres(row['acres'])}, {row['what']}",
                hoverinfo="text",
                hoveron="fills",
            )
        )
    bar = 10 ** math.floor(math.log10(max(table["width_m"].max(), 10.0)))
    below = -0.06 * table["depth_m"].max()
    fig.add_trace(
        Scatter(
            x=[0, bar],
            y=[below, below],
            mode="lines+text",
            text=["", f"  {bar:,.0f} m"],
            textposition="middle right",
            line={"color": LIGHT["ink"], "width": 4},
            showlegend=False,
            hoverinfo="skip",
        ),
    )
    fig.update_xaxes(visible=False)
    fig.update_yaxes(visible=False, scaleanchor="x", scaleratio=1)
    fig.update_layout(hovermode="closest", meta={"note": NOTE}, legend={"orientation": "v", "y": 1.02})
    return fig


NOTE = (
    "Areas are to scale, places are not a layout. Array and halls from the library's land allowances; "
    "battery containers with 10 ft between them; backup units stand in the yard."
)


def _acres(acres: float) -> str:
    return f"{acres:,.0f} acres" if acres >= 10 else f"{acres:.1f} acres"


def _hall_acres_per_mw(result: Evaluation) -> float:
    if isinstance(result, Design):
        return float(result.study["facility"]["hall_acres_per_mw"])
    return library.facility("dry_cooler").hall_acres_per_mw
