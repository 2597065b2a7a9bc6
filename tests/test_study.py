"""What is asked: defaults, and every fault of a question at once."""

from __future__ import annotations

import pytest

from sitedesign import InputError, Site, Study, library

EL_PASO = Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")


def message(**data: object) -> str:
    question = {"site": EL_PASO, "racks": 700, "uptime": 0.999} | data
    with pytest.raises(InputError) as caught:
        Study(**question)
    return str(caught.value)


def test_defaults_resolve_to_library_entries() -> None:
    study = Study(site=EL_PASO, racks=700, uptime=0.999)
    assert study.rack is library.rack("gb200_nvl72")
    assert study.pv.name == "tracker_ac"
    assert study.battery.name == "lfp"
    assert [item.name for item in study.backup] == ["recip_medium", "mobile_gt", "diesel"]
    assert study.path.name == "ac"


def test_dc_array_takes_the_dc_battery() -> None:
    study = Study(site=EL_PASO, racks=10, uptime=0.99, pv="fixed_dc")
    assert study.battery.name == "lfp_dc"
    assert study.path.name == "dc"


def test_rack_power_by_hand() -> None:
    study = Study(site=EL_PASO, racks=700, uptime=0.999)
    # 125 kW x (1 + 0.12 network) x 0.90 sustained
    assert study.rack_mw == pytest.approx(0.126)


def test_it_mw_becomes_whole_racks() -> None:
    study = Study(site=EL_PASO, it_mw=100, uptime=0.999)
    assert study.contracted_racks == 794  # 100 / 0.126 = 793.65


def test_per_cent_instead_of_fraction() -> None:
    assert message(uptime=99.9) == (
        "1 problem in the inputs of Study():\n"
        " * study.uptime: got 99.9; must be a fraction in (0, 1). Did you mean 0.999?"
    )


def test_all_faults_at_once_with_the_nearest_known_name() -> None:
    text = message(uptime=99.9, rack="gb200", backup=["recip_medum"], upime=1, racks=-3, step_minutes=7)
    assert text.startswith("6 problems")
    assert "study.upime: got an unknown key" in text
    assert "Did you mean 'uptime'?" in text
    assert "Did you mean 'gb200_nvl72'?" in text
    assert "Did you mean 'recip_medium'?" in text
    assert "study.racks: got -3; must be a whole number of at least 1." in text
    assert "study.step_minutes: got 7" in text


def test_a_bad_site_is_one_of_the_faults() -> None:
    text = message(site={"latitude": -106.49, "longitude": 31.76}, uptime=99.9)
    assert "were the two swapped?" in text
    assert "Did you mean 0.999?" in text


def test_neither_racks_nor_megawatts() -> None:
    assert "give racks, or it_mw. For example racks=700" in message(racks=None)


def test_both_racks_and_megawatts() -> None:
    assert "both racks and it_mw" in message(it_mw=100)


def test_ac_battery_on_a_dc_array() -> None:
    battery = library.battery("lfp")
    assert "Use battery='lfp_dc'." in message(pv="fixed_dc", battery=battery)


def test_limits_read_numbers_pairs_and_unknown_keys() -> None:
    study = Study(
        site=EL_PASO,
        racks=7,
        uptime=0.99,
        limits={"solar_mw": 900, "battery_mwh": (10, 20), "units": {"diesel": 3}},
    )
    assert study.limits.solar_mw == (0, 900)
    assert study.limits.battery_mwh == (10, 20)
    assert study.limits.units["diesel"] == (0, 3)
    text = message(limits={"solar_mv": 900, "battery_mwh": (20, 10)})
    assert "study.limits.solar_mv: got an unknown key" in text
    assert "Did you mean 'solar_mw'?" in text
    text = message(limits={"battery_mwh": (20, 10), "units": {"aero_gt": 2}})
    assert "must be (lower, upper) with 0 <= lower <= upper" in text
    assert "study.limits.units.aero_gt" in text


def test_fuel_price_for_a_fuel_that_is_not_used() -> None:
    text = message(backup=["diesel"], fuel_price_usd_per_mmbtu={"natural_gas": 4})
    assert "study.fuel_price_usd_per_mmbtu.natural_gas" in text


def test_replace_keeps_the_rest_and_validates() -> None:
    study = Study(site=EL_PASO, racks=700, uptime=0.999, backup=["diesel"])
    changed = study.replace(uptime=0.9999)
    assert changed.uptime == 0.9999
    assert [item.name for item in changed.backup] == ["diesel"]
    with pytest.raises(InputError, match=r"Did you mean 0\.95\?"):
        study.replace(uptime=95)


def test_study_is_frozen() -> None:
    study = Study(site=EL_PASO, racks=700, uptime=0.999)
    with pytest.raises(ValueError, match="frozen"):
        study.uptime = 0.5
