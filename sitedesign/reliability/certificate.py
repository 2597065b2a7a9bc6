"""The certificate itself: what a plant keeps, in figures that never travel without their error."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from sitedesign.components.battery_wear import BatteryDuty
from sitedesign.errors import InputError, unknown_name
from sitedesign.operation.state import Controller
from sitedesign.reliability.estimate import Estimate
from sitedesign.reliability.events import Event
from sitedesign.reliability.exchange_use import ExchangeUse
from sitedesign.reliability.metrics import UptimeMetrics
from sitedesign.reliability.reserve_use import ReserveUse
from sitedesign.reliability.technology_use import CapUse, TechnologyUse, use_table
from sitedesign.util.gate import TEXT, Measure, takes
from sitedesign.util.html_table import table_html
from sitedesign.util.words import percent, target

#: Name of the cause that remains when nothing fails.
WEATHER = "weather"
#: Racks that are missing beyond the spares, whatever the power.
RACKS = "racks"
_CAUSES = {
    "units": "trips",
    "common_cause": "common-cause trips",
    "starts": "failed starts",
    "common_starts": "common-cause starts",
    "planned": "planned maintenance",
    "fuel": "fuel supply",
    "cold": "fuel supply in extreme cold",
    "battery": "battery blocks",
    "solar": "inverter blocks",
    "wind": "turbines and ice",
    "site": "whole site",
    "grid_calls": "calls of the grid",
    "grid_wires": "broken wires",
    RACKS: "racks beyond the spares",
    WEATHER: "weather alone",
}
#: A certificate has converged when its half-width is at most this share of what the target allows to be lost.
CONVERGED_SHARE = 0.25
#: Where a rule of operation comes from.
TUNED, USUAL, GIVEN = "tuned with this plant", "the usual rule, not tuned to this plant", "as given"


@dataclass(frozen=True)
class ClassUptime:
    """What one class of the load was to have, and what it keeps.

    Attributes
    ----------
    name : str
    target : float
        [fraction]
    uptime : Estimate
        Failures of racks included.
    met : bool
        The estimate clears the target at the certificate's confidence.
    """

    name: str
    target: float
    uptime: Estimate
    met: bool


@dataclass(frozen=True)
class SupplyHours:
    """Hours in which the supply of a fuel, or the whole site, was out in the years of a certificate.

    Where enough of them are to be expected, every mean of an uptime or of a loss is corrected for the
    difference between the two (:mod:`sitedesign.reliability.control_variates`).

    Attributes
    ----------
    name : str
        Of the fuel, or ``site``.
    met_h_per_yr, expected_h_per_yr : float
        In the mean simulated year, and in the long run under the same weather. [h/yr]
    corrected : bool
        Whether means are corrected for it.
    """

    name: str
    met_h_per_yr: float
    expected_h_per_yr: float
    corrected: bool = True


@dataclass(frozen=True, repr=False)
class Certificate:
    """What a plant keeps, over weather years that its design never saw.

    Attributes
    ----------
    metrics : UptimeMetrics
        Corrected for the luck in `interruptions`; single years and extremes are as they were.
    metric : str
        The one that the target is for.
    target, confidence : float
        [fraction]
    met : bool
        The estimate clears the target at the stated one-sided confidence, and the reserve is missing in no
        more hours than it may be.
    converged : bool
        Half-width at most a quarter of ``1 - target``.
    half_width : float
        Of the target's metric, two-sided at `confidence`. [fraction]
    weather_years, draws, simulated_years : int
        Distinct weather years, outage draws of each, their product.
    seed : int
    controller : Controller
    causes : dict of str to float
        Share of each cause in the lost compute, which they add up to: what two only do together is divided
        evenly. ``weather`` is what is lost with every cause off, ``racks`` what missing racks lose.
    cause_errors : dict of str to float
        Standard error of each share, over the weather years that were re-run. [fraction]
    backup_mwh_per_yr, fuel_mmbtu_per_yr : tuple of float
        Per technology, part load included. [MWh/yr, MMBtu/yr]
    backup_share : Estimate
        Share of the load served by backup. [fraction]
    operating_cost_usd_per_yr : float
        Marginal cost and part-load fuel, energy drawn, less what is sold. [USD/yr]
    run_h_per_yr, starts_per_yr, failed_starts_per_yr : tuple of tuple of float
        Per technology and unit. [h/yr, 1/yr, 1/yr]
    battery_cycles_per_yr : float
        [1/yr]
    planned : dict of str to float
        What the plant was planned with, as given.
    events : tuple of Event
        Those that lost most compute, with cause.
    power_lost_h_by_year : tuple of float
        Full-load hours lost to missing power in each simulated year, the draws of a weather year side by
        side. [h/yr]
    operating_usd_by_year : tuple of float
        Operating cost of each simulated year, in the same order. [USD/yr]
    classes : tuple of ClassUptime
        Where the load has several: `met` then means that every one is met.
    off : tuple of str
        Causes of failure that were left out: then this is a what-if, not what the plant keeps.
    weather_source : str
        Where the weather years come from, and what that leaves open.
    given_years : int
        Years that were given and are operated again and again, each time under other failures and forecast
        errors: then `weather_years` counts repetitions. 0 where every year is another one.
    rule : str
        Where the controller comes from: tuned with this plant, the usual one, or given.
    weather_flags : tuple of str
        What the reader of the weather files found suspicious.
    co2_t_per_yr : float
        Of what was really burnt and drawn. [t/yr]
    exchange : ExchangeUse or None
        Energy, hours and money of imports and sinks; None on an island.
    reserve : ReserveUse or None
        Hours in which the reserve that is asked for is missing; `met` then counts them. None without one.
    battery_duty : BatteryDuty or None
        What the battery is put through, of the first weather years that were simulated; None without one.
    technologies : tuple of TechnologyUse
        Run hours, starts, tonnes and hours of noise of each backup technology; those of noise, where nobody
        limits them, are of the first weather years that were simulated alone.
    site_on_h_per_yr, site_night_on_h_per_yr : float
        Hours in which any unit of backup gives power, and those of them at night (22 to 7 h): noise. [h/yr]
    capped : tuple of CapUse
        What is used of each limit on a total of the year: permits, CO2, renewable share. `met` is of the
        uptime alone; `permits_kept` is of these.
    interruptions : tuple of SupplyHours
        Of every supply that the plant uses, by how much luck in the years simulated is known.

    Examples
    --------
    >>> certificate = sd.certify(design, years=4, draws=1, attribute=False)
    >>> certificate.met, certificate.confidence, certificate.weather_years
    (False, 0.95, 4)
    """

    metrics: UptimeMetrics
    metric: str
    target: float
    confidence: float
    met: bool
    converged: bool
    half_width: float
    weather_years: int
    draws: int
    simulated_years: int
    seed: int
    controller: Controller
    causes: dict[str, float]
    backup_mwh_per_yr: tuple[float, ...]
    fuel_mmbtu_per_yr: tuple[float, ...]
    backup_share: Estimate
    operating_cost_usd_per_yr: float
    run_h_per_yr: tuple[tuple[float, ...], ...]
    starts_per_yr: tuple[tuple[float, ...], ...]
    failed_starts_per_yr: tuple[tuple[float, ...], ...]
    battery_cycles_per_yr: float
    planned: dict[str, float] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    power_lost_h_by_year: tuple[float, ...] = ()
    operating_usd_by_year: tuple[float, ...] = ()
    classes: tuple[ClassUptime, ...] = ()
    cause_errors: dict[str, float] = field(default_factory=dict)
    off: tuple[str, ...] = ()
    weather_source: str = ""
    given_years: int = 0
    rule: str = ""
    weather_flags: tuple[str, ...] = ()
    co2_t_per_yr: float = 0.0
    exchange: ExchangeUse | None = None
    reserve: ReserveUse | None = None
    battery_duty: BatteryDuty | None = None
    technologies: tuple[TechnologyUse, ...] = ()
    site_on_h_per_yr: float = 0.0
    site_night_on_h_per_yr: float = 0.0
    capped: tuple[CapUse, ...] = ()
    interruptions: tuple[SupplyHours, ...] = ()

    @property
    def permits_kept(self) -> bool:
        """Whether every limit on a total of the year is kept, in the mean over the simulated years."""
        return all(use.kept for use in self.capped)

    def technology_table(self) -> pd.DataFrame:
        """Run hours, starts, tonnes and hours of noise, one row a technology."""
        return use_table(self.technologies)

    @property
    def imported_mwh_per_yr(self) -> float:
        """Energy that all imports give. [MWh/yr]"""
        if self.exchange is None:
            return 0.0
        return sum(mwh.value for mwh in self.exchange.import_mwh_per_yr.values())

    @property
    def basis(self) -> str:
        """What was simulated."""
        years = f"{self.weather_years} weather years"
        if self.given_years:
            what = "the one year" if self.given_years == 1 else f"the {self.given_years} years"
            years = f"{self.weather_years} repetitions of {what} given"
        return f"{years} x {self.draws} outage draws, seed {self.seed}"

    @property
    def operated_by(self) -> str:
        """Name the rule of operation, its figures and where it comes from."""
        origin = f" ({self.rule})" if self.rule else ""
        return f"{rule_words(self.controller)}{origin}{self._what_if}"

    @property
    def uptime(self) -> Estimate:
        """The metric that the target is for."""
        estimate: Estimate = getattr(self.metrics, self.metric)
        return estimate

    @takes("meets()", confidence=Measure("fraction", 0, 1, above=True, below=True))
    def meets(self, confidence: float) -> bool:
        """Whether every target is cleared at a one-sided confidence other than the stated one."""
        parts = [(part.uptime, part.target) for part in self.classes] or [(self.uptime, self.target)]
        held = self.reserve is None or self.reserve.met
        return held and all(uptime.met(target, confidence) for uptime, target in parts)

    @takes("cause_text()", name=TEXT)
    def cause_text(self, name: str) -> str:
        """Share of a cause with its interval at 95 %, in per cent."""
        if name not in self.causes:
            raise InputError([unknown_name("name", name, self.causes)], "cause_text()")
        error = self.cause_errors.get(name, float("nan"))
        value, half = 100 * self.causes[name], 196 * error
        if error != error or half < 0.5:
            return f"{value:.0f} %"
        return f"{value:.0f} % ({max(value - half, 0):.0f} to {value + half:.0f})"

    @property
    def _what_if(self) -> str:
        return f", if these never happened: {', '.join(map(cause_words, self.off))}" if self.off else ""

    @property
    def _exchange_lines(self) -> list[tuple[str, str]]:
        return [] if self.exchange is None else self.exchange.lines()

    @property
    def _reserve_lines(self) -> list[tuple[str, str]]:
        return [] if self.reserve is None else [self.reserve.line]

    @property
    def luck_lines(self) -> list[tuple[str, str]]:
        """Say what means are corrected for; nothing where no supply is ever interrupted."""
        hours = ", ".join(
            f"{'whole site' if row.name == 'site' else _words(row.name)} {row.met_h_per_yr:.3g} h/yr "
            f"({row.expected_h_per_yr:.3g} in the long run)"
            for row in self.interruptions
            if row.corrected
        )
        return [] if not hours else [("corrected for luck", f"out of service in these years: {hours}")]

    def event_table(self) -> pd.DataFrame:
        """Worst events, one row each."""
        return pd.DataFrame([vars(event) for event in self.events])

    def compared(self) -> dict[str, tuple[float, float]]:
        """Put each planned figure that the certificate knows beside the one that is kept."""
        certified = {
            "uptime": self.uptime.value,
            "backup_share": self.backup_share.value,
            "fuel_mmbtu_per_yr": sum(self.fuel_mmbtu_per_yr),
            "operating_cost_usd_per_yr": self.operating_cost_usd_per_yr,
        }
        return {name: (value, certified[name]) for name, value in self.planned.items() if name in certified}

    def __str__(self) -> str:
        """Four lines: verdict, basis, rule of operation, causes."""
        verdict = "met" if self.met else "NOT met"
        sure = "" if self.converged else "; not converged: more years would narrow it"
        causes = ", ".join(
            f"{cause_words(name)} {self.cause_text(name)}"
            for name, share in self.causes.items()
            if abs(share) >= 0.005
        )
        classes = "".join(
            f"\n  {part.name}: {part.uptime.text(100, ' %')}, target {target(part.target)}: "
            f"{'met' if part.met else 'NOT met'}"
            for part in self.classes
        )
        nothing = "nothing was lost" if self.uptime.no_event_seen else "not examined"
        return (
            f"{self.metric} uptime {self.uptime.text(100, ' %')}, target {target(self.target)}: "
            f"{verdict} at {target(self.confidence)}{sure}{classes}\n"
            f"  {self.basis}{f': {self.weather_source}' if self.weather_source else ''}\n"
            f"  operated by {self.operated_by}\n"
            f"  lost compute by cause: {causes or nothing}"
            + "".join(
                f"\n  {label}: {text}"
                for label, text in self.luck_lines + self._exchange_lines + self._reserve_lines
            )
            + "".join(f"\n  limit: {use}" for use in self.capped)
            + "".join(f"\n  flag of the weather: {flag}" for flag in self.weather_flags)
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        lost_h = (1 - self.uptime.value) * 8760
        lower = percent(self.uptime.lower_bound(self.confidence), down=True)
        rows = [
            (
                "uptime",
                f"{self.uptime.text(100, ' %')}, target {target(self.target)}; "
                f"{lost_h:,.2g} full-load hours lost a year",
            ),
            ("at least", f"{lower} at {target(self.confidence)} confidence"),
            ("simulated", self.basis.replace(" x ", " × ")),
            *([("weather", self.weather_source)] if self.weather_source else []),
            ("operated by", self.operated_by),
            (
                "backup",
                f"{self.backup_share.text(100, ' %')} of the load, "
                f"{sum(self.fuel_mmbtu_per_yr):,.0f} MMBtu/yr",
            ),
            ("battery", f"{self.battery_cycles_per_yr:,.0f} full cycles a year"),
            *self.luck_lines,
            *self._exchange_lines,
            *self._reserve_lines,
            *(("limit", str(use)) for use in self.capped),
            *((f"lost by {cause_words(name)}", self.cause_text(name)) for name in self.causes),
        ]
        if not self.converged:
            rows.append(("note", "not converged: more years would narrow the interval"))
        rows += [("flag of the weather", flag) for flag in self.weather_flags]
        worst = [
            (
                e.start,
                f"{e.duration_h:,.2f} h",
                f"{e.shed_mwh:,.1f} MWh",
                cause_words(e.cause),
                e.circumstances,
            )
            for e in self.events[:5]
        ]
        verdict = "target met" if self.met else "target NOT met"
        verdict_table = table_html(f"Certificate of {self.metric} uptime: {verdict}", rows)
        columns = ("start", "length", "not served", "cause", "what came together")
        return verdict_table + table_html("Worst events", worst, columns)


def cause_words(cause: str) -> str:
    """Cause of a loss for people: ``starts`` becomes ``failed starts``."""
    return _CAUSES.get(cause, _words(cause))


def rule_words(rule: Controller) -> str:
    """Name a rule of operation and what is tuned of it."""
    if rule.kind == "greedy":
        return f"greedy: units below {target(rule.start_soc)} of the battery"
    forecast = f"forecast z-score {rule.forecast_z_score:g}"
    units = f"capacity credit {rule.capacity_credit:g}"
    return f"{_words(rule.kind)}, reserve {rule.reserve_h:g} h, {forecast}, {units}"


def _words(name: str) -> str:
    return name.replace("_", " ")
