"""Many questions about the same data: cuts found for one hold for all, so each further answer is cheap."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from sitedesign.case.case import Case, FloatArray
from sitedesign.case.limits import CaseLimits
from sitedesign.case.plant import Plant
from sitedesign.case.rack_shortfall import most_racks
from sitedesign.errors import InfeasibleDesign, InputError, unknown_name
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.optimize.result import OptimizationResult
from sitedesign.util.progress import Progress

Vary = Callable[[Case, float], Case]

_PRICES = (
    "battery_cost_usd_per_mwh_yr",
    "battery_cost_usd_per_mw_yr",
    "rack_cost_usd_per_yr",
    "delay_cost_usd_per_month_yr",
    "lost_value_usd_per_mwh",
)
_LIMITS = tuple(item.name for item in dataclasses.fields(CaseLimits) if "tuple" not in str(item.type))
_WIDEST = 2.0  # how far from the optimum the array is varied, either way


@dataclass(frozen=True, eq=False)
class SweepPoint:
    """One question of a sweep and its answer.

    Attributes
    ----------
    value : float
        What was varied.
    sizing : OptimizationResult or None
        Without dispatch; None when no design is possible.
    reason : str
        Why not; empty otherwise.
    """

    value: float
    sizing: OptimizationResult | None
    reason: str = ""


def frontier(
    case: Case,
    over: str | Vary,
    values: Iterable[float],
    *,
    gap: float = 1e-4,
    time_limit_s: float | None = None,
    cut_pool: CutPool | None = None,
    progress: Progress | None = None,
    each: Callable[[SweepPoint], None] | None = None,
) -> tuple[SweepPoint, ...]:
    """Solve a case for several values of one target, limit or price.

    Parameters
    ----------
    case : Case
    over : str or callable
        ``uptime``, a limit of :class:`~sitedesign.case.limits.CaseLimits` with one value
        (``min_renewable_share``, ``land_acres``, ``max_co2_t_per_yr`` ...), a price of
        :class:`~sitedesign.case.case.Case` or of a resource (``solar_cost_usd_per_mw_yr``), or
        ``over(case, value)`` that gives the changed case. Series, efficiencies, tiers and unit sizes stay.
        With classes of the load, ``uptime`` is the target of every class.
    values : iterable of float
    gap : float
        Of each answer. [fraction]
    time_limit_s : float, optional
        For each answer. [s]
    cut_pool : CutPool, optional
        Cuts to start from; new ones are added.
    progress : callable, optional
        Called with one line of text for each answer.
    each : callable, optional
        Called with each answer.

    Returns
    -------
    tuple of SweepPoint
        In the order of the values.

    Raises
    ------
    InputError
        When `over` is not known.
    ValueError
        When a callable changes the data.
    NotProvenOptimal
        When the time limit comes before any design.
    """
    vary = over if callable(over) else _vary(case, over)
    pool = cut_pool or CutPool(case)
    say = progress or (lambda _: None)
    points: list[SweepPoint] = []
    warm: Plant | None = None
    for value in values:
        changed = vary(case, value)
        try:
            sizing = solve_cuts(
                changed,
                gap=gap,
                time_limit_s=time_limit_s,
                warm_start=warm,
                cut_pool=pool,
                explains=False,
                keeps_dispatch=False,
            )
        except InfeasibleDesign as error:
            points.append(SweepPoint(value, None, error.reason))
            say(f"{value:g}: {error.reason}")
        else:
            warm = sizing.plant
            points.append(SweepPoint(value, sizing))
            say(f"{value:g}: {sizing.objective_usd_per_yr / 1e6:,.3f} M USD/yr")
        if each is not None:
            each(points[-1])
    return tuple(points)


def tradeoff(
    case: Case,
    solar_mw: Iterable[float] | None = None,
    *,
    points: int = 15,
    gap: float = 1e-4,
    cut_pool: CutPool | None = None,
    progress: Progress | None = None,
    each: Callable[[SweepPoint], None] | None = None,
) -> tuple[SweepPoint, ...]:
    """Best plant for each size of the array at the same uptime: panels against batteries, and what it costs.

    Parameters
    ----------
    case : Case
    solar_mw : iterable of float, optional
        Sizes of the array; when left out, from half to twice the optimum, within the limits. [MWdc]
    points : int
        How many sizes then.
    gap : float
        Of each answer. [fraction]
    cut_pool : CutPool, optional
    progress, each : callable, optional

    Returns
    -------
    tuple of SweepPoint
        `value` is the size of the array.

    Raises
    ------
    InfeasibleDesign
        When no size was given and no design is possible at all.
    """
    pool = cut_pool or CutPool(case)
    if solar_mw is None:
        best = solve_cuts(case, gap=gap, cut_pool=pool)
        solar_mw = _around(best.plant.solar_mw, _solar_bounds(case), points).tolist()
    return frontier(case, _with_solar, solar_mw, gap=gap, cut_pool=pool, progress=progress, each=each)


def _solar_bounds(case: Case) -> tuple[float, float]:
    return case.sizes[0].lower, case.sizes[0].most


def _around(centre: float, bounds: tuple[float, float], points: int) -> FloatArray:
    """Sizes around a centre, which is one of them, shape (points,)."""
    low, high = max(centre / _WIDEST, bounds[0]), min(max(centre * _WIDEST, 1.0), bounds[1])
    below = points // 2
    sizes = np.concatenate(
        [np.linspace(low, centre, below + 1)[:-1], np.linspace(centre, high, points - below)]
    )
    return np.unique(sizes)


def _vary(case: Case, name: str) -> Vary:
    resources = {f"{r.name}_cost_usd_per_mw_yr": r.name for r in case.resources}
    if name == "uptime":
        return _with_uptime
    if name in _LIMITS:
        return lambda case, value: _with_limit(case, name, value)
    if name in resources:
        return lambda case, value: case.with_resource(resources[name], annual_cost_usd_per_mw=value)
    if name in _PRICES:
        return lambda case, value: _with_price(case, name, value)
    raise InputError([unknown_name("over", name, ["uptime", *_LIMITS, *resources, *_PRICES])], "frontier()")


def _with_uptime(case: Case, value: float) -> Case:
    """Another target; racks may be added as far as it needs them."""
    classes = tuple(dataclasses.replace(item, uptime_target=value) for item in case.load_classes)
    return _with_more_racks(dataclasses.replace(case, uptime_target=value, load_classes=classes))


def _with_more_racks(case: Case) -> Case:
    possible = case.rack_availability >= 1.0 or max(item.uptime_target for item in case.classes) < 1.0
    free = possible and "racks" not in case.given
    racks = max(case.racks_max, most_racks(case)) if free else case.racks_max
    return dataclasses.replace(case, racks_max=racks)


def _with_limit(case: Case, name: str, value: float) -> Case:
    change: dict[str, float] = {name: value}
    return dataclasses.replace(case, limits=dataclasses.replace(case.limits, **change))  # type: ignore[arg-type]


def _with_price(case: Case, name: str, value: float) -> Case:
    change: dict[str, float] = {name: value}
    changed = dataclasses.replace(case, **change)  # type: ignore[arg-type]
    return _with_more_racks(changed) if name == "lost_value_usd_per_mwh" else changed


def _with_solar(case: Case, value: float) -> Case:
    return case.with_resource(bounds_mw=(value, value), widest_mw=value)
