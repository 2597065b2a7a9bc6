"""Pattern search over capacities, units, racks and the controller, with a judge as its yardstick."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sitedesign import economics
from sitedesign.case import Case, Plant
from sitedesign.judge import SPARE_UNITS, Aim, Judge, Trial
from sitedesign.reliability.machine import Controller

# First steps of the search, halved three times: hours of mean load, then what is tuned of the controller.
STEP_H = {"solar_mw": 0.25, "battery_mwh": 1.0, "battery_mw": 0.1}
STEP_RULE = {"caution": 1.0, "reliance": 0.2, "margin_h": 1.0}
RULE_BOUNDS = {"caution": (0.0, 6.0), "reliance": (0.1, 1.0), "margin_h": (0.0, 48.0)}
HALVINGS = 3
# By which the price of lost compute moves, step after step: of a first search, and of one near its end.
FAR, NEAR = (4.0, 3.0, 2.0), (1.5, 1.3)
# Of lost compute: below the first no backup would run for it. [USD/MWh]
LEAST_PRICE, MOST_PRICE = 500.0, 1e8

Say = Callable[[str], None]


def starts(case: Case, planned: Sequence[Plant]) -> list[Plant]:
    """Plants to begin with: as planned, and with the spares that a planner who sees everything leaves out."""
    load = mean_load_mw(case)
    found = []
    for plant in planned:
        spare = tuple(n + 1 if n else 0 for n in plant.units)
        more = replace(plant, units=spare, battery_mwh=plant.battery_mwh + 2 * load)
        found += [plant, replace(plant, units=spare), replace(more, battery_mw=plant.battery_mw + 0.5 * load)]
    return list(dict.fromkeys(inside(plant, case) for plant in found))


def search(
    judge: Judge, start: Trial, aim: Aim, most_trials: int, factors: Sequence[float], say: Say
) -> tuple[Trial, Aim]:
    """Find the cheapest plant near a start that reaches the goals on the years the judge looks at.

    First every lost MWh has a price, smoothly, and the price of a class rises until its goal is reached and
    falls while it is exceeded; then what reached the goals is made cheaper without losing them again.

    Parameters
    ----------
    judge : Judge
    start : Trial
    aim : Aim
    most_trials : int
        New trials after which to stop.
    factors : sequence of float
        By which the prices move, step after step.
    say : callable
        Takes one line of progress.

    Returns
    -------
    Trial
        The best that meets the goals, or the best by merit when none does.
    Aim
        With the prices at which the search ended.
    """
    share = most_trials // (len(factors) + 3)
    ladder = _Prices(aim)
    for number, factor in enumerate(factors):
        best = min([start, *judge.trials.values()], key=aim.priced)
        end = refine(judge, best, aim.priced, share * (1 if number else 2))
        kept = ", ".join(f"{kept:.4%} of {goal:.4%}" for kept, goal in zip(end.kept, aim.goals, strict=True))
        say(f"searching: {judge.judged} plants judged, {end.cost_usd_per_yr / 1e6:,.2f} M USD/yr at {kept}")
        aim = ladder.after(aim, end, factor)
    met = [trial for trial in judge.trials.values() if aim.met(trial)]
    if not met:
        return min(judge.trials.values(), key=aim.merit), aim
    best = min(met, key=aim.worth)
    return refine(judge, best, lambda trial: aim.worth(trial) if aim.met(trial) else np.inf, share), aim


class _Prices:
    """Prices on the lost compute of each class: up by a factor until they do, down, and then in between."""

    def __init__(self, aim: Aim) -> None:
        self.low = [0.0] * len(aim.goals)
        self.high = [np.inf] * len(aim.goals)

    def after(self, aim: Aim, end: Trial, factor: float) -> Aim:
        """Prices for the next search, after one that ended at a plant."""
        moved = []
        for number, price in enumerate(aim.prices_usd_per_mwh):
            if end.kept[number] < aim.goals[number]:
                self.low[number] = max(self.low[number], price)
            else:
                self.high[number] = min(self.high[number], price)
            low, high = self.low[number], self.high[number]
            between = (low * high) ** 0.5 if low < high < np.inf and low > 0 else None
            further = price * (factor if end.kept[number] < aim.goals[number] else 1 / factor)
            bounded = min(max(further if between is None else between, LEAST_PRICE), MOST_PRICE)
            moved.append(bounded if price > 0 else 0.0)
        return replace(aim, prices_usd_per_mwh=tuple(moved))


def refine(judge: Judge, start: Trial, merit: Callable[[Trial], float], most_trials: int) -> Trial:
    """Move a plant downhill until no small step helps.

    Parameters
    ----------
    judge : Judge
    start : Trial
    merit : callable
        What to make small. [USD/yr]
    most_trials : int
        New trials after which to stop.

    Returns
    -------
    Trial
    """
    budget = len(judge.trials) + most_trials
    best, wins = start, dict[str, int]()
    for halving in range(HALVINGS + 1):
        moved = True
        while moved and len(judge.trials) < budget:
            moved = False
            # What helped before is tried first; the sort is stable, so the order is always the same.
            steps = sorted(_neighbours(judge.case, best, halving), key=lambda step: -wins.get(step[0], 0))
            for name, plant, controller in steps:
                trial = judge.trial(plant, controller)
                if merit(trial) < merit(best) * (1 - 1e-5):
                    best, moved = trial, True
                    wins[name] = wins.get(name, 0) + 1
                    break
                if len(judge.trials) >= budget:
                    break
    return best


def _neighbours(case: Case, trial: Trial, halving: int) -> Iterator[tuple[str, Plant, Controller]]:
    """Yield single steps in every direction, and the exchanges that pay most often, each with its name."""
    plant, rule = trial.plant, trial.controller
    scale, load = 0.5**halving, mean_load_mw(case)
    step = {name: hours * scale * load for name, hours in STEP_H.items()}
    for sign in (1, -1):
        for name, size in STEP_RULE.items():
            value = float(np.clip(getattr(rule, name) + sign * size * scale, *RULE_BOUNDS[name]))
            changed = replace(rule, **{name: value})  # type: ignore[arg-type]  # names of numbers only
            if changed != rule:
                yield f"{name} {sign}", plant, changed
        for name, move in _moves(case, plant, step, sign, scale, halving):
            changed_plant = inside(replace(plant, **move), case)
            if changed_plant != plant:
                yield f"{name} {sign}", changed_plant, rule
    for k, fewer in enumerate(plant.units if halving == 0 else ()):
        for j, item in enumerate(case.backup):
            if j != k and fewer > 0:
                count = max(1, round(case.backup[k].unit_mw / item.unit_mw))
                units = tuple(n - (i == k) + count * (i == j) for i, n in enumerate(plant.units))
                yield f"swap {k} {j}", inside(replace(plant, units=units), case), rule


def _moves(
    case: Case, plant: Plant, step: dict[str, float], sign: int, scale: float, halving: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield changes of a plant by name."""
    now = {name: getattr(plant, name) for name in step}
    more = {name: now[name] + sign * step[name] for name in step}
    less = {name: now[name] - sign * step[name] for name in step}
    for name in step:
        yield name, {name: more[name]}
    yield "battery", {name: more[name] for name in ("battery_mwh", "battery_mw")}
    yield "solar for battery", {"solar_mw": more["solar_mw"], "battery_mwh": less["battery_mwh"]}
    yield "racks", {"racks": plant.racks + sign}
    for k, item in enumerate(case.backup):
        if halving > 0 and not plant.units[k]:
            continue  # a technology that no large step wanted
        # One unit, or of small ones as many as make a difference.
        for count in sorted({1, max(1, round(0.15 * scale * mean_load_mw(case) / item.unit_mw))}):
            units = tuple(n + sign * count * (i == k) for i, n in enumerate(plant.units))
            yield f"{item.name} {count}", {"units": units}
            yield f"{item.name} {count} for battery", {"units": units, "battery_mwh": less["battery_mwh"]}


