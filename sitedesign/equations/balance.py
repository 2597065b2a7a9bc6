"""Power in equals power out, in every step."""

from __future__ import annotations

from sitedesign.equations.registry import equation


@equation(
    "A1",
    r"\sum_r S_r\,\phi_{rt} - q_t + d_t - c_t + \sum_k g_{kt} + \sum_j u_{jt} = \ell_t + \sum_s x_{st}",
    over="step",
)
def power_balance(m, t):
    """Meet load and sinks with what weather, battery and supplies give and what is shed."""
    weather = sum(m.resource_mw[r] * m.resource_yield[r, t] for r in m.resource) - m.curtailed_mw[t]
    battery = m.discharge_mw[t] - m.charge_mw[t]
    supply = sum(m.supply_mw[k, t] for k in m.technology)
    shed = sum(m.shed_mw[j, t] for j in m.tier)
    taken = sum(m.taken_mw[s, t] for s in m.sink)
    return weather + battery + supply + shed == m.load_mw[t] + taken
