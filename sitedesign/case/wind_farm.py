"""A wind farm beside the solar array: a resource of the case, from a turbine of the library."""

from __future__ import annotations

from sitedesign.case.capacity_bounds import Pair, solar_upper_mw, within
from sitedesign.case.case import FloatArray, Resource
from sitedesign.components.wind import wind_yield
from sitedesign.finance.annual_cost import AnnualCost
from sitedesign.library import Wind
from sitedesign.study.study import Study
from sitedesign.weather.weather import Weather

_CALM_DAYS = 10  # a calm day has hardly any wind at all; bounds that bind are widened in any case


def farm_yield(study: Study, weather: Weather, turbine: Wind) -> FloatArray:
    """Output at the bus per MW of turbines, shape (years, steps). [MW/MW]

    Outages of single turbines enter sizing as their mean. Turbines give alternating current: on a DC bus they
    pay for the rectifier as the backup does.
    """
    at_bus = turbine.availability * study.path.generator_to_bus_efficiency
    return at_bus * wind_yield(weather, turbine)


def wind_farm(
    study: Study,
    weather: Weather,
    turbine: Wind,
    cost: AnnualCost,
    load_mw: FloatArray,
    asked_mw: Pair | None = None,
    most_mw: float | None = None,
) -> Resource:
    """One kind of turbine as a resource of the case.

    Parameters
    ----------
    study : Study
    weather : Weather
        With wind aloft.
    turbine : Wind
    cost : AnnualCost
        Of one MW.
    load_mw : ndarray, shape (T,)
        For the derived upper bound: a farm that carries the calmest ten days alone. [MW at the bus]
    asked_mw : tuple of float, optional
        Least and most that the user allows. [MW]
    most_mw : float, optional
        The upper bound; derived when left out. [MW]

    Returns
    -------
    Resource
        Named by the turbine; land is what the farm takes out of use.

    Raises
    ------
    InputError
        If the weather has no wind near the hub.
    """
    output = farm_yield(study, weather, turbine).ravel()
    if most_mw is None:
        most_mw = _upper_mw(output, load_mw, weather.step_h, study.battery.round_trip_efficiency)
    bounds_mw, widest_mw = within(most_mw, asked_mw)
    return Resource(
        name=turbine.name,
        label=f"wind farm of {turbine.name}",
        yield_mw_per_mw=output,
        annual_cost_usd_per_mw=cost.total_usd_per_yr,
        acres_per_mw=turbine.disturbed_land_fraction / turbine.plant_density_mw_per_acre,
        lead_months=turbine.lead_months,
        bounds_mw=bounds_mw,
        widest_mw=widest_mw,
    )


def _upper_mw(output: FloatArray, load_mw: FloatArray, step_h: float, round_trip: float) -> float:
    """Farm that carries each ten days from their own wind, as the array's bound does each day. [MW]"""
    width = round(_CALM_DAYS * 24 / step_h)
    count = output.size // width
    output, load_mw = (
        series[: count * width].reshape(count, width).mean(axis=1) for series in (output, load_mw)
    )
    return solar_upper_mw(output, load_mw, _CALM_DAYS * 24.0, round_trip)
