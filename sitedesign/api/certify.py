"""What uptime a plant really keeps: the public face of the certificate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sitedesign.case.build import build_case
from sitedesign.certified.certified_design import planned_figures
from sitedesign.certified.environment import default_controller, metric_key
from sitedesign.certified.out_of_sample import assess_on_unseen_years
from sitedesign.errors import Fault, InputError
from sitedesign.operation.forecast import Forecast
from sitedesign.operation.outages.sampling import CAUSES
from sitedesign.operation.state import Controller
from sitedesign.reliability.certificate import GIVEN, TUNED, USUAL, Certificate
from sitedesign.reliability.certificate_plan import CertificatePlan
from sitedesign.results.design import Design
from sitedesign.results.evaluation import Evaluation
from sitedesign.results.saved import missing_series, plant_of, rebuilt_study
from sitedesign.study.ageing import AGE, at_age
from sitedesign.study.demand import RACKS
from sitedesign.study.inputs import SEED
from sitedesign.study.limits import MW, MWH, UNITS
from sitedesign.study.study import Study
from sitedesign.util.gate import CALL, FLAG, TEXT, Kind, Many, Measure, takes
from sitedesign.util.progress import Progress, silent

_FEWEST, _MOST = "must be a whole number of at least", 1_000_000
_PLANT = {"battery_mwh": MWH, "battery_mw": MW, "racks": RACKS}


@takes(
    "certify()",
    years=Measure("weather years", 1, _MOST, whole=True, says=f"{_FEWEST} 1"),
    draws=Measure("draws", 1, 10_000, whole=True, says=f"{_FEWEST} 1"),
    seed=replace(SEED, says=f"{_FEWEST} 0"),
    confidence=Measure("fraction", 0.5, 1, above=True, below=True),
    age_years=AGE,
    controller=Kind((Controller,), "must be a sitedesign.Controller"),
    forecast=Kind((Forecast,), "must be a sitedesign.Forecast"),
    attribute=FLAG,
    without=Many(TEXT, f"must be a list of causes: {', '.join(CAUSES)}", most=len(CAUSES)),
    stop_when_converged=FLAG,
    progress=CALL,
)
def certify(
    design: Design | Evaluation,
    study: Study | None = None,
    *,
    years: int = 200,
    draws: int = 5,
    seed: int = 7,
    confidence: float = 0.95,
    age_years: float | None = None,
    controller: Controller | None = None,
    forecast: Forecast | None = None,
    attribute: bool = True,
    without: Sequence[str] = (),
    stop_when_converged: bool = False,
    progress: Progress | None = None,
) -> Certificate:
    """State what uptime a plant really keeps, and how sure that is.

    Parameters
    ----------
    design : Design or Evaluation
        From :func:`solve` or :func:`evaluate`.
    study : Study, optional
        Needed for an evaluation, and for a design that was read from a file when its weather or a profile was
        given; else taken from the design.
    years, draws : int
        Weather years that the design never saw, and draws of outages of each.
    seed : int
        Of weather and outages; take another than the search's.
    confidence : float
        One-sided, for ``met``. [fraction]
    age_years : float, optional
        Age at which the plant is certified; that of the study (``plant_age_yr``) when left out. [yr]
    controller : Controller, optional
        Rule of operation; left out, that of the plant: the one that a certified design was tuned with, or
        that of a causal evaluation; else the usual one (which trusts the forecast more where racks throttle,
        ``metric="compute"``), which is not tuned to the plant. The certificate says which it is.
    forecast : Forecast, optional
        How well the days ahead are known: ``Forecast(kind="persistence")``, ``"climatology"``, ``"skill"``
        (default) or ``"perfect"``.
    attribute : bool
        Re-run with one cause of failure after the other off, to say what the lost compute is due to.
    without : sequence of str
        Causes of failure to leave out: ``units`` and ``common_cause`` (trips of one unit, of all at once),
        ``starts`` and ``common_starts``, ``planned``, ``fuel`` and ``cold``, ``battery``, ``solar``,
        ``wind``, ``site``, ``grid_calls`` and ``grid_wires``. A what-if: ``met`` then says
        nothing of the real plant.
    stop_when_converged : bool
        Take no more weather years than it takes for the interval to be narrow: half of it at most a quarter
        of ``1 - target``. The certificate says whether that was reached.
    progress : callable, optional

    Returns
    -------
    Certificate

    Raises
    ------
    InputError
        If the study is needed and missing, a number is out of range, or a cause is unknown.

    Examples
    --------
    >>> certificate = sd.certify(design, years=4, draws=1, attribute=False)
    >>> certificate.uptime.lower_bound(0.95) < certificate.uptime.value
    True
    """
    study = _study_of(design, study)
    study = study if age_years is None else at_age(study, age_years)
    faults = []
    for name, gate in _PLANT.items():
        faults += gate.faults(f"design.{name}", getattr(design, name))
    for name, mw in design.resources_mw.items():
        faults += MW.faults(f"design.{name}_mw", mw)
    for name, count in design.backup.items():
        faults += UNITS.faults(f"design.backup.{name}", count)
    unknown = [cause for cause in without if cause not in CAUSES]
    if unknown:
        faults.append(Fault("without", ", ".join(map(repr, unknown)), f"must be among {', '.join(CAUSES)}"))
    if faults:
        raise InputError(faults, "certify()")
    study_case = build_case(study)
    plant = plant_of(design, study_case.case)
    tell = progress or silent
    own, origin = rule_of(design, study) if controller is None else (controller, GIVEN)
    plan = CertificatePlan(
        years=years,
        draws=draws,
        seed=seed,
        metric=metric_key(study.metric),
        confidence=confidence,
        attribute=attribute,
        stop_when_converged=stop_when_converged,
    )
    certificate = assess_on_unseen_years(
        study_case,
        plant,
        own,
        plan,
        rule=origin,
        forecast=forecast,
        without=without,
        progress=lambda done, total: tell(f"certifying: {done} of {total} years"),
    )
    return replace(certificate, planned=planned_figures(design))


def rule_of(design: Design | Evaluation, study: Study) -> tuple[Controller, str]:
    """Rule by which a plant was operated, else the usual one, and where it comes from."""
    if isinstance(design, Design) and design.certificate is not None:
        return design.certificate.controller, TUNED
    if design.controller is not None:
        return design.controller, design.rule
    return default_controller(study), USUAL


def _study_of(design: Design | Evaluation, study: Study | None) -> Study:
    """Find the study that goes with a design."""
    if study is not None and isinstance(design, Evaluation):
        if not isinstance(study, Study):
            fault = Fault("study", repr(type(study).__name__), "must be a sitedesign.Study")
            raise InputError([fault], "certify()")
        return study
    if isinstance(design, Design):
        if not missing_series(design):
            return rebuilt_study(design)
        found = "a design read from a file, which does not hold the weather or profile it was given"
    elif not isinstance(design, Evaluation):
        allowed = "must be a Design or an Evaluation"
        raise InputError([Fault("design", repr(type(design).__name__), allowed)], "certify()")
    else:
        found = "an evaluation, which does not hold its study"
    raise InputError(
        [Fault("study", found, "is needed here", "Give study=... as it was solved.")], "certify()"
    )
