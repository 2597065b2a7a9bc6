"""Bills: published cases, hand-made ones, a second bill line by line, and laws that all bills keep."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sitedesign import library
from sitedesign.errors import InputError
from sitedesign.finance.bill import bill, coincident_windows
from sitedesign.finance.billing_calendar import When, calendar, year_calendar
from sitedesign.finance.charges import CoincidentCharge, DemandCharge, EnergyCharge
from sitedesign.finance.regional_tariff import regional_tariff
from sitedesign.finance.tariff import Tariff
from sitedesign.finance.tariff_prices import coincident_usd_per_mwh, demand_usd_per_mw_yr, energy_usd_per_mwh
from tests.tariff_strategies import plain_bill, series, tariffs

ROOT = Path(__file__).resolve().parent.parent
CASES = json.loads((ROOT / "tests/data/tariff/worked_cases.json").read_text(encoding="utf-8"))
PUBLISHED = {item["case"]: item for item in CASES["published"]}
SAM_BILLS = json.loads((ROOT / "tests/data/tariff/sam_bills.json").read_text(encoding="utf-8"))["cases"]
SAM = {item["case"]: item for item in CASES["sam"]}
YEAR = 8760
ON_PEAK = {"months": [6, 7, 8, 9], "days": "weekdays", "hours": [14, 20]}
LAWS = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def shared_cases() -> Path:
    folder = Path(os.environ.get("SITEDESIGN_CASES", ROOT.parent / "shared" / "cases"))
    if not (folder / "tariff").is_dir():
        pytest.skip("the folder of worked cases is not here (set SITEDESIGN_CASES)")
    return folder


def sam_tariff() -> Tariff:
    return Tariff(
        energy=[
            {"name": "on-peak", "usd_per_mwh": 110, "when": ON_PEAK},
            {"name": "off-peak", "usd_per_mwh": 45},
        ],
        demand=[
            {"name": "flat", "usd_per_kw_month": 9},
            {"name": "on-peak", "usd_per_kw_month": 6, "when": ON_PEAK},
        ],
        usd_per_month=1000,
    )


# Published --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "in_peak_mw"), [("tariff_flat_100mw", 100), ("tariff_flex_70mw_onpeak", 70)]
)
def test_bill_of_sam_month_by_month(case: str, in_peak_mw: float) -> None:
    expected, tariff = SAM[case], sam_tariff()
    power = np.full(YEAR, 100.0)
    peak_hours = year_calendar(2018, 60).look_up(When(**ON_PEAK).mask())
    assert peak_hours.sum() == 516
    power[peak_hours] = in_peak_mw
    found = tariff.bill(power)
    assert found.usd == pytest.approx(expected["annual_bill_usd"], abs=1)
    energy = sum(line.usd for line in found.lines if line.kind == "energy")
    assert energy == pytest.approx(expected["monthly_energy_charge_usd"], abs=1)
    assert found.line("demand", "flat").usd == pytest.approx(
        expected["monthly_demand_charge_flat_usd"], abs=1
    )
    on_peak = found.line("demand", "on-peak").usd
    assert on_peak == pytest.approx(expected["monthly_demand_charge_tou_usd"], abs=1)
    assert found.line("fixed", "fixed").usd == pytest.approx(expected["monthly_fixed_usd"], abs=1)
    mwh = sum(line.amount.sum() for line in found.lines if line.kind == "energy")
    assert mwh * 1000 == pytest.approx(expected["energy_kwh"], abs=1)


def hours_of(period: int, weekday: list[str], weekend: list[str]) -> list[dict[str, Any]]:
    """Hours of one period of a schedule that has a row a month and a digit an hour."""
    return [
        {"months": month + 1, "days": days, "hours": [[h, h + 1] for h in range(24) if row[h] == str(period)]}
        for days, rows in (("weekdays", weekday), ("weekends", weekend))
        for month, row in enumerate(rows)
        if str(period) in row
    ]


def charges_of(case: dict[str, Any], kind: str, scale: float) -> list[dict[str, Any]]:
    """Charges of one kind, by period, in USD/MWh from MWh on or in USD/kW from MW on."""
    schedules = {"energy": ("weekday", "weekend"), "demand": ("demand_weekday", "demand_weekend")}[kind]
    return [
        {
            "name": f"period {period}",
            "when": hours_of(period, *(case[name] for name in schedules)),
            "tiers": [(first / 1000, price * scale) for one, first, price in case[kind] if one == period],
        }
        for period in sorted({row[0] for row in case[kind]})
    ]


@pytest.mark.parametrize("case", SAM_BILLS, ids=lambda case: f"seed {case['seed']}")
def test_random_schedules_tiers_and_minimum_bills_of_sam(case: dict[str, Any]) -> None:
    tariff = Tariff(
        energy=charges_of(case, "energy", 1000),
        demand=[{"name": "flat", "usd_per_kw_month": case["flat"]}, *charges_of(case, "demand", 1)],
        usd_per_month=case["fixed"],
        minimum_usd_per_month=case["min"],
    )
    load_kw = np.random.default_rng(case["seed"]).uniform(0, 1000, YEAR).round(2)
    found, expected = tariff.bill(load_kw / 1000), case["expected"]
    energy = sum(line.usd for line in found.lines if line.kind == "energy")
    by_period = [line.usd for line in found.lines if line.kind == "demand" and line.name != "flat"]
    assert energy == pytest.approx(expected["energy_usd"], abs=1e-3)
    assert found.line("demand", "flat").usd == pytest.approx(expected["flat_usd"], abs=1e-3)
    assert sum(by_period) == pytest.approx(expected["tou_demand_usd"], abs=1e-3)
    assert found.usd_of("minimum") == pytest.approx(expected["minimum_usd"], abs=1e-3)
    assert found.usd == pytest.approx(expected["total_usd"], abs=1e-2)


def test_ratchet_over_all_months() -> None:
    power_kw = np.full(YEAR, 1.0)
    power_kw[7] = 100
    warm = [10.5] * 4 + [11.5] * 6 + [10.5] * 2
    tariff = Tariff(energy=0, demand={"usd_per_kw_month": warm, "ratchet": 0.35})
    assert tariff.bill(power_kw / 1000).usd == pytest.approx(
        PUBLISHED["demand_lookback_35pct"]["expected"], abs=1e-6
    )


def test_ratchet_over_chosen_months() -> None:
    case = PUBLISHED["demand_lookback_selected_months"]
    power_kw = np.full(YEAR, 100.0)
    power_kw[[21, 2402, 4087, 8332]] = [200, 400, 500, 300]
    given_ = case["inputs"]
    charge = DemandCharge(
        usd_per_kw_month=given_["demand_rate_usd_per_kw_month"],
        ratchet=given_["lookback"],
        lookback_in=given_["lookback_months"],
    )
    found = Tariff(energy=0, demand=charge).bill(power_kw / 1000)
    assert found.line("demand", "demand").amount * 1000 == pytest.approx(case["expected"]["billed_kw"])
    assert found.usd == pytest.approx(case["expected"]["cost_usd"], abs=1e-6)


def test_coincident_peaks_in_named_steps() -> None:
    case = PUBLISHED["coincident_peak"]
    charges = [
        CoincidentCharge(name=f"{price}", usd_per_kw_yr=price, windows=[[step - 1 for step in window]])
        for price, window in zip(case["inputs"]["usd_per_kw"], case["inputs"]["windows"], strict=True)
    ]
    found = Tariff(energy=0, coincident=charges).bill(np.full(YEAR, 0.001))
    assert found.usd == pytest.approx(case["expected"], abs=1e-9)


def test_tiers_of_energy() -> None:
    case = PUBLISHED["tiered_energy"]
    first, second = (price * 1000 for price in case["inputs"]["tier_usd_per_kwh"])
    most_mwh = case["inputs"]["tier1_max_kwh_per_month"] / 1000
    tariff = Tariff(energy=EnergyCharge(tiers=[(0, first), (most_mwh, second)]))
    # A twelfth of the energy in each month, as its origin has it
    days = year_calendar(2018, 60)
    hours = np.bincount(days.month)
    power = (case["inputs"]["annual_kwh"] / 1000 / 12 / hours)[days.month]
    assert tariff.bill(power).usd == pytest.approx(case["expected"], abs=0.01)


def test_blended_tariff_of_a_flat_load() -> None:
    found = Tariff(energy=100, demand={"usd_per_kw_month": 10}).bill(np.full(YEAR, 10 / YEAR))
    assert found.usd_of("energy") == pytest.approx(1000, abs=0.01)
    assert found.usd_of("demand") == pytest.approx(136.99, abs=0.01)


@pytest.mark.parametrize(("year", "expected"), [(2023, 180.5), (2024, 280.5)])
def test_year_decides_the_weekday_and_the_leap_day(year: int, expected: float) -> None:
    power = np.zeros(YEAR)
    power[31 * 24 + 29 * 24 + 3 * 24 + 16 - 1] = 0.01
    tariff = Tariff(
        energy=0,
        demand=[
            {"name": "all", "usd_per_kw_month": 18.05},
            {"name": "on-peak", "usd_per_kw_month": 10, "when": {"days": "weekdays", "hours": [14, 20]}},
        ],
    )
    assert tariff.bill(power, start=f"{year}-01-01").usd == pytest.approx(expected, abs=1e-6)


def test_shaved_peak_saves_its_demand_charge() -> None:
    case = CASES["textbook"]["peak_shaving_rectangle"]
    power = np.full(YEAR, case["base_mw"])
    for day in pd.date_range("2018-01-15", periods=12, freq="MS"):
        step = (day.day_of_year - 1) * 24 + 12
        power[step : step + int(case["hours"])] += case["peak_above_mw"]
    tariff = Tariff(energy=0, demand={"usd_per_kw_month": case["demand_usd_per_kw_month"]})
    shaved = np.minimum(power, case["billed_mw"])
    power[12:14] = case["base_mw"] + case["peak_above_mw"]
    saved = tariff.bill(power).usd - tariff.bill(np.minimum(power, case["billed_mw"])).usd
    assert saved == pytest.approx(case["saving_usd_per_yr"], rel=1e-9)
    assert tariff.bill(shaved).line("demand", "demand").amount.max() == case["billed_mw"]


def test_worked_cases_are_those_of_the_shared_folder(shared_cases: Path) -> None:
    everything = json.loads((shared_cases / "tariff/published_small_cases.json").read_text(encoding="utf-8"))
    assert [item for item in everything if item["case"] in PUBLISHED] == CASES["published"]
    for name, case in SAM.items():
        assert json.loads((shared_cases / f"tariff/{name}.json").read_text(encoding="utf-8")) == case


def test_bills_of_seventy_utilities_lie_in_their_own_range(shared_cases: Path) -> None:
    table = pd.read_csv(shared_cases / "tariff/utility_tariffs.csv", skiprows=1)  # says where it is from
    assert len(table) > 60
    for row in table.itertuples():
        fuel = row.fuel_adjustment * 1000
        off = row.energy_rate_off_peak * 1000 + fuel
        on = row.energy_rate_peak * 1000 + fuel
        when = {"days": "weekdays", "hours": [14, 20]}
        tariff = Tariff(
            energy=[{"name": "on", "usd_per_mwh": on, "when": when}, {"name": "off", "usd_per_mwh": off}],
            demand=[
                {"usd_per_kw_month": row.peak_demand_charge, "when": when, "ratchet": row.ratchet_pct / 100}
            ],
        )
        found = tariff.bill(np.full(YEAR, 100.0))
        assert off - 1e-9 <= found.usd_of("energy") / 876_000 <= on + 1e-9
        assert found.usd_of("demand") == pytest.approx(12 * 100_000 * row.peak_demand_charge)


# By hand ----------------------------------------------------------------------------------------------------


def test_ratchet_decays_month_by_month_in_a_long_series() -> None:
    """Eighteen months are no year that repeats: the first looks back at nothing, the last at six."""
    days = calendar("2026-01-01", 24 * (365 + 181))
    power = np.full(days.steps, 10.0)
    power[days.month == 2] = 100  # March 2026
    tariff = Tariff(energy=0, demand={"usd_per_kw_month": 1, "ratchet": 0.5, "lookback_months": 11})
    billed = bill(tariff, days, power).line("demand", "demand").amount
    assert billed == pytest.approx([10, 10, 100, *[50] * 11, *[10] * 4])


def test_minimum_take_and_contract_charge() -> None:
    power = np.full(YEAR, 40.0)
    tariff = Tariff(
        energy=0,
        demand=[
            {"name": "take", "usd_per_kw_month": 10, "minimum_take": 0.85},
            {"name": "capacity", "usd_per_kw_month": 2, "minimum_take": 1},
        ],
    )
    found = tariff.bill(power, contract_mw=100)
    assert found.line("demand", "take").usd.sum() == pytest.approx(12 * 10 * 85_000)
    assert found.line("demand", "capacity").usd.sum() == pytest.approx(12 * 2 * 100_000)


def test_bill_can_be_looked_at() -> None:
    text = repr(sam_tariff().bill(np.full(YEAR, 100.0)))
    assert "2018-01 to 2018-12: 55,986,000 USD" in text
    assert "demand: on-peak" in text


def test_minimum_bill_fills_up() -> None:
    tariff = Tariff(energy=10, usd_per_month=100, minimum_usd_per_month=10_000)
    found = tariff.bill(np.where(year_calendar(2018, 60).month == 0, 100.0, 0.0))
    assert found.line("minimum", "minimum bill").usd == pytest.approx([0, *[9900] * 11])


def test_export_is_paid_by_its_own_hours() -> None:
    tariff = Tariff(energy=50, export=[{"usd_per_mwh": 20, "when": {"hours": [10, 12]}}])
    found = tariff.bill(np.zeros(YEAR), np.full(YEAR, 3.0))
    assert found.usd == pytest.approx(-3 * 2 * 365 * 20)
    assert found.line("export", "energy").amount.sum() == pytest.approx(3 * 2 * 365)


def test_hourly_prices_come_on_top() -> None:
    price, power = series(1), series(2)
    found = Tariff(energy=7, hourly=True).bill(power, hourly_usd_per_mwh=price)
    assert found.usd == pytest.approx(float((power * (price + 7)).sum()))


def test_demand_is_a_mean_over_its_interval() -> None:
    power = np.zeros(365 * 288)
    power[12:15] = 60.0  # a quarter of the first hour after one
    steps = {"step_minutes": 5}
    tariff = Tariff(energy=0, demand={"usd_per_kw_month": 1}, demand_interval_minutes=60)
    assert tariff.bill(power, **steps).line("demand", "demand").amount[0] == pytest.approx(15)
    quarter = tariff.replace(demand_interval_minutes=15)
    assert quarter.bill(power, **steps).line("demand", "demand").amount[0] == pytest.approx(60)


def test_hours_are_those_of_the_clock_on_the_wall() -> None:
    """A meeting hour of 14 to 20 in Chicago begins at 13 standard time in July, at 14 in January."""
    days = year_calendar(2023, 60, "none", "America/Chicago", -6.0)
    inside = days.look_up(When(hours=[14, 20]).mask()).reshape(365, 24)
    assert np.flatnonzero(inside[195]).tolist() == [13, 14, 15, 16, 17, 18]
    assert np.flatnonzero(inside[10]).tolist() == [14, 15, 16, 17, 18, 19]
    first, last = (pd.Timestamp(day).day_of_year - 1 for day in ("2023-03-12", "2023-11-04"))
    assert inside[first, 13]
    assert not inside[first - 1, 13]
    assert inside[last, 13]
    assert not inside[last + 1, 13]
    half = year_calendar(2023, 60, "none", "Asia/Kolkata", 5.5)
    assert (half.slot == year_calendar(2023, 60).slot).all()


@pytest.mark.parametrize(
    ("year", "dates"),
    [
        (2022, ["01-01", "05-30", "07-04", "09-05", "11-24", "12-26"]),  # Christmas on a Sunday
        (2023, ["01-02", "05-29", "07-04", "09-04", "11-23", "12-25"]),  # New Year's Day on a Sunday
        (2026, ["01-01", "05-25", "07-04", "09-07", "11-26", "12-25"]),  # Independence Day on a Saturday
        (2027, ["01-01", "05-31", "07-05", "09-06", "11-25", "12-25"]),
    ],
)
def test_holidays_of_nerc(year: int, dates: list[str]) -> None:
    days = year_calendar(year, 60, "nerc")
    found = sorted({f"{day:%m-%d}" for day in days.dates[days.day == 7]})
    assert found == dates


def test_weather_years_leave_the_leap_day_out() -> None:
    days = year_calendar(2024, 60)
    assert days.steps == YEAR
    assert not ((days.dates.month == 2) & (days.dates.day == 29)).any()
    assert days.dates[-1] == pd.Timestamp("2024-12-31 23:00")
    assert year_calendar(7, 60).dates[0].day_of_week == 0


# A second bill, and laws ------------------------------------------------------------------------------------


@settings(LAWS, max_examples=15)
@given(tariffs(), st.integers(0, 1000))
def test_bill_equals_one_written_line_by_line(tariff: Tariff, seed: int) -> None:
    power, load = series(seed), series(seed + 5000)
    found = tariff.bill(power, start="2023-01-01", contract_mw=80, system_load=load)
    plain = plain_bill(tariff, power, 80, load)
    for kind, expected in plain.items():
        usd = sum((line.usd for line in found.lines if line.kind == kind), np.zeros(12))
        assert usd == pytest.approx(expected, rel=1e-9, abs=1e-6), kind
    assert found.to_frame()["total"].sum() == pytest.approx(found.usd, rel=1e-12)


@LAWS
@given(tariffs(), st.integers(0, 1000))
def test_bill_is_the_sum_of_the_bills_of_its_charges(tariff: Tariff, seed: int) -> None:
    tariff = tariff.replace(minimum_usd_per_month=0)
    power, load = series(seed), series(seed + 5000)
    alone = [
        tariff.replace(demand=(), coincident=(), usd_per_month=0),
        *(Tariff(energy=0, demand=charge, holidays="nerc") for charge in tariff.demand),
        *(Tariff(energy=0, coincident=charge, holidays="nerc") for charge in tariff.coincident),
        Tariff(energy=0, usd_per_month=tariff.usd_per_month),
    ]
    more = {"contract_mw": 80, "system_load": load}
    whole = tariff.bill(power, **more).usd
    assert whole == pytest.approx(sum(item.bill(power, **more).usd for item in alone), rel=1e-9)


@LAWS
@given(tariffs(), st.integers(0, 1000))
def test_drawing_more_is_never_cheaper(tariff: Tariff, seed: int) -> None:
    rng = np.random.default_rng(seed)
    power, load = series(seed), series(seed + 5000)
    more = power + np.where(rng.uniform(size=YEAR) < 0.1, rng.uniform(0, 50, YEAR), 0.0)
    args = {"contract_mw": 80, "system_load": load}
    assert tariff.bill(more, **args).usd >= tariff.bill(power, **args).usd - 1e-6


@LAWS
@given(tariffs(ratchets=False), st.sampled_from([0.2, 0.9, 1.0]), st.integers(1, 24), st.integers(0, 99))
def test_ratchet_never_bills_less(tariff: Tariff, share: float, months: int, seed: int) -> None:
    power = series(seed)
    charges = [item.replace(ratchet=share, lookback_months=months) for item in tariff.demand]
    args = {"contract_mw": 0, "system_load": power}
    plain, turned = tariff.bill(power, **args), tariff.replace(demand=charges).bill(power, **args)
    for before in (line for line in plain.lines if line.kind == "demand"):
        after = turned.line("demand", before.name)
        assert (after.amount >= before.amount - 1e-9).all()
        assert (after.amount <= before.amount.max() + 1e-9).all()


@LAWS
@given(tariffs(tiers=False), st.data())
def test_splitting_a_charge_of_energy_changes_nothing(tariff: Tariff, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(tariff.energy) - 1))
    hour = data.draw(st.integers(1, 23))
    charge = tariff.energy[number]
    when = charge.when[0]
    early = when.replace(hours=[0, hour])
    both = (early.mask() & when.mask()).any(), (when.mask() & ~early.mask()).any()
    inside = [pair for pair in when.hours if pair[0] < hour < pair[1]]
    if not all(both) or not inside:
        return
    first = inside[0][0]
    parts = [
        charge.replace(name="a", when=when.replace(hours=[first, hour])),
        charge.replace(name="b"),
    ]
    charges = [*tariff.energy[:number], *parts, *tariff.energy[number + 1 :]]
    power = series(3)
    args = {"contract_mw": 50, "system_load": power}
    try:
        split = tariff.replace(energy=charges)
    except InputError:  # one of the parts has no hour left that no charge before it covers
        return
    assert split.bill(power, **args).usd == pytest.approx(tariff.bill(power, **args).usd, rel=1e-12)


@LAWS
@given(tariffs(), st.integers(0, 1000))
def test_planned_demand_charge_is_never_exceeded(tariff: Tariff, seed: int) -> None:
    contract = 100.0
    power = series(seed)
    found = tariff.bill(power, contract_mw=contract, system_load=power)
    most = demand_usd_per_mw_yr(tariff) * contract
    assert found.usd_of("demand") <= most * (1 + 1e-12)
    flat = tariff.bill(np.full(YEAR, contract), contract_mw=contract, system_load=power)
    holidays_only = any(part.days == ("holiday",) for item in tariff.demand for part in item.when)
    if not holidays_only:  # a month may have no holiday, and is then not charged
        assert flat.usd_of("demand") == pytest.approx(most)


@LAWS
@given(tariffs(tiers=False), st.integers(0, 1000))
def test_prices_by_step_add_up_to_the_energy_of_the_bill(tariff: Tariff, seed: int) -> None:
    power = series(seed)
    days = calendar("2023-01-01", YEAR, holidays="nerc")
    price = energy_usd_per_mwh(tariff, days, 100.0)
    found = bill(tariff, days, power, contract_mw=0, system_load=power)
    assert found.usd_of("energy") == pytest.approx(float((power * price).sum()), rel=1e-9)


@LAWS
@given(tariffs(), st.integers(0, 1000))
def test_expected_coincident_price_costs_all_of_it(tariff: Tariff, seed: int) -> None:
    days = calendar("2023-01-01", YEAR, holidays="nerc")
    load = series(seed)
    adder = coincident_usd_per_mwh(tariff, days, load)
    found = bill(tariff, days, np.ones(YEAR), contract_mw=0, system_load=load)
    peaks = [len(coincident_windows(item, days, load)) for item in tariff.coincident]
    if any(peaks):
        assert adder.sum() == pytest.approx(1000 * sum(item.usd_per_kw_yr for item in tariff.coincident))
        assert found.usd_of("coincident") <= adder.sum() * (1 + 1e-9)


@LAWS
@given(tariffs())
def test_tariff_survives_json(tariff: Tariff) -> None:
    assert Tariff.from_dict(json.loads(json.dumps(tariff.to_dict()))) == tariff


# Tiers at the price of the next MWh ------------------------------------------------------------------------


def test_next_mwh_has_the_price_of_the_tier_that_is_reached() -> None:
    tariff = Tariff(energy=EnergyCharge(tiers=[(0, 100), (10_000, 60)]))
    days = year_calendar(2018, 60)
    assert set(energy_usd_per_mwh(tariff, days, 10).tolist()) == {100.0}
    assert set(energy_usd_per_mwh(tariff, days, 100).tolist()) == {60.0}


# Refused ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "energy needs a price"),
        ({"energy": -1}, "tariff.energy: got -1"),
        ({"energy": [{"usd_per_mwh": 3}, {"usd_per_mwh": 4}]}, "must have an hour of its own"),
        (
            {"energy": {"usd_per_mwh": 3, "when": {"hours": [0, 12]}}},
            "no price on a monday in month 1 at 12:00",
        ),
        ({"energy": {"usd_per_mwh": 3, "tiers": [(0, 1)]}}, "needs one of usd_per_mwh and tiers"),
        ({"energy": {"tiers": [(5, 1)]}}, "rise from 0"),
        ({"energy": {"tiers": [(0, 1), (0, 2)]}}, "rise from 0"),
        ({"energy": 3, "demand": {"usd_per_kw_month": [1, 2]}}, "or twelve"),
        (
            {"energy": 3, "demand": {"usd_per_kw_month": 1, "lookback_months": 3}},
            "a lookback without ratchet",
        ),
        ({"energy": 3, "demand": [{"usd_per_kw_month": 1}] * 2}, "'demand' twice"),
        ({"energy": 3, "coincident": {"usd_per_kw_yr": 3, "windows": [[1]], "peaks": 2}}, "beside windows"),
        ({"energy": 3, "export": {"tiers": [(0, 1)]}}, "one price an hour"),
        ({"energy": {"usd_per_mwh": 3, "when": {"hours": [14, 14]}}}, "pair (from, to)"),
        ({"energy": {"usd_per_mwh": 3, "when": {"hours": [[14.01, 20]]}}}, "to five minutes"),
        ({"energy": {"usd_per_mwh": 3, "when": {"days": "weekend"}}}, "Did you mean 'weekends'"),
    ],
)
def test_faulty_tariffs_are_refused(fields: dict[str, object], said: str) -> None:
    with pytest.raises(InputError) as told:
        Tariff(**fields)
    assert said in str(told.value)


def test_all_faults_of_a_tariff_come_at_once() -> None:
    with pytest.raises(InputError) as told:
        Tariff(
            energy=[{"usd_per_mwh": -3}, {"usd_per_mwh": 3, "when": {"months": [13], "hours": [25, 3]}}, 5],
            demand=[{"usd_per_kw_month": "9"}],
            holidays="xmas",
            usd_per_moth=3,
        )
    where = {fault.where for fault in told.value.faults}
    assert where == {
        "tariff.energy[0].usd_per_mwh",
        "tariff.energy[1].when[0].months[0]",
        "tariff.energy[1].when[0].hours[0]",
        "tariff.energy[2]",
        "tariff.demand[0].usd_per_kw_month",
        "tariff.holidays",
        "tariff.usd_per_moth",
    }


def test_all_faults_of_a_bill_come_at_once() -> None:
    tariff = Tariff(
        energy=[{"usd_per_mwh": 3, "when": {"hours": [0, 6.5]}}, {"usd_per_mwh": 4}],
        hourly=True,
        demand={"usd_per_kw_month": 1, "minimum_take": 0.5},
        coincident={"usd_per_kw_yr": 3},
    )
    with pytest.raises(InputError) as told:
        tariff.bill(np.ones(48), np.full(47, -1.0))
    where = {fault.where for fault in told.value.faults}
    assert where == {"hourly_usd_per_mwh", "system_load", "contract_mw", "export_mw", "tariff"}
    with pytest.raises(InputError, match="values below 0, the first -3 at step 2"):
        Tariff(energy=3).bill([1, 2, -3])


# Regions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", library.names("tariff"))
def test_regions_cost_a_flat_load_what_industry_pays(name: str) -> None:
    entry = library.tariff(name)
    found = regional_tariff(entry).bill(np.full(YEAR, 100.0), contract_mw=100, system_load=series(1))
    assert found.usd_of("energy") / 876_000 == pytest.approx(entry.energy_usd_per_mwh, rel=1e-9)
    assert found.usd / 876_000 == pytest.approx(entry.all_in_usd_per_mwh, rel=0.01)


def test_region_pays_less_when_it_sheds_at_the_peaks() -> None:
    tariff = regional_tariff(library.tariff("ercot"))
    days = year_calendar(2018, 60, "nerc")
    heat = series(4)
    power = np.full(YEAR, 100.0)
    shed = power.copy()
    for window in coincident_windows(tariff.coincident[0], days, heat):
        shed[window] = 0.0
    assert len(coincident_windows(tariff.coincident[0], days, heat)) == 4
    found = [bill(tariff, days, item, contract_mw=100, system_load=heat) for item in (power, shed)]
    assert found[0].usd_of("coincident") == pytest.approx(66 * 100_000)
    assert found[1].usd_of("coincident") == 0
