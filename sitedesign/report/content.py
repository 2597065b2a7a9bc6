"""What the report says, as facts and tables; nothing here knows HTML."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from sitedesign import library
from sitedesign.finance.annual_cost import HOURS_PER_YEAR
from sitedesign.library import Entry, EntryTable, Region
from sitedesign.reliability.certificate import Certificate, cause_words
from sitedesign.reliability.estimate import Estimate
from sitedesign.reliability.metrics import UptimeMetrics
from sitedesign.report.figures.cost import LEAST_USD
from sitedesign.report.figures.style import percent, pretty
from sitedesign.results.answer import titles_of
from sitedesign.results.design import Design, limit_price_words
from sitedesign.results.equipment import equipment_schedule
from sitedesign.results.grid_result import GridResult
from sitedesign.results.sensitivity import End
from sitedesign.results.surplus_result import SurplusResult
from sitedesign.study.fuels import GasContract, contracted_fuel
from sitedesign.study.grid import Grid
from sitedesign.study.inputs import PROFILES, StudyInputs
from sitedesign.study.region import NONE, in_region, region_of
from sitedesign.study.surplus import Surplus
from sitedesign.util import words
from sitedesign.util.display_units import System, text_in
from sitedesign.util.inputs import Declared, declared
from sitedesign.util.words import in_sentence, with_interval
from sitedesign.weather.site import Site


@dataclass(frozen=True)
class KeyFigure:
    """One figure of the answer: a value with its unit, what it is, and a line below it."""

    label: str
    value: str
    unit: str = ""
    below: str = ""


def figures_in(figures: list[KeyFigure], units: System | None) -> list[KeyFigure]:
    """Give figures in the units of a system; a line below that would say the same again is left out."""
    found = []
    for one in figures:
        value, _, unit = text_in(f"{one.value} {one.unit}", units).partition(" ")
        if not one.unit or " " in one.value:
            value, unit = one.value, one.unit
        below = text_in(one.below, units)
        found.append(KeyFigure(one.label, value, unit, "" if units and unit and below.endswith(unit) and
                               one.unit in ("acres", "ha") else below))  # fmt: skip
    return found


def money_words(study: Mapping[str, Any]) -> str:
    """Say in which money and of when amounts are."""
    finance = study.get("finance") or {}
    title = finance.get("title") if isinstance(finance, Mapping) else None
    known = title or library.finance("default").title
    return f"Money is in USD without inflation (real), at prices of {known}."


def percent_text(fraction: float) -> str:
    """Write a share as per cent without its decimals: ``95 %``."""
    return f"{fraction * 100:.3g}\u00a0%"


def uptime_text(estimate: Estimate) -> str:
    """Uptime as a figure; where no loss was seen, what that proves at 95 % confidence."""
    if math.isnan(estimate.value):
        return "relaxed"
    if estimate.no_event_seen and estimate.error_known:
        return f"≥ {percent(estimate.lower_bound())}"
    return percent(estimate.value)


def interval(estimate: Estimate) -> str:
    """Two-sided 95 % interval of an uptime."""
    if math.isnan(estimate.value):
        return "which hours are short is not decided by a bound"
    if not estimate.error_known:
        return "one weather year: no error known"
    if estimate.no_event_seen:
        return f"no loss in {estimate.samples} weather years; lower bound at 95 %"
    low, high = estimate.lower_bound(0.975), min(1.0, estimate.upper_bound(0.975))
    return f"95 % interval {percent(low)} to {percent(high)}"


def _resource(name: str, mw: float, load_mw: float) -> KeyFigure:
    label, unit = ("Solar array", "MWdc") if name == "solar" else (pretty(name).capitalize(), "MW")
    return KeyFigure(label, f"{mw:,.0f}", unit, f"{mw / load_mw:.1f} MW per MW of load")


def _connection(design: Design, grid: GridResult) -> KeyFigure:
    about = f"contracted; brings {grid.import_mwh_per_yr / design.load_mwh_per_yr:.1%} of the load"
    worth = design.limit_prices.get("grid_mw")
    if worth is not None:
        about += f"; one more MW would save {worth:,.0f} USD/yr"
    return KeyFigure("Grid", f"{grid.contracted_mw:,.0f}", "MW", about)


def _taker(item: SurplusResult) -> KeyFigure:
    size, unit = (f"{item.mw:,.0f}", "MW") if item.racks is None else (f"{item.racks:,}", "racks")
    about = (
        f"take {item.mwh_per_yr / 1e3:,.0f} GWh/yr of surplus, worth {item.usd_per_yr / 1e6:,.1f} M USD/yr"
    )
    return KeyFigure(pretty(item.name).capitalize(), size, unit, about)


def answer(design: Design) -> list[KeyFigure]:
    """Give the numbers of what is built."""
    standing = {name: units for name, units in design.backup.items() if units}
    backup_mw = sum(units * design.backup_unit_mw[name] for name, units in standing.items())
    spare = design.racks - design.racks_contracted
    hours = design.battery_mwh * HOURS_PER_YEAR / design.load_mwh_per_yr
    load_mw = design.load_mwh_per_yr / HOURS_PER_YEAR
    titles = titles_of(design, design.study)
    units = " + ".join(f"{count} × {in_sentence(titles[name])}" for name, count in standing.items())
    return [
        *(_resource(name, mw, load_mw) for name, mw in design.resources_mw.items()),
        KeyFigure(
            "Battery",
            f"{design.battery_mwh:,.0f}",
            "MWh",
            f"{design.battery_mw:,.0f} MW, {hours:.1f} h of mean load",
        ),
        KeyFigure("Backup", f"{backup_mw:,.0f}", "MW", units or "none"),
        *([] if design.grid is None else [_connection(design, design.grid)]),
        *(_taker(item) for item in design.surplus if item.mw > 0),
        KeyFigure(
            "Racks",
            f"{design.racks:,}",
            "installed",
            f"{design.racks_contracted:,} contracted, {spare} spare",
        ),
    ]


def consequences(design: Design, certificate: Certificate | None) -> list[KeyFigure]:
    """Give uptime, cost, land, truckloads, months to first power and what goes with them."""
    uptime = certificate.uptime if certificate else design.uptime
    label = "Uptime, certified" if certificate else "Uptime, foresight bound"
    return [
        KeyFigure(label, uptime_text(uptime), "", f"{interval(uptime)}; {target_words(design)}"),
        _cost(design),
        KeyFigure(
            "Land for the array" if len(design.resources_mw) == 1 else "Land for sun and wind",
            f"{design.land_acres:,.0f}",
            "acres",
            f"{design.land_acres * 0.40468564224:,.0f} ha",
        ),
        KeyFigure(
            "Truckloads",
            f"{design.truckloads:,}",
            "",
            f"{design.battery_containers:,} battery containers, {design.racks:,} racks; panels not counted",
        ),
        KeyFigure(
            "First power",
            f"{design.months_to_power:,.0f}",
            "months",
            f"longest lead time of what is built: {pretty(design.slowest)}"
            + (f"; hall {design.hall_wait}" if design.hall_wait else ""),
        ),
        _renewable(design, certificate),
        *([_hours(design.grid), _bill(design.grid)] if design.grid is not None else []),
        KeyFigure(
            "Whole project",
            f"{design.project_cost_usd_per_yr / 1e6:,.0f}",
            "M USD/yr",
            f"racks and hall included; {design.usd_per_rack_h:,.2f} USD/rack-h, "
            f"{design.usd_per_gpu_h:,.3f} USD/GPU-h",
        ),
        KeyFigure(
            "Solar not used" if len(design.resources_mw) == 1 else "Sun and wind not used",
            f"{design.energy_mwh_per_yr['curtailed'] / 1e3:,.0f}",
            "GWh/yr",
            f"load {design.load_mwh_per_yr / 1e3:,.0f} GWh/yr",
        ),
    ]


def flow_rows(design: Design) -> list[tuple[str, ...]]:
    """Energy and money by source and sink: name, what it does, size, energy, cost, cost of a MWh."""
    roles = {"source": "gives", "store": "stores", "sink": "takes"}
    rows: list[tuple[str, ...]] = []
    for flow in design.flows:
        name, usd = pretty(flow.name), flow.usd_per_yr
        if flow.second_fuel_mwh_per_yr:
            name += f" ({flow.second_fuel_mwh_per_yr / 1e3:,.2f} GWh/yr on its second fuel)"
        money = ("", "") if not usd else (f"{usd / 1e6:,.2f}", f"{flow.usd_per_mwh:,.1f}")
        rows.append((name, roles[flow.role], f"{flow.mw:,.1f}", f"{flow.mwh_per_yr / 1e3:,.1f}", *money))
    return rows


def bill_rows(design: Design) -> list[tuple[str, str, str]]:
    """Give the bill of the grid by component: charge, what the tariff makes of it, what the design counts."""
    grid = design.grid
    if grid is None or not grid.bill_usd_per_yr:
        return []
    billed, counted = grid.bill_by_kind, grid.charged_usd_per_yr
    rows = []
    for kind in dict.fromkeys((*billed, *counted)):
        if not billed.get(kind) and not counted.get(kind):
            continue
        rows.append((kind, _millions(billed.get(kind, 0.0)), _millions(counted.get(kind, 0.0))))
        parts = {name.partition(": ")[2]: usd for name, usd in grid.bill_usd_per_yr.items()
                 if name.partition(":")[0] == kind}  # fmt: skip
        rows += [(f"\u2003{name}", _millions(usd), "") for name, usd in parts.items() if len(parts) > 1]
    return [*rows, ("together", _millions(grid.bill), _millions(grid.charged))]


def _millions(usd: float) -> str:
    return f"{usd / 1e6:,.3f}"


def _hours(grid: GridResult) -> KeyFigure:
    """Hours in which less than the contracted power is there, or all of it is drawn."""
    below = f"at the limit {grid.at_limit_h_per_yr:,.0f} h/yr; without wires "
    below += f"{grid.without_wires_h_per_yr:,.1f} h/yr; energised after {grid.months:,.0f} months"
    return KeyFigure("Grid called", f"{grid.called_h_per_yr:,.0f}", "h/yr", below)


def _bill(grid: GridResult) -> KeyFigure:
    """Give what the tariff makes of the dispatch, beside what the design counts."""
    below = f"exactly, by the tariff; the design counts {grid.charged / 1e6:,.1f}"
    return KeyFigure("Bill of the grid", f"{grid.bill / 1e6:,.1f}", "M USD/yr", below)


def target_words(design: Design) -> str:
    """Name the target: of all load, of each class, or none where uptime was chosen by its worth."""
    if design.classes:
        return "every class with a target of its own"
    if not design.uptime_target or design.compute_cost is not None:
        floor = design.study["uptime"]
        return "uptime chosen by its worth" + (f", at least {_target(floor)}" if floor is not None else "")
    return f"target {_target(design.uptime_target)}"


def _target(fraction: float) -> str:
    """Target as it was given, never broken at the end of a line."""
    return words.target(fraction).replace(" ", "\u00a0")


def _cost(design: Design) -> KeyFigure:
    below = f"{design.lcoe_usd_per_mwh:,.1f} USD/MWh; capital {design.capital_usd / 1e6:,.0f} M USD"
    return KeyFigure("Cost of the power plant", f"{design.cost / 1e6:,.1f}", "M USD/yr", below)


def _where(design: Design) -> str:
    """Say where a figure of the design's own dispatch comes from."""
    return "with foresight" if design.operation == "foresight" else "in the study's own weather years"


