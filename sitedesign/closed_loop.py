"""Closed loop: size for the operator who will really run the plant, starting from proven optima.

A judge runs a plant causally through weather years under sampled outages, always with the same random
numbers, so that two plants differ by what they are and not by luck (:mod:`sitedesign.judge`). A pattern
search moves capacities, units, racks and the controller; its yardstick is annual cost plus a price on
whatever compute is missing from the target. A certificate on unseen years has the last word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sitedesign import economics
from sitedesign.case import Case, Plant
from sitedesign.certification import Metric, Setting, block_of, certify
from sitedesign.judge import Judge, Trial
from sitedesign.prepare import Prepared
from sitedesign.reliability.certificate import Certificate
from sitedesign.reliability.machine import Controller
from sitedesign.reliability.outages import OutageSky, sample_outages, unit_availability

# First steps of the search, halved three times: hours of mean load, then what is tuned of the controller.
STEP_H = {"solar_mw": 0.25, "battery_mwh": 1.0, "battery_mw": 0.1}
STEP_RULE = {"caution": 1.0, "reliance": 0.2, "margin_h": 1.0}
RULE_BOUNDS = {"caution": (0.0, 6.0), "reliance": (0.1, 1.0), "margin_h": (0.0, 48.0)}
HALVINGS = 3
FIRST_CAUTIONS = (1.0, 2.0, 4.0)
MISS_PRICE_FACTORS = (3.0, 12.0, 60.0)
LEAST_MISS_PRICE = 2_000.0  # USD per missing MWh
SPARE_UNITS = 6  # beyond what carries the peak alone: units that may be broken
SMALL_UNIT_SHARE = 0.04  # of the mean load; smaller units are taken together

Say = Callable[[str], None]


@dataclass(frozen=True)
class Effort:
    """How long to search.

    Attributes
    ----------
    trials : int
        Most plants judged per price of missing compute in the first round; a third of it in later ones.
    draws : int
        Draws of outages of each of the study's weather years.
    certificate_years : int
        Unseen weather years of each certificate.
    rounds : int
        Certificates before giving up.
    """

    trials: int = 120
    draws: int = 2
    certificate_years: int = 200
    rounds: int = 5


@dataclass(frozen=True)
class Loop:
    """Outcome of the closed loop.

    Attributes
    ----------
    best : Trial
        On the search's years.
    certificate : Certificate
        On years and seeds that the search never saw.
    rounds, trials : int
        Certificates that were needed, plants judged.
    """

    best: Trial
    certificate: Certificate
    rounds: int
    trials: int


def case_with_outages(prepared: Prepared, setting: Setting, seed: int) -> Case:
    """Put one sampled draw of outages of the units into the capability rows of a case.

    A planner who foresees weather *and* failures sizes on it; his cost is a bound for any operator who meets
    the same years. Small units are taken together by their mean: among fifty, chance averages out.

    Parameters
    ----------
    prepared : Prepared
    setting : Setting
    seed : int
        The judge's, so that both see the same failures.
    """
    case, block = prepared.case, block_of(prepared)
    most = [item.units_max + (SPARE_UNITS if item.units_max else 0) for item in case.backup]
    sky = OutageSky(case.step_h, case.years, 0, block.temp_air_c, setting.usual)
    paths = sample_outages(setting.outages, most, sky, 0, seed)
    backup = []
    for k, item in enumerate(case.backup):
        up = unit_availability(paths, setting.outages, most, k, case.steps)
        if item.unit_mw < SMALL_UNIT_SHARE * _mean_load_mw(case):
            up = up.mean(axis=0, keepdims=True)
        rows = np.ascontiguousarray(item.capability * up)
        backup.append(replace(item, capability=rows, units_max=max(most[k], item.units_min)))
    return replace(case, backup=tuple(backup))


def close_loop(
    prepared: Prepared,
    setting: Setting,
    planned: Sequence[Plant],
    *,
    miss_price_usd_per_mwh: float,
    metric: Metric,
    effort: Effort,
    seed: int,
    say: Say,
) -> Loop:
    """Search, certify, ask for more where the certificate falls short, and search again.

    Parameters
    ----------
    prepared : Prepared
    setting : Setting
    planned : sequence of Plant
        Of planners who see everything: where the search starts.
    miss_price_usd_per_mwh : float
        Price of uptime at such an optimum. [USD/MWh]
    metric : str
        ``rack``, ``compute``, ``site`` or ``floor``.
    effort : Effort
    seed : int
    say : callable
        Takes one line of progress.

    Returns
    -------
    Loop
        Its certificate is met, unless no search reached it.
    """
    goal = target = prepared.case.uptime_target
    price = max(LEAST_MISS_PRICE, miss_price_usd_per_mwh)
    judge = Judge([block_of(prepared)], setting, metric, seed, draws=effort.draws)
    first = [
        (plant, Controller(caution=caution))
        for plant in starts(judge.case, planned)
        for caution in FIRST_CAUTIONS
    ]
    trials, number = effort.trials, 0
    certificate: Certificate | None = None
    while certificate is None or (not certificate.met and number < effort.rounds):
        number += 1
        best = search(judge, first, goal, price, trials, say)
        say(f"certifying on {effort.certificate_years} unseen years")
        certificate = certify(
            prepared,
            best.plant,
            best.controller,
            years=effort.certificate_years,
            draws=1,
            seed=seed + number,
            metric=metric,
            attribute=False,
        )
        # What the search's years flatter, the next search has to have in hand.
        flattery = best.uptime - certificate.uptime.lower_bound(certificate.confidence)
        goal = min(max(goal, target + 1.1 * flattery), 1 - 0.1 * (1 - target))
        first, trials = [(best.plant, best.controller)], effort.trials // 3
    return Loop(best, certificate, number, len(judge.trials))


def starts(case: Case, planned: Sequence[Plant]) -> list[Plant]:
    """Plants to begin with: as planned, and with the spares that a planner who sees everything leaves out."""
    load = _mean_load_mw(case)
    found = []
    for plant in planned:
        spare = tuple(n + 1 if n else 0 for n in plant.units)
        more = replace(plant, units=spare, battery_mwh=plant.battery_mwh + 2 * load)
        found += [plant, replace(plant, units=spare), replace(more, battery_mw=plant.battery_mw + 0.5 * load)]
    return list(dict.fromkeys(inside(plant, case) for plant in found))


def search(
    judge: Judge,
    first: Sequence[tuple[Plant, Controller]],
    target: float,
    price_usd_per_mwh: float,
    most_trials: int,
    say: Say,
) -> Trial:
    """Refine the most promising start; raise the price of missing compute until the target is met.

    Parameters
    ----------
    judge : Judge
    first : sequence of (Plant, Controller)
        Where to start.
    target : float
        Uptime to reach on the judge's years. [fraction]
    price_usd_per_mwh : float
        Of uptime at an optimum with foresight. [USD/MWh]
    most_trials : int
        Trials per price.
    say : callable

    Returns
    -------
    Trial
        The cheapest that meets the target, or the best by merit when none does.
    """
    best = [judge.trial(*pair) for pair in first]
    for factor in MISS_PRICE_FACTORS:
        merit = judge.merit(target, price_usd_per_mwh * factor)
        end = refine(judge, min(best, key=merit), merit, most_trials)
        say(
            f"searching: {len(judge.trials)} plants judged, {end.cost_usd_per_yr / 1e6:,.2f} M USD/yr "
            f"at {end.uptime:.4%} of {target:.4%}"
        )
        met = [trial for trial in judge.trials.values() if trial.meets(target)]
        if met:
            return min(met, key=lambda trial: trial.cost_usd_per_yr)
        best.append(end)
    return min(judge.trials.values(), key=merit)


def refine(judge: Judge, start: Trial, merit: Callable[[Trial], float], most_trials: int) -> Trial:
    """Move a plant downhill until no small step helps.

    Parameters
    ----------
    judge : Judge
    start : Trial
    merit : callable
        What to make small. [USD/yr]
    most_trials : int
        New trials after which to stop.

    Returns
    -------
    Trial
    """
    budget = len(judge.trials) + most_trials
    best, wins = start, dict[str, int]()
    for halving in range(HALVINGS + 1):
        moved = True
        while moved and len(judge.trials) < budget:
            moved = False
            # What helped before is tried first; the sort is stable, so the order is always the same.
            steps = sorted(_neighbours(judge.case, best, halving), key=lambda step: -wins.get(step[0], 0))
            for name, plant, controller in steps:
                trial = judge.trial(plant, controller)
                if merit(trial) < merit(best) * (1 - 1e-5):
                    best, moved = trial, True
                    wins[name] = wins.get(name, 0) + 1
                    break
                if len(judge.trials) >= budget:
                    break
    return best


def _neighbours(case: Case, trial: Trial, halving: int) -> Iterator[tuple[str, Plant, Controller]]:
    """Yield single steps in every direction, and the exchanges that pay most often, each with its name."""
    plant, rule = trial.plant, trial.controller
    scale, load = 0.5**halving, _mean_load_mw(case)
    step = {name: hours * scale * load for name, hours in STEP_H.items()}
    for sign in (1, -1):
        for name, size in STEP_RULE.items():
            value = float(np.clip(getattr(rule, name) + sign * size * scale, *RULE_BOUNDS[name]))
            changed = replace(rule, **{name: value})  # type: ignore[arg-type]  # names of numbers only
            if changed != rule:
                yield f"{name} {sign}", plant, changed
        for name, move in _moves(case, plant, step, sign, scale, halving):
            changed_plant = inside(replace(plant, **move), case)
            if changed_plant != plant:
                yield f"{name} {sign}", changed_plant, rule
    for k, fewer in enumerate(plant.units if halving == 0 else ()):
        for j, item in enumerate(case.backup):
            if j != k and fewer > 0:
                count = max(1, round(case.backup[k].unit_mw / item.unit_mw))
                units = tuple(n - (i == k) + count * (i == j) for i, n in enumerate(plant.units))
                yield f"swap {k} {j}", inside(replace(plant, units=units), case), rule


def _moves(
    case: Case, plant: Plant, step: dict[str, float], sign: int, scale: float, halving: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield changes of a plant by name."""
    now = {name: getattr(plant, name) for name in step}
    more = {name: now[name] + sign * step[name] for name in step}
    less = {name: now[name] - sign * step[name] for name in step}
    for name in step:
        yield name, {name: more[name]}
    yield "battery", {name: more[name] for name in ("battery_mwh", "battery_mw")}
    yield "solar for battery", {"solar_mw": more["solar_mw"], "battery_mwh": less["battery_mwh"]}
    yield "racks", {"racks": plant.racks + sign}
    for k, item in enumerate(case.backup):
        if halving > 0 and not plant.units[k]:
            continue  # a technology that no large step wanted
        # One unit, or of small ones as many as make a difference.
        for count in sorted({1, max(1, round(0.15 * scale * _mean_load_mw(case) / item.unit_mw))}):
            units = tuple(n + sign * count * (i == k) for i, n in enumerate(plant.units))
            yield f"{item.name} {count}", {"units": units}
            yield f"{item.name} {count} for battery", {"units": units, "battery_mwh": less["battery_mwh"]}


