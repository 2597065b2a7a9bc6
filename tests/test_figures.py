"""Figures show the result's own numbers, in colours that everybody can tell apart."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from sitedesign.errors import InputError
from sitedesign.report import figures
from sitedesign.report.figures import style
from sitedesign.report.figures.series import series, worst_week_start
from sitedesign.report.figures.year import QUANTITIES
from sitedesign.report.page import page_figure
from tests.report_designs import YEARS, certified, make_certificate, make_design
from tests.roadmaps import hand_made, roadmap, uncertain

# Machado, Oliveira and Fernandes (2009), "A physiologically-based model for simulation of color vision
# deficiency", IEEE TVCG 15(6), severity 1.0, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
COLOUR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)


@pytest.fixture(scope="module")
def design():
    return make_design()


def sweep(columns, rows):
    return pd.DataFrame(rows, columns=columns)


TRADE = ["solar_mw", "battery_mwh", "cost_usd_per_yr", "uptime"]
CURVES = sweep(
    TRADE, [(s, 4e5 / s + 300 * n, s * 1e5 + n * 1e7, 1 - 10.0**-n) for n in (2, 3) for s in (300, 400, 500)]
)
GRID = sweep(
    TRADE,
    [(s, b, s * 1e5 + b * 3e4, 1 - 10 ** -(s / 300 + b / 900)) for s in (200, 400, 600) for b in (600, 1200)],
)
NINES = sweep(
    ["uptime", "cost_usd_per_yr", "bound_usd_per_yr"],
    [(0.999, 9e7, 8.9e7), (0.99, 8e7, 8e7), (0.9999, 9.9e7, 9e7)],
)
ROADMAP = {
    "gantt": figures.roadmap_gantt,
    "power by month": figures.roadmap_power,
    "money by month": figures.roadmap_cash,
    "by hand": figures.roadmap_comparison,
    "racks on dates": figures.roadmap_racks_on_dates,
    "value on dates": figures.roadmap_value_on_dates,
}
SHARES = sweep(["min_renewable_share", "cost_usd_per_yr"], [(0.9, 9.9e7), (0.5, 7.6e7)])


@pytest.fixture(scope="module")
def drawn(design):
    certificate = make_certificate(design)
    years = {f"year {quantity}": figures.year_at_a_glance(design, quantity) for quantity in QUANTITIES}
    return years | {
        "worst week": figures.worst_week(design),
        "any week": figures.dispatch_week(design, day=200, year=2),
        "duration": figures.duration_curves(design),
        "cost": figures.cost_breakdown(design),
        "uptime by year": figures.uptime_by_year(design),
        "certified years": figures.certified_by_year(certified(design).certificate),
        "gap": figures.gap_by_part(certified(design)),
        "uptime by cause": figures.uptime_by_cause(certificate),
        "kept": figures.certified_against_promised(design, certificate.uptime),
        "weather": figures.weather_years(design),
        "plan": figures.site_plan(design),
        "trade curves": figures.panels_against_batteries(CURVES, design),
        "trade grid": figures.panels_against_batteries(GRID, design),
        "nines": figures.cost_of_next_nine(NINES, design),
        "shares": figures.renewable_frontier(SHARES, design),
        **{name: draw(roadmap(by_hand=hand_made(), **uncertain())) for name, draw in ROADMAP.items()},
    }


def test_week_balances_and_equals_the_dispatch(design):
    week = figures.dispatch_week_data(design)
    assert len(week) == 7 * 24
    sources = week[["solar_used_mw", "discharge_mw", "recip_medium_mw", "diesel_mw", "shed_mw"]].sum(axis=1)
    np.testing.assert_allclose(sources, week["load_mw"] + week["charge_mw"], atol=1e-6)
    there = design.dispatch.loc[week.index.tz_localize(design.dispatch.index.tz)]
    assert week["stored_mwh"].sum() == pytest.approx(there["stored_mwh"].sum())


def test_series_are_read_once_and_again_where_the_dispatch_was_written_to(design):
    other = design.model_copy()
    other._dispatch = design.dispatch.copy()
    first = series(other)
    assert series(other) is first
    other.dispatch["charge_mw"] += 1.0
    np.testing.assert_array_equal(series(other).frame["charge_mw"], first.frame["charge_mw"] + 1.0)
    assert series(design) is not series(other)


def test_a_page_holds_the_numbers_of_a_map_as_lists(design):
    drawn = page_figure(figures.year_at_a_glance(design, "backup"))["data"][0]["z"]
    assert drawn == figures.year_at_a_glance_data(design, "backup").round(1).to_numpy().tolist()


def test_worst_week_loses_more_than_any_other(design):
    data = series(design)
    lost = data.frame["lost_mw"].to_numpy()
    start = worst_week_start(data)
    sums = np.convolve(lost, np.ones(168), mode="valid")[::24]
    assert lost[start : start + 168].sum() == pytest.approx(sums.max())
    assert start % 24 == 0


def test_worst_week_without_losses_is_that_of_most_backup():
    ample = make_design(units=(8, 0), years=1)
    assert ample.energy_mwh_per_yr["shed"] == 0
    week = figures.dispatch_week_data(ample)
    backup = ample.dispatch["recip_medium_mw"].to_numpy()
    assert week["recip_medium_mw"].sum() == pytest.approx(
        np.convolve(backup, np.ones(168), mode="valid")[::24].max()
    )


def test_any_week_is_the_one_asked_for(design):
    week = figures.dispatch_week_data(design, day=32, year=2)
    assert str(week.index[0]) == "2002-02-01 00:00:00"
    assert "1 to 7 Feb, year 2" in figures.dispatch_week(design, day=32, year=2).layout.title.text


def test_a_week_that_is_not_there_is_refused(design):
    with pytest.raises(InputError, match="day of the year from 1 to 359"):
        figures.dispatch_week(design, day=360)
    with pytest.raises(InputError, match="Did you mean 'battery"):
        figures.year_at_a_glance(design, "batery")
    with pytest.raises(InputError, match="must be one of 1, 2, 3"):
        figures.dispatch_week_data(design, year=2021)


@pytest.mark.parametrize(
    ("quantity", "entry"),
    [("backup", "backup"), ("curtailed", "curtailed"), ("shed", "shed"), ("discharge", "battery_discharge")],
)
def test_years_at_a_glance_sum_to_the_annual_energy(design, quantity, entry):
    years = [figures.year_at_a_glance_data(design, quantity, year) for year in (1, 2, 3)]
    assert all(table.shape == (24, 365) for table in years)
    mean = sum(table.to_numpy().sum() for table in years) / YEARS
    assert mean == pytest.approx(design.energy_mwh_per_yr[entry], rel=1e-9)


def test_battery_at_a_glance_is_a_share_of_the_full_battery(design):
    table = figures.year_at_a_glance_data(design, "battery", 1).to_numpy()
    assert table.min() >= 0
    assert table.max() == pytest.approx(100)


def test_duration_curves_hold_the_annual_energy_and_fall(design):
    table = figures.duration_curves_data(design)
    assert table["width_h"].sum() == pytest.approx(8760)
    assert (table["load_mw"] * table["width_h"]).sum() == pytest.approx(design.load_mwh_per_yr)
    assert (table["backup_mw"] * table["width_h"]).sum() == pytest.approx(design.energy_mwh_per_yr["backup"])
    assert (table["solar_mw"].diff().dropna() <= 1e-9).all()
    assert table["solar_mw"].iloc[0] == pytest.approx(design.dispatch["solar_mw"].max())


def test_cost_breakdown_sums_to_the_cost(design):
    table = figures.cost_breakdown_data(design)
    assert table["usd_per_yr"].sum() == pytest.approx(design.cost, rel=1e-12)
    assert table["capital_usd"].sum() == pytest.approx(design.capital_usd, rel=1e-12)
    assert table["share"].sum() == pytest.approx(1)
    assert table["usd_per_yr"].is_monotonic_decreasing


def test_uptime_by_year_averages_to_the_uptime(design):
    table = figures.uptime_by_year_data(design)
    loads = series(design).annual_mwh("load_mw")
    assert np.average(table["uptime"], weights=loads) == pytest.approx(design.uptime.value, abs=1e-12)
    assert table["uptime"].min() == pytest.approx(design.metrics.worst_year.value, abs=1e-12)
    assert table["shed_mwh"].mean() == pytest.approx(design.energy_mwh_per_yr["shed"])


def test_causes_are_hours_of_what_the_certificate_lost(design):
    certificate = make_certificate(design, uptime=0.999)
    table = figures.uptime_by_cause_data(certificate)
    assert list(table["cause"]) == ["units", "weather", "starts"]
    assert table["lost_h_per_yr"].tolist() == pytest.approx([4.38, 3.504, 0.876])


def test_broken_racks_are_a_cause_beside_missing_power(design):
    certificate = make_certificate(design, uptime=0.999)
    metrics = dataclasses.replace(
        certificate.metrics, rack=dataclasses.replace(certificate.metrics.rack, value=0.998)
    )
    causes = {"racks": 0.5, "units": 0.25, "weather": 0.2, "starts": 0.05}
    table = figures.uptime_by_cause_data(dataclasses.replace(certificate, metrics=metrics, causes=causes))
    assert table["cause"][0] == "racks"
    assert table["lost_h_per_yr"].tolist() == pytest.approx([8.76, 4.38, 3.504, 0.876])
    bars = figures.uptime_by_cause(dataclasses.replace(certificate, metrics=metrics, causes=causes)).data[0]
    assert bars.y[-1] == "racks beyond the spares"


def test_certified_years_are_sorted_by_loss_and_keep_their_numbers(design):
    certificate = certified(design).certificate
    table = figures.certified_by_year_data(certificate)
    assert table["weather_year"].tolist() == [1, 1, 1]  # draws of a weather year lie side by side
    assert table["draw"].tolist() == [2, 3, 1]
    assert table["power_lost_h"].tolist() == [30.0, 9.0, 0.0]
    assert table["uptime"].tolist() == pytest.approx([1 - 30 / 8760, 1 - 9 / 8760, 1.0])
    note = figures.certified_by_year(certificate).layout.meta["note"]
    assert note == "1 of the 3 simulated years lose nothing to missing power."


def test_parts_of_the_gap_stand_on_each_other_from_the_bound_to_the_cost(design):
    table = figures.gap_by_part_data(certified(design)).set_index("part")
    assert list(table.index) == [
        "proven bound",
        "failures, even foreseen",
        "reserve for surprises, and the search",
        "surprises in equipment and fuel, starts and part load",
        "surprises in weather",
        "everything else",
        "this design",
    ]
    ends = table["from_usd_per_yr"] + table["usd_per_yr"]
    np.testing.assert_allclose(ends.iloc[:5], table["from_usd_per_yr"].iloc[1:6])
    assert ends.iloc[5] == pytest.approx(ends.iloc[6])
    note = figures.gap_by_part(certified(design)).layout.meta["note"]
    assert "Inside the bound: whole units 0.50 M USD/yr" in note


def test_kept_compares_target_promise_and_certificate(design):
    certificate = make_certificate(design)
    table = figures.certified_against_promised_data(design, certificate.uptime).set_index("name")
    assert list(table.index) == [
        "target",
        "foresight (a bound)",
        "nobody looks ahead, nothing fails",
        "certified, unseen weather",
    ]
    assert table.loc["target", "lost_h_per_yr"] == pytest.approx(8.76)
    assert table.loc["certified, unseen weather", "lost_h_per_yr"] == pytest.approx(0.0015 * 8760)
    row = table.loc["certified, unseen weather"]
    assert row["low"] < row["uptime"] < row["high"] <= 1


def test_weather_years_sum_to_the_yield(design):
    table = figures.weather_years_data(design)
    assert table.shape == (YEARS, 365)
    annual = design.dispatch["solar_mw"].sum() / YEARS / design.solar_mw
    assert table.to_numpy().sum() / YEARS == pytest.approx(annual)
    assert 1500 < annual < 3000  # kWh per kWdc a year on trackers in the desert


def test_darkest_spells_are_outlined_where_they_are(design):
    spells = figures.low_resource_data(design)
    outlines = figures.weather_years(design).layout.shapes
    assert len(outlines) >= len(spells) == 3
    first, shape = spells.iloc[0], outlines[0]
    assert shape.x1 - shape.x0 == first["days"]
    assert (shape.y0 + shape.y1) / 2 == first["row"]


def test_spell_across_new_year_is_outlined_in_both_years(design):
    spell = design.provenance.low_resource_periods[0] | {
        "days": 5,
        "year": 1,
        "start": "12-30",
        "end": "01-03",
    }
    provenance = design.provenance.model_copy(update={"low_resource_periods": [spell]})
    wrapped = design.model_copy(update={"provenance": provenance})
    wrapped._dispatch = design.dispatch
    shapes = figures.weather_years(wrapped).layout.shapes
    assert [(s.x0, s.x1, s.y0) for s in shapes] == [(363.5, 365.5, -0.5), (0.5, 3.5, 0.5)]


def test_site_plan_is_to_scale(design):
    table = figures.site_plan_data(design).set_index("part")
    assert table.loc["array", "acres"] == pytest.approx(design.land_acres)
    square_metres = table["width_m"] * table["depth_m"]
    np.testing.assert_allclose(square_metres / 4046.8564224, table["acres"])
    it_mw = design.it_mwh_per_yr / 8760
    assert table.loc["halls, yard and roads", "acres"] == pytest.approx(0.25 * it_mw)
    ordered = table.sort_values("x_m")
    ends = (ordered["x_m"] + ordered["width_m"]).to_numpy()
    assert (ordered["x_m"].to_numpy()[1:] > ends[:-1]).all(), "parts overlap"
    assert figures.site_plan(design).layout.yaxis.scaleanchor == "x"


def test_tables_of_sweeps_are_checked_and_sorted():
    assert list(figures.cost_of_next_nine_data(NINES)["uptime"]) == [0.99, 0.999, 0.9999]
    assert figures.cost_of_next_nine_data(NINES)["nines"].tolist() == pytest.approx([2, 3, 4])
    assert figures.cost_of_next_nine_data(NINES)["more_usd_per_yr"].tolist()[1:] == pytest.approx(
        [1e7, 0.9e7]
    )
    assert figures.renewable_frontier_data(SHARES)["above_cheapest"].tolist() == pytest.approx([0, 23 / 76])
    curve = figures.panels_against_batteries_data(CURVES)
    assert curve.groupby("uptime")["above_cheapest"].min().tolist() == [0, 0]
    with pytest.raises(InputError, match=r"table\.uptime: got nothing"):
        figures.cost_of_next_nine(SHARES)
    with pytest.raises(InputError, match="no complete row"):
        figures.renewable_frontier(SHARES.iloc[:0])
    with pytest.raises(InputError, match="must be below 1"):
        figures.cost_of_next_nine(NINES.assign(uptime=1.0))


def test_a_grid_of_plants_becomes_contours_and_a_sweep_becomes_lines():
    assert {trace.type for trace in figures.panels_against_batteries(GRID).data} == {"contour"}
    assert {trace.type for trace in figures.panels_against_batteries(CURVES).data} == {"scatter"}


@pytest.mark.parametrize("plant", [{"solar_mw": 0.0, "battery_mwh": 0.0, "units": (8, 0)}, {"units": (0, 0)}])
def test_plants_without_array_battery_or_backup_are_drawn(plant):
    result = make_design(years=1, **plant)
    for name in ("worst_week", "duration_curves", "cost_breakdown", "uptime_by_year", "year_at_a_glance",
                 "weather_years", "site_plan"):  # fmt: skip
        json.loads(getattr(figures, name)(result).to_json())


def test_every_figure_is_plain_json_with_title_and_units(drawn):
    for name, figure in drawn.items():
        text = json.dumps(json.loads(figure.to_json()), allow_nan=False)
        assert "Infinity" not in text, name
        assert figure.layout.title.text, name
        assert figure.data, name
        titles = (
            f"{figure.layout.title.text} {figure.layout.xaxis.title.text} {figure.layout.yaxis.title.text}"
        )
        assert re.search(r"\[.+\]|acres|M USD", titles), f"{name}: no unit in {titles!r}"


def test_every_colour_has_a_name_and_a_dark_namesake(drawn):
    known = {colour.lower() for colour in style.LIGHT.values()}
    for name, figure in drawn.items():
        plain = json.loads(figure.to_json())
        for trace in plain["data"]:
            trace.pop("colorscale", None)
            trace.get("marker", {}).pop("colorscale", None)
        found = {colour.lower() for colour in COLOUR.findall(json.dumps(plain))}
        assert found <= known, f"{name}: {found - known}"
        darkened = set(COLOUR.findall(style.dark(figure).to_json().lower()))
        assert style.DARK["paper"] in darkened
    assert set(style.LIGHT) == set(style.DARK)
    assert len(set(style.LIGHT.values())) == len(style.LIGHT), "one colour, two names: dark could not tell"


def test_sources_are_told_apart_in_grey_print():
    grey = sorted(style.lightness(style.LIGHT[name]) for name in style.SOURCES)
    assert min(b - a for a, b in itertools.pairwise(grey)) >= 8


@pytest.mark.parametrize("kind", BLINDNESS)
@pytest.mark.parametrize("theme", [style.LIGHT, style.DARK], ids=["light", "dark"])
def test_sources_are_told_apart_by_colour_blind_eyes(kind, theme):
    seen = {name: lab(np.array(BLINDNESS[kind]) @ linear(theme[name])) for name in style.SOURCES}
    for one, other in itertools.combinations(seen, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > 12, f"{one} and {other} look alike ({kind})"


@pytest.mark.parametrize("theme", [style.LIGHT, style.DARK], ids=["light", "dark"])
def test_text_is_readable_on_its_paper(theme):
    paper = luminance(theme["paper"])
    for name in ("ink", "muted"):
        bright, dim = sorted([luminance(theme[name]), paper], reverse=True)
        assert (bright + 0.05) / (dim + 0.05) >= 4.5  # WCAG 2.2, AA


def test_plotly_is_imported_only_when_a_figure_is_drawn():
    code = (
        "import sys; import sitedesign.report.figures, sitedesign.report.html; print('plotly' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def linear(colour):
    parts = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def luminance(colour):
    return float(np.array([0.2126, 0.7152, 0.0722]) @ linear(colour))


def lab(rgb):
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    scaled = to_xyz @ np.clip(rgb, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    x, y, z = np.where(scaled > 0.008856, np.cbrt(scaled), 7.787 * scaled + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_an_effect_within_its_error_of_zero_is_no_bar(design):
    certificate = dataclasses.replace(
        make_certificate(design),
        causes={"planned": -0.03, "units": 0.5, "weather": 0.45},
        cause_errors={"planned": 0.02, "units": 0.04, "weather": 0.05},
    )
    table = figures.uptime_by_cause_data(certificate).set_index("cause")
    assert table["seen"].to_dict() == {"units": True, "weather": True, "planned": False}
    bars = figures.uptime_by_cause(certificate).data[0]
    shown = dict(zip(bars.y, zip(bars.x, bars.text, strict=True), strict=True))
    assert min(bars.x) == 0.0
    (quiet,) = [text for x, text in shown.values() if x == 0.0]
    assert quiet == "none seen (error 2 %)"


def test_every_simulated_year_can_be_the_worst(design):
    certificate = certified(design).certificate
    lost = tuple(float(hours) for hours in range(500))
    many = dataclasses.replace(certificate, power_lost_h_by_year=lost, draws=2, weather_years=250)
    bars = figures.certified_by_year(many)
    assert len(bars.data[0].x) == 200
    assert bars.data[0].y[0] == 499.0  # no mean over the draws of a weather year
    assert bars.data[0].customdata[0] == (250, 2) or list(bars.data[0].customdata[0]) == [250, 2]
    assert "The 200 worst of the 499 others are shown." in bars.layout.meta["note"]


def test_gantt_has_one_row_a_thing_from_order_to_leaving():
    table = figures.roadmap_gantt_data(roadmap())
    assert table["row"].tolist() == ["mobile gt, for rent", "solar", "battery", "recip medium", "grid"]
    assert table["ordered"].tolist() == [3, 0, 0, 0, 0]
    assert table["there"].tolist() == [6, 12, 12, 12, 36]
    assert table["gone"].tolist() == [36, 240, 240, 240, 240]
    assert table["amounts"].iloc[3] == "4 units in month 12"


def test_money_by_month_in_groups_is_all_the_money():
    plan = roadmap()
    groups = figures.roadmap_cash_data(plan)
    whole = plan.cash_table()
    parts = groups[["rent", "energy", "sale", "plant", "value"]].sum(axis=1)
    np.testing.assert_allclose(parts, whole["net"])
    assert groups.loc[6, "rent"] == pytest.approx(-25e6 / 12 - 6e6)
    assert groups.loc[40, "energy"] == pytest.approx(-25e6 / 12)
    assert groups["cumulative"].iloc[-1] == pytest.approx(plan.net_present_value_usd)


def test_power_by_month_shows_each_source_and_racks():
    figure = figures.roadmap_power(roadmap())
    traces = {trace.name: list(trace.y) for trace in figure.data}
    assert traces["mobile gt, for rent"][6:12] == [49.5] * 6
    assert traces["solar"][11:13] == [0.0, 240.0]
    assert traces["grid"][35:37] == [0.0, 110.0]
    assert traces["racks that run"][5:7] == [0, 180]
    assert traces["racks asked for"][4] == 50
    assert "From month 45 to the horizon, month 240, nothing changes." in figure.layout.meta["note"]


def test_plans_by_hand_stand_beside_ours_and_what_cannot_be_says_why():
    plan = roadmap(by_hand=hand_made())
    table = figures.roadmap_comparison_data(plan).set_index("plan")
    assert table.loc["this roadmap", "net_present_value_usd"] == plan.net_present_value_usd
    assert table.loc["all gas", "first_power_month"] == 6
    assert np.isnan(table.loc["solar and battery only", "net_present_value_usd"])
    note = figures.roadmap_comparison(plan).layout.meta["note"]
    assert note == "Solar and battery only: no array and battery keep 99.9 % of 700 racks."


def test_dates_drawn_show_the_band_of_racks_and_which_date_decides():
    plan = roadmap(**uncertain())
    table = figures.roadmap_racks_on_dates_data(plan)
    assert table.iloc[1].tolist() == [180, 180, 200, 0]
    racks = figures.roadmap_racks_on_dates(plan)
    assert "700 racks in month 36 with 100%" in racks.layout.meta["note"]
    counted = figures.roadmap_value_on_dates_data(plan)
    assert counted["draws"].sum() == 3
    assert (counted["from_usd"].iloc[0], counted["to_usd"].iloc[-1]) == (1e9, 3e9)
    value = figures.roadmap_value_on_dates(plan)
    marks = {trace.name: trace.x[0] for trace in value.data if trace.type == "scatter"}
    assert marks == {"as planned": 2500.0, "mean of the draws": 2000.0}
    assert (value.data[-1].x[0], value.data[-1].y[0]) == (500.0, "grid")
    assert value.layout.meta["note"].endswith("The date of grid decides.")
    promised = figures.roadmap_value_on_dates(roadmap(value_usd_per_rack_month=None, **uncertain()))
    assert promised.data[-1].x[0] == 5.0
    assert figures.roadmap_racks_on_dates_data(roadmap()).empty


def test_a_roadmap_of_nothing_is_drawn():
    dark = roadmap(stages=(), orders=(), ramp=((0, 10),))
    for draw in ROADMAP.values():
        assert draw(dark).layout.title.text