def _renewable(design: Design, certificate: Certificate | None) -> KeyFigure:
    foreseen = f"{design.renewable_share * 100:.1f}\u00a0%"
    title = "Served without backup" + (" or grid" if design.grid is not None else "")
    if certificate is None:
        return KeyFigure(title, foreseen, "", f"{design.co2_t_per_yr:,.0f} t of CO2 a year")
    certified = f"{(1 - certificate.backup_share.value) * 100:.1f}\u00a0%"
    return KeyFigure(title, certified, "", f"certified; {foreseen} {_where(design)}")


def verdict(design: Design, certificate: Certificate | None) -> tuple[str, str]:
    """Say in one paragraph what the uptime figure is worth; with ``good``, ``bad`` or ``bound``."""
    target = target_words(design)
    if certificate is not None:
        sure = percent_text(certificate.confidence)
        lower = words.percent(
            certificate.uptime.lower_bound(certificate.confidence), down=True, space="\u00a0"
        )
        basis = (
            f"operated without foresight ({pretty(certificate.controller.kind)}) while equipment fails, over "
            f"{certificate.weather_years:,} weather years, {certificate.draws} draws of outages each"
        )
        if certificate.given_years:
            basis += f" ({certificate.weather_source})"
        if certificate.met:
            return "good", f"Certified: at least {lower} at {sure} confidence, {target}, {basis}."
        text = f"Not certified: {uptime_text(certificate.uptime)}, at least {lower} at {sure} confidence"
        return "bad", f"{text}, {basis}; {target}, which is not cleared."
    if design.operation == "foresight":
        text = (
            "A bound, not a promise: these figures assume an operator who knows the weather of the whole "
            "record in advance and equipment that never fails. On the same weather, an operator who never "
            f"looks ahead keeps {uptime_text(design.greedy_uptime)} with this plant; {target}."
        )
        return "bound", text
    return "bound", f"Operated by the rule “{design.operation}”, without equipment failures; no certificate."


