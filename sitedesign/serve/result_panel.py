"""The right side of the page: what was asked, how far it is, the answer, and answers side by side."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from nicegui import ui

from sitedesign.results.answer import BOUND
from sitedesign.serve import compare, remaining
from sitedesign.serve.answering import PAGES, REPORT
from sitedesign.serve.naming import differing, titles_of
from sitedesign.serve.planner import Planner
from sitedesign.serve.plots import fitted, height_px, title_of
from sitedesign.serve.remedies import answer_of, words_of
from sitedesign.serve.tabs import fields
from sitedesign.serve.view import Table, View
from sitedesign.serve.worker import PlannerJob, State
from sitedesign.util.display_units import System, text_in

_EMPTY = "Answer the questions and press Solve. Every run of this session is kept here."
_EXAMPLE = "An example, solved beforehand. Your own answer takes its place."
_BETWEEN_S = 0.05  # of figures that are sent one by one
_DECIDES = "Solves again with each uncertain number at both ends of its range: minutes, and can be cancelled."
_LABELS = {
    "plant": {"good": "Target met.", "bad": "Target not met.", "bound": f"{BOUND}."},
    "roadmap": {"good": "Target met.", "bad": "Target not met.", "bound": "Read this first."},
}
Ask = Callable[[dict[str, Any], str], Any]


class ResultPanel:
    """Runs of a session, the one that is looked at, and the comparison.

    Parameters
    ----------
    planner : Planner
    owner : str
        Session of the browser.
    edit, again : callable
        Take answers and the name of a tab: the first fills the form, the second also solves.
    decide : callable
        Takes a plant that is done, and asks what decides it.
    """

    def __init__(
        self, planner: Planner, owner: str, edit: Ask, again: Ask, decide: Callable[[PlannerJob], None]
    ) -> None:
        self._planner = planner
        self._owner = owner
        self._edit, self._again, self._decide = edit, again, decide
        self.dark = False
        self.narrow = False
        self._known = False  # what the screen is
        self._blank: list[tuple[ui.element, dict[str, Any]]] = []  # figures that wait for it
        self.units: System | None = None
        self._chosen: PlannerJob | None = None
        self._followed: PlannerJob | None = None
        self._seen: dict[str, State] | None = None
        self._left_out: set[str] = set()  # of the comparison
        self._states: dict[str, ui.label] = {}
        self._bars: dict[str, ui.linear_progress] = {}
        with ui.element("section").classes("answers").props("aria-label='Answers'"):
            self._runs = ui.element("div").classes("runs")
            self._answer = ui.element("div").classes("answer")
            self._compared = ui.element("div").classes("comparison")

    def screen(self, *, dark: bool, narrow: bool) -> None:
        """Take the colours and the width of the screen, and draw again."""
        self.dark, self.narrow = dark, narrow
        if self._known:
            self._draw_again()

    async def fill(self) -> None:
        """Draw the figures that waited for the screen, one by one: the first is seen first."""
        self._known = True
        while self._blank:
            self._figure(*self._blank.pop(0))
            await asyncio.sleep(_BETWEEN_S)

    def show_in(self, units: System | None) -> None:
        """Show answers in the units of a system."""
        self.units = units
        self._draw_again()

    def _draw_again(self) -> None:
        """Draw what is there already: figures that are drawn twice at once complain of each other."""
        if self._seen is not None:
            self._draw()

    def follow(self, job: PlannerJob) -> None:
        """Show a job's answer as soon as there is one."""
        self._followed = job
        self.refresh()
        if self.narrow:
            ui.run_javascript("showFirst('.answers')")

    def refresh(self) -> None:
        """Bring everything up to date; called now and then."""
        jobs = self._planner.jobs(self._owner)
        seen = {job.key: job.state for job in jobs}
        if seen != self._seen:
            before = _done(self._seen or {})
            first = self._seen is None
            self._seen = seen
            self._choose(jobs)
            self._list(jobs)
            if first or _done(seen) != before:
                self._draw()
        for job in jobs:
            if job.open and job.key in self._states:
                self._states[job.key].set_text(self._state(job))
            if job.key in self._bars:
                self._bars[job.key].value = remaining.share_done(job)

    def _choose(self, jobs: list[PlannerJob]) -> None:
        """Go to the run that was asked for last once it is done; else stay, if the run is still there."""
        if self._followed is not None and self._followed.state == "done":
            self._chosen, self._followed = self._followed, None
            if self.narrow:
                ui.run_javascript("showFirst('.answers')")
        if self._chosen not in jobs:
            done = [job for job in jobs if job.state == "done"]
            self._chosen = done[-1] if done else None

    # ---- runs

    def _list(self, jobs: list[PlannerJob]) -> None:
        self._runs.clear()
        self._states.clear()
        self._bars.clear()
        titles = titles_of(jobs)
        with self._runs:
            if not jobs:
                ui.label(_EMPTY).classes("empty")
            for job in reversed(jobs):
                self._run(job, titles[job.key])

    def _run(self, job: PlannerJob, title: str) -> None:
        shown = " shown" if job is self._chosen else ""
        with ui.element("div").classes(f"run {job.state}{shown}"):
            with ui.element("div").classes("letter"):
                if job.state == "failed":
                    ui.icon("error", size="sm").props("aria-label=failed")
                else:
                    ui.label(job.label)
            with ui.element("div").style("min-width: 0"):
                ui.label(f"{job.label}: no answer. {title}" if job.state == "failed" else title).classes(
                    "title"
                )
                self._states[job.key] = ui.label(self._state(job)).classes("state").props("role=status")
                for change in job.remedies:
                    if (answer := answer_of(change)) is not None:
                        answers = dict(job.answers) | answer
                        text = f"Solve with {words_of(change)}"
                        _button(text, lambda answers=answers: self._again(answers, _tab(job)), "remedy")
            with ui.element("div").classes("buttons"):
                if job.open:
                    _button("Cancel", lambda: self._planner.pool.cancel(job))
                else:
                    if job.state == "done" and job is not self._chosen:
                        _button("Show", lambda: self._show(job))
                    if job.answers:
                        _button("Edit", lambda: self._edit(dict(job.answers), _tab(job)))
                    _button("Remove", lambda: self._planner.forget(job))
            if job.state == "solving":
                bar = ui.linear_progress(remaining.share_done(job), show_value=False, size="4px")
                self._bars[job.key] = bar.props("aria-label='Share done'")

    def _state(self, job: PlannerJob) -> str:
        if job.state == "waiting":
            place = self._planner.pool.position(job)
            return "starting" if not place else f"waiting, number {place} in the queue"
        if job.state == "solving":
            return f"{job.seconds:.0f} s · {job.line}\n{remaining.words(job)}".rstrip()
        if job.state == "failed":
            return job.error
        if job.state == "cancelled":
            return "cancelled"
        text = f"{job.view.summary}, done in {job.seconds:.0f} s" if job.seconds else job.view.summary
        return f"{text}\n{job.note}" if job.note else text

    def _show(self, job: PlannerJob) -> None:
        self._chosen, self._followed = job, None
        self._list(self._planner.jobs(self._owner))
        self._draw()

    # ---- the answer and the comparison

    def _draw(self) -> None:
        jobs = self._planner.jobs(self._owner)
        done = [job for job in jobs if job.state == "done"]
        self._answer.clear()
        self._blank.clear()
        example = self._planner.example
        with self._answer:
            if self._chosen in done:
                self._found(self._chosen)
            elif not done and example is not None:
                ui.label(_EXAMPLE).classes("hint example")
                self._found(example)
        self._compared.clear()
        plants = [job for job in done if job.question.kind == "plant"]
        if len(plants) > 1:
            with self._compared:
                self._comparison(plants)

    def _found(self, job: PlannerJob) -> None:
        view, address = job.view.in_units(self.units), f"files/{job.key}"
        with ui.element("h1"):
            ui.label(f"{job.label} · {job.question.place}")
        kind, text = view.verdict
        label = _LABELS.get(job.question.kind, {}).get(kind, "")
        ui.label(f"{label} {text}".strip()).classes(f"verdict {kind}").props("role=status")
        _facts(view)
        with ui.element("div").classes("files"):
            there = {name: words for name, words in view.files.items() if (job.folder / name).is_file()}
            for name in there:
                if name in PAGES:
                    word = "report" if name == REPORT else "map"
                    ui.link(f"Open the {word}", f"{address}/{name}", new_tab=True)
            for name, words in there.items():
                ui.link(words, f"{address}/{name}?download").props["download"] = ""
        if job.question.kind == "plant":
            with ui.element("div").classes("more"):
                _button("Find what decides", lambda: self._decide(job), "remedy")
                ui.label(_DECIDES).classes("hint")
        if view.page:
            frame = ui.element("iframe").props(f"src='{address}/{view.page}' title='Map of the sites'")
            frame.classes("page")
        for figure in view.figures.values():
            self._plot(figure)
        for table in view.tables:
            _table(table)
        ui.label(view.money).classes("hint")

    def _comparison(self, done: list[PlannerJob]) -> None:
        with ui.element("h2"):
            ui.label("Side by side")
        names = {job.key: f"{job.label} · {job.question.place}" for job in done}
        shown = [job.key for job in done if job.key not in self._left_out]

        def choose(keys: list[str]) -> None:
            self._left_out = {key for key in names if key not in keys}
            self._draw()

        choice = ui.select(names, label="Designs", value=shown, multiple=True).props(
            "outlined dense use-chips"
        )
        choice.props["aria-label"] = "Designs"
        choice.on_value_change(lambda event: choose(event.value))
        compared = [job for job in done if job.key in shown]
        if not compared:
            return
        designs = {names[job.key]: job.design for job in compared}
        answers = compare.table(designs)
        heads = [["", *answers.columns]]
        rows = [[str(name), *(text_in(text, self.units) for text in row)] for name, row in answers.iterrows()]
        _table(Table("", heads + _questions(compared) + rows, headed=True))
        if note := compare.after_tax(designs).attrs["note"]:
            ui.label(note).classes("note")
        bars = compare.cost_bars({job.label: job.design for job in compared})
        self._plot(json.loads(bars.to_json()))

    def _plot(self, figure: dict[str, Any]) -> None:
        with ui.element("h3"):
            ui.label(text_in(title_of(figure), self.units))
        box = ui.element("div").style(f"min-height: {height_px(figure)}px")
        if self._known:
            self._figure(box, figure)
        else:
            self._blank.append((box, figure))

    def _figure(self, box: ui.element, figure: dict[str, Any]) -> None:
        with box:
            ui.plotly(fitted(figure, dark=self.dark, narrow=self.narrow)).classes("plot")


