"""Certificates of plants with wind and a grid: years of their own, causes, cost, and what must not change."""

from __future__ import annotations

import dataclasses
import json
import re

import numpy as np
import pytest

import sitedesign as sd
from sitedesign.case.build import build_case
from sitedesign.case.plant import Plant
from sitedesign.case.years import concat_years
from sitedesign.certified.certified_design import certified_design
from sitedesign.certified.moves import change_flow, variable_flows
from sitedesign.certified.objective import Candidate
from sitedesign.certified.scenario_years import search_years, unseen_years, weather_block
from sitedesign.foresight.plan import best_power_path, foresight_design
from sitedesign.study.effort import Effort
from sitedesign.util.progress import silent

SWEETWATER = sd.Site(latitude=32.47, longitude=-100.41, name="Sweetwater, TX")
OFTEN = sd.WireOutages(interruptions_per_yr=3.0, interruption_h=4.0)
FLEXIBLE = sd.Grid(mw=(20, 20), kind="flexible", tariff="ercot", outages=OFTEN)


def asked(**more):
    return sd.Study(site=SWEETWATER, racks=60, uptime=0.99, weather_years=2, seed=3, region=None, **more)


@pytest.fixture(scope="module")
def connected():
    return build_case(asked(grid=FLEXIBLE))


def measured(years):
    """Years that the weather's generator does not know, as those of a file."""
    weather = sd.Weather.generate(SWEETWATER, years=years, seed=5)
    return dataclasses.replace(weather, source=dataclasses.replace(weather.source, kind="file"))


def years_of(blocks):
    """Calls and wires of every year, one row each."""
    return tuple(
        np.concatenate([getattr(block.grid.state, name) for block in blocks]) for name in ("cap", "wires")
    )


def all_differ(rows):
    return len({row.tobytes() for row in rows}) == len(rows)


def test_every_year_of_every_block_and_seed_has_calls_and_interruptions_of_its_own(connected):
    blocks = [
        build(number) for seed in (1, 2) for build in [unseen_years(connected, seed)[0]] for number in (0, 1)
    ]
    cap, wires = years_of([weather_block(connected), *blocks])
    assert len(cap) == 2 + 4 * 20
    assert all_differ(cap)
    broken = (~wires).any(axis=1)
    assert broken.mean() > 0.8
    assert all_differ(wires[broken])
    again = unseen_years(connected, 1)[0](1)
    assert np.array_equal(again.grid.state.available, blocks[1].grid.state.available)
    assert np.array_equal(again.case.imports[0].capability[0], again.grid.state.available.ravel())


def test_the_years_of_a_search_are_not_called_alike(connected):
    cap, wires = years_of(search_years(connected, 60, 3))
    assert all_differ(cap)
    assert all_differ(wires[(~wires).any(axis=1)])


def test_years_that_are_all_there_is_are_called_anew_each_time():
    study_case = build_case(asked(grid=FLEXIBLE, weather=measured(1)))
    build, source = unseen_years(study_case, 4)
    assert source.given_years == 1
    blocks = [build(number) for number in range(6)]
    assert all(np.array_equal(b.case.load_mw, study_case.case.load_mw) for b in blocks)
    cap, wires = years_of(blocks)
    assert all_differ(cap)
    assert all_differ(wires[(~wires).any(axis=1)])


def test_each_draw_of_a_weather_year_has_other_interruptions_and_what_is_off_does_not_happen(connected):
    block = unseen_years(connected, 1)[0](0)
    first, second = (block.of_draw(draw).imports[0].capability for draw in (0, 1))
    assert first is block.case.imports[0].capability
    assert not np.array_equal(first, second)
    assert np.array_equal(block.of_draw(1).imports[0].capability, second)
    uncalled = block.of_draw(1, ["grid_calls"]).imports[0].capability
    assert set(np.unique(uncalled)) == {0.0, 1.0}
    whole = block.of_draw(1, ["grid_wires"]).imports[0].capability
    assert whole.min() > 0.0
    assert np.array_equal(np.minimum(uncalled, whole), second)
    assert (block.of_draw(0, ["grid_calls", "grid_wires"]).imports[0].capability == 1.0).all()


