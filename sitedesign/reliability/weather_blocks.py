"""Weather years in blocks, so that a thousand of them need not be in memory at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.case import Case
from sitedesign.case.years import with_series

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WeatherBlock:
    """Some weather years of one study.

    Attributes
    ----------
    case : Case
        Capability in one row per technology, without outages.
    temp_air_c : ndarray, shape (T,)
        [degrees C]
    """

    case: Case
    temp_air_c: FloatArray


Builder = Callable[[int], WeatherBlock]


def listed(weather: WeatherBlock | Sequence[WeatherBlock] | Builder) -> Sequence[WeatherBlock]:
    """Give weather that is all there as a sequence."""
    if isinstance(weather, WeatherBlock):
        return [weather]
    if not callable(weather):
        return weather
    message = "years: got nothing; say how many weather years the callable is to give"
    raise ValueError(message)


def blocks_of(
    weather: WeatherBlock | Sequence[WeatherBlock] | Builder, years: int | None
) -> Iterable[WeatherBlock]:
    """Give blocks until there are enough years; the last one is cut."""
    given, number = 0, 0
    known = None if callable(weather) and years is not None else listed(weather)
    while years is None or given < years:
        if known is None:
            block = weather(number)  # type: ignore[operator]
        elif number < len(known):
            block = known[number]
        else:
            return
        if years is not None and given + block.case.years > years:
            block = _cut(block, years - given)
        yield block
        given, number = given + block.case.years, number + 1


def _cut(block: WeatherBlock, years: int) -> WeatherBlock:
    case = block.case
    steps = case.steps // case.years * years
    shorter = with_series(case, lambda series: series[:steps], years=years)
    return WeatherBlock(shorter, block.temp_air_c[:steps])
