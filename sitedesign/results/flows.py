"""Energy and money by source and sink: what gives the power, what takes it, and what each costs or earns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from pydantic import ConfigDict

from sitedesign.case.case import Case, FloatArray
from sitedesign.case.dispatch import Dispatch
from sitedesign.case.plant import Plant
from sitedesign.util.model import Model


class EnergyFlow(Model):
    """One source or sink in a mean year.

    Attributes
    ----------
    name : str
        ``solar``, a turbine, ``battery``, a backup technology, an import; or ``load``, a sink.
    role : {"source", "store", "sink"}
    mw : float
        Size; mean power of the load. [MW]
    mwh_per_yr : float
        Given, or taken: of sun and wind what is used, each losing in the same proportion when power is
        curtailed; of a battery what it discharges. [MWh/yr]
    second_fuel_mwh_per_yr : float
        The part of a unit that burns its second fuel. [MWh/yr]
    usd_per_yr : float
        Everything that is spent on it, capital annualised; below zero what it earns. [USD/yr]
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    role: Literal["source", "store", "sink"]
    mw: float
    mwh_per_yr: float
    second_fuel_mwh_per_yr: float = 0.0
    usd_per_yr: float = 0.0

    @property
    def usd_per_mwh(self) -> float:
        """Cost of a MWh that it gives, or takes; 0 where there is none. [USD/MWh]"""
        return self.usd_per_yr / self.mwh_per_yr if self.mwh_per_yr else 0.0


def energy_flows(
    case: Case,
    plant: Plant,
    dispatch: Dispatch,
    given_mw: Sequence[FloatArray],
    spent_usd_per_yr: Mapping[str, float],
    second_fuel_mwh_per_yr: Mapping[str, float],
) -> list[EnergyFlow]:
    """List every source and sink that stands or costs something, the battery and the load.

    With what is spent on racks and on delay, their money adds up to the cost of the plant.

    Parameters
    ----------
    case : Case
    plant : Plant
    dispatch : Dispatch
    given_mw : sequence of ndarray, shape (T,)
        What each resource gives before curtailment. [MW]
    spent_usd_per_yr : mapping of str to float
        By asset. [USD/yr]
    second_fuel_mwh_per_yr : mapping of str to float
        By technology. [MWh/yr]
    """
    scale = case.step_h / case.years
    together = np.sum(given_mw, axis=0)
    curtailed = np.minimum(dispatch.curtailed_mw, together)  # the rest is of units that cannot run lower
    used = 1.0 - np.divide(curtailed, together, out=np.zeros_like(together), where=together > 0.0)
    found = [
        # Added up by one thread: a product of vectors depends on how many there are
        EnergyFlow(name=item.name, role="source", mw=mw, mwh_per_yr=float((given * used).sum()) * scale)
        for item, mw, given in zip(case.resources, plant.resources_mw, given_mw, strict=True)
    ]
    stored = float(dispatch.discharge_mw.sum()) * scale
    found.append(EnergyFlow(name="battery", role="store", mw=plant.battery_mw, mwh_per_yr=stored))
    found += [
        EnergyFlow(
            name=item.name,
            role="source",
            mw=units * item.unit_mw,
            mwh_per_yr=float(mw.sum()) * scale,
            second_fuel_mwh_per_yr=second_fuel_mwh_per_yr.get(item.name, 0.0),
        )
        for item, units, mw in zip(case.backup, plant.units, dispatch.backup_mw, strict=True)
    ]
    found += [
        EnergyFlow(name=item.name, role="source", mw=n * item.unit_mw, mwh_per_yr=float(mw.sum()) * scale)
        for item, n, mw in zip(case.imports, plant.imports, dispatch.imported_mw, strict=True)
    ]
    served = case.load_mw - dispatch.shed_mw
    load = EnergyFlow(
        name="load", role="sink", mw=float(case.load_mw.mean()), mwh_per_yr=float(served.sum()) * scale
    )
    found.append(load)
    found += [
        EnergyFlow(name=item.name, role="sink", mw=n * item.unit_mw, mwh_per_yr=float(mw.sum()) * scale)
        for item, n, mw in zip(case.sinks, plant.sinks, dispatch.sink_mw, strict=True)
    ]
    told = [flow.model_copy(update={"usd_per_yr": spent_usd_per_yr.get(flow.name, 0.0)}) for flow in found]
    return [flow for flow in told if flow.name == load.name or flow.mw > 0.0 or flow.usd_per_yr]
