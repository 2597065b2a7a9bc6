"""Why no design is possible: the worst spell, and the smallest change of one limit that would help.

Works with any solver: it asks a callable for the least value of one quantity in a case with one limit freed.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from sitedesign.case.case import Case, ClassShare, FloatArray
from sitedesign.case.limits import ANNUAL_LIMITS, AnnualLimit, CaseLimits, hours_limits
from sitedesign.case.plant import Plant, sum_of_resources
from sitedesign.case.plant_limits import battery_bounds
from sitedesign.case.reserve import least_battery_mw
from sitedesign.errors import InfeasibleDesign, LimitChange

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_MONTH_ENDS = np.cumsum([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_ANY_MW = 1e9  # an array without limit, in finite arithmetic
_RATIO_STEPS = 8  # halvings while looking for a duration: a factor of 2 comes out within 0.3 %


@dataclass(frozen=True)
class Quantity:
    """What an oracle is asked to minimise.

    Attributes
    ----------
    name : str
        Name of one of ``Case.sizes``, ``land_acres``, ``units``, ``lost_mwh_per_yr`` (shed load and rack
        shortfall together), the ``total`` of an annual limit (``backup_mwh_per_yr``, ``co2_t_per_yr`` ...)
        or ``technology_mwh_per_yr``.
    technology : str
        Which one, for ``units`` and ``technology_mwh_per_yr``.
    load_class : str
        Which one, for ``lost_mwh_per_yr``; may be left out when there is one.
    """

    name: str
    technology: str = ""
    load_class: str = ""


Minimise = Callable[[Case, Quantity], float | None]


def energy_weights(case: Case, quantity: Quantity) -> list[float] | None:
    """Say what a MWh at each level of each supply adds to a quantity; None where it is no sum of them."""
    levels = [(item, level) for item in case.supplies for level in item.levels]
    if quantity.name == "technology_mwh_per_yr":
        return [float(item.name == quantity.technology) for item, _ in levels]
    for own in ANNUAL_LIMITS:
        if own.total == quantity.name:
            return [own.per_mwh(level) for _, level in levels]
    return None


@dataclass(frozen=True)
class Spell:
    """Longest fall of stored energy when everything runs.

    Attributes
    ----------
    first, last : int
        Steps, from the last full store to the lowest point.
    deficit_mwh : float
        Energy that a store would have to give. [MWh]
    """

    first: int
    last: int
    deficit_mwh: float


def worst_spell(case: Case, resources_mw: Sequence[float], backup_mw: FloatArray) -> Spell:
    """Find the deepest fall of the energy balance with given resources and all backup running.

    Parameters
    ----------
    case : Case
    resources_mw : sequence of float
        In the order of ``Case.resources``. [MW]
    backup_mw : ndarray, shape (T,)
        Power the backup can give. [MW]

    Returns
    -------
    Spell
    """
    surplus = sum_of_resources(case, resources_mw) + backup_mw - case.load_mw
    change = np.where(surplus > 0, surplus * case.eta_charge, surplus / case.eta_discharge) * case.step_h
    depth, since, worst = 0.0, 0, Spell(0, 0, 0.0)
    for t, gain in enumerate(change.tolist()):
        if depth <= 0.0:
            since = t
        depth = max(depth - gain, 0.0)
        if depth > worst.deficit_mwh:
            worst = Spell(since, t, depth)
    return worst


def date_of_step(case: Case, step: int) -> str:
    """Calendar day of a step, in years of 365 days that begin on 1 January."""
    step = (step + case.first_step) % case.steps
    day, year = int(step * case.step_h // 24) % 365, int(step * case.step_h // 8760) + 1
    month = int(np.searchsorted(_MONTH_ENDS, day, side="right"))
    number = day - (int(_MONTH_ENDS[month - 1]) if month else 0) + 1
    where = f" of weather year {year}" if case.years > 1 else ""
    return f"{number} {_MONTHS[month]}{where}"


def explain(
    case: Case,
    minimise: Minimise,
    *,
    plant: Plant | None = None,
    date_of: Callable[[int], str] | None = None,
) -> InfeasibleDesign:
    """Say in plain words why a case has no design.

    Parameters
    ----------
    case : Case
        Infeasible.
    minimise : callable
        ``minimise(freed, quantity)`` gives the least value of the quantity in any design of the case with one
        limit freed, or None when that case has no design either; TimeoutError when it cannot tell.
    plant : Plant, optional
        The plant, when it was fixed: then only budgets can be relaxed.
    date_of : callable, optional
        Name of the day of a step, when the series does not begin on 1 January.

    Returns
    -------
    InfeasibleDesign
        To be raised by the caller.
    """
    limits: list[_Limit | _Duration | _Wait] = list(_budgets(case))
    if plant is None:
        limits += [*_capacities(case), *_waits(case), *_durations(case)]
    relaxations, unknown = [], []
    for limit in limits:
        try:
            found = limit.smallest(minimise)
        except TimeoutError:
            unknown.append(limit.name)
            continue
        if found is not None:
            relaxations.append(found)
    binding = _what_binds([r.limit for r in relaxations], unknown)
    return InfeasibleDesign(f"{_situation(case, plant, date_of)} {binding}", relaxations)


# ---------------------------------------------------------------------- single limits


@dataclass(frozen=True)
class _Limit:
    """One limit, the case without it, and how the least value of a quantity reads as that limit."""

    name: str
    now: float
    unit: str
    freed: Case
    quantity: Quantity
    reads_as: Callable[[float], float]
    least: float = -math.inf  # a relaxation down to it is none

    def smallest(self, minimise: Minimise) -> LimitChange | None:
        """Smallest relaxation, or None when this limit alone is not the obstacle."""
        value = minimise(self.freed, self.quantity)
        if value is None or self.reads_as(value) <= self.least:
            return None
        return LimitChange(self.name, self.now, self.reads_as(value), self.unit)


@dataclass(frozen=True)
class _Duration:
    """A bound of energy over power: a ratio, so it is found by halving instead of one minimisation."""

    name: str
    now: float
    field: str
    longest: bool
    case: Case

    def smallest(self, minimise: Minimise) -> LimitChange | None:
        """Smallest relaxation, or None when the duration alone is not the obstacle."""

        def possible(hours: float | None) -> bool:
            change: dict[str, Any] = {self.field: hours}
            limits = dataclasses.replace(self.case.limits, **change)
            freed = dataclasses.replace(self.case, limits=limits)
            return minimise(freed, Quantity("battery_mwh")) is not None

        if not possible(None):
            return None
        bad, good = self.now, self.now
        while True:
            good = good * 2 if self.longest else good / 2
            if possible(good):
                break
            bad = good
        for _ in range(_RATIO_STEPS):
            middle = (bad + good) / 2
            bad, good = (bad, middle) if possible(middle) else (middle, good)
        return LimitChange(self.name, self.now, _outward(good, 3, up=self.longest), "h")


@dataclass(frozen=True)
class _Wait:
    """Months to first power: what comes later than the limit is tried in the order in which it comes."""

    now: float
    case: Case
    name: str = "months_to_power"

    def smallest(self, minimise: Minimise) -> LimitChange | None:
        """Earliest month by which a design is possible, or None when none ever is."""
        case = self.case
        items = (*case.resources, *case.supplies)
        for months in sorted({item.lead_months for item in items} | {case.battery_lead_months}):
            limits = dataclasses.replace(case.limits, months_to_power=months)
            later = dataclasses.replace(case, limits=limits)
            if months > self.now and minimise(later, Quantity("battery_mwh")) is not None:
                return LimitChange(self.name, self.now, _up(months), "months")
        return None


def _budgets(case: Case) -> Iterator[_Limit]:
    """Limits that hold for a fixed plant as well."""

    def reads_as(own: AnnualLimit) -> Callable[[float], float]:
        outward = (lambda v: _outward(v, 4, up=False)) if own.at_least else _up
        return lambda total: outward(own.reached(case, total))

    yield from _uptimes(case)
    for own in ANNUAL_LIMITS:
        value = own.given(case.limits)
        if value is not None:
            without: dict[str, Any] = {own.name: None}
            freed = dataclasses.replace(case, limits=dataclasses.replace(case.limits, **without))
            yield _Limit(own.name, value, own.unit, freed, Quantity(own.total), reads_as(own))
    for k, item, most_h in hours_limits(case):
        more = (*case.backup[:k], dataclasses.replace(item, run_h_limit=None), *case.backup[k + 1 :])
        # With all units that may be built, the least hours of each
        rated = item.unit_mw * max(item.units_max, 1)
        yield _Limit(
            f"run_h of {item.name}", most_h, "h/yr", dataclasses.replace(case, backup=more),
            Quantity("technology_mwh_per_yr", item.name), partial(_hours, rated),
        )  # fmt: skip


def _hours(rated_mw: float, mwh: float) -> float:
    return _up(mwh / rated_mw)


def _uptimes(case: Case) -> Iterator[_Limit]:
    """Yield the uptime target of each class."""

    def reads_as(load_class: ClassShare) -> Callable[[float], float]:
        return lambda lost: _outward(1 - lost / (load_class.share * case.load_mwh_per_yr), 6, up=False)

    for c, mine in enumerate(case.classes):
        # Below zero: racks and power may both fail always
        freed: dict[str, Any] = {"uptime_target": -1.0}
        if case.load_classes:
            nothing = dataclasses.replace(mine, uptime_target=-1.0)
            freed = {"load_classes": (*case.load_classes[:c], nothing, *case.load_classes[c + 1 :])}
        yield _Limit(
            f"uptime of {mine.name}" if case.load_classes else "uptime", mine.uptime_target, "",
            dataclasses.replace(case, **freed), Quantity("lost_mwh_per_yr", load_class=mine.name),
            reads_as(mine), least=0.0,
        )  # fmt: skip


def _capacities(case: Case) -> Iterator[_Limit]:
    """Limits of what may be built."""
    limits = case.limits

    def limited(**changes: Any) -> Case:  # noqa: ANN401
        return dataclasses.replace(case, limits=dataclasses.replace(limits, **changes))

    for size in case.sizes:
        if math.isinf(size.upper):  # no limit at all
            continue
        freed = case.with_bounds({size.name: (size.lower, math.inf)})
        yield _Limit(size.name, size.upper, size.unit, freed, Quantity(size.name), _up)
    if limits.land_acres is not None:
        yield _Limit(
            "land_acres", limits.land_acres, "acres", limited(land_acres=None), Quantity("land_acres"), _up
        )
    peak = float(case.load_mw.max(initial=0.0))
    for k, tech in enumerate(case.backup):
        # Twice the load, from the weakest running hour, is more than any budget can ask of one technology.
        weakest = float(tech.capability[tech.capability > 0].min(initial=1.0))
        most = max(tech.units_max, math.ceil(2 * peak / (tech.unit_mw * weakest)))
        more = (*case.backup[:k], dataclasses.replace(tech, units_max=most), *case.backup[k + 1 :])
        freed = dataclasses.replace(case, backup=more)
        yield _Limit(
            f"units of {tech.name}", tech.units_max, "", freed, Quantity("units", tech.name),
            lambda v: math.ceil(v - 1e-6),
        )  # fmt: skip

    for k, item in enumerate(case.imports):
        wider = dataclasses.replace(item, units_max=max(item.units_max, 2 * peak / item.unit_mw))
        freed = dataclasses.replace(case, imports=(*case.imports[:k], wider, *case.imports[k + 1 :]))
        yield _Limit(
            f"size of {item.name}", item.units_max, "" if item.whole else "MW", freed,
            Quantity("units", item.name), _up,
        )  # fmt: skip


def _waits(case: Case) -> Iterator[_Wait]:
    if case.limits.months_to_power is not None:
        yield _Wait(case.limits.months_to_power, case)


def _durations(case: Case) -> Iterator[_Duration]:
    limits: CaseLimits = case.limits
    if limits.max_duration_h is not None:
        yield _Duration("max_duration_h", limits.max_duration_h, "max_duration_h", longest=True, case=case)
    if limits.min_duration_h:
        yield _Duration("min_duration_h", limits.min_duration_h, "min_duration_h", longest=False, case=case)


def _up(value: float) -> float:
    """Round up to five figures: a relaxation must be enough."""
    digits = 4 - math.floor(math.log10(value)) if value > 0 else 0
    return _outward(value, digits, up=True)


def _outward(value: float, digits: int, *, up: bool) -> float:
    """Round towards the feasible side."""
    scale = 10.0**digits
    return (math.ceil(value * scale - 1e-3) if up else math.floor(value * scale + 1e-3)) / scale


# ---------------------------------------------------------------------- words


def _what_binds(binding: list[str], unknown: list[str]) -> str:
    """Name the limits of which a single one could be relaxed, and those not looked at in time."""
    words = []
    if binding:
        words.append(f"What binds: {', '.join(binding)}.")
    elif not unknown:
        words.append("No single limit is to blame: at least two would have to be relaxed together.")
    if unknown:
        words.append(f"The time limit left open whether these would help: {', '.join(unknown)}.")
    return " ".join(words)


def _situation(case: Case, plant: Plant | None, date_of: Callable[[int], str] | None) -> str:
    """Say what cannot be met, and in which spell it is hardest."""
    limits = case.limits
    resources = plant.resources_mw if plant is not None else _most_resources(case)
    energy = plant.battery_mwh if plant is not None else limits.battery_mwh[1]
    counts = plant.counts if plant is not None else tuple(_most_units(case))
    backup = np.zeros(case.steps)
    for tech, units in zip(case.supplies, counts, strict=False):  # sinks, which are last, give nothing
        if not tech.whole:
            backup = backup + tech.unit_mw * units * tech.capability[0]
            continue
        rows = tech.capability[np.minimum(np.arange(int(units)), tech.capability.shape[0] - 1)]
        backup = backup + tech.unit_mw * rows.sum(axis=0)
    name = date_of or (lambda step: date_of_step(case, step))
    spell = worst_spell(case, resources, backup)
    power = float(backup.max(initial=0.0))
    sized = list(zip((r.name for r in case.resources), resources, strict=True))
    parts = [f"{mw:,.0f} MW of {resource}" for resource, mw in sized if mw < _ANY_MW]
    parts += [f"{energy:,.0f} MWh of battery"] if energy < math.inf else []
    built = ", ".join(parts) + (" and " if parts else "") + f"{power:,.0f} MW of backup"
    free = "".join(f"any amount of {resource}, " for resource, mw in sized if mw >= _ANY_MW)
    free += "any amount of battery, " if energy == math.inf else ""
    with_what = f"with {built}" if plant is not None else f"within the limits ({free}at most {built})"
    first = f"an uptime of {_targets(case)} cannot be met {with_what}"
    if spell.deficit_mwh <= 0:
        spell_words = "Sun and backup together carry the load in every step, so other limits bind."
    elif spell.last - spell.first + 1 >= case.steps and case.years > 1:
        spell_words = f"Over all {case.years} weather years sun and backup give less than the load takes."
    else:
        hours = (spell.last - spell.first + 1) * case.step_h
        begin, end = name(spell.first), name(spell.last)
        when = f"on {begin}" if begin == end else f"{begin} to {end}"
        length = f"{hours:g} h" if hours < 48 else f"{hours / 24:.1f} days"
        holds = energy * float(case.usable.min(initial=1.0))
        enough = f"holds {holds:,.0f} MWh" if holds < math.inf else "may be as large as that"
        spell_words = (
            f"In the worst spell, {when} ({length}), with everything running, the load takes "
            f"{spell.deficit_mwh:,.0f} MWh from the battery, which {enough}."
        )
    return f"{first}. {spell_words}{_reserve_words(case)}"


def _reserve_words(case: Case) -> str:
    """Say which units a reserve leaves out, for want of battery power to carry their trip alone."""
    most = battery_bounds(case, case.limits.battery_mw)[1]
    needed = {
        item.name: least_battery_mw(case, [int(item is other) for other in case.backup])
        for item in case.backup
    }
    found = [f"{mw:g} MW for {name}" for name, mw in needed.items() if mw > most]
    asks = f" The reserve asks for more battery power than the {most:g} MW allowed: {', '.join(found)}."
    return asks if found else ""


def _targets(case: Case) -> str:
    """Targets in percent; with their names when there are several."""
    if not case.load_classes:
        return f"{100 * case.uptime_target:.7g} %"
    words = [f"{100 * c.uptime_target:.7g} % for {c.name}" for c in case.load_classes]
    return " and ".join(", ".join(words).rsplit(", ", 1))


def _most_resources(case: Case) -> tuple[float, ...]:
    """Most of each resource, each with all the land to itself. [MW]"""
    months, acres = case.limits.months_to_power, case.limits.land_acres
    most = []
    for item in case.resources:
        if months is not None and item.lead_months > months:
            most.append(item.bounds_mw[0])
            continue
        land = math.inf if acres is None or item.acres_per_mw <= 0.0 else acres / item.acres_per_mw
        most.append(min(item.bounds_mw[1], land, _ANY_MW))
    return tuple(most)


def _most_units(case: Case) -> Iterator[float]:
    months = case.limits.months_to_power
    for tech in case.supplies:
        yield 0 if months is not None and tech.lead_months > months else tech.units_max