def inside(plant: Plant, case: Case) -> Plant:
    """Bring a plant back inside the limits of its case."""
    limits = case.limits
    solar_most = limits.solar_mw[1]
    if limits.land_acres is not None:
        solar_most = min(solar_most, limits.land_acres / case.solar_acres_per_mw)
    solar = float(np.clip(plant.solar_mw, limits.solar_mw[0], solar_most))
    energy = float(np.clip(plant.battery_mwh, *limits.battery_mwh))
    power = float(np.clip(plant.battery_mw, *limits.battery_mw))
    if limits.min_duration_h is not None:
        power = min(power, energy / limits.min_duration_h)
    if limits.max_duration_h is not None:
        energy = min(energy, power * limits.max_duration_h)
    late = limits.months_to_power
    units = []
    for item, n in zip(case.backup, plant.units, strict=True):
        most = item.units_max if item.units_max == item.units_min else item.units_max + SPARE_UNITS
        units.append(
            0 if late is not None and item.lead_months > late else int(np.clip(n, item.units_min, most))
        )
    racks = int(np.clip(plant.racks, max(case.racks_contracted, case.racks_min), case.racks_max))
    return Plant(solar, energy, power, tuple(units), racks)


def mean_load_mw(case: Case) -> float:
    """Mean load. [MW]"""
    return case.load_mwh_per_yr / economics.HOURS_PER_YEAR
