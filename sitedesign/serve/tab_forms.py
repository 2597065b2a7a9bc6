"""What the planner asks beside the study: of a roadmap, of a cash flow, of a portfolio."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import sitedesign as sd
from sitedesign import library
from sitedesign.api.cash_flow import GATES
from sitedesign.batch.table import read_sites
from sitedesign.errors import Fault, InputError
from sitedesign.finance.terms import Terms
from sitedesign.serve.fields import (
    Answers,
    Field,
    Group,
    Numbers,
    Uploaded,
    declared_fields,
    field_of_input,
    fraction,
    titles,
    whole,
)
from sitedesign.serve.questions import FinanceQuestion, PortfolioQuestion, RoadmapQuestion
from sitedesign.study.roadmap_defaults import usual_rental
from sitedesign.study.roadmap_inputs import Delivery, Rental, Scenario
from sitedesign.study.study import Study
from sitedesign.util.inputs import declared

_CSV = (".csv", ".txt", ".tsv", ".xlsx", ".parquet")
_EXAMPLE_SITES = (
    {"name": "El Paso, TX", "latitude": 31.76, "longitude": -106.49},
    {"name": "Phoenix, AZ", "latitude": 33.45, "longitude": -112.07},
    {"name": "Amarillo, TX", "latitude": 35.2, "longitude": -101.83},
)
# Racks of the untouched study: half of them with the first engines, all a year later
_EXAMPLE_RAMP = ({"month": 26, "racks": 400}, {"month": 38, "racks": 790})


_FLAGS = ("by_hand", "worth", "certify")


@cache
def _told(function: Callable[..., Any]) -> Mapping[str, str]:
    """Read what each parameter of a public function means from its docstring, so that it is said once."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in (inspect.getdoc(function) or "").splitlines():
        if not line.startswith(" ") and " : " in line:
            names = line.split(" : ")[0].split(", ")
            name = names[0]
            found |= {one: found.setdefault(name, []) for one in names}
        elif line.startswith("    ") and name:
            found[name].append(line.strip())
        elif not line.startswith(" "):
            name = ""
    return {key: " ".join(lines).replace("`", "") for key, lines in found.items()}


def _asked(
    function: Callable[..., Any],
    prefix: str,
    name: str,
    label: str,
    **more: Any,  # noqa: ANN401
) -> Field:
    """Field of a keyword of a public function, with the first sentence of its docstring as hint."""
    text = _told(function)[name].partition(" [")[0]
    hint = more.pop("hint", f"{text.split('. ')[0].rstrip('.')}.")
    return Field(f"{prefix}.{name}", label, hint=hint, **more)


def _columns(model: type[BaseModel], *names: str) -> tuple[Field, ...]:
    return tuple(field_of_input(declared(model)[name]) for name in names)


# ---- roadmap


def roadmap_groups() -> tuple[Group, ...]:
    """Ask when how many racks shall run, what they are worth, and what can be there when."""

    def asked(name: str, label: str, **more: Any) -> Field:  # noqa: ANN401
        return _asked(sd.roadmap, "roadmap", name, label, **more)

    ramp = (Field("month", "From month", unit="months"), Field("racks", "Racks"))
    rented = (
        Field("terms", "What", "choice", options=titles("rental")),
        replace(_columns(Rental, "units")[0], default=None),
    )
    dates = (
        Field("name", "Name", "text", default=""), Field("probability", "Probability", unit="%"),
        Field("grid", "Grid in month", unit="months"),
    )  # fmt: skip
    deliveries = _columns(Delivery, "technology", "lead_months", "mw_per_month", "mwh_per_month", "most_mw")
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
    rows = _rows(answers, "roadmap.ramp", faults)
    asked["ramp"] = [(row.get("month"), row.get("racks")) for row in rows] or None
    asked["rentals"] = _rentals(_rows(answers, "roadmap.rentals", faults), faults)
    asked["deliveries"] = _rows(answers, "roadmap.deliveries", faults)
    asked["scenarios"] = _scenarios(_rows(answers, "roadmap.scenarios", faults), faults)
    asked = {name: value for name, value in asked.items() if value not in (None, [], "")}
    asked |= {name: True for name in _FLAGS if answers.get(f"roadmap.{name}")}
    if study is not None and not faults:
        faults += _tried(lambda say: sd.roadmap(study, **asked, progress=say), "roadmap")
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
        return _asked(sd.cash_flow, "finance", name, label, **more)

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


# ---- portfolio


def portfolio_groups() -> tuple[Group, ...]:
    """Ask which sites there are, and how many racks they shall hold together."""

    def asked(name: str, label: str, **more: Any) -> Field:  # noqa: ANN401
        return _asked(sd.portfolio, "portfolio", name, label, **more)

    places = (
        Field("name", "Name", "text", default=""), Field("latitude", "Latitude", unit="°"),
        Field("longitude", "Longitude", unit="°"),
    )  # fmt: skip
    scales = {"": "none"} | titles("scale")
    return (
        Group("Candidate sites", (
            Field("portfolio.sites", "Sites", "rows", list(_EXAMPLE_SITES), columns=places,
                  hint="The study's questions below are asked at each of them, some seconds a site."),
            Field("portfolio.table", "Or a table of sites", "file", suffixes=_CSV,
                  hint="With latitude and longitude in columns; then the rows above do not count."),
        )),
        Group("What may be chosen", (
            asked("racks", "Racks", default=2000),
            asked("most_sites", "Most sites"),
            asked("least_racks", "Least racks of a site", default=100),
            asked("most_racks", "Most racks of a site", hint="What a study may ask, when left empty."),
            Field("portfolio.compare", "Compare with", "text", "1, 2, 3",
                  hint="Numbers of sites: one large or several small."),
        )),
        Group("What it costs", (
            asked("scale", "Economies of scale", kind="choice", default="default", options=scales),
            asked("delay_usd_per_rack_month", "A month of waiting, of a rack", unit="USD"),
            asked("large_load", "Rules for large loads", kind="flag", default=True),
            asked("exact", "Solve chosen sites again", kind="flag", default=True),
        ), folded=True),
    )  # fmt: skip


