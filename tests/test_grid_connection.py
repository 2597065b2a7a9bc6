"""Calls to curtail, broken wires and the room of a region: published figures, closed forms, laws."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sitedesign import library
from sitedesign.components.grid_connection import (
    Curtailment,
    WireOutages,
    curtailment_caps,
    curtailment_of,
    outages_of,
    wire_outages,
)
from sitedesign.components.headroom import headroom
from sitedesign.errors import InputError

CASES = json.loads((Path(__file__).parent / "data/tariff/worked_cases.json").read_text(encoding="utf-8"))
DUKE = CASES["duke"]
FLEXIBLE = {
    "flexible_quarter": "0.0025",
    "flexible": "0.005",
    "flexible_one": "0.01",
    "flexible_five": "0.05",
}
YEARS = (1, 2, 3)


def air_c(years: int = len(YEARS), step_minutes: int = 60, seed: int = 0) -> np.ndarray:
    """Temperature with seasons, days and spells. [degrees C]"""
    per_day = 1440 // step_minutes
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(365), per_day)
    hour = np.tile(np.arange(per_day) * 24 / per_day, 365)
    season = 18 - 12 * np.cos(2 * np.pi * (day - 15) / 365)
    spell = np.repeat(rng.normal(0, 4, (years, 365)), per_day, axis=1)
    found: np.ndarray = season + spell - 6 * np.cos(2 * np.pi * (hour - 3) / 24)
    return found


def runs(called: np.ndarray) -> np.ndarray:
    """Lengths of the calls of a year. [steps]"""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], called.astype(int), [0]])))
    found: np.ndarray = edges[1::2] - edges[::2]
    return found


# Published --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FLEXIBLE)
def test_calls_have_the_published_hours_energy_and_depths(name: str) -> None:
    share = FLEXIBLE[name]
    curtailment = curtailment_of(library.grid(name))
    assert curtailment is not None
    caps = curtailment_caps(curtailment, air_c(), 60, YEARS)
    hours, kept = DUKE["hours_per_yr"][share], DUKE["hours_with_at_least_50_75_90_pct_left"][share]
    for cap in caps:
        called = cap < 1
        assert called.sum() == hours
        assert [(cap[called] >= least).sum() for least in (0.5, 0.75, 0.9)] == pytest.approx(kept, abs=1)
        assert 1 - cap.mean() == pytest.approx(float(share), rel=1e-3)
        assert runs(called).mean() == pytest.approx(DUKE["mean_event_h"][share], rel=0.02)
        assert runs(called).max() <= curtailment.longest_event_h


def test_interruptible_load_loses_everything_in_its_hours() -> None:
    curtailment = curtailment_of(library.grid("interruptible"))
    assert curtailment is not None
    caps = curtailment_caps(curtailment, air_c(), 60, YEARS)
    assert set(np.unique(caps)) == {0.0, 1.0}
    assert (caps == 0).sum(axis=1).tolist() == [180, 180, 180]


def test_cap_of_half_the_power_on_thirty_five_days() -> None:
    case = CASES["textbook"]["flexible_cap_5h"]
    hours = case["hours_per_event"] * case["events"]
    curtailment = Curtailment(
        hours_per_yr=hours,
        event_h=case["hours_per_event"],
        longest_event_h=case["hours_per_event"],
        kept=case["cap_mw"] / case["load_mw"],
    )
    caps = curtailment_caps(curtailment, air_c(1), 60, (1,))[0]
    assert runs(caps < 1).tolist() == [case["hours_per_event"]] * case["events"]
    unserved = (case["load_mw"] * (1 - caps)).sum()
    assert unserved == pytest.approx(case["unserved_without_battery_mwh"], rel=1e-9)
    assert unserved / (case["load_mw"] * 8760) == pytest.approx(case["energy_share"], rel=1e-9)
    # One call a day, so a battery that gives the same each time serves its energy in each
    battery = np.minimum(case["battery_mwh"], case["load_mw"] * (1 - 0.5) * runs(caps < 1)).sum()
    assert unserved - battery == pytest.approx(case["unserved_with_battery_mwh"], rel=1e-9)


def test_room_on_a_linear_duration_curve() -> None:
    case = CASES["headroom"]["case_linear_load_duration"]
    most, least, steps = case["peak_mw"], case["minimum_mw"], case["hours"]
    demand = most - (most - least) * (np.arange(steps) + 0.5) / steps
    for limit, expected in case["results"].items():
        found = headroom(demand, float(limit), peak_mw=most)
        assert found.mw == pytest.approx(expected["headroom_mw"], rel=1e-6)
        assert found.mw == pytest.approx(expected["closed_form_mw"], rel=1e-4)
        assert found.called_steps == pytest.approx(expected["hours_curtailed"], abs=1)
        assert found.share_keeping(0.5) == pytest.approx(expected["share_hours_with_half_left"], abs=0.01)


def test_room_above_a_plateau() -> None:
    case = CASES["headroom"]["case_plateau"]
    demand = np.full(8760, case["plateau_mw"])
    demand[: case["peak_hours"]] = case["peak_mw"]
    found = headroom(demand, case["limit"])
    assert found.mw == pytest.approx(case["closed_form_mw"], rel=1e-8)
    assert found.cap.sum() * found.mw == pytest.approx(8760 * found.mw * (1 - case["limit"]), rel=1e-9)


def test_room_has_a_peak_for_each_season() -> None:
    demand = np.array([10.0, 8, 6, 4])
    assert headroom(demand, 0.25, ["w", "w", "s", "s"]).mw == pytest.approx(
        headroom(np.array([4.0, 2, 4, 2]), 0.25).mw
    )
    assert headroom(np.full(10, 5.0), 0.1).mw == 0  # the peak lasts all year
    with pytest.raises(InputError) as told:
        headroom([1, -2], 2, [1], peak_mw=-1)
    assert len(told.value.faults) == 4


# Laws of calls ----------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0, 2500), st.floats(0.3, 12), st.floats(1, 2), st.floats(0, 1), st.floats(0, 1),
    st.sampled_from([15, 30, 60]), st.integers(0, 50),
)  # fmt: skip
def test_called_hours_and_longest_call_are_kept(
    hours: float, event_h: float, times: float, heat: float, rho: float, step: int, seed: int
) -> None:
    longest = min(event_h * times, 24)
    if longest < event_h or hours > 365 * longest:
        return
    curtailment = Curtailment(
        hours_per_yr=hours, event_h=event_h, longest_event_h=longest, heat_share=heat,
        weather_correlation=rho, kept_half=0.8, kept_three_quarters=0.5, kept_nine_tenths=0.2, deepest=0.7,
    )  # fmt: skip
    caps = curtailment_caps(curtailment, air_c(2, step), step, (5, 6), seed)
    assert ((caps >= 0.3 - 1e-12) & (caps <= 1)).all()
    for cap in caps:
        called = cap < 1
        assert called.sum() == round(hours * 60 / step)
        by_day = called.reshape(365, -1).sum(axis=1)  # at most one call a day
        assert by_day.max() <= max(1, round(longest * 60 / step))
        lost = (1 - cap).sum() * step / 60 / 8760
        assert lost == pytest.approx(
            curtailment.mean_depth * called.sum() * step / 60 / 8760, rel=1e-6, abs=1e-12
        )


def test_calls_come_with_the_weather() -> None:
    temp = air_c()
    for heat, hot in ((1.0, True), (0.0, False)):
        curtailment = Curtailment(hours_per_yr=177, heat_share=heat, weather_correlation=1)
        called = curtailment_caps(curtailment, temp, 60, YEARS) < 1
        extremes = temp.reshape(3, 365, 24).max(axis=2) if hot else -temp.reshape(3, 365, 24).min(axis=2)
        days = called.reshape(3, 365, 24).any(axis=2)
        for row in range(3):
            count = int(days[row].sum())
            assert set(np.flatnonzero(days[row])) == set(np.argsort(-extremes[row])[:count])
        hour = np.flatnonzero(called[0]) % 24
        assert (np.median(hour) > 12) == hot


def test_deepest_calls_come_in_the_worst_days() -> None:
    curtailment = curtailment_of(library.grid("flexible"))
    assert curtailment is not None
    curtailment = curtailment.replace(heat_share=1, weather_correlation=1)
    temp = air_c(1)
    cap = curtailment_caps(curtailment, temp, 60, (1,))[0].reshape(365, 24)
    days = np.flatnonzero((cap < 1).any(axis=1))
    worst = days[np.argsort(-temp.reshape(365, 24).max(axis=1)[days])]
    lost = (1 - cap).sum(axis=1)[worst]
    third = len(worst) // 3
    assert lost[:third].sum() > 2 * lost[-third:].sum()


def test_years_have_their_own_streams() -> None:
    curtailment, temp = curtailment_of(library.grid("flexible")), air_c()
    assert curtailment is not None
    together = curtailment_caps(curtailment, temp, 60, YEARS, seed=4)
    alone = curtailment_caps(curtailment, temp[1:2], 60, (2,), seed=4)
    assert (together[1] == alone[0]).all()
    assert (together == curtailment_caps(curtailment, temp, 60, YEARS, seed=4)).all()
    assert (together != curtailment_caps(curtailment, temp, 60, YEARS, seed=5)).any()
    wires = WireOutages(interruptions_per_yr=30, interruption_h=5, emergencies_per_yr=2)
    both = wire_outages(wires, temp, 60, YEARS, seed=4)
    assert (both[2] == wire_outages(wires, temp[2:], 60, (3,), seed=4)[0]).all()


# A series of one's own --------------------------------------------------------------------------------------


def test_series_of_caps_is_taken_as_it_is(tmp_path: Path) -> None:
    series = np.random.default_rng(0).uniform(0, 1, 8760).round(4)
    path = tmp_path / "caps.csv"
    path.write_text("hour,cap\n" + "\n".join(f"{n},{v}" for n, v in enumerate(series)), encoding="utf-8")
    for given_ in (series, series.tolist(), [series.tolist()] * 2, path):
        caps = curtailment_caps(Curtailment(caps=given_), air_c(2), 60, (1, 2))
        assert caps == pytest.approx(np.stack([series, series]))
    half = curtailment_caps(Curtailment(caps=series), air_c(1, 30), 30, (1,))
    assert half[0, ::2] == pytest.approx(series)
    for wrong in (
        [2.0] * 8760,
        [-0.1] * 8760,
        [np.nan] * 8760,
        [0.5] * 100,
        [[0.5] * 8760] * 3,
        "no.csv",
        [["x"]],
    ):
        with pytest.raises(InputError):
            curtailment_caps(Curtailment(caps=wrong), air_c(2), 60, (1, 2))


# Wires ------------------------------------------------------------------------------------------------------


def test_wires_fail_as_often_and_as_long_as_said() -> None:
    outages = outages_of(library.grid("firm"))
    assert outages.interruptions_per_yr * outages.interruption_h * 60 == pytest.approx(10, abs=0.2)
    years = range(3000)
    there = wire_outages(outages, np.zeros((len(years), 8760)), 60, years)
    lost = (~there).sum() / len(years)
    spread = np.sqrt(0.1 * (55**2 * 1.03) / len(years))  # of rare long events, which dominate
    assert lost == pytest.approx(outages.hours_per_yr, abs=4 * spread)
    often = WireOutages(interruptions_per_yr=20, interruption_h=1.4)
    there = wire_outages(often, np.zeros((400, 8760)), 60, range(400))
    assert (~there).sum() / 400 == pytest.approx(28, rel=0.05)


def test_step_does_not_move_what_is_lost() -> None:
    outages = WireOutages(interruptions_per_yr=50, interruption_h=1.4)
    lost = [
        (~wire_outages(outages, np.zeros((60, 8760 * 60 // step)), step, range(60))).sum() * step / 60 / 60
        for step in (5, 15, 60)
    ]
    assert lost == pytest.approx([lost[0]] * 3, rel=0.05)


def test_emergencies_come_in_the_coldest_days_and_do_not_overlap() -> None:
    temp = air_c()
    outages = WireOutages(emergencies_per_yr=10, emergency_h=50)
    there = wire_outages(outages, temp, 60, YEARS)
    coldest = temp.reshape(3, 365, 24).mean(axis=2).argmin(axis=1)
    for row in range(3):
        assert not there[row].reshape(365, 24)[coldest[row]].all()
        length = runs(~there[row])
        assert length.size > 3
        assert ((length >= 34) & (length <= 66)).all()
    assert wire_outages(WireOutages(), temp, 60, YEARS).all()


# Refused ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"hours_per_yr": 9000}, "curtailment.hours_per_yr"),
        ({"hours_per_yr": 5000, "event_h": 4, "longest_event_h": 6}, "one call a day"),
        ({"event_h": 5, "longest_event_h": 4}, "must be at least event_h"),
        ({"kept": 0.5, "kept_half": 0.5}, "given beside kept"),
        ({"kept_half": 0.2, "kept_three_quarters": 0.5}, "must not rise"),
        ({"kept_half": 0.2, "deepest": 0.3}, "must be at least 0.5"),
        ({"caps": [1.0], "hours_per_yr": 3}, "given beside caps"),
        ({"caps": 3}, "curtailment.caps"),
    ],
)
def test_faulty_calls_are_refused(fields: dict[str, object], said: str) -> None:
    with pytest.raises(InputError) as told:
        Curtailment(**fields)
    assert said in str(told.value)
