"""The picture of the planner in README and documentation: its first view, with the example.

    python .docs/planner_figure.py

Needs the test extra and a Chromium, or its path in SITEDESIGN_CHROMIUM.
"""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

TARGET = Path(__file__).parent / "pages" / "planner.webp"
SIZE_PX = {"width": 1240, "height": 1180}
QUALITY = 85  # of 100: letters are sharp, and the file is small
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
STARTS_WITHIN_S = 120


def started() -> tuple[subprocess.Popen[bytes], str]:
    """Start a planner of its own; returns when it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "sitedesign", "serve", "--port", str(port), "--no-browser"]
    server, address = subprocess.Popen(command), f"http://127.0.0.1:{port}/"
    end = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.5)
        else:
            return server, address
    server.terminate()
    raise TimeoutError(address)


def photograph(address: str, target: Path) -> None:
    """Take the first view once map and figures are drawn."""
    program = os.environ.get("SITEDESIGN_CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE_PX, color_scheme="light")
        page.goto(address)
        page.wait_for_selector(".leaflet-container[data-drawn=whole]")
        page.wait_for_selector(".plot .main-svg")
        page.wait_for_timeout(1000)
        asked = {"format": "webp", "quality": QUALITY}
        found = page.context.new_cdp_session(page).send("Page.captureScreenshot", asked)
        target.write_bytes(base64.b64decode(found["data"]))
        browser.close()


if __name__ == "__main__":
    planner, at = started()
    try:
        photograph(at, TARGET)
    finally:
        planner.terminate()
