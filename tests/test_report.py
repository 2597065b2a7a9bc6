"""The report opens offline, says the answer first, hides nothing and breaks on no name."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import html
import json
import re

import numpy as np
import pytest

import sitedesign as sd
from sitedesign import library
from sitedesign.api.design_sweeps import design_sweeps, with_causes
from sitedesign.report import packing
from sitedesign.report.figures.series import series
from sitedesign.report.html import render_report
from sitedesign.report.study_toml import study_toml
from sitedesign.results.compute_cost import ComputeCost, ComputeCostPoint
from sitedesign.study.region import in_region, region_of
from tests.chromium import launched
from tests.report_designs import certified, make_certificate, make_design
from tests.test_figures import CURVES, GRID, NINES, SHARES

EVIL = "Bad </script><script>document.title='owned'</script> & \"El Paso\" {{ 7*7 }}"
SWEEPS = {"tradeoff": CURVES, "uptime": NINES, "min_renewable_share": SHARES}


@pytest.fixture(scope="module")
def design():
    return make_design()


@pytest.fixture(scope="module")
def text(design):
    return render_report(design)


def packed(text, name):
    block = re.search(rf'<script type="text/plain" id="packed-{name}">([^<]*)</script>', text)
    return gzip.decompress(base64.b64decode(block[1]))


def prose(text):
    """What a reader sees, without scripts, styles and tags."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body))).replace("\u00a0", " ")


def test_nothing_is_loaded_from_anywhere(text):
    assert not re.findall(
        r'(?:src|href|action|poster|data)\s*=\s*["\']?\s*(?:https?:)?//', text, re.IGNORECASE
    )
    assert not re.findall(r"url\(|@import|<link(?! rel=\"icon\" href=\"data:,\")|<iframe|<img", text)
    assert "fetch(" not in text
    assert "XMLHttpRequest" not in text


def test_file_is_small_and_holds_the_library_once(design, tmp_path):
    path = design.report(tmp_path / "report.html")
    assert path.stat().st_size < 3e6
    assert path.read_text(encoding="utf-8").count('id="packed-plotly"') == 1
    assert list(tmp_path.iterdir()) == [path]


def test_series_without_any_pattern_still_fit_below_6_mb(text):
    noise = np.random.default_rng(0).integers(0, packing.LEVELS + 1, packing.MOST_VALUES).astype("<u2")
    worst = len(packing.pack((noise & 255).astype("u1").tobytes() + (noise >> 8).astype("u1").tobytes()))
    own = len(text) - len(re.search(r'id="packed-series">([^<]*)<', text)[1])
    assert worst + own < 5.9e6


def test_same_design_gives_the_same_bytes(design, text):
    assert render_report(design) == text


def test_answer_comes_first_with_its_label(design, text):
    seen = prose(text)
    answer = seen[: seen.index("Why this is the answer")]
    facts = [
        "420 MWdc",
        "1,400 MWh",
        "712 installed",
        "700 contracted, 12 spare",
        "4 × medium-speed gas engine",
    ]
    facts += ["Uptime, foresight bound", "M USD/yr", "1,500 acres", "Truckloads", "First power"]
    for fact in facts:
        assert fact in answer, fact
    assert "A bound, not a promise" in answer
    assert re.search(r"95 % interval \d\d\.\d+ % to \d\d\.\d+ %; target 99\.9 %", answer)
    heads = (
        "Why this is the answer",
        "How sure this is",
        "Assumptions, with their sources",
        "How to reproduce",
    )
    order = [seen.index(head) for head in heads]
    assert order == sorted(order)


def test_certificate_takes_the_place_of_the_bound(design):
    failed = prose(render_report(design, certificate=make_certificate(design)))
    assert "Target not met." in failed
    assert "Not certified: 99.85 %, at least 99.83 % at 95 % confidence" in failed
    assert "A bound, not a promise" not in failed
    # One cost everywhere: that of the design, as it is printed; what the unseen years cost stands beside it
    assert f"Cost of the power plant {design.cost / 1e6:,.1f} M USD/yr" in failed
    assert "Fuel and running 7.0 M USD a year" in failed
    assert "Served without backup 80.0 %" in failed
    assert "200 weather years, 5 draws of outages each" in failed
    met = prose(render_report(design, certificate=make_certificate(design, met=True, uptime=0.9995)))
    assert "Target met. Certified: at least 99.931 % at 95 % confidence, target 99.9 %" in met
    assert "Hours of full load lost, by cause" in met


