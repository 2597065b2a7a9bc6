"""The right side of the page: what was asked, how far it is, the answer, and answers side by side."""

from __future__ import annotations

import json
from typing import Any

from nicegui import ui

from sitedesign.api.design import Design
from sitedesign.report import content
from sitedesign.results.answer import BOUND
from sitedesign.serve import compare
from sitedesign.serve.planner import Planner
from sitedesign.serve.plots import fitted, title_of
from sitedesign.serve.solving import DESIGN, DISPATCH, REPORT
from sitedesign.serve.worker import PlannerJob, State

_EMPTY = "Answer the questions and press Solve. Every design of this session is kept here."
_SAVED = {REPORT: "Save the report", DESIGN: "Design as JSON", DISPATCH: "Dispatch as CSV"}
_LABELS = {"good": "Target met.", "bad": "Target not met.", "bound": f"{BOUND}."}


class ResultPanel:
    """Runs of a session, the design that is looked at, and the comparison.

    Parameters
    ----------
    planner : Planner
    owner : str
        Session of the browser.
    """

    def __init__(self, planner: Planner, owner: str) -> None:
        self._planner = planner
        self._owner = owner
        self.dark = False
        self.narrow = False
        self._chosen: PlannerJob | None = None
        self._followed: PlannerJob | None = None
        self._seen: dict[str, State] | None = None
        self._left_out: set[str] = set()  # of the comparison
        self._states: dict[str, ui.label] = {}
        with ui.element("section").classes("answers"):
            self._runs = ui.element("div").classes("runs")
            self._answer = ui.element("div").classes("answer")
            self._compared = ui.element("div").classes("comparison")

    def screen(self, *, dark: bool, narrow: bool) -> None:
        """Take the colours and the width of the screen, and draw again."""
        self.dark, self.narrow = dark, narrow
        self._draw()

    def follow(self, job: PlannerJob) -> None:
        """Show a job's design as soon as there is one."""
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
            self._seen = seen
            self._choose(jobs)
            self._list(jobs)
            if _done(seen) != before:
                self._draw()
        for job in jobs:
            if job.open and job.key in self._states:
                self._states[job.key].set_text(self._state(job))

    def _choose(self, jobs: list[PlannerJob]) -> None:
        """Go to the run that was asked for last once it is done; else stay, if the design is still there."""
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
        with self._runs:
            if not jobs:
                ui.label(_EMPTY).classes("empty")
            for job in reversed(jobs):
                self._run(job)

    def _run(self, job: PlannerJob) -> None:
        with ui.element("div").classes("run" + (" shown" if job is self._chosen else "")):
            ui.label(job.label).classes("letter")
            with ui.element("div").style("min-width: 0"):
                ui.label(_title(job)).classes("title")
                self._states[job.key] = ui.label(self._state(job)).classes("state").props("role=status")
            with ui.element("div").classes("buttons"):
                if job.open:
                    _button("Cancel", lambda: self._planner.pool.cancel(job))
                else:
                    if job.state == "done" and job is not self._chosen:
                        _button("Show", lambda: self._show(job))
                    _button("Remove", lambda: self._planner.forget(job))
            if job.state == "solving":
                ui.linear_progress(show_value=False, size="3px").props("indeterminate")

    def _state(self, job: PlannerJob) -> str:
        if job.state == "waiting":
            place = self._planner.pool.position(job)
            return "starting" if not place else f"waiting, number {place} in the queue"
        if job.state == "solving":
            return f"{job.seconds:.0f} s · {job.line}"
        if job.state == "failed":
            return job.error
        if job.state == "cancelled":
            return "cancelled"
        kind = "certified run" if job.certify else "bound"
        text = f"{kind}, {job.design.cost / 1e6:,.4g} M USD/yr, done in {job.seconds:.0f} s"
        return f"{text}\n{job.note}" if job.note else text

    def _show(self, job: PlannerJob) -> None:
        self._chosen, self._followed = job, None
        self._list(self._planner.jobs(self._owner))
        self._draw()

    # ---- the answer and the comparison

    def _draw(self) -> None:
        done = [job for job in self._planner.jobs(self._owner) if job.state == "done"]
        self._answer.clear()
        if self._chosen in done:
            with self._answer:
                self._design(self._chosen)
        self._compared.clear()
        if len(done) > 1:
            with self._compared:
                self._comparison(done)

    def _design(self, job: PlannerJob) -> None:
        design = job.design
        with ui.element("h1"):
            ui.label(f"{job.label} · {design.site_name}")
        kind, text = content.verdict(design, design.certificate)
        ui.label(f"{_LABELS[kind]} {text}").classes(f"verdict {kind}")
        _facts(design)
        with ui.element("div").classes("files"):
            address = f"files/{job.key}"
            ui.link("Open the report", f"{address}/{REPORT}", new_tab=True)
            for name, text in _SAVED.items():
                ui.link(text, f"{address}/{name}?download").props["download"] = ""
        for figure in job.figures.values():
            self._plot(figure)

    def _comparison(self, done: list[PlannerJob]) -> None:
        with ui.element("h2"):
            ui.label("Side by side")
        names = {job.key: f"{job.label} · {job.study.site.name}" for job in done}
        shown = [job.key for job in done if job.key not in self._left_out]

        def choose(keys: list[str]) -> None:
            self._left_out = {key for key in names if key not in keys}
            self._draw()

        choice = ui.select(names, label="Designs", value=shown, multiple=True).props(
            "outlined dense use-chips"
        )
        choice.on_value_change(lambda event: choose(event.value))
        compared = [job for job in done if job.key in shown]
        if not compared:
            return
        _table({names[job.key]: job.design for job in compared})
        bars = compare.cost_bars({job.label: job.design for job in compared})
        self._plot(json.loads(bars.to_json()))

    def _plot(self, figure: dict[str, Any]) -> None:
        with ui.element("h3"):
            ui.label(title_of(figure))
        ui.plotly(fitted(figure, dark=self.dark, narrow=self.narrow)).classes("plot")


def _title(job: PlannerJob) -> str:
    study = job.study
    uptime = "" if study.uptime is None else f", {study.uptime * 100:.6g} %"
    return f"{study.site.name}: {study.contracted_racks:,} racks{uptime}"


def _done(states: dict[str, State]) -> set[str]:
    return {key for key, state in states.items() if state == "done"}


def _button(text: str, act: Any) -> None:  # noqa: ANN401
    ui.button(text, on_click=act, color=None).props("flat dense no-caps")


def _facts(design: Design) -> None:
    first, rest = content.answer(design), content.consequences(design, design.certificate)
    for facts, kind in ((first, "fact first"), (rest, "fact")):
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


def _table(designs: dict[str, Design]) -> None:
    table = compare.table(designs)
    with ui.element("div").classes("scroll"), ui.element("table").classes("compared"):
        with ui.element("thead"), ui.element("tr"):
            for text in ("", *table.columns):
                _cell("th", text)
        with ui.element("tbody"):
            for name, row in table.iterrows():
                with ui.element("tr"):
                    _cell("th", str(name))
                    for text in row:
                        _cell("td", text)
    if note := compare.after_tax(designs).attrs["note"]:
        ui.label(note).classes("note")


def _cell(tag: str, text: str) -> None:
    with ui.element(tag):
        ui.label(text)
