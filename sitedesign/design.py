"""Design: the answer. What to build, what it costs, how sure the optimum is, and what it promises."""

from __future__ import annotations

import html
import json
from importlib import import_module
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError

from sitedesign.atomic import write_atomic
from sitedesign.errors import InputError
from sitedesign.evaluation import Evaluation
from sitedesign.reliability.certificate import Certificate
from sitedesign.reliability.estimate import Estimate
from sitedesign.validation import faults_of

FORMAT = "sitedesign-design-1"
FORESIGHT_LABEL = "perfect foresight, no equipment failures: a bound, not a promise"


class Design(Evaluation):
    """The least-cost plant of a study, re-checked by a replay that shares no code with the optimiser.

    Everything an :class:`~sitedesign.evaluation.Evaluation` has, and:

    Attributes
    ----------
    study : dict
        The question, as :meth:`Study.to_dict` gives it.
    objective_usd_per_yr, bound_usd_per_yr : float
        What the optimiser claims for this plant, and the proven lower bound. [USD/yr]
    method : str
        ``extensive`` or ``cuts``.
    stopped_by : str
        ``gap``, ``time_limit`` or ``iteration_limit``.
    solve_seconds : float
        Wall time of the optimiser. [s]
    iterations : int
        Master iterations.
    uptime_price_usd_per_mwh : float or None
        Marginal cost of uptime: one weighted MWh of load more or less. [USD/MWh]
    greedy_uptime : Estimate
        Uptime of the same plant and weather under a rule that never looks ahead.
    certificate : Certificate or None
        What the plant keeps on years that its design never saw, operated without foresight while things fail;
        None for a foresight design, which is a bound.
    gap_parts : dict of str to float
        What separates the certified cost from the bound: not knowing the weather, failures, unit granularity.
        [USD/yr]
    """

    study: dict[str, Any]
    objective_usd_per_yr: float
    bound_usd_per_yr: float
    method: str
    stopped_by: str
    solve_seconds: float
    iterations: int
    uptime_price_usd_per_mwh: float | None
    greedy_uptime: Estimate
    certificate: Certificate | None = None
    gap_parts: dict[str, float] = Field(default_factory=dict)

    @property
    def uptime(self) -> Estimate:
        """Uptime by the study's metric: certified where there is a certificate, else promised."""
        return self.certificate.uptime if self.certificate is not None else self.metrics.rack

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
        """Relative optimality gap. [fraction]"""
        return (self.objective_usd_per_yr - self.bound_usd_per_yr) / max(abs(self.objective_usd_per_yr), 1e-9)

    @property
    def next_nine_usd_per_yr(self) -> float:
        """Marginal price of uptime times the compute of one more nine; by convexity, at least. [USD/yr]"""
        price = self.uptime_price_usd_per_mwh or 0.0
        return price * 0.9 * (1 - self.uptime_target) * self.load_mwh_per_yr

    def summary(self) -> list[tuple[str, str]]:
        """Facts of the answer as (label, text), the same for every way of showing it."""
        units = " · ".join(
            f"{count} × {name} ({self.backup_unit_mw[name]:.4g} MW)" for name, count in self.backup.items()
        )
        spare = self.racks - self.racks_contracted
        served = f"backup {self.energy_mwh_per_yr['backup'] / self.load_mwh_per_yr:.2%} of the load"
        lines = [
            ("solar", f"{self.solar_mw:,.1f} MWdc on {self.land_acres:,.0f} acres"),
            (
                "battery",
                f"{self.battery_mwh:,.1f} MWh, {self.battery_mw:,.1f} MW, "
                f"{self.battery_containers} containers",
            ),
            ("backup", units or "none"),
            ("racks", f"{self.racks} installed for {self.racks_contracted} contracted ({spare} spare)"),
            (
                f"uptime ({self.metric})",
                f"{_percent(self.uptime)}, target {self.uptime_target:.6g} ({self._label()})",
            ),
            ("uptime, greedy", f"{_percent(self.greedy_uptime)} when nobody looks ahead and nothing fails"),
            (
                "cost",
                f"{self.cost / 1e6:,.3f} M USD/yr (bound {self.bound / 1e6:,.3f}, gap {self.gap:.2%}), "
                f"capital {self.capital_usd / 1e6:,.0f} M USD",
            ),
            ("power", f"{self.lcoe_usd_per_mwh:,.1f} USD/MWh served, {served}"),
            (
                "whole project",
                f"{self.project_cost_usd_per_yr / 1e6:,.1f} M USD/yr, {self.usd_per_rack_h:,.2f} USD/rack-h",
            ),
            ("curtailed", f"{self.energy_mwh_per_yr['curtailed']:,.0f} MWh/yr"),
            ("CO2", f"{self.co2_t_per_yr:,.0f} t/yr"),
            (
                "first power",
                f"{self.months_to_power:.0f} months ({self.slowest}), {self.truckloads:,} truckloads "
                "(batteries and racks)",
            ),
            ("weather", f"{self.provenance.weather}, {len(self.provenance.weather_years)} years"),
            ("solved", f"{self.method} in {self.solve_seconds:.1f} s, stopped by {self.stopped_by}"),
        ]
        if self.gap_parts:
            parts = ", ".join(f"{name} {usd / 1e6:,.2f}" for name, usd in self.gap_parts.items())
            lines.insert(7, ("of the gap", f"{parts} M USD/yr"))
        if self.uptime_price_usd_per_mwh is not None:
            price = (
                f"{self.uptime_price_usd_per_mwh:,.0f} USD per MWh of load not served; the next nine costs "
                f"at least {self.next_nine_usd_per_yr / 1e6:,.2f} M USD/yr"
            )
            lines.insert(7, ("cost of uptime", price))
        return lines + [("note", note) for note in self.provenance.notes]

    def _head(self) -> str:
        status = "OPTIMAL to" if self.stopped_by == "gap" else "NOT PROVEN OPTIMAL to"
        if self.certificate is not None:
            status = "CERTIFIED," if self.certificate.met else "NOT CERTIFIED,"
            return f"Design({self.site_name!r}): {status} {self.gap:.2%} above the foresight bound"
        return f"Design({self.site_name!r}): {status} {self.gap:.2%}"

    def __repr__(self) -> str:
        head = self._head()
        return "\n".join([head, *(f"  {label:<16} {text}" for label, text in self.summary())])

    __str__ = __repr__

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(label)}</th>"
            f"<td style='text-align:left'>{html.escape(text)}</td></tr>"
            for label, text in self.summary()
        )
        head = html.escape(self._head())
        return f"<table><caption style='text-align:left'><b>{head}</b></caption>{rows}</table>"

    def _label(self) -> str:
        """Say what the uptime figure is worth."""
        if self.certificate is None:
            return FORESIGHT_LABEL
        verdict = "met" if self.certificate.met else "NOT met"
        years = f"{self.certificate.weather_years} unseen weather years, seed {self.certificate.seed}"
        return f"{verdict} at {self.certificate.confidence:.0%}, {years}, outages, no foresight"

    def to_dict(self) -> dict[str, Any]:
        """Everything but the time series, ready for JSON."""
        return {"format": FORMAT} | super().to_dict()

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Read back what :meth:`to_dict` gave.

        Raises
        ------
        InputError
            If it is not a design of this version.
        """
        content = {key: value for key, value in data.items() if key != "format"}
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            raise InputError(faults_of(error, "design", cls.model_fields), "Design.from_dict()") from None

    def save(self, path: str | Path) -> Path:
        """Write the design as JSON; the file is complete or not there at all."""
        target = Path(path)
        write_atomic(target, json.dumps(self.to_dict(), indent=1).encode())
        return target

    def report(self, path: str | Path, **more: Any) -> Path:  # noqa: ANN401
        """Write the HTML report: one file that opens offline.

        Parameters
        ----------
        path : path
            Of the file.
        **more
            ``certificate`` and ``sweeps``, see :func:`sitedesign.report.html.write_report`.
        """
        # Imports go one way, and the report reads designs: it is loaded when it is asked for
        written: Path = import_module("sitedesign.report.html").write_report(self, path, **more)
        return written

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a design that :meth:`save` wrote."""
        return cls.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))


def _percent(estimate: Estimate) -> str:
    """Uptime in per cent with its standard error."""
    error = estimate.standard_error
    spread = f" ± {error * 100:.2g}" if error == error else ""  # NaN: one year has no spread
    return f"{estimate.value * 100:.4f}{spread} %"
