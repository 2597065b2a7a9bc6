"""What came together in an event: calls, broken wires, what was out, dark and calm days before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.case import NOTHING, Case
from sitedesign.case.plant import Plant
from sitedesign.components.grid_connection import WireState
from sitedesign.operation.forecast import Climatology
from sitedesign.operation.outages.sampling import (
    BATTERY,
    FUEL,
    SITE,
    TECHNOLOGY,
    UNIT,
    WIND_UNIT,
    OutageModel,
    OutageSample,
)
from sitedesign.reliability.events import Event

FloatArray = NDArray[np.float64]
POOR_DAYS, POOR_SHARE = 7, 0.7  # days before the end of an event, and of what they usually bring


@dataclass(frozen=True, eq=False)
class Met:
    """Everything that a plant met in a block of years.

    Attributes
    ----------
    case : Case
    plant : Plant
    usual : Climatology
    model : OutageModel
    outages : OutageSample
    wires : WireState or None
        Calls and interruptions of the grid.
    """

    case: Case
    plant: Plant
    usual: Climatology
    model: OutageModel
    outages: OutageSample
    wires: WireState | None


def circumstances(event: Event, met: Met) -> str:
    """Name what came together in an event, in words joined by plus signs.

    Parameters
    ----------
    event : Event
        With its step counted from the beginning of the block.
    met : Met

    Returns
    -------
    str
        For example ``call to 40 % for 5 h + wires out for 2 h + poor week: solar 48 %, wind 21 % of usual``.
    """
    span = slice(event.start_step, event.start_step + round(event.duration_h / met.case.step_h))
    return " + ".join([*_of_grid(met, span), *_of_outages(met, span), *_of_weather(met, span)])


def _of_grid(met: Met, span: slice) -> list[str]:
    if met.wires is None or met.plant.imports[0] <= NOTHING:
        return []
    said, step_h = [], met.case.step_h
    cap, wires = met.wires.cap.ravel()[span], met.wires.wires.ravel()[span]
    if (cap < 1.0).any():
        said.append(f"call to {cap.min():.0%} for {(cap < 1.0).sum() * step_h:g} h")
    if not wires.all():
        said.append(f"wires out for {(~wires).sum() * step_h:g} h")
    return said


def _of_outages(met: Met, span: slice) -> list[str]:
    said, model = [], met.model
    units = sum(_most_down(met, UNIT, index, span) > 0 for index in range(sum(met.plant.units)))
    if units:
        said.append(f"{units} of {sum(met.plant.units)} units out")
    said += [
        f"all units of {item.name} out"
        for number, item in enumerate(model.units)
        if met.plant.units[number] and _most_down(met, TECHNOLOGY, number, span) > 0
    ]
    said += [
        f"{item.name.replace('_', ' ')} cut"
        for number, item in enumerate(model.fuels)
        if _most_down(met, FUEL, number, span) > 0
    ]
    for farm in model.farms:
        blocks = farm.blocks(met.plant.resources_mw[farm.resource])
        down = _most_down(met, WIND_UNIT, farm.resource, span)
        if met.plant.resources_mw[farm.resource] > NOTHING and down >= 0.5 * blocks:
            iced = down >= blocks > 1  # turbines alone never fail all together
            said.append(f"{farm.name} iced up" if iced else f"{down / blocks:.0%} of {farm.name} out")
    if met.plant.battery_mwh > NOTHING and _most_down(met, BATTERY, 0, span) > 0:
        said.append("battery out")
    return [*said, "site fault"] if _most_down(met, SITE, 0, span) > 0 else said


def _most_down(met: Met, kind: int, index: int, span: slice) -> int:
    """Most of a component that is down at once in a span."""
    sample = met.outages
    mine = (sample.kind == kind) & (sample.index == index) & (sample.step < span.stop)
    if not mine.any():
        return 0
    changes = np.zeros(span.stop - span.start, np.int64)
    before = mine & (sample.step <= span.start)
    within = mine & (sample.step > span.start)
    np.add.at(changes, sample.step[within] - span.start, sample.change[within])
    changes[0] += sample.change[before].sum()
    return int(np.cumsum(changes).max())


def _of_weather(met: Met, span: slice) -> list[str]:
    """Compare the days up to the event with what they usually bring."""
    per_day = round(24 / met.case.step_h)
    last = -(-span.stop // per_day)
    days = np.arange(max(last - POOR_DAYS, 0), last)
    got, expected, parts = 0.0, 0.0, []
    for resource, mw, usual in zip(met.case.resources, met.plant.resources_mw, met.usual.yields, strict=True):
        if mw > NOTHING:
            here = mw * float(resource.yield_mw_per_mw.reshape(-1, per_day)[days].sum())
            mean = mw * float(usual.reshape(365, per_day)[days % 365].sum())
            got, expected = got + here, expected + mean
            parts.append(f"{resource.name} {here / mean:.0%}" if mean > 0 else resource.name)
    if expected <= 0.0 or got > POOR_SHARE * expected:
        return []
    return [f"poor week: {', '.join(parts)} of usual"]
