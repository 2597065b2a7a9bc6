"""Small random cases for the tests of the fast solver, and the linear program they are checked against."""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog

from sitedesign.case.case import BackupCase, Case, CaseLimits, LoadClass, Tier, sum_of_resources
from sitedesign.optimize.dispatch_oracle import Oracle, Point
from tests.solar_cases import array


def random_case(rng, *, steps=24, technologies=2, tiers=3, step_h=1.0, ties=True):
    """A case whose numbers are round on purpose when `ties` is set, so that kinks and ties are common."""
    day = np.sin(np.arange(steps) * step_h * 2 * np.pi / 24 - np.pi / 2)
    solar = np.maximum(0.0, day) * rng.choice([0.1, 0.5, 1.0], steps)
    load = np.full(steps, 10.0) if ties else rng.uniform(5, 12, steps)
    usable = np.ones(steps) if ties else 1 - 0.2 * rng.random(steps).cumsum() / steps
    if rng.random() < 0.3:
        usable = rng.choice([0.7, 0.8, 0.9, 1.0], steps)
    backup = []
    for k in range(technologies):
        rows = int(rng.choice([1, 3]))
        on_off = rng.choice([0.0, 1.0, 0.9], size=(rows, steps), p=[0.2, 0.6, 0.2])
        backup.append(
            BackupCase(
                name=f"engine_{k}",
                unit_mw=float(rng.choice([2.5, 5.0, 10.0])),
                capability=on_off if ties else rng.random((rows, steps)),
                annual_cost_usd_per_unit=float(rng.uniform(2e5, 8e5)),
                marginal_cost_usd_per_mwh=float(rng.choice([50.0, 90.0, 90.25, 100.0])),
                fuel_mmbtu_per_mwh=8.0,
                co2_t_per_mwh=0.5,
                lead_months=12.0,
                units_min=0,
                units_max=3,
            )
        )
    widths = np.full(tiers, 1 / tiers) if ties else rng.dirichlet(np.ones(tiers))
    weights = np.sort(rng.uniform(0.3, 2, tiers))
    etas = rng.choice([0.9, 0.95, 1.0], 2)
    return Case(
        name="small",
        step_h=step_h,
        years=1,
        resources=array(solar, annual_cost_usd_per_mw=7e4, acres_per_mw=5.0, bounds_mw=(0.0, 1000.0)),
        load_mw=load,
        usable=usable,
        eta_charge=float(etas[0]),
        eta_discharge=float(etas[1]),
        backup=tuple(backup),
        tiers=tuple(Tier(float(a), float(b)) for a, b in zip(widths, weights, strict=True)),
        battery_cost_usd_per_mwh_yr=2e4,
        battery_cost_usd_per_mw_yr=1e4,
        battery_lead_months=12.0,
        racks_contracted=10,
        racks_max=10,
        rack_availability=1.0,
        rack_cost_usd_per_yr=3e5,
        uptime_target=0.99,
        delay_cost_usd_per_month_yr=0.0,
        limits=CaseLimits((0.0, 1000.0), (0.0, 1000.0)),
    )


def with_classes(case: Case, seed: int) -> Case:
    """The case with two or three classes of the load, one or two tiers each, and a value of lost compute.

    Tiers stand class by class or by weight across the classes; within a class the weight rises.
    """
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 4))
    shares = rng.dirichlet(np.full(count, 3.0)).tolist()
    tiers = []
    for number, share in enumerate(shares):
        size = int(rng.integers(1, 3))
        widths, weights = rng.dirichlet(np.full(size, 3.0)), np.sort(rng.uniform(0.3, 1.5, size))
        weights /= widths @ weights
        tiers += [Tier(share * float(a), float(b), number) for a, b in zip(widths, weights, strict=True)]
    tiers.sort(key=lambda tier: (tier.load_class * (seed % 2), tier.weight))
    targets = rng.choice([0.0, 0.7, 0.9, 0.97, 0.98], count).tolist()
    return dataclasses.replace(
        case,
        tiers=tuple(tiers),
        load_classes=tuple(
            LoadClass(f"class_{number}", share, target)
            for number, (share, target) in enumerate(zip(shares, targets, strict=True))
        ),
        lost_value_usd_per_mwh=float(rng.choice([0.0, 30.0, 80.0, 500.0])),
    )


def random_point(rng, oracle: Oracle) -> Point:
    """Capacities with zeros, and with generation equal to load, made likely."""
    units: list[float] = []
    for first, last in zip(oracle.row_start[:-1], oracle.row_start[1:], strict=True):
        if last - first == 1:
            units.append(float(rng.choice([0.0, 1.0, 2.0, 2.5])))
        else:
            units += np.sort(rng.choice([0.0, 0.5, 1.0], last - first))[::-1].tolist()
    solar = float(rng.choice([0.0, 10.0, 30.0, 13.7]))
    energy = float(rng.choice([0.0, 10.0, 20.0, 33.3]))
    return Point(np.array([solar]), energy, float(rng.choice([0.0, 5.0, 10.0, 2.2])), np.array(units))


def backup_mw(case: Case, oracle: Oracle, point: Point):
    """Available power per technology and step, summed unit by unit, shape (K, T)."""
    out = np.zeros((len(case.backup), case.steps))
    for k, item in enumerate(case.backup):
        for row, count in enumerate(point.units[oracle.row_start[k] : oracle.row_start[k + 1]]):
            out[k] += count * item.unit_mw * item.capability[row]
    return out


def least_cost(case: Case, oracle: Oracle, point: Point, prices) -> float:
    """Value of the dispatch problem by a general linear programming solver; inf when infeasible."""
    steps, h = case.steps, case.step_h
    technologies, tiers = len(case.backup), len(case.tiers)
    blocks = technologies + tiers
    shed = [prices[technologies + tier.load_class] * tier.weight for tier in case.tiers]
    price = [*prices[:technologies], *shed]
    room = [
        *backup_mw(case, oracle, point),
        *(tier.width * case.load_mw * (1 + 1e-12) for tier in case.tiers),
    ]
    full = point.battery_mwh * case.usable
    power = np.full(steps, point.battery_mw)
    lower = np.zeros((4 + blocks, steps))
    lower[3, -1] = full[-1]
    upper = np.stack([np.full(steps, np.inf), power, power, full, *room])
    eye, none = sp.identity(steps), sp.csr_matrix((steps, steps))
    change = sp.diags([np.ones(steps), -np.ones(steps - 1)], [0, -1])
    balance = sp.hstack([-eye, -eye, eye, none] + [eye] * blocks)
    storage = sp.hstack(
        [none, -h * case.eta_charge * eye, h / case.eta_discharge * eye, change] + [none] * blocks
    )
    start = np.zeros(steps)
    start[0] = point.battery_mwh * case.usable[0]
    result = linprog(
        np.concatenate([np.zeros(4 * steps), np.repeat(price, steps) * h]),
        A_eq=sp.vstack([balance, storage]).tocsr(),
        b_eq=np.concatenate([case.load_mw - sum_of_resources(case, point.resources_mw), start]),
        bounds=np.stack([lower.ravel(), upper.ravel()], axis=1),
    )
    return float(result.fun) / case.years if result.status == 0 else np.inf
