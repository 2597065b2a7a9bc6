"""What must be stored at a midnight for days to come: day by day, against every step of all of them."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sitedesign.operation.policies import narrowed, need_before


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
