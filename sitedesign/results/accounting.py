"""From a dispatch to an evaluation: energy, cost, fuel, what goes to site, where the numbers come from."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
import pandas as pd

from sitedesign import library
from sitedesign.case.build import StudyCase, fixed_load_share, it_mw_at_work
from sitedesign.case.case import NOTHING, Case, FloatArray
from sitedesign.case.dispatch import Dispatch, by_flow, split_by_level
from sitedesign.case.plant import Plant, land_acres, slowest_lead
from sitedesign.components.lead_times import hall_months
from sitedesign.components.load import pue
from sitedesign.finance import annual_cost
from sitedesign.finance.depreciation import RecoveryClass, recovery_class
from sitedesign.reliability.estimate import Estimate
from sitedesign.reliability.events import worst_events
from sitedesign.reliability.metrics import UptimeMetrics, uptime_metrics, without_hours
from sitedesign.reliability.replay import rack_shortfall
from sitedesign.results.evaluation import CostItem, CostKind, Evaluation, Provenance, uptime_by
from sitedesign.results.exchange import (
    exchange_co2_t_per_yr,
    exchange_costs,
    exchange_energy,
    exchange_sizes,
    grid_costs,
    surplus_costs,
)
from sitedesign.results.flows import energy_flows
from sitedesign.results.grid_result import GridResult, grid_result
from sitedesign.results.load_classes import contracted_classes, surplus, water_m3_per_yr
from sitedesign.results.permits import UnitDuty, permit_figures
from sitedesign.results.surplus_result import SurplusResult, surplus_results
from sitedesign.study.study import Study
from sitedesign.weather.low_resource import darkest_spells

_PACKAGES = ("pyomo", "highspy", "pvlib", "numpy", "pandas", "numba")


@dataclass(frozen=True, eq=False)
class Actuals:
    """What an operation really took and had, where that is not what the case says.

    Attributes
    ----------
    fuel_mmbtu_per_yr : ndarray, shape (K,)
        Fuel per technology, part load included. [MMBtu/yr]
    part_load_usd_per_yr : ndarray, shape (K,)
        Cost of the fuel above the full-load heat rate, per technology. [USD/yr]
    resources_mw : list of ndarray, shape (T,)
        Power that each resource could give, outages of its blocks included. [MW]
    energy_by_level_mwh_per_yr : ndarray, shape (priced,)
        Level by level in the order of ``Case.flows``: only the operation knows when a fuel was interrupted.
        [MWh/yr]
    fuel_by_level_mmbtu_per_yr : ndarray, shape (levels of all backup,)
        Part load included. [MMBtu/yr]
    unit_duty : UnitDuty
        Hours on and starts of units.
    """

    fuel_mmbtu_per_yr: FloatArray
    part_load_usd_per_yr: FloatArray
    resources_mw: list[FloatArray]
    energy_by_level_mwh_per_yr: FloatArray
    fuel_by_level_mmbtu_per_yr: FloatArray
    unit_duty: UnitDuty


def evaluate_dispatch(
    study_case: StudyCase,
    plant: Plant,
    dispatch: Dispatch,
    operation: Literal["greedy", "foresight", "causal"],
    actuals: Actuals | None = None,
) -> Evaluation:
    """Put figures on a dispatch.

    Parameters
    ----------
    study_case : StudyCase
    plant : Plant
    dispatch : Dispatch
        What the plant did, over all weather years of the case.
    operation : str
        Who decided.
    actuals : Actuals, optional
        Full-load heat rates and the yield of the case when left out.

    Returns
    -------
    Evaluation
    """
    case, extra = study_case.case, surplus(study_case, dispatch)
    energy, grid = _energy(case, dispatch), grid_result(study_case, plant, dispatch)
    takers = surplus_results(study_case, plant, dispatch)
    if extra.classes:
        energy["best_effort"] = float(extra.used_mw.sum()) * case.step_h / case.years
    if actuals is None:
        given = [mw * r.yield_mw_per_mw for r, mw in zip(case.resources, plant.resources_mw, strict=True)]
    else:
        given = actuals.resources_mw
    cost_and_fuel = _cost_and_fuel(study_case, plant, dispatch, energy, actuals, grid, takers)
    spent = _spent(cost_and_fuel["costs"])
    result = Evaluation(
        operation=operation,
        **_asked(study_case),
        **_sizes(case, plant),
        **_uptime(study_case, plant, dispatch, foresight=operation == "foresight"),
        **cost_and_fuel,
        **_on_site(study_case, plant),
        energy_mwh_per_yr=energy,
        flows=energy_flows(case, plant, dispatch, given, spent, cost_and_fuel["second_fuel_mwh_per_yr"]),
        grid=grid,
        surplus=takers,
        classes=contracted_classes(study_case, plant, dispatch) + extra.classes,
        water_m3_per_yr=water_m3_per_yr(study_case, dispatch, extra.it_mwh_per_yr),
        provenance=_provenance(study_case),
    )
    result._dispatch = _frame(study_case, given, dispatch)
    return result


def uptime_of(study_case: StudyCase, plant: Plant, dispatch: Dispatch) -> Estimate:
    """Uptime of a dispatch by the study's metric, as :func:`evaluate_dispatch` has it, and nothing else."""
    return uptime_by(_metric(study_case), _metrics(study_case, plant, dispatch))


