"""Short search: plants for a question much like one whose certified plant is known, without a certificate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sitedesign.case.build import StudyCase
from sitedesign.case.plant import Plant
from sitedesign.case.plant_limits import clip_to_limits
from sitedesign.certified.adaptive_sampling import improve
from sitedesign.certified.looks import margin_of
from sitedesign.certified.objective import Candidate, Decision
from sitedesign.certified.sizing_loop import CAP_SHARE, evaluator_of, first_objective, first_search
from sitedesign.operation.environment import OperatingEnvironment
from sitedesign.study.effort import Effort
from sitedesign.util.progress import silent


class ShortSearch:
    """Searches for plants on years of their own, without a certificate: others decide what is good enough.

    Parameters
    ----------
    study_case : StudyCase
    environment : OperatingEnvironment
    planned : sequence of Plant
        Of planners who see everything: where the search starts.
    known : (Plant, Controller)
        A plant that was found before: none that is dearer is taken, where this one is good enough.
    multiplier_usd_per_mwh : float
        Price of uptime to begin with. [USD/MWh]
    effort : Effort
        Certificates apart.
    """

    def __init__(
        self,
        study_case: StudyCase,
        environment: OperatingEnvironment,
        planned: Sequence[Plant],
        known: Decision,
        multiplier_usd_per_mwh: float,
        effort: Effort,
    ) -> None:
        case = study_case.case
        self._planned, self._effort = planned, effort
        self._known = clip_to_limits(known[0], case), known[1]
        self._evaluator = evaluator_of(study_case, environment, effort)
        self._objective = first_objective(case, multiplier_usd_per_mwh)
        self._required = self._objective.targets
        self._best: Candidate | None = None
        self._rejected: set[Decision] = set()

    def spare_uptime(self) -> tuple[float, ...]:
        """Say what the known plant keeps above the targets, by class; 0 where none is asked. [fraction]"""
        known = self._evaluator.evaluate(*self._known)
        pairs = zip(known.uptime_by_class, self._required, strict=True)
        return tuple(up - asked if asked > 0.0 else 0.0 for up, asked in pairs)

    def found(self, margin: tuple[float, ...] | None) -> Candidate | None:
        """Find the cheapest plant with a margin above the targets, another each time; None without one.

        Parameters
        ----------
        margin : tuple of float or None
            By class; derived from the standard errors when None. [fraction]
        """
        start = self._best or self._begun(margin)
        objective, rejected = replace(self._objective, targets=self._required), self._rejected
        asked = None if margin is None else margin_of(margin)
        best, self._objective = improve(
            self._evaluator, start, objective, asked, self._effort, rejected, silent
        )
        if best.decision in rejected:
            return None
        rejected.add(best.decision)
        self._best = best
        return best

    def _begun(self, margin: tuple[float, ...] | None) -> Candidate:
        best, self._objective = first_search(
            self._evaluator, self._planned, self._objective, self._effort, silent
        )
        above = margin or (0.0,) * len(self._required)
        targets = tuple(asked + more for asked, more in zip(self._required, above, strict=True))
        asked = replace(self._objective, targets=targets)
        return min(best, self._evaluator.evaluate(*self._known), key=asked.merit)

    def tighten_caps(self) -> None:
        """Allow less of the caps from now on."""
        self._evaluator.tighten_caps(CAP_SHARE)
