"""From a question to arrays: tiers of throttling, years of weather, own profiles."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from sitedesign import InputError, Site, Study, Weather, library
from sitedesign.case.build import ONE_YEAR_NOTE, TMY_NOTE, build_case, on_other_years
from sitedesign.case.grid_supply import OtherYears
from sitedesign.case.throttling_tiers import throttle_tiers, usable_points
from sitedesign.influence.bound import same

EL_PASO = Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")


@pytest.fixture(scope="module")
def two_years() -> Weather:
    return Weather.generate(EL_PASO, years=2, seed=3)


def test_arrays_have_all_years_in_sequence(two_years: Weather) -> None:
    case = build_case(Study(site=EL_PASO, racks=70, uptime=0.99, weather=two_years)).case
    assert case.years == 2
    assert case.steps == 2 * 8760
    second = build_case(Study(site=EL_PASO, racks=70, uptime=0.99, weather=two_years), rows=[1]).case
    np.testing.assert_array_equal(
        case.resources[0].yield_mw_per_mw[8760:], second.resources[0].yield_mw_per_mw
    )


def test_load_at_the_bus_by_hand(two_years: Weather) -> None:
    case = build_case(Study(site=EL_PASO, racks=70, uptime=0.99, weather=two_years)).case
    # 70 racks x 125 kW x 1.12 x 0.90 = 8.82 MW; coldest hours: PUE 1.035, bus to rack 0.985 x 0.96
    assert case.load_mw.min() == pytest.approx(8.82 * 1.035 / (0.985 * 0.96), rel=1e-9)


def test_battery_split_of_losses(two_years: Weather) -> None:
    study = Study(site=EL_PASO, racks=70, uptime=0.99, weather=two_years)
    case = build_case(study).case
    assert case.eta_charge * case.eta_discharge == pytest.approx(study.battery.round_trip_efficiency)
    assert case.usable[0] == pytest.approx(0.92 * 0.95)  # faded to the check year, above the floor


def test_generators_of_a_dc_site_lose_the_rectifier(two_years: Weather) -> None:
    case = build_case(
        Study(site=EL_PASO, racks=70, uptime=0.99, pv="fixed_dc", backup="diesel", weather=two_years)
    ).case
    diesel = library.backup("diesel")
    assert case.backup[0].unit_mw == pytest.approx(diesel.unit_mw * 0.975)
    assert case.backup[0].fuel_mmbtu_per_mwh == pytest.approx(diesel.heat_rate_btu_per_kwh_hhv / 1000 / 0.975)


def test_plain_metric_has_one_tier(two_years: Weather) -> None:
    tiers = build_case(Study(site=EL_PASO, racks=70, uptime=0.99, weather=two_years)).case.tiers
    assert [(tier.width, tier.weight) for tier in tiers] == [(1.0, 1.0)]


def test_throttle_tiers_are_the_hull_of_the_curve() -> None:
    # From (1, 1): 0.08 of power costs 0.025; then 0.045, 0.065, 0.085; below 0.68 switching racks off is
    # cheaper (0.78 / 0.68 = 1.147 per unit of power) than throttling on (1.4375).
    tiers = throttle_tiers(library.rack("gb200_nvl72").curve_default, fixed_share=0.0)
    assert [tier.width for tier in tiers] == pytest.approx([0.08, 0.08, 0.08, 0.08, 0.68])
    assert [tier.weight for tier in tiers] == pytest.approx([0.3125, 0.5625, 0.8125, 1.0625, 0.78 / 0.68])


@pytest.mark.parametrize("share", [0.0, 0.01, 0.03])
@pytest.mark.parametrize("curve", ["default", "conservative", "optimistic"])
def test_throttle_tiers_are_complete_and_convex(share: float, curve: str) -> None:
    tiers = throttle_tiers(getattr(library.rack("gb200_nvl72"), f"curve_{curve}"), fixed_share=share)
    assert sum(tier.width for tier in tiers) == pytest.approx(1.0)
    assert all(a.weight <= b.weight + 1e-12 for a, b in itertools.pairwise(tiers))
    # Everything off loses everything; the fixed share may only make that dearer, never cheaper.
    assert sum(tier.width * tier.weight for tier in tiers) >= 1.0 - 1e-12


def test_racks_are_not_throttled_below_their_floor() -> None:
    curve = library.rack("gb200_nvl72").curve_optimistic
    # Between 0.84 (0.975) and 0.76 (0.95): at 0.8 throughput is 0.9625; the rest goes off in blocks.
    assert usable_points(curve, 0.8)[-1] == pytest.approx((0.8, 0.9625))
    tiers = throttle_tiers(curve, 0.0, floor=0.8)
    assert [tier.width for tier in tiers] == pytest.approx([0.08, 0.08, 0.04, 0.8])
    assert tiers[-1].weight == pytest.approx(0.9625 / 0.8)
    (whole,) = throttle_tiers(curve, 0.0, floor=1.0)
    assert (whole.width, whole.weight) == pytest.approx((1.0, 1.0))


def test_floor_of_the_rack_reaches_the_case(two_years: Weather) -> None:
    study = Study(site=EL_PASO, racks=70, uptime=0.99, metric="compute", weather=two_years)
    rack = study.rack.replace(floor_fraction=1.0)
    assert len(build_case(study).case.tiers) == 5
    (tier,) = build_case(
        study.replace(rack=rack)
    ).case.tiers  # may not throttle at all: the plain rack metric
    assert (tier.width, tier.weight) == pytest.approx((1.0, 1.0))


def test_a_curve_without_a_bend_is_the_plain_metric(two_years: Weather) -> None:
    study = Study(site=EL_PASO, racks=70, uptime=0.99, metric="compute", weather=two_years)
    rack = study.rack.replace(curve_default=((1.0, 1.0), (0.27, 0.0)))
    (tier,) = build_case(study.replace(rack=rack)).case.tiers
    assert (tier.width, tier.weight) == pytest.approx((1.0, 1.0))


@pytest.mark.parametrize("curve", ["conservative", "optimistic", "measured_h100"])
def test_every_named_curve_reaches_the_case(two_years: Weather, curve: str) -> None:
    study = Study(site=EL_PASO, racks=70, uptime=0.99, metric="compute", weather=two_years)
    points = getattr(study.rack, f"curve_{curve}")
    first = build_case(study.replace(throughput_curve=curve)).case.tiers[0]
    # Of the first step down, per unit of the rack's power; 1.6 % of the facility's load stays.
    slope = (1 - points[1][1]) / (1 - points[1][0])
    assert first.weight == pytest.approx(slope, rel=0.02)


# Classes ----------------------------------------------------------------------------------------------------

TRAINING = {"name": "training", "racks": 60, "uptime": 0.99, "metric": "compute"}
INFERENCE = {"name": "inference", "racks": 40, "uptime": 0.9999, "use": "inference"}


def test_classes_share_the_load_by_their_power(two_years: Weather) -> None:
    case = build_case(Study(site=EL_PASO, classes=[TRAINING, INFERENCE], weather=two_years)).case
    assert [item.share for item in case.load_classes] == pytest.approx([7.56 / 11.48, 3.92 / 11.48])
    assert [item.uptime_target for item in case.load_classes] == [0.99, 0.9999]
    # 60 racks x 0.126 MW and 40 x 0.098 at PUE 1.035, bus to rack 0.985 x 0.96
    assert case.load_mw.min() == pytest.approx(11.48 * 1.035 / (0.985 * 0.96), rel=1e-9)
    strict = build_case(Study(site=EL_PASO, racks=100, uptime=0.9999, weather=two_years)).case
    assert case.racks_max == strict.racks_max


def test_tiers_of_classes_sum_to_their_shares(two_years: Weather) -> None:
    case = build_case(Study(site=EL_PASO, classes=[TRAINING, INFERENCE], weather=two_years)).case
    for number, item in enumerate(case.load_classes):
        mine = [tier for tier in case.tiers if tier.load_class == number]
        assert sum(tier.width for tier in mine) == pytest.approx(item.share)
        assert sum(tier.width * tier.weight for tier in mine) == pytest.approx(item.share, rel=0.01)
        assert all(a.weight <= b.weight + 1e-12 for a, b in itertools.pairwise(mine))
    assert [tier.load_class for tier in case.tiers] == [0, 0, 0, 0, 0, 1]  # the laxer target first


def test_classes_are_shed_in_the_order_of_their_value(two_years: Weather) -> None:
    def order(training: float, inference: float) -> list[int]:
        classes = [
            TRAINING | {"value_usd_per_rack_h": training},
            INFERENCE | {"value_usd_per_rack_h": inference, "use": "training"},
        ]
        case = build_case(Study(site=EL_PASO, classes=classes, weather=two_years)).case
        return [tier.load_class for tier in case.tiers]

    assert order(200.0, 2000.0) == [0, 0, 0, 0, 0, 1]
    assert order(2000.0, 200.0) == [1, 0, 0, 0, 0, 0]
    # Throttling training by 8 % loses 0.31 of its average MWh: cheaper than inference at half the value.
    assert order(200.0, 100.0) == [0, 1, 0, 0, 0, 0]


def test_one_class_is_the_plain_study(two_years: Weather) -> None:
    plain = build_case(Study(site=EL_PASO, racks=60, uptime=0.99, metric="compute", weather=two_years)).case
    case = build_case(Study(site=EL_PASO, classes=[TRAINING], weather=two_years)).case
    np.testing.assert_allclose(case.load_mw, plain.load_mw, rtol=1e-14)
    for name in ("tiers", "uptime_target", "racks_max", "racks_contracted", "load_classes"):
        assert getattr(case, name) == getattr(plain, name)


def test_best_effort_never_enters_the_case(two_years: Weather) -> None:
    with_batch = [TRAINING, INFERENCE, {"name": "batch", "racks": 500}]
    case = build_case(Study(site=EL_PASO, classes=with_batch, weather=two_years)).case
    without = build_case(Study(site=EL_PASO, classes=[TRAINING, INFERENCE], weather=two_years)).case
    assert case.load_mw.max() == without.load_mw.max()
    assert case.load_classes == without.load_classes
    assert case.racks_contracted == 100


@pytest.mark.parametrize(("metric", "widths"), [("site", [1.0]), ("floor", [0.4, 0.6])])
def test_what_lies_above_a_floor_is_given_up_first(
    two_years: Weather, metric: str, widths: list[float]
) -> None:
    case = build_case(Study(site=EL_PASO, racks=70, uptime=0.99, metric=metric, weather=two_years)).case
    assert [tier.width for tier in case.tiers] == pytest.approx(widths)
    assert sum(tier.width * tier.weight for tier in case.tiers) == pytest.approx(1.0)
    assert sorted(case.tiers, key=lambda tier: tier.weight) == list(case.tiers)


def test_own_solar_profile_stands_in_for_weather() -> None:
    profile = np.tile(np.r_[np.zeros(8), np.full(8, 0.5), np.zeros(8)], 365)
    study_case = build_case(Study(site=EL_PASO, racks=70, uptime=0.9, solar_profile=profile))
    assert study_case.case.years == 1
    np.testing.assert_allclose(study_case.case.resources[0].yield_mw_per_mw, profile)
    assert "user's own profile" in study_case.notes[0]


def test_own_load_profile_is_repeated_over_the_weather_years(two_years: Weather) -> None:
    load = np.full(8760, 12.0)
    case = build_case(Study(site=EL_PASO, racks=70, uptime=0.9, load_profile=load, weather=two_years)).case
    np.testing.assert_array_equal(case.load_mw, np.full(2 * 8760, 12.0))


def test_profile_years_must_fit_the_weather(two_years: Weather) -> None:
    with pytest.raises(InputError, match="3 years; must have 1 year or the 2 of the weather"):
        build_case(
            Study(site=EL_PASO, racks=70, uptime=0.9, load_profile=np.ones((3, 8760)), weather=two_years)
        )


def test_step_that_the_weather_does_not_have(two_years: Weather) -> None:
    with pytest.raises(InputError, match="the weather has steps of 60 min"):
        build_case(Study(site=EL_PASO, racks=70, uptime=0.9, step_minutes=15, weather=two_years))


def test_one_year_and_typical_years_carry_a_warning(two_years: Weather, weather_real) -> None:
    one = build_case(Study(site=EL_PASO, racks=70, uptime=0.9, weather=two_years.subset([0])))
    assert ONE_YEAR_NOTE in one.notes
    phoenix = Weather.read(weather_real / "az_phoenix_nsrdb_tmy")
    assert TMY_NOTE in build_case(Study(site=phoenix.site, racks=70, uptime=0.9, weather=phoenix)).notes


def test_other_years_are_the_case_of_their_weather_but_for_bounds(two_years: Weather) -> None:
    study = Study(
        site=EL_PASO, racks=70, uptime=0.99, backup=["recip_medium", "mobile_gt"], spares="share",
        limits={"racks": (72, 72)}, metric="compute", weather=two_years,
    )  # fmt: skip
    hotter = Weather.generate(EL_PASO, years=3, seed=4)
    hotter = dataclasses.replace(hotter, temp_air_c=hotter.temp_air_c + 5)
    own, anew = build_case(study), build_case(study.replace(weather=hotter)).case
    there = on_other_years(own, study, hotter, OtherYears(None, np.zeros(0, int), np.zeros(0, int), 0)).case
    assert there.limits == own.case.limits != anew.limits
    assert there.resources[0].bounds_mw == own.case.resources[0].bounds_mw
    assert [item.units_max for item in there.backup] == [item.units_max for item in own.case.backup]
    assert [item.levels for item in there.backup] != [item.levels for item in own.case.backup]
    backup = tuple(
        dataclasses.replace(item, units_max=new.units_max)
        for item, new in zip(there.backup, anew.backup, strict=True)
    )
    resources = (dataclasses.replace(there.resources[0], bounds_mw=anew.resources[0].bounds_mw),)
    assert same(dataclasses.replace(there, limits=anew.limits, backup=backup, resources=resources), anew)
