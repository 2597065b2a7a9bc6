"""The budget that a share of steps implies: by hand, and never above what any such plant needs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sitedesign.case.case import Tier
from sitedesign.case.dispatch import Dispatch
from sitedesign.case.plant import Plant
from sitedesign.case.relaxation import FORESIGHT, relaxation
from sitedesign.operation.operate import operate_greedy
from sitedesign.optimize.benders import solve_cuts
from sitedesign.reliability.replay import fixed_cost_usd_per_yr
from tests.cases import backup, case

LOADS = [10.0, 31.0, 20.0, 41.0]
ABOVE_FLOOR = (Tier(0.4, 0.5), Tier(0.6, 0.8 / 0.6))


def _case(metric: str, target: float):
    tiers = ABOVE_FLOOR if metric == "floor" else (Tier(1.0, 1.0),)
    return case(
        [0.0] * 4, LOADS, backup=(backup(4, units_max=5),), tiers=tiers, uptime_target=target,
        limits={"battery_mwh": (0.0, 0.0), "battery_mw": (0.0, 0.0), "solar_mw": (0.0, 0.0)},
    )  # fmt: skip


def test_linear_metrics_stay_as_they_are() -> None:
    asked = _case("rack", 0.9)
    assert relaxation(asked, "rack").case is asked
    assert relaxation(asked, "compute").name == FORESIGHT


def test_two_of_four_steps_may_be_short() -> None:
    relaxed = relaxation(_case("site", 0.5), "site")
    assert relaxed.case.uptime_target == pytest.approx(1 - 72 / 102)
    assert relaxed.case.rack_availability == 1.0
    assert "relaxed" in relaxed.name


def test_a_part_of_a_step_is_no_step() -> None:
    assert relaxation(_case("site", 0.8), "site").case.uptime_target == 1.0


@pytest.mark.parametrize("metric", ["site", "floor"])
@pytest.mark.parametrize("target", [0.25, 0.5, 0.75])
def test_bound_is_below_every_plant_that_keeps_the_metric(metric: str, target: float) -> None:
    asked = _case(metric, target)
    bound = solve_cuts(relaxation(asked, metric).case, gap=1e-6).bound_usd_per_yr
    enough = LOADS if metric == "site" else [0.6 * load for load in LOADS]
    price = asked.backup[0].marginal_cost_usd_per_mwh * asked.step_h / asked.years
    costs = []
    for units in range(6):
        kept = sorted(load for load in enough if load <= 10.0 * units + 1e-9)
        if len(kept) >= target * len(LOADS):
            # The cheapest way to keep the metric serves the least loads that suffice and nothing else
            served = sum(kept[: int(np.ceil(target * len(LOADS)))])
            fixed = fixed_cost_usd_per_yr(asked, Plant((0.0,), 0.0, 0.0, (units,), asked.racks_contracted))
            costs.append(fixed + price * served)
    assert bound <= min(costs) * (1 + 1e-9)
    assert bound >= 0.3 * min(costs)  # and says something


def test_dispatch_of_a_floor_is_restored() -> None:
    asked = _case("floor", 0.5)
    relaxed = relaxation(asked, "floor")
    plant = Plant((0.0,), 0.0, 0.0, (1,), asked.racks_contracted)
    dispatch = relaxed.restored(operate_greedy(relaxed.case, plant))
    assert isinstance(dispatch, Dispatch)
    assert dispatch.shed_mw + dispatch.backup_mw.sum(axis=0) == pytest.approx(asked.load_mw)
    assert dispatch.lost_compute[0] == pytest.approx(0.2)  # 6 of 10 MW, all above the floor is shed
    same = relaxation(replace(asked, tiers=(Tier(1.0, 1.0),)), "site")
    assert same.restored(dispatch) is dispatch
