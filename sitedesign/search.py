"""Pattern search over capacities, units, racks and the controller, with a judge as its yardstick."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations

import numpy as np

from sitedesign import economics
from sitedesign.case import Case, Plant
from sitedesign.judge import SPARE_UNITS, Aim, Judge, Trial
from sitedesign.reliability.machine import Controller

# Largest steps of the search: hours of mean load, then what is tuned of the controller.
STEP_H = {"solar_mw": 0.25, "battery_mwh": 1.0, "battery_mw": 0.1}
STEP_RULE = {"caution": 1.0, "reliance": 0.2, "margin_h": 1.0}
RULE_BOUNDS = {"caution": (0.0, 6.0), "reliance": (0.1, 1.0), "margin_h": (0.0, 48.0)}
STEP_UNITS_H = 0.15
NOTHING = 0.01  # MW or MWh: what an optimiser leaves where it means none
LEAST_SCALE, FINE = 1 / 8, 1 / 2
# By which the price of lost compute moves, step after step: of a first search, and of one near its end.
FAR, NEAR = (4.0, 3.0, 2.0), (2.0, 1.5, 1.3)
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
    cheapest = refine(
        judge, best, lambda trial: aim.worth(trial) if aim.met(trial) else np.inf, 2 * share, scale=FINE
    )
    return cheapest, aim


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


def refine(
    judge: Judge,
    start: Trial,
    merit: Callable[[Trial], float],
    most_trials: int,
    *,
    scale: float = 1.0,
) -> Trial:
    """Move a plant downhill, one direction after the other, until no small step helps.

    Every direction has a step of its own: it is taken again while it helps, and halved when neither way does.

    Parameters
    ----------
    judge : Judge
    start : Trial
    merit : callable
        What to make small. [USD/yr]
    most_trials : int
        New trials after which to stop.
    scale : float
        First steps, as a share of the largest.

    Returns
    -------
    Trial
    """
    budget = judge.judged + most_trials
    best, directions = start, _directions(judge.case, scale)
    fresh = True  # something has changed since every direction was tried
    while judge.judged < budget:
        moved = False
        # What helped before is tried first; the sort is stable, so the order is always the same.
        for direction in sorted(directions, key=lambda item: -item.wins):
            if direction.scale < LEAST_SCALE:
                continue
            best, gained = _follow(judge, best, merit, direction, budget)
            moved = moved or gained
            if judge.judged >= budget:
                return best
        fresh = fresh or moved
        if not moved and all(direction.scale < LEAST_SCALE for direction in directions):
            if not fresh:
                break
            fresh = False
            for direction in directions:  # what was no help at first may help now
                direction.scale = direction.least
    return best


def _follow(
    judge: Judge, best: Trial, merit: Callable[[Trial], float], direction: _Direction, budget: int
) -> tuple[Trial, bool]:
    """Step in one direction while it helps, the way that helped last first."""
    for sign in (direction.sign, -direction.sign):
        gained = False
        while judge.judged < budget:
            plant, controller = direction.move(best, sign * direction.scale)
            plant = inside(plant, judge.case)
            if (plant, controller) == (best.plant, best.controller):
                break
            trial = judge.trial(plant, controller)
            if merit(trial) >= merit(best) * (1 - 1e-5):
                break
            best, gained = trial, True
        if gained:
            direction.sign, direction.wins = sign, direction.wins + 1
            return best, True
    direction.scale = 0.0 if direction.whole(direction.scale) else direction.scale / 2
    return best, False


@dataclass(eq=False)
class _Direction:
    """One way to change a plant or its controller.

    Attributes
    ----------
    move : callable
        Trial and step, as a share of the largest -> plant and controller.
    scale : float
        Step of the moment; below LEAST_SCALE the direction rests.
    least : float
        Step when it is tried again.
    whole : callable
        Whether a step is already the least one, of a single unit or rack.
    """

    move: Callable[[Trial, float], tuple[Plant, Controller]]
    scale: float
    least: float = 2 * LEAST_SCALE
    whole: Callable[[float], bool] = lambda _scale: False
    sign: int = 1
    wins: int = 0


def _directions(case: Case, scale: float) -> list[_Direction]:
    """List single steps in every direction, and the exchanges that pay most often."""
    load = mean_load_mw(case)

    def rule(name: str) -> Callable[[Trial, float], tuple[Plant, Controller]]:
        def move(trial: Trial, step: float) -> tuple[Plant, Controller]:
            value = float(
                np.clip(getattr(trial.controller, name) + step * STEP_RULE[name], *RULE_BOUNDS[name])
            )
            return trial.plant, replace(trial.controller, **{name: value})  # type: ignore[arg-type]  # numbers only

        return move

    def sizes(**signs: int) -> Callable[[Trial, float], tuple[Plant, Controller]]:
        def move(trial: Trial, step: float) -> tuple[Plant, Controller]:
            changed = {
                name: getattr(trial.plant, name) + sign * step * STEP_H[name] * load
                for name, sign in signs.items()
            }
            return replace(trial.plant, **changed), trial.controller

        return move

    def racks(trial: Trial, step: float) -> tuple[Plant, Controller]:
        return replace(trial.plant, racks=trial.plant.racks + (1 if step > 0 else -1)), trial.controller

    found = [_Direction(rule(name), scale) for name in STEP_RULE]
    found += [
        _Direction(sizes(**signs), scale)
        for signs in (
            {"solar_mw": 1},
            {"battery_mwh": 1},
            {"battery_mw": 1},
            {"battery_mwh": 1, "battery_mw": 1},
            {"solar_mw": 1, "battery_mwh": -1},
            {"solar_mw": 1, "battery_mwh": 1, "battery_mw": 1},
        )
    ]
    found.append(_Direction(racks, scale, whole=lambda _scale: True))
    return found + list(_unit_directions(case, scale))


def _unit_directions(case: Case, scale: float) -> Iterator[_Direction]:
    """More or fewer units, alone or in exchange for battery, solar or units of another technology."""
    load = mean_load_mw(case)

    def count(k: int, step: float) -> int:
        """One unit, or of small ones as many as make a difference."""
        return max(1, round(STEP_UNITS_H * abs(step) * load / case.backup[k].unit_mw))

    def exchange(k: int, given: dict[str, float]) -> Callable[[Trial, float], tuple[Plant, Controller]]:
        def move(trial: Trial, step: float) -> tuple[Plant, Controller]:
            sign, number, plant = (1 if step > 0 else -1), count(k, step), trial.plant
            units = tuple(n + sign * number * (i == k) for i, n in enumerate(plant.units))
            power = sign * number * case.backup[k].unit_mw
            less = {name: getattr(plant, name) - share * power for name, share in given.items()}
            return replace(plant, units=units, **less), trial.controller

        return move

    def swap(k: int, j: int) -> Callable[[Trial, float], tuple[Plant, Controller]]:
        def move(trial: Trial, step: float) -> tuple[Plant, Controller]:
            a, b = (k, j) if step > 0 else (j, k)
            number = max(1, round(case.backup[a].unit_mw / case.backup[b].unit_mw))
            fewer = max(1, round(case.backup[b].unit_mw / case.backup[a].unit_mw))
            units = tuple(n - fewer * (i == a) + number * (i == b) for i, n in enumerate(trial.plant.units))
            plant = trial.plant if min(units) < 0 else replace(trial.plant, units=units)
            return plant, trial.controller

        return move

    allowed = [k for k, item in enumerate(case.backup) if item.units_max > 0]
    for k in allowed:
        whole = partial(lambda k, step: count(k, step) == 1, k)
        yield _Direction(exchange(k, {}), scale, whole=whole)
        yield _Direction(exchange(k, {"battery_mwh": 6.0}), scale, whole=whole)
    for k, j in combinations(allowed, 2):
        yield _Direction(swap(k, j), scale, whole=lambda _scale: True)


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
    solar, energy, power = (0.0 if size < NOTHING else size for size in (solar, energy, power))
    racks = int(np.clip(plant.racks, max(case.racks_contracted, case.racks_min), case.racks_max))
    return Plant(solar, energy, power, tuple(units), racks)


def mean_load_mw(case: Case) -> float:
    """Mean load. [MW]"""
    return case.load_mwh_per_yr / economics.HOURS_PER_YEAR
