"""The answer: what it says is consistent, survives a file, and comes out the same every time."""

from __future__ import annotations

import dataclasses
import html
import json
import math
import re
from pathlib import Path

import pydantic
import pytest

import sitedesign as sd
from sitedesign.case.build import build_case
from sitedesign.case.plant import slowest_lead
from sitedesign.foresight import plan
from sitedesign.reliability.estimate import Estimate
from tests.report_designs import make_certificate, make_design

QUICK = {"certify": False}
PLACE = {"latitude": 31.76, "longitude": -106.49, "name": 'A <b>site</b> & "more"'}
QUESTION = {
    "site": sd.Site(**PLACE),
    "racks": 100,
    "uptime": 0.995,
    "backup": ("recip_fast", "diesel"),
    "weather_years": 2,
    "seed": 11,
    "min_renewable_share": 0.5,
    "delay_cost_usd_per_month": 50_000.0,
}


@pytest.fixture(scope="module")
def study() -> sd.Study:
    return sd.Study(**QUESTION)


@pytest.fixture(scope="module")
def design(study: sd.Study) -> sd.Design:
    return sd.solve(study, **QUICK)


def figures(design: sd.Design) -> dict[str, object]:
    """Everything in a design but how long it took."""
    return {key: value for key, value in design.to_dict().items() if key != "solve_seconds"}


# What a certified one says ----------------------------------------------------------------------------------


def certified(target: float = 0.999) -> sd.Design:
    """A design with a certificate whose every figure differs from the design's own."""
    made = make_design(years=2, operation="greedy")
    own = make_certificate(made, met=True)
    worse = {
        name: Estimate(2 * getattr(made.metrics, name).value + 1, 0.5, 200, 7)
        for name in ("lolh_h_per_yr", "eue_mwh_per_yr", "events_per_yr", "longest_h")
    }
    own = dataclasses.replace(own, target=target, metrics=dataclasses.replace(own.metrics, **worse))
    return made.model_copy(update={"certificate": own, "bound_usd_per_yr": 0.8 * made.cost})


def test_certified_summary_shows_the_certified_shortfall() -> None:
    design = certified()
    shown = dict(design.summary())["shortfall"]
    kept, own = design.certificate.metrics, design.metrics
    for name in ("lolh_h_per_yr", "eue_mwh_per_yr", "events_per_yr", "longest_h"):
        assert str(getattr(kept, name)) in shown
        assert f" {getattr(own, name)} " not in shown
    assert "study's own years under one draw" in dict(design.summary())["unseen years"]


def test_gap_is_told_as_it_is_reckoned() -> None:
    assert "foresight bound 20.00 % lower" in repr(certified().details)
    assert "even with perfect foresight and no failures (20 % lower)" in " ".join(repr(certified()).split())
    assert "above" not in repr(certified().details).splitlines()[0]


def test_without_a_target_nothing_is_said_to_be_met() -> None:
    design = certified(target=0.0)
    label = dict(design.summary())["uptime (rack)"]
    assert re.search(r"at least \d+\.\d+ % at 95 %", label)
    assert "met" not in label
    assert "no target was set" in repr(design)
    assert "CERTIFIED without a target" in repr(design)


