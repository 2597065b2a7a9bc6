"""Whether a plant keeps to every limit that a user gave, recomputed from the case and the plant alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sitedesign.case.annual_use import caps_of
from sitedesign.case.case import NOTHING, Case, FloatArray, ImportCase, SinkCase
from sitedesign.case.plant import Plant, imports_used, land_acres, sizes_of
from sitedesign.case.reserve import least_battery_mw

TOLERANCE = 1e-6  # relative, and in the limit's own unit: of a solver


def broken_limits(
    case: Case,
    plant: Plant,
    backup_mwh_per_yr: Sequence[float] = (),
    co2_t_per_yr: float | None = None,
    used: Sequence[float] = (),
) -> tuple[str, ...]:
    """Say which of the user's limits a plant or its operation is outside of.

    Bounds that were derived are no limits of the user's; the shortest duration is the battery's own where he
    gave none.

    Parameters
    ----------
    case : Case
    plant : Plant
    backup_mwh_per_yr : sequence of float
        Energy per technology and of each import; the renewable share is not looked at when left out. [MWh/yr]
    co2_t_per_yr : float, optional
        Not looked at when left out. [t/yr]
    used : sequence of float, optional
        What was used of each of :func:`~sitedesign.case.annual_use.caps_of`; permits are not looked at when
        left out. [unit of the cap]

    Returns
    -------
    tuple of str
        One line each: what, how much, and the limit. Empty when all are kept.
    """
    found = [*_sizes(case, plant), *_counts(case, plant), *_couplings(case, plant), *_late(case, plant)]
    share = case.limits.min_renewable_share
    if share is not None and backup_mwh_per_yr:
        renewable = 1 - sum(backup_mwh_per_yr) / case.load_mwh_per_yr
        found += _outside("renewable share", renewable, share, None, "")
    if case.limits.max_co2_t_per_yr is not None and co2_t_per_yr is not None:
        found += _outside("CO2", co2_t_per_yr, None, case.limits.max_co2_t_per_yr, " t/yr")
    for cap, value in zip(caps_of(case), used, strict=False):
        if cap.own is None or cap.own.total not in ("backup_mwh_per_yr", "co2_t_per_yr"):
            found += _outside(cap.label, value, None, cap.most, f" {cap.unit}")
    return tuple(found)


def used_spares(case: Case, plant: Plant, backup_mw: FloatArray) -> tuple[str, ...]:
    """Say which technologies of a plan give more than without the units that the plan must do without.

    Parameters
    ----------
    case : Case
        Its units all alike: failures are not sampled in a plan.
    plant : Plant
    backup_mw : ndarray, shape (K, T)
        Output of each technology. [MW]
    """
    found: list[str] = []
    if not case.limits.n_plus:
        return ()
    for item, count, given in zip(case.backup, plant.units, backup_mw, strict=True):
        most = max(count - case.limits.n_plus, 0) * item.unit_mw * item.capability[0]
        over = float((given - most).max())
        found += _outside(f"{item.name} beyond the units that may be used", over, None, 0.0, " MW")
    return tuple(found)


def _sizes(case: Case, plant: Plant) -> Iterator[str]:
    built = sizes_of(case, plant)
    for size in case.sizes:
        if size.name in case.given:
            yield from _outside(size.name, built[size.name], size.lower, size.most, f" {size.unit}")
    if case.limits.land_acres is not None:
        yield from _outside("land", land_acres(case, plant), None, case.limits.land_acres, " acres")


def _counts(case: Case, plant: Plant) -> Iterator[str]:
    for item, count in zip(case.backup, plant.units, strict=True):
        if case.units_given(item):
            yield from _outside(f"units of {item.name}", count, item.units_min, item.units_max, "")
    if case.limits.most_units is not None:
        yield from _outside("units of backup", sum(plant.units), None, case.limits.most_units, "")
    flows: list[tuple[str, ImportCase | SinkCase, float]] = [
        ("imports", item, size) for item, size in zip(case.imports, plant.imports, strict=True)
    ]
    flows += [("sinks", item, size) for item, size in zip(case.sinks, plant.sinks, strict=True)]
    for kind, flow, size in flows:
        if f"{kind}.{flow.name}" in case.given:
            yield from _outside(f"MW of {flow.name}", size, flow.units_min, flow.units_max, "")
    if "racks" in case.given:
        yield from _outside("racks", plant.racks, case.racks_min, case.racks_max, "")


def _couplings(case: Case, plant: Plant) -> Iterator[str]:
    """Hours of the battery, as energy that goes with its power."""
    limits, energy, power = case.limits, plant.battery_mwh, plant.battery_mw
    low = None if limits.min_duration_h is None else limits.min_duration_h * power
    most = None if limits.max_duration_h is None else limits.max_duration_h * power
    yield from _outside(f"battery energy at {power:g} MW and its hours", energy, low, most, " MWh")
    least = least_battery_mw(case, plant.units)
    yield from _outside("battery power for a trip or a step of the load", power, least, None, " MW")


def _late(case: Case, plant: Plant) -> Iterator[str]:
    months = case.limits.months_to_power
    if months is None:
        return
    built = [
        (item.name, count > 0, item.lead_months) for item, count in zip(case.backup, plant.units, strict=True)
    ]
    imports = zip(case.imports, imports_used(case, plant), strict=True)
    built += [(item.name, used, item.lead_months) for item, used in imports]
    resources = zip(case.resources, plant.resources_mw, strict=True)
    built += [(item.label, mw > NOTHING, item.lead_months) for item, mw in resources]
    built.append(("battery", plant.battery_mwh > NOTHING, case.battery_lead_months))
    for name, there, lead in built:
        if there:
            yield from _outside(f"months to power of the {name}", lead, None, months, "")


def _outside(what: str, value: float, low: float | None, most: float | None, unit: str) -> Iterator[str]:
    if low is not None and value < low - TOLERANCE * (1 + abs(low)):
        yield f"{what}: {value:g}{unit}, at least {low:g} asked"
    if most is not None and value > most + TOLERANCE * (1 + abs(most)):
        yield f"{what}: {value:g}{unit}, at most {most:g} allowed"
