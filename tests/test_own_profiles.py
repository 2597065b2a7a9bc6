"""The user's own profiles: what was given is what is sized, operated, certified and exported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import sitedesign as sd
from sitedesign.case.build import build_case
from sitedesign.certified.environment import environment_of
from sitedesign.certified.scenario_years import search_years, unseen_years
from sitedesign.foresight.plan import one_year_case
from sitedesign.operation.outages.sampling import solar_scale
from sitedesign.reliability.certificate import GIVEN, TUNED, USUAL
from sitedesign.study.effort import EFFORTS, Effort
from sitedesign.weather.bootstrap import drawn_days

SITE = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
HOURS = 8760
PLANT: dict[str, Any] = {"solar_mw": 80, "battery_mwh": 200, "battery_mw": 40, "backup": {"diesel": 3}}
TINY = Effort(
    years=12, draws=1, evaluations=40, iterations=1, certificate_years=20, certificate_draws=1,
    certificates=4, cause_years=0, explains=False,
)  # fmt: skip


def sun(years: int, seed: int = 0) -> NDArray[np.float64]:
    """Yields whose every day is another one, shape (years, hours). [MW/MWdc]"""
    day = np.clip(np.sin((np.arange(24) - 6) / 12 * np.pi), 0, None)
    bright = np.random.default_rng(seed).uniform(0.2, 0.9, (years, 365, 1))
    return (bright * day).reshape(years, HOURS)


def load(years: int, seed: int = 1) -> NDArray[np.float64]:
    """Loads of which every day has a level of its own, shape (years, hours). [MW]"""
    level = np.random.default_rng(seed).uniform(9.0, 11.0, (years, 365, 1))
    return (level + 0.5 * np.cos(np.arange(24) / 12 * np.pi)).reshape(years, HOURS)


def study(**more: Any) -> sd.Study:
    base: dict[str, Any] = {
        "site": SITE,
        "racks": 50,
        "uptime": 0.97,
        "backup": ["diesel"],
        "weather_years": 2,
    }
    return sd.Study(**(base | more))


def measured(years: int) -> sd.Weather:
    made = sd.Weather.generate(SITE, years=years, seed=9)
    return replace(made, source=replace(made.source, kind="file"))


def days(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """One row a day."""
    return series.reshape(-1, 24)


# ---------------------------------------------------------------------- operated and exported

OWN = {
    "neither": {},
    "sun of one year": {"solar_profile": sun(1)},
    "sun of three years": {"solar_profile": sun(3)},
    "load of one year": {"load_profile": load(1)},
    "load of as many years": {"load_profile": load(2)},
    "both of three years": {"solar_profile": sun(3), "load_profile": load(3)},
    "sun of three years, load of one": {"solar_profile": sun(3), "load_profile": load(1)},
}


def _dc() -> dict[str, Any]:
    names = [name for name in sd.library.names("pv") if sd.library.pv(name).coupling == "dc"]
    return {"pv": names[0], "battery": "lfp_dc"}


@pytest.mark.parametrize("coupling", ["ac", "dc"])
@pytest.mark.parametrize("operation", ["greedy", "foresight", "causal"])
@pytest.mark.parametrize("own", OWN)
def test_what_was_given_is_operated_and_the_export_balances(own: str, operation: Any, coupling: str) -> None:
    asked = study(**OWN[own], **(_dc() if coupling == "dc" else {}))
    found = sd.evaluate(asked, operation=operation, **PLANT)
    table = found.dispatch
    off = (
        table.solar_mw - table.curtailed_mw + table.discharge_mw - table.charge_mw + table.diesel_mw
        + table.shed_mw - table.load_mw
    )  # fmt: skip
    assert off.abs().max() < 1e-6
    years = len(table) // HOURS
    if asked.solar_profile is not None:
        wanted = 80 * np.broadcast_to(asked.solar_profile, (years, HOURS)).ravel()
        np.testing.assert_allclose(table.solar_mw, wanted, atol=1e-9)
        assert found.provenance.low_resource_periods == []  # those of the weather are no array's
    if asked.load_profile is not None:
        wanted = np.broadcast_to(asked.load_profile, (years, HOURS)).ravel()
        np.testing.assert_allclose(table.load_mw, wanted, atol=1e-9)
    if operation == "causal" and asked.solar_profile is None:
        case = build_case(asked).case
        whole = 80 * case.resources[0].yield_mw_per_mw / asked.pv.availability
        assert (table.solar_mw <= whole + 1e-9).all()
        assert table.solar_mw.sum() == pytest.approx(80 * case.resources[0].yield_mw_per_mw.sum(), rel=0.02)


def test_blocks_of_an_own_array_neither_fail_on_top_nor_are_made_whole_again() -> None:
    own, library = (
        environment_of(build_case(study(**more))).outages for more in (OWN["sun of one year"], {})
    )
    assert library.has("solar")
    assert not own.has("solar")
    assert solar_scale(own) == 1.0
    assert solar_scale(own.without("solar")) == 1.0
    assert solar_scale(library) > 1.0


# ---------------------------------------------------------------------- years that no design saw


def test_years_drawn_from_own_profiles_are_days_of_both_at_their_dates() -> None:
    asked = study(solar_profile=sun(8), load_profile=load(8))
    build, source = unseen_years(build_case(asked), seed=3)
    assert source.given_years == 0
    assert "bootstrap of the user's own solar profile" in source.text
    block = build(0).case
    assert block.years == 20
    given = {tuple(row): at for at, row in enumerate(days(sun(8)).round(12))}
    loads = days(load(8))
    at = np.array([given[tuple(row)] for row in days(block.resources[0].yield_mw_per_mw).round(12)])
    assert (at % 365 == np.tile(np.arange(365), 20)).all()  # a day keeps its date
    np.testing.assert_allclose(days(block.load_mw), loads[at])  # and its load
    years = at.reshape(20, 365) // 365
    assert (np.diff(years, axis=1) != 0).any()  # blocks, not whole years
    assert len(np.unique(years)) == 8
    again = unseen_years(build_case(asked), seed=3)[0](0).case
    assert (again.resources[0].yield_mw_per_mw == block.resources[0].yield_mw_per_mw).all()
    assert not (build(1).case.resources[0].yield_mw_per_mw == block.resources[0].yield_mw_per_mw).all()
    assert not (
        unseen_years(build_case(asked), seed=4)[0](0).case.resources[0].yield_mw_per_mw
        == block.resources[0].yield_mw_per_mw
    ).all()


def test_load_goes_with_the_days_of_a_measured_record() -> None:
    weather = measured(7)
    asked = study(weather=weather, load_profile=load(7))
    block = unseen_years(build_case(asked), seed=3)[0](0)
    temp, loads = days(weather.temp_air_c), days(load(7))
    given = {tuple(row): at for at, row in enumerate(loads.round(12))}
    at = np.array([given[tuple(row)] for row in days(block.case.load_mw).round(12)])
    np.testing.assert_allclose(days(block.temp_air_c), temp[at])


def test_years_of_a_load_that_no_weather_goes_with_are_drawn_whole() -> None:
    asked = study(load_profile=load(2))
    study_case = build_case(asked)
    build, source = unseen_years(study_case, seed=3)
    assert "own load profile" in source.text
    block = build(0).case
    whole = {tuple(row.round(9)) for row in load(2)}
    assert {tuple(row.round(9)) for row in block.load_mw.reshape(20, HOURS)} == whole
    assert not (
        block.resources[0].yield_mw_per_mw[:HOURS] == study_case.case.resources[0].yield_mw_per_mw[:HOURS]
    ).all()


@pytest.mark.parametrize("years", [1, 5])
def test_too_few_own_years_come_again_and_it_is_said(years: int) -> None:
    study_case = build_case(study(solar_profile=sun(years)))
    build, source = unseen_years(study_case, seed=3)
    assert source.given_years == years
    assert "nothing is said of other weather" in source.text
    assert (build(4).case.resources[0].yield_mw_per_mw == study_case.case.resources[0].yield_mw_per_mw).all()
    blocks = search_years(study_case, 11, seed=0)
    assert sum(block.case.years for block in blocks) >= 11  # under other failures each time


def test_days_drawn_are_those_of_the_bootstrap() -> None:
    weather = measured(6)
    row, day = drawn_days(weather.years, 3, seed=5)
    made = weather.bootstrap(3, seed=5)
    np.testing.assert_allclose(days(made.temp_air_c), weather.temp_air_c.reshape(6, 365, 24)[row, day])


# ---------------------------------------------------------------------- certified


@pytest.mark.parametrize("more", [OWN["sun of one year"], {"solar_profile": sun(8), "load_profile": load(8)}])
def test_a_certificate_is_of_the_profile_that_was_given(more: dict[str, Any]) -> None:
    """A plant that its profile carries half the time is not certified on a better array's weather."""
    asked = study(**more)
    bare: dict[str, Any] = {"solar_mw": 60, "battery_mwh": 60, "battery_mw": 30}
    found = sd.evaluate(asked, operation="causal", **bare)
    kept = sd.certify(found, asked, years=40, draws=1, attribute=False)
    assert found.uptime.value < 0.8
    assert kept.uptime.value == pytest.approx(found.uptime.value, abs=0.02)
    assert not kept.met


