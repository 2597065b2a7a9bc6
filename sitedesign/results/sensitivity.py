"""Which uncertain numbers decide: what each does at the ends of its range, and where the plan switches."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Self

import pandas as pd
from pydantic import ConfigDict, ValidationError

from sitedesign.errors import InputError
from sitedesign.util.gate import File, takes
from sitedesign.util.html_table import table_html
from sitedesign.util.json_file import content_of, read_json, readable, write_json
from sitedesign.util.model import Model
from sitedesign.util.validation import faults_of
from sitedesign.util.words import with_interval

FORMAT = "sitedesign-sensitivity-1"
#: A number decides when it moves the cost by at least this share of it, either way.
DECIDES_SHARE = 0.01
MOST_NAMED = 5
_M = 1e6


class _Frozen(Model):
    model_config = ConfigDict(frozen=True, extra="forbid")


class End(_Frozen):
    """What one end of a number's range does; everything is a change from the number as it is.

    Attributes
    ----------
    value : float
        [unit of the number]
    bound_usd_per_yr, bound_error_usd_per_yr : float or None
        Change of the proven bound of plant and spare racks; the optimum moves by that much within the error,
        which is the optimality gap. None where no plant is possible. [USD/yr]
    regret_usd_per_yr : float or None
        What it costs, with foresight, to have ordered today's optimum, to which more may be added, instead of
        the best plant for this value; None where that plant cannot be built then. [USD/yr]
    uptime, uptime_error : float or None
        Of the certified plant as it stands, on the same weather years and failures, with the standard error
        of the difference; None where caps or spare units are asked for that it was not made for. [fraction]
    cost_usd_per_yr, cost_error_usd_per_yr : float or None
        The same of its cost. [USD/yr]
    worth_usd_per_yr : float or None
        Both together, lost compute at the marginal cost of uptime, and so a target that is moved; None where
        more is lost than that price could speak for, and the bound knows the number. [USD/yr]
    certified_usd_per_yr, certified_error_usd_per_yr : float or None
        Change of the cost of the cheapest plant known for this value, against the cheapest as things are:
        the certified plant, and what short searches from it find. Each keeps the target at the confidence of
        the certificate, or loses no more than the certified plant, on years and failures that no search saw;
        it has no certificate of its own. Standard error of the difference, of fuel and weather alone: what
        searching leaves over is 1 to 2 per cent of the cost. [USD/yr]
    impossible : bool
        No plant is possible at this value.
    reason : str
        Why there is no figure.
    """

    value: float
    bound_usd_per_yr: float | None = None
    bound_error_usd_per_yr: float | None = None
    regret_usd_per_yr: float | None = None
    uptime: float | None = None
    uptime_error: float | None = None
    cost_usd_per_yr: float | None = None
    cost_error_usd_per_yr: float | None = None
    worth_usd_per_yr: float | None = None
    certified_usd_per_yr: float | None = None
    certified_error_usd_per_yr: float | None = None
    impossible: bool = False
    reason: str = ""

    @property
    def change_usd_per_yr(self) -> float | None:
        """Change of the cost by the best that is known. [USD/yr]

        Of plants searched anew; else what the change of the certified plant's uptime and cost is worth, or
        the gain of the bound where that is more, as another plan may gain more than the plant as it stands;
        of the bound alone where no certified plant was judged.
        """
        if self.certified_usd_per_yr is not None:
            return self.certified_usd_per_yr
        worth, bound = self.worth_usd_per_yr, self.bound_usd_per_yr
        if worth is None or bound is None:
            return bound if worth is None else worth
        return worth if worth > 0 else min(worth, bound)


class Influence(_Frozen):
    """One uncertain number: its range, where it is from, and what both ends do.

    Attributes
    ----------
    key, label, unit : str
    value : float
        As it is. [unit]
    confidence, source : str
        As the library has them.
    low, high : End
    """

    key: str
    label: str
    unit: str
    value: float
    confidence: str
    source: str
    low: End
    high: End

    @property
    def ends(self) -> tuple[End, End]:
        """Both ends."""
        return self.low, self.high

    @property
    def swing_usd_per_yr(self) -> float:
        """Largest change of the cost at either end; infinite where no plant is possible. [USD/yr]"""
        if any(end.impossible for end in self.ends):
            return math.inf
        return max((abs(usd) for end in self.ends if (usd := end.change_usd_per_yr) is not None), default=0.0)

    @property
    def information_usd_per_yr(self) -> float | None:
        """Worth of knowing it before ordering today's optimum, both ends taken as equally likely. [USD/yr]

        None where an end has no regret: then there is no mean of both.
        """
        low, high = (end.regret_usd_per_yr for end in self.ends)
        return None if low is None or high is None else (low + high) / 2

    @property
    def named(self) -> str:
        """Name with its confidence."""
        return f"{self.label} ({self.confidence})"


class SwitchingValue(_Frozen):
    """Price or date at which the plan changes kind, everything else as it is.

    Attributes
    ----------
    over, unit : str
    now : float or None
        Value of the study; None where it says nothing.
    kind : str
        What changes, by name.
    low, high : float
        Between which it changes; the optimum was found at both. [unit]
    below, above : str
        The plan on either side.
    """

    over: str
    unit: str
    now: float | None
    kind: str
    low: float
    high: float
    below: str
    above: str

    def line(self) -> str:
        """Text for a summary."""
        at = f"{self.high:.4g}" if self.low == self.high else f"{self.low:.4g} to {self.high:.4g}"
        now = "" if self.now is None else f" (now {self.now:.4g})"
        return f"{self.over} {at} {self.unit}{now}: below, {self.below}; above, {self.above}"


class Sensitivity(_Frozen):
    """Which numbers decide.

    Attributes
    ----------
    site_name : str
    cost_usd_per_yr, bound_usd_per_yr : float
        As things are: of the certified plant where numbers were judged on it, else of the optimum with
        foresight, and its bound. [USD/yr]
    numbers : tuple of Influence
        Those that move the cost most come first.
    switches : tuple of SwitchingValue
    idle : tuple of str
        Numbers with a range that nothing reads yet.
    certified_on : str
        What the certified plant was judged on again; empty where it was not.

    Examples
    --------
    >>> from pathlib import Path
    >>> found = sd.Sensitivity.load(Path("numbers.json"))  # doctest: +SKIP
    >>> [item.key for item in found.deciding]  # doctest: +SKIP
    """

    site_name: str
    cost_usd_per_yr: float
    bound_usd_per_yr: float
    numbers: tuple[Influence, ...]
    switches: tuple[SwitchingValue, ...] = ()
    idle: tuple[str, ...] = ()
    certified_on: str = ""

    @property
    def deciding(self) -> tuple[Influence, ...]:
        """Numbers that move the cost by a per cent or more, at most five, the largest first."""
        least = DECIDES_SHARE * abs(self.cost_usd_per_yr)
        return tuple(item for item in self.numbers if item.swing_usd_per_yr >= least)[:MOST_NAMED]

    @property
    def decided_by(self) -> str:
        """Name the numbers that decide, each with its confidence."""
        return ", ".join(item.named for item in self.deciding) or "no number of its range alone"

    def table(self) -> pd.DataFrame:
        """One row a number, largest first: range, what both ends change, worth of knowing, provenance."""
        rows = []
        for item in self.numbers:
            row: dict[str, Any] = {"number": item.key, "meaning": item.label, "unit": item.unit}
            row |= {"value": item.value, "low": item.low.value, "high": item.high.value}
            for name in END_FIGURES:
                row |= {f"{name}_at_{side}": getattr(getattr(item, side), name) for side in ("low", "high")}
            row |= {"swing_usd_per_yr": item.swing_usd_per_yr}
            row |= {"information_usd_per_yr": item.information_usd_per_yr}
            row |= {"confidence": item.confidence, "source": item.source}
            row |= {"reason": "; ".join(dict.fromkeys(end.reason for end in item.ends if end.reason))}
            rows.append(row)
        table = pd.DataFrame(rows)
        figures = [name for name in table if str(name).endswith(("_at_low", "_at_high"))]
        return table.astype(dict.fromkeys([*figures, "information_usd_per_yr"], "float64")) if rows else table

    def lines(self) -> list[tuple[str, str]]:
        """Facts as (label, text): what decides, each of the largest, where the plan switches."""
        basis = f"certified, {self.certified_on}" if self.certified_on else "bound, foresight, nothing fails"
        lines = [("decided by", self.decided_by), ("changes of", basis)]
        lines += [(item.key, _ends_text(item)) for item in self.numbers[: 2 * MOST_NAMED]]
        lines += [("switches at", item.line()) for item in self.switches]
        if self.idle:
            lines.append(("not read yet", ", ".join(self.idle)))
        return lines

    def __repr__(self) -> str:
        """Lines of text."""
        head = f"Sensitivity({self.site_name!r}): {len(self.numbers)} numbers, each at both ends of its range"
        return "\n".join([head, *(f"  {label:<12} {text}" for label, text in self.lines())])

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return table_html(f"Sensitivity of {self.site_name}", self.lines())

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {"format": FORMAT} | self.model_dump(mode="json")

    @classmethod
    @takes("Sensitivity.from_dict()")
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Read back what :meth:`to_dict` gave.

        Raises
        ------
        InputError
            If it is not a sensitivity of this version.
        """
        content = content_of(data, FORMAT, "Sensitivity")
        try:
            return readable(cls.model_validate(content), "Sensitivity")
        except ValidationError as error:
            faults = faults_of(error, "sensitivity", cls.model_fields)
            raise InputError(faults, "Sensitivity.from_dict()") from None

    @takes("Sensitivity.save()", path=File((".json",)))
    def save(self, path: str | Path) -> Path:
        """Write it as JSON; the file is complete or not there at all.

        Parameters
        ----------
        path : path
            Ending in ``.json``.
        """
        return write_json(path, self.to_dict(), "Sensitivity")

    @classmethod
    @takes("Sensitivity.load()", path=File(says="must be the path of a file that Sensitivity.save() wrote"))
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises
        ------
        InputError
            If the file is missing, cannot be read or is no sensitivity.
        """
        return cls.from_dict(read_json(path, "Sensitivity"))


#: Figures of an end, in the order of the table.
END_FIGURES = tuple(name for name in End.model_fields if name not in ("value", "impossible", "reason"))


def _ends_text(item: Influence) -> str:
    parts = [f"{end.value:.4g} {_end_text(end)}" for end in item.ends]
    known = item.information_usd_per_yr
    worth = "" if not known else f"; knowing it is worth {known / _M:,.2f} M USD/yr"
    return f"{' | '.join(parts)} [{item.unit}, {item.confidence}, now {item.value:.4g}]{worth}"


def _end_text(end: End) -> str:
    if end.change_usd_per_yr is None:
        return f"({end.reason or 'no figure'})"
    error = end.certified_error_usd_per_yr
    uptime = ""
    if end.uptime is not None:
        wide = None if end.uptime_error is None else 100 * end.uptime_error
        uptime = f", uptime {with_interval(100 * end.uptime, wide, 4, signed=True)} %"
    change = with_interval(end.change_usd_per_yr / _M, None if error is None else error / _M, 2, signed=True)
    return f"{change} M USD/yr{uptime}"
