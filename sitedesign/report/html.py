"""The report: one HTML file that opens anywhere, offline, and says the answer first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sitedesign.finance.annual_cost import HOURS_PER_YEAR
from sitedesign.library import CONFIDENCE, STATUS, EntryTable
from sitedesign.reliability.certificate import Certificate
from sitedesign.report import content, figures, finance_section
from sitedesign.report.figures.cost import LEAST_USD
from sitedesign.report.figures.dispatch import TITLE as WEEK_TITLE
from sitedesign.report.figures.series import LEAST
from sitedesign.report.figures.series import series as _series
from sitedesign.report.figures.style import DARK, LIGHT, pretty
from sitedesign.report.figures.year import QUANTITIES, columns_of
from sitedesign.report.packing import PackedSeries, locked, pack, pack_json, pack_series, plotly_source
from sitedesign.report.page import FigurePanel, asset, page_figure, template_of
from sitedesign.report.single_line import single_line
from sitedesign.report.study_toml import study_toml
from sitedesign.results.answer import BOUND
from sitedesign.results.design import Design
from sitedesign.results.equipment import assumption_register, equipment_schedule
from sitedesign.util.atomic_file import write_given
from sitedesign.util.display_units import Quoted, System, in_units
from sitedesign.util.words import target

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from sitedesign.results.battery_life import BatteryLife
    from sitedesign.results.cash_flow import CashFlow
    from sitedesign.results.plant_life import PlantLife

#: Sweep tables that the report knows how to draw.
SWEEPS = ("tradeoff", "uptime", "min_renewable_share")


def write_report(
    design: Design,
    path: str | Path,
    *,
    certificate: Certificate | None = None,
    sweeps: Mapping[str, pd.DataFrame] | None = None,
    finance: CashFlow | None = None,
    plant_life: PlantLife | None = None,
    battery_life: BatteryLife | None = None,
    units: System | None = None,
) -> Path:
    """Write the report; the file is complete or not there at all.

    Parameters
    ----------
    design : Design
        One loaded from a file has no time series; the report then leaves out what needs them, and says so.
    path : path
        Of the HTML file.
    certificate : Certificate, optional
        What a certificate found; the design's own when left out. Without any the report says that the design
        is a bound, not a promise.
    sweeps : mapping of str to DataFrame, optional
        ``tradeoff`` (panels against batteries), ``uptime`` (the next nine), ``min_renewable_share``; columns
        as needed by :mod:`sitedesign.report.figures.tradeoff`.
    finance : CashFlow, optional
        Cash flow of the design, which gets a section of its own.
    plant_life, battery_life : PlantLife, BatteryLife, optional
        What age does to the plant and use to its battery.
    units : {'si', 'us'}, optional
        Of texts and tables; the library's, as sources have them, when left out.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If a sweep lacks a column.
    """
    text = render_report(
        design, certificate=certificate, sweeps=sweeps, finance=finance, plant_life=plant_life,
        battery_life=battery_life, units=units,
    )  # fmt: skip
    write_given(Path(path), text.encode(), where="path", of="report()")
    return Path(path)


def render_report(
    design: Design,
    *,
    certificate: Certificate | None = None,
    sweeps: Mapping[str, pd.DataFrame] | None = None,
    finance: CashFlow | None = None,
    plant_life: PlantLife | None = None,
    battery_life: BatteryLife | None = None,
    units: System | None = None,
) -> str:
    """Give the report as text; arguments as for :func:`write_report`. The same design gives the same text."""
    certificate = certificate or design.certificate
    panels = _panels(design, certificate, sweeps or {})
    panels += _life_panels(plant_life, battery_life)
    panels += _finance_panels(finance) if finance is not None else []
    toml = study_toml(design)
    series = pack_series(design) if _has_series(design) else None
    template = template_of("report.html.j2", units)
    label = {"good": "Target met.", "bad": "Target not met.", "bound": f"{BOUND}."}
    if certificate is not None and not certificate.target:
        label["good"] = "No target."
    verdict = content.verdict(design, certificate)
    shown_metrics = certificate.metrics if certificate else design.metrics
    library = plotly_source()
    page = template.render(
        design=design,
        title="power plant and racks",
        version=design.provenance.versions["sitedesign"],
        lead=_lead(design),
        brief=(
            design if certificate is None else design.model_copy(update={"certificate": certificate})
        ).answer,
        answer=content.figures_in(content.answer(design), units),
        consequences=content.figures_in(content.consequences(design, certificate), units),
        money=content.money_words(design.study),
        verdict=verdict,
        verdict_title=label[verdict[0]],
        why=_why(design),
        panels=panels,
        has_series=series is not None,
        costs=_costs(design),
        optimality=content.optimality(design),
        certificate=content.certificate_rows(certificate, design) if certificate else [],
        units=content.unit_rows(certificate, design) if certificate else [],
        sketch=single_line(design),
        schedule=content.schedule_rows(design),
        permits=content.permit_rows(certificate),
        limits_kept=[str(use) for use in certificate.capped] if certificate else [],
        has_causes=bool(certificate and certificate.causes),
        summary=design.summary(),
        near=design.nearly_as_good.answer if design.nearly_as_good is not None else None,
        events=content.event_rows(design, certificate),
        sensitivity=content.sensitivity_rows(design),
        switches=[item.line() for item in design.sensitivity.switches] if design.sensitivity else [],
        decided_by=design.sensitivity.decided_by if design.sensitivity else "",
        counts_hours=certificate is not None or design.counts_hours,
        operation_label=_operated(design, certificate),
        samples=shown_metrics.rack.samples,
        metrics=content.metric_rows(shown_metrics),
        question=content.question_rows(design),
        status=STATUS,
        confidence=CONFIDENCE,
        assumptions=[_assumption(table, units) for table in content.assumptions(design)],
        recipe=Quoted(content.recipe(design, toml=toml is not None)),
        toml=toml is not None,
        compute=content.compute_rows(design),
        flows=content.flow_rows(design) if design.is_hub else [],
        bill=content.bill_rows(design),
        bill_note=design.grid.note if design.grid is not None else "",
        classes=content.class_rows(design, certificate),
        ages=str(plant_life).splitlines() if plant_life is not None else [],
        battery_life=battery_life.lines() if battery_life is not None else [],
        finance=finance_section.finance_rows(finance) if finance is not None else [],
        uses=finance_section.uses_rows(finance) if finance is not None else [],
        cash_years=finance_section.cash_years(finance) if finance is not None else [],
        css=asset("report.css"),
        js=asset("report.js"),
        plotly=pack(library.encode()),
        payload=pack_json(_payload(design, panels, series, toml)),
        series=series.text if series else "",
    )
    return locked(page, library)


def _panels(
    design: Design, certificate: Certificate | None, sweeps: Mapping[str, pd.DataFrame]
) -> list[FigurePanel]:
    """Every figure that this design has the data for, in the order of the page."""
    panels = []
    with_series = _has_series(design)
    if with_series:
        panels.append(FigurePanel("week", "why", {"week": figures.worst_week(design)}, controls="week"))
    panels.append(FigurePanel("cost", "why", {"cost": figures.cost_breakdown(design)}))
    if with_series:
        there = columns_of(_series(design))
        names = [name for name in QUANTITIES if _is_there(design, there[name])]
        years = {f"year_{name}": figures.year_at_a_glance(design, name) for name in names}
        tabs = tuple((f"year_{name}", QUANTITIES[name][0]) for name in names)
        panels.append(FigurePanel("year", "why", years, tabs, controls="year"))
        panels.append(FigurePanel("duration", "why", {"duration": figures.duration_curves(design)}))
    draw = {
        "tradeoff": figures.panels_against_batteries,
        "uptime": figures.cost_of_next_nine,
        "min_renewable_share": figures.renewable_frontier,
    }
    panels += [
        FigurePanel(
            f"sweep_{name}", "why", {f"sweep_{name}": _noted(draw[name](sweeps[name], design), design)}
        )
        for name in SWEEPS
        if name in sweeps
    ]
    panels.append(FigurePanel("plan", "why", {"plan": figures.site_plan(design)}))
    kept = figures.certified_against_promised(design, certificate.uptime if certificate else None)
    panels.append(FigurePanel("kept", "sure", {"kept": kept}))
    if design.gap_parts:
        panels.append(FigurePanel("gap", "sure", {"gap": figures.gap_by_part(design)}))
    if certificate is not None and certificate.power_lost_h_by_year:
        panels.append(
            FigurePanel(
                "certified_years", "sure", {"certified_years": figures.certified_by_year(certificate)}
            )
        )
    if certificate is not None and certificate.causes:
        panels.append(FigurePanel("causes", "sure", {"causes": figures.uptime_by_cause(certificate)}))
    if design.nearly_as_good is not None:
        panels.append(FigurePanel("near", "why", {"near": figures.nearly_as_good(design.nearly_as_good)}))
    if design.sensitivity is not None and len(figures.tornado_data(design.sensitivity)):
        panels.append(FigurePanel("tornado", "sure", {"tornado": figures.tornado(design.sensitivity)}))
    if with_series:
        panels.append(FigurePanel("uptime_years", "sure", {"uptime_years": figures.uptime_by_year(design)}))
        if design.solar_mw > LEAST:
            panels.append(FigurePanel("weather", "sure", {"weather": figures.weather_years(design)}))
    return panels


def _life_panels(plant: PlantLife | None, battery: BatteryLife | None) -> list[FigurePanel]:
    """Figures of what age and use do."""
    panels = []
    if plant is not None:
        panels.append(FigurePanel("ages", "sure", {"ages": figures.uptime_by_age(plant)}))
    if battery is not None:
        panels.append(FigurePanel("capacity", "sure", {"capacity": figures.capacity_by_year(battery)}))
    return panels


def _finance_panels(flow: CashFlow) -> list[FigurePanel]:
    """Figures of a cash flow."""
    return [
        FigurePanel("price", "finance", {"price": figures.price_waterfall(flow)}),
        FigurePanel("cash", "finance", {"cash": figures.cash_by_year(flow)}),
    ]


def _noted(figure: Figure, design: Design) -> Figure:
    """Say on a sweep's figure that a certified design stands above curves of foresight."""
    note = "Computed with perfect foresight and nothing failing: bounds, not promises."
    if design.certificate is not None:
        note += " The certified design stands apart: it is sized for what nobody foresees."
    figure.update_layout(meta=(figure.layout.meta or {}) | {"note": note})
    return figure


