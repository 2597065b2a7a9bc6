"""The answer for somebody who decides, a line a matter: asked, built, promised, paid, proven, what is next.

Everything else a result knows stands in ``details`` and in the report.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sitedesign import library
from sitedesign.case.build import ONE_YEAR_NOTE, TMY_NOTE
from sitedesign.errors import InputError
from sitedesign.reliability.certificate import Certificate, cause_words
from sitedesign.reliability.estimate import NO_ERROR_KNOWN, Estimate
from sitedesign.results.held import held
from sitedesign.study.limits import Limits
from sitedesign.study.region import NONE, OF_SITE, region_of
from sitedesign.util.inputs import declared
from sitedesign.util.words import count, in_sentence, listed, percent, share, target
from sitedesign.weather.site import Site

if TYPE_CHECKING:
    from sitedesign.results.design import Design
    from sitedesign.results.evaluation import ClassResult, Evaluation

Row = tuple[str, str]


@dataclass(frozen=True)
class Calls:
    """How the reader asks for more: in Python, or in a terminal."""

    alternatives: str = "sd.alternatives(design)"
    sensitivity: str = "sd.sensitivity(design)"
    certify: str = "sd.solve(...) without certify=False"
    report: str = 'design.report("report.html")'
    details: str = "design.details"
    measure: str = "sd.Weather.fetch"
    careful: str = 'practice="careful"'


PYTHON = Calls()
BOUND = "BOUND, NOT A DESIGN TO BUILD"
_LEAST_MW = 0.05  # smaller is not built
_OF_WHAT = {
    "rack": "rack-hours",
    "compute": "the contracted compute",
    "site": "the time with every rack at full power",
    "floor": "the time with at least 60 % of the power",
}
_HOURS = 8760.0
#: Limits on totals of the year, but that on CO2.
_YEARLY = (
    "nox_t_per_yr", "co_t_per_yr", "pm_t_per_yr", "run_h", "starts", "night_h", "site_night_h",
    "battery_cycles_per_yr",
)  # fmt: skip


def asked(design: Design) -> str:
    """Say what the study asks for: power, racks, uptime, limits."""
    study = design.study
    load_mw = design.load_mwh_per_yr / _HOURS
    work = f"{design.it_mwh_per_yr / _HOURS:,.1f} MW of IT load, {load_mw:,.1f} MW with cooling "
    work += f"({design.racks_contracted:,} × {study['rack']['title']})"
    return ", ".join([work, *_growth(study), *_targets(design), *_limits(study)])


def _growth(study: Mapping[str, Any]) -> list[str]:
    growth = study.get("load_growth_per_yr") or 0.0
    return (
        [f"after {study['plant_age_yr']:g} years of growth by {100 * growth:.3g} % a year"] if growth else []
    )


def _targets(design: Design) -> list[str]:
    promised = [item for item in design.classes if item.target is not None]
    if design.classes:
        return [f"{item.name} {target(item.target)} of {_OF_WHAT[item.metric]}" for item in promised
                if item.target is not None]  # fmt: skip
    if design.compute_cost is not None:
        return ["the uptime that is worth its cost"]
    return [f"{target(design.uptime_target)} of {_OF_WHAT[design.metric]}"]


def _limits(study: Mapping[str, Any]) -> list[str]:
    """Limits that were given, in words."""
    limits, words = study["limits"], []
    months, land, co2, spare = (
        limits.get(name) for name in ("months_to_power", "land_acres", "co2_t_per_yr", "n_plus")
    )
    words += [] if months is None else [f"power within {months:g} months"]
    words += [] if land is None else [f"at most {land:,.0f} acres"]
    words += [] if co2 is None else [f"at most {co2:,.0f} t of CO2 a year"]
    words += [f"N+{spare}"] if spare else []
    least = study.get("min_renewable_share")
    words += [] if least is None else [f"at least {share(least)} without backup"]
    sized = ("solar_mw", "battery_mwh", "battery_mw", "racks", "units", "wind_mw", "battery_hours")
    others = [name.replace("_", " ") for name in sized if limits.get(name)]
    words += [f"limits on {listed(others)}"] if others else []
    yearly = [declared(Limits)[name].told.title for name in _YEARLY if limits.get(name) not in (None, {})]
    return [*words, *([f"limits a year on {listed(yearly)}"] if yearly else [])]


def built(result: Evaluation, titles: Mapping[str, str]) -> str:
    """Say what stands there, in titles: sun, wind, battery, units, connection, takers, racks."""
    parts = [
        f"{mw:,.0f} MWdc of sun" if name == "solar" else f"{mw:,.0f} MW of {_title(name, titles)}"
        for name, mw in result.resources_mw.items()
        if mw >= _LEAST_MW
    ]
    if result.battery_mwh >= _LEAST_MW:
        parts.append(f"a battery of {result.battery_mwh:,.0f} MWh and {result.battery_mw:,.0f} MW")
    for name, units in result.backup.items():
        if units:
            mw = result.backup_unit_mw[name]
            together = f" ({units * mw:,.0f} MW)" if units > 1 else ""
            parts.append(f"{units} × {_title(name, titles)} of {mw:.4g} MW{together}")
    parts += [] if any(result.backup.values()) else ["no backup"]
    told = {item.name: item for item in result.surplus}
    parts += [f"{mw:,.0f} MW of connection to the {name}" for name, mw in result.imports_mw.items() if mw]
    parts += [
        f"{mw:,.0f} MW of {'sale' if name == 'sale' else _title(name, titles)}"
        for name, mw in result.sinks_mw.items()
        if mw and name not in told
    ]
    parts += [
        f"{item.racks:,} racks for {item.name}" if item.racks else f"{item.mw:,.0f} MW for {item.name}"
        for item in told.values()
        if item.mw > 0
    ]
    spare = result.racks - result.racks_contracted
    return ", ".join([*parts, f"{result.racks:,} racks ({spare} spare)"])


def _sharing(design: Design) -> str:
    """Say that spare racks do not stand by."""
    return ", which all share the work" if design.study.get("spares") == "share" else ""


def titles_of(result: Evaluation, study: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Title of each technology by its name: the study's own, else the library's."""
    own = [item for kind in ("backup", "wind") for item in (study or {}).get(kind, ())]
    titles = {item["name"]: item["title"] for item in own if isinstance(item, Mapping)}
    for kind, names in (("backup", result.backup), ("wind", result.resources_mw)):
        for name in names:
            if name not in titles and name != "solar":
                titles[name] = _library_title(kind, name)
    return titles


