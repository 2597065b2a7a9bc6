"""From a dispatch to an evaluation: energy, cost, fuel, what goes to site, where the numbers come from."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Literal

import numpy as np
import pandas as pd

from sitedesign.case.build import StudyCase, fixed_load_share, it_mw_at_work
from sitedesign.case.case import NOTHING, Case, Dispatch, FloatArray, Plant, land_acres, slowest_lead
from sitedesign.components.load import pue
from sitedesign.finance import annual_cost
from sitedesign.reliability.events import worst_events
from sitedesign.reliability.metrics import uptime_metrics, without_hours
from sitedesign.reliability.replay import rack_shortfall
from sitedesign.results.evaluation import CostItem, CostKind, Evaluation, Provenance
from sitedesign.results.load_classes import contracted_classes, surplus, water_m3_per_yr
from sitedesign.study.study import Study

_PACKAGES = ("pyomo", "highspy", "pvlib", "numpy", "pandas", "numba")


def evaluate_dispatch(
    study_case: StudyCase,
    plant: Plant,
    dispatch: Dispatch,
    operation: Literal["greedy", "foresight", "causal"],
    *,
    part_load: FloatArray | None = None,
    part_load_usd_per_yr: float = 0.0,
    solar_mw: FloatArray | None = None,
) -> Evaluation:
    """Put figures on a dispatch.

    Parameters
    ----------
    study_case : StudyCase
        Study, weather and case.
    plant : Plant
    dispatch : Dispatch
        What the plant did, over all weather years of the case.
    operation : str
        Who decided.
    part_load : ndarray, shape (K,), optional
        Fuel per technology that running at part load really took; the full-load heat rate when left out.
        [MMBtu/yr]
    part_load_usd_per_yr : float
        Cost of the fuel above the full-load heat rate. [USD/yr]
    solar_mw : ndarray, shape (T,), optional
        Power that the array could give, outages of its blocks included; that of the case's yield when left
        out. [MW]

    Returns
    -------
    Evaluation
    """
    study, case = study_case.study, study_case.case
    energy = _energy(case, dispatch)
    extra = surplus(study_case, dispatch)
    if extra.classes:
        energy["best_effort"] = float(extra.used_mw.sum()) * case.step_h / case.years
    per_unit = dict(zip((item.name for item in case.backup), plant.units, strict=True))
    generated = {item.name: energy[item.name] for item in case.backup}
    fuel = {item.name: generated[item.name] * item.fuel_mmbtu_per_mwh for item in case.backup}
    costs = _plant_costs(study_case, plant, generated)
    if part_load is not None:
        fuel = {item.name: float(mmbtu) for item, mmbtu in zip(case.backup, part_load, strict=True)}
        costs.append(_yearly("part-load fuel", "backup", "fuel", part_load_usd_per_yr))
    per_mmbtu = {item.name: item.co2_t_per_mwh / item.fuel_mmbtu_per_mwh for item in case.backup}
    metrics = uptime_metrics(case, dispatch, racks=plant.racks, seed=study.seed)
    events = worst_events(case, dispatch).to_dict("records")
    if operation == "foresight":
        metrics, events = without_hours(metrics), []
    lead = slowest_lead(case, plant)
    containers = (
        int(np.ceil(plant.battery_mwh / study.battery.container_mwh - NOTHING))
        if plant.battery_mwh > NOTHING
        else 0
    )
    result = Evaluation(
        site_name=study.site.name,
        operation=operation,
        resources_mw={r.name: mw for r, mw in zip(case.resources, plant.resources_mw, strict=True)},
        battery_mwh=plant.battery_mwh,
        battery_mw=plant.battery_mw,
        backup=per_unit,
        backup_unit_mw={item.name: item.unit_mw for item in case.backup},
        racks=plant.racks,
        racks_contracted=case.racks_contracted,
        gpus_per_rack=study.rack.gpus,
        uptime_target=case.uptime_target,
        metric=_metric(study_case),
        metrics=metrics,
        rack_shortfall=rack_shortfall(plant.racks, case.racks_contracted, case.rack_availability),
        costs=costs,
        project_costs=project_costs(study_case),
        energy_mwh_per_yr=energy,
        fuel_mmbtu_per_yr=fuel,
        run_hours_per_yr={
            item.name: generated[item.name] / (item.unit_mw * max(per_unit[item.name], 1))
            for item in case.backup
        },
        co2_t_per_yr=sum(fuel[item.name] * per_mmbtu[item.name] for item in case.backup),
        land_acres=land_acres(case, plant),
        battery_containers=containers,
        truckloads=containers + plant.racks,
        months_to_power=lead[0],
        slowest=lead[1],
        load_mwh_per_yr=case.load_mwh_per_yr,
        it_mwh_per_yr=it_mw_at_work(study, study_case.weather) * annual_cost.HOURS_PER_YEAR,
        tokens_per_s_per_rack=study.rack.tokens_per_s,
        classes=contracted_classes(study_case, plant, dispatch) + extra.classes,
        mean_pue=float(pue(study_case.weather.temp_air_c, study.facility).mean()),
        fixed_load_share=fixed_load_share(study, study_case.weather),
        water_m3_per_yr=water_m3_per_yr(study_case, dispatch, extra.it_mwh_per_yr),
        events=events,
        provenance=_provenance(study_case),
    )
    given = [mw * r.yield_mw_per_mw for r, mw in zip(case.resources, plant.resources_mw, strict=True)]
    given[0] = given[0] if solar_mw is None else solar_mw
    result._dispatch = _frame(study_case, given, dispatch)
    return result


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
    return energy | {item.name: float(mwh) for item, mwh in zip(case.backup, per_technology, strict=True)}


def _plant_costs(study_case: StudyCase, plant: Plant, generated: Mapping[str, float]) -> list[CostItem]:
    """Items that add up to the optimiser's objective."""
    study, case = study_case.study, study_case.case
    costs = study_case.unit_costs
    land = annual_cost.land_cost(study.finance, land_acres(case, plant))
    items = [
        _less(_scaled("solar array", "solar", costs.solar, plant.solar_mw), land),
        _scaled("solar land", "solar", land, 1),
        _scaled("battery energy", "battery", costs.battery_energy, plant.battery_mwh),
        _scaled("battery power", "battery", costs.battery_power, plant.battery_mw),
    ]
    counted = zip(case.backup, costs.backup, costs.backup_site, plant.units, strict=True)
    for item, unit, site, units in counted:
        items.append(_scaled(f"{item.name} units", item.name, unit, units))
        if site.capital_usd > 0.0:
            items.append(_scaled(f"{item.name} at this site", item.name, site, 1 if units else 0))
        running = generated[item.name] * item.marginal_cost_usd_per_mwh
        items.append(_yearly(f"{item.name} fuel and running", item.name, "fuel", running))
    items.append(_scaled("spare racks", "racks", costs.rack, plant.racks - case.racks_contracted))
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
    facility, finance = study.facility, study.finance
    land = annual_cost.land_cost(finance, facility.hall_acres_per_mw * it_mw)
    staff = annual_cost.staff_cost(facility, it_mw).total_usd_per_yr
    return [
        _scaled(name, "hall", annual_cost.hall_cost(facility, finance, it_mw), 1),
        _scaled(f"{name} land", "hall", land, 1),
        _yearly(f"{name} staff and maintenance", "hall", "fixed", staff),
    ]


