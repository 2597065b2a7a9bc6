"""When nothing reaches the target: which candidate_remedies are tried, and what is said of them."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

import sitedesign as sd
from sitedesign.case.build import build_case
from sitedesign.case.plant import Plant
from sitedesign.certified import remedies
from sitedesign.certified.objective import Candidate
from sitedesign.certified.remedies import Remedy, candidate_remedies, explain_uncertified
from sitedesign.certified.sizing_loop import SearchResult
from sitedesign.operation.state import Controller
from sitedesign.reliability.estimate import Estimate
from sitedesign.reliability.reserve_use import ReserveUse
from sitedesign.reliability.technology_use import CapUse
from tests.report_designs import make_certificate, make_design

QUESTION = {
    "site": sd.Site(latitude=31.76, longitude=-106.49),
    "racks": 70,
    "uptime": 0.9999,
    "weather_years": 1,
}


def search_result(
    *, met: bool = False, site: float = 0.0, uptime: float = 0.9995, cost: float = 9e6
) -> SearchResult:
    own = make_certificate(make_design(years=1), met=met, uptime=uptime)
    own = dataclasses.replace(own, target=0.9999, causes={"units": 0.9, "site": site})
    plant = Plant((1.0,), 1.0, 1.0, (1,), 70)
    return SearchResult(Candidate(plant, Controller(), (uptime,), cost), own, met, 1, 100)


@pytest.mark.parametrize(
    ("backup", "names"),
    [
        ([], ["backup (diesel)", "throttling"]),
        (
            ["recip_medium"],
            [
                "of a second fuel (diesel)",
                "fuel on site (recip_medium_dual)",
                "another kind (mobile_gt)",
                "throttling",
            ],
        ),
        (["recip_medium", "diesel"], ["fuel on site (recip_medium_dual)", "throttling"]),
        (["recip_fast"], ["of a second fuel (diesel)", "another kind (recip_medium)", "throttling"]),
    ],
)
def test_every_question_has_a_change_to_try(backup: list[str], names: list[str]) -> None:
    found = candidate_remedies(sd.Study(**QUESTION, backup=backup))
    assert len(found) == len(names)
    for name, (label, _) in zip(names, found, strict=True):
        assert name in label


def test_a_second_fuel_on_site_takes_the_place_of_the_units_under_their_limit() -> None:
    limits = {"units": {"recip_medium": (1, 3), "diesel": (0, 2)}, "land_acres": 100}
    study = sd.Study(**QUESTION, backup=["recip_medium", "diesel"], limits=limits)
    (changed,) = [study for label, study in candidate_remedies(study) if "second fuel on site" in label]
    assert [item.name for item in changed.backup] == ["diesel", "recip_medium_dual"]
    assert changed.limits.units == {"diesel": (0, 2), "recip_medium_dual": (1, 3)}
    assert changed.limits.land_acres == 100


def test_a_limited_connection_may_be_larger_but_not_one_that_is_there_already() -> None:
    def lifted(**asked: Any) -> list[sd.Study]:
        found = candidate_remedies(sd.Study(**QUESTION, grid=sd.Grid(**asked)))
        return [study for label, study in found if "larger connection" in label]

    (changed,) = lifted(mw=(2, 5), tariff=50.0)
    assert changed.grid is not None
    assert changed.grid.mw is not None
    assert changed.grid.mw[0] == 2
    assert changed.grid.mw[1] > 1000
    assert build_case(changed).case.imports[0].units_max < 10_000
    assert lifted(tariff=50.0) == []
    assert lifted(model="ex_smelter", mw=100, tariff="miso") == []
    assert lifted(mw=(5, 5), kind="flexible", tariff=50.0, curtailment={"caps_mw": [5.0] * 8760}) == []


def test_spare_units_that_are_missing_are_told() -> None:
    study_case = build_case(sd.Study(**QUESTION, limits={"n_plus": 1}))
    late = dataclasses.replace(search_result(met=True), met=False)
    result = dataclasses.replace(late, lost_without_spares_mwh_per_yr=12.0)
    text = str(explain_uncertified(study_case, result, lambda _: None, tries=False))
    assert "certificates were asked for" not in text
    assert "With 1 unit of each technology out and nothing else failing it loses 12 MWh a year more" in text


def test_a_reserve_that_is_missing_is_told_and_not_the_number_of_certificates() -> None:
    study_case = build_case(sd.Study(**QUESTION, reserve={}))
    for short_h, told in ((31.0, True), (24.0, False)):
        use = ReserveUse("N-1", Estimate(short_h, 0.5, 200, seed=0), 24.0, 3.0)
        result = search_result(met=not told)  # a certificate without its reserve is not met
        late = dataclasses.replace(
            result, certificate=dataclasses.replace(result.certificate, reserve=use), met=False
        )
        text = str(explain_uncertified(study_case, late, lambda _: None, tries=False))
        assert ("lacks its reserve (N-1) in 31 h a year where 24 are allowed" in text) is told
        assert ("certificates were asked for" in text) is not told


def test_limits_of_a_year_that_no_plant_keeps_are_named() -> None:
    """Noise at night, 400 h where 100 are allowed; of those that are kept nothing is said."""
    result, study_case = search_result(met=True), build_case(sd.Study(**QUESTION))
    noise = CapUse("hours of noise of the site at night", 100.0, 400.0, 410.0, "h/yr")
    capped = (noise, CapUse("NOx", 9.0, 8.0, 8.5, "t/yr"))
    for certificate, words in (
        (dataclasses.replace(result.certificate, capped=capped), f"of the energy of backup: {noise}."),
        (result.certificate, "of the energy of backup in the study's own years."),
    ):
        beyond = dataclasses.replace(result, certificate=certificate, met=False, cap_excess=0.75)
        told = str(explain_uncertified(study_case, beyond, lambda _: None, tries=False))
        assert f"no room for 75.00% {words}" in told
        assert "400 of 100 h/yr, 410 in the worst year: NOT kept" in f"{noise}"
        assert "NOx" not in told


def test_limits_are_taken_away_one_question_at_a_time() -> None:
    found = dict(
        candidate_remedies(
            sd.Study(
                **QUESTION,
                limits={"solar_mw": 50, "co2_t_per_yr": 1e4},
                metric="compute",
                backup=["recip_fast", "diesel"],
            )
        )
    )
    (label,) = found
    assert "solar_mw" in label
    assert found[label].limits.solar_mw is None
    assert found[label].limits.co2_t_per_yr == 1e4


def test_a_limit_on_farms_is_taken_away_as_that_on_the_array_is() -> None:
    """A larger plant whose farms stay small would blame the target for what the limit keeps away."""
    limits = {"wind_mw": {"onshore_6mw_170": (6, 12), "onshore_4mw_150": 9}, "solar_mw": (5, 9)}
    asked = sd.Study(**QUESTION, backup=["recip_medium"], wind=list(limits["wind_mw"]), limits=limits)
    ((label, larger),) = [item for item in candidate_remedies(asked) if "larger plant" in item[0]]
    assert "wind_mw" in label
    case = build_case(larger).case
    (low, most), (other_low, other_most) = (case.resources[row].bounds_mw for row in (1, 2))
    assert (low, other_low) == (6, 0)
    assert min(most, other_most) > 50
    land = sd.Study(**QUESTION, wind=["onshore_6mw_170"], limits={"land_acres": 90, "wind_mw": {}})
    ((label, _),) = [item for item in candidate_remedies(land) if "larger plant" in item[0]]
    assert "wind_mw" not in label


def test_cheapest_remedy_that_is_certified_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = [
        Remedy("dear", search_result(met=True, cost=20e6)),
        Remedy("cheap", search_result(met=True, cost=12e6)),
        Remedy("useless", search_result(cost=1e6)),
    ]
    monkeypatch.setattr(remedies, "evaluate_remedies", lambda _study_case, _progress: tried)
    text = str(explain_uncertified(build_case(sd.Study(**QUESTION)), search_result(), lambda _: None))
    assert "Cheapest remedy of those tried: cheap: certified" in text
    assert "Also tried: dear: certified" in text
    assert "trips 90%" in text
    assert "electrical" not in text
    monkeypatch.setattr(remedies, "evaluate_remedies", lambda _study_case, _progress: tried[2:])
    assert "Tried, and not enough: useless" in str(
        explain_uncertified(build_case(sd.Study(**QUESTION)), search_result(), lambda _: None)
    )


def test_one_of_many_certificates_that_would_do_alone_is_explained() -> None:
    study_case = build_case(sd.Study(**QUESTION))
    late = dataclasses.replace(search_result(met=True), met=False, certificates=5)
    assert "5 certificates were asked for" in str(
        explain_uncertified(study_case, late, lambda _: None, tries=False)
    )
    assert "Alone that" not in str(
        explain_uncertified(study_case, search_result(), lambda _: None, tries=False)
    )


def test_a_floor_of_the_site_is_named() -> None:
    """At 0.9995, 5e-4 are lost; of them 30 % to site faults is more than the 1e-4 that are allowed."""
    study_case = build_case(sd.Study(**QUESTION))
    assert "electrical system alone" in str(
        explain_uncertified(study_case, search_result(site=0.3), lambda _: None, tries=False)
    )
    assert "electrical" not in str(
        explain_uncertified(study_case, search_result(site=0.1), lambda _: None, tries=False)
    )
