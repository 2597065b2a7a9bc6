"""What those who take surplus took and paid."""

from __future__ import annotations

from pydantic import ConfigDict

from sitedesign.case.build import StudyCase
from sitedesign.case.case import NOTHING
from sitedesign.case.dispatch import Dispatch, split_by_level
from sitedesign.case.plant import Plant
from sitedesign.util.model import Model


class SurplusResult(Model):
    """What one of those who take surplus did in a mean year.

    Attributes
    ----------
    name : str
    mw : float
        Power it may take. [MW at the bus]
    racks : int or None
        Where it is racks.
    mwh_per_yr : float
        Energy taken. [MWh/yr]
    full_power_h_per_yr : float
        The same over its power. [h/yr]
    usd_per_yr : float
        What that is worth. [USD/yr]
    capital_usd, cost_usd_per_yr, upkeep_usd_per_yr : float
        What it costs to have it there, and what of it is paid every year. [USD, USD/yr, USD/yr]
    life_yr : float
        After which it is bought again. [yr]
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    mw: float
    racks: int | None
    mwh_per_yr: float
    full_power_h_per_yr: float
    usd_per_yr: float
    capital_usd: float
    cost_usd_per_yr: float
    upkeep_usd_per_yr: float
    life_yr: float

    def line(self) -> tuple[str, str]:
        """Label and text for a summary."""
        size = f"{self.mw:,.1f} MW" if self.racks is None else f"{self.racks:,} racks, {self.mw:,.1f} MW"
        taken = f"{self.mwh_per_yr:,.0f} MWh/yr taken, {self.full_power_h_per_yr:,.0f} h/yr at full power"
        worth = f"worth {self.usd_per_yr / 1e6:,.3f} M USD/yr for {self.cost_usd_per_yr / 1e6:,.3f}"
        return self.name, f"{size}, {taken}, {worth}"


def surplus_results(study_case: StudyCase, plant: Plant, dispatch: Dispatch) -> list[SurplusResult]:
    """Account for all who may take surplus, in the order of the study.

    Parameters
    ----------
    study_case : StudyCase
    plant : Plant
    dispatch : Dispatch
        In calendar order.
    """
    case, first = study_case.case, len(study_case.case.sinks) - len(study_case.surplus)
    found = []
    sizes = zip(study_case.surplus, case.sinks[first:], plant.sinks[first:], strict=True)
    for (one, sink, units), taken_mw in zip(sizes, dispatch.sink_mw[first:], strict=True):
        mw, energy = units * sink.unit_mw, split_by_level(case, sink, taken_mw)
        found.append(
            SurplusResult(
                name=sink.name,
                mw=mw,
                racks=None if one.asked.racks is None else round(units),
                mwh_per_yr=sum(energy),
                full_power_h_per_yr=sum(energy) / mw if mw > NOTHING else 0.0,
                usd_per_yr=sum(
                    level.usd_per_mwh * mwh for level, mwh in zip(sink.levels, energy, strict=True)
                ),
                capital_usd=units * one.cost.capital_usd,
                cost_usd_per_yr=units * one.cost.total_usd_per_yr,
                upkeep_usd_per_yr=units * one.cost.fixed_usd_per_yr,
                life_yr=one.cost.life_yr,
            )
        )
    return found
