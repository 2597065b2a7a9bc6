"""The documentation builds without a warning: a page for every public name, tutorials, gallery, commands."""

from __future__ import annotations

import html
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sitedesign as sd

ROOT = Path(__file__).resolve().parent.parent
NAMES = sorted(set(sd.__all__) - {"__version__"})


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    pytest.importorskip(
        "mkdocstrings_handlers.python", reason="mkdocstrings is not installed (pip install .[test])"
    )
    pytest.importorskip("material", reason="mkdocs-material is not installed (pip install .[test])")
    if not (ROOT / ".docs").exists():
        pytest.skip("the sources of the reference are in a checkout only")
    folder = tmp_path_factory.mktemp("reference")
    command = [sys.executable, "-W", "ignore", "-m", "mkdocs", "build", "--strict"]
    done = subprocess.run(
        [*command, "--config-file", ".docs/mkdocs.yml", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not re.search("warning|error", done.stdout + done.stderr, re.IGNORECASE)
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*.html")
    }


def said(page):
    """Text of a page without tags, spaces single."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", page)))


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_has_its_page_with_its_docstring(pages, name):
    page = said(pages[f"reference/{name}.html"])
    first = inspect.getdoc(getattr(sd, name)).splitlines()[0]
    assert re.sub(r"[`*]", "", first) in page
    assert f"reference/{name}.html" in pages["index.html"]


def test_parameters_units_and_errors_are_on_the_page(pages):
    page = said(pages["reference/solve.html"])
    for text in ("time_limit_s", "[fraction]", "InfeasibleDesign", "Names what binds."):
        assert text in page
    assert "months_to_power" in said(pages["reference/Limits.html"])
    assert "usd_per_gpu_h" in said(pages["reference/Evaluation.html"])


def test_no_markup_of_another_language_and_nothing_from_the_network(pages):
    for name, page in pages.items():
        if name.startswith("reference/"):
            assert not re.search(r":(class|func|meth|mod):", said(page)), name
            assert "<blockquote>" not in page, name
        assert not re.findall(r'<(?:link|script|img)[^>]*(?:src|href)="(?:https?:)?//[^"]*"', page), name


def test_tutorials_show_their_outputs_and_every_command_its_example(pages):
    from sitedesign.cli import app

    tutorials = {name: page for name, page in pages.items() if name.startswith("tutorials/")}
    assert len(tutorials) == len(list((ROOT / "notebooks").glob("*.ipynb")))
    assert "<img" in tutorials["tutorials/08_finance.html"]
    assert "<table" in tutorials["tutorials/08_finance.html"]
    assert pages["gallery.html"].count("<img") >= 5
    commands = said(pages["commands.html"])
    assert len(app.registered_commands) > 10
    for command in app.registered_commands:
        assert f"sitedesign {command.name} " in commands, command.name
