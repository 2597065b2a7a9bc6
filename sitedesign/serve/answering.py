"""Answer a question of the planner: solve it, leave its files in a folder, and say what the page shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import sitedesign as sd
from sitedesign.api.cash_flow import CashFlow
from sitedesign.api.design import Design
from sitedesign.api.roadmap_answer import Roadmap
from sitedesign.fleet.result import Portfolio
from sitedesign.report import content, figures, finance_section, roadmap_html
from sitedesign.report.content import KeyFigure
from sitedesign.results import roadmap_words
from sitedesign.serve.deciding import NUMBERS, NUMBERS_TABLE, decided
from sitedesign.serve.questions import (
    FinanceQuestion,
    PlantQuestion,
    PortfolioQuestion,
    Question,
    RoadmapQuestion,
    SensitivityQuestion,
)
from sitedesign.serve.view import Table, View, as_json
from sitedesign.util.atomic_file import write_atomic
from sitedesign.util.html_table import table_csv
from sitedesign.util.progress import Progress
from sitedesign.util.words import share

DESIGN, REPORT, DISPATCH, ROADMAP = "design.json", "report.html", "dispatch.csv", "roadmap.json"
MONTHS, CASH, BOOK, YEARS = "months.csv", "cash.csv", "cash-flow.xlsx", "years.csv"
PORTFOLIO, SITES, MAP = "portfolio.json", "sites.csv", "map.html"
#: What a person may download.
FILES = (
    REPORT, DESIGN, DISPATCH, ROADMAP, MONTHS, CASH, BOOK, YEARS, PORTFOLIO, SITES, MAP, NUMBERS,
    NUMBERS_TABLE,
)  # fmt: skip
#: Files that are pages of their own.
PAGES = (REPORT, MAP)
_M = 1e6


def answer(question: Question, folder: Path, progress: Progress) -> tuple[View, str]:
    """Answer a question.

    Parameters
    ----------
    question : Question
    folder : Path
        For the files that :class:`View` names.
    progress : callable

    Returns
    -------
    View
    str
        What a reader must know about it; mostly empty.
    """
    answers: Mapping[type[Any], Callable[..., tuple[View, str]]] = {
        PlantQuestion: _plant, RoadmapQuestion: _roadmap,
        FinanceQuestion: _finance, PortfolioQuestion: _portfolio, SensitivityQuestion: decided,
    }  # fmt: skip
    return answers[type(question)](question, folder, progress)


def _plant(question: PlantQuestion, folder: Path, progress: Progress) -> tuple[View, str]:
    design, note = solved(question, progress)
    progress("writing the report")
    design.report(folder / REPORT)
    progress("writing the dispatch")
    frame = design.dispatch.rename_axis("time").reset_index()
    frame["time"] = frame["time"].map(lambda time: time.isoformat())
    _write_dispatch(folder, frame)
    design.save(folder / DESIGN)
    return plant_view(design), note


def solved(question: PlantQuestion, progress: Progress) -> tuple[Design, str]:
    """Solve the question of a plant; one that was not proven in time comes with what was said of it."""
    try:
        return sd.solve(question.study, certify=question.certify, progress=progress), ""
    except sd.NotProvenOptimal as error:
        if error.incumbent is None:
            raise
        return error.incumbent, error.message


def _write_dispatch(folder: Path, frame: Any) -> None:  # noqa: ANN401
    from pyarrow import Table as Columns
    from pyarrow.csv import write_csv

    write_csv(Columns.from_pandas(frame, preserve_index=False), folder / DISPATCH)


def plant_view(design: Design) -> View:
    """Say what the page shows of a design with its time series."""
    kind = "bound" if design.certificate is None else "certified run"
    files = {REPORT: "Save the report", DESIGN: "Design as JSON", DISPATCH: "Dispatch as CSV"}
    return View(
        summary=f"{kind}, {design.cost / _M:,.4g} M USD/yr",
        verdict=content.verdict(design, design.certificate),
        facts=[content.answer(design), content.consequences(design, design.certificate)],
        figures=drawn(design),
        tables=_hub_tables(design),
        files=files,
        money=content.money_words(design.study),
    )


def drawn(design: Design) -> dict[str, Any]:
    """Figures of a design, by name, as plotly JSON in light colours."""
    shown = {"week": figures.worst_week(design), "cost": figures.cost_breakdown(design)}
    if design.certificate is not None and design.certificate.causes:
        shown["causes"] = figures.uptime_by_cause(design.certificate)
    uptime = design.certificate.uptime if design.certificate is not None else None
    shown["kept"] = figures.certified_against_promised(design, uptime)
    shown["years"] = figures.uptime_by_year(design)
    return as_json(shown)


def _hub_tables(design: Design) -> list[Table]:
    """Energy and money by source and sink, and the bill, where the plant is more than an island."""
    if not design.is_hub:
        return []
    heads = ["Who", "Does what", "MW", "GWh/yr", "M USD/yr", "USD/MWh"]
    flows = [heads, *(list(row) for row in content.flow_rows(design))]
    tables = [Table("Sources and sinks", flows, headed=True)]
    if bill := content.bill_rows(design):
        heads = ["Charge", "Bill [M USD/yr]", "The design counts"]
        tables.append(Table("Bill of the grid", [heads, *(list(row) for row in bill)], headed=True))
    return tables


def _roadmap(question: RoadmapQuestion, folder: Path, progress: Progress) -> tuple[View, str]:
    note = ""
    try:
        found = sd.roadmap(question.study, **question.asked, progress=progress)
    except sd.NotProvenOptimal as error:
        if error.incumbent is None:
            raise
        found, note = cast("Roadmap", error.incumbent), error.message
    progress("writing the report")
    found.report(folder / REPORT)
    found.save(folder / ROADMAP)
    write_atomic(folder / MONTHS, table_csv(found.month_table().reset_index()))
    write_atomic(folder / CASH, table_csv(found.cash_table().reset_index()))
    return roadmap_view(found), note


def roadmap_view(found: Roadmap) -> View:
    """Say what the page shows of a roadmap."""
    shown = {
        "gantt": figures.roadmap_gantt(found),
        "power": figures.roadmap_power(found),
        "cash": figures.roadmap_cash(found),
    }
    if found.by_hand:
        shown["comparison"] = figures.roadmap_comparison(found)
    if found.sampled is not None:
        shown["dates"] = figures.roadmap_racks_on_dates(found)
        shown["decides"] = figures.roadmap_value_on_dates(found)
    first = found.first_power_month
    kind, _, said = roadmap_html.verdict(found)
    heads = ["What", "How much", "Order", "Delivery", "Leaves", "Credit"]
    orders = [heads, *(list(row) for row in roadmap_html.order_rows(found))]
    worth = [["", text] for text in roadmap_words.worth_words(found.worth)]
    uncertain = [list(row) for row in roadmap_words.uncertain_lines(found)]
    tables = [
        Table("What limits each stage", [list(row) for row in roadmap_words.stage_lines(found)]),
        Table("Orders", orders, headed=True),
        *([Table("What a month is worth", worth)] if worth else []),
        *([Table("Other dates", uncertain)] if uncertain else []),
    ]
    power = "never any power" if first is None else f"first power in month {first:g}"
    return View(
        summary=f"{power}, {found.net_present_cost_usd / _M:,.4g} M USD net present cost",
        verdict=(kind, said),
        facts=[roadmap_html.answer(found)],
        figures=as_json(shown),
        tables=tables,
        money=content.money_words(found.study),
        files={
            REPORT: "Save the report", ROADMAP: "Roadmap as JSON", MONTHS: "Months as CSV",
            CASH: "Cash as CSV",
        },
    )  # fmt: skip


def _finance(question: FinanceQuestion, folder: Path, progress: Progress) -> tuple[View, str]:
    progress("reading the run")
    design = (sd.Roadmap if question.of == "roadmap" else Design).load(question.result)
    progress("working out the years")
    flow = sd.cash_flow(design, terms=question.terms, **question.asked)
    progress("writing the workbook")
    flow.to_excel(folder / BOOK)
    write_atomic(folder / YEARS, table_csv(flow.table().reset_index()))
    leased: list[list[str]] = []
    if question.leaseback_usd_per_yr is not None:
        leased = [["", line] for line in str(flow.sale_leaseback(question.leaseback_usd_per_yr)).splitlines()]
    return finance_view(flow, leased), ""


def finance_view(flow: CashFlow, leased: list[list[str]] | None = None) -> View:
    """Say what the page shows of a cash flow."""
    said = dict(flow.summary())
    short = said.get("SHORT", "")
    verdict = ("bad", f"Debt not covered: {short}.") if short else ("good", "Debt service is covered.")
    if not flow.certified:
        more = f" {short[:1].upper()}{short[1:]}." if short else ""
        verdict = ("bound", f"A bound: {said['BOUND']}.{more}")
    rows = [list(row) for row in finance_section.finance_rows(flow)]
    uses = [["Side", "Item", "M USD"], *(list(row) for row in finance_section.uses_rows(flow))]
    tables = [
        Table("What it comes to", rows),
        Table("Uses and sources", uses, headed=True),
        Table("Years [M USD]", finance_section.cash_years(flow), headed=True),
        *([Table("Sold and rented back", leased)] if leased else []),
    ]
    shown = {"price": figures.price_waterfall(flow), "cash": figures.cash_by_year(flow)}
    return View(
        summary=f"{flow.price:,.2f} USD/{flow.unit} in year 1, equity {_percent(flow.irr)}",
        verdict=verdict,
        facts=[_money_facts(flow)],
        figures=as_json(shown),
        tables=tables,
        files={BOOK: "Workbook with formulas", YEARS: "Years as CSV"},
        money="Money is in USD of each year (nominal), prices rising as the terms say.",
    )


def _money_facts(flow: CashFlow) -> list[KeyFigure]:
    """Give the four figures that a lender and an owner ask for."""
    cover, raised = flow.dscr, flow.debt_usd + flow.equity_usd
    below = "all of it equity"
    if flow.debt_usd > 0:
        below = f"{share(flow.debt_usd / raised)} debt, whose service is covered {cover.min():.2f} times"
    found = "given" if flow.target_irr is None else f"for a return of {share(flow.target_irr)}"
    worth = 0.0 if abs(flow.npv_usd) < 1e3 else flow.npv_usd  # a price found for a return leaves cents
    payback = "never paid back" if flow.payback_yr is None else f"paid back in {flow.payback_yr:.1f} years"
    return [
        KeyFigure("Price in year 1", f"{flow.price:,.2f}", f"USD/{flow.unit}", found),
        KeyFigure("Return of equity", _percent(flow.irr), "", f"project {_percent(flow.project_irr)}"),
        KeyFigure("Capital", f"{raised / _M:,.0f}", "M USD", below),
        KeyFigure("Worth to owners", f"{worth / _M:,.1f}", "M USD", payback),
    ]


def _percent(rate: float | None) -> str:
    return "none" if rate is None else f"{rate * 100:.1f} %"


def _portfolio(question: PortfolioQuestion, folder: Path, progress: Progress) -> tuple[View, str]:
    made = sd.portfolio(question.sites, question.study, **question.asked, progress=progress)
    progress("drawing the map")
    made.write_map(folder / MAP)
    made.save(folder / PORTFOLIO)
    write_atomic(folder / SITES, table_csv(made.table()))
    return portfolio_view(made), ""


def portfolio_view(made: Portfolio) -> View:
    """Say what the page shows of a portfolio, beside its map."""
    cost, built = made.cost_usd_per_yr / _M, len(made.sites)
    exact = sum(item.exact for item in made.sites)
    heads = ["Site", "Region", "Racks", "MW", "k USD/yr a rack", "Months"]
    sites = [heads] + [
        [item.name, item.region, f"{item.racks:,}", f"{item.it_mw:,.0f}",
         f"{item.rack_usd_per_yr / 1e3:,.1f}", f"{item.months_to_power:,.0f}"]
        for item in made.sites
    ]  # fmt: skip
    regions = [["Region", "Candidates", "Built", "Racks", "One more rack [k USD/yr]"]] + [
        [item.region, f"{item.candidates:,}", f"{item.sites:,}", f"{item.racks:,}",
         "-" if item.price_usd_per_yr is None else f"{item.price_usd_per_yr / 1e3:,.1f}"]
        for item in made.regions
    ]  # fmt: skip
    compared = [["At most", "Built", "M USD/yr"]] + [
        [f"{item.most_sites:,}", "-" if item.sites is None else f"{item.sites:,}",
         "cannot hold the racks" if item.cost_usd_per_yr is None else f"{item.cost_usd_per_yr / _M:,.2f}"]
        for item in made.by_sites
    ]  # fmt: skip
    dates = [["Month", "Sites that get power", "Racks that run", "Racks asked for"]] + [
        ["not known" if month != month else f"{month:,.0f}", str(row["sites"]),
         f"{row['racks_running']:,}", f"{row['racks_asked']:,}"]
        for month, row in made.timetable().iterrows()
    ]  # fmt: skip
    return View(
        summary=f"{made.racks:,} racks on {built} of {made.candidates:,} sites, {cost:,.4g} M USD/yr",
        verdict=("bound", "Chosen by the costs of sites with foresight and nothing failing. "
                 f"Proven within {max(made.gap, 0.0):.2%} of the best choice by these costs; {exact} of "
                 f"{built} sites solved again at their size. {' '.join(made.notes)}".rstrip()),
        facts=[[
            KeyFigure("Cost", f"{cost:,.1f}", "M USD/yr", "without the contracted racks"),
            KeyFigure("Of a rack", f"{made.rack_usd_per_yr / 1e3:,.1f}", "k USD/yr", "in the mean"),
            KeyFigure("One more rack", f"{made.rack_price_usd_per_yr / 1e3:,.1f}", "k USD/yr",
                      "shadow price"),
            KeyFigure("Sites", f"{built}", "built", f"of {made.candidates:,} candidates"),
        ]],
        tables=[
            Table("Sites that are built", sites, headed=True),
            Table("Which comes first", dates, headed=True),
            Table("By region", regions, headed=True),
            *([Table("One large or several small", compared, headed=True)] if made.by_sites else []),
        ],
        files={MAP: "Save the map", PORTFOLIO: "Portfolio as JSON", SITES: "Sites as CSV"},
        page=MAP,
        money=content.money_words({}),
    )  # fmt: skip
