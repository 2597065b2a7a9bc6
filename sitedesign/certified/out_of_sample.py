"""Assessment out of sample: a plant on years that its design never saw, for a certificate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sitedesign.case.build import StudyCase
from sitedesign.case.plant import Plant
from sitedesign.certified.environment import environment_of
from sitedesign.certified.scenario_years import unseen_years
from sitedesign.operation.forecast import Forecast
from sitedesign.operation.state import Controller
from sitedesign.reliability.certificate import GIVEN, Certificate
from sitedesign.reliability.certificate_plan import CertificatePlan
from sitedesign.reliability.monte_carlo import Assessment


def assess_on_unseen_years(
    study_case: StudyCase,
    plant: Plant,
    controller: Controller,
    plan: CertificatePlan,
    *,
    rule: str = GIVEN,
    forecast: Forecast | None = None,
    without: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Certificate:
    """Operate a plant causally through weather years and outages that its design never saw.

    Parameters
    ----------
    study_case : StudyCase
    plant : Plant
    controller : Controller
    plan : CertificatePlan
    rule : str
        Where the controller comes from, in words.
    forecast : Forecast, optional
    without : sequence of str
        Causes of failure that are switched off.
    progress : callable, optional
        Called with (years done, years in all).

    Returns
    -------
    Certificate
    """
    look = UnseenYears(
        study_case, plant, controller, plan, rule=rule, forecast=forecast, without=without, progress=progress
    )
    look.simulate(plan.years)
    return look.explained()


class UnseenYears:
    """A plant on years that its design never saw: more of them where these decide nothing, causes at the end.

    Parameters
    ----------
    study_case, plant, controller, plan, rule, forecast, without, progress
        As for :func:`assess_on_unseen_years`.
    """

    def __init__(
        self,
        study_case: StudyCase,
        plant: Plant,
        controller: Controller,
        plan: CertificatePlan,
        *,
        rule: str = GIVEN,
        forecast: Forecast | None = None,
        without: Sequence[str] = (),
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        environment = environment_of(study_case, forecast)
        environment = replace(environment, outages=environment.outages.without(*without))
        build, source = unseen_years(study_case, plan.seed)
        self._assessment = Assessment(build, plant, controller, environment, plan, progress)
        self._labels: dict[str, Any] = {
            "weather_source": source.text,
            "given_years": source.given_years,
            "rule": rule,
            "weather_flags": study_case.weather_flags,
        }

    def simulate(self, years: int | None) -> None:
        """Operate the plant until there are so many years."""
        self._assessment.simulate(years)

    def certificate(self, confidence: float) -> Certificate:
        """Say what the years so far show, causes left out."""
        return replace(self._assessment.certificate(confidence), **self._labels)

    def explained(self) -> Certificate:
        """Say what the years so far show, and why what is lost is lost."""
        return replace(self._assessment.explained(), **self._labels)