def optimality(design: Design) -> str:
    """Say how close to the least cost the design is proven to be."""
    if design.certificate is not None:
        found, bound = design.objective_usd_per_yr / 1e6, design.bound_usd_per_yr / 1e6
        proven = (
            f"This plant costs {found:,.3f} M USD/yr. No plant can meet the target for less than "
            f"{bound:,.3f} M USD/yr: that is proven, with {design.bound_name}. "
        )
        return proven + _gap_in_words(design) + _worth_of_limits(design)
    status = "Proven least cost" if design.stopped_by == "gap" else "Not proven least cost"
    stop = "" if design.stopped_by == "gap" else f", stopped by the {design.stopped_by.replace('_', ' ')}"
    return (
        f"{status} to a gap of {design.gap * 100:.2g} %{stop}: {design.cost / 1e6:,.3f} M USD/yr found, "
        f"{design.bound / 1e6:,.3f} M USD/yr is a lower bound "
        f"(method {design.method}, {design.solve_seconds:,.1f} s)." + _worth_of_limits(design)
    )


def _worth_of_limits(design: Design) -> str:
    """Say what one more unit of each limit that binds would save; nothing where none does."""
    if not design.limit_prices:
        return ""
    worth = ", ".join(f"{words} {usd:,.0f}" for words, usd in limit_price_words(design.limit_prices))
    return f" What one more unit would save, in USD/yr, with foresight and the same generators: {worth}."