def test_report_of_a_certified_design_shows_its_own_certificate(design, tmp_path):
    made = certified(design)
    page = made.report(tmp_path / "report.html").read_text(encoding="utf-8")
    seen = prose(page)
    assert "Target met. Certified: at least" in seen
    assert "Uptime, certified 99.950 % 95 % interval" in seen
    assert "No plant can meet the target for less than" in seen
    assert "with foresight" not in seen[: seen.index("Everything the result says")]
    for slot in ("gap", "certified_years", "causes", "kept"):
        assert f'id="figure-{slot}"' in page, slot
    assert "year 42, 12-24 17:00 5.00 101.5 40 % failed starts" in seen
    assert "year 8, 06-01 12:00 2.00 50.0 100 % several failures together" in seen
    units = [f"{name.replace('_', ' ')} {n + 1}" for name, count in made.backup.items() for n in range(count)]
    for unit in units:
        assert f"{unit} 1,500 80 1.0" in seen, unit
    assert "sd.solve(study)" in page
    asked = {"certify": False, "gap": 0.001, "effort": "screening"}
    again = html.unescape(render_report(design.model_copy(update={"solve_options": asked})))
    assert "sd.solve(study, certify=False, gap=0.001, effort='screening')" in again


def test_what_the_racks_deliver_is_shown(design, text):
    seen = prose(text)
    assert f"A GPU-hour {design.usd_per_gpu_h:,.3f} USD" in seen
    assert f"Mean PUE {design.mean_pue:.3f}" in seen
    assert f"Water {design.water_m3_per_yr:,.0f} m3 a year" in seen
    for label, told in design.summary():
        assert f"{label} {' '.join(told.split())}".replace("\u00a0", " ") in seen, label


def test_sweeps_are_computed_when_asked_for(monkeypatch):
    monkeypatch.setattr("sitedesign.api.design_sweeps._ARRAYS", 3)
    made = make_design(years=1, uptime=0.99)
    asked = design_sweeps(made)
    assert sorted(asked) == ["min_renewable_share", "tradeoff", "uptime"]
    assert sorted(asked["tradeoff"]["uptime"].unique()) == pytest.approx([0.9, 0.99, 0.999])
    uptimes = asked["uptime"]["uptime"].tolist()
    assert uptimes == sorted(uptimes)
    assert {0.99, 0.999} <= set(uptimes)
    assert asked["uptime"]["cost_usd_per_yr"].is_monotonic_increasing
    page = render_report(made, sweeps=asked)
    for name in asked:
        assert f'id="figure-sweep_{name}"' in page
    assert page.count("bounds, not promises") == 3


@pytest.mark.parametrize(("shift", "adopted"), [(0.0, True), (1e-6, False)])
def test_causes_are_adopted_only_from_the_same_certificate(design, monkeypatch, shift, adopted):
    whole = certified(design).certificate
    bare = dataclasses.replace(whole, causes={})
    rack = dataclasses.replace(whole.uptime, value=whole.uptime.value + shift)
    again = dataclasses.replace(whole, metrics=dataclasses.replace(whole.metrics, rack=rack))
    asked = {}
    monkeypatch.setattr("sitedesign.api.design_sweeps.certify", lambda *_, **how: asked.update(how) or again)
    assert with_causes(design, bare) == (whole if adopted else bare)
    assert (asked["years"], asked["draws"], asked["seed"]) == (whole.weather_years, whole.draws, whole.seed)
    assert asked["controller"] == whole.controller


def test_sweeps_of_weather_from_files_are_refused_before_anything_is_solved(design):
    filed = design.model_copy(update={"study": design.study | {"weather": "three files"}})
    with pytest.raises(sd.InputError, match="a design whose weather came from files"):
        filed.report("never.html", sweeps=True)


def test_no_loss_seen_is_not_called_perfection():
    made = make_design(units=(8, 0), years=2)
    text = prose(render_report(made))
    assert "no loss in 2 weather years" in text
    sure = dataclasses.replace(make_certificate(made, met=True), events=())
    shown = prose(render_report(made, certificate=sure))
    assert "weather years. That is not the same as never" in shown
    assert "100 % ±" not in text
    assert re.search(r"Uptime, foresight bound ≥ 9\d\.\d+ %", text)


