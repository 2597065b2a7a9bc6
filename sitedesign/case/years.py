"""Weather years of a case, put in sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sitedesign.case.case import Case


def concat_years(cases: Sequence[Case]) -> Case:
    """Put the years of several cases of one study in sequence."""
    first = cases[0]
    if len(cases) == 1:
        return first
    series = {name: np.concatenate([getattr(case, name) for case in cases]) for name in ("load_mw", "usable")}
    resources = tuple(
        replace(item, yield_mw_per_mw=np.concatenate([c.resources[r].yield_mw_per_mw for c in cases]))
        for r, item in enumerate(first.resources)
    )
    backup = tuple(
        replace(item, capability=np.concatenate([case.backup[k].capability for case in cases], axis=1))
        for k, item in enumerate(first.backup)
    )
    years = sum(case.years for case in cases)
    return replace(first, years=years, resources=resources, backup=backup, **series)  # type: ignore[arg-type]
