"""CSV with named columns."""

from __future__ import annotations

from pathlib import Path

from sitedesign.resource.formats.record import Record
from sitedesign.site import Site


def recognise(head: str) -> bool:
    """Not yet."""
    return False


def parse(path: Path, site: Site | None = None) -> Record:
    """Not yet."""
    raise NotImplementedError