def _library_title(kind: str, name: str) -> str:
    try:
        return library.entry(kind, name).title
    except InputError:  # the user's own
        return name.replace("_", " ")


def _title(name: str, titles: Mapping[str, str]) -> str:
    return in_sentence(titles.get(name, name.replace("_", " ")))


def promise(design: Design) -> str:
    """Say what is promised, how surely, and under what."""
    kept = design.certificate
    of = _OF_WHAT[design.metric]
    if kept is None:
        blind = percent(design.greedy_uptime.value)
        return (
            "none: planned by somebody who knows all weather in advance, and nothing ever fails. Without "
            f"looking ahead this plant keeps {blind} of {of}"
        )
    sure = f"at {target(kept.confidence)} confidence"
    if kept.classes:
        parts = [
            f"{item.name} at least {_at_least(item.uptime, kept.confidence)} (target {target(item.target)})"
            for item in kept.classes
        ]
        parts += [f"{item.name} nothing (best effort)" for item in design.classes if item.target is None]
        return f"{', '.join(parts)}; {sure}, {'all met' if kept.met else 'NOT ALL MET'}"
    text = f"at least {_at_least(kept.uptime, kept.confidence)} of {of} {sure}"
    if not kept.uptime.error_known:
        text = f"{percent(kept.uptime.value)} of {of} ({NO_ERROR_KNOWN})"
    if not kept.target:
        return f"{text}; no target was set"
    return f"{text}; the target of {target(kept.target)} is {'met' if kept.met else 'NOT MET'}"


def _at_least(uptime: Estimate, confidence: float) -> str:
    return percent(uptime.lower_bound(confidence), down=True)


def expected(result: Evaluation, kept: Certificate | None) -> str:
    """Say what a year brings: outages, the longest, the worst year, the main cause."""
    if kept is None and not result.counts_hours:
        return ""
    metrics = result.metrics if kept is None else kept.metrics
    years = f"{kept.simulated_years:,} simulated years" if kept else f"{metrics.rack.samples} weather years"
    if metrics.events_per_yr.value == 0:
        return f"no outage in {years if metrics.rack.samples > 1 or kept else 'the one weather year'}"
    outages = _outages(metrics.events_per_yr)
    text = (
        f"{outages}, together {metrics.lolh_h_per_yr.value:,.1f} h, the longest "
        f"{metrics.longest_h.value:,.0f} h; {percent(metrics.worst_year.value)} in the worst of {years}"
    )
    return text + (f"; {_main_cause(kept)}" if kept is not None else "")


