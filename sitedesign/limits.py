"""Bounds that a user puts on a design."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Bounds = tuple[float, float]


def _bounds(value: Any) -> Any:  # noqa: ANN401
    """Read one number as an upper bound and a pair as lower and upper bound."""
    if isinstance(value, list | tuple) and len(value) == 2:
        return tuple(value)
    return (0.0, value)


class Limits(BaseModel):
    """Bounds of the design. One number is an upper bound, a pair is lower and upper, a pair of equals fixes.

    Attributes
    ----------
    solar_mw, battery_mwh, battery_mw : float or (float, float), optional
        [MWdc, MWh, MW]
    racks : float or (float, float), optional
        Racks installed; never fewer than contracted.
    units : mapping of str to int or (int, int)
        Units per backup technology.
    land_acres : float, optional
        Most land for the array. [acres]
    co2_t_per_yr : float, optional
        Most emissions of the backup. [t/yr]
    months_to_power : float, optional
        Longest lead time of anything built. [months]
    battery_hours : (float, float), optional
        Battery energy over battery power; the library's shortest duration when left out. [h]
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    solar_mw: Annotated[Bounds, BeforeValidator(_bounds)] | None = None
    battery_mwh: Annotated[Bounds, BeforeValidator(_bounds)] | None = None
    battery_mw: Annotated[Bounds, BeforeValidator(_bounds)] | None = None
    racks: Annotated[Bounds, BeforeValidator(_bounds)] | None = None
    units: Mapping[str, Annotated[tuple[int, int], BeforeValidator(_bounds)]] = Field(default_factory=dict)
    land_acres: float | None = Field(default=None, ge=0)
    co2_t_per_yr: float | None = Field(default=None, ge=0)
    months_to_power: float | None = Field(default=None, gt=0)
    battery_hours: Bounds | None = None
