"""sitedesign: the power plant and the rack count of an AI data center that cannot wait for the grid.

>>> import sitedesign as sd
>>> site = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
>>> design = sd.solve(site=site, racks=700, uptime=0.999)  # doctest: +SKIP
"""

from __future__ import annotations

import gc
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sitedesign.util.kernel_cache import keep_somewhere

__version__ = "0.1.0"

keep_somewhere()  # before anything loads numba

if TYPE_CHECKING:
    from types import ModuleType

    from sitedesign import errors, library
    from sitedesign.api.alternatives import alternatives
    from sitedesign.api.battery_life import battery_life
    from sitedesign.api.cash_flow import CashFlow, cash_flow
    from sitedesign.api.certify import certify
    from sitedesign.api.compare import compare
    from sitedesign.api.design import Design
    from sitedesign.api.evaluate import evaluate
    from sitedesign.api.plant_life import plant_life
    from sitedesign.api.roadmap import roadmap
    from sitedesign.api.roadmap_answer import Roadmap
    from sitedesign.api.sensitivity import sensitivity
    from sitedesign.api.solve import solve
    from sitedesign.api.sweep import frontier, tradeoff
    from sitedesign.api.tanks import tank_sizes
    from sitedesign.batch.ranking import rank
    from sitedesign.batch.screening import solve_many
    from sitedesign.batch.site_grid import land_grid
    from sitedesign.components.grid_connection import Curtailment, WireOutages
    from sitedesign.errors import Fault, InfeasibleDesign, InputError, NotProvenOptimal, SiteDesignError
    from sitedesign.finance.billing_calendar import When
    from sitedesign.finance.charges import CoincidentCharge, DemandCharge, EnergyCharge
    from sitedesign.finance.tariff import Tariff
    from sitedesign.finance.terms import Terms
    from sitedesign.fleet.choosing import portfolio
    from sitedesign.fleet.result import Portfolio
    from sitedesign.operation.forecast import Forecast
    from sitedesign.operation.state import Controller
    from sitedesign.reliability.certificate import Certificate
    from sitedesign.reliability.estimate import Estimate
    from sitedesign.results.battery_life import BatteryLife
    from sitedesign.results.evaluation import Evaluation
    from sitedesign.results.near_optimal import Alternatives
    from sitedesign.results.plant_life import PlantLife
    from sitedesign.results.sensitivity import Sensitivity
    from sitedesign.study.demand import LoadClass as LoadClass
    from sitedesign.study.grid import Grid
    from sitedesign.study.limits import Limits
    from sitedesign.study.reserve import Reserve
    from sitedesign.study.roadmap_inputs import DateRange, Delivery, Ramp, Rental, Scenario
    from sitedesign.study.study import Study
    from sitedesign.study.surplus import Surplus
    from sitedesign.study.toml_file import read_study
    from sitedesign.study.unit_rules import UnitRules
    from sitedesign.weather.site import Site
    from sitedesign.weather.weather import Weather

# Public name -> module (and the name there, where it differs). Loaded on first use: the solver and the
# compiled kernels take seconds to import, and `sitedesign --help` needs neither.
_HOME = {
    "BatteryLife": "results.battery_life",
    "Alternatives": "results.near_optimal",
    "CashFlow": "api.cash_flow",
    "Certificate": "reliability.certificate",
    "CoincidentCharge": "finance.charges",
    "Controller": "operation.state",
    "Curtailment": "components.grid_connection",
    "DateRange": "study.roadmap_inputs",
    "Delivery": "study.roadmap_inputs",
    "DemandCharge": "finance.charges",
    "Design": "api.design",
    "EnergyCharge": "finance.charges",
    "Estimate": "reliability.estimate",
    "Evaluation": "results.evaluation",
    "Fault": "errors",
    "Forecast": "operation.forecast",
    "Grid": "study.grid",
    "InfeasibleDesign": "errors",
    "InputError": "errors",
    "Limits": "study.limits",
    "LoadClass": "study.demand:LoadClass",
    "NotProvenOptimal": "errors",
    "PlantLife": "results.plant_life",
    "Portfolio": "fleet.result",
    "Ramp": "study.roadmap_inputs",
    "Rental": "study.roadmap_inputs",
    "Roadmap": "api.roadmap_answer",
    "Scenario": "study.roadmap_inputs",
    "Reserve": "study.reserve",
    "Sensitivity": "results.sensitivity",
    "Site": "weather.site",
    "SiteDesignError": "errors",
    "Study": "study.study",
    "Surplus": "study.surplus",
    "Tariff": "finance.tariff",
    "Terms": "finance.terms",
    "UnitRules": "study.unit_rules",
    "Weather": "weather.weather",
    "When": "finance.billing_calendar",
    "WireOutages": "components.grid_connection",
    "battery_life": "api.battery_life",
    "alternatives": "api.alternatives",
    "cash_flow": "api.cash_flow",
    "compare": "api.compare",
    "certify": "api.certify",
    "evaluate": "api.evaluate",
    "frontier": "api.sweep",
    "tradeoff": "api.sweep",
    "land_grid": "batch.site_grid",
    "plant_life": "api.plant_life",
    "portfolio": "fleet.choosing",
    "rank": "batch.ranking",
    "read_study": "study.toml_file",
    "roadmap": "api.roadmap",
    "sensitivity": "api.sensitivity",
    "solve": "api.solve",
    "solve_many": "batch.screening",
    "tank_sizes": "api.tanks",
}

__all__ = [
    "Alternatives",
    "BatteryLife",
    "CashFlow",
    "Certificate",
    "CoincidentCharge",
    "Controller",
    "Curtailment",
    "DateRange",
    "Delivery",
    "DemandCharge",
    "Design",
    "EnergyCharge",
    "Estimate",
    "Evaluation",
    "Fault",
    "Forecast",
    "Grid",
    "InfeasibleDesign",
    "InputError",
    "Limits",
    "LoadClass",
    "NotProvenOptimal",
    "PlantLife",
    "Portfolio",
    "Ramp",
    "Rental",
    "Reserve",
    "Roadmap",
    "Scenario",
    "Sensitivity",
    "Site",
    "SiteDesignError",
    "Study",
    "Surplus",
    "Tariff",
    "Terms",
    "UnitRules",
    "Weather",
    "When",
    "WireOutages",
    "__version__",
    "alternatives",
    "battery_life",
    "cash_flow",
    "certify",
    "compare",
    "errors",
    "evaluate",
    "frontier",
    "land_grid",
    "library",
    "plant_life",
    "portfolio",
    "rank",
    "read_study",
    "roadmap",
    "sensitivity",
    "solve",
    "solve_many",
    "tank_sizes",
    "tradeoff",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import a public name from its module on first use."""
    if name in ("errors", "library"):
        return import_module(f"sitedesign.{name}")
    if name in _HOME:
        module, _, own_name = _HOME[name].partition(":")
        value = getattr(_imported(f"sitedesign.{module}"), own_name or name)
        globals()[name] = value
        return value
    message = f"module 'sitedesign' has no attribute {name!r}"
    raise AttributeError(message)


def _imported(module: str) -> ModuleType:
    """Import a module: what that makes lives on, and to look for garbage in it takes a fifth of a second."""
    if not gc.isenabled():
        return import_module(module)
    gc.disable()
    try:
        return import_module(module)
    finally:
        gc.enable()


def __dir__() -> list[str]:
    """Public names, loaded or not."""
    return __all__