def _is_there(design: Design, columns: list[str]) -> bool:
    """Whether a quantity has anything to show."""
    frame = _series(design).frame
    return any(frame[column].max() > LEAST for column in columns)


def _has_series(design: Design) -> bool:
    try:
        return len(design.dispatch) > 0
    except AttributeError:
        return False


def _payload(
    design: Design, panels: list[FigurePanel], series: PackedSeries | None, toml: str | None
) -> dict[str, Any]:
    shown = {name: shown for panel in panels for name, shown in panel.shown.items()}
    return {
        "figures": {name: page_figure(figure) for name, figure in shown.items()},
        "panels": {panel.name: list(panel.shown) for panel in panels},
        "colours": dict(zip(LIGHT.values(), DARK.values(), strict=True)),
        "series": series.header if series else None,
        "week_title": WEEK_TITLE,
        "year_columns": columns_of(_series(design)) if series else {},
        # As text, the same that Design.save writes: an error that one year cannot know is NaN, which a
        # browser's JSON has no word for
        "files": {
            "design.json": json.dumps(design.to_dict(), indent=1),
            "study.json": json.dumps(content.study_file(design), indent=1),
            "equipment.csv": equipment_schedule(design).to_csv(index=False),
            "assumptions.csv": assumption_register(
                [table.entry for table in content.assumptions(design)], design.study
            ).to_csv(index=False),
            **({"study.toml": toml} if toml is not None else {}),
        },
    }


