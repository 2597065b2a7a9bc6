"""Every number of the library: its provenance in the files, and its value against a second transcription."""

import subprocess
import sys
import tomllib
from datetime import date

import pytest

from sitedesign import library
from sitedesign.equations.sheet import sheet
from sitedesign.library.files import KINDS, library_folder

FILES = sorted(library_folder("models").glob("*/*.toml"))
NUMBERS = [
    pytest.param(file, key, table, id=f"{file.parent.name}/{file.stem}/{key}")
    for file in FILES
    for key, table in tomllib.loads(file.read_text(encoding="utf-8")).items()
    if isinstance(table, dict)
]


def test_library_has_the_promised_entries():
    assert library.names("pv") == ("fixed_ac", "fixed_dc", "fixed_dc_dense", "tracker_ac")
    assert library.names("wind") == (
        "onshore_3mw_121", "onshore_3mw_148", "onshore_4mw_150", "onshore_6mw_170", "onshore_6mw_196",
        "onshore_8mw_196",
    )  # fmt: skip
    assert library.names("battery") == ("lfp", "lfp_dc")
    assert library.names("backup") == (
        "aero_gt", "aero_refurb", "diesel", "diesel_standby", "frame_gt", "mobile_gt", "mobile_gt_dual",
        "recip_fast", "recip_medium", "recip_medium_dual", "recip_medium_lng", "smr",
        "sofc",
    )  # fmt: skip
    assert library.names("fuel") == ("diesel", "lng", "natural_gas", "natural_gas_interruptible", "uranium")
    assert library.names("rack") == ("gb200_nvl72", "gb300_nvl72", "hgx_b200x4", "hgx_h100x4", "vr_nvl72")
    assert library.names("facility") == ("air_chiller", "dry_cooler", "evaporative")
    assert library.names("power_path") == ("ac", "dc")
    assert library.names("finance") == library.names("schedule") == ("default",)
    assert library.names("debt") == (
        "gpu_investment_grade", "gpu_non_investment_grade", "gpu_spot", "hall_construction",
        "hall_investment_grade", "power_contracted", "power_merchant",
    )  # fmt: skip
    assert library.names("tariff") == ("caiso", "ercot", "miso", "pjm", "spp", "tva")
    assert library.names("grid") == (
        "ex_miner", "ex_smelter", "firm", "firm_caiso", "firm_ercot", "firm_miso", "firm_pjm", "firm_spp",
        "firm_tva", "flexible", "flexible_five", "flexible_one", "flexible_quarter", "interruptible",
    )  # fmt: skip
    assert library.names("surplus") == ("miner", "town")


@pytest.mark.parametrize(("file", "key", "table"), NUMBERS)
def test_number_in_a_file_has_full_provenance(file, key, table):
    assert {"value", "unit", "year", "source", "status", "confidence"} <= set(table)
    assert table["unit"] == KINDS[file.parent.name].numbers()[key].unit
    assert 1995 <= table["year"] <= 2026
    assert len(table["source"]) >= 8
    assert set(table["status"].split("/")) <= set("VSKDE")
    assert table["confidence"] in {"H", "M", "L"}
    if "range" in table and isinstance(table["value"], int | float):
        low, high = table["range"]
        assert low <= table["value"] <= high


def test_no_number_stands_bare_in_a_file():
    for file in FILES:
        for key, item in tomllib.loads(file.read_text(encoding="utf-8")).items():
            assert isinstance(item, str | dict), f"{file}: {key}"


def test_every_number_of_every_entry_reaches_its_source():
    for row in library.list_entries().itertuples():
        entry = library.entry(row.kind, row.name)
        assert set(entry.sources) == set(entry.numbers())
        for field, quantity in entry.sources.items():
            assert quantity.value == getattr(entry, field), (row.name, field)


def test_figures_without_a_measurement_are_not_called_certain():
    for row in library.list_entries().itertuples():
        for field, quantity in library.entry(row.kind, row.name).sources.items():
            if quantity.status == "E" and quantity.value not in (0, None):
                assert quantity.confidence in {"M", "L"}, (row.name, field)


# A second transcription, independent of the TOML files ------------------------------------------------------

