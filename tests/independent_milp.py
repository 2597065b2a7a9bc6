"""The whole problem hour by hour, written a second time for scipy; shares no code with the optimisers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.stats import binom

from sitedesign.case.case import Case
from sitedesign.case.plant import Plant

_INFEASIBLE = 2


@dataclass
class _Rows:
    """Columns with bounds and cost, and rows, as they are written down."""

    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    cost: list[float] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)
    entries: list[tuple[int, int, float]] = field(default_factory=list)
    sides: list[tuple[float, float]] = field(default_factory=list)

    def column(self, lower: float, upper: float, cost: float = 0.0, *, whole: bool = False) -> int:
        self.lower.append(lower)
        self.upper.append(upper)
        self.cost.append(cost)
        self.whole.append(int(whole))
        return len(self.cost) - 1

    def row(self, terms: list[tuple[int, float]], lower: float, upper: float) -> None:
        self.entries += [(len(self.sides), column, value) for column, value in terms]
        self.sides.append((lower, upper))


def least_cost_usd(case: Case, fixed: Plant | None = None, gap: float = 1e-6) -> float | None:
    """Least annual cost of a case, or of one plant; None when there is none. [USD/yr]

    Every capacity must have a finite bound. Months count for what is built: a size above zero, a unit.
    """
    p, limits, array = _Rows(), case.limits, case.sole_resource
    steps, h, weight = case.steps, case.step_h, case.step_h / case.years
    never, load = np.inf, case.load_mwh_per_yr

    def late(months: float) -> bool:
        return limits.months_to_power is not None and months > limits.months_to_power

    def size(bounds: tuple[float, float], cost: float, value: float | None, *, late: bool) -> int:
        low, high = bounds if value is None else (value, value)
        return p.column(low, low if late and value is None else high, cost)

    solar = size(array.bounds_mw, array.annual_cost_usd_per_mw, fixed and fixed.solar_mw,
                 late=late(array.lead_months))  # fmt: skip
    energy = size(limits.battery_mwh, case.battery_cost_usd_per_mwh_yr, fixed and fixed.battery_mwh,
                  late=late(case.battery_lead_months))  # fmt: skip
    power = size(limits.battery_mw, case.battery_cost_usd_per_mw_yr, fixed and fixed.battery_mw,
                 late=late(case.battery_lead_months))  # fmt: skip
    months = p.column(0.0, limits.months_to_power or never, case.delay_cost_usd_per_month_yr)
    for column, lead in ((solar, array.lead_months), (energy, case.battery_lead_months)):
        there = p.column(0, 1, whole=True)
        p.row([(column, 1.0), (there, -max(p.upper[column], 1e-9))], -never, 0.0)
        p.row([(months, 1.0), (there, -lead)], 0.0, never)
    built: list[list[int]] = []
    for k, item in enumerate(case.backup):
        most = 0 if late(item.lead_months) and fixed is None else item.units_max
        own = [p.column(float(i < item.units_min), 1, item.annual_cost_usd_per_unit, whole=True)
               for i in range(most)]  # fmt: skip
        if fixed is not None:
            own += [p.column(0, 1, item.annual_cost_usd_per_unit, whole=True)
                         for _ in range(fixed.units[k] - len(own))]  # fmt: skip
            for i, column in enumerate(own):
                p.lower[column] = p.upper[column] = float(i < fixed.units[k])
        for first, second in itertools.pairwise(own):
            p.row([(second, 1.0), (first, -1.0)], -never, 0.0)
        used = p.column(0, 1, item.site_cost_usd_per_yr, whole=True)
        for column in own[:1]:
            p.row([(column, 1.0), (used, -1.0)], -never, 0.0)
        p.row([(months, 1.0), (used, -item.lead_months)], 0.0, never)
        built.append(own)
    counts = list(range(max(case.racks_contracted, case.racks_min), case.racks_max + 1))
    short = [_short(case.racks_contracted, n, case.rack_availability) for n in counts]
    racks = [
        p.column(0, 1, (n - case.racks_contracted) * case.rack_cost_usd_per_yr
                 + share * load * case.lost_value_usd_per_mwh, whole=True)
        for n, share in zip(counts, short, strict=True)
    ]  # fmt: skip
    if fixed is not None:
        for n, column in zip(counts, racks, strict=True):
            p.lower[column] = p.upper[column] = float(n == fixed.racks)
    p.row([(column, 1.0) for column in racks], 1.0, 1.0)

    give = [[p.column(0, never, b.marginal_cost_usd_per_mwh * weight) for _ in range(steps)]
            for b in case.backup]  # fmt: skip
    spill, charge, discharge, stored = ([p.column(0, never) for _ in range(steps)] for _ in range(4))
    shed = [[p.column(0, tier.width * case.load_mw[t], tier.weight * weight * case.lost_value_usd_per_mwh)
             for t in range(steps)] for tier in case.tiers]  # fmt: skip
    for t in range(steps):
        sources = [(column[t], 1.0) for column in (*give, *shed)]
        p.row([(solar, array.yield_mw_per_mw[t]), (spill[t], -1.0), (discharge[t], 1.0), (charge[t], -1.0),
               *sources], case.load_mw[t], case.load_mw[t])  # fmt: skip
        before = (energy, -case.usable[0]) if t == 0 else (stored[t - 1], -1.0)
        p.row([(stored[t], 1.0), (charge[t], -h * case.eta_charge), (discharge[t], h / case.eta_discharge),
               before], 0.0, 0.0)  # fmt: skip
        p.row([(stored[t], 1.0), (energy, -case.usable[t])], -never, 0.0)
        p.row([(charge[t], 1.0), (power, -1.0)], -never, 0.0)
        p.row([(discharge[t], 1.0), (power, -1.0)], -never, 0.0)
        for k, b in enumerate(case.backup):
            last = b.capability.shape[0] - 1
            able = [(y, -b.unit_mw * b.capability[min(i, last), t]) for i, y in enumerate(built[k])]
            p.row([(give[k][t], 1.0), *able], -never, 0.0)
    p.row([(stored[-1], 1.0), (energy, -case.usable[-1])], 0.0, 0.0)
    for c, part in enumerate(case.classes):
        if part.uptime_target > 0.0:
            lost = [(shed[j][t], weight * tier.weight) for j, tier in enumerate(case.tiers)
                    if tier.load_class == c for t in range(steps)]  # fmt: skip
            broken = [(column, part.share * load * e) for column, e in zip(racks, short, strict=True)]
            p.row([*lost, *broken], -never, (1 - part.uptime_target) * part.share * load)
    if limits.min_renewable_share is not None:
        p.row(
            [(column, weight) for row in give for column in row],
            -never,
            (1 - limits.min_renewable_share) * load,
        )
    if limits.max_co2_t_per_yr is not None:
        terms = [(x, weight * b.co2_t_per_mwh) for b, row in zip(case.backup, give, strict=True) for x in row]
        p.row(terms, -never, limits.max_co2_t_per_yr)
    if fixed is None and limits.land_acres is not None:
        p.row([(solar, array.acres_per_mw)], -never, limits.land_acres)
    if fixed is None and limits.min_duration_h is not None:
        p.row([(energy, 1.0), (power, -limits.min_duration_h)], 0.0, never)
    if fixed is None and limits.max_duration_h is not None:
        p.row([(energy, 1.0), (power, -limits.max_duration_h)], -never, 0.0)
    return _solved(p, gap)


def _solved(p: _Rows, gap: float) -> float | None:
    """Minimise, in thousand USD; None when nothing is feasible."""
    if any(low > high + 1e-12 for low, high in zip(p.lower, p.upper, strict=True)):
        return None
    rows, columns, values = (np.array(part) for part in zip(*p.entries, strict=True))
    matrix = sp.csr_matrix((values, (rows, columns)), shape=(len(p.sides), len(p.cost)))
    lower, upper = np.array(p.sides).T
    found = milp(
        np.array(p.cost) / 1e3, integrality=np.array(p.whole), bounds=Bounds(p.lower, p.upper),
        constraints=LinearConstraint(matrix, lower, upper), options={"mip_rel_gap": gap},
    )  # fmt: skip
    if found.status == _INFEASIBLE:
        return None
    assert found.status == 0, found.message
    return float(found.fun) * 1e3


def _short(contracted: int, racks: int, availability: float) -> float:
    """Expected share of the contracted racks that do not work. [fraction]"""
    working = np.arange(contracted)
    return float(((contracted - working) * binom.pmf(working, racks, availability)).sum() / contracted)
