"""Certificate: the uptime that a plant keeps, run without foresight while things fail, and how sure that is.

Weather years are simulated in blocks, each under several draws of outages. A block begins with the charge at
the end of the fourth block before it, whatever the number of cores: up to four may be run at once. The same
runs with one cause after the other switched off say what share of the lost compute each cause explains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import accumulate, count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.case import Case
from sitedesign.case.plant import Plant
from sitedesign.case.years import priced
from sitedesign.operation.environment import OperatingEnvironment
from sitedesign.operation.forecast import resource_factors
from sitedesign.operation.operate import operate
from sitedesign.operation.outages.interruptions import (
    Interruptions,
    are_enough,
    beyond_of,
    in_use,
    interruptions,
    supplies,
)
from sitedesign.operation.outages.sampling import (
    CAUSES,
    OutageConditions,
    OutageSample,
    sample_outages,
)
from sitedesign.operation.reruns import Reruns
from sitedesign.operation.state import Controller
from sitedesign.reliability.attribution import YearLosses, cause_of, cause_shares, marginal_losses, off_sets
from sitedesign.reliability.certificate import CONVERGED_SHARE, WEATHER, Certificate, ClassUptime, SupplyHours
from sitedesign.reliability.certificate_plan import CertificatePlan
from sitedesign.reliability.circumstances import Met, circumstances
from sitedesign.reliability.estimate import Estimate
from sitedesign.reliability.events import Event
from sitedesign.reliability.exchange_use import YearFigures, exchange_use, years_of_use
from sitedesign.reliability.metrics import (
    UptimeMetrics,
    YearTable,
    metrics_of_years,
    uptime_of_losses,
)
from sitedesign.reliability.replay import rack_shortfall
from sitedesign.reliability.reserve_use import reserve_use
from sitedesign.reliability.run_figures import RunFigures, run_figures
from sitedesign.reliability.technology_use import cap_uses, technology_uses
from sitedesign.reliability.weather_blocks import (
    OF_THE_GRID,
    Builder,
    WeatherBlock,
    blocks_of,
    in_groups,
    listed,
)
from sitedesign.util.threads import at_once, cores, one_ahead

FloatArray = NDArray[np.float64]

_HOURS_PER_YEAR = 8760.0
CHAINS = 4  # blocks that may be operated at once: each goes on from the charge of the one so many before it
_MOST_WAITING = 4  # blocks kept for the causes of what they lose to be looked for at once
LEAST_EVENTS = 25  # to be expected of a supply's interruptions, for luck with them to be corrected
Progress = Callable[[int, int], None]
Place = tuple[int, int]  # block and draw


def monte_carlo(
    weather: WeatherBlock | Sequence[WeatherBlock] | Builder,
    plant: Plant,
    controller: Controller,
    environment: OperatingEnvironment,
    plan: CertificatePlan,
    progress: Progress | None = None,
) -> Certificate:
    """Operate a plant causally over many weather years and outage draws.

    Parameters
    ----------
    weather : WeatherBlock, sequence of them, or callable
        Weather years; a callable is given the number of the block, 0, 1, ..., and is called until
        ``plan.years`` are simulated, so that a thousand years need not be in memory.
    plant : Plant
    controller : Controller
    environment : OperatingEnvironment
    plan : CertificatePlan
    progress : callable, optional
        Called with (simulated years done, simulated years in all).

    Returns
    -------
    Certificate
        The same for the same arguments.

    Raises
    ------
    ValueError
        If a callable comes without ``plan.years``, or there are no years.
    """
    assessment = Assessment(weather, plant, controller, environment, plan, progress)
    assessment.simulate(plan.years)
    return assessment.explained()


class Assessment:
    """Years that a plant is operated through causally: more can be added, and causes of loss asked for.

    Parameters
    ----------
    weather, plant, controller, environment, plan, progress
        As for :func:`monte_carlo`.
    """

    def __init__(
        self,
        weather: WeatherBlock | Sequence[WeatherBlock] | Builder,
        plant: Plant,
        controller: Controller,
        environment: OperatingEnvironment,
        plan: CertificatePlan,
        progress: Progress | None = None,
    ) -> None:
        self._weather, self._progress = weather, progress
        self._run = _Tally(plant, controller, environment, plan)
        self._causes = [cause for cause in CAUSES if _happens(environment, cause)] if plan.attribute else []
        self._first_case: Case | None = None

    def simulate(self, years: int | None) -> None:
        """Operate the plant through years that come after those before, until there are so many, or all.

        A block that was cut stays so: its other years are none of them.
        """
        run = self._run
        more = None if years is None else years - run.first_year
        total = years if years is not None else sum(b.case.years for b in listed(self._weather))
        together = max(1, CHAINS // run.plan.draws)  # what runs at once is in memory at once
        for blocks in one_ahead(in_groups(blocks_of(self._weather, more, run.blocks), together)):
            self._check(blocks)
            for block, done in self._operated(blocks):
                self._add(block, done, total)
                if run.plan.stop_when_converged and _converged(run.metrics(block.case), run.plan):
                    return

    def certificate(self, confidence: float | None = None) -> Certificate:
        """Say what the years so far show, without causes: at the plan's confidence or another."""
        if confidence is not None:
            self._run.plan = replace(self._run.plan, confidence=confidence)
        return _certificate(self._run, self._some_case())

    def explained(self) -> Certificate:
        """Say what the years so far show, what is lost to which cause and what the worst events were."""
        case = self._some_case()
        if self._run.plan.attribute:
            self._run.attribute(self._causes)
            self._run.name_events(self._causes)
        self._run.describe_events()
        return _certificate(self._run, case)

    def _some_case(self) -> Case:
        if self._first_case is None:
            message = "weather: got no years; give at least one"
            raise ValueError(message)
        return self._first_case

    def _check(self, blocks: Sequence[WeatherBlock]) -> None:
        """Refuse years of another question, and take what the plan leaves open from the first."""
        if self._first_case is None:
            self._first_case, plan = blocks[0].case, self._run.plan
            self._run.plan = replace(plan, target=plan.target or self._first_case.uptime_target)
        if any(priced(block.case) != priced(self._first_case) for block in blocks):
            message = "weather: got years with other prices or units of imports or sinks than the first"
            raise ValueError(message)

    def _operated(self, blocks: Sequence[WeatherBlock]) -> Iterator[tuple[WeatherBlock, list[_Done]]]:
        """Operate the plant through blocks, each under every draw: none needs to know how another ends."""
        run, draws = self._run, self._run.plan.draws
        before = accumulate((block.case.years for block in blocks), initial=run.first_year)
        numbered = list(zip(blocks, count(run.blocks), before, strict=False))
        begun = at_once(lambda job: run.begin(*job), numbered)
        jobs = [(block, begun[i][draw], draw) for i, block in enumerate(blocks) for draw in range(draws)]
        done = at_once(lambda job: run.operate_draw(*job), jobs)
        for i, block in enumerate(blocks):
            yield block, done[i * draws : (i + 1) * draws]

    def _add(self, block: WeatherBlock, done: Sequence[_Done], total: int) -> None:
        """Add what came of one block under every draw."""
        run, plan = self._run, self._run.plan
        for draw, of_draw in enumerate(done):
            run.book(block, draw, of_draw)
            if plan.attribute_years is None and len(run.to_explain) >= min(cores(), _MOST_WAITING):
                run.attribute(self._causes)  # soon: nobody could keep all blocks
            if self._progress is not None:
                self._progress(run.simulated, total * plan.draws)
        run.first_year += block.case.years
        run.blocks += 1


