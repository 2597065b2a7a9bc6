"""Sinks: load without a promise, served while it pays."""

from __future__ import annotations

from sitedesign.equations.registry import equation


@equation("S1", r"x_{st} \le s_s\,a_{st}\,X_s", over=("sink", "step"))
def sink_limit(m, s, t):
    """Let a sink take at most what its size accepts in this step."""
    return m.taken_mw[s, t] <= m.sink_unit_mw[s] * m.sink_capability[s, t] * m.sink_units[s]


@equation(
    "S2", r"W_{sl} = \frac{\Delta t}{Y} \sum_{t \in T_{sl}} (s_s\,a_{st}\,X_s - x_{st})", over="sink_level"
)
def missed_energy(m, s, i):
    """Count what a sink would take at one of its values and does not get: load shed at that value."""
    missed = sum(
        m.sink_unit_mw[s] * m.sink_capability[s, t] * m.sink_units[s] - m.taken_mw[s, t]
        for t in m.step
        if m.sink_active_level[s, t] == i
    )
    return m.missed_mwh_per_yr[s, i] == m.step_h / m.weather_years * missed


@equation("S3", r"X_s \le \overline{X}_s\,z_{k(s)}", over="wired_sink")
def sink_link(m, s):
    """Count a connection as used as soon as something is sold through its wires."""
    return m.sink_units[s] <= m.sink_units_max[s] * m.technology_used[m.sink_supply[s]]
