"""Fields on the page: an element for each kind of answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from nicegui import events, ui
from nicegui.elements.mixins.validation_element import ValidationElement

from sitedesign.serve.fields import Field, Uploaded

MOST_BYTES = 50_000_000  # ten years of prices of every five minutes
_MOST_ROWS = 60
_WHOLE_WIDTH = (
    "site.name", "rack", "metric", "pv", "backup", "wind", "surplus", "facility", "grid.model", "finance.run",
    "finance.owner", "roadmap.owner", "terms.debt",
)  # fmt: skip


class UploadField:
    """Asks for a file and keeps the last one sent, as other fields keep their value.

    Parameters
    ----------
    field : Field
    changed : callable
        Called when there is another file.
    """

    def __init__(self, field: Field, changed: Callable[[], None]) -> None:
        self._value: Uploaded | None = None
        self._hint = field.hint
        self._changed = changed
        self._suffixes = field.suffixes
        with ui.element("div").classes("whole upload"):
            ui.label(field.label).classes("rows-title")
            self._upload = upload_of(field.suffixes, self._take, self._reject)
            with ui.element("div").classes("sent"):
                self._said = ui.label(field.hint).classes("hint")
                choose = ui.button(
                    "Choose", on_click=lambda: self._upload.run_method("pickFiles"), color=None
                )
                choose.props("flat dense no-caps").props["aria-label"] = f"Choose a file: {field.label}"
                self._remove = ui.button("Remove", on_click=lambda: self._show(None), color=None)
                self._remove.props("flat dense no-caps").set_visibility(False)

    @property
    def value(self) -> Uploaded | None:
        """Last file that was sent."""
        return self._value

    @value.setter
    def value(self, sent: object) -> None:
        self._show(sent if isinstance(sent, Uploaded) else None)

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
        sent = self._value
        return self._hint if sent is None else f"{sent.name}, {len(sent.content) / 1000:,.0f} kB"

    def _choose(self) -> None:
        self._upload.run_method("pickFiles")

    async def _take(self, event: events.UploadEventArguments) -> None:
        self._show(Uploaded(event.file.name, await event.file.read()))

    def _show(self, sent: Uploaded | None) -> None:
        self._value, self.error = sent, None
        self._remove.set_visibility(sent is not None)
        self._upload.reset()
        self._changed()

    def _reject(self) -> None:
        self.error = f"Must be one of {', '.join(self._suffixes)}, of at most {MOST_BYTES / 1e6:,.0f} MB."


class RowsField:
    """Asks for a table whose rows come and go.

    Parameters
    ----------
    field : Field
    changed : callable
        Called when a cell or the number of rows changes.
    """

    def __init__(self, field: Field, changed: Callable[[], None]) -> None:
        self._field, self._changed = field, changed
        self._rows: list[dict[str, Any]] = []
        with ui.element("div").classes("whole rows").props(f"role=group aria-label='{field.label}'"):
            ui.label(field.label).classes("rows-title")
            self._body = ui.element("div")
            self._said = ui.label(field.hint).classes("hint")
            add = ui.button(f"Add to {field.label.lower()}", icon="add", on_click=self._add, color=None)
            add.props("flat dense no-caps size=sm")
        self.value = field.default

    @property
    def value(self) -> list[dict[str, Any]]:
        """Cells by column, a mapping a row."""
        return [dict(row) for row in self._rows]

    @value.setter
    def value(self, rows: object) -> None:
        given = rows if isinstance(rows, list | tuple) else ()
        self._rows = [dict(row) for row in given][:_MOST_ROWS]
        self._draw()

    @property
    def error(self) -> str | None:
        """What is wrong with it; None where nothing is."""
        return self._said.text if "fault" in self._said.classes else None

    @error.setter
    def error(self, error: str | None) -> None:
        self._said.classes(add="fault" if error else "", remove="" if error else "fault")
        self._said.set_text(error or self._field.hint)

    def _add(self) -> None:
        if len(self._rows) < _MOST_ROWS:
            self._rows.append({})
            self._draw()
            self._changed()

    def _drop(self, row: dict[str, Any]) -> None:
        self._rows = [item for item in self._rows if item is not row]
        self._draw()
        self._changed()

    def _draw(self) -> None:
        self._body.clear()
        with self._body:
            for number, row in enumerate(self._rows, 1):
                with ui.element("div").classes("row-cells"):
                    for column in self._field.columns:
                        self._cell(column, row, number)
                    gone = ui.button(icon="close", on_click=lambda row=row: self._drop(row), color=None)
                    gone.props(f"flat dense round size=sm aria-label='Remove row {number}'")

    def _cell(self, column: Field, row: dict[str, Any], number: int) -> None:
        element = plain_element(column, row.get(column.name))
        element.props["aria-label"] = f"{column.label}, row {number}"
        element.props.pop("hint", None)

        def keep() -> None:
            row[column.name] = element.value
            self._changed()

        element.on_value_change(keep)


class FlagField:
    """Asks yes or no.

    Parameters
    ----------
    field : Field
    changed : callable
    """

    def __init__(self, field: Field, changed: Callable[[], None]) -> None:
        with ui.element("div").classes("whole"):
            self._box = ui.checkbox(field.label, value=bool(field.default), on_change=changed)
            self._box.props("dense")
            self._said = ui.label("" if field.hint.rstrip(".") == field.label else field.hint).classes("hint")

    @property
    def value(self) -> bool:
        """Whether it is ticked."""
        return bool(self._box.value)

    @value.setter
    def value(self, value: object) -> None:
        self._box.value = bool(value)

    @property
    def error(self) -> str | None:
        """Nothing is wrong with a yes or no."""
        return None

    @error.setter
    def error(self, error: str | None) -> None:
        if error:
            self._said.set_text(error)


Element = ValidationElement[Any] | UploadField | RowsField | FlagField


def input_of(field: Field, changed: Callable[[], None]) -> Element:
    """Element for a field, which tells of every change."""
    if field.kind == "file":
        return UploadField(field, changed)
    if field.kind == "rows":
        return RowsField(field, changed)
    if field.kind == "flag":
        return FlagField(field, changed)
    plain = plain_element(field, list(field.default) if field.kind == "several" else field.default)
    plain.props["aria-label"] = field.label
    if field.name in _WHOLE_WIDTH or field.name.startswith("tank_h."):
        plain.classes("whole")
    plain.on_value_change(changed)
    return plain


def plain_element(field: Field, value: Any) -> ValidationElement[Any]:  # noqa: ANN401
    """Element of one value or of several words."""
    element: ValidationElement[Any]
    if field.kind == "number":
        element = ui.number(field.label, value=value, suffix=field.unit or None)
        element.props["step"] = "any"
    elif field.kind == "text":
        element = ui.input(field.label, value=value)
        element.props["maxlength"] = 80
    else:
        options = dict(field.options or {})
        several = field.kind == "several"
        value = value if several or value in options else None
        element = ui.select(options, label=field.label, value=value, multiple=several)
        if several:
            element.props("use-chips")
    element.props("outlined dense hide-bottom-space")
    if field.hint:
        element.props["hint"] = field.hint
    return element


def upload_of(suffixes: tuple[str, ...], take: Any, reject: Any = None) -> ui.upload:  # noqa: ANN401
    """Take files without a look of its own: a button opens the choice."""
    upload = ui.upload(auto_upload=True, max_file_size=MOST_BYTES, on_upload=take, on_rejected=reject)
    return upload.props(f"accept={','.join(suffixes)}").style("display: none")


def quoted(text: str) -> str:
    """Text as it stands in a script."""
    return json.dumps(text).replace("<", "\\u003c")
