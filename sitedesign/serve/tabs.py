"""The tabs of the planner: what each asks, and how its answers become a question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sitedesign.api.question import check_method
from sitedesign.errors import Fault, InputError
from sitedesign.serve import form, portfolio_form, tab_forms
from sitedesign.serve.fields import Answers, Field, Group
from sitedesign.serve.questions import PlantQuestion, Question
from sitedesign.study.inputs import PLACE
from sitedesign.study.study import Study


@dataclass(frozen=True)
class Tab:
    """One thing that can be asked.

    Attributes
    ----------
    name, title : str
    hint : str
        What it answers, in a sentence.
    own : tuple of Group
        What it asks beside the study.
    hides : tuple of str
        Groups of the study that it does not ask; ``*`` for all.
    opens : str
        Group of the study that it shows first.
    modes : bool
        Whether it may be certified.
    """

    name: str
    title: str
    hint: str
    own: tuple[Group, ...] = ()
    hides: tuple[str, ...] = ()
    opens: str = ""
    modes: bool = False


@cache
def tabs() -> dict[str, Tab]:
    """Every tab by its name, in their order."""
    found = (
        Tab("plant", "Plant", "Which plant and how many racks, at least cost.", modes=True),
        Tab("hub", "Hub", "The same with a connection to the grid, and takers of surplus.", opens=form.HUB,
            modes=True),
        Tab("roadmap", "Roadmap", "Which power when: orders, rent, grid, and racks by month.",
            own=tab_forms.roadmap_groups()),
        Tab("finance", "Finance", "What a run earns after taxes: price, return, debt.",
            own=tab_forms.finance_groups(), hides=("*",)),
        Tab("portfolio", "Portfolio", "Which of several sites, and how large each.",
            own=portfolio_form.groups(), hides=(PLACE,)),
    )  # fmt: skip
    return {tab.name: tab for tab in found}


@cache
def fields() -> dict[str, Field]:
    """Every field of every tab by its name."""
    study = [field for group in form.groups() for field in group.fields]
    return {field.name: field for field in study} | tab_forms.fields() | portfolio_form.fields()


def defaults() -> dict[str, Any]:
    """Answers that nobody has touched."""
    return {name: field.default for name, field in fields().items()}


def question_of(tab: str, answers: Answers, *, certify: bool, runs: Mapping[str, Any]) -> Question:
    """Make the question of a tab.

    Parameters
    ----------
    tab : str
    answers : mapping of str to object
        By field name.
    certify : bool
        Of a plant.
    runs : mapping of str to PlannerJob
        Finished ones of the session, by key.

    Raises
    ------
    InputError
        With every fault of every field.
    """
    if tab == "finance":
        return tab_forms.finance_question(answers, runs)
    faults: list[Fault] = []
    study = _study(answers, faults)
    if tab == "hub" and not answers.get("grid.model") and not answers.get("surplus"):
        remedy = "Choose a connection or a taker of surplus; without both it is a plant of its own."
        faults.append(Fault("study.grid.model", "none", "a hub needs one", remedy))
    if tab in ("roadmap", "portfolio"):
        make = tab_forms.roadmap_question if tab == "roadmap" else portfolio_form.portfolio_question
        try:
            question = make(answers, study)
        except InputError as error:
            faults += error.faults
        else:
            return question
    if faults or study is None:
        raise InputError(faults, "the form")
    check_method("cuts", certify, study)
    return PlantQuestion(study, certify)


def _study(answers: Answers, faults: list[Fault]) -> Study | None:
    try:
        return form.study_of(answers)
    except InputError as error:
        faults += error.faults
        return None


def beside_fields(faults: Iterable[Fault], tab: str) -> tuple[dict[str, str], list[str]]:
    """Sort faults by field.

    Returns
    -------
    dict of str to str
        What to show beside each field of the tab.
    list of str
        What belongs to no field that it shows.
    """
    beside: dict[str, str] = {}
    rest: list[str] = []
    shown = shown_fields(tab)
    for fault in faults:
        field = fault.where if fault.where in shown else form.field_of(fault)
        if field is None or field not in shown:
            rest.append(str(fault))
        else:
            said = f"Got {fault.found}; {fault.allowed.rstrip('.')}. {fault.remedy}".strip()
            beside[field] = f"{beside[field]} {said}" if field in beside else said
    return beside, rest


def shown_fields(tab: str) -> set[str]:
    """Names of the fields that a tab shows."""
    one = tabs()[tab]
    groups = [*one.own, *(group for group in form.groups() if shows(one, group.title))]
    return {field.name for group in groups for field in group.fields}


def shows(tab: Tab, title: str) -> bool:
    """Whether a tab shows a group of the study."""
    return "*" not in tab.hides and title not in tab.hides
