"""The kinds of library entry: photovoltaics, wind, battery, backup, fuel and the power path.

Compute, buildings, money and schedule are in :mod:`sitedesign.library.project`. Signs: a *derate* is
negative when power falls. Shares are fractions of one, never per cent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from sitedesign.library.number import Entry, Number, Pairs

Coupling = Literal["ac", "dc"]


class Pv(Entry):
    """Photovoltaic array with its converter, up to the plant's bus."""

    kind: Literal["pv"] = "pv"
    mount: Literal["tracker", "fixed"]
    coupling: Coupling
    capex_usd_per_wdc: Annotated[float, Number("USD/Wdc", 0.05, 5, "Installed cost")]
    fixed_om_usd_per_kwdc_yr: Annotated[
        float, Number("USD/kWdc-yr", 0, 100, "Fixed operation and maintenance")
    ]
    dc_ac_ratio: Annotated[float | None, Number("MWdc/MWac", 1, 2.5, "Module power over inverter power")]
    converter_efficiency: Annotated[
        float, Number("fraction", 0.5, 1, "Inverter (AC) or tracking DC converter (DC)")
    ]
    dc_loss_fraction: Annotated[float, Number("fraction", 0, 0.5, "Soiling, mismatch, wiring and the like")]
    ground_coverage_ratio: Annotated[float, Number("fraction", 0.05, 1, "Module area over row pitch area")]
    max_tilt_deg: Annotated[float | None, Number("degrees", 10, 90, "Largest rotation of a tracker")]
    tilt_deg: Annotated[
        float | None, Number("degrees", 0, 90, "Tilt of a fixed array; none: from the latitude")
    ]
    temp_coefficient_per_c: Annotated[
        float, Number("fraction/degC", -0.01, 0, "Power change per degree of cell")
    ]
    module_efficiency: Annotated[
        float, Number("fraction", 0.05, 0.4, "Module efficiency, standard conditions")
    ]
    degradation_per_yr: Annotated[float, Number("fraction/yr", 0, 0.1, "Yearly loss of output")]
    power_density_mwdc_per_acre: Annotated[float, Number("MWdc/acre", 0.02, 1.5, "Array power per land area")]
    life_yr: Annotated[float, Number("yr", 1, 100, "Economic life")]
    lead_months: Annotated[float, Number("months", 0, 240, "Order to first power")]
    availability: Annotated[float, Number("fraction", 0.5, 1, "Mean share of the array that works (sizing)")]
    blocks: Annotated[
        int, Number("count", 1, 10000, "Independent inverter blocks (certification)", whole=True)
    ]
    block_forced_outage_rate: Annotated[float, Number("fraction", 0, 0.5, "Share of time one block is out")]
    block_mttr_h: Annotated[float, Number("h", 0.1, 10000, "Mean time to repair a block")]

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
        """Coupling against DC/AC ratio, mount against tilts."""
        found = []
        if data["coupling"] == "ac" and data["dc_ac_ratio"] is None:
            found.append(("dc_ac_ratio", "none", 'must be a number when coupling is "ac"', "Write 1.3."))
        if data["coupling"] == "dc" and data["dc_ac_ratio"] is not None:
            found.append(
                ("dc_ac_ratio", f"{data['dc_ac_ratio']:g}", 'must be none when coupling is "dc"', "")
            )
        if data["mount"] == "tracker" and data["max_tilt_deg"] is None:
            found.append(("max_tilt_deg", "none", 'must be a number when mount is "tracker"', "Write 60."))
        return found


