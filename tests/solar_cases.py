"""The array of a case that a test builds by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from sitedesign.case.case import Case, Resource


def array(solar_yield: Any, **changes: Any) -> tuple[Resource, ...]:
    """Resources of a case with an array alone, of round numbers."""
    base = Resource(
        name="solar",
        label="solar array",
        yield_mw_per_mw=np.asarray(solar_yield, dtype=np.float64),
        annual_cost_usd_per_mw=90e3,
        acres_per_mw=6.0,
        lead_months=12.0,
        bounds_mw=(0.0, 5000.0),
    )
    return (dataclasses.replace(base, **changes),)


def limited(case: Case, **limits: Any) -> Case:
    """The case with other limits; `solar_mw` are bounds of the array."""
    solar = {"bounds_mw": limits.pop("solar_mw")} if "solar_mw" in limits else {}
    return dataclasses.replace(case.with_resource(**solar), limits=dataclasses.replace(case.limits, **limits))
