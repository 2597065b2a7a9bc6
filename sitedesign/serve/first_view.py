"""The page as plain HTML, which a browser paints while the scripts that replace it are on their way."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from nicegui import ui
from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

from sitedesign.serve import mapdata

_PLAIN = ("div", "h1", "h2", "h3", "main", "section", "span", "table", "tbody", "td", "th", "thead", "tr")
_FIELDS = ("q-input", "nicegui-input", "nicegui-select")
#: Colours of the screen before the framework asks for them.
_DARK = 'matchMedia("(prefers-color-scheme: dark)").matches && document.body.classList.add("body--dark")'


def first_view(*parts: Element) -> str:
    """Draw elements of a page that is built: its words, boxes for its fields, and the map."""
    inside = "".join(piece for part in parts for piece in _drawn(part))
    return f'<script>{_DARK}</script><div class="first-view" aria-hidden="true" inert>{inside}</div>'


def _drawn(element: Element) -> Iterator[str]:
    if not element.visible:
        return
    if isinstance(element, ui.leaflet):
        yield f'<div class="map">{mapdata.sketch()}</div>'
    elif element.tag in _FIELDS:
        yield from _field(element)
    elif isinstance(element, ui.button | ui.tab | ui.expansion):
        kind = type(element).__name__.lower()
        yield f'<div class="{_classes(element, kind)}">{escape(str(element.props.get("label") or ""))}</div>'
    elif element.tag in _PLAIN or isinstance(element, ui.header | ui.link | ui.tabs):
        tag = element.tag if element.tag in _PLAIN else "div"
        words = escape(element.text) if isinstance(element, TextElement) else ""
        style = escape(";".join(f"{name}:{value}" for name, value in element.style.items()))
        yield f'<{tag} class="{_classes(element)}" style="{style}">{words}'
        for child in element.default_slot.children:
            yield from _drawn(child)
        yield f"</{tag}>"


def _field(element: Element) -> Iterator[str]:
    """Box of a field with its label and what stands in it, and its hint below."""
    props = element.props
    value = _words(props.get("model-value") or getattr(element, "value", None))
    label, hint = (escape(str(props.get(name) or "")) for name in ("label", "hint"))
    yield f'<div class="{_classes(element, "field")}"><div class="box"><small>{label}</small>{value}</div>'
    yield f'<div class="hint">{hint}</div></div>' if hint else "</div>"


def _words(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, dict):
        value = value.get("label")
    if isinstance(value, list):
        return ", ".join(_words(one) for one in value)
    return "" if value is None else escape(str(value))


def _classes(element: Element, *more: str) -> str:
    return escape(" ".join([*more, *element.classes]))
