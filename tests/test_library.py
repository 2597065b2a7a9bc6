"""The library as a user meets it: look-up, replacing, own files, messages, printing."""

import pickle
import re
import shutil
from datetime import date
from itertools import pairwise

import pytest

from sitedesign import library
from sitedesign.errors import InputError
from sitedesign.library import files
from sitedesign.library.number import Day, Number, Pairs, Shares


def message(call, *args, **kwargs):
    with pytest.raises(InputError) as caught:
        call(*args, **kwargs)
    return str(caught.value)


# Look-up -----------------------------------------------------------------------------------------------


def test_entry_is_typed_frozen_and_read_once():
    lfp = library.battery("lfp")
    assert isinstance(lfp, library.Battery)
    assert lfp is library.battery("lfp")
    with pytest.raises(ValueError, match="frozen"):
        lfp.life_yr = 3


def test_unknown_name_suggests_the_nearest():
    assert message(library.battery, "lpf") == (
        "1 problem in the inputs of the technology library:\n"
        " * battery: got 'lpf'; must be one of lfp, lfp_dc. Did you mean 'lfp'?"
    )


def test_private_base_files_are_not_entries():
    assert not any(name.startswith("_") for kind in library.KINDS for name in library.names(kind))
    assert "must be one of" in message(library.backup, "_turbine")


def test_unknown_kind_is_refused_everywhere():
    for call in (library.list_entries, library.names, lambda kind: library.show(kind, "lfp")):
        assert "kind: got 'batery'; must be one of backup, battery" in message(call, "batery")


def test_folder_serves_models_and_weather():
    assert (library.library_folder("models") / "battery" / "lfp.toml").is_file()
    assert library.library_folder("weather").name == "weather"


def test_installed_package_reads_its_own_copy(tmp_path, monkeypatch):
    import sitedesign

    copy = tmp_path / "sitedesign" / "_library" / "models"
    copy.mkdir(parents=True)
    monkeypatch.setattr(sitedesign, "__file__", str(tmp_path / "sitedesign" / "__init__.py"))
    assert library.library_folder("models") == copy
    assert library.library_folder("weather") == tmp_path / "weather"


def test_fault_in_a_library_file_names_file_key_and_remedy(tmp_path, monkeypatch):
    shutil.copytree(library.library_folder("models"), tmp_path / "models")
    path = tmp_path / "models" / "battery" / "lfp.toml"
    text = path.read_text(encoding="utf-8").replace("value = 0.86", "value = 88")
    text = text.replace('unit = "USD/kWh"\nyear = 2026\n', 'unit = "USD/kWh"\n')
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(files, "library_folder", lambda kind: tmp_path / kind)
    files._library_entry.cache_clear()
    try:
        missing = " * models/battery/lfp.toml [capex_usd_per_kwh] year: got nothing; is needed."
        assert message(library.battery, "lfp_dc") == (  # states an efficiency of its own
            f"1 problem in the inputs of models/battery/lfp_dc.toml:\n{missing}"
        )
        assert message(library.battery, "lfp") == (
            f"2 problems in the inputs of models/battery/lfp.toml:\n{missing}\n"
            " * models/battery/lfp.toml [round_trip_efficiency]: got 88; "
            'unit is "fraction". Write 0.88, or set unit = "%".'
        )
    finally:
        files._library_entry.cache_clear()


# Replacing ---------------------------------------------------------------------------------------------


def test_replace_changes_value_and_source_only_of_what_was_named():
    before = library.battery("lfp")
    after = before.replace(round_trip_efficiency=0.9, capex_usd_per_kwh=150)
    assert (after.round_trip_efficiency, after.capex_usd_per_kwh, after.capex_usd_per_kw) == (0.9, 150, 120)
    assert before.round_trip_efficiency == 0.86
    assert after.sources["round_trip_efficiency"].source == "user"
    assert after.sources["round_trip_efficiency"].value == 0.9
    assert after.sources["life_yr"] == before.sources["life_yr"]
    assert after.name == "lfp"


def test_replace_reports_all_faults_at_once():
    text = message(
        library.battery("lfp").replace, round_trip_eficiency=0.9, soc_min_fraction=-0.1, life_yr="x"
    )
    assert text.startswith("3 problems in the inputs of battery('lfp').replace():")
    assert "battery.lfp.round_trip_eficiency: got an unknown key;" in text
    assert "Did you mean 'round_trip_efficiency'?" in text
    assert "battery.lfp.soc_min_fraction: got -0.1; must be in [0, 0.9] fraction." in text
    assert "battery.lfp.life_yr: got 'x'; must be a number of yr." in text


