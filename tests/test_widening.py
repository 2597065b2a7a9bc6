"""Derived bounds never decide: the answer is that of a wide explicit limit, whatever else is limited.

Yardsticks are the same case with wide bounds that are given, so that nothing is widened, and a second
formulation of the whole problem (:mod:`tests.independent_milp`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import math

import numpy as np
import pytest

import sitedesign as sd
from sitedesign.case import capacity_bounds
from sitedesign.case.build import build_case
from sitedesign.case.case import Case
from sitedesign.case.limits import CaseLimits
from sitedesign.case.relaxation import relaxation
from sitedesign.case.years import cyclic_start_step, shift_start
from sitedesign.errors import InfeasibleDesign, NotProvenOptimal
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.extensive_form import solve_extensive
from sitedesign.optimize.widening import unbound
from tests import cases
from tests.hand_cases import night
from tests.independent_milp import least_cost_usd
from tests.slow_rest import slow_after
from tests.small_cases import METHODS, study

WIDE = ((0.0, 2e4), (0.0, 2e4), (0.0, 2e4))


def limited(seed: int) -> tuple[Case, Case]:
    """A small case with a pair of limits and derived bounds, and the same with wide bounds that are given."""
    rng, case = np.random.default_rng(500 + seed), study(seed, usable=None)
    case = dataclasses.replace(case, usable=np.full(case.steps, 0.9))
    load = case.load_mwh_per_yr / (case.steps * case.step_h)
    some = {
        "solar_mw": (0.0, float(rng.choice([2, 4, 30])) * load),
        "solar_fixed": (float(rng.choice([2, 4])) * load,) * 2,
        "battery_mwh": (0.0, float(rng.choice([2, 6])) * load),
        "energy_fixed": (float(rng.choice([3, 12, 40])) * load,) * 2,
        "battery_mw": (0.0, float(rng.choice([0.5, 1.0])) * load),
        "power_fixed": (float(rng.choice([1, 3])) * load,) * 2,
        "hours": (float(rng.choice([0.5, 1.0])), float(rng.choice([1.0, 2.0, 4.0]))),
        "share": float(rng.choice([0.5, 0.9, 1.0])),
        "co2": 0.05 * case.load_mwh_per_yr,
        "land": float(rng.choice([100.0, 400.0])),
        "units": int(rng.integers(0, 2)),
        "months": float(rng.choice([10.0, 20.0])),
    }
    asked = dict.fromkeys(["solar_mw", "battery_mwh", "battery_mw"])
    other: dict[str, float | None] = dict.fromkeys(
        ["land_acres", "min_renewable_share", "max_co2_t_per_yr", "months_to_power", "max_duration_h"]
    ) | {"min_duration_h": 0.1}
    for name in rng.choice(sorted(some), 2, replace=False).tolist():
        value = some[name]
        match name:
            case "solar_mw" | "solar_fixed":
                asked["solar_mw"] = value
            case "battery_mwh" | "energy_fixed":
                asked["battery_mwh"] = value
            case "battery_mw" | "power_fixed":
                asked["battery_mw"] = value
            case "hours":
                other |= {"min_duration_h": value[0], "max_duration_h": value[1]}
            case "units":
                case_units = tuple(dataclasses.replace(b, units_max=value) for b in case.backup)
                case = dataclasses.replace(case, backup=case_units)
            case _:
                limit = {"share": "min_renewable_share", "co2": "max_co2_t_per_yr", "land": "land_acres",
                         "months": "months_to_power"}[name]  # fmt: skip
                other[limit] = value
    derived = capacity_bounds.capacity_bounds(
        case.resources[0].yield_mw_per_mw, case.load_mw, case.step_h, 0.9, min(case.eta_charge, 0.95)
    )
    upper = (derived.solar_mw, derived.battery_mwh, derived.battery_mw)
    within = [capacity_bounds.within(most, pair) for most, pair in zip(upper, asked.values(), strict=True)]
    (solar, *battery), (widest_solar, *widest) = zip(*within, strict=True)
    given = tuple(pair or wide for pair, wide in zip(asked.values(), WIDE, strict=True))
    delay = float(rng.choice([0.0, 0.0, 50.0]))
    case = dataclasses.replace(case.with_resource(lead_months=14.0), delay_cost_usd_per_month_yr=delay)
    return (
        dataclasses.replace(
            case.with_resource(bounds_mw=solar, widest_mw=widest_solar),
            limits=CaseLimits(*battery, **other, widest=tuple(widest)),
        ),
        dataclasses.replace(case.with_resource(bounds_mw=given[0]), limits=CaseLimits(*given[1:], **other)),
    )


# Derived bounds alone would refuse these, or make them dearer
DECIDED = (1014, 1032, 1072, 1075, 1156, 1198, 1202, 1204, 1232, 1239, 1309, 1335, 1369)


def test_derived_bounds_would_have_decided() -> None:
    """Otherwise the test below would say nothing."""
    for seed in DECIDED:
        derived, wide = limited(seed)
        held = cases.limited(derived.with_resource(widest_mw=None), widest=None)
        truth, cost = least_cost_usd(wide), math.inf
        with contextlib.suppress(InfeasibleDesign):
            cost = METHODS["cuts"](held).objective_usd_per_yr
        assert truth is not None
        assert cost > truth * 1.0001


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", slow_after(len(DECIDED) + 2, [*DECIDED, *range(20)]))
def test_pairs_of_limits_cost_what_they_cost_with_wide_bounds(seed: int, method: str) -> None:
    derived, wide = limited(seed)
    truth = least_cost_usd(wide)
    if truth is None:
        with pytest.raises(InfeasibleDesign):
            METHODS[method](derived)
        return
    found = METHODS[method](derived)
    assert found.objective_usd_per_yr == pytest.approx(truth, rel=3e-5)
    assert found.bound_usd_per_yr <= truth * (1 + 1e-6)


# By hand ----------------------------------------------------------------------------------------------------


def tight_night(**changes: object) -> Case:
    """The night, which needs 22.5 MW and 25 MWh, with derived bounds of which one is too low."""
    limits = CaseLimits((0.0, 1000.0), (0.0, 1000.0), widest=(math.inf, 1000.0))
    solar = {"bounds_mw": (0.0, 10.0), "widest_mw": math.inf} | changes
    return dataclasses.replace(night().case.with_resource(**solar), limits=limits)


@pytest.mark.parametrize("method", METHODS)
def test_a_derived_bound_gives_way_and_a_given_one_does_not(method: str) -> None:
    found = METHODS[method](tight_night())
    assert found.objective_usd_per_yr == pytest.approx(night().cost_usd, rel=1e-6)
    assert METHODS[method](tight_night(widest_mw=22.6)).plant.solar_mw == pytest.approx(22.5)
    for given in (10.0, None):
        with pytest.raises(InfeasibleDesign):
            METHODS[method](tight_night(widest_mw=given))


@pytest.mark.parametrize("method", METHODS)
def test_months_count_after_widening(method: str) -> None:
    case = dataclasses.replace(tight_night(), delay_cost_usd_per_month_yr=1e5)
    assert METHODS[method](case).objective_usd_per_yr == pytest.approx(night().cost_usd + 12e5, rel=1e-6)


def test_what_is_proven_before_time_is_up_counts_plants_beyond_the_bounds() -> None:
    """A first answer of 5 MUSD/yr does not speak of arrays above 10 MW, which cost 0.9 MUSD/yr at least."""
    case = tight_night()
    known = dataclasses.replace(METHODS["cuts"](tight_night(bounds_mw=(0.0, 30.0))), objective_usd_per_yr=5e6,
                                bound_usd_per_yr=4.9e6)  # fmt: skip

    def solve(bounded: Case, plant: object) -> object:
        if plant is None:
            return known
        message = "stopped by the time limit"
        raise NotProvenOptimal(message, None, 4.95e6)

    found = unbound(case, solve)
    assert found.objective_usd_per_yr == 5e6
    assert found.bound_usd_per_yr == pytest.approx(10 * 90e3)
    assert found.stopped_by == "time_limit"


def test_message_names_what_was_given_and_calls_the_rest_any_amount() -> None:
    case = cases.limited(tight_night(), battery_mw=(0.0, 5.0), widest=(math.inf, 5.0))
    with pytest.raises(InfeasibleDesign) as caught:
        solve_extensive(case)
    words = str(caught.value)
    assert "(any amount of solar, any amount of battery, at most 0 MW of backup)" in words
    assert {relaxation.limit for relaxation in caught.value.relaxations} == {"uptime", "battery_mw"}


# Whole studies ----------------------------------------------------------------------------------------------

EL_PASO = sd.Site(latitude=31.76, longitude=-106.49)
TUCSON = sd.Site(latitude=32.22, longitude=-110.97)
QUICK = {"site": EL_PASO, "racks": 100, "uptime": 0.999, "weather_years": 1, "backup": []}
STUDIES = {
    "eighteen hours of battery": {
        "site": TUCSON, "racks": None, "it_mw": 100, "uptime": 0.9999999, "seed": 1,
        "load_profile": np.full(8760, 100.0),
        "limits": {"battery_mwh": (1800 / 0.874, 1800 / 0.874), "battery_mw": (400, 400)},
    },
    "little energy": {"limits": {"battery_mwh": 230}},
    "little power": {"limits": {"battery_mw": 17.5}},
    "much energy, short": {"limits": {"battery_mwh": (4000, 4000), "battery_hours": (1, 1)}},
    "much power, long": {"limits": {"battery_mw": (2000, 2000), "battery_hours": (8, 8)}},
    "energy and a share": {
        "backup": ["recip_medium"], "min_renewable_share": 0.995, "limits": {"battery_mwh": 240},
    },
    "fixed array": {"backup": ["diesel"], "limits": {"solar_mw": (900, 900), "battery_hours": (2, 4)}},
    "power and land": {"backup": ["diesel"], "limits": {"battery_mw": 8, "land_acres": 500}},
    "energy and units": {"backup": ["diesel"], "limits": {"battery_mwh": 150, "units": {"diesel": 4}}},
    "energy and carbon": {"backup": ["diesel"], "limits": {"battery_mwh": 225, "co2_t_per_yr": 200}},
    "energy and months": {"backup": ["recip_medium"], "limits": {"battery_mwh": 250, "months_to_power": 15}},
}  # fmt: skip


@pytest.mark.parametrize("name", STUDIES)
def test_studies_cost_what_they_cost_with_wide_bounds(name: str) -> None:
    """The bounds of a study against a million MW and MWh, where nothing is given."""
    asked = sd.Study(**{key: value for key, value in (QUICK | STUDIES[name]).items() if value is not None})
    own = build_case(asked).case
    case = shift_start(relaxation(own, asked.metric).case, cyclic_start_step(own))
    wide = case.with_bounds({s.name: getattr(asked.limits, s.name) or (0.0, 1e6) for s in case.sizes})
    wide = cases.limited(wide.with_resource(widest_mw=None), widest=None)
    found, truth = solve_cuts(case), solve_cuts(wide)
    assert found.objective_usd_per_yr == pytest.approx(truth.objective_usd_per_yr, rel=3e-4)
    assert found.bound_usd_per_yr <= truth.objective_usd_per_yr * (1 + 1e-6)


def test_a_design_with_an_array_beyond_the_derived_bound() -> None:
    """From the question to the replayed plant; the cause of each cost stays within what was given."""
    question = {**QUICK, **STUDIES["little energy"], "certify": False}
    design = sd.solve(**question)
    derived = build_case(sd.Study(**{k: v for k, v in question.items() if k != "certify"})).case
    assert design.solar_mw > 10 * derived.resources[0].bounds_mw[1]
    assert design.battery_mwh <= 230 * (1 + 1e-9)
