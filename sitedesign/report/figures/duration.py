"""Duration curves: for how many hours a year a power is reached or exceeded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sitedesign.report.figures.series import HOURS_PER_YEAR, LEAST, series
from sitedesign.report.figures.style import LIGHT, backup_style, figure, pretty
from sitedesign.results.evaluation import Evaluation

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_CURVES = {
    "load_mw": ("load", LIGHT["ink"], "solid"),
    "discharge_mw": ("battery discharge", LIGHT["battery"], "dash"),
    "backup_mw": ("backup", backup_style(0)[0], "solid"),
    "shed_mw": ("not served", LIGHT["shed"], "dot"),
}
_BINS = 400


def duration_curves_data(result: Evaluation) -> pd.DataFrame:
    """Give power sorted from high to low, over all weather years.

    Returns
    -------
    DataFrame
        Bins of sorted steps, finer towards both ends: ``hours_per_yr`` at the end of the bin, ``width_h``
        its width,
        and the mean power of the bin, so that width times power sums to the annual energy. [h/yr, h/yr, MW]
    """
    data = series(result)
    resources = [f"{name}_mw" for name in data.resources]
    frame = data.frame[["load_mw", *resources, "discharge_mw", "shed_mw"]].copy()
    frame.insert(
        2 + len(resources), "backup_mw", data.frame[[f"{name}_mw" for name in data.backup]].sum(axis=1)
    )
    steps = len(frame)
    edges = _edges(steps)
    counts = np.diff(edges)
    table = pd.DataFrame(
        {
            "hours_per_yr": edges[1:] / steps * HOURS_PER_YEAR,
            "width_h": counts / steps * HOURS_PER_YEAR,
        }
    )
    for column in frame:
        falling = np.sort(frame[column].to_numpy())[::-1]
        table[str(column)] = np.add.reduceat(falling, edges[:-1]) / counts
    return table


def duration_curves(result: Evaluation) -> Figure:
    """Draw the duration curves of load, solar, battery, backup and load not served."""
    from plotly.graph_objects import Scatter

    table = duration_curves_data(result)
    years = len(result.provenance.weather_years)
    fig = figure(f"Hours a year at or above a power [MW], mean of {years} weather year{'s' * (years > 1)}")
    for column, (name, colour, dash) in _curves(result).items():
        if table[column].max() <= LEAST:
            continue
        middle = table["hours_per_yr"] - table["width_h"] / 2
        fig.add_trace(
            Scatter(
                x=middle.round(1).tolist(),
                y=table[column].round(2).tolist(),
                name=name,
                line={"color": colour, "width": 2, "dash": dash},
                hovertemplate="%{y:,.1f} MW",
            )
        )
    fig.update_xaxes(
        title_text="hours a year", range=[0, HOURS_PER_YEAR], hoverformat=",.0f", tickformat=",.0f"
    )
    fig.update_yaxes(title_text="power [MW]", rangemode="tozero")
    return fig


def _curves(result: Evaluation) -> dict[str, tuple[str, str, str]]:
    """Name, colour and dash of each curve, the load first, then what the weather gives."""
    dashes = ("solid", "dashdot", "longdash", "longdashdot")
    names = {"solar": "solar array"}
    resources = {
        f"{name}_mw": (
            f"{names.get(name, pretty(name))}, before curtailment", LIGHT["solar"], dashes[r % len(dashes)]
        )
        for r, name in enumerate(result.resources_mw)
    }  # fmt: skip
    return {"load_mw": _CURVES["load_mw"]} | resources | _CURVES


def _edges(steps: int) -> np.ndarray:
    """Bin edges over sorted steps: single steps at both ends, wide bins between."""
    ends = np.unique(np.geomspace(1, steps / 2, _BINS // 2).astype(int))
    return np.unique(np.concatenate([[0], ends, steps - ends, [steps]]))
