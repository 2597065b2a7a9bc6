"""The study of a call: given whole, or as keywords."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sitedesign.errors import Fault, InputError
from sitedesign.study.study import Study


def study_faults(given: Mapping[str, Any]) -> list[Fault]:
    """Faults of a study given as keywords, for a caller whose options are wrong too."""
    if given.get("study") is not None:
        return []
    question = dict(given.get("question", {}))
    if given.get("racks") is not None and "it_mw" not in question:
        question.setdefault("racks", 1)  # of its own gate
    try:
        Study(**question)
    except InputError as error:
        return list(error.faults)
    return []


def one_study(study: Study | None, question: Mapping[str, Any]) -> Study:
    """Give the study of a call.

    Raises
    ------
    InputError
    """
    if study is None:
        return Study(**question)
    if not isinstance(study, Study):
        allowed = "must be a sitedesign.Study, or give site=..., racks=..., uptime=... as keywords"
        raise InputError([Fault("study", repr(type(study).__name__), allowed)], "solve()")
    if question:
        found = ", ".join(sorted(question))
        remedy = "Use study.replace(...) to change a study."
        raise InputError([Fault("keywords", found, "cannot be combined with a study", remedy)], "solve()")
    return study


def check_method(method: str, certify: bool | None, study: Study | None = None) -> None:
    """Refuse a method that cannot do what is asked.

    Raises
    ------
    InputError
    """
    faults = []
    extensive = method == "extensive"
    if extensive and study is not None and study.objective == "compute_cost":
        allowed = "needs method='cuts', which solves for one price of compute after the other"
        faults.append(Fault("method", "'extensive' with objective='compute_cost'", allowed))
    if extensive and study is not None and study.spares == "share" and study.sharing_racks is None:
        allowed = "needs method='cuts', which solves for one number of racks after the other"
        faults.append(Fault("method", "'extensive' with spares='share'", allowed))
    if extensive and certify:
        allowed = "needs method='cuts': the hour-by-hour model affords one weather year"
        faults.append(Fault("certify", "True with 'extensive'", allowed, "Leave one of them out."))
    if faults:
        raise InputError(faults, "solve()")
