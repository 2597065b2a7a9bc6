"""What a causal operation uses of its permits and other caps, year by year: real hours, starts and fuel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.annual_use import OperatorUse, caps_of, used_of_caps
from sitedesign.case.case import Case
from sitedesign.case.plant import Plant
from sitedesign.operation.operate import SimulatedOperation

FloatArray = NDArray[np.float64]


def burnt_mwh(case: Case, done: SimulatedOperation) -> FloatArray:
    """Fuel at each level of each supply as the energy that it gives at full load, shape (levels, years).

    The energy itself where none is burnt. [MWh]
    """
    levels = [level for item in case.supplies for level in item.levels]
    burnt = done.energy_by_level_mwh[: len(levels)].copy()
    for row, (level, mmbtu) in enumerate(zip(levels, done.fuel_by_level_mmbtu, strict=False)):
        if level.fuel_mmbtu_per_mwh > 0.0:
            burnt[row] = mmbtu / level.fuel_mmbtu_per_mwh
    return burnt


def per_unit(case: Case, plant: Plant, by_unit: NDArray[np.generic]) -> tuple[float, ...]:
    """Mean over the units of each technology, and over the years, of what was counted unit by unit."""
    parts = np.split(np.asarray(by_unit, dtype=np.float64), np.cumsum(plant.units)[:-1])
    return tuple(float(part.mean()) / case.years if part.size else 0.0 for part in parts[: len(case.backup)])


def used_by_year(case: Case, plant: Plant, done: SimulatedOperation) -> FloatArray:
    """Use of each cap in each year, shape (caps, years); hours and starts are those of the mean year."""
    caps = caps_of(case)
    used = np.zeros((len(caps), case.years))
    if not caps:
        return used
    hours, starts = per_unit(case, plant, done.run_h), per_unit(case, plant, done.starts)
    given, burnt = done.energy_by_level_mwh, burnt_mwh(case, done)
    cycles = done.cycled_mwh / plant.battery_mwh if plant.battery_mwh > 0.0 else np.zeros(case.years)
    for year in range(case.years):
        of_year = given[: len(burnt), year].tolist(), burnt[:, year].tolist()
        counted = OperatorUse(starts, done.night_h[:, year].tolist(), float(cycles[year]))
        used[:, year] = used_of_caps(case, *of_year, hours, counted)
    for row, cap in enumerate(caps):
        if cap.own is not None and cap.own.total == "co2_t_per_yr":
            used[row] = done.co2_t
    return used