def _metrics(study_case: StudyCase, plant: Plant, dispatch: Dispatch) -> UptimeMetrics:
    return uptime_metrics(study_case.case, dispatch, racks=plant.racks, seed=study_case.study.seed)


def _spent(costs: Sequence[CostItem]) -> dict[str, float]:
    """Sum what is spent on each asset. [USD/yr]"""
    spent: dict[str, float] = {}
    for item in costs:
        spent[item.asset] = spent.get(item.asset, 0.0) + item.usd_per_yr
    return spent


def _asked(study_case: StudyCase) -> dict[str, Any]:
    """Give what every plant of a study has in common."""
    study, case, weather = study_case.study, study_case.case, study_case.weather
    return {
        "site_name": study.site.name,
        "racks_contracted": case.racks_contracted,
        "gpus_per_rack": study.rack.gpus,
        "uptime_target": case.uptime_target,
        "metric": _metric(study_case),
        "project_costs": project_costs(study_case),
        "load_mwh_per_yr": case.load_mwh_per_yr,
        "it_mwh_per_yr": it_mw_at_work(study, weather) * annual_cost.HOURS_PER_YEAR,
        "tokens_per_s_per_rack": study.rack.tokens_per_s,
        "mean_pue": float(pue(weather.temp_air_c, study.facility).mean()),
        "fixed_load_share": fixed_load_share(study, weather),
    }


def _sizes(case: Case, plant: Plant) -> dict[str, Any]:
    return {
        "resources_mw": {r.name: mw for r, mw in zip(case.resources, plant.resources_mw, strict=True)},
        "battery_mwh": plant.battery_mwh,
        "battery_mw": plant.battery_mw,
        "backup": {item.name: units for item, units in zip(case.backup, plant.units, strict=True)},
        "backup_unit_mw": {item.name: item.unit_mw for item in case.backup},
        **exchange_sizes(case, plant),
        "racks": plant.racks,
        "rack_shortfall": rack_shortfall(plant.racks, case.racks_contracted, case.rack_availability),
    }


def _uptime(study_case: StudyCase, plant: Plant, dispatch: Dispatch, *, foresight: bool) -> dict[str, Any]:
    """Metrics and worst events; hours and events of a planner with foresight mean nothing."""
    metrics = _metrics(study_case, plant, dispatch)
    if foresight:
        return {"metrics": without_hours(metrics), "events": []}
    return {"metrics": metrics, "events": worst_events(study_case.case, dispatch).to_dict("records")}


