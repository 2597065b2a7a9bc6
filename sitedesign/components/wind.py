"""What a wind farm makes of the weather: MW at the bus per MW of turbines, in every step of every year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sitedesign.errors import Fault, InputError
from sitedesign.weather.farm_curve import as_standard_density, farm_power

if TYPE_CHECKING:
    from sitedesign.library import Wind
    from sitedesign.weather.weather import Weather

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WindResource:
    """A farm of one kind of turbine as an optimiser needs it; all per MW of turbines.

    Attributes
    ----------
    name : str
        Library name of the turbine.
    yield_mw_per_mw : ndarray, shape (years, steps)
        At the bus, `availability` not taken off. [MW/MW]
    availability : float
        Mean share of the turbines that work. [fraction]
    unit_mw : float
        [MW]
    capex_usd_per_mw, fixed_om_usd_per_mw_yr : float
        [USD/MW, USD/MW-yr]
    life_yr : float
        [yr]
    spaced_acres_per_mw, disturbed_acres_per_mw : float
        Land that the turbines are spaced over, and what of it they take out of use. [acre/MW]
    lead_months : float
        Order to first power. [months]
    """

    name: str
    yield_mw_per_mw: FloatArray
    availability: float
    unit_mw: float
    capex_usd_per_mw: float
    fixed_om_usd_per_mw_yr: float
    life_yr: float
    spaced_acres_per_mw: float
    disturbed_acres_per_mw: float
    lead_months: float


def wind_resource(weather: Weather, turbine: Wind) -> WindResource:
    """Yield, cost, land and lead time of a farm of one kind of turbine.

    Parameters
    ----------
    weather : Weather
        With wind aloft.
    turbine : Wind

    Returns
    -------
    WindResource

    Raises
    ------
    InputError
        If the weather has no wind aloft, or none near the hub.
    """
    spaced = 1 / turbine.plant_density_mw_per_acre
    return WindResource(
        name=turbine.name,
        yield_mw_per_mw=wind_yield(weather, turbine),
        availability=turbine.availability,
        unit_mw=turbine.unit_mw,
        capex_usd_per_mw=turbine.capex_usd_per_kw * 1000,
        fixed_om_usd_per_mw_yr=turbine.fixed_om_usd_per_kw_yr * 1000,
        life_yr=turbine.life_yr,
        spaced_acres_per_mw=spaced,
        disturbed_acres_per_mw=spaced * turbine.disturbed_land_fraction,
        lead_months=turbine.lead_months,
    )


def wind_faults(weather: Weather, turbine: Wind) -> list[Fault]:
    """Say why a turbine has no yield in a weather; empty where it has."""
    wind = weather.wind_aloft
    if wind is not None:
        return wind.hub_faults(turbine.hub_height_m)
    found = f"no wind aloft in the weather ({weather.source.description})"
    remedy = (
        "Generate it with the sun: sd.Weather.generate(site, wind=True); or read wind of the same years: "
        "sd.Weather.read(sun).with_wind(wind)."
    )
    return [
        Fault("wind", found, f"turbine {turbine.name} needs wind near {turbine.hub_height_m:g} m", remedy)
    ]


def wind_yield(weather: Weather, turbine: Wind) -> FloatArray:
    """Output of a farm at the bus, per MW of turbines.

    Speed at the hub, brought to standard density; the turbine's curve smoothed over the farm; stops by cold
    and by ice where the weather carries humidity; wakes, cables and worn blades taken off.

    Parameters
    ----------
    weather : Weather
        With wind aloft.
    turbine : Wind

    Returns
    -------
    ndarray, shape (years, steps)
        [MW/MW at the bus]

    Raises
    ------
    InputError
        If the weather has no wind aloft, or none near the hub.

    Notes
    -----
    Outages of turbines (``turbine.availability``) are not in it: sizing and certification add their own.
    """
    wind = weather.wind_aloft
    faults = wind_faults(weather, turbine)
    if wind is None or faults:
        raise InputError(faults, "wind yield")
    remaining = (
        (1 - turbine.wake_loss_fraction)
        * (1 - turbine.electrical_loss_fraction)
        * (1 - turbine.performance_loss_fraction)
    )
    density = wind.density_at(turbine.hub_height_m, weather.site.elevation_m)
    speed = as_standard_density(wind.speed_at(turbine.hub_height_m), density)
    power = remaining * farm_power(speed, turbine.power_curve)
    stopped = weather.temp_air_c < turbine.low_temperature_stop_c
    if wind.humidity_fraction is not None:
        icing = wind.humidity_fraction > turbine.icing_humidity_fraction
        stopped |= icing & (weather.temp_air_c < turbine.icing_below_c)
    power[stopped] = 0.0
    return power
