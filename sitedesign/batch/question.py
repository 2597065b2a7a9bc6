"""One question for many sites: the study without its place, and how a row of the table changes it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from sitedesign import library
from sitedesign.batch.table import NESTED, SITE_COLUMNS, WEEKS, Row, SiteTable
from sitedesign.errors import Fault, InputError
from sitedesign.study.demand import CONTRACTS
from sitedesign.study.inputs import PROFILES
from sitedesign.study.study import Limits, Study
from sitedesign.util.checked import Checked
from sitedesign.weather.site import Site
from sitedesign.weather.weather import Weather

_GAS = "fuel_price_usd_per_mmbtu.natural_gas"
# A place that every question can be asked of, to find faults of the question before any site is solved.
_ANYWHERE = {"latitude": 31.76, "longitude": -106.49}


@dataclass(frozen=True, eq=False)
class Question:
    """Fields of a study without its site.

    Attributes
    ----------
    fields : dict
        As :class:`~sitedesign.study.study.Study` takes them.
    folder : Path
        Where relative file names in cells start.
    carried : tuple of str
        Columns of the table that say nothing about the question.
    """

    fields: dict[str, Any]
    folder: Path = Path()
    carried: tuple[str, ...] = ()

    def study(self, row: Row) -> Study:
        """Ask the question at the site of a row, with the row's own fields.

        Raises
        ------
        InputError
            With every fault of the row.
        """
        site = Site(**{key: row[key] for key in SITE_COLUMNS if key in row})
        changes, fields = self._changes(row, site), dict(self.fields)
        if "pv" in changes or "battery" in changes:
            choices = fields.pop("power_paths", ())
            if choices:
                fields["pv"] = [pv for pv, _ in choices]
        return Study(**(fields | changes | {"site": site}))

    def kinds(self, rows: Iterable[Row]) -> Iterator[Study]:
        """Ask one question of each kind that the rows ask; what is wrong with a row, the row says itself.

        Without weather and profiles, which take long to read.
        """
        seen = set()
        for row in rows:
            heavy = ("weather", *PROFILES, *self.carried)
            light = {key: value for key, value in row.items() if key not in heavy}
            kind = repr(sorted((key, value) for key, value in light.items() if key not in SITE_COLUMNS))
            if kind in seen:
                continue
            try:
                study = self.study(light)
            except InputError:
                continue
            seen.add(kind)
            yield study

    def _changes(self, row: Row, site: Site) -> dict[str, Any]:
        cells = {key: value for key, value in row.items() if key not in (*SITE_COLUMNS, *self.carried)}
        if "gas_price" in cells:
            cells[_GAS] = cells.pop("gas_price")
        changes: dict[str, Any] = {}
        for key, value in cells.items():
            head, _, rest = key.partition(".")
            if head == "limits":
                limits = changes.setdefault("limits", _limits(self.fields.get("limits")))
                table, dot, name = rest.partition(".")
                (limits[table] if dot else limits)[name or table] = _bounds(value)
            elif head in ("fuel_price_usd_per_mmbtu", "tank_h", "lorries_per_day"):
                prices = changes.setdefault(head, dict(self.fields.get(head) or {}))
                prices[rest] = value
            elif head == "unit_rules":
                rules = changes.setdefault(head, _rules(self.fields.get(head)))
                name, _, field = rest.partition(".")
                rules.setdefault(name, {})[field] = _weeks(value) if field == WEEKS else value
            elif head == "region":
                table = changes.setdefault(head, _nested(head, self.fields.get(head)))
                table[rest or "extends"] = value
            elif head in NESTED:
                changes.setdefault(head, _nested(head, self.fields.get(head)))[rest] = _bounds(value)
            else:
                changes[key] = value
        if cells.get("grid.kind") == "none":  # and what the question says of a connection goes with it
            changes["grid"] = {"kind": "none"}
        if any(key in changes for key in CONTRACTS):  # in place of the question's own
            changes |= {key: None for key in CONTRACTS if key in self.fields and key not in changes}
        for key in ("backup", "wind", "surplus"):
            if key in changes:
                changes[key] = technologies(changes[key])
        for key in ("pv", "battery"):
            if ";" in str(changes.get(key, "")):
                changes[key] = list(technologies(changes[key]))
        if "weather" in changes:
            paths = [self.folder / part.strip() for part in str(changes["weather"]).split(";")]
            changes["weather"] = Weather.read(*paths, site=site)
        for key in PROFILES:
            if key in changes:
                changes[key] = self.folder / str(changes[key])
        return changes


def make_question(study: Study | None, fields: Mapping[str, Any], table: SiteTable) -> Question:
    """Join a study or its fields with a table, and find the faults that every site would share.

    Raises
    ------
    InputError
        If the question is wrong whatever the site.
    """
    if study is not None and fields:
        found, allowed = ", ".join(sorted(fields)), "cannot be combined with a study"
        raise InputError([Fault("keywords", found, allowed, "Use study.replace(...).")], "solve_many()")
    if study is not None and not isinstance(study, Study):
        raise InputError(
            [Fault("study", repr(type(study).__name__), "must be a sitedesign.Study")], "solve_many()"
        )
    if study is not None:
        fields = study.said
    fields = {key: value for key, value in fields.items() if key != "site"}
    question = Question(fields, table.folder, table.carried)
    own = {column.partition(".")[0] for column in table.columns} | {"site"}
    own |= {"fuel_price_usd_per_mmbtu"} & {"fuel_price_usd_per_mmbtu" if "gas_price" in own else ""}
    if own & set(CONTRACTS):
        own |= set(CONTRACTS)
    try:
        Study(**(fields | {"site": Site(**_ANYWHERE)}))
    except InputError as error:
        # A fault in a field that rows give themselves is for each row to find.
        shared = [fault for fault in error.faults if _field(fault) not in own]
        if shared:
            raise InputError(shared, "solve_many()") from None
    return question


def assumptions(question: Question) -> dict[str, Any]:
    """Everything that decides the numbers besides the rows, ready for JSON.

    Library numbers appear in full where the question names an entry, and as one hash for all else.
    """
    fields = {key: _plain(value) for key, value in sorted(question.fields.items())}
    return {"question": fields, "library": library_digest()}


def library_digest() -> str:
    """Hash of the technology library and the climate statistics that the installed package carries."""
    digest = hashlib.sha256()
    for kind in ("models", "weather"):
        folder = library.library_folder(kind)
        for path in sorted(item for item in folder.rglob("*") if item.is_file() and item.suffix != ".md"):
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:20]


def class_names(question: Question) -> list[str]:
    """Names of the classes of load of a question."""
    given = question.fields.get("classes") or ()
    return [str(item["name"] if isinstance(item, Mapping) else item.name) for item in given]


def technologies(value: Any) -> tuple[Any, ...]:  # noqa: ANN401
    """Library entries of one cell: names with ``;`` between them, or ``none``."""
    if not isinstance(value, str):
        return tuple(value)
    names = [part.strip() for part in re.split(r"[;|]", value) if part.strip()]
    return () if names == ["none"] else tuple(names)


def _bounds(value: Any) -> Any:  # noqa: ANN401
    """Read ``100:900`` as a pair; anything else goes to the study as it is."""
    if not isinstance(value, str) or ":" not in value:
        return value
    try:
        least, most = (float(part) for part in value.split(":"))
    except ValueError:
        return value
    return (least, most)


def _nested(name: str, given: Any) -> dict[str, Any]:  # noqa: ANN401
    """Input of the question with fields of its own, as a mapping that a row may change."""
    if name == "region":  # whose figures differ from those of the one that is named
        return dict(given) if isinstance(given, Mapping) else {} if given is None else {"extends": given}
    if given is None or name in CONTRACTS:  # one way to say how much takes the place of another
        return {}
    if isinstance(given, Mapping):
        return dict(given)
    written: dict[str, Any] = (
        given.to_dict() if isinstance(given, Checked) else given.model_dump(exclude_unset=True)
    )
    return written


def _rules(given: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401
    """Rules of units of the question as mappings that a row may change."""
    return {
        name: dict(rules) if isinstance(rules, Mapping) else rules.to_dict()
        for name, rules in (given or {}).items()
    }


def _weeks(value: Any) -> Any:  # noqa: ANN401
    """Read ``12;13;42`` as weeks; anything else goes to the study as it is."""
    parts = value.split(";") if isinstance(value, str) else [value]
    try:
        numbers = [float(part) for part in parts]
    except (TypeError, ValueError):
        return value
    return tuple(int(item) if item.is_integer() else item for item in numbers)


def _limits(given: Any) -> dict[str, Any]:  # noqa: ANN401
    """Limits of the question as a mapping that a row may change."""
    if isinstance(given, Limits):
        given = {name: getattr(given, name) for name in given.model_fields_set}
    limits = dict(given or {})
    for name in ("units", "wind_mw"):
        limits[name] = dict(limits.get(name) or {})
    return limits


def _field(fault: Fault) -> str:
    return re.split(r"[.\[]", fault.where.removeprefix("study."))[0]


def _plain(value: Any) -> Any:  # noqa: ANN401
    """JSON form of a field; arrays and weather as a hash of their numbers."""
    if isinstance(value, Weather):
        numbers = {item.name: _plain(getattr(value, item.name)) for item in fields(value)
                   if item.name not in ("source", "quality")}  # fmt: skip
        digest = hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()
        return f"{value.source.description} ({digest[:12]})"
    if isinstance(value, Checked):  # which may hold series
        return {name: _plain(getattr(value, name)) for name in sorted(value.model_fields_set)}
    if is_dataclass(value):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in sorted(value.items())}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if hasattr(value, "tobytes") or hasattr(value, "to_numpy"):
        data = value.to_numpy() if hasattr(value, "to_numpy") else value
        return f"series ({hashlib.sha256(data.tobytes()).hexdigest()[:12]})"
    return str(value)
