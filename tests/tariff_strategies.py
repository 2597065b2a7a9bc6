"""Random tariffs and series, and a bill that is written line by line with a calendar of Python's own."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
from hypothesis import strategies as st

from sitedesign.finance.billing_calendar import DAYS, When
from sitedesign.finance.tariff import Tariff

NERC_2023 = {(1, 2), (5, 29), (7, 4), (9, 4), (11, 23), (12, 25)}
_SETS = {"all": DAYS, "weekdays": DAYS[:5], "weekends": DAYS[5:]}

prices = st.floats(0, 500).map(lambda value: round(value, 2))
hours = st.tuples(st.integers(0, 23), st.integers(1, 24)).filter(lambda pair: pair[0] != pair[1])
days = st.sampled_from(["all", "weekdays", "weekends", "sunday", "holiday", ["monday", "friday"]])
months = st.sets(st.integers(1, 12), min_size=1).map(sorted)
whens = st.builds(
    lambda m, d, h: {"months": m, "days": d, "hours": h},
    months,
    days,
    st.lists(hours, min_size=1, max_size=2),
)


@st.composite
def tariffs(draw: st.DrawFn, *, ratchets: bool = True, tiers: bool = True) -> Tariff:
    """Draw a tariff of several charges; the last charge for energy covers what the others leave."""
    energy: list[dict[str, Any]] = []
    covered = np.zeros((12, 8, 288), bool)
    for number in range(draw(st.integers(0, 3))):
        when = draw(whens)
        mask = When(**when).mask()
        if (mask & ~covered).any():
            covered |= mask
            energy.append({"name": f"e{number}", "when": when, "usd_per_mwh": draw(prices)})
    if not covered.all():
        last: dict[str, Any] = {"name": "rest"}
        if tiers and draw(st.booleans()):
            last["tiers"] = [(0, draw(prices)), (draw(st.integers(1, 3000)), draw(prices))]
        else:
            last["usd_per_mwh"] = draw(prices)
        energy.append(last)
    demand = []
    for number in range(draw(st.integers(0, 3))):
        charge: dict[str, Any] = {"name": f"d{number}", "when": draw(st.lists(whens, min_size=1, max_size=2))}
        charge["usd_per_kw_month"] = draw(st.one_of(prices, st.lists(prices, min_size=12, max_size=12)))
        charge["minimum_take"] = draw(st.sampled_from([0, 0.5, 1]))
        if ratchets and draw(st.booleans()):
            charge["ratchet"] = draw(st.sampled_from([0.35, 0.75, 1.0]))
            charge["lookback_months"] = draw(st.integers(1, 14))
            charge["lookback_in"] = draw(st.none() | months)
        demand.append(charge)
    coincident = []
    if draw(st.booleans()):
        coincident.append(
            {
                "usd_per_kw_yr": draw(prices),
                "when": draw(whens),
                "peaks": draw(st.integers(1, 3)),
                "each_month": draw(st.booleans()),
            }
        )
    return Tariff(
        energy=energy,
        demand=demand,
        coincident=coincident,
        usd_per_month=draw(prices),
        minimum_usd_per_month=draw(st.sampled_from([0, 1e5])),
        holidays="nerc",
    )


def series(seed: int, steps: int = 8760) -> np.ndarray:
    """Power between nothing and 100 MW. [MW]"""
    return np.random.default_rng(seed).uniform(0, 100, steps).round(3)


def _covers(parts: tuple[When, ...], moment: datetime.datetime) -> bool:
    return any(_is_in(when, moment) for when in parts)


def _is_in(when: When, moment: datetime.datetime) -> bool:
    holiday = moment.year == 2023 and (moment.month, moment.day) in NERC_2023
    day = "holiday" if holiday else DAYS[moment.weekday()]
    known = {item for word in when.days for item in _SETS.get(word, (word,))}
    if moment.month not in when.months or day not in known:
        return False
    hour = moment.hour + moment.minute / 60
    return any(a <= hour < b if a < b else hour >= a or hour < b for a, b in when.hours)


def plain_bill(
    tariff: Tariff, import_mw: np.ndarray, contract_mw: float, system_load: np.ndarray
) -> dict[str, list[float]]:
    """Bill of the hours of 2023 by kind and month: nothing of the package's but the tariff's fields. [USD]"""
    start = datetime.datetime(2023, 1, 1)
    moments = [start + datetime.timedelta(hours=number) for number in range(len(import_mw))]
    bill = {kind: [0.0] * 12 for kind in ("energy", "demand", "coincident", "fixed", "minimum")}
    used: dict[tuple[int, int], float] = {}
    for moment, power in zip(moments, import_mw.tolist(), strict=True):
        mine = next(n for n, item in enumerate(tariff.energy) if _covers(item.when, moment))
        used[mine, moment.month] = used.get((mine, moment.month), 0.0) + power
    for (number, month), amount in used.items():
        charge = tariff.energy[number]
        tiers = list(charge.tiers) or [(0.0, charge.usd_per_mwh)]
        for place, (first, price) in enumerate(tiers):
            end = tiers[place + 1][0] if place + 1 < len(tiers) else float("inf")
            bill["energy"][month - 1] += price * max(0.0, min(amount, end) - first)
    for charge in tariff.demand:
        inside = [_covers(charge.when, moment) for moment in moments]
        peak = [0.0] * 12
        for moment, power, counts in zip(moments, import_mw.tolist(), inside, strict=True):
            peak[moment.month - 1] = max(peak[moment.month - 1], power if counts else 0.0)
        for month in range(12):
            if not any(c for m, c in zip(moments, inside, strict=True) if m.month == month + 1):
                continue
            billed = max(peak[month], charge.minimum_take * contract_mw)
            for back in range(1, min(charge.lookback_months, 11) + 1):
                earlier = (month - back) % 12
                if charge.lookback_in is None or earlier + 1 in charge.lookback_in:
                    billed = max(billed, charge.ratchet * peak[earlier])
            given = charge.usd_per_kw_month
            price = given[month] if isinstance(given, tuple) else given
            bill["demand"][month] += price * billed * 1000
    for charge in tariff.coincident:
        best: dict[datetime.date, int] = {}
        for step, moment in enumerate(moments):
            if _covers(charge.when, moment):
                before = best.get(moment.date())
                if before is None or system_load[step] > system_load[before]:
                    best[moment.date()] = step
        scopes: dict[int, list[int]] = {}
        for date, step in best.items():
            scopes.setdefault(date.month if charge.each_month else 0, []).append(step)
        count = charge.peaks * (
            len({month for when in charge.when for month in when.months}) if charge.each_month else 1
        )
        for steps in scopes.values():
            for step in sorted(steps, key=lambda item: -system_load[item])[: charge.peaks]:
                cost = 1000 * charge.usd_per_kw_yr / count * float(import_mw[step])
                bill["coincident"][moments[step].month - 1] += cost
    for month in range(12):
        bill["fixed"][month] = tariff.usd_per_month
        so_far = sum(bill[kind][month] for kind in ("energy", "demand", "coincident", "fixed"))
        bill["minimum"][month] = max(0.0, tariff.minimum_usd_per_month - so_far)
    return bill
