"""What is asked: defaults, and every fault of a question at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sitedesign as sd
from sitedesign import InputError, LoadClass, Site, Study, library
from sitedesign.case.build import build_case
from sitedesign.operation.outages.rates import CAUSES

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
    for given in (99.9, "99.9 %", "99.9%", 0.999):
        assert Study(site=EL_PASO, racks=700, uptime=given).uptime == 0.999
    assert Study(site=EL_PASO, racks=7, uptime=0.9, min_renewable_share=30).min_renewable_share == 0.3
    assert message(uptime=9.99) == (
        "1 problem in the inputs of Study():\n"
        " * study.uptime: got 9.99; must be a fraction in (0, 1). Per cent carry their sign: '9.99 %'."
    )
    assert "got '1e3 %'" in message(uptime="1e3 %")


def test_all_faults_at_once_with_the_nearest_known_name() -> None:
    text = message(uptime=9.99, rack="gb200", backup=["recip_medum"], upime=1, racks=-3, step_minutes=7)
    assert text.startswith("6 problems")
    assert "study.upime: got an unknown key" in text
    assert "Did you mean 'uptime'?" in text
    assert "Did you mean 'gb200_nvl72'?" in text
    assert "Did you mean 'recip_medium'?" in text
    assert "study.racks: got -3; must be a whole number of at least 1." in text
    assert "study.step_minutes: got 7" in text


def test_a_bad_site_is_one_of_the_faults() -> None:
    text = message(site={"latitude": -106.49, "longitude": 31.76}, uptime=9.99)
    assert "were the two swapped?" in text
    assert "Per cent carry their sign" in text


def test_neither_racks_nor_megawatts() -> None:
    assert "give racks, it_mw, gpus or throughput. For example racks=700" in message(racks=None)


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
    with pytest.raises(InputError, match=r"Per cent carry their sign: .9\.5 %"):
        study.replace(uptime=9.5)


def test_a_study_prints_what_is_asked_on_one_page() -> None:
    site = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
    weather = sd.Weather.generate(site, years=3, seed=4)
    assert len(repr(weather)) < 200
    assert "3 years of 60 min steps" in repr(weather)
    study = sd.Study(site=site, it_mw=100, uptime=0.999, weather=weather, limits={"solar_mw": 900})
    text = repr(study)
    assert text == str(study)
    for words in ("El Paso, TX", "100.0 MW of IT load", "99.9 %", "3 years generated", "900", "Lithium"):
        assert words in text, words
    assert "array(" not in text
    assert len(text.splitlines()) < 20


@pytest.mark.parametrize(
    ("change", "where", "words"),
    [
        ({"site": (31.76, -106.49)}, "study.site", "must be a sitedesign.Site"),
        ({"racks": 10_000_000}, "study.racks", "at most 20,000 MW"),
        ({"limits": {"battery_hours": 4}}, "study.limits.battery_hours", "a pair (least, most)"),
        ({"limits": {"solar_mw": "900 MW"}}, "study.limits.solar_mw", "one number (the most) or a pair"),
        ({"limits": {"solar_mw": (1, 2, 3)}}, "study.limits.solar_mw", "a pair (least, most)"),
        ({"racks": None, "uptime": None, "classes": ["all"]}, "study.classes[0]", "sitedesign.LoadClass"),
    ],
)
def test_what_is_of_the_wrong_kind_is_told_in_words(change, where, words) -> None:
    site = sd.Site(latitude=31.76, longitude=-106.49)
    with pytest.raises(sd.InputError) as error:
        sd.Study(**({"site": site, "racks": 700, "uptime": 0.999} | change))
    (fault,) = error.value.faults
    assert fault.where == where
    assert words in fault.allowed


def test_a_class_needs_a_name() -> None:
    with pytest.raises(sd.InputError, match=r"class\.name"):
        sd.LoadClass(name=" ", racks=5, uptime=0.9)


def test_study_is_frozen() -> None:
    study = Study(site=EL_PASO, racks=700, uptime=0.999)
    with pytest.raises(ValueError, match="frozen"):
        study.uptime = 0.5


# Contracts ------------------------------------------------------------------------------------------------


def test_contracts_round_up_to_racks() -> None:
    def racks(**contract: object) -> int:
        return Study(site=EL_PASO, uptime=0.99, **contract).contracted_racks

    assert racks(gpus=72) == 1
    assert racks(gpus=73) == 2
    assert racks(throughput={"rack_equivalents": 2.0}) == 2
    assert racks(throughput={"rack_equivalents": 2.01}) == 3
    assert racks(throughput={"tokens_per_s": 865_000}) == 1  # what one rack gives
    assert racks(throughput={"tokens_per_s": 865_001}) == 2
    assert racks(it_mw=7 * 0.126) == 7  # no rack too many by rounding


def test_tokens_only_where_the_rack_states_them() -> None:
    text = message(racks=None, rack="vr_nvl72", throughput={"tokens_per_s": 5e6})
    assert "study.throughput.tokens_per_s: got 5e+06; vr_nvl72 states no tokens/s" in text
    assert "racks that do: gb200_nvl72, hgx_b200x4, hgx_h100x4" in text
    rack = library.rack("vr_nvl72").replace(tokens_per_s=1e6)
    asked = Study(site=EL_PASO, uptime=0.99, rack=rack, throughput={"tokens_per_s": 2.5e6})
    assert asked.contracted_racks == 3


def test_throughput_in_two_ways_or_none() -> None:
    both = message(racks=None, throughput={"tokens_per_s": 5e6, "rack_equivalents": 2})
    assert "study.throughput: got both rack_equivalents and tokens_per_s" in both
    assert "study.throughput: got nothing" in message(racks=None, throughput={})


def test_every_fault_of_a_contract_is_told_at_once() -> None:
    text = message(racks=2.5, gpus=0, it_mw=-1, uptime=9.9)
    assert text.startswith("5 problems")
    assert "study.racks: got racks and it_mw and gpus; one of them is needed" in text
    for fault in ("study.racks: got 2.5", "study.gpus: got 0", "study.it_mw: got -1", "Per cent carry"):
        assert fault in text


def test_uptime_may_be_left_to_the_optimiser() -> None:
    assert "study.uptime: got nothing; is needed." in message(uptime=None)
    study = Study(site=EL_PASO, racks=7, objective="compute_cost")
    assert study.target == 0.0
    assert "needs objective='compute_cost'" in message(lost_compute_usd_per_rack_h=200.0)
    assert "a rack-hour is what is delivered" in message(objective="compute_cost", metric="site")


# Classes --------------------------------------------------------------------------------------------------

CLASSES = (
    {"name": "training", "racks": 60, "uptime": 0.99, "metric": "compute"},
    {"name": "inference", "gpus": 40 * 72 - 1, "uptime": 0.9999, "use": "inference"},
    {"name": "batch", "it_mw": 1.0},
)


def test_classes_add_up_to_one_contract() -> None:
    study = Study(site=EL_PASO, classes=CLASSES)
    assert [item.racks for item in study.contracts] == [60, 40]
    assert study.contracted_racks == 100
    # 125 kW x 1.12 x 0.90 in training, x 0.70 in inference
    assert [item.rack_mw for item in study.contracts] == pytest.approx([0.126, 0.098])
    assert study.contracted_it_mw == pytest.approx(60 * 0.126 + 40 * 0.098)
    assert study.sustained == pytest.approx(0.82)
    assert study.target == pytest.approx((7.56 * 0.99 + 3.92 * 0.9999) / 11.48)
    assert [(item.name, item.racks) for item in study.best_effort] == [("batch", 8)]


def test_public_class_is_what_a_study_takes() -> None:
    study = Study(site=EL_PASO, classes=[LoadClass(**item) for item in CLASSES])
    assert study == Study(site=EL_PASO, classes=CLASSES)
    with pytest.raises(InputError, match=r"class\.racks: got -3; must be a whole number"):
        LoadClass(name="a", racks=-3, uptime=0.9)


def test_faults_of_classes_are_told_with_those_of_the_study() -> None:
    wrong = [
        {"name": "a", "uptime": 9.99, "racks": 3, "value_usd_per_rack_h": 5},
        {"name": "b", "uptime": 0.9, "racks": 3, "vlue": 5},
    ]
    text = message(classes=wrong, metric="compute", step_minutes=7)
    assert "study.classes[0].uptime: got 9.99; must be a fraction in (0, 1). Per cent carry" in text
    assert "study.classes[1].vlue: got an unknown key" in text
    assert "study.racks: got 700; each class has its own." in text
    assert "study.uptime: got 0.999; each class has its own." in text
    assert "study.metric: got 'compute'; each class has its own." in text
    assert "study.step_minutes: got 7" in text


def test_classes_must_fit_together() -> None:
    plain = {"racks": None, "uptime": None}
    one = {"name": "a", "racks": 3, "uptime": 0.9, "value_usd_per_rack_h": 5.0}
    text = message(classes=[one, {"name": "a", "racks": 3, "uptime": 0.8}], **plain)
    assert "'a' twice; each class needs a name of its own" in text
    assert "every contracted class needs one, or none" in text
    assert "best effort only; something must be promised" in message(
        classes=[{"name": "a", "racks": 3}], **plain
    )
    assert "'compute_cost' with classes" in message(classes=[one], objective="compute_cost", **plain)


# Power paths ----------------------------------------------------------------------------------------------


def test_several_arrays_are_paired_with_batteries_of_their_bus() -> None:
    study = Study(site=EL_PASO, racks=7, uptime=0.9, pv=["tracker_ac", "fixed_dc"])
    assert [(item.pv.name, item.battery.name) for item in study.variants] == [
        ("tracker_ac", "lfp"),
        ("fixed_dc", "lfp_dc"),
    ]
    assert [item.path.name for item in study.variants] == ["ac", "dc"]
    own = library.battery("lfp").replace(capex_usd_per_kwh=99.0)
    text = message(pv=["tracker_ac", "fixed_dc"], battery=own)
    assert "none for pv='fixed_dc'; needs one that is DC-coupled" in text
    study = study.replace(battery=[own, "lfp_dc"])
    assert study.variants[0].battery.capex_usd_per_kwh == 99.0
    assert study.replace(pv="fixed_ac").variants[0].pv.name == "fixed_ac"


# Files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "question",
    [
        {"racks": 7, "uptime": 0.9, "metric": "site", "gpus": None},
        {"gpus": 700, "uptime": 0.9},
        {"throughput": {"rack_equivalents": 2.5}, "objective": "compute_cost"},
        {"classes": CLASSES, "limits": {"solar_mw": 900}},
        {"racks": 7, "uptime": 0.9, "pv": ["tracker_ac", "fixed_dc"]},
    ],
)
def test_dictionary_gives_the_study_again(question: dict[str, object]) -> None:
    study = Study(site=EL_PASO, **question)
    data = json.loads(json.dumps(study.to_dict()))
    again = Study(**data)
    assert again == study
    assert again.to_dict() == study.to_dict()


def test_a_place_given_to_the_study_is_told_where_it_belongs():
    with pytest.raises(sd.InputError, match=r"study\.lat: got an unknown key.*Give site=sd\.Site\(latitude"):
        sd.Study(lat=31.76, lon=-106.49, racks=700, uptime=0.999)


def test_a_gas_contract_says_what_is_reserved_and_how_often_the_pipeline_cuts_off() -> None:
    question = {"site": EL_PASO, "racks": 60, "uptime": 0.9, "weather_years": 20, "backup": ["recip_fast"]}
    question |= {"region": None}
    firm, cheap = sd.Study(**question), sd.Study(**question, gas_contract="interruptible")
    assert firm.gas_contract is None
    assert firm.gas_transport == "firm"
    assert firm.fuel(firm.backup[0]) == library.fuel("natural_gas")
    gas, same = cheap.fuel(cheap.backup[0]), firm.fuel(firm.backup[0])
    assert (gas.name, gas.price_usd_per_mmbtu) == (same.name, same.price_usd_per_mmbtu)
    assert gas.interruption_events_per_yr > same.interruption_events_per_yr
    assert gas.cold_event_per_yr > same.cold_event_per_yr
    # What is not reserved is not paid: 0.35 USD a day and MMBtu/day of 4.5 MW x 8.4 MMBtu/MWh
    saved = build_case(firm).unit_costs.backup[0].fixed_usd_per_yr
    saved -= build_case(cheap).unit_costs.backup[0].fixed_usd_per_yr
    assert saved == pytest.approx(0.35 * 24 * 365 * 4.5 * 8.4)
    # The same plant, failing by nothing but its supply
    causes = [cause for cause in CAUSES if cause not in ("fuel", "cold")]
    plant = {"solar_mw": 0, "battery_mwh": 0, "battery_mw": 0, "backup": {"recip_fast": 4}}
    kept, lost = (
        sd.certify(sd.evaluate(study, **plant, operation="causal"), study, years=100, draws=2, without=causes)
        for study in (firm, cheap)
    )
    more_h = gas.interruption_events_per_yr * gas.interruption_h
    more_h -= same.interruption_events_per_yr * same.interruption_h
    error = 2 * lost.uptime.standard_error
    cold_h = gas.cold_event_per_yr * gas.cold_event_h
    assert more_h / 8760 - error < kept.uptime.value - lost.uptime.value < (more_h + cold_h) / 8760 + error
    assert kept.uptime.value - lost.uptime.value > error
    priced = cheap.replace(fuel_price_usd_per_mmbtu={"natural_gas": 3.0})
    assert priced.fuel(priced.backup[0]) == gas.replace(price_usd_per_mmbtu=3.0)
    own = cheap.replace(own_entries=[gas.replace(interruption_h=1.0)])
    assert own.fuel(own.backup[0]).interruption_h == 1.0
    assert sd.Study(**{k: v for k, v in cheap.to_dict().items() if v is not None}) == cheap


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gas_contract": "firmly"}, "gas_contract"),
        (
            {"gas_contract": "interruptible", "backup": ["diesel"]},
            "needs a technology that burns natural gas",
        ),
        ({"gas_contract": "interruptible", "backup": []}, "needs a technology that burns natural gas"),
        ({"fuel_price_usd_per_mmbtu": {"natural_gas_interruptible": 3}}, "must be a fuel of this study"),
    ],
)
def test_a_gas_contract_that_fits_nothing_is_told(change: dict[str, object], message: str) -> None:
    with pytest.raises(sd.InputError, match=message):
        sd.Study(**({"site": EL_PASO, "racks": 60, "uptime": 0.9} | change))


def test_fuels_and_power_path_of_ones_own_stand_in_for_the_librarys(tmp_path: Path) -> None:
    gas = library.fuel("natural_gas").replace(interruption_events_per_yr=0.0)
    question = {"site": EL_PASO, "racks": 7, "uptime": 0.9, "backup": ["recip_fast"], "weather_years": 1}
    study = sd.Study(
        **question, own_entries=[gas, library.power_path("ac").replace(bus_to_rack_efficiency=0.9)]
    )
    assert study.fuel(study.backup[0]).interruption_events_per_yr == 0
    assert study.path.bus_to_rack_efficiency == 0.9
    assert sd.Study(**question).fuel(study.backup[0]).interruption_events_per_yr > 0
    priced = study.replace(fuel_price_usd_per_mmbtu={"natural_gas": 3.0}).fuel(study.backup[0])
    assert (priced.price_usd_per_mmbtu, priced.interruption_events_per_yr) == (3.0, 0.0)
    # What a file of a design says of its question is the question
    known = {name: value for name, value in study.to_dict().items() if value is not None}
    assert sd.Study(**known) == study
    (tmp_path / "gas.toml").write_text(
        'kind = "fuel"\nname = "natural_gas"\nextends = "natural_gas"\ninterruption_h = 1\n'
    )
    file = tmp_path / "study.toml"
    file.write_text(
        'racks = 7\nuptime = 0.9\nown_entries = ["gas.toml"]\n[site]\nlatitude = 31.76\nlongitude = -106.49\n'
    )
    read = sd.read_study(file)
    assert read.fuel(read.backup[0]).interruption_h == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "own_entries: got 3"),
        (["gas"], r"own_entries\[0\]: got 'gas'; must be"),
        ([library.fuel("uranium")], "got 'uranium'; must stand in for one of this study: natural_gas"),
        ([library.fuel("natural_gas")] * 2, "twice; each may be given once"),
        ([{"kind": "fuel"}], r"own_entries\[0\].price_usd_per_mmbtu: got nothing"),
        (["nowhere.toml"], "nowhere.toml: got no such file"),
    ],
)
def test_own_entries_that_fit_nothing_are_told(given: object, message: str) -> None:
    with pytest.raises(sd.InputError, match=message):
        sd.Study(site=EL_PASO, racks=7, uptime=0.9, backup=["recip_fast"], own_entries=given)
