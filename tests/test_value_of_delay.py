"""What a month of delay costs against published rows and textbook figures, and the library behind it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sitedesign import library
from sitedesign.errors import InputError
from sitedesign.finance.value_of_delay import (
    bridge_usd_per_kw_month,
    idle_cost_usd,
    lost_income_usd,
    rack_month_usd,
)
from sitedesign.study.roadmap_defaults import (
    rentals_of,
    usual_deliveries,
    usual_ramp,
    usual_rental,
    value_of,
    with_usual,
)
from sitedesign.study.roadmap_inputs import Delivery
from sitedesign.study.study import Study

DATA = Path(__file__).parent / "data" / "time_to_power" / "worked_cases.json"
CASES: dict[str, Any] = json.loads(DATA.read_text(encoding="utf-8"))
IDLE, TEXTBOOK = CASES["idle_cost"], CASES["textbook"]
PRICE, RATE = IDLE["idle_cost_inputs"]["gpu_hour_usd"], IDLE["idle_cost_inputs"]["discount_rate"]


def study(**changes: Any) -> Study:
    site = {"latitude": 31.76, "longitude": -106.49, "elevation_m": 1200.0, "timezone": "America/Denver"}
    return Study(site=site, **({"racks": 10, "uptime": 0.99, "weather_years": 1} | changes))


@pytest.mark.parametrize("case", IDLE["idle_cost_cases"], ids=lambda case: f"{case['gpus']}-{case['years']}")
def test_idle_cost_is_the_published_one(case: dict[str, float]) -> None:
    assert idle_cost_usd(case["gpus"], PRICE, case["years"], RATE) == pytest.approx(case["npv_usd"], abs=1)


@pytest.mark.parametrize("row", IDLE["gas_rows"], ids=lambda row: row["ng_configuration"])
def test_price_of_power_with_idle_cost_is_the_published_one(row: dict[str, float]) -> None:
    idle = idle_cost_usd(row["gpu_count"], PRICE, row["construction_years"], RATE)
    usd_per_kwh = (row["capex_npv"] + row["opex_npv"] + idle) / row["energy_npv"] / 1000
    assert usd_per_kwh == pytest.approx(row["ng_total_lcoe"], abs=1e-9)


def test_no_delay_costs_nothing_and_parts_of_a_year_count_by_their_share() -> None:
    assert idle_cost_usd(100, 2.4, 0, 0.07) == 0
    assert lost_income_usd(1e5, 0, 0.12) == 0
    assert idle_cost_usd(1, 1, 0.5, 0.07) == 4380
    assert idle_cost_usd(1, 1, 2.25, 0.0) == pytest.approx(2.25 * 8760)
    assert lost_income_usd(100.0, 7, 0.0) == pytest.approx(700)


def test_a_year_of_flat_rent() -> None:
    case = TEXTBOOK["delay_flat_rent"]
    lost = lost_income_usd(case["rent_usd_per_rack_month"], case["months"], case["discount_per_yr"])
    assert lost == pytest.approx(case["npv_loss_usd"], abs=1)
    assert lost == pytest.approx(1_557_890, abs=1)


def test_bridge_pays_from_a_value_of_compute_on() -> None:
    case = TEXTBOOK["bridge_breakeven"]
    cost = bridge_usd_per_kw_month(
        case["rent_usd_per_kw_month"], case["mobilisation_usd_per_kw"], case["months"], case["redundancy"],
        case["extra_energy_usd_per_mwh"],
    )  # fmt: skip
    assert cost == pytest.approx(case["cost_usd_per_kw_month_served"], abs=1e-6)
    assert library.owner("landlord").usd_per_kw_month == case["landlord_value"] > cost
    assert library.owner("gpu_owner").usd_per_kw_month == case["gpu_owner_value"] > cost


def test_blocks_in_service_in_time_earn_the_credit_and_later_ones_do_not() -> None:
    case = TEXTBOOK["itc_by_block"]
    ordered = date.fromisoformat(case["construction_start"])
    solar = library.delivery("solar")
    credited = total = 0.0
    for month in range(1, 41):
        arrived = [min(case["total_mw"], solar.per_month * max(0, m - (solar.first_months or 0)))
                   for m in (month - 1, month)]  # fmt: skip
        year, index = divmod(ordered.month - 1 + month - 1, 12)
        in_service = date(ordered.year + year, index + 1, 28)  # in the course of this month
        block = arrived[1] - arrived[0]
        total += block
        credited += block * (library.itc_fraction("pv", ordered, in_service) > 0)
    assert (total, credited) == (case["total_mw"], case["credited_mw"])
    assert credited / total * library.finance().solar_itc_fraction == pytest.approx(case["average_credit"])


def test_idle_racks_cost_their_income_or_their_capital() -> None:
    rack = library.rack("gb200_nvl72")
    assert rack_month_usd(library.owner("gpu_owner"), rack.replace(power_kw=125)) == 138_000
    assert rack_month_usd(library.owner("landlord"), rack.replace(power_kw=100)) == 17_000
    held = rack_month_usd(
        library.owner("gpu_holder"), rack.replace(price_usd=3.2e6, network_price_fraction=0.2)
    )
    assert held == pytest.approx(38_400 + 76_800)  # capital at 12 % a year, ageing of 2 % a month


def test_phased_build_of_the_textbook() -> None:
    """Array by the library's delivery; racks by what is put up in a month and by the array."""
    case = TEXTBOOK["phased_build"]
    array = next(item for item in usual_deliveries(study()) if item.technology == "solar")
    assert (array.lead_months, array.mw_per_month) == (10, 40)
    solar = [min(600.0, array.mw_per_month * max(0, m - array.lead_months)) for m in range(31)]
    ramp = usual_ramp(727, 10)
    racks = [0] * 31
    for month in range(1, 31):
        put_up = racks[month - 1] + (ramp.racks(10) if month >= 10 else 0)
        racks[month] = min(727, put_up, int(solar[month] / 6 / 0.1375))
    assert [[m, solar[m], racks[m]] for m in range(31)] == case["months"]
    assert sum(racks) == case["rack_months_by_30"]


