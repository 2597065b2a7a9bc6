"""The README's figure: the first page of the report that the README's second command writes.

    python .docs/readme_figure.py           # solves and certifies first, some minutes
    python .docs/readme_figure.py report.html

Needs the test extra and a Chromium, or its path in SITEDESIGN_CHROMIUM.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

import sitedesign as sd

TARGET = Path(__file__).parent / "report.png"
WIDTH_PX = 900
LEFT_OUT = ".top, .tools, .controls, .note, #why > h2, #why > p, .facts .fact:nth-child(n+5)"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def written_report(folder: str) -> Path:
    """Solve what the README's second command solves, and write its report."""
    site = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
    design = sd.solve(site=site, racks=700, uptime=0.999, limits={"months_to_power": 14}, progress=print)
    return design.report(Path(folder) / "report.html")


def photograph(report: Path, target: Path) -> None:
    """Take the page from its heading to the end of its first figure, without the words between."""
    program = os.environ.get("SITEDESIGN_CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH_PX, "height": 2000}, color_scheme="light")
        page.goto(report.resolve().as_uri())
        page.wait_for_selector("html[data-ready]", state="attached")
        page.add_style_tag(content=f"{LEFT_OUT} {{ display: none !important }}")
        end = page.evaluate("document.querySelector('#figure-week').getBoundingClientRect().bottom")
        page.screenshot(path=target, clip={"x": 0, "y": 0, "width": WIDTH_PX, "height": end})
        browser.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        photograph(Path(sys.argv[1]) if len(sys.argv) > 1 else written_report(scratch), TARGET)
