"""What a wind farm makes of the weather: MW per MW of turbines, in every step of every year."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sitedesign.errors import Fault, InputError
from sitedesign.weather.farm_curve import as_standard_density, farm_power

if TYPE_CHECKING:
    from sitedesign.library import Wind
    from sitedesign.weather.weather import Weather

FloatArray = NDArray[np.float64]


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
    """Output of a farm at its substation, per MW of turbines.

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
        [MW/MW at the farm's substation]

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
