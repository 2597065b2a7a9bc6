"""How much of a run is done and how long the rest takes, from what it says and how long it has been at it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sitedesign.serve.worker import PlannerJob

#: Share of the time of a typical run that is behind when it says a line that begins so.
_CERTIFIED = (
    ("preparing weather", 0.01), ("solving", 0.03), ("replaying", 0.1), ("proven bound", 0.14),
    ("sizing with foresight of weather and failures", 0.16), ("searching", 0.25),
    ("certifying", 0.75), ("operating it", 0.85), ("bounding", 0.88), ("writing", 0.93),
)  # fmt: skip
_BOUND = (("preparing weather", 0.05), ("solving", 0.2), ("replaying", 0.7), ("writing", 0.75))
_ROADMAP = (
    ("preparing weather", 0.02), ("sizing the plant in the end", 0.06), ("replaying every stage", 0.9),
    ("writing", 0.97),
)  # fmt: skip
_FINANCE = (("reading", 0.1), ("working out", 0.4), ("writing", 0.7))
_SITES = re.compile(r"(\d[\d,]*) of (\d[\d,]*) sites")
#: Parts of a sensitivity that count, and between which shares each lies, of a bound and of a certified plant.
_PARTS = (
    (re.compile(r"^(\d+) of (\d+) numbers"), (0.02, 0.8), (0.01, 0.3)),
    (re.compile(r"^operating the certified plant, (\d+) of (\d+)"), (0.8, 0.8), (0.3, 0.5)),
    (re.compile(r"^searching a plant, (\d+) of (\d+)"), (0.8, 0.8), (0.5, 0.9)),
    (re.compile(r"^where the plan changes kind, (\d+) of (\d+)"), (0.8, 1.0), (0.92, 1.0)),
)
_LEAST_S = 3.0  # before that nothing is known


def share_done(job: PlannerJob) -> float:
    """Share of the work that is done, as far as it can be known. [fraction]"""
    marks = _marks(job)
    known = job.progress_share
    following = min((share for _, share in marks if share > known), default=0.99)
    # Within a part that says nothing it creeps towards the next, as slowly as the parts before went
    spent = job.seconds - job.share_since_s
    if known > 0 and job.share_since_s > 0:
        ahead = (following - known) * (1 - 0.5 ** (spent * known / max(job.share_since_s, 1e-9) / 0.15))
        return float(min(known + max(ahead, 0.0), following))
    return known


def words(job: PlannerJob) -> str:
    """Say the share done and the time that remains; empty before anything is known."""
    share = share_done(job)
    if job.seconds < _LEAST_S or share < 0.02:
        return ""
    left = job.seconds * (1 - share) / share
    time = f"{left:.0f} s" if left < 90 else f"{left / 60:.0f} min"
    return f"{share * 100:.0f} % done, about {time} left"


def share_of(kind: str, line: str, *, certify: bool) -> float | None:
    """Share that is done when a run says a line; None where the line does not tell."""
    if found := _SITES.search(line):
        done, whole = (int(text.replace(",", "")) for text in found.groups())
        return 0.9 * done / max(whole, 1)
    if kind == "sensitivity":
        return _counted(line, certify=certify)
    marks = _of(kind, certify=certify)
    return next((share for begins, share in marks if line.startswith(begins)), None)


def _counted(line: str, *, certify: bool) -> float | None:
    """Share by what a line counts; the one that it names has only begun."""
    for pattern, of_bound, of_certified in _PARTS:
        if found := pattern.search(line):
            begins, ends = of_certified if certify else of_bound
            return begins + (ends - begins) * (int(found[1]) - 1) / int(found[2])
    return None


def _marks(job: PlannerJob) -> tuple[tuple[str, float], ...]:
    return _of(job.question.kind, certify=job.question.certify)


def _of(kind: str, *, certify: bool) -> tuple[tuple[str, float], ...]:
    if kind == "plant":
        return _CERTIFIED if certify else _BOUND
    return {"roadmap": _ROADMAP, "finance": _FINANCE}.get(kind, ())
