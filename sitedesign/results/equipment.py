"""What an engineer takes over from a design: a schedule of equipment, a register of assumptions, hours."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from sitedesign import library
from sitedesign.case.case import NOTHING
from sitedesign.components.lead_times import backup_months
from sitedesign.library import Backup, Battery, Entry, Pv, Rack, Wind
from sitedesign.library.tables import format_value
from sitedesign.results.design import Design
from sitedesign.study.inputs import StudyInputs
from sitedesign.util.display_units import System, in_units
from sitedesign.util.gate import Measure
from sitedesign.util.inputs import declared


class ScheduleLine(NamedTuple):
    """One line of a schedule of equipment."""

    tag: str
    equipment: str
    rating: str
    bus: str
    on_site: str = ""
    lead_months: float | None = None
    fuel: str = ""
    source: str = ""


class Assumption(NamedTuple):
    """One number that a design used."""

    entry: str
    number: str
    value: Any
    unit: str
    low: float | None
    high: float | None
    confidence: str
    status: str
    year: int | None
    source: str
    meaning: str
    note: str


def equipment_schedule(design: Design, units: System = "si") -> pd.DataFrame:
    """List what is built: one line a unit of backup, one a farm of what comes in blocks.

    Parameters
    ----------
    design : Design
    units : {'si', 'us'}
        Of land and heat rate.

    Returns
    -------
    DataFrame
        Columns ``tag, equipment, rating, bus, on_site, lead_months, fuel, source``.
    """
    bus = "DC bus" if design.study["pv"]["coupling"] == "dc" else "MV bus (AC)"
    rack = Rack(**design.study["rack"])
    lines = [
        *_resources(design, bus, units),
        *_battery(design, bus),
        *_units(design, bus, units),
        *_connections(design, bus),
        ScheduleLine("RK", rack.title, f"{design.racks} racks", "rack busbar",
                     f"{rack.gpus} GPUs each", source=_source(rack, "gpus")),
    ]  # fmt: skip
    return pd.DataFrame(lines, columns=list(ScheduleLine._fields))


def _resources(design: Design, bus: str, units: System) -> Iterator[ScheduleLine]:
    pv = Pv(**design.study["pv"])
    turbines = {item["name"]: Wind(**item) for item in design.study.get("wind", [])}
    for name, mw in design.resources_mw.items():
        if mw <= NOTHING:
            continue
        if name in turbines:
            one = turbines[name]
            there = f"{math.ceil(mw / one.unit_mw - 1e-9)} of {one.unit_mw:g} MW"
            yield ScheduleLine(f"WT-{name}", one.title, f"{mw:,.1f} MW", bus, there, one.lead_months,
                               source=_source(one, "capex_usd_per_kw"))  # fmt: skip
            continue
        land, unit = in_units(mw / pv.power_density_mwdc_per_acre, "acres", units)
        yield ScheduleLine("PV", pv.title, f"{mw:,.1f} MWdc", bus, f"{land:,.0f} {unit}, {pv.blocks} blocks",
                           pv.lead_months, source=_source(pv, "capex_usd_per_wdc"))  # fmt: skip


def _battery(design: Design, bus: str) -> Iterator[ScheduleLine]:
    if design.battery_mwh <= NOTHING:
        return
    battery = Battery(**design.study["battery"])
    rating = f"{design.battery_mwh:,.1f} MWh, {design.battery_mw:,.1f} MW"
    containers = f"{design.battery_containers} containers of {battery.container_mwh:g} MWh"
    source = _source(battery, "capex_usd_per_kwh")
    yield ScheduleLine("BESS", battery.title, rating, bus, containers, battery.lead_months, source=source)


def _units(design: Design, bus: str, units: System) -> Iterator[ScheduleLine]:
    entries = {item["name"]: Backup(**item) for item in design.study["backup"]}
    for name, count in design.backup.items():
        entry = entries[name]
        heat, unit = in_units(entry.heat_rate_btu_per_kwh_hhv, "Btu/kWh", units)
        fuel = entry.fuel.replace("_", " ")
        fuel += f", {entry.second_fuel} on site" if entry.second_fuel != "none" else ""
        limit = entry.run_h_per_yr_limit
        told = f"heat rate {heat:,.0f} {unit} HHV" + ("" if limit is None else f", {limit:g} h/yr at most")
        months, source = backup_months(entry, library.schedule()), _source(entry, "unit_mw")
        for number in range(1, count + 1):
            yield ScheduleLine(f"{name}-{number:02d}", entry.title, f"{entry.unit_mw:g} MW", bus, told,
                               months, fuel, source)  # fmt: skip


def _connections(design: Design, bus: str) -> Iterator[ScheduleLine]:
    for kind, sizes in (("import", design.imports_mw), ("taken", design.sinks_mw)):
        for name, mw in sizes.items():
            if mw > NOTHING:
                yield ScheduleLine(name.upper(), name.replace("_", " "), f"{mw:,.1f} MW {kind}", bus)


def _source(entry: Entry, field: str) -> str:
    known = entry.sources.get(field)
    return "" if known is None else known.source


def assumption_register(
    entries: Sequence[Entry], question: Mapping[str, Any], units: System = "si"
) -> pd.DataFrame:
    """List every number that a design used: value, unit, range, confidence, source.

    Parameters
    ----------
    entries : sequence of Entry
        Of the library, changes by the user included.
    question : mapping
        The study as plain values: its own numbers come first.
    units : {'si', 'us'}

    Returns
    -------
    DataFrame
        Columns ``entry, number, value, unit, low, high, confidence, status, year, source, meaning, note``;
        numbers that nothing reads are left out.
    """
    rows = [*_asked(question), *(row for entry in entries for row in _numbers(entry, units))]
    return pd.DataFrame(rows, columns=list(Assumption._fields))


def _numbers(entry: Entry, units: System) -> Iterator[Assumption]:
    """Numbers of one entry that anything reads."""
    for field, number in type(entry).numbers().items():
        known = entry.sources.get(field)
        if known is None or known.used_by:
            continue
        value, low, high, unit = getattr(entry, field), None, None, number.unit
        if isinstance(value, int | float):
            value, unit = in_units(float(value), number.unit, units)
            if known.range is not None:
                low, high = sorted(in_units(float(end), number.unit, units)[0] for end in known.range)
        else:
            value = format_value(value)
        yield Assumption(f"{entry.kind} {entry.name}", field, value, unit, low, high, known.confidence,
                         known.status, known.year, known.source, number.meaning, known.note)  # fmt: skip


def _asked(question: Mapping[str, Any]) -> Iterator[Assumption]:
    """Numbers of the study itself, which are the user's or its defaults."""
    given = {name: question.get(name) for name in declared(StudyInputs)}
    gates = {name: item.gate for name, item in declared(StudyInputs).items()}
    for name, value in given.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            gate = gates[name]
            unit = gate.unit if isinstance(gate, Measure) else ""
            yield _of_study("study", name, value, unit)
    for name, value in (question.get("limits") or {}).items():
        if value:
            yield _of_study("study limits", name, f"{value}", "")


def _of_study(entry: str, name: str, value: Any, unit: str) -> Assumption:  # noqa: ANN401
    words = name.replace("_", " ")
    return Assumption(entry, name, value, unit, None, None, "user", "user", None, "asked for", words, "")


def hourly(design: Design) -> pd.DataFrame:
    """Give every step of every year with every unit: ``design.dispatch`` and a column of each unit."""
    frame = design.dispatch
    return frame if design._units is None else frame.join(design._units)
