"""Whatever is put in, an answer comes out or one of our errors: never a traceback.

Entry points, their parameters, commands and options are found, not listed (``tests/nonsense.py``). Longer:
``SITEDESIGN_NONSENSE=20000 pytest tests/test_nonsense.py``.
"""

from __future__ import annotations

import json
import os
import string
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sitedesign as sd
from sitedesign.batch.table import known_columns
from tests import nonsense
from tests.nonsense import Entry, Good

EXAMPLES = int(os.environ.get("SITEDESIGN_NONSENSE", "60"))
LONG = settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
ENTRIES = nonsense.entries()
COMMANDS = list(nonsense.commands())


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Good:
    return Good(tmp_path_factory.mktemp("good"))


@pytest.fixture(autouse=True)
def nothing_solved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Solve nothing, and let nonsense that is a good path write below a folder of its own."""
    folder = tmp_path / "a" / "b" / "c"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    with nonsense.nothing_solved():
        yield


@contextmanager
def told_in_our_words() -> Iterator[None]:
    """Let nothing through but an answer and our errors, which have words."""
    try:
        yield
    except sd.SiteDesignError as error:
        if not str(error):
            pytest.fail("an error without words")


def tried(good: Good, entry: Entry, changes: dict[str, Any], extra: tuple[Any, ...] = ()) -> None:
    """Call, and let nothing through but an answer and our errors."""
    answer = None
    with told_in_our_words():
        answer = good.call(entry, changes, extra)
    if isinstance(answer, pd.DataFrame) and "status" in answer.columns:
        assert "error" not in set(answer["status"]), list(answer["error"])


# Python ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_argument_of_every_function_may_be_nonsense(good: Good, entry: Entry) -> None:
    tried(good, entry, {})
    turn = sum(map(ord, entry.name))
    for number, name in enumerate(good.names(entry)):
        for values in (nonsense.NUMBERS, nonsense.TEXTS, nonsense.KINDS):
            tried(good, entry, {name: values[(turn + number) % len(values)]})
    with pytest.raises(sd.InputError):
        good.call(entry, {"no_such_argument": 1})
    tried(good, entry, {}, (1, "x", None))


@LONG
@given(st.data())
def test_functions_answer_nonsense_in_our_words(good: Good, data: st.DataObject) -> None:
    entry = data.draw(st.sampled_from(ENTRIES), label="entry")
    # By number: some nonsense cannot be shown
    number = st.integers(0, len(nonsense.NONSENSE) - 1)
    names = st.sampled_from(good.names(entry) or ["nothing"])
    known = data.draw(st.dictionaries(names, number, max_size=2), label="numbers of known nonsense")
    changes = {name: nonsense.NONSENSE[item] for name, item in known.items()}
    changes |= data.draw(st.dictionaries(names, anything, max_size=2), label="other nonsense")
    unnamed = data.draw(st.lists(number, max_size=3) if data.draw(st.integers(0, 5)) == 0 else st.just([]))
    extra = [nonsense.NONSENSE[item] for item in unnamed]
    tried(good, entry, changes, tuple(extra))


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=8)
    | st.dates() | st.decimals()
)  # fmt: skip
anything = st.recursive(
    scalars,
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.tuples(inside, inside)
        | st.dictionaries(st.text(max_size=5) | st.integers() | st.none(), inside, max_size=3)
    ),
    max_leaves=5,
)


# Commands -------------------------------------------------------------------------------------------------

WORDS = (
    *nonsense.TEXTS, "inf", "1e30", "-1e30", "1000000000000000000", "0", "0-99999999", "recip_fast=nan",
    "diesel=1e30", "diesel=inf", "recip_fast=1e400", "solar_mw=nan:1", "battery_hours=inf", "0:1:1000000000",
    "nan,1", "1,2,3,4,5", "31,32,-107,-106,1e-9", "true", "[[1]]", "uptime=1", "weather=3", "site=5",
    "limits=5", "classes=[1]", "racks=[]", "{" * 2000, "a=" + "[" * 3000, "/dev/null",
    "/proc/self/fdinfo",
    "/proc/self/mem", ".",
)  # fmt: skip


def line(good: Good, words: tuple[str, ...], command: Any, changed: dict[str, str]) -> list[str]:
    """Words of a command with everything that it needs, some of it replaced."""
    usual = ["--racks", "7", "--uptime", "0.9"] if words == ("batch",) else []
    if words[-1] in ("solve", "evaluate", "frontier", "tradeoff", "sensitivity", "batch", "generate"):
        usual += ["--years", "1"]
    options, arguments = [*usual], []
    for item in command.params:
        value = changed.get(item.name)
        is_argument = item.param_type_name == "argument"
        needed = item.required or (is_argument and item.name in ("file", "sites"))
        if value is None and needed:
            given = good.option(words, item)
            (arguments if is_argument else options).extend(given)
        elif value is not None and is_argument:
            arguments.append(value)
        elif value is not None and getattr(item, "is_flag", False):
            options.append(item.opts[0])
        elif value is not None:
            options += [item.opts[0], value]
    return [*words, *options, "--", *arguments]


@pytest.mark.parametrize(
    ("words", "command"), COMMANDS, ids=lambda item: " ".join(item) if isinstance(item, tuple) else ""
)
def test_every_option_of_every_command_may_be_nonsense(
    good: Good, words: tuple[str, ...], command: Any
) -> None:
    turn = sum(map(ord, "".join(words)))
    for number, item in enumerate(command.params):
        if item.name == "help":
            continue
        wanted = line(good, words, command, {item.name: WORDS[(turn + 7 * number) % len(WORDS)]})
        assert nonsense.run(wanted) == "", wanted


@LONG
@given(st.data())
def test_commands_answer_nonsense_in_our_words(good: Good, data: st.DataObject) -> None:
    words, command = data.draw(st.sampled_from(COMMANDS))
    names = [item.name for item in command.params if item.name != "help"]
    text = st.sampled_from(WORDS) | st.text(string.printable, max_size=12) | st.floats().map(str)
    changed = data.draw(st.dictionaries(st.sampled_from(names), text, min_size=1, max_size=3))
    wanted = line(good, words, command, changed)
    if data.draw(st.booleans()) and "as_json" in names and "--json" not in wanted:
        wanted.insert(len(words), "--json")
    assert nonsense.run(wanted) == "", wanted


# Files ----------------------------------------------------------------------------------------------------

LITERALS = (
    "nan", "inf", "-inf", "1e999", "-1", "0", "10" + "0" * 400, "9" * 5000, "1e30", "true", '""', '"x"',
    '"\\u0000"', "[]", "[[]]", "[1, 2, 3]", "[nan]", "{}", "{a = 1}", '{"3" = 4}', "{diesel = nan}",
    "2027-01-01", "0001-01-01", "9999-12-31", "07:32:00", "1979-05-27T07:32:00Z", "[" * 2000 + "]" * 2000,
    '"' + "x" * 3000 + '"', "not toml", "{extends = 5}", '{extends = "lfp", life_yr = nan}',
    '{extends = "nowhere.toml"}', "[{name = 5}]", '["diesel", 3]',
)  # fmt: skip


@LONG
@given(
    st.dictionaries(
        st.sampled_from([*sd.Study.model_fields, "site.latitude", "limits.units", "limits.solar_mw", "x"]),
        st.sampled_from(LITERALS),
        max_size=4,
    )
)
def test_study_files_of_nonsense_are_answered_in_our_words(tmp_path: Path, fields: dict[str, str]) -> None:
    path = tmp_path / "study.toml"
    usual = {
        "racks": "7",
        "uptime": "0.9",
        "weather_years": "1",
        "site.latitude": "31.8",
        "site.longitude": "-106",
    }
    if "site" in fields:
        usual = {name: text for name, text in usual.items() if not name.startswith("site.")}
    path.write_text(
        "".join(f"{name} = {text}\n" for name, text in (usual | fields).items()), encoding="utf-8"
    )
    with told_in_our_words():
        sd.solve(sd.read_study(path), certify=False)


@LONG
@given(
    st.dictionaries(
        st.sampled_from(known_columns()),
        st.sampled_from(
            ["nan", "inf", "-1", "1e30", "x", "1:2:3", "nan:1", "none;none", ";", "true", "9" * 400, " "]
        ),
        max_size=4,
    )
)
def test_rows_of_nonsense_fail_alone(cells: dict[str, str]) -> None:
    rows = [{"latitude": 31.8, "longitude": -106} | cells, {"latitude": 31.8, "longitude": -106}]
    with told_in_our_words():
        table = sd.solve_many(rows, racks=7, uptime=0.9, weather_years=1)
        assert "error" not in set(table["status"]), list(table["error"])


def broken(data: bytes, at: int, how: int) -> bytes:
    """Damage bytes: cut, turn over, double, fill with nothing, replace by text."""
    at %= max(len(data), 1)
    return (
        data[:at],
        data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :] if data else b"\xff",
        data[:at] + data,
        data[:at] + b"\0" * 64 + data[at + 64 :],
        b"",
        b"latitude,longitude\n",
        b"[" * 100_000,
        b"\xff\xfe" + data[:100],
    )[how]


@LONG
@given(
    st.sampled_from(["design", "results", "sites", "library", "study", "weather"]),
    st.integers(0, 10**6),
    st.integers(0, 7),
)
def test_damaged_files_are_answered_in_our_words(
    good: Good, tmp_path: Path, kind: str, at: int, how: int
) -> None:
    sources = {
        "design": good.design_file, "results": good.results_file, "sites": good.sites_file,
        "library": good.library_file, "study": good.study_file, "weather": good.weather_file,
    }  # fmt: skip
    path = tmp_path / sources[kind].name
    path.write_bytes(broken(sources[kind].read_bytes(), at, how))
    uses: dict[str, Any] = {
        "design": lambda: (str(sd.Design.load(path)), sd.certify(sd.Design.load(path))),
        "results": lambda: (sd.rank(path), sd.solve_many(path, racks=7, uptime=0.9, weather_years=1)),
        "sites": lambda: sd.solve_many(path, racks=7, uptime=0.9, weather_years=1),
        "library": lambda: sd.library.load(path),
        "study": lambda: sd.read_study(path),
        "weather": lambda: sd.Weather.read(path),
    }
    with told_in_our_words():
        uses[kind]()


@LONG
@given(st.data())
def test_a_design_with_nonsense_in_it_is_answered_in_our_words(good: Good, data: st.DataObject) -> None:
    content = json.loads(good.design_file.read_text(encoding="utf-8"))
    place, key = content, ""
    for _ in range(data.draw(st.integers(1, 3))):
        inside = isinstance(place, dict) and {k: v for k, v in place.items() if isinstance(v, dict) and v}
        key = data.draw(st.sampled_from(sorted(place)))
        if not inside or key not in inside:
            break
        place = inside[key]
        key = data.draw(st.sampled_from(sorted(place)))
    place[key] = data.draw(
        st.sampled_from([None, -1, 1e30, float("nan"), float("inf"), "x", [], {}, True, [[]], 10**30])
    )
    with told_in_our_words():
        design = sd.Design.from_dict(content)
        assert str(design)
        assert design.to_dict()
        sd.certify(design)
