"""The study of a design as a TOML file that people read and ``sd.read_study`` reads back."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from sitedesign import library
from sitedesign.errors import SiteDesignError
from sitedesign.report.content import study_file
from sitedesign.results.design import Design
from sitedesign.study.inputs import StudyInputs
from sitedesign.study.toml_file import make_study
from sitedesign.util.inputs import declared
from sitedesign.util.toml_text import toml_key, toml_value

_EQUIPMENT = [name for name, item in declared(StudyInputs).items() if item.sort == "entry"]
_UNWRITTEN = ("name", "kind", "title", "sources", "status", "confidence")


def study_toml(design: Design) -> str | None:
    """Write the question of a design; equipment by name, with the numbers that the user changed.

    Parameters
    ----------
    design : Design

    Returns
    -------
    str or None
        None where no short file gives the same question again, as with equipment from files of the user's.
    """
    try:
        text = _document(design)
        again = make_study(tomllib.loads(text)).to_dict()
    except SiteDesignError:
        return None
    asked = study_file(design)
    return text if {name: again[name] for name in asked} == asked else None


def _document(design: Design) -> str:
    asked = {name: value for name, value in study_file(design).items() if value is not None}
    weather = design.study.get("weather")
    top = [] if weather is None else [f"# The weather was: {' '.join(weather.split())}"]
    tables: list[str] = []
    for name, value in asked.items():
        shown = _equipment(name, value) if name in _EQUIPMENT else _given(value)
        shown = value if name == "unit_rules" else shown  # of which an empty one says something
        if isinstance(shown, Mapping):
            tables += _table(name, shown)
        elif isinstance(shown, list) and any(isinstance(item, Mapping) for item in shown):
            for item in shown:
                tables += _table(name, item if isinstance(item, Mapping) else {"extends": item}, "[[{}]]")
        else:
            top.append(f"{name} = {toml_value(shown)}")
    return "\n".join([*top, *tables]) + "\n"


def _equipment(field: str, value: Any) -> Any:  # noqa: ANN401
    """Name of a library entry, or a table that extends it by what the user changed."""
    if isinstance(value, list):
        return [_equipment(field, item) for item in value]
    if isinstance(value, str):  # a region as a word
        return value
    own = library.entry(field, value["name"]).model_dump(mode="json")
    changed = {
        key: "none" if given is None else given
        for key, given in value.items()
        if key not in _UNWRITTEN and given != own[key]
    }
    return {"extends": value["name"]} | changed if changed else value["name"]


def _given(value: Any) -> Any:  # noqa: ANN401
    """Leave out what TOML has no word for."""
    if isinstance(value, Mapping):
        kept = {key: _given(item) for key, item in value.items() if item is not None}
        return {key: item for key, item in kept.items() if item != {}}
    return [_given(item) for item in value] if isinstance(value, list) else value


def _table(name: str, content: Mapping[str, Any], head: str = "[{}]") -> list[str]:
    """Lines of a table; an empty one is written only inside another."""
    plain = [
        f"{toml_key(key)} = {toml_value(item)}"
        for key, item in content.items()
        if not isinstance(item, Mapping)
    ]
    inner = [item for item in content.items() if isinstance(item[1], Mapping)]
    lines = ["", head.format(name), *plain] if plain or (not content and "." in name) else []
    return lines + [line for key, item in inner for line in _table(f"{name}.{toml_key(key)}", item)]