def test_per_cent_instead_of_a_fraction_is_explained():
    assert message(library.battery("lfp").replace, round_trip_efficiency=88) == (
        "1 problem in the inputs of battery('lfp').replace():\n"
        ' * battery.lfp.round_trip_efficiency: got 88; unit is "fraction". Write 0.88, or set unit = "%".'
    )


def test_derate_with_the_wrong_sign_is_explained():
    text = message(library.backup("aero_gt").replace, power_derate_per_c=0.009)
    assert "got 0.009; must be in [-0.05, 0] fraction/degC. Losses are negative here: write -0.009." in text


def test_kind_and_sources_cannot_be_replaced():
    text = message(library.battery("lfp").replace, kind="pv", sources={})
    assert text.startswith("2 problems")
    assert "battery.lfp.kind: got a change; must stay as it is." in text


def test_words_are_checked():
    text = message(library.pv("fixed_ac").replace, mount="roof")
    assert "pv.fixed_ac.mount: got 'roof'; must be one of tracker, fixed." in text


def test_contradictions_are_found():
    assert 'must be a number when coupling is "ac"' in message(
        library.pv("fixed_ac").replace, dc_ac_ratio=None
    )
    assert 'must be none when coupling is "dc"' in message(library.pv("fixed_dc").replace, dc_ac_ratio=1.3)
    assert 'must be a number when mount is "tracker"' in message(
        library.pv("fixed_ac").replace, mount="tracker"
    )
    text = message(library.fuel("diesel").replace, cold_event_per_yr=0.1)
    assert (
        "fuel.diesel.cold_quantile: got 0; must be above 0 when cold_event_per_yr is above 0. Write 0.01."
        in text
    )
    text = message(library.rack("gb200_nvl72").replace, idle_fraction=0.3)
    assert "rack.gb200_nvl72.curve_default: got 0.27 at zero throughput; must be idle_fraction" in text


def test_entry_of_the_users_own_must_be_complete():
    text = message(library.PowerPath, name="mine", title="Mine", coupling="ac", bus_to_rack_efficiency=0.9)
    assert text.startswith("2 problems in the inputs of PowerPath():")
    assert "power_path.generator_to_bus_efficiency: got nothing; is needed, in fraction." in text


@pytest.mark.parametrize("kind", library.KINDS)
def test_entry_survives_json_and_pickle(kind):
    for name in library.names(kind):
        entry = library.entry(kind, name)
        assert type(entry).model_validate_json(entry.model_dump_json()) == entry
        assert pickle.loads(pickle.dumps(entry)) == entry
        assert hash(entry) == hash(entry.replace())


# Ranges of single numbers ------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [True, float("nan"), float("inf"), "0.5", None, [0.5]])
def test_number_refuses_what_is_no_number(value):
    assert Number("fraction", 0, 1, "").wrong(value) == (repr(value), "must be a number of fraction", "")


def test_count_refuses_parts():
    assert Number("count", 1, 10, "", whole=True).wrong(2.5) == ("2.5", "must be a whole number of count", "")


def test_pairs_must_rise_and_stay_in_range():
    table = Pairs("degC, MW/MW", 1, 3, "")
    assert table.wrong([[10, 1.03], [20, 1.05]]) is None
    assert table.wrong([[10, 1.03]])[1] == "must be two or more pairs [x, y] of degC, MW/MW"
    assert (
        table.wrong([[10, 1.03], [10, 1.05]])[1]
        == "the first numbers of the pairs must rise or fall throughout"
    )
    assert table.wrong([[10, 1.03], [20, 0.05]]) == ("0.05 at 20", "must be in [1, 3]", "")


def test_convex_stretch_of_a_throughput_curve_is_refused():
    curve = Pairs("power fraction, throughput fraction", 0, 1, "", concave=True)
    assert curve.wrong([[1, 1], [0.6, 0.8], [0.3, 0]]) is None
    found, allowed, remedy = curve.wrong([[1, 1], [0.6, 0.4], [0.3, 0]])
    assert found == "slope 1.5 above 0.6 and 1.33 below"
    assert "a concave curve" in allowed
    assert remedy == "Drop the point at 0.6 or raise it."
    assert "must start at (1, 1)" in curve.wrong([[1, 0.9], [0.3, 0]])[1]
    assert "must start at (1, 1)" in curve.wrong([[1, 1], [0.3, 0.1]])[1]


