"""Random hubs: several resources, supplies with price levels, sinks; a linear program to check them with."""

from __future__ import annotations

import dataclasses

import numpy as np

from sitedesign.case.case import Case, ClassShare, ImportCase, PriceLevel, SinkCase, Tier
from sitedesign.case.limits import CaseLimits
from tests.cases import resource, year_case
from tests.small_cases import random_case

PRICES = [0.0, 40.0, 50.0, 90.0, 90.25, 100.0]
SHARE = 24 / 8760  # of a year: capital of a plant that runs a day or two


def _levels(
    rng: np.random.Generator, steps: int, most: int
) -> tuple[tuple[PriceLevel, ...], np.ndarray | None]:
    """Some prices, ties among them likely, and steps in which they hold; a level may never hold."""
    count = int(rng.integers(1, most + 1))
    prices = rng.choice(PRICES, count) if rng.random() < 0.7 else rng.uniform(5, 120, count)
    levels = tuple(PriceLevel(f"level {i}", float(p), 0.1 * i, 1.0 + i) for i, p in enumerate(prices))
    if count == 1 and rng.random() < 0.7:
        return levels, None
    known = int(rng.integers(1, count + 1))  # levels beyond these never hold
    return levels, rng.integers(0, known, steps)


def hub(seed: int, *, steps: int | None = None) -> Case:
    """A small hub, at the prices of a day or two; not all are feasible."""
    rng = np.random.default_rng(seed)
    technologies = int(rng.integers(0, 3))
    case = random_case(
        rng,
        steps=steps or int(rng.choice([3, 6, 12, 24])),
        technologies=technologies,
        tiers=int(rng.integers(1, 3)),
        step_h=float(rng.choice([0.5, 1.0])),
        ties=bool(rng.random() < 0.6),
    )
    share = case.steps * case.step_h / 8760
    wind = resource(
        rng.choice([0.0, 0.2, 0.5, 1.0], case.steps), name="wind", label="wind farm", acres_per_mw=1.0,
        annual_cost_usd_per_mw=float(rng.choice([5e4, 2e5])) * share, bounds_mw=(0.0, 300.0),
    )  # fmt: skip
    backup = []
    for item in case.backup:
        levels, active = _levels(rng, case.steps, 3)
        second = {"other_levels": levels[1:], "active_level": active} if rng.random() < 0.5 else {}
        backup.append(
            dataclasses.replace(
                item, annual_cost_usd_per_unit=item.annual_cost_usd_per_unit * share, **second
            )
        )
    imports, sinks = [], []
    for k in range(int(rng.integers(0, 3))):
        levels, active = _levels(rng, case.steps, 4)
        fixed = float(rng.choice([0.0, 4.0])) if rng.random() < 0.3 else None
        whole = bool(rng.random() < 0.2)
        imports.append(
            ImportCase(
                f"grid_{k}",
                rng.choice([0.0, 0.5, 1.0, 1.0], (1, case.steps)),
                levels,
                annual_cost_usd_per_unit=float(rng.choice([0.0, 3e4, 2e5])) * share,
                lead_months=float(rng.choice([3.0, 20.0])),
                units_min=0.0 if fixed is None else fixed,
                units_max=float(rng.choice([2.0, 8.0, 15.0])) if fixed is None else fixed,
                active_level=active,
                unit_mw=2.5 if whole else 1.0,
                whole=whole,
                site_cost_usd_per_yr=float(rng.choice([0.0, 0.0, 1e5])) * share,
            )
        )
    for k in range(int(rng.integers(0, 3))):
        levels, active = _levels(rng, case.steps, 3)
        fixed = float(rng.choice([0.0, 3.0])) if rng.random() < 0.4 else None
        whole = bool(rng.random() < 0.3)
        sinks.append(
            SinkCase(
                f"sink_{k}",
                rng.choice([0.0, 0.5, 1.0], (1, case.steps)),
                levels,
                annual_cost_usd_per_unit=float(rng.choice([0.0, 2e4, 3e5])) * share,
                units_min=0.0 if fixed is None else fixed,
                units_max=float(rng.choice([2.0, 6.0])) if fixed is None else fixed,
                active_level=active,
                unit_mw=2.0 if whole else 1.0,
                whole=whole,
            )
        )
    wired = np.random.default_rng([seed, 1])  # a stream of its own: what is drawn above stays what it was
    if imports:
        sinks = [
            dataclasses.replace(sink, needs=imports[0].name) if wired.random() < 0.4 else sink
            for sink in sinks
        ]
    limits = CaseLimits(
        battery_mwh=(0.0, 300.0),
        battery_mw=(0.0, 300.0),
        land_acres=200.0 if rng.random() < 0.2 else None,
        min_renewable_share=0.3 if rng.random() < 0.2 else None,
        max_co2_t_per_yr=0.1 * case.load_mwh_per_yr if rng.random() < 0.2 else None,
        max_duration_h=4.0 if rng.random() < 0.2 else None,
    )
    solar = dataclasses.replace(case.resources[0], annual_cost_usd_per_mw=7e4 * share, bounds_mw=(0.0, 300.0))
    classes: dict[str, object] = {}
    if rng.random() < 0.3:
        classes["load_classes"] = (ClassShare("service", 0.6, 0.97), ClassShare("batch", 0.4, 0.8))
        classes["tiers"] = (Tier(0.4, 1.0, 1), Tier(0.6, 1.0, 0))
    return dataclasses.replace(
        case,
        resources=(solar, *([wind] if rng.random() < 0.7 else [])),
        backup=tuple(backup),
        imports=tuple(imports),
        sinks=tuple(sinks),
        limits=limits,
        usable=np.full(case.steps, 0.9),
        uptime_target=float(rng.choice([0.0, 0.8, 0.95, 1.0])),
        lost_value_usd_per_mwh=float(rng.choice([0.0, 0.0, 70.0])),
        battery_cost_usd_per_mwh_yr=2e4 * share,
        battery_cost_usd_per_mw_yr=1e4 * share,
        delay_cost_usd_per_month_yr=float(rng.choice([0.0, 10.0])),
        rack_cost_usd_per_yr=3e5 * share,
        **classes,
    )


