"""Ways to change a plant or the rule it is run by, and what keeps it inside its limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sitedesign.case.case import BackupCase, Case, Resource
from sitedesign.case.plant import Plant, sizes_of, with_sizes
from sitedesign.certified.objective import Candidate
from sitedesign.equations.variables import (
    battery_bounds,
    resource_bounds,
    resource_most_mw,
    units_allowed,
)
from sitedesign.finance import annual_cost
from sitedesign.operation.state import Controller
from sitedesign.optimize.widening import opened

# Largest steps of a search: hours of mean load, then what is tuned of the controller.
STEP_H = {"battery_mwh": 1.0, "battery_mw": 0.1}
STEP_RESOURCE_H = 0.25
CONTROLLER_STEPS = {"forecast_z_score": 1.0, "capacity_credit": 0.2, "reserve_h": 1.0}
CONTROLLER_BOUNDS = {"forecast_z_score": (0.0, 6.0), "capacity_credit": (0.1, 1.0), "reserve_h": (0.0, 48.0)}
STEP_UNITS_H = 0.15
SPARE_UNITS = 6  # beyond what carries the peak alone: units that may be broken
SMALLEST_SIZE = 0.01  # MW or MWh: what an optimiser leaves where it means none

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
        more = int(_clip(plant.units[k] + number, item.units_min, units_most(case, item))) - plant.units[k]
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


def clip_to_limits(plant: Plant, case: Case, was: Plant | None = None) -> Plant:
    """Bring a plant back inside the limits of its case; those that are coupled are kept together.

    Parameters
    ----------
    plant : Plant
    case : Case
    was : Plant, optional
        Plant that it was made of by a move: where the energy and the power of a battery have to fit together,
        what was moved takes the other with it. Energy leads where both were, or nothing is known.

    Returns
    -------
    Plant
    """
    case = opened(case)  # a bound that was derived, not given, is no limit
    limits = case.limits
    power_leads = was is not None and (
        plant.battery_mwh == was.battery_mwh and plant.battery_mw != was.battery_mw
    )
    energy, power = _battery(plant, case, power_leads=power_leads)
    # Either is of no use without the other
    nothing = min(energy, power) < SMALLEST_SIZE and limits.battery_mwh[0] <= 0 and limits.battery_mw[0] <= 0
    energy, power = (0.0, 0.0) if nothing else (energy, power)
    units = tuple(
        int(_clip(n, item.units_min, units_most(case, item)))
        for item, n in zip(case.backup, plant.units, strict=True)
    )
    racks = int(_clip(plant.racks, max(case.racks_contracted, case.racks_min), case.racks_max))
    return Plant(_resources(plant, case), energy, power, units, racks)


def _resources(plant: Plant, case: Case) -> tuple[float, ...]:
    """Sizes nearest to a plant's within bounds and land, which the first in the list takes first. [MW]"""

    def nearest(item: Resource, mw: float, taken: float) -> float:
        low = resource_bounds(case, item)[0]
        size = _clip(mw, low, resource_most_mw(case, item, taken))
        return 0.0 if size < SMALLEST_SIZE and low <= 0 else size

    sizes: list[float] = []
    asked = [resource_bounds(case, item)[0] * item.acres_per_mw for item in case.resources]
    for r, (item, mw) in enumerate(zip(case.resources, plant.resources_mw, strict=True)):
        others = zip(case.resources, sizes, strict=False)
        taken = sum(other.acres_per_mw * size for other, size in others) + sum(asked[r + 1 :])
        sizes.append(nearest(item, mw, taken))
    return tuple(sizes)


def _battery(plant: Plant, case: Case, *, power_leads: bool) -> tuple[float, float]:
    """Energy and power nearest to a plant's within their bounds and the hours between them. [MWh, MW]"""
    limits = case.limits
    (e_low, e_most), (p_low, p_most) = (
        battery_bounds(case, bounds) for bounds in (limits.battery_mwh, limits.battery_mw)
    )
    shortest, longest = limits.min_duration_h or 0.0, limits.max_duration_h

    def energy_of(power: float) -> tuple[float, float]:
        """Least and most energy that goes with a power."""
        return max(e_low, shortest * power), e_most if longest is None else min(e_most, longest * power)

    def power_of(least_mwh: float, most_mwh: float) -> tuple[float, float]:
        """Least power for an energy, most power for another."""
        slowest_mw = least_mwh / longest if longest else 0.0
        return max(p_low, slowest_mw), min(p_most, most_mwh / shortest if shortest > 0 else np.inf)

    if power_leads:
        power = _clip(plant.battery_mw, *power_of(e_low, e_most))
        return _clip(plant.battery_mwh, *energy_of(power)), power
    energy = _clip(plant.battery_mwh, energy_of(p_low)[0], energy_of(p_most)[1])
    return energy, _clip(plant.battery_mw, *power_of(energy, energy))


def _clip(value: float, low: float, most: float) -> float:
    return float(min(max(value, low), most))


def units_most(case: Case, item: BackupCase) -> int:
    """Most units of a technology that a search may take: the user's own limit is never passed.

    A limit derived for a planner whose units never fail leaves no spares; a search may take some more.
    """
    most = int(units_allowed(case, item))
    return most if case.units_given(item) or most == 0 else most + SPARE_UNITS


def mean_load_mw(case: Case) -> float:
    """Mean load. [MW]"""
    return case.load_mwh_per_yr / annual_cost.HOURS_PER_YEAR
