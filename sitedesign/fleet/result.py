"""Portfolio: the sites that are built, how large each is, what all of it costs and what is proven."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import pandas as pd
from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from sitedesign.api.design import Design
from sitedesign.batch.map import write_map
from sitedesign.errors import InputError
from sitedesign.util.gate import File, Kind, takes
from sitedesign.util.html_table import table_html
from sitedesign.util.json_file import content_of, read_json, readable, write_json
from sitedesign.util.validation import faults_of

FORMAT = "sitedesign-portfolio-1"
#: Column of the map: racks of the sites that are built.
CHOSEN = "racks_chosen"
_SAVED = File((".json",))
_MAPPING = Kind((Mapping,), "must be a mapping, as to_dict() gives it")


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class ChosenSite(_Row):
    """One site of a portfolio.

    Attributes
    ----------
    name, region : str
    latitude, longitude : float
        [degrees]
    racks : int
    it_mw : float
        [MW]
    cost_usd_per_yr : float
        Plant, hall, land, staff and what the site costs whatever its size; without the contracted racks.
        [USD/yr]
    rack_usd_per_yr : float
        That for each rack. [USD/yr]
    months_to_power : float
        Longer waits of large loads included. [months]
    exact : bool
        Whether the site was solved again at this size.
    key : str
        Of its row in the batch; empty where there is none.
    """

    name: str
    region: str
    latitude: float
    longitude: float
    racks: int
    it_mw: float
    cost_usd_per_yr: float
    rack_usd_per_yr: float
    months_to_power: float
    exact: bool
    key: str = ""


class RegionShare(_Row):
    """What stands in one region.

    Attributes
    ----------
    region : str
    candidates, sites, racks : int
        With a design; built; on them.
    price_usd_per_yr : float or None
        Shadow price: what one more rack there would cost; None where nothing is built. [USD/yr]
    """

    region: str
    candidates: int
    sites: int
    racks: int
    price_usd_per_yr: float | None


class SitesAndCost(_Row):
    """Least cost with at most so many sites.

    Attributes
    ----------
    most_sites : int
    sites : int or None
        Built; None where so few cannot hold the racks.
    cost_usd_per_yr : float or None
        By the curves of the sites. [USD/yr]
    """

    most_sites: int
    sites: int | None
    cost_usd_per_yr: float | None


class Portfolio(_Row):
    """Sites that together hold some racks at least cost.

    Attributes
    ----------
    racks : int
        On all sites.
    candidates : int
        Sites that had a design.
    sites : tuple of ChosenSite
        The largest first.
    cost_usd_per_yr : float
        Of all sites, without the contracted racks, which cost the same anywhere. [USD/yr]
    bound_usd_per_yr : float
        Below which no choice lies, by the costs of the sites as they are known. [USD/yr]
    rack_price_usd_per_yr : float
        Shadow price: what one more rack would cost. [USD/yr]
    regions : tuple of RegionShare
    by_sites : tuple of SitesAndCost
        One large or several small.
    rounds : int
        In which chosen sites were solved again; 0 where none was.
    asked : dict
        What was asked beside the candidates.
    notes : tuple of str

    Examples
    --------
    >>> fleet = sd.portfolio(sites, study, racks=30, least_racks=10, exact=False)
    >>> fleet.racks
    30
    """

    racks: int
    candidates: int
    sites: tuple[ChosenSite, ...]
    cost_usd_per_yr: float
    bound_usd_per_yr: float
    rack_price_usd_per_yr: float
    regions: tuple[RegionShare, ...]
    by_sites: tuple[SitesAndCost, ...]
    rounds: int
    asked: dict[str, Any]
    notes: tuple[str, ...]
    _frame: pd.DataFrame | None = PrivateAttr(default=None)
    _designs: dict[str, Design] = PrivateAttr(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        """Compare what is saved: candidates and designs stay out."""
        return isinstance(other, Portfolio) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    @property
    def gap(self) -> float:
        """Gap to the bound. [fraction]"""
        return 1.0 - self.bound_usd_per_yr / self.cost_usd_per_yr

    @property
    def rack_usd_per_yr(self) -> float:
        """Mean cost of a rack's place. [USD/yr]"""
        return self.cost_usd_per_yr / self.racks

    @property
    def designs(self) -> dict[str, Design]:
        """Designs of the sites that were solved again, by name; a portfolio from a file has none."""
        return dict(self._designs)

    def table(self) -> pd.DataFrame:
        """Show one row a site, the largest first."""
        return pd.DataFrame([item.model_dump() for item in self.sites])

    def timetable(self) -> pd.DataFrame:
        """Show which site comes first: one row a month in which sites get power.

        Returns
        -------
        DataFrame
            Indexed by ``month`` from the order on: ``sites`` by name, ``racks`` that start, ``racks_running``
            from then on, and ``racks_asked`` by the ramp (0 where none was asked). Sites whose date is not
            known come last, in month NaN.
        """
        table = self.table().groupby("months_to_power", dropna=False)
        rows = pd.DataFrame({"sites": table["name"].agg(", ".join), "racks": table["racks"].sum()})
        rows["racks_running"] = rows["racks"].cumsum()
        steps = self.asked.get("ramp", [])
        asked = [
            max((racks for begins, racks in steps if begins <= month), default=0) for month in rows.index
        ]
        return rows.assign(racks_asked=asked).rename_axis("month")

    def region_table(self) -> pd.DataFrame:
        """Show one row a region: candidates, sites, racks, shadow price of a rack. [USD/yr]"""
        return pd.DataFrame([item.model_dump() for item in self.regions])

    def sites_table(self) -> pd.DataFrame:
        """Show cost against the number of sites. [USD/yr]"""
        return pd.DataFrame([item.model_dump() for item in self.by_sites])

    @takes("write_map()", path=File((".html", ".htm")))
    def write_map(self, path: str | Path) -> Path:
        """Draw the candidates on a map, with rings around the sites that are built.

        A portfolio that was read from a file draws the built sites alone.

        Parameters
        ----------
        path : path
            HTML file to write; it needs no network.

        Returns
        -------
        Path
        """
        title = f"{len(self.sites)} sites for {self.racks:,} racks"
        if self._frame is not None:
            return write_map(self._frame, path, title=title)
        alone = self.table().rename(columns={"racks": CHOSEN})
        return write_map(alone.assign(status="solved", error=None), path, title=title)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the candidates and designs, ready for JSON."""
        return {"format": FORMAT, **self.model_dump(mode="json")}

    @classmethod
    @takes("Portfolio.from_dict()", data=_MAPPING)
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` gives.

        Parameters
        ----------
        data : mapping

        Raises
        ------
        InputError
            If it is none of this version's.
        """
        content = content_of(data, FORMAT, "Portfolio")
        try:
            return readable(cls(**content), "Portfolio")
        except ValidationError as error:
            faults = faults_of(error, "portfolio", cls.model_fields)
            raise InputError(faults, "Portfolio.from_dict()") from None

    @takes("Portfolio.save()", path=_SAVED)
    def save(self, path: str | Path) -> Path:
        """Write it as JSON.

        Parameters
        ----------
        path : path

        Returns
        -------
        Path
        """
        return write_json(path, self.to_dict(), "Portfolio")

    @classmethod
    @takes("Portfolio.load()", path=_SAVED)
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote.

        Parameters
        ----------
        path : path

        Raises
        ------
        InputError
            If it is not such a file.
        """
        return cls.from_dict(read_json(path, "Portfolio"))

    def _lines(self) -> list[tuple[str, str]]:
        cost, each = self.cost_usd_per_yr / 1e6, self.rack_usd_per_yr / 1e3
        exact = sum(item.exact for item in self.sites)
        rows = [
            ("racks", f"{self.racks:,} on {len(self.sites)} of {self.candidates:,} candidate sites"),
            ("cost", f"{cost:,.2f} M USD/yr, {each:,.1f} k USD/yr a rack; racks themselves not counted"),
            ("proven", f"within {max(self.gap, 0.0):.2%} of the best choice by the costs of the sites"),
            ("one more rack", f"{self.rack_price_usd_per_yr / 1e3:,.1f} k USD/yr"),
            ("solved again", f"{exact} of {len(self.sites)} sites, in {self.rounds} rounds"),
        ]
        first = self.timetable()
        running = zip(first.index.tolist(), first["racks_running"].tolist(), strict=True)
        dates = ", ".join(f"{racks:,} {_when(month)}" for month, racks in running)
        rows.append(("racks with power", dates))
        for item in self.sites:
            place = (
                f"{item.racks:,} racks, {item.it_mw:,.0f} MW, {item.rack_usd_per_yr / 1e3:,.1f} k USD/yr each"
            )
            rows.append((item.name, f"{item.region}: {place}, {_when(item.months_to_power)}"))
        return rows

    def __str__(self) -> str:
        """Say in a few lines what is built and what it costs."""
        lines = [f"  {label:<24} {text}" for label, text in self._lines()]
        return "\n".join(["Portfolio", *lines, *(f"  note: {note}" for note in self.notes)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return table_html("Portfolio", self._lines())


def _when(month: float) -> str:
    return "at a date that is not known" if math.isnan(month) else f"in month {month:.0f}"
