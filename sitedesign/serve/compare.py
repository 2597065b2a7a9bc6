"""Designs side by side: a table of figures and bars of cost."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from sitedesign.api.compare import compare
from sitedesign.api.design import Design
from sitedesign.report.content import uptime_text
from sitedesign.report.figures.style import LIGHT, figure, pretty
from sitedesign.results.evaluation import CostItem
from sitedesign.results.grid_result import GridResult
from sitedesign.util.words import target

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

#: Groups of cost in the order in which they are stacked, with their colour.
GROUPS = {
    "solar": LIGHT["solar"],
    "wind": LIGHT["wind"],
    "battery": LIGHT["battery"],
    "backup": LIGHT["backup_1"],
    "fuel": LIGHT["backup_2"],
    "connection": LIGHT["backup_3"],
    "tariff": LIGHT["connection"],
    "revenue": LIGHT["mark"],
    "spare racks": LIGHT["racks"],
    "other": LIGHT["curtailed"],
}


def table(designs: Mapping[str, Design]) -> pd.DataFrame:
    """Give the figures of some designs as text.

    Parameters
    ----------
    designs : mapping of str to Design
        By label.

    Returns
    -------
    DataFrame
        A row per figure, a column per design.
    """
    found = pd.DataFrame({label: _figures(design) for label, design in designs.items()})
    prices = after_tax(designs)
    found.loc["Power after tax"] = [f"{price:,.1f} USD/MWh" for price in prices["price_usd_per_mwh"]]
    return found


def after_tax(designs: Mapping[str, Design]) -> pd.DataFrame:
    """Rank designs by annualised cost and after taxes; ``attrs["note"]`` says whether both agree."""
    return compare(designs)


_UNITS = {"solar": "MWdc"}


def _figures(design: Design) -> dict[str, str]:
    standing = [f"{units} × {pretty(name)}" for name, units in design.backup.items() if units]
    certified = design.certificate
    cost = design.cost / 1e6
    return {
        "Uptime is": "a bound" if certified is None else ("certified" if certified.met else "NOT certified"),
        "Uptime": uptime_text(design.uptime),
        "Target": target(design.uptime_target),
        "Cost of the plant": f"{cost:,.3g} M USD/yr" if cost < 10 else f"{cost:,.1f} M USD/yr",
        "Power": f"{design.lcoe_usd_per_mwh:,.1f} USD/MWh",
        "Capital": f"{design.capital_usd / 1e6:,.0f} M USD",
        **{
            pretty(r).capitalize(): f"{mw:,.1f} {_UNITS.get(r, 'MW')}"
            for r, mw in design.resources_mw.items()
        },
        "Battery": f"{design.battery_mwh:,.1f} MWh, {design.battery_mw:,.1f} MW",
        "Backup": ", ".join(standing) or "none",
        **({} if design.grid is None else {"Grid": _grid(design.grid)}),
        "Racks": f"{design.racks:,} for {design.racks_contracted:,}",
        "Without backup": f"{design.renewable_share * 100:.1f} % of the load",
        "Land": f"{design.land_acres:,.0f} acres",
        "First power": f"{design.months_to_power:.0f} months",
        "CO2": f"{design.co2_t_per_yr:,.0f} t/yr",
    }


def _grid(grid: GridResult) -> str:
    sold = f", {grid.sale_mwh_per_yr / 1e3:,.0f} GWh/yr sold" if grid.sale_mw else ""
    return f"{grid.contracted_mw:,.1f} MW, {grid.import_mwh_per_yr / 1e3:,.0f} GWh/yr drawn{sold}"


def cost_groups(designs: Mapping[str, Design]) -> pd.DataFrame:
    """Give the annual cost of the power plant and the spare racks by group.

    Returns
    -------
    DataFrame
        A row per group of `GROUPS`, a column per design; columns add up to the design's cost. [USD/yr]
    """
    columns = {
        label: pd.Series(
            [item.usd_per_yr for item in design.costs],
            index=[_group(item, design) for item in design.costs],
        )
        .groupby(level=0)
        .sum()
        for label, design in designs.items()
    }
    return pd.DataFrame(columns).reindex(list(GROUPS)).fillna(0.0)


def _group(item: CostItem, design: Design) -> str:
    """Group of an item of cost; what the backup burns is apart from what it costs to stand there."""
    if item.kind in GROUPS:
        return item.kind
    if item.asset == "racks":
        return "spare racks"
    if item.asset in design.backup:
        return "backup"
    if item.asset in design.resources_mw:
        return "solar" if item.asset == "solar" else "wind"
    if item.asset in design.imports_mw or item.asset in design.sinks_mw:
        return "connection" if item.asset in design.imports_mw or item.asset == "sale" else "other"
    return item.asset if item.asset in GROUPS else "other"


def cost_bars(designs: Mapping[str, Design]) -> Figure:
    """Draw the annual cost of designs beside each other, by group."""
    from plotly.graph_objects import Bar

    table = cost_groups(designs) / 1e6
    labels = [html.escape(label) for label in table.columns]  # plotly reads tags in labels
    fig = figure("Annual cost of the power plant [M USD/yr]", height_px=140 + 44 * len(labels))
    for group, row in table.iterrows():
        if row.abs().max() < 1e-3:
            continue
        fig.add_trace(
            Bar(
                x=[round(value, 4) for value in row],
                y=labels,
                name=str(group),
                orientation="h",
                marker={"color": GROUPS[str(group)], "line": {"width": 0}},
                hovertemplate=f"%{{y}}, {group}: %{{x:,.2f}} M USD/yr<extra></extra>",
            )
        )
    fig.update_layout(barmode="relative", hovermode="closest", bargap=0.35)
    fig.update_yaxes(autorange="reversed", ticks="", showgrid=False)
    fig.update_xaxes(showgrid=True, gridcolor=LIGHT["grid"], rangemode="tozero")
    return fig
