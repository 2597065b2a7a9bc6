"""What a sensitivity can get wrong: a change that is not that of the changed question, a number left out."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import sitedesign as sd
from sitedesign import library
from sitedesign.case.build import StudyCase, build_case, weather_of
from sitedesign.case.case import Case
from sitedesign.case.plant import Plant
from sitedesign.certified.environment import environment_of
from sitedesign.certified.objective import Decision
from sitedesign.certified.scenario_years import unseen_years
from sitedesign.influence import certified as certified_module
from sitedesign.influence.bound import BoundSolver, at_end, question, same
from sitedesign.influence.certified import _Run as Run
from sitedesign.influence.outside import OUTSIDE
from sitedesign.influence.ranges import RangedNumber, entries_of, idle_numbers, ranged_numbers, with_value
from sitedesign.operation.state import Controller
from sitedesign.reliability.monte_carlo import monte_carlo
from sitedesign.reliability.replay import fixed_cost_usd_per_yr
from sitedesign.report import figures
from sitedesign.report.html import render_report
from sitedesign.results.sensitivity import End, Influence, Sensitivity
from sitedesign.study.effort import EFFORTS
from sitedesign.weather.weather import Weather
from tests.few_numbers import vary_only
from tests.slow_rest import slow_after

SITE = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
STUDY = sd.Study(
    site=SITE,
    racks=70,
    uptime=0.99,
    weather_years=2,
    backup=["recip_fast", "mobile_gt"],
    limits={"months_to_power": 30},
    fuel_price_usd_per_mmbtu={"natural_gas": 9.0},
)
SMALL = {"site": SITE, "racks": 7, "uptime": 0.9, "weather_years": 1, "backup": ["recip_fast"]}
RANGES = {
    "natural_gas.price_usd_per_mmbtu": (5.0, 14.0),
    "months_to_power": (14, 36),
    "uptime": (0.95, 0.999),
}


@pytest.fixture(scope="module")
def found() -> Sensitivity:
    return sd.sensitivity(STUDY, ranges=RANGES)


def number(sensitivity: Sensitivity, key: str) -> Influence:
    (item,) = [item for item in sensitivity.numbers if item.key == key]
    return item


def interval(study: sd.Study) -> tuple[float, float]:
    design = sd.solve(study, certify=False)
    return design.bound, design.cost


@pytest.mark.parametrize(
    "key",
    slow_after(
        6,
        [
            "lfp.capex_usd_per_kwh",  # a price: the cuts are shared
            "lfp.round_trip_efficiency",  # other data: they are not
            "ac.bus_to_rack_efficiency",  # what a study cannot be given but by entries of its own
            "backup.site_cost_usd",  # one number of several technologies
            "months_to_power",
            "uptime",
            "gb200_nvl72.sustained_fraction_training",
            "natural_gas.firm_reservation_usd_per_mmbtu_day",
            "natural_gas.price_usd_per_mmbtu",
            "recip_fast.lead_months",
        ],
    ),
)
def test_each_change_is_that_of_the_changed_question_solved_afresh(found: Sensitivity, key: str) -> None:
    (ranged,) = [item for item in ranged_numbers(STUDY, RANGES) if item.key == key]
    for end in number(found, key).ends:
        assert end.bound_usd_per_yr is not None
        assert end.bound_error_usd_per_yr is not None
        bound, cost = interval(with_value(STUDY, ranged, end.value))
        mine = found.bound_usd_per_yr + end.bound_usd_per_yr
        slack = 1e-6 * cost
        assert mine <= cost + slack
        assert bound <= mine + end.bound_error_usd_per_yr + slack


@pytest.mark.parametrize("threads", slow_after(1, ["2", "4"]))
def test_the_answer_is_the_same_with_any_number_of_threads(
    monkeypatch: pytest.MonkeyPatch, threads: str
) -> None:
    """A price, series that are multiples and that are none, efficiencies, where the plan changes kind."""
    study = sd.Study(**SMALL)
    keys = ("uptime", "tracker_ac.availability", "tracker_ac.dc_loss_fraction", "lfp.round_trip_efficiency")
    vary_only(monkeypatch, *keys, "recip_fast.capex_usd_per_kw", "gb200_nvl72.sustained_fraction_training")

    def answered(cores: str) -> tuple[Sensitivity, list[str]]:
        monkeypatch.setenv("OMP_NUM_THREADS", cores)
        told: list[str] = []
        return sd.sensitivity(study, ranges={"uptime": (0.8, 0.95)}, progress=told.append), told

    one, many = answered("1"), answered(threads)
    assert one[0].model_dump_json() == many[0].model_dump_json()
    assert one[1] == many[1]
    assert one[0].switches


def test_nobody_waits_for_what_is_still_asked_when_a_listener_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    begun: list[object] = []
    real = at_end

    def counted(*asked: object) -> End:
        begun.append(asked)
        return real(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr("sitedesign.api.sensitivity.at_end", counted)

    def stop(line: str) -> None:
        if line.startswith("2 of "):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sd.sensitivity(sd.Study(**SMALL), switching=False, progress=stop)
    assert len(begun) < 30  # of more than two hundred


def test_dearer_is_dearer_and_better_is_cheaper(found: Sensitivity) -> None:
    for key, rises in (
        ("lfp.capex_usd_per_kwh", True),
        ("tracker_ac.capex_usd_per_wdc", True),
        ("natural_gas.price_usd_per_mmbtu", True),
        ("default.wacc_power_real", True),
        ("uptime", True),
        ("lfp.round_trip_efficiency", False),
        ("months_to_power", False),
        ("ac.bus_to_rack_efficiency", False),
    ):
        low, high = (end.bound_usd_per_yr or 0.0 for end in number(found, key).ends)
        error = max(end.bound_error_usd_per_yr or 0.0 for end in number(found, key).ends)
        up, down = (high, low) if rises else (low, high)
        assert up >= -error, key
        assert down <= error, key
    assert (number(found, "natural_gas.price_usd_per_mmbtu").high.bound_usd_per_yr or 0) > 1e5


def test_a_range_without_width_changes_nothing_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    ranges = {"lfp.round_trip_efficiency": (0.86, 0.86), "natural_gas.price_usd_per_mmbtu": (9, 9)}
    vary_only(monkeypatch, *ranges)
    answer = sd.sensitivity(STUDY, ranges=ranges, switching=False)
    for key in ranges:
        for end in number(answer, key).ends:
            assert end.bound_usd_per_yr == end.regret_usd_per_yr == 0.0


def test_information_is_never_worth_less_than_nothing(found: Sensitivity) -> None:
    regrets = [end.regret_usd_per_yr for item in found.numbers for end in item.ends]
    known = [usd for usd in regrets if usd is not None]
    assert min(known) == 0.0
    assert max(known) > 1e4  # to have ordered another plant does cost something
    assert all((item.information_usd_per_yr or 0.0) >= 0.0 for item in found.numbers)


def test_what_knowing_is_worth_takes_both_ends() -> None:
    """Half of a mean is no mean: at the other end the plant of today cannot be built, or none at all."""
    ends = [End(value=1.0, regret_usd_per_yr=4e6), End(value=2.0, impossible=True), End(value=3.0)]
    item = Influence(
        key="x", label="x", unit="", value=1.5, confidence="L", source="", low=ends[0], high=ends[1]
    )
    assert item.information_usd_per_yr is None
    assert item.model_copy(update={"high": ends[2]}).information_usd_per_yr is None
    there = ends[2].model_copy(update={"regret_usd_per_yr": 1e6})
    assert item.model_copy(update={"high": there}).information_usd_per_yr == 2.5e6


def test_what_is_ordered_now_costs_its_regret_more(found: Sensitivity) -> None:
    """The plant of today, to which more may be added, against the best: both solved afresh."""
    now = sd.solve(STUDY, certify=False)
    best = max(found.numbers, key=lambda item: item.high.regret_usd_per_yr or 0.0)
    (ranged,) = [item for item in ranged_numbers(STUDY, RANGES) if item.key == best.key]
    changed = with_value(STUDY, ranged, best.high.value)
    sizes = {"solar_mw": now.solar_mw, "battery_mwh": now.battery_mwh, "battery_mw": now.battery_mw}
    most = {"solar_mw": 1e4, "battery_mwh": 1e6, "battery_mw": 1e4}
    limits = changed.limits.model_dump(exclude_unset=True)
    limits |= {name: (mw, most[name]) for name, mw in sizes.items()}
    limits |= {
        "units": {name: (n, 1000) for name, n in now.backup.items()},
        "racks": (now.racks, 10 * now.racks),
    }
    kept, free = interval(changed.replace(limits=limits)), interval(changed)
    regret = best.high.regret_usd_per_yr or 0.0
    assert kept[0] - free[1] <= regret + 1e-3 * kept[1]
    assert regret - 1e-3 * kept[1] <= kept[1] - free[0]


def test_every_number_with_a_range_that_something_reads_is_varied_once(found: Sensitivity) -> None:
    wanted = [
        (entry.kind, entry.name, field)
        for entry in entries_of(STUDY)
        for field, known in entry.sources.items()
        if known.range is not None and not known.used_by
    ]
    numbers = ranged_numbers(STUDY, RANGES)
    varied = [(kind, name, item.field) for item in numbers for kind, name in item.entries]
    assert len(set(varied)) == len(varied)
    # Rules of units, ride-through and what is emitted count where a study asks for them alone
    asked_for = STUDY.replace(
        unit_rules={item.name: {} for item in STUDY.backup},
        ride_through="ups",
        limits={"months_to_power": 30, "nox_t_per_yr": 1e6, "co_t_per_yr": 1e6, "pm_t_per_yr": 1e6},
    )
    all_varied = ranged_numbers(asked_for, RANGES)
    varied += [(kind, name, item.field) for item in all_varied for kind, name in item.entries]
    assert {item for item in wanted if item[2] != "lorry_mmbtu"} <= set(varied)
    assert {item.key for item in numbers} == {item.key for item in found.numbers}
    assert len({item.key for item in numbers}) == len(numbers)
    assert "default.voll_usd_per_mwh" in idle_numbers(STUDY)
    shared = number(found, "backup.common_cause_beta_start")
    assert (shared.value, shared.confidence) == (0.03, "L")
    for item in numbers:  # each end is a question that can be asked, or says why not
        for end in (item.low, item.high):
            try:
                with_value(STUDY, item, end)
            except sd.InputError:
                assert number(found, item.key).low.reason or number(found, item.key).high.reason


def test_a_number_is_changed_and_no_other() -> None:
    gas = next(item for item in ranged_numbers(STUDY) if item.key == "natural_gas.interruption_h")
    changed = with_value(STUDY, gas, 48.0)
    fuel = changed.fuel(changed.backup[0])
    assert (fuel.interruption_h, fuel.price_usd_per_mmbtu) == (48.0, 9.0)
    assert changed.replace(own_entries=()) == STUDY
    cheap = STUDY.replace(gas_contract="interruptible")
    cut = next(item for item in ranged_numbers(cheap) if item.key == "natural_gas.interruption_h")
    assert cut.value == 24.0
    longer = with_value(cheap, cut, 48.0).fuel(cheap.backup[0])
    assert longer.sources["cold_event_per_yr"] == cheap.fuel(cheap.backup[0]).sources["cold_event_per_yr"]
    assert (longer.interruption_h, longer.cold_event_per_yr, longer.price_usd_per_mmbtu) == (48.0, 1.0, 9.0)
    beta = next(item for item in ranged_numbers(STUDY) if item.key == "backup.common_cause_beta_start")
    assert [item.common_cause_beta_start for item in with_value(STUDY, beta, 0.1).backup] == [0.1, 0.1]
    # What the user set is a number of his own, without the library's range
    own = STUDY.replace(battery=library.battery("lfp").replace(capex_usd_per_kwh=100))
    assert not [item for item in ranged_numbers(own) if item.key == "lfp.capex_usd_per_kwh"]


def test_the_plan_is_another_kind_on_either_side_of_a_switching_value(found: Sensitivity) -> None:
    assert found.switches
    prices = {"gas price", "battery price", "solar price", "months to power"}
    assert {item.over for item in found.switches} <= prices
    seen = set()
    for item in found.switches:
        width = 0.02 * item.high
        assert item.low <= item.high <= item.low + width
        if item.over == "months to power":
            sides = [
                STUDY.replace(limits={"months_to_power": months}) for months in (item.low - 0.01, item.high)
            ]
        elif item.over == "gas price":
            sides = [
                STUDY.replace(fuel_price_usd_per_mmbtu={"natural_gas": p}) for p in (item.low, item.high)
            ]
        else:
            continue
        if item.kind == "possible":
            with pytest.raises(sd.InfeasibleDesign):
                sd.solve(sides[0], certify=False)
            continue
        kinds = [kind_of(sd.solve(side, certify=False), item.kind) for side in sides]
        assert kinds[0] != kinds[1], item
        seen.add(item.over)
    assert "gas price" in seen


def kind_of(design: sd.Design, kind: str) -> bool:
    if kind == "half_renewable":
        return design.renewable_share > 0.5
    if kind == "battery_hours":
        return design.battery_mwh > 4 * design.load_mwh_per_yr / 8760
    return any(design.backup.values())  # all units of this study burn gas


def test_it_is_sorted_told_and_saved_whole(found: Sensitivity, tmp_path) -> None:
    swings = [item.swing_usd_per_yr for item in found.numbers]
    assert swings == sorted(swings, reverse=True)
    assert sd.Sensitivity.load(found.save(tmp_path / "numbers.json")) == found
    table = found.table()
    assert len(table) == len(found.numbers)
    assert {"confidence", "source", "bound_usd_per_yr_at_low", "regret_usd_per_yr_at_high"} <= set(table)
    assert f"decided by   {found.deciding[0].label} ({found.deciding[0].confidence})" in str(found)
    least = 0.01 * found.cost_usd_per_yr
    assert all(item.swing_usd_per_yr >= least for item in found.deciding)
    drawn = figures.tornado_data(found)
    assert drawn["number"].tolist() == [item.key for item in found.numbers[: len(drawn)]]
    bars = figures.tornado(found).data
    assert len(bars) == 2
    top = found.numbers[0]
    assert bars[1].x[-1] == pytest.approx((top.high.change_usd_per_yr or 0) / 1e6, abs=1e-4)


def test_a_design_says_what_decided_it_where_that_is_known(found: Sensitivity) -> None:
    design = sd.solve(STUDY, certify=False)
    assert "decided by" not in str(design)
    told = design.with_sensitivity(found)
    assert found.decided_by in " ".join(str(told).split())
    assert sd.Design.from_dict(told.to_dict()).sensitivity == found
    page = render_report(told)
    assert "Numbers that decide" in page
    assert 'id="figure-tornado"' in page
    assert "Numbers that decide" not in render_report(design)


def test_where_no_plant_is_possible_it_decides() -> None:
    study = sd.Study(
        site=SITE, racks=7, uptime=0.9, weather_years=1, backup=["recip_fast"],
        limits={"months_to_power": 30, "solar_mw": 0},
    )  # fmt: skip
    answer = sd.sensitivity(study, ranges={"recip_fast.lead_months": (12, 40)}, switching=False)
    first = answer.numbers[0]
    assert first.key == "recip_fast.lead_months"
    assert first.high.impossible
    assert first.swing_usd_per_yr == math.inf
    assert "At one end of recip fast" in figures.tornado(answer).layout.meta["note"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ranges": {"lfp.capex": (1, 2)}}, r"ranges\['lfp.capex'\]: got 'lfp.capex'; must name"),
        ({"ranges": {"lfp.capex_usd_per_kwh": (200, 100)}}, "must begin with the lower one"),
        ({"ranges": {"lfp.capex_usd_per_kwh": 100}}, "must be a pair of numbers"),
        ({"ranges": {"lfp.round_trip_efficiency": (0.5, 1.5)}}, r"got 1.5; must be in"),
        ({"ranges": {"land_acres": (1, 2)}}, "not given in the study"),
        ({"ranges": {"uptime": (0.9, 1.5)}}, "uptime"),
        ({"certified": True}, "certified: got True; needs a design with a certificate"),
    ],
)
def test_faults_are_told(options: dict[str, object], message: str) -> None:
    with pytest.raises(sd.InputError, match=message):
        sd.sensitivity(STUDY, **options)


def test_what_a_sweep_needs_fixed_is_asked_for() -> None:
    with pytest.raises(sd.InputError, match="objective"):
        sd.sensitivity(STUDY.replace(objective="compute_cost"))
    with pytest.raises(sd.InputError, match="got several power paths"):
        sd.sensitivity(STUDY.replace(pv=["tracker_ac", "fixed_dc"]))


def test_arrays_are_compared_by_what_is_in_them() -> None:
    one = (1.0, np.arange(3.0), End(value=1.0))
    assert same(one, (1.0, np.arange(3.0), End(value=1.0)))
    assert not same(one, (1.0, np.arange(4.0), End(value=1.0)))
    assert not same(np.arange(3.0), 3.0)


# The certified plant ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certified() -> tuple[sd.Design, Sensitivity]:
    short = dataclasses.replace(EFFORTS["screening"], years=10, evaluations=25, certificate_years=20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(EFFORTS, "screening", short)
        patch.setattr(certified_module, "SHORT", short)
        patch.setattr(certified_module, "DRAWS", 1)
        study = sd.Study(site=SITE, racks=70, uptime=0.99, backup="recip_fast", weather_years=2)
        design = sd.solve(study, effort="screening")
        ranges = {"natural_gas.interruption_events_per_yr": (0.0, 40.0)}
        idle, prices = "default.solar_itc_fraction", ("recip_fast.capex_usd_per_kw", "lfp.capex_usd_per_kwh")
        vary_only(patch, *ranges, idle, *prices, "recip_fast.lead_months", "tracker_ac.capex_usd_per_wdc")
        return design, sd.sensitivity(design, ranges=ranges, searched=1, switching=False)


@pytest.mark.slow
def test_a_plant_keeps_less_where_more_fails_and_the_same_where_nothing_changes(certified) -> None:
    design, answer = certified
    gas = number(answer, "natural_gas.interruption_events_per_yr")
    assert (gas.low.uptime or 0) >= 0
    assert (gas.high.uptime or 0) < -3 * (gas.high.uptime_error or 0) < 0
    assert gas.high.bound_usd_per_yr == 0.0  # foresight knows no failures
    assert (gas.high.worth_usd_per_yr or 0) > 0
    idle = number(answer, "default.solar_itc_fraction")
    assert (idle.low.uptime, idle.low.uptime_error) == (0.0, 0.0)
    assert "20 weather years x 1 outage draws" in answer.certified_on
    assert answer.cost_usd_per_yr == design.cost


@pytest.mark.slow
def test_what_is_searched_anew_is_what_moves_the_cost_most(certified) -> None:
    _, answer = certified
    searched = [item for item in answer.numbers if item.high.certified_usd_per_yr is not None]
    assert len(searched) <= 1
    judged_cost = number(answer, "recip_fast.capex_usd_per_kw")
    # At a fixed plant a price changes the cost by what is built, exactly
    assert judged_cost.high.cost_error_usd_per_yr == 0.0
    assert (judged_cost.high.cost_usd_per_yr or 0) > 0 > (judged_cost.low.cost_usd_per_yr or 0)


@pytest.fixture(scope="module")
def judge() -> certified_module.Judge:
    """Four engines and no turbine on a few years, for a study that asks for little in every respect."""
    asked = SMALL | {"racks": 70, "fuel_price_usd_per_mmbtu": {"natural_gas": 1.0}}
    asked |= {"backup": ["recip_fast", "mobile_gt"]}
    engines = {"solar_mw": (1, 1), "units": {"recip_fast": (4, 4), "mobile_gt": (0, 0)}}
    design = sd.solve(sd.Study(**asked, limits=engines), certify=False, gap=1e-3)
    certificate = sd.certify(design, years=2, draws=1, attribute=False)
    little = {"solar_mw": 100, "co2_t_per_yr": 1e5, "n_plus": 0}
    study = sd.Study(**asked | {"uptime": 0.8}, min_renewable_share=0.01, limits=little)
    solver = BoundSolver(study, 1e-3)
    return certified_module.Judge(solver, design.model_copy(update={"certificate": certificate}))


@pytest.mark.parametrize(
    ("key", "low", "high"),
    [
        ("uptime", 0.75, 0.9999),
        ("min_renewable_share", 0.0, 0.8),
        ("co2_t_per_yr", 1.0, 1e6),
        ("n_plus", 0, 3),
    ],
)
def test_a_plant_is_not_taken_for_the_answer_to_a_question_that_asks_more(
    judge: certified_module.Judge, key: str, low: float, high: float
) -> None:
    """As it stands it costs the same, whatever is asked of it."""
    (item,) = [n for n in ranged_numbers(judge.solver.base.study, {key: (low, high)}) if n.key == key]
    more = low if key == "co2_t_per_yr" else high
    end = at_end(judge.solver, item, more)
    assert (end.bound_usd_per_yr or 0) > 1e5
    judged = at_end(judge.solver, item, more, judge.judged)
    assert (judged.change_usd_per_yr or 0) > 1e5
    # Nor does it win there against plants that were searched for that, because it is cheaper
    there = certified_module.CommonYears(
        judge, judge.solver.changed(with_value(judge.solver.base.study, item, more))
    )
    now = judge.plant, judge.controller
    assert certified_module._cheapest(judge.base, judge.now, sure=[], others=[now])[0] == [now]
    assert certified_module._cheapest(there, judge.now, sure=[], others=[now]) == ([], None)


@pytest.mark.parametrize(
    ("key", "simulated"),
    [
        ("lfp.capex_usd_per_kwh", False),  # what a size costs
        ("mobile_gt.start_failure_probability", False),  # of what the plant has none of
        ("mobile_gt.heat_rate_btu_per_kwh_hhv", False),
        ("diesel.price_usd_per_mmbtu", False),
        ("recip_fast.heat_rate_btu_per_kwh_hhv", True),
        ("recip_fast.start_failure_probability", True),
        ("natural_gas.interruption_events_per_yr", True),
        ("gb200_nvl72.restart_unplanned_h", True),
        ("lfp.round_trip_efficiency", True),
        ("tracker_ac.dc_loss_fraction", True),
        ("gb200_nvl72.gpu_swaps_per_gpu_yr", True),
    ],
)
def test_a_plant_is_judged_as_if_it_were_certified_for_the_changed_question(
    judge: certified_module.Judge, monkeypatch: pytest.MonkeyPatch, key: str, simulated: bool
) -> None:
    """On years built anew from the changed study alone; it is simulated where its operation changes only."""
    study, runs = judge.solver.base.study, list[object]()
    for item in (n for n in ranged_numbers(study) if n.key == key):
        asked = judge.solver.changed(with_value(study, item, item.high))
        with monkeypatch.context() as patch:
            patch.setattr(
                certified_module, "monte_carlo", lambda *given: runs.append(given) or monte_carlo(*given)
            )
            end = judge.judged(asked, End(value=item.high, bound_usd_per_yr=1.0))
        assert len(runs) == simulated
        made = build_case(with_value(study, item, item.high))
        assert same(made.case, asked.study_case.case)
        there, now = (afresh(judge, one) for one in (made, build_case(study)))
        assert end.uptime == there[0] - now[0]
        assert end.cost_usd_per_yr == pytest.approx(there[1] - now[1], rel=1e-12, abs=1e-6)


def afresh(judge: certified_module.Judge, made: StudyCase) -> tuple[float, float]:
    """Uptime and cost of the plant on the years of a study, nothing of which is shared."""
    build, _ = unseen_years(made, judge.plan.seed)
    done = monte_carlo(build, judge.plant, judge.controller, environment_of(made), judge.plan)
    return done.uptime.value, done.operating_cost_usd_per_yr + fixed_cost_usd_per_yr(made.case, judge.plant)


def test_weather_that_is_shared_is_that_of_each_study(
    judge: certified_module.Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Years of a changed study are the same, drawn or shared, and what is shared is not drawn again."""
    study = judge.solver.base.study
    (item,) = (n for n in ranged_numbers(study) if n.key == "tracker_ac.dc_loss_fraction")
    years = certified_module._asked(judge, item, item.high)
    own = unseen_years(build_case(with_value(study, item, item.high)), judge.plan.seed)[0](0)
    monkeypatch.setattr(Weather, "generate", None)
    (shared,) = years.blocks()
    assert same(shared.case, own.case)
    assert np.array_equal(shared.temp_air_c, own.temp_air_c)
    assert not same(shared.case, judge.blocks[0].case)


