"""What the planner can be asked: a plant, a plan over months, money, sites, what decides a plant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from sitedesign.finance.terms import Terms
from sitedesign.study.study import Study

Kind = Literal["plant", "roadmap", "finance", "portfolio", "sensitivity"]


@dataclass(frozen=True, eq=False)
class PlantQuestion:
    """Which plant, with or without a connection; `certify` is False for a bound only."""

    kind: ClassVar[Kind] = "plant"
    study: Study
    certify: bool

    @property
    def place(self) -> str:
        """Name of the site."""
        return self.study.site.name

    @property
    def title(self) -> str:
        """What is asked, in a few words."""
        return size_words(self.study)


@dataclass(frozen=True, eq=False)
class RoadmapQuestion:
    """Which power when; `asked` are keywords of :func:`sitedesign.roadmap`."""

    kind: ClassVar[Kind] = "roadmap"
    study: Study
    asked: Mapping[str, Any]

    @property
    def certify(self) -> bool:
        """Whether every stage shall be certified."""
        return bool(self.asked.get("certify"))

    @property
    def place(self) -> str:
        """Name of the site."""
        return self.study.site.name

    @property
    def title(self) -> str:
        """What is asked, in a few words."""
        return f"Roadmap, {size_words(self.study)}"


@dataclass(frozen=True, eq=False)
class FinanceQuestion:
    """What a finished run earns after taxes; `asked` are keywords of :func:`sitedesign.cash_flow`."""

    kind: ClassVar[Kind] = "finance"
    certify: ClassVar[bool] = False
    result: Path
    of: Kind
    of_label: str
    place: str
    asked: Mapping[str, Any]
    terms: Terms
    leaseback_usd_per_yr: float | None = None

    @property
    def title(self) -> str:
        """What is asked, in a few words."""
        return f"Cash flow of {self.of_label}, {str(self.asked['owner']).replace('_', ' ')}"


@dataclass(frozen=True, eq=False)
class PortfolioQuestion:
    """Which of several sites, and how large; `asked` are keywords of :func:`sitedesign.portfolio`."""

    kind: ClassVar[Kind] = "portfolio"
    certify: ClassVar[bool] = False
    study: Study  # asked at every site in place of its own
    sites: tuple[Mapping[str, Any], ...]
    asked: Mapping[str, Any]

    @property
    def place(self) -> str:
        """How many candidates there are."""
        return f"{len(self.sites)} sites"

    @property
    def title(self) -> str:
        """What is asked, in a few words."""
        return f"Portfolio of {self.asked['racks']:,} racks"


@dataclass(frozen=True, eq=False)
class SensitivityQuestion:
    """Which uncertain numbers decide a finished plant.

    `study` is what was asked where it is known: a saved design holds no series of prices.
    """

    kind: ClassVar[Kind] = "sensitivity"
    result: Path
    study: Study | None
    certify: bool  # whether the certified plant is judged again
    of_label: str
    place: str

    @property
    def title(self) -> str:
        """What is asked, in a few words."""
        return f"What decides {self.of_label}"


@dataclass(frozen=True, eq=False)
class StoredQuestion:
    """What a result from a file answered; `title` says it in a few words."""

    certify: ClassVar[bool] = False
    kind: Kind
    place: str
    title: str


Question = (
    StoredQuestion
    | PlantQuestion
    | RoadmapQuestion
    | FinanceQuestion
    | PortfolioQuestion
    | SensitivityQuestion
)


def size_words(study: Study) -> str:
    """Racks and uptime of a study in a few words."""
    uptime = "" if study.uptime is None else f", {study.uptime * 100:.6g} %"
    return f"{study.contracted_racks:,} racks{uptime}"
