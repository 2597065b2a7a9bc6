"""Whether a solar profile produces while the sun is up: clocks that are hours off, and daylight saving."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from sitedesign.components.own_profile.clock import ProfileRecord
from sitedesign.components.own_profile.level import how_to_say
from sitedesign.errors import Fault, InputError
from sitedesign.weather.site import Site
from sitedesign.weather.solar_geometry import DAYS_PER_YEAR, REPRESENTATIVE_YEAR, solar_geometry

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# Clouds of one half of the day move the middle of production by up to 0.2 h in five measured records and at
# eleven generated places from Helsinki to Santiago, arrays that face east or west by more; only a wrong clock
# makes power in the dark as well.
MOST_SHIFT_H = 0.75
MOST_DARK_DAYS = 10
_NOTICEABLE = 0.005  # of the highest value; twilight and resolution stay below
# Right profiles have less than 0.001. A shape that is drawn, such as 6 to 18 h all year, has a few per cent,
# which is said; more, whatever the middle of the day, is no production.
USUAL_DARK_SHARE = 0.02
MOST_DARK_SHARE = 0.1


@dataclass(frozen=True)
class SunCheck:
    """What comparing a production with the sun gave.

    Attributes
    ----------
    shift_h : float
        By how much production is later than the sun, to half an hour; 0 when its clock is right. [h]
    summer_only : bool
        Whether only the days of daylight saving time are late.
    dark_share : float
        Share of the energy produced while the sun is down. [fraction]
    explained : bool
        Whether moving by `shift_h` brings production into the day.
    """

    shift_h: float
    summer_only: bool
    dark_share: float
    explained: bool

    @property
    def is_right(self) -> bool:
        """Whether nothing is wrong with the clock."""
        return self.shift_h == 0 and self.dark_share <= MOST_DARK_SHARE


def check_sun(values: FloatArray, step_minutes: int, site: Site) -> SunCheck:
    """Compare production with the sun over the site.

    Parameters
    ----------
    values : ndarray, shape (years, steps)
        On the site's standard time.
    step_minutes : int
        [min]
    site : Site

    Returns
    -------
    SunCheck
    """
    sun = solar_geometry(site, step_minutes)
    days = values.mean(axis=0).reshape(DAYS_PER_YEAR, -1)
    light = sun.ghi_extra_w_m2.reshape(days.shape)
    dark = ~sun.is_day.reshape(days.shape)
    share = _dark_share(days, dark)
    summer = _daylight_saving_days(site.timezone)
    if summer.any() and not summer.all():
        late = _late_h(days[summer], light[summer]) - _late_h(days[~summer], light[~summer])
        moved = days.copy()
        moved[summer] = np.roll(days[summer].ravel(), -60 // step_minutes).reshape(days[summer].shape)
        if MOST_SHIFT_H <= late <= 2 - MOST_SHIFT_H and _in_daylight(moved, light, dark):
            return SunCheck(1.0, True, share, True)
    late = _late_h(days, light)
    in_dark = _dark_days(days, dark) >= MOST_DARK_DAYS
    if not (share > MOST_DARK_SHARE or (abs(late) >= MOST_SHIFT_H and in_dark)):
        return SunCheck(0.0, False, share, True)
    shift = round(late * 2) / 2
    moved = np.roll(days.ravel(), -round(shift * 60 / step_minutes)).reshape(days.shape)
    explained = bool(shift) and _dark_share(moved, dark) < min(USUAL_DARK_SHARE, share / 2)
    return SunCheck(shift, False, share, explained)


def _late_h(days: FloatArray, light: FloatArray) -> float:
    """By how much the middle of production is later than the middle of daylight, -12 to 12. [h]"""
    around = np.exp(2j * np.pi * (np.arange(days.shape[1]) + 0.5) / days.shape[1])
    turned = (days.sum(axis=0) * around).sum() * np.conj((light.sum(axis=0) * around).sum())
    return float(np.angle(turned) / (2 * np.pi) * 24)


def _dark_share(days: FloatArray, dark: BoolArray) -> float:
    total = float(days.sum())
    return float(days[dark].sum()) / total if total > 0 else 0.0


def _dark_days(days: FloatArray, dark: BoolArray) -> int:
    """Days with noticeable production in the dark."""
    return int(((days * dark) > _NOTICEABLE * days.max()).any(axis=1).sum())


def _in_daylight(days: FloatArray, light: FloatArray, dark: BoolArray) -> bool:
    return abs(_late_h(days, light)) < MOST_SHIFT_H and _dark_days(days, dark) < MOST_DARK_DAYS


def _daylight_saving_days(zone: str) -> BoolArray:
    """Days of the 365-day year on which the zone's clock is ahead of its standard time."""
    first = datetime(REPRESENTATIVE_YEAR, 1, 1, 12, tzinfo=ZoneInfo(zone))
    offsets = [(first + timedelta(days=day)).utcoffset() or timedelta(0) for day in range(DAYS_PER_YEAR)]
    return np.array([offset > min(offsets) for offset in offsets])