BACKUP_COLUMNS = (
    "unit_mw", "capex_usd_per_kw", "fixed_om_usd_per_kw_yr", "variable_om_usd_per_mwh",
    "heat_rate_btu_per_kwh_hhv", "fuel_intercept_fraction", "min_load_fraction", "start_minutes",
    "forced_outage_rate", "mttr_h", "start_failure_probability", "planned_outage_fraction", "lead_months",
    "life_yr",
)  # fmt: skip
BACKUP = {
    "aero_gt": (34, 1900, 11, 6, 9500, 0.20, 0.50, 10, 0.040, 31, 0.010, 0.03, 36, 25),
    "aero_refurb": (50, 1700, 15, 8, 9700, 0.20, 0.50, 10, 0.050, 31, 0.015, 0.03, 15, 20),
    "mobile_gt": (16.5, 1500, 20, 10, 10500, 0.25, 0.50, 10, 0.050, 31, 0.015, 0.03, 12, 20),
    "mobile_gt_dual": (16.5, 1570, 20, 10, 10500, 0.25, 0.50, 10, 0.050, 31, 0.015, 0.03, 12, 20),
    "frame_gt": (240, 1500, 26, 8.5, 9700, 0.25, 0.40, 25, 0.050, 31, 0.015, 0.07, 60, 25),
    "recip_medium": (18.8, 1700, 20, 8, 8300, 0.07, 0.30, 5, 0.025, 24, 0.010, 0.04, 24, 20),
    "recip_medium_dual": (16.6, 1850, 20, 8, 8500, 0.07, 0.30, 5, 0.025, 24, 0.010, 0.04, 24, 20),
    "recip_medium_lng": (18.8, 1730, 20, 8, 8300, 0.07, 0.30, 5, 0.025, 24, 0.010, 0.04, 24, 20),
    "recip_fast": (4.5, 1800, 20, 13, 8400, 0.075, 0.40, 5, 0.030, 24, 0.010, 0.049, 18, 20),
    "diesel": (2.5, 1100, 20, 15, 10300, 0.10, 0.30, 0.5, 0.021, 24, 0.0094, 0.03, 20, 20),
    # no fuel line is published for the reactor (0 is a decision), and two technologies never start
    "sofc": (10, 4500, 40, 35, 7600, 0.00, 0.30, None, 0.020, 24, 0.0, 0.03, 6, 20),
    "smr": (77, 8300, 142, 2.7, 9180, 0.0, 0.50, None, 0.030, 298, 0.0, 0.06, 120, 40),
}


@pytest.mark.parametrize("name", BACKUP)
def test_backup_figures(name):
    found = library.backup(name)
    assert tuple(getattr(found, column) for column in BACKUP_COLUMNS) == BACKUP[name]
    assert (found.common_cause_beta_run, found.common_cause_beta_start, found.common_cause_mttr_h) == (
        0.02,
        0.03,
        12,
    )
    assert found.site_cost_usd == 0


def test_backup_derates_and_fuels():
    turbine_table = (
        (-15, 0.199), (-10, 0.099), (-5, 0.051), (0, 0.031), (5, 0.024), (10, 0.021), (15, 0.024),
        (20, 0.027), (25, 0.031), (30, 0.039), (35, 0.066),
    )  # fmt: skip
    per_c = {"aero_gt": -0.009, "aero_refurb": -0.009, "mobile_gt": -0.008, "frame_gt": -0.006}
    per_c["mobile_gt_dual"] = per_c["mobile_gt"]
    for name in BACKUP:
        found = library.backup(name)
        if name in per_c:
            assert (found.power_derate_per_c, found.derate_above_c) == (per_c[name], 15)
            assert (found.power_derate_per_300m, found.altitude_free_m, found.heat_rate_per_c) == (
                -0.035,
                0,
                0.002,
            )
            assert found.forced_outage_by_temp_c == turbine_table
        else:
            assert found.forced_outage_by_temp_c is None
        if name.startswith("recip_") or name == "diesel":
            assert (found.power_derate_per_c, found.derate_above_c) == (-0.010, 38)
            assert (found.power_derate_per_300m, found.altitude_free_m) == (-0.03, 500)
        assert found.gas_supply_dependent == (name not in ("diesel", "smr"))
    assert library.backup("diesel").fuel == "diesel"
    assert library.backup("smr").fuel == "uranium"
    assert [name for name in BACKUP if library.backup(name).tax_credit != "none"] == ["sofc", "smr"]


