"""The main job: solve a study, evaluate a plant."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from typing import Unpack

from sitedesign.api.design import Design, with_report
from sitedesign.api.question import check_method, one_study, study_faults
from sitedesign.api.tanks import with_best_tanks
from sitedesign.case.build import StudyCase
from sitedesign.certified.certified_design import certified_design
from sitedesign.certified.environment import environment_of
from sitedesign.certified.sizing_loop import FailureSizing, size_with_failures
from sitedesign.errors import NotProvenOptimal
from sitedesign.foresight.plan import (
    ForesightResult,
    best_power_path,
    foresight_design,
    keeps_racks,
    prepared,
)
from sitedesign.results.design import Design as Found
from sitedesign.study.effort import (
    DEFAULT_GAP,
    EFFORT,
    EFFORTS,
    GAP,
    METHOD,
    TIME_LIMIT_S,
    EffortName,
    Method,
)
from sitedesign.study.question import Question, with_fields
from sitedesign.study.study import Study
from sitedesign.util.compile_ahead import compile_ahead
from sitedesign.util.gate import CALL, FLAG, takes
from sitedesign.util.progress import Progress, silent
from sitedesign.util.threads import meanwhile

#: What `solve` does when it is told nothing.
_PLAIN = {"method": "cuts", "certify": None, "effort": "standard", "gap": None, "time_limit_s": None}


@with_fields(Question)
@takes(
    "solve()",
    also=study_faults,
    method=METHOD,
    certify=FLAG,
    effort=EFFORT,
    gap=GAP,
    time_limit_s=TIME_LIMIT_S,
    progress=CALL,
)
def solve(
    study: Study | None = None,
    *,
    method: Method = "cuts",
    certify: bool | None = None,
    effort: EffortName = "standard",
    gap: float | None = None,
    time_limit_s: float | None = None,
    progress: Progress | None = None,
    **question: Unpack[Question],
) -> Design:
    """Design the least-cost plant that meets a study.

    Parameters
    ----------
    study : Study, optional
        Or give the fields of a study as keywords: ``solve(site=..., racks=..., uptime=...)``.
    method : {"cuts", "extensive"}
        ``cuts`` solves all weather years exactly in about a second. ``extensive`` builds every hour as
        rows of one model: the reference, affordable for one weather year, which it chooses and names.
    certify : bool, optional
        Go on from the optimum with foresight, which is a bound, to a plant whose uptime an operator without
        foresight keeps while things fail, certified on years that the search never saw: about half a minute.
        The default with ``cuts``; with False the foresight design is returned, labelled as a bound.
    effort : {"standard", "screening"}
        How long to search for a plant to certify. ``screening`` takes less than half as long, may end at a
        plant a few per cent dearer, and tells neither causes nor remedies; its certificate is worth as much.
    gap : float, optional
        Relative optimality gap; 1e-4 for ``cuts``, 1e-3 for ``extensive``. [fraction]
    time_limit_s : float, optional
        [s]
    progress : callable, optional
        Called with one line of text now and then.

    Returns
    -------
    Design
        Replayed by code that shares nothing with the optimiser before it is returned.

    Raises
    ------
    InputError
        All faults at once, before any solver starts.
    InfeasibleDesign
        Names what binds.
    NotProvenOptimal
        When a limit stops the solver; carries the incumbent design and the bound.

    Examples
    --------
    >>> import sitedesign as sd
    >>> site = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
    >>> design = sd.solve(site=site, racks=7, uptime=0.9, weather_years=1, certify=False)
    >>> print(design.answer.head.rpartition(",")[0])
    BOUND, NOT A DESIGN TO BUILD: El Paso, TX
    >>> design.certificate is None and design.bound <= design.cost
    True
    """
    study = one_study(study, question)
    check_method(method, certify, study)
    progress, limit = progress or silent, time_limit_s
    variants = study.variants
    if limit is not None:
        limit /= len(variants)
    certifies = certify is not False and method == "cuts"
    if certifies:
        compile_ahead()
    if certifies and study.tank_choices_h:

        def solved(item: Study) -> Design:
            return solve(item, effort=effort, gap=gap, time_limit_s=time_limit_s, progress=progress)

        return with_best_tanks(study, solved, progress)

    def plan(case: StudyCase) -> ForesightResult:
        return foresight_design(case, method, gap or DEFAULT_GAP[method], limit, progress)

    cases: Iterable[StudyCase] = (prepared(item, method, progress) for item in variants)
    asked: StudyCase | None = None
    sizes: Callable[[], FailureSizing] | None = None
    with ExitStack() as stack:
        if certifies and limit is None and len(variants) == 1 and keeps_racks(study):
            # Planners who foresee failures need nothing of the one who has none
            cases = [asked := next(iter(cases))]
            size = partial(size_with_failures, asked, environment_of(asked), EFFORTS[effort])
            sizes = stack.enter_context(meanwhile(size))
        try:
            # Nothing but the chosen path is kept from here on: the cuts of each are tens of megabytes
            study_case, design, cuts = best_power_path([plan(case) for case in cases])
        except NotProvenOptimal as stop:
            stop.incumbent = stop.incumbent and with_report(stop.incumbent)
            raise
        if certifies:
            bound = f"{design.bound / 1e6:,.3f}"
            progress(f"proven bound: {bound} M USD/yr; now for an operator without foresight")
            begun = sizes if study_case is asked else None  # of no other case than the planner's
            certified = certified_design(study_case, design, progress, EFFORTS[effort], cuts, begun)
            design = _completed(design, certified)
    options = {
        "method": method,
        "certify": certify,
        "effort": effort,
        "gap": gap,
        "time_limit_s": time_limit_s,
    }
    given = {name: value for name, value in options.items() if value != _PLAIN[name]}
    design = design.model_copy(update={"solve_options": given})
    design._study = study_case.study
    return with_report(design)


def _completed(planned: Found, certified: Found) -> Found:
    """Keep with a certified design what only the foresight design knows."""
    rivals = [
        f"{item.name} was not certified and might cost less: its bound of {item.bound_usd_per_yr / 1e6:,.3f} "
        "M USD/yr lies below the certified cost."
        for item in planned.alternatives
        if item.bound_usd_per_yr is not None and item.bound_usd_per_yr < certified.cost
    ]
    notes = (*certified.provenance.notes, *rivals)
    return certified.model_copy(
        update={
            "compute_cost": planned.compute_cost,
            "alternatives": planned.alternatives,
            "provenance": certified.provenance.model_copy(update={"notes": notes}),
        }
    )
