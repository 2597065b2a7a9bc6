"""The report of a roadmap: one HTML file that opens anywhere, offline, and says first what runs when."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sitedesign import __version__
from sitedesign.report import figures
from sitedesign.report.content import KeyFigure, money_words
from sitedesign.report.figures.style import DARK, LIGHT, pretty
from sitedesign.report.packing import locked, pack, pack_json, plotly_source
from sitedesign.report.page import FigurePanel, asset, page_figure, template_of
from sitedesign.results import roadmap_words as words
from sitedesign.results.roadmap import Roadmap
from sitedesign.results.roadmap_tables import date_after, leaves
from sitedesign.util.atomic_file import write_given
from sitedesign.util.display_units import System
from sitedesign.util.html_table import table_csv

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_M = 1e6


def write_roadmap_report(roadmap: Roadmap, path: str | Path, *, units: System | None = None) -> Path:
    """Write the report; the file is complete or not there at all.

    Parameters
    ----------
    roadmap : Roadmap
    path : path
        Of the HTML file.
    units : {'si', 'us'}, optional
        Of texts and tables; the library's when left out.

    Returns
    -------
    Path
    """
    write_given(Path(path), render_roadmap(roadmap, units=units).encode(), where="path", of="report()")
    return Path(path)


def render_roadmap(roadmap: Roadmap, *, units: System | None = None) -> str:
    """Give the report as text; the same roadmap gives the same text."""
    panels = _panels(roadmap)
    library = plotly_source()
    page = template_of("roadmap.html.j2", units).render(
        roadmap=roadmap,
        money=money_words(roadmap.study),
        version=__version__,
        lead=_lead(roadmap),
        answer=answer(roadmap),
        verdict=verdict(roadmap),
        worth=[text[0].upper() + text[1:] for text in words.worth_words(roadmap.worth)],
        panels=panels,
        stages=words.stage_lines(roadmap),
        orders=order_rows(roadmap),
        proof=_proof(roadmap),
        uncertain=words.uncertain_lines(roadmap),
        question=_question(roadmap),
        css=asset("report.css"),
        js=asset("report.js"),
        plotly=pack(library.encode()),
        payload=pack_json(_payload(roadmap, panels)),
    )
    return locked(page, library)


def _panels(roadmap: Roadmap) -> list[FigurePanel]:
    drawn: dict[str, Figure] = {
        "gantt": figures.roadmap_gantt(roadmap),
        "power": figures.roadmap_power(roadmap),
        "cash": figures.roadmap_cash(roadmap),
    }
    if roadmap.by_hand:
        drawn["comparison"] = figures.roadmap_comparison(roadmap)
    if roadmap.sampled is not None:
        drawn["dates"] = figures.roadmap_racks_on_dates(roadmap)
        drawn["decides"] = figures.roadmap_value_on_dates(roadmap)
    return [FigurePanel(name, "why", {name: figure}) for name, figure in drawn.items()]


def _payload(roadmap: Roadmap, panels: list[FigurePanel]) -> dict[str, Any]:
    shown = {name: figure for panel in panels for name, figure in panel.shown.items()}
    return {
        "figures": {name: page_figure(figure) for name, figure in shown.items()},
        "panels": {panel.name: list(panel.shown) for panel in panels},
        "colours": dict(zip(LIGHT.values(), DARK.values(), strict=True)),
        "series": None,
        "files": {
            "roadmap.json": json.dumps(roadmap.to_dict(), indent=1),
            "months.csv": table_csv(roadmap.month_table().reset_index()).decode(),
            "cash.csv": table_csv(roadmap.cash_table().reset_index()).decode(),
        },
    }


def _lead(roadmap: Roadmap) -> str:
    return (
        f"Power for {roadmap.racks_final:,} racks, month by month from {roadmap.start:%B %Y}: what is "
        f"ordered when, what runs on it, and what it costs over {roadmap.horizon_months / 12:g} years."
    )


def answer(roadmap: Roadmap) -> list[KeyFigure]:
    """Tell the four figures at the top."""
    first = roadmap.first_power_month
    full = roadmap.full_power_month
    earned = roadmap.value_usd_per_rack_month is not None
    money = roadmap.net_present_value_usd if earned else roadmap.net_present_cost_usd
    month = roadmap.value_of_month_usd
    return [
        KeyFigure("First power", "never" if first is None else f"{first:g}", "months",
                  "racks run on it from then on"),
        KeyFigure("All racks", "never" if full is None else f"{full:g}", "months",
                  f"{roadmap.rack_months_idle:,.0f} rack-months of waiting"),
        KeyFigure("Value less cost" if earned else "Cost", f"{money / _M:,.0f}", "M USD",
                  f"net present at {roadmap.discount_per_yr:.1%}"),
        KeyFigure("A month of earlier grid", "-" if month is None else f"{month / _M:,.2f}", "M USD",
                  "what it is worth" if month is not None else "no grid is waited for"),
    ]  # fmt: skip


def verdict(roadmap: Roadmap) -> tuple[str, str, str]:
    """Class, title and text of what the reader must know first."""
    judged = [stage.certificate for stage in roadmap.stages if stage.racks_running]
    known = [item for item in judged if item is not None]
    if not known:
        return ("bound", "Read this first.", "Every stage is planned with perfect foresight and nothing "
                "failing: a bound, not a promise.")  # fmt: skip
    missed = sum(not item.met for item in known)
    if missed or len(known) < len(judged):
        text = f"{len(known) - missed} of {len(judged)} stages keep their target when things fail."
        return "bad", "Target not met.", text
    text = f"All {len(known)} stages keep their target, operated without foresight while things fail."
    return "good", "Target met.", text


def _proof(roadmap: Roadmap) -> str:
    best, bound = (roadmap.net_present_cost_usd - roadmap.value_usd) / _M, roadmap.bound_usd / _M
    reason = pretty(roadmap.stopped_by)
    stopped = "" if reason == "gap" else f" The search was stopped by its {reason}."
    return (
        f"No plan of orders, deliveries and rentals has costs less value below {bound:,.2f} M USD; this one "
        f"has {best:,.2f}, a gap of {max(roadmap.gap, 0.0):.3%}, found in {roadmap.seconds:,.0f} s.{stopped}"
    )


def order_rows(roadmap: Roadmap) -> list[tuple[str, ...]]:
    """Give what is ordered: technology, amount, month of order and of delivery, when it leaves, credit."""

    def day(month: float) -> str:
        return f"month {month:g}, {date_after(roadmap.start, month):%b %Y}"

    return [
        (
            pretty(item.technology) + (", for rent" if item.kind == "rented" else ""),
            f"{item.amount:,.4g} {item.unit}",
            day(item.order_month),
            day(item.delivery_month),
            "stays" if (left := leaves(item, roadmap)) is None else day(left),
            f"{item.credit:.0%}" if item.credit else "-",
        )
        for item in roadmap.orders
    ]


def _question(roadmap: Roadmap) -> list[tuple[str, str]]:
    asked = ", ".join(f"{racks:,} from month {month}" for month, racks in roadmap.ramp)
    rows = [("racks asked for", asked or "-"), ("start", f"{roadmap.start:%d %B %Y}")]
    rows.append(("horizon", f"{roadmap.horizon_months:g} months"))
    value = roadmap.value_usd_per_rack_month
    kept = "none: all racks that are asked for run" if value is None else f"{value:,.0f} USD a month"
    rows.append(("value of a rack that runs", kept))
    rows.append(("cost of capital, real", f"{roadmap.discount_per_yr:.2%}"))
    plain = {name: item for name, item in roadmap.study.items() if name not in ("weather", "site")}
    return rows + [(pretty(name), json.dumps(item)) for name, item in plain.items()]