def test_a_load_of_as_many_years_as_the_weather_is_certified() -> None:
    asked = study(load_profile=load(2))
    found = sd.evaluate(asked, operation="causal", **PLANT)
    kept = sd.certify(found, asked, years=20, draws=1, attribute=False)
    assert kept.uptime.value == pytest.approx(found.uptime.value, abs=0.02)
    assert "own load profile" in kept.weather_source


def test_a_certificate_of_one_year_says_what_it_covers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EFFORTS, "screening", TINY)
    asked = study(solar_profile=sun(1), load_profile=load(1), uptime=0.95)
    design = sd.solve(asked, effort="screening")
    kept = design.certificate
    assert kept is not None
    assert kept.given_years == 1
    assert "repetitions of the one year given" in str(kept)
    assert "nothing is said of other weather" in str(kept)
    shown = dict(design.summary())
    assert "no weather but the one year given" in shown["uptime (rack)"]
    assert "unseen" not in shown["uptime (rack)"]
    assert "the user's own solar profile" in shown["certified on"]
    assert sd.Design.from_dict(design.to_dict()) == design
    np.testing.assert_allclose(design.dispatch.solar_mw, design.solar_mw * sun(1)[0], atol=1e-9)
    np.testing.assert_allclose(design.dispatch.load_mw, load(1)[0], atol=1e-9)
    again = sd.certify(design, years=20, draws=1, seed=3, attribute=False)
    assert again.given_years == 1
    assert again.rule == TUNED


