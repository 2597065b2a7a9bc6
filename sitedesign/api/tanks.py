"""How large a tank pays: the same plant certified with tanks of several sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import pandas as pd

from sitedesign.api.certify import rule_of
from sitedesign.case.build import build_case
from sitedesign.certified.environment import metric_key
from sitedesign.certified.out_of_sample import assess_on_unseen_years
from sitedesign.errors import Fault, InputError, nearest
from sitedesign.reliability.certificate_plan import CertificatePlan
from sitedesign.reliability.replay import fixed_cost_usd_per_yr
from sitedesign.results.design import Design
from sitedesign.results.saved import plant_of, rebuilt_study
from sitedesign.study.inputs import SEED, TANK_H
from sitedesign.study.study import Study
from sitedesign.util.gate import CALL, TEXT, Kind, Many, Measure, takes
from sitedesign.util.progress import Progress, silent

#: Hours at full load that are tried where none are given.
HOURS = (6.0, 12.0, 24.0, 48.0, 96.0)
#: Of weather and outages on which tanks are compared: those of no search and no certificate.
_SEED = 1907
D = TypeVar("D", bound=Design)


@takes(
    "tank_sizes()",
    design=Kind((Design,), "must be a sitedesign.Design"),
    technology=TEXT,
    hours=Many(TANK_H, "must be a list of hours at full load", 1, 100),
    years=Measure("weather years", 2, 100_000, whole=True),
    draws=Measure("draws", 1, 10_000, whole=True),
    seed=SEED,
    progress=CALL,
)
def tank_sizes(
    design: Design,
    technology: str,
    hours: Iterable[float] = HOURS,
    *,
    years: int = 100,
    draws: int = 2,
    seed: int = 7,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Certify a plant with tanks of several sizes, under the same weather and failures.

    Parameters
    ----------
    design : Design
    technology : str
        Of its backup, which burns from a tank at all times or as a second fuel.
    hours : iterable of float
        Hours at full load that the fuel on site lasts. [h]
    years, draws : int
        Weather years that the design never saw, and draws of outages of each.
    seed : int
        Of weather and outages.
    progress : callable, optional
        Called with one line of text per tank.

    Returns
    -------
    DataFrame
        One row a tank, smallest first: ``tank_h``, ``uptime``, ``uptime_error``, ``met``,
        ``cost_usd_per_yr`` (plant, tank and operation on those years), and ``best``: the one of least cost of
        those that are met.

    Raises
    ------
    InputError
        If the technology burns from no tank, or a number is out of range.

    Examples
    --------
    >>> table = sd.tank_sizes(with_tank, "diesel", [6, 48], years=4, draws=1)
    >>> table["tank_h"].tolist()
    [6.0, 48.0]
    """
    study = rebuilt_study(design)
    stored = [item.name for item in study.backup if study.has_tank(item)]
    if technology not in stored:
        allowed = f"must be a technology that burns from a tank: {', '.join(stored) or 'there is none'}"
        fault = Fault("technology", repr(technology), allowed, nearest(technology, stored))
        raise InputError([fault], "tank_sizes()")
    rule, origin = rule_of(design, study)
    plan = CertificatePlan(
        years=years, draws=draws, seed=seed, metric=metric_key(study.metric), attribute=False
    )
    rows, say = [], progress or silent
    for tank_h in sorted({float(value) for value in hours}):
        changed = study.replace(tank_h={**study.tank_h, technology: tank_h})
        made = build_case(changed)
        plant = plant_of(design, made.case)
        found = assess_on_unseen_years(made, plant, rule, plan, rule=origin)
        cost = fixed_cost_usd_per_yr(made.case, plant) + found.operating_cost_usd_per_yr
        rows.append((tank_h, found.uptime.value, found.uptime.standard_error, found.met, cost))
        say(f"tank of {tank_h:g} h: {found.uptime}, {cost / 1e6:,.2f} M USD/yr")
    table = pd.DataFrame(rows, columns=["tank_h", "uptime", "uptime_error", "met", "cost_usd_per_yr"])
    kept = table[table["met"]]
    table["best"] = table.index == (kept["cost_usd_per_yr"].idxmin() if len(kept) else -1)
    return table


def with_best_tanks(study: Study, solve: Callable[[Study], D], say: Progress) -> D:
    """Choose how long each tank lasts, and the plant that goes with it.

    A certified plant with the largest tanks is certified with smaller ones, a technology at a time, on years
    of which no search and no certificate knows; with the cheapest that keep the target a plant is searched
    anew. A tank is nothing that a row of the optimum could choose: it is emptied by one interruption
    and filled before the next, so that each interruption of each year would need a total of its own.

    Parameters
    ----------
    study : Study
        With tanks to choose from.
    solve : callable
        From a study with given tanks to its certified design.
    say : callable

    Returns
    -------
    Design
        The cheaper of both; its notes tell what each tank costs.
    """

    def with_tanks(tank_h: Mapping[str, float]) -> D:
        return solve(study.replace(tank_choices_h={}, tank_h={**study.tank_h, **tank_h}))

    largest = {name: max(hours) for name, hours in study.tank_choices_h.items()}
    first = best = with_tanks(largest)
    tanks, notes = dict(largest), []
    for name, hours in study.tank_choices_h.items():
        if first.backup.get(name, 0) == 0:
            notes.append(f"Of {name} none is built: its tank was not chosen.")
            continue
        table = tank_sizes(first, name, hours, seed=_SEED, progress=say)
        rows = table.to_dict("records")
        kept = [row for row in rows if row["met"]]
        if kept:
            tanks[name] = float(min(kept, key=lambda row: float(row["cost_usd_per_yr"]))["tank_h"])
        tried = ", ".join(
            f"{row['tank_h']:g} h {row['cost_usd_per_yr'] / 1e6:,.2f} M USD/yr"
            + ("" if row["met"] else " (target not met)")
            for row in rows
        )
        notes.append(
            f"Tanks of {name} tried with the plant of the largest: {tried}; {tanks[name]:g} h taken."
        )
    if tanks != largest:
        again = with_tanks(tanks)
        best = again if again.cost <= first.cost else first
        notes.append(
            f"Searched anew with the tanks taken: {again.cost / 1e6:,.2f} M USD/yr, with the largest "
            f"{first.cost / 1e6:,.2f}; the cheaper is this design."
        )
    told = best.provenance.model_copy(update={"notes": (*best.provenance.notes, *notes)})
    return best.model_copy(update={"provenance": told})
