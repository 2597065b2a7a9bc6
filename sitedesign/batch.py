"""Many candidate sites: one row a site, failures included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from sitedesign.design import Design
from sitedesign.errors import Fault, InputError, NotProvenOptimal, SiteDesignError
from sitedesign.site import Site
from sitedesign.workflow import Progress, solve
from sitedesign.study import Study
from sitedesign.validation import unknown_keys

_SITE_COLUMNS = ("latitude", "longitude", "name", "elevation_m", "timezone")
_NOT_PER_SITE = ("site", "weather", "solar_profile", "load_profile", "limits")


def solve_many(
    sites: str | Path | pd.DataFrame | Iterable[Site | Mapping[str, Any]],
    study: Study | None = None,
    *,
    progress: Progress | None = None,
    **question: Any,  # noqa: ANN401
) -> pd.DataFrame:
    """Solve the same question at many sites, one after the other.

    Parameters
    ----------
    sites : CSV path, DataFrame, or iterable of Site or mapping
        Columns ``latitude`` and ``longitude`` (degrees), optionally ``name``, ``elevation_m``, ``timezone``,
        and any field of a study (``uptime``, ``racks``, ``rack`` ...), which then overrides the question for
        that site. Unknown columns are refused.
    study : Study, optional
        The question; its own site is replaced. Or give its fields as keywords.
    progress : callable, optional
        Called with one line of text per site.

    Returns
    -------
    DataFrame
        One row a site in the order given: the site's columns, ``status`` (``solved``, ``gap``,
        ``infeasible``, ``bad input``, ``error``), the design's figures with units in their names, ``error``.

    Raises
    ------
    InputError
        If the table itself cannot be used; a single bad site only makes its own row fail.
    """
    rows = _rows(sites)
    _check_columns(rows, study, question)
    results = []
    for number, row in enumerate(rows, start=1):
        result = _solve_row(row, study, question)
        results.append(result)
        if progress is not None:
            progress(f"site {number} of {len(rows)}: {result.get('name', '')} {result['status']}")
    return pd.DataFrame(results)


def _rows(sites: str | Path | pd.DataFrame | Iterable[Site | Mapping[str, Any]]) -> list[dict[str, Any]]:
    if isinstance(sites, str | Path):
        path = Path(sites)
        if not path.is_file():
            raise InputError(
                [Fault("sites", str(path), "must be a CSV file with latitude and longitude")], "solve_many()"
            )
        sites = pd.read_csv(path)
    if isinstance(sites, pd.DataFrame):
        records = sites.to_dict("records")
    else:
        records = [item.model_dump() if isinstance(item, Site) else dict(item) for item in sites]
    return [{str(key): value for key, value in record.items() if not _missing(value)} for record in records]


def _missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def _check_columns(rows: list[dict[str, Any]], study: Study | None, question: Mapping[str, Any]) -> None:
    known = [*_SITE_COLUMNS, *(name for name in Study.model_fields if name not in _NOT_PER_SITE)]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    faults = unknown_keys("sites", columns, known)
    if not rows:
        faults.append(Fault("sites", "no rows", "needs at least one site"))
    faults += [
        Fault(f"sites.{name}", "no such column", "is needed, in degrees")
        for name in ("latitude", "longitude")
        if rows and name not in columns
    ]
    if study is not None and question:
        allowed = "cannot be combined with a study"
        faults.append(Fault("keywords", ", ".join(sorted(question)), allowed, "Use study.replace(...)."))
    if faults:
        raise InputError(faults, "solve_many()")


def _solve_row(row: Mapping[str, Any], study: Study | None, question: Mapping[str, Any]) -> dict[str, Any]:
    """Solve one site; whatever goes wrong becomes part of its row."""
    place = {key: row[key] for key in _SITE_COLUMNS if key in row}
    changes = {key: value for key, value in row.items() if key not in _SITE_COLUMNS}
    result: dict[str, Any] = dict(row)
    try:
        site = Site(**place)
        result["name"] = site.name
        if study is not None:
            asked = study.replace(site=site, **_one_contract(changes))
        else:
            asked = Study(**(dict(question) | {"site": site} | changes))
        result |= {"status": "solved"} | _figures(solve(asked))
    except InputError as error:
        result |= {"status": "bad input", "error": str(error)}
    except NotProvenOptimal as error:
        figures = _figures(error.incumbent) if isinstance(error.incumbent, Design) else {}
        result |= {"status": "gap", "error": str(error)} | figures
    except SiteDesignError as error:
        result |= {"status": "infeasible", "error": str(error)}
    except Exception as error:  # one site must never end the batch; the row carries the error
        result |= {"status": "error", "error": f"{type(error).__name__}: {error}"}
    return result


def _one_contract(changes: dict[str, Any]) -> dict[str, Any]:
    """Let a row's racks replace the study's it_mw and the other way round."""
    other = {"racks": "it_mw", "it_mw": "racks"}
    return changes | {
        other[key]: None for key in ("racks", "it_mw") if key in changes and other[key] not in changes
    }


def _figures(design: Design) -> dict[str, Any]:
    return {
        "solar_mw": design.solar_mw,
        "battery_mwh": design.battery_mwh,
        "battery_mw": design.battery_mw,
        **{f"units_{name}": count for name, count in design.backup.items()},
        "racks_installed": design.racks,
        "uptime_achieved": design.uptime.value,
        "uptime_standard_error": design.uptime.standard_error,
        "greedy_uptime": design.greedy_uptime.value,
        "cost_usd_per_yr": design.cost,
        "bound_usd_per_yr": design.bound,
        "gap": design.gap,
        "lcoe_usd_per_mwh": design.lcoe_usd_per_mwh,
        "usd_per_rack_h": design.usd_per_rack_h,
        "renewable_share": design.renewable_share,
        "land_acres": design.land_acres,
        "months_to_power": design.months_to_power,
        "co2_t_per_yr": design.co2_t_per_yr,
    }
