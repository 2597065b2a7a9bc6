"""Few of many by chance: as likely as they are large, and without bias."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitedesign.certified.unequal_sample import unequal_sample

EVERY_START = np.linspace(0.0, 1.0, 2001)[:-1] + 1 / 4001


def test_chances_by_hand() -> None:
    """Of sizes 6, 1, 1, 1, 1 two are drawn: the first is certain, of the others one, each a time in four."""
    size, seen = np.array([1.0, 6.0, 1.0, 1.0, 1.0]), np.zeros(5)
    for start in EVERY_START:
        chosen, weight = unequal_sample(size, 2, start)
        seen[chosen] += 1
        np.testing.assert_array_equal(weight[chosen == 1], [1.0])
        np.testing.assert_array_equal(weight[chosen != 1], [4.0])
    np.testing.assert_allclose(seen / EVERY_START.size, [0.25, 1.0, 0.25, 0.25, 0.25], atol=1e-3)


def test_all_are_taken_where_there_are_no_more() -> None:
    for count in (3, 20):
        chosen, weight = unequal_sample(np.array([1.0, 5.0, 2.0]), count, 0.7)
        np.testing.assert_array_equal(chosen, [0, 1, 2])
        np.testing.assert_array_equal(weight, [1.0, 1.0, 1.0])


@given(
    size=st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=60),
    count=st.integers(1, 70),
    start=st.floats(0.0, 1.0, exclude_max=True),
)
def test_as_many_as_asked_each_once_and_the_total_of_the_sizes_is_known(
    size: list[float], count: int, start: float
) -> None:
    of_all = np.array(size)
    chosen, weight = unequal_sample(of_all, count, start)
    assert chosen.size == min(count, of_all.size)
    assert (np.diff(chosen) > 0).all()
    assert (weight >= 1.0).all()
    assert (of_all[chosen] * weight).sum() == pytest.approx(of_all.sum())


def test_sums_are_estimated_without_bias() -> None:
    rng = np.random.default_rng(5)
    size = rng.exponential(1.0, 200) ** 2 + 0.5
    other = size * rng.uniform(0.8, 1.2, 200) + rng.uniform(0.0, 0.2, 200)
    found = []
    for start in EVERY_START:
        chosen, weight = unequal_sample(size, 15, start)
        found.append((other[chosen] * weight).sum())
    assert np.mean(found) == pytest.approx(other.sum(), rel=1e-3)
    even = [other[rng.permutation(200)[:15]].sum() * 200 / 15 for _ in range(2000)]
    assert np.std(found) < 0.2 * np.std(even)