def _cost_and_fuel(
    study_case: StudyCase,
    plant: Plant,
    dispatch: Dispatch,
    energy: Mapping[str, float],
    actuals: Actuals | None,
    grid: GridResult | None,
    takers: Sequence[SurplusResult],
) -> dict[str, Any]:
    case, backup = study_case.case, study_case.case.backup
    generated = {item.name: energy[item.name] for item in backup}
    by_level = _energy_of_levels(case, dispatch, actuals)
    running = _by_figure(case, by_level, generated, "usd_per_mwh")
    costs = plant_costs(study_case, plant, running)
    costs += exchange_costs(study_case, plant, dispatch) if grid is None else grid_costs(study_case, grid)
    costs += surplus_costs(takers)
    fuel = _by_figure(case, by_level, generated, "fuel_mmbtu_per_mwh")
    burnt = {
        item.name: [mwh * level.fuel_mmbtu_per_mwh for mwh, level in zip(mwh_of, item.levels, strict=True)]
        for item, mwh_of in zip(backup, by_level, strict=True)
    }
    if actuals is not None:
        fuel = {
            item.name: float(mmbtu) for item, mmbtu in zip(backup, actuals.fuel_mmbtu_per_yr, strict=True)
        }
        rows = iter(actuals.fuel_by_level_mmbtu_per_yr.tolist())
        burnt = {item.name: [next(rows) for _ in item.levels] for item in backup}
        costs += [
            _yearly(f"{item.name} part-load fuel", item.name, "fuel", usd)
            for item, usd in zip(backup, actuals.part_load_usd_per_yr.tolist(), strict=True)
        ]
    duty = None if actuals is None else actuals.unit_duty
    per_mmbtu = {item.name: item.co2_t_per_mwh / item.fuel_mmbtu_per_mwh for item in backup}
    of_units = {item.name: fuel[item.name] * per_mmbtu[item.name] for item in backup}
    of_units |= {
        item.name: sum(
            mmbtu * level.co2_t_per_mwh / level.fuel_mmbtu_per_mwh
            for mmbtu, level in zip(burnt[item.name], item.levels, strict=True)
        )
        for item in backup
        if item.other_levels
    }
    second = [item for item in backup if item.other_levels]
    return {
        "costs": costs,
        "fuel_mmbtu_per_yr": fuel,
        "second_fuel_mwh_per_yr": {
            item.name: sum(mwh[1:]) for item, mwh in zip(backup, by_level, strict=True) if item.other_levels
        },
        "second_fuel_mmbtu_per_yr": {item.name: sum(burnt[item.name][1:]) for item in second},
        "run_hours_per_yr": {
            item.name: generated[item.name] / (item.unit_mw * max(units, 1))
            for item, units in zip(backup, plant.units, strict=True)
        },
        "co2_t_per_yr": sum(of_units.values()) + exchange_co2_t_per_yr(case, dispatch),
        **permit_figures(case, plant, dispatch, (by_level, burnt), duty),
    }


def _energy_of_levels(case: Case, dispatch: Dispatch, actuals: Actuals | None) -> list[tuple[float, ...]]:
    """Energy of each technology at each of its prices. [MWh/yr]"""
    if actuals is not None:
        return by_flow(case, actuals.energy_by_level_mwh_per_yr.tolist())[: len(case.backup)]
    backup = zip(case.backup, dispatch.backup_mw, strict=True)
    return [split_by_level(case, item, mw) for item, mw in backup]


def _by_figure(
    case: Case, by_level: Sequence[tuple[float, ...]], generated: Mapping[str, float], figure: str
) -> dict[str, float]:
    """Energy of each technology times a figure of the level that holds. [of the figure, per year]"""
    return {
        item.name: sum(mwh * getattr(level, figure) for mwh, level in zip(levels, item.levels, strict=True))
        if item.other_levels
        else generated[item.name] * getattr(item.levels[0], figure)
        for item, levels in zip(case.backup, by_level, strict=True)
    }