def _gap_in_words(design: Design) -> str:
    """Say what the gap to the bound of a certified design is made of, as far as that is known."""
    known, share, gap = design.bound_with_failures, design.unavoidable_share, f"{design.gap * 100:.2g}\u00a0%"
    if known is None or share is None:
        return (
            f"The gap of {gap} is failures, surprises, and what a better plant or rule of operation could at "
            "most save."
        )
    return (
        "With failures as they are sampled, no plant and no operator that keep the target on the mean cost "
        f"less than {known.text(1e-6, ' M USD/yr')} on the mean, whatever they foresee: "
        f"{share * 100:.0f}\u00a0% of the gap of {gap} is proven to be unavoidable. The rest is surprises, "
        "the reserve held against them, and what a better plant or rule of operation could at most save."
    )


def metric_rows(metrics: UptimeMetrics) -> list[tuple[str, str, str]]:
    """Every uptime figure that is known: name, value with error, meaning."""
    floor = f"{metrics.floor_share:.0%}".replace("%", " %")
    shares = [
        ("rack", metrics.rack, "rack-hours served over contracted, broken racks included"),
        ("rack, by clock", metrics.rack_by_clock, "the same, every hour counting alike"),
        ("compute", metrics.compute, "throughput delivered over contracted"),
        ("energy", metrics.energy, "energy served over wanted"),
        ("site", metrics.site, "share of time with every contracted rack at full power"),
        ("floor", metrics.floor, f"share of time with at least {floor} of the power"),
        ("worst year", metrics.worst_year, "rack uptime of the worst weather year"),
    ]
    counts = [
        ("loss of load", metrics.lolh_h_per_yr, "h/yr", "hours with any shedding (LOLH)"),
        ("energy not served", metrics.eue_mwh_per_yr, "MWh/yr", "expected unserved energy (EUE)"),
        ("not served", metrics.neue_ppm, "ppm", "the same over the load (NEUE)"),
        ("events", metrics.events_per_yr, "a year", "spells of shedding"),
        ("longest event", metrics.longest_h, "h", "longest spell seen"),
    ]
    rows = [
        (name, f"{uptime_text(figure)}{_interval(figure, 100, ' %')}", what)
        for name, figure, what in shares
        if not math.isnan(figure.value)
    ]
    return rows + [
        (name, f"{_count(figure)} {unit}{_interval(figure, 1, '')}", what)
        for name, figure, unit, what in counts
        if not math.isnan(figure.value)
    ]


