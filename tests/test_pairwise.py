"""Sums of compiled code against numpy's, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from sitedesign.util.pairwise import pairwise_sum


@pytest.mark.parametrize("count", [0, 1, 7, 8, 23, 24, 48, 96, 128, 129, 144, 288, 1001])
def test_a_sum_is_that_of_numpy_to_the_last_bit(count: int) -> None:
    rows = np.random.default_rng(count).standard_normal((200, count)) * 1e3
    np.testing.assert_array_equal([pairwise_sum(row) for row in rows], rows.sum(axis=1))