# Files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "no file"), ("{", "not JSON"), ('{"a": 1}', "sitedesign-design-1"), ("[]", "got list")],
)
def test_what_is_no_design_is_told_in_one_line(content: str | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "design.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(sd.InputError, match=words) as error:
        sd.Design.load(path)
    assert len(error.value.faults) == 1


def test_a_file_that_cannot_be_written_is_told_by_its_own_name(tmp_path: Path) -> None:
    with pytest.raises(sd.InputError, match="No such folder") as error:
        certified().save(tmp_path / "none" / "design.json")
    assert str(tmp_path / "none") in str(error.value)
    assert ".tmp" not in str(error.value)


# What it costs ----------------------------------------------------------------------------------------------


def test_cost_items_add_up_to_what_the_optimiser_claims(design: sd.Design) -> None:
    total = sum(item.usd_per_yr for item in design.costs)
    assert total == pytest.approx(design.objective_usd_per_yr, rel=1e-6)
    assert design.cost == total
    assert design.bound <= design.objective_usd_per_yr * (1 + 1e-9)


def test_cost_items_by_hand(design: sd.Design, study: sd.Study) -> None:
    study_case = build_case(study)
    case, items = study_case.case, {item.name: item.usd_per_yr for item in design.costs}
    engines, diesels = case.backup
    units = design.backup
    spare = design.racks - 100
    land = (
        study.local(study.finance).land_usd_per_acre * 0.055 / study.pv.power_density_mwdc_per_acre
    )  # at 5.5 % interest
    by_hand = {
        "solar array": design.solar_mw * (case.resources[0].annual_cost_usd_per_mw - land),
        "solar land": design.solar_mw * land,
        "battery energy": design.battery_mwh * case.battery_cost_usd_per_mwh_yr,
        "battery power": design.battery_mw * case.battery_cost_usd_per_mw_yr,
        "recip_fast units": units["recip_fast"] * engines.annual_cost_usd_per_unit,
        "recip_fast fuel and running": design.dispatch["recip_fast_mw"].sum()
        / 2
        * engines.marginal_cost_usd_per_mwh,
        "diesel units": units["diesel"] * diesels.annual_cost_usd_per_unit,
        "diesel fuel and running": design.dispatch["diesel_mw"].sum() / 2 * diesels.marginal_cost_usd_per_mwh,
        "spare racks": spare * case.rack_cost_usd_per_yr,
        "delay": design.months_to_power * case.delay_cost_usd_per_month_yr,
    }
    assert items == pytest.approx(by_hand, rel=1e-9, abs=1e-6)
    assert design.months_to_power == 18  # the engines'; solar 14, battery 12


def test_months_to_power_are_the_ones_that_are_paid_for(design: sd.Design, study: sd.Study) -> None:
    plant = sd_plant(design)
    assert slowest_lead(build_case(study).case, plant) == (design.months_to_power, design.slowest)


def sd_plant(design: sd.Design):
    from sitedesign.case.plant import Plant

    return Plant(
        (design.solar_mw,), design.battery_mwh, design.battery_mw, tuple(design.backup.values()), design.racks
    )


# How it is shown --------------------------------------------------------------------------------------------


def test_text_and_html_carry_the_same_facts(design: sd.Design) -> None:
    for part in (design.answer, design.details):
        shown = re.sub(r"<[^>]+>", " ", part._repr_html_())
        plain = " ".join(html.unescape(shown).split())
        for width in (30, 80, 200):
            words = " ".join(part.text(width).split())
            for label, text in part.rows:
                assert " ".join(f"{label} {text}".split()) in plain
                assert " ".join(f"{label} {text}".split()) in words
        assert PLACE["name"] in plain
        assert "OPTIMAL to" in plain
    assert design.details.rows == tuple(design.summary())
    assert repr(design) == repr(design.answer)
    assert design._repr_html_() == design.answer._repr_html_()


def test_the_answer_of_a_bound_begins_by_saying_so(design: sd.Design) -> None:
    told = dict(design.answer.rows)
    assert repr(design).startswith("BOUND, NOT A DESIGN TO BUILD")
    assert repr(design.details).startswith("BOUND, NOT A DESIGN TO BUILD")
    assert told["promise"].startswith("none: ")
    assert "expect" not in told  # which hours are short is not decided by a bound
    assert "certify=False" in told["next"]
    assert "recip_medium" not in repr(design)
    assert 9 <= len(repr(design).splitlines()) < 20


def test_the_answer_of_a_certified_design_is_told_to_somebody_who_decides() -> None:
    design = certified()
    told, kept = dict(design.answer.rows), design.certificate
    lower = float(re.match(r"at least ([\d.]+) %", told["promise"])[1]) / 100
    assert lower <= kept.uptime.lower_bound(0.95) < lower + 1e-3
    assert "95 % confidence" in told["promise"]
    assert f"{kept.simulated_years:,} simulated years" in told["expect"]
    for name, units in design.backup.items():
        if units:
            mw = units * design.backup_unit_mw[name]
            title = sd.library.backup(name).title.lower()
            assert f"{units} × {title}" in told["build"].lower()
            assert f"({mw:,.0f} MW)" in told["build"] or units == 1
    assert f"{design.lcoe_usd_per_mwh:,.1f} USD/MWh" in told["cost"]
    assert f"capital {design.capital_usd / 1e6:,.0f} M USD" in told["cost"]
    assert "±" not in repr(design)
    assert "_" not in repr(design)
    assert 11 <= len(repr(design).splitlines()) < 20
    short = design.model_copy(update={"certificate": dataclasses.replace(kept, met=False)})
    assert repr(short).splitlines()[0].endswith("NOT CERTIFIED")
    assert "NOT MET" in dict(short.answer.rows)["promise"]


def test_html_escapes_what_users_write(design: sd.Design) -> None:
    page = design._repr_html_()
    assert "<b>site</b>" not in page
    assert "&lt;b&gt;site&lt;/b&gt; &amp; " in page


def test_what_is_not_proven_says_so(design: sd.Design) -> None:
    stopped = design.model_copy(update={"stopped_by": "time_limit", "bound_usd_per_yr": design.cost / 2})
    assert "NOT PROVEN OPTIMAL to 50.00 %" in repr(stopped)
    assert "NOT PROVEN OPTIMAL to 50.00 %" in stopped._repr_html_()


def test_uptime_is_labelled_as_a_bound(design: sd.Design) -> None:
    text = dict(design.summary())["uptime (rack)"]
    assert "perfect foresight, no equipment failures: a bound, not a promise" in text
    assert re.search(r"\(\d+\.\d+ to \d+\.\d+\)", text)


# Files ------------------------------------------------------------------------------------------------------


def test_uptime_of_somebody_who_sees_nothing_is_that_of_the_same_plant(
    design: sd.Design, study: sd.Study
) -> None:
    sizes = {
        name: getattr(design, name) for name in ("solar_mw", "battery_mwh", "battery_mw", "backup", "racks")
    }
    assert design.greedy_uptime == sd.evaluate(study, **sizes, operation="greedy").uptime


def test_dictionary_round_trip(design: sd.Design) -> None:
    assert sd.Design.from_dict(design.to_dict()) == design
    assert math.isnan(design.metrics.lolh_h_per_yr.value)  # a bound counts no hours; NaN is kept in a file
    assert sd.Design.from_dict(json.loads(json.dumps(design.to_dict()))) == design


def test_file_round_trip(design: sd.Design, tmp_path: Path) -> None:
    path = design.save(tmp_path / "design.json")
    loaded = sd.Design.load(path)
    assert loaded == design
    assert repr(loaded) == repr(design)
    assert loaded._repr_html_() == design._repr_html_()
    assert [item.name for item in tmp_path.iterdir()] == ["design.json"]


def test_designs_that_differ_are_not_equal(design: sd.Design) -> None:
    assert design != design.model_copy(update={"battery_mw": design.battery_mw + 1})
    assert design != "a design"


def test_file_is_complete_or_not_there(
    design: sd.Design, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "old.json"
    old.write_text("{}", encoding="utf-8")

    def interrupted(_: sd.Design) -> dict[str, object]:
        raise KeyboardInterrupt

    for broken, error in ((interrupted, KeyboardInterrupt), (lambda _: {"a": {1}}, TypeError)):
        monkeypatch.setattr(sd.Design, "to_dict", broken)
        for name in ("new.json", "old.json"):
            with pytest.raises(error):
                design.save(tmp_path / name)
    assert [item.name for item in tmp_path.iterdir()] == ["old.json"]
    assert old.read_text(encoding="utf-8") == "{}"


def test_loaded_design_says_why_it_has_no_dispatch(design: sd.Design) -> None:
    loaded = sd.Design.from_dict(design.to_dict())
    with pytest.raises(AttributeError, match=r"a saved result holds no time series; solve or evaluate the"):
        _ = loaded.dispatch


def test_file_of_another_kind_is_refused_with_all_faults(design: sd.Design) -> None:
    data = {key: value for key, value in design.to_dict().items() if key != "battery_mw"} | {"batery_mw": 3}
    with pytest.raises(sd.InputError) as caught:
        sd.Design.from_dict(data)
    assert str(caught.value).startswith("2 problems in the inputs of Design.from_dict():")
    assert "design.battery_mw" in str(caught.value)
    assert "Did you mean 'battery_mw'?" in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("metric",), "x"),
        (("gpus_per_rack",), 0),
        (("load_mwh_per_yr",), 0),
        (("resources_mw",), {}),
        (("energy_mwh_per_yr",), {}),
        (("study", "limits"), None),
        (("study", "rack"), {}),
        (("study", "limits", "land_acres"), "x"),
        (("metrics", "lolh_h_per_yr", "standard_error"), math.inf),
    ],
)
def test_a_file_of_which_nothing_can_be_said_is_refused_when_it_is_read(
    design: sd.Design, path: tuple[str, ...], value: object
) -> None:
    data = design.to_dict()
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(sd.InputError, match=r"must be what Design.save\(\) wrote"):
        sd.Design.from_dict(data)


