"""Roadmap: which power when. Stages in time, what is ordered, what it costs, what a month is worth.

Months are counted from the start: month 0 begins on that day. What is paid or earned in a month falls due at
its end, money is that of the library's currency year, and all of it is discounted to the start at a real rate
(:func:`discount_factor`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from pydantic import TypeAdapter, ValidationError

from sitedesign.case.plant import Plant
from sitedesign.errors import InputError
from sitedesign.reliability.certificate import Certificate
from sitedesign.results import roadmap_words
from sitedesign.results.roadmap_tables import cash_table, month_table, order_table, stage_table
from sitedesign.results.sampled_dates import SampledDates
from sitedesign.util.gate import File, takes
from sitedesign.util.html_table import table_html
from sitedesign.util.json_file import content_of, read_json, readable, write_json
from sitedesign.util.validation import faults_of

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "sitedesign-roadmap-1"
R = TypeVar("R", bound="Roadmap")
OrderKind = Literal["owned", "rented", "grid"]
MONTHS_PER_YEAR = 12


def discount_factor(month: float, rate_per_yr: float) -> float:
    """Worth at the start of a dollar that is due so many months later, ``(1 + r)^(-m/12)``."""
    return float((1 + rate_per_yr) ** (-month / MONTHS_PER_YEAR))


def discounted_years(begins_month: float, ends_month: float, rate_per_yr: float) -> float:
    """Worth at the start of a dollar a year between two months, paid at the end of each month. [yr]

    Parameters
    ----------
    begins_month, ends_month : float
        [months]
    rate_per_yr : float
        Real. [fraction/yr]

    Returns
    -------
    float
        ``(1/12) sum_m (1 + r)^(-m/12)`` over the months m = begins + 1 .. ends; at a rate of 0 the years.
    """
    months = ends_month - begins_month
    if rate_per_yr == 0.0:
        return months / MONTHS_PER_YEAR
    monthly = (1 + rate_per_yr) ** (1 / MONTHS_PER_YEAR) - 1
    annuity = (1 - (1 + monthly) ** -months) / monthly
    return float(discount_factor(begins_month, rate_per_yr) * annuity / MONTHS_PER_YEAR)


@dataclass(frozen=True)
class Stage:
    """A time in which the plant stays as it is.

    Attributes
    ----------
    begins_month, months : float
        From the start. [months]
    racks_asked, racks_running, racks_installed : int
        What the ramp asks for, how many of them run, and how many stand with the spare ones of the latter.
    owned_mw, rented_mw : mapping of str to float
        Power that is there, by technology: resources, ``battery``, backup. [MW]
    connected_mw : float
        Of the grid. [MW]
    battery_mwh : float
        [MWh]
    plant : Plant
        All of it together, rented units included: what is operated and certified with the racks that run.
    cost_usd_per_yr : mapping of str to float
        What is paid while it lasts, by what it is for: ``solar``, ``battery``, a technology (capital and
        fixed cost, each delivery at the credit of its date), ``energy NAME``, ``rent NAME``, ``sale NAME``
        (below zero), ``racks`` (spare ones), ``lost compute``. [USD/yr]
    once_usd : mapping of str to float
        What is paid once when it begins: ``mobilisation NAME``. [USD]
    value_usd_per_yr : float
        Of the racks that run; 0 where they have no price. [USD/yr]
    uptime_target, uptime : float
        Promised over all classes, and kept with foresight and without failures. [fraction]
    energy_mwh_per_yr : mapping of str to float
        What each source gives: resources less what is curtailed, backup and grid. [MWh/yr]
    limited_by : str
        What holds the stage back, in plain words.
    certificate : Certificate or None
        What its plant keeps when it is operated without foresight while things fail.
    """

    begins_month: float
    months: float
    racks_asked: int
    racks_running: int
    racks_installed: int
    owned_mw: Mapping[str, float]
    rented_mw: Mapping[str, float]
    connected_mw: float
    battery_mwh: float
    plant: Plant
    cost_usd_per_yr: Mapping[str, float]
    once_usd: Mapping[str, float]
    value_usd_per_yr: float
    uptime_target: float
    uptime: float
    energy_mwh_per_yr: Mapping[str, float]
    limited_by: str = ""
    certificate: Certificate | None = None

    @property
    def ends_month(self) -> float:
        """[months]"""
        return self.begins_month + self.months

    @property
    def racks_idle(self) -> int:
        """Racks that are asked for and do not run."""
        return max(self.racks_asked - self.racks_running, 0)

    @property
    def total_usd_per_yr(self) -> float:
        """All that is paid each year while it lasts. [USD/yr]"""
        return sum(self.cost_usd_per_yr.values())


@dataclass(frozen=True)
class Order:
    """Something ordered, delivered, and in the end given back.

    Attributes
    ----------
    technology : str
    kind : {"owned", "rented", "grid"}
    amount : float
    unit : str
        ``MW``, ``MWh`` or ``units``.
    order_month, delivery_month : float
        [months]
    retire_month : float or None
        When rented units leave; None for what stays to the end. [months]
    credit : float
        Investment tax credit that its date earns. [fraction of capital]
    """

    technology: str
    kind: OrderKind
    amount: float
    unit: str
    order_month: float
    delivery_month: float
    retire_month: float | None = None
    credit: float = 0.0


@dataclass(frozen=True)
class MonthsWorth:
    """What dates and rentals are worth: change of the net present value, everything else decided anew.

    Attributes
    ----------
    grid_month_usd : float or None
        Of the grid a month earlier; None without a grid, or where it is there from the start. [USD]
    rented_unit_usd : mapping of str to float
        Of one more unit that can be rented, by technology. [USD]
    lead_month_usd : mapping of str to float
        Of a month less of lead time, by technology. [USD]
    grid_month_within_usd : float or None
        By how much the first may be off at most, where whole plans were solved anew for it; None where units
        and racks are taken for divisible, or stay near the plan. [USD]
    rented_unit_within_usd : mapping of str to float
        The same of one more unit, by technology. [USD]
    """

    grid_month_usd: float | None = None
    rented_unit_usd: Mapping[str, float] = field(default_factory=dict)
    lead_month_usd: Mapping[str, float] = field(default_factory=dict)
    grid_month_within_usd: float | None = None
    rented_unit_within_usd: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class DatedPlan:
    """Plan for one set of dates; several share what is ordered before they part.

    Attributes
    ----------
    name : str
    probability : float
        [fraction]
    months : mapping of str to float
        Dates that differ from the study's, by technology. [months]
    stages : tuple of Stage
    orders : tuple of Order
    net_present_cost_usd, value_usd : float
        Of costs, and of the racks that run. [USD]
    net_present_cost_when_known_usd, value_when_known_usd : float
        The same where these dates are known on the first day. [USD]
    """

    name: str
    probability: float
    months: Mapping[str, float]
    stages: tuple[Stage, ...]
    orders: tuple[Order, ...]
    net_present_cost_usd: float
    value_usd: float
    net_present_cost_when_known_usd: float | None = None
    value_when_known_usd: float | None = None


@dataclass(frozen=True)
class HandMadePlan:
    """A plan that people make by hand: the same question with fewer things to choose from.

    Attributes
    ----------
    name : str
        ``wait for the grid``, ``all gas``, ``solar and battery only``.
    net_present_cost_usd, value_usd : float or None
        None where no such plan keeps what is asked. [USD]
    first_power_month : float or None
        [months]
    rack_months_idle : float or None
        Racks asked for that do not run, times the months.
    stages : tuple of Stage
    reason : str
        Why there is no such plan.
    """

    name: str
    net_present_cost_usd: float | None = None
    value_usd: float | None = None
    first_power_month: float | None = None
    rack_months_idle: float | None = None
    stages: tuple[Stage, ...] = ()
    reason: str = ""

    @property
    def net_present_value_usd(self) -> float | None:
        """Value of the racks that run less all costs; None where there is no such plan. [USD]"""
        if self.net_present_cost_usd is None or self.value_usd is None:
            return None
        return self.value_usd - self.net_present_cost_usd


@dataclass(frozen=True, repr=False)
class Roadmap:
    """Which power when: the plan of least net present cost, or of most net present value.

    Attributes
    ----------
    study : mapping
        The question, as :meth:`Study.to_dict` gives it.
    start : date
        First day of month 0, on which the first orders are placed.
    horizon_months : float
        [months]
    discount_per_yr : float
        Real. [fraction/yr]
    value_usd_per_rack_month : float or None
        Of a rack that runs; None where the ramp is a promise that is kept. [USD/rack-month]
    stages : tuple of Stage
        In time, without gap from the first power to the horizon; with several scenarios those of the first.
    orders : tuple of Order
        In the order of their dates.
    net_present_cost_usd : float
        Of all that is paid until the horizon. [USD]
    value_usd : float
        Of the racks that run until the horizon, discounted; 0 where they have no price. [USD]
    bound_usd : float
        No plan has a smaller cost less value. [USD]
    ramp : tuple of (int, int)
        Month from which on so many racks are asked for, and how many.
    stopped_by : str
        ``gap``, ``time_limit`` or ``iteration_limit``; ``certificate`` where every stage is certified.
    worth : MonthsWorth
    scenarios : tuple of DatedPlan
        One for each set of dates, where there are several; costs and values above are then expected ones.
    sampled : SampledDates or None
        The orders on dates drawn at random, where it was asked for.
    by_hand : tuple of HandMadePlan
        What people would plan without an optimiser, where it was asked for.
    seconds : float
        Wall time. [s]
    notes : tuple of str
    """

    study: Mapping[str, Any]
    start: date
    horizon_months: float
    discount_per_yr: float
    value_usd_per_rack_month: float | None
    stages: tuple[Stage, ...]
    orders: tuple[Order, ...]
    net_present_cost_usd: float
    value_usd: float
    bound_usd: float
    ramp: tuple[tuple[int, int], ...] = ()
    stopped_by: str = "gap"
    worth: MonthsWorth = field(default_factory=MonthsWorth)
    scenarios: tuple[DatedPlan, ...] = ()
    sampled: SampledDates | None = None
    by_hand: tuple[HandMadePlan, ...] = ()
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def net_present_value_usd(self) -> float:
        """Value of the racks that run less all costs. [USD]"""
        return self.value_usd - self.net_present_cost_usd

    @property
    def gap(self) -> float:
        """Gap to the bound, of the larger of cost and value. [fraction]"""
        scale = max(abs(self.net_present_cost_usd), abs(self.value_usd), 1e-9)
        return (self.net_present_cost_usd - self.value_usd - self.bound_usd) / scale

    @property
    def first_power_month(self) -> float | None:
        """Month in which the first racks run; None when none ever do. [months]"""
        return first_power_month(self.stages)

    @property
    def site_name(self) -> str:
        """Name of the site."""
        return str(self.study["site"].get("name", ""))

    @property
    def racks_final(self) -> int:
        """Racks that are asked for in the end."""
        asked = [racks for _, racks in self.ramp] + [stage.racks_asked for stage in self.stages]
        return max(asked, default=0)

    @property
    def full_power_month(self) -> float | None:
        """Month from which all racks run that are asked for in the end; None when they never do. [months]"""
        whole = (stage.begins_month for stage in self.stages if stage.racks_running >= self.racks_final > 0)
        return next(whole, None)

    @property
    def rack_months_idle(self) -> float:
        """Racks asked for that do not run, times the months. [rack-months]"""
        return float(month_table(self)["racks_idle"].sum())

    @property
    def value_of_month_usd(self) -> float | None:
        """What a month of earlier grid is worth. [USD]"""
        return self.worth.grid_month_usd

    def order_table(self) -> pd.DataFrame:
        """Orders by date: :func:`sitedesign.results.roadmap_tables.order_table`."""
        return order_table(self)

    def stage_table(self) -> pd.DataFrame:
        """Stages: :func:`sitedesign.results.roadmap_tables.stage_table`."""
        return stage_table(self)

    def month_table(self) -> pd.DataFrame:
        """Power and racks by month: :func:`sitedesign.results.roadmap_tables.month_table`."""
        return month_table(self)

    def cash_table(self) -> pd.DataFrame:
        """Money by month: :func:`sitedesign.results.roadmap_tables.cash_table`."""
        return cash_table(self)

    def __str__(self) -> str:
        """Say what runs when on what, what to order today, what a month is worth."""
        found = roadmap_words.lines(self)
        width = max(len(label) for label, _ in found)
        return "\n".join(
            [roadmap_words.head(self), *(f"  {label:<{width}}  {text}" for label, text in found)]
        )

    __repr__ = __str__

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {"format": FORMAT} | dict(_file(type(self)).dump_python(self, mode="json"))

    @classmethod
    @takes("Roadmap.from_dict()")
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Read back what :meth:`to_dict` gave.

        Raises
        ------
        InputError
            If it is not a roadmap of this version.
        """
        content = content_of(data, FORMAT, "Roadmap")
        try:
            return readable(_file(cls).validate_python(content), "Roadmap")
        except ValidationError as error:
            known = [item.name for item in fields(cls)]
            raise InputError(faults_of(error, "roadmap", known), "Roadmap.from_dict()") from None

    @takes("Roadmap.save()", path=File((".json",)))
    def save(self, path: str | Path) -> Path:
        """Write it as JSON; the file is complete or not there at all.

        Parameters
        ----------
        path : path
            Ending in ``.json``.
        """
        return write_json(path, self.to_dict(), "Roadmap")

    @classmethod
    @takes("Roadmap.load()", path=File(says="must be the path of a file that Roadmap.save() wrote"))
    def load(cls, path: str | Path) -> Self:
        """Read a roadmap that :meth:`save` wrote.

        Raises
        ------
        InputError
            If the file is missing, cannot be read or is no roadmap.
        """
        return cls.from_dict(read_json(path, "Roadmap"))

    def _repr_html_(self) -> str:
        return table_html(roadmap_words.head(self), roadmap_words.lines(self))

    @property
    def value_of_knowing_usd(self) -> float | None:
        """What knowing the dates on the first day would be worth, in expectation; None without scenarios."""
        known = [plan for plan in self.scenarios if plan.net_present_cost_when_known_usd is not None]
        if not known:
            return None
        return sum(
            plan.probability
            * (
                plan.net_present_cost_usd
                - plan.value_usd
                - (plan.net_present_cost_when_known_usd or 0.0)
                + (plan.value_when_known_usd or 0.0)
            )
            for plan in known
        )


def _file(kind: type[R]) -> TypeAdapter[R]:
    """Reader and writer of saved roadmaps."""
    return TypeAdapter(kind)


def first_power_month(stages: Sequence[Stage]) -> float | None:
    """Month in which the first racks run; None when none ever do. [months]"""
    return next((stage.begins_month for stage in stages if stage.racks_running > 0), None)
