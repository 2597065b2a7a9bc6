"""What is done at one site: a bound with perfect foresight, or a certified design.

The only place of the batch that calls the main job; everything else moves rows.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from sitedesign.api.question import check_method
from sitedesign.batch.question import Question
from sitedesign.batch.table import Row
from sitedesign.errors import Fault, InputError, NotProvenOptimal, SiteDesignError
from sitedesign.reliability.certificate import Certificate
from sitedesign.results.design import Design
from sitedesign.study.effort import EffortName, Method
from sitedesign.study.study import Study

STAGES = ("bound", "certified")
# Column of each figure, in order; units per technology stand after `battery_mw`.
FIGURES: tuple[str, ...] = (
    "solar_mw", "battery_mwh", "battery_mw", "racks_installed", "uptime_achieved", "uptime_standard_error",
    "greedy_uptime", "cost_usd_per_yr", "bound_usd_per_yr", "gap", "bound_with_failures_usd_per_yr",
    "bound_with_failures_standard_error", "capital_usd", "project_cost_usd_per_yr",
    "lcoe_usd_per_mwh", "usd_per_rack_h", "bound_usd_per_rack_h", "usd_per_gpu_h", "delivered_rack_h_per_yr",
    "uptime_price_usd_per_mwh", "renewable_share", "land_acres", "water_m3_per_yr", "months_to_power",
    "co2_t_per_yr",
    # What a choice among sites stands on: the contract, the cost of the place without the contracted racks,
    # and of that what economies of scale touch
    "contracted_racks", "it_mw", "site_cost_usd_per_yr", "solar_capital_usd_per_yr",
    "battery_capital_usd_per_yr", "backup_capital_usd_per_yr", "connection_capital_usd_per_yr",
    "hall_capital_usd_per_yr", "staff_usd_per_yr",
)  # fmt: skip
# Further columns of a certified design.
CERTIFIED_FIGURES: tuple[str, ...] = (
    "certified_uptime", "certified_uptime_standard_error", "certified_uptime_lower", "certified_met",
    "certified_weather_years",
)  # fmt: skip
# Further columns where there may be a connection to the grid.
GRID_FIGURES: tuple[str, ...] = (
    "grid_mw", "sale_mw", "grid_mwh_per_yr", "sale_mwh_per_yr", "grid_called_h_per_yr",
    "grid_at_limit_h_per_yr", "grid_bill_usd_per_yr", "grid_charged_usd_per_yr",
)  # fmt: skip
# Further columns of each who may take surplus, behind its name.
TAKER_FIGURES: tuple[str, ...] = ("_mw", "_mwh_per_yr", "_usd_per_yr")
# Further columns where a roadmap is asked for.
ROADMAP_FIGURES: tuple[str, ...] = ("first_power_months", "value_of_month_usd", "roadmap_usd")
# Entries that the optimiser may choose; columns in words, `pv_built` and `battery_built`.
CHOSEN: tuple[str, ...] = ("pv", "battery")


class BatchStopped(SiteDesignError):
    """The batch cannot go on; everything finished is in its folder."""


@dataclass(frozen=True)
class BatchJob:
    """What is done at every site of a batch.

    Attributes
    ----------
    stage : {"bound", "certified"}
    effort : {"screening", "standard"}
        Of the search for a certified design.
    method : str
        Of :func:`sitedesign.solve`.
    gap : float or None
        [fraction]
    time_limit_s : float or None
        [s]
    roadmap : mapping of str to object, or None
        What :func:`sitedesign.roadmap` is asked at every site, as plain values; None: no roadmap.
    """

    stage: str = "bound"
    effort: EffortName = "screening"
    method: Method = "cuts"
    gap: float | None = None
    time_limit_s: float | None = None
    roadmap: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Everything that decides the numbers, ready for JSON."""
        data = asdict(self)
        if self.stage == "bound":
            del data["effort"]
        if self.roadmap is None:
            del data["roadmap"]
        return data


