"""Plants nearly as good: enclosed by cuts as the model with the cost as a row has it."""

from __future__ import annotations

import pyomo.environ as pyo
import pytest

import sitedesign as sd
from sitedesign.equations.variables import USD_PER_KUSD
from sitedesign.foresight.near_optimal import NAMES, near_optimal
from sitedesign.optimize.extensive_form import build_model
from sitedesign.optimize.highs import PersistentHighs
from sitedesign.report import figures
from tests.slow_rest import slow_after
from tests.small_cases import study as small_case

WITHIN = 0.05


def by_row(case, name: str, most_usd: float) -> float:
    """Optimum of the hour-by-hour model with the cost as a row and the quantity as objective."""
    m = build_model(case)
    cost = m.annual_cost.expr
    m.annual_cost.deactivate()
    m.dear = pyo.Constraint(expr=cost <= most_usd / USD_PER_KUSD)
    quantity = {
        "most_solar": lambda: m.resource_mw["solar"],
        "least_solar": lambda: m.resource_mw["solar"],
        "least_battery": lambda: m.battery_mwh,
        "fewest_units": lambda: sum(m.units[k] for k in m.backup_technology),
        "least_co2": lambda: sum(
            m.co2_t_per_mwh[k, i] * m.energy_mwh_per_yr[k, i] for k, i in m.supply_level
        ),
    }[name]()
    sign = -1.0 if name == "most_solar" else 1.0
    m.quantity = pyo.Objective(expr=sign * quantity)
    return sign * PersistentHighs(m).solve(gap=1e-6).objective


@pytest.mark.parametrize("seed", slow_after(1, [4, 7]))
def test_both_formulations_agree(seed: int) -> None:
    case = small_case(seed)
    names = tuple(name for name in NAMES if name != "soonest")
    best, found = near_optimal(case, WITHIN, names, gap=1e-6, width=2e-3)
    most = best.objective_usd_per_yr * (1 + WITHIN)
    for item in found:
        assert item.sizing.objective_usd_per_yr <= most * (1 + 1e-9)
        exact = by_row(case, item.name, most)
        low, high = sorted((item.value, item.value if item.beyond is None else item.beyond))
        slack = 1e-3 * max(abs(exact), 1.0)
        assert low - slack <= exact <= high + slack, (item.name, item.value, item.beyond, exact)


@pytest.fixture(scope="module")
def found() -> sd.Alternatives:
    site = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
    return sd.alternatives(sd.Study(site=site, racks=70, uptime=0.99, weather_years=1), within="2 %")


def test_what_differs_costs_no_more_than_allowed(found: sd.Alternatives) -> None:
    table = found.table().set_index("plant")
    assert list(table.index) == ["least_cost", *NAMES]
    assert found.within == 0.02
    assert (table["dearer"] <= 0.02 + 1e-9).all()
    least = table.loc["least_cost"]
    assert table.loc["most_solar", "solar_mw"] > least["solar_mw"] > table.loc["least_solar", "solar_mw"]
    assert table.loc["least_battery", "battery_mwh"] <= least["battery_mwh"]
    assert table.loc["least_co2", "co2_t_per_yr"] < least["co2_t_per_yr"]
    units = [name for name in table if name.startswith("units_")]
    assert table.loc["fewest_units", units].sum() <= least[units].sum()
    assert table.loc["soonest", "months_to_power"] <= least["months_to_power"]


def test_it_is_shown_in_words_and_drawn(found: sd.Alternatives) -> None:
    assert "within 2 % of the least cost" in repr(found)
    assert len(repr(found).splitlines()) < 20
    data, drawn = figures.nearly_as_good_data(found), figures.nearly_as_good(found)
    assert (data["low"] <= data["least_cost"]).all()
    assert (data["least_cost"] <= data["high"]).all()
    assert list(drawn.data[0].y) == list(data["quantity"])
    low, high = found["least_solar"].resources_mw["solar"], found["most_solar"].resources_mw["solar"]
    assert f"{low:,.0f} to {high:,.0f} MWdc of sun" in found.words


def test_a_design_tells_what_is_nearly_as_good(found: sd.Alternatives, tmp_path) -> None:
    from tests.report_designs import make_design

    design = make_design(years=1).with_alternatives(found)
    assert dict(design.answer.rows)["as good"] == found.words
    loaded = sd.Design.load(design.save(tmp_path / "design.json"))
    assert loaded.nearly_as_good == found
    assert "Nearly as good" in loaded.report(tmp_path / "report.html").read_text(encoding="utf-8")


def test_faults_are_told_in_our_words() -> None:
    with pytest.raises(sd.InputError, match="must be one of most_solar"):
        sd.alternatives(None, kinds=["most_sun"])
    with pytest.raises(sd.InputError, match=r"must be a sitedesign\.Study or a Design"):
        sd.alternatives(3)
