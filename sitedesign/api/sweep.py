"""Sweeps of a study: the frontier over one target, limit or price, and panels against batteries."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import Any

import pandas as pd

from sitedesign.api.bound_sweep import (
    OVER,
    Keep,
    bound_frontier,
    bound_tradeoff,
    finance_faults,
    study_faults,
    value_range,
)
from sitedesign.api.certified_sweep import certified_rows
from sitedesign.errors import InputError
from sitedesign.finance.terms import Terms
from sitedesign.study.effort import EFFORT, GAP, EffortName
from sitedesign.study.study import Study
from sitedesign.util.gate import CALL, FLAG, Kind, Many, Measure, OneOf, takes
from sitedesign.util.progress import Progress

_TERMS = Kind((Terms,), "must be a sitedesign.Terms", "For example finance=sd.Terms().")


@takes(
    "frontier()",
    over=OneOf(OVER),
    values=Many(Measure("", -inf, inf, above=True, below=True), "must be a list of numbers", 1, 10_000),
    gap=GAP,
    certify=FLAG,
    effort=EFFORT,
    progress=CALL,
    keep=CALL,
    finance=_TERMS,
)
def frontier(
    study: Study,
    over: str,
    values: Iterable[float],
    *,
    gap: float = 1e-4,
    certify: bool = False,
    effort: EffortName = "screening",
    progress: Progress | None = None,
    keep: Keep | None = None,
    finance: Terms | None = None,
) -> pd.DataFrame:
    """Solve a study for several values of one target, limit or price; cuts found for one serve the others.

    Parameters
    ----------
    study : Study
    over : str
        ``uptime``, ``min_renewable_share`` [fraction], ``land_acres``, ``co2_t_per_yr``, ``months_to_power``,
        ``battery price`` [USD/kWh], ``battery power price`` [USD/kW], ``solar price`` [USD/Wdc],
        ``gas price`` or ``diesel price`` [USD/MMBtu].
    values : iterable of float
    gap : float
        Relative optimality gap of each answer. [fraction]
    certify : bool
        Also find and certify a plant at each value: half a minute each, or a third of it by `effort`.
    effort : {"screening", "standard"}
        How long to search for each certified plant; see :func:`solve`.
    progress : callable, optional
        Called with one line of text per answer.
    keep : callable, optional
        Called with the table so far after each answer, so that an interrupted sweep leaves what it has.
    finance : Terms, optional
        Also find what power has to cost after taxes on these terms; ``sd.Terms()`` for those of the library.

    Returns
    -------
    DataFrame
        One row a value: the value, capacities, units, racks, ``cost_usd_per_yr``, ``bound_usd_per_yr``,
        ``gap``, ``uptime_price_usd_per_mwh``, ``renewable_share``, ``project_usd_per_yr`` (racks and hall
        included), ``delivered_rack_h_per_yr`` and ``usd_per_rack_h`` of it, and ``reason`` where none is
        possible. All with perfect foresight and no equipment failures: bounds. With `certify` the same of the
        certified plant in columns that begin with ``certified_``, with ``certified_uptime``, its lower end
        ``certified_uptime_lower`` and ``certified_reason`` where none was found. With `finance` also
        ``lcoe_usd_per_mwh`` (annualised) and ``price_usd_per_mwh`` (in year 1, at which equity earns its
        return after taxes); ``attrs["note"]`` of the table then says whether both rank alike.

    Raises
    ------
    InputError
        If `over` or a value cannot be used, or a connection to the grid or takers of surplus are to be
        financed in a sweep.

    Examples
    --------
    >>> table = sd.frontier(study, "uptime", [0.9, 0.97])
    >>> bool(table["cost_usd_per_yr"].is_monotonic_increasing)
    True
    """
    numbers = [float(value) for value in values]
    faults = [fault for value in numbers for fault in value_range(over).faults("values", value)]
    faults += study_faults(study, over) + finance_faults(study, finance)
    if faults:
        raise InputError(faults, "frontier()")
    table = bound_frontier(study, over, numbers, gap=gap, progress=progress, keep=keep, finance=finance)
    return _certified(table, study, over, effort, progress, keep) if certify else table


@takes(
    "tradeoff()",
    points=Measure("points", 2, 1000, whole=True),
    gap=GAP,
    certify=FLAG,
    effort=EFFORT,
    progress=CALL,
    keep=CALL,
    finance=_TERMS,
)
def tradeoff(
    study: Study,
    *,
    points: int = 15,
    gap: float = 1e-4,
    certify: bool = False,
    effort: EffortName = "screening",
    progress: Progress | None = None,
    keep: Keep | None = None,
    finance: Terms | None = None,
) -> pd.DataFrame:
    """Best plant for each size of the array at the same uptime: panels against batteries.

    Parameters
    ----------
    study : Study
    points : int
        Sizes of the array, from half to twice the optimum.
    gap : float
        [fraction]
    certify : bool
    effort : {"screening", "standard"}
    progress, keep : callable, optional
    finance : Terms, optional
        As for :func:`frontier`.

    Returns
    -------
    DataFrame
        As :func:`frontier`; the value is ``array_mw``.

    Raises
    ------
    InputError
        If the study leaves open what a sweep needs fixed.

    Examples
    --------
    >>> table = sd.tradeoff(study, points=3)
    >>> len(table), table.columns[0]
    (3, 'array_mw')
    """
    faults = study_faults(study, "array_mw") + finance_faults(study, finance)
    if faults:
        raise InputError(faults, "tradeoff()")
    table = bound_tradeoff(study, points=points, gap=gap, progress=progress, keep=keep, finance=finance)
    return _certified(table, study, "array_mw", effort, progress, keep) if certify else table


def _certified(
    table: pd.DataFrame,
    study: Study,
    over: str,
    effort: EffortName,
    progress: Progress | None,
    keep: Keep | None,
) -> pd.DataFrame:
    """Put the certified plant of each value beside its bound; where there is no bound, there is none."""
    there = [row for row, reason in enumerate(table["reason"]) if not reason]
    values = [float(value) for value in table.iloc[there, 0]]
    rows: dict[int, dict[str, Any]] = {}
    for row, found in zip(there, certified_rows(study, over, values, effort, progress), strict=True):
        rows[row] = found
        joined = table.join(pd.DataFrame.from_dict(rows, orient="index"))
        if keep is not None:
            keep(joined)
    return joined if rows else table