def _questions(jobs: list[PlannerJob]) -> list[list[str]]:
    """Rows of what was asked, where it is not the same in all."""
    apart = differing(jobs)
    names = dict.fromkeys(name for job in jobs for name in apart[job.key])
    return [
        [f"Asked: {fields()[name].label}", *(apart[job.key].get(name, "") for job in jobs)] for name in names
    ]


def _tab(job: PlannerJob) -> str:
    """Tab that a run was asked in."""
    kind = job.question.kind
    hub = kind == "plant" and (job.answers.get("grid.model") or job.answers.get("surplus"))
    return "hub" if hub else kind


def _done(states: dict[str, State]) -> set[str]:
    return {key for key, state in states.items() if state == "done"}


def _button(text: str, act: Any, kind: str = "") -> None:  # noqa: ANN401
    ui.button(text, on_click=act, color=None).props("flat dense no-caps").classes(kind)


def _facts(view: View) -> None:
    for number, facts in enumerate(view.facts):
        kind = "fact" if number else "fact first"
        with ui.element("div").classes("facts"):
            for fact in facts:
                with ui.element("div").classes(kind):
                    ui.label(fact.label).classes("label")
                    with ui.element("div"):
                        with ui.element("span").classes("value"):
                            ui.label(fact.value).style("display: inline")
                        ui.label(fact.unit).classes("unit").style("display: inline")
                    if fact.below:
                        ui.label(fact.below).classes("below")


def _table(table: Table) -> None:
    if table.title:
        with ui.element("h3"):
            ui.label(table.title)
    rows = list(table.rows)
    box = ui.element("div").classes("scroll").props("tabindex=0 role=region")
    box.props["aria-label"] = table.title or "Side by side"
    with box, ui.element("table").classes("compared"):
        if table.headed and rows:
            with ui.element("thead"), ui.element("tr"):
                for text in rows.pop(0):
                    _cell("th" if text else "td", text)
        with ui.element("tbody"):
            for first, *rest in rows:
                with ui.element("tr"):
                    _cell("th", first)
                    for text in rest:
                        _cell("td", text)


def _cell(tag: str, text: str) -> None:
    with ui.element(tag):
        ui.label(text)
