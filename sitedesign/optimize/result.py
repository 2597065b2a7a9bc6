"""What an optimiser answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from sitedesign.case.dispatch import Dispatch
from sitedesign.case.plant import Plant

#: Of the turnover: a cost below that is next to nothing.
LEAST_NET_SHARE = 1e-3


@dataclass(frozen=True, eq=False)
class OptimizationResult:
    """Answer of an optimiser on a :class:`Case`; perfect foresight.

    Attributes
    ----------
    plant : Plant
        The incumbent.
    objective_usd_per_yr, bound_usd_per_yr : float
        Cost of the incumbent and proven lower bound, the value of lost compute included. [USD/yr]
    backup_mwh_per_yr : tuple of float
        Energy per technology in the incumbent. [MWh/yr]
    lost_mwh_per_yr : float
        Weighted shed load in the incumbent, all classes together. [MWh/yr]
    method : str
        ``extensive`` or ``cuts``.
    stopped_by : str
        ``gap``, ``time_limit`` or ``iteration_limit``.
    seconds : float
        Wall time. [s]
    iterations : int
        Master iterations (0 for ``extensive``).
    uptime_price_usd_per_mwh : float or None
        Dual of the uptime row at the incumbent's integers, on top of the value of lost compute; with several
        classes the largest of `uptime_prices`. [USD per weighted MWh]
    uptime_prices : tuple of float
        The same for each class; empty where it is not known. [USD per weighted MWh]
    budget_prices : tuple of float
        Duals of all budgets, of classes and then of annual limits, in the order of ``Budgets``; empty where
        they are not known. [USD per unit of the total]
    limit_prices : dict of str to float
        What one more unit of each limit would save, with the incumbent's whole units: of sizes, imports and
        sinks by name (``grid_mw``), of land (``land_acres``). [USD/yr per MW, MWh or acre]
    lost_by_class_mwh_per_yr : tuple of float
        Weighted shed load of each class in the incumbent. [MWh/yr]
    lost_value_usd_per_yr : float
        What lost compute costs in the objective, failures of racks included. [USD/yr]
    dispatch : Dispatch or None
        The optimiser's own dispatch, where it keeps one.
    level_mwh_per_yr : tuple of float
        Energy given or taken at each level of each of ``Case.flows``, in their order. [MWh/yr]
    turnover_usd_per_yr : float
        Money paid for energy and earned with it; what the gap is measured by where the objective is nearly
        nothing beside it (:func:`gap_scale_usd`). [USD/yr]
    """

    plant: Plant
    objective_usd_per_yr: float
    bound_usd_per_yr: float
    backup_mwh_per_yr: tuple[float, ...]
    lost_mwh_per_yr: float
    method: str
    stopped_by: str
    seconds: float
    iterations: int = 0
    uptime_price_usd_per_mwh: float | None = None
    uptime_prices: tuple[float, ...] = ()
    budget_prices: tuple[float, ...] = ()
    limit_prices: dict[str, float] = field(default_factory=dict)
    lost_by_class_mwh_per_yr: tuple[float, ...] = ()
    lost_value_usd_per_yr: float = 0.0
    dispatch: Dispatch | None = field(default=None, repr=False)
    level_mwh_per_yr: tuple[float, ...] = ()
    turnover_usd_per_yr: float = 0.0

    @property
    def gap(self) -> float:
        """Relative optimality gap, (objective - bound) / objective. [fraction]"""
        scale = gap_scale_usd(self.objective_usd_per_yr, self.turnover_usd_per_yr)
        return (self.objective_usd_per_yr - self.bound_usd_per_yr) / scale


def gap_scale_usd(cost_usd_per_yr: float, turnover_usd_per_yr: float) -> float:
    """Measure a gap by the cost, or by a thousandth of the turnover where that is more. [USD/yr]

    Sales may cancel all but nothing of the cost; what is left then is no measure of anything.
    """
    return max(abs(cost_usd_per_yr), LEAST_NET_SHARE * turnover_usd_per_yr, 1e-9)
