"""What can fail and how often, every cause with its switch.

The rates come from library entries; :mod:`sitedesign.operation.outages.sampling` draws the moments of
failure.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sitedesign.operation.forecast import Climatology

if TYPE_CHECKING:  # a process that only compiles loads no library
    from sitedesign.library import Backup, Battery, Facility, Fuel, Pv, Wind

FloatArray = NDArray[np.float64]

Cause = Literal[
    "units", "common_cause", "starts", "common_starts", "planned", "fuel", "cold", "battery", "solar", "wind",
    "site", "grid_calls", "grid_wires",
]  # fmt: skip
#: Everything that can be switched off, in the order in which certificates list it.
CAUSES: tuple[Cause, ...] = get_args(Cause)

# What an event changes; the numbers are read by the simulation.
UNIT, TECHNOLOGY, FUEL, BATTERY_BLOCK, BATTERY, SOLAR_BLOCK, SITE, WIND_UNIT = range(8)
#: Blocks that a farm is taken as at most: of more turbines, several fail together.
MOST_BLOCKS = 32


@dataclass(frozen=True)
class UnitOutages:
    """Failure rates of one backup technology; see :class:`sitedesign.library.Backup` for the fields.

    `maintenance_weeks` are weeks of the year in which units are out one after the other, in place of a share.
    """

    name: str
    fuel: str
    forced_outage_rate: float
    mttr_h: float
    forced_outage_by_temp_c: tuple[tuple[float, float], ...] | None = None
    planned_outage_fraction: float = 0.0
    common_cause_beta_run: float = 0.0
    common_cause_mttr_h: float = 12.0
    common_cause_lethal_fraction: float = 1.0
    common_cause_coupling_fraction: float = 1.0
    maintenance_weeks: tuple[int, ...] = ()


@dataclass(frozen=True)
class FuelOutages:
    """Supply interruptions of one fuel; see :class:`sitedesign.library.Fuel`.

    Attributes
    ----------
    name : str
    interruption_events_per_yr, interruption_h : float
        At any time. [1/yr, h]
    cold_event_per_yr, cold_event_h : float
        In extreme cold, at a site that knows it. [1/yr, h]
    cold_quantile, cold_limit_c : float
        A day is extremely cold when its mean temperature is below this quantile of the site's days, for which
        the region's supply is built, and below a limit above which nothing freezes off anywhere.
        [fraction, degrees C]
    """

    name: str
    interruption_events_per_yr: float = 0.0
    interruption_h: float = 12.0
    cold_event_per_yr: float = 0.0
    cold_event_h: float = 48.0
    cold_quantile: float = 0.01
    cold_limit_c: float = -5.0


@dataclass(frozen=True)
class BlockOutages:
    """Equal blocks that fail one by one, and all together at `common_outage_rate`."""

    blocks: int = 1
    forced_outage_rate: float = 0.0
    mttr_h: float = 24.0
    common_outage_rate: float = 0.0


@dataclass(frozen=True)
class FarmOutages:
    """Failures of the turbines of one wind farm, and ice that stops all of them.

    Attributes
    ----------
    resource : int
        Row of the farm in ``Case.resources``.
    name : str
    unit_mw : float
        Of one turbine. [MW]
    availability : float
        Mean share of the turbines that work, without ice; the case's yield already contains it. [fraction]
    mttr_h : float
        [h]
    icing_below_c, icing_per_cold_day, icing_h : float
        A day is cold when its mean temperature is below; the chance that ice then stops the farm, and the
        mean length. The case's yield contains the mean loss. [degrees C, fraction, h]
    """

    resource: int
    name: str
    unit_mw: float
    availability: float = 1.0
    mttr_h: float = 72.0
    icing_below_c: float = 0.0
    icing_per_cold_day: float = 0.0
    icing_h: float = 24.0

    def blocks(self, mw: float) -> int:
        """Give the parts of a farm of such a size that fail alone: turbines, or groups of them."""
        return min(max(math.ceil(mw / self.unit_mw - 1e-6), 1), MOST_BLOCKS)

    def iced_share(self, usual: Climatology) -> float:
        """Share of a usual year in which ice stops the farm. [fraction]"""
        covered = 1.0 - math.exp(-self.icing_per_cold_day * self.icing_h / 24.0)
        return usual.share_below(self.icing_below_c) * covered


@dataclass(frozen=True)
class OutageModel:
    """Every rate of failure of a plant, each cause with its switch.

    Attributes
    ----------
    units : tuple of UnitOutages
        In the order of ``Case.backup``.
    fuels : tuple of FuelOutages
    battery, solar : BlockOutages
    site_events_per_yr, site_event_h : float
        Faults that stop the whole site. [1/yr, h]
    solar_mean_availability : float
        Mean availability that the case's solar yield already contains; taken out again where blocks are
        sampled. [fraction]
    farms : tuple of FarmOutages
        In the order of the case's wind farms.
    called_h_per_yr, wires_h_per_yr : float
        Hours in which the grid's calls and broken wires are to be expected; when they come is drawn with the
        weather years (:class:`sitedesign.reliability.weather_blocks.WeatherBlock`). [h/yr]
    off : frozenset of str
        Causes that do not happen, out of :data:`CAUSES`.
    """

    units: tuple[UnitOutages, ...] = ()
    fuels: tuple[FuelOutages, ...] = ()
    battery: BlockOutages = BlockOutages()
    solar: BlockOutages = BlockOutages()
    site_events_per_yr: float = 0.0
    site_event_h: float = 4.0
    solar_mean_availability: float = 1.0
    farms: tuple[FarmOutages, ...] = ()
    called_h_per_yr: float = 0.0
    wires_h_per_yr: float = 0.0
    off: frozenset[str] = frozenset()

    @staticmethod
    def from_library(
        backup: Sequence[Backup],
        fuels: Mapping[str, Fuel],
        battery: Battery,
        pv: Pv,
        facility: Facility,
        wind: Sequence[Wind] = (),
    ) -> OutageModel:
        """Take every rate from library entries.

        Parameters
        ----------
        backup : sequence of Backup
            In the order of the case.
        fuels : mapping of name to Fuel
            With an entry for each ``Backup.fuel``.
        battery, pv, facility : Battery, Pv, Facility
        wind : sequence of Wind
            In the order of the case, whose first resource is the array.
        """
        names = sorted({item.fuel for item in backup})
        return OutageModel(
            units=tuple(
                UnitOutages(
                    name=item.name,
                    fuel=item.fuel,
                    forced_outage_rate=item.forced_outage_rate,
                    mttr_h=item.mttr_h,
                    forced_outage_by_temp_c=item.forced_outage_by_temp_c,
                    planned_outage_fraction=item.planned_outage_fraction,
                    common_cause_beta_run=item.common_cause_beta_run,
                    common_cause_mttr_h=item.common_cause_mttr_h,
                    common_cause_lethal_fraction=item.common_cause_lethal_fraction,
                    common_cause_coupling_fraction=item.common_cause_coupling_fraction,
                )
                for item in backup
            ),
            fuels=tuple(
                FuelOutages(
                    name=name,
                    interruption_events_per_yr=fuels[name].interruption_events_per_yr,
                    interruption_h=fuels[name].interruption_h,
                    cold_event_per_yr=fuels[name].cold_event_per_yr,
                    cold_event_h=fuels[name].cold_event_h,
                    cold_quantile=fuels[name].cold_quantile,
                    cold_limit_c=fuels[name].cold_limit_c,
                )
                for name in names
            ),
            battery=BlockOutages(
                battery.blocks, battery.forced_outage_rate, battery.mttr_h, battery.common_outage_rate
            ),
            solar=BlockOutages(pv.blocks, pv.block_forced_outage_rate, pv.block_mttr_h),
            site_events_per_yr=facility.site_shock_events_per_yr,
            site_event_h=facility.site_shock_h,
            solar_mean_availability=pv.availability,
            farms=tuple(
                FarmOutages(
                    resource=row,
                    name=item.name,
                    unit_mw=item.unit_mw,
                    availability=item.availability,
                    mttr_h=item.mttr_h,
                    icing_below_c=item.icing_below_c,
                    icing_per_cold_day=item.icing_events_per_cold_day,
                    icing_h=item.icing_event_h,
                )
                for row, item in enumerate(wind, start=1)
            ),
        )

    def without(self, *causes: str) -> OutageModel:
        """Switch causes off; all others keep their moments of failure."""
        return replace(self, off=self.off | frozenset(causes))

    def has(self, cause: str) -> bool:
        """Whether a cause happens at all: it is not switched off and some rate of it is positive."""
        return cause not in self.off and cause in self._rated

    @cached_property
    def _rated(self) -> frozenset[str]:
        """Causes of which some rate is positive."""
        rates = {
            "units": [u.forced_outage_rate for u in self.units],
            "starts": [1.0],  # the probabilities live with the behaviour of the units
            "common_starts": [1.0],
            "planned": [u.planned_outage_fraction + len(u.maintenance_weeks) for u in self.units],
            "common_cause": [u.common_cause_beta_run * u.forced_outage_rate for u in self.units],
            "fuel": [f.interruption_events_per_yr for f in self.fuels],
            "cold": [f.cold_event_per_yr for f in self.fuels],
            "battery": [self.battery.forced_outage_rate, self.battery.common_outage_rate],
            "solar": [self.solar.forced_outage_rate],
            "wind": [1.0 - farm.availability + farm.icing_per_cold_day for farm in self.farms],
            "site": [self.site_events_per_yr],
            "grid_calls": [self.called_h_per_yr],
            "grid_wires": [self.wires_h_per_yr],
        }
        return frozenset(cause for cause, given in rates.items() if max(given, default=0.0) > 0)


@dataclass(frozen=True, eq=False)
class OutageSample:
    """Changes of state in order of time; a component is down while its changes add up to more than zero.

    Attributes
    ----------
    step, kind, index, change : ndarray, shape (events,)
        Step from which the change holds; what changes (``UNIT`` and so on); which one (unit number counted
        over all technologies, technology, fuel, or resource); +1 down, -1 up again, and as many blocks as
        a wind farm has when ice stops it: more may then be down than there are.
    battery_blocks, solar_blocks : int
    solar_scale : float
        Factor on the case's solar yield when every block works. [fraction]
    start_keys : ndarray of uint64, shape (units + technologies,)
        Keys of the streams of start failures, units first; all zero keys mean starts never fail.
    single_starts, common_starts : bool
        Whether starts fail one by one, and whether they fail all together.
    wind_blocks, wind_scale : tuple of float
        Blocks of each resource, up to the last wind farm, and the factor on its yield when every block works;
        1 for what is no farm. [1, fraction]
    cause : ndarray of int, shape (events,)
        Place in :data:`CAUSES` of what brings each change about; empty where that was not kept.
    """

    step: NDArray[np.int64]
    kind: NDArray[np.int8]
    index: NDArray[np.int16]
    change: NDArray[np.int8]
    battery_blocks: int
    solar_blocks: int
    solar_scale: float
    start_keys: NDArray[np.uint64]
    single_starts: bool = True
    common_starts: bool = True
    wind_blocks: tuple[float, ...] = ()
    wind_scale: tuple[float, ...] = ()
    cause: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))

    def without(self, off: Collection[str]) -> OutageSample:
        """Leave out what some causes bring about: the sample of a model in which they are switched off."""
        rest = ~self.brought_by(off)
        return replace(
            self,
            step=self.step[rest],
            kind=self.kind[rest],
            index=self.index[rest],
            change=self.change[rest],
            cause=self.cause[rest],
            single_starts=self.single_starts and "starts" not in off,
            common_starts=self.common_starts and "common_starts" not in off,
        )

    def on_longer_steps(self, times: int) -> OutageSample:
        """Count steps that last so many times as long: a change holds from the one on that it falls in."""
        return replace(self, step=self.step // times)

    def brought_by(self, causes: Collection[str]) -> NDArray[np.bool_]:
        """Say of each change whether one of some causes brings it about."""
        found: NDArray[np.bool_] = np.array([cause in causes for cause in CAUSES])[self.cause]
        return found


@dataclass(frozen=True, eq=False)
class OutageConditions:
    """What outages depend on besides chance: clock and temperature of a run of weather years.

    Attributes
    ----------
    step_h : float
        [h]
    years, first_year : int
        Number of weather years, and the number of the first one (part of every random key).
    temp_air_c : ndarray, shape (T,)
        [degrees C]
    climatology : Climatology
        Gives the cold-day limit and the sunny season; fixed before the years are seen.
    hazards : dict
        Failures of one unit of a technology, cumulated over the steps: found once for all draws.
    """

    step_h: float
    years: int
    first_year: int
    temp_air_c: FloatArray
    climatology: Climatology
    hazards: dict[UnitOutages, FloatArray] = field(init=False, default_factory=dict, repr=False)

    @property
    def steps(self) -> int:
        """Number of steps."""
        return int(self.temp_air_c.size)

    @cached_property
    def daily_temp_c(self) -> FloatArray:
        """Mean temperature of each day. [degrees C]"""
        daily: FloatArray = self.temp_air_c.reshape(-1, round(24 / self.step_h)).mean(axis=1)
        return daily