def _backup_share(design: Design) -> float:
    """Share of the load served by backup, without what is drawn from the grid. [fraction]"""
    imported = sum(design.energy_mwh_per_yr[name] for name in design.imports_mw)
    return 1 - design.renewable_share - imported / design.load_mwh_per_yr


def certificate_rows(certificate: Certificate, design: Design) -> list[tuple[str, str]]:
    """Say what stands behind a certificate, and what it found beside uptime."""
    half = certificate.half_width / (1 - certificate.target)
    rows = [
        ("Simulated", f"{certificate.simulated_years:,} years, seed {certificate.seed}"),
        ("Operated by", pretty(certificate.controller.kind)),
        (
            "Half-width",
            f"{certificate.half_width * 100:.2g}\u00a0%, {half * 100:.0f}\u00a0% of the loss allowed"
            + ("" if certificate.converged else "; not converged: more years would narrow it"),
        ),
        ("Battery", f"{certificate.battery_cycles_per_yr:,.0f} full cycles a year"),
    ]
    fuel, planned = sum(certificate.fuel_mmbtu_per_yr), sum(design.fuel_mmbtu_per_yr.values())
    backup, foreseen = certificate.backup_share.value, _backup_share(design)
    rows.append(
        (
            "Backup share",
            f"{backup * 100:.1f}\u00a0% of the load; {foreseen * 100:.1f}\u00a0% {_where(design)}",
        )
    )
    rows.append(("Fuel burnt", f"{fuel:,.0f} MMBtu a year; {planned:,.0f} {_where(design)}"))
    running = sum(item.usd_per_yr for item in design.costs if item.kind in ("fuel", "revenue")) / 1e6
    running += 0.0 if design.grid is None else design.grid.charged_usd_per_yr["energy"] / 1e6
    certified = certificate.operating_cost_usd_per_yr / 1e6
    name = "Fuel and running" if certificate.exchange is None else "Fuel, running and exchange"
    rows.append((name, f"{certified:,.1f} M USD a year; {running:,.1f} {_where(design)}"))
    found = [*certificate.luck_lines]
    found += [] if certificate.exchange is None else certificate.exchange.lines()
    found += [] if certificate.reserve is None else [certificate.reserve.line]
    return rows + [(label.capitalize(), text) for label, text in found]


def unit_rows(certificate: Certificate, design: Design) -> list[tuple[str, ...]]:
    """Say what each backup unit does a year: technology and number, hours, starts, failed starts."""
    told = zip(
        design.backup,
        certificate.run_h_per_yr,
        certificate.starts_per_yr,
        certificate.failed_starts_per_yr,
        strict=True,
    )
    return [
        (f"{pretty(name)} {number}", f"{run_h:,.0f}", f"{starts:,.0f}", f"{failed:,.1f}")
        for name, *units in told
        for number, (run_h, starts, failed) in enumerate(zip(*units, strict=True), start=1)
    ]


def event_rows(design: Design, certificate: Certificate | None) -> list[tuple[str, str, str, str, str]]:
    """Worst events: start, length, energy not served, deepest cut, cause."""
    found: list[dict[str, Any]] = (
        [vars(event) for event in certificate.events] if certificate else design.events
    )
    return [
        (
            str(event["start"]),
            f"{event['duration_h']:,.2f}",
            f"{event['shed_mwh']:,.1f}",
            percent_text(event["depth"]),
            ": ".join(
                filter(None, (cause_words(str(event.get("cause", ""))), event.get("circumstances", "")))
            ),
        )
        for event in found
    ]


def class_rows(design: Design, certificate: Certificate | None) -> list[tuple[str, ...]]:
    """Classes of the load: name, racks, target, uptime, rack-hours at full throughput, value a year."""
    certified = {part.name: part.uptime for part in certificate.classes} if certificate else {}
    return [
        (
            part.name,
            f"{part.racks:,}",
            "best effort" if part.target is None else _target(part.target),
            uptime_text(certified.get(part.name, part.uptime)),
            f"{part.delivered_rack_h_per_yr:,.0f}",
            "" if part.value_usd_per_yr is None else f"{part.value_usd_per_yr / 1e6:,.1f}",
        )
        for part in design.classes
    ]


