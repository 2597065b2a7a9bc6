"""Cases for tests: small random ones for Hypothesis, and a believable sunny year that is the same for a seed."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from hypothesis import strategies as st

from sitedesign.case import BackupCase, Case, CaseLimits, Tier
from sitedesign.optimize.rack_shortfall import racks_needed


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


def case(solar_yield: Any, load_mw: Any, **changes: Any) -> Case:
    """One case with round numbers around given series; `limits` may be a dict of changes to wide limits."""
    sun = np.asarray(solar_yield, dtype=np.float64)
    load = np.asarray(load_mw, dtype=np.float64)
    wide = CaseLimits(solar_mw=(0.0, 5000.0), battery_mwh=(0.0, 50000.0), battery_mw=(0.0, 5000.0))
    limits = changes.pop("limits", {})
    base = Case(
        name="somewhere",
        step_h=1.0,
        years=1,
        solar_yield=sun,
        load_mw=load,
        usable=np.ones(sun.size),
        eta_charge=0.95,
        eta_discharge=0.95,
        backup=(backup(sun.size),),
        tiers=(Tier(1.0, 1.0),),
        solar_cost_usd_per_mw_yr=90e3,
        battery_cost_usd_per_mwh_yr=22e3,
        battery_cost_usd_per_mw_yr=12e3,
        solar_acres_per_mw=6.0,
        solar_lead_months=12.0,
        battery_lead_months=9.0,
        racks_contracted=10,
        racks_max=10,
        rack_availability=1.0,
        rack_cost_usd_per_yr=0.5e6,
        uptime_target=0.999,
        delay_cost_usd_per_month_yr=0.0,
        limits=dataclasses.replace(wide, **limits) if isinstance(limits, dict) else limits,
    )
    return dataclasses.replace(base, **changes)


def sunny_years(years: int = 1, seed: int = 0, step_h: float = 1.0, latitude_deg: float = 32.0) -> np.ndarray:
    """Solar yield of whole years, shape (T,): clear-sky shape by season, cloudy spells of a few days. [MW/MWdc]

    The series starts on a summer afternoon, so that a battery that is full at both ends is no burden.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    per_day = round(24 / step_h)
    days = 365 * years
    day = np.arange(days)[:, None]
    hour = (np.arange(per_day)[None, :] + 0.5) * step_h
    tilt = np.deg2rad(23.45) * np.sin(2 * np.pi * (day + 284) / 365)
    lat = np.deg2rad(latitude_deg)
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


def year_case(years: int = 1, seed: int = 0, load_mw: float = 100.0, step_h: float = 1.0, **changes: Any) -> Case:
    """A realistic 100 MW study: one or more years, engines and turbines, 700 racks of 98.5 % availability."""
    sun = sunny_years(years, seed, step_h)
    t = np.arange(sun.size) * step_h
    load = load_mw * (1 + 0.03 * np.sin(2 * np.pi * t / 24) + 0.02 * np.cos(2 * np.pi * t / 8760))
    heat = 1 - 0.04 * (np.sin(2 * np.pi * t / 24) + np.cos(2 * np.pi * t / 8760)).clip(0, None)
    technologies = (
        backup(sun.size, "engine", unit_mw=11.0, annual_cost_usd_per_unit=1.9e6, marginal_cost_usd_per_mwh=62.0,
               capability=np.minimum(heat + 0.01, 1.0)[None, :], units_max=11),
        backup(sun.size, "turbine", unit_mw=34.0, annual_cost_usd_per_unit=4.6e6, marginal_cost_usd_per_mwh=85.0,
               capability=heat[None, :], lead_months=30.0, units_max=4),
    )  # fmt: skip
    base = case(
        sun,
        load,
        step_h=step_h,
        years=years,
        backup=technologies,
        racks_contracted=700,
        rack_availability=0.985,
        racks_max=racks_needed(700, 0.985, 1e-3),
        solar_cost_usd_per_mw_yr=85e3,
    )
    return dataclasses.replace(base, **changes)
