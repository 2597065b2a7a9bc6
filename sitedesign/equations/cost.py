"""What is minimised."""

from __future__ import annotations

import pyomo.environ as pyo

from sitedesign.equations.registry import equation


@equation(
    "Z1",
    r"\min\; \sum_r k_r S_r + k_E E + k_P P + \sum_k (k_k N_k + \kappa_k z_k + m_k F_k) + k_R (R - K) + k_M M"
    r" + v \bigl(L^R + \sum_c U_c\bigr)",
    kind="objective",
)
def annual_cost(m):
    """Annualised capital and fixed cost, what a technology costs once, fuel, racks, delay, lost compute."""
    capital = (
        sum(m.resource_cost[r] * m.resource_mw[r] for r in m.resource)
        + m.battery_energy_cost * m.battery_mwh
        + m.battery_power_cost * m.battery_mw
        + sum(m.unit_cost[k] * m.units[k] + m.site_cost[k] * m.technology_used[k] for k in m.technology)
    )
    energy = sum(m.marginal_cost[k] * m.backup_mwh_per_yr[k] for k in m.technology)
    spare_racks = m.rack_cost * (m.racks - m.racks_contracted)
    cost = capital + energy + spare_racks + m.delay_cost * m.months_to_power
    if pyo.value(m.lost_value) == 0.0:  # a zero would still add columns to the solver's objective
        return cost
    return cost + m.lost_value * (m.rack_lost_mwh_per_yr + sum(m.lost_mwh_per_yr[c] for c in m.load_class))
