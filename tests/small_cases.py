"""Small random cases for the tests of the fast solver, and the linear program they are checked against."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog

from sitedesign.case.case import Case, ClassShare, Tier
from sitedesign.errors import InfeasibleDesign
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.dispatch_oracle import Oracle, Point
from sitedesign.optimize.extensive_form import solve_extensive
from sitedesign.optimize.result import OptimizationResult
from tests import cases

#: Both formulations, to the same gap.
METHODS = {
    "cuts": lambda case: solve_cuts(case, gap=1e-5, explains=False),
    "extensive": lambda case: solve_extensive(case, gap=1e-5, explain_infeasible=False),
}


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
            cases.backup(
                steps,
                f"engine_{k}",
                unit_mw=float(rng.choice([2.5, 5.0, 10.0])),
                capability=on_off if ties else rng.random((rows, steps)),
                annual_cost_usd_per_unit=float(rng.uniform(2e5, 8e5)),
                marginal_cost_usd_per_mwh=float(rng.choice([50.0, 90.0, 90.25, 100.0])),
                fuel_mmbtu_per_mwh=8.0,
                co2_t_per_mwh=0.5,
                lead_months=12.0,
                units_max=3,
            )
        )
    widths = np.full(tiers, 1 / tiers) if ties else rng.dirichlet(np.ones(tiers))
    weights = np.sort(rng.uniform(0.3, 2, tiers))
    etas = rng.choice([0.9, 0.95, 1.0], 2)
    return cases.case(
        solar,
        load,
        solar={"annual_cost_usd_per_mw": 7e4, "acres_per_mw": 5.0},
        step_h=step_h,
        usable=usable,
        eta_charge=float(etas[0]),
        eta_discharge=float(etas[1]),
        backup=tuple(backup),
        tiers=tuple(Tier(float(a), float(b)) for a, b in zip(widths, weights, strict=True)),
        battery_cost_usd_per_mwh_yr=2e4,
        battery_cost_usd_per_mw_yr=1e4,
        battery_lead_months=12.0,
        rack_cost_usd_per_yr=3e5,
        uptime_target=0.99,
        limits=dict.fromkeys(cases.SIZES, (0.0, 1000.0)),
    )


def study(seed: int, **changes: object) -> Case:
    """A small random study whose capital prices fit its length; limits and losses vary with the seed."""
    rng = np.random.default_rng(seed)
    technologies = int(rng.integers(0, 3))
    case = random_case(
        rng,
        steps=int(rng.choice([12, 24, 48])),
        technologies=technologies,
        tiers=int(rng.integers(1, 4)),
        step_h=float(rng.choice([0.25, 0.5, 1.0])),
        ties=seed % 2 == 0,
    )
    share = case.steps * case.step_h / 8760
    availability = float(rng.choice([1.0, 0.95]))

    def sometimes(value: float, often: float = 0.3) -> float | None:
        return value if rng.random() < often else None

    case = cases.limited(
        case,
        land_acres=sometimes(150.0),
        min_renewable_share=sometimes(float(rng.choice([0.2, 0.5]))) if technologies else None,
        max_co2_t_per_yr=sometimes(0.2 * case.load_mwh_per_yr) if technologies else None,
        min_duration_h=sometimes(1.0),
        max_duration_h=sometimes(3.0),
    )
    priced = tuple(
        dataclasses.replace(b, annual_cost_usd_per_unit=b.annual_cost_usd_per_unit * share)
        for b in case.backup
    )
    case = dataclasses.replace(
        case,
        backup=priced,
        rack_availability=availability,
        racks_max=10 if availability == 1.0 else 14,
        uptime_target=float(rng.choice([0.9, 0.97, 0.99])),
        resources=case.with_resource(annual_cost_usd_per_mw=7e4 * share).resources,
        battery_cost_usd_per_mwh_yr=2e4 * share,
        battery_cost_usd_per_mw_yr=1e4 * share,
        rack_cost_usd_per_yr=3e5 * share,
        delay_cost_usd_per_month_yr=float(rng.choice([0.0, 10.0])),
        usable=np.full(case.steps, 0.9),
    )
    return dataclasses.replace(case, **changes)


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
            ClassShare(f"class_{number}", share, target)
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
    resources = np.array([float(rng.choice([0.0, 10.0, 30.0, 13.7])) for _ in oracle.case.resources])
    energy = float(rng.choice([0.0, 10.0, 20.0, 33.3]))
    return Point(resources, energy, float(rng.choice([0.0, 5.0, 10.0, 2.2])), np.array(units))


def backup_mw(case: Case, oracle: Oracle, point: Point):
    """Available power per technology and step, summed unit by unit, shape (K, T)."""
    out = np.zeros((len(case.backup), case.steps))
    for k, item in enumerate(case.backup):
        for row, count in enumerate(point.units[oracle.row_start[k] : oracle.row_start[k + 1]]):
            out[k] += count * item.unit_mw * item.capability[row]
    return out


def least_cost(case: Case, oracle: Oracle, point: Point, prices: np.ndarray) -> float:
    """Least priced total of a dispatch by a general linear programming solver; inf when infeasible.

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


def solved_both_ways(case: Case) -> tuple[OptimizationResult, OptimizationResult] | None:
    """Answers of cuts and of the hour-by-hour model, which cost the same; None where both find no plant."""
    try:
        reference = solve_extensive(case, gap=1e-5, explain_infeasible=False)
    except InfeasibleDesign:
        with pytest.raises(InfeasibleDesign):
            solve_cuts(case, explains=False)
        return None
    fast = solve_cuts(case, gap=1e-5)
    assert fast.stopped_by == "gap"
    assert fast.objective_usd_per_yr == pytest.approx(reference.objective_usd_per_yr, rel=3e-5)
    return fast, reference
