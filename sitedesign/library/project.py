"""The kinds of library entry that are not power equipment: racks, facility, finance, schedule, region."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from sitedesign.library.number import Day, Entry, Number, Pairs

Curve = tuple[tuple[float, float], ...]
_CURVE = "power fraction, throughput fraction"


class Rack(Entry):
    """AI rack: what it draws, costs, earns and loses when power is short.

    A curve lists (rack power over `power_kw`, throughput over full throughput) from (1, 1) down to
    (`idle_fraction`, 0); it is concave, so its segments are shed cheapest first.
    """

    kind: Literal["rack"] = "rack"
    measured_at: Literal["dc_busbar", "ac_plug"]
    power_kw: Annotated[float, Number("kW", 1, 2000, "Planning power of one rack, network not included")]
    price_usd: Annotated[float, Number("USD", 1e4, 1e8, "Price of one rack, network not included")]
    gpus: Annotated[int, Number("count", 1, 10000, "GPU packages per rack", whole=True)]
    gpu_hour_usd: Annotated[float, Number("USD/GPU-h", 0, 100, "Contract value of one GPU-hour")]
    network_power_fraction: Annotated[
        float, Number("fraction", 0, 1, "Network, storage, CPU racks: power added")
    ]
    network_price_fraction: Annotated[
        float, Number("fraction", 0, 2, "Network, storage, CPU racks: price added")
    ]
    fixed_power_fraction: Annotated[
        float, Number("fraction", 0, 0.9, "Share of rack power that never throttles")
    ]
    idle_fraction: Annotated[float, Number("fraction", 0, 0.9, "Power when powered without work")]
    floor_fraction: Annotated[
        float, Number("fraction", 0, 1, "Below this power racks are switched off instead")
    ]
    sustained_fraction_training: Annotated[float, Number("fraction", 0.1, 1, "Mean draw in training")]
    sustained_fraction_inference: Annotated[float, Number("fraction", 0.1, 1, "Mean draw in inference")]
    curve_default: Annotated[Curve, Pairs(_CURVE, 0, 1, "Throughput, mixed work", concave=True)]
    curve_conservative: Annotated[
        Curve, Pairs(_CURVE, 0, 1, "Throughput, compute-bound training", concave=True)
    ]
    curve_optimistic: Annotated[Curve, Pairs(_CURVE, 0, 1, "Throughput, memory-bound decode", concave=True)]
    curve_measured_h100: Annotated[
        Curve, Pairs(_CURVE, 0, 1, "Throughput, H100 training measured", concave=True)
    ]
    interruptions_per_gpu_day: Annotated[
        float, Number("1/GPU-day", 0, 1, "Unexpected interruptions, all causes")
    ]
    restart_h: Annotated[float, Number("h", 0, 100, "Restart after a clean stop")]
    restart_unplanned_h: Annotated[float, Number("h", 0, 100, "Restart after an unexpected stop")]
    gpu_swaps_per_gpu_yr: Annotated[float, Number("1/GPU-yr", 0, 10, "GPUs replaced")]
    swap_repair_h: Annotated[float, Number("h", 0, 1000, "Rack out of service per replacement")]
    spare_fraction: Annotated[
        float, Number("fraction", 0, 1, "Spare nodes found necessary in the field (cross-check)")
    ]
    ettr_fraction: Annotated[
        float, Number("fraction", 0.1, 1, "Effective training time achieved (cross-check)")
    ]
    tokens_per_s: Annotated[
        float | None, Number("tokens/s", 1, 1e9, "Output of one rack at full power, Llama 2 70B offline")
    ]
    life_yr: Annotated[float, Number("yr", 1, 30, "Economic life")]

    @property
    def availability(self) -> float:
        """Share of time an installed rack works. [fraction]

        ``1 / (1 + sum of rate * repair time)`` over its two causes: unexpected interruptions (each costs
        `restart_unplanned_h`) and GPU replacements (each costs `swap_repair_h`). Power is not among them.
        """
        interrupted = self.gpus * self.interruptions_per_gpu_day / 24 * self.restart_unplanned_h
        swapped = self.gpus * self.gpu_swaps_per_gpu_yr / 8760 * self.swap_repair_h
        return 1 / (1 + interrupted + swapped)

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
        """Every curve ends at the idle power."""
        idle = data["idle_fraction"]
        return [
            (
                field,
                f"{data[field][-1][0]:g} at zero throughput",
                f"must be idle_fraction, which is {idle:g}",
                "",
            )
            for field in cls.numbers()
            if field.startswith("curve_") and abs(data[field][-1][0] - idle) > 1e-9
        ]


class Facility(Entry):
    """Building and cooling around the racks."""

    kind: Literal["facility"] = "facility"
    pue_by_temp_c: Annotated[
        Curve, Pairs("degC, MW/MW", 1, 3, "Mechanical power usage effectiveness by air temperature")
    ]
    pue_fixed_share: Annotated[
        float, Number("fraction", 0, 1, "Share of cooling power that does not fall with load")
    ]
    water_l_per_kwh: Annotated[float, Number("L/kWh", 0, 10, "Water per kWh of rack energy")]
    shell_usd_per_mw: Annotated[
        float, Number("USD/MW", 0, 1e8, "Building and electrical plant per MW of racks")
    ]
    opex_usd_per_mw_yr: Annotated[float, Number("USD/MW-yr", 0, 1e7, "Staff and maintenance, no energy")]
    hall_acres_per_mw: Annotated[float, Number("acre/MW", 0, 20, "Land of hall, yard and roads")]
    lead_months: Annotated[float, Number("months", 0, 240, "Construction; stated, not counted")]
    ride_through_min: Annotated[float, Number("minutes", 0, 600, "Ride-through while generators start")]
    ride_through_usd_per_kw: Annotated[
        float, Number("USD/kW", 0, 5000, "Installed cost of the ride-through, per kW of racks")
    ]
    ride_through_om_fraction_per_yr: Annotated[
        float, Number("fraction/yr", 0, 0.5, "Operation and maintenance of it, of its cost")
    ]
    ride_through_life_yr: Annotated[float, Number("yr", 1, 50, "Life of its cells")]
    ride_through_failure_probability: Annotated[
        float, Number("fraction", 0, 0.5, "Share of it that fails when called upon")
    ]
    site_shock_events_per_yr: Annotated[float, Number("events/yr", 0, 100, "Faults that stop the whole site")]
    site_shock_h: Annotated[float, Number("h", 0, 1000, "Mean length of such a fault")]


class Finance(Entry):
    """Cost of capital, taxes, credits, prices that belong to no technology."""

    kind: Literal["finance"] = "finance"
    wacc_power_real: Annotated[float, Number("fraction/yr", 0, 0.5, "Real cost of capital, power plant")]
    wacc_compute: Annotated[float, Number("fraction/yr", 0, 0.5, "Cost of capital, racks")]
    tax_fraction: Annotated[float, Number("fraction", 0, 0.6, "Combined income tax")]
    federal_tax_fraction: Annotated[float, Number("fraction", 0, 0.6, "Federal part of it, before state tax")]
    analysis_yr: Annotated[int, Number("yr", 1, 60, "Length of the analysis", whole=True)]
    inflation_per_yr: Annotated[float, Number("fraction/yr", -0.05, 0.2, "General inflation")]
    voll_usd_per_mwh: Annotated[float, Number("USD/MWh", 0, 1e5, "Value of lost compute per facility MWh")]
    land_usd_per_acre: Annotated[float, Number("USD/acre", 0, 1e7, "Land purchase")]
    debt_fraction: Annotated[float, Number("fraction", 0, 1, "Debt share of capital")]
    debt_most_fraction: Annotated[float, Number("fraction", 0, 1, "Most debt that lenders give on cash")]
    debt_rate: Annotated[float, Number("fraction/yr", 0, 0.5, "Interest, nominal")]
    debt_tenor_yr: Annotated[int, Number("yr", 1, 60, "Years in which debt is repaid", whole=True)]
    debt_fee_fraction: Annotated[float, Number("fraction", 0, 0.2, "Fee of a debt")]
    reserve_months: Annotated[float, Number("months", 0, 60, "Debt service and expenses kept aside")]
    equity_rate: Annotated[float, Number("fraction/yr", 0, 0.5, "Return on equity, nominal, after tax")]
    solar_itc_fraction: Annotated[float, Number("fraction", 0, 0.7, "Investment credit of solar, in time")]
    solar_itc_construction_by: Annotated[
        date, Day("date", 2020, 2060, "Last start of construction for solar")
    ]
    solar_itc_continuity_yr: Annotated[
        int, Number("yr", 0, 20, "Years to finish after such a start", whole=True)
    ]
    solar_itc_in_service_by: Annotated[date, Day("date", 2020, 2060, "Or else last day of first service")]
    storage_itc_by_construction_year: Annotated[
        Curve,
        Pairs(
            "year, fraction", 0, 0.7, "Credit of storage up to and including a construction year, then none"
        ),
    ]
    fuel_cell_itc_fraction: Annotated[float, Number("fraction", 0, 0.7, "Investment credit of fuel cells")]
    fuel_cell_itc_from: Annotated[
        date, Day("date", 2020, 2060, "First start of construction for that credit")
    ]
    nuclear_itc_by_construction_year: Annotated[
        Curve,
        Pairs(
            "year, fraction", 0, 0.7, "Credit of nuclear up to and including a construction year, then none"
        ),
    ]
    itc_basis_reduction_fraction: Annotated[
        float, Number("fraction", 0, 1, "Share of the credit taken off the depreciable basis")
    ]
    bonus_depreciation_fraction: Annotated[
        float, Number("fraction", 0, 1, "Basis deducted in the first year")
    ]
    credit_transfer_price: Annotated[float, Number("USD/USD", 0, 1, "What a dollar of a sold credit brings")]
    production_credit_usd_per_mwh: Annotated[
        float, Number("USD/MWh", 0, 100, "Production credit of solar and wind, in time")
    ]
    production_credit_yr: Annotated[int, Number("yr", 1, 30, "Years in which it is paid", whole=True)]
    foreign_entity_from: Annotated[
        date, Day("date", 2020, 2060, "First start of construction that foreign-entity rules hold for")
    ]
    foreign_entity_facility_by_construction_year: Annotated[
        Curve, Pairs("year, fraction", 0, 1, "Least share of a generator from no prohibited foreign entity")
    ]
    foreign_entity_storage_by_construction_year: Annotated[
        Curve, Pairs("year, fraction", 0, 1, "Least share of storage from no prohibited foreign entity")
    ]
    overnight_rate: Annotated[float, Number("fraction/yr", -0.02, 0.3, "Money from day to day, nominal")]
    treasury_rate_by_year: Annotated[
        Curve, Pairs("yr, fraction/yr", -0.02, 0.3, "Treasury curve by tenor, nominal")
    ]
    gpu_rent_change_per_yr: Annotated[
        float, Number("fraction/yr", -0.9, 1, "Fall of the rent of a GPU, where it falls year by year")
    ]
    gpu_rent_v_by_year: Annotated[
        Curve, Pairs("yr, fraction", 0, 5, "Rent over that of year 1, where it falls and comes back")
    ]


class DebtTerms(Entry):
    """On what terms lenders lend: a spread over a curve, how much, for how long."""

    kind: Literal["debt"] = "debt"
    base: Literal["treasury", "overnight"]
    repayment: Literal["level", "bullet"]
    spread_per_yr: Annotated[float, Number("fraction/yr", 0, 0.3, "Above the base at the tenor")]
    debt_fraction: Annotated[float, Number("fraction", 0, 0.99, "Share of cost")]
    dscr: Annotated[
        float | None, Number("ratio", 1, 10, "Cover of debt service that sizes it; none: by share of cost")
    ]
    most_fraction: Annotated[
        float, Number("fraction", 0, 0.99, "Most share of cost, where its cover sizes it")
    ]
    tenor_yr: Annotated[int, Number("yr", 1, 60, "Years in which it is repaid", whole=True)]
    fee_fraction: Annotated[float, Number("fraction", 0, 0.2, "Fee, when it is drawn")]
    reserve_months: Annotated[float, Number("months", 0, 60, "Debt service kept aside")]


class Schedule(Entry):
    """Lead times of shared equipment and of the grid."""

    kind: Literal["schedule"] = "schedule"
    large_transformer_months: Annotated[float, Number("months", 0, 240, "Large power transformer")]
    generator_transformer_months: Annotated[float, Number("months", 0, 240, "Generator step-up transformer")]
    generator_bus_mw: Annotated[
        float, Number("MW", 1, 1000, "Largest unit that needs no step-up transformer of its own")
    ]
    distribution_transformer_months: Annotated[float, Number("months", 0, 240, "Distribution transformer")]
    switchgear_months: Annotated[float, Number("months", 0, 240, "Medium-voltage switchgear")]
    chiller_months: Annotated[float, Number("months", 0, 240, "Chillers and dry coolers")]
    firm_interconnection_months: Annotated[float, Number("months", 0, 240, "Firm grid connection")]
    flexible_interconnection_months: Annotated[
        float, Number("months", 0, 240, "Connection that accepts curtailment")
    ]
    transmission_line_months: Annotated[float, Number("months", 0, 360, "New transmission line")]


class Region(Entry):
    """What is paid and asked in one part of the world.

    A factor multiplies installed costs of the library; a number that is none leaves the library's own.
    """

    kind: Literal["region"] = "region"
    market: Literal[
        "caiso", "ercot", "isone", "miso", "northwest", "nyiso", "other", "pjm", "southeast", "southwest",
        "spp", "tva",
    ]  # fmt: skip
    gas_transport: Literal["firm", "interruptible"]
    wages: Literal["federal", "state"]
    gas_usd_per_mmbtu: Annotated[
        float | None, Number("USD/MMBtu", 0, 500, "Natural gas delivered to a large user")
    ]
    land_usd_per_acre: Annotated[float | None, Number("USD/acre", 0, 1e7, "Land purchase")]
    land_lease_usd_per_acre_yr: Annotated[float | None, Number("USD/acre-yr", 0, 1e6, "Land rented instead")]
    solar_cost_factor: Annotated[float, Number("fraction", 0.3, 3, "Installed cost of arrays")]
    wind_cost_factor: Annotated[float, Number("fraction", 0.3, 3, "Installed cost of wind farms")]
    battery_cost_factor: Annotated[float, Number("fraction", 0.3, 3, "Installed cost of batteries")]
    engine_cost_factor: Annotated[float, Number("fraction", 0.3, 3, "Installed cost of backup")]
    hall_cost_factor: Annotated[float, Number("fraction", 0.3, 3, "Cost of the hall")]
    electricity_usd_per_mwh: Annotated[
        float | None, Number("USD/MWh", 0, 2000, "Power from the grid, industrial, all in")
    ]
    connection_months: Annotated[
        float | None, Number("months", 0, 240, "From the application to a firm connection")
    ]
    large_load_mw: Annotated[
        float | None, Number("MW", 0, 20000, "Size from which rules for large loads hold; none: no rule")
    ]
    permitting_months: Annotated[float | None, Number("months", 0, 240, "Permits of a plant with engines")]
    water_stress: Annotated[float | None, Number("index", 0, 5, "Baseline water stress, 5 is the most")]
    sales_tax_fraction: Annotated[
        float | None, Number("fraction", 0, 0.3, "Sales tax of state and places together")
    ]
    property_tax_fraction_per_yr: Annotated[
        float | None, Number("fraction/yr", 0, 0.1, "Effective property tax of industry")
    ]


class Scale(Entry):
    """What a site costs whatever its size, and how costs rise with size.

    A cost of a hundred at the reference costs ``100 * m ** exponent`` at m times the size.
    """

    kind: Literal["scale"] = "scale"
    reference_mw: Annotated[float, Number("MW", 1, 5000, "IT power at which the library's costs hold")]
    site_development_usd: Annotated[float, Number("USD", 0, 1e9, "Once for a site of any size")]
    site_usd_per_yr: Annotated[float, Number("USD/yr", 0, 1e9, "Every year for a site of any size")]
    network_usd_per_yr: Annotated[float, Number("USD/yr", 0, 1e9, "Fibre to a site of any size")]
    staff_exponent: Annotated[float, Number("fraction", 0.1, 1, "Staff and maintenance of the hall")]
    hall_exponent: Annotated[float, Number("fraction", 0.1, 1, "Capital of the hall")]
    connection_exponent: Annotated[float, Number("fraction", 0.1, 1, "Capital of the grid connection")]
    backup_exponent: Annotated[float, Number("fraction", 0.1, 1, "Capital of the backup")]
    solar_exponent: Annotated[float, Number("fraction", 0.1, 1, "Capital of the array")]
    battery_exponent: Annotated[float, Number("fraction", 0.1, 1, "Capital of the battery")]
    large_load_months: Annotated[
        float, Number("months", 0, 240, "Longer wait for a connection under rules for large loads")
    ]
