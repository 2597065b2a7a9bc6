"""Tables of a roadmap: orders, stages, power and racks by month, money by month."""

from __future__ import annotations

import calendar
import math
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from sitedesign.results.roadmap import Order, Roadmap, Stage

MONTHS_PER_YEAR = 12
#: Less power is rounding of the optimiser. [MW]
LEAST_MW = 1e-3
VALUE = "racks that run"


def date_after(start: date, months: float) -> date:
    """Day so many months after a start; parts of a month by their share of 30 days."""
    whole = int(months // 1)
    year, month = divmod(start.month - 1 + whole, MONTHS_PER_YEAR)
    year += start.year
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return date(year, month + 1, day) + timedelta(days=round((months - whole) * 30))


def order_table(roadmap: Roadmap) -> pd.DataFrame:
    """List what is ordered, when it is there and when it leaves, by date.

    Returns
    -------
    DataFrame
        Columns ``technology, kind, amount, unit, order_month, delivery_month, retire_month, order_date,
        delivery_date, retire_date, credit``; what stays has no month in which it leaves. [months, fraction]
    """
    rows = []
    for item in roadmap.orders:
        row: dict[str, Any] = {
            name: getattr(item, name)
            for name in ("technology", "kind", "amount", "unit", "order_month", "delivery_month")
        }
        left = leaves(item, roadmap)
        row["retire_month"] = np.nan if left is None else left
        for name in ("order", "delivery"):
            row[f"{name}_date"] = date_after(roadmap.start, row[f"{name}_month"])
        row["retire_date"] = None if left is None else date_after(roadmap.start, left)
        rows.append(row | {"credit": item.credit})
    columns = ["technology", "kind", "amount", "unit", "order_month", "delivery_month", "retire_month",
               "order_date", "delivery_date", "retire_date", "credit"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def stage_table(roadmap: Roadmap) -> pd.DataFrame:
    """List the stages: when, which racks on what power, at what cost and uptime, held back by what.

    Returns
    -------
    DataFrame
        One row a stage; power by source as in :func:`month_table`. [months, MW, USD/yr, fraction]
    """
    rows = []
    for stage in roadmap.stages:
        row: dict[str, Any] = {"begins_month": stage.begins_month, "months": stage.months}
        row |= _racks(stage) | _power(stage)
        row |= {
            "cost_usd_per_yr": stage.total_usd_per_yr,
            "once_usd": sum(stage.once_usd.values()),
            "value_usd_per_yr": stage.value_usd_per_yr,
            "uptime_target": stage.uptime_target,
            "uptime": stage.uptime,
            "certified_uptime": np.nan if stage.certificate is None else stage.certificate.uptime.value,
            "met": None if stage.certificate is None else stage.certificate.met,
            "limited_by": stage.limited_by,
        }
        rows.append(row)
    table = pd.DataFrame(rows)
    power = [name for name in table if str(name).endswith(("_mw", "_mwh"))]
    return table.fillna(dict.fromkeys(power, 0.0))


def month_table(roadmap: Roadmap) -> pd.DataFrame:
    """Show power by source and racks in every month.

    Returns
    -------
    DataFrame
        One row a month from the start to the horizon, indexed by its number from 0: ``date`` (first day),
        ``racks_asked``, ``racks_running``, ``racks_idle``, power by source (``solar_mw``,
        ``rented_mobile_gt_mw``, ``grid_mw`` ...) and ``battery_mwh``. [racks, MW, MWh]
    """
    rows = []
    for month in _months(roadmap):
        stage = stage_at(roadmap.stages, month)
        asked = _asked(roadmap, month)
        running = 0 if stage is None else stage.racks_running
        row = {"month": month, "date": date_after(roadmap.start, month), "racks_asked": asked}
        row |= {"racks_running": running, "racks_idle": max(asked - running, 0)}
        rows.append(row | ({} if stage is None else _power(stage)))
    table = pd.DataFrame(rows).set_index("month")
    for name in sources(roadmap):
        table[name] = table.get(name, pd.Series(0.0, table.index)).fillna(0.0)
    return table[["date", "racks_asked", "racks_running", "racks_idle", *sources(roadmap)]]


def cash_table(roadmap: Roadmap) -> pd.DataFrame:
    """Show what is paid and earned in every month; what goes out is below zero.

    What is paid while a stage lasts falls due at the end of each month, what is paid once at the beginning of
    the stage; the discounted column adds up to the net present value.

    Returns
    -------
    DataFrame
        One row a month, indexed by its number from 0: ``date``, one column for each item of cost,
        ``racks that run``, ``net``, ``discounted``, ``cumulative``. [USD]
    """
    rows = []
    for month in _months(roadmap):
        stage, row = (
            stage_at(roadmap.stages, month),
            {"month": month, "date": date_after(roadmap.start, month)},
        )
        later = _discount(roadmap, month + 1)
        discounted = 0.0
        if stage is not None:
            due = {name: -usd / MONTHS_PER_YEAR for name, usd in stage.cost_usd_per_yr.items()}
            due[VALUE] = stage.value_usd_per_yr / MONTHS_PER_YEAR
            discounted += sum(due.values()) * later
            if month == stage.begins_month:
                once = {name: -usd for name, usd in stage.once_usd.items()}
                discounted += sum(once.values()) * _discount(roadmap, month)
                due |= {name: due.get(name, 0.0) + usd for name, usd in once.items()}
            row |= due
        rows.append(row | {"discounted": discounted})
    table = pd.DataFrame(rows).set_index("month")
    items = [name for name in table if name not in ("date", "discounted", VALUE)]
    money = [*items, VALUE]
    table = table.reindex(columns=["date", *money, "discounted"]).fillna(dict.fromkeys(money, 0.0))
    table.insert(len(money) + 1, "net", table[money].sum(axis=1))
    table["cumulative"] = table["discounted"].cumsum()
    return table


def leaves(order: Order, roadmap: Roadmap) -> float | None:
    """Month in which what was ordered leaves; None for what is there at the horizon. [months]"""
    month = order.retire_month
    return None if month is None or month >= roadmap.horizon_months else month


def stage_at(stages: Sequence[Stage], month: float) -> Stage | None:
    """Stage that a month belongs to; None before the first."""
    held = [stage for stage in stages if stage.begins_month <= month < stage.ends_month]
    return held[-1] if held else None


def sources(roadmap: Roadmap) -> list[str]:
    """Columns of power that any stage has, in the order of stacking: owned, rented, grid, battery."""
    names = [name for stage in roadmap.stages for name in _power(stage)]
    rank = {"grid_mw": 2, "battery_mwh": 4, "battery_mw": 3}
    ordered = sorted(dict.fromkeys(names), key=lambda name: rank.get(name, name.startswith("rented_")))
    return [
        name for name in ordered if any(_power(stage).get(name, 0.0) > LEAST_MW for stage in roadmap.stages)
    ]


def _months(roadmap: Roadmap) -> range:
    return range(math.ceil(roadmap.horizon_months))


def _asked(roadmap: Roadmap, month: float) -> int:
    """Racks that the ramp asks for; of a stage where the ramp is not told."""
    asked = [racks for begins, racks in roadmap.ramp if begins <= month]
    if roadmap.ramp:
        return max(asked, default=0)
    stage = stage_at(roadmap.stages, month)
    return 0 if stage is None else stage.racks_asked


def _racks(stage: Stage) -> dict[str, int]:
    return {
        "racks_asked": stage.racks_asked,
        "racks_running": stage.racks_running,
        "racks_idle": stage.racks_idle,
        "racks_installed": stage.racks_installed,
    }


def _power(stage: Stage) -> dict[str, float]:
    owned = {f"{name}_mw": mw for name, mw in stage.owned_mw.items()}
    rented = {f"rented_{name}_mw": mw for name, mw in stage.rented_mw.items()}
    return owned | rented | {"grid_mw": stage.connected_mw, "battery_mwh": stage.battery_mwh}


def _discount(roadmap: Roadmap, month: float) -> float:
    return float((1 + roadmap.discount_per_yr) ** (-month / MONTHS_PER_YEAR))
