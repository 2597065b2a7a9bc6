"""Sanity anchors: published rules of thumb, held against what comes out.

A published rule says that 24 h of battery and 10 MW of solar per MW of load give four nines without backup.
Run this file to print the table: ``python -m tests.test_anchors``.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

import sitedesign as sd
from sitedesign.case.build import build_case
from sitedesign.results.evaluation import Evaluation

RACKS, SPARE_RACKS = 100, 20  # with so many spares, only power is ever missing
YEARS = 20
# Place -> latitude, longitude, share of the load served over 20 generated years at plant age 10, in per cent.
PLACES = {
    "El Paso, TX": (31.76, -106.49, 98.5),
    "Tucson, AZ": (32.22, -110.97, 98.7),
    "Amarillo, TX": (35.22, -101.83, 96.6),
    "San Antonio, TX": (29.42, -98.49, 93.2),
    "Richmond, VA": (37.54, -77.44, 90.1),
}
BAND_PERCENT = 1.0  # generated years vary; three standard errors are about this much


@lru_cache
def rule_of_thumb(place: str) -> Evaluation:
    """24 h of battery at 0.25 C and 10 MWdc of solar per MW of mean load at the bus, nobody looking ahead."""
    latitude, longitude, _ = PLACES[place]
    site = sd.Site(latitude=latitude, longitude=longitude, name=place)
    study = sd.Study(site=site, racks=RACKS, uptime=0.9999, backup=[], weather_years=YEARS)
    load_mw = float(build_case(study).case.load_mw.mean())
    return sd.evaluate(
        study,
        solar_mw=10 * load_mw,
        battery_mwh=24 * load_mw,
        battery_mw=6 * load_mw,
        racks=RACKS + SPARE_RACKS,
    )


@pytest.mark.parametrize("place", PLACES)
def test_a_day_of_battery_and_ten_times_the_sun_do_not_give_four_nines(place: str) -> None:
    uptime = rule_of_thumb(place).uptime
    assert 100 * uptime.value == pytest.approx(PLACES[place][2], abs=BAND_PERCENT)
    assert uptime.value + 3 * uptime.standard_error < 0.999


def test_sunny_places_come_closest_to_the_rule() -> None:
    served = [rule_of_thumb(place).uptime.value for place in PLACES]
    assert min(served[:2]) > served[2] > served[3] > served[4]


def test_the_rule_misses_whole_days_not_minutes() -> None:
    for place in PLACES:
        result = rule_of_thumb(place)
        assert (
            result.energy_mwh_per_yr["curtailed"] > 0.6 * result.load_mwh_per_yr
        )  # no lack of sun on most days
        assert max(event["duration_h"] for event in result.events) > 12


def print_table() -> None:
    print(f"24 h of battery and 10 MW of solar per MW of load, {YEARS} generated years, plant age 10 years")
    print(f"{'place':16s} {'served':>16s} {'hours short':>12s} {'longest':>8s} {'curtailed':>10s}")
    for place in PLACES:
        result = rule_of_thumb(place)
        short = float(np.mean(result.dispatch["shed_mw"].to_numpy() > 1e-9)) * 8760
        longest = max(event["duration_h"] for event in result.events)
        energy = result.energy_mwh_per_yr
        share = energy["curtailed"] / (energy["curtailed"] + energy["load"])
        print(
            f"{place:16s} {100 * result.uptime.value:8.2f} ± {100 * result.uptime.standard_error:.2f} %"
            f" {short:8.0f} h/a {longest:6.0f} h {100 * share:8.0f} %"
        )


if __name__ == "__main__":
    print_table()
