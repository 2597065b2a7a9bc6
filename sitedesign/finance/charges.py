"""What a tariff charges for: energy, demand, coincident peaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

import numpy as np

from sitedesign.errors import Fault, shown
from sitedesign.finance.billing_calendar import ALWAYS, BoolArray, When
from sitedesign.util.checked import Checked
from sitedesign.util.gate import Gate, Measure, Words, Wrong, is_number

KW_PER_MW = 1000.0
LineKind = Literal["energy", "demand", "coincident", "fixed", "minimum", "export"]
_MOST_USD_PER_MWH = 20_000.0  # above every price cap of a market
USD_PER_MWH = Measure("USD/MWh", 0, _MOST_USD_PER_MWH)
_USD_PER_KW = Measure("USD/kW", 0, 10_000)
_SHARE = Measure("fraction", 0, 1)
NAME = Words("must be a name, for the bill", most=100, empty=False)
_LOOKBACK = Measure("months", 1, 60, whole=True)
_PEAKS = Measure("peaks", 1, 100, whole=True)
_MONTH = Measure("", 1, 12, whole=True, says="must be a month from 1 to 12")
_STEP = Measure("", 0, 10_000_000, whole=True, says="must be a step, counted from 0")


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

    name: Annotated[str, NAME] = "charge"
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

    Examples
    --------
    >>> night = sd.EnergyCharge(name="night", usd_per_mwh=28, when=sd.When(hours=(22, 6)))
    >>> night.usd_per_mwh
    28.0
    """

    WHERE: ClassVar[str] = "energy"
    EXAMPLE: ClassVar[str] = "sd.EnergyCharge(usd_per_mwh=45)"

    name: Annotated[str, NAME] = "energy"
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

    Examples
    --------
    >>> sd.DemandCharge(usd_per_kw_month=9, when=sd.When(months=[6, 7, 8, 9])).months
    (6, 7, 8, 9)
    """

    WHERE: ClassVar[str] = "demand"
    EXAMPLE: ClassVar[str] = "sd.DemandCharge(usd_per_kw_month=9)"

    name: Annotated[str, NAME] = "demand"
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


def usd_per_kw(charge: DemandCharge, month: int) -> float:
    """Highest price of a demand charge in a month of the year, 1 to 12. [USD/kW-month]"""
    if charge.tiers:
        return max(price for _, price in charge.tiers)
    given = charge.usd_per_kw_month
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

    Examples
    --------
    >>> sd.CoincidentCharge(usd_per_kw_yr=62, when=sd.When(months=[6, 7, 8, 9]), peaks=4).months
    (6, 7, 8, 9)
    """

    WHERE: ClassVar[str] = "coincident"
    EXAMPLE: ClassVar[str] = "sd.CoincidentCharge(usd_per_kw_yr=66, when={'months': [6, 7, 8, 9]})"

    name: Annotated[str, NAME] = "coincident peak"
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
