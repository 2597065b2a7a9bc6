"""Sets, parameters and variables of the model, with their units.

Power is MW, energy MWh, money thousand USD a year: that puts a MWh of fuel (0.06) and a unit (2,000)
about equally far from 1. With million USD the cost of fuel (0.00006) comes near the solver's tolerance, and
one year takes it more than twice as long. Capacities and annual totals are declared apart from the
step-by-step operation, because a master problem needs only the former.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from sitedesign.case.case import BackupCase, Case, FloatArray, ImportCase, Resource, SinkCase
from sitedesign.case.dispatch import appetite_mwh
from sitedesign.case.limits import ANNUAL_LIMITS, POLLUTANTS, hours_limits
from sitedesign.case.plant_limits import battery_bounds, resource_bounds, resource_most_mw, units_allowed
from sitedesign.case.reserve import full_step
from sitedesign.equations.units import unit

USD_PER_KUSD = 1e3

Chords = tuple[FloatArray, FloatArray]
Flow = BackupCase | ImportCase | SinkCase


@dataclass(frozen=True)
class Symbol:
    """One row of the table of symbols.

    Attributes
    ----------
    name : str
        Name in the code and in LP files.
    latex : str
        Symbol in the equations.
    unit : str
        Empty for a count or a fraction.
    over : tuple of str
        Index sets.
    doc : str
    """

    name: str
    latex: str
    unit: str
    over: tuple[str, ...]
    doc: str


SYMBOLS = (
    Symbol("resource_mw", "S_r", "MW", ("resource",), "Solar array (MWdc), wind farm"),
    Symbol("battery_mwh", "E", "MWh", (), "Battery energy, nameplate"),
    Symbol("battery_mw", "P", "MW", (), "Battery power, charging and discharging alike"),
    Symbol("units", "N_k", "", ("technology",), "Units of a supply: whole ones of backup, MW of an import"),
    Symbol(
        "unit_built", "y_{ki}", "", ("unit",), "Unit i of a technology whose units differ is built, 0 or 1"
    ),
    Symbol("resource_built", "z_r", "", ("resource",), "There is any of the resource, 0 or 1"),
    Symbol("battery_built", "z_E", "", (), "There is a battery, 0 or 1"),
    Symbol("technology_used", "z_k", "", ("technology",), "The technology is used at all, 0 or 1"),
    Symbol("racks", "R", "", (), "Racks installed, integer"),
    Symbol("rack_lost_mwh_per_yr", "L^R", "MWh/yr", (), "Load not computed on because racks are broken"),
    Symbol("months_to_power", "M", "month", (), "Longest lead time of what is built"),
    Symbol("energy_mwh_per_yr", "F_{kl}", "MWh/yr", ("supply_level",), "Energy from a supply at one price"),
    Symbol("sink_units", "X_s", "", ("sink",), "Units of a sink, or MW"),
    Symbol("missed_mwh_per_yr", "W_{sl}", "MWh/yr", ("sink_level",), "What a sink does not get at one value"),
    Symbol(
        "lost_mwh_per_yr",
        "U_c",
        "MWh/yr",
        ("load_class",),
        "Shed load of a class, weighted by the compute it costs",
    ),
    Symbol("curtailed_mw", "q_t", "MW", ("step",), "Power not used"),
    Symbol("charge_mw", "c_t", "MW", ("step",), "Battery charging, at the bus"),
    Symbol("discharge_mw", "d_t", "MW", ("step",), "Battery discharging, at the bus"),
    Symbol("stored_mwh", "e_t", "MWh", ("step",), "Energy in the battery at the end of the step"),
    Symbol("supply_mw", "g_{kt}", "MW", ("technology", "step"), "Output of a supply"),
    Symbol("taken_mw", "x_{st}", "MW", ("sink", "step"), "Power that a sink takes"),
    Symbol(
        "shed_mw", "u_{jt}", "MW", ("tier", "step"), "Load shed in a tier, at most its width times the load"
    ),
)


def declare_capacities(
    m: pyo.ConcreteModel, case: Case, chords: Chords, share: tuple[float, float] | None = None
) -> None:
    """Add what is decided once: capacities, counts and annual totals, and the data their equations read.

    Parameters
    ----------
    m : pyomo.environ.ConcreteModel
        Empty, or without these names.
    case : Case
    chords : tuple of ndarray
        Values and slopes of the rack shortfall from K racks on
        (:func:`sitedesign.case.rack_shortfall.shortfall_chords`). [fraction, fraction per rack]
    share : tuple of float, optional
        Bounds of the share of the load that is there, where that is decided as well; all of it when left out.
        [fraction]
    """
    limits = case.limits
    by_resource = {r.name: r for r in case.resources}
    m.resource = pyo.Set(initialize=list(by_resource), dimen=1)
    names = [b.name for b in case.supplies]
    by_name = dict(zip(names, case.supplies, strict=True))
    sinks = {s.name: s for s in case.sinks}
    alike = [b.name for b in case.supplies if b.capability.shape[0] == 1]
    differing = [
        (b.name, i) for b in case.backup if b.name not in alike for i in range(int(units_allowed(case, b)))
    ]
    m.technology = pyo.Set(initialize=names, dimen=1)
    m.backup_technology = pyo.Set(initialize=[item.name for item in case.backup], dimen=1)
    m.alike_technology = pyo.Set(initialize=alike, dimen=1)
    m.differing_technology = pyo.Set(initialize=[n for n in names if n not in alike], dimen=1)
    m.supply_level = pyo.Set(initialize=_levels(case.supplies), dimen=2)
    m.sink = pyo.Set(initialize=list(sinks), dimen=1)
    m.sink_level = pyo.Set(initialize=_levels(case.sinks), dimen=2)
    wired = {s.name: s.needs for s in case.sinks if s.needs is not None}
    m.wired_sink = pyo.Set(initialize=list(wired), dimen=1)
    m.sink_supply = _param(m.wired_sink, initialize=wired)
    m.unit = pyo.Set(initialize=differing, dimen=2)
    m.later_unit = pyo.Set(initialize=[(k, i) for k, i in differing if i > 0], dimen=2)
    m.load_class = pyo.Set(initialize=[c.name for c in case.classes], dimen=1)
    value, slope = chords
    m.chord = pyo.RangeSet(case.racks_contracted, case.racks_contracted + value.size - 1)
    m.rack_shortfall = _param(m.chord, initialize=dict(zip(m.chord, value.tolist(), strict=True)))
    m.rack_shortfall_slope = _param(m.chord, initialize=dict(zip(m.chord, slope.tolist(), strict=True)))

    _declare_prices(m, case, by_name)
    _declare_reserve(m, case)
    m.resource_mw = pyo.Var(
        m.resource, bounds=lambda _, r: resource_bounds(case, by_resource[r]), units=unit("MW")
    )
    m.battery_mwh = pyo.Var(bounds=battery_bounds(case, limits.battery_mwh), units=unit("MWh"))
    m.battery_mw = pyo.Var(bounds=battery_bounds(case, limits.battery_mw), units=unit("MW"))
    m.units = pyo.Var(
        m.technology,
        domain=lambda _, k: pyo.NonNegativeIntegers if by_name[k].whole else pyo.NonNegativeReals,
        bounds=lambda _, k: (by_name[k].units_min, units_allowed(case, by_name[k])),
    )
    m.sink_units = pyo.Var(
        m.sink,
        domain=lambda _, s: pyo.NonNegativeIntegers if sinks[s].whole else pyo.NonNegativeReals,
        bounds=lambda _, s: (sinks[s].units_min, sinks[s].units_max),
    )
    m.unit_built = pyo.Var(m.unit, domain=pyo.Binary)
    m.technology_used = pyo.Var(m.technology, domain=pyo.Binary)
    m.resource_built = pyo.Var(m.resource, domain=pyo.Binary)
    m.battery_built = pyo.Var(domain=pyo.Binary)
    m.share = _param(initialize=1.0) if share is None else pyo.Var(bounds=share)
    fewest = 0 if share is not None else max(case.racks_contracted, case.racks_min)
    m.racks = pyo.Var(domain=pyo.NonNegativeIntegers, bounds=(fewest, case.racks_max))
    m.rack_lost_mwh_per_yr = pyo.Var(bounds=(0, None), units=unit("MWh/yr"))
    m.months_to_power = pyo.Var(bounds=(0, limits.months_to_power), units=unit("month"))
    m.energy_mwh_per_yr = pyo.Var(m.supply_level, bounds=(0, None), units=unit("MWh/yr"))
    m.missed_mwh_per_yr = pyo.Var(m.sink_level, bounds=(0, None), units=unit("MWh/yr"))
    m.lost_mwh_per_yr = pyo.Var(m.load_class, bounds=(0, None), units=unit("MWh/yr"))


def declare_operation(m: pyo.ConcreteModel, case: Case) -> None:
    """Add what is decided in every step, and the series its equations read.

    Parameters
    ----------
    m : pyomo.environ.ConcreteModel
        With the capacities declared.
    case : Case
    """
    m.step = pyo.RangeSet(1, case.steps)
    m.later_step = pyo.RangeSet(2, case.steps)
    m.tier = pyo.RangeSet(1, len(case.tiers))
    m.step_h = _param(initialize=case.step_h, units=unit("h"), mutable=True)
    m.weather_years = _param(initialize=case.years, units=unit("yr"), mutable=True)
    m.eta_charge = _param(initialize=case.eta_charge)
    m.eta_discharge = _param(initialize=case.eta_discharge)
    classes = [c.name for c in case.classes]
    m.tier_class = _param(
        m.tier,
        initialize={j + 1: classes[tier.load_class] for j, tier in enumerate(case.tiers)},
    )
    m.tier_weight = _param(m.tier, initialize={j + 1: tier.weight for j, tier in enumerate(case.tiers)})
    m.resource_yield = _param(
        m.resource,
        m.step,
        initialize={(r.name, t): y for r in case.resources for t, y in _by_step(r.yield_mw_per_mw).items()},
    )
    m.load_mw = _param(m.step, initialize=_by_step(case.load_mw), units=unit("MW"), mutable=True)
    m.usable = _param(m.step, initialize=_by_step(case.usable))
    m.capability = _param(m.alike_technology, m.step, initialize=_alike_capability(case))
    m.unit_capability = _param(m.unit, m.step, initialize=_unit_capability(case, list(m.unit)))
    m.sink_capability = _param(
        m.sink,
        m.step,
        initialize={(s.name, t): share for s in case.sinks for t, share in _by_step(s.capability[0]).items()},
    )
    m.supply_active_level = _param(m.technology, m.step, default=0, initialize=_active_levels(case.supplies))
    m.sink_active_level = _param(m.sink, m.step, default=0, initialize=_active_levels(case.sinks))

    m.curtailed_mw = pyo.Var(m.step, bounds=(0, None), units=unit("MW"))
    m.charge_mw = pyo.Var(m.step, bounds=(0, None), units=unit("MW"))
    m.discharge_mw = pyo.Var(m.step, bounds=(0, None), units=unit("MW"))
    m.stored_mwh = pyo.Var(m.step, bounds=(0, None), units=unit("MWh"))
    m.supply_mw = pyo.Var(m.technology, m.step, bounds=(0, None), units=unit("MW"))
    m.taken_mw = pyo.Var(m.sink, m.step, bounds=(0, None), units=unit("MW"))
    load, tiers = _by_step(case.load_mw), case.tiers
    m.shed_mw = pyo.Var(
        m.tier, m.step, bounds=lambda _, j, t: (0, tiers[j - 1].width * load[t]), units=unit("MW")
    )


def _param(*over: Any, **given: Any) -> pyo.Param:  # noqa: ANN401 - Pyomo's own
    """Declare data. Without a domain Pyomo makes a set for each: a quarter of the time of a master."""
    return pyo.Param(*over, within=pyo.Any, **given)


def _levels(flows: Sequence[Flow]) -> list[tuple[str, int]]:
    return [(item.name, i) for item in flows for i in range(len(item.levels))]


def _active_levels(flows: Sequence[Flow]) -> dict[tuple[str, int], int]:
    """Level that holds in each step, of those that have several."""
    changing = [(item.name, item.active_level) for item in flows if item.active_level is not None]
    return {(name, t): int(i) for name, series in changing for t, i in enumerate(series.tolist(), start=1)}


def _declare_prices(m: pyo.ConcreteModel, case: Case, by_name: Mapping[str, BackupCase | ImportCase]) -> None:
    def param(value: float, measure: str) -> pyo.Param:
        return _param(initialize=value, units=unit(measure), mutable=True)

    def per_technology(attribute: str, measure: str, scale: float = 1.0) -> pyo.Param:
        values = {k: getattr(b, attribute) * scale for k, b in by_name.items()}
        return _param(m.technology, initialize=values, units=unit(measure), mutable=True)

    def per_level(
        over: pyo.Set, flows: Sequence[Flow], attribute: str, measure: str, scale: float = 1.0
    ) -> pyo.Param:
        values = {
            (item.name, i): getattr(level, attribute) * scale
            for item in flows
            for i, level in enumerate(item.levels)
        }
        return _param(over, initialize=values, units=unit(measure), mutable=True)

    def per_resource(value: Callable[[Resource], float], measure: str) -> pyo.Param:
        values = {r.name: value(r) for r in case.resources}
        return _param(m.resource, initialize=values, units=unit(measure), mutable=True)

    limits = case.limits
    kusd = 1 / USD_PER_KUSD
    m.resource_cost = per_resource(lambda r: r.annual_cost_usd_per_mw * kusd, "kUSD/MW/yr")
    m.battery_energy_cost = param(case.battery_cost_usd_per_mwh_yr * kusd, "kUSD/MWh/yr")
    m.battery_power_cost = param(case.battery_cost_usd_per_mw_yr * kusd, "kUSD/MW/yr")
    m.unit_cost = per_technology("annual_cost_usd_per_unit", "kUSD/yr", kusd)
    m.site_cost = per_technology("site_cost_usd_per_yr", "kUSD/yr", kusd)
    m.marginal_cost = per_level(m.supply_level, case.supplies, "usd_per_mwh", "kUSD/MWh", kusd)
    m.sink_value = per_level(m.sink_level, case.sinks, "usd_per_mwh", "kUSD/MWh", kusd)
    appetite = {(s.name, i): mwh for s in case.sinks for i, mwh in enumerate(appetite_mwh(case, s))}
    m.appetite_mwh_per_yr = _param(m.sink_level, initialize=appetite, units=unit("MWh/yr"), mutable=True)
    m.sink_cost = _param(
        m.sink,
        initialize={s.name: s.annual_cost_usd_per_unit * kusd for s in case.sinks},
        units=unit("kUSD/yr"),
        mutable=True,
    )
    m.sink_units_max = _param(m.sink, initialize={s.name: s.units_max for s in case.sinks})
    m.sink_unit_mw = _param(
        m.sink, initialize={s.name: s.unit_mw for s in case.sinks}, units=unit("MW"), mutable=True
    )
    m.rack_cost = param(case.rack_cost_usd_per_yr * kusd, "kUSD/yr")
    m.fixed_cost = param(case.fixed_usd_per_yr * kusd, "kUSD/yr")
    m.delay_cost = param(case.delay_cost_usd_per_month_yr * kusd, "kUSD/yr/month")
    m.unit_mw = per_technology("unit_mw", "MW")
    m.co2_t_per_mwh = per_level(m.supply_level, case.supplies, "co2_t_per_mwh", "t/MWh")
    for name in POLLUTANTS:
        figure = f"{name}_t_per_mwh"
        setattr(m, figure, per_level(m.supply_level, case.supplies, figure, "t/MWh"))
    limited = {item.name: hours for _, item, hours in hours_limits(case)}
    m.limited_technology = pyo.Set(initialize=list(limited), dimen=1)
    m.run_h_limit = _param(m.limited_technology, initialize=limited, units=unit("h/yr"), mutable=True)
    m.lead_months = per_technology("lead_months", "month")
    m.resource_lead_months = per_resource(lambda r: r.lead_months, "month")
    m.battery_lead_months = param(case.battery_lead_months, "month")
    m.resource_most = per_resource(lambda r: resource_most_mw(case, r), "MW")
    m.battery_most = param(battery_bounds(case, limits.battery_mwh)[1], "MWh")
    m.units_max = _param(m.technology, initialize={k: units_allowed(case, b) for k, b in by_name.items()})
    m.load_mwh_per_yr = param(case.load_mwh_per_yr, "MWh/yr")
    m.racks_contracted = _param(initialize=case.racks_contracted)
    m.uptime_target = _param(m.load_class, initialize={c.name: c.uptime_target for c in case.classes})
    m.load_share = _param(m.load_class, initialize={c.name: c.share for c in case.classes})
    m.lost_value = param(case.lost_value_usd_per_mwh * kusd, "kUSD/MWh")
    m.resource_acres_per_mw = per_resource(lambda r: r.acres_per_mw, "acre/MW")
    m.land_acres = param(limits.land_acres or 0.0, "acre")
    m.min_duration_h = param(limits.min_duration_h or 0.0, "h")
    m.max_duration_h = param(limits.max_duration_h or 0.0, "h")
    m.most_units = _param(initialize=limits.most_units or 0)
    for item in ANNUAL_LIMITS:
        setattr(m, item.name, param(item.given(limits) or 0.0, item.unit))


def _declare_reserve(m: pyo.ConcreteModel, case: Case) -> None:
    """Add what the rows of a reserve read; there are no such rows where none is asked for."""
    rule, full = case.reserve, full_step(case)
    if rule is None or full is None:
        return
    names = [item.name for item in case.supplies]
    m.tripping_technology = pyo.Set(initialize=[item.name for item in case.backup], dimen=1)
    m.tripped_units = _param(initialize=rule.n_minus)
    m.load_step_mw = _param(initialize=rule.load_step_mw, units=unit("MW"), mutable=True)
    m.reserve_needed_mw = _param(initialize=full.needed_mw, units=unit("MW"), mutable=True)
    m.reserve_unit_mw = _param(
        m.technology, initialize=dict(zip(names, full.unit_mw, strict=True)), units=unit("MW"), mutable=True
    )
    m.reserve_yield = _param(m.resource, initialize=dict(zip(m.resource, full.resource_yield, strict=True)))
    spare = {item.name: rule.spare_units for item in case.backup}
    m.spare_units = _param(m.technology, initialize=spare, default=0)


def _by_step(series: FloatArray) -> dict[int, float]:
    return dict(enumerate(series.tolist(), start=1))


def _alike_capability(case: Case) -> dict[tuple[str, int], float]:
    alike = [b for b in case.supplies if b.capability.shape[0] == 1]
    return {(b.name, t): share for b in alike for t, share in _by_step(b.capability[0]).items()}


def _unit_capability(case: Case, units: list[tuple[str, int]]) -> dict[tuple[str, int, int], float]:
    rows = {b.name: b.capability for b in case.backup}
    return {
        (k, i, t): share
        for k, i in units
        for t, share in _by_step(rows[k][min(i, rows[k].shape[0] - 1)]).items()
    }
