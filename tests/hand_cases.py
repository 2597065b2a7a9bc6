"""Plants of a few hours whose optimum was found with a pencil; the derivation stands beside each."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from sitedesign.case.case import Case, Tier
from sitedesign.case.plant import Plant
from tests.cases import backup, case

NO_BATTERY = {"battery_mwh": (0.0, 0.0), "battery_mw": (0.0, 0.0)}
NO_SUN = {"solar_mw": (0.0, 0.0)}


@dataclass(frozen=True)
class Hand:
    """A case, its best plant and that plant's cost; `relaxed_usd` is the value of the linear relaxation."""

    case: Case
    plant: Plant
    cost_usd: float
    relaxed_usd: float | None = None


def night() -> Hand:
    """Two dark hours, two sunny ones, 10 MW of load, never a shortfall, no backup.

    In the dark the battery gives 20 MWh, which takes 20/0.8 = 25 MWh from the full store: E = 25. The sun
    must carry 20 MWh of load and put 25 back (charging is free of loss here): 2 S = 45, S = 22.5, and both
    hours are needed in full, so P = 22.5 - 10 = 12.5.
    """
    c = case([0, 0, 1, 1], [10.0] * 4, backup=(), eta_charge=1.0, eta_discharge=0.8, uptime_target=1.0)
    return Hand(c, Plant((22.5,), 25.0, 12.5, (), 10), 22.5 * 90e3 + 25 * 22e3 + 12.5 * 12e3)


def night_with_fade() -> Hand:
    """The same with 80 % of the nameplate energy usable: E = 25/0.8 = 31.25, all else equal."""
    c = dataclasses.replace(night().case, usable=np.full(4, 0.8))
    return Hand(c, Plant((22.5,), 31.25, 12.5, (), 10), 22.5 * 90e3 + 31.25 * 22e3 + 12.5 * 12e3)


def engines() -> Hand:
    """Dark half hours of 10, 25 and 20 MW, no battery, no shortfall: three 10 MW units, 27.5 MWh of fuel.

    The relaxation buys 2.5 units.
    """
    c = case([0, 0, 0], [10, 25, 20], step_h=0.5, uptime_target=1.0, limits=NO_BATTERY | NO_SUN)
    return Hand(c, Plant((0,), 0, 0, (3,), 10), 3 * 0.8e6 + 27.5 * 60, 2.5 * 0.8e6 + 27.5 * 60)


def engines_with_a_budget() -> Hand:
    """2.5 of these 27.5 MWh may be lost: two units, which miss 5 MW for half an hour and burn 25 MWh."""
    c = dataclasses.replace(engines().case, uptime_target=1 - 2.5 / 27.5)
    return Hand(c, Plant((0,), 0, 0, (2,), 10), 2 * 0.8e6 + 25 * 60)


def spare_rack() -> Hand:
    """Two contracted racks of 90 %: e(2) = 0.1, e(3) = 0.0145, and 2 % may be lost.

    So one spare rack; the rest, 0.0055 x 30 MWh = 0.165 MWh, is shed to save fuel. One unit.
    """
    c = case([0, 0, 0], [10.0] * 3, uptime_target=0.98, limits=NO_BATTERY | NO_SUN,
             racks_contracted=2, racks_max=6, rack_availability=0.9)  # fmt: skip
    return Hand(c, Plant((0,), 0, 0, (1,), 3), 0.8e6 + 0.5e6 + (30 - 0.165) * 60)


def green() -> Hand:
    """40 % of 30 MWh must come from a sun of 0.5: 12 MWh = 3 h x 0.5 x S, so S = 8, and 18 MWh are burnt."""
    c = case([0.5] * 3, [10.0] * 3, uptime_target=1.0, limits=NO_BATTERY | {"min_renewable_share": 0.4})
    return Hand(c, Plant((8.0,), 0, 0, (1,), 10), 8 * 90e3 + 0.8e6 + 18 * 60)


