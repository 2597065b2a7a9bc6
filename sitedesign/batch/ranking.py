"""Best sites first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from sitedesign.batch.store import read_results
from sitedesign.errors import Fault, InputError, shown, unknown_name
from sitedesign.util.gate import FLAG, TEXT, File, Kind, Many, takes

USABLE = ("solved", "gap")
_MORE_IS_BETTER = (
    "uptime_achieved", "greedy_uptime", "renewable_share", "delivered_rack_h_per_yr", "certified_uptime",
    "certified_uptime_lower", "certified_met",
)  # fmt: skip


_COLUMNS = "must be a column, or a list of columns"


@takes("rank()", where=Kind((str, Mapping), "must be an expression, or conditions by column"), ascending=FLAG)
def rank(
    results: pd.DataFrame | str | Path,
    by: str | Sequence[str] = "cost_usd_per_yr",
    where: str | Mapping[str, Any] | None = None,
    *,
    ascending: bool | None = None,
) -> pd.DataFrame:
    """Rank the sites of a batch.

    Parameters
    ----------
    results : DataFrame or path
        What :func:`solve_many` returned, or the folder it wrote, finished or not.
    by : str or sequence of str
        Columns to rank by; later ones break ties.
    where : str or mapping, optional
        Only these sites: an expression such as ``"land_acres <= 3000 and months_to_power <= 24"``, or a
        mapping of column to value or to (least, most), either of which may be None.
    ascending : bool, optional
        Least first. When left out, least first, but most first for uptime and renewable share.

    Returns
    -------
    DataFrame
        Sites that have a design, best first, with ``rank`` (from 1) as first column. Ties keep the order of
        latitude and longitude.

    Raises
    ------
    InputError
        For a column that is not there or an expression that cannot be read.

    Examples
    --------
    >>> results = sd.solve_many(sites, study)
    >>> sd.rank(results, where="months_to_power <= 24")["rank"].tolist()
    [1, 2]
    """
    frame = results_frame(results, "rank()")
    keys = [by] if isinstance(by, str) else Many(TEXT, _COLUMNS, least=1).clean(by)
    columns = [str(name) for name in frame.columns]
    faults = Many(TEXT, _COLUMNS, least=1).faults("by", keys)
    faults = faults or [unknown_name("by", key, columns) for key in keys if key not in columns]
    if isinstance(where, Mapping):
        faults += [unknown_name("where", key, columns) for key in where if key not in columns]
    if faults:
        raise InputError(faults, "rank()")
    chosen = _where(frame[frame["status"].isin(USABLE)], where)
    orders = [not _more_is_better(key) if ascending is None else ascending for key in keys]
    ties = [name for name in ("latitude", "longitude", "key") if name in columns and name not in keys]
    try:
        ranked = chosen.sort_values([*keys, *ties], ascending=[*orders, *(True for _ in ties)], kind="stable")
    except (TypeError, ValueError):
        fault = Fault("by", ", ".join(keys), "must hold numbers only, or text only, once each")
        raise InputError([fault], "rank()") from None
    ranked = ranked.reset_index(drop=True)
    ranked.insert(0, "rank", range(1, len(ranked) + 1))
    return ranked


def results_frame(results: Any, of: str) -> pd.DataFrame:  # noqa: ANN401
    """Rows of a batch, given as themselves or by their folder or file.

    Raises
    ------
    InputError
        If they are no results of a batch.
    """
    if not isinstance(results, pd.DataFrame):
        gate = File(says="must be a DataFrame of results, or the folder of a batch")
        results = gate.clean(results)
        faults = gate.faults("results", results)
        if faults:
            raise InputError(faults, of)
        results = read_results(results).to_pandas()
    if "status" not in results.columns or not results.columns.is_unique:
        found = f"a table with the columns {shown([str(name) for name in results.columns])}"
        raise InputError([Fault("results", found, "must be results of a batch, with a column status")], of)
    frame: pd.DataFrame = results
    return frame


def _more_is_better(column: str) -> bool:
    return column in _MORE_IS_BETTER or column.startswith("uptime_of_")


def _where(frame: pd.DataFrame, where: str | Mapping[str, Any] | None) -> pd.DataFrame:
    if where is None:
        return frame
    if isinstance(where, str):
        try:
            found = frame.query(where, engine="python")
        except Exception as error:  # whatever the expression does wrong
            raise _no_condition(shown(where), f" ({error})") from None
        if not isinstance(found, pd.DataFrame):
            raise _no_condition(shown(where))
        return found
    for column, wanted in where.items():
        try:
            frame = _within(frame, column, wanted)
        except Exception:  # a column of text against numbers, an object of the user's
            allowed = "must be a value of the column, or a pair (least, most)"
            raise InputError([Fault(f"where.{column}", shown(wanted), allowed)], "rank()") from None
    return frame


def _no_condition(found: str, why: str = "") -> InputError:
    remedy = 'For example "land_acres <= 3000 and months_to_power <= 24".'
    return InputError([Fault("where", found + why, "must be an expression of columns", remedy)], "rank()")


def _within(frame: pd.DataFrame, column: str, wanted: Any) -> pd.DataFrame:  # noqa: ANN401
    """Rows with a value, or between (least, most)."""
    least, most = wanted if isinstance(wanted, tuple) else (None, None)
    if not isinstance(wanted, tuple):
        frame = frame[frame[column] == wanted]
    if least is not None:
        frame = frame[frame[column] >= least]
    if most is not None:
        frame = frame[frame[column] <= most]
    return frame
