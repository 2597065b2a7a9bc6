"""What the library says of a roadmap where its user does not: deliveries, terms of rent, racks by month."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sitedesign import library
from sitedesign.errors import Fault, InputError, unknown_name
from sitedesign.finance.value_of_delay import rack_month_usd
from sitedesign.study.roadmap_inputs import Delivery, Ramp, Rental
from sitedesign.study.study import Study

SOLAR, BATTERY, RACKS, OTHER = "solar", "battery", "racks", "other"


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
