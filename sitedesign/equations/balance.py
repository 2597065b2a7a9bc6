"""Power in equals power out, in every step."""

from __future__ import annotations

from sitedesign.equations.registry import equation


@equation(
    "A1", r"\sum_r S_r\,\phi_{rt} - q_t + d_t - c_t + \sum_k g_{kt} + \sum_j u_{jt} = \ell_t", over="step"
)
def power_balance(m, t):
    """Meet the load with what weather, battery and backup give, less what is curtailed, plus what is shed."""
    weather = sum(m.resource_mw[r] * m.resource_yield[r, t] for r in m.resource) - m.curtailed_mw[t]
    battery = m.discharge_mw[t] - m.charge_mw[t]
    backup = sum(m.backup_mw[k, t] for k in m.technology)
    shed = sum(m.shed_mw[j, t] for j in m.tier)
    return weather + battery + backup + shed == m.load_mw[t]
