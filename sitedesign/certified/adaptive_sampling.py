"""Adaptive scenario selection: from a plant near the target to one that is worth a certificate.

Each iteration searches by some years, those that hurt plants like the reference the likeliest among them,
evaluates the best it found on all years, and goes on from there. What is best of many estimates is flattered,
so what was found by a higher target is evaluated where the first misses its own.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations

from sitedesign.case.case import Case
from sitedesign.case.plant import Plant
from sitedesign.case.plant_limits import clip_to_limits, units_most
from sitedesign.certified.evaluator import Evaluator
from sitedesign.certified.interpolation import cheapest_between
from sitedesign.certified.looks import PLAUSIBLE_SHARE, Margin
from sitedesign.certified.moves import buildable_technologies, unit_count
from sitedesign.certified.objective import Candidate, Decision, SearchObjective
from sitedesign.certified.slp import solve_slp
from sitedesign.certified.starting_points import derated_plant
from sitedesign.study.effort import Effort
from sitedesign.util.progress import Progress

SAFE_SHARE = 0.9  # of the margin that a search asks for: what has it is most likely certified
MULTIPLIER_GROWTH = 2.0  # where a search missed its target
# Where it rather paid for an excess; beyond the most no plant does, and what is asked cannot be had
EXCESS_PRICE_GROWTH, MOST_EXCESS_PRICE = 4.0, 1e7  # [USD/MWh]
EXTRA_MARGINS = (0.0, 0.5)  # in shares of the margin
SAFE_COST_RATIO = 1.02  # at most, of a plant that has a safe margin, relative to a plausible one
MOST_BETWEEN, LEAST_BETWEEN = 3, 0.0005  # plants between others, and what each has to promise of their cost
EXTRA_ITERATIONS = 2  # while no margin is safe, or one iteration brought much
MUCH_GAIN = 0.004  # of its merit
LEAST_GAIN = 0.002  # of its merit that an iteration has to bring for another to follow
ONE_STEP = 1  # evaluations, after which no further joint step is begun
MOST_FAILED = 1  # joint steps in a row that did not help, after which another is taken
PROMISING = 0.02  # of its merit, that a plant with other units may be worse and is searched on for
MOST_MARGIN = 0.9  # of the downtime that the target allows


def improve(
    evaluator: Evaluator,
    start: Candidate,
    objective: SearchObjective,
    margin: Margin | None,
    effort: Effort,
    rejected: Container[Decision],
    progress: Progress,
) -> tuple[Candidate, SearchObjective]:
    """Take turns between evaluating a plant on all years and searching near it on some of them.

    Parameters
    ----------
    evaluator : Evaluator
    start : Candidate
    objective : SearchObjective
        With the targets that are asked for.
    margin : Margin or None
        On top of the targets; derived from the standard errors when None.
    effort : Effort
    rejected : container of (Plant, Controller)
        What has been certified, or was not met with a certificate: it is not given again.
    progress : callable

    Returns
    -------
    Candidate
        Evaluated on all years and not rejected before: the cheapest that has a safe margin, unless one that
        may pass costs far less; the best by merit where there is none. Where a plant has passed, what is
        expected to save most.
    SearchObjective
        With the targets (the margin on top) and the multipliers at which the search ended.
    """
    run = _Improvement(evaluator, objective, objective.targets, margin, effort, rejected, progress)
    evaluator.evaluate_all(
        [(plant, start.controller) for plant in (derated_plant(start.plant, evaluator.case), start.plant)]
    )
    run.evaluated += evaluator.evaluated
    start = run.begins_with(start)
    if run.finds_enough_between():
        return run.choice(), run.objective
    run.settle(start)
    if effort.iterations > 1 and margin is None:
        before = run.choice()
        others = _with_other_units(evaluator, before, run.objective)
        run.evaluated += others
        best = min([before, *others], key=run.objective.merit)
        if run.objective.merit(best) < (1 - LEAST_GAIN) * run.objective.merit(before):
            run.settle(best)
    run.finds_enough_between()
    return run.choice(), run.objective


@dataclass
class _Improvement:
    """What a search knows while it goes from plant to plant; names as for :func:`improve`."""

    evaluator: Evaluator
    objective: SearchObjective
    required: tuple[float, ...]
    margin: Margin | None
    effort: Effort
    rejected: Container[Decision]
    progress: Progress
    evaluated: list[Candidate] = field(default_factory=list)

    def begins_with(self, start: Candidate) -> Candidate:
        """Give the start, or what is known to be better where a plant has passed and less may do."""
        if self.margin is None or self.margin.passed is None:
            return start
        targets = _with_margin(self.required, self.margin.aimed)
        self.objective = replace(self.objective, targets=targets)
        known, cost = self.choice(), self.objective.cost_with_voll
        return known if cost(known) < cost(start) else start

    def choice(self) -> Candidate:
        """Pick the plant that a search would now end with."""
        fresh = [item for item in self.evaluated if item.decision not in self.rejected] or self.evaluated
        margin, objective, required = self.margin, self.objective, self.required
        if margin is not None and margin.passed is not None:
            return max(fresh, key=lambda item: margin.expected_saving(item, objective, required))
        return _select_candidate(fresh, self._safe(), self._plausible())

    def finds_enough_between(self) -> bool:
        """Evaluate plants between others where one has passed; say whether no search is needed for the next.

        Each has to promise to be cheaper than all that lose no more than is aimed at.
        """
        margin, objective = self.margin, self.objective
        if margin is None or margin.passed is None:
            return False
        cost = objective.cost_with_voll
        for _ in range(MOST_BETWEEN):
            found = cheapest_between(self.evaluator.case, self.evaluated, objective)
            least = min(cost(item) for item in self.evaluated if objective.feasible(item)) if found else 0.0
            if found is None or found[1] > (1 - LEAST_BETWEEN) * least:
                break
            there = self.evaluator.evaluate(*found[0])
            if there in self.evaluated:
                break
            self.evaluated.append(there)
        best = self.choice()
        saving = margin.expected_saving(best, objective, self.required)
        worth = self.effort.worth_searching * cost(margin.passed)
        return best.decision not in self.rejected and saving >= worth

    def _safe(self) -> SearchObjective:
        """Ask for so much that a certificate is most likely met."""
        return _with_margin_share(self.objective, self.required, SAFE_SHARE)

    def _plausible(self) -> SearchObjective:
        """Ask for so much that a certificate may be met."""
        if self.margin is None:
            return _with_margin_share(self.objective, self.required, PLAUSIBLE_SHARE)
        return replace(self.objective, targets=_with_margin(self.required, self.margin.least))

    def settle(self, start: Candidate) -> None:
        """Go on from a plant while there is something to win, or no margin is safe."""
        effort, gaining = self.effort, True
        reference = self.evaluator.select_scenarios(start.plant, start.controller)
        self.evaluated.append(reference)
        for iteration in range(effort.iterations + EXTRA_ITERATIONS):
            passed = self.margin is not None and self.margin.passed is not None
            enough = self._plausible() if passed else self._safe()
            if iteration >= effort.iterations and enough.feasible(self.choice()) and not gaining:
                break
            best = self._step(reference)
            merit = self.objective.merit
            failed = merit(best) > (1 - LEAST_GAIN) * merit(reference) and self.objective.feasible(reference)
            if failed and iteration + 1 >= effort.iterations:
                break
            gaining = merit(best) < (1 - MUCH_GAIN) * merit(reference)
            if not failed:  # else it has shown which years hurt: the next search from here knows them
                self.objective, reference = _raise_multipliers(self.objective, best), best
            reference = self.evaluator.select_scenarios(reference.plant, reference.controller)

    def _step(self, reference: Candidate) -> Candidate:
        """Search near a plant, with the margin that it needs; give the best that was found, on all years."""
        errors, margin = self.effort.margin_standard_errors, self.margin
        aimed = _margin_of(reference, self.required, errors) if margin is None else margin.aimed
        objective = replace(self.objective, targets=_with_margin(self.required, aimed))
        _, self.objective = solve_slp(self.evaluator, reference, objective, self.effort.evaluations // 2)
        found = list[Candidate]()
        for item in _shortlist(self.evaluator, self.objective, self.required):
            found.append(self.evaluator.evaluate(*item.decision))
            if self.objective.feasible(found[-1]):
                break  # the others cost more
        best = min(found, key=self.objective.merit)
        self.progress(
            f"searching: {self.evaluator.evaluations} plants evaluated, {best.describe(self.objective)}"
        )
        self.evaluated += found
        return best


def _with_other_units(evaluator: Evaluator, start: Candidate, objective: SearchObjective) -> list[Candidate]:
    """Search from a large unit more or less of each technology, and go on from the best that was found.

    All else has to change with such a unit, which no step from a plant without it shows. One joint step says
    which of them are far from being any good.
    """
    case, found, here = evaluator.case, list[Candidate](), start
    large = [k for k in buildable_technologies(case) if unit_count(case, k, 1.0) == 1]
    waiting = _one_more_or_less(case, start.plant, large)
    tried = {tuple(start.plant.units[k] for k in large)}
    while waiting:
        plant = waiting.pop(0)
        counts = tuple(plant.units[k] for k in large)
        if counts in tried:
            continue
        tried.add(counts)
        best = _with_these_units(evaluator, plant, here, objective, found)
        if objective.merit(best) < (1 - LEAST_GAIN) * objective.merit(here):
            here = best
            waiting = _one_more_or_less(case, here.plant, large)
    return found


def _with_these_units(
    evaluator: Evaluator, plant: Plant, here: Candidate, objective: SearchObjective, found: list[Candidate]
) -> Candidate:
    """Take joint steps from a plant as long as it is promising; give the best, and add all to `found`.

    The first by what is known of years near another plant. A step that only seemed to help has shown which
    years hurt: the next knows them.
    """
    merit, failed, best = objective.merit, 0, here
    start = evaluator.estimate(plant, here.controller)
    while True:
        near, _ = solve_slp(evaluator, start, objective, ONE_STEP, large_units=False)
        if merit(near) > (1 + PROMISING) * merit(here):
            return best
        there = evaluator.evaluate(near.plant, near.controller)
        failed = 0 if best is here or merit(there) < (1 - LEAST_GAIN) * merit(best) else failed + 1
        best = there if best is here else min(best, there, key=merit)
        found.append(there)
        if failed > MOST_FAILED or merit(best) > (1 + PROMISING) * merit(here):
            return best
        start = evaluator.select_scenarios(best.plant, best.controller)


def _one_more_or_less(case: Case, plant: Plant, technologies: Sequence[int]) -> list[Plant]:
    """Give plants with a unit more or less of a technology of which some are built, or with both of two."""
    built = [k for k in technologies if plant.units[k] > 0]
    changes = [{k: sign} for k in built for sign in (1, -1)]
    changes += [{k: 1, j: -1} for k, j in permutations(built, 2)]
    units = [tuple(count + change.get(k, 0) for k, count in enumerate(plant.units)) for change in changes]
    possible = [
        counts
        for counts in units
        if all(
            item.units_min <= count <= units_most(case, item)
            for item, count in zip(case.backup, counts, strict=True)
        )
    ]
    return [clip_to_limits(replace(plant, units=counts), case, plant) for counts in possible]


def _shortlist(
    evaluator: Evaluator, objective: SearchObjective, required: Sequence[float]
) -> list[Candidate]:
    """Pick the best estimates by higher and higher targets: some years flatter what a search ends with."""
    found = []
    for more in EXTRA_MARGINS:
        pairs = zip(required, objective.targets, strict=True)
        targets = tuple(_target_with_margin(asked, (1 + more) * (target - asked)) for asked, target in pairs)
        found.append(min(evaluator.estimates.values(), key=replace(objective, targets=targets).merit))
    return list(dict.fromkeys(found))


def _select_candidate(
    fresh: Sequence[Candidate], safely: SearchObjective, plausibly: SearchObjective
) -> Candidate:
    """Pick the cheapest that has a safe margin, unless it costs far more than one that may pass."""
    cost = safely.cost_with_voll
    safe, plausible = (
        min(filter(asked.feasible, fresh), key=cost, default=None) for asked in (safely, plausibly)
    )
    if safe is None or plausible is None:
        return safe or plausible or min(fresh, key=safely.merit)
    return safe if cost(safe) < SAFE_COST_RATIO * cost(plausible) else plausible


def _with_margin_share(
    objective: SearchObjective, required: Sequence[float], share: float
) -> SearchObjective:
    """Ask for a share of the margin only."""
    pairs = zip(required, objective.targets, strict=True)
    return replace(objective, targets=tuple(asked + share * (target - asked) for asked, target in pairs))


def _raise_multipliers(objective: SearchObjective, best: Candidate) -> SearchObjective:
    """Raise the multiplier of each target that a search missed, and the price of what it may not exceed."""
    parts = zip(objective.multipliers_usd_per_mwh, best.uptime_by_class, objective.targets, strict=True)
    raised = (MULTIPLIER_GROWTH * price if uptime < target else price for price, uptime, target in parts)
    growth = EXCESS_PRICE_GROWTH if best.excess_mwh_per_yr > 0.0 else 1.0
    dearer = min(growth * objective.excess_usd_per_mwh, MOST_EXCESS_PRICE)
    return replace(objective, multipliers_usd_per_mwh=tuple(raised), excess_usd_per_mwh=dearer)


def _margin_of(candidate: Candidate, required: Sequence[float], standard_errors: float) -> list[float]:
    """Say which margin a target needs from how much the losses of a plant scatter.

    Losses are rare events: their scatter goes with the root of their number, so that a plant that loses far
    more than it may says less of what is needed at the target.
    """
    pairs = zip(required, candidate.uptime_by_class, strict=True)
    ratios = [min(1.0, ((1 - target) / max(1 - uptime, 1e-12)) ** 0.5) for target, uptime in pairs]
    errors = zip(candidate.standard_errors, ratios, strict=True)
    return [standard_errors * error * ratio for error, ratio in errors]


def _with_margin(required: Sequence[float], margin: Sequence[float]) -> tuple[float, ...]:
    return tuple(map(_target_with_margin, required, margin))


def _target_with_margin(target: float, margin: float) -> float:
    return min(target + margin, 1 - (1 - MOST_MARGIN) * (1 - target)) if target > 0 else 0.0
