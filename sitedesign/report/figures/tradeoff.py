"""Designs against each other: panels for batteries, the next nine, less and less backup.

The tables come from sweeps; needed columns are named at each function, others are ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sitedesign.errors import Fault, InputError
from sitedesign.report.figures.series import HOURS_PER_YEAR
from sitedesign.report.figures.style import LIGHT, SEQUENTIAL, figure, soft
from sitedesign.results.evaluation import Evaluation

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
_NINES = (0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99999)


def panels_against_batteries_data(table: pd.DataFrame) -> pd.DataFrame:
    """Give panels, batteries, uptime and cost, with the cost above the cheapest of the same uptime.

    Parameters
    ----------
    table : DataFrame
        Columns ``solar_mw, battery_mwh, cost_usd_per_yr, uptime``: either curves (a few values of uptime,
        several plants each) or a full grid of panels and batteries. [MWdc, MWh, USD/yr, fraction]

    Returns
    -------
    DataFrame
        The same columns and ``above_cheapest``, sorted by uptime and panels. [fraction]

    Raises
    ------
    InputError
        If a column is missing or the table is empty.
    """
    needed = ["solar_mw", "battery_mwh", "cost_usd_per_yr", "uptime"]
    out = _columns(table, needed).sort_values(["uptime", "solar_mw", "battery_mwh"], kind="stable")
    cheapest = (
        out["cost_usd_per_yr"].min()
        if _is_grid(out)
        else out.groupby("uptime")["cost_usd_per_yr"].transform("min")
    )
    out["above_cheapest"] = out["cost_usd_per_yr"] / cheapest - 1
    return out.reset_index(drop=True)


def panels_against_batteries(table: pd.DataFrame, design: Evaluation | None = None) -> Figure:
    """Draw lines of equal uptime over panels and batteries with their cost, the chosen design marked."""
    data = panels_against_batteries_data(table)
    fig = figure("Panels against batteries at equal uptime", height_px=460)
    if _is_grid(data):
        _grid(fig, data)
    else:
        _curves(fig, data)
    if design is not None:
        _chosen(fig, design.solar_mw, design.battery_mwh, "this design")
    fig.update_xaxes(title_text="solar array [MWdc]", hoverformat=",.0f")
    fig.update_yaxes(title_text="battery [MWh]", hoverformat=",.0f")
    fig.update_layout(hovermode="closest")
    return fig


def cost_of_next_nine_data(table: pd.DataFrame) -> pd.DataFrame:
    """Give cost by uptime target.

    Parameters
    ----------
    table : DataFrame
        Columns ``uptime, cost_usd_per_yr``, and ``bound_usd_per_yr``, units and certified plants where known.
        [fraction, USD/yr]

    Returns
    -------
    DataFrame
        Sorted by uptime, with ``nines`` (3 for 0.999), ``lost_h_per_yr`` and ``more_usd_per_yr``, the cost
        above the row before.

    Raises
    ------
    InputError
        If a column is missing, the table is empty, or an uptime is not below 1.
    """
    wanted = ["bound_usd_per_yr", *_built(table)]
    out = _columns(table, ["uptime", "cost_usd_per_yr"], wanted).sort_values("uptime", kind="stable")
    if not (out["uptime"] < 1).all():
        raise InputError([Fault("uptime", f"{out['uptime'].max():g}", "must be below 1")], "the figure")
    out["nines"] = -np.log10(1 - out["uptime"])
    out["lost_h_per_yr"] = (1 - out["uptime"]) * HOURS_PER_YEAR
    out["more_usd_per_yr"] = out["cost_usd_per_yr"].diff()
    return out.reset_index(drop=True)


def cost_of_next_nine(table: pd.DataFrame, design: Evaluation | None = None) -> Figure:
    """Draw annual cost against the uptime target; each unit of the axis is one more nine."""
    data = cost_of_next_nine_data(table)
    fig = figure("Cost of the next nine [M USD/yr]", height_px=380)
    hover = [
        f"{uptime:.6g}: {cost / 1e6:,.2f} M USD/yr, {hours:,.2g} h lost a year"
        for uptime, cost, hours in zip(
            data["uptime"], data["cost_usd_per_yr"], data["lost_h_per_yr"], strict=True
        )
    ]
    _cost_line(fig, data, "nines", hover)
    if design is not None:
        _chosen(
            fig,
            float(-np.log10(1 - (design.uptime_target or design.uptime.value))),
            design.cost_usd_per_yr / 1e6,
            "this design",
        )
    least, most = data["nines"].min(), data["nines"].max()
    ticks = [value for value in _NINES if least - 0.2 <= -np.log10(1 - value) <= most + 0.2]
    fig.update_xaxes(
        tickvals=[float(-np.log10(1 - value)) for value in ticks],
        ticktext=[f"{value * 100:.6g} %" for value in ticks],
        title_text="uptime target",
    )
    fig.update_yaxes(title_text="cost [M USD/yr]")
    return fig


def renewable_frontier_data(table: pd.DataFrame) -> pd.DataFrame:
    """Give cost by least renewable share.

    Parameters
    ----------
    table : DataFrame
        Columns ``min_renewable_share, cost_usd_per_yr``, and ``bound_usd_per_yr``, units and certified plants
        where known. [fraction, USD/yr]

    Returns
    -------
    DataFrame
        Sorted by share, with ``above_cheapest``. [fraction]

    Raises
    ------
    InputError
        If a column is missing or the table is empty.
    """
    wanted = ["bound_usd_per_yr", "solar_mw", "battery_mwh", *_built(table)]
    out = _columns(table, ["min_renewable_share", "cost_usd_per_yr"], wanted)
    out = out.sort_values("min_renewable_share", kind="stable").reset_index(drop=True)
    out["above_cheapest"] = out["cost_usd_per_yr"] / out["cost_usd_per_yr"].min() - 1
    return out


def renewable_frontier(table: pd.DataFrame, design: Evaluation | None = None) -> Figure:
    """Draw annual cost against the least share of the load that backup must not serve."""
    data = renewable_frontier_data(table)
    fig = figure("Cost of less backup [M USD/yr]", height_px=380)
    data["percent"] = data["min_renewable_share"] * 100
    hover = [
        f"{share:.1f} %: {cost / 1e6:,.2f} M USD/yr (+{above:.1%})"
        for share, cost, above in zip(
            data["percent"], data["cost_usd_per_yr"], data["above_cheapest"], strict=True
        )
    ]
    _cost_line(fig, data, "percent", hover)
    if design is not None:
        _chosen(fig, design.renewable_share * 100, design.cost_usd_per_yr / 1e6, "this design")
    fig.update_xaxes(title_text="load served without backup, at least", ticksuffix=" %")
    fig.update_yaxes(title_text="cost [M USD/yr]")
    return fig


def _columns(table: pd.DataFrame, needed: list[str], wanted: list[str] | None = None) -> pd.DataFrame:
    faults = [
        Fault(f"table.{name}", "nothing", f"is needed; the table has {', '.join(map(str, table.columns))}")
        for name in needed
        if name not in table
    ]
    if not faults and table[needed].dropna().empty:
        faults.append(Fault("table", "no complete row", "must have at least one"))
    if faults:
        raise InputError(faults, "the figure")
    names = needed + [name for name in wanted or [] if name in table]
    return table[names].dropna(subset=needed).copy()


def _is_grid(table: pd.DataFrame) -> bool:
    solar, battery = table["solar_mw"].nunique(), table["battery_mwh"].nunique()
    return solar > 1 and battery > 1 and len(table) == solar * battery


def _grid(fig: Figure, data: pd.DataFrame) -> None:
    from plotly.graph_objects import Contour

    uptime = data.pivot(index="battery_mwh", columns="solar_mw", values="uptime")
    cost = data.pivot(index="battery_mwh", columns="solar_mw", values="cost_usd_per_yr") / 1e6
    axes = {"x": uptime.columns.tolist(), "y": uptime.index.tolist()}
    fig.add_trace(
        Contour(
            **axes,
            z=cost.round(3).to_numpy().tolist(),
            colorscale=SEQUENTIAL,
            reversescale=True,
            opacity=0.55,
            contours={"coloring": "fill", "showlines": True},
            line={"width": 0.5},
            name="cost",
            colorbar={"title": {"text": "M USD/yr", "side": "right"}, "thickness": 12, "outlinewidth": 0},
            hovertemplate="%{x:,.0f} MWdc, %{y:,.0f} MWh<br>%{z:,.1f} M USD/yr<extra></extra>",
        ),
    )
    nines = -np.log10(np.maximum(1 - uptime.to_numpy(), 1e-7))
    levels = [value for value in _NINES if nines.min() <= -np.log10(1 - value) <= nines.max()]
    for number, value in enumerate(levels):
        level = float(-np.log10(1 - value))
        fig.add_trace(
            Contour(
                **axes,
                z=nines.round(4).tolist(),
                showscale=False,
                name=f"uptime {value * 100:.6g} %",
                showlegend=True,
                hoverinfo="skip",
                line={"color": LIGHT["ink"], "width": 2.5, "dash": _DASHES[number % 5]},
                contours={"coloring": "none", "start": level, "end": level, "size": 1},
            ),
        )


def _curves(fig: Figure, data: pd.DataFrame) -> None:
    from plotly.graph_objects import Scatter

    several = data["uptime"].nunique() > 1
    limits = {
        "cmin": float(data["cost_usd_per_yr"].min() / 1e6),
        "cmax": float(data["cost_usd_per_yr"].max() / 1e6),
    }
    for number, (uptime, part) in enumerate(data.groupby("uptime")):
        text = [
            f"{uptime:.6g}: {cost / 1e6:,.2f} M USD/yr (+{above:.1%})"
            for cost, above in zip(part["cost_usd_per_yr"], part["above_cheapest"], strict=True)
        ]
        scale = {
            "colorbar": {"title": {"text": "M USD/yr", "side": "right"}, "thickness": 12, "outlinewidth": 0}
        }
        fig.add_trace(
            Scatter(
                x=part["solar_mw"].round(2).tolist(),
                y=part["battery_mwh"].round(2).tolist(),
                text=text,
                name=f"uptime {float(str(uptime)) * 100:.6g} %",
                showlegend=several,
                mode="lines+markers",
                line={"color": LIGHT["muted"], "width": 1.5, "dash": _DASHES[number % 5]},
                marker={
                    "size": 10,
                    "color": (part["cost_usd_per_yr"] / 1e6).round(3).tolist(),
                    **limits,
                    "colorscale": SEQUENTIAL,
                    "reversescale": True,
                    "line": {"width": 1, "color": LIGHT["ink"]},
                    **(scale if number == 0 else {}),
                },
                hovertemplate="%{x:,.0f} MWdc, %{y:,.0f} MWh<br>%{text}<extra></extra>",
            ),
        )


def _cost_line(fig: Figure, data: pd.DataFrame, x: str, hover: list[str]) -> None:
    from plotly.graph_objects import Scatter

    places = data[x].round(5).tolist()
    if "bound_usd_per_yr" in data:
        fig.add_trace(
            Scatter(
                x=places,
                y=(data["bound_usd_per_yr"] / 1e6).round(4).tolist(),
                name="proven lower bound",
                mode="lines",
                line={"color": soft(LIGHT["muted"], 0.8), "width": 1.5, "dash": "dot"},
                hoverinfo="skip",
            ),
        )
    certified = "certified_cost_usd_per_yr" in data
    fig.add_trace(
        Scatter(
            x=places,
            y=(data["cost_usd_per_yr"] / 1e6).round(4).tolist(),
            name="cost with foresight" if certified else "cost",
            mode="lines+markers+text",
            line={"color": LIGHT["battery"], "width": 2},
            marker={"size": 7},
            text=_units(data, "units_"),
            textposition="bottom center",
            textfont={"size": 10, "color": LIGHT["muted"]},
            customdata=hover,
            hovertemplate="%{customdata}<extra></extra>",
        ),
    )
    if certified:
        usd = (data["certified_cost_usd_per_yr"] / 1e6).astype("float64").round(4)
        fig.add_trace(
            Scatter(
                x=places,
                y=[None if cost != cost else cost for cost in usd],
                name="certified",
                mode="lines+markers+text",
                line={"color": LIGHT["mark"], "width": 2, "dash": "dash"},
                marker={"size": 9, "symbol": "diamond"},
                text=_units(data, "certified_units_"),
                textposition="top center",
                textfont={"size": 10, "color": LIGHT["mark"]},
                hovertemplate="certified: %{y:,.2f} M USD/yr<extra></extra>",
            ),
        )
    fig.update_layout(hovermode="closest")


def _built(table: pd.DataFrame) -> list[str]:
    """Columns of units and of certified plants."""
    return [str(name) for name in table.columns if str(name).startswith(("units_", "certified_"))]


def _units(data: pd.DataFrame, prefix: str) -> list[str]:
    """Write at each point how many units of each technology are built."""
    names = [name for name in data.columns if str(name).startswith(prefix)]
    return [
        "<br>".join(
            f"{row[name]:.0f} {str(name).removeprefix(prefix).replace('_', ' ')}"
            for name in names
            if row[name] == row[name] and row[name] > 0
        )
        for row in data[names].to_dict("records")
    ]


def _chosen(fig: Figure, x: float, y: float, name: str) -> None:
    from plotly.graph_objects import Scatter

    fig.add_trace(
        Scatter(
            x=[round(x, 4)],
            y=[round(y, 4)],
            mode="markers",
            name=name,
            hoverinfo="name",
            marker={
                "symbol": "star",
                "size": 18,
                "color": LIGHT["mark"],
                "line": {"width": 1, "color": LIGHT["ink"]},
            },
        ),
    )
