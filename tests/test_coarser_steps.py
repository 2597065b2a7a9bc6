"""A search on longer steps than the study's: no energy lost, and the last word on its own steps."""

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
from sitedesign.certified.coarser_steps import (
    ESTIMATED_STEP_H,
    EVALUATED_STEP_H,
    block_on_steps_of,
    environment_on_steps_of,
    has_finer_steps,
)
from sitedesign.certified.environment import environment_of
from sitedesign.certified.evaluator import Evaluator
from sitedesign.certified.scenario_years import weather_block
from sitedesign.operation.forecast import climatology
from sitedesign.reliability.weather_blocks import WeatherBlock
from sitedesign.study.effort import Effort

SITE = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
ASKED = {"site": SITE, "racks": 70, "uptime": 0.97, "backup": "recip_fast", "weather_years": 2}
TINY = Effort(years=4, draws=1, evaluations=20, iterations=1, certificate_years=4, certificate_draws=1,
              certificates=1, cause_years=0, bound_draws=0, explains=False)  # fmt: skip


@pytest.fixture(scope="module")
def finer() -> StudyCase:
    return build_case(sd.Study(**ASKED, step_minutes=30))


@pytest.mark.parametrize("step_h", [EVALUATED_STEP_H, ESTIMATED_STEP_H])
def test_means_over_longer_steps_keep_all_energy(finer: StudyCase, step_h: float) -> None:
    block, times = weather_block(finer), round(step_h / 0.5)
    coarse = block_on_steps_of(block, step_h)
    assert (block.case.step_h, coarse.case.step_h) == (0.5, step_h)
    assert coarse.case.steps * times == block.case.steps
    for fine, mean in (
        (block.case.resources[0].yield_mw_per_mw, coarse.case.resources[0].yield_mw_per_mw),
        (block.case.load_mw, coarse.case.load_mw),
        (block.case.backup[0].capability[0], coarse.case.backup[0].capability[0]),
        (block.temp_air_c, coarse.temp_air_c),
    ):
        assert mean[17] == pytest.approx(fine[17 * times : 18 * times].mean())
        assert mean.sum() * times == pytest.approx(fine.sum())


def test_what_is_on_such_steps_or_has_prices_by_step_stays_as_it_is(finer: StudyCase) -> None:
    hourly = build_case(sd.Study(**ASKED))
    block = weather_block(hourly)
    assert block_on_steps_of(block, EVALUATED_STEP_H) is block
    grid = {"mw": 5, "tariff": "ercot"}
    hub = weather_block(build_case(sd.Study(**ASKED, step_minutes=30, grid=grid)))
    assert not has_finer_steps(hub.case, ESTIMATED_STEP_H)
    assert block_on_steps_of(hub, ESTIMATED_STEP_H) is hub
    environment = environment_of(hourly)
    assert environment_on_steps_of(environment, block) is environment
    longer = block_on_steps_of(block, ESTIMATED_STEP_H)
    climate = environment_on_steps_of(environment, longer).climatology
    assert climate.load_mw.size == 4380
    many = environment.climatology.many_years_c
    assert many.size  # cold is as frequent as among many years
    assert np.array_equal(climate.daily_temp_c, np.sort(many, axis=None))
    assert np.array_equal(climate.many_years_c, many)


def test_half_hours_that_are_alike_are_operated_as_the_hour_is(finer: StudyCase) -> None:
    """Twice the same half hour: what an operator on whole hours makes of it differs by his steps alone."""
    hourly, met = _hourly(finer), environment_of(finer)
    doubled = dataclasses.replace(
        hourly,
        case=with_series(hourly.case, lambda series: np.repeat(series, 2, axis=-1), step_h=0.5),
        temp_air_c=np.repeat(hourly.temp_air_c, 2),
    )
    environments = (
        dataclasses.replace(met, climatology=climatology(block.case, block.temp_air_c))
        for block in (doubled, hourly)
    )
    runs = [
        Evaluator([block], environment, "rack", seed=3)
        for block, environment in zip((doubled, hourly), environments, strict=True)
    ]
    for plant in (_plant(hourly.case, hours) for hours in (2.0, 12.0)):
        fine, hour = (run.evaluate(plant, sd.Controller()) for run in runs)
        assert 1 - fine.uptime == pytest.approx(1 - hour.uptime, rel=0.1, abs=2e-4)
        assert fine.cost_usd_per_yr == pytest.approx(hour.cost_usd_per_yr, rel=0.01)


def test_estimates_on_longer_steps_say_what_hours_say_of_a_change(finer: StudyCase) -> None:
    """Near an evaluated plant, which they give as it was evaluated, all years estimated: no chance in it."""
    hourly = _hourly(finer)
    met = environment_on_steps_of(environment_of(finer), hourly)
    evaluator, rule = Evaluator([hourly], met, "rack", seed=3), sd.Controller()
    here = _plant(hourly.case, 6.0)
    exact = evaluator.select_scenarios(here, rule)
    assert evaluator.estimate(here, rule) == exact
    assert evaluator._scenarios is not None
    assert evaluator._scenarios.years.case.step_h == ESTIMATED_STEP_H
    for change in (
        {"battery_mwh": 1.1 * here.battery_mwh},
        {"resources_mw": (1.05 * here.resources_mw[0],)},
        {"racks": here.racks + 1},
    ):
        there = dataclasses.replace(here, **change)
        estimated, evaluated = evaluator.estimate(there, rule), evaluator.evaluate(there, rule)
        change_in_loss = np.log((1 - evaluated.uptime) / (1 - exact.uptime))
        assert np.log((1 - estimated.uptime) / (1 - exact.uptime)) == pytest.approx(
            change_in_loss, rel=0.25, abs=0.02
        )
        assert estimated.cost_usd_per_yr == pytest.approx(evaluated.cost_usd_per_yr, rel=2e-3)


def test_outages_on_longer_steps_begin_and_end_in_the_step_that_holds_them(finer: StudyCase) -> None:
    hourly = _hourly(finer)
    drawn = Evaluator([hourly], environment_of(finer), "rack", seed=3).outages_of(_plant(hourly.case, 2.0))
    longer = drawn.on_longer_steps(2)
    assert drawn.step.size > 20
    np.testing.assert_array_equal(longer.step, [step // 2 for step in drawn.step.tolist()])
    np.testing.assert_array_equal(longer.change, drawn.change)


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


def _hourly(finer: StudyCase) -> WeatherBlock:
    return block_on_steps_of(weather_block(finer), EVALUATED_STEP_H)


def _plant(case: Case, hours: float) -> Plant:
    mw = float(case.load_mw.mean())
    return Plant((4 * mw,), hours * mw, 1.2 * mw, (1,), case.racks_contracted + 2)
