"""PV yield: against pvlib's ModelChain, physics that must hold for any weather, and field experience."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pvlib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sitedesign import library
from sitedesign.components import pv as pv_model
from sitedesign.components.pv import fixed_tilt_deg, plane_geometry, plane_irradiance, solar_yield
from sitedesign.weather.site import Site
from sitedesign.weather.solar_geometry import SolarGeometry, solar_geometry
from sitedesign.weather.weather import Weather
from sitedesign.weather.years import WeatherSource

PLACES = {
    "north": (31.76, -106.49, "America/Denver", 1140.0),
    "south": (-23.65, -70.4, "America/Santiago", 400.0),
}
GAMMA, LOSS, ETA, RATIO, GCR = -0.0035, 0.12, 0.98, 1.3, 0.4


def site(where: str) -> Site:
    latitude, longitude, timezone, elevation = PLACES[where]
    return Site(latitude=latitude, longitude=longitude, timezone=timezone, elevation_m=elevation)


def array(mount: str = "tracker", coupling: str = "ac", **change: Any) -> Any:
    entry = {
        "mount": mount,
        "coupling": coupling,
        "dc_ac_ratio": RATIO if coupling == "ac" else None,
        "converter_efficiency": ETA,
        "dc_loss_fraction": LOSS,
        "ground_coverage_ratio": GCR,
        "max_tilt_deg": 60.0,
        "tilt_deg": None,
        "temp_coefficient_per_c": GAMMA,
        "degradation_per_yr": 0.0075,
    }
    return SimpleNamespace(**(entry | change))


def random_weather(
    where: str = "north",
    step: int = 60,
    years: int = 1,
    seed: int = 0,
    clearness: tuple[float, float] = (0.03, 0.85),
) -> Weather:
    """Cloudy and clear steps at random, consistent with the sun; twilight with a little diffuse light."""
    place = site(where)
    sun = solar_geometry(place, step)
    random = np.random.Generator(np.random.PCG64(seed))
    shape = (years, sun.zenith_deg.size)
    index = random.uniform(*clearness, shape)
    ghi = index * sun.ghi_extra_w_m2
    diffuse_share = np.interp(index, [0.25, 0.8], [0.97, 0.15])
    beam_horizontal = ghi * (1 - diffuse_share)
    dni = np.where(sun.is_day, beam_horizontal / np.maximum(np.cos(np.radians(sun.zenith_deg)), 0.05), 0)
    twilight = np.where((sun.zenith_deg > 90) & (sun.zenith_deg < 93), 2.0, 0.0)
    return Weather(
        place,
        step,
        tuple(range(1, years + 1)),
        ghi + twilight,
        dni,
        ghi * diffuse_share + twilight,
        random.uniform(-15, 42, shape),
        random.uniform(0, 9, shape),
        place.utc_offset_h,
        WeatherSource("generated", "test"),
        step / 2,
    )


def model_chain_ac(weather: Weather, pv: Any, sun: SolarGeometry | None) -> pd.Series:
    """Output of pvlib's own chain for 1 MWdc, in MW; with `sun` given, it takes that instead of its own."""
    place = weather.site
    times = weather.index[: weather.ghi_w_m2.shape[1]] + pd.Timedelta(minutes=weather.sun_offset_minutes)
    location = pvlib.location.Location(place.latitude, place.longitude, tz="UTC", altitude=place.elevation_m)
    if sun is not None:
        position = pd.DataFrame(
            {
                "apparent_zenith": sun.apparent_zenith_deg,
                "zenith": sun.zenith_deg,
                "azimuth": sun.azimuth_deg,
                "apparent_elevation": 90 - sun.apparent_zenith_deg,
                "elevation": 90 - sun.zenith_deg,
            },
            index=times,
        )
        location.get_solarposition = lambda *_, **__: position
    if pv.mount == "tracker":
        mount: Any = pvlib.pvsystem.SingleAxisTrackerMount(
            axis_tilt=0,
            axis_azimuth=180,
            max_angle=pv.max_tilt_deg,
            backtrack=True,
            gcr=pv.ground_coverage_ratio,
        )
    else:
        facing = 180 if place.latitude >= 0 else 0
        mount = pvlib.pvsystem.FixedMount(fixed_tilt_deg(place.latitude, pv), facing)
    one = pvlib.pvsystem.Array(
        mount,
        albedo=0.2,
        temperature_model_parameters={"u0": 25.0, "u1": 6.84},
        module_parameters={"pdc0": 1e6, "gamma_pdc": pv.temp_coefficient_per_c},
    )
    nothing = dict.fromkeys(
        (
            "shading",
            "snow",
            "mismatch",
            "wiring",
            "connections",
            "lid",
            "nameplate_rating",
            "age",
            "availability",
        ),
        0,
    )
    system = pvlib.pvsystem.PVSystem(
        [one],
        inverter_parameters={"pdc0": 1e6 / pv.dc_ac_ratio / ETA, "eta_inv_nom": ETA},
        losses_parameters=nothing | {"soiling": 100 * pv.dc_loss_fraction},
    )

    def constant_efficiency(chain: pvlib.modelchain.ModelChain) -> None:
        chain.results.ac = np.minimum(chain.results.dc * ETA, 1e6 / pv.dc_ac_ratio)

    chain = pvlib.modelchain.ModelChain(
        system,
        location,
        transposition_model="haydavies",
        aoi_model="physical",
        spectral_model="no_loss",
        temperature_model="faiman",
        dc_model="pvwatts",
        losses_model="pvwatts",
        ac_model=constant_efficiency if sun is not None else "pvwatts",
    )
    table = pd.DataFrame(
        {
            "ghi": weather.ghi_w_m2[0],
            "dni": weather.dni_w_m2[0],
            "dhi": weather.dhi_w_m2[0],
            "temp_air": weather.temp_air_c[0],
            "wind_speed": weather.wind_speed_m_s[0],
        },
        index=times,
    )
    chain.run_model(table)
    return chain.results.ac / 1e6


