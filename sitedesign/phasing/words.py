"""What holds a stage back, and why a ramp cannot be kept, in plain words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sitedesign.phasing.problem import owned_most, rented_most
from sitedesign.phasing.question import BATTERY_MW, BATTERY_MWH, RoadmapCase
from sitedesign.phasing.search import StagePlan

_AT = 1 - 1e-4  # of what can be there: all of it
_MOST_NAMED = 4
_NAMES = {
    "solar": "the array",
    BATTERY_MWH: "battery energy",
    BATTERY_MW: "battery power",
    "grid": "the grid",
}


def limited_by(question: RoadmapCase, stage: StagePlan) -> str:
    """Say what holds a stage back: what is built as fast as it can be, what is not there yet."""
    month, idle = stage.time.begins, stage.time.racks - stage.block.racks_running
    at: list[str] = []
    waits: list[tuple[float, str]] = []
    for name, size in stage.owned.items():
        first = question.delivery(name).first_month
        if first > month and name in question.sources:
            waits.append((first, f"{_name(name)} from month {first:g}"))
        elif size > 0.0 and size >= _AT * _most(question, name, month):
            at.append(f"{_name(name)} as fast as it can be built")
    for r, item in enumerate(question.rentals):
        if stage.rented[r] and stage.rented[r] >= item.units:
            at.append(f"all {item.units} units of {item.technology} that can be rented")
    later = [text for _, text in sorted(waits)[:_MOST_NAMED]]
    held = [*at, *later] if idle > 0 else at
    if idle <= 0:
        return "; ".join(held)
    return f"{idle:,} racks wait: {'; '.join(held)}" if held else f"{idle:,} racks wait: power costs more"


def _most(question: RoadmapCase, name: str, month: float) -> float:
    """Most of a technology by its rate; what has no rate is not held back by one."""
    item = question.delivery(name)
    if math.isinf(item.per_month) and math.isinf(item.most):
        return math.inf
    if any(b.name == name for b in question.case.backup):
        return float(owned_most(question, name, month)) or math.inf
    return item.by(month) or math.inf


def _name(name: str) -> str:
    return _NAMES.get(name, name)


def nothing_by(question: RoadmapCase) -> str | None:
    """Say so where the first racks are asked for before any power can be there."""
    month, racks = next((step for step in question.steps if step[1] > 0), (0.0, 0))
    sources = sorted((first, name) for name, first in question.sources.items())
    if not sources:
        return f"month {month:g} asks for {racks:,} racks; nothing is there to deliver power"
    if sources[0][0] <= month:
        return None
    named = ", ".join(f"{_name(name)} {first:g}" for first, name in sources[:_MOST_NAMED])
    first = sources[0][0]
    return (
        f"month {month:g} asks for {racks:,} racks; nothing can deliver before month {first:g} "
        f"(in month: {named})"
    )


def short_of(question: RoadmapCase, stages: Sequence[StagePlan]) -> str | None:
    """Say which stage cannot run what is asked for, from a plan that runs as many racks as it can."""
    for stage in stages:
        month, running = stage.time.begins, stage.block.racks_running
        if running >= stage.time.racks:
            continue
        there = [
            f"{_name(name)} {item.by(month):,.0f} {'MWh' if name == BATTERY_MWH else 'MW'}"
            for name, item in question.deliveries.items()
            if 0.0 < item.by(month) < math.inf
        ]
        there += [
            f"{rented_most(question, name, month)} units of {name} for rent"
            for name in dict.fromkeys(item.technology for item in question.rentals)
            if rented_most(question, name, month)
        ]
        later = sorted((first, name) for name, first in question.sources.items() if first > month)
        waits = [f"{_name(name)} comes in month {first:g}" for first, name in later[:_MOST_NAMED]]
        said = [f"at most {', '.join(there)}"] if there else []
        said += ["; ".join(waits)] if waits else []
        why = f" ({'; '.join(said)})" if said else " (limits of the study)"
        return (
            f"month {month:g} asks for {stage.time.racks:,} racks; what can be there by then keeps the "
            f"uptime of {running:,}{why}"
        )
    return None
