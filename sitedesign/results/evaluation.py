"""Evaluation: what one plant does on one set of weather years, and what that costs."""

from __future__ import annotations

import json
import math
from typing import Any, Literal

import pandas as pd
from pydantic import ConfigDict, Field, PrivateAttr

from sitedesign.finance import annual_cost
from sitedesign.finance.depreciation import RecoveryClass
from sitedesign.operation.state import Controller
from sitedesign.reliability.certificate import USUAL, rule_words
from sitedesign.reliability.estimate import Estimate
from sitedesign.reliability.metrics import UptimeMetrics
from sitedesign.reliability.technology_use import CapUse
from sitedesign.results.answer import PYTHON, Calls, evaluation_rows
from sitedesign.results.flows import EnergyFlow
from sitedesign.results.grid_result import GridResult
from sitedesign.results.surplus_result import SurplusResult
from sitedesign.util.facts import Facts, facts
from sitedesign.util.model import Model
from sitedesign.util.words import target

OPERATION_LABELS = {
    "foresight": "perfect foresight, no equipment failures: a bound, not a promise",
    "greedy": "no look-ahead, no equipment failures",
    "causal": "a fallible forecast, one draw of equipment failures",
}

TUNE = (
    "sd.solve tunes a rule with the plant, also where limits fix the plant: give that design's as "
    "controller=design.controller"
)
CostKind = Literal["capital", "fixed", "fuel", "tariff", "revenue"]
ROUNDING = 1e-12  # errors below it come from sums of the same number


class CostItem(Model):
    """One line of the cost breakdown.

    Attributes
    ----------
    name : str
        As a table shows it; nothing is recognised by it.
    asset : str
        What it is spent on: ``solar``, ``battery``, ``racks``, ``hall``, ``delay``, ``grid``, ``sale`` or the
        name of a technology or of one who takes surplus.
    kind : {"capital", "fixed", "fuel", "tariff", "revenue"}
        ``capital``: what is bought, annualised, with its own upkeep. ``fixed``: paid every year whatever
        happens. ``fuel``: fuel and running, by the MWh. ``tariff``: bills of the grid.
        ``revenue``: below zero.
    capital_usd : float
        Overnight capital before tax credits. [USD]
    usd_per_yr : float
        Annualised capital after credits, fixed and variable cost. [USD/yr]
    credit_usd : float
        Investment tax credit on the capital. [USD]
    upkeep_usd_per_yr : float
        What of it is paid every year beside the capital. [USD/yr]
    life_yr : float
        After which it is bought again; 0 where it lasts. [yr]
    recovery : str
        Class of depreciation (:mod:`sitedesign.finance.depreciation`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    asset: str
    kind: CostKind
    capital_usd: float
    usd_per_yr: float
    credit_usd: float = 0.0
    upkeep_usd_per_yr: float = 0.0
    life_yr: float = 0.0
    recovery: RecoveryClass = "none"


class ClassResult(Model):
    """What one class of the load gets.

    Attributes
    ----------
    name : str
    racks : int
        Contracted, or installed for best effort.
    it_mw : float
        [MW]
    metric : str
    target : float or None
        None for best effort. [fraction]
    uptime : Estimate
        Failures of racks included. [fraction]
    delivered_rack_h_per_yr : float
        Rack-hours at full throughput. [1/yr]
    value_usd_per_yr : float or None
        At the class's own value per rack-hour. [USD/yr]
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, ser_json_inf_nan="strings"
    )

    name: str
    racks: int
    it_mw: float
    metric: str
    target: float | None
    uptime: Estimate
    delivered_rack_h_per_yr: float
    value_usd_per_yr: float | None

    def line(self) -> tuple[str, str]:
        """Label and text for a summary."""
        aim = "best effort from surplus" if self.target is None else f"target {target(self.target)}"
        uptime = f"{percent(self.uptime)} ({self.metric}), {aim}, {self.racks:,} racks"
        value = (
            "" if self.value_usd_per_yr is None else f", worth {self.value_usd_per_yr / 1e6:,.1f} M USD/yr"
        )
        return f"class {self.name}", f"{uptime}, {self.delivered_rack_h_per_yr:,.0f} rack-h/yr{value}"


