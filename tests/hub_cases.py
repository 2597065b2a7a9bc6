"""Random hubs: several resources, supplies with price levels, sinks; a linear program to check them with."""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog

from sitedesign.case.case import Case, ImportCase, LoadClass, PriceLevel, SinkCase, Tier
from sitedesign.case.limits import CaseLimits
from sitedesign.optimize.dispatch_oracle import Oracle, Point
from tests.cases import resource
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
        classes["load_classes"] = (LoadClass("service", 0.6, 0.97), LoadClass("batch", 0.4, 0.8))
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


def random_hub_point(rng: np.random.Generator, case: Case, oracle: Oracle) -> Point:
    """Capacities with zeros made likely."""
    units: list[float] = []
    for first, last in zip(oracle.row_start[:-1], oracle.row_start[1:], strict=True):
        if last - first == 1:
            units.append(float(rng.choice([0.0, 1.0, 2.0, 2.5])))
        else:
            units += np.sort(rng.choice([0.0, 0.5, 1.0], last - first))[::-1].tolist()
    resources = rng.choice([0.0, 10.0, 13.7, 30.0], len(case.resources))
    energy, power = float(rng.choice([0.0, 10.0, 33.3])), float(rng.choice([0.0, 5.0, 2.2]))
    return Point(resources, energy, power, np.array(units))


def least_cost(case: Case, oracle: Oracle, point: Point, prices: np.ndarray) -> float:
    """Least priced total of a hub by a general linear programming solver; inf when infeasible.

    Written apart from the recursion: a column for each level of each supply, for what each sink takes, for
    each tier; what a sink misses is priced.
    """
    steps, h = case.steps, case.step_h
    flows, priced, supplies = case.flows, case.priced, len(case.supplies)
    room, cost, sign, constant, at = [], [], [], 0.0, 0
    for k, item in enumerate(flows):
        rows = np.atleast_2d(item.capability)
        able = np.zeros(steps)
        for row, count in enumerate(point.units[oracle.row_start[k] : oracle.row_start[k + 1]]):
            able += count * item.unit_mw * rows[row]
        for i in range(len(item.levels)):
            holds = np.full(steps, i == 0) if item.active_level is None else item.active_level == i
            room.append(np.where(holds, able, 0.0))
            if k < supplies:
                cost.append(prices[at])
                sign.append(1.0)
            else:
                cost.append(-prices[at])
                sign.append(-1.0)
                constant += float(prices[at] * room[-1].sum() * h)
            at += 1
    for tier in case.tiers:
        room.append(tier.width * case.load_mw * (1 + 1e-12))
        cost.append(prices[priced + tier.load_class] * tier.weight)
        sign.append(1.0)
    full, power = point.battery_mwh * case.usable, np.full(steps, point.battery_mw)
    lower = np.zeros((4 + len(room), steps))
    lower[3, -1] = full[-1]
    upper = np.stack([np.full(steps, np.inf), power, power, full, *room])
    eye, none = sp.identity(steps), sp.csr_matrix((steps, steps))
    change = sp.diags([np.ones(steps), -np.ones(steps - 1)], [0, -1])
    balance = sp.hstack([-eye, -eye, eye, none, *(s * eye for s in sign)])
    storage = sp.hstack(
        [none, -h * case.eta_charge * eye, h / case.eta_discharge * eye, change] + [none] * len(room)
    )
    start = np.zeros(steps)
    start[0] = point.battery_mwh * case.usable[0]
    weather = sum(mw * r.yield_mw_per_mw for mw, r in zip(point.resources_mw, case.resources, strict=True))
    result = linprog(
        np.concatenate([np.zeros(4 * steps), np.repeat(cost, steps) * h]),
        A_eq=sp.vstack([balance, storage]).tocsr(),
        b_eq=np.concatenate([case.load_mw - weather, start]),
        bounds=np.stack([lower.ravel(), upper.ravel()], axis=1),
    )
    return (float(result.fun) + constant) / case.years if result.status == 0 else np.inf
