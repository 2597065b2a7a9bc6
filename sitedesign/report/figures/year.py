"""A year at a glance: one column a day, one row an hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from sitedesign.errors import InputError, unknown_name
from sitedesign.report.figures.series import DispatchSeries, FloatArray, series, worst_week_start, year_row
from sitedesign.report.figures.style import LIGHT, SEQUENTIAL, figure
from sitedesign.results.evaluation import Evaluation

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Quantity = Literal[
    "battery", "solar", "wind", "discharge", "backup", "imported", "taken", "curtailed", "shed"
]
#: What each quantity is called, and its unit.
QUANTITIES: dict[Quantity, tuple[str, str]] = {
    "battery": ("State of the battery", "% of usable"),
    "solar": ("Solar power used", "MW"),
    "wind": ("Wind power used", "MW"),
    "discharge": ("Power from the battery", "MW"),
    "backup": ("Power from backup", "MW"),
    "imported": ("Power from the grid", "MW"),
    "taken": ("Power sold or taken by others", "MW"),
    "curtailed": ("Power curtailed", "MW"),
    "shed": ("Load not served", "MW"),
}


def columns_of(data: DispatchSeries) -> dict[Quantity, list[str]]:
    """Columns of the dispatch whose sum each quantity is."""
    return {
        "battery": ["stored_mwh"],
        "solar": [f"{data.resources[0]}_used_mw"],
        "wind": [f"{name}_used_mw" for name in data.resources[1:]],
        "discharge": ["discharge_mw"],
        "backup": [f"{name}_mw" for name in data.backup],
        "imported": [f"{name}_mw" for name in data.imports],
        "taken": [f"{name}_mw" for name in data.sinks],
        "curtailed": ["curtailed_mw"],
        "shed": ["shed_mw"],
    }


def year_at_a_glance_data(
    result: Evaluation, quantity: Quantity = "battery", year: int | None = None
) -> pd.DataFrame:
    """Give one quantity of one year by hour and day.

    Parameters
    ----------
    result : Evaluation
    quantity : {"battery", "solar", "wind", "discharge", "backup", "imported", "taken", "curtailed", "shed"}
        ``battery`` is the state at the end of the hour in per cent of the full battery, the others are mean
        power. [%, MW]
    year : int, optional
        Weather year as in ``result.provenance.weather_years``; that of the worst week when left out.

    Returns
    -------
    DataFrame
        24 rows (hour of the day in local standard time), 365 columns (day, 1 to 365).

    Raises
    ------
    InputError
        If there is no such year or quantity.
    """
    if quantity not in QUANTITIES:
        raise InputError([unknown_name("quantity", str(quantity), QUANTITIES)], "the figure")
    data = series(result)
    row = year_row(result, year) if year is not None else worst_week_start(data) // data.steps_per_year
    columns = columns_of(data)[quantity]
    values: FloatArray = np.zeros(data.steps_per_year)
    for column in columns:
        values = values + data.by_year(column)[row]
    by_hour = values.reshape(365, 24, -1)
    if quantity == "battery":
        table = by_hour[:, :, -1] / max(data.usable_mwh, 1e-9) * 100
    else:
        table = by_hour.mean(axis=2)
    frame = pd.DataFrame(
        table.T, index=pd.RangeIndex(24, name="hour"), columns=pd.RangeIndex(1, 366, name="day")
    )
    frame.attrs["year"] = data.years[row]
    return frame


def year_at_a_glance(result: Evaluation, quantity: Quantity = "battery", year: int | None = None) -> Figure:
    """Draw one quantity of one year as a map of days and hours; arguments as for the data."""
    from plotly.graph_objects import Heatmap

    table = year_at_a_glance_data(result, quantity, year)
    name, unit = QUANTITIES[quantity]
    digits = 0 if quantity == "battery" else 1
    days = pd.date_range("2001-01-01", periods=365).strftime("%Y-%m-%d").tolist()
    fig = figure(f"{name} by day and hour [{unit}], {table.attrs['year']}", height_px=340)
    top = 100.0 if quantity == "battery" else max(float(table.to_numpy().max()), 1.0)
    fig.add_trace(
        Heatmap(
            x=days,
            y=table.index.tolist(),
            z=table.round(digits).to_numpy(),  # of lists, plotly would ask every number what it is
            zmin=0,
            zmax=top,
            colorscale=SEQUENTIAL,
            colorbar={"title": {"text": unit, "side": "right"}, "thickness": 12, "outlinewidth": 0},
            hovertemplate=f"%{{x|%-d %b}}, %{{y}}:00<br>%{{z:,.{digits}f}} {unit}<extra></extra>",
        )
    )
    fig.update_xaxes(tickformat="%b", dtick="M1", ticklabelmode="period")
    fig.update_yaxes(
        title_text="hour of the day", tickvals=[0, 6, 12, 18], showgrid=False, range=[-0.5, 23.5]
    )
    fig.update_layout(hovermode="closest", plot_bgcolor=LIGHT["paper"])
    return fig
