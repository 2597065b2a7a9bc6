"""A plant between two evaluated ones, of which one misses the targets, where it just keeps them.

Between two plants cost lies close to a straight line and seldom above it (what is built costs in proportion,
operating costs are convex); so does the logarithm of what is lost on the same years.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from sitedesign.case.case import Case
from sitedesign.case.plant import sizes_of, with_sizes
from sitedesign.case.plant_limits import clip_to_limits
from sitedesign.certified.looks import LEAST_LOST
from sitedesign.certified.moves import CONTROLLER_STEPS
from sitedesign.certified.objective import Candidate, Decision, SearchObjective

#: Of what may be lost, that a plant between two others is to lose less: a look that fails costs more.
INSIDE = 0.005


def cheapest_between(
    case: Case, evaluated: Sequence[Candidate], objective: SearchObjective
) -> tuple[Decision, float] | None:
    """Find what promises to be the cheapest plant between one that keeps the targets and one that does not.

    Parameters
    ----------
    case : Case
    evaluated : sequence of Candidate
        On the same years.
    objective : SearchObjective
        With the targets to keep.

    Returns
    -------
    tuple of (Decision, float) or None
        With what it is expected to cost; None where there is no such pair. [USD/yr]
    """
    cost, best, least = objective.cost_with_voll, None, math.inf
    within_caps = [item for item in evaluated if item.excess_mwh_per_yr <= 0.0]
    kept = [item for item in within_caps if objective.feasible(item)]
    missed = [item for item in within_caps if not objective.feasible(item)]
    for inside, outside in product(kept, missed):
        if cost(outside) >= cost(inside) or _whole(case, inside) != _whole(case, outside):
            continue
        way = _way(inside, outside, objective)
        expected = cost(inside) + way * (cost(outside) - cost(inside))
        if expected < least:
            best, least = _between(case, inside, outside, way), expected
    return None if best is None else (best, least)


def _whole(case: Case, item: Candidate) -> tuple[object, ...]:
    """List what cannot be divided of a plant and its controller."""
    plant = item.plant
    imports = [size for flow, size in zip(case.imports, plant.imports, strict=True) if flow.whole]
    sinks = [size for flow, size in zip(case.sinks, plant.sinks, strict=True) if flow.whole]
    return (item.controller.kind, plant.racks, *plant.units, *imports, *sinks)


def _way(inside: Candidate, outside: Candidate, objective: SearchObjective) -> float:
    """Share of the way from one plant to another at which the first target is just kept."""
    ways = [1.0]
    parts = zip(inside.uptime_by_class, outside.uptime_by_class, objective.targets, strict=True)
    for here, there, target in parts:
        near, far, most = (math.log(max(1.0 - uptime, LEAST_LOST)) for uptime in (here, there, target))
        if far > most:
            ways.append(max(most - near - INSIDE, 0.0) / (far - near))
    return min(ways)


def _between(case: Case, one: Candidate, other: Candidate, way: float) -> Decision:
    def mixed(here: float, there: float) -> float:
        return here + way * (there - here)

    a, b = one.plant, other.plant
    there = sizes_of(case, b)
    sizes = {name: mixed(size, there[name]) for name, size in sizes_of(case, a).items()}
    plant = replace(
        with_sizes(case, a, sizes),
        imports=tuple(map(mixed, a.imports, b.imports)),
        sinks=tuple(map(mixed, a.sinks, b.sinks)),
    )
    tuned = {
        name: mixed(getattr(one.controller, name), getattr(other.controller, name))
        for name in CONTROLLER_STEPS
    }
    return clip_to_limits(plant, case), replace(one.controller, **tuned)  # type: ignore[arg-type]  # numbers
