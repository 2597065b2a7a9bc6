"""Study files: a question as TOML that people write, read with every fault named by file, table and key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from sitedesign import library
from sitedesign.errors import Fault, InputError, shown, unknown_name
from sitedesign.study.demand import CONTRACTS, RACKS, UPTIME
from sitedesign.study.grid_inputs import GRID, GridInputs
from sitedesign.study.inputs import GROUPS, PLACE, PROFILES
from sitedesign.study.limits import LIMITS, TABLES, Limits
from sitedesign.study.reserve import RESERVE, Reserve
from sitedesign.study.study import Study
from sitedesign.study.unit_rules import UNIT_RULES, UnitRules
from sitedesign.util.atomic_file import write_given
from sitedesign.util.gate import TEXT, File, Measure, parse_toml, read_bytes, takes, text_keys
from sitedesign.util.inputs import declared
from sitedesign.util.toml_text import toml_value
from sitedesign.weather.site import Site
from sitedesign.weather.weather import Weather

#: Fields that hold library entries, and the entry that a table without ``extends`` amends.
_ENTRY_FIELDS = {
    name: item.default if isinstance(item.default, str) else ""
    for name, item in declared(Study).items()
    if item.sort == "entry" and name != "region"  # whose base the site decides: see read_region
}
#: Headings that are tables of their own.
_TABLES = (PLACE, GRID, LIMITS, RESERVE)
_COMMENTS_AT = 38  # column of the template
#: Ways to say how large the load is; naming one replaces the others.
SIZES = (*CONTRACTS, "classes")
#: Tables of which a change replaces single keys only.
_MERGED = (
    "site",
    "limits",
    "fuel_price_usd_per_mmbtu",
    "tank_h",
    "lorries_per_day",
    "grid",
    "reserve",
    "unit_rules",
)


#: Table of what is asked beside the study, which is read elsewhere.
ROADMAP = "roadmap"
_STUDY_FILE = "must be the path of a study file"


@takes("read_study()", path=File(says=_STUDY_FILE, remedy="'sitedesign init' writes one."))
def read_study(path: str | Path, **changes: Any) -> Study:  # noqa: ANN401
    """Read a study from a TOML file.

    Parameters
    ----------
    path : path
        Top-level keys are the fields of :class:`~sitedesign.study.study.Study`; ``[site]``, ``[limits]``,
        ``[limits.units]``, ``[limits.wind_mw]``, ``[fuel_price_usd_per_mmbtu]``, ``[tank_h]``, ``[reserve]``
        and ``[unit_rules.NAME]`` are tables.
        ``weather`` is a file, a folder or a list of them, relative to the study file, like ``solar_profile``,
        ``load_profile`` (a file, or a table with ``file`` and ``unit``, ``column``, ``clock``, ``rated_mw``
        or ``step_minutes``) and the user's own library files. ``[roadmap]`` is left to ``sitedesign
        roadmap``. ``[grid]`` holds the fields of
        :class:`~sitedesign.study.grid.Grid`, its files (``prices``, ``export_prices``,
        ``curtailment.caps``) relative as well, ``[[surplus]]`` those of
        :class:`~sitedesign.study.surplus.Surplus`. A piece of equipment is a name or a table: ``[battery]``
        with ``extends = "lfp"`` and the numbers that differ.
    **changes
        Fields that replace those of the file, as plain values, paths relative to the working directory;
        ``site``, ``limits``, ``fuel_price_usd_per_mmbtu``, ``tank_h``, ``grid``, ``reserve`` and
        ``unit_rules`` replace single keys.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        With every fault of the file and of the changes at once: file, table and key for those of the file.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> file = Path(mkdtemp()) / "study.toml"
    >>> lines = ("racks = 700", "uptime = 0.999", "[site]", "latitude = 31.76", "longitude = -106.49")
    >>> _ = file.write_text(chr(10).join(lines))
    >>> sd.read_study(file, uptime=0.99).uptime
    0.99
    """
    path = Path(path)
    content = read_toml(path)
    question = merged(located(content, path.parent), changes)
    try:
        return make_study(question)
    except InputError as error:
        raise InputError(in_file(error.faults, path, content, changes), str(path)) from None


@takes(
    "write_template()",
    path=File((".toml",)),
    latitude=Measure("degrees", -66, 66),
    longitude=Measure("degrees", -180, 180),
    name=TEXT,
    racks=RACKS,
    uptime=UPTIME,
)
def write_template(
    path: str | Path,
    *,
    latitude: float = 31.76,
    longitude: float = -106.49,
    name: str = "El Paso, TX",
    racks: int = 700,
    uptime: float = 0.999,
) -> Path:
    """Write a study file with a comment on every setting; a file that is there is left alone.

    Parameters
    ----------
    path : path
        Ending in ``.toml``.
    latitude, longitude : float
        [degrees]
    name : str
        Of the site.
    racks : int
    uptime : float
        [fraction]

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the file is there, or does not end in ``.toml``.
    """
    path = Path(path)
    if path.exists():
        fault = Fault("path", f"{path}, which is there", "must be a new file", "Choose another name.")
        raise InputError([fault], "write_template()")
    template = (files("sitedesign.study") / "study_template.toml").read_text(encoding="utf-8")
    given = {"racks": racks, "uptime": uptime}
    text = template.format(
        file=path.name,
        racks=racks,
        latitude=float(latitude),
        longitude=float(longitude),
        name=toml_value(name),
        limits=settings(Limits, LIMITS),
        grid=settings(GridInputs, GRID),
        reserve=settings(Reserve, RESERVE),
        rules=settings(UnitRules, UNIT_RULES),
        **{group.lower(): settings(Study, group, given) for group in GROUPS if group not in _TABLES},
    )
    write_given(path, text.encode(), where="path", of="write_template()")
    return path


def settings(model: type[BaseModel], group: str, given: Mapping[str, Any] | None = None) -> str:
    """Write the inputs of a model as lines to choose from; what needs a table is left out.

    Parameters
    ----------
    model : type
    group : str
        Heading of the inputs.
    given : mapping of str to object, optional
        Values that hold, which are no comment.
    """
    lines, given = [], given or {}
    for name, item in declared(model).items():
        value = given.get(name, item.default if item.told.example is None else item.told.example)
        if item.told.group != group or value in (None, (), {}):
            continue
        value = int(value) if isinstance(value, float) and value.is_integer() else value
        line = f"{'' if name in given else '#'}{name} = {toml_value(value)}"
        words = ", ".join(toml_value(word) for word in item.choices if word != value)
        unit = f"[{item.unit}] " if item.unit else ""
        lines.append(
            f"{line:<{_COMMENTS_AT}} # {unit}{f'or {words}: ' if words else ''}{item.brief.rstrip('.')}"
        )
    return "\n".join(lines)


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    InputError
        If it is missing or not TOML; the message names line and column.
    """
    remedy = "'sitedesign init' writes one."
    content = read_bytes(path, str(path), "must be a study file", remedy, of=str(path))
    quotes = 'Text needs quotes: name = "El Paso"; numbers have no signs but digits, point and _.'
    return parse_toml(content, str(path), quotes)


