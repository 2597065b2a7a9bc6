"""What is built must be able to hold a reserve; each row is added only when one is asked for."""

from __future__ import annotations

from sitedesign.equations.registry import equation


@equation("L6", r"P \ge n\,s_k\,z_k", over=("tripping_technology",))
def battery_carries_trip(m, k):
    """Let the battery carry the trip of n units of each technology that is built, while others start."""
    return m.battery_mw >= m.tripped_units * m.unit_mw[k] * m.technology_used[k]


@equation("L7", r"P \ge \Delta")
def battery_carries_step(m):
    """Let the battery carry a step of the load, while units follow."""
    return m.battery_mw >= m.load_step_mw


@equation("L8", r"P + \sum_k \hat g_k\,(N_k + n^+ z_k) + \sum_r \hat y_r\,S_r \ge \lambda\,\hat\ell")
def power_for_reserve(m):
    """Build enough to carry load and reserve in one of more steps than may lack it."""
    units = sum(
        m.reserve_unit_mw[k] * (m.units[k] + m.spare_units[k] * m.technology_used[k]) for k in m.technology
    )
    free = sum(m.reserve_yield[r] * m.resource_mw[r] for r in m.resource)
    return m.battery_mw + units + free >= m.reserve_needed_mw * m.share
