"""The same years of a plant again and again, each time with other causes of failure switched off.

Only days that can differ are operated: from a midnight after which something fails in one run alone, to the
midnight at which both are in the same state again (:mod:`sitedesign.operation.trail`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.case import Case
from sitedesign.case.plant import Plant
from sitedesign.operation.environment import OperatingEnvironment
from sitedesign.operation.operate import (
    Run,
    SimulatedOperation,
    brought_into_order,
    lost_with_restarts,
    prepared,
    room_for_results,
)
from sitedesign.operation.outages.sampling import OutageSample
from sitedesign.operation.records import Trail
from sitedesign.operation.state import Controller

FloatArray = NDArray[np.float64]

#: What one day takes over from the day before, of each kind of record.
CARRIED: Mapping[str, tuple[str, ...]] = {
    "tech": (
        "firm_mw", "place", "level", "usd_per_mwh", "intact", "n_on", "n_free", "n_given", "running_mw",
        "max_mw", "min_mw", "setpoint_mw", "common_causes", "interrupted", "on_tank", "tank_gain",
        "settled_at", "fuel_inventory", "refilled_from",
    ),
    "unit": ("on", "down", "gave_mw"),
    "tier": ("throttled_mw",),
    "plant": (
        "stored_mwh", "stranded_mwh", "battery_blocks_down", "battery_causes", "site_causes", "battery_share",
        "next_repair", "recharging", "busy",
    ),
    "resource": ("blocks_down",),
    "sink": ("place", "level", "usd_per_mwh", "taken_mw"),
}  # fmt: skip
#: Steps until which something holds.
UNTIL: Mapping[str, tuple[str, ...]] = {
    "tech": ("min_up_until", "ramped_at", "switched_at"),
    "unit": ("started_at", "ready_at", "repaired_at", "startable_at"),
}
#: What is taken over as well where units are serviced, and where a ride-through may fail.
OF_SERVICES = ("started_at", "run_h", "serviced_h", "serviced_until")
OF_RIDE_THROUGH = ("tripped_mw",)


class Reruns:
    """A plant on the same years under the same failures, without what some causes bring about.

    Parameters
    ----------
    case : Case
    plant : Plant
    controller : Controller
    environment : OperatingEnvironment
    outages : OutageSample
        Of all causes.
    forecast_factors : ndarray, shape (R, days, leads)
        [fraction]
    start_mwh : float
        Stored energy at the start. [MWh]
    """

    def __init__(
        self,
        case: Case,
        plant: Plant,
        controller: Controller,
        environment: OperatingEnvironment,
        outages: OutageSample,
        forecast_factors: FloatArray,
        start_mwh: float,
    ) -> None:
        self._case, self._outages = case, outages
        run = prepared(case, plant, controller, environment, outages, forecast_factors, start_mwh)
        self._run, words, places = _in_one_memory(run)
        carried, until = _places(places, self._run)
        self._day_steps = round(24 / case.step_h)
        days = case.steps // self._day_steps
        self._trail = Trail(
            words,
            words.view(np.float64),
            carried,
            until,
            np.zeros((days, carried.size + until.size), np.int64),
            np.ones(days, np.bool_),
            np.zeros(days, np.int64),
        )
        self._output = room_for_results(case, record=False)
        self._off: frozenset[str] | None = None

    def operated(self, *, record: bool) -> SimulatedOperation:
        """Operate the plant with nothing switched off: what :func:`operate` gives, and where reruns begin."""
        output = room_for_results(self._case, record=record)
        residual = self._run.simulate(output, self._trail)
        self._output.shed_mw[:], self._output.lost_compute[:] = output.shed_mw, output.lost_compute
        self._off = frozenset()
        return brought_into_order(self._case, self._run, output, residual)

    def lost_mwh(self, off: Collection[str]) -> FloatArray:
        """Compute lost in each step with some causes switched off: what a run of its own gives, to the bit.

        The fewer causes differ from those of the call before, the sooner it is found.

        Returns
        -------
        ndarray, shape (T,)
            [MWh]
        """
        self._follow(frozenset(off))
        case, output = self._case, self._output
        lost, _ = lost_with_restarts(case, self._run.environment, output.shed_mw, output.lost_compute.copy())
        lost *= case.load_mw
        lost *= case.step_h
        return lost

    def _follow(self, off: frozenset[str]) -> None:
        trail, run = self._trail, self._run
        outages = self._outages.without(off)
        if self._off is not None:
            trail.differs[:] = self._days_of(self._off ^ off)
            if not trail.differs.any():
                return
            first = int(np.argmax(trail.differs))
            count = trail.carried.size
            trail.words[trail.carried], trail.words[trail.until] = np.split(trail.kept[first], [count])
            run.machine.resource["told_day"] = -1
            run.machine.plant["first_step"] = first * self._day_steps
        plant = run.machine.plant
        plant["single_starts"], plant["common_starts"] = outages.single_starts, outages.common_starts
        run._replace(inputs=run.inputs._replace(**_events_of(outages))).simulate(self._output, trail)
        self._off = off

    def _days_of(self, causes: frozenset[str]) -> NDArray[np.bool_]:
        """Days on which something differs with or without some causes."""
        trail, outages = self._trail, self._outages
        days = outages.step[outages.brought_by(causes)] // self._day_steps
        differs = np.zeros(len(trail.kept), np.bool_)
        differs[days[days < differs.size]] = True
        missed = ("starts" in causes) + 2 * ("common_starts" in causes)
        found: NDArray[np.bool_] = differs | ((trail.missed_starts & missed) != 0)
        return found


def _events_of(outages: OutageSample) -> dict[str, NDArray[Any]]:
    return {
        "event_step": outages.step,
        "event_kind": outages.kind,
        "event_index": outages.index,
        "event_change": outages.change,
    }


def _in_one_memory(run: Run) -> tuple[Run, NDArray[np.int64], dict[str, tuple[int, NDArray[Any]]]]:
    """Move all records of a run into one memory; say where each kind of them begins there."""
    machine, fleet = run.machine, run.state.fleet
    arrays: dict[str, NDArray[Any]] = {
        "tech": machine.tech,
        "unit": machine.unit,
        "tier": machine.tier,
        "plant": machine.plant,
        "resource": machine.resource,
        "sink": machine.sink,
        "fuel_causes": run.state.fuel_causes,
    }
    ends = np.cumsum([0, *(array.nbytes // 8 for array in arrays.values())])
    words = np.zeros(ends[-1], np.int64)
    places = {}
    for (name, array), first, end in zip(arrays.items(), ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        moved = words[first:end].view(array.dtype)
        moved[:] = array
        places[name] = first, moved
    moved_to = {name: moved for name, (_, moved) in places.items()}
    fuel_causes = moved_to.pop("fuel_causes")
    machine = replace(machine, **moved_to)
    fleet = fleet._replace(**{name: moved_to[name] for name in ("tech", "tier", "plant", "resource")})
    state = run.state._replace(fleet=fleet, unit=machine.unit, fuel_causes=fuel_causes)
    hub = None if run.hub is None else run.hub._replace(sink=machine.sink)
    return run._replace(machine=machine, state=state, hub=hub), words, places


def _places(
    places: Mapping[str, tuple[int, NDArray[Any]]], run: Run
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places in the memory of what one day takes over from another, and of steps until which things hold."""
    carried = {name: list(fields) for name, fields in CARRIED.items()}
    until = {name: list(fields) for name, fields in UNTIL.items()}
    if run.machine.plant["serviced"][0]:
        carried["unit"] += OF_SERVICES
        until["unit"].remove("started_at")
    if run.machine.plant["ride_failure"][0] > 0.0:
        carried["plant"] += OF_RIDE_THROUGH
    first, fuel_causes = places["fuel_causes"]
    found = [_words_of(places, carried), np.arange(first, first + fuel_causes.size)]
    return np.concatenate(found), _words_of(places, until)


def _words_of(
    places: Mapping[str, tuple[int, NDArray[Any]]], fields: Mapping[str, list[str]]
) -> NDArray[np.int64]:
    """Places in the memory of some fields of every record."""
    found = [np.zeros(0, np.int64)]
    for name, wanted in fields.items():
        first, array = places[name]
        offsets = [array.dtype.fields[field][1] // 8 for field in wanted]  # type: ignore[index]
        rows = np.arange(array.size)[:, np.newaxis] * (array.dtype.itemsize // 8)
        found.append((first + rows + np.array(offsets)).ravel())
    return np.concatenate(found).astype(np.int64)
