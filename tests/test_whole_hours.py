"""A search on whole hours of a study with finer steps: no energy lost, and the last word on its own steps."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import sitedesign as sd
from sitedesign.case.build import StudyCase, build_case
from sitedesign.case.case import Case
from sitedesign.case.plant import Plant
from sitedesign.case.years import with_series
from sitedesign.certified import sizing_loop
from sitedesign.certified.environment import environment_of
from sitedesign.certified.evaluator import Evaluator
from sitedesign.certified.scenario_years import weather_block
from sitedesign.certified.whole_hours import environment_on_whole_hours, has_finer_steps, on_whole_hours
from sitedesign.reliability.weather_blocks import WeatherBlock
from sitedesign.study.effort import Effort

SITE = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
ASKED = {"site": SITE, "racks": 70, "uptime": 0.97, "backup": "recip_fast", "weather_years": 2}
TINY = Effort(years=4, draws=1, evaluations=20, iterations=1, certificate_years=4, certificate_draws=1,
              certificates=1, cause_years=0, bound_draws=0, explains=False)  # fmt: skip


@pytest.fixture(scope="module")
def finer() -> StudyCase:
    return build_case(sd.Study(**ASKED, step_minutes=30))


def test_means_over_the_hour_keep_all_energy(finer: StudyCase) -> None:
    coarse = on_whole_hours(finer)
    assert (finer.case.step_h, coarse.case.step_h) == (0.5, 1.0)
    assert coarse.case.steps * 2 == finer.case.steps
    for fine, mean in (
        (finer.case.resources[0].yield_mw_per_mw, coarse.case.resources[0].yield_mw_per_mw),
        (finer.case.load_mw, coarse.case.load_mw),
        (finer.case.backup[0].capability[0], coarse.case.backup[0].capability[0]),
        (finer.weather.temp_air_c.ravel(), coarse.weather.temp_air_c.ravel()),
    ):
        assert mean[17] == pytest.approx((fine[34] + fine[35]) / 2)
        assert mean.sum() * 2 == pytest.approx(fine.sum())


def test_what_is_on_whole_hours_or_has_prices_by_step_stays_as_it_is(finer: StudyCase) -> None:
    hourly = build_case(sd.Study(**ASKED))
    assert on_whole_hours(hourly) is hourly
    grid = {"mw": 5, "tariff": "ercot"}
    hub = build_case(sd.Study(**ASKED, step_minutes=30, grid=grid))
    assert not has_finer_steps(hub.case)
    assert on_whole_hours(hub) is hub
    environment = environment_of(hourly)
    assert environment_on_whole_hours(hourly, environment) is environment


def test_half_hours_that_are_alike_are_operated_as_the_hour_is(finer: StudyCase) -> None:
    """Twice the same half hour: what an operator on whole hours makes of it differs by his steps alone."""
    coarse = on_whole_hours(finer)
    temp = np.repeat(coarse.weather.temp_air_c, 2, axis=1)
    weather = dataclasses.replace(finer.weather, temp_air_c=temp)
    doubled = dataclasses.replace(finer, case=_twice(coarse.case), weather=weather)
    plants = [_plant(coarse, hours) for hours in (2.0, 12.0)]
    runs = [
        Evaluator([weather_block(item)], environment_of(item), "rack", seed=3) for item in (doubled, coarse)
    ]
    controller = sd.Controller()
    for plant in plants:
        fine, hour = (run.evaluate(plant, controller) for run in runs)
        assert 1 - fine.uptime == pytest.approx(1 - hour.uptime, rel=0.1, abs=2e-4)
        assert fine.cost_usd_per_yr == pytest.approx(hour.cost_usd_per_yr, rel=0.01)


def test_a_search_is_on_whole_hours_and_its_certificate_on_the_steps_of_the_study(
    finer: StudyCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    certified: list[StudyCase] = []
    ask = sizing_loop.UnseenYears

    def listen(study_case: StudyCase, *args: object, **named: object) -> object:
        certified.append(study_case)
        return ask(study_case, *args, **named)  # type: ignore[arg-type]

    searched: list[float] = []
    years = sizing_loop.search_years

    def look(*args: Any) -> list[WeatherBlock]:
        blocks = years(*args)
        searched.extend(block.case.step_h for block in blocks)
        return blocks

    monkeypatch.setattr(sizing_loop, "UnseenYears", listen)
    monkeypatch.setattr(sizing_loop, "search_years", look)
    sizing_loop.size_then_search(finer, environment_of(finer), TINY, lambda _: None)
    assert searched == [1.0, 1.0]
    assert [item.case.step_h for item in certified] == [0.5]


def _twice(case: Case) -> Case:
    return with_series(case, lambda series: np.repeat(series, 2, axis=-1), step_h=case.step_h / 2)


def _plant(study_case: StudyCase, hours: float) -> Plant:
    mw = float(study_case.case.load_mw.mean())
    return Plant((4 * mw,), hours * mw, 1.2 * mw, (1,), study_case.case.racks_contracted + 2)