def located(content: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Copy of a file's content in which names of files start from its folder, without its roadmap."""
    question = {name: item for name, item in content.items() if name != ROADMAP}
    for name in PROFILES:
        value = question.get(name)
        if isinstance(value, str):
            question[name] = folder / value
        elif isinstance(value, Mapping) and isinstance(value.get("file"), str):
            question[name] = {**value, "file": folder / value["file"]}
    weather = question.get("weather")
    if isinstance(weather, str | list):
        items = [weather] if isinstance(weather, str) else weather
        question["weather"] = [folder / item if isinstance(item, str) else item for item in items]
    if isinstance(question.get("grid"), Mapping):
        question["grid"] = _located_grid(question["grid"], folder)
    if "surplus" in question:
        given = question["surplus"]
        several = isinstance(given, list)
        takers = [_located_surplus(item, folder) for item in (given if several else [given])]
        question["surplus"] = takers if several else takers[0]
    for name in (*_ENTRY_FIELDS, "region", "own_entries"):
        value = question.get(name)
        if isinstance(value, list):
            question[name] = [_own_file(item, folder) for item in value]
        elif value is not None:
            question[name] = _own_file(value, folder)
    return question


def _located_grid(grid: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Copy of the connection in which names of files start from a folder: prices, caps, tariff, model."""
    found = dict(grid)
    for name in ("prices", "export_prices"):
        if name in found:
            found[name] = _located_prices(found[name], folder)
    calls = found.get("curtailment")
    if isinstance(calls, Mapping):
        files = {
            name: str(folder / calls[name])
            for name in ("caps", "caps_mw")
            if isinstance(calls.get(name), str)
        }
        found["curtailment"] = {**calls, **files}
    for name in ("tariff", "model"):
        if name in found:
            found[name] = _own_file(found[name], folder)
    return found


def _located_prices(value: Any, folder: Path) -> Any:  # noqa: ANN401
    """Series of prices of which a file starts from a folder."""
    if isinstance(value, str):
        return str(folder / value)
    if isinstance(value, Mapping) and isinstance(value.get("file"), str):
        return {**value, "file": str(folder / value["file"])}
    return value


def _located_surplus(item: Any, folder: Path) -> Any:  # noqa: ANN401
    """Copy of one who may take surplus, in which names of files start from a folder."""
    if not isinstance(item, Mapping):
        return _own_file(item, folder)
    found = dict(item)
    if "model" in found:
        found["model"] = _own_file(found["model"], folder)
    if "prices" in found:
        found["prices"] = _located_prices(found["prices"], folder)
    return found


def merged(question: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Question with some fields replaced; what excludes a replaced field goes."""
    resized = any(changes.get(name) is not None for name in SIZES)
    kept = {key: value for key, value in question.items() if not (resized and key in SIZES)}
    return with_fields(kept, changes)


def with_fields(question: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Question with some fields added or replaced; of tables, single keys."""
    together = dict(question)
    for name, value in changes.items():
        before = together.get(name)
        if name in _MERGED and isinstance(before, Mapping) and isinstance(value, Mapping):
            value = {**before, **value}
            for table in TABLES:  # of limits
                if isinstance(before.get(table), Mapping) and isinstance(value.get(table), Mapping):
                    value[table] = {**before[table], **value[table]}
            if name == "grid" and changes[name].get("kind") == "none":
                value = changes[name]  # what was said of a connection before goes with it
        together[name] = value
    return together


def make_study(question: Mapping[str, Any]) -> Study:
    """Build a study from plain values.

    Parameters
    ----------
    question : mapping
        Fields of a study; ``weather`` may be a list of paths, and names the place where ``site`` is left out.
        Equipment may be tables (see :func:`read_study`).

    Returns
    -------
    Study

    Raises
    ------
    InputError
        With every fault at once.
    """
    fields, faults = resolved(question)
    try:
        fields |= _weather(fields)
    except InputError as error:
        faults += error.faults
        fields.pop("weather")
        if "site" not in fields:
            fields["site"] = Site(latitude=31.76, longitude=-106.49)  # so that the other faults are found
    try:
        study = Study(**fields)
    except InputError as error:
        raise InputError(_once([*faults, *error.faults]), "Study()") from None
    if faults:
        raise InputError(faults, "Study()")
    return study


def resolved(question: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """Fields in which tables of equipment have become library entries, and the faults of those tables."""
    fields, faults = dict(question), []
    for kind, default in _ENTRY_FIELDS.items():
        value = fields.get(kind)
        items = value if isinstance(value, list) else [value]
        if not any(isinstance(item, Mapping) for item in items):
            continue
        entries = []
        for number, item in enumerate(items):
            where = f"study.{kind}[{number}]" if isinstance(value, list) else f"study.{kind}"
            entry, found = _amended(kind, default, item, where)
            faults += found
            if not found:
                entries.append(entry)
        if len(entries) == len(items):
            fields[kind] = entries if isinstance(value, list) else entries[0]
        else:
            fields.pop(kind)
    return fields, faults


def _amended(kind: str, default: str, item: Any, where: str) -> tuple[Any, list[Fault]]:  # noqa: ANN401
    """Library entry with the numbers of a table; what is no table goes through."""
    if not isinstance(item, Mapping):
        return item, []
    wrong = text_keys(item, where)
    if wrong:
        return None, wrong
    table = dict(item)
    base = str(table.pop("extends", default))
    known = library.names(kind)
    if base not in known and not base.endswith(".toml"):
        fault = unknown_name(f"{where}.extends", base, known)
        return None, [fault if base else replace(fault, found="nothing")]
    # TOML has no null: the text says that there is no such number
    table = {key: None if value == "none" else value for key, value in table.items()}
    try:
        return library.entry(kind, base).replace(**table), []
    except InputError as error:
        return None, [
            replace(fault, where=re.sub(rf"^{kind}\.[^.]+", where, fault.where)) for fault in error.faults
        ]


def _own_file(value: Any, folder: Path) -> Any:  # noqa: ANN401
    """Name of a library entry as it is, name of the user's own TOML file from the folder of the study."""
    if isinstance(value, str) and value.endswith(".toml"):
        return str(folder / value)
    if isinstance(value, Mapping) and str(value.get("extends", "")).endswith(".toml"):
        return {**value, "extends": str(folder / value["extends"])}
    return value


def _weather(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Weather of the files named, and the site that they name where the question has none."""
    files = fields.get("weather")
    if isinstance(files, str | Path):
        files = [files]
    if not isinstance(files, list):
        return {}
    wrong = [item for item in files if not isinstance(item, str | Path)]
    if wrong or not files:
        found = shown(wrong[0]) if wrong else "no files"
        raise InputError([Fault("study.weather", found, "must name files or folders")], "Study()")
    site = fields.get("site")
    try:
        place = Site(**site) if isinstance(site, Mapping) and not text_keys(site, "site") else site
    except InputError:
        return {"weather": None}  # the study names the faults of its site
    weather = Weather.read(*files, site=place)
    return {"weather": weather} | ({} if place is not None else {"site": weather.site})


def _once(faults: Iterable[Fault]) -> list[Fault]:
    return list(dict.fromkeys(faults))


def in_file(
    faults: Iterable[Fault], path: Path, content: Mapping[str, Any], changes: Mapping[str, Any]
) -> list[Fault]:
    """Name faults by file, table and key, except those of fields that were changed.

    Parameters
    ----------
    faults : iterable of Fault
        As :class:`~sitedesign.study.study.Study` words them: ``study.limits.solar``.
    path : Path
    content : mapping
        What the file says.
    changes : mapping
        What stood elsewhere.
    """
    named = []
    for fault in faults:
        parts = parts_of(fault.where)
        if parts and not _changed(parts, changes):
            fault = replace(_misplaced(fault, parts), where=f"{path} {_key(parts, content)}")
        named.append(fault)
    return named


def parts_of(where: str) -> list[str | int]:
    """Field of a study that a fault is about, and what lies inside: ``backup, 0`` for ``study.backup[0]``.

    Empty for a fault of something else, for example of a weather file.
    """
    head, _, rest = where.partition(".")
    bare = head.partition("[")[0]
    if bare not in ("study", "site"):
        return []
    words = re.findall(r"[^.\[\]]+", where if bare == "site" else rest)
    return [int(word) if word.isdigit() else word for word in words]


def _changed(parts: list[str | int], changes: Mapping[str, Any]) -> bool:
    """Whether a fault is about something that stood outside the file."""
    inside: Any = changes
    for depth, part in enumerate(parts):
        if not isinstance(inside, Mapping):
            return True
        if part not in inside:
            return depth > 0 and parts[0] not in _MERGED
        inside = inside[part]
    return True


def _misplaced(fault: Fault, parts: list[str | int]) -> Fault:
    """Say where a key belongs that stands below a table by mistake."""
    if fault.found != "an unknown key" or len(parts) < 2 or parts[-1] not in Study.model_fields:
        return fault
    return replace(fault, remedy=f"Write {parts[-1]} above the first [table]: it is a key of the study.")


def _key(parts: list[str | int], content: Mapping[str, Any]) -> str:
    """Table and key as they stand in the file: ``[limits.units] recip_medium``, ``[[classes]] 2 share``."""
    header: list[str | int] = []
    rest = list(parts)
    node: Any = content
    while rest:
        try:
            node = node[rest[0]]
        except (KeyError, IndexError, TypeError):
            break
        tables = isinstance(node, list) and any(isinstance(item, Mapping) for item in node)
        if not isinstance(node, Mapping) and not tables:
            break
        header.append(rest.pop(0))
    if not header and parts == ["site"]:
        return "[site]"
    name = ".".join(part for part in header if isinstance(part, str))
    numbers = [part + 1 for part in header if isinstance(part, int)]
    head = f"[[{name}]] {numbers[0]}" if numbers else f"[{name}]" if name else ""
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest).lstrip(".")
    return f"{head} {key}".strip()
