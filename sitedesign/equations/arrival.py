"""When array and battery arrive, if they are built at all; backup units have the like among their own."""

from __future__ import annotations

import math

import pyomo.environ as pyo

from sitedesign.equations.registry import equation


@equation("M1", r"S \le \overline{S}\,z_S")
def solar_link(m):
    """Count the array as built as soon as it has a size; the factor is the most that is allowed."""
    if math.isinf(pyo.value(m.solar_most)):  # no factor is large enough: its months are not counted
        return pyo.Constraint.Skip
    return m.solar_mw <= m.solar_most * m.solar_built


@equation("M2", r"M \ge \tau_S\,z_S")
def solar_lead_time(m):
    """First power comes no sooner than an array that is built."""
    return m.months_to_power >= m.solar_lead_months * m.solar_built


@equation("M3", r"E \le \overline{E}\,z_E")
def battery_link(m):
    """Count the battery as built as soon as it holds energy; the factor is the most energy allowed."""
    if math.isinf(pyo.value(m.battery_most)):
        return pyo.Constraint.Skip
    return m.battery_mwh <= m.battery_most * m.battery_built


@equation("M4", r"M \ge \tau_E\,z_E")
def battery_lead_time(m):
    """First power comes no sooner than a battery that is built."""
    return m.months_to_power >= m.battery_lead_months * m.battery_built
