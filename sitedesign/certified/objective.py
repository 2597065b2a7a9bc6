"""What a search compares: a plant with its controller, evaluated, and what it is worth to the search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sitedesign.case.annual_use import caps_of
from sitedesign.case.case import Case
from sitedesign.case.plant import Plant
from sitedesign.operation.state import Controller

Decision = tuple[Plant, Controller]
LEAST = 1e-3  # energy that stands for starts or hours without any. [MWh/yr]
EXCESS_PRICE = 5_000.0  # on energy above a cap, beyond any that runs, and on reserve at first. [USD/MWh]


@dataclass(frozen=True)
class Candidate:
    """One plant under one controller, evaluated.

    Attributes
    ----------
    plant : Plant
    controller : Controller
    uptime_by_class : tuple of float
        Uptime per class of the load by the metric of the search, failures of racks included where the metric
        counts them. [fraction]
    cost_usd_per_yr : float
        Plant, spare racks, fuel really burnt, power drawn, less what is sold. [USD/yr]
    excess_mwh_per_yr : float
        Energy of backup and imports above the caps of renewable share, CO2 and permits, over all years or
        over the study's own, whichever is more: a report shows the latter; what is lost above the target
        while as many units of each technology are out as the plant must do without; and the reserve that is
        missing in more hours than it may be. [MWh/yr]
    standard_errors : tuple of float
        Of `uptime_by_class` over weather years; empty when only some of the years were run. [fraction]
    """

    plant: Plant
    controller: Controller
    uptime_by_class: tuple[float, ...]
    cost_usd_per_yr: float
    excess_mwh_per_yr: float = 0.0
    standard_errors: tuple[float, ...] = ()

    @property
    def uptime(self) -> float:
        """Uptime of the first class: of all load where there are no classes. [fraction]"""
        return self.uptime_by_class[0]

    @property
    def decision(self) -> Decision:
        """What was evaluated."""
        return self.plant, self.controller

    def describe(self, objective: SearchObjective) -> str:
        """Cost and uptime in words for a line of progress."""
        pairs = zip(self.uptime_by_class, objective.targets, strict=True)
        uptime = ", ".join(f"{uptime:.4%} of {target:.4%}" for uptime, target in pairs)
        return f"{self.cost_usd_per_yr / 1e6:,.2f} M USD/yr at {uptime}"


@dataclass(frozen=True)
class SearchObjective:
    """What a search minimises, and the constraints that it keeps.

    Attributes
    ----------
    targets : tuple of float
        Uptime to reach per class, a margin on what is asked for included. [fraction]
    load_mwh_per_yr : tuple of float
        Load per class. [MWh/yr]
    voll_usd_per_mwh : float
        Value of lost load: what lost compute is worth to the owner. [USD/MWh]
    multipliers_usd_per_mwh : tuple of float
        Lagrange multipliers of the targets: prices on lost compute per class. [USD/MWh]
    excess_usd_per_mwh : float
        Price on what is beyond caps, spares and reserve; raised while a search prefers to pay it. [USD/MWh]
    """

    targets: tuple[float, ...]
    load_mwh_per_yr: tuple[float, ...]
    voll_usd_per_mwh: float
    multipliers_usd_per_mwh: tuple[float, ...]
    excess_usd_per_mwh: float = EXCESS_PRICE

    def cost_with_voll(self, candidate: Candidate) -> float:
        """Annual cost, lost compute at its value. [USD/yr]"""
        pairs = zip(candidate.uptime_by_class, self.load_mwh_per_yr, strict=True)
        lost = sum((1 - uptime) * load for uptime, load in pairs)
        return candidate.cost_usd_per_yr + self.voll_usd_per_mwh * lost

    def lagrangian(self, candidate: Candidate) -> float:
        """`cost_with_voll` and every lost MWh at the multipliers. [USD/yr]"""
        parts = zip(
            candidate.uptime_by_class, self.load_mwh_per_yr, self.multipliers_usd_per_mwh, strict=True
        )
        lost = sum((1 - uptime) * load * price for uptime, load, price in parts)
        return self.cost_with_voll(candidate) + lost + self._excess(candidate)

    def merit(self, candidate: Candidate) -> float:
        """`cost_with_voll` and an exact penalty: thrice the multipliers on what misses a target. [USD/yr]"""
        parts = zip(
            self.targets, candidate.uptime_by_class, self.load_mwh_per_yr, self.multipliers_usd_per_mwh,
            strict=True,
        )  # fmt: skip
        missing = sum(max(0.0, target - uptime) * load * 3 * price for target, uptime, load, price in parts)
        return self.cost_with_voll(candidate) + missing + self._excess(candidate)

    def feasible(self, candidate: Candidate) -> bool:
        """Whether targets and caps are kept."""
        pairs = zip(candidate.uptime_by_class, self.targets, strict=True)
        return all(uptime >= target for uptime, target in pairs) and candidate.excess_mwh_per_yr <= 0.0

    def _excess(self, candidate: Candidate) -> float:
        return self.excess_usd_per_mwh * candidate.excess_mwh_per_yr


class CappedUse(NamedTuple):
    """Energy and what else is capped, of a mean year: of all supplies, of each, and of each cap."""

    total_mwh: float
    supplied_mwh: Sequence[float]
    used: Sequence[float]


def excess_mwh(case: Case, use: CappedUse, share: float = 1.0) -> float:
    """Energy of backup and imports above a share of what the caps allow. [MWh/yr]

    Of a cap on the units of one technology it is their energy; of one on the battery, more than nothing.
    """
    excess = 0.0
    for cap, value in zip(caps_of(case), use.used, strict=True):
        if case.limits.min_renewable_share is not None and cap.of_energy:
            least = case.limits.min_renewable_share
            excess = max(excess, use.total_mwh - share * (1 - least) * case.load_mwh_per_yr)
        elif value > share * cap.most:
            supplied = use.supplied_mwh[cap.technology] if cap.technology >= 0 else use.total_mwh
            own = supplied if cap.of_site else max(supplied, LEAST)
            excess = max(excess, own * (1 - share * cap.most / value))
    return excess


def unheld_mwh(case: Case, short_h_per_yr: float, missing_mwh_per_yr: float, share: float = 1.0) -> float:
    """Reserve missing in more hours than a share of those allowed, as energy over those hours. [MWh/yr]"""
    if case.reserve is None or short_h_per_yr <= share * case.reserve.short_h_per_yr:
        return 0.0
    return float(missing_mwh_per_yr * (1.0 - share * case.reserve.short_h_per_yr / short_h_per_yr))
