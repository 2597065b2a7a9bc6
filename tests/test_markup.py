"""Studies and certificates show themselves in a notebook, in the notebook's own colours."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser

import pytest

import sitedesign as sd
from sitedesign.reliability.events import Event
from tests.report_designs import make_certificate, make_design

EVIL = "<script>alert('x')</script> & \"El Paso\""


class Tags(HTMLParser):
    """Tags that are open, and every text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.names, self.texts = [], set(), []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.names.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture(scope="module")
def design():
    return make_design(EVIL, years=1)


def study(**question):
    site = sd.Site(latitude=31.76, longitude=-106.49, name=EVIL, elevation_m=1200, timezone="America/Denver")
    return sd.Study(site=site, **({"racks": 700, "uptime": 0.999} | question))


def certificate(design, **changes):
    events = (Event(3, f"year 4, 12-24 17:00 {EVIL}", 9, 5.25, 101.5, 90.0, 0.4, "gas_supply"),)
    return dataclasses.replace(make_certificate(design), events=events, **changes)


def test_every_text_is_escaped_and_no_colour_is_set(design):
    for shown in (study()._repr_html_(), certificate(design)._repr_html_(), design._repr_html_()):
        tags = Tags(shown)
        assert tags.open == []
        assert tags.names <= {"table", "caption", "b", "thead", "tbody", "tr", "th", "td"}
        assert "<script>" in " ".join(tags.texts)
        assert not re.search(r"color|background|#[0-9a-f]{3}|class=", shown)


def test_study_shows_the_question_and_what_was_changed():
    plain = study()._repr_html_()
    for fact in ("700 ×", "99.9 %", "20 generated years, seed 0", "31.7600, -106.4900"):
        assert fact in plain
    assert "months_to_power" not in plain
    asked = study(limits={"months_to_power": 14}, co2_price_usd_per_t=40, backup=())._repr_html_()
    for fact in ("months_to_power 14.0", "co2 price usd per t", "40.0", "none"):
        assert fact in asked
    assert asked.count("limits") == 1


def test_certificate_shows_verdict_bound_causes_and_events(design):
    shown = certificate(design)._repr_html_()
    assert "target NOT met" in shown
    assert "lost by trips" in shown
    assert "5.25 h" in shown
    assert "gas supply" in shown
    told = re.search(r"([\d.]+) % at 95 % confidence", shown)
    assert float(told[1]) / 100 <= certificate(design).uptime.lower_bound(0.95)
    assert "not converged" not in shown
    assert "not converged" in certificate(design, converged=False)._repr_html_()
