"""What a roadmap is asked with: racks by month, what can be rented, how fast things are delivered, dates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field

from sitedesign.errors import Fault, InputError, shown
from sitedesign.util.checked import Checked
from sitedesign.util.gate import Gate, Measure, Words, is_number, takes
from sitedesign.util.inputs import Input, documented

ROADMAP = "Roadmap"
MONTH = Measure("months", 0, 600, whole=True)
_TERM = Measure("months", 0, 600)
_SOME_MONTHS = Measure("months", 0, 600, above=True)
_RACKS = Measure("racks", 0, 1e7, whole=True)
_SOME_RACKS = Measure("racks", 1, 1e7, whole=True)
_UNITS = Measure("units", 0, 100_000, whole=True)
_MW = Measure("MW", 0, 1e7)
_RATE = Measure("MW/month", 0, 1e6, above=True)
_MWH_RATE = Measure("MWh/month", 0, 1e8, above=True)
_USD = Measure("USD/kW", 0, 1e5)
_RENT = Measure("USD/kW-month", 0, 1e5)
_PROBABILITY = Measure("fraction", 0, 1, above=True)
_TECHNOLOGY = Words("must be the name of a technology", most=200, empty=False)
_MOST_STEPS = 240
_STEPS = "must be racks by month, for example {6: 100, 12: 700} or [(6, 100), (12, 700)]"


class _Steps(Gate):
    """Pairs of a month and the racks from then on."""

    def clean(self, value: Any) -> Any:  # noqa: ANN401
        """Read mappings, also those whose keys are text, and numbers written 7.0."""
        if isinstance(value, Mapping):
            value = [(_number(month), racks) for month, racks in value.items()]
        if not isinstance(value, list | tuple):
            return value
        return tuple(
            tuple(gate.clean(item) for gate, item in zip((MONTH, _RACKS), pair, strict=True))
            if isinstance(pair, list | tuple) and len(pair) == 2
            else pair
            for pair in value
        )

    def wrong(self, value: Any) -> tuple[str, str, str] | None:  # noqa: ANN401
        """Say what is wrong as (found, allowed, remedy), or None."""
        if not isinstance(value, tuple) or not value:
            return shown(value), _STEPS, ""
        for pair in value:
            if not isinstance(pair, tuple) or len(pair) != 2:
                return shown(pair), _STEPS, ""
            for gate, item in zip((MONTH, _RACKS), pair, strict=True):
                if wrong := gate.wrong(item):
                    return wrong
        months, racks = zip(*value, strict=True)
        if list(months) != sorted(set(months)):
            return shown(months), "months must rise from step to step", ""
        if list(racks) != sorted(racks):
            return shown(racks), "racks must not become fewer", "Say from which month on there are more."
        if len(months) > _MOST_STEPS:
            return f"{len(months)} steps", f"at most {_MOST_STEPS} steps", "Take months together."
        return None


def _number(text: Any) -> Any:  # noqa: ANN401
    """Read the key of a table, which TOML and JSON write as text."""
    if isinstance(text, str) and text.strip().isdigit() and len(text) < 9:
        return int(text)
    return text


@documented
class Ramp(Checked):
    """Racks that are asked for, by month.

    From each month on so many racks stand in their halls and wait for power; before the first there are none.

    Raises
    ------
    InputError
        With every fault found.

    Examples
    --------
    >>> ramp = sd.Ramp.steady(racks=700, first_month=6, racks_per_month=100)
    >>> ramp.racks(8), ramp.final
    (300, 700)
    """

    WHERE: ClassVar[str] = "ramp"
    EXAMPLE: ClassVar[str] = "sd.Ramp(steps={6: 100, 12: 700})"

    steps: Annotated[tuple[tuple[int, int], ...], _Steps(), Input(
        "racks by month", "Month from which on so many racks are asked for, and how many. Months rise, racks "
        "do not become fewer.",
        ROADMAP, example={6: 100, 12: 700}, type="mapping of int to int", sort="table",
    )]  # fmt: skip

    @classmethod
    @takes("Ramp.steady()", racks=_SOME_RACKS, first_month=MONTH, racks_per_month=_SOME_RACKS)
    def steady(cls, racks: int, first_month: int, racks_per_month: int) -> Self:
        """Put so many racks up each month from a month on, until all are there.

        Parameters
        ----------
        racks : int
            In the end.
        first_month : int
            In which the first are asked for. [month]
        racks_per_month : int
            [racks/month]
        """
        count = math.ceil(racks / racks_per_month)
        if count > _MOST_STEPS:
            found, allowed = f"{racks_per_month}", f"all {racks} racks must stand within {_MOST_STEPS} months"
            raise InputError([Fault("racks_per_month", found, allowed)], "Ramp.steady()")
        return cls(
            steps=tuple((first_month + i, min(racks, (i + 1) * racks_per_month)) for i in range(count))
        )

    @takes("Ramp.racks()", month=Measure("months", 0, 1e6))
    def racks(self, month: float) -> int:
        """Racks asked for in a month."""
        return max((racks for begins, racks in self.steps if begins <= month), default=0)

    @property
    def final(self) -> int:
        """Racks in the end."""
        return self.steps[-1][1]


@documented
class Rental(Checked):
    """Units of a backup technology that can be rented: they come soon and may leave again.

    The rent is for the machine with its operation, without fuel, as such contracts are written.

    Raises
    ------
    InputError
        With every fault found.

    Examples
    --------
    >>> sd.Rental(technology="mobile_gt", units=12, rent_usd_per_kw_month=42, from_month=3).units
    12
    """

    WHERE: ClassVar[str] = "rental"
    EXAMPLE: ClassVar[str] = "sd.Rental(technology='recip_medium', units=20, rent_usd_per_kw_month=42)"

    # fmt: off
    technology: Annotated[str, _TECHNOLOGY, Input(
        "technology", "Backup technology whose units are rented, by its name in the library; it need not be "
        "among those that the study may buy.", ROADMAP, example="recip_medium",
    )]
    units: Annotated[int, _UNITS, Input(
        "units", "Most units at a time.", ROADMAP, example=20,
    )]
    rent_usd_per_kw_month: Annotated[float, _RENT, Input(
        "rent", "Of one kW of rated power, operation included, without fuel.", ROADMAP, example=42.0,
    )]
    from_month: Annotated[int, MONTH, Input(
        "from month", "Month in which the first can run.", ROADMAP, example=3,
    )] = 0
    mobilisation_usd_per_kw: Annotated[float, _USD, Input(
        "mobilisation", "What bringing a unit costs, each time.", ROADMAP, example=80.0,
    )] = 0.0
    min_term_months: Annotated[float, _TERM, Input(
        "minimum term", "Months for which a unit is rented at least.", ROADMAP, example=36,
    )] = 0.0
    # fmt: on


@documented
class Delivery(Checked):
    """When a technology can be there and how fast it is built.

    The total by month m is at most the rate times the months since the lead time, and at most the cap.

    Raises
    ------
    InputError
        With every fault found.

    Examples
    --------
    >>> sd.Delivery(technology="solar", lead_months=10, mw_per_month=40).mw_per_month
    40.0
    """

    WHERE: ClassVar[str] = "delivery"
    EXAMPLE: ClassVar[str] = "sd.Delivery(technology='solar', lead_months=10, mw_per_month=40)"

    # fmt: off
    technology: Annotated[str, _TECHNOLOGY, Input(
        "technology", "``solar``, ``battery``, ``grid``, or the name of a turbine or backup technology of "
        "the study.", ROADMAP, example="solar",
    )]
    lead_months: Annotated[int | None, MONTH, Input(
        "lead time", "Months from order to the first power of it. Those of the study when left out.",
        ROADMAP, example=10,
    )] = None
    mw_per_month: Annotated[float | None, _RATE, Input(
        "rate", "Power that can be added each month after the lead time: MWdc of an array. Any when left "
        "out.", ROADMAP, example=40.0,
    )] = None
    mwh_per_month: Annotated[float | None, _MWH_RATE, Input(
        "rate of the battery", "Battery energy that can be added each month after the lead time. Any when "
        "left out.", ROADMAP, example=250.0,
    )] = None
    most_mw: Annotated[float | None, _MW, Input(
        "cap", "Most of it in all. Any when left out.", ROADMAP, example=600.0,
    )] = None
    # fmt: on

    def _contradictions(self) -> list[Fault]:
        """Find faults between fields."""
        if self.mwh_per_month is None or self.technology == "battery":
            return []
        remedy = "Give mw_per_month."
        return [
            Fault("delivery.mwh_per_month", f"{self.mwh_per_month:g}", "is the rate of a battery", remedy)
        ]


@documented
class Scenario(Checked):
    """Dates that may come true, and how likely that is.

    Raises
    ------
    InputError
        With every fault found.

    Examples
    --------
    >>> sd.Scenario(name="late grid", probability=0.3, months={"grid": 60}).months["grid"]
    60
    """

    WHERE: ClassVar[str] = "scenario"
    EXAMPLE: ClassVar[str] = "sd.Scenario(probability=0.3, months={'grid': 60})"

    # fmt: off
    months: Annotated[Mapping[str, Annotated[int, MONTH]], Input(
        "dates", "Month in which a technology can first be there, by its name: ``grid``, or any that is "
        "delivered.", ROADMAP, example={"grid": 60}, type="mapping of str to int", sort="table",
    )] = Field(default_factory=dict)
    probability: Annotated[float, _PROBABILITY, Input(
        "probability", "Of these dates; those of all scenarios add up to 1.", ROADMAP, example=0.3,
    )] = 1.0
    name: Annotated[str, Words(most=60), Input(
        "name", "In results.", ROADMAP, example="late grid",
    )] = ""
    # fmt: on


@documented
class DateRange(Checked):
    """When a technology may first be there: three months of a distribution of its date.

    Logarithms of the months are normal on either side of the middle, with the spread that the two others ask
    for: a log-normal distribution where they lie evenly around it.

    Raises
    ------
    InputError
        With every fault found.

    Examples
    --------
    >>> sd.DateRange(technology="grid", p10_months=24, p50_months=36, p90_months=60).p50_months
    36.0
    """

    WHERE: ClassVar[str] = "date_range"
    EXAMPLE: ClassVar[str] = "sd.DateRange(technology='grid', p10_months=24, p50_months=36, p90_months=60)"

    # fmt: off
    technology: Annotated[str, _TECHNOLOGY, Input(
        "technology", "``solar``, ``battery``, ``grid``, or the name of a turbine, or of a backup technology "
        "that is bought, or of one that can only be rented.", ROADMAP, example="grid",
    )]
    p10_months: Annotated[float, _SOME_MONTHS, Input(
        "P10", "Month by which it is there with a chance of 10 %.", ROADMAP, example=24,
    )]
    p50_months: Annotated[float | None, _SOME_MONTHS, Input(
        "P50", "The same of 50 %. The month that the plan reckons with when left out.", ROADMAP, example=36,
    )] = None
    p90_months: Annotated[float, _SOME_MONTHS, Input(
        "P90", "The same of 90 %.", ROADMAP, example=60,
    )]
    # fmt: on

    def _contradictions(self) -> list[Fault]:
        """Find faults between fields."""
        middle = self.p10_months if self.p50_months is None else self.p50_months
        if self.p10_months <= middle <= self.p90_months:
            return []
        given = [m for m in (self.p10_months, self.p50_months, self.p90_months) if m is not None]
        found = ", ".join(f"{month:g}" for month in given)
        return [
            Fault(f"dates.{self.technology}", f"months {found}", "P10, P50 and P90 must rise", "Sort them.")
        ]


def ramp_of(given: Any) -> Any:  # noqa: ANN401
    """Make a ramp of racks by month, or of one number of racks from the first month on."""
    if isinstance(given, Ramp) or given is None:
        return given
    if isinstance(given, Mapping) and set(given) == {"steps"}:
        given = given["steps"]
    if is_number(given):
        given = {0: given}
    return Ramp(steps=given)
