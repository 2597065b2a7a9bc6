"""One language for figures."""

from __future__ import annotations

from math import nan

import pytest

from sitedesign.util.words import with_interval


@pytest.mark.parametrize(
    ("value", "error", "signed", "wanted"),
    [
        (1.5, 0.1, False, "1.50 (1.30 to 1.70)"),
        (-1.5, 0.1, True, "-1.50 (-1.70 to -1.30)"),
        (0.1, 0.1, True, "+0.10 (-0.10 to +0.30)"),
        (1234.5, None, False, "1,234.50"),
        (1.0, nan, True, "+1.00"),
    ],
)
def test_a_figure_with_its_interval(value, error, signed, wanted):
    assert with_interval(value, error, 2, signed=signed) == wanted
