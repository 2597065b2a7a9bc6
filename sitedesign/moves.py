"""Ways to change a plant or the rule it is run by, and what keeps it inside its limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from sitedesign import economics
from sitedesign.case import Case, Plant
from sitedesign.judge import SPARE_UNITS, Trial
from sitedesign.reliability.machine import Controller

# Largest steps of a search: hours of mean load, then what is tuned of the controller.
STEP_H = {"solar_mw": 0.25, "battery_mwh": 1.0, "battery_mw": 0.1}
STEP_RULE = {"caution": 1.0, "reliance": 0.2, "margin_h": 1.0}
RULE_BOUNDS = {"caution": (0.0, 6.0), "reliance": (0.1, 1.0), "margin_h": (0.0, 48.0)}
STEP_UNITS_H = 0.15
WEAKER = (0.8, 0.9)  # factors on array and battery, and on units
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
        changed = {
            name: getattr(trial.plant, name) + sign * step * STEP_H[name] * load
            for name, sign in signs.items()
        }
        return replace(trial.plant, **changed), trial.controller

    return move


def change_racks(trial: Trial, step: float) -> tuple[Plant, Controller]:
    """So many racks more or fewer, one at least."""
    number = (1 if step > 0 else -1) * max(1, round(abs(step)))
    return replace(trial.plant, racks=trial.plant.racks + number), trial.controller


def change_units(case: Case, k: int, **given: float) -> Move:
    """More or fewer units of one technology for some of what is named, in hours of their power."""

    def move(trial: Trial, step: float) -> tuple[Plant, Controller]:
        sign, number, plant = (1 if step > 0 else -1), unit_count(case, k, step), trial.plant
        units = tuple(n + sign * number * (i == k) for i, n in enumerate(plant.units))
        power = sign * number * case.backup[k].unit_mw
        less = {name: getattr(plant, name) - share * power for name, share in given.items()}
        return replace(plant, units=units, **less), trial.controller

    return move


def swap_units(case: Case, k: int, j: int) -> Move:
    """Units of one technology for as much power of another."""

    def move(trial: Trial, step: float) -> tuple[Plant, Controller]:
        a, b = (k, j) if step > 0 else (j, k)
        number = max(1, round(case.backup[a].unit_mw / case.backup[b].unit_mw))
        fewer = max(1, round(case.backup[b].unit_mw / case.backup[a].unit_mw))
        units = tuple(n - fewer * (i == a) + number * (i == b) for i, n in enumerate(trial.plant.units))
        plant = trial.plant if min(units) < 0 else replace(trial.plant, units=units)
        return plant, trial.controller

    return move


def unit_count(case: Case, k: int, step: float) -> int:
    """One unit, or of small ones as many as make a difference."""
    return max(1, round(STEP_UNITS_H * abs(step) * mean_load_mw(case) / case.backup[k].unit_mw))


def allowed(case: Case) -> list[int]:
    """Technologies of which there may be units."""
    return [k for k, item in enumerate(case.backup) if item.units_max > 0]


def starts(case: Case, planned: Sequence[Plant]) -> list[Plant]:
    """Plants to begin with: as planned, and with the spares that a planner who sees everything leaves out."""
    load = mean_load_mw(case)
    found = []
    for plant in planned:
        spare = tuple(n + 1 if n else 0 for n in plant.units)
        more = replace(plant, units=spare, battery_mwh=plant.battery_mwh + 2 * load)
        found += [plant, replace(plant, units=spare), replace(more, battery_mw=plant.battery_mw + 0.5 * load)]
    return list(dict.fromkeys(inside(plant, case) for plant in found))


def weakened(plant: Plant, case: Case) -> Plant:
    """Take away some of everything: years that hurt what is left are next to hurt the whole."""
    sun, backup = WEAKER
    units = tuple(round(n * backup) for n in plant.units)
    sizes = (sun * plant.solar_mw, sun * plant.battery_mwh, sun * plant.battery_mw)
    return inside(Plant(*sizes, units, plant.racks), case)


def inside(plant: Plant, case: Case) -> Plant:
    """Bring a plant back inside the limits of its case."""
    limits = case.limits
    solar_most = limits.solar_mw[1]
    if limits.land_acres is not None:
        solar_most = min(solar_most, limits.land_acres / case.solar_acres_per_mw)
    solar = float(np.clip(plant.solar_mw, limits.solar_mw[0], solar_most))
    energy = float(np.clip(plant.battery_mwh, *limits.battery_mwh))
    power = float(np.clip(plant.battery_mw, *limits.battery_mw))
    if limits.min_duration_h is not None:
        power = min(power, energy / limits.min_duration_h)
    if limits.max_duration_h is not None:
        energy = min(energy, power * limits.max_duration_h)
    late = limits.months_to_power
    units = []
    for item, n in zip(case.backup, plant.units, strict=True):
        most = item.units_max if item.units_max == item.units_min else item.units_max + SPARE_UNITS
        units.append(
            0 if late is not None and item.lead_months > late else int(np.clip(n, item.units_min, most))
        )
    solar, energy, power = (0.0 if size < NOTHING else size for size in (solar, energy, power))
    racks = int(np.clip(plant.racks, max(case.racks_contracted, case.racks_min), case.racks_max))
    return Plant(solar, energy, power, tuple(units), racks)


def mean_load_mw(case: Case) -> float:
    """Mean load. [MW]"""
    return case.load_mwh_per_yr / economics.HOURS_PER_YEAR