def _outages(estimate: Estimate) -> str:
    """Outages a year, or years an outage, with the interval at 95 %."""
    low, high = estimate.lower_bound(0.975), estimate.upper_bound(0.975)
    known = "" if math.isnan(low) or low == high else f" ({low:,.2g} to {high:,.2g})"
    return f"{estimate.value:,.2g} outages a year{known}"


def _main_cause(kept: Certificate) -> str:
    if not kept.causes:
        return "causes not examined"
    name, most = max(kept.causes.items(), key=lambda item: item[1])
    return f"mostly {cause_words(name)} ({share(most)} of what is lost)"


def paid(result: Evaluation) -> str:
    """Cost of the plant a year and a MWh, capital, and the whole project."""
    return (
        f"{result.cost_usd_per_yr / 1e6:,.1f} M USD a year, {result.lcoe_usd_per_mwh:,.1f} USD/MWh, capital "
        f"{result.capital_usd / 1e6:,.0f} M USD; with all racks and the hall "
        f"{result.project_cost_usd_per_yr / 1e6:,.0f} M USD a year"
    )


def schedule(result: Evaluation, titles: Mapping[str, str]) -> str:
    """When there is power, what comes last, and when the hall is ready."""
    months = f"{result.months_to_power:,.0f}"  # a damaged file may hold no number
    text = f"power {months} month{'' if months == '1' else 's'} after the order"
    text += f" ({_title(result.slowest, titles)} comes last)" if result.slowest else ""
    if result.hall_wait and result.hall_months is not None:
        text += f"; the hall takes {result.hall_months:.0f} months with any plant"
    return text


def energy(result: Evaluation, kept: Certificate | None) -> str:
    """Say who serves the load, and the CO2 of it."""
    backup = result.energy_mwh_per_yr["backup"] / result.load_mwh_per_yr
    drawn = sum(result.energy_mwh_per_yr[name] for name in result.imports_mw) / result.load_mwh_per_yr
    co2 = result.co2_t_per_yr
    if kept is not None:
        backup, co2 = kept.backup_share.value, kept.co2_t_per_yr or co2
        drawn = kept.imported_mwh_per_yr / result.load_mwh_per_yr
    names = "sun and wind" if len(result.resources_mw) > 1 else "the sun"
    # What is neither, less what is not served; with no array at all the latter is all of it
    free = max(1 - backup - drawn, 0.0) if any(result.resources_mw.values()) else 0.0
    parts = [f"{share(free)} of the load from {names}", f"{share(backup)} from backup"]
    parts += [f"{share(drawn)} from the grid"] if result.imports_mw else []
    return f"{', '.join(parts)}; {co2:,.0f} t of CO2 a year"


def as_good(design: Design, calls: Calls = PYTHON) -> str:
    """Other ways that were solved, and how to find plants that cost nearly the same."""
    others = [item.line() for item in design.alternatives]
    if design.nearly_as_good is not None:
        return "; ".join([*others, design.nearly_as_good.words])
    return "; ".join([*others, f"plants that differ and cost up to 2 % more: {calls.alternatives}"])


def proof(design: Design) -> str:
    """Say what is proven of the cost."""
    bound = f"{design.bound / 1e6:,.1f} M USD a year"
    if design.certificate is None:
        if design.stopped_by != "gap":
            stop = design.stopped_by.replace("_", " ")
            return f"not finished ({stop}): the least cost is at least {bound}, {share(design.gap)} lower"
        return f"no plant costs less than {design.bound / 1e6:,.2f} M USD a year under these assumptions"
    if design.compute_cost is not None and design.compute_cost.bound_usd_per_rack_h is not None:
        least = design.compute_cost.bound_usd_per_rack_h
        return f"no project costs less than {least:,.2f} USD/rack-h, even with perfect foresight"
    known, part = design.bound_with_failures, design.unavoidable_share
    lower = f"no plant costs less than {bound}, even with perfect foresight and no failures"
    if known is None:
        return f"{lower} ({share(design.gap)} lower)"
    low, high = known.lower_bound(0.975) / 1e6, known.upper_bound(0.975) / 1e6
    text = f"{lower}; with failures none costs less than {known.value / 1e6:,.1f} on the mean"
    text += "" if math.isnan(low) or high - low < 0.05 else f" ({low:,.1f} to {high:,.1f})"
    return text + ("" if part is None else f": {share(part)} of the difference is proven unavoidable")