def clock_notes(
    values: FloatArray, step_minutes: int, site: Site, record: ProfileRecord, *, stated: bool
) -> tuple[str, ...]:
    """Compare the clock of a production with the sun.

    Parameters
    ----------
    values : ndarray, shape (years, steps)
        On the site's standard time.
    step_minutes : int
        [min]
    site : Site
    record : ProfileRecord
        For messages.
    stated : bool
        Whether the user said which clock it is; then what is found is a note.

    Returns
    -------
    tuple of str

    Raises
    ------
    InputError
        If the clock is wrong and the user did not say it, with what can be done.
    """
    found = check_sun(values, step_minutes, site)
    if found.is_right and found.dark_share > USUAL_DARK_SHARE:
        return (f"{found.dark_share:.1%} of its energy falls while the sun is down",)
    if found.is_right:
        return ()
    what, remedy = _said(found, site, record, step_minutes)
    if stated:
        return (f"its clock is as its user says, although it has {what}",)
    allowed = "must follow the sun over the site, in local standard time all year"
    raise InputError([Fault(record.where, what, allowed, remedy)], "solar_profile")


def load_fault(values: FloatArray, step_minutes: int, site: Site, record: ProfileRecord) -> Fault | None:
    """Refuse a load that is drawn only while the sun is up: it is a production.

    Parameters
    ----------
    values : ndarray, shape (years, steps)
        On the site's standard time. [MW]
    step_minutes : int
        [min]
    site : Site
    record : ProfileRecord
        For messages.
    """
    dark = check_sun(values, step_minutes, site).dark_share
    if dark > USUAL_DARK_SHARE:
        return None
    found = f"only {dark:.1%} of its energy while the sun is down"
    remedy = "A solar production is given as solar_profile."
    return Fault(record.where, found, "must be what racks draw, by night as well", remedy)


def _said(found: SunCheck, site: Site, record: ProfileRecord, step_minutes: int) -> tuple[str, str]:
    dark = f"{found.dark_share:.1%} of its energy while the sun is down"
    if found.summer_only:
        remedy = f"With stamps, say {how_to_say(record, 'solar', clock='wall')}. "
        remedy += "Without, give standard time all year."
        return f"production an hour late in summer only, as the clock on the wall has it, and {dark}", remedy
    if not found.explained:
        return dark, "Is it the production of an array at this place, without a battery?"
    side = "late" if found.shift_h > 0 else "early"
    what = f"production {abs(found.shift_h):g} h {side} of the sun, and {dark}"
    zone_h = (site.utc_offset_h + found.shift_h + 12) % 24 - 12
    if abs(zone_h) < MOST_SHIFT_H:
        return f"{what}: as if it were in UTC", f"If it is, say {how_to_say(record, 'solar', clock='UTC')}."
    clock = f"UTC{zone_h:+g}"
    if abs(found.shift_h) > 12 - 2 * MOST_SHIFT_H:
        what += ": half a day off"
        return what, "Are morning and afternoon (am, pm) mixed up, or is it of another place?"
    remedy = f"If its clock is {clock}, say {how_to_say(record, 'solar', clock=clock)}."
    if found.shift_h * 60 == step_minutes:
        remedy += " Or are its stamps the ends of intervals, from 00:00 on?"
    return what, remedy
