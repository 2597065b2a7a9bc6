"""From parsed records to :class:`Weather`: grid, repair, completion, and the quality report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sitedesign.errors import Fault, InputError
from sitedesign.weather.clear_sky import clear_sky
from sitedesign.weather.files.clock_check import TOLERANCE_MINUTES, clear_days, sun_error_minutes
from sitedesign.weather.files.decomposition import complete
from sitedesign.weather.files.gap_filling import (
    RepairCount,
    drop_impossible,
    fill_irradiance,
    fill_low_sun,
    fill_slow_variables,
    find_gaps,
    years_to_leave_out,
)
from sitedesign.weather.files.physical_limits import brightness, sky_faults, temperature_fault
from sitedesign.weather.files.record import WeatherRecord
from sitedesign.weather.files.year_grid import YearGrid, lay_out, light_of
from sitedesign.weather.quality import (
    CLEAR_SKY_BAND,
    Quality,
    YearQuality,
    dates_of,
    false_low_irradiance_days,
    possible_snow_days,
)
from sitedesign.weather.site import Site
from sitedesign.weather.solar_geometry import SolarGeometry, solar_geometry
from sitedesign.weather.years import WeatherSource, WeatherYears

FloatArray = NDArray[np.float64]

LARGEST_SILENT_SHARE = 0.02
"""A flag that may move more of the year's energy needs the user's consent."""
LOWEST_UNEXPLAINED_LEVEL = 0.75
DEFAULT_WIND_M_S = 3.0
LARGEST_CALM_MISSING_SHARE = 0.25
LARGEST_CLOCK_ERROR_MINUTES = 90.0
HIGHEST_GHI_W_M2 = 2000.0
LOWEST_GHI_W_M2 = -20.0


@dataclass(frozen=True)
class Flag:
    """What a careful reader should look at, and how much of the year's energy it may move. [fraction]"""

    text: str
    moves: float = 0.0


@dataclass(frozen=True, eq=False)
class Effects:
    """What flags may move: energy displaced by the clock, energy from repairs; and the brightness.

    Attributes
    ----------
    displaced : ndarray, shape (years,)
        [fraction of the year's irradiation]
    repaired : float
        [fraction of the record's irradiation]
    level : float
        Brightest days over a cloudless day.
    """

    displaced: FloatArray
    repaired: float
    level: float


def assemble(
    records: Sequence[WeatherRecord],
    site: Site,
    *,
    kind: Literal["file", "fetched"],
    of: str,
    notes: tuple[str, ...] = (),
) -> WeatherYears:
    """Join, repair and check records of one site.

    Parameters
    ----------
    records : sequence of WeatherRecord
    site : Site
    kind : {'file', 'fetched'}
    of : str
        What is being read, for messages.
    notes : tuple of str
        Put before what is found here.

    Returns
    -------
    WeatherYears

    Raises
    ------
    InputError
        If the records do not fit together or have gaps above the limits.
    """
    records = sorted(records, key=lambda record: record.frame.index[0])
    offset = next((r.utc_offset_h for r in records if r.utc_offset_h is not None), site.utc_offset_h)
    grid = lay_out(records, offset)
    geometry = solar_geometry(site, grid.step_minutes, grid.utc_offset_h, grid.sun_offset_minutes)
    slack = _clock_slack_minutes(grid, geometry, site, of)
    faults = sky_faults(_plausible(_ghi_of(grid.columns, geometry)[0]), geometry, site)
    if "temp_air" in grid.columns:
        temperature = temperature_fault(_measured_temperature(grid.columns["temp_air"]), site)
        faults += [temperature] if temperature is not None else []
    if faults:
        raise InputError(faults, of)
    columns, out_of_range = drop_impossible(grid.columns, geometry, slack)
    said = [*notes, *grid.notes]
    ghi, extra_notes = _ghi_of(columns, geometry)
    said += extra_notes
    ghi, low_sun_h = fill_low_sun(ghi, geometry)
    if low_sun_h.any():
        said.append(
            f"{low_sun_h.sum():.3g} hours at low sun that the files leave blank day after day taken from the "
            "step next to them"
        )
    gaps = find_gaps(ghi, geometry)
    refused = years_to_leave_out(ghi, gaps, grid.years, geometry, of)
    if refused:
        said += [f"{grid.years[row]} left out: {reason}" for row, reason in refused.items()]
        keep = [row for row in range(len(grid.years)) if row not in refused]
        years = tuple(grid.years[row] for row in keep)
        columns = {name: values[keep] for name, values in columns.items()}
        grid = replace(grid, years=years, columns=columns)
        ghi, out_of_range = ghi[keep], out_of_range[keep]
        gaps = find_gaps(ghi, geometry)
    error = sun_error_minutes(
        ghi, geometry.ghi_extra_w_m2, site.longitude, grid.utc_offset_h, grid.sun_offset_minutes
    )
    closure = _closure(ghi, columns, geometry)
    given = ~np.isnan(_ghi_of(columns, geometry)[0])
    ghi, repairs = fill_irradiance(ghi, gaps, geometry)
    effects = _effects(ghi, given, error, geometry, site)
    dni, dhi, split_notes = complete(ghi, columns.get("dni"), columns.get("dhi"), geometry, site.elevation_m)
    said += split_notes
    if repairs.missing_h.any():
        said.append(
            f"{repairs.missing_h.sum():.3g} daylight hours of irradiance repaired (see weather.quality)"
        )
    temp, temp_notes = _temperature(columns.get("temp_air"), ghi, site, grid)
    wind, wind_notes = _wind(columns.get("wind_speed"), grid)
    said += [*temp_notes, *wind_notes]
    quality = _quality(
        records, grid, geometry, site, ghi, temp, out_of_range, repairs, error, closure, effects
    )
    return WeatherYears(
        site=site,
        step_minutes=grid.step_minutes,
        years=grid.years,
        ghi_w_m2=ghi,
        dni_w_m2=dni,
        dhi_w_m2=dhi,
        temp_air_c=temp,
        wind_speed_m_s=wind,
        utc_offset_h=grid.utc_offset_h,
        source=replace(
            _source(records, grid, kind, tuple(dict.fromkeys(said))),
            flags=quality.flags,
            doubts=quality.doubts,
        ),
        sun_offset_minutes=grid.sun_offset_minutes,
        quality=quality,
    )


