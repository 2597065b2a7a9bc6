"""Steps in all directions at once: sequential linear programming with a judge as its yardstick.

A plant is judged a step away from where it is, both ways along every axis. Cost is then taken as the sum of
the changes, and what is lost as the product of the ratios: each reserve that is added leaves its share of
what was lost before. In logarithms both are linear, and a small linear program finds the cheapest joint step
that reaches the goals. Steps of several lengths are judged; where none helps, the next look is a closer one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from sitedesign.case.case import Case, Plant
from sitedesign.certified.evaluator import EXCESS_PRICE, Aim, Judge, Trial
from sitedesign.certified.moves import (
    STEP_RULE,
    Move,
    allowed,
    change_racks,
    change_rule,
    change_sizes,
    change_units,
    inside,
    size_axes,
    unit_count,
)
from sitedesign.operation.state import Controller

FloatArray = NDArray[np.float64]
LEAST_LOST = 1e-8  # what stands for nothing lost, where a logarithm is taken. [fraction]
RADII = (4.0, 2.0, 1.0, 0.5)  # of the joint step, in probes along each axis
LEAST_STEP = 1e-3  # of a probe
LEAST_GAIN = 2e-4  # of the merit, for a step to be worth a further look
MOST_CHANGE = 2.0  # of the price of lost compute, from step to step
LEAST_PROBE = 0.25  # as a share of the largest step


@dataclass(frozen=True)
class _Axis:
    """One way to change a plant or its controller; `whole`: one step at least, or none."""

    move: Move
    whole: bool = False


def _axes(case: Case) -> list[_Axis]:
    found = [_Axis(change_rule(name)) for name in STEP_RULE]
    sizes = size_axes(case)
    if {"battery_mw": 1} in sizes:
        # Where there is no battery, neither more energy nor more power alone is of any use
        sizes.append({"battery_mwh": 1, "battery_mw": 1})
    found += [_Axis(change_sizes(case, **signs)) for signs in sizes]
    found.append(_Axis(change_racks, whole=True))
    return found + [_Axis(change_units(case, k), unit_count(case, k, 1.0) == 1) for k in allowed(case)]


@dataclass(frozen=True, eq=False)
class _Way:
    """What a probe one way along an axis changed."""

    number: int  # of the axis
    axis: _Axis
    step: float
    worth_usd: float
    log_lost: FloatArray  # per class
    excess_mwh: float


def leap(judge: Judge, start: Trial, aim: Aim, most_trials: int) -> tuple[Trial, Aim]:
    """Take joint steps until none helps.

    Parameters
    ----------
    judge : Judge
    start : Trial
    aim : Aim
    most_trials : int
        New trials after which no further step is begun.

    Returns
    -------
    Trial
        The best by merit.
    Aim
        With the prices of lost compute where the steps ended.
    """
    budget, here, scale = judge.judged + most_trials, start, 1.0
    axes = _axes(judge.case)
    while judge.judged < budget and scale >= LEAST_PROBE:
        ways = _look_around(judge, here, aim, axes, scale)
        proposed = [_program(here, aim, ways, radius) for radius in RADII]
        trials = judge.trials_of([_moved(judge.case, here, ways, steps) for steps, _ in proposed])
        better = min(trials, key=aim.merit)
        if aim.merit(better) < aim.merit(here) * (1 - LEAST_GAIN):
            here = better
        else:
            scale /= 2
        aim = replace(aim, prices_usd_per_mwh=_prices(aim, here, proposed[0][1]))
    return here, aim


def _look_around(judge: Judge, here: Trial, aim: Aim, axes: Sequence[_Axis], scale: float) -> list[_Way]:
    """Judge a probe both ways along every axis."""
    probes: list[tuple[int, _Axis, float, tuple[Plant, Controller]]] = []
    for number, axis in enumerate(axes):
        for sign in (1.0, -1.0):
            step = sign * (1.0 if axis.whole else scale)
            plant, controller = axis.move(here, step)
            plant = inside(plant, judge.case, here.plant)
            if (plant, controller) != (here.plant, here.controller):
                probes.append((number, axis, step, (plant, controller)))
    trials = judge.trials_of([asked for *_, asked in probes])
    return [
        _Way(
            number,
            axis,
            step,
            aim.worth(there) - aim.worth(here),
            _log_lost(there) - _log_lost(here),
            there.excess_mwh_per_yr - here.excess_mwh_per_yr,
        )
        for (number, axis, step, _), there in zip(probes, trials, strict=True)
    ]


def _program(
    here: Trial, aim: Aim, ways: Sequence[_Way], radius: float
) -> tuple[FloatArray, tuple[float, ...]]:
    """Find the cheapest joint step: probes along each way, and the price of lost compute of each class."""
    classes, count = len(aim.goals), len(ways)
    allowed_lost = np.maximum(1.0 - np.array(aim.goals), LEAST_LOST)
    lost_mwh = allowed_lost * np.array(aim.load_mwh_per_yr)
    prices = np.array(aim.prices_usd_per_mwh)
    # What a step misses of the goals it pays for, dearly, so that there always is one
    missing = np.maximum(3.0 * prices * lost_mwh, 1.0)
    costs = np.concatenate([[way.worth_usd for way in ways], missing, [EXCESS_PRICE]])
    change = np.array([[*way.log_lost, way.excess_mwh] for way in ways]).T
    rows = np.hstack([change, -np.eye(classes + 1)])
    most = np.append(np.log(allowed_lost) - _log_lost(here), -here.excess_mwh_per_yr)
    # Both ways along an axis at once would be a step nowhere
    axes = sorted({way.number for way in ways})
    once = np.array([[float(way.number == axis) for way in ways] for axis in axes])
    rows = np.vstack([rows, np.hstack([once, np.zeros((len(axes), classes + 1))])])
    found = linprog(costs, A_ub=rows, b_ub=np.append(most, np.full(len(axes), radius)), method="highs")
    if found.x is None:
        return np.zeros(count), aim.prices_usd_per_mwh
    marginal = np.maximum(-found.ineqlin.marginals[:classes], 0.0) / lost_mwh
    moved = np.where(prices > 0, np.clip(marginal, prices / MOST_CHANGE, prices * MOST_CHANGE), 0.0)
    return found.x[:count], tuple(moved.tolist())


def _prices(aim: Aim, here: Trial, marginal: Sequence[float]) -> tuple[float, ...]:
    """Take what lost compute costs at the margin, but nothing less while a goal is missed."""
    parts = zip(aim.prices_usd_per_mwh, marginal, here.kept, aim.goals, strict=True)
    return tuple(max(new, old) if kept < goal else new for old, new, kept, goal in parts)


def _moved(case: Case, here: Trial, ways: Sequence[_Way], steps: FloatArray) -> tuple[Plant, Controller]:
    trial = here
    for way, probes in zip(ways, steps.tolist(), strict=True):
        size = float(round(probes)) if way.axis.whole else probes
        if size > LEAST_STEP:
            plant, controller = way.axis.move(trial, way.step * size)
            trial = replace(trial, plant=inside(plant, case, trial.plant), controller=controller)
    return trial.plant, trial.controller


def _log_lost(trial: Trial) -> FloatArray:
    result: FloatArray = np.log(np.maximum(1.0 - np.array(trial.kept), LEAST_LOST))
    return result
