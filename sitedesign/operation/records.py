"""What the compiled simulation reads and writes: rows of plant, units and tiers, and the series of a run.

State and constants travel as record arrays, which compiled code reads without touching reference counts.
Supplies that are built (technologies of backup, then imports) are in order of their usual price, tiers in
order of weight.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Record = Any  # one row of a record array: in calls, far cheaper than the array

#: One row a resource, the sun first: constants, then state.
RESOURCE = np.dtype(
    [
        ("size_mw", "f8"),
        ("blocks", "f8"),
        ("scale", "f8"),  # factor on the yield when every block works
        ("blocks_down", "f8"),
        ("forecast_mw", "f8"),  # planned: power per yield of the average year, or of the truth [MW]
        ("told_day", "i8"),  # day of which something was added up
        ("told_steps", "i8"),  # its steps that were
        ("observed", "f8"),  # what was seen in them [MW/MW]
        ("expected", "f8"),  # what the average year gives in them [MW/MW]
    ],
    align=True,
)
#: One row a supply: constants, then state. An import is one unit without a start or a least load.
TECH = np.dtype(
    [
        ("row", "i8"),  # among the supplies of the case
        ("unit_mw", "f8"),
        ("units", "i8"),
        ("first_unit", "i8"),  # number of its first unit
        ("rated_firm_mw", "f8"),  # power of one unit that plans count on while nothing is amiss [MW]
        ("intercept", "f8"),
        ("start_steps", "f8"),
        ("start_failure", "f8"),
        ("start_beta", "f8"),
        ("start_lethal", "f8"),
        ("start_coupling", "f8"),
        ("start_common_steps", "f8"),
        ("start_repair_steps", "f8"),
        ("retry_steps", "f8"),
        ("retry_success", "f8"),
        ("start_key", "u8"),
        ("fuel", "i8"),  # number of its fuel, -1 for none that can be interrupted
        ("min_load_mw", "f8"),  # lowest load of one unit [MW]
        ("fuel_inventory_max", "f8"),  # fuel kept on site, in steps of all units at full load
        ("refill_rate", "f8"),  # the same, brought in one step
        ("delivery", "f8"),  # the same, brought in one step while it is burnt from the tank
        ("boil_off", "f8"),  # the same, lost in one step
        ("tracked", "i8"),  # burns from the tank at all times
        ("min_load_fuel", "f8"),  # the same, burnt in one step by one unit at its lowest load
        ("min_run_steps", "f8"),  # steps that a unit stays on after it was needed
        ("ramp_mw", "f8"),  # most change of one unit's output from step to step, 0 for any [MW]
        ("start_fuel_mwh", "f8"),  # fuel of one start, full-load equivalent [MWh]
        ("service_every_h", "f8"),  # hours that a unit runs from service to service, 0 for none [h]
        ("service_steps", "f8"),
        ("divisible", "i8"),  # an import: any power, at once
        ("notice_steps", "i8"),  # steps from the notice of a call to the call
        ("announced", "i8"),  # row of what calls leave, -1 where nothing is called
        ("able_mw", "f8"),  # what all free units can give in this step [MW]
        ("second_fuel", "i8"),  # another fuel from the tank, at the second level of price
        ("second_fuel_share", "f8"),  # of its power that the other fuel gives
        ("switch_steps", "f8"),  # from an interruption to the other fuel
        ("first_level", "i8"),  # row of its first level of price
        ("place", "i8"),  # of row i: the i-th cheapest row of all in this step
        ("level", "i8"),  # of price, in force
        ("usd_per_mwh", "f8"),  # its price
        ("intact", "i8"),  # an import: its wires are there
        ("firm_mw", "f8"),  # power of one unit that plans count on now [MW]
        ("n_on", "i8"),
        ("n_free", "i8"),  # units that are not down, running or not
        ("n_plan", "i8"),  # units that the plan wants
        ("n_keep", "i8"),  # running units that are not stopped
        ("n_target", "i8"),  # units decided on
        ("n_given", "i8"),  # units on line: those that give power in this step
        ("n_lost", "i8"),  # of them, those that an event takes
        ("min_up_until", "f8"),  # step until which running units stay on
        ("ramped_at", "f8"),  # step from which all running units give full power
        ("unit_available_mw", "f8"),  # what one unit can give in this step [MW]
        ("units_per_mw", "f8"),  # the inverse, 0 where it can give nothing [1/MW]
        ("running_mw", "f8"),  # what the running units can give in this step [MW]
        ("max_mw", "f8"),  # what their fuel lets them give of it [MW]
        ("min_mw", "f8"),  # what they give at least [MW]
        ("setpoint_mw", "f8"),  # decided, then real output [MW]
        ("common_causes", "i8"),  # common causes in force
        ("interrupted", "i8"),  # supply of its fuel is interrupted
        ("on_tank", "i8"),  # what it burns comes from the tank
        ("tank_gain", "f8"),  # what the tank gains in one step beside what is burnt
        ("settled_at", "f8"),  # step up to which it has gained
        ("switched_at", "f8"),  # step at which units are on the other fuel
        ("fuel_inventory", "f8"),
        ("refilled_from", "f8"),  # step from which the tank fills again
        ("energy_mwh", "f8"),  # since it was last booked on a level and a year [MWh]
        ("fuel_mwh", "f8"),  # the same, full-load equivalent [MWh]
        ("starts", "i8"),  # since they were last booked on a year
    ],
    align=True,
)
UNIT = np.dtype(
    [
        ("on", "i8"),
        ("down", "i8"),  # causes that keep it down
        ("started_at", "f8"),  # step of its last start
        ("ready_at", "f8"),  # step at which it delivers after a start
        ("repaired_at", "f8"),  # step until which it is repaired after a failed start
        ("start_key", "u8"),  # stream of its start failures, 0 for none
        ("min_down_steps", "f8"),  # steps that it stands still at least
        ("startable_at", "f8"),  # step until which it stands still after it ran
        ("serviced_until", "f8"),  # step until which it is in service by its run hours
        ("serviced_h", "f8"),  # run hours at its last service
        ("gave_mw", "f8"),  # in the step before, where a ramp limits it [MW]
        ("run_h", "f8"),
        ("starts", "i8"),
        ("failed_starts", "i8"),
    ],
    align=True,
)
TIER = np.dtype([("share", "f8"), ("loss_per_mwh", "f8"), ("throttled_mw", "f8")], align=True)
#: One row a sink.
SINK = np.dtype(
    [
        ("size_mw", "f8"),
        ("first_level", "i8"),  # row of its first level of value
        ("place", "i8"),  # of row i: the i-th best paying row of all in this step
        ("level", "i8"),  # of value, in force
        ("usd_per_mwh", "f8"),  # its value
        ("wanted_mw", "f8"),  # what it would take in this step [MW]
        ("taken_mw", "f8"),  # decided, then really taken [MW]
    ],
    align=True,
)
#: One row: the plant, then what changes.
PLANT = np.dtype(
    [
        ("step_h", "f8"),
        ("battery_mwh", "f8"),
        ("battery_mw", "f8"),
        ("mwh_per_mw_charge", "f8"),  # stored energy per MW charged over a step [MWh]
        ("mwh_per_mw_discharge", "f8"),  # stored energy per MW discharged over a step [MWh]
        ("min_run_steps", "f8"),
        ("priced", "i8"),  # some price or value changes over time, or there is a second fuel
        ("imports", "i8"),  # number of imports
        ("battery_blocks", "f8"),
        ("stored_mwh", "f8"),
        ("stranded_mwh", "f8"),  # energy in battery blocks that are down
        ("battery_blocks_down", "f8"),
        ("battery_causes", "f8"),
        ("site_causes", "f8"),
        ("battery_share", "f8"),  # of the battery's blocks, those that work
        ("next_repair", "f8"),  # next step at which a repair ends
        ("single_starts", "i8"),  # starts may fail one by one
        ("common_starts", "i8"),  # starts may fail all together
        ("day", "i8"),  # number of this day
        ("day_of_year", "i8"),
        ("day_step", "i8"),  # steps passed of this day
        ("recharging", "i8"),  # greedy: units run to refill
        ("power_mw", "f8"),  # battery power now [MW]
        ("capacity_mwh", "f8"),  # battery energy now [MWh]
        ("planned_at", "i8"),  # step of the last plan, -1 when it is stale
        ("planned_until", "i8"),  # step from which another plan is due
        ("known_levels", "i8"),  # levels of need known since
        ("midnight_day", "i8"),  # day whose coming midnight is known, -1 when it is stale
        ("midnight_levels", "i8"),  # levels known of it
        ("serviced", "i8"),  # some units are serviced by their run hours
        ("reserve", "i8"),  # a reserve is held
        ("n_minus", "i8"),  # units whose trip it covers
        ("load_step_mw", "f8"),  # rise of the load that it covers [MW]
        ("spinning_share", "f8"),  # of the load, on top
        ("resource_share", "f8"),  # of the power of sun and wind, on top
        ("held_mwh_per_mw", "f8"),  # stored energy that a MW of reserve in the battery needs [MWh/MW]
        ("ride_failure", "f8"),  # share of the ride-through that fails when it is called upon
        ("tripped_mw", "f8"),  # what units that tripped in this step gave before [MW]
        ("first_step", "i8"),  # step from which the years are run
        ("busy", "i8"),  # something was running or throttled before the first step, or before a midnight
        ("missed_starts", "i8"),  # since midnight: 1 some failed alone or would have, 2 together, 3 both
    ],
    align=True,
)
RULE = np.dtype(
    [
        ("kind", "i8"),
        ("start_soc", "f8"),
        ("soc_band", "f8"),
        ("reserve_mwh", "f8"),
        ("throttle_reserve_mwh", "f8"),
        ("issue_steps", "i8"),
        ("perfect", "i8"),
        ("blends_observed", "i8"),  # what was seen of today corrects its forecast
        ("lead_days", "i8"),
        ("day_steps", "i8"),
    ],
    align=True,
)


class Inputs(NamedTuple):
    """What weather, markets and failures bring: series by step, changes of state by step.

    Attributes
    ----------
    yields : ndarray, shape (R, T)
        Of each resource. [MW/MW]
    load_mw, usable : ndarray, shape (T,)
        Usable is a share of the battery. [MW, fraction]
    capability : ndarray, shape (supplies, T)
        Of all supplies of the case, in its order. [fraction]
    """

    yields: Array
    load_mw: Array
    usable: Array
    capability: Array
    event_step: Array
    event_kind: Array
    event_index: Array
    event_change: Array


class Horizon(NamedTuple):
    """What a forecast window reads.

    Attributes
    ----------
    window : ndarray, shape (1 + R + K, steps)
        Load, yields, capability; of the average year, or the truth. [MW, MW/MW, fraction]
    factor : ndarray, shape (R, days, leads)
        Forecast factors on the yields, by day of issue. [fraction]
    announced : ndarray, shape (rows, T)
        What calls leave of imports, of which only the steps within the notice are read. [fraction]
    """

    window: Array
    factor: Array
    announced: Array


class Worth(NamedTuple):
    """What stored energy is worth.

    Attributes
    ----------
    usd_per_mwh : ndarray, shape (classes, steps per year, cells)
        After each step of the year, by outlook of the day and part of the battery, the empty part first.
        [USD/MWh stored]
    day_class : ndarray, shape (days,)
        Outlook of each day as it is forecast at its midnight.
    cell_mwh : float
        Size of a part. [MWh stored]
    """

    usd_per_mwh: Array
    day_class: Array
    cell_mwh: float


class Outlook(NamedTuple):
    """What the operator expects.

    Attributes
    ----------
    yields, day_yields : ndarray, shapes (R, steps per year) and (R, 365)
        Of the average year, by step and summed by day. [MW/MW]
    horizon : Horizon
    seen : ndarray, shape (R, T)
        What the resources really give, of which only the steps that have passed are read. [MW/MW]
    terminal_mwh : ndarray, shape (levels, steps per year)
        Energy that the average year asks for, where a window ends. [MWh]
    """

    yields: Array
    day_yields: Array
    seen: Array
    horizon: Horizon
    terminal_mwh: Array


class Hub(NamedTuple):
    """What an island does not have; kernels compiled without it know nothing of all this.

    Attributes
    ----------
    sink : ndarray of records
    sink_capability : ndarray, shape (S, T)
        What sinks would take. [fraction]
    level, sink_level : ndarray, shapes (supplies, T) and (S, T), or (supplies, 0) and (S, 0)
        Level of price that holds, in the case's order; no columns where none ever changes.
    usd_per_mwh : ndarray
        Prices of all levels of all supplies, then values of all sinks, in the case's order. [USD/MWh]
    worth : Worth
    """

    sink: Array
    sink_capability: Array
    level: Array
    sink_level: Array
    usd_per_mwh: Array
    worth: Worth


class Fleet(NamedTuple):
    """Rows that plans read and write: supplies, tiers, the plant, the rule, resources.

    What is passed between kernels is passed array by array: the fewer, the faster.
    """

    tech: Array
    tier: Array
    plant: Array
    rule: Array
    resource: Array


class State(NamedTuple):
    """Fleet, units, interruptions in force by fuel, and the row of each of the case's technologies.

    Those that are not built have rows beyond the last of `tech`.
    """

    fleet: Fleet
    unit: Array
    fuel_causes: Array
    rank: Array


class Plan(NamedTuple):
    """Room in which a kernel, which allocates none, plans: stored energy that each level requires. [MWh]

    `required_mwh` (levels, steps of a day + 2) counts from the planned step on, `midnight_mwh` (levels,) is
    that of the coming midnight, `change_mwh` what each step of a day takes from the battery, `following_mwh`
    that of the days after the planned one. Beside them, by step of the day that is run: `free_mw`, what the
    resources give, and `able_mw`, a row each, what one unit of each supply can give [MW], with its inverse.
    """

    required_mwh: Array
    midnight_mwh: Array
    change_mwh: Array
    following_mwh: Array
    free_mw: Array
    able_mw: Array
    units_per_mw: Array


class Trail(NamedTuple):
    """State of a plant at every midnight of a run; no rows where nobody keeps it.

    A run that follows the trail of another goes on from the first midnight after which other things fail,
    and where it comes to a midnight in the state that is kept, from the next such midnight.

    Attributes
    ----------
    words, numbers : ndarray of int and of float
        One memory that holds all records of a plant, seen as both.
    carried, until : ndarray of int
        Places in it of what one day takes over from the day before, and of steps until which something holds:
        whatever lies behind is all the same.
    kept : ndarray of int, shape (days, carried + until)
        Of each midnight.
    differs : ndarray of bool, shape (days,)
        Days on which other things fail than in the run whose trail this is.
    missed_starts : ndarray of int, shape (days,)
        As in the plant's record.
    """

    words: Array
    numbers: Array
    carried: Array
    until: Array
    kept: Array
    differs: Array
    missed_starts: Array


class Output(NamedTuple):
    """Results: by step, and sums over each year.

    `series` holds rows for curtailed, charge, discharge, stored, power of the resources and reserve missing,
    or no columns when only shed load is kept, as `supply_mw` (K, T), `unit_mw` (units, T) and `taken_mw`
    (S, T) do; `energy_mwh` and `fuel_mwh` (levels of price, years), `starts` (K, years), `cycled_mwh`
    (years,); `on_h` (K + 1, 2, years) the hours in which any unit of each technology gives power, and last
    any at all, by day and at night, or no rows where nobody asks; `reserve` (3, years) holds the hours in
    which reserve is missing, the most of it, and its energy. [h, MW, MWh]
    """

    shed_mw: Array
    lost_compute: Array
    series: Array
    supply_mw: Array
    unit_mw: Array
    taken_mw: Array
    energy_mwh: Array
    fuel_mwh: Array
    starts: Array
    cycled_mwh: Array
    on_h: Array
    reserve: Array


class Flows(NamedTuple):
    """One step: resources, charge, discharge, curtailment, shed load, weighted loss, balance error. [MW]"""

    free: float
    charge: float
    discharge: float
    curtailed: float
    shed: float
    weighted: float
    error: float
