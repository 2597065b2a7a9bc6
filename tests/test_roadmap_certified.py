"""Certification of every stage of a roadmap: what stands stays, nothing comes before it can, sums hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import sitedesign as sd
from sitedesign.case.build import build_case
from sitedesign.case.plant import Plant
from sitedesign.optimize.blocks import BlockPlan
from sitedesign.phasing.certified import CertifiedStage, _Held, _shared, _stage_case, certify_stages
from sitedesign.phasing.problem import Path, sizes_of_plant
from sitedesign.phasing.question import DeliveryCase, RentalCase, RoadmapCase
from sitedesign.phasing.search import StagePlan
from sitedesign.phasing.timeline import StageTime
from sitedesign.results.roadmap import Roadmap, discount_factor, discounted_years
from sitedesign.study.effort import EFFORTS
from tests import cases

SITE = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
STUDY = sd.Study(site=SITE, racks=40, uptime=0.97, backup="recip_fast", weather_years=1)
TINY = replace(EFFORTS["screening"], years=4, evaluations=20, certificate_years=20, certificate_draws=1)


@pytest.fixture(scope="module")
def certified() -> Roadmap:
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(EFFORTS, "screening", TINY)
        return sd.roadmap(STUDY, ramp={20: 20, 32: 40}, horizon_months=120, certify=True)


def test_every_stage_is_certified_and_all_of_them_together(certified: Roadmap) -> None:
    assert certified.stopped_by == "certificate"
    assert "CERTIFIED" in repr(certified)
    running = [stage for stage in certified.stages if stage.racks_running]
    assert [stage.racks_running for stage in running] == [20, 40]
    for stage in running:
        assert stage.certificate is not None
        assert stage.certificate.met
        assert stage.certificate.confidence == pytest.approx(1 - 0.05 / len(running))
    assert certified.net_present_cost_usd > certified.bound_usd


def test_what_stands_stays_and_what_is_ordered_is_what_stands(certified: Roadmap) -> None:
    first, last = certified.stages
    for name, mw in first.owned_mw.items():
        assert last.owned_mw.get(name, 0.0) >= mw - 1e-9
    assert last.battery_mwh >= first.battery_mwh - 1e-9
    solar = sum(o.amount for o in certified.orders if o.technology == "solar")
    assert solar == pytest.approx(last.owned_mw.get("solar", 0.0))
    units = sum(o.amount for o in certified.orders if o.technology == "recip_fast")
    assert units == last.plant.units[0]


def test_the_money_of_a_certified_roadmap_is_that_of_its_stages(certified: Roadmap) -> None:
    cost = 0.0
    for stage in certified.stages:
        years = discounted_years(stage.begins_month, stage.ends_month, certified.discount_per_yr)
        cost += years * sum(stage.cost_usd_per_yr.values())
        cost += discount_factor(stage.begins_month, certified.discount_per_yr) * sum(stage.once_usd.values())
    assert certified.net_present_cost_usd == pytest.approx(cost)
    for stage in certified.stages:
        burnt = stage.energy_mwh_per_yr["recip_fast"]
        assert stage.cost_usd_per_yr["energy recip_fast"] > 20.0 * burnt > 0.0
        load = sum(stage.energy_mwh_per_yr.values())
        assert load > 0.9 * stage.racks_running * 8760 * 0.13


def test_the_last_certificate_is_that_of_the_same_plant_alone(certified: Roadmap) -> None:
    last = certified.stages[-1]
    plant, mine = last.plant, last.certificate
    assert mine is not None
    alone = sd.evaluate(
        STUDY,
        solar_mw=plant.solar_mw,
        battery_mwh=plant.battery_mwh,
        battery_mw=plant.battery_mw,
        backup={"recip_fast": plant.units[0]},
        racks=plant.racks,
    )
    theirs = sd.certify(
        alone, STUDY, years=20, draws=1, seed=mine.seed, controller=mine.controller, attribute=False
    )
    assert theirs.uptime.value == mine.uptime.value
    assert theirs.uptime.standard_error == mine.uptime.standard_error


def test_a_stage_that_cannot_be_certified_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EFFORTS, "screening", replace(TINY, certificates=1, iterations=1))
    few = [sd.Delivery(technology="recip_fast", most_mw=9.0), sd.Delivery(technology="solar", most_mw=0.0),
           sd.Delivery(technology="battery", most_mw=0.0)]  # fmt: skip
    asked: dict[str, Any] = {"ramp": {32: 40}, "deliveries": few, "horizon_months": 60}
    planned = sd.roadmap(STUDY.replace(uptime=0.999), **asked)
    assert planned.stages[-1].plant.units == (2,)
    with pytest.raises(sd.InfeasibleDesign, match=r"from month 32 on 40 racks keep 9\d\.\d+% .*2 units"):
        sd.roadmap(STUDY.replace(uptime=0.999), **asked, certify=True)


# ---------------------------------------------------------------- who owns the units, by hand


def _path(rent_usd_per_unit_month: float = 10_000.0, mw_per_month: float = 1.0) -> Path:
    """Engines of 2 MW at 0.8 M USD/yr, of which up to four can be rented: cheaply, if nothing is said."""
    engine = cases.backup(24, unit_mw=2.0, units_max=10)
    case = cases.case(np.zeros(24), 10.0, backup=(engine,), racks_contracted=20, racks_max=20)
    question = RoadmapCase(
        case,
        ((0.0, 10), (12.0, 20)),
        36.0,
        0.05,
        {"engine": DeliveryCase(6.0, mw_per_month)},  # three units by month 12
        (RentalCase("engine", 4, 0.0, rent_usd_per_unit_month, min_term_months=18.0),),
    )
    return Path(question, (StageTime(0.0, 12.0, 10), StageTime(12.0, 36.0, 20)))


def _planned(path: Path, number: int, owned: int, rented: int, started: int) -> StagePlan:
    racks = path.times[number].racks
    plant = Plant((0.0,), 0.0, 0.0, (owned + rented,), racks)
    sizes = sizes_of_plant(path.question.case, plant) | {"engine": float(owned)}
    block = BlockPlan(plant, racks / 20, racks, None, racks / 20, 0.0)
    return StagePlan(path.times[number], block, sizes, (rented,), (started,), (0,), frozenset())


def _held(path: Path, planned: StagePlan, first: StagePlan) -> _Held:
    return _Held.of(path, 1, planned, first, [CertifiedStage(first)])


@pytest.mark.parametrize(
    ("rent", "rate", "units", "owned", "rented"),
    [
        (10_000.0, 1.0, 4, 2, 2),  # as planned
        (10_000.0, 1.0, 6, 2, 4),  # more is rented, which is cheaper
        (10_000.0, 1.0, 7, 3, 4),  # beyond what can be rented it is owned
        (90_000.0, 1.0, 5, 3, 2),  # dear rent: owned as far as it can be by then
        (90_000.0, 1.0, 6, 3, 3),
        (10_000.0, 1.0, 3, 2, 1),  # less: what is rented leaves first
        (10_000.0, 1.0, 2, 1, 1),  # but not before its term
    ],
)
def test_units_are_owned_and_rented_as_it_is_cheaper_and_can_be(
    rent: float, rate: float, units: int, owned: int, rented: int
) -> None:
    path = _path(rent, rate)
    first = _planned(path, 0, 0, 1, 1)  # one rented in month 0: until month 18 it stays
    second = _planned(path, 1, 2, 2, 1)
    held = _held(path, second, first)
    assert held.locked == (1,)
    found = _shared(path, held, Plant((0.0,), 0.0, 0.0, (units,), 20))
    assert (found.owned["engine"], found.rented) == (owned, (rented,))
    assert (found.started, found.ended) == ((max(0, rented - 1),), (0,))


def test_a_stage_may_have_what_stands_and_what_can_be_there() -> None:
    path = _path()
    first, second = _planned(path, 0, 0, 1, 1), _planned(path, 1, 2, 2, 1)
    (now,) = _stage_case(path.question.case, path, _held(path, second, first)).backup
    # One is held by its term; three can be owned by month 12, and four rented
    assert (now.units_min, now.units_max) == (1, 7)
    assert now.annual_cost_usd_per_unit == pytest.approx(12 * 10_000.0)  # the next one is rented
    dear = _path(90_000.0)
    (now,) = _stage_case(dear.question.case, dear, _held(dear, second, first)).backup
    assert now.annual_cost_usd_per_unit == pytest.approx(0.8e6)
    none = replace(dear.question, deliveries={"engine": DeliveryCase(24.0)})
    late = Path(none, dear.times)
    (now,) = _stage_case(none.case, late, _held(late, _planned(late, 1, 0, 2, 1), first)).backup
    assert (now.units_max, now.annual_cost_usd_per_unit) == (4, pytest.approx(12 * 90_000.0))


def test_a_stage_to_which_nothing_is_added_keeps_the_certificate_of_the_one_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Four stages, the second with the same racks on what stood: three certificates share the risk."""
    base = _path()
    begins, racks = (0.0, 4.0, 12.0, 18.0), (10, 10, 20, 20)
    ends = (*begins[1:], 36.0)
    path = Path(base.question, tuple(map(StageTime, begins, ends, racks)))
    stages = [
        _planned(path, 0, 0, 2, 2),
        _planned(path, 1, 0, 2, 0),
        _planned(path, 2, 2, 2, 0),
        _planned(path, 3, 2, 1, 0),  # a unit leaves: it must do without
    ]
    asked: list[tuple[float, float, bool]] = []

    def certified(there: Any, path: Path, held: _Held, *rest: Any) -> CertifiedStage:
        asked.append((held.stage.time.begins, rest[-1], there.drawn is not None))
        return CertifiedStage(replace(held.stage, rented=(3,), started=(3 if not asked[1:] else 0,)))

    monkeypatch.setattr("sitedesign.phasing.certified._certified", certified)
    study_case = build_case(STUDY)
    found = certify_stages(study_case, path, stages, TINY, lambda _: None)
    each = pytest.approx(1 - 0.05 / 3)
    assert asked == [(0.0, each, True), (12.0, each, True), (18.0, each, True)]
    assert [stage.plan.time for stage in found] == list(path.times)
    kept = found[1].plan
    assert (kept.rented, kept.started, kept.ended) == ((3,), (0,), (0,))  # what was certified, not planned
    least = replace(path.question.case.backup[0], units_min=1)
    question = replace(path.question, case=replace(path.question.case, backup=(least,)))
    asked.clear()
    certify_stages(study_case, Path(question, path.times[:2]), stages[:2], TINY, lambda _: None)
    assert [month for month, *_ in asked] == [0.0, 4.0]  # what is asked for at last may be more than stands
