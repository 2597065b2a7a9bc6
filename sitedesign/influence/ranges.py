"""Numbers of a question that have a range, and the same question with one of them changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sitedesign import library
from sitedesign.case.limits import POLLUTANTS
from sitedesign.errors import Fault, InputError, nearest
from sitedesign.influence.outside import OUTSIDE, outside_entries, reads, with_outside_value
from sitedesign.library import Entry, Fuel, Number, PowerPath
from sitedesign.study.inputs import StudyInputs
from sitedesign.study.limits import Limits
from sitedesign.study.study import Study
from sitedesign.util.inputs import Declared, declared

Range = tuple[float, float]
#: Entries of which a study has one; the others it has several of.
_ONE = ("pv", "battery", "rack", "facility", "finance")
_SEVERAL = ("backup", "wind")
#: What a study asks for by `unit_rules`, and by ``ride_through="ups"``.
_RULED = ("start_fuel_full_load_h", "start_wear_usd_per_mw", "min_down_h", "ramp_fraction_per_min")
_PAID = (
    "ride_through_usd_per_kw",
    "ride_through_om_fraction_per_yr",
    "ride_through_life_yr",
    "ride_through_failure_probability",
)
_NOT_UNCERTAIN = ("seed", "weather_years")  # of how it is answered; every end has the same weather years
_THINGS = {"pv": "solar array", "facility": "hall", "power_path": "power path", "grid": "grid connection"}


@dataclass(frozen=True)
class RangedNumber:
    """A number with a range.

    Attributes
    ----------
    key : str
        ``natural_gas.price_usd_per_mmbtu``; ``backup.common_cause_beta_start`` where several technologies
        share one number of the library; ``months_to_power`` for one of the study.
    label : str
        What it is, in words.
    entries : tuple of (str, str)
        Kind and name of the entries that hold it; none for a number of the study.
    field, unit : str
    value, low, high : float
        [unit]
    confidence, source : str
        As the library has it; ``user`` for a range of the user's.
    whole : bool
    """

    key: str
    label: str
    entries: tuple[tuple[str, str], ...]
    field: str
    unit: str
    value: float
    low: float
    high: float
    confidence: str
    source: str
    whole: bool = False


def ranged_numbers(study: Study, ranges: Mapping[str, Range] | None = None) -> list[RangedNumber]:
    """List every number of a question that has a range and that some part of sitedesign reads.

    What several technologies take from one place of the library is one number.

    Parameters
    ----------
    study : Study
    ranges : mapping of str to (float, float), optional
        Ranges of the user's, in place of the library's or for what has none: by ``name.field`` of an entry
        (``lfp.capex_usd_per_kwh``), by ``kind.field``, or by the name of a number of the study or its limits.

    Raises
    ------
    InputError
        If a range is of nothing that the study has, or is none.
    """
    found: dict[Any, RangedNumber] = {}
    for entry in entries_of(study):
        for field in type(entry).numbers():
            known = entry.sources.get(field)
            if (
                known is not None
                and known.range is not None
                and not known.used_by
                and reads(study, entry, field)
                and _limited(study, field)
                and _asked_for(study, entry, field)
            ):
                same = (entry.kind, field, known.value, known.range, known.source)
                found[same] = _number(entry, field, known.range, found.get(same))
    numbers = {number.key: number for number in found.values()}
    for number in _own_ranges(study, ranges or {}):
        taken = set(number.entries)
        numbers = {
            key: other
            for key, other in numbers.items()
            if other.field != number.field or not taken & set(other.entries)
        }
        numbers[number.key] = number
    return list(numbers.values())


def _limited(study: Study, field: str) -> bool:
    """Whether a number can move an answer: what is emitted does where a limit is asked for alone."""
    pollutants = (name for name in POLLUTANTS if f"{name}_kg_per_mmbtu" in field)
    return all(getattr(study.limits, f"{name}_t_per_yr") is not None for name in pollutants)


def _asked_for(study: Study, entry: Entry, field: str) -> bool:
    """Whether a number can move an answer: rules of units, what is paid, what is brought, where asked for."""
    if field in _RULED:
        return entry.name in study.unit_rules
    if field in _PAID:
        return study.ride_through == "ups"
    return field != "lorry_mmbtu" or bool(study.lorries_per_day)


def idle_numbers(study: Study) -> tuple[str, ...]:
    """Keys of the numbers with a range that nothing reads yet: changing them changes no answer."""
    return tuple(
        f"{entry.name}.{field}"
        for entry in entries_of(study)
        for field, known in entry.sources.items()
        if known.range is not None and known.used_by
    )


def entries_of(study: Study) -> list[Entry]:
    """Every library entry that a question uses, with the costs of its region."""
    several = [study.local(entry) for kind in _SEVERAL for entry in getattr(study, kind)]
    second = (study.second_fuel(item) for item in study.backup)
    burnt = [*(study.fuel(item) for item in study.backup), *(fuel for fuel in second if fuel is not None)]
    fuels = {fuel.name: fuel for fuel in reversed(burnt)}.values()
    used = [*(study.local(getattr(study, kind)) for kind in _ONE), *several, *fuels, study.path]
    return [*used, *outside_entries(study)]


def with_value(study: Study, number: RangedNumber, value: float) -> Study:
    """Ask the same question with one number changed.

    Raises
    ------
    InputError
        If the number cannot have that value with all others as they are.
    """
    value = round(value) if number.whole else value
    if not number.entries:
        return _with_input(study, number.field, value)
    kinds = {kind for kind, _ in number.entries}
    changes: dict[str, Any] = {}
    for kind in kinds & set(_ONE):
        changes[kind] = getattr(study, kind).replace(**{number.field: value})
    for kind in kinds & set(_SEVERAL):
        changes[kind] = tuple(
            item.replace(**{number.field: value}) if (kind, item.name) in number.entries else item
            for item in getattr(study, kind)
        )
    own: dict[tuple[str, str], Fuel | PowerPath] = {
        (item.kind, item.name): item for item in study.own_entries
    }
    prices = dict(study.fuel_price_usd_per_mmbtu)
    for kind, name in number.entries:
        if kind == "fuel" and number.field == "price_usd_per_mmbtu" and name in prices:
            changes["fuel_price_usd_per_mmbtu"] = prices | {name: value}
        elif kind in ("fuel", "power_path"):
            fuel = kind == "fuel"
            known = study.priced(name) if fuel else library.entry(kind, name)
            entry = own.get((kind, name)) or known
            changed = entry.replace(**{number.field: value})
            assert isinstance(changed, Fuel | PowerPath)
            own[kind, name] = changed
            changes["own_entries"] = tuple(own.values())
        elif kind in OUTSIDE:
            changes |= with_outside_value(study, kind, name, number.field, value)
    return study.replace(**changes)


def number_of(study: Study, kind: str, name: str, field: str) -> RangedNumber | None:
    """Give one number of a question, whether it has a range or not; None where it has no such entry."""
    for entry in entries_of(study):
        if (entry.kind, entry.name) == (kind, name):
            known = entry.sources.get(field)
            value = float(getattr(entry, field))
            return _number(entry, field, (known and known.range) or (value, value), None)
    return None


def _number(entry: Entry, field: str, limits: Range, before: RangedNumber | None) -> RangedNumber:
    declaration, known = type(entry).numbers()[field], entry.sources.get(field)
    entries = (*(before.entries if before else ()), (entry.kind, entry.name))
    own_name = entry.kind in ("fuel", "tariff", "surplus", *_SEVERAL)
    several = len(entries) > 1
    thing = entry.name.replace("_", " ") if own_name and not several else entry.kind
    return RangedNumber(
        key=f"{entry.kind if several else entry.name}.{field}",
        label=f"{_THINGS.get(thing, thing)}: {_lowered(declaration.meaning)}",
        entries=entries,
        field=field,
        unit=declaration.unit,
        value=float(getattr(entry, field)),
        low=float(limits[0]),
        high=float(limits[1]),
        confidence=known.confidence if known else "",
        source=known.source if known else "",
        whole=declaration.whole,
    )


def _own_ranges(study: Study, ranges: Mapping[str, Range]) -> Iterator[RangedNumber]:
    """Read the ranges of the user's."""
    entries, inputs = entries_of(study), _inputs()
    fields = {entry.name: type(entry).numbers() for entry in entries}
    fields |= {entry.kind: type(entry).numbers() for entry in entries}
    faults: list[Fault] = []
    for key, limits in ranges.items():
        where = f"ranges[{key!r}]"
        name, _, field = key.rpartition(".")
        faults += _limit_faults(where, inputs.get(key), fields.get(name, {}).get(field), limits)
        if not name and key in inputs:
            value = _input_value(study, key)
            if value is None:
                allowed = "is not given in the study: nothing to vary"
                faults.append(Fault(where, "a range", allowed, "Give the study a value of its own."))
                continue
            yield _study_number(inputs[key], value, limits)
        elif field in fields.get(name, {}):
            matching = [entry for entry in entries if name in (entry.name, entry.kind)]
            number: RangedNumber | None = None
            for entry in matching:
                if isinstance(getattr(entry, field), int | float) and reads(study, entry, field):
                    number = _number(entry, field, limits, number)
            if number is None:
                faults.append(Fault(where, "a range", "is of a number that this study does not have"))
            else:
                yield number
        else:
            known = [*inputs, *(f"{thing}.{field}" for thing, held in fields.items() for field in held)]
            allowed = "must name a number of the study, or of an entry as 'lfp.capex_usd_per_kwh'"
            faults.append(Fault(where, repr(key), allowed, nearest(key, known)))
    if faults:
        raise InputError(faults, "sensitivity()")


