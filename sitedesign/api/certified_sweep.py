"""Certified plants along a sweep: what an operator without foresight needs at each value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sitedesign.api.bound_sweep import study_at
from sitedesign.api.solve import solve
from sitedesign.errors import InfeasibleDesign, NotProvenOptimal
from sitedesign.results.design import Design
from sitedesign.study.effort import EffortName
from sitedesign.study.study import Study
from sitedesign.util.progress import Progress, silent

Row = dict[str, Any]


def certified_rows(
    study: Study, over: str, values: list[float], effort: EffortName, progress: Progress | None
) -> Iterator[Row]:
    """Certify a plant at each value; what cannot be certified says why.

    Yields
    ------
    dict
        Columns that begin with ``certified_``: sizes, units, racks, cost, uptime with its lower end at 95 %,
        and ``certified_reason`` where there is none.
    """
    tell = progress or silent
    for value in values:
        tell(f"{value:g}: certifying a plant")
        try:
            yield _row(solve(study_at(study, over, value), certify=True, effort=effort, progress=progress))
        except NotProvenOptimal as error:
            found = error.incumbent
            yield _row(found) if isinstance(found, Design) else {"certified_reason": str(error)}
        except InfeasibleDesign as error:
            yield {"certified_reason": error.reason}


def _row(design: Design) -> Row:
    certificate = design.certificate
    assert certificate is not None  # asked for
    row = {
        "cost_usd_per_yr": design.cost_usd_per_yr,
        **{f"{name}_mw": mw for name, mw in design.resources_mw.items()},
        "battery_mwh": design.battery_mwh,
        "battery_mw": design.battery_mw,
        **{f"units_{name}": count for name, count in design.backup.items()},
        **{f"{name}_mw": mw for name, mw in (design.imports_mw | design.sinks_mw).items()},
        "racks_installed": design.racks,
        "uptime": certificate.uptime.value,
        "uptime_lower": certificate.uptime.lower_bound(certificate.confidence),
        "met": certificate.met,
        "reason": "" if certificate.met else "the target is not met",
    }
    return {f"certified_{name}": item for name, item in row.items()}
