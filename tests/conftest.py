"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def weather_real() -> Path:
    """Folder of measured weather files; the test is skipped where it is not there."""
    folder = Path(os.environ.get("SITEDESIGN_WEATHER_REAL", ROOT.parent / "shared" / "weather_real"))
    if not folder.is_dir():
        pytest.skip(f"measured weather files are not here (no {folder.name}/; set SITEDESIGN_WEATHER_REAL)")
    return folder
