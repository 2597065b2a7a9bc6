"""The table [roadmap] of a study file: what is asked of a roadmap beside the study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sitedesign.errors import Fault, InputError
from sitedesign.study.toml_file import ROADMAP, read_toml
from sitedesign.util.validation import unknown_keys

#: Keys of the table: what :func:`sitedesign.roadmap` takes by the same names.
ROADMAP_KEYS = (
    "ramp", "value_usd_per_rack_month", "start", "horizon_months", "rentals", "deliveries", "stages",
    "by_hand", "scenarios", "worth", "dates", "draws",
)  # fmt: skip


def read_roadmap_table(path: str | Path) -> dict[str, Any]:
    """Read the table [roadmap] of a study file; empty where it has none.

    Returns
    -------
    dict of str to object
        Keywords of :func:`sitedesign.roadmap`.

    Raises
    ------
    InputError
        With every key that there is not.
    """
    path = Path(path)
    table = read_toml(path).get(ROADMAP, {})
    if not isinstance(table, Mapping):
        fault = Fault(
            f"{path} roadmap", repr(table), "must be a table", "Write [roadmap] on a line of its own."
        )
        raise InputError([fault], str(path))
    faults = unknown_keys(f"{path} [roadmap]", table, ROADMAP_KEYS)
    if faults:
        raise InputError(faults, str(path))
    found = dict(table)
    if isinstance(steps := found.get("ramp"), Mapping) and set(steps) != {"steps"}:
        found["ramp"] = dict(sorted(steps.items(), key=lambda item: _month(item[0])))
    return found


def _month(text: str) -> int:
    """Month of a step, which TOML writes as text; what is none comes last and is refused by its gate."""
    return int(text) if text.isdigit() else 10**9