class Provenance(Model):
    """What is needed to get the same numbers again.

    Attributes
    ----------
    versions : dict
        Package versions, Python included.
    place : str
        Coordinates, country and time zone.
    weather : str
        Where the weather came from.
    weather_years : tuple of int
        The years used.
    seed : int or None
        Seed of the weather, where it was sampled.
    low_resource_periods : list of dict
        Darkest 3, 5 and 10 days that the weather contains.
    notes : tuple of str
        What a reader must know about the inputs.
    weather_flags : tuple of str
        What the reader of the weather files found suspicious; among the notes too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    versions: dict[str, str]
    place: str = ""
    weather: str
    weather_years: tuple[int, ...]
    seed: int | None
    low_resource_periods: list[dict[str, Any]]
    notes: tuple[str, ...]
    weather_flags: tuple[str, ...] = ()


class Evaluation(Model):
    """One plant, operated on given weather years.

    Attributes
    ----------
    site_name, operation : str
        `operation` says who decided: ``foresight`` (sees the future: a bound), ``greedy`` (no look-ahead), or
        ``causal`` (a forecast, sampled outages).
    resources_mw : dict of str to float
        Size by name of the resource, ``solar`` first. [MW]
    imports_mw, sinks_mw : dict of str to float
        Size of each import and of each sink: ``grid``, import contracted, and ``sale``, most that may be fed
        in; empty on an island. [MW]
    battery_mwh, battery_mw : float
        [MWh nameplate, MW]
    backup : dict of str to int
        Units per technology.
    backup_unit_mw : dict of str to float
        Size of one unit. [MW at the bus]
    racks, racks_contracted : int
    uptime_target : float
    metric : str
        Which of the metrics the target is for.
    metrics : UptimeMetrics
        Every definition of uptime; `uptime` is the one that the target is for. With foresight, what counts
        hours (site, floor, loss of load, events) is NaN: a planner who sees everything sheds wherever it
        costs least, often a sliver of every hour.
    rack_shortfall : float
        Expected share of contracted racks that are broken and not covered by spares. [fraction]
    costs : list of CostItem
        Power plant and spare racks: what the optimiser decides.
    project_costs : list of CostItem
        Contracted racks and data hall with its land and staff: the same for every design.
    energy_mwh_per_yr : dict of str to float
        By source and use; ``best_effort`` is the part of ``curtailed`` that best-effort racks take. [MWh/yr]
    fuel_mmbtu_per_yr, run_hours_per_yr : dict of str to float
        Per technology; run hours are full-load equivalents per unit. [MMBtu/yr, h/yr]
    second_fuel_mwh_per_yr, second_fuel_mmbtu_per_yr : dict of str to float
        Of technologies with a second fuel: energy made of it, and what of the fuel above it is. Nothing where
        nothing is interrupted. [MWh/yr, MMBtu/yr]
    co2_t_per_yr : float
        [t/yr]
    pollutants_t_per_yr : dict of str to float
        ``nox``, ``co`` and ``pm`` at the stacks of the site, fuel of part load included. [t/yr]
    on_hours_per_yr, starts_per_yr : dict of str to float
        Of a unit of each technology in the mean over its units, as a causal operator ran them; nobody else
        has any. [h/yr, 1/yr]
    capped : list of CapUse
        What is used of each limit on a total of the year: permits, CO2, renewable share.
    land_acres : float
        All resources. [acres]
    battery_containers, truckloads : int
        One truckload per battery container and per rack.
    months_to_power : float
        Longest lead time of what is built. [months]
    slowest : str
        What sets it.
    hall_months : float or None
        Until racks can run in the hall, which every plant needs alike: not counted in `months_to_power`.
        [months]
    load_mwh_per_yr, it_mwh_per_yr : float
        [MWh/yr]
    tokens_per_s_per_rack : float or None
        At full power, where the rack model states it. [tokens/s]
    classes : list of ClassResult
        Results per class, contracted ones first; empty when the study has no classes.
    grid : GridResult or None
        What the connection to the grid gave and cost: energy by price, hours, the bill by charge.
    surplus : list of SurplusResult
        What each of those who may take surplus took and paid, in the order of the study.
    flows : list of EnergyFlow
        Energy and money by source and sink.
    mean_pue : float
        Rack and cooling power over rack power, mean over time. [MW/MW]
    fixed_load_share : float
        Share of the facility's load that does not fall when racks throttle. [fraction]
    water_m3_per_yr : float
        Cooling water for the energy that reaches the racks. [m3/yr]
    events : list of dict
        Worst events with dates; none with foresight.
    provenance : Provenance
    controller : Controller or None
        Rule of a causal operator; pass it on as ``controller=`` to run another plant by it.
    rule : str
        Where that rule comes from: tuned with this plant by the search, the usual one, or given.

    Examples
    --------
    >>> result = sd.evaluate(study, **plant)
    >>> result.uptime.value > 0.9, sorted(result.backup)
    (True, ['recip_fast'])
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, ser_json_inf_nan="strings"
    )

    site_name: str
    operation: Literal["greedy", "foresight", "causal"]
    resources_mw: dict[str, float]
    battery_mwh: float
    battery_mw: float
    backup: dict[str, int]
    backup_unit_mw: dict[str, float]
    imports_mw: dict[str, float] = Field(default_factory=dict)
    sinks_mw: dict[str, float] = Field(default_factory=dict)
    racks: int
    racks_contracted: int
    gpus_per_rack: int
    uptime_target: float
    metric: str
    metrics: UptimeMetrics
    rack_shortfall: float
    costs: list[CostItem]
    project_costs: list[CostItem]
    energy_mwh_per_yr: dict[str, float]
    fuel_mmbtu_per_yr: dict[str, float]
    run_hours_per_yr: dict[str, float]
    second_fuel_mwh_per_yr: dict[str, float] = Field(default_factory=dict)
    second_fuel_mmbtu_per_yr: dict[str, float] = Field(default_factory=dict)
    co2_t_per_yr: float
    pollutants_t_per_yr: dict[str, float] = Field(default_factory=dict)
    on_hours_per_yr: dict[str, float] = Field(default_factory=dict)
    starts_per_yr: dict[str, float] = Field(default_factory=dict)
    capped: list[CapUse] = Field(default_factory=list)
    land_acres: float
    battery_containers: int
    truckloads: int
    months_to_power: float
    slowest: str
    hall_months: float | None = None
    load_mwh_per_yr: float
    it_mwh_per_yr: float
    tokens_per_s_per_rack: float | None = None
    classes: list[ClassResult] = Field(default_factory=list)
    grid: GridResult | None = None
    surplus: list[SurplusResult] = Field(default_factory=list)
    flows: list[EnergyFlow] = Field(default_factory=list)
    mean_pue: float
    fixed_load_share: float
    water_m3_per_yr: float
    events: list[dict[str, Any]]
    provenance: Provenance
    controller: Controller | None = None
    rule: str = ""

    _dispatch: pd.DataFrame | None = PrivateAttr(default=None)
    _units: pd.DataFrame | None = PrivateAttr(default=None)

    @property
    def uptime(self) -> Estimate:
        """Uptime by the study's metric: the figure that the target is for.

        Failures of racks are included for ``rack`` and ``compute``, which are the same row of the optimiser.
        NaN for ``site`` and ``floor`` with foresight, whose bound is that of a relaxation.
        """
        return uptime_by(self.metric, self.metrics)

    @property
    def counts_hours(self) -> bool:
        """Whether hours and events of shedding mean something: not with foresight, see `metrics`."""
        return not math.isnan(self._reported_metrics.lolh_h_per_yr.value)

    @property
    def delivered_share(self) -> float:
        """Rack-hours delivered over contracted, at full throughput, failures of racks included. [fraction]

        Certified where there is a certificate.
        """
        metrics = self._reported_metrics
        # The tiers of ``floor`` stand for the floor, not for throughput
        share = metrics.energy.value - self.rack_shortfall if self.metric == "floor" else metrics.rack.value
        return max(share, 0.0)  # racks without power may be broken as well, which the uptime counts twice

    @property
    def best_effort_rack_h_per_yr(self) -> float:
        """Rack-hours of best-effort racks, which run on power that would be curtailed. [1/yr]"""
        return sum(item.delivered_rack_h_per_yr for item in self.classes if item.target is None)

    @property
    def delivered_rack_h_per_yr(self) -> float:
        """Rack-hours delivered, at full throughput, best effort included. [1/yr]"""
        if self.classes:
            return sum(item.delivered_rack_h_per_yr for item in self.classes)
        return self.racks_contracted * annual_cost.HOURS_PER_YEAR * self.delivered_share

    @property
    def tokens_per_s(self) -> float | None:
        """Mean output, where the rack model states tokens per second. [tokens/s]"""
        if self.tokens_per_s_per_rack is None:
            return None
        return self.delivered_rack_h_per_yr / annual_cost.HOURS_PER_YEAR * self.tokens_per_s_per_rack

    @property
    def cost_usd_per_yr(self) -> float:
        """Annual cost of the power plant and the spare racks. [USD/yr]"""
        return sum(item.usd_per_yr for item in self.costs)

    @property
    def capital_usd(self) -> float:
        """Overnight capital of the power plant and the spare racks. [USD]"""
        return sum(item.capital_usd for item in self.costs)

    @property
    def project_cost_usd_per_yr(self) -> float:
        """Annual cost of everything: plant, racks, data hall. [USD/yr]"""
        return self.cost_usd_per_yr + sum(item.usd_per_yr for item in self.project_costs)

    @property
    def served_mwh_per_yr(self) -> float:
        """Load served. [MWh/yr]"""
        served = self.load_mwh_per_yr - self.energy_mwh_per_yr["shed"]
        return served if served > ROUNDING * self.load_mwh_per_yr else 0.0

    @property
    def lcoe_usd_per_mwh(self) -> float:
        """Cost of the power plant per MWh served, spare racks left out. [USD/MWh]"""
        power = sum(item.usd_per_yr for item in self.costs if item.asset != "racks")
        return _for_each(power, self.served_mwh_per_yr)

    @property
    def usd_per_rack_h(self) -> float:
        """Cost of the whole project per delivered rack-hour. [USD/rack-h]"""
        return _for_each(self.project_cost_usd_per_yr, self.delivered_rack_h_per_yr)

    @property
    def usd_per_gpu_h(self) -> float:
        """Cost of the whole project per delivered GPU-hour. [USD/GPU-h]"""
        return self.usd_per_rack_h / self.gpus_per_rack

    @property
    def usd_per_million_tokens(self) -> float | None:
        """Cost of the whole project per million tokens, where the rack model states them. [USD]"""
        if self.tokens_per_s_per_rack is None:
            return None
        return self.usd_per_rack_h / (self.tokens_per_s_per_rack * 3600) * 1e6

    @property
    def kwh_per_rack_h(self) -> float:
        """Energy at the bus per delivered rack-hour, cooling and losses included. [kWh/rack-h]"""
        energy = self.served_mwh_per_yr + self.energy_mwh_per_yr.get("best_effort", 0.0)
        return _for_each(energy * 1000, self.delivered_rack_h_per_yr)

    @property
    def renewable_share(self) -> float:
        """Share of the load not met by backup or import. [fraction]"""
        imported = sum(self.energy_mwh_per_yr[name] for name in self.imports_mw)
        return 1 - (self.energy_mwh_per_yr["backup"] + imported) / self.load_mwh_per_yr

    @property
    def dispatch(self) -> pd.DataFrame:
        """What happened in every step, units in the column names.

        Raises
        ------
        AttributeError
            For a result loaded from a file, which holds no time series.
        """
        if self._dispatch is None:
            message = (
                "a saved result holds no time series; solve or evaluate the study again to get its dispatch"
            )
            raise AttributeError(message)
        return self._dispatch

    def __eq__(self, other: object) -> bool:
        """Compare the figures, of which NaN equals itself; the time series follow from them."""
        if not isinstance(other, Evaluation) or type(self) is not type(other):
            return False
        return json.dumps(self.to_dict()) == json.dumps(other.to_dict())

    @property
    def solar_mw(self) -> float:
        """Solar array. [MWdc]"""
        return self.resources_mw["solar"]

    def _resource_lines(self) -> list[tuple[str, str]]:
        units = {"solar": "MWdc"}
        lines = [(name, f"{mw:,.1f} {units.get(name, 'MW')}") for name, mw in self.resources_mw.items()]
        name, text = lines[-1]
        return [*lines[:-1], (name, f"{text} on {self.land_acres:,.0f} acres")]

    def _second_fuel_lines(self) -> list[tuple[str, str]]:
        """Say what was burnt while the first fuel was interrupted, of what is built."""
        burnt = [
            f"{name} {mwh:,.0f} MWh/yr, {self.second_fuel_mmbtu_per_yr[name]:,.0f} MMBtu/yr"
            for name, mwh in self.second_fuel_mwh_per_yr.items()
            if self.backup[name]
        ]
        return [("second fuel", "; ".join(burnt))] if burnt else []

    def _exchange_lines(self) -> list[tuple[str, str]]:
        sizes = [(name, mw, "drawn") for name, mw in self.imports_mw.items()]
        sizes += [(name, mw, "taken") for name, mw in self.sinks_mw.items()]
        energy = self.energy_mwh_per_yr
        told = {item.name for item in self.surplus}
        return [
            (name, f"{mw:,.1f} MW, {energy[name]:,.0f} MWh/yr {done}")
            for name, mw, done in sizes
            if name not in told
        ]

    @property
    def is_hub(self) -> bool:
        """Whether there is more than an array, a battery and backup of one fuel."""
        second_fuel = any(flow.second_fuel_mwh_per_yr for flow in self.flows)
        return len(self.resources_mw) > 1 or bool(self.imports_mw or self.sinks_mw) or second_fuel

    def _flow_lines(self) -> list[tuple[str, str]]:
        """Say of a hub what gives and takes how much, and for what money."""
        if not self.is_hub:
            return []
        kinds = {"sources": ("source", "store"), "sinks": ("sink",)}
        return [
            (
                label,
                "; ".join(_flow_words(flow) for flow in self.flows if flow.role in roles),
            )
            for label, roles in kinds.items()
        ]

    def summary(self) -> list[tuple[str, str]]:
        """Facts of the result as (label, text), the same for every way of showing it."""
        units = " · ".join(
            f"{count} × {name} ({self.backup_unit_mw[name]:.4g} MW)" for name, count in self.backup.items()
        )
        spare = self.racks - self.racks_contracted
        battery = (
            f"{self.battery_mwh:,.1f} MWh, {self.battery_mw:,.1f} MW, {self.battery_containers} containers"
        )
        served = f"backup {self.energy_mwh_per_yr['backup'] / self.load_mwh_per_yr * 100:.2f} % of the load"
        power = f"{self.months_to_power:.0f} months ({self.slowest}), {self.truckloads:,} truckloads "
        return [
            *([("place", self.provenance.place)] if self.provenance.place else []),
            *self._resource_lines(),
            ("battery", battery),
            ("backup", units or "none"),
            *self._second_fuel_lines(),
            *(self._exchange_lines() if self.grid is None else self.grid.lines()),
            *(item.line() for item in self.surplus),
            ("racks", f"{self.racks} installed for {self.racks_contracted} contracted ({spare} spare)"),
            *self._uptime_lines(),
            *self._rule_lines(),
            *(item.line() for item in self.classes),
            *self._cost_lines(),
            ("power", f"{self.lcoe_usd_per_mwh:,.1f} USD/MWh served, {served}"),
            *self._flow_lines(),
            *self._compute_lines(),
            ("curtailed", f"{self.energy_mwh_per_yr['curtailed']:,.0f} MWh/yr"),
            ("CO2", f"{self.co2_t_per_yr:,.0f} t/yr"),
            ("first power", power + "(batteries and racks)"),
            *([("hall", self.hall_wait)] if self.hall_wait else []),
            *self._source_lines(),
            *(("note", note) for note in self.provenance.notes),
        ]

    @property
    def hall_wait(self) -> str:
        """Say so where the hall is ready after the plant, whose months alone are counted; else empty."""
        if self.hall_months is None or self.hall_months <= self.months_to_power:
            return ""
        late = self.hall_months - self.months_to_power
        return (
            f"{self.hall_months:.0f} months, the same for every plant and not counted: begun with the order "
            f"of the plant, it is ready {late:.0f} months after first power"
        )

    def _head(self) -> str:
        return f"Evaluation({self.site_name!r}): {OPERATION_LABELS[self.operation]}"

    def _label(self) -> str:
        """Say what the uptime figure is worth."""
        return OPERATION_LABELS[self.operation]

    @property
    def _reported_metrics(self) -> UptimeMetrics:
        """Metrics of the years that the uptime in the summary is of."""
        return self.metrics

    def _uptime_lines(self) -> list[tuple[str, str]]:
        m = self._reported_metrics
        short = (
            f"LOLH {m.lolh_h_per_yr} h/yr, EUE {m.eue_mwh_per_yr} MWh/yr, {m.events_per_yr} events/yr, "
            f"longest {m.longest_h} h, worst year {percent(m.worst_year)}"
        )
        aim = f"target {target(self.uptime_target)}" if self.uptime_target else "chosen by its worth"
        label = f"uptime ({self.metric})"
        if self.classes:  # each has a target of its own, in a line of its own
            aim, label = "all contracted classes together", "uptime"
        if not self.counts_hours:
            # A planner who sees everything sheds where it is cheapest, often a little everywhere: the hours
            # and events of that say nothing about a plant in operation.
            uptime = percent(self.uptime)
            if math.isnan(self.uptime.value):
                uptime = "relaxed to the energy of the hours that may be short"
            return [(label, f"{uptime}, {aim} ({self._label()})")]
        return [(label, f"{percent(self.uptime)}, {aim} ({self._label()})"), ("shortfall", short)]

    def _rule_lines(self) -> list[tuple[str, str]]:
        """Say by which rule a causal operator ran the plant, and how to get the one that suits it."""
        if self.controller is None:
            return []
        better = f". {TUNE}" if self.rule == USUAL else ""
        return [("operated by", f"{rule_words(self.controller)} ({self.rule}){better}")]

    def _compute_lines(self) -> list[tuple[str, str]]:
        """Show what all of it costs and gives."""
        project = (
            f"{self.project_cost_usd_per_yr / 1e6:,.1f} M USD/yr, {self.usd_per_rack_h:,.2f} USD/rack-h, "
            f"{self.usd_per_gpu_h:,.3f} USD/GPU-h"
        )
        given = (
            f"{self.delivered_rack_h_per_yr:,.0f} rack-h/yr, "
            f"{self.delivered_rack_h_per_yr / annual_cost.HOURS_PER_YEAR:,.1f} racks at full throughput"
        )
        if self.tokens_per_s is not None:
            project += f", {self.usd_per_million_tokens:.4g} USD per million tokens"
            given += f", {self.tokens_per_s:,.0f} tokens/s"
        facility = (
            f"{self.kwh_per_rack_h:,.1f} kWh/rack-h, mean PUE {self.mean_pue:.3f} "
            f"({self.fixed_load_share * 100:.1f} % of the load does not throttle), "
            f"water {self.water_m3_per_yr:,.0f} m3/yr"
        )
        return [("whole project", project), ("compute", given), ("facility", facility)]

    def _cost_lines(self) -> list[tuple[str, str]]:
        capital = f"capital {self.capital_usd / 1e6:,.0f} M USD"
        return [("cost", f"{self.cost_usd_per_yr / 1e6:,.3f} M USD/yr, {capital}")]

    def _source_lines(self) -> list[tuple[str, str]]:
        return [("weather", f"{self.provenance.weather}, {len(self.provenance.weather_years)} years")]

    @property
    def answer(self) -> Facts:
        """What somebody who decides must know: what is printed."""
        return self._answer()

    def _answer(self, calls: Calls = PYTHON) -> Facts:
        del calls  # an evaluation names none
        return facts(self._head(), evaluation_rows(self, self._label()))

    @property
    def details(self) -> Facts:
        """Everything that the result says in words."""
        return facts(self._full_head(), self.summary())

    def _full_head(self) -> str:
        return self._head()

    def __repr__(self) -> str:
        return str(self.answer)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return self.answer._repr_html_()

    def cost_table(self) -> pd.DataFrame:
        """Cost breakdown with project items below the plant's. [USD, USD/yr]"""
        rows = [item.model_dump() | {"decided_by_optimiser": True} for item in self.costs]
        rows += [item.model_dump() | {"decided_by_optimiser": False} for item in self.project_costs]
        return pd.DataFrame(rows).rename(columns={"name": "item"})

    def to_dict(self) -> dict[str, Any]:
        """Everything but the time series, ready for JSON."""
        return self.model_dump(mode="json")


def _flow_words(flow: EnergyFlow) -> str:
    """Energy and money of one source or sink."""
    second = flow.second_fuel_mwh_per_yr
    energy = f"{flow.name} {flow.mwh_per_yr / 1000:,.1f} GWh/yr"
    energy += f" ({second / 1000:,.2f} of them on the second fuel)" if second else ""
    if not flow.usd_per_yr:
        return energy
    earned = flow.usd_per_yr < 0
    return f"{energy} {'earning' if earned else 'for'} {abs(flow.usd_per_yr) / 1e6:,.2f} M USD/yr"


def _for_each(total: float, units: float) -> float:
    """Total for each unit that it is spent on; infinite where there is none."""
    return total / units if units > 0 else math.inf


def uptime_by(metric: str, metrics: UptimeMetrics) -> Estimate:
    """Uptime by one metric; failures of racks are included where it does not count shares of time."""
    shares_of_time = {"site": metrics.site, "floor": metrics.floor}
    return shares_of_time.get(metric, metrics.rack)


def percent(estimate: Estimate) -> str:
    """Uptime in per cent with its interval at 95 %; one year has none."""
    return estimate.text(100, " %") if estimate.error_known else f"{estimate.value * 100:.4f} %"
