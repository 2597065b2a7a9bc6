"""Small random cases for Hypothesis."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from sitedesign.case.case import BackupCase, Case, Tier
from tests.cases import backup, case


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