def test_second_fuels():
    """Power change, heat rate, minutes to change over, hours in the tank; what only burns gas has none."""
    second = {"mobile_gt_dual": (-0.03, 10250, 3, 48), "recip_medium_dual": (0.0, 8300, 0, 48)}
    second["recip_medium_lng"] = second["recip_medium_dual"]
    for name in BACKUP:
        found = library.backup(name)
        told = (
            found.second_fuel_derate_fraction, found.second_fuel_heat_rate_btu_per_kwh_hhv,
            found.second_fuel_switch_minutes, found.second_fuel_tank_h,
        )  # fmt: skip
        assert told == second.get(name, (None, None, None, None))
        liquid = "lng" if name == "recip_medium_lng" else "diesel"
        assert found.second_fuel == (liquid if name in second else "none")
    dual, alone = library.backup("mobile_gt_dual"), library.backup("mobile_gt")
    assert dual.capex_usd_per_kw - alone.capex_usd_per_kw == 70
    # Of the same machine, by the lower heating value, liquid takes a little more: 1.109 and 1.066 are HHV/LHV
    ratio = dual.second_fuel_heat_rate_btu_per_kwh_hhv / 1.066 / (dual.heat_rate_btu_per_kwh_hhv / 1.109)
    assert 1.0 < ratio < 1.03


def test_takers_of_surplus():
    miner, town = library.surplus("miner"), library.surplus("town")
    assert (miner.usd_per_mwh, miner.capex_usd_per_kw, miner.fixed_om_usd_per_kw_yr) == (76, 1450, 40)
    assert (miner.life_yr, miner.availability, miner.unit_mw) == (7, 0.95, None)
    assert miner.usd_per_mwh == pytest.approx(35e3 / (24 * 18) * 0.95, abs=1.5)  # USD/PH-day over J/TH
    annuity = {years: 0.07 / (1 - 1.07**-years) for years in (4, 7, 15)}
    apart = 600 * annuity[4] + 850 * annuity[15]  # machines, and all else
    assert miner.capex_usd_per_kw * annuity[7] == pytest.approx(apart, rel=0.02)
    assert (town.usd_per_mwh, town.capex_usd_per_kw, town.fixed_om_usd_per_kw_yr) == (50, 150, 0)
    assert (town.life_yr, town.availability, town.unit_mw) == (30, 1.0, None)


def test_pv_figures():
    tracker, fixed, direct, dense = (
        library.pv(name) for name in ("tracker_ac", "fixed_ac", "fixed_dc", "fixed_dc_dense")
    )
    assert [item.capex_usd_per_wdc for item in (tracker, fixed, direct)] == [1.00, 0.90, 0.80]
    assert [item.power_density_mwdc_per_acre for item in (tracker, fixed, dense)] == [0.28, 0.35, 0.70]
    assert tracker.fixed_om_usd_per_kwdc_yr * tracker.dc_ac_ratio == pytest.approx(22, rel=1e-3)
    assert (tracker.dc_ac_ratio, fixed.dc_ac_ratio, direct.dc_ac_ratio) == (1.30, 1.30, None)
    assert (tracker.converter_efficiency, direct.converter_efficiency) == (0.98, 0.985)
    for item in (tracker, fixed, direct, dense):
        assert (item.dc_loss_fraction, item.degradation_per_yr, item.availability) == (0.12, 0.0075, 0.98)
        assert (item.life_yr, item.lead_months, item.blocks) == (30, 14, 50)
    assert (tracker.ground_coverage_ratio, tracker.max_tilt_deg, tracker.tilt_deg) == (0.40, 60, None)
    assert (fixed.max_tilt_deg, fixed.tilt_deg, dense.tilt_deg) == (None, None, 0)


def test_dense_layout_fits_on_its_land():
    dense = library.pv("fixed_dc_dense")
    covered = dense.power_density_mwdc_per_acre * 1000 / dense.module_efficiency / 4046.86
    assert covered == pytest.approx(0.786, abs=1e-3)
    assert covered < dense.ground_coverage_ratio