def test_prices_of_other_years_are_those_of_the_days_that_are_drawn_in_the_levels_of_the_study():
    """A block with levels of its own would be billed at the prices of the first one."""
    record = measured(7)
    rng = np.random.default_rng(2)
    daily = np.repeat(rng.uniform(5, 90, (7, 365)), 24, axis=1)  # a day is told by its price
    grid = sd.Grid(
        mw=(20, 20), kind="flexible", prices={"data": daily}, export_mw=5, export_prices={"data": daily / 2}
    )
    study_case = build_case(asked(grid=grid, weather=record))
    block = unseen_years(study_case, 1)[0](0)
    levels = study_case.case.imports[0].levels
    assert block.case.imports[0].levels == levels
    assert block.case.sinks[0].levels == study_case.case.sinks[0].levels
    price = block.grid.hourly_usd_per_mwh
    assert set(np.unique(price)) <= set(np.unique(daily))
    # The temperature of a drawn day is that of the day whose price it has
    day_price, day_temp = price[:, ::24].ravel(), block.temp_air_c.reshape(-1, 24).mean(axis=1)
    own_temp = dict(zip(daily[:, ::24].ravel(), record.temp_air_c.reshape(-1, 24).mean(axis=1), strict=True))
    assert np.allclose(day_temp, [own_temp[p] for p in day_price])
    used = np.array([level.usd_per_mwh for level in levels])[block.case.imports[0].active_level]
    assert np.abs(used - price.ravel()).max() <= 1.05 * study_case.grid.levels.largest_error_usd_per_mwh
    sold = np.array([level.usd_per_mwh for level in block.case.sinks[0].levels])[
        block.case.sinks[0].active_level
    ]
    assert (sold <= used).all()
    joined = concat_years([study_case.case, block.case])
    assert joined.imports[0].active_level.size == joined.steps


def test_caps_of_several_years_go_with_the_days_that_are_drawn():
    record = measured(7)
    caps = np.ones((7, 8760))
    caps[4, 4000:4100] = 0.25
    grid = sd.Grid(mw=(20, 20), tariff=50.0, kind="flexible", curtailment={"caps": caps})
    study_case = build_case(asked(grid=grid, weather=record))
    cap, _ = years_of([unseen_years(study_case, 1)[0](0)])
    assert set(np.unique(cap)) == {0.25, 1.0}
    assert 0 < (cap < 1).any(axis=1).sum() < 12


# --- Search and certificate ---------------------------------------------------------------------------------

QUICK = Effort(
    years=20, draws=1, evaluations=30, iterations=1, certificate_years=60, certificate_draws=1,
    certificates=3, cause_years=0, explains=False, bound_draws=0, bound_optima=0,
)  # fmt: skip
SUNNY_WINDY = {"wind": ["onshore_6mw_170"], "backup": ["recip_medium"]}


def certified(study, effort=QUICK):
    study_case, design, _ = best_power_path([foresight_design(build_case(study), "cuts", 1e-3, None, silent)])
    return certified_design(study_case, design, silent, effort)


@pytest.fixture(scope="module")
def windy():
    study = asked(**SUNNY_WINDY)
    return study, certified(study)


@pytest.fixture(scope="module")
def flexible():
    grid = sd.Grid(mw=(0, 20), kind="flexible", tariff="ercot", export_mw=3, co2_t_per_mwh=0.4)
    study = asked(grid=grid, **SUNNY_WINDY)
    return study, certified(study)


@pytest.mark.slow
@pytest.mark.parametrize("which", ["windy", "flexible"])
def test_certified_hub_keeps_its_target_on_fresh_seeds(which, request):
    study, design = request.getfixturevalue(which)
    assert design.certificate.met
    fresh = sd.certify(design, study, years=40, draws=1, seed=77, attribute=False)
    assert fresh.uptime.value > study.uptime - 3 * fresh.uptime.standard_error
    again = sd.certify(design, study, years=40, draws=1, seed=77, attribute=False)
    assert json.dumps(dataclasses.asdict(fresh)) == json.dumps(dataclasses.asdict(again))
    other = sd.certify(design, study, years=40, draws=1, seed=78, attribute=False)
    assert other.power_lost_h_by_year != fresh.power_lost_h_by_year


def test_certificate_of_a_hub_says_what_the_connection_gave_and_cost(flexible):
    _, design = flexible
    use, cost = design.certificate.exchange, design.certificate.operating_cost_usd_per_yr
    assert use.called_h_per_yr.value == pytest.approx(177, abs=1)
    assert use.without_wires_h_per_yr.value > 0
    assert 0 < use.at_limit_h_per_yr.value < 8760
    assert use.import_mwh_per_yr["grid"].standard_error > 0
    assert use.bill_usd_per_yr.value == pytest.approx(sum(use.bill_by_charge_usd_per_yr.values()))
    # What the design counts for demand is never less than what the tariff bills for it
    billed = sum(usd for name, usd in use.bill_by_charge_usd_per_yr.items() if name.startswith("demand"))
    assert 0 < billed <= design.grid.charged_usd_per_yr["demand"] * (1 + 1e-9)
    energy = [
        usd for name, usd in use.bill_by_charge_usd_per_yr.items() if name.startswith(("energy", "export"))
    ]
    coincident = sum(usd for name, usd in use.bill_by_charge_usd_per_yr.items() if name.startswith("coinc"))
    # At the prices of the design coincident peaks are as expected: no more than all of them at the contract
    assert use.energy_usd_per_yr.value == pytest.approx(sum(energy) + coincident, abs=1.5 * coincident + 1)
    assert cost == pytest.approx(use.energy_usd_per_yr.value, rel=0.5)
    assert design.certificate.co2_t_per_yr >= 0.4 * use.import_mwh_per_yr["grid"].value * (1 - 1e-9)
    text = str(design.certificate)
    assert "MWh/yr from grid" in text
    assert re.search(r"grid bill: .* M USD/yr \(.* to .*\) by the tariff", text)


