"""What a year of operation uses of what is limited a year: energy, tonnes, run hours, starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.case import Case
from sitedesign.case.limits import ANNUAL_LIMITS, POLLUTANTS, AnnualLimit, annual_limits, hours_limits

FloatArray = NDArray[np.float64]
_WORDS = {"min_renewable_share": "renewable share", "max_co2_t_per_yr": "CO2"} | {
    f"max_{name}_t_per_yr": word for name, word in POLLUTANTS.items()
}
_POLLUTANT_LIMITS = {name: own for name in POLLUTANTS for own in ANNUAL_LIMITS if name in own.name.split("_")}


#: Night in which noise is limited by most ordinances, local standard time. [h of the day]
NIGHT = (22.0, 7.0)
Counts = Literal["total", "run_h", "starts", "night_h", "cycles", "cell_cycles"]


class OperatorUse(NamedTuple):
    """What only somebody who runs a plant counts, in a mean year or in one.

    Attributes
    ----------
    starts : sequence of float
        Of a unit of each technology, in the mean over its units. [1/yr]
    night_h : sequence of float
        Hours at night in which any unit of each technology runs, and last any unit at all. [h/yr]
    cycles : float
        What the battery discharges at the bus, over nameplate. [1/yr]
    """

    starts: Sequence[float]
    night_h: Sequence[float]
    cycles: float = 0.0

    @staticmethod
    def none(case: Case) -> OperatorUse:
        """Nothing of it."""
        return OperatorUse([0.0] * len(case.backup), [0.0] * (len(case.backup) + 1))


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
        Else which technology's units are meant, where it is one.
    counts : str
        Else what: hours or starts of a unit, hours at night in which any runs, what the battery discharges at
        the bus over nameplate, or what is taken from its cells.
    """

    label: str
    most: float
    unit: str
    own: AnnualLimit | None = None
    technology: int = -1
    counts: Counts = "total"

    @property
    def of_operator(self) -> bool:
        """Whether only somebody who runs the plant uses any of it: no plan counts it."""
        return self.counts not in ("total", "run_h")

    @property
    def by_year(self) -> bool:
        """Whether its use is known year by year: units count their hours and starts over all years."""
        return self.counts not in ("run_h", "starts")

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
        Cap(f"run hours of a unit of {item.name}", hours, "h/yr", technology=k, counts="run_h")
        for k, item, hours in hours_limits(case)
    ]
    found += [
        Cap(f"starts of a unit of {item.name}", item.starts_limit, "/yr", technology=k, counts="starts")
        for k, item in enumerate(case.backup)
        if item.starts_limit is not None
    ]
    found += [
        Cap(f"hours of noise of {item.name} at night", most, "h/yr", technology=k, counts="night_h")
        for k, item in enumerate(case.backup)
        if (most := item.night_h_limit) is not None
    ]
    at_night = case.limits.site_night_h
    if at_night is not None:
        found.append(Cap("hours of noise of the site at night", at_night, "h/yr", counts="night_h"))
    cycles = case.limits.battery_cycles_per_yr
    if cycles is not None:
        found.append(Cap("full cycles of the battery", cycles, "/yr", counts="cycles"))
    warranted = case.limits.warranty_cycles_per_yr
    if warranted is not None:
        label = "full cycles of the battery's cells under warranty"
        found.append(Cap(label, warranted, "/yr", counts="cell_cycles"))
    return tuple(found)


def limits_nights(case: Case) -> bool:
    """Whether hours at night are limited, of a technology or of the site."""
    asked = case.limits.site_night_h, *(item.night_h_limit for item in case.backup)
    return any(most is not None for most in asked)


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
    counted: OperatorUse | None = None,
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
    counted : OperatorUse, optional
        Nobody ran the plant when left out.

    Returns
    -------
    tuple of float
        In the order of :func:`caps_of`.
    """
    levels = [level for item in case.supplies for level in item.levels]
    known, found = counted or OperatorUse.none(case), []
    for cap in caps_of(case):
        if cap.own is not None:
            amounts = given_mwh if cap.of_energy else burnt_mwh
            found.append(
                sum(cap.own.per_mwh(level) * mwh for level, mwh in zip(levels, amounts, strict=True))
            )
        elif cap.counts == "run_h":
            found.append(run_h[cap.technology])
        elif cap.counts == "starts":
            found.append(known.starts[cap.technology])
        elif cap.counts == "night_h":
            found.append(known.night_h[cap.technology])  # the last is that of the site
        else:
            at_cells = cap.counts == "cell_cycles"
            found.append(known.cycles / case.eta_discharge if at_cells else known.cycles)
    return tuple(found)


def full_load_hours(case: Case, units: Sequence[int], given_mwh: Sequence[float]) -> tuple[float, ...]:
    """Hours at full load of a unit of each technology: never more than hours on. [h/yr]"""
    amounts, hours = iter(given_mwh), []
    for item, count in zip(case.backup, units, strict=True):
        energy = sum(next(amounts) for _ in item.levels)
        hours.append(energy / (item.unit_mw * max(count, 1)))
    return tuple(hours)
