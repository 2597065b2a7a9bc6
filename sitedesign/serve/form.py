"""What the planner asks, and how the answers become a study; nothing here knows the browser."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sitedesign import library
from sitedesign.errors import Fault, InputError
from sitedesign.finance.annual_cost import HOURS_PER_YEAR
from sitedesign.library import Battery, Pv
from sitedesign.study.inputs import DEFAULT_BACKUP
from sitedesign.study.study import Study

Kind = Literal["text", "number", "choice", "several"]
Answers = Mapping[str, Any]


@dataclass(frozen=True)
class Field:
    """One thing that the form asks.

    Attributes
    ----------
    name, label : str
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
        Group("Place", _place()),
        Group("Load", _load()),
        Group("Equipment", _equipment()),
        Group("Prices", _prices(), folded=True),
        Group("Limits", _limits(), folded=True),
        Group("Weather", _weather(), folded=True),
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


def _place() -> tuple[Field, ...]:
    return (
        Field("latitude", "Latitude", default=31.76, unit="° north"),
        Field("longitude", "Longitude", default=-106.49, unit="° east"),
        Field("name", "Name", kind="text", default="El Paso, TX", hint="Shown in the results; may be empty."),
    )


def _load() -> tuple[Field, ...]:
    sizes = {"racks": "racks", "it_mw": "MW of IT power", "gpus": "GPUs"}
    metrics = {"rack": "rack-hours served", "compute": "compute delivered (racks may be throttled)"}
    uses = {"training": "training", "inference": "inference"}
    return (
        Field("amount", "How much", default=100.0),
        Field("size", "of", kind="choice", default="it_mw", options=sizes),
        Field("rack", "Rack", kind="choice", default="gb200_nvl72", options=_titles("rack")),
        Field("use", "Use", kind="choice", default="training", options=uses),
        Field("uptime", "Uptime", default=99.9, unit="%", hint=uptime_hint(99.9)),
        Field("metric", "Uptime counts", kind="choice", default="rack", options=metrics),
    )


def _equipment() -> tuple[Field, ...]:
    return (
        Field("pv", "Solar array", kind="choice", default="tracker_ac", options=_titles("pv")),
        Field(
            "backup",
            "Backup that may be built",
            kind="several",
            default=DEFAULT_BACKUP,
            options=_titles("backup"),
            hint="The optimiser chooses among them; none at all is possible.",
        ),
        Field("facility", "Cooling", kind="choice", default="dry_cooler", options=_titles("facility")),
    )


def _prices() -> tuple[Field, ...]:
    solar = library.pv("tracker_ac").capex_usd_per_wdc
    battery = library.battery("lfp").capex_usd_per_kwh
    gas, diesel = (library.fuel(name).price_usd_per_mmbtu for name in ("natural_gas", "diesel"))
    return (
        Field("solar_price", "Solar array", unit="USD/Wdc", hint=f"Library: {solar:g} (tracker)."),
        Field("battery_price", "Battery", unit="USD/kWh", hint=f"Library: {battery:g}."),
        Field("gas_price", "Natural gas", unit="USD/MMBtu", hint=f"Library: {gas:g}, delivered."),
        Field("diesel_price", "Diesel", unit="USD/MMBtu", hint=f"Library: {diesel:.3g}, delivered."),
        Field("co2_price", "CO2", default=0.0, unit="USD/t"),
    )


def _limits() -> tuple[Field, ...]:
    return (
        Field("land_acres", "Most land for the array", unit="acres"),
        Field("months_to_power", "Most months to power", unit="months"),
        Field("solar_mw", "Most solar", unit="MWdc"),
        Field("min_renewable", "Least share without backup", unit="%"),
    )