def _less(item: CostItem, part: annual_cost.AnnualCost) -> CostItem:
    """Take a part that is an item of its own out of an item."""
    return item.model_copy(
        update={
            "capital_usd": item.capital_usd - part.capital_usd,
            "usd_per_yr": item.usd_per_yr - part.total_usd_per_yr,
        }
    )


def _metric(study_case: StudyCase) -> str:
    """Name what the target is for: the classes' own metric, throttled compute where they differ."""
    metrics = {item.metric for item in study_case.study.contracts}
    return metrics.pop() if len(metrics) == 1 else "compute"


def _scaled(name: str, asset: str, cost: annual_cost.AnnualCost, amount: float) -> CostItem:
    """Cost of an asset that is bought."""
    capital, yearly = cost.capital_usd * amount, cost.total_usd_per_yr * amount
    return CostItem(name=name, asset=asset, kind="capital", capital_usd=capital, usd_per_yr=yearly)


def _yearly(name: str, asset: str, kind: CostKind, usd_per_yr: float) -> CostItem:
    """Cost that needs no capital. [USD/yr]"""
    return CostItem(name=name, asset=asset, kind=kind, capital_usd=0.0, usd_per_yr=usd_per_yr)


def _provenance(study_case: StudyCase) -> Provenance:
    source = study_case.weather.source
    return Provenance(
        versions={"sitedesign": version("sitedesign"), "python": platform.python_version()}
        | {name: version(name) for name in _PACKAGES},
        place=study_case.study.site.place,
        weather=source.description,
        weather_years=study_case.weather.years,
        seed=source.seed,
        # Beside an own solar profile the weather gives temperatures: its dark days are no array's
        worst_spells=[]
        if study_case.study.solar_profile is not None
        else study_case.weather.worst_spells().to_dict("records"),
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
    columns |= {f"{item.name}_mw": row for item, row in zip(case.backup, dispatch.backup_mw, strict=True)}
    columns |= {"shed_mw": dispatch.shed_mw, "lost_compute": dispatch.lost_compute}
    return pd.DataFrame(columns, index=study_case.weather.index)
