"""How a certificate is made: how many years, under how many failures, and what it says of them."""

from __future__ import annotations

from dataclasses import dataclass

from sitedesign.case.case import FLOOR_SHARE

METRICS = ("rack", "compute", "site", "floor")


@dataclass(frozen=True)
class CertificatePlan:
    """Years, draws and questions of a certificate.

    Attributes
    ----------
    years : int or None
        Weather years; all there are when left out, but needed where they are built one after the other.
    draws : int
        Outage draws of each weather year.
    seed : int
        Of outages, forecast errors and bootstrap.
    metric : str
        ``rack``, ``compute``, ``site`` or ``floor``.
    target : float or None
        The case's own when left out. [fraction]
    confidence : float
        One-sided for `met`. [fraction]
    floor_share : float
        Power that counts as up in the floor metric. [fraction]
    attribute : bool
        Re-run with each cause off.
    attribute_years : int or None
        Weather years that are re-run, in one draw of outages; all of them, in every draw, when left out.
    stop_when_converged : bool
        Stop after the block at which the half-width is small enough.
    events : int
        Number of worst events to keep, each with its cause where causes are asked for.

    Raises
    ------
    ValueError
        If `metric` is unknown.
    """

    years: int | None = None
    draws: int = 5
    seed: int = 0
    metric: str = "rack"
    target: float | None = None
    confidence: float = 0.95
    floor_share: float = FLOOR_SHARE
    attribute: bool = True
    attribute_years: int | None = None
    stop_when_converged: bool = False
    events: int = 10

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            message = f"metric: got {self.metric!r}; must be one of {', '.join(METRICS)}"
            raise ValueError(message)