def _clock_slack_minutes(grid: YearGrid, geometry: SolarGeometry, site: Site, of: str) -> float:
    """Look at the clock before judging by the sun: small errors are flagged later, large ones refused."""
    plausible = _plausible(light_of(grid.columns))
    errors = sun_error_minutes(
        plausible, geometry.ghi_extra_w_m2, site.longitude, grid.utc_offset_h, grid.sun_offset_minutes
    )
    known = errors[np.isfinite(errors)]
    worst = float(known[np.argmax(np.abs(known))]) if known.size else 0.0
    if abs(worst) > LARGEST_CLOCK_ERROR_MINUTES:
        found = f"stamps at which the sun stands {worst:+.0f} min from where it should be"
        hours = round(worst / 30) / 2
        fits = (
            f"They would fit an offset from UTC {abs(hours):g} h {'larger' if hours > 0 else 'smaller'}, "
            f"or a longitude {abs(hours) * 15:g} degrees further {'west' if hours > 0 else 'east'}."
        )
        remedy = (
            f"Check the time zone (UTC or local standard, and its sign), longitude and convention. {fits}"
        )
        allowed = f"must be within {LARGEST_CLOCK_ERROR_MINUTES:.0f} min"
        raise InputError([Fault("time of the files", found, allowed, remedy)], of)
    return abs(worst) if abs(worst) > TOLERANCE_MINUTES else 0.0


def _plausible(ghi: FloatArray) -> FloatArray:
    """Irradiance without sentinels."""
    plausible: FloatArray = np.where((ghi > LOWEST_GHI_W_M2) & (ghi < HIGHEST_GHI_W_M2), ghi, np.nan)
    return plausible


def _measured_temperature(temp_air: FloatArray) -> FloatArray:
    """Temperature without sentinels."""
    plausible: FloatArray = np.where((temp_air > -90) & (temp_air < 99), temp_air, np.nan)
    return plausible


def _source(
    records: Sequence[WeatherRecord], grid: YearGrid, kind: Literal["file", "fetched"], notes: tuple[str, ...]
) -> WeatherSource:
    kinds = ", ".join(dict.fromkeys(record.kind for record in records))
    many = f", {len(records)} files" if len(records) > 1 else ""
    files = tuple(record.file for record in records)
    return WeatherSource(kind, f"{kinds}{many}", is_tmy=grid.typical, files=files, notes=notes)


