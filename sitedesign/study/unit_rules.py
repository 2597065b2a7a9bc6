"""How the units of a technology may start, stop, move and be serviced, beyond what every plant is held to."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator

from sitedesign.errors import Fault
from sitedesign.util.checked import Checked
from sitedesign.util.gate import Many, Measure
from sitedesign.util.inputs import Input, documented

UNIT_RULES = "Units"
_WEEK = Measure("", 1, 52, whole=True)
_WEEKS = Many(_WEEK, "must be weeks of the year, 1 to 52", most=52)


def _weeks(value: Any) -> Any:  # noqa: ANN401
    """Read one week as a list of one."""
    return (value,) if isinstance(value, int) and not isinstance(value, bool) else value


@documented
class UnitRules(Checked):
    """Rules of the units of one technology (``sitedesign.UnitRules``); what is left out is the library's.

    Held by the operator in every step, and so by every certificate. A planner with foresight knows none of
    them: its cost stays a lower bound, and says what it leaves out. Units share their load equally. Without
    this a unit keeps to its lowest load and start time all the same; its starts are free, it may start again
    at once, moves in a step, and is maintained in the sunny season for the library's share of the year.

    Raises
    ------
    InputError
        With every fault found.

    Examples
    --------
    >>> rules = sd.UnitRules(min_down_h=1, maintenance_weeks=[12, 13])
    >>> study.replace(unit_rules={"recip_fast": rules}).unit_rules["recip_fast"].min_down_h
    1.0
    """

    WHERE: ClassVar[str] = "unit_rules"
    EXAMPLE: ClassVar[str] = "sd.UnitRules(min_down_h=1)"

    # fmt: off
    min_load: Annotated[float | None, Measure("fraction", 0, 1), Input(
        "lowest load", "Lowest load of a running unit. What nobody takes is dumped.", UNIT_RULES, example=0.4,
    )] = None
    min_down_h: Annotated[float | None, Measure("h", 0, 1000), Input(
        "down time", "From a stop to the next start at least.", UNIT_RULES, example=1,
    )] = None
    ramp_per_min: Annotated[float | None, Measure("fraction/min", 0, 100, above=True), Input(
        "ramp",
        "Most change of a running unit's output, of its rated power. Binds in steps below an hour.",
        UNIT_RULES, example=0.1,
    )] = None
    start_fuel_h: Annotated[float | None, Measure("h", 0, 100), Input(
        "fuel of a start", "Fuel of one start, in hours at full load.", UNIT_RULES, example=0.1,
    )] = None
    start_usd_per_mw: Annotated[float | None, Measure("USD/MW", 0, 1e5), Input(
        "wear of a start", "Maintenance that one start brings nearer.", UNIT_RULES, example=30,
    )] = None
    maintenance_weeks: Annotated[tuple[Annotated[int, _WEEK], ...], _WEEKS, BeforeValidator(_weeks), Input(
        "weeks of maintenance",
        "Weeks of the year in which units are out. The first unit in the first of them, the next in the "
        "next, and again from the first; in place of the library's share of the year.",
        UNIT_RULES, example=(12, 13, 42, 43), type="sequence of int", sort="table",
    )] = ()
    service_every_run_h: Annotated[float | None, Measure("h", 1, 1e6), Input(
        "hours between services",
        "Hours that a unit runs from service to service. It is taken out at the next midnight, one unit of a "
        "technology at a time; in place of the library's share of the year.",
        UNIT_RULES,
    )] = None
    service_h: Annotated[float | None, Measure("h", 0, 8760, above=True), Input(
        "length of a service", "How long a service takes.", UNIT_RULES,
    )] = None
    # fmt: on

    def _contradictions(self) -> list[Fault]:
        """Half a calendar, or two of them."""
        found = []
        if (self.service_every_run_h is None) != (self.service_h is None):
            allowed = "needs both service_every_run_h and service_h"
            found.append(Fault("unit_rules.service_h", "one without the other", allowed))
        if self.maintenance_weeks and self.service_every_run_h is not None:
            allowed = "one calendar: weeks, or run hours"
            found.append(Fault("unit_rules.maintenance_weeks", "two calendars", allowed, "Leave one out."))
        return found

    @property
    def own_calendar(self) -> bool:
        """Whether it says itself when units are maintained."""
        return bool(self.maintenance_weeks) or self.service_every_run_h is not None

    @property
    def words(self) -> str:
        """What is asked, in a line."""
        given = ", ".join(f"{name} {value}" for name, value in self.to_dict().items())
        return given or "the library's starts, down time and ramp"
