"""Sequential linear programming by simulation: steps in all directions at once.

A plant is evaluated a step away from where it is, both ways along every axis. Cost is then taken as the sum
of the changes, and what is lost as the product of the ratios: each reserve that is added leaves its share of
what was lost before. In logarithms both are linear, and a small linear program finds the cheapest joint step
that reaches the targets. Steps within several trust regions are evaluated; where none helps, the next probes
are closer ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from sitedesign.case.case import Case
from sitedesign.case.plant_limits import clip_to_limits
from sitedesign.certified.evaluator import Evaluator
from sitedesign.certified.moves import (
    CONTROLLER_STEPS,
    Move,
    buildable_technologies,
    change_controller,
    change_flow,
    change_racks,
    change_sizes,
    change_units,
    size_axes,
    unit_count,
    variable_flows,
)
from sitedesign.certified.objective import Candidate, Decision, SearchObjective

FloatArray = NDArray[np.float64]
LEAST_LOST = 1e-8  # what stands for nothing lost, where a logarithm is taken. [fraction]
TRUST_RADII = (4.0, 2.0, 1.0, 0.5)  # of the joint step, in probes along each axis
LEAST_STEP = 1e-3  # of a probe
LEAST_GAIN = 2e-4  # of the merit, for a step to be worth further probes
MULTIPLIER_CHANGE = 2.0  # at most, from step to step
LEAST_PROBE = 0.25  # as a share of the largest step


@dataclass(frozen=True)
class _Axis:
    """One way to change a plant or its controller; `whole`: one step at least, or none."""

    move: Move
    whole: bool = False


def _axes(case: Case, *, large_units: bool) -> list[_Axis]:
    found = [_Axis(change_controller(name)) for name in CONTROLLER_STEPS]
    sizes = size_axes(case)
    if {"battery_mw": 1} in sizes:
        # Where there is no battery, neither more energy nor more power alone is of any use
        sizes.append({"battery_mwh": 1, "battery_mw": 1})
    found += [_Axis(change_sizes(case, **signs)) for signs in sizes]
    found += [_Axis(change_flow(case, flow), flow.item.whole) for flow in variable_flows(case)]
    found.append(_Axis(change_racks, whole=True))
    units = [
        _Axis(change_units(case, k), unit_count(case, k, 1.0) == 1) for k in buildable_technologies(case)
    ]
    return found + [axis for axis in units if large_units or not axis.whole]


@dataclass(frozen=True, eq=False)
class _Probe:
    """What a step one way along an axis changed."""

    number: int  # of the axis
    axis: _Axis
    step: float
    cost_usd: float
    log_lost: FloatArray  # per class
    excess_mwh: float


def solve_slp(
    evaluator: Evaluator,
    start: Candidate,
    objective: SearchObjective,
    max_evaluations: int,
    *,
    large_units: bool = True,
) -> tuple[Candidate, SearchObjective]:
    """Take joint steps until none helps.

    Parameters
    ----------
    evaluator : Evaluator
    start : Candidate
    objective : SearchObjective
    max_evaluations : int
        After which no further step is begun.
    large_units : bool
        Change the number of units of which one makes a difference.

    Returns
    -------
    Candidate
        The best by merit.
    SearchObjective
        With the multipliers where the steps ended.
    """
    budget, here, scale = evaluator.evaluations + max_evaluations, start, 1.0
    axes = _axes(evaluator.case, large_units=large_units)
    while evaluator.evaluations < budget and scale >= LEAST_PROBE:
        probes = _probe_axes(evaluator, here, objective, axes, scale)
        proposed = [_joint_step(here, objective, probes, radius) for radius in TRUST_RADII]
        candidates = evaluator.estimate_all(
            [_moved(evaluator.case, here, probes, steps) for steps, _ in proposed]
        )
        better = min(candidates, key=objective.merit)
        if objective.merit(better) < objective.merit(here) * (1 - LEAST_GAIN):
            here = better
        else:
            scale /= 2
        duals = _next_multipliers(objective, here, proposed[0][1])
        objective = replace(objective, multipliers_usd_per_mwh=duals)
    return here, objective


def _probe_axes(
    evaluator: Evaluator, here: Candidate, objective: SearchObjective, axes: Sequence[_Axis], scale: float
) -> list[_Probe]:
    """Evaluate a step both ways along every axis."""
    steps: list[tuple[int, _Axis, float, Decision]] = []
    for number, axis in enumerate(axes):
        for sign in (1.0, -1.0):
            step = sign * (1.0 if axis.whole else scale)
            plant, controller = axis.move(here, step)
            decision = clip_to_limits(plant, evaluator.case, here.plant), controller
            if decision != here.decision:
                steps.append((number, axis, step, decision))
    candidates = evaluator.estimate_all([decision for *_, decision in steps])
    return [
        _Probe(
            number,
            axis,
            step,
            objective.cost_with_voll(there) - objective.cost_with_voll(here),
            _log_lost(there) - _log_lost(here),
            there.excess_mwh_per_yr - here.excess_mwh_per_yr,
        )
        for (number, axis, step, _), there in zip(steps, candidates, strict=True)
    ]


def _joint_step(
    here: Candidate, objective: SearchObjective, probes: Sequence[_Probe], radius: float
) -> tuple[FloatArray, tuple[float, ...]]:
    """Find the cheapest joint step by a linear program: lengths in probes, and the duals of the targets."""
    classes, count = len(objective.targets), len(probes)
    downtime = np.maximum(1.0 - np.array(objective.targets), LEAST_LOST)
    lost_mwh = downtime * np.array(objective.load_mwh_per_yr)
    prices = np.array(objective.multipliers_usd_per_mwh)
    # What a step misses of the targets it pays for, dearly, so that there always is one
    missing = np.maximum(3.0 * prices * lost_mwh, 1.0)
    costs = np.concatenate([[probe.cost_usd for probe in probes], missing, [objective.excess_usd_per_mwh]])
    change = np.array([[*probe.log_lost, probe.excess_mwh] for probe in probes]).T
    rows = np.hstack([change, -np.eye(classes + 1)])
    upper = np.append(np.log(downtime) - _log_lost(here), -here.excess_mwh_per_yr)
    # Both ways along an axis at once would be a step nowhere
    axes = sorted({probe.number for probe in probes})
    once = np.array([[float(probe.number == axis) for probe in probes] for axis in axes])
    rows = np.vstack([rows, np.hstack([once, np.zeros((len(axes), classes + 1))])])
    found = linprog(costs, A_ub=rows, b_ub=np.append(upper, np.full(len(axes), radius)), method="highs")
    if found.x is None:
        return np.zeros(count), objective.multipliers_usd_per_mwh
    duals = np.maximum(-found.ineqlin.marginals[:classes], 0.0) / lost_mwh
    bounded = np.clip(duals, prices / MULTIPLIER_CHANGE, prices * MULTIPLIER_CHANGE)
    return found.x[:count], tuple(np.where(prices > 0, bounded, 0.0).tolist())


def _next_multipliers(
    objective: SearchObjective, here: Candidate, duals: Sequence[float]
) -> tuple[float, ...]:
    """Take what lost compute costs at the margin, but nothing less while a target is missed."""
    parts = zip(
        objective.multipliers_usd_per_mwh, duals, here.uptime_by_class, objective.targets, strict=True
    )
    return tuple(max(new, old) if uptime < target else new for old, new, uptime, target in parts)


def _moved(case: Case, here: Candidate, probes: Sequence[_Probe], steps: FloatArray) -> Decision:
    there = here
    for probe, length in zip(probes, steps.tolist(), strict=True):
        size = float(round(length)) if probe.axis.whole else length
        if size > LEAST_STEP:
            plant, controller = probe.axis.move(there, probe.step * size)
            plant = clip_to_limits(plant, case, there.plant)
            there = replace(there, plant=plant, controller=controller)
    return there.decision


def _log_lost(candidate: Candidate) -> FloatArray:
    result: FloatArray = np.log(np.maximum(1.0 - np.array(candidate.uptime_by_class), LEAST_LOST))
    return result
