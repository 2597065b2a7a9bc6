"""Design: the answer. What to build, what it costs, how sure the optimum is, and what it promises."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from pydantic import ConfigDict, Field, PrivateAttr, ValidationError

from sitedesign.case.relaxation import FORESIGHT
from sitedesign.errors import InputError
from sitedesign.reliability.certificate import Certificate
from sitedesign.reliability.estimate import Estimate
from sitedesign.reliability.metrics import UptimeMetrics
from sitedesign.results.answer import BOUND, PYTHON, Calls, design_rows
from sitedesign.results.compute_cost import ComputeCost
from sitedesign.results.evaluation import Evaluation, percent
from sitedesign.results.near_optimal import Alternatives
from sitedesign.results.sensitivity import Sensitivity
from sitedesign.util.facts import Facts, facts
from sitedesign.util.gate import File, Kind, takes
from sitedesign.util.json_file import content_of, of_another_version, read_json, readable, write_json
from sitedesign.util.model import Model
from sitedesign.util.validation import faults_of
from sitedesign.util.words import percent as share_of_uptime

FORMAT = "sitedesign-design-1"
#: Of all that is paid and earned: a cost below that is next to nothing, and no measure of a gap.
LEAST_NET_SHARE = 1e-3
#: What separates a certified cost from its bound, in words; the nearest to the design first.
GAP_PARTS = {
    "perfect_information": "surprises in weather",
    "outage_surprises": "surprises in equipment and fuel, starts and part load",
    "reserve_and_search": "reserve for surprises, and the search",
    "remainder": "surprises in equipment and fuel, reserve and search",
    "outages_foreseen": "failures, even foreseen",
    "outages": "failures, foreseen or not",
    "integrality": "whole units (inside the bound)",
}
_OTHER_FILES = (
    (".xlsx", "design.to_excel"),
    (".html", "design.report"),
    (".csv", "design.dispatch.to_csv"),
)
_FIGURES = ("value", "standard_error")  # of an estimate


class Alternative(Model):
    """Cheapest plant on another power path.

    Attributes
    ----------
    name : str
    cost_usd_per_yr, bound_usd_per_yr : float or None
        With perfect foresight; None when no plant is possible. [USD/yr]
    usd_per_rack_h : float or None
        Whole project per delivered rack-hour. [USD/rack-h]
    reason : str
        Why no plant is possible.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    cost_usd_per_yr: float | None
    bound_usd_per_yr: float | None
    usd_per_rack_h: float | None
    reason: str = ""

    def line(self) -> str:
        """Text for a summary."""
        if self.cost_usd_per_yr is None or self.bound_usd_per_yr is None:
            return f"{self.name}: {self.reason}"
        cost, bound = self.cost_usd_per_yr / 1e6, self.bound_usd_per_yr / 1e6
        return f"{self.name}: {cost:,.3f} M USD/yr (bound {bound:,.3f})"


