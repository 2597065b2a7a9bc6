"""The judge of the closed loop: causal cost and uptime of any plant, with common random numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from sitedesign.case import Case, FloatArray, Plant
from sitedesign.certification import Metric, Setting
from sitedesign.reliability.certify import WeatherBlock
from sitedesign.reliability.machine import Controller
from sitedesign.reliability.metrics import totals_of_years
from sitedesign.reliability.operation import Operation, operate
from sitedesign.reliability.outages import OutagePaths, OutageSky, sample_outages
from sitedesign.reliability.replay import fixed_cost_usd_per_yr, rack_shortfall

_MOST_PATHS = 64  # sampled outages kept for plants with the same units


@dataclass(frozen=True)
class Trial:
    """One plant under one controller, judged.

    Attributes
    ----------
    plant : Plant
    controller : Controller
    uptime : float
        By the metric of the search, failures of racks included where the metric counts them. [fraction]
    cost_usd_per_yr : float
        Plant, spare racks, fuel really burnt. [USD/yr]
    excess_mwh_per_yr : float
        Backup energy above the caps of renewable share and CO2. [MWh/yr]
    """

    plant: Plant
    controller: Controller
    uptime: float
    cost_usd_per_yr: float
    excess_mwh_per_yr: float = 0.0

    def meets(self, target: float) -> bool:
        """Whether target and caps are kept."""
        return self.uptime >= target and self.excess_mwh_per_yr <= 0.0


@dataclass(eq=False)
class Judge:
    """Causal cost and uptime of any plant on fixed weather years and fixed random numbers.

    Attributes
    ----------
    blocks : sequence of WeatherBlock
    setting : Setting
    metric : str
    seed : int
        Of outages and forecast errors.
    draws : int
        Draws of outages of each weather year.
    trials : dict
        Every verdict so far.
    """

    blocks: Sequence[WeatherBlock]
    setting: Setting
    metric: Metric
    seed: int
    draws: int = 1
    trials: dict[tuple[Plant, Controller], Trial] = field(default_factory=dict)
    _paths: dict[tuple[object, ...], OutagePaths] = field(default_factory=dict)

    @property
    def case(self) -> Case:
        """Case of the first block: prices, limits and target are the same in all."""
        return self.blocks[0].case

    def trial(self, plant: Plant, controller: Controller) -> Trial:
        """Judge a plant, or remember the verdict."""
        key = (plant, controller)
        if key not in self.trials:
            self.trials[key] = self._judge(plant, controller)
        return self.trials[key]

    def merit(self, target: float, miss_price_usd_per_mwh: float) -> Callable[[Trial], float]:
        """Annual cost plus a price on what is missing from the target and above the caps. [USD/yr]"""
        load = self.case.load_mwh_per_yr

        def merit(trial: Trial) -> float:
            missing = max(0.0, target - trial.uptime) * load + trial.excess_mwh_per_yr
            return trial.cost_usd_per_yr + miss_price_usd_per_mwh * missing

        return merit

    def operate(
        self,
        block: WeatherBlock,
        plant: Plant,
        controller: Controller,
        first_year: int,
        draw: int,
        *,
        record: bool,
    ) -> Operation:
        """Run one block under one draw."""
        return operate(
            block.case,
            plant,
            controller,
            behaviour=self.setting.behaviour,
            forecast=self.setting.forecast,
            usual=self.setting.usual,
            outages=self._outages(block, plant.units, first_year, draw),
            fuels=self.setting.fuels,
            seed=self.seed + 1_000_003 * first_year,
            record=record,
        )

    def _judge(self, plant: Plant, controller: Controller) -> Trial:
        lost = total = operating = 0.0
        energy = np.zeros(len(plant.units))
        years = first_year = 0
        for block in self.blocks:
            case = block.case
            for draw in range(self.draws):
                done = self.operate(block, plant, controller, first_year, draw, record=False)
                table = totals_of_years(
                    case.load_mw, done.shed_mw, done.lost_compute, case.step_h, case.years, first_year
                )
                parts = {"site": (table.short_h, table.hours), "floor": (table.floor_h, table.hours)}
                part, whole = parts.get(self.metric, (table.lost_mwh, table.load_mwh))
                lost, total = lost + float(part.sum()), total + float(whole.sum())
                energy += done.backup_mwh.sum(axis=1)
                operating += float(done.extra_fuel_usd.sum())
                years += case.years
            first_year += block.case.years
        short = 0.0
        if self.metric in ("rack", "compute"):
            short = rack_shortfall(plant.racks, self.case.racks_contracted, self.case.rack_availability)
        operating += float(np.array([item.marginal_cost_usd_per_mwh for item in self.case.backup]) @ energy)
        cost = fixed_cost_usd_per_yr(self.case, plant) + operating / years
        return Trial(
            plant, controller, 1 - lost / total - short, cost, _excess_mwh(self.case, energy / years)
        )

    def _outages(
        self, block: WeatherBlock, units: tuple[int, ...], first_year: int, draw: int
    ) -> OutagePaths:
        key = (first_year, draw, units)
        if key not in self._paths:
            if len(self._paths) >= _MOST_PATHS:
                self._paths.clear()
            case = block.case
            sky = OutageSky(case.step_h, case.years, first_year, block.temp_air_c, self.setting.usual)
            self._paths[key] = sample_outages(self.setting.outages, units, sky, draw, self.seed)
        return self._paths[key]


def _excess_mwh(case: Case, energy_mwh_per_yr: FloatArray) -> float:
    """Backup energy above what the caps on renewable share and CO2 allow. [MWh/yr]"""
    total, excess = float(energy_mwh_per_yr.sum()), 0.0
    if case.limits.min_renewable_share is not None:
        excess = total - (1 - case.limits.min_renewable_share) * case.load_mwh_per_yr
    cap = case.limits.max_co2_t_per_yr
    if cap is not None:
        co2 = float(np.array([item.co2_t_per_mwh for item in case.backup]) @ energy_mwh_per_yr)
        excess = max(excess, total * (1 - cap / co2)) if co2 > cap else excess
    return max(excess, 0.0)
