"""When nothing reaches the target: which candidate_remedies are tried, and what is said of them."""

from __future__ import annotations

import dataclasses

import pytest

import sitedesign as sd
from sitedesign.case.build import build_case
from sitedesign.case.plant import Plant
from sitedesign.certified import remedies
from sitedesign.certified.objective import Candidate
from sitedesign.certified.remedies import Remedy, candidate_remedies, explain_uncertified
from sitedesign.certified.sizing_loop import SearchResult
from sitedesign.operation.state import Controller
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
        (["recip_medium"], ["second fuel (diesel)", "throttling"]),
        (["recip_medium", "diesel"], ["throttling"]),
    ],
)
def test_every_question_has_a_change_to_try(backup: list[str], names: list[str]) -> None:
    found = candidate_remedies(sd.Study(**QUESTION, backup=backup))
    assert len(found) == len(names)
    for name, (label, _) in zip(names, found, strict=True):
        assert name in label


def test_limits_are_taken_away_one_question_at_a_time() -> None:
    found = dict(
        candidate_remedies(
            sd.Study(**QUESTION, limits={"solar_mw": 50, "co2_t_per_yr": 1e4}, metric="compute")
        )
    )
    (label,) = found
    assert "solar_mw" in label
    assert found[label].limits.solar_mw is None
    assert found[label].limits.co2_t_per_yr == 1e4


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