class Wind(Entry):
    """Onshore wind turbine, and the farm of which it is one.

    Power over rated at air density rho is ``power_curve(speed * (rho / 1.225)**(1/3))`` less wakes, cables
    and worn blades; `availability` comes on top.
    """

    kind: Literal["wind"] = "wind"
    unit_mw: Annotated[float, Number("MW", 0.05, 30, "Rated power of one turbine")]
    rotor_m: Annotated[float, Number("m", 5, 400, "Diameter of the rotor")]
    hub_height_m: Annotated[float, Number("m", 15, 250, "Height of the hub above ground")]
    power_curve: Annotated[
        tuple[tuple[float, float], ...],
        Pairs("m/s, fraction", 0, 1, "Power over rated by wind speed at 1.225 kg/m3"),
    ]
    capex_usd_per_kw: Annotated[float, Number("USD/kW", 100, 20000, "Installed cost")]
    fixed_om_usd_per_kw_yr: Annotated[float, Number("USD/kW-yr", 0, 500, "Fixed operation and maintenance")]
    wake_loss_fraction: Annotated[float, Number("fraction", 0, 0.5, "Wakes of turbines upwind")]
    electrical_loss_fraction: Annotated[float, Number("fraction", 0, 0.5, "Cables and transformers")]
    performance_loss_fraction: Annotated[
        float, Number("fraction", 0, 0.5, "Ice, dirt and age of blades, curve not reached")
    ]
    availability: Annotated[
        float, Number("fraction", 0.5, 1, "Mean share of the turbines that work (sizing)")
    ]
    mttr_h: Annotated[float, Number("h", 0.1, 10000, "Mean time to repair a turbine")]
    low_temperature_stop_c: Annotated[float, Number("degC", -60, 10, "Air colder than this stops the farm")]
    icing_below_c: Annotated[float, Number("degC", -30, 10, "Humid air colder than this stops the farm")]
    icing_humidity_fraction: Annotated[float, Number("fraction", 0.5, 1, "Relative humidity of humid air")]
    icing_events_per_cold_day: Annotated[
        float, Number("fraction", 0, 1, "Days below icing_below_c on which ice stops the farm")
    ]
    icing_event_h: Annotated[float, Number("h", 0.1, 1000, "Mean length of such a stop")]
    plant_density_mw_per_acre: Annotated[
        float, Number("MW/acre", 0.001, 0.1, "Farm power per land area it is spaced over")
    ]
    disturbed_land_fraction: Annotated[
        float, Number("fraction", 0, 1, "Pads and roads, of the land it is spaced over")
    ]
    life_yr: Annotated[float, Number("yr", 1, 100, "Economic life")]
    lead_months: Annotated[float, Number("months", 0, 240, "Order to first power")]

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
        """Find a power curve that is none: from 0 at cut-in through 1 to 0 at cut-out, by rising speed."""
        speeds, powers = zip(*data["power_curve"], strict=True)
        if speeds[0] < 0 or speeds[-1] <= speeds[0]:
            found = f"speeds from {speeds[0]:g} to {speeds[-1]:g} m/s"
            return [("power_curve", found, "must rise from 0 m/s or more", "")]
        if powers[0] != 0 or powers[-1] != 0 or max(powers) != 1:
            found = f"power from {powers[0]:g} over {max(powers):g} to {powers[-1]:g}"
            remedy = "Divide by rated power, and write the speeds of cut-in and cut-out with power 0."
            return [("power_curve", found, "must begin at 0, reach 1 and end at 0", remedy)]
        return []


