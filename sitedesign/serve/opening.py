"""Open what was saved: a study or a design as answers of the form, results as runs."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sitedesign as sd
from sitedesign import library
from sitedesign.api.design import Design
from sitedesign.errors import Fault, InputError
from sitedesign.report import content, figures
from sitedesign.results.saved import SERIES
from sitedesign.serve import form
from sitedesign.serve.answering import DESIGN, PORTFOLIO, ROADMAP, portfolio_view, roadmap_view
from sitedesign.serve.fields import Field, Uploaded
from sitedesign.serve.questions import Kind
from sitedesign.serve.view import View, as_json
from sitedesign.study.inputs import PROFILES
from sitedesign.study.study import Study
from sitedesign.study.toml_file import read_toml

SUFFIXES = (".json", ".toml")
_SIZES = ("racks", "it_mw", "gpus")
_FILE_NAME = re.compile(r"[/\\]|\.(toml|csv|txt|tsv|parquet|xlsx|epw|json|h5|nc)$", re.IGNORECASE)
_FILES_BY_KEY = ("weather", *PROFILES, "prices", "export_prices", "caps", "file")


@dataclass(frozen=True)
class Opened:
    """What a file held.

    Attributes
    ----------
    answers : mapping
        Of the form; empty where the file holds no study.
    left_out : tuple of str
        Fields of the study that the form does not ask.
    kind : str
        Of the result, or empty.
    file, content : str, bytes
        Name that the result gets in its folder, and what it holds.
    view : View or None
    study : Study or None
    """

    answers: Mapping[str, Any]
    left_out: tuple[str, ...]
    study: Study | None
    kind: Kind | None = None
    file: str = ""
    content: bytes = b""
    view: View | None = None


def opened(sent: Uploaded) -> Opened:
    """Read a study (TOML, JSON), a design, a roadmap or a portfolio (JSON).

    Raises
    ------
    InputError
        If it is none of these, with what is wrong with it.
    """
    suffix = Path(sent.name).suffix.lower()
    if suffix not in SUFFIXES:
        allowed = "must be a study (.toml, .json), or a saved design, roadmap or portfolio (.json)"
        raise InputError([Fault(sent.name[:60], "another kind of file", allowed)], "the file")
    with tempfile.TemporaryDirectory(prefix="sitedesign-") as folder:
        path = Path(folder) / f"opened{suffix}"
        path.write_bytes(sent.content)
        data = _json(sent) if suffix == ".json" else {}
        if "horizon_months" in data:
            roadmap = sd.Roadmap.load(path)
            return _of(roadmap.study, "roadmap", ROADMAP, sent, roadmap_view(roadmap))
        if str(data.get("format", "")).startswith("sitedesign-portfolio"):
            view = portfolio_view(sd.Portfolio.load(path))
            return Opened({}, (), None, "portfolio", PORTFOLIO, sent.content, view)
        if "provenance" in data:
            design = Design.load(path)
            return _of(design.study, "plant", DESIGN, sent, stored_view(design))
        if suffix == ".json":
            return _of(data, None, "", sent, None)
        _refuse_paths(read_toml(path))
        study = sd.read_study(path)
        answers, left_out = answers_of(study)
        return Opened(answers, left_out, study)


def _json(sent: Uploaded) -> dict[str, Any]:
    try:
        data = json.loads(sent.content)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise InputError([Fault(sent.name[:60], "no JSON object", "must be what was saved")], "the file")
    return data


def _of(given: Mapping[str, Any], kind: Kind | None, file: str, sent: Uploaded, view: View | None) -> Opened:
    series = tuple(name.replace("_", " ") for name in SERIES if given.get(name))  # named, but not held
    held = {name: value for name, value in given.items() if name not in SERIES}
    _refuse_paths(held)
    study = Study(**held)
    answers, left_out = answers_of(study)
    return Opened(answers, (*series, *left_out), study, kind, file, sent.content, view)


def _refuse_paths(data: Mapping[str, Any]) -> None:
    """Refuse a study that names files: a browser sends one, and must not have others of this machine read.

    Raises
    ------
    InputError
        With every place where a file is named.
    """
    allowed = "names a file, which the planner cannot open"
    remedy = "Leave it out, or solve the study with 'sitedesign solve'."
    faults = [Fault(where, text[:60], allowed, remedy) for where, text in _texts("study", data)
              if _FILE_NAME.search(text) or where.rpartition(".")[2] in _FILES_BY_KEY]  # fmt: skip
    if faults:
        raise InputError(faults, "the file")


def _texts(where: str, value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    """Every text of nested data with its place; what stands as a source of a number is prose."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key not in ("sources", "site", "title"):
                yield from _texts(f"{where}.{key}", item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(where, item)


def stored_view(design: Design) -> View:
    """Say what the page shows of a design from a file, which has no time series."""
    kind = "bound" if design.certificate is None else "certified run"
    shown = {"cost": figures.cost_breakdown(design)}
    if design.certificate is not None and design.certificate.causes:
        shown["causes"] = figures.uptime_by_cause(design.certificate)
    return View(
        summary=f"{kind}, {design.cost / 1e6:,.4g} M USD/yr, from a file",
        verdict=content.verdict(design, design.certificate),
        facts=[content.answer(design), content.consequences(design, design.certificate)],
        figures=as_json(shown),
        files={DESIGN: "Design as JSON"},
        money=content.money_words(design.study),
    )


def answers_of(study: Study) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Answers of the form that ask for a study, and the fields of it that no answers can ask for."""
    given = study.to_dict()
    found = form.defaults()
    for group in form.groups():
        for field in group.fields:
            if field.kind != "file" and (value := _value(field, given)) is not _UNKNOWN:
                found[field.name] = value
    size = next((name for name in _SIZES if given.get(name) is not None), "racks")
    found |= {"size": size, "amount": given.get(size)}
    found |= _prices(study)
    return found, _left_out(given, found)


def _left_out(given: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str, ...]:
    """Fields that a study made of the answers does not have as they were."""
    try:
        again = form.study_of(found).to_dict()
    except InputError as error:
        return tuple(dict.fromkeys(fault.where.removeprefix("study.") for fault in error.faults))
    names = (name for name in given if given[name] != again.get(name))
    return tuple(name.replace("_", " ") for name in names)


_UNKNOWN = object()
#: Answers that are not where their names say.
_ELSEWHERE = ("amount", "size", "grid.usd_per_mwh")


def _value(field: Field, given: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Value of a field in a study as the form gives it."""
    if field.name in _ELSEWHERE:
        return _one_price(given) if field.name == "grid.usd_per_mwh" else _UNKNOWN
    value: Any = given
    for part in field.name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if field.kind == "several":
        return [_name(item) for item in value or ()]
    if isinstance(value, Mapping):
        value = _name(value)
    if isinstance(value, list):  # least and most
        value = value[-1]
    if field.kind in ("choice", "text"):
        value = "" if value is None else str(value)
        return value if field.kind == "text" or value in (field.options or {}) else _UNKNOWN
    if field.in_percent and isinstance(value, int | float):
        return round(value * 100, 10)
    return value if isinstance(value, int | float | None) else _UNKNOWN


def _one_price(given: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Price of a tariff that is nothing but one. [USD/MWh]"""
    tariff = (given.get("grid") or {}).get("tariff")
    if not isinstance(tariff, Mapping) or set(tariff) != {"name", "energy"} or len(tariff["energy"]) != 1:
        return _UNKNOWN
    return tariff["energy"][0].get("usd_per_mwh", _UNKNOWN)


def _name(item: Any) -> str:  # noqa: ANN401
    """Name of an entry of the library, or of what stands for one."""
    return str(item.get("name") or item.get("model") or "") if isinstance(item, Mapping) else str(item)


def _prices(study: Study) -> dict[str, Any]:
    """Prices of array and battery where they are not the library's."""
    found: dict[str, Any] = {}
    if study.pv.name in library.names("pv"):
        own = library.pv(study.pv.name).capex_usd_per_wdc
        found["pv.capex_usd_per_wdc"] = (
            None if study.pv.capex_usd_per_wdc == own else study.pv.capex_usd_per_wdc
        )
        usual = library.battery("lfp_dc" if study.pv.coupling == "dc" else "lfp").capex_usd_per_kwh
        price = study.battery.capex_usd_per_kwh
        found["battery.capex_usd_per_kwh"] = None if price == usual else price
    return found
