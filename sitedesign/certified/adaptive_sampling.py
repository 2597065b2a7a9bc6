"""Turns of search and judgement: from a plant near the target to one that is worth a certificate.

Each turn searches by the years that hurt plants like the one in focus, judges the best it found on all
years, and goes on from there. Few years flatter what a search ends with, so several of what it found are
judged, by goals that are higher and higher.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace

from sitedesign.case.case import Plant
from sitedesign.certified.evaluator import Aim, Judge, Trial
from sitedesign.certified.moves import weakened
from sitedesign.certified.pattern_search import Say
from sitedesign.certified.slp import leap
from sitedesign.operation.state import Controller
from sitedesign.study.effort import Effort

ENOUGH, HOPEFUL = 0.9, 0.5  # of what is asked to be in hand: to be certified most likely, and perhaps
DEARER = 2.0  # lost compute becomes by so much where a search missed its goal
MORE_GOALS = (0.0, 0.5)  # in shares of what is to be in hand
SAFE_COST = 1.02  # at most, of a plant that has enough in hand, relative to a hopeful one
EXTRA_TURNS = 1  # while there is not enough in hand, or one turn brought much
MUCH_GAIN = 0.01  # of its merit
LEAST_GAIN = 0.002  # of its merit that a turn has to bring for another to follow
MOST_IN_HAND = 0.9  # of the downtime that the target allows


def reach(
    judge: Judge,
    start: Trial,
    aim: Aim,
    in_hand: tuple[float, ...] | None,
    effort: Effort,
    failed: Container[tuple[Plant, Controller]],
    say: Say,
) -> tuple[Trial, Aim]:
    """Take turns between judging a plant on all years and searching near it on those that hurt it.

    Returns
    -------
    Trial
        Judged on all years and not failed before: the cheapest that has enough in hand, unless one that may
        pass costs far less; the best by merit where there is none.
    Aim
        With the goals (the targets and what is to be in hand) and the prices at which the search ended.
    """
    targets, seen = aim.goals, list[Trial]()
    judge.exact_of([(plant, start.controller) for plant in (weakened(start.plant, judge.case), start.plant)])
    here = judge.focus(start.plant, start.controller)
    seen.append(here)
    moving = True
    for turn in range(effort.turns + EXTRA_TURNS):
        enough = _asking(aim, targets, ENOUGH).met(_choice(seen, failed, aim, targets))
        if turn >= effort.turns and enough and not moving:
            break
        more = in_hand or _in_hand(here, targets, effort.in_hand)
        aim = replace(aim, goals=tuple(map(_goal, targets, more)))
        _, aim = leap(judge, here, aim, effort.trials // 2)
        found = judge.exact_of(
            [(trial.plant, trial.controller) for trial in _candidates(judge, aim, targets)]
        )
        best = min(found, key=aim.merit)
        kept = ", ".join(f"{kept:.4%} of {goal:.4%}" for kept, goal in zip(best.kept, aim.goals, strict=True))
        say(f"searching: {judge.judged} plants judged, {best.cost_usd_per_yr / 1e6:,.2f} M USD/yr at {kept}")
        seen += found
        if aim.merit(best) > (1 - LEAST_GAIN) * aim.merit(here) and aim.met(here):
            break
        moving = aim.merit(best) < (1 - MUCH_GAIN) * aim.merit(here)
        aim = _dearer(aim, best)
        here = judge.focus(best.plant, best.controller)
    return _choice(seen, failed, aim, targets), aim


def _candidates(judge: Judge, aim: Aim, targets: Sequence[float]) -> list[Trial]:
    """Pick the best of a search by goals that are higher and higher: some years flatter what it ends with."""
    found = []
    for more in MORE_GOALS:
        goals = tuple(_goal(t, (1 + more) * (goal - t)) for t, goal in zip(targets, aim.goals, strict=True))
        found.append(min(judge.trials.values(), key=replace(aim, goals=goals).merit))
    return list(dict.fromkeys(found))


def _choice(
    seen: Sequence[Trial], failed: Container[tuple[Plant, Controller]], aim: Aim, targets: Sequence[float]
) -> Trial:
    """Pick the cheapest that has enough in hand, unless it costs far more than one that may pass."""
    fresh = [trial for trial in seen if (trial.plant, trial.controller) not in failed] or seen
    best = min(fresh, key=aim.merit)
    hopeful, safe = (
        min(filter(_asking(aim, targets, share).met, fresh), key=aim.worth, default=best)
        for share in (HOPEFUL, ENOUGH)
    )
    if hopeful is best or aim.worth(safe) < SAFE_COST * aim.worth(hopeful):
        return safe
    return hopeful


def _asking(aim: Aim, targets: Sequence[float], share: float) -> Aim:
    """Ask for a share of what a search is to have in hand."""
    goals = tuple(target + share * (goal - target) for target, goal in zip(targets, aim.goals, strict=True))
    return replace(aim, goals=goals)


def _dearer(aim: Aim, best: Trial) -> Aim:
    """Raise the price of what a search left missing."""
    parts = zip(aim.prices_usd_per_mwh, best.kept, aim.goals, strict=True)
    return replace(aim, prices_usd_per_mwh=tuple(DEARER * p if kept < goal else p for p, kept, goal in parts))


def _in_hand(trial: Trial, targets: Sequence[float], errors: float) -> list[float]:
    """Say what is to be in hand from how much the losses of a plant scatter.

    Losses are rare events: their scatter goes with the root of their number, so that a plant that loses far
    more than it may says less of what is needed at the target.
    """
    fewer = [
        min(1.0, ((1 - t) / max(1 - kept, 1e-12)) ** 0.5) for t, kept in zip(targets, trial.kept, strict=True)
    ]
    return [errors * spread * ratio for spread, ratio in zip(trial.spread, fewer, strict=True)]


def _goal(target: float, in_hand: float) -> float:
    return min(target + in_hand, 1 - (1 - MOST_IN_HAND) * (1 - target)) if target > 0 else 0.0
