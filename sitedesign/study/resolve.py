"""From what a user writes to library entries: names looked up, defaults filled in, faults collected."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from sitedesign import library
from sitedesign.errors import Fault, InputError, shown
from sitedesign.library import Backup, Battery, Fuel, PowerPath, Pv, Region, Wind
from sitedesign.study.demand import LoadClass
from sitedesign.study.grid import Grid
from sitedesign.study.inputs import StudyInputs
from sitedesign.study.limits import Limits
from sitedesign.study.region import OF_SITE, market_terms, read_region, region_of
from sitedesign.study.reserve import Reserve
from sitedesign.study.surplus import Surplus
from sitedesign.study.unit_rules import UnitRules
from sitedesign.util.gate import text_keys
from sitedesign.util.inputs import declared
from sitedesign.weather.site import Site

T = TypeVar("T")


_DEFAULTS = {name: item.default for name, item in declared(StudyInputs).items()}


def _piece(kind: str, value: Any, faults: list[Fault], where: str) -> Any:  # noqa: ANN401
    """Find a piece of equipment given by name, as a mapping or as itself; None where there is a fault."""
    cls = library.KINDS[kind]
    if isinstance(value, Mapping):
        return _made(cls, value, faults, where)
    if isinstance(value, str):
        try:
            return library.entry(kind, value)
        except InputError as error:
            faults += [Fault(where, fault.found, fault.allowed, fault.remedy) for fault in error.faults]
            return None
    if not isinstance(value, cls):
        allowed = f"must be the name of a library entry, or a sitedesign.library.{cls.__name__}"
        faults.append(Fault(where, shown(value), allowed))
        return None
    return value


def resolve(data: dict[str, Any], faults: list[Fault]) -> dict[str, Any]:
    """Replace library names by entries and fill in the defaults that depend on each other."""
    for name in ("rack", "facility", "finance"):
        default = _DEFAULTS[name]
        found = _piece(name, data.get(name, default), faults, f"study.{name}")
        data[name] = found or library.entry(name, default)  # so that the other faults are found
    if data.get("power_paths") is not None and not _pairs(data["power_paths"]):
        found = shown(data.pop("power_paths"))
        faults.append(Fault("study.power_paths", found, "is filled in from pv and battery", "Leave it out."))
    if data.get("power_paths"):
        data["pv"], data["battery"] = data["power_paths"][0]
    else:
        _resolve_paths(data, faults)
    for name in ("backup", "wind"):
        data[name] = _technologies(name, data.get(name, _DEFAULTS[name]), faults)
    if "own_entries" in data:
        data["own_entries"] = _own_entries(data["own_entries"], faults)
    data["surplus"] = takers_of_surplus(data.get("surplus"), faults)
    if data.get("reserve") is not None:
        data["reserve"] = _reserve(data["reserve"], faults)
    if isinstance(data.get("unit_rules"), Mapping):
        data["unit_rules"] = _unit_rules(data["unit_rules"], faults)
    if isinstance(data.get("limits"), Mapping):
        data["limits"] = _limits(data["limits"], faults)
    if data.get("classes") is None:
        data["classes"] = ()
    elif not isinstance(data["classes"], list | tuple):
        allowed = "must be a list of sitedesign.LoadClass, or of mappings of their fields"
        faults.append(Fault("study.classes", shown(data["classes"]), allowed))
        data["classes"] = ()
    else:
        data["classes"] = tuple(
            _class(item, faults, f"study.classes[{number}]") for number, item in enumerate(data["classes"])
        )
    if data.get("site") is None:
        data.pop("site", None)
    elif isinstance(data["site"], Mapping):
        data["site"] = _made(Site, data["site"], faults, "site")
        if data["site"] is None:
            data.pop("site")
    elif not isinstance(data["site"], Site):
        remedy = "For example site=sd.Site(latitude=31.76, longitude=-106.49)."
        faults.append(Fault("study.site", shown(data.pop("site")), "must be a sitedesign.Site", remedy))
    if "region" in data:
        data["region"] = read_region(data["region"], data.get("site"), faults)
    if data.get("grid") is not None:
        data["grid"] = _grid(_on_market(data["grid"], data), faults)
    return data


def _on_market(given: Any, data: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Add the terms of the region's market to a connection that says none."""
    region = data.get("region", OF_SITE)
    if not isinstance(given, Mapping) or region is None or "site" not in data:
        return given
    return {**market_terms(given, region if isinstance(region, Region) else region_of(data["site"])), **given}


_TECHNOLOGIES = {"backup": "['recip_medium', 'diesel']", "wind": "['onshore_6mw_170']"}


