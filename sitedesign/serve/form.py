"""What the planner asks, and how the answers become a study; nothing here knows the browser."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from sitedesign import library
from sitedesign.components.grid_connection import curtailment_of
from sitedesign.components.price_series import PriceSeries, read_prices
from sitedesign.errors import Fault, InputError
from sitedesign.finance.annual_cost import HOURS_PER_YEAR
from sitedesign.library import Battery, Pv
from sitedesign.serve.fields import (
    FILES,
    Answers,
    Field,
    Group,
    Numbers,
    Uploaded,
    declared_fields,
    fraction,
    titles,
    whole,
)
from sitedesign.study.demand import LOAD
from sitedesign.study.fuels import FUELS
from sitedesign.study.grid_inputs import GRID, GridInputs
from sitedesign.study.inputs import DETAILS, EQUIPMENT, PLACE, PRICES, TANK_H, WEATHER, StudyInputs
from sitedesign.study.limits import LIMITS, Limits
from sitedesign.study.reserve import RESERVE, Reserve
from sitedesign.study.study import Study
from sitedesign.util.inputs import declared
from sitedesign.weather.site import Site

_SIZES = {"racks": "racks", "it_mw": "MW of IT power", "gpus": "GPUs"}
_FUEL, _TANKS, _SURPLUS = "fuel_price_usd_per_mmbtu", "tank_h", "surplus"
#: Heading of what makes a hub of an island.
HUB = "Grid and surplus"


@cache
def groups() -> tuple[Group, ...]:
    """Everything that the form asks, choices and hints as the library gives them."""
    equipment = declared_fields(EQUIPMENT)
    return (
        Group(PLACE, _place()),
        Group(LOAD, _load()),
        Group(EQUIPMENT, tuple(field for field in equipment if field.name != _SURPLUS)),
        Group(HUB, _grid() + tuple(field for field in equipment if field.name == _SURPLUS), folded=True),
        Group(PRICES, _prices(), folded=True),
        Group(LIMITS, declared_fields(LIMITS, Limits, "limits.") + declared_fields(LIMITS), folded=True),
        Group(RESERVE, _reserve(), folded=True),
        Group(WEATHER, declared_fields(WEATHER), folded=True),
        Group(DETAILS, declared_fields(DETAILS) + _tanks(), folded=True),
    )


def defaults() -> dict[str, Any]:
    """Answers of a form that nobody has touched."""
    return {field.name: field.default for group in groups() for field in group.fields}


def uptime_hint(percent: Any) -> str:  # noqa: ANN401
    """Say what an uptime leaves, in hours or minutes a year; empty for what is no uptime."""
    if not isinstance(percent, int | float) or not 0 < percent < 100:
        return ""
    hours = (1 - percent / 100) * HOURS_PER_YEAR
    return f"Leaves {hours:.3g} hours a year." if hours >= 1 else f"Leaves {hours * 60:.2g} minutes a year."


def connection_hints(model: Any) -> dict[str, str]:  # noqa: ANN401
    """Say what the library knows of a connection, by the field that may say otherwise."""
    if model not in library.names("grid"):
        return dict.fromkeys(("grid.mw", "grid.months", "grid.curtailment", "grid.capital_usd_per_kw"), "")
    entry = library.grid(model)
    calls = curtailment_of(entry)
    return {
        "grid.mw": "As much as pays." if entry.import_mw is None else f"There are {entry.import_mw:g} MW.",
        "grid.months": f"Library: {entry.months_to_energise:g}.",
        "grid.curtailment": "Never called." if calls is None else f"Library: {calls.hours_per_yr:g}.",
        "grid.capital_usd_per_kw": f"Library: {entry.connection_usd_per_kw:g}.",
    }


def _reserve() -> tuple[Field, ...]:
    """Fields of a reserve, which one answer asks for; the others are then a careful owner's."""
    return tuple(
        replace(field, default=None, hint=f"{field.hint} Empty: no reserve at all, or {field.default:g}.")
        for field in declared_fields(RESERVE, Reserve, "reserve.")
    )


def _place() -> tuple[Field, ...]:
    return (
        Field("site.latitude", "Latitude", default=31.76, unit="° north"),
        Field("site.longitude", "Longitude", default=-106.49, unit="° east"),
        Field(
            "site.name",
            "Name",
            kind="text",
            default="El Paso, TX",
            hint="Shown in the results; may be empty.",
        ),
    )


#: Numbers of a connection that may be more than that elsewhere, with their units.
_PLAIN = {"grid.curtailment": "h/yr", "grid.export": "USD/MWh"}
#: Stands in for the tariff; elsewhere the tariff itself is then a number.
_ONE_PRICE = Field("grid.usd_per_mwh", "Or one price", unit="USD/MWh", hint="In place of a tariff.")


