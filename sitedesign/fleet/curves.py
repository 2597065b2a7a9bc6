"""Cost of each candidate site against the racks it holds, from one design of it.

Every size of a plant scales with its load, so of one design all sizes are known: the cost of a rack is the
same at every size but for what economies of scale touch and what a site costs whatever its size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign import library
from sitedesign.finance.annual_cost import capital_recovery_factor
from sitedesign.library import Scale

FloatArray = NDArray[np.float64]
#: Columns of a batch that a curve stands on.
NEEDED = ("contracted_racks", "it_mw", "site_cost_usd_per_yr")
# Parts of the cost that economies of scale touch.
_PARTS = (
    "solar_capital_usd_per_yr", "battery_capital_usd_per_yr", "backup_capital_usd_per_yr",
    "connection_capital_usd_per_yr", "hall_capital_usd_per_yr", "staff_usd_per_yr",
)  # fmt: skip
_PIECES = 16  # ends of pieces on each side of a threshold
_LEAST_RACKS = 1.0


@dataclass(frozen=True)
class Terms:
    """What a curve adds to the design of a site.

    Attributes
    ----------
    scale : Scale or None
        Economies of scale; None for costs in proportion to the racks.
    delay_usd_per_rack_month : float
        What a month until the racks of a site run costs, once. [USD]
    large_load : bool
        Whether sites with a connection wait longer from the size at which their region's rules for large
        loads hold.
    least_racks, most_racks : float
        Of a site that is built.
    """

    scale: Scale | None
    delay_usd_per_rack_month: float
    large_load: bool
    least_racks: float
    most_racks: float


@dataclass(frozen=True, eq=False)
class SiteCosts:
    """Costs of candidate sites, one value a site. Where there is a threshold, costs jump up at it.

    Attributes
    ----------
    rack_usd_per_yr : ndarray, shape (sites,)
        Cost of a rack that no scale touches, waiting before any threshold included. [USD/yr]
    parts_usd_per_yr : ndarray, shape (sites, parts)
        Cost of a rack that scale touches, at the reference. [USD/yr]
    exponents : ndarray, shape (parts,)
    fixed_usd_per_yr : float
        Of each site that is built. [USD/yr]
    mw_per_rack : ndarray, shape (sites,)
        IT power. [MW]
    reference_mw : float
        [MW]
    threshold_racks : ndarray, shape (sites,)
        From which the rules for large loads hold; infinite where none do.
    late_usd_per_yr : float
        What a rack costs more above the threshold. [USD/yr]
    least, most : ndarray, shape (sites,)
        Racks of a site that is built.
    power_months : ndarray, shape (sites,)
        From order to power, before any threshold. [months]
    wait_months : float
        What rules for large loads add to that. [months]
    """

    rack_usd_per_yr: FloatArray
    parts_usd_per_yr: FloatArray
    exponents: FloatArray
    fixed_usd_per_yr: float
    mw_per_rack: FloatArray
    reference_mw: float
    threshold_racks: FloatArray
    late_usd_per_yr: float
    least: FloatArray
    most: FloatArray
    power_months: FloatArray
    wait_months: float

    def at(self, racks: FloatArray, late: NDArray[np.bool_] | None = None) -> FloatArray:
        """Cost of every site with so many racks, shape (sites, ...) like `racks`. [USD/yr]

        `late` says where the rules for large loads hold; where the racks reach the threshold when left out.
        """
        extra = tuple(range(1, racks.ndim))
        wide = [np.expand_dims(item, extra) for item in (self.rack_usd_per_yr, self.mw_per_rack)]
        size = np.maximum(wide[1] * racks, 1e-9) / self.reference_mw
        total = wide[0] * racks
        for number, exponent in enumerate(self.exponents):
            part = np.expand_dims(self.parts_usd_per_yr[:, number], extra)
            total = total + part * racks * size ** (exponent - 1.0)
        held = racks >= np.expand_dims(self.threshold_racks, extra) if late is None else late
        total = total + held * self.late_usd_per_yr * racks + self.fixed_usd_per_yr
        return np.where(racks > 0, total, 0.0)

    def keep(self, racks: NDArray[np.int64], ramp: Sequence[tuple[int, int]]) -> bool:
        """Whether sites with so many racks have power for those of a ramp, month by month."""
        months = self.power_months + (racks >= self.threshold_racks) * self.wait_months
        return all(racks[months <= month].sum() >= early for month, early in ramp)

    def subset(self, rows: NDArray[np.intp]) -> SiteCosts:
        """Give the costs of some of the sites."""
        chosen = {
            name: getattr(self, name)[rows]
            for name in (
                "rack_usd_per_yr",
                "parts_usd_per_yr",
                "mw_per_rack",
                "threshold_racks",
                "least",
                "most",
                "power_months",
            )
        }
        kept = ("exponents", "fixed_usd_per_yr", "reference_mw", "late_usd_per_yr", "wait_months")
        return SiteCosts(**chosen, **{name: getattr(self, name) for name in kept})


@dataclass(frozen=True, eq=False)
class Pieces:
    """Chords of the costs: on each piece cost rises in a straight line from its low to its high end.

    Costs bend down, so that chords lie below them: what they give is a bound.

    Attributes
    ----------
    low, high : ndarray, shape (sites, pieces)
        Racks at both ends.
    cost_low, cost_high : ndarray, shape (sites, pieces)
        [USD/yr]
    months : ndarray, shape (sites, pieces)
        From order to power. [months]
    """

    low: FloatArray
    high: FloatArray
    cost_low: FloatArray
    cost_high: FloatArray
    months: FloatArray


def site_costs(frame: pd.DataFrame, terms: Terms, regions: Mapping[str, float | None]) -> SiteCosts:
    """Costs of candidate sites against their racks.

    Parameters
    ----------
    frame : DataFrame
        Rows of a batch that have a design; ``least_racks`` and ``most_racks`` bound a site where they stand.
    terms : Terms
    regions : mapping of str to float or None
        Size from which rules for large loads hold, by region. [MW]
    """
    designed, site = _column(frame, "contracted_racks"), _column(frame, "site_cost_usd_per_yr")
    parts = np.stack([_column(frame, name, 0.0) for name in _PARTS], axis=1)
    rest = site - parts.sum(axis=1)
    finance = library.finance()
    recovery = capital_recovery_factor(finance.wacc_power_real, finance.analysis_yr)
    delay = terms.delay_usd_per_rack_month * recovery
    months = np.nan_to_num(_column(frame, "months_to_power", 0.0))
    mw_per_rack = _column(frame, "it_mw") / designed
    scale = terms.scale
    exponents = [1.0] * len(_PARTS) if scale is None else _exponents(scale)
    fixed = 0.0
    if scale is not None:
        fixed = scale.site_development_usd * recovery + scale.site_usd_per_yr + scale.network_usd_per_yr
    waits = library.scale().large_load_months if scale is None else scale.large_load_months
    threshold = _thresholds(frame, regions) / mw_per_rack if terms.large_load else np.full(len(frame), np.inf)
    return SiteCosts(
        rack_usd_per_yr=rest / designed + delay * months,
        parts_usd_per_yr=parts / designed[:, None],
        exponents=np.array(exponents),
        fixed_usd_per_yr=fixed,
        mw_per_rack=mw_per_rack,
        reference_mw=100.0 if scale is None else scale.reference_mw,
        threshold_racks=threshold,
        late_usd_per_yr=delay * waits,
        least=np.ceil(np.maximum(_column(frame, "least_racks", terms.least_racks), _LEAST_RACKS)),
        most=np.floor(np.minimum(_column(frame, "most_racks", terms.most_racks), terms.most_racks)),
        power_months=_column(frame, "months_to_power", np.inf),
        wait_months=waits,
    )


def _exponents(scale: Scale) -> list[float]:
    """Exponents of the parts, in their order."""
    return [
        scale.solar_exponent, scale.battery_exponent, scale.backup_exponent, scale.connection_exponent,
        scale.hall_exponent, scale.staff_exponent,
    ]  # fmt: skip


def pieces_of(costs: SiteCosts) -> Pieces:
    """Chords between sizes that rise by the same factor, and on both sides of the threshold."""
    steps = np.linspace(0.0, 1.0, _PIECES)
    floor = np.minimum(costs.least, costs.most)
    from_racks = np.ceil(costs.threshold_racks)  # whole racks: no size lies between the two sides
    below, above = (np.clip(item, floor, costs.most) for item in (from_racks - 1.0, from_racks))
    low_side = floor[:, None] * (below / floor)[:, None] ** steps
    high_side = above[:, None] * (costs.most / above)[:, None] ** steps
    low, high = (
        np.concatenate([side[:, ends] for side in (low_side, high_side)], axis=1)
        for ends in (slice(None, -1), slice(1, None))
    )
    late = np.repeat([False, True], _PIECES - 1)[None, :] & (from_racks <= costs.most)[:, None]
    late |= (from_racks <= floor)[:, None]
    months = costs.power_months[:, None] + late * costs.wait_months
    return Pieces(low, high, costs.at(low, late), costs.at(high, late), months)


def _thresholds(frame: pd.DataFrame, regions: Mapping[str, float | None]) -> FloatArray:
    """Size from which rules for large loads hold, of IT power; infinite without a connection. [MW]"""
    names = frame["region"] if "region" in frame.columns else pd.Series("", index=frame.index)
    sizes = np.array(
        [np.inf if (mw := regions.get(str(name))) is None else mw for name in names], dtype=float
    )
    return np.where(_column(frame, "grid_mw", 0.0) > 0, sizes, np.inf)


def _column(frame: pd.DataFrame, name: str, missing: float = np.nan) -> FloatArray:
    """Numbers of a column; `missing` where there are none."""
    if name not in frame.columns:
        return np.full(len(frame), missing)
    values = pd.to_numeric(frame[name], errors="coerce").to_numpy(float)
    return np.where(np.isnan(values), missing, values)
