"""N + n: a plan that works without n units of each technology, as a question with fewer and dearer units.

Of a technology that is built, n units stand by and give nothing to the plan; they cost what a unit costs. So
the plan is that of the units that work, of which the first costs n more: ``output <= capability (units - n)``
and its cost need no row of their own, in either formulation, and the answer is exact.
"""

from __future__ import annotations

from dataclasses import replace

from sitedesign.case.case import BackupCase, Case
from sitedesign.case.plant import Plant
from sitedesign.optimize.result import OptimizationResult


def working_case(case: Case) -> Case:
    """Ask for the units that work alone, the spare ones in the cost of the first of each technology."""
    return replace(
        case,
        backup=tuple(_working(case, item) for item in case.backup),
        limits=replace(case.limits, n_plus=0),
        # Units that stand by are there when others trip
        reserve=case.reserve and replace(case.reserve, spare_units=case.limits.n_plus),
    )


def working_plant(case: Case, plant: Plant) -> Plant:
    """Take the spare units away."""
    return replace(plant, units=tuple(max(count - case.limits.n_plus, 0) for count in plant.units))


def with_spare_units(case: Case, found: OptimizationResult) -> OptimizationResult:
    """Add the spare units to the answer of the question without them."""
    spare = case.limits.n_plus
    units = tuple(count + spare if count else 0 for count in found.plant.units)
    return replace(found, plant=replace(found.plant, units=units))


def _working(case: Case, item: BackupCase) -> BackupCase:
    spare = case.limits.n_plus
    # A bound that is derived from the load is of units that work
    most = max(item.units_max - spare, 0) if case.units_given(item) else item.units_max
    return replace(
        item,
        units_min=max(item.units_min - spare, 0),
        units_max=most,
        site_cost_usd_per_yr=item.site_cost_usd_per_yr + spare * item.annual_cost_usd_per_unit,
    )
