"""The planner in a browser: a local web page on the public API (``sitedesign serve``)."""

from __future__ import annotations

from sitedesign.serve.start import run

__all__ = ["run"]
