"""Bounds that a user puts on a design."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from sitedesign.errors import InputError
from sitedesign.util.gate import Bounds, Kind, Measure, OrWord, Words, unnamed
from sitedesign.util.inputs import Input, documented
from sitedesign.util.model import Model
from sitedesign.util.validation import faults_of, unknown_keys

Pair = tuple[float, float]
# The largest values are beyond any plant: they stop slips of the pen and numbers that arithmetic cannot bear.
_SIZE = "must be a finite number, not negative"
MW = Measure("MW", 0, 1e7, says=_SIZE)
MWH = Measure("MWh", 0, 1e9, says=_SIZE)
UNITS = Measure("units", 0, 1_000_000, whole=True, says="must be a whole number of units, 0 or more")
_MW = Bounds(MW)
_MWH = Bounds(MWH)
_RACKS = Bounds(Measure("racks", 0, 1e7))
_UNITS = Bounds(UNITS)
_HOURS = Bounds(Measure("h", 0, 10_000), pairs_only=True)
ACRES = Measure("acres", 0, 1e9)
T_PER_YR = Measure("t/yr", 0, 1e12)
RUN_H = Measure("h/yr", 0, 8784)
NIGHT_H = Measure("h/yr", 0, 3294)
STARTS = Measure("1/yr", 0, 1e6)
CYCLES = OrWord("1/yr", 0, 1e6, word="warranty")
MONTHS = Measure("months", 0, 1200, above=True)
#: Limits by name, and of what kind those named are.
TABLES = {"units": "backup", "wind_mw": "wind", "run_h": "backup", "starts": "backup", "night_h": "backup"}
#: Heading under which they are asked.
LIMITS = "Limits"
_NAME = Words("must be the name of a technology", most=200)
_BY_NAME = Kind((Mapping,), "must be units by technology", "For example {'diesel': 3}.")
_BY_RUN_H = Kind((Mapping,), "must be hours by technology", "For example {'diesel': 500}.")
_BY_STARTS = Kind((Mapping,), "must be starts by technology", "For example {'mobile_gt': 200}.")
_BY_NIGHT_H = Kind((Mapping,), "must be hours by technology", "For example {'diesel': 20}.")
_BY_TURBINE = Kind((Mapping,), "must be MW by turbine", "For example {'onshore_6mw_170': 300}.")


@documented
class Limits(Model):
    """Bounds of the design. One number is an upper bound, a pair is lower and upper, a pair of equals fixes.

    What is given here binds on every way to a design; only bounds that sitedesign derives itself are widened
    by a search, for units that may be broken.

    Raises
    ------
    InputError
        With every fault found.

    Examples
    --------
    >>> limits = sd.Limits(land_acres=900, units={"recip_fast": (1, 4)}, months_to_power=24)
    >>> study.replace(limits=limits).limits.land_acres
    900.0
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    # fmt: off
    solar_mw: Annotated[Pair | None, _MW, Input("solar", "Array, in MWdc.", LIMITS, example=(0, 900))] = None
    battery_mwh: Annotated[
        Pair | None, _MWH, Input("battery energy", "Battery energy.", LIMITS, example=4000)
    ] = None
    battery_mw: Annotated[Pair | None, _MW, Input("battery power", "Battery power.", LIMITS, example=400)] = (
        None
    )
    racks: Annotated[Pair | None, _RACKS, Input(
        "racks installed", "Racks installed. Never fewer than contracted.", LIMITS, example=800,
    )] = None
    units: Annotated[Mapping[Annotated[str, _NAME], Annotated[tuple[int, int], _UNITS]], _BY_NAME, Input(
        "units",
        "Units per backup technology.",
        LIMITS, type="mapping of str to int or (int, int)", sort="table",
    )] = Field(default_factory=dict)
    wind_mw: Annotated[Mapping[Annotated[str, _NAME], Annotated[Pair, _MW]], _BY_TURBINE, Input(
        "wind",
        "Wind farms by turbine.",
        LIMITS, type="mapping of str to float or (float, float)", sort="table",
    )] = Field(default_factory=dict)
    land_acres: Annotated[
        float | None, ACRES, Input("land for the array", "Most land for the array.", LIMITS, example=4000)
    ] = None
    co2_t_per_yr: Annotated[float | None, T_PER_YR, Input(
        "CO2",
        "Most emissions of the backup. In the mean over weather years, fuel of part load included.",
        LIMITS, example=50_000,
    )] = None
    nox_t_per_yr: Annotated[float | None, T_PER_YR, Input(
        "NOx",
        "Most nitrogen oxides at the stacks. In the mean over weather years, fuel of part load included; "
        "what a cold catalyst lets through at a start is not.",
        LIMITS, example=90,
    )] = None
    co_t_per_yr: Annotated[float | None, T_PER_YR, Input(
        "CO", "Most carbon monoxide at the stacks. Counted as nitrogen oxides are.", LIMITS, example=90,
    )] = None
    pm_t_per_yr: Annotated[float | None, T_PER_YR, Input(
        "PM", "Most particulate matter at the stacks. Counted as nitrogen oxides are.", LIMITS, example=20,
    )] = None
    run_h: Annotated[Mapping[Annotated[str, _NAME], Annotated[float, RUN_H]], _BY_RUN_H, Input(
        "run hours",
        "Most run hours of a unit a year. By backup technology, in the mean over its units and the weather "
        "years. The bound counts hours at full load, which are never more; the operator's certificate counts "
        "hours on. A technology with a limit of its own (`diesel_standby`) keeps the smaller of both.",
        LIMITS, example={"diesel": 500}, type="mapping of str to float", sort="table",
    )] = Field(default_factory=dict)
    starts: Annotated[Mapping[Annotated[str, _NAME], Annotated[float, STARTS]], _BY_STARTS, Input(
        "starts",
        "Most starts of a unit a year. By backup technology, in the mean over its units and the weather "
        "years. Of the operator alone: the bound knows no starts.",
        LIMITS, example={"mobile_gt": 200}, type="mapping of str to float", sort="table",
    )] = Field(default_factory=dict)
    night_h: Annotated[Mapping[Annotated[str, _NAME], Annotated[float, NIGHT_H]], _BY_NIGHT_H, Input(
        "hours of noise at night",
        "Most hours a year in which any unit runs at night. By backup technology, from 22 to 7 h local "
        "standard time, in the mean over the weather years. Of the operator alone: the bound knows no night.",
        LIMITS, example={"diesel": 20}, type="mapping of str to float", sort="table",
    )] = Field(default_factory=dict)
    site_night_h: Annotated[float | None, NIGHT_H, Input(
        "hours of noise of the site at night",
        "Most hours a year in which any unit at all runs at night. Counted as `night_h` is, all backup "
        "technologies together.",
        LIMITS, example=200,
    )] = None
    battery_cycles_per_yr: Annotated[float | Literal["warranty"] | None, CYCLES, Input(
        "cycles of the battery",
        "Most full cycles of the battery a year. What is discharged over nameplate, in the mean over the "
        "weather years. ``warranty``: what the library's battery is warranted for, the lower of its cycles a "
        "year and of its full cycles spread over its life, counted at the cells; the practice of a careful "
        "owner holds that by itself. Of the operator alone: the bound knows none.",
        LIMITS, example=250, type='float or "warranty"',
    )] = None
    months_to_power: Annotated[float | None, MONTHS, Input(
        "months to power", "Longest lead time of anything built.", LIMITS, example=26,
    )] = None
    n_plus: Annotated[int | None, Measure("units", 0, 100, whole=True), Input(
        "spare units (N+n)",
        "Units of each backup technology that the plan must do without. With 1 (N+1), what is built keeps "
        "the target also with one unit of each technology out all the time while nothing else fails.",
        LIMITS, example=1,
    )] = None
    battery_hours: Annotated[Pair | None, _HOURS, Input(
        "battery hours",
        "Battery energy over battery power. The library's shortest duration when left out.",
        LIMITS, example=(2, 24), type="(float, float)", planner=False,
    )] = None
    # fmt: on

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Show what was given, not the many limits that were left out."""
        return [(name, value) for name, value in super().__repr_args__() if name in self.model_fields_set]

    def __init__(self, *given: Any, **data: Any) -> None:  # noqa: ANN401
        faults = unnamed(given, "limits", "sd.Limits(solar_mw=900)")
        faults += unknown_keys("limits", data, type(self).model_fields)
        known = {key: value for key, value in data.items() if key in type(self).model_fields}
        try:
            super().__init__(**known)
        except ValidationError as error:
            faults += faults_of(error, "limits", type(self).model_fields)
        if faults:
            raise InputError(faults, "Limits()")
