"""Portfolios: the choice against brute force, curves by hand, sites solved again, limits, words and files."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo
import pytest

import sitedesign as sd
from sitedesign import InfeasibleDesign, InputError, library
from sitedesign.case.plant_limits import opened
from sitedesign.fleet.choice import Asked, choose
from sitedesign.fleet.curves import SiteCosts, Terms, pieces_of, site_costs
from sitedesign.fleet.together import Ties, choose_together, coupling
from sitedesign.optimize.block_master import Block, add_block
from sitedesign.optimize.blocks import solve_blocks
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.optimize.extensive_form import add_operation_model
from sitedesign.optimize.highs import solve_once
from tests.cli_runs import run
from tests.test_roadmap_plan import toy

EASY = {"uptime": 0.99, "weather_years": 1, "backup": ["recip_medium"]}
MOVES = Ties(10, None, 5.0, 5.0, 0.0, moves=True)
NO_SCALE = Terms(None, 0.0, large_load=False, least_racks=1.0, most_racks=1e4)


def results(count: int, seed: int = 0) -> pd.DataFrame:
    """What a batch of made-up sites of 700 racks would say."""
    rng = np.random.default_rng(seed)
    parts = {
        "solar_capital_usd_per_yr": (10e6, 25e6), "battery_capital_usd_per_yr": (5e6, 18e6),
        "backup_capital_usd_per_yr": (8e6, 15e6), "connection_capital_usd_per_yr": (0.0, 2e6),
        "hall_capital_usd_per_yr": (70e6, 95e6), "staff_usd_per_yr": (20e6, 22e6),
    }  # fmt: skip
    frame = pd.DataFrame({name: rng.uniform(*ends, count) for name, ends in parts.items()})
    frame["site_cost_usd_per_yr"] = frame.sum(axis=1) + rng.uniform(15e6, 35e6, count)
    frame["contracted_racks"], frame["it_mw"], frame["status"] = 700.0, 92.0, "solved"
    frame["latitude"], frame["longitude"] = rng.uniform(30, 45, count), rng.uniform(-115, -85, count)
    frame["name"] = [f"site {number}" for number in range(count)]
    frame["region"] = rng.choice(["texas", "ohio", "iowa"], count)
    frame["months_to_power"], frame["grid_mw"] = (
        rng.choice([12.0, 24.0], count),
        rng.choice([0.0, 80.0], count),
    )
    return frame


# Curves -----------------------------------------------------------------------------------------------------


def test_without_scale_a_rack_costs_the_same_at_every_size() -> None:
    frame = results(3)
    costs = site_costs(frame, NO_SCALE, {})
    racks = np.array([10.0, 700.0, 4000.0])
    np.testing.assert_allclose(costs.at(racks), frame["site_cost_usd_per_yr"] * racks / 700)


def test_scale_waiting_and_threshold_by_hand() -> None:
    frame = results(1).assign(grid_mw=80.0, months_to_power=12.0, region="ohio")
    row, scale = frame.loc[0], library.scale().replace(large_load_months=10.0)
    terms = Terms(scale, 1000.0, large_load=True, least_racks=100.0, most_racks=2000.0)
    costs = site_costs(frame, terms, {"ohio": 92.0})  # the size of the screening: 700 racks
    finance = library.finance()
    rate, years = finance.wacc_power_real, finance.analysis_yr
    recovery = rate / (1 - (1 + rate) ** -years)
    fixed = scale.site_development_usd * recovery + scale.site_usd_per_yr + scale.network_usd_per_yr
    for racks, late in ((699.0, 0.0), (700.0, 10.0), (1400.0, 10.0)):
        size = racks * 92 / 700 / 100
        parts = {"solar": 0.97, "battery": 0.98, "backup": 0.90, "connection": 0.65, "hall": 0.95}
        named = {f"{name}_capital_usd_per_yr": exponent for name, exponent in parts.items()}
        named |= {"staff_usd_per_yr": 0.75}
        scaled = sum(row[name] * racks / 700 * size ** (power - 1) for name, power in named.items())
        rest = (row["site_cost_usd_per_yr"] - sum(row[name] for name in named)) * racks / 700
        delay = 1000.0 * recovery * (12.0 + late) * racks
        assert costs.at(np.array([racks]))[0] == pytest.approx(scaled + rest + fixed + delay, rel=1e-12)


def test_chords_lie_below_the_costs_and_close_to_them() -> None:
    frame = results(20)
    terms = Terms(library.scale(), 2000.0, large_load=True, least_racks=100.0, most_racks=7000.0)
    costs = site_costs(frame, terms, {"texas": 75.0, "ohio": 25.0, "iowa": None})
    pieces = pieces_of(costs)
    for share in (0.0, 0.3, 0.7, 1.0):
        racks = pieces.low + share * (pieces.high - pieces.low)
        true = costs.at(racks, pieces.low >= np.ceil(costs.threshold_racks)[:, None])
        chord = pieces.cost_low + share * (pieces.cost_high - pieces.cost_low)
        assert (chord <= true * (1 + 1e-12)).all()
        assert (chord >= true * (1 - 7e-4)).all()


# Choice -----------------------------------------------------------------------------------------------------


def brute(costs: SiteCosts, asked: Asked) -> float:
    """Least cost over all sets of sites: costs bend down, so all but one stand at a bound or threshold."""
    count, least_cost = len(costs.least), np.inf
    most = asked.most_sites or count
    for number in range(1, most + 1):
        for sites in itertools.combinations(range(count), number):
            marks = []
            for site in sites:
                edge = np.ceil(costs.threshold_racks[site])
                inner = [edge - 1, edge] if costs.least[site] < edge < costs.most[site] else []
                marks.append(sorted({costs.least[site], costs.most[site], *inner}))
            for free in range(number):
                others = [marks[k] for k in range(number) if k != free]
                for sizes in itertools.product(*others):
                    rest = asked.racks - sum(sizes)
                    if not costs.least[sites[free]] <= rest <= costs.most[sites[free]]:
                        continue
                    racks = np.zeros(count)
                    racks[list(sites)] = [*sizes[:free], rest, *sizes[free:]]
                    by_region = {
                        region: racks[asked.regions == region].sum() for region in asked.region_racks
                    }
                    inside = all(low <= by_region[r] <= high for r, (low, high) in asked.region_racks.items())
                    if inside and costs.keep(racks, asked.ramp):
                        least_cost = min(least_cost, float(costs.at(racks).sum()))
    return least_cost


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("late", [False, True])
def test_choice_is_that_of_brute_force(seed: int, late: bool) -> None:
    frame = results(5, seed)
    terms = Terms(library.scale(), 3000.0 * late, late, 150.0, 900.0)
    costs = site_costs(frame, terms, {"texas": 75.0, "ohio": 50.0, "iowa": None})
    asked = Asked(1800, 3, np.zeros(5, dtype=np.int64), {})
    found = choose(costs, asked, 1e-6)
    best = brute(costs, asked)
    assert found.racks.sum() == 1800
    assert np.count_nonzero(found.racks) <= 3
    assert found.bound_usd_per_yr <= best * (1 + 1e-9)
    assert found.cost_usd_per_yr == pytest.approx(best, rel=2e-4)
    assert found.cost_usd_per_yr >= best * (1 - 1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_with_a_ramp_the_choice_is_that_of_brute_force_and_never_cheaper(seed: int) -> None:
    frame = results(4, seed).assign(months_to_power=[12.0, 30.0, 18.0, 12.0])
    costs = site_costs(frame, Terms(None, 0.0, large_load=True, least_racks=150.0, most_racks=900.0),
                       {"texas": 75.0, "ohio": 50.0, "iowa": None})  # fmt: skip
    nobody = Asked(1800, 3, np.zeros(4, dtype=np.int64), {})
    asked = dataclasses.replace(nobody, ramp=((12, 400), (18, 850)))
    found, free = choose(costs, asked, 1e-6), choose(costs, nobody, 1e-6)
    # Without scale costs rise in straight lines: a site lies at a bound, at the threshold, or fills a step
    best = min(
        float(costs.at(racks).sum())
        for racks in (np.array(item, dtype=float) for item in sizes_of(costs, 50))
        if racks.sum() == 1800 and np.count_nonzero(racks) <= 3 and costs.keep(racks, asked.ramp)
    )
    assert costs.keep(found.racks, asked.ramp)
    assert found.racks.sum() == 1800
    assert found.bound_usd_per_yr <= best * (1 + 1e-9)
    assert found.cost_usd_per_yr <= best * (1 + 1e-6)
    assert found.cost_usd_per_yr >= free.cost_usd_per_yr * (1 - 1e-9)


def sizes_of(costs: SiteCosts, step: int) -> Iterator[tuple[float, ...]]:
    """All plants of a few sites in steps, those around the threshold among them."""
    marks = []
    for site in range(len(costs.least)):
        edge = np.ceil(costs.threshold_racks[site])
        inner = [edge - 1, edge] if np.isfinite(edge) else []
        grid = np.arange(costs.least[site], costs.most[site] + 1, step)
        marks.append(sorted({0.0, *grid.tolist(), *(item for item in inner if item <= costs.most[site])}))
    yield from itertools.product(*marks)


def test_a_ramp_says_which_site_comes_first() -> None:
    frame = results(12, 7).assign(months_to_power=[12.0, 24.0] * 6)
    cheap = sd.portfolio(frame, racks=3000, scale=None, most_racks=1000)
    early = sd.portfolio(frame, racks=3000, scale=None, most_racks=1000, ramp={12: 2500})
    table = early.timetable()
    assert cheap.timetable()["racks_running"].get(12, 0) < 2500
    assert table.loc[12, "racks_running"] >= 2500 == table.loc[12, "racks_asked"]
    assert table["racks_running"].iloc[-1] == 3000
    assert early.cost_usd_per_yr > cheap.cost_usd_per_yr
    assert "in month 12" in str(early)
    with pytest.raises(InfeasibleDesign, match="month 6 asks for 100 racks, the 12 largest sites with power"):
        sd.portfolio(frame, racks=3000, most_racks=1000, ramp={6: 100})


def test_a_date_that_is_not_known_is_neither_early_nor_free_of_waiting() -> None:
    frame = results(12, 7).assign(months_to_power=[np.nan, 24.0] * 6)
    made = sd.portfolio(frame, racks=3000, most_racks=1000)
    table = made.timetable()
    assert table["racks"].sum() == table["racks_running"].iloc[-1] == 3000
    assert np.isnan(table.index[-1])
    assert "3,000 at a date that is not known" in str(made)
    for dates in ({"ramp": {24: 500}}, {"delay_usd_per_rack_month": 1.0}):
        dated = sd.portfolio(frame, racks=3000, most_racks=1000, **dates)
        assert {item.months_to_power for item in dated.sites} <= {24.0, 42.0}
        assert any(note.startswith("6 candidates without months to power") for note in dated.notes)
        with pytest.raises(InputError, match="no months_to_power; is needed for a ramp and for a price"):
            sd.portfolio(frame.drop(columns="months_to_power"), racks=3000, most_racks=1000, **dates)


def test_bounds_of_regions_hold_and_their_prices_differ() -> None:
    frame = results(12, 7)
    costs = site_costs(frame, Terms(None, 0.0, large_load=False, least_racks=1.0, most_racks=500.0), {})
    regions = np.arange(12) % 3
    free = choose(costs, Asked(2100, None, regions, {}), 1e-9)
    held = choose(costs, Asked(2100, None, regions, {0: (900.0, 1500.0), 1: (0.0, 100.0)}), 1e-9)
    assert 900 <= held.racks[regions == 0].sum() <= 1500
    assert held.racks[regions == 1].sum() <= 100
    assert held.cost_usd_per_yr >= free.cost_usd_per_yr
    slopes = costs.at(np.ones(12))
    free_site = [i for i in range(12) if 0 < free.racks[i] < 500]
    assert free.rack_usd_per_yr == pytest.approx(slopes[free_site[0]])
    assert set(held.region_usd_per_yr) == {int(r) for r in np.unique(regions[held.racks > 0])}


def test_sites_that_cannot_matter_are_left_out_and_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = results(60, 3)
    terms = Terms(library.scale(), 0.0, large_load=False, least_racks=100.0, most_racks=1000.0)
    costs = site_costs(frame, terms, {})
    asked = Asked(2500, 4, np.zeros(60, dtype=np.int64), {})
    few = choose(costs, asked, 1e-7)
    from sitedesign.fleet import choice

    assert len(choice._useful(costs, asked)) < 20
    monkeypatch.setattr(choice, "_useful", lambda costs, asked: np.arange(len(costs.least)))
    every = choose(costs, asked, 1e-7)
    assert few.cost_usd_per_yr == pytest.approx(every.cost_usd_per_yr, rel=1e-6)


def test_too_many_racks_are_refused_with_the_reason() -> None:
    frame = results(4)
    with pytest.raises(InfeasibleDesign, match="the 2 largest sites hold 1,000 racks, 1,500 are asked for"):
        sd.portfolio(frame, racks=1500, most_racks=500, most_sites=2)
    with pytest.raises(InfeasibleDesign, match="a site holds at least 100 racks"):
        sd.portfolio(frame, racks=50)


# The whole --------------------------------------------------------------------------------------------------


def test_a_portfolio_of_results_says_all_and_comes_back_from_a_file(tmp_path: Path) -> None:
    made = sd.portfolio(results(40), racks=5000, most_sites=6, most_racks=1500, compare=[1, 3, 4, 6])
    assert sum(item.racks for item in made.sites) == 5000
    assert made.cost_usd_per_yr == pytest.approx(sum(item.cost_usd_per_yr for item in made.sites))
    assert 0 <= made.gap < 2e-3
    assert made.by_sites[0].sites is None
    costs = [item.cost_usd_per_yr for item in made.by_sites if item.cost_usd_per_yr is not None]
    assert costs == sorted(costs, reverse=True)
    assert sum(item.racks for item in made.regions) == 5000
    assert any("give study=" in note for note in made.notes)
    again = sd.Portfolio.load(made.save(tmp_path / "portfolio.json"))
    assert again == made
    assert str(again) == str(made)
    page = made.write_map(tmp_path / "map.html").read_text(encoding="utf-8")
    assert "racks_chosen" in page
    assert again.write_map(tmp_path / "alone.html").stat().st_size > 1e6


def test_chosen_sites_are_solved_again_and_one_site_is_what_solve_says() -> None:
    places = [
        {"latitude": 31.76, "longitude": -106.49, "name": "El Paso"},
        {"latitude": 40.0, "longitude": -83.0, "name": "Columbus"},
    ]
    made = sd.portfolio(places, racks=300, most_sites=1, scale=None, **EASY)
    (site,) = made.sites
    place = next(item for item in places if item["name"] == site.name)
    alone = sd.solve(site=sd.Site(**place), racks=300, certify=False, **EASY)
    racks = sum(item.usd_per_yr for item in alone.project_costs if item.asset == "racks")
    assert site.exact
    assert made.cost_usd_per_yr == pytest.approx(alone.project_cost_usd_per_yr - racks, rel=1e-4)
    assert made.designs[site.name].racks_contracted == 300
    two = sd.portfolio(places, racks=400, most_racks=250, **EASY)
    assert [item.exact for item in two.sites] == [True, True]
    assert two.rounds >= 1


@pytest.mark.parametrize(
    ("all_racks", "least", "step"), [pytest.param(40, 10, 4, marks=pytest.mark.slow), (12, 3, 1)]
)
def test_all_plants_in_one_program_are_the_best_of_every_split_of_the_racks(
    all_racks: int, least: int, step: int
) -> None:
    """Two sites, the cheapest way to split the racks; few racks live on a battery."""
    easy = EASY | {"backup": ["recip_fast"]}
    places = [sd.Site(latitude=31.76, longitude=-106.49), sd.Site(latitude=40.0, longitude=-83.0)]
    studies = [sd.Study(site=site, racks=all_racks, **easy) for site in places]
    most = all_racks - least
    ties = Ties(all_racks, None, float(least), float(most), 1e5, moves=False)
    found = choose_together(studies, ties, 1e-5)

    def cost(study: sd.Study, racks: int) -> float:
        alone = sd.solve(study.replace(racks=racks), certify=False, gap=1e-6)
        chips = sum(item.usd_per_yr for item in alone.project_costs if item.asset == "racks")
        return alone.project_cost_usd_per_yr - chips + 1e5

    best = min(
        cost(studies[0], racks) + cost(studies[1], all_racks - racks)
        for racks in range(least, most + 1, step)
    )
    assert sum(found.racks) == all_racks
    assert found.cost_usd_per_yr == pytest.approx(best, rel=1e-4)
    assert found.bound_usd_per_yr <= best * (1 + 1e-7)


def of_a_share(b: pyo.Block) -> None:
    """Let the hours of a site serve its share of the load instead of all of it."""
    b.power_balance.deactivate()

    def balance(b: pyo.Block, t: int) -> Any:
        sun = sum(b.resource_mw[r] * b.resource_yield[r, t] for r in b.resource) - b.curtailed_mw[t]
        given = sum(b.supply_mw[k, t] for k in b.technology) + sum(b.shed_mw[j, t] for j in b.tier)
        return sun + b.discharge_mw[t] - b.charge_mw[t] + given == b.load_mw[t] * b.share

    b.share_balance = pyo.Constraint(b.step, rule=balance)
    b.share_shed = pyo.Constraint(
        b.tier, b.step, rule=lambda b, j, t: b.shed_mw[j, t] <= b.shed_mw[j, t].ub * b.share
    )


def test_ten_plants_in_one_program_are_those_of_every_hour_in_one_model() -> None:
    """Ten toy sites that differ in sun, engines and rent, 20 racks: cuts against every hour of every site."""
    rng = np.random.default_rng(5)
    racks, cases = 20, []
    for _ in range(10):
        base = toy(racks_contracted=20, racks_max=20)
        engines = tuple(
            dataclasses.replace(item, marginal_cost_usd_per_mwh=item.marginal_cost_usd_per_mwh * factor)
            for item, factor in zip(base.backup, rng.uniform(0.7, 1.4, 2), strict=True)
        )
        sun = base.resources[0].yield_mw_per_mw * rng.uniform(0.6, 1.1)
        cases.append(opened(dataclasses.replace(base.with_resource(yield_mw_per_mw=sun), backup=engines)))
    places = rng.uniform(1e4, 6e4, 10).tolist()
    ties = Ties(racks, 3, 3.0, 9.0, 2e5, moves=False)
    share = (0.0, ties.most_racks / racks)
    blocks = [Block(f"site {i}", item, CutPool(item), share=share) for i, item in enumerate(cases)]
    found = solve_blocks(blocks, coupling(places, ties), gap=1e-5)
    m = pyo.ConcreteModel()
    m.block = pyo.Block(range(10))
    for i, item in enumerate(blocks):
        add_block(m.block[i], item)
        add_operation_model(m.block[i], item.case)
        of_a_share(m.block[i])
    extra = coupling(places, ties)(m)
    m.cost = pyo.Objective(expr=sum(m.block[i].annual_cost.expr for i in range(10)) + extra)
    whole = 1e3 * solve_once(m, gap=1e-6).objective
    assert found.stopped_by == "gap"
    assert found.cost_usd == pytest.approx(whole, rel=1e-4)
    assert found.bound_usd <= whole * (1 + 1e-7)
    built = [plan.racks_running for plan in found.plans]
    assert sum(built) == racks
    assert np.count_nonzero(built) == 3


def common(site: sd.Site, dark: int) -> sd.Weather:
    """Two years called 2001 and 2002 at every site, dark in a month of each site's own."""
    made = sd.Weather.generate(site, years=2, seed=1)
    source = dataclasses.replace(made.source, kind="measured")
    clouds = np.ones(8760)
    clouds[dark * 720 : (dark + 1) * 720] = 0.15
    suns = {name: getattr(made, name) * clouds for name in ("ghi_w_m2", "dni_w_m2", "dhi_w_m2")}
    return dataclasses.replace(made, **suns, source=source)


