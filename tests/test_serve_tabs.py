"""What the planner asks beside a plant: answers become questions, addresses, names and files."""

from __future__ import annotations

import json
from types import SimpleNamespace
from urllib.parse import parse_qsl

import pytest

import sitedesign as sd
from sitedesign.errors import LimitChange
from sitedesign.finance.terms import Terms
from sitedesign.results.saved import rebuilt_study
from sitedesign.serve import (
    address,
    answering,
    deciding,
    example,
    form,
    gazetteer,
    naming,
    opening,
    remaining,
    tabs,
)
from sitedesign.serve.answering import DESIGN
from sitedesign.serve.fields import Uploaded
from sitedesign.serve.planner import Planner
from sitedesign.serve.questions import PlantQuestion
from sitedesign.serve.remedies import answer_of, words_of
from sitedesign.serve.view import View
from sitedesign.serve.worker import PlannerJob, Pool
from sitedesign.study.roadmap_defaults import usual_rental
from sitedesign.util.inputs import declared
from sitedesign.util.progress import silent
from tests.report_designs import make_design

USUAL = tabs.defaults()


def asked(tab, runs=None, **answers):
    given = {name.replace("__", "."): value for name, value in answers.items()}
    return tabs.question_of(tab, USUAL | given, certify=True, runs=runs or {})


def refused(tab, runs=None, **answers):
    with pytest.raises(sd.InputError) as caught:
        asked(tab, runs, **answers)
    return tabs.beside_fields(caught.value.faults, tab)


# ---- questions


def test_every_tab_asks_its_own_fields_and_only_those():
    assert list(tabs.tabs()) == ["plant", "hub", "roadmap", "finance", "portfolio"]
    study = set(form.defaults())
    assert tabs.shown_fields("plant") == tabs.shown_fields("hub") == study
    assert {name for name in tabs.shown_fields("roadmap") - study if not name.startswith("roadmap.")} == set()
    assert not tabs.shown_fields("finance") & study
    assert "site.latitude" not in tabs.shown_fields("portfolio")
    assert {name.partition(".")[2] for name in USUAL if name.startswith("terms.")} == set(declared(Terms))
    hints = {
        name: field.hint for name, field in tabs.fields().items() if name.startswith(("roadmap", "portf"))
    }
    assert all(hints.values())  # the docstrings of the public functions say what each means


def test_a_hub_needs_a_connection_or_a_taker():
    beside, rest = refused("hub")
    assert "a hub needs one" in beside["grid.model"]
    assert rest == []
    hub = asked("hub", surplus=["miner"])
    assert isinstance(hub, PlantQuestion)
    assert [item.model for item in hub.study.surplus] == ["miner"]


def test_a_roadmap_is_asked_with_all_its_parts():
    question = asked(
        "roadmap",
        grid__model="flexible", grid__tariff="ercot",
        roadmap__ramp=[{"month": "6", "racks": 100.0}, {"month": 12, "racks": 400}, {}],
        roadmap__owner="gpu_owner", roadmap__start="2028-01-01", roadmap__horizon_months=240,
        roadmap__rentals=[{"terms": "mobile_gt", "units": 4}, {"terms": "recip_fast"}],
        roadmap__deliveries=[{"technology": "solar", "lead_months": 9, "mw_per_month": 12.5}],
        roadmap__scenarios=[{"name": "soon", "probability": 40, "grid": 24},
                            {"name": "late", "probability": 60, "grid": 60}],
        roadmap__stages=5,
    )  # fmt: skip
    given = question.asked
    assert given["ramp"] == [(6, 100), (12, 400)]
    assert given["value_usd_per_rack_month"] == "gpu_owner"
    assert given["rentals"] == [usual_rental("mobile_gt", 4), usual_rental("recip_fast")]
    assert given["deliveries"] == [{"technology": "solar", "lead_months": 9, "mw_per_month": 12.5}]
    assert [(item.name, item.probability, item.months) for item in given["scenarios"]] == [
        ("soon", 0.4, {"grid": 24}), ("late", 0.6, {"grid": 60}),
    ]  # fmt: skip
    assert (given["start"], given["horizon_months"], given["stages"]) == ("2028-01-01", 240, 5)
    rows = [{"technology": "solar", "p10_months": 9, "p90_months": 15}]
    assert asked("roadmap", roadmap__dates=rows).asked["dates"] == rows
    assert asked("roadmap", roadmap__usual_dates=True).asked["dates"] == "library"


