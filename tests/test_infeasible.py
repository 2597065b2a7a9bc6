"""What binds, in plain words, and the smallest change that helps: by hand, and by solving again."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest

from sitedesign.case.case import Case
from sitedesign.case.limits import ANNUAL_LIMITS
from sitedesign.case.plant import Plant
from sitedesign.errors import InfeasibleDesign
from sitedesign.optimize.extensive_form import minimise_extensive, solve_extensive
from sitedesign.optimize.infeasibility import Quantity, date_of_step, explain, worst_spell
from tests.cases import backup, case, limited
from tests.hand_cases import NO_BATTERY, NO_SUN, Hand, engines, green, night, too_slow


def why(c: Case, fixed: Plant | None = None) -> InfeasibleDesign:
    with pytest.raises(InfeasibleDesign) as caught:
        solve_extensive(c, fixed=fixed)
    return caught.value


def needed(error: InfeasibleDesign) -> dict[str, float]:
    return {r.limit: r.needed for r in error.relaxations}


def test_full_message_of_an_array_that_is_too_small() -> None:
    """The night needs 22.5 MW; with 20 MW the sun gives 40 of 45 MWh, so 5 of 40 MWh are lost at best."""
    error = why(limited(night().case, solar_mw=(0.0, 20.0), battery_mwh=(0.0, 30.0)))
    assert str(error) == (
        "No design meets the request: an uptime of 100 % cannot be met within the limits (at most 20 MW of "
        "solar, 30 MWh of battery and 0 MW of backup). In the worst spell, on 1 January (2 h), with "
        "everything running, the load takes 25 MWh from the battery, which holds 30 MWh. "
        "What binds: uptime, solar_mw.\n"
        "Any one of these changes would do:\n"
        " * uptime: 1 now, 0.9 would do\n"
        " * solar_mw: 20 MW now, 22.5 MW would do"
    )


def test_too_small_a_battery() -> None:
    error = why(limited(night().case, battery_mwh=(0.0, 10.0)))
    assert needed(error)["battery_mwh"] == 25.0
    assert "solar_mw" not in needed(error)


def test_too_little_land() -> None:
    """22.5 MW on 6 acres each take 135 acres."""
    assert needed(why(limited(night().case, land_acres=100.0)))["land_acres"] == 135.0


def test_too_few_units() -> None:
    c = engines().case
    c = dataclasses.replace(c, backup=(dataclasses.replace(c.backup[0], units_max=2),))
    found = needed(why(c))
    assert found["units of engine"] == 3
    assert found["uptime"] == pytest.approx(1 - 2.5 / 27.5, abs=1e-6)


def test_share_that_needs_more_sun_than_allowed() -> None:
    """5 MW of solar give 7.5 of 30 MWh: a quarter; 40 % needs 8 MW."""
    found = needed(why(limited(green().case, solar_mw=(0.0, 5.0))))
    assert found["min_renewable_share"] == pytest.approx(0.25)
    assert found["solar_mw"] == 8.0
    # Shedding the missing 4.5 of 30 MWh would satisfy the share as well.
    assert found["uptime"] == pytest.approx(0.85)


def test_months_too_short_for_any_unit() -> None:
    """Nothing can be there in 5 months: 6 are needed. No uptime at all would do too, but is no request."""
    found = needed(why(limited(too_slow().case, months_to_power=5.0)))
    assert found == {"months_to_power": 6.0}


@pytest.mark.parametrize("most", [100.0, math.inf])
def test_months_too_short_whether_sizes_know_a_limit_or_not(most: float) -> None:
    """The night needs its array, there in 14 months, and its battery, there in 10; nothing else will do."""
    c = night().case
    sun = dataclasses.replace(c.resources[0], lead_months=14.0, bounds_mw=(0.0, most))
    c = dataclasses.replace(c, resources=(sun,), battery_lead_months=10.0)
    wide = limited(c, months_to_power=5.0, battery_mwh=(0.0, most), battery_mw=(0.0, most))
    assert needed(why(wide))["months_to_power"] == 14.0


def test_carbon_cap_of_nothing() -> None:
    c = limited(engines().case, max_co2_t_per_yr=0.0)
    found = needed(why(c))
    assert found["max_co2_t_per_yr"] == pytest.approx(27.5 * 0.45, rel=1e-4)


def test_duration_found_by_halving() -> None:
    """The night needs E = 25 with P = 12.5: two hours. One hour at most is not enough with P at most 12.5."""
    c = limited(night().case, max_duration_h=1.0, battery_mw=(0.0, 12.5), solar_mw=(0.0, 22.5))
    c = dataclasses.replace(c, limits=dataclasses.replace(c.limits, battery_mw=(0.0, 12.5)))
    error = explain(c, _only_ratio)
    assert needed(error)["max_duration_h"] == pytest.approx(2.0, rel=0.01)
    assert needed(error)["max_duration_h"] >= 2.0


def _only_ratio(freed: Case, quantity: Quantity) -> float | None:
    """An oracle for which nothing but the duration helps."""
    hours = freed.limits.max_duration_h
    return 25.0 if hours is None or hours >= 2.0 else None


def test_two_limits_together() -> None:
    """Neither limit alone helps: an oracle that never finds a design says so in the text."""
    error = explain(night().case, lambda _c, _q: None)
    assert error.relaxations == ()
    assert "at least two would have to be relaxed together" in str(error)


def test_limits_that_were_not_looked_at_in_time_are_named() -> None:
    def slow(_case: Case, quantity: Quantity) -> float | None:
        if quantity.name == "lost_mwh_per_yr":
            return 4.0
        raise TimeoutError

    error = explain(night().case, slow)
    assert needed(error) == {"uptime": 0.9}
    assert "The time limit left open whether these would help: solar_mw, battery_mwh, battery_mw." in str(
        error
    )


def test_explaining_keeps_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sitedesign.optimize.extensive_form.SECONDS_A_QUESTION", 0.0)
    with pytest.raises(InfeasibleDesign, match="left open whether these would help: uptime, solar_mw"):
        solve_extensive(limited(night().case, solar_mw=(0.0, 20.0)), time_limit_s=60.0)


@pytest.mark.parametrize("name", ["solar_mw", "battery_mwh", "uptime"])
def test_relaxation_is_enough_and_hardly_less_would_be(name: str) -> None:
    rng = np.random.Generator(np.random.PCG64(5))
    sun = np.tile([0, 0, 0.4, 0.9, 0.7, 0.2], 4) * rng.uniform(0.3, 1, 24)
    c = case(sun, rng.uniform(8, 12, 24), uptime_target=0.95, backup=(), limits={
        "solar_mw": (0.0, 50.0), "battery_mwh": (0.0, 20.0), "battery_mw": (0.0, 40.0)})  # fmt: skip
    limit = needed(why(c))[name]

    def at(value: float) -> Case:
        if name == "uptime":
            return dataclasses.replace(c, uptime_target=value)
        return limited(c, **{name: (0.0, value)})

    assert solve_extensive(at(limit)).objective_usd_per_yr > 0
    less = limit * 1.002 if name == "uptime" else limit * 0.998
    with pytest.raises(InfeasibleDesign):
        solve_extensive(at(less), explain_infeasible=False)


def test_fixed_plant_is_only_offered_budgets() -> None:
    error = why(engines().case, fixed=Plant((0.0,), 0.0, 0.0, (2,), 10))
    assert set(needed(error)) == {"uptime"}
    assert "cannot be met with 0 MW of solar, 0 MWh of battery and 20 MW of backup" in str(error)


def test_oracle_of_the_hourly_model_by_hand() -> None:
    c = limited(night().case, solar_mw=(0.0, math.inf))
    assert minimise_extensive(c, Quantity("solar_mw")) == pytest.approx(22.5)
    assert minimise_extensive(limited(c, battery_mwh=(0.0, 1.0)), Quantity("solar_mw")) is None


@pytest.mark.parametrize("total", [limit.total for limit in ANNUAL_LIMITS])
@pytest.mark.parametrize("of", [night, engines])
def test_every_total_of_a_year_is_a_quantity(of: Callable[[], Hand], total: str) -> None:
    least = minimise_extensive(of().case, Quantity(total))
    assert least is not None
    assert least >= 0.0


def test_a_quantity_that_nobody_knows_is_not_nothing() -> None:
    with pytest.raises(ValueError, match="no such quantity: months"):
        minimise_extensive(night().case, Quantity("months"))


def test_worst_spell_is_the_deepest_not_the_longest() -> None:
    """Three hours short of 1 MW, sun, then two hours short of 5 MW: the second, 10 MWh through 80 %."""
    c = case([0, 0, 0, 1, 0, 0, 1], [1, 1, 1, 1, 5, 5, 1], eta_discharge=0.8, backup=())
    spell = worst_spell(c, (50.0,), np.zeros(7))
    assert (spell.first, spell.last) == (4, 5)
    assert spell.deficit_mwh == pytest.approx(10 / 0.8)


@pytest.mark.parametrize(
    ("step", "day"),
    [(0, "1 January"), (24 * 31, "1 February"), (24 * 59, "1 March"), (8759, "31 December")],
)
def test_dates_of_steps(step: int, day: str) -> None:
    one = case(np.zeros(8760), np.ones(8760), backup=())
    assert date_of_step(one, step) == day


def test_dates_name_the_weather_year_when_there_are_several() -> None:
    two = case(np.zeros(2 * 8760), np.ones(2 * 8760), years=2, backup=())
    assert date_of_step(two, 8760 + 40 * 24) == "10 February of weather year 2"


def test_dark_site_without_backup() -> None:
    c = case([0.0] * 4, [10.0] * 4, backup=(), limits=NO_SUN | NO_BATTERY)
    error = why(c)
    assert needed(error) == {}
    assert "at least two would have to be relaxed together" in str(error)


def test_years_without_enough_sun_are_not_called_a_spell() -> None:
    dark = dataclasses.replace(case([0.0] * 4, [10.0] * 4, backup=(), limits=NO_SUN | NO_BATTERY), years=2)
    assert "Over all 2 weather years sun and backup give less than the load takes." in str(why(dark))


def test_technology_that_is_forbidden_by_its_lead_time_does_not_count_as_backup() -> None:
    c = limited(
        case([0.0] * 4, [10.0] * 4, backup=(backup(4),), limits=NO_SUN | NO_BATTERY), months_to_power=3.0
    )
    assert "0 MW of backup" in str(why(c))
