"""Region of a study: how it is given, and what it makes of the library's entries at the place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, TypeVar

from sitedesign import library
from sitedesign.errors import Fault, InputError, shown
from sitedesign.library import Entry, Quantity, Region
from sitedesign.library.borders import COUNTRY, region_at
from sitedesign.study.fuels import NATURAL_GAS
from sitedesign.util.gate import text_keys
from sitedesign.weather.site import Site

E = TypeVar("E", bound=Entry)
#: What a study takes unless told otherwise: the region that its site lies in.
OF_SITE: Literal["site"] = "site"
NONE = "none"  # in files and tables, which have no word for nothing
# What is multiplied: the costs of the library, by the kind of the entry.
_COSTS = {
    "pv": ("capex_usd_per_wdc",),
    "wind": ("capex_usd_per_kw",),
    "battery": ("capex_usd_per_kwh", "capex_usd_per_kw"),
    "backup": ("capex_usd_per_kw",),
    "facility": ("shell_usd_per_mw",),
}


def region_of(site: Site) -> Region:
    """Region of the library that a site lies in."""
    return region_at(site.latitude, site.longitude, site.country)


def read_region(given: Any, site: Site | None, faults: list[Fault]) -> Region | Literal["site"] | None:  # noqa: ANN401
    """Read how a region is given.

    Parameters
    ----------
    given : object
        ``site``, None or ``none``, a name or path of the library, an entry, or a mapping of the figures that
        differ from those of the site's region, or of the one that it ``extends``.
    site : Site or None
    faults : list of Fault
        Takes what is wrong.
    """
    where = "study.region"
    if given is None or isinstance(given, Region) or (isinstance(given, str) and given == OF_SITE):
        return given
    if isinstance(given, str):
        return None if given == NONE else _known(given, faults, where)
    if not isinstance(given, Mapping):
        allowed = "must be 'site', None, the name of a region, a sitedesign.library.Region, or a mapping"
        remedy = "For example region='texas', or region={'gas_usd_per_mmbtu': 3.2}."
        faults.append(Fault(where, shown(given), allowed, remedy))
        return OF_SITE
    wrong = text_keys(given, where)
    if wrong:
        faults += wrong
        return OF_SITE
    table = {key: None if isinstance(item, str) and item == NONE else item for key, item in given.items()}
    if "title" in table:  # all of an entry, as a saved design holds it
        return _made(table, faults, where)
    base = table.pop("extends", OF_SITE)
    if base is None and not table:  # a cell with the word none
        return None
    if isinstance(base, str) and base == OF_SITE:
        base = region_of(site) if site is not None else library.region(COUNTRY)
    found = base if isinstance(base, Region) else _known(base, faults, f"{where}.extends")
    if not isinstance(found, Region):
        return OF_SITE
    try:
        return found.replace(**table) if table else found
    except InputError as error:
        before = f"region.{found.name}"
        faults += [replace(fault, where=fault.where.replace(before, where, 1)) for fault in error.faults]
    return OF_SITE


def _known(name: Any, faults: list[Fault], where: str) -> Region | Literal["site"]:  # noqa: ANN401
    try:
        return library.region(name)
    except InputError as error:
        faults += [Fault(where, fault.found, fault.allowed, fault.remedy) for fault in error.faults]
    return OF_SITE


def _made(table: Mapping[str, Any], faults: list[Fault], where: str) -> Region | Literal["site"]:
    try:
        return Region(**table)
    except InputError as error:
        faults += [replace(fault, where=fault.where.replace("region", where, 1)) for fault in error.faults]
    return OF_SITE


def in_region(entry: E, region: Region | None) -> E:
    """Entry with the costs of a region in place of the library's; the entry itself without one.

    Parameters
    ----------
    entry : Entry
        Array, farm, battery, backup and hall take the factor of their kind, finance the price of land,
        natural gas its price. What the user has set stays as it is.
    region : Region or None
    """
    if region is None:
        return entry
    if entry.kind == "finance":
        return _with(
            entry, {"land_usd_per_acre": _told(region, "land_usd_per_acre", region.land_usd_per_acre)}
        )
    if entry.kind == "fuel" and entry.name == NATURAL_GAS:
        return _with(
            entry, {"price_usd_per_mmbtu": _told(region, "gas_usd_per_mmbtu", region.gas_usd_per_mmbtu)}
        )
    times = _factors(region).get(entry.kind, 1.0)
    if times == 1.0:
        return entry
    return _with(entry, {name: _times(entry.sources.get(name), times) for name in _COSTS[entry.kind]})


def _factors(region: Region) -> dict[str, float]:
    """Factor on the costs of each kind of entry. [fraction]"""
    return {
        "pv": region.solar_cost_factor,
        "wind": region.wind_cost_factor,
        "battery": region.battery_cost_factor,
        "backup": region.engine_cost_factor,
        "facility": region.hall_cost_factor,
    }


def _told(region: Region, field: str, value: float | None) -> Quantity | None:
    """Give a number of a region with its provenance; None where it has none."""
    known = region.sources.get(field)
    if value is None or known is not None:
        return None if value is None else known
    unit = Region.numbers()[field].unit
    return Quantity(value=value, unit=unit, year=None, source="user", status="user", confidence="user")


def _times(known: Quantity | None, factor: float) -> Quantity | None:
    """Multiply a number and its range."""
    if known is None or not isinstance(known.value, int | float):
        return None
    ends = known.range and (known.range[0] * factor, known.range[1] * factor)
    return known.model_copy(update={"value": known.value * factor, "range": ends})


def _with(entry: E, numbers: Mapping[str, Quantity | None]) -> E:
    """Put numbers into an entry in place of those of the library; those of the user stay."""
    new = {
        name: known
        for name, known in numbers.items()
        if known is not None and name in entry.sources and entry.sources[name].status != "user"
    }
    if not new:
        return entry
    values = {name: known.value for name, known in new.items()}
    return entry.model_copy(update={**values, "sources": {**entry.sources, **new}})


def market_terms(grid: Mapping[str, Any], region: Region) -> dict[str, Any]:
    """Terms of a connection that says none: tariff and firm connection of the market, or a flat price.

    Parameters
    ----------
    grid : mapping
        Fields of the connection as they are given.
    region : Region
    """
    if grid.get("tariff") is not None or grid.get("prices") is not None or grid.get("kind") == NONE:
        return {}
    known = region.market in library.names("tariff")
    tariff = region.market if known else region.electricity_usd_per_mwh
    firm = f"firm_{region.market}"
    new = grid.get("kind") in (None, "firm") and grid.get("model") is None and firm in library.names("grid")
    return ({} if tariff is None else {"tariff": tariff}) | ({"model": firm} if new else {})


_WORDS = {"pv": "solar", "wind": "wind", "battery": "batteries", "backup": "backup", "facility": "hall"}


def region_note(region: Region, gas_usd_per_mmbtu: float | None, transport: str | None) -> str:
    """Say what a region brings.

    Parameters
    ----------
    region : Region
    gas_usd_per_mmbtu : float or None
        Price of natural gas that the region brings; None where it brings none. [USD/MMBtu]
    transport : str or None
        Transport of natural gas that the region brings.
    """
    said = [] if gas_usd_per_mmbtu is None else [f"natural gas at {gas_usd_per_mmbtu:g} USD/MMBtu"]
    said += [f"{transport} transport of gas"] if transport == "interruptible" else []
    if region.land_usd_per_acre is not None:
        said.append(f"land at {region.land_usd_per_acre:,.0f} USD/acre")
    factors = [f"{_WORDS[kind]} {times:g}" for kind, times in _factors(region).items() if times != 1.0]
    said += [f"costs times {', '.join(factors)}"] if factors else []
    if not said:
        return f"Region: {region.title}; the library's hold, which are of the United States."
    return f"Region {region.title}: {', '.join(said)}. region=None leaves the library's own."
