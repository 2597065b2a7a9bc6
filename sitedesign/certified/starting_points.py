"""Where a search starts: plants of planners who see everything, and plants that no planner would think of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sitedesign.case import capacity_bounds
from sitedesign.case.case import BackupCase, Case
from sitedesign.case.plant import Plant, sizes_of, with_sizes
from sitedesign.case.plant_limits import SPARE_UNITS, clip_to_limits, mean_load_mw, units_most
from sitedesign.operation.environment import OperatingEnvironment
from sitedesign.operation.outages.sampling import (
    OutageConditions,
    OutageSample,
    interrupted,
    sample_outages,
    unit_availability,
)
from sitedesign.operation.state import has_second_fuel
from sitedesign.reliability.weather_blocks import WeatherBlock

DERATING = (0.8, 0.9)  # factors on resources and battery, and on units
# Resources and battery power over mean load, and hours of it in the battery, of a plant seldom in need
RICH_RESOURCES, RICH_BATTERY_H, RICH_POWER = 4.25, 16.0, 2.0
SMALL_UNIT_SHARE = 0.04  # of the mean load; smaller units are taken together


def initial_plants(case: Case, planned: Sequence[Plant]) -> list[Plant]:
    """Plants to begin with: as planned, and with the spares that a planner who sees everything leaves out."""
    load = mean_load_mw(case)
    found = []
    for plant in planned:
        spare = tuple(n + 1 if n else 0 for n in plant.units)
        more = replace(plant, units=spare, battery_mwh=plant.battery_mwh + 2 * load)
        found += [plant, replace(plant, units=spare), replace(more, battery_mw=plant.battery_mw + 0.5 * load)]
    return list(dict.fromkeys(clip_to_limits(plant, case) for plant in found))


def storage_rich_plants(case: Case, planned: Sequence[Plant]) -> list[Plant]:
    """Plants that live through most nights and clouds on what is stored, with the units of a planner or less.

    What few years and one draw of failures make look best may be far from what many years ask for; there a
    small battery helps so little that no small step leads to a large one.
    """
    load = mean_load_mw(case)
    resources = tuple(RICH_RESOURCES * load / len(case.resources) for _ in case.resources)
    sizes = (resources, RICH_BATTERY_H * load, RICH_POWER * load)
    supplied = {(plant.units, plant.imports, plant.sinks) for plant in planned}
    supplied |= {(tuple(max(n - 1, 0) for n in units), imports, sinks) for units, imports, sinks in supplied}
    racks = max(plant.racks for plant in planned) + 1
    plants = (Plant(*sizes, units, racks, imports, sinks) for units, imports, sinks in sorted(supplied))
    return list(dict.fromkeys(clip_to_limits(plant, case) for plant in plants))


def derated_plant(plant: Plant, case: Case) -> Plant:
    """Take away some of everything: years that hurt what is left are next to hurt the whole."""
    sun, backup = DERATING
    units = tuple(round(n * backup) for n in plant.units)
    weaker = {name: sun * size for name, size in sizes_of(case, plant).items()}
    whole = zip(case.imports, plant.imports, strict=True)
    imports = tuple(float(round(n * backup)) if item.whole else n * backup for item, n in whole)
    return clip_to_limits(replace(with_sizes(case, plant, weaker), units=units, imports=imports), case)


def largest_plant(case: Case) -> Plant:
    """Half a day of battery, resources that fill it twice, every unit, import: more than most sites need."""
    load = mean_load_mw(case)
    units = tuple(item.units_max for item in case.backup)
    resources = tuple(6 * load / len(case.resources) for _ in case.resources)
    imports = tuple(min(item.units_max, 2 * load / item.unit_mw) for item in case.imports)
    sinks = tuple(item.units_min for item in case.sinks)
    plant = Plant(resources, 12 * load, 2 * load, units, case.racks_max, imports, sinks)
    return clip_to_limits(plant, case)


def sampled_outage_case(
    block: WeatherBlock,
    environment: OperatingEnvironment,
    seed: int,
    draw: int = 0,
    known: Sequence[int] | None = None,
) -> Case:
    """Put one sampled draw of outages of the units into the capability rows of a case.

    A planner who foresees weather *and* failures sizes on it; his cost is a bound for any operator who meets
    the same years. Small units are taken together by their mean: among fifty, chance averages out. Any unit
    fails as it does whatever else could be built.

    Parameters
    ----------
    block : WeatherBlock
        The study's own years.
    environment : OperatingEnvironment
    seed : int
        The evaluator's, so that both see the same failures.
    draw : int
        Of so many, each independent of the others.
    known : sequence of int, optional
        Most units of each technology in plants that are known, for no others: none fails beyond those.
    """
    case = block.case
    most = [
        max(item.units_min, min(units_most(case, item), _useful_units(case, item))) for item in case.backup
    ]
    small = [item.unit_mw < SMALL_UNIT_SHARE * mean_load_mw(case) for item in case.backup]
    failing = most
    if known is not None:
        failing = [n if together else k for n, k, together in zip(most, known, small, strict=True)]
        most = list(known)
    sampled = [max(count, 1) for count in failing]  # a row there must be, also where no unit is allowed
    conditions = OutageConditions(case.step_h, case.years, 0, block.temp_air_c, environment.climatology)
    paths = sample_outages(environment.outages, sampled, conditions, draw, seed)
    backup = []
    for k, item in enumerate(case.backup):
        stored = environment.unit_behaviours[k].storage_h > 0.0
        up = unit_availability(paths, environment.outages, sampled, k, case.steps, stored_fuel=stored)
        if small[k]:
            up = up.mean(axis=0, keepdims=True)
        rows = np.ascontiguousarray(item.capability * up)
        found = replace(item, capability=rows, units_max=most[k])
        backup.append(_on_second_fuel(found, environment, k, paths, case.step_h))
    # What stands by for failures is for an operator to have, not for a planner who sees them come
    return replace(case, backup=tuple(backup), limits=replace(case.limits, n_plus=0))


def _on_second_fuel(
    item: BackupCase, environment: OperatingEnvironment, k: int, paths: OutageSample, step_h: float
) -> BackupCase:
    """Burn the second fuel while the first is interrupted: its price, its power, the time to change over.

    How long the tank lasts depends on the load, so that none is counted here: the plant is no dearer than one
    whose tank runs dry, and the bound stays one.
    """
    if not has_second_fuel(item):
        return item
    away, way = (
        interrupted(paths, environment.outages, k, item.capability.shape[1]),
        environment.unit_behaviours[k],
    )
    power = np.where(away, 1.0 + way.second_fuel_derate, 1.0)
    power[away & ~np.roll(away, 1)] *= max(0.0, 1.0 - way.switch_h / step_h)
    return replace(item, capability=item.capability * power, active_level=away.astype(np.int64))


def _useful_units(case: Case, item: BackupCase) -> int:
    """Units beyond which another one has nothing to do, spares included."""
    peak = float(case.load_mw.max(initial=0.0))
    return capacity_bounds.units_max(peak, item.unit_mw, item.capability) + SPARE_UNITS


def half_downtime(case: Case) -> Case:
    """Allow half of the downtime: another place to start from."""
    classes = tuple(replace(part, uptime_target=_halfway(part.uptime_target)) for part in case.load_classes)
    return replace(case, uptime_target=_halfway(case.uptime_target), load_classes=classes)


def on_island(case: Case) -> Case:
    """Take no more of the imports than is asked for: a place to start from beside a connection."""
    return replace(case, imports=tuple(replace(item, units_max=item.units_min) for item in case.imports))


def _halfway(target: float) -> float:
    return 1 - (1 - target) / 2
