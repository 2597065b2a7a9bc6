"""A roadmap in words: what runs when on what, what is ordered today, what a month is worth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sitedesign.results.evaluation import percent
from sitedesign.results.roadmap_tables import date_after
from sitedesign.results.sampled_dates import SampledDates, quantiles
from sitedesign.util.words import with_interval

if TYPE_CHECKING:
    from sitedesign.results.roadmap import HandMadePlan, MonthsWorth, Order, Roadmap, Stage

_M = 1e6
_TOLD_MW = 0.05  # less is told by tables alone


def head(roadmap: Roadmap) -> str:
    """Say in one line what it is and how well it is proven."""
    name = f"Roadmap({roadmap.site_name!r}):"
    if roadmap.stopped_by == "certificate":
        return f"{name} CERTIFIED: every stage keeps its target while things fail, all together at 95 %"
    status = "OPTIMAL to" if roadmap.stopped_by == "gap" else "NOT PROVEN OPTIMAL to"
    bound = "with foresight and nothing failing: a bound, not a plan to build (certify=True)"
    return f"{name} {status} {max(roadmap.gap, 0.0):.2%} {bound}"


def lines(roadmap: Roadmap) -> list[tuple[str, str]]:
    """Facts as (label, text), the first that a developer asks for at the top."""
    found = [("first power", _first_power(roadmap))]
    found += stage_lines(roadmap)
    found += order_lines(roadmap)
    found.append(("cost", _money(roadmap)))
    found += [("worth", text) for text in worth_words(roadmap.worth)]
    found += [("by hand", hand_made_words(plan, roadmap)) for plan in roadmap.by_hand]
    found += uncertain_lines(roadmap)
    return found + [("note", note) for note in roadmap.notes]


def stage_lines(roadmap: Roadmap) -> list[tuple[str, str]]:
    """Say from when to when what runs on what, and what holds it back; stages that say the same are one."""
    found: list[tuple[float, float, str]] = []
    for stage in roadmap.stages:
        text = _stage(stage)
        if found and found[-1][2] == text:
            found[-1] = (found[-1][0], stage.ends_month, text)
        else:
            found.append((stage.begins_month, stage.ends_month, text))
    return [(f"month {begins:g} to {ends:g}", text) for begins, ends, text in found]


def order_lines(roadmap: Roadmap) -> list[tuple[str, str]]:
    """Say what is ordered now, and what in which month later."""
    by_month: dict[float, list[str]] = {0.0: []}
    for item in roadmap.orders:
        by_month.setdefault(math.floor(item.order_month), []).append(_order(item))
    return [
        ("order now" if month == 0 else f"order month {month:g}", ", ".join(items) or "nothing")
        for month, items in sorted(by_month.items())
    ]


def worth_words(worth: MonthsWorth) -> list[str]:
    """Say what dates and rentals are worth, the dearest first; what is worth nothing is left out."""
    found: list[tuple[str, float, float | None]] = []
    if worth.grid_month_usd is not None:
        found.append(("a month earlier of the grid", worth.grid_month_usd, worth.grid_month_within_usd))
    found += [
        (f"one more {name} to rent", usd, worth.rented_unit_within_usd.get(name))
        for name, usd in worth.rented_unit_usd.items()
    ]
    lead = worth.lead_month_usd.items()
    found += [(f"a month less of lead time of {name}", usd, None) for name, usd in lead]
    dearest = sorted(found, key=lambda item: -item[1])
    return [
        f"{what} is worth {_usd(usd) if within is None else _proven(usd, within)}"
        for what, usd, within in dearest
        if usd >= _LEAST_USD
    ]


def _proven(usd: float, within_usd: float) -> str:
    """Say what it is worth, and between what that is proven to lie."""
    value, low, high = (x / _M for x in (usd, usd - within_usd, usd + within_usd))
    return f"{value:,.2f} M USD ({low:,.2f} to {high:,.2f}: whole plans solved anew)"


def hand_made_words(plan: HandMadePlan, roadmap: Roadmap) -> str:
    """Say how a plan that people make by hand compares."""
    if plan.net_present_value_usd is None:
        return f"{plan.name}: {plan.reason}"
    behind = roadmap.net_present_value_usd - plan.net_present_value_usd
    power = "no rack ever runs"
    if plan.first_power_month is not None:
        power = f"first power in month {plan.first_power_month:g}"
    return f"{plan.name}: {_usd(behind)} worse, {power}"


def _first_power(roadmap: Roadmap) -> str:
    month = roadmap.first_power_month
    if month is None:
        return "never: no rack runs before the horizon"
    day = date_after(roadmap.start, month)
    whole = roadmap.full_power_month
    full = f"never all {roadmap.racks_final:,} racks"
    if whole is not None:
        full = f"all {roadmap.racks_final:,} racks in month {whole:g}"
    idle = roadmap.rack_months_idle
    waited = f"; {idle:,.0f} rack-months of waiting" if idle else ""
    return f"month {month:g} ({day:%B %Y}), {full}{waited}"


def _stage(stage: Stage) -> str:
    parts = [f"{mw:,.0f} MW {name}" for name, mw in stage.owned_mw.items() if mw > _TOLD_MW]
    parts = [
        f"{part} ({stage.battery_mwh:,.0f} MWh)" if part.endswith(" battery") else part for part in parts
    ]
    parts += [f"{mw:,.0f} MW {name} for rent" for name, mw in stage.rented_mw.items() if mw > _TOLD_MW]
    parts += [f"{stage.connected_mw:,.0f} MW grid"] if stage.connected_mw > _TOLD_MW else []
    asked = "" if stage.racks_idle == 0 else f" of {stage.racks_asked:,}"
    words = f"{stage.racks_running:,}{asked} racks on {', '.join(parts) or 'nothing'}"
    if stage.certificate is not None:
        kept = "met" if stage.certificate.met else "NOT met"
        words += f"; uptime {percent(stage.certificate.uptime)}, {kept}"
    return words + (f"; {stage.limited_by}" if stage.limited_by else "")


def _order(item: Order) -> str:
    kind = {"owned": "", "rented": " for rent", "grid": ""}[item.kind]
    amount = f"{item.amount:,.0f} {item.unit}"
    return f"{amount} {item.technology}{kind} for month {item.delivery_month:g}"


def _money(roadmap: Roadmap) -> str:
    years = f"over {roadmap.horizon_months / 12:g} years at {roadmap.discount_per_yr:.1%}"
    cost = f"{_usd(roadmap.net_present_cost_usd)} net present {years}"
    if roadmap.value_usd_per_rack_month is None:
        return f"{cost} (bound {roadmap.bound_usd / _M:,.1f})"
    earned = f"racks earn {_usd(roadmap.value_usd)}, which leaves {_usd(roadmap.net_present_value_usd)}"
    return f"{cost}; {earned} (no plan leaves more than {-roadmap.bound_usd / _M:,.1f})"


def uncertain_lines(roadmap: Roadmap) -> list[tuple[str, str]]:
    """Say what other dates of grid and turbines would do, where anybody asked."""
    found = []
    for plan in roadmap.scenarios:
        dates = ", ".join(f"{name} in month {month:g}" for name, month in plan.months.items())
        left = plan.value_usd - plan.net_present_cost_usd
        found.append((plan.name or "scenario", f"{plan.probability:.0%}: {dates}; leaves {_usd(left)}"))
    known = roadmap.value_of_knowing_usd
    found += [] if known is None else [("knowing dates", f"on the first day is worth {_usd(known)}")]
    if roadmap.sampled is not None:
        found += drawn_lines(roadmap.sampled, priced=roadmap.value_usd_per_rack_month is not None)
    return found


def drawn_lines(drawn: SampledDates, *, priced: bool) -> list[tuple[str, str]]:
    """Say what becomes of the orders on dates drawn at random, and which date decides."""
    word, sign = ("leaves", 1.0) if priced else ("costs", -1.0)
    values = [sign * usd for usd in drawn.net_present_value_usd]
    money = " / ".join(f"{usd / _M:,.0f}" for usd in quantiles(values))
    months = " / ".join(f"{month:g}" for month in drawn.first_power_quantiles())
    error = drawn.standard_error_usd / _M
    mean = f"{word} {with_interval(sign * drawn.expected_usd / _M, error, 1)} M USD on average"
    planned = f"{sign * drawn.planned_net_present_value_usd / _M:,.1f} on the dates of the plan"
    found = [
        ("dates drawn", f"{drawn.samples} draws: {mean}, {planned}; {money} at 10 / 50 / 90 %"),
        ("", f"first power in month {months} (10 / 50 / 90 %)"),
    ]
    held = [
        f"{stage.racks:,} racks in month {stage.begins_month:g} {stage.probability:.0%}"
        for stage in drawn.stages
    ]
    found += [("", f"in time: {', '.join(held)}")] if held else []
    if (name := drawn.deciding) is not None:
        most = drawn.effects[0]
        text = (
            f"{name} decides: in month {most.p10_months:.3g} / {most.p50_months:.3g} / {most.p90_months:.3g}"
        )
        cost = f"costs {_usd(most.loss_usd)} and " if most.loss_usd > 0.0 else ""
        late = f"makes {most.rack_months_late:,.0f} rack-months late on average"
        found.append(("", f"{text} (10 / 50 / 90 %); alone it {cost}{late}"))
    return found


#: What is worth less is rounding of the optimiser. [USD]
_LEAST_USD = 1000.0


def _usd(usd: float) -> str:
    return f"{usd / _M:,.2f} M USD" if abs(usd) < 1e7 else f"{usd / _M:,.0f} M USD"
