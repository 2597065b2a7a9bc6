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


@equation("L4", r"\sum_{kl} F_{kl} \le (1 - \rho)\,\lambda\,\bar\ell")
def renewable_share(m):
    """Supplies give at most what the least renewable share leaves of the contracted load."""
    given = sum(m.energy_mwh_per_yr[k, i] for k, i in m.supply_level)
    return given <= (1 - m.min_renewable_share) * m.load_mwh_per_yr * m.share


@equation("L5", r"\sum_{kl} \gamma_{kl}\,F_{kl} \le \overline{\gamma}")
def co2_limit(m):
    """Carbon dioxide stays under its annual cap."""
    emitted = sum(m.co2_t_per_mwh[k, i] * m.energy_mwh_per_yr[k, i] for k, i in m.supply_level)
    return emitted <= m.max_co2_t_per_yr


@equation("L9", r"\sum_{kl} \nu_{kl}\,F_{kl} \le \overline{\nu}")
def nox_limit(m):
    """Nitrogen oxides stay under their annual cap."""
    emitted = sum(m.nox_t_per_mwh[k, i] * m.energy_mwh_per_yr[k, i] for k, i in m.supply_level)
    return emitted <= m.max_nox_t_per_yr


@equation("L10", r"\sum_{kl} \kappa_{kl}\,F_{kl} \le \overline{\kappa}")
def co_limit(m):
    """Carbon monoxide stays under its annual cap."""
    emitted = sum(m.co_t_per_mwh[k, i] * m.energy_mwh_per_yr[k, i] for k, i in m.supply_level)
    return emitted <= m.max_co_t_per_yr


@equation("L11", r"\sum_{kl} \pi_{kl}\,F_{kl} \le \overline{\pi}")
def pm_limit(m):
    """Particulate matter stays under its annual cap."""
    emitted = sum(m.pm_t_per_mwh[k, i] * m.energy_mwh_per_yr[k, i] for k, i in m.supply_level)
    return emitted <= m.max_pm_t_per_yr


@equation("L12", r"\sum_l F_{kl} \le \overline{h}_k\,s_k\,N_k", over="limited_technology")
def run_hours(m, k):
    """Units run no longer at full load than they may run at all, in the mean over those that are built."""
    given = sum(m.energy_mwh_per_yr[name, i] for name, i in m.supply_level if name == k)
    return given <= m.run_h_limit[k] * m.unit_mw[k] * m.units[k]


@equation("L13", r"\sum_{k \in \text{backup}} N_k \le \overline N")
def total_units(m):
    """Build at most so many units of backup, all technologies together."""
    return sum(m.units[k] for k in m.backup_technology) <= m.most_units