# rated MW, rotor m, hub m, power at 5, 8 and 11 m/s, first speed of rated power, cut-out
TURBINES = {
    "onshore_3mw_121": (2.6, 121, 90, 0.1271, 0.5647, 1.0, 10.0, 25.0),
    "onshore_3mw_148": (3.3, 148, 100, 0.1886, 0.7514, 0.9973, 11.5, 25.5),
    "onshore_4mw_150": (4, 150, 110, 0.1235, 0.55, 1.0, 10.0, 25.0),
    "onshore_6mw_170": (6, 170, 115, 0.1370, 0.5593, 0.9810, 13.5, 25.5),
    "onshore_6mw_196": (6, 196, 140, 0.182, 0.7292, 0.997, 11.5, 22.5),
    "onshore_8mw_196": (8.3, 196, 130, 0.1317, 0.5376, 0.9755, 13.5, 25.5),
}


@pytest.mark.parametrize("name", TURBINES)
def test_wind_figures(name):
    found = library.wind(name)
    curve = dict(found.power_curve)
    rated = min(speed for speed, power in found.power_curve if power == 1)
    got = (found.unit_mw, found.rotor_m, found.hub_height_m, curve[5], curve[8], curve.get(11, 1.0), rated)
    assert (*got, found.power_curve[-1][0]) == TURBINES[name]
    assert (found.capex_usd_per_kw, found.fixed_om_usd_per_kw_yr, found.life_yr) == (1700, 34, 30)
    assert (found.lead_months, found.low_temperature_stop_c, found.icing_below_c) == (24, -20, 0)
    remaining = (1 - found.wake_loss_fraction) * (1 - found.electrical_loss_fraction) * found.availability
    assert remaining * (1 - found.performance_loss_fraction) == pytest.approx(1 - 0.163, abs=5e-4)
    assert found.plant_density_mw_per_acre * 247.105 == pytest.approx(2.7, rel=0.01)  # acres of a km2


def test_battery_figures():
    ac, dc = library.battery("lfp"), library.battery("lfp_dc")
    assert (ac.capex_usd_per_kwh, ac.capex_usd_per_kw, dc.capex_usd_per_kwh, dc.capex_usd_per_kw) == (
        195,
        120,
        195,
        50,
    )
    assert (ac.round_trip_efficiency, dc.round_trip_efficiency) == (0.86, 0.935)
    # the converter that the price per kW pays for, both ways around the cell
    assert dc.round_trip_efficiency == pytest.approx(0.965 * 0.985**2, abs=2e-3)
    for item in (ac, dc):
        assert (item.fixed_om_fraction_per_yr, item.soc_min_fraction, item.fade_per_yr) == (0.025, 0.05, 0.02)
        assert (item.usable_fraction_at_check, item.container_mwh, item.min_duration_h) == (0.92, 5.0, 2)
        assert (item.forced_outage_rate, item.mttr_h, item.common_outage_rate) == (0.02, 24, 0.001)
        assert (item.life_yr, item.price_decline_per_yr, item.lead_months) == (20, 0.05, 12)
    assert (ac.coupling, dc.coupling) == ("ac", "dc")
    assert ac.sources["capex_usd_per_kwh"].range == (140, 260)
    assert ac.sources["capex_usd_per_kw"].range == (50, 356)


def test_fuel_figures():
    gas, diesel, uranium = library.fuel("natural_gas"), library.fuel("diesel"), library.fuel("uranium")
    assert (gas.price_usd_per_mmbtu, gas.co2_kg_per_mmbtu) == (5.00, 53.06)
    assert gas.firm_reservation_usd_per_mmbtu_day == 0.35
    assert (gas.interruption_events_per_yr, gas.interruption_h) == (0.05, 12)
    assert (gas.cold_event_per_yr, gas.cold_event_h, gas.cold_quantile) == (0.05, 48, 0.01)
    assert (gas.cold_limit_c, gas.refill_h_per_h, diesel.refill_h_per_h) == (-5, 0.25, 0.5)
    assert diesel.price_usd_per_mmbtu * diesel.heat_content_mmbtu_per_gal == pytest.approx(3.50, rel=1e-3)
    assert diesel.storage_usd_per_mmbtu * diesel.heat_content_mmbtu_per_gal == pytest.approx(5, rel=1e-3)
    assert diesel.co2_kg_per_mmbtu * diesel.heat_content_mmbtu_per_gal == pytest.approx(10.21, rel=1e-3)
    assert diesel.storage_h == 48
    assert uranium.co2_kg_per_mmbtu == 0


