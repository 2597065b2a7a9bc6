"""The cash flow of a roadmap made by hand: capital by stage, rents, bills and racks by their months."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import sitedesign as sd
from sitedesign.case.build import StudyCase, build_case
from sitedesign.cli import app
from sitedesign.results.roadmap import Order, Roadmap
from tests import roadmaps

STUDY = sd.Study(
    site=sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX"),
    racks=700, uptime=0.999, backup="recip_medium", weather_years=1, grid=sd.Grid(mw=(0, 200), tariff=60),
)  # fmt: skip


@pytest.fixture(scope="module")
def roadmap() -> Roadmap:
    """First power in month 6; engines, array and battery in month 12, the grid in month 36; to month 240."""
    return roadmaps.roadmap(study=STUDY.to_dict())


@pytest.fixture(scope="module")
def case() -> StudyCase:
    return build_case(STUDY)


def test_what_is_delivered_in_a_year_is_paid_and_deducted_in_it(roadmap: Roadmap, case: StudyCase) -> None:
    flow = sd.cash_flow(roadmap, price=100.0)
    assets = {asset.name: asset for asset in flow.project.assets}
    assert flow.project.years == 19  # 234 months
    assert {asset.in_service for name, asset in assets.items() if "grid" not in name} == {1}
    sun = assets["solar array (month 12)"]
    land = assets["solar land (month 12)"]
    assert sun.cost_usd + land.cost_usd == pytest.approx(240 * case.unit_costs.solar.capital_usd)
    assert (sun.credit, land.credit) == (0.3, 0.0)
    assert assets["recip_medium units (month 12)"].cost_usd == pytest.approx(
        4 * case.unit_costs.backup[0].capital_usd
    )
    grid = assets["grid connection (month 36)"]
    assert grid.in_service == 3  # months 30 to 42
    assert case.grid is not None
    assert grid.cost_usd == pytest.approx(110 * case.grid.capital_usd_per_mw * 1.025**2)
    connection = sum(asset.cost_usd for name, asset in assets.items() if "grid" in name)
    over = flow.lines["later_capital"][2] / -connection
    assert over == pytest.approx(1 + flow.construction()["interest"].sum() / flow.project.cost_usd)
    drawn = -0.6 * flow.lines["later_capital"][2] / (1 - 0.6 * 0.0275)
    assert flow.lines["later_debt"][2] == pytest.approx(drawn * (1 - 0.0275))


def test_energy_rents_and_racks_fall_into_their_years(roadmap: Roadmap, case: StudyCase) -> None:
    flow = sd.cash_flow(roadmap, price=100.0)
    each = case.case.load_mwh_per_yr / 700
    sold = flow.lines["amount"]
    assert sold[1] == pytest.approx(each * (180 + 640) / 2 * 0.9991)  # months 6 to 18
    assert sold[2] == pytest.approx(each * 640 * 0.9991)
    assert sold[3] == pytest.approx(each * (640 + 700) / 2 * 0.9991)
    rent = -flow.lines["rent mobile_gt"]
    assert rent[1:5] == pytest.approx([25e6, 25e6 * 1.025, 12.5e6 * 1.025**2, 0.0])
    assert -flow.lines["mobilisation mobile_gt"][1:3] == pytest.approx([6e6, 0.0])
    assert -flow.lines["energy grid"][2:5] == pytest.approx([0.0, 12e6 * 1.025**2, 24e6 * 1.025**3])
    upkeep = case.unit_costs.backup[0].fixed_usd_per_yr
    assert -flow.lines["recip_medium units (month 12) upkeep"][1] == pytest.approx(4 * upkeep)


def test_a_landlord_and_an_owner_of_gpus_grow_with_their_racks(roadmap: Roadmap) -> None:
    hall, racks = (sd.cash_flow(roadmap, owner=owner) for owner in ("landlord", "gpu_owner"))
    kw = STUDY.contracted_it_mw * 1000
    assert hall.lines["hosting"][1] == pytest.approx(170 * 12 * kw * (180 + 640) / 2 / 700)
    halls = [asset for asset in hall.project.assets if asset.name.startswith("data hall (")]
    assert [asset.in_service for asset in halls] == [1, 1, 3]
    real = sum(asset.cost_usd / 1.025 ** (asset.in_service - 1) for asset in halls)
    assert real == pytest.approx(STUDY.facility.shell_usd_per_mw * STUDY.contracted_it_mw)
    assert racks.lines["amount"][2] == pytest.approx(640 * 8760 * 72 * 0.9991)
    bought = sum(asset.cost_usd / 1.025 ** (asset.in_service - 1) for asset in racks.project.assets
                 if asset.name.startswith("racks"))  # fmt: skip
    each = STUDY.rack.price_usd * (1 + STUDY.rack.network_price_fraction)
    assert bought == pytest.approx(705 * each)


def test_price_for_a_return_and_the_laws_of_stages(roadmap: Roadmap) -> None:
    flow = sd.cash_flow(roadmap, target_irr=0.11, terms=sd.Terms(debt_dscr=1.35))
    assert flow.irr == pytest.approx(0.11)
    assert flow.dscr.min() >= 1.35 - 1e-9
    sides = flow.uses_and_sources().groupby("side")["usd"].sum()
    assert sides["use"] == pytest.approx(sides["source"])
    assert not flow.certified
    assert str(flow).startswith("BOUND")


def test_production_credit_of_blocks_in_time(roadmap: Roadmap) -> None:
    """An array that is there by the end of 2027 takes it; one a year later takes none."""
    orders = (
        *(order for order in roadmap.orders if order.technology != "solar"),
        Order("solar", "owned", 120.0, "MW", 0, 12),
        Order("solar", "owned", 120.0, "MW", 0, 36),
    )
    stages = tuple(replace(stage, energy_mwh_per_yr={"solar": 200_000.0}) for stage in roadmap.stages)
    flow = sd.cash_flow(
        replace(roadmap, orders=orders, stages=stages), price=100.0, terms=sd.Terms(credit="production")
    )
    assert [item.name for item in flow.project.taxes.production_credits] == ["solar array (month 12)"]
    paid = flow.lines["production_credit"]
    assert paid[1] == pytest.approx(30 * 100_000)  # six months of all of it
    assert paid[2] == pytest.approx(31 * 200_000)
    assert paid[4] == pytest.approx(32 * 100_000)  # half of what stands


def test_what_a_roadmap_cannot_tell_is_refused(roadmap: Roadmap) -> None:
    with pytest.raises(sd.InputError, match="has 19 years of power"):
        sd.cash_flow(roadmap, terms=sd.Terms(years=25, degradation=0.01))
    with pytest.raises(sd.InputError, match="does not hold it"):
        sd.cash_flow(replace(roadmap, study={**roadmap.study, "weather": "files"}))
    strange = replace(roadmap, orders=(*roadmap.orders, Order("town", "owned", 1.0, "MW", 0, 12)))
    with pytest.raises(sd.InputError, match="town"):
        sd.cash_flow(strange)
    with pytest.raises(sd.InputError, match="stages"):
        sd.cash_flow(roadmap, price=100.0).sale_leaseback(1e6)


def test_command_takes_a_saved_roadmap(roadmap: Roadmap, tmp_path: Path) -> None:
    saved = roadmap.save(tmp_path / "roadmap.json")
    done = CliRunner().invoke(app, ["finance", str(saved), "--price", "110", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["npv_usd"] == pytest.approx(sd.cash_flow(roadmap, price=110.0).npv_usd)