def test_two_numbers_that_ask_the_same_are_searched_once(judge: certified_module.Judge) -> None:
    """A unit comes when it is delivered and when it is permitted, whatever is later."""
    study = judge.solver.base.study
    late = [
        n for n in ranged_numbers(study) if n.key in ("mobile_gt.lead_months", "mobile_gt.air_permit_months")
    ]
    assert len(late) == 2
    one, other = (certified_module._asked(judge, item, 40.0) for item in late)
    sooner = certified_module._asked(judge, late[0], 30.0)
    assert certified_module._distinct([one, other, sooner]) == [one, one, sooner]


def test_a_search_as_things_are_ends_at_no_dearer_plant_than_the_certified_one(
    judge: certified_module.Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even a very short one: it begins there, and asks for what that plant keeps on the same years."""
    short = dataclasses.replace(EFFORTS["screening"], years=3, evaluations=6)
    monkeypatch.setattr(certified_module, "SHORT", short)
    search = certified_module._search(judge, judge.base)
    spare = search.spare_uptime()
    assert spare[0] == pytest.approx(judge.now.uptime - 0.8, abs=0.05)
    found = search.found(spare)
    assert found is not None
    assert found.uptime_by_class[0] - 0.8 >= 0.5 * spare[0]
    assert judge.base.run(*found.decision).cost <= judge.now.cost * (1 + 1e-9)
    again = search.found(spare)
    assert again is None or again.decision != found.decision


def test_more_uptime_is_asked_for_where_a_plant_lost_more_than_the_certified_one(
    judge: certified_module.Judge,
) -> None:
    now, found = judge.now, SimpleNamespace(uptime_by_class=(0.9,))
    short = dataclasses.replace(now, uptimes=(now.uptimes[0] - 0.01,))
    (more,) = certified_module._more((0.05,), found, short, now)
    assert more == pytest.approx(0.1 + 0.01 + certified_module.SLACK * 0.2)
    (enough,) = certified_module._more((0.2,), found, now, now)
    assert enough == pytest.approx(0.2 + certified_module.SLACK * 0.2)


@pytest.mark.slow
def test_plants_are_searched_and_compared_alike_with_any_number_of_threads(
    judge: certified_module.Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = dataclasses.replace(EFFORTS["screening"], years=3, evaluations=6)
    monkeypatch.setattr(certified_module, "SHORT", short)
    keys = ("recip_fast.heat_rate_btu_per_kwh_hhv", "recip_fast.capex_usd_per_kw")
    numbers = [n for n in ranged_numbers(judge.solver.base.study) if n.key in keys]

    def answered(threads: str) -> tuple[list[str], list[str]]:
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        told = list[str]()
        ends = [
            tuple(at_end(judge.solver, n, value, judge.judged) for value in (n.low, n.high)) for n in numbers
        ]
        anew = certified_module.searched_ends(judge, numbers, ends, 2, told.append)
        return [end.model_dump_json() for pair in anew for end in pair], told

    one = answered("1")
    judge.base._runs.clear()  # nothing is remembered
    assert one == answered("2")
    assert any('certified_usd_per_yr":null' not in end for end in one[0])


def test_how_it_is_answered_is_no_number_of_the_question() -> None:
    """All ends have the same weather years: another number of them would change nothing, and say so."""
    for name in ("seed", "weather_years"):
        with pytest.raises(sd.InputError, match="must name a number of the study"):
            ranged_numbers(STUDY, {name: (1, 3)})


def test_a_change_is_taken_from_the_best_that_is_known() -> None:
    assert End(value=1.0).change_usd_per_yr is None
    assert End(value=1.0, bound_usd_per_yr=3.0).change_usd_per_yr == 3.0
    # The plant as it stands is what an increase costs at most; another plan may gain more than it does
    assert End(value=1.0, bound_usd_per_yr=1.0, worth_usd_per_yr=8.0).change_usd_per_yr == 8.0
    assert End(value=1.0, bound_usd_per_yr=-9.0, worth_usd_per_yr=0.0).change_usd_per_yr == -9.0
    assert End(value=1.0, bound_usd_per_yr=-1.0, worth_usd_per_yr=-7.0).change_usd_per_yr == -7.0
    end = End(value=1.0, bound_usd_per_yr=1.0, worth_usd_per_yr=8.0, certified_usd_per_yr=5.0)
    assert end.change_usd_per_yr == 5.0


def test_the_cheapest_plant_that_keeps_the_target_counts_whoever_found_it() -> None:
    """A short search that ends at a plant too dear does not make a number look decisive."""
    asked = question(sd.Study(**SMALL, limits={"solar_mw": 50}), weather_of(sd.Study(**SMALL)))

    def run(cost: float, *, met: bool = True, uptime: float = 0.99, target: float = 0.99) -> Run:
        return Run(uptime, met, np.zeros(2), np.full(2, cost), 0.0, (uptime,), (target,), True)

    class Known:
        environment = environment_of(asked.study_case)

        def __init__(self) -> None:
            self.asked = asked

        def run_all(self, decisions: list[Decision]) -> list[Run]:
            return [
                run(*usd[plant.resources_mw[0]][:1], **usd[plant.resources_mw[0]][1])
                for plant, _ in decisions
            ]

    usd: dict[float, tuple[float, dict[str, Any]]] = {
        10.0: (9.0, {}),
        20.0: (5.0, {}),
        30.0: (3.0, {"met": False, "uptime": 0.985}),  # fails here
        40.0: (4.0, {"met": False, "uptime": 0.99}),  # loses no more than the certified plant
        99.0: (1.0, {}),  # breaks a limit
    }
    now, cheapest = run(7.0, met=False), certified_module._cheapest
    plants = {mw: (Plant((mw,), 8.0, 2.0, (1,), 7), Controller()) for mw in usd}
    others = [plants[20.0], plants[30.0], plants[99.0]]
    best, found = cheapest(Known(), now, sure=[plants[10.0]], others=others)
    assert best == [plants[20.0]]
    assert found is not None
    assert found.cost == 5.0
    alone, _ = cheapest(Known(), now, sure=[plants[30.0]], others=[])
    assert alone == [plants[30.0]]  # its own certificate, on other years, is enough
    assert cheapest(Known(), now, sure=[], others=[plants[30.0]]) == ([], None)
    assert cheapest(Known(), now, sure=[], others=[plants[40.0]])[0] == [plants[40.0]]
    # Where less is asked for, what the certified plant loses says nothing of it
    less = dataclasses.replace(now, targets=(0.98,))
    assert cheapest(Known(), less, sure=[], others=[plants[40.0]]) == ([], None)


HUB = sd.Study(
    site=SITE,
    racks=70,
    uptime=0.99,
    weather_years=1,
    backup=["recip_fast"],
    limits={"months_to_power": 30},
    grid={"model": "flexible", "tariff": "ercot", "mw": 20, "export_mw": 10, "line_miles": 2},
    surplus=[{"model": "miner", "mw": 5}, {"model": "town", "usd_per_mwh": 30}],
)


def outside_numbers(study: sd.Study) -> dict[str, RangedNumber]:
    return {
        item.key: item for item in ranged_numbers(study) if any(kind in OUTSIDE for kind, _ in item.entries)
    }


@pytest.mark.parametrize("end", ["low", "high"])
def test_a_number_from_outside_changes_as_if_the_library_had_it(
    monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """Each number of connection, tariff and surplus gives the very case that another library would give."""
    weather = weather_of(HUB)
    before = question(HUB, weather).case
    idle = []
    for key, item in outside_numbers(HUB).items():
        value = getattr(item, end)
        ((kind, name),) = item.entries
        original = getattr(library, kind)
        amended = original(name).replace(**{item.field: value})
        with monkeypatch.context() as patched:
            patched.setattr(library, kind, lambda n, m=name, a=amended, o=original: a if n == m else o(n))
            theirs = case_or_none(lambda: HUB.replace(), weather)
        mine = case_or_none(lambda item=item, value=value: with_value(HUB, item, value), weather)
        assert same(mine, theirs), key
        if value != item.value and mine is not None and same(mine, before):
            idle.append(item.field)
    # One year has no emergency and no long call, only the operator knows of a notice, and what is billed at
    # least is the bill's: the optimiser pays for all it has contracted
    rare = {"emergencies_per_yr", "emergency_h", "interruptions_per_yr", "interruption_h", "longest_event_h"}
    assert set(idle) <= rare | {"notice_minutes", "minimum_take_fraction", "ratchet_fraction"}


def case_or_none(study: Callable[[], sd.Study], weather: Weather) -> Case | None:
    """Case of a study; None where it cannot be, as with sale dearer than buying."""
    try:
        return question(study(), weather).case
    except sd.InputError:
        return None


def test_what_a_user_says_of_his_own_is_no_number_of_the_library() -> None:
    every = outside_numbers(HUB)
    assert {"flexible.connection_usd_per_kw", "ercot.energy_usd_per_mwh", "miner.usd_per_mwh"} <= every.keys()
    assert "town.usd_per_mwh" not in every  # both would be wrong: the user's is not the library's
    own = HUB.replace(
        grid={
            "model": "flexible",
            "tariff": 50,
            "mw": 20,
            "capital_usd_per_kw": 100,
            "curtailment": {"caps": [1.0] * 8760},
        },
        surplus=(),
    )
    left = outside_numbers(own)
    assert not any(key.startswith(("ercot", "miner", "town")) for key in left)
    assert "flexible.connection_usd_per_kw" not in left
    assert "flexible.heat_fraction" not in left
    assert "flexible.emergency_h" in left
    with pytest.raises(sd.InputError, match=r"flexible\.connection_usd_per_kw"):
        ranged_numbers(own, {"flexible.connection_usd_per_kw": (100, 500)})
