"""Weather years of a case: begun at another step, picked, put in sequence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.case import Case, ImportCase, SinkCase

Series = NDArray[Any]


def cyclic_start_step(case: Case) -> int:
    """Step of the year at which a battery can best be full: late afternoon in the sunniest season.

    The optimisers begin and end with a full battery. On 1 January at midnight that would cost a night of
    backup or shedding that no real plant pays, and would drive batteries out of good designs.
    """
    per_day = round(24 / case.step_h)
    sun = case.resources[0].yield_mw_per_mw
    by_day = sun.reshape(case.years, 365, per_day).mean(axis=(0, 2))
    month = np.convolve(np.r_[by_day[-15:], by_day, by_day[:15]], np.full(31, 1 / 31), mode="valid")
    by_step = sun.reshape(case.years * 365, per_day).mean(axis=0)
    # The middle of the afternoon half of the day's sun: the array has had most of the day to charge.
    done = np.cumsum(by_step) / max(float(by_step.sum()), 1e-12)
    return int(np.argmax(month)) * per_day + int(np.searchsorted(done, 0.85))


def with_series(case: Case, change: Callable[[Series], Series], **others: Any) -> Case:  # noqa: ANN401
    """Change every series of a case in the same way.

    Parameters
    ----------
    case : Case
    change : callable
        From a series, shape (T,), to another.
    **others
        Further fields to set.
    """
    return combine_series([case], lambda series: change(series[0]), **others)


def combine_series(
    cases: Sequence[Case],
    combine: Callable[[Sequence[Series]], Series],
    **others: Any,  # noqa: ANN401
) -> Case:
    """Make one of every series of several cases of one study.

    Parameters
    ----------
    cases : sequence of Case
    combine : callable
        From the same series of each case, shapes (T,), to one.
    **others
        Further fields to set.
    """

    def combined(name: str) -> tuple[Any, ...]:
        return tuple(
            replace(
                alike[0],
                capability=_in_rows(
                    [combine(rows) for rows in zip(*(item.capability for item in alike), strict=True)]
                ),
                **{
                    name: combine([getattr(item, name) for item in alike])
                    for name in ("active_level", "announced")
                    if getattr(alike[0], name, None) is not None
                },
            )
            for alike in zip(*(getattr(case, name) for case in cases), strict=True)
        )

    return replace(
        cases[0],
        resources=tuple(
            replace(alike[0], yield_mw_per_mw=combine([item.yield_mw_per_mw for item in alike]))
            for alike in zip(*(case.resources for case in cases), strict=True)
        ),
        load_mw=combine([case.load_mw for case in cases]),
        usable=combine([case.usable for case in cases]),
        backup=combined("backup"),
        imports=combined("imports"),
        sinks=combined("sinks"),
        **others,
    )


def _in_rows(rows: list[Series]) -> Series:
    """Put rows together; one alone is not copied."""
    return rows[0][np.newaxis] if len(rows) == 1 else np.array(rows)


def shift_start(case: Case, first_step: int) -> Case:
    """Begin the same years at another step of the calendar year.

    Parameters
    ----------
    case : Case
        Begun at 1 January 00:00.
    first_step : int
        Step of the year with which the result begins.
    """
    return with_series(case, lambda series: np.roll(series, -first_step), first_step=first_step)


def select_years(case: Case, rows: NDArray[np.int64]) -> Case:
    """Pick weather years of a case, in the order given."""

    def pick(series: Series) -> Series:
        return np.ascontiguousarray(series.reshape(case.years, -1)[rows].ravel())

    return with_series(case, pick, years=len(rows))


def stretch_of_years(case: Case, first: int, end: int) -> Case:
    """Give some weather years in sequence, from the first to before the last, without copying them."""
    per_year = case.steps // case.years
    return with_series(case, lambda series: series[first * per_year : end * per_year], years=end - first)


def priced(case: Case) -> list[tuple[Any, ...]]:
    """Give what all years of a study have in common: name, levels of price and unit of imports and sinks."""
    flows: list[ImportCase | SinkCase] = [*case.imports, *case.sinks]
    return [(item.name, item.levels, item.unit_mw) for item in flows]


def concat_years(cases: Sequence[Case]) -> Case:
    """Put the years of several cases of one study in sequence."""
    if len(cases) == 1:
        return cases[0]
    if any(priced(case) != priced(cases[0]) for case in cases):
        message = "years with other prices or units cannot stand in one sequence: only the first would count"
        raise ValueError(message)
    return combine_series(cases, np.concatenate, years=sum(case.years for case in cases))
