"""What comes after a rack was without power: it boots, loads its work and only then computes again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sitedesign.case.case import Case, FloatArray
from sitedesign.util.compiled import njit

if TYPE_CHECKING:  # a process that only compiles loads no library
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


def add_restart_loss(case: Case, shed_mw: FloatArray, restart: Restart, lost_by_class: FloatArray) -> None:
    """Add the compute lost while racks that were off start again, booked on the step in which they start.

    Racks of a class are off while its last tier is shed: tiers before that throttle, the last one switches
    racks off in blocks. Racks that go off in the step after one at full power trip; the others had warning.

    Parameters
    ----------
    case : Case
    shed_mw : ndarray, shape (T,)
        Tier by tier, in the order of ``Case.tiers``. [MW]
    restart : Restart
    lost_by_class : ndarray, shape (C, T)
        To which it is added. [fraction of the whole load]
    """
    before = [0.0, *np.cumsum([tier.width for tier in case.tiers]).tolist()]
    for number, part in enumerate(case.classes):
        mine = [place for place, tier in enumerate(case.tiers) if tier.load_class == number]
        shares = _ClassShares(part.share, before[mine[0]], before[mine[-1]], case.tiers[mine[-1]].width)
        steps = restart.planned_h / case.step_h, restart.unplanned_h / case.step_h
        _restarts(shed_mw, case.load_mw, shares, *steps, lost_by_class[number])


class _ClassShares(NamedTuple):
    """Share of a class in the load, those above which its first tier and its last are shed, the last's."""

    of_load: float
    first: float
    last: float
    width: float


@njit(cache=True, nogil=True, error_model="numpy")
def _restarts(
    shed: FloatArray, load: FloatArray, shares: _ClassShares, planned_steps: float, unplanned_steps: float,
    lost: FloatArray,
) -> None:  # fmt: skip
    """Add steps of compute lost by restarts of one class."""
    weight, first, last, width = shares
    shut, tripped, reduced = 0.0, 0.0, False
    for t in range(shed.size):
        if shed[t] == 0.0 and shut == 0.0 and tripped == 0.0:
            reduced = False
            continue
        share = shed[t] / load[t] if load[t] > 0.0 else 0.0
        off = min(max((share - last) / width, 0.0), 1.0)
        change = off - shut - tripped
        if t == 0:
            change = 0.0  # how they came to be off is not known
        if change > 0.0:
            if reduced:
                shut += change
            else:
                tripped += change
        elif change < 0.0:
            back = -change / (shut + tripped)
            lost[t] += weight * (back * (shut * planned_steps + tripped * unplanned_steps))
            shut -= back * shut
            tripped -= back * tripped
        reduced = share > first + 1e-9
