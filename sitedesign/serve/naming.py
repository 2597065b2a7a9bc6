"""Names of runs: what was asked, and what differs from the other runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sitedesign.serve.address import same
from sitedesign.serve.fields import Field, Uploaded
from sitedesign.serve.tabs import defaults, fields

if TYPE_CHECKING:
    from sitedesign.serve.worker import PlannerJob

_IN_TITLE = ("amount", "size", "uptime", "site.latitude", "site.longitude", "site.name", "finance.run",
             "portfolio.racks", "finance.owner")  # fmt: skip
_MOST_NAMED = 4


def differing(jobs: Sequence[PlannerJob]) -> dict[str, dict[str, str]]:
    """Say what differs between runs of one kind.

    Returns
    -------
    dict of str to dict
        By key of the run: label and value of every field whose answers are not the same in all of them.
    """
    usual = defaults()
    found: dict[str, dict[str, str]] = {job.key: {} for job in jobs}
    kinds = {job.question.kind for job in jobs}
    for kind in kinds:
        alike = [job for job in jobs if job.question.kind == kind]
        for name, field in fields().items():
            values = [job.answers.get(name, usual[name]) for job in alike]
            if all(same(value, values[0]) for value in values):
                continue
            for job, value in zip(alike, values, strict=True):
                found[job.key][name] = said(field, value)
    return found


def titles_of(jobs: Sequence[PlannerJob]) -> dict[str, str]:
    """Name every run by its place, by what it asks and by what differs from the others."""
    apart = differing(jobs)
    return {job.key: _title(job, apart[job.key]) for job in jobs}


def _title(job: PlannerJob, apart: Mapping[str, str]) -> str:
    known = fields()
    parts = [f"{known[name].label}: {text}" for name, text in apart.items() if name not in _IN_TITLE and text]
    more = [f"and {len(parts) - _MOST_NAMED} more"] if len(parts) > _MOST_NAMED else []
    return " · ".join([f"{job.question.place}: {job.question.title}", *parts[:_MOST_NAMED], *more])


def said(field: Field, value: Any) -> str:  # noqa: ANN401
    """Write an answer as a person reads it."""
    if value in (None, "", [], ()):
        return "as it comes" if field.kind in ("number", "choice", "text") else "none"
    if isinstance(value, Uploaded):
        return value.name
    if field.kind == "flag":
        return "yes" if value else "no"
    if field.kind == "choice":
        return (field.options or {}).get(str(value), str(value))
    if field.kind == "several":
        return ", ".join((field.options or {}).get(str(item), str(item)) for item in value)
    if field.kind == "rows":
        return "; ".join(" ".join(f"{cell}" for cell in row.values()) for row in value)
    if isinstance(value, float):
        value = f"{value:g}"
    return f"{value} {field.unit}".strip()
