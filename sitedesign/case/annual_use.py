"""What a year of operation uses of what is limited a year: energy, tonnes, run hours, starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.case import Case
from sitedesign.case.limits import ANNUAL_LIMITS, POLLUTANTS, AnnualLimit, annual_limits, hours_limits

FloatArray = NDArray[np.float64]
_WORDS = {"min_renewable_share": "renewable share", "max_co2_t_per_yr": "CO2"} | {
    f"max_{name}_t_per_yr": word for name, word in POLLUTANTS.items()
}
_POLLUTANT_LIMITS = {name: own for name in POLLUTANTS for own in ANNUAL_LIMITS if name in own.name.split("_")}


@dataclass(frozen=True)
class Cap:
    """Most of one annual total.

    Attributes
    ----------
    label : str
        What it is, in words.
    most : float
        [unit]
    unit : str
    own : AnnualLimit or None
        The limit on a total over all supplies that this is.
    technology : int
        Else which technology's units are meant.
    counts_starts : bool
        Whether it is their starts, and not their hours.
    counts_cycles : bool
        Whether it is what the battery discharges, over nameplate.
    of_cells : bool
        Whether that is counted at the cells and not at the bus.
    """

    label: str
    most: float
    unit: str
    own: AnnualLimit | None = None
    technology: int = -1
    counts_starts: bool = False
    counts_cycles: bool = False
    of_cells: bool = False

    @property
    def of_operator(self) -> bool:
        """Whether only somebody who runs the plant uses any of it: no plan counts it."""
        return self.counts_starts or self.counts_cycles

    @property
    def of_site(self) -> bool:
        """Whether it is a total over all supplies."""
        return self.own is not None

    @property
    def of_energy(self) -> bool:
        """Whether it is a cap on energy given, whatever it was made of: that of the renewable share."""
        return self.own is not None and self.own.at_least


def caps_of(case: Case) -> tuple[Cap, ...]:
    """Every cap on a total of the year that was asked for, in one order everywhere."""
    found = [
        Cap(_WORDS[own.name], own.most(case, given), "MWh/yr" if own.at_least else own.unit, own)
        for own, given in annual_limits(case)
    ]
    found += [
        Cap(f"run hours of a unit of {item.name}", hours, "h/yr", technology=k)
        for k, item, hours in hours_limits(case)
    ]
    found += [
        Cap(f"starts of a unit of {item.name}", item.starts_limit, "/yr", technology=k, counts_starts=True)
        for k, item in enumerate(case.backup)
        if item.starts_limit is not None
    ]
    cycles = case.limits.battery_cycles_per_yr
    if cycles is not None:
        found.append(Cap("full cycles of the battery", cycles, "/yr", counts_cycles=True))
    warranted = case.limits.warranty_cycles_per_yr
    if warranted is not None:
        label = "full cycles of the battery's cells under warranty"
        found.append(Cap(label, warranted, "/yr", counts_cycles=True, of_cells=True))
    return tuple(found)


def emitted_t(case: Case, burnt_mwh: Sequence[float], pollutant: str) -> tuple[float, ...]:
    """Tonnes of a pollutant of each supply.

    Parameters
    ----------
    case : Case
    burnt_mwh : sequence of float
        Fuel burnt at each level of each supply, as the energy that it gives at full load. [MWh/yr]
    pollutant : str
        Of :data:`~sitedesign.case.limits.POLLUTANTS`.

    Returns
    -------
    tuple of float
        [t/yr]
    """
    own, amounts = _POLLUTANT_LIMITS[pollutant], iter(burnt_mwh)
    return tuple(sum(own.per_mwh(level) * next(amounts) for level in item.levels) for item in case.supplies)


def used_of_caps(
    case: Case,
    given_mwh: Sequence[float],
    burnt_mwh: Sequence[float],
    run_h: Sequence[float],
    starts: Sequence[float] | None = None,
    cycles: float = 0.0,
) -> tuple[float, ...]:
    """Count what an operation uses of each cap.

    Parameters
    ----------
    case : Case
    given_mwh : sequence of float
        Energy at each level of each supply. [MWh/yr]
    burnt_mwh : sequence of float
        Fuel at each of them, as the energy that it gives at full load; the energy where none is burnt.
        [MWh/yr]
    run_h : sequence of float
        Hours of a unit of each technology, in the mean over its units. [h/yr]
    starts : sequence of float, optional
        The same of starts; nobody counted them when left out. [1/yr]
    cycles : float
        Full cycles of the battery, at the bus. [1/yr]

    Returns
    -------
    tuple of float
        In the order of :func:`caps_of`.
    """
    levels = [level for item in case.supplies for level in item.levels]
    found = []
    for cap in caps_of(case):
        if cap.own is not None:
            amounts = given_mwh if cap.of_energy else burnt_mwh
            found.append(
                sum(cap.own.per_mwh(level) * mwh for level, mwh in zip(levels, amounts, strict=True))
            )
        elif cap.counts_starts:
            found.append(0.0 if starts is None else starts[cap.technology])
        elif cap.counts_cycles:
            found.append(cycles / case.eta_discharge if cap.of_cells else cycles)
        else:
            found.append(run_h[cap.technology])
    return tuple(found)


def full_load_hours(case: Case, units: Sequence[int], given_mwh: Sequence[float]) -> tuple[float, ...]:
    """Hours at full load of a unit of each technology: never more than hours on. [h/yr]"""
    amounts, hours = iter(given_mwh), []
    for item, count in zip(case.backup, units, strict=True):
        energy = sum(next(amounts) for _ in item.levels)
        hours.append(energy / (item.unit_mw * max(count, 1)))
    return tuple(hours)
