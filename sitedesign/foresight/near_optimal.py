"""Plants that cost nearly the least and differ: how far a size, the units, the months or the CO2 may go.

For each question, such as the largest array, the least cost with the answer held to be at least ``v`` never
falls with ``v``. So what is at most possible within a cost is enclosed: one value is reached by a plant whose
cost is known, another is proven to cost more by the bound of an exact solve. All solves share one pool of
cuts. It is the optimum of the model with the cost as a row and the other quantity as objective
(J. DeCarolis, Energy Economics 33:145, 2011: modelling to generate alternatives), found from its dual side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sitedesign.case.case import Case
from sitedesign.case.plant import Plant, slowest_lead
from sitedesign.errors import InfeasibleDesign
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.optimize.result import OptimizationResult
from sitedesign.util.progress import Progress, silent

MOST_SOLVES = 12
#: Width at which an enclosed value is told, of the range that was searched.
WIDTH = 0.02
_WIDEST = 4.0  # how far beyond the optimum, and the mean load, an array is looked for


@dataclass(frozen=True, eq=False)
class Question:
    """What to drive as far as the cost allows.

    Attributes
    ----------
    name : str
        For example ``most_solar``.
    unit : str
    value : callable
        What a solution has of it. [unit]
    hold : callable
        The case that asks for a value, or better, of it.
    end : callable
        The best value there can be, from the case and the optimum. [unit]
    whole : bool
        Whether only whole values make sense.
    steps : callable, optional
        Values that alone can be, from the worst to the best, where they are few.
    """

    name: str
    unit: str
    value: Callable[[Case, OptimizationResult], float]
    hold: Callable[[Case, float], Case]
    end: Callable[[Case, OptimizationResult], float]
    whole: bool = False
    steps: Callable[[Case], list[float]] | None = None


@dataclass(frozen=True, eq=False)
class NearPlant:
    """Plant that goes as far as the cost allows in one direction.

    Attributes
    ----------
    name, unit : str
    value : float
        What it has. [unit]
    beyond : float or None
        From here on every plant costs more than allowed: proven. None where the best that can be is reached.
        [unit]
    sizing : OptimizationResult
    """

    name: str
    unit: str
    value: float
    beyond: float | None
    sizing: OptimizationResult


def _solar(case: Case, at_least: float) -> Case:
    widest = max(at_least, case.sizes[0].most)
    return case.with_resource(bounds_mw=(at_least, widest), widest_mw=widest)


def _less_solar(case: Case, at_most: float) -> Case:
    low = case.sizes[0].lower
    return case.with_resource(bounds_mw=(low, max(at_most, low)), widest_mw=max(at_most, low))


def _most_solar_mw(case: Case, best: OptimizationResult) -> float:
    """End of the search for sun: the user's own limit, or far beyond what is of use. [MWdc]"""
    if "solar_mw" in case.given:
        return case.sizes[0].most
    return _WIDEST * max(best.plant.solar_mw, case.load_mwh_per_yr / 8760.0)


def _battery(case: Case, at_most: float) -> Case:
    low = case.limits.battery_mwh[0]
    high = max(at_most, low)
    power = case.limits.widest[1] if case.limits.widest else case.limits.battery_mw[1]
    return replace(case, limits=replace(case.limits, battery_mwh=(low, high), widest=(high, power)))


def _limited(case: Case, **limits: float | None) -> Case:
    return replace(case, limits=replace(case.limits, **limits))  # type: ignore[arg-type]


def _leads(case: Case) -> list[float]:
    """Months by which something arrives, the latest first."""
    months = [item.lead_months for item in case.backup] + [item.lead_months for item in case.resources]
    months += [item.lead_months for item in case.imports]
    return sorted({*months, case.battery_lead_months}, reverse=True)


def co2_t_per_yr(case: Case, sizing: OptimizationResult) -> float:
    """CO2 of what a solution burns and draws. [t/yr]"""
    levels = [level.co2_t_per_mwh for item in case.supplies for level in item.levels]
    return sum(t * mwh for t, mwh in zip(levels, sizing.level_mwh_per_yr, strict=False))


QUESTIONS = (
    Question("most_solar", "MWdc", lambda _, s: s.plant.solar_mw, _solar, _most_solar_mw),
    Question("least_solar", "MWdc", lambda _, s: s.plant.solar_mw, _less_solar,
             lambda c, _: c.sizes[0].lower),
    Question("least_battery", "MWh", lambda _, s: s.plant.battery_mwh, _battery,
             lambda c, _: c.limits.battery_mwh[0]),
    Question("fewest_units", "", lambda _, s: float(sum(s.plant.units)),
             lambda c, n: _limited(c, most_units=int(n)),
             lambda c, _: float(sum(item.units_min for item in c.backup)), whole=True),
    Question("soonest", "months", lambda c, s: slowest_lead(c, s.plant)[0],
             lambda c, months: _limited(c, months_to_power=months), lambda c, _: min(_leads(c)),
             steps=_leads),
    Question("least_co2", "t/yr", co2_t_per_yr, lambda c, t: _limited(c, max_co2_t_per_yr=t), lambda *_: 0.0),
)  # fmt: skip
NAMES = tuple(item.name for item in QUESTIONS)


