"""How much is lost, in which years, from which causes, and how sure that is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sitedesign.reliability.certificate import Certificate, cause_words
from sitedesign.reliability.estimate import Estimate
from sitedesign.report.figures.series import HOURS_PER_YEAR, series
from sitedesign.report.figures.style import LIGHT, figure, percent
from sitedesign.results.design import Design
from sitedesign.results.evaluation import OPERATION_LABELS, Evaluation

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

#: Smallest loss shown on a logarithmic axis: half a minute a year. [h/yr]
LEAST_H = 0.01
#: Most simulated years drawn side by side: more could not be told apart.
MOST_YEARS = 200


def uptime_by_year_data(result: Evaluation) -> pd.DataFrame:
    """Give what each weather year loses.

    Returns
    -------
    DataFrame
        Columns ``year``; ``uptime`` (broken racks included); ``power_lost_h`` and ``racks_lost_h``,
        full-load hours
        lost to missing power and to broken racks that spares do not cover; ``shed_mwh``. [fraction, h/yr,
        MWh/yr]
    """
    data = series(result)
    lost = data.annual_mwh("lost_mw") / data.annual_mwh("load_mw")
    broken = np.minimum(result.rack_shortfall, 1 - lost)  # no more is lost than there is
    return pd.DataFrame(
        {
            "year": data.years,
            "uptime": 1 - lost - broken,
            "power_lost_h": lost * HOURS_PER_YEAR,
            "racks_lost_h": broken * HOURS_PER_YEAR,
            "shed_mwh": data.annual_mwh("shed_mw"),
        }
    )


def uptime_by_year(result: Evaluation) -> Figure:
    """Draw the full-load hours lost in each weather year against the hours that the target allows."""
    from plotly.graph_objects import Bar, Scatter

    table = uptime_by_year_data(result)
    fig = figure("Hours of full load lost, by weather year [h/yr]", height_px=320)
    bars = (
        ("power_lost_h", "missing power", LIGHT["backup_1"]),
        ("racks_lost_h", "broken racks beyond the spares", LIGHT["racks"]),
    )
    for column, name, colour in bars:
        fig.add_trace(
            Bar(
                x=[name.removeprefix("year ") for name in table["year"]],
                y=table[column].round(4).tolist(),
                name=name,
                marker={"color": colour, "line": {"width": 0}},
                hovertemplate="%{y:,.2f} h",
            ),
        )
    allowed = (1 - result.uptime_target) * HOURS_PER_YEAR
    fig.add_trace(
        Scatter(
            x=[name.removeprefix("year ") for name in table["year"]],
            y=[round(allowed, 5)] * len(table),
            name=f"allowed on average: {allowed:,.3g} h",
            mode="lines" if len(table) > 1 else "markers",
            line={"color": LIGHT["ink"], "width": 1.5, "dash": "dash"},
            hovertemplate="%{y:,.3g} h",
        )
    )
    note = f"Operated with {OPERATION_LABELS[result.operation]}."
    fig.update_layout(barmode="stack", bargap=0.3, meta={"note": note})
    fig.update_xaxes(type="category", title_text="weather year")
    top = max(float((table["power_lost_h"] + table["racks_lost_h"]).max()), allowed)
    fig.update_yaxes(title_text="full-load hours lost", range=[0, top * 1.12])
    return fig


def certified_by_year_data(certificate: Certificate) -> pd.DataFrame:
    """Give what each simulated year of a certificate lost, worst first.

    Parameters
    ----------
    certificate : Certificate

    Returns
    -------
    DataFrame
        Columns ``weather_year`` and ``draw`` (of outages), counted from 1; ``uptime`` (broken racks
        included); ``power_lost_h`` and ``racks_lost_h`` as in :func:`uptime_by_year_data`; empty for a
        certificate that kept no years. [fraction, h/yr]
    """
    lost_h = np.array(certificate.power_lost_h_by_year)
    year, draw = np.divmod(np.arange(lost_h.size), certificate.draws)
    table = pd.DataFrame({"weather_year": year + 1, "draw": draw + 1, "power_lost_h": lost_h})
    table["racks_lost_h"] = _racks_lost_h(certificate)
    table["uptime"] = 1 - (table["power_lost_h"] + table["racks_lost_h"]) / HOURS_PER_YEAR
    order = ["weather_year", "draw", "uptime", "power_lost_h", "racks_lost_h"]
    return table[order].sort_values("power_lost_h", ascending=False, kind="stable").reset_index(drop=True)


def certified_by_year(certificate: Certificate) -> Figure:
    """Draw the full-load hours lost in the simulated years of a certificate that lost most, worst first."""
    from plotly.graph_objects import Bar, Scatter

    every = certified_by_year_data(certificate)
    spared = int((every["power_lost_h"] <= LEAST_H).sum())
    table = every.head(min(max(len(every) - spared, 1), MOST_YEARS))
    count = len(table)
    fig = figure(
        f"Hours of full load lost in the worst of {len(every):,} simulated years [h/yr]", height_px=320
    )
    places = list(range(1, count + 1))
    bars = (
        ("power_lost_h", "missing power", LIGHT["backup_1"]),
        ("racks_lost_h", "broken racks beyond the spares", LIGHT["racks"]),
    )
    for column, name, colour in bars:
        fig.add_trace(
            Bar(
                x=places,
                y=table[column].round(4).tolist(),
                name=name,
                customdata=table[["weather_year", "draw"]].to_numpy().tolist(),
                marker={"color": colour, "line": {"width": 0}},
                hovertemplate="weather year %{customdata[0]}, draw %{customdata[1]}: %{y:,.2f} h",
            )
        )
    allowed = (1 - certificate.target) * HOURS_PER_YEAR
    fig.add_trace(
        Scatter(
            x=[0.5, count + 0.5],
            y=[round(allowed, 5)] * 2,
            name=f"allowed on average: {allowed:,.3g} h",
            mode="lines",
            line={"color": LIGHT["ink"], "width": 1.5, "dash": "dash"},
            hoverinfo="skip",
        )
    )
    lost = len(every) - spared
    which = f" The {count} worst of the {lost:,} others are shown." if lost > count else ""
    note = f"{spared:,} of the {len(every):,} simulated years lose nothing to missing power.{which}"
    top = max(float((table["power_lost_h"] + table["racks_lost_h"]).max()), allowed)
    fig.update_layout(barmode="stack", bargap=0.1, meta={"note": note})
    fig.update_xaxes(title_text="simulated years, worst first", range=[0.5, count + 0.5])
    fig.update_yaxes(title_text="full-load hours lost", range=[0, top * 1.12])
    return fig


def uptime_by_cause_data(certificate: Certificate) -> pd.DataFrame:
    """Give what each cause takes of the load.

    Parameters
    ----------
    certificate : Certificate

    Returns
    -------
    DataFrame
        Columns ``cause``; ``share`` of all that is lost and its standard ``error`` (NaN where unknown);
        ``lost_h_per_yr``, the same in full-load hours; ``seen``: whether the effect is beyond two standard
        errors of zero; largest first. Shares add up to 1. ``weather`` is what is lost even when nothing
        fails. [fraction, h/yr]
    """
    lost_h = (1 - certificate.metrics.rack.value) * HOURS_PER_YEAR
    errors = [certificate.cause_errors.get(cause, math.nan) for cause in certificate.causes]
    table = pd.DataFrame({"cause": list(certificate.causes), "share": list(certificate.causes.values())})
    table["error"] = np.array(errors, dtype=np.float64)
    table["lost_h_per_yr"] = table["share"] * lost_h
    table["seen"] = ~(table["share"].abs() <= 2 * table["error"])
    return table.sort_values("share", ascending=False, kind="stable").reset_index(drop=True)


def uptime_by_cause(certificate: Certificate) -> Figure:
    """Draw what each cause takes of the load."""
    from plotly.graph_objects import Bar

    table = uptime_by_cause_data(certificate).iloc[::-1]
    fig = figure("Hours of full load lost, by cause [h/yr]", height_px=110 + 32 * len(table))
    text = [
        f"{share * 100:.0f} %" if seen else f"none seen (error {error * 100:.1g} %)"
        for share, error, seen in zip(table["share"], table["error"], table["seen"], strict=True)
    ]
    drawn = table["lost_h_per_yr"].where(table["seen"], 0.0)
    fig.add_trace(
        Bar(
            x=drawn.round(5).tolist(),
            y=[cause_words(cause) for cause in table["cause"]],
            orientation="h",
            marker={"color": LIGHT["backup_1"], "line": {"width": 0}},
            text=text,
            textposition="outside",
            cliponaxis=False,
            showlegend=False,
            hovertemplate="%{y}: %{x:,.3g} h a year, %{text}<extra></extra>",
        )
    )
    longest = float(drawn.max())
    fig.update_layout(hovermode="closest", bargap=0.35, meta={"note": CAUSES_NOTE})
    least = min(0.0, float(drawn.min()))
    fig.update_xaxes(
        title_text="hours lost a year",
        range=[least, longest * 1.35 or 1],
    )
    fig.update_yaxes(ticks="", showgrid=False)
    return fig


CAUSES_NOTE = (
    "The bars add up to all that is lost; weather is what is lost when nothing fails. "
    "What several failures only do together is divided evenly between them. No effect is seen where it is "
    "within two standard errors of zero."
)


def _racks_lost_h(certificate: Certificate) -> float:
    """Full-load hours lost to broken racks, which compute counted by power alone leaves out. [h/yr]"""
    metrics = certificate.metrics
    return max(0.0, metrics.compute.value - metrics.rack.value) * HOURS_PER_YEAR


_OPERATED = {
    "foresight": "foresight (a bound)",
    "causal": "the study's own weather",
    "greedy": "nobody looks ahead",
}

# On new years, and on the few that were given
_CERTIFIED = ("certified, unseen weather", "certified, given weather")


def certified_against_promised_data(design: Evaluation, certified: Estimate | None = None) -> pd.DataFrame:
    """Give the target, what was promised, and what an operator can keep.

    Parameters
    ----------
    design : Evaluation
        A design brings its uptime without look-ahead along.
    certified : Estimate, optional
        From a certificate.

    Returns
    -------
    DataFrame
        Columns ``name, uptime, low, high`` (95 % interval, nan where unknown) and ``lost_h_per_yr`` with
        ``least_h_per_yr, most_h_per_yr``. [fraction, h/yr]
    """
    promised = _OPERATED.get(design.operation, f"operated: {design.operation}")
    rows = [("target", design.uptime_target, design.uptime_target, design.uptime_target)]
    rows.append((promised, *_interval(design.uptime)))
    if isinstance(design, Design):
        rows.append(("nobody looks ahead, nothing fails", *_interval(design.greedy_uptime)))
    if certified is not None:
        again = isinstance(design, Design) and design.certificate and design.certificate.given_years
        rows.append((_CERTIFIED[bool(again)], *_interval(certified)))
    # A bound of a relaxation does not decide which hours are short
    known = [row for row in rows if not math.isnan(row[1])]
    table = pd.DataFrame(known, columns=["name", "uptime", "low", "high"])
    for column, source in (("lost_h_per_yr", "uptime"), ("least_h_per_yr", "high"), ("most_h_per_yr", "low")):
        table[column] = (1 - table[source]) * HOURS_PER_YEAR
    return table


def certified_against_promised(design: Evaluation, certified: Estimate | None = None) -> Figure:
    """Draw hours lost a year, target against promise against certificate, with 95 % intervals."""
    from plotly.graph_objects import Scatter

    table = certified_against_promised_data(design, certified).iloc[::-1]
    fig = figure(
        "Hours of full load lost: asked, promised, kept [h/yr, logarithmic]", height_px=120 + 42 * len(table)
    )
    colours = {"target": LIGHT["ink"]} | dict.fromkeys(_CERTIFIED, LIGHT["backup_3"])
    symbols = {"target": "line-ns-open"} | dict.fromkeys(_CERTIFIED, "diamond")
    value = table["lost_h_per_yr"].clip(lower=LEAST_H)
    more = (table["most_h_per_yr"].fillna(table["lost_h_per_yr"]).clip(lower=LEAST_H) - value).clip(lower=0)
    less = (value - table["least_h_per_yr"].fillna(table["lost_h_per_yr"]).clip(lower=LEAST_H)).clip(lower=0)
    fig.add_trace(
        Scatter(
            x=value.round(5).tolist(),
            y=table["name"].tolist(),
            mode="markers+text",
            showlegend=False,
            marker={
                "size": 13,
                "color": [colours.get(name, LIGHT["battery"]) for name in table["name"]],
                "symbol": [symbols.get(name, "circle") for name in table["name"]],
                "line": {"width": 2},
            },
            error_x={
                "type": "data",
                "array": more.round(5).tolist(),
                "arrayminus": less.round(5).tolist(),
                "color": LIGHT["muted"],
                "thickness": 1.5,
                "width": 5,
            },
            text=[percent(uptime) for uptime in table["uptime"]],
            textposition="top center",
            hovertemplate="%{y}: %{x:,.3g} h a year<extra></extra>",
        )
    )
    decades = [math.log10(max(min(value - less), LEAST_H)) - 0.8, math.log10(max(value + more)) + 0.8]
    fig.update_xaxes(
        type="log",
        range=decades,
        title_text="hours lost a year",
        tickvals=[0.01, 0.1, 1, 10, 100, 1000],
        showgrid=True,
    )
    fig.update_yaxes(ticks="", range=[-0.6, len(table) - 0.2], showgrid=False)
    fig.update_layout(hovermode="closest")
    return fig


def _interval(estimate: Estimate) -> tuple[float, float, float]:
    """Value and two-sided 95 % interval."""
    return estimate.value, estimate.lower_bound(0.975), min(estimate.upper_bound(0.975), 1.0)
