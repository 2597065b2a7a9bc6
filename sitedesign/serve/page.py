"""The page: tabs above, the form on the left, what was asked and answered on the right."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from fastapi import Request, Response
from fastapi.responses import FileResponse
from nicegui import app, events, run, ui

from sitedesign.errors import InputError
from sitedesign.serve import address, mapdata, opening, tabs
from sitedesign.serve.answering import PAGES
from sitedesign.serve.deciding import sensitivity_of
from sitedesign.serve.fields import Uploaded
from sitedesign.serve.first_view import first_view
from sitedesign.serve.input_fields import quoted, upload_of
from sitedesign.serve.input_panel import InputPanel
from sitedesign.serve.planner import Planner
from sitedesign.serve.plots import NARROW_PX
from sitedesign.serve.result_panel import ResultPanel
from sitedesign.serve.worker import PlannerJob
from sitedesign.util.display_units import System

TICK_S = 0.5
_UNITS = {"": "usual units", "si": "SI units", "us": "US units"}


def add_routes(planner: Planner) -> None:
    """Tell the server what there is: the page, the map's lines, the files of results."""

    @ui.page("/")
    async def page(request: Request) -> None:
        await Page(planner, str(app.storage.browser["id"])).open(request.query_params)

    @app.get("/world.json")
    async def world() -> Response:
        lines = await run.io_bound(mapdata.world)
        kept = {"Cache-Control": "max-age=86400", "Content-Encoding": "gzip"}
        return Response(lines, media_type="application/json", headers=kept)

    @app.get("/files/{key}/{name}")
    async def file(request: Request, key: str, name: str) -> Response:
        found = planner.file(str(request.session.get("id")), key, name)
        if found is None:
            return Response("No such file.", status_code=404, media_type="text/plain")
        path, called = found
        shown = "inline" if name in PAGES and "download" not in request.query_params else "attachment"
        return FileResponse(path, filename=called, content_disposition_type=shown)


