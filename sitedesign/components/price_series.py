"""Prices of every hour: a market's file or an array, put on the study's years and step.

Files are cut into columns and times as those with profiles are; which column is the price, and in which unit,
is told from its name. Nothing is filled in: an hour without a price is refused with its time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign.components.own_profile.clock import STEPS_MINUTES, ProfileRecord, whole_years
from sitedesign.components.own_profile.file import read_file, record_of_frame, record_of_text, text_of
from sitedesign.components.own_profile.given import ClockSaid, clock_said
from sitedesign.components.own_profile.profile import resample
from sitedesign.errors import Fault, InputError, shown, unknown_name
from sitedesign.util.gate import OneOf, is_number, read_bytes
from sitedesign.util.packed_numbers import is_packed, pack_numbers, unpack_numbers
from sitedesign.util.text_table import TextTable, read_table
from sitedesign.util.timestamps import read_stamps

FloatArray = NDArray[np.float64]
OF = "the prices"
#: Beyond the caps of every market: a unit or a misprint.
MOST_USD_PER_MWH = 20_000.0
_KEYS = ("file", "data", "unit", "column", "clock", "step_minutes")
_FIRST_DATED, _LAST_DATED = 1900, 2200
_STEP = OneOf(STEPS_MINUTES, "min")

_MONEY_IN_CELL = re.compile(r'(?<=[,;\t"(\s-])\$\s?(\d)')
_MONEY = r"(?P<money>us\$|\$|usd|dollars?|us cents?|cents?|ct|c|¢|mills?|eur|euros?|€|gbp|£|[a-z]{3})"
_UNIT = re.compile(
    rf"(?<![a-z]){_MONEY}[\s_]*(?:/|per|_per_|_)[\s_]*(?P<energy>[kmg]?w)[\s_.·*-]?h(?:r|rs|ours?)?(?![a-z])",
    re.IGNORECASE,
)
_DEMAND = re.compile(r"/\s*kw(?![\s_.·*-]?h)|per[\s_]kw(?![\s_.·*-]?h)", re.IGNORECASE)
_DOLLARS, _CENTS = (
    ("us$", "$", "usd", "dollar", "dollars"),
    ("us cent", "us cents", "cent", "cents", "ct", "c", "¢"),
)
_USD = dict.fromkeys(_DOLLARS, 1.0) | dict.fromkeys(_CENTS, 0.01) | dict.fromkeys(("mill", "mills"), 0.001)
_PER_MWH = {"w": 1e6, "kw": 1e3, "mw": 1.0, "gw": 1e-3}
# The surest names first: a file of a market holds the parts of its price beside the sum
_PRICE_NAMES = (
    r"^(?:total[ _]?)?lmp(?:[ _](?:rt|da|total|prc|price))?$|^total[ _]lmp|"
    r"settlement[ _]point[ _]price|^spp$",
    r"(?<![a-z])(?:lmp|mcp|lbmp)(?![a-z])",
    r"price|preis|precio|prix|(?<![a-z])(?:usd|\$|rate|tariff)",
)
_MARKET_COLUMNS = {
    "day": r"delivery[ _]?date|oper(?:ating)?[ _]?da(?:y|te)|market[ _]?day|opr_dt",
    "hour": r"delivery[ _]?hour|hour[ _]?number|opr_hr|hour[ _]?ending[ _]?number",
    "interval": r"delivery[ _]?interval|opr_interval|interval[ _]?number",
}
_NO_PRICE = re.compile(
    r"congestion|loss|mcc|mcl|name|type|node|hub|zone|component|energy[ _]price", re.IGNORECASE
)


@dataclass(frozen=True, eq=False)
class PriceSeries:
    """Prices of whole years of 365 days, in local standard time.

    Attributes
    ----------
    usd_per_mwh : ndarray, shape (years, steps)
        Mean of each interval, as it was given. [USD/MWh]
    step_minutes : int
        [min]
    years : tuple of int
        Calendar years; 1, 2, ... without dates.
    description : str
        Where they came from.
    notes : tuple of str
        Everything that was assumed, moved or dropped.
    """

    usd_per_mwh: FloatArray
    step_minutes: int
    years: tuple[int, ...]
    description: str
    notes: tuple[str, ...] = ()

    @property
    def dated(self) -> bool:
        """Whether its years are those of a calendar."""
        return all(_FIRST_DATED <= year <= _LAST_DATED for year in self.years)

    def on_years(self, years: Sequence[int], step_minutes: int) -> tuple[FloatArray, tuple[str, ...]]:
        """Put the prices on weather years.

        Parameters
        ----------
        years : sequence of int
            Of the weather; 1, 2, ... where it is generated.
        step_minutes : int
            Averaged to a longer step, held over a shorter one. [min]

        Returns
        -------
        prices : ndarray, shape (years, steps)
            [USD/MWh]
        notes : tuple of str

        Raises
        ------
        InputError
            If dated weather has years of which there are no prices.
        """
        values = resample(self.usd_per_mwh, self.step_minutes, step_minutes)
        wanted, found = list(years), len(self.years)
        if found == 1:
            return np.repeat(values, len(wanted), axis=0), ()
        if self.dated and all(_FIRST_DATED <= year <= _LAST_DATED for year in wanted):
            absent = sorted(set(wanted) - set(self.years))
            if absent:
                span = f"{min(self.years)} to {max(self.years)}"
                allowed = f"must cover the weather's years; {', '.join(map(str, absent[:10]))} are missing"
                remedy = "Give one representative year, or weather of the same years."
                raise InputError([Fault("prices", f"years {span}", allowed, remedy)], OF)
            return values[[self.years.index(year) for year in wanted]], ()
        rows = np.arange(len(wanted)) % found
        which = ", ".join(map(str, self.years[:12])) if self.dated else f"{found} years"
        note = f"prices and weather are not of the same years: prices of {which} taken in turn; what weather "
        note += "does to prices is not in them"
        return values[rows], (note,)

    def to_dict(self) -> dict[str, Any]:
        """Write everything for JSON and TOML, so that :func:`read_prices` makes an equal series of it."""
        return {
            "data": pack_numbers(self.usd_per_mwh),
            "step_minutes": self.step_minutes,
            "years": list(self.years),
            "description": self.description,
            "notes": list(self.notes),
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PriceSeries) and (
            self.step_minutes == other.step_minutes
            and self.years == other.years
            and np.array_equal(self.usd_per_mwh, other.usd_per_mwh)
        )

    def __hash__(self) -> int:
        return hash((self.step_minutes, self.years, self.usd_per_mwh.tobytes()))


def given_prices(known: dict[str, Any], name: str, of: str, faults: list[Fault]) -> None:
    """Make a series given as numbers one of prices; files are read when the site's clock is known.

    Parameters
    ----------
    known : dict
        Fields of a question, changed in place; a faulty series is taken out.
    name, of : str
        Field, and what it is one of.
    faults : list of Fault
        To which those of the series are added.
    """
    given = known.get(name)
    if isinstance(given, Path):
        known[name] = str(given)
    elif isinstance(given, Mapping) and "data" not in given:
        known[name] = {key: str(value) if isinstance(value, Path) else value for key, value in given.items()}
    elif isinstance(given, Mapping | list | tuple | np.ndarray | pd.Series):
        try:
            known[name] = read_prices(given, where=f"{of}.{name}")
        except InputError as error:
            faults += error.faults
            known.pop(name)


def read_prices(
    data: Any,  # noqa: ANN401  # whatever a user may hold
    *,
    where: str = "prices",
    utc_offset_h: float | None = None,
    timezone: str | None = None,
) -> PriceSeries:
    """Read prices of every step of whole years.

    Parameters
    ----------
    data : path, mapping, array, Series or PriceSeries
        A file with a column of prices and, unless it has whole years from 1 January, a column of times. A
        mapping has ``file`` or ``data`` and any of ``unit`` (``USD/MWh``, ``USD/kWh``, ``cents/kWh``),
        ``column``, ``clock`` (``standard``, ``wall``, ``UTC``, ``UTC-6``) and ``step_minutes``. An array has
        one row a year or one year.
    where : str
        Name for messages.
    utc_offset_h, timezone : float and str, optional
        Standard time and IANA zone of the site: stamps in another zone are moved, hours that daylight saving
        skips or repeats are understood. [h]

    Returns
    -------
    PriceSeries

    Raises
    ------
    InputError
        Listing every fault: gaps with their times, years that are not whole, units that cannot be told or are
        no US dollars per energy.
    """
    if isinstance(data, PriceSeries):
        return data
    if isinstance(data, Mapping) and is_packed(data.get("data")):
        return _written(data, where)
    said, faults = _said(data, where)
    if faults:
        raise InputError(faults, OF)
    record, factor, notes = _loaded(said, where)
    if (clock := said.get("clock")) is not None:
        found_clock = clock_said(clock) if isinstance(clock, str) else ClockSaid(float(clock))
        record = replace(
            record,
            zone_h=None if found_clock is None else found_clock.zone_h,
            wall_clock=found_clock is not None and found_clock.wall,
        )
    step = said.get("step_minutes") or record.step_minutes
    found = whole_years(record, None if step is None else int(step), utc_offset_h, timezone)
    faults = [*_value_faults(record, where, factor), *found.faults]
    if faults:
        raise InputError(faults, OF)
    values = np.stack(found.rows) * factor
    if not np.isfinite(values).all():  # an hour that the clock on the wall showed twice, written once
        raise InputError([Fault(where, "an hour without a price", "every step needs a price")], OF)
    if found.shift_minutes:
        values = _rolled(values, found.step_minutes, found.shift_minutes, where)
    return PriceSeries(
        values, found.step_minutes, found.years, record.description, (*notes, *record.notes, *found.notes)
    )


def _written(data: Mapping[str, Any], where: str) -> PriceSeries:
    """Read what :meth:`PriceSeries.to_dict` wrote: nothing is assumed or converted again."""
    years: Any = data.get("years")
    step = data.get("step_minutes") if _STEP.wrong(data.get("step_minutes")) is None else None
    try:
        values = np.atleast_2d(unpack_numbers(data["data"]))
    except ValueError:
        values = np.zeros((0, 0))
    dated = isinstance(years, list | tuple) and all(isinstance(year, int) for year in years)
    if step is None or not dated or values.shape != (len(years), 365 * 1440 // step):
        allowed = "must be as a saved study has it"
        raise InputError([Fault(where, "packed prices of which a part is missing", allowed)], OF)
    record = ProfileRecord(values.ravel(), None, where, "")
    if faults := _value_faults(record, where, 1.0):
        raise InputError(faults, OF)
    notes = tuple(map(str, data.get("notes", ())))
    return PriceSeries(values, int(step), tuple(years), str(data.get("description", "")), notes)


def _said(data: Any, where: str) -> tuple[dict[str, Any], list[Fault]]:  # noqa: ANN401
    """Take apart what a user gave; the data stand under ``file`` or ``data``."""
    if isinstance(data, str | Path):
        data = {"file": data}
    elif not isinstance(data, Mapping):
        data = {"data": data}
    said = {str(key): value for key, value in data.items() if value is not None}
    faults = [unknown_name(where, key, _KEYS) for key in said if key not in _KEYS]
    if ("file" in said) == ("data" in said):
        found = "both file and data" if "file" in said else "neither file nor data"
        faults.append(Fault(where, found, "needs one of file and data", 'Try file = "prices.csv".'))
    if "step_minutes" in said:
        faults += _STEP.faults(f"{where}.step_minutes", _STEP.clean(said["step_minutes"]))
    unit, clock = said.get("unit"), said.get("clock")
    if unit is not None and not (isinstance(unit, str) and isinstance(unit_factor(unit), float)):
        allowed = 'must be US dollars per energy: "USD/MWh", "USD/kWh", "cents/kWh"'
        faults.append(Fault(f"{where}.unit", shown(unit), allowed))
    hours = is_number(clock) and -14 <= clock <= 14  # type: ignore[operator]
    words = isinstance(clock, str) and (clock == "standard" or clock_said(clock) is not None)
    if clock is not None and not hours and not words:
        allowed = (
            'must be "standard" (the site\'s, all year), "wall" (with daylight saving), "UTC" or "UTC-6"'
        )
        faults.append(Fault(f"{where}.clock", shown(clock), allowed))
    return said, faults


def _loaded(said: dict[str, Any], where: str) -> tuple[ProfileRecord, float, tuple[str, ...]]:
    """ProfileRecord with its prices, the factor to USD/MWh, and what was assumed."""
    stated = unit_factor(str(said["unit"])) if "unit" in said else None
    if "file" in said:
        record, name, unit_row = _of_file(said["file"], said.get("column"), where)
    else:
        record, name, unit_row = _of_data(said["data"], where), _name_of(said["data"]), ""
    factor: float | str | None = stated
    for text in (unit_row, name):
        if factor is None and text:
            factor = unit_factor(text)
            if isinstance(factor, str):
                allowed = "must be US dollars per energy, as USD/MWh or cents/kWh"
                remedy = "Convert the prices, or say what the numbers are: {file = ..., unit = 'USD/MWh'}."
                raise InputError([Fault(where, f"prices in {factor!r}", allowed, remedy)], OF)
    known = np.abs(record.values[np.isfinite(record.values)])
    assert not isinstance(factor, str)  # refused above, or where it is said
    typical = float(np.median(known)) if known.size else 0.0
    if stated is None and known.size and 0 < typical * (factor or 1.0) < 1.5 and known.max() < 20:
        found = f"prices around {typical:.3g}" + ("" if factor is None else " USD/MWh by the column's name")
        allowed = "must say in which unit they are: these look like USD/kWh"
        raise InputError([Fault(where, found, allowed, "Give unit='USD/kWh', or 'USD/MWh'.")], OF)
    if factor is None:
        return record, 1.0, ("prices without a unit read as USD/MWh",)
    return record, factor, ()


def unit_factor(text: str) -> float | str | None:
    """Factor to USD/MWh of a unit in a text.

    Returns
    -------
    float, str or None
        The factor; the unit as written where it is another money or a price of power; None for no unit.
    """
    found = _UNIT.search(text)
    if found is None:
        demand = _DEMAND.search(text)
        return text.strip() if demand else None
    money = _USD.get(found["money"].lower())
    energy = found["energy"].lower()
    return found[0].strip() if money is None else money * _PER_MWH[energy]


def _name_of(data: Any) -> str:  # noqa: ANN401
    return str(data.name) if isinstance(data, pd.Series) and data.name is not None else ""


def _of_data(data: Any, where: str) -> ProfileRecord:  # noqa: ANN401
    if isinstance(data, pd.Series):
        frame = data.rename("price").to_frame()
        return record_of_frame(frame, "load", where, "the user's series")
    try:
        values = np.asarray(data, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        values = np.zeros(0)
    if values.size == 0 or values.ndim not in (1, 2) or isinstance(data, str | bytes):
        allowed = "must be a path, a mapping with file or data, or numbers, one row a year"
        raise InputError([Fault(where, shown(data), allowed)], OF)
    rows = len(values) if values.ndim == 2 else None
    return ProfileRecord(values.ravel(), None, where, "the user's numbers", rows=rows)


def _of_file(file: Any, column: Any, where: str) -> tuple[ProfileRecord, str, str]:  # noqa: ANN401
    """ProfileRecord of a file, the name of its column of prices, and what its row of units says."""
    if not isinstance(file, str | Path) or not str(file).strip() or "\0" in str(file):
        raise InputError([Fault(where, shown(file), "must be the path of a CSV file")], OF)
    path = Path(file)
    if path.suffix.lower() == ".parquet":
        record = read_file(path, "load", None if column is None else str(column))
        return replace(record, refused=None), str(column or ""), ""
    raw = read_bytes(path, path.name[:100], "must be a CSV file", of=OF)
    text = _MONEY_IN_CELL.sub(r"\1", text_of(raw, path.name))
    table = read_table(text, path.name)
    place = _price_place(table, None if column is None else str(column))
    name = table.names[place] if place is not None and table.names else ""
    unit_row = table.units[place] if place is not None and place < len(table.units) else ""
    if place is not None:
        _refuse_several_points(table, place)
    if place is not None and (stamps := _market_stamps(table)) is not None:
        values, notes = table.numbers(place)
        record = ProfileRecord(values, stamps, path.name, f"file {path.name}", wall_clock=True, notes=notes)
        return record, name, unit_row
    wanted = None if place is None else (name or str(place + 1))
    record = record_of_text(text, path.name, "load", wanted if column is None else str(column))
    said = (name, *(() if place is not None else table.names), *table.above)
    return replace(record, refused=None), _first_unit(said) or name, unit_row


def _first_unit(texts: Sequence[str]) -> str:
    """Find the first text that names a unit of prices."""
    return next((text for text in texts if _UNIT.search(text)), "")


def _market_stamps(table: TextTable) -> pd.DatetimeIndex | None:
    """Read stamps of a market's file that counts the hours of the day from 1; None for others."""
    place = {
        part: number
        for number, name in enumerate(table.names)
        for part, words in _MARKET_COLUMNS.items()
        if re.fullmatch(words, name.strip(), re.IGNORECASE)
    }
    universal = any(re.search(r"gmt|utc", name, re.IGNORECASE) for name in table.names)
    if universal or not {"day", "hour"} <= place.keys():
        return None
    hour = pd.to_numeric(table.cells[place["hour"]], errors="coerce")
    day = read_stamps(table.cells[place["day"]], table.file).index
    if hour.isna().any() or not hour.between(1, 24).all():
        return None
    minutes = (hour.to_numpy() - 1) * 60
    if "interval" in place:
        number = pd.to_numeric(table.cells[place["interval"]], errors="coerce").fillna(1)
        minutes = minutes + (number.to_numpy() - 1) * (60 / number.max())
    return pd.DatetimeIndex(day + pd.to_timedelta(minutes, unit="min"))


