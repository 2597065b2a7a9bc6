"""On measured weather, starting units as late as is safe burns far less than starting them at a threshold."""

from __future__ import annotations

from pathlib import Path

import pytest

import sitedesign as sd
from sitedesign.case.build import build_case
from sitedesign.case.plant import Plant
from sitedesign.certified.environment import environment_of
from sitedesign.certified.scenario_years import weather_block
from sitedesign.operation.state import Controller
from sitedesign.reliability.certificate import Certificate
from sitedesign.reliability.certificate_plan import CertificatePlan
from sitedesign.reliability.monte_carlo import monte_carlo

ECTOR = sd.Site(latitude=31.87, longitude=-102.54)
SIMULATED_YEARS = 100  # of fewer, uptimes scatter by as much as a step of the margin changes them
THRESHOLD = 0.7
MARGINS_H = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
#: Folder, place where the files do not name it, plant: sized with foresight for 99.9 %, two units more.
PLACES = {
    "Colusa": ("ca_colusa_nsrdb_1998_2015", None, Plant((312.0,), 1030.0, 142.0, (21,), 707)),
    "Amarillo": ("tx_amarillo_nsrdb", None, Plant((295.0,), 858.0, 131.0, (20,), 707)),
    "Ector County": ("tx_ector_county_nsrdb_2020", ECTOR, Plant((286.0,), 842.0, 122.0, (21,), 707)),
}


@pytest.mark.parametrize(
    "place",
    [*(pytest.param(name, marks=pytest.mark.slow) for name in ("Colusa", "Amarillo")), "Ector County"],
)
def test_latest_safe_start_burns_less_than_a_threshold_of_the_same_uptime(
    place: str, weather_real: Path
) -> None:
    folder, site, plant = PLACES[place]
    weather = sd.Weather.read(weather_real / folder, site=site)
    study = sd.Study(site=weather.site, racks=700, uptime=0.999, weather=weather, backup="recip_fast")
    study_case = build_case(study)
    environment, block = environment_of(study_case), weather_block(study_case)

    def judged(rule: Controller) -> Certificate:
        draws = max(2, SIMULATED_YEARS // study_case.case.years)
        plan = CertificatePlan(draws=draws, seed=7, attribute=False)
        return monte_carlo(block, plant, rule, environment, plan)

    early = judged(Controller("greedy", start_soc=THRESHOLD))
    tries = (judged(Controller(reserve_h=reserve_h)) for reserve_h in MARGINS_H)
    late = next(found for found in tries if found.uptime.value >= early.uptime.value)
    assert early.uptime.value > 0.998
    saved = 1 - sum(late.fuel_mmbtu_per_yr) / sum(early.fuel_mmbtu_per_yr)
    assert saved > 0.15
