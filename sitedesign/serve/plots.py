"""Figures as a screen needs them: light or dark, wide or narrow."""

from __future__ import annotations

import copy
from textwrap import wrap
from typing import Any

from sitedesign.report.figures.style import DARK, LIGHT, exchange

NARROW_PX = 700
_TITLE_PX = 30  # the page shows the title as a heading, which can wrap on a phone
_DAY_MS = 86_400_000
_NAME_LETTERS = 24  # of a line, on a phone
_LINE_PX, _LINES_THERE_IS_ROOM_FOR = 15, 5  # of a legend, on a phone one below the other
_CONFIG = {"displayModeBar": False, "scrollZoom": False, "responsive": True}


def fitted(figure: dict[str, Any], *, dark: bool, narrow: bool) -> dict[str, Any]:
    """Give a figure for one screen.

    Parameters
    ----------
    figure : dict
        Plotly JSON in light colours; stays as it is.
    dark : bool
    narrow : bool
        For a phone: smaller letters, and of two panels the first.

    Returns
    -------
    dict
        ``data``, ``layout`` and ``config``, without its title.
    """
    drawn = {name: copy.deepcopy(figure[name]) for name in ("data", "layout")}
    layout = drawn["layout"]
    layout["autosize"] = True
    layout.pop("title", None)
    layout["height"] -= _TITLE_PX
    layout["margin"]["t"] -= _TITLE_PX
    if narrow:
        layout["margin"] |= {"l": 44, "r": 8}
        layout["font"]["size"] = 11
        layout["legend"]["font"] = {"size": 10.5}
        named = sum(bool(trace.get("name")) and trace.get("showlegend", True) for trace in drawn["data"])
        layout["height"] += _LINE_PX * max(0, named - _LINES_THERE_IS_ROOM_FOR)
        _first_panel(drawn)
        _wrap_names(drawn)
        for name in ("xaxis", "xaxis2"):
            if layout.get(name, {}).get("dtick") == _DAY_MS:
                layout[name]["dtick"] = 2 * _DAY_MS
    if dark:
        drawn = exchange(drawn, dict(zip(LIGHT.values(), DARK.values(), strict=True)))
    return drawn | {"config": _CONFIG}


def title_of(figure: dict[str, Any]) -> str:
    """Title of a figure, for a heading above it."""
    return str(figure["layout"]["title"]["text"])


def height_px(figure: dict[str, Any]) -> int:
    """Height of a figure on a wide screen, where its title is a heading above it."""
    return int(figure["layout"]["height"]) - _TITLE_PX


def _wrap_names(drawn: dict[str, Any]) -> None:
    """Break long names of lying bars, which would leave no room for the bars."""
    if not any(trace.get("orientation") == "h" for trace in drawn["data"]):
        return
    for trace in drawn["data"]:
        if isinstance(trace.get("y"), list):
            trace["y"] = [_wrapped(name) for name in trace["y"]]
    for mark in (*drawn["layout"].get("annotations", ()), *drawn["layout"].get("shapes", ())):
        mark |= {side: _wrapped(mark[side]) for side in ("y", "y0", "y1") if side in mark}


def _wrapped(name: Any) -> Any:  # noqa: ANN401
    return "<br>".join(wrap(name, _NAME_LETTERS)) if isinstance(name, str) else name


def _first_panel(drawn: dict[str, Any]) -> None:
    """Leave out the panel that only a wide screen has room for."""
    layout = drawn["layout"]
    second = (layout.get("meta") or {}).get("wide_only")
    if second:
        drawn["data"] = [trace for trace in drawn["data"] if trace.get("xaxis") != second]
        layout["xaxis"]["domain"] = [0, 1]
        layout["annotations"] = layout["annotations"][:1]
