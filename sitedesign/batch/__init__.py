"""Many candidate sites: read them, solve them on every core or a cluster, resume, rank.

A batch never ends because of one site: whatever goes wrong becomes a row. See :func:`solve_many`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sitedesign.batch.grid import land_grid
    from sitedesign.batch.ranking import rank
    from sitedesign.batch.screen import solve_many

# Loaded on first use: `sitedesign --help` registers the batch command and needs none of it.
_HOME = {"land_grid": "grid", "rank": "ranking", "solve_many": "screen"}

__all__ = ["land_grid", "rank", "solve_many"]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import a public name from its module on first use."""
    if name in _HOME:
        return getattr(import_module(f"sitedesign.batch.{_HOME[name]}"), name)
    message = f"module 'sitedesign.batch' has no attribute {name!r}"
    raise AttributeError(message)
