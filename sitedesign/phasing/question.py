"""What a roadmap decides on, in the terms of a case: deliveries, rentals, ramp, horizon, prices by date."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sitedesign.case.case import Case

BATTERY_MWH, BATTERY_MW = "battery_mwh", "battery_mw"

#: Annual cost of a unit of each technology that comes in a month; the case says those left out. [USD/yr]
CostsAt = Callable[[float], Mapping[str, float]]


@dataclass(frozen=True)
class DeliveryCase:
    """When one technology can be there and how fast it is built.

    Attributes
    ----------
    lead_months : float
        From order to first power. [months]
    per_month : float
        What can be added each month after that; infinite where nothing holds it back. [MW, or MWh of battery]
    most : float
        In all. [MW, or MWh of battery]
    """

    lead_months: float
    per_month: float = math.inf
    most: float = math.inf

    def by(self, month: float) -> float:
        """Most that can be there by a month: the rate times the months since the lead time. [MW or MWh]"""
        since = month - self.lead_months
        if since < 0.0:
            return 0.0
        return self.most if math.isinf(self.per_month) else min(self.most, self.per_month * since)

    @property
    def first_month(self) -> float:
        """Month by which the first of it can be there."""
        return self.lead_months if math.isinf(self.per_month) else self.lead_months + 1.0


@dataclass(frozen=True)
class RentalCase:
    """Units of one backup technology that can be rented.

    Attributes
    ----------
    technology : str
        Name of one of ``Case.backup``.
    units : int
        Most at a time.
    from_month : float
        In which the first can run. [months]
    usd_per_unit_month : float
        [USD/month]
    mobilisation_usd_per_unit : float
        Each time. [USD]
    min_term_months : float
        [months]
    """

    technology: str
    units: int
    from_month: float
    usd_per_unit_month: float
    mobilisation_usd_per_unit: float = 0.0
    min_term_months: float = 0.0


@dataclass(frozen=True, eq=False)
class RoadmapCase:
    """Question of a roadmap, reduced to arrays.

    Attributes
    ----------
    case : Case
        The plant in the end, with all racks; its own lead times and cost of delay are not read.
    steps : tuple of (float, int)
        Months and the racks that are asked for from then on. [months, racks]
    horizon_months : float
        Until which is paid and earned. [months]
    discount_per_yr : float
        Real. [fraction/yr]
    deliveries : mapping of str to DeliveryCase
        By name of resource, backup technology or import, and ``battery_mwh`` and ``battery_mw``.
    rentals : tuple of RentalCase
    value_usd_per_rack_month : float or None
        Of a rack that runs; None where all that are asked for must run. [USD/rack-month]
    rented_only : frozenset of str
        Technologies that cannot be bought.
    costs_at : callable, optional
        Annual cost by date of delivery, where tax credits depend on it.
    most_stages : int
    """

    case: Case
    steps: tuple[tuple[float, int], ...]
    horizon_months: float
    discount_per_yr: float
    deliveries: Mapping[str, DeliveryCase] = field(default_factory=dict)
    rentals: tuple[RentalCase, ...] = ()
    value_usd_per_rack_month: float | None = None
    rented_only: frozenset[str] = frozenset()
    costs_at: CostsAt | None = None
    most_stages: int = 12

    def racks(self, month: float) -> int:
        """Racks asked for in a month."""
        return max((racks for begins, racks in self.steps if begins <= month), default=0)

    def delivery(self, name: str) -> DeliveryCase:
        """When a technology can be there: at once where nothing is said."""
        return self.deliveries.get(name, DeliveryCase(0.0))

    @property
    def sources(self) -> dict[str, float]:
        """Month by which the first of each source of power can be there."""
        case = self.case
        names = [r.name for r in case.resources if r.bounds_mw[1] > 0.0]
        names += [b.name for b in case.backup if b.units_max > 0 and b.name not in self.rented_only]
        names += [i.name for i in case.imports if i.units_max > 0]
        found = {name: self.delivery(name).first_month for name in names}
        for item in self.rentals:
            if item.units > 0:
                known = found.get(item.technology, math.inf)
                found[item.technology] = min(known, item.from_month)
        return found
