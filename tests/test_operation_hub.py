"""What the operator of a hub can get wrong: money from nowhere, a peek at a call, the wrong fuel."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from sitedesign.case.case import ImportCase, PriceLevel, SinkCase
from sitedesign.case.dispatch import Dispatch, energy_by_level
from sitedesign.case.plant import Plant
from sitedesign.case.years import concat_years, select_years
from sitedesign.operation.environment import OperatingEnvironment
from sitedesign.operation.forecast import Forecast, climatology, resource_factors
from sitedesign.operation.operate import SimulatedOperation, operate
from sitedesign.operation.outages.rates import FUEL, WIND_UNIT, FuelOutages, OutageModel, OutageSample
from sitedesign.operation.state import Controller, UnitBehaviour
from sitedesign.operation.stored_value import worth
from sitedesign.optimize.foresight_dispatch import foresight
from sitedesign.reliability.replay import check_dispatch
from tests.cases import backup, case, year_case
from tests.hub_cases import year_hub

KINDS = ("greedy", "latest_safe_start", "marginal_value")
REAL = (
    UnitBehaviour(5 / 60, 0.3, 0.07, 0.01, 0.03, 24.0, "gas", 0.0, 5.0),
    UnitBehaviour(10 / 60, 0.5, 0.2, 0.01, 0.03, 48.0, "gas", 0.0, 5.0),
)
PLANT = Plant((200.0, 80.0), 400.0, 120.0, (3, 1), 700, (60.0,), (30.0,))
HOURS = 8760
SERIES = [item.name for item in dataclasses.fields(Dispatch) if item.name != "lost_by_class"]


def grid(steps: int = HOURS, mw: float = 200.0, **changes: object) -> ImportCase:
    """A firm connection at 40 USD/MWh."""
    base = ImportCase("grid", np.ones((1, steps)), (PriceLevel("flat", 40.0, 0.4),), 0.0, 0.0, 0.0, mw)
    return dataclasses.replace(base, **changes)


def dark_year(**changes: object):
    """A year without sun and with 10 MW of load; losses of 5 % each way."""
    return case(np.zeros(HOURS), 10.0, **{"backup": ()} | changes)


def outages(events: list[tuple[int, int, int, int]], units: int = 1, **changes: object) -> OutageSample:
    """Changes of state (step, kind, index, change), and nothing else that fails."""
    columns = np.array(sorted(events), dtype=np.int64).reshape(-1, 4).T
    kinds = (np.int64, np.int8, np.int16, np.int8)
    table = [column.astype(kind) for column, kind in zip(columns, kinds, strict=True)]
    base = OutageSample(*table, 1, 1, 1.0, np.zeros(2 * units, dtype=np.uint64))
    return dataclasses.replace(base, **changes)


def run(one, plant, kind="latest_safe_start", behaviours=(), fuels=(), climate=None, **more):
    """Operate under a rule with nothing kept in reserve."""
    model = OutageModel(fuels=tuple(FuelOutages(name) for name in fuels))
    sight = more.pop("forecast", Forecast("climatology"))
    around = OperatingEnvironment(climate or climatology(one), model, tuple(behaviours), sight)
    rule = more.pop("rule", Controller(kind, 0.0, reserve_h=0.0, forecast_z_score=0.0, capacity_credit=1.0))
    return operate(one, plant, rule, around, **more)


def same(one: SimulatedOperation, two: SimulatedOperation, until: int | None = None) -> bool:
    """Whether two runs did the same to the last bit."""
    pairs = ((getattr(one.dispatch, name), getattr(two.dispatch, name)) for name in SERIES)
    return all(
        first is second is None or np.array_equal(first[..., :until], second[..., :until])
        for first, second in pairs
    )


def ledger(one, plant: Plant, done: SimulatedOperation) -> tuple[float, float, float]:
    """Largest error of the balance [MW], money and CO2, added up in plain Python from the recorded series."""
    flow, worst, usd, tonnes, stored = done.dispatch, 0.0, 0.0, 0.0, None
    columns = zip(
        one.load_mw.tolist(), done.solar_mw.tolist(), flow.curtailed_mw.tolist(), flow.charge_mw.tolist(),
        flow.discharge_mw.tolist(), flow.shed_mw.tolist(), flow.stored_mwh.tolist(),
        flow.supply_mw.T.tolist(), flow.sink_mw.T.tolist(), strict=True,
    )  # fmt: skip
    for t, (load, free, curtailed, into, out, shed, level, given, taken) in enumerate(columns):
        worst = max(worst, abs(free - curtailed + out - into + sum(given) + shed - load - sum(taken)))
        if stored is not None:
            change = (one.eta_charge * into - out / one.eta_discharge) * one.step_h
            worst = max(worst, abs(level - stored - change))
        stored = level
        for item, mw in zip(one.supplies, given, strict=True):
            price = item.levels[0 if item.active_level is None else int(item.active_level[t])]
            usd += price.usd_per_mwh * mw * one.step_h
            tonnes += price.co2_t_per_mwh * mw * one.step_h
        for item, size, mw in zip(one.sinks, plant.sinks, taken, strict=True):
            price = item.levels[0 if item.active_level is None else int(item.active_level[t])]
            usd -= price.usd_per_mwh * mw * one.step_h
            worst = max(worst, mw - size * item.unit_mw * item.capability[0, t])
        for item, size, mw in zip(one.imports, plant.imports, given[len(one.backup) :], strict=True):
            worst = max(worst, mw - size * item.unit_mw * item.capability[0, t])
    return worst, usd, tonnes


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [0, 1])
def test_energy_and_money_of_a_hub_add_up_again_from_its_series(kind, seed):
    one = year_hub(2, seed)
    done = operate(one, PLANT, Controller(kind))
    worst, usd, tonnes = ledger(one, PLANT, done)
    assert worst < 1e-6
    assert done.balance_residual_mw < 1e-6
    assert done.operating_usd.sum() == pytest.approx(usd, rel=1e-9)
    assert done.co2_t.sum() == pytest.approx(tonnes, rel=1e-9)
    by_level = energy_by_level(one, done.dispatch)
    assert done.energy_by_level_mwh.mean(axis=1) == pytest.approx(by_level, rel=1e-9, abs=1e-6)
    assert done.import_mwh.sum() == pytest.approx(done.dispatch.import_mw.sum(), rel=1e-9)
    assert done.taken_mwh.sum() == pytest.approx(done.dispatch.taken_mw.sum(), rel=1e-9)
    replay = check_dispatch(one, PLANT, done.dispatch)
    assert replay.operating_cost_usd_per_yr == pytest.approx(usd / one.years, rel=1e-9)
    # None of it is trivially nothing
    assert (done.energy_by_level_mwh.sum(axis=1) > 0).sum() >= 6


def test_fuel_of_part_load_is_paid_at_the_price_of_its_level():
    one = year_hub(1, 2)
    behaviours = [dataclasses.replace(item, fuel_usd_per_mmbtu=5.0) for item in REAL]
    done = run(one, PLANT, behaviours=behaviours)
    _, usd, tonnes = ledger(one, PLANT, done)
    extra_mmbtu = done.fuel_mmbtu - np.array([[b.fuel_mmbtu_per_mwh] for b in one.backup]) * done.backup_mwh
    assert extra_mmbtu.sum() > 0
    assert done.operating_usd.sum() == pytest.approx(usd + 5.0 * extra_mmbtu.sum(), rel=1e-9)
    rate = np.array([[b.co2_t_per_mwh / b.fuel_mmbtu_per_mwh] for b in one.backup])
    assert done.co2_t.sum() == pytest.approx(tonnes + (rate * extra_mmbtu).sum(), rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_what_has_no_size_changes_nothing_to_the_byte(kind):
    island = year_case(2, 3)
    hub = year_hub(2, 3)
    alone = operate(island, Plant((200.0,), 400.0, 120.0, (3, 1), 700), Controller(kind))
    beside = operate(hub, Plant((200.0, 0.0), 400.0, 120.0, (3, 1), 700, (0.0,), (0.0,)), Controller(kind))
    for name in SERIES[:7]:
        assert np.array_equal(getattr(alone.dispatch, name), getattr(beside.dispatch, name)), name
    assert np.array_equal(alone.operating_usd, beside.operating_usd)
    assert beside.import_mwh.sum() == beside.taken_mwh.sum() == 0.0


def test_two_resources_of_one_yield_are_one():
    base = year_case(2, 4)
    twin = dataclasses.replace(base.resources[0], name="twin")
    split = dataclasses.replace(base, resources=(*base.resources, twin))
    whole = run(base, Plant((400.0,), 900.0, 160.0, (3, 1), 700))
    halves = run(split, Plant((150.0, 250.0), 900.0, 160.0, (3, 1), 700))
    for name in SERIES[:7]:
        assert getattr(halves.dispatch, name) == pytest.approx(getattr(whole.dispatch, name), abs=1e-6), name


@pytest.mark.parametrize("kind", KINDS)
def test_a_reliable_grid_for_nothing_leaves_everything_else_idle(kind):
    base = year_case(1, 5)
    one = dataclasses.replace(base, imports=(grid(levels=(PriceLevel("free", 0.0),)),))
    done = operate(one, Plant((100.0,), 200.0, 50.0, (3, 1), 700, (200.0,)), Controller(kind), None)
    assert done.shed_mw.sum() == 0.0
    assert done.backup_mwh.sum() == 0.0
    assert done.starts.sum() == 0
    assert done.operating_usd.sum() == 0.0


def test_supplies_stand_in_order_of_the_price_of_the_step():
    hour = np.arange(HOURS) % 24
    levels = (PriceLevel("night", 30.0), PriceLevel("day", 90.0))
    connection = grid(mw=4.0, levels=levels, active_level=(hour >= 12).astype(np.int64))
    one = dark_year(backup=(backup(HOURS, unit_mw=8.0),), imports=(connection,))
    done = run(one, Plant((0.0,), 0.0, 0.0, (1,), 10, (4.0,)))
    # 10 MW: by night the grid gives its 4, by day the unit its 8 at 60 USD/MWh and the grid the rest
    assert done.dispatch.import_mw[0] == pytest.approx(np.where(hour < 12, 4.0, 2.0))
    assert done.dispatch.backup_mw[0] == pytest.approx(np.where(hour < 12, 6.0, 8.0))
    assert done.operating_usd[0] == pytest.approx(365 * 12 * (4 * 30 + 6 * 60 + 8 * 60 + 2 * 90))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("usd", [40.0, 80.0])
def test_a_constant_price_below_or_above_that_of_units_decides_who_runs(kind, usd):
    connection = grid(levels=(PriceLevel("flat", usd),))
    one = dark_year(backup=(backup(HOURS, unit_mw=12.0),), imports=(connection,))
    done = run(one, Plant((0.0,), 0.0, 0.0, (1,), 10, (12.0,)), kind)
    first, second = done.import_mwh.sum(), done.backup_mwh.sum()
    assert (first, second) == pytest.approx((10.0 * HOURS, 0.0) if usd < 60 else (0.0, 10.0 * HOURS))


def test_surplus_goes_to_the_sink_that_pays_most_in_the_step():
    hour = np.arange(HOURS) % 24
    pays = (PriceLevel("low", 10.0), PriceLevel("high", 70.0))
    town = SinkCase("town", np.ones((1, HOURS)), pays, 0.0, 0.0, 9.0, active_level=hour % 2)
    miners = SinkCase("miners", np.full((1, HOURS), 0.5), (PriceLevel("hash", 40.0),), 0.0, 0.0, 9.0)
    one = case(np.ones(HOURS), 10.0, backup=(), sinks=(town, miners))
    done = run(one, Plant((14.0,), 0.0, 0.0, (), 10, (), (3.0, 6.0)))
    # 4 MW are left: in odd hours the town takes its 3 first, in even hours the miners half of their 6
    assert done.dispatch.taken_mw[0] == pytest.approx(np.where(hour % 2, 3.0, 1.0))
    assert done.dispatch.taken_mw[1] == pytest.approx(np.where(hour % 2, 1.0, 3.0))
    assert done.dispatch.curtailed_mw == pytest.approx(0.0)
    assert done.operating_usd[0] == pytest.approx(-HOURS / 2 * (3 * 70 + 40 + 10 + 3 * 40))


def test_sinks_are_dropped_before_any_of_the_contracted_load():
    one = year_hub(2, 6)
    done = operate(one, dataclasses.replace(PLANT, imports=(20.0,), units=(1, 0)), Controller())
    assert done.shed_mw.sum() > 0
    assert done.dispatch.taken_mw[:, done.shed_mw > 1e-9].sum() == 0.0


def called_year(notice_h: float, called: np.ndarray):
    """A year of 10 MW on a grid of 20 MW that is cut off in some hours, and a battery that bridges six."""
    left = np.where(called, 0.0, 1.0)
    return dark_year(imports=(grid(capability=left[np.newaxis], announced=left, notice_h=notice_h),))


def test_a_call_with_notice_is_met_from_what_was_stored_for_it():
    hours = np.arange(HOURS)
    called = (hours >= 4000) & (hours < 4006)
    known = climatology(called_year(0.0, np.zeros(HOURS, bool)))
    plant = Plant((0.0,), 80.0, 12.0, (), 10, (20.0,))
    # Nobody would keep anything: calls have never come
    with_notice, without = (
        run(called_year(notice_h, called), plant, climate=known, start_mwh=0.0) for notice_h in (12.0, 0.0)
    )
    assert with_notice.shed_mw.sum() == 0.0
    # 60 MWh for six hours, and the losses of giving them
    assert with_notice.dispatch.stored_mwh[3999] == pytest.approx(60.0 / 0.95)
    assert with_notice.dispatch.stored_mwh[3980] == pytest.approx(0.0)  # and not before it was told
    assert without.shed_mw.sum() == pytest.approx(60.0)
    assert same(with_notice, without, 3988)


def test_energy_is_kept_for_hours_in_which_calls_come_without_notice():
    hours = np.arange(HOURS)
    usual = (hours % 24 >= 16) & (hours % 24 < 20) & (hours // 24 % 3 == 0)
    known, plant = climatology(called_year(0.0, usual)), Plant((0.0,), 80.0, 12.0, (), 10, (20.0,))
    rng = np.random.default_rng(1)
    called = (hours % 24 >= 16) & (hours % 24 < 20) & np.repeat(rng.random(365) < 0.3, 24)
    done = run(called_year(0.0, called), plant, climate=known)
    assert called.sum() > 300
    assert done.shed_mw.sum() == 0.0
    assert done.dispatch.stored_mwh[hours % 24 == 15].min() >= 40.0 / 0.95 - 1e-6
    # An hour that is called on less than one day in a hundred is nobody's worry
    rare = (hours % 24 == 3) & (hours // 24 == 100)
    many = called_year(0.0, rare)
    assert climatology(many).import_share.min() == 0.0  # one day in 31 of the only year
    firm = dataclasses.replace(many, imports=(grid(announced=np.ones(HOURS)),))
    assert climatology(concat_years([many, *[firm] * 9])).import_share.min() == 1.0


def test_wires_that_are_down_are_not_waited_for():
    hours = np.arange(HOURS)
    wires = np.where((hours >= 4000) & (hours < 4060), 0.0, 1.0)
    unit = backup(HOURS, unit_mw=6.0)
    one = dark_year(backup=(unit,), imports=(grid(capability=wires[np.newaxis], announced=np.ones(HOURS)),))
    known = climatology(dataclasses.replace(one, imports=(grid(announced=np.ones(HOURS)),)))
    rule = Controller(reserve_h=10.0, forecast_z_score=0.0, capacity_credit=1.0)
    done = run(one, Plant((0.0,), 250.0, 12.0, (1,), 10, (20.0,)), climate=known, rule=rule)
    # 100 MWh in reserve. The unit runs from the first hour on: 4 MW of battery last longer than 10 MW
    assert done.dispatch.backup_mw[0, 3999] == 0.0
    assert done.dispatch.backup_mw[0, 4000:4060] == pytest.approx(6.0)
    assert done.shed_mw.sum() == pytest.approx(60 * 4 - 100 * 0.95)


def dual_fuel(**changes: object):
    """A year of 10 MW on one unit of 10 MW whose second fuel costs 150 USD/MWh."""
    other = PriceLevel("diesel", 150.0, 0.7, 9.0)
    return dark_year(backup=(backup(HOURS, unit_mw=10.0, other_levels=(other,), **changes),))


INTERRUPTED = outages([(1000, FUEL, 0, 1), (1012, FUEL, 0, -1)])
ONE_UNIT = Plant((0.0,), 0.0, 0.0, (1,), 10)


@pytest.mark.parametrize("kind", KINDS)
def test_the_second_fuel_burns_only_while_the_first_is_interrupted(kind):
    one = dual_fuel()
    behaviour = UnitBehaviour(fuel="gas", storage_h=20.0)
    done = run(one, ONE_UNIT, kind, [behaviour], ["gas"], outages=INTERRUPTED)
    assert done.shed_mw.sum() == 0.0
    assert done.energy_by_level_mwh[:, 0] == pytest.approx([10.0 * (HOURS - 12), 120.0])
    assert done.operating_usd[0] == pytest.approx(10.0 * (HOURS - 12) * 60 + 120 * 150)
    assert done.co2_t[0] == pytest.approx(10.0 * (HOURS - 12) * 0.45 + 120 * 0.7)
    assert done.fuel_mmbtu[0, 0] == pytest.approx(10.0 * (HOURS - 12) * 8.5 + 120 * 9.0)


def test_a_tank_of_the_second_fuel_runs_dry():
    behaviour = UnitBehaviour(fuel="gas", storage_h=5.0)
    done = run(dual_fuel(), ONE_UNIT, behaviours=[behaviour], fuels=["gas"], outages=INTERRUPTED)
    assert done.shed_mw[1000:1012] == pytest.approx([0.0] * 5 + [10.0] * 7)
    assert done.energy_by_level_mwh[1, 0] == pytest.approx(50.0)


def test_the_second_fuel_gives_less_power_and_only_after_the_switch():
    behaviour = UnitBehaviour(fuel="gas", storage_h=50.0, second_fuel_derate=-0.2, switch_h=1.5)
    done = run(dual_fuel(), ONE_UNIT, behaviours=[behaviour], fuels=["gas"], outages=INTERRUPTED)
    # An hour without, half of the next, then 8 of 10 MW until the gas is back
    assert done.dispatch.backup_mw[0, 999:1013] == pytest.approx([10.0, 0.0, 4.0, *[8.0] * 10, 10.0])


def test_energy_is_kept_for_the_derated_units_of_an_interruption():
    behaviour = UnitBehaviour(fuel="gas", storage_h=50.0, second_fuel_derate=-0.5)
    one = dual_fuel()
    plant = dataclasses.replace(ONE_UNIT, battery_mwh=40.0, battery_mw=10.0)
    done = run(one, plant, behaviours=[behaviour], fuels=["gas"], outages=INTERRUPTED)
    # From the first hour on the plan knows that the unit gives 5: it runs at once, not when all is spent
    assert done.dispatch.backup_mw[0, 1000:1012] == pytest.approx([5.0] * 12)


def test_failing_turbines_scale_the_yield_of_their_resource_and_no_more_than_all_fail():
    windy = dataclasses.replace(
        case(np.zeros(HOURS), 10.0, backup=()).resources[0], name="wind", yield_mw_per_mw=np.full(HOURS, 0.5)
    )
    one = dark_year()
    one = dataclasses.replace(one, resources=(*one.resources, windy))
    paths = outages(
        [(10, WIND_UNIT, 1, 1), (20, WIND_UNIT, 1, 4), (30, WIND_UNIT, 1, -4), (40, WIND_UNIT, 1, -1)],
        0, wind_blocks=(1.0, 4.0), wind_scale=(1.0, 1.1),
    )  # fmt: skip
    done = run(one, Plant((0.0, 20.0), 0.0, 0.0, (), 10), outages=paths)
    assert done.solar_mw[[5, 15, 25, 35, 45]] == pytest.approx([11.0, 8.25, 0.0, 8.25, 11.0])


def test_wind_is_forecast_with_errors_of_its_own_from_a_stream_of_its_own():
    one = year_hub(30, 7)
    usual, sight = climatology(one), Forecast()
    factors = resource_factors(sight, usual, one, seed=3)
    sun = factors[0]
    daily = one.resources[1].yield_mw_per_mw.reshape(-1, 24).sum(axis=1)
    truth = daily / np.tile(usual.other_yields[0].reshape(365, 24).sum(axis=1), 30)
    for lead, nrmse in enumerate(sight.wind_nrmse_by_lead_day[:5]):
        error = factors[1][: truth.size - lead, lead] - truth[lead:]
        stated = nrmse / sight.wind_reference_sd * float((truth - 1).std())
        assert error.std() == pytest.approx(stated, rel=0.08)
    alone = dataclasses.replace(one, resources=one.resources[:1])
    assert np.array_equal(resource_factors(sight, climatology(alone), alone, seed=3)[0], sun)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("forecast", ["skill", "climatology"])
def test_no_decision_of_a_hub_knows_prices_calls_wires_or_weather_to_come(kind, forecast):
    one, first = year_hub(2, 8), 400  # days from 400 on are shuffled
    order = np.arange(one.steps).reshape(-1, 24)
    rng = np.random.default_rng(1)
    order[first:] = order[first:][rng.permutation(len(order) - first)]
    order = order.ravel()

    def shuffled(item):
        told = {} if getattr(item, "announced", None) is None else {"announced": item.announced[order]}
        return dataclasses.replace(
            item, capability=item.capability[:, order], active_level=item.active_level[order], **told
        )

    other = dataclasses.replace(
        one,
        resources=tuple(
            dataclasses.replace(r, yield_mw_per_mw=r.yield_mw_per_mw[order]) for r in one.resources
        ),
        imports=tuple(map(shuffled, one.imports)),
        sinks=tuple(map(shuffled, one.sinks)),
    )
    known = climatology(one)
    around = OperatingEnvironment(known, forecast=Forecast(forecast))
    factors = resource_factors(around.forecast, known, one, seed=1)
    done = [operate(c, PLANT, Controller(kind, 0.5), around, forecast_factors=factors) for c in (one, other)]
    until = 24 * first - int(one.imports[0].notice_h)
    assert same(*done, until)
    assert not np.array_equal(done[0].dispatch.import_mw, done[1].dispatch.import_mw)


# The value of stored energy ---------------------------------------------------------------------------------

FREE = Controller("marginal_value", reserve_h=0.0, forecast_z_score=0.0, capacity_credit=1.0)


def priced_year(night_usd: float, day_usd: float, **changes: object):
    """A dark year of 10 MW on a grid that costs one price by night, from 0 to 12, and another by day."""
    hour = np.arange(HOURS) % 24
    levels = (PriceLevel("night", night_usd), PriceLevel("day", day_usd))
    connection = grid(mw=30.0, levels=levels, active_level=(hour >= 12).astype(np.int64))
    return dark_year(imports=(connection,), **changes)


def test_a_spread_of_prices_is_traded_exactly_as_far_as_losses_allow():
    plant = Plant((0.0,), 50.0, 8.0, (), 10, (30.0,))
    done = run(priced_year(40.0, 60.0), plant, rule=FREE)
    hour = np.arange(HOURS) % 24
    # 50 MWh stored are bought as 50 / 0.95 by night and given as 50 x 0.95 by day: it pays up to 40 / 60
    day, night = 8760 / 2 * 10 - 365 * 47.5, 8760 / 2 * 10 + 364 * 50 / 0.95
    assert done.energy_by_level_mwh[:, 0] == pytest.approx([night, day], rel=2e-3)
    assert done.operating_usd[0] == pytest.approx(40 * night + 60 * day, rel=1e-3)
    assert done.dispatch.charge_mw[hour >= 12].sum() == 0.0
    assert done.dispatch.discharge_mw[hour < 12].sum() == pytest.approx(0.0, abs=1e-6)
    assert done.dispatch.discharge_mw.max() <= 8.0 + 1e-9
    # 56 by night against 60 by day is less than the losses
    idle = run(priced_year(56.0, 60.0), plant, rule=FREE, start_mwh=0.0)
    assert idle.cycled_mwh[0] == 0.0
    assert idle.operating_usd[0] == pytest.approx(HOURS / 2 * 10 * 116)


@pytest.mark.parametrize(("pays", "who"), [(50.0, "cheap"), (90.0, "both"), (30.0, "nobody")])
def test_a_sink_is_fed_by_what_costs_less_than_it_pays(pays, who):
    units = (backup(HOURS, "cheap", marginal_cost_usd_per_mwh=40.0), backup(HOURS, "dear", unit_mw=8.0,
             marginal_cost_usd_per_mwh=70.0))  # fmt: skip
    sink = SinkCase("town", np.ones((1, HOURS)), (PriceLevel("v", pays),), 0.0, 0.0, 20.0)
    one = dark_year(backup=units, sinks=(sink,))
    done = run(one, Plant((0.0,), 0.0, 0.0, (2, 1), 10, (), (15.0,)), rule=FREE)
    # 20 MW at 40 USD/MWh, 8 at 70; the load takes 10 of the cheap ones
    expected = {"nobody": (10.0, 0.0, 0.0), "cheap": (20.0, 0.0, 10.0), "both": (20.0, 5.0, 15.0)}[who]
    found = [done.dispatch.backup_mw[0], done.dispatch.backup_mw[1], done.dispatch.taken_mw[0]]
    for series, mw in zip(found, expected, strict=True):
        assert series == pytest.approx(mw)
    assert done.operating_usd[0] == pytest.approx(
        HOURS * (40 * expected[0] + 70 * expected[1] - pays * expected[2])
    )


def test_energy_is_sold_in_the_hours_that_pay_most():
    hour = np.arange(HOURS) % 24
    pays = (PriceLevel("low", 20.0), PriceLevel("high", 80.0))
    sink = SinkCase("sale", np.ones((1, HOURS)), pays, 0.0, 0.0, 50.0, active_level=(hour == 19).astype(int))
    sun = np.where((hour >= 8) & (hour < 16), 1.0, 0.0)
    one = case(sun, 0.0, backup=(), sinks=(sink,))
    done = run(one, Plant((10.0,), 20.0, 19.0, (), 10, (), (40.0,)), rule=FREE, start_mwh=0.0)
    # 20 MWh are stored for the hour at 80 USD/MWh, all of what is left is sold at 20
    sold = done.dispatch.taken_mw[0].reshape(365, 24)
    assert sold[1:-1, 19] == pytest.approx(19.0)
    assert sold[1:-1].sum(axis=1) == pytest.approx(80.0 - 20.0 / 0.95 + 19.0)


@pytest.mark.parametrize("seed", range(3))
def test_marginal_value_adds_up_and_is_not_better_than_a_planner_who_sees_everything(seed):
    full = year_hub(4, seed)
    past, now = select_years(full, np.arange(2)), select_years(full, np.arange(2, 4))
    around = OperatingEnvironment(climatology(past))
    costs = {}
    for kind in ("latest_safe_start", "marginal_value"):
        done = operate(now, PLANT, Controller(kind), around)
        worst, usd, tonnes = ledger(now, PLANT, done)
        assert worst < 1e-6
        assert done.operating_usd.sum() == pytest.approx(usd, rel=1e-9)
        assert done.co2_t.sum() == pytest.approx(tonnes, rel=1e-9)
        check_dispatch(now, PLANT, done.dispatch)
        costs[kind] = usd / 2
        # What was in the battery at the start and is not at the end is worth less than this
        given_away = (PLANT.battery_mwh - done.end_mwh) * 120
        uptime = 1.0 - done.lost_compute.mean()
        target = dataclasses.replace(now, uptime_target=min(uptime, 1.0 - 1e-6))
        best = check_dispatch(target, PLANT, foresight(target, PLANT)).operating_cost_usd_per_yr
        assert best <= usd / 2 + given_away / 2
    assert costs["marginal_value"] < 0.9 * costs["latest_safe_start"]


def test_the_table_of_values_is_the_same_whoever_asks_and_knows_nothing_of_the_years_operated():
    full = year_hub(4, 1)
    past, now = select_years(full, np.arange(2)), select_years(full, np.arange(2, 4))
    known, other = climatology(past), climatology(past)
    factors = resource_factors(Forecast(), known, now)
    one, two = (worth(PLANT, usual, Forecast(), factors) for usual in (known, other))
    assert np.array_equal(one.usd_per_mwh, two.usd_per_mwh)
    assert worth(PLANT, known, Forecast(), factors).usd_per_mwh is one.usd_per_mwh
    # Stored energy is worth less the more there is of it, and never less than nothing
    assert (np.diff(one.usd_per_mwh, axis=2) <= 1e-9).all()
    assert one.usd_per_mwh.min() >= 0.0
    assert one.usd_per_mwh.std() > 1.0
    with pytest.raises(ValueError, match="no past years"):
        worth(PLANT, dataclasses.replace(known, past=None), Forecast(), factors)


def test_values_of_a_spread_of_prices_are_those_of_a_hand_calculation():
    plant = Plant((0.0,), 50.0, 8.0, (), 10, (30.0,))
    one = priced_year(40.0, 60.0)
    table = worth(plant, climatology(one), Forecast("climatology"), np.ones((1, 365, 5))).usd_per_mwh
    # At the end of the night what is given by day saves 60 x 0.95, at the end of the day it saves 40 / 0.95
    assert table[:, 24 * 100 + 11, 0] == pytest.approx(60 * 0.95)
    assert table[:, 24 * 100 + 11, -1] == pytest.approx(60 * 0.95)
    assert table[:, 24 * 100 + 23, 0] == pytest.approx(40 / 0.95)


def test_load_is_worth_more_than_any_sink_in_the_table_of_values():
    """A sink that pays more than twenty times what power costs is still dropped before load."""
    sink = SinkCase("town", np.ones((1, HOURS)), (PriceLevel("v", 5000.0),), 0.0, 0.0, 9.0)
    one = dark_year(imports=(grid(mw=9.0),), sinks=(sink,))
    plant = Plant((0.0,), 10.0, 5.0, (), 10, (9.0,), (9.0,))
    table = worth(plant, climatology(one), Forecast("climatology"), np.ones((1, 365, 5))).usd_per_mwh
    assert table.min() > 20 * 5000.0 * 0.9  # 1 MW of load is always short
    done = run(one, plant, rule=FREE)
    assert done.taken_mwh.sum() == 0.0