class Battery(Entry):
    """Stationary battery with its power conversion."""

    kind: Literal["battery"] = "battery"
    coupling: Coupling
    capex_usd_per_kwh: Annotated[float, Number("USD/kWh", 5, 2000, "Installed cost of energy capacity")]
    capex_usd_per_kw: Annotated[float, Number("USD/kW", 0, 2000, "Installed cost of power capacity")]
    fixed_om_fraction_per_yr: Annotated[
        float, Number("fraction/yr", 0, 0.2, "Yearly cost over capital, augmentation included")
    ]
    round_trip_efficiency: Annotated[float, Number("fraction", 0.3, 1, "Out over in, bus to bus")]
    soc_min_fraction: Annotated[float, Number("fraction", 0, 0.9, "Floor of the state of charge")]
    usable_fraction_at_check: Annotated[
        float, Number("fraction", 0.3, 1, "Usable share of nameplate just before augmentation")
    ]
    fade_per_yr: Annotated[float, Number("fraction/yr", 0, 0.2, "Yearly loss of energy capacity")]
    price_decline_per_yr: Annotated[
        float, Number("fraction/yr", -0.2, 0.5, "Yearly price fall of augmentation")
    ]
    cell_temperature_c: Annotated[float, Number("degC", -20, 60, "Mean temperature of the cells")]
    calendar_rate: Annotated[float, Number("1", 0, 1e9, "Loss with time, factor")]
    calendar_activation_k: Annotated[float, Number("K", 0, 2e4, "Loss with time, activation by temperature")]
    calendar_potential_k_per_v: Annotated[
        float, Number("K/V", 0, 2e4, "Loss with time, activation by the potential of graphite")
    ]
    calendar_exponent: Annotated[float, Number("1", 0.1, 2, "Loss with time, power of days")]
    cycle_rate: Annotated[float, Number("1", 0, 1, "Loss with cycles, factor")]
    cycle_rate_per_depth: Annotated[float, Number("1", 0, 1, "Loss with cycles, more by depth")]
    cycle_rate_per_c: Annotated[float, Number("h", 0, 1, "Loss with cycles, more by current")]
    cycle_activation_k: Annotated[float, Number("K", -2e4, 2e4, "Loss with cycles, more in cold cells")]
    cycle_exponent: Annotated[float, Number("1", 0.1, 2, "Loss with cycles, power of full cycles")]
    replaced_below_fraction: Annotated[float, Number("fraction", 0.1, 0.95, "Capacity at the end of life")]
    warranty_cycles_per_yr: Annotated[float, Number("1/yr", 1, 10000, "Full cycles a year under warranty")]
    warranty_full_cycles: Annotated[
        float, Number("1", 100, 1e6, "Energy discharged under warranty, over nameplate")
    ]
    augmentation_in_fixed_om_fraction_per_yr: Annotated[
        float, Number("fraction/yr", 0, 0.2, "Part of fixed_om_fraction_per_yr that pays for augmentation")
    ]
    min_duration_h: Annotated[float, Number("h", 0.1, 100, "Least energy over power")]
    container_mwh: Annotated[float, Number("MWh", 0.1, 100, "Energy of one container")]
    life_yr: Annotated[float, Number("yr", 1, 60, "Economic life")]
    lead_months: Annotated[float, Number("months", 0, 240, "Order to first power")]
    forced_outage_rate: Annotated[float, Number("fraction", 0, 0.5, "Share of time one block is out")]
    mttr_h: Annotated[float, Number("h", 0.1, 10000, "Mean time to repair")]
    blocks: Annotated[int, Number("count", 1, 10000, "Independent blocks (certification)", whole=True)]
    common_outage_rate: Annotated[float, Number("fraction", 0, 0.5, "Share of time the whole battery is out")]

    @property
    def warranted_cycles_per_yr(self) -> float:
        """Full cycles of the cells a year that keep the warranty in every year of the life. [1/yr]"""
        return min(self.warranty_cycles_per_yr, self.warranty_full_cycles / self.life_yr)


