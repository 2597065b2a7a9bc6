"""The form of the page: fields as :mod:`sitedesign.serve.form` lists them, and a map to pick the place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import events, ui
from nicegui.elements.mixins.validation_element import ValidationElement

from sitedesign.serve import form
from sitedesign.serve.form import Field, Uploaded

Solve = Callable[[dict[str, Any], bool], Awaitable[None]]
_WHOLE_WIDTH = ("site.name", "rack", "metric", "pv", "backup", "wind", "surplus", "facility", "grid.model")
_MOST_BYTES = 50_000_000  # ten years of prices of every five minutes
_MODES = {"certified": "Certified", "bound": "Bound only"}
_MODE_HINTS = {
    "certified": "Uptime that an operator keeps without foresight, while things fail, on unseen years: "
    "about a minute.",
    "bound": "Perfect foresight, nothing fails: the cost no plant can beat. Seconds.",
}
_MAP = {
    "attributionControl": False,
    "preferCanvas": True,
    "minZoom": 1,
    "maxZoom": 9,
    "worldCopyJump": True,
    "maxBounds": [[-75, -540], [82, 540]],
}


class InputPanel:
    """The form.

    Parameters
    ----------
    solve : callable
        Called with the answers, and whether to certify.
    """

    def __init__(self, solve: Solve) -> None:
        self._solve = solve
        self._inputs: dict[str, ValidationElement[Any] | UploadField] = {}
        self._folds: dict[str, ui.expansion] = {}
        with ui.element("section").classes("asks"):
            for group in form.groups():
                self._group(group)
            self._end()

    @property
    def answers(self) -> dict[str, Any]:
        """Answers by field name."""
        return {name: element.value for name, element in self._inputs.items()}

    def complain(self, beside: dict[str, str], rest: list[str]) -> None:
        """Show what is wrong beside its field, what belongs to no field in a list; nothing clears both."""
        for name, element in self._inputs.items():
            element.error = beside.get(name)
            if name in beside and name in self._folds:
                self._folds[name].open()
        self._faults.set_text("\n".join(rest))
        self._faults.set_visibility(bool(rest))
        if beside or rest:
            ui.notify("Some answers need another look: see the red lines of the form.", type="warning")
            ui.run_javascript("showFirst('.asks .q-field--error, .asks .fault')")

    def _group(self, group: form.Group) -> None:
        if group.folded:
            with ui.expansion(group.title) as fold, ui.element("div").classes("fields"):
                for field in group.fields:
                    self._inputs[field.name] = _input(field)
                    self._folds[field.name] = fold
            if "grid.model" in {field.name for field in group.fields}:
                self._element("grid.model").on_value_change(self._say_connection)
            return
        _heading(group.title)
        if group.title == "Place":
            self._map()
        with ui.element("div").classes("fields"):
            for field in group.fields:
                self._inputs[field.name] = _input(field)
        if group.title == "Place":
            for name in ("site.latitude", "site.longitude"):
                self._element(name).on_value_change(self._move_mark)
        if group.title == "Load":
            self._element("uptime").on_value_change(self._say_hours)

    def _element(self, name: str) -> ValidationElement[Any]:
        """Field that is no file."""
        element = self._inputs[name]
        assert isinstance(element, ValidationElement)
        return element

    def _map(self) -> None:
        start = form.defaults()
        place = (start["site.latitude"], start["site.longitude"])
        with ui.leaflet(center=(36, -98), zoom=3, options=_MAP) as self._world:
            self._world.clear_layers()  # its tiles would come from the network
        look = {"radius": 7, "color": "#ffffff", "weight": 2, "fillColor": "#d8431f", "fillOpacity": 1}
        self._mark = self._world.generic_layer(name="circleMarker", args=[list(place), look])
        self._world.on("map-click", self._pick, args=["latlng"])
        self._world.on("init", lambda: ui.run_javascript(f"drawWorld(getElement({self._world.id}).map)"))
        ui.label("Click the map, or type the coordinates.").classes("hint")

    def _pick(self, event: events.GenericEventArguments) -> None:
        place = event.args["latlng"]
        self._inputs["site.latitude"].value = round(float(place["lat"]), 3)
        self._inputs["site.longitude"].value = round((float(place["lng"]) + 180) % 360 - 180, 3)
        self._inputs["site.name"].value = ""  # the old name is of another place

    def _move_mark(self) -> None:
        latitude, longitude = (self._inputs[name].value for name in ("site.latitude", "site.longitude"))
        if isinstance(latitude, int | float) and isinstance(longitude, int | float):
            self._mark.run_method("setLatLng", [latitude, longitude])

    def _say_hours(self) -> None:
        element = self._element("uptime")
        element.props["hint"] = form.uptime_hint(element.value)

    def _say_connection(self) -> None:
        for name, hint in form.connection_hints(self._inputs["grid.model"].value).items():
            self._element(name).props["hint"] = hint

    def _end(self) -> None:
        """How sure the answer shall be, and the button."""
        _heading("How sure")
        mode = ui.toggle(_MODES, value="certified").props("no-caps spread dense unelevated")
        hint = ui.label(_MODE_HINTS["certified"]).classes("hint")
        mode.on_value_change(lambda: hint.set_text(_MODE_HINTS[mode.value]))
        self._faults = ui.label().classes("fault").props("role=alert")
        self._faults.set_visibility(False)

        async def ask() -> None:
            button.disable()
            try:
                await self._solve(self.answers, mode.value == "certified")
            finally:
                button.enable()

        button = ui.button("Solve", on_click=ask).props("no-caps unelevated").classes("solve")


def _heading(text: str) -> None:
    with ui.element("h2"):
        ui.label(text)


class UploadField:
    """Asks for a file and keeps the last one sent, as other fields keep their value.

    Parameters
    ----------
    field : Field
    """

    def __init__(self, field: Field) -> None:
        self.value: Uploaded | None = None
        self._hint = field.hint
        with ui.element("div").classes("whole upload"):
            self._upload = ui.upload(
                label=field.label, auto_upload=True, max_file_size=_MOST_BYTES,
                on_upload=self._take, on_rejected=self._reject,
            )  # fmt: skip
            self._upload.props(f"flat bordered accept={','.join(form.FILES)} aria-label='{field.label}'")
            with ui.element("div").classes("sent"):
                self._said = ui.label(field.hint).classes("hint")
                self._remove = ui.button("Remove", on_click=self._clear, color=None)
                self._remove.props("flat dense no-caps").set_visibility(False)

    @property
    def error(self) -> str | None:
        """What is wrong with the file; None where nothing is."""
        return self._said.text if "fault" in self._said.classes else None

    @error.setter
    def error(self, error: str | None) -> None:
        self._said.classes(add="fault" if error else "", remove="" if error else "fault")
        self._said.set_text(error or self._words)

    @property
    def _words(self) -> str:
        sent = self.value
        return self._hint if sent is None else f"{sent.name}, {len(sent.content) / 1000:,.0f} kB"

    async def _take(self, event: events.UploadEventArguments) -> None:
        self._show(Uploaded(event.file.name, await event.file.read()))

    def _clear(self) -> None:
        self._show(None)

    def _show(self, sent: Uploaded | None) -> None:
        self.value, self.error = sent, None
        self._remove.set_visibility(sent is not None)
        self._upload.reset()

    def _reject(self) -> None:
        self.error = f"Must be one of {', '.join(form.FILES)}, of at most {_MOST_BYTES / 1e6:,.0f} MB."


def _input(field: Field) -> ValidationElement[Any] | UploadField:
    if field.kind == "file":
        return UploadField(field)
    element: ValidationElement[Any]
    if field.kind == "number":
        element = ui.number(field.label, value=field.default, suffix=field.unit or None)
        element.props["step"] = "any"
    elif field.kind == "text":
        element = ui.input(field.label, value=field.default)
        element.props["maxlength"] = 80
    else:
        several = field.kind == "several"
        value = list(field.default) if several else field.default
        element = ui.select(dict(field.options or {}), label=field.label, value=value, multiple=several)
        if several:
            element.props("use-chips")
    element.props("outlined dense hide-bottom-space")
    element.props["aria-label"] = field.label
    if field.hint:
        element.props["hint"] = field.hint
    if field.name in _WHOLE_WIDTH or field.name.startswith("tank_h."):
        element.classes("whole")
    return element
