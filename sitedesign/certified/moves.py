"""Ways to change a plant or the controller it is run by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sitedesign.case.case import Case, ImportCase, SinkCase
from sitedesign.case.plant import Plant, sizes_of, with_sizes
from sitedesign.case.plant_limits import mean_load_mw, units_allowed, units_most
from sitedesign.certified.objective import Candidate
from sitedesign.operation.state import Controller

# Largest steps of a search: hours of mean load, then what is tuned of the controller.
STEP_H = {"battery_mwh": 1.0, "battery_mw": 0.1}
STEP_RESOURCE_H = 0.25
CONTROLLER_STEPS = {"forecast_z_score": 1.0, "capacity_credit": 0.2, "reserve_h": 1.0}
CONTROLLER_BOUNDS = {"forecast_z_score": (0.0, 6.0), "capacity_credit": (0.1, 1.0), "reserve_h": (0.0, 48.0)}
STEP_UNITS_H = 0.15
STEP_FLOW_H = 0.1  # of imports and sinks

Move = Callable[[Candidate, float], tuple[Plant, Controller]]  # by a share of the largest step


def change_controller(name: str) -> Move:
    """More or less of one figure of the controller."""

    def move(candidate: Candidate, step: float) -> tuple[Plant, Controller]:
        value = float(
            np.clip(
                getattr(candidate.controller, name) + step * CONTROLLER_STEPS[name], *CONTROLLER_BOUNDS[name]
            )
        )
        return candidate.plant, replace(candidate.controller, **{name: value})  # type: ignore[arg-type]  # numbers only

    return move


def change_sizes(case: Case, **signs: int) -> Move:
    """More or less of some sizes together."""
    load = mean_load_mw(case)

    def move(candidate: Candidate, step: float) -> tuple[Plant, Controller]:
        sizes = sizes_of(case, candidate.plant)
        changed = {
            name: sizes[name] + sign * step * STEP_H.get(name, STEP_RESOURCE_H) * load
            for name, sign in signs.items()
        }
        return with_sizes(case, candidate.plant, changed), candidate.controller

    return move


def size_axes(case: Case) -> list[dict[str, int]]:
    """Sizes that can be changed alone: battery energy and power are one where their hours are fixed."""
    limits = case.limits
    fixed = limits.max_duration_h is not None and limits.max_duration_h <= (limits.min_duration_h or 0.0)
    return [{size.name: 1} for size in case.sizes if not (fixed and size.name == "battery_mw")]


def change_racks(candidate: Candidate, step: float) -> tuple[Plant, Controller]:
    """So many racks more or fewer, one at least."""
    number = (1 if step > 0 else -1) * max(1, round(abs(step)))
    return replace(candidate.plant, racks=candidate.plant.racks + number), candidate.controller


def change_units(case: Case, k: int, **given: float) -> Move:
    """More or fewer units of one technology for some of what is named, in hours of their power."""
    item = case.backup[k]

    def move(candidate: Candidate, step: float) -> tuple[Plant, Controller]:
        plant, number = candidate.plant, unit_count(case, k, step) * (1 if step > 0 else -1)
        more = min(max(plant.units[k] + number, item.units_min), units_most(case, item)) - plant.units[k]
        if more * number <= 0:  # at a limit: nothing is given for nothing
            return plant, candidate.controller
        units = tuple(n + more * (i == k) for i, n in enumerate(plant.units))
        sizes = sizes_of(case, plant)
        less = {name: sizes[name] - share * more * item.unit_mw for name, share in given.items()}
        return replace(with_sizes(case, plant, less), units=units), candidate.controller

    return move


@dataclass(frozen=True)
class Flow:
    """An import or a sink whose size is to be decided.

    Attributes
    ----------
    item : ImportCase or SinkCase
    number : int
        Place among the imports or the sinks of the case.
    most : float
        Most units of it, none of what comes too late.
    step : float
        Largest step of a search. [units]
    """

    item: ImportCase | SinkCase
    number: int
    most: float
    step: float

    @property
    def is_import(self) -> bool:
        """Whether it gives power."""
        return isinstance(self.item, ImportCase)

    def units(self, step: float) -> float:
        """Units in a share of the largest step: one at least where only whole ones are built."""
        if not self.item.whole:
            return step * self.step
        return float(max(1, round(abs(step) * self.step)) * (1 if step > 0 else -1))

    def size(self, plant: Plant) -> float:
        """Size in a plant. [units]"""
        return (plant.imports if self.is_import else plant.sinks)[self.number]

    def resized(self, plant: Plant, size: float) -> Plant:
        """Give a plant another size of it. [units]"""
        built = plant.imports if self.is_import else plant.sinks
        sizes = tuple(size if i == self.number else n for i, n in enumerate(built))
        return replace(plant, imports=sizes) if self.is_import else replace(plant, sinks=sizes)


def variable_flows(case: Case) -> list[Flow]:
    """List imports and sinks whose size is to be decided."""
    step_mw = STEP_FLOW_H * mean_load_mw(case)
    imports = [
        Flow(item, number, units_allowed(case, item), step_mw / item.unit_mw)
        for number, item in enumerate(case.imports)
    ]
    sinks = [
        Flow(item, number, item.units_max, step_mw / item.unit_mw) for number, item in enumerate(case.sinks)
    ]
    return [flow for flow in (*imports, *sinks) if flow.most > flow.item.units_min]


def change_flow(case: Case, flow: Flow, **given: float) -> Move:
    """More or less of an import or a sink for some of what is named, in hours of its power."""

    def move(candidate: Candidate, step: float) -> tuple[Plant, Controller]:
        plant, here = candidate.plant, flow.size(candidate.plant)
        there = min(max(here + flow.units(step), flow.item.units_min), flow.most)
        if there == here:  # at a limit: nothing is given for nothing
            return plant, candidate.controller
        sizes, more_mw = sizes_of(case, plant), (there - here) * flow.item.unit_mw
        less = {name: sizes[name] - share * more_mw for name, share in given.items()}
        return flow.resized(with_sizes(case, plant, less), there), candidate.controller

    return move


def swap_for_units(case: Case, flow: Flow, k: int) -> Move:
    """More of an import for as much power of units, where both limits allow it."""
    item = case.backup[k]

    def move(candidate: Candidate, step: float) -> tuple[Plant, Controller]:
        plant, number = candidate.plant, unit_count(case, k, step) * (-1 if step > 0 else 1)
        units, size = plant.units[k] + number, flow.size(plant) - number * item.unit_mw / flow.item.unit_mw
        possible = item.units_min <= units <= units_most(case, item)
        if not possible or not flow.item.units_min <= size <= flow.most:
            return plant, candidate.controller
        counts = tuple(units if i == k else n for i, n in enumerate(plant.units))
        return flow.resized(replace(plant, units=counts), size), candidate.controller

    return move


def swap_units(case: Case, k: int, j: int) -> Move:
    """Units of one technology for as much power of another, where both limits allow it."""

    def move(candidate: Candidate, step: float) -> tuple[Plant, Controller]:
        a, b = (k, j) if step > 0 else (j, k)
        number = max(1, round(case.backup[a].unit_mw / case.backup[b].unit_mw))
        fewer = max(1, round(case.backup[b].unit_mw / case.backup[a].unit_mw))
        units = tuple(n - fewer * (i == a) + number * (i == b) for i, n in enumerate(candidate.plant.units))
        possible = units[a] >= case.backup[a].units_min and units[b] <= units_most(case, case.backup[b])
        return replace(candidate.plant, units=units) if possible else candidate.plant, candidate.controller

    return move


def unit_count(case: Case, k: int, step: float) -> int:
    """One unit, or of small ones as many as make a difference."""
    return max(1, round(STEP_UNITS_H * abs(step) * mean_load_mw(case) / case.backup[k].unit_mw))


def buildable_technologies(case: Case) -> list[int]:
    """Technologies whose count of units may change."""
    return [k for k, item in enumerate(case.backup) if units_most(case, item) > item.units_min]