@pytest.mark.slow
def test_causes_of_a_hub_add_up_and_what_came_together_is_named(flexible):
    study, design = flexible
    certificate = sd.certify(design, study, years=20, draws=2, seed=5)
    assert {"wind", "grid_calls", "grid_wires", "weather"} <= set(certificate.causes)
    assert sum(certificate.causes.values()) == pytest.approx(1.0, abs=1e-9)
    assert certificate.causes["grid_wires"] > 0
    assert any("wires out for" in event.circumstances for event in certificate.events)
    spared = sd.certify(
        design, study, years=20, draws=2, seed=5, attribute=False, without=["grid_wires", "grid_calls"]
    )
    assert spared.uptime.value > certificate.uptime.value
    assert spared.exchange.without_wires_h_per_yr.value == 0
    assert spared.exchange.called_h_per_yr.value == 0


@pytest.mark.slow
def test_a_firm_connection_that_never_fails_is_all_that_is_built():
    grid = sd.Grid(
        mw=(0, 40), kind="firm", tariff=30.0, outages=False, capital_usd_per_kw=1.0, capital_usd=0.0
    )
    design = certified(asked(grid=grid, **SUNNY_WINDY))
    assert design.certificate.uptime.value > 0.99
    assert design.solar_mw == pytest.approx(0.0, abs=0.02)
    assert design.resources_mw["onshore_6mw_170"] == pytest.approx(0.0, abs=0.02)
    assert design.battery_mwh == pytest.approx(0.0, abs=0.02)
    assert sum(design.backup.values()) == 0
    peak = design.dispatch["load_mw"].max()
    assert 0.8 * peak < design.imports_mw["grid"] < 1.02 * peak  # one hour in a hundred may be short


@pytest.mark.slow
def test_a_connection_does_not_make_the_certified_plant_dearer(windy, flexible):
    """As much as two searches of the same question scatter: a few per cent at this effort."""
    assert flexible[1].cost < 1.03 * windy[1].cost


def test_a_farm_of_nothing_changes_nothing():
    plant = {"solar_mw": 30.0, "battery_mwh": 60.0, "battery_mw": 12.0, "backup": {"recip_medium": 1}}
    alone, beside = (
        sd.evaluate(asked(backup=["recip_medium"], **more), operation="causal", **plant)
        for more in ({}, {"wind": ["onshore_6mw_170"]})
    )
    assert beside.uptime == alone.uptime
    assert beside.cost_usd_per_yr == alone.cost_usd_per_yr
    assert beside.energy_mwh_per_yr == alone.energy_mwh_per_yr


def test_what_is_drawn_and_given_balances_in_every_step(flexible):
    study, design = flexible
    table = design.dispatch
    given = table["solar_mw"] + table["onshore_6mw_170_mw"] + table["recip_medium_mw"] + table["grid_mw"]
    used = table["load_mw"] - table["shed_mw"] + table["sale_mw"] + table["curtailed_mw"]
    stored = table["charge_mw"] - table["discharge_mw"]
    assert (given - used - stored).abs().max() < 1e-9
    supply = build_case(study).grid
    assert (table["grid_mw"] <= design.imports_mw["grid"] * supply.state.available.ravel() + 1e-9).all()
    bill = sum(design.grid.bill_usd_per_yr.values())
    drawn = table["grid_mw"].to_numpy().reshape(2, -1)
    sold = table["sale_mw"].to_numpy().reshape(2, -1)
    exact = np.mean([one.usd for one in supply.bills(design.imports_mw["grid"], drawn, sold)])
    assert bill == pytest.approx(exact, rel=1e-9)


def test_moves_of_imports_and_sinks_keep_their_bounds(connected):
    free = build_case(asked(grid=sd.Grid(mw=(4, 9), tariff=40.0, export=20.0, export_mw=(1, 3))))
    flows = variable_flows(free.case)
    assert [(flow.item.name, flow.most) for flow in flows] == [("grid", 9), ("sale", 3)]
    assert variable_flows(connected.case) == []  # given, not decided
    plant = Plant((10.0,), 20.0, 5.0, (1, 0, 0)[: len(free.case.backup)], 60, (5.0,), (2.0,))
    here = Candidate(plant, sd.Controller(), (0.9,), 1.0)
    for flow in flows:
        for step in (-50.0, -1.0, 0.125, 1.0, 50.0):
            there, _ = change_flow(free.case, flow, battery_mwh=2.0)(here, step)
            assert flow.item.units_min <= flow.size(there) <= flow.most
            assert there.battery_mwh == pytest.approx(20.0 - 2.0 * (flow.size(there) - flow.size(plant)))
