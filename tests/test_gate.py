"""The gate: what may come in, and in which words the rest is refused."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from runpy import run_path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sitedesign as sd
from sitedesign import cli
from sitedesign.batch import screening
from sitedesign.errors import shown
from sitedesign.util.gate import Bounds, ByName, Day, File, Many, Measure, OneOf, OrNone, Words, takes
from tests.cli_runs import run
from tests.nonsense import Unspeakable

SITE = sd.Site(latitude=31.76, longitude=-106.49)
ASKED: dict[str, Any] = {"site": SITE, "racks": 7, "uptime": 0.9}


def message(call: Callable[[], object]) -> str:
    with pytest.raises(sd.InputError) as error:
        call()
    return str(error.value)


# Gates ----------------------------------------------------------------------------------------------------


def test_a_number_is_finite_in_range_and_no_text() -> None:
    gate = Measure("MW", 0, 100, above=True)
    for right in (1, 0.5, np.int64(3), np.float32(2), Fraction(1, 2)):
        assert gate.wrong(gate.clean(right)) is None, right
    for value in (math.nan, math.inf, 0, 100.5, True, "5", None, [5], 1j, 10**400, np.array(5.0), pd.NA):
        assert gate.wrong(gate.clean(value)) is not None, type(value)
    assert gate.wrong("5") == ("'5'", "must be a number of MW", "Write it without quotes: 5.")
    assert gate.wrong(math.nan) == ("nan", "must be in (0, 100] MW", "")


def test_a_whole_number_may_be_written_with_a_point() -> None:
    gate = Measure("racks", 1, 1000, whole=True)
    assert gate.clean(7.0) == 7
    assert isinstance(gate.clean(np.float64(7)), int)
    assert gate.wrong(7.5) == ("7.5", "must be a whole number of at least 1", "")
    assert gate.wrong(5000) == ("5000", "must be a whole number of at most 1,000", "")


def test_per_cent_is_recognised() -> None:
    found = Measure("fraction", 0, 1).wrong(99.9)
    assert found == ("99.9", "must be a fraction in [0, 1]", "Did you mean 0.999?")
    rate = Measure("fraction/yr", 0, 0.5)
    assert rate.clean("6.5 %") == 0.065
    assert rate.wrong(12) == ("12", "must be in [0, 0.5] fraction/yr", "Did you mean 0.12?")
    assert Measure("fraction/yr", 0, 0.5, percent_from=1).clean(6.5) == 0.065


def test_terms_of_finance_may_be_said_in_per_cent() -> None:
    assert sd.Terms(debt_rate=6.5, debt_share=60, degradation="0.4 %") == sd.Terms(
        debt_rate=0.065, debt_share=0.6, degradation=0.004
    )
    with pytest.raises(sd.InputError, match="Per cent carry their sign"):
        sd.Terms(debt_share=1.5)


def test_bounds_are_one_number_or_two_in_order() -> None:
    gate = Bounds(Measure("MW", 0, 1e7))
    assert gate.clean(5) == (0, 5)
    assert gate.wrong(gate.clean([2, 5])) is None
    for value in ((5, 2), (1,), (1, 2, 3), "5", (0, math.inf), (math.nan, 1), (-1, 5), 1e30, {1: 2}, True):
        assert gate.wrong(gate.clean(value)) is not None, value


def test_words_names_days_and_lists() -> None:
    assert Words(most=3).wrong("abcd") == ("4 characters", "must be text of at most 3 characters", "")
    assert Words().wrong("a\nb") is not None
    assert Words().wrong("El\u00a0Paso, Þórshöfn, 東京") is None
    found = OneOf(("cuts", "extensive")).wrong("cut")
    assert found == ("'cut'", "must be one of cuts, extensive", "Did you mean 'cuts'?")
    assert OneOf((30, 60), "min").wrong(True) is not None
    assert Day(2000, 2100).clean("2027-01-01") == datetime.date(2027, 1, 1)
    assert Day(2000, 2100).wrong(datetime.date(1, 1, 1)) is not None
    many = Many(Measure("", 0, 9), "must be a list of numbers", most=3)
    assert many.clean(value for value in (1, 2)) == [1, 2]
    assert [fault.found for fault in many.faults("v", many.clean([1, math.nan, "x"]))] == ["nan", "'x'"]
    assert many.faults("v", many.clean(iter(int, 1)))[0].found == "more than 3"  # has no end
    assert many.faults("v", "12")[0].allowed == "must be a list of numbers"
    units = ByName(Measure("units", 0, 9, whole=True), "must be units by technology")
    assert [fault.where for fault in units.faults("backup", units.clean({"a": 1, "b": -1}))] == ["backup.b"]
    assert "the key 3" in units.faults("backup", {3: 4})[0].found
    assert OrNone(Words()).faults("x", None) == []


def test_paths_are_paths(tmp_path: Path) -> None:
    gate = File((".json",))
    assert gate.wrong(gate.clean(str(tmp_path / "a.json"))) is None
    long = "x" * 5000 + ".json"
    for value in ("", " ", "a\0b.json", b"a.json", None, 5, ["a.json"], long, "a.xlsx", Unspeakable()):
        assert gate.wrong(gate.clean(value)) is not None, shown(value)


def test_whatever_was_found_can_be_shown() -> None:
    table = pd.DataFrame({"a": range(99)})
    for value in (Unspeakable(), 10**5000, "x" * 10_000, [[]] * 1000, table):
        assert len(shown(value)) < 130
        assert "\n" not in shown(value)
    assert shown(10**18) == "1e+18"


def test_a_call_is_checked_as_a_whole() -> None:
    @takes("f()", count=Measure("", 0, 9, whole=True), name=Words())
    def f(count: int, *, name: str = "a") -> tuple[int, str]:
        return count, name

    assert f(3.0, name="b") == (3, "b")  # type: ignore[arg-type]
    assert f.__name__ == "f"
    call: Any = f
    assert message(lambda: call(-1, name=5)).startswith("2 problems in the inputs of f():")
    unknown = "nme: got an unknown argument; known are count, name. Did you mean 'name'?"
    assert unknown in message(lambda: call(1, nme="b"))
    assert "count: got nothing; is needed." in message(call)
    assert "2 without names; only count may stand without a name" in message(lambda: call(1, 2))


# Calls that people make -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sd.Site(31.76, -106.49), "Write sd.Site(latitude=31.76, longitude=-106.49)."),
        (lambda: sd.Study(SITE, 7, 0.9), "each needs its name"),
        (lambda: sd.Study(**ASKED, backup={"diesel": 3}), "limits={'units': {'diesel': (3, 3)}}"),
        (lambda: sd.solve_many([SITE], racks=7, uptime=0.9, certify=False), "or certify_best=20"),
        (lambda: sd.Study(**ASKED, gas_price=4), "Give fuel_price_usd_per_mmbtu={'natural_gas': 4}."),
        (lambda: sd.Study(**ASKED, land_acres=900), "It is a limit: limits={'land_acres': 900}."),
        (lambda: sd.Study(**ASKED, weather="x.csv"), "Read files with weather=sd.Weather.read('x.csv')."),
        (lambda: sd.Study(**ASKED, limits={3: 4}), "the key 3"),
        (lambda: sd.Study(**ASKED, fuel_price_usd_per_mmbtu={"diesel": math.inf}), "in [0, 500] USD/MMBtu"),
        (lambda: sd.Study(**ASKED | {"site": {1: 2}}), "the key 1"),
        (lambda: sd.solve(SITE, racks=7), "must be a sitedesign.Study, or give site=..."),
        (lambda: sd.solve(**ASKED, time_limit=5), "Give time_limit_s=5 to solve()."),
        (lambda: sd.Limits(solar=900), "Did you mean 'solar_mw'?"),
        (lambda: sd.Weather.read(["a.csv", "b.csv"]), "Several: read('a.csv', 'b.csv')."),
        (lambda: sd.Weather.generate(31.76, -106.49), "Try sd.Site(latitude=31.76, longitude=-106.49)."),
        (lambda: sd.frontier(sd.Study(**ASKED), "uptime", 0.9), "must be a list of numbers"),
        (lambda: sd.read_study(None), "must be the path of a study file"),
        (lambda: sd.rank({}), "must be a DataFrame of results, or the folder of a batch"),
        (lambda: sd.solve_many([SITE], racks=7, uptime=0.9, by="nope"), "by: got 'nope'"),
        (lambda: sd.Controller(forecast_zscore=1), "Did you mean 'forecast_z_score'?"),
        (lambda: sd.Forecast(horizon_h=math.nan), "must be in (0, 8760] h"),
    ],
)  # fmt: skip
def test_calls_that_people_make_are_answered(call: Callable[[], object], words: str) -> None:
    assert words in message(call)


def test_a_design_is_saved_as_what_it_is(tmp_path: Path) -> None:
    from tests.report_designs import make_design

    design = make_design(years=1)
    assert "must end in .json. Try x.json." in message(lambda: design.save("x.yaml"))
    assert "design.to_excel('x.xlsx') writes that." in message(lambda: design.save("x.xlsx"))
    assert "must end in .html or .htm. Try x.html." in message(lambda: design.report("x.pdf"))
    (tmp_path / "folder.json").mkdir()
    assert "Is a directory" in message(lambda: design.save(tmp_path / "folder.json"))
    assert "must be a file that can be written" in message(lambda: design.save("/proc/x.json"))
    assert "brackets" not in message(lambda: sd.Design.load(write(tmp_path / "deep.json", "[" * 100_000)))


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_faults_of_options_and_of_the_question_are_told_together() -> None:
    text = message(
        lambda: sd.solve(site=SITE, racks=math.nan, uptime=9.9, gap=math.nan, time_limit_s=math.inf)
    )
    assert text.startswith("4 problems in the inputs of solve():")
    text = message(lambda: sd.solve_many([{"latitude": 1}], racks=-1, uptime=0.9, workers=0, stage="x"))
    assert text.startswith("3 problems in the inputs of solve_many():")


def test_a_batch_is_not_begun_when_its_ranking_cannot_be_made(tmp_path: Path) -> None:
    table = write(tmp_path / "sites.csv", "latitude,longitude\n31.76,-106.49\n")
    asked = ("--racks", 7, "--uptime", 0.9, "--out", tmp_path / "out", "--by", "nope")
    assert "--by" in run("batch", table, *asked, code=cli.BAD_INPUT).stderr
    assert not (tmp_path / "out").exists()


def test_a_ranking_needs_whole_results(tmp_path: Path) -> None:
    path = tmp_path / "results.parquet"
    pd.DataFrame({"status": ["solved"], "cost_usd_per_yr": [1.0], "name": ["a"]}).to_parquet(path)
    assert len(sd.rank(path)) == 1
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert "must be a whole Parquet file of results" in message(lambda: sd.rank(path))
    assert "cannot be read" in run("map", path, "--out", tmp_path / "m.html", code=cli.BAD_INPUT).stderr
    other = tmp_path / "other.parquet"
    pd.DataFrame({"x": [1]}).to_parquet(other)
    assert "with a column status" in message(lambda: sd.rank(other))


@pytest.mark.parametrize(
    ("guard", "begins"),
    [
        ("if True:", False),
        ('if __name__ == "__main__":', True),
        pytest.param("def f():", True, marks=pytest.mark.slow),
    ],
)
def test_a_script_that_would_start_itself_without_end_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, guard: str, begins: bool
) -> None:
    """What is behind the check is replaced: no worker is started here."""
    begun: list[object] = []
    monkeypatch.setattr(screening._Batch, "in_memory", lambda self, engine: begun.append(self))
    script = write(
        tmp_path / "screen.py",
        "import sitedesign as sd\n"
        "def begin():\n"
        "    pass\n"
        f"{guard}\n"
        "    sd.solve_many([{'latitude': 31.76, 'longitude': -106.49}], racks=7, uptime=0.9, workers=1)\n"
        "if __name__ == '__main__' and 'f' in globals():\n    f()\n",
    )
    if begins:
        run_path(str(script), run_name="__main__")
        assert begun
        return
    said = message(lambda: run_path(str(script), run_name="__main__"))
    assert not begun
    assert "screen.py line 5 outside of a guard" in said
    assert 'Put the call below the line: if __name__ == "__main__":' in said
