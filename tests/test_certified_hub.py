"""Certificates of plants with wind and a grid: years of their own, causes, cost, and what must not change."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import sitedesign as sd
from sitedesign.case.build import build_case
from sitedesign.case.years import concat_years
from sitedesign.certified.scenario_years import search_years, unseen_years, weather_block

SWEETWATER = sd.Site(latitude=32.47, longitude=-100.41, name="Sweetwater, TX")
OFTEN = sd.WireOutages(interruptions_per_yr=3.0, interruption_h=4.0)
FLEXIBLE = sd.Grid(mw=(20, 20), kind="flexible", tariff="ercot", outages=OFTEN)


def asked(**more):
    return sd.Study(site=SWEETWATER, racks=60, uptime=0.99, weather_years=2, seed=3, **more)


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
