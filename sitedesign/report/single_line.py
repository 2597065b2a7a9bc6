"""A single-line sketch: the bus, what feeds it and what it feeds, with ratings; no protection."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from sitedesign.case.case import NOTHING
from sitedesign.results.design import Design

_WIDTH, _STEP, _TOP, _BUS_Y, _LOAD_Y = 150, 158, 66, 190, 250
_MARGIN = 24


@dataclass(frozen=True)
class _Feeder:
    """Symbol in a circle or box, two lines of text, and whether it stands below the bus."""

    symbol: str
    name: str
    rating: str
    below: bool = False


def single_line(design: Design) -> str:
    """Draw the sketch of a design as SVG.

    Parameters
    ----------
    design : Design

    Returns
    -------
    str
    """
    feeders = _feeders(design)
    above = [item for item in feeders if not item.below]
    below = [item for item in feeders if item.below]
    columns = max(len(above), len(below), 1)
    width = 2 * _MARGIN + columns * _STEP
    bus = "DC bus" if design.study["pv"]["coupling"] == "dc" else "medium-voltage bus (AC)"
    parts = [
        f'<svg class="single-line" viewBox="0 0 {width} 350" width="{width}" role="img" '
        'xmlns="http://www.w3.org/2000/svg" font-family="inherit" font-size="12" fill="currentColor">',
        "<title>Single-line sketch</title>",
        f'<line x1="{_MARGIN}" y1="{_BUS_Y}" x2="{width - _MARGIN}" y2="{_BUS_Y}" stroke="currentColor" '
        'stroke-width="5"/>',
        f'<text x="{_MARGIN}" y="{_BUS_Y + 20}">{bus}</text>',
    ]
    parts += [_drawn(item, _MARGIN + (i + 0.5) * _STEP) for i, item in enumerate(above)]
    start = (columns - len(below)) / 2
    parts += [_drawn(item, _MARGIN + (start + i + 0.5) * _STEP) for i, item in enumerate(below)]
    return "".join([*parts, "</svg>"])


def _feeders(design: Design) -> list[_Feeder]:
    found = []
    for name, mw in design.resources_mw.items():
        if mw > NOTHING:
            what, symbol = ("solar array", "PV") if name == "solar" else (name.replace("_", " "), "W")
            found.append(_Feeder(symbol, what, f"{mw:,.0f} MW{'dc' if name == 'solar' else ''}"))
    if design.battery_mwh > NOTHING:
        found.append(_Feeder("B", "battery", f"{design.battery_mwh:,.0f} MWh, {design.battery_mw:,.0f} MW"))
    for name, count in design.backup.items():
        if count:
            rating = f"{count} × {design.backup_unit_mw[name]:.3g} MW"
            found.append(_Feeder("G", name.replace("_", " "), rating))
    found += [_Feeder("~", name, f"{mw:,.0f} MW") for name, mw in design.imports_mw.items() if mw > NOTHING]
    found.append(_Feeder("IT", "racks, cooling", f"{design.racks:,} racks", below=True))
    found += [
        _Feeder("S", name, f"{mw:,.0f} MW", below=True)
        for name, mw in design.sinks_mw.items()
        if mw > NOTHING
    ]
    return found


def _drawn(item: _Feeder, x: float) -> str:
    """Symbol, breaker and wire of one feeder."""
    y = _LOAD_Y + 22 if item.below else _TOP
    near, far = (y - 22, _BUS_Y) if item.below else (y + 22, _BUS_Y)
    middle = (near + far) / 2
    text = y + 40 if item.below else y - 46
    rating = y + 56 if item.below else y - 30
    shape = (
        f'<circle cx="{x:g}" cy="{y}" r="22" fill="none" stroke="currentColor" stroke-width="1.5"/>'
        if item.symbol in ("G", "W", "~")
        else f'<rect x="{x - 24:g}" y="{y - 22}" width="48" height="44" fill="none" stroke="currentColor" '
        'stroke-width="1.5"/>'
    )
    return (
        f'<g text-anchor="middle">{shape}<text x="{x:g}" y="{y + 5}" font-weight="bold">{item.symbol}</text>'
        f'<line x1="{x:g}" y1="{near}" x2="{x:g}" y2="{far}" stroke="currentColor" stroke-width="1.5"/>'
        f'<rect x="{x - 5:g}" y="{middle - 5:g}" width="10" height="10" fill="var(--paper, #fff)" '
        'stroke="currentColor" stroke-width="1.5"/>'
        f'<text x="{x:g}" y="{text}">{escape(item.name)}</text>'
        f'<text x="{x:g}" y="{rating}" opacity="0.75">{escape(item.rating)}</text></g>'
    )
