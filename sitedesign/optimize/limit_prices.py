"""What one more unit of a limit would save: one more MW of connection, of wind, one more acre of land."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyomo.environ as pyo

from sitedesign.case.case import Case
from sitedesign.case.plant_limits import derived_sizes
from sitedesign.equations.variables import USD_PER_KUSD
from sitedesign.optimize.highs import PersistentHighs


def limit_prices(m: pyo.ConcreteModel, solver: PersistentHighs, case: Case) -> dict[str, float]:
    """Duals of the limits of all continuous sizes and of land, after a linear solve.

    Parameters
    ----------
    m : pyomo.environ.ConcreteModel
        Capacities of the case; its whole numbers are held while this is asked.
    solver : PersistentHighs
    case : Case

    Returns
    -------
    dict of str to float
        Saved by one more unit, 0 where the limit holds nothing back; below zero where a size that is given
        exactly is too large. A bound that was derived is no limit and left out. [USD/yr per MW, MWh or acre]
    """
    found = {
        name: USD_PER_KUSD * _saved(solver, size, link) * per_unit
        for name, size, link, per_unit in _limited(m, case)
    }
    if (land := m.component("land_limit")) is not None:
        found["land_acres"] = USD_PER_KUSD * max(-solver.dual(land), 0.0)
    return found


def _saved(solver: PersistentHighs, size: Any, link: Any) -> float:  # noqa: ANN401
    """Read what one more unit of a size saves, in its bound and in the row that counts it as built."""
    in_link = 0.0 if link is None else solver.dual(link)
    saved = -solver.reduced_cost(size) - in_link + 0.0
    if saved == 0.0:
        return saved
    lower, upper = solver.bounds(size)
    return saved if lower == upper > 0.0 else max(saved, 0.0)  # at its lower bound no upper one holds it back


def _limited(m: pyo.ConcreteModel, case: Case) -> Iterator[tuple[str, Any, Any, float]]:
    """Name, variable, row that links it to what is built, and units in a MW or MWh of every limited size."""
    derived = {size.name for size in derived_sizes(case)}
    resources = ((f"{r}_mw", size, r) for r, size in m.resource_mw.items())
    for name, size, r in resources:
        if name not in derived:
            yield name, size, m.resource_link[r] if r in m.resource_link else None, 1.0  # noqa: SIM401
    if "battery_mwh" not in derived:
        yield "battery_mwh", m.battery_mwh, m.battery_link, 1.0
    if "battery_mw" not in derived:
        yield "battery_mw", m.battery_mw, None, 1.0
    for item in case.imports:
        if not item.whole and f"{item.name}_mw" not in derived:
            yield f"{item.name}_mw", m.units[item.name], m.technology_link[item.name], 1 / item.unit_mw
    for sink in case.sinks:
        if not sink.whole:
            link = None if sink.needs is None else m.sink_link[sink.name]
            yield f"{sink.name}_mw", m.sink_units[sink.name], link, 1 / sink.unit_mw