def portfolio_question(answers: Answers, study: Study | None) -> PortfolioQuestion:
    """Make the question of a portfolio.

    Raises
    ------
    InputError
        With every fault found.
    """
    faults: list[Fault] = []
    number = Numbers(answers, faults)
    asked: dict[str, Any] = {
        name: whole(number(f"portfolio.{name}"))
        for name in ("racks", "most_sites", "least_racks", "most_racks", "delay_usd_per_rack_month")
    }
    asked = {name: value for name, value in asked.items() if value is not None}
    asked["scale"] = answers.get("portfolio.scale") or None
    asked |= {name: bool(answers.get(f"portfolio.{name}")) for name in ("large_load", "exact")}
    words = str(answers.get("portfolio.compare") or "").replace(",", " ").split()
    asked["compare"] = [int(word) if word.isdecimal() else word for word in words]
    if "racks" not in asked:
        faults.append(Fault("portfolio.racks", "nothing", "give a number of racks", "For example 2000."))
    sites = _sites(answers, faults)
    faults += _tried(lambda _: sd.portfolio([], **({"racks": 1} | asked)), "portfolio", ("study",))
    if faults or study is None:
        raise InputError(faults, "the form")
    return PortfolioQuestion(study, tuple(sites), asked)


def _sites(answers: Answers, faults: list[Fault]) -> list[dict[str, Any]]:
    """Candidates of the file, or of the rows, each of them a place on land."""
    table = answers.get("portfolio.table")
    where = "portfolio.sites" if table is None else "portfolio.table"
    try:
        if isinstance(table, Uploaded):
            rows = _table_rows(table)
        else:
            rows = [row for row in _rows(answers, where, faults) if "latitude" in row or "longitude" in row]
        if not rows:
            faults.append(Fault(where, "no sites", "needs at least one, with latitude and longitude"))
    except InputError as error:
        faults += [replace(fault, where=where) for fault in error.faults]
        return []
    for number, row in enumerate(rows, 1):
        place = {name: row[name] for name in ("latitude", "longitude", "name") if name in row}
        try:
            sd.Site(**place)
        except InputError as error:
            faults += [
                replace(fault, where=where, found=f"{fault.found} in row {number}") for fault in error.faults
            ]
    return rows


def _table_rows(table: Uploaded) -> list[dict[str, Any]]:
    """Read a table that a browser sent, as a batch would."""
    suffix = Path(table.name).suffix.lower()
    if suffix not in _CSV:
        fault = Fault("portfolio.table", table.name[:60], f"must be one of {', '.join(_CSV)}")
        raise InputError([fault], "the form")
    with tempfile.TemporaryDirectory(prefix="sitedesign-") as folder:
        path = Path(folder) / f"sites{suffix}"
        path.write_bytes(table.content)
        return [dict(row) for row in read_sites(path).rows]


# ---- what all of them share


def _rows(answers: Answers, name: str, faults: list[Fault]) -> list[dict[str, Any]]:
    """Rows of a table without empty cells and empty rows; numbers whole where they are."""
    found = []
    kinds = {column.name: column.kind for field in fields() if field.name == name for column in field.columns}
    for row in answers.get(name) or ():
        clean: dict[str, Any] = {}
        for key, value in row.items():
            if key not in kinds or value is None or str(value).strip() == "":
                continue
            if kinds[key] != "number":
                clean[key] = str(value).strip()
            elif (cell := Numbers({name: value}, faults)(name)) is not None:
                clean[key] = whole(cell)
        if clean:
            found.append(clean)
    return found


#: Part of a question -> the list that it stands in.
_LISTS = {"delivery": "deliveries", "rental": "rentals", "scenario": "scenarios"}


class _Checked(Exception):
    """All inputs were right: solving began."""


def _begin(_line: str) -> None:
    raise _Checked


def _tried(call: Callable[[Any], Any], prefix: str, not_ours: Iterable[str] = ()) -> list[Fault]:
    """Find the faults of a call: all are told before it says that it begins to solve, where it is ended."""
    try:
        call(_begin)
    except _Checked:
        return []
    except InputError as error:
        own = [fault for fault in error.faults if fault.where not in not_ours]
        return [replace(fault, where=_within(fault.where, prefix)) for fault in own]
    return []


def _within(where: str, prefix: str) -> str:
    """Place of a fault as a field of a tab, where there is one."""
    head = where.partition(".")[0].partition("[")[0]
    name = f"{prefix}.{_LISTS.get(head, head)}"
    return name if name in {field.name for field in fields()} else where


@cache
def fields() -> tuple[Field, ...]:
    """Every field beside those of the study."""
    groups = (*roadmap_groups(), *finance_groups(), *portfolio_groups())
    return tuple(field for group in groups for field in group.fields)
