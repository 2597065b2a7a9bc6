"""A place on land, and what is said about any other."""

from __future__ import annotations

import pytest

from sitedesign import InputError, Site


def message(**data: object) -> str:
    with pytest.raises(InputError) as caught:
        Site(**data)
    return str(caught.value)


def test_what_is_left_out_is_looked_up() -> None:
    site = Site(latitude=31.76, longitude=-106.49)
    assert site.timezone == "America/Denver"
    assert site.utc_offset_h == -7.0  # standard time, also in summer
    assert site.elevation_m == pytest.approx(1140, abs=100)  # El Paso; pvlib's altitude map is coarse
    assert site.name == "31.76, -106.49"


def test_standard_time_in_the_south_is_the_winter_one() -> None:
    assert Site(latitude=-33.87, longitude=151.0).utc_offset_h == 10.0


def test_half_hour_zone() -> None:
    assert Site(latitude=28.6, longitude=77.2).utc_offset_h == 5.5


def test_round_trip_through_json() -> None:
    site = Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
    assert Site.model_validate_json(site.model_dump_json()) == site


def test_swapped_coordinates_are_recognised() -> None:
    text = message(latitude=-106.49, longitude=31.76)
    assert text == (
        "1 problem in the inputs of Site():\n"
        " * site.latitude: got -106.49; must be in [-90, 90]. site.longitude is 31.76: were the two swapped?"
    )


def test_ocean_point_is_refused() -> None:
    assert "30, -150, which lies in the sea; must be a point on land" in message(latitude=30, longitude=-150)


def test_lost_minus_sign_is_recognised() -> None:
    text = message(latitude=38.6, longitude=170.5)
    assert "lies in the sea" in text
    text = message(latitude=31.0, longitude=-56.0)  # mid-Atlantic; 56 E is Iran
    assert "Check the sign of the longitude (west is negative)." in text


def test_all_faults_at_once() -> None:
    text = message(latitude="north", longitude=200, elevation=5)
    assert text.startswith("3 problems in the inputs of Site():")
    assert "site.elevation: got an unknown key" in text
    assert "Did you mean 'elevation_m'?" in text
    assert "site.latitude: got 'north'; must be a number of degrees." in text
    assert "site.longitude: got 200; must be in [-180, 180]." in text


def test_polar_night_is_refused() -> None:
    assert "the sun does not rise in winter" in message(latitude=70, longitude=25)
