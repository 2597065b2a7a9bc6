"""Weather years for searches and for certificates: of the same climate, and never the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from sitedesign.case.build import StudyCase, on_other_years
from sitedesign.case.case import FloatArray
from sitedesign.case.grid_supply import IntArray, OtherYears, with_wires
from sitedesign.case.rack_shortfall import with_racks
from sitedesign.certified.coarser_steps import EVALUATED_STEP_H, block_on_steps_of
from sitedesign.reliability.control_variates import LONG_RUN_YEARS
from sitedesign.reliability.weather_blocks import Builder, WeatherBlock
from sitedesign.study.study import Study
from sitedesign.util.threads import at_once
from sitedesign.weather.bootstrap import FEWEST_YEARS as BOOTSTRAP_YEARS
from sitedesign.weather.bootstrap import drawn_days
from sitedesign.weather.generate import daily_temperature_c
from sitedesign.weather.site import Site
from sitedesign.weather.weather import Weather

BLOCK_YEARS = 20
_CERTIFICATE_STREAM = 0x5EED  # keeps the years of certificates apart from those that a study generates itself
_LONG_RUN_STREAM = 0x10C6  # seed of the years of which only temperatures are drawn
_SEARCH_STREAM = 0x5EA7C4  # keeps the years of searches apart from those of certificates


def weather_block(study_case: StudyCase) -> WeatherBlock:
    """Weather years of a study as the evaluator reads them."""
    return WeatherBlock(study_case.case, study_case.weather.temp_air_c.ravel(), study_case.grid)


def search_years(study_case: StudyCase, years: int, seed: int) -> list[WeatherBlock]:
    """Weather years for a search: the study's own, then others of the same climate.

    They are on whole hours where means over the hour can be taken
    (:mod:`sitedesign.certified.coarser_steps`). A record too short to draw from is all there is: then its
    years come again, each time under other failures and forecast errors.
    """
    build, source = unseen_years(study_case, search_seed(seed))
    more = max(years - study_case.case.years, 0)
    numbers = range(math.ceil(more / (source.given_years or BLOCK_YEARS)))
    drawn = at_once(lambda number: block_on_steps_of(build(number), EVALUATED_STEP_H), numbers)
    return [block_on_steps_of(weather_block(study_case), EVALUATED_STEP_H), *drawn]


def search_seed(seed: int) -> int:
    """Seed of the years that a search draws beside the study's own."""
    return seed ^ _SEARCH_STREAM


def temperature_of_many_years_c(study_case: StudyCase) -> FloatArray:
    """Daily mean temperatures of many years like the unseen ones, shape (years, 365). [degrees C]

    None, shape (0, 365), where these are not generated: more years than those of a record nobody knows.
    """
    study, own = study_case.study, study_case.weather
    generated = own.source.kind == "generated" or study.solar_profile is not None
    if not generated or _too_few_to_draw_from(study_case) is not None:
        return np.zeros((0, 365))
    return _many_temperatures_c(study.site, own.step_minutes)


@lru_cache(maxsize=2)  # every look of a search asks for them
def _many_temperatures_c(site: Site, step_minutes: int) -> FloatArray:
    return daily_temperature_c(site, LONG_RUN_YEARS, _LONG_RUN_STREAM, step_minutes)


def weather_to_share(study_case: StudyCase, years: int, seed: int) -> dict[int, Weather]:
    """Draw the weather of the first blocks of :func:`unseen_years` for all studies of the same place.

    Returns
    -------
    dict of int to Weather
        For ``StudyCase.known_weather``; nothing where the given years are all there is.
    """
    if _too_few_to_draw_from(study_case) is not None:
        return {}
    draw, _ = _source_of_years(study_case.study)
    states = [_state(seed, number) for number in range(math.ceil(years / BLOCK_YEARS))]
    return dict(zip(states, at_once(draw, states), strict=True))


@dataclass(frozen=True)
class YearsSource:
    """Where the weather years of a certificate come from.

    Attributes
    ----------
    text : str
        In plain words.
    given_years : int
        Years that were given and are operated again and again, each time under other failures and forecast
        errors; 0 where every year is another one.
    """

    text: str
    given_years: int = 0