# Purity -----------------------------------------------------------------------------------------------------


def test_study_and_design_are_frozen(study: sd.Study, design: sd.Design) -> None:
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        study.uptime = 0.9
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        design.solar_mw = 0.0
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        study.site.latitude = 0.0


def test_same_seed_same_answer(study: sd.Study, design: sd.Design) -> None:
    again = sd.solve(study, **QUICK)
    assert figures(again) == figures(design)
    assert again.dispatch.equals(design.dispatch)


def test_keywords_are_a_study(design: sd.Design) -> None:
    assert figures(sd.solve(**QUESTION, **QUICK)) == figures(design)


def test_another_seed_is_other_weather(study: sd.Study, design: sd.Design) -> None:
    other = sd.solve(study.replace(seed=12), **QUICK)
    assert other.cost != design.cost
    assert other.cost == pytest.approx(design.cost, rel=0.1)


# What can go wrong ------------------------------------------------------------------------------------------


def test_stopped_search_carries_incumbent_and_bound(study: sd.Study, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    real = plan._size

    def hurried(*arguments: object) -> object:
        sizing = real(*arguments)
        return replace(sizing, stopped_by="time_limit", bound_usd_per_yr=0.9 * sizing.objective_usd_per_yr)

    monkeypatch.setattr(plan, "_size", hurried)
    with pytest.raises(sd.NotProvenOptimal, match=r"time limit at a gap of 10\.00%") as caught:
        sd.solve(study, **QUICK)
    incumbent = caught.value.incumbent
    assert isinstance(incumbent, sd.Design)
    assert caught.value.bound_usd_per_yr == pytest.approx(0.9 * incumbent.cost)
    assert incumbent.gap == pytest.approx(0.1)
    assert incumbent.stopped_by == "time_limit"
    assert "NOT PROVEN OPTIMAL" in repr(incumbent)


@pytest.mark.slow
def test_time_limit_is_kept(study: sd.Study) -> None:
    with pytest.raises(sd.NotProvenOptimal) as caught:
        sd.solve(study.replace(weather_years=1), method="extensive", time_limit_s=0.01, **QUICK)
    incumbent = caught.value.incumbent
    cost = float("inf") if incumbent is None else incumbent.cost
    assert caught.value.bound_usd_per_yr <= cost


def test_wrong_options_are_all_named(study: sd.Study) -> None:
    with pytest.raises(sd.InputError) as caught:
        sd.solve(study, method="cut", gap=1.5, time_limit_s=0, **QUICK)  # type: ignore[arg-type]
    assert str(caught.value) == (
        "3 problems in the inputs of solve():\n"
        " * method: got 'cut'; must be one of cuts, extensive. Did you mean 'cuts'?\n"
        " * gap: got 1.5; must be a fraction in (0, 1). The default is 1e-4.\n"
        " * time_limit_s: got 0; must be positive, in seconds."
    )


def test_study_and_keywords_do_not_mix(study: sd.Study) -> None:
    with pytest.raises(sd.InputError, match=r"cannot be combined with a study. Use study.replace\(...\)"):
        sd.solve(study, uptime=0.9, **QUICK)


def test_something_else_than_a_study(study: sd.Study) -> None:
    with pytest.raises(sd.InputError, match=r"must be a sitedesign\.Study"):
        sd.solve({"site": study.site}, **QUICK)  # type: ignore[arg-type]