def _limit_faults(where: str, item: Declared | None, number: Number | None, limits: Range) -> list[Fault]:
    """Find ends that the number cannot have."""
    if item is not None and item.gate is not None:
        return [fault for end in limits for fault in item.gate.faults(where, end)]
    wrong = [number.wrong(end) for end in limits] if number is not None else []
    return [Fault(where, *said) for said in wrong if said is not None]


def _inputs() -> dict[str, Declared]:
    """Single numbers of a study and of its limits."""
    every = declared(StudyInputs) | declared(Limits)
    return {
        name: item for name, item in every.items() if item.sort == "number" and name not in _NOT_UNCERTAIN
    }


def _study_number(item: Declared, value: float, limits: Range) -> RangedNumber:
    label = f"study: {_lowered(item.told.title)}"
    low, high = float(limits[0]), float(limits[1])
    return RangedNumber(
        item.name, label, (), item.name, item.unit, value, low, high, "user", "user", item.kind is int
    )


def _lowered(words: str) -> str:
    """Begin with a small letter, unless it is that of an abbreviation."""
    return words if words[1:2].isupper() else words[0].lower() + words[1:]


def _input_value(study: Study, name: str) -> float | None:
    value = getattr(study.limits, name) if name in Limits.model_fields else getattr(study, name)
    return None if value is None else float(value)


def _with_input(study: Study, name: str, value: float) -> Study:
    if name not in Limits.model_fields:
        return study.replace(**{name: value})
    return study.replace(limits=study.limits.model_dump(exclude_unset=True) | {name: value})
