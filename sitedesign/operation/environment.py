"""What surrounds a plant in operation."""

from __future__ import annotations

from dataclasses import dataclass, field

from sitedesign.operation.forecast import Climatology, Forecast
from sitedesign.operation.outages.rates import OutageModel
from sitedesign.operation.rack_restart import Restart
from sitedesign.operation.state import UnitBehaviour


@dataclass(frozen=True, eq=False)
class OperatingEnvironment:
    """What surrounds a plant in operation: failures, how its units behave, what the operator knows.

    Attributes
    ----------
    climatology : Climatology
        The climate as the operator knows it, from past years.
    outages : OutageModel
        Nothing fails when left out.
    unit_behaviours : tuple of UnitBehaviour
        Per technology; ideal units when left out.
    forecast : Forecast
    restart : Restart or None
        What it costs a rack to start again; nothing when left out.
    ride_through_failure : float
        Share of the load carried until units have started that falls all the same. [fraction]
    """

    climatology: Climatology
    outages: OutageModel = field(default_factory=OutageModel)
    unit_behaviours: tuple[UnitBehaviour, ...] = ()
    forecast: Forecast = field(default_factory=Forecast)
    restart: Restart | None = None
    ride_through_failure: float = 0.0

    @property
    def fuels(self) -> list[str]:
        """Fuel names in the order in which the outages number them."""
        return [fuel.name for fuel in self.outages.fuels]