def test_usual_rentals_come_from_the_library_and_deliveries_given_replace_it() -> None:
    (rented,) = rentals_of(["mobile_gt"])
    assert (rented.units, rented.rent_usd_per_kw_month, rented.from_month, rented.min_term_months) == (
        13,
        42,
        18,
        36,
    )
    assert rentals_of({"diesel": 4}) == (usual_rental("diesel", 4),)
    assert rentals_of(None) == ()
    assert usual_rental("mobile_gt", free=True).from_month == 3
    own = Delivery(technology="solar", mw_per_month=5)
    found = with_usual([own], study(backup=["recip_medium"], wind=["onshore_6mw_170"]))
    assert {item.technology for item in found} == {"solar", "battery", "recip_medium", "onshore_6mw_170"}
    assert found[0] is own
    with pytest.raises(InputError, match="Did you mean 'mobile_gt'"):
        rentals_of(["mobil_gt"])


def test_a_technology_that_the_library_does_not_know_arrives_as_others_do() -> None:
    mine = library.backup("recip_medium").replace(name="mine")
    assert usual_deliveries(study(backup=[mine]))[-1].mw_per_month == library.delivery("other").per_month


def test_value_of_a_rack_by_its_owner() -> None:
    asked = study()
    assert value_of("landlord", asked) == 170 * asked.rack.power_kw
    assert value_of(5e4, asked) == 5e4
    assert value_of(None, asked) is None
    with pytest.raises(InputError, match="Did you mean 'landlord'"):
        value_of("lanlord", asked)


# The library ------------------------------------------------------------------------------------------------

FIRST_AND_RATE = {
    "solar": (10, 40, "MWdc"), "wind": (None, 40, "MW"), "battery": (9, 250, "MWh"),
    "racks": (0, 300, "racks"),
    "hall": (None, 15, "MW"), "recip_fast": (None, 40, "MW"), "recip_medium": (None, 40, "MW"),
    "recip_medium_dual": (None, 40, "MW"), "recip_medium_lng": (None, 40, "MW"),
    "diesel": (None, 40, "MW"), "diesel_standby": (None, 40, "MW"), "mobile_gt": (None, 60, "MW"),
    "mobile_gt_dual": (None, 60, "MW"), "aero_gt": (None, 50, "MW"), "aero_refurb": (None, 50, "MW"),
    "frame_gt": (None, 80, "MW"), "sofc": (None, 25, "MW"), "smr": (None, 13, "MW"),
    "other": (None, 40, "MW"),
}  # fmt: skip


def test_deliveries() -> None:
    found = {name: library.delivery(name) for name in library.names("delivery")}
    assert {name: (x.first_months, x.per_month, x.counts) for name, x in found.items()} == FIRST_AND_RATE
    assert set(library.names("backup")) <= set(found)


RENTALS = {
    "mobile_gt": ("mobile_gt", 42, 120, 36, 18, 3, 0.2, 220, 60),
    "recip_fast": ("recip_fast", 35, 80, 24, 12, 3, 0.2, 100, 40),
    "diesel": ("diesel", 22, 45, 6, 6, 1, 0.7, 60, 40),
}


def test_rentals() -> None:
    assert library.names("rental") == tuple(sorted(RENTALS))
    for name, figures in RENTALS.items():
        found = library.rental(name)
        assert (found.technology, *(getattr(found, field) for field in found.numbers())) == figures
        assert library.backup(found.technology).unit_mw > 0
        assert found.free_months <= found.months


def test_owners() -> None:
    income = {name: library.owner(name).usd_per_kw_month for name in library.names("owner")}
    assert income == {"landlord": 170, "developer": 237, "gpu_owner": 1104, "gpu_holder": None}


def test_idle_cost_is_one_of_two_and_never_both() -> None:
    for name, change in (
        ("gpu_owner", {"ageing_per_month": 0.02}),
        ("gpu_holder", {"usd_per_kw_month": 900}),
    ):
        with pytest.raises(InputError, match=r"usd_per_kw_month: got a number.*Idle cost is one of the two"):
            library.owner(name).replace(**change)
    with pytest.raises(InputError, match="usd_per_kw_month: got none"):
        library.owner("landlord").replace(usd_per_kw_month=None)
