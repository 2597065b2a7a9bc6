"""At which price or date the plan changes kind: by bisection on the exact optimum."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from sitedesign.case.case import NOTHING, Case
from sitedesign.errors import InfeasibleDesign, InputError
from sitedesign.influence.bound import BoundSolver, Branch
from sitedesign.influence.ranges import RangedNumber, number_of, with_value
from sitedesign.library import KINDS
from sitedesign.optimize.result import OptimizationResult
from sitedesign.results.sensitivity import SwitchingValue
from sitedesign.study.study import Study

HALF = 0.5  # of the energy, from where on sun and wind carry the plant
BATTERY_H = 4.0  # of the mean load
_PLACES = 7  # prices tried before any interval is halved
_WIDTH = 0.01  # of the price: how close both sides of a switching value come
_BEYOND = 2.0  # how far prices are tried beyond their range, either way
_EARLIEST, _LATEST = 1.0, 120.0  # [months]
GAS = "natural_gas"

#: What kind of plan it is, and how its two sides read.
KINDS_OF_PLAN = {
    "half_renewable": ("sun and wind give less than half of the energy", "sun and wind give more than half"),
    "battery_hours": ("the battery holds less than 4 h of load", "the battery holds more than 4 h"),
    "gas": ("no unit burns gas", "units burn gas"),
    "possible": ("no plan is possible", "a plan is possible"),
}
Signature = dict[str, bool]


@dataclass(frozen=True)
class Driver:
    """What is varied: name, unit, today's value, where it is tried, the question with another value."""

    name: str
    unit: str
    now: float | None
    places: tuple[float, ...]
    ask: Callable[[float], Case]
    stepwise: bool = False  # nothing changes between two places


def switching_values(solver: BoundSolver, driver: Driver) -> list[SwitchingValue]:
    """Find where the plan changes kind as one price or date moves.

    Parameters
    ----------
    solver : BoundSolver
    driver : Driver
        One of :func:`drivers`.

    Returns
    -------
    list of SwitchingValue
        Both sides are solved; prices as far as twice beyond the ends of their ranges.
    """
    return list(_switches(solver, driver))


def kind_of_plan(solver: BoundSolver, case: Case, sizing: OptimizationResult) -> Signature:
    """Say what kind of plan an optimum is, by the names of `KINDS_OF_PLAN`."""
    bought = sum(sizing.level_mwh_per_yr[: sum(len(item.levels) for item in case.supplies)])
    load = case.load_mwh_per_yr
    fuels = {item.name: item.fuel for item in solver.base.study.backup}
    burns = [n for item, n in zip(case.backup, sizing.plant.units, strict=True) if fuels[item.name] == GAS]
    hours = sizing.plant.battery_mwh / float(case.load_mw.mean())
    return {
        "half_renewable": 1 - bought / load > HALF,
        "battery_hours": hours > BATTERY_H,
        "gas": any(n > 0 for n in burns),
        "possible": True,
    }


def _switches(solver: BoundSolver, driver: Driver) -> Iterator[SwitchingValue]:
    known: dict[float, Signature] = {}
    branch = Branch(solver)

    def signature(value: float) -> Signature:
        if value not in known:
            try:
                case = driver.ask(value)
                known[value] = kind_of_plan(solver, case, branch.solve(case))
            except (InfeasibleDesign, InputError):
                known[value] = {"possible": False}
        return known[value]

    for low, high in zip(driver.places, driver.places[1:], strict=False):
        for kind, words in KINDS_OF_PLAN.items():
            left, right = low, high
            if signature(left).get(kind) is None or signature(right).get(kind) is None:
                continue  # there is no plan that could be of a kind
            if signature(left)[kind] == signature(right)[kind]:
                continue
            while not driver.stepwise and right - left > _WIDTH * max(abs(right), NOTHING):
                middle = 0.5 * (left + right)
                there = signature(middle).get(kind)
                if there is None:
                    break
                left, right = (middle, right) if there == signature(left)[kind] else (left, middle)
            left = right if driver.stepwise else left
            sides = words if signature(right)[kind] else words[::-1]
            yield SwitchingValue(
                over=driver.name, unit=driver.unit, now=driver.now, kind=kind, low=left, high=right,
                below=sides[0], above=sides[1],
            )  # fmt: skip


def drivers(solver: BoundSolver) -> Iterator[Driver]:
    """List the prices and dates of a question at which its plan may change kind."""
    study, base = solver.base.study, solver.base.case
    prices = (
        ("gas price", "fuel", GAS, "price_usd_per_mmbtu"),
        ("battery price", "battery", study.battery.name, "capex_usd_per_kwh"),
        ("solar price", "pv", study.pv.name, "capex_usd_per_wdc"),
    )
    for name, kind, entry, field in prices:
        number = number_of(study, kind, entry, field)
        if number is not None and number.value > 0:
            yield Driver(name, number.unit, number.value, _around(number, kind), _with_price(solver, number))
    leads = sorted({round(lead, 9) for lead in _leads(base)})
    yield Driver("months to power", "months", study.limits.months_to_power, tuple(leads), _within(base), True)
    if study.grid is not None:
        months = base.imports[0].lead_months
        places = tuple(np.linspace(_EARLIEST, max(_LATEST, months), _PLACES).tolist())
        yield Driver("connection date", "months", months, places, _connected(solver, study))


def _around(number: RangedNumber, kind: str) -> tuple[float, ...]:
    allowed = KINDS[kind].numbers()[number.field]
    low = max(min(number.low, number.value) / _BEYOND, allowed.low)
    high = min(max(number.high, number.value) * _BEYOND, allowed.high)
    return tuple(np.geomspace(max(low, NOTHING), high, _PLACES).tolist())


def _leads(case: Case) -> list[float]:
    supplies = [item.lead_months for item in case.supplies]
    return [case.battery_lead_months, *(item.lead_months for item in case.resources), *supplies]


def _with_price(solver: BoundSolver, number: RangedNumber) -> Callable[[float], Case]:
    return lambda value: solver.changed(with_value(solver.base.study, number, value)).case


def _within(case: Case) -> Callable[[float], Case]:
    return lambda months: replace(case, limits=replace(case.limits, months_to_power=months))


def _connected(solver: BoundSolver, study: Study) -> Callable[[float], Case]:
    assert study.grid is not None
    grid = study.grid
    return lambda months: solver.changed(study.replace(grid=grid.replace(months=months))).case
