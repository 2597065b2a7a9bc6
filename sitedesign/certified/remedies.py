"""When no plant keeps the target: what limits it, and which change of the question helps most cheaply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sitedesign import library
from sitedesign.case.build import StudyCase, build_case
from sitedesign.case.plant import Plant
from sitedesign.case.plant_limits import SPARE_UNITS
from sitedesign.certified.environment import environment_of
from sitedesign.certified.sizing_loop import SearchResult, size_then_search
from sitedesign.errors import InfeasibleDesign, InputError
from sitedesign.reliability.certificate import Certificate, cause_words
from sitedesign.reliability.limit_check import broken_limits
from sitedesign.study.effort import Effort
from sitedesign.study.grid import Grid
from sitedesign.study.limits import MW, TABLES
from sitedesign.study.study import Limits, Study
from sitedesign.util.progress import Progress, silent

REMEDY_EFFORT = Effort(
    years=100,
    draws=1,
    evaluations=80,
    iterations=2,
    certificate_years=100,
    certificate_draws=1,
    certificates=2,
    cause_years=0,
)
SECOND_FUELS = {"natural_gas": "diesel", "diesel": "recip_medium", "uranium": "diesel"}
#: By fuel: units of another kind for the same fuel, whose common causes are their own.
UNLIKE = {"natural_gas": ("recip_medium", "mobile_gt")}
SIZES = ("solar_mw", "battery_mwh", "battery_mw")
SIZE_LIMITS = (*SIZES, "wind_mw", "battery_hours", "racks", "land_acres", "months_to_power", "units")


@dataclass(frozen=True)
class Remedy:
    """One change of the question, tried.

    Attributes
    ----------
    name : str
    result : SearchResult
    beyond : tuple of str
        Limits of the question that its plant is outside of; only a remedy that lifts them names any.
    """

    name: str
    result: SearchResult
    beyond: tuple[str, ...] = ()

    @property
    def met(self) -> bool:
        """Whether it was certified."""
        return self.result.met

    def __str__(self) -> str:
        """Name, cost and what it keeps."""
        cost = self.result.best.cost_usd_per_yr / 1e6
        verdict = "certified" if self.met else "not certified"
        outside = f" ({'; '.join(self.beyond)})" if self.beyond else ""
        return f"{self.name}: {verdict} at {self.result.certificate.uptime}, {cost:,.1f} M USD/yr{outside}"


def candidate_remedies(study: Study) -> list[tuple[str, Study]]:
    """List the changes of a question that may help where nothing reaches the target.

    All keep every limit of the question but one, which lifts the upper ones and says so.

    Parameters
    ----------
    study : Study

    Returns
    -------
    list of (str, Study)
    """
    found: list[tuple[str, Study]] = []
    names, fuels = [item.name for item in study.backup], {item.fuel for item in study.backup}
    if not fuels:
        found.append(("backup (diesel)", study.replace(backup=["diesel"])))
    if len(fuels) == 1:
        second = SECOND_FUELS.get(next(iter(fuels)))
        if second is not None and second not in names:
            changed = study.replace(backup=[*study.backup, second])
            found.append((f"backup of a second fuel ({second})", changed))
    dual = [f"{name}_dual" for name in names if f"{name}_dual" in library.names("backup")]
    if dual and not set(dual) & set(names):
        kept = [item for item in study.backup if f"{item.name}_dual" not in dual]
        limits = _of_units(study, {name.removesuffix("_dual"): name for name in dual})
        found.append(
            (
                f"a second fuel on site ({', '.join(dual)})",
                study.replace(backup=[*kept, *dual], limits=limits),
            )
        )
    other = next((name for fuel in fuels for name in UNLIKE.get(fuel, ()) if name not in names), None)
    if len(names) == 1 and other is not None:
        # What takes all units of one kind at once leaves those of another
        found.append((f"units of another kind ({other})", study.replace(backup=[*study.backup, other])))
    given = [name for name in SIZE_LIMITS if getattr(study.limits, name)]
    if given:
        label = f"a larger plant (without the limits on {', '.join(given)})"
        found.append((label, study.replace(limits=_lifted(study, given))))
    larger = None if study.grid is None else _larger_connection(study.grid)
    if larger is not None:
        found.append(("a larger connection (without the limit on its MW)", study.replace(grid=larger)))
    if study.metric == "rack" and not study.classes:
        found.append(("throttling racks (metric='compute')", study.replace(metric="compute")))
    return found


def _larger_connection(grid: Grid) -> Grid | None:
    """Lift the most that may be contracted; None where nobody limited it, or no more is there."""
    there = grid.connection.import_mw is not None
    caps = grid.curtailment is not None and grid.curtailment.caps_mw is not None  # of the given power
    if grid.is_absent or grid.mw is None or there or caps:
        return None
    return grid.replace(mw=(grid.mw[0], MW.high))


def _of_units(study: Study, instead: Mapping[str, str]) -> Limits:
    """Keep every limit, those on the units of some technologies for what stands in their place."""
    fields = study.limits.model_dump(exclude_unset=True)
    for table in (name for name, kind in TABLES.items() if kind == "backup"):
        fields[table] = {instead.get(name, name): most for name, most in getattr(study.limits, table).items()}
    return Limits(**fields)


def _lifted(study: Study, given: Sequence[str]) -> Limits:
    """Take away the upper limits of what may be built; what is asked for at least stays."""
    limits = study.limits
    fields = {name: getattr(limits, name) for name in Limits.model_fields if name not in given}
    free = build_case(study.replace(limits=Limits(**fields))).case  # what is derived where nothing is given
    most: dict[str, float] = {size.name: size.upper for size in free.sizes}
    most["racks"] = free.racks_max
    for name, upper in most.items():
        low = (getattr(limits, name, None) or (0.0, 0.0))[0]
        if name in given and low > 0:
            fields[name] = (low, max(low, upper))
    if "wind_mw" in given:
        farms = {name: pair[0] for name, pair in limits.wind_mw.items() if pair[0] > 0}
        fields["wind_mw"] = {name: (low, max(low, most[f"{name}_mw"])) for name, low in farms.items()}
    units = {item.name: item.units_max + SPARE_UNITS for item in free.backup}
    asked = {name: pair[0] for name, pair in limits.units.items() if pair[0] > 0}
    fields["units"] = {name: (low, max(low, units[name])) for name, low in asked.items()}
    return Limits(**fields)


def explain_uncertified(
    study_case: StudyCase, result: SearchResult, progress: Progress, *, tries: bool = True
) -> InfeasibleDesign:
    """Say how far the search came, what limits it, and what the remedies tried would cost.

    Parameters
    ----------
    study_case : StudyCase
    result : SearchResult
        Of a search that did not reach the target.
    progress : callable
    tries : bool
        Try remedies: each takes as long as a screening.

    Returns
    -------
    InfeasibleDesign
        To be raised.
    """
    best, certificate = result.best, result.certificate
    causes = certificate.causes
    worst = sorted(causes.items(), key=lambda item: -item[1])[:3]
    limits = ", ".join(f"{cause_words(name)} {share:.0%}" for name, share in worst)
    reason = (
        f"the best plant found keeps {_uptime_words(certificate)} on unseen years "
        f"({result.evaluations} plants evaluated, {best.cost_usd_per_yr / 1e6:,.1f} M USD/yr)."
    )
    if limits:
        reason += f" Most of the lost compute is due to: {limits}."
    if (reserve := certificate.reserve) is not None and not reserve.met:
        reason += f" It lacks its reserve ({reserve.asked}) in {reserve.shortage}."
    if result.lost_without_spares_mwh_per_yr > 0:
        out = study_case.case.limits.n_plus
        reason += (
            f" With {out} unit{'s' if out > 1 else ''} of each technology out and nothing else failing it "
            f"loses {result.lost_without_spares_mwh_per_yr:,.0f} MWh a year more than the target allows."
        )
    elif certificate.met and not result.cap_excess:
        reason += (
            f" Alone that would be enough, but {result.certificates} certificates were asked for, and"
            " together they must not be wrong more often than one."
        )
    if result.cap_excess > 0:
        what = "backup" if not study_case.case.imports else "backup and imports"
        broken = "; ".join(str(use) for use in certificate.capped if not use.kept)
        reason += f" Limits on totals of the year leave no room for {result.cap_excess:.2%} of the energy of"
        reason += f" {what}: {broken}." if broken else f" {what} in the study's own years."
    share = causes.get("site", 0.0)
    if share * (1 - certificate.uptime.value) > 1 - certificate.target:
        reason += " Faults of the site's own electrical system alone lose more than the target allows."
    tried = evaluate_remedies(study_case, progress) if tries else []
    helped = sorted((item for item in tried if item.met), key=lambda item: item.result.best.cost_usd_per_yr)
    if helped:
        reason += f" Cheapest remedy of those tried: {helped[0]}."
    others = [str(item) for item in tried if item not in helped[:1]]
    if others:
        lead = "Also tried" if helped else "Tried, and not enough"
        reason += f" {lead}: {'; '.join(others)}."
    return InfeasibleDesign(reason)


def _uptime_words(certificate: Certificate) -> str:
    if certificate.classes:
        parts = [f"{part.name} {part.uptime} of {part.target:g}" for part in certificate.classes]
        return ", ".join(parts)
    return f"{certificate.uptime} of the target {certificate.target:g}"


def evaluate_remedies(study_case: StudyCase, progress: Progress) -> list[Remedy]:
    """Size and search quickly for each change of the question."""
    tried = []
    for name, changed in candidate_remedies(study_case.study):
        progress(f"trying {name}")
        try:
            there = build_case(changed)
            found = size_then_search(there, environment_of(there), REMEDY_EFFORT, silent)
        except (InfeasibleDesign, InputError):
            continue
        tried.append(Remedy(name, found, _beyond(study_case, there, found.best.plant)))
    return tried


def _beyond(asked: StudyCase, changed: StudyCase, plant: Plant) -> tuple[str, ...]:
    """Hold the plant of a remedy against the limits of the question, of the technologies that it knows."""
    count = {item.name: n for item, n in zip(changed.case.backup, plant.units, strict=True)}
    units = tuple(count.get(item.name, 0) for item in asked.case.backup)
    return broken_limits(asked.case, replace(plant, units=units))
