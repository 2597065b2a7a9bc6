"""Annualised cost of every asset: pure functions of library entries.

All figures are real (constant dollars of the library's currency year). Capital is annualised with the capital
recovery factor of the asset's own life, so assets of different lives add up without an explicit replacement
schedule.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sitedesign.library import Backup, Battery, Facility, Finance, Fuel, PowerPath, Pv, Rack, Wind

BTU_PER_KWH_TO_MMBTU_PER_MWH = 1e-3
HOURS_PER_YEAR = 8760


@dataclass(frozen=True)
class AnnualCost:
    """Capital and yearly cost of one unit of an asset.

    Attributes
    ----------
    capital_usd : float
        Overnight capital before tax credits. [USD per unit]
    credit_usd : float
        Investment tax credit. [USD per unit]
    capital_usd_per_yr : float
        Capital net of the credit, annualised. [USD/yr per unit]
    fixed_usd_per_yr : float
        Fixed operation and maintenance, reservations, land. [USD/yr per unit]
    life_yr : float
        After which it is bought again; 0 where it lasts, as land does. [yr]
    """

    capital_usd: float
    credit_usd: float
    capital_usd_per_yr: float
    fixed_usd_per_yr: float
    life_yr: float = 0.0

    @property
    def total_usd_per_yr(self) -> float:
        """Annualised capital and fixed cost. [USD/yr per unit]"""
        return self.capital_usd_per_yr + self.fixed_usd_per_yr

    def __add__(self, other: AnnualCost) -> AnnualCost:
        """Cost of both together."""
        return AnnualCost(
            self.capital_usd + other.capital_usd,
            self.credit_usd + other.credit_usd,
            self.capital_usd_per_yr + other.capital_usd_per_yr,
            self.fixed_usd_per_yr + other.fixed_usd_per_yr,
            self.life_yr,
        )


#: Of what costs nothing.
NOTHING = AnnualCost(0.0, 0.0, 0.0, 0.0)


def capital_recovery_factor(rate: float, life_yr: float) -> float:
    """Constant yearly payment that repays one dollar of capital.

    Parameters
    ----------
    rate : float
        Real cost of capital. [fraction/yr]
    life_yr : float
        [yr]

    Returns
    -------
    float
        ``r / (1 - (1 + r)**-n)``, the annuity formula; ``1 / n`` at zero rate. [1/yr]
    """
    if rate == 0:
        return 1 / life_yr
    return float(rate / (1 - (1 + rate) ** -life_yr))


def annual_cost(
    capital_usd: float, fixed_usd_per_yr: float, life_yr: float, wacc: float, itc_fraction: float = 0.0
) -> AnnualCost:
    """Annualise one asset.

    Parameters
    ----------
    capital_usd : float
        [USD]
    fixed_usd_per_yr : float
        [USD/yr]
    life_yr : float
        [yr]
    wacc : float
        Real weighted average cost of capital. [fraction/yr]
    itc_fraction : float
        Investment tax credit on the capital. [fraction]
    """
    credit = capital_usd * itc_fraction
    yearly = (capital_usd - credit) * capital_recovery_factor(wacc, life_yr)
    return AnnualCost(capital_usd, credit, yearly, fixed_usd_per_yr, life_yr)


def solar_cost(pv: Pv, finance: Finance, itc_fraction: float) -> AnnualCost:
    """Cost of one MWdc of array with its land, which keeps its value and only carries interest. [USD/MWdc]"""
    land = land_cost(finance, 1 / pv.power_density_mwdc_per_acre)
    fixed = pv.fixed_om_usd_per_kwdc_yr * 1000 + land.fixed_usd_per_yr
    array = annual_cost(pv.capex_usd_per_wdc * 1e6, fixed, pv.life_yr, finance.wacc_power_real, itc_fraction)
    return replace(array, capital_usd=array.capital_usd + land.capital_usd)


def wind_cost(wind: Wind, finance: Finance, itc_fraction: float) -> AnnualCost:
    """Cost of one MW of turbines with the land that they take out of use. [USD/MW]

    The land that they are spaced over stays in use; its rent is part of operation and maintenance.
    """
    land = land_cost(finance, wind.disturbed_land_fraction / wind.plant_density_mw_per_acre)
    fixed = wind.fixed_om_usd_per_kw_yr * 1000 + land.fixed_usd_per_yr
    farm = annual_cost(
        wind.capex_usd_per_kw * 1000, fixed, wind.life_yr, finance.wacc_power_real, itc_fraction
    )
    return replace(farm, capital_usd=farm.capital_usd + land.capital_usd)


def land_cost(finance: Finance, acres: float) -> AnnualCost:
    """Cost of land, which keeps its value and only carries interest. [USD]"""
    capital = finance.land_usd_per_acre * acres
    return AnnualCost(capital, 0.0, 0.0, capital * finance.wacc_power_real)


def battery_energy_cost(battery: Battery, finance: Finance, itc_fraction: float) -> AnnualCost:
    """Cost of one MWh of nameplate battery energy. [USD/MWh]"""
    return _battery_cost(battery, battery.capex_usd_per_kwh * 1000, finance, itc_fraction)


def battery_power_cost(battery: Battery, finance: Finance, itc_fraction: float) -> AnnualCost:
    """Cost of one MW of battery power conversion. [USD/MW]"""
    return _battery_cost(battery, battery.capex_usd_per_kw * 1000, finance, itc_fraction)


def _battery_cost(battery: Battery, capital_usd: float, finance: Finance, itc_fraction: float) -> AnnualCost:
    fixed = capital_usd * battery.fixed_om_fraction_per_yr
    return annual_cost(capital_usd, fixed, battery.life_yr, finance.wacc_power_real, itc_fraction)


def backup_unit_cost(
    backup: Backup, fuel: Fuel, finance: Finance, itc_fraction: float, second: Fuel | None = None
) -> AnnualCost:
    """Cost of one unit, with firm fuel transport and fuel storage on site sized for full load. [USD/unit]

    `second` is the fuel burnt while the first is interrupted, whose tank is paid as well, and what boils off
    it. No credit is taken on storage.
    """
    full_load_mmbtu_per_h = backup.unit_mw * backup.heat_rate_btu_per_kwh_hhv * BTU_PER_KWH_TO_MMBTU_PER_MWH
    storage_usd = full_load_mmbtu_per_h * fuel.storage_h * fuel.storage_usd_per_mmbtu
    if second is not None:
        storage_usd += _second_full_load_mmbtu_per_h(backup) * second.storage_h * second.storage_usd_per_mmbtu
    reservation = full_load_mmbtu_per_h * 24 * fuel.firm_reservation_usd_per_mmbtu_day * 365
    capital = backup.unit_mw * 1000 * backup.capex_usd_per_kw
    fixed = backup.unit_mw * 1000 * backup.fixed_om_usd_per_kw_yr + reservation
    unit = annual_cost(capital, fixed, backup.life_yr, finance.wacc_power_real, itc_fraction)
    stored, hourly = (fuel, full_load_mmbtu_per_h)
    if second is not None:
        stored, hourly = second, _second_full_load_mmbtu_per_h(backup)
    lost_usd = hourly * stored.storage_h * stored.boil_off_per_day * 365 * stored.price_usd_per_mmbtu
    return unit + annual_cost(storage_usd, lost_usd, backup.life_yr, finance.wacc_power_real)


def _second_full_load_mmbtu_per_h(backup: Backup) -> float:
    """Fuel of one unit at full load on its second fuel. [MMBtu/h]"""
    full_mw = backup.unit_mw * (1 + (backup.second_fuel_derate_fraction or 0.0))
    heat_rate = backup.second_fuel_heat_rate_btu_per_kwh_hhv or 0.0
    return full_mw * heat_rate * BTU_PER_KWH_TO_MMBTU_PER_MWH


def backup_site_cost(backup: Backup, finance: Finance) -> AnnualCost:
    """Cost once per site when any unit is built: a gas lateral, a pad. No credit is taken on it. [USD]"""
    return annual_cost(backup.site_cost_usd, 0.0, backup.life_yr, finance.wacc_power_real)


def backup_fuel_mmbtu_per_mwh(backup: Backup, path: PowerPath, heat_factor: float = 1.0) -> float:
    """Full-load fuel per MWh delivered to the bus, higher heating value. [MMBtu/MWh]

    Parameters
    ----------
    backup : Backup
    path : PowerPath
    heat_factor : float
        Heat rate over that in cool air (:func:`sitedesign.components.backup.heat_rate_factor`). [fraction]
    """
    rated = backup.heat_rate_btu_per_kwh_hhv * BTU_PER_KWH_TO_MMBTU_PER_MWH
    return heat_factor * rated / path.generator_to_bus_efficiency


def second_fuel_mmbtu_per_mwh(backup: Backup, path: PowerPath, heat_factor: float = 1.0) -> float:
    """Full-load second fuel per MWh delivered to the bus, higher heating value. [MMBtu/MWh]

    Parameters
    ----------
    backup, path, heat_factor
        As for :func:`backup_fuel_mmbtu_per_mwh`.
    """
    rated = (backup.second_fuel_heat_rate_btu_per_kwh_hhv or 0.0) * BTU_PER_KWH_TO_MMBTU_PER_MWH
    return heat_factor * rated / path.generator_to_bus_efficiency


def backup_marginal_cost(
    backup: Backup,
    fuel: Fuel,
    path: PowerPath,
    fuel_usd_per_mmbtu: float,
    co2_usd_per_t: float,
    fuel_mmbtu_per_mwh: float | None = None,
) -> float:
    """Fuel, variable O&M and carbon of one MWh delivered to the bus at full load. [USD/MWh]

    `fuel_mmbtu_per_mwh` is what it burns where that is not the rating in cool air. [MMBtu/MWh]
    """
    mmbtu = backup_fuel_mmbtu_per_mwh(backup, path) if fuel_mmbtu_per_mwh is None else fuel_mmbtu_per_mwh
    variable_om = backup.variable_om_usd_per_mwh / path.generator_to_bus_efficiency
    return mmbtu * (fuel_usd_per_mmbtu + fuel.co2_kg_per_mmbtu / 1000 * co2_usd_per_t) + variable_om


def rack_cost(rack: Rack, finance: Finance) -> AnnualCost:
    """Cost of one rack with its share of the network. [USD/rack]"""
    capital = rack.price_usd * (1 + rack.network_price_fraction)
    return annual_cost(capital, 0.0, rack.life_yr, finance.wacc_compute)


def hall_cost(facility: Facility, finance: Finance, it_mw: float) -> AnnualCost:
    """Cost of the data hall: shell, cooling, electrical plant. [USD]"""
    return annual_cost(facility.shell_usd_per_mw * it_mw, 0.0, finance.analysis_yr, finance.wacc_power_real)


def ride_through_cost(facility: Facility, finance: Finance, it_mw: float) -> AnnualCost:
    """Cost of the supply that carries the racks until units have started. [USD]"""
    capital = facility.ride_through_usd_per_kw * 1000 * it_mw
    upkeep = capital * facility.ride_through_om_fraction_per_yr
    return annual_cost(capital, upkeep, facility.ride_through_life_yr, finance.wacc_power_real)


def staff_cost(facility: Facility, it_mw: float) -> AnnualCost:
    """Cost of staff and maintenance of the data hall. [USD]"""
    return AnnualCost(0.0, 0.0, 0.0, facility.opex_usd_per_mw_yr * it_mw)


def hall_costs(
    facility: Facility, finance: Finance, it_mw: float
) -> tuple[AnnualCost, AnnualCost, AnnualCost]:
    """Cost of a data hall, of its land, and of its staff and maintenance. [USD]"""
    land = land_cost(finance, facility.hall_acres_per_mw * it_mw)
    return hall_cost(facility, finance, it_mw), land, staff_cost(facility, it_mw)
