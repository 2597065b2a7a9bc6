"""Plant: the capacities of one plant, and what follows from them alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sitedesign.case.case import NOTHING, Case, FloatArray


@dataclass(frozen=True)
class Plant:
    """The capacities of one plant: what is decided, what is replayed, what is certified.

    Attributes
    ----------
    resources_mw : tuple of float
        In the order of ``Case.resources``. [MW]
    battery_mwh, battery_mw : float
        [MWh nameplate, MW]
    units : tuple of int
        Units per backup technology, in the order of ``Case.backup``.
    racks : int
        Racks installed.
    imports, sinks : tuple of float
        Sizes in the order of ``Case.imports`` and ``Case.sinks``, in their units: whole numbers, or MW.
    """

    resources_mw: tuple[float, ...]
    battery_mwh: float
    battery_mw: float
    units: tuple[int, ...]
    racks: int
    imports: tuple[float, ...] = ()
    sinks: tuple[float, ...] = ()

    @property
    def counts(self) -> tuple[float, ...]:
        """Units in the order of ``Case.flows``."""
        return (*self.units, *self.imports, *self.sinks)

    @property
    def solar_mw(self) -> float:
        """Solar array, the first of the resources. [MWdc]"""
        return self.resources_mw[0]


def sizes_of(case: Case, plant: Plant) -> dict[str, float]:
    """Name the continuous sizes of a plant, as ``Case.sizes`` does."""
    values = (*plant.resources_mw, plant.battery_mwh, plant.battery_mw)
    return {size.name: value for size, value in zip(case.sizes, values, strict=True)}


def with_sizes(case: Case, plant: Plant, sizes: Mapping[str, float]) -> Plant:
    """Change some of the named sizes of a plant."""
    resources = zip(case.resources, plant.resources_mw, strict=True)
    return replace(
        plant,
        resources_mw=tuple(sizes.get(r.size_name, mw) for r, mw in resources),
        battery_mwh=sizes.get("battery_mwh", plant.battery_mwh),
        battery_mw=sizes.get("battery_mw", plant.battery_mw),
    )


def available_mw(case: Case, plant: Plant) -> FloatArray:
    """Power that all resources of a plant could give together, shape (T,). [MW]"""
    return sum_of_resources(case, plant.resources_mw)


def sum_of_resources(case: Case, resources_mw: Sequence[float] | FloatArray) -> FloatArray:
    """Power that resources of such sizes could give together, shape (T,). [MW]"""
    first, *others = zip(case.resources, resources_mw, strict=True)
    total: FloatArray = first[1] * first[0].yield_mw_per_mw
    for resource, mw in others:
        total += mw * resource.yield_mw_per_mw
    return total


def land_acres(case: Case, plant: Plant) -> float:
    """Land that the resources of a plant take. [acres]"""
    return sum(mw * r.acres_per_mw for r, mw in zip(case.resources, plant.resources_mw, strict=True))


def imports_used(case: Case, plant: Plant) -> tuple[bool, ...]:
    """Which imports a plant has: any of their power, or a sink that uses their wires."""
    sinks = zip(case.sinks, plant.sinks, strict=True)
    wired = {sink.needs for sink, n in sinks if n * sink.unit_mw > NOTHING}
    imports = zip(case.imports, plant.imports, strict=True)
    return tuple(n * item.unit_mw > NOTHING or item.name in wired for item, n in imports)


def slowest_lead(case: Case, plant: Plant) -> tuple[float, str]:
    """Longest lead time of what is built, and what it is of; what is priced, limited and reported. [months]

    Parameters
    ----------
    case : Case
    plant : Plant

    Returns
    -------
    tuple of (float, str)
    """
    leads = [(item.lead_months, item.name) for item, n in zip(case.backup, plant.units, strict=True) if n > 0]
    imports = zip(case.imports, imports_used(case, plant), strict=True)
    leads += [(item.lead_months, item.name) for item, used in imports if used]
    resources = zip(case.resources, plant.resources_mw, strict=True)
    leads += [(r.lead_months, r.label) for r, mw in resources if mw > NOTHING]
    leads += [(case.battery_lead_months, "battery")] if plant.battery_mwh > NOTHING else []
    return max(leads, default=(0.0, "nothing"))
