"""The page: the form on the left, what was asked and answered on the right."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from fastapi import Request, Response
from fastapi.responses import FileResponse
from nicegui import app, run, ui

from sitedesign.api.question import check_method
from sitedesign.errors import InputError
from sitedesign.serve import form, mapdata
from sitedesign.serve.input_panel import InputPanel
from sitedesign.serve.planner import Planner
from sitedesign.serve.plots import NARROW_PX
from sitedesign.serve.result_panel import ResultPanel
from sitedesign.serve.solving import REPORT

TICK_S = 0.5


def add_routes(planner: Planner) -> None:
    """Tell the server what there is: the page, the map's lines, the files of results."""

    @ui.page("/")
    async def page() -> None:
        await Page(planner, str(app.storage.browser["id"])).open()

    @app.get("/world.json")
    async def world() -> Response:
        lines = await run.io_bound(mapdata.world)
        return Response(lines, media_type="application/json", headers={"Cache-Control": "max-age=86400"})

    @app.get("/files/{key}/{name}")
    async def file(request: Request, key: str, name: str) -> Response:
        found = planner.file(str(request.session.get("id")), key, name)
        if found is None:
            return Response("No such file.", status_code=404, media_type="text/plain")
        path, called = found
        shown = "inline" if name == REPORT and "download" not in request.query_params else "attachment"
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

    async def open(self) -> None:
        """Build the page, then ask the browser what screen it has."""
        ui.add_css(_asset("page.css"))
        ui.add_head_html(f"<script>{_asset('page.js')}</script>")
        self.theme = ui.dark_mode(None)
        self._header()
        if self.planner.warning:
            ui.label(self.planner.warning).classes("warning")
        with ui.element("main").classes("columns"):
            self.inputs = InputPanel(self._solve)
            self.results = ResultPanel(self.planner, self.owner)
        try:
            await ui.context.client.connected(timeout=60)
            screen: dict[str, Any] | None = await ui.run_javascript("screenIs()", timeout=10)
        except TimeoutError:
            return  # closed before it was shown
        if screen is not None:
            self.results.screen(dark=bool(screen["dark"]), narrow=int(screen["width"]) < NARROW_PX)
            ui.timer(TICK_S, self.results.refresh)

    def _header(self) -> None:
        with ui.header().classes("bar"):
            ui.label("sitedesign").classes("name")
            ui.label("power plant and racks of a data center, with the grid or without").classes("what")
            ui.button(icon="contrast", on_click=self._switch).props(
                "flat round dense color=grey aria-label='Light or dark'"
            )

    def _switch(self) -> None:
        self.results.screen(dark=not self.results.dark, narrow=self.results.narrow)
        self.theme.value = self.results.dark

    async def _solve(self, answers: dict[str, Any], certify: bool) -> None:
        """Check the answers, all faults at once, and queue the study."""
        try:
            study = await run.io_bound(form.study_of, answers)
            if study is None:
                return  # the server is going down
            check_method("cuts", certify, study)
            job = self.planner.submit(study, certify=certify, owner=self.owner)
        except InputError as error:
            self.inputs.complain(*form.beside_fields(error.faults))
            return
        self.inputs.complain({}, [])
        self.results.follow(job)


def _asset(name: str) -> str:
    return (files("sitedesign.serve") / "template" / name).read_text(encoding="utf-8")