def test_all_throughput_curves_are_concave_and_ordered():
    for name in library.names("rack"):
        rack = library.rack(name)
        for curve in (
            rack.curve_default,
            rack.curve_conservative,
            rack.curve_optimistic,
            rack.curve_measured_h100,
        ):
            slopes = [(y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in pairwise(curve)]
            assert slopes == sorted(slopes)
        for low, mid, high in zip(
            rack.curve_conservative, rack.curve_default, rack.curve_optimistic, strict=True
        ):
            assert low[1] <= mid[1] <= high[1]


def test_shares_must_sum_to_one():
    assert Shares("fraction", 0, 1, "").wrong([0.5, 0.5]) is None
    assert Shares("fraction", 0, 1, "").wrong([0.5, 0.4])[1] == "must be shares that sum to 1"


def test_day_is_read_as_date_or_text():
    day = Day("date", 2020, 2060, "")
    assert day.wrong(date(2026, 7, 4)) is None
    assert day.wrong("2026-07-04") is None
    assert day.wrong("July 4") == ("'July 4'", "must be a day", "Write it as 2026-07-04.")
    assert day.wrong("1990-01-01")[1] == "the year must be in [2020, 2060]"


# Rack availability -------------------------------------------------------------------------------------


def test_rack_availability_by_hand():
    """72 GPUs x 5e-4 a day x 0.5 h, and 72 x 0.06 a year x 6 h."""
    rack = library.rack("gb200_nvl72")
    assert rack.availability == pytest.approx(1 / (1 + 0.036 * 0.5 / 24 + 4.32 * 6 / 8760), rel=1e-12)
    assert rack.availability == pytest.approx(0.9963, abs=1e-4)
    assert rack.replace(interruptions_per_gpu_day=0, gpu_swaps_per_gpu_yr=0).availability == 1


# Own files ---------------------------------------------------------------------------------------------


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_own_file_amends_a_library_entry(tmp_path):
    path = write(
        tmp_path / "cheap.toml",
        'kind = "battery"\nextends = "lfp"\ntitle = "Quote"\nlife_yr = 15\n'
        '[round_trip_efficiency]\nvalue = 88\nunit = "%"\nsource = "Vendor quote"\nyear = 2026\n',
    )
    entry = library.load(path)
    assert isinstance(entry, library.Battery)
    assert (entry.name, entry.title) == ("cheap", "Quote")
    assert (entry.life_yr, entry.round_trip_efficiency, entry.capex_usd_per_kwh) == (15, 0.88, 195)
    quantity = entry.sources["round_trip_efficiency"]
    assert (quantity.source, quantity.year, quantity.unit, quantity.value) == (
        "Vendor quote",
        2026,
        "fraction",
        0.88,
    )
    assert entry.sources["life_yr"].source == f"user ({path})"
    assert entry.sources["capex_usd_per_kwh"] == library.battery("lfp").sources["capex_usd_per_kwh"]
    assert library.battery(str(path)) == entry


def test_all_faults_of_a_file_are_listed_at_once(tmp_path):
    path = write(
        tmp_path / "bad.toml",
        'kind = "battery"\nextends = "lfp"\n'
        '[round_trip_efficiency]\nvalue = 88\nunit = "fraction"\n'
        "[capex_usd_per_kwhh]\nvalue = 100\n"
        '[capex_usd_per_kw]\nvalue = 0.1\nunit = "USD/W"\n'
        '[life_yr]\nvalue = 10\nunit = "yr"\nsorce = "x"\n'
        '[mttr_h]\nunit = "h"\n'
        '[fade_per_yr]\nvalue = 0.02\nunit = "fraction/yr"\nconfidence = "sure"\nstatus = "X"\n',
    )
    text = message(library.load, path)
    assert text.startswith(f"7 problems in the inputs of {path}:")
    assert (
        f'{path} [round_trip_efficiency]: got 88; unit is "fraction". Write 0.88, or set unit = "%".' in text
    )
    assert f"{path} [capex_usd_per_kwhh]: got an unknown key; must be a number or word of Battery." in text
    assert "Did you mean 'capex_usd_per_kwh'?" in text
    assert f"{path} [capex_usd_per_kw] unit: got 'USD/W'; must be 'USD/kW'." in text
    assert f"{path} [life_yr] sorce: got an unknown key; known keys are value, unit, year" in text
    assert "Did you mean 'source'?" in text
    assert f"{path} [mttr_h] value: got nothing; is needed." in text
    assert f"{path} [fade_per_yr] confidence: got 'sure'; must be H, M or L." in text
    assert f"{path} [fade_per_yr] status: got 'X'; must be letters of V, S, K, D, E joined by /." in text


def test_own_file_without_base_must_be_complete(tmp_path):
    path = write(tmp_path / "new.toml", 'kind = "power_path"\ntitle = "New"\ncoupling = "dc"\n')
    text = message(library.load, path)
    assert text.startswith(f"3 problems in the inputs of {path}:")
    assert f"{path} [bus_to_rack_efficiency]: got nothing; is needed, in fraction." in text


def test_own_file_says_none_for_a_number_it_lacks(tmp_path):
    path = write(
        tmp_path / "always_hot.toml", 'kind = "backup"\nextends = "recip_fast"\nstart_minutes = "none"\n'
    )
    assert library.load(path).start_minutes is None
    path = write(tmp_path / "no_power.toml", 'kind = "backup"\nextends = "recip_fast"\nunit_mw = "none"\n')
    assert f"{path} [unit_mw]: got none; must be a number of MW." in message(library.load, path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('kind = "batery"', "kind: got 'batery'; must be one of"),
        ('title = "x"', "kind: got nothing; must be one of"),
        (
            'kind = "battery"\nextends = "lpf"',
            "extends: got 'lpf'; must be one of lfp, lfp_dc. Did you mean 'lfp'?",
        ),
        ("kind = [", "got text that is not TOML"),
    ],
)
def test_file_of_the_wrong_kind_is_refused(tmp_path, content, expected):
    assert expected in message(library.load, write(tmp_path / "x.toml", content))


