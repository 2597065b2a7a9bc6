"""Weather years in blocks, so that a thousand of them need not be in memory at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.case import Case
from sitedesign.case.grid_supply import GridSupply, with_wires
from sitedesign.case.years import with_series
from sitedesign.components.grid_connection import WireState
from sitedesign.util.threads import ahead

FloatArray = NDArray[np.float64]
#: Causes that are part of the weather years, not of the outages that are drawn beside them.
OF_THE_GRID = frozenset(("grid_calls", "grid_wires"))


@dataclass(frozen=True, eq=False)
class WeatherBlock:
    """Some weather years of one study.

    Attributes
    ----------
    case : Case
        Capability in one row per technology, without outages.
    temp_air_c : ndarray, shape (T,)
        [degrees C]
    grid : GridSupply or None
        Connection of the case, with calls and interruptions of its first draw.
    """

    case: Case
    temp_air_c: FloatArray
    grid: GridSupply | None = None

    def state(self, draw: int = 0, off: Collection[str] = ()) -> WireState | None:
        """Draw calls and interruptions of the connection, without some; None where there is none."""
        if self.grid is None:
            return None
        state = self.grid.draws.state(draw) if draw else self.grid.state
        if "grid_calls" in off:
            state = replace(state, cap=np.ones(state.cap.shape))
        return replace(state, wires=np.ones(state.wires.shape, bool)) if "grid_wires" in off else state

    def of_draw(self, draw: int = 0, off: Collection[str] = ()) -> Case:
        """Put the calls and interruptions of a draw, without some, on the case."""
        state = self.state(draw, off) if draw or not OF_THE_GRID.isdisjoint(off) else None
        return self.case if state is None else with_wires(self.case, state)

    def first_years(self, years: int) -> WeatherBlock:
        """Give its first years."""
        steps = self.case.steps // self.case.years * years
        shorter = with_series(self.case, lambda series: series[:steps], years=years)
        grid = None if self.grid is None else self.grid.of_years(np.arange(years))
        return WeatherBlock(shorter, self.temp_air_c[:steps], grid)


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
    weather: WeatherBlock | Sequence[WeatherBlock] | Builder, years: int | None, first: int = 0
) -> Iterable[WeatherBlock]:
    """Give blocks from a number on until there are enough years; the last one is cut."""
    if callable(weather) and years is not None:
        yield from _built(weather, years, first)
        return
    given = 0
    for block in listed(weather)[first:]:
        if years is not None and given >= years:
            return
        some = _cut(block, years, given)
        yield some
        given += some.case.years


def in_groups(blocks: Iterable[WeatherBlock], size: int) -> Iterator[list[WeatherBlock]]:
    """Give blocks so many at a time; the last group may be smaller."""
    source = iter(blocks)
    while group := list(islice(source, size)):
        yield group


def _built(weather: Builder, years: int, first: int) -> Iterator[WeatherBlock]:
    """Build blocks, several at a time as soon as it is known of how many years they are."""
    given, number, count = 0, first, 1
    while given < years:
        for block in ahead(weather, range(number, number + count)):
            if given >= years:
                return
            some = _cut(block, years, given)
            yield some
            given, number = given + some.case.years, number + 1
        count = -(-(years - given) // block.case.years)


def _cut(block: WeatherBlock, years: int | None, given: int) -> WeatherBlock:
    """Give the years of a block that are asked for beyond those given."""
    if years is not None and given + block.case.years > years:
        return block.first_years(years - given)
    return block