def _happens(environment: OperatingEnvironment, cause: str) -> bool:
    ways = environment.unit_behaviours
    if cause == "starts" and not any(way.start_failure > 0 and way.start_beta < 1 for way in ways):
        return False
    if cause == "common_starts" and not any(way.start_failure > 0 and way.start_beta > 0 for way in ways):
        return False
    return environment.outages.has(cause)


@dataclass(frozen=True)
class _Begun:
    """State in which a block begins."""

    conditions: OutageConditions
    stored_mwh: float
    forecast_factors: FloatArray
    sampled: list[OutageSample] = field(default_factory=list)  # what fails, once it is drawn


# Block, draw, how it began, lost compute, and what runs without some causes begin with
_Unexplained = tuple[WeatherBlock, int, _Begun, FloatArray, Reruns]


class _Done(NamedTuple):
    """What came of one block under one draw."""

    begun: _Begun
    figures: RunFigures
    interrupted: Interruptions
    use: YearFigures | None
    to_explain: tuple[FloatArray, Reruns] | None  # lost compute, and what runs without some causes begin with


@dataclass
class _WorstEvent:
    """A worst event, where it was, with its years, and how they began."""

    event: Event
    place: Place
    block: WeatherBlock
    begun: _Begun


@dataclass
class _Tally:
    """What came of all blocks and draws so far."""

    plant: Plant
    controller: Controller
    environment: OperatingEnvironment
    plan: CertificatePlan
    blocks: int = 0
    first_year: int = 0
    simulated: int = 0
    stored: dict[Place, float] = field(default_factory=dict)
    figures: list[RunFigures] = field(default_factory=list)
    interruptions: list[Interruptions] = field(default_factory=list)
    use: list[YearFigures] = field(default_factory=list)
    losses: list[YearLosses] = field(default_factory=list)
    to_explain: list[_Unexplained] = field(default_factory=list)
    events: list[_WorstEvent] = field(default_factory=list)

    def begin(self, block: WeatherBlock, number: int, first_year: int) -> list[_Begun]:
        """States in which a block begins under each draw: as that draw's block some blocks before ended."""
        case, around = block.case, self.environment
        full = self.plant.battery_mwh * float(case.usable[0])
        usual = around.climatology
        conditions = OutageConditions(case.step_h, case.years, first_year, block.temp_air_c, usual)
        seed = self.plan.seed + 1_000_003 * first_year
        factors = resource_factors(around.forecast, usual, case, seed=seed)
        stored = [self.stored.get((number % CHAINS, draw), full) for draw in range(self.plan.draws)]
        return [_Begun(conditions, mwh, factors) for mwh in stored]

    def operate_draw(self, block: WeatherBlock, begun: _Begun, draw: int) -> _Done:
        """Run one block under one draw; books nothing, so that several run at once.

        Where causes are looked for, what runs without them begin with comes as well.
        """
        first_year, years = begun.conditions.first_year, self.plan.attribute_years
        # The bill takes every step; hours of noise are read from the first years alone
        first = first_year == 0 and draw == 0
        record = block.grid is not None or first
        case, sample = block.of_draw(draw, self._off), self._sample(begun, draw)
        to_explain = None
        if self.plan.attribute and (years is None or (draw == 0 and first_year < years)):
            reruns = self._reruns(block, begun, draw, sample)
            done = reruns.operated(record=record)
            to_explain = done.lost_compute, reruns
        else:
            done = operate(
                case,
                self.plant,
                self.controller,
                self.environment,
                outages=sample,
                forecast_factors=begun.forecast_factors,
                start_mwh=begun.stored_mwh,
                record=record,
            )
        use = None
        if case.imports or case.sinks:
            use = years_of_use(case, self.plant, done, block.grid, block.state(draw, self._off))
        figures = run_figures(block.case, self.plant, done, self.plan, first_year, with_duty=first)
        return _Done(begun, figures, self._interruptions(begun, draw), use, to_explain)

    def book(self, block: WeatherBlock, draw: int, done: _Done) -> None:
        """Keep what came of a run, and what its worst events are of."""
        place = self.blocks, draw
        self.stored[self.blocks % CHAINS, draw] = done.figures.end_mwh
        self.figures.append(done.figures)
        self.interruptions.append(done.interrupted)
        if done.use is not None:
            self.use.append(done.use)
        if done.to_explain is not None:
            self.to_explain.append((block, draw, done.begun, *done.to_explain))
        self.events += [_WorstEvent(event, place, block, done.begun) for event in done.figures.events]
        self.events = sorted(self.events, key=lambda worst: -worst.event.lost_mwh)[: self.plan.events]
        self.simulated += block.case.years

    def attribute(self, causes: Sequence[str]) -> None:
        """Run blocks again, one cause after the other switched off, in an order and in its reverse."""
        first = len(self.losses)
        self.losses += at_once(lambda job: self._explained(causes, *job), enumerate(self.to_explain, first))
        self.to_explain.clear()

    def _explained(self, causes: Sequence[str], number: int, unexplained: _Unexplained) -> YearLosses:
        block, draw, begun, lost_compute, reruns = unexplained
        case = block.case
        again = self._lost_without(block, begun, draw, off_sets(causes, self.plan.seed, number), reruns)
        by_set = {off: _by_year(case, series) for off, series in again}
        by_set[frozenset()] = _by_year(case, lost_compute * case.load_mw * case.step_h)
        short = rack_shortfall(self.plant.racks, case.racks_contracted, case.rack_availability)
        first = begun.conditions.first_year
        return YearLosses(
            year=np.arange(first, first + case.years),
            by_cause=marginal_losses(causes, self.plan.seed, number, by_set),
            racks=short * _by_year(case, case.load_mw * case.step_h),
        )

    def name_events(self, causes: Sequence[str]) -> None:
        """Run blocks and draws again, up to a worst event whose cause is not known yet."""
        unnamed = [worst for worst in self.events if not worst.event.cause]
        places = [
            [worst for worst in unnamed if worst.place == place]
            for place in sorted({worst.place for worst in unnamed})
        ]
        at_once(partial(self._name, causes), places)

    def _name(self, causes: Sequence[str], events: Sequence[_WorstEvent]) -> None:
        """Name the causes of events of one block and draw."""
        block, begun, draw = self._up_to(events), events[0].begun, events[0].place[1]
        sets = {cause: frozenset([cause]) for cause in causes} | {WEATHER: frozenset(causes)}
        lost = dict(self._lost_without(block, begun, draw, list(sets.values())))
        remaining = {cause: lost[off] for cause, off in sets.items()}
        for worst in events:
            worst.event = replace(worst.event, cause=cause_of(worst.event, remaining, block.case.step_h))

    def describe_events(self) -> None:
        """Say what came together in the worst events."""
        for worst in self.events:
            block, draw = worst.block, worst.place[1]
            met = Met(
                block.of_draw(draw, self._off),
                self.plant,
                self.environment.climatology,
                self.environment.outages,
                self._sample(worst.begun, draw),
                block.state(draw, self._off),
            )
            worst.event = replace(worst.event, circumstances=circumstances(worst.event, met))

    @property
    def _off(self) -> frozenset[str]:
        return self.environment.outages.off

    def _up_to(self, events: Sequence[_WorstEvent]) -> WeatherBlock:
        """Give the years of a block that say all of some events in it: those that come later change nothing.

        A forecast sees some days ahead; calls of a connection are known before they come.
        """
        block = events[0].block
        if block.case.imports:
            return block
        case, ahead_h = block.case, 24.0 * (self.environment.forecast.days + 2)
        last = max(worst.event.start_step * case.step_h + worst.event.duration_h for worst in events)
        years = int((last + ahead_h) // _HOURS_PER_YEAR) + 1
        return block.first_years(years) if years < case.years else block

    def _lost_without(
        self,
        block: WeatherBlock,
        begun: _Begun,
        draw: int,
        sets: Sequence[frozenset[str]],
        reruns: Reruns | None = None,
    ) -> Iterator[tuple[frozenset[str], FloatArray]]:
        """Lost compute of every step of a block, for each of some sets of causes switched off. [MWh]

        The fewer causes a set has not in common with the one before, the sooner it is run; `reruns` are those
        of a run with nothing off.
        """
        of_the_grid, sample = frozenset[str](), self._sample(begun, draw)
        for off in sets:
            if reruns is None or off & OF_THE_GRID != of_the_grid:
                of_the_grid = off & OF_THE_GRID
                reruns = self._reruns(block, begun, draw, sample, of_the_grid)
            yield off, reruns.lost_mwh(off)

    def _reruns(
        self,
        block: WeatherBlock,
        begun: _Begun,
        draw: int,
        sample: OutageSample,
        of_the_grid: frozenset[str] = frozenset(),
    ) -> Reruns:
        """Lay out runs of a block without some causes, those of the grid among them that are given."""
        return Reruns(
            block.of_draw(draw, self._off | of_the_grid),
            self.plant,
            self.controller,
            self.environment,
            sample,
            begun.forecast_factors,
            begun.stored_mwh,
        )

    def _sample(self, begun: _Begun, draw: int) -> OutageSample:
        """Draw what fails, once; a plant takes no notice of what it does not have."""
        if begun.sampled:
            return begun.sampled[0]
        plant, sizes = self.plant, {"battery": self.plant.battery_mwh, "solar": self.plant.resources_mw[0]}
        model = self.environment.outages.without(*(name for name, size in sizes.items() if size == 0.0))
        seed, sizes_mw = self.plan.seed, plant.resources_mw
        sample = sample_outages(model, plant.units, begun.conditions, draw, seed, sizes_mw)
        begun.sampled.append(sample)
        return sample

    def _interruptions(self, begun: _Begun, draw: int) -> Interruptions:
        """Hours in which supplies that the plant uses are out under one draw, and those to be expected."""
        model, sample = self.environment.outages, self._sample(begun, draw)
        events = sample.step, sample.kind, sample.index, sample.change
        return interruptions(model, *events, begun.conditions).of(in_use(model, self.plant.units))

    def metrics(self, case: Case) -> UptimeMetrics:
        """All metrics of the years so far."""
        short = rack_shortfall(self.plant.racks, case.racks_contracted, case.rack_availability)
        return metrics_of_years(self._table(), short, self.plan.seed, self.plan.floor_share)

    def _table(self) -> YearTable:
        """Totals of all years so far, with what is known of luck in them."""
        return replace(self.each_year(), beyond_h=beyond_of(self.interruptions, LEAST_EVENTS))

    def each_year(self) -> YearTable:
        """Totals of all years so far, as they were."""
        return YearTable.concat([item.table for item in self.figures])

    def by_year(self, name: str) -> FloatArray:
        """Put one of the figures in sequence, years along the last axis."""
        result: FloatArray = np.concatenate([getattr(item, name) for item in self.figures], axis=-1)
        return result

    def mean(self, name: str) -> FloatArray:
        """Give a figure that is a total over the years of a run for the mean year."""
        return np.asarray(sum(getattr(item, name) for item in self.figures)) / self.simulated

    def classes(self, case: Case) -> tuple[ClassUptime, ...]:
        """Say what uptime each class has; empty where the load has only one."""
        if not case.load_classes:
            return ()
        short = rack_shortfall(self.plant.racks, case.racks_contracted, case.rack_availability)
        table, lost = self._table(), self.by_year("lost_by_class")
        uptimes = [uptime_of_losses(table, row, short, self.plan.seed) for row in lost]
        return tuple(
            ClassUptime(
                part.name, part.uptime_target, uptime, uptime.met(part.uptime_target, self.plan.confidence)
            )
            for part, uptime in zip(case.classes, uptimes, strict=True)
        )


def _by_year(case: Case, series: FloatArray) -> FloatArray:
    result: FloatArray = series.reshape(case.years, -1).sum(axis=1)
    return result


def _converged(metrics: UptimeMetrics, plan: CertificatePlan) -> bool:
    width = getattr(metrics, plan.metric).half_width(plan.confidence)
    return bool(width <= CONVERGED_SHARE * (1.0 - (plan.target or 0.0)))


def _certificate(run: _Tally, case: Case) -> Certificate:
    plan, target = run.plan, run.plan.target or 0.0
    metrics = run.metrics(case)
    estimate: Estimate = getattr(metrics, plan.metric)
    classes = run.classes(case)
    causes = cause_shares(run.losses)
    table, energy = run.each_year(), run.by_year("backup_mwh")
    share = energy.sum(axis=0) / table.load_mwh
    backup_mwh = tuple((energy.sum(axis=1) / run.simulated).tolist())
    cuts = np.cumsum(run.plant.units)[:-1]
    run_h, starts, failed = (
        tuple(tuple(map(float, part)) for part in np.split(row, cuts)) for row in run.mean("per_unit")
    )
    used, burnt_mwh = run.by_year("used"), run.mean("burnt_mwh").tolist()
    capped = [float(row.sum()) for row in used], [float(row.max()) for row in used]
    on = np.concatenate([item.on for item in run.figures if item.on.size], axis=2).mean(axis=2)
    operating_usd = run.by_year("operating_usd")
    by_weather_year = np.argsort(table.cluster, kind="stable")
    lost_h = (_HOURS_PER_YEAR * table.lost_mwh / table.load_mwh)[by_weather_year]
    mean_share = [float(share[table.cluster == c].mean()) for c in np.unique(table.cluster)]
    spread = (
        float(np.std(mean_share, ddof=1)) / len(mean_share) ** 0.5 if len(mean_share) > 1 else float("nan")
    )
    short_mw = max(item.reserve_short_mw for item in run.figures)
    reserve = reserve_use(case.reserve, run.by_year("reserve_short_h"), short_mw, table.cluster, plan.seed)
    kept = all(part.met for part in classes) if classes else estimate.met(target, plan.confidence)
    return Certificate(
        metrics=metrics,
        metric=plan.metric,
        target=target,
        confidence=plan.confidence,
        met=kept and (reserve is None or reserve.met),
        converged=_converged(metrics, plan),
        half_width=estimate.half_width(plan.confidence),
        weather_years=run.first_year,
        draws=plan.draws,
        simulated_years=run.simulated,
        seed=plan.seed,
        controller=run.controller,
        causes={cause: share for cause, (share, _) in causes.items()},
        cause_errors={cause: error for cause, (_, error) in causes.items()},
        backup_mwh_per_yr=backup_mwh,
        fuel_mmbtu_per_yr=tuple(run.mean("fuel_mmbtu").tolist()),
        backup_share=Estimate(float(energy.sum() / table.load_mwh.sum()), spread, len(mean_share), plan.seed),
        operating_cost_usd_per_yr=float(operating_usd.mean()),
        run_h_per_yr=run_h,
        starts_per_yr=starts,
        failed_starts_per_yr=failed,
        battery_cycles_per_yr=float(run.mean("cycled_mwh")) / run.plant.battery_mwh
        if run.plant.battery_mwh > 0
        else 0.0,
        events=tuple(worst.event for worst in run.events),
        power_lost_h_by_year=tuple(lost_h.tolist()),
        operating_usd_by_year=tuple(operating_usd[by_weather_year].tolist()),
        classes=classes,
        off=tuple(cause for cause in CAUSES if cause in run.environment.outages.off),
        co2_t_per_yr=float(run.mean("co2_t")),
        exchange=exchange_use(run.use, table.cluster, plan.seed),
        reserve=reserve,
        battery_duty=run.figures[0].duty,
        site_on_h_per_yr=float(on[0, -1]),
        site_night_on_h_per_yr=float(on[1, -1]),
        technologies=technology_uses(case, run.plant, (run_h, starts), burnt_mwh, backup_mwh, on.T),
        interruptions=_supply_hours(run),
        capped=cap_uses(case, *capped, run.simulated),
    )


def _supply_hours(run: _Tally) -> tuple[SupplyHours, ...]:
    """Say how long supplies were out in the mean year, and how long they are in the long run."""
    model = run.environment.outages
    names = np.array(supplies(model))[in_use(model, run.plant.units)].tolist()
    met = np.concatenate([item.met_h for item in run.interruptions]).mean(axis=0)
    beyond = np.concatenate([item.beyond_h for item in run.interruptions]).mean(axis=0)
    long_run = met - beyond.reshape(2, -1).sum(axis=0)
    enough = are_enough(run.interruptions, LEAST_EVENTS).tolist()
    return tuple(
        SupplyHours(*row) for row in zip(names, met.tolist(), long_run.tolist(), enough, strict=True)
    )
