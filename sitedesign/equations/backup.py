"""Supplies, backup units and imports: what they can give, how they are counted, and when they arrive."""

from __future__ import annotations

from sitedesign.equations.registry import equation


@equation("C1", r"g_{kt} \le s_k\,a_{kt}\,N_k", over=("alike_technology", "step"))
def alike_generation_limit(m, k, t):
    """Units of one kind that derate alike need only their number; an import is so many MW."""
    return m.supply_mw[k, t] <= m.unit_mw[k] * m.capability[k, t] * m.units[k]


@equation("C2", r"g_{kt} \le s_k \sum_i a_{kit}\,y_{ki}", over=("differing_technology", "step"))
def differing_generation_limit(m, k, t):
    """Units with outages of their own each bring what they can give in this step."""
    able = sum(m.unit_capability[k, i, t] * m.unit_built[k, i] for name, i in m.unit if name == k)
    return m.supply_mw[k, t] <= m.unit_mw[k] * able


@equation("C3", r"N_k = \sum_i y_{ki}", over="differing_technology")
def unit_count(m, k):
    """Count the units that are built."""
    return m.units[k] == sum(m.unit_built[name, i] for name, i in m.unit if name == k)


@equation("C4", r"y_{ki} \le y_{k,i-1}", over="later_unit")
def unit_order(m, k, i):
    """Units are built in order, which leaves one way instead of many to say the same plant."""
    return m.unit_built[k, i] <= m.unit_built[k, i - 1]


@equation("C5", r"N_k \le \overline{N}_k\,z_k", over="technology")
def technology_link(m, k):
    """Count a technology as used as soon as one unit is built; the factor is the most units allowed."""
    return m.units[k] <= m.units_max[k] * m.technology_used[k]


@equation("C6", r"M \ge \tau_k\,z_k", over="technology")
def lead_time(m, k):
    """First power comes no sooner than the slowest technology used."""
    return m.months_to_power >= m.lead_months[k] * m.technology_used[k]


@equation("C7", r"F_{kl} = \frac{\Delta t}{Y} \sum_{t \in T_{kl}} g_{kt}", over="supply_level")
def supply_energy(m, k, i):
    """Energy a year at one of the prices, which holds in the steps T; cost and carbon follow from it."""
    given = sum(m.supply_mw[k, t] for t in m.step if m.supply_active_level[k, t] == i)
    return m.energy_mwh_per_yr[k, i] == m.step_h / m.weather_years * given
