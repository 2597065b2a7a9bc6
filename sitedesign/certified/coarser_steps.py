"""Weather years on longer steps, which a search runs in half the time or less.

Means over the longer step keep all energy. What the operator does within it is left to the certificate, which
is on the study's own steps, as bounds and the design itself are.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sitedesign.case.case import Case, FloatArray
from sitedesign.case.years import with_series
from sitedesign.operation.environment import OperatingEnvironment
from sitedesign.operation.forecast import climatology
from sitedesign.reliability.weather_blocks import WeatherBlock

#: Least step of what a search evaluates on all years, and of the estimates near an evaluated plant, of which
#: only the difference to that plant is taken. [h]
EVALUATED_STEP_H, ESTIMATED_STEP_H = 1.0, 2.0


def has_finer_steps(case: Case, step_h: float) -> bool:
    """Whether a case has steps shorter than asked, and series of which a mean can be taken.

    A price that holds in its steps has none, nor has a call to curtail.
    """
    levels = any(item.active_level is not None for item in case.flows)
    return case.step_h < step_h and not (levels or case.imports or case.sinks)


def on_steps_of(case: Case, step_h: float) -> Case:
    """Take means of a case's series over longer steps; the case itself where none can be taken."""
    if not has_finer_steps(case, step_h):
        return case
    return with_series(case, lambda series: _mean(series, round(step_h / case.step_h)), step_h=step_h)


def block_on_steps_of(block: WeatherBlock, step_h: float) -> WeatherBlock:
    """Take the same of weather years."""
    case = on_steps_of(block.case, step_h)
    if case is block.case:
        return block
    return replace(block, case=case, temp_air_c=_mean(block.temp_air_c, round(step_h / block.case.step_h)))


def environment_on_steps_of(environment: OperatingEnvironment, own: WeatherBlock) -> OperatingEnvironment:
    """Know the climate in the steps of the study's own years; as it is where these are its steps."""
    known = environment.climatology
    if known.load_mw.size * own.case.years == own.case.steps:
        return environment
    usual = climatology(own.case, own.temp_air_c)
    if known.many_years_c.size:  # in order already, and many
        usual = replace(usual, daily_temp_c=known.daily_temp_c, many_years_c=known.many_years_c)
    return replace(environment, climatology=usual)


def _mean(series: FloatArray, steps: int) -> FloatArray:
    # Numpy's own mean takes four times as long over so few
    total: FloatArray = np.einsum("...k->...", series.reshape(*series.shape[:-1], -1, steps))
    return total / steps
