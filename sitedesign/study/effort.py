"""How long to search for a plant that is to be certified."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal

from sitedesign.util.gate import Measure, OneOf

Method = Literal["cuts", "extensive"]
EffortName = Literal["standard", "screening"]


@dataclass(frozen=True)
class Effort:
    """How long to search.

    Attributes
    ----------
    years, draws : int
        Weather years on which plants are evaluated, the study's own among them, and draws of outages of each.
    evaluations : int
        Most in the first search, on the study's own years; about half of it in each later iteration.
    iterations : int
        Of search and evaluation on all years before each certificate.
    certificate_years, certificate_draws : int
        Unseen weather years of each certificate, and draws of outages of each.
    margin_standard_errors : float
        Of its own uptime, that a search asks for beyond the target.
    certificates : int
        Before giving up.
    worth_searching : float
        Of a certified plant's cost, that one which loses as much as it may would save, from which on it is
        searched for. [fraction]
    cause_years : int
        Years of each certificate that are run again without each cause of failure; 0 for no causes.
    bound_draws, bound_optima : int
        Draws of failures that the bound with failures is the mean of, and for how many of them a plant of
        their own is found, both two or more; 0 for no such bound.
    explains : bool
        Say what whole units cost, and try remedies where nothing reaches the target.
    """

    years: int = 300
    draws: int = 1
    evaluations: int = 90
    iterations: int = 2
    certificate_years: int = 400
    certificate_draws: int = 2
    margin_standard_errors: float = 2.3
    certificates: int = 5
    worth_searching: float = 0.0015
    cause_years: int = 100
    bound_draws: int = 12
    bound_optima: int = 2
    explains: bool = True


#: What a user may ask for by name.
EFFORTS: dict[EffortName, Effort] = {
    "standard": Effort(),
    "screening": Effort(
        years=100,
        draws=1,
        evaluations=60,
        iterations=1,
        certificate_years=200,
        margin_standard_errors=2.0,  # with less most certificates are missed, each of which takes a search
        certificates=4,
        worth_searching=0.015,
        cause_years=0,
        bound_draws=0,
        explains=False,
    ),
}

#: Relative optimality gap of each method. [fraction]
DEFAULT_GAP: dict[Method, float] = {"cuts": 1e-4, "extensive": 1e-3}
#: How much work may be asked for, wherever it is asked.
METHOD = OneOf(tuple(DEFAULT_GAP))
EFFORT = OneOf(tuple(EFFORTS))
GAP = Measure("fraction", 0, 1, above=True, below=True, remedy="The default is 1e-4.")
TIME_LIMIT_S = Measure("s", 0, inf, above=True, below=True, says="must be positive, in seconds")
