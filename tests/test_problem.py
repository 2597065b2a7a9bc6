"""The hour-by-hour model against pencil, enumeration, an independent replay and its own logic."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable

import numpy as np
import pyomo.environ as pyo
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sitedesign.case.case import Case
from sitedesign.case.plant import Plant, available_mw, land_acres
from sitedesign.case.rack_shortfall import expected_shortfall
from sitedesign.case.years import with_series
from sitedesign.errors import InfeasibleDesign, NotProvenOptimal
from sitedesign.optimize.branch_and_bound import branch_and_bound
from sitedesign.optimize.extensive_form import build_model, solve_extensive
from sitedesign.optimize.highs import PersistentHighs, SolveReport, Status, solve_once
from sitedesign.optimize.primal_recovery import annual_cost_usd
from sitedesign.optimize.result import OptimizationResult
from tests.cases import case, sunny_years, year_case
from tests.hand_cases import HAND_CASES, Hand, engines, night
from tests.strategies import small_cases

GAP = 1e-6
random_cases = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def solved(c: Case) -> OptimizationResult:
    """Solve to a tight gap; cases that cannot be met are passed over."""
    try:
        return solve_extensive(c, gap=GAP, explain_infeasible=False)
    except InfeasibleDesign:
        assume(False)
        raise


def cost_or_inf(c: Case) -> float:
    try:
        return solve_extensive(c, gap=GAP, explain_infeasible=False).objective_usd_per_yr
    except InfeasibleDesign:
        return math.inf


def check(c: Case, s: OptimizationResult) -> None:
    """Certify a sizing with nothing but arithmetic: every equation of the model, written a second time."""
    d, p, lim = s.dispatch, s.plant, c.limits
    assert d is not None
    scale = max(c.load_mw.max(), p.solar_mw, p.battery_mwh, 1.0)
    tol = 1e-6 * scale
    balance = available_mw(c, p) - d.curtailed_mw + d.discharge_mw - d.charge_mw + d.backup_mw.sum(axis=0)
    assert balance + d.shed_mw == pytest.approx(c.load_mw, abs=tol)
    before = np.concatenate([[p.battery_mwh * c.usable[0]], d.stored_mwh[:-1]])
    flow = c.step_h * (c.eta_charge * d.charge_mw - d.discharge_mw / c.eta_discharge)
    assert d.stored_mwh == pytest.approx(before + flow, abs=tol)
    assert d.stored_mwh[-1] == pytest.approx(p.battery_mwh * c.usable[-1], abs=tol)
    assert (d.stored_mwh <= p.battery_mwh * c.usable + tol).all()
    assert (d.curtailed_mw <= available_mw(c, p) + d.discharge_mw + d.backup_mw.sum(axis=0) + tol).all()
    assert (np.maximum(d.charge_mw, d.discharge_mw) <= p.battery_mw + tol).all()
    assert (np.minimum(d.charge_mw, d.discharge_mw) == 0).all()
    for series in (d.curtailed_mw, d.charge_mw, d.discharge_mw, d.shed_mw, d.stored_mwh, d.backup_mw):
        assert series.min(initial=0.0) >= -tol
    for k, tech in enumerate(c.backup):
        assert tech.units_min <= p.units[k] <= tech.units_max
        rows = [tech.capability[min(i, len(tech.capability) - 1)] for i in range(p.units[k])]
        assert (d.backup_mw[k] <= tech.unit_mw * sum(rows, np.zeros(c.steps)) + tol).all()
        if lim.months_to_power is not None and p.units[k]:
            assert tech.lead_months <= lim.months_to_power
    lost_mwh = float((d.lost_compute * c.load_mw).sum()) * c.step_h / c.years
    short = float(expected_shortfall(c.racks_contracted, p.racks, c.rack_availability))
    assert lost_mwh == pytest.approx(s.lost_mwh_per_yr, abs=1e-9 * scale)
    assert lost_mwh / c.load_mwh_per_yr + short <= 1 - c.uptime_target + 1e-6
    energy = d.backup_mw.sum(axis=1) * c.step_h / c.years
    assert energy == pytest.approx(np.array(s.backup_mwh_per_yr), abs=1e-9 * scale)
    if lim.min_renewable_share is not None:
        assert energy.sum() <= (1 - lim.min_renewable_share) * c.load_mwh_per_yr + tol
    if lim.max_co2_t_per_yr is not None:
        assert (
            sum(t.co2_t_per_mwh * f for t, f in zip(c.backup, energy, strict=True))
            <= lim.max_co2_t_per_yr + tol
        )
    if lim.land_acres is not None:
        assert land_acres(c, p) <= lim.land_acres + tol
    if lim.min_duration_h is not None:
        assert p.battery_mwh >= lim.min_duration_h * p.battery_mw - tol
    if lim.max_duration_h is not None:
        assert p.battery_mwh <= lim.max_duration_h * p.battery_mw + tol
    assert annual_cost_usd(c, p, s.backup_mwh_per_yr, s.lost_mwh_per_yr) == pytest.approx(
        s.objective_usd_per_yr, rel=1e-9
    )
    assert s.bound_usd_per_yr <= s.objective_usd_per_yr
    assert s.gap <= 1.01 * GAP + 1e-6


# ---------------------------------------------------------------------- pencil


@pytest.mark.parametrize("make", HAND_CASES, ids=lambda make: make.__name__)
def test_plants_solved_by_hand(make: Callable[[], Hand]) -> None:
    hand = make()
    s = solve_extensive(hand.case, gap=GAP)
    assert s.objective_usd_per_yr == pytest.approx(hand.cost_usd, rel=1e-6)
    assert s.plant.units == hand.plant.units
    assert s.plant.racks == hand.plant.racks
    sizes = (s.plant.solar_mw, s.plant.battery_mwh, s.plant.battery_mw)
    assert sizes == pytest.approx(
        (hand.plant.solar_mw, hand.plant.battery_mwh, hand.plant.battery_mw), abs=1e-5
    )
    assert s.method == "extensive"
    assert s.stopped_by == "gap"
    check(hand.case, s)


def test_value_of_the_linear_relaxation_is_pinned() -> None:
    hand = engines()
    s = solve_extensive(hand.case, relax_integers=True)
    assert s.objective_usd_per_yr == pytest.approx(hand.relaxed_usd, rel=1e-9)
    assert s.plant.units == (3,)


def test_relaxation_of_random_weather_is_pinned() -> None:
    """A weaker formulation (a lost chord, a looser link) moves this value; found once, to be kept."""
    c = year_case()
    first = slice(0, 14 * 24)
    c = with_series(
        c.with_resource(annual_cost_usd_per_mw=3e3), lambda series: series[first],
        battery_cost_usd_per_mwh_yr=8e2, battery_cost_usd_per_mw_yr=5e2, delay_cost_usd_per_month_yr=1e4,
    )  # fmt: skip
    s = solve_extensive(c, relax_integers=True)
    assert s.objective_usd_per_yr == pytest.approx(8095219.770, rel=1e-7)


def test_price_of_uptime_by_hand() -> None:
    """In the dark, one more lost MWh a year saves exactly its fuel; the number of units stays."""
    hand = engines()
    s = solve_extensive(dataclasses.replace(hand.case, uptime_target=0.99), gap=GAP)
    assert s.uptime_price_usd_per_mwh == pytest.approx(60.0, rel=1e-6)


def test_price_of_uptime_is_the_slope_of_cost() -> None:
    """Without integers the price predicts what a slightly lower target saves."""
    c = dataclasses.replace(night().case, uptime_target=0.9)
    s = solve_extensive(c, gap=GAP)
    lost = 0.001 * c.load_mwh_per_yr
    lower = solve_extensive(dataclasses.replace(c, uptime_target=0.899), gap=GAP)
    saved = s.objective_usd_per_yr - lower.objective_usd_per_yr
    assert s.uptime_price_usd_per_mwh * lost == pytest.approx(saved, rel=1e-4)


# ---------------------------------------------------------------------- certificate and enumeration


@random_cases
@given(small_cases())
def test_every_answer_survives_a_replay_by_plain_arithmetic(c: Case) -> None:
    check(c, solved(c))


@settings(random_cases, max_examples=12)
@given(small_cases())
def test_brute_force_over_units_and_racks(c: Case) -> None:
    best = math.inf
    counts = [range(b.units_min, b.units_max + 1) for b in c.backup]
    for *units, racks in itertools.product(*counts, range(c.racks_contracted, c.racks_max + 1)):
        m = build_model(c)
        for k, n in zip(m.technology, units, strict=True):
            if n > m.units[k].ub:
                break
            m.units[k].fix(n)
        else:
            m.racks.fix(racks)
            report = solve_once(m, gap=0.0)
            best = min(best, report.objective * 1e3)
    assert cost_or_inf(c) == pytest.approx(best, rel=1e-5)


def test_branch_and_bound_agrees_with_the_mixed_integer_solver() -> None:
    rng = np.random.Generator(np.random.PCG64(3))
    for _ in range(5):
        m = pyo.ConcreteModel()
        m.i = pyo.RangeSet(12)
        m.y = pyo.Var(m.i, domain=pyo.Integers, bounds=(0, 3))
        worth, size = rng.integers(5, 40, 13), rng.integers(3, 20, 13)
        m.room = pyo.Constraint(expr=sum(int(size[i]) * m.y[i] for i in m.i) >= 101)
        m.cost = pyo.Objective(expr=sum(int(worth[i]) * m.y[i] for i in m.i))
        whole = PersistentHighs(m).solve(gap=0.0)
        solver = PersistentHighs(m)
        told: list[float] = []
        result = branch_and_bound(
            solver,
            pyo.ComponentMap((m.y[i], float(worth[i])) for i in m.i),
            gap=0.0,
            news=lambda _s, _i, b, told=told: told.append(b),
        )
        assert result.report.objective == pytest.approx(whole.objective)
        assert result.report.bound == pytest.approx(whole.objective)
        assert all(b <= whole.objective + 1e-6 for b in told)  # a bound is a bound at every moment
        assert told == sorted(told)
        assert solver.values(m.y) == pytest.approx(result.integers)


@pytest.mark.parametrize("price", [0.4, 5.0])
def test_a_millionth_of_a_large_unit_is_no_answer_and_no_bound(price: float) -> None:
    """Half a millionth of the unit carries the load and counts as whole; bought or not, it costs far more."""
    m = pyo.ConcreteModel()
    m.unit = pyo.Var(domain=pyo.Integers, bounds=(0, 1))
    m.other = pyo.Var(bounds=(0, 1))
    m.balance = pyo.Constraint(expr=2e6 * m.unit + m.other >= 1.0)
    m.cost = pyo.Objective(expr=price * m.unit + m.other)
    solver = PersistentHighs(m)
    result = branch_and_bound(solver, pyo.ComponentMap([(m.unit, price)]), gap=1e-5)
    least = min(price, 1.0)
    assert result.report.objective == pytest.approx(least, rel=1e-9)
    assert result.report.bound == pytest.approx(least, rel=1e-5)
    assert solver.values([m.unit, m.other]) == pytest.approx([1.0, 0.0] if price < 1.0 else [0.0, 1.0])


def test_fixed_plant_is_dispatched_and_priced() -> None:
    hand = night()
    bigger = Plant((30.0,), 40.0, 20.0, (), 10)
    s = solve_extensive(hand.case, fixed=bigger)
    assert s.plant == bigger
    assert s.objective_usd_per_yr == pytest.approx(30 * 90e3 + 40 * 22e3 + 20 * 12e3)
    assert s.lost_mwh_per_yr == pytest.approx(0.0, abs=1e-6)


def test_fixed_plant_may_stand_outside_the_limits_of_the_search() -> None:
    hand = engines()
    s = solve_extensive(hand.case, fixed=Plant((5.0,), 2.0, 1.0, (25,), 12))
    assert s.plant.units == (25,)
    assert s.plant.racks == 12


# ---------------------------------------------------------------------- properties


@random_cases
@given(small_cases(), st.sampled_from([0.7, 0.85, 0.95]))
def test_higher_target_is_never_cheaper(c: Case, target: float) -> None:
    easier, harder = sorted([target, c.uptime_target])
    cost = cost_or_inf(dataclasses.replace(c, uptime_target=harder))
    assert cost_or_inf(dataclasses.replace(c, uptime_target=easier)) <= cost * (1 + 2 * GAP) + 1


@random_cases
@given(small_cases(), st.integers(0, 7))
def test_more_sun_is_never_dearer(c: Case, hour: int) -> None:
    sunnier = c.resources[0].yield_mw_per_mw.copy()
    sunnier[hour % c.steps] += 0.3
    cost = cost_or_inf(c.with_resource(yield_mw_per_mw=sunnier))
    assert cost <= cost_or_inf(c) * (1 + 2 * GAP) + 1


@random_cases
@given(small_cases(), st.sampled_from([1.3, 2.0, 5.0]))
def test_dearer_battery_never_buys_more_battery(c: Case, factor: float) -> None:
    """Revealed preference: each plant is at least as good at its own price, so (p' - p)(E' - E) <= gaps."""
    dear = dataclasses.replace(c, battery_cost_usd_per_mwh_yr=factor * c.battery_cost_usd_per_mwh_yr)
    now, then = solved(c), solved(dear)
    rise = dear.battery_cost_usd_per_mwh_yr - c.battery_cost_usd_per_mwh_yr
    slack = (now.objective_usd_per_yr - now.bound_usd_per_yr) + (
        then.objective_usd_per_yr - then.bound_usd_per_yr
    )
    assert rise * (then.plant.battery_mwh - now.plant.battery_mwh) <= slack + 1e-6 * then.objective_usd_per_yr


@settings(random_cases, max_examples=15)
@given(small_cases())
def test_half_the_step_on_a_held_profile_costs_the_same(c: Case) -> None:
    halved = dataclasses.replace(
        c.with_resource(yield_mw_per_mw=np.repeat(c.resources[0].yield_mw_per_mw, 2)),
        step_h=c.step_h / 2,
        load_mw=np.repeat(c.load_mw, 2),
        usable=np.repeat(c.usable, 2),
        backup=tuple(dataclasses.replace(b, capability=np.repeat(b.capability, 2, axis=1)) for b in c.backup),
    )
    # A battery may cycle within a step of the coarse grid for nothing, so fade needs its own, constant, case.
    flat = dataclasses.replace(c, usable=np.ones(c.steps))
    halved = dataclasses.replace(halved, usable=np.ones(halved.steps))
    coarse = cost_or_inf(flat)
    assert cost_or_inf(halved) == pytest.approx(coarse, rel=5 * GAP)


# ---------------------------------------------------------------------- limits


@pytest.mark.slow
def test_time_limit_without_a_design_carries_the_bound() -> None:
    with pytest.raises(NotProvenOptimal, match="found no design within its limit") as caught:
        solve_extensive(year_case(), time_limit_s=3.0)
    assert caught.value.incumbent is None
    assert 0 <= caught.value.bound_usd_per_yr < 70.6e6


def test_time_limit_with_a_design_returns_it_with_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the search right after its first design: it comes back, marked, with a bound below it."""
    c = next(c for c in (_crowded(seed) for seed in range(50)) if _nodes(c) > 6)
    best = solve_extensive(c, gap=0.0).objective_usd_per_yr
    plain = PersistentHighs.solve
    count = itertools.count()

    def out_of_time(self: PersistentHighs, **options: object) -> SolveReport:
        if options.get("time_limit_s") is not None and next(count) >= 5:
            return SolveReport(Status.TIME_LIMIT, math.inf, 0.0, 0.0, 0)
        return plain(self, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(PersistentHighs, "solve", out_of_time)
    s = solve_extensive(c, gap=0.0, time_limit_s=60.0)
    assert s.stopped_by == "time_limit"
    assert s.bound_usd_per_yr < best <= s.objective_usd_per_yr * (1 + 1e-9)
    assert s.gap > 0
    assert s.dispatch is not None


def _crowded(seed: int) -> Case:
    rng = np.random.Generator(np.random.PCG64(seed))
    return dataclasses.replace(
        case(
            rng.uniform(0, 1, 8),
            rng.uniform(10, 60, 8),
            racks_contracted=4,
            racks_max=9,
            rack_availability=0.9,
        ),
        uptime_target=0.97,
    )


def _nodes(c: Case) -> int:
    m = build_model(c)
    weights = pyo.ComponentMap(
        [(m.units["engine"], 800.0), (m.technology_used["engine"], 0.0), (m.racks, 500.0)]
    )
    return branch_and_bound(PersistentHighs(m), weights, gap=0.0).report.nodes


def test_progress_is_one_line_of_text_with_cost_and_bound() -> None:
    lines: list[str] = []
    solve_extensive(engines().case, progress=lines.append)
    assert lines
    assert "best 2.402 M USD/yr, bound 2.402 M USD/yr" in lines[-1]


def test_sun_of_the_helper_is_believable() -> None:
    sun = sunny_years(1, seed=0)
    daily = sun.reshape(365, 24).sum(axis=1)
    assert sun.mean() == pytest.approx(0.284, abs=0.01)
    assert daily.min() < 0.15 * daily.mean()
    assert (sunny_years(1, seed=0) == sun).all()
