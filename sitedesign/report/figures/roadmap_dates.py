"""A roadmap's orders on dates drawn at random: racks by month, what is left, and which date decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sitedesign.report.figures.roadmap import month_tick, month_title, shown_months
from sitedesign.report.figures.style import LIGHT, figure, pretty, soft
from sitedesign.results.sampled_dates import SampledDates, quantiles

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from sitedesign.results.roadmap import Roadmap

_MOST_BINS, _BESIDE = 40, 1.1


def roadmap_racks_on_dates_data(roadmap: Roadmap) -> pd.DataFrame:
    """Give racks by month on the dates drawn and as planned.

    Returns
    -------
    DataFrame
        Index ``month``; columns ``p10, p50, p90`` (:meth:`SampledDates.racks_table`) and ``planned``; empty
        where no dates were drawn.
    """
    if roadmap.sampled is None:
        return pd.DataFrame(columns=["p10", "p50", "p90", "planned"]).rename_axis("month")
    table = roadmap.sampled.racks_table()
    return table.assign(planned=roadmap.month_table()["racks_running"].reindex(table.index, fill_value=0))


def roadmap_racks_on_dates(roadmap: Roadmap) -> Figure:
    """Draw how many racks run by month on the dates drawn, beside what the plan has running."""
    from plotly.graph_objects import Scatter

    table = roadmap_racks_on_dates_data(roadmap)
    end = _until(table, shown_months(roadmap))
    table = table.loc[:end]
    months = table.index.tolist()
    fig = figure("Racks that run, on dates drawn at random", height_px=360)
    edge = {"width": 0, "shape": "hv"}
    band = soft(LIGHT["racks"], 0.45)
    lines = (
        ("p10", "90 % of the draws have at least", edge, None),
        ("p90", "10 % of the draws have at least", edge, "tonexty"),
        ("p50", "half of the draws", {"width": 2.5, "shape": "hv", "color": LIGHT["connection"]}, None),
        ("planned", "planned", {"width": 2, "shape": "hv", "dash": "dot", "color": LIGHT["ink"]}, None),
    )
    for column, name, line, filled in lines:
        fig.add_trace(
            Scatter(x=months, y=table[column].tolist(), name=name, mode="lines", line=line, fill=filled,
                    fillcolor=band if filled else None, showlegend=filled is None and column != "p10",
                    hovertemplate="%{y:,.0f}"),
        )  # fmt: skip
    fig.add_trace(
        Scatter(x=[None], y=[None], name="80 % of the draws", mode="markers", hoverinfo="skip",
                marker={"symbol": "square", "size": 12, "color": band}),
    )  # fmt: skip
    drawn = roadmap.sampled
    fig.update_layout(meta={"note": "" if drawn is None else _in_time(drawn)})
    fig.update_yaxes(title_text="racks", rangemode="tozero")
    fig.update_xaxes(title_text=month_title(roadmap), range=[0, end], dtick=month_tick(end))
    return fig


def _until(table: pd.DataFrame, shown: int) -> int:
    """Months until nothing changes any more on nearly all dates, and a tenth more."""
    changes = table.ne(table.shift()).any(axis=1)
    last = max((int(month) for month in table.index[changes]), default=0)
    return max(shown, min(round(last * _BESIDE), int(table.index.max()) if len(table) else shown))


def _in_time(drawn: SampledDates) -> str:
    held = [
        f"{stage.racks:,} racks in month {stage.begins_month:g} with {stage.probability:.0%}"
        for stage in drawn.stages
    ]
    return f"{drawn.samples} draws. In time are {', '.join(held)}." if held else f"{drawn.samples} draws."


def roadmap_value_on_dates_data(roadmap: Roadmap) -> pd.DataFrame:
    """Count how often the plan leaves so much on the dates drawn.

    Returns
    -------
    DataFrame
        Columns ``from_usd, to_usd, draws``: value less cost, costs below zero where racks have no price; at
        most 40 bins of one width, empty where no dates were drawn. [USD]
    """
    values = () if roadmap.sampled is None else roadmap.sampled.net_present_value_usd
    if not values:
        return pd.DataFrame({"from_usd": [], "to_usd": [], "draws": []})
    bins = min(_MOST_BINS, 2 * round(len(values) ** 0.5))
    draws, edges = np.histogram(np.asarray(values), bins=bins)
    return pd.DataFrame({"from_usd": edges[:-1], "to_usd": edges[1:], "draws": draws})


def roadmap_value_on_dates(roadmap: Roadmap) -> Figure:
    """Draw what the orders leave on the dates drawn, and what each date does alone."""
    from plotly.graph_objects import Bar

    table = roadmap_value_on_dates_data(roadmap)
    priced = roadmap.value_usd_per_rack_month is not None
    fig = figure("What is left on these dates, and which date decides", height_px=360, cols=2,
                 horizontal_spacing=0.16, column_widths=[0.55, 0.45])  # fmt: skip
    low, high = table["from_usd"] / 1e6, table["to_usd"] / 1e6
    fig.add_trace(
        Bar(x=((low + high) / 2).round(4).tolist(), y=table["draws"].tolist(), showlegend=False,
            width=(high - low).round(4).tolist(), customdata=[[a, b] for a, b in zip(low, high, strict=True)],
            marker={"color": LIGHT["battery"], "line": {"width": 1, "color": LIGHT["paper"]}},
            hovertemplate="%{customdata[0]:,.1f} to %{customdata[1]:,.1f} M USD: %{y} draws<extra></extra>"),
        row=1, col=1,
    )  # fmt: skip
    note = ""
    if (drawn := roadmap.sampled) is not None:
        note = _marked(fig, drawn, int(table["draws"].max()), priced=priced)
        effects = list(reversed(drawn.effects))
        size = [e.loss_usd / 1e6 if priced else e.rack_months_late for e in effects]
        said = [f"{e.p10_months:.3g} / {e.p50_months:.3g} / {e.p90_months:.3g}" for e in effects]
        fig.add_trace(
            Bar(x=[round(x, 4) for x in size], y=[pretty(e.technology) for e in effects], orientation="h",
                showlegend=False, customdata=said, text=[f"{x:,.0f}" for x in size], textposition="auto",
                marker={"color": LIGHT["backup_1"], "line": {"width": 0}},
                hovertemplate="%{y}: %{x:,.1f}<br>in month %{customdata} (10 / 50 / 90 %)<extra></extra>"),
            row=1, col=2,
        )  # fmt: skip
    fig.update_layout(bargap=0.4, hovermode="closest", meta={"wide_only": "x2", "note": note})
    left = "value less cost, net present [M USD]" if priced else "less cost, net present [M USD]"
    fig.update_xaxes(title_text=left, row=1, col=1)
    fig.update_yaxes(title_text="draws", rangemode="tozero", row=1, col=1)
    alone = "costs alone, on average [M USD]" if priced else "makes late alone, on average [rack-months]"
    fig.update_xaxes(title_text=alone, zeroline=True, row=1, col=2)
    fig.update_yaxes(ticks="", showgrid=False, row=1, col=2)
    return fig


def _marked(fig: Figure, drawn: SampledDates, top: int, *, priced: bool) -> str:
    """Mark the plan and the mean of the draws; say both, with the quantiles, in a note."""
    from plotly.graph_objects import Scatter

    planned, mean = drawn.planned_net_present_value_usd / 1e6, drawn.expected_usd / 1e6
    for name, at, dash in (("as planned", planned, "dot"), ("mean of the draws", mean, "solid")):
        fig.add_trace(
            Scatter(x=[round(at, 4)] * 2, y=[0, top], name=name, mode="lines",
                    line={"color": LIGHT["ink"], "width": 2, "dash": dash},
                    hovertemplate=f"{name}: %{{x:,.1f}} M USD<extra></extra>"),
            row=1, col=1,
        )  # fmt: skip
    ends = " / ".join(f"{usd / 1e6:,.0f}" for usd in quantiles(drawn.net_present_value_usd))
    money = f"{mean:,.0f} M USD on average, {planned:,.0f} as planned; {ends} at 10 / 50 / 90 % of the draws."
    decides = "" if drawn.deciding is None else f" The date of {pretty(drawn.deciding)} decides."
    return ("" if priced else "Costs count below zero. ") + money + decides