def compute_rows(design: Design) -> list[tuple[str, str]]:
    """Say what the racks deliver, what that costs, and what the halls take for it."""
    rows = [
        ("Compute delivered", f"{design.delivered_rack_h_per_yr:,.0f} rack-hours a year at full throughput"),
        ("A rack-hour", f"{design.usd_per_rack_h:,.2f} USD, {design.kwh_per_rack_h:,.1f} kWh"),
        ("A GPU-hour", f"{design.usd_per_gpu_h:,.3f} USD"),
    ]
    if design.tokens_per_s is not None:
        tokens = f"{design.tokens_per_s:,.0f} a second, {design.usd_per_million_tokens:.4g} USD per million"
        rows.append(("Tokens", tokens))
    if design.compute_cost is not None:
        rows += [(label.capitalize(), text) for label, text in design.compute_cost.lines()]
    if design.best_effort_rack_h_per_yr > 0:
        rows.append(
            ("Best effort", f"{design.best_effort_rack_h_per_yr:,.0f} rack-hours a year from surplus")
        )
    rows.append(("Mean PUE", f"{design.mean_pue:.3f}"))
    rows.append(("Water", f"{design.water_m3_per_yr:,.0f} m3 a year"))
    return rows


def _interval(estimate: Estimate, scale: float, unit: str) -> str:
    if not estimate.error_known or estimate.no_event_seen or estimate.standard_error < 1e-12:
        return ""
    low, high = (bound * scale for bound in (estimate.lower_bound(0.975), estimate.upper_bound(0.975)))
    digits = max(0, 2 - math.ceil(math.log10(0.5 * (high - low))))
    return f" ({low:,.{digits}f} to {high:,.{digits}f}{unit})"


def _count(estimate: Estimate) -> str:
    if estimate.no_event_seen and estimate.error_known:
        return f"≤ {estimate.upper_bound():,.2g}"
    return f"{estimate.value:,.3g}" if estimate.value < 1000 else f"{estimate.value:,.0f}"


def sensitivity_rows(design: Design) -> list[tuple[str, str, str, str, str, str, str]]:
    """Numbers that move the cost: range, change at both ends, worth of knowing, confidence, source."""
    if design.sensitivity is None:
        return []
    rows = []
    for item in design.sensitivity.numbers:
        if item.swing_usd_per_yr < LEAST_USD:
            continue
        low, high = (_end_words(end) for end in item.ends)
        known = item.information_usd_per_yr
        worth = "" if known is None else f"{known / 1e6:,.2f}"
        low_text, high_text, now = (_plain(x) for x in (item.low.value, item.high.value, item.value))
        span = f"{low_text} to {high_text} {item.unit} (now {now})"
        rows.append((item.label, span, low, high, worth, item.confidence, item.source))
    return rows


def _plain(value: float) -> str:
    """Write a number with four digits, a large one in full."""
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


def _end_words(end: End) -> str:
    if end.change_usd_per_yr is None:
        return "no plant" if end.impossible else "unknown"
    error = end.certified_error_usd_per_yr
    return with_interval(end.change_usd_per_yr / 1e6, None if error is None else error / 1e6, 2, signed=True)


def schedule_rows(design: Design) -> list[dict[str, Any]]:
    """Lines of the schedule of equipment, in the units of the rest of a report: acres, Btu."""
    table = equipment_schedule(design, "us").astype(object).fillna("")
    table["lead_months"] = [f"{months:g}" if months != "" else "" for months in table["lead_months"]]
    return [{f"{name}": cell for name, cell in row.items()} for row in table.to_dict("records")]


_TONNES = ("nox_t", "co_t", "pm_t")