def test_every_source_and_every_note_is_printed(design, text):
    seen = html.unescape(text)
    kinds = ("pv", "battery", "rack", "facility", "finance")
    given = [(kind, design.study[kind]) for kind in kinds]
    given += [("backup", item) for item in design.study["backup"]]
    region = region_of(sd.Site(**design.study["site"]))
    entries = [in_region(library.KINDS[kind](**data), region) for kind, data in given]
    for entry in (*entries, region):
        for name, number in entry.sources.items():
            assert number.source in seen, f"{entry.name}.{name}"
    for note in design.provenance.notes:
        assert note in seen
    for name, version in design.provenance.versions.items():
        assert f"<th>{name}</th><td>{version}</td>" in text


def test_numbers_of_the_user_are_marked():
    battery = sd.library.battery("lfp").replace(capex_usd_per_kwh=123.0)
    text = render_report(
        make_design(years=1, battery=battery, fuel_price_usd_per_mmbtu={"natural_gas": 7.77})
    )
    assert text.count('<tr class="changed">') == 2
    assert "1 set by the user" in text
    assert "7.77" in text


def test_names_are_text_and_never_markup():
    text = render_report(make_design(EVIL, years=1))
    assert EVIL not in text
    assert "<script>document" not in text
    heading = re.search(r"<h1>(.*?)</h1>", text)[1]
    assert "<" not in heading
    assert html.unescape(heading) == EVIL


def test_study_file_and_recipe_give_the_question_again(design, text):
    files = json.loads(packed(text, "payload"))["files"]
    assert sd.Study(**json.loads(files["study.json"])).to_dict() == design.study
    assert sd.Design.from_dict(json.loads(files["design.json"])) == design
    recipe = html.unescape(re.search(r"<pre><code>(.*?)</code>", text, re.DOTALL)[1])
    compile(recipe, "recipe", "exec")
    assert recipe.endswith("sd.solve(study)")


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"limits": {"months_to_power": 14, "units": {"diesel": (0, 4)}, "solar_mw": (100, 900)}},
        {"battery": sd.library.battery("lfp").replace(capex_usd_per_kwh=123.0), "pv": "tracker_ac"},
        {"backup": [sd.library.backup("diesel").replace(lead_months=9.0), "recip_medium"]},
        {"fuel_price_usd_per_mmbtu": {"natural_gas": 7.77}, "min_renewable_share": 0.3, "metric": "compute"},
    ],
)
def test_toml_study_gives_the_question_again(question, tmp_path):
    made = make_design('Fort "Bliss" \\ west', years=1, **question)
    path = tmp_path / "study.toml"
    path.write_text(study_toml(made), encoding="utf-8")
    assert sd.read_study(path).to_dict() == made.study
    assert len(path.read_text().splitlines()) < 60


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (
            {"racks": None, "gpus": 5000},
            ["5,000 GPUs of NVIDIA GB200 NVL72, training", "by the metric “rack”"],
        ),
        ({"racks": None, "throughput": {"rack_equivalents": 100.5}}, ["100.5 racks' worth of throughput"]),
        ({"uptime": None, "objective": "compute_cost"}, ["chosen by the optimiser", "delivered rack-hour"]),
        (
            {
                "racks": None,
                "uptime": None,
                "classes": [
                    {"name": "training", "racks": 500, "uptime": 0.99, "metric": "compute"},
                    {"name": "spare time", "it_mw": 5.0},
                ],
            },
            [
                "Class training",
                "500 racks of",
                "by the metric “compute”",
                "5 MW of IT load",
                "best effort",
            ],
        ),
    ],
)
def test_question_is_told_in_whatever_way_it_was_asked(question, said, tmp_path):
    made = make_design(years=1, **question)
    text = html.unescape(render_report(made)).replace("\u00a0", " ")
    assert [words for words in said if words not in text] == []
    path = tmp_path / "study.toml"
    path.write_text(study_toml(made), encoding="utf-8")
    assert sd.read_study(path).to_dict() == made.study


def test_report_of_bought_uptime_claims_no_target():
    made = make_design(years=1, uptime=None, objective="compute_cost")
    curve = [
        ComputeCostPoint(uptime=0.99, delivered_rack_h_per_yr=6e6, plant_usd_per_yr=7e7, usd_per_rack_h=151)
    ]
    bought = ComputeCost(
        usd_per_rack_h=150.0,
        bound_usd_per_rack_h=149.9,
        uptime=0.9976,
        lost_compute_usd_per_rack_h=150.0,
        curve=curve,
    )
    own = dataclasses.replace(make_certificate(made, met=True), target=0.0)
    made = made.model_copy(update={"compute_cost": bought, "certificate": own})
    text = html.unescape(re.sub(r"<[^>]+>", " ", render_report(made, certificate=own))).replace("\u00a0", " ")
    text = re.sub(r"\s+", " ", text)
    assert "No target. Certified: at least" in text
    assert "uptime at which a delivered rack-hour costs least" in text
    assert "151.00 at 0.99" in text
    assert "Target met" not in text
    assert "target 0" not in text