def _technologies(kind: str, given: Any, faults: list[Fault]) -> tuple[Any, ...]:  # noqa: ANN401
    """Find the technologies of a kind that may be built."""
    if given is None:
        return ()
    items = [given] if isinstance(given, str | Backup | Wind) else given
    if not isinstance(items, list | tuple):
        counted = kind == "backup" and isinstance(items, Mapping) and "kind" not in items
        remedy = "How many is a limit: backup=['diesel'], limits={'units': {'diesel': (3, 3)}}."
        allowed = f"must be names of technologies, for example {_TECHNOLOGIES[kind]}"
        faults.append(Fault(f"study.{kind}", shown(given), allowed, remedy if counted else ""))
        return ()
    return tuple(_piece(kind, item, faults, f"study.{kind}[{number}]") for number, item in enumerate(items))


_OWN = (Fuel, PowerPath)


def _own_entries(given: Any, faults: list[Fault]) -> tuple[Fuel | PowerPath, ...]:  # noqa: ANN401
    """Read entries that stand in for those of the library: themselves, their files, or their fields."""
    if given is None:
        return ()
    items = [given] if isinstance(given, str | Mapping | Fuel | PowerPath) else given
    allowed = "must be sitedesign.library.Fuel or PowerPath, or the path of such a file"
    if not isinstance(items, list | tuple):
        faults.append(Fault("study.own_entries", shown(given), allowed))
        return ()
    found: list[Fuel | PowerPath] = []
    for number, item in enumerate(items):
        where, kinds = f"study.own_entries[{number}]", {"fuel": Fuel, "power_path": PowerPath}
        if isinstance(item, str) and item.endswith(".toml"):
            try:
                item = library.load(item)
            except InputError as error:
                faults += [replace(fault, where=f"{where}: {fault.where}") for fault in error.faults]
                continue
        elif isinstance(item, Mapping) and item.get("kind") in kinds:
            made: Any = _made(kinds[item["kind"]], item, faults, where)
            if made is None:
                continue
            item = made
        if not isinstance(item, _OWN):
            faults.append(Fault(where, shown(item), allowed))
        elif any((item.kind, item.name) == (other.kind, other.name) for other in found):
            faults.append(Fault(where, f"{item.kind} {item.name!r} twice", "each may be given once"))
        else:
            found.append(item)
    return tuple(found)


def _grid(given: Any, faults: list[Fault]) -> Grid | None:  # noqa: ANN401
    """Read the connection to the grid; one that is not there is none."""
    if isinstance(given, Mapping):
        given = _made(Grid, given, faults, "study.grid")
    elif not isinstance(given, Grid):
        remedy = "For example grid=sd.Grid(mw=100, tariff='ercot')."
        faults.append(Fault("study.grid", shown(given), "must be a sitedesign.Grid, or a mapping", remedy))
        return None
    return None if given is None or given.is_absent else given


def _reserve(given: Any, faults: list[Fault]) -> Reserve | None:  # noqa: ANN401
    """Read the reserve that is asked for."""
    if isinstance(given, Mapping):
        return _made(Reserve, given, faults, "study.reserve")
    if isinstance(given, Reserve):
        return given
    allowed = "must be a sitedesign.Reserve, or a mapping"
    faults.append(Fault("study.reserve", shown(given), allowed, "For example reserve={'n_minus': 1}."))
    return None


def _unit_rules(given: Mapping[Any, Any], faults: list[Fault]) -> dict[str, UnitRules]:
    """Read the rules of each technology named."""
    wrong = text_keys(given, "study.unit_rules")
    faults += wrong
    found: dict[str, UnitRules] = {}
    for name, item in {} if wrong else given.items():
        where, made = f"study.unit_rules.{name}", item
        if isinstance(item, Mapping):
            made = _made(UnitRules, item, faults, where)
        elif not isinstance(item, UnitRules):
            faults.append(Fault(where, shown(item), "must be a sitedesign.UnitRules, or a mapping"))
            made = None
        if made is not None:
            found[name] = made
    return found


def careful(data: Mapping[str, Any]) -> dict[str, Any]:
    """Find what a careful owner's practice adds where a question says nothing; nothing for any other."""
    practice = data.get("practice")
    if not isinstance(practice, str) or practice != "careful":
        return {}
    named = data.get("unit_rules") or {}
    rules: dict[str, Any] = {item.name: UnitRules() for item in data["backup"] if item is not None}
    found: dict[str, Any] = {"unit_rules": rules | dict(named)} if isinstance(named, Mapping) else {}
    found |= {"reserve": Reserve()} if data.get("reserve") is None else {}
    return found | ({} if "ride_through" in data else {"ride_through": "ups"})