def based_on(design: Design, calls: Calls = PYTHON) -> str:
    """Say which weather, which prices, and which numbers decide."""
    kept = design.certificate
    parts = [_weather(design)]
    if kept is not None and not kept.given_years:
        parts[0] += f", certified on {kept.weather_years:,} others"
    elif kept is not None:
        parts[0] += f", certified on {'the one year' if kept.given_years == 1 else 'the years'} given"
    parts.append(f"prices of {_prices(design)}")
    decides = f"what decides: {calls.sensitivity}"
    if design.sensitivity is not None:
        decides = f"decided by {design.sensitivity.decided_by}"
    return "; ".join([*parts, decides])


def _warnings(result: Evaluation) -> list[Row]:
    """Say what takes the ground from under the answer: weather that promises nothing."""
    return [("mind", note) for note in (TMY_NOTE, ONE_YEAR_NOTE) if note in result.provenance.notes]


def _prices(design: Design) -> str:
    """Say where and when the prices are of: the region's stand on those of the library."""
    whole, region = str(design.study["finance"]["title"]), design.study.get("region", NONE)
    if region == OF_SITE:
        region = region_of(Site(**design.study["site"])).title
    elif isinstance(region, Mapping):
        region = str(region["title"])
    elif region and region != NONE:
        region = library.region(region).title
    return whole if not region or region == NONE or region in whole else f"{region} ({whole})"


def _weather(result: Evaluation) -> str:
    """Weather that was sized on, its years told once."""
    known = result.provenance
    weather = re.sub(r"(, seed \d+| from climate statistics)", "", known.weather)
    return weather if weather[:1].isdigit() else f"{weather} ({count(len(known.weather_years), 'year')})"


def next_step(design: Design, calls: Calls = PYTHON) -> str:
    """Say what to do next."""
    if design.certificate is None:
        return f"{calls.certify} searches for a plant to build and certifies it"
    if not design.certificate.met:
        return "change the question: more backup technologies, more months, or a lower target"
    screening = "generated" in design.provenance.weather
    measured = f"size again on measured weather ({calls.measure})" if screening else ""
    steps = [calls.report, calls.details, measured]
    return "; ".join(step for step in steps if step)


def design_rows(design: Design, calls: Calls = PYTHON) -> list[Row]:
    """Give the rows of a design's answer."""
    titles, kept = titles_of(design, design.study), design.certificate
    return [
        ("asked", asked(design)),
        ("build" if kept is not None else "plant", built(design, titles) + _sharing(design)),
        ("promise", promise(design)),
        ("held", held(design.study, sum(design.backup.values()), kept, calls.careful)),
        ("expect", expected(design, kept)),
        ("cost", paid(design)),
        ("schedule", schedule(design, titles)),
        ("energy", energy(design, kept)),
        ("as good", as_good(design, calls)),
        ("proven", proof(design)),
        ("based on", based_on(design, calls)),
        *_warnings(design),
        ("next", next_step(design, calls)),
    ]


def _class_words(item: ClassResult) -> str:
    """Uptime of one class beside its target."""
    kept = f"{item.name} {percent(item.uptime.value)}"
    if item.target is None:
        return f"{kept} (best effort from surplus)"
    return f"{kept} of a target of {target(item.target)}"


def evaluation_rows(result: Evaluation, label: str) -> list[Row]:
    """Give the rows of what one plant does: `label` says what its uptime is worth."""
    titles, aim = titles_of(result), ""
    if result.classes:
        parts = [_class_words(item) for item in result.classes]
        aim = f"; {'; '.join(parts)}"
    elif result.uptime_target:
        aim = f"; target {target(result.uptime_target)}"
        value = result.uptime.value
        aim += "" if math.isnan(value) else f", {'kept' if value >= result.uptime_target else 'NOT KEPT'}"
    return [
        ("plant", built(result, titles)),
        ("uptime", f"{percent(result.uptime.value)} of {_OF_WHAT[result.metric]} ({label}){aim}"),
        ("expect", expected(result, None)),
        ("cost", paid(result)),
        ("schedule", schedule(result, titles)),
        ("energy", energy(result, None)),
        ("based on", _weather(result)),
        *_warnings(result),
    ]
