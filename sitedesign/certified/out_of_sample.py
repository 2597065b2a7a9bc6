"""Assessment out of sample: a plant on years that its design never saw, for a certificate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sitedesign.case.build import StudyCase
from sitedesign.case.plant import Plant
from sitedesign.certified.environment import environment_of
from sitedesign.certified.scenario_years import unseen_years
from sitedesign.operation.forecast import Forecast
from sitedesign.operation.state import Controller
from sitedesign.reliability.certificate import GIVEN, Certificate
from sitedesign.reliability.certificate_plan import CertificatePlan
from sitedesign.reliability.monte_carlo import monte_carlo


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
    environment = environment_of(study_case, forecast)
    environment = replace(environment, outages=environment.outages.without(*without))
    build, source = unseen_years(study_case, plan.seed)
    certificate = monte_carlo(build, plant, controller, environment, plan, progress)
    return replace(
        certificate, weather_source=source.text, given_years=source.given_years, rule=rule,
        weather_flags=study_case.weather_flags,
    )  # fmt: skip