def permit_rows(certificate: Certificate | None) -> list[tuple[str, ...]]:
    """Name, hours, starts and tonnes of each technology that is built, and of several together."""
    if certificate is None:
        return []
    rows = []
    for use in certificate.technologies:
        if use.units:
            hours = (use.run_h, use.full_load_h, use.busiest_run_h, use.starts, use.on_h, use.night_on_h)
            tonnes = (f"{getattr(use, name):,.2f}" for name in _TONNES)
            figures = (*(f"{value:,.0f}" for value in hours), *tonnes)
            rows.append((f"{use.units} × {use.name}", *figures))
    if len(rows) > 1:
        noise = (f"{certificate.site_on_h_per_yr:,.0f}", f"{certificate.site_night_on_h_per_yr:,.0f}")
        tonnes = (sum(getattr(use, name) for use in certificate.technologies) for name in _TONNES)
        rows.append(("the site", *[""] * 4, *noise, *(f"{value:,.2f}" for value in tonnes)))
    return rows


def assumptions(design: Design) -> list[EntryTable]:
    """Every library entry of the study with its numbers and their sources, changes by the user included.

    What was asked in place of the numbers of a connection or of a taker of surplus stands in the question.
    """
    study = design.study
    kinds: list[tuple[str, Mapping[str, Any]]] = [("pv", study["pv"]), ("battery", study["battery"])]
    kinds += [(kind, item) for kind in ("backup", "wind") for item in study.get(kind, [])]
    entries: list[Entry] = [_entry(kind, data) for kind, data in kinds]
    own = {data["name"]: _entry(data["kind"], data) for data in study.get("own_entries", [])}
    prices = study.get("fuel_price_usd_per_mmbtu") or {}
    burnt = (item.get(kind, "none") for item in study["backup"] for kind in ("fuel", "second_fuel"))
    for name in dict.fromkeys(name for name in burnt if name != "none"):
        fuel = own.get(name) or contracted_fuel(name, _transport(study))
        entries.append(fuel.replace(price_usd_per_mmbtu=prices[name]) if name in prices else fuel)
    coupling = study["pv"]["coupling"]
    entries.append(own.get(coupling) or library.power_path(coupling))
    entries += [_entry(kind, study[kind]) for kind in ("rack", "facility", "finance")]
    region = _region(study)
    local = [in_region(entry, region) for entry in (*entries, *_exchange_entries(study))]
    return [EntryTable(entry) for entry in (*local, *([] if region is None else [region]))]


def _transport(study: Mapping[str, Any]) -> GasContract:
    """Transport of natural gas: the study's, or else the region's."""
    region, said = _region(study), study.get("gas_contract")
    return said or ("firm" if region is None else region.gas_transport)


def _region(study: Mapping[str, Any]) -> Region | None:
    """Region whose prices held; designs of before there were any have none."""
    given = study.get("region")
    if isinstance(given, Mapping):
        return cast(Region, _entry("region", given))
    return None if given in (None, NONE) else region_of(Site(**study["site"]))


def _exchange_entries(study: Mapping[str, Any]) -> list[Entry]:
    """Entries of a connection, of its region and of those who take surplus."""
    found: list[Entry] = []
    if study.get("grid"):
        grid = Grid(**study["grid"])
        found.append(grid.connection)
        found += [library.tariff(grid.tariff)] if isinstance(grid.tariff, str) else []
    takers = (Surplus(**item).entry for item in study.get("surplus", []))
    return found + list({taker.name: taker for taker in takers if taker is not None}.values())


def _entry(kind: str, data: Mapping[str, Any]) -> Entry:
    return library.KINDS[kind](**data)


def question_rows(design: Design) -> list[tuple[str, str]]:
    """Say what was asked, in words."""
    study, site = design.study, Site(**design.study["site"])
    limits = {key: value for key, value in study["limits"].items() if value not in (None, {})}
    rows = [
        ("Place", f"{site.name} ({site.place}), {site.elevation_m:,.0f} m"),
        *_asked(study),
        ("Weather", f"{design.provenance.weather}; {len(design.provenance.weather_years)} years"),
        *(("Flag of the weather", flag) for flag in design.provenance.weather_flags),
        ("Backup allowed", ", ".join(item["title"] for item in study["backup"]) or "none"),
        *(("Wind allowed", item["title"]) for item in study.get("wind", [])),
        *(("Grid connection", _with_own(Grid(**item).words, item)) for item in [study.get("grid")] if item),
        *(("Taker of surplus", _with_own(Surplus(**item).words, item)) for item in study.get("surplus", [])),
        ("Limits", "; ".join(f"{pretty(key)}: {value}" for key, value in limits.items()) or "none"),
    ]
    return rows + [(item.told.title, _said(item, study[item.name])) for item in _changed(study)]