def test_work_that_moves_needs_the_same_years_everywhere_and_then_saves() -> None:
    sites = [sd.Site(latitude=31.76, longitude=-106.49), sd.Site(latitude=32.2, longitude=-110.9)]
    easy = {"uptime": 0.97, "backup": [], "accept": ["weather_flags"], "region": None, "racks": 10}
    with pytest.raises(InputError, match="generated years; needs measured weather of the same years"):
        choose_together([sd.Study(site=site, weather_years=2, **easy) for site in sites], MOVES)
    measured = [
        sd.Study(site=site, weather=common(site, 3 * number), **easy) for number, site in enumerate(sites)
    ]
    apart = choose_together(measured, dataclasses.replace(MOVES, moves=False), 1e-3)
    moved = choose_together(measured, MOVES, 1e-3)
    assert moved.bound_usd_per_yr < apart.cost_usd_per_yr * 0.999
    other = measured[1].replace(weather=measured[1].weather.subset([0]))
    with pytest.raises(InputError, match="weather: got the years"):
        choose_together([measured[0], other], MOVES)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"racks": 0}, "racks"),
        ({"racks": 100, "most_sites": 0}, "most_sites"),
        ({"racks": 100, "regions": {"texs": 5}}, "Did you mean 'texas'?"),
        ({"racks": 100, "regions": {"texas": (5, 1)}}, "regions.texas"),
        ({"racks": 100, "scale": "huge"}, "huge"),
        ({"racks": 100, "compare": [0]}, "compare"),
        ({"racks": 100, "ramp": {12: 200}}, "must be at most all 100 racks"),
    ],
)
def test_faulty_questions_are_told_before_any_work(given: dict[str, object], words: str) -> None:
    with pytest.raises(InputError) as error:
        sd.portfolio(results(9), **given)  # type: ignore[arg-type]
    assert words in str(error.value)


def test_results_of_before_are_refused() -> None:
    with pytest.raises(InputError, match="no columns contracted_racks"):
        sd.portfolio(results(3).drop(columns="contracted_racks"), racks=100)


def test_command_chooses_writes_and_says_json(tmp_path: Path) -> None:
    results(30).to_parquet(tmp_path / "results.parquet")
    file, page = tmp_path / "portfolio.json", tmp_path / "map.html"
    done = run("portfolio", tmp_path / "results.parquet", "--racks", "3000", "--most-sites", "4",
               "--save", file, "--map", page, "--compare", "2", "--compare", "4")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "racks" in done.output
    assert sd.Portfolio.load(file).racks == 3000
    assert page.stat().st_size > 1e6
