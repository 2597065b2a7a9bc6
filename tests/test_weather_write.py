"""Weather years written to a file come back as they were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sitedesign as sd
from sitedesign.util.csv_series import csv_series

ARRAYS = ("ghi_w_m2", "dni_w_m2", "dhi_w_m2", "temp_air_c", "wind_speed_m_s")
SITE = sd.Site(latitude=31.76, longitude=-106.49)


@pytest.mark.parametrize(("suffix", "tolerance"), [(".csv", 0.006), (".parquet", 0.0)])
@pytest.mark.parametrize("step_minutes", [60, 30])
def test_generated_years_come_back(tmp_path: Path, suffix: str, tolerance: float, step_minutes: int) -> None:
    weather = sd.Weather.generate(SITE, years=2, seed=1, step_minutes=step_minutes)
    back = sd.Weather.read(weather.write(tmp_path / f"years{suffix}"))
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(back, name), getattr(weather, name), rtol=0, atol=tolerance)
    assert (back.step_minutes, back.utc_offset_h) == (step_minutes, weather.utc_offset_h)
    assert (back.site.latitude, back.site.elevation_m) == (SITE.latitude, SITE.elevation_m)
    assert len(back.years) == 2


@pytest.mark.parametrize("offset_minutes", [0.0, 11.0])
def test_where_the_sun_was_sampled_comes_back(tmp_path: Path, offset_minutes: float) -> None:
    weather = replace(sd.Weather.generate(SITE, years=1), sun_offset_minutes=offset_minutes)
    assert sd.Weather.read(weather.write(tmp_path / "year.csv")).sun_offset_minutes == offset_minutes


def test_a_leap_year_keeps_its_calendar(tmp_path: Path) -> None:
    weather = replace(sd.Weather.generate(SITE, years=1), years=(2020,))
    back = sd.Weather.read(weather.write(tmp_path / "year.parquet"))
    assert back.years == (2020,)
    np.testing.assert_allclose(back.temp_air_c, weather.temp_air_c)


def test_what_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    weather = sd.Weather.generate(SITE, years=1)
    typical = replace(weather, source=replace(weather.source, is_tmy=True))
    with pytest.raises(sd.InputError) as caught:
        typical.write(tmp_path / "year.xlsx")
    assert len(caught.value.faults) == 2
    assert not list(tmp_path.iterdir())


def test_a_parquet_file_of_something_else_is_named(tmp_path: Path) -> None:
    import pandas as pd

    pd.DataFrame({"milk": [2], "bread": [1]}).to_parquet(tmp_path / "shopping.parquet")
    with pytest.raises(sd.InputError, match=r"shopping\.parquet: got text of an unknown kind"):
        sd.Weather.read(tmp_path / "shopping.parquet")
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(sd.InputError, match="a Parquet file that cannot be read"):
        sd.Weather.read(tmp_path / "cut.parquet")


@pytest.mark.parametrize("zone", [None, "UTC", "Etc/GMT+6"])
def test_numbers_are_written_as_pandas_writes_them(zone: str | None) -> None:
    rng = np.random.default_rng(1)
    values = rng.choice([0.0, -5.0, 1 / 3, 1e-9, 1234567.0, 1e21, np.inf, np.nan], (500, 3)) * rng.random(
        (500, 3)
    )
    stamps = pd.date_range("2020-02-28 23:30", periods=500, freq="15min", tz=zone)
    frame = pd.DataFrame(values, stamps, ["ghi (W/m2)", "a, b", 'c "d"'])
    right = frame.to_csv(
        index_label="time", date_format="%Y-%m-%d %H:%M", float_format="%.6g", lineterminator="\n"
    )
    assert csv_series(frame, label="time", between=" ") == right
