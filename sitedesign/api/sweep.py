"""Sweeps of a study: the frontier over one target, limit or price, and panels against batteries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from math import inf, nan
from typing import Any

import pandas as pd

from sitedesign.case.build import StudyCase, build_case, unit_costs
from sitedesign.case.case import Case
from sitedesign.case.plant import sizes_of
from sitedesign.case.years import cyclic_start_step, shift_start
from sitedesign.errors import Fault, InputError
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
from sitedesign.study.effort import GAP
from sitedesign.study.inputs import FUEL_PRICE, StudyInputs
from sitedesign.study.limits import Limits
from sitedesign.study.study import Study
from sitedesign.util.gate import CALL, Gate, Kind, Many, Measure, OneOf, takes
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
_TERMS = Kind((Terms,), "must be a sitedesign.Terms", "For example finance=sd.Terms().")


def _range(over: str) -> Gate:
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


@takes(
    "frontier()",
    over=OneOf(OVER),
    values=Many(Measure("", -inf, inf, above=True, below=True), "must be a list of numbers", 1, 10_000),
    gap=GAP,
    progress=CALL,
    finance=_TERMS,
)
def frontier(
    study: Study,
    over: str,
    values: Iterable[float],
    *,
    gap: float = 1e-4,
    progress: Progress | None = None,
    finance: Terms | None = None,
) -> pd.DataFrame:
    """Solve a study for several values of one target, limit or price; cuts found for one serve the others.

    Parameters
    ----------
    study : Study
    over : str
        ``uptime``, ``min_renewable_share`` [fraction], ``land_acres``, ``co2_t_per_yr``, ``months_to_power``,
        ``battery price`` [USD/kWh], ``battery power price`` [USD/kW], ``solar price`` [USD/Wdc],
        ``gas price`` or ``diesel price`` [USD/MMBtu].
    values : iterable of float
    gap : float
        Relative optimality gap of each answer. [fraction]
    progress : callable, optional
        Called with one line of text per answer.
    finance : Terms, optional
        Also find what power has to cost after taxes on these terms; ``sd.Terms()`` for those of the library.

    Returns
    -------
    DataFrame
        One row a value: the value, capacities, units, racks, ``cost_usd_per_yr``, ``bound_usd_per_yr``,
        ``gap``, ``uptime_price_usd_per_mwh``, ``renewable_share``, ``project_usd_per_yr`` (racks and hall
        included), ``delivered_rack_h_per_yr`` and ``usd_per_rack_h`` of it, and ``reason`` where none is
        possible. All with perfect foresight and no equipment failures: bounds. With `finance` also
        ``lcoe_usd_per_mwh`` (annualised) and ``price_usd_per_mwh`` (in year 1, at which equity earns its
        return after taxes); ``attrs["note"]`` of the table then says whether both rank alike.

    Raises
    ------
    InputError
        If `over` or a value cannot be used, or a connection to the grid or takers of surplus are to be
        financed in a sweep.
    """
    numbers = [float(value) for value in values]
    faults = [fault for value in numbers for fault in _range(over).faults("values", value)]
    faults += study_faults(study, over) + _finance_faults(study, finance)
    if faults:
        raise InputError(faults, "frontier()")
    study_case = build_case(study)
    vary = _BUDGETS[over] if over in _BUDGETS else _price(study_case, over)
    points = parametric.frontier(_case(study_case), vary, numbers, gap=gap, progress=progress)
    table = _table(study_case, over.replace(" ", "_"), points)
    if finance is not None:
        plants = [_financed(study_case, over, vary, point) for point in points]
        _with_prices(table, plants, finance)
    return table


@takes("tradeoff()", points=Measure("points", 2, 1000, whole=True), gap=GAP, progress=CALL, finance=_TERMS)
def tradeoff(
    study: Study,
    *,
    points: int = 15,
    gap: float = 1e-4,
    progress: Progress | None = None,
    finance: Terms | None = None,
) -> pd.DataFrame:
    """Best plant for each size of the array at the same uptime: panels against batteries.

    Parameters
    ----------
    study : Study
    points : int
        Sizes of the array, from half to twice the optimum.
    gap : float
        [fraction]
    progress : callable, optional
    finance : Terms, optional
        As for :func:`frontier`.

    Returns
    -------
    DataFrame
        As :func:`frontier`; the value is ``array_mw``.

    Raises
    ------
    InputError
        If the study leaves open what a sweep needs fixed.
    """
    faults = study_faults(study, "array_mw") + _finance_faults(study, finance)
    if faults:
        raise InputError(faults, "tradeoff()")
    study_case = build_case(study)
    found = parametric.tradeoff(_case(study_case), points=points, gap=gap, progress=progress)
    table = _table(study_case, "array_mw", found)
    if finance is not None:
        _with_prices(table, [_financed(study_case, "array_mw", None, point) for point in found], finance)
    return table


def _finance_faults(study: Study, finance: Terms | None) -> list[Fault]:
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
        study = _priced_study(study_case.study, over, point.value)
        own = replace(study_case, study=study, unit_costs=unit_costs(study))
        case = vary(case, point.value) if callable(vary) else case
    served = case.load_mwh_per_yr - sizing.lost_mwh_per_yr
    delivered = delivered_rack_h_per_yr(case, sizing)
    plant = sized_plant(own, case, sizing.plant, sizing.level_mwh_per_yr, served, delivered)
    return plant, own.study


def _priced_study(study: Study, over: str, value: float) -> Study:
    """Study at a price of a sweep."""
    if over == "solar price":
        return study.replace(pv=study.pv.replace(capex_usd_per_wdc=value))
    if over in ("battery price", "battery power price"):
        field = "capex_usd_per_kwh" if over == "battery price" else "capex_usd_per_kw"
        return study.replace(battery=study.battery.replace(**{field: value}))
    return study  # prices of fuel stand in the case


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
