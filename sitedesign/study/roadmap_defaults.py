"""What the library says of a roadmap where its user does not: deliveries, terms of rent, racks by month."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

from sitedesign import library
from sitedesign.errors import Fault, InputError, shown, unknown_name
from sitedesign.finance.value_of_delay import rack_month_usd
from sitedesign.library.number import Quantity
from sitedesign.study.roadmap_inputs import DateRange, Delivery, Ramp, Rental
from sitedesign.study.study import Study

SOLAR, BATTERY, RACKS, OTHER = "solar", "battery", "racks", "other"
LIBRARY = "library"  # dates as the library has them
_P90 = NormalDist().inv_cdf(0.9)


def usual_deliveries(study: Study) -> tuple[Delivery, ...]:
    """List when each technology of a study arrives, and how fast, as the library has it.

    Lead times of turbines and backup are those of their own entries; a technology that the library does not
    know by name arrives as its entry ``other`` says.
    """
    found = [_delivery(SOLAR), _delivery(BATTERY)]
    farms = [_delivery("wind", item.name) for item in study.wind]
    known = library.names("delivery")
    units = [_delivery(item.name if item.name in known else OTHER, item.name) for item in study.backup]
    return (*found, *farms, *units)


def with_usual(given: Sequence[Delivery], study: Study) -> tuple[Delivery, ...]:
    """Complete the deliveries given by those of the library: one that is given replaces the library's."""
    own = {item.technology for item in given}
    return (*given, *(item for item in usual_deliveries(study) if item.technology not in own))


def usual_ramp(racks: int, first_month: int = 0) -> Ramp:
    """Racks that can be put to work each month, as many as the library has it, until all are there."""
    return Ramp.steady(racks, first_month, max(1, round(library.delivery(RACKS).per_month)))


def usual_rental(name: str, units: int | None = None, *, free: bool = False) -> Rental:
    """Give the terms on which power can be rented, as the library has them.

    Parameters
    ----------
    name : str
        Of the library's rentals.
    units : int, optional
        Most at a time; what one project can have when left out.
    free : bool
        Whether units stand free, so that they come soon.
    """
    terms = library.rental(name)
    if units is None:
        units = math.floor(terms.available_mw / library.backup(terms.technology).unit_mw)
    return Rental(
        technology=terms.technology,
        units=units,
        rent_usd_per_kw_month=terms.usd_per_kw_month,
        from_month=math.ceil(terms.free_months if free else terms.months),
        mobilisation_usd_per_kw=terms.mobilisation_usd_per_kw,
        min_term_months=terms.least_months,
    )


def rentals_of(given: Any) -> Any:  # noqa: ANN401
    """Make rentals of names of the library (``["mobile_gt"]``), or of units by name (``{"mobile_gt": 12}``).

    What is a rental already, or none at all, goes through.

    Raises
    ------
    InputError
        For a name that the library does not rent, with the nearest one.
    """
    if isinstance(given, str):
        given = [given]
    named = isinstance(given, Mapping) and "technology" not in given
    items = list(given.items()) if named else [(item, None) for item in _several(given)]
    faults, found = [], []
    for item, units in items:
        if not isinstance(item, str):
            found.append(Rental.from_dict(item) if isinstance(item, Mapping) else item)
        elif item not in library.names("rental"):
            faults.append(_unknown(item))
        else:
            found.append(usual_rental(item, units))
    if faults:
        raise InputError(faults, "roadmap()")
    return tuple(found) if given is not None else ()


def dates_of(given: Any) -> Any:  # noqa: ANN401
    """Make ranges of dates of what is given by name (``{"grid": (24, 36, 60)}``); a name goes through.

    Raises
    ------
    InputError
        For what is neither, and for ranges that do not rise.
    """
    if given is None or given == LIBRARY:
        return given or ()
    allowed = f"must be {LIBRARY!r}, or months by technology, for example {{'grid': (24, 36, 60)}}"
    if isinstance(given, Mapping) and "technology" not in given:
        given = [_range(name, months) for name, months in given.items()]
    items = _several(given)
    found: list[Any] = []
    faults: list[Fault] = []
    for item in items:
        try:
            found.append(DateRange.from_dict(item) if isinstance(item, Mapping) else item)
        except InputError as error:
            faults += error.faults
    faults += [Fault("dates", shown(item), allowed) for item in found if not isinstance(item, DateRange)]
    if faults:
        raise InputError(faults, "roadmap()")
    return tuple(found)


