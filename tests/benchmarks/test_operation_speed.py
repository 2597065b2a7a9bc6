"""How fast operation and certification are; run with ``pytest --benchmark-only tests/benchmarks``."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from sitedesign.case.case import Tier
from sitedesign.case.plant import Plant
from sitedesign.case.reserve import ReserveRule
from sitedesign.operation.environment import OperatingEnvironment
from sitedesign.operation.forecast import climatology
from sitedesign.operation.operate import operate
from sitedesign.operation.outages.sampling import (
    BlockOutages,
    FuelOutages,
    OutageConditions,
    OutageModel,
    UnitOutages,
    sample_outages,
)
from sitedesign.operation.state import Controller, UnitBehaviour
from sitedesign.reliability.certificate_plan import CertificatePlan
from sitedesign.reliability.monte_carlo import monte_carlo
from sitedesign.reliability.weather_blocks import WeatherBlock
from tests import cases

MURPHY = ((-15.0, 0.199), (-5.0, 0.051), (5.0, 0.024), (15.0, 0.024), (25.0, 0.031), (35.0, 0.066))
BEHAVIOUR = (
    UnitBehaviour(5 / 60, 0.3, 0.07, 0.01, 0.03, 24.0, "natural_gas", 0.0, 5.0),
    UnitBehaviour(10 / 60, 0.5, 0.2, 0.01, 0.03, 48.0, "natural_gas", 0.0, 5.0),
)
MODEL = OutageModel(
    units=(
        UnitOutages("recip", "natural_gas", 0.025, 24.0, None, 0.04, 0.02),
        UnitOutages("aero", "natural_gas", 0.04, 48.0, MURPHY, 0.03, 0.02),
    ),
    fuels=(FuelOutages("natural_gas", 0.2, 12.0, 0.1, 48.0, 0.01),),
    battery=BlockOutages(20, 0.02, 24.0),
    solar=BlockOutages(50, 0.01, 48.0),
    site_events_per_yr=0.1,
    solar_mean_availability=0.99,
)
PLANT = Plant((404.0,), 1385.0, 163.0, (4, 2), 700)


def desert(years):
    """Sunny synthetic years with a hundred MW of load: two technologies, three tiers."""
    rng = np.random.Generator(np.random.PCG64(0))
    days = np.arange(years * 365)
    hour = np.arange(24) + 0.5
    season = -np.cos(2 * np.pi * (days % 365 + 10) / 365)[:, None]
    length = 12 + 2.2 * season
    height = np.clip(np.sin(np.pi * (hour - 12 + length / 2) / length), 0, None)
    sun = np.where(np.abs(hour - 12) < length / 2, height, 0) ** 0.6 * (1 + 0.28 * season) ** 0.5
    solar = (sun * np.clip(1.17 - 0.22 * rng.lognormal(0, 0.75, days.size), 0.06, 1.25)[:, None]).ravel()
    solar *= 0.24 / solar.mean()
    temp = (
        17 + 10 * season + 6 * np.sin(2 * np.pi * (hour - 9) / 24) + 3 * rng.standard_normal((days.size, 1))
    ).ravel()
    able = np.clip(1 - 0.008 * np.maximum(temp - 15, 0), 0, 1)[None, :]
    machines = tuple(
        cases.backup(solar.size, name, unit_mw=unit_mw, capability=able, marginal_cost_usd_per_mwh=usd,
                     fuel_mmbtu_per_mwh=fuel)
        for name, unit_mw, usd, fuel in (("recip", 10.0, 80.0, 8.3), ("aero", 17.0, 110.0, 9.5))
    )  # fmt: skip
    case = cases.case(
        solar,
        100 * (1 + 0.0015 * np.maximum(temp - 15, 0)),
        years=years,
        usable=np.full(solar.size, 0.9),
        eta_charge=0.93,
        eta_discharge=0.93,
        backup=machines,
        tiers=(Tier(0.08, 0.31), Tier(0.16, 0.6), Tier(0.76, (1 - 0.08 * 0.31 - 0.16 * 0.6) / 0.76)),
        racks_contracted=700,
        racks_max=720,
        rack_availability=0.99,
    )
    return WeatherBlock(case, temp)


@pytest.mark.benchmark(timer=time.process_time)  # of this process, whatever else runs
@pytest.mark.parametrize("kind", ["greedy", "latest_safe_start"])
def test_hundred_years_with_outages_units_and_tiers(benchmark, kind):
    block = desert(100)
    usual = climatology(block.case, block.temp_air_c)
    conditions = OutageConditions(1.0, 100, 0, block.temp_air_c, usual)
    paths = sample_outages(MODEL, PLANT.units, conditions)
    environment = OperatingEnvironment(usual, MODEL, BEHAVIOUR)

    def run():
        return operate(block.case, PLANT, Controller(kind), environment, outages=paths, record=False)

    benchmark.pedantic(run, rounds=5, warmup_rounds=1)
    benchmark.extra_info["million_steps_per_s"] = block.case.steps / benchmark.stats.stats.min / 1e6


@pytest.mark.benchmark(timer=time.process_time)  # of this process, whatever else runs
@pytest.mark.parametrize("kind", ["greedy", "latest_safe_start"])
def test_hundred_years_with_every_rule_on(benchmark, kind):
    """Reserve, down time, ramp, starts and services: at least 5 million steps a second."""
    block = desert(100)
    case = replace(block.case, reserve=ReserveRule(1, 5.0, 0.03, 0.25))
    ruled = {"min_down_h": 1.0, "ramp_per_min": 0.1, "start_fuel_h": 0.08, "start_usd": 700.0}
    ruled |= {"service_every_h": 2000.0, "service_h": 24.0}
    ways = tuple(replace(way, **ruled) for way in BEHAVIOUR)
    usual = climatology(block.case, block.temp_air_c)
    paths = sample_outages(MODEL, PLANT.units, OutageConditions(1.0, 100, 0, block.temp_air_c, usual))
    environment = OperatingEnvironment(usual, MODEL, ways)

    def run():
        return operate(case, PLANT, Controller(kind), environment, outages=paths, record=False)

    benchmark.pedantic(run, rounds=5, warmup_rounds=1)
    benchmark.extra_info["million_steps_per_s"] = case.steps / benchmark.stats.stats.min / 1e6


@pytest.mark.benchmark
def test_certificate_of_a_thousand_years(benchmark):
    block = desert(200)
    environment = OperatingEnvironment(climatology(block.case, block.temp_air_c), MODEL, BEHAVIOUR)
    plan = CertificatePlan(draws=5, seed=7)
    certificate = benchmark.pedantic(
        lambda: monte_carlo(block, PLANT, Controller(), environment, plan), rounds=1
    )
    assert certificate.simulated_years == 1000
    assert benchmark.stats.stats.max < 60
