"""Which uncertain numbers decide: the public face of `influence`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any

from sitedesign.api.bound_sweep import study_faults
from sitedesign.errors import Fault, InputError, shown
from sitedesign.influence.bound import BoundSolver, at_end
from sitedesign.influence.certified import Judge, searched_ends
from sitedesign.influence.ranges import RangedNumber, idle_numbers, ranged_numbers
from sitedesign.influence.switching import Driver, drivers, switching_values
from sitedesign.results.design import Design
from sitedesign.results.saved import missing_series, rebuilt_study
from sitedesign.results.sensitivity import End, Influence, Sensitivity, SwitchingValue
from sitedesign.study.effort import GAP
from sitedesign.study.study import Study
from sitedesign.util.gate import CALL, FLAG, Kind, Measure, is_number, takes
from sitedesign.util.progress import Progress, silent
from sitedesign.util.threads import in_order

_RANGES = Kind((Mapping,), "must be pairs by name", "For example {'lfp.capex_usd_per_kwh': (90, 200)}.")
SEARCHED = 5  # numbers for which plants are searched anew


@takes(
    "sensitivity()",
    study=Kind((Study, Design), "must be a sitedesign.Study or a Design"),
    ranges=_RANGES,
    certified=FLAG,
    searched=Measure("numbers", 0, 1000, whole=True),
    switching=FLAG,
    gap=GAP,
    progress=CALL,
)
def sensitivity(
    study: Study | Design,
    *,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    certified: bool | None = None,
    searched: int = SEARCHED,
    switching: bool = True,
    gap: float = 1e-4,
    progress: Progress | None = None,
) -> Sensitivity:
    """Find which numbers decide: each that has a range, one at a time, at both ends of it.

    Parameters
    ----------
    study : Study or Design
        Of a certified design, the plant is judged again as well.
    ranges : mapping of str to (float, float), optional
        Ranges of your own, beside those of the library or in their place: of an entry's number by
        ``name.field`` or ``kind.field`` (``lfp.capex_usd_per_kwh``), of the study's by its name
        (``months_to_power``). A number that you changed has no range but one that you give.
    certified : bool, optional
        Judge the certified plant on years of its certificate (200 at most, two draws of the same failures) at
        every end; with a design that has a certificate unless False.
    searched : int
        Numbers that move its cost most, for which plants are then searched anew at both ends: shortly, from
        that plant and the optimum, and compared on those years.
    switching : bool
        Find the gas price, battery price, solar price, months and connection date at which the plan changes
        kind.
    gap : float
        Relative optimality gap of each optimum. [fraction]
    progress : callable, optional
        Called with one line of text now and then.

    Returns
    -------
    Sensitivity
        `Design.with_sensitivity` puts it on a design, which then says what decided it.

    Raises
    ------
    InputError
        If a range is of nothing there is, or the study leaves open what a sweep needs fixed.
    InfeasibleDesign
        When no plant is possible as things are.

    Examples
    --------
    >>> from sitedesign.report import figures
    >>> found = sd.sensitivity(study, ranges={"months_to_power": (12, 24)})  # doctest: +SKIP
    >>> figures.tornado(found).show()  # doctest: +SKIP
    """
    tell = progress or silent
    design = study if isinstance(study, Design) else None
    asked = study if isinstance(study, Study) else _study_of(study)
    certificate = design.certificate if design is not None else None
    faults = _range_faults(ranges or {}) + study_faults(asked, "sensitivity")
    if certified and certificate is None:
        remedy = "Give the design that sd.solve(...) returns."
        faults.append(Fault("certified", "True", "needs a design with a certificate", remedy))
    if faults:
        raise InputError(faults, "sensitivity()")
    numbers = ranged_numbers(asked, ranges)
    tell("solving as things are")
    solver = BoundSolver(asked, gap)
    judge: Judge | None = None
    if design is not None and certificate is not None and certified is not False:
        tell("operating the certified plant as things are")
        judge = Judge(solver, design)
    ends, switches = _solved(solver, judge, numbers, list(drivers(solver)) if switching else [], tell)
    certified_on, cost = "", solver.answer.objective_usd_per_yr
    if design is not None and judge is not None:
        ends, certified_on, cost = (
            searched_ends(judge, numbers, ends, searched, tell),
            judge.basis,
            design.cost,
        )
    found = [_influence(number, *pair) for number, pair in zip(numbers, ends, strict=True)]
    return Sensitivity(
        site_name=asked.site.name,
        cost_usd_per_yr=cost,
        bound_usd_per_yr=solver.answer.bound_usd_per_yr,
        numbers=tuple(sorted(found, key=lambda item: -item.swing_usd_per_yr)),
        switches=tuple(switches),
        idle=idle_numbers(asked),
        certified_on=certified_on,
    )


def _solved(
    solver: BoundSolver,
    judge: Judge | None,
    numbers: Sequence[RangedNumber],
    driven: Sequence[Driver],
    tell: Progress,
) -> tuple[list[tuple[End, End]], list[SwitchingValue]]:
    """Solve the question at both ends of every number; first where plans change kind: it takes longest."""
    values = [(number, value) for number in numbers for value in (number.low, number.high)]
    judged = None if judge is None else judge.judged
    asked: list[Callable[[], Any]] = [partial(switching_values, solver, driver) for driver in driven]
    asked += [partial(at_end, solver, *pair, judged) for pair in values]
    ends, switches = list[tuple[End, End]](), list[SwitchingValue]()
    with closing(in_order(lambda ask: ask(), asked, solver.stopped)) as found:
        for place, driver in enumerate(driven, 1):
            tell(f"where the plan changes kind, {place} of {len(driven)}: {driver.name}")
            switches += next(found)
        for place, number in enumerate(numbers, 1):
            span = f"{number.low:g} to {number.high:g} {number.unit}".rstrip()
            tell(f"{place} of {len(numbers)} numbers: {number.label}, {span}")
            ends.append((next(found), next(found)))
    return ends, switches


def _influence(number: RangedNumber, low: End, high: End) -> Influence:
    named = ("key", "label", "unit", "value", "confidence", "source")
    return Influence(**{name: getattr(number, name) for name in named}, low=low, high=high)


def _study_of(design: Design) -> Study:
    missing = missing_series(design)
    if missing:
        found = f"a design whose {', '.join(name.replace('_', ' ') for name in missing)} came from files"
        remedy = "Give the design as sd.solve(...) returned it, or the study."
        raise InputError([Fault("study", found, "does not hold them", remedy)], "sensitivity()")
    return rebuilt_study(design)


def _range_faults(ranges: Mapping[str, tuple[float, float]]) -> list[Fault]:
    """Find what is no range; values that a number cannot have are said where it is set to them."""
    faults = []
    for key, pair in ranges.items():
        where = f"ranges[{key!r}]"
        plain = isinstance(pair, list | tuple) and len(pair) == 2
        if not isinstance(key, str) or not plain or not all(is_number(value) for value in pair):
            faults.append(Fault(where, shown(pair), "must be a pair of numbers, low and high"))
        elif pair[0] > pair[1]:
            faults.append(Fault(where, f"({pair[0]:g}, {pair[1]:g})", "must begin with the lower one"))
    return faults
