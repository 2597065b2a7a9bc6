"""Bounds along a sweep of a study: cuts found for one value serve the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from math import nan
from typing import Any

import pandas as pd

from sitedesign.case.build import StudyCase, build_case, unit_costs
from sitedesign.case.case import Case
from sitedesign.case.plant import sizes_of
from sitedesign.case.years import cyclic_start_step, shift_start
from sitedesign.errors import Fault
from sitedesign.finance import annual_cost
from sitedesign.finance.terms import Terms
from sitedesign.foresight.compute_cost import delivered_rack_h_per_yr
from sitedesign.library import Battery, Pv
from sitedesign.optimize import parametric
from sitedesign.optimize.parametric import SweepPoint, Vary
from sitedesign.optimize.result import OptimizationResult
from sitedesign.results.accounting import project_costs
from sitedesign.results.after_tax import price_for_return, ranking_note
from sitedesign.results.sized_plant import SizedPlant, sized_plant
from sitedesign.study.inputs import FUEL_PRICE, StudyInputs
from sitedesign.study.limits import Limits
from sitedesign.study.study import Study
from sitedesign.util.gate import Gate, Measure
from sitedesign.util.inputs import declared
from sitedesign.util.progress import Progress

_BUDGETS = {
    "uptime": "uptime",
    "min_renewable_share": "min_renewable_share",
    "land_acres": "land_acres",
    "co2_t_per_yr": "max_co2_t_per_yr",
    "months_to_power": "months_to_power",
}
_PRICES = ("battery price", "battery power price", "solar price", "gas price", "diesel price")
OVER = (*_BUDGETS, *_PRICES)
_LIMITS = ("land_acres", "co2_t_per_yr", "months_to_power")
_FUELS = {"gas price": "natural_gas", "diesel price": "diesel"}
#: Takes the table so far.
Keep = Callable[[pd.DataFrame], None]


def value_range(over: str) -> Gate:
    """Give what a value of the swept target, limit or price may be."""
    numbers = {
        "battery price": Battery.numbers()["capex_usd_per_kwh"],
        "battery power price": Battery.numbers()["capex_usd_per_kw"],
        "solar price": Pv.numbers()["capex_usd_per_wdc"],
    }
    if over in numbers:
        return Measure(numbers[over].unit, numbers[over].low, numbers[over].high)
    own = (declared(StudyInputs) | declared(Limits)).get(over)
    return FUEL_PRICE if own is None or own.gate is None else own.gate


def bound_frontier(
    study: Study,
    over: str,
    numbers: Sequence[float],
    *,
    gap: float,
    progress: Progress | None = None,
    keep: Keep | None = None,
    finance: Terms | None = None,
) -> pd.DataFrame:
    """Solve a study with foresight at several values; see :func:`sitedesign.frontier`."""
    study_case = build_case(study)
    vary = _BUDGETS[over] if over in _BUDGETS else _price(study_case, over)
    show = _shown_so_far(study_case, over.replace(" ", "_"), keep)
    points = parametric.frontier(_case(study_case), vary, numbers, gap=gap, progress=progress, each=show)
    table = _table(study_case, over.replace(" ", "_"), points)
    if finance is not None:
        plants = [_financed(study_case, over, vary, point) for point in points]
        _with_prices(table, plants, finance)
    return table


def bound_tradeoff(
    study: Study,
    *,
    points: int,
    gap: float,
    progress: Progress | None = None,
    keep: Keep | None = None,
    finance: Terms | None = None,
) -> pd.DataFrame:
    """Find the best plant with foresight for each size of the array; see :func:`sitedesign.tradeoff`."""
    study_case = build_case(study)
    show = _shown_so_far(study_case, "array_mw", keep)
    found = parametric.tradeoff(_case(study_case), points=points, gap=gap, progress=progress, each=show)
    table = _table(study_case, "array_mw", found)
    if finance is not None:
        _with_prices(table, [_financed(study_case, "array_mw", None, point) for point in found], finance)
    return table


def study_at(study: Study, over: str, value: float) -> Study:
    """Ask a study at one value of a sweep.

    Parameters
    ----------
    study : Study
    over : str
        As :func:`sitedesign.frontier` takes it, or ``array_mw`` for a size of the array. [MWdc]
    value : float
    """
    if over in ("uptime", "min_renewable_share"):
        return study.replace(**{over: value})
    if over in (*_LIMITS, "array_mw"):
        limits = {name: getattr(study.limits, name) for name in study.limits.model_fields_set}
        limits |= {"solar_mw": (value, value)} if over == "array_mw" else {over: value}
        return study.replace(limits=limits)
    if over == "solar price":
        return study.replace(pv=study.pv.replace(capex_usd_per_wdc=value))
    if over in ("battery price", "battery power price"):
        field = "capex_usd_per_kwh" if over == "battery price" else "capex_usd_per_kw"
        return study.replace(battery=study.battery.replace(**{field: value}))
    prices = dict(study.fuel_price_usd_per_mmbtu or {}) | {_FUELS[over]: value}
    return study.replace(fuel_price_usd_per_mmbtu=prices)


def _shown_so_far(study_case: StudyCase, name: str, keep: Keep | None) -> Callable[[SweepPoint], None] | None:
    """Hand over the table so far with every answer."""
    if keep is None:
        return None
    points: list[SweepPoint] = []

    def show(point: SweepPoint) -> None:
        points.append(point)
        keep(_table(study_case, name, points))

    return show


def finance_faults(study: Study, finance: Terms | None) -> list[Fault]:
    """Find what cannot be financed without the hours of its dispatch."""
    if finance is None or not isinstance(study, Study) or not (study.grid is not None or study.surplus):
        return []
    allowed = "a sweep finances islands, without the hours that bills and sales need"
    remedy = "Solve each question with sd.solve() and give the designs to sd.compare()."
    return [Fault("finance", "a connection to the grid or takers of surplus", allowed, remedy)]


def _financed(
    study_case: StudyCase, over: str, vary: str | Vary | None, point: SweepPoint
) -> tuple[SizedPlant, Study] | None:
    """Plant of an answer at its own prices, and the study that it answers; None where there is none."""
    sizing = point.sizing
    if sizing is None:
        return None
    case, own = study_case.case, study_case
    if over in _PRICES:
        # Prices of fuel stand in the case
        study = study_case.study if over in _FUELS else study_at(study_case.study, over, point.value)
        own = replace(study_case, study=study, unit_costs=unit_costs(study))
        case = vary(case, point.value) if callable(vary) else case
    served = case.load_mwh_per_yr - sizing.lost_mwh_per_yr
    delivered = delivered_rack_h_per_yr(case, sizing)
    plant = sized_plant(own, case, sizing.plant, sizing.level_mwh_per_yr, served, delivered)
    return plant, own.study


def _with_prices(
    table: pd.DataFrame, plants: Sequence[tuple[SizedPlant, Study] | None], terms: Terms
) -> None:
    """Put annualised cost and price after taxes of each plant beside its row, and how both rank."""
    table["lcoe_usd_per_mwh"] = [nan if found is None else found[0].lcoe_usd_per_mwh for found in plants]
    table["price_usd_per_mwh"] = [
        nan if found is None else price_for_return(*found, terms) for found in plants
    ]
    name = str(table.columns[0])
    table.attrs["note"] = ranking_note(
        [f"{name.replace('_', ' ')} {value:g}" for value in table[name]],
        table["lcoe_usd_per_mwh"].tolist(),
        table["price_usd_per_mwh"].tolist(),
    )


def _case(study_case: StudyCase) -> Case:
    return shift_start(study_case.case, cyclic_start_step(study_case.case))


def study_faults(study: Study, over: str) -> list[Fault]:
    """Find what a study leaves open that a sweep needs fixed."""
    if not isinstance(study, Study):
        return [Fault("study", repr(type(study).__name__), "must be a sitedesign.Study")]
    faults = []
    if study.power_paths:
        remedy = "Use study.replace(pv=...) with one of them."
        faults.append(Fault("study.pv", "several power paths", "a sweep takes one", remedy))
    if study.spares == "share" and study.sharing_racks is None:
        allowed = "a sweep takes one number of racks"
        faults.append(Fault("study.spares", "'share'", allowed, "Use study.with_racks(...)."))
    if study.objective == "compute_cost" and over != "uptime":
        allowed = "a sweep solves for the least cost at one uptime"
        remedy = "Use study.replace(objective='cost', uptime=...), or sweep over 'uptime'."
        faults.append(Fault("study.objective", "'compute_cost'", allowed, remedy))
    if over == "uptime" and len(study.contracts) > 1:
        found, allowed = "several classes", "each class has a target of its own"
        faults.append(Fault("study.classes", found, allowed, "Change one class with study.replace."))
    return faults


def _price(study_case: StudyCase, over: str) -> Callable[[Case, float], Case]:
    """How a price of the library changes the case."""
    study = study_case.study

    def capital(changes: Callable[[float], dict[str, Any]]) -> Callable[[Case, float], Case]:
        def change(case: Case, value: float) -> Case:
            costs = unit_costs(study.replace(**changes(value)))
            return replace(
                case.with_resource(annual_cost_usd_per_mw=costs.solar.total_usd_per_yr),
                battery_cost_usd_per_mwh_yr=costs.battery_energy.total_usd_per_yr,
                battery_cost_usd_per_mw_yr=costs.battery_power.total_usd_per_yr,
            )

        return change

    def fuel(name: str) -> Callable[[Case, float], Case]:
        def change(case: Case, value: float) -> Case:
            backup = tuple(
                replace(
                    item,
                    marginal_cost_usd_per_mwh=annual_cost.backup_marginal_cost(
                        entry,
                        study.fuel(entry),
                        study.path,
                        value,
                        study.co2_price_usd_per_t,
                        item.fuel_mmbtu_per_mwh,
                    ),
                )
                if entry.fuel == name
                else item
                for item, entry in zip(case.backup, study.backup, strict=True)
            )
            return replace(case, backup=backup)

        return change

    return {
        "battery price": capital(lambda usd: {"battery": study.battery.replace(capex_usd_per_kwh=usd)}),
        "battery power price": capital(lambda usd: {"battery": study.battery.replace(capex_usd_per_kw=usd)}),
        "solar price": capital(lambda usd: {"pv": study.pv.replace(capex_usd_per_wdc=usd)}),
        "gas price": fuel("natural_gas"),
        "diesel price": fuel("diesel"),
    }[over]


def _bought_mwh_per_yr(case: Case, sizing: OptimizationResult) -> float:
    """Energy of backup and imports. [MWh/yr]"""
    supplied = sum(len(item.levels) for item in case.supplies)
    return sum(sizing.level_mwh_per_yr[:supplied])


def _table(study_case: StudyCase, name: str, points: Iterable[SweepPoint]) -> pd.DataFrame:
    case = study_case.case
    sunk = sum(item.usd_per_yr for item in project_costs(study_case))
    rows = []
    for point in points:
        row: dict[str, Any] = {name: point.value, "reason": point.reason}
        if point.sizing is not None:
            sizing, plant = point.sizing, point.sizing.plant
            project, delivered = sunk + sizing.objective_usd_per_yr, delivered_rack_h_per_yr(case, sizing)
            row |= {
                **sizes_of(case, plant),
                **{f"units_{item.name}": n for item, n in zip(case.backup, plant.units, strict=True)},
                **{f"{i.name}_mw": n * i.unit_mw for i, n in zip(case.imports, plant.imports, strict=True)},
                **{f"{s.name}_mw": n * s.unit_mw for s, n in zip(case.sinks, plant.sinks, strict=True)},
                "racks_installed": plant.racks,
                "cost_usd_per_yr": sizing.objective_usd_per_yr,
                "bound_usd_per_yr": sizing.bound_usd_per_yr,
                "gap": sizing.gap,
                "uptime_price_usd_per_mwh": sizing.uptime_price_usd_per_mwh,
                "renewable_share": 1 - _bought_mwh_per_yr(case, sizing) / case.load_mwh_per_yr,
                "project_usd_per_yr": project,
                "delivered_rack_h_per_yr": delivered,
                "usd_per_rack_h": project / delivered if delivered > 0 else float("inf"),
            }
        rows.append(row)
    table = pd.DataFrame(rows)
    if name != "uptime" and "cost_usd_per_yr" in table:
        table.insert(1, "uptime", case.uptime_target)
    return table
