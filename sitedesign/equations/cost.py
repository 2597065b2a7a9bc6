"""What is minimised."""

from __future__ import annotations

from sitedesign.equations.registry import equation


@equation(
    "Z1",
    r"\min\; k_S S + k_E E + k_P P + \sum_k (k_k N_k + m_k F_k) + k_R (R - K) + k_M M",
    kind="objective",
)
def annual_cost(m):
    """Annualised capital and fixed cost, fuel and upkeep, racks above the contracted ones, and delay."""
    capital = (
        m.solar_cost * m.solar_mw
        + m.battery_energy_cost * m.battery_mwh
        + m.battery_power_cost * m.battery_mw
        + sum(m.unit_cost[k] * m.units[k] for k in m.technology)
    )
    energy = sum(m.marginal_cost[k] * m.backup_mwh_per_yr[k] for k in m.technology)
    spare_racks = m.rack_cost * (m.racks - m.racks_contracted)
    return capital + energy + spare_racks + m.delay_cost * m.months_to_power
