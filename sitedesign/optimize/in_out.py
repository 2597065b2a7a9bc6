"""In-out separation: keeps a cutting-plane method from jumping from corner to corner."""

from __future__ import annotations

from typing import Generic, Protocol, Self, TypeVar

import numpy as np

_TOWARDS_BEST = 0.4  # share of the way from the master's proposal to the best point at which cuts are made


def above(cost: float, share: float) -> float:
    """Return a value above a cost, which sinks may make negative, by a share of its size."""
    return cost * (1 + (share if cost >= 0.0 else -share))


class Mixable(Protocol):
    """A point of which there are points between it and another."""

    def towards(self, other: Self, share: float) -> Self:
        """Point between this one (share 0) and another (share 1)."""


P = TypeVar("P", bound=Mixable)


class Descent(Generic[P]):
    """Where to cut next, and when there is nothing more to gain.

    Cuts are made between the master's proposal and the best point known, ever closer to the proposal as long
    as that is feasible, and at the proposal itself when there is no progress.

    Attributes
    ----------
    centre : Proposal or other point, or None
        Best point known.
    """

    def __init__(self) -> None:
        self.centre: P | None = None
        self._best, self._bound = np.inf, -np.inf
        self._stalled, self._at_proposal = False, False
        self._share = _TOWARDS_BEST

    def resume(self) -> None:
        """Start anew from the best point known."""
        self._bound, self._stalled, self._at_proposal, self._share = -np.inf, False, False, _TOWARDS_BEST

    def ends(self, bound: float, known: float, gap: float, scale: float | None = None) -> bool:
        """Take in a new bound; True within the gap of the best cost (or a known one), or without progress.

        The gap is a share of the cost itself, or of a scale where one is given.
        """
        gain = bound - self._bound
        still = gain <= 1e-9 * abs(bound) and self._stalled
        self._bound = bound
        best = min(self._best, known)
        within = bool(np.isfinite(best)) and best - bound <= gap * (abs(best) if scale is None else scale)
        done = within or (still and self._at_proposal)
        self._at_proposal = still
        return done

    def trial(self, proposal: P) -> P:
        """Point to operate next."""
        if self.centre is None or self._at_proposal:
            self._at_proposal = True
            return proposal
        return proposal.towards(self.centre, self._share)

    def learn(self, trial: P, cost: float) -> None:
        """Take in the cost of a trial."""
        self._stalled = cost >= above(self._best, -1e-9)
        self._share = _TOWARDS_BEST if np.isinf(cost) else max(0.5 * self._share, 0.02)
        if cost < self._best:
            self._best, self.centre = cost, trial
