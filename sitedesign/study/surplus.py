"""Who takes power while it pays and is promised nothing: a town, miners, racks of best effort."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, cast

from pydantic import Field

from sitedesign import library
from sitedesign.errors import Fault, InputError
from sitedesign.library import SurplusUse
from sitedesign.study.demand import RACKS, USD_PER_RACK_H
from sitedesign.study.limits import MW, Pair
from sitedesign.util.checked import Checked
from sitedesign.util.gate import Bounds, Gate, Kind, Measure, Words

_NUMBERS = SurplusUse.numbers()


def _as_in_library(field: str) -> Measure:
    number = _NUMBERS[field]
    return Measure(number.unit, number.low, number.high)


_MODEL = Words("must be the name of an entry, see 'sitedesign library list surplus'", most=1000)
_NAME = Words("results need a name to show", most=60, empty=False)
_LEVELS = Measure("levels", 1, 1000, whole=True)
_USD_PER_RACK = Measure("USD/rack", 0, 1e9)
#: What belongs to power, and what to racks of the study's own model.
_OF_POWER = ("model", "mw", "unit_mw", "usd_per_mwh", "prices", "price_levels", "availability",
             "capital_usd_per_kw", "fixed_usd_per_kw_yr", "life_yr")  # fmt: skip
_OF_RACKS = ("usd_per_rack_h", "capital_usd_per_rack")
_WHOLE = 1e-9  # so that 7 units' worth of power is 7 units


class _Prices(Gate):
    """A series of prices, whose own reader says what is wrong inside; arrays are loaded when there is one."""

    def wrong(self, value: Any) -> tuple[str, str, str] | None:  # noqa: ANN401
        """Say what is wrong as (found, allowed, remedy), or None."""
        import numpy as np
        import pandas as pd

        from sitedesign.components.price_series import PriceSeries

        kinds = (str, Path, Mapping, list, tuple, np.ndarray, pd.Series, PriceSeries)
        says = "must be a file, a mapping with its unit, or numbers, one row a year"
        return Kind(kinds, says).wrong(value)


class Surplus(Checked):
    """Who takes power while it pays and is promised nothing: a town, miners, racks of best effort.

    It takes a MWh where nothing else is worth more: what would be curtailed always, what backup, grid or
    battery could give only above their cost. It is dropped before anything of the contracted load.

    Parameters
    ----------
    model : str, optional
        Name of a library entry (or path of a ``.toml`` file) from which everything is taken that is left out:
        ``miner``, ``town``.
    name : str, optional
        Name in results, of letters, digits and underscores; that of the `model`.
    mw : float or (float, float), optional
        Power it may take: one number is the most, a pair is least and most, a pair of equals fixes it. The
        peak of the contracted load at most when left out. [MW at the bus]
    racks : int or (int, int), optional
        In place of power: racks of the study's model beyond those contracted, in whole numbers.
    unit_mw : float, optional
        Size of one, where only whole ones are built. [MW]
    usd_per_mwh : float, optional
        What a MWh taken is worth. [USD/MWh at the bus]
    usd_per_rack_h : float, optional
        What an hour of one rack is worth. [USD/rack-h]
    prices : path, mapping or array, optional
        Worth of a MWh in each hour, for :func:`~sitedesign.components.price_series.read_prices`. [USD/MWh]
    price_levels : int, optional
        Levels into which an optimiser puts them; with as many as there are prices they are exact.
    availability : float, optional
        Mean share of the power that can be taken. [fraction]
    capital_usd_per_kw, fixed_usd_per_kw_yr, life_yr : float, optional
        Of power. Without a `model` nothing, and the length of the analysis. [USD/kW, USD/kW-yr, yr]
    capital_usd_per_rack : float, optional
        Price of a rack with its network; the library's when left out, 0 for racks that are there. Hall, land
        and staff come on top. [USD/rack]

    Raises
    ------
    InputError
        With every fault found.

    Examples
    --------
    >>> sd.Surplus(name="spot", racks=100, usd_per_rack_h=6).label
    'spot'
    """

    WHERE: ClassVar[str] = "surplus"
    EXAMPLE: ClassVar[str] = "sd.Surplus(model='miner', mw=20)"

    model: Annotated[str, _MODEL] | None = None
    name: Annotated[str, _NAME] | None = None
    mw: Annotated[Pair, Bounds(MW)] | None = None
    racks: Annotated[tuple[int, int], Bounds(Measure("racks", 0, RACKS.high, whole=True))] | None = None
    unit_mw: Annotated[float, _as_in_library("unit_mw")] | None = None
    usd_per_mwh: Annotated[float, _as_in_library("usd_per_mwh")] | None = None
    usd_per_rack_h: Annotated[float, USD_PER_RACK_H] | None = None
    prices: Annotated[Any, _Prices()] | None = Field(default=None, repr=False)
    price_levels: Annotated[int, _LEVELS] | None = None
    availability: Annotated[float, _as_in_library("availability")] | None = None
    capital_usd_per_kw: Annotated[float, _as_in_library("capex_usd_per_kw")] | None = None
    fixed_usd_per_kw_yr: Annotated[float, _as_in_library("fixed_om_usd_per_kw_yr")] | None = None
    life_yr: Annotated[float, _as_in_library("life_yr")] | None = None
    capital_usd_per_rack: Annotated[float, _USD_PER_RACK] | None = None

    @classmethod
    def _prepared(cls, known: dict[str, Any], faults: list[Fault]) -> dict[str, Any]:
        """Look the model up, and read prices given as numbers."""
        known = {name: value for name, value in known.items() if value is not None}
        if isinstance(known.get("model"), str):
            try:
                library.surplus(known["model"])
            except InputError as error:
                where = "surplus.model"
                faults += [
                    fault if ".toml" in fault.where else replace(fault, where=where) for fault in error.faults
                ]
                known.pop("model")
        if not isinstance(known.get("prices"), str | None):
            from sitedesign.components.price_series import given_prices

            given_prices(known, "prices", "surplus", faults)
        return known

    def _contradictions(self) -> list[Fault]:
        """Find faults between fields."""
        faults = self._power_faults() if self.racks is None else self._rack_faults()
        if self.name is None and self.model is None:
            faults.append(Fault("surplus.name", "nothing", "is needed", "For example name='smelter'."))
        elif not re.fullmatch(r"[A-Za-z]\w*", self.label, re.ASCII):
            where = "surplus.name" if self.name is not None else "surplus.model"
            remedy = "For example name='miners_2'."
            faults.append(Fault(where, repr(self.label), "must be letters, digits and _", remedy))
        return faults

    def _rack_faults(self) -> list[Fault]:
        allowed = "does not go with racks, which are of the study's own model"
        faults = [
            Fault(f"surplus.{name}", "given", allowed, "Leave one of the two out.")
            for name in _OF_POWER
            if getattr(self, name) is not None
        ]
        if self.usd_per_rack_h is None:
            faults.append(Fault("surplus.usd_per_rack_h", "nothing", "is needed: what an hour is worth"))
        return faults

    def _power_faults(self) -> list[Fault]:
        faults = [
            Fault(f"surplus.{name}", "given", "needs racks", "For example racks=100.")
            for name in _OF_RACKS
            if getattr(self, name) is not None
        ]
        if self.usd_per_mwh is not None and self.prices is not None:
            faults.append(Fault("surplus.prices", "both a price and a series", "one of them is needed"))
        if self.model is None and self.usd_per_mwh is None and self.prices is None:
            allowed = "is needed where no model says it, or racks, or prices"
            faults.append(Fault("surplus.usd_per_mwh", "nothing", allowed, "For example model='miner'."))
        if self.price_levels is not None and self.prices is None:
            faults.append(Fault("surplus.price_levels", f"{self.price_levels}", "needs prices"))
        if self.unit is not None and self.mw is not None:
            low, most = units_between(self.mw, self.unit)
            if low > most or most == 0 < self.mw[1]:
                found = f"{self.mw[0]:g} to {self.mw[1]:g} MW"
                allowed = f"must hold a whole number of units of {self.unit:g} MW"
                faults.append(Fault("surplus.mw", found, allowed))
        return faults

    @property
    def entry(self) -> SurplusUse | None:
        """Library entry from which everything is taken that is left out."""
        return None if self.model is None else library.surplus(self.model)

    @property
    def label(self) -> str:
        """Name in results."""
        return self.name or cast(SurplusUse, self.entry).name

    @property
    def unit(self) -> float | None:
        """Size of one; None where any power will do. [MW]"""
        entry = self.entry
        return self.unit_mw if self.unit_mw is not None or entry is None else entry.unit_mw

    @property
    def value_usd_per_mwh(self) -> float:
        """What a MWh is worth where no series says it. [USD/MWh]"""
        entry = self.entry
        return _first(self.usd_per_mwh, None if entry is None else entry.usd_per_mwh)

    @property
    def available_fraction(self) -> float:
        """Mean share of the power that can be taken. [fraction]"""
        entry = self.entry
        return _first(self.availability, 1.0 if entry is None else entry.availability)

    @property
    def capex_usd_per_kw(self) -> float:
        """Installed cost of power. [USD/kW]"""
        entry = self.entry
        return _first(self.capital_usd_per_kw, None if entry is None else entry.capex_usd_per_kw)

    @property
    def upkeep_usd_per_kw_yr(self) -> float:
        """Fixed operation and maintenance of power. [USD/kW-yr]"""
        entry = self.entry
        return _first(self.fixed_usd_per_kw_yr, None if entry is None else entry.fixed_om_usd_per_kw_yr)

    @property
    def economic_life_yr(self) -> float | None:
        """Economic life of power; None where nobody says it. [yr]"""
        entry = self.entry
        return self.life_yr if self.life_yr is not None or entry is None else entry.life_yr

    @property
    def words(self) -> str:
        """What it is, in a line."""
        if self.racks is not None:
            least, most = self.racks
            size = f"{most:,} racks" if least == most else f"{least:,} to {most:,} racks"
            return f"{self.label}: {size} at {self.usd_per_rack_h:g} USD/rack-h"
        size = "as much as pays" if self.mw is None else f"{self.mw[0]:g} to {self.mw[1]:g} MW"
        size = f"{self.mw[1]:g} MW" if self.mw is not None and self.mw[0] == self.mw[1] else size
        price = "hourly prices" if self.prices is not None else f"{self.value_usd_per_mwh:g} USD/MWh"
        return f"{self.label}: {size} at {price}"


def units_between(mw: Pair, unit_mw: float) -> tuple[int, int]:
    """Least and most whole units within bounds of power.

    Parameters
    ----------
    mw : tuple of float
        [MW]
    unit_mw : float
        [MW]
    """
    return math.ceil(mw[0] / unit_mw - _WHOLE), math.floor(mw[1] / unit_mw + _WHOLE)


def _first(*values: float | None) -> float:
    """First of several numbers that is one; 0 where none is."""
    return next((value for value in values if value is not None), 0.0)
