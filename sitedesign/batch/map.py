"""Map and ranked table of a batch as one HTML file that needs no network."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sitedesign.batch.ranking import USABLE, results_frame
from sitedesign.batch.worth import reason, worth
from sitedesign.errors import Fault, InputError
from sitedesign.report.borders import KINDS, Box, lines
from sitedesign.report.packing import locked
from sitedesign.util.atomic_file import write_given
from sitedesign.util.gate import TEXT, File, takes

_DIGITS = 6
#: Sites that a page draws one by one; of more, each cell of a grid stands for its cheapest.
MOST_MARKS = 20_000
#: Columns of units as a batch writes them; a table from elsewhere may have anything in its headings.
_UNITS = re.compile(r"units_[A-Za-z0-9_]{1,80}")
# What the map can be coloured by: column, label, factor, unit.
COLOURS = (
    ("cost_usd_per_yr", "cost", 1e-6, "M USD/yr"),
    ("lcoe_usd_per_mwh", "cost of power", 1.0, "USD/MWh"),
    ("uptime_price_usd_per_mwh", "cost of uptime", 1.0, "USD/MWh not served"),
    ("renewable_share", "solar share", 100.0, "%"),
    ("land_acres", "land", 1.0, "acres"),
    ("months_to_power", "months to power", 1.0, "months"),
    ("solar_mw", "solar", 1.0, "MWdc"),
    ("battery_mwh", "battery", 1.0, "MWh"),
    ("co2_t_per_yr", "CO2", 1e-3, "kt/yr"),
    ("certified_uptime", "certified uptime", 100.0, "%"),
)  # fmt: skip
_TABLE = (
    "racks_chosen",
    "racks_installed",
    "battery_mw",
    "uptime_achieved",
    "greedy_uptime",
    "usd_per_rack_h",
)


@takes("write_map()", path=File((".html", ".htm")), title=TEXT)
def write_map(
    results: pd.DataFrame | str | Path, path: str | Path, *, title: str = "Candidate sites"
) -> Path:
    """Write an interactive map with a ranked table.

    Colour by cost, cost of uptime, solar share, land, months to power and more; hover for the design;
    filter the table and the map follows. Coastlines and borders come from a package, plotly.js stands in the
    file: it opens without a network.

    Parameters
    ----------
    results : DataFrame or path
        What :func:`sitedesign.solve_many` returned, or its folder, finished or not.
    path : path
        HTML file to write.
    title : str
        Heading of the page.

    Returns
    -------
    Path

    Notes
    -----
    Of more than 20,000 sites a grid is drawn, and each cell shows its cheapest site and how many it stands
    for; filters and ranking are then of these. The whole table stays with :func:`sitedesign.rank`.

    Raises
    ------
    InputError
        If no site has a design, or the packages of the map are missing.
    """
    page = map_html(results_frame(results, "write_map()"), title)
    write_given(Path(path), page.encode(), where="path", of="write_map()")
    return Path(path)


def map_html(frame: pd.DataFrame, title: str) -> str:
    """Page of :func:`write_map` as text."""
    try:
        from plotly.offline import get_plotlyjs
    except ModuleNotFoundError:
        remedy = "Run pip install 'sitedesign[map]'."
        raise InputError([Fault("map", "no plotly", "plotly is needed", remedy)], "the map") from None
    places = pd.to_numeric(frame["latitude"], errors="coerce").between(-90, 90)
    places &= pd.to_numeric(frame["longitude"], errors="coerce").between(-180, 180)
    usable = frame["status"].isin(USABLE)
    if not (usable & places).any():
        fault = Fault("results", "no site with a design", "needs at least one", "Look at the column error.")
        raise InputError([fault], "the map")
    good, bad = frame[usable & places], frame[~usable & places]
    view, box = _box(good), _box(frame[places])  # failures may lie anywhere, as with two numbers swapped
    count = {"all": len(frame), "nowhere": int((~places).sum())}
    count |= {"designs": len(good), "failed": len(bad)}
    good, bad = _of_cells(good, view), _of_cells(bad, box)
    content = {
        "title": title,
        "box": [view.west, view.east, view.south, view.north],
        "worth": worth(good),
        "borders": [lines(kind, box) for kind in KINDS],
        "colours": [item for item in COLOURS if _has(good, item[0])],
        "sites": _columns(good),
        "failed": _failed(bad),
        "count": count,
    }
    # "<" written as an escape: no cell can end the script element.
    text = json.dumps(content, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    page = files("sitedesign.batch").joinpath("map.html").read_text(encoding="utf-8")
    whole = page.replace("/*PLOTLY*/", get_plotlyjs()).replace("/*CONTENT*/", text)
    return locked(whole, evaluates=True)


def _has(frame: pd.DataFrame, column: str) -> bool:
    return column in frame.columns and bool(pd.to_numeric(frame[column], errors="coerce").notna().any())


def _of_cells(frame: pd.DataFrame, box: Box) -> pd.DataFrame:
    """Leave of too many sites the cheapest of each cell of a grid, and say in its name of how many."""
    if len(frame) <= MOST_MARKS:
        return frame
    step = np.sqrt((box.east - box.west) * (box.north - box.south) / MOST_MARKS)
    east = np.floor((pd.to_numeric(frame["longitude"]).to_numpy(float) - box.west) / step)
    north = np.floor((pd.to_numeric(frame["latitude"]).to_numpy(float) - box.south) / step)
    cells = pd.Series(north * 1e6 + east, index=frame.index)
    if "cost_usd_per_yr" in frame.columns:
        cost = pd.to_numeric(frame["cost_usd_per_yr"], errors="coerce")
        cells = cells.loc[cost.sort_values(kind="stable", na_position="last").index]
    counts = cells.value_counts()
    first = cells.drop_duplicates()
    chosen = frame.loc[first.index].copy()
    names = chosen["name"].fillna("").astype(str) if "name" in chosen.columns else ""
    chosen["name"] = names + first.map(
        lambda cell: f" (best of {counts[cell]:,})" if counts[cell] > 1 else ""
    )
    return chosen.sort_index()


def _columns(frame: pd.DataFrame) -> dict[str, list[Any]]:
    """Columns that the page needs, numbers short, missing cells as None."""
    numbers = [name for name, *_ in COLOURS] + list(_TABLE) + ["latitude", "longitude"]
    numbers += [name for name in frame.columns if _UNITS.fullmatch(str(name))]
    columns: dict[str, list[Any]] = {"name": frame["name"].fillna("").astype(str).tolist()}
    for name in numbers:
        if _has(frame, name):
            columns[name] = _short(pd.to_numeric(frame[name], errors="coerce").to_numpy(float))
    return columns


def _failed(frame: pd.DataFrame) -> dict[str, list[Any]]:
    texts = (
        frame["error"].fillna("").astype(str)
        if "error" in frame.columns
        else pd.Series("", index=frame.index)
    )
    names = frame["name"].fillna("").astype(str) if "name" in frame.columns else texts
    reasons = [f"{status}: {reason(text)}" for status, text in zip(frame["status"], texts, strict=True)]
    return {
        "name": names.tolist(),
        "reason": reasons,
        "latitude": _short(pd.to_numeric(frame["latitude"], errors="coerce").to_numpy(float)),
        "longitude": _short(pd.to_numeric(frame["longitude"], errors="coerce").to_numpy(float)),
    }


def _short(values: Any) -> list[float | None]:  # noqa: ANN401
    return [float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else None for value in values]


def _box(frame: pd.DataFrame) -> Box:
    """Box around the sites with a margin, never narrower than a region that can be recognised."""
    longitudes = pd.to_numeric(frame["longitude"]).to_numpy(float)
    latitudes = pd.to_numeric(frame["latitude"]).to_numpy(float)
    margin = max(1.5, 0.06 * max(np.ptp(longitudes), np.ptp(latitudes)))
    west, east = longitudes.min() - margin, longitudes.max() + margin
    south, north = latitudes.min() - margin, latitudes.max() + margin
    return Box(max(west, -180.0), min(east, 180.0), max(south, -85.0), min(north, 85.0))
