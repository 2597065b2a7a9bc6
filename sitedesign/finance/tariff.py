"""Electricity tariffs, and the bill that one of them makes of what was drawn and fed in.

A tariff holds charges: energy by hour of use, in tiers or by the hour; demand on the highest power of a
month, with ratchet, minimum take and hours of its own; demand at the moments in which the whole system peaks;
what stands still; what is paid for power fed in. :mod:`sitedesign.finance.bill` bills each of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from sitedesign.errors import Fault, shown
from sitedesign.finance.billing_calendar import (
    ALWAYS,
    DAYS,
    PLAIN_YEAR,
    BoolArray,
    Calendar,
    Holidays,
    When,
)
from sitedesign.util.checked import Checked
from sitedesign.util.gate import Gate, Kind, Measure, OneOf, Words, Wrong, is_number, takes

if TYPE_CHECKING:
    from sitedesign.finance.bill import Bill

KW_PER_MW = 1000.0
LineKind = Literal["energy", "demand", "coincident", "fixed", "minimum", "export"]
_MOST_USD_PER_MWH = 20_000.0  # above every price cap of a market
USD_PER_MWH = Measure("USD/MWh", 0, _MOST_USD_PER_MWH)
_USD_PER_KW = Measure("USD/kW", 0, 10_000)
_USD_PER_MONTH = Measure("USD/month", 0, 1e9)
_SHARE = Measure("fraction", 0, 1)
_NAME = Words("must be a name, for the bill", most=100, empty=False)
_LOOKBACK = Measure("months", 1, 60, whole=True)
_PEAKS = Measure("peaks", 1, 100, whole=True)
_MONTH = Measure("", 1, 12, whole=True, says="must be a month from 1 to 12")
_STEP = Measure("", 0, 10_000_000, whole=True, says="must be a step, counted from 0")
_INTERVAL = OneOf((5, 15, 30, 60), "min")


@dataclass(frozen=True)
class _Monthly(Gate):
    """One number for every month, or twelve."""

    of: Measure

    def clean(self, value: Any) -> Any:  # noqa: ANN401
        """Make plain numbers."""
        if isinstance(value, list | tuple):
            return tuple(self.of.clean(item) for item in value)
        return self.of.clean(value)

    def wrong(self, value: Any) -> Wrong | None:  # noqa: ANN401
        """Say what is wrong as (found, allowed, remedy), or None."""
        if not isinstance(value, tuple):
            return self.of.wrong(value)
        if len(value) != 12:
            return f"{len(value)} numbers", f"must be one number of {self.of.unit}, or twelve", ""
        return next((wrong for item in value if (wrong := self.of.wrong(item)) is not None), None)


@dataclass(frozen=True)
class _Tiers(Gate):
    """Prices by how much there has been in the month: pairs (from, price), the first from 0."""

    amount: str
    price: Measure

    def clean(self, value: Any) -> Any:  # noqa: ANN401
        """Make tuples of lists."""
        if not isinstance(value, list | tuple):
            return value
        return tuple(tuple(item) if isinstance(item, list) else item for item in value)

    def wrong(self, value: Any) -> Wrong | None:  # noqa: ANN401
        """Say what is wrong as (found, allowed, remedy), or None."""
        allowed = f"must be pairs (from {self.amount}, {self.price.unit}) that rise from 0"
        remedy = "For example ((0, 87.2), (1000, 108))."
        pairs = isinstance(value, tuple) and all(isinstance(item, tuple) and len(item) == 2 for item in value)
        if not pairs or not all(is_number(item) for pair in value for item in pair):
            return shown(value), allowed, remedy
        if any(later[0] <= earlier[0] for earlier, later in pairwise(value)):
            return shown(value), allowed, remedy
        if value and value[0][0] != 0:
            return f"{value[0][0]:g} as the first", allowed, remedy
        return next((wrong for pair in value if (wrong := self.price.wrong(pair[1])) is not None), None)


Tiers = tuple[tuple[float, float], ...]


class Charge(Checked):
    """What all charges share: a name on the bill and the hours for which they are.

    The hours of several `when` are taken together: on-peak may be other hours in winter than in summer.
    """

    name: Annotated[str, _NAME] = "charge"
    when: tuple[When, ...] = (ALWAYS,)

    @classmethod
    def _prepared(cls, known: dict[str, Any], faults: list[Fault]) -> dict[str, Any]:
        """Read a single `when` as one of several."""
        if isinstance(known.get("when"), Mapping | When):
            known["when"] = (known["when"],)
        return known

    def _contradictions(self) -> list[Fault]:
        """Find a charge without hours."""
        if self.when:
            return []
        return [Fault(f"{self.WHERE}.when", "nothing", "must name hours", "Leave it out for all.")]

    def mask(self) -> BoolArray:
        """Which twelfths of an hour it is for, as :meth:`When.mask`."""
        found: BoolArray = np.logical_or.reduce([item.mask() for item in self.when])
        return found

    def covers(self, days: Calendar) -> BoolArray:
        """Which steps of a calendar it is for."""
        found: BoolArray = days.look_up(self.mask())
        return found

    @property
    def months(self) -> tuple[int, ...]:
        """Months of the year in which it has hours, 1 to 12."""
        return tuple((np.flatnonzero(self.mask().any(axis=(1, 2))) + 1).tolist())


class EnergyCharge(Charge):
    """Price of energy in some hours.

    Parameters
    ----------
    name : str
        On the bill.
    usd_per_mwh : float, optional
        Give this or `tiers`. [USD/MWh]
    tiers : sequence of (float, float)
        From how much energy in a month on, of this charge's own hours, and at what price. [MWh, USD/MWh]
    when : When, or sequence of them
        All hours when left out; of several charges the first that covers an hour prices it.
    """

    WHERE: ClassVar[str] = "energy"
    EXAMPLE: ClassVar[str] = "sd.EnergyCharge(usd_per_mwh=45)"

    name: Annotated[str, _NAME] = "energy"
    usd_per_mwh: Annotated[float, USD_PER_MWH] | None = None
    tiers: Annotated[Tiers, _Tiers("MWh in the month", USD_PER_MWH)] = ()

    def _contradictions(self) -> list[Fault]:
        """Exactly one way to say the price."""
        faults = super()._contradictions()
        if (self.usd_per_mwh is None) == (not self.tiers):
            found = "nothing" if self.usd_per_mwh is None else "both a price and tiers"
            faults.append(Fault("energy.usd_per_mwh", found, "needs one of usd_per_mwh and tiers"))
        return faults

    @property
    def prices(self) -> Tiers:
        """Tiers, of which there is one where the price is one."""
        return self.tiers or ((0.0, self.usd_per_mwh or 0.0),)


class DemandCharge(Charge):
    """Price of the highest power of a month.

    What is billed is the largest of three: the month's own peak in the hours of the charge; `ratchet` times
    the highest such peak of the months looked back at; `minimum_take` times the contracted power.

    Parameters
    ----------
    name : str
        On the bill.
    usd_per_kw_month : float or twelve of them, optional
        Give this or `tiers`. [USD/kW-month]
    tiers : sequence of (float, float)
        From how much power on, and at what price. [MW, USD/kW-month]
    when : When, or sequence of them
        Hours whose peak counts; a month without such hours is not charged.
    ratchet : float
        Share of the highest peak of the months looked back at. [fraction]
    lookback_months : int
        How many months before each one; a bill of twelve months is one of many equal years.
    lookback_in : sequence of int, optional
        Only these months of the year are looked back at.
    minimum_take : float
        Share of the contracted power that is paid for in any case; 1 for a charge on the contract. [fraction]
    """

    WHERE: ClassVar[str] = "demand"
    EXAMPLE: ClassVar[str] = "sd.DemandCharge(usd_per_kw_month=9)"

    name: Annotated[str, _NAME] = "demand"
    usd_per_kw_month: Annotated[float | tuple[float, ...], _Monthly(_USD_PER_KW)] | None = None
    tiers: Annotated[Tiers, _Tiers("MW", _USD_PER_KW)] = ()
    ratchet: Annotated[float, _SHARE] = 0.0
    lookback_months: Annotated[int, _LOOKBACK] = 11
    lookback_in: tuple[Annotated[int, _MONTH], ...] | None = None
    minimum_take: Annotated[float, _SHARE] = 0.0

    def _contradictions(self) -> list[Fault]:
        """Exactly one way to say the price; a lookback without ratchet does nothing."""
        faults = super()._contradictions()
        if (self.usd_per_kw_month is None) == (not self.tiers):
            found = "nothing" if self.usd_per_kw_month is None else "both a price and tiers"
            faults.append(Fault("demand.usd_per_kw_month", found, "needs one of usd_per_kw_month and tiers"))
        looks = {"lookback_months", "lookback_in"} & self.model_fields_set
        if self.ratchet == 0 and looks:
            faults.append(
                Fault(
                    f"demand.{min(looks)}", "a lookback without ratchet", "needs ratchet, a fraction above 0"
                )
            )
        return faults

    def usd_per_kw(self, month: int) -> float:
        """Highest price of a month of the year, 1 to 12. [USD/kW-month]"""
        if self.tiers:
            return max(price for _, price in self.tiers)
        given = self.usd_per_kw_month
        return float(given[month - 1]) if isinstance(given, tuple) else float(given or 0.0)


class CoincidentCharge(Charge):
    """Price of the power drawn at the moments in which the whole system draws most.

    Parameters
    ----------
    name : str
        On the bill.
    usd_per_kw_yr : float
        Of the mean over the peaks of a year. [USD/kW-yr]
    when : When, or sequence of them
        Hours in which the peaks are sought.
    peaks : int
        How many, on different days.
    each_month : bool
        So many in each month of `when` rather than in the whole year.
    windows : sequence of sequences of int, optional
        The peaks as steps from 0, where they are known; the highest power inside each window counts.
    candidates : int
        Days for each peak that may turn out to be the one: what a plant must avoid before it is known.
    """

    WHERE: ClassVar[str] = "coincident"
    EXAMPLE: ClassVar[str] = "sd.CoincidentCharge(usd_per_kw_yr=66, when={'months': [6, 7, 8, 9]})"

    name: Annotated[str, _NAME] = "coincident peak"
    usd_per_kw_yr: Annotated[float, _USD_PER_KW]
    peaks: Annotated[int, _PEAKS] = 1
    each_month: bool = True
    windows: tuple[tuple[Annotated[int, _STEP], ...], ...] | None = None
    candidates: Annotated[int, _PEAKS] = 5

    def _contradictions(self) -> list[Fault]:
        """Known windows leave nothing to seek."""
        faults = super()._contradictions()
        if self.windows is None:
            return faults
        if not self.windows or not all(self.windows):
            faults.append(Fault("coincident.windows", "a window without steps", "must name steps"))
        sought = {"when", "peaks", "each_month", "candidates"} & self.model_fields_set
        faults += [
            Fault(
                f"coincident.{name}",
                "given beside windows",
                "is only for peaks to be found",
                "Leave one out.",
            )
            for name in sorted(sought)
        ]
        return faults


class Tariff(Checked):
    """What electricity costs, and what is paid for it.

    Parameters
    ----------
    name : str
    energy : sequence of EnergyCharge, or float
        The first that covers an hour prices it; one number is a flat price. [USD/MWh]
    demand : sequence of DemandCharge
        Each is charged.
    coincident : sequence of CoincidentCharge
        Each is charged.
    export : sequence of EnergyCharge, or float
        What is paid for power fed in; nothing in hours that none covers. [USD/MWh]
    usd_per_month : float
        Customer and other charges that stand still. [USD/month]
    minimum_usd_per_month : float
        Least bill of a month, export not counted. [USD/month]
    hourly : bool
        A price of each hour, given as a series beside the tariff, comes on top of `energy`.
    holidays : {"none", "nerc", "us_federal"}
        Which days are holidays.
    clock : {"wall", "standard"}
        Whether the hours are those of the clock on the wall, which daylight saving moves.
    demand_interval_minutes : int, optional
        Demand is the mean over such intervals; over the steps of the series when left out. [min]

    Raises
    ------
    InputError
        With every fault found.
    """

    WHERE: ClassVar[str] = "tariff"
    EXAMPLE: ClassVar[str] = "sd.Tariff(energy=45, demand=[{'usd_per_kw_month': 9}])"

    name: Annotated[str, _NAME] = "tariff"
    energy: tuple[EnergyCharge, ...] = ()
    demand: tuple[DemandCharge, ...] = ()
    coincident: tuple[CoincidentCharge, ...] = ()
    export: tuple[EnergyCharge, ...] = ()
    usd_per_month: Annotated[float, _USD_PER_MONTH] = 0.0
    minimum_usd_per_month: Annotated[float, _USD_PER_MONTH] = 0.0
    hourly: bool = False
    holidays: Holidays = "none"
    clock: Literal["wall", "standard"] = "wall"
    demand_interval_minutes: Annotated[int, _INTERVAL] | None = Field(default=None)

    @classmethod
    def _prepared(cls, known: dict[str, Any], faults: list[Fault]) -> dict[str, Any]:
        """Read one price as a flat charge, one charge as a list of one."""
        for name in ("energy", "export"):
            if is_number(known.get(name)):
                wrong = USD_PER_MWH.faults(f"tariff.{name}", USD_PER_MWH.clean(known[name]))
                faults += wrong
                known[name] = () if wrong else (EnergyCharge(name=name, usd_per_mwh=known[name]),)
        for name in ("energy", "demand", "coincident", "export"):
            if isinstance(known.get(name), dict | Checked):
                known[name] = (known[name],)
        return known

    def _contradictions(self) -> list[Fault]:
        """Every hour has one price, every charge an hour and a name of its own."""
        faults = []
        if not self.energy and not self.hourly:
            remedy = "Give a price, charges, or hourly=True with a series of prices."
            faults.append(Fault("tariff.energy", "nothing", "energy needs a price", remedy))
        if self.energy:
            faults += _coverage_faults(self.energy, "energy", gaps=not self.hourly)
        faults += _coverage_faults(self.export, "export", gaps=False)
        for name in ("demand", "coincident"):
            names = [item.name for item in getattr(self, name)]
            faults += [
                Fault(f"tariff.{name}", f"{item!r} twice", "each charge needs a name of its own")
                for item in sorted({item for item in names if names.count(item) > 1})
            ]
        faults += [
            Fault(f"tariff.export[{number}].tiers", "tiers", "what is paid for has one price an hour")
            for number, item in enumerate(self.export)
            if item.tiers
        ]
        return faults

    @takes(
        "Tariff.bill()",
        start=Kind((str, pd.Timestamp), "must be a day such as '2027-01-01'"),
        step_minutes=OneOf((5, 10, 15, 30, 60), "min"),
    )
    def bill(
        self,
        import_mw: Any,  # noqa: ANN401  # any array of numbers
        export_mw: Any = None,  # noqa: ANN401
        *,
        start: str | pd.Timestamp = f"{PLAIN_YEAR}-01-01",
        step_minutes: int = 60,
        contract_mw: float | None = None,
        hourly_usd_per_mwh: Any = None,  # noqa: ANN401
        export_usd_per_mwh: Any = None,  # noqa: ANN401
        system_load: Any = None,  # noqa: ANN401
    ) -> Bill:
        """Bill a series.

        Parameters
        ----------
        import_mw, export_mw : array of float, shape (steps,)
            Power drawn from and fed into the grid. [MW]
        start : str or Timestamp
            Beginning of the first step by the tariff's clock. The one assumed belongs to a year of 365 days
            that begins on a Monday.
        step_minutes : int
            [min]
        contract_mw : float, optional
            Contracted power, for a minimum take. [MW]
        hourly_usd_per_mwh, export_usd_per_mwh : array of float, shape (steps,), optional
            Prices of a tariff with `hourly`, and of power fed in. [USD/MWh]
        system_load : array of float, shape (steps,), optional
            Anything that is highest where the whole system draws most, for coincident peaks.

        Returns
        -------
        Bill

        Raises
        ------
        InputError
            With every fault found.
        """
        from sitedesign.finance.bill import bill, days_of

        return bill(
            self,
            days_of(import_mw, start, step_minutes, self.holidays),
            import_mw,
            export_mw,
            contract_mw=contract_mw,
            hourly_usd_per_mwh=hourly_usd_per_mwh,
            export_usd_per_mwh=export_usd_per_mwh,
            system_load=system_load,
        )


def _coverage_faults(charges: Sequence[EnergyCharge], field: str, *, gaps: bool) -> list[Fault]:
    """Faults of charges of which the first that covers an hour counts."""
    faults, covered = [], np.zeros(ALWAYS.mask().shape, bool)
    for number, charge in enumerate(charges):
        if not (charge.mask() & ~covered).any():
            remedy = "Put it before them: the first that covers an hour counts."
            found = f"{charge.name!r}, all of whose hours the charges before it cover"
            faults.append(Fault(f"tariff.{field}[{number}]", found, "must have an hour of its own", remedy))
        covered |= charge.mask()
    if gaps and not covered.all():
        month, day, slot = (int(item) for item in np.argwhere(~covered)[0])
        found = f"no price on a {DAYS[day]} in month {month + 1} at {slot // 12:02d}:{slot % 12 * 5:02d}"
        remedy = "End the list with a charge without `when`."
        faults.append(Fault(f"tariff.{field}", found, "every hour needs a price", remedy))
    return faults