def test_faults_of_a_roadmap_stand_beside_its_fields():
    beside, rest = refused(
        "roadmap", amount=-1, roadmap__ramp=[{"month": "soon"}], roadmap__rentals=[{"terms": "warp"}],
        roadmap__scenarios=[{"probability": 400}],
    )  # fmt: skip
    assert set(beside) == {"amount", "roadmap.ramp", "roadmap.rentals", "roadmap.scenarios"}
    assert rest == []
    beside, rest = refused(
        "roadmap", roadmap__stages=99, roadmap__start="soon",
        roadmap__ramp=[{"month": 3, "racks": 5}, {"month": 2}],
        roadmap__deliveries=[{"technology": "solar", "lead_months": -1}],
    )  # fmt: skip
    assert set(beside) == {"roadmap.stages", "roadmap.start", "roadmap.ramp", "roadmap.deliveries"}
    assert rest == []
    beside, _ = refused("roadmap", roadmap__ramp=[{"month": 30, "racks": 4000}])
    assert "must be at most the 794 racks" in beside["roadmap.ramp"]
    beside, rest = refused(
        "roadmap", roadmap__dates=[{"technology": "solar", "p10_months": 40, "p90_months": 5}]
    )
    assert (set(beside), rest) == ({"roadmap.dates"}, [])
    both = [{"technology": "solar", "p10_months": 9, "p90_months": 15}]
    beside, _ = refused("roadmap", roadmap__dates=both, roadmap__usual_dates=True)
    assert set(beside) == {"roadmap.dates"}
    beside, _ = refused("roadmap", roadmap__ramp=[])
    assert "a ramp or the value of a rack is needed" in beside["roadmap.ramp"]
    beside, _ = refused("roadmap", roadmap__owner="landlord", roadmap__value_usd_per_rack_month=5)
    assert set(beside) == {"roadmap.owner"}


def test_a_cash_flow_is_asked_of_a_run(tmp_path):
    job = PlannerJob("k", asked("plant"), tmp_path, "me", "B", state="done")
    question = asked(
        "finance", {"k": job}, finance__run="k", finance__target_irr=15, terms__debt_rate=6.5,
        terms__debt="power_merchant", terms__years=20,
    )  # fmt: skip
    assert (question.result, question.of, question.of_label) == (tmp_path / DESIGN, "plant", "B")
    assert question.asked == {"owner": "developer", "price": None, "target_irr": 0.15}
    assert question.terms == Terms(debt_rate=0.065, debt="power_merchant", years=20)
    beside, rest = refused(
        "finance", finance__target_irr=500, finance__leaseback=-1, terms__debt_rate=90, terms__years="many",
        amount=-1,
    )  # fmt: skip
    assert set(beside) == {
        "finance.run",
        "finance.target_irr",
        "finance.leaseback",
        "terms.debt_rate",
        "terms.years",
    }
    assert rest == []
    beside, _ = refused("finance", {"k": job}, finance__run="k", finance__price=5, finance__target_irr=5)
    assert "one decides" in beside["finance.price"]


def test_what_decides_is_asked_of_a_run_and_shown(tmp_path, monkeypatch):
    design = make_design(years=1)
    design.save(tmp_path / DESIGN)
    job = PlannerJob("k", asked("plant"), tmp_path, "me", "B", state="done")
    question = deciding.sensitivity_of(job)
    assert (question.title, question.place, question.certify) == ("What decides B", "El Paso, TX", False)
    assert question.study is job.question.study
    ends = {"low": {"value": 1.0, "bound_usd_per_yr": -2e6}, "high": {"value": 3.0, "bound_usd_per_yr": 5e6}}
    number = {"key": "gas", "label": "price of gas", "unit": "USD/MMBtu", "value": 2.0, "confidence": "M",
              "source": "somebody"} | ends  # fmt: skip
    found = sd.Sensitivity(site_name="a", cost_usd_per_yr=1e7, bound_usd_per_yr=1e7, numbers=(number,))
    given = []
    monkeypatch.setattr(sd, "sensitivity", lambda of, **_: given.append(of) or found)
    view, note = answering.answer(question, tmp_path, silent)
    assert (given[0].study, note) == (design.study, "")
    assert view.verdict[1].startswith("Decided by price of gas (M).")
    assert view.facts[0][1].value == "5.00"
    assert view.tables[0].rows[1] == ["price of gas (M)", "1 to 3 USD/MMBtu (now 2)", "-2.00", "+5.00", ""]
    assert list(view.figures) == ["tornado"]
    assert all((tmp_path / name).is_file() for name in view.files)
    assert set(view.files) <= set(answering.FILES)
    assert sd.Design.load(tmp_path / DESIGN).sensitivity == found


