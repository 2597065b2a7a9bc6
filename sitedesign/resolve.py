"""From what a user writes to library entries: names looked up, defaults filled in, faults collected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sitedesign import library
from sitedesign.demand import LoadClassRequest
from sitedesign.errors import Fault, InputError
from sitedesign.library import Backup, Battery, Pv
from sitedesign.limits import Limits
from sitedesign.site import Site
from sitedesign.validation import unknown_keys


@dataclass(frozen=True)
class _Kind:
    """How a field that names library entries is resolved."""

    find: Any
    default: str


_ENTRIES = {
    "rack": _Kind(library.rack, "gb200_nvl72"),
    "pv": _Kind(library.pv, "tracker_ac"),
    "facility": _Kind(library.facility, "dry_cooler"),
    "finance": _Kind(library.finance, "default"),
}
# Cheap to run but late, dear to run but soon, cheap to own: the optimiser chooses among them.
DEFAULT_BACKUP = ("recip_medium", "mobile_gt", "diesel")


def _entry(find: Any, value: Any, faults: list[Fault], where: str) -> Any:  # noqa: ANN401
    """Look a name up; anything else goes to pydantic as it is."""
    if not isinstance(value, str):
        return value
    try:
        return find(value)
    except InputError as error:
        faults += [Fault(where, fault.found, fault.allowed, fault.remedy) for fault in error.faults]
        return value


def resolve(data: dict[str, Any], faults: list[Fault]) -> dict[str, Any]:
    """Replace library names by entries and fill in the defaults that depend on each other."""
    for name, kind in _ENTRIES.items():
        if name == "pv":
            continue  # with its battery, below
        data[name] = _entry(kind.find, data.get(name, kind.default), faults, f"study.{name}")
    if data.get("power_paths"):
        data["pv"], data["battery"] = data["power_paths"][0]
    else:
        _resolve_paths(data, faults)
    backup = data.get("backup", DEFAULT_BACKUP)
    backup = [backup] if isinstance(backup, str | Backup) else list(backup or ())
    data["backup"] = tuple(
        _entry(library.backup, item, faults, f"study.backup[{number}]") for number, item in enumerate(backup)
    )
    limits = data.get("limits")
    if isinstance(limits, Mapping):
        faults += unknown_keys("study.limits", limits, Limits.model_fields)
        data["limits"] = {key: value for key, value in limits.items() if key in Limits.model_fields}
    if isinstance(data.get("classes"), list | tuple):
        data["classes"] = tuple(
            _class(item, faults, f"study.classes[{number}]") for number, item in enumerate(data["classes"])
        )
    if isinstance(data.get("site"), Mapping):
        try:
            data["site"] = Site(**data["site"])
        except InputError as error:
            faults += error.faults
            data.pop("site")
    elif not isinstance(data.get("site"), Site | None):
        remedy = "For example site=sd.Site(latitude=31.76, longitude=-106.49)."
        faults.append(Fault("study.site", repr(data.pop("site")), "must be a sitedesign.Site", remedy))
    return data


def _resolve_paths(data: dict[str, Any], faults: list[Fault]) -> None:
    """Find array and battery, or several pairs of them to choose from."""
    given, stores = data.get("pv", _ENTRIES["pv"].default), data.get("battery", "lfp")
    several = isinstance(given, list | tuple)
    arrays = [
        _entry(library.pv, item, faults, f"study.pv[{number}]" if several else "study.pv")
        for number, item in enumerate(given if several else [given])
    ]
    arrays = [Pv(**item) if isinstance(item, Mapping) else item for item in arrays]
    stores = list(stores) if isinstance(stores, list | tuple) else [stores]
    stores = [Battery(**item) if isinstance(item, Mapping) else item for item in stores]
    stores = [_entry(library.battery, item, faults, "study.battery") for item in stores]
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
    if isinstance(item, LoadClassRequest):
        return item
    try:
        if isinstance(item, Mapping):
            return LoadClassRequest(**item)
        faults.append(Fault(where, repr(item), "must be a sitedesign.LoadClass, or a mapping of its fields"))
    except InputError as error:
        faults += [
            Fault(where + fault.where.removeprefix("class"), fault.found, fault.allowed, fault.remedy)
            for fault in error.faults
        ]
        return LoadClassRequest(name="unreadable", racks=1, uptime=0.9)
