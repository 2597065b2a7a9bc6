"""What uptime is worth buying: the cost of a delivered rack-hour."""

from __future__ import annotations

from pydantic import ConfigDict

from sitedesign.util.model import Model


class ComputeCostPoint(Model):
    """Cheapest plant for one uptime, and what a rack-hour of the whole project then costs.

    Attributes
    ----------
    uptime : float
        Target. [fraction]
    delivered_rack_h_per_yr : float
        [1/yr]
    plant_usd_per_yr : float
        Power plant and spare racks. [USD/yr]
    usd_per_rack_h : float
        Whole project per delivered rack-hour. [USD/rack-h]
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    uptime: float
    delivered_rack_h_per_yr: float
    plant_usd_per_yr: float
    usd_per_rack_h: float


class ComputeCost(Model):
    """What a delivered rack-hour costs at the uptime that the optimiser chose, with perfect foresight.

    Attributes
    ----------
    usd_per_rack_h : float
        Whole project per delivered rack-hour. [USD/rack-h]
    bound_usd_per_rack_h : float or None
        Proven lower bound of it; None when lost compute had a price of the user's. [USD/rack-h]
    uptime : float
        Chosen. [fraction]
    lost_compute_usd_per_rack_h : float
        Price of lost compute at which this plant is the optimum. [USD/rack-h]
    curve : list of ComputeCostPoint
        Against uptime.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    usd_per_rack_h: float
    bound_usd_per_rack_h: float | None
    uptime: float
    lost_compute_usd_per_rack_h: float
    curve: list[ComputeCostPoint]

    @property
    def gap(self) -> float | None:
        """Relative gap of the rack-hour's cost. [fraction]"""
        if self.bound_usd_per_rack_h is None:
            return None
        return (self.usd_per_rack_h - self.bound_usd_per_rack_h) / self.usd_per_rack_h

    def lines(self) -> list[tuple[str, str]]:
        """Label and text for a summary."""
        proof = ""
        if self.bound_usd_per_rack_h is not None:
            proof = f" (bound {self.bound_usd_per_rack_h:,.3f}, gap {100 * (self.gap or 0):.2f} %)"
        curve = ", ".join(f"{point.usd_per_rack_h:,.2f} at {point.uptime:.6g}" for point in self.curve)
        bought = f"{self.usd_per_rack_h:,.3f} USD/rack-h{proof} at {self.uptime * 100:.4f} % with foresight"
        return [("uptime bought", bought), ("other uptimes", f"{curve} USD/rack-h")]