def test_a_portfolio_is_asked_of_rows_or_of_a_table():
    question = asked("portfolio", portfolio__racks=900, portfolio__most_sites=2, portfolio__compare="1, 3")
    assert [site["name"] for site in question.sites] == ["El Paso, TX", "Phoenix, AZ", "Amarillo, TX"]
    assert question.asked["compare"] == [1, 3]
    assert (question.asked["racks"], question.asked["most_sites"]) == (900, 2)
    assert not {"ramp", "regions", "where"} & set(question.asked)
    question = asked(
        "portfolio",
        portfolio__ramp=[{"month": 12, "racks": 300}, {"month": "30", "racks": 2000}, {}],
        portfolio__regions=[{"region": "texas", "most": 1500}, {"region": "arizona", "least": 200}],
        portfolio__where=[{"figure": "months_to_power", "most": 24}, {"figure": "land_acres"}],
    )
    assert question.asked["ramp"] == [(12, 300), (30, 2000)]
    assert question.asked["regions"] == {"texas": (0, 1500), "arizona": (200, 2000)}
    assert question.asked["where"] == {"months_to_power": (None, 24)}
    table = Uploaded("sites.csv", b"lat;lon;name\n31,76;-106,49;One\n35.2;-101.8;Two\n")
    question = asked("portfolio", portfolio__table=table)
    assert [(site["latitude"], site["name"]) for site in question.sites] == [(31.76, "One"), (35.2, "Two")]
    beside, rest = refused(
        "portfolio", portfolio__racks="", portfolio__compare="1 few", portfolio__least_racks=0,
        portfolio__sites=[{"latitude": 0, "longitude": -30}, {"latitude": 5}], uptime=500,
    )  # fmt: skip
    assert set(beside) == {
        "portfolio.racks", "portfolio.compare", "portfolio.least_racks", "portfolio.sites", "uptime",
    }  # fmt: skip
    assert "in row 1" in beside["portfolio.sites"]
    assert rest == []
    beside, rest = refused(
        "portfolio", portfolio__ramp=[{"month": 12, "racks": 9000}],
        portfolio__regions=[{"region": "maine", "most": 5}, {"most": 5}],
        portfolio__where=[{"figure": "land_acres", "least": 9, "most": 5}, {"figure": "@pd.io", "most": 5}],
    )  # fmt: skip
    assert set(beside) == {"portfolio.ramp", "portfolio.regions", "portfolio.where"}
    assert "must be one of arizona, texas" in beside["portfolio.regions"]
    assert rest == []
    for name, content in (("sites.exe", b"x"), ("sites.csv", b"a,b\n1,2\n")):
        beside, _ = refused("portfolio", portfolio__table=Uploaded(name, content))
        assert set(beside) == {"portfolio.table"}


# ---- addresses, names, files


def test_an_address_brings_the_form_back():
    answers = USUAL | {
        "amount": 50, "site.name": "Å & <b>", "backup": ["diesel"], "grid.model": "flexible",
        "roadmap.ramp": [{"month": 3, "racks": 5}], "roadmap.worth": True, "finance.run": "secret",
        "grid.prices": Uploaded("lmp.csv", b"1"),
    }  # fmt: skip
    query = address.to_query("roadmap", answers, certify=False)
    assert "secret" not in query
    assert "lmp" not in query
    tab, found, certify = address.from_query(dict(parse_qsl(query)))
    assert (tab, certify) == ("roadmap", False)
    kept = {name: value for name, value in answers.items() if name not in ("finance.run", "grid.prices")}
    assert {name: (USUAL | found)[name] for name in kept} == kept
    assert address.to_query("plant", USUAL, certify=True) == ""


