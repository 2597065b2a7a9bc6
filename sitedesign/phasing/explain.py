"""Why a ramp that is a promise cannot be kept: the first stage in which too little can be there."""

from __future__ import annotations

from dataclasses import replace

from sitedesign.errors import InfeasibleDesign, NotProvenOptimal
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.phasing.question import RoadmapCase
from sitedesign.phasing.search import solve_roadmap
from sitedesign.phasing.words import nothing_by, short_of
from sitedesign.util.progress import Progress, silent

_ANY_PRICE_USD = 1e7  # of a rack-month: more than power can cost, so that as many racks run as can
_GAP = 1e-3
_SECONDS = 60.0


def explained(question: RoadmapCase, pool: CutPool, progress: Progress = silent) -> InfeasibleDesign:
    """Say what cannot be kept, in plain words; to be raised by the caller."""
    at_once = nothing_by(question)
    if at_once is not None:
        return InfeasibleDesign(at_once)
    progress("looking for the first month in which too little can be there")
    as_many = replace(question, value_usd_per_rack_month=_ANY_PRICE_USD)
    try:
        plan = solve_roadmap(as_many, gap=_GAP, time_limit_s=_SECONDS, pool=pool)
    except (InfeasibleDesign, NotProvenOptimal):
        plan = None
    short = None if plan is None else short_of(question, plan.stages[0])
    reason = "the limits of the study leave no plan that keeps the uptime in every stage"
    return InfeasibleDesign(short or reason)