def test_the_hour_by_hour_model_takes_the_year_in_which_the_own_profile_is_darkest() -> None:
    yields = sun(3)
    yields[1, 100 * 24 : 105 * 24] *= 0.01
    study_case = one_year_case(study(solar_profile=yields, load_profile=load(3)))
    assert study_case.case.years == 1
    np.testing.assert_allclose(study_case.case.resources[0].yield_mw_per_mw, yields[1])
    np.testing.assert_allclose(study_case.case.load_mw, load(3)[1])


# ---------------------------------------------------------------------- who operated it


def test_a_result_names_the_rule_it_was_operated_by_and_how_to_get_a_better_one() -> None:
    asked = study()
    usual = sd.evaluate(asked, operation="causal", **PLANT)
    assert usual.controller == sd.Controller()
    assert usual.rule == USUAL
    line = dict(usual.summary())["operated by"]
    assert "forecast z-score 2, capacity credit 0.7" in line
    assert "controller=design.controller" in line
    own = sd.Controller(forecast_z_score=4.0, reserve_h=3.0)
    given = sd.evaluate(asked, operation="causal", controller=own, **PLANT)
    assert given.rule == GIVEN
    assert "controller=" not in dict(given.summary())["operated by"]
    assert given.to_dict()["controller"]["forecast_z_score"] == 4.0
    greedy = sd.evaluate(asked, **PLANT)
    assert greedy.controller is None
    assert "operated by" not in dict(greedy.summary())
    # A certificate takes the rule of what it is of, unless another one is given
    short: dict[str, Any] = {"years": 2, "draws": 1, "attribute": False}
    assert sd.certify(given, asked, **short).controller == own
    assert sd.certify(given, asked, controller=sd.Controller(), **short).rule == GIVEN
    bare = sd.certify(greedy, asked, **short)
    assert bare.rule == USUAL
    usual = "operated by latest safe start, reserve 0.5 h, forecast z-score 2, capacity credit 0.7 (the usual"
    assert usual in str(bare)
