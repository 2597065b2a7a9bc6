"""Outages of single weather years, kept for any number of units and strung together as a search asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sitedesign.reliability.forecast import Climatology
from sitedesign.reliability.outages import UNIT, OutageModel, OutagePaths, OutageSky, sample_outages

FloatArray = NDArray[np.float64]


@dataclass(eq=False)
class OutageYears:
    """Draws of outages of many weather years, each year with random keys of its own.

    A year has the same failures whatever other years stand beside it and however many units are built. It is
    sampled for the units asked for, and again only when more are asked for.

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
    _years: dict[int, tuple[tuple[int, ...], OutagePaths]] = field(default_factory=dict)

    def paths(self, rows: Sequence[int], units: Sequence[int]) -> OutagePaths:
        """Put the outages of some years in sequence.

        Parameters
        ----------
        rows : sequence of int
            Weather years, in the order wanted; row ``years + i`` is a second draw of year i, and so on.
        units : sequence of int
            Units per technology.

        Returns
        -------
        OutagePaths
        """
        years = [self._year(row, tuple(units)) for row in rows]
        per_year = self.temp_air_c.shape[1]
        step = np.concatenate([year.step + place * per_year for place, year in enumerate(years)])
        kind, index, change = (
            np.concatenate([getattr(year, name) for year in years]) for name in ("kind", "index", "change")
        )
        first = years[0]
        return OutagePaths(
            step, kind, index, change,
            first.battery_blocks, first.solar_blocks, first.solar_scale, first.start_keys,
        )  # fmt: skip

    def _year(self, row: int, units: tuple[int, ...]) -> OutagePaths:
        most, paths = self._years.get(row, (None, None))
        if most is None or paths is None or any(n > m for n, m in zip(units, most, strict=True)):
            most = units if most is None else tuple(map(max, units, most))
            draw, year = divmod(row, len(self.temp_air_c))
            sky = OutageSky(self.step_h, 1, year, self.temp_air_c[year], self.usual)
            paths = sample_outages(self.model, most, sky, draw, self.seed)
            self._years[row] = most, paths
        return paths if units == most else _with_units(paths, most, units)


def _with_units(paths: OutagePaths, most: Sequence[int], units: Sequence[int]) -> OutagePaths:
    """Leave out the units that are not built, and number the others anew."""
    built = np.concatenate([np.arange(m) < n for m, n in zip(most, units, strict=True)])
    number, of_unit = np.cumsum(built) - 1, paths.kind == UNIT
    kept = np.ones(paths.step.size, dtype=bool)
    kept[of_unit] = built[paths.index[of_unit]]
    index = paths.index.astype(np.int64)
    index[of_unit] = number[index[of_unit]]
    keys = np.concatenate([paths.start_keys[: built.size][built], paths.start_keys[built.size :]])
    return replace(
        paths,
        step=paths.step[kept],
        kind=paths.kind[kept],
        index=index[kept].astype(np.int16),
        change=paths.change[kept],
        start_keys=keys,
    )
