"""What must be stored at a midnight for days to come: day by day, against every step of all of them."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sitedesign.case.plant import Plant
from sitedesign.operation.environment import OperatingEnvironment
from sitedesign.operation.forecast import Forecast, climatology
from sitedesign.operation.operate import prepared, room_for_results
from sitedesign.operation.policies import narrowed, need_before
from sitedesign.operation.state import Controller
from tests.test_operation import sunny_case


@numba.njit
def day_by_day(change, ends, full):
    low, high, first = 0.0, full, 0
    for last in ends:
        low, high = narrowed(change, first, last, low, high, full)
        first = last
    return low, high


@numba.njit
def through_all(change, need, low, high):
    return need_before(change, change.size, need, low, high)


def step_by_step(change: np.ndarray, need: float, full: float) -> float:
    for value in change[::-1]:
        need = min(max(need + value, 0.0), full)
    return need


@settings(deadline=None, max_examples=200)
@given(
    days=st.lists(st.lists(st.floats(-3.0, 3.0), min_size=1, max_size=6), min_size=1, max_size=5),
    full=st.sampled_from([0.5, 3.0, 7.3, 20.0]),
    share=st.floats(0.0, 1.0),
)
def test_needs_day_by_day_are_those_step_by_step_to_the_bit(days, full, share):
    change = np.concatenate([np.array(day) for day in days])
    low, high = day_by_day(change, np.cumsum([len(day) for day in days]), full)
    assert low == step_by_step(change, 0.0, full)
    assert high == step_by_step(change, full, full)
    need = share * full
    assert through_all(change, need, low, high) == step_by_step(change, need, full)


@pytest.mark.parametrize(("scale", "merged"), [(0.05, 0.0), (0.3, 0.5), (2.0, 1.0)])
def test_hundreds_of_steps_that_meet_no_limit_some_or_all(scale, merged):
    rng, equal = np.random.default_rng(0), []
    for _ in range(200):
        change, full = scale * rng.standard_normal(96), 5.0
        low, high = day_by_day(change, np.array([24, 48, 72, 96]), full)
        need = full * rng.random()
        assert through_all(change, need, low, high) == step_by_step(change, need, full)
        equal.append(low == high)
    assert np.mean(equal) == pytest.approx(merged, abs=0.3)


def need_of_every_step(run, day: int) -> float:
    """The same of a run that has ended on a day, of its cheapest units, through every step to the end."""
    p, tech, window = run.machine.plant[0], run.machine.tech[0], run.outlook.horizon.window
    lead_days, per_year = int(run.state.fleet.rule["lead_days"][0]), window.shape[1]
    days = np.arange(day + 1, day + lead_days + 1)
    factor = run.outlook.horizon.factor[0, min(day, run.outlook.horizon.factor.shape[1] - 1)]
    factor = np.repeat(factor[np.minimum(days - day, factor.size - 1)], 24)
    load, sun, able = window[:3, (24 * days[:, None] + np.arange(24)).ravel() % per_year]
    net = load - run.machine.resource["size_mw"][0] * factor * sun - tech["n_free"] * tech["firm_mw"] * able
    into, out = p["mwh_per_mw_charge"], p["mwh_per_mw_discharge"]
    change = np.clip(net * np.where(net > 0, out, into), -p["power_mw"] * into, p["power_mw"] * out)
    after = run.outlook.terminal_mwh[0, 24 * (day + lead_days + 1) % per_year]
    return step_by_step(change, min(after, p["capacity_mwh"]), p["capacity_mwh"])


@pytest.mark.parametrize("horizon_h", [24.0, 72.0, 96.0, 240.0])
def test_an_operator_keeps_what_days_to_come_ask_for(horizon_h):
    """At the end of runs cut short, all through two years and over their ends; half of all batteries vast."""
    case, needs = sunny_case(2, 3, spread=0.6), []
    environment = OperatingEnvironment(climatology(case), forecast=Forecast(horizon_h=horizon_h))
    for days in (*range(5, 730, 90), 361, 365, 367, 728, 730):
        for battery_mwh in (120.0, 2000.0):
            plant = Plant((40.0,), battery_mwh, 14.0, (1, 1), 10)
            run = prepared(case, plant, Controller(), environment)
            cut = {
                "load_mw": run.inputs.load_mw[: 24 * days],
                "usable": run.inputs.usable[: 24 * days],
                "yields": run.inputs.yields[:, : 24 * days],
                "capability": run.inputs.capability[:, : 24 * days],
            }
            run._replace(inputs=run.inputs._replace(**cut)).simulate(room_for_results(case, record=False))
            assert run.machine.plant["midnight_day"][0] == days - 1
            needs.append(run.plan.midnight_mwh[0] / battery_mwh)
            expected = need_of_every_step(run, days - 1)
            assert run.plan.midnight_mwh[0] == pytest.approx(expected, rel=1e-12, abs=1e-9)
    assert len(set(needs)) > 6