def _on_site(study_case: StudyCase, plant: Plant) -> dict[str, Any]:
    """Land, deliveries and the months until first power."""
    case, containers = study_case.case, 0
    if plant.battery_mwh > NOTHING:
        container_mwh = study_case.study.battery.container_mwh
        containers = int(np.ceil(plant.battery_mwh / container_mwh - NOTHING))
    months, slowest = slowest_lead(case, plant)
    return {
        "land_acres": land_acres(case, plant),
        "battery_containers": containers,
        "truckloads": containers + plant.racks,
        "months_to_power": months,
        "slowest": slowest,
        "hall_months": hall_months(study_case.study.facility, library.schedule()),
    }


def _energy(case: Case, dispatch: Dispatch) -> dict[str, float]:
    """Mean annual energy by source and use. [MWh/yr]"""
    scale = case.step_h / case.years
    per_technology = dispatch.backup_mw.sum(axis=1) * scale
    energy = {
        "load": case.load_mwh_per_yr,
        "curtailed": float(dispatch.curtailed_mw.sum()) * scale,
        "battery_charge": float(dispatch.charge_mw.sum()) * scale,
        "battery_discharge": float(dispatch.discharge_mw.sum()) * scale,
        "shed": float(dispatch.shed_mw.sum()) * scale,
        "backup": float(per_technology.sum()),
    }
    energy |= {item.name: float(mwh) for item, mwh in zip(case.backup, per_technology, strict=True)}
    return energy | exchange_energy(case, dispatch)


def plant_costs(study_case: StudyCase, plant: Plant, running: Mapping[str, float]) -> list[CostItem]:
    """Items that, with those of imports and sinks, add up to the optimiser's objective."""
    study, case = study_case.study, study_case.case
    costs = study_case.unit_costs
    built = zip(("solar", *(item.name for item in study.wind)), (costs.solar, *costs.wind),
                case.resources, plant.resources_mw, strict=True)  # fmt: skip
    items: list[CostItem] = []
    finance = study.local(study.finance)
    for asset, cost, resource, mw in built:
        land = annual_cost.land_cost(finance, mw * resource.acres_per_mw)
        # Farms go by the name of their turbine, which the user may have chosen
        items.append(_less(_scaled(resource.label, asset, cost, mw, recovery_class("solar")), land))
        items.append(_scaled(f"{asset} land", asset, land, 1))
    items += [
        _scaled("battery energy", "battery", costs.battery_energy, plant.battery_mwh),
        _scaled("battery power", "battery", costs.battery_power, plant.battery_mw),
    ]
    counted = zip(case.backup, costs.backup, costs.backup_site, plant.units, strict=True)
    for item, unit, site, units in counted:
        items.append(_scaled(f"{item.name} units", item.name, unit, units))
        if site.capital_usd > 0.0:
            items.append(_scaled(f"{item.name} at this site", item.name, site, 1 if units else 0))
        items.append(_yearly(f"{item.name} fuel and running", item.name, "fuel", running[item.name]))
    items.append(_scaled("spare racks", "racks", costs.rack, plant.racks - case.racks_contracted))
    if study.ride_through == "ups":
        items.append(_scaled("ride-through", "ride-through", costs.ride_through, 1))
    if study.delay_cost_usd_per_month:
        delay = case.delay_cost_usd_per_month_yr * slowest_lead(case, plant)[0]
        items.append(_yearly("delay", "delay", "fixed", delay))
    return items


def project_costs(study_case: StudyCase) -> list[CostItem]:
    """Cost of what every design of a study needs: contracted racks, hall, land, staff, best-effort racks."""
    study, racks = study_case.study, study_case.case.racks_contracted
    items = [
        _scaled("contracted racks", "racks", study_case.unit_costs.rack, racks),
        *_hall_costs(study, "data hall", study.contracted_it_mw),
    ]
    for item in study.best_effort:
        items.append(_scaled(f"{item.name} racks", "racks", study_case.unit_costs.rack, item.racks))
        items += _hall_costs(study, f"{item.name} hall", item.it_mw)
    return items


