"""The user's own profile: every form it may come in, its energy kept, all its faults told at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sitedesign.components.own_profile.profile import Profile, profile_years, read_profile, resample
from sitedesign.errors import InputError


def times(start: str, stop: str, step: str = "60min", zone: str | None = None) -> pd.DatetimeIndex:
    return pd.date_range(start, stop, freq=step, inclusive="left", tz=zone)


def ramp(index: pd.DatetimeIndex) -> pd.Series:
    """A value that names its hour of the year, so that a shift by one step shows."""
    return pd.Series(np.arange(len(index)) % 8760 / 8760, index)


def faults_of(data: object, kind: str = "solar", **options: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_profile(data, kind, **options)
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize(("step", "steps"), [(5, 105_120), (15, 35_040), (30, 17_520), (60, 8760)])
@pytest.mark.parametrize("year", [2019, 2020])
def test_every_step_is_found_from_the_time_index_and_29_february_goes(
    step: int, steps: int, year: int
) -> None:
    index = times(f"{year}", f"{year + 1}", f"{step}min")
    series = pd.Series(index.day_of_year / 400, index)
    profile = read_profile(series, "solar")
    assert (profile.step_minutes, profile.years, profile.values.shape) == (step, (year,), (1, steps))
    per_day = 1440 // step
    assert profile.values[0, 58 * per_day] == pytest.approx(59 / 400)  # 28 February
    assert profile.values[0, 59 * per_day] == pytest.approx((60 + (year == 2020)) / 400)  # 1 March
    assert ("29 February dropped" in profile.notes) == (year == 2020)


def test_years_with_and_without_29_february_join() -> None:
    series = ramp(times("2019", "2022"))
    dropped = series[~((series.index.month == 2) & (series.index.day == 29))]
    for data in (series, dropped):
        profile = read_profile(data, "solar")
        assert profile.years == (2019, 2020, 2021)
        assert profile.values.shape == (3, 8760)


@pytest.mark.parametrize(("late", "note"), [(60, "end of each interval"), (30, "30 min into each interval")])
def test_stamps_at_the_middle_or_the_end_give_the_same_profile(late: int, note: str) -> None:
    series = ramp(times("2019", "2021"))
    expected = read_profile(series, "solar").values
    moved = series.set_axis(series.index + pd.Timedelta(minutes=late))
    profile = read_profile(moved, "solar")
    np.testing.assert_array_equal(profile.values, expected)
    assert any(note in text for text in profile.notes)


def test_a_universal_time_index_is_moved_to_the_sites_standard_time() -> None:
    series = ramp(times("2019", "2020", zone="UTC"))
    profile = read_profile(series, "solar", utc_offset_h=-7.0)
    assert profile.values[0, 0] == pytest.approx(7 / 8760)  # 00:00 local is 07:00 UTC
    assert profile.values[0, -1] == pytest.approx(6 / 8760)  # the last seven hours come from the start
    half = read_profile(series, "solar", utc_offset_h=5.5)
    assert half.values[0, 6] == pytest.approx(0.5 / 8760)


def test_a_universal_time_index_cut_to_the_sites_year_needs_no_wrap() -> None:
    index = times("2019-01-01 07:00", "2020-01-01 07:00", zone="UTC")
    profile = read_profile(ramp(index), "solar", utc_offset_h=-7.0)
    np.testing.assert_allclose(profile.values[0], np.arange(8760) / 8760)
    assert profile.years == (2019,)


def test_a_zone_with_daylight_saving_is_read_at_its_standard_time() -> None:
    index = times("2019-01-01 07:00", "2020-01-01 07:00", zone="UTC").tz_convert("America/Denver")
    profile = read_profile(ramp(index), "solar", utc_offset_h=-7.0)
    np.testing.assert_allclose(profile.values[0], np.arange(8760) / 8760)


def test_arrays_without_times() -> None:
    assert read_profile(np.full(8760, 0.2), "solar").step_minutes == 60
    assert read_profile([0.2] * 8784, "solar").values.shape == (1, 8760)
    assert read_profile(np.full((3, 35_040), 0.2), "solar").years == (1, 2, 3)
    assert read_profile(np.full(17_520, 0.2), "solar", step_minutes=30).values.shape == (1, 17_520)
    assert read_profile(np.full(17_520, 0.2), "solar", step_minutes=60).values.shape == (2, 8760)
    assert read_profile(pd.DataFrame({"mw": np.full(8760, 90.0)}), "load").values[0, 0] == 90.0


def test_a_length_with_two_readings_is_asked_about() -> None:
    (fault,) = faults_of(np.full(17_520, 0.2))
    assert fault == (
        "solar_profile: got 17520 values, which may be 1 year of 30 minutes or 2 years of 60 minutes; "
        "must have one reading. Say which: give a time index, an array of shape (years, steps), or "
        "step_minutes."
    )


@pytest.mark.parametrize(
    "text",
    ["", "mw_per_mwdc\n", "# PVsyst export\nmw\n"],
    ids=["bare", "header", "comment and header"],
)
def test_csv_of_values(tmp_path: Path, text: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text(text + "\n".join(["0.25"] * 8760) + "\n")
    profile = read_profile(path, "solar")
    assert profile.values.shape == (1, 8760)
    assert profile.description == "file own.csv"


@pytest.mark.parametrize("zone", [None, "UTC", "America/Denver"])
def test_csv_with_times(tmp_path: Path, zone: str | None) -> None:
    path = tmp_path / "own.csv"
    index = times("2019-01-01", "2020-01-01", "30min", zone)
    pd.DataFrame({"mw": np.arange(len(index)) / 20_000}, index).to_csv(path, index_label="time")
    profile = read_profile(path, "solar", utc_offset_h=None if zone is None else -7.0)
    assert (profile.step_minutes, profile.years) == (30, (2019,))
    first = 14 if zone == "UTC" else 0
    assert profile.values[0, 0] == pytest.approx(first / 20_000)


def test_csv_faults_name_the_file(tmp_path: Path) -> None:
    (missing,) = faults_of(tmp_path / "none.csv")
    assert missing == "none.csv: got no such file; must be a CSV file."
    path = tmp_path / "wide.csv"
    path.write_text("a,b,c\n1,2,3\n")
    (wide,) = faults_of(path)
    assert wide.startswith("wide.csv: got 3 columns; must have one or two columns.")
    path.write_text("time,mw\nyesterday,0.2\nthen,0.3\n")
    (unreadable,) = faults_of(path)
    assert unreadable.startswith("wide.csv: got 2 unreadable times, first 'yesterday'")


def test_all_faults_are_told_at_once() -> None:
    series = pd.Series(0.3, times("2020", "2021"))
    series.iloc[[5, 6]] = -0.01
    series.iloc[7] = 1.31
    series.iloc[9] = np.nan
    series = series.drop(series.index[100:110])
    found = faults_of(series)
    assert len(found) == 4
    assert "1 values without a number, first at 2020-01-01 09:00:00" in found[0]
    assert "2 values below zero (lowest -0.01 MW per MWdc), first at 2020-01-01 05:00:00" in found[1]
    assert "1 values above the plausible maximum (highest 1.31), first at 2020-01-01 07:00:00" in found[2]
    assert "must be at most 1.3 MW per MWdc" in found[2]
    assert "1 places where steps are missing, first after 2020-01-05 03:00:00" in found[3]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (np.full(8761, 0.2), "8761 values; must be whole years"),
        (np.full((2, 100), 0.2), "2 rows of 100 values; must be whole years"),
        (0.2, "a single number; must be a series"),
        (np.zeros(8760), "zero in every step"),
        (["a"] * 8760, "values that are not numbers"),
        (pd.DataFrame({"a": [1.0], "b": [2.0]}), "a table with columns a, b; must have one column"),
        (pd.Series([0.1, 0.2], ["2019-01-01", "2019-01-02"]), "an index of"),
        (pd.Series(0.2, times("2019", "2020", "10min")), "a step of 10 min; must be 5, 15, 30 or 60 min"),
        (pd.Series(0.2, times("2019-07", "2020-07")), "4416 of the 8760 steps of the year 2019"),
        (pd.Series(0.2, times("2019", "2020")[::-1]), "a step of -60 min"),
        (
            pd.Series(0.2, times("2019", "2020", zone="America/Denver").tz_localize(None)),
            "1 times given twice, first after 2019-11-03 01:00:00; must be regular steps of 60 min. "
            "Is this local time with daylight saving?",
        ),
    ],
)
def test_each_fault_says_what_was_found(data: object, expected: str) -> None:
    assert any(expected in text for text in faults_of(data))


def test_a_step_off_the_grid_is_found() -> None:
    index = times("2019", "2020").to_series()
    index.iloc[50] += pd.Timedelta(minutes=7)
    found = faults_of(pd.Series(0.2, pd.DatetimeIndex(index)))
    assert any("2 steps that are not 60 min long, first after 2019-01-03 01:00:00" in text for text in found)


def test_a_load_in_kilowatts_is_not_taken_for_megawatts() -> None:
    (fault,) = faults_of(np.full(8760, 100_000.0), "load")
    assert "must be at most 20000 MW" in fault
    (fault,) = faults_of(np.full(8760, 150.0), "load", maximum=120.0)
    assert "must be at most 120 MW" in fault


@settings(max_examples=30, deadline=None)
@given(
    own=st.sampled_from([5, 15, 30, 60]),
    study=st.sampled_from([5, 10, 15, 30, 60]),
    seed=st.integers(0, 1000),
)
def test_energy_is_kept_on_any_step(own: int, study: int, seed: int) -> None:
    random = np.random.Generator(np.random.PCG64(seed))
    values = random.uniform(0, 1, (2, 365 * 1440 // own))
    moved = resample(values, own, study)
    assert moved.shape == (2, 365 * 1440 // study)
    np.testing.assert_allclose(moved.mean(axis=1), values.mean(axis=1), rtol=1e-12)
    # Every hour keeps its own energy too, not only the year.
    hours = moved.reshape(2, 8760, -1).mean(axis=2)
    np.testing.assert_allclose(hours, values.reshape(2, 8760, -1).mean(axis=2), rtol=1e-12)


def test_a_profile_is_put_beside_the_weather_years() -> None:
    profile = read_profile(np.full((1, 17_520), 0.2), "solar")
    assert profile.on_step(60, years=3).shape == (3, 8760)
    assert profile_years(np.full((2, 35_040), 80.0), 60, kind="load").shape == (2, 8760)
    assert profile_years(profile, 15, kind="solar").shape == (1, 35_040)
    two = read_profile(np.full((2, 8760), 0.2), "solar")
    with pytest.raises(InputError, match="got 2 years; must have 1 year or the study's 3"):
        two.on_step(60, years=3)


def test_a_profile_of_the_other_kind_is_refused() -> None:
    load = Profile("load", 60, np.full((1, 8760), 90.0), (1,), "test")
    assert read_profile(load, "load") is load
    (fault,) = faults_of(load, "solar")
    assert fault == "solar_profile: got a load profile; must be a solar profile."
