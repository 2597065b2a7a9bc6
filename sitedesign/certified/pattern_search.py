"""Pattern search over capacities, units, racks and the controller, with a judge as its yardstick."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, islice

import numpy as np

from sitedesign.case.case import Case
from sitedesign.certified.evaluator import Aim, Asked, Judge, Trial
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
    swap_units,
    unit_count,
)
from sitedesign.util.threads import cores

LEAST_SCALE, FINE = 1 / 8, 1 / 2
FACTORS = (4.0, 3.0, 2.0)  # by which the price of lost compute moves, step after step
# Of lost compute: below the first no backup would run for it. [USD/MWh]
LEAST_PRICE, MOST_PRICE = 500.0, 1e8

Say = Callable[[str], None]


def search(judge: Judge, start: Trial, aim: Aim, most_trials: int, say: Say) -> tuple[Trial, Aim]:
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
    say : callable
        Takes one line of progress.

    Returns
    -------
    Trial
        The best that meets the goals, or the best by merit when none does.
    Aim
        With the prices at which the search ended.
    """
    share = most_trials // (len(FACTORS) + 3)
    ladder = _Prices(aim)
    for number, factor in enumerate(FACTORS):
        best = min([start, *judge.trials.values()], key=aim.priced)
        end = refine(judge, best, aim.priced, share * (1 if number else 2))
        kept = ", ".join(f"{kept:.4%} of {goal:.4%}" for kept, goal in zip(end.kept, aim.goals, strict=True))
        say(f"searching: {judge.judged} plants judged, {end.cost_usd_per_yr / 1e6:,.2f} M USD/yr at {kept}")
        aim = ladder.after(aim, end, factor)
    return polish(judge, aim, 2 * share), aim


def polish(judge: Judge, aim: Aim, most_trials: int) -> Trial:
    """Make what reached the goals cheaper without losing them again; the best by merit when nothing did.

    Parameters
    ----------
    judge : Judge
    aim : Aim
    most_trials : int
        New trials after which to stop.

    Returns
    -------
    Trial
    """
    met = [trial for trial in judge.trials.values() if aim.met(trial)]
    if not met:
        return min(judge.trials.values(), key=aim.merit)
    best = min(met, key=aim.worth)
    return refine(
        judge, best, lambda trial: aim.worth(trial) if aim.met(trial) else np.inf, most_trials, scale=FINE
    )


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
        order = sorted(directions, key=lambda item: -item.wins)
        for number, direction in enumerate(order):
            if direction.scale < LEAST_SCALE:
                continue
            best, gained = _follow(judge, best, merit, direction, order[number + 1 :], budget)
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
    judge: Judge,
    best: Trial,
    merit: Callable[[Trial], float],
    direction: _Direction,
    later: Sequence[_Direction],
    budget: int,
) -> tuple[Trial, bool]:
    """Step in one direction while it helps, the way that helped last first; `later` is what comes after it.

    Most steps do not help. On every core that is free one is therefore run that comes next if none before it
    helps, which changes nothing but the time.
    """
    for sign in (direction.sign, -direction.sign):
        gained = False
        while judge.judged < budget:
            asked = _step(judge, best, direction, sign)
            if asked == (best.plant, best.controller):
                break
            if not judge.knows(asked):
                back = sign == direction.sign and not gained
                steps = _unknown(judge, best, [direction, *later] if back else later)
                others = (step for step in steps if step != asked)
                judge.look_ahead([asked, *islice(others, min(cores(), budget - judge.judged) - 1)])
            trial = judge.trial(*asked)
            if merit(trial) >= merit(best) * (1 - 1e-5):
                break
            best, gained = trial, True
        if gained:
            direction.sign, direction.wins = sign, direction.wins + 1
            return best, True
    direction.scale = 0.0 if direction.whole(direction.scale) else direction.scale / 2
    return best, False


def _unknown(judge: Judge, best: Trial, directions: Sequence[_Direction]) -> Iterator[Asked]:
    """List steps from a plant in the order in which they are tried, without those that were run."""
    for direction in directions:
        if direction.scale >= LEAST_SCALE:
            for sign in (direction.sign, -direction.sign):
                asked = _step(judge, best, direction, sign)
                if asked != (best.plant, best.controller) and not judge.knows(asked):
                    yield asked


def _step(judge: Judge, best: Trial, direction: _Direction, sign: int) -> Asked:
    """Take one step from a plant; the plant itself where its limits leave no other."""
    plant, controller = direction.move(best, sign * direction.scale)
    return inside(plant, judge.case, best.plant), controller


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

    move: Move
    scale: float
    least: float = 2 * LEAST_SCALE
    whole: Callable[[float], bool] = lambda _scale: False
    sign: int = 1
    wins: int = 0


def _directions(case: Case, scale: float) -> list[_Direction]:
    """List single steps in every direction, and the exchanges that pay most often."""
    found = [_Direction(change_rule(name), scale) for name in STEP_RULE]
    found += [
        _Direction(change_sizes(case, **signs), scale)
        for signs in (
            *size_axes(case),
            {"battery_mwh": 1, "battery_mw": 1},
            *({item.size_name: 1, "battery_mwh": -1} for item in case.resources),
            *({item.size_name: 1, "battery_mwh": 1, "battery_mw": 1} for item in case.resources),
        )
    ]
    found.append(_Direction(change_racks, scale, whole=lambda _scale: True))
    return found + list(_unit_directions(case, scale))


def _unit_directions(case: Case, scale: float) -> Iterator[_Direction]:
    """More or fewer units, alone or in exchange for battery or units of another technology."""
    for k in allowed(case):
        whole = partial(lambda k, step: unit_count(case, k, step) == 1, k)
        yield _Direction(change_units(case, k), scale, whole=whole)
        yield _Direction(change_units(case, k, battery_mwh=6.0), scale, whole=whole)
    for k, j in combinations(allowed(case), 2):
        yield _Direction(swap_units(case, k, j), scale, whole=lambda _scale: True)