def carbon() -> Hand:
    """The same plant, asked for by a cap: 18 MWh x 0.45 t/MWh = 8.1 t."""
    c = case([0.5] * 3, [10.0] * 3, uptime_target=1.0, limits=NO_BATTERY | {"max_co2_t_per_yr": 8.1})
    return dataclasses.replace(green(), case=c)


def broken_unit() -> Hand:
    """Two 10 MW units for 10 MW, the first down in the second hour: with no shortfall both are needed."""
    unit = backup(3, capability=np.array([[1, 0, 1], [1, 1, 1.0]]), units_max=2)
    c = case([0] * 3, [10.0] * 3, uptime_target=1.0, limits=NO_BATTERY | NO_SUN, backup=(unit,))
    return Hand(c, Plant((0,), 0, 0, (2,), 10), 2 * 0.8e6 + 30 * 60)


def broken_unit_allowed() -> Hand:
    """One of three hours may be lost: the first unit is enough and burns 20 MWh."""
    c = dataclasses.replace(broken_unit().case, uptime_target=2 / 3 - 1e-9)
    return Hand(c, Plant((0,), 0, 0, (1,), 10), 0.8e6 + 20 * 60)


def throttled() -> Hand:
    """Throttling by 30 % costs half as much compute: 3 of 10 MW cost 15 %, which 85 % uptime just allows.

    One unit of 7 MW, two hours, 14 MWh.
    """
    tiers = (Tier(0.3, 0.5), Tier(0.7, 0.85 / 0.7))
    c = case([0] * 2, [10.0] * 2, uptime_target=0.85, limits=NO_BATTERY | NO_SUN, tiers=tiers,
             backup=(backup(2, unit_mw=7.0),))  # fmt: skip
    return Hand(c, Plant((0,), 0, 0, (1,), 10), 0.8e6 + 14 * 60)


def in_a_hurry() -> Hand:
    """Fast units (6 months) cost 0.2 MUSD/yr more than slow ones (30 months), a month of delay 10,000 USD/yr.

    24 months x 10,000 = 240,000 > 200,000: fast.
    """
    fast = backup(3, "fast", lead_months=6.0, annual_cost_usd_per_unit=1.0e6)
    slow = backup(3, "slow", lead_months=30.0)
    c = case([0] * 3, [10.0] * 3, uptime_target=1.0, limits=NO_BATTERY | NO_SUN, backup=(fast, slow),
             delay_cost_usd_per_month_yr=10e3)  # fmt: skip
    return Hand(c, Plant((0,), 0, 0, (1, 0), 10), 1.0e6 + 6 * 10e3 + 30 * 60)


def with_time() -> Hand:
    """At 5,000 USD/yr a month the slow unit wins: 0.8 + 0.15 against 1.0 + 0.03 MUSD/yr."""
    c = dataclasses.replace(in_a_hurry().case, delay_cost_usd_per_month_yr=5e3)
    return Hand(c, Plant((0,), 0, 0, (0, 1), 10), 0.8e6 + 30 * 5e3 + 30 * 60)


def too_slow() -> Hand:
    """At most 12 months forbid the slow unit whatever delay costs."""
    c = in_a_hurry().case
    limits = dataclasses.replace(c.limits, months_to_power=12.0)
    c = dataclasses.replace(c, delay_cost_usd_per_month_yr=0.0, limits=limits)
    return Hand(c, Plant((0,), 0, 0, (1, 0), 10), 1.0e6 + 30 * 60)


def short_battery() -> Hand:
    """The night again, but the battery must last four hours at full power: E = 4 P = 50."""
    c = night().case
    c = dataclasses.replace(c, limits=dataclasses.replace(c.limits, min_duration_h=4.0))
    return Hand(c, Plant((22.5,), 50.0, 12.5, (), 10), 22.5 * 90e3 + 50 * 22e3 + 12.5 * 12e3)


HAND_CASES = (
    night, night_with_fade, engines, engines_with_a_budget, spare_rack, green, carbon, broken_unit,
    broken_unit_allowed, throttled, in_a_hurry, with_time, too_slow, short_battery,
)  # fmt: skip
