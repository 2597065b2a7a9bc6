"""The hour-by-hour model: every step of every weather year in one mixed-integer program.

The readable reference and the yardstick of the fast method. One year takes HiGHS some tens of seconds.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.common.gc_manager import PauseGC

from sitedesign.case import Case, Dispatch, FloatArray, Plant, Sizing
from sitedesign.equations import backup, balance, battery, cost, limits, racks, uptime
from sitedesign.equations.variables import USD_PER_MUSD, declare_capacities, declare_operation
from sitedesign.errors import NotProvenOptimal
from sitedesign.optimize.rack_shortfall import shortfall_chords, shortfall_curve
from sitedesign.optimize.solver import PersistentHighs, SolveReport, Status

Progress = Callable[[str], None]


def add_capacity_model(m: pyo.ConcreteModel, case: Case) -> None:
    """Add everything that does not depend on the step: capacities, counts, budgets of annual totals, cost.

    Parameters
    ----------
    m : pyomo.environ.ConcreteModel
        Empty. A master problem may start from this and bound the annual totals by cuts.
    case : Case
    """
    curve = shortfall_curve(case.racks_contracted, case.racks_max, case.rack_availability)
    declare_capacities(m, case, shortfall_chords(curve))
    backup.unit_count.add(m)
    backup.unit_order.add(m)
    backup.technology_link.add(m)
    backup.lead_time.add(m)
    racks.rack_shortfall_chord.add(m)
    uptime.uptime.add(m)
    if case.limits.land_acres is not None:
        limits.land_limit.add(m)
    if case.limits.min_duration_h is not None:
        limits.least_duration.add(m)
    if case.limits.max_duration_h is not None:
        limits.longest_duration.add(m)
    if case.limits.min_renewable_share is not None and case.backup:
        limits.renewable_share.add(m)
    if case.limits.max_co2_t_per_yr is not None and case.backup:
        limits.co2_limit.add(m)
    cost.annual_cost.add(m)


def build_model(case: Case) -> pyo.ConcreteModel:
    """Build the hour-by-hour model of a case.

    Parameters
    ----------
    case : Case

    Returns
    -------
    pyomo.environ.ConcreteModel
        Objective in million USD a year.
    """
    m = pyo.ConcreteModel(name=case.name)
    with PauseGC():  # a year makes 10^5 small objects, none of which is garbage
        add_capacity_model(m, case)
        declare_operation(m, case)
        balance.power_balance.add(m)
        battery.battery_start.add(m)
        battery.battery_energy_balance.add(m)
        battery.battery_end.add(m)
        battery.battery_energy_limit.add(m)
        battery.charge_limit.add(m)
        battery.discharge_limit.add(m)
        backup.alike_generation_limit.add(m)
        backup.differing_generation_limit.add(m)
        backup.backup_energy.add(m)
        uptime.lost_energy.add(m)
    return m