def test_an_address_of_nonsense_is_an_untouched_form():
    nonsense = {
        "tab": "warp", "use": "warp", "backup": '["warp"]', "wind": "5", "roadmap.ramp": '[1, {"x": 2}]',
        "portfolio.sites": '{"a": 1}', "grid.prices": "x", "who": "me", "roadmap.worth": "[",
        "rack": "../x.toml",
    }  # fmt: skip
    tab, found, certify = address.from_query(nonsense)
    assert (tab, certify) == ("plant", True)
    assert found == {"backup": [], "roadmap.ramp": [{}]}


def jobs_of(*answers):
    question = asked("plant")
    return [
        PlannerJob(str(number), question, None, "me", "ABC"[number], USUAL | given, state="done")
        for number, given in enumerate(answers)
    ]


def test_runs_are_named_by_what_differs():
    first, second, third = jobs_of({}, {"pv.capex_usd_per_wdc": 0.7}, {"backup": ["diesel"], "uptime": 99.9})
    alone = naming.titles_of([first])
    assert alone["0"] == "El Paso, TX: 794 racks, 99.9 %"
    names = naming.titles_of([first, second, third])
    assert "Solar array: as it comes" in names["0"]
    assert "Solar array: 0.7 USD/Wdc" in names["1"]
    assert names["2"].endswith("Backup that may be built: Diesel generator set · Solar array: as it comes")
    assert set(naming.differing([first, second])["1"]) == {"pv.capex_usd_per_wdc"}


def test_a_study_comes_back_as_answers():
    given = USUAL | {
        "amount": 50, "size": "racks", "uptime": 99.95, "site.name": "here", "wind": ["onshore_6mw_170"],
        "pv": "fixed_dc", "pv.capex_usd_per_wdc": 0.7, "battery.capex_usd_per_kwh": 99, "surplus": ["miner"],
        "grid.model": "flexible", "grid.usd_per_mwh": 33, "limits.solar_mw": 300, "limits.n_plus": 1,
        "fuel_price_usd_per_mmbtu.natural_gas": 7, "tank_h.diesel": 20, "reserve.n_minus": 2,
        "min_renewable_share": 30, "in_service": "2029-06-01", "step_minutes": "30",
    }  # fmt: skip
    study = form.study_of(given)
    found, left_out = opening.answers_of(study)
    assert left_out == ()
    assert form.study_of(found).to_dict() == study.to_dict()
    changed = [name for name in found if not address.same(found[name], given[name])]
    assert all(name.startswith("reserve.") for name in changed)  # said as they are taken
    odd = study.replace(limits={"solar_mw": (10, 300)}, accept=("large_load",))
    assert set(opening.answers_of(odd)[1]) == {"limits", "accept"}


def test_saved_things_are_opened(tmp_path):
    design = make_design(years=1)
    design.save(tmp_path / "a.json")
    sent = Uploaded("a.json", (tmp_path / "a.json").read_bytes())
    found = opening.opened(sent)
    assert (found.kind, found.file, found.content) == ("plant", DESIGN, sent.content)
    assert found.answers["site.name"] == design.site_name
    assert found.view.facts == answering.plant_view(design).facts
    assert View.from_json(found.view.to_json()) == found.view
    toml = b"it_mw = 3\nuptime = 0.99\n[site]\nlatitude = 31.76\nlongitude = -106.49\n"
    found = opening.opened(Uploaded("s.toml", toml))
    assert (found.kind, found.answers["amount"], found.answers["uptime"]) == (None, 3, 99)
    with Pool(tmp_path / "jobs", 0) as pool:
        planner = Planner(pool)
        assert planner.keep(found, owner="me") is None
        job = planner.keep(opening.opened(sent), owner="me")
        assert planner.jobs("me") == [job]
        assert job.design == design
        assert planner.finished("me") == {job.key: job, "example": planner.example}
        assert planner.file("me", job.key, DESIGN)[0].read_bytes() == sent.content
        assert planner.file("you", "example", DESIGN) is not None


