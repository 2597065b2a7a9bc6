"""Wind at the heights where turbines stand, beside the weather of the same hours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitedesign.errors import Fault, InputError, shown
from sitedesign.util.gate import Measure, Words, check_fields

FloatArray = NDArray[np.float64]

LOWEST_ALOFT_M = 40.0
"""Below it, night and day are windy at other hours than at a hub: no exponent leads from there to one."""
FARTHEST_SHEAR = 1.5
"""A hub may be so much higher or lower than the one height for an assumed shear."""
USUAL_SHEAR_EXPONENT = 0.20
"""Reported between 80 and 140 m: 0.14 to 0.23 on the plains, 0.3 over woods, 0.07 over water."""
SHEAR = Measure("", 0.0, 0.6, says="must be the exponent of the power law, from 0 to 0.6")
GAS_CONSTANT_J_KG_K = 287.05  # of dry air
LAPSE_K_M = 0.0065  # of the standard atmosphere
_STANDARD_SEA_LEVEL_K = 288.15
_LEAST_SHEAR, _MOST_SHEAR = 0.0, 0.5  # of an hour, where two heights are carried on to a third
_CALM_M_S = 0.3
_DENSITY_SCALE_M = 10_400.0  # of the standard atmosphere near the ground
_MOST_M_S = 100.0


@dataclass(frozen=True, eq=False)
class WindAloft:
    """Wind speeds at one or more heights, on the grid of the weather that they belong to.

    Attributes
    ----------
    heights_m : tuple of float
        Above ground, rising. [m]
    speed_m_s : ndarray, shape (heights, years, steps)
        [m/s]
    source : str
        Where it came from, for people.
    shear_exponent : float or None
        How speed grows with height where one height must do, ``(z / height)**exponent``; None where nobody
        has given it.
    density_kg_m3 : ndarray, shape (years, steps), or None
        Of the air at `density_height_m`; None for the standard atmosphere. [kg/m3]
    density_height_m : float
        [m]
    humidity_fraction : ndarray, shape (years, steps), or None
        Relative humidity near the ground, where known. [fraction]
    """

    heights_m: tuple[float, ...]
    speed_m_s: FloatArray
    source: str
    shear_exponent: float | None = None
    density_kg_m3: FloatArray | None = None
    density_height_m: float = 0.0
    humidity_fraction: FloatArray | None = None

    def __post_init__(self) -> None:
        """Let no number through that is none, and no height below another."""
        check_fields("WindAloft()", self, source=Words("must say where the wind came from"),
                     density_height_m=Measure("m", 0, 500))  # fmt: skip
        heights = self.heights_m
        faults = []
        rising = isinstance(heights, tuple) and all(
            isinstance(height, float) and 0 < height <= 500 for height in heights
        )
        if not rising or not heights or list(heights) != sorted(set(heights)):
            faults.append(Fault("wind.heights_m", shown(heights), "must be rising heights up to 500 m"))
        if self.shear_exponent is not None:
            faults += SHEAR.faults("wind.shear_exponent", self.shear_exponent)
        faults += _array_fault("wind.speed_m_s", self.speed_m_s, 3, 0, _MOST_M_S)
        if self.density_kg_m3 is not None:
            faults += _array_fault("wind.density_kg_m3", self.density_kg_m3, 2, 0.4, 1.8)
        if self.humidity_fraction is not None:
            faults += _array_fault("wind.humidity_fraction", self.humidity_fraction, 2, 0, 1.2)
        if not faults:
            shape = (len(heights), *self.grid)
            if self.speed_m_s.shape != shape:
                found = f"speeds in the shape {self.speed_m_s.shape}"
                faults.append(Fault("wind.speed_m_s", found, f"must have the shape {shape}"))
            faults += [
                Fault(f"wind.{name}", f"the shape {values.shape}", f"must have the shape {self.grid}")
                for name, values in self.beside.items()
                if values.shape != self.grid
            ]
        if faults:
            raise InputError(faults, "WindAloft()")

    @property
    def grid(self) -> tuple[int, int]:
        """Years and steps."""
        return (int(self.speed_m_s.shape[1]), int(self.speed_m_s.shape[2]))

    @property
    def beside(self) -> dict[str, FloatArray]:
        """Series that are given beside the speeds, by name."""
        found = {"density_kg_m3": self.density_kg_m3, "humidity_fraction": self.humidity_fraction}
        return {name: values for name, values in found.items() if values is not None}

    def at(self, pick: Any) -> WindAloft:  # noqa: ANN401
        """Copy whose series are `pick` of the old ones, each of shape (years, steps)."""
        speeds = np.stack([pick(level) for level in self.speed_m_s])
        return replace(self, speed_m_s=speeds, **{name: pick(old) for name, old in self.beside.items()})

    def hub_faults(self, hub_height_m: float) -> list[Fault]:
        """Say why the speed at a hub cannot be had from these heights; empty where it can."""
        heights = self.heights_m
        inside = heights[0] <= hub_height_m <= heights[-1]
        near = any(1 / FARTHEST_SHEAR <= hub_height_m / height <= FARTHEST_SHEAR for height in heights)
        two = len(heights) > 1 and heights[-1] >= LOWEST_ALOFT_M
        if self.shear_exponent is not None or inside or two or near:
            return []
        listed = ", ".join(f"{height:g}" for height in heights)
        found = f"wind at {listed} m for a hub at {hub_height_m:g} m"
        allowed = (
            f"needs a height within a factor of {FARTHEST_SHEAR:g} of the hub, or two heights "
            f"of which one is {LOWEST_ALOFT_M:.0f} m or more"
        )
        remedy = (
            "Give wind at hub height. Wind near the ground blows at other hours; if you know how speed grows "
            "with height, give it: weather.with_wind(file, shear_exponent=0.2)."
        )
        return [Fault("wind", found, allowed, remedy)]

    def speed_at(self, hub_height_m: float) -> FloatArray:
        """Wind speed at a hub, shape (years, steps). [m/s]

        Between two heights by the power law that joins them, hour by hour; above or below them all by the
        shear given, else by that of the two nearest heights, held to 0 to 0.5, else by 0.20.

        Parameters
        ----------
        hub_height_m : float
            [m]

        Returns
        -------
        ndarray

        Raises
        ------
        InputError
            If the heights are too far from the hub for that.
        """
        if faults := self.hub_faults(hub_height_m):
            raise InputError(faults, "wind at hub height")
        heights = self.heights_m
        above = int(np.searchsorted(heights, hub_height_m))
        if above < len(heights) and heights[above] == hub_height_m:
            level: FloatArray = self.speed_m_s[above]
            return level
        if 0 < above < len(heights):
            return self._between(above - 1, hub_height_m)
        end = 0 if above == 0 else len(heights) - 1
        ratio = hub_height_m / heights[end]
        exponent: FloatArray | float
        if self.shear_exponent is not None:
            exponent = self.shear_exponent
        elif len(heights) > 1:
            exponent = self._shear(0 if above == 0 else len(heights) - 2)
        else:
            exponent = USUAL_SHEAR_EXPONENT
        speed: FloatArray = self.speed_m_s[end] * ratio**exponent
        return speed

    def density_at(self, hub_height_m: float, elevation_m: float) -> FloatArray | float:
        """Density of the air at a hub. [kg/m3]

        Parameters
        ----------
        hub_height_m, elevation_m : float
            Of the hub above ground, and of the ground above the sea. [m]

        Returns
        -------
        ndarray of shape (years, steps), or float
            One number of the standard atmosphere where no density came with the wind.
        """
        if self.density_kg_m3 is None:
            return air_density_kg_m3(elevation_m + hub_height_m)
        thinner = np.exp((self.density_height_m - hub_height_m) / _DENSITY_SCALE_M)
        density: FloatArray = self.density_kg_m3 * thinner
        return density

    def _between(self, below: int, height_m: float) -> FloatArray:
        low, high = self.speed_m_s[below], self.speed_m_s[below + 1]
        lower_m, upper_m = self.heights_m[below], self.heights_m[below + 1]
        share = np.log(height_m / lower_m) / np.log(upper_m / lower_m)
        calm = np.minimum(low, high) < _CALM_M_S  # where the power law has no exponent
        power_law = np.maximum(low, _CALM_M_S) ** (1 - share) * np.maximum(high, _CALM_M_S) ** share
        speed: FloatArray = np.where(calm, low + share * (high - low), power_law)
        return speed

    def _shear(self, below: int) -> FloatArray:
        """Exponent of every step between a height and the next, held to what an hour can have."""
        low, high = self.speed_m_s[below], self.speed_m_s[below + 1]
        rise = np.log(np.maximum(high, _CALM_M_S) / np.maximum(low, _CALM_M_S))
        exponent: FloatArray = rise / np.log(self.heights_m[below + 1] / self.heights_m[below])
        return np.clip(exponent, _LEAST_SHEAR, _MOST_SHEAR)


def air_density_kg_m3(height_m: float) -> float:
    """Density of the standard atmosphere at a height above the sea. [kg/m3]"""
    kelvin = _STANDARD_SEA_LEVEL_K - LAPSE_K_M * height_m
    from pvlib.atmosphere import alt2pres  # pvlib loads slowly, and most studies have no wind

    return float(alt2pres(height_m)) / (GAS_CONSTANT_J_KG_K * kelvin)


def _array_fault(where: str, values: object, dimensions: int, low: float, high: float) -> list[Fault]:
    allowed = f"must be numbers from {low:g} to {high:g} in {dimensions} dimensions"
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu" or values.ndim != dimensions:
        return [Fault(where, shown(values), allowed)]
    bad = ~(np.isfinite(values) & (values >= low) & (values <= high))
    return [Fault(where, f"{int(bad.sum())} values that are not", allowed)] if bad.any() else []
