"""Every notebook runs from top to bottom, anywhere, and is kept with the outputs of its code."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import nbformat
import pytest
from jupyter_client import KernelManager
from nbclient import NotebookClient

from tests import worked_hubs

ROOT = Path(__file__).resolve().parent.parent
STORED = SimpleNamespace(**run_path(str(ROOT / ".docs" / "notebooks.py")))
WITHOUT_FIGURE = ("10_portfolio",)
MOST_BYTES = 700_000
NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "notebooks").glob("*.ipynb"))
# Every cell as it stands, searched for a shorter time, to larger gaps and on fewer years: what a full search
# finds, and twenty years, are tested elsewhere; so are roadmaps of many stages and small gaps.
SCREENING = """
def screen():
    from dataclasses import replace
    from types import SimpleNamespace
    import sitedesign as sd
    from sitedesign.case import build
    from sitedesign.study.effort import DEFAULT_GAP, EFFORTS
    from sitedesign.weather.weather import Weather
    certify, plan = sd.certify, sd.roadmap
    EFFORTS["standard"] = replace(
        EFFORTS["screening"], years=40, evaluations=30, certificate_years=60, cause_years=2, explains=True
    )
    DEFAULT_GAP["cuts"] = 1e-2
    build.Weather = SimpleNamespace(
        generate=lambda site, years, **more: Weather.generate(site, years=min(years, 2), **more)
    )
    sd.certify = lambda *given, **asked: certify(*given, **asked | {"years": 20})
    sd.roadmap = lambda *given, **asked: plan(*given, **asked | {"stages": 3, "gap": 5e-2, "weather_years": 1}
        if "site" in asked else asked | {"stages": 4, "gap": 2e-2})
screen()
del screen
"""
#: Texts of a notebook, and what is run instead: a table of ninety designs, of which thirty run every line.
SHORTER = {
    "04_screening_many_sites": {"spacing=3": "spacing=6", "weather_years=3": "weather_years=1"},
    "06_throttling": {"TARGETS = (0.99, 0.999, 0.9999)": "TARGETS = (0.99,)"},
}
LONGEST_CELL_S = 1800  # of wall time: the longest takes two minutes of one core, and machines may be busy


def test_they_are_numbered_without_a_hole() -> None:
    assert [path.name[:3] for path in NOTEBOOKS] == [f"{n:02d}_" for n in range(1, len(NOTEBOOKS) + 1)]
    assert len(NOTEBOOKS) >= 6


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_outputs_are_of_the_code_as_it_stands(path: Path) -> None:
    """A visitor reads what this code says; `.docs/notebooks.py --check` runs it in full and compares."""
    notebook = nbformat.read(path, as_version=4)
    again = f"run python .docs/notebooks.py {path.name[:2]}"
    assert notebook.metadata.get("outputs_of") == STORED.digest(notebook), again
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    outputs = [output for cell in cells for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs) or path.stem in WITHOUT_FIGURE
    assert not [output for output in outputs if output.output_type == "error"]
    assert not any("Traceback" in output.get("text", "") for output in outputs)
    assert path.stat().st_size < MOST_BYTES


def test_outputs_are_compared_loosely() -> None:
    assert STORED.near("cost 81.8 M USD, 1,227 MW, in 3.2 s", "cost 82.9 M USD, 1,230 MW, in 71 s")
    assert not STORED.near("cost 81.8 M USD", "cost 91.8 M USD")
    assert not STORED.near("cost 81.8 M USD", "cost 81.8 M EUR")
    assert not STORED.near("1 2 3", "1 2")
    assert STORED.near(
        "23 sites, 19.6 sites/min in /tmp/tmpuvy_43oh/a", "23 sites, 47.3 sites/min in /var/tmp/tmpabcd_123/a"
    )


def test_a_table_with_a_style_is_compared_by_its_cells() -> None:
    page = "<style>#T_{} {{ width: 5px }}</style><table id='T_{}'><td>El Paso &amp; {:.1f} MW</td></table>"
    before, after, other = (
        STORED.words_of(
            {"text/plain": f"<Styler at 0x7f{number}e>", "text/html": page.format(number, number, mw)}
        )
        for number, mw in ((1, 80.0), (2, 80.5), (3, 99.0))
    )
    assert "El Paso & 80.0 MW" in before
    assert STORED.near(before, after)
    assert not STORED.near(before, other)
    assert STORED.words_of({"text/plain": "3 sites"}) == "3 sites"


@pytest.fixture(scope="module")
def kernel() -> Iterator[KernelManager]:
    """One process for all notebooks: loading the package and its kernels takes longer than most of them."""
    running = KernelManager(kernel_name="python3")
    unmeasured = {name: text for name, text in os.environ.items() if name != "SITEDESIGN_WEATHER_REAL"}
    running.start_kernel(env=unmeasured)
    yield running
    running.shutdown_kernel(now=True)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # the Jupyter stack warns about itself
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path: Path, tmp_path: Path, kernel: KernelManager) -> None:
    """In an empty folder, without measured records and the names of others: only the package is there."""
    written = path.read_text(encoding="utf-8")
    for text, shorter in SHORTER.get(path.stem, {}).items():
        assert text in written
        written = written.replace(text, shorter)
    notebook = nbformat.reads(written, as_version=4)
    alone = f"%reset_selective -f .\n%cd -q {tmp_path}"
    notebook.cells = [*map(nbformat.v4.new_code_cell, (alone, SCREENING)), *notebook.cells]
    run = NotebookClient(notebook, km=kernel, timeout=LONGEST_CELL_S)
    try:
        run.execute()
    finally:
        run.kc.stop_channels()
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