@dataclass(frozen=True)
class Outcome:
    """What came of one site.

    Attributes
    ----------
    key : str
    row : dict
        ``status``, figures, ``error``: the part that is the same on every machine and in every order.
    seconds : float
        Wall time. [s]
    rss_mb : float
        Memory of the process afterwards. [MB]
    """

    key: str
    row: dict[str, Any]
    seconds: float
    rss_mb: float


def check_job(job: BatchJob, studies: Iterable[Study] = ()) -> None:
    """Refuse a job that no site could do.

    Parameters
    ----------
    job : BatchJob
    studies : iterable of Study
        One of each kind that the sites ask.

    Raises
    ------
    InputError
        With what stands in the way of every one of them.
    """
    certified = job.stage == "certified"
    check_method(job.method, certified)
    faults: dict[Fault, None] = {}
    for study in studies:
        try:
            check_method(job.method, certified, study)
        except InputError as error:
            faults |= dict.fromkeys(error.faults)
        else:
            return
    if faults:
        raise InputError(list(faults), "solve_many()")


def solve_row(question: Question, job: BatchJob, key: str, row: Row) -> Outcome:
    """Solve one site; whatever goes wrong becomes part of its row."""
    start = time.perf_counter()
    result: dict[str, Any] = {"stage": job.stage}
    try:
        study = question.study(row)
        result |= {"name": study.site.name, "country": study.site.country, "region": _region(study)}
        result |= {"it_mw": study.contracted_it_mw, "status": "solved"} | figures(_solve(study, job))
        if job.roadmap is not None:
            result |= _roadmap_figures(study, job.roadmap)
    except InputError as error:
        result |= {"status": "bad input", "error": str(error)}
    except NotProvenOptimal as error:
        found = figures(error.incumbent) if isinstance(error.incumbent, Design) else {}
        result |= {"status": "gap", "error": str(error)} | found
    except SiteDesignError as error:
        result |= {"status": "infeasible", "error": str(error)}
    except Exception as error:  # one site must never end the batch; the row carries the error
        result |= {"status": "error", "error": f"{type(error).__name__}: {error}"}
    rss_mb = psutil.Process().memory_info().rss / 1e6
    return Outcome(key, result, time.perf_counter() - start, rss_mb)


def _region(study: Study) -> str | None:
    """Name of the region whose prices held; None where the library's own did."""
    return None if study.region_figures is None else study.region_figures.name


def figures(design: Design) -> dict[str, Any]:
    """Figures of a design that a row carries, units in their names."""
    return {
        **{f"{name}_mw": mw for name, mw in design.resources_mw.items()},
        **{f"{name}_mw": mw for name, mw in (design.imports_mw | design.sinks_mw).items()},
        **_grid_figures(design),
        **{f"{item.name}_mwh_per_yr": item.mwh_per_yr for item in design.surplus},
        **{f"{item.name}_usd_per_yr": item.usd_per_yr for item in design.surplus},
        **{f"second_fuel_mmbtu_{name}": mmbtu for name, mmbtu in design.second_fuel_mmbtu_per_yr.items()},
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
        **_failure_bound(design),
        "capital_usd": design.capital_usd,
        "project_cost_usd_per_yr": design.project_cost_usd_per_yr,
        "lcoe_usd_per_mwh": design.lcoe_usd_per_mwh,
        "usd_per_rack_h": design.usd_per_rack_h,
        "bound_usd_per_rack_h": design.compute_cost and design.compute_cost.bound_usd_per_rack_h,
        "usd_per_gpu_h": design.usd_per_gpu_h,
        "delivered_rack_h_per_yr": design.delivered_rack_h_per_yr,
        "uptime_price_usd_per_mwh": design.uptime_price_usd_per_mwh,
        "renewable_share": design.renewable_share,
        "land_acres": design.land_acres,
        "water_m3_per_yr": design.water_m3_per_yr,
        "months_to_power": design.months_to_power,
        "co2_t_per_yr": design.co2_t_per_yr,
        **_for_fleets(design),
        "weather_flags": "; ".join(design.provenance.weather_flags),
        **({f"{name}_built": design.study[name]["name"] for name in CHOSEN} if design.alternatives else {}),
        **{f"uptime_of_{item.name}": item.uptime.value for item in design.classes},
        **_certified_figures(design.certificate),
    }


