"""Pattern search over capacities, units, racks and the controller, by simulation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, islice

import numpy as np

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
    swap_for_units,
    swap_units,
    unit_count,
    variable_flows,
)
from sitedesign.certified.objective import Candidate, Decision, SearchObjective
from sitedesign.util.progress import Progress
from sitedesign.util.threads import cores

LEAST_STEP, FINE_STEP = 1 / 8, 1 / 2
MULTIPLIER_FACTORS = (4.0, 3.0, 2.0)  # by which the price of lost compute moves, search after search
# Of lost compute: below the first no backup would run for it. [USD/MWh]
LEAST_MULTIPLIER, MOST_MULTIPLIER = 500.0, 1e8


def pattern_search(
    evaluator: Evaluator,
    start: Candidate,
    objective: SearchObjective,
    max_evaluations: int,
    progress: Progress,
) -> tuple[Candidate, SearchObjective]:
    """Find the cheapest plant near a start that reaches the targets on the years that the evaluator looks at.

    First every lost MWh has a price, smoothly, and the multiplier of a class rises until its target is
    reached and falls while it is exceeded; then what reached the targets is made cheaper without losing them.

    Parameters
    ----------
    evaluator : Evaluator
    start : Candidate
    objective : SearchObjective
    max_evaluations : int
        After which to stop.
    progress : callable

    Returns
    -------
    Candidate
        The best that meets the targets, or the best by merit when none does.
    SearchObjective
        With the multipliers at which the search ended.
    """
    share = max_evaluations // (len(MULTIPLIER_FACTORS) + 3)
    multipliers = _Multipliers(objective)
    for number, factor in enumerate(MULTIPLIER_FACTORS):
        best = min([start, *evaluator.estimates.values()], key=objective.lagrangian)
        end = poll(evaluator, best, objective.lagrangian, share * (1 if number else 2))
        progress(f"searching: {evaluator.evaluations} plants evaluated, {end.describe(objective)}")
        objective = multipliers.after(objective, end, factor)
    return tighten_cost(evaluator, objective, 2 * share), objective


def tighten_cost(evaluator: Evaluator, objective: SearchObjective, max_evaluations: int) -> Candidate:
    """Make what reached the targets cheaper without losing them again; the best by merit when nothing did.

    Parameters
    ----------
    evaluator : Evaluator
    objective : SearchObjective
    max_evaluations : int
        After which to stop.

    Returns
    -------
    Candidate
    """
    feasible = [candidate for candidate in evaluator.estimates.values() if objective.feasible(candidate)]
    if not feasible:
        return min(evaluator.estimates.values(), key=objective.merit)

    def cost(candidate: Candidate) -> float:
        return objective.cost_with_voll(candidate) if objective.feasible(candidate) else np.inf

    best = min(feasible, key=objective.cost_with_voll)
    return poll(evaluator, best, cost, max_evaluations, first_step=FINE_STEP)


class _Multipliers:
    """Multipliers of the targets: up by a factor until they are reached, down, and then in between."""

    def __init__(self, objective: SearchObjective) -> None:
        self.low = [0.0] * len(objective.targets)
        self.high = [np.inf] * len(objective.targets)

    def after(self, objective: SearchObjective, end: Candidate, factor: float) -> SearchObjective:
        """Multipliers for the next search, after one that ended at a plant."""
        moved = []
        for number, price in enumerate(objective.multipliers_usd_per_mwh):
            missed = end.uptime_by_class[number] < objective.targets[number]
            if missed:
                self.low[number] = max(self.low[number], price)
            else:
                self.high[number] = min(self.high[number], price)
            low, high = self.low[number], self.high[number]
            between = (low * high) ** 0.5 if low < high < np.inf and low > 0 else None
            further = price * (factor if missed else 1 / factor)
            bounded = min(max(further if between is None else between, LEAST_MULTIPLIER), MOST_MULTIPLIER)
            moved.append(bounded if price > 0 else 0.0)
        return replace(objective, multipliers_usd_per_mwh=tuple(moved))


def poll(
    evaluator: Evaluator,
    start: Candidate,
    merit: Callable[[Candidate], float],
    max_evaluations: int,
    *,
    first_step: float = 1.0,
) -> Candidate:
    """Move a plant downhill, one direction after the other, until no small step helps.

    Every direction has a step of its own: it is taken again while it helps, and halved when neither way does.

    Parameters
    ----------
    evaluator : Evaluator
    start : Candidate
    merit : callable
        What to make small. [USD/yr]
    max_evaluations : int
        After which to stop.
    first_step : float
        As a share of the largest.

    Returns
    -------
    Candidate
    """
    budget = evaluator.evaluations + max_evaluations
    best, directions = start, _poll_directions(evaluator.case, first_step)
    fresh = True  # something has changed since every direction was tried
    while evaluator.evaluations < budget:
        moved = False
        # What helped before is tried first; the sort is stable, so the order is always the same.
        order = sorted(directions, key=lambda item: -item.successes)
        for number, direction in enumerate(order):
            if direction.step < LEAST_STEP:
                continue
            best, gained = _line_search(evaluator, best, merit, order[number:], budget)
            moved = moved or gained
            if evaluator.evaluations >= budget:
                return best
        fresh = fresh or moved
        if not moved and all(direction.step < LEAST_STEP for direction in directions):
            if not fresh:
                break
            fresh = False
            for direction in directions:  # what was no help at first may help now
                direction.step = direction.restart_step
    return best


def _line_search(
    evaluator: Evaluator,
    best: Candidate,
    merit: Callable[[Candidate], float],
    order: Sequence[_PollDirection],
    budget: int,
) -> tuple[Candidate, bool]:
    """Step in the first direction while it helps, the way that helped last first; the others come after it.

    Most steps do not help. On every core that is free one is therefore run that comes next if none before it
    helps, which changes nothing but the time.
    """
    direction, *later = order
    for sign in (direction.sign, -direction.sign):
        gained = False
        while evaluator.evaluations < budget:
            decision = _step(evaluator, best, direction, sign)
            if decision == best.decision:
                break
            if not evaluator.knows(decision):
                back = sign == direction.sign and not gained
                steps = _unknown(evaluator, best, order if back else later)
                others = (step for step in steps if step != decision)
                free = min(cores(), budget - evaluator.evaluations) - 1
                evaluator.look_ahead([decision, *islice(others, free)])
            candidate = evaluator.estimate(*decision)
            if merit(candidate) >= merit(best) * (1 - 1e-5):
                break
            best, gained = candidate, True
        if gained:
            direction.sign, direction.successes = sign, direction.successes + 1
            return best, True
    direction.step = 0.0 if direction.is_smallest(direction.step) else direction.step / 2
    return best, False


def _unknown(
    evaluator: Evaluator, best: Candidate, directions: Sequence[_PollDirection]
) -> Iterator[Decision]:
    """List steps from a plant in the order in which they are tried, without those that were run."""
    for direction in directions:
        if direction.step >= LEAST_STEP:
            for sign in (direction.sign, -direction.sign):
                decision = _step(evaluator, best, direction, sign)
                if decision != best.decision and not evaluator.knows(decision):
                    yield decision


def _step(evaluator: Evaluator, best: Candidate, direction: _PollDirection, sign: int) -> Decision:
    """Take one step from a plant; the plant itself where its limits leave no other."""
    plant, controller = direction.move(best, sign * direction.step)
    return clip_to_limits(plant, evaluator.case, best.plant), controller


def _never(_step: float) -> bool:
    return False


@dataclass(eq=False)
class _PollDirection:
    """One way to change a plant or its controller.

    Attributes
    ----------
    move : callable
        Candidate and step, as a share of the largest -> plant and controller.
    step : float
        Of the moment; below LEAST_STEP the direction rests.
    restart_step : float
        When it is tried again.
    is_smallest : callable
        Whether a step is already the smallest there is, of a single unit or rack.
    sign, successes : int
        The way that helped last, and how often either did.
    """

    move: Move
    step: float
    restart_step: float = 2 * LEAST_STEP
    is_smallest: Callable[[float], bool] = _never
    sign: int = 1
    successes: int = 0


def _poll_directions(case: Case, step: float) -> list[_PollDirection]:
    """List single steps in every direction, and the exchanges that pay most often."""
    found = [_PollDirection(change_controller(name), step) for name in CONTROLLER_STEPS]
    found += [
        _PollDirection(change_sizes(case, **signs), step)
        for signs in (
            *size_axes(case),
            {"battery_mwh": 1, "battery_mw": 1},
            *({item.size_name: 1, "battery_mwh": -1} for item in case.resources),
            *({item.size_name: 1, "battery_mwh": 1, "battery_mw": 1} for item in case.resources),
        )
    ]
    found.append(_PollDirection(change_racks, step, is_smallest=lambda _step: True))
    return found + list(_unit_directions(case, step)) + list(_flow_directions(case, step))


def _flow_directions(case: Case, step: float) -> Iterator[_PollDirection]:
    """More or less of imports and sinks, alone or in exchange for battery, resources or units."""
    for flow in variable_flows(case):
        smallest = partial(lambda flow, step: abs(flow.units(step)) <= 1, flow) if flow.item.whole else _never
        exchanges: list[dict[str, float]] = [{}]
        if flow.is_import:
            exchanges += [{"battery_mwh": 4.0}, *({item.size_name: 1.0} for item in case.resources)]
        for given in exchanges:
            yield _PollDirection(change_flow(case, flow, **given), step, is_smallest=smallest)
        for k in buildable_technologies(case) if flow.is_import and not flow.item.whole else ():
            units = partial(lambda k, step: unit_count(case, k, step) == 1, k)
            yield _PollDirection(swap_for_units(case, flow, k), step, is_smallest=units)


def _unit_directions(case: Case, step: float) -> Iterator[_PollDirection]:
    """More or fewer units, alone or in exchange for battery or units of another technology."""
    for k in buildable_technologies(case):
        smallest = partial(lambda k, step: unit_count(case, k, step) == 1, k)
        yield _PollDirection(change_units(case, k), step, is_smallest=smallest)
        yield _PollDirection(change_units(case, k, battery_mwh=6.0), step, is_smallest=smallest)
    for k, j in combinations(buildable_technologies(case), 2):
        yield _PollDirection(swap_units(case, k, j), step, is_smallest=lambda _step: True)
