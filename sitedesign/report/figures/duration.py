"""Duration curves: for how many hours a year a power is reached or exceeded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sitedesign.report.figures.series import HOURS_PER_YEAR, LEAST, DispatchSeries, series
from sitedesign.report.figures.style import LIGHT, backup_style, figure, pretty
from sitedesign.results.evaluation import Evaluation

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_DASHES = ("solid", "dashdot", "longdash", "longdashdot", "dot", "dash")
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
    frame = data.frame.assign(backup_mw=data.frame[[f"{name}_mw" for name in data.backup]].sum(axis=1))
    frame = frame[list(_curves(data))]
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
    """Draw the duration curves of load, sun and wind, battery, backup, imports, sinks, load not served."""
    from plotly.graph_objects import Scatter

    table = duration_curves_data(result)
    years = len(result.provenance.weather_years)
    fig = figure(f"Hours a year at or above a power [MW], mean of {years} weather year{'s' * (years > 1)}")
    for column, (name, colour, dash) in _curves(series(result)).items():
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


def _curves(data: DispatchSeries) -> dict[str, tuple[str, str, str]]:
    """Name, colour and dash of each curve: the load, what the weather gives, other sources and sinks."""
    solar, *farms = data.resources
    return {
        "load_mw": ("load", LIGHT["ink"], "solid"),
        f"{solar}_mw": ("solar array, before curtailment", LIGHT["solar"], "solid"),
        **_several(farms, LIGHT["wind"], "{}, before curtailment"),
        "discharge_mw": ("battery discharge", LIGHT["battery"], "dash"),
        "backup_mw": ("backup", backup_style(0)[0], "solid"),
        **_several(data.imports, LIGHT["connection"], "from the {}"),
        **_several(data.sinks, LIGHT["mark"], "to {}"),
        "shed_mw": ("not served", LIGHT["shed"], "dot"),
    }


def _several(names: Sequence[str], colour: str, words: str) -> dict[str, tuple[str, str, str]]:
    """Curves of one colour and several dashes."""
    return {
        f"{name}_mw": (words.format(pretty(name)), colour, _DASHES[number % len(_DASHES)])
        for number, name in enumerate(names)
    }


def _edges(steps: int) -> np.ndarray:
    """Bin edges over sorted steps: single steps at both ends, wide bins between."""
    ends = np.unique(np.geomspace(1, steps / 2, _BINS // 2).astype(int))
    return np.unique(np.concatenate([[0], ends, steps - ends, [steps]]))
