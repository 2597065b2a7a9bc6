"""What the planner asks, and how the answers become a study; nothing here knows the browser."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import BaseModel

from sitedesign import library
from sitedesign.errors import Fault, InputError
from sitedesign.finance.annual_cost import HOURS_PER_YEAR
from sitedesign.library import Battery, Pv
from sitedesign.study.demand import LOAD
from sitedesign.study.inputs import DETAILS, EQUIPMENT, PLACE, PRICES, WEATHER, StudyInputs
from sitedesign.study.limits import LIMITS, Limits
from sitedesign.study.study import Study
from sitedesign.util.gate import Measure
from sitedesign.util.inputs import Declared, declared

Kind = Literal["text", "number", "choice", "several"]
Answers = Mapping[str, Any]
_SIZES = {"racks": "racks", "it_mw": "MW of IT power", "gpus": "GPUs"}
_FUEL = "fuel_price_usd_per_mmbtu"


@dataclass(frozen=True)
class Field:
    """One thing that the form asks.

    Attributes
    ----------
    name, label : str
        The name is its place in the study, such as ``limits.land_acres``.
    kind : {"text", "number", "choice", "several"}
    default : str, float, tuple or None
    unit : str
        Shown behind a number.
    options : mapping of str to str
        Of a choice: value -> what a person reads.
    hint : str
        Shown below; for a price, what the library says when the field is left empty.
    """

    name: str
    label: str
    kind: Kind = "number"
    default: Any = None
    unit: str = ""
    options: Mapping[str, str] | None = None
    hint: str = ""


@dataclass(frozen=True)
class Group:
    """Fields under one heading; `folded` ones are for those who look for them."""

    title: str
    fields: tuple[Field, ...]
    folded: bool = False


def groups() -> tuple[Group, ...]:
    """Everything that the form asks, choices and hints as the library gives them."""
    return (
        Group(PLACE, _place()),
        Group(LOAD, _load()),
        Group(EQUIPMENT, _declared(EQUIPMENT)),
        Group(PRICES, _prices(), folded=True),
        Group(LIMITS, _declared(LIMITS, Limits, "limits.") + _declared(LIMITS), folded=True),
        Group(WEATHER, _declared(WEATHER), folded=True),
        Group(DETAILS, _declared(DETAILS), folded=True),
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


def _titles(kind: str) -> dict[str, str]:
    return {name: library.entry(kind, name).title for name in library.names(kind)}


def _declared(group: str, model: type[BaseModel] = StudyInputs, prefix: str = "") -> tuple[Field, ...]:
    """Fields of the inputs under one heading, as far as the planner can ask them as they stand."""
    return tuple(
        _field(item, prefix)
        for item in declared(model).values()
        if item.told.group == group and item.told.planner and item.sort not in ("table", "file", "words")
    )


def _field(item: Declared, prefix: str) -> Field:
    told, several = item.told, isinstance(item.default, tuple)
    options: Mapping[str, str] | None = None
    if item.sort == "entry":
        options = _titles(item.name)
    elif item.choices:
        options = told.words or {str(word): str(word) for word in item.choices}
    plain: Kind = "text" if item.sort in ("text", "day") else "number"
    kind: Kind = "several" if several else "choice" if options else plain
    unit, default = item.unit if kind == "number" else "", item.default
    if unit == "fraction":
        unit, default = "%", None if default is None else default * 100
    if kind in ("text", "choice"):
        default = "" if default is None else str(default)
        options = {"": "as it comes"} | dict(options) if options and not default else options
    label = told.title if prefix == "" else f"Most {told.title}"
    return Field(prefix + item.name, label, kind, default, unit, options, f"{item.brief}.")


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


def _load() -> tuple[Field, ...]:
    uptime, *rest = _declared(LOAD)
    return (
        Field("amount", "How much", default=100.0),
        Field("size", "of", kind="choice", default="it_mw", options=_SIZES),
        replace(uptime, default=99.9, hint=uptime_hint(99.9)),
        *rest,
    )


def _prices() -> tuple[Field, ...]:
    solar = library.pv("tracker_ac").capex_usd_per_wdc
    battery = library.battery("lfp").capex_usd_per_kwh
    fuels = {name: library.fuel(name) for name in library.names("fuel")}
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
        *_declared(PRICES),
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
        faults += [fault for fault in error.faults if _spot(fault) not in own]
    if faults:
        raise InputError(faults, "the form")
    return study


def _question(answers: Answers, faults: list[Fault]) -> dict[str, Any]:
    """Keywords of the study; what cannot be read is noted and left out."""
    number = _Numbers(answers, faults)
    question: dict[str, Any] = {"site": {}, "limits": {}, _FUEL: {}}
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
    question[size if size in _SIZES else "racks"] = _whole(number("amount"))
    question |= _priced(answers, number, faults)
    return question


def _answer(field: Field, answers: Answers, number: _Numbers, faults: list[Fault]) -> Any:  # noqa: ANN401
    """Value of one field as the study takes it; None where nothing was said."""
    if field.kind == "several":
        return list(answers.get(field.name) or ())
    if field.kind == "number":
        value = number(field.name)
        return _fraction(field.name, value, faults) if field.unit == "%" else _whole(value)
    text = answers.get(field.name)
    text = text.strip() if isinstance(text, str) else text
    return (
        int(text) if isinstance(text, str) and text.isdecimal() and field.kind == "choice" else text or None
    )


def _priced(answers: Answers, number: _Numbers, faults: list[Fault]) -> dict[str, Any]:
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


def _fraction(name: str, percent: float | None, faults: list[Fault]) -> float | None:
    """Fraction from per cent; the form asks in per cent, so it complains in per cent."""
    gate = declared(StudyInputs)[name].gate
    if percent is None or not isinstance(gate, Measure):
        return None
    fraction = round(percent / 100, 12)
    slip = 0 < percent < 1 or (percent == 1 and gate.above)
    if not slip and gate.wrong(fraction) is None:
        return fraction
    first = "above 1" if gate.above else "1" if gate.low else "0, or 1"
    remedy = f"A fraction was meant? {percent:g} is {percent * 100:.10g} %." if slip else ""
    if name == "uptime" and percent == 100:
        remedy = "No finite plant is never down; try 99.99."
    allowed = f"must be {first} {'and below' if gate.below else 'to'} 100 %"
    faults.append(Fault(f"study.{name}", f"{percent:g} %", allowed, remedy))
    return None


def _whole(value: float | None) -> float | int | None:
    """Whole numbers as such; anything else stays, so that the study can say what is wrong with it."""
    return int(value) if value is not None and value == int(value) else value


@dataclass(frozen=True)
class _Numbers:
    """Reads numbers of the form: None for an empty field, a fault for what is no number."""

    answers: Answers
    faults: list[Fault]

    def __call__(self, name: str) -> float | None:
        value = self.answers.get(name)
        if value is None or str(value).strip() == "":
            return None
        try:
            number = float(str(value).strip())
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return number
        where = "study.racks" if name == "amount" else name
        where = where if where.startswith(("site.", "pv.", "battery.", "study.")) else f"study.{name}"
        self.faults.append(Fault(where, repr(str(value)[:40]), "must be a number"))
        return None


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
    return "site.latitude" if name == "site" else name if name in defaults() else None


def beside_fields(faults: Iterable[Fault]) -> tuple[dict[str, str], list[str]]:
    """Sort faults by field.

    Returns
    -------
    dict of str to str
        What to show beside each field.
    list of str
        What belongs to no field.
    """
    beside: dict[str, str] = {}
    rest: list[str] = []
    for fault in faults:
        field = field_of(fault)
        if field is None:
            rest.append(str(fault))
        else:
            said = f"Got {fault.found}; {fault.allowed.rstrip('.')}. {fault.remedy}".strip()
            beside[field] = f"{beside[field]} {said}" if field in beside else said
    return beside, rest
