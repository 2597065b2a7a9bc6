"""Electricity tariffs, and the bill that one of them makes of what was drawn and fed in.

A tariff holds charges: energy by hour of use, in tiers or by the hour; demand on the highest power of a
month, with ratchet, minimum take and hours of its own; demand at the moments in which the whole system peaks;
what stands still; what is paid for power fed in. :mod:`sitedesign.finance.bill` bills each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from sitedesign.errors import Fault
from sitedesign.finance.billing_calendar import (
    ALWAYS,
    DAYS,
    PLAIN_YEAR,
    Holidays,
)
from sitedesign.finance.charges import NAME, USD_PER_MWH, CoincidentCharge, DemandCharge, EnergyCharge
from sitedesign.util.checked import Checked
from sitedesign.util.gate import Kind, Measure, OneOf, is_number, takes

if TYPE_CHECKING:
    from sitedesign.finance.bill import Bill

_USD_PER_MONTH = Measure("USD/month", 0, 1e9)
_INTERVAL = OneOf((5, 15, 30, 60), "min")


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

    Examples
    --------
    >>> tariff = sd.Tariff(energy=45, demand=[sd.DemandCharge(usd_per_kw_month=9)], usd_per_month=1000)
    >>> tariff.energy[0].usd_per_mwh
    45.0
    """

    WHERE: ClassVar[str] = "tariff"
    EXAMPLE: ClassVar[str] = "sd.Tariff(energy=45, demand=[{'usd_per_kw_month': 9}])"

    name: Annotated[str, NAME] = "tariff"
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
