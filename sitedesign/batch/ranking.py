"""Best sites first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from sitedesign.batch.store import read_results
from sitedesign.errors import Fault, InputError, unknown_name

USABLE = ("solved", "gap")
_MORE_IS_BETTER = (
    "uptime_achieved", "greedy_uptime", "renewable_share", "delivered_rack_h_per_yr", "certified_uptime",
    "certified_uptime_lower", "certified_met",
)  # fmt: skip


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
        Only these sites: an expression such as ``"land_acres <= 3000 and months_to_power < 24"``, or a
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
    """
    frame = results if isinstance(results, pd.DataFrame) else read_results(Path(results)).to_pandas()
    keys = [by] if isinstance(by, str) else list(by)
    columns = [str(name) for name in frame.columns]
    faults = [unknown_name("by", key, columns) for key in keys if key not in columns]
    if isinstance(where, Mapping):
        faults += [unknown_name("where", key, columns) for key in where if key not in columns]
    if faults:
        raise InputError(faults, "rank()")
    chosen = _where(frame[frame["status"].isin(USABLE)], where)
    orders = [not _more_is_better(key) if ascending is None else ascending for key in keys]
    ties = [name for name in ("latitude", "longitude", "key") if name in columns and name not in keys]
    ranked = chosen.sort_values([*keys, *ties], ascending=[*orders, *(True for _ in ties)], kind="stable")
    ranked = ranked.reset_index(drop=True)
    ranked.insert(0, "rank", range(1, len(ranked) + 1))
    return ranked


def _more_is_better(column: str) -> bool:
    return column in _MORE_IS_BETTER or column.startswith("uptime_of_")


def _where(frame: pd.DataFrame, where: str | Mapping[str, Any] | None) -> pd.DataFrame:
    if where is None:
        return frame
    if isinstance(where, str):
        try:
            return frame.query(where, engine="python")
        except Exception as error:  # whatever the expression does wrong
            remedy = 'For example "land_acres <= 3000 and months_to_power < 24".'
            found = f"{where!r} ({error})"
            raise InputError(
                [Fault("where", found, "must be an expression of columns", remedy)], "rank()"
            ) from None
    for column, wanted in where.items():
        if isinstance(wanted, tuple):
            least, most = wanted
            if least is not None:
                frame = frame[frame[column] >= least]
            if most is not None:
                frame = frame[frame[column] <= most]
        else:
            frame = frame[frame[column] == wanted]
    return frame
