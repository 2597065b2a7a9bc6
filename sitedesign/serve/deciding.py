"""What decides a finished plant: the question, its answer, and what the page shows of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sitedesign as sd
from sitedesign.api.design import Design
from sitedesign.report import content, figures
from sitedesign.report.content import KeyFigure
from sitedesign.results.saved import missing_series
from sitedesign.results.sensitivity import Sensitivity
from sitedesign.serve.questions import PlantQuestion, SensitivityQuestion
from sitedesign.serve.view import Table, View, as_json
from sitedesign.util.atomic_file import write_atomic
from sitedesign.util.html_table import table_csv
from sitedesign.util.progress import Progress

if TYPE_CHECKING:
    from sitedesign.serve.worker import PlannerJob

NUMBERS, NUMBERS_TABLE, WITH_NUMBERS = "numbers.json", "numbers.csv", "design.json"
_M = 1e6
_MOST_ROWS = 20  # the file has all
_HEADS = ["Number", "Range", "At the low end", "At the high end", "Knowing it"]


def sensitivity_of(job: PlannerJob) -> SensitivityQuestion:
    """Ask what decides a plant that is done."""
    asked = job.question
    study = asked.study if isinstance(asked, PlantQuestion) else None
    certified = job.design.certificate is not None
    return SensitivityQuestion(job.folder / WITH_NUMBERS, study, certified, job.label, asked.place)


def decided(question: SensitivityQuestion, folder: Path, progress: Progress) -> tuple[View, str]:
    """Find which numbers decide, and leave them in a folder, alone and on the design."""
    design, note = Design.load(question.result), ""
    if question.study is not None and missing_series(design):
        found = sd.sensitivity(question.study, progress=progress)
        note = "Changes are those of the bound: a saved design holds no prices of every hour."
    else:
        found = sd.sensitivity(design, progress=progress)
    design = design.with_sensitivity(found)
    found.save(folder / NUMBERS)
    design.save(folder / WITH_NUMBERS)
    write_atomic(folder / NUMBERS_TABLE, table_csv(found.table()))
    return sensitivity_view(design, found), note


def sensitivity_view(design: Design, found: Sensitivity) -> View:
    """Say what the page shows of it."""
    most = found.numbers[0] if found.numbers else None
    swing = "none" if most is None else f"{most.swing_usd_per_yr / _M:,.2f}"
    basis = f"the certified plant on {found.certified_on}" if found.certified_on else "the bound"
    rows = [
        [f"{label} ({confidence})", span, low, high, knowing]
        for label, span, low, high, knowing, confidence, _ in content.sensitivity_rows(design)[:_MOST_ROWS]
    ]
    switches = [["", item.line()] for item in found.switches]
    shown = {"tornado": figures.tornado(found)} if len(figures.tornado_data(found)) else {}
    return View(
        summary=f"decided by {found.decided_by}",
        verdict=("good", f"Decided by {found.decided_by}. Changes are of {basis}."),
        facts=[[
            KeyFigure("Cost as things are", f"{found.cost_usd_per_yr / _M:,.1f}", "M USD/yr", "power plant"),
            KeyFigure("Moves it most", swing, "M USD/yr", "nothing" if most is None else most.named),
            KeyFigure("Decide", f"{len(found.deciding)}", "numbers", f"of {len(found.numbers)} with a range"),
            KeyFigure("Plan changes kind", f"{len(found.switches)}", "times", "as prices and dates move"),
        ]],
        figures=as_json(shown),
        tables=[
            Table("Numbers that move the cost most [M USD/yr]", [_HEADS, *rows], headed=True),
            *([Table("Where the plan changes kind", switches)] if switches else []),
        ],
        files={WITH_NUMBERS: "Design as JSON, with its numbers", NUMBERS: "Numbers as JSON",
               NUMBERS_TABLE: "Numbers as CSV"},
        money=content.money_words(design.study),
    )  # fmt: skip
