"""A roadmap of 20 weather years, ten stages, three technologies in whole units, rentals and a grid."""

from __future__ import annotations

from typing import Any

import pytest

import sitedesign as sd

RAMP = {18: 400, 24: 1000, 36: 1500, 48: 2000}


def asked(**more: Any) -> dict[str, Any]:
    site = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
    return {
        "study": sd.Study(
            site=site,
            racks=2000,
            uptime=0.999,
            weather_years=20,
            backup=["recip_fast", "recip_medium", "aero_gt"],
            grid=sd.Grid(mw=300, tariff=55),
        ),
        "rentals": [
            sd.Rental(
                technology="mobile_gt",
                units=20,
                rent_usd_per_kw_month=42,
                from_month=6,
                mobilisation_usd_per_kw=120,
                min_term_months=24,
            )
        ],
        "deliveries": [sd.Delivery(technology="grid", lead_months=36)],
        "stages": 10,
    } | more


@pytest.mark.parametrize(
    "question",
    [{"ramp": RAMP}, {"value_usd_per_rack_month": 20_000.0, "ramp": RAMP}],
    ids=["promise", "value"],
)
def test_roadmap(benchmark: Any, question: dict[str, Any]) -> None:
    given = asked(**question)
    sd.roadmap(**given | {"stages": 1, "gap": 0.05})  # kernels, weather
    found = benchmark.pedantic(lambda: sd.roadmap(**given), rounds=1, iterations=1)
    assert found.gap <= 1e-3
