"""Compile the simulation before it is needed, in a thread beside the solver.

The first run on a machine compiles for about ten seconds. Most of that holds no lock of the interpreter, and
neither does the solver.
"""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np

from sitedesign.case import Case, Plant
from sitedesign.reliability.metrics import lost_by_year
from sitedesign.reliability.operation import operate
from sitedesign.reliability.restart import Restart


def compile_ahead(case: Case, restart: Restart) -> threading.Thread:
    """Operate a plant of nothing in a thread of its own; what is compiled already is only loaded.

    Parameters
    ----------
    case : Case
    restart : Restart

    Returns
    -------
    Thread
        Under way.
    """
    thread = threading.Thread(target=_operate_nothing, args=(case, restart), name="compile ahead")
    thread.start()
    return thread


def _operate_nothing(case: Case, restart: Restart) -> None:
    per_year = case.steps // case.years
    series = {name: getattr(case, name)[:per_year].copy() for name in ("solar_yield", "load_mw", "usable")}
    backup = tuple(replace(item, capability=np.ones((1, per_year))) for item in case.backup)
    year = replace(case, years=1, backup=backup, **series)
    nothing = Plant(0.0, 0.0, 0.0, (0,) * len(backup), case.racks_contracted)
    done = operate(year, nothing, restart=restart, record=False)
    lost_by_year(year, done.shed_mw, done.lost_by_class, "rack")
