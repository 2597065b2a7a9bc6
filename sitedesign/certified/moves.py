"""Ways to change a plant or the controller it is run by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sitedesign.case.case import Case
from sitedesign.case.plant import Plant, sizes_of, with_sizes
from sitedesign.case.plant_limits import mean_load_mw, units_most
from sitedesign.certified.objective import Candidate
from sitedesign.operation.state import Controller

# Largest steps of a search: hours of mean load, then what is tuned of the controller.
STEP_H = {"battery_mwh": 1.0, "battery_mw": 0.1}
STEP_RESOURCE_H = 0.25
CONTROLLER_STEPS = {"forecast_z_score": 1.0, "capacity_credit": 0.2, "reserve_h": 1.0}
CONTROLLER_BOUNDS = {"forecast_z_score": (0.0, 6.0), "capacity_credit": (0.1, 1.0), "reserve_h": (0.0, 48.0)}
STEP_UNITS_H = 0.15

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
