"""Plans that people make by hand: the question of a roadmap with fewer things to choose from."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from sitedesign import library
from sitedesign.case.grid_supply import GRID
from sitedesign.components.lead_times import backup_months
from sitedesign.errors import InfeasibleDesign, InputError, NotProvenOptimal
from sitedesign.library import Backup
from sitedesign.phasing.from_study import BATTERY, SOLAR, Asked, technologies
from sitedesign.results.roadmap import HandMadePlan, Roadmap
from sitedesign.study.limits import Limits
from sitedesign.study.roadmap_inputs import Delivery
from sitedesign.study.study import Study
from sitedesign.util.progress import Progress, silent

WAIT, GAS, SUN = "wait for the grid", "all gas", "solar and battery only"
_GAS = "natural_gas"
_NO_ARRAY = {"solar_mw": 0.0, "battery_mwh": 0.0, "battery_mw": 0.0}
Question = tuple[Study, Asked]


def hand_made_plans(
    study: Study, asked: Asked, solve: Callable[[Study, Asked], Roadmap], progress: Progress = silent
) -> tuple[HandMadePlan, ...]:
    """Solve the three plans that are usually made by hand, by the same function.

    Parameters
    ----------
    study : Study
    asked : Asked
        What the roadmap was asked beside it.
    solve : callable
        Gives the roadmap of a study and what is asked beside it.
    progress : callable
    """
    found = []
    for name, restrict in ((WAIT, waiting), (GAS, all_gas), (SUN, sun_alone)):
        progress(f"planning by hand: {name}")
        question = restrict(study, asked)
        if isinstance(question, str):
            found.append(HandMadePlan(name, reason=question))
            continue
        try:
            found.append(_plan(name, solve(*question)))
        except NotProvenOptimal as error:
            known = error.incumbent
            found.append(HandMadePlan(name, reason=error.message) if known is None else _plan(name, known))
        except InfeasibleDesign as error:
            found.append(HandMadePlan(name, reason=error.reason))
        except InputError as error:
            found.append(HandMadePlan(name, reason=str(error.faults[0])))
    return tuple(found)


def waiting(study: Study, asked: Asked) -> Question | str:
    """Rent nothing, and let nothing be there before the grid; what stands beside it may come with it."""
    if study.grid is None or study.grid.is_absent:
        return "no grid is asked for"
    given = {item.technology: item for item in asked.deliveries}
    of_grid = given.get(GRID)
    months = study.grid.months_to_energise
    if of_grid is not None and of_grid.lead_months is not None:
        months = of_grid.lead_months
    later = [
        _not_before(given.get(name, Delivery(technology=name)), lead, months)
        for name, lead in _leads(study).items()
    ]
    kept = [of_grid] if of_grid is not None else []
    return study, replace(asked, rentals=(), deliveries=(*kept, *later))


def all_gas(study: Study, asked: Asked) -> Question | str:
    """Leave engines and turbines on gas, bought or rented, and nothing else."""
    units = [item for item in study.backup if item.fuel == _GAS]
    own = {item.name: item for item in study.backup}
    rented = [(own.get(r.technology) or library.backup(r.technology), r) for r in asked.rentals]
    rentals = tuple(rental for unit, rental in rented if unit.fuel == _GAS)
    if not units and not rentals:
        return "no gas engine or turbine is asked for"
    changed = study.replace(wind=[], grid=None, backup=units, limits=_limits(study, units, **_NO_ARRAY))
    return changed, replace(_with_known(changed, asked), rentals=rentals)


def sun_alone(study: Study, asked: Asked) -> Question:
    """Leave an array and a battery, and nothing else."""
    changed = study.replace(wind=[], grid=None, backup=[], limits=_limits(study, []))
    return changed, replace(_with_known(changed, asked), rentals=())


def _plan(name: str, found: Roadmap) -> HandMadePlan:
    return HandMadePlan(
        name,
        found.net_present_cost_usd,
        found.value_usd,
        found.first_power_month,
        found.rack_months_idle,
        found.stages,
    )


def _limits(study: Study, units: Sequence[Backup], **fixed: float) -> Limits:
    """Limits of the study without those of what is left out."""
    own = study.limits
    kept = {name: getattr(own, name) for name in own.model_fields_set}
    names = {item.name for item in units}
    kept |= {"units": {name: pair for name, pair in own.units.items() if name in names}, "wind_mw": {}}
    return Limits(**(kept | fixed))


def _with_known(study: Study, asked: Asked) -> Asked:
    """Leave out deliveries of what the study no longer has."""
    known = technologies(study)
    return replace(asked, deliveries=tuple(item for item in asked.deliveries if item.technology in known))


def _not_before(given: Delivery, lead: float, months: float) -> Delivery:
    own = lead if given.lead_months is None else given.lead_months
    return given.replace(lead_months=math.ceil(max(own, months)))


def _leads(study: Study) -> dict[str, float]:
    """Lead time of everything but the grid, by the study's own entries. [months]"""
    schedule = library.schedule()
    found = {SOLAR: study.pv.lead_months, BATTERY: study.battery.lead_months}
    found |= {item.name: item.lead_months for item in study.wind}
    return found | {item.name: backup_months(item, schedule) for item in study.backup}
