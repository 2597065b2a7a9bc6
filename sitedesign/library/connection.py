"""The kinds of library entry about what is outside: a region's charges, a connection, who takes surplus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from sitedesign.library.number import Entry, Number

_HOUR = "h"


class RegionalTariff(Entry):
    """What a large load pays in one region, as a tariff of plain shape.

    Energy has four prices by hour of the clock on the wall: on-peak, night, hours of sun, and the rest, whose
    factor makes the mean of the year `energy_usd_per_mwh`. Demand is charged on the month's peak, on that of
    the on-peak hours and on that of all others; in coincident peaks the region draws most.
    A tariff of one's own is more exact: ``sitedesign.Tariff``.
    """

    kind: Literal["tariff"] = "tariff"
    coincident: Literal["none", "each_month", "season"]
    holidays: Literal["none", "nerc", "us_federal"]
    energy_usd_per_mwh: Annotated[float, Number("USD/MWh", 0, 1000, "Mean price of energy over the year")]
    wholesale_usd_per_mwh: Annotated[
        float | None, Number("USD/MWh", 0, 1000, "Wholesale mean; none: no market (cross-check)")
    ]
    all_in_usd_per_mwh: Annotated[
        float, Number("USD/MWh", 0, 1000, "Industrial mean, all charges included (cross-check)")
    ]
    on_peak_factor: Annotated[float, Number("fraction", 0, 20, "On-peak price over the mean")]
    night_factor: Annotated[float, Number("fraction", 0, 20, "Night price over the mean")]
    solar_factor: Annotated[float, Number("fraction", 0, 20, "Price in hours of sun over the mean")]
    on_peak_from_h: Annotated[float, Number(_HOUR, 0, 24, "On-peak hours of weekdays begin")]
    on_peak_to_h: Annotated[float, Number(_HOUR, 0, 24, "On-peak hours end")]
    on_peak_first_month: Annotated[int, Number("count", 1, 12, "First month with on-peak energy", whole=True)]
    on_peak_last_month: Annotated[int, Number("count", 1, 12, "Last month with on-peak energy", whole=True)]
    night_from_h: Annotated[float, Number(_HOUR, 0, 24, "Night begins")]
    night_to_h: Annotated[float, Number(_HOUR, 0, 24, "Night ends")]
    solar_from_h: Annotated[float, Number(_HOUR, 0, 24, "Hours of sun begin")]
    solar_to_h: Annotated[float, Number(_HOUR, 0, 24, "Hours of sun end")]
    demand_usd_per_kw_month: Annotated[
        float, Number("USD/kW-month", 0, 200, "Demand charge on the month's peak")
    ]
    on_peak_demand_usd_per_kw_month: Annotated[
        float, Number("USD/kW-month", 0, 200, "Demand charge on the peak of on-peak hours, all months")
    ]
    off_peak_demand_usd_per_kw_month: Annotated[
        float, Number("USD/kW-month", 0, 200, "Demand charge on the peak of all other hours")
    ]
    ratchet_fraction: Annotated[
        float, Number("fraction", 0, 1, "Share of the highest earlier peak that is billed at least")
    ]
    lookback_months: Annotated[int, Number("months", 1, 60, "Months that the ratchet looks back", whole=True)]
    minimum_take_fraction: Annotated[
        float, Number("fraction", 0, 1, "Share of the contracted power whose demand is billed at least")
    ]
    coincident_usd_per_kw_month: Annotated[
        float, Number("USD/kW-month", 0, 200, "Charge on the power at the region's peaks")
    ]
    coincident_peaks: Annotated[int, Number("count", 0, 100, "Such peaks a month or a season", whole=True)]
    export_usd_per_mwh: Annotated[float, Number("USD/MWh", 0, 1000, "Value of surplus at midday")]
    contract_yr: Annotated[float, Number("yr", 0, 60, "Length of a contract")]

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
        """Coincident peaks are there or not; the price of the other hours is not below zero."""
        found = []
        charged = data["coincident_usd_per_kw_month"] > 0 and data["coincident_peaks"] > 0
        if (data["coincident"] == "none") == charged:
            allowed = 'must be "none" without a charge and a number of peaks, and only then'
            found.append(("coincident", repr(data["coincident"]), allowed, ""))
        if data["on_peak_first_month"] > data["on_peak_last_month"]:
            allowed = "must not be before on_peak_first_month"
            found.append(("on_peak_last_month", f"{data['on_peak_last_month']}", allowed, ""))
        return found


class Connection(Entry):
    """Connection to the grid: when, for how much, and when it is not there.

    A flexible one is called: its import is capped in the hours in which the region is short. The shares that
    are kept are of called hours; the deepest call is what makes the energy lost `curtailed_energy_fraction`
    of a flat load.
    """

    kind: Literal["grid"] = "grid"
    connection: Literal["firm", "flexible"]
    import_mw: Annotated[float | None, Number("MW", 0, 20000, "Size of one that is there; none: any")]
    months_to_energise: Annotated[float, Number("months", 0, 240, "From the application to first power")]
    months_sigma: Annotated[
        float, Number("fraction", 0, 2, "Spread of that date, of the logarithm of the months")
    ]
    connection_usd_per_kw: Annotated[
        float, Number("USD/kW", 0, 5000, "Capital of the connection or its price")
    ]
    export_connection_usd_per_kw: Annotated[float, Number("USD/kW", 0, 5000, "Capital of power fed in")]
    line_usd_per_mile: Annotated[float, Number("USD/mile", 0, 1e8, "Line to the connection")]
    study_fee_usd: Annotated[float, Number("USD", 0, 1e8, "Study of the connection")]
    security_usd_per_mw: Annotated[float, Number("USD/MW", 0, 1e7, "Security deposited until energised")]
    life_yr: Annotated[float, Number("yr", 1, 100, "Economic life")]
    curtailed_h_per_yr: Annotated[float, Number("h/yr", 0, 8760, "Hours in which import is capped")]
    curtailed_energy_fraction: Annotated[
        float | None, Number("fraction", 0, 1, "Energy of a flat load that these calls take")
    ]
    kept_half_fraction: Annotated[
        float | None, Number("fraction", 0, 1, "Called hours that keep at least half the power")
    ]
    kept_three_quarters_fraction: Annotated[
        float | None, Number("fraction", 0, 1, "Called hours that keep at least three quarters")
    ]
    kept_nine_tenths_fraction: Annotated[
        float | None, Number("fraction", 0, 1, "Called hours that keep at least nine tenths")
    ]
    event_h: Annotated[float | None, Number("h", 0.05, 1000, "Mean length of a call")]
    longest_event_h: Annotated[float | None, Number("h", 0.05, 24, "Longest call")]
    heat_fraction: Annotated[
        float | None, Number("fraction", 0, 1, "Calls on hot afternoons; the others on cold mornings")
    ]
    weather_correlation: Annotated[
        float | None,
        Number("fraction", 0, 1, "Correlation of calls with the site's weather"),
    ]
    notice_minutes: Annotated[float | None, Number("min", 0, 10000, "Notice of a call")]
    interruptions_per_yr: Annotated[float, Number("events/yr", 0, 100, "Interruptions of the wires")]
    interruption_h: Annotated[float, Number("h", 0.01, 1000, "Mean length of an interruption")]
    emergencies_per_yr: Annotated[
        float, Number("events/yr", 0, 10, "Energy emergencies of the region, in its coldest days")
    ]
    emergency_h: Annotated[float, Number("h", 0.1, 1000, "Mean length of an emergency")]
    hall_retrofit_usd_per_mw: Annotated[
        float | None,
        Number("USD/MW", 0, 1e8, "Hall in a building that stands; none: a new one"),
    ]
    usable_fraction: Annotated[
        float | None, Number("fraction", 0, 1, "Share of the old connection that racks can use")
    ]

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
        """Find calls of a firm connection, and a flexible one that does not say how it is called."""
        calls = ("curtailed_energy_fraction", "kept_half_fraction", "kept_three_quarters_fraction",
                 "kept_nine_tenths_fraction", "event_h", "longest_event_h", "heat_fraction",
                 "weather_correlation")  # fmt: skip
        if data["connection"] == "firm":
            called = data["curtailed_h_per_yr"] > 0
            return [("curtailed_h_per_yr", f"{data['curtailed_h_per_yr']:g}",
                     'must be 0 when connection is "firm"', "")] if called else []  # fmt: skip
        found = [
            (name, "none", 'must be a number when connection is "flexible"', "")
            for name in calls
            if data[name] is None
        ]
        if not found and data["longest_event_h"] < data["event_h"]:
            allowed = f"must be at least event_h, which is {data['event_h']:g}"
            found.append(("longest_event_h", f"{data['longest_event_h']:g}", allowed, ""))
        return found


class SurplusUse(Entry):
    """Who takes power while it pays and is promised nothing: miners, a town.

    A MWh is counted where it leaves the plant's bus.
    """

    kind: Literal["surplus"] = "surplus"
    usd_per_mwh: Annotated[float, Number("USD/MWh", 0, 20_000, "What a MWh taken is worth")]
    capex_usd_per_kw: Annotated[float, Number("USD/kW", 0, 100_000, "Installed cost")]
    fixed_om_usd_per_kw_yr: Annotated[
        float, Number("USD/kW-yr", 0, 10_000, "Fixed operation and maintenance")
    ]
    life_yr: Annotated[float, Number("yr", 1, 100, "Economic life")]
    availability: Annotated[float, Number("fraction", 0.1, 1, "Mean share of the power that can be taken")]
    unit_mw: Annotated[float | None, Number("MW", 0.001, 2000, "Size of one; none: any power")]