def _grid() -> tuple[Field, ...]:
    """Fields of the connection: which one, how much, at what price."""
    asked = {field.name: field for field in declared_fields(GRID, GridInputs, "grid.")}
    for name, unit in _PLAIN.items():
        asked[name] = replace(asked[name], kind="number", default=None, unit=unit)
    model, tariff = asked["grid.model"], asked["grid.tariff"]
    none = {"": "none: an island"}
    asked["grid.model"] = replace(model, kind="choice", options=none | titles("grid"), hint="")
    regions = {"": "none"} | titles("tariff")
    asked["grid.tariff"] = replace(tariff, kind="choice", options=regions, hint="")
    fields: list[Field] = []
    for field in asked.values():
        fields += [field, _ONE_PRICE] if field.name == "grid.tariff" else [field]
    return tuple(fields)


def _tanks() -> tuple[Field, ...]:
    """Hours of fuel on site, of each technology that burns from a tank."""
    fields = []
    for name in library.names("backup"):
        entry = library.backup(name)
        liquid = entry.fuel if entry.second_fuel == "none" else entry.second_fuel
        own = library.fuel(liquid).storage_h if liquid == entry.fuel else entry.second_fuel_tank_h
        if own is not None and 0 < own <= TANK_H.high:
            label = f"Fuel on site: {entry.title[0].lower()}{entry.title[1:]}"
            fields.append(Field(f"{_TANKS}.{name}", label, unit="h", hint=f"At full load. Library: {own:g}."))
    return tuple(fields)


def _load() -> tuple[Field, ...]:
    uptime, *rest = declared_fields(LOAD)
    return (
        Field("amount", "How much", default=100.0),
        Field("size", "of", kind="choice", default="it_mw", options=_SIZES),
        replace(uptime, default=99.9, hint=uptime_hint(99.9)),
        *rest,
    )


def _prices() -> tuple[Field, ...]:
    solar = library.pv("tracker_ac").capex_usd_per_wdc
    battery = library.battery("lfp").capex_usd_per_kwh
    fuels = {name: library.fuel(name) for name in FUELS}
    return (
        Field("pv.capex_usd_per_wdc", "Solar array", unit="USD/Wdc", hint=f"Library: {solar:g} (tracker)."),
        Field("battery.capex_usd_per_kwh", "Battery", unit="USD/kWh", hint=f"Library: {battery:g}."),
        *(
            Field(
                f"{_FUEL}.{name}",
                fuel.title.partition(",")[0],
                unit="USD/MMBtu",
                hint=f"Library: {fuel.price_usd_per_mmbtu:.3g}, delivered.",
            )
            for name, fuel in fuels.items()
        ),
        *declared_fields(PRICES),
    )


def study_of(answers: Answers) -> Study:
    """Build the study that the answers ask for.

    Parameters
    ----------
    answers : mapping of str to object
        By field name, as a browser gives them: numbers as numbers or text, nothing as None or ``""``.

    Raises
    ------
    InputError
        With every fault of every field; :func:`field_of` names the field of each.
    """
    faults: list[Fault] = []
    question = _question(answers, faults)
    own = {_spot(fault) for fault in faults}
    try:
        study = Study(**question)
    except InputError as error:
        # What is already said in the words of the form is not said again in the words of the study
        faults += [_asked_as(fault, answers) for fault in error.faults if _spot(fault) not in own]
    if faults:
        raise InputError(faults, "the form")
    return study


def _asked_as(fault: Fault, answers: Answers) -> Fault:
    """Name the one price where that is what was given in place of a tariff."""
    one_price = fault.where == "study.grid.tariff" and answers.get(_ONE_PRICE.name) not in (None, "")
    return replace(fault, where=f"study.{_ONE_PRICE.name}") if one_price else fault


def _question(answers: Answers, faults: list[Fault]) -> dict[str, Any]:
    """Keywords of the study; what cannot be read is noted and left out."""
    number = Numbers(answers, faults)
    question: dict[str, Any] = {"site": {}, "limits": {}, "grid": {}, "reserve": {}, _FUEL: {}, _TANKS: {}}
    for field in (field for group in groups() for field in group.fields):
        head, _, name = field.name.rpartition(".")
        if field.name in ("amount", "size") or head in ("pv", "battery"):
            continue
        value = _answer(field, answers, number, faults)
        if value is not None:
            (question[head] if head else question)[name] = value
    if str(answers.get("amount") or "").strip() == "":
        faults.append(
            Fault("study.racks", "nothing", "give a number of racks, MW or GPUs", "For example 100 MW.")
        )
    size = answers.get("size")
    question[size if size in _SIZES else "racks"] = whole(number("amount"))
    question |= _priced(answers, number, faults)
    question["grid"] = _connection(question, faults)
    question["reserve"] = question["reserve"] or None
    if question.get("ride_through") == declared(StudyInputs)["ride_through"].default:
        del question["ride_through"]  # left as it stands: a careful owner's practice brings its own
    return question


