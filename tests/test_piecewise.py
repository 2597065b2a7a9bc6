"""Straight lines in compiled code against numpy's interpolation, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from sitedesign.util.piecewise import piecewise


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_lines_are_those_of_numpy_to_the_last_bit(count: int) -> None:
    rng = np.random.default_rng(count)
    points, given = np.sort(rng.uniform(-20, 40, count)), rng.uniform(0, 2, count)
    values = rng.normal(10, 20, (30, 40))
    values[0, :count] = points  # and at the points themselves
    np.testing.assert_array_equal(piecewise(values, points, given), np.interp(values, points, given))