def _hall_costs(study: Study, name: str, it_mw: float) -> list[CostItem]:
    hall, land, staff = annual_cost.hall_costs(study.local(study.facility), study.local(study.finance), it_mw)
    return [
        _scaled(name, "hall", hall, 1),
        _scaled(f"{name} land", "hall", land, 1),
        _yearly(f"{name} staff and maintenance", "hall", "fixed", staff.total_usd_per_yr),
    ]


def _less(item: CostItem, part: annual_cost.AnnualCost) -> CostItem:
    """Take a part that is an item of its own out of an item."""
    return item.model_copy(
        update={
            "capital_usd": item.capital_usd - part.capital_usd,
            "usd_per_yr": item.usd_per_yr - part.total_usd_per_yr,
            "upkeep_usd_per_yr": item.upkeep_usd_per_yr - part.fixed_usd_per_yr,
        }
    )


def _metric(study_case: StudyCase) -> str:
    """Name what the target is for: the classes' own metric, throttled compute where they differ."""
    metrics = {item.metric for item in study_case.study.contracts}
    return metrics.pop() if len(metrics) == 1 else "compute"


def _scaled(
    name: str,
    asset: str,
    cost: annual_cost.AnnualCost,
    amount: float,
    recovery: RecoveryClass | None = None,
) -> CostItem:
    """Cost of an asset that is bought; what lasts is not depreciated."""
    return CostItem(
        name=name,
        asset=asset,
        kind="capital",
        capital_usd=cost.capital_usd * amount,
        usd_per_yr=cost.total_usd_per_yr * amount,
        credit_usd=cost.credit_usd * amount,
        upkeep_usd_per_yr=cost.fixed_usd_per_yr * amount,
        life_yr=cost.life_yr,
        recovery=(recovery or recovery_class(asset)) if cost.life_yr else "none",
    )


def _yearly(name: str, asset: str, kind: CostKind, usd_per_yr: float) -> CostItem:
    """Cost that needs no capital. [USD/yr]"""
    return CostItem(
        name=name,
        asset=asset,
        kind=kind,
        capital_usd=0.0,
        usd_per_yr=usd_per_yr,
        upkeep_usd_per_yr=usd_per_yr,
    )


@cache  # a package's description is read anew every time: a sixth of a quick solve
def _versions() -> dict[str, str]:
    own = {"sitedesign": version("sitedesign"), "python": platform.python_version()}
    return own | {name: version(name) for name in _PACKAGES}


def _provenance(study_case: StudyCase) -> Provenance:
    source = study_case.weather.source
    return Provenance(
        versions=dict(_versions()),
        place=study_case.study.site.place,
        weather=source.description,
        weather_years=study_case.weather.years,
        seed=source.seed,
        # Beside an own solar profile the weather gives temperatures: its dark days are no array's
        low_resource_periods=[]
        if study_case.study.solar_profile is not None
        else darkest_spells(study_case.weather),
        notes=study_case.notes,
        weather_flags=study_case.weather_flags,
    )


def _frame(study_case: StudyCase, resources_mw: Sequence[FloatArray], dispatch: Dispatch) -> pd.DataFrame:
    case = study_case.case
    columns = {
        "load_mw": case.load_mw,
        **{r.size_name: mw for r, mw in zip(case.resources, resources_mw, strict=True)},
        "curtailed_mw": dispatch.curtailed_mw,
        "charge_mw": dispatch.charge_mw,
        "discharge_mw": dispatch.discharge_mw,
        "stored_mwh": dispatch.stored_mwh,
    }
    flows = zip(case.flows, (*dispatch.supply_mw, *dispatch.sink_mw), strict=True)
    columns |= {f"{item.name}_mw": row for item, row in flows}
    columns |= {"shed_mw": dispatch.shed_mw, "lost_compute": dispatch.lost_compute}
    return pd.DataFrame(columns, index=study_case.weather.index)
