"""Certification of a design: weather it never saw, outages, and an operator without foresight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from sitedesign.case import Plant
from sitedesign.prepare import Prepared, prepare
from sitedesign.reliability.certificate import Certificate
from sitedesign.reliability.certify import certify_case
from sitedesign.reliability.forecast import Climatology, Forecast, climatology
from sitedesign.reliability.machine import Controller, UnitBehaviour
from sitedesign.reliability.outages import OutageModel
from sitedesign.reliability.restart import Restart
from sitedesign.reliability.weather_blocks import Builder, WeatherBlock
from sitedesign.resource.weather import Weather
from sitedesign.study import Study

Metric = Literal["rack", "compute", "site", "floor"]
BLOCK_YEARS = 20
BOOTSTRAP_YEARS = 6  # shortest record from which years may be drawn
THROTTLING_CAUTION = 0.5  # standard deviations of the forecast's error
_STREAM = 0x5EED  # keeps the years of certificates apart from those that a study generates for itself


@dataclass(frozen=True, eq=False)
class Setting:
    """What surrounds a plant when it is judged: failures, the ways of its units, what the operator knows.

    Attributes
    ----------
    outages : OutageModel
    behaviour : tuple of UnitBehaviour
        Per technology of the study.
    forecast : Forecast
    usual : Climatology
        The climate as the operator knows it: from the study's own weather years.
    restart : Restart
        What it costs a rack to start again.
    """

    outages: OutageModel
    behaviour: tuple[UnitBehaviour, ...]
    forecast: Forecast
    usual: Climatology
    restart: Restart

    @property
    def fuels(self) -> list[str]:
        """Fuel names in the order in which the outages number them."""
        return [fuel.name for fuel in self.outages.fuels]


def figure_of(metric: Metric) -> Metric:
    """Name of the figure among the uptime metrics that a study's target is for.

    ``rack`` and ``compute`` are one figure: their difference lies in the tiers of the load.
    """
    return "rack" if metric == "compute" else metric


def setting_of(prepared: Prepared, forecast: Forecast | None = None) -> Setting:
    """Take every rate of a study's setting from its library entries."""
    study = prepared.study
    fuels = {str(item.fuel): study.fuel(item) for item in study.backup}
    return Setting(
        outages=OutageModel.from_library(study.backup, fuels, study.battery, study.pv, study.facility),
        behaviour=tuple(
            UnitBehaviour.from_library(item, fuels[item.fuel], study.facility, study.co2_price_usd_per_t)
            for item in study.backup
        ),
        forecast=forecast or Forecast(),
        usual=climatology(prepared.case, prepared.weather.temp_air_c.ravel()),
        restart=Restart.from_library(study.rack),
    )


def block_of(prepared: Prepared) -> WeatherBlock:
    """Weather years of a prepared study as the judge reads them."""
    return WeatherBlock(prepared.case, prepared.weather.temp_air_c.ravel())


def usual_rule(study: Study) -> Controller:
    """Rule of operation where none was tuned or given.

    A throttled plant is run with little caution: to throttle early for clouds that mostly stay away costs
    more compute than it saves.
    """
    return Controller(caution=THROTTLING_CAUTION) if study.metric == "compute" else Controller()


def unseen_years(study: Study, seed: int) -> tuple[Builder, str]:
    """Give weather years that the study's own design never saw.

    Parameters
    ----------
    study : Study
    seed : int
        Same seed, same years.

    Returns
    -------
    callable
        Block number -> WeatherBlock of 20 years.
    str
        Where the years come from, in plain words.
    """
    draw, source = _source_of_years(study)

    @lru_cache(maxsize=2)
    def build(number: int) -> WeatherBlock:
        state = np.random.SeedSequence([_STREAM, seed, number]).generate_state(1)
        return block_of(prepare(study.replace(weather=draw(int(state[0])), solar_profile=None)))

    return build, source


def _source_of_years(study: Study) -> tuple[Callable[[int], Weather], str]:
    """How more years of a study's weather are made."""
    own = study.weather
    if own is None or own.source.kind == "generated":
        step = own.step_minutes if own is not None else study.step_minutes or 60
        return (
            lambda seed: Weather.generate(study.site, years=BLOCK_YEARS, seed=seed, step_minutes=step),
            "generated years that the search never saw",
        )
    if len(own.years) >= BOOTSTRAP_YEARS and not own.source.is_tmy:
        return lambda seed: own.bootstrap(BLOCK_YEARS, seed=seed), "block bootstrap of the measured record"
    return lambda _seed: own, "the same weather years again (the record is too short for a bootstrap)"


def certify(
    prepared: Prepared,
    plant: Plant,
    controller: Controller,
    *,
    years: int = 200,
    draws: int = 5,
    seed: int = 7,
    metric: Metric = "rack",
    confidence: float = 0.95,
    forecast: Forecast | None = None,
    attribute: bool = True,
    attribute_years: int | None = None,
    events: int = 10,
    without: Sequence[str] = (),
    stop_when_converged: bool = False,
    promised: dict[str, float] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Certificate:
    """Operate a plant causally through weather years and outages that its design never saw.

    Parameters
    ----------
    prepared : Prepared
    plant : Plant
    controller : Controller
    years, draws : int
        Weather years, and draws of outages of each.
    seed : int
    metric : str
    confidence : float
        One-sided, for `met`. [fraction]
    forecast : Forecast, optional
    attribute : bool
        Re-run with each cause off.
    attribute_years : int, optional
        Weather years that are re-run; all when left out.
    events : int
        Worst events to keep, each with its cause where causes are asked for.
    without : sequence of str
        Causes of failure that are switched off.
    stop_when_converged : bool
        Stop after the weather years at which the half-width is small enough.
    promised : dict, optional
        What the optimiser promised.
    progress : callable, optional
        Called with (years done, years in all).

    Returns
    -------
    Certificate
    """
    setting = setting_of(prepared, forecast)
    build, _ = unseen_years(prepared.study, seed)
    return certify_case(
        build,
        plant,
        setting.outages.without(*without),
        behaviour=setting.behaviour,
        controller=controller,
        forecast=setting.forecast,
        usual=setting.usual,
        restart=setting.restart,
        years=years,
        draws=draws,
        seed=seed,
        metric=metric,
        confidence=confidence,
        attribute=attribute,
        attribute_years=attribute_years,
        events=events,
        stop_when_converged=stop_when_converged,
        promised=promised,
        progress=progress,
    )