@pytest.mark.parametrize("step", [60, 30, 15])
@pytest.mark.parametrize("where", ["north", "south"])
@pytest.mark.parametrize("mount", ["tracker", "fixed"])
def test_same_models_same_sun_give_what_pvlibs_model_chain_gives(
    mount: str, where: str, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    weather, pv = random_weather(where, step, seed=step), array(mount)
    sun = solar_geometry(weather.site, step)
    # The chain would take extraterrestrial irradiance from the day of the year; ours comes from SPA.
    monkeypatch.setattr(pvlib.irradiance, "get_extra_radiation", lambda *_, **__: sun.dni_extra_w_m2)
    ours = solar_yield(weather, pv, 0.0)[0]
    theirs = model_chain_ac(weather, pv, sun).to_numpy()
    # Sun down: the chain's tracker has no orientation (NaN), its fixed plane takes twilight for circumsolar
    # light. Ours lies flat or fixed under an isotropic sky. Everywhere else the two must be one.
    up = sun.is_day & (sun.apparent_zenith_deg < 90)
    np.testing.assert_allclose(ours[up], theirs[up], rtol=1e-9, atol=1e-12)
    assert up.sum() > 4000 * 60 / step
    assert ours[~up].max() < 0.002


@pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear")  # pvlib 0.16 under pandas 3.1
@pytest.mark.parametrize("where", ["north", "south"])
@pytest.mark.parametrize("mount", ["tracker", "fixed"])
def test_pvlibs_chain_with_its_own_sun_and_inverter_differs_by_less_than_one_percent(
    mount: str, where: str
) -> None:
    weather, pv = random_weather(where), array(mount)
    ours = solar_yield(weather, pv, 0.0).sum()
    theirs = np.nansum(model_chain_ac(weather, pv, None))
    # Left: the middle of the sunlit part of an interval instead of that of the interval, refraction at a
    # mean temperature, and the part-load curve of PVWatts' inverter instead of its weighted efficiency.
    assert ours == pytest.approx(theirs, rel=0.01)


@settings(max_examples=25, deadline=None)
@given(
    brighter=st.floats(1, 1.4),
    mount=st.sampled_from(["tracker", "fixed"]),
    coupling=st.sampled_from(["ac", "dc"]),
    where=st.sampled_from(["north", "south"]),
    seed=st.integers(0, 9),
)
def test_more_irradiance_with_the_same_split_is_never_less_yield(
    brighter: float, mount: str, coupling: str, where: str, seed: int
) -> None:
    weather, pv = random_weather(where, seed=seed), array(mount, coupling)
    less = solar_yield(weather, pv, 0.0)[0]
    more = solar_yield(scaled(weather, brighter), pv, 0.0)[0]
    # Hay and Davies move diffuse light to the sun's side of the sky as the beam grows, so a plane turned away
    # from the sun may lose by it: a fixed array in the first hours of summer. Nowhere else.
    sun = solar_geometry(weather.site)
    facing = plane_geometry(sun, weather.site.latitude, pv).beam_ratio > 0.5
    assert np.all(more[facing] >= less[facing] - 1e-12)
    assert np.all(more.reshape(365, 24).sum(axis=1) >= less.reshape(365, 24).sum(axis=1) - 1e-12)


def scaled(weather: Weather, factor: float, warmer_c: float = 0.0) -> Weather:
    return replace(
        weather,
        ghi_w_m2=weather.ghi_w_m2 * factor,
        dni_w_m2=weather.dni_w_m2 * factor,
        dhi_w_m2=weather.dhi_w_m2 * factor,
        temp_air_c=weather.temp_air_c + warmer_c,
    )


@settings(max_examples=25, deadline=None)
@given(
    warmer_c=st.floats(0, 25),
    mount=st.sampled_from(["tracker", "fixed"]),
    coupling=st.sampled_from(["ac", "dc"]),
    seed=st.integers(0, 9),
)
def test_hotter_air_never_gives_more(warmer_c: float, mount: str, coupling: str, seed: int) -> None:
    weather, pv = random_weather(seed=seed), array(mount, coupling)
    assert np.all(solar_yield(scaled(weather, 1, warmer_c), pv, 0) <= solar_yield(weather, pv, 0) + 1e-12)


@settings(max_examples=25, deadline=None)
@given(
    ratio=st.floats(1.05, 2),
    mount=st.sampled_from(["tracker", "fixed"]),
    brighter=st.floats(0.5, 1.5),
    seed=st.integers(0, 9),
)
def test_the_inverter_clips_and_a_dc_converter_passes_more(
    ratio: float, mount: str, brighter: float, seed: int
) -> None:
    weather = scaled(random_weather(seed=seed), brighter)
    through_inverter = solar_yield(weather, array(mount, dc_ac_ratio=ratio), 0)
    through_converter = solar_yield(weather, array(mount, "dc", converter_efficiency=0.985), 0)
    assert through_inverter.max() <= 1 / ratio
    assert through_converter.max() <= 0.985
    assert through_converter.sum() / 0.985 >= through_inverter.sum() / ETA - 1e-9
    assert min(through_inverter.min(), through_converter.min()) >= 0


@settings(max_examples=20, deadline=None)
@given(age=st.floats(0, 40), rate=st.floats(0, 0.03))
def test_age_takes_its_exact_share(age: float, rate: float) -> None:
    weather, pv = random_weather(), array(degradation_per_yr=rate)
    np.testing.assert_allclose(
        solar_yield(weather, pv, age), solar_yield(weather, pv, 0) * (1 - rate) ** age, rtol=1e-13
    )


@pytest.mark.parametrize("mount", ["tracker", "fixed"])
@pytest.mark.parametrize("where", ["north", "south"])
def test_night_gives_nothing(mount: str, where: str) -> None:
    weather = random_weather(where, step=15)
    dark = weather.ghi_w_m2[0] == 0
    assert 0.4 < dark.mean() < 0.6
    assert np.all(solar_yield(weather, array(mount), 0)[0, dark] == 0)


def test_one_step_by_hand() -> None:
    # 1000 W/m2 straight on, 25 degC air, no wind: cell 25 + 1000/25 = 65 degC; 1 - 0.0035 * 40 = 0.86;
    # 0.88 after losses = 0.7568; through the inverter 0.741664.
    pv = array()
    cell = pv_model.cell_temperature(np.array([1000.0]), np.array([25.0]), np.array([0.0]))
    assert cell == pytest.approx([65.0])
    dc = pv_model.dc_power(np.array([1000.0]), cell, pv)
    assert dc == pytest.approx([0.7568])
    assert pv_model.bus_power(dc, pv) == pytest.approx([0.741664])
    assert pv_model.bus_power(np.array([0.9]), pv) == pytest.approx([1 / 1.3])
    assert pv_model.bus_power(np.array([1.1]), array(coupling="dc")) == pytest.approx([0.98])


def test_a_flat_plane_sees_the_horizontal_irradiance() -> None:
    weather = random_weather()
    sun = solar_geometry(weather.site)
    plane = plane_geometry(sun, 31.76, array("fixed", tilt_deg=0.0))
    dni, dhi = weather.dni_w_m2[0], weather.dhi_w_m2[0]
    _, total = plane_irradiance(plane, weather.ghi_w_m2[0], dni, dhi)
    high = sun.zenith_deg < 80
    expected = dni * np.cos(np.radians(sun.apparent_zenith_deg)) + dhi
    np.testing.assert_allclose(total[high], expected[high], rtol=1e-12)


def test_north_and_south_are_mirror_images() -> None:
    # Antipodal sun: the same latitude south with the angles of the north turned about the east-west line.
    sun = solar_geometry(site("north"))
    mirrored = SolarGeometry(**(vars(sun) | {"azimuth_deg": (180 - sun.azimuth_deg) % 360}))
    for mount in ("tracker", "fixed"):
        north = plane_geometry(sun, 31.76, array(mount))
        south = plane_geometry(mirrored, -31.76, array(mount))
        np.testing.assert_allclose(south.beam, north.beam, atol=1e-12)


def test_own_tilt_is_kept_and_the_rule_leans_to_winter() -> None:
    assert fixed_tilt_deg(31.76, array("fixed", tilt_deg=20.0)) == 20.0
    assert fixed_tilt_deg(31.76, array("fixed")) == pytest.approx(46.76)
    assert fixed_tilt_deg(-31.76, array("fixed")) == pytest.approx(46.76)
    assert fixed_tilt_deg(55.0, array("fixed")) == 60.0


@pytest.mark.parametrize("latitude", [25.0, 40.0, -31.76])
@pytest.mark.parametrize(
    ("clearness", "diffuse_share", "least"), [(0.65, 0.2, 0.96), (0.5, 0.4, 0.97), (0.25, 0.95, 0.91)]
)
def test_the_tilt_rule_stands_between_what_clear_and_overcast_winter_days_want(
    latitude: float, clearness: float, diffuse_share: float, least: float
) -> None:
    # Clear winters want latitude + 30 degrees, overcast ones latitude - 15: the rule gives up little in both.
    place = Site(latitude=latitude, longitude=-70.0, timezone="Etc/GMT+5", elevation_m=300.0)
    sun = solar_geometry(place)
    day = np.arange(8760) // 24
    winter = (day < 31) | (day >= 334) if latitude > 0 else (day >= 151) & (day < 212)
    ghi = clearness * sun.ghi_extra_w_m2
    beam = (1 - diffuse_share) * ghi / np.maximum(np.cos(np.radians(sun.zenith_deg)), 0.05)
    dni = np.where(sun.is_day, beam, 0)

    def energy(tilt_deg: float | None) -> float:
        plane = plane_geometry(sun, latitude, array("fixed", tilt_deg=tilt_deg))
        used, _ = plane_irradiance(plane, ghi, dni, diffuse_share * ghi)
        return float(used[winter].sum())

    best = max(energy(float(tilt)) for tilt in range(0, 91, 3))
    assert least * best <= energy(None) <= best


def test_quarter_hours_and_hours_agree_on_the_year() -> None:
    fine = random_weather(step=15, clearness=(0.6, 0.6))
    names = ("ghi_w_m2", "dni_w_m2", "dhi_w_m2", "temp_air_c", "wind_speed_m_s")
    hourly = {name: getattr(fine, name).reshape(1, 8760, 4).mean(axis=2) for name in names}
    coarse = replace(fine, step_minutes=60, sun_offset_minutes=30.0, **hourly)
    pv = array(coupling="dc")  # clipping differs with the step; nothing else may
    assert solar_yield(coarse, pv, 0).mean() == pytest.approx(solar_yield(fine, pv, 0).mean(), rel=0.006)


@pytest.mark.parametrize(
    ("folder", "low", "high"),
    [
        ("az_phoenix_nsrdb_tmy", 0.23, 0.29),
        ("tx_amarillo_nsrdb", 0.22, 0.29),
        pytest.param("ca_colusa_nsrdb_1998_2015", 0.22, 0.29, marks=pytest.mark.slow),
    ],
)
def test_tracker_capacity_factor_at_measured_places(
    weather_real: Any, folder: str, low: float, high: float
) -> None:
    # West Texas and desert trackers make 0.25-0.29 of their DC rating (Bolinger et al., Utility-Scale Solar,
    # LBNL, 2024), clipping and losses included; the Texas Panhandle and the Central Valley somewhat less.
    weather = Weather.read(weather_real / folder)
    factor = solar_yield(weather, library.pv("tracker_ac"), 0).mean()
    assert low < factor < high


@pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear")  # pvlib 0.16 under pandas 3.1
def test_tracker_capacity_factor_at_el_paso_on_generated_weather() -> None:
    weather = Weather.generate(Site(latitude=31.76, longitude=-106.49), years=20, seed=0)
    tracker = solar_yield(weather, library.pv("tracker_ac"), 0).mean()
    fixed = solar_yield(weather, library.pv("fixed_ac"), 0).mean()
    assert 0.22 < tracker < 0.29
    assert 0.16 < fixed < tracker  # leaning to winter costs some of the year's energy
