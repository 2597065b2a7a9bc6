"""Dispatch of a week: where the power comes from in every hour, and what the battery holds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from sitedesign.errors import Fault, InputError
from sitedesign.report.figures.series import DAYS, LEAST, DispatchSeries, series, worst_week_start, year_row
from sitedesign.report.figures.style import (
    LIGHT,
    colours_of,
    figure,
    import_style,
    pretty,
    resource_style,
    soft,
)
from sitedesign.results.evaluation import Evaluation

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

WEEK_DAYS = 7
_SINK_DASHES = ("dot", "dash", "dashdot")
TITLE = "Where the power comes from, and what the battery holds"


def dispatch_week_data(result: Evaluation, day: int | None = None, year: int | None = None) -> pd.DataFrame:
    """Give the dispatch of seven days.

    Parameters
    ----------
    result : Evaluation
    day : int, optional
        First day of the week, 1 for 1 January to 359; the worst week of all years when left out. [day of
        year]
    year : int, optional
        Weather year as in ``result.provenance.weather_years``; the worst when left out.

    Returns
    -------
    DataFrame
        A row a step, columns of :class:`~sitedesign.report.figures.series.DispatchSeries`. [MW, MWh]

    Raises
    ------
    InputError
        If there is no such day or year.
    """
    data = series(result)
    start = _start(result, data, day, year)
    return data.frame.iloc[start : start + WEEK_DAYS * data.steps_per_day]


def dispatch_week(result: Evaluation, day: int | None = None, year: int | None = None) -> Figure:
    """Draw the dispatch of seven days; arguments as for :func:`dispatch_week_data`."""
    from plotly.graph_objects import Scatter

    data = series(result)
    start = _start(result, data, day, year)
    week = data.frame.iloc[start : start + WEEK_DAYS * data.steps_per_day]
    fig = figure(f"{TITLE}: {week_name(data, start)}", height_px=480, rows=2, row_heights=[0.68, 0.32])
    stamps = pd.DatetimeIndex(week.index).strftime("%Y-%m-%dT%H:%M").tolist()
    styles = colours_of(list(result.backup))
    areas = [(f"{name}_used_mw", pretty(name), *resource_style(r)) for r, name in enumerate(data.resources)]
    areas.append(("discharge_mw", "battery", LIGHT["battery"], ""))
    areas += [(f"{name}_mw", pretty(name), *styles[name]) for name in data.backup]
    areas += [(f"{name}_mw", pretty(name), *import_style(i)) for i, name in enumerate(data.imports)]
    areas += [
        ("shed_mw", "not served", LIGHT["shed"], "x"),
        ("curtailed_mw", _curtailed(data), LIGHT["curtailed"], ""),
    ]
    areas = [area for area in areas if data.frame[area[0]].max() > LEAST]
    for column, name, colour, pattern in areas:
        fig.add_trace(
            Scatter(
                x=stamps,
                y=week[column].round(3).tolist(),
                name=name,
                meta=column,
                stackgroup="power",
                line={"width": 0, "shape": "hv"},
                fillcolor=colour,
                fillpattern={
                    "shape": pattern,
                    "fgcolor": LIGHT["paper"],
                    "bgcolor": colour,
                    "size": 5,
                    "solidity": 0.2,
                },
                hovertemplate="%{y:,.1f} MW",
            ),
            row=1,
            col=1,
        )
    load = {"color": LIGHT["ink"], "width": 2, "shape": "hv"}
    fig.add_trace(
        Scatter(
            x=stamps,
            y=week["load_mw"].round(3).tolist(),
            name="load",
            meta="load_mw",
            line=load,
            hovertemplate="%{y:,.1f} MW",
        ),
        row=1,
        col=1,
    )
    below, columns = week["load_mw"], ["load_mw"]
    for number, name in enumerate(data.sinks):
        if data.frame[f"{name}_mw"].max() <= LEAST:
            continue
        below, columns = below + week[f"{name}_mw"], [*columns, f"{name}_mw"]
        fig.add_trace(
            Scatter(
                x=stamps,
                y=below.round(3).tolist(),
                name=" and ".join(pretty(column.removesuffix("_mw")) for column in columns),
                meta=columns,
                customdata=week[f"{name}_mw"].round(3).tolist(),
                line={"color": LIGHT["mark"], "width": 1.5, "shape": "hv", "dash": _SINK_DASHES[number % 3]},
                hovertemplate="%{customdata:,.1f} MW taken",
            ),
            row=1,
            col=1,
        )
    fig.add_trace(
        Scatter(
            x=stamps,
            y=week["stored_mwh"].round(2).tolist(),
            name="stored",
            meta="stored_mwh",
            showlegend=False,
            fill="tozeroy",
            line={"color": LIGHT["battery"], "width": 1.5},
            fillcolor=soft(LIGHT["battery"], 0.35),
            hovertemplate="%{y:,.0f} MWh",
        ),
        row=2,
        col=1,
    )
    # Power is the mean of a step, so its line is a stair; energy is known at the end of a step.
    fig.update_yaxes(title_text="power [MW]", rangemode="tozero", row=1, col=1)
    fig.update_yaxes(title_text="stored [MWh]", range=[0, max(data.usable_mwh * 1.05, 1.0)], row=2, col=1)
    fig.update_xaxes(tickformat="%-d %b", dtick=86_400_000, hoverformat="%-d %b %H:%M")
    shed = result.energy_mwh_per_yr["shed"] > LEAST and data.usable_mwh > LEAST
    foresight = result.operation == "foresight" and shed
    note = SINK_NOTE if data.sinks else NOTE
    fig.update_layout(meta={"note": note + (FORESIGHT_NOTE if foresight else "")})
    return fig


def _curtailed(data: DispatchSeries) -> str:
    return f"{pretty(data.resources[0])} curtailed" if len(data.resources) == 1 else "curtailed"


NOTE = (
    "What stands above the load line charges the battery; grey on top is sunshine that nobody could use. "
    "Local standard time."
)
SINK_NOTE = (
    "Between the load line and the lines above it power is sold or taken by others; what stands above the "
    "highest line charges the battery; grey on top is power that nobody could use. Local standard time."
)
FORESIGHT_NOTE = (
    " With perfect foresight only the amount shed is decided, not the moment: load may be shed while the "
    "battery is kept for later hours of the same spell."
)


def worst_week(result: Evaluation) -> Figure:
    """Draw the week that decides the design, with most compute lost, else most backup, else least stored."""
    return dispatch_week(result)


def week_name(data: DispatchSeries, start: int) -> str:
    """Name a week for people: ``22 to 28 Dec, year 17``."""
    first, last = data.frame.index[start], data.frame.index[start + (WEEK_DAYS - 1) * data.steps_per_day]
    head = f"{first.day}" if first.month == last.month else f"{first.day} {first:%b}"
    return f"{head} to {last.day} {last:%b}, {data.years[start // data.steps_per_year]}"


def _start(result: Evaluation, data: DispatchSeries, day: int | None, year: int | None) -> int:
    last = DAYS - WEEK_DAYS + 1
    if day is None and year is None:
        return worst_week_start(data)
    if day is not None and not 1 <= day <= last:
        raise InputError(
            [Fault("day", f"{day}", f"must be a day of the year from 1 to {last}")], "the figure"
        )
    row = year_row(result, year)
    if day is None:
        part = slice(row * data.steps_per_year, (row + 1) * data.steps_per_year)
        one = replace(data, frame=data.frame.iloc[part], years=(data.years[row],))
        return row * data.steps_per_year + worst_week_start(one)
    return row * data.steps_per_year + (day - 1) * data.steps_per_day