class Backup(Entry):
    """Dispatchable generator.

    Fuel at load L (fraction of rated, hot) is ``full_load_fuel * (b + (1 - b) L)`` with b the intercept;
    power at air temperature T and elevation z is ``1 + power_derate_per_c * max(0, T - derate_above_c) +
    power_derate_per_300m * max(0, z - altitude_free_m) / 300`` of rated; the forced outage rate at T is
    ``forced_outage_rate * table(T) / table(15 degC)`` where there is a table. A second fuel is burnt from a
    tank while the first is interrupted, and at no other time; its price, refill and cost of storage are those
    of the fuel.
    """

    kind: Literal["backup"] = "backup"
    fuel: Literal["natural_gas", "diesel", "uranium"]
    second_fuel: Literal["none", "diesel", "lng"]
    tax_credit: Literal["none", "fuel_cell", "nuclear"]
    unit_mw: Annotated[float, Number("MW", 0.01, 2000, "Rated power of one unit")]
    capex_usd_per_kw: Annotated[float, Number("USD/kW", 50, 30000, "Installed cost")]
    fixed_om_usd_per_kw_yr: Annotated[float, Number("USD/kW-yr", 0, 1000, "Fixed operation and maintenance")]
    variable_om_usd_per_mwh: Annotated[float, Number("USD/MWh", 0, 500, "Non-fuel cost of running")]
    heat_rate_btu_per_kwh_hhv: Annotated[float, Number("Btu/kWh", 3413, 30000, "Full-load heat rate, HHV")]
    fuel_intercept_fraction: Annotated[
        float, Number("fraction", 0, 0.9, "Fuel at no load over full-load fuel")
    ]
    min_load_fraction: Annotated[float, Number("fraction", 0, 1, "Lowest stable and permitted load")]
    start_minutes: Annotated[
        float | None, Number("minutes", 0, 10000, "Start to full load; none: always hot")
    ]
    start_fuel_full_load_h: Annotated[float, Number("h", 0, 100, "Fuel of a start, hours at full load")]
    start_wear_usd_per_mw: Annotated[
        float, Number("USD/MW", 0, 100000, "Maintenance that a start brings nearer")
    ]
    min_down_h: Annotated[float, Number("h", 0, 1000, "From a stop to the next start at least")]
    ramp_fraction_per_min: Annotated[
        float, Number("fraction/min", 0.0001, 100, "Most change of output while running")
    ]
    forced_outage_rate: Annotated[float, Number("fraction", 0, 0.9, "Share of time out when wanted")]
    mttr_h: Annotated[float, Number("h", 0.1, 10000, "Mean time to repair")]
    start_failure_probability: Annotated[float, Number("fraction", 0, 0.9, "Failed starts over starts")]
    start_retry_minutes: Annotated[float, Number("min", 0, 240, "From a failed start to its one retry")]
    start_retry_success: Annotated[float, Number("fraction", 0, 1, "Retries that start")]
    planned_outage_fraction: Annotated[
        float, Number("fraction", 0, 0.9, "Planned maintenance, share of the year")
    ]
    lead_months: Annotated[float, Number("months", 0, 240, "Order to first power")]
    air_permit_months: Annotated[
        float, Number("months", 0, 240, "Application to air permit, beside the order; the longer counts")
    ]
    life_yr: Annotated[float, Number("yr", 1, 100, "Economic life")]
    power_derate_per_c: Annotated[
        float, Number("fraction/degC", -0.05, 0, "Power change per degree of hot air")
    ]
    derate_above_c: Annotated[float, Number("degC", -40, 60, "Air temperature where the derate begins")]
    power_derate_per_300m: Annotated[
        float, Number("fraction/300 m", -0.2, 0, "Power change per 300 m of height")
    ]
    altitude_free_m: Annotated[float, Number("m", -500, 6000, "Elevation where the derate begins")]
    heat_rate_per_c: Annotated[float, Number("fraction/degC", 0, 0.05, "Heat-rate rise above derate_above_c")]
    forced_outage_by_temp_c: Annotated[
        tuple[tuple[float, float], ...] | None,
        Pairs("degC, fraction", 0, 1, "Fleet outage rate by air temperature"),
    ]
    common_cause_beta_run: Annotated[
        float, Number("fraction", 0, 1, "Share of a unit's run failures with a cause that takes others too")
    ]
    common_cause_beta_start: Annotated[
        float, Number("fraction", 0, 1, "Share of failed starts with a cause that takes others too")
    ]
    common_cause_lethal_fraction: Annotated[
        float, Number("fraction", 0, 1, "Common causes that take every unit")
    ]
    common_cause_coupling_fraction: Annotated[
        float, Number("fraction", 0.01, 1, "Chance of each unit to be taken by the other common causes")
    ]
    common_cause_mttr_h: Annotated[float, Number("h", 0.1, 10000, "Mean time to repair a common cause")]
    site_cost_usd: Annotated[float, Number("USD", 0, 1e10, "Once per site when any unit is built")]
    second_fuel_heat_rate_btu_per_kwh_hhv: Annotated[
        float | None,
        Number("Btu/kWh", 3413, 30000, "Full-load heat rate on the second fuel, HHV; none: no such fuel"),
    ]
    second_fuel_derate_fraction: Annotated[
        float | None, Number("fraction", -0.9, 0, "Power change on the second fuel")
    ]
    second_fuel_switch_minutes: Annotated[
        float | None, Number("minutes", 0, 240, "Without power while changing over to the second fuel")
    ]
    second_fuel_tank_h: Annotated[
        float | None, Number("h", 0, 5000, "Full-load hours of the second fuel kept on site")
    ]

    nox_kg_per_mmbtu: Annotated[float, Number("kg/MMBtu", 0, 5, "Nitrogen oxides at the stack, HHV")]
    co_kg_per_mmbtu: Annotated[float, Number("kg/MMBtu", 0, 5, "Carbon monoxide at the stack, HHV")]
    pm_kg_per_mmbtu: Annotated[float, Number("kg/MMBtu", 0, 5, "Particulate matter at the stack, HHV")]
    second_fuel_nox_kg_per_mmbtu: Annotated[
        float | None, Number("kg/MMBtu", 0, 5, "Nitrogen oxides on the second fuel, HHV")
    ]
    second_fuel_co_kg_per_mmbtu: Annotated[
        float | None, Number("kg/MMBtu", 0, 5, "Carbon monoxide on the second fuel, HHV")
    ]
    second_fuel_pm_kg_per_mmbtu: Annotated[
        float | None, Number("kg/MMBtu", 0, 5, "Particulate matter on the second fuel, HHV")
    ]
    run_h_per_yr_limit: Annotated[
        float | None,
        Number("h/yr", 0, 8784, "Run hours a year that the class of the unit may have; none: any"),
    ]

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
        """Figures of a second fuel that is not there or not told, or is the first again."""
        second = data["second_fuel"]
        if second == data["fuel"]:
            return [("second_fuel", repr(second), "must differ from fuel", 'Write "none".')]
        figures = [name for name in cls.numbers() if name.startswith("second_fuel_")]
        if second == "none":
            allowed = 'must be none when second_fuel is "none"'
            return [(name, f"{data[name]:g}", allowed, "") for name in figures if data[name] is not None]
        allowed = f'must be a number when second_fuel is "{second}"'
        return [(name, "none", allowed, "") for name in figures if data[name] is None]

    @property
    def gas_supply_dependent(self) -> bool:
        """Whether an interruption of the gas pipeline stops it; follows from the fuel."""
        return self.fuel == "natural_gas"


