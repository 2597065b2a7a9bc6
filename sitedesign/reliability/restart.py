"""What comes after a rack was without power: it boots, loads its work and only then computes again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sitedesign.case import Case, FloatArray
from sitedesign.library import Rack


@dataclass(frozen=True)
class Restart:
    """Compute that each restart of a rack costs.

    Attributes
    ----------
    planned_h : float
        From power back to full throughput, of a rack that was throttled or shed in good time. [h]
    unplanned_h : float
        The same after a trip out of full power: work since the last checkpoint is done again. [h]
    """

    planned_h: float
    unplanned_h: float

    @staticmethod
    def from_library(rack: Rack) -> Restart:
        """Take both times from a rack model."""
        return Restart(rack.restart_h, rack.restart_unplanned_h)


def restart_loss(case: Case, shed_mw: FloatArray, restart: Restart) -> FloatArray:
    """Compute lost while racks that were off start again, booked on the step in which they start.

    Racks of a class are off while its last tier is shed: tiers before that throttle, the last one switches
    racks off in blocks. Racks that go off in the step after one at full power trip; the others had warning.

    Parameters
    ----------
    case : Case
    shed_mw : ndarray, shape (T,)
        Tier by tier, in the order of ``Case.tiers``. [MW]
    restart : Restart

    Returns
    -------
    ndarray, shape (C, T)
        [fraction of the whole load]
    """
    share = np.divide(shed_mw, case.load_mw, out=np.zeros(case.steps), where=case.load_mw > 0)
    lost = np.zeros((len(case.classes), case.steps))
    for number, part in enumerate(case.classes):
        before = [0.0, *np.cumsum([tier.width for tier in case.tiers]).tolist()]
        mine = [place for place, tier in enumerate(case.tiers) if tier.load_class == number]
        first, last = before[mine[0]], mine[-1]
        off = np.clip((share - before[last]) / case.tiers[last].width, 0.0, 1.0)
        hours = (restart.planned_h / case.step_h, restart.unplanned_h / case.step_h)
        lost[number] = part.share * _restarts(off, share > first + 1e-9, *hours)
    return lost


@njit(cache=True)
def _restarts(
    off: FloatArray, reduced: NDArray[np.bool_], planned_steps: float, unplanned_steps: float
) -> FloatArray:
    """Count steps of compute lost by restarts; `off`: share of racks off, `reduced`: below full power."""
    lost = np.zeros_like(off)
    shut, tripped = 0.0, 0.0
    for t in range(1, off.size):
        change = off[t] - shut - tripped
        if change > 0.0:
            if reduced[t - 1]:
                shut += change
            else:
                tripped += change
        elif change < 0.0:
            back = -change / (shut + tripped)
            lost[t] = back * (shut * planned_steps + tripped * unplanned_steps)
            shut -= back * shut
            tripped -= back * tripped
    return lost