def test_stack_emissions_per_mwh():
    """Published figures for each machine at full load, kg/MWh."""
    expected = {
        "aero_gt": 504,
        "mobile_gt": 557,
        "frame_gt": 515,
        "recip_medium": 440,
        "recip_fast": 445,
        "diesel": 761,
    }
    for name, kg_per_mwh in expected.items():
        found = library.backup(name)
        co2 = library.fuel(found.fuel).co2_kg_per_mmbtu * found.heat_rate_btu_per_kwh_hhv / 1000
        assert co2 == pytest.approx(kg_per_mwh, rel=0.002)


RACKS = {
    "gb200_nvl72": (125, 3.2, 72, 3.5, "dc_busbar"),
    "gb300_nvl72": (140, 3.9, 72, 4.0, "dc_busbar"),
    "vr_nvl72": (210, 6.5, 72, 6.0, "dc_busbar"),
    "hgx_h100x4": (34, 1.08, 32, 2.3, "ac_plug"),
    "hgx_b200x4": (50, 1.80, 32, 4.5, "ac_plug"),
}
POWER = (1, 0.92, 0.84, 0.76, 0.68, 0.60, 0.27)


@pytest.mark.parametrize("name", RACKS)
def test_rack_figures(name):
    found = library.rack(name)
    power, price, gpus, hour, where = RACKS[name]
    assert (found.power_kw, found.gpus, found.gpu_hour_usd, found.measured_at) == (power, gpus, hour, where)
    assert found.price_usd == pytest.approx(price * 1e6)
    assert (found.network_power_fraction, found.network_price_fraction) == (0.12, 0.20)
    assert (found.fixed_power_fraction, found.idle_fraction, found.floor_fraction) == (0.20, 0.27, 0.60)
    assert (found.sustained_fraction_training, found.sustained_fraction_inference) == (0.90, 0.70)
    default = (1, 0.975, 0.930, 0.865, 0.780, 0.665, 0)
    assert found.curve_default == tuple(zip(POWER, default, strict=True))
    conservative = (1, 0.940, 0.875, 0.795, 0.700, 0.580, 0)
    assert found.curve_conservative == tuple(zip(POWER, conservative, strict=True))
    optimistic = (1, 0.990, 0.975, 0.950, 0.910, 0.850, 0)
    assert found.curve_optimistic == tuple(zip(POWER, optimistic, strict=True))
    assert (found.interruptions_per_gpu_day, found.spare_fraction, found.ettr_fraction) == (5e-4, 0.05, 0.95)
    assert found.restart_h * 60 == pytest.approx(10, rel=1e-3)
    assert (found.restart_unplanned_h * 60, found.life_yr) == (30, 5)


def test_measured_h100_curve_is_the_published_one_at_rack_level():
    published = {0.429: 0.594, 0.571: 0.821, 0.714: 0.915, 0.857: 0.966, 1.0: 1.0}
    curve = dict(library.rack("hgx_h100x4").curve_measured_h100)
    for cap, throughput in published.items():
        assert curve[round(0.2 + 0.8 * cap, 4)] == throughput
    # the lowest published point (0.286: 0.320) lies just under the line from 0.429 to idle
    slope = 0.594 / (0.5432 - 0.27)
    flattered = slope * (0.2 + 0.8 * 0.286 - 0.27) - 0.320
    assert 0 < flattered < 0.026


def test_facility_figures():
    dry, chiller, evaporative = (
        library.facility(name) for name in ("dry_cooler", "air_chiller", "evaporative")
    )
    air = (10, 20, 30, 38, 42, 46)
    assert dry.pue_by_temp_c == tuple(zip(air, (1.035, 1.045, 1.065, 1.10, 1.16, 1.24), strict=True))
    assert chiller.pue_by_temp_c == tuple(zip(air, (1.12, 1.18, 1.26, 1.34, 1.40, 1.47), strict=True))
    for item in (dry, chiller, evaporative):
        assert (item.shell_usd_per_mw, item.opex_usd_per_mw_yr) == (10e6, 0.25e6)
        assert (item.pue_fixed_share, item.ride_through_min) == (0.35, 5)
        assert (item.site_shock_events_per_yr, item.site_shock_h, item.lead_months) == (0.1, 4, 20)
    assert dry.water_l_per_kwh <= 0.1
    assert 1.5 <= evaporative.water_l_per_kwh <= 1.8


