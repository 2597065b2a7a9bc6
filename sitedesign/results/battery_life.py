"""Life of a battery: capacity by year of use, when energy is added or replaced, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from sitedesign.components.battery_wear import BatteryDuty, capacity_by_year, pooled_capacity
from sitedesign.finance.annual_cost import capital_recovery_factor
from sitedesign.library import Battery, Finance
from sitedesign.util.html_table import table_html

Upkeep = Literal["augment", "replace", "none"]
UPKEEPS: tuple[Upkeep, ...] = ("augment", "replace", "none")


@dataclass(frozen=True)
class BatteryLife:
    """What the operator's use does to a battery, and what keeps it large enough.

    Attributes
    ----------
    nameplate_mwh : float
        [MWh]
    duty : BatteryDuty
        What the battery is put through in a mean year.
    upkeep : str
        ``augment``: energy is added before the year in which less than the plant counts on would be left.
        ``replace``: all of it is bought again before less than the end of life is left. ``none``: nothing.
    counted_on : float
        Share of nameplate that optimum and certificate count on in every year. [fraction]
    held_alone : tuple of float
        Capacity at the end of each year, year 0 first, with nothing added, over nameplate. [fraction]
    held : tuple of float
        The same with what is added or replaced. [fraction]
    added : tuple of (int, float, float)
        Year after which energy is bought, how much and what it costs in today's money. [yr, MWh, USD]
    cost_usd_per_yr : float
        Of what is bought, annualised over the years. [USD/yr]
    paid_usd_per_yr : float
        What the annual cost already holds for it, in the battery's fixed cost. [USD/yr]
    warranty_cycles_per_yr, warranty_full_cycles : float
        Most full cycles of a year, and of all years, under warranty. [1/yr, 1]

    Examples
    --------
    >>> life = sd.battery_life(with_battery)
    >>> life.warranty_kept
    True
    """

    nameplate_mwh: float
    duty: BatteryDuty
    upkeep: Upkeep
    counted_on: float
    held_alone: tuple[float, ...]
    held: tuple[float, ...]
    added: tuple[tuple[int, float, float], ...]
    cost_usd_per_yr: float
    paid_usd_per_yr: float
    warranty_cycles_per_yr: float
    warranty_full_cycles: float

    @property
    def years(self) -> int:
        """Years looked at."""
        return len(self.held) - 1

    @property
    def worst_year(self) -> int:
        """Year at the end of which least is held."""
        return int(np.argmin(self.held[1:])) + 1

    @property
    def holds(self) -> bool:
        """Whether in every year at least as much is held as optimum and certificate count on."""
        return min(self.held) >= self.counted_on - 1e-9

    @property
    def enough_until(self) -> int:
        """Last year at the end of which nothing added would still be enough; 0 for none. [yr]"""
        return next(
            (year - 1 for year, held in enumerate(self.held_alone) if held < self.counted_on), self.years
        )

    @property
    def warranty_kept(self) -> bool:
        """Whether use stays within the warranty, in the mean year and over all years."""
        return (
            self.duty.full_cycles_per_yr <= self.warranty_cycles_per_yr
            and self.duty.full_cycles_per_yr * self.years <= self.warranty_full_cycles
        )

    @property
    def augmentation_yr(self) -> int | None:
        """Year of the first purchase: what ``sd.Terms(augmentation_yr=...)`` takes. None where nothing is."""
        return self.added[0][0] if self.added else None

    def table(self) -> pd.DataFrame:
        """One row a year: capacity with nothing added, with the upkeep, what is bought and its cost."""
        bought = {year: (mwh, usd) for year, mwh, usd in self.added}
        rows = [
            (year, 100 * alone, 100 * held, *bought.get(year, (0.0, 0.0)))
            for year, (alone, held) in enumerate(zip(self.held_alone, self.held, strict=True))
        ]
        columns = ["year", "with_nothing_added_percent", "held_percent", "bought_mwh", "bought_usd"]
        return pd.DataFrame(rows, columns=columns)

    def lines(self) -> list[tuple[str, str]]:
        """Label and text for a summary."""
        duty, alone = self.duty, self.held_alone
        at = ", ".join(f"{alone[year]:.1%} after {year} years" for year in (10, 20) if year <= self.years)
        total = duty.full_cycles_per_yr * self.years
        warranty = "within the warranty" if self.warranty_kept else "BEYOND the warranty"
        bought = "; ".join(f"{mwh:,.0f} MWh after year {year}" for year, mwh, _ in self.added) or "nothing"
        paid = f"of which {self.paid_usd_per_yr / 1e6:,.2f} are in the battery's fixed cost"
        verdict = (
            "held in every year"
            if self.holds
            else f"NOT held: {self.held[self.worst_year]:.1%} in year {self.worst_year}"
        )
        return [
            (
                "use",
                f"{duty.full_cycles_per_yr:,.0f} full cycles a year, {duty.depth:.0%} deep, "
                f"{duty.mean_charge:.0%} full in the mean",
            ),
            ("capacity", f"{at or f'{alone[-1]:.1%} after {self.years} years'} with nothing added"),
            ("counted on", f"{self.counted_on:.1%} of nameplate: {verdict}"),
            ("bought", bought),
            ("cost", f"{self.cost_usd_per_yr / 1e6:,.2f} M USD/yr, {paid}"),
            (
                "warranty",
                f"{duty.full_cycles_per_yr:,.0f} of {self.warranty_cycles_per_yr:,.0f} full cycles a year, "
                f"{total:,.0f} of {self.warranty_full_cycles:,.0f} in {self.years} years: {warranty}",
            ),
        ]

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        """One line a figure."""
        return "\n".join(f"{label}: {text}" for label, text in self.lines())

    def _repr_html_(self) -> str:
        return table_html("Life of the battery", self.lines())


def life_of(
    battery: Battery, finance: Finance, nameplate_mwh: float, duty: BatteryDuty, years: int, upkeep: Upkeep
) -> BatteryLife:
    """Follow a battery through its years.

    Parameters
    ----------
    battery : Battery
    finance : Finance
        For the cost of capital.
    nameplate_mwh : float
        [MWh]
    duty : BatteryDuty
        The same in every year.
    years : int
    upkeep : {'augment', 'replace', 'none'}
    """
    held = capacity_by_year(battery, duty, years)
    least = battery.replaced_below_fraction if upkeep == "replace" else battery.usable_fraction_at_check
    blocks: list[tuple[int, float]] = [(0, 1.0)]
    added: list[tuple[int, float, float]] = []
    for year in range(1, years) if upkeep != "none" else ():
        if pooled_capacity(held, blocks, year + 1) >= least:
            continue
        if upkeep == "replace":
            blocks, more = [(year, 1.0)], 1.0
        else:
            more = 1.0 - pooled_capacity(held, blocks, year)  # up to nameplate again
            blocks.append((year, more))
        price = battery.capex_usd_per_kwh * (1.0 - battery.price_decline_per_yr) ** year
        added.append((year, more * nameplate_mwh, more * nameplate_mwh * 1e3 * price))
    capital = nameplate_mwh * 1e3 * battery.capex_usd_per_kwh
    rate = finance.wacc_power_real
    worth = sum(usd / (1.0 + rate) ** year for year, _, usd in added)
    return BatteryLife(
        nameplate_mwh,
        duty,
        upkeep,
        battery.usable_fraction_at_check,
        tuple(held.tolist()),
        _with_upkeep(held, added, nameplate_mwh, upkeep),
        tuple(added),
        worth * capital_recovery_factor(rate, years),
        battery.augmentation_in_fixed_om_fraction_per_yr * capital,
        battery.warranty_cycles_per_yr,
        battery.warranty_full_cycles,
    )


def _with_upkeep(
    held: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    added: list[tuple[int, float, float]],
    nameplate_mwh: float,
    upkeep: Upkeep,
) -> tuple[float, ...]:
    """Capacity at the end of each year before what is bought then comes in. [fraction]"""
    found = []
    for year in range(len(held)):
        before = [(bought, mwh / nameplate_mwh) for bought, mwh, _ in added if bought < year]
        if upkeep == "replace" and before:
            found.append(float(held[year - before[-1][0]]))
        else:
            found.append(pooled_capacity(held, [(0, 1.0), *before], year))
    return tuple(found)
