"""Planners who foresee failures are at work beside the one who has none, wherever that changes no answer."""

from __future__ import annotations

import sys
from threading import Event
from typing import Any

import pytest

import sitedesign as sd

sd.solve  # noqa: B018 - loads the module, whose name its function hides
solving = sys.modules["sitedesign.api.solve"]
SITE = sd.Site(latitude=31.76, longitude=-106.49)
TWO_PATHS: dict[str, Any] = {"pv": ["tracker_ac", "fixed_dc"], "battery": ["lfp", "lfp_dc"]}


class Reached(Exception):
    """What was to be seen is seen."""


def sized_for(monkeypatch: pytest.MonkeyPatch, *, waits: bool, **asked: Any) -> tuple[Any, list[Any], Any]:
    """Case that is to be certified, cases that were sized beside the planner, and what is handed over."""
    started, sized, handed = Event(), list[Any](), list[Any]()
    plan = solving.foresight_design

    def size(case: Any, *_: Any) -> str:
        sized.append(case)
        started.set()
        return "sized"

    def planned(*arguments: Any) -> Any:
        assert not waits or started.wait(60)  # which never comes where the planner is first
        return plan(*arguments)

    def certify(study_case: Any, *others: Any) -> Any:
        handed.extend((study_case, others[-1] and others[-1]()))
        raise Reached

    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    for name, stand_in in (("size_with_failures", size), ("foresight_design", planned)):
        monkeypatch.setattr(solving, name, stand_in)
    monkeypatch.setattr(solving, "certified_design", certify)
    monkeypatch.setattr(solving, "compile_ahead", lambda: None)
    options = {name: asked.pop(name) for name in ("time_limit_s",) if name in asked}
    study = sd.Study(**({"site": SITE, "racks": 70, "uptime": 0.97, "weather_years": 1} | asked))
    with pytest.raises(Reached):
        sd.solve(study, **options)
    return handed[0], sized, handed[1]


def test_one_path_is_sized_with_failures_while_it_is_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    certified, sized, handed = sized_for(monkeypatch, waits=True, backup="recip_fast")
    assert sized == [certified]
    assert handed == "sized"


@pytest.mark.parametrize(
    "asked",
    [
        {"backup": "recip_fast", "time_limit_s": 600.0},  # after which nobody waits for anything
        TWO_PATHS,  # of which one is chosen first
        {"metric": "compute", "spares": "share", "limits": {"racks": (72, 74)}},  # racks are chosen first
        {"objective": "compute_cost", "uptime": None, "backup": "recip_fast"},
    ],
    ids=["limit", "paths", "shared racks", "compute cost"],
)
def test_what_the_planner_decides_first_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]
) -> None:
    _, sized, handed = sized_for(monkeypatch, waits=False, **asked)
    assert sized == []
    assert handed is None


def test_a_sizing_of_another_case_than_the_planned_one_is_not_handed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(solving, "keeps_racks", lambda _: True)
    racks = {"metric": "compute", "spares": "share", "limits": {"racks": (72, 74)}}
    certified, sized, handed = sized_for(monkeypatch, waits=True, **racks)
    assert len(sized) == 1
    assert sized[0] is not certified
    assert handed is None
