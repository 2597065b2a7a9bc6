"""When resources and battery arrive, if they are built at all; backup units have the like among their own."""

from __future__ import annotations

import math

import pyomo.environ as pyo

from sitedesign.equations.registry import equation


@equation("M1", r"S_r \le \overline{S}_r\,z_r", over="resource")
def resource_link(m, r):
    """Count a resource as built as soon as it has a size; the factor is the most that is allowed."""
    if math.isinf(pyo.value(m.resource_most[r])):  # no factor is large enough: its months are not counted
        return pyo.Constraint.Skip
    return m.resource_mw[r] <= m.resource_most[r] * m.resource_built[r]


@equation("M2", r"M \ge \tau_r\,z_r", over="resource")
def resource_lead_time(m, r):
    """First power comes no sooner than a resource that is built."""
    return m.months_to_power >= m.resource_lead_months[r] * m.resource_built[r]


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
