"""Evaluation: what one plant does on one set of weather years, and what that costs."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, PrivateAttr

from sitedesign import __version__, economics
from sitedesign.case import Case, Dispatch, FloatArray, Plant
from sitedesign.prepare import Prepared
from sitedesign.reliability.estimate import Estimate
from sitedesign.reliability.metrics import UptimeMetrics, uptime_metrics, worst_events
from sitedesign.reliability.replay import months_to_power, rack_shortfall

NOTHING = 1e-3  # MW or MWh below which an optimiser's answer means none
_PACKAGES = ("pyomo", "highspy", "pvlib", "numpy", "pandas", "numba")


class CostItem(BaseModel):
    """One line of the cost breakdown.

    Attributes
    ----------
    name : str
    capital_usd : float
        Overnight capital before tax credits. [USD]
    usd_per_yr : float
        Annualised capital after credits, fixed and variable cost. [USD/yr]
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    capital_usd: float
    usd_per_yr: float


class Provenance(BaseModel):
    """What is needed to get the same numbers again.

    Attributes
    ----------
    versions : dict
        Package versions, Python included.
    weather : str
        Where the weather came from.
    weather_years : tuple of int
        The years used.
    seed : int or None
        Seed of the weather, where it was sampled.
    worst_spells : list of dict
        Darkest 3, 5 and 10 days that the weather contains.
    notes : tuple of str
        What a reader must know about the inputs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    versions: dict[str, str]
    weather: str
    weather_years: tuple[int, ...]
    seed: int | None
    worst_spells: list[dict[str, Any]]
    notes: tuple[str, ...]


class Evaluation(BaseModel):
    """One plant, operated on given weather years.

    Attributes
    ----------
    site_name, operation : str
        `operation` says who decided: ``foresight`` (sees the future: a bound), ``greedy`` (no look-ahead), or
        ``causal`` (a forecast, sampled outages).
    solar_mw, battery_mwh, battery_mw : float
        [MWdc, MWh nameplate, MW]
    backup : dict of str to int
        Units per technology.
    backup_unit_mw : dict of str to float
        Size of one unit. [MW at the bus]
    racks, racks_contracted : int
    uptime_target : float
    metric : str
        Which of the metrics the target is for.
    metrics : UptimeMetrics
        Every definition of uptime; `uptime` is the one that the target is for.
    rack_shortfall : float
        Expected share of contracted racks that are broken and not covered by spares. [fraction]
    costs : list of CostItem
        Power plant and spare racks: what the optimiser decides.
    project_costs : list of CostItem
        Contracted racks and data hall: the same for every design.
    energy_mwh_per_yr : dict of str to float
        By source and use. [MWh/yr]
    fuel_mmbtu_per_yr, run_hours_per_yr : dict of str to float
        Per technology; run hours are full-load equivalents per unit. [MMBtu/yr, h/yr]
    co2_t_per_yr : float
        [t/yr]
    land_acres : float
        Array. [acres]
    battery_containers, truckloads : int
        One truckload per battery container and per rack.
    months_to_power : float
        Longest lead time of what is built. [months]
    slowest : str
        What sets it.
    load_mwh_per_yr, it_mwh_per_yr : float
        [MWh/yr]
    events : list of dict
        Worst events with dates.
    provenance : Provenance
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, ser_json_inf_nan="strings"
    )

    site_name: str
    operation: str
    solar_mw: float
    battery_mwh: float
    battery_mw: float
    backup: dict[str, int]
    backup_unit_mw: dict[str, float]
    racks: int
    racks_contracted: int
    gpus_per_rack: int
    uptime_target: float
    metric: str
    metrics: UptimeMetrics
    rack_shortfall: float
    costs: list[CostItem]
    project_costs: list[CostItem]
    energy_mwh_per_yr: dict[str, float]
    fuel_mmbtu_per_yr: dict[str, float]
    run_hours_per_yr: dict[str, float]
    co2_t_per_yr: float
    land_acres: float
    battery_containers: int
    truckloads: int
    months_to_power: float
    slowest: str
    load_mwh_per_yr: float
    it_mwh_per_yr: float
    events: list[dict[str, Any]]
    provenance: Provenance

    _dispatch: pd.DataFrame | None = PrivateAttr(default=None)

    @property
    def uptime(self) -> Estimate:
        """Uptime by the study's metric, failures of racks included: the figure that the target is for."""
        return self.metrics.rack

    @property
    def cost_usd_per_yr(self) -> float:
        """Annual cost of the power plant and the spare racks. [USD/yr]"""
        return sum(item.usd_per_yr for item in self.costs)

    @property
    def capital_usd(self) -> float:
        """Overnight capital of the power plant and the spare racks. [USD]"""
        return sum(item.capital_usd for item in self.costs)

    @property
    def project_cost_usd_per_yr(self) -> float:
        """Annual cost of everything: plant, racks, data hall. [USD/yr]"""
        return self.cost_usd_per_yr + sum(item.usd_per_yr for item in self.project_costs)

    @property
    def served_mwh_per_yr(self) -> float:
        """Load served. [MWh/yr]"""
        return self.load_mwh_per_yr - self.energy_mwh_per_yr["shed"]

    @property
    def lcoe_usd_per_mwh(self) -> float:
        """Cost of the power plant per MWh served, spare racks left out. [USD/MWh]"""
        power = sum(item.usd_per_yr for item in self.costs if item.name != "spare racks")
        return power / self.served_mwh_per_yr

    @property
    def usd_per_rack_h(self) -> float:
        """Cost of the whole project per delivered rack-hour. [USD/rack-h]"""
        return self.project_cost_usd_per_yr / (
            self.racks_contracted * economics.HOURS_PER_YEAR * self.uptime.value
        )

    @property
    def renewable_share(self) -> float:
        """Share of the load not met by backup. [fraction]"""
        return 1 - self.energy_mwh_per_yr["backup"] / self.load_mwh_per_yr

    @property
    def dispatch(self) -> pd.DataFrame:
        """What happened in every step, units in the column names.

        Raises
        ------
        AttributeError
            For a result loaded from a file, which holds no time series.
        """
        if self._dispatch is None:
            message = (
                "a saved result holds no time series; solve or evaluate the study again to get its dispatch"
            )
            raise AttributeError(message)
        return self._dispatch

    def __eq__(self, other: object) -> bool:
        """Compare the figures; the time series follow from them."""
        return type(self) is type(other) and self.to_dict() == other.to_dict()

    def cost_table(self) -> pd.DataFrame:
        """Cost breakdown with project items below the plant's. [USD, USD/yr]"""
        rows = [(*row, True) for row in _rows(self.costs)] + [
            (*row, False) for row in _rows(self.project_costs)
        ]
        return pd.DataFrame(rows, columns=["item", "capital_usd", "usd_per_yr", "decided_by_optimiser"])

    def to_dict(self) -> dict[str, Any]:
        """Everything but the time series, ready for JSON."""
        return self.model_dump(mode="json")


