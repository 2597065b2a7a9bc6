"""The kinds of library entry about time: deliveries to one site, power for rent, and who loses by a delay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from sitedesign.library.number import Entry, Number


class DeliveryRate(Entry):
    """How fast a technology arrives at one site: when the first of it, and how much a month from then on.

    By month m there is at most ``per_month * max(0, m - first_months)`` on the site. An entry is named after
    a technology of the library, or ``solar``, ``wind``, ``battery``, ``hall``, ``racks``; ``other`` is what
    has none of its own.
    """

    kind: Literal["delivery"] = "delivery"
    counts: Literal["MW", "MWdc", "MWh", "racks"]
    first_months: Annotated[
        float | None, Number("months", 0, 240, "Order to the first of it; none: lead and permit of the entry")
    ]
    per_month: Annotated[float, Number("1/month", 0.1, 100_000, "What arrives in a month, in `counts`")]


class RentalTerms(Entry):
    """Power for rent: by whom it can be had, when, how much of it, and on what terms.

    Rent is by rated power, with operation and without fuel; fuel, derating and failures are those of
    `technology`, an entry of the library's backup.
    """

    kind: Literal["rental"] = "rental"
    technology: str
    usd_per_kw_month: Annotated[float, Number("USD/kW-month", 0, 1000, "Rent, with operation, without fuel")]
    mobilisation_usd_per_kw: Annotated[
        float, Number("USD/kW", 0, 5000, "Bringing it, setting it up and taking it away, once")
    ]
    least_months: Annotated[float, Number("months", 0, 240, "Least time it is rented for")]
    months: Annotated[float, Number("months", 0, 240, "Order to first power, no unit standing free")]
    free_months: Annotated[float, Number("months", 0, 240, "Order to first power of a unit that stands free")]
    free_fraction: Annotated[float, Number("fraction", 0, 1, "Chance that a unit stands free")]
    available_mw: Annotated[float, Number("MW", 0, 20_000, "Power that one project can rent at once")]
    mw_per_month: Annotated[float, Number("MW/month", 0.1, 10_000, "Power set up in a month")]


class Owner(Entry):
    """Who owns what, what he sells and on what debt, and what a month of idle racks costs him.

    Idle racks cost income, or the carrying cost of what stands idle; never both: who counts the rent not
    earned must not count the capital that the rent would have paid. ``hosting`` is a hall, let by the kW.
    """

    kind: Literal["owner"] = "owner"
    sells: Literal["power", "hosting", "compute"]
    debt: str
    equity_rate: Annotated[
        float | None,
        Number("fraction/yr", 0, 0.5, "Return that equity asks after tax, nominal; none: as finance says"),
    ]
    usd_per_kw_month: Annotated[
        float | None, Number("USD/kW-month", 0, 20_000, "Income lost, by rack power; none: carrying cost")
    ]
    capital_per_yr: Annotated[
        float | None, Number("fraction/yr", 0, 1, "Cost of capital of idle racks, where that counts")
    ]
    ageing_per_month: Annotated[
        float | None,
        Number("fraction/month", 0, 0.5, "Price that idle racks lose, where that counts"),
    ]

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
        """Income or carrying cost, never both and never neither."""
        carried = [data["capital_per_yr"], data["ageing_per_month"]]
        earns = data["usd_per_kw_month"] is not None
        if carried == [None, None] if earns else None not in carried:
            return []
        allowed = "must be a number and capital_per_yr and ageing_per_month none, or the other way round"
        return [
            ("usd_per_kw_month", "a number" if earns else "none", allowed, "Idle cost is one of the two.")
        ]
