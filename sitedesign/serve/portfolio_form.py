"""What the planner asks beside the study of a portfolio of sites."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import sitedesign as sd
from sitedesign.batch.table import read_sites
from sitedesign.errors import Fault, InputError, unknown_name
from sitedesign.serve.asking import asked_of, rows_of, tried
from sitedesign.serve.fields import Answers, Field, Group, Numbers, Uploaded, titles, whole
from sitedesign.serve.questions import PortfolioQuestion
from sitedesign.study.region import region_of
from sitedesign.study.study import Study

_CSV = (".csv", ".txt", ".tsv", ".xlsx", ".parquet")
_EXAMPLE_SITES = (
    {"name": "El Paso, TX", "latitude": 31.76, "longitude": -106.49},
    {"name": "Phoenix, AZ", "latitude": 33.45, "longitude": -112.07},
    {"name": "Amarillo, TX", "latitude": 35.2, "longitude": -101.83},
)
# Of what a screening finds, by which a site may be left out. An expression of all columns is for those who
# run it themselves: it can call anything, and a browser sends this one
_FIGURES = {
    "months_to_power": "Months to power",
    "lcoe_usd_per_mwh": "Cost of power [USD/MWh]",
    "land_acres": "Land for the array [acres]",
    "water_m3_per_yr": "Water [m3/yr]",
    "co2_t_per_yr": "CO2 [t/yr]",
    "solar_mw": "Solar array [MWdc]",
    "battery_mwh": "Battery [MWh]",
}


@cache
def groups() -> tuple[Group, ...]:
    """Ask which sites there are, and how many racks they shall hold together."""

    def asked(name: str, label: str, **more: Any) -> Field:  # noqa: ANN401
        return asked_of(sd.portfolio, "portfolio", name, label, **more)

    places = (
        Field("name", "Name", "text", default=""), Field("latitude", "Latitude"),
        Field("longitude", "Longitude"),
    )  # fmt: skip
    bounds = (Field("least", "Least"), Field("most", "Most"))
    regions = (Field("region", "Region", "choice", options=titles("region")), *bounds)
    figures = (Field("figure", "Figure", "choice", options=_FIGURES), *bounds)
    ramp = (Field("month", "From month", unit="months"), Field("racks", "Racks"))
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
            asked("ramp", "Racks with power by month", kind="rows", columns=ramp, default=[]),
            asked("regions", "Racks of a region", kind="rows", columns=regions, default=[]),
            asked("where", "Bounds of a site", kind="rows", columns=figures, default=[],
                  hint="Only sites between these, by what the study finds at each."),
        )),
        Group("What it costs", (
            asked("scale", "Economies of scale", kind="choice", default="default", options=scales),
            asked("delay_usd_per_rack_month", "A month of waiting, of a rack", unit="USD"),
            asked("large_load", "Rules for large loads", kind="flag", default=True),
            asked("exact", "Solve chosen sites again", kind="flag", default=True),
        ), folded=True),
    )  # fmt: skip


@cache
def fields() -> dict[str, Field]:
    """Every field of it by its name."""
    return {field.name: field for group in groups() for field in group.fields}


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
    sites, regions = _sites(answers, faults)
    if ramp := rows_of(answers, fields()["portfolio.ramp"], faults):
        asked["ramp"] = [(row.get("month"), row.get("racks")) for row in ramp]
    if bounds := _bounds(answers, "regions", "region", regions, faults):
        most = asked.get("racks", 0)
        asked["regions"] = {
            name: (low or 0, most if high is None else high) for name, (low, high) in bounds.items()
        }
    if where := _bounds(answers, "where", "figure", _FIGURES, faults):
        asked["where"] = where
    faults += tried(lambda _: sd.portfolio([], **({"racks": 1} | asked)), "portfolio", fields(), ("study",))
    if faults or study is None:
        raise InputError(faults, "the form")
    return PortfolioQuestion(study, tuple(sites), asked)


def _bounds(
    answers: Answers, name: str, key: str, known: Collection[str], faults: list[Fault]
) -> dict[str, tuple[float | None, float | None]]:
    """Least and most of each thing that a table names; rows without both bound nothing."""
    where = f"portfolio.{name}"
    found: dict[str, tuple[float | None, float | None]] = {}
    for row in rows_of(answers, fields()[where], faults):
        of, least, most = row.get(key), row.get("least"), row.get("most")
        if of is None:
            faults.append(Fault(where, "a row without a name", f"choose a {key}"))
        elif of not in known:
            faults.append(unknown_name(where, of, known))
        elif of in found:
            faults.append(Fault(where, f"{of} twice", f"must be one row a {key}"))
        elif least is not None and most is not None and least > most:
            faults.append(Fault(where, f"{of}: least {least:g}, most {most:g}", "least must be at most most"))
        elif least is not None or most is not None:
            found[of] = (least, most)
    return found


def _sites(answers: Answers, faults: list[Fault]) -> tuple[list[dict[str, Any]], set[str]]:
    """Candidates of the file, or of the rows, each of them a place on land; and the regions they lie in."""
    table = answers.get("portfolio.table")
    where = "portfolio.sites" if table is None else "portfolio.table"
    regions: set[str] = set()
    try:
        if isinstance(table, Uploaded):
            rows = _table_rows(table)
        else:
            rows = [
                row
                for row in rows_of(answers, fields()[where], faults)
                if {"latitude", "longitude"} & set(row)
            ]
        if not rows:
            faults.append(Fault(where, "no sites", "needs at least one, with latitude and longitude"))
    except InputError as error:
        faults += [replace(fault, where=where) for fault in error.faults]
        return [], regions
    for number, row in enumerate(rows, 1):
        place = {name: row[name] for name in ("latitude", "longitude", "name") if name in row}
        try:
            regions.add(region_of(sd.Site(**place)).name)
        except InputError as error:
            faults += [
                replace(fault, where=where, found=f"{fault.found} in row {number}") for fault in error.faults
            ]
    return rows, regions


def _table_rows(table: Uploaded) -> list[dict[str, Any]]:
    """Read a table that a browser sent, as a batch would.

    Raises
    ------
    InputError
    """
    suffix = Path(table.name).suffix.lower()
    if suffix not in _CSV:
        fault = Fault("portfolio.table", table.name[:60], f"must be one of {', '.join(_CSV)}")
        raise InputError([fault], "the form")
    with tempfile.TemporaryDirectory(prefix="sitedesign-") as folder:
        path = Path(folder) / f"sites{suffix}"
        path.write_bytes(table.content)
        return [dict(row) for row in read_sites(path).rows]