def year_hub(years: int = 2, seed: int = 0, **changes: object) -> Case:
    """A 100 MW hub of whole years to be operated: sun, wind, two technologies, a grid that calls and buys.

    Energy costs 30, 60 and 120 USD/MWh by the clock; on one day in twelve a call leaves 30 % for four hours,
    with two hours' notice; once a year the wires are down for up to two days.
    """
    base, rng = year_case(years, seed), np.random.default_rng(seed)
    hour, days = np.arange(base.steps) % 24, base.steps // 24
    called = np.repeat(rng.random(days) < 1 / 12, 24) & (hour >= 16) & (hour < 20)
    left = np.where(called, 0.3, 1.0)
    wires = np.ones(base.steps)
    for first in rng.integers(0, base.steps - 48, years):
        wires[first : first + rng.integers(1, 48)] = 0.0
    grid = ImportCase(
        "grid",
        (left * wires)[np.newaxis],
        tuple(PriceLevel(f"{usd}", float(usd), 0.4) for usd in (30, 60, 120)),
        annual_cost_usd_per_unit=1e5,
        lead_months=6.0,
        units_min=0.0,
        units_max=200.0,
        active_level=np.where((hour >= 16) & (hour < 21), 2, np.where(hour < 6, 0, 1)),
        announced=left,
        notice_h=2.0,
    )
    sale = SinkCase(
        "sale",
        wires[np.newaxis],
        (PriceLevel("low", 20.0), PriceLevel("high", 50.0)),
        annual_cost_usd_per_unit=0.0,
        units_min=0.0,
        units_max=50.0,
        active_level=(hour > 12).astype(np.int64),
    )
    windy = np.repeat(0.4 + 0.35 * rng.standard_normal(days), 24) + 0.1 * rng.standard_normal(base.steps)
    wind = resource(np.clip(windy, 0.0, 1.0), name="wind", label="wind farm", bounds_mw=(0.0, 300.0))
    return dataclasses.replace(
        base, **{"imports": (grid,), "sinks": (sale,), "resources": (*base.resources, wind)} | changes
    )
