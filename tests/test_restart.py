"""Racks that were off start again: hand-computed losses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sitedesign.case.case import ClassShare, Tier
from sitedesign.operation.rack_restart import Restart, add_restart_loss
from sitedesign.reliability.metrics import lost_by_year
from tests.hand_cases import night

RESTART = Restart(planned_h=0.2, unplanned_h=0.5)


def _case(load, **changes):
    case = night().case
    ones = np.ones(len(load))
    case = replace(case.with_resource(yield_mw_per_mw=ones), usable=ones)
    return replace(case, load_mw=np.array(load), step_h=1.0, years=1, backup=(), **changes)


def _restart_loss(case, shed):
    lost = np.zeros((len(case.classes), case.steps))
    add_restart_loss(case, np.array(shed), RESTART, lost)
    return lost


def test_trip_out_of_full_power_costs_the_long_restart():
    case = _case([10.0] * 5, tiers=(Tier(1.0, 1.0),))
    lost = _restart_loss(case, [0.0, 4.0, 4.0, 0.0, 0.0])
    assert lost.tolist() == [[0.0, 0.0, 0.0, 0.4 * 0.5, 0.0]]


def test_racks_shed_after_warning_start_sooner_and_in_proportion():
    case = _case([10.0] * 5, tiers=(Tier(1.0, 1.0),))
    # 2 MW trip, 2 more go off in good time; half of all come back, then the rest
    lost = _restart_loss(case, [0.0, 2.0, 4.0, 2.0, 0.0])
    assert lost[0] == pytest.approx([0.0, 0.0, 0.0, 0.2 * 0.35, 0.2 * 0.35])


def test_restarts_add_to_what_is_lost_already():
    case = _case([10.0] * 4, tiers=(Tier(1.0, 1.0),))
    shed = np.array([0.0, 4.0, 2.0, 0.0])
    lost = np.array([[0.0, 0.4, 0.2, 0.0]])
    add_restart_loss(case, shed, RESTART, lost)
    assert lost[0] == pytest.approx([0.0, 0.4, 0.2 + 0.2 * 0.5, 0.2 * 0.5])


def test_throttling_needs_no_restart():
    case = _case([10.0] * 4, tiers=(Tier(0.4, 0.5), Tier(0.6, 0.8 / 0.6)))
    assert not _restart_loss(case, [0.0, 4.0, 4.0, 0.0]).any()
    lost = _restart_loss(case, [0.0, 4.0, 7.0, 0.0])
    assert lost[0] == pytest.approx([0.0, 0.0, 0.0, 0.5 * 0.2])  # half of the racks off, with warning


def test_short_steps_count_the_same_hours():
    case = replace(_case([10.0] * 5, tiers=(Tier(1.0, 1.0),)), step_h=0.25)
    lost = _restart_loss(case, [0.0, 4.0, 4.0, 0.0, 0.0])
    assert lost.sum() * 0.25 == pytest.approx(0.4 * 0.5)


def test_classes_lose_and_restart_apart():
    classes = (ClassShare("training", 0.75, 0.9), ClassShare("inference", 0.25, 0.99))
    case = _case([10.0] * 4, tiers=(Tier(0.75, 1.0, 0), Tier(0.25, 1.0, 1)), load_classes=classes)
    lost = _restart_loss(case, [0.0, 8.0, 0.0, 0.0])
    assert lost[0] == pytest.approx([0.0, 0.0, 0.75 * 0.5, 0.0])
    assert lost[1] == pytest.approx([0.0, 0.0, 0.05 * 0.5, 0.0])


def test_lost_by_year_by_hand():
    classes = (ClassShare("training", 0.75, 0.9), ClassShare("inference", 0.25, 0.99))
    case = _case(
        [10.0, 10.0, 20.0, 20.0], tiers=(Tier(0.75, 1.0, 0), Tier(0.25, 1.0, 1)), load_classes=classes
    )
    case = replace(case, years=2)
    shed = np.array([8.0, 0.0, 0.0, 1.0])
    by_class = np.array([[0.75, 0.0, 0.0, 0.05], [0.05, 0.0, 0.0, 0.0]])
    assert lost_by_year(case, shed, by_class, "rack") == pytest.approx(
        np.array([[7.5 / 15, 1.0 / 30], [0.5 / 5, 0.0]])
    )
    assert lost_by_year(case, shed, by_class, "site").tolist() == [[0.5, 0.5]] * 2
    assert lost_by_year(case, shed, by_class, "floor").tolist() == [[0.5, 0.0]] * 2