def _ghi_of(columns: dict[str, FloatArray], geometry: SolarGeometry) -> tuple[FloatArray, list[str]]:
    """Global irradiance, closed from its parts where it alone is missing."""
    ghi = columns["ghi"]
    if "dni" not in columns or "dhi" not in columns:
        return ghi, []
    cosine = np.maximum(np.cos(np.radians(geometry.zenith_deg)), 0)
    closed = columns["dni"] * cosine + columns["dhi"]
    usable = np.isnan(ghi) & ~np.isnan(closed)
    if not usable.any():
        return ghi, []
    hours = usable.sum() * geometry.step_minutes / 60
    return np.where(usable, closed, ghi), [f"GHI closed from DNI and DHI in {hours:.0f} hours"]


def _closure(ghi: FloatArray, columns: dict[str, FloatArray], geometry: SolarGeometry) -> FloatArray:
    """Mean of GHI - (DNI cos zenith + DHI) over mean GHI, by year; NaN without all three."""
    if "dni" not in columns or "dhi" not in columns:
        return np.full(len(ghi), np.nan)
    cosine = np.maximum(np.cos(np.radians(geometry.zenith_deg)), 0)
    gap = ghi - columns["dni"] * cosine - columns["dhi"]
    known = geometry.is_day & np.isfinite(gap)
    total = np.where(known, ghi, 0).sum(axis=1)
    ratio: FloatArray = np.where(known, gap, 0).sum(axis=1) / np.where(total > 0, total, np.nan)
    return ratio


