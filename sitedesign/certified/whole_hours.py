"""A study of finer steps on whole hours, which a search runs in half the time or less.

Means over the hour keep all energy. What the operator does within an hour is left to the certificate, which
is on the study's own steps, as bounds and the design itself are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sitedesign.case.build import StudyCase
from sitedesign.case.case import Case, FloatArray
from sitedesign.case.years import with_series
from sitedesign.operation.environment import OperatingEnvironment
from sitedesign.operation.forecast import climatology
from sitedesign.reliability.weather_blocks import WeatherBlock
from sitedesign.weather.weather import Weather

_SERIES = ("ghi_w_m2", "dni_w_m2", "dhi_w_m2", "temp_air_c", "wind_speed_m_s")


def has_finer_steps(case: Case) -> bool:
    """Whether a case has steps below an hour, and series of which a mean can be taken.

    A price that holds in its steps has none, nor has a call to curtail.
    """
    levels = any(item.active_level is not None for item in case.flows)
    return case.step_h < 1 and not (levels or case.imports or case.sinks)


def on_whole_hours(study_case: StudyCase) -> StudyCase:
    """Take means over the hour of a study's series; the study itself where none can be taken."""
    if not has_finer_steps(study_case.case):
        return study_case
    case, weather = study_case.case, study_case.weather
    return replace(study_case, case=_hourly(case), weather=_hourly_weather(weather))


def environment_on_whole_hours(
    study_case: StudyCase, environment: OperatingEnvironment
) -> OperatingEnvironment:
    """Take means over the hour of what the operator knows of the climate."""
    if not has_finer_steps(study_case.case):
        return environment
    hourly = on_whole_hours(study_case)
    usual = climatology(hourly.case, hourly.weather.temp_air_c.ravel())
    return replace(environment, climatology=usual.with_many_years(environment.climatology.many_years_c))


def block_on_whole_hours(block: WeatherBlock) -> WeatherBlock:
    """Take the same of weather years."""
    if not has_finer_steps(block.case):
        return block
    return replace(block, case=_hourly(block.case), temp_air_c=_mean(block.temp_air_c, block.case.step_h))


def _hourly(case: Case) -> Case:
    return with_series(case, lambda series: _mean(series, case.step_h), step_h=1.0)


def _mean(series: FloatArray, step_h: float) -> FloatArray:
    mean: FloatArray = series.reshape(*series.shape[:-1], -1, round(1 / step_h)).mean(axis=-1)
    return mean


def _hourly_weather(weather: Weather) -> Weather:
    step_h = weather.step_h
    wind = weather.wind_aloft and weather.wind_aloft.at(lambda series: _mean(series, step_h))
    series: dict[str, Any] = {name: _mean(getattr(weather, name), step_h) for name in _SERIES}
    return replace(weather, step_minutes=60, sun_offset_minutes=30.0, wind_aloft=wind, **series)
