"""Compile the simulation before it is needed, in a process beside the solver.

The first run on a machine compiles for about ten seconds. The compiler holds the interpreter's lock for most
of that, so that a thread would only take the time away from the solver; what a process of its own compiles
reaches this one through the cache of kernels.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np

from sitedesign import library
from sitedesign.at_once import cores
from sitedesign.case import BackupCase, Case, CaseLimits, Plant, Tier
from sitedesign.reliability import kernel
from sitedesign.reliability.compiled import when_compiled
from sitedesign.reliability.metrics import lost_by_year
from sitedesign.reliability.operation import operate
from sitedesign.reliability.restart import Restart

_COMMAND = "from sitedesign.reliability.ahead import compile_simulation; compile_simulation()"
_STEPS = 8760


def compile_ahead() -> None:
    """Begin to compile where nothing is compiled yet; the first simulation then waits for the end of it.

    With one core there is nothing to gain: the simulation is then compiled when it is needed, as it is
    wherever the process cannot be started or ends without having compiled anything.
    """
    if cores() < 2 or _is_compiled():
        return
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    nothing = subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", _COMMAND], env=environment, stdin=nothing, stdout=nothing, stderr=nothing
        )
    except OSError:
        return
    when_compiled(process)


def compile_simulation() -> None:
    """Operate a plant of nothing for a year; what is compiled already is only loaded."""
    zero, one = np.zeros(_STEPS), np.ones(_STEPS)
    unit = BackupCase("unit", 1.0, np.ones((1, _STEPS)), 1.0, 1.0, 1.0, 0.0, 0.0, 0, 0)
    case = Case(
        name="nothing",
        step_h=1.0,
        years=1,
        solar_yield=zero,
        load_mw=one,
        usable=one,
        eta_charge=1.0,
        eta_discharge=1.0,
        backup=(unit,),
        tiers=(Tier(1.0, 1.0),),
        solar_cost_usd_per_mw_yr=0.0,
        battery_cost_usd_per_mwh_yr=0.0,
        battery_cost_usd_per_mw_yr=0.0,
        solar_acres_per_mw=0.0,
        solar_lead_months=0.0,
        battery_lead_months=0.0,
        racks_contracted=1,
        racks_max=1,
        rack_availability=1.0,
        rack_cost_usd_per_yr=0.0,
        uptime_target=0.0,
        delay_cost_usd_per_month_yr=0.0,
        limits=CaseLimits((0.0, 1.0), (0.0, 1.0), (0.0, 1.0)),
    )
    restart = Restart.from_library(library.rack("gb200_nvl72"))
    done = operate(case, Plant(0.0, 0.0, 0.0, (0,), 1), restart=restart, record=False)
    lost_by_year(case, done.shed_mw, done.lost_by_class, "rack")


def _is_compiled() -> bool:
    """Whether the cache holds the simulation as its source stands."""
    source = Path(kernel.__file__)
    with suppress(OSError):
        written = source.stat().st_mtime
        folder = Path(str(kernel.simulate.stats.cache_path))
        return any(index.stat().st_mtime >= written for index in folder.glob("kernel.simulate-*.nbi"))
    return False
