"""Outages of single weather years, kept for any number of units and strung together as a search asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sitedesign.operation.forecast import Climatology
from sitedesign.operation.outages.interruptions import beyond_of, interruptions
from sitedesign.operation.outages.rates import MOST_BLOCKS
from sitedesign.operation.outages.sampling import (
    Events,
    OutageConditions,
    OutageModel,
    OutageSample,
    farm_blocks,
    in_order,
    resize_farms,
    sample_farm,
    sample_rest,
    sample_units,
    solar_scale,
    start_keys,
    strung_together,
    wind_state,
)

FloatArray = NDArray[np.float64]


@dataclass(eq=False)
class OutageYearCache:
    """Draws of outages of many weather years, each year with random keys of its own.

    A year has the same failures whatever other years stand beside it and however many units and turbines are
    built. Units are sampled when they are first asked for, farms in as many blocks as there may be.

    Attributes
    ----------
    model : OutageModel
    temp_air_c : ndarray, shape (years, steps per year)
        [degrees C]
    step_h : float
        [h]
    usual : Climatology
    seed : int
    """

    model: OutageModel
    temp_air_c: FloatArray
    step_h: float
    usual: Climatology
    seed: int
    # Units sampled so far, and their events; those of units are numbered inside their technology
    _years: dict[int, tuple[tuple[int, ...], NDArray[np.int64]]] = field(default_factory=dict)

    def sample(
        self, rows: Sequence[int], units: Sequence[int], resources_mw: Sequence[float] = ()
    ) -> OutageSample:
        """Put the outages of some years in sequence.

        Parameters
        ----------
        rows : sequence of int
            Weather years, in the order wanted; row ``years + i`` is a second draw of year i, and so on.
        units : sequence of int
            Units per technology.
        resources_mw : sequence of float
            Sizes in the order of the case; what is left out has no turbines. [MW]

        Returns
        -------
        OutageSample
        """
        years = [self._year(row, tuple(units)) for row in rows]
        if self.model.farms:
            blocks = farm_blocks(self.model, resources_mw)
            years = [resize_farms(year, blocks) for year in years]
        ends, first = np.cumsum([len(year) for year in years]), np.cumsum([0, *units])
        events = strung_together(
            np.concatenate(years), ends, self.temp_air_c.shape[1], first, np.array(units, np.int64)
        )
        draw, conditions = self._conditions(rows[0])
        return OutageSample(
            *events,
            self.model.battery.blocks,
            self.model.solar.blocks,
            solar_scale(self.model),
            start_keys(self.model, units, conditions, draw, self.seed),
            self.model.has("starts"),
            self.model.has("common_starts"),
            *wind_state(self.model, resources_mw, self.usual),
        )

    def beyond_h(self, rows: Sequence[int], least_events: float) -> FloatArray:
        """Hours in which supplies are out beyond those to be expected, shape (rows, 2 supplies).

        :func:`~sitedesign.operation.outages.interruptions.beyond_of` these years. [h]
        """
        none, found = (0,) * len(self.model.units), []
        for row in rows:
            step, kind, index, change, *_ = self._year(row, none).T
            conditions = self._conditions(row)[1]
            found.append(interruptions(self.model, step, kind, index, change, conditions))
        return beyond_of(found, least_events)

    def _year(self, row: int, units: tuple[int, ...]) -> NDArray[np.int64]:
        """Events of at least so many units in one year."""
        known = self._years.get(row)
        if known is not None and all(n <= m for n, m in zip(units, known[0], strict=True)):
            return known[1]
        draw, conditions = self._conditions(row)
        events = Events()
        before = known[0] if known is not None else (0,) * len(units)
        for number, (have, want) in enumerate(zip(before, units, strict=True)):
            sample_units(events, self.model, number, range(have, want), conditions, draw, self.seed)
        if known is None:
            for number in range(len(self.model.farms)):
                sample_farm(events, self.model, number, MOST_BLOCKS, conditions, draw, self.seed)
            sample_rest(events, self.model, range(len(self.model.units)), conditions, draw, self.seed)
        table = events.table()
        if known is not None:
            table = in_order(np.concatenate([known[1], table]))
        self._years[row] = tuple(map(max, units, before)), table
        return table

    def _conditions(self, row: int) -> tuple[int, OutageConditions]:
        draw, year = divmod(row, len(self.temp_air_c))
        return draw, OutageConditions(self.step_h, 1, year, self.temp_air_c[year], self.usual)
