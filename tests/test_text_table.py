"""Text tables as people have them: encodings, separators, decimal marks, header rows, dates and units."""

from __future__ import annotations

import codecs

import numpy as np
import pandas as pd
import pytest

from sitedesign.errors import InputError
from sitedesign.util.text_table import TextTable, decode, read_table
from sitedesign.util.timestamps import read_stamps
from sitedesign.util.units import ENERGY, ENERGY_DENSITY, POWER, POWER_DENSITY, SPEED, parse_unit

PLAIN = "Place: Montréal\ntime,GHI [W/m²],T (°C)\n" + "".join(
    f"2021-01-01 {hour:02d}:00,{hour * 10.5},{-hour}\n" for hour in range(24)
)


def column(text: str, position: int = -1) -> np.ndarray:
    table = read_table(text, "a.csv")
    return table.numbers(position % table.cells.shape[1])[0]


@pytest.mark.parametrize(
    "raw",
    [
        PLAIN.encode(),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("latin-1"),
        PLAIN.encode("cp1252"),
        PLAIN.encode("utf-16"),
        codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
        PLAIN.encode("utf-32"),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
    ],
    ids=[
        "utf8",
        "bom",
        "latin1",
        "cp1252",
        "utf16",
        "utf16be",
        "utf16le-bare",
        "utf16be-bare",
        "utf32",
        "crlf",
        "cr",
    ],
)
def test_every_encoding_gives_the_same_table(raw: bytes):
    table = read_table(decode(raw), "a.csv")
    assert table.names == ("time", "GHI [W/m²]", "T (°C)")
    assert table.above == ("Place: Montréal",)
    np.testing.assert_array_equal(table.numbers(1)[0], np.arange(24) * 10.5)


def body(separator: str, decimal: str = ".", quote: str = "") -> str:
    rows = [f"time{separator}ghi{separator}temp"]
    for hour in range(48):
        numbers = (f"{quote}{value}{quote}".replace(".", decimal) for value in (hour * 0.5, -1.25))
        rows.append(separator.join([f"2021-01-{1 + hour // 24:02d} {hour % 24:02d}:00", *numbers]))
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize(
    ("separator", "decimal", "quote"),
    [
        (",", ".", ""),
        (";", ",", ""),
        (";", ".", ""),
        ("\t", ",", ""),
        ("\t", ".", ""),
        (",", ",", '"'),
        ("|", ".", ""),
        ("; ", ",", ""),
        (", ", ".", '"'),
    ],
)
def test_separators_decimal_marks_and_quotes_are_told(separator: str, decimal: str, quote: str):
    table = read_table(body(separator, decimal, quote), "a.csv")
    assert (table.separator, table.decimal) == (separator.strip(" ") or " ", decimal)
    np.testing.assert_array_equal(table.numbers(1)[0], np.arange(48) * 0.5)
    np.testing.assert_array_equal(table.numbers(2)[0], np.full(48, -1.25))


def test_decimal_commas_between_commas_are_refused_with_the_cause():
    with pytest.raises(InputError, match=r"more fields than the 3 names.*decimal commas.*semicolons"):
        read_table(body(",", ","), "a.csv")


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["856", "1,023", "999"], [856, 1023, 999]),
        (["856.5", "1,023.5", "12,345,678.25"], [856.5, 1023.5, 12345678.25]),
        (["1.023,5", "0,5", "12.345.678,25"], [1023.5, 0.5, 12345678.25]),
        (["0,000", "0,048", "856,120"], [0, 0.048, 856.12]),
        (["1 023,5", "1 024,5", "2,5"], [1023.5, 1024.5, 2.5]),
        (["1'023.5", "1'024.5", "2.5"], [1023.5, 1024.5, 2.5]),
        (["1e3", "2.5E-2", "-3"], [1000, 0.025, -3]),
    ],
)
def test_thousands_are_told_from_decimals(cells: list[str], values: list[float]):
    text = "time;load\n" + "".join(f"2021-01-01 {hour:02d}:00;{cell}\n" for hour, cell in enumerate(cells))
    np.testing.assert_allclose(column(text), values)


def test_values_alone_with_decimal_commas_are_one_column():
    np.testing.assert_allclose(column("0,000\n0,048\n0,184\n0,303\n"), [0, 0.048, 0.184, 0.303])
    counted = read_table("h,MW\n" + "".join(f"{hour},{hour % 3}\n" for hour in range(50)), "a.csv")
    assert counted.names == ("h", "MW")
    assert read_table("MW\n1.5\n2.5\n3.5\n", "a").names == ("MW",)


