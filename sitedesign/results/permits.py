"""What air permits limit, of a plant that was operated or planned: tonnes, hours on, starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sitedesign.case.annual_use import OperatorUse, caps_of, emitted_t, full_load_hours, used_of_caps
from sitedesign.case.case import Case
from sitedesign.case.dispatch import Dispatch, energy_by_level
from sitedesign.case.limits import POLLUTANTS
from sitedesign.case.plant import Plant
from sitedesign.reliability.technology_use import CapUse


class UnitDuty(NamedTuple):
    """Hours on of a unit of each technology, in the mean over its units; what an operator counts. [h/yr]"""

    on_h: tuple[float, ...]
    counted: OperatorUse


def permit_figures(
    case: Case,
    plant: Plant,
    dispatch: Dispatch,
    energy: tuple[Sequence[tuple[float, ...]], Mapping[str, Sequence[float]]],
    duty: UnitDuty | None,
) -> dict[str, Any]:
    """Fields of an evaluation that permits are held against.

    Parameters
    ----------
    case : Case
    plant : Plant
    dispatch : Dispatch
        For what imports give.
    energy : (sequence, mapping)
        Of each backup technology at each of its levels, and the fuel burnt for it by name. [MWh/yr, MMBtu/yr]
    duty : UnitDuty or None
        As units were really run; None where nobody ran any: then hours are those at full load.
    """
    by_level, burnt_mmbtu = energy
    given = [mwh for levels in by_level for mwh in levels]
    burnt = [
        mmbtu / level.fuel_mmbtu_per_mwh if level.fuel_mmbtu_per_mwh > 0.0 else mwh
        for item, levels in zip(case.backup, by_level, strict=True)
        for level, mmbtu, mwh in zip(item.levels, burnt_mmbtu[item.name], levels, strict=True)
    ]
    imported = energy_by_level(case, dispatch)[len(given) : sum(len(item.levels) for item in case.supplies)]
    given, burnt = [*given, *imported], [*burnt, *imported]
    hours = full_load_hours(case, plant.units, given) if duty is None else duty.on_h
    used = used_of_caps(case, given, burnt, hours, None if duty is None else duty.counted)
    names = [item.name for item in case.backup]
    return {
        "pollutants_t_per_yr": {name: sum(emitted_t(case, burnt, name)) for name in POLLUTANTS},
        "on_hours_per_yr": {} if duty is None else dict(zip(names, duty.on_h, strict=True)),
        "starts_per_yr": {} if duty is None else dict(zip(names, duty.counted.starts, strict=True)),
        "capped": [
            CapUse(cap.label, cap.most, value, None, cap.unit)
            for cap, value in zip(caps_of(case), used, strict=True)
            if duty is not None or not cap.of_operator
        ],
    }
