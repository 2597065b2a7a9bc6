"""Every notebook runs from top to bottom, anywhere, and is kept without outputs."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests import worked_hubs

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "notebooks").glob("*.ipynb"))
# Every cell as it stands, searched for a shorter time and on fewer years: what a full search finds, and
# twenty years, are tested elsewhere; so are roadmaps of many stages and small gaps.
SCREENING = """
from dataclasses import replace
from types import SimpleNamespace
from sitedesign.case import build
from sitedesign.study.effort import EFFORTS
from sitedesign.weather.weather import Weather
EFFORTS["standard"] = replace(
    EFFORTS["screening"], years=40, evaluations=30, certificate_years=60, cause_years=4, explains=True
)
build.Weather = SimpleNamespace(
    generate=lambda site, years, **more: Weather.generate(site, years=min(years, 2), **more)
)
import sitedesign as sd
plan = sd.roadmap
sd.roadmap = lambda *given, **asked: plan(*given, **asked | {"stages": 3, "gap": 2e-2, "weather_years": 1}
    if "site" in asked else asked | {"stages": 4, "gap": 1e-2})
"""
LONGEST_CELL_S = 1800  # of wall time: the longest takes two minutes of one core, and machines may be busy


def test_they_are_numbered_without_a_hole() -> None:
    assert [path.name[:3] for path in NOTEBOOKS] == [f"{n:02d}_" for n in range(1, len(NOTEBOOKS) + 1)]
    assert len(NOTEBOOKS) >= 6


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_stripped(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not [cell for cell in cells if cell.outputs or cell.execution_count is not None]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # the Jupyter stack warns about itself
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder, without measured records: nothing but the package is there."""
    monkeypatch.delenv("SITEDESIGN_WEATHER_REAL", raising=False)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(SCREENING))
    where = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=LONGEST_CELL_S, kernel_name="python3", resources=where).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    said = "".join(output.get("text", "") for output in outputs)
    assert "Traceback" not in said
    assert "Warning" not in said
    assert not list(tmp_path.iterdir())  # what a notebook writes, it writes elsewhere


def test_the_table_of_worked_hubs_is_of_the_questions_beside_it() -> None:
    """Certified figures take minutes each: they are kept, and are of these questions."""
    asked, kept = worked_hubs.questions(), worked_hubs.read()
    assert list(kept) == list(asked)
    for name, study in asked.items():
        assert kept[name]["asked"] == worked_hubs.digest(study), f"run python -m tests.worked_hubs {name!r}"
        found = kept[name]["figures"]
        assert found["bound_usd_per_yr"] <= found["cost_usd_per_yr"]
        assert found["met"]
        assert found["uptime_lower"] >= study.uptime
    text = nbformat.read(worked_hubs.NOTEBOOK, as_version=4)
    assert any(worked_hubs.table(kept) in cell.source for cell in text.cells)
