"""The uptime budget of each class of the load, in rack-hours."""

from __future__ import annotations

import pyomo.environ as pyo

from sitedesign.equations.registry import equation


@equation("U1", r"U_c = \frac{\Delta t}{Y} \sum_t \sum_{j \in J_c} w_j\,u_{jt}", over="load_class")
def lost_energy(m, c):
    """Shed load counts with the compute it costs; a rack-hour counts with the power it needs in that hour."""
    lost = sum(m.tier_weight[j] * m.shed_mw[j, t] for j in m.tier if m.tier_class[j] == c for t in m.step)
    return m.lost_mwh_per_yr[c] == m.step_h / m.weather_years * lost


@equation("U2", r"U_c + \sigma_c\,L^R \le (1 - A_c)\,\sigma_c\,\lambda\,\bar\ell", over="load_class")
def uptime(m, c):
    """Missing power and broken racks, which every class bears alike, stay within the downtime allowed."""
    if m.uptime_target[c] <= 0.0:  # asks for nothing: all may be lost
        return pyo.Constraint.Skip
    allowed = (1 - m.uptime_target[c]) * m.load_share[c] * m.load_mwh_per_yr * m.share
    return m.lost_mwh_per_yr[c] + m.load_share[c] * m.rack_lost_mwh_per_yr <= allowed
