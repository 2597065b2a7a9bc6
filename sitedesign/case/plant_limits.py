"""What limits a plant: bounds, lead times, land, hours of battery; and how one is brought within them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sitedesign.case.case import BackupCase, Case, ImportCase, Resource, SizeBounds
from sitedesign.case.plant import Plant
from sitedesign.case.reserve import least_battery_mw
from sitedesign.finance import annual_cost

SPARE_UNITS = 6  # beyond what carries the peak alone: units that may be broken
SMALLEST_SIZE = 0.01  # MW or MWh: what an optimiser leaves where it means none


def units_allowed(case: Case, supply: BackupCase | ImportCase) -> float:
    """Most units of a supply: none when its lead time is longer than the months allowed."""
    return 0 if comes_too_late(case, supply.lead_months) else supply.units_max


def comes_too_late(case: Case, lead_months: float) -> bool:
    """Whether a lead time is longer than the months allowed."""
    limit = case.limits.months_to_power
    return limit is not None and lead_months > limit


def resource_bounds(case: Case, resource: Resource) -> tuple[float, float]:
    """Bounds of a resource: nothing above the lower one when it would come too late. [MW]."""
    lower, upper = resource.bounds_mw
    return (lower, max(lower, 0.0)) if comes_too_late(case, resource.lead_months) else (lower, upper)


def battery_bounds(case: Case, bounds: tuple[float, float]) -> tuple[float, float]:
    """Bounds of battery energy or power: nothing above the lower one when it would come too late."""
    lower, upper = bounds
    return (lower, max(lower, 0.0)) if comes_too_late(case, case.battery_lead_months) else (lower, upper)


def resource_most_mw(case: Case, resource: Resource, acres_taken: float = 0.0) -> float:
    """Most of a resource that its limit, its lead time and the land allow that others leave. [MW]."""
    most, land = resource_bounds(case, resource)[1], case.limits.land_acres
    if land is None or resource.acres_per_mw <= 0.0:
        return most
    return min(most, (land - acres_taken) / resource.acres_per_mw)


def derived_sizes(case: Case) -> list[SizeBounds]:
    """Sizes whose upper bound lies below what the user allows, those of imports among them."""
    return [size for size in (*case.sizes, *_import_sizes(case)) if size.upper < size.most]


def _import_sizes(case: Case) -> list[SizeBounds]:
    """Bounds of the imports that may have any size."""
    return [
        SizeBounds(f"{item.name}_mw", "MW", item.units_min, item.units_max, _most_import(case, item))
        for item in case.imports
        if not item.whole
    ]


def _most_import(case: Case, item: ImportCase) -> float:
    """Find what the user allows of an import; where that is anything, what a site could draw in a call.

    All load, all sinks and the largest battery at once, through the least share that is left of it.
    """
    widest = item.units_max if item.widest_units is None else item.widest_units
    if np.isfinite(widest):
        return max(widest, item.units_max)
    able = item.capability[item.capability > 0.0]
    battery = next(size.upper for size in case.sizes if size.name == "battery_mw")
    sinks = sum(sink.units_max * sink.unit_mw for sink in case.sinks)
    drawn = float(case.load_mw.max(initial=0.0)) + battery + sinks
    return max(item.units_max, drawn / float(able.min())) if able.size else item.units_max


def opened(case: Case) -> Case:
    """Allow all that the user allows."""
    return with_upper(case, {size.name: size.most for size in derived_sizes(case)})


def with_upper(case: Case, upper: dict[str, float]) -> Case:
    """Set the upper bounds of some sizes, imports among them."""
    imports = tuple(
        replace(item, units_max=upper[name]) if (name := f"{item.name}_mw") in upper else item
        for item in case.imports
    )
    bounds = {s.name: (s.lower, upper[s.name]) for s in case.sizes if s.name in upper}
    return replace(case.with_bounds(bounds), imports=imports)


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
    units = tuple(
        int(_clip(n, item.units_min, units_most(case, item)))
        for item, n in zip(case.backup, plant.units, strict=True)
    )
    if (least := least_battery_mw(case, units)) > limits.battery_mw[0]:
        case = case.with_bounds({"battery_mw": (min(least, limits.battery_mw[1]), limits.battery_mw[1])})
        limits = case.limits
    energy, power = _battery(plant, case, power_leads=power_leads)
    # Either is of no use without the other
    nothing = min(energy, power) < SMALLEST_SIZE and limits.battery_mwh[0] <= 0 and limits.battery_mw[0] <= 0
    energy, power = (0.0, 0.0) if nothing else (energy, power)
    racks = int(_clip(plant.racks, max(case.racks_contracted, case.racks_min), case.racks_max))
    return Plant(_resources(plant, case), energy, power, units, racks, *clipped_flows(plant, case))


def clipped_flows(plant: Plant, case: Case) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Bring imports and sinks of a plant within their bounds."""
    imports, sinks = (
        zip(plant.imports, case.imports, strict=True),
        zip(plant.sinks, case.sinks, strict=True),
    )
    return (
        tuple(min(max(n, i.units_min), max(i.units_min, units_allowed(case, i))) for n, i in imports),
        tuple(min(max(n, i.units_min), i.units_max) for n, i in sinks),
    )


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
    return most if case.units_given(item) or most == 0 else most + SPARE_UNITS + case.limits.n_plus


def mean_load_mw(case: Case) -> float:
    """Mean load. [MW]"""
    return case.load_mwh_per_yr / annual_cost.HOURS_PER_YEAR