def _refuse_several_points(table: TextTable, price: int) -> None:
    """Refuse a file with the prices of several places."""
    for number, name in enumerate(table.names):
        cells = table.cells[number]
        points = cells.unique()
        names_a_place = re.search(
            r"point|node|hub|(?<!time )zone|location|^name$|^ptid$", name, re.IGNORECASE
        )
        if names_a_place and number != price and len(points) > 1:
            listed = ", ".join(map(str, points[:8]))
            allowed = "must hold the prices of one place"
            remedy = f"Keep the rows of one {name.strip()}."
            raise InputError([Fault(table.file, f"prices of {listed}", allowed, remedy)], OF)


def _price_place(table: TextTable, column: str | None) -> int | None:
    """Position of the column of prices by its name; None where names do not tell."""
    names = [name.strip() for name in table.names]
    if column is not None:
        plain = [name.lower() for name in names]
        return plain.index(column.strip().lower()) if column.strip().lower() in plain else None
    numeric = [place for place in range(len(names)) if _is_numeric(table, place)]
    for pattern in _PRICE_NAMES:
        found = [
            place
            for place in numeric
            if re.search(pattern, names[place], re.IGNORECASE) and not _NO_PRICE.search(names[place])
        ]
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            listed = ", ".join(names[place] for place in found[:12])
            remedy = f'Say which: {{file = "{table.file}", column = "{names[found[0]]}"}}.'
            fault = Fault(table.file, f"several columns of prices: {listed}", "must have one", remedy)
            raise InputError([fault], OF)
    return None


