"""Hours in which a plant lacks the reserve that is asked of it, counted with their error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.reserve import ReserveRule
from sitedesign.reliability.estimate import Estimate

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class ReserveUse:
    """How often the reserve is missing.

    Attributes
    ----------
    asked : str
        What must be carried, in words.
    short_h_per_yr : Estimate
        Hours in which it is not there, over weather years. [h/yr]
    allowed_h_per_yr : float
        [h/yr]
    most_mw : float
        The most that is missing in any step. [MW]
    """

    asked: str
    short_h_per_yr: Estimate
    allowed_h_per_yr: float
    most_mw: float

    @property
    def met(self) -> bool:
        """Whether it is missing in no more hours than it may be."""
        return self.short_h_per_yr.value <= self.allowed_h_per_yr

    @property
    def shortage(self) -> str:
        """Say in how many hours it is missing, and in how many it may be."""
        return f"{self.short_h_per_yr.value:.3g} h a year where {self.allowed_h_per_yr:.3g} are allowed"

    @property
    def line(self) -> tuple[str, str]:
        """Label and words of a report."""
        short, verdict = self.short_h_per_yr, "met" if self.met else "NOT met"
        text = (
            f"{self.asked}: missing in {short.text(unit=' h a year')}, at most {self.most_mw:,.3g} MW; "
            f"{self.allowed_h_per_yr:g} h allowed: {verdict}"
        )
        return "reserve", text


def reserve_words(rule: ReserveRule) -> str:
    """Say what a reserve must carry."""
    parts = [f"N-{rule.n_minus}"] if rule.n_minus else []
    parts += [f"a step of {rule.load_step_mw:g} MW"] if rule.load_step_mw else []
    parts += [f"{rule.spinning_share * 100:.3g} % of the load"] if rule.spinning_share else []
    parts += [f"{rule.resource_share * 100:.3g} % of sun and wind"] if rule.resource_share else []
    return ", ".join(parts)


def reserve_use(
    rule: ReserveRule | None,
    hours: FloatArray,
    most_mw: float,
    cluster: NDArray[np.int64],
    seed: int,
) -> ReserveUse | None:
    """Count the hours in which the reserve is missing; None where none is asked for.

    Parameters
    ----------
    rule : ReserveRule or None
    hours : ndarray, shape (years,)
        Of every simulated year. [h/yr]
    most_mw : float
        [MW]
    cluster : ndarray, shape (years,)
        Weather year of each simulated one: its draws of outages are no years of their own.
    seed : int
    """
    if rule is None:
        return None
    means = np.array([hours[cluster == c].mean() for c in np.unique(cluster)])
    error = float(means.std(ddof=1) / means.size**0.5) if means.size > 1 else float("nan")
    estimate = Estimate(float(hours.mean()), error, means.size, seed)
    return ReserveUse(reserve_words(rule), estimate, rule.short_h_per_yr, most_mw)
