"""Plants that cost nearly the least and differ, as a user holds them."""

from __future__ import annotations

from typing import Any

import pandas as pd
from pydantic import ConfigDict

from sitedesign.util.facts import Facts, facts
from sitedesign.util.model import Model
from sitedesign.util.words import count, target

#: What each direction is called, and how its end is told.
TITLES = {
    "least_cost": "least cost",
    "most_solar": "most sun",
    "least_solar": "least sun",
    "least_battery": "least battery",
    "fewest_units": "fewest units",
    "soonest": "soonest power",
    "least_co2": "least CO2",
}


class NearPlant(Model):
    """One plant within the cost that was allowed, the furthest in one direction.

    Attributes
    ----------
    name : str
        Direction, for example ``most_solar``; ``least_cost`` is the optimum itself.
    unit : str
        Of `value`.
    value : float
        How far it goes. [unit]
    beyond : float or None
        From here on every plant is proven to cost more than was allowed; None where `value` is the best there
        can be, or nothing is proven. [unit]
    cost_usd_per_yr : float
        With perfect foresight, nothing fails. [USD/yr]
    resources_mw, backup : dict
        [MW by resource], [units by technology]
    battery_mwh, battery_mw : float
        [MWh, MW]
    racks : int
    months_to_power, co2_t_per_yr : float
        [months, t/yr]
    certified_usd_per_yr : float or None
        Cost of the certified plant that is held to go as far, where that was asked for. [USD/yr]
    certified_uptime : float or None
        What that plant keeps at least, at the confidence of its certificate. [fraction]
    reason : str
        Why there is no certified plant.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    unit: str
    value: float
    beyond: float | None
    cost_usd_per_yr: float
    resources_mw: dict[str, float]
    backup: dict[str, int]
    battery_mwh: float
    battery_mw: float
    racks: int
    months_to_power: float
    co2_t_per_yr: float
    certified_usd_per_yr: float | None = None
    certified_uptime: float | None = None
    reason: str = ""

    @property
    def units(self) -> int:
        """Units of backup, all technologies together."""
        return sum(self.backup.values())

    @property
    def plant(self) -> str:
        """What is built, in a line."""
        sun = [
            f"{mw:,.0f} MW {name.replace('_', ' ')}" for name, mw in self.resources_mw.items() if mw >= 0.05
        ]
        store = [f"{self.battery_mwh:,.0f} MWh battery"] if self.battery_mwh >= 0.05 else []
        units = [f"{n} × {name.replace('_', ' ')}" for name, n in self.backup.items() if n]
        return ", ".join([*sun, *store, *units]) or "nothing"


class Alternatives(Model):
    """Plants within a share of the least cost that differ as far as can be.

    Attributes
    ----------
    site_name : str
    within : float
        How much more they may cost. [fraction]
    least : NearPlant
        The optimum.
    plants : tuple of NearPlant

    Examples
    --------
    >>> found = sd.alternatives(study, within=0.02, kinds=["least_battery"])
    >>> found["least_battery"].cost_usd_per_yr <= 1.0201 * found.least.cost_usd_per_yr
    True
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    site_name: str
    within: float
    least: NearPlant
    plants: tuple[NearPlant, ...]

    def __getitem__(self, name: str) -> NearPlant:
        """Plant of a direction, for example ``found["most_solar"]``."""
        return {item.name: item for item in (self.least, *self.plants)}[name]

    @property
    def words(self) -> str:
        """How far things may go, in one line."""
        known = {item.name: item for item in self.plants}
        parts = []
        if "least_solar" in known or "most_solar" in known:
            low = known.get("least_solar", self.least).resources_mw.get("solar", 0.0)
            high = known.get("most_solar", self.least).resources_mw.get("solar", 0.0)
            parts.append(f"{low:,.0f} to {high:,.0f} MWdc of sun")
        if "least_battery" in known:
            parts.append(f"battery from {known['least_battery'].battery_mwh:,.0f} MWh")
        if "fewest_units" in known:
            parts.append(f"from {count(known['fewest_units'].units, 'unit')}")
        if "soonest" in known:
            parts.append(f"power from {known['soonest'].months_to_power:.0f} months")
        if "least_co2" in known:
            parts.append(f"CO2 from {known['least_co2'].co2_t_per_yr:,.0f} t a year")
        return f"for up to {target(self.within)} more: {', '.join(parts)}"

    def table(self) -> pd.DataFrame:
        """One row a plant: how far it goes, what is proven beyond, its cost and its sizes."""
        rows: list[dict[str, Any]] = []
        for item in (self.least, *self.plants):
            row: dict[str, Any] = {"plant": item.name, "value": item.value, "unit": item.unit}
            row |= {"beyond": item.beyond, "cost_usd_per_yr": item.cost_usd_per_yr}
            row |= {"dearer": item.cost_usd_per_yr / self.least.cost_usd_per_yr - 1}
            row |= {f"{name}_mw": mw for name, mw in item.resources_mw.items()}
            row |= {"battery_mwh": item.battery_mwh, "battery_mw": item.battery_mw}
            row |= {f"units_{name}": n for name, n in item.backup.items()}
            row |= {"racks": item.racks, "months_to_power": item.months_to_power}
            row |= {"co2_t_per_yr": item.co2_t_per_yr}
            row |= {"certified_usd_per_yr": item.certified_usd_per_yr}
            row |= {"certified_uptime": item.certified_uptime, "reason": item.reason}
            rows.append(row)
        figures = ["beyond", "certified_usd_per_yr", "certified_uptime"]
        return pd.DataFrame(rows).astype(dict.fromkeys(figures, "float64"))

    @property
    def answer(self) -> Facts:
        """What is printed: a line a plant."""
        head = f"{self.site_name}: plants within {target(self.within)} of the least cost, with foresight"
        return facts(head, [(TITLES[item.name], self._line(item)) for item in (self.least, *self.plants)])

    def _line(self, item: NearPlant) -> str:
        dearer = item.cost_usd_per_yr / self.least.cost_usd_per_yr - 1
        cost = f"{item.cost_usd_per_yr / 1e6:,.2f} M USD a year"
        if item is self.least:
            return f"{item.plant}: {cost}"
        text = f"{item.plant}: {cost} ({dearer * 100:+.1f} %)"
        if item.beyond is not None:
            beyond = f"{item.beyond:,.0f}" if item.beyond >= 100 else f"{item.beyond:.4g}"
            text += f"; at {beyond} {item.unit or 'units'} proven to cost more"
        if item.certified_usd_per_yr is not None and item.certified_uptime is not None:
            text += f"; certified {item.certified_usd_per_yr / 1e6:,.2f} M USD a year"
        return text + (f"; not certified: {item.reason}" if item.reason else "")

    def __repr__(self) -> str:
        return str(self.answer)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return self.answer._repr_html_()

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return self.model_dump(mode="json")
