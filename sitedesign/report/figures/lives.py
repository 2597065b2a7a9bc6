"""What age does: hours that a plant loses at each age, energy that its battery holds in each year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sitedesign.report.figures.series import HOURS_PER_YEAR
from sitedesign.report.figures.style import LIGHT, figure
from sitedesign.results.battery_life import BatteryLife
from sitedesign.results.plant_life import PlantLife

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure


def uptime_by_age_data(life: PlantLife) -> pd.DataFrame:
    """Give what a plant loses at each age, with its interval.

    Parameters
    ----------
    life : PlantLife

    Returns
    -------
    DataFrame
        Columns ``age_years, uptime, holds, lost_h_per_yr, least_h_per_yr, most_h_per_yr`` (95 % interval, nan
        where unknown). [yr, fraction, h/yr]
    """
    import pandas as pd

    rows = [
        (
            item.age_years,
            item.uptime.value,
            item.holds,
            *(
                (1 - value) * HOURS_PER_YEAR
                for value in (
                    item.uptime.value,
                    min(item.uptime.upper_bound(0.975), 1.0),
                    item.uptime.lower_bound(0.975),
                )
            ),
        )
        for item in life.ages
    ]
    columns = ["age_years", "uptime", "holds", "lost_h_per_yr", "least_h_per_yr", "most_h_per_yr"]
    return pd.DataFrame(rows, columns=columns)


def uptime_by_age(life: PlantLife) -> Figure:
    """Draw the full-load hours lost at each age against those that the target allows.

    Parameters
    ----------
    life : PlantLife
        As :func:`sitedesign.plant_life` gives it.
    """
    table = uptime_by_age_data(life)
    drawn = figure("Hours of full load lost, by age of the plant [h/yr]", height_px=320)
    lost = table["lost_h_per_yr"]
    drawn.add_scatter(
        x=table["age_years"].tolist(),
        y=lost.round(5).tolist(),
        mode="lines+markers",
        name="certified, with 95 % interval",
        line={"color": LIGHT["battery"], "width": 2},
        marker={
            "size": 11,
            "color": [LIGHT["battery"] if holds else LIGHT["mark"] for holds in table["holds"]],
            "symbol": ["circle" if holds else "x" for holds in table["holds"]],
        },
        error_y={
            "type": "data",
            "array": (table["most_h_per_yr"] - lost).clip(lower=0).fillna(0).round(5).tolist(),
            "arrayminus": (lost - table["least_h_per_yr"]).clip(lower=0).fillna(0).round(5).tolist(),
            "color": LIGHT["muted"],
            "thickness": 1.5,
        },
        hovertemplate="%{y:,.3g} h",
    )
    allowed = (1 - life.target) * HOURS_PER_YEAR
    drawn.add_scatter(
        x=table["age_years"].tolist(),
        y=[round(allowed, 5)] * len(table),
        mode="lines" if len(table) > 1 else "markers",
        name=f"allowed: {allowed:,.3g} h",
        line={"color": LIGHT["ink"], "width": 1.5, "dash": "dash"},
        hovertemplate="%{y:,.3g} h",
    )
    drawn.update_xaxes(title_text="age [yr]")
    drawn.update_yaxes(rangemode="tozero")
    note = "The same weather years and failures at every age; a cross where target or a limit is not kept."
    drawn.update_layout(meta={"note": note})
    return drawn


def capacity_by_year_data(life: BatteryLife) -> pd.DataFrame:
    """Give what a battery holds in each year: the table of its life, in per cent of nameplate.

    Parameters
    ----------
    life : BatteryLife

    Returns
    -------
    DataFrame
        As :meth:`~sitedesign.results.battery_life.BatteryLife.table` gives it.
    """
    return life.table()


def capacity_by_year(life: BatteryLife) -> Figure:
    """Draw the energy that a battery holds in each year, with and without upkeep, against what is counted on.

    Parameters
    ----------
    life : BatteryLife
        As :func:`sitedesign.battery_life` gives it.
    """
    table = capacity_by_year_data(life)
    drawn = figure("Energy that the battery holds, by year of use [% of nameplate]", height_px=320)
    years = table["year"].tolist()
    lines = (
        ("held_percent", f"held ({life.upkeep})", {"color": LIGHT["battery"], "width": 2}),
        ("with_nothing_added_percent", "with nothing added", {"color": LIGHT["muted"], "width": 1.5}),
    )
    for column, name, line in lines:
        drawn.add_scatter(
            x=years, y=table[column].round(3).tolist(), mode="lines", name=name, line=line,
            hovertemplate="%{y:.1f} %",
        )  # fmt: skip
    drawn.add_scatter(
        x=years, y=[100 * life.counted_on] * len(years), mode="lines",
        name=f"counted on: {life.counted_on:.0%}",
        line={"color": LIGHT["ink"], "width": 1.5, "dash": "dash"}, hovertemplate="%{y:.1f} %",
    )  # fmt: skip
    drawn.update_xaxes(title_text="year of use [yr]")
    drawn.update_layout(meta={"note": f"{life.lines()[3][0]}: {life.lines()[3][1]}."})
    return drawn