def _operated(design: Design, certificate: Certificate | None) -> str:
    if certificate is not None:
        return pretty(certificate.controller.kind)
    return "perfect foresight" if design.operation == "foresight" else design.operation


def _lead(design: Design) -> str:
    mean_mw = design.load_mwh_per_yr / HOURS_PER_YEAR
    work = "rack-hours" if design.metric == "rack" else "contracted compute"
    asked = f"that must serve {target(design.uptime_target)} of the {work}"
    if design.classes:
        asked = "each class of them served to a target of its own"
    elif design.compute_cost is not None:
        asked = "at the uptime at which a delivered rack-hour costs least"
    beside = "without the grid"
    if design.grid is not None:
        beside = f"with {design.grid.contracted_mw:,.0f} MW of grid connection"
    return (
        f"A power plant {beside} for {design.racks_contracted:,} racks, {mean_mw:,.0f} MW of mean "
        f"load at the bus, {asked}."
    )


def _why(design: Design) -> str:
    load, energy = design.load_mwh_per_yr, design.energy_mwh_per_yr
    said = []
    built = [name for name, mw in design.resources_mw.items() if mw > LEAST]
    if built:
        # The bus balance: sun and wind gave what load, storage and sale took and nobody else brought
        taken = load + energy["battery_charge"] + energy.get("sale", 0.0)
        brought = sum(energy.get(name, 0.0) for name in ("battery_discharge", "backup", "shed", "grid"))
        given = (taken - brought + energy["curtailed"]) / load
        names = " and ".join("array" if name == "solar" else pretty(name) for name in built)
        subject = "The array" if built == ["solar"] else f"What is built of {names}"
        said.append(f"{subject} can give {given:.2f} times the energy that the load needs in a year.")
    if "solar" in built:
        share = [
            spell["share_of_season"] for spell in design.provenance.low_resource_periods if spell["days"] == 5
        ]
        said += (
            [f"The darkest five days of the record bring {share[0]:.0%} of the usual sun."] if share else []
        )
    else:
        said.append("At these prices, and within the limits of the study, no solar array is worth its cost.")
    if design.battery_mwh > LEAST:
        hours = design.battery_mwh * HOURS_PER_YEAR / load
        said.append(f"The battery holds {hours:.1f} hours of the mean load.")
    said.append(f"Backup serves {energy['backup'] / load:.1%} of the load.")
    if design.uptime_price_usd_per_mwh is not None:
        said.append(
            f"At the margin, units fixed, uptime costs {design.uptime_price_usd_per_mwh:,.0f} USD per MWh."
        )
    if _has_series(design):
        said.append("The week below is the one that asks most of this plant.")
    return " ".join(said).replace("%", "\u00a0%")