def test_missing_file_and_wrong_kind_of_entry(tmp_path):
    assert "got no such file; must be the path of a TOML file" in message(
        library.load, tmp_path / "gone.toml"
    )
    path = write(tmp_path / "b.toml", 'kind = "battery"\nextends = "lfp"\n')
    assert "kind: got 'battery'; must be 'pv' to be used here" in message(library.pv, str(path))


# Listing and printing ----------------------------------------------------------------------------------


def test_list_has_one_row_an_entry():
    table = library.list_entries()
    assert list(table.columns) == ["kind", "name", "title", "key_figures"]
    assert len(table) == sum(len(library.names(kind)) for kind in library.KINDS)
    row = table[table["name"] == "lfp"].iloc[0]
    assert "capex 195 USD/kWh" in row["key_figures"]
    assert len(library.list_entries("backup")) == 13


def test_show_prints_every_number_with_its_source_in_text_and_html():
    shown = library.show("backup", "diesel")
    text, page = repr(shown), shown._repr_html_()
    for field, quantity in library.backup("diesel").sources.items():
        assert f"  {field} = " in text
        assert quantity.source in text
        assert field in page
    assert "capex_usd_per_kw = 1100 USD/kW   [V/K/D, M]" in text
    assert "Sargent &amp; Lundy" in library.show("backup", "aero_gt")._repr_html_()
    assert "start_minutes = none   [" in repr(library.show("backup", "smr"))


def test_show_marks_what_the_user_set():
    shown = library.EntryTable(library.battery("lfp").replace(life_yr=12))
    assert re.search(r"life_yr = 12 yr   \[user, user\]\n +Economic life\. user", repr(shown))


def test_repr_names_the_entry_without_its_sources():
    assert repr(library.battery("lfp")) == "Battery('lfp': Lithium iron phosphate containers, AC-coupled)"


# Tax credits -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "start", "service", "expected"),
    [
        (
            "pv",
            date(2026, 7, 4),
            date(2030, 12, 31),
            0.30,
        ),  # begun on the last day, finished in the last year
        ("pv", date(2026, 7, 4), date(2031, 1, 1), 0.0),  # continuity lost
        ("pv", date(2026, 7, 5), date(2028, 1, 1), 0.0),
        ("pv", date(2026, 7, 5), date(2027, 12, 31), 0.30),  # late start, in service in time
        ("wind", date(2026, 7, 4), date(2030, 12, 31), 0.30),
        ("wind", date(2026, 7, 5), date(2028, 1, 1), 0.0),
        ("battery", date(2033, 12, 31), date(2035, 1, 1), 0.30),
        ("battery", date(2034, 1, 1), date(2036, 1, 1), 0.225),
        ("battery", date(2035, 6, 1), date(2037, 1, 1), 0.15),
        ("battery", date(2036, 1, 1), date(2037, 1, 1), 0.0),
        ("fuel_cell", date(2025, 12, 31), date(2027, 1, 1), 0.0),
        ("fuel_cell", date(2026, 1, 1), date(2027, 1, 1), 0.30),
        ("nuclear", date(2033, 1, 1), date(2040, 1, 1), 0.30),
        ("none", date(2026, 1, 1), date(2027, 1, 1), 0.0),
    ],
)
def test_investment_credit_by_date(kind, start, service, expected):
    assert library.itc_fraction(kind, start, service) == expected


def test_investment_credit_follows_the_users_finance():
    mine = library.finance().replace(solar_itc_fraction=0.4, solar_itc_construction_by=date(2030, 1, 1))
    assert library.itc_fraction("pv", date(2029, 1, 1), date(2031, 1, 1), mine) == 0.4


def test_unknown_credit_kind_is_refused():
    text = message(library.itc_fraction, "solar", date(2026, 1, 1), date(2027, 1, 1))
    assert "kind: got 'solar'; must be one of battery, fuel_cell, none, nuclear, pv, wind" in text