def inside(plant: Plant, case: Case) -> Plant:
    """Bring a plant back inside the limits of its case."""
    limits = case.limits
    solar_most = limits.solar_mw[1]
    if limits.land_acres is not None:
        solar_most = min(solar_most, limits.land_acres / case.solar_acres_per_mw)
    solar = float(np.clip(plant.solar_mw, limits.solar_mw[0], solar_most))
    energy = float(np.clip(plant.battery_mwh, *limits.battery_mwh))
    power = float(np.clip(plant.battery_mw, *limits.battery_mw))
    if limits.min_duration_h is not None:
        power = min(power, energy / limits.min_duration_h)
    if limits.max_duration_h is not None:
        energy = min(energy, power * limits.max_duration_h)
    late = limits.months_to_power
    units = []
    for item, n in zip(case.backup, plant.units, strict=True):
        most = item.units_max if item.units_max == item.units_min else item.units_max + SPARE_UNITS
        units.append(
            0 if late is not None and item.lead_months > late else int(np.clip(n, item.units_min, most))
        )
    racks = int(np.clip(plant.racks, case.racks_contracted, case.racks_max))
    return Plant(solar, energy, power, tuple(units), racks)


def _mean_load_mw(case: Case) -> float:
    return case.load_mwh_per_yr / economics.HOURS_PER_YEAR