def test_header_rows_of_a_simulation_program_and_its_row_of_units():
    text = (
        "PVSYST V7.4.5;;;;\n ;File;File date;Description;\nProject;a.PRJ;01/01/24 00h00;an example;\n"
        ";;;;\ndate;GlobHor;T_Amb;E_Grid\n;W/m²;°C;kW\n;;;;\n"
        + "".join(f"{1 + h // 24:02d}/01/90 {h % 24:02d}:00;{h};-1,3;-1,2\n" for h in range(60))
    )
    table = read_table(decode(text.encode("cp1252")), "a.csv")
    assert table.names == ("date", "GlobHor", "T_Amb", "E_Grid")
    assert table.units == ("", "W/m²", "°C", "kW")
    assert len(table.cells) == 60
    assert table.cells.index[0] == 8
    np.testing.assert_array_equal(table.numbers(3)[0], np.full(60, -1.2))


def test_words_for_nothing_are_missing_and_others_are_said_or_refused():
    rows = [f"2021-01-{1 + h // 24:02d} {h % 24:02d}:00,{h}" for h in range(300)]
    rows[7], rows[8], rows[9] = rows[7][:17] + "null", rows[8][:17] + "NaN", rows[9][:17]
    values, notes = read_table("time,ghi\n" + "\n".join(rows), "a.csv").numbers(1)
    assert np.flatnonzero(np.isnan(values)).tolist() == [7, 8, 9]
    assert notes == ()
    rows[20] = rows[20][:17] + "Comm Fail"
    values, notes = read_table("time,ghi\n" + "\n".join(rows), "a.csv").numbers(1)
    assert np.isnan(values[20])
    assert "'Comm Fail' in line 22" in notes[0]
    rows = [row[:17] + "error" if h % 20 == 0 else row for h, row in enumerate(rows)]
    with pytest.raises(InputError, match="cells of 'ghi' that are no numbers, the first 'error' in line 2"):
        read_table("time,ghi\n" + "\n".join(rows), "a.csv").numbers(1)
    with pytest.raises(InputError, match="300 cells of 'ghi' that are no numbers, the first 'inf'"):
        read_table("time,ghi\n" + "\n".join(r[:17] + "inf" for r in rows), "a.csv").numbers(1)


def test_text_without_a_table_is_refused():
    with pytest.raises(InputError, match="no rows of numbers"):
        read_table("dear sir,\nhello\n", "a.csv")
    with pytest.raises(InputError, match="no rows of numbers"):
        read_table("time,ghi\n", "a.csv")


YEAR = pd.date_range("2021-01-01", periods=8760, freq="h")
FORMATS = [
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y %H:%M",
    "%d/%m/%y %H:%M",
    "%m/%d/%y %H:%M",
    "%d-%b-%Y %H:%M",
    "%d %B %Y %H:%M",
    "%b %d, %Y %H:%M",
    "%Y%m%d:%H%M",
    "%Y%m%d%H%M",
    "%Y%m%d %H%M",
    "%m/%d/%Y %I:%M %p",
    "%d/%m/%Y %I:%M:%S %p",
    "%d/%m/%y %Hh%M",
    "%a %d/%m/%Y %H:%M",
    "%y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S.000",
    "%d-%m-%Y, %H:%M",
]


@pytest.mark.parametrize("style", FORMATS)
def test_dates_of_every_order_are_read(style: str):
    got = read_stamps(pd.Series(YEAR.strftime(style)), "a.csv")
    assert (got.index == YEAR).all()
    assert not got.utc


def test_midnight_without_time_24_o_clock_and_counted_days():
    bare = pd.Series([f"{t:%d.%m.%Y}" if t.hour == 0 else f"{t:%d.%m.%Y %H:%M}" for t in YEAR])
    assert (read_stamps(bare, "a").index == YEAR).all()
    late = pd.Series([f"{t:%Y-%m-%d} {t.hour + 1:02d}:00" for t in YEAR])
    assert (read_stamps(late, "a").index == YEAR + pd.Timedelta(hours=1)).all()
    serial = pd.Series([f"{44197 + hour / 24:.10f}" for hour in range(8760)])
    assert (read_stamps(serial, "a").index == YEAR).all()
    seconds = read_stamps(pd.Series([f"{1609459200 + 3600 * hour}" for hour in range(8760)]), "a")
    assert seconds.utc
    assert (seconds.index == YEAR).all()


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2021-06-01T12:00:00Z", "12:00"),
        ("2021-06-01 12:00:00+00:00", "12:00"),
        ("2021-06-01 12:00:00 UTC", "12:00"),
        ("2021-06-01 12:00:00+05:30", "06:30"),
        ("2021-06-01T12:00:00-03:30", "15:30"),
        ("2021-06-01 12:00 +1245", "23:15"),
        ("2021-06-01 12:00 CET", "11:00"),
        ("2021-06-01 12:00:00.000-06", "18:00"),
    ],
)
def test_offsets_from_utc_are_exact(text: str, utc: str):
    got = read_stamps(pd.Series([text]), "a")
    assert got.utc
    assert f"{got.index[0]:%H:%M}" == utc


