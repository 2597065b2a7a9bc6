"""How long a hub takes: two resources, three supplies (one with four prices), two sinks, whole units.

One year by cuts and hour by hour, then years: ``pytest tests/benchmarks --benchmark-only -s``.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import time

import numpy as np
import pytest
from scipy.signal import lfilter

from sitedesign.case.case import Case, ImportCase, PriceLevel, SinkCase
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.extensive_form import solve_extensive
from tests.benchmarks.pypsa_model import solve_in_pypsa
from tests.cases import resource, year_case


def hub_of_years(years: int, seed: int = 0) -> Case:
    """Sun, wind, engines that may burn diesel, turbines, a grid with hours of four prices, a town, miners."""
    base, rng = year_case(years, seed), np.random.default_rng(seed + 5)
    steps = base.steps
    hour, lag = np.arange(steps) % 24, 0.97
    wind = 0.4 + 0.3 * lfilter([1.0], [1.0, -lag], rng.normal(0, 1, steps)) * (1 - lag**2) ** 0.5
    farm = resource(
        np.clip(wind, 0, 1), name="wind", label="wind farm", annual_cost_usd_per_mw=150e3, acres_per_mw=0.7,
        bounds_mw=(0.0, 1000.0),
    )  # fmt: skip
    prices = tuple(PriceLevel(name, usd, 0.3) for name, usd in zip("abcd", (25, 40, 60, 120), strict=True))
    grid = ImportCase(
        "grid", np.where(rng.random(steps) < 0.02, 0.5, 1.0)[None], prices, 120e3, 30.0, 0.0, 40.0,
        active_level=np.select([hour < 6, hour < 14, hour < 20], [0, 1, 3], 2),
    )  # fmt: skip
    engine = dataclasses.replace(
        base.backup[0],
        other_levels=(PriceLevel("diesel", 210.0, 0.6),),
        active_level=(rng.random(steps) < 0.01).astype(int),
    )
    day = (0.5 + 0.5 * np.sin(hour / 24 * np.pi))[None]
    town = SinkCase("town", day, (PriceLevel("sale", 30.0),), 0.0, 20.0, 20.0)
    miners = SinkCase(
        "miners", np.ones((1, steps)), (PriceLevel("hash", 55.0),), 150e3, 0, 10, unit_mw=2.0, whole=True
    )
    return dataclasses.replace(
        base,
        resources=(*base.resources, farm),
        backup=(engine, *base.backup[1:]),
        imports=(grid,),
        sinks=(town, miners),
    )


def first_weeks(case: Case, weeks: int) -> Case:
    """The hub in the first weeks of its year, at capital prices of so long; racks that never fail."""
    steps = weeks * 168
    share = steps / case.steps

    def flow(item, **more):
        active = None if item.active_level is None else item.active_level[:steps]
        return dataclasses.replace(
            item,
            capability=np.ascontiguousarray(item.capability[:, :steps]),
            active_level=active,
            annual_cost_usd_per_unit=item.annual_cost_usd_per_unit * share,
            **more,
        )

    return dataclasses.replace(
        case,
        resources=tuple(
            dataclasses.replace(
                r,
                yield_mw_per_mw=r.yield_mw_per_mw[:steps],
                annual_cost_usd_per_mw=r.annual_cost_usd_per_mw * share,
            )
            for r in case.resources
        ),
        backup=tuple(flow(item, site_cost_usd_per_yr=0.0) for item in case.backup),
        imports=tuple(map(flow, case.imports)),
        sinks=tuple(map(flow, case.sinks)),
        load_mw=case.load_mw[:steps],
        usable=case.usable[:steps],
        battery_cost_usd_per_mwh_yr=case.battery_cost_usd_per_mwh_yr * share,
        battery_cost_usd_per_mw_yr=case.battery_cost_usd_per_mw_yr * share,
        rack_availability=1.0,
        racks_max=case.racks_contracted,
        delay_cost_usd_per_month_yr=0.0,
    )


def cpu_s(case: Case, rounds: int = 3) -> float:
    """Least processor time of a solve. [s]"""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        solve_cuts(case, gap=1e-4)
        times.append(time.process_time() - start)
    return min(times)


def test_one_year_of_a_hub_against_the_hour_by_hour_model(benchmark) -> None:
    """Same optimum; the hour-by-hour model takes some hundred times as long."""
    case = hub_of_years(1)
    fast, fast_s = solve_cuts(case, gap=1e-4), cpu_s(case)
    start = time.process_time()
    slow = benchmark.pedantic(lambda: solve_extensive(case, gap=1e-4, explain_infeasible=False), rounds=1)
    slow_s = time.process_time() - start
    print(f"\none year: cuts {fast_s:.2f} s, hour by hour {slow_s:.0f} s, {slow_s / fast_s:.0f} times")
    assert fast.objective_usd_per_yr == pytest.approx(slow.objective_usd_per_yr, rel=2e-4)
    assert fast.bound_usd_per_yr <= slow.objective_usd_per_yr
    assert slow.bound_usd_per_yr <= fast.objective_usd_per_yr


def test_years_of_a_hub(benchmark) -> None:
    """Twenty years within two seconds; time grows with the years."""
    solve_cuts(hub_of_years(1))
    cases = {years: hub_of_years(years) for years in (5, 10, 20, 40)}
    times = benchmark.pedantic(lambda: {years: cpu_s(case) for years, case in cases.items()}, rounds=1)
    print("\n" + ", ".join(f"{years} years {seconds:.2f} s" for years, seconds in times.items()))
    assert times[20] < 2


@pytest.mark.filterwarnings("ignore")  # of PyPSA's own dependencies
@pytest.mark.parametrize("seed", [0, 3])
def test_a_hub_against_pypsa(seed: int, benchmark) -> None:
    """The same optimum to 1e-4 by a model that shares nothing with ours but the numbers."""
    if importlib.util.find_spec("pypsa") is None:
        pytest.skip("PyPSA is not installed (pip install 'sitedesign[bench]')")
    case = first_weeks(hub_of_years(1, seed), 8)
    ours = solve_cuts(case, gap=1e-5)
    theirs = benchmark.pedantic(lambda: solve_in_pypsa(case, gap=1e-5), rounds=1)
    print(f"\nhub, 8 weeks: ours {ours.objective_usd_per_yr:,.2f}, PyPSA {theirs:,.2f} USD")
    assert ours.objective_usd_per_yr == pytest.approx(theirs, rel=1e-4)
    assert ours.bound_usd_per_yr <= theirs * (1 + 1e-6)
