"""Ways to change a plant or the rule it is run by, and what keeps it inside its limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from sitedesign.case.case import BackupCase, Case, Plant, Resource, sizes_of, with_sizes
from sitedesign.certified.evaluator import Trial
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
STEP_RULE = {"forecast_z_score": 1.0, "capacity_credit": 0.2, "reserve_h": 1.0}
RULE_BOUNDS = {"forecast_z_score": (0.0, 6.0), "capacity_credit": (0.1, 1.0), "reserve_h": (0.0, 48.0)}
STEP_UNITS_H = 0.15
WEAKER = (0.8, 0.9)  # factors on array and battery, and on units
SPARE_UNITS = 6  # beyond what carries the peak alone: units that may be broken
# Array and battery power over mean load, and hours of it in the battery, of a plant that is seldom in need
RICH_SOLAR, RICH_BATTERY_H, RICH_POWER = 4.25, 16.0, 2.0
NOTHING = 0.01  # MW or MWh: what an optimiser leaves where it means none

Move = Callable[[Trial, float], tuple[Plant, Controller]]  # by a share of the largest step


def change_rule(name: str) -> Move:
    """More or less of one figure of the controller."""

    def move(trial: Trial, step: float) -> tuple[Plant, Controller]:
        value = float(np.clip(getattr(trial.controller, name) + step * STEP_RULE[name], *RULE_BOUNDS[name]))
        return trial.plant, replace(trial.controller, **{name: value})  # type: ignore[arg-type]  # numbers only

    return move


def change_sizes(case: Case, **signs: int) -> Move:
    """More or less of some sizes together."""
    load = mean_load_mw(case)

    def move(trial: Trial, step: float) -> tuple[Plant, Controller]:
        sizes = sizes_of(case, trial.plant)
        changed = {
            name: sizes[name] + sign * step * STEP_H.get(name, STEP_RESOURCE_H) * load
            for name, sign in signs.items()
        }
        return with_sizes(case, trial.plant, changed), trial.controller

    return move


def size_axes(case: Case) -> list[dict[str, int]]:
    """Sizes that can be changed alone: battery energy and power are one where their hours are fixed."""
    limits = case.limits
    fixed = limits.max_duration_h is not None and limits.max_duration_h <= (limits.min_duration_h or 0.0)
    return [{size.name: 1} for size in case.sizes if not (fixed and size.name == "battery_mw")]


def change_racks(trial: Trial, step: float) -> tuple[Plant, Controller]:
    """So many racks more or fewer, one at least."""
    number = (1 if step > 0 else -1) * max(1, round(abs(step)))
    return replace(trial.plant, racks=trial.plant.racks + number), trial.controller


def change_units(case: Case, k: int, **given: float) -> Move:
    """More or fewer units of one technology for some of what is named, in hours of their power."""
    item = case.backup[k]

    def move(trial: Trial, step: float) -> tuple[Plant, Controller]:
        plant, number = trial.plant, unit_count(case, k, step) * (1 if step > 0 else -1)
        more = int(_clip(plant.units[k] + number, item.units_min, units_most(case, item))) - plant.units[k]
        if more * number <= 0:  # at a limit: nothing is given for nothing
            return plant, trial.controller
        units = tuple(n + more * (i == k) for i, n in enumerate(plant.units))
        sizes = sizes_of(case, plant)
        less = {name: sizes[name] - share * more * item.unit_mw for name, share in given.items()}
        return replace(with_sizes(case, plant, less), units=units), trial.controller

    return move


def swap_units(case: Case, k: int, j: int) -> Move:
    """Units of one technology for as much power of another, where both limits allow it."""

    def move(trial: Trial, step: float) -> tuple[Plant, Controller]:
        a, b = (k, j) if step > 0 else (j, k)
        number = max(1, round(case.backup[a].unit_mw / case.backup[b].unit_mw))
        fewer = max(1, round(case.backup[b].unit_mw / case.backup[a].unit_mw))
        units = tuple(n - fewer * (i == a) + number * (i == b) for i, n in enumerate(trial.plant.units))
        possible = units[a] >= case.backup[a].units_min and units[b] <= units_most(case, case.backup[b])
        return replace(trial.plant, units=units) if possible else trial.plant, trial.controller

    return move


def unit_count(case: Case, k: int, step: float) -> int:
    """One unit, or of small ones as many as make a difference."""
    return max(1, round(STEP_UNITS_H * abs(step) * mean_load_mw(case) / case.backup[k].unit_mw))


def allowed(case: Case) -> list[int]:
    """Technologies whose count of units may change."""
    return [k for k, item in enumerate(case.backup) if units_most(case, item) > item.units_min]


def starts(case: Case, planned: Sequence[Plant]) -> list[Plant]:
    """Plants to begin with: as planned, and with the spares that a planner who sees everything leaves out."""
    load = mean_load_mw(case)
    found = []
    for plant in planned:
        spare = tuple(n + 1 if n else 0 for n in plant.units)
        more = replace(plant, units=spare, battery_mwh=plant.battery_mwh + 2 * load)
        found += [plant, replace(plant, units=spare), replace(more, battery_mw=plant.battery_mw + 0.5 * load)]
    return list(dict.fromkeys(inside(plant, case) for plant in found))


def generous(case: Case, planned: Sequence[Plant]) -> list[Plant]:
    """Plants that live through most nights and clouds on what is stored, with the units of a planner or less.

    What few years and one draw of failures make look best may be far from what many years ask for; there a
    small battery helps so little that no small step leads to a large one.
    """
    load = mean_load_mw(case)
    resources = tuple(RICH_SOLAR * load / len(case.resources) for _ in case.resources)
    sizes = (resources, RICH_BATTERY_H * load, RICH_POWER * load)
    units = {plant.units for plant in planned}
    units |= {tuple(max(n - 1, 0) for n in counts) for counts in units}
    racks = max(plant.racks for plant in planned) + 1
    return list(dict.fromkeys(inside(Plant(*sizes, counts, racks), case) for counts in sorted(units)))


def weakened(plant: Plant, case: Case) -> Plant:
    """Take away some of everything: years that hurt what is left are next to hurt the whole."""
    sun, backup = WEAKER
    units = tuple(round(n * backup) for n in plant.units)
    weaker = {name: sun * size for name, size in sizes_of(case, plant).items()}
    return inside(replace(with_sizes(case, plant, weaker), units=units), case)


def inside(plant: Plant, case: Case, was: Plant | None = None) -> Plant:
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
    nothing = min(energy, power) < NOTHING and limits.battery_mwh[0] <= 0 and limits.battery_mw[0] <= 0
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
        return 0.0 if size < NOTHING and low <= 0 else size

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
        least = least_mwh / longest if longest else 0.0
        return max(p_low, least), min(p_most, most_mwh / shortest if shortest > 0 else np.inf)

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
    most = units_allowed(case, item)
    return most if case.units_given(item) or most == 0 else most + SPARE_UNITS


def mean_load_mw(case: Case) -> float:
    """Mean load. [MW]"""
    return case.load_mwh_per_yr / annual_cost.HOURS_PER_YEAR