def takers_of_surplus(given: Any, faults: list[Fault]) -> tuple[Surplus, ...]:  # noqa: ANN401
    """Read who may take surplus: by name, as a mapping of fields, as itself, or several of them."""
    if given is None:
        return ()
    items = [given] if isinstance(given, str | Mapping | Surplus) else given
    if not isinstance(items, list | tuple):
        allowed = "must be names of library entries, or sitedesign.Surplus"
        faults.append(Fault("study.surplus", shown(given), allowed, "For example ['miner']."))
        return ()
    found = []
    for number, item in enumerate(items):
        where = f"study.surplus[{number}]"
        if isinstance(item, str | Mapping):
            fields = {"model": item} if isinstance(item, str) else item
            item = _made(Surplus, fields, faults, where)
        elif not isinstance(item, Surplus):
            allowed = "must be the name of a library entry, or a sitedesign.Surplus"
            faults.append(Fault(where, shown(item), allowed))
            item = None
        found += [] if item is None else [item]
    return tuple(found)


def _pairs(value: Any) -> bool:  # noqa: ANN401
    """Whether a value is what :func:`_resolve_paths` makes of several arrays."""
    return isinstance(value, tuple) and all(
        isinstance(pair, tuple) and [type(item) for item in pair] == [Pv, Battery] for pair in value
    )


def _limits(given: Mapping[Any, Any], faults: list[Fault]) -> Limits:
    """Read limits; of faulty ones those that are right, so that the other faults are found."""
    before = len(faults)
    made = _made(Limits, given, faults, "study.limits")
    if made is not None:
        return made
    wrong = {re.split(r"[.\[]", fault.where)[2] for fault in faults[before:] if fault.where.count(".") > 1}
    return Limits(**{key: given[key] for key in Limits.model_fields if key in given and key not in wrong})


def _made(cls: type[T], data: Mapping[Any, Any], faults: list[Fault], where: str) -> T | None:
    """Fill in something from a mapping; its faults are told with those of the study, None then."""
    wrong = text_keys(data, where)
    if wrong:
        faults += wrong
        return None
    try:
        return cls(**data)
    except InputError as error:
        faults += [replace(fault, where=f"{where}{_inside(fault.where)}") for fault in error.faults]
    return None


def _inside(where: str) -> str:
    """Part of a location behind its first name: ``.racks`` of ``class.racks``, nothing of ``site``."""
    head = re.match(r"[^.\[]*", where)
    return where[head.end() :] if head else where


def _resolve_paths(data: dict[str, Any], faults: list[Fault]) -> None:
    """Find array and battery, or several pairs of them to choose from."""
    given, stores = data.get("pv", _DEFAULTS["pv"]), data.get("battery", "lfp")
    several = isinstance(given, list | tuple)
    before = len(faults)
    arrays = [
        _piece("pv", item, faults, f"study.pv[{number}]" if several else "study.pv")
        for number, item in enumerate(given if several else [given])
    ]
    stores = list(stores) if isinstance(stores, list | tuple) else [stores]
    stores = [_piece("battery", item, faults, "study.battery") for item in stores]
    if len(faults) > before:
        data |= {"pv": library.pv("tracker_ac"), "battery": library.battery("lfp")}
        return
    if not arrays or not stores:
        faults.append(Fault("study.battery" if arrays else "study.pv", "nothing", "needs at least one entry"))
        data |= {"pv": library.pv("tracker_ac"), "battery": library.battery("lfp")}
        return
    named = data.get("battery", "lfp") == "lfp"
    pairs = tuple((pv, _battery_for(pv, stores, may_swap=several or named)) for pv in arrays)
    data["pv"], data["battery"] = pairs[0]
    if several and len(pairs) > 1:
        data["power_paths"] = pairs


def _battery_for(pv: Any, stores: list[Any], *, may_swap: bool) -> Any:  # noqa: ANN401
    """Battery on the bus of an array: one that is given for it, or the library's cells for the other bus."""
    coupling = getattr(pv, "coupling", "ac")
    for item in stores:
        if getattr(item, "coupling", coupling) == coupling:
            return item
    if may_swap and stores[0] in (library.battery("lfp"), library.battery("lfp_dc")):
        return library.battery("lfp_dc" if coupling == "dc" else "lfp")  # the same cells, rated for the bus
    return stores[0]


def _class(item: Any, faults: list[Fault], where: str) -> Any:  # noqa: ANN401
    """Read one class of load; its faults are told with those of the study."""
    if isinstance(item, LoadClass):
        return item
    made = None
    if isinstance(item, Mapping):
        made = _made(LoadClass, item, faults, where)
    else:
        allowed = "must be a sitedesign.LoadClass, or a mapping of its fields"
        faults.append(Fault(where, shown(item), allowed))
    return made or LoadClass(name="unreadable", racks=1, uptime=0.9)
