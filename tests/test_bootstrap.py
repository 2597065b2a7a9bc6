"""Bootstrap: keeps levels, season, spells and closure; refuses what has no spells to keep."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sitedesign.errors import InputError
from sitedesign.weather.bootstrap import bootstrap
from sitedesign.weather.generate import generate
from sitedesign.weather.low_resource import worst_means_kwh_m2_day
from sitedesign.weather.site import Site
from sitedesign.weather.solar_geometry import MONTH_STARTS, solar_geometry
from sitedesign.weather.weather import Weather

SITE = Site(latitude=38.93, longitude=-122.3, elevation_m=644)


@pytest.fixture(scope="module")
def record():
    drawn = generate(SITE, years=18, seed=11)
    years = (*range(1998, 2007), *range(2008, 2017))  # a gap, as records have
    return replace(drawn, years=years, source=replace(drawn.source, kind="file", description="a record"))


def test_levels_by_month_are_those_of_the_record(record):
    drawn = bootstrap(record, years=200, seed=1)
    kt = [w.ghi_daily_kwh_m2.mean(axis=0) / solar_geometry(SITE).h0_kwh_m2_day for w in (record, drawn)]
    ours, theirs = (np.add.reduceat(values, MONTH_STARTS) / np.diff([*MONTH_STARTS, 365]) for values in kt)
    assert np.abs(ours - theirs).max() < 0.025
    assert drawn.ghi_daily_kwh_m2.mean() == pytest.approx(record.ghi_daily_kwh_m2.mean(), rel=0.01)
    assert drawn.dni_w_m2.mean() == pytest.approx(record.dni_w_m2.mean(), rel=0.015)


def test_worst_spells_of_as_many_years_are_those_of_the_record(record):
    recorded = worst_means_kwh_m2_day(record.ghi_daily_kwh_m2, (3, 5, 10))
    drawn = [bootstrap(record, years=18, seed=seed).ghi_daily_kwh_m2 for seed in range(12)]
    for days, worst in recorded.items():
        median = np.median([worst_means_kwh_m2_day(daily, (days,))[days] for daily in drawn])
        assert 0.85 < median / worst < 1.35


def test_every_day_keeps_its_clearness_and_stays_in_its_season(record):
    drawn = bootstrap(record, years=3, seed=2, season_days=5)
    h0 = solar_geometry(SITE).h0_kwh_m2_day
    source = (record.ghi_daily_kwh_m2 / h0).round(9)
    for day in (0, 150, 364):
        near = source[:, np.arange(day - 40, day + 41) % 365]
        for kt in (drawn.ghi_daily_kwh_m2 / h0)[:, day]:
            assert np.abs(near - kt).min() < 1e-8


def test_irradiance_closes_and_night_is_dark(record):
    drawn = bootstrap(record, years=4, seed=3)
    sun = solar_geometry(SITE)
    cos_zenith = np.maximum(np.cos(np.radians(sun.apparent_zenith_deg)), 0)
    assert np.abs(drawn.ghi_w_m2 - drawn.dhi_w_m2 - drawn.dni_w_m2 * cos_zenith).max() < 1e-9
    assert drawn.dhi_w_m2.min() >= -1e-9
    assert not drawn.ghi_w_m2[:, ~sun.is_day].any()


def test_same_seed_same_bytes_and_longer_draws_begin_alike(record):
    first, again, longer = (bootstrap(record, years=years, seed=5) for years in (4, 4, 9))
    assert first.ghi_w_m2.tobytes() == again.ghi_w_m2.tobytes()
    assert longer.temp_air_c[:4].tobytes() == first.temp_air_c.tobytes()
    assert first.years == (1, 2, 3, 4)


def test_blocks_have_the_mean_length_asked_for(record):
    marked = replace(record, temp_air_c=np.arange(18 * 365).repeat(24).reshape(18, 8760).astype(float))
    day = bootstrap(marked, years=60, seed=6, block_days=12).temp_air_c.reshape(-1, 24)[:, 0]
    breaks = (np.diff(day) != 1).sum()
    assert day.size / breaks == pytest.approx(12, rel=0.12)


def test_result_names_its_record_and_its_limits(record):
    source = bootstrap(record, years=2, seed=9).source
    assert source.kind == "bootstrap"
    assert source.seed == 9
    assert source.description == "2 years drawn from 18 of: a record"
    assert "No spell longer than its blocks is new." in source.notes


def test_short_record_typical_year_and_wrong_arguments_are_refused(record):
    short = replace(record, years=record.years[:5], **{
        name: getattr(record, name)[:5]
        for name in ("ghi_w_m2", "dni_w_m2", "dhi_w_m2", "temp_air_c", "wind_speed_m_s")
    })  # fmt: skip
    with pytest.raises(InputError, match="5 years; must be at least 6 years"):
        bootstrap(short, years=10)
    typical = replace(record, source=replace(record.source, is_tmy=True))
    with pytest.raises(InputError, match="a typical meteorological year; must be a record of real years"):
        bootstrap(typical, years=10)
    with pytest.raises(InputError) as caught:
        bootstrap(record, years=0, seed=-1, block_days=0, season_days=400)
    assert len(caught.value.faults) == 4


@pytest.mark.slow
def test_eighteen_years_at_colusa_keep_their_worst_spells_in_extra_years(weather_real):
    record = Weather.read(weather_real / "ca_colusa_nsrdb_1998_2015")
    recorded = worst_means_kwh_m2_day(record.ghi_daily_kwh_m2, (3, 5, 10))
    drawn = [record.bootstrap(years=18, seed=seed).ghi_daily_kwh_m2 for seed in range(20)]
    for days, worst in recorded.items():
        median = np.median([worst_means_kwh_m2_day(daily, (days,))[days] for daily in drawn])
        assert 0.85 < median / worst < 1.3
    assert np.mean(drawn) == pytest.approx(record.ghi_daily_kwh_m2.mean(), rel=0.01)
