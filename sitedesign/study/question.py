"""Keywords of a question: the fields of a Study as functions take them, so that editors complete them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Literal, TypedDict, TypeVar, get_type_hints

from sitedesign.library import Backup, Battery, Facility, Finance, Fuel, PowerPath, Pv, Rack, Region, Wind
from sitedesign.study.demand import CurveName, LoadClass, Throughput, Use
from sitedesign.study.fuels import GasContract
from sitedesign.study.grid import Grid
from sitedesign.study.limits import Limits
from sitedesign.study.reserve import Reserve
from sitedesign.study.study import Study
from sitedesign.study.surplus import Surplus
from sitedesign.study.unit_rules import UnitRules
from sitedesign.util.inputs import declared
from sitedesign.weather.site import Site
from sitedesign.weather.weather import Weather

F = TypeVar("F", bound=Callable[..., Any])


class _Common(TypedDict, total=False):
    """Fields of :class:`~sitedesign.study.study.Study` that every function takes, as they may be given."""

    uptime: float
    it_mw: float
    gpus: int
    throughput: Throughput | Mapping[str, float]
    classes: Sequence[LoadClass | Mapping[str, Any]]
    rack: str | Rack
    metric: Literal["rack", "compute", "site", "floor"]
    objective: Literal["cost", "compute_cost"]
    lost_compute_usd_per_rack_h: float
    spares: Literal["standby", "share"]
    use: Use
    sustained_fraction: float
    throughput_curve: CurveName
    weather_years: int
    seed: int
    step_minutes: Literal[5, 10, 15, 30, 60]
    pv: str | Pv | Sequence[str | Pv]
    battery: str | Battery | Sequence[str | Battery]
    wind: Sequence[str | Wind]
    tank_h: Mapping[str, float]
    tank_choices_h: Mapping[str, Sequence[float]]
    lorries_per_day: Mapping[str, float]
    reserve: Reserve | Mapping[str, Any]
    unit_rules: Mapping[str, UnitRules | Mapping[str, Any]]
    ride_through: Literal["hall", "ups", "none"]
    practice: Literal["plain", "careful"]
    surplus: Sequence[str | Surplus | Mapping[str, Any]]
    facility: str | Facility
    finance: str | Finance
    fuel_price_usd_per_mmbtu: Mapping[str, float]
    region: str | Region | Mapping[str, Any] | None
    gas_contract: GasContract
    own_entries: Sequence[Fuel | PowerPath | str]
    co2_price_usd_per_t: float
    limits: Limits | Mapping[str, Any]
    min_renewable_share: float
    delay_cost_usd_per_month: float
    plant_age_yr: float
    load_growth_per_yr: float
    construction_start: date | str
    in_service: date | str
    accept: Sequence[str]
    solar_profile: Any
    load_profile: Any
    grid: Grid | Mapping[str, Any]


class QuestionOfSites(_Common, total=False):
    """What every site of a table is asked; the table has the places."""

    racks: int
    backup: Sequence[str | Backup]


class QuestionOfPlant(_Common, total=False):
    """Fields but those that say what is built, where a plant is given."""

    site: Site
    weather: Weather


class Question(QuestionOfPlant, total=False):
    """Every field."""

    racks: int
    backup: Sequence[str | Backup]


def with_fields(fields: type[Any]) -> Callable[[F], F]:
    """Show fields of a study in the signature of a function with ``**question``, where editors look.

    Parameters
    ----------
    fields : type
        The keywords that it takes: one of the classes above.
    """

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        own = [item for item in signature.parameters.values() if item.name != "question"]
        told, taken = declared(Study), get_type_hints(fields)
        asked = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=told[name].default,
                annotation=told[name].type_words,
            )
            for name in ("site", *(name for name in told if name != "site"))
            if name in taken
        ]
        first = [item for item in own if item.kind is not inspect.Parameter.KEYWORD_ONLY]
        needed = [item for item in own if item not in first and item.default is inspect.Parameter.empty]
        options = [item for item in own if item not in (*first, *needed)]
        function.__signature__ = signature.replace(parameters=[*first, *needed, *asked, *options])  # type: ignore[attr-defined]
        return function

    return decorate
