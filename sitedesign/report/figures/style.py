"""One look for all figures: colours by meaning, light and dark, readable in grey and by colour-blind eyes.

Every colour of a figure has a name in `LIGHT`; `dark` exchanges each for its namesake in `DARK`. The colours
of sources differ in lightness by at least 8 steps of CIELAB L*, so that a grey print keeps them apart.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plotly.graph_objects import Figure

LIGHT = {
    "paper": "#ffffff",
    "ink": "#1b1b1b",
    "muted": "#666b70",
    "grid": "#e4e6e8",
    "curtailed": "#d8d9da",
    "solar": "#eeb422",
    "battery": "#4a97d2",
    "wind": "#85b18a",
    "racks": "#8f9aa6",
    "backup_3": "#3f7f67",
    "backup_1": "#9a3416",
    "backup_2": "#5b2a68",
    "connection": "#141c80",
    "shed": "#111111",
    "mark": "#ff5a36",
}
DARK = {
    "paper": "#16181c",
    "ink": "#ececed",
    "muted": "#a7adb4",
    "grid": "#33373d",
    "curtailed": "#4d5157",
    "solar": "#f2c14e",
    "battery": "#5aa9e6",
    "wind": "#86e6b4",
    "racks": "#a3adb8",
    "backup_3": "#5f9f86",
    "backup_1": "#d0562f",
    "backup_2": "#8f55a3",
    "connection": "#5b4dff",
    "shed": "#fffffe",
    "mark": "#ff6b4a",
}
#: Sources in the order in which they are stacked: neighbours never share a lightness.
SOURCES = (
    "curtailed", "solar", "wind", "battery", "backup_3", "backup_1", "backup_2", "connection", "shed",
)  # fmt: skip
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
#: Dark to light, lightness rising throughout: survives grey print and all three kinds of colour blindness.
SEQUENTIAL = "Cividis"
_PATTERNS = ("", "/", ".", "-", "\\", "x")  # hatching, so that neighbours part in grey print as well


def resource_style(number: int) -> tuple[str, str]:
    """Colour and hatching of the resource at this position, the solar array first."""
    return (LIGHT["wind"], _PATTERNS[(number - 1) % len(_PATTERNS)]) if number else (LIGHT["solar"], "")


def import_style(number: int) -> tuple[str, str]:
    """Colour and hatching of the import at this position."""
    return LIGHT["connection"], _PATTERNS[number % len(_PATTERNS)]


def backup_style(number: int) -> tuple[str, str]:
    """Colour and hatching of the backup technology at this position of the study."""
    return LIGHT[f"backup_{number % 3 + 1}"], _PATTERNS[number % len(_PATTERNS)]


def soft(colour: str, opacity: float) -> str:
    """Write a colour of `LIGHT` with an opacity, as ``#rrggbbaa``."""
    return f"{colour}{round(opacity * 255):02x}"


def figure(title: str, *, height_px: int = 380, rows: int = 1, **subplots: Any) -> Figure:  # noqa: ANN401
    """Start a figure.

    Parameters
    ----------
    title : str
        What is shown, with its unit.
    height_px : int
        [px]
    rows : int
        Panels above each other on one x axis.
    **subplots
        For ``plotly.subplots.make_subplots``.

    Returns
    -------
    Figure
    """
    from plotly.graph_objects import Figure
    from plotly.subplots import make_subplots

    axis = {
        "gridcolor": LIGHT["grid"],
        "zerolinecolor": LIGHT["grid"],
        "linecolor": LIGHT["muted"],
        "automargin": True,
        "title": {"font": {"size": 12, "color": LIGHT["muted"]}, "standoff": 8},
    }
    across = {"showgrid": False, "ticks": "outside", "ticklen": 4, "tickcolor": LIGHT["muted"], **axis}
    up = {"showline": False, **axis}
    layout: dict[str, Any] = {
        "template": "none",
        "title": {
            "text": title,
            "x": 0.0,
            "xref": "container",
            "xanchor": "left",
            "pad": {"l": 8},
            "font": {"size": 16},
        },
        "font": {"family": FONT, "size": 12, "color": LIGHT["ink"]},
        "paper_bgcolor": LIGHT["paper"],
        "plot_bgcolor": LIGHT["paper"],
        "height": height_px,
        "margin": {"l": 56, "r": 16, "t": 64, "b": 44},
        "hovermode": "x unified",
        "hoverlabel": {
            "font": {"family": FONT, "size": 12, "color": LIGHT["ink"]},
            "bgcolor": LIGHT["paper"],
            "bordercolor": LIGHT["muted"],
        },
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "font": {"size": 12}},
        "showlegend": True,
    }
    if rows == 1 and not subplots:  # a layout given at once takes a fifth of what changing one takes
        return Figure(layout=layout | {"xaxis": across, "yaxis": up})
    given = {"vertical_spacing": 0.06} | subplots
    start = make_subplots(rows=rows, shared_xaxes=rows > 1, figure=Figure(layout=layout), **given)
    start.update_xaxes(across)
    start.update_yaxes(up)
    return start


def dark(fig: Figure) -> Figure:
    """Copy of a figure in the colours of `DARK`."""
    from plotly.graph_objects import Figure

    return Figure(exchange(fig.to_plotly_json(), dict(zip(LIGHT.values(), DARK.values(), strict=True))))


def exchange(value: Any, colours: Mapping[str, str]) -> Any:  # noqa: ANN401
    """Exchange colours (``#rrggbb``, with or without opacity) anywhere in nested lists and dicts."""
    if isinstance(value, str):
        return colours.get(value[:7], value[:7]) + value[7:] if value.startswith("#") else value
    if isinstance(value, dict):
        return {key: exchange(item, colours) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [exchange(item, colours) for item in value]
    return value


def lightness(colour: str) -> float:
    """CIELAB L* of ``#rrggbb``, what a grey print keeps. [0 to 100]"""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return float(116 * luminance ** (1 / 3) - 16 if luminance > 0.008856 else 903.3 * luminance)


def pretty(name: str) -> str:
    """Library name for people: ``recip_medium`` becomes ``recip medium``."""
    return name.replace("_", " ")


def colours_of(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Colour and hatching per backup technology, in the order of the study."""
    return {name: backup_style(number) for number, name in enumerate(names)}


def percent(fraction: float) -> str:
    """Write per cent with two digits of what is missing: 0.99934 becomes ``99.934 %``."""
    if math.isnan(fraction):
        return "unknown"
    missing = (1 - fraction) * 100
    if missing <= 0:
        return "100\u00a0%"
    digits = min(6, max(1, 1 - math.floor(math.log10(missing)))) if missing < 10 else 1
    return f"{fraction * 100:.{digits}f}\u00a0%"  # never broken at the end of a line