class Design(Evaluation):
    """The least-cost plant of a study, re-checked by a replay that shares no code with the optimiser.

    Everything an :class:`~sitedesign.results.evaluation.Evaluation` has, and:

    Attributes
    ----------
    study : dict
        The question, as :meth:`Study.to_dict` gives it.
    objective_usd_per_yr, bound_usd_per_yr : float
        What the optimiser claims for this plant, and the proven lower bound. [USD/yr]
    bound_with_failures : Estimate or None
        Lower bound, in expectation, for every plant and operator that keep the target on the mean while
        things fail: the mean over sampled draws of failures of an optimum that foresees them
        (:mod:`sitedesign.foresight.failure_bound`). None for a foresight design, with ``effort="screening"``
        and with ``objective="compute_cost"``. [USD/yr]
    bound_name : str
        What the bound is of: the planner, and the relaxation where the metric needs one.
    method : str
        ``extensive`` or ``cuts``.
    solve_options : dict
        What :func:`sitedesign.solve` was asked for beside the study, as its keywords; defaults are left out.
    stopped_by : str
        ``gap``, ``time_limit`` or ``iteration_limit``.
    solve_seconds : float
        Wall time of the optimiser. [s]
    iterations : int
        Master iterations.
    uptime_price_usd_per_mwh : float or None
        Marginal cost of uptime: one weighted MWh of load more or less. [USD/MWh]
    limit_prices : dict of str to float
        What one more unit of each limit that binds would save a year, with foresight and the same units: of
        the connection (``grid_mw``), of a resource or the battery that the user limits, of sale, of land
        (``land_acres``). Below zero where a size that is given exactly is too large. [USD/yr per MW, MWh or
        acre]
    greedy_uptime : Estimate
        Uptime of the same plant and weather under a rule that never looks ahead.
    certificate : Certificate or None
        What the plant keeps on years that its design never saw, operated without foresight while things fail;
        None for a foresight design, which is a bound.
    gap_parts : dict of str to float
        What separates the certified cost from the bound: ``perfect_information`` (what a perfect forecast of
        the weather would save at the same uptime), ``outage_surprises`` (what the same plant costs more to
        run without foresight of failures; starts and part load are among it), ``reserve_and_search`` (what
        the plant itself costs more than that of a planner who foresees failures: the reserve it holds, and
        whatever the search has missed), ``outages_foreseen`` (what failures cost even him, which no operator
        is spared). Without ``bound_with_failures`` the second and third are one, ``remainder``; where even
        the planner finds no plant all but the first are one, ``outages``. Inside the bound: ``integrality``
        of units. [USD/yr]
    compute_cost : ComputeCost or None
        With ``objective="compute_cost"``: what uptime is worth buying.
    alternatives : list of Alternative
        Other power paths of the study, when there were several.
    sensitivity : Sensitivity or None
        Which uncertain numbers decide; None where nobody asked (:meth:`with_sensitivity`).
    nearly_as_good : Alternatives or None
        Plants that differ and cost little more; None where nobody asked (:meth:`with_alternatives`).
    """

    study: dict[str, Any]
    objective_usd_per_yr: float
    bound_usd_per_yr: float
    bound_with_failures: Estimate | None = None
    bound_name: str
    method: str
    solve_options: dict[str, Any] = Field(default_factory=dict)
    stopped_by: str
    solve_seconds: float
    iterations: int
    uptime_price_usd_per_mwh: float | None
    limit_prices: dict[str, float] = Field(default_factory=dict)
    greedy_uptime: Estimate
    certificate: Certificate | None = None
    gap_parts: dict[str, float] = Field(default_factory=dict)
    compute_cost: ComputeCost | None = None
    alternatives: list[Alternative] = Field(default_factory=list)
    sensitivity: Sensitivity | None = None
    nearly_as_good: Alternatives | None = None

    _study: Any = PrivateAttr(default=None)  # as it was solved, weather and profiles included; not in a file

    @property
    def uptime(self) -> Estimate:
        """Uptime by the study's metric: certified where there is a certificate, else planned."""
        return self.certificate.uptime if self.certificate is not None else super().uptime

    @property
    def cost(self) -> float:
        """Annual cost of the power plant and the spare racks. [USD/yr]"""
        return self.cost_usd_per_yr

    @property
    def bound(self) -> float:
        """Proven lower bound of `cost`. [USD/yr]"""
        return self.bound_usd_per_yr

    @property
    def gap(self) -> float:
        """Relative optimality gap of the cost, or of the rack-hour's where that was made least. [fraction]"""
        if self.compute_cost is not None and self.compute_cost.bound_usd_per_rack_h is not None:
            return 1 - self.compute_cost.bound_usd_per_rack_h / self.usd_per_rack_h
        return (self.objective_usd_per_yr - self.bound_usd_per_yr) / self._gap_scale

    @property
    def _gap_scale(self) -> float:
        """What a gap is relative to: the cost, or a share of what cancels where sales leave nothing."""
        turnover = sum(abs(item.usd_per_yr) for item in self.costs)
        return max(abs(self.objective_usd_per_yr), LEAST_NET_SHARE * turnover, 1e-9)

    @property
    def gap_with_failures(self) -> float | None:
        """Relative gap to the bound with failures, where there is one. [fraction]"""
        known = self.bound_with_failures
        return None if known is None else (self.cost - known.value) / self._gap_scale

    @property
    def unavoidable_share(self) -> float | None:
        """Share of the gap that no plant and no operator avoids: what failures cost who foresees them."""
        known, gap = self.bound_with_failures, self.cost - self.bound
        return None if known is None or gap <= 0 else min(max((known.value - self.bound) / gap, 0.0), 1.0)

    @takes("Design.with_sensitivity()", sensitivity=Kind((Sensitivity,), "must be a sitedesign.Sensitivity"))
    def with_sensitivity(self, sensitivity: Sensitivity) -> Self:
        """Copy of the design that says which numbers decide, in text, report and file.

        Parameters
        ----------
        sensitivity : Sensitivity
            From :func:`sitedesign.sensitivity` of this design or its study.
        """
        return self.model_copy(update={"sensitivity": sensitivity})

    @takes("Design.with_alternatives()", found=Kind((Alternatives,), "must be a sitedesign.Alternatives"))
    def with_alternatives(self, found: Alternatives) -> Self:
        """Copy of the design that says what is nearly as good, in text, report and file.

        Parameters
        ----------
        found : Alternatives
            From :func:`sitedesign.alternatives` of this design or its study.
        """
        return self.model_copy(update={"nearly_as_good": found})

    @property
    def answer(self) -> Facts:
        """What somebody who decides must know, in about twelve lines: what is printed."""
        return self._answer()

    def _answer(self, calls: Calls = PYTHON) -> Facts:
        """Give the answer to a reader who asks for more by these calls."""
        return facts(self._head(), design_rows(self, calls))

    def _head(self) -> str:
        if self.certificate is None:
            return f"{BOUND}: {self.site_name}, {self._proven}"
        return f"{self.site_name}: {self._verdict}"

    @property
    def _verdict(self) -> str:
        """Whether it is certified, in a few words."""
        if self.certificate is None or not self.certificate.met:
            return "NOT CERTIFIED"
        return "CERTIFIED" if self.certificate.target else "CERTIFIED without a target"

    @property
    def _proven(self) -> str:
        """How far the optimum with foresight is proven."""
        status = "OPTIMAL to" if self.stopped_by == "gap" else "NOT PROVEN OPTIMAL to"
        return f"{status} {self.gap * 100:.2f} %"

    def _full_head(self) -> str:
        if self.certificate is not None:
            bought = self.compute_cost is not None and self.compute_cost.bound_usd_per_rack_h is not None
            of = " of a rack-hour's cost" if bought else ""
            if self.gap_with_failures is not None:
                lower = f"{self.gap_with_failures * 100:.2f} % lower, without {self.gap * 100:.2f} %"
                return f"Design({self.site_name!r}): {self._verdict}, bound with failures {lower}"
            lower = f"foresight bound{of} {self.gap * 100:.2f} % lower"
            return f"Design({self.site_name!r}): {self._verdict}, {lower}"
        return f"{BOUND}: Design({self.site_name!r}), {self._proven}"

    @property
    def _reported_metrics(self) -> UptimeMetrics:
        return self.metrics if self.certificate is None else self.certificate.metrics

    def _uptime_lines(self) -> list[tuple[str, str]]:
        blind = f"{percent(self.greedy_uptime)} when nobody looks ahead and nothing fails"
        return [*super()._uptime_lines(), ("uptime, greedy", blind)]

    def _cost_lines(self) -> list[tuple[str, str]]:
        capital = f"capital {self.capital_usd / 1e6:,.0f} M USD"
        # Where the rack-hour's cost is what was made least, its bound and gap are told with it
        proof = (
            f" (bound {self.bound / 1e6:,.3f}, gap {self.gap * 100:.2f} %)"
            if self.compute_cost is None
            else ""
        )
        lines = [("cost", f"{self.cost / 1e6:,.3f} M USD/yr{proof}, {capital}")]
        if self.bound_name != FORESIGHT:
            lines.append(("bound", self.bound_name))
        if (known := self.bound_with_failures) is not None:
            text = f"no plant and operator cost less than {known.text(1e-6, ' M USD/yr')} on the mean"
            if (share := self.unavoidable_share) is not None:
                text += f": {share * 100:.0f} % of the gap is proven to be unavoidable"
            lines.append(("with failures", text))
        if self.gap_parts:
            parts = ", ".join(
                f"{GAP_PARTS.get(name, name)} {usd / 1e6:,.2f}" for name, usd in self.gap_parts.items()
            )
            lines.append(("of the gap", f"{parts} M USD/yr"))
        if self.uptime_price_usd_per_mwh is not None:
            price = f"{self.uptime_price_usd_per_mwh:,.0f} USD per MWh of load not served, with foresight"
            # Another nine mostly takes another unit, of which this price knows nothing: a frontier does
            lines.append(("cost of uptime", f"{price} and the same units"))
        if self.limit_prices:
            worth = ", ".join(f"{words} {usd:,.0f}" for words, usd in limit_price_words(self.limit_prices))
            lines.append(("one more unit", f"{worth} USD/yr saved, with foresight and the same units"))
        lines += [] if self.compute_cost is None else self.compute_cost.lines()
        lines += [("other path", item.line()) for item in self.alternatives]
        return lines + ([] if self.sensitivity is None else [("decided by", self.sensitivity.decided_by)])

    def _source_lines(self) -> list[tuple[str, str]]:
        solved = f"{self.method} in {self.solve_seconds:.1f} s"
        certificate = self.certificate
        if certificate is None:
            return [*super()._source_lines(), ("solved", f"{solved}, stopped by {self.stopped_by}")]
        fuel = sum(certificate.fuel_mmbtu_per_yr)
        certified = (
            f"backup {certificate.backup_share.value * 100:.2f} % of the load, {fuel:,.0f} MMBtu/yr; "
            "cost, energy and CO2 above are those of the study's own years under one draw of failures"
        )
        return [
            *super()._source_lines(),
            *([("certified on", certificate.weather_source)] if certificate.weather_source else []),
            ("unseen years" if not certificate.given_years else "given years", certified),
            ("solved", f"bound by {solved}; plant by search, stopped by {self.stopped_by}"),
        ]

    def _label(self) -> str:
        """Say what the uptime figure is worth."""
        if self.certificate is None:
            return super()._label()
        verdict = "met" if self.certificate.met else "NOT met"
        if not self.certificate.target:
            lower = self.certificate.uptime.lower_bound(self.certificate.confidence)
            verdict = f"at least {share_of_uptime(lower, down=True)}"
        given, years = self.certificate.given_years, f"{self.certificate.weather_years} unseen weather years"
        if given:
            years = f"no weather but the {'one year' if given == 1 else f'{given} years'} given"
        seed = f"seed {self.certificate.seed}"
        return f"{verdict} at {self.certificate.confidence * 100:g} %, {years}, {seed}, outages, no foresight"

    def to_dict(self) -> dict[str, Any]:
        """Everything but the time series, ready for JSON."""
        return {"format": FORMAT} | super().to_dict()

    @classmethod
    @takes("Design.from_dict()")
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Read back what :meth:`to_dict` gave.

        Raises
        ------
        InputError
            If it is not a design of this version.
        """
        content = {key: _with_nan(value) for key, value in content_of(data, FORMAT, "Design").items()}
        try:
            design = cls.model_validate(content)
        except ValidationError as error:
            *first, last = faults_of(error, "design", cls.model_fields)
            last = replace(last, remedy=f"{last.remedy} {of_another_version(data)}".lstrip())
            raise InputError([*first, last], "Design.from_dict()") from None
        return readable(design, "Design", lambda it: (str(it), str(it.details)))

    @takes("Design.save()", path=File((".json",), elsewhere=_OTHER_FILES))
    def save(self, path: str | Path) -> Path:
        """Write the design as JSON; the file is complete or not there at all.

        Parameters
        ----------
        path : path
            Ending in ``.json``.

        Raises
        ------
        InputError
            If the path is none that can be written.
        """
        return write_json(path, self.to_dict(), "Design")

    @classmethod
    @takes("Design.load()", path=File(says="must be the path of a file that Design.save() wrote"))
    def load(cls, path: str | Path) -> Self:
        """Read a design that :meth:`save` wrote.

        Raises
        ------
        InputError
            If the file is missing, cannot be read or is not a design.
        """
        return cls.from_dict(read_json(path, "Design"))


def limit_price_words(prices: Mapping[str, float]) -> list[tuple[str, float]]:
    """One more unit of each limit in words, for example ``MW of grid``, with what it saves. [USD/yr]"""
    units = {"mw": "MW", "mwh": "MWh", "acres": "acre"}
    named = [(*name.rpartition("_")[::2], usd) for name, usd in prices.items()]
    return [(f"{units[unit]} of {what.replace('_', ' ')}", usd) for what, unit, usd in named]


def design_from(evaluation: Evaluation, **fields: Any) -> Design:  # noqa: ANN401
    """Make a design of an evaluation, its time series and what only a design has."""
    design = Design(**(evaluation.model_dump() | fields))
    design._dispatch, design._units = evaluation._dispatch, evaluation._units
    return design


def _with_nan(node: Any) -> Any:  # noqa: ANN401
    """Put NaN back where a command printed null, as JSON has no word for it: in figures that are unknown."""
    if isinstance(node, list):
        return [_with_nan(item) for item in node]
    if not isinstance(node, dict):
        return node
    estimate = "standard_error" in node and "samples" in node
    return {
        key: math.nan if value is None and estimate and key in _FIGURES else _with_nan(value)
        for key, value in node.items()
    }
