"""Bounds that a user puts on a design."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Bounds = tuple[float, float]


def _bounds(value: Any) -> Any:  # noqa: ANN401
    """Read one number as an upper bound and a pair as lower and upper bound."""
    return _pair(value) if isinstance(value, list | tuple) else (0.0, _number(value))


def _pair(value: Any) -> Any:  # noqa: ANN401
    if not isinstance(value, list | tuple) or len(value) != 2:
        message = "must be a pair (least, most)"
        raise ValueError(message)
    return tuple(_number(item) for item in value)


def _number(value: Any) -> Any:  # noqa: ANN401
    if not isinstance(value, Real):
        message = "must be one number (the most) or a pair of numbers (least, most), in the unit of its name"
        raise ValueError(message)  # noqa: TRY004 - pydantic tells it with the rest
    return value


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
    battery_hours: Annotated[Bounds, BeforeValidator(_pair)] | None = None
