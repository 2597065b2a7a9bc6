"""Every error a user can meet: what was found, what is allowed, where it came from, what to do.

Input faults are collected and raised together (:class:`InputError`) before any solver starts. Outcomes of
the optimisation are separate (:class:`InfeasibleDesign`, :class:`NotProvenOptimal`) and are never warnings.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

_SHOWN_CHARACTERS = 80
_LONG_NUMBER = 10**15
_LONGEST_NAME = 100  # no known name is longer, and likeness is slow to find in long text


class SiteDesignError(Exception):
    """Base of every error raised on purpose by sitedesign.

    Examples
    --------
    >>> try:
    ...     sd.solve(site=site, racks=70, uptime=0.9999, limits={"solar_mw": 1}, backup=[], certify=False)
    ... except sd.SiteDesignError as error:
    ...     print(type(error).__name__)
    InfeasibleDesign
    """


@dataclass(frozen=True)
class Fault:
    """One thing wrong with an input.

    Attributes
    ----------
    where : str
        Path of the input, for example ``site.latitude`` or ``a.csv line 12``.
    found : str
        What was found there.
    allowed : str
        What is allowed there, with its unit.
    remedy : str
        What to do about it; may be empty when `allowed` says it all.

    Examples
    --------
    >>> print(sd.Fault("study.uptime", "9.99", "must be below 1", "Did you mean 0.9999?"))
    study.uptime: got 9.99; must be below 1. Did you mean 0.9999?
    """

    where: str
    found: str
    allowed: str
    remedy: str = ""

    def __str__(self) -> str:
        """One line: where, found, allowed, remedy."""
        text = f"{self.where}: got {self.found}; {self.allowed}"
        text = text if text.endswith((".", "?")) else text + "."
        return f"{text} {self.remedy}".rstrip()


class InputError(SiteDesignError):
    """All faults of an input at once.

    Not a ``ValueError``: pydantic would swallow one raised inside a validator.

    Parameters
    ----------
    faults : iterable of Fault
        At least one.
    of : str
        What was being read, for example ``solve()`` or a file name.

    Examples
    --------
    >>> try:
    ...     sd.Study(site=site, racks=70, uptime=9.99, rack="gb200")
    ... except sd.InputError as error:
    ...     [fault.where for fault in error.faults]
    ['study.rack', 'study.uptime']
    """

    def __init__(self, faults: Iterable[Fault], of: str) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        self.of = of
        count = len(self.faults)
        head = f"{count} problem{'s' if count != 1 else ''} in the inputs of {of}:"
        super().__init__("\n".join([head, *(f" * {fault}" for fault in self.faults)]))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by content, so that the error survives a process boundary."""
        return (type(self), (self.faults, self.of))


@dataclass(frozen=True)
class LimitChange:
    """The smallest change of one limit, all others kept, that makes a design possible."""

    limit: str
    now: float
    needed: float
    unit: str

    def __str__(self) -> str:
        """One line for the message."""
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.limit}: {self.now:g}{unit} now, {self.needed:g}{unit} would do"


class InfeasibleDesign(SiteDesignError):
    """No design meets the request; says in plain words what binds.

    Parameters
    ----------
    reason : str
        What binds, in plain words.
    relaxations : sequence of LimitChange
        Smallest single relaxations that restore feasibility, if any were found.

    Examples
    --------
    >>> try:
    ...     sd.solve(study.replace(limits={"land_acres": 0.1, "units": {"recip_fast": 0}}), certify=False)
    ... except sd.InfeasibleDesign as error:
    ...     print(bool(error.reason))
    True
    """

    def __init__(self, reason: str, relaxations: Sequence[LimitChange] = ()) -> None:
        self.reason = reason
        self.relaxations = tuple(relaxations)
        lines = [f"No design meets the request: {reason}"]
        if self.relaxations:
            lines.append("Any one of these changes would do:")
            lines += [f" * {item}" for item in self.relaxations]
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by content."""
        return (type(self), (self.reason, self.relaxations))


class NotProvenOptimal(SiteDesignError):
    """The solver stopped before the requested gap; carries the incumbent (may be None) and the bound.

    Parameters
    ----------
    message : str
        Why the solver stopped.
    incumbent : object or None
        The best design found (``Design`` from :func:`sitedesign.solve`), or None.
    bound_usd_per_yr : float
        Proven lower bound of the annual cost. [USD/yr]

    Examples
    --------
    >>> try:
    ...     sd.solve(study, certify=False, time_limit_s=1e-6)
    ... except sd.NotProvenOptimal as error:
    ...     print(error.incumbent is None)
    True
    """

    def __init__(self, message: str, incumbent: Any = None, bound_usd_per_yr: float = float("-inf")) -> None:  # noqa: ANN401
        self.message = message
        self.incumbent = incumbent
        self.bound_usd_per_yr = bound_usd_per_yr
        super().__init__(message)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by content."""
        return (type(self), (self.message, self.incumbent, self.bound_usd_per_yr))


def shown(value: object) -> str:
    """Write what was found for a message: short, whatever it is."""
    if isinstance(value, float):
        return f"{value:g}"
    try:
        if isinstance(value, int) and abs(value) >= _LONG_NUMBER:
            return f"{value:g}"
        text = repr(value)
    except Exception:  # an object of the user's, or an integer of thousands of digits
        return f"a value of type {type(value).__name__}"
    if len(text) <= _SHOWN_CHARACTERS and "\n" not in text:
        return text
    return f"{' '.join(text[:_SHOWN_CHARACTERS].split())} ... ({type(value).__name__})"


class SolverFailed(SiteDesignError):
    """The solver of linear programs broke down; carries what it said."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the known name closest to `name`, as a sentence; empty when nothing is close."""
    known, name = list(known), name[:_LONGEST_NAME]
    begins = [item for item in known if name and item.lower().startswith(name.lower())]
    match = begins[:1] or difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"Did you mean {match[0]!r}?" if match else ""


def unknown_name(where: str, found: object, known: Iterable[str]) -> Fault:
    """Build the fault for a name that is not in a known list, with the nearest known one."""
    known = sorted(known)
    guess = nearest(found, known) if isinstance(found, str) else ""
    return Fault(where, shown(found), f"must be one of {', '.join(known)}", guess)


class ReplayMismatch(SiteDesignError):
    """A dispatch does not do what its author claims: an internal error, never a result.

    Parameters
    ----------
    violations : sequence of str
        Each check that failed, by how much, at which step.
    """

    def __init__(self, violations: Sequence[str]) -> None:
        self.violations = tuple(violations)
        lines = ["The independent replay contradicts the dispatch (an internal error; please report it):"]
        super().__init__("\n".join([*lines, *(f" * {item}" for item in self.violations)]))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by content."""
        return (type(self), (self.violations,))
