"""Operation and certificates in one line, for tests."""

from __future__ import annotations

from sitedesign.operation.environment import OperatingEnvironment
from sitedesign.operation.forecast import Forecast, climatology, resource_factors
from sitedesign.operation.operate import operate
from sitedesign.operation.outages.rates import FuelOutages, OutageModel
from sitedesign.operation.state import Controller
from sitedesign.reliability.certificate_plan import CertificatePlan
from sitedesign.reliability.monte_carlo import monte_carlo
from sitedesign.reliability.weather_blocks import WeatherBlock


def operated(
    case, plant, controller=None, *, behaviours=(), forecast=None, climate=None, fuels=(), seed=0, **more
):
    """Operate a plant under ideal units and the case's own climate where nothing else is said."""
    environment = OperatingEnvironment(
        climate or climatology(case),
        OutageModel(fuels=tuple(FuelOutages(name) for name in fuels)),
        tuple(behaviours),
        forecast or Forecast(),
    )
    if seed:
        more["forecast_factors"] = resource_factors(
            environment.forecast, environment.climatology, case, seed=seed
        )
    return operate(case, plant, controller, environment, **more)


def assessed(weather, plant, outages, behaviours, *, controller=None, forecast=None, progress=None, **plan):
    """Certificate of a plant, under an operator who knows the climate of the first block."""
    first = weather
    if not isinstance(weather, WeatherBlock):
        first = weather(0) if callable(weather) else weather[0]
    climate = climatology(first.case, first.temp_air_c)
    environment = OperatingEnvironment(climate, outages, tuple(behaviours), forecast or Forecast())
    how = CertificatePlan(**plan)
    return monte_carlo(weather, plant, controller or Controller(), environment, how, progress)