def _range(name: Any, months: Any) -> Any:  # noqa: ANN401
    """Fields of a range of P10 and P90, or of P10, P50 and P90; anything else as it is."""
    if isinstance(months, list | tuple) and len(months) in (2, 3):
        middle = {"p50_months": months[1]} if len(months) == 3 else {}
        return {"technology": name, "p10_months": months[0], "p90_months": months[-1], **middle}
    return {name: months}


def usual_dates(study: Study, rentals: Sequence[Rental], planned: Mapping[str, float]) -> list[DateRange]:
    """List how uncertain dates are, as the library has it: in proportion to the months that are planned.

    The range of a lead time in the library is taken for its P10 and P90; the date of a grid is log-normal
    with the spread of its entry. What has no range comes as planned.

    Parameters
    ----------
    study : Study
    rentals : sequence of Rental
        What can only be rented comes with the range of its rental.
    planned : mapping of str to float
        Month of the first of each technology. [months]
    """
    leads: dict[str, Quantity | None] = {
        SOLAR: library.delivery(SOLAR).sources.get("first_months"),
        BATTERY: library.delivery(BATTERY).sources.get("first_months"),
    }
    leads |= {item.name: item.sources.get("lead_months") for item in (*study.wind, *study.backup)}
    terms = {t.technology: t for t in (library.rental(name) for name in library.names("rental"))}
    rented = [r.technology for r in rentals if r.technology not in leads and r.technology in terms]
    leads |= {name: terms[name].sources.get("months") for name in rented}
    shares = {name: _shares(known) for name, known in leads.items() if known is not None and known.range}
    if study.grid is not None and not study.grid.is_absent:
        spread = math.exp(_P90 * study.grid.connection.months_sigma)
        shares["grid"] = (1.0 / spread, spread)
    return [
        DateRange(technology=name, p10_months=low * planned[name], p90_months=high * planned[name])
        for name, (low, high) in shares.items()
        if planned.get(name, 0.0) > 0.0
    ]


def _shares(known: Quantity) -> tuple[float, float]:
    """Give the ends of a range as shares of its value, around it."""
    assert known.range is not None
    value = float(known.value)  # type: ignore[arg-type]
    return min(known.range[0] / value, 1.0), max(known.range[1] / value, 1.0)


def value_of(given: float | str | None, study: Study) -> float | None:
    """Value of a rack that runs for a month: a number, or that of an owner whom the library knows.

    Parameters
    ----------
    given : float, str or None
        [USD/rack-month], or ``landlord``, ``developer``, ``gpu_owner``, ``gpu_holder``.
    study : Study
        With the rack.

    Raises
    ------
    InputError
        For an owner that the library does not know.
    """
    if not isinstance(given, str):
        return given
    if given not in library.names("owner") and not given.endswith(".toml"):
        fault = unknown_name("value_usd_per_rack_month", given, library.names("owner"))
        raise InputError([fault], "roadmap()")
    return rack_month_usd(library.owner(given), study.rack)


def _several(given: Any) -> list[Any]:  # noqa: ANN401
    if given is None:
        return []
    return list(given) if isinstance(given, list | tuple) else [given]


def _unknown(name: str) -> Fault:
    return unknown_name("rentals", name, library.names("rental"))


def _delivery(entry: str, technology: str | None = None) -> Delivery:
    """Delivery of a technology by an entry of the library."""
    known = library.delivery(entry)
    rate = "mwh_per_month" if known.counts == "MWh" else "mw_per_month"
    lead = {} if known.first_months is None else {"lead_months": math.ceil(known.first_months)}
    return Delivery(technology=technology or entry, **lead, **{rate: known.per_month})