class Fuel(Entry):
    """Fuel with its supply: price, emissions, storage on site, interruptions."""

    kind: Literal["fuel"] = "fuel"
    price_usd_per_mmbtu: Annotated[float, Number("USD/MMBtu", 0, 200, "Delivered price, HHV")]
    co2_kg_per_mmbtu: Annotated[float, Number("kg/MMBtu", 0, 200, "CO2 at the stack, HHV")]
    heat_content_mmbtu_per_gal: Annotated[
        float | None, Number("MMBtu/gal", 0.01, 1, "HHV per US gallon; none: no liquid")
    ]
    firm_reservation_usd_per_mmbtu_day: Annotated[
        float, Number("USD/MMBtu-day", 0, 20, "Pipeline capacity, per day and MMBtu/day reserved")
    ]
    storage_h: Annotated[float, Number("h", 0, 50000, "Full-load hours of fuel kept on site")]
    refill_h_per_h: Annotated[
        float, Number("h/h", 0, 100, "Full-load hours brought into the store per hour, beyond what is burnt")
    ]
    lorry_mmbtu: Annotated[float | None, Number("MMBtu", 1, 100000, "A lorry load; none: no lorries")]
    boil_off_per_day: Annotated[float, Number("1/d", 0, 0.5, "Share of a full store lost in a day")]
    storage_usd_per_mmbtu: Annotated[float, Number("USD/MMBtu", 0, 1000, "Installed cost of storage on site")]
    interruption_events_per_yr: Annotated[
        float, Number("events/yr", 0, 365, "Supply interruptions at any time")
    ]
    interruption_h: Annotated[float, Number("h", 0, 8760, "Mean length of such an interruption")]
    cold_event_per_yr: Annotated[float, Number("events/yr", 0, 365, "Supply interruptions in extreme cold")]
    cold_event_h: Annotated[float, Number("h", 0, 8760, "Mean length of a cold interruption")]
    cold_quantile: Annotated[
        float, Number("fraction", 0, 0.5, "Share of coldest days on which they may happen")
    ]
    cold_limit_c: Annotated[
        float, Number("degC", -60, 60, "Daily mean temperature above which they never happen")
    ]

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
        """Interruptions in extreme cold need days on which they may happen."""
        if data["cold_event_per_yr"] > 0 and data["cold_quantile"] <= 0:
            return [
                ("cold_quantile", "0", "must be above 0 when cold_event_per_yr is above 0", "Write 0.01.")
            ]
        return []


class PowerPath(Entry):
    """Efficiencies between the plant's bus and the racks."""

    kind: Literal["power_path"] = "power_path"
    coupling: Coupling
    bus_to_rack_efficiency: Annotated[float, Number("fraction", 0.5, 1, "Bus to the DC busbar of a rack")]
    generator_to_bus_efficiency: Annotated[
        float, Number("fraction", 0.5, 1, "Generator terminals to the bus")
    ]
    rack_psu_efficiency: Annotated[float, Number("fraction", 0.5, 1, "AC plug to the DC busbar of a rack")]
