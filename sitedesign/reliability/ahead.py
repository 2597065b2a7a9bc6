"""What the process does that compiles beside the solver (:mod:`sitedesign.util.compile_ahead`)."""

from __future__ import annotations

import numpy as np

from sitedesign.case.case import BackupCase, Case, Resource, Tier
from sitedesign.case.limits import CaseLimits
from sitedesign.case.plant import Plant
from sitedesign.operation.environment import OperatingEnvironment
from sitedesign.operation.forecast import climatology
from sitedesign.operation.operate import operate
from sitedesign.operation.outages.rates import FuelOutages, OutageConditions, OutageModel, UnitOutages
from sitedesign.operation.outages.sampling import sample_outages
from sitedesign.operation.rack_restart import Restart

_STEPS = 8760


def compile_simulation() -> None:
    """Operate a plant of nothing for a year and draw failures; what is compiled already is only loaded."""
    zero, one = np.zeros(_STEPS), np.ones(_STEPS)
    unit = BackupCase("unit", 1.0, np.ones((1, _STEPS)), 1.0, 1.0, 1.0, 0.0, 0.0, 0, 0)
    case = Case(
        name="nothing",
        step_h=1.0,
        years=1,
        resources=(Resource("solar", "solar array", zero, 0.0, 0.0, 0.0, (0.0, 1.0)),),
        load_mw=one,
        usable=one,
        eta_charge=1.0,
        eta_discharge=1.0,
        backup=(unit,),
        tiers=(Tier(1.0, 1.0),),
        battery_cost_usd_per_mwh_yr=0.0,
        battery_cost_usd_per_mw_yr=0.0,
        battery_lead_months=0.0,
        racks_contracted=1,
        racks_max=1,
        rack_availability=1.0,
        rack_cost_usd_per_yr=0.0,
        uptime_target=0.0,
        delay_cost_usd_per_month_yr=0.0,
        limits=CaseLimits((0.0, 1.0), (0.0, 1.0)),
    )
    environment = OperatingEnvironment(climatology(case), restart=Restart(0.0, 0.0))
    operate(case, Plant((0.0,), 0.0, 0.0, (0,), 1), environment=environment, record=False)
    # Last, though needed first: a study that comes to them sooner compiles them instead of waiting.
    # Failures of one unit by temperature, common causes and cold days: all that draws
    model = OutageModel(
        (UnitOutages("unit", "fuel", 0.1, 10.0, ((-20.0, 0.1), (40.0, 0.1)), 0.0, 0.1, 10.0, 0.5, 0.5),),
        (FuelOutages("fuel", cold_event_per_yr=1.0, cold_limit_c=1.0),),
    )
    sample_outages(model, (1,), OutageConditions(1.0, 1, 0, zero, climatology(case, one)))
