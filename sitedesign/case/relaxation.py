"""What a planner with foresight sizes for when uptime is counted in steps: a proven relaxation.

Whether a step counts as up or down is a yes-or-no question for every hour, which would make the sizing a
mixed-integer problem with a million binaries. But in the steps that may be down no more than their load can
be shed, and in all others nothing: the shed energy is bounded by the largest loads of so many steps. A plant
that keeps the metric keeps that budget too, so the least cost within the budget is a lower bound.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sitedesign.case.case import FLOOR_SHARE, Case, Tier
from sitedesign.case.dispatch import Dispatch, lost_by_class

if TYPE_CHECKING:
    from sitedesign.study.study import Study

FORESIGHT = "perfect foresight, nothing fails"


@dataclass(frozen=True, eq=False)
class MetricRelaxation:
    """A case whose optimum bounds the one that is asked for.

    Attributes
    ----------
    case : Case
    name : str
        What the bound is, in plain words.
    asked : Case
        The case it was made of.
    """

    case: Case
    name: str
    asked: Case

    def restored(self, dispatch: Dispatch) -> Dispatch:
        """Turn a dispatch of the relaxed case, in calendar order, into one of the case that was asked for."""
        if self.case.load_mw is self.asked.load_mw:
            return dispatch
        shed = dispatch.shed_mw + self.asked.load_mw - self.case.load_mw
        lost = lost_by_class(self.asked, shed).sum(axis=0)
        return replace(dispatch, shed_mw=shed, lost_compute=lost, lost_by_class=None)


def relaxation(case: Case, metric: str) -> MetricRelaxation:
    """Find what a planner with foresight sizes for.

    Parameters
    ----------
    case : Case
    metric : str
        ``rack`` and ``compute`` are linear and stay as they are; ``site`` and ``floor`` are relaxed: of the
        T steps at most ``n = (1 - A) T`` may be down, so what is shed (for the floor: of the share below the
        floor) is at most the sum of the n largest loads. Broken racks do not count in either.

    Returns
    -------
    MetricRelaxation
    """
    if metric not in ("site", "floor"):
        return MetricRelaxation(case, FORESIGHT, case)
    down = int((1 - case.uptime_target) * case.steps + 1e-9)
    largest = float(np.sort(case.load_mw)[case.steps - down :].sum()) if down else 0.0
    share = largest / float(case.load_mw.sum())
    relaxed = replace(
        case,
        uptime_target=1 - share,
        rack_availability=1.0,
        tiers=(Tier(1.0, 1.0),),
    )
    words = "all load in the steps that may be short"
    if metric == "floor":
        relaxed = replace(relaxed, load_mw=FLOOR_SHARE * case.load_mw)
        words = f"all of the {FLOOR_SHARE:.0%} floor in the steps that may be below it, the rest at any time"
    return MetricRelaxation(relaxed, f"{FORESIGHT}; relaxed: may shed as much energy as {words}", case)


def left_out(study: Study) -> str:
    """Name the rules of a study that its operator keeps and no planner knows; empty where there are none."""
    parts = ["which units run for the reserve"] if study.reserve is not None else []
    parts += ["starts, down times, ramps and calendars of units"] if study.unit_rules else []
    parts += ["what lorries can bring"] if study.lorries_per_day else []
    limits = study.limits
    parts += ["run hours beyond those at full load"] if limits.run_h else []
    parts += ["limits on starts"] if limits.starts else []
    parts += ["hours of noise at night"] if limits.night_h or limits.site_night_h is not None else []
    parts += ["cycles of the battery"] if study.battery_cycles is not None else []
    return f"; left to the operator: {' and '.join(parts)}" if parts else ""
