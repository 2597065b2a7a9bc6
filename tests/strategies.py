"""Cases for tests: small random ones for Hypothesis, and a believable year that is the same for a seed."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from hypothesis import strategies as st

from sitedesign.case.case import BackupCase, Case, CaseLimits, Tier
from sitedesign.case.rack_shortfall import racks_needed
from tests.solar_cases import array


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
    wide = CaseLimits(battery_mwh=(0.0, 50000.0), battery_mw=(0.0, 5000.0))
    limits = changes.pop("limits", {})
    solar_mw = (0.0, 5000.0)
    if isinstance(limits, dict):
        limits = dict(limits)
        solar_mw = limits.pop("solar_mw", solar_mw)
    base = Case(
        name="somewhere",
        step_h=1.0,
        years=1,
        resources=array(sun, bounds_mw=solar_mw),
        load_mw=load,
        usable=np.ones(sun.size),
        eta_charge=0.95,
        eta_discharge=0.95,
        backup=(backup(sun.size),),
        tiers=(Tier(1.0, 1.0),),
        battery_cost_usd_per_mwh_yr=22e3,
        battery_cost_usd_per_mw_yr=12e3,
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
    ).with_resource(annual_cost_usd_per_mw=85e3)
    return dataclasses.replace(base, **changes)


def _shares(steps: int, least: float = 0.0) -> st.SearchStrategy[np.ndarray]:
    """Series of shares in steps of 0.05, some of them zero when allowed."""
    tick = st.integers(round(least * 20), 20).map(lambda i: i / 20)
    return st.lists(tick, min_size=steps, max_size=steps).map(np.array)


@st.composite
def technologies(draw: st.DrawFn, steps: int, peak_mw: float) -> tuple[BackupCase, ...]:
    """Zero to two technologies; alike units or units with outages of their own; enough of them or not."""
    found = []
    for name in ("engine", "turbine")[: draw(st.integers(0, 2))]:
        unit_mw = draw(st.sampled_from([4.0, 7.0, 12.5]))
        most = draw(st.integers(0, int(np.ceil(peak_mw / unit_mw)) + 1))
        rows = draw(st.sampled_from([1, 1, max(most, 2)]))
        capability = np.array([draw(_shares(steps, 0.0 if rows > 1 else 0.8)) for _ in range(rows)])
        found.append(
            backup(
                steps,
                name,
                unit_mw=unit_mw,
                capability=np.round(capability) if rows > 1 else capability,
                annual_cost_usd_per_unit=draw(st.integers(2, 40)) * 50e3,
                marginal_cost_usd_per_mwh=float(draw(st.integers(3, 40)) * 1000),
                lead_months=float(draw(st.integers(6, 30))),
                units_min=draw(st.integers(0, 1)) if most else 0,
                units_max=most,
            )
        )
    return tuple(found)


@st.composite
def small_cases(draw: st.DrawFn, *, limited: bool = True) -> Case:
    """Random cases of 4 to 8 steps: losses, fade, tiers, several technologies, spare racks, limits.

    Fuel is a thousand times as dear as in life, because a few hours stand for a year. Not all are feasible.
    """
    steps = draw(st.integers(4, 8))
    sun = draw(_shares(steps))
    load = 20.0 * draw(_shares(steps, 0.5))
    techs = draw(technologies(steps, float(load.max())))
    tiers = draw(st.sampled_from([(Tier(1.0, 1.0),), (Tier(0.4, 0.5), Tier(0.6, 0.8 / 0.6))]))
    limits: dict[str, Any] = {
        "solar_mw": (0.0, 400.0),
        "battery_mwh": (0.0, 400.0),
        "battery_mw": (0.0, 400.0),
    }
    options = {
        "land_acres": st.integers(1, 20).map(lambda i: i * 30.0),
        "min_renewable_share": st.integers(1, 19).map(lambda i: i / 20),
        "max_co2_t_per_yr": st.integers(1, 20).map(lambda i: i * 2.0),
        "min_duration_h": st.sampled_from([0.5, 1.0]),
        "max_duration_h": st.sampled_from([2.0, 4.0]),
        "months_to_power": st.sampled_from([15.0, 24.0]),
    }
    if limited:
        for name in draw(st.lists(st.sampled_from(sorted(options)), max_size=2, unique=True)):
            limits[name] = draw(options[name])
    racks = draw(st.integers(1, 4))
    return case(
        sun,
        load,
        step_h=draw(st.sampled_from([0.25, 0.5, 1.0])),
        years=draw(st.sampled_from([1, 2])) if steps % 2 == 0 else 1,
        usable=np.sort(draw(_shares(steps, 0.9)))[::-1].copy(),
        eta_charge=draw(st.sampled_from([0.9, 1.0])),
        eta_discharge=draw(st.sampled_from([0.85, 1.0])),
        backup=techs,
        tiers=tiers,
        racks_contracted=racks,
        racks_max=racks + draw(st.integers(0, 3)),
        rack_availability=draw(st.sampled_from([1.0, 0.95])),
        uptime_target=draw(st.sampled_from([0.6, 0.8, 0.9, 0.99])),
        delay_cost_usd_per_month_yr=draw(st.sampled_from([0.0, 20e3])),
        limits=limits,
    )