def _connection(question: Mapping[str, Any], faults: list[Fault]) -> dict[str, Any] | None:
    """Fields of the connection; None where none is asked for."""
    grid = dict(question["grid"])
    if not grid:
        return None
    if "model" not in grid:
        allowed = "is needed beside other answers about a connection"
        faults.append(Fault("study.grid.model", "none", allowed, "Choose one, or clear the others."))
    price = grid.pop("usd_per_mwh", None)
    if price is not None and "tariff" in grid:
        allowed = "one of tariff and price is needed"
        faults.append(Fault("study.grid.usd_per_mwh", "both", allowed, "Clear one of them."))
    elif price is not None:
        grid["tariff"] = price
    for name in ("prices", "export_prices"):
        if name in grid:
            grid[name] = _prices_of(grid[name], f"study.grid.{name}", question["site"], faults)
    return grid


def _prices_of(file: Any, where: str, place: Any, faults: list[Fault]) -> PriceSeries | None:  # noqa: ANN401
    """Read prices that a browser sent, on the clock of the place where that is known."""
    if not isinstance(file, Uploaded):
        faults.append(Fault(where, "no file", "must be a file with prices"))
        return None
    suffix = Path(file.name).suffix.lower()
    if suffix not in FILES:
        faults.append(Fault(where, file.name[:60], f"must be one of {', '.join(FILES)}"))
        return None
    clock: dict[str, Any] = {}
    with suppress(InputError):  # the place says itself what is wrong with it
        site = Site(**place)
        clock = {"utc_offset_h": site.utc_offset_h, "timezone": site.timezone}
    with tempfile.TemporaryDirectory(prefix="sitedesign-") as folder:
        path = Path(folder) / f"prices{suffix}"
        path.write_bytes(file.content)
        try:
            return read_prices(path, where=where, **clock)
        except InputError as error:
            faults += [replace(fault, where=where) for fault in error.faults]
            return None


def _answer(field: Field, answers: Answers, number: Numbers, faults: list[Fault]) -> Any:  # noqa: ANN401
    """Value of one field as the study takes it; None where nothing was said."""
    if field.kind == "file":
        return answers.get(field.name)
    if field.kind == "several":
        return list(answers.get(field.name) or ())
    if field.kind == "number":
        value = number(field.name)
        if not field.in_percent:
            return whole(value)
        part, _, own = field.name.rpartition(".")
        gate = declared(Reserve if part == "reserve" else StudyInputs)[own].gate
        return fraction(field.name, value, gate, faults)
    text = answers.get(field.name)
    text = text.strip() if isinstance(text, str) else text
    return (
        int(text) if isinstance(text, str) and text.isdecimal() and field.kind == "choice" else text or None
    )


def _priced(answers: Answers, number: Numbers, faults: list[Fault]) -> dict[str, Any]:
    """Array and battery, with the user's price where there is one."""
    array, battery_price = answers.get("pv"), number("battery.capex_usd_per_kwh")
    chosen: dict[str, Any] = {"pv": array}
    solar_price = number("pv.capex_usd_per_wdc")
    if array not in library.names("pv"):
        return chosen  # the study says what is wrong with it
    pv = library.pv(str(array))
    if solar_price is not None:
        chosen["pv"] = _replaced(pv, {"capex_usd_per_wdc": solar_price}, faults)
    if battery_price is not None:
        battery = library.battery("lfp_dc" if pv.coupling == "dc" else "lfp")
        chosen["battery"] = _replaced(battery, {"capex_usd_per_kwh": battery_price}, faults)
    return chosen


def _replaced(entry: Pv | Battery, change: dict[str, float], faults: list[Fault]) -> Pv | Battery:
    try:
        return entry.replace(**change)
    except InputError as error:
        faults += error.faults
        return entry


def _spot(fault: Fault) -> str:
    """Place of a fault without the entry's name and without positions."""
    where = re.sub(r"\[\d+\]", "", fault.where)
    entry = re.fullmatch(r"(pv|battery)\.[a-z0-9_]+\.([a-z0-9_]+)", where)
    return f"{entry[1]}.{entry[2]}" if entry else where


def field_of(fault: Fault) -> str | None:
    """Field of the form that a fault is about; None where no single field is."""
    name = _spot(fault).removeprefix("study.")
    if name in ("racks", *_SIZES):
        return "amount"
    asked = defaults()
    while "." in name and name not in asked:  # grid.curtailment.hours_per_yr
        name = name.rpartition(".")[0]
    return _WHOLE.get(name, name if name in asked else None)


#: Field beside which is said what is wrong with the whole.
_WHOLE = {"site": "site.latitude", "grid": "grid.model"}