def test_stamps_of_many_lengths_and_remarks_below_them():
    texts = ["1/9/2021 0:00", "1/9/2021 13:00", "1/10/2021 2:00 PM", "01/11/2021", "Total 12", "x" * 5000]
    got = read_stamps(pd.Series(texts, dtype=str), "a", "MM/DD/YYYY")
    known = ["2021-01-09", "2021-01-09 13:00", "2021-01-10 14:00", "2021-01-11"]
    assert list(got.index[:4]) == [pd.Timestamp(text) for text in known]
    assert got.index[4:].isna().all()


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["13/01/2021 00:00", "01/14/2021 01:00"], r"some have the day first.*'01/14/2021 01:00' in line 1"),
        (["01/02/2021 00:00", "01/02/2021 01:00"], "may have day first or month first"),
        (
            ["2021-01-01 00:00", "foo", "2021-01-01 02:00"],
            r"1 stamps that cannot be read, the first 'foo' in line 1",
        ),
        (["2021-01-01 00:00 CST"], "time zone 'CST'"),
        (["1880-01-01 00:00:00-05:51:00", "1880-01-01 01:00:00-05:50:36"], "time zone '-05:50:36' in line 1"),
    ],
)
def test_dates_that_cannot_be_told_are_refused_with_the_reason(texts: list[str], words: str):
    with pytest.raises(InputError, match=words):
        read_stamps(pd.Series(texts), "a.csv")


@pytest.mark.parametrize(
    ("text", "factor", "dimension"),
    [
        ("W/m2", 1, POWER_DENSITY),
        ("W/m²", 1, POWER_DENSITY),
        ("Wm-2", 1, POWER_DENSITY),
        ("W·m⁻²", 1, POWER_DENSITY),
        ("w/m^2", 1, POWER_DENSITY),
        ("W/m**2", 1, POWER_DENSITY),
        ("W/mÂ²", 1, POWER_DENSITY),
        ("Watts/sq.m", 1, POWER_DENSITY),
        ("kW m-2", 1e3, POWER_DENSITY),
        ("mW/cm2", 10, POWER_DENSITY),
        ("kWh/m2/h", 1e3, POWER_DENSITY),
        ("kW-hr/m^2/day", 1e3 / 24, POWER_DENSITY),
        ("MJ/m2/h", 1e6 / 3600, POWER_DENSITY),
        ("MJ/(m² h)", 1e6 / 3600, POWER_DENSITY),
        ("MJ m-2 h-1", 1e6 / 3600, POWER_DENSITY),
        ("kJ/m²/h", 1 / 3.6, POWER_DENSITY),
        ("ly/min", 41840 / 60, POWER_DENSITY),
        ("Btu/hr-ft2", 3.15459, POWER_DENSITY),
        ("Wh/m2 per 15 min", 4, POWER_DENSITY),
        ("kWh m-2", 3.6e6, ENERGY_DENSITY),
        ("J/cm2", 1e4, ENERGY_DENSITY),
        ("cal/cm²", 41840, ENERGY_DENSITY),
        ("MJ/m2", 1e6, ENERGY_DENSITY),
        ("mj/m2", 1e6, ENERGY_DENSITY),
        ("kW", 1e3, POWER),
        ("MW", 1e6, POWER),
        ("mW", 1e-3, POWER),
        ("MWh", 3.6e9, ENERGY),
        ("GJ", 1e9, ENERGY),
        ("km/h", 1 / 3.6, SPEED),
        ("m s-1", 1, SPEED),
        ("mph", 0.44704, SPEED),
        ("knots", 0.514444, SPEED),
    ],
)
def test_units_are_read_in_any_spelling(text: str, factor: float, dimension: tuple[int, int, int]):
    unit = parse_unit(text)
    assert unit is not None
    assert unit.dimension == dimension
    assert unit.factor == pytest.approx(factor, rel=1e-5)


@pytest.mark.parametrize("text", ["kWh/kWp", "umol/m2/s", "lux", "foo", ""])
def test_other_units_are_not_taken_for_known_ones(text: str):
    assert parse_unit(text) is None


def test_a_table_is_what_it_says():
    table = read_table(PLAIN, "a.csv")
    assert isinstance(table, TextTable)
    assert table.cells.index.tolist() == list(range(3, 27))