def _temperature(
    values: FloatArray | None, ghi: FloatArray, site: Site, grid: YearGrid
) -> tuple[FloatArray, list[str]]:
    """Repaired temperature, or the climate's where the files have none."""
    if values is not None and np.isnan(values).mean(axis=1).max() <= LARGEST_CALM_MISSING_SHARE:
        filled = fill_slow_variables(values, 1440 // grid.step_minutes)
        missing = np.isnan(values).mean()
        return filled, [f"{missing:.2%} of temperatures repaired"] if missing else []
    from sitedesign.weather.climate.temperature import climate_temperature

    what = "no temperature in the files" if values is None else "too much temperature missing"
    substitute, how = climate_temperature(ghi, site, grid.step_minutes, grid.utc_offset_h)
    if values is not None:
        substitute = np.where(np.isnan(values), substitute, values)
    return substitute, [f"{what}: {how}"]


def _wind(values: FloatArray | None, grid: YearGrid) -> tuple[FloatArray, list[str]]:
    """Repaired wind, or a constant where the files have none."""
    if values is not None and np.isnan(values).mean(axis=1).max() <= LARGEST_CALM_MISSING_SHARE:
        missing = np.isnan(values).mean()
        return fill_slow_variables(values, 1440 // grid.step_minutes), [
            f"{missing:.2%} of wind speeds repaired"
        ] if missing else []
    shape = (len(grid.years), 365 * 1440 // grid.step_minutes)
    what = "no wind in the files" if values is None else "too much wind missing"
    constant = np.full(shape, DEFAULT_WIND_M_S)
    filled = constant if values is None else np.where(np.isnan(values), constant, values)
    return filled, [f"{what}: {DEFAULT_WIND_M_S:g} m/s assumed"]


def _quality(
    records: Sequence[WeatherRecord],
    grid: YearGrid,
    geometry: SolarGeometry,
    site: Site,
    ghi: FloatArray,
    temp: FloatArray,
    out_of_range: FloatArray,
    repairs: RepairCount,
    sun_error: FloatArray,
    closure: FloatArray,
    effects: Effects,
) -> Quality:
    texture = all(record.hourly_texture for record in records)
    if not texture:
        sun_error = np.full(len(ghi), np.nan)  # it would only measure how the hours were made
    satellite = any(record.satellite for record in records)
    none = np.zeros((len(ghi), 365), dtype=bool)
    dark = false_low_irradiance_days(ghi, geometry) if texture else none
    snow = possible_snow_days(ghi, temp, geometry) if satellite and texture else none
    ratio = _clear_sky_ratio(ghi, geometry, site)
    clearness = ghi.sum(axis=1) / geometry.ghi_extra_w_m2.sum()
    rows = tuple(
        YearQuality(
            year=year,
            ghi_kwh_m2_day=float(ghi[row].mean() * 24 / 1000),
            clearness=float(clearness[row]),
            missing_daylight_h=float(repairs.missing_h[row]),
            repaired_share=float(repairs.missing_share[row]),
            longest_gap_days=float(repairs.longest_gap_days[row]),
            interpolated_h=float(repairs.interpolated_h[row]),
            from_neighbours_h=float(repairs.from_neighbours_h[row]),
            from_other_years_h=float(repairs.from_other_years_h[row]),
            out_of_range=int(out_of_range[row]),
            false_low_irradiance_days=int(dark[row].sum()),
            possible_snow_days=int(snow[row].sum()),
            sun_error_minutes=float(sun_error[row]),
            clear_sky_ratio=float(ratio[row]),
            closure=float(closure[row]),
        )
        for row, year in enumerate(grid.years)
    )
    words = "; ".join(dict.fromkeys(record.convention for record in records))
    sun = f"sun {grid.sun_offset_minutes:g} min after each step begins"
    words += f". On the grid: UTC{grid.utc_offset_h:+g}, {sun}"
    flags = _flags(rows, effects, texture=texture, satellite=satellite)
    return Quality(
        by_year=rows,
        time_convention=words,
        false_low_irradiance=dates_of(dark, grid.years),
        possible_snow=dates_of(snow, grid.years),
        flags=tuple(flag.text for flag in flags),
        doubts=tuple(flag.text for flag in flags if flag.moves > LARGEST_SILENT_SHARE),
    )


def _effects(
    ghi: FloatArray, given: NDArray[np.bool_], error: FloatArray, geometry: SolarGeometry, site: Site
) -> Effects:
    """How much of each year's irradiation a wrong clock would displace, and how much was repaired."""
    total = np.where(ghi.sum(axis=1) > 0, ghi.sum(axis=1), np.nan)
    change_per_step = np.abs(np.diff(ghi, axis=1)).sum(axis=1) / 2
    displaced = change_per_step * np.abs(error) / geometry.step_minutes / total
    repaired = float(np.where(given, 0.0, ghi).sum() / np.nansum(total))
    levels = brightness(ghi, geometry, site)
    return Effects(displaced, repaired, float(np.nanquantile(levels, 0.75)))


def _clear_sky_ratio(ghi: FloatArray, geometry: SolarGeometry, site: Site) -> FloatArray:
    """Clearest days over the clear-sky model, by year."""
    clear = clear_sky(site, geometry)[0].reshape(365, -1).sum(axis=1)
    daily_extra = geometry.ghi_extra_w_m2.reshape(365, -1).mean(axis=1)
    ratio = np.full(len(ghi), np.nan)
    for row, series in enumerate(ghi):
        by_day = series.reshape(365, -1)
        days = clear_days(by_day, daily_extra)
        if days.sum() >= 12:
            ratio[row] = np.median(by_day[days].sum(axis=1) / clear[days])
    return ratio


def _flags(
    rows: tuple[YearQuality, ...], effects: Effects, *, texture: bool, satellite: bool
) -> tuple[Flag, ...]:
    flags: list[Flag] = []
    for number, row in enumerate(rows):
        if abs(row.sun_error_minutes) > TOLERANCE_MINUTES:
            text = (
                f"{row.year}: the sun stands {row.sun_error_minutes:+.0f} min from where the stamps say; "
                "check time zone and interval convention"
            )
            flags.append(Flag(text, float(effects.displaced[number])))
        if row.clear_sky_ratio < CLEAR_SKY_BAND[0] or row.clear_sky_ratio > CLEAR_SKY_BAND[1]:
            text = (
                f"{row.year}: clear days are {row.clear_sky_ratio:.2f} of a clear-sky model; "
                "check units and calibration"
            )
            flags.append(Flag(text, abs(1 - row.clear_sky_ratio)))
        if abs(row.closure) > 0.05:
            text = f"{row.year}: GHI and DNI cos(zenith) + DHI differ by {row.closure:.1%} on average"
            flags.append(Flag(text, abs(row.closure)))
    if effects.repaired > LARGEST_SILENT_SHARE:
        text = f"{effects.repaired:.1%} of the record's irradiation comes from repaired hours"
        flags.append(Flag(text, effects.repaired))
    clear = [row.clear_sky_ratio for row in rows if np.isfinite(row.clear_sky_ratio)]
    if not clear and effects.level < LOWEST_UNEXPLAINED_LEVEL:
        text = f"no clear days, and the brightest are {effects.level:.2f} of a cloudless day; check units"
        flags.append(Flag(text, 1 - effects.level))
    if not texture:
        flags.append(
            Flag(
                "hours were made from daily totals: texture within a day is not measured, "
                "and days of false low irradiance cannot be told"
            )
        )
    if satellite:
        flags.append(
            Flag("satellite data: fresh snow may be read as cloud, and dark days read up to 16 % too bright")
        )
    return tuple(flags)
