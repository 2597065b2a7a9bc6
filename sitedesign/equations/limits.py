"""Limits a site or its owner sets beyond plain bounds; each is added only when it is asked for."""

from __future__ import annotations

from sitedesign.equations.registry import equation


@equation("L1", r"\sum_r \alpha_r\,S_r \le \overline{\alpha}")
def land_limit(m):
    """Fit all resources on the land there is."""
    return sum(m.resource_acres_per_mw[r] * m.resource_mw[r] for r in m.resource) <= m.land_acres


@equation("L2", r"E \ge \underline{\tau}\,P")
def least_duration(m):
    """Let the battery last at least this long at full power."""
    return m.battery_mwh >= m.min_duration_h * m.battery_mw


@equation("L3", r"E \le \overline{\tau}\,P")
def longest_duration(m):
    """Let the battery last at most this long at full power."""
    return m.battery_mwh <= m.max_duration_h * m.battery_mw


@equation("L4", r"\sum_k F_k \le (1 - \rho)\,\bar\ell")
def renewable_share(m):
    """Backup gives at most what the least renewable share leaves of the contracted load."""
    return (
        sum(m.backup_mwh_per_yr[k] for k in m.technology) <= (1 - m.min_renewable_share) * m.load_mwh_per_yr
    )


@equation("L5", r"\sum_k \gamma_k\,F_k \le \overline{\gamma}")
def co2_limit(m):
    """Carbon dioxide stays under its annual cap."""
    return sum(m.co2_t_per_mwh[k] * m.backup_mwh_per_yr[k] for k in m.technology) <= m.max_co2_t_per_yr
