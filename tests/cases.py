"""The one place where tests build cases: round numbers around given series, and whatever a test changes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from sitedesign.case.case import BackupCase, Case, Resource, Tier
from sitedesign.case.limits import CaseLimits
from sitedesign.case.rack_shortfall import racks_needed

if TYPE_CHECKING:
    from sitedesign import Evaluation  # with pandas: a process that only solves a case loads none

RACKS = (Tier(1.0, 1.0),)
SIZES = ("solar_mw", "battery_mwh", "battery_mw")


def resource(yield_mw_per_mw: Any, **changes: Any) -> Resource:
    """A resource with round numbers: an array of 90 kUSD/yr and 6 acres a MW, of any size."""
    base = Resource(
        name="solar",
        label="solar array",
        yield_mw_per_mw=np.asarray(yield_mw_per_mw, dtype=np.float64),
        annual_cost_usd_per_mw=90e3,
        acres_per_mw=6.0,
        lead_months=12.0,
        bounds_mw=(0.0, 5000.0),
    )
    return dataclasses.replace(base, **changes)


def backup(steps: int, name: str = "engine", **changes: Any) -> BackupCase:
    """One technology with round numbers: 10 MW units, 0.8 MUSD/yr each, 60 USD/MWh, one row of capability."""
    base = BackupCase(
        name=name,
        unit_mw=10.0,
        capability=np.ones((1, steps)),
        annual_cost_usd_per_unit=0.8e6,
        marginal_cost_usd_per_mwh=60.0,
        fuel_mmbtu_per_mwh=8.5,
        co2_t_per_mwh=0.45,
        lead_months=18.0,
        units_min=0,
        units_max=20,
    )
    return dataclasses.replace(base, **changes)


def case(solar_yield: Any, load_mw: Any, *, solar: dict[str, Any] | None = None, **changes: Any) -> Case:
    """One case with round numbers around given series.

    Parameters
    ----------
    solar_yield : array_like, shape (T,)
        [MW/MWdc]
    load_mw : array_like, shape (T,), or float
        [MW]
    solar : dict, optional
        What is changed of the array, see :func:`resource`.
    **changes
        Fields of :class:`Case`; `limits` may be a dict of changes to wide limits, `solar_mw` among them.
    """
    sun = resource(solar_yield, **(solar or {}))
    steps = sun.yield_mw_per_mw.size
    limits = changes.pop("limits", {})
    base = Case(
        name="somewhere",
        step_h=1.0,
        years=1,
        resources=(sun,),
        load_mw=np.broadcast_to(np.asarray(load_mw, dtype=np.float64), steps).copy(),
        usable=np.ones(steps),
        eta_charge=0.95,
        eta_discharge=0.95,
        backup=(backup(steps),),
        tiers=RACKS,
        battery_cost_usd_per_mwh_yr=22e3,
        battery_cost_usd_per_mw_yr=12e3,
        battery_lead_months=9.0,
        racks_contracted=10,
        racks_max=10,
        rack_availability=1.0,
        rack_cost_usd_per_yr=0.5e6,
        uptime_target=0.999,
        delay_cost_usd_per_month_yr=0.0,
        limits=CaseLimits(battery_mwh=(0.0, 50000.0), battery_mw=(0.0, 5000.0)),
    )
    if isinstance(limits, dict):
        base = limited(base, **limits)
    else:
        changes["limits"] = limits
    return dataclasses.replace(base, **changes)


def limited(case: Case, **limits: Any) -> Case:
    """The case with other limits; `solar_mw` are bounds of the array."""
    solar = {"bounds_mw": limits.pop("solar_mw")} if "solar_mw" in limits else {}
    return dataclasses.replace(case.with_resource(**solar), limits=dataclasses.replace(case.limits, **limits))


def operated_unit(
    name: str = "recip", unit_mw: float = 4.0, cost: float = 80.0, steps: int = 6, capability: float = 1.0
) -> BackupCase:
    """A technology of :func:`operated_case`; `cost` is that of its energy. [USD/MWh]"""
    return backup(
        steps,
        name,
        unit_mw=unit_mw,
        capability=np.full((1, steps), capability),
        annual_cost_usd_per_unit=1000.0,
        marginal_cost_usd_per_mwh=cost,
        fuel_mmbtu_per_mwh=8.0,
        co2_t_per_mwh=0.44,
        lead_months=12.0,
        units_max=10,
    )


def operated_case(
    solar: Any = (0, 1, 2, 0, 0, 0), load: Any = 10.0, units: Any = (), tiers: Any = RACKS, **changes: Any
) -> Case:
    """A case to be operated rather than sized, by hand: 10 MW, losses of 10 and 20 %, prices of all kinds."""
    return case(
        solar,
        load,
        **{
            "solar": {"annual_cost_usd_per_mw": 100.0, "acres_per_mw": 4.0, "lead_months": 6.0},
            "eta_charge": 0.9,
            "eta_discharge": 0.8,
            "backup": tuple(units),
            "tiers": tuple(tiers),
            "battery_cost_usd_per_mwh_yr": 10.0,
            "battery_cost_usd_per_mw_yr": 5.0,
            "racks_max": 20,
            "rack_cost_usd_per_yr": 7.0,
            "uptime_target": 0.9,
            "delay_cost_usd_per_month_yr": 3.0,
            "limits": dict.fromkeys(SIZES, (0, 100)),
        }
        | changes,
    )


def sunny_years(years: int = 1, seed: int = 0, step_h: float = 1.0) -> np.ndarray:
    """Solar yield of whole years, shape (T,): clear sky by season, spells of cloud. [MW/MWdc]

    The series starts on a summer afternoon, so that a battery that is full at both ends is no burden.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    per_day = round(24 / step_h)
    days = 365 * years
    day = np.arange(days)[:, None]
    hour = (np.arange(per_day)[None, :] + 0.5) * step_h
    tilt = np.deg2rad(23.45) * np.sin(2 * np.pi * (day + 284) / 365)
    lat = np.deg2rad(32.0)
    height = np.sin(lat) * np.sin(tilt) + np.cos(lat) * np.cos(tilt) * np.cos(np.pi * (hour - 12) / 12)
    clear = 0.85 * np.clip(height, 0, None) ** 0.35 * (height > 0.02)  # a tracker is flat across the day
    weather = np.empty(days)
    state = 0.0
    for i in range(days):
        state = 0.72 * state + rng.normal(0, 0.7)
        weather[i] = np.clip(1.05 - 0.55 * max(state - 0.2, 0.0), 0.06, 1.0)
    flicker = np.clip(1 - (1 - weather[:, None]) * rng.uniform(0.6, 1.3, (days, per_day)), 0.03, 1.0)
    series = (clear * flicker).ravel()
    return np.roll(series, -(180 * per_day + round(16 / step_h)))