def near_optimal(
    case: Case,
    within: float,
    names: tuple[str, ...] = NAMES,
    *,
    gap: float = 1e-4,
    width: float = WIDTH,
    progress: Progress = silent,
) -> tuple[OptimizationResult, tuple[NearPlant, ...]]:
    """Find how far each quantity may go while the cost stays within a share of the least.

    Parameters
    ----------
    case : Case
    within : float
        Of the cost of the optimum found. [fraction]
    names : tuple of str
        Of :data:`QUESTIONS`; the fewest units are not looked for where some stand by (N+1).
    gap : float
        Relative gap of each solve. [fraction]
    width : float
        At which to stop, of the range from the optimum's value to the best there can be. [fraction]
    progress : callable

    Returns
    -------
    tuple of (OptimizationResult, tuple of NearPlant)
        The optimum, and a plant for each question, in the order asked.

    Raises
    ------
    InfeasibleDesign
        When no plant meets the case.
    """
    pool = CutPool(case)
    best = solve_cuts(case, gap=gap, cut_pool=pool)
    most_usd = best.objective_usd_per_yr + within * abs(best.objective_usd_per_yr)
    search = _Search(case, best, most_usd, pool, gap, width, progress)
    known = {item.name: item for item in QUESTIONS}
    if case.limits.n_plus:  # units that stand by are added to what the model counts
        names = tuple(name for name in names if name != "fewest_units")
    return best, tuple(search.furthest(known[name]) for name in names)


class _Search:
    def __init__(
        self,
        case: Case,
        best: OptimizationResult,
        most_usd: float,
        pool: CutPool,
        gap: float,
        width: float,
        progress: Progress,
    ) -> None:
        self.case, self.best, self.most_usd = case, best, most_usd
        self.pool, self.gap, self.width, self.progress = pool, gap, width, progress

    def solve(self, question: Question, value: float, start: Plant) -> OptimizationResult | None:
        """Solve with a value held; None where no plant can have it."""
        try:
            found = solve_cuts(
                question.hold(self.case, value), gap=self.gap, cut_pool=self.pool, warm_start=start,
                explains=False, keeps_dispatch=False,
            )  # fmt: skip
        except InfeasibleDesign:
            return None
        cost = found.objective_usd_per_yr / 1e6
        self.progress(f"{question.name.replace('_', ' ')} {value:,.4g} {question.unit}: {cost:,.3f} M USD/yr")
        return found

    def allowed(self, found: OptimizationResult | None) -> bool:
        """Whether a plant costs no more than allowed."""
        return found is not None and found.objective_usd_per_yr <= self.most_usd

    def refused(self, found: OptimizationResult | None) -> bool:
        """Whether it is proven that no plant costs as little as allowed."""
        return found is None or found.bound_usd_per_yr > self.most_usd

    def furthest(self, question: Question) -> NearPlant:
        """Enclose the best value within the cost."""
        near, far = self.best, question.end(self.case, self.best)
        value = question.value(self.case, near)
        if question.steps is not None:
            return self._along(question, [v for v in question.steps(self.case) if v < value])
        if abs(far - value) <= 1e-9 * max(abs(far), 1.0):
            return NearPlant(question.name, question.unit, value, None, near)
        there = self.solve(question, far, near.plant)
        if there is not None and self.allowed(there):
            return NearPlant(question.name, question.unit, question.value(self.case, there), None, there)
        far_usd = None if there is None else there.objective_usd_per_yr
        span, beyond = abs(far - value), far if self.refused(there) else None
        for _ in range(MOST_SOLVES):
            if abs(far - value) <= (1.0 if question.whole else self.width * span):
                break
            middle = self._between(value, near.objective_usd_per_yr, far, far_usd)
            middle = _towards(value, round(middle), far) if question.whole else middle
            found = self.solve(question, middle, near.plant)
            if found is not None and self.allowed(found):
                near = found
                value = _further(value, middle, question.value(self.case, found), far)
            else:
                far, far_usd = middle, None if found is None else found.objective_usd_per_yr
                beyond = middle if self.refused(found) else beyond
        if beyond is not None and abs(beyond - far) > 1e-9 * span and not question.whole:
            beyond = self._proven(question, value, far, beyond, 0.5 * self.width * span)
        return NearPlant(question.name, question.unit, value, beyond, near)

    def _proven(self, question: Question, value: float, far: float, beyond: float, step: float) -> float:
        """Look a little further for what is proven, where a cost met the one allowed within the gap."""
        sign = 1.0 if far > value else -1.0
        for turn in range(3):
            tried = far + sign * step * 2.0**turn
            if abs(tried - value) >= abs(beyond - value):
                return beyond
            if self.refused(self.solve(question, tried, self.best.plant)):
                return tried
        return beyond

    def _between(self, value: float, usd: float, far: float, far_usd: float | None) -> float:
        """Choose the next value: where a straight line between both costs meets the cost that is allowed."""
        if far_usd is None or far_usd <= usd:
            return 0.5 * (value + far)
        share = (self.most_usd - usd) / (far_usd - usd)
        return value + min(max(share, 0.1), 0.9) * (far - value)

    def _along(self, question: Question, values: list[float]) -> NearPlant:
        """Go through few values from the worst to the best, until one costs too much."""
        near = self.best
        for value in values:
            found = self.solve(question, value, near.plant)
            if not self.allowed(found):
                beyond = value if self.refused(found) else None
                return NearPlant(question.name, question.unit, question.value(self.case, near), beyond, near)
            assert found is not None
            near = found
        return NearPlant(question.name, question.unit, question.value(self.case, near), None, near)


def _towards(value: float, middle: float, far: float) -> float:
    """Whole value strictly between two, which lie more than one apart."""
    return min(max(middle, min(value, far) + 1), max(value, far) - 1)


def _further(value: float, asked: float, has: float, far: float) -> float:
    """Give the better of what was asked and what the plant has, no further than what is proven too dear."""
    best = max(asked, has) if far > value else min(asked, has)
    return min(best, far) if far > value else max(best, far)