def _with_own(words: str, given: Mapping[str, Any]) -> str:
    """Add the numbers and names that were given to the words of a connection or a taker of surplus."""
    own = [f"{pretty(name)} {value}" for name, value in given.items() if isinstance(value, str | int | float)]
    return f"{words} ({', '.join(own)})" if own else words


#: Inputs that have words of their own above.
_TOLD = (
    "racks", "it_mw", "gpus", "throughput", "classes", "uptime", "metric", "objective", "use", "limits",
    "weather_years", "seed",
)  # fmt: skip
_IN_WORDS = ("number", "choice", "text", "day", "table")


def _changed(study: Mapping[str, Any]) -> list[Declared]:
    """List the inputs that are not as they are when nobody says anything."""
    found = declared(StudyInputs).values()
    plain = [item for item in found if item.sort in _IN_WORDS and item.name not in _TOLD]
    # In a design a day is text, and nothing of several is an empty list
    usual: dict[str, tuple[Any, ...]] = {item.name: (item.default, str(item.default), []) for item in plain}
    return [item for item in plain if study.get(item.name, item.default) not in usual[item.name]]


def _said(item: Declared, value: Any) -> str:  # noqa: ANN401
    """Write the value of an input as people read it, with its unit."""
    if isinstance(value, Mapping):
        inside = {key: part for key, part in value.items() if part is not None}
        return "; ".join(f"{pretty(key)}: {part}" for key, part in inside.items())
    if isinstance(value, list) and all(isinstance(part, Mapping) and "title" in part for part in value):
        return ", ".join(str(part["title"]) for part in value)
    if not isinstance(value, int | float):
        return pretty(str(value))
    return percent_text(value) if item.unit == "fraction" else f"{value:,.10g} {item.unit}".rstrip()


def _asked(study: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Say which compute was asked for and what was promised; class by class where there are several."""
    title = study["rack"]["title"]
    if not study["classes"]:
        target = _promised(study) if study["uptime"] is not None else "chosen by the optimiser"
        rows = [("Compute", f"{_contract(study)} of {title}, {study['use']}"), ("Uptime", target)]
        if study["objective"] == "compute_cost":
            rows.append(("Made least", "cost of a delivered rack-hour"))
        return rows
    rows = []
    for item in study["classes"]:
        target = "best effort from surplus" if item["uptime"] is None else _promised(item)
        rows.append((f"Class {item['name']}", f"{_contract(item)} of {title}, {item['use']}; {target}"))
    return rows


def _contract(asked: Mapping[str, Any]) -> str:
    """Contract of a study or a class in the unit in which it was given."""
    work = asked.get("throughput") or {}
    ways = (
        (asked["racks"], "racks"),
        (asked["it_mw"], "MW of IT load"),
        (asked["gpus"], "GPUs"),
        (work.get("rack_equivalents"), "racks' worth of throughput"),
        (work.get("tokens_per_s"), "tokens/s"),
    )
    return next(f"{amount:,.10g} {unit}" for amount, unit in ways if amount is not None)


def _promised(asked: Mapping[str, Any]) -> str:
    return f"{_target(asked['uptime'])} by the metric “{asked['metric']}”"


def recipe(design: Design, *, toml: bool = False) -> str:
    """Python lines that give the same design again from ``study.toml``, or from ``study.json``."""
    study = design.study
    more = ["weather=..."] if study.get("weather") is not None else []
    more += [f"{name}=..." for name in PROFILES if study.get(name)]
    keywords = "".join(f", {item}" for item in more)
    options = "".join(f", {name}={value!r}" for name, value in design.solve_options.items())
    note = f"  # weather was: {study['weather']}" if study.get("weather") is not None else ""
    head = "" if toml else "import json\n"
    read = 'sd.read_study("study.toml"' if toml else 'sd.Study(**json.load(open("study.json"))'
    return (
        f"{head}import sitedesign as sd\n\nstudy = {read}{keywords}){note}\ndesign = sd.solve(study{options})"
    )


def study_file(design: Design) -> dict[str, Any]:
    """Study as ``sd.Study(**...)`` reads it: without what a file cannot hold."""
    left_out = ("weather", *PROFILES)
    return {key: value for key, value in design.study.items() if key not in left_out}