def _rows(items: list[CostItem]) -> list[tuple[str, float, float]]:
    return [(item.name, item.capital_usd, item.usd_per_yr) for item in items]


def evaluate_dispatch(
    prepared: Prepared,
    plant: Plant,
    dispatch: Dispatch,
    operation: str,
    *,
    part_load: FloatArray | None = None,
    part_load_usd_per_yr: float = 0.0,
) -> Evaluation:
    """Put figures on a dispatch.

    Parameters
    ----------
    prepared : Prepared
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

    Returns
    -------
    Evaluation
    """
    study, case = prepared.study, prepared.case
    energy = _energy(case, dispatch)
    per_unit = dict(zip((item.name for item in case.backup), plant.units, strict=True))
    generated = {item.name: energy[item.name] for item in case.backup}
    fuel = {item.name: generated[item.name] * item.fuel_mmbtu_per_mwh for item in case.backup}
    costs = _plant_costs(prepared, plant, generated)
    if part_load is not None:
        fuel = {item.name: float(mmbtu) for item, mmbtu in zip(case.backup, part_load, strict=True)}
        costs.append(CostItem(name="part-load fuel", capital_usd=0.0, usd_per_yr=part_load_usd_per_yr))
    per_mmbtu = {item.name: item.co2_t_per_mwh / item.fuel_mmbtu_per_mwh for item in case.backup}
    lead = slowest_lead(case, plant)
    containers = (
        int(np.ceil(plant.battery_mwh / study.battery.container_mwh - NOTHING))
        if plant.battery_mwh > NOTHING
        else 0
    )
    result = Evaluation(
        site_name=study.site.name,
        operation=operation,
        solar_mw=plant.solar_mw,
        battery_mwh=plant.battery_mwh,
        battery_mw=plant.battery_mw,
        backup=per_unit,
        backup_unit_mw={item.name: item.unit_mw for item in case.backup},
        racks=plant.racks,
        racks_contracted=case.racks_contracted,
        gpus_per_rack=study.rack.gpus,
        uptime_target=case.uptime_target,
        metric=study.metric,
        metrics=uptime_metrics(case, dispatch, racks=plant.racks, seed=study.seed),
        rack_shortfall=rack_shortfall(plant.racks, case.racks_contracted, case.rack_availability),
        costs=costs,
        project_costs=_project_costs(prepared),
        energy_mwh_per_yr=energy,
        fuel_mmbtu_per_yr=fuel,
        run_hours_per_yr={
            item.name: generated[item.name] / (item.unit_mw * max(per_unit[item.name], 1))
            for item in case.backup
        },
        co2_t_per_yr=sum(fuel[item.name] * per_mmbtu[item.name] for item in case.backup),
        land_acres=plant.solar_mw * case.solar_acres_per_mw,
        battery_containers=containers,
        truckloads=containers + plant.racks,
        months_to_power=lead[0],
        slowest=lead[1],
        load_mwh_per_yr=case.load_mwh_per_yr,
        it_mwh_per_yr=case.racks_contracted * study.rack_mw * economics.HOURS_PER_YEAR,
        events=worst_events(case, dispatch).to_dict("records"),
        provenance=_provenance(prepared),
    )
    result._dispatch = _frame(prepared, plant, dispatch)
    return result


