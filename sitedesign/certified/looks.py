"""Looks at a plant on unseen years: how sure each is, if one more is worth it, what is asked for next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from sitedesign.certified.objective import Candidate, SearchObjective
from sitedesign.reliability.certificate import Certificate
from sitedesign.reliability.estimate import Estimate

FIRST_ALPHA_SHARE = 0.8  # of the chance of being wrong that the first look may use up
MARGIN_GROWTH = 1.25  # when a certificate is not met
PLAUSIBLE_SHARE = 0.5  # of a margin: with so much of it a certificate may be met
CLOSER_LOOK = 4  # times as many years, where a certificate was missed by less than they take off its error
AIMED_ERRORS = 1.0  # of the next certificate, that a search aims to lose less than it may
WORTH_A_LOOK = 0.001  # of its cost, that another plant has to save, times its chance to pass
HARSHEST = 5.0  # times what is allowed, that the years of a search may lose more than unseen ones
LEAST_LOST = 1e-12  # stands for nothing in a logarithm
MUCH_AT_STAKE = 0.004  # of the cost of a plant that has passed, between it and a cheaper one that failed


class Margin(NamedTuple):
    """What a search asks for beyond the targets, on its own years, per class. [fraction]

    Attributes
    ----------
    aimed : tuple of float
        With which a certificate is most likely met.
    least : tuple of float
        With which it may be met.
    passed : Candidate or None
        The plant that has passed already, if any: another only has to be cheaper, and may fail.
    """

    aimed: tuple[float, ...]
    least: tuple[float, ...]
    passed: Candidate | None = None

    def expected_saving(
        self, candidate: Candidate, objective: SearchObjective, required: Sequence[float]
    ) -> float:
        """Say what a plant would save if it passed, times how likely that is. [USD/yr]

        One with the least margin passes as often as not, with the aimed one by :data:`AIMED_ERRORS` more of
        the two looks that decide it; between and beyond them with the logarithm of what it loses.

        Parameters
        ----------
        candidate : Candidate
            Evaluated on the years of the search.
        objective : SearchObjective
        required : sequence of float
            Targets without any margin, per class. [fraction]

        Returns
        -------
        float
            Below 0 where it is dearer; minus infinity where it is beyond a cap.
        """
        assert self.passed is not None
        chance = 1.0
        parts = zip(candidate.uptime_by_class, required, self.aimed, self.least, strict=True)
        for uptime, asked, aimed, least in parts:
            losses = 1.0 - asked - least, 1.0 - asked - aimed, 1.0 - uptime
            if asked > 0.0 and losses[2] > 0.0:
                most, aim, lost = (math.log(max(loss, LEAST_LOST)) for loss in losses)
                errors = AIMED_ERRORS * (most - lost) / max(most - aim, LEAST_LOST)
                chance = min(chance, 0.5 * (1.0 + math.erf(errors / 2.0)))
        saving = objective.cost_with_voll(self.passed) - objective.cost_with_voll(candidate)
        return chance * saving if candidate.excess_mwh_per_yr <= 0.0 else -math.inf


def chance_of(together: float, number: int, looks: int) -> float:
    """Chance of being wrong that a look has of its own, of all that a confidence of all `looks` allows.

    These chances add up to the one allowed, whatever years looks have in common (Bonferroni): most of it is
    the first look's. A look that is passed hands its own on to the next: that one can be wrong for the first
    time only where those before it were right (fallback procedure; Wiens 2003, Pharmaceutical Statistics
    2:211).
    """
    alpha = 1 - together
    if looks == 1:
        return alpha
    return alpha * (FIRST_ALPHA_SHARE if number == 1 else (1 - FIRST_ALPHA_SHARE) / (looks - 1))


def rounded_down(confidence: float) -> float:
    """Give a confidence in hundredths of a per cent, no more than it is: 99.66 % for two thirds of one."""
    return math.floor(round(1e4 * confidence, 6)) / 1e4


def nearly_met(certificate: Certificate, required: Sequence[float], confidence: float) -> bool:
    """Whether a plant most likely keeps its targets, and more years would show it: they halve the error."""
    if certificate.reserve is not None and not certificate.reserve.met:
        return False
    parts = zip(_uptimes(certificate), _lower_bounds(certificate, confidence), required, strict=True)
    return all(up.value - (up.value - bound) / CLOSER_LOOK**0.5 >= asked for up, bound, asked in parts)


def is_worth_a_look(
    candidate: Candidate, margin: Margin, objective: SearchObjective, required: Sequence[float]
) -> bool:
    """Whether a plant that may be cheaper than one that has passed is worth a certificate of its own."""
    assert margin.passed is not None
    least = WORTH_A_LOOK * objective.cost_with_voll(margin.passed)
    return margin.expected_saving(candidate, objective, required) >= least


def is_much_at_stake(failed: Candidate, passed: Candidate, objective: SearchObjective) -> bool:
    """Whether a plant that failed is so much cheaper than one that has passed that more is worth a look."""
    return objective.cost_with_voll(failed) < (1 - MUCH_AT_STAKE) * objective.cost_with_voll(passed)


def margin_of(aimed: Sequence[float]) -> Margin:
    """Give a margin, half of which may do."""
    return Margin(tuple(aimed), tuple(PLAUSIBLE_SHARE * margin for margin in aimed))


def margin_of_failed(
    failed: Candidate,
    certificate: Certificate,
    targets: Sequence[float],
    required: Sequence[float],
    confidence: float,
) -> Margin:
    """Give the margin that the next search needs: what its years flatter, and more than the last one had."""
    reserve, bounds = certificate.reserve, _lower_bounds(certificate, confidence)
    # Where the reserve alone was short, more uptime would only cost
    unheld = reserve is not None and not reserve.met
    enough = unheld and all(bound >= asked for bound, asked in zip(bounds, required, strict=True))
    growth = 1.0 if enough else MARGIN_GROWTH
    parts = zip(failed.uptime_by_class, bounds, targets, required, strict=True)
    aimed = [max(uptime - bound, growth * (target - asked)) for uptime, bound, target, asked in parts]
    return margin_of(aimed)


def margin_to_spare(
    passed: Candidate,
    certificate: Certificate,
    objective: SearchObjective,
    required: Sequence[float],
    confidence: float,
    worth: float,
) -> Margin | None:
    """Give the margin at which the search's years would ask for no more than a certificate needs.

    A harsh draw of years asks for a better plant than the target does. What is lost on them and on unseen
    years is taken to grow alike, and its error with its root. None where a plant that loses as much as it
    may would save less than a share `worth` of the cost, by the multipliers of the search.
    """
    bounds = _lower_bounds(certificate, confidence)
    aimed, least, saved = list[float](), list[float](), 0.0
    prices = zip(objective.multipliers_usd_per_mwh, objective.load_mwh_per_yr, strict=True)
    of_classes = zip(_uptimes(certificate), bounds, passed.uptime_by_class, required, prices, strict=True)
    for up, bound, searched, asked, (usd_per_mwh, mwh) in of_classes:
        lost, error, allowed = 1.0 - up.value, up.value - bound, 1.0 - asked
        wary = error + AIMED_ERRORS * up.standard_error
        more, most = (_growth(lost, short, allowed) if asked > 0.0 else 1.0 for short in (wary, error))
        saved += usd_per_mwh * mwh * (min(lost * more, allowed) - lost if lost > 0.0 else allowed)
        aimed.append(allowed - _loss_with(searched, more, allowed))
        least.append(allowed - _loss_with(searched, most, allowed))
    if saved < worth * objective.cost_with_voll(passed):
        return None
    return Margin(tuple(aimed), tuple(least), passed)


def _loss_with(uptime: float, growth: float, allowed: float) -> float:
    """Give what is lost when it grows so many times; what is allowed where unseen years lost nothing."""
    return min((1.0 - uptime) * growth, HARSHEST * allowed) if math.isfinite(growth) else allowed


def margin_between(passed: Candidate, failed: Candidate, required: Sequence[float]) -> Margin:
    """Give the margin of a plant that loses what is half-way between two that passed and failed.

    In logarithms; three quarters of the way may do.
    """
    parts = list(zip(passed.uptime_by_class, failed.uptime_by_class, required, strict=True))
    aimed, least = (
        tuple(1.0 - (1.0 - up) ** (1.0 - way) * (1.0 - down) ** way - asked for up, down, asked in parts)
        for way in (0.5, 0.75)
    )
    return Margin(aimed, least, passed)


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
