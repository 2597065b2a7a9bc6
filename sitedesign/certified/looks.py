"""Looks at a plant on unseen years: how sure each is, if one more is worth it, what is asked for next."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sitedesign.certified.objective import Candidate, SearchObjective
from sitedesign.reliability.certificate import Certificate
from sitedesign.reliability.estimate import Estimate

FIRST_ALPHA_SHARE = 0.8  # of the chance of being wrong that the first look may use up
MARGIN_GROWTH = 1.25  # when a certificate is not met
CLOSER_LOOK = 4  # times as many years, where a certificate was missed by less than they take off its error
AIMED_SHARE = 0.97  # of what may be lost, that it aims at
WORTH_A_LOOK = 0.003  # of its cost, that another plant has to save
MUCH_AT_STAKE = 0.008  # of the cost of a plant that has passed, between it and a cheaper one that failed


def confidence_of(together: float, number: int, looks: int) -> float:
    """Confidence asked of one look, so that any of them is wrong no more often than one alone may be.

    The chances of being wrong add up to the one allowed (Bonferroni), whatever years looks have in common:
    most of it is the first look's.
    """
    alpha = 1 - together
    if looks == 1:
        return together
    share = FIRST_ALPHA_SHARE if number == 1 else (1 - FIRST_ALPHA_SHARE) / (looks - 1)
    return 1 - alpha * share


def nearly_met(certificate: Certificate, required: Sequence[float], confidence: float) -> bool:
    """Whether a plant most likely keeps its targets, and more years would show it: they halve the error."""
    if certificate.reserve is not None and not certificate.reserve.met:
        return False
    parts = zip(_uptimes(certificate), _lower_bounds(certificate, confidence), required, strict=True)
    return all(up.value - (up.value - bound) / CLOSER_LOOK**0.5 >= asked for up, bound, asked in parts)


def is_worth_a_look(candidate: Candidate, passed: Candidate, objective: SearchObjective) -> bool:
    """Whether a plant is cheaper than one that has passed by enough for a certificate of its own."""
    return objective.cost_with_voll(candidate) < (1 - WORTH_A_LOOK) * objective.cost_with_voll(passed)


def is_much_at_stake(failed: Candidate, passed: Candidate, objective: SearchObjective) -> bool:
    """Whether a plant that failed is so much cheaper than one that has passed that more is worth a look."""
    return objective.cost_with_voll(failed) < (1 - MUCH_AT_STAKE) * objective.cost_with_voll(passed)


def margin_of_failed(
    failed: Candidate,
    certificate: Certificate,
    targets: Sequence[float],
    required: Sequence[float],
    confidence: float,
) -> tuple[float, ...]:
    """Give the margin that the next search needs: what its years flatter, and more than the last one had."""
    reserve, bounds = certificate.reserve, _lower_bounds(certificate, confidence)
    # Where the reserve alone was short, more uptime would only cost
    unheld = reserve is not None and not reserve.met
    enough = unheld and all(bound >= asked for bound, asked in zip(bounds, required, strict=True))
    growth = 1.0 if enough else MARGIN_GROWTH
    parts = zip(failed.uptime_by_class, bounds, targets, required, strict=True)
    return tuple(max(uptime - bound, growth * (target - asked)) for uptime, bound, target, asked in parts)


def margin_to_spare(
    passed: Candidate, certificate: Certificate, required: Sequence[float], confidence: float, much: float
) -> tuple[float, ...] | None:
    """Give the margin at which the search's years would ask for no more than a certificate needs.

    A harsh draw of years asks for a better plant than the target does. What is lost on them and on unseen
    years is taken to grow alike, and its error with its root. None where not `much` times
    as much might be lost.
    """
    bounds = _lower_bounds(certificate, confidence)
    growth = [
        _growth(1.0 - up.value, up.value - bound, AIMED_SHARE * (1.0 - asked)) if asked > 0.0 else 1.0
        for up, bound, asked in zip(_uptimes(certificate), bounds, required, strict=True)
    ]
    if max(growth) <= much:
        return None
    parts = zip(passed.uptime_by_class, growth, required, strict=True)
    return tuple(
        max(1.0 - (1.0 - uptime) * more, 0.0) - asked if math.isfinite(more) else 0.0
        for uptime, more, asked in parts
    )


def margin_between(passed: Candidate, failed: Candidate, required: Sequence[float]) -> tuple[float, ...]:
    """Give the margin of a plant whose loss is the geometric mean of those of two that passed and failed."""
    parts = zip(passed.uptime_by_class, failed.uptime_by_class, required, strict=True)
    return tuple(1.0 - math.sqrt((1.0 - least) * (1.0 - most)) - asked for least, most, asked in parts)


def _growth(lost: float, error: float, allowed: float) -> float:
    """How many times as much may be lost, until it and its error are what is allowed."""
    if lost <= 0.0:
        return math.inf
    return ((math.sqrt(error**2 + 4.0 * lost * allowed) - error) / (2.0 * lost)) ** 2


def _uptimes(certificate: Certificate) -> list[Estimate]:
    """Uptime of each class."""
    return [part.uptime for part in certificate.classes] or [certificate.uptime]


def _lower_bounds(certificate: Certificate, confidence: float) -> list[float]:
    return [uptime.lower_bound(confidence) for uptime in _uptimes(certificate)]
