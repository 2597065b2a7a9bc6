"""Expected rack shortfall against pencil and paper, enumeration, and its own shape."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sitedesign.case.rack_shortfall import (
    expected_shortfall,
    racks_needed,
    shortfall_chords,
    shortfall_curve,
    shortfall_plane_at,
    shortfall_planes,
)


def by_enumeration(k: int, r: int, a: float) -> float:
    terms = (max(k - n, 0) * math.comb(r, n) * a**n * (1 - a) ** (r - n) for n in range(r + 1))
    return math.fsum(terms) / k


def test_two_racks_by_hand() -> None:
    # K = 2, R = 2, a = 0.9: 2 x 0.01 + 1 x 0.18 = 0.2 racks of 2; R = 3: 2 x 0.001 + 1 x 0.027 = 0.029 of 2
    assert expected_shortfall(2, [2, 3], 0.9) == pytest.approx([0.1, 0.0145], rel=1e-12)


@pytest.mark.parametrize(("k", "a"), [(1, 0.5), (5, 0.9), (12, 0.97)])
def test_enumeration_of_all_states(k: int, a: float) -> None:
    counts = range(k, k + 6)
    assert expected_shortfall(k, counts, a) == pytest.approx(
        [by_enumeration(k, r, a) for r in counts], rel=1e-10
    )


def test_no_spares_lose_what_is_broken() -> None:
    assert expected_shortfall(700, 700, 0.99) == pytest.approx(0.01, rel=1e-10)


def test_racks_that_never_fail_need_no_spares() -> None:
    assert expected_shortfall(700, 700, 1.0) == 0.0
    assert racks_needed(700, 1.0, 1e-4) == 700


@pytest.mark.parametrize("downtime", [1e-2, 1e-3, 1e-4])
def test_racks_needed_is_the_first_count_that_is_enough(downtime: float) -> None:
    most = racks_needed(700, 0.985, downtime)
    at = expected_shortfall(700, [most - 1, most], 0.985)
    assert at[1] < 1e-3 * downtime <= at[0]
    assert 700 < most < 800


def test_chords_are_exact_at_whole_racks_and_below_between_neighbours() -> None:
    curve = shortfall_curve(700, 740, 0.985)
    value, slope = shortfall_chords(curve)
    spare = np.arange(curve.size)
    lines = value[:, None] + slope[:, None] * (spare[None, :] - np.arange(value.size)[:, None])
    assert lines.max(axis=0) == pytest.approx(curve, abs=1e-15)
    assert (np.diff(slope) >= -1e-15).all()
    assert (slope < 0).all()


@pytest.mark.parametrize(
    ("k", "last", "a"), [(2, 7, 0.9), (700, 740, 0.985), (60, 200, 0.5), (5, 8, 1.0), (5, 8, 0.0)]
)
def test_a_curve_from_its_end_has_every_digit_of_its_points(k: int, last: int, a: float) -> None:
    every = expected_shortfall(k, np.arange(k, last + 1), a)
    assert shortfall_curve(k, last, a) == pytest.approx(every, rel=1e-13, abs=0.0)


def test_single_count_has_a_level_chord() -> None:
    value, slope = shortfall_chords(shortfall_curve(3, 3, 0.9))
    assert value == pytest.approx([0.1])
    assert slope.tolist() == [0.0]


def test_impossible_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="no number of racks"):
        racks_needed(10, 0.9, 0.0)
    with pytest.raises(ValueError, match="no number of racks"):
        racks_needed(10, 0.0, 0.1)
    with pytest.raises(ValueError, match="availability in"):
        expected_shortfall(10, 10, 1.5)


@pytest.mark.parametrize(("least", "most"), [(0, 30), (1, 30), (24, 30), (30, 30)])
def test_planes_lie_below_what_any_racks_of_the_range_miss_the_closer_the_narrower(
    least: int, most: int
) -> None:
    planes = np.array(shortfall_planes(least, most, 60, 0.95))
    loose = np.array(shortfall_planes(0, most, 60, 0.95))
    for running in range(max(least, 1), most + 1):
        installed = np.arange(running, 61)
        missing = running * expected_shortfall(running, installed, 0.95)
        columns = np.vstack([np.ones(installed.size), np.full(installed.size, running), installed])
        closest, usual = (planes @ columns).max(axis=0), (loose @ columns).max(axis=0)
        assert (closest <= missing + 1e-12).all()
        if least == most:
            assert closest[:10] == pytest.approx(missing[:10], abs=1e-9)
        elif least > 20 and running < most - 1:
            assert (closest >= usual - 1e-12).all()


def test_a_plane_at_a_number_of_racks_touches_it_and_lies_below_all_others() -> None:
    for at in ((26, 28), (24, 26), (30, 36)):
        plane = shortfall_plane_at(at, 24, 30, 60, 0.95)
        assert plane is not None
        a, b, c = plane
        for running in range(24, 31):
            installed = np.arange(running, 61)
            missing = running * expected_shortfall(running, installed, 0.95)
            assert (a + b * running + c * installed <= missing + 1e-9).all()
        exact = at[0] * float(expected_shortfall(at[0], at[1], 0.95))
        assert a + b * at[0] + c * at[1] == pytest.approx(exact, rel=0.02)
    assert shortfall_plane_at((26, 28), 0, 30, 60, 0.95) is None
    assert shortfall_plane_at((26, 28), 27, 30, 60, 0.95) is None
