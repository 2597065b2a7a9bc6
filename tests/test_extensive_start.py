"""The hour-by-hour model with a plant to try first: known early, and nothing owed to it."""

from __future__ import annotations

import dataclasses

import pytest

from sitedesign.errors import InfeasibleDesign, NotProvenOptimal
from sitedesign.foresight import plan
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.extensive_form import solve_extensive
from sitedesign.util.progress import silent
from tests.hub_cases import hub
from tests.small_cases import study


def test_a_start_changes_no_answer() -> None:
    compared = 0
    for seed in range(24):
        case = hub(seed, steps=6) if seed % 2 else study(seed)
        try:
            found = solve_extensive(case, gap=1e-6, explain_infeasible=False)
        except InfeasibleDesign:
            continue
        most = dataclasses.replace(found.plant, units=tuple(item.units_max for item in case.backup))
        outside = dataclasses.replace(found.plant, racks=case.racks_max + 1)
        for start in (found.plant, most, outside):
            again = solve_extensive(case, gap=1e-6, start=start, explain_infeasible=False)
            assert again.objective_usd_per_yr == pytest.approx(found.objective_usd_per_yr, rel=3e-6, abs=1e-3)
            rounding = 1e-9 * abs(found.objective_usd_per_yr) + 1e-6
            assert again.bound_usd_per_yr <= found.objective_usd_per_yr + rounding
        compared += 1
    assert compared >= 12


def test_when_time_runs_out_the_plant_of_the_fast_method_is_what_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = study(3)
    fast = solve_cuts(case)

    def out_of_time(*_: object, **asked: object) -> None:
        assert asked["start"] == fast.plant
        raise NotProvenOptimal("no design yet", None, 0.5 * fast.objective_usd_per_yr)

    monkeypatch.setattr(plan, "solve_extensive", out_of_time)
    found = plan._size(case, None, 1e-4, 60.0, silent)
    assert (found.method, found.stopped_by) == ("extensive", "time_limit")
    assert found.plant == fast.plant
    assert found.bound_usd_per_yr == 0.5 * fast.objective_usd_per_yr
    assert found.dispatch is not None