def test_study_with_equipment_of_the_users_own_is_given_as_json_only(design):
    own = design.study | {"battery": design.study["battery"] | {"name": "mine"}}
    made = design.model_copy(update={"study": own})
    assert study_toml(made) is None
    page = render_report(made)
    assert 'data-file="study.toml"' not in page
    assert "json.load" in page


def test_packed_series_are_the_dispatch(design, text):
    header = json.loads(packed(text, "payload"))["series"]
    raw = np.frombuffer(packed(text, "series"), dtype="u1")
    values = raw[: raw.size // 2] + 256.0 * raw[raw.size // 2 :]
    columns = values.reshape(len(header["columns"]), len(header["years"]) * header["hours"])
    data = series(design)
    for described, column in zip(header["columns"], columns, strict=True):
        true = data.frame[described["name"]].to_numpy()
        assert np.abs(column * described["level"] - true).max() <= described["level"] * 0.5000001
        assert described["level"] <= true.max() / 1000 * 1.0000001 or true.max() == 0


def test_quarter_hours_are_packed_as_hours():
    design = make_design(years=1, step_minutes=15)
    packed_series = packing.pack_series(design)
    assert packed_series.header["hours"] == 8760
    assert len(gzip.decompress(base64.b64decode(packed_series.text))) == 2 * 8760 * len(
        packed_series.header["columns"]
    )


def test_many_years_are_thinned_to_the_worst(design, monkeypatch):
    monkeypatch.setattr(packing, "MOST_VALUES", 2 * 8760 * 8)
    header = packing.pack_series(design).header
    assert len(header["years"]) == 2
    lost = series(design).annual_mwh("lost_mw")
    assert f"year {int(lost.argmin()) + 1}" not in header["years"]
    assert header["years"] == sorted(header["years"])


def test_loaded_design_says_what_is_missing(design, tmp_path):
    loaded = sd.Design.load(design.save(tmp_path / "design.json"))
    text = render_report(loaded)
    assert "holds no time series" in text
    assert 'id="packed-series"' not in text
    assert 'id="figure-cost"' in text
    assert 'id="figure-week"' not in text


def test_sweep_without_its_columns_is_refused(design):
    with pytest.raises(sd.InputError, match=r"table\.battery_mwh: got nothing"):
        render_report(design, sweeps={"tradeoff": SHARES})


# ---- in a browser


@pytest.fixture(scope="module")
def browser():
    with launched() as one:
        yield one


@pytest.fixture(scope="module")
def report(design, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    return certified(design).report(path, sweeps=SWEEPS | {"tradeoff": GRID})


class Opened:
    """A page with everything it asked for and complained about."""

    def __init__(self, browser, path, width=1280, scheme="light"):
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
        )
        self.page = self.context.new_page()
        self.complaints, self.requests = [], []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-ready]", state="attached", timeout=60_000)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()

    def plot(self, slot, expression):
        return self.page.evaluate(f"document.querySelector('#figure-{slot} .plot').{expression}")

    def heading(self, slot):
        return self.page.text_content(f"#figure-{slot} h3")


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (375, "light"),
        *(pytest.param(1280, scheme, marks=pytest.mark.slow) for scheme in ("light", "dark")),
    ],
)
def test_every_figure_is_drawn_without_a_complaint(browser, report, width, scheme):
    with Opened(browser, report, width, scheme) as opened:
        page = opened.page
        assert opened.complaints == []
        assert opened.requests == [report.as_uri()]
        slots = page.eval_on_selector_all(".slot", "all => all.map(one => one.dataset.slot)")
        assert len(slots) == 14
        for slot in slots:
            assert opened.plot(slot, "querySelectorAll('.main-svg').length") > 0, slot
            marks = (
                "querySelectorAll('.trace, .heatmaplayer image, .contourlayer path, .shapelayer path').length"
            )
            assert opened.plot(slot, marks) > 0, slot
            assert opened.plot(slot, "_fullLayout.width") <= width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        paper = "rgb(22, 24, 28)" if scheme == "dark" else "rgb(255, 255, 255)"
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == paper
        assert opened.plot("cost", "layout.paper_bgcolor") == ("#16181c" if scheme == "dark" else "#ffffff")


