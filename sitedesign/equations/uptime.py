"""The uptime budget, in rack-hours."""

from __future__ import annotations

from sitedesign.equations.registry import equation


@equation("U1", r"U = \frac{\Delta t}{Y} \sum_t \sum_j w_j\,u_{jt}")
def lost_energy(m):
    """Shed load counts with the compute it costs; a rack-hour counts with the power it needs in that hour."""
    lost = sum(m.tier_weight[j] * m.shed_mw[j, t] for j in m.tier for t in m.step)
    return m.lost_mwh_per_yr == m.step_h / m.weather_years * lost


@equation("U2", r"U + L^R \le (1 - A)\,\bar\ell")
def uptime(m):
    """Missing power and broken racks together stay within the downtime allowed."""
    return m.lost_mwh_per_yr + m.rack_lost_mwh_per_yr <= (1 - m.uptime_target) * m.load_mwh_per_yr
