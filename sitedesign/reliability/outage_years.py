"""Outages of single weather years, kept for any number of units and strung together as a search asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sitedesign.reliability.forecast import Climatology
from sitedesign.reliability.outages import UNIT, OutageModel, OutagePaths, OutageSky, sample_outages

FloatArray = NDArray[np.float64]


@dataclass(eq=False)
class OutageYears:
    """Draws of outages of many weather years, each year with random keys of its own.

    A year has the same failures whatever other years stand beside it and however many units are built.

    Attributes
    ----------
    model : OutageModel
    most : sequence of int
        Most units per technology that will be asked for.
    temp_air_c : ndarray, shape (years, steps per year)
        [degrees C]
    step_h : float
        [h]
    usual : Climatology
    seed : int
    """

    model: OutageModel
    most: Sequence[int]
    temp_air_c: FloatArray
    step_h: float
    usual: Climatology
    seed: int
    _years: dict[int, OutagePaths] = field(default_factory=dict)

    def paths(self, rows: Sequence[int], units: Sequence[int]) -> OutagePaths:
        """Put the outages of some years in sequence.

        Parameters
        ----------
        rows : sequence of int
            Weather years, in the order wanted; row ``years + i`` is a second draw of year i, and so on.
        units : sequence of int
            Units per technology, at most `most`.

        Returns
        -------
        OutagePaths
        """
        years = [self._year(row) for row in rows]
        per_year = self.temp_air_c.shape[1]
        step = np.concatenate([year.step + place * per_year for place, year in enumerate(years)])
        kind, index, change = (
            np.concatenate([getattr(year, name) for year in years]) for name in ("kind", "index", "change")
        )
        number, built = self._renumbered(units)
        of_unit = kind == UNIT
        kept = np.ones(step.size, dtype=bool)
        kept[of_unit] = built[index[of_unit]]
        index = index.astype(np.int64)
        index[of_unit] = number[index[of_unit]]
        first = years[0]
        keys = np.concatenate([first.start_keys[: built.size][built], first.start_keys[built.size :]])
        return OutagePaths(
            step[kept], kind[kept], index[kept].astype(np.int16), change[kept],
            first.battery_blocks, first.solar_blocks, first.solar_scale, keys,
        )  # fmt: skip

    def _year(self, row: int) -> OutagePaths:
        if row not in self._years:
            draw, year = divmod(row, len(self.temp_air_c))
            sky = OutageSky(self.step_h, 1, year, self.temp_air_c[year], self.usual)
            self._years[row] = sample_outages(self.model, self.most, sky, draw, self.seed)
        return self._years[row]

    def _renumbered(self, units: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Give the number of each sampled unit among those built, and whether it is built."""
        built = np.concatenate(
            [np.arange(most) < count for most, count in zip(self.most, units, strict=True)]
            or [np.zeros(0, bool)]
        )
        return np.cumsum(built) - 1, built