def slowest_lead(case: Case, plant: Plant) -> tuple[float, str]:
    """Longest lead time of what is really built, and what it is of. [months]"""
    leads = [
        (item.lead_months, item.name) for item, units in zip(case.backup, plant.units, strict=True) if units
    ]
    leads += [(case.solar_lead_months, "solar array")] if plant.solar_mw > NOTHING else []
    leads += [(case.battery_lead_months, "battery")] if plant.battery_mwh > NOTHING else []
    return max(leads, default=(0.0, "nothing"))


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


def _plant_costs(prepared: Prepared, plant: Plant, generated: Mapping[str, float]) -> list[CostItem]:
    """Items that add up to the optimiser's objective."""
    study, case = prepared.study, prepared.case
    costs = prepared.unit_costs
    items = [
        _scaled("solar array", costs.solar, plant.solar_mw),
        _scaled("battery energy", costs.battery_energy, plant.battery_mwh),
        _scaled("battery power", costs.battery_power, plant.battery_mw),
    ]
    for item, unit, units in zip(case.backup, costs.backup, plant.units, strict=True):
        items.append(_scaled(f"{item.name} units", unit, units))
        running = generated[item.name] * item.marginal_cost_usd_per_mwh
        items.append(CostItem(name=f"{item.name} fuel and running", capital_usd=0.0, usd_per_yr=running))
    items.append(_scaled("spare racks", costs.rack, plant.racks - case.racks_contracted))
    if study.delay_cost_usd_per_month:
        delay = case.delay_cost_usd_per_month_yr * months_to_power(case, plant)
        items.append(CostItem(name="delay", capital_usd=0.0, usd_per_yr=delay))
    return items


def _project_costs(prepared: Prepared) -> list[CostItem]:
    study, racks = prepared.study, prepared.case.racks_contracted
    hall = economics.facility_cost(study.facility, study.finance, racks * study.rack_mw)
    return [
        _scaled("contracted racks", prepared.unit_costs.rack, racks),
        _scaled("data hall and staff", hall, 1),
    ]


def _scaled(name: str, cost: economics.AnnualCost, amount: float) -> CostItem:
    return CostItem(
        name=name, capital_usd=cost.capital_usd * amount, usd_per_yr=cost.total_usd_per_yr * amount
    )


def _provenance(prepared: Prepared) -> Provenance:
    source = prepared.weather.source
    return Provenance(
        versions={"sitedesign": __version__, "python": platform.python_version()}
        | {name: version(name) for name in _PACKAGES},
        weather=source.description,
        weather_years=prepared.weather.years,
        seed=source.seed,
        worst_spells=prepared.weather.worst_spells().to_dict("records"),
        notes=prepared.notes,
    )


def _frame(prepared: Prepared, plant: Plant, dispatch: Dispatch) -> pd.DataFrame:
    case = prepared.case
    columns = {
        "load_mw": case.load_mw,
        "solar_mw": plant.solar_mw * case.solar_yield,
        "curtailed_mw": dispatch.curtailed_mw,
        "charge_mw": dispatch.charge_mw,
        "discharge_mw": dispatch.discharge_mw,
        "stored_mwh": dispatch.stored_mwh,
    }
    columns |= {f"{item.name}_mw": row for item, row in zip(case.backup, dispatch.backup_mw, strict=True)}
    columns |= {"shed_mw": dispatch.shed_mw, "lost_compute": dispatch.lost_compute}
    return pd.DataFrame(columns, index=prepared.weather.index)
