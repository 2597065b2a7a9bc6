"""Numbers of what stands outside the fence, and the same question with one of them changed.

A connection and a taker of surplus are looked up by name where they are used; what a user says of his own
stands in their place. A number of the library is therefore changed by saying it as a user would.
"""

from __future__ import annotations

from typing import Any

from sitedesign import library
from sitedesign.components.grid_connection import curtailment_of, outages_of
from sitedesign.finance.regional_tariff import regional_tariff
from sitedesign.library import Connection, Entry
from sitedesign.study.grid import Grid
from sitedesign.study.study import Study
from sitedesign.study.surplus import Surplus

#: Kinds of entry that are not held by the study itself.
OUTSIDE = ("grid", "tariff", "surplus")
_OF_CONNECTION = {
    "import_mw": "mw",
    "months_to_energise": "months",
    "connection_usd_per_kw": "capital_usd_per_kw",
    "export_connection_usd_per_kw": "export_capital_usd_per_kw",
    "study_fee_usd": "capital_usd",
}
_OF_WIRES = ("interruptions_per_yr", "interruption_h", "emergencies_per_yr", "emergency_h")
_OF_CALLS = ("curtailed_h_per_yr", "curtailed_energy_fraction", "kept_half_fraction",
             "kept_three_quarters_fraction", "kept_nine_tenths_fraction", "event_h", "longest_event_h",
             "heat_fraction", "weather_correlation", "notice_minutes")  # fmt: skip
_OF_ENERGY = ("energy_usd_per_mwh", "on_peak_factor", "night_factor", "solar_factor", "on_peak_from_h",
              "on_peak_to_h", "night_from_h", "night_to_h", "solar_from_h", "solar_to_h")  # fmt: skip
_OF_SURPLUS = {
    "unit_mw": "unit_mw",
    "usd_per_mwh": "usd_per_mwh",
    "availability": "availability",
    "capex_usd_per_kw": "capital_usd_per_kw",
    "fixed_om_usd_per_kw_yr": "fixed_usd_per_kw_yr",
    "life_yr": "life_yr",
}


def outside_entries(study: Study) -> list[Entry]:
    """Library entries of the connection, its tariff and the takers of surplus, each once."""
    found: dict[tuple[str, str], Entry] = {}
    grid = study.grid
    if grid is not None and not grid.is_absent:
        found["grid", grid.connection.name] = grid.connection
        if isinstance(grid.tariff, str):
            found["tariff", grid.tariff] = library.tariff(grid.tariff)
    for taker in study.surplus:
        if taker.entry is not None:
            found["surplus", taker.entry.name] = taker.entry
    return list(found.values())


def reads(study: Study, entry: Entry, field: str) -> bool:
    """Whether a question reads a number from the library; what a user says of his own it does not.

    The life of a connection is no number of a user's: it has one value for all.
    """
    if entry.kind == "surplus":
        return any(_takes(taker, entry.name, field) for taker in study.surplus)
    if entry.kind not in OUTSIDE or study.grid is None:
        return True
    return _of_tariff(study.grid, field) if entry.kind == "tariff" else _of_connection(study.grid, field)


def with_outside_value(study: Study, kind: str, name: str, field: str, value: float) -> dict[str, Any]:
    """Give what changes in a study when one number of such an entry has another value.

    Raises
    ------
    InputError
        If the number cannot have that value with all others as they are.
    """
    if kind == "surplus":
        changed = {_OF_SURPLUS.get(field, field): value}
        takers = (t.replace(**changed) if _takes(t, name, field) else t for t in study.surplus)
        return {"surplus": tuple(takers)}
    assert study.grid is not None
    grid = study.grid
    if kind == "tariff":
        rates = regional_tariff(library.tariff(name).replace(**{field: value}))
        # Beside prices of every hour a region's own prices of energy say nothing
        rates = rates if grid.prices is None else rates.replace(energy=(), hourly=True)
        return {"grid": grid.replace(tariff=rates)}
    return {"grid": grid.replace(**_connection_change(grid, grid.connection, field, value))}


def _connection_change(grid: Grid, entry: Connection, field: str, value: float) -> dict[str, Any]:
    if field in _OF_CONNECTION:
        return {_OF_CONNECTION[field]: value}
    if field == "line_usd_per_mile":
        once = entry.study_fee_usd if grid.capital_usd is None else grid.capital_usd
        return {"capital_usd": once + grid.line_miles * value, "line_miles": 0.0}
    changed = entry.replace(**{field: value})
    return (
        {"outages": outages_of(changed)} if field in _OF_WIRES else {"curtailment": curtailment_of(changed)}
    )


def _of_connection(grid: Grid, field: str) -> bool:
    if field in _OF_WIRES:
        return grid.outages is None
    if field in _OF_CALLS:
        # Called by the entry's own numbers: a firm entry that may be called takes those of a flexible one
        own = grid.is_flexible and grid.connection.connection == "flexible"
        return own and grid.curtailment is None
    if field == "line_usd_per_mile":
        return grid.line_miles > 0
    if field == "export_connection_usd_per_kw" and not grid.sells:
        return False
    name = _OF_CONNECTION.get(field)
    return name is not None and getattr(grid, name) is None


def _of_tariff(grid: Grid, field: str) -> bool:
    if field == "export_usd_per_mwh":
        return grid.sells and grid.export is None and grid.export_prices is None
    return grid.prices is None or field not in _OF_ENERGY


def _takes(taker: Surplus, name: str, field: str) -> bool:
    """Whether a taker of surplus has a number from an entry of the library."""
    entry = taker.entry
    if entry is None or entry.name != name or getattr(taker, _OF_SURPLUS.get(field, field), None) is not None:
        return False
    return field != "usd_per_mwh" or taker.prices is None
