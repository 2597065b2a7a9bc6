"""A roadmap by hand, for the tests of its answers: made without an optimiser, its sums easy to check."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from sitedesign.api.roadmap_answer import Roadmap
from sitedesign.case.plant import Plant
from sitedesign.results.roadmap import (
    DatedPlan,
    HandMadePlan,
    MonthsWorth,
    Order,
    Stage,
    discount_factor,
    discounted_years,
)
from sitedesign.results.sampled_dates import DateEffect, SampledDates, StageDate

START = date(2026, 12, 1)
RATE = 0.055
VALUE = 20_000.0
RAMP = ((4, 50), (6, 200), (12, 700))


def _stage(begins: float, months: float, asked: int, running: int, **what: Any) -> Stage:
    owned = {"solar": 0.0, "battery": 0.0, "recip_medium": 0.0} | what.pop("owned", {})
    defaults: dict[str, Any] = {
        "racks_installed": running + 5 if running else 0,
        "rented_mw": {"mobile_gt": 0.0},
        "connected_mw": 0.0,
        "battery_mwh": 4 * owned["battery"],
        "plant": Plant((owned["solar"],), 4 * owned["battery"], owned["battery"],
                       (round(owned["recip_medium"] / 18.8),), running + 5),
        "cost_usd_per_yr": {},
        "once_usd": {},
        "value_usd_per_yr": running * VALUE * 12,
        "uptime_target": 0.999,
        "uptime": 0.9991,
        "energy_mwh_per_yr": {},
    }  # fmt: skip
    return Stage(begins, months, asked, running, owned_mw=owned, **(defaults | what))


def stages() -> tuple[Stage, ...]:
    """Rented turbines, then an array and engines beside them, then the grid with engines in reserve."""
    return (
        _stage(
            6, 6, 200, 180, rented_mw={"mobile_gt": 49.5},
            cost_usd_per_yr={"rent mobile_gt": 25e6, "energy mobile_gt": 12e6},
            once_usd={"mobilisation mobile_gt": 6e6},
            limited_by="no more than 3 units of mobile_gt can be rented",
        ),
        _stage(
            12, 24, 700, 640, rented_mw={"mobile_gt": 49.5},
            owned={"solar": 240.0, "battery": 60.0, "recip_medium": 75.2},
            cost_usd_per_yr={"rent mobile_gt": 25e6, "energy mobile_gt": 6e6, "solar": 18e6, "battery": 7e6,
                             "recip_medium": 14e6, "energy recip_medium": 20e6},
            limited_by="solar arrives at 40 MW a month",
        ),
        _stage(
            36, 204, 700, 700, connected_mw=110.0,
            owned={"solar": 240.0, "battery": 60.0, "recip_medium": 75.2},
            cost_usd_per_yr={"solar": 18e6, "battery": 7e6, "recip_medium": 14e6, "energy recip_medium": 1e6,
                             "grid": 22e6, "energy grid": 24e6},
            limited_by="",
        ),
    )  # fmt: skip


def _money(held: tuple[Stage, ...]) -> tuple[float, float]:
    cost = value = 0.0
    for stage in held:
        years = discounted_years(stage.begins_month, stage.ends_month, RATE)
        cost += stage.total_usd_per_yr * years
        cost += sum(stage.once_usd.values()) * discount_factor(stage.begins_month, RATE)
        value += stage.value_usd_per_yr * years
    return cost, value


def roadmap(**changes: Any) -> Roadmap:
    """Build the roadmap of a landlord at El Paso whose grid comes in month 36."""
    held = changes.pop("stages", stages())
    cost, value = _money(held)
    whole = Roadmap(
        study={"site": {"latitude": 31.76, "longitude": -106.49, "name": "El Paso, TX"}, "racks": 700},
        start=START,
        horizon_months=240,
        discount_per_yr=RATE,
        value_usd_per_rack_month=VALUE,
        stages=held,
        orders=(
            Order("mobile_gt", "rented", 3, "units", 3, 6, 36),
            Order("solar", "owned", 240.0, "MW", 0, 12, None, 0.3),
            Order("battery", "owned", 240.0, "MWh", 0, 12, None, 0.3),
            Order("recip_medium", "owned", 4, "units", 0, 12),
            Order("grid", "grid", 110.0, "MW", 0, 36),
        ),
        net_present_cost_usd=cost,
        value_usd=value,
        bound_usd=cost - value - 1e5,
        ramp=RAMP,
        worth=MonthsWorth(1.5e6, {"mobile_gt": 2.2e6}, {"recip_medium": 0.4e6, "solar": 0.0}),
        seconds=3.2,
    )
    return replace(whole, **changes)


def hand_made() -> tuple[HandMadePlan, ...]:
    """Three plans people make: one waits, one burns gas, one cannot be."""
    cost, value = _money(stages())
    return (
        HandMadePlan("wait for the grid", 0.7 * cost, 0.6 * value, 36, 21_100.0, stages()[2:]),
        HandMadePlan("all gas", 1.1 * cost, 0.95 * value, 6, 1_540.0, stages()),
        HandMadePlan("solar and battery only", reason="no array and battery keep 99.9 % of 700 racks"),
    )


def uncertain() -> dict[str, Any]:
    """Two dates of the grid, and dates drawn at random."""
    cost, value = _money(stages())
    plans = tuple(
        DatedPlan(name, share, {"grid": month}, stages(), (), cost, value, cost - 2e6, value)
        for name, share, month in (("as told", 0.6, 36.0), ("late", 0.4, 60.0))
    )
    drawn = SampledDates(
        3, 7, {"grid": (30.0, 36.0, 50.0)}, (1e9, 2e9, 3e9), (6.0, 6.0, 7.0), (10.0, 0.0, 5.0), 2.5e9,
        (DateEffect("grid", 24.0, 36.0, 60.0, 36.0, 0.5e9, 0.1e9, 5.0),),
        (StageDate(6.0, 180, 2 / 3, 0.27), StageDate(36.0, 700, 1.0, 0.0)),
        ((0, 0, 0), (180, 180, 200)),
    )  # fmt: skip
    return {"scenarios": plans, "sampled": drawn}
