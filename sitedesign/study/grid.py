"""Grid connection as it is asked for: none, firm or flexible, its tariff, its calls, what may be sold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from sitedesign import library
from sitedesign.components.grid_connection import Curtailment, WireOutages, curtailment_of, outages_of
from sitedesign.components.price_series import PriceSeries, given_prices
from sitedesign.errors import Fault, InputError, shown
from sitedesign.finance.billing_calendar import PLAIN_YEAR, Calendar, year_calendar
from sitedesign.finance.charges import USD_PER_MWH, EnergyCharge
from sitedesign.finance.regional_tariff import regional_tariff
from sitedesign.finance.tariff import Tariff
from sitedesign.finance.tariff_prices import export_price, least_usd_per_mwh
from sitedesign.library import Connection, RegionalTariff
from sitedesign.study.grid_inputs import GridInputs, told
from sitedesign.study.limits import Pair
from sitedesign.util.checked import Checked
from sitedesign.util.gate import Kind, OrNone, is_number, text_keys
from sitedesign.util.inputs import documented

FloatArray = NDArray[np.float64]
_PRICES = Kind(
    (str, Path, Mapping, list, tuple, np.ndarray, pd.Series, PriceSeries),
    "must be a file, a mapping with its unit, or numbers, one row a year",
)
_EQUAL_USD_PER_MWH = 1e-9


@documented
class Grid(Checked, GridInputs):
    """Connection to the grid.

    Raises
    ------
    InputError
        With every fault found; selling dearer than buying in the same step is one.

    Examples
    --------
    >>> grid = sd.Grid(mw=100, kind="flexible", tariff="ercot", months=24)
    >>> study.replace(grid=grid).grid.kind
    'flexible'
    """

    WHERE: ClassVar[str] = "grid"
    EXAMPLE: ClassVar[str] = "sd.Grid(mw=100, tariff='ercot')"

    tariff: Annotated[str | Tariff | None, told("tariff")] = None
    prices: Annotated[Any, OrNone(_PRICES), told("prices")] = Field(default=None, repr=False)
    curtailment: Annotated[Curtailment | None, told("curtailment")] = None
    outages: Annotated[WireOutages | None, told("outages")] = None
    export: Annotated[tuple[EnergyCharge, ...] | None, told("export")] = None
    export_prices: Annotated[Any, OrNone(_PRICES), told("export_prices")] = Field(default=None, repr=False)

    @classmethod
    def _prepared(cls, known: dict[str, Any], faults: list[Fault]) -> dict[str, Any]:
        """Read short ways: a flat price, called hours, no outages, a price of export, arrays of prices."""
        known = {name: value for name, value in known.items() if value is not None}
        entry = _entry(known, faults)
        for name in ("tariff", "export"):
            if is_number(known.get(name)):
                wrong = USD_PER_MWH.faults(f"grid.{name}", USD_PER_MWH.clean(known[name]))
                faults += wrong
                price = 0.0 if wrong else known[name]
                flat = EnergyCharge(name=name, usd_per_mwh=price)
                known[name] = Tariff(name="flat price", energy=price) if name == "tariff" else (flat,)
        if isinstance(known.get("export"), Mapping | EnergyCharge):
            known["export"] = (known["export"],)
        _read_tariff(known, faults)
        if is_number(known.get("curtailment")):
            known["curtailment"] = {"hours_per_yr": known["curtailment"]}
        if known.get("outages") is False:
            known["outages"] = WireOutages()
        if entry is not None:
            _amend(known, "curtailment", curtailment_of(entry) or curtailment_of(library.grid("flexible")))
            _amend(known, "outages", outages_of(entry))
        for name in ("prices", "export_prices"):
            given_prices(known, name, "grid", faults)
        return known

    def _contradictions(self) -> list[Fault]:
        """Find faults between fields."""
        if self.is_absent:
            return [
                Fault(f"grid.{name}", "given", "there is no grid when kind is 'none'", "Leave it out.")
                for name in sorted(self.model_fields_set - {"kind"})
                if name != "mw" or (self.mw or (0, 0))[1] > 0
            ]
        return [*self._tariff_faults(), *self._size_faults(), *self._call_faults()] or self._pump_faults()

    def _tariff_faults(self) -> list[Fault]:
        faults = []
        if self.tariff is None and self.prices is None:
            allowed = f"needs a region ({', '.join(library.names('tariff'))}), a tariff or a price"
            faults.append(Fault("grid.tariff", "nothing", allowed, "For example tariff='ercot'."))
        if isinstance(self.tariff, Tariff) and self.tariff.hourly != (self.prices is not None):
            given = self.prices is not None
            found = "hourly prices for a tariff without them" if given else "nothing"
            allowed = "needs a tariff with hourly=True" if given else "is needed: the tariff has hourly=True"
            faults.append(Fault("grid.prices", found, allowed, "They are added to its prices of energy."))
        if self.export is not None and self.export_prices is not None:
            faults.append(Fault("grid.export", "both a price and a series", "one of them is needed"))
        return faults

    def _size_faults(self) -> list[Fault]:
        faults = []
        there = self.connection.import_mw
        if there is not None and self.mw is not None and self.mw[1] > there:
            allowed = f"must be at most the {there:g} MW of {self.connection.title!r}"
            faults.append(Fault("grid.mw", f"{self.mw[1]:g}", allowed, "Say model='firm' for a new one."))
        sells = self.export_mw is not None and self.export_mw[1] > 0
        priced = self.export is not None or self.export_prices is not None
        if priced and not sells:
            name = "export" if self.export is not None else "export_prices"
            faults.append(Fault(f"grid.{name}", "a price", "needs export_mw, the power that may be fed in"))
        own = isinstance(self.tariff, Tariff) and not self.tariff.export
        if sells and not priced and (own or self.tariff is None):
            faults.append(Fault("grid.export", "nothing", "is needed: what is paid for power fed in"))
        if not sells and self.export_capital_usd_per_kw is not None:
            faults.append(Fault("grid.export_capital_usd_per_kw", "given", "needs export_mw"))
        return faults

    def _call_faults(self) -> list[Fault]:
        faults = []
        if self.kind == "firm" and self.connection.connection == "flexible":
            allowed = f"must be 'flexible', as model={self.model!r} is"
            remedy = "A firm connection has dates and prices of its own: model='firm'."
            faults.append(Fault("grid.kind", "'firm'", allowed, remedy))
        if self.curtailment is not None and not self.is_flexible:
            remedy = "Say kind='flexible', or leave it out."
            faults.append(Fault("grid.curtailment", "given", "a firm connection is not called", remedy))
        if self.curtailment is not None and self.curtailment.caps_mw is not None:
            fixed = self.mw is not None and self.mw[0] == self.mw[1]
            if not fixed:
                remedy = "Give caps, shares of the contracted power, or fix mw=(x, x)."
                faults.append(Fault("grid.curtailment.caps_mw", "MW", "needs a contracted power", remedy))
        return faults

    def _pump_faults(self) -> list[Fault]:
        """Find hours in which selling is dearer than buying, where both are known without a series."""
        if self.prices is not None or self.export_prices is not None or not self.sells:
            return []
        days = year_calendar(PLAIN_YEAR, 60, self.rates.holidays)
        return dearer_to_sell(least_usd_per_mwh(self.rates, days), export_price(self.rates, days), days)

    @property
    def connection(self) -> Connection:
        """Library entry from which everything is taken that is left out."""
        name = self.model or ("flexible" if self.kind == "flexible" else "firm")
        return library.grid(name)

    @property
    def words(self) -> str:
        """What it is, in a line."""
        size = self.import_mw
        power = "as many MW as pay" if size is None else f"{size[0]:g} to {size[1]:g} MW"
        power = f"{size[1]:g} MW" if size is not None and size[0] == size[1] else power
        kind = "flexible" if self.is_flexible else "firm"
        sale = f", up to {self.export_mw[1]:g} MW fed in" if self.sells and self.export_mw else ""
        return f"{kind}, {power}, tariff {self.rates.name}, {self.months_to_energise:g} months{sale}"

    @property
    def is_absent(self) -> bool:
        """Whether there is no grid at all."""
        return self.kind == "none"

    @property
    def is_flexible(self) -> bool:
        """Whether import may be called."""
        return not self.is_absent and (self.kind or self.connection.connection) == "flexible"

    @property
    def sells(self) -> bool:
        """Whether power may be fed in."""
        return self.export_mw is not None and self.export_mw[1] > 0

    @property
    def rates(self) -> Tariff:
        """The tariff, with the price of export that was asked for."""
        tariff = self.tariff
        if tariff is None:
            found = Tariff(name="hourly prices", hourly=True)
        elif isinstance(tariff, Tariff):
            found = tariff
        else:
            found = regional_tariff(library.tariff(tariff))
            if self.prices is not None:
                found = found.replace(energy=(), hourly=True)
        if not self.sells or self.export_prices is not None:
            return found.replace(export=())
        return found if self.export is None else found.replace(export=self.export)

    @property
    def calls(self) -> Curtailment | None:
        """Calls to curtail; None for a firm connection."""
        if not self.is_flexible:
            return None
        return self.curtailment or curtailment_of(self.connection) or curtailment_of(library.grid("flexible"))

    @property
    def wires(self) -> WireOutages:
        """Interruptions of the wires."""
        return self.outages or outages_of(self.connection)

    @property
    def import_mw(self) -> Pair | None:
        """Least and most contracted power; None where nothing bounds it. [MW]"""
        there = self.connection.import_mw
        return self.mw or (None if there is None else (0.0, there))

    @property
    def months_to_energise(self) -> float:
        """Months until it is energised. [months]"""
        return self.connection.months_to_energise if self.months is None else self.months


def dearer_to_sell(buy: FloatArray, sell: FloatArray, days: Calendar) -> list[Fault]:
    """Fault of steps in which power fed in earns more than power drawn costs.

    Parameters
    ----------
    buy, sell : ndarray, shape (steps,)
        Below zero is zero. [USD/MWh]
    days : Calendar
    """
    buy, sell = np.maximum(buy, 0.0), np.maximum(sell, 0.0)
    worse = sell > buy + _EQUAL_USD_PER_MWH
    if not worse.any():
        return []
    first, worst = int(worse.argmax()), int((sell - buy).argmax())
    found = f"{int(worse.sum()):,} of {days.steps:,} steps in which selling is dearer than buying"
    found += f": first {days.dates[first]:%d %B %H:%M} ({sell[first]:g} above {buy[first]:g} USD/MWh)"
    if worst != first:
        found += f", most {days.dates[worst]:%d %B %H:%M} ({sell[worst]:g} above {buy[worst]:g})"
    remedy = "One meter cannot do both: lower export, or sell at the price of the hour at most."
    return [Fault("grid.export", found, "must not be above the price of buying in the same step", remedy)]


def _entry(known: dict[str, Any], faults: list[Fault]) -> Connection | None:
    """Library entry that the model names; None, and its fault, where there is none."""
    kind, model = known.get("kind"), known.get("model")
    if model is None:
        flexible = isinstance(kind, str) and kind == "flexible"
        return library.grid("flexible" if flexible else "firm")
    if not isinstance(model, str):
        return None
    try:
        return library.grid(model)
    except InputError as error:
        named = (_of_entry(item, "grid") for item in error.faults)
        faults += [replace(item, where=item.where.replace("grid.grid", "grid.model")) for item in named]
        known.pop("model")
        return None


def _read_tariff(known: dict[str, Any], faults: list[Fault]) -> None:
    """Look the region up, or amend it; a name stays a name."""
    given = known.get("tariff")
    of_fields = isinstance(given, Mapping) and "extends" not in given
    if given is None or of_fields or isinstance(given, Tariff):
        return
    found, wrong = _regional(given)
    faults += wrong
    if wrong or not isinstance(given, str):
        known["tariff"] = found


def _regional(given: Any) -> tuple[Tariff, list[Fault]]:  # noqa: ANN401
    """Tariff of a region: by name, as a library entry, or as a table that extends one."""
    unreadable = Tariff(name="unreadable", energy=0)
    table = dict(given) if isinstance(given, Mapping) else {"extends": given}
    wrong = text_keys(table, "grid.tariff")
    base = table.pop("extends", None)
    if wrong or not isinstance(base, str | RegionalTariff):
        allowed = "must be a region, a sitedesign.Tariff, a mapping of its fields, or a price"
        return unreadable, wrong or [Fault("grid.tariff", shown(given), allowed)]
    try:
        entry = library.tariff(base) if isinstance(base, str) else base
        # TOML has no null: the text says that there is no such number
        changes = {key: None if _is_none(value) else value for key, value in table.items()}
        return regional_tariff(entry.replace(**changes) if changes else entry), []
    except InputError as error:
        return unreadable, [_of_entry(fault, "tariff") for fault in error.faults]


def _of_entry(fault: Fault, kind: str) -> Fault:
    """Name the field of the grid in place of the library's entry; what a file says stays with the file."""
    if ".toml" in fault.where:
        return fault
    where = re.sub(rf"^{kind}(\.[^.]+)?", f"grid.{kind}", fault.where)
    return replace(fault, where=where)


def _is_none(value: object) -> bool:
    return isinstance(value, str) and value == "none"


def _amend(known: dict[str, Any], name: str, base: Checked | None) -> None:
    """Fill up a mapping with what the model says."""
    given = known.get(name)
    if not isinstance(given, Mapping) or base is None:
        return
    kept = base.to_dict()
    if {"caps", "caps_mw"} & given.keys():
        kept = {}
    elif given.get("kept") is not None:
        kept = {key: value for key, value in kept.items() if not key.startswith(("kept", "deepest"))}
    known[name] = {**kept, **given}
