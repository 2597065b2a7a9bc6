"""Gap rules at their limits, values that cannot be, and what the quality report must notice."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sitedesign.errors import InputError
from sitedesign.weather.files.gap_filling import same_hours_of_near_days, year_ranges
from sitedesign.weather.quality import possible_snow_days
from sitedesign.weather.site import Site
from sitedesign.weather.solar_geometry import solar_geometry
from sitedesign.weather.weather import Weather

# pvlib 0.16 calls what pandas 3.1 has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear:DeprecationWarning")

SITE = Site(latitude=35.2, longitude=-101.95, elevation_m=1100.0)
SUN = solar_geometry(SITE, 60, -6.0, 30.0)
YEARS = (2013, 2014, 2015)


def clearness(year: int) -> np.ndarray:
    """Daily clearness that differs between days and years, constant within a day."""
    return 0.55 + 0.15 * np.sin(np.arange(365) * 0.7 + year)


def table(year: int) -> pd.DataFrame:
    ghi = np.repeat(clearness(year), 24) * SUN.ghi_extra_w_m2
    index = pd.date_range(f"{year}-01-01", periods=8760, freq="h")
    temp = 10 + 8 * np.sin(np.arange(8760) / 24 * 2 * np.pi)
    return pd.DataFrame({"ghi": ghi, "temp_air": temp, "wind_speed": 3.0}, index=index)


def read(folder: Path, *tables: pd.DataFrame) -> Weather:
    head = "# utc_offset: -6\n# convention: start\n"
    for number, part in enumerate(tables):
        (folder / f"{number}.csv").write_text(head + part.to_csv(index_label="time"))
    return Weather.read(folder, site=SITE)


def days(first: str, last: str, year: int = 2014) -> slice:
    return slice(f"{year}-{first}", f"{year}-{last} 23:59")


def day_of(weather: Weather, year: int, date: str) -> np.ndarray:
    number = pd.Timestamp(f"2001-{date}").day_of_year - 1
    return weather.ghi_w_m2[weather.years.index(year), number * 24 : number * 24 + 24]


def test_an_untouched_year_is_kept_to_the_last_digit(tmp_path):
    weather = read(tmp_path, table(2014))
    np.testing.assert_allclose(weather.ghi_w_m2[0], table(2014)["ghi"], rtol=1e-12)
    assert weather.quality.repaired_share == 0


def test_three_hours_are_a_line_in_clearness_not_in_irradiance(tmp_path):
    with_gap = table(2014)
    with_gap.loc["2014-05-10 09:00":"2014-05-10 11:00", "ghi"] = np.nan
    weather = read(tmp_path, with_gap)
    # Clearness is constant within the day, so the line restores the day exactly; a line in W/m2 would not.
    np.testing.assert_allclose(
        day_of(weather, 2014, "05-10"), table(2014)["ghi"].loc["2014-05-10"], rtol=1e-9
    )
    row = weather.quality.by_year[0]
    assert row.interpolated_h == 3
    assert row.missing_daylight_h == 3
    assert row.from_neighbours_h == 0


def test_four_hours_come_from_the_day_before(tmp_path):
    with_gap = table(2014)
    with_gap.loc["2014-05-10 09:00":"2014-05-10 12:00", "ghi"] = np.nan
    weather = read(tmp_path, with_gap)
    expected = clearness(2014)[128] * SUN.ghi_extra_w_m2[129 * 24 + 9 : 129 * 24 + 13]
    np.testing.assert_allclose(day_of(weather, 2014, "05-10")[9:13], expected, rtol=1e-9)
    assert weather.quality.by_year[0].from_neighbours_h == 4


def test_missing_rows_count_like_missing_values(tmp_path):
    with_gap = table(2014).drop(table(2014).loc["2014-05-10 09:00":"2014-05-10 11:00"].index)
    weather = read(tmp_path, with_gap)
    np.testing.assert_allclose(
        day_of(weather, 2014, "05-10"), table(2014)["ghi"].loc["2014-05-10"], rtol=1e-9
    )
    assert weather.quality.by_year[0].interpolated_h == 3
    assert np.isfinite(weather.temp_air_c).all()


def test_three_days_come_from_the_days_next_to_them(tmp_path):
    with_gap = table(2014)
    with_gap.loc[days("05-10", "05-12"), "ghi"] = np.nan
    weather = read(tmp_path, with_gap, table(2015))
    for date, source in (("05-10", 128), ("05-11", 128), ("05-12", 132)):
        number = pd.Timestamp(f"2001-{date}").day_of_year - 1
        expected = clearness(2014)[source] * SUN.ghi_extra_w_m2[number * 24 : number * 24 + 24]
        np.testing.assert_allclose(day_of(weather, 2014, date), expected, rtol=1e-9, atol=1e-9)
    row = weather.quality.by_year[0]
    assert row.from_neighbours_h > 35
    assert row.from_other_years_h == 0
    assert row.longest_gap_days == pytest.approx(2.6, abs=0.1)


def test_five_days_come_from_the_same_dates_of_the_nearest_year(tmp_path):
    with_gap = table(2014)
    with_gap.loc[days("05-10", "05-14"), "ghi"] = np.nan
    weather = read(tmp_path, table(2013), with_gap, table(2015))
    expected = table(2013)["ghi"].loc["2013-05-10":"2013-05-14"].to_numpy()
    np.testing.assert_allclose(weather.ghi_w_m2[1, 129 * 24 : 134 * 24], expected, rtol=1e-9, atol=1e-9)
    assert weather.quality.table.loc[2014, "from_other_years_h"] > 60


def test_five_days_of_a_single_year_come_from_its_nearest_days(tmp_path):
    with_gap = table(2014)
    with_gap.loc[days("05-10", "05-14"), "ghi"] = np.nan
    weather = read(tmp_path, with_gap)
    assert weather.quality.by_year[0].from_neighbours_h > 60
    assert np.isfinite(weather.ghi_w_m2).all()


def test_ten_days_pass_and_eleven_are_refused_by_date(tmp_path):
    with_gap = table(2014)
    with_gap.loc[days("05-10", "05-19"), "ghi"] = np.nan
    assert read(tmp_path, with_gap).quality.by_year[0].longest_gap_days == pytest.approx(9.6, abs=0.1)
    with_gap.loc[days("05-10", "05-20"), "ghi"] = np.nan
    with pytest.raises(InputError) as caught:
        read(tmp_path, with_gap, table(2015))
    message = str(caught.value)
    assert "year 2014" in message
    assert "first gap above the limit from 05-10 05:00 to 05-20 19:00" in message
    assert "Leave out 2014: 2015 can be used" in message


def test_many_small_holes_are_refused_by_their_sum(tmp_path):
    with_gap = table(2014)
    noon = with_gap.index.hour.isin([11, 12]) & (with_gap.index.day % 2 == 0)
    with_gap.loc[noon, "ghi"] = np.nan
    assert read(tmp_path, table(2015)).years == (2015,)
    with pytest.raises(InputError, match=r"7\.5% of daylight hours missing, longest gap"):
        read(tmp_path, with_gap)


def test_two_bad_years_are_named_together(tmp_path):
    first, second = table(2013), table(2014)
    first.loc[days("02-01", "02-15", 2013), "ghi"] = np.nan
    second.loc[days("05-10", "05-25"), "ghi"] = np.nan
    with pytest.raises(InputError) as caught:
        read(tmp_path, first, second, table(2015))
    assert [fault.where for fault in caught.value.faults] == ["year 2013", "year 2014"]


@pytest.mark.parametrize("sentinel", [-9999.0, -999.0, -99.0, 9999.0, 99999.0])
def test_sentinels_are_missing_not_weather(tmp_path, sentinel):
    with_gap = table(2014)
    spot = slice("2014-05-10 09:00", "2014-05-10 11:00")
    with_gap.loc[spot, ["ghi", "temp_air", "wind_speed"]] = sentinel
    weather = read(tmp_path, with_gap)
    np.testing.assert_allclose(
        day_of(weather, 2014, "05-10"), table(2014)["ghi"].loc["2014-05-10"], rtol=1e-9
    )
    assert weather.temp_air_c.min() >= 2 - 1e-9
    assert weather.temp_air_c.max() <= 18 + 1e-9
    np.testing.assert_allclose(weather.wind_speed_m_s, 3.0)
    assert weather.quality.by_year[0].out_of_range == 9


def test_negative_night_offsets_become_zero_without_being_repaired(tmp_path):
    shifted = table(2014)
    shifted["ghi"] = np.where(shifted["ghi"] == 0, -3.0, shifted["ghi"])
    weather = read(tmp_path, shifted)
    assert weather.ghi_w_m2.min() == 0
    assert weather.quality.by_year[0].missing_daylight_h == 0


def test_cloud_enhancement_above_clear_sky_is_not_capped(tmp_path):
    bright = table(2014)
    bright.loc["2014-06-01 12:00", "ghi"] = 1.05 * SUN.ghi_extra_w_m2[151 * 24 + 12]
    weather = read(tmp_path, bright)
    assert weather.ghi_w_m2[0, 151 * 24 + 12] == pytest.approx(bright.loc["2014-06-01 12:00", "ghi"])


def dark_days(*numbers: int, texture: float = 0.0) -> pd.DataFrame:
    year = table(2014)
    ghi = year["ghi"].to_numpy().reshape(365, 24).copy()
    wave = 1 + texture * np.sin(np.arange(24) * 2.1)
    for number in numbers:
        ghi[number] = 0.05 * SUN.ghi_extra_w_m2.reshape(365, 24)[number] * wave
    return year.assign(ghi=ghi.ravel())


def test_days_of_false_low_irradiance_are_flagged_with_dates_and_can_be_taken_out(tmp_path):
    weather = read(tmp_path, dark_days(9, 10, 200))
    assert weather.quality.false_low_irradiance == ("2014-01-10", "2014-01-11", "2014-07-20")
    assert weather.quality.by_year[0].false_low_irradiance_days == 3
    bright = weather.without_false_low_irradiance()
    expected = clearness(2014)[[8, 11, 199]] * SUN.h0_kwh_m2_day[[9, 10, 200]]
    assert bright.ghi_daily_kwh_m2[0, [9, 10, 200]] == pytest.approx(expected, rel=0.02)
    np.testing.assert_array_equal(
        np.delete(bright.ghi_daily_kwh_m2, [9, 10, 200]), np.delete(weather.ghi_daily_kwh_m2, [9, 10, 200])
    )
    assert weather.ghi_daily_kwh_m2[0, 9] == pytest.approx(0.05 * SUN.h0_kwh_m2_day[9])
    assert "3 days of false low irradiance replaced" in bright.source.notes[-1]
    # The beam stays within what the replaced day's global irradiance can hold.
    cosine = np.maximum(np.cos(np.radians(SUN.zenith_deg)), 0)
    high = SUN.zenith_deg < 80
    excess = bright.dni_w_m2[0] * cosine - bright.ghi_w_m2[0]
    assert excess[high].max() < 5


def test_dark_days_with_the_texture_of_cloud_are_believed(tmp_path):
    assert read(tmp_path, dark_days(9, 10, 200, texture=0.7)).quality.false_low_irradiance == ()


def test_frozen_even_dark_days_beside_bright_ones_may_be_snow():
    kt = np.full(365, 0.5)
    kt[[10, 100, 200]] = 0.2  # dark: in frost beside bright, in frost beside grey, in warmth beside bright
    kt[[11, 201]] = 0.7
    ghi = (np.repeat(kt, 24) * SUN.ghi_extra_w_m2)[None, :]
    temp = np.where(np.repeat(np.arange(365) < 150, 24), -5.0, 10.0)[None, :]
    assert np.flatnonzero(possible_snow_days(ghi, temp, SUN)[0]).tolist() == [10]


def test_a_clock_an_hour_out_is_flagged(tmp_path):
    late = table(2014).set_axis(table(2014).index + pd.Timedelta(hours=1))
    weather = read(tmp_path, late)
    assert weather.quality.by_year[0].out_of_range == 0
    assert weather.ghi_w_m2.mean() == pytest.approx(table(2014)["ghi"].mean(), rel=1e-3)
    assert weather.quality.by_year[0].sun_error_minutes == pytest.approx(60, abs=3)
    assert any(flag.startswith("2014: the sun stands +60 min") for flag in weather.quality.flags)


def test_utc_declared_as_local_time_is_refused(tmp_path):
    utc = table(2014).set_axis(table(2014).index + pd.Timedelta(hours=6))
    with pytest.raises(
        InputError, match=r"the sun stands \+3(59|60) min from where it should be.*Check the time zone"
    ):
        read(tmp_path, utc)


def test_a_wrong_calibration_is_flagged_against_clear_sky(tmp_path):
    clear = table(2014).assign(ghi=0.76 * SUN.ghi_extra_w_m2)
    assert not any("clear-sky model" in flag for flag in read(tmp_path, clear).quality.flags)
    low = read(tmp_path, clear.assign(ghi=clear["ghi"] * 0.8)).quality
    assert low.by_year[0].clear_sky_ratio == pytest.approx(0.8, abs=0.08)
    assert any("check units and calibration" in flag for flag in low.flags)


def test_components_that_do_not_close_are_flagged(tmp_path):
    cosine = np.maximum(np.cos(np.radians(SUN.zenith_deg)), 0)
    parts = table(2014).assign(dni=500.0 * (cosine > 0), dhi=80 * cosine)
    parts["ghi"] = parts["dni"] * cosine + parts["dhi"]
    assert abs(read(tmp_path, parts).quality.by_year[0].closure) < 0.01
    wrong = read(tmp_path, parts.assign(dhi=parts["dhi"] * 2)).quality
    assert wrong.by_year[0].closure == pytest.approx(-80 / 580, abs=0.02)
    assert any("differ by" in flag for flag in wrong.flags)


def test_report_reads_in_text_html_and_json(tmp_path):
    quality = read(tmp_path, dark_days(9)).quality
    text, html = repr(quality), quality._repr_html_()
    for words in ("days of false low irradiance: 1 (2014-01-10)", "utc-6 all year, as declared"):
        assert words in text.lower()
        assert words in html.lower()
    assert "<table" in html
    plain = json.loads(json.dumps(quality.to_dict(), allow_nan=False))
    assert plain["false_low_irradiance"] == ["2014-01-10"]
    assert plain["by_year"][0]["year"] == 2014
    assert plain["by_year"][0]["closure"] is None


def test_temperature_is_filled_from_near_days_and_missing_wind_is_said(tmp_path):
    with_gap = table(2014).drop(columns="wind_speed")
    with_gap.loc[days("03-01", "03-04"), "temp_air"] = np.nan
    weather = read(tmp_path, with_gap)
    np.testing.assert_allclose(weather.temp_air_c[0], table(2014)["temp_air"], atol=1e-9)  # every day alike
    assert (weather.wind_speed_m_s == 3.0).all()
    assert "no wind in the files: 3 m/s assumed" in weather.source.notes
    assert any("of temperatures repaired" in note for note in weather.source.notes)


def test_missing_temperature_is_the_climates_and_colder_on_dark_summer_days(tmp_path):
    weather = read(tmp_path, table(2014).drop(columns="temp_air"))
    daily = weather.temp_air_c.reshape(365, 24).mean(axis=1)
    assert daily.mean() == pytest.approx(14.5, abs=2.5)  # Amarillo: 14 degrees C
    assert daily[180:210].mean() - daily[:30].mean() == pytest.approx(23, abs=5)
    assert np.corrcoef(daily[150:240], clearness(2014)[150:240])[0, 1] > 0.3


def test_near_days_look_before_then_after_and_give_up_beyond_reach():
    series = np.arange(365 * 2.0)
    series[20:60] = np.nan  # days 10 to 29
    always = np.ones(730, dtype=bool)
    found = same_hours_of_near_days(series, np.array([20, 21, 58, 59]), 2, always, reach_days=3)
    assert found.tolist() == [18.0, 19.0, 60.0, 61.0]
    assert np.isnan(same_hours_of_near_days(series, np.array([40]), 2, always, reach_days=3)).all()


@pytest.mark.parametrize(
    ("years", "text"), [([], ""), ([2005], "2005"), ([2005, 2006, 2009], "2005-2006, 2009")]
)
def test_years_are_listed_as_ranges(years, text):
    assert year_ranges(years) == text
