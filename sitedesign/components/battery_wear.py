"""Wear of a lithium iron phosphate battery: what it is put through, and the energy it then still holds.

The model is that of BLAST-Lite (National Laboratory of the Rockies), cell ``Lfp_Gr_250AhPrismatic``, fitted
to the tests of https://doi.org/10.1016/j.est.2023.109042: a loss with time ``k_cal t^p`` and a loss with
throughput ``k_cyc n^q``, which add up. ``k_cal`` rises with temperature and charge (through the potential of
graphite), ``k_cyc`` with depth and current. Depths of cycles are counted by rainflow (ASTM E1049-85).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import rainflow
from numpy.typing import NDArray

from sitedesign.library import Battery

FloatArray = NDArray[np.float64]
DAYS_PER_YR = 365.0
_BINS = 20
_KELVIN = 273.15
_HOURS_PER_YR = 8760.0


@dataclass(frozen=True)
class BatteryDuty:
    """What a battery is put through in a mean year.

    Attributes
    ----------
    full_cycles_per_yr : float
        Energy taken from the cells over nameplate energy. [1/yr]
    depth : float
        Of the cycles that rainflow counts, weighted with their energy, as a share of the usable energy.
        [fraction]
    charge_shares : tuple of float
        Share of time in each of twenty equal parts of the usable energy, the empty part first. [fraction]
    cycles : tuple of (float, float)
        Depth and yearly number of the cycles counted, in twenty classes of depth. [fraction, 1/yr]
    """

    full_cycles_per_yr: float
    depth: float
    charge_shares: tuple[float, ...]
    cycles: tuple[tuple[float, float], ...] = ()

    @property
    def mean_charge(self) -> float:
        """Mean share of the usable energy that is stored. [fraction]"""
        return float(np.dot(self.charge_shares, _middles()))


def _middles() -> FloatArray:
    """Middle of each part of the usable energy. [fraction]"""
    middles: FloatArray = (np.arange(_BINS) + 0.5) / _BINS
    return middles


def duty_of(
    stored_mwh: FloatArray, usable_mwh: FloatArray, nameplate_mwh: float, years: float
) -> BatteryDuty | None:
    """Read from a record of operation what a battery is put through.

    Parameters
    ----------
    stored_mwh, usable_mwh : ndarray, shape (T,)
        Energy stored at the end of each step, and what can be stored then. [MWh]
    nameplate_mwh : float
        [MWh]
    years : float
        Length of the record. [yr]

    Returns
    -------
    BatteryDuty or None
        None without a battery.
    """
    if nameplate_mwh <= 0.0 or stored_mwh.size == 0:
        return None
    share = np.clip(stored_mwh / np.maximum(usable_mwh, 1e-12), 0.0, 1.0)
    counts = np.bincount(np.minimum((share * _BINS).astype(np.int64), _BINS - 1), minlength=_BINS)
    taken = float(np.maximum(-np.diff(stored_mwh), 0.0).sum())
    found = np.array([(depth, count) for depth, _, count, _, _ in rainflow.extract_cycles(share)])
    found = found.reshape(-1, 2)
    energy = found[:, 0] * found[:, 1]
    depth = float(energy @ found[:, 0] / energy.sum()) if energy.sum() > 0.0 else 0.0
    number = np.minimum((found[:, 0] * _BINS).astype(np.int64), _BINS - 1)
    in_class = np.bincount(number, weights=found[:, 1], minlength=_BINS) / years
    return BatteryDuty(
        taken / nameplate_mwh / years,
        depth,
        tuple((counts / share.size).tolist()),
        tuple(zip(_middles().tolist(), in_class.tolist(), strict=True)),
    )


def graphite_potential_v(charge: FloatArray) -> FloatArray:
    """Potential of the graphite electrode against lithium at a charge of the cell. [V]

    Safari and Delacourt, J. Electrochem. Soc. 158 (2011) A562, with the stoichiometry of Schimpe et al.,
    J. Electrochem. Soc. 165 (2018) A181.
    """
    x = 8.5e-3 + charge * (0.78 - 8.5e-3)
    potential: FloatArray = (
        0.6379
        + 0.5416 * np.exp(-305.5309 * x)
        + 0.044 * np.tanh(-(x - 0.1958) / 0.1088)
        - 0.1978 * np.tanh((x - 1.0571) / 0.0854)
        - 0.6875 * np.tanh((x + 0.0117) / 0.0529)
        - 0.0175 * np.tanh((x - 0.5692) / 0.0875)
    )
    return potential


def calendar_rate(battery: Battery, duty: BatteryDuty) -> float:
    """Loss after one day at rest: the mean over the time at each charge. [fraction]"""
    kelvin = battery.cell_temperature_c + _KELVIN
    charge = battery.soc_min_fraction + (1.0 - battery.soc_min_fraction) * _middles()
    faster = np.exp(-battery.calendar_potential_k_per_v * graphite_potential_v(charge) / kelvin)
    mean = float(np.dot(duty.charge_shares, faster))
    return battery.calendar_rate * math.exp(-battery.calendar_activation_k / kelvin) * mean


def cycle_rate(battery: Battery, duty: BatteryDuty, held: float) -> float:
    """Loss after one full cycle of a battery that holds a share of its nameplate. [fraction]

    The same energy is a deeper cycle of a battery that holds less.
    """
    kelvin = battery.cell_temperature_c + _KELVIN
    window = battery.usable_fraction_at_check * (1.0 - battery.soc_min_fraction)
    depth = min(duty.depth * window / held, 1.0)
    current = (
        2.0 * duty.full_cycles_per_yr / _HOURS_PER_YR
    )  # mean of both ways, in units of nameplate an hour
    rate = battery.cycle_rate + battery.cycle_rate_per_depth * depth + battery.cycle_rate_per_c * current
    return rate * math.exp(battery.cycle_activation_k / kelvin)


def capacity_by_year(battery: Battery, duty: BatteryDuty, years: int) -> FloatArray:
    """Energy that a battery holds at the end of each year, over nameplate, without anything added.

    Parameters
    ----------
    battery : Battery
    duty : BatteryDuty
        The same in every year.
    years : int

    Returns
    -------
    ndarray, shape (years + 1,)
        From the beginning on, which is 1; not below 0. [fraction]
    """
    per_day, p, q = calendar_rate(battery, duty), battery.calendar_exponent, battery.cycle_exponent
    held, by_cycles = [1.0], 0.0
    for year in range(1, years + 1):
        per_cycle = cycle_rate(battery, duty, max(held[-1], 0.1))
        before = (by_cycles / per_cycle) ** (1.0 / q)  # cycles at this rate that would have lost as much
        by_cycles = per_cycle * (before + duty.full_cycles_per_yr) ** q
        held.append(max(1.0 - per_day * (year * DAYS_PER_YR) ** p - by_cycles, 0.0))
    return np.array(held)


def pooled_capacity(held: FloatArray, added: Sequence[tuple[int, float]], year: int) -> float:
    """Energy that blocks of several ages hold together at the end of a year, over nameplate.

    Parameters
    ----------
    held : ndarray, shape (years + 1,)
        From :func:`capacity_by_year`: every block ages alike from the year in which it is added.
    added : sequence of (int, float)
        Year after which a block was added, and its size over nameplate.
    year : int
    """
    return float(sum(size * held[year - begun] for begun, size in added if begun <= year))