def test_power_paths_reproduce_the_published_end_to_end_efficiencies():
    table = {
        "ac": ("tracker_ac", "lfp", 0.925, 0.80, 0.945),
        "dc": ("fixed_dc", "lfp_dc", 0.970, 0.907, 0.960),  # published without the battery's converter: 0.935
    }
    for name, (pv, battery, pv_load, pv_battery_load, generator_load) in table.items():
        path = library.power_path(name)
        array = library.pv(pv).converter_efficiency * path.bus_to_rack_efficiency
        assert array == pytest.approx(pv_load, abs=0.003)
        stored = array * library.battery(battery).round_trip_efficiency
        assert stored == pytest.approx(pv_battery_load, abs=0.004)  # published to two digits
        generator = path.generator_to_bus_efficiency * path.bus_to_rack_efficiency
        assert generator == pytest.approx(generator_load, abs=0.003)
        assert path.rack_psu_efficiency == 0.97
    assert library.power_path("ac").bus_to_rack_efficiency == pytest.approx(0.985 * 0.96)


def test_finance_figures():
    found = library.finance()
    assert (found.wacc_power_real, found.wacc_compute, found.tax_fraction) == (0.055, 0.12, 0.26)
    assert (found.analysis_yr, found.voll_usd_per_mwh, found.land_usd_per_acre) == (20, 1500, 3000)
    assert (found.federal_tax_fraction, found.debt_tenor_yr, found.debt_fee_fraction) == (0.21, 18, 0.0275)
    assert found.storage_itc_by_construction_year == ((2033, 0.30), (2034, 0.225), (2035, 0.15))
    assert found.solar_itc_construction_by == date(2026, 7, 4)
    assert found.solar_itc_in_service_by == date(2027, 12, 31)
    assert found.itc_basis_reduction_fraction == 0.5


def test_schedule_figures_are_the_published_weeks():
    found = library.schedule()
    weeks = {
        "large_transformer_months": 128,
        "generator_transformer_months": 144,
        "distribution_transformer_months": 40,
        "switchgear_months": 60,
        "chiller_months": 35,
    }
    for field, expected in weeks.items():
        assert getattr(found, field) * 52.18 / 12 == pytest.approx(expected, rel=0.01)
    assert (found.firm_interconnection_months, found.flexible_interconnection_months) == (48, 24)


TARIFF_COLUMNS = (
    "wholesale_usd_per_mwh", "all_in_usd_per_mwh", "demand_usd_per_kw_month",
    "on_peak_demand_usd_per_kw_month", "off_peak_demand_usd_per_kw_month", "coincident_usd_per_kw_month",
    "ratchet_fraction",
    "minimum_take_fraction", "export_usd_per_mwh", "contract_yr",
)  # fmt: skip
TARIFFS = {
    "ercot": (40, 66.3, 7.2, 0, 0, 5.5, 0, 0, 12, 5),
    "pjm": (55, 79, 6.5, 0, 0, 10.0, 0, 0.85, 35, 12),
    "miso": (45, 59, 7.2, 0, 0, 0, 0, 0.8, 25, 15),
    "spp": (35, 61, 0, 7.05, 2.47, 0, 0.9, 0.8, 15, 7),
    "caiso": (45, 186, 22.5, 0, 0, 0, 0, 0, 5, 5),
    "tva": (None, 64, 0, 5.3, 2.5, 0, 0.6, 0.8, 25, 5),
}


@pytest.mark.parametrize("name", TARIFFS)
def test_tariff_figures(name):
    found = library.tariff(name)
    assert tuple(getattr(found, column) for column in TARIFF_COLUMNS) == TARIFFS[name]
    demand = found.demand_usd_per_kw_month + found.on_peak_demand_usd_per_kw_month
    demand += found.off_peak_demand_usd_per_kw_month + found.coincident_usd_per_kw_month
    energy = found.all_in_usd_per_mwh - demand * 12 / 8.76
    assert found.energy_usd_per_mwh == pytest.approx(energy, abs=0.6)
    assert (found.on_peak_from_h, found.on_peak_to_h, found.lookback_months) == (14, 20, 11)
    if name != "caiso":
        solar = 0.6 if name in ("ercot", "spp") else 0.9
        assert (found.on_peak_factor, found.night_factor, found.solar_factor) == (2.4, 0.8, solar)


