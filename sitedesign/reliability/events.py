"""Loss-of-load events: when they came, how long and how deep they were."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign.case.case import Case
from sitedesign.case.dispatch import Dispatch

FloatArray = NDArray[np.float64]

#: An hour counts as short when more than this share of its load is shed; smaller amounts are rounding.
SHORT_SHARE = 1e-9


@dataclass(frozen=True)
class Event:
    """One loss-of-load event: consecutive steps with shedding.

    Attributes
    ----------
    year_row : int
        Weather year, counted from 0.
    start : str
        ``year 3, 12-24 17:00`` in local standard time, weather years counted from 1.
    start_step : int
        Step in the whole series.
    duration_h : float
        [h]
    shed_mwh, lost_mwh : float
        Shed load, and the same weighted by its loss of compute. [MWh]
    depth : float
        Largest shed share of the load. [fraction]
    cause : str
        What the certificate attributes it to; empty outside certificates.
    circumstances : str
        What came together in it, in words: calls, what was out, a poor week; empty outside certificates.
    """

    year_row: int
    start: str
    start_step: int
    duration_h: float
    shed_mwh: float
    lost_mwh: float
    depth: float
    cause: str = ""
    circumstances: str = ""

    def in_year(self, year_row: int) -> Event:
        """Give the same event in another weather year, as when years are simulated in blocks."""
        _, _, date = self.start.partition(", ")
        return replace(self, year_row=year_row, start=f"year {year_row + 1}, {date}")


def find_events(
    load_mw: FloatArray,
    shed_mw: FloatArray,
    lost_compute: FloatArray,
    step_h: float,
    years: int,
    most: int | None = None,
) -> list[Event]:
    """List loss-of-load events, in order of time; series of shape (T,).

    With `most` only so many are listed, those that lost most compute.
    """
    steps_per_year = load_mw.size // years
    short = shed_mw > SHORT_SHARE * load_mw
    spans = np.flatnonzero(np.diff(short, prepend=False, append=False)).reshape(-1, 2)
    if most is not None and len(spans) > most:
        ends = np.cumsum(spans[:, 1] - spans[:, 0])
        total = np.cumsum(lost_compute[short] * load_mw[short])[ends - 1]
        lost = np.diff(total, prepend=0.0)
        spans = spans[np.sort(np.argsort(-lost, kind="stable")[:most])]
    events = []
    for first, end in spans:
        part = slice(int(first), int(end))
        load = load_mw[part]
        events.append(
            Event(
                year_row=int(first) // steps_per_year,
                start=start_label(int(first), steps_per_year, step_h),
                start_step=int(first),
                duration_h=float(end - first) * step_h,
                shed_mwh=float(shed_mw[part].sum()) * step_h,
                lost_mwh=float((lost_compute[part] * load).sum()) * step_h,
                depth=float((shed_mw[part] / load).max()),
            )
        )
    return events


def start_label(step: int, steps_per_year: int, step_h: float) -> str:
    """``year 3, 12-24 17:00``: weather year from 1, month-day and clock of a 365-day year, standard time."""
    year, within = divmod(step, steps_per_year)
    stamp = datetime(2023, 1, 1) + timedelta(minutes=round(within * step_h * 60))
    return f"year {year + 1}, {stamp:%m-%d %H:%M}"


def worst_events(case: Case, dispatch: Dispatch, count: int = 10) -> pd.DataFrame:
    """Tabulate the loss-of-load events that lost most compute, worst first.

    Parameters
    ----------
    case, dispatch : Case, Dispatch
    count : int
        At most so many rows.

    Returns
    -------
    DataFrame
        Columns ``year_row, start, duration_h, shed_mwh, lost_mwh, depth``; empty when nothing was shed.
    """
    events = find_events(case.load_mw, dispatch.shed_mw, dispatch.lost_compute, case.step_h, case.years)
    events.sort(key=lambda event: (-event.lost_mwh, -event.shed_mwh, event.start_step))
    columns = ["year_row", "start", "duration_h", "shed_mwh", "lost_mwh", "depth"]
    return pd.DataFrame(
        [[getattr(event, name) for name in columns] for event in events[:count]], columns=columns
    )
