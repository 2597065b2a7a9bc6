"""The options that ask a question, the same for every command that takes a study."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from sitedesign.errors import Fault
    from sitedesign.study.study import Study

_PLACE, _LOAD, _PLANT, _SKY = "Place", "Load and target", "Plant, limits and prices", "Weather"
OF = "the command line"


def _option(panel: str, name: str, text: str) -> Any:  # noqa: ANN401
    return typer.Option(name, help=text, rich_help_panel=panel, show_default=False)


@dataclass(frozen=True)
class QuestionOptions:
    """Options of a study without its place. What is left out is what the study file or the study says."""

    racks: Annotated[int | None, _option(_LOAD, "--racks", "Racks contracted.")] = None
    it_mw: Annotated[
        float | None, _option(_LOAD, "--it-mw", "Or the IT power contracted; turned into racks. (MW)")
    ] = None
    gpus: Annotated[int | None, _option(_LOAD, "--gpus", "Or the GPUs contracted; turned into racks.")] = None
    rack: Annotated[
        str | None, _option(_LOAD, "--rack", "Rack model, see 'library list rack'. (default: gb200_nvl72)")
    ] = None
    uptime: Annotated[
        float | None,
        _option(_LOAD, "--uptime", "Share to serve, such as 0.999; a floor with compute_cost. (fraction)"),
    ] = None
    metric: Annotated[
        str | None,
        _option(
            _LOAD, "--metric", "What uptime counts: rack (hours), compute, site or floor. (default: rack)"
        ),
    ] = None
    objective: Annotated[
        str | None,
        _option(_LOAD, "--objective", "cost, or compute_cost: per delivered rack-hour. (default: cost)"),
    ] = None
    use: Annotated[
        str | None, _option(_LOAD, "--use", "training or inference: the sustained draw. (default: training)")
    ] = None
    throughput_curve: Annotated[
        str | None,
        _option(
            _LOAD,
            "--throughput-curve",
            "For --metric compute: default, conservative, optimistic, measured_h100.",
        ),
    ] = None
    pv: Annotated[
        list[str] | None,
        _option(_PLANT, "--pv", "Array; repeat to let the optimiser choose. (default: tracker_ac)"),
    ] = None
    battery: Annotated[list[str] | None, _option(_PLANT, "--battery", "Battery. (default: lfp)")] = None
    backup: Annotated[
        list[str] | None,
        _option(
            _PLANT,
            "--backup",
            "Backup technology; repeat for more, 'none' for none. (default: recip_medium, mobile_gt, diesel)",
        ),
    ] = None
    facility: Annotated[
        str | None, _option(_PLANT, "--facility", "Building and cooling. (default: dry_cooler)")
    ] = None
    gas_price: Annotated[float | None, _option(_PLANT, "--gas-price", "Delivered gas price. (USD/MMBtu)")] = (
        None
    )
    fuel_price: Annotated[
        list[str] | None,
        _option(_PLANT, "--fuel-price", "Price as FUEL=PRICE, for example diesel=30; repeat. (USD/MMBtu)"),
    ] = None
    min_renewable_share: Annotated[
        float | None, _option(_PLANT, "--min-renewable-share", "Least share without backup. (fraction)")
    ] = None
    limit: Annotated[
        list[str] | None,
        _option(
            _PLANT,
            "--limit",
            "NAME=MOST or NAME=LEAST:MOST, for example solar_mw=900, land_acres=3000, "
            "recip_medium=2:6; repeat.",
        ),
    ] = None
    years: Annotated[int | None, _option(_SKY, "--years", "Weather years to generate. (default: 20)")] = None
    seed: Annotated[int | None, _option(_SKY, "--seed", "Seed of the generated weather. (default: 0)")] = None
    accept: Annotated[
        list[str] | None,
        _option(
            _LOAD, "--accept", "What an error asked back, and you mean: large_load, weather_flags; repeat."
        ),
    ] = None
    setting: Annotated[
        list[str] | None,
        _option(
            _PLANT,
            "--set",
            "Any other field of a study as KEY=VALUE, for example plant_age_yr=5; repeat. See 'init'.",
        ),
    ] = None

    def fields_given(self) -> dict[str, Any]:
        """Fields of a study that were given.

        Raises
        ------
        InputError
            With every malformed option.
        """
        from sitedesign.errors import InputError

        faults: list[Fault] = []
        question = {name: getattr(self, name) for name in _PLAIN}
        question |= {study: getattr(self, own) for own, study in _RENAMED.items()}
        for name in ("pv", "battery"):
            given = getattr(self, name) or None
            question[name] = given[0] if given and len(given) == 1 else given
        if self.backup:
            question["backup"] = [] if self.backup == ["none"] else self.backup
        question["accept"] = self.accept or None
        question["limits"] = read_limits(self.limit or [], "--limit", faults)
        prices = read_numbers(self.fuel_price or [], "--fuel-price", "Try diesel=30.", faults)
        prices |= {} if self.gas_price is None else {"natural_gas": self.gas_price}
        question["fuel_price_usd_per_mmbtu"] = prices
        question |= _read_settings(self.setting or [], faults)
        if faults:
            raise InputError(faults, OF)
        return {name: value for name, value in question.items() if value is not None and value != {}}


@dataclass(frozen=True)
class StudyOptions(QuestionOptions):
    """Options of a study, and the study file that they amend."""

    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[STUDY.TOML]",
            help="Study file ('sitedesign init' writes one); options replace what it says.",
            show_default=False,
        ),
    ] = None
    lat: Annotated[float | None, _option(_PLACE, "--lat", "Latitude, north positive. (degrees)")] = None
    lon: Annotated[
        float | None, _option(_PLACE, "--lon", "Longitude, east positive, west negative. (degrees)")
    ] = None
    name: Annotated[str | None, _option(_PLACE, "--name", "Name shown in the result.")] = None
    weather: Annotated[
        list[Path] | None,
        _option(
            _SKY,
            "--weather",
            "Weather file or folder; repeat for more. Names the place too. Generated when left out.",
        ),
    ] = None

    def fields_given(self) -> dict[str, Any]:
        """Fields of a study that were given, its place and weather files included."""
        question = super().fields_given()
        place = {"latitude": self.lat, "longitude": self.lon, "name": self.name}
        place = {key: value for key, value in place.items() if value is not None}
        question |= {"site": place} if place else {}
        question |= {"weather": self.weather} if self.weather else {}
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

        given = self.fields_given()
        try:
            if self.file is None:
                return make_study(defaults | given)
            return read_study(self.file, **given)
        except InputError as error:
            of = OF if self.file is None else error.of
            raise InputError(by_option(error.faults), of) from None


_PLAIN = (
    "racks", "it_mw", "gpus", "rack", "uptime", "metric", "objective", "use", "throughput_curve", "facility",
    "min_renewable_share",
)  # fmt: skip
_RENAMED = {"years": "weather_years", "seed": "seed"}
# Field of a study -> option, where the name does not say it
_OPTIONS = {
    "site.latitude": "--lat",
    "site.longitude": "--lon",
    "site.name": "--name",
    "study.site": "--lat and --lon",
    "site": "--lat and --lon",
    "study.weather_years": "--years",
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
        ("limits.", "--limit"),
        ("fuel_price_usd_per_mmbtu.", "--fuel-price"),
    ):
        if where.startswith(f"study.{field}"):
            return f"{option} {where.removeprefix(f'study.{field}')}"
    found = re.fullmatch(r"study\.(\w+)(\[\d+\])?", where)
    if found is None:
        return where
    known = {field.name for field in fields(StudyOptions)}
    name = found[1].replace("_", "-")
    return f"--{name}" if found[1] in known else f"--set {found[1]}"


def read_limits(items: list[str], option: str, faults: list[Fault]) -> dict[str, Any]:
    """Read ``solar_mw=900`` and ``recip_medium=2:6`` into the limits of a study; collects faults."""
    from sitedesign import library
    from sitedesign.errors import Fault

    limits: dict[str, Any] = {}
    units: dict[str, Any] = {}
    technologies = library.names("backup") if items else ()
    for item in items:
        name, _, text = item.partition("=")
        try:
            numbers = [float(part) for part in text.split(":")]
        except ValueError:
            numbers = []
        if not numbers or len(numbers) > 2 or not name:
            faults.append(
                Fault(option, repr(item), "must be NAME=MOST or NAME=LEAST:MOST", "Try solar_mw=900.")
            )
            continue
        value = numbers[0] if len(numbers) == 1 else (numbers[0], numbers[1])
        (units if name in technologies else limits)[name.strip()] = value
    return limits | ({"units": units} if units else {})


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


def _read_settings(items: list[str], faults: list[Fault]) -> dict[str, Any]:
    """Read ``plant_age_yr=5``; the value is written as in a study file, text also without quotes."""
    from sitedesign.errors import Fault

    settings = {}
    for item in items:
        name, equals, text = item.partition("=")
        if not equals or not name.strip():
            remedy = "Try plant_age_yr=5."
            faults.append(Fault("--set", repr(item), "must be KEY=VALUE as in a study file", remedy))
            continue
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except (ValueError, RecursionError):  # text without quotes
            value = text.strip()
        settings[name.strip()] = value
    return settings


def takes_study(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a study instead of its first parameter.

    The first parameter is annotated with :class:`StudyOptions` or :class:`QuestionOptions`, and receives what
    was given.
    """
    hints = get_type_hints(command, include_extras=True)
    first, *rest = inspect.signature(command).parameters.values()
    options = hints[first.name]
    option_hints = get_type_hints(options, include_extras=True)
    names = [field.name for field in fields(options)]
    # Positional arguments of the command line come first, in the order in which they are declared
    names.sort(key=lambda name: name not in ("file", "lat", "lon", "name"))

    def run(**given: Any) -> None:  # noqa: ANN401
        command(options(**{name: given.pop(name) for name in names}), **given)

    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter(name, keyword, default=None, annotation=option_hints[name]) for name in names
    ]
    own = [item.replace(kind=keyword, annotation=hints[item.name]) for item in rest]
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__signature__ = inspect.Signature([*parameters, *own])  # type: ignore[attr-defined]
    run.__annotations__ = {item.name: item.annotation for item in [*parameters, *own]}
    return run
