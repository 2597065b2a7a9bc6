"""When no plant keeps the target: what limits it, and which change of the question helps most cheaply."""

from __future__ import annotations

from dataclasses import dataclass

from sitedesign.certification import setting_of
from sitedesign.closed_loop import Loop, closed_for
from sitedesign.effort import Effort
from sitedesign.errors import InfeasibleDesign, InputError
from sitedesign.prepare import Prepared, prepare
from sitedesign.reliability.certificate import Certificate
from sitedesign.search import Say
from sitedesign.study import Limits, Study

QUICK = Effort(
    years=100,
    draws=1,
    trials=80,
    turns=2,
    certificate_years=100,
    certificate_draws=1,
    rounds=2,
    cause_years=0,
)
SECOND_FUELS = {"natural_gas": "diesel", "diesel": "recip_medium", "uranium": "diesel"}
SIZE_LIMITS = (
    "solar_mw", "battery_mwh", "battery_mw", "battery_hours", "land_acres", "months_to_power", "units",
)  # fmt: skip


@dataclass(frozen=True)
class Remedy:
    """One change of the question, tried.

    Attributes
    ----------
    name : str
    loop : Loop
    """

    name: str
    loop: Loop

    @property
    def met(self) -> bool:
        """Whether it was certified."""
        return self.loop.met

    def __str__(self) -> str:
        """Name, cost and what it keeps."""
        cost = self.loop.best.cost_usd_per_yr / 1e6
        verdict = "certified" if self.met else "not certified"
        return f"{self.name}: {verdict} at {self.loop.certificate.uptime}, {cost:,.1f} M USD/yr"


def changes(study: Study) -> list[tuple[str, Study]]:
    """List the changes of a question that may help where nothing reaches the target.

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
    given = [name for name in SIZE_LIMITS if getattr(study.limits, name)]
    if given:
        kept = {name: getattr(study.limits, name) for name in Limits.model_fields if name not in given}
        label = f"a larger plant (without the limits on {', '.join(given)})"
        found.append((label, study.replace(limits=Limits(**kept))))
    if study.metric == "rack" and not study.classes:
        found.append(("throttling racks (metric='compute')", study.replace(metric="compute")))
    return found


def unreached(prepared: Prepared, loop: Loop, say: Say, *, tries: bool = True) -> InfeasibleDesign:
    """Say how far the search came, what limits it, and what the remedies tried would cost.

    Parameters
    ----------
    prepared : Prepared
    loop : Loop
        Of a search that did not reach the target.
    say : callable
        Takes one line of progress.
    tries : bool
        Try remedies: each takes as long as a screening.

    Returns
    -------
    InfeasibleDesign
        To be raised.
    """
    best, certificate = loop.best, loop.certificate
    causes = certificate.causes
    worst = sorted(causes.items(), key=lambda item: -item[1])[:3]
    limits = ", ".join(f"{name.replace('_', ' ')} {share:.0%}" for name, share in worst)
    reason = (
        f"the best plant found keeps {_kept(certificate)} on unseen years ({loop.trials} plants judged, "
        f"{best.cost_usd_per_yr / 1e6:,.1f} M USD/yr)."
    )
    if limits:
        reason += f" Share of the lost compute that goes away without one cause: {limits}."
    if certificate.met:
        reason += (
            f" Alone that would be enough, but {loop.rounds} certificates were asked for, and"
            " together they must not be wrong more often than one."
        )
    share = causes.get("site", 0.0)
    if share * (1 - certificate.uptime.value) > 1 - certificate.target:
        reason += " Faults of the site's own electrical system alone lose more than the target allows."
    tried = _tried(prepared.study, say) if tries else []
    helped = sorted((item for item in tried if item.met), key=lambda item: item.loop.best.cost_usd_per_yr)
    if helped:
        reason += f" Cheapest remedy of those tried: {helped[0]}."
    others = [str(item) for item in tried if item not in helped[:1]]
    if others:
        lead = "Also tried" if helped else "Tried, and not enough"
        reason += f" {lead}: {'; '.join(others)}."
    return InfeasibleDesign(reason)


def _kept(certificate: Certificate) -> str:
    if certificate.classes:
        parts = [f"{part.name} {part.uptime} of {part.target:g}" for part in certificate.classes]
        return ", ".join(parts)
    return f"{certificate.uptime} of the target {certificate.target:g}"


def _tried(study: Study, say: Say) -> list[Remedy]:
    """Close a quick loop for each change."""
    tried = []
    for name, changed in changes(study):
        say(f"trying {name}")
        try:
            prepared = prepare(changed)
            closed = closed_for(prepared, setting_of(prepared), QUICK, lambda _line: None)
        except (InfeasibleDesign, InputError):
            continue
        tried.append(Remedy(name, closed.loop))
    return tried
