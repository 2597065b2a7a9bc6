"""Weather years against each other, as the array sees them, with the darkest spells marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sitedesign.report.figures.series import DAYS, series, year_names
from sitedesign.report.figures.style import LIGHT, SEQUENTIAL, figure
from sitedesign.results.evaluation import Evaluation

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def weather_years_data(result: Evaluation) -> pd.DataFrame:
    """Give the daily yield of the array.

    Returns
    -------
    DataFrame
        One row a weather year, columns 1 to 365. [kWh/kWdc a day, before curtailment]; zero without an array.
    """
    data = series(result)
    daily = data.by_year("solar_mw").reshape(len(data.years), DAYS, -1).sum(axis=2) * data.step_h
    return pd.DataFrame(
        daily / result.solar_mw if result.solar_mw > 0 else daily,
        index=pd.Index(data.years, name="year"),
        columns=pd.RangeIndex(1, DAYS + 1, name="day"),
    )


def low_resource_data(result: Evaluation) -> pd.DataFrame:
    """Give the darkest 3, 5 and 10 days of all weather years.

    Returns
    -------
    DataFrame
        Columns ``days, rank, year, start, end, ghi_kwh_m2_day, share_of_season``, and ``row``: the weather
        year's position.
    """
    table = pd.DataFrame(result.provenance.low_resource_periods)
    years = list(result.provenance.weather_years)
    table["row"] = [years.index(year) for year in table["year"]] if len(table) else []
    return table


def weather_years(result: Evaluation) -> Figure:
    """Draw the daily yield of every weather year, the darkest spells outlined."""
    from plotly.graph_objects import Heatmap

    table = weather_years_data(result)
    count = len(table)
    row_px = max(0.6, min(18.0, 420 / count))
    fig = figure(
        "Yield of the array by day and weather year [kWh per kWdc a day]",
        height_px=round(150 + count * row_px),
    )
    fig.add_trace(
        Heatmap(
            x=list(range(1, DAYS + 1)),
            y=list(range(count)),
            z=table.round(2).to_numpy().tolist(),
            zmin=0,
            colorscale=SEQUENTIAL,
            customdata=None,
            colorbar={"title": {"text": "kWh/kWdc", "side": "right"}, "thickness": 12, "outlinewidth": 0},
            hovertemplate="day %{x}, %{y}<br>%{z:.2f} kWh/kWdc<extra></extra>",
        )
    )
    for _, spell in low_resource_data(result).iterrows():
        _outline(fig, spell, count)
    firsts = [pd.Timestamp(2001, month, 1) for month in range(1, 13)]
    fig.update_xaxes(tickvals=[day.day_of_year for day in firsts], ticktext=[f"{day:%b}" for day in firsts])
    every = max(1, round(14 / row_px))
    ticks = list(range(0, count, every))
    names = year_names(result)
    fig.update_yaxes(
        tickvals=ticks,
        ticktext=[names[row].removeprefix("year ") for row in ticks],
        title_text="weather year",
        autorange="reversed",
        showgrid=False,
    )
    fig.update_layout(hovermode="closest", meta={"note": _note(result)})
    return fig


def _outline(fig: Figure, spell: pd.Series, count: int) -> None:
    """Outline a spell; one that runs into the next year is outlined in both."""
    first = pd.Timestamp(f"2001-{spell['start']}").day_of_year
    last = first + int(spell["days"]) - 1
    parts = [(int(spell["row"]), first, min(last, DAYS))]
    if last > DAYS:
        parts.append((int(spell["row"]) + 1, 1, last - DAYS))
    for row, start, end in parts:
        if row < count:
            fig.add_shape(
                type="rect",
                x0=start - 0.5,
                x1=end + 0.5,
                y0=row - 0.5,
                y1=row + 0.5,
                line={"color": LIGHT["mark"], "width": 2},
            )


def _day(month_day: str) -> str:
    day = pd.Timestamp(f"2001-{month_day}")
    return f"{day.day} {day:%b}"


def _note(result: Evaluation) -> str:
    names = dict(zip(result.provenance.weather_years, year_names(result), strict=True))
    parts = [
        f"{spell['days']} days from {_day(spell['start'])} of {names[spell['year']]} with "
        f"{spell['ghi_kwh_m2_day']:.2f} kWh/m2 a day ({spell['share_of_season'] * 100:.0f} % of the usual)"
        for _, spell in low_resource_data(result).iterrows()
    ]
    return "Outlined, the darkest spells on the horizontal: " + "; ".join(parts) + "." if parts else ""