@pytest.mark.slow
def test_any_week_shows_the_dispatch_of_that_week(browser, report, design):
    with Opened(browser, report) as opened:
        page, data = opened.page, series(design)
        page.select_option("#figure-week select", "1")
        page.fill("#figure-week input[type=range]", "100")
        assert "11 Apr to 17 Apr, year 2" in opened.heading("week")
        shown = {
            trace["meta"]: trace["y"] for trace in opened.plot("week", "data.map(({meta, y}) => ({meta, y}))")
        }
        start = 8760 + 100 * 24
        for column, values in shown.items():
            true = data.frame[column].to_numpy()
            np.testing.assert_allclose(values, true[start : start + 168], atol=true.max() / 1000 + 0.01)
        page.click("#figure-week .step[data-step='7']")
        assert "18 Apr to 24 Apr, year 2" in opened.heading("week")
        page.click("#figure-week .worst")
        assert opened.heading("week").endswith(
            opened.page.evaluate("document.querySelector('#figure-week option:checked').text")
        )
        assert opened.complaints == []


@pytest.mark.slow
def test_tabs_years_hovers_and_theme_answer(browser, report, design):
    with Opened(browser, report) as opened:
        page = opened.page
        page.click("#figure-year [data-tab=year_backup]")
        assert opened.heading("year").startswith("Power from backup")
        page.select_option("#figure-year select", "0")
        assert opened.heading("year").endswith("year 1")
        total = opened.plot("year", "data[0].z.flat().reduce((sum, value) => sum + value, 0)")
        backup = series(design).annual_mwh("recip_medium_mw")[0] + series(design).annual_mwh("diesel_mw")[0]
        assert total == pytest.approx(backup, rel=5e-3)
        page.click("#figure-year [data-tab=year_battery]")
        assert opened.heading("year") == "State of the battery by day and hour [% of usable], year 1"
        page.locator("#figure-week .nsewdrag").first.hover()
        page.wait_for_selector("#figure-week .hoverlayer text", timeout=60_000)
        assert "MW" in page.text_content("#figure-week .hoverlayer")
        page.click("#theme")
        assert opened.plot("week", "layout.paper_bgcolor") == "#16181c"
        assert opened.complaints == []


@pytest.mark.slow
def test_files_are_given(browser, report, design):
    with Opened(browser, report) as opened:
        page = opened.page
        with page.expect_download() as download:
            page.click("[data-file='design.json']")
        assert sd.Design.load(download.value.path()) == certified(design)
        with page.expect_download() as download:
            page.click("[data-file='study.toml']")
        assert sd.read_study(download.value.path()).to_dict() == design.study
        with page.expect_download() as download:
            page.click("#figure-cost .csv")
        lines = download.value.path().read_text().splitlines()
        assert lines[0] == "series,x,y,value"
        assert any(line.endswith("solar array,") for line in lines)


@pytest.mark.slow
def test_paper_is_white_and_shows_what_is_folded(browser, report, tmp_path):
    with Opened(browser, report, scheme="dark") as opened:
        page = opened.page
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        assert opened.plot("week", "layout.paper_bgcolor") == "#ffffff"
        assert opened.plot("week", "_fullLayout.width") == 690
        assert page.evaluate("document.querySelectorAll('details:not([open])').length") == 0
        page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        assert opened.plot("week", "layout.paper_bgcolor") == "#16181c"
        assert page.evaluate("document.querySelectorAll('details[open]').length") == 0
        pdf = page.pdf(format="A4")
        assert pdf.startswith(b"%PDF")
        assert (
            5 <= pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") + pdf.count(b"/Type /Page/") <= 40
        )
        assert opened.complaints == []


def test_a_hostile_name_stays_a_name(browser, tmp_path):
    path = make_design(EVIL, years=1).report(tmp_path / "evil.html")
    with Opened(browser, path) as opened:
        assert opened.page.text_content("h1") == EVIL
        assert opened.page.title().startswith("Bad")
        assert opened.complaints == []


def test_a_bound_says_why_it_counts_no_hours(design):
    seen = prose(render_report(design))
    assert "sheds wherever it costs least, often a sliver of every hour" in seen
    for row in ("loss of load", "longest event", "share of time with every contracted rack"):
        assert row not in seen, row
    relaxed = prose(render_report(make_design(years=2, metric="site")))
    assert "Uptime, foresight bound relaxed which hours are short is not decided by a bound" in relaxed
    assert "nan" not in relaxed.lower().split()