def year_case(years: int = 1, seed: int = 0, step_h: float = 1.0, **changes: Any) -> Case:
    """A realistic 100 MW study: one or more years, engines and turbines, 700 racks of 98.5 % availability."""
    sun = sunny_years(years, seed, step_h)
    t = np.arange(sun.size) * step_h
    load = 100.0 * (1 + 0.03 * np.sin(2 * np.pi * t / 24) + 0.02 * np.cos(2 * np.pi * t / 8760))
    heat = 1 - 0.04 * (np.sin(2 * np.pi * t / 24) + np.cos(2 * np.pi * t / 8760)).clip(0, None)
    engine = backup(
        sun.size,
        "engine",
        unit_mw=11.0,
        annual_cost_usd_per_unit=1.9e6,
        marginal_cost_usd_per_mwh=62.0,
        capability=np.minimum(heat + 0.01, 1.0)[None, :],
        units_max=11,
    )
    turbine = backup(
        sun.size,
        "turbine",
        unit_mw=34.0,
        annual_cost_usd_per_unit=4.6e6,
        marginal_cost_usd_per_mwh=85.0,
        capability=heat[None, :],
        lead_months=30.0,
        units_max=4,
    )
    base = case(
        sun,
        load,
        step_h=step_h,
        years=years,
        backup=(engine, turbine),
        racks_contracted=700,
        rack_availability=0.985,
        racks_max=racks_needed(700, 0.985, 1e-3),
        solar={"annual_cost_usd_per_mw": 85e3},
    )
    return dataclasses.replace(base, **changes)


def sizes(design: Evaluation) -> dict[str, Any]:
    """The plant of a design in the words of ``sitedesign.evaluate``."""
    return {
        "solar_mw": design.solar_mw,
        "battery_mwh": design.battery_mwh,
        "battery_mw": design.battery_mw,
        "backup": design.backup,
        "racks": design.racks,
    }