def _weather() -> tuple[Field, ...]:
    return (
        Field("years", "Weather years", default=20.0, hint="Generated from climate statistics."),
        Field("seed", "Seed", default=0.0, hint="The same seed gives the same years."),
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
    question: dict[str, Any] = {
        "site": {"latitude": number("latitude"), "longitude": number("longitude")},
        "rack": answers.get("rack"),
        "use": answers.get("use"),
        "metric": answers.get("metric"),
        "facility": answers.get("facility"),
        "backup": list(answers.get("backup") or ()),
        "uptime": _uptime(number, faults),
        "weather_years": _whole(number("years")),
        "seed": _whole(number("seed")),
        "co2_price_usd_per_t": number("co2_price") or 0.0,
        "limits": {
            name: value
            for name in ("land_acres", "months_to_power", "solar_mw")
            if (value := number(name)) is not None
        },
    }
    name = str(answers.get("name") or "").strip()
    if name:
        question["site"]["name"] = name
    size = answers.get("size")
    if str(answers.get("amount") or "").strip() == "":
        faults.append(
            Fault("study.racks", "nothing", "give a number of racks, MW or GPUs", "For example 100 MW.")
        )
    question[size if size in ("it_mw", "gpus") else "racks"] = _whole(number("amount"))
    share = number("min_renewable")
    if share is not None and 0 < share < 1:
        remedy = f"A fraction was meant? {share:g} is {share * 100:.10g} %."
        faults.append(Fault("study.min_renewable_share", f"{share:g} %", "must be 0, or 1 to 100 %", remedy))
    elif share is not None:
        question["min_renewable_share"] = round(share / 100, 12)
    fuels = {"natural_gas": number("gas_price"), "diesel": number("diesel_price")}
    question["fuel_price_usd_per_mmbtu"] = {fuel: price for fuel, price in fuels.items() if price is not None}
    question |= _priced(answers, number, faults)
    return question


def _priced(answers: Answers, number: _Numbers, faults: list[Fault]) -> dict[str, Any]:
    """Array and battery, with the user's price where there is one."""
    array, battery_price = answers.get("pv"), number("battery_price")
    chosen: dict[str, Any] = {"pv": array}
    solar_price = number("solar_price")
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


def _uptime(number: _Numbers, faults: list[Fault]) -> float | None:
    """Fraction from per cent; the form asks in per cent, so it complains in per cent."""
    percent = number("uptime")
    if percent is None or 1 < percent < 100:
        return None if percent is None else round(percent / 100, 12)
    remedy = "No finite plant is never down; try 99.99." if percent == 100 else ""
    if 0 < percent <= 1:
        remedy = f"A fraction was meant? {percent:g} is {percent * 100:.10g} %."
    faults.append(Fault("study.uptime", f"{percent:g} %", "must be above 1 and below 100 %", remedy))
    return 0.999


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
        where = _WHERE.get(name, f"form.{name}")
        self.faults.append(Fault(where, repr(str(value)[:40]), "must be a number"))
        return None


#: Field -> place in the study, where the names differ or the study looks deeper.
_WHERE = {
    "latitude": "site.latitude",
    "longitude": "site.longitude",
    "name": "site.name",
    "amount": "study.racks",
    "uptime": "study.uptime",
    "years": "study.weather_years",
    "seed": "study.seed",
    "solar_price": "pv.capex_usd_per_wdc",
    "battery_price": "battery.capex_usd_per_kwh",
    "gas_price": "study.fuel_price_usd_per_mmbtu.natural_gas",
    "diesel_price": "study.fuel_price_usd_per_mmbtu.diesel",
    "co2_price": "study.co2_price_usd_per_t",
    "land_acres": "study.limits.land_acres",
    "months_to_power": "study.limits.months_to_power",
    "solar_mw": "study.limits.solar_mw",
    "min_renewable": "study.min_renewable_share",
    "rack": "study.rack",
    "use": "study.use",
    "metric": "study.metric",
    "pv": "study.pv",
    "backup": "study.backup",
    "facility": "study.facility",
}
_FIELD = {where: name for name, where in _WHERE.items()} | {
    "study.it_mw": "amount",
    "study.gpus": "amount",
    "site": "latitude",
}


def _spot(fault: Fault) -> str:
    """Place of a fault without the entry's name and without positions, as `_WHERE` has it."""
    where = re.sub(r"\[\d+\]", "", fault.where)
    entry = re.fullmatch(r"(pv|battery)\.[a-z0-9_]+\.([a-z0-9_]+)", where)
    return f"{entry[1]}.{entry[2]}" if entry else where


def field_of(fault: Fault) -> str | None:
    """Field of the form that a fault is about; None where no single field is."""
    return _FIELD.get(_spot(fault))


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