def test_capacity_charge_is_the_auctions():
    assert library.tariff("pjm").coincident_usd_per_kw_month == pytest.approx(
        329.17 * 365 / 12 / 1000, rel=2e-3
    )
    assert library.tariff("ercot").coincident_usd_per_kw_month * 12 == pytest.approx(66)


MONTHS = {
    "firm": 48, "firm_ercot": 36, "firm_pjm": 45, "firm_miso": 45, "firm_spp": 48, "firm_caiso": 57,
    "firm_tva": 39, "flexible": 18, "flexible_quarter": 18, "flexible_one": 18, "flexible_five": 18,
    "interruptible": 18, "ex_smelter": 24, "ex_miner": 12,
}  # fmt: skip
CALLS = {  # hours, energy, hours that keep half, three quarters, nine tenths, mean length
    "flexible_quarter": (85, 0.0025, 73, 50, 24, 4.2),
    "flexible": (177, 0.005, 155, 106, 52, 4.7),
    "flexible_one": (366, 0.01, 323, 224, 110, 5.4),
    "flexible_five": (1848, 0.05, 1644, 1127, 543, 9.0),
}


@pytest.mark.parametrize("name", MONTHS)
def test_connection_figures(name):
    found = library.grid(name)
    assert found.months_to_energise == MONTHS[name]
    price = {"ex_smelter": 417, "ex_miner": 0}.get(name, 250)
    assert (found.connection_usd_per_kw, found.export_connection_usd_per_kw) == (price, 150)
    assert (found.interruptions_per_yr, found.interruption_h, found.emergencies_per_yr) == (0.12, 1.4, 0.1)
    assert found.import_mw == (480 if name == "ex_smelter" else None)
    if found.connection == "flexible" and name != "interruptible":
        hours, energy, half, quarters, tenths, event = CALLS.get(name, CALLS["flexible"])
        assert (found.curtailed_h_per_yr, found.curtailed_energy_fraction, found.event_h) == (
            hours,
            energy,
            event,
        )
        shares = (
            found.kept_half_fraction,
            found.kept_three_quarters_fraction,
            found.kept_nine_tenths_fraction,
        )
        assert [share * hours for share in shares] == pytest.approx([half, quarters, tenths], abs=0.1)


def test_price_of_the_smelters_connection_is_that_of_its_sale():
    assert library.grid("ex_smelter").connection_usd_per_kw == pytest.approx(200e6 / 480e3, abs=0.5)


def test_prices_are_positive():
    for row in library.list_entries().itertuples():
        entry = library.entry(row.kind, row.name)
        for field in entry.numbers():
            if field.startswith(("capex_usd", "price_usd")) or field in ("gpu_hour_usd", "shell_usd_per_mw"):
                assert getattr(entry, field) > 0, (row.name, field)


# The sheet --------------------------------------------------------------------------------------------------


def test_sheet_in_the_folder_is_up_to_date():
    committed = (library_folder("models") / "README.md").read_text(encoding="utf-8")
    assert committed == sheet(), "run: python -m sitedesign.equations.sheet"


def test_sheet_names_every_entry_every_number_and_every_source():
    text = sheet()
    for row in library.list_entries().itertuples():
        assert f"`{row.name}`: {row.title}" in text
        for field, quantity in library.entry(row.kind, row.name).sources.items():
            assert f"`{field}`" in text
            assert quantity.value is None or quantity.source in text


def test_sheet_prints_every_equation_once():
    from sitedesign.equations import REGISTRY

    lines = sheet().splitlines()
    for equation in REGISTRY.values():
        assert sum(line.startswith(f"**{equation.number}** `{equation.name}`") for line in lines) == 1


def test_sheet_can_be_written_from_the_command_line(tmp_path):
    path = tmp_path / "README.md"
    command = [sys.executable, "-m", "sitedesign.equations.sheet", str(path)]
    subprocess.run(command, check=True, timeout=120)
    assert path.read_text(encoding="utf-8") == sheet()
