"""How large a tank pays: the same plant certified with tanks of several sizes."""

from __future__ import annotations

from collections.abc import Iterable

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
from sitedesign.util.gate import CALL, TEXT, Kind, Many, Measure, takes
from sitedesign.util.progress import Progress, silent

#: Hours at full load that are tried where none are given.
HOURS = (6.0, 12.0, 24.0, 48.0, 96.0)


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
