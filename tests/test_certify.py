"""What a certificate can get wrong: unrepeatable figures, the wrong culprit, a promise that is too sure."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from sitedesign.case.case import Tier
from sitedesign.case.plant import Plant
from sitedesign.operation.environment import OperatingEnvironment
from sitedesign.operation.forecast import Forecast, climatology
from sitedesign.operation.outages.sampling import (
    FuelOutages,
    OutageConditions,
    OutageModel,
    UnitOutages,
    sample_outages,
)
from sitedesign.operation.state import Controller, UnitBehaviour
from sitedesign.reliability.attribution import marginal_losses, off_sets
from sitedesign.reliability.certificate_plan import CertificatePlan
from sitedesign.reliability.monte_carlo import CHAINS, Assessment, monte_carlo
from sitedesign.reliability.weather_blocks import WeatherBlock
from tests import cases
from tests.operated import assessed, operated

HOURS = 8760
BEHAVIOUR = [UnitBehaviour(0.1, 0.3, 0.07, 0.02, 0.03, 24.0, "natural_gas", 0.0, 5.0)]
MODEL = OutageModel(
    units=(UnitOutages("recip", "natural_gas", 0.05, 24.0, None, 0.03, 0.02, 12.0),),
    fuels=(FuelOutages("natural_gas", 0.5, 24.0),),
    site_events_per_yr=0.2,
    site_event_h=4.0,
)
PLANT = Plant((75.0,), 110.0, 14.0, (4,), 10)


def weather_years(years, seed=0, first=0, load=10.0):
    """Random days under a seasonal sun; a year is the same however the years are cut into blocks."""
    clear = np.concatenate([_clearness(seed, first + year) for year in range(years)])
    hour = np.arange(24) + 0.5
    season = 1 - 0.25 * np.cos(2 * np.pi * (np.arange(clear.size) % 365 + 10) / 365)
    solar = ((clear * season)[:, None] * np.maximum(np.sin(np.pi * (hour - 6) / 12), 0)[None, :]).ravel()
    machine = cases.backup(
        solar.size, "recip", unit_mw=2.8, annual_cost_usd_per_unit=1e5, fuel_mmbtu_per_mwh=8.0,
        co2_t_per_mwh=0.44, lead_months=12.0, units_max=9,
    )  # fmt: skip
    case = cases.case(
        solar,
        load,
        years=years,
        eta_charge=0.93,
        eta_discharge=0.93,
        backup=(machine,),
        tiers=(Tier(0.15, 0.4), Tier(0.85, 0.94 / 0.85)),
        racks_max=20,
        uptime_target=0.99,
    )
    return WeatherBlock(case, np.full(solar.size, 15.0))


def _clearness(seed, year):
    rng = np.random.Generator(np.random.PCG64([seed, year]))
    return np.clip(1 - 0.35 * np.abs(rng.standard_normal(365)) ** 1.5, 0.05, 1.2)


def certify(weather, **options):
    return assessed(weather, PLANT, MODEL, BEHAVIOUR, **({"draws": 2, "seed": 3} | options))


@pytest.fixture(scope="module")
def certificate():
    planned = {"uptime": 0.9999, "backup_share": 0.2}
    return dataclasses.replace(certify(weather_years(20)), planned=planned)


def test_draws_run_at_once_give_the_certificate_of_draws_one_by_one(monkeypatch):
    found = []
    for threads in ("1", "3"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        blocks = [weather_years(2, first=first) for first in range(0, 12, 2)]
        found.append(certify(blocks, draws=3, attribute_years=2))
    assert found[0].causes
    assert found[0] == found[1]


def test_a_block_goes_on_from_the_charge_of_the_block_four_before_it():
    """A battery that nothing charges serves the first hours of the first four blocks, and none later."""
    steps = HOURS
    case = cases.case(np.zeros(steps), 1.0, backup=(), eta_discharge=1.0, uptime_target=0.5)
    blocks = [WeatherBlock(case, np.full(steps, 15.0)) for _ in range(CHAINS + 2)]
    plant = Plant((0.0,), 100.0, 2.0, (), 10)
    found = assessed(blocks, plant, OutageModel(), [], draws=1, attribute=False)
    assert found.power_lost_h_by_year == pytest.approx([HOURS - 100.0] * CHAINS + [HOURS] * 2)


def test_same_seed_same_certificate_and_another_seed_another(certificate):
    again = certify(weather_years(20))
    same = dataclasses.replace(again, planned=certificate.planned)
    assert repr(vars(same)) == repr(vars(certificate))
    assert repr(certificate) == str(certificate)
    assert len(repr(certificate).splitlines()) < 20
    other = certify(weather_years(20), seed=4, attribute=False)
    assert other.uptime.value != certificate.uptime.value


def test_certificate_adds_up(certificate):
    c = certificate
    assert (c.weather_years, c.draws, c.simulated_years) == (20, 2, 40)
    assert c.uptime.samples == 20
    assert c.backup_share.value == pytest.approx(c.backup_mwh_per_yr[0] / (10 * HOURS))
    assert c.fuel_mmbtu_per_yr[0] > 8.0 * c.backup_mwh_per_yr[0]
    part_load = 5.0 * (c.fuel_mmbtu_per_yr[0] - 8.0 * c.backup_mwh_per_yr[0])
    assert c.operating_cost_usd_per_yr == pytest.approx(60.0 * c.backup_mwh_per_yr[0] + part_load)
    assert [len(unit) for unit in (*c.run_h_per_yr, *c.starts_per_yr)] == [4, 4]
    assert sum(c.run_h_per_yr[0]) * 2.8 >= c.backup_mwh_per_yr[0]
    assert sum(c.failed_starts_per_yr[0]) / sum(c.starts_per_yr[0]) == pytest.approx(0.02, abs=0.006)
    assert 50 < c.battery_cycles_per_yr < 365
    assert len(c.power_lost_h_by_year) == c.simulated_years == 40
    # What is lost in the mean year is corrected for luck with interruptions; without any it is the plain mean
    assert [row.name for row in c.interruptions] == ["natural_gas", "site"]
    steady = assessed(weather_years(4), PLANT, MODEL.without("fuel", "site"), BEHAVIOUR, draws=2, seed=3)
    assert np.mean(steady.power_lost_h_by_year) == pytest.approx(HOURS * (1 - steady.metrics.compute.value))
    assert steady.interruptions == ()
    assert c.compared()["uptime"] == (0.9999, c.uptime.value)
    assert c.compared()["backup_share"] == (0.2, c.backup_share.value)


def test_met_follows_the_one_sided_bound(certificate):
    bound = certificate.uptime.lower_bound(0.95)
    weather = weather_years(20)
    for target, met in ((bound - 1e-6, True), (bound + 1e-6, False)):
        assert certify(weather, target=target, attribute=False).met is met
    assert certificate.half_width == certificate.uptime.half_width(0.95)
    assert "target 99 %" in str(certificate)
    assert "20 weather years x 2 outage draws, seed 3" in str(certificate)


def test_causes_are_those_that_were_put_in(certificate):
    assert set(certificate.causes) == {
        "units",
        "starts",
        "common_starts",
        "planned",
        "common_cause",
        "fuel",
        "site",
        "weather",
    }
    only_fuel = OutageModel(
        units=(UnitOutages("recip", "natural_gas", 0.0, 24.0),),
        fuels=(FuelOutages("natural_gas", 6.0, 24.0),),
    )
    ample = dataclasses.replace(PLANT, units=(6,), battery_mwh=30.0)
    quiet = [dataclasses.replace(BEHAVIOUR[0], start_failure=0.0)]
    c = assessed(weather_years(5), ample, only_fuel, quiet, draws=2, seed=1)
    assert c.causes["fuel"] > 0.95
    assert c.causes["weather"] < 0.05
    assert {event.cause for event in c.events} == {"fuel"}
    nothing = assessed(
        weather_years(5),
        dataclasses.replace(PLANT, units=(1,)),
        OutageModel(units=only_fuel.units),
        quiet,
        seed=1,
    )
    assert nothing.causes == {"weather": 1.0}
    assert {event.cause for event in nothing.events} == {"weather"}


def test_a_cause_that_never_struck_explains_nothing_at_all():
    weak = dataclasses.replace(PLANT, units=(1,))
    model = OutageModel(units=(UnitOutages("recip", "natural_gas", 0.0, 24.0),), site_events_per_yr=1e-9)
    quiet = [dataclasses.replace(BEHAVIOUR[0], start_failure=0.0)]
    blocks = [weather_years(2, seed=number) for number in range(3)]
    c = assessed(blocks, weak, model, quiet, draws=2, seed=1)
    # The runs without it begin with what is stored when the block begins, as the run with it does
    assert c.uptime.value < 1
    assert c.causes == {"site": 0.0, "weather": 1.0}


def test_worst_events_are_named_also_where_no_cause_was_switched_off_for_the_shares():
    blocks = [weather_years(3, seed=number) for number in range(4)]
    few = certify(blocks, attribute_years=3)
    every = certify(blocks)
    assert few.events == every.events  # named alike
    assert len({event.year_row // 3 for event in few.events}) > 1
    assert few.causes != every.causes


def test_shares_of_causes_have_errors_that_shrink_with_years():
    few, many = (certify(weather_years(n), seed=4) for n in (6, 24))
    assert set(few.cause_errors) == set(few.causes)
    assert sum(many.cause_errors.values()) < 0.8 * sum(few.cause_errors.values())
    assert abs(few.causes["units"] - many.causes["units"]) < 4 * few.cause_errors["units"]
    assert f"{100 * many.causes['units']:.0f} % (" in str(many)


def test_shares_of_causes_add_up_to_all_that_is_lost(certificate):
    assert sum(certificate.causes.values()) == pytest.approx(1.0, abs=1e-12)
    assert certificate.causes["common_starts"] > 2 * certificate.cause_errors["common_starts"] > 0
    few = dataclasses.replace(weather_years(3), case=dataclasses.replace(
        weather_years(3).case, racks_contracted=10, rack_availability=0.999))  # fmt: skip
    short = certify(few)
    assert short.causes["racks"] > 0.1
    assert sum(short.causes.values()) == pytest.approx(1.0, abs=1e-12)
    racks = short.metrics.compute.value - short.metrics.rack.value
    assert short.causes["racks"] == pytest.approx(racks / (1 - short.metrics.rack.value))


def test_what_two_causes_only_do_together_is_divided_evenly():
    causes = list("abcdef")
    rng = np.random.default_rng(4)
    alone, pairs = rng.uniform(0, 1, 6), np.triu(rng.uniform(-1, 1, (6, 6)), 1)

    def lost(off):
        on = np.array([cause not in off for cause in causes], dtype=float)
        return np.array([2.0 + alone @ on + on @ pairs @ on])

    known = {off: lost(off) for off in [frozenset(), *off_sets(causes, 1, 7)]}
    found = marginal_losses(causes, 1, 7, known)
    fair = alone + 0.5 * (pairs + pairs.T).sum(axis=1)
    assert [float(found[c][0]) for c in causes] == pytest.approx(fair.tolist())
    assert float(found["weather"][0]) == pytest.approx(2.0)


def test_a_cause_is_told_from_its_sister():
    """Starts that fail alone from those that fail together, cold from what interrupts a fuel at any time."""
    quiet = OutageModel(units=(UnitOutages("recip", "natural_gas", 0.0, 24.0),))
    for beta, cause in ((0.0, "starts"), (1.0, "common_starts")):
        way = dataclasses.replace(BEHAVIOUR[0], start_failure=0.2, start_beta=beta)
        assert set(assessed(weather_years(3), PLANT, quiet, [way], seed=1).causes) == {cause, "weather"}
    way = dataclasses.replace(BEHAVIOUR[0], start_failure=0.0)
    for fuel, cause in ((FuelOutages("natural_gas", 9.0, 24.0), "fuel"),
                        (FuelOutages("natural_gas", cold_event_per_yr=9.0), "cold")):  # fmt: skip
        model = dataclasses.replace(quiet, fuels=(fuel,))
        weak = dataclasses.replace(PLANT, units=(1,))
        assert set(assessed(weather_years(3), weak, model, [way], seed=1).causes) == {cause, "weather"}


def test_worst_events_come_worst_first_with_dates(certificate):
    losses = [event.lost_mwh for event in certificate.events]
    assert losses == sorted(losses, reverse=True)
    assert len(losses) == 10
    # One event, one date: the year of the text is the year of the row
    assert all(event.start.startswith(f"year {event.year_row + 1}, ") for event in certificate.events)
    assert all(event.cause for event in certificate.events)
    assert list(certificate.event_table()["lost_mwh"]) == losses


def test_years_may_come_in_blocks_with_progress():
    calls = []
    whole = certify(weather_years(6), attribute=False)
    listed = certify([weather_years(3), weather_years(3, first=3)], attribute=False)
    drawn = certify(
        lambda i: weather_years(4, first=4 * i), years=6, attribute=False, progress=lambda *x: calls.append(x)
    )
    assert calls == [(4, 12), (8, 12), (10, 12), (12, 12)]
    assert drawn.weather_years == listed.weather_years == whole.weather_years == 6
    # the climate known and the streams differ with the cut, the answer only by chance
    error = math.hypot(whole.uptime.standard_error, listed.uptime.standard_error)
    assert listed.uptime.value == pytest.approx(whole.uptime.value, abs=4 * error)


@pytest.mark.parametrize("attribute_years", [None, 4])
def test_years_that_are_added_later_are_those_of_a_longer_certificate(attribute_years):
    """Two looks at the same plant: the second is that of all years at once, and causes can wait for it."""
    plan = CertificatePlan(draws=2, seed=3, events=3, attribute_years=attribute_years)

    def years(number):
        return weather_years(3, first=3 * number)

    climate = climatology(years(0).case, years(0).temp_air_c)
    asked = (years, PLANT, Controller(), OperatingEnvironment(climate, MODEL, tuple(BEHAVIOUR)))
    look = Assessment(*asked, plan)
    look.simulate(6)
    first = look.certificate()
    assert first.weather_years == 6
    assert first.causes == {} or attribute_years is None
    look.simulate(12)
    second = look.certificate(confidence=0.9)
    at_once = monte_carlo(*asked, dataclasses.replace(plan, years=12, confidence=0.9))
    assert second.metrics == at_once.metrics
    assert first.metrics == monte_carlo(*asked, dataclasses.replace(plan, years=6)).metrics
    assert set(at_once.causes) > {"units", "weather"}
    assert all(event.cause for event in at_once.events)
    assert repr(vars(look.explained())) == repr(vars(at_once))


def test_it_stops_when_sure_enough_or_says_that_it_is_not():
    easy = certify(
        lambda i: weather_years(5, first=5 * i),
        years=40,
        target=0.9,
        attribute=False,
        stop_when_converged=True,
    )
    assert easy.converged
    assert easy.weather_years == 5
    hard = certify(weather_years(5), target=0.99999, attribute=False)
    assert not hard.converged
    assert "not converged: more years would narrow it" in str(hard)


def test_perfect_forecast_without_failures_loses_no_more():
    weather = weather_years(10)
    real = certify(weather, attribute=False)
    ideal = assessed(
        weather, PLANT, MODEL.without("units", "starts", "planned", "common_cause", "fuel", "site"),
        BEHAVIOUR, forecast=Forecast("perfect"),
        controller=Controller(forecast_z_score=0.0, reserve_h=0.0, capacity_credit=1.0),
    )  # fmt: skip
    assert ideal.uptime.value > real.uptime.value
    assert ideal.backup_share.value < real.backup_share.value


@pytest.mark.slow
def test_intervals_contain_the_long_run_value_about_95_times_in_100():
    """Blocks of 20 years with fresh weather and fresh outages, against the mean over all of them."""
    repeats, years = 60, 20
    estimates = [
        certify(weather_years(years, seed=100 + i), draws=1, seed=i, attribute=False).metrics
        for i in range(repeats)
    ]
    for name in ("rack", "lolh_h_per_yr", "eue_mwh_per_yr"):
        values = [getattr(metrics, name) for metrics in estimates]
        truth = float(np.mean([v.value for v in values]))
        inside = np.mean([v.lower_bound(0.975) <= truth <= v.upper_bound(0.975) for v in values])
        assert 0.88 <= inside <= 1.0, name
        above = np.mean([v.upper_bound(0.95) >= truth for v in values])
        assert above >= 0.88, name
    errors = [m.rack.standard_error for m in estimates]
    spread = float(np.std([m.rack.value for m in estimates], ddof=1))
    assert np.mean(errors) == pytest.approx(spread, rel=0.3)


def test_a_certificate_is_the_operation_it_claims():
    block = weather_years(3)
    c = certify(block, draws=1, attribute=False)
    usual = climatology(block.case, block.temp_air_c)
    paths = sample_outages(MODEL, PLANT.units, OutageConditions(1.0, 3, 0, block.temp_air_c, usual), 0, 3)
    done = operated(
        block.case, PLANT, behaviours=BEHAVIOUR, climate=usual, outages=paths, fuels=("natural_gas",), seed=3
    )
    lost = float((done.lost_compute * block.case.load_mw).sum() / block.case.load_mw.sum())
    assert c.uptime.value == pytest.approx(1 - lost, abs=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"metric": "nines"}, "metric: got 'nines'; must be one of rack, compute, site, floor")],
)
def test_messages(options, message):
    with pytest.raises(ValueError, match=message):
        certify(weather_years(1), **options)
    with pytest.raises(ValueError, match="say how many weather years"):
        certify(lambda i: weather_years(1, first=i))
