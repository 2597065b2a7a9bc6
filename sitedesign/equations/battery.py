"""The battery: energy carried from step to step, limits of energy and power."""

from __future__ import annotations

from sitedesign.equations.registry import equation


@equation("B1", r"e_1 = E\,\nu_1 + \Delta t\,(\eta_c\,c_1 - d_1/\eta_d)")
def battery_start(m):
    """Start with a full battery."""
    t = m.step.first()
    full = m.battery_mwh * m.usable[t]
    return m.stored_mwh[t] == full + m.step_h * (
        m.eta_charge * m.charge_mw[t] - m.discharge_mw[t] / m.eta_discharge
    )


@equation("B2", r"e_t = e_{t-1} + \Delta t\,(\eta_c\,c_t - d_t/\eta_d)", over="later_step")
def battery_energy_balance(m, t):
    """Energy now is energy a step ago plus charge in, less discharge out; all years form one chain."""
    return m.stored_mwh[t] == m.stored_mwh[t - 1] + m.step_h * (
        m.eta_charge * m.charge_mw[t] - m.discharge_mw[t] / m.eta_discharge
    )


@equation("B3", r"e_T = E\,\nu_T")
def battery_end(m):
    """End with a full battery: the energy it started with is not a gift."""
    t = m.step.last()
    return m.stored_mwh[t] == m.battery_mwh * m.usable[t]


@equation("B4", r"e_t \le E\,\nu_t", over="step")
def battery_energy_limit(m, t):
    """Fade and the state-of-charge floor leave a share of the nameplate energy."""
    return m.stored_mwh[t] <= m.battery_mwh * m.usable[t]


@equation("B5", r"c_t \le P", over="step")
def charge_limit(m, t):
    """Charging has the limit of discharging, and neither is tied to the energy."""
    return m.charge_mw[t] <= m.battery_mw


@equation("B6", r"d_t \le P", over="step")
def discharge_limit(m, t):
    """Discharge at most what the power conversion is rated for."""
    return m.discharge_mw[t] <= m.battery_mw
