"""What is minimised."""

from __future__ import annotations

import pyomo.environ as pyo

from sitedesign.equations.registry import equation


@equation(
    "Z1",
    r"\min\; \sum_r k_r S_r + k_E E + k_P P"
    r" + \sum_k \bigl(k_k N_k + \kappa_k z_k + \sum_l m_{kl} F_{kl}\bigr) + k_R (R - \lambda K) + k_M M + k_0"
    r" + v \bigl(L^R + \sum_c U_c\bigr) + \sum_s \bigl(k_s X_s - \sum_l v_{sl} (A_{sl} X_s - W_{sl})\bigr)",
    kind="objective",
)
def annual_cost(m):
    """Capital and fixed cost, what a supply costs once, energy, racks, delay, lost compute; less sales."""
    capital = (
        sum(m.resource_cost[r] * m.resource_mw[r] for r in m.resource)
        + m.battery_energy_cost * m.battery_mwh
        + m.battery_power_cost * m.battery_mw
        + sum(m.unit_cost[k] * m.units[k] + m.site_cost[k] * m.technology_used[k] for k in m.technology)
    )
    energy = sum(m.marginal_cost[k, i] * m.energy_mwh_per_yr[k, i] for k, i in m.supply_level)
    spare_racks = m.rack_cost * (m.racks - m.racks_contracted * m.share)
    cost = capital + energy + spare_racks + m.delay_cost * m.months_to_power
    if pyo.value(m.fixed_cost) > 0.0:
        cost += m.fixed_cost
    if m.sink:
        size = sum(m.sink_cost[s] * m.sink_units[s] for s in m.sink)
        taken = {
            (s, i): m.appetite_mwh_per_yr[s, i] * m.sink_units[s] - m.missed_mwh_per_yr[s, i]
            for s, i in m.sink_level
        }
        cost += size - sum(m.sink_value[s, i] * taken[s, i] for s, i in m.sink_level)
    if pyo.value(m.lost_value) == 0.0:  # a zero would still add columns to the solver's objective
        return cost
    return cost + m.lost_value * (m.rack_lost_mwh_per_yr + sum(m.lost_mwh_per_yr[c] for c in m.load_class))
