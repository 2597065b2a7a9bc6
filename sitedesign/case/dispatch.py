"""Dispatch: what a plant did in every step, and its energy by source, level of price and class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from sitedesign.case.case import BackupCase, Case, FloatArray, ImportCase, SinkCase


@dataclass(frozen=True, eq=False)
class Dispatch:
    """What a plant did in every step, by an optimiser or by an operator.

    Attributes
    ----------
    curtailed_mw, charge_mw, discharge_mw, shed_mw, stored_mwh : ndarray, shape (T,)
        `curtailed_mw` is all power that nothing takes, also that of units which cannot run any lower;
        `stored_mwh` is the energy at the end of the step. [MW, MWh]
    backup_mw : ndarray, shape (K, T)
        Output per technology.
    lost_compute : ndarray, shape (T,)
        Weighted shed load as a share of the load of the step (the tier weights applied). [fraction]
    import_mw, taken_mw : ndarray, shape (I, T) and (S, T), or None
        Power of each of ``Case.imports``, and what each of ``Case.sinks`` takes; None where there are none.
        [MW]
    lost_by_class : ndarray, shape (C, T), or None
        The part of `lost_compute` that falls on each class. None when the load was shed tier by tier in the
        order of ``Case.tiers``, which says it all (:func:`lost_by_class`), or when there is one class.
        [fraction of the whole load]
    """

    curtailed_mw: FloatArray
    charge_mw: FloatArray
    discharge_mw: FloatArray
    shed_mw: FloatArray
    stored_mwh: FloatArray
    backup_mw: FloatArray
    lost_compute: FloatArray
    lost_by_class: FloatArray | None = None
    import_mw: FloatArray | None = None
    taken_mw: FloatArray | None = None

    @property
    def imported_mw(self) -> FloatArray:
        """Power of every import, in the order of ``Case.imports``. [MW]"""
        return np.zeros((0, self.shed_mw.size)) if self.import_mw is None else self.import_mw

    @property
    def supply_mw(self) -> FloatArray:
        """Power of every supply, in the order of ``Case.supplies``. [MW]"""
        return np.concatenate([self.backup_mw, self.imported_mw])

    @property
    def sink_mw(self) -> FloatArray:
        """Power of every sink, in the order of ``Case.sinks``. [MW]"""
        return np.zeros((0, self.shed_mw.size)) if self.taken_mw is None else self.taken_mw

    def rolled_back(self, first_step: int) -> Dispatch:
        """Put the dispatch of a :func:`~sitedesign.case.years.shift_start` case back in calendar order."""
        series = {item.name: getattr(self, item.name) for item in fields(self)}
        return replace(
            self, **{k: np.roll(v, first_step, axis=-1) for k, v in series.items() if v is not None}
        )


def lost_by_class(case: Case, shed_mw: FloatArray) -> FloatArray:
    """Compute that each class loses when load is shed tier by tier, in the order of ``Case.tiers``.

    Parameters
    ----------
    case : Case
    shed_mw : ndarray, shape (T,)
        [MW]

    Returns
    -------
    ndarray, shape (C, T)
        Weighted shed load as a share of the whole load of the step. [fraction]
    """
    left = np.divide(shed_mw, case.load_mw, out=np.zeros(case.steps), where=case.load_mw > 0)
    lost = np.zeros((len(case.classes), case.steps))
    for tier in case.tiers:
        taken = np.clip(left, 0.0, tier.width)
        lost[tier.load_class] += tier.weight * taken
        left = left - taken
    return lost


def energy_by_level(case: Case, dispatch: Dispatch) -> tuple[float, ...]:
    """Energy that supplies give, then that sinks take, level by level in the order of ``Case.flows``.

    Parameters
    ----------
    case : Case
    dispatch : Dispatch

    Returns
    -------
    tuple of float
        [MWh/yr]
    """
    flows = zip(case.flows, (*dispatch.supply_mw, *dispatch.sink_mw), strict=True)
    return tuple(mwh for item, mw in flows for mwh in split_by_level(case, item, mw))


def split_by_level(
    case: Case, item: BackupCase | ImportCase | SinkCase, power_mw: FloatArray
) -> tuple[float, ...]:
    """Annual energy of one of the flows, split over its levels. [MWh/yr]"""
    always = item.active_level is None
    steps = [slice(None if always and i == 0 else 0) for i in range(len(item.levels))]
    if item.active_level is not None:
        steps = [item.active_level == i for i in range(len(item.levels))]
    return tuple(float(power_mw[chosen].sum()) * case.step_h / case.years for chosen in steps)


def by_flow(case: Case, by_level: Sequence[float]) -> list[tuple[float, ...]]:
    """Cut a list over all levels of all flows into one for each flow."""
    ends = np.cumsum([len(item.levels) for item in case.flows]).tolist()
    return [tuple(by_level[end - len(item.levels) : end]) for item, end in zip(case.flows, ends, strict=True)]


def appetite_mwh(case: Case, sink: SinkCase) -> tuple[float, ...]:
    """Most that a unit of a sink takes a year, level by level. [MWh/yr]"""
    return split_by_level(case, sink, sink.unit_mw * sink.capability[0])