@pytest.mark.parametrize(("name", "content", "said"), [
    ("a.exe", b"", "must be a study"),
    ("a.json", b"[1]", "must be what was saved"),
    ("a.json", b"{" * 9, "must be what was saved"),
    ("a.toml", b'it_mw = 3\nuptime = 0.9\nweather = "/etc/passwd"\n', "names a file"),
    ("a.toml", b'it_mw = 3\nuptime = 0.9\nrack = "mine.toml"\n', "names a file"),
    ("a.json", json.dumps({"grid": {"model": "x", "prices": "lmp"}, "it_mw": 3}).encode(), "names a file"),
    ("a.json", b'{"provenance": {}}', "design"),
    ("a.toml", b"it_mw = 'x'\n", "it_mw"),
])  # fmt: skip
def test_what_cannot_be_opened_is_said(name, content, said):
    with pytest.raises(sd.InputError, match=said):
        opening.opened(Uploaded(name, content))


# ---- the example, places, remedies, time


def test_the_example_is_the_untouched_form(tmp_path):
    job = example.example_in(tmp_path)
    question = asked("plant")
    solved = rebuilt_study(job.design)  # fields that came since are as usual
    assert solved.to_dict() == question.study.to_dict(), "python -m sitedesign.serve.example solves it again"
    assert job.design.certificate is not None
    assert {"week", "cost", "causes"} <= set(job.view.figures)
    assert job.view.facts[0] == answering.content.answer(job.design)


def test_places_are_found_by_name():
    assert gazetteer.search("el paso, tx")[0].title == "El Paso, TX"
    assert gazetteer.search("zurich")[0].title == "Zürich, Zurich, CH"
    assert {place.country for place in gazetteer.search("Paris, FR")} == {"FR"}
    assert gazetteer.search("qqqqqq") == gazetteer.search(" ") == gazetteer.search(",tx") == []
    assert gazetteer.whereabouts(31.76, -106.49) == "United States · America/Denver (UTC-7) · 1,202 m"
    assert "on land" in gazetteer.whereabouts(0, -30)
    assert gazetteer.labels()[0][3] > 10_000


def test_a_remedy_is_an_answer_of_the_form():
    land = LimitChange("land_acres", 9, 1234.5, "acres")
    assert answer_of(land) == {"limits.land_acres": 1234.5}
    assert words_of(land) == "most land for the array 1234.5 acres"
    assert answer_of(LimitChange("solar_mw", 0, 40, "MW")) == {"limits.solar_mw": 40}
    assert answer_of(LimitChange("min_renewable_share", 0.9, 0.5, "")) == {"min_renewable_share": 50}
    assert answer_of(LimitChange("nothing that is asked", 1, 2, "")) is None


def test_progress_only_grows_and_says_what_is_left(monkeypatch):
    job = PlannerJob("k", asked("plant"), None, "me", "A", state="solving", began=0.0)
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(PlannerJob, "seconds", property(lambda _: clock.now))
    shares = []
    told = {
        1: "preparing weather", 4: "solving 20 weather years", 20: "replaying the design",
        30: "sizing with foresight of weather and failures", 31: "replaying the design",
        80: "certifying on 200 unseen years", 99: "writing the report",
    }  # fmt: skip
    for now, line in told.items():
        clock.now = now
        job.hear(line)
        shares.append(remaining.share_done(job))
        clock.now += 0.5
        shares.append(remaining.share_done(job))
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] < 1
    assert remaining.words(job).startswith("9")
    assert "left" in remaining.words(job)
    share = remaining.share_of("portfolio", "3 of 12 sites, 1.0 sites/min", certify=False)
    assert share == pytest.approx(0.225)
    lines = ["1 of 126 numbers: a", "126 of 126 numbers: b", "operating the certified plant, 2 of 9: c",
             "searching a plant, 5 of 5: d", "where the plan changes kind, 4 of 4: e"]  # fmt: skip
    shares = [remaining.share_of("sensitivity", line, certify=True) for line in lines]
    assert 0 < shares[0] < 0.02
    assert shares == sorted(shares)
    assert shares[-1] < 1
    assert remaining.share_of("roadmap", "master 3", certify=False) is None
