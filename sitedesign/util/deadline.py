"""A time limit shared by several solves."""

from __future__ import annotations

import time
from dataclasses import dataclass

LEAST_S = 1e-3  # a solver takes no limit of nothing


@dataclass(frozen=True)
class Deadline:
    """A moment by which all of it has to end; none when `end_s` is None.

    Attributes
    ----------
    end_s : float or None
        Of the performance counter. [s]
    """

    end_s: float | None

    @classmethod
    def after(cls, time_limit_s: float | None) -> Deadline:
        """From now on so long."""
        return cls(None if time_limit_s is None else time.perf_counter() + time_limit_s)

    @property
    def remaining_s(self) -> float | None:
        """What the next solve may take. [s]"""
        return None if self.end_s is None else max(self.end_s - time.perf_counter(), LEAST_S)
