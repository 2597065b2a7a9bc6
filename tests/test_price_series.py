"""Files with prices of every hour: units, clocks, leap days, columns of markets; gaps are refused."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sitedesign.components.price_series import PriceSeries, read_prices, unit_factor
from sitedesign.errors import InputError

HOURS = pd.date_range("2023-01-01", periods=8760, freq="h")
PRICES = np.random.default_rng(1).normal(40, 30, 8760).round(2)
CHICAGO = {"utc_offset_h": -6.0, "timezone": "America/Chicago"}
STANDARD = pd.date_range("2023-01-01", periods=8760, freq="h", tz="Etc/GMT+6")


def write(
    path: Path, values: Sequence[float], index: pd.DatetimeIndex = HOURS, head: str = "time,price (USD/MWh)"
) -> Path:
    rows = (
        f"{moment:%Y-%m-%d %H:%M},{value:.6f}"
        for moment, value in zip(index.to_pydatetime(), values, strict=True)
    )
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def refused(data: Any, **place: Any) -> str:
    with pytest.raises(InputError) as told:
        read_prices(data, **place)
    return str(told.value)


@pytest.mark.parametrize(
    ("head", "factor"),
    [
        ("time,price (USD/MWh)", 1), ("time,LMP $/MWh", 1), ("time,cents/kWh", 10),
        ("time,price_usd_per_kwh", 1000), ("time,Price [¢/kWh]", 10), ("time,$ per MWh", 1),
        ("time,price_usd_mwh", 1), ("time,mills/kWh", 1),
    ],
)  # fmt: skip
def test_unit_is_read_from_the_name(tmp_path: Path, head: str, factor: float) -> None:
    found = read_prices(write(tmp_path / "p.csv", PRICES / factor, head=head))
    assert found.usd_per_mwh[0] == pytest.approx(PRICES, abs=1e-2)
    assert not any("without a unit" in note for note in found.notes)


def test_unit_that_is_not_said_is_not_guessed(tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", np.abs(PRICES) / 1000, head="time,price")
    assert "look like USD/kWh" in refused(path)
    found = read_prices({"file": path, "unit": "USD/kWh"})
    assert found.usd_per_mwh[0] == pytest.approx(np.abs(PRICES), abs=1e-2)
    plain = read_prices(write(tmp_path / "q.csv", PRICES, head="time,price"))
    assert "prices without a unit read as USD/MWh" in plain.notes


@pytest.mark.parametrize("unit", ["EUR/MWh", "GBP/MWh", "€/MWh", "$/kW-month", "AUD/MWh", "usd per kw"])
def test_other_money_and_demand_charges_are_refused(tmp_path: Path, unit: str) -> None:
    assert "must be US dollars per energy" in refused(write(tmp_path / "p.csv", PRICES, head=f"time,{unit}"))


def test_hours_without_a_price_are_refused_with_their_time(tmp_path: Path) -> None:
    gap = write(tmp_path / "gap.csv", np.delete(PRICES, [100, 101]), HOURS.delete([100, 101]))
    assert "1 places where steps are missing, first after 2023-01-05 03:00" in refused(gap)
    blank = PRICES.copy()
    blank[[5, 70]] = np.nan
    assert "2 steps without a price, the first at 2023-01-01 05:00" in refused(
        write(tmp_path / "b.csv", blank)
    )
    part = write(tmp_path / "part.csv", PRICES[:-24], HOURS[:-24])
    assert "8736 of the 8760 steps of the year 2023" in refused(part)
    wild = PRICES.copy()
    wild[9] = 1e6
    assert "1 prices beyond every cap, the first 1,000,000 at 2023-01-01 09:00" in refused(
        write(tmp_path / "w.csv", wild)
    )


def test_leap_day_is_dropped_and_said(tmp_path: Path) -> None:
    hours = pd.date_range("2019-01-01", "2021-12-31 23:00", freq="h")
    values = np.arange(len(hours)) / 100.0
    found = read_prices(write(tmp_path / "p.csv", values, hours))
    assert found.years == (2019, 2020, 2021)
    assert "29 February dropped" in found.notes
    kept = values[~((hours.month == 2) & (hours.day == 29))]
    assert found.usd_per_mwh.ravel() == pytest.approx(kept, abs=1e-6)


def test_daylight_saving_is_understood_where_the_site_is_known(tmp_path: Path) -> None:
    wall = write(tmp_path / "wall.csv", PRICES, STANDARD.tz_convert("America/Chicago").tz_localize(None))
    assert read_prices(wall, **CHICAGO).usd_per_mwh[0] == pytest.approx(PRICES)
    assert "daylight saving" in refused(wall)
    utc = write(tmp_path / "u.csv", PRICES, STANDARD.tz_convert("UTC").tz_localize(None), "time UTC,$/MWh")
    assert read_prices(utc, **CHICAGO).usd_per_mwh[0] == pytest.approx(PRICES)


@pytest.mark.parametrize("intervals", [1, 4])
def test_file_of_ercot(tmp_path: Path, intervals: int) -> None:
    """Hours from 1 to 24 on the clock on the wall, with the hour that comes twice flagged."""
    wall = STANDARD.tz_convert("America/Chicago").tz_localize(None)
    rows = [
        f"{moment:%m/%d/%Y},{moment.hour + 1},{part + 1},N,HB_WEST,HU,{price + part:.2f}"
        for moment, price in zip(wall.to_pydatetime(), PRICES, strict=True)
        for part in range(intervals)
    ]
    head = "Delivery Date,Delivery Hour,Delivery Interval,Repeated Hour Flag,Settlement Point Name,"
    path = tmp_path / "ercot.csv"
    path.write_text(
        "\n".join([head + "Settlement Point Type,Settlement Point Price", *rows]), encoding="utf-8"
    )
    found = read_prices(path, **CHICAGO)
    assert found.step_minutes == 60 // intervals
    expected = (PRICES[:, None] + np.arange(intervals)).ravel()
    assert found.usd_per_mwh[0] == pytest.approx(expected)


def test_file_of_pjm_and_files_with_several_prices(tmp_path: Path) -> None:
    path = tmp_path / "pjm.csv"
    head = "datetime_beginning_ept,pnode_name,system_energy_price_rt,total_lmp_rt,congestion_price_rt"
    rows = (
        f"{t:%m/%d/%Y %I:%M:%S %p},AEP,{p - 1:.2f},{p:.2f},1"
        for t, p in zip(HOURS.to_pydatetime(), PRICES, strict=True)
    )
    path.write_text("\n".join([head, *rows]), encoding="utf-8")
    assert read_prices(path).usd_per_mwh[0] == pytest.approx(PRICES)
    rows = (
        f"{t:%Y-%m-%d %H:%M},{p:.2f},{p + 1:.2f}" for t, p in zip(HOURS.to_pydatetime(), PRICES, strict=True)
    )
    path.write_text("\n".join(["time,price day ahead,price real time", *rows]), encoding="utf-8")
    assert "several columns of prices: price day ahead, price real time" in refused(path)
    chosen = read_prices({"file": path, "column": "price real time"})
    assert chosen.usd_per_mwh[0] == pytest.approx(PRICES + 1)
    rows = (
        f"{t:%m/%d/%Y},{t.hour + 1},{node},{1:.2f}"
        for t in HOURS.to_pydatetime()
        for node in ("HB_WEST", "HB_NORTH")
    )
    path.write_text(
        "\n".join(["Delivery Date,Delivery Hour,Settlement Point Name,Settlement Point Price", *rows]),
        encoding="utf-8",
    )
    assert "prices of HB_WEST, HB_NORTH" in refused(path)


def test_files_of_caiso_and_nyiso(tmp_path: Path) -> None:
    """Stamps in GMT win over the hour of the day, which has a 25th in autumn."""
    local, gmt = STANDARD.tz_convert("America/Chicago"), STANDARD.tz_convert("UTC")
    path = tmp_path / "caiso.csv"
    rows = (
        f"{g:%Y-%m-%dT%H:%M:%S}-00:00,{t:%Y-%m-%d},{t.hour + 1},TH_SP15,LMP,{price:.2f}"
        for g, t, price in zip(gmt.to_pydatetime(), local.to_pydatetime(), PRICES, strict=True)
    )
    path.write_text(
        "\n".join(["INTERVALSTARTTIME_GMT,OPR_DT,OPR_HR,NODE,LMP_TYPE,MW", *rows]), encoding="utf-8"
    )
    found = read_prices({"file": path, "column": "MW", "unit": "USD/MWh"}, **CHICAGO)
    assert found.usd_per_mwh[0] == pytest.approx(PRICES)
    head = '"Time Stamp","Name","PTID","LBMP ($/MWHr)","Marginal Cost Losses ($/MWHr)"'
    for names, told in ((("CAPITL",), ""), (("CAPITL", "NYC"), "prices of CAPITL, NYC")):
        rows = (
            f'"{moment:%m/%d/%Y %H:%M}","{name}",61757,{price:.2f},0.1'
            for moment, price in zip(local.to_pydatetime(), PRICES, strict=True)
            for name in names
        )
        path.write_text("\n".join([head, *rows]), encoding="utf-8")
        if told:
            assert told in refused(path, **CHICAGO)
        else:
            assert read_prices(path, **CHICAGO).usd_per_mwh[0] == pytest.approx(PRICES)


def test_files_of_spreadsheets(tmp_path: Path) -> None:
    """Amounts with their sign; a workbook is named for what it is."""
    path = tmp_path / "sheet.csv"
    rows = (f'{t:%m/%d/%Y %H:%M},{"-" if p < 0 else ""}"${abs(p):.2f}"'.replace('-"$', '"-$')
            for t, p in zip(HOURS.to_pydatetime(), PRICES, strict=True))  # fmt: skip
    path.write_text("\n".join(["time,price ($/MWh)", *rows]), encoding="utf-8")
    assert read_prices(path).usd_per_mwh[0] == pytest.approx(PRICES)
    path.write_bytes(b"PK\x03\x04 and so on")
    assert "an Excel workbook" in refused(path)


def test_prices_of_other_years_than_the_weather() -> None:
    series = PriceSeries(np.array([[1.0] * 8760, [2.0] * 8760]), 60, (2021, 2022), "a file")
    dated, notes = series.on_years((2022, 2021, 2022), 60)
    assert dated[:, 0].tolist() == [2, 1, 2]
    assert notes == ()
    generated, notes = series.on_years((1, 2, 3), 30)
    assert generated[:, 0].tolist() == [1, 2, 1]
    assert generated.shape == (3, 17520)
    assert "prices of 2021, 2022 taken in turn" in notes[0]
    with pytest.raises(InputError, match="2019, 2020 are missing"):
        series.on_years((2019, 2020, 2021), 60)
    one, notes = PriceSeries(np.ones((1, 8760)), 60, (2021,), "a file").on_years((2019, 2020), 60)
    assert one.shape == (2, 8760)
    assert notes == ()


def test_arrays_series_and_what_is_neither(tmp_path: Path) -> None:
    for data in (PRICES, PRICES.tolist(), PRICES[None, :], pd.Series(PRICES, HOURS), {"data": PRICES}):
        assert read_prices(data).usd_per_mwh[0] == pytest.approx(PRICES)
    assert read_prices(pd.Series(PRICES / 1000, HOURS, name="usd_per_kwh")).usd_per_mwh[0] == pytest.approx(
        PRICES
    )
    for data in (
        None,
        object(),
        "nowhere.csv",
        [[1, 2], [3]],
        {},
        {"file": "a", "data": [1]},
        5,
        "",
        tmp_path,
    ):
        refused(data)
    text = refused({"data": PRICES, "unit": "EUR/MWh", "clok": 3, "clock": "noon", "step_minutes": 7})
    assert text.count(" * ") == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("USD/MWh", 1.0),
        ("¢ per kWh", 10.0),
        ("EUR/MWh", "EUR/MWh"),
        ("price", None),
        ("kWh", None),
        ("MW", None),
    ],
)
def test_units_of_prices(text: str, expected: float | str | None) -> None:
    assert unit_factor(text) == expected


def test_a_series_is_written_short_and_comes_back_to_the_last_bit() -> None:
    rng = np.random.default_rng(3)
    whole = rng.normal(30, 20, (3, 8760)).round(2)
    for values, step in ((whole, 60), (whole / 3, 60), (np.repeat(whole, 2, axis=1) / 7, 30)):
        series = PriceSeries(values, step, (2019, 2021, 2022), "file of a market", ("a note",))
        written = json.dumps(series.to_dict(), indent=1)
        again = read_prices(json.loads(written))
        assert again == series
        assert again.usd_per_mwh.tobytes() == values.tobytes()
        assert (again.description, again.notes) == (series.description, series.notes)
        assert len(written) < 11 * values.size
    cents = json.dumps(PriceSeries(whole, 60, (1, 2, 3), "").to_dict())
    assert len(cents) < 0.6 * len(json.dumps(whole.tolist()))


def test_what_is_no_written_series_is_refused() -> None:
    written = PriceSeries(np.full((1, 8760), 30.0), 60, (2021,), "").to_dict()
    packed = written["data"]["packed"]
    for change in (
        {"data": {"packed": packed[:-8]}},
        {"data": {"packed": "no base64!"}},
        {"data": {"packed": 3}},
        {"data": {"packed": base64.b64encode(zlib.compress(b"1 2 x")).decode()}},
        {"data": {"packed": base64.b64encode(zlib.compress(b"1 2\n3")).decode()}},
        {"data": {"packed": base64.b64encode(zlib.compress(b" ".join([b"nan"] * 8760))).decode()}},
        {"years": [2021, 2022]},
        {"years": None},
        {"step_minutes": 0},
        {"step_minutes": 30},
        {"step_minutes": "60"},
    ):
        refused(written | change)