def unseen_years(study_case: StudyCase, seed: int) -> tuple[Builder, YearsSource]:
    """Give weather years that the study's own design never saw.

    What the user gave stays what it is: years are drawn from a measured record and from his profiles, those
    of one day together. Where they are too few to draw from, they are all there is, and the source says so.

    Parameters
    ----------
    study_case : StudyCase
        The study's own years, perhaps with fewer racks than it contracts: then fewer run in all.
    seed : int
        Same seed, same years.

    Returns
    -------
    callable
        Block number -> WeatherBlock, of 20 years or of those that were given.
    YearsSource
    """
    study = study_case.study
    few = _too_few_to_draw_from(study_case)
    if few is not None:
        block = weather_block(study_case)
        return lambda number: _called_anew(block, _state(seed, number)), few
    draw, text = _source_of_years(study)
    bare = study.replace(solar_profile=None, load_profile=None)

    @lru_cache(maxsize=2)
    def build(number: int) -> WeatherBlock:
        state = _state(seed, number)
        days = _drawn_days(study_case, state)
        known = {} if study_case.drawn is None else study_case.drawn
        if state not in known:
            takers = tuple(item.prices for item in study_case.surplus)
            other = OtherYears(study_case.grid, *days, state, takers)
            weather = (study_case.known_weather or {}).get(state) or draw(state)
            known[state] = weather_block(on_other_years(study_case, bare, weather, other))
        block: WeatherBlock = known[state]
        block = replace(block, case=with_racks(block.case, study_case.case.racks_contracted))
        own = _own_series(study_case, *days)
        case = block.case.with_resource(yield_mw_per_mw=own["solar"]) if "solar" in own else block.case
        return replace(block, case=replace(case, load_mw=own["load"]) if "load" in own else case)

    return build, YearsSource(text)


def _state(seed: int, number: int) -> int:
    """Seed of everything in one block of years."""
    return int(np.random.SeedSequence([_CERTIFICATE_STREAM, seed, number]).generate_state(1)[0])


def _called_anew(block: WeatherBlock, seed: int) -> WeatherBlock:
    """Give the same years other calls and interruptions of the connection."""
    if block.grid is None:
        return block
    draws = replace(block.grid.draws, seed=seed)
    grid = replace(block.grid, draws=draws, state=draws.state())
    return replace(block, case=with_wires(block.case, grid.state), grid=grid)


def _too_few_to_draw_from(study_case: StudyCase) -> YearsSource | None:
    """Say so where the study's own years are too few or too typical to draw others from; None otherwise."""
    study, years = study_case.study, study_case.case.years
    what = "the user's own solar profile"
    if study.solar_profile is None:
        what = study_case.weather.source.description
        if study_case.weather.source.kind == "generated":
            return None
    if years >= BOOTSTRAP_YEARS and not study_case.weather.source.is_tmy:
        return None
    again = "the one year" if years == 1 else f"the {years} years"
    text = (
        f"{again} of {what} again, under other failures and forecast errors each time: nothing is said of "
        f"other weather, which takes {BOOTSTRAP_YEARS} real years or more"
    )
    return YearsSource(text, years)


def _source_of_years(study: Study) -> tuple[Callable[[int], Weather], str]:
    """How more years of a study's weather are made."""
    own = study.weather
    load = "" if study.load_profile is None else ", with the user's own load profile"
    if own is not None and own.source.kind != "generated":
        return lambda seed: own.bootstrap(BLOCK_YEARS, seed=seed), f"block bootstrap of the record{load}"
    step = own.step_minutes if own is not None else study.step_minutes or 60
    text = f"generated years that the search never saw{load}"
    if study.solar_profile is not None:
        text = f"block bootstrap of the user's own solar profile{load}, under generated air temperatures"
    return lambda seed: Weather.generate(
        study.site, years=BLOCK_YEARS, seed=seed, step_minutes=step, wind=bool(study.wind)
    ), text


def _drawn_days(study_case: StudyCase, seed: int) -> tuple[IntArray, IntArray]:
    """Draw the year, by position, and the day of the study's own series that each day of a block is."""
    study, weather = study_case.study, study_case.weather
    if study.solar_profile is not None:
        # A day keeps its date: nobody knows how a yield would change with the season
        return drawn_days(weather.years, BLOCK_YEARS, seed, season_days=0)
    if weather.source.kind == "generated":
        # A load or a price that no weather goes with: whole years of it, in any order
        rng = np.random.default_rng([_CERTIFICATE_STREAM, seed])
        years = rng.integers(study_case.case.years, size=BLOCK_YEARS)
        return np.repeat(years, 365), np.tile(np.arange(365), BLOCK_YEARS)
    return drawn_days(weather.years, BLOCK_YEARS, seed)  # the days that the weather is drawn from


def _own_series(study_case: StudyCase, row: IntArray, day: IntArray) -> dict[str, FloatArray]:
    """Pick days of the user's own profiles: what stands in for computed series."""
    study, case = study_case.study, study_case.case
    given = {
        "solar": (study.solar_profile, case.resources[0].yield_mw_per_mw),
        "load": (study.load_profile, case.load_mw),
    }
    return {
        name: np.ascontiguousarray(series.reshape(case.years, 365, -1)[row, day].ravel())
        for name, (profile, series) in given.items()
        if profile is not None
    }
