"""The public call that certifies a plant at several ages."""

from __future__ import annotations

from collections.abc import Sequence

from sitedesign.api.battery_life import battery_life, study_of
from sitedesign.api.certify import certify
from sitedesign.results.battery_life import UPKEEPS, Upkeep
from sitedesign.results.design import Design
from sitedesign.results.evaluation import Evaluation
from sitedesign.results.plant_life import AtAge, PlantLife
from sitedesign.study.ageing import AGE, at_age
from sitedesign.study.inputs import GROWTH
from sitedesign.study.study import Study
from sitedesign.util.gate import CALL, Many, Measure, OneOf, takes
from sitedesign.util.progress import Progress, silent

_OF = "plant_life()"


@takes(
    _OF,
    ages=Many(AGE, "must be a list of ages in years", least=1, most=60),
    load_growth_per_yr=GROWTH,
    upkeep=OneOf(UPKEEPS),
    years=Measure("weather years", 1, 100_000, whole=True),
    draws=Measure("draws", 1, 1000, whole=True),
    progress=CALL,
)
def plant_life(
    design: Design | Evaluation,
    study: Study | None = None,
    *,
    ages: Sequence[float] = (1, 5, 10, 15, 20),
    load_growth_per_yr: float | None = None,
    upkeep: Upkeep = "augment",
    years: int = 100,
    draws: int = 2,
    progress: Progress | None = None,
) -> PlantLife:
    """Certify one plant at several ages, on the same weather years and failures.

    The array degrades, the battery holds what its upkeep leaves (:func:`battery_life`), the load may grow.

    Parameters
    ----------
    design : Design or Evaluation
    study : Study, optional
        As for :func:`certify`.
    ages : sequence of float
        [yr]
    load_growth_per_yr : float, optional
        Of the power of each rack; that of the study when left out. [fraction/yr]
    upkeep : {'augment', 'replace', 'none'}
        Of the battery: with ``augment`` it holds in every year what the plant counts on.
    years, draws : int
        As for :func:`certify`.
    progress : callable, optional

    Returns
    -------
    PlantLife

    Raises
    ------
    InputError

    Examples
    --------
    >>> life = sd.plant_life(design, ages=(1, 20), years=4, draws=1, upkeep="none")
    >>> life.worst.age_years
    20.0
    """
    asked, tell = study_of(design, study), progress or silent
    order = sorted(dict.fromkeys(float(age) for age in ages))
    held = None
    if design.battery_mwh > 0.0 and upkeep != "augment" and order[-1] >= 1:
        held = battery_life(design, asked, years=min(60, max(1, round(order[-1]))), upkeep=upkeep).held
    found = []
    for age in order:
        tell(f"certifying at {age:g} years")
        share = None if held is None else min(held[min(round(age), len(held) - 1)], 1.0)
        then = at_age(asked, age, load_growth_per_yr=load_growth_per_yr, battery_held=share)
        kept = certify(design, then, years=years, draws=draws, attribute=False)
        found.append(
            AtAge(
                age,
                kept.uptime,
                kept.met,
                tuple(str(use) for use in kept.capped if not use.kept),
                (1.0 - asked.pv.degradation_per_yr) ** age,
                then.battery.usable_fraction_at_check,
                then.load_growth,
                sum(kept.backup_mwh_per_yr),
            )
        )
    return PlantLife(asked.target, tuple(found))
