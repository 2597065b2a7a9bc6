"""Case: one study reduced to the arrays that every formulation, the replay and the certificate read.

Power is MW at the facility's medium-voltage bus (the DC bus when DC-coupled), energy MWh at that bus, money
USD per year. Time series hold all weather years in sequence, ``T = years * steps_per_year`` steps of `step_h`
hours; a weather year has 365 days.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.limits import CaseLimits

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
    """

    name: str
    usd_per_mwh: float
    co2_t_per_mwh: float = 0.0
    fuel_mmbtu_per_mwh: float = 0.0

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

    whole: ClassVar[bool] = True

    @property
    def levels(self) -> tuple[PriceLevel, ...]:
        """All prices of its energy, its own first."""
        own = PriceLevel(
            self.name, self.marginal_cost_usd_per_mwh, self.co2_t_per_mwh, self.fuel_mmbtu_per_mwh
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


@dataclass(frozen=True)
class LoadClass:
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
        beginning of the first year comes in at the end of the last, see :func:`rolled`.
    delay_cost_usd_per_month_yr : float
        Annual cost of each month of lead time. [USD/yr per month]
    limits : CaseLimits
    load_classes : tuple of LoadClass
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
    load_classes: tuple[LoadClass, ...] = ()
    lost_value_usd_per_mwh: float = 0.0
    given: frozenset[str] = frozenset()
    imports: tuple[ImportCase, ...] = ()
    sinks: tuple[SinkCase, ...] = ()

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
    def classes(self) -> tuple[LoadClass, ...]:
        """Classes of the load, one of all of it when there are none."""
        return self.load_classes or (LoadClass("all", 1.0, self.uptime_target),)

    @property
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


def sunny_afternoon(case: Case) -> int:
    """Step of the year at which a battery can best be full: late afternoon in the sunniest season.

    The optimisers begin and end with a full battery. On 1 January at midnight that would cost a night of
    backup or shedding that no real plant pays, and would drive batteries out of good designs.
    """
    per_day = round(24 / case.step_h)
    sun = case.resources[0].yield_mw_per_mw
    by_day = sun.reshape(case.years, 365, per_day).mean(axis=(0, 2))
    month = np.convolve(np.r_[by_day[-15:], by_day, by_day[:15]], np.full(31, 1 / 31), mode="valid")
    by_step = sun.reshape(case.years * 365, per_day).mean(axis=0)
    # The middle of the afternoon half of the day's sun: the array has had most of the day to charge.
    done = np.cumsum(by_step) / max(float(by_step.sum()), 1e-12)
    return int(np.argmax(month)) * per_day + int(np.searchsorted(done, 0.85))


def with_series(case: Case, change: Callable[[NDArray[Any]], NDArray[Any]], **others: Any) -> Case:  # noqa: ANN401
    """Change every series of a case in the same way.

    Parameters
    ----------
    case : Case
    change : callable
        From a series, shape (T,), to another.
    **others
        Further fields to set.
    """
    resources = tuple(replace(r, yield_mw_per_mw=change(r.yield_mw_per_mw)) for r in case.resources)

    def changed(items: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            replace(
                item,
                capability=np.array([change(row) for row in item.capability]),
                active_level=None if item.active_level is None else change(item.active_level),
            )
            for item in items
        )

    return replace(
        case,
        resources=resources,
        load_mw=change(case.load_mw),
        usable=change(case.usable),
        backup=changed(case.backup),
        imports=changed(case.imports),
        sinks=changed(case.sinks),
        **others,
    )


def rolled(case: Case, first_step: int) -> Case:
    """Begin the same years at another step of the calendar year.

    Parameters
    ----------
    case : Case
        Begun at 1 January 00:00.
    first_step : int
        Step of the year with which the result begins.
    """
    return with_series(case, lambda series: np.roll(series, -first_step), first_step=first_step)


def rows_of(case: Case, rows: NDArray[np.int64]) -> Case:
    """Pick weather years of a case, in the order given."""

    def pick(series: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray(series.reshape(case.years, -1)[rows].ravel())

    return with_series(case, pick, years=len(rows))


@dataclass(frozen=True)
class Plant:
    """The capacities of one plant: what is decided, what is replayed, what is certified.

    Attributes
    ----------
    resources_mw : tuple of float
        In the order of ``Case.resources``. [MW]
    battery_mwh, battery_mw : float
        [MWh nameplate, MW]
    units : tuple of int
        Units per backup technology, in the order of ``Case.backup``.
    racks : int
        Racks installed.
    imports, sinks : tuple of float
        Sizes in the order of ``Case.imports`` and ``Case.sinks``, in their units: whole numbers, or MW.
    """

    resources_mw: tuple[float, ...]
    battery_mwh: float
    battery_mw: float
    units: tuple[int, ...]
    racks: int
    imports: tuple[float, ...] = ()
    sinks: tuple[float, ...] = ()

    @property
    def counts(self) -> tuple[float, ...]:
        """Units in the order of ``Case.flows``."""
        return (*self.units, *self.imports, *self.sinks)

    @property
    def solar_mw(self) -> float:
        """Solar array, the first of the resources. [MWdc]"""
        return self.resources_mw[0]


def sizes_of(case: Case, plant: Plant) -> dict[str, float]:
    """Name the continuous sizes of a plant, as ``Case.sizes`` does."""
    values = (*plant.resources_mw, plant.battery_mwh, plant.battery_mw)
    return {size.name: value for size, value in zip(case.sizes, values, strict=True)}


def with_sizes(case: Case, plant: Plant, sizes: Mapping[str, float]) -> Plant:
    """Change some of the named sizes of a plant."""
    resources = zip(case.resources, plant.resources_mw, strict=True)
    return replace(
        plant,
        resources_mw=tuple(sizes.get(r.size_name, mw) for r, mw in resources),
        battery_mwh=sizes.get("battery_mwh", plant.battery_mwh),
        battery_mw=sizes.get("battery_mw", plant.battery_mw),
    )


def energy_by_level(case: Case, dispatch: Dispatch) -> tuple[float, ...]:
    """Energy that supplies give, then that sinks take, level by level in the order of ``Case.flows``.

    Parameters
    ----------
    case : Case
    dispatch : Dispatch

    Returns
    -------
    tuple of float
        [MWh/yr]
    """
    flows = zip(case.flows, (*dispatch.supply_mw, *dispatch.sink_mw), strict=True)
    return tuple(mwh for item, mw in flows for mwh in split_by_level(case, item, mw))


def split_by_level(
    case: Case, item: BackupCase | ImportCase | SinkCase, power_mw: FloatArray
) -> tuple[float, ...]:
    """Annual energy of one of the flows, split over its levels. [MWh/yr]"""
    always = item.active_level is None
    steps = [slice(None if always and i == 0 else 0) for i in range(len(item.levels))]
    if item.active_level is not None:
        steps = [item.active_level == i for i in range(len(item.levels))]
    return tuple(float(power_mw[chosen].sum()) * case.step_h / case.years for chosen in steps)


def by_flow(case: Case, by_level: Sequence[float]) -> list[tuple[float, ...]]:
    """Cut a list over all levels of all flows into one for each flow."""
    ends = np.cumsum([len(item.levels) for item in case.flows]).tolist()
    return [tuple(by_level[end - len(item.levels) : end]) for item, end in zip(case.flows, ends, strict=True)]


def appetite_mwh(case: Case, sink: SinkCase) -> tuple[float, ...]:
    """Most that a unit of a sink takes a year, level by level. [MWh/yr]"""
    return split_by_level(case, sink, sink.unit_mw * sink.capability[0])


def available_mw(case: Case, plant: Plant) -> FloatArray:
    """Power that all resources of a plant could give together, shape (T,). [MW]"""
    return sum_of_resources(case, plant.resources_mw)


def sum_of_resources(case: Case, resources_mw: Sequence[float] | FloatArray) -> FloatArray:
    """Power that resources of such sizes could give together, shape (T,). [MW]"""
    first, *others = zip(case.resources, resources_mw, strict=True)
    total: FloatArray = first[1] * first[0].yield_mw_per_mw
    for resource, mw in others:
        total += mw * resource.yield_mw_per_mw
    return total


def land_acres(case: Case, plant: Plant) -> float:
    """Land that the resources of a plant take. [acres]"""
    return sum(mw * r.acres_per_mw for r, mw in zip(case.resources, plant.resources_mw, strict=True))


def slowest_lead(case: Case, plant: Plant) -> tuple[float, str]:
    """Longest lead time of what is built, and what it is of; what is priced, limited and reported. [months]

    Parameters
    ----------
    case : Case
    plant : Plant

    Returns
    -------
    tuple of (float, str)
    """
    leads = [(item.lead_months, item.name) for item, n in zip(case.backup, plant.units, strict=True) if n > 0]
    imports = zip(case.imports, plant.imports, strict=True)
    leads += [(item.lead_months, item.name) for item, n in imports if n * item.unit_mw > NOTHING]
    resources = zip(case.resources, plant.resources_mw, strict=True)
    leads += [(r.lead_months, r.label) for r, mw in resources if mw > NOTHING]
    leads += [(case.battery_lead_months, "battery")] if plant.battery_mwh > NOTHING else []
    return max(leads, default=(0.0, "nothing"))


@dataclass(frozen=True, eq=False)
class Dispatch:
    """What a plant did in every step, by an optimiser or by an operator.

    Attributes
    ----------
    curtailed_mw, charge_mw, discharge_mw, shed_mw, stored_mwh : ndarray, shape (T,)
        `curtailed_mw` is all power that nothing takes, also that of units which cannot run any lower;
        `stored_mwh` is the energy at the end of the step. [MW, MWh]
    backup_mw : ndarray, shape (K, T)
        Output per technology.
    lost_compute : ndarray, shape (T,)
        Weighted shed load as a share of the load of the step (the tier weights applied). [fraction]
    import_mw, taken_mw : ndarray, shape (I, T) and (S, T), or None
        Power of each of ``Case.imports``, and what each of ``Case.sinks`` takes; None where there are none.
        [MW]
    lost_by_class : ndarray, shape (C, T), or None
        The part of `lost_compute` that falls on each class. None when the load was shed tier by tier in the
        order of ``Case.tiers``, which says it all (:func:`lost_by_class`), or when there is one class.
        [fraction of the whole load]
    """

    curtailed_mw: FloatArray
    charge_mw: FloatArray
    discharge_mw: FloatArray
    shed_mw: FloatArray
    stored_mwh: FloatArray
    backup_mw: FloatArray
    lost_compute: FloatArray
    lost_by_class: FloatArray | None = None
    import_mw: FloatArray | None = None
    taken_mw: FloatArray | None = None

    @property
    def supply_mw(self) -> FloatArray:
        """Power of every supply, in the order of ``Case.supplies``. [MW]"""
        return self.backup_mw if self.import_mw is None else np.concatenate([self.backup_mw, self.import_mw])

    @property
    def sink_mw(self) -> FloatArray:
        """Power of every sink, in the order of ``Case.sinks``. [MW]"""
        return np.zeros((0, self.shed_mw.size)) if self.taken_mw is None else self.taken_mw

    def rolled_back(self, first_step: int) -> Dispatch:
        """Put the dispatch of a :func:`rolled` case back in calendar order."""
        series = {item.name: getattr(self, item.name) for item in fields(self)}
        return replace(
            self, **{k: np.roll(v, first_step, axis=-1) for k, v in series.items() if v is not None}
        )


def lost_by_class(case: Case, shed_mw: FloatArray) -> FloatArray:
    """Compute that each class loses when load is shed tier by tier, in the order of ``Case.tiers``.

    Parameters
    ----------
    case : Case
    shed_mw : ndarray, shape (T,)
        [MW]

    Returns
    -------
    ndarray, shape (C, T)
        Weighted shed load as a share of the whole load of the step. [fraction]
    """
    left = np.divide(shed_mw, case.load_mw, out=np.zeros(case.steps), where=case.load_mw > 0)
    lost = np.zeros((len(case.classes), case.steps))
    for tier in case.tiers:
        taken = np.clip(left, 0.0, tier.width)
        lost[tier.load_class] += tier.weight * taken
        left = left - taken
    return lost


@dataclass(frozen=True, eq=False)
class Sizing:
    """Answer of an optimiser on a :class:`Case`; perfect foresight.

    Attributes
    ----------
    plant : Plant
        The incumbent.
    objective_usd_per_yr, bound_usd_per_yr : float
        Cost of the incumbent and proven lower bound, the value of lost compute included. [USD/yr]
    backup_mwh_per_yr : tuple of float
        Energy per technology in the incumbent. [MWh/yr]
    lost_mwh_per_yr : float
        Weighted shed load in the incumbent, all classes together. [MWh/yr]
    method : str
        ``extensive`` or ``cuts``.
    stopped_by : str
        ``gap``, ``time_limit`` or ``iteration_limit``.
    seconds : float
        Wall time. [s]
    iterations : int
        Master iterations (0 for ``extensive``).
    uptime_price_usd_per_mwh : float or None
        Dual of the uptime row at the incumbent's integers, on top of the value of lost compute; with several
        classes the largest of `uptime_prices`. [USD per weighted MWh]
    uptime_prices : tuple of float
        The same for each class; empty where it is not known. [USD per weighted MWh]
    lost_by_class_mwh_per_yr : tuple of float
        Weighted shed load of each class in the incumbent. [MWh/yr]
    lost_value_usd_per_yr : float
        What lost compute costs in the objective, failures of racks included. [USD/yr]
    dispatch : Dispatch or None
        The optimiser's own dispatch, where it keeps one.
    level_mwh_per_yr : tuple of float
        Energy given or taken at each level of each of ``Case.flows``, in their order. [MWh/yr]
    """

    plant: Plant
    objective_usd_per_yr: float
    bound_usd_per_yr: float
    backup_mwh_per_yr: tuple[float, ...]
    lost_mwh_per_yr: float
    method: str
    stopped_by: str
    seconds: float
    iterations: int = 0
    uptime_price_usd_per_mwh: float | None = None
    uptime_prices: tuple[float, ...] = ()
    lost_by_class_mwh_per_yr: tuple[float, ...] = ()
    lost_value_usd_per_yr: float = 0.0
    dispatch: Dispatch | None = field(default=None, repr=False)
    level_mwh_per_yr: tuple[float, ...] = ()

    @property
    def gap(self) -> float:
        """Relative optimality gap, (objective - bound) / objective. [fraction]"""
        return (self.objective_usd_per_yr - self.bound_usd_per_yr) / max(abs(self.objective_usd_per_yr), 1e-9)