def _is_numeric(table: TextTable, place: int) -> bool:
    cells = table.cells[place].iloc[:: max(1, len(table.cells) // 200)]
    return bool(cells.str.fullmatch(r"[\s+\-\d.,'’$eE]*\d[\s\d.,'’eE+\-]*|").mean() > 0.8)


def _value_faults(record: ProfileRecord, where: str, factor: float) -> list[Fault]:
    faults = []
    values = record.values * factor
    missing = ~np.isfinite(values)
    if missing.any():
        found = f"{int(missing.sum())} steps without a price, the first {_at(record, int(missing.argmax()))}"
        remedy = "Fill them from the hours beside them, or from the same hours of other days, and say so."
        faults.append(Fault(where, found, "every step needs a price", remedy))
    wild = np.abs(np.where(missing, 0.0, values)) > MOST_USD_PER_MWH
    if wild.any():
        step = int(wild.argmax())
        found = (
            f"{int(wild.sum())} prices beyond every cap, the first {values[step]:,.0f} {_at(record, step)}"
        )
        faults.append(
            Fault(where, found, f"must be within {MOST_USD_PER_MWH:,.0f} USD/MWh", "Check the unit.")
        )
    return faults


def _at(record: ProfileRecord, place: int) -> str:
    return f"at {record.index[place]}" if record.index is not None else f"at position {place}"


def _rolled(values: FloatArray, step_minutes: int, shift_minutes: int, where: str) -> FloatArray:
    """Move prices to the site's clock; the hours that leave at one end come in at the other."""
    if shift_minutes % step_minutes:
        found = f"a clock {shift_minutes} min from the site's"
        raise InputError([Fault(where, found, f"must be whole steps of {step_minutes} min")], OF)
    rolled: FloatArray = np.roll(values.ravel(), shift_minutes // step_minutes).reshape(values.shape)
    return rolled
