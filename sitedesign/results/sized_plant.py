"""A plant as the optimiser sized it, without a dispatch: enough to finance it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sitedesign.case.build import StudyCase
from sitedesign.case.case import Case
from sitedesign.case.dispatch import by_flow
from sitedesign.case.plant import Plant, slowest_lead
from sitedesign.results.accounting import plant_costs, project_costs
from sitedesign.results.evaluation import CostItem
from sitedesign.results.flows import EnergyFlow


class Financed(Protocol):
    """What a project needs to know of a plant; an evaluation knows it, and so does a sized plant."""

    @property
    def costs(self) -> Sequence[CostItem]: ...  # noqa: D102
    @property
    def project_costs(self) -> Sequence[CostItem]: ...  # noqa: D102
    @property
    def flows(self) -> Sequence[EnergyFlow]: ...  # noqa: D102
    @property
    def energy_mwh_per_yr(self) -> Mapping[str, float]: ...  # noqa: D102
    @property
    def imports_mw(self) -> Mapping[str, float]: ...  # noqa: D102
    @property
    def months_to_power(self) -> float: ...  # noqa: D102
    @property
    def served_mwh_per_yr(self) -> float: ...  # noqa: D102
    @property
    def delivered_rack_h_per_yr(self) -> float: ...  # noqa: D102
    @property
    def gpus_per_rack(self) -> int: ...  # noqa: D102


@dataclass(frozen=True)
class SizedPlant:
    """Cost and energy of a plant of an island.

    Attributes
    ----------
    costs, project_costs : list of CostItem
    served_mwh_per_yr, delivered_rack_h_per_yr : float
        [MWh/yr, 1/yr]
    gpus_per_rack : int
    months_to_power : float
        [months]
    energy_mwh_per_yr : dict of str to float
        ``backup``. [MWh/yr]
    flows : list of EnergyFlow
        What the array gives, losses of the battery left out.
    imports_mw : dict of str to float
        None.
    """

    costs: list[CostItem]
    project_costs: list[CostItem]
    served_mwh_per_yr: float
    delivered_rack_h_per_yr: float
    gpus_per_rack: int
    months_to_power: float
    energy_mwh_per_yr: dict[str, float]
    flows: list[EnergyFlow]
    imports_mw: dict[str, float] = field(default_factory=dict)

    @property
    def lcoe_usd_per_mwh(self) -> float:
        """Cost of the power plant per MWh served, spare racks left out. [USD/MWh]"""
        power = sum(item.usd_per_yr for item in self.costs if item.asset != "racks")
        return power / self.served_mwh_per_yr


def sized_plant(
    study_case: StudyCase,
    case: Case,
    plant: Plant,
    level_mwh_per_yr: Sequence[float],
    served_mwh_per_yr: float,
    delivered_rack_h_per_yr: float,
) -> SizedPlant:
    """Put costs on a plant of an island from its energies alone.

    Parameters
    ----------
    study_case : StudyCase
        Its unit costs are taken.
    case : Case
        Its prices of fuel are taken.
    plant : Plant
    level_mwh_per_yr : sequence of float
        Energy at each price of each flow, as the optimiser gives it. [MWh/yr]
    served_mwh_per_yr, delivered_rack_h_per_yr : float
        [MWh/yr, 1/yr]

    Returns
    -------
    SizedPlant
    """
    energies = by_flow(case, list(level_mwh_per_yr))[: len(case.backup)]
    backup = list(zip(case.backup, energies, strict=True))
    running = {
        item.name: sum(mwh * level.usd_per_mwh for mwh, level in zip(energy, item.levels, strict=True))
        for item, energy in backup
    }
    burnt = sum(sum(energy) for _, energy in backup)
    sun = plant.resources_mw[0] * float(case.resources[0].yield_mw_per_mw.sum())
    given = [
        mw * float(r.yield_mw_per_mw.sum()) for r, mw in zip(case.resources, plant.resources_mw, strict=True)
    ]
    share = sun / sum(given) if sum(given) > 0 else 0.0
    solar = EnergyFlow(
        name="solar",
        role="source",
        mw=plant.resources_mw[0],
        mwh_per_yr=max(served_mwh_per_yr - burnt, 0.0) * share,
    )
    return SizedPlant(
        costs=plant_costs(study_case, plant, running),
        project_costs=project_costs(study_case),
        served_mwh_per_yr=served_mwh_per_yr,
        delivered_rack_h_per_yr=delivered_rack_h_per_yr,
        gpus_per_rack=study_case.study.rack.gpus,
        months_to_power=slowest_lead(case, plant)[0],
        energy_mwh_per_yr={"backup": burnt},
        flows=[solar],
    )
