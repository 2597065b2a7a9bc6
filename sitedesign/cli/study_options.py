"""The options that ask a question, the same for every command that takes a study: one for each input."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, get_args, get_type_hints

import typer
from pydantic import BaseModel

from sitedesign.study.grid_inputs import GridInputs
from sitedesign.study.inputs import GROUPS, PLACE, PRICES, WEATHER, StudyInputs
from sitedesign.study.limits import LIMITS, TABLES, Limits
from sitedesign.study.reserve import Reserve
from sitedesign.util.gate import OrWord
from sitedesign.util.inputs import Declared, declared
from sitedesign.util.toml_text import value_of_text

if TYPE_CHECKING:
    from sitedesign.errors import Fault
    from sitedesign.study.study import Study

OF = "the command line"
_OTHER = "Any other field"
_NAMED = ("units", "wind_mw")  # tables of limits whose names alone say which limit is meant


def _option(kind: Any, panel: str, name: str, text: str) -> Any:  # noqa: ANN401
    return Annotated[kind, typer.Option(name, help=text, rich_help_panel=panel, show_default=False)]


def own_option(item: Declared) -> Any:  # noqa: ANN401
    """Option of an input: its type, and a line that says what it means."""
    kind = list[str] if item.told.several else item.kind if item.kind in (int, float) else str
    text = item.brief
    if item.sort == "bounds":
        text += ": MOST, or LEAST:MOST"
    if item.choices:
        text += f": {', '.join(str(word) for word in item.choices)}"
    several = "; repeat for more" + (", 'none' for none" if isinstance(item.default, tuple) else "")
    text += f"{several}." if item.told.several else "."
    text += f" ({item.unit})" if item.unit else ""
    default = ", ".join(item.default) if isinstance(item.default, tuple) else item.default
    text += f" (default: {default})" if default not in (None, "") else ""
    return _option(kind | None, item.told.group, item.option, text)


def own_options() -> dict[str, Declared]:
    """List the inputs that have an option of their own; of tables others tell, or ``--set``."""
    return _without_tables(StudyInputs)


#: Inputs of a study with inputs of their own, each of which has an option: ``grid_mw``, ``reserve_n_minus``.
_PARTS: dict[str, type[BaseModel]] = {"grid": GridInputs, "reserve": Reserve}


def part_options() -> dict[str, tuple[str, Declared]]:
    """List the inputs of parts of a study by the name of their option, each with its part."""
    return {
        f"{part}_{name}": (part, item)
        for part, model in _PARTS.items()
        for name, item in _without_tables(model).items()
    }


def _without_tables(model: type[BaseModel]) -> dict[str, Declared]:
    return {name: item for name, item in declared(model).items() if item.sort != "table"}


def _of_part(name: str, item: Declared) -> Any:  # noqa: ANN401
    return own_option(replace(item, told=replace(item.told, option=_flag(name))))


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


class QuestionOptions:
    """What was said of a study without its place; the rest is as the study file or the study says.

    Parameters
    ----------
    **given
        Values by input, and those of `more`; None where nothing was said.
    """

    more: ClassVar[dict[str, Any]] = {
        "gas_price": _option(float | None, PRICES, "--gas-price", "Delivered gas price. (USD/MMBtu)"),
        "fuel_price": _option(
            list[str] | None,
            PRICES,
            "--fuel-price",
            "Price as FUEL=PRICE, for example diesel=30; repeat. (USD/MMBtu)",
        ),
        "limit": _option(
            list[str] | None,
            LIMITS,
            "--limit",
            "NAME=MOST or NAME=LEAST:MOST, for example solar_mw=900, land_acres=3000, "
            "recip_medium=2:6, onshore_6mw_170=300; repeat.",
        ),
        "setting": _option(
            list[str] | None,
            _OTHER,
            "--set",
            "KEY=VALUE as in a study file, for example 'throughput={tokens_per_s=1e6}'; repeat. See 'init'.",
        ),
    }

    def __init__(self, **given: Any) -> None:  # noqa: ANN401
        self.given = {name: value for name, value in given.items() if value not in (None, [])}

    @classmethod
    def parameters(cls) -> dict[str, Any]:
        """Annotations by name of everything that may be given, positional arguments first."""
        found = cls.more | {name: own_option(item) for name, item in own_options().items()}
        found |= {name: _of_part(name, item) for name, (_, item) in part_options().items()}
        panels = {name: get_args(kind)[1].rich_help_panel for name, kind in found.items()}
        order = (None, *GROUPS, _OTHER)
        return {name: found[name] for name in sorted(found, key=lambda name: order.index(panels[name]))}

    def fields_given(self) -> dict[str, Any]:
        """Fields of a study that were given.

        Raises
        ------
        InputError
            With every malformed option.
        """
        from sitedesign.errors import InputError
        from sitedesign.study.toml_file import with_fields

        faults: list[Fault] = []
        said = self.given
        question = {name: said[name] for name in own_options() if name in said}
        for name in ("pv", "battery"):
            if len(question.get(name, ())) == 1:
                (question[name],) = question[name]
        several = ("backup", "wind", "surplus")
        question |= {name: [] for name in several if question.get(name) == ["none"]}
        limits = read_limits(said.get("limit", []), "--limit", faults)
        prices = read_numbers(said.get("fuel_price", []), "--fuel-price", "Try diesel=30.", faults)
        prices |= {"natural_gas": said["gas_price"]} if "gas_price" in said else {}
        question |= {"limits": limits} if limits else {}
        question |= {"fuel_price_usd_per_mmbtu": prices} if prices else {}
        parts: dict[str, dict[str, Any]] = {}
        for name, (part, item) in part_options().items():
            if name in said:
                parts.setdefault(part, {})[item.name] = _read_value(item, said[name], _flag(name), faults)
        together = [*_read_settings(said.get("setting", []), faults), *parts.items()]
        for name, value in together:  # of one table, what several options say holds together
            question = with_fields(question, {name: value})
        if faults:
            raise InputError(faults, OF)
        return question


#: What people give in place of a study file: what it is, and which command takes it.
_OTHER_FILES = {
    ".json": (
        "a saved design",
        "'sitedesign show {0}' prints it; certify, report and finance go on from it.",
    ),
    **dict.fromkeys(
        (".csv", ".xlsx", ".parquet", ".geojson"),
        ("a table", "For a table of sites: sitedesign batch {0} --out results, with the same options."),
    ),
    ".html": ("a report", "Open it in a browser."),
}


def _check_study_file(file: Path) -> None:
    """Name the right command for a file that is no study file, by its ending.

    Raises
    ------
    InputError
    """
    from sitedesign.errors import Fault, InputError

    kind, remedy = _OTHER_FILES.get(file.suffix.lower(), ("", ""))
    if kind:
        found = f"{file}, by its ending {kind}"
        raise InputError([Fault("STUDY.TOML", found, "must be a study file", remedy.format(file))], OF)


class StudyOptions(QuestionOptions):
    """What was said of a study, and the study file that it amends."""

    more: ClassVar[dict[str, Any]] = {
        "file": Annotated[
            Path | None,
            typer.Argument(
                metavar="[STUDY.TOML]",
                help="Study file ('sitedesign init' writes one); options replace what it says.",
                show_default=False,
            ),
        ],
        "lat": _option(float | None, PLACE, "--lat", "Latitude, north positive. (degrees)"),
        "lon": _option(float | None, PLACE, "--lon", "Longitude, east positive, west negative. (degrees)"),
        "name": _option(str | None, PLACE, "--name", "Name shown in the result."),
        "weather": _option(
            list[Path] | None,
            WEATHER,
            "--weather",
            "Weather file or folder; repeat for more. Names the place too. Generated when left out.",
        ),
        **QuestionOptions.more,
    }

    def fields_given(self) -> dict[str, Any]:
        """Fields of a study that were given, its place and weather files included."""
        names = {"latitude": "lat", "longitude": "lon", "name": "name"}
        place = {key: self.given[name] for key, name in names.items() if name in self.given}
        question = super().fields_given()
        question |= {"site": place} if place else {}
        question |= {"weather": self.given["weather"]} if "weather" in self.given else {}
        return question

    def study(self, **defaults: Any) -> Study:  # noqa: ANN401
        """Build the study.

        Parameters
        ----------
        **defaults
            Fields that stand where neither option nor file says otherwise.

        Raises
        ------
        InputError
            With every fault, named by option, or by file, table and key.
        """
        from sitedesign.errors import InputError
        from sitedesign.study.toml_file import make_study, read_study

        given, file = self.fields_given(), self.given.get("file")
        if file is not None:
            _check_study_file(file)
        try:
            if file is None:
                return make_study(defaults | given)
            return read_study(file, **given)
        except InputError as error:
            of = OF if file is None else error.of
            raise InputError(by_option(error.faults), of) from None


# Field of a study -> option, where no input says it
_OPTIONS = {
    "site.latitude": "--lat",
    "site.longitude": "--lon",
    "site.name": "--name",
    "study.site": "--lat and --lon",
    "site": "--lat and --lon",
    "study.weather": "--weather",
    "study.fuel_price_usd_per_mmbtu.natural_gas": "--gas-price",
}


def by_option(faults: Iterable[Fault]) -> list[Fault]:
    """Name faults of a study by the options that they come from."""
    return [replace(fault, where=_option_of(fault.where)) for fault in faults]


def _option_of(where: str) -> str:
    if where in _OPTIONS:
        return _OPTIONS[where]
    for field, option in (
        ("limits.units.", "--limit"),
        ("limits.wind_mw.", "--limit"),
        *((f"limits.{table}.", f"--limit {table}.") for table in TABLES if table not in _NAMED),
        ("limits.", "--limit"),
        ("fuel_price_usd_per_mmbtu.", "--fuel-price"),
    ):
        if where.startswith(f"study.{field}"):
            gap = "" if option.endswith(".") else " "
            return f"{option}{gap}{where.removeprefix(f'study.{field}')}"
    part = re.fullmatch(r"study\.(\w+)\.(\w+)", where)
    if part is not None and f"{part[1]}_{part[2]}" in part_options():
        return _flag(f"{part[1]}_{part[2]}")
    found = re.fullmatch(r"study\.(\w+)(\[\d+\]|\.[\w.]+)?", where)
    if found is None:
        return where
    if where.count(".") > 1:
        return f"--set {where.removeprefix('study.')}"
    known = own_options()
    return known[found[1]].option if found[1] in known else f"--set {found[1]}"


def read_limits(items: list[str], option: str, faults: list[Fault]) -> dict[str, Any]:
    """Read ``solar_mw=900`` and ``recip_medium=2:6`` into the limits of a study; collects faults."""
    from sitedesign import library
    from sitedesign.errors import Fault

    limits: dict[str, Any] = {}
    tables: dict[str, dict[str, Any]] = {table: {} for table in TABLES}
    table_of = {
        name: table
        for table in _NAMED
        for kind in [TABLES[table]]
        for name in (library.names(kind) if items else ())
    }
    for item in items:
        name, _, text = item.partition("=")
        known = declared(Limits).get(name.strip())
        try:
            numbers = [float(part) for part in text.split(":")]
        except ValueError:
            numbers = []
            if known is not None and isinstance(known.gate, OrWord):  # whose word the study knows
                limits[known.name] = text.strip()
                continue
        if not numbers or len(numbers) > 2 or not name:
            faults.append(
                Fault(option, repr(item), "must be NAME=MOST or NAME=LEAST:MOST", "Try solar_mw=900.")
            )
            continue
        value = numbers[0] if len(numbers) == 1 else (numbers[0], numbers[1])
        table, dot, key = name.strip().partition(".")
        if dot and table in tables:
            tables[table][key] = value
            continue
        (tables[table_of[name]] if name in table_of else limits)[name.strip()] = value
    return limits | {table: given for table, given in tables.items() if given}


def read_numbers(items: list[str], option: str, remedy: str, faults: list[Fault]) -> dict[str, float]:
    """Read ``diesel=30`` and the like; collects faults."""
    from sitedesign.errors import Fault

    numbers = {}
    for item in items:
        name, _, text = item.partition("=")
        try:
            numbers[name.strip()] = float(text)
        except ValueError:
            faults.append(Fault(option, repr(item), "must be NAME=NUMBER", remedy))
    return numbers


def _read_settings(items: list[str], faults: list[Fault]) -> list[tuple[str, Any]]:
    """Read ``plant_age_yr=5``; the value is written as in a study file, text also without quotes."""
    from sitedesign.errors import Fault

    settings = []
    for item in items:
        name, equals, text = item.partition("=")
        if not equals or not name.strip():
            remedy = "Try plant_age_yr=5."
            faults.append(Fault("--set", repr(item), "must be KEY=VALUE as in a study file", remedy))
            continue
        settings.append((name.strip(), value_of_text(text)))
    return settings


def _read_value(item: Declared, value: Any, option: str, faults: list[Fault]) -> Any:  # noqa: ANN401
    """Read ``100``, ``50:100`` or a word as the study takes it; collects faults."""
    from sitedesign.errors import Fault

    if item.sort == "text":
        return value_of_text(value)
    if item.sort != "bounds":
        return value
    try:
        numbers = tuple(float(part) for part in value.split(":"))
    except ValueError:
        numbers = ()
    if len(numbers) not in (1, 2):
        faults.append(Fault(option, repr(value), "must be MOST or LEAST:MOST", "Try 100, or 50:100."))
        return None
    return numbers if len(numbers) == 2 else numbers[0]


def takes_study(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a study instead of its first parameter.

    The first parameter is annotated with :class:`StudyOptions` or :class:`QuestionOptions`, and receives what
    was given.
    """
    hints = get_type_hints(command, include_extras=True)
    first, *rest = inspect.signature(command).parameters.values()
    options = hints[first.name]
    asked = options.parameters()

    def run(**given: Any) -> None:  # noqa: ANN401
        command(options(**{name: given.pop(name) for name in asked}), **given)

    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter(name, keyword, default=None, annotation=asked[name]) for name in asked]
    own = [item.replace(kind=keyword, annotation=hints[item.name]) for item in rest]
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__signature__ = inspect.Signature([*parameters, *own])  # type: ignore[attr-defined]
    run.__annotations__ = {item.name: item.annotation for item in [*parameters, *own]}
    return run
