"""What the planner asks beside the study of a roadmap and of a cash flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import sitedesign as sd
from sitedesign import library
from sitedesign.api.cash_flow import GATES
from sitedesign.errors import Fault, InputError
from sitedesign.finance.terms import Terms
from sitedesign.serve.asking import asked_of, columns_of, rows_of, tried
from sitedesign.serve.fields import Answers, Field, Group, Numbers, declared_fields, fraction, titles, whole
from sitedesign.serve.questions import FinanceQuestion, RoadmapQuestion
from sitedesign.study.roadmap_defaults import LIBRARY, usual_rental
from sitedesign.study.roadmap_inputs import DateRange, Delivery, Rental, Scenario
from sitedesign.study.study import Study
from sitedesign.util.inputs import declared

# Racks of the untouched study: half of them with the first engines, all a year later
_EXAMPLE_RAMP = ({"month": 26, "racks": 400}, {"month": 38, "racks": 790})


_FLAGS = ("by_hand", "worth", "certify")


# ---- roadmap


def roadmap_groups() -> tuple[Group, ...]:
    """Ask when how many racks shall run, what they are worth, and what can be there when."""

    def asked(name: str, label: str, **more: Any) -> Field:  # noqa: ANN401
        return asked_of(sd.roadmap, "roadmap", name, label, **more)

    ramp = (Field("month", "From month", unit="months"), Field("racks", "Racks"))
    rented = (
        Field("terms", "What", "choice", options=titles("rental")),
        replace(columns_of(Rental, "units")[0], default=None),
    )
    dates = (
        Field("name", "Name", "text", default=""), Field("probability", "Probability", unit="%"),
        Field("grid", "Grid in month", unit="months"),
    )  # fmt: skip
    ranges = columns_of(DateRange, "technology", "p10_months", "p50_months", "p90_months")
    deliveries = columns_of(Delivery, "technology", "lead_months", "mw_per_month", "mwh_per_month", "most_mw")
    return (
        Group("Racks over time", (
            asked("ramp", "Racks by month", kind="rows", columns=ramp, default=list(_EXAMPLE_RAMP)),
            Field("roadmap.owner", "Whose racks they are", "choice", "",
                  options={"": "nobody's: the ramp is a promise"} | titles("owner"),
                  hint="Their owner says what a rack that runs is worth; then as many run as pay."),
            asked("value_usd_per_rack_month", "Or what one is worth", unit="USD/month"),
            asked("start", "Start", kind="text", default="", hint="First day of month 0, as 2027-01-01."),
            asked("horizon_months", "Horizon", unit="months"),
        )),
        Group("What can be there when", (
            asked("rentals", "Power for rent", kind="rows", columns=rented, default=[]),
            asked("deliveries", "Deliveries", kind="rows", columns=deliveries, default=[]),
            asked("scenarios", "Dates of the grid that may come true", kind="rows", columns=dates,
                  default=[]),
            asked("dates", "Dates drawn at random", kind="rows", columns=ranges, default=[],
                  hint="Months by which the first of a technology is there with 10, 50 and 90 %: what the "
                  "plan orders is kept and evaluated on dates drawn from them."),
            Field("roadmap.usual_dates", "Draw all dates as the library has them", "flag", default=False,
                  hint="Lead times within their ranges, the grid with the spread of its entry."),
        ), folded=True),
        Group("How to plan", (
            asked("stages", "Stages", default=12),
            asked("by_hand", "Beside three plans made by hand", kind="flag", default=False),
            asked("worth", "What a month is worth", kind="flag", default=False),
            asked("certify", "Certify every stage", kind="flag", default=False),
        ), folded=True),
    )  # fmt: skip


def roadmap_question(answers: Answers, study: Study | None) -> RoadmapQuestion:
    """Make the question of a roadmap; every fault of it is found before anything is solved.

    Raises
    ------
    InputError
    """
    faults: list[Fault] = []
    number = Numbers(answers, faults)
    asked: dict[str, Any] = {
        name: whole(number(f"roadmap.{name}"))
        for name in ("value_usd_per_rack_month", "horizon_months", "stages")
    }
    owner = answers.get("roadmap.owner")
    if owner and asked["value_usd_per_rack_month"] is not None:
        allowed = "an owner or a value, not both"
        faults.append(Fault("roadmap.owner", str(owner), allowed, "Clear one of them."))
    asked["value_usd_per_rack_month"] = owner or asked["value_usd_per_rack_month"]
    asked["start"] = str(answers.get("roadmap.start") or "").strip() or None
    rows = rows_of(answers, fields()["roadmap.ramp"], faults)
    asked["ramp"] = [(row.get("month"), row.get("racks")) for row in rows] or None
    asked["rentals"] = _rentals(rows_of(answers, fields()["roadmap.rentals"], faults), faults)
    asked["deliveries"] = rows_of(answers, fields()["roadmap.deliveries"], faults)
    asked["scenarios"] = _scenarios(rows_of(answers, fields()["roadmap.scenarios"], faults), faults)
    asked["dates"] = rows_of(answers, fields()["roadmap.dates"], faults)
    if answers.get("roadmap.usual_dates"):
        if asked["dates"]:
            allowed = "ranges of your own, or those of the library"
            faults.append(Fault("roadmap.dates", "both", allowed, "Clear the rows or the box."))
        asked["dates"] = LIBRARY
    asked = {name: value for name, value in asked.items() if value not in (None, [], "")}
    asked |= {name: True for name in _FLAGS if answers.get(f"roadmap.{name}")}
    if study is not None and not faults:
        faults += tried(lambda say: sd.roadmap(study, **asked, progress=say), "roadmap", fields())
    if faults or study is None:
        raise InputError(faults, "the form")
    return RoadmapQuestion(study, asked)


def _rentals(rows: list[dict[str, Any]], faults: list[Fault]) -> list[Rental]:
    found = []
    for row in rows:
        name, units = row.get("terms"), row.get("units")
        if name not in library.names("rental"):
            faults.append(Fault("roadmap.rentals", str(name or "nothing"), "choose what is rented"))
            continue
        try:
            usual = usual_rental(name)
            found.append(usual if units is None else usual.replace(units=units))
        except InputError as error:
            faults += [replace(fault, where="roadmap.rentals") for fault in error.faults]
    return found


def _scenarios(rows: list[dict[str, Any]], faults: list[Fault]) -> list[Scenario]:
    found = []
    for row in rows:
        given: dict[str, Any] = {"name": row.get("name") or ""}
        given |= {"months": {"grid": row["grid"]}} if "grid" in row else {}
        given |= {"probability": row["probability"] / 100} if "probability" in row else {}
        try:
            found.append(Scenario(**given))
        except InputError as error:
            faults += [replace(fault, where="roadmap.scenarios") for fault in error.faults]
    return found


# ---- finance


def finance_groups() -> tuple[Group, ...]:
    """Ask who owns what was solved, what it sells for, and on what terms; the terms as they are declared."""

    def asked(name: str, label: str, **more: Any) -> Field:  # noqa: ANN401
        return asked_of(sd.cash_flow, "finance", name, label, **more)

    terms = tuple(dict.fromkeys(item.told.group for item in declared(Terms).values()))
    owners = {name: library.owner(name).title for name in library.names("owner")}
    return (
        Group("What is financed", (
            Field("finance.run", "Run", "choice", "", options={},
                  hint="A plant or a roadmap of this session, or the example."),
            asked("owner", "Owner", kind="choice", default="developer", options=owners,
                  hint="Says what is sold: power, hall by the kW, or GPU-hours."),
            asked("price", "Price in year 1", unit="USD",
                  hint="For a MWh, a kW-month or a GPU-hour, as the owner sells."),
            asked("target_irr", "Or return of equity", unit="%",
                  hint="After tax; the price is found. The library's when both are empty."),
            Field("finance.leaseback", "Sold and rented back", unit="USD/yr",
                  hint="Cash that the lessee keeps in year 1; empty where it is not sold."),
        )),
        *(Group(title, declared_fields(title, Terms, "terms."), folded=True) for title in terms),
    )  # fmt: skip


def finance_question(answers: Answers, runs: Mapping[str, Any]) -> FinanceQuestion:
    """Make the question of a cash flow of one of `runs`, which are jobs by their key.

    Raises
    ------
    InputError
        With every fault found.
    """
    faults: list[Fault] = []
    number = Numbers(answers, faults)
    job = runs.get(str(answers.get("finance.run") or ""))
    if job is None:
        remedy = "Solve a plant or a roadmap first, or take the example."
        faults.append(Fault("finance.run", "nothing", "a finished run is needed", remedy))
    rate = fraction("finance.target_irr", number("finance.target_irr"), GATES["target_irr"], faults)
    asked = {"owner": answers.get("finance.owner") or "developer", "price": number("finance.price"),
             "target_irr": rate}  # fmt: skip
    lease = number("finance.leaseback")
    for name, value in (asked | {"leaseback": lease}).items():
        faults += [] if value is None else GATES[name].faults(f"finance.{name}", value)
    if asked["price"] is not None and rate is not None:
        faults.append(Fault("finance.price", "a price and a return", "one decides", "Clear one of them."))
    terms = _terms(answers, number, faults)
    if faults or job is None:
        raise InputError(faults, "the form")
    file = job.folder / ("roadmap.json" if job.question.kind == "roadmap" else "design.json")
    return FinanceQuestion(file, job.question.kind, job.label, job.question.place, asked, terms, lease)


def _terms(answers: Answers, number: Numbers, faults: list[Fault]) -> Terms:
    given: dict[str, Any] = {}
    for name, item in declared(Terms).items():
        value: Any = answers.get(f"terms.{name}")
        if item.unit.startswith("fraction"):
            value = fraction(f"terms.{name}", number(f"terms.{name}"), item.gate, faults)
        elif item.sort == "number":
            value = whole(number(f"terms.{name}"))
        if value not in (None, "", item.default):  # some terms may not be said at all by some owners
            given[name] = value
    try:
        return Terms(**given)
    except InputError as error:
        faults += error.faults
        return Terms()


@cache
def fields() -> dict[str, Field]:
    """Every field of both by its name."""
    groups = (*roadmap_groups(), *finance_groups())
    return {field.name: field for group in groups for field in group.fields}
