"""What a plant keeps at each age: uptime by year of life, and the first year in which it does not hold."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from sitedesign.reliability.estimate import Estimate
from sitedesign.util.html_table import table_html


@dataclass(frozen=True)
class AtAge:
    """A plant at one age.

    Attributes
    ----------
    age_years : float
        [yr]
    uptime : Estimate
    met : bool
        At the confidence asked for.
    limits_broken : tuple of str
        Limits on totals of the year that are then not kept.
    array_share, battery_share, load_share : float
        Yield of the array over that of a new one, energy that the battery holds over nameplate, load over
        that of the first year. [fraction]
    backup_mwh_per_yr : float
        [MWh/yr]
    """

    age_years: float
    uptime: Estimate
    met: bool
    limits_broken: tuple[str, ...]
    array_share: float
    battery_share: float
    load_share: float
    backup_mwh_per_yr: float

    @property
    def holds(self) -> bool:
        """Whether target and limits are kept."""
        return self.met and not self.limits_broken

    def words(self, target: float) -> str:
        """Say what holds, or what does not and what has worn or grown by then."""
        worn = (
            f"array {self.array_share:.1%} of new, battery {self.battery_share:.1%} of nameplate, "
            f"load {self.load_share:.1%} of the first year"
        )
        if self.holds:
            return f"year {self.age_years:g}: holds, {self.uptime} ({worn})"
        missed = [] if self.met else [f"uptime {self.uptime} does not clear {target:g}"]
        return f"year {self.age_years:g}: NOT held: {'; '.join([*missed, *self.limits_broken])} ({worn})"


@dataclass(frozen=True)
class PlantLife:
    """A plant through its life.

    Attributes
    ----------
    target : float
        [fraction]
    ages : tuple of AtAge
        In order of age.

    Examples
    --------
    >>> life = sd.plant_life(design, ages=(1, 20), years=4, draws=1)
    >>> life.table()["age_years"].tolist()
    [1.0, 20.0]
    """

    target: float
    ages: tuple[AtAge, ...]

    @property
    def worst(self) -> AtAge:
        """Age at which least uptime is kept."""
        return min(self.ages, key=lambda item: item.uptime.value)

    @property
    def holds_until(self) -> float | None:
        """Last age looked at up to which every one holds; None where the first does not. [yr]"""
        until = None
        for item in self.ages:
            if not item.holds:
                break
            until = item.age_years
        return until

    def table(self) -> pd.DataFrame:
        """One row an age."""
        rows = [
            {
                "age_years": item.age_years,
                "uptime": item.uptime.value,
                "standard_error": item.uptime.standard_error,
                "met": item.met,
                "limits_broken": "; ".join(item.limits_broken),
                "array_share": item.array_share,
                "battery_share": item.battery_share,
                "load_share": item.load_share,
                "backup_mwh_per_yr": item.backup_mwh_per_yr,
            }
            for item in self.ages
        ]
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        """Verdict, then a line an age."""
        failing = next((item for item in self.ages if not item.holds), None)
        verdict = f"holds at every age up to {self.ages[-1].age_years:g} years"
        if failing is not None:
            verdict = f"does not hold in year {failing.age_years:g}"
        return "\n".join([verdict, *(item.words(self.target) for item in self.ages)])

    def _repr_html_(self) -> str:
        rows = [(f"year {item.age_years:g}", item.words(self.target)) for item in self.ages]
        return table_html("Life of the plant", rows)