def _for_fleets(design: Design) -> dict[str, float]:
    """Figures of which :mod:`sitedesign.fleet` makes the cost of a site against its size."""
    study = design.study
    technologies = {item["name"] for item in study["backup"]}
    racks = sum(item.usd_per_yr for item in design.project_costs if item.asset == "racks")

    def capital(*assets: str) -> float:
        return sum(
            item.usd_per_yr - item.upkeep_usd_per_yr
            for item in (*design.costs, *design.project_costs)
            if item.asset in assets and item.kind == "capital"
        )

    return {
        "contracted_racks": float(design.racks_contracted),
        "site_cost_usd_per_yr": design.project_cost_usd_per_yr - racks,
        "solar_capital_usd_per_yr": capital("solar"),
        "battery_capital_usd_per_yr": capital("battery"),
        "backup_capital_usd_per_yr": capital(*technologies),
        "connection_capital_usd_per_yr": capital("grid"),
        "hall_capital_usd_per_yr": capital("hall"),
        "staff_usd_per_yr": sum(
            item.usd_per_yr for item in design.project_costs if item.asset == "hall" and item.kind == "fixed"
        ),
    }


def _failure_bound(design: Design) -> dict[str, Any]:
    """Bound with failures, where there is one. [USD/yr]"""
    known = design.bound_with_failures
    names = ("bound_with_failures_usd_per_yr", "bound_with_failures_standard_error")
    values = (None, None) if known is None else (known.value, known.standard_error)
    return dict(zip(names, values, strict=True))


def _grid_figures(design: Design) -> dict[str, Any]:
    """Figures of a connection to the grid; none without one."""
    grid = design.grid
    if grid is None:
        return {}
    return {
        "grid_mwh_per_yr": grid.import_mwh_per_yr,
        "sale_mwh_per_yr": grid.sale_mwh_per_yr,
        "grid_called_h_per_yr": grid.called_h_per_yr,
        "grid_at_limit_h_per_yr": grid.at_limit_h_per_yr,
        "grid_bill_usd_per_yr": grid.bill,
        "grid_charged_usd_per_yr": grid.charged,
    }


def _certified_figures(certificate: Certificate | None) -> dict[str, Any]:
    """Figures of a certificate; none for a bound."""
    if certificate is None:
        return {}
    return {
        "certified_uptime": certificate.uptime.value,
        "certified_uptime_standard_error": certificate.uptime.standard_error,
        "certified_uptime_lower": certificate.uptime.lower_bound(certificate.confidence),
        "certified_met": float(certificate.met),
        "certified_weather_years": float(certificate.weather_years),
    }


def _roadmap_figures(study: Study, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Figures of a roadmap: first power, worth of a month of earlier grid, what is left or what it costs.

    A site whose design is found keeps it where no roadmap is, and says why.
    """
    from sitedesign.api.roadmap import roadmap

    waits = study.grid is not None and not study.grid.is_absent and not asked.get("scenarios")
    try:
        found = roadmap(study, **({"worth": "grid"} if waits else {}) | dict(asked))
    except NotProvenOptimal as error:
        if error.incumbent is None:
            return {"error": f"roadmap: {error}"}
        found = error.incumbent
    except InputError:
        raise
    except SiteDesignError as error:
        return {"error": f"roadmap: {error}"}
    return {
        "first_power_months": found.first_power_month,
        "value_of_month_usd": found.value_of_month_usd,
        "roadmap_usd": found.net_present_value_usd,
    }


def _solve(study: Any, job: BatchJob) -> Design:  # noqa: ANN401
    from sitedesign.api.solve import solve  # when the first site needs it: it takes seconds

    return solve(
        study,
        method=job.method,
        certify=job.stage == "certified",
        effort=job.effort,
        gap=job.gap,
        time_limit_s=job.time_limit_s,
    )
