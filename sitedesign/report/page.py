"""What every page of a report shares: places for figures, templates, the texts they are made of."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from sitedesign.util.display_units import System, text_in

if TYPE_CHECKING:
    from jinja2 import Template
    from plotly.graph_objects import Figure

_TITLE_PX = 30  # the page shows the title as a heading, which can wrap on a phone


@dataclass(frozen=True)
class FigurePanel:
    """A place of the page that shows one figure at a time."""

    name: str
    section: str
    shown: Mapping[str, Figure]
    tabs: tuple[tuple[str, str], ...] = ()
    controls: str = ""

    @property
    def first(self) -> Figure:
        """Figure shown when the page opens."""
        return next(iter(self.shown.values()))

    @property
    def title(self) -> str:
        """Heading above the figure."""
        return str(self.first.layout.title.text)

    @property
    def height(self) -> int:
        """Room kept for the figure. [px]"""
        return int(self.first.layout.height) - _TITLE_PX

    @property
    def note(self) -> str:
        """Line below the figure."""
        return str((self.first.layout.meta or {}).get("note", ""))


def page_figure(figure: Figure) -> dict[str, Any]:
    """Figure as the page draws it: its title is a heading of the page."""
    drawn: dict[str, Any] = figure.to_plotly_json()
    layout = dict(drawn["layout"])
    title = layout.pop("title")["text"]
    layout["height"] -= _TITLE_PX
    layout["margin"] = layout["margin"] | {"t": layout["margin"]["t"] - _TITLE_PX}
    data = [{key: _as_lists(value) for key, value in trace.items()} for trace in drawn["data"]]
    return {"data": data, "layout": layout, "title": title}


def _as_lists(value: Any) -> Any:  # noqa: ANN401
    """Numbers that plotly packed, as lists: they take less room, and scripts of the page read them."""
    if not (isinstance(value, dict) and "bdata" in value):
        return value
    numbers = np.frombuffer(b64decode(value["bdata"]), np.dtype(value["dtype"]))
    shape = [int(size) for size in value.get("shape", str(numbers.size)).split(",")]
    return numbers.reshape(shape).tolist()


_MOST_TEXT = 4000  # longer texts are scripts and data


@cache  # to compile one takes 30 ms
def template_of(name: str, units: System | None = None) -> Template:
    """Template of a page, which may take parts of the others; its texts stand in the units asked for."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    def shown(value: Any) -> Any:  # noqa: ANN401
        return text_in(value, units) if type(value) is str and len(value) <= _MOST_TEXT else value

    environment = Environment(
        loader=FunctionLoader(asset),
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def asset(name: str) -> str:
    """Text of a file that pages are made of."""
    return (files("sitedesign.report") / "template" / name).read_text(encoding="utf-8")