def _costs(design: Design) -> list[dict[str, Any]]:
    table = design.cost_table()
    return [
        {str(key): value for key, value in row.items()} | {"item": pretty(row["item"])}
        for row in table.to_dict("records")
        if max(abs(row["capital_usd"]), abs(row["usd_per_yr"])) >= LEAST_USD
    ]


def _assumption(table: EntryTable, units: System | None) -> dict[str, Any]:
    rows = table.to_frame().to_dict("records")
    weak = sum(row["confidence"] == "L" for row in rows)
    changed = sum(row["confidence"] == "user" for row in rows)
    return {
        "entry": table.entry,
        "rows": [_number(row, units) for row in rows],
        "weak": weak,
        "changed": changed,
    }


def _number(row: Mapping[Any, Any], units: System | None) -> dict[Any, Any]:
    """Row of a number in the units asked for; what others wrote of it stays as it is."""
    said = {name: Quoted(row[name]) for name in ("meaning", "source", "note", "unit", "value")}
    if units is not None:
        try:
            value, unit = in_units(float(row["value"].replace(",", "")), row["unit"], units)
        except ValueError:  # a word or a table of numbers
            return dict(row) | said
        if unit != row["unit"]:
            said |= {"value": Quoted(f"{value:,.4g}"), "unit": Quoted(unit)}
    return dict(row) | said
