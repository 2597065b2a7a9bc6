"""Every input of a study but place and weather, declared once; loads nothing that takes long.

An input is a field: its gate says unit and bounds, its :class:`~sitedesign.util.inputs.Input` what it is
called and what it means. Study file, options, planner, report, table of sites and documentation ask them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from sitedesign.library import (
    Backup,
    Battery,
    Facility,
    Finance,
    Fuel,
    PowerPath,
    Pv,
    Rack,
    Region,
    Wind,
)
from sitedesign.study.demand import (
    LOAD,
    UPTIME,
    USD_PER_RACK_H,
    USE_WORDS,
    ContractedGpus,
    ContractedMw,
    ContractedRacks,
    CurveName,
    LoadClass,
    Throughput,
    Use,
)
from sitedesign.study.fuels import GasContract
from sitedesign.study.grid_inputs import GRID
from sitedesign.study.limits import LIMITS, Limits
from sitedesign.study.reserve import RESERVE, Reserve
from sitedesign.study.surplus import Surplus
from sitedesign.study.unit_rules import UnitRules
from sitedesign.util.gate import Day, Gate, Kind, Many, Measure, OneOf, OrNone, Words
from sitedesign.util.inputs import Input, declared
from sitedesign.util.model import Model

PLACE, EQUIPMENT, PRICES, WEATHER, DETAILS = "Place", "Equipment", "Prices", "Weather", "Details"
#: Headings in the order in which they are asked.
GROUPS = (PLACE, LOAD, EQUIPMENT, GRID, PRICES, LIMITS, RESERVE, WEATHER, DETAILS)
STEPS_MINUTES = (5, 10, 15, 30, 60)
WEATHER_YEARS = Measure("years", 1, 2000, whole=True)
#: The largest that survives a table of floats.
SEED = Measure("", 0, 2**53, whole=True)
SHARE = Measure("fraction", 0, 1, percent_from=2)
GROWTH = Measure(
    "fraction/yr", 0, 0.5,
    says="must be a number, 0 or more: what shrinks is largest at the start, for which any plant is sized",
)  # fmt: skip
FUEL_PRICE = Measure("USD/MMBtu", 0, 500)
TANK_H = Measure("h", 0, 5000)
LORRIES = Measure("1/d", 0, 10_000)
# Cheap to run but late, dear to run but soon, cheap to own: the optimiser chooses among them.
DEFAULT_BACKUP = ("recip_medium", "mobile_gt", "diesel")
_DAY = Day(2000, 2100)
_FuelName = Annotated[str, Words("must be the name of a fuel", most=200)]
_TechnologyName = Annotated[str, Words("must be the name of a technology", most=200)]
_BY_TECHNOLOGY = Kind((Mapping,), "must be hours by technology", "For example {'diesel': 48}.")
_BY_TANKS = Kind((Mapping,), "must be lists of hours by technology", "For example {'diesel': [24, 72]}.")
_TANKS = Many(TANK_H, "must be a list of hours at full load", 1, 20)
_BY_DELIVERY = Kind((Mapping,), "must be loads a day by technology", "For example {'diesel': 10}.")
_BY_RULES = Kind((Mapping,), "must be rules by technology", "For example {'diesel': {'min_down_h': 1}}.")
_BY_FUEL = Kind((Mapping,), "must be prices by fuel", "For example {'natural_gas': 4}.")


class _Profile(Gate):
    """A profile, whose own reader says what is wrong inside; arrays are loaded when there is one."""

    def wrong(self, value: Any) -> tuple[str, str, str] | None:  # noqa: ANN401
        """Say what is wrong as (found, allowed, remedy), or None."""
        import numpy as np
        import pandas as pd

        from sitedesign.components.own_profile.profile import Profile

        kinds = (pd.Series, pd.DataFrame, np.ndarray, list, tuple, str, Path, Profile, Mapping)
        says = "must be a series, an array, the path of a file, or a mapping with its unit"
        return Kind(kinds, says).wrong(value)


def _one_or_many(value: Any) -> Any:  # noqa: ANN401
    """Read a single name as a tuple of one."""
    return (value,) if isinstance(value, str) else value


class StudyInputs(Model):
    """Fields of :class:`~sitedesign.study.study.Study`."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    # fmt: off
    uptime: Annotated[float | None, UPTIME, Input(
        "Uptime",
        "Share to serve, such as 0.999. Of contracted rack-hours, or what else `metric` counts. May "
        'be left out with ``objective="compute_cost"``, where it is a floor.',
        LOAD,
    )] = None
    racks: ContractedRacks = None
    it_mw: ContractedMw = None
    gpus: ContractedGpus = None
    throughput: Annotated[Throughput | None, Input(
        "Throughput",
        'Contracted work. ``{"rack_equivalents": x}``, or ``{"tokens_per_s": x}`` where the rack '
        "model states tokens per second; turned into racks at full power, rounded up.",
        LOAD, example={"rack_equivalents": 690.5}, type="mapping",
    )] = None
    classes: Annotated[tuple[LoadClass, ...], Input(
        "Classes",
        "Several kinds of load. Each has its own contract, target, metric and use, which are then "
        "not given here.",
        LOAD, type="sequence of LoadClass",
    )] = ()
    rack: Annotated[Rack, Input(
        "Rack",
        "Rack model, see 'library list rack'.",
        LOAD, default="gb200_nvl72", sort="entry", type="str or Rack",
    )]
    metric: Annotated[Literal["rack", "compute", "site", "floor"], Input(
        "Uptime counts",
        "What uptime counts. ``rack``: load is shed rack by rack. ``compute``: racks are throttled "
        "along their throughput curve and the target holds for delivered throughput. ``site``: share "
        "of time with every contracted rack at full power. ``floor``: share of time with at least 60 "
        "% of the power.",
        LOAD,
        words={
            "rack": "rack-hours served",
            "compute": "compute delivered (racks may be throttled)",
            "site": "time with every rack at full power",
            "floor": "time with at least 60 % of the power",
        },
    )] = "rack"
    objective: Annotated[Literal["cost", "compute_cost"], Input(
        "Objective",
        "What is made least. ``cost``: annual cost at the target. ``compute_cost``: cost of the "
        "whole project per delivered rack-hour; the optimiser chooses the uptime.",
        LOAD, planner=False,
    )] = "cost"
    lost_compute_usd_per_rack_h: Annotated[float | None, replace(USD_PER_RACK_H, above=True), Input(
        "Price of lost compute",
        'What a rack-hour not delivered costs. With ``objective="compute_cost"``: then plant and '
        "lost compute together cost least, instead of the project per rack-hour.",
        LOAD, example=30, planner=False,
    )] = None
    spares: Annotated[Literal["standby", "share"], Input(
        "Spare racks",
        "What racks above the contracted ones do. ``standby``: they cover failures. ``share``: all "
        "racks do the contracted work together, each at less and more efficient power; for "
        '``metric="compute"``.',
        LOAD, planner=False,
    )] = "standby"
    use: Annotated[Use, Input(
        "Use",
        "What the racks do. Sets the sustained draw as a share of the planning power.",
        LOAD, words=USE_WORDS,
    )] = "training"
    sustained_fraction: Annotated[float | None, Measure("fraction", 0.01, 1), Input(
        "Sustained draw",
        "Sustained draw as a share of planning power. In place of that of `use`.",
        DETAILS, example=0.8,
    )] = None
    throughput_curve: Annotated[CurveName, Input(
        "Throughput curve", 'What throttled racks still deliver. For ``metric="compute"``.', DETAILS,
    )] = "default"
    weather_years: Annotated[int, WEATHER_YEARS, Input(
        "Weather years",
        "Weather years to generate. Ignored when `weather` is given.",
        WEATHER, option="--years",
    )] = 20
    seed: Annotated[int, SEED, Input(
        "Seed", "Seed of the generated weather. The same seed gives the same years.", WEATHER,
    )] = 0
    step_minutes: Annotated[int | None, OneOf(STEPS_MINUTES, "min"), Input(
        "Time step", "Time step of the weather when left out.", WEATHER, example=60,
    )] = None
    pv: Annotated[Pv, Input(
        "Solar array",
        "Array. With several, those of one and the other coupling are designed and the cheapest "
        "design is taken.",
        EQUIPMENT, default="tracker_ac", sort="entry", type="str, Pv, or a sequence of them", several=True,
    )]
    battery: Annotated[Battery, Input(
        "Battery",
        "Battery. With a `pv` of several couplings, one for each coupling.",
        EQUIPMENT, default="lfp", sort="entry", type="str, Battery, or a sequence of them", several=True,
        planner=False,
    )]
    power_paths: tuple[tuple[Pv, Battery], ...] = Field(default=(), repr=False)
    backup: Annotated[tuple[Backup, ...], Input(
        "Backup that may be built",
        "Backup technologies that may be built. The optimiser chooses among them; none at all is "
        "possible.",
        EQUIPMENT, default=DEFAULT_BACKUP, sort="entry", type="sequence of str or Backup", several=True,
    )]
    wind: Annotated[tuple[Wind, ...], Input(
        "Wind that may be built",
        "Turbines of wind farms that may be built beside the array. The optimiser chooses how many MW. "
        "Wind is generated with the sun in the contiguous United States; elsewhere, and with weather of "
        "your own, `weather` must bring it.",
        EQUIPMENT, default=(), example=("onshore_6mw_170",), sort="entry", type="sequence of str or Wind",
        several=True,
    )] = ()
    tank_h: Annotated[Mapping[_TechnologyName, Annotated[float, TANK_H]], _BY_TECHNOLOGY, Input(
        "Fuel in tanks",
        "Hours at full load that the fuel on site lasts, by technology. In place of the library's; for units "
        "that burn liquid fuel, at all times or as a second fuel while gas is interrupted. A larger tank "
        "costs more; `tank_choices_h` finds how large it should be.",
        EQUIPMENT, example={"diesel": 72}, type="mapping of str to float",
    )] = Field(default_factory=dict)
    tank_choices_h: Annotated[
        Mapping[_TechnologyName, Annotated[tuple[Annotated[float, TANK_H], ...], _TANKS]], _BY_TANKS, Input(
        "Choice of tanks",
        "Hours at full load of which the fuel on site is chosen, by technology. A plant is searched and "
        "certified with the largest, certified with each, and searched again with the cheapest that keeps "
        "the target; the cheaper of both plants is taken. A bound counts the cost of the smallest.",
        EQUIPMENT, example={"diesel": (24, 72)}, type="mapping of str to sequence of float", sort="table",
    )] = Field(default_factory=dict)
    lorries_per_day: Annotated[
        Mapping[_TechnologyName, Annotated[float, LORRIES]], _BY_DELIVERY, Input(
        "Deliveries of fuel",
        "Lorry loads of fuel that reach the site in a day at most, by technology. Units that burn liquid "
        "fuel at all times then live on them and on the tank; a second fuel is brought while it is burnt as "
        "well. As much as is burnt, and the library's refill of tanks, when left out.",
        EQUIPMENT, example={"diesel": 10}, type="mapping of str to float",
    )] = Field(default_factory=dict)
    reserve: Annotated[Reserve | None, Input(
        "Reserve",
        "What must be carried through the trip of a unit, a step of the load or a fall of the sun. A mapping "
        "of the fields of `sitedesign.Reserve` makes one; an empty one is a careful owner's: N-1 on line or "
        "in the battery. Nothing is held when left out, unless `practice` says so.",
        EQUIPMENT, type="Reserve or mapping", sort="table",
    )] = None
    unit_rules: Annotated[Mapping[_TechnologyName, UnitRules], _BY_RULES, Input(
        "Rules of units",
        "Starts, down times, ramps and calendars by technology. Each a mapping of the fields of "
        "`sitedesign.UnitRules`; what it leaves out is the library's.",
        EQUIPMENT, type="mapping of str to UnitRules or mapping", sort="table",
    )] = Field(default_factory=dict)
    ride_through: Annotated[Literal["hall", "ups", "none"], Input(
        "Ride-through",
        "What carries the load until units have started. ``hall``: the hall's own supply, whose cost is "
        "part of the hall and which never fails. ``ups``: the same minutes, paid here, with a share that "
        "fails. ``none``: units need all their start time, which the battery has to carry.",
        EQUIPMENT, words={
            "hall": "the hall's own, part of its cost",
            "ups": "uninterruptible supply, paid here",
            "none": "nothing but the battery",
        },
    )] = "hall"
    practice: Annotated[Literal["plain", "careful"], Input(
        "Practice",
        "What a plant is held to where `reserve`, `unit_rules` and `ride_through` say nothing. ``plain``: "
        "lowest load, start times and failures of units; nothing is held for a trip, starts wear nothing, "
        "the hall's ride-through never fails. ``careful``: the reserve of a careful owner (N-1 on line or in "
        "the battery, whose power carries the trip of the largest unit while others start), the library's "
        "rules of every technology, a ride-through that is paid and may fail, the warranty of the battery.",
        EQUIPMENT, words={
            "plain": "lowest load and start times alone",
            "careful": "a careful owner's: N-1, wear of starts, paid ride-through",
        },
    )] = "plain"
    surplus: Annotated[tuple[Surplus, ...], Input(
        "Takers of surplus",
        "Who may take power while it pays, without a promise: a town, miners, racks of best effort. The "
        "optimiser chooses how much of each is built. Names of library entries, or `sitedesign.Surplus`.",
        EQUIPMENT, example=("miner",), sort="words", type="sequence of str or Surplus", several=True,
    )] = ()
    facility: Annotated[Facility, Input(
        "Cooling",
        "Building and cooling.",
        EQUIPMENT, default="dry_cooler", sort="entry", type="str or Facility",
    )]
    finance: Annotated[Finance, Input(
        "Finance",
        "Cost of capital, lives and taxes.",
        PRICES, default="default", sort="entry", type="str or Finance",
    )]
    fuel_price_usd_per_mmbtu: Annotated[Mapping[_FuelName, Annotated[float, FUEL_PRICE]], _BY_FUEL, Input(
        "Fuel prices",
        "Delivered price by fuel, in place of the library's.",
        PRICES, type="mapping of str to float",
    )] = Field(default_factory=dict)
    region: Annotated[Region | Literal["site"] | None, Input(
        "Region",
        "Whose prices hold. ``site``: those of the state that the site lies in, for gas and its transport, "
        "land and installed costs; where there are none, the library's own. None: the library's own. Or the "
        "name of a region, see 'library list region'; or a mapping of the figures that differ from those of "
        "the site's region, or of the one that it ``extends``.",
        PRICES, default="site", example="texas", sort="entry", type="str, Region, mapping or None",
        planner=False,
    )] = "site"
    gas_contract: Annotated[GasContract | None, Input(
        "Gas contract",
        "Transport of the natural gas, the region's when left out. ``firm``: the full load of every unit is "
        "reserved and paid all year. "
        "``interruptible``: nothing is reserved, and the pipeline cuts off when it is full, above all in "
        "cold.",
        PRICES, words={"firm": "firm transport", "interruptible": "interruptible transport"},
    )] = None
    own_entries: Annotated[tuple[Fuel | PowerPath, ...], Input(
        "Own fuels and power path",
        "Library entries of your own in place of those of the same name that a question uses without naming "
        "them: fuels and power paths. Entries or paths of their files.",
        PRICES, sort="table", type="sequence of Fuel, PowerPath or str",
    )] = ()
    co2_price_usd_per_t: Annotated[
        float, Measure("USD/t", 0, 10_000), Input("CO2 price", "Price of the CO2 of the backup.", PRICES)
    ] = 0.0
    limits: Annotated[
        Limits, Input("Limits", "Bounds of the design.", LIMITS, type="Limits or mapping")
    ] = Limits()
    min_renewable_share: Annotated[float | None, SHARE, Input(
        "Least share without backup", "Least share of the load not met by backup.", LIMITS, example=0.5,
    )] = None
    delay_cost_usd_per_month: Annotated[float, Measure("USD/month", 0, 1e12), Input(
        "Cost of delay", "What each month until first power costs, once.", PRICES,
    )] = 0.0
    plant_age_yr: Annotated[float, Measure("yr", 0, 50), Input(
        "Age of the plant",
        "Age at which the plant is sized. The array has degraded and the load has grown to that year, for "
        "which it is certified as well; in all years before it has more sun and less load.",
        DETAILS,
    )] = 10.0
    load_growth_per_yr: Annotated[float, GROWTH, Input(
        "Growth of the load",
        "Growth of the power that each contracted rack draws. The number of racks stays; the plant is sized "
        "and certified for the load of the year `plant_age_yr`.",
        DETAILS,
    )] = 0.0
    construction_start: Annotated[date, _DAY, Input(
        "Construction starts", "Day that decides the tax credits, with `in_service`.", DETAILS,
    )] = date(2027, 1, 1)
    in_service: Annotated[
        date, _DAY, Input("In service", "First day of operation, for the tax credits.", DETAILS)
    ] = date(2028, 7, 1)
    accept: Annotated[tuple[str, ...], BeforeValidator(_one_or_many), Input(
        "Accepted",
        "What an error asked back, and you mean: ``large_load``, ``weather_flags``.",
        LOAD, example=("large_load",), sort="words", type="sequence of str", several=True,
    )] = ()
    solar_profile: Annotated[Any, OrNone(_Profile()), Input(
        "Own solar profile",
        "Own production, MW per MWdc at the bus; stands in for weather. Units in names and comments "
        'are read; a mapping says what is not there: ``{"file": "pv.csv", "unit": "kW", "rated_mw": '
        "50}``, see :func:`~sitedesign.components.own_profile.profile.read_profile`. It is what the "
        "array delivers: no outages of its blocks on top. Certificates draw years from it, six of "
        "them at least; with fewer they cover these years only, and say so.",
        WEATHER, example="profile.csv", sort="file", type="series, array, path or mapping",
    )] = Field(default=None, repr=False)
    load_profile: Annotated[Any, OrNone(_Profile()), Input(
        "Own load profile",
        "Own facility load of the contracted racks, in MW. At the bus; stands in for racks x power x "
        "PUE. One year is repeated; as many as the weather's go with its days when years are drawn.",
        WEATHER, example="load.csv", sort="file", type="series, array, path or mapping",
    )] = Field(default=None, repr=False)
    # fmt: on


#: Inputs that are files or what such a file holds.
PROFILES = tuple(name for name, item in declared(StudyInputs).items() if item.sort == "file")