class Page:
    """One open page.

    Parameters
    ----------
    planner : Planner
    owner : str
        Session of the browser.
    """

    def __init__(self, planner: Planner, owner: str) -> None:
        self.planner = planner
        self.owner = owner

    async def open(self, query: Mapping[str, str]) -> None:
        """Build the page as its address asks, then ask the browser what screen it has."""
        self.client = ui.context.client
        ui.add_css(_asset("page.css"))
        ui.add_head_html(f"<script>{_asset('page.js')}</script>")
        ui.add_head_html('<meta name="description" content="Power plant and racks of a data center">')
        self.theme = ui.dark_mode(None)
        tab, answers, certify = address.from_query(query)
        header = self._header(tab, query)
        warning = ui.label(self.planner.warning).classes("warning")
        warning.set_visibility(bool(self.planner.warning))
        with ui.element("main").classes("columns") as columns:
            self.inputs = InputPanel(self._solve, tab, answers, certify=certify)
            self.results = ResultPanel(self.planner, self.owner, self._edit, self._again, self._decide)
        self._measured(address.units_of(query))
        self._offer()
        self.results.refresh()
        ui.add_body_html(first_view(header, warning, columns))
        try:
            await ui.context.client.connected(timeout=60)
            screen: dict[str, Any] | None = await ui.run_javascript("screenIs()", timeout=10)
        except TimeoutError:
            return  # closed before it was shown
        if screen is not None:
            self.results.screen(dark=bool(screen["dark"]), narrow=int(screen["width"]) < NARROW_PX)
            await self.results.fill()
            ui.timer(TICK_S, self._tick)

    def _header(self, tab: str, query: Mapping[str, str]) -> ui.header:
        with ui.header().classes("bar") as header:
            ui.label("sitedesign").classes("name")
            self.tabs = ui.tabs()
            self.tabs.props("dense no-caps outside-arrows mobile-arrows align=left").classes("tabs")
            with self.tabs:
                for one in tabs.tabs().values():
                    ui.tab(one.name, label=one.title)
            self.tabs.set_value(tab)
            self.tabs.on_value_change(lambda event: self.inputs.turn(event.value))
            with ui.element("div").classes("tools"):
                choice = ui.select(dict(_UNITS), value=address.units_of(query) or "", on_change=self._measure)
                choice.props("dense borderless options-dense").props["aria-label"] = "Units"
                _tool("folder_open", "Open a saved study, design, roadmap or portfolio", self._ask_file)
                _tool("link", "Copy the link to these answers", self._link)
                _tool("contrast", "Light or dark", self._switch)
        self._sent = upload_of(opening.SUFFIXES, self._opened)
        return header

    def _ask_file(self) -> None:
        self._sent.run_method("pickFiles")

    async def _opened(self, event: events.UploadEventArguments) -> None:
        """Fill the form with what a file asks, and show what it found."""
        self._sent.reset()
        sent = Uploaded(event.file.name, await event.file.read())
        try:
            found = await run.io_bound(opening.opened, sent)
            if found is None:
                return  # the server is going down
            job = self.planner.keep(found, owner=self.owner)
        except InputError as error:
            _refuse(error)
            return
        if found.answers:
            self._edit(dict(found.answers), "plant")
        if found.left_out:
            text = f"The form does not ask all of it. Left out: {', '.join(found.left_out)}."
            ui.notify(text, type="warning", multi_line=True, close_button="Close", timeout=0)
        if job is not None:
            self.results.follow(job)

    def _link(self) -> None:
        ui.run_javascript(f"keepAddress({quoted(self.inputs.query)}); copyAddress()")
        ui.notify("The link to these answers is copied. Files are not part of it.")

    def _measure(self, event: events.ValueChangeEventArguments[Any]) -> None:
        self._measured(event.value or None)

    def _measured(self, units: System | None) -> None:
        """Ask and answer in the units of a system."""
        self.inputs.measure_in(units)
        self.results.show_in(units)

    def _switch(self) -> None:
        self.results.screen(dark=not self.results.dark, narrow=self.results.narrow)
        self.theme.value = self.results.dark
        ui.run_javascript("repaint()")

    def _tick(self) -> None:
        """Bring runs up to date, and the address in line with the form."""
        self.results.refresh()
        self._offer()
        if self.inputs.changed:
            self.inputs.changed = False
            ui.run_javascript(f"keepAddress({quoted(self.inputs.query)})")

    def _offer(self) -> None:
        runs = self.planner.finished(self.owner)
        self.inputs.choose_among(
            {key: f"{job.label} · {job.question.place}: {job.question.title}" for key, job in runs.items()}
        )

    def _edit(self, answers: dict[str, Any], tab: str) -> None:
        """Fill the form with the answers of a run."""
        self.tabs.set_value(tab)
        self.inputs.turn(tab)
        self.inputs.answer(answers)
        if self.results.narrow:
            ui.run_javascript("showFirst('.asks')")

    async def _again(self, answers: dict[str, Any], tab: str) -> None:
        with self.client:  # the button that asked for it goes with the run that it stands in
            self._edit(answers, tab)
            await self._solve(tab, self.inputs.answers, self.inputs.certify)

    def _decide(self, job: PlannerJob) -> None:
        """Queue the question what decides a plant."""
        try:
            found = self.planner.submit(sensitivity_of(job), owner=self.owner)
        except InputError as error:
            _refuse(error)
        else:
            self.results.follow(found)

    async def _solve(self, tab: str, answers: dict[str, Any], certify: bool) -> None:
        """Check the answers, all faults at once, and queue the question."""
        runs = self.planner.finished(self.owner)
        try:
            question = await run.io_bound(tabs.question_of, tab, answers, certify=certify, runs=runs)
            if question is None:
                return  # the server is going down
            job = self.planner.submit(question, owner=self.owner, answers=answers)
        except InputError as error:
            self.inputs.complain(*tabs.beside_fields(error.faults, tab))
            return
        self.inputs.complain({}, [])
        self.results.follow(job)


def _refuse(error: InputError) -> None:
    """Say what is wrong with something that stands beside no field."""
    text = "\n".join(str(fault) for fault in error.faults)
    ui.notify(text, type="negative", multi_line=True, close_button="Close", timeout=0, classes="faults")


def _tool(icon: str, words: str, act: Any) -> None:  # noqa: ANN401
    button = ui.button(icon=icon, on_click=act).props("flat round dense color=grey-8")
    button.props["aria-label"] = words
    button.tooltip(words)


def _asset(name: str) -> str:
    return (files("sitedesign.serve") / "template" / name).read_text(encoding="utf-8")
