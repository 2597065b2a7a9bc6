"""Prices in levels: exact where they may be, as near as can be elsewhere, with the error that is said."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sitedesign.finance.price_levels import price_levels

SMALL = settings(max_examples=300, deadline=None)
few_prices = st.lists(st.floats(-20, 200).map(lambda value: round(value, 1)), min_size=1, max_size=9)


def least_error(value: np.ndarray, weight: np.ndarray, most: int) -> float:
    """Least weighted error of all partitions of sorted prices into intervals, tried one by one."""

    def error(first: int, end: int) -> float:
        mass = weight[first:end]
        if mass.sum() == 0:
            return 0.0
        mean = (mass * value[first:end]).sum() / mass.sum()
        return float((mass * np.abs(value[first:end] - mean)).sum())

    return min(
        sum(error(a, b) for a, b in itertools.pairwise((0, *cuts, len(value))))
        for count in range(min(most, len(value)))
        for cuts in itertools.combinations(range(1, len(value)), count)
    )


@SMALL
@given(few_prices, st.integers(1, 9), st.data())
def test_no_other_partition_is_nearer(prices: list[float], most: int, data: st.DataObject) -> None:
    size = len(prices)
    weight = np.array(data.draw(st.lists(st.integers(0, 4), min_size=size, max_size=size)), float)
    if weight.sum() == 0:
        return
    given_ = np.array(prices)
    found = price_levels(given_, most, weight)
    value, place = np.unique(np.maximum(given_, 0), return_inverse=True)
    mass = np.bincount(place, weight)
    error = np.abs(found.price - np.maximum(given_, 0))
    assert len(found.usd_per_mwh) <= most
    assert list(found.usd_per_mwh) == sorted(found.usd_per_mwh)
    assert (weight * error).sum() <= least_error(value, mass, most) + 1e-9
    assert found.largest_error_usd_per_mwh == pytest.approx(error.max(), abs=1e-9)
    assert found.mean_error_usd_per_mwh == pytest.approx(np.average(error, weights=weight), abs=1e-9)
    assert (weight * found.price).sum() == pytest.approx((weight * np.maximum(given_, 0)).sum(), abs=1e-6)


@SMALL
@given(few_prices)
def test_as_many_levels_as_prices_are_exact(prices: list[float]) -> None:
    given_ = np.array(prices)
    found = price_levels(given_, len({max(price, 0.0) for price in prices}))
    assert found.is_exact
    assert found.price.tolist() == np.maximum(given_, 0).tolist()
    assert found.taken_as_zero == int((given_ < 0).sum())


@pytest.mark.parametrize("most", [1, 2, 8, 40])
def test_many_years_of_prices_keep_their_money(most: int) -> None:
    rng = np.random.default_rng(0)
    price = np.exp(rng.normal(3.5, 1.0, (20, 8760)))
    load = rng.uniform(50, 100, price.shape)
    found = price_levels(price, most, load)
    assert len(found.usd_per_mwh) == most
    assert found.level.shape == price.shape
    assert (load * found.price).sum() == pytest.approx((load * price).sum(), rel=1e-9)
    assert np.abs(found.price - price).max() == pytest.approx(found.largest_error_usd_per_mwh)
    power = rng.uniform(0, 1, price.shape) * (found.price > price)
    moved = abs((power * (found.price - price)).sum() / 20)
    assert moved <= found.error_usd_per_mw_yr
    extreme = (found.price > price).astype(float)  # the worst that power of at most 1 MW can do
    assert abs((extreme * (found.price - price)).sum() / 20) <= found.error_usd_per_mw_yr * (1 + 1e-12)
    assert found.error_usd_per_mw_yr == pytest.approx(np.abs(found.price - price).sum() / 20)


def test_more_levels_are_never_further_off() -> None:
    price = np.random.default_rng(3).gamma(2, 20, 8760)
    errors = [price_levels(price, most).mean_error_usd_per_mwh for most in range(1, 12)]
    assert errors == sorted(errors, reverse=True)


def test_what_was_done_is_said() -> None:
    found = price_levels(np.array([-30.0, 0, 10, 20, 30]), 2)
    negative, levels = found.notes("prices")
    assert "1 steps with a price below zero, the lowest -30.00 USD/MWh, taken as 0" in negative
    assert "2 levels: off by at most" in levels
    assert price_levels(np.array([5.0, 7.0])).notes("prices") == ()
