"""Case: one study reduced to the arrays that every formulation, the replay and the certificate read.

Power is MW at the facility's medium-voltage bus (the DC bus when DC-coupled), energy MWh at that bus, money
USD per year. Time series hold all weather years in sequence, ``T = years * steps_per_year`` steps of `step_h`
hours; a weather year has 365 days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.limits import CaseLimits
from sitedesign.case.reserve import ReserveRule

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer[Any]]

FLOOR_SHARE = 0.6  # of the load that the metric `floor` always serves
NOTHING = 1e-3  # MW or MWh of array or battery up to which a plant has none: what an optimiser leaves over


@dataclass(frozen=True, eq=False)
class Resource:
    """A resource that gives what the weather allows: the solar array, a wind farm.

    Attributes
    ----------
    name : str
        ``solar`` for the array. Its size is called by this name and ``_mw`` wherever sizes have names.
    label : str
        What it is called in sentences, for example ``solar array``.
    yield_mw_per_mw : ndarray, shape (T,)
        Output per installed MW; what is not wanted is curtailed for nothing. [MW/MW at the bus]
    annual_cost_usd_per_mw : float
        Annualised capital and fixed cost, land included. [USD/MW-yr]
    acres_per_mw : float
        [acre/MW]
    lead_months : float
        [months]
    bounds_mw : tuple of float
        Least and most; the latter is finite, and derived where the user allows more. [MW]
    widest_mw : float, optional
        What the user allows at most, infinite where nothing was said; the upper bound itself when left out.
        Up to here, and no further, a bound may be widened. [MW]
    """

    name: str
    label: str
    yield_mw_per_mw: FloatArray
    annual_cost_usd_per_mw: float
    acres_per_mw: float
    lead_months: float
    bounds_mw: tuple[float, float]
    widest_mw: float | None = None

    @property
    def size_name(self) -> str:
        """Name of its size, for example ``solar_mw``."""
        return f"{self.name}_mw"


@dataclass(frozen=True)
class PriceLevel:
    """One of the prices that the energy of a supply, or what a sink takes, can have.

    Attributes
    ----------
    name : str
        For example ``on peak``, or the fuel.
    usd_per_mwh : float
        Marginal cost of a supply, value of a sink; not below zero, as waste would then pay. [USD/MWh at the
        bus]
    co2_t_per_mwh, fuel_mmbtu_per_mwh : float
        Of a supply. [t/MWh, MMBtu/MWh at the bus]
    nox_t_per_mwh, co_t_per_mwh, pm_t_per_mwh : float
        Pollutants at the stack of a supply. [t/MWh at the bus]
    """

    name: str
    usd_per_mwh: float
    co2_t_per_mwh: float = 0.0
    fuel_mmbtu_per_mwh: float = 0.0
    nox_t_per_mwh: float = 0.0
    co_t_per_mwh: float = 0.0
    pm_t_per_mwh: float = 0.0

    def __post_init__(self) -> None:
        if not self.usd_per_mwh >= 0.0:
            message = f"level {self.name}: {self.usd_per_mwh} USD/MWh is below zero"
            raise ValueError(message)


@dataclass(frozen=True, eq=False)
class BackupCase:
    """One backup technology at one site.

    Attributes
    ----------
    name : str
        Library name, for example ``recip_medium``.
    unit_mw : float
        Rated power of one unit, delivered to the bus. [MW]
    capability : ndarray, shape (rows, T)
        Share of `unit_mw` that a unit can give in each step (temperature, altitude, sampled outages). One row
        when all units are alike, else one row a unit: unit i reads row i, and ``rows >= units_max``.
    annual_cost_usd_per_unit : float
        Annualised capital and fixed cost of one unit. [USD/yr]
    marginal_cost_usd_per_mwh : float
        Fuel at full-load heat rate, variable O&M and carbon price. [USD/MWh at the bus]
    fuel_mmbtu_per_mwh : float
        Full-load fuel, higher heating value; where it rises with the temperature of the air, its mean over
        all steps, weighted with the load. [MMBtu/MWh at the bus]
    co2_t_per_mwh : float
        [t/MWh at the bus]
    lead_months : float
        Months from order to first power. [months]
    units_min, units_max : int
        Bounds of the unit count; `units_max` is the user's, or derived from the load (``Case.given``).
    site_cost_usd_per_yr : float
        Annualised cost once per site when any unit is built. [USD/yr]
    other_levels : tuple of PriceLevel
        Further prices of its energy, such as those of a second fuel; the first level is that of the figures
        above.
    active_level : ndarray of int, shape (T,), or None
        Which level holds in each step: 0 for the first, i for ``other_levels[i - 1]``. None: the first.
    nox_t_per_mwh, co_t_per_mwh, pm_t_per_mwh : float
        Pollutants at the stack. [t/MWh at the bus]
    run_h_limit : float or None
        Most run hours of a unit a year, in the mean over the units; None for any. [h/yr]
    starts_limit : float or None
        The same of starts, which only an operator has. [1/yr]
    night_h_limit : float or None
        Most hours at night in which any unit runs, which only an operator counts. [h/yr]
    """

    name: str
    unit_mw: float
    capability: FloatArray
    annual_cost_usd_per_unit: float
    marginal_cost_usd_per_mwh: float
    fuel_mmbtu_per_mwh: float
    co2_t_per_mwh: float
    lead_months: float
    units_min: int
    units_max: int
    site_cost_usd_per_yr: float = 0.0
    other_levels: tuple[PriceLevel, ...] = ()
    active_level: IntArray | None = None
    nox_t_per_mwh: float = 0.0
    co_t_per_mwh: float = 0.0
    pm_t_per_mwh: float = 0.0
    run_h_limit: float | None = None
    starts_limit: float | None = None
    night_h_limit: float | None = None

    whole: ClassVar[bool] = True

    @cached_property
    def levels(self) -> tuple[PriceLevel, ...]:
        """All prices of its energy, its own first."""
        own = PriceLevel(
            self.name,
            self.marginal_cost_usd_per_mwh,
            self.co2_t_per_mwh,
            self.fuel_mmbtu_per_mwh,
            self.nox_t_per_mwh,
            self.co_t_per_mwh,
            self.pm_t_per_mwh,
        )
        return (own, *self.other_levels)


@dataclass(frozen=True, eq=False)
class ImportCase:
    """A supply whose size is decided, such as a grid connection.

    Attributes
    ----------
    name : str
    capability : ndarray, shape (1, T)
        Share of its size that it can give in each step: curtailment calls, outages of the wires. [fraction]
    levels : tuple of PriceLevel
    annual_cost_usd_per_unit : float
        Annualised capital, demand and capacity charges of one unit. [USD/yr]
    lead_months : float
        Months until it is energised. [months]
    units_min, units_max : float
        Bounds of the size, in units; both the same where it is given.
    active_level : ndarray of int, shape (T,), or None
        Which of the levels holds in each step; None: always the first.
    unit_mw : float
        Size of a unit; 1 where the size is any number of MW. [MW]
    whole : bool
        Only whole units.
    site_cost_usd_per_yr : float
        What there is to pay each year for any size above zero. [USD/yr]
    widest_units : float, optional
        What the user allows at most, infinite where nothing was said; `units_max` itself when left out. Up to
        here, and no further, a bound may be widened.
    announced : ndarray, shape (T,), or None
        Share of its size that calls leave, broken wires apart: what an operator is told `notice_h` before.
        None: he hears of nothing. [fraction]
    notice_h : float
        From the notice of a call to the call. [h]
    """

    name: str
    capability: FloatArray
    levels: tuple[PriceLevel, ...]
    annual_cost_usd_per_unit: float
    lead_months: float
    units_min: float
    units_max: float
    active_level: IntArray | None = None
    unit_mw: float = 1.0
    whole: bool = False
    site_cost_usd_per_yr: float = 0.0
    widest_units: float | None = None
    announced: FloatArray | None = None
    notice_h: float = 0.0


@dataclass(frozen=True, eq=False)
class SinkCase:
    """Load without a promise, served while it pays: sale of surplus, best-effort racks.

    Attributes
    ----------
    name : str
    capability : ndarray, shape (1, T)
        Share of its size that it would take in each step. [fraction]
    levels : tuple of PriceLevel
        What a MWh taken is worth.
    annual_cost_usd_per_unit : float
        Annualised capital and fixed cost of one unit. [USD/yr]
    units_min, units_max : float
        Bounds of the size, in units; both the same where it is given.
    active_level : ndarray of int, shape (T,), or None
        Which of the levels holds in each step; None: always the first.
    unit_mw : float
        Size of a unit; 1 where the size is any number of MW. [MW]
    whole : bool
        Only whole units.
    needs : str, optional
        Name of the import whose wires it uses: what that costs once and its months are then there as well.
    """

    name: str
    capability: FloatArray
    levels: tuple[PriceLevel, ...]
    annual_cost_usd_per_unit: float
    units_min: float
    units_max: float
    active_level: IntArray | None = None
    unit_mw: float = 1.0
    whole: bool = False
    needs: str | None = None


@dataclass(frozen=True)
class ClassShare:
    """Part of the load with an uptime target of its own.

    Attributes
    ----------
    name : str
    share : float
        Share of the load in every step, that of its tiers together; the shares of all classes sum to 1.
        [fraction]
    uptime_target : float
        A of the uptime row of this class. [fraction]
    """

    name: str
    share: float
    uptime_target: float


@dataclass(frozen=True)
class Tier:
    """One segment of the throughput curve: load that can be shed at one loss of compute.

    Attributes
    ----------
    width : float
        Share of the whole load in this tier; the widths of all tiers sum to 1. [fraction]
    weight : float
        Compute of its class lost per MWh shed, relative to the average MWh of the class's load (1 for plain
        rack shedding). [fraction of throughput per fraction of load]
    load_class : int
        Which of ``Case.classes`` the tier belongs to. Tiers stand in the order in which an operator sheds
        them; within a class the weight rises.
    """

    width: float
    weight: float
    load_class: int = 0


@dataclass(frozen=True)
class SizeBounds:
    """Bounds of one continuous size of a plant.

    Attributes
    ----------
    name : str
        ``battery_mwh``, ``battery_mw`` or that of a resource.
    unit : str
    lower, upper : float
        Between which an optimiser begins.
    most : float
        What the user allows; infinite where nothing was said.
    """

    name: str
    unit: str
    lower: float
    upper: float
    most: float


@dataclass(frozen=True, eq=False)
class Case:
    """Everything the mathematics needs about one study.

    Attributes
    ----------
    name : str
        Name of the site.
    step_h : float
        Length of a time step. [h]
    years : int
        Number of weather years in the series.
    resources : tuple of Resource
        The solar array is the first, of no size where there is none; names all different.
    load_mw : ndarray, shape (T,)
        Load of the contracted racks, cooling and conversion included. [MW at the bus]
    usable : ndarray, shape (T,)
        Usable share of nameplate battery energy (fade, state-of-charge floor). [fraction]
    eta_charge, eta_discharge : float
        One-way efficiencies; their product is the round-trip efficiency. [fraction]
    backup : tuple of BackupCase
    tiers : tuple of Tier
    battery_cost_usd_per_mwh_yr, battery_cost_usd_per_mw_yr : float
        Annualised capital and fixed cost. [USD/MWh-yr, USD/MW-yr]
    battery_lead_months : float
        [months]
    racks_contracted, racks_max : int
        K and the derived upper bound of R.
    rack_availability : float
        Share of time an installed rack works. [fraction]
    rack_cost_usd_per_yr : float
        Annualised cost of one rack above the contracted number. [USD/yr]
    uptime_target : float
        A of the uptime row. [fraction]
    racks_min : int
        Least R that a user asks for; K binds where it is larger.
    first_step : int
        Step of the calendar year at which the series begin: 0 for 1 January 00:00. What leaves at the
        beginning of the first year comes in at the end of the last
        (:func:`sitedesign.case.years.shift_start`).
    delay_cost_usd_per_month_yr : float
        Annual cost of each month of lead time. [USD/yr per month]
    limits : CaseLimits
    load_classes : tuple of ClassShare
        Parts of the load with targets of their own, names all different; empty when `uptime_target` holds for
        all of it. Otherwise the optimisers read the targets of the classes and nothing else.
    lost_value_usd_per_mwh : float
        What a weighted MWh not served costs, failures of racks included; 0 when the target alone speaks for
        compute. [USD per weighted MWh]
    given : frozenset of str
        Bounds that the user gave: names of `sizes`, ``racks``, and ``units.NAME`` per technology. They bind
        everywhere; all others are derived, and a search may go beyond them.
    imports : tuple of ImportCase
        Supplies beside the backup units.
    sinks : tuple of SinkCase
        What takes power beside the load, while it pays. Names of all sources of power and sinks are
        different.
    reserve : ReserveRule, optional
        What must be carried through the trip of a unit; nothing when left out.
    fixed_usd_per_yr : float
        What every plant of the case costs, such as a ride-through that is paid here. [USD/yr]
    """

    name: str
    step_h: float
    years: int
    resources: tuple[Resource, ...]
    load_mw: FloatArray
    usable: FloatArray
    eta_charge: float
    eta_discharge: float
    backup: tuple[BackupCase, ...]
    tiers: tuple[Tier, ...]
    battery_cost_usd_per_mwh_yr: float
    battery_cost_usd_per_mw_yr: float
    battery_lead_months: float
    racks_contracted: int
    racks_max: int
    rack_availability: float
    rack_cost_usd_per_yr: float
    uptime_target: float
    delay_cost_usd_per_month_yr: float
    limits: CaseLimits
    racks_min: int = 0
    first_step: int = 0
    load_classes: tuple[ClassShare, ...] = ()
    lost_value_usd_per_mwh: float = 0.0
    given: frozenset[str] = frozenset()
    imports: tuple[ImportCase, ...] = ()
    sinks: tuple[SinkCase, ...] = ()
    reserve: ReserveRule | None = None
    fixed_usd_per_yr: float = 0.0

    @property
    def supplies(self) -> tuple[BackupCase | ImportCase, ...]:
        """Everything that gives power at a price."""
        return (*self.backup, *self.imports)

    @property
    def flows(self) -> tuple[BackupCase | ImportCase | SinkCase, ...]:
        """Everything whose power has a price: supplies, then sinks."""
        return (*self.supplies, *self.sinks)

    @property
    def priced(self) -> int:
        """Number of annual totals of energy: one for each level of each of the `flows`."""
        return sum(len(item.levels) for item in self.flows)

    @property
    def steps(self) -> int:
        """Number of time steps T."""
        return int(self.load_mw.size)

    @property
    def classes(self) -> tuple[ClassShare, ...]:
        """Classes of the load, one of all of it when there are none."""
        return self.load_classes or (ClassShare("all", 1.0, self.uptime_target),)

    @cached_property  # every step of a search asks for it
    def load_mwh_per_yr(self) -> float:
        """Mean annual load. [MWh/yr]"""
        return float(self.load_mw.sum()) * self.step_h / self.years

    @property
    def sizes(self) -> tuple[SizeBounds, ...]:
        """Bounds of the continuous sizes, resources first."""
        resources = ((r.size_name, "MW", r.bounds_mw, r.widest_mw) for r in self.resources)
        energy, power = self.limits.widest or (None, None)
        battery = (
            ("battery_mwh", "MWh", self.limits.battery_mwh, energy),
            ("battery_mw", "MW", self.limits.battery_mw, power),
        )
        return tuple(
            SizeBounds(name, unit, lower, upper, upper if widest is None else max(upper, widest))
            for name, unit, (lower, upper), widest in (*resources, *battery)
        )

    @property
    def sole_resource(self) -> Resource:
        """The only resource.

        Raises
        ------
        ValueError
            When there are several: what asks for this would leave the others out without a word.
        """
        if len(self.resources) != 1:
            message = f"{len(self.resources)} resources where one is understood"
            raise ValueError(message)
        return self.resources[0]

    def with_resource(self, name: str = "solar", **changes: Any) -> Case:  # noqa: ANN401
        """Change one of the resources."""
        return replace(
            self, resources=tuple(replace(r, **changes) if r.name == name else r for r in self.resources)
        )

    def with_bounds(self, bounds: Mapping[str, tuple[float, float]]) -> Case:
        """Change the bounds of some of the `sizes`; what the user allows stays.

        Parameters
        ----------
        bounds : mapping of str to tuple of float
            Lower and upper bound by name of the size.
        """
        resources = tuple(
            replace(r, bounds_mw=bounds[r.size_name]) if r.size_name in bounds else r for r in self.resources
        )
        battery: Any = {name: pair for name, pair in bounds.items() if name in ("battery_mwh", "battery_mw")}
        return replace(self, resources=resources, limits=replace(self.limits, **battery))

    def units_given(self, item: BackupCase) -> bool:
        """Whether the user himself limited the units of a technology."""
        return f"units.{item.name}" in self.given
