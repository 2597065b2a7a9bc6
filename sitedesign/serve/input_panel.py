"""The form of the page: tabs, the fields of each, a map to pick the place, and the button."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from nicegui import ui
from nicegui.elements.mixins.validation_element import ValidationElement

from sitedesign.serve import address, form
from sitedesign.serve.fields import Group
from sitedesign.serve.input_fields import Element, input_of
from sitedesign.serve.place_panel import PlacePanel
from sitedesign.serve.tabs import Tab, defaults, fields, shows, tabs
from sitedesign.study.inputs import PLACE
from sitedesign.util.display_units import System, text_in, unit_in

Solve = Callable[[str, dict[str, Any], bool], Awaitable[None]]
_MODES = {"certified": "Certified", "bound": "Bound only"}
_MODE_HINTS = {
    "certified": "Kept without foresight while things fail, on unseen years: about a minute.",
    "bound": "Perfect foresight, nothing fails: the cost no plant can beat. Seconds.",
}


class InputPanel:
    """The form.

    Parameters
    ----------
    solve : callable
        Called with the name of the tab, the answers, and whether to certify.
    tab : str
    answers : mapping
        Those that are not the usual ones.
    certify : bool
    """

    def __init__(self, solve: Solve, tab: str, answers: Mapping[str, Any], *, certify: bool) -> None:
        self._solve = solve
        self._inputs: dict[str, Element] = {}
        self._folds: dict[str, ui.expansion] = {}
        self._boxes: dict[tuple[str, str], ui.element] = {}
        self._titles: dict[str, str] = {}
        self._units: System | None = None
        self._shown: dict[str, tuple[float, float]] = {}  # what stands in a field, and what it stands for
        self._runs: dict[str, str] = {}
        self._waiting: dict[str, Any] = defaults() | dict(answers)  # of fields that are not there yet
        self.changed = False  # since the address was written
        self._tab = tab
        with ui.element("section").classes("asks").props("aria-label='What is asked'") as box:
            self._hint = ui.label().classes("hint")
            self._own = {one.name: ui.element("div").classes("own") for one in tabs().values() if one.own}
            for group in form.groups():
                self._group(group, "")
            self._end(certify=certify)
        box.on("keydown.enter", self._enter, js_handler="(event) => { if (entersForm(event)) emit(); }")
        self.answer(answers)
        self.turn(tab)
        self.changed = False

    @property
    def tab(self) -> str:
        """Name of the tab that is shown."""
        return self._tab

    @property
    def answers(self) -> dict[str, Any]:
        """Answers by field name."""
        return self._waiting | {name: self._said(name) for name in self._inputs}

    @property
    def query(self) -> str:
        """Tab and answers as the query of an address."""
        return address.to_query(self._tab, self.answers, certify=self.certify, units=self._units)

    @property
    def certify(self) -> bool:
        """Whether a plant shall be certified."""
        return str(self._mode.value) == "certified"

    def answer(self, answers: Mapping[str, Any]) -> None:
        """Fill the form: answers that are given, the usual ones elsewhere."""
        self._waiting = defaults() | dict(answers)
        for name in self._inputs:
            self._put(name, self._waiting[name])
        self._hints()
        self.complain({}, [])

    def measure_in(self, units: System | None) -> None:
        """Ask in the units of a system; the answers stay the same."""
        answers = self.answers
        self._units = units
        self._name_units([*form.groups(), *(group for one in tabs().values() for group in one.own)])
        for name in self._inputs:
            self._put(name, answers[name])
        self.changed = True

    def _name_units(self, groups: Iterable[Group]) -> None:
        for field in (field for group in groups for field in group.fields if field.name in self._inputs):
            element = self._inputs[field.name]
            if isinstance(element, ValidationElement):
                if field.kind == "number" and field.unit:
                    element.props["suffix"] = unit_in(field.unit, self._units)[0]
                if field.hint:
                    element.props["hint"] = text_in(field.hint, self._units)

    def _put(self, name: str, value: Any) -> None:  # noqa: ANN401
        """Show an answer in the units that are asked in."""
        shown = list(value) if isinstance(value, tuple) else value
        factor = unit_in(fields()[name].unit, self._units)[1]
        if factor != 1.0 and isinstance(value, int | float):
            shown = float(f"{value * factor:.6g}")
            self._shown[name] = (shown, value)
        self._inputs[name].value = shown

    def _said(self, name: str) -> Any:  # noqa: ANN401
        """Answer of a field in the units of the library."""
        value = self._inputs[name].value
        factor = unit_in(fields()[name].unit, self._units)[1]
        if factor == 1.0 or not isinstance(value, int | float):
            return value
        shown, exact = self._shown.get(name, (None, None))
        return exact if value == shown else float(f"{value / factor:.10g}")

    def turn(self, name: str) -> None:
        """Show the fields of a tab."""
        self._tab, tab = name, tabs()[name]
        self._build(tab)
        self._hint.set_text(tab.hint)
        for (owner, title), box in self._boxes.items():
            box.set_visibility(owner == name if owner else shows(tab, title))
            box.classes(remove="first") if title != tab.opens else box.classes(add="first")
        if tab.opens:
            self._folds[tab.opens].open()
        self._modes.set_visibility(tab.modes)
        self.changed = True
        self.complain({}, [])

    def _build(self, tab: Tab) -> None:
        """Make the fields of a tab when it is first shown: the page comes sooner without them."""
        if (tab.name, tab.own[0].title) in self._boxes if tab.own else True:
            return
        with self._own[tab.name]:
            for group in tab.own:
                self._group(group, tab.name)
                for field in group.fields:
                    self._put(field.name, self._waiting[field.name])
            self._name_units(tab.own)
        self.choose_among(self._runs)

    def choose_among(self, runs: Mapping[str, str]) -> None:
        """Offer runs by their key to the tab of finance."""
        self._runs = dict(runs)
        choice = self._inputs.get("finance.run")
        if not isinstance(choice, ui.select):
            return
        if choice.options != dict(runs):
            value = choice.value if choice.value in runs else next(iter(runs), None)
            choice.set_options(dict(runs), value=value)

    def complain(self, beside: dict[str, str], rest: list[str]) -> None:
        """Show what is wrong beside its field, what belongs to no field in a list; nothing clears both."""
        for name, element in self._inputs.items():
            element.error = beside.get(name)
            if name in beside and (fold := self._fold_of(name)) is not None:
                fold.open()
        self._faults.set_text("\n".join(rest))
        self._faults.set_visibility(bool(rest))
        if beside or rest:
            count = len(beside) + len(rest)
            text = "One answer needs" if count == 1 else f"{count} answers need"
            ui.notify(f"{text} another look: see the red lines of the form.", type="warning", position="top")
            ui.run_javascript("showFirst('.asks .q-field--error, .asks .fault')")

    def _fold_of(self, name: str) -> ui.expansion | None:
        title = self._titles[name]
        return self._folds.get(title)

    def _group(self, group: Group, owner: str) -> None:
        self._titles |= {field.name: group.title for field in group.fields}
        with ui.element("div").classes("group") as box:
            if group.folded:
                with ui.expansion(group.title) as fold, ui.element("div").classes("fields"):
                    self._fields(group)
                self._folds[group.title] = fold
            else:
                with ui.element("h2"):
                    ui.label(group.title)
                if group.title == PLACE:
                    self._place = PlacePanel(self._picked)
                with ui.element("div").classes("fields"):
                    self._fields(group)
        self._boxes[owner, group.title] = box

    def _fields(self, group: Group) -> None:
        for field in group.fields:
            self._inputs[field.name] = input_of(field, self._change)

    def _change(self) -> None:
        self.changed = True
        self._hints()

    def _hints(self) -> None:
        """Say beside fields what follows from others."""
        self._element("uptime").props["hint"] = form.uptime_hint(self._element("uptime").value)
        for name, hint in form.connection_hints(self._inputs["grid.model"].value).items():
            self._element(name).props["hint"] = hint
        latitude, longitude = (self._inputs[name].value for name in ("site.latitude", "site.longitude"))
        self._place.show(latitude, longitude)

    def _element(self, name: str) -> ValidationElement[Any]:
        """Field of one value."""
        element = self._inputs[name]
        assert isinstance(element, ValidationElement)
        return element

    def _picked(self, latitude: float, longitude: float, name: str) -> None:
        self._inputs["site.latitude"].value = latitude
        self._inputs["site.longitude"].value = longitude
        self._inputs["site.name"].value = name  # the old name is of another place

    def _end(self, *, certify: bool) -> None:
        """How sure the answer shall be, and the button, always in sight."""
        self._faults = ui.label().classes("fault").props("role=alert")
        with ui.element("div").classes("ask"):
            with ui.element("div").classes("modes") as self._modes:
                value = "certified" if certify else "bound"
                self._mode = ui.toggle(_MODES, value=value).props("no-caps spread dense unelevated")
                hint = ui.label(_MODE_HINTS[value]).classes("hint")

            def said() -> None:
                hint.set_text(_MODE_HINTS[str(self._mode.value)])
                self.changed = True

            self._mode.on_value_change(said)
            self._button = ui.button("Solve", on_click=self._enter).props("no-caps unelevated")
            self._button.classes("solve")

    async def _enter(self) -> None:
        if not self._button.enabled:
            return
        self._button.disable()
        try:
            await self._solve(self._tab, self.answers, self.certify)
        finally:
            self._button.enable()
